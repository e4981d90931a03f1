use proptest::prelude::*;

use super::*;
use crate::analysis::number::whole;
use crate::analysis::support::*;
use crate::history::{History, PastScore, PeerWatch};
use crate::report::{Report, SCORE_VERSION};
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
    sampled(history(&[bought(1, 10_000_000, 25_000_000), sold(2, 10_000_000, 25_000_000)]), &node())
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
    let past = history(&[bought(1, 10_000_000, 12_000_000), sold(2, 10_000_000, 12_000_000)]);
    // Channels hold five million now; it is what they held over the month that counts.
    let mut now = node();
    now.node.channels.as_mut().unwrap()[0].local = Sat::new(1);
    let report = made(&now, &sampled(past, &node()));
    assert_eq!(part(&report, "profit").value, Some(2.92));
    let points = part(&report, "profit").points.unwrap();
    assert!((points - 14.0 * 2.92 / 3.0).abs() < 0.01, "{points}");
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
    let sentence = &part(&report, "safety").sentence;
    assert_eq!(sentence, "1 finding concerns funds: macaroon-can-write. Its alert says what to do.");
}

#[test]
fn channels_that_are_not_usable_are_told_only_where_there_are_any() {
    let told = |down: usize| {
        let mut snapshot = node();
        snapshot.node.channels.as_mut().unwrap().iter_mut().take(down).for_each(|c| c.active = false);
        part(&made(&snapshot, &busy()), "availability").sentence.clone()
    };
    assert!(told(0).ends_with("gives all points."), "{}", told(0));
    assert!(told(1).contains("gives all points. 1 channel is not usable: reach"), "{}", told(1));
    assert!(told(2).contains(" 2 channels are not usable: reach"), "{}", told(2));
}

