//! When a source that keeps failing is left alone, and when it is tried again: a circuit breaker without a clock.
//!
//! Closed, it lets everything through. Failures in a row open it for a time that doubles with each reopening; who asks to
//! be left alone opens it at once. When that time is over, one try goes through (half open): if it is good all is well
//! again, if not it opens for longer. Plain data, so that its state survives the process.

use std::time::Duration;

use crate::snapshot::BreakerState;
use crate::units::UnixMs;

/// Failures in a row that open it.
pub const FAILURES: u32 = 3;
/// For how long it opens first.
pub const SHORTEST: Duration = Duration::from_mins(5);
/// The longest that it opens by itself.
pub const LONGEST: Duration = Duration::from_hours(6);
/// The longest that a source may ask to be left alone.
pub const MOST_ASKED: Duration = Duration::from_hours(24);
/// A try of which nothing was heard for so long is lost with its process: another goes through.
const TRY: Duration = Duration::from_mins(2);

/// One source's breaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Whether it lets questions through.
    pub state: BreakerState,
    /// Failures in a row.
    pub failures: u32,
    /// How often it opened since the last good answer.
    pub opened: u32,
    /// Open: until then. Half open: when the try counts as lost.
    pub until: Option<UnixMs>,
    /// The last good answer.
    pub last_good: Option<UnixMs>,
    /// Why it failed last, in one line.
    pub last_error: Option<String>,
}

/// The breaker of a source, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The source's name.
    pub source: String,
    /// Which of its kind: a node's key for `lnd`, the address for the others.
    pub subject: String,
    /// Its breaker.
    pub breaker: Breaker,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// So many tries failed.
    Tries(u32),
    /// It asks to be left alone, for so long where it says.
    Busy(Option<Duration>),
}

impl Breaker {
    /// Whether a question goes through now; if not, until when. The first one after an opening is the one try.
    pub fn ask(&mut self, now: UnixMs) -> Result<(), UnixMs> {
        let Some(until) = self.until.filter(|_| self.state != BreakerState::Closed) else { return Ok(()) };
        // A time further ahead than any that is ever set is from a clock that was wrong.
        let left = until.since(now);
        if left > 0 && left <= millis(MOST_ASKED) {
            return Err(until);
        }
        self.state = BreakerState::HalfOpen;
        self.until = Some(now.plus(millis(TRY)));
        Ok(())
    }

    /// It answered as it should.
    pub fn good(&mut self, now: UnixMs) {
        *self = Self { last_good: self.last_good.max(Some(now)), ..Self::default() };
    }

    /// It did not. `jitter`, from 0 to 999, adds up to a quarter to the time, so that not all come back at once.
    pub fn bad(&mut self, now: UnixMs, failure: Failure, jitter: u32, why: &str) {
        self.last_error = Some(why.to_owned());
        match failure {
            Failure::Busy(wait) => {
                self.failures = self.failures.saturating_add(1);
                self.open(now, wait.map(|wait| wait.clamp(SHORTEST, MOST_ASKED)), jitter);
            }
            Failure::Tries(tries) => {
                self.failures = self.failures.saturating_add(tries);
                match self.state {
                    // A question that was on its way when it opened.
                    BreakerState::Open => {}
                    BreakerState::Closed if self.failures < FAILURES => {}
                    BreakerState::Closed | BreakerState::HalfOpen => self.open(now, None, jitter),
                }
            }
        }
    }

    /// Of this and one that another process kept at `kept_at`, the one that holds: what is left alone stays so until its
    /// time is over, or until it answered after that.
    pub fn or_kept<'a>(&'a self, kept: &'a Self, kept_at: UnixMs, now: UnixMs) -> &'a Self {
        let left = kept.until.map_or(0, |until| until.since(now));
        let left_alone = kept.state == BreakerState::Open && left > 0 && left <= millis(MOST_ASKED);
        let asks_sooner = self.state != BreakerState::Open || self.until < kept.until;
        let answered = self.last_good.is_some_and(|good| good > kept_at);
        if left_alone && asks_sooner && !answered { kept } else { self }
    }

