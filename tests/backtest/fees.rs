//! The two programs that set fees, on examples worked out by hand from their formulas.

use daznode::snapshot::{FailedForward, FailureReason, Forward};
use daznode::units::{Msat, Ppm, Sat, Scid};

use crate::baselines::{FEE_TABLE, Lane, Memory, NewFee, PROPORTIONAL, rounded_ratio};

const DAY_NS: i64 = 24 * 3_600 * 1_000_000_000;

const NOW_NS: i64 = 100 * DAY_NS;

/// A channel of 1,000,000 sat with its own peer.
fn lane(n: u64, local: i64, rate: i64) -> Lane {
    Lane {
        point: format!("{n:064x}:0").parse().unwrap(),
        scid: Scid(n),
        peer: format!("02{n:064x}").parse().unwrap(),
        capacity: Sat::new(1_000_000),
        local: Sat::new(local),
        remote: Sat::new(1_000_000 - local),
        rate: Ppm(rate),
        base: Msat::new(1_000),
    }
}

fn forward(scid_in: u64, scid_out: u64, sat: i64, fee_msat: i64, days_ago: i64) -> Forward {
    Forward {
        at_ns: NOW_NS - days_ago * DAY_NS,
        scid_in: Scid(scid_in),
        scid_out: Scid(scid_out),
        amount_in: Msat::new(sat * 1000 + fee_msat),
        amount_out: Msat::new(sat * 1000),
        htlc_in: 0,
    }
}

fn failures(scid_out: u64, reason: FailureReason, n: u64) -> Vec<FailedForward> {
    let failed = |htlc_in| FailedForward {
        at_ns: NOW_NS - 1,
        scid_in: Scid(99),
        htlc_in,
        scid_out: Scid(scid_out),
        amount_in: Msat::new(2_000_000),
        amount_out: Msat::new(1_999_000),
        reason,
    };
    (0..n).map(failed).collect()
}

fn table(lane: &Lane, memory: &Memory) -> Option<i64> {
    let fees = FEE_TABLE.fees(std::slice::from_ref(lane), memory, NOW_NS);
    fees.first().map(|fee| fee.rate.0)
}

#[test]
fn proportional_by_hand() {
    // 100 + (1 - 0.25) * 200 = 250; all ours: 100; nothing ours: 300; a third: 100 + 2/3 * 200 = 233.3, down.
    for (local, wanted) in [(250_000, 250), (1_000_000, 100), (0, 300), (333_333, 233)] {
        let fees = PROPORTIONAL.fees(&[lane(1, local, 1_000)]);
        let wanted = NewFee { point: lane(1, 0, 0).point, rate: Ppm(wanted), base: Msat::new(1_000) };
        assert_eq!(fees, [wanted], "{local} sat ours");
    }
}

#[test]
fn proportional_leaves_small_differences_alone() {
    assert_eq!(PROPORTIONAL.fees(&[lane(1, 500_000, 209)]), []);
    assert_eq!(PROPORTIONAL.fees(&[lane(1, 500_000, 210)]).len(), 1);
    let mut other_base = lane(1, 500_000, 200);
    other_base.base = Msat::ZERO;
    assert_eq!(PROPORTIONAL.fees(&[other_base])[0].base, Msat::new(1_000));
    let mut empty = lane(1, 0, 200);
    empty.remote = Sat::ZERO;
    assert_eq!(PROPORTIONAL.fees(&[empty]), [], "no balance on either side");
}

