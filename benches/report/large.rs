//! A large routing node on mainnet: thousands of channels with peers of the real graph, a million forwards.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use prost::Message;
use tonic_lnd::lnrpc::{self, ChannelEdge, ChannelGraph, RoutingPolicy};
use tonic_lnd::{verrpc, walletrpc};

use daznode::units::UnixMs;

use crate::fake_lnd::{Asked, Reply};
use crate::payments::{History, Parties};
use crate::place::now;

/// Its key.
pub const OWN: &str = "03abababababababababababababababababababababababababababababababab";
/// The height it is at.
const HEIGHT: u32 = 920_000;

/// All it answers, made before it is asked.
pub struct Large {
    now: UnixMs,
    history: History,
    graph: Bytes,
    node: Bytes,
    channels: Bytes,
    closed: Bytes,
    peers: Bytes,
    fees: Vec<lnrpc::ChannelFeeReport>,
    transactions: Vec<lnrpc::Transaction>,
    invoices: Vec<lnrpc::Invoice>,
    /// Sums of both sides of all channels, in sat.
    balances: [i64; 2],
    count: usize,
}

/// One of its channels.
struct Own {
    n: u64,
    scid: u64,
    point: String,
    peer: String,
}

impl Large {
    pub fn make(channels: usize, forwards: usize, payments: usize, graph: &Path) -> Self {
        let now = now();
        let network = std::fs::read(graph).unwrap();
        let decoded = ChannelGraph::decode(&*network).unwrap();
        // Two or three channels with each of so many peers.
        let peers: Vec<&str> = decoded.nodes.iter().map(|node| node.pub_key.as_str()).collect();
        let peers = &peers[..peers.len().min(channels * 2 / 5)];
        let own: Vec<Own> = (0..channels)
            .map(|n| Own {
                n: u64::try_from(n).unwrap(),
                scid: u64::try_from(800_000 + n * 100_000 / channels).unwrap() << 40
                    | u64::try_from(n % 1000 + 1).unwrap() << 16,
                point: format!("{:064x}:0", n + 1),
                peer: peers[n % peers.len()].to_owned(),
            })
            .collect();
        let edges: Vec<ChannelEdge> = own.iter().map(Own::edge).collect();
        let mut with_own = BytesMut::from(&network[..]);
        let node = lnrpc::LightningNode { pub_key: OWN.to_owned(), alias: "large".to_owned(), ..Default::default() };
        ChannelGraph { nodes: vec![node.clone()], edges: edges.clone() }.encode(&mut with_own).unwrap();
        let scids: Vec<u64> = own.iter().map(|own| own.scid).collect();
        let with: Vec<String> = own.iter().map(|own| own.peer.clone()).collect();
        let parties = Parties { own: OWN, scids: &scids, peers: &with };
        let history = History::make(now, forwards, payments, &parties);
        let info = lnrpc::NodeInfo {
            node: Some(node),
            num_channels: u32::try_from(channels).unwrap(),
            total_capacity: edges.iter().map(|edge| edge.capacity).sum(),
            channels: edges,
        };
        let all: Vec<lnrpc::Channel> = own.iter().map(Own::channel).collect();
        let sum = |of: fn(&lnrpc::Channel) -> i64| all.iter().map(of).sum();
        let balances = [sum(|channel| channel.local_balance), sum(|channel| channel.remote_balance)];
        Self {
            now,
            balances,
            graph: with_own.freeze(),
            node: info.encode_to_vec().into(),
            channels: lnrpc::ListChannelsResponse { channels: all }.encode_to_vec().into(),
            closed: closed(peers).encode_to_vec().into(),
            peers: lnrpc::ListPeersResponse { peers: peers.iter().map(|key| peer(key)).collect() }
                .encode_to_vec()
                .into(),
            fees: own.iter().map(Own::fee_report).collect(),
            transactions: own.iter().rev().map(|own| own.transaction(now)).collect(),
            invoices: invoices(&history),
            history,
            count: channels,
        }
    }

