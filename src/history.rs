//! What the store knows of a node's past, in the form that `analysis` reads: plain data, summed by the store.
//!
//! Windows are half open: an event at `start` belongs to it, one at `end` does not.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::report::{Report, Severity};
use crate::snapshot::{ChainTx, ClosedChannel, Snapshot};
use crate::units::{Day, Msat, Outpoint, Pubkey, Scid, UnixMs};

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
    /// For every pair of channels in the last 30 days: what went from one to the other.
    pub pairs_month: Vec<PairFlow>,
    /// The last forward in or out by each channel.
    pub last_forward: Vec<(Scid, UnixMs)>,
    /// Fees and forwards of each of the 30 days before `now`, oldest first, each day of 24 hours ending at `now`'s time of
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
    /// What the trends need of the six days before this report's date; missing days are absent.
    pub past_days: Vec<PastDay>,
    /// Samples of each own channel's balance and state in the last 30 days, oldest first.
    pub samples: Vec<ChannelSample>,
    /// Alerts that the report before left open.
    pub open_alerts: Vec<OpenAlert>,
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
}
