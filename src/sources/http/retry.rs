//! When to ask again, and when to leave a host alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use tokio::time::Instant;

use crate::units::UnixMs;

/// How long a host is left alone that can't be reached or says "too many" without saying until when.
const PAUSE: Duration = Duration::from_mins(5);
/// Questions in a row that a host may answer with an error of its own before it is left alone.
const TOLERATED: u32 = 3;

/// What a `Retry-After` header asks for: seconds or a date. `None` for what is neither.
pub(super) fn retry_after(value: &str, now: UnixMs) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a u64 holds is still a number: for ever.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let wait = date(value)?.since(now);
    Some(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
}

/// A date as HTTP writes it.
pub(super) fn date(value: &str) -> Option<UnixMs> {
    static DATE: DateTimeParser = DateTimeParser::new();
    DATE.parse_timestamp(value.trim()).ok().map(|date| UnixMs(date.as_millisecond()))
}

/// Which hosts are left alone, until when and why.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<BTreeMap<String, Host>>);

#[derive(Debug, Default)]
struct Host {
    failures: u32,
    closed: Option<(Instant, String)>,
}

impl Hosts {
    fn with<T>(&self, host: &str, act: impl FnOnce(&mut Host) -> T) -> T {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(hosts.entry(host.to_owned()).or_default())
    }

    /// Why the host is not to be asked now, if so.
    pub(super) fn closed(&self, host: &str, now: Instant) -> Option<String> {
        self.with(host, |host| match &host.closed {
            Some((until, reason)) if now < *until => Some(reason.clone()),
            _ => None,
        })
    }

    /// It answered.
    pub(super) fn good(&self, host: &str) {
        self.with(host, |host| host.failures = 0);
    }

    /// It answered with an error of its own, also the last time that it was asked.
    pub(super) fn bad(&self, host: &str, reason: &str, now: Instant) {
        self.with(host, |host| {
            host.failures += 1;
            if host.failures >= TOLERATED {
                host.close(PAUSE, reason, now);
            }
        });
    }

    /// Leave it alone: for as long as it said, at least a few minutes.
    pub(super) fn close(&self, host: &str, wait: Option<Duration>, reason: &str, now: Instant) {
        self.with(host, |host| host.close(wait.unwrap_or(PAUSE).max(PAUSE), reason, now));
    }
}

impl Host {
    fn close(&mut self, wait: Duration, reason: &str, now: Instant) {
        // A run never lasts a day; a longer wait would only overflow the clock.
        let until = now + wait.min(Duration::from_hours(24));
        self.closed = Some((until, reason.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_garbage_is_nothing() {
        // 2015-10-21T07:28:00Z is 1445412480.
        let now = UnixMs::from_secs(1_445_412_480 - 90);
        assert_eq!(retry_after("0", now), Some(Duration::ZERO));
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("1000000000", now), Some(Duration::from_secs(1_000_000_000)));
        assert_eq!(retry_after(&"9".repeat(40), now), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now), Some(Duration::from_secs(90)));
        let past = UnixMs::from_secs(1_445_412_480 + 5);
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT", past), Some(Duration::ZERO));
        for garbage in ["", "soon", "-5", "1.5", "Wed, 99 Oct 2015", "2015-10-21T07:28:00Z", "\u{0}"] {
            assert_eq!(retry_after(garbage, now), None, "{garbage:?}");
        }
    }

    #[test]
    fn a_host_is_left_alone_until_its_time() {
        let (hosts, now) = (Hosts::default(), Instant::now());
        let later = |secs| now + Duration::from_secs(secs);
        assert_eq!(hosts.closed("a", now), None);
        hosts.close("a", Some(Duration::from_secs(400)), "too many", now);
        assert_eq!(hosts.closed("a", later(399)).as_deref(), Some("too many"));
        assert_eq!(hosts.closed("b", now), None, "another host is not meant");
        assert_eq!(hosts.closed("a", later(400)), None);
        hosts.close("a", Some(Duration::ZERO), "at once", now);
        assert!(hosts.closed("a", later(299)).is_some(), "it was asked three times: a few minutes at least");
        hosts.close("a", Some(Duration::MAX), "for ever", now);
        assert!(hosts.closed("a", later(80_000)).is_some());
    }

    #[test]
    fn errors_in_a_row_close_a_host_and_a_good_answer_starts_the_count_anew() {
        let (hosts, now) = (Hosts::default(), Instant::now());
        hosts.bad("a", "HTTP 502", now);
        hosts.bad("a", "HTTP 502", now);
        hosts.good("a");
        hosts.bad("a", "HTTP 502", now);
        hosts.bad("a", "HTTP 502", now);
        assert_eq!(hosts.closed("a", now), None);
        hosts.bad("a", "HTTP 502", now);
        assert_eq!(hosts.closed("a", now).as_deref(), Some("HTTP 502"));
    }
}
