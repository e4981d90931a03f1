use super::*;
use crate::history::{PastAdvice, PolicyChange, RebalanceFlow};

/// 5 % of 10M left and 600,000 a day sold at 1,000 ppm; another holds 9M of 10M and sells nothing.
fn dry() -> (Snapshot, History) {
    let mut node = snapshot(vec![channel(1, 500_000, 9_500_000), channel(2, 9_000_000, 1_000_000)]);
    charges(&mut node, 1, 1_000);
    (node, steady(&[Daily { n: 1, out: 600_000, into: 0, ppm: 1_000 }]))
}

#[test]
fn what_sells_more_than_it_has_is_refilled_from_what_lies_idle() {
    let (node, past) = dry();
    let report = made(&node, &past);
    let advice = find(&report, "refill:").unwrap();
    // 18M wanted and 0.5M there; 30 % of the channel at once. 3M at 1,000 ppm are worth 3,000 sat, 85 % of that at most.
    assert_eq!(advice.title, "Refill peer1 by 3,000,000 sat from peer2, at most 2,550 sat");
    let act = Act::Rebalance {
        from: point(2, 0),
        to: point(1, 0),
        amount_sat: Sat::new(3_000_000),
        max_fee_sat: Sat::new(2_550),
    };
    assert_eq!(advice.act, Some(act));
    // A route should cost 150 ppm to the peer and the peer's own 50, and one sat for rounding.
    assert_eq!(advice.cost_sats, Some(Sat::new(601)));
    // (3,000 − 601) × 70 %.
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(1_679)));
    // 601 of 3,000 in 30 days.
    assert_eq!(advice.payback_days, Some(7));
    let command = format!(
        "lncli payinvoice --force --allow_self_payment --outgoing_chan_id {} --last_hop {} --fee_limit 2550 \
         $(lncli addinvoice --amt 3000000 | jq -r .payment_request)\n\
         # or: bos rebalance --out {} --in {} --amount 3000000 --max-fee-rate 850 --max-fee 2550",
        scid(700_000, 2),
        key(1),
        key(2),
        key(1)
    );
    assert_eq!(advice.suggested_action, command);
}

#[test]
fn no_refill_where_the_way_costs_more_than_it_may() {
    let (mut node, past) = dry();
    node.node.policies.as_mut().unwrap()[0].theirs = Some(policy(614));
    // 764 ppm: 2,293 sat, and 90 % of 2,550 are 2,295.
    assert!(find(&made(&node, &past), "refill:").is_some());
    node.node.policies.as_mut().unwrap()[0].theirs = Some(policy(615));
    assert!(find(&made(&node, &past), "refill:").is_none(), "the peer's own fee makes it unlikely");
    let (mut node, past) = dry();
    node.node.market = Some(Market { peers: vec![market(1, [10, 650, 715, 800, 1_000])], ..Market::default() });
    assert!(find(&made(&node, &past), "refill:").is_none(), "so does what others charge to it");
}

#[test]
fn own_circular_payments_tell_the_price() {
    let (node, mut past) = dry();
    let paid = |sat: i64, parts| RebalanceFlow {
        from: scid(700_000, 2),
        to: scid(700_000, 1),
        amount: Sat::new(1_000_000).msat(),
        cost: Sat::new(sat).msat(),
        parts,
    };
    // 400 ppm in 3 parts against 200 by the market: 300.
    past.month.rebalances = vec![paid(400, 3)];
    assert_eq!(find(&made(&node, &past), "refill:").unwrap().cost_sats, Some(Sat::new(901)));
    // 1,000 in 9 parts: (1,000 × 9 + 200 × 3) / 12 = 800 ppm, beyond 765.
    past.month.rebalances = vec![paid(1_000, 9)];
    assert!(find(&made(&node, &past), "refill:").is_none());
}

#[test]
fn what_the_source_would_sell_itself_is_no_gain() {
    let (node, _) = dry();
    // The source sells 7.5M of its 9M at 500 ppm: half of the 3M would have been sold there, 750 sat.
    let target = Daily { n: 1, out: 600_000, into: 0, ppm: 1_000 };
    let past = steady(&[target, Daily { n: 2, out: 250_000, into: 0, ppm: 500 }]);
    let report = made(&node, &past);
    let advice = find(&report, "refill:").unwrap();
    // 85 % of 2,250.
    assert!(advice.title.ends_with("at most 1,912 sat"), "{}", advice.title);
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(1_154)), "70 % of 2,250 − 601");
}

#[test]
fn only_what_will_be_sold_is_refilled() {
    let (node, _) = dry();
    // 600,000 wanted in 30 days beside the 500,000 there.
    let past = steady(&[Daily { n: 1, out: 20_000, into: 0, ppm: 1_000 }]);
    assert!(find(&made(&node, &past), "refill:").unwrap().title.contains("by 100,000 sat"));
    let past = steady(&[Daily { n: 1, out: 20_000, into: 20_000, ppm: 1_000 }]);
    assert!(find(&made(&node, &past), "refill:").is_none(), "it refills by itself");
}

#[test]
fn no_refill_over_a_peer_that_is_not_ready() {
    let (mut node, past) = dry();
    node.node.policies.as_mut().unwrap()[0].theirs.as_mut().unwrap().disabled = true;
    assert!(find(&made(&node, &past), "refill:").is_none(), "it forwards nothing to us");
    let (node, mut past) = dry();
    let change = |hours: i64| PolicyChange {
        point: point(1, 0),
        ours: false,
        at: NOW.plus(-hours * 3_600_000),
        before: Some(policy(50)),
        after: policy(60),
    };
    past.policy_changes = vec![change(20), change(3)];
    assert!(find(&made(&node, &past), "refill:").is_none(), "its price is on the move");
    let (mut node, past) = dry();
    let channels = node.node.channels.as_mut().unwrap();
    channels[1].peer = channels[0].peer.clone();
    assert!(find(&made(&node, &past), "refill:").is_none(), "both channels are with one peer");
}

#[test]
fn each_day_in_vain_makes_a_refill_promise_less() {
    let (node, mut past) = dry();
    let given = |past: &History| find(&made(&node, past), "refill:").unwrap().estimated_gain_sats_month;
    let waits = |days| PastAdvice {
        act: Some(Act::Rebalance {
            from: point(2, 0),
            to: point(1, 0),
            amount_sat: Sat::new(3_000_000),
            max_fee_sat: Sat::new(2_550),
        }),
        ..memory::open(days, 1_679)
    };
    // (3,000 − 601) × 70 % × 2 / (2 + 4).
    past.advice = vec![waits(4)];
    assert_eq!(given(&past), Some(Sat::new(559)));
    let advice = past.advice.clone();
    past.advice = vec![PastAdvice { state: AdviceState::Superseded, ..advice[0].clone() }];
    assert_eq!(given(&past), Some(Sat::new(1_679)), "it no longer stands");
    // A part of it arrived in these days, at the market's price: there are routes.
    past.advice = advice;
    let part = RebalanceFlow {
        from: scid(700_000, 2),
        to: scid(700_000, 1),
        amount: Sat::new(1_000_000).msat(),
        cost: Sat::new(200).msat(),
        parts: 1,
    };
    past.week.rebalances = vec![part];
    assert_eq!(given(&past), Some(Sat::new(1_679)));
}
