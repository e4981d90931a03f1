use std::collections::BTreeMap;

use super::*;
use crate::analysis::support::*;
use crate::history::{PairFlow, Watched};
use crate::report::Report;
use crate::snapshot::{Fact, Market, PeerMarket, Snapshot};

fn dollars(mut snapshot: Snapshot, prices: &[(&str, i64)]) -> Snapshot {
    let value: BTreeMap<String, i64> = prices.iter().map(|(name, price)| ((*name).to_owned(), *price)).collect();
    snapshot.public.price = Some(Fact { value, source: "mempool.space".to_owned(), as_of: NOW });
    snapshot
}

#[test]
fn fiat_stands_beside_sats_at_the_price_of_now() {
    let (snapshot, history) = bob_later();
    // 98,765.43 dollars for 100,000,000 sat: 12,630.855 sat are 12.4748 dollars.
    let report = made(&dollars(snapshot.clone(), &[("EUR", 1), ("USD", 9_876_543)]), &history);
    let fiat = report.money.fiat.unwrap();
    assert_eq!((fiat.currency.as_str(), fiat.price_hundredths), ("USD", 9_876_543));
    let day = fiat.day.unwrap();
    assert_eq!(day.fees_earned_hundredths, 1_247);
    // Costs are 18,690 msat and 2,448 sat: 2.4363 dollars; the net 10,164,165 msat: 10.0387.
    assert_eq!((day.cost_hundredths, day.net_hundredths), (244, Some(1_004)));
    assert_eq!(made(&dollars(snapshot.clone(), &[("EUR", 5)]), &history).money.fiat.unwrap().currency, "EUR");
    assert_eq!(made(&snapshot, &history).money.fiat, None);
}

#[test]
fn a_channel_that_only_sends_is_a_sink() {
    let now = snapshot((1..=4).map(|n| channel(n, 500_000, 500_000)).collect());
    let past = history(&[sold(1, 1_000, 1), bought(2, 1_000, 0), sold(3, 1_000, 1), bought(3, 1_000, 0)]);
    let report = made(&now, &past);
    let class = |n: u8| report.money.channels.iter().find(|c| c.channel_point == point(n, 0)).map(|c| c.flow_class);
    assert_eq!(class(1), Some(Some(FlowClass::Sink)));
    assert_eq!(class(2), Some(Some(FlowClass::Source)));
    assert_eq!(class(3), Some(Some(FlowClass::Balanced)));
    assert_eq!(class(4), None, "nothing moved, earned or was paid");
    let sink = &report.money.peers.iter().find(|p| p.peer == Some(key(1))).unwrap();
    assert_eq!((sink.flow_direction, sink.channels_open), (Some(1.0), 1));
    // Just at the limit: 75 against 25 is half of both.
    let limits = |percent| crate::analysis::Thresholds { flow_class_percent: percent, ..Default::default() };
    let past = history(&[sold(1, 750, 0), bought(1, 250, 0)]);
    let class = |percent| made_by(&now, &past, &limits(percent)).money.channels[0].flow_class;
    assert_eq!((class(50), class(51)), (Some(FlowClass::Sink), Some(FlowClass::Balanced)));
}

#[test]
fn idle_days_count_from_the_last_forward() {
    let now = snapshot(vec![channel(1, 1, 1), channel(2, 1, 1)]);
    let mut past = history(&[sold(1, 1_000, 1), sold(2, 1_000, 1)]);
    past.last_forward = vec![(scid(700_000, 1), NOW.plus(-3 * DAY_MS - 1))];
    let report = made(&now, &past);
    let days = |n: u8| report.money.channels.iter().find(|c| c.channel_point == point(n, 0)).unwrap().idle_days;
    // The second never had one: as long as the node is known.
    assert_eq!((days(1), days(2)), (Some(3), Some(60)));
}

fn failure(to: u64, reason: FailureReason, count: u32, fee: i64) -> FailureFlow {
    FailureFlow {
        scid_in: scid(700_000, 9),
        scid_out: scid(700_000, to),
        reason,
        count,
        amount_out: Msat::new(1_000_000),
        fee: Msat::new(fee),
    }
}