    /// What it says; with its last day, or before that.
    pub fn answer(&self, asked: &Asked<'_>, all: bool) -> Option<Reply> {
        let message = match asked.path.rsplit('/').next()? {
            "GetState" => lnrpc::GetStateResponse { state: 4 }.encode_to_vec().into(),
            "GetVersion" => {
                verrpc::Version { version: "0.20.0-beta".to_owned(), ..Default::default() }.encode_to_vec().into()
            }
            "GetInfo" => self.info().encode_to_vec().into(),
            "ListChannels" => self.channels.clone(),
            "ClosedChannels" => self.closed.clone(),
            "ListPeers" => self.peers.clone(),
            "GetNodeInfo" => self.node.clone(),
            "DescribeGraph" => self.graph.clone(),
            "ForwardingHistory" => self.history.forwards(&asked.request, all),
            "ListPayments" => self.history.payments(&asked.request, all),
            "ListInvoices" => self.invoices(&asked.request),
            "GetTransactions" => self.transactions(&asked.request),
            "FeeReport" => self.fee_report(all).encode_to_vec().into(),
            "PendingChannels" => lnrpc::PendingChannelsResponse::default().encode_to_vec().into(),
            "WalletBalance" => wallet().encode_to_vec().into(),
            "ChannelBalance" => self.channel_balance().encode_to_vec().into(),
            "ListUnspent" => lnrpc::ListUnspentResponse::default().encode_to_vec().into(),
            "ListSweeps" => walletrpc::ListSweepsResponse::default().encode_to_vec().into(),
            "GetNetworkInfo" => lnrpc::NetworkInfo {
                num_nodes: 17_325,
                num_channels: 52_808,
                total_network_capacity: 536_170_000_000,
                ..Default::default()
            }
            .encode_to_vec()
            .into(),
            _ => return None,
        };
        Some(Reply::Message(message))
    }

    #[expect(deprecated, reason = "LND fills it in")]
    fn info(&self) -> lnrpc::GetInfoResponse {
        lnrpc::GetInfoResponse {
            version: "0.20.0-beta commit=v0.20.0-beta".to_owned(),
            identity_pubkey: OWN.to_owned(),
            alias: "large".to_owned(),
            num_active_channels: u32::try_from(self.count).unwrap(),
            num_peers: 800,
            block_height: HEIGHT,
            block_hash: "0".repeat(64),
            best_header_timestamp: self.now.secs() - 60,
            synced_to_chain: true,
            synced_to_graph: true,
            chains: vec![lnrpc::Chain { chain: "bitcoin".to_owned(), network: "mainnet".to_owned() }],
            ..Default::default()
        }
    }

    fn fee_report(&self, all: bool) -> lnrpc::FeeReportResponse {
        let [day_fee_sum, week_fee_sum, month_fee_sum] = self.history.fee_sums(all);
        lnrpc::FeeReportResponse { channel_fees: self.fees.clone(), day_fee_sum, week_fee_sum, month_fee_sum }
    }

    #[expect(deprecated, reason = "LND fills them in")]
    fn channel_balance(&self) -> lnrpc::ChannelBalanceResponse {
        let [balance, remote] = self.balances;
        let amount = |sat: i64| Some(lnrpc::Amount { sat: sat.cast_unsigned(), msat: sat.cast_unsigned() * 1000 });
        lnrpc::ChannelBalanceResponse {
            balance,
            local_balance: amount(balance),
            remote_balance: amount(remote),
            ..Default::default()
        }
    }

    fn invoices(&self, request: &[u8]) -> Bytes {
        let request = lnrpc::ListInvoiceRequest::decode(request).unwrap();
        let later = self.invoices.iter().filter(|invoice| invoice.add_index > request.index_offset);
        let invoices = later.take(request.num_max_invoices.try_into().unwrap()).cloned().collect();
        lnrpc::ListInvoiceResponse { invoices, ..Default::default() }.encode_to_vec().into()
    }

    fn transactions(&self, request: &[u8]) -> Bytes {
        let request = lnrpc::GetTransactionsRequest::decode(request).unwrap();
        let later = self.transactions.iter().filter(|tx| tx.block_height >= request.start_height);
        let page =
            later.skip(request.index_offset.try_into().unwrap()).take(request.max_transactions.try_into().unwrap());
        lnrpc::TransactionDetails { transactions: page.cloned().collect(), ..Default::default() }.encode_to_vec().into()
    }
}

impl Own {
    fn rate(&self) -> i64 {
        (50 + self.n % 900).cast_signed()
    }

    fn policy(&self) -> RoutingPolicy {
        RoutingPolicy {
            time_lock_delta: 80,
            min_htlc: 1000,
            fee_base_msat: 1000,
            fee_rate_milli_msat: self.rate(),
            max_htlc_msat: 4_950_000_000,
            last_update: 1_770_000_000,
            ..Default::default()
        }
    }

    fn edge(&self) -> ChannelEdge {
        let (node1_pub, node2_pub) = if self.peer.as_str() < OWN {
            (self.peer.clone(), OWN.to_owned())
        } else {
            (OWN.to_owned(), self.peer.clone())
        };
        ChannelEdge {
            channel_id: self.scid,
            chan_point: self.point.clone(),
            node1_pub,
            node2_pub,
            capacity: 5_000_000,
            node1_policy: Some(self.policy()),
            node2_policy: Some(self.policy()),
            ..Default::default()
        }
    }

