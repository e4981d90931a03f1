//! The one public shape: the JSON file, the API's body and the stored row are this document.
//!
//! `docs/schema.md` promises it and `docs/report.schema.json` says it to machines; a test holds both against it. What
//! could not be measured is null and listed under `gaps` (asked for and not got) or `not_measured` (off, too young).
//! Amounts end in their unit, `_msat` or `_sat(s)`; moments are RFC 3339 in UTC; 64-bit ids are strings.

mod facts;
mod money;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use facts::{Availability, FactElsewhere, SourcedFact};
pub use money::{
    AccountPeriod, Accounts, ChannelMoney, Concentration, Fiat, FiatPeriod, FlowClass, MissedChannel, MissedDemand,
    MissedFlow, Money, MoneyPeriod, PeerMoney, PeerShare,
};

pub use crate::snapshot::{BreakerState, ErrorClass, FailureReason, Gap, GraphState, SourceStatus};
use crate::units::{Day, Msat, Outpoint, Ppm, Pubkey, Sat, Scid, UnixMs};

pub mod period;

/// The version of this shape.
pub const REPORT_VERSION: &str = "1.0";

/// The version of the score's formula. Scores of different versions are never compared.
pub const SCORE_VERSION: u32 = 2;

/// One node, one period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// UUIDv7 of this very document.
    pub report_id: Uuid,
    /// Whose report it is.
    pub user_id: String,
    /// The tenant that the user belongs to.
    pub tenant_id: String,
    /// The node.
    pub node_pubkey: Pubkey,
    /// What the node calls itself; hostile text.
    pub node_alias: String,
    /// The day of `window_end`, UTC.
    pub report_date: Day,
    /// When this document was made.
    pub generation_timestamp: Time,
    /// [`REPORT_VERSION`].
    pub report_version: String,
    /// 1 for the first document of a day, higher for each that replaces it.
    pub revision: u32,
    /// Start of the day that is reported, included.
    pub window_start: Time,
    /// End of the day that is reported, not included.
    pub window_end: Time,
    /// Made later for a day that was missed, from the node's history.
    pub backfilled: bool,
    /// The few figures to see first.
    pub summary: Summary,
    /// Figures by subject.
    pub metrics: Metrics,
    /// What was earned and paid.
    pub money: Money,
    /// [`SCORE_VERSION`].
    pub score_version: u32,
    /// What the score is the sum of.
    pub score_parts: Vec<ScorePart>,
    /// What can cost money soon, and what it does to the score.
    pub safety: Safety,
    /// What is wrong, the worst first.
    pub alerts: Vec<Alert>,
    /// Rules of alerts that could be judged; an alert of another rule stays as the report before left it.
    #[serde(default)]
    pub judged_rules: Vec<String>,
    /// What to do, the most valuable first.
    pub recommendations: Vec<Recommendation>,
    /// What became of advice that was given before.
    #[serde(default)]
    pub advice_updates: Vec<AdviceUpdate>,
    /// What came of the advice of the last 30 days; null where none was ever given.
    #[serde(default)]
    pub advice_kept: Option<AdviceKept>,
    /// The last 7, 30 and 90 days, and what is to be expected.
    pub trends: Trends,
    /// What is new since the report before.
    pub changes: Changes,
    /// Where the facts come from.
    pub sources: Vec<Source>,
    /// Facts that several sources can tell: which one is believed, and how far the others are from it.
    #[serde(default)]
    pub facts: Vec<SourcedFact>,
    /// What was asked for and not got.
    pub gaps: Vec<Gap>,
    /// What was not asked for, or can't be known yet.
    pub not_measured: Vec<NotMeasured>,
    /// Name of the JSON file below the state folder; `None` for a failed run.
    pub rag_asset_id: Option<String>,
    /// Whether the search over reports knows it.
    pub rag_indexed: bool,
    /// Whether it is whole.
    pub generation_status: GenerationStatus,
    /// Why it failed, where it did.
    pub error_message: Option<String>,
    /// Tries beyond the first.
    pub retry_count: u32,
    /// When its row was made.
    pub created_at: Time,
    /// When its row was last touched.
    pub updated_at: Time,
}

