use super::*;

fn limbo(blocks: Option<i64>) -> Snapshot {
    let mut snapshot = two();
    let channel = PendingChannel {
        commitments: None,
        point: point(9, 0),
        peer: key(9),
        capacity: Sat::new(1_500_000),
        local: Sat::new(146_453),
        remote: Sat::ZERO,
        opened_by_us: Some(true),
        limbo: Sat::new(146_783),
        closing_txid: Some(txid(0x99)),
    };
    snapshot.node.pending = Some(Pending {
        limbo: Sat::new(146_783),
        force_closing: vec![ForceClosing {
            channel,
            maturity_height: None,
            blocks_til_maturity: blocks,
            recovered: Sat::ZERO,
            pending_htlcs: 0,
        }],
        ..Pending::default()
    });
    snapshot
}

#[test]
fn limbo_is_a_warning_only_past_its_maturity() {
    let mut history = history(&[]);
    history.previous_snapshot = Some(limbo(Some(300)));
    for (blocks, expected) in [
        (Some(174), Severity::Info),
        (Some(0), Severity::Info),
        (Some(-6), Severity::Info),
        (Some(-7), Severity::Warning),
        (None, Severity::Info),
    ] {
        let report = made(&limbo(blocks), &history);
        assert_eq!(rules(&report), ["funds-in-limbo"], "a close that was there before is not new");
        assert_eq!(severity(&report, "funds-in-limbo"), Some(expected), "{blocks:?}");
    }
}

#[test]
fn a_new_forced_close_is_critical_while_its_funds_are_out() {
    let mut past = history(&[]);
    let mut before = two();
    before.taken_at = NOW.plus(-DAY_MS);
    past.previous_snapshot = Some(before);
    let report = made(&limbo(Some(100)), &past);
    assert_eq!(severity(&report, "force-close"), Some(Severity::Critical));
    assert!(report.summary.overall_score.unwrap() <= Thresholds::default().score_cap_critical);
    // Without a snapshot before, the closing transaction's time decides.
    past.previous_snapshot = None;
    past.transactions = vec![tx(&txid(0x99), 0, 0)];
    assert_eq!(severity(&made(&limbo(Some(100)), &past), "force-close"), Some(Severity::Critical));
    past.transactions[0].at = NOW.plus(-2 * DAY_MS);
    assert_eq!(severity(&made(&limbo(Some(100)), &past), "force-close"), None);
}

#[test]
fn who_forced_a_close_is_told_by_its_kind() {
    let (mut snapshot, mut history) = bob_later();
    for (kind, expected, words) in [
        (CloseKind::LocalForce, Some(Severity::Info), "by this node"),
        (CloseKind::RemoteForce, Some(Severity::Info), "by the other side"),
        (CloseKind::Breach, None, ""),
        (CloseKind::Cooperative, None, ""),
    ] {
        snapshot.node.closed.as_mut().unwrap()[0].kind = kind;
        history.closed[0].kind = kind;
        let report = made(&snapshot, &history);
        assert_eq!(severity(&report, "force-close"), expected);
        assert!(find(&report, "force-close").is_none_or(|a| a.title.contains(words)));
        let breach = (kind == CloseKind::Breach).then_some(Severity::Critical);
        assert_eq!(severity(&report, "channel-breach"), breach);
    }
}

#[test]
fn a_close_that_waits_for_days_is_stuck() {
    let mut now = limbo(None);
    let pending = now.node.pending.as_mut().unwrap();
    pending.waiting_close = vec![pending.force_closing.remove(0).channel];
    let mut past = history(&[]);
    assert_eq!(rules(&made(&now, &past)), Vec::<&str>::new());
    let mut before = now.clone();
    before.taken_at = NOW.plus(-19 * HOUR_MS);
    past.previous_snapshot = Some(before.clone());
    assert_eq!(rules(&made(&now, &past)), Vec::<&str>::new());
    before.taken_at = NOW.plus(-20 * HOUR_MS);
    past.previous_snapshot = Some(before);
    assert_eq!(rules(&made(&now, &past)), ["pending-close-stuck"]);
}

