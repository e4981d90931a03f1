use std::collections::HashMap;

use super::*;
use crate::analysis::Thresholds;
use crate::analysis::support::*;
use crate::history::ChannelSample;
use crate::report::Report;
use crate::snapshot::{ChainFees, Fact, Market, Snapshot};

fn keys(report: &Report) -> Vec<&str> {
    report.recommendations.iter().map(|r| r.advice_key.as_str()).collect()
}

fn find<'a>(report: &'a Report, kind: &str) -> Option<&'a Recommendation> {
    report.recommendations.iter().find(|r| r.advice_key.starts_with(kind))
}

#[test]
fn a_good_node_gets_no_advice() {
    let node = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000)]);
    assert_eq!(keys(&made(&node, &history(&[sold(1, 1_000_000, 500_000)]))), Vec::<&str>::new());
}

#[test]
fn a_drained_channel_that_earns_is_refilled_from_an_idle_full_one() {
    // 5 % of 10M left; it sold 20M at 1,000 ppm. The other holds 9M and sends nothing.
    let mut node = snapshot(vec![channel(1, 500_000, 9_500_000), channel(2, 9_000_000, 1_000_000)]);
    node.node.policies.as_mut().unwrap()[0].ours = Some(policy(1_000));
    let past = history(&[sold(1, 20_000_000, 20_000_000_000)]);
    let limits = Thresholds { raise_below_percent: 0, lower_above_percent: 100, ..Thresholds::default() };
    let report = made_by(&node, &past, &limits);
    let advice = find(&report, "refill:").unwrap();
    // To the middle it lacks 4.5M, the source has 4M to give. 65 % of 1,000 ppm is the most that it may cost.
    assert_eq!(advice.title, "Refill peer1 by 4,000,000 sat from peer2, at most 2,600 sat");
    assert_eq!(advice.cost_sats, Some(Sat::new(2_600)));
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(4_000 - 2_600)));
    assert_eq!(advice.payback_days, Some(20));
    let command =
        format!("bos rebalance --out {} --in {} --amount 4000000 --max-fee-rate 650 --max-fee 2600", key(2), key(1));
    assert_eq!(advice.suggested_action, command);
    // Where the peer itself takes more than that for the last hop, no route can be cheap enough.
    node.node.policies.as_mut().unwrap()[0].theirs = Some(policy(650));
    assert!(find(&made_by(&node, &past, &limits), "refill:").is_none());
}

#[test]
fn a_drained_channel_is_raised_by_a_step_within_the_market() {
    let mut node = snapshot(vec![channel(1, 100_000, 900_000)]);
    node.node.policies.as_mut().unwrap()[0].ours = Some(policy(400));
    let past = history(&[sold(1, 10_000_000, 4_000_000_000)]);
    let report = made(&node, &past);
    let advice = find(&report, "raise-fee:").unwrap();
    assert_eq!(advice.title, "Raise the fee to peer1 from 400 to 500 ppm");
    let command = format!(
        "lncli updatechanpolicy --chan_point {} --base_fee_msat 0 --fee_rate_ppm 500 --time_lock_delta 80",
        point(1, 0)
    );
    assert_eq!(advice.suggested_action, command);
    // 25 % dearer, 12.5 % less sold: 10M × (500 × 0.875 − 400) ppm.
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(370)));
    node.node.market = Some(Market { peers: vec![market(1, [10, 50, 200, 400, 420])], ..Market::default() });
    assert!(find(&made(&node, &past), "raise-fee:").unwrap().title.ends_with("400 to 420 ppm"));
    node.node.market = Some(Market { peers: vec![market(1, [10, 50, 200, 400, 400])], ..Market::default() });
    assert!(find(&made(&node, &past), "raise-fee:").is_none(), "already at what nearly all others charge");
}

#[test]
fn a_fee_below_nearly_all_others_is_raised_to_their_cheap_quarter() {
    let mut node = snapshot(vec![channel(1, 500_000, 500_000)]);
    node.node.policies.as_mut().unwrap()[0].ours = Some(policy(40));
    node.node.market = Some(Market { peers: vec![market(1, [50, 70, 200, 400, 800])], ..Market::default() });
    let report = made(&node, &history(&[sold(1, 10_000_000, 400_000_000)]));
    assert_eq!(find(&report, "raise-fee:").unwrap().title, "Raise the fee to peer1 from 40 to 70 ppm");
}

#[test]
fn a_full_channel_that_sends_nothing_gets_cheaper_and_no_gain_is_invented() {
    let mut node = snapshot(vec![channel(1, 950_000, 50_000)]);
    let report = made(&node, &history(&[]));
    let advice = find(&report, "lower-fee:").unwrap();
    assert_eq!(advice.title, "Lower the fee to peer1 from 500 to 375 ppm");
    assert_eq!(advice.estimated_gain_sats_month, None);
    node.node.market = Some(Market { peers: vec![market(1, [10, 20, 30, 40, 100])], ..Market::default() });
    assert!(find(&made(&node, &history(&[])), "lower-fee:").unwrap().title.ends_with("500 to 40 ppm"));
    let mut young = history(&[]);
    young.first_seen = Some(NOW.plus(-6 * DAY_MS));
    young.first_forward = None;
    assert!(find(&made(&node, &young), "lower-fee:").is_none());
}