impl Report {
    /// How bad its digest is: as the worst alert that is not muted.
    pub fn worst_told(&self) -> Severity {
        let told = self.alerts.iter().filter(|alert| alert.muted_until.is_none());
        told.map(|alert| alert.severity).max().unwrap_or(Severity::Info)
    }
}

/// A moment as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(pub UnixMs);

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.0.rfc3339()
    }
}

impl TryFrom<String> for Time {
    type Error = jiff::Error;
    fn try_from(text: String) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>().map(|t| Self(UnixMs(t.as_millisecond())))
    }
}

/// Bitcoin: a JSON number with exactly eight decimals, made from whole sat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Btc(pub Sat);

impl Serialize for Btc {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = serde_json::value::RawValue::from_string(self.0.btc()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Btc {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let text = format!("{:.8}", number.as_f64().unwrap_or(f64::NAN));
        let sat = text.replace('.', "").parse().map_err(|_| serde::de::Error::custom("not an amount in bitcoin"))?;
        Ok(Self(Sat::new(sat)))
    }
}

/// The few figures to see first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// 0 to 100; null below 60 % coverage and for a day that was caught up.
    pub overall_score: Option<i64>,
    /// Points more than a day before, over the parts measured on both days.
    pub score_delta_24h: Option<i64>,
    /// The worst alert decides.
    pub status: Status,
    /// Critical alerts.
    pub critical_alerts: u32,
    /// Warnings.
    pub warnings: u32,
    /// Capacity of all open channels.
    pub capacity_btc: Option<Btc>,
    /// Open channels.
    pub channels_count: Option<u32>,
    /// Settled forwards an hour, over the day.
    pub forwarding_rate_24h: Option<f64>,
    /// Fees earned in the day, the msat sum rounded down.
    pub revenue_sats_24h: Option<Sat>,
}

/// How the node is, by its worst alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No warning and nothing critical.
    Healthy,
    /// A warning.
    Warning,
    /// Something critical.
    Critical,
}

/// Figures by subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Where the money stands.
    pub capacity: CapacityMetrics,
    /// The channels, in numbers and one by one.
    pub channels: ChannelMetrics,
    /// What was forwarded.
    pub forwarding: ForwardingMetrics,
    /// What is charged.
    pub fees: FeeMetrics,
    /// The node among others, and the chain.
    pub network: NetworkMetrics,
}

/// Where the money stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CapacityMetrics {
    /// All open channels, both sides.
    pub total_sat: Option<Sat>,
    /// Ours: outbound.
    pub local_sat: Option<Sat>,
    /// Theirs: inbound.
    pub remote_sat: Option<Sat>,
    /// In HTLCs in flight.
    pub unsettled_sat: Option<Sat>,
    /// Outbound as a share of outbound and inbound, 0 to 1.
    pub outbound_share: Option<f64>,
    /// On the chain, confirmed.
    pub wallet_confirmed_sat: Option<Sat>,
    /// On the chain, not confirmed.
    pub wallet_unconfirmed_sat: Option<Sat>,
    /// What LND wants kept on the chain for anchors.
    pub anchor_reserve_sat: Option<Sat>,
    /// Waiting in closing channels.
    pub limbo_sat: Option<Sat>,
    /// Ours in channels that are opening.
    pub pending_open_sat: Option<Sat>,
    /// Whether these figures are of a node that is not synced, and so old.
    pub stale: bool,
}

