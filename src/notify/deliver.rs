//! From the outbox to the channels: each channel by itself, in the order of its messages, not faster than it may be, and
//! again later what was not taken.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::failed::{Failed, Why};
use super::message::{self, Message};
use super::{Courier, channel::Ready};
use crate::config::notify::Channel;
use crate::notice::{Event, EventKind, Hide};
use crate::report::Report;
use crate::store::{self, Handle, Letter, Next};
use crate::units::{DAY_MS, HOUR_MS, UnixMs};

/// More than these at once are told as one.
const MANY: usize = 20;
/// The wait after the first failure, doubled at each further one.
const FIRST_WAIT_MS: i64 = 30_000;
/// The longest wait of our own.
const LONGEST_WAIT_MS: i64 = 6 * HOUR_MS;
/// The longest wait that a service may ask for.
const LONGEST_ASKED_MS: i64 = DAY_MS;
/// For how long a message is tried.
const TRIED_MS: i64 = 3 * DAY_MS;
/// And how often at least; no more often where the other side refuses it.
const LEAST_TRIES: u32 = 3;
/// How often the lock is looked at while another process delivers.
const LOOK: Duration = Duration::from_millis(200);

/// What came of a delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Messages that were taken; those told as one count each.
    pub sent: usize,
    /// Messages that were not taken, and will be tried again.
    pub failed: usize,
    /// Messages that were given up.
    pub dead: usize,
    /// Messages that were due and had to wait.
    pub waiting: usize,
    /// What went wrong, a line for each channel.
    pub errors: Vec<String>,
    /// Another process delivered all the while.
    pub elsewhere: bool,
}

impl Delivered {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.failed += other.failed;
        self.dead += other.dead;
        self.waiting += other.waiting;
        self.errors.extend(other.errors);
    }
}

impl Courier {
    /// Sends what is due, for at most as long as `budget`. What is not taken waits in the outbox for the next time.
    pub async fn deliver(&self, store: &Handle, now: UnixMs, budget: Duration) -> store::Result<Delivered> {
        let mut all = Delivered::default();
        if self.offline {
            return Ok(all);
        }
        let until = Instant::now() + budget;
        let channels = self.notify.channels.keys().cloned().collect();
        let gone = store.run(move |store| store.letters_without_channel(&channels, now)).await?;
        if gone > 0 {
            all.dead += gone;
            all.errors.push(format!("{gone} messages were for channels that the config no longer has"));
        }
        let lock = loop {
            if let Some(lock) = store.run(store::Store::lock_outbox).await? {
                break lock;
            }
            if Instant::now() + LOOK >= until {
                return Ok(Delivered { elsewhere: true, ..all });
            }
            tokio::time::sleep(LOOK).await;
        };
        let tours = self.notify.channels.iter().map(|(name, channel)| {
            let tour = Tour { courier: self, store, name, channel, now, until };
            async move { tour.run().await }
        });
        for delivered in join_all(tours).await {
            all.add(delivered?);
        }
        drop(lock);
        store.run(move |store| store.purge_letters(now)).await?;
        Ok(all)
    }
}

/// One channel's part of a delivery.
struct Tour<'a> {
    courier: &'a Courier,
    store: &'a Handle,
    name: &'a str,
    channel: &'a Channel,
    now: UnixMs,
    until: Instant,
}

