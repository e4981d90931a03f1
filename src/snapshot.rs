//! What was seen of one node in one collection: plain data, nothing judged.
//!
//! A part that could not be read is `None`, with a [`Gap`] that says why; it is never a zero. The snapshot is stored
//! before it is judged, so a report can be made again from it. Events (forwards, payments, invoices, chain
//! transactions) are not in it: they come in pages, and the store keeps each once.

mod health;

use serde::{Deserialize, Serialize};

pub use health::{Availability, BreakerState, ErrorClass, SourceHealth, Tally};

use crate::units::{Msat, Network, Outpoint, Ppm, Pubkey, Sat, Scid, UnixMs};

/// The version of this shape, stored with it. Raised when the meaning of a field changes.
pub const SCHEMA: u32 = 1;

/// Everything seen of a node at one time, apart from its events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// [`SCHEMA`] of the daznode that took it.
    pub schema: u32,
    /// When it was taken; the `now` of every judgement of it.
    pub taken_at: UnixMs,
    /// What the node itself said.
    pub node: NodeView,
    /// What public sources said.
    pub public: PublicView,
    /// What was asked for and not got.
    pub gaps: Vec<Gap>,
    /// Each source that was asked, and how that went.
    pub sources: Vec<SourceSeen>,
    /// The machine, where the node or daznode's state lives on this one.
    #[serde(default)]
    pub host: Option<Host>,
}

/// The machine that a node or daznode's state lives on. What could not be told is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Each file system that matters, once.
    pub disks: Vec<Disk>,
    /// LND's databases together, in bytes.
    pub database_bytes: Option<u64>,
    /// Memory that programs can still get, in bytes.
    pub memory_available_bytes: Option<u64>,
    /// All memory, in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Milliseconds by which the machine's clock is ahead of another's (negative: behind), and whose.
    pub clock_ahead: Option<Fact<i64>>,
}

/// One file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// What lies on it: `lnd`, `daznode`, or both with a comma.
    pub holds: String,
    /// Bytes that are free to an ordinary user.
    pub free_bytes: u64,
    /// All bytes.
    pub total_bytes: u64,
}

/// What was asked for and not got: a report with gaps ends with exit code 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The part that is missing, such as `channels` or `mempool.fees`.
    pub part: String,
    /// Which source was asked.
    pub source: String,
    /// Why it did not answer, in one line.
    pub reason: String,
}

/// How asking one source went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSeen {
    /// `lnd`, `recording`, `simulated`, `mempool.space`, `amboss`, `remote`, `lnrouter`.
    pub name: String,
    /// Where it was asked: `host:port` or a folder, never with a secret.
    pub address: String,
    /// Whether it answered all that it was asked.
    pub status: SourceStatus,
    /// Time of the last good answer that is used.
    pub as_of: Option<UnixMs>,
    /// Milliseconds from the first question to the last answer.
    pub latency_ms: Option<i64>,
    /// Its version, where it tells one.
    pub version: Option<String>,
    /// A one-line reason where it is not `ok`.
    pub detail: Option<String>,
    /// How it has been doing.
    #[serde(default)]
    pub health: SourceHealth,
}

/// What came of asking a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// Everything asked was answered.
    Ok,
    /// Some parts are missing; each has a gap.
    Partial,
    /// Nothing was answered.
    Failed,
    /// It answered, but with old facts: a node that is not synced, a cached answer.
    Stale,
    /// The config has it off; nothing was sent.
    Off,
}

