//! The public sources against servers on loopback that answer well, badly, slowly and not at all.
#![allow(unreachable_pub, reason = "modules of one test binary")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics is a test that fails")]

mod http;
mod kinds;
mod server;
mod sources;
mod suite;
