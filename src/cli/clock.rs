//! The only place that reads the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::units::UnixMs;

/// Now. A board without a battery may say a time before 1970: that is kept as it is, and later checks refuse it.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn now() -> UnixMs {
    let millis = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => UnixMs(millis(since)),
        Err(before) => UnixMs(-millis(before.duration())),
    }
}