/// What the node itself said, part by part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeView {
    /// Who it is and how far it has got. Without this there is no snapshot.
    pub info: Info,
    /// Open channels.
    pub channels: Option<Vec<Channel>>,
    /// Channels that are opening or closing.
    pub pending: Option<Pending>,
    /// Channels that are gone.
    pub closed: Option<Vec<ClosedChannel>>,
    /// Coins on the chain.
    pub wallet: Option<Wallet>,
    /// LND's own sums over all channels, to hold ours against.
    pub channel_balance: Option<ChannelBalance>,
    /// Unspent outputs.
    pub utxos: Option<Vec<Utxo>>,
    /// Peers that are connected now.
    pub peers: Option<Vec<Peer>>,
    /// The fees that this node charges, from `FeeReport`.
    pub fees: Option<FeeReport>,
    /// The policies of both sides of own channels, from the node's own entry in its graph.
    pub policies: Option<Vec<ChannelPolicies>>,
    /// Transactions that swept funds of closed channels.
    pub sweeps: Option<Vec<String>>,
    /// Sizes of the network as the node sees it.
    pub network: Option<NetworkSize>,
    /// What the graph says of this node's peers and place; small, so that a report can be made again without it.
    pub market: Option<Market>,
    /// The certificate's last day, where the source has one.
    pub certificate_not_after: Option<UnixMs>,
    /// When the macaroon ceases to work, where it has such a caveat.
    pub macaroon_expires: Option<UnixMs>,
    /// Whether the macaroon can change or spend anything (allowed by a setting; every report says so).
    pub macaroon_can_write: bool,
    /// The operator's own `channel.backup`, as LND decoded it; `None` where none is configured or it could not be read.
    #[serde(default)]
    pub backup: Option<Backup>,
    /// The watchtower client; `None` where it is not active.
    #[serde(default)]
    pub towers: Option<Towers>,
    /// What gets a transaction confirmed within the hour, in sat per 1,000 vB.
    #[serde(default)]
    pub hour_fee: Option<i64>,
}

impl NodeView {
    /// A node of which nothing but this is known.
    pub const fn bare(info: Info) -> Self {
        Self {
            info,
            channels: None,
            pending: None,
            closed: None,
            wallet: None,
            channel_balance: None,
            utxos: None,
            peers: None,
            fees: None,
            hour_fee: None,
            policies: None,
            sweeps: None,
            network: None,
            market: None,
            certificate_not_after: None,
            macaroon_expires: None,
            macaroon_can_write: false,
            backup: None,
            towers: None,
        }
    }
}

/// The operator's backup file of channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// When the file was last written.
    pub modified_at: Option<UnixMs>,
    /// The channels that it can bring back.
    pub covered: Vec<Outpoint>,
}

/// What the watchtower client tells of itself, since LND started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Towers {
    /// States that a tower has acknowledged.
    pub backups: u32,
    /// States sent to a session that its tower has not acknowledged yet. As long as there is no session with any tower,
    /// LND counts none here, though all of them wait.
    pub pending_backups: u32,
    /// States that no tower could take; LND counts here those that are not worth a transaction.
    pub failed_backups: u32,
    /// Sessions negotiated.
    pub sessions_acquired: u32,
    /// Sessions used up.
    pub sessions_exhausted: u32,
    /// The towers.
    pub towers: Vec<Tower>,
}

/// One watchtower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tower {
    /// Its key.
    pub pubkey: Pubkey,
    /// Whether it is considered for new sessions.
    pub candidate: bool,
    /// Sessions with it.
    pub sessions: u32,
}

/// Who the node is and how far it has got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Its key.
    pub pubkey: Pubkey,
    /// What it calls itself. Hostile text like any alias.
    pub alias: String,
    /// Which chain it lives on.
    pub network: Network,
    /// LND's version, as `0.21.99-beta`.
    pub version: String,
    /// Height of its last block.
    pub block_height: u32,
    /// Time of its best header, where it tells.
    pub best_header_at: Option<UnixMs>,
    /// Whether its view of the chain is current. Where false, every balance is stale.
    pub synced_to_chain: bool,
    /// Whether its view of the network is current.
    pub synced_to_graph: bool,
    /// Connected peers.
    pub peers: u32,
}

