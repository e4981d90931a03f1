use super::*;
use crate::history::{AdviceOutcome, ChannelSample, FailureFlow, PastAdvice, PolicyChange, Watched};
use crate::snapshot::FailureReason;

/// 50,000 of 1,000,000 left; sells 100,000 a day, 60,000 a day come back.
fn tight() -> (Snapshot, History) {
    let mut node = snapshot(vec![channel(1, 50_000, 950_000)]);
    charges(&mut node, 1, 400);
    (node, steady(&[Daily { n: 1, out: 100_000, into: 60_000, ppm: 400 }]))
}

fn changed(n: u8, days_ago: i64, ours: bool, before: i64, after: i64) -> PolicyChange {
    PolicyChange {
        point: point(n, 0),
        ours,
        at: NOW.plus(-days_ago * DAY_MS),
        before: Some(policy(before)),
        after: policy(after),
    }
}

#[test]
fn what_sells_more_than_it_has_gets_dearer() {
    let (node, past) = tight();
    let report = made(&node, &past);
    let advice = find(&report, "raise-fee:").unwrap();
    // 3.0M are wanted in 30 days, 0.05M + 1.8M are there: 62 % too little, a quarter more is the largest step.
    assert_eq!(advice.title, "Raise the fee to peer1 from 400 to 500 ppm");
    let act = Act::SetFee { channel: point(1, 0), from_ppm: Ppm(400), to_ppm: Ppm(500), base_msat: Msat::ZERO };
    assert_eq!(advice.act, Some(act));
    let command = format!(
        "lncli updatechanpolicy --chan_point {} --base_fee_msat 0 --fee_rate_ppm 500 --time_lock_delta 80\n\
         # or: bos fees --to {} --set-fee-rate 500\n\
         # or charge-lnd: [700000x1x0] chan.id = 700000x1x0, strategy = static, fee_ppm = 500",
        point(1, 0),
        key(1)
    );
    assert_eq!(advice.suggested_action, command);
    // A fifth of the demand goes, 2.4M are more than there is: 1.85M at 100 ppm more are 185 sat, of which half is promised.
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(92)));
    assert_eq!(advice.first_advised, Some(NOW.day()));
}

#[test]
fn a_rise_ends_at_what_nearly_all_others_charge() {
    let (mut node, past) = tight();
    node.node.market = Some(Market { peers: vec![market(1, [10, 50, 200, 400, 420])], ..Market::default() });
    assert!(find(&made(&node, &past), "raise-fee:").unwrap().title.ends_with("400 to 420 ppm"));
    node.node.market = Some(Market { peers: vec![market(1, [10, 50, 200, 400, 409])], ..Market::default() });
    assert!(find(&made(&node, &past), "raise-fee:").is_none(), "a step of 9 ppm is not worth a command");
}

#[test]
fn what_is_refilled_by_itself_is_left_alone() {
    let (node, _) = tight();
    // 3.0M wanted, 0.05M + 2.46M there: 119.5 %.
    let past = steady(&[Daily { n: 1, out: 100_000, into: 82_000, ppm: 400 }]);
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
    // 2.4M + 0.05M: 122 %.
    let past = steady(&[Daily { n: 1, out: 100_000, into: 80_000, ppm: 400 }]);
    assert!(find(&made(&node, &past), "raise-fee:").is_some());
}

#[test]
fn forwards_that_failed_for_lack_of_balance_are_demand() {
    let (node, mut past) = tight();
    past.month = steady(&[Daily { n: 1, out: 100_000, into: 100_000, ppm: 400 }]).month;
    past.week = steady(&[Daily { n: 1, out: 100_000, into: 100_000, ppm: 400 }]).week;
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
    let failed = |reason, sat| FailureFlow {
        scid_in: scid(700_000, 9),
        scid_out: scid(700_000, 1),
        reason,
        count: 10,
        amount_out: Sat::new(sat).msat(),
        fee: Msat::ZERO,
    };
    let watched = |reason, sat| Watched {
        htlcs_ms: [DAY_MS, 7 * DAY_MS, 15 * DAY_MS],
        failures_month: vec![failed(reason, sat)],
        ..Watched::default()
    };
    // 1.2M failed in 15 days: 2.4M in 30, of which 30 % count. 3.72M wanted, 3.05M there: 122 %.
    past.watched = watched(FailureReason::Balance, 1_200_000);
    assert!(find(&made(&node, &past), "raise-fee:").is_some());
    past.watched = watched(FailureReason::Downstream, 1_200_000);
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
}

