use super::*;
use crate::history::{FailureFlow, RebalanceFlow};

/// Thirty days with these fees 28, 21, 14 and 7 days before the last, and 100 sat on all others.
fn days(same: [i64; 4], last: i64) -> History {
    let mut past = history(&[]);
    let day = |msat| Some(DaySum { forwards: 1, amount_out: Msat::new(1), fees: Msat::new(msat) });
    past.days = vec![day(100_000); 30];
    for (at, fees) in [1, 8, 15, 22].into_iter().zip(same) {
        past.days[at] = day(fees);
    }
    past.days[29] = day(last);
    past
}

#[test]
fn a_day_is_held_against_the_same_weekdays() {
    // 90, 95, 105, 110: the middle is 100 sat, the middle distance 7.5 (5, 5, 10, 10): three of it scaled are 33.4 sat.
    let judged = |last| title(&made(&two(), &days([90_000, 110_000, 95_000, 105_000], last)), "revenue-unusual");
    assert_eq!(judged(51_000), None, "beyond the distances, yet within half of the usual");
    assert_eq!(judged(50_000).unwrap(), "The day earned 50 sat, far less than the usual 100 sat");
    assert_eq!(judged(149_000), None);
    assert_eq!(judged(150_000).unwrap(), "The day earned 150 sat, far more than the usual 100 sat");
    // Distances of 40 and 60 sat: three of 50 sat scaled are 222 sat.
    let wide = |last| severity(&made(&two(), &days([60_000, 140_000, 40_000, 160_000], last)), "revenue-unusual");
    assert_eq!(wide(0), None);
    assert_eq!(wide(322_000), None);
    assert_eq!(wide(323_000), Some(Severity::Info));
    let severities = |last| severity(&made(&two(), &days([100_000; 4], last)), "revenue-unusual");
    assert_eq!(severities(0), Some(Severity::Warning));
}

#[test]
fn a_habit_needs_fourteen_days() {
    let mut past = days([100_000; 4], 0);
    for day in &mut past.days[..15] {
        *day = None;
    }
    assert!(asked("revenue-unusual", &two(), &past));
    past.days[15] = None;
    assert!(!asked("revenue-unusual", &two(), &past));
    let report = made(&two(), &past);
    assert!(report.not_measured.iter().any(|n| n.part == "habit"));
}

/// A day and a month in which so many forwards settled and failed, watched in full.
fn tried(day: (u32, u32), month: (u32, u32)) -> History {
    let mut past = history(&[]);
    let failed = |count| FailureFlow {
        scid_in: scid(700_000, 1),
        scid_out: scid(700_000, 2),
        reason: FailureReason::Downstream,
        count,
        amount_out: Msat::ZERO,
        fee: Msat::ZERO,
    };
    past.day.forwards = day.0;
    past.watched.settled_day = day.0;
    past.month.forwards = month.0;
    past.watched.failures_day = vec![failed(day.1)];
    past.watched.failures_month = vec![failed(month.1)];
    past.watched.htlcs_ms = [DAY_MS, 0, 30 * DAY_MS];
    past
}

#[test]
fn success_is_held_against_that_of_the_month() {
    let judged = |settled, failed| {
        let report = made(&two(), &tried((settled, failed), (600, 400)));
        find(&report, "success-unusual").map(|a| (a.severity, a.title.clone()))
    };
    assert_eq!(judged(46, 54), None, "14 points");
    let low = "45 % of the day's forwards settled, 60 % are usual".to_owned();
    assert_eq!(judged(45, 55), Some((Severity::Warning, low)));
    let high = "75 % of the day's forwards settled, 60 % are usual".to_owned();
    assert_eq!(judged(75, 25), Some((Severity::Info, high)));
    assert_eq!(judged(0, 49), None, "too few");
    assert!(judged(0, 50).is_some());
    // Only 14 of 30 days watched: 1,260 forwards stand for 588 settled ones beside 392 failed.
    let mut part = tried((60, 40), (1_260, 392));
    part.watched.htlcs_ms = [DAY_MS, 0, 14 * DAY_MS];
    assert_eq!(severity(&made(&two(), &part), "success-unusual"), None);
    part.watched.htlcs_ms = [DAY_MS, 0, 14 * DAY_MS - 1];
    assert!(!asked("success-unusual", &two(), &part));
    part.watched.htlcs_ms = [DAY_MS / 2 - 1, 0, 14 * DAY_MS];
    assert!(!asked("success-unusual", &two(), &part));
}