/// The channels, in numbers and one by one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelMetrics {
    /// Open.
    pub open: Option<u32>,
    /// Usable now.
    pub active: Option<u32>,
    /// Not usable now.
    pub inactive: Option<u32>,
    /// Hidden from the graph.
    pub private: Option<u32>,
    /// Opening.
    pub opening: Option<u32>,
    /// Closing by agreement, or waiting for the closing transaction.
    pub closing: Option<u32>,
    /// Closed by force, funds not back yet.
    pub force_closing: Option<u32>,
    /// Gone.
    pub closed: Option<u32>,
    /// Peers connected.
    pub peers_connected: Option<u32>,
    /// HTLCs in flight; one that is forwarded counts once.
    pub htlcs_in_flight: Option<u32>,
    /// One row a channel, the largest first.
    pub list: Vec<ChannelRow>,
}

/// One open channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelRow {
    /// Its key.
    pub channel_point: Outpoint,
    /// Its short id.
    pub scid: Scid,
    /// The other side.
    pub peer: Pubkey,
    /// Its alias; hostile text.
    pub peer_alias: Option<String>,
    /// Both sides.
    pub capacity_sat: Sat,
    /// Ours.
    pub local_sat: Sat,
    /// Theirs.
    pub remote_sat: Sat,
    /// Usable now.
    pub active: bool,
    /// Hidden from the graph.
    pub private: bool,
    /// Our base fee.
    pub base_fee_msat: Option<Msat>,
    /// Our fee rate.
    pub fee_rate_ppm: Option<Ppm>,
    /// Our inbound fee rate.
    pub inbound_fee_rate_ppm: Option<Ppm>,
    /// What the peer charges for what comes from it.
    pub peer_fee_rate_ppm: Option<Ppm>,
    /// The middle of what others charge to send to this peer.
    pub market_fee_rate_ppm: Option<Ppm>,
    /// The last 24 hours, 7 days and 30 days.
    pub day: ChannelFlow,
    /// Seven days.
    pub week: ChannelFlow,
    /// Thirty days.
    pub month: ChannelFlow,
    /// The last forward in either direction that is known.
    pub last_forward_at: Option<Time>,
    /// What opening it cost us, where known; null is unknown, not zero.
    pub open_cost_sat: Option<Sat>,
}

/// What went over one channel in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFlow {
    /// Forwards that came by it.
    pub forwards_in: u32,
    /// Forwards that left by it.
    pub forwards_out: u32,
    /// What came by it.
    pub amount_in_msat: Msat,
    /// What left by it.
    pub amount_out_msat: Msat,
    /// Fees of forwards that left by it: its earnings.
    pub fees_earned_msat: Msat,
    /// Fees of forwards that came by it: shown beside, never added to the earnings.
    pub fees_assisted_msat: Msat,
    /// Circular payments that refilled it.
    pub rebalanced_in_msat: Msat,
    /// What they cost.
    pub rebalance_cost_msat: Msat,
}

/// What was forwarded in three periods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForwardingMetrics {
    /// 24 hours.
    pub day: Option<Flow>,
    /// Seven days.
    pub week: Option<Flow>,
    /// Thirty days.
    pub month: Option<Flow>,
    /// Share of forwards that succeeded; null without the watcher.
    pub success_rate_24h: Option<f64>,
    /// What failed of what was watched, the most frequent reason first; null where nothing was watched.
    #[serde(default)]
    pub failed_24h: Option<Vec<FailedForwards>>,
}

/// Forwards that failed for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedForwards {
    /// Why.
    pub reason: FailureReason,
    /// How many.
    pub forwards: u32,
    /// What was to leave.
    pub amount_out_msat: Msat,
    /// The fees that were missed.
    pub fees_msat: Msat,
}

/// What was forwarded in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Settled forwards.
    pub forwards: u32,
    /// What came in.
    pub amount_in_msat: Msat,
    /// What left.
    pub amount_out_msat: Msat,
    /// The difference: fees earned.
    pub fees_msat: Msat,
    /// Fees as parts per million of what left.
    pub fee_ppm: Option<Ppm>,
}

