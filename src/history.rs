//! What the store knows of a node's past, in the form that `analysis` reads: plain data, summed by the store.
//!
//! Windows are half open: an event at `start` belongs to it, one at `end` does not.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::report::{Act, Report, ScorePart, Severity};
pub use crate::report::{AdviceOutcome, AdviceState};
use crate::snapshot::{ChainTx, ClosedChannel, Commitments, FailureReason, Policy, Snapshot};
use crate::units::{Day, Msat, Outpoint, Pubkey, Sat, Scid, UnixMs};

/// A half-open span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Included.
    pub start: UnixMs,
    /// Not included.
    pub end: UnixMs,
}

impl Window {
    /// The `days` days (of 24 hours) before `end`.
    pub const fn days_before(end: UnixMs, days: i64) -> Self {
        Self { start: end.plus(days.saturating_mul(-crate::units::DAY_MS)), end }
    }
}

/// The past of one node as one profile sees it, up to `now` (the end of the day that is judged).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// When the store first saw the node; `None` before the first snapshot.
    pub first_seen: Option<UnixMs>,
    /// The oldest stored forward.
    pub first_forward: Option<UnixMs>,
    /// Sums of the last 24 hours, 7 days and 30 days before `now`.
    pub day: Period,
    /// Seven days.
    pub week: Period,
    /// Thirty days.
    pub month: Period,
    /// Ninety days.
    pub quarter: Period,
    /// Everything that is stored: from the oldest event on.
    pub ever: Period,
    /// For every pair of channels in the last 30 days: what went from one to the other.
    pub pairs_month: Vec<PairFlow>,
    /// The last forward in or out by each channel.
    pub last_forward: Vec<(Scid, UnixMs)>,
    /// Fees and forwards of each of the 120 days before `now`, oldest first, each day of 24 hours ending at `now`'s time of
    /// day; `None` for a day that ends before the oldest stored forward and before the node was first seen.
    pub days: Vec<Option<DaySum>>,
    /// Which channel each short id belongs to, of open and closed channels, with the peer.
    pub scids: Vec<(Scid, Outpoint, Pubkey)>,
    /// All transactions of the wallet that are stored.
    pub transactions: Vec<ChainTx>,
    /// Every closed channel that was ever seen, also those that LND has forgotten.
    pub closed: Vec<ClosedChannel>,
    /// The snapshot before this one.
    pub previous_snapshot: Option<Snapshot>,
    /// The latest report of a day before this one that did not fail and was not caught up.
    pub previous_report: Option<Report>,
    /// What the trends need of the 89 days before this report's date; missing days are absent.
    pub past_days: Vec<PastDay>,
    /// Scores of the seven days before this report's date with their parts, the latest first.
    pub past_scores: Vec<PastScore>,
    /// Samples of each own channel's balance and state in the last 30 days, oldest first.
    pub samples: Vec<ChannelSample>,
    /// Alerts that the report before left open.
    pub open_alerts: Vec<OpenAlert>,
    /// Alerts that were resolved since the report before, by the watcher or an earlier report of the same day.
    pub resolved_alerts: Vec<OpenAlert>,
    /// Keys of alerts that were resolved at some time; they can be open again.
    pub ended_alerts: HashSet<String>,
    /// Alerts of which nothing is sent for a while.
    pub mutes: Vec<Mute>,
    /// Our balance in each channel over time, from all samples.
    pub balances: Vec<MeanBalance>,
    /// Policies of own channels as they changed in the last 90 days, oldest first, each with the one before it.
    pub policy_changes: Vec<PolicyChange>,
    /// The transactions that would have closed a channel by force, as they were last seen.
    pub commitments: Vec<(Outpoint, Commitments)>,
    /// The fee of the commitment of each channel as it was last seen open; also of one that is closed by now.
    pub commit_fees: Vec<(Outpoint, Sat)>,
    /// The alias of each peer that a channel is or was open with, as it was last seen; hostile text.
    pub aliases: Vec<(Pubkey, String)>,
    /// What a watcher saw; empty coverage is not measured.
    pub watched: Watched,
    /// The machine at earlier collections of the last 30 days, oldest first.
    pub host: Vec<HostSample>,
    /// Scheduled days of the last 7 that had no report in their time, oldest first.
    pub missed: Vec<Day>,
    /// Advice that is open, or that ended or was followed in the last 45 days.
    pub advice: Vec<PastAdvice>,
}

/// A day's score with its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct PastScore {
    /// The day.
    pub date: Day,
    /// The formula.
    pub score_version: u32,
    /// The score.
    pub score: Option<i64>,
    /// What held it down.
    pub cap: Option<i64>,
    /// Its parts.
    pub parts: Vec<ScorePart>,
}

