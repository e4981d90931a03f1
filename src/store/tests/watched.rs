//! What a watcher saw is kept once, and summed over what was watched only.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::support::{NOW, fixture, forward, pubkey, snapshot};
use crate::history::{FailureFlow, PeerWatch};
use crate::snapshot::{Events, FailedForward, FailureReason, PeerSession, WatchSpan, WatchedEvents};
use crate::units::{DAY_MS, HOUR_MS, Msat, Scid, UnixMs};

const MINUTE_MS: i64 = 60_000;

fn failed(at_ms: i64, htlc_in: u64, reason: FailureReason, amount: i64) -> FailedForward {
    FailedForward {
        at_ns: at_ms * 1_000_000,
        scid_in: Scid(1),
        htlc_in,
        scid_out: Scid(2),
        amount_in: Msat::new(amount + amount / 100),
        amount_out: Msat::new(amount),
        reason,
    }
}

fn session(peer: u64, from: UnixMs, to: Option<UnixMs>) -> PeerSession {
    PeerSession { peer: pubkey(peer), from, to }
}

fn span(stream: &str, from: UnixMs, to: UnixMs) -> WatchSpan {
    WatchSpan { stream: stream.to_owned(), from, to }
}

fn hours(n: i64) -> UnixMs {
    NOW.plus(n * HOUR_MS)
}

#[test]
fn without_a_watcher_nothing_is_said() {
    let f = fixture();
    f.store.put_snapshot(&f.profile, &snapshot(hours(-2), 2)).unwrap();
    assert_eq!(f.store.history(&f.profile, NOW, NOW.day()).unwrap().watched, crate::history::Watched::default());
}

