//! A watcher that is killed at any moment, while its node tells one failed forward after the other: what it says it has
//! watched it has, no part of it twice, and what it was told is counted once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use prost::Message as _;
use rusqlite::Connection;
use tonic_lnd::routerrpc::HtlcEvent;

use crate::audit::audit;
use crate::dice::Dice;
use crate::fake_lnd::{Asked, FakeLnd, Reply, Told};
use crate::harness::Sandbox;
use crate::profiles::{enable, lnd};
use crate::tally::{survived, tries};
use crate::watch::{HTLCS, Watching, messages, until};

/// Numbers of HTLCs that one subscription may tell.
const SUBSCRIPTION: u64 = 1_000_000;

fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the watcher's clock is this one")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// A node whose HTLC stream tells three failed forwards a millisecond. Each is another one: to each subscription it
/// tells those of the subscription's own number, in order.
fn telling() -> FakeLnd {
    let recorded = messages(HTLCS);
    let failed = |message: &Bytes| HtlcEvent::decode(message.clone()).unwrap();
    let begins = recorded[0].clone();
    let template = failed(&recorded[1]);
    let subscriptions = Arc::new(AtomicU64::new(1));
    let answer = move |asked: &Asked<'_>| match asked.path {
        HTLCS => {
            let first = subscriptions.fetch_add(1, Ordering::SeqCst) * SUBSCRIPTION;
            let at = u64::try_from(now_ms()).unwrap() * 1_000_000;
            // A batch is written when it is full, or five seconds old: full ones come several times a second.
            let told = (0..10_000).flat_map(|n| {
                let timestamp_ns = at + n * 300_000;
                let event = HtlcEvent { incoming_htlc_id: first + n, timestamp_ns, ..template.clone() };
                let pause = (n % 100 == 99).then_some(Told::Pause(Duration::from_millis(30)));
                [Told::Message(event.encode_to_vec().into())].into_iter().chain(pause)
            });
            Some(Reply::Stream([Told::Message(begins.clone())].into_iter().chain(told).chain([Told::Hang]).collect()))
        }
        path if path.contains("/Subscribe") => Some(Reply::Hang),
        _ => None,
    };
    lnd().answer(answer).start()
}

/// What is stored of the watch holds together, and is of before `killed`.
#[track_caller]
fn sound(sandbox: &Sandbox, killed: i64) -> usize {
    // A kill may come before there is a database.
    if !sandbox.database().exists() {
        return 0;
    }
    audit(&sandbox.state(), &BTreeMap::new());
    let db = Connection::open(sandbox.database()).unwrap();
    let mut spans =
        db.prepare("SELECT tenant, node, stream, from_ms, to_ms FROM coverage ORDER BY 1, 2, 3, 4").unwrap();
    let spans: Vec<(i64, i64, String, i64, i64)> = spans
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (_, _, stream, from, to) in &spans {
        assert!(from <= to && *to <= killed, "{stream} was watched from {from} to {to}, and the kill was at {killed}");
    }
    for two in spans.windows(2) {
        let (earlier, later) = (&two[0], &two[1]);
        let same = (earlier.0, earlier.1, &earlier.2) == (later.0, later.1, &later.2);
        assert!(!same || earlier.4 <= later.3, "watched twice: {earlier:?} and {later:?}");
    }
    let twice: i64 =
        db.query_row("SELECT count(*) - count(DISTINCT htlc_in) FROM htlc_failures", [], |row| row.get(0)).unwrap();
    assert_eq!(twice, 0, "failed forwards are counted twice");
    let open: i64 = db
        .query_row(
            "SELECT count(*) FROM peer_sessions a JOIN peer_sessions b ON a.tenant = b.tenant AND a.node = b.node AND \
             a.peer = b.peer AND a.from_ms < b.from_ms AND (a.to_ms IS NULL OR a.to_ms > b.from_ms)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(open, 0, "connections overlap");
    let mut told: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let mut all = db.prepare("SELECT htlc_in FROM htlc_failures ORDER BY htlc_in").unwrap();
    for id in all.query_map([], |row| row.get::<_, i64>(0)).unwrap().map(Result::unwrap) {
        told.entry(id / 1_000_000).or_default().push(id % 1_000_000);
    }
    for (subscription, ids) in &told {
        let whole: Vec<i64> = (0..).take(ids.len()).collect();
        assert_eq!(*ids, whole, "something is missing in the middle of what subscription {subscription} told");
    }
    told.values().map(Vec::len).sum()
}

#[test]
fn a_watcher_killed_at_any_moment_counts_nothing_twice_and_claims_nothing_it_did_not_watch() {
    let mut dice = Dice::told("watch");
    let kills = tries(50, 1_000);
    let (mut kept, mut sandbox, mut node) = (0, Sandbox::new(), telling());
    for kill in 0..kills {
        // A new store now and then, so that the first moments are met too and looking at it stays quick.
        if kill % 15 == 0 {
            node = telling();
            sandbox = Sandbox::new();
            enable(&sandbox, "alice", &node);
        }
        let mut watching = Watching::start(&sandbox, &[]);
        std::thread::sleep(dice.below(Duration::from_millis(1500)));
        // Now and then a report is made meanwhile.
        if dice.less_than(8) == 0 {
            let made = sandbox.run(["generate", "--all", "--force"]);
            assert!(matches!(made.code, Some(0 | 3)), "{}", made.stderr);
        }
        watching.0.kill().unwrap();
        let killed = now_ms();
        watching.0.wait().unwrap();
        kept = kept.max(sound(&sandbox, killed));
    }
    assert!(kept > 0, "no failed forward was ever kept");
    // One runs where the last was killed.
    let watching = Watching::start(&sandbox, &[]);
    let asked = node.calls_of(HTLCS);
    until("it follows again", || node.calls_of(HTLCS) > asked);
    let (code, said, _) = watching.stop();
    assert_eq!(code, Some(0), "{said}");
    sound(&sandbox, now_ms());
    eprintln!("up to {kept} failed forwards were kept in one store");
    survived("SIGKILL at a random moment of watch", kills);
}
