//! One profile's loop: words and samples come in, batches go to the store.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::sink::{BATCH, Sink};
use super::{Level, Shared, World, name};
use crate::store::{Error, Heard, Profile};
use crate::units::{Pubkey, UnixMs};

/// How often a loop turns where nothing happens.
const TURN: Duration = Duration::from_secs(1);
/// How long a short look may take.
const LOOK: Duration = Duration::from_secs(45);
/// How long judging it may take.
const JUDGE: Duration = Duration::from_secs(30);
/// The shortest time between two looks: a node that restarts is not asked all the time.
const LOOK_LEAST: Duration = Duration::from_secs(5);
/// The pause after following could not begin, or a batch could not be stored.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause before following is begun again.
const PAUSE_MOST: Duration = Duration::from_secs(300);
/// How long what is on its way to the store may take when the loop ends.
const LAST: Duration = Duration::from_millis(1500);

/// What a profile's loop shows of itself.
#[derive(Debug)]
pub(super) struct Pulse {
    /// When it turned last, by the clock that can't be set.
    pub(super) turned: Cell<i64>,
    /// Whether the node was tried once.
    pub(super) tried: Cell<bool>,
    /// Whether any of its streams stands.
    pub(super) stands: Cell<bool>,
    /// Since when looking at it fails; `None` while that works.
    silent: Cell<Option<UnixMs>>,
    /// How it is, in a few words.
    pub(super) state: RefCell<String>,
}

impl Pulse {
    pub(super) fn new(now: i64) -> Self {
        Self {
            turned: Cell::new(now),
            tried: Cell::new(false),
            stands: Cell::new(false),
            silent: Cell::new(None),
            state: RefCell::new("starting".to_owned()),
        }
    }
}

/// One profile that is followed.
pub(super) struct One<'a, 'b, W> {
    pub(super) shared: &'b Shared<'a, W>,
    pub(super) profile: Profile,
    pub(super) pulse: Rc<Pulse>,
}

/// Who was connected when, where LND told that; or why it could not be looked at.
type Looked = Result<Option<(UnixMs, Vec<Pubkey>)>, String>;

impl<W: World> One<'_, '_, W> {
    /// Runs until it is halted, and stores what it has.
    pub(super) async fn run(&self, mut halted: watch::Receiver<bool>) {
        let (sender, mut words) = mpsc::channel(BATCH);
        let following = self.follow(sender);
        tokio::pin!(following);
        let mut sink = Sink::new((self.shared.clock)());
        let mut turn = interval(self.shared.lasts(TURN));
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sampling: Option<LocalBoxFuture<'_, Looked>> = None;
        let mut sampled: Option<Instant> = None;
        let mut storing: Option<LocalBoxFuture<'_, ()>> = None;
        loop {
            let since = sampled.map(|at| at.elapsed());
            let due = since.is_none_or(|since| {
                let pause = if sink.wants_peers() { LOOK_LEAST } else { self.shared.options.sample };
                since >= self.shared.lasts(pause)
            });
            if sampling.is_none() && due {
                sampled = Some(Instant::now());
                sampling = Some(Box::pin(self.sample()));
            }
            if storing.is_none() && sink.is_due() {
                storing = Some(Box::pin(self.store(sink.flush())));
            }
            tokio::select! {
                _ = halted.changed() => break,
                () = &mut following => {}
                Some(word) = words.recv(), if storing.is_none() => {
                    sink.notice((self.shared.clock)());
                    sink.take(word);
                }
                () = done(&mut storing) => storing = None,
                looked = done(&mut sampling) => {
                    sampling = None;
                    self.pulse.tried.set(true);
                    sink.looked(looked.as_ref().err().map(String::as_str));
                    if let Ok(Some((asked, peers))) = looked {
                        sink.peers(asked, peers.into_iter());
                    }
                }
                _ = turn.tick() => {
                    sink.notice((self.shared.clock)());
                    self.show(&sink);
                }
            }
        }
        drop(sampling);
        if let Some(storing) = storing {
            // A job that was begun is ended by the store's thread, also where it is no longer waited for.
            let _ = timeout(LAST, storing).await;
        }
        sink.notice((self.shared.clock)());
        while let Ok(word) = words.try_recv() {
            sink.take(word);
        }
        sink.stop();
        let _ = timeout(LAST, self.store(sink.flush())).await;
    }

