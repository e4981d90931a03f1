//! What is summed by day tells the same as what was kept one by one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::support::{Fixture, NOW, announce, channel, fixture, pubkey, snapshot};
use crate::history::{History, Mean};
use crate::snapshot::{Channel, FailedForward, FailureReason, PeerSession, Sample, WatchSpan, WatchedEvents};
use crate::store::RolledUp;
use crate::units::{DAY_MS, HOUR_MS, Msat, Sat, Scid, UnixMs};

const MINUTE_MS: i64 = 60_000;

/// A short look at the channels of these numbers, with what is ours in them.
fn sample(at: UnixMs, channels: &[(u64, i64)]) -> Sample {
    let mut node = snapshot(at, 0).node;
    node.closed = None;
    node.channels =
        Some(channels.iter().map(|(n, local)| Channel { local: Sat::new(*local), ..channel(*n) }).collect());
    Sample { taken_at: at, node, gaps: Vec::new() }
}

fn history(f: &Fixture, end: UnixMs) -> History {
    f.store.history(&f.profile, end, end.day()).unwrap()
}

fn rows(f: &Fixture, table: &str) -> i64 {
    let text = format!("SELECT count(*) FROM {table} WHERE tenant = 1");
    f.store.db.query_row(&text, [], |row| row.get(0)).unwrap()
}

fn minutes(n: i64) -> UnixMs {
    NOW.plus(n * MINUTE_MS)
}

#[test]
fn a_sample_is_kept_where_something_changed_and_whole_every_four_hours_or_when_a_channel_is_gone() {
    let f = fixture();
    let look = |minute, channels: &[(u64, i64)]| {
        f.store.put_sample(&f.profile, sample(minutes(minute), channels)).unwrap();
        (rows(&f, "channel_samples"), rows(&f, "wallet_samples"))
    };
    assert_eq!(look(0, &[(1, 100), (2, 500)]), (2, 1), "the first is whole");
    assert_eq!(look(5, &[(1, 100), (2, 500)]), (2, 1));
    assert_eq!(look(10, &[(1, 100), (2, 600)]), (3, 1), "one changed");
    assert_eq!(look(15, &[(1, 100), (2, 600), (3, 50)]), (4, 1), "one is new");
    assert_eq!(look(20, &[(1, 100), (2, 600), (3, 50)]), (4, 1));
    assert_eq!(look(30, &[(1, 100), (3, 50)]), (6, 2), "one is gone");
    assert_eq!(look(35, &[(1, 100), (3, 50)]), (6, 2));
    assert_eq!(look(269, &[(1, 100), (3, 50)]), (6, 2));
    assert_eq!(look(270, &[(1, 100), (3, 50)]), (8, 3), "four hours later");
    assert_eq!(look(260, &[(1, 900), (3, 50)]), (8, 3), "a clock that was set back a little");
    let mut stale = sample(minutes(600), &[(1, 1)]);
    stale.node.info.synced_to_chain = false;
    f.store.put_sample(&f.profile, stale).unwrap();
    assert_eq!(rows(&f, "channel_samples"), 8, "a node that is not synced has no balances");
    // By hand, over 300 minutes: 1 held 100 for 300, 2 held 500 for 10 and 600 for 20, 3 held 50 for 285.
    let mean = |local, of| Some(Mean { local: Sat::new(local), covered_ms: of * MINUTE_MS });
    let found: Vec<_> = history(&f, minutes(300)).balances.iter().map(|balance| balance.spans[0]).collect();
    assert_eq!(found, [mean(100, 300), mean(566, 30), mean(50, 285)]);
    // Rules that count samples count whole ones.
    assert_eq!(history(&f, minutes(300)).samples.len(), 6);
}

