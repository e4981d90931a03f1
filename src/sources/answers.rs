//! How a node answers one call: raw protobuf bytes for raw protobuf bytes.
//!
//! LND over gRPC and a recording of it both answer this way, so one reader serves both, a recording is the node as far as
//! the reader can tell, and recording a node is keeping what passes by.

use std::time::Duration;

use bytes::Bytes;

use super::Error;

/// A method of LND that daznode calls, with the limits of its answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// As on the wire: `/lnrpc.Lightning/GetInfo`. The name of its file in a recording comes from it.
    pub path: &'static str,
    /// The longest answer that is taken.
    pub max_bytes: usize,
    /// How long one answer may take.
    pub timeout: Duration,
}

impl Method {
    const fn new(path: &'static str) -> Self {
        Self { path, max_bytes: 16 << 20, timeout: Duration::from_secs(15) }
    }

    /// A method whose answer is any number of messages, each with the limit of one.
    const fn stream(path: &'static str, max_bytes: usize) -> Self {
        Self { path, max_bytes, timeout: Duration::from_secs(15) }
    }

    /// `GetInfo`, for people.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// `lnrpc.Lightning.GetInfo`, the name of its files in a recording.
    pub fn file_stem(&self) -> String {
        self.path.trim_start_matches('/').replace('/', ".")
    }
}

/// Whether LND serves calls yet; the only one that needs no macaroon.
pub static GET_STATE: Method = Method::new("/lnrpc.State/GetState");
/// LND's version and build tags.
pub static GET_VERSION: Method = Method::new("/verrpc.Versioner/GetVersion");
/// Who it is and how far it has got.
pub static GET_INFO: Method = Method::new("/lnrpc.Lightning/GetInfo");
/// Open channels.
pub static LIST_CHANNELS: Method =
    Method { path: "/lnrpc.Lightning/ListChannels", max_bytes: 64 << 20, timeout: Duration::from_secs(30) };
/// Channels on their way in or out.
pub static PENDING_CHANNELS: Method = Method::new("/lnrpc.Lightning/PendingChannels");
/// Channels that are gone.
pub static CLOSED_CHANNELS: Method =
    Method { path: "/lnrpc.Lightning/ClosedChannels", max_bytes: 64 << 20, timeout: Duration::from_secs(30) };
/// Coins on the chain.
pub static WALLET_BALANCE: Method = Method::new("/lnrpc.Lightning/WalletBalance");
/// Sums over all channels.
pub static CHANNEL_BALANCE: Method = Method::new("/lnrpc.Lightning/ChannelBalance");
/// Unspent outputs.
pub static LIST_UNSPENT: Method = Method::new("/lnrpc.Lightning/ListUnspent");
/// Connected peers.
pub static LIST_PEERS: Method = Method::new("/lnrpc.Lightning/ListPeers");
/// Own fees and LND's sums of what they earned.
pub static FEE_REPORT: Method = Method::new("/lnrpc.Lightning/FeeReport");
/// Settled forwards, in pages.
pub static FORWARDING_HISTORY: Method =
    Method { path: "/lnrpc.Lightning/ForwardingHistory", max_bytes: 16 << 20, timeout: Duration::from_secs(60) };
/// Payments made, in pages.
pub static LIST_PAYMENTS: Method =
    Method { path: "/lnrpc.Lightning/ListPayments", max_bytes: 16 << 20, timeout: Duration::from_secs(60) };
/// Invoices issued, in pages.
pub static LIST_INVOICES: Method =
    Method { path: "/lnrpc.Lightning/ListInvoices", max_bytes: 16 << 20, timeout: Duration::from_secs(60) };
/// The wallet's transactions, in pages.
pub static GET_TRANSACTIONS: Method =
    Method { path: "/lnrpc.Lightning/GetTransactions", max_bytes: 64 << 20, timeout: Duration::from_secs(60) };
