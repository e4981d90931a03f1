use super::*;
use crate::analysis::support::*;
use crate::snapshot::{ForceClosing, Market, Pending, PendingChannel};
use crate::units::{DAY_MS, HOUR_MS, Ppm, Sat};

fn lines(changes: &Changes) -> Vec<String> {
    changes.items.iter().map(|c| format!("{}: {}", c.kind, c.description)).collect()
}

#[test]
fn the_first_report_changes_nothing_and_says_from_when_it_can() {
    let (snapshot, history) = bob_later();
    let report = made(&snapshot, &history);
    assert_eq!(report.changes, Changes::default());
    assert!(report.not_measured.iter().any(|n| n.part == "changes"));
    let full = report.not_measured.iter().find(|n| n.part == "history-30d").unwrap();
    assert!(full.reason.ends_with("full from 2026-12-21."), "{}", full.reason);
}

#[test]
fn a_day_without_change_is_short() {
    let node = snapshot(vec![channel(1, 500_000, 500_000)]);
    let mut past = history(&[]);
    past.previous_report = Some(made(&node, &past));
    past.first_seen = Some(NOW.plus(-DAY_MS));
    past.previous_snapshot = Some(node.clone());
    assert_eq!(lines(&made(&node, &past).changes), Vec::<String>::new());
}

#[test]
fn the_recorded_node_opened_two_channels_and_got_its_funds_back() {
    let (now, mut past) = bob_later();
    let mut before = now.clone();
    before.node.channels.as_mut().unwrap().retain(|c| !c.point.as_str().starts_with("4891207d"));
    let forced = before.node.closed.as_mut().unwrap().remove(0);
    let channel = PendingChannel {
        commitments: None,
        point: forced.point,
        peer: forced.peer,
        capacity: forced.capacity,
        local: forced.settled,
        remote: Sat::ZERO,
        opened_by_us: Some(true),
        limbo: Sat::new(146_783),
        closing_txid: Some(forced.closing_txid),
    };
    let force_closing = vec![ForceClosing {
        channel,
        maturity_height: Some(621),
        blocks_til_maturity: Some(174),
        recovered: Sat::ZERO,
        pending_htlcs: 0,
    }];
    before.node.pending = Some(Pending { limbo: Sat::new(146_783), force_closing, ..Pending::default() });
    past.previous_snapshot = Some(before);
    let lines = lines(&made(&now, &past).changes);
    let name = key(5).short();
    assert_eq!(
        lines[0],
        format!("force-close-resolved: force close with {name} is over: 146,318 sat swept, cost 135 sat")
    );
    assert_eq!(lines[1], "channel-opened: channel opened to dave: 1,500,000 sat, private, chain fee 693 sat");
    assert_eq!(lines[2], "channel-opened: channel opened to alice: 2,000,000 sat, chain fee 693 sat");
}

#[test]
fn policies_peers_and_the_version_are_compared() {
    let before = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000)]);
    let mut now = before.clone();
    let policies = now.node.policies.as_mut().unwrap();
    policies[0].ours.as_mut().unwrap().rate = Ppm(1_500);
    policies[1].theirs.as_mut().unwrap().time_lock_delta = 144;
    now.node.info.version = "0.22.0-beta".to_owned();
    now.node.peers.as_mut().unwrap().remove(1);
    let mut past = history(&[]);
    past.previous_snapshot = Some(before.clone());
    let found = lines(&made(&now, &past).changes);
    assert_eq!(
        found,
        [
            "version-changed: LND 0.21.99-beta → 0.22.0-beta",
            "peer-gone: peer2 left: 1 channel with it",
            "policy-changed: our fee to peer1: 500 → 1,500 ppm",
            "peer-policy-changed: fee of peer2 to us: time lock 80 → 144 blocks",
        ]
    );
    past.previous_snapshot = Some(now);
    assert!(lines(&made(&before, &past).changes).contains(&"peer-back: peer2 is back".to_owned()));
}