#[test]
fn an_anchor_that_nobody_sweeps_is_no_loss() {
    let (mut snapshot, history) = bob_later();
    let closed = &mut snapshot.node.closed.as_mut().unwrap()[0];
    let open = |kind: &str| Resolution {
        kind: kind.into(),
        outcome: "unclaimed".into(),
        outpoint: "x".into(),
        amount: Sat::new(330),
        sweep_txid: None,
    };
    closed.resolutions.push(open("anchor"));
    assert_eq!(severity(&made(&snapshot, &history), "force-close"), Some(Severity::Info));
    snapshot.node.closed.as_mut().unwrap()[0].resolutions.push(open("outgoing_htlc"));
    assert_eq!(severity(&made(&snapshot, &history), "force-close"), Some(Severity::Warning));
    // LND calls some outputs unclaimed that our wallet has swept.
    let mut past = history;
    past.transactions.push(ChainTx { spends: vec!["x".into()], ..tx(&txid(0x71), 300, 30) });
    let swept = snapshot.node.closed.as_mut().unwrap()[0].resolutions.last_mut().unwrap();
    swept.sweep_txid = Some(txid(0x71));
    let report = made(&snapshot, &past);
    assert_eq!(severity(&report, "force-close"), Some(Severity::Info));
    assert!(!find(&report, "force-close").unwrap().description.contains("not claimed"));
}

#[test]
fn a_close_since_the_last_run_is_new_even_when_that_was_days_ago() {
    let mut past = history(&[]);
    let mut before = two();
    before.taken_at = NOW.plus(-3 * DAY_MS);
    past.previous_snapshot = Some(before);
    past.transactions = vec![tx(&txid(0x99), 0, 0)];
    past.transactions[0].at = NOW.plus(-2 * DAY_MS);
    assert_eq!(severity(&made(&limbo(Some(100)), &past), "force-close"), Some(Severity::Critical));
    past.previous_snapshot = Some(limbo(Some(200)));
    assert_eq!(severity(&made(&limbo(Some(100)), &past), "force-close"), None);
}

/// A commitment of each side, and one that is being agreed.
fn commitments() -> Commitments {
    Commitments { ours: txid(0x99), theirs: txid(0x98), theirs_next: Some(txid(0x97)) }
}

/// The title of a forced close of this day that is closed by the transaction `n`.
fn forced_by(n: u8, past: &History) -> String {
    let mut now = limbo(Some(100));
    now.node.pending.as_mut().unwrap().force_closing[0].channel.closing_txid = Some(txid(n));
    let mut past = past.clone();
    past.previous_snapshot = Some(Snapshot { taken_at: NOW.plus(-DAY_MS), ..two() });
    title(&made(&now, &past), "force-close").unwrap()
}

#[test]
fn whose_commitment_it_is_tells_who_closed() {
    let mut past = history(&[]);
    past.commitments =
        vec![(point(8, 0), Commitments { ours: txid(0x98), ..commitments() }), (point(9, 0), commitments())];
    assert!(forced_by(0x99, &past).contains("closed by force by this node: 146,783 sat"));
    assert!(forced_by(0x98, &past).contains("by force by the other side"));
    assert!(forced_by(0x97, &past).contains("by force by the other side"));
    // Another transaction, or nothing to hold it against: the one who opened it is not blamed for that.
    assert!(forced_by(0x96, &past).contains("by whom is not known"));
    past.commitments.clear();
    assert!(forced_by(0x99, &past).contains("by whom is not known"));
}

#[test]
fn a_forced_close_is_told_before_its_transaction_confirms_and_once() {
    let mut now = limbo(None);
    let pending = now.node.pending.as_mut().unwrap();
    let mut channel = pending.force_closing.remove(0).channel;
    channel.commitments = Some(commitments());
    pending.waiting_close = vec![channel];
    let mut past = history(&[]);
    past.previous_snapshot = Some(Snapshot { taken_at: NOW.plus(-DAY_MS), ..two() });
    let report = made(&now, &past);
    assert_eq!(rules(&report), ["force-close"]);
    assert!(report.alerts[0].description.starts_with("The transaction is not confirmed yet."));
    let kinds: Vec<_> = report.changes.items.iter().map(|c| c.kind.as_str()).collect();
    assert_eq!(kinds, ["alert-new"], "the alert tells it, so the change does not");
    // The next day it was there before, confirmed or not.
    past.previous_snapshot = Some(Snapshot { taken_at: NOW.plus(-DAY_MS), ..now.clone() });
    assert_eq!(severity(&made(&limbo(Some(100)), &past), "force-close"), None);
    // A close that both sides agreed on is none.
    now.node.pending.as_mut().unwrap().waiting_close[0].closing_txid = Some(txid(0x50));
    past.previous_snapshot = Some(Snapshot { taken_at: NOW.plus(-DAY_MS), ..two() });
    let report = made(&now, &past);
    assert_eq!(rules(&report), Vec::<&str>::new());
    assert_eq!(report.changes.items[0].kind, "channel-closing");
}

#[test]
fn a_new_forced_close_is_told_in_one_place() {
    let mut past = history(&[]);
    past.previous_snapshot = Some(Snapshot { taken_at: NOW.plus(-DAY_MS), ..two() });
    let report = made(&limbo(Some(100)), &past);
    assert_eq!(rules(&report), ["force-close"], "the limbo of it is part of the alert");
    assert!(report.changes.items.iter().all(|c| c.subject != point(9, 0).as_str()));
}

