//! A report as people and programs read it. Pure: what is printed where, and how wide, is said by the caller.
//!
//! The order is the same in every format: how is the node, what is wrong, what to do, what changed, what is not known.

pub mod advice;
pub mod alerts;
pub mod digest;
pub mod health;
pub mod history;
pub mod json;
mod markdown;
pub mod number;
mod period;
pub mod safe;
mod sheet;
pub mod spark;
mod table;
mod text;

use crate::report::Report;
use crate::units::UnixMs;

pub use advice::{AdviceNode, AdviceRow, advice};
pub use alerts::{
    AlertLife, AlertLine, EventLine, MessageLine, MuteLine, alert, alert_json, alert_stats, alert_stats_json, alerts,
    alerts_json,
};
pub use health::{Check, State, health};
pub use history::{HistoryNode, HistoryRow, history};
pub use period::period;
pub use table::table;

/// What the output is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// People at a terminal.
    Table,
    /// Programs.
    Json,
    /// Wikis, mail and chats.
    Markdown,
}

/// The page that is written on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Columns of the terminal; 80 where it is none.
    pub width: usize,
    /// Whether colours may be used; never the only sign of anything.
    pub colour: bool,
    /// The moment it is read, to say how old things are.
    pub now: UnixMs,
}

impl Page {
    /// Columns that are used: narrower than 40 nothing can be read, wider than 100 no eye finds the next line.
    pub fn columns(&self) -> usize {
        self.width.clamp(40, 100)
    }
}

/// How much of a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// One screen: how it is, what is wrong, what to do, what changed.
    Summary,
    /// One row a channel.
    Channels,
    /// Every table.
    All,
}

/// A report in one of the formats; `document` is its JSON as it was announced, used for [`Format::Json`].
pub fn report(report: &Report, document: &str, format: Format, page: &Page, section: Section) -> String {
    match format {
        Format::Table => text::report(report, page, section),
        Format::Json => json::harmless(document),
        Format::Markdown => markdown::report(report, section),
    }
}