/// An open channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its key.
    pub point: Outpoint,
    /// Its short id now.
    pub scid: Scid,
    /// Further short ids: aliases, and the confirmed one of a zero-conf channel.
    pub other_scids: Vec<Scid>,
    /// The other side.
    pub peer: Pubkey,
    /// The other side's alias, where the node knows it.
    pub peer_alias: Option<String>,
    /// Both sides together.
    pub capacity: Sat,
    /// Ours, without what is in flight and without the commitment fee.
    pub local: Sat,
    /// Theirs, likewise.
    pub remote: Sat,
    /// In HTLCs of either direction.
    pub unsettled: Sat,
    /// The commitment transaction's fee; the opener pays it.
    pub commit_fee: Sat,
    /// Whether we opened it.
    pub opened_by_us: bool,
    /// Whether the peer is there and the channel can be used.
    pub active: bool,
    /// Whether it is hidden from the graph.
    pub private: bool,
    /// Whether it has anchor outputs, which want a reserve on the chain.
    pub anchors: bool,
    /// What we must keep in it.
    pub local_reserve: Sat,
    /// What they must keep in it.
    pub remote_reserve: Sat,
    /// Sat sent over it since it was opened.
    pub total_sent: Sat,
    /// Sat received over it since it was opened.
    pub total_received: Sat,
    /// Updates of its state, a measure of use.
    pub updates: u64,
    /// Seconds LND watched it since LND started (not since it was opened).
    pub lifetime_s: i64,
    /// Of those, seconds it was usable.
    pub uptime_s: i64,
    /// HTLCs in flight.
    pub htlcs: Vec<Htlc>,
    /// LND's flags of its state; `ChanStatusDefault` where nothing is wrong.
    pub status_flags: String,
}

/// An HTLC in flight on one channel. One that is forwarded is seen on two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Htlc {
    /// Towards us.
    pub incoming: bool,
    /// Its amount.
    pub amount: Sat,
    /// The payment hash in hex.
    pub hash: String,
    /// The height at which it times out.
    pub expiry_height: u32,
    /// Its number on this channel and direction.
    pub index: u64,
    /// The other channel where it is being forwarded.
    pub forwarding_channel: Option<Scid>,
}

/// Channels on their way in or out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// All that waits in closing channels.
    pub limbo: Sat,
    /// Opening: funded, not confirmed.
    pub opening: Vec<PendingChannel>,
    /// Closing together or waiting for the closing transaction.
    pub waiting_close: Vec<PendingChannel>,
    /// Closed by force, waiting to be swept.
    pub force_closing: Vec<ForceClosing>,
}

/// A channel that is not open yet or not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChannel {
    /// Its key.
    pub point: Outpoint,
    /// The other side.
    pub peer: Pubkey,
    /// Both sides together.
    pub capacity: Sat,
    /// Ours.
    pub local: Sat,
    /// Theirs.
    pub remote: Sat,
    /// Whether we opened it, where LND knows.
    pub opened_by_us: Option<bool>,
    /// What waits to come back to us.
    pub limbo: Sat,
    /// The closing transaction, where there is one.
    pub closing_txid: Option<String>,
    /// The transactions that would close it by force, while LND tells them.
    #[serde(default)]
    pub commitments: Option<Commitments>,
}

/// Ids of the transactions that close a channel by force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitments {
    /// Ours.
    pub ours: String,
    /// The other side's.
    pub theirs: String,
    /// The other side's next one, while it is being agreed.
    pub theirs_next: Option<String>,
}

/// A channel closed by force whose funds are not back yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForceClosing {
    /// The channel.
    pub channel: PendingChannel,
    /// Height from which our output can be swept; `None` where it is not known.
    pub maturity_height: Option<u32>,
    /// Blocks to that height; zero or negative when it is past.
    pub blocks_til_maturity: Option<i64>,
    /// Already recovered.
    pub recovered: Sat,
    /// HTLCs that still wait for a second transaction.
    pub pending_htlcs: u32,
}

/// A channel that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedChannel {
    /// Its key.
    pub point: Outpoint,
    /// Its last short id; zero where it never had one.
    pub scid: Scid,
    /// Further short ids.
    pub other_scids: Vec<Scid>,
    /// The other side.
    pub peer: Pubkey,
    /// Both sides together.
    pub capacity: Sat,
    /// How it ended.
    pub kind: CloseKind,
    /// The transaction that closed it.
    pub closing_txid: String,
    /// The block of that transaction.
    pub close_height: u32,
    /// What came back to us at once.
    pub settled: Sat,
    /// What came back after a delay.
    pub time_locked: Sat,
    /// Whether we opened it, where LND knows.
    pub opened_by_us: Option<bool>,
    /// What became of each output.
    pub resolutions: Vec<Resolution>,
}

/// How a channel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseKind {
    /// Both sides agreed.
    Cooperative,
    /// We broadcast our commitment.
    LocalForce,
    /// They broadcast theirs.
    RemoteForce,
    /// Somebody broadcast a revoked commitment.
    Breach,
    /// Never confirmed.
    FundingCanceled,
    /// Given up by the operator.
    Abandoned,
    /// A value that this daznode does not know.
    Unknown,
}