#[test]
fn profit_with_an_unknown_cost_is_not_measured() {
    let (snapshot, history) = bob_later();
    let mut history = sampled(history, &snapshot);
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

/// What the store keeps of a report.
fn kept(report: &Report, days_ago: i64) -> PastScore {
    PastScore {
        date: NOW.day().plus(-days_ago),
        score_version: report.score_version,
        score: report.summary.overall_score,
        cap: report.safety.score_cap,
        parts: report.score_parts.clone(),
    }
}

#[test]
fn the_first_day_has_a_score_well_above_the_least_coverage() {
    let mut past = busy();
    past.first_seen = Some(NOW.plus(-HOUR_MS));
    past.first_forward = None;
    let mut now = node();
    now.node.market = None;
    let coverage = |now: &Snapshot| whole(made(now, &past).safety.score_coverage * 100.0);
    assert_eq!(coverage(&now), 66);
    // One area of safety that can't be looked at leaves it a score, and not by a hair.
    now.node.wallet = None;
    assert_eq!(coverage(&now), 61);
    assert!(made(&now, &past).summary.overall_score.is_some());
    now.node.pending = None;
    assert_eq!(made(&now, &past).summary.overall_score, None);
}

#[test]
fn what_cannot_be_measured_keeps_its_last_value_for_seven_days() {
    let mut past = busy();
    let mut poor = node();
    for channel in poor.node.channels.as_mut().unwrap() {
        (channel.local, channel.remote) = (Sat::new(1_000_000), Sat::ZERO);
    }
    let before = made(&poor, &past);
    assert_eq!(part(&before, "liquidity").points, Some(0.0));
    let mut blind = poor.clone();
    blind.node.channels = None;
    let coverage = |report: &Report| whole(report.safety.score_coverage * 100.0);
    assert!(coverage(&made(&blind, &past)) < 60);
    past.past_scores = vec![kept(&before, 7)];
    let now = made(&blind, &past);
    let kept_part = part(&now, "liquidity");
    assert_eq!((kept_part.points, kept_part.value), (Some(0.0), Some(0.0)));
    assert_eq!(kept_part.as_of, Some(NOW.day().plus(-7)));
    assert!(kept_part.sentence.ends_with("keeps its value of 2026-11-14, 7 days ago."), "{}", kept_part.sentence);
    assert!(kept_part.coverage < 1e-9, "nothing of today");
    assert_eq!((coverage(&now), now.summary.overall_score), (100, before.summary.overall_score));
    past.past_scores = vec![kept(&before, 8)];
    assert_eq!(part(&made(&blind, &past), "liquidity").points, None);
    past.past_scores = vec![PastScore { score_version: SCORE_VERSION - 1, ..kept(&before, 1) }];
    assert_eq!(part(&made(&blind, &past), "liquidity").points, None, "another formula");
    // What was carried yesterday is as old as it was.
    past.past_scores = vec![kept(&now, 1), kept(&before, 7)];
    assert_eq!(part(&made(&blind, &past), "liquidity").as_of, Some(NOW.day().plus(-7)));
    past.past_scores = vec![kept(&now, 1), kept(&before, 8)];
    assert_eq!(part(&made(&blind, &past), "liquidity").points, None);
}

#[test]
fn a_gap_does_not_lift_the_cap() {
    let mut past = busy();
    let mut risky = node();
    risky.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
    let before = made(&risky, &past);
    assert_eq!(before.safety.score_cap, Some(85));
    risky.node.wallet = None;
    assert_eq!(made(&risky, &past).safety.score_cap, None);
    past.past_scores = vec![kept(&before, 1)];
    let now = made(&risky, &past);
    assert_eq!((now.safety.score_cap, part(&now, "safety").points), (Some(85), part(&before, "safety").points));
}

#[test]
fn a_delta_leaves_out_what_is_carried() {
    let mut past = busy();
    let mut before = made(&node(), &past);
    before.report_date = NOW.day().plus(-1);
    past.past_scores = vec![kept(&before, 1)];
    past.previous_report = Some(before);
    let mut now = node();
    now.node.market = None;
    now.node.channels.as_mut().unwrap()[0].active = false;
    let report = made(&now, &past);
    assert!(part(&report, "fees").as_of.is_some());
    // Of 92 points without fees, availability loses a tenth of its half now and one of ten samples of the other:
    // 90 of 98 % won, 20 * (1 - 90/98) = 1.633 lost, 98.2 of 100.
    assert_eq!(report.summary.score_delta_24h, Some(-2));
}

#[test]
fn watched_connections_take_the_place_of_samples() {
    let mut past = busy();
    let hours = |n: i64| n * HOUR_MS;
    past.watched.peers_month = (1..=10)
        .map(|n| PeerWatch {
            peer: key(n),
            watched_ms: hours(200),
            connected_ms: hours(if n == 1 { 0 } else { 200 }),
            breaks: 0,
        })
        .collect();
    past.watched.peers_ms = [0, 0, hours(167)];
    assert_eq!(part(&made(&node(), &past), "availability").points, Some(20.0), "too little was watched");
    past.watched.peers_ms = [0, 0, hours(168)];
    // Nine of ten: 90 of 98 % of the half that looks back.
    let points = part(&made(&node(), &past), "availability").points.unwrap();
    assert!((points - (10.0 + 10.0 * 90.0 / 98.0)).abs() < 0.01, "{points}");
}

#[test]
fn profit_uses_seven_days_while_thirty_are_not_sampled() {
    let mut past = busy();
    for mean in &mut past.balances {
        mean.spans[2] = mean.spans[1];
    }
    let profit = part(&made(&node(), &past), "profit").clone();
    // 25,000 sat a week on 5,000,000: 26 % a year.
    assert!((profit.value.unwrap() - 26.07).abs() < 0.01, "{profit:?}");
    past.balances.clear();
    let profit = part(&made(&node(), &past), "profit").clone();
    assert_eq!((profit.points, profit.as_of), (None, None));
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
    /// More of what is good, each by itself: a usable channel, balance on the short side, flow, net, a fee nearer to the
    /// market, another peer, longer connections.
    #[test]
    fn no_improvement_lowers_the_score(node in any_node(), past in any_history(), which in 0..8_usize, more in 1..1_000_000_i64) {
        let past = sampled(past, &node);
        let before = plain(&made(&node, &past));
        let mut better = node.clone();
        let channels = better.node.channels.as_mut().unwrap();
        let i = which % channels.len();
        channels[i].active = true;
        prop_assert!(plain(&made(&better, &past)) >= before, "usable");

        let mut better = node.clone();
        let one = &mut better.node.channels.as_mut().unwrap()[i];
        let step = Sat::new(more.min((one.local - one.remote).abs().get() / 2));
        let short = one.local < one.remote;
        one.local = if short { one.local + step } else { one.local - step };
        one.remote = if short { one.remote - step } else { one.remote + step };
        prop_assert!(plain(&made(&better, &past)) >= before, "balance");

        let mut better = past.clone();
        better.month.amount_in += Sat::new(more).msat();
        better.month.amount_out += Sat::new(more).msat();
        prop_assert!(plain(&made(&node, &better)) >= before, "flow");
        better.month.amount_in += Msat::new(more);
        prop_assert!(plain(&made(&node, &better)) >= before, "net");

        // The market's range is 10 to 800.
        let mut better = node.clone();
        let policies = &mut better.node.policies.as_mut().unwrap()[i];
        let rate = policies.ours.as_ref().unwrap().rate.0;
        let nearer = if rate > 800 { (rate - more).max(800) } else { rate.max(10) };
        policies.ours = Some(policy(nearer));
        prop_assert!(plain(&made(&better, &past)) >= before, "fee");

        // With this channel at another's peer, the node has one peer less.
        let mut fewer = node.clone();
        let channels = fewer.node.channels.as_mut().unwrap();
        let other = (i + 1) % channels.len();
        channels[i].peer = channels[other].peer.clone();
        let points = |r: &Report| whole(part(r, "network").points.unwrap() * 1000.0);
        let lost = points(&made(&node, &past)) - points(&made(&fewer, &past));
        prop_assert_eq!(lost, if other == i { 0 } else { 300 }, "peers: a tenth of three fifths of five points");
    }

    #[test]
    fn longer_connections_do_not_lower_the_score(node in any_node(), hours in proptest::collection::vec(0..500_i64, 8), which in 0..8_usize) {
        let mut past = sampled(history(&[]), &node);
        past.watched.peers_ms = [0, 0, 500 * HOUR_MS];
        past.watched.peers_month = (1..9).zip(&hours).map(|(n, hours)| PeerWatch {
            peer: key(n), watched_ms: 500 * HOUR_MS, connected_ms: hours * HOUR_MS, breaks: 0,
        }).collect();
        let before = plain(&made(&node, &past));
        past.watched.peers_month[which].connected_ms = 500 * HOUR_MS;
        prop_assert!(plain(&made(&node, &past)) >= before);
    }

    /// With the cap that findings put on it: a finding that is gone never lowers the score.
    #[test]
    fn a_finding_less_does_not_lower_the_score(node in any_node(), past in any_history(), write in any::<bool>()) {
        let past = sampled(past, &node);
        let mut risky = node.clone();
        if write {
            risky.node.macaroon_can_write = true;
        } else {
            risky.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
        }
        let score = |node: &Snapshot| made(node, &past).summary.overall_score;
        prop_assert!(score(&node) >= score(&risky));
    }

    /// A node ten times as large with ten times the flow is as good.
    #[test]
    fn scaling_all_amounts_leaves_the_score_alone(node in any_node(), past in any_history(), by in 2..50_i64) {
        let past = sampled(past, &node);
        let small = made(&node, &past);
        let mut large = node.clone();
        for one in large.node.channels.as_mut().unwrap() {
            for amount in [&mut one.local, &mut one.remote, &mut one.capacity] {
                *amount = Sat::new(amount.get() * by);
            }
        }
        let balance = large.node.channel_balance.as_mut().unwrap();
        balance.local = Msat::new(balance.local.get() * by);
        let mut flows = sampled(past.clone(), &large);
        for sum in [&mut flows.month.amount_in, &mut flows.month.amount_out] {
            *sum = Msat::new(sum.get() * by);
        }
        let large = made(&large, &flows);
        prop_assert_eq!(small.summary.overall_score, large.summary.overall_score);
        for (a, b) in small.score_parts.iter().zip(&large.score_parts) {
            prop_assert_eq!(a.points, b.points, "{}", a.name);
        }
    }

    /// Whatever could not be read, the points won do not rise; and with a yesterday of the same node, neither does the score.
    #[test]
    fn a_gap_never_raises_the_score(node in any_node(), past in any_history(), what in 0..9_usize, risk in any::<bool>(), yesterday in any::<bool>()) {
        let mut node = node;
        let mut past = sampled(past, &node);
        if risk {
            node.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
        }
        let whole_node = made(&node, &past);
        if yesterday {
            past.past_scores = vec![kept(&whole_node, 1)];
        }
        let view = &mut node.node;
        match what {
            0 => view.channels = None,
            1 => view.pending = None,
            2 => view.wallet = None,
            3 => view.peers = None,
            4 => view.policies = None,
            5 => view.market = None,
            6 => view.closed = None,
            7 => view.info.synced_to_chain = false,
            _ => {
                for part in ["forwards", "payments", "transactions"] {
                    node.gaps.push(Gap { part: part.into(), source: "lnd".into(), reason: String::new() });
                }
            }
        }
        let gap = made(&node, &past);
        prop_assert!(whole(sums(&gap).0 * 1000.0) <= whole(sums(&whole_node).0 * 1000.0));
        if yesterday {
            prop_assert!(gap.summary.overall_score <= whole_node.summary.overall_score);
            prop_assert_eq!(whole(sums(&gap).1 * 1000.0), whole(sums(&whole_node).1 * 1000.0), "the same weight");
        }
    }
}