#[test]
fn failures_are_summed_by_pair_and_reason_and_given_twice_count_once() {
    let f = fixture();
    let seen = WatchedEvents {
        failures: vec![
            failed(hours(-1).0, 1, FailureReason::Balance, 1_000),
            failed(hours(-2).0, 2, FailureReason::Balance, 2_000),
            failed(hours(-2).0, 3, FailureReason::Downstream, 5_000),
            failed(hours(-40).0, 4, FailureReason::Balance, 7_000),
            failed(NOW.0, 5, FailureReason::Balance, 9_000),
        ],
        sessions: Vec::new(),
        coverage: vec![span("htlcs", hours(-30), hours(-10)), span("htlcs", hours(-12), hours(5))],
    };
    for _ in 0..2 {
        f.store.put_watched(&f.profile, &seen).unwrap();
    }
    let watched = f.store.history(&f.profile, NOW, NOW.day()).unwrap().watched;
    let flow = |reason, count, amount: i64| FailureFlow {
        scid_in: Scid(1),
        scid_out: Scid(2),
        reason,
        count,
        amount_out: Msat::new(amount),
        fee: Msat::new(amount / 100),
    };
    let downstream = flow(FailureReason::Downstream, 1, 5_000);
    assert_eq!(watched.failures_day, [flow(FailureReason::Balance, 2, 3_000), downstream.clone()]);
    assert_eq!(watched.failures_week, [flow(FailureReason::Balance, 3, 10_000), downstream]);
    assert_eq!(watched.htlcs_ms, [24 * HOUR_MS, 30 * HOUR_MS, 30 * HOUR_MS]);
    assert_eq!(watched.peers_ms, [0; 3]);
    let spans: i64 = f
        .store
        .db
        .query_row("SELECT count(*) FROM coverage WHERE tenant = 1 AND stream = 'watch:htlcs'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(spans, 1, "spans that touch are one");
}

#[test]
fn forwards_that_settled_count_only_where_their_failures_were_watched() {
    let f = fixture();
    let at = [hours(-25), hours(-20), hours(-19).plus(-1), hours(-19), hours(-5), hours(-4), NOW];
    let forwards = at.iter().map(|at| forward(at.nanos(), 1, 2, 1_010, 1_000)).collect();
    f.store.put_events(&f.profile, &Events::Forwards(forwards)).unwrap();
    let seen = WatchedEvents {
        // An hour within the day, one hour that ends with it, and one before it.
        coverage: vec![
            span("htlcs", hours(-26), hours(-24)),
            span("htlcs", hours(-20), hours(-19)),
            span("htlcs", hours(-5), hours(2)),
        ],
        ..WatchedEvents::default()
    };
    f.store.put_watched(&f.profile, &seen).unwrap();
    let history = f.store.history(&f.profile, NOW, NOW.day()).unwrap();
    assert_eq!((history.watched.settled_day, history.day.forwards), (4, 5));
}

#[test]
fn a_peer_is_not_charged_with_the_time_in_which_nobody_was_connected() {
    let f = fixture();
    f.store.put_snapshot(&f.profile, &snapshot(hours(-400), 3)).unwrap();
    let seen = WatchedEvents {
        failures: Vec::new(),
        // Peer 1 is away for two hours; then the node is cut off for four; peer 2 stays until now.
        sessions: vec![
            session(1001, hours(-20), Some(hours(-16))),
            session(1001, hours(-14), Some(hours(-10))),
            session(1001, hours(-6), None),
            session(1002, hours(-20), Some(hours(-10).plus(5_000))),
            session(1002, hours(-6), None),
        ],
        coverage: vec![span("peers", hours(-20), NOW)],
    };
    f.store.put_watched(&f.profile, &seen).unwrap();
    let watched = f.store.history(&f.profile, NOW, NOW.day()).unwrap().watched;
    let whole = 16 * HOUR_MS + 5_000;
    let expected = [
        PeerWatch { peer: pubkey(1001), watched_ms: whole, connected_ms: 14 * HOUR_MS, breaks: 1 },
        PeerWatch { peer: pubkey(1002), watched_ms: whole, connected_ms: whole, breaks: 0 },
        // It has a channel and was never seen.
        PeerWatch { peer: pubkey(1003), watched_ms: whole, connected_ms: 0, breaks: 0 },
    ];
    assert_eq!(watched.peers_week, expected);
    assert_eq!(watched.peers_month, expected);
    assert_eq!(watched.peers_ms, [20 * HOUR_MS; 3]);
}

#[test]
fn a_connection_without_an_end_lasts_no_longer_than_it_was_watched() {
    let f = fixture();
    let first = WatchedEvents {
        sessions: vec![session(7, hours(-10), None), session(8, hours(-10), None)],
        coverage: vec![span("peers", hours(-10), hours(-8))],
        ..WatchedEvents::default()
    };
    // The watcher was stopped, and began again when only one of them was there.
    let second = WatchedEvents {
        sessions: vec![session(8, hours(-4), None)],
        coverage: vec![span("peers", hours(-4), NOW)],
        ..WatchedEvents::default()
    };
    f.store.put_watched(&f.profile, &first).unwrap();
    f.store.put_watched(&f.profile, &second).unwrap();
    let connected = |now| {
        let watched = f.store.history(&f.profile, now, NOW.day()).unwrap().watched;
        watched
            .peers_week
            .iter()
            .map(|peer| (peer.connected_ms / HOUR_MS, peer.watched_ms / HOUR_MS))
            .collect::<Vec<_>>()
    };
    assert_eq!(connected(NOW), [(2, 6), (6, 6)]);
    // The end comes later and takes the place of none.
    let end = WatchedEvents { sessions: vec![session(8, hours(-4), Some(hours(-3)))], ..WatchedEvents::default() };
    f.store.put_watched(&f.profile, &end).unwrap();
    f.store.put_watched(&f.profile, &second).unwrap();
    assert_eq!(connected(NOW), [(2, 3), (3, 3)]);
}

#[test]
fn a_connection_that_outlasts_a_break_of_the_watch_counts_again_after_it() {
    let f = fixture();
    let (began, stop, again) = (hours(-100), hours(-10), hours(-10).plus(143));
    let look = |sessions: Vec<PeerSession>, from, to| {
        let seen = WatchedEvents { sessions, coverage: vec![span("peers", from, to)], ..WatchedEvents::default() };
        f.store.put_watched(&f.profile, &seen).unwrap();
    };
    let connected = || {
        let watched = f.store.history(&f.profile, NOW, NOW.day()).unwrap().watched;
        watched.peers_week.iter().map(|peer| (peer.connected_ms, peer.breaks)).collect::<Vec<_>>()
    };
    assert_eq!(f.store.resume(&f.profile).unwrap().watched_to, None);
    look(vec![session(7, began, None), session(8, began, None)], hours(-30), stop);
    assert_eq!(f.store.resume(&f.profile).unwrap().watched_to, Some(stop));
    assert_eq!(connected(), [(20 * HOUR_MS, 0); 2]);
    // Both are told anew with their old beginning; the watch goes on in two looks without a break.
    look(vec![session(7, began, None), session(8, began, None)], again, hours(-5));
    assert_eq!(connected(), [(25 * HOUR_MS - 143, 0); 2]);
    look(vec![session(7, began, Some(hours(-2))), session(8, began, None)], hours(-5), NOW);
    assert_eq!(connected(), [(28 * HOUR_MS - 143, 1), (30 * HOUR_MS - 143, 0)]);
    // Where it goes on from the end of what is stored, there is no break.
    assert_eq!(f.store.resume(&f.profile).unwrap().watched_to, Some(NOW));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn failures_and_coverage_are_the_same_counted_one_by_one(
        failures in prop::collection::vec((0_i64..35 * 24 * 60, 0_u64..3, 1_i64..1_000_000), 0..60),
        spans in prop::collection::vec((0_i64..40 * 24, 1_i64..80), 0..8),
        halves in any::<bool>(),
    ) {
        let f = fixture();
        let reasons = [FailureReason::Balance, FailureReason::Policy, FailureReason::Unknown];
        let mut all: BTreeMap<(i64, u64), FailedForward> = BTreeMap::new();
        for (minute, n, amount) in failures {
            let at = NOW.0 + DAY_MS - minute * MINUTE_MS;
            all.entry((at, n)).or_insert_with(|| failed(at, n, reasons[usize::try_from(n).unwrap()], amount));
        }
        let coverage: Vec<_> = spans.iter().map(|(ago, long)| span("htlcs", hours(-ago), hours(long - ago))).collect();
        let failures: Vec<_> = all.values().cloned().collect();
        let middle = if halves { failures.len() / 2 } else { 0 };
        for part in [&failures[middle..], &failures[..], &failures[..middle]] {
            let seen = WatchedEvents { failures: part.to_vec(), coverage: coverage.clone(), ..WatchedEvents::default() };
            f.store.put_watched(&f.profile, &seen).unwrap();
        }
        let watched = f.store.history(&f.profile, NOW, NOW.day()).unwrap().watched;
        let found = [(&watched.failures_day, 1), (&watched.failures_week, 7), (&watched.failures_month, 30)];
        for (n, (flows, days)) in found.into_iter().enumerate() {
            let start = NOW.plus(-days * DAY_MS);
            let mut expected: BTreeMap<FailureReason, (u32, i64, i64)> = BTreeMap::new();
            for one in failures.iter().filter(|one| one.at_ns >= start.nanos() && one.at_ns < NOW.nanos()) {
                let sum = expected.entry(one.reason).or_default();
                sum.0 += 1;
                sum.1 += one.amount_out.get();
                sum.2 += (one.amount_in - one.amount_out).get();
            }
            let found: BTreeMap<_, _> =
                flows.iter().map(|flow| (flow.reason, (flow.count, flow.amount_out.get(), flow.fee.get()))).collect();
            prop_assert_eq!(found, expected);
            // Hour by hour.
            let hour = |h: i64| coverage.iter().any(|span| span.from <= hours(-h) && span.to >= hours(1 - h));
            let covered = i64::try_from((1..=days * 24).filter(|h| hour(*h)).count()).unwrap();
            prop_assert_eq!(watched.htlcs_ms[n], covered * HOUR_MS);
        }
    }
}
