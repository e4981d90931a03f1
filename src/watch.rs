//! The watcher, top to bottom: what a timer of once a day can't see.
//!
//! The only file that knows what the watcher does when, as `daily` does for the day's run. Every profile is followed for
//! itself: what fails for one, or fails of the chores, ends nothing else.

mod late;
mod one;
mod sink;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use uuid::Uuid;

pub use self::late::overdue;
pub use self::sink::{BATCH, Moment, STOPPED, Sink};

use self::one::{One, Pulse};
use crate::snapshot::Sample;
use crate::sources;
use crate::sources::spec::SourceSpec;
use crate::sources::streams::WordSender;
use crate::store::{self, Handle, Profile, ProfileFilter};
use crate::units::UnixMs;

/// How profiles that come and go are looked for.
const LOOK: Duration = Duration::from_secs(30);
/// How often what is to be sent is sent.
const DELIVER: Duration = Duration::from_secs(5);
/// How often it is looked whether a report is overdue.
const LATE: Duration = Duration::from_secs(60);
/// How often what is old is summed; the first time when the start is over.
const ROLL_UP: Duration = Duration::from_secs(24 * 3600);
/// How long the start is taken to last.
const START: Duration = Duration::from_secs(300);
/// How long one chore may take.
const CHORE: Duration = Duration::from_secs(120);
/// How soon it is looked again whether every node was tried.
const SOON: Duration = Duration::from_millis(200);
/// A profile's loop that has not turned for so long is stuck, in milliseconds.
const STUCK_MS: i64 = 60_000;
/// How long the last batches may take when the watcher is stopped.
const STOP: Duration = Duration::from_secs(4);

/// How to watch.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose nodes.
    pub filter: ProfileFilter,
    /// How often each node is looked at.
    pub sample: Duration,
    /// How often sources are checked.
    pub probe: Duration,
    /// How late a report may be before that is told; `None` tells nothing.
    pub late: Option<Duration>,
    /// How often a sign of life is given.
    pub beat: Duration,
    /// How much faster than life the clock goes: 1, and more in tests.
    pub hurry: u32,
}

impl Options {
    /// How long a span of the watcher's clock lasts.
    fn lasts(&self, span: Duration) -> Duration {
        span / self.hurry.max(1)
    }
}

/// How grave a line of the log is, as syslog counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something does not work.
    Error,
    /// Something is not as it should be.
    Warning,
    /// Something happened.
    Info,
}

impl Level {
    /// Syslog's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Info => 6,
        }
    }
}

/// What the watcher watches, and what it does with that beside keeping it.
pub trait World {
    /// Follows the streams of a profile's node until nobody listens any more. An error is why it could not begin.
    fn follow(&self, profile: &Profile, words: WordSender) -> impl Future<Output = Result<(), sources::Error>>;

    /// A short look at a profile's node.
    fn sample(&self, profile: &Profile, now: UnixMs) -> impl Future<Output = Result<Sample, sources::Error>>;

    /// Checks every source, and keeps what came of it.
    fn probe(&self, now: UnixMs) -> LocalBoxFuture<'_, ()>;

    /// Judges what can't wait for the report. Whether something is to be sent.
    fn judge<'a>(&'a self, profile: &'a Profile, sample: &'a Sample) -> LocalBoxFuture<'a, bool>;

    /// Judges that a node does not answer, since when and why not. Whether something is to be sent.
    fn silent<'a>(&'a self, profile: &'a Profile, since: UnixMs, why: &'a str) -> LocalBoxFuture<'a, bool>;

    /// Sends what is to be sent.
    fn deliver(&self, now: UnixMs) -> LocalBoxFuture<'_, ()>;

    /// A line for the log.
    fn log(&self, level: Level, line: &str);

    /// Every node was tried once.
    fn ready(&self);

    /// The watcher turns and its store answers; how it is, in one line.
    fn alive(&self, status: &str);
}