/// What became of one output of a closed channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// `commit`, `anchor`, `incoming_htlc`, `outgoing_htlc` or `unknown`.
    pub kind: String,
    /// `claimed`, `unclaimed`, `abandoned`, `first_stage`, `timeout` or `unknown`.
    pub outcome: String,
    /// The output.
    pub outpoint: String,
    /// Its amount.
    pub amount: Sat,
    /// The transaction that spent it, where there is one.
    pub sweep_txid: Option<String>,
}

/// Coins on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Confirmed.
    pub confirmed: Sat,
    /// Not confirmed yet.
    pub unconfirmed: Sat,
    /// Locked by the wallet for a transaction in the making.
    pub locked: Sat,
    /// What LND wants kept to bump the fees of anchor channels.
    pub anchor_reserve: Sat,
}

/// LND's sums over all channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelBalance {
    /// Ours in open channels.
    pub local: Msat,
    /// Theirs.
    pub remote: Msat,
    /// Incoming HTLCs in flight.
    pub unsettled_local: Msat,
    /// Outgoing HTLCs in flight.
    pub unsettled_remote: Msat,
    /// Ours in channels that are opening.
    pub pending_open_local: Msat,
}

/// An unspent output of the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Utxo {
    /// Where it is.
    pub outpoint: String,
    /// How much.
    pub amount: Sat,
    /// Blocks on top, with its own.
    pub confirmations: i64,
}

/// A peer that is connected now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its key.
    pub pubkey: Pubkey,
    /// Its address; not shown in anything that is shared.
    pub address: String,
    /// Whether it called us.
    pub inbound: bool,
    /// Round trip in microseconds.
    pub ping_us: i64,
    /// Breaks of the connection; LND lets it decay.
    pub flaps: i32,
    /// The last of them.
    pub last_flap_at: Option<UnixMs>,
}

/// The fees this node charges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeReport {
    /// Each channel's policy.
    pub channels: Vec<ChannelFee>,
    /// LND's sum of fees of the last 24 hours.
    pub day: Sat,
    /// Of the last 7 days.
    pub week: Sat,
    /// Of the last 30 days.
    pub month: Sat,
}

/// What this node charges on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFee {
    /// The channel.
    pub point: Outpoint,
    /// For each forward.
    pub base: Msat,
    /// Of its amount.
    pub rate: Ppm,
    /// For what comes in by this channel (negative: a discount).
    pub inbound_base: Msat,
    /// Of what comes in by this channel.
    pub inbound_rate: Ppm,
}

/// The policies of both sides of one own channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPolicies {
    /// The channel.
    pub point: Outpoint,
    /// Ours; `None` where the graph has none.
    pub ours: Option<Policy>,
    /// The peer's, charged for what comes from it.
    pub theirs: Option<Policy>,
}

/// What one side of a channel asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// For each forward.
    pub base: Msat,
    /// Of its amount.
    pub rate: Ppm,
    /// For what comes in by this channel.
    pub inbound_base: Msat,
    /// Of what comes in by this channel.
    pub inbound_rate: Ppm,
    /// Blocks that it wants to itself.
    pub time_lock_delta: u32,
    /// The smallest HTLC.
    pub min_htlc: Msat,
    /// The largest HTLC.
    pub max_htlc: Msat,
    /// Whether this side forwards nothing over it now.
    pub disabled: bool,
    /// When it was announced.
    pub updated_at: UnixMs,
}

/// Sizes of the network as the node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSize {
    /// Nodes.
    pub nodes: u32,
    /// Channels.
    pub channels: u32,
    /// Sum of all channels.
    pub capacity: Sat,
    /// Channels known to be closed that are still in the graph.
    pub zombies: u64,
    /// The middle channel.
    pub median_channel: Sat,
}

