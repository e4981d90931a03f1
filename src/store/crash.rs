//! Steps at which a test stops the process, to see what the next run makes of what is left.

/// The steps, in the order in which a run comes by them.
pub const CRASH_POINTS: [&str; 12] = [
    "events-before-commit",
    "events-after-commit",
    "snapshot-before-commit",
    "snapshot-after-commit",
    "report-before-commit",
    "report-after-commit",
    "file-before-write",
    "file-half-written",
    "file-after-write",
    "file-after-rename",
    "files-before-commit",
    "files-after-commit",
];

/// The steps of a restore, in their order.
pub const RESTORE_CRASH_POINTS: [&str; 6] =
    ["restore-copied", "restore-checked", "restore-linked", "restore-kept", "restore-swapped", "restore-before-files"];

/// Stops the process, without any cleaning up, where `DAZNODE_CRASH_AT` names this step: `file-half-written` the first
/// time that a run comes by, `file-half-written:2` the second time.
#[cfg(feature = "crash-points")]
pub fn crash_point(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    debug_assert!(
        CRASH_POINTS.iter().chain(&RESTORE_CRASH_POINTS).any(|known| *known == name),
        "unknown crash point {name}"
    );
    let Ok(at) = std::env::var("DAZNODE_CRASH_AT") else { return };
    let (step, time) = at.split_once(':').unwrap_or((&at, "1"));
    if step == name && Ok(PASSED.fetch_add(1, Ordering::Relaxed) + 1) == time.parse() {
        std::process::abort();
    }
}

/// Does nothing: this build has no crash points.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn crash_point(_name: &str) {}

/// How SQLite syncs: at every commit. Where crash points are built in, `DAZNODE_SYNCHRONOUS` says something else, for the
/// test that shows what would be lost then.
#[cfg(feature = "crash-points")]
pub(super) fn synchronous() -> String {
    std::env::var("DAZNODE_SYNCHRONOUS").unwrap_or_else(|_| "FULL".to_owned())
}

/// How SQLite syncs: at every commit.
#[cfg(not(feature = "crash-points"))]
pub(super) const fn synchronous() -> &'static str {
    "FULL"
}
