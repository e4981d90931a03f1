//! Quiet hours: from one time of day to another, where the operator lives.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::units::UnixMs;

/// A part of each day. One that begins later than it ends goes over midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Included.
    pub from: Time,
    /// Not included.
    pub to: Time,
    /// Whose clock is meant.
    pub zone: TimeZone,
}

impl Quiet {
    /// A time of day such as `22:00`.
    pub fn time(text: &str) -> Option<Time> {
        let whole = text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit() || b == b':');
        whole.then(|| Time::strptime("%H:%M", text).ok()).flatten()
    }

    /// The first moment from `at` on that is not within it.
    pub fn end(&self, at: UnixMs) -> UnixMs {
        let here = at.timestamp().to_zoned(self.zone.clone());
        let time = here.time();
        let over_midnight = self.from > self.to;
        let within =
            if over_midnight { time >= self.from || time < self.to } else { time >= self.from && time < self.to };
        if !within {
            return at;
        }
        let tomorrow = over_midnight && time >= self.from;
        let date = if tomorrow { here.date().tomorrow().unwrap_or(here.date()) } else { here.date() };
        // A time of day that a change of the clocks leaves out is the moment after it.
        let end = date.to_datetime(self.to).to_zoned(self.zone.clone());
        end.map_or(at, |end| UnixMs(end.timestamp().as_millisecond()).max(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central Europe, as a rule, so that no database of time zones is needed.
    const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    fn quiet(from: &str, to: &str, zone: &str) -> Quiet {
        let time = |text| Quiet::time(text).unwrap();
        Quiet { from: time(from), to: time(to), zone: TimeZone::posix(zone).unwrap() }
    }

    fn end(quiet: &Quiet, at: &str) -> String {
        UnixMs(at.parse::<jiff::Timestamp>().unwrap().as_millisecond()).rfc3339()
            + " → "
            + &quiet.end(UnixMs(at.parse::<jiff::Timestamp>().unwrap().as_millisecond())).rfc3339()
    }

    #[test]
    fn what_falls_into_the_night_waits_for_the_morning() {
        let night = quiet("22:00", "07:00", "UTC0");
        for (at, to) in [
            ("2026-11-21T21:59:59Z", "2026-11-21T21:59:59Z"),
            ("2026-11-21T22:00:00Z", "2026-11-22T07:00:00Z"),
            ("2026-11-22T06:59:59Z", "2026-11-22T07:00:00Z"),
            ("2026-11-22T07:00:00Z", "2026-11-22T07:00:00Z"),
            ("2026-12-31T23:00:00Z", "2027-01-01T07:00:00Z"),
        ] {
            assert_eq!(end(&night, at), format!("{at} → {to}"));
        }
        let noon = quiet("12:00", "14:00", "UTC0");
        assert_eq!(end(&noon, "2026-11-21T13:00:00Z"), "2026-11-21T13:00:00Z → 2026-11-21T14:00:00Z");
        assert_eq!(end(&noon, "2026-11-21T14:00:00Z"), "2026-11-21T14:00:00Z → 2026-11-21T14:00:00Z");
    }

    #[test]
    fn the_clock_is_that_of_the_time_zone() {
        // Berlin is an hour ahead of UTC in winter and two in summer; the clocks changed on 29 March 2026 at 01:00 UTC.
        let night = quiet("22:00", "07:00", BERLIN);
        assert_eq!(end(&night, "2026-11-21T21:30:00Z"), "2026-11-21T21:30:00Z → 2026-11-22T06:00:00Z");
        assert_eq!(end(&night, "2026-03-28T21:30:00Z"), "2026-03-28T21:30:00Z → 2026-03-29T05:00:00Z");
        // 02:30 is left out that night: quiet ends when it would have been.
        let short = quiet("01:00", "02:30", BERLIN);
        assert_eq!(end(&short, "2026-03-29T00:30:00Z"), "2026-03-29T00:30:00Z → 2026-03-29T01:30:00Z");
    }

    #[test]
    fn a_time_of_day_has_four_digits() {
        assert!(Quiet::time("07:00").is_some());
        for bad in ["7:00", "24:00", "22", "22:60", " 7:00", "07:00:00", ""] {
            assert!(Quiet::time(bad).is_none(), "{bad:?}");
        }
    }
}