/// What is charged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeeMetrics {
    /// The middle of our fee rates.
    pub median_rate_ppm: Option<Ppm>,
    /// The lowest of them.
    pub lowest_rate_ppm: Option<Ppm>,
    /// The highest of them.
    pub highest_rate_ppm: Option<Ppm>,
    /// The middle of what peers charge for what comes from them.
    pub median_peer_rate_ppm: Option<Ppm>,
    /// The middle of the whole network.
    pub median_network_rate_ppm: Option<Ppm>,
    /// LND's own sums, to hold ours against: the last 24 hours,
    pub lnd_day_sat: Option<Sat>,
    /// 7 days
    pub lnd_week_sat: Option<Sat>,
    /// and 30 days.
    pub lnd_month_sat: Option<Sat>,
}

/// The node among others, and the chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkMetrics {
    /// `mainnet` and so on.
    pub network: String,
    /// LND's version.
    pub lnd_version: Option<String>,
    /// Height of the node's best block.
    pub block_height: Option<u32>,
    /// Height by mempool.space.
    pub block_height_elsewhere: Option<u32>,
    /// Whether the chain is current.
    pub synced_to_chain: Option<bool>,
    /// Whether the graph is current.
    pub synced_to_graph: Option<bool>,
    /// Nodes of the network.
    pub nodes: Option<u32>,
    /// Channels of the network.
    pub channels: Option<u32>,
    /// Capacity of the network.
    pub capacity_sat: Option<Sat>,
    /// This node's place by public capacity.
    pub capacity_rank: Option<u32>,
    /// This node's place by number of public channels.
    pub channels_rank: Option<u32>,
    /// Who told the graph that places, prices of others and nodes to open channels with are from.
    #[serde(default)]
    pub graph_source: Option<String>,
    /// When it was told.
    #[serde(default)]
    pub graph_as_of: Option<Time>,
    /// Whether it was asked for, kept from before, or stands in for one that was not got.
    #[serde(default)]
    pub graph_state: Option<GraphState>,
    /// A fee that confirms within the hour, in sat per 1,000 vB, and who said it.
    pub hour_fee_sat_per_kvb: Option<i64>,
    /// Price of one bitcoin in US dollars.
    pub price_usd: Option<f64>,
    /// Capacity of this node as mempool.space sees it.
    pub seen_capacity_sat: Option<Sat>,
    /// Channels of this node as mempool.space sees it.
    pub seen_channels: Option<u32>,
    /// What peers charge towards this node, by Amboss.
    pub amboss_remote_median_ppm: Option<Ppm>,
}

/// One part of the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScorePart {
    /// `liquidity`, `flow`, `profit`, `availability`, `fees`, `network` or `safety`.
    pub name: String,
    /// The most points it can give.
    pub weight: u32,
    /// What was measured, in the unit that `sentence` names.
    pub value: Option<f64>,
    /// What would give all points.
    pub target: f64,
    /// Points won; null where it was not measured.
    pub points: Option<f64>,
    /// Points lost; null where it was not measured.
    pub points_lost: Option<f64>,
    /// Share of its inputs that were measured, 0 to 1.
    pub coverage: f64,
    /// Why points were lost and what wins them back.
    pub sentence: String,
    /// The day of the value that stands in for what could not be measured today; null where all is of today.
    #[serde(default)]
    pub as_of: Option<Day>,
}

/// What can cost money soon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Safety {
    /// No finding below.
    pub ok: bool,
    /// The score is held at this for as long as a finding stands.
    pub score_cap: Option<i64>,
    /// The findings, by rule.
    pub findings: Vec<String>,
    /// Share of the weight that could be measured, 0 to 1.
    pub score_coverage: f64,
    /// Blocks to the expiry of the HTLC that times out first.
    pub blocks_to_first_htlc_expiry: Option<i64>,
}

/// How bad an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Costs something if it stays.
    Warning,
    /// Can lose money today.
    Critical,
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It was not there before.
    New,
    /// It was resolved before, and is there again.
    Back,
    /// It was there before.
    Ongoing,
    /// The operator knows.
    Acknowledged,
    /// Nothing is sent of it.
    Muted,
    /// It is over.
    Resolved,
}