#[test]
fn times_without_anything_to_sell_hide_demand() {
    let (node, _) = tight();
    let mut past = steady(&[Daily { n: 1, out: 100_000, into: 100_000, ppm: 400 }]);
    let sample = |day: i64, local| ChannelSample {
        at: NOW.plus(-day * DAY_MS),
        point: point(1, 0),
        peer: key(1),
        local_sat: local,
        remote_sat: 1_000_000 - local,
        active: true,
        peer_connected: Some(true),
    };
    // Empty in 1 of 10 looks (this one included): 3.33M wanted of 3.05M. In 4 of 10: 5M.
    past.samples = (1..=9).rev().map(|day| sample(day, if day <= 1 { 0 } else { 300_000 })).collect();
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
    past.samples = (1..=9).rev().map(|day| sample(day, if day <= 4 { 0 } else { 300_000 })).collect();
    assert!(find(&made(&node, &past), "raise-fee:").is_some());
}

#[test]
fn a_fee_that_was_just_changed_is_left_alone_and_not_turned_back_soon() {
    let given = |days_ago, before, after| {
        let (node, mut past) = tight();
        past.policy_changes = vec![changed(1, days_ago, true, before, after)];
        find(&made(&node, &past), "raise-fee:").is_some()
    };
    assert!(!given(4, 300, 400), "raised four days ago");
    assert!(given(5, 300, 400));
    assert!(!given(4, 500, 400), "lowered four days ago");
    assert!(given(5, 500, 400), "what runs dry is not sold off");
    let eased = |days_ago| {
        let (node, mut past) = idle();
        past.policy_changes = vec![changed(1, days_ago, true, 400, 500)];
        find(&made(&node, &past), "lower-fee:").is_some()
    };
    assert!(!eased(13), "raised thirteen days ago");
    assert!(eased(14));
}

#[test]
fn a_peer_that_changes_its_own_price_twice_a_day_is_waited_for() {
    let (node, mut past) = tight();
    let twice = |hours: i64| PolicyChange { at: NOW.plus(-hours * 3_600_000), ..changed(1, 0, false, 10, 20) };
    past.policy_changes = vec![twice(20)];
    assert!(find(&made(&node, &past), "raise-fee:").is_some());
    past.policy_changes = vec![twice(20), twice(2)];
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
}

/// A full channel that sells nothing, among three that sell 30 % of their capacity in 30 days at 100 ppm.
fn idle() -> (Snapshot, History) {
    let mut channels = vec![channel(1, 950_000, 50_000)];
    channels.extend((2..=4).map(|n| channel(n, 500_000, 500_000)));
    let mut node = snapshot(channels);
    let sells = |n| Daily { n, out: 10_000, into: 10_000, ppm: 100 };
    (2..=4).for_each(|n| charges(&mut node, n, 100));
    (node, steady(&[sells(2), sells(3), sells(4)]))
}

#[test]
fn a_full_channel_that_hardly_sells_gets_cheaper() {
    let (node, past) = idle();
    let report = made(&node, &past);
    let advice = find(&report, "lower-fee:").unwrap();
    assert_eq!(advice.title, "Lower the fee to peer1 from 500 to 375 ppm");
    let promised = (advice.estimated_gain_sats_month, advice.gain_low_sats_month, advice.gain_high_sats_month);
    assert_eq!(promised, (None, None, None), "who does not come is not seen");
}

#[test]
fn a_full_channel_comes_down_to_the_cheap_among_others_and_not_below() {
    let lowered = |ppm, rates| {
        let (mut node, past) = idle();
        charges(&mut node, 1, ppm);
        node.node.market = Some(Market { peers: vec![market(1, rates)], ..Market::default() });
        find(&made(&node, &past), "lower-fee:").and_then(|r| r.act.clone()).map(|act| match act {
            Act::SetFee { to_ppm, .. } => to_ppm.0,
            other => panic!("{other:?}"),
        })
    };
    // 95 % ours: its place is at 60 − 0.95 × 35 = 26.75 percent of others' capacity, 7 % of the way from the quarter to the
    // middle.
    assert_eq!(lowered(500, [100, 110, 120, 130, 400]), Some(110), "far above: at once");
    assert_eq!(lowered(500, [50, 60, 100, 400, 600]), Some(62));
    assert_eq!(lowered(500, [300, 330, 430, 700, 800]), Some(375), "not far above 337: one step");
    assert_eq!(lowered(500, [300, 400, 500, 700, 800]), Some(407), "no further");
    assert_eq!(lowered(500, [450, 488, 538, 700, 800]), None, "9 ppm are not worth a command");
    assert_eq!(lowered(500, [480, 495, 600, 700, 800]), None, "it is cheap already");
}