#[test]
fn an_alert_is_resolved_only_if_its_rule_could_be_judged() {
    let mut node = snapshot(vec![channel(1, 500_000, 500_000)]);
    let mut past = history(&[]);
    past.previous_snapshot = Some(node.clone());
    past.open_alerts = vec![OpenAlert::new("anchor-reserve:node", Severity::Warning, "The wallet lacks 5 sat", NOW)];
    assert_eq!(lines(&made(&node, &past).changes), ["alert-resolved: resolved: The wallet lacks 5 sat"]);
    node.node.wallet = None;
    assert_eq!(lines(&made(&node, &past).changes), Vec::<String>::new());
    past.open_alerts.clear();
    let ended = |key: &str| OpenAlert::new(key, Severity::Critical, "It was so", NOW);
    past.resolved_alerts = vec![ended("disk-full:/"), ended("disk-full:/"), ended("force-close:x")];
    let told = ["alert-resolved: resolved: It was so"];
    assert_eq!(
        lines(&made(&node, &past).changes),
        told,
        "what the watcher ended is told once, what happened has no end"
    );
}

/// A node and a past in which it was the same a day ago.
fn same() -> (Snapshot, crate::history::History) {
    let now = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000)]);
    let mut past = history(&[]);
    past.previous_report = Some(made(&now, &past));
    past.previous_snapshot = Some(now.clone());
    (now, past)
}

#[test]
fn places_in_the_network_are_told_from_one_percent_on() {
    let ranked = |capacity, channels| Market {
        nodes: 12_345,
        capacity_rank: Some(capacity),
        channels_rank: Some(channels),
        ..Market::default()
    };
    let judged = |capacity, channels| {
        let (mut now, mut past) = same();
        past.previous_snapshot.as_mut().unwrap().node.market = Some(ranked(1_200, 50));
        now.node.market = Some(ranked(capacity, channels));
        lines(&made(&now, &past).changes)
    };
    assert_eq!(judged(1_211, 50), Vec::<String>::new());
    assert_eq!(
        judged(1_212, 49),
        [
            "rank-moved: place by capacity 1,200 → 1,212 of 12,345: down by 12",
            "rank-moved: place by channels 50 → 49 of 12,345: up by 1",
        ]
    );
}

#[test]
fn parts_of_the_score_that_moved_are_told_and_versions_never_compared() {
    let (now, mut past) = same();
    let before = past.previous_report.as_mut().unwrap();
    let part = before.score_parts.iter_mut().find(|p| p.points.is_some()).unwrap();
    let (name, points) = (part.name.clone(), part.points.unwrap());
    part.points = Some(points - 3.0);
    assert_eq!(lines(&made(&now, &past).changes).len(), 1);
    assert!(lines(&made(&now, &past).changes)[0].starts_with(&format!("score-moved: {name} ")));
    let before = past.previous_report.as_mut().unwrap();
    before.score_version += 1;
    assert_eq!(lines(&made(&now, &past).changes), Vec::<String>::new());
    before_points(&mut past, &name, points - 2.4);
    assert_eq!(lines(&made(&now, &past).changes), Vec::<String>::new());
}

fn before_points(past: &mut crate::history::History, name: &str, points: f64) {
    let before = past.previous_report.as_mut().unwrap();
    before.score_version = SCORE_VERSION;
    before.score_parts.iter_mut().find(|p| p.name == name).unwrap().points = Some(points);
}

#[test]
fn coins_that_came_or_went_are_told() {
    let (mut now, past) = same();
    now.node.wallet.as_mut().unwrap().unconfirmed = Sat::new(99_999);
    assert_eq!(lines(&made(&now, &past).changes), Vec::<String>::new());
    now.node.wallet.as_mut().unwrap().unconfirmed = Sat::new(-100_000);
    assert_eq!(lines(&made(&now, &past).changes), ["wallet-moved: wallet 1,000,000 → 900,000 sat"]);
}

#[test]
fn a_channel_on_its_way_is_told() {
    let (mut now, past) = same();
    let channel = |n| PendingChannel {
        commitments: None,
        point: point(n, 0),
        peer: key(1),
        capacity: Sat::new(2_000_000),
        local: Sat::ZERO,
        remote: Sat::ZERO,
        opened_by_us: Some(false),
        limbo: Sat::new(7_000),
        closing_txid: None,
    };
    now.node.pending =
        Some(Pending { opening: vec![channel(8)], waiting_close: vec![channel(9)], ..Pending::default() });
    assert_eq!(
        lines(&made(&now, &past).changes),
        [
            "channel-closing: channel with peer1 is closing: 7,000 sat come back",
            "channel-opening: channel by peer1 is opening: 2,000,000 sat",
        ]
    );
}