#[test]
fn a_drained_peer_gets_dearer_by_25_only_with_failures_and_without_inflow() {
    let drained = lane(1, 150_000, 400);
    let mut memory = Memory { week: Vec::new(), failed: failures(1, FailureReason::Balance, 26) };
    assert_eq!(table(&drained, &memory), Some(425));
    assert_eq!(table(&lane(1, 160_000, 400), &memory), Some(385), "16 %: idle, not drained");
    memory.failed.pop();
    assert_eq!(table(&drained, &memory), None, "25 are not more than 25");
    memory.failed = failures(1, FailureReason::Downstream, 100);
    assert_eq!(table(&drained, &memory), None, "failed elsewhere");
    memory.failed = failures(1, FailureReason::Balance, 26);
    memory.week = vec![forward(1, 2, 2_000, 1_000, 1)];
    assert_eq!(table(&drained, &memory), None, "it refills");
    memory.week = vec![forward(1, 2, 2_000, 1_000, 2)];
    assert_eq!(table(&drained, &memory), Some(425), "it refilled the day before yesterday");
}

#[test]
fn between_the_limits_idle_gets_cheaper_by_15_and_busy_dearer() {
    let half = lane(1, 500_000, 400);
    assert_eq!(table(&half, &Memory::default()), Some(385));
    // 1,500,000 out less 100,000 in is 1.4 of the capacity: 10 * 2.4 = 24, rounded to 425.
    let week = vec![forward(2, 1, 1_500_000, 1_000, 3), forward(1, 2, 100_000, 1_000, 3)];
    assert_eq!(table(&half, &Memory { week, failed: Vec::new() }), Some(425));
    let week = vec![forward(2, 1, 1_000_000, 1_000, 3)];
    assert_eq!(table(&half, &Memory { week, failed: Vec::new() }), None, "once the capacity is not more than it");
    let week = vec![forward(2, 1, 999, 1_000, 3)];
    assert_eq!(table(&half, &Memory { week, failed: Vec::new() }), Some(385), "below 1,000 sat is not looked at");
}

#[test]
fn a_full_peer_gets_cheaper_by_25_when_it_only_assists() {
    let full = lane(1, 950_000, 400);
    assert_eq!(table(&full, &Memory::default()), Some(375));
    let mut week = vec![forward(1, 2, 50_000, 1_100, 3), forward(2, 1, 10_000, 100, 3)];
    assert_eq!(table(&full, &Memory { week: week.clone(), failed: Vec::new() }), Some(375), "1,100 > 10 x 100");
    week[0].amount_in = Msat::new(50_001_000);
    assert_eq!(table(&full, &Memory { week, failed: Vec::new() }), None, "1,000 is not more than 10 x 100");
    assert_eq!(table(&lane(1, 990_000, 10), &Memory::default()), Some(0), "never below nothing");
}

#[test]
fn channels_of_one_peer_are_judged_together() {
    // 50,000 and 350,000 of 2,000,000 are 20 %: not drained, and idle.
    let mut second = lane(2, 350_000, 200);
    second.peer = lane(1, 0, 0).peer;
    let fees = FEE_TABLE.fees(&[lane(1, 50_000, 400), second], &Memory::default(), NOW_NS);
    let rates: Vec<i64> = fees.iter().map(|fee| fee.rate.0).collect();
    assert_eq!(rates, [385, 185]);
}

#[test]
fn rates_are_rounded_to_five_and_end_at_2500() {
    assert_eq!(FEE_TABLE.rounded(412), 410);
    assert_eq!(FEE_TABLE.rounded(413), 415);
    assert_eq!(FEE_TABLE.rounded(3_000), 2_500);
    assert_eq!(rounded_ratio(25, 10), 2, "halves to the even number");
    assert_eq!(rounded_ratio(35, 10), 4);
    assert_eq!(rounded_ratio(-14, 10), -1);
}

#[test]
fn memory_keeps_a_week_of_forwards_and_a_day_of_failures() {
    let mut memory = Memory::default();
    let forwards = [forward(1, 2, 1_000, 1, 8), forward(1, 2, 1_000, 1, 7), forward(1, 2, 1_000, 1, 0)];
    memory.add(forwards, failures(1, FailureReason::Balance, 2), NOW_NS);
    assert_eq!((memory.week.len(), memory.failed.len()), (2, 2));
    memory.add([], Vec::new(), NOW_NS + DAY_NS);
    assert_eq!((memory.week.len(), memory.failed.len()), (1, 0));
}
