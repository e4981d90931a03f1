use proptest::prelude::*;

use super::*;
use crate::analysis::support::*;
use crate::history::History;
use crate::snapshot::{Gap, Market, Snapshot};
use crate::units::{Msat, Sat};

fn part<'a>(report: &'a Report, name: &str) -> &'a ScorePart {
    report.score_parts.iter().find(|p| p.name == name).unwrap()
}

/// Points won and weight measured.
fn sums(report: &Report) -> (f64, f64) {
    let won: f64 = report.score_parts.iter().filter_map(|p| p.points).sum();
    let lost: f64 = report.score_parts.iter().filter_map(|p| p.points_lost).sum();
    (won, won + lost)
}

fn node() -> Snapshot {
    let mut snapshot = snapshot((1..=10).map(|n| channel(n, 500_000, 500_000)).collect());
    let peers = (1..=10).map(|n| market(n, [10, 50, 200, 400, 800])).collect();
    snapshot.node.market = Some(Market { peers, ..Market::default() });
    snapshot
}

/// Turns the capacity over once a month at 2,500 ppm: 3 % a year on 5,000,000 sat is 12,329 sat in 30 days.
fn busy() -> History {
    history(&[bought(1, 10_000_000, 25_000_000), sold(2, 10_000_000, 25_000_000)])
}

#[test]
fn weights_sum_to_a_hundred() {
    assert_eq!(PARTS.iter().map(|(_, weight)| weight).sum::<u32>(), 100);
}

#[test]
fn a_node_with_everything_has_a_hundred() {
    let mut past = busy();
    past.samples = vec![crate::history::ChannelSample {
        at: NOW.plus(-DAY_MS),
        point: point(1, 0),
        peer: key(1),
        local_sat: 1,
        remote_sat: 1,
        active: true,
        peer_connected: Some(true),
    }];
    let report = made(&node(), &past);
    assert_eq!(report.summary.overall_score, Some(100), "{:#?}", report.score_parts);
    assert!((report.safety.score_coverage - 1.0).abs() < 1e-9);
    assert_eq!(part(&report, "flow").value, Some(100.0));
}

#[test]
fn profit_is_a_year_of_the_net_on_our_balance() {
    // 12,000 sat net in 30 days on 5,000,000 sat: 146,000 a year, 2.92 %.
    let report = made(&node(), &history(&[bought(1, 10_000_000, 12_000_000), sold(2, 10_000_000, 12_000_000)]));
    assert_eq!(part(&report, "profit").value, Some(2.92));
    let points = part(&report, "profit").points.unwrap();
    assert!((points - 15.0 * 2.92 / 3.0).abs() < 0.01, "{points}");
}

#[test]
fn the_score_is_the_points_won_of_the_weight_measured() {
    let mut snapshot = node();
    snapshot.node.channels.as_mut().unwrap()[0].local = Sat::new(10_000);
    snapshot.node.channels.as_mut().unwrap()[1].active = false;
    let report = made(&snapshot, &history(&[]));
    let (won, weight) = sums(&report);
    let score = report.summary.overall_score.unwrap();
    assert_eq!(score, whole(100.0 * won / weight));
    assert!(score < 100);
    for part in &report.score_parts {
        assert!(!part.sentence.is_empty(), "{}", part.name);
    }
}

#[test]
fn a_young_node_has_no_flow_yet_instead_of_none() {
    let (snapshot, history) = bob_later();
    let report = made(&snapshot, &history);
    let flow = part(&report, "flow");
    assert_eq!((flow.value, flow.points, flow.coverage), (None, None, 0.0));
    assert!(flow.sentence.starts_with("Not measured until 2026-11-28"), "{}", flow.sentence);
    assert!(report.summary.overall_score.is_some());
}

#[test]
fn below_sixty_percent_there_is_no_score() {
    let mut snapshot = node();
    snapshot.node.channels = None;
    let report = made(&snapshot, &busy());
    assert_eq!(report.summary.overall_score, None);
    assert!(report.safety.score_coverage < 0.6);
}

#[test]
fn a_finding_about_funds_caps_the_score() {
    let mut snapshot = node();
    snapshot.node.macaroon_can_write = true;
    let report = made(&snapshot, &busy());
    assert_eq!((report.summary.overall_score, report.safety.score_cap), (Some(85), Some(85)));
    assert_eq!(report.safety.findings, ["macaroon-can-write"]);
}

#[test]
fn profit_with_an_unknown_cost_is_not_measured() {
    let (snapshot, mut history) = bob_later();
    history.first_seen = Some(NOW.plus(-60 * DAY_MS));
    assert!(part(&made(&snapshot, &history), "profit").points.is_some());
    history.transactions.retain(|t| t.outputs.is_none());
    let report = made(&snapshot, &history);
    assert_eq!(part(&report, "profit").points, None);
    assert!(part(&report, "profit").sentence.contains("cost of closing"));
}

