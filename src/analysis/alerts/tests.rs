//! Each rule: when it fires, when it just does not, and that it says nothing without what it reads.

mod advisories;
mod closing;
mod earnings;
mod host;
mod peers;
mod policy;
mod recovery;
mod watched;

use super::*;
use crate::analysis::Thresholds;
use crate::analysis::support::*;
use crate::history::{ChannelSample, DaySum, History, OpenAlert};
use crate::report::{Report, Status};
use crate::snapshot::*;
use crate::units::{DAY_MS, HOUR_MS, Msat, UnixMs};

fn find<'a>(report: &'a Report, rule: &str) -> Option<&'a Alert> {
    report.alerts.iter().find(|a| a.rule == rule)
}

fn severity(report: &Report, rule: &str) -> Option<Severity> {
    find(report, rule).map(|a| a.severity)
}

fn title(report: &Report, rule: &str) -> Option<String> {
    find(report, rule).map(|a| a.title.clone())
}

/// Whether a rule had what it reads, as the report says.
fn asked(rule: &str, snapshot: &Snapshot, history: &History) -> bool {
    made(snapshot, history).judged_rules.iter().any(|name| name == rule)
}

fn two() -> Snapshot {
    snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000), channel(3, 400_000, 600_000)])
}

#[test]
fn a_good_node_has_no_alerts() {
    let report = made(&two(), &history(&[]));
    assert_eq!(rules(&report), Vec::<&str>::new());
    assert_eq!(report.summary.status, Status::Healthy);
}

#[test]
fn rule_names_are_unique() {
    assert!(RULES.len() >= 36);
    let names: HashSet<_> = RULES.iter().map(|r| r.name).collect();
    assert_eq!(names.len(), RULES.len());
}

#[test]
fn of_the_recorded_node_only_frank_is_a_warning() {
    let (snapshot, history) = bob_later();
    let report = made(&snapshot, &history);
    let warnings: Vec<_> = report.alerts.iter().filter(|a| a.severity > Severity::Info).collect();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!(warnings[0].title, "frank is unreachable: 1,221,752 sat of yours in 2 channels");
    assert_eq!(warnings[0].alert_key, format!("peer-unreachable:{}", key(4)));
    assert_eq!(severity(&report, "force-close"), Some(Severity::Info));
    assert_eq!(report.summary.status, Status::Warning);
}

#[test]
fn a_node_that_is_not_synced_says_only_that() {
    let (mut snapshot, history) = bob_later();
    snapshot.node.info.synced_to_chain = false;
    snapshot.node.info.synced_to_graph = false;
    snapshot.node.info.block_height = 1;
    snapshot.node.peers = Some(vec![]);
    for channel in snapshot.node.channels.as_mut().unwrap() {
        channel.active = false;
    }
    let mut history = history;
    history.previous_snapshot = Some(bob_later().0);
    history.open_alerts = vec![OpenAlert::new("peer-unreachable:x", Severity::Warning, "x", NOW)];
    let report = made(&snapshot, &history);
    assert_eq!(rules(&report), ["not-synced-chain", "not-synced-graph"]);
    assert!(report.metrics.capacity.stale);
    assert_eq!(report.summary.overall_score, None);
    let kinds: Vec<_> = report.changes.items.iter().map(|c| c.kind.as_str()).collect();
    assert_eq!(kinds, ["alert-new"]);
    assert!(report.recommendations.is_empty());
}