/// What the graph says of this node's place and of its peers' prices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    /// Nodes with at least one channel in the graph.
    pub nodes: u32,
    /// Public channels in the graph.
    pub channels: u32,
    /// Sum of their capacities.
    pub capacity: Sat,
    /// This node's public capacity.
    pub own_capacity: Sat,
    /// Its public channels.
    pub own_channels: u32,
    /// One more than the number of nodes with more capacity; `None` where the node has no public channel.
    pub capacity_rank: Option<u32>,
    /// One more than the number of nodes with more channels.
    pub channels_rank: Option<u32>,
    /// The middle fee rate of all enabled directions of the graph.
    pub median_rate: Option<Ppm>,
    /// Each own peer that is in the graph.
    pub peers: Vec<PeerMarket>,
    /// Nodes without a channel with this one that could be worth one, the best first.
    #[serde(default)]
    pub candidates: Vec<PeerCandidate>,
    /// Whose graph it was, and of when; `None` in snapshots of versions that did not note it, and of simulated nodes.
    #[serde(default)]
    pub graph: Option<GraphSeen>,
}

/// Where the graph that was used comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphSeen {
    /// Who told it.
    pub source: String,
    /// When it was told.
    pub as_of: UnixMs,
    /// How it came to be used.
    pub state: GraphState,
}

/// How a graph came to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphState {
    /// The node was asked for it.
    Asked,
    /// It was kept from before and young enough, so that nobody was asked.
    Kept,
    /// It was kept from before and stands in for one that was asked for and not got: it may be old.
    StandIn,
}

/// A node that could be worth a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerCandidate {
    /// The node, with what others charge to send to it.
    pub market: PeerMarket,
    /// What it charges for what comes from it, weighted by capacity: the middle.
    pub outgoing_rate_median: Option<Ppm>,
    /// Nodes that a channel with it would bring within two hops and that are not now.
    pub new_within_two_hops: u32,
    /// Own peers that have a channel with it.
    pub shared_peers: u32,
    /// Share of its enabled directions that announced something in the last 14 days, in percent.
    pub fresh_percent: u32,
    /// Its middle channel.
    pub median_channel: Sat,
}

/// What others charge to send to one peer, and how big it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerMarket {
    /// The peer.
    pub pubkey: Pubkey,
    /// Its alias in the graph.
    pub alias: String,
    /// Its public channels.
    pub channels: u32,
    /// Sum of their capacities.
    pub capacity: Sat,
    /// Other nodes' enabled directions towards it that the figures below come from.
    pub incoming: u32,
    /// Fee rates of those directions, weighted by capacity: 10th, 25th, 50th, 75th and 90th percentile.
    pub incoming_rate_percentiles: Option<[Ppm; 5]>,
    /// The same rates at 0, 10, 20 and so on to 100 percent of the capacity.
    #[serde(default)]
    pub incoming_rate_deciles: Option<[Ppm; 11]>,
    /// Whether it can be reached without Tor; `None` where it announced no address.
    #[serde(default)]
    pub clearnet: Option<bool>,
}

/// A fact from a public source, with where and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<T> {
    /// The fact.
    pub value: T,
    /// Who said it.
    pub source: String,
    /// When it was said; older than the snapshot for a cached answer.
    pub as_of: UnixMs,
}

/// What public sources said. `None` where a source is off or failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PublicView {
    /// Fees that get a transaction confirmed, in sat per 1,000 vB so that fractions stay whole numbers.
    pub chain_fees: Option<Fact<ChainFees>>,
    /// Height of the best block.
    pub block_height: Option<Fact<u32>>,
    /// Price of one bitcoin by currency, in hundredths.
    pub price: Option<Fact<std::collections::BTreeMap<String, i64>>>,
    /// The node as mempool.space sees it.
    pub seen_by_mempool: Option<Fact<SeenNode>>,
    /// The network's size as mempool.space sees it.
    pub network_by_mempool: Option<Fact<NetworkSize>>,
    /// The node as Amboss sees it.
    pub seen_by_amboss: Option<Fact<SeenNode>>,
    /// What peers charge towards this node, by Amboss.
    pub amboss_fees: Option<Fact<AmbossFees>>,
    /// The node as another daznode sees it.
    #[serde(default)]
    pub seen_by_remote: Option<Fact<SeenNode>>,
    /// The network's size as another daznode sees it.
    #[serde(default)]
    pub network_by_remote: Option<Fact<SeenNetwork>>,
    /// The node as LNRouter sees it: of no promised shape, so not verified.
    #[serde(default)]
    pub seen_by_lnrouter: Option<Fact<SeenNode>>,
    /// The network's size as LNRouter sees it, not verified.
    #[serde(default)]
    pub network_by_lnrouter: Option<Fact<SeenNetwork>>,
}

