use super::*;

/// A node whose backup file holds these of its three channels.
fn backed_up(covered: &[u8]) -> Snapshot {
    let mut snapshot = two();
    let covered = covered.iter().map(|n| point(*n, 0)).collect();
    snapshot.node.backup = Some(Backup { modified_at: Some(NOW.plus(-2 * DAY_MS)), covered });
    snapshot
}

#[test]
fn a_backup_must_hold_every_open_channel() {
    assert_eq!(rules(&made(&backed_up(&[1, 2, 3]), &history(&[]))), Vec::<&str>::new());
    assert_eq!(rules(&made(&backed_up(&[3, 2, 1, 8]), &history(&[]))), Vec::<&str>::new(), "what is gone may be in it");
    let report = made(&backed_up(&[1, 3]), &history(&[]));
    assert_eq!(rules(&report), ["backup-incomplete"]);
    assert_eq!(
        report.alerts[0].title,
        "The backup file lacks 1 of 3 channels: 500,000 sat could not be asked back from the peers"
    );
    assert!(report.alerts[0].description.contains("last written on 2026-11-19"));
    assert_eq!(report.safety.findings, ["backup-incomplete"]);
}

#[test]
fn a_backup_must_hold_channels_that_open_and_not_those_that_close() {
    let mut snapshot = backed_up(&[1, 2, 3]);
    let channel = |n| PendingChannel {
        commitments: None,
        point: point(n, 0),
        peer: key(n),
        capacity: Sat::new(7),
        local: Sat::new(7),
        remote: Sat::ZERO,
        opened_by_us: Some(true),
        limbo: Sat::ZERO,
        closing_txid: None,
    };
    let pending = snapshot.node.pending.as_mut().unwrap();
    pending.waiting_close = vec![channel(20)];
    assert_eq!(rules(&made(&snapshot, &history(&[]))), Vec::<&str>::new());
    snapshot.node.pending.as_mut().unwrap().opening = vec![channel(21)];
    let report = made(&snapshot, &history(&[]));
    assert!(title(&report, "backup-incomplete").unwrap().starts_with("The backup file lacks 1 of 4 channels: 7 sat"));
    // Without the pending channels it can't be told.
    snapshot.node.pending = None;
    assert!(!asked("backup-incomplete", &snapshot, &history(&[])));
    assert!(!asked("backup-incomplete", &two(), &history(&[])));
}

/// A node with a watchtower that has a session.
fn guarded(change: impl Fn(&mut Towers)) -> Snapshot {
    let tower = Tower { pubkey: key(0x70), candidate: true, sessions: 1 };
    let mut towers =
        Towers { backups: 500, sessions_acquired: 2, sessions_exhausted: 1, towers: vec![tower], ..Towers::default() };
    change(&mut towers);
    let mut snapshot = two();
    snapshot.node.towers = Some(towers);
    snapshot
}

#[test]
fn a_watchtower_is_behind_by_states_that_wait_or_failed() {
    let judged = |change: fn(&mut Towers)| rules(&made(&guarded(change), &history(&[]))).join(" ");
    assert_eq!(judged(|_| {}), "");
    assert_eq!(judged(|t| t.pending_backups = 19), "");
    assert_eq!(judged(|t| t.pending_backups = 20), "watchtower-behind");
    assert_eq!(judged(|t| t.failed_backups = 1), "watchtower-behind");
    let severities = |change: fn(&mut Towers)| severity(&made(&guarded(change), &history(&[])), "watchtower-behind");
    assert_eq!(severities(|t| t.failed_backups = 1), Some(Severity::Info), "LND counts what is too small here");
    assert_eq!(severities(|t| t.pending_backups = 20), Some(Severity::Warning));
    let report = made(&guarded(|t| t.failed_backups = 3), &history(&[]));
    assert_eq!(report.alerts[0].title, "Watchtowers lack states: 0 not acknowledged, 3 that no tower took, 500 taken");
}

#[test]
fn a_watchtower_client_without_a_session_guards_nothing() {
    let judged = |change: fn(&mut Towers)| title(&made(&guarded(change), &history(&[])), "watchtower-none");
    assert_eq!(judged(|_| {}), None);
    assert!(judged(|t| t.towers.clear()).unwrap().ends_with("knows no tower"));
    assert!(judged(|t| t.towers[0].sessions = 0).unwrap().ends_with("no tower holds a session"));
    assert!(judged(|t| t.sessions_exhausted = 2).unwrap().ends_with("are used up"));
    for rule in ["watchtower-behind", "watchtower-none"] {
        assert!(!asked(rule, &two(), &history(&[])), "not active is not measured");
    }
}

#[test]
fn what_is_off_is_said_with_its_remedy_and_what_failed_is_a_gap() {
    let parts = |snapshot: &Snapshot| {
        let report = made(snapshot, &history(&[]));
        report.not_measured.into_iter().map(|n| n.part).collect::<Vec<_>>()
    };
    for part in ["peer-uptime", "backup", "towers", "host"] {
        assert!(parts(&two()).iter().any(|p| p == part), "{part}");
    }
    let mut snapshot = guarded(|_| {});
    snapshot.node.backup = backed_up(&[1, 2, 3]).node.backup;
    snapshot.host = Some(Host::default());
    for part in ["backup", "towers", "host"] {
        assert!(parts(&snapshot).iter().all(|p| p != part), "{part}");
    }
    let mut failed = two();
    failed.gaps = vec![Gap { part: "backup".into(), source: "lnd".into(), reason: "no such file".into() }];
    assert!(parts(&failed).iter().all(|p| p != "backup"));
}