#[test]
fn an_absent_peer_is_counted_over_samples_but_not_those_of_our_own_downtime() {
    let mut snapshot = two();
    snapshot.node.peers.as_mut().unwrap().remove(0);
    snapshot.node.channels.as_mut().unwrap()[0].active = false;
    let seen = |days: i64, n: u8, here: bool| sample(NOW.plus(-days * DAY_MS), n, here);
    let mut history = history(&[]);
    history.samples = vec![
        seen(5, 1, true),
        seen(5, 2, true),
        seen(4, 1, false),
        seen(4, 2, true),
        // Nobody was there: this node was cut off.
        seen(3, 1, false),
        seen(3, 2, false),
        seen(1, 1, false),
        seen(1, 2, true),
    ];
    let report = made(&snapshot, &history);
    let alert = find(&report, "peer-unreachable").unwrap();
    assert!(
        alert.description.starts_with("Gone in 3 of 4 samples, without a break for 4 days"),
        "{}",
        alert.description
    );
    // Absent from the first sample on: when it left is not known.
    history.samples.retain(|s| s.point != point(1, 0) || !s.active);
    let report = made(&snapshot, &history);
    let text = &find(&report, "peer-unreachable").unwrap().description;
    assert!(text.starts_with("Gone in 3 of 3 samples, without a break for at least 4 days. Nothing"), "{text}");
    history.samples.iter_mut().filter(|s| s.at == NOW.plus(-4 * DAY_MS)).for_each(|s| s.at = NOW.plus(-14 * DAY_MS));
    let report = made(&snapshot, &history);
    let text = &find(&report, "peer-unreachable").unwrap().description;
    assert!(text.contains("at least 14 days. After 14 days few come back: try once more"), "{text}");
}

#[test]
fn many_peers_gone_at_once_points_at_ourselves() {
    let channels: Vec<_> = (1..=6).map(|n| channel(n, 500_000, 500_000)).collect();
    let mut now = snapshot(channels);
    let mut history = history(&[]);
    history.previous_snapshot = Some(now.clone());
    now.node.peers.as_mut().unwrap().truncate(2);
    for channel in now.node.channels.as_mut().unwrap().iter_mut().skip(2) {
        channel.active = false;
    }
    let report = made(&now, &history);
    assert_eq!(rules(&report), ["many-peers-gone"]);
    assert_eq!(report.alerts[0].title, "4 of 6 peers left at once: 2,000,000 sat of yours cannot be used");
    // Gone before too: then each is told by itself.
    history.previous_snapshot = Some(now.clone());
    assert_eq!(rules(&made(&now, &history)), ["peer-unreachable"; 4]);
}

#[test]
fn an_htlc_that_is_past_its_block_is_told_as_expired() {
    let judged = |expiry_height: u32| {
        let mut snapshot = two();
        snapshot.node.channels.as_mut().unwrap()[0].htlcs = vec![Htlc {
            incoming: false,
            amount: Sat::new(62_000),
            hash: "ab".repeat(32),
            expiry_height,
            index: 0,
            forwarding_channel: None,
        }];
        let report = made(&snapshot, &history(&[]));
        let alert = find(&report, "htlc-expiry").unwrap().clone();
        assert_eq!(alert.severity, Severity::Critical);
        alert
    };
    assert!(judged(800_001).title.ends_with(" times out in 1 block"));
    assert!(judged(800_000).title.ends_with(" times out with this block"));
    assert!(judged(799_999).title.ends_with(" expired 1 block ago"));
    let old = judged(794_084);
    assert!(old.title.ends_with(" expired 5,916 blocks ago"), "{}", old.title);
    assert!(
        old.description.contains(" expired at block 794084, the node is at 800000. LND should have failed it back")
    );
    assert!(judged(800_005).description.contains(" expires at block 800005, the node is at 800000. Reconnect"));
}