/// Our balance in one channel, averaged over time: each sample holds until the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeanBalance {
    /// The channel; also one that is closed by now.
    pub point: Outpoint,
    /// Over 24 hours, 7 days, 30 days, 90 days and all time before `now`; `None` where no sample covers any of it.
    pub spans: [Option<Mean>; 5],
}

/// A mean over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    /// Ours.
    pub local: Sat,
    /// How much of the span samples cover: from the first sample in it (or the one before it) to the end or the close.
    pub covered_ms: i64,
}

/// A policy that took the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChange {
    /// The channel.
    pub point: Outpoint,
    /// Whether it is ours; else the peer's.
    pub ours: bool,
    /// When it was seen.
    pub at: UnixMs,
    /// The one before; `None` for the first that was seen.
    pub before: Option<Policy>,
    /// The new one.
    pub after: Policy,
}

/// What a watcher saw. Sums are over what was watched only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watched {
    /// Milliseconds of the last 24 hours, 7 days and 30 days that HTLCs were watched.
    pub htlcs_ms: [i64; 3],
    /// Likewise for the peers' connections.
    pub peers_ms: [i64; 3],
    /// When in the last 24 hours HTLCs were not watched, oldest first.
    pub htlcs_off: Vec<Window>,
    /// Likewise for the peers' connections.
    pub peers_off: Vec<Window>,
    /// Forwards that settled in the last 24 hours while HTLCs were watched.
    pub settled_day: u32,
    /// Forwards that failed in the last 24 hours, by pair and reason.
    pub failures_day: Vec<FailureFlow>,
    /// In 7 days.
    pub failures_week: Vec<FailureFlow>,
    /// In 30 days.
    pub failures_month: Vec<FailureFlow>,
    /// Each peer's connection in 7 days.
    pub peers_week: Vec<PeerWatch>,
    /// In 30 days.
    pub peers_month: Vec<PeerWatch>,
}

/// Forwards from one channel to another that failed for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureFlow {
    /// They came by this channel.
    pub scid_in: Scid,
    /// They were to leave by this one.
    pub scid_out: Scid,
    /// Why.
    pub reason: FailureReason,
    /// How many.
    pub count: u32,
    /// What was to leave.
    pub amount_out: Msat,
    /// The fee that was missed.
    pub fee: Msat,
}

/// One peer's connection, within what was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerWatch {
    /// The peer.
    pub peer: Pubkey,
    /// Milliseconds that were watched, without those in which this node itself was cut off.
    pub watched_ms: i64,
    /// Of those, connected.
    pub connected_ms: i64,
    /// Connections that ended.
    pub breaks: u32,
}

/// The machine at one earlier collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSample {
    /// When.
    pub at: UnixMs,
    /// What it was.
    pub host: crate::snapshot::Host,
}

/// An advice that was given before.
#[derive(Clone, Debug, PartialEq)]
pub struct PastAdvice {
    /// Its row.
    pub id: Uuid,
    /// `kind:subject`.
    pub key: String,
    /// How it stands.
    pub state: AdviceState,
    /// Its one line.
    pub title: String,
    /// Its command.
    pub command: String,
    /// What was to be done, in terms that a later snapshot can be held against.
    pub act: Option<Act>,
    /// Promised a month.
    pub promised: Option<Msat>,
    /// The lower end of that.
    pub promised_low: Option<Msat>,
    /// The upper end.
    pub promised_high: Option<Msat>,
    /// What it was to cost once.
    pub cost: Option<Msat>,
    /// When it was first given.
    pub first_at: UnixMs,
    /// When it was last given.
    pub last_at: UnixMs,
    /// When it was seen to be followed.
    pub followed_at: Option<UnixMs>,
    /// What came of it, where that was measured: after 7 and after 30 days.
    pub outcomes: Vec<AdviceOutcome>,
    /// Where it was followed and an outcome is due: flows of all channels before and after, for spans of as many days.
    pub spans: Vec<AdviceSpan>,
}

/// Flows before and after an advice was followed, over spans of the same length.
#[derive(Clone, Debug, PartialEq)]
pub struct AdviceSpan {
    /// Days of each span: 7 or 30.
    pub days: u32,
    /// The span that ends when it was first given.
    pub before: Period,
    /// The span that begins when it was followed.
    pub after: Period,
}

