//! Judges a snapshot by the node's history and makes the report of it.
//!
//! Pure: no clock, no files, no network and no `Result`. The same input gives the same report. Every alert comes from a
//! rule with a stable name ([`RULES`]), every limit stands in [`Thresholds`], and `docs/formulas.md` explains each.

mod accounting;
mod advice;
mod advisories;
mod alerts;
mod assemble;
mod changes;
mod choice;
mod facts;
mod followed;
mod forecast;
mod habit;
mod metrics;
mod money;
mod number;
mod period;
mod score;
mod thresholds;
mod trends;
mod words;

pub use alerts::{RULES, Rule, UNREACHABLE, WATCHED_RULES, alerts_now, unreachable};
pub use assemble::{Backfill, Identity, Input, backfilled, report};
pub use forecast::{forecast, seasonal_mean};
pub use period::{PeriodInput, ReportedDay, period_report};
pub use score::PARTS;
pub use thresholds::Thresholds;

#[cfg(test)]
mod support;
#[cfg(test)]
mod tests;
