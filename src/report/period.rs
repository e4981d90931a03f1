//! The report of a calendar week or month: key figures of its days, made from what is stored.
//!
//! A document of its own beside the daily one: `$defs/period_report` of `docs/report.schema.json` says it to machines. Sums come from stored
//! events of exactly its span, never from adding daily reports; what only a daily report knows (scores, alerts) is taken
//! from those of its days. Weeks begin on Monday, as ISO 8601 counts them; all days are UTC.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountPeriod, Flow, MoneyPeriod, NotMeasured, Severity, Time};
use crate::units::{Day, Outpoint, Pubkey, Sat};

/// The version of this shape.
pub const PERIOD_REPORT_VERSION: &str = "1.0";

/// What a report is of that is longer than a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

impl PeriodKind {
    /// The name as the command line and the store write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The first day of the one that has `day`.
    pub fn start(self, day: Day) -> Day {
        match self {
            Self::Week => day.plus(-i64::from(day.0.weekday().to_monday_zero_offset())),
            Self::Month => Day(day.0.first_of_month()),
        }
    }

    /// The first day after the one that begins at `start`.
    pub fn end(self, start: Day) -> Day {
        match self {
            Self::Week => start.plus(7),
            Self::Month => Day(start.0.last_of_month()).plus(1),
        }
    }

    /// The first day of the last one that was over when `day` began.
    pub fn last_before(self, day: Day) -> Day {
        self.start(self.start(day).plus(-1))
    }

    /// `2026-W47` or `2026-11`.
    pub fn label(self, start: Day) -> String {
        match self {
            Self::Week => {
                let week = start.0.iso_week_date();
                format!("{}-W{:02}", week.year(), week.week())
            }
            Self::Month => start.0.strftime("%Y-%m").to_string(),
        }
    }
}

/// One node, one calendar week or month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeriodReport {
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
    /// Week or month.
    pub period: PeriodKind,
    /// `2026-W47` or `2026-11`.
    pub period_label: String,
    /// Its first day.
    pub period_start: Day,
    /// Its last day.
    pub period_end: Day,
    /// When this document was made.
    pub generation_timestamp: Time,
    /// [`PERIOD_REPORT_VERSION`].
    pub report_version: String,
    /// 1 for the first document of the period, higher for each that replaces it.
    pub revision: u32,
    /// Midnight before its first day.
    pub window_start: Time,
    /// Midnight after its last day.
    pub window_end: Time,
    /// Which of its days have a report.
    pub days: PeriodDays,
    /// The scores of its days.
    pub score: PeriodScore,
    /// What was forwarded; null where nothing is stored for it.
    pub forwarding: Option<Flow>,
    /// The same of the period before.
    pub forwarding_before: Option<Flow>,
    /// What was earned and paid; null where nothing is stored for it.
    pub money: Option<MoneyPeriod>,
    /// The same of the period before.
    pub money_before: Option<MoneyPeriod>,
    /// Fees earned on each of its days, in sat, rounded down; null for a day that nothing is known of.
    pub revenue_by_day: Vec<Option<Sat>>,
    /// The channels with the highest net, the best first.
    pub best_channels: Vec<PeriodChannel>,
    /// The channels with a loss, or with no flow at all while they hold funds; the worst first.
    pub worst_channels: Vec<PeriodChannel>,
    /// How much of the time channels could be used.
    pub availability: PeriodAvailability,
    /// What was wrong.
    pub alerts: PeriodAlerts,
    /// What was advised, and what became of it.
    pub advice: PeriodAdvice,
    /// What is not known, and why.
    pub not_measured: Vec<NotMeasured>,
    /// Name of the JSON file below the state folder.
    pub rag_asset_id: Option<String>,
    /// When its row was made.
    pub created_at: Time,
}