/// Two ways to the same mean may differ by the sat that each rounds.
fn near(left: Option<Mean>, right: Option<Mean>, cut: bool) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) if !cut => {
            left.covered_ms == right.covered_ms && (left.local.get() - right.local.get()).abs() <= 1
        }
        (left, right) => {
            // The day that the window's beginning cuts counts by its part: at most a day of the largest balance is astray.
            let sum = |mean: Option<Mean>| {
                let mean = mean.unwrap_or_default();
                (i128::from(mean.local.get()) * i128::from(mean.covered_ms), mean.covered_ms)
            };
            let ((a, a_ms), (b, b_ms)) = (sum(left), sum(right));
            (a_ms - b_ms).abs() <= DAY_MS && (a - b).abs() <= i128::from(DAY_MS) * 900_000 + i128::from(a_ms + b_ms)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn means_are_the_same_before_and_after_days_are_summed(
        // Quarters of an hour ago, and what each of three channels held then; nothing where it was not there.
        looks in prop::collection::btree_map(0_i64..100 * 96, [prop::option::weighted(0.9, 0_i64..900_000), prop::option::weighted(0.9, 0_i64..4), prop::option::weighted(0.9, 0_i64..900_000)], 1..60),
        stops in prop::collection::vec(9_i64..100, 0..3),
        at_midnight in any::<bool>(),
    ) {
        let f = fixture();
        // Whole days are exact; where a window begins within a day, its part of that day is taken.
        let end = if at_midnight { NOW.day().start() } else { NOW };
        announce(&f, end.plus(-1));
        for (ago, locals) in looks.iter().rev() {
            let there: Vec<_> = (1..).zip(locals).filter_map(|(n, local)| local.map(|local| (n, local))).collect();
            f.store.put_sample(&f.profile, sample(end.plus(-ago * 15 * MINUTE_MS - 1), &there)).unwrap();
        }
        let before = history(&f, end);
        // Also in several steps, as the days go by.
        let mut steps: Vec<i64> = stops.iter().map(|ago| end.day().number() - ago).collect();
        steps.sort_unstable();
        let key = f.store.key(&f.profile).unwrap();
        for day in steps {
            f.store.write(|tx| Ok(super::super::balances::roll_up(tx, key, day).unwrap())).unwrap();
        }
        f.store.roll_up(&f.profile, end).unwrap();
        let again = f.store.roll_up(&f.profile, end).unwrap();
        prop_assert_eq!(again, RolledUp::default());
        let after = history(&f, end);
        prop_assert_eq!(before.samples, after.samples);
        prop_assert_eq!(before.balances.len(), after.balances.len());
        for (before, after) in before.balances.iter().zip(&after.balances) {
            prop_assert_eq!(&before.point, &after.point);
            for (n, (before, after)) in before.spans.into_iter().zip(after.spans).enumerate() {
                let cut = !at_midnight && (n == 2 || n == 3);
                prop_assert!(near(before, after, cut), "span {}: {:?} and {:?}", n, before, after);
            }
        }
    }

    #[test]
    fn what_was_watched_is_the_same_before_and_after_days_are_summed(
        // Hours ago, hours long, and which peer.
        sessions in prop::collection::vec((0_i64..70 * 24, 1_i64..60, 1_u64..4), 0..30),
        spans in prop::collection::vec((0_i64..70 * 24, 1_i64..200), 1..10),
        failures in prop::collection::vec(0_i64..70 * 24 * 60, 0..40),
    ) {
        let f = fixture();
        announce(&f, NOW);
        let hours = |n: i64| NOW.plus(n * HOUR_MS);
        let mut all: BTreeMap<(u64, i64), PeerSession> = BTreeMap::new();
        for (ago, long, peer) in sessions {
            let session = PeerSession { peer: pubkey(2000 + peer), from: hours(-ago), to: Some(hours((long - ago).min(0))) };
            // A node has one connection to a peer at a time.
            let meets = |s: &PeerSession| s.peer == session.peer && s.from < session.to.unwrap() && session.from < s.to.unwrap();
            if !all.values().any(meets) {
                all.insert((peer, ago), session);
            }
        }
        let span = |stream: &str, (ago, long): &(i64, i64)| WatchSpan { stream: stream.to_owned(), from: hours(-ago), to: hours((long - ago).min(0)) };
        let coverage: Vec<_> = spans.iter().flat_map(|one| ["peers", "htlcs"].map(|stream| span(stream, one))).collect();
        let inside = |from: UnixMs, to: UnixMs, at: UnixMs| from <= at && at < to;
        let watched = |at: UnixMs| coverage.iter().any(|span| span.stream == "peers" && inside(span.from, span.to, at));
        // A connection that stands when the last unbroken watch begins is told from there on.
        let mut since = coverage.iter().map(|span| span.to).max().unwrap();
        while watched(since.plus(-HOUR_MS)) {
            since = since.plus(-HOUR_MS);
        }
        let told = |s: &PeerSession| if s.to.is_some_and(|to| to > since) { s.from.max(since) } else { s.from };
        let failures = failures.iter().zip(0..).map(|(minute, htlc_in)| FailedForward {
            at_ns: NOW.plus(-minute * MINUTE_MS).nanos(),
            scid_in: Scid(1),
            htlc_in,
            scid_out: Scid(2),
            amount_in: Msat::new(1_010),
            amount_out: Msat::new(1_000),
            reason: FailureReason::Balance,
        });
        let seen = WatchedEvents { failures: failures.collect(), sessions: all.into_values().collect(), coverage: coverage.clone() };
        f.store.put_watched(&f.profile, &seen).unwrap();
        let before = history(&f, NOW).watched;
        let kept: BTreeSet<_> = seen.sessions.iter().map(|s| (&s.peer, told(s))).collect();
        let connected = |f: &Fixture| -> BTreeMap<_, _> {
            f.store.peers_year(&f.profile, NOW).unwrap().into_iter().map(|p| (p.peer, p.connected_ms)).filter(|(_, ms)| *ms > 0).collect()
        };
        let year = connected(&f);
        let sums = f.store.roll_up(&f.profile, NOW).unwrap();
        prop_assert_eq!(rows(&f, "peer_sessions") + i64::try_from(sums.sessions).unwrap(), i64::try_from(kept.len()).unwrap());
        prop_assert_eq!(before, history(&f, NOW).watched);
        prop_assert_eq!(year, connected(&f));
        // The days of the peers, hour by hour: an hour counts where it was watched and anybody was connected.
        let oldest = NOW.day().number() - 40;
        let mut expected: BTreeMap<i64, i64> = BTreeMap::new();
        for hour in 0..75 * 24 {
            let at = hours(-hour);
            let connected = seen.sessions.iter().any(|s| s.peer == pubkey(2001) && inside(told(s), s.to.unwrap(), at));
            if at.day().number() < oldest && watched(at) && connected {
                *expected.entry(at.day().number()).or_default() += HOUR_MS;
            }
        }
        let mut found = f.store.db.prepare("SELECT day, connected_ms FROM peer_days WHERE tenant = 1 AND peer = ?1 AND connected_ms > 0").unwrap();
        let found: BTreeMap<i64, i64> =
            found.query_map([pubkey(2001).as_str()], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn nothing_is_summed_before_a_report_shows_that_the_clock_is_right() {
    let f = fixture();
    for day in 0..20 {
        f.store.put_sample(&f.profile, sample(NOW.plus(-day * DAY_MS), &[(1, day)])).unwrap();
    }
    assert_eq!(f.store.roll_up(&f.profile, NOW).unwrap(), RolledUp::default());
    assert_eq!(rows(&f, "balance_days"), 0);
    announce(&f, NOW);
    assert!(f.store.roll_up(&f.profile, NOW.plus(3650 * DAY_MS)).is_err());
    assert_eq!(rows(&f, "balance_days"), 0);
    f.store.roll_up(&f.profile, NOW).unwrap();
    assert!(rows(&f, "balance_days") > 0);
}