fn gone_for(days: i64) -> (Snapshot, crate::history::History) {
    let mut node = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000)]);
    node.node.channels.as_mut().unwrap()[0].active = false;
    node.node.peers.as_mut().unwrap().remove(0);
    let mut past = history(&[bought(2, 1_000_000, 10_000_000), sold(2, 1_000_000, 10_000_000)]);
    let sample = |n: u8, day: i64, here| ChannelSample {
        at: NOW.plus(-day * DAY_MS),
        point: point(n, 0),
        peer: key(n),
        local_sat: 0,
        remote_sat: 0,
        active: here,
        peer_connected: Some(here),
    };
    past.samples = (1..=29).rev().flat_map(|day| [sample(1, day, day > days), sample(2, day, true)]).collect();
    (node, past)
}

#[test]
fn a_dead_channel_is_closed_from_day_fourteen_and_not_with_an_htlc_in_it() {
    let (node, past) = gone_for(13);
    assert!(find(&made(&node, &past), "close-gone").is_none());
    let (mut node, past) = gone_for(14);
    let report = made(&node, &past);
    let advice = find(&report, "close-gone").unwrap();
    assert_eq!(advice.suggested_action, format!("lncli closechannel --force --chan_point {}", point(1, 0)));
    // 10,000 sat in 30 days on 1,000,000 sat outbound: 1 % a month of 500,000.
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(5_000)));
    assert_eq!(advice.cost_sats, None, "no source told today's chain fees");
    node.node.channels.as_mut().unwrap()[0].htlcs = vec![crate::snapshot::Htlc {
        incoming: true,
        amount: Sat::new(1),
        hash: "00".into(),
        expiry_height: 900_000,
        index: 0,
        forwarding_channel: None,
    }];
    assert!(find(&made(&node, &past), "close-gone").is_none());
}

fn with_fees(node: &mut Snapshot, hour: i64) {
    let fees = ChainFees { fastest: hour, half_hour: hour, hour, economy: hour, minimum: 1000 };
    node.public.chain_fees = Some(Fact { value: fees, source: "mempool.space".into(), as_of: NOW });
}

#[test]
fn an_idle_channel_is_closed_only_where_that_pays() {
    let mut node = snapshot((1..=4).map(|n| channel(n, 5_000_000, 5_000_000)).collect());
    let flows: Vec<_> =
        (1..=3).flat_map(|n| [bought(n, 10_000_000, 5_000_000), sold(n, 10_000_000, 5_000_000)]).collect();
    let mut past = history(&flows);
    past.last_forward.retain(|(id, _)| *id != scid(700_000, 4));
    with_fees(&mut node, 2_000);
    let report = made(&node, &past);
    let advice = find(&report, "close-idle").unwrap();
    // The others earn 10,000 sat of 10M a month; ours in it is 5M. 295 vB at 2 sat/vB.
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(5_000)));
    assert_eq!(advice.cost_sats, Some(Sat::new(590)));
    with_fees(&mut node, 50_001);
    assert!(find(&made(&node, &past), "close-idle").is_none(), "chain fees are high");
    with_fees(&mut node, 2_000);
    node.node.channels.as_mut().unwrap()[3].private = true;
    assert!(find(&made(&node, &past), "close-idle").is_none(), "private");
}

#[test]
fn advice_is_ranked_limited_and_never_twice_for_a_channel() {
    let mut channels: Vec<_> = (1..=12).map(|n| channel(n, 100_000, 1_900_000)).collect();
    channels.extend((13..=30).map(|n| channel(n, 1_900_000, 100_000)));
    let flows: Vec<_> = (1..=12).map(|n| sold(n, 5_000_000, 3_000_000 * i64::from(n))).collect();
    let mut node = snapshot(channels);
    node.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
    let report = made(&node, &history(&flows));
    assert_eq!(report.recommendations.len(), 7);
    assert_eq!(keys(&report)[0], "anchor-reserve:node");
    let gains: Vec<_> = report.recommendations.iter().skip(1).map(|r| r.estimated_gain_sats_month).collect();
    assert!(gains.windows(2).all(|w| w[0] >= w[1]), "{gains:?}");
    let mut seen: HashMap<&Outpoint, u32> = HashMap::new();
    for point in report.recommendations.iter().flat_map(|r| &r.channels_affected) {
        *seen.entry(point).or_default() += 1;
    }
    assert!(seen.values().all(|n| *n == 1));
    assert!(report.recommendations.iter().all(|r| r.impact_score <= 10 && !r.evidence.is_empty()));
}