    #[expect(deprecated, reason = "LND fills them in")]
    fn channel(&self) -> lnrpc::Channel {
        let local = (self.n * 7919 % 4_900_000).cast_signed();
        let constraints = || {
            Some(lnrpc::ChannelConstraints {
                csv_delay: 144,
                chan_reserve_sat: 50_000,
                dust_limit_sat: 354,
                max_pending_amt_msat: 4_950_000_000,
                min_htlc_msat: 1,
                max_accepted_htlcs: 483,
            })
        };
        lnrpc::Channel {
            active: true,
            remote_pubkey: self.peer.clone(),
            channel_point: self.point.clone(),
            chan_id: self.scid,
            capacity: 5_000_000,
            local_balance: local,
            remote_balance: 4_996_530 - local,
            commit_fee: 2_810,
            commit_weight: 1116,
            fee_per_kw: 2500,
            total_satoshis_sent: 90_000_000,
            total_satoshis_received: 90_000_000,
            num_updates: 40_000,
            csv_delay: 144,
            initiator: true,
            chan_status_flags: "ChanStatusDefault".to_owned(),
            local_chan_reserve_sat: 50_000,
            remote_chan_reserve_sat: 50_000,
            static_remote_key: true,
            commitment_type: 3,
            lifetime: 5_000_000,
            uptime: 4_990_000,
            local_constraints: constraints(),
            remote_constraints: constraints(),
            peer_alias: format!("peer {}", self.n),
            ..Default::default()
        }
    }

    fn fee_report(&self) -> lnrpc::ChannelFeeReport {
        lnrpc::ChannelFeeReport {
            chan_id: self.scid,
            channel_point: self.point.clone(),
            base_fee_msat: 1000,
            fee_per_mil: self.rate(),
            ..Default::default()
        }
    }

    /// What funded it.
    fn transaction(&self, now: UnixMs) -> lnrpc::Transaction {
        let height = u32::try_from(self.scid >> 40).unwrap();
        let output = |amount, is_our_address| lnrpc::OutputDetail { amount, is_our_address, ..Default::default() };
        lnrpc::Transaction {
            tx_hash: self.point.split(':').next().unwrap().to_owned(),
            amount: -5_000_300,
            num_confirmations: (HEIGHT - height).cast_signed(),
            block_hash: "0".repeat(64),
            block_height: height.cast_signed(),
            time_stamp: now.secs() - i64::from(HEIGHT - height) * 600,
            total_fees: 300,
            output_details: vec![output(5_000_000, false), output(1_000_000, true)],
            label: format!("0:openchannel:shortchanid-{}", self.scid),
            ..Default::default()
        }
    }
}

fn closed(peers: &[&str]) -> lnrpc::ClosedChannelsResponse {
    let summary = |n: u32| lnrpc::ChannelCloseSummary {
        channel_point: format!("{:064x}:1", u64::from(n) + (1 << 40)),
        chan_id: u64::from(700_000 + n) << 40,
        chain_hash: "0".repeat(64),
        closing_tx_hash: format!("{:064x}", u64::from(n) + (1 << 50)),
        remote_pubkey: peers[usize::try_from(n).unwrap() % peers.len()].to_owned(),
        capacity: 2_000_000,
        close_height: 800_000 + n,
        settled_balance: 1_000_000,
        open_initiator: 1,
        close_initiator: 2,
        ..Default::default()
    };
    lnrpc::ClosedChannelsResponse { channels: (0..500).map(summary).collect() }
}

fn peer(key: &str) -> lnrpc::Peer {
    lnrpc::Peer {
        pub_key: key.to_owned(),
        address: "203.0.113.7:9735".to_owned(),
        bytes_sent: 9_000_000,
        bytes_recv: 9_000_000,
        ping_time: 80_000,
        flap_count: 3,
        ..Default::default()
    }
}

/// Those that the circular payments paid.
fn invoices(history: &History) -> Vec<lnrpc::Invoice> {
    let invoice = |(n, (hash, at, amount)): (usize, &(Vec<u8>, i64, i64))| lnrpc::Invoice {
        memo: "rebalance".to_owned(),
        r_hash: hash.clone(),
        value: amount / 1000,
        value_msat: *amount,
        creation_date: *at,
        settle_date: at + 2,
        payment_request: format!("lnbc{}", "q9zry8gf2tvdw0s3jn54khce6mua7l".repeat(9)),
        add_index: u64::try_from(n).unwrap() + 1,
        amt_paid_msat: *amount,
        state: 1,
        ..Default::default()
    };
    history.circular.iter().enumerate().map(invoice).collect()
}

fn wallet() -> lnrpc::WalletBalanceResponse {
    lnrpc::WalletBalanceResponse {
        total_balance: 50_000_000,
        confirmed_balance: 50_000_000,
        reserved_balance_anchor_chan: 100_000,
        ..Default::default()
    }
}
