use super::*;
use crate::history::PastAdvice;

pub(super) fn open(days: i64, promised: i64) -> PastAdvice {
    PastAdvice {
        id: uuid::Uuid::from_u128(7),
        key: format!("refill:{}", point(1, 0)),
        state: AdviceState::Open,
        title: "Refill peer1".to_owned(),
        command: String::new(),
        act: Some(Act::Rebalance {
            from: point(2, 0),
            to: point(1, 0),
            amount_sat: Sat::new(3_000_000),
            max_fee_sat: Sat::new(1_950),
        }),
        promised: Some(Sat::new(promised).msat()),
        promised_low: None,
        promised_high: None,
        cost: None,
        first_at: NOW.plus(-days * DAY_MS),
        last_at: NOW.plus(-DAY_MS),
        followed_at: None,
        outcomes: vec![],
        spans: vec![],
    }
}

/// A node that is advised to refill, with a gain of 1,679 sat.
fn dry() -> (Snapshot, History) {
    let mut node = snapshot(vec![channel(1, 500_000, 9_500_000), channel(2, 9_000_000, 1_000_000)]);
    charges(&mut node, 1, 1_000);
    (node, steady(&[Daily { n: 1, out: 600_000, into: 0, ppm: 1_000 }]))
}

#[test]
fn what_was_advised_before_is_not_new() {
    let (node, mut past) = dry();
    past.advice = vec![open(5, 1_679)];
    let report = made(&node, &past);
    assert_eq!(find(&report, "refill:").unwrap().first_advised, Some(NOW.plus(-5 * DAY_MS).day()));
    assert_eq!(report.advice_updates, []);
}

#[test]
fn what_nobody_follows_for_two_weeks_is_left_out_unless_it_has_grown() {
    let (node, mut past) = dry();
    past.advice = vec![open(13, 1_679)];
    assert!(find(&made(&node, &past), "refill:").is_some());
    past.advice = vec![open(14, 1_679)];
    let report = made(&node, &past);
    assert!(find(&report, "refill:").is_none());
    assert_eq!(report.advice_updates[0].state, AdviceState::Ignored);
    // After 14 days in vain an eighth of 1,679 is promised: 209 is more than half again of 139, and is not of 140.
    past.advice = vec![open(14, 139)];
    assert!(find(&made(&node, &past), "refill:").is_some());
    past.advice = vec![open(14, 140)];
    assert!(find(&made(&node, &past), "refill:").is_none());
}

#[test]
fn ignored_advice_comes_back_after_a_month() {
    let (node, mut past) = dry();
    let ignored =
        |days: i64| PastAdvice { state: AdviceState::Ignored, last_at: NOW.plus(-days * DAY_MS), ..open(60, 1_679) };
    past.advice = vec![ignored(29)];
    assert!(find(&made(&node, &past), "refill:").is_none());
    past.advice = vec![ignored(30)];
    let report = made(&node, &past);
    assert_eq!(find(&report, "refill:").unwrap().first_advised, Some(NOW.day()), "as a new one");
    assert_eq!(report.advice_updates, []);
}

#[test]
fn what_guards_funds_is_never_given_up() {
    let (mut node, mut past) = dry();
    node.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
    past.advice = vec![PastAdvice { key: "anchor-reserve:node".to_owned(), act: None, ..open(100, 0) }];
    assert!(find(&made(&node, &past), "anchor-reserve:").is_some());
}