impl PublicView {
    /// What is told here, and by `other` what is not.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            chain_fees: self.chain_fees.or(other.chain_fees),
            block_height: self.block_height.or(other.block_height),
            price: self.price.or(other.price),
            seen_by_mempool: self.seen_by_mempool.or(other.seen_by_mempool),
            network_by_mempool: self.network_by_mempool.or(other.network_by_mempool),
            seen_by_amboss: self.seen_by_amboss.or(other.seen_by_amboss),
            amboss_fees: self.amboss_fees.or(other.amboss_fees),
            seen_by_remote: self.seen_by_remote.or(other.seen_by_remote),
            network_by_remote: self.network_by_remote.or(other.network_by_remote),
            seen_by_lnrouter: self.seen_by_lnrouter.or(other.seen_by_lnrouter),
            network_by_lnrouter: self.network_by_lnrouter.or(other.network_by_lnrouter),
        }
    }
}

/// Fees for the chain, in sat per 1,000 vB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainFees {
    /// Next block.
    pub fastest: i64,
    /// Within half an hour.
    pub half_hour: i64,
    /// Within an hour.
    pub hour: i64,
    /// When there is time.
    pub economy: i64,
    /// The least that is relayed.
    pub minimum: i64,
}

/// The size of the network as somebody else sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenNetwork {
    /// Nodes.
    pub nodes: Option<u32>,
    /// Public channels.
    pub channels: Option<u32>,
    /// Sum of their capacities.
    pub capacity: Option<Sat>,
}

/// A node as somebody else sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenNode {
    /// Alias, hostile as always.
    pub alias: Option<String>,
    /// Public capacity.
    pub capacity: Option<Sat>,
    /// Public channels.
    pub channels: Option<u32>,
    /// Rank by capacity, 1 is the largest.
    pub capacity_rank: Option<u32>,
    /// Rank by channels.
    pub channels_rank: Option<u32>,
    /// When it last heard of the node.
    pub updated_at: Option<UnixMs>,
}

impl SeenNode {
    /// What a source says that does not know the node: nothing at all.
    pub const fn unknown() -> Self {
        Self { alias: None, capacity: None, channels: None, capacity_rank: None, channels_rank: None, updated_at: None }
    }

    /// Whether the source knows the node.
    pub fn is_known(&self) -> bool {
        *self != Self::unknown()
    }
}

/// Fee rates around a node in ppm, by Amboss: its own and its peers' towards it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmbossFees {
    /// Median of the node's own rates.
    pub local_median: Option<Ppm>,
    /// Median of what peers charge towards it.
    pub remote_median: Option<Ppm>,
    /// The same, weighted by capacity.
    pub remote_weighted: Option<Ppm>,
}

/// Events of one kind, as they come from a source, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Events {
    /// Settled forwards.
    Forwards(Vec<Forward>),
    /// Payments made.
    Payments(Vec<Payment>),
    /// Invoices issued.
    Invoices(Vec<Invoice>),
    /// Transactions of the wallet.
    Transactions(Vec<ChainTx>),
}

/// A forward that settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// When, in nanoseconds; LND gives each forward one of its own.
    pub at_ns: i64,
    /// The channel it came by.
    pub scid_in: Scid,
    /// The channel it left by.
    pub scid_out: Scid,
    /// What came.
    pub amount_in: Msat,
    /// What left.
    pub amount_out: Msat,
    /// Number of the HTLC on the incoming channel; -1 from an LND that does not tell.
    pub htlc_in: i64,
}

impl Forward {
    /// What the node earned.
    pub fn fee(&self) -> Msat {
        self.amount_in - self.amount_out
    }
}

/// A payment that this node made or tries to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// LND's index, stable from the first try to the last.
    pub index: u64,
    /// Payment hash in hex.
    pub hash: String,
    /// When it was begun.
    pub created_ns: i64,
    /// How it stands.
    pub status: PaymentStatus,
    /// What was to arrive.
    pub value: Msat,
    /// What the routes cost, once it succeeded.
    pub fee: Msat,
    /// Why it failed, as LND names it.
    pub failure: Option<String>,
    /// Whether it went out without an invoice.
    pub keysend: bool,
    /// Every try with its route.
    pub parts: Vec<PaymentPart>,
}

