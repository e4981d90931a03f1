//! The loop against a world that does what its script says. An hour of it lasts 36 seconds.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::time::{Instant, sleep};

use super::{START, failed, new_profile, store};
use crate::history::Window;
use crate::notice::{EventKind, Route, Telling};
use crate::report::Severity;
use crate::snapshot::Sample;
use crate::sources;
use crate::sources::streams::{Seen, Stream, Word, WordSender};
use crate::store::tests::support::{channel, snapshot};
use crate::store::{Handle, Profile, ProfileFilter};
use crate::units::{HOUR_MS, Sat, UnixMs};
use crate::watch::{Level, Moment, Options, STOPPED, World, overdue, run};

/// A look at node 1: channels by number with what is ours in them.
pub(in crate::watch) fn sample(at: UnixMs, channels: &[(u64, i64)]) -> Sample {
    let mut node = snapshot(at, 0).node;
    node.closed = None;
    let open = channels.iter().map(|(n, local)| crate::snapshot::Channel { local: Sat::new(*local), ..channel(*n) });
    node.channels = Some(open.collect());
    Sample { taken_at: at, node, gaps: Vec::new() }
}

/// What the world does for one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    /// Every stream stands, and one forward fails each minute.
    Good,
    /// Nobody answers.
    Down,
    /// Calls never end.
    Hangs,
}

/// How much faster than life the script's clock goes.
const HURRY: u32 = 100;

struct Script {
    began: Instant,
    /// When it began, by its clock.
    start: UnixMs,
    nodes: RefCell<HashMap<String, Node>>,
    log: RefCell<Vec<String>>,
    beats: RefCell<Vec<String>>,
    ready: RefCell<Option<Duration>>,
    judged: RefCell<Vec<String>>,
    silent: RefCell<Vec<(String, UnixMs)>>,
    delivered: RefCell<u32>,
}

impl Script {
    fn new(nodes: &[(&str, Node)]) -> Self {
        Self {
            began: Instant::now(),
            start: START,
            nodes: RefCell::new(nodes.iter().map(|(user, node)| ((*user).to_owned(), *node)).collect()),
            log: RefCell::default(),
            beats: RefCell::default(),
            ready: RefCell::default(),
            judged: RefCell::default(),
            silent: RefCell::default(),
            delivered: RefCell::default(),
        }
    }

    fn moment(&self) -> Moment {
        let awake = i64::try_from(self.began.elapsed().as_millis()).unwrap() * i64::from(HURRY);
        Moment { wall: self.start.plus(awake), awake }
    }

    fn now(&self) -> UnixMs {
        self.moment().wall
    }

    async fn node(&self, profile: &Profile) -> Result<(), sources::Error> {
        let node = self.nodes.borrow().get(&profile.user).copied();
        match node {
            Some(Node::Good) => Ok(()),
            Some(Node::Hangs) => std::future::pending().await,
            Some(Node::Down) | None => {
                Err(sources::Error::Unreachable { address: "lnd".to_owned(), reason: "refused".to_owned() })
            }
        }
    }
}

impl World for Script {
    async fn follow(&self, profile: &Profile, words: WordSender) -> Result<(), sources::Error> {
        self.node(profile).await?;
        for stream in Stream::ALL {
            words.send(Word::Began { stream, at: self.now() }).await.unwrap();
        }
        for n in 0.. {
            wait(20).await;
            if n % 3 == 2 {
                let seen = Seen::Failed { forward: failed(self.now(), n, 1_000), detail: "FAIL".to_owned() };
                let _ = words.send(Word::Told { stream: Stream::Htlcs, seen }).await;
            }
            for stream in Stream::ALL {
                if words.send(Word::Alive { stream, at: self.now() }).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn sample(&self, profile: &Profile, now: UnixMs) -> Result<Sample, sources::Error> {
        self.node(profile).await?;
        Ok(sample(now, &[(1, 500_000)]))
    }

    fn probe(&self, _: UnixMs) -> LocalBoxFuture<'_, ()> {
        // A probe that hangs holds up nothing.
        Box::pin(std::future::pending())
    }

    fn judge<'a>(&'a self, profile: &'a Profile, _: &'a Sample) -> LocalBoxFuture<'a, bool> {
        self.judged.borrow_mut().push(profile.user.clone());
        Box::pin(async { true })
    }

