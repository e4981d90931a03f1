//! The command line as its users meet it: exit codes, words, files. One binary; a file for each subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails"
)]

mod alerts;
mod backups;
mod bad_config;
mod bad_input;
mod bad_store;
#[path = "../support/fake_lnd.rs"]
mod fake_lnd;
mod harness;
mod live_node;
mod modes;
mod older;
mod periods;
mod recorded_nodes;
mod run;
mod sources;
mod words;