#[test]
fn a_delta_compares_only_what_was_measured_on_both_days() {
    let mut before = node();
    before.node.market = None;
    for channel in before.node.channels.as_mut().unwrap().iter_mut().take(5) {
        channel.active = false;
    }
    let mut past = busy();
    let mut old = made(&before, &past);
    old.report_date = NOW.day().plus(-1);
    let score = old.summary.overall_score.unwrap();
    past.previous_report = Some(old.clone());
    let mut now = node();
    // A bad fee: it costs points today, but fees were not measured yesterday.
    now.node.market.as_mut().unwrap().peers[0] = market(1, [1, 2, 3, 4, 5]);
    let report = made(&now, &past);
    assert_eq!(report.summary.score_delta_24h, Some(100 - score));
    old.score_version += 1;
    past.previous_report = Some(old.clone());
    assert_eq!(made(&now, &past).summary.score_delta_24h, None);
    old.score_version -= 1;
    old.report_date = NOW.day().plus(-2);
    past.previous_report = Some(old);
    assert_eq!(made(&now, &past).summary.score_delta_24h, None, "not a day before");
}

prop_compose! {
    fn any_node()(sides in proptest::collection::vec((0..2_000_000_i64, 0..2_000_000_i64, any::<bool>()), 1..8),
                  rates in proptest::collection::vec(0..2_000_i64, 8)) -> Snapshot {
        let mut channels = Vec::new();
        for (n, (local, remote, active)) in (1..).zip(&sides) {
            let mut one = channel(n, *local, *remote);
            one.active = *active;
            channels.push(one);
        }
        let mut node = snapshot(channels);
        for (policies, rate) in node.node.policies.as_mut().unwrap().iter_mut().zip(&rates) {
            policies.ours = Some(policy(*rate));
        }
        let peers = (1..=8).map(|n| market(n, [10, 50, 200, 400, 800])).collect();
        node.node.market = Some(Market { peers, ..Market::default() });
        node
    }
}

fn any_history() -> impl Strategy<Value = History> {
    (0..20_000_000_i64, 0..50_000_000_i64)
        .prop_map(|(amount, fee)| history(&[bought(1, amount, fee), sold(1, amount, fee)]))
}

/// The score without its cap.
fn plain(report: &Report) -> i64 {
    let (won, weight) = sums(report);
    whole(won * 1000.0) * 1000 / whole(weight * 1000.0)
}

proptest! {
    /// More of what is good: a balanced channel, a usable one, more flow, more fees, a fee in the market.
    #[test]
    fn no_improvement_lowers_the_score(node in any_node(), past in any_history(), which in 0..8_usize, more in 1..1_000_000_i64) {
        let before = plain(&made(&node, &past));
        let mut better = node.clone();
        let channels = better.node.channels.as_mut().unwrap();
        let i = which % channels.len();
        channels[i].active = true;
        prop_assert!(plain(&made(&better, &past)) >= before);

        let mut better = node.clone();
        let one = &mut better.node.channels.as_mut().unwrap()[i];
        let all = one.local + one.remote;
        one.local = Sat::new(all.get() / 2);
        one.remote = all - one.local;
        let part = |r: &Report| whole(part(r, "liquidity").points.unwrap_or(0.0) * 1000.0);
        prop_assert!(part(&made(&better, &past)) >= part(&made(&node, &past)));

        let mut better = past.clone();
        better.month.amount_in += Sat::new(more).msat();
        better.month.amount_out += Sat::new(more).msat();
        prop_assert!(plain(&made(&node, &better)) >= before);
        better.month.amount_in += Msat::new(more);
        prop_assert!(plain(&made(&node, &better)) >= before);

        let mut better = node.clone();
        better.node.policies.as_mut().unwrap()[i].ours = Some(policy(200));
        prop_assert!(plain(&made(&better, &past)) >= before);
    }

    /// A node ten times as large with ten times the flow is as good.
    #[test]
    fn scaling_all_amounts_leaves_the_score_alone(node in any_node(), past in any_history(), by in 2..50_i64) {
        let small = made(&node, &past);
        let mut large = node.clone();
        for one in large.node.channels.as_mut().unwrap() {
            for amount in [&mut one.local, &mut one.remote, &mut one.capacity] {
                *amount = Sat::new(amount.get() * by);
            }
        }
        let balance = large.node.channel_balance.as_mut().unwrap();
        balance.local = Msat::new(balance.local.get() * by);
        let mut flows = past.clone();
        for sum in [&mut flows.month.amount_in, &mut flows.month.amount_out] {
            *sum = Msat::new(sum.get() * by);
        }
        let large = made(&large, &flows);
        prop_assert_eq!(small.summary.overall_score, large.summary.overall_score);
        for (a, b) in small.score_parts.iter().zip(&large.score_parts) {
            prop_assert_eq!(a.points, b.points, "{}", a.name);
        }
    }

    /// Whatever could not be read, the points won do not rise.
    #[test]
    fn a_gap_never_raises_the_points_won(node in any_node(), past in any_history(), what in 0..9_usize, risk in any::<bool>()) {
        let mut node = node;
        if risk {
            node.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
        }
        let whole_node = made(&node, &past);
        let view = &mut node.node;
        match what {
            0 => view.channels = None,
            1 => view.pending = None,
            2 => view.wallet = None,
            3 => view.peers = None,
            4 => view.policies = None,
            5 => view.market = None,
            6 => view.closed = None,
            7 => view.market.as_mut().unwrap().peers.truncate(1),
            _ => {
                for part in ["forwards", "payments", "transactions"] {
                    node.gaps.push(Gap { part: part.into(), source: "lnd".into(), reason: String::new() });
                }
            }
        }
        let gap = made(&node, &past);
        prop_assert!(whole(sums(&gap).0 * 1000.0) <= whole(sums(&whole_node).0 * 1000.0));
    }
}