impl AlertState {
    /// The state of an alert that was seen as `seen`: what the operator said of it goes before that.
    pub const fn said(seen: Self, acknowledged: bool, muted: bool) -> Self {
        match (muted, acknowledged) {
            (true, _) => Self::Muted,
            (false, true) => Self::Acknowledged,
            (false, false) => seen,
        }
    }

    /// How an alert is seen that stands: whether it did so before, and whether it was resolved in between.
    pub const fn seen(ongoing: bool, again: bool) -> Self {
        match (ongoing, again) {
            (true, _) => Self::Ongoing,
            (false, true) => Self::Back,
            (false, false) => Self::New,
        }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// How bad.
    pub severity: Severity,
    /// The rule's stable name.
    #[serde(rename = "type")]
    pub rule: String,
    /// One line.
    pub title: String,
    /// What was seen and what to do.
    pub description: String,
    /// When it was first seen.
    pub detected_at: Time,
    /// Whether the operator must act.
    pub requires_action: bool,
    /// `rule:subject`, the same on every day that it stands.
    pub alert_key: String,
    /// What it is about: an outpoint, a peer, a source, an HTLC, `node`.
    pub subject: String,
    /// Whether the report before had it too.
    pub ongoing: bool,
    /// Where it is in its life; null in a report of an older daznode.
    #[serde(default)]
    pub state: Option<AlertState>,
    /// When the operator acknowledged it.
    #[serde(default)]
    pub acknowledged_at: Option<Time>,
    /// Until when nothing is sent of it.
    #[serde(default)]
    pub muted_until: Option<Time>,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When there is time.
    Low,
    /// This week.
    Medium,
    /// Today.
    High,
}

/// What kind of act it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Change what is charged.
    Fees,
    /// Move sats.
    Liquidity,
    /// Open or close.
    Channels,
    /// Guard what is there.
    Safety,
    /// Change the node's settings.
    Settings,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// How much it matters.
    pub priority: Priority,
    /// What kind of act.
    pub category: Category,
    /// One line.
    pub title: String,
    /// Why, in sentences.
    pub description: String,
    /// 0 to 10.
    pub impact_score: u8,
    /// Funding outpoints.
    pub channels_affected: Vec<Outpoint>,
    /// The exact command, or the act in words.
    pub suggested_action: String,
    /// Sats a month; null where no honest figure can be given.
    pub estimated_gain_sats_month: Option<Sat>,
    /// `kind:subject`, the same on every day that it is given.
    pub advice_key: String,
    /// The numbers it rests on.
    pub evidence: Vec<Evidence>,
    /// 0 to 1.
    pub confidence: f64,
    /// What it costs once; null where unknown.
    pub cost_sats: Option<Sat>,
    /// Days until it has paid for itself.
    pub payback_days: Option<u32>,
    /// Four times in five the gain should lie between these two, in sats a month; null with the gain.
    #[serde(default)]
    pub gain_low_sats_month: Option<Sat>,
    /// The upper end.
    #[serde(default)]
    pub gain_high_sats_month: Option<Sat>,
    /// What to do, for programs; null where only words can say it.
    #[serde(default)]
    pub act: Option<Act>,
    /// The day that it was first given; earlier than the report's where it was given before and not followed.
    #[serde(default)]
    pub first_advised: Option<Day>,
}

/// What to do, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Charge another fee on a channel.
    SetFee {
        /// The channel.
        channel: Outpoint,
        /// The rate before.
        from_ppm: Ppm,
        /// The rate to set.
        to_ppm: Ppm,
        /// The base fee to set.
        base_msat: Msat,
    },
    /// Move sats from one channel to another by a circular payment.
    Rebalance {
        /// The channel to empty.
        from: Outpoint,
        /// The channel to refill.
        to: Outpoint,
        /// How much is to arrive.
        amount_sat: Sat,
        /// The most that it may cost.
        max_fee_sat: Sat,
    },
    /// Close a channel.
    Close {
        /// The channel.
        channel: Outpoint,
        /// Without the other side.
        force: bool,
    },
    /// Open a channel.
    Open {
        /// With whom.
        peer: Pubkey,
        /// How large.
        capacity_sat: Sat,
    },
}