#[test]
fn a_peer_that_left_is_told_by_its_alert_alone_and_counted_as_new() {
    let (mut now, past) = same();
    now.node.peers.as_mut().unwrap().remove(0);
    now.node.channels.as_mut().unwrap()[0].active = false;
    let report = made(&now, &past);
    let found = lines(&report.changes);
    assert!(found.contains(&"alert-new: new among the alerts: 1 warning".to_owned()), "{found:?}");
    assert!(found.iter().all(|line| !line.starts_with("peer-gone")), "{found:?}");
}

#[test]
fn what_only_happened_in_a_day_is_not_called_resolved() {
    let (now, mut past) = same();
    past.open_alerts = vec![OpenAlert::new(format!("force-close:{}", point(9, 0)), Severity::Critical, "closed", NOW)];
    assert_eq!(lines(&made(&now, &past).changes), Vec::<String>::new());
}

#[test]
fn a_long_list_ends_in_a_number_by_kind() {
    let channels: Vec<_> = (1..=30).map(|n| channel(n, 500_000, 500_000)).collect();
    let before = snapshot(channels);
    let mut now = before.clone();
    for policies in now.node.policies.as_mut().unwrap() {
        policies.ours.as_mut().unwrap().rate = Ppm(600);
        policies.theirs.as_mut().unwrap().rate = Ppm(60);
    }
    let mut past = history(&[]);
    past.previous_snapshot = Some(before);
    let found = lines(&made(&now, &past).changes);
    assert_eq!(found.len(), 21);
    assert_eq!(found[20], "more: 40 changes more: 10 policy-changed, 30 peer-policy-changed");
}

#[test]
fn a_second_report_on_the_first_day_tells_since_when_it_compares() {
    let (now, mut past) = bob_later();
    let mut before = now.clone();
    before.taken_at = NOW.plus(-HOUR_MS);
    before.node.info.alias = "bobby".to_owned();
    let open = |a: Alert| OpenAlert::new(a.alert_key, a.severity, a.title, before.taken_at);
    past.open_alerts = made(&now, &past).alerts.into_iter().map(open).collect();
    past.previous_snapshot = Some(before);
    let report = made(&now, &past);
    assert_eq!(lines(&report.changes), ["alias-changed: alias bobby → bob"]);
    assert_eq!((report.changes.since_report, report.changes.since), (None, Some(Time(NOW.plus(-HOUR_MS)))));
    assert!(report.not_measured.iter().all(|n| n.part != "changes"));
}

#[test]
fn what_an_earlier_report_of_the_day_opened_is_new_all_day() {
    let before = snapshot(vec![channel(1, 500_000, 500_000)]);
    let mut past = history(&[]);
    past.previous_snapshot = Some(Snapshot { taken_at: NOW.plus(-DAY_MS), ..before.clone() });
    let mut yesterday = made(&before, &past);
    yesterday.window_end = Time(NOW.plus(-DAY_MS));
    past.previous_report = Some(yesterday);
    let mut now = before;
    now.node.peers.as_mut().unwrap().clear();
    now.node.peers.as_mut().unwrap().push(peer(2));
    now.node.channels.as_mut().unwrap()[0].active = false;
    let first = made(&now, &past);
    assert_eq!(lines(&first.changes)[0], "alert-new: new among the alerts: 1 warning");
    let open = |a: &Alert, since| OpenAlert::new(a.alert_key.clone(), a.severity, a.title.clone(), since);
    past.open_alerts = first.alerts.iter().map(|a| open(a, NOW.plus(-HOUR_MS))).collect();
    assert_eq!(lines(&made(&now, &past).changes), lines(&first.changes));
    past.open_alerts = first.alerts.iter().map(|a| open(a, NOW.plus(-DAY_MS))).collect();
    assert!(!lines(&made(&now, &past).changes)[0].starts_with("alert-new"));
}
