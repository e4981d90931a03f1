use super::*;
use crate::analysis::support::*;
use crate::snapshot::{ForceClosing, Pending, PendingChannel};
use crate::units::Sat;

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
    past.first_seen = Some(NOW.plus(-crate::units::DAY_MS));
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
    policies[0].ours = Some(policy(1_500));
    policies[1].theirs.as_mut().unwrap().time_lock_delta = 144;
    now.node.info.version = "0.22.0-beta".to_owned();
    now.node.peers.as_mut().unwrap().remove(1);
    let mut past = history(&[]);
    past.previous_snapshot = Some(before.clone());
    let found = lines(&made(&now, &past).changes);
    assert_eq!(
        found,
        [
            "peer-gone: peer2 left: 1 channel with it",
            "policy-changed: our fee to peer1: 500 → 1,500 ppm",
            "peer-policy-changed: fee of peer2 to us: time lock 80 → 144 blocks",
            "version-changed: LND 0.21.99-beta → 0.22.0-beta",
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
    past.open_alerts = vec![crate::history::OpenAlert {
        key: "anchor-reserve:node".into(),
        severity: Severity::Warning,
        title: "The wallet lacks 5 sat".into(),
        since: NOW,
    }];
    assert_eq!(lines(&made(&node, &past).changes), ["alert-resolved: resolved: The wallet lacks 5 sat"]);
    node.node.wallet = None;
    assert_eq!(lines(&made(&node, &past).changes), Vec::<String>::new());
}
