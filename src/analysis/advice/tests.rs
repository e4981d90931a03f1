use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::analysis::Thresholds;
use crate::analysis::support::*;
use crate::history::{History, Period, ScidFlow};
use crate::report::Report;
use crate::snapshot::{ChainFees, Fact, Htlc, Market, Snapshot};

mod channels;
mod fees;
mod liquidity;
mod memory;
mod settings;

fn keys(report: &Report) -> Vec<&str> {
    report.recommendations.iter().map(|r| r.advice_key.as_str()).collect()
}

fn find<'a>(report: &'a Report, kind: &str) -> Option<&'a Recommendation> {
    report.recommendations.iter().find(|r| r.advice_key.starts_with(kind))
}

/// What a channel sells and buys each day, in sat; it charges the rate.
#[derive(Clone, Copy, Debug)]
struct Daily {
    n: u8,
    out: i64,
    into: i64,
    ppm: i64,
}

/// 60 days of which each is like the others: one forward out a day for each channel that sells.
fn steady(flows: &[Daily]) -> History {
    let over = |days: i64| -> Vec<ScidFlow> {
        let flow = |f: &Daily| ScidFlow {
            scid: scid(700_000, u64::from(f.n)),
            forwards_out: if f.out > 0 { u32::try_from(days).unwrap() } else { 0 },
            amount_out: Sat::new(f.out * days).msat(),
            fees_earned: Sat::new(f.out * days).msat().at(Ppm(f.ppm)),
            forwards_in: if f.into > 0 { u32::try_from(days).unwrap() } else { 0 },
            amount_in: Sat::new(f.into * days).msat(),
            fees_assisted: Msat::ZERO,
        };
        flows.iter().map(flow).collect()
    };
    History { day: period(1, over(1)), week: period(7, over(7)), month: period(30, over(30)), ..history(&[]) }
}

fn charges(node: &mut Snapshot, n: u8, ppm: i64) {
    for policies in node.node.policies.as_mut().unwrap().iter_mut().filter(|p| p.point == point(n, 0)) {
        policies.ours = Some(policy(ppm));
    }
}

fn with_chain_fee(node: &mut Snapshot, hour: i64) {
    let fees = ChainFees { fastest: hour, half_hour: hour, hour, economy: hour, minimum: 1000 };
    node.public.chain_fees = Some(Fact { value: fees, source: "mempool.space".into(), as_of: NOW });
}

fn htlc() -> Htlc {
    Htlc {
        incoming: true,
        amount: Sat::new(1),
        hash: "00".into(),
        expiry_height: 900_000,
        index: 0,
        forwarding_channel: None,
    }
}

#[test]
fn a_good_node_gets_no_advice() {
    let node = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000)]);
    let past = steady(&[Daily { n: 1, out: 10_000, into: 10_000, ppm: 500 }]);
    assert_eq!(keys(&made(&node, &past)), Vec::<&str>::new());
}

#[test]
fn advice_is_ranked_limited_and_never_twice_for_a_channel() {
    let mut channels: Vec<_> = (1..=12).map(|n| channel(n, 100_000, 1_900_000)).collect();
    channels.extend((13..=30).map(|n| channel(n, 1_900_000, 100_000)));
    let flows: Vec<Daily> = (1..=12).map(|n| Daily { n, out: 100_000, into: 0, ppm: 500 + i64::from(n) }).collect();
    let mut node = snapshot(channels);
    node.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
    let report = made(&node, &steady(&flows));
    assert_eq!(report.recommendations.len(), 7);
    assert_eq!(keys(&report)[0], "anchor-reserve:node");
    check(&report, &node).unwrap();
}

