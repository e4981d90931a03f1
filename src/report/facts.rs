//! Facts that several sources tell: which one is believed, and how far the others are from it. And how sources have been
//! doing.

use serde::{Deserialize, Serialize};

use super::Time;

/// A fact that more than one source can tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourcedFact {
    /// `block_height`, `node_capacity_sat` and so on.
    pub name: String,
    /// What the source says that is believed.
    pub value: i64,
    /// That source: the first in the order that is well.
    pub source: String,
    /// When that held.
    pub as_of: Time,
    /// Seconds between that and this report.
    pub age_s: i64,
    /// Whether it is known what the source's answer means.
    pub verified: bool,
    /// What the others say, in their order.
    pub others: Vec<FactElsewhere>,
}

/// What another source says of the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactElsewhere {
    /// The source.
    pub source: String,
    /// What it says.
    pub value: i64,
    /// By how many percent that is more than what is believed; null where that is zero.
    pub differs_percent: Option<f64>,
    /// When that held.
    pub as_of: Time,
    /// Whether it is known what the source's answer means.
    pub verified: bool,
}

/// Shares of good checks of a source, 0 to 1; null without a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// Of the last 24 hours.
    pub day: Option<f64>,
    /// Of 7 days.
    pub week: Option<f64>,
    /// Of 30 days.
    pub month: Option<f64>,
}