#[test]
fn closes_are_not_judged_without_pending_channels() {
    let mut now = limbo(Some(100));
    now.node.pending = None;
    for rule in ["force-close", "funds-in-limbo", "pending-close-stuck", "pending-open-stuck"] {
        assert!(!asked(rule, &now, &history(&[])), "{rule}");
    }
    now.node.closed = None;
    assert!(!asked("channel-breach", &now, &history(&[])));
}

/// A node with a channel that opens, of which the funding transaction is known since `hours` where that is given.
fn opening(hours: Option<i64>, ours: bool) -> (Snapshot, History) {
    let mut now = limbo(None);
    let pending = now.node.pending.as_mut().unwrap();
    let channel =
        PendingChannel { opened_by_us: Some(ours), closing_txid: None, ..pending.force_closing.remove(0).channel };
    pending.opening = vec![channel];
    let mut past = history(&[]);
    if let Some(hours) = hours {
        past.transactions = vec![ChainTx { at: NOW.plus(-hours * HOUR_MS), height: None, ..tx(&txid(9), 0, 0) }];
    }
    (now, past)
}

#[test]
fn an_opening_that_waits_is_told_after_a_day() {
    let judged = |hours, ours| {
        let (now, past) = opening(Some(hours), ours);
        severity(&made(&now, &past), "pending-open-stuck")
    };
    assert_eq!(judged(23, true), None);
    assert_eq!(judged(24, true), Some(Severity::Warning));
    assert_eq!(judged(24, false), Some(Severity::Info), "only the other side can hurry it");
    let (now, mut past) = opening(Some(48), true);
    past.transactions[0].height = Some(1);
    assert_eq!(severity(&made(&now, &past), "pending-open-stuck"), None, "confirmed, it only waits for depth");
    // The other side's transaction is not the wallet's: then the snapshots tell since when.
    let (now, mut past) = opening(None, false);
    assert_eq!(severity(&made(&now, &past), "pending-open-stuck"), None);
    past.previous_snapshot = Some(Snapshot { taken_at: NOW.plus(-24 * HOUR_MS), ..now.clone() });
    assert_eq!(severity(&made(&now, &past), "pending-open-stuck"), Some(Severity::Info));
}

#[test]
fn a_forced_close_stands_when_the_report_of_its_day_is_made_again() {
    let title = |now: &Snapshot, past: &History| find(&made(now, past), "force-close").map(|a| a.title.clone());
    let mut past = history(&[]);
    // This morning's report told it; its transaction is the peer's, so the wallet does not know it.
    past.previous_snapshot = Some(Snapshot { taken_at: NOW.plus(-6 * HOUR_MS), ..limbo(Some(140)) });
    assert_eq!(title(&limbo(Some(104)), &past), None, "nobody told it, so it is older");
    let key = format!("force-close:{}", point(9, 0));
    let told = |since| OpenAlert::new(key.clone(), Severity::Critical, "x", since);
    past.open_alerts = vec![told(NOW.plus(-6 * HOUR_MS))];
    assert!(title(&limbo(Some(104)), &past).unwrap().contains("146,783 sat wait"));
    past.open_alerts = vec![told(NOW.plus(-30 * HOUR_MS))];
    assert_eq!(title(&limbo(Some(104)), &past), None, "the day before told it");
    // A report that was made some minutes later than today's, a day before, has told it too.
    past.open_alerts = vec![told(NOW.plus(-23 * HOUR_MS))];
    let mut yesterday = made(&limbo(Some(140)), &past);
    assert!(find(&yesterday, "force-close").is_some());
    yesterday.window_end = Time(NOW.plus(-23 * HOUR_MS));
    past.previous_report = Some(yesterday);
    assert_eq!(title(&limbo(Some(104)), &past), None);
}

#[test]
fn a_forced_close_that_is_swept_on_its_day_stands_too() {
    let (now, mut past) = bob_later();
    let mut morning = now.clone();
    morning.taken_at = NOW.plus(-HOUR_MS);
    morning.node.closed.as_mut().unwrap().remove(0);
    let mut force = limbo(Some(174)).node.pending.unwrap();
    force.force_closing[0].channel.point = FORCED.parse().unwrap();
    morning.node.pending = Some(force);
    past.previous_snapshot = Some(morning);
    let report = made(&now, &past);
    assert_eq!(severity(&report, "force-close"), Some(Severity::Info));
    assert!(title(&report, "force-close").unwrap().ends_with("146,453 sat came back"));
}