/// What all parts of the watcher share.
struct Shared<'a, W> {
    store: &'a Handle,
    world: &'a W,
    clock: &'a dyn Fn() -> Moment,
    options: &'a Options,
    /// The profiles that are followed, each with what it shows of itself.
    followed: RefCell<HashMap<Uuid, Followed>>,
    /// Something was put into the outbox.
    news: tokio::sync::Notify,
}

/// A profile that is followed.
struct Followed {
    profile: Profile,
    pulse: Rc<Pulse>,
    halt: watch::Sender<bool>,
}

/// Watches until `stop`. Ends with an error only where the store can't be asked for profiles at the very start.
pub async fn run<W: World>(
    store: &Handle,
    world: &W,
    clock: &dyn Fn() -> Moment,
    options: &Options,
    stop: impl Future<Output = ()>,
) -> Result<(), store::Error> {
    let shared =
        Shared { store, world, clock, options, followed: RefCell::default(), news: tokio::sync::Notify::new() };
    let mut running = FuturesUnordered::new();
    let first = shared.profiles().await?;
    shared.renew(first, &mut running);
    if running.is_empty() {
        world.log(Level::Warning, "no enabled profile has an LND to follow: `daznode enable` makes one");
    }
    let chores = shared.chores();
    tokio::pin!(stop, chores);
    let mut look = interval(options.lasts(LOOK));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stop => break,
            () = &mut chores => {}
            Some((id, pulse)) = running.next(), if !running.is_empty() => shared.forget(id, &pulse),
            _ = look.tick() => match timeout(options.lasts(CHORE), shared.profiles()).await {
                Ok(Ok(profiles)) => shared.renew(profiles, &mut running),
                Ok(Err(error)) => world.log(Level::Error, &format!("the profiles can't be read: {error}")),
                Err(_) => world.log(Level::Error, "the store does not answer"),
            },
        }
    }
    for followed in shared.followed.borrow().values() {
        followed.halt.send_replace(true);
    }
    // What each has is stored within its time; what is not is lost, and the coverage says so.
    if timeout(STOP, async { while running.next().await.is_some() {} }).await.is_err() {
        world.log(Level::Warning, "the last words could not be stored in time");
    }
    Ok(())
}

/// A profile's loop, which ends with the profile.
type Running<'a> = FuturesUnordered<LocalBoxFuture<'a, (Uuid, Rc<Pulse>)>>;

impl<'a, W: World> Shared<'a, W> {
    fn now(&self) -> UnixMs {
        (self.clock)().wall
    }

    fn lasts(&self, span: Duration) -> Duration {
        self.options.lasts(span)
    }

    /// Enabled profiles.
    async fn profiles(&self) -> Result<Vec<Profile>, store::Error> {
        let filter = ProfileFilter { enabled_only: true, ..self.options.filter.clone() };
        self.store.run(move |store| store.profiles(&filter)).await
    }

    /// Follows what is new, and no longer what is gone or has another source. A node of several profiles is followed once:
    /// what it tells is kept by node.
    fn renew<'b>(&'b self, profiles: Vec<Profile>, running: &mut Running<'b>)
    where
        'a: 'b,
    {
        let mut followed = self.followed.borrow_mut();
        followed.retain(|id, one| {
            let stays = profiles.iter().any(|p| p.id == *id && p.source == one.profile.source);
            if !stays {
                one.halt.send_replace(true);
                self.world.log(Level::Info, &format!("{}: no longer followed as it was", name(&one.profile)));
            }
            stays
        });
        for profile in profiles.into_iter().filter(can_follow) {
            if followed.values().any(|one| one.profile.node_id == profile.node_id) {
                continue;
            }
            let (halt, halted) = watch::channel(false);
            let pulse = Rc::new(Pulse::new((self.clock)().awake));
            let one = One { shared: self, profile: profile.clone(), pulse: Rc::clone(&pulse) };
            let id = profile.id;
            running.push(Box::pin(async move {
                let pulse = Rc::clone(&one.pulse);
                one.run(halted).await;
                (id, pulse)
            }));
            followed.insert(id, Followed { profile, pulse, halt });
        }
    }