    fn silent<'a>(&'a self, profile: &'a Profile, since: UnixMs, _: &'a str) -> LocalBoxFuture<'a, bool> {
        self.silent.borrow_mut().push((profile.user.clone(), since));
        Box::pin(async { false })
    }

    fn deliver(&self, _: UnixMs) -> LocalBoxFuture<'_, ()> {
        *self.delivered.borrow_mut() += 1;
        Box::pin(async {})
    }

    fn log(&self, level: Level, line: &str) {
        self.log.borrow_mut().push(format!("<{}>{line}", level.number()));
    }

    fn ready(&self) {
        self.ready.borrow_mut().get_or_insert(self.began.elapsed() * HURRY);
    }

    fn alive(&self, status: &str) {
        self.beats.borrow_mut().push(status.to_owned());
    }
}

fn options() -> Options {
    Options {
        filter: ProfileFilter::default(),
        sample: Duration::from_secs(300),
        probe: Duration::from_secs(60),
        late: Some(Duration::from_secs(7200)),
        beat: Duration::from_secs(10),
        hurry: HURRY,
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// A span of the script's clock.
async fn wait(seconds: u64) {
    sleep(Duration::from_secs(seconds) / HURRY).await;
}

async fn watch(handle: &Handle, script: &Script, seconds: u64) {
    let clock = || script.moment();
    run(handle, script, &clock, &options(), wait(seconds)).await.unwrap();
}

#[test]
fn one_node_that_hangs_or_is_down_holds_up_no_other() {
    let (_folder, opened, alice) = store();
    let bob = opened.enable(&new_profile("bob", 2), START).unwrap();
    opened.enable(&new_profile("carol", 3), START).unwrap();
    let handle = Handle::new(opened).unwrap();
    block_on(async {
        let script = Script::new(&[("alice", Node::Good), ("bob", Node::Down), ("carol", Node::Hangs)]);
        watch(&handle, &script, 400).await;
        let end = script.now();
        let (a, b) = (alice.clone(), bob.clone());
        let window = Window { start: START, end };
        let read = handle.run(move |store| {
            Ok((store.history(&a, end, end.day())?.watched, store.watch_coverage(&b, window)?, store.watcher(&b)?))
        });
        let (watched, nothing, row) = read.await.unwrap();
        assert!(watched.htlcs_ms[0] >= 200_000, "{watched:?}");
        assert!(watched.failures_day[0].count >= 3, "{watched:?}");
        assert_eq!(watched.peers_week.len(), 1, "the peer that is there, of the channel that is open");
        assert!(nothing.iter().all(|one| one.spans.is_empty()));
        assert_eq!(row.unwrap().state, STOPPED);
        let beats = script.beats.borrow();
        let said = script.log.borrow().join("\n");
        assert!(said.contains("not connected: cannot reach lnd: refused"), "{said}");
        assert!(beats.len() > 3 && beats.last().unwrap().starts_with("following 1 of 3 nodes; "), "{beats:?}");
        // The one that hangs was tried when its look ran out of time, and not before.
        assert!(script.ready.borrow().is_some_and(|at| at.as_secs() >= 45), "{:?}", script.ready);
        assert!(script.judged.borrow().iter().all(|user| user == "alice"));
        let silent = script.silent.borrow();
        let of_bob: Vec<UnixMs> = silent.iter().filter(|(user, _)| user == "bob").map(|(_, since)| *since).collect();
        assert!(of_bob.len() > 1 && of_bob.iter().all(|since| *since == of_bob[0]), "since the first look: {of_bob:?}");
        assert!(!silent.iter().any(|(user, _)| user == "alice"));
        drop(silent);
        assert!(*script.delivered.borrow() >= 5);
        let log = script.log.borrow().join("\n");
        assert!(log.contains("<4>bob 0200000000: it can't be looked at: cannot reach lnd: refused"), "{log}");
        assert!(log.contains("bob 0200000000: not connected: cannot reach lnd: refused"), "{log}");
        assert!(log.contains("<4>carol 0200000000: it can't be looked at: no answer within 45 s"), "{log}");
        assert!(log.contains("<3>sources can't be checked: it took longer than 120 s"), "{log}");
    });
}

#[test]
fn a_profile_that_is_enabled_later_is_followed_within_a_minute_and_a_disabled_one_is_dropped() {
    let (_folder, opened, alice) = store();
    let handle = Handle::new(opened).unwrap();
    block_on(async {
        let script = Script::new(&[("alice", Node::Good), ("bob", Node::Good)]);
        let later = async {
            wait(100).await;
            let now = script.now();
            let change = handle.run(move |store| {
                store.set_enabled(alice.id, false, now)?;
                store.enable(&new_profile("bob", 2), now)
            });
            change.await.unwrap()
        };
        let (bob, ()) = tokio::join!(later, watch(&handle, &script, 300));
        let all = Window { start: START, end: script.now() };
        let alice =
            handle.run(|store| store.profiles(&ProfileFilter { user: Some("alice".to_owned()), ..Default::default() }));
        let alice = alice.await.unwrap().remove(0);
        let spans = |profile: Profile| async {
            let coverage = handle.run(move |store| store.watch_coverage(&profile, all)).await.unwrap();
            coverage[0]
                .spans
                .iter()
                .map(|s| (s.start.since(START) / 1000, s.end.since(START) / 1000))
                .collect::<Vec<_>>()
        };
        let [(from, to)] = spans(alice).await[..] else { panic!("one span") };
        assert!(from < 60 && (20..250).contains(&to), "{from} to {to}");
        let [(from, to)] = spans(bob).await[..] else { panic!("one span") };
        assert!(from >= 100 && to > 200, "{from} to {to}");
    });
}

#[test]
fn a_report_that_is_overdue_is_told_once_a_day() {
    let (_folder, opened, alice) = store();
    let route =
        Route { channel: "mail".to_owned(), kinds: vec![EventKind::RunLate], least: Severity::Info, users: Vec::new() };
    let handle = Handle::new(opened.telling(Telling { routes: vec![route], ..Telling::default() })).unwrap();
    // Enabled at 06:00, due at 06:00 of each day that follows, late two hours after that.
    let lines = |hours: i64| {
        block_on(async {
            let script = Script { start: START.plus(hours * HOUR_MS), ..Script::new(&[]) };
            watch(&handle, &script, 150).await;
            script.log.into_inner().into_iter().filter(|line| line.contains("overdue")).collect::<Vec<_>>()
        })
    };
    let line = |date: &str| vec![format!("<4>alice 0200000000: The report of {date} is overdue")];
    assert_eq!(lines(25), Vec::<String>::new());
    assert_eq!(lines(27), line("2026-11-22"));
    assert_eq!(lines(27), line("2026-11-22"));
    assert_eq!(lines(51), line("2026-11-23"));
    // What is put into the outbox is there once.
    let told = |due: i64| {
        let due = START.plus(due * HOUR_MS);
        let (alice, event) = (alice.clone(), crate::watch::late::event(&alice, due, due));
        block_on(handle.run(move |store| store.tell(&alice, &event))).unwrap()
    };
    assert_eq!((told(24), told(48), told(72)), (0, 0, 1));
}

#[test]
fn a_report_is_overdue_from_its_time_and_grace_on() {
    let (_folder, _, mut alice) = store();
    let due = |alice: &Profile, hours: i64| overdue(alice, Duration::from_secs(7200), START.plus(hours * HOUR_MS));
    assert_eq!((due(&alice, 1), due(&alice, 25)), (None, None));
    assert_eq!(due(&alice, 26), Some(START.plus(24 * HOUR_MS)));
    alice.last_report_at = Some(START.plus(24 * HOUR_MS + 1));
    assert_eq!(due(&alice, 49), None);
    // The report of today is within its grace while that of yesterday never came.
    alice.last_report_at = Some(START);
    assert_eq!(due(&alice, 49), Some(START.plus(24 * HOUR_MS)));
}