/// Sums of events over one window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Period {
    /// The window; `None` only in an empty history.
    pub window: Option<Window>,
    /// Settled forwards.
    pub forwards: u32,
    /// What came.
    pub amount_in: Msat,
    /// What left.
    pub amount_out: Msat,
    /// Sums by channel, each short id as the forwards name it.
    pub channels: Vec<ScidFlow>,
    /// Parts of settled payments that ended at this node (circular payments), by the channel that they refilled.
    pub rebalances: Vec<RebalanceFlow>,
    /// Circular payments, each counted once whatever its parts.
    pub rebalance_count: u32,
    /// Settled payments to others: what arrived.
    pub payments_sent: Msat,
    /// What their routes cost.
    pub payment_fees: Msat,
    /// Invoices settled that no circular payment of ours paid.
    pub received: Msat,
}

/// What went over one channel in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScidFlow {
    /// The channel.
    pub scid: Scid,
    /// Forwards that came by it.
    pub forwards_in: u32,
    /// What came by it.
    pub amount_in: Msat,
    /// Fees of forwards that came by it.
    pub fees_assisted: Msat,
    /// Forwards that left by it.
    pub forwards_out: u32,
    /// What left by it.
    pub amount_out: Msat,
    /// Fees of forwards that left by it.
    pub fees_earned: Msat,
}

impl ScidFlow {
    /// One forward that came by a channel; the channel is for the caller to tell.
    pub fn came(amount_in: Msat, fees_assisted: Msat) -> Self {
        Self { forwards_in: 1, amount_in, fees_assisted, ..Self::default() }
    }

    /// One forward that left by a channel.
    pub fn left(amount_out: Msat, fees_earned: Msat) -> Self {
        Self { forwards_out: 1, amount_out, fees_earned, ..Self::default() }
    }
}

/// What went from one channel to another in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairFlow {
    /// It came by this channel.
    pub scid_in: Scid,
    /// It left by this channel.
    pub scid_out: Scid,
    /// Forwards.
    pub forwards: u32,
    /// What came.
    pub amount_in: Msat,
    /// What left.
    pub amount_out: Msat,
}

/// Circular payments from one own channel to another in a window, summed over their settled parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RebalanceFlow {
    /// The channel that was emptied.
    pub from: Scid,
    /// The channel that was refilled; the cost is charged to it.
    pub to: Scid,
    /// What arrived.
    pub amount: Msat,
    /// What the routes cost.
    pub cost: Msat,
    /// Settled parts.
    pub parts: u32,
}

/// One day's sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DaySum {
    /// Settled forwards.
    pub forwards: u32,
    /// What left.
    pub amount_out: Msat,
    /// Fees earned.
    pub fees: Msat,
}

/// What the trends need of one day's report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PastDay {
    /// The day.
    pub date: Day,
    /// Its report.
    pub report_id: Uuid,
    /// The formula of its score.
    pub score_version: u32,
    /// Its score.
    pub score: Option<i64>,
    /// Its revenue in sat.
    pub revenue_sat: Option<i64>,
    /// Its forwards an hour.
    pub forward_rate: Option<f64>,
    /// Its capacity in sat.
    pub capacity_sat: Option<i64>,
}

/// One own channel at one earlier collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSample {
    /// When.
    pub at: UnixMs,
    /// The channel.
    pub point: Outpoint,
    /// The peer.
    pub peer: Pubkey,
    /// Ours.
    pub local_sat: i64,
    /// Theirs.
    pub remote_sat: i64,
    /// Usable at that time.
    pub active: bool,
    /// Whether the peer was connected at that time.
    pub peer_connected: Option<bool>,
}

/// An alert that the report before left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAlert {
    /// `rule:subject`.
    pub key: String,
    /// How bad it was.
    pub severity: Severity,
    /// Its one line.
    pub title: String,
    /// When it was first seen.
    pub since: UnixMs,
    /// When the operator acknowledged it.
    pub acknowledged_at: Option<UnixMs>,
}

impl OpenAlert {
    /// One that nobody acknowledged.
    pub fn new(key: impl Into<String>, severity: Severity, title: impl Into<String>, since: UnixMs) -> Self {
        Self { key: key.into(), severity, title: title.into(), since, acknowledged_at: None }
    }

    /// Its rule.
    pub fn rule(&self) -> &str {
        self.key.split(':').next().unwrap_or_default()
    }
}

/// Alerts of which nothing is sent for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// The key of one alert, or the name of a rule with `:*`.
    pub pattern: String,
    /// Since when.
    pub from: UnixMs,
    /// Until when; not included.
    pub until: UnixMs,
    /// Why.
    pub reason: String,
}

impl Mute {
    /// Whether it is about this alert at this time. A clock that went back does not end it.
    pub fn covers(&self, alert_key: &str, at: UnixMs) -> bool {
        let of_rule = self.pattern.strip_suffix(":*");
        let meant = self.pattern == alert_key || of_rule.is_some_and(|rule| alert_key.split(':').next() == Some(rule));
        meant && at < self.until
    }
}