/// Which days of a period have a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodDays {
    /// Days of the period.
    pub all: u32,
    /// With a report made in its time.
    pub reported: u32,
    /// With a report that was made later.
    pub caught_up: u32,
    /// Days without any.
    pub missing: Vec<Day>,
}

/// The scores of a period's days; only those of one formula, the newest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeriodScore {
    /// The formula; null where no day has a score.
    pub score_version: Option<u32>,
    /// Of the first day that has one.
    pub first: Option<i64>,
    /// Of the last day that has one.
    pub last: Option<i64>,
    /// The lowest.
    pub lowest: Option<i64>,
    /// The highest.
    pub highest: Option<i64>,
    /// Their mean, to one decimal.
    pub mean: Option<f64>,
    /// Each day's; null for a day without one.
    pub by_day: Vec<Option<i64>>,
}

/// One channel over a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeriodChannel {
    /// Its key.
    pub channel_point: Outpoint,
    /// The other side.
    pub peer: Pubkey,
    /// Its alias; hostile text.
    pub peer_alias: Option<String>,
    /// What went over it, was earned and paid; null where nothing was.
    pub account: Option<AccountPeriod>,
}

/// How much of the time channels could be used, by the samples of each collection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeriodAvailability {
    /// Collections in the period.
    pub samples: u32,
    /// Share of channels that could be used, over all samples, 0 to 1.
    pub channels_usable: Option<f64>,
    /// Peers that were away in more than a tenth of the samples, the worst first, at most ten.
    pub peers_away: Vec<PeerAway>,
}

/// A peer that was often away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerAway {
    /// The peer.
    pub peer: Pubkey,
    /// Its alias; hostile text.
    pub peer_alias: Option<String>,
    /// Share of the samples without it, 0 to 1.
    pub away: f64,
}

/// What was wrong in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodAlerts {
    /// Alerts that began in it.
    pub opened: u32,
    /// Alerts that ended in it.
    pub resolved: u32,
    /// Alerts that stood at its end.
    pub standing: u32,
    /// The critical ones that stood in it at any time.
    pub critical: Vec<PeriodAlert>,
}

/// One alert of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodAlert {
    /// `rule:subject`.
    pub alert_key: String,
    /// How bad it was last.
    pub severity: Severity,
    /// Its one line.
    pub title: String,
    /// When it was first seen.
    pub detected_at: Time,
    /// When it ended; null while it stands.
    pub resolved_at: Option<Time>,
}

/// What was advised in a period, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodAdvice {
    /// First given in it.
    pub given: u32,
    /// Seen to be followed in it, whole or in part.
    pub followed: u32,
    /// Promised by what was followed and whose outcome was measured in it, sats a month.
    pub promised_sats_month: Option<Sat>,
    /// What came of that beyond what would have come anyway, sats a month.
    pub came_sats_month: Option<Sat>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_begin_on_monday_and_are_named_as_iso_counts_them() {
        // 2026-11-21 is a Saturday; 2027-01-01 belongs to the last week of 2026.
        let week = PeriodKind::Week;
        assert_eq!(week.start(day("2026-11-21")), day("2026-11-16"));
        assert_eq!(week.start(day("2026-11-16")), day("2026-11-16"));
        assert_eq!(week.end(day("2026-11-16")), day("2026-11-23"));
        assert_eq!(week.last_before(day("2026-11-16")), day("2026-11-09"));
        assert_eq!(week.last_before(day("2026-11-22")), day("2026-11-09"));
        assert_eq!(week.label(week.start(day("2027-01-01"))), "2026-W53");
    }

    #[test]
    fn months_have_the_days_that_they_have() {
        let month = PeriodKind::Month;
        assert_eq!(month.start(day("2028-02-29")), day("2028-02-01"));
        assert_eq!(month.end(day("2028-02-01")), day("2028-03-01"));
        assert_eq!(month.last_before(day("2027-01-01")), day("2026-12-01"));
        assert_eq!(month.label(day("2026-12-01")), "2026-12");
    }
}