/// What holds of every report.
fn check(report: &Report, node: &Snapshot) -> Result<(), TestCaseError> {
    prop_assert!(report.recommendations.len() <= 7);
    let mut seen: HashMap<&Outpoint, u32> = HashMap::new();
    let mut before: Option<Sat> = None;
    for r in &report.recommendations {
        for point in &r.channels_affected {
            *seen.entry(point).or_default() += 1;
        }
        prop_assert!(r.impact_score <= 10 && !r.evidence.is_empty(), "{r:?}");
        prop_assert!((0.0..=1.0).contains(&r.confidence));
        prop_assert!(r.first_advised.is_some());
        if let Some(gain) = r.estimated_gain_sats_month {
            let (low, high) = (r.gain_low_sats_month.unwrap(), r.gain_high_sats_month.unwrap());
            prop_assert!(low <= gain && gain <= high, "{low:?} {gain:?} {high:?} of {}", r.title);
        }
        let guards = matches!(r.category, Category::Safety);
        if !guards && r.category != Category::Settings {
            prop_assert!(before.is_none_or(|b| r.estimated_gain_sats_month.unwrap_or(b) <= b), "ranked by gain");
            before = r.estimated_gain_sats_month.or(before);
        }
        match &r.act {
            Some(Act::SetFee { channel, from_ppm, to_ppm, base_msat }) => {
                prop_assert!(to_ppm.0 >= 0 && *base_msat >= Msat::ZERO);
                let limit = Thresholds::default().fee_max_ppm.max(from_ppm.0);
                prop_assert!(to_ppm.0 <= limit, "{to_ppm:?} beyond {limit}");
                let peer = &node.node.channels.as_ref().unwrap().iter().find(|c| c.point == *channel).unwrap().peer;
                let market = node.node.market.as_ref().and_then(|m| m.peers.iter().find(|p| p.pubkey == *peer));
                if let Some([.., high]) = market.and_then(|m| m.incoming_rate_percentiles) {
                    prop_assert!(to_ppm <= &high || to_ppm <= from_ppm, "above what nearly all others charge");
                }
            }
            Some(Act::Rebalance { amount_sat, max_fee_sat, from, to }) => {
                prop_assert!(amount_sat.get() >= 10_000 && *max_fee_sat > Sat::ZERO && from != to);
                let even = r.evidence.iter().find(|e| e.name == "break-even cost").unwrap();
                let even: i64 = even.value.replace([',', ' '], "").replace("sat", "").parse().unwrap();
                prop_assert!(max_fee_sat.get() <= even, "{max_fee_sat:?} of {even}");
                prop_assert!(r.cost_sats.unwrap() <= *max_fee_sat);
            }
            _ => {}
        }
    }
    prop_assert!(seen.values().all(|n| *n == 1), "no channel twice: {seen:?}");
    Ok(())
}

prop_compose! {
    fn any_daily()(out in prop_oneof![Just(0_i64), 0..2_000_000_i64], into in prop_oneof![Just(0_i64), 0..2_000_000_i64],
                   ppm in 0..6_000_i64, base in prop_oneof![Just(0_i64), Just(1_000)], share in 0..=100_i64,
                   their in 0..2_000_i64, market in proptest::option::of(prop::array::uniform5(0..4_000_i64)))
                   -> (Daily, i64, i64, i64, Option<[i64; 5]>) {
        (Daily { n: 0, out, into, ppm }, base, share, their, market)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn whatever_the_node_the_advice_keeps_its_promises(all in prop::collection::vec(any_daily(), 1..14), hour in 0..60_000_i64) {
        let mut node = snapshot(vec![]);
        let mut channels = Vec::new();
        let mut flows = Vec::new();
        let mut peers = Vec::new();
        let mut policies = Vec::new();
        for (n, (daily, base, share, their, rates)) in (1_u8..).zip(all) {
            channels.push(channel(n, 50_000 * share, 50_000 * (100 - share)));
            flows.push(Daily { n, ..daily });
            if let Some(mut rates) = rates {
                rates.sort_unstable();
                peers.push(market(n, rates));
            }
            let ours = Policy { base: Msat::new(base), ..policy(daily.ppm) };
            let policy = crate::snapshot::ChannelPolicies { point: point(n, 0), ours: Some(ours), theirs: Some(policy(their)) };
            policies.push(policy);
        }
        node.node.channels = Some(channels);
        node.node.policies = Some(policies);
        node.node.market = Some(Market { peers, ..Market::default() });
        with_chain_fee(&mut node, hour);
        check(&made(&node, &steady(&flows)), &node)?;
    }
}

#[test]
fn a_period_of_a_steady_history_is_that_many_days() {
    let past = steady(&[Daily { n: 1, out: 1_000, into: 0, ppm: 100 }]);
    let out = |p: &Period| p.amount_out.get();
    assert_eq!((out(&past.day), out(&past.week), out(&past.month)), (1_000_000, 7_000_000, 30_000_000));
}
