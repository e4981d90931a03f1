use super::super::watched::{UNREACHABLE, WATCHED_RULES, alerts_now, unreachable};
use super::*;
use crate::history::{Mute, Watched, Window};
use crate::report::AlertState;

/// What the watcher finds on a snapshot with no more than it reads: channels, peers, wallet, pending. It is the same with
/// the whole past and with the part of it that the store gives the watcher.
fn now(snapshot: &Snapshot, past: &History) -> (Vec<Alert>, Vec<String>) {
    let part = History {
        first_seen: past.first_seen,
        transactions: past.transactions.clone(),
        closed: past.closed.clone(),
        scids: past.scids.clone(),
        commitments: past.commitments.clone(),
        commit_fees: past.commit_fees.clone(),
        aliases: past.aliases.clone(),
        host: past.host.clone(),
        previous_snapshot: past.previous_snapshot.clone(),
        previous_report: past.previous_report.clone(),
        open_alerts: past.open_alerts.clone(),
        ended_alerts: past.ended_alerts.clone(),
        mutes: past.mutes.clone(),
        watched: Watched { peers_off: past.watched.peers_off.clone(), ..Watched::default() },
        ..History::default()
    };
    let found = with(snapshot, past);
    assert_eq!(with(snapshot, &part), found);
    found
}

fn with(snapshot: &Snapshot, history: &History) -> (Vec<Alert>, Vec<String>) {
    alerts_now(snapshot, history, &Thresholds::default())
}

/// The part of a snapshot that the watcher reads.
fn small(mut whole: Snapshot) -> Snapshot {
    let node = &mut whole.node;
    (node.closed, node.utxos, node.fees, node.policies, node.market) = (None, None, None, None, None);
    (node.network, node.sweeps, node.channel_balance, node.backup, node.towers) = (None, None, None, None, None);
    (node.certificate_not_after, node.macaroon_expires) = (None, None);
    whole.public = PublicView::default();
    whole
}

#[test]
fn every_watched_rule_is_one_and_none_is_called_judged_without_what_it_reads() {
    for name in WATCHED_RULES {
        assert!(RULES.iter().any(|rule| rule.name == *name), "{name}");
    }
    let mut empty = small(two());
    let node = &mut empty.node;
    (node.channels, node.pending, node.wallet, node.peers) = (None, None, None, None);
    empty.host = None;
    assert_eq!(now(&empty, &history(&[])), (vec![], vec!["not-synced-chain".to_owned()]));
}

#[test]
fn the_watcher_finds_what_the_report_of_the_same_moment_finds() {
    let (mut snapshot, past) = bob_later();
    snapshot.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
    let whole = made(&snapshot, &past);
    let (found, judged) = now(&small(snapshot), &past);
    let key = |alert: &Alert| (alert.alert_key.clone(), alert.severity);
    let watched = |alert: &&Alert| judged.contains(&alert.rule);
    let expected: HashSet<_> = whole.alerts.iter().filter(watched).map(key).collect();
    let found: HashSet<_> = found.iter().filter(watched).map(key).collect();
    assert!(found.iter().any(|(key, _)| key == "anchor-reserve:node"), "{found:?}");
    assert_eq!(found, expected);
}

#[test]
fn what_only_happens_is_ended_by_reports() {
    let (_, judged) = now(&small(bob_later().0), &bob_later().1);
    assert!(judged.iter().any(|name| name == "funds-in-limbo"), "{judged:?}");
    assert!(judged.iter().all(|name| name != "force-close"), "{judged:?}");
}

#[test]
fn what_every_node_is_after_its_start_is_judged_ten_minutes_later() {
    let mut started = small(two());
    started.node.info.synced_to_chain = false;
    let judged = |off: &[(i64, i64)]| {
        let ago = |minutes: i64| started.taken_at.plus(-minutes * 60_000);
        let mut past = history(&[]);
        past.watched.peers_off = off.iter().map(|(from, to)| Window { start: ago(*from), end: ago(*to) }).collect();
        let (alerts, judged) = now(&started, &past);
        assert_eq!(alerts.len(), usize::from(judged.iter().any(|name| name == "not-synced-chain")), "{alerts:?}");
        alerts.len()
    };
    assert_eq!(judged(&[]), 1, "nobody follows it");
    assert_eq!(judged(&[(1440, 20), (1, 0)]), 1, "the last minute is not stored yet");
    assert_eq!(judged(&[(1440, 10), (1, 0)]), 1);
    assert_eq!(judged(&[(1440, 9), (1, 0)]), 0, "followed again for nine minutes");
    assert_eq!(judged(&[(6, 5)]), 0, "LND was gone for a minute");
    assert_eq!(judged(&[(1440, 0)]), 0, "it is followed since a moment ago");
}

#[test]
fn a_node_is_unreachable_after_ten_minutes_and_reachable_when_a_report_is_made() {
    let limits = Thresholds::default();
    let why = |why: &str, ms| unreachable(NOW, NOW.plus(ms), why, &limits);
    let after = |ms| why("connection \u{1b}refused.", ms);
    assert_eq!(after(10 * 60_000 - 1), None);
    let alert = after(10 * 60_000).unwrap();
    assert_eq!((alert.severity, alert.detected_at.0), (Severity::Critical, NOW));
    assert_eq!(alert.title, "LND has not answered for 10 minutes");
    assert!(alert.description.starts_with("connection refused. Is it"), "{}", alert.description);
    for (said, begins) in [("is LND running?", "is LND running? Is it"), ("no answer", "no answer. Is it")] {
        let told = why(said, 10 * 60_000).unwrap().description;
        assert!(told.starts_with(begins), "{told}");
    }
    assert!(asked(UNREACHABLE, &two(), &history(&[])));
}

#[test]
fn an_alert_says_where_it_is_in_its_life() {
    let snapshot = {
        let mut snapshot = two();
        snapshot.node.wallet.as_mut().unwrap().confirmed = Sat::ZERO;
        snapshot
    };
    let key = "anchor-reserve:node";
    let state = |past: &History| {
        let report = made(&snapshot, past);
        let alert = find(&report, "anchor-reserve").unwrap();
        (alert.state.unwrap(), alert.acknowledged_at.map(|at| at.0), alert.muted_until.map(|at| at.0))
    };
    let mut past = history(&[]);
    assert_eq!(state(&past), (AlertState::New, None, None));
    past.ended_alerts.insert(key.to_owned());
    assert_eq!(state(&past), (AlertState::Back, None, None));
    past.open_alerts = vec![OpenAlert::new(key, Severity::Warning, "x", NOW)];
    assert_eq!(state(&past), (AlertState::Ongoing, None, None));
    past.open_alerts[0].acknowledged_at = Some(NOW.plus(-5));
    assert_eq!(state(&past), (AlertState::Acknowledged, Some(NOW.plus(-5)), None));
    let mute = |pattern: &str, until| Mute { pattern: pattern.to_owned(), from: NOW, until, reason: String::new() };
    past.mutes = vec![mute("anchor-reserve:*", NOW.plus(7)), mute("anchor:*", NOW.plus(9)), mute(key, NOW)];
    assert_eq!(state(&past), (AlertState::Muted, Some(NOW.plus(-5)), Some(NOW.plus(7))));
}