/// Transactions that swept funds.
pub static LIST_SWEEPS: Method = Method::new("/walletrpc.WalletKit/ListSweeps");
/// What gets a transaction confirmed within some blocks.
pub static ESTIMATE_FEE: Method = Method::new("/walletrpc.WalletKit/EstimateFee");
/// Sizes of the network.
pub static GET_NETWORK_INFO: Method =
    Method { path: "/lnrpc.Lightning/GetNetworkInfo", max_bytes: 1 << 20, timeout: Duration::from_secs(60) };
/// The node's own entry in the graph, with both policies of its channels.
pub static GET_NODE_INFO: Method =
    Method { path: "/lnrpc.Lightning/GetNodeInfo", max_bytes: 64 << 20, timeout: Duration::from_secs(30) };
/// The whole graph. LND itself sends no message over 200 MiB.
pub static DESCRIBE_GRAPH: Method =
    Method { path: "/lnrpc.Lightning/DescribeGraph", max_bytes: 200 << 20, timeout: Duration::from_secs(60) };

/// What is in a backup of channels, told by decoding it. The backup itself is the question.
pub static VERIFY_CHAN_BACKUP: Method =
    Method { path: "/lnrpc.Lightning/VerifyChanBackup", max_bytes: 16 << 20, timeout: Duration::from_secs(30) };
/// What the watchtower client did since LND started.
pub static TOWER_STATS: Method = Method::new("/wtclientrpc.WatchtowerClient/Stats");
/// The watchtowers that the client knows.
pub static LIST_TOWERS: Method = Method::new("/wtclientrpc.WatchtowerClient/ListTowers");

/// Every method that a report is made from; a macaroon of `uri:` permissions is held against it.
pub static METHODS: [&Method; 23] = [
    &GET_STATE,
    &GET_VERSION,
    &GET_INFO,
    &LIST_CHANNELS,
    &PENDING_CHANNELS,
    &CLOSED_CHANNELS,
    &WALLET_BALANCE,
    &CHANNEL_BALANCE,
    &LIST_UNSPENT,
    &LIST_PEERS,
    &FEE_REPORT,
    &FORWARDING_HISTORY,
    &LIST_PAYMENTS,
    &LIST_INVOICES,
    &GET_TRANSACTIONS,
    &LIST_SWEEPS,
    &ESTIMATE_FEE,
    &GET_NETWORK_INFO,
    &GET_NODE_INFO,
    &DESCRIBE_GRAPH,
    &VERIFY_CHAN_BACKUP,
    &TOWER_STATS,
    &LIST_TOWERS,
];

/// HTLCs as they are forwarded, fail and settle.
pub static SUBSCRIBE_HTLC_EVENTS: Method = Method::stream("/routerrpc.Router/SubscribeHtlcEvents", 1 << 20);
/// Channels as they open, close, come and go.
pub static SUBSCRIBE_CHANNEL_EVENTS: Method = Method::stream("/lnrpc.Lightning/SubscribeChannelEvents", 1 << 20);
/// Peers as they come and go.
pub static SUBSCRIBE_PEER_EVENTS: Method = Method::stream("/lnrpc.Lightning/SubscribePeerEvents", 1 << 20);
/// What the node learns of the network's graph.
pub static SUBSCRIBE_CHANNEL_GRAPH: Method = Method::stream("/lnrpc.Lightning/SubscribeChannelGraph", 16 << 20);

/// The methods that `daznode watch` follows. No report needs them.
pub static STREAMS: [&Method; 4] =
    [&SUBSCRIBE_HTLC_EVENTS, &SUBSCRIBE_CHANNEL_EVENTS, &SUBSCRIBE_PEER_EVENTS, &SUBSCRIBE_CHANNEL_GRAPH];

/// Something that answers LND's calls.
pub trait Answers: Sync {
    /// The answer to one call, as bytes of its protobuf message.
    fn ask(&self, method: &'static Method, request: Bytes) -> impl Future<Output = Result<Bytes, Error>> + Send;

    /// Where it is, for messages: `host:port` or a folder.
    fn address(&self) -> &str;
}
