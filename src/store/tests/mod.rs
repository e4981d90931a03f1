//! Tests of the store as its callers see it, and of what it leaves on the disk.

#[cfg(feature = "crash-points")]
mod crash;
mod events;
mod open;
mod reports;
mod schema;
mod snapshots;
mod speed;
mod support;
