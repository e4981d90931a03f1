//! When alerts are told, and how often.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{that, within};
use crate::analysis::RULES;
use crate::notice::{Quiet, Rhythm};
use crate::report::Severity;
use crate::units::HOUR_MS;

/// The settings of alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// The least severity that gets a message of its own.
    pub at_once: Severity,
    /// Hours after which a critical alert that stands is told again; 0 for never.
    pub repeat_critical_hours: u32,
    /// Likewise for a warning.
    pub repeat_warning_hours: u32,
    /// Likewise for the rest.
    pub repeat_info_hours: u32,
    /// Openings that are told one by one within the hours below; 0 for all.
    pub flap_count: u32,
    /// The hours in which they are counted, and for which one that flaps must be quiet.
    pub flap_hours: u32,
    /// Minutes for which the watcher must miss an alert before it is over.
    pub resolved_after_minutes: u32,
    /// When the quiet hours begin.
    pub quiet_from: Option<String>,
    /// When they end.
    pub quiet_to: Option<String>,
    /// Whose clock that is.
    pub timezone: String,
    /// Whether critical alerts wait for their end too.
    pub quiet_critical: bool,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            at_once: Severity::Critical,
            repeat_critical_hours: 6,
            repeat_warning_hours: 168,
            repeat_info_hours: 0,
            flap_count: 3,
            flap_hours: 24,
            resolved_after_minutes: 10,
            quiet_from: None,
            quiet_to: None,
            timezone: "UTC".to_owned(),
            quiet_critical: false,
        }
    }
}

const HOURS: &str = "a whole number of hours from 0 (never) to 8760";
const TIME: &str = "a time of day such as \"22:00\", together with the other end and different from it";

/// What each may be.
pub(super) const FORMS: [(&str, &str); 11] = [
    ("alerts.at_once", "\"critical\", \"warning\" or \"info\""),
    ("alerts.repeat_critical_hours", HOURS),
    ("alerts.repeat_warning_hours", HOURS),
    ("alerts.repeat_info_hours", HOURS),
    ("alerts.flap_count", "a whole number from 0 (all are told) to 1000"),
    ("alerts.flap_hours", "a whole number of hours from 1 to 8760"),
    ("alerts.resolved_after_minutes", "a whole number of minutes from 0 to 1440"),
    ("alerts.quiet_from", TIME),
    ("alerts.quiet_to", TIME),
    ("alerts.timezone", "a time zone such as \"UTC\" or \"Europe/Berlin\""),
    ("alerts.quiet_critical", "true or false"),
];

impl Alerts {
    /// The first of them that is wrong, with what was given.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        for (key, hours) in [
            ("alerts.repeat_critical_hours", self.repeat_critical_hours),
            ("alerts.repeat_warning_hours", self.repeat_warning_hours),
            ("alerts.repeat_info_hours", self.repeat_info_hours),
        ] {
            within(key, u64::from(hours), 0, 8760)?;
        }
        within("alerts.flap_count", u64::from(self.flap_count), 0, 1000)?;
        within("alerts.flap_hours", u64::from(self.flap_hours), 1, 8760)?;
        within("alerts.resolved_after_minutes", u64::from(self.resolved_after_minutes), 0, 1440)?;
        that("alerts.timezone", &self.timezone, zone(&self.timezone).is_some())?;
        for (key, time, other) in [
            ("alerts.quiet_from", &self.quiet_from, &self.quiet_to),
            ("alerts.quiet_to", &self.quiet_to, &self.quiet_from),
        ] {
            if let Some(time) = time {
                let whole = Quiet::time(time).is_some() && other.as_ref().is_some_and(|other| other != time);
                that(key, time, whole)?;
            }
        }
        Ok(())
    }

    /// As the rules take them.
    pub fn rhythm(&self) -> Rhythm {
        let hours = |hours: u32| i64::from(hours) * HOUR_MS;
        let time = |text: &Option<String>| text.as_deref().and_then(Quiet::time);
        let quiet = match (time(&self.quiet_from), time(&self.quiet_to), zone(&self.timezone)) {
            (Some(from), Some(to), Some(zone)) => Some(Quiet { from, to, zone }),
            _ => None,
        };
        Rhythm {
            at_once: self.at_once,
            repeat_ms: [self.repeat_info_hours, self.repeat_warning_hours, self.repeat_critical_hours].map(hours),
            flap_count: self.flap_count,
            flap_ms: hours(self.flap_hours),
            gone_ms: i64::from(self.resolved_after_minutes) * 60_000,
            quiet,
            quiet_critical: self.quiet_critical,
            passing: RULES.iter().filter(|rule| rule.event).map(|rule| rule.name.to_owned()).collect(),
        }
    }
}

/// A time zone by its name, or by the rule that POSIX writes for one.
fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).or_else(|_| TimeZone::posix(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_rules() {
        let rhythm = Alerts::default().rhythm();
        let happens = rhythm.passing.clone();
        assert_eq!(rhythm, Rhythm { passing: happens.clone(), ..Rhythm::default() });
        assert!(happens.contains(&"force-close".to_owned()) && !happens.contains(&"htlc-expiry".to_owned()));
    }

    #[test]
    fn quiet_hours_have_two_ends_and_a_clock() {
        let some = |text: &str| Some(text.to_owned());
        let quiet = |from, to, zone: &str| Alerts {
            quiet_from: from,
            quiet_to: to,
            timezone: zone.to_owned(),
            ..Alerts::default()
        };
        let good = quiet(some("22:00"), some("07:00"), "CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(good.check(), Ok(()));
        assert_eq!(good.rhythm().quiet.unwrap().end(crate::units::UnixMs(0)).rfc3339(), "1970-01-01T06:00:00Z");
        assert_eq!(Alerts::default().rhythm().quiet, None);
        for (bad, key) in [
            (quiet(some("22:00"), None, "UTC"), "alerts.quiet_from"),
            (quiet(None, some("07:00"), "UTC"), "alerts.quiet_to"),
            (quiet(some("22:00"), some("22:00"), "UTC"), "alerts.quiet_from"),
            (quiet(some("22:00"), some("7"), "UTC"), "alerts.quiet_to"),
            (quiet(None, None, "Mars/Olympus"), "alerts.timezone"),
        ] {
            assert_eq!(bad.check().unwrap_err().0, key);
        }
    }
}