/// What became of an advice that was given before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceUpdate {
    /// The advice.
    pub id: Uuid,
    /// `kind:subject`.
    pub advice_key: String,
    /// How it stands now.
    pub state: AdviceState,
    /// When it was seen to be followed.
    pub followed_at: Option<Time>,
    /// What was measured of it with this report.
    pub outcomes: Vec<AdviceOutcome>,
}

/// What came of advice in the last days. Sums are over followed advice that promised a figure and has a measured one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceKept {
    /// Days that are looked back.
    pub days: u32,
    /// Given, and not acted on so far.
    pub open: u32,
    /// Followed, in whole or in part.
    pub followed: u32,
    /// Not followed, and no longer given.
    pub ignored: u32,
    /// Of those followed, so many have a measured outcome.
    pub measured: u32,
    /// What those promised a month.
    pub promised_msat: Msat,
    /// What came of them beyond what would have come anyway, scaled to 30 days.
    pub came_msat: Msat,
    /// What would have come anyway, scaled to 30 days.
    pub anyway_msat: Msat,
    /// Each that was followed, the latest first.
    pub items: Vec<KeptAdvice>,
}

/// One advice that was followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAdvice {
    /// The advice.
    pub id: Uuid,
    /// `kind:subject`.
    pub advice_key: String,
    /// Its one line.
    pub title: String,
    /// `followed` or `partly`.
    pub state: AdviceState,
    /// Since when.
    pub followed_at: Time,
    /// Promised a month; null where no figure was.
    pub promised_msat: Option<Msat>,
    /// The outcome is of so many days; null before the first is due.
    pub measured_days: Option<u32>,
    /// What came beyond what would have come anyway, scaled to 30 days; null where it can't be told.
    pub came_msat: Option<Msat>,
    /// What would have come anyway, scaled to 30 days.
    pub anyway_msat: Option<Msat>,
}

/// How an advice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdviceState {
    /// Given, and not acted on so far.
    Open,
    /// Done as it was said.
    Followed,
    /// Done in part: the same direction, not as far.
    Partly,
    /// Not done, and no longer given.
    Ignored,
    /// Another advice for the same took its place.
    Superseded,
    /// Its reason went away by itself.
    Expired,
}

/// What came of a followed advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceOutcome {
    /// 7 or 30 days after it was followed.
    pub days: u32,
    /// When that was measured.
    #[serde(with = "moment")]
    pub measured_at: UnixMs,
    /// What came beyond what would have come anyway, scaled to 30 days; `None` where it can't be told.
    #[serde(rename = "gained_msat")]
    pub gained: Option<Msat>,
    /// What would have come anyway, scaled to 30 days.
    #[serde(rename = "anyway_msat")]
    pub anyway: Option<Msat>,
}

/// A moment that is no [`Time`] in Rust, and is written like one.
mod moment {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Time, UnixMs};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(super) fn serialize<S: Serializer>(at: &UnixMs, serializer: S) -> Result<S::Ok, S::Error> {
        Time(*at).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixMs, D::Error> {
        Time::deserialize(deserializer).map(|time| time.0)
    }
}

/// One number that an advice rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is.
    pub name: String,
    /// The number with its unit.
    pub value: String,
}