#[test]
fn an_htlc_on_two_channels_is_one_alert_that_rises() {
    let htlc = |incoming, expiry| Htlc {
        incoming,
        amount: Sat::new(77_001),
        hash: "ab".repeat(32),
        expiry_height: expiry,
        index: 0,
        forwarding_channel: None,
    };
    let judged = |blocks: u32| {
        let mut snapshot = two();
        let channels = snapshot.node.channels.as_mut().unwrap();
        channels[0].htlcs = vec![htlc(true, 800_000 + blocks + 40)];
        channels[1].htlcs = vec![htlc(false, 800_000 + blocks)];
        made(&snapshot, &history(&[]))
    };
    for (blocks, expected) in [
        (13, Some(Severity::Critical)),
        (14, Some(Severity::Warning)),
        (40, Some(Severity::Warning)),
        (41, Some(Severity::Info)),
        (144, Some(Severity::Info)),
        (145, None),
    ] {
        let report = judged(blocks);
        assert_eq!(severity(&report, "htlc-expiry"), expected, "{blocks}");
        assert_eq!(report.safety.blocks_to_first_htlc_expiry, Some(i64::from(blocks)));
        assert_eq!(report.metrics.channels.htlcs_in_flight, Some(1));
        assert!(report.alerts.len() <= 1);
    }
}

#[test]
fn the_reserve_for_anchors_is_what_lnd_says() {
    let mut snapshot = two();
    let wallet = snapshot.node.wallet.as_mut().unwrap();
    wallet.confirmed = Sat::new(60_000);
    assert_eq!(rules(&made(&snapshot, &history(&[]))), Vec::<&str>::new());
    snapshot.node.wallet.as_mut().unwrap().confirmed = Sat::new(59_999);
    let report = made(&snapshot, &history(&[]));
    assert_eq!(report.alerts[0].title, "The wallet lacks 1 sat for anchor channels: 59,999 sat of 60,000 sat");
    assert_eq!(report.recommendations[0].advice_key, "anchor-reserve:node");
}

#[test]
fn other_sources_see_that_the_node_is_behind() {
    let judged = |height| {
        let mut snapshot = two();
        snapshot.public.block_height = Some(Fact { value: height, source: "mempool.space".into(), as_of: NOW });
        severity(&made(&snapshot, &history(&[])), "block-height-behind")
    };
    assert_eq!(judged(799_990), None);
    assert_eq!(judged(800_001), None);
    assert_eq!(judged(800_002), Some(Severity::Warning));
    assert_eq!(judged(800_006), Some(Severity::Critical));
}

#[test]
fn a_certificate_or_macaroon_that_ends_is_told_in_time() {
    let judged = |ms: i64| {
        let mut snapshot = two();
        snapshot.node.certificate_not_after = Some(NOW.plus(ms));
        snapshot.node.macaroon_expires = Some(NOW.plus(ms));
        let report = made(&snapshot, &history(&[]));
        (severity(&report, "certificate-expiry"), severity(&report, "macaroon-expiry"))
    };
    let both = |s| (s, s);
    assert_eq!(judged(30 * DAY_MS), both(None));
    assert_eq!(judged(30 * DAY_MS - 1), both(Some(Severity::Warning)));
    assert_eq!(judged(7 * DAY_MS - 1), both(Some(Severity::Critical)));
    assert_eq!(judged(-1), both(Some(Severity::Critical)));
}

#[test]
fn a_macaroon_that_can_write_is_told_every_day() {
    let mut snapshot = two();
    snapshot.node.macaroon_can_write = true;
    assert_eq!(rules(&made(&snapshot, &history(&[]))), ["macaroon-can-write"]);
}

#[test]
fn drained_needs_demand() {
    let snapshot =
        snapshot(vec![channel(1, 50_000, 950_000), channel(2, 50_000, 950_000), channel(3, 980_000, 20_000)]);
    let report = made(&snapshot, &history(&[sold(1, 100_000, 50_000), bought(3, 100_000, 50_000)]));
    assert_eq!(rules(&report), ["channel-drained", "channel-saturated"]);
    assert_eq!(report.alerts[0].subject, point(1, 0).as_str());
    assert_eq!(report.alerts[1].subject, point(3, 0).as_str());
}