    /// A loop ended. Another one may have taken its place already.
    fn forget(&self, id: Uuid, pulse: &Rc<Pulse>) {
        let mut followed = self.followed.borrow_mut();
        if followed.get(&id).is_some_and(|one| Rc::ptr_eq(&one.pulse, pulse)) {
            followed.remove(&id);
        }
    }

    /// All that is done again and again beside following. Never ends.
    async fn chores(&self) {
        let late = RefCell::new(HashMap::new());
        tokio::join!(
            self.every(START, ROLL_UP, "what is old can't be summed", || self.roll_up()),
            self.every(Duration::ZERO, self.options.probe, "sources can't be checked", || self.probe()),
            self.every(LATE, LATE, "whether reports are late can't be seen", || late::tell(self, &late)),
            self.deliver(),
            self.beat(),
        );
    }

    /// Does a chore again and again, each time within its limit.
    async fn every<F: Future<Output = Result<(), store::Error>>>(
        &self,
        first: Duration,
        pause: Duration,
        failed: &str,
        chore: impl Fn() -> F,
    ) {
        sleep(self.lasts(first)).await;
        loop {
            match timeout(self.lasts(CHORE), chore()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.world.log(Level::Error, &format!("{failed}: {error}")),
                Err(_) => self.world.log(Level::Error, &format!("{failed}: it took longer than {} s", CHORE.as_secs())),
            }
            sleep(self.lasts(pause)).await;
        }
    }

    async fn roll_up(&self) -> Result<(), store::Error> {
        let now = self.now();
        for profile in self.profiles().await? {
            let who = name(&profile);
            if let Err(error) = self.store.run(move |store| store.roll_up(&profile, now)).await {
                self.world.log(Level::Error, &format!("{who}: what is old can't be summed: {error}"));
            }
        }
        Ok(())
    }

    async fn probe(&self) -> Result<(), store::Error> {
        self.world.probe(self.now()).await;
        Ok(())
    }

    /// Sends what is to be sent, at once after something was put there.
    async fn deliver(&self) {
        loop {
            if timeout(self.lasts(CHORE), self.world.deliver(self.now())).await.is_err() {
                self.world.log(Level::Error, "sending messages took too long; they are tried again");
            }
            // Either will do.
            let _ = timeout(self.lasts(DELIVER), self.news.notified()).await;
        }
    }

    /// Gives signs of life, only while every loop turns and the store answers.
    async fn beat(&self) {
        let mut ready = false;
        loop {
            if self.store.run(|_| Ok(())).await.is_ok() {
                if !ready && self.all_tried() {
                    ready = true;
                    self.world.ready();
                }
                if self.all_turn() {
                    self.world.alive(&self.status());
                }
            }
            let pause = if ready { self.options.beat } else { self.options.beat.min(SOON) };
            sleep(self.lasts(pause)).await;
        }
    }

    fn all_tried(&self) -> bool {
        self.followed.borrow().values().all(|one| one.pulse.tried.get())
    }

    fn all_turn(&self) -> bool {
        let now = (self.clock)().awake;
        self.followed.borrow().values().all(|one| now - one.pulse.turned.get() < STUCK_MS)
    }

    /// One line for whoever asks systemd.
    fn status(&self) -> String {
        let followed = self.followed.borrow();
        let well = followed.values().filter(|one| one.pulse.stands.get()).count();
        let worst = followed.values().find(|one| !one.pulse.stands.get());
        let worst = worst.map(|one| format!("; {}: {}", name(&one.profile), one.pulse.state.borrow()));
        let nodes = if followed.len() == 1 { "node" } else { "nodes" };
        format!("following {well} of {} {nodes}{}", followed.len(), worst.unwrap_or_default())
    }
}

/// Whether a profile's node has streams.
pub const fn can_follow(profile: &Profile) -> bool {
    matches!(profile.source, SourceSpec::Lnd(_))
}

/// What a profile is called in the log: nothing that a node could choose.
fn name(profile: &Profile) -> String {
    let key: String = profile.pubkey.as_str().chars().take(10).collect();
    format!("{} {key}", profile.user)
}
