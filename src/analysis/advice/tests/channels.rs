use super::*;
use crate::history::PairFlow;
use crate::snapshot::{PeerCandidate, PeerMarket};

fn gone_for(days: i64) -> (Snapshot, History) {
    let mut node = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000)]);
    node.node.channels.as_mut().unwrap()[0].active = false;
    node.node.peers.as_mut().unwrap().remove(0);
    let mut past = history(&[bought(2, 1_000_000, 10_000_000), sold(2, 1_000_000, 10_000_000)]);
    let seen = |n: u8, day: i64, here| sample(NOW.plus(-day * DAY_MS), n, here);
    past.samples = (1..=29).rev().flat_map(|day| [seen(1, day, day > days), seen(2, day, true)]).collect();
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
    node.node.channels.as_mut().unwrap()[0].htlcs = vec![htlc()];
    assert!(find(&made(&node, &past), "close-gone").is_none());
}

/// Four channels of 10M, half of it ours. Three earn 5,000 sat in 30 days (half of 5,000 out and 5,000 in), which is
/// 500 ppm of the capacity; what the fourth earns is given.
fn four(earned_msat: i64) -> (Snapshot, History) {
    let mut node = snapshot((1..=4).map(|n| channel(n, 5_000_000, 5_000_000)).collect());
    let mut flows: Vec<ScidFlow> =
        (1..=3).flat_map(|n| [bought(n, 10_000_000, 5_000_000), sold(n, 10_000_000, 5_000_000)]).collect();
    flows.push(sold(4, 1_000_000, earned_msat));
    let mut past = history(&flows);
    past.last_forward.retain(|(id, _)| *id != scid(700_000, 4));
    with_chain_fee(&mut node, 2_000);
    (node, past)
}

#[test]
fn a_channel_that_earns_too_little_is_closed_only_where_that_pays() {
    let (mut node, past) = four(0);
    let report = made(&node, &past);
    let advice = find(&report, "close-idle").unwrap();
    // 5M of ours at half of 500 ppm. Closing and opening are 295 vB at 2 sat/vB; paid back in 590 / 1,250 of 30 days.
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(1_250)));
    assert_eq!(advice.cost_sats, Some(Sat::new(590)));
    assert_eq!(advice.payback_days, Some(15));
    assert_eq!(advice.act, Some(Act::Close { channel: point(4, 0), force: false }));
    with_chain_fee(&mut node, 50_001);
    assert!(find(&made(&node, &past), "close-idle").is_none(), "chain fees are high");
    // Six months of 1,250 sat are 7,500: 25,423 sat per 1,000 vB cost 7,499, one more 7,500.
    with_chain_fee(&mut node, 25_423);
    assert!(find(&made(&node, &past), "close-idle").is_some());
    with_chain_fee(&mut node, 25_425);
    assert!(find(&made(&node, &past), "close-idle").is_none(), "it does not pay within the horizon");
}

#[test]
fn what_a_channel_earns_itself_counts_against_closing_it() {
    // Half of 2,000 sat: 1,250 less 1,000.
    let (node, past) = four(2_000_000);
    assert_eq!(find(&made(&node, &past), "close-idle").unwrap().estimated_gain_sats_month, Some(Sat::new(250)));
    let (node, past) = four(2_600_000);
    assert!(find(&made(&node, &past), "close-idle").is_none());
}

type Spoil = fn(&mut Snapshot, &mut History);

#[test]
fn no_channel_is_closed_that_a_guard_protects() {
    let guards: [(&str, Spoil); 5] = [
        ("private", |node, _| node.node.channels.as_mut().unwrap()[3].private = true),
        ("an HTLC in it", |node, _| {
            node.node.channels.as_mut().unwrap()[3].htlcs = vec![htlc()];
        }),
        ("89 days old", |node, _| {
            // 144 blocks a day.
            node.node.channels.as_mut().unwrap()[3].scid = scid(800_000 - 89 * 144, 4);
        }),
        ("this node was away", |_, past| {
            past.samples = (1..=20).rev().map(|day| sample(NOW.plus(-day * DAY_MS), 1, day > 3)).collect();
        }),
        ("the only source of another", |_, past| {
            past.pairs_month = vec![PairFlow {
                scid_in: scid(700_000, 4),
                scid_out: scid(700_000, 1),
                forwards: 1,
                amount_in: Msat::new(2_000),
                amount_out: Msat::new(1_999),
            }];
        }),
    ];
    for (why, spoil) in guards {
        let (mut node, mut past) = four(0);
        assert!(find(&made(&node, &past), "close-idle").is_some(), "before: {why}");
        spoil(&mut node, &mut past);
        assert!(find(&made(&node, &past), "close-idle").is_none(), "{why}");
    }
}

fn candidate(n: u8) -> PeerCandidate {
    PeerCandidate {
        market: PeerMarket { alias: format!("new{n}"), ..market(n, [10, 50, 100, 200, 400]) },
        outgoing_rate_median: Some(Ppm(80)),
        new_within_two_hops: 900,
        shared_peers: 2,
        fresh_percent: 90,
        median_channel: Sat::new(3_000_000),
    }
}

fn with_candidates(confirmed: i64) -> (Snapshot, History) {
    let (mut node, past) = four(5_000_000);
    node.node.wallet.as_mut().unwrap().confirmed = Sat::new(confirmed);
    node.node.market = Some(Market { candidates: vec![candidate(50), candidate(51)], ..Market::default() });
    (node, past)
}

#[test]
fn a_channel_is_opened_with_what_the_wallet_can_spare() {
    let (node, past) = with_candidates(6_000_000);
    let report = made(&node, &past);
    let advice = find(&report, "open:").unwrap();
    // 6M less the reserve of 60,000, the 200,000 that stay and 590 for the chain, in steps of 10,000. Of the four peers
    // the middle one earns 500 ppm, half of that is promised.
    assert_eq!(advice.title, "Open a channel of 5,730,000 sat with new50");
    assert_eq!(advice.estimated_gain_sats_month, Some(Sat::new(1_432)));
    assert_eq!(advice.act, Some(Act::Open { peer: key(50), capacity_sat: Sat::new(5_730_000) }));
    assert_eq!(report.recommendations.iter().filter(|r| r.advice_key.starts_with("open:")).count(), 1);
}

#[test]
fn no_channel_is_opened_without_the_sats_or_while_another_settles() {
    let (node, past) = with_candidates(1_260_589);
    assert!(find(&made(&node, &past), "open:").is_none(), "one sat less than the smallest channel needs");
    let (node, past) = with_candidates(1_260_590);
    assert!(find(&made(&node, &past), "open:").is_some());
    let (mut node, past) = with_candidates(6_000_000);
    node.node.channels.as_mut().unwrap()[0].scid = scid(800_000 - 13 * 144, 1);
    assert!(find(&made(&node, &past), "open:").is_none(), "one of ours is 13 days old");
    let (mut node, past) = with_candidates(6_000_000);
    for channel in node.node.channels.as_mut().unwrap() {
        (channel.local, channel.remote) = (Sat::new(7_100_000), Sat::new(2_900_000));
    }
    assert!(find(&made(&node, &past), "open:").is_none(), "there is too much to sell already");
}
