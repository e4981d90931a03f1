//! Messages to the outside against servers on loopback that take them, refuse them, hang, lie and die.
#![allow(unreachable_pub, dead_code, reason = "modules of one test binary, some shared with others")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod channels;
mod commands;
mod delivery;
mod desk;
#[path = "../cli/harness.rs"]
mod harness;
mod mail;
mod secrets;
#[path = "../public/server.rs"]
mod server;
mod smtp;
