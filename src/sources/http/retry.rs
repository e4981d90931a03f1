//! When to ask again, and when to leave a host alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use crate::sources::breaker::{Breaker, Failure};
use crate::sources::health::jitter;
use crate::units::UnixMs;

/// What a `Retry-After` header asks for: seconds or a date. `None` for what is neither.
pub fn retry_after(value: &str, now: UnixMs) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a u64 holds is still a number: for ever.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let wait = date(value)?.since(now);
    Some(Duration::from_millis(u64::try_from(wait).unwrap_or(0)))
}

/// A date as HTTP writes it.
pub fn date(value: &str) -> Option<UnixMs> {
    static DATE: DateTimeParser = DateTimeParser::new();
    DATE.parse_timestamp(value.trim()).ok().map(|date| UnixMs(date.as_millisecond()))
}

/// The breaker of each host.
#[derive(Debug, Default)]
pub(super) struct Hosts(Mutex<BTreeMap<String, Breaker>>);

impl Hosts {
    fn with<T>(&self, host: &str, act: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(hosts.entry(host.to_owned()).or_default())
    }

    /// Whether the host is asked now; if not, why.
    pub(super) fn ask(&self, host: &str, now: UnixMs) -> Result<(), String> {
        self.with(host, |breaker| {
            breaker.ask(now).map_err(|until| {
                let why = breaker.last_error.as_deref().unwrap_or("it kept failing");
                format!("left alone until {}, since {why}", until.rfc3339())
            })
        })
    }

    /// It answered as it should.
    pub(super) fn good(&self, host: &str, now: UnixMs) {
        self.with(host, |breaker| breaker.good(now));
    }

    /// It did not.
    pub(super) fn bad(&self, host: &str, failure: Failure, why: &str, now: UnixMs) {
        self.with(host, |breaker| breaker.bad(now, failure, jitter(), why));
    }

    /// Its breaker as it is now.
    pub(super) fn get(&self, host: &str) -> Breaker {
        self.with(host, |breaker| breaker.clone())
    }

    /// Its breaker as it was left by an earlier process.
    pub(super) fn put(&self, host: &str, kept: Breaker) {
        self.with(host, |breaker| *breaker = kept);
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
    fn each_host_has_its_own_breaker_and_says_until_when_and_why_it_is_left_alone() {
        let (hosts, now) = (Hosts::default(), UnixMs::from_secs(1_445_412_480));
        let hour = Some(Duration::from_hours(1));
        hosts.bad("a", Failure::Busy(hour), "a asks to be left alone", now);
        let why = "left alone until 2015-10-21T08:28:00Z, since a asks to be left alone";
        assert_eq!(hosts.ask("a", now), Err(why.to_owned()));
        assert_eq!(hosts.ask("b", now), Ok(()), "another host is not meant");
        let next = Hosts::default();
        next.put("a", hosts.get("a"));
        assert_eq!(next.ask("a", now), Err(why.to_owned()), "nor is it asked by the next process");
        assert_eq!(next.ask("a", now.plus(3_600_000)), Ok(()));
        next.good("a", now);
        assert_eq!(next.get("a").last_good, Some(now));
    }
}
