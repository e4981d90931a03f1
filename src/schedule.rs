//! When a profile's report is due: a cron expression of five fields, read in UTC.

use std::str::FromStr;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::units::{Day, ParseError, UnixMs};

/// Six in the morning, UTC: what the shipped daily timer runs.
pub const DEFAULT: &str = "0 6 * * *";

/// The systemd timer that can meet a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// `daznode.timer`: `generate --all` at 06:00 UTC.
    Daily,
    /// `daznode-due.timer`: `generate --due` each quarter of an hour.
    Due,
}

impl Timer {
    /// The unit's name.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Daily => "daznode.timer",
            Self::Due => "daznode-due.timer",
        }
    }
}

/// A parsed schedule. It fires at most once a day, since a node has one report a day.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    cron: Cron,
}

impl Schedule {
    /// The expression as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The last moment at or before `now` at which it fired.
    pub fn previous(&self, now: UnixMs) -> Option<UnixMs> {
        self.cron.find_previous_occurrence(&civil(now), true).ok().and_then(moment)
    }

    /// The next moment after `now` at which it fires.
    pub fn next(&self, now: UnixMs) -> Option<UnixMs> {
        self.cron.find_next_occurrence(&civil(now), false).ok().and_then(moment)
    }

    /// The moment of `day` at which it fires, if it does.
    pub fn on(&self, day: Day) -> Option<UnixMs> {
        self.next(day.start().plus(-1)).filter(|at| at.day() == day)
    }

    /// Whether a report is owed at `now` by a profile that was last served (or made) at `since`.
    pub fn owes(&self, since: UnixMs, now: UnixMs) -> bool {
        self.previous(now).is_some_and(|fired| since < fired)
    }

    /// The timer that meets it.
    pub fn timer(&self) -> Timer {
        let six = |day: &str| day.parse::<Day>().ok().and_then(|d| self.on(d).map(|at| at.since(d.start())));
        let all_at_six = EVERY_WEEKDAY.iter().all(|day| six(day) == Some(6 * crate::units::HOUR_MS));
        if all_at_six && self.text.split_whitespace().skip(2).all(|f| f == "*") { Timer::Daily } else { Timer::Due }
    }
}

/// Seven days in a row, to see what a schedule does in a week.
const EVERY_WEEKDAY: [&str; 7] =
    ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"];

impl FromStr for Schedule {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = |form| ParseError { what: "schedule", given: text.chars().take(80).collect(), form };
        let five = "a cron expression of five fields in UTC, such as \"0 6 * * *\"";
        if text.split_whitespace().count() != 5 {
            return Err(bad(five));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let schedule = Self { text: text.to_owned(), cron: parser.parse(text).map_err(|_| bad(five))? };
        let single = |field: Option<&str>| field.is_some_and(|f| f.bytes().all(|b| b.is_ascii_digit()));
        let mut fields = text.split_whitespace();
        if !single(fields.next()) || !single(fields.next()) {
            return Err(bad("one minute and one hour, since a node has one report a day, such as \"30 5 * * 1\""));
        }
        if schedule.next(Day::from_number(20_000).start()).is_none() {
            return Err(bad("a day that exists, such as \"0 6 * * *\""));
        }
        Ok(schedule)
    }
}

fn civil(at: UnixMs) -> DateTime {
    at.timestamp().to_zoned(TimeZone::UTC).datetime()
}

fn moment(at: DateTime) -> Option<UnixMs> {
    at.to_zoned(TimeZone::UTC).ok().map(|z| UnixMs(z.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMs {
        UnixMs(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap()
    }

    #[test]
    fn the_default_fires_at_six_utc_whatever_the_season() {
        let daily = schedule(DEFAULT);
        for day in ["2026-03-29", "2026-10-25", "2028-02-29"] {
            let six = at(&format!("{day}T06:00:00Z"));
            assert_eq!(daily.on(day.parse().unwrap()), Some(six));
            assert_eq!(daily.previous(six), Some(six));
            assert_eq!(daily.previous(six.plus(-1)), Some(six.plus(-crate::units::DAY_MS)));
            assert_eq!(daily.next(six), Some(six.plus(crate::units::DAY_MS)));
        }
    }

    #[test]
    fn a_report_is_owed_once_for_each_time_it_fires() {
        let weekly = schedule("30 5 * * 1");
        let monday = at("2026-11-16T05:30:00Z");
        assert!(!weekly.owes(monday, monday.plus(1)));
        assert!(!weekly.owes(monday.plus(60_000), at("2026-11-23T05:29:59Z")));
        assert!(weekly.owes(monday.plus(60_000), at("2026-11-23T05:30:00Z")));
        assert_eq!(weekly.on("2026-11-17".parse().unwrap()), None);
    }

    #[test]
    fn only_six_o_clock_daily_is_met_by_the_daily_timer() {
        for (text, timer) in [
            ("0 6 * * *", Timer::Daily),
            ("00 06 * * *", Timer::Daily),
            ("0 6 * * 1-5", Timer::Due),
            ("0 6 1 * *", Timer::Due),
            ("15 6 * * *", Timer::Due),
        ] {
            assert_eq!(schedule(text).timer(), timer, "{text}");
        }
    }

    #[test]
    fn what_is_no_daily_schedule_is_refused_with_the_form() {
        for text in [
            "",
            "daily",
            "0 6 * *",
            "0 0 6 * * *",
            "61 6 * * *",
            "0 6 31 2 *",
            "* * * * *",
            "*/15 6 * * *",
            "0 6,18 * * *",
        ] {
            let error = text.parse::<Schedule>().map(|_| ()).unwrap_err().to_string();
            assert!(error.starts_with("schedule ") && error.contains("such as"), "{text}: {error}");
        }
    }
}
