//! Checks and breakers of sources: what comes back, what is summed, and whose it is.

use super::support::{NOW, announce, fixture, new_profile, pubkey};
use crate::snapshot::{BreakerState, ErrorClass, Tally};
use crate::sources::breaker::{Breaker, Failure, SourceState};
use crate::sources::health::{Kept, SourceCheck};
use crate::store::{Retention, Store};
use crate::units::{DAY_MS, HOUR_MS, UnixMs};

const PLACE: &str = "mempool.space";

fn check(at: UnixMs, good: bool) -> SourceCheck {
    SourceCheck {
        source: PLACE.to_owned(),
        subject: PLACE.to_owned(),
        at,
        good,
        latency_ms: good.then_some(41),
        error: (!good).then_some(ErrorClass::TooMany),
        detail: (!good).then(|| "HTTP 429".to_owned()),
        version: Some("3.2".to_owned()),
        newest: Some(at.plus(-1)),
    }
}

fn state() -> SourceState {
    let mut breaker = Breaker::default();
    breaker.good(NOW.plus(-HOUR_MS));
    breaker.bad(NOW, Failure::Tries(3), 0, "cannot reach it");
    SourceState { source: PLACE.to_owned(), subject: PLACE.to_owned(), breaker }
}

fn kept(store: &Store, now: UnixMs) -> Kept {
    store.source_health(None, PLACE, PLACE, now).unwrap()
}

fn tally(checks: u32, good: u32) -> Tally {
    Tally { checks, good }
}

#[test]
fn the_last_check_and_the_breaker_come_back_as_they_were() {
    let f = fixture();
    assert_eq!(kept(&f.store, NOW), Kept::default(), "nothing is known of a source before its first check");
    let (old, new) = (check(NOW.plus(-60_000), true), check(NOW, false));
    f.store.put_source_health(None, &[new.clone(), old], &[state()], NOW).unwrap();
    let there = kept(&f.store, NOW);
    assert_eq!(there.last, Some(new));
    assert_eq!(there.breaker, Some(state().breaker));
    assert_eq!(there.checks, [(0, tally(2, 1))]);
    let health = there.health(NOW);
    assert_eq!((health.error_class, health.breaker), (Some(ErrorClass::TooMany), Some(BreakerState::Open)));
    assert_eq!(health.last_good, Some(NOW.plus(-HOUR_MS)));
    let good = |at: UnixMs| Breaker { last_good: Some(at), ..Breaker::default() };
    let put = |breaker: Breaker| {
        let closed = SourceState { breaker, ..state() };
        f.store.put_source_health(None, &[check(NOW, true)], &[closed], NOW.plus(2)).unwrap();
        f.store.source_breaker(None, PLACE, PLACE).unwrap()
    };
    assert_eq!(
        put(good(NOW.plus(-1))),
        Some(state().breaker),
        "who did not hear that it is to be left alone ends nothing"
    );
    assert_eq!(put(good(NOW.plus(1))), Some(good(NOW.plus(1))), "it answered since");
    let there = kept(&f.store, NOW);
    assert!(!there.last.unwrap().good, "the first word about a moment stands");
}

#[test]
fn availability_is_of_the_last_days_to_the_millisecond() {
    let f = fixture();
    let ago = |ms: i64, good| check(NOW.plus(-ms), good);
    let checks = [
        ago(-1, false),
        ago(0, true),
        ago(DAY_MS - 1, false),
        ago(DAY_MS, true),
        ago(7 * DAY_MS - 1, true),
        ago(7 * DAY_MS, false),
        ago(30 * DAY_MS - 1, false),
        ago(30 * DAY_MS, true),
    ];
    f.store.put_source_health(None, &checks, &[], NOW).unwrap();
    let told = kept(&f.store, NOW).health(NOW).availability;
    assert_eq!((told.day, told.week, told.month), (tally(2, 1), tally(4, 3), tally(6, 3)));
    assert_eq!(told.year, tally(7, 4), "all but the one from the future");
    assert_eq!(told.day.share(), Some(0.5));
    assert_eq!(kept(&f.store, NOW.plus(-40 * DAY_MS)).health(NOW).availability.day.share(), None);
}

#[test]
fn old_checks_become_days_and_none_is_lost_or_counted_twice() {
    let f = fixture();
    // A purge follows a report.
    announce(&f, NOW);
    // The beginning of NOW's day less 35 days: what is before is summed.
    let edge = NOW.day().plus(-35).start();
    let checks: Vec<_> = [-DAY_MS - 1, -DAY_MS, -1, 0, 1].map(|ms| check(edge.plus(ms), ms != -1)).to_vec();
    f.store.put_source_health(None, &checks, &[], NOW).unwrap();
    for _ in 0..2 {
        f.store.purge(&f.profile, &Retention::default(), NOW).unwrap();
        let there = kept(&f.store, NOW);
        let days: Vec<_> = there.days.iter().map(|day| (day.start.since(edge) / DAY_MS, day.tally)).collect();
        assert_eq!(days, [(-2, tally(1, 1)), (-1, tally(2, 1))]);
        let single: u32 = there.checks.iter().map(|(_, tally)| tally.checks).sum();
        assert_eq!(single, 2);
        assert_eq!(there.health(NOW).availability.year, tally(5, 4));
    }
}

#[test]
fn a_node_belongs_to_its_tenant_and_goes_with_its_last_user() {
    let f = fixture();
    let node = pubkey(1);
    let mine = SourceCheck { source: "lnd".to_owned(), subject: node.to_string(), ..check(NOW, true) };
    let state = SourceState { source: "lnd".to_owned(), subject: node.to_string(), ..state() };
    let mut other = new_profile("carol", 1);
    other.tenant = "elsewhere".to_owned();
    let other = f.store.enable(&other, NOW).unwrap();
    f.store.put_source_health(Some(&other), std::slice::from_ref(&mine), &[state], NOW).unwrap();
    let of = |profile| f.store.source_health(profile, "lnd", node.as_str(), NOW).unwrap();
    assert_eq!(of(Some(&other)).last, Some(mine));
    assert_eq!(of(Some(&f.profile)), Kept::default());
    assert_eq!(of(None), Kept::default());
    f.store.put_source_health(None, &[check(NOW, true)], &[], NOW).unwrap();
    f.store.erase_user("elsewhere", "carol").unwrap();
    let again =
        f.store.enable(&crate::store::NewProfile { tenant: "elsewhere".to_owned(), ..new_profile("carol", 1) }, NOW);
    assert_eq!(of(Some(&again.unwrap())), Kept::default());
    assert!(kept(&f.store, NOW).last.is_some(), "public sources are not a user's");
}
