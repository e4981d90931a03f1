//! How a source has been doing: words and counts that a report, the store and `health-check` share.

use serde::{Deserialize, Serialize};

use crate::units::UnixMs;

/// What kind of failure it was: names that stay the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Nothing answers there, or the connection broke.
    Unreachable,
    /// It answers too late.
    Timeout,
    /// Its certificate is not the right one.
    Certificate,
    /// It refuses the key or macaroon, or is another node.
    Credentials,
    /// It is there and says that it is not ready.
    NotReady,
    /// It asks to be left alone.
    TooMany,
    /// It was not asked, since it kept failing or asked for that.
    LeftAlone,
    /// It answers with an error of its own.
    Status,
    /// Its answer can't be read, or is not about what was asked.
    Malformed,
    /// Our own rules forbid to ask it, or to go where it sends us.
    Refused,
    /// Nothing may be sent.
    Offline,
    /// Anything else.
    Other,
}

/// Whether a source is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// It is asked.
    #[default]
    Closed,
    /// It kept failing and is left alone for a while.
    Open,
    /// One try is out to see whether it is back.
    HalfOpen,
}

/// Checks of a time, and how many of them were good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All.
    pub checks: u32,
    /// The good ones.
    pub good: u32,
}

impl Tally {
    /// The same of another time with it.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { checks: self.checks.saturating_add(other.checks), good: self.good.saturating_add(other.good) }
    }

    /// The good ones among all, 0 to 1; `None` without a check.
    pub fn share(self) -> Option<f64> {
        (self.checks > 0).then(|| f64::from(self.good) / f64::from(self.checks))
    }
}

/// Checks of the last 1, 7, 30 and 365 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// 24 hours.
    pub day: Tally,
    /// Seven days.
    pub week: Tally,
    /// Thirty days.
    pub month: Tally,
    /// A year.
    #[serde(default)]
    pub year: Tally,
}

/// How a source has been doing, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceHealth {
    /// Why it did not answer as it should, where it did not.
    pub error_class: Option<ErrorClass>,
    /// How many of its checks were good.
    pub availability: Availability,
    /// When it last answered well.
    pub last_good: Option<UnixMs>,
    /// Whether it is asked; `None` where nothing was kept of it yet.
    pub breaker: Option<BreakerState>,
}