#[test]
fn missed_demand_is_what_lacked_balance_while_somebody_watched() {
    let now = snapshot(vec![channel(1, 1, 1), channel(2, 1, 1)]);
    let mut past = history(&[]);
    assert_eq!(made(&now, &past).money.missed_demand, None);
    past.watched = Watched {
        htlcs_ms: [0, DAY_MS, 15 * DAY_MS],
        failures_month: vec![
            failure(1, FailureReason::Balance, 2, 500),
            failure(1, FailureReason::Balance, 1, 250),
            failure(1, FailureReason::Downstream, 90, 90_000),
            failure(2, FailureReason::Balance, 1, 900),
            failure(77, FailureReason::Balance, 1, 5),
        ],
        ..Watched::default()
    };
    let missed = made(&now, &past).money.missed_demand.unwrap();
    assert_eq!((missed.watched_share_24h, missed.watched_share_30d), (0.0, 0.5));
    let rows: Vec<_> =
        missed.channels.iter().map(|c| (c.channel_point.clone(), c.month.unwrap().fees_msat.get())).collect();
    assert_eq!(rows, [(Some(point(2, 0)), 900), (Some(point(1, 0)), 750), (None, 5)]);
    let first = &missed.channels[1];
    assert_eq!((first.month.unwrap().forwards, first.month.unwrap().amount_msat), (3, Msat::new(2_000_000)));
    assert_eq!((first.day, first.week), (None, Some(MissedFlow::default())), "nobody watched the day");
}

fn rate(settled: u32, failed: u32, watched_ms: i64) -> Option<f64> {
    let mut past = history(&[]);
    // Twice as many in the whole day as while it was watched.
    past.day.forwards = 2 * settled;
    past.watched.settled_day = settled;
    past.watched.htlcs_ms = [watched_ms; 3];
    past.watched.failures_day = vec![failure(1, FailureReason::Downstream, failed, 0)];
    made(&snapshot(vec![channel(1, 1, 1)]), &past).metrics.forwarding.success_rate_24h
}

#[test]
fn the_share_that_succeeds_needs_nine_tenths_of_the_day() {
    assert_eq!(rate(3, 1, DAY_MS), Some(0.75));
    assert_eq!(rate(3, 1, DAY_MS / 10 * 9), Some(0.75));
    assert_eq!(rate(3, 1, DAY_MS / 10 * 9 - 1_000), None);
    assert_eq!(rate(0, 0, DAY_MS), None, "nothing was tried");
}

fn with_peers(report: &Report) -> Concentration {
    report.money.concentration.clone().unwrap()
}

#[test]
fn concentration_names_the_peer_that_most_hangs_on() {
    let mut now = snapshot(vec![channel(1, 100_000, 900_000), channel(2, 300_000, 700_000), channel(3, 100_000, 0)]);
    let peer = |n: u8, clearnet| PeerMarket { clearnet, ..market(n, [1; 5]) };
    let peers = vec![peer(1, Some(true)), peer(2, Some(false))];
    now.node.market = Some(Market { peers, ..Market::default() });
    let mut past = history(&[sold(1, 3_000, 600), sold(2, 1_000, 400)]);
    let pair = |from: u64, to: u64, fee: i64| PairFlow {
        scid_in: scid(700_000, from),
        scid_out: scid(700_000, to),
        forwards: 1,
        amount_in: Msat::new(1_000 + fee),
        amount_out: Msat::new(1_000),
    };
    // All that leaves by 1 and 2 comes from 3, which earns nothing itself.
    past.pairs_month = vec![pair(3, 1, 600), pair(3, 2, 300), pair(1, 2, 100)];
    let seen = with_peers(&made(&now, &past));
    let told =
        |share: &Option<PeerShare>| share.as_ref().map(|s| (s.peer.clone(), s.amount_msat.get(), s.share)).unwrap();
    assert_eq!(told(&seen.fees), (key(1), 600, 0.6));
    assert_eq!(told(&seen.volume), (key(1), 3_000_000, 0.75));
    assert_eq!(told(&seen.local), (key(2), 300_000_000, 0.6));
    assert_eq!(told(&seen.loss), (key(3), 900, 0.9));
    // 1,000,000 each of 2,100,000; the third announced no address.
    assert_eq!((seen.clearnet_share, seen.tor_share), (Some(0.476_190), Some(0.476_190)));
    now.node.market = None;
    assert_eq!(with_peers(&made(&now, &past)).tor_share, None);
}