#[test]
fn circular_payments_that_cost_more_than_forwards_earn_are_a_loss() {
    let judged = |cost: i64, earned: i64| {
        let mut past = history(&[sold(1, 1_000_000, earned)]);
        past.month.amount_in = past.month.amount_out + Msat::new(earned);
        past.month.rebalances = vec![RebalanceFlow { cost: Msat::new(cost), ..RebalanceFlow::default() }];
        title(&made(&two(), &past), "rebalance-loss")
    };
    assert_eq!(judged(200_000, 200_000), None);
    assert_eq!(
        judged(200_001, 200_000).unwrap(),
        "Circular payments cost 200.001 sat in 30 days, forwards earned 200 sat"
    );
    assert_eq!(judged(99_999, 0), None);
    assert!(judged(100_000, 0).is_some());
    let mut past = history(&[]);
    past.month.window = None;
    assert!(!asked("rebalance-loss", &two(), &past));
}

/// A node with so many channels, each with a peer of its own, of which the first has these sats of ours.
fn spread(peers: u8, first: i64) -> Snapshot {
    snapshot(
        (1..=peers).map(|n| if n == 1 { channel(1, first, 500_000) } else { channel(n, 100_000, 500_000) }).collect(),
    )
}

#[test]
fn most_of_the_balance_with_one_peer_is_a_risk() {
    let judged = |peers, first| title(&made(&spread(peers, first), &history(&[])), "balance-concentrated");
    assert_eq!(judged(5, 400_000), None, "half is not more than half");
    assert_eq!(judged(5, 600_000).unwrap(), "60 % of the outbound balance lies with peer1: 600,000 sat");
    assert_eq!(judged(4, 600_000), None, "too few peers to spread over");
    let mut unread = spread(5, 600_000);
    unread.node.channels = None;
    assert!(!asked("balance-concentrated", &unread, &history(&[])));
}

#[test]
fn most_of_the_fees_over_one_peer_are_a_risk() {
    let judged = |one: i64, other: i64| {
        let mut past = history(&[sold(1, 1_000_000, one), sold(2, 1_000_000, other)]);
        past.month.amount_in = past.month.amount_out + Msat::new(one + other);
        title(&made(&spread(5, 100_000), &past), "revenue-concentrated")
    };
    assert_eq!(judged(500_000, 500_000), None);
    assert_eq!(judged(600_000, 400_000).unwrap(), "60 % of 30 days' fees came over peer1: 600 sat");
    assert_eq!(judged(299_000, 0), None, "too little to speak of");
    assert!(judged(300_000, 0).is_some());
    let mut past = history(&[]);
    past.month.window = None;
    assert!(!asked("revenue-concentrated", &spread(5, 100_000), &past));
}

#[test]
fn a_drained_channel_is_wanted_by_what_failed_where_that_was_watched() {
    let snapshot =
        snapshot(vec![channel(1, 99_000, 901_000), channel(2, 500_000, 500_000), channel(3, 500_000, 500_000)]);
    let judged = |hours: i64, reason, count, flows: &[crate::history::ScidFlow]| {
        let mut past = history(flows);
        past.watched.htlcs_ms = [0, hours * HOUR_MS, 0];
        past.watched.failures_week = vec![FailureFlow {
            scid_in: scid(700_000, 2),
            scid_out: scid(700_000, 1),
            reason,
            count,
            amount_out: Msat::new(3_000_000),
            fee: Msat::new(1_500),
        }];
        find(&made(&snapshot, &past), "channel-drained").map(|a| a.description.clone())
    };
    let balance = FailureReason::Balance;
    assert_eq!(judged(24, balance, 2, &[]), None);
    let text = judged(24, balance, 3, &[]).unwrap();
    assert!(
        text.starts_with(
            "3 forwards failed for lack of balance in 7 days: 3,000 sat not sent, 1.5 sat of fees missed."
        ),
        "{text}"
    );
    assert_eq!(judged(24, FailureReason::Downstream, 30, &[]), None, "would have failed anyway");
    // It earned in 30 days: that counts where failures were not watched, and not where they were and there were none.
    let earned = [sold(1, 100_000, 50_000)];
    assert_eq!(judged(24, balance, 0, &earned), None);
    assert!(judged(23, balance, 0, &earned).unwrap().starts_with("It earned 50 sat"));
}
