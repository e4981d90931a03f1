//! An alert's life: what is told of it now, and what is to be kept so that nothing is told twice.
//!
//! Whoever looks, a report or the watcher, goes through the same rules within one transaction of the store. Told is what
//! the outside knows: by a message of its own, by a digest, or because the operator acknowledged it.

use crate::report::Severity;
use crate::units::{HOUR_MS, UnixMs};

use super::Quiet;

/// When alerts are told, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// The least severity that gets a message of its own; the rest stands in the digest only.
    pub at_once: Severity,
    /// Milliseconds after which an alert that stands is told again: info, warning, critical; 0 for never.
    pub repeat_ms: [i64; 3],
    /// Openings within [`Rhythm::flap_ms`] that are told one by one; 0 for all.
    pub flap_count: u32,
    /// The time over which openings are counted, and for which one that flaps must be quiet.
    pub flap_ms: i64,
    /// How long the watcher must miss an alert before it is over.
    pub gone_ms: i64,
    /// When nothing is sent but what is critical.
    pub quiet: Option<Quiet>,
    /// Whether critical ones wait then too.
    pub quiet_critical: bool,
    /// Rules that tell of something that happened: it is over, never resolved.
    pub passing: Vec<String>,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            at_once: Severity::Critical,
            repeat_ms: [0, 168 * HOUR_MS, 6 * HOUR_MS],
            flap_count: 3,
            flap_ms: 24 * HOUR_MS,
            gone_ms: 10 * 60_000,
            quiet: None,
            quiet_critical: false,
            passing: Vec::new(),
        }
    }
}

impl Rhythm {
    fn repeat(&self, severity: Severity) -> i64 {
        let [info, warning, critical] = self.repeat_ms;
        match severity {
            Severity::Info => info,
            Severity::Warning => warning,
            Severity::Critical => critical,
        }
    }
}

/// What there is to say of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// It is there.
    Opened,
    /// It is there again, once more than is told one by one.
    Flapping,
    /// It got worse.
    Raised,
    /// It still stands.
    Repeated,
    /// It is over.
    Resolved,
}

/// What the store keeps of an occurrence that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How bad.
    pub severity: Severity,
    /// Since when.
    pub opened: UnixMs,
    /// Whether the operator acknowledged it as bad as it is.
    pub acknowledged: bool,
    /// Messages of its own.
    pub told: u32,
    /// When the last of them was to be sent.
    pub told_at: Option<UnixMs>,
    /// The worst that the outside knows.
    pub known: Option<Severity>,
    /// Whether it came back so often that it is damped.
    pub flapping: bool,
    /// The watcher's first look that missed it.
    pub gone_since: Option<UnixMs>,
}

/// The occurrence before a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When it ended.
    pub at: UnixMs,
    /// Whether it was damped.
    pub flapping: bool,
    /// The worst that the outside knew.
    pub known: Option<Severity>,
}

/// A look at the node, as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// When.
    pub at: UnixMs,
    /// Whether nothing is to be sent of the alert.
    pub muted: bool,
    /// Whether its rule tells of something that happened.
    pub passing: bool,
    /// When alerts are told.
    pub rhythm: &'a Rhythm,
}

/// What became of an alert that a look misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// It may be back in a moment.
    Waits(Standing),
    /// It is over.
    Over(Option<Say>),
}

impl Standing {
    /// A new occurrence. `openings`: earlier ones of the same key that began within the time in which flaps are counted.
    pub fn new(severity: Severity, openings: u32, before: Option<Ended>, look: &Look<'_>) -> Self {
        let rhythm = look.rhythm;
        let damped = before.filter(|b| b.flapping && look.at.since(b.at) < rhythm.flap_ms);
        let often = rhythm.flap_count > 0 && openings >= rhythm.flap_count;
        Self {
            severity,
            opened: look.at,
            acknowledged: false,
            told: 0,
            told_at: None,
            known: damped.and_then(|before| before.known),
            flapping: damped.is_some() || often,
            gone_since: None,
        }
    }

    /// Whether nothing is said of it because it came and went too often and has not been quiet since.
    fn damped(&self, look: &Look<'_>) -> bool {
        self.flapping && look.at.since(self.opened) < look.rhythm.flap_ms
    }

    /// Whether it is worse than the outside knows.
    fn worse(&self) -> bool {
        self.known.is_none_or(|known| self.severity > known)
    }

    /// It was found again, as bad as `severity`; what there is to say. For a new one too.
    pub fn found(&mut self, severity: Severity, look: &Look<'_>) -> Option<Say> {
        let raised = severity > self.severity || self.known.is_some();
        self.severity = severity;
        self.gone_since = None;
        if self.worse() {
            // It was acknowledged for less.
            self.acknowledged = false;
        }
        let rhythm = look.rhythm;
        if look.muted || self.acknowledged || severity < rhythm.at_once {
            return None;
        }
        if self.worse() {
            return Some(match (self.damped(look), raised) {
                (_, true) => Say::Raised,
                (true, false) => Say::Flapping,
                (false, false) => Say::Opened,
            });
        }
        if self.damped(look) {
            return None;
        }
        // It stayed after all.
        if self.told == 0 && self.flapping {
            return Some(Say::Opened);
        }
        let (Some(told_at), every) = (self.told_at, rhythm.repeat(severity)) else { return None };
        let due = every > 0 && look.at.since(told_at) >= every;
        (due && !look.passing).then_some(Say::Repeated)
    }