#[test]
fn idle_needs_a_long_history_and_an_old_channel() {
    let mut past = history(&[]);
    past.last_forward = vec![(scid(700_000, 1), NOW.plus(-30 * DAY_MS)), (scid(700_000, 2), NOW.plus(1 - 30 * DAY_MS))];
    let mut snapshot = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000)]);
    let idle = |s: &Snapshot, h: &History| {
        let report = made(s, h);
        report.alerts.iter().filter(|a| a.rule == "channel-idle").map(|a| a.subject.clone()).collect::<Vec<_>>()
    };
    assert_eq!(idle(&snapshot, &past), [point(1, 0).as_str()]);
    past.first_seen = Some(NOW.plus(-29 * DAY_MS));
    past.first_forward = past.first_seen;
    assert!(idle(&snapshot, &past).is_empty());
    past.first_seen = Some(NOW.plus(-300 * DAY_MS));
    snapshot.node.channels.as_mut().unwrap()[0].scid = scid(799_000, 1);
    past.last_forward.remove(0);
    assert!(idle(&snapshot, &past).is_empty());
}

#[test]
fn an_idle_channel_with_nothing_to_sell_is_not_told_to_lower_its_fee() {
    let text = |local: i64| {
        let mut past = history(&[]);
        past.last_forward = vec![(scid(700_000, 1), NOW.plus(-30 * DAY_MS))];
        let report = made(&snapshot(vec![channel(1, local, 1_000_000 - local)]), &past);
        find(&report, "channel-idle").unwrap().description.clone()
    };
    assert!(text(100_000).starts_with("A lower fee may wake it"));
    assert!(text(99_999).starts_with("Nearly all of it lies with the peer"));
}

#[test]
fn a_fee_is_held_against_what_others_charge() {
    let judged = |rate: i64| {
        let mut snapshot = two();
        snapshot.node.market = Some(Market { peers: vec![market(1, [10, 50, 200, 400, 800])], ..Market::default() });
        snapshot.node.policies.as_mut().unwrap()[0].ours = Some(policy(rate));
        find(&made(&snapshot, &history(&[])), "fee-far-from-market").map(|a| a.title.clone())
    };
    assert_eq!(judged(10), None);
    assert_eq!(judged(800), None);
    assert!(judged(9).unwrap().contains("9 ppm is below"));
    assert!(judged(801).unwrap().contains("801 ppm is above"));
}

#[test]
fn a_fall_of_revenue_is_against_the_middle_day() {
    let judged = |week_fee: i64, before: usize| {
        let mut past = history(&[]);
        let day = |fees| Some(DaySum { forwards: 1, amount_out: Msat::new(1), fees: Msat::new(fees) });
        past.days = (0..30).map(|i| if i < 23 { day(100_000) } else { day(week_fee) }).collect();
        // One day of luck is no habit.
        past.days[22] = day(900_000_000);
        for missing in past.days.iter_mut().take(23 - before) {
            *missing = None;
        }
        find(&made(&two(), &past), "revenue-fall").map(|a| a.title.clone())
    };
    assert_eq!(judged(50_000, 23), None);
    assert_eq!(judged(49_000, 23).unwrap(), "7 days earned 343 sat, 49 % of the usual 700 sat");
    assert_eq!(judged(0, 13), None, "too little history");
}

#[test]
fn sums_are_held_against_those_of_lnd() {
    let mut snapshot = two();
    let balance = |s: &mut Snapshot, msat| s.node.channel_balance.as_mut().unwrap().local = Msat::new(msat);
    balance(&mut snapshot, 1_400_000_000 - 13_999_000);
    assert_eq!(rules(&made(&snapshot, &history(&[]))), Vec::<&str>::new());
    balance(&mut snapshot, 1_300_000_000);
    assert_eq!(rules(&made(&snapshot, &history(&[]))), ["balance-mismatch"]);

    let (mut bob, past) = bob_later();
    bob.node.fees.as_mut().unwrap().month = Sat::new(13_000);
    assert!(rules(&made(&bob, &past)).contains(&"lnd-fee-sum-differs"));
}

