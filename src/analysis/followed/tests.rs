use super::*;
use crate::analysis::Thresholds;
use crate::analysis::support::*;
use crate::history::{AdviceSpan, History, PolicyChange, RebalanceFlow, ScidFlow, Window};
use crate::snapshot::{Pending, PendingChannel, Snapshot};
use crate::units::Sat;

fn given(n: u128, act: Act, days: i64) -> PastAdvice {
    PastAdvice {
        id: uuid::Uuid::from_u128(n),
        key: format!("kind:{n}"),
        state: AdviceState::Open,
        title: format!("advice {n}"),
        command: String::new(),
        act: Some(act),
        promised: Some(Msat::new(100_000)),
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

fn fee(from: i64, to: i64) -> Act {
    Act::SetFee { channel: point(1, 0), from_ppm: Ppm(from), to_ppm: Ppm(to), base_msat: Msat::ZERO }
}

fn node() -> Snapshot {
    snapshot((1..=5).map(|n| channel(n, 500_000, 500_000)).collect())
}

/// The updates where nothing is advised today and nothing was found.
fn told(snapshot: &Snapshot, past: &History) -> Vec<AdviceUpdate> {
    told_today(snapshot, past, &[], &[], &[])
}

fn told_today(
    snapshot: &Snapshot,
    past: &History,
    found: &[&str],
    ignored: &[&str],
    given: &[Recommendation],
) -> Vec<AdviceUpdate> {
    let limits = Thresholds::default();
    let facts = Facts::new(snapshot, past, &limits, Window::days_before(NOW, 1));
    let set = |keys: &[&str]| keys.iter().map(|k| (*k).to_owned()).collect();
    updates(&Seen::new(&facts), &Today { found: &set(found), ignored: &set(ignored), given })
}

fn state(updates: &[AdviceUpdate]) -> Option<(AdviceState, Option<UnixMs>)> {
    assert!(updates.len() <= 1, "{updates:?}");
    updates.first().map(|u| (u.state, u.followed_at.map(|t| t.0)))
}

fn change(days_ago: i64, before: i64, after: i64) -> PolicyChange {
    let at = NOW.plus(-days_ago * DAY_MS);
    let mut new = policy(after);
    new.updated_at = at.plus(-HOUR_MS);
    PolicyChange { point: point(1, 0), ours: true, at, before: Some(policy(before)), after: new }
}

/// Sets what the node charges now on the first channel, as if it had been so all along.
fn charging(snapshot: &mut Snapshot, ppm: i64) {
    snapshot.node.policies.as_mut().unwrap()[0].ours = Some(policy(ppm));
}

#[test]
fn a_fee_that_went_half_of_the_way_was_followed_in_part() {
    let set = |ppm| {
        let mut node = node();
        charging(&mut node, ppm);
        let past = History {
            advice: vec![given(1, fee(400, 600), 3)],
            policy_changes: vec![change(1, 400, ppm)],
            ..history(&[])
        };
        state(&told(&node, &past))
    };
    // When it was announced, an hour before it was seen.
    let at = Some(NOW.plus(-DAY_MS - HOUR_MS));
    assert_eq!(set(499), None);
    assert_eq!(set(500), Some((AdviceState::Partly, at)));
    assert_eq!(set(579), Some((AdviceState::Partly, at)));
    assert_eq!(set(580), Some((AdviceState::Followed, at)));
    assert_eq!(set(900), Some((AdviceState::Followed, at)));
    assert_eq!(set(300), None, "the other way");
}

#[test]
fn a_fee_that_was_changed_before_the_advice_does_not_count() {
    let mut node = node();
    charging(&mut node, 400);
    let early =
        History { advice: vec![given(1, fee(400, 600), 3)], policy_changes: vec![change(4, 100, 620)], ..history(&[]) };
    assert_eq!(state(&told(&node, &early)), None);
    // Seen only in what is charged now: since now.
    charging(&mut node, 600);
    let unseen = History { advice: vec![given(1, fee(400, 600), 3)], ..history(&[]) };
    assert_eq!(state(&told(&node, &unseen)), Some((AdviceState::Followed, Some(NOW))));
}

#[test]
fn a_base_fee_that_is_gone_was_followed_where_the_rate_stays() {
    let mut node = node();
    let past = History { advice: vec![given(1, fee(500, 500), 3)], ..history(&[]) };
    node.node.policies.as_mut().unwrap()[0].ours.as_mut().unwrap().base = Msat::new(1_000);
    assert_eq!(state(&told(&node, &past)), None);
    node.node.policies.as_mut().unwrap()[0].ours.as_mut().unwrap().base = Msat::ZERO;
    assert_eq!(state(&told(&node, &past)), Some((AdviceState::Followed, Some(NOW))));
}

fn refill() -> Act {
    Act::Rebalance { from: point(2, 0), to: point(1, 0), amount_sat: Sat::new(1_000_000), max_fee_sat: Sat::new(500) }
}

fn arrived(days: i64, to: u64, sat: i64) -> Period {
    let flow = RebalanceFlow {
        from: scid(700_000, 3),
        to: scid(700_000, to),
        amount: Sat::new(sat).msat(),
        cost: Msat::ZERO,
        parts: 1,
    };
    Period { window: Some(Window::days_before(NOW, days)), rebalances: vec![flow], ..Period::default() }
}

#[test]
fn circular_payments_that_arrive_after_the_advice_follow_it() {
    let seen = |day, week, given_days_ago| {
        let past = History { advice: vec![given(1, refill(), given_days_ago)], day, week, ..history(&[]) };
        state(&told(&node(), &past))
    };
    let none = |days| arrived(days, 9, 0);
    let yesterday = Some(NOW.plus(-DAY_MS));
    assert_eq!(seen(arrived(1, 1, 499_999), arrived(7, 1, 499_999), 1), None);
    assert_eq!(seen(arrived(1, 1, 500_000), none(7), 1), Some((AdviceState::Partly, yesterday)));
    assert_eq!(seen(arrived(1, 1, 900_000), none(7), 1), Some((AdviceState::Followed, yesterday)));
    assert_eq!(seen(arrived(1, 2, 900_000), none(7), 1), None, "another channel");
    assert_eq!(seen(none(1), arrived(7, 1, 900_000), 3), None, "perhaps before it was advised");
    let week = Some(NOW.plus(-7 * DAY_MS));
    assert_eq!(seen(none(1), arrived(7, 1, 900_000), 8), Some((AdviceState::Followed, week)));
}

#[test]
fn a_channel_that_is_gone_was_closed() {
    let act = Act::Close { channel: point(9, 0), force: false };
    let mut past = History { advice: vec![given(1, act, 3)], ..history(&[]) };
    let mut node = node();
    node.node.pending = Some(Pending {
        waiting_close: vec![PendingChannel {
            point: point(9, 0),
            peer: key(9),
            capacity: Sat::ZERO,
            local: Sat::ZERO,
            remote: Sat::ZERO,
            opened_by_us: None,
            limbo: Sat::ZERO,
            closing_txid: Some(txid(0x77)),
            commitments: None,
        }],
        ..Pending::default()
    });
    assert_eq!(state(&told(&node, &past)), Some((AdviceState::Followed, Some(NOW))));
    // By its transaction, an hour ago.
    past.transactions = vec![tx(&txid(0x77), 0, 0)];
    assert_eq!(state(&told(&node, &past)), Some((AdviceState::Followed, Some(NOW.plus(-HOUR_MS)))));
    node.node.channels.as_mut().unwrap().push(channel(9, 1, 1));
    assert_eq!(state(&told(&node, &past)), None);
    node.node.channels = None;
    assert_eq!(told(&node, &past), [], "channels that could not be read are not gone");
}

#[test]
fn a_channel_with_the_peer_was_opened() {
    let open = |sat| {
        let act = Act::Open { peer: key(5), capacity_sat: Sat::new(sat) };
        state(&told(&node(), &History { advice: vec![given(1, act, 3)], ..history(&[]) }))
    };
    assert_eq!(open(1_000_000), Some((AdviceState::Followed, Some(NOW))));
    assert_eq!(open(2_000_000), Some((AdviceState::Partly, Some(NOW))));
    assert_eq!(open(2_100_000), None);
}

#[test]
fn what_is_not_followed_stands_until_something_ends_it() {
    let mut past = History { advice: vec![given(1, refill(), 5)], ..history(&[]) };
    let node = node();
    let ended = |past: &History, found: &[&str], ignored: &[&str], given: &[Recommendation]| {
        state(&told_today(&node, past, found, ignored, given)).map(|(state, _)| state)
    };
    assert_eq!(ended(&past, &["kind:1"], &[], &[]), None, "found, but below the seven");
    assert_eq!(ended(&past, &[], &[], &[]), None, "given yesterday");
    past.advice[0].last_at = NOW.plus(-3 * DAY_MS);
    assert_eq!(ended(&past, &[], &[], &[]), Some(AdviceState::Expired));
    assert_eq!(ended(&past, &["kind:1"], &["kind:1"], &[]), Some(AdviceState::Ignored));
    // Another act on the channel that it was to empty.
    let mut report = made(&snapshot(vec![channel(1, 500_000, 500_000)]), &history(&[]));
    let mut other = Recommendation { channels_affected: vec![point(2, 0)], ..any_recommendation(&mut report) };
    assert_eq!(ended(&past, &[], &[], std::slice::from_ref(&other)), Some(AdviceState::Superseded));
    other.advice_key = "kind:1".to_owned();
    assert_eq!(ended(&past, &["kind:1"], &[], std::slice::from_ref(&other)), None, "given again");
}

fn any_recommendation(report: &mut crate::report::Report) -> Recommendation {
    report.recommendations.pop().unwrap_or_else(|| Recommendation {
        priority: crate::report::Priority::Low,
        category: crate::report::Category::Fees,
        title: String::new(),
        description: String::new(),
        impact_score: 1,
        channels_affected: vec![],
        suggested_action: String::new(),
        estimated_gain_sats_month: None,
        advice_key: "other:1".to_owned(),
        evidence: vec![],
        confidence: 0.5,
        cost_sats: None,
        payback_days: None,
        gain_low_sats_month: None,
        gain_high_sats_month: None,
        act: None,
        first_advised: None,
    })
}

/// Fees and forwards out of each channel, the first one's first.
fn earned(fees: [i64; 5], forwards: u32) -> Period {
    let flow = |(n, fees): (u64, i64)| ScidFlow {
        scid: scid(700_000, n),
        forwards_out: forwards,
        fees_earned: Msat::new(fees),
        ..ScidFlow::default()
    };
    Period {
        window: Some(Window::days_before(NOW, 7)),
        channels: (1..).zip(fees).map(flow).collect(),
        ..Period::default()
    }
}

fn measured(act: Act, before: Period, after: Period) -> Vec<AdviceOutcome> {
    let advice = PastAdvice {
        state: AdviceState::Followed,
        followed_at: Some(NOW.plus(-7 * DAY_MS)),
        spans: vec![AdviceSpan { days: 7, before, after }],
        ..given(1, act, 8)
    };
    told(&node(), &History { advice: vec![advice], ..history(&[]) }).pop().map(|u| u.outcomes).unwrap_or_default()
}

#[test]
fn what_came_is_held_against_what_became_of_the_other_channels() {
    // The others went from 4,000 to 5,000: without the advice 700 would have become 875. It became 1,575: 700 more in
    // 7 days, 3,000 in 30; 875 are 3,750.
    let found = measured(
        fee(400, 600),
        earned([700, 1_000, 1_000, 1_000, 1_000], 10),
        earned([1_575, 2_000, 1_000, 1_000, 1_000], 10),
    );
    let expected =
        AdviceOutcome { days: 7, measured_at: NOW, gained: Some(Msat::new(3_000)), anyway: Some(Msat::new(3_750)) };
    assert_eq!(found, [expected]);
}

#[test]
fn the_comparison_is_held_between_half_and_double() {
    let outcome = |after| measured(fee(400, 600), earned([700, 1_000, 1_000, 1_000, 1_000], 10), after)[0];
    // Ten times as much elsewhere counts as twice: 1,400, of which came 1,400.
    assert_eq!(outcome(earned([1_400, 40_000, 0, 0, 0], 10)).gained, Some(Msat::ZERO));
    assert_eq!(outcome(earned([350, 0, 0, 0, 0], 10)).gained, Some(Msat::ZERO));
}

#[test]
fn a_refill_pays_its_cost_and_counts_both_channels() {
    let before = earned([700, 700, 1_000, 1_000, 1_000], 10);
    let mut after = earned([2_800, 700, 1_000, 1_000, 1_000], 10);
    after.rebalances = vec![RebalanceFlow {
        from: scid(700_000, 2),
        to: scid(700_000, 1),
        amount: Msat::new(1),
        cost: Msat::new(700),
        parts: 1,
    }];
    // 2,800 + 700 − 700 less 1,400, in 7 days.
    assert_eq!(measured(refill(), before, after)[0].gained, Some(Msat::new(6_000)));
}

#[test]
fn a_comparison_that_is_too_thin_tells_nothing() {
    let thin = measured(fee(400, 600), earned([700, 1_000, 1_000, 1_000, 1_000], 4), earned([1_575; 5], 10));
    assert_eq!((thin[0].gained, thin[0].anyway), (None, None), "16 forwards of the others");
    let close = measured(Act::Close { channel: point(1, 0), force: false }, earned([1; 5], 10), earned([1; 5], 10));
    assert_eq!(close[0].gained, None, "what freed sats earn elsewhere is not seen");
    let open = measured(
        Act::Open { peer: key(5), capacity_sat: Sat::new(1) },
        earned([1; 5], 10),
        earned([1, 1, 1, 1, 700], 10),
    );
    assert_eq!((open[0].gained, open[0].anyway), (Some(Msat::new(3_000)), Some(Msat::ZERO)), "nothing would be there");
}

#[test]
fn channels_that_other_advice_changed_are_no_comparison() {
    let spans = vec![AdviceSpan {
        days: 7,
        before: earned([700, 1_000, 1_000, 1_000, 1_000], 10),
        after: earned([700, 9_000, 1_000, 1_000, 1_000], 10),
    }];
    let first = PastAdvice {
        state: AdviceState::Followed,
        followed_at: Some(NOW.plus(-7 * DAY_MS)),
        spans,
        ..given(1, fee(400, 600), 8)
    };
    let act = Act::SetFee { channel: point(2, 0), from_ppm: Ppm(1), to_ppm: Ppm(2), base_msat: Msat::ZERO };
    let second = PastAdvice { state: AdviceState::Followed, followed_at: Some(NOW.plus(-DAY_MS)), ..given(2, act, 2) };
    let alone = told(&node(), &History { advice: vec![first.clone()], ..history(&[]) });
    assert_eq!(alone[0].outcomes[0].anyway, Some(Msat::new(6_000)), "700 × 2, for 12,000 of 4,000");
    let both = told(&node(), &History { advice: vec![first, second], ..history(&[]) });
    assert_eq!(both[0].outcomes[0].anyway, Some(Msat::new(3_000)), "700, for 3,000 of 3,000");
}

fn apply(past: &mut History, updates: &[AdviceUpdate]) {
    for update in updates {
        let advice = past.advice.iter_mut().find(|a| a.id == update.id).unwrap();
        advice.state = update.state;
        advice.followed_at = advice.followed_at.or(update.followed_at.map(|t| t.0));
        advice.outcomes.extend(&update.outcomes);
    }
}

proptest::proptest! {
    #[test]
    fn what_was_told_is_not_told_again(ppm in 0..1_000_i64, days in 0..40_i64, sat in 0..2_000_000_i64, fees in 0..10_000_i64,
                                       followed in proptest::option::of(0..40_i64)) {
        let mut node = node();
        charging(&mut node, ppm);
        let spans = |days| AdviceSpan { days, before: earned([fees, 10, 10, 10, 10], 9), after: earned([10; 5], 9) };
        let mut advice = vec![given(1, fee(400, 600), days), given(2, refill(), days), given(3, Act::Open { peer: key(5), capacity_sat: Sat::new(sat) }, days)];
        if let Some(since) = followed {
            advice.push(PastAdvice {
                state: AdviceState::Followed,
                followed_at: Some(NOW.plus(-since * DAY_MS)),
                spans: vec![spans(7), spans(30)],
                ..given(4, fee(100, 200), 41)
            });
        }
        let mut past = History { advice, day: arrived(1, 1, sat), ..history(&[]) };
        let first = told(&node, &past);
        apply(&mut past, &first);
        proptest::prop_assert_eq!(told(&node, &past), vec![]);
        let due = usize::from(followed.is_some_and(|s| s >= 7)) + usize::from(followed.is_some_and(|s| s >= 30));
        let outcomes: usize = past.advice.iter().map(|a| a.outcomes.len()).sum();
        proptest::prop_assert_eq!(outcomes, due);
    }
}

#[test]
fn the_count_for_people_sums_what_was_measured() {
    let outcome = |days, gained, anyway| AdviceOutcome {
        days,
        measured_at: NOW.plus(-DAY_MS),
        gained: Some(Msat::new(gained)),
        anyway: Some(Msat::new(anyway)),
    };
    let done = |n, days_ago: i64, outcomes| PastAdvice {
        state: AdviceState::Followed,
        followed_at: Some(NOW.plus(-days_ago * DAY_MS)),
        outcomes,
        ..given(n, fee(400, 600), days_ago)
    };
    let advice = vec![
        done(1, 40, vec![outcome(7, 1, 1), outcome(30, 80_000, 20_000)]),
        done(2, 10, vec![outcome(7, 40_000, 5_000)]),
        done(3, 2, vec![]),
        given(4, fee(1, 2), 1),
        PastAdvice { state: AdviceState::Ignored, ..given(5, fee(1, 2), 20) },
        PastAdvice { state: AdviceState::Expired, ..given(6, fee(1, 2), 20) },
        done(7, 44, vec![]),
    ];
    let past = History { advice, ..history(&[]) };
    let (snapshot, limits) = (node(), Thresholds::default());
    let facts = Facts::new(&snapshot, &past, &limits, Window::days_before(NOW, 1));
    let sums = kept(&facts, &[]).unwrap();
    assert_eq!((sums.open, sums.followed, sums.ignored, sums.measured), (1, 3, 1, 2));
    // The later outcome of each, and only those with one: 100 and 100 sat promised.
    assert_eq!(sums.promised_msat, Msat::new(200_000));
    assert_eq!((sums.came_msat, sums.anyway_msat), (Msat::new(120_000), Msat::new(25_000)));
    let titles: Vec<&str> = sums.items.iter().map(|i| i.title.as_str()).collect();
    assert_eq!(titles, ["advice 3", "advice 2", "advice 1"]);
    let empty = history(&[]);
    let facts = Facts::new(&snapshot, &empty, &limits, Window::days_before(NOW, 1));
    assert_eq!(kept(&facts, &[]), None);
}