/// Seven, thirty or ninety numbers or nulls each, oldest first; the last is this report. And what is to be expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trends {
    /// Scores of the same formula.
    pub score_evolution_7d: Vec<Option<i64>>,
    /// Fees earned in sat.
    pub revenue_evolution_7d: Vec<Option<i64>>,
    /// Forwards an hour.
    pub forward_rate_evolution_7d: Vec<Option<f64>>,
    /// Capacity in sat.
    pub capacity_evolution_7d: Vec<Option<i64>>,
    /// Scores of thirty days.
    #[serde(default)]
    pub score_evolution_30d: Vec<Option<i64>>,
    /// Fees earned in sat.
    #[serde(default)]
    pub revenue_evolution_30d: Vec<Option<i64>>,
    /// Forwards an hour.
    #[serde(default)]
    pub forward_rate_evolution_30d: Vec<Option<f64>>,
    /// Capacity in sat.
    #[serde(default)]
    pub capacity_evolution_30d: Vec<Option<i64>>,
    /// Scores of ninety days.
    #[serde(default)]
    pub score_evolution_90d: Vec<Option<i64>>,
    /// Fees earned in sat.
    #[serde(default)]
    pub revenue_evolution_90d: Vec<Option<i64>>,
    /// Forwards an hour.
    #[serde(default)]
    pub forward_rate_evolution_90d: Vec<Option<f64>>,
    /// Capacity in sat.
    #[serde(default)]
    pub capacity_evolution_90d: Vec<Option<i64>>,
    /// Channels whose outbound ends soon at the flow of the last 7 days, the soonest first.
    #[serde(default)]
    pub running_dry: Vec<Runway>,
    /// Channels whose inbound ends soon, likewise.
    #[serde(default)]
    pub filling_up: Vec<Runway>,
    /// What will be earned; null with fewer than 14 known days.
    #[serde(default)]
    pub forecast: Option<Forecast>,
}

/// How long one side of a channel lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runway {
    /// The channel.
    pub channel_point: Outpoint,
    /// The other side.
    pub peer: Pubkey,
    /// Its alias; hostile text.
    pub peer_alias: Option<String>,
    /// Whole days until nothing is left.
    pub days: u32,
    /// What is left on that side, without the reserve.
    pub left_sat: Sat,
    /// What left that side in 7 days, less what came back to it: forwards and circular payments.
    pub net_flow_week_sat: Sat,
    /// Forwards over the channel in those 7 days.
    pub forwards: u32,
}

/// What will be earned by forwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Known days that it rests on.
    pub days_known: u32,
    /// The next 7 days.
    pub week: ForecastSpan,
    /// The next 30 days.
    pub month: ForecastSpan,
}

/// Fees expected in a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastSpan {
    /// Expected.
    pub fees_msat: Msat,
    /// Four times in five it should be at least this
    pub low_msat: Msat,
    /// and at most this.
    pub high_msat: Msat,
    /// What the plain mean of each weekday would say.
    pub seasonal_mean_msat: Msat,
}

/// What is new since the report before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// The report of an earlier day that it is compared with; null without one.
    pub since_report: Option<Uuid>,
    /// When that was; without one, the collection before on the same day.
    pub since: Option<Time>,
    /// What changed, the most important first.
    pub items: Vec<Change>,
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// `channel-opened`, `channel-closed`, `policy-changed`, `alert-resolved` and so on.
    pub kind: String,
    /// An outpoint, a peer, `node`.
    pub subject: String,
    /// One line.
    pub description: String,
}

/// Where facts come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Where it was asked.
    pub address: String,
    /// How that went.
    pub status: SourceStatus,
    /// Time of the facts that are used.
    pub as_of: Option<Time>,
    /// From the first question to the last answer.
    pub latency_ms: Option<i64>,
    /// Its version.
    pub version: Option<String>,
    /// Why it is not `ok`.
    pub detail: Option<String>,
    /// What kind of failure that was.
    #[serde(default)]
    pub error_class: Option<ErrorClass>,
    /// How many of its checks were good.
    #[serde(default)]
    pub availability: Availability,
    /// When it last answered well.
    #[serde(default)]
    pub last_good: Option<Time>,
    /// Whether it is asked.
    #[serde(default)]
    pub breaker: Option<BreakerState>,
}

/// What was not asked for, or can't be known yet. No gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotMeasured {
    /// The part.
    pub part: String,
    /// Why, and where it helps, when it will be.
    pub reason: String,
}

/// Whether a report is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationStatus {
    /// Nothing is missing.
    Complete,
    /// There are gaps.
    Partial,
    /// There is only a row that says why.
    Failed,
}
