//! daznode: a dated daily report for the operator of a Lightning node.
//!
//! `ARCHITECTURE.md` says how the modules fit together; they are listed here in the order in which data flows.

pub mod units;

pub mod snapshot;

pub mod report;

pub mod history;

pub mod notice;

pub mod sources;

pub mod store;

pub mod analysis;

pub mod render;

pub mod exit;

pub mod schedule;

pub mod config;

pub mod notify;

pub mod daily;

pub mod watch;

pub mod periods;

pub mod cli;
