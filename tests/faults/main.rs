//! What daznode survives: kills, nodes that misbehave, two runs at once, full disks, wrong clocks, hostile text. All of it
//! with the real program, which knows nothing of being tested.
//!
//! `DAZNODE_TORTURE=1` makes the random parts as long as a night allows; `DAZNODE_SEED` repeats one of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails"
)]

mod audit;
mod clock;
mod commands;
mod damage;
mod dice;
mod disk;
#[path = "../support/fake_lnd.rs"]
mod fake_lnd;
mod graph;
#[path = "../cli/harness.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line")]
mod harness;
mod hostile;
mod kills;
mod limits;
mod messages;
mod nodes;
mod outages;
mod outside;
mod power;
mod profiles;
mod secrets;
#[cfg(feature = "crash-points")]
mod steps;
mod tally;
mod together;
mod under;
mod volume;
mod watch;
mod watching;