    fn open(&mut self, now: UnixMs, wait: Option<Duration>, jitter: u32) {
        if self.state != BreakerState::Open {
            self.opened = self.opened.saturating_add(1);
        }
        let wait = wait.unwrap_or_else(|| pause(self.opened, jitter));
        let until = now.plus(millis(wait));
        // One that is open already stays so at least as long.
        self.until = self.until.filter(|_| self.state == BreakerState::Open).max(Some(until));
        self.state = BreakerState::Open;
    }
}

/// Five minutes, then twice that, up to six hours.
fn pause(opened: u32, jitter: u32) -> Duration {
    let doubled = SHORTEST.saturating_mul(2_u32.saturating_pow(opened.saturating_sub(1))).min(LONGEST);
    doubled.saturating_add(doubled / 4 * jitter.min(999) / 1000).min(LONGEST)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIN: i64 = 60_000;

    fn at(minutes: i64) -> UnixMs {
        UnixMs(1_795_240_800_000).plus(minutes * MIN)
    }

    fn failed(breaker: &mut Breaker, minutes: i64) {
        breaker.bad(at(minutes), Failure::Tries(1), 0, "HTTP 502");
    }

    #[test]
    fn three_failures_in_a_row_open_it_and_a_good_answer_starts_the_count_anew() {
        let mut breaker = Breaker::default();
        failed(&mut breaker, 0);
        failed(&mut breaker, 0);
        breaker.good(at(0));
        failed(&mut breaker, 1);
        failed(&mut breaker, 1);
        assert_eq!((breaker.state, breaker.ask(at(1))), (BreakerState::Closed, Ok(())));
        failed(&mut breaker, 1);
        assert_eq!((breaker.state, breaker.ask(at(1))), (BreakerState::Open, Err(at(6))));
        assert_eq!(breaker.last_error.as_deref(), Some("HTTP 502"));
        assert_eq!(breaker.last_good, Some(at(0)));
        let mut at_once = Breaker::default();
        at_once.bad(at(0), Failure::Tries(3), 0, "cannot reach it");
        assert_eq!(at_once.state, BreakerState::Open, "three tries of one question count as three");
    }

    #[test]
    fn after_its_time_exactly_one_try_goes_through() {
        let mut breaker = Breaker::default();
        breaker.bad(at(0), Failure::Tries(3), 0, "x");
        assert_eq!(breaker.ask(UnixMs(at(5).0 - 1)), Err(at(5)));
        assert_eq!(breaker.ask(at(5)), Ok(()));
        assert_eq!(breaker.state, BreakerState::HalfOpen);
        assert_eq!(breaker.ask(at(5)), Err(at(7)), "the second waits for what comes of the first");
        assert_eq!(breaker.ask(at(7)), Ok(()), "a try that was lost with its process holds nothing up for ever");
        breaker.good(at(7));
        assert_eq!(breaker, Breaker { last_good: Some(at(7)), ..Breaker::default() });
        assert_eq!((breaker.ask(at(7)), breaker.ask(at(7))), (Ok(()), Ok(())));
    }

    #[test]
    fn each_reopening_doubles_the_time_up_to_six_hours() {
        let (mut breaker, mut now) = (Breaker::default(), at(0));
        breaker.bad(now, Failure::Tries(3), 0, "x");
        let mut waits = Vec::new();
        for _ in 0..9 {
            let until = breaker.until.unwrap();
            waits.push(until.since(now) / MIN);
            now = until;
            assert_eq!(breaker.ask(now), Ok(()));
            breaker.bad(now, Failure::Tries(1), 0, "x");
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 360, 360]);
    }

    #[test]
    fn jitter_adds_up_to_a_quarter_and_never_goes_past_six_hours() {
        let wait = |opened, jitter| pause(opened, jitter).as_secs();
        assert_eq!((wait(1, 0), wait(1, 500)), (300, 337));
        assert_eq!(wait(1, 999), wait(1, 5000), "what is out of range is the most");
        assert!((370..375).contains(&wait(1, 999)));
        assert_eq!((wait(8, 0), wait(8, 999), wait(u32::MAX, 7)), (21_600, 21_600, 21_600));
    }

    #[test]
    fn who_asks_to_be_left_alone_is_at_once_and_for_as_long_as_a_day() {
        for (asked, minutes) in
            [(None, 5), (Some(0), 5), (Some(3600), 60), (Some(86_400), 24 * 60), (Some(u64::MAX), 24 * 60)]
        {
            let mut breaker = Breaker::default();
            breaker.bad(at(0), Failure::Busy(asked.map(Duration::from_secs)), 0, "HTTP 429");
            assert_eq!((breaker.state, breaker.until), (BreakerState::Open, Some(at(minutes))), "{asked:?}");
        }
    }

    #[test]
    fn what_comes_of_questions_on_their_way_never_shortens_or_doubles_it() {
        let mut breaker = Breaker::default();
        breaker.bad(at(0), Failure::Busy(Some(Duration::from_hours(2))), 0, "HTTP 429");
        failed(&mut breaker, 1);
        breaker.bad(at(1), Failure::Busy(None), 0, "HTTP 429");
        assert_eq!((breaker.until, breaker.opened), (Some(at(120)), 1));
        breaker.bad(at(1), Failure::Busy(Some(Duration::from_hours(3))), 0, "HTTP 429");
        assert_eq!((breaker.until, breaker.opened), (Some(at(181)), 1));
    }

    #[test]
    fn a_time_that_a_wrong_clock_set_is_not_waited_for() {
        let mut breaker = Breaker::default();
        breaker.bad(at(60 * 24 * 400), Failure::Tries(3), 0, "x");
        assert_eq!(breaker.ask(at(0)), Ok(()));
        assert_eq!(breaker.state, BreakerState::HalfOpen);
    }

    #[test]
    fn of_two_processes_the_one_that_was_asked_to_wait_holds_until_a_later_answer() {
        let mut asked = Breaker::default();
        asked.bad(at(0), Failure::Busy(Some(Duration::from_hours(2))), 0, "HTTP 429");
        let mut before = Breaker::default();
        before.good(at(-1));
        assert_eq!(before.or_kept(&asked, at(0), at(1)), &asked, "it answered before");
        assert_eq!(before.or_kept(&asked, at(0), at(120)), &before, "the time is over");
        let mut later = Breaker::default();
        later.good(at(1));
        assert_eq!(later.or_kept(&asked, at(0), at(2)), &later);
        let mut longer = Breaker::default();
        longer.bad(at(1), Failure::Busy(Some(Duration::from_hours(3))), 0, "HTTP 429");
        assert_eq!(longer.or_kept(&asked, at(0), at(2)), &longer);
        assert_eq!(asked.or_kept(&longer, at(1), at(2)), &longer);
        assert_eq!(before.or_kept(&later, at(1), at(2)), &before, "nobody has to wait");
        let mut ahead = Breaker::default();
        ahead.bad(at(60 * 24 * 400), Failure::Tries(3), 0, "x");
        assert_eq!(before.or_kept(&ahead, at(0), at(2)), &before, "a clock that was wrong");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask,
        Good,
        Bad(u32),
        Busy(Option<u64>),
        Wait(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Ask),
            Just(Step::Good),
            (1_u32..5).prop_map(Step::Bad),
            proptest::option::of(any::<u64>()).prop_map(Step::Busy),
            (-90_000_i64..90_000_000).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #[test]
        fn it_never_stays_open_for_more_than_a_day(steps in proptest::collection::vec(step(), 0..60), jitter in any::<u32>()) {
            let (mut breaker, mut now) = (Breaker::default(), at(0));
            for step in steps {
                match step {
                    Step::Ask => { let _ = breaker.ask(now); }
                    Step::Good => breaker.good(now),
                    Step::Bad(tries) => breaker.bad(now, Failure::Tries(tries), jitter, "x"),
                    Step::Busy(wait) => breaker.bad(now, Failure::Busy(wait.map(Duration::from_secs)), jitter, "x"),
                    Step::Wait(ms) => now = now.plus(ms),
                }
                prop_assert_eq!(breaker.state == BreakerState::Closed, breaker.until.is_none());
                prop_assert!(breaker.state == BreakerState::Closed || breaker.failures > 0);
                let mut later = breaker.clone();
                prop_assert!(later.ask(now.plus(25 * 60 * MIN)).is_ok());
                later.good(now);
                prop_assert!(later.ask(now).is_ok());
            }
        }
    }
}