#[test]
fn what_is_cheaper_than_the_channels_that_sell_is_not_lowered_to_their_price() {
    let (mut node, past) = idle();
    charges(&mut node, 1, 90);
    assert!(find(&made(&node, &past), "lower-fee:").is_none());
}

#[test]
fn no_gain_is_invented_where_too_few_channels_sell() {
    let mut node = snapshot(vec![channel(1, 950_000, 50_000)]);
    node.node.market = Some(Market { peers: vec![market(1, [10, 20, 30, 40, 100])], ..Market::default() });
    let report = made(&node, &steady(&[]));
    assert_eq!(find(&report, "lower-fee:").unwrap().estimated_gain_sats_month, None);
    node.node.channels.as_mut().unwrap()[0].scid = scid(800_000 - 6 * 144, 1);
    assert!(find(&made(&node, &steady(&[])), "lower-fee:").is_none(), "six days old");
}

/// Half full, sells 100,000 a day and gets as much back. Others charge 400 ppm in the middle.
fn even(ppm: i64) -> (Snapshot, History) {
    let mut node = snapshot(vec![channel(1, 5_000_000, 5_000_000)]);
    charges(&mut node, 1, ppm);
    node.node.market = Some(Market { peers: vec![market(1, [50, 100, 400, 800, 1_600])], ..Market::default() });
    (node, steady(&[Daily { n: 1, out: 100_000, into: 100_000, ppm }]))
}

#[test]
fn a_fee_far_from_its_place_goes_there_at_once() {
    let (node, past) = even(100);
    let report = made(&node, &past);
    let advice = find(&report, "raise-fee:").unwrap();
    // Half full: 60 − 0.5 × 35 = 42.5 percent, 17.5 of the 25 from 100 to 400.
    assert_eq!(advice.title, "Raise the fee to peer1 from 100 to 310 ppm");
    // From 0.25 to 0.775 of the middle: ln(1.6006 / 1.0625) / ln(3.1) = 0.3622, 1 − 0.6 × 0.6378 = 0.6173 of elasticity.
    // 3.1^-0.6173 = 0.4974: 1.492M at 310 ppm are 462.5 sat instead of 300.
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(162)));
    let range = (advice.gain_low_sats_month.unwrap(), advice.gain_high_sats_month.unwrap());
    assert!(range.0 <= Sat::new(-486) && range.1 >= Sat::new(810), "{range:?}");
    // At 800: 2.894 times the volume would be 8.7M, and it has 7.9M to 8M; at 310 ppm little more than the 2,400 sat of now.
    let (node, past) = even(800);
    let report = made(&node, &past);
    assert!(find(&report, "lower-fee:").unwrap().title.ends_with("800 to 310 ppm"));
    // At 1,600 it earns 4,800 sat, and could not earn 2,500 at 310.
    let (node, past) = even(1_600);
    assert_eq!(keys(&made(&node, &past)), Vec::<&str>::new());
    let (node, past) = even(310);
    assert_eq!(keys(&made(&node, &past)), Vec::<&str>::new(), "at its place there is nothing to gain");
}

#[test]
fn few_forwards_promise_no_figure() {
    let (node, mut past) = even(100);
    for period in [&mut past.week, &mut past.month] {
        period.channels[0].forwards_out = 4;
    }
    assert_eq!(find(&made(&node, &past), "raise-fee:").unwrap().estimated_gain_sats_month, None);
}

#[test]
fn only_failed_forwards_take_an_empty_channel_beyond_its_place() {
    // 3M sold and 1.85M there: tight by what was sold itself.
    let (mut node, mut past) = tight();
    node.node.market = Some(Market { peers: vec![market(1, [10, 50, 200, 325, 900])], ..Market::default() });
    assert!(find(&made(&node, &past), "raise-fee:").unwrap().title.ends_with("400 to 500 ppm"));
    // As much comes back as is sold, and it was empty in 4 of 10 looks: a guess. An empty channel stands at 250 ppm.
    past = steady(&[Daily { n: 1, out: 100_000, into: 100_000, ppm: 400 }]);
    let empty = |day: i64| ChannelSample {
        at: NOW.plus(-day * DAY_MS),
        point: point(1, 0),
        peer: key(1),
        local_sat: if day <= 4 { 0 } else { 300_000 },
        remote_sat: 700_000,
        active: true,
        peer_connected: Some(true),
    };
    past.samples = (1..=9).rev().map(empty).collect();
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
    charges(&mut node, 1, 220);
    assert!(find(&made(&node, &past), "raise-fee:").unwrap().title.ends_with("220 to 250 ppm"));
}