    /// A message was put on its way, to be sent at `at`.
    pub fn tell(&mut self, at: UnixMs) {
        self.told = self.told.saturating_add(1);
        self.told_at = Some(at);
        self.known();
    }

    /// The outside knows how bad it is.
    pub fn known(&mut self) {
        self.known = self.known.max(Some(self.severity));
    }

    /// A look that judged its rule did not find it. The watcher looks often and must miss it for a while; what a report
    /// misses is over.
    pub fn missed(mut self, by_watch: bool, look: &Look<'_>) -> Missed {
        if by_watch {
            let since = self.gone_since.map_or(look.at, |since| since.min(look.at));
            let first = self.gone_since.is_none();
            self.gone_since = Some(since);
            if first || look.at.since(since) < look.rhythm.gone_ms {
                return Missed::Waits(self);
            }
        }
        Missed::Over(self.over(look))
    }

    /// What there is to say at its end: only where its opening was told.
    pub fn over(&self, look: &Look<'_>) -> Option<Say> {
        let silent = look.muted || look.passing || self.told == 0 || self.damped(look);
        (!silent).then_some(Say::Resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMs = UnixMs(1_795_240_800_000);
    use Severity::{Critical, Info, Warning};

    fn at(rhythm: &Rhythm, minutes: i64) -> Look<'_> {
        Look { at: START.plus(minutes * 60_000), muted: false, passing: false, rhythm }
    }

    /// A first occurrence at the start, and what is said of it; told where anything is.
    fn opened(severity: Severity, rhythm: &Rhythm) -> (Standing, Option<Say>) {
        let look = at(rhythm, 0);
        let mut standing = Standing::new(severity, 0, None, &look);
        let say = said(&mut standing, severity, &look);
        (standing, say)
    }

    /// What is said, and that it was.
    fn said(standing: &mut Standing, severity: Severity, look: &Look<'_>) -> Option<Say> {
        let say = standing.found(severity, look);
        if say.is_some() {
            standing.tell(look.at);
        }
        say
    }

    #[test]
    fn only_what_is_bad_enough_is_told_at_once() {
        let rhythm = Rhythm::default();
        assert_eq!(opened(Critical, &rhythm).1, Some(Say::Opened));
        assert_eq!(opened(Warning, &rhythm).1, None);
        assert_eq!(opened(Info, &rhythm).1, None);
        let all = Rhythm { at_once: Info, ..rhythm };
        assert_eq!(opened(Info, &all).1, Some(Say::Opened));
    }

    #[test]
    fn a_critical_one_is_repeated_every_six_hours_and_not_before() {
        let rhythm = Rhythm::default();
        let (mut alert, _) = opened(Critical, &rhythm);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 5)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 359)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 360)), Some(Say::Repeated));
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 365)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 720)), Some(Say::Repeated));
        let never = Rhythm { repeat_ms: [0; 3], ..rhythm.clone() };
        assert_eq!(said(&mut alert, Critical, &at(&never, 100_000)), None);
        let happened = Look { passing: true, ..at(&rhythm, 100_000) };
        assert_eq!(said(&mut alert, Critical, &happened), None, "what happened does not still stand");
    }

    #[test]
    fn one_that_gets_worse_is_told_and_one_that_gets_better_is_not() {
        let rhythm = Rhythm::default();
        let (mut alert, _) = opened(Warning, &rhythm);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 5)), Some(Say::Raised));
        assert_eq!(said(&mut alert, Warning, &at(&rhythm, 10)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 15)), None, "that it was critical is known");
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 365)), Some(Say::Repeated));
    }

    #[test]
    fn an_acknowledged_one_is_silent_until_it_is_worse_or_over() {
        let rhythm = Rhythm { at_once: Warning, ..Rhythm::default() };
        let (mut alert, _) = opened(Warning, &rhythm);
        alert.acknowledged = true;
        assert_eq!(said(&mut alert, Warning, &at(&rhythm, 200 * 60)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 200 * 60 + 5)), Some(Say::Raised));
        assert!(!alert.acknowledged, "it was acknowledged for less");
        alert.acknowledged = true;
        let later = at(&rhythm, 300 * 60);
        assert_eq!(said(&mut alert, Critical, &later), None);
        assert_eq!(alert.over(&later), Some(Say::Resolved));
    }

    #[test]
    fn nothing_is_said_of_a_muted_one_and_it_is_told_when_the_mute_ends() {
        let rhythm = Rhythm::default();
        let mute = |minutes| Look { muted: true, ..at(&rhythm, minutes) };
        let mut alert = Standing::new(Critical, 0, None, &mute(0));
        assert_eq!(said(&mut alert, Critical, &mute(0)), None);
        assert_eq!(alert.over(&mute(5)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 10)), Some(Say::Opened));
        assert_eq!(alert.over(&mute(15)), None, "also not that it is over");
    }

    #[test]
    fn the_end_is_told_only_where_the_beginning_was() {
        let rhythm = Rhythm::default();
        let (warning, _) = opened(Warning, &rhythm);
        let (critical, _) = opened(Critical, &rhythm);
        let later = at(&rhythm, 60);
        assert_eq!(warning.missed(false, &later), Missed::Over(None));
        assert_eq!(critical.clone().missed(false, &later), Missed::Over(Some(Say::Resolved)));
        let happened = Look { passing: true, ..later };
        assert_eq!(critical.missed(false, &happened), Missed::Over(None));
    }

    #[test]
    fn the_watcher_must_miss_one_twice_and_for_ten_minutes() {
        let rhythm = Rhythm::default();
        let (alert, _) = opened(Critical, &rhythm);
        let Missed::Waits(alert) = alert.missed(true, &at(&rhythm, 20)) else { panic!("gone at the first look") };
        let Missed::Waits(mut alert) = alert.missed(true, &at(&rhythm, 29)) else { panic!("gone too soon") };
        assert_eq!(alert.clone().missed(true, &at(&rhythm, 30)), Missed::Over(Some(Say::Resolved)));
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 30)), None);
        assert!(matches!(alert.missed(true, &at(&rhythm, 40)), Missed::Waits(_)), "it was there in between");
    }

    #[test]
    fn a_look_before_the_one_that_missed_it_ends_nothing() {
        let rhythm = Rhythm::default();
        let (alert, _) = opened(Critical, &rhythm);
        let Missed::Waits(alert) = alert.missed(true, &at(&rhythm, 60)) else { panic!() };
        let Missed::Waits(alert) = alert.missed(true, &at(&rhythm, -600)) else { panic!("a clock that went back") };
        assert_eq!(alert.gone_since, Some(START.plus(-600 * 60_000)));
    }

    /// The rules over a row of occurrences of one minute each, at these minutes: what is said of their beginnings and ends.
    fn flap(rhythm: &Rhythm, minutes: &[i64]) -> Vec<(Option<Say>, Option<Say>)> {
        let mut before: Option<Ended> = None;
        let mut begun: Vec<i64> = Vec::new();
        let mut told = Vec::new();
        for minute in minutes {
            let look = at(rhythm, *minute);
            let day = rhythm.flap_ms / 60_000;
            let openings = begun.iter().filter(|b| minute - **b < day).count();
            let mut alert = Standing::new(Critical, u32::try_from(openings).unwrap(), before, &look);
            let first = said(&mut alert, Critical, &look);
            let end = at(rhythm, minute + 1);
            told.push((first, alert.over(&end)));
            before = Some(Ended { at: end.at, flapping: alert.flapping, known: alert.known });
            begun.push(*minute);
        }
        told
    }

    #[test]
    fn the_fourth_within_a_day_is_told_as_flapping_and_then_nothing_until_it_was_quiet_for_a_day() {
        let rhythm = Rhythm::default();
        let both = (Some(Say::Opened), Some(Say::Resolved));
        let day = 24 * 60;
        assert_eq!(
            flap(&rhythm, &[0, 60, 120, 180, 240, 240 + day - 60, 240 + 3 * day]),
            [both, both, both, (Some(Say::Flapping), None), (None, None), (None, None), both],
        );
        // Seldom enough, each is told.
        assert_eq!(flap(&rhythm, &[0, 8 * 60, 16 * 60, 24 * 60]), [both; 4]);
        let off = Rhythm { flap_count: 0, ..rhythm };
        assert_eq!(flap(&off, &[0, 10, 20, 30, 40]), [both; 5]);
    }

    #[test]
    fn a_damped_one_that_stays_is_told_after_all() {
        let rhythm = Rhythm::default();
        let before = Ended { at: START.plus(-60_000), flapping: true, known: Some(Critical) };
        let mut alert = Standing::new(Critical, 9, Some(before), &at(&rhythm, 0));
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 0)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 24 * 60 - 1)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 24 * 60)), Some(Say::Opened));
        assert_eq!(alert.over(&at(&rhythm, 25 * 60)), Some(Say::Resolved));
    }

    #[test]
    fn a_damped_one_that_is_worse_than_before_is_told() {
        let rhythm = Rhythm { at_once: Warning, ..Rhythm::default() };
        let before = Ended { at: START.plus(-60_000), flapping: true, known: Some(Warning) };
        let mut alert = Standing::new(Warning, 9, Some(before), &at(&rhythm, 0));
        assert_eq!(said(&mut alert, Warning, &at(&rhythm, 0)), None);
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 5)), Some(Say::Raised));
        assert_eq!(said(&mut alert, Critical, &at(&rhythm, 10)), None);
    }
}
