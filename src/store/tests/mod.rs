//! Tests of the store as its callers see it, and of what it leaves on the disk.

mod advice;
mod backup;
mod balances;
#[cfg(feature = "crash-points")]
mod crash;
mod events;
mod lives;
mod migrate;
mod open;
mod reports;
mod rolled;
mod schema;
mod snapshots;
mod sources;
mod speed;
pub(crate) mod support;
mod watched;