#[test]
fn missed_days_are_named() {
    let mut past = history(&[]);
    assert_eq!(rules(&made(&two(), &past)), Vec::<&str>::new());
    past.missed = [3, 2].map(|n| NOW.day().plus(-n)).to_vec();
    let report = made(&two(), &past);
    assert_eq!(report.alerts[0].title, "2 days of the last 7 had no report in their time: 2026-11-18, 2026-11-19");
    assert_eq!(report.alerts[0].severity, Severity::Info);
    past.missed.push(NOW.day().plus(-1));
    assert_eq!(severity(&made(&two(), &past), "missed-runs"), Some(Severity::Warning));
}

#[test]
fn an_alert_keeps_its_first_day() {
    let mut snapshot = two();
    snapshot.node.macaroon_can_write = true;
    let mut past = history(&[]);
    let since = UnixMs(NOW.0 - 5 * DAY_MS);
    past.open_alerts = vec![OpenAlert::new("macaroon-can-write:node", Severity::Warning, "old", since)];
    let report = made(&snapshot, &past);
    assert_eq!((report.alerts[0].ongoing, report.alerts[0].detected_at.0), (true, since));
}

#[test]
fn a_long_list_is_folded_and_then_nothing_of_it_is_called_resolved() {
    let channels: Vec<_> = (1..=40).map(|n| channel(n, 10_000, 990_000)).collect();
    let flows: Vec<_> = (1..=40).map(|n| sold(n, 1000, 1000 * i64::from(n))).collect();
    let mut past = history(&flows);
    past.open_alerts = vec![OpenAlert::new(format!("channel-drained:{}", point(1, 0)), Severity::Warning, "x", NOW)];
    past.previous_snapshot = Some(snapshot(channels.clone()));
    let report = made(&snapshot(channels), &past);
    assert_eq!(report.alerts.len(), 21);
    let folded = report.alerts.iter().find(|a| a.subject == "more").unwrap();
    assert!(folded.title.starts_with("20 more of the same"), "{}", folded.title);
    assert!(report.changes.items.iter().all(|c| c.kind != "alert-resolved"));
}

#[test]
fn channels_disabled_by_either_side_are_told_apart() {
    let mut snapshot = two();
    let policies = snapshot.node.policies.as_mut().unwrap();
    policies[0].theirs.as_mut().unwrap().disabled = true;
    policies[1].ours.as_mut().unwrap().disabled = true;
    assert_eq!(rules(&made(&snapshot, &history(&[]))), ["channel-disabled-by-peer", "channel-disabled-by-us"]);
    snapshot.node.channels.as_mut().unwrap()[2].active = false;
    assert!(rules(&made(&snapshot, &history(&[]))).contains(&"channel-inactive"));
}

#[test]
fn a_source_that_did_not_answer_is_one_alert_for_all_its_parts() {
    let mut snapshot = two();
    let gap = |part: &str| Gap { part: part.into(), source: "lnd".into(), reason: "timed out".into() };
    snapshot.gaps = vec![gap("wallet"), gap("sweeps")];
    let report = made(&snapshot, &history(&[]));
    assert_eq!(report.alerts[0].title, "lnd did not answer wallet, sweeps");
    assert_eq!(report.generation_status, crate::report::GenerationStatus::Partial);
}

#[test]
fn many_small_outputs_make_a_fragmented_wallet() {
    let mut snapshot = two();
    let coin = |n: i64| Utxo { outpoint: format!("{n}"), amount: Sat::new(n), confirmations: 6 };
    snapshot.node.utxos = Some((0..49).map(|_| coin(1000)).chain([coin(50_000)]).collect());
    assert_eq!(rules(&made(&snapshot, &history(&[]))), Vec::<&str>::new());
    snapshot.node.utxos.as_mut().unwrap().push(coin(49_999));
    assert_eq!(rules(&made(&snapshot, &history(&[]))), ["wallet-fragmented"]);
}