/// How a payment or a part of one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// May still settle: read again at the next run.
    InFlight,
    /// Arrived.
    Succeeded,
    /// Given up.
    Failed,
}

/// One try of a payment: a part of it along one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentPart {
    /// LND's number of the try, unique on the node.
    pub attempt: u64,
    /// How it stands.
    pub status: PaymentStatus,
    /// What arrives, without the fee.
    pub amount: Msat,
    /// What its route costs.
    pub fee: Msat,
    /// When it ended.
    pub resolved_ns: Option<i64>,
    /// The own channel it leaves by.
    pub first_scid: Scid,
    /// The channel that it reaches its end by: of a circular payment, the own channel that it refills.
    pub last_scid: Scid,
    /// Where its route ends; `None` for a route without hops.
    pub destination: Option<Pubkey>,
}

/// An invoice that this node issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// LND's number of it.
    pub index: u64,
    /// Payment hash in hex.
    pub hash: String,
    /// When it was issued.
    pub created_at: UnixMs,
    /// When it was paid.
    pub settled_at: Option<UnixMs>,
    /// How it stands.
    pub state: InvoiceState,
    /// What it asks for; zero for any amount.
    pub value: Msat,
    /// What was paid.
    pub paid: Msat,
    /// Whether it came without an invoice.
    pub keysend: bool,
}

/// How an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceState {
    /// Not paid yet: read again.
    Open,
    /// Paid, held by the receiver: read again.
    Accepted,
    /// Paid.
    Settled,
    /// Expired or taken back.
    Canceled,
}

/// A transaction of the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainTx {
    /// Its id.
    pub txid: String,
    /// When it was seen or mined.
    pub at: UnixMs,
    /// Its block; `None` while it waits.
    pub height: Option<u32>,
    /// What it did to the wallet.
    pub amount: Sat,
    /// What it cost, where the wallet paid for it.
    pub fee: Sat,
    /// LND's label, such as `0:openchannel:shortchanid-…`.
    pub label: String,
    /// Outpoints that it spends, where LND tells.
    pub spends: Vec<String>,
    /// Amounts of its outputs that belong to the wallet.
    pub own_outputs: Sat,
    /// Amounts of all its outputs, whoever they belong to: of a closing transaction, the capacity less its fee.
    #[serde(default)]
    pub outputs: Option<Sat>,
}

/// What a watcher saw in a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedEvents {
    /// Forwards that failed.
    pub failures: Vec<FailedForward>,
    /// Connections of peers that began or ended.
    pub sessions: Vec<PeerSession>,
    /// What was watched.
    pub coverage: Vec<WatchSpan>,
}

/// A forward that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedForward {
    /// When.
    pub at_ns: i64,
    /// The channel it came by.
    pub scid_in: Scid,
    /// Number of the HTLC on that channel.
    pub htlc_in: u64,
    /// The channel it was to leave by.
    pub scid_out: Scid,
    /// What came.
    pub amount_in: Msat,
    /// What was to leave.
    pub amount_out: Msat,
    /// Why.
    pub reason: FailureReason,
}

/// Why a forward failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// We had too little outbound in the channel: demand that was missed.
    Balance,
    /// We refused it for another reason (policy, limits, fee too low).
    Policy,
    /// The peer was not there, or the channel could not be used.
    Offline,
    /// It failed further down the route: no demand that we could have met.
    Downstream,
    /// A reason that this daznode does not know.
    Unknown,
}

/// A peer's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerSession {
    /// The peer.
    pub peer: Pubkey,
    /// When it began.
    pub from: UnixMs,
    /// When it ended; `None` while it lasts.
    pub to: Option<UnixMs>,
}

/// A span in which a stream was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSpan {
    /// `htlcs` or `peers`.
    pub stream: String,
    /// From.
    pub from: UnixMs,
    /// To.
    pub to: UnixMs,
}

/// A short look at a node between two collections: what changes within minutes.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When it was taken.
    pub taken_at: UnixMs,
    /// What the node said: who it is, channels, pending ones, wallet and peers; the other parts were not asked for.
    pub node: NodeView,
    /// What it did not answer.
    pub gaps: Vec<Gap>,
}