    fn show(&self, sink: &Sink) {
        self.pulse.turned.set((self.shared.clock)().awake);
        self.pulse.stands.set(sink.stands());
        let state = sink.state();
        let mut shown = self.pulse.state.borrow_mut();
        if *shown != state {
            let level = if sink.stands() { Level::Info } else { Level::Warning };
            self.shared.world.log(level, &format!("{}: {state}", name(&self.profile)));
            *shown = state;
        }
    }

    /// Follows the node's streams, again and again. Never ends.
    async fn follow(&self, words: mpsc::Sender<crate::sources::streams::Word>) {
        let mut pause = PAUSE;
        loop {
            let begun = Instant::now();
            if let Err(error) = self.shared.world.follow(&self.profile, words.clone()).await {
                let line = format!("{}: its streams can't be followed: {error}", name(&self.profile));
                self.shared.world.log(Level::Warning, &line);
            }
            pause = if begun.elapsed() > self.shared.lasts(PAUSE_MOST) { PAUSE } else { (pause * 2).min(PAUSE_MOST) };
            sleep(self.shared.lasts(pause)).await;
        }
    }

    /// Looks at the node, keeps and judges what was seen.
    async fn sample(&self) -> Looked {
        let shared = self.shared;
        let asked = shared.now();
        let fault = match timeout(shared.lasts(LOOK), shared.world.sample(&self.profile, asked)).await {
            Ok(Ok(sample)) => {
                let kept = sample.clone();
                let profile = self.profile.clone();
                let connected =
                    sample.node.peers.as_ref().map(|peers| peers.iter().map(|p| p.pubkey.clone()).collect());
                if let Err(error) = shared.store.run(move |store| store.put_sample(&profile, kept)).await {
                    let line = format!("{}: what was seen can't be stored: {error}", name(&self.profile));
                    shared.world.log(Level::Error, &line);
                }
                self.pulse.silent.set(None);
                self.judge(async |profile: &Profile| shared.world.judge(profile, &sample).await).await;
                return Ok(connected.map(|connected| (asked, connected)));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", LOOK.as_secs()),
        };
        shared.world.log(Level::Warning, &format!("{}: it can't be looked at: {fault}", name(&self.profile)));
        let since = self.pulse.silent.get().unwrap_or(asked);
        self.pulse.silent.set(Some(since));
        self.judge(async |profile: &Profile| shared.world.silent(profile, since, &fault).await).await;
        Err(fault)
    }

    /// Judges a look, for every profile of the node.
    async fn judge(&self, judge: impl AsyncFn(&Profile) -> bool) {
        let shared = self.shared;
        let all = shared.profiles().await.unwrap_or_default();
        for profile in all.iter().filter(|profile| profile.node_id == self.profile.node_id) {
            match timeout(shared.lasts(JUDGE), judge(profile)).await {
                Ok(true) => shared.news.notify_one(),
                Ok(false) => {}
                Err(_) => shared.world.log(Level::Error, &format!("{}: judging took too long", name(profile))),
            }
        }
    }

    /// Stores a batch, however long that takes: meanwhile no word is taken, so that memory stays as it is.
    async fn store(&self, heard: Heard) {
        loop {
            let (profile, batch) = (self.profile.clone(), heard.clone());
            let Err(error) = self.shared.store.run(move |store| store.put_heard(&profile, &batch)).await else {
                return;
            };
            let line = format!("{}: what was heard can't be stored: {error}", name(&self.profile));
            self.shared.world.log(Level::Error, &line);
            // What the store refuses it refuses always, such as a profile that is gone.
            if matches!(error, Error::Invalid(_) | Error::Stopped) {
                return;
            }
            sleep(self.shared.lasts(PAUSE)).await;
        }
    }
}

/// What comes of a future, where there is one.
async fn done<T>(future: &mut Option<LocalBoxFuture<'_, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