impl Tour<'_> {
    async fn run(&self) -> store::Result<Delivered> {
        let mut done = Delivered::default();
        let (name, now) = (self.name.to_owned(), self.now);
        let (due, lately) = self
            .store
            .run(move |store| {
                let due = store.letters_due(&name, now)?;
                Ok((due, store.letters_sent_since(&name, now.plus(-60_000))?))
            })
            .await?;
        if due.is_empty() {
            return Ok(done);
        }
        let ready = match Ready::new(self.channel, &self.courier.notify, &self.courier.places) {
            Ok(ready) => ready,
            Err(error) => {
                self.failed(&due, &[], &error, &mut done).await?;
                return Ok(done);
            }
        };
        let may = usize::try_from(self.channel.per_minute.saturating_sub(lately)).unwrap_or(0).min(MANY);
        let batches = batches(&due, may);
        let planned: usize = batches.iter().map(|batch| batch.len()).sum();
        done.waiting += due.len() - planned;
        for (i, batch) in batches.iter().enumerate() {
            if Instant::now() >= self.until {
                done.waiting += batches.iter().skip(i).map(|batch| batch.len()).sum::<usize>();
                break;
            }
            let Err(error) = self.one(&ready, batch).await? else {
                let ids = ids(batch);
                self.store.run(move |store| store.letters_sent(&ids, now)).await?;
                done.sent += batch.len();
                continue;
            };
            let rest: Vec<Letter> = batches.iter().skip(i + 1).flat_map(|batch| batch.iter().cloned()).collect();
            if self.failed(batch, &rest, &error, &mut done).await? {
                break;
            }
        }
        Ok(done)
    }

    /// Sends one letter, or several as one.
    async fn one(&self, ready: &Ready<'_>, batch: &[Letter]) -> store::Result<Result<(), Failed>> {
        let message = match batch {
            [letter] => self.message(letter, ready).await?,
            many => message::folded(many, ready.hides()),
        };
        let Some(message) = message else {
            return Ok(Err(Failed::new(Why::Unfit, "the event can't be read: a later daznode wrote it")));
        };
        let left = self.until.saturating_duration_since(Instant::now());
        let limit = self.courier.attempt.min(left);
        let late = || Failed::new(Why::Passing, format!("no answer within {} s", limit.as_secs().max(1)));
        let sending = self.courier.send(ready, &message, self.now, limit);
        Ok(timeout(limit, sending).await.unwrap_or_else(|_| Err(late())))
    }

    async fn message(&self, letter: &Letter, ready: &Ready<'_>) -> store::Result<Option<Message>> {
        let Some(event) = letter.event.clone() else { return Ok(None) };
        let (hide, depth) = (ready.hides(), ready.depth());
        let report = self.report(&event, letter.profile, hide).await?;
        Ok(Some(message::message(&event, report.as_ref(), depth, hide)))
    }

    /// The report that an event is about; else the newest of the profile, whose names are to be hidden.
    async fn report(&self, event: &Event, profile: Option<Uuid>, hide: Hide) -> store::Result<Option<Report>> {
        let id = event.report_id.filter(|_| event.kind == EventKind::Report);
        if id.is_none() && !hide.aliases {
            return Ok(None);
        }
        let look = move |store: &store::Store| {
            let found = match (id, profile) {
                (Some(id), _) => store.report_by_id(None, id)?,
                (None, Some(profile)) => match store.profile(profile)? {
                    Some(profile) => store.latest_report(&profile)?,
                    None => None,
                },
                (None, None) => None,
            };
            Ok(found.map(|stored| stored.report))
        };
        self.store.run(look).await
    }

    /// Notes a failure. Whether the channel is left alone for now, with all that waits for it.
    async fn failed(
        &self,
        batch: &[Letter],
        rest: &[Letter],
        error: &Failed,
        done: &mut Delivered,
    ) -> store::Result<bool> {
        let Some(first) = batch.first() else { return Ok(false) };
        let line = format!("{}: {error}", self.name);
        if !done.errors.contains(&line) {
            done.errors.push(line);
        }
        let next = next(first, error.why, self.now);
        match next {
            Next::Again(_) | Next::Asked(_) => done.failed += batch.len(),
            Next::GivenUp => done.dead += batch.len(),
        }
        let whole = error.why != Why::Unfit;
        let (tried, others) = (ids(batch), if whole { ids(rest) } else { Vec::new() });
        let (now, words) = (self.now, error.words.clone());
        let until = match next {
            Next::Again(at) | Next::Asked(at) => at,
            Next::GivenUp => now.plus(FIRST_WAIT_MS),
        };
        done.waiting += others.len();
        self.store
            .run(move |store| {
                store.letters_failed(&tried, now, &words, next)?;
                if others.is_empty() { Ok(()) } else { store.letters_put_off(&others, until) }
            })
            .await?;
        Ok(whole)
    }
}

fn ids(letters: &[Letter]) -> Vec<Uuid> {
    letters.iter().map(|letter| letter.id).collect()
}