#[test]
fn a_fee_beyond_the_limit_is_not_raised_to_it() {
    let (mut node, _) = tight();
    charges(&mut node, 1, 5_001);
    let past = steady(&[Daily { n: 1, out: 100_000, into: 60_000, ppm: 5_001 }]);
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
}

fn followed(days: u32, gained: i64, anyway: i64, (from, to): (i64, i64)) -> PastAdvice {
    PastAdvice {
        id: uuid::Uuid::nil(),
        key: format!("raise-fee:{}", point(1, 0)),
        state: AdviceState::Followed,
        title: String::new(),
        command: String::new(),
        act: Some(Act::SetFee { channel: point(1, 0), from_ppm: Ppm(from), to_ppm: Ppm(to), base_msat: Msat::ZERO }),
        promised: None,
        promised_low: None,
        promised_high: None,
        cost: None,
        first_at: NOW.plus(-41 * DAY_MS),
        last_at: NOW.plus(-41 * DAY_MS),
        followed_at: Some(NOW.plus(-40 * DAY_MS)),
        outcomes: vec![AdviceOutcome {
            days,
            measured_at: NOW.plus(-10 * DAY_MS),
            gained: Some(Msat::new(gained)),
            anyway: Some(Msat::new(anyway)),
        }],
        spans: vec![],
    }
}

/// The elasticity by the evidence of the first advice.
fn elasticity(node: &Snapshot, past: &History) -> String {
    let report = made(node, past);
    let list = &report.recommendations[0].evidence;
    list.iter().find(|e| e.name.starts_with("volume lost")).unwrap().value.clone()
}

#[test]
fn what_a_channel_did_at_another_price_moves_the_elasticity() {
    let (node, mut past) = even(100);
    assert_eq!(elasticity(&node, &past), "0.47 %, assumed");
    // From 50 to 100 ppm it earned half: volume fell to a quarter, an elasticity of 2. Its weight is
    // 30 × ln(2)² / 2.5 = 5.765 against 4: (0.4706 × 4 + 2 × 5.765) / 9.765 = 1.374, so it is no longer raised.
    past.advice = vec![followed(30, -500, 1_000, (50, 100))];
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
    // It earned twice as much: no volume lost. 0.4706 × 4 / 9.765 = 0.193, held at 0.2.
    past.advice = vec![followed(30, 1_000, 1_000, (50, 100))];
    assert_eq!(elasticity(&node, &past), "0.20 %, from 1 change of ours");
    // After 7 days it weighs less: 7 × 0.4805 / 2.5 = 1.345; (0.4706 × 4 + 0) / 5.345 = 0.352.
    past.advice = vec![followed(7, 1_000, 1_000, (50, 100))];
    assert_eq!(elasticity(&node, &past), "0.35 %, from 1 change of ours");
}

#[test]
fn the_last_change_is_a_trial_where_a_week_has_passed_since() {
    let (node, mut past) = even(100);
    past.policy_changes = vec![changed(1, 7, true, 50, 100)];
    // As much a day as before: elasticity 0. 4 × (1/23 + 1/7) / ln(2)² = 1.551 of variance, a weight of 0.645:
    // 0.4706 × 4 / 4.645 = 0.405.
    assert_eq!(elasticity(&node, &past), "0.41 %, from 1 change of ours");
    past.policy_changes = vec![changed(1, 20, true, 80, 50), changed(1, 7, true, 50, 100)];
    assert_eq!(elasticity(&node, &past), "0.47 %, assumed");
}

#[test]
fn a_week_must_be_known_before_a_fee_is_advised() {
    let (node, mut past) = tight();
    past.first_seen = Some(NOW.plus(-6 * DAY_MS));
    past.first_forward = None;
    assert!(find(&made(&node, &past), "raise-fee:").is_none());
    past.first_seen = Some(NOW.plus(-7 * DAY_MS));
    assert!(find(&made(&node, &past), "raise-fee:").is_some());
}