/// At most `may` messages: one for each letter, or for the first ones, and one for all the rest.
fn batches(due: &[Letter], may: usize) -> Vec<&[Letter]> {
    if may == 0 {
        return Vec::new();
    }
    if due.len() <= may {
        return due.chunks(1).collect();
    }
    let (single, rest) = due.split_at(may - 1);
    single.chunks(1).chain([rest]).collect()
}

/// What comes after a try that failed: another one later, or none.
fn next(letter: &Letter, why: Why, now: UnixMs) -> Next {
    let tries = letter.tries.saturating_add(1);
    let old = now.since(letter.created_at) >= TRIED_MS;
    let lasting = matches!(why, Why::Refused | Why::Unfit);
    if tries >= LEAST_TRIES && (old || lasting) {
        return Next::GivenUp;
    }
    let doubled = FIRST_WAIT_MS.saturating_mul(1_i64.checked_shl(letter.tries.min(20)).unwrap_or(i64::MAX));
    let own = doubled.min(LONGEST_WAIT_MS);
    // Up to a quarter less, so that many programs that failed together don't come back together.
    let own = own - own / 4 * i64::from(letter.id.as_bytes().last().copied().unwrap_or(0)) / 255;
    match why {
        Why::Busy(wait) => {
            let asked = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).min(LONGEST_ASKED_MS);
            Next::Asked(now.plus(own.max(asked)))
        }
        Why::Passing | Why::Refused | Why::Unfit => Next::Again(now.plus(own)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LetterState;

    const NOW: UnixMs = UnixMs(1_795_240_800_000);

    fn letter(tries: u32, age_ms: i64) -> Letter {
        Letter {
            id: Uuid::from_u128(0),
            profile: None,
            channel: "phone".to_owned(),
            key: "k".to_owned(),
            event: None,
            state: LetterState::Waiting,
            not_before: NOW,
            tries,
            last_error: None,
            created_at: NOW.plus(-age_ms),
            ended_at: None,
        }
    }

    fn wait(tries: u32, why: Why) -> i64 {
        match next(&letter(tries, 0), why, NOW) {
            Next::Again(at) | Next::Asked(at) => at.since(NOW),
            Next::GivenUp => -1,
        }
    }

    #[test]
    fn waits_double_from_half_a_minute_to_six_hours() {
        let waits: Vec<i64> = (0..12).map(|tries| wait(tries, Why::Passing) / 1000).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 21_600, 21_600]);
        let last = Letter { id: Uuid::from_u128(255), ..letter(0, 0) };
        assert_eq!(next(&last, Why::Passing, NOW), Next::Again(NOW.plus(22_500)));
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept_up_to_a_day() {
        assert_eq!(wait(0, Why::Busy(Duration::from_secs(300))), 300_000);
        assert_eq!(wait(0, Why::Busy(Duration::from_secs(1))), 30_000);
        assert_eq!(wait(0, Why::Busy(Duration::MAX)), DAY_MS);
    }

    #[test]
    fn a_refusal_ends_at_the_third_try_and_silence_after_three_days() {
        for why in [Why::Refused, Why::Unfit] {
            assert!(wait(1, why) > 0);
            assert_eq!(wait(2, why), -1);
        }
        assert!(wait(40, Why::Passing) > 0);
        assert_eq!(next(&letter(2, TRIED_MS), Why::Passing, NOW), Next::GivenUp);
        assert_ne!(next(&letter(1, 30 * TRIED_MS), Why::Passing, NOW), Next::GivenUp, "three tries at least");
    }

    #[test]
    fn many_are_told_as_one_and_none_is_forgotten() {
        let due: Vec<Letter> = (0..50).map(|_| letter(0, 0)).collect();
        let sizes = |n: usize, may| batches(&due[..n], may).iter().map(|b| b.len()).collect::<Vec<_>>();
        assert_eq!(sizes(3, 20), [1, 1, 1]);
        assert_eq!(sizes(20, 20), vec![1; 20]);
        assert_eq!(sizes(50, 20), [vec![1; 19], vec![31]].concat());
        assert_eq!(sizes(3, 1), [3]);
        assert_eq!(sizes(3, 0), Vec::<usize>::new());
    }
}
