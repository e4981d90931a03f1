//! What is taken out of snapshots.

use super::support::{NOW, alert, announce, channel, fixture, forward, outpoint, pubkey, snapshot};
use crate::history::{History, Watched};
use crate::report::Severity;
use crate::snapshot::{
    ChannelPolicies, CloseKind, ClosedChannel, Commitments, Disk, Events, Fact, Host, Pending, PendingChannel, Policy,
    Resolution, WatchSpan, WatchedEvents,
};
use crate::store::{By, Judged, Retention};
use crate::units::{DAY_MS, HOUR_MS, Msat, Ppm, Sat, Scid};

fn closed(n: u64, outcome: &str) -> ClosedChannel {
    let one = channel(n);
    ClosedChannel {
        point: one.point,
        scid: one.scid,
        other_scids: one.other_scids,
        peer: one.peer,
        capacity: one.capacity,
        kind: CloseKind::LocalForce,
        closing_txid: "cc".repeat(32),
        close_height: 400,
        settled: Sat::new(1_000),
        time_locked: Sat::new(500),
        opened_by_us: Some(true),
        resolutions: vec![Resolution {
            kind: "commit".to_owned(),
            outcome: outcome.to_owned(),
            outpoint: outpoint(99).to_string(),
            amount: Sat::new(146_318),
            sweep_txid: None,
        }],
    }
}

fn policy(rate: i64, announced: i64) -> Policy {
    Policy {
        base: Msat::new(1_000),
        rate: Ppm(rate),
        inbound_base: Msat::ZERO,
        inbound_rate: Ppm(0),
        time_lock_delta: 80,
        min_htlc: Msat::new(1_000),
        max_htlc: Msat::new(990_000_000),
        disabled: false,
        updated_at: NOW.plus(announced),
    }
}

#[test]
fn a_snapshot_comes_back_and_the_one_before_is_found() {
    let f = fixture();
    let (old, new) = (snapshot(NOW.plus(-DAY_MS), 2), snapshot(NOW, 3));
    f.store.put_snapshot(&f.profile, &old).unwrap();
    let id = f.store.put_snapshot(&f.profile, &new).unwrap();
    assert_eq!(f.store.snapshot(&f.profile, id).unwrap().as_ref(), Some(&new));
    let history = f.store.history(&f.profile, NOW, NOW.day()).unwrap();
    assert_eq!(history.previous_snapshot, Some(old));
    assert_eq!(history.first_seen, Some(NOW.plus(-DAY_MS)));
    assert_eq!(history.samples.len(), 2, "earlier collections only");
    let sample = &history.samples[0];
    assert_eq!((sample.point.clone(), sample.local_sat, sample.remote_sat), (outpoint(1), 600_000, 396_530));
    assert_eq!((sample.active, sample.peer_connected), (true, Some(true)));
    assert_eq!(history.samples[1].peer_connected, Some(false));
    let alias = Scid((16_000_000 << 40) | 3);
    assert!(history.scids.contains(&(Scid(3), outpoint(3), pubkey(1003))));
    assert!(history.scids.contains(&(alias, outpoint(3), pubkey(1003))));
    assert_eq!(f.store.profile(f.profile.id).unwrap().unwrap().alias, "bob");
}

#[test]
fn a_node_that_is_not_synced_gives_no_samples_of_balances() {
    let f = fixture();
    let mut stale = snapshot(NOW.plus(-HOUR_MS), 2);
    stale.node.info.synced_to_chain = false;
    f.store.put_snapshot(&f.profile, &stale).unwrap();
    assert!(f.store.history(&f.profile, NOW, NOW.day()).unwrap().samples.is_empty());
}

#[test]
fn closes_stay_when_the_node_has_forgotten_them() {
    let f = fixture();
    let mut first = snapshot(NOW.plus(-2 * DAY_MS), 1);
    first.node.closed = Some(vec![closed(7, "unclaimed"), closed(8, "claimed")]);
    f.store.put_snapshot(&f.profile, &first).unwrap();
    let mut second = snapshot(NOW.plus(-DAY_MS), 1);
    second.node.closed = Some(vec![closed(7, "claimed")]);
    f.store.put_snapshot(&f.profile, &second).unwrap();
    let history = f.store.history(&f.profile, NOW, NOW.day()).unwrap();
    assert_eq!(history.closed, [closed(7, "claimed"), closed(8, "claimed")]);
}

#[test]
fn only_a_policy_that_differs_is_a_change() {
    let f = fixture();
    for (n, rate) in [(4, 500), (3, 500), (2, 700), (1, 500)] {
        let mut one = snapshot(NOW.plus(-n * DAY_MS), 1);
        let ours = Some(policy(rate, -n));
        one.node.policies = Some(vec![ChannelPolicies { point: outpoint(1), ours, theirs: None }]);
        f.store.put_snapshot(&f.profile, &one).unwrap();
    }
    let mut rates = f.store.db.prepare("SELECT rate_ppm FROM policy_changes WHERE tenant = 1 ORDER BY at_ms").unwrap();
    let rates: Vec<i64> = rates.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(rates, [500, 700, 500]);
    let changes = |now| {
        let found = f.store.history(&f.profile, now, now.day()).unwrap().policy_changes;
        found.into_iter().map(|c| (c.before.map(|p| p.rate.0), c.after.rate.0, c.ours, c.at)).collect::<Vec<_>>()
    };
    let [first, second, third] = [4, 2, 1].map(|n| NOW.plus(-n * DAY_MS));
    let all = [(None, 500, true, first), (Some(500), 700, true, second), (Some(700), 500, true, third)];
    assert_eq!(changes(NOW), all);
    assert_eq!(changes(NOW.plus(-DAY_MS)), all[..2], "what came later is not known yet");
    // 90 days after the first change there is one before the next that is not shown itself.
    assert_eq!(changes(NOW.plus(87 * DAY_MS)), all[1..]);
}

#[test]
fn the_machine_and_the_commitments_of_closing_channels_are_kept() {
    let f = fixture();
    let host = |free: u64| Host {
        disks: vec![Disk { holds: "lnd,daznode".to_owned(), free_bytes: free, total_bytes: 1 << 40 }],
        database_bytes: Some(5 << 30),
        memory_available_bytes: None,
        memory_total_bytes: Some(u64::MAX),
        clock_ahead: Some(Fact { value: -1_500, source: "mempool.space".to_owned(), as_of: NOW }),
    };
    let closing = |theirs: &str| PendingChannel {
        point: outpoint(5),
        peer: pubkey(1005),
        capacity: Sat::new(1_000_000),
        local: Sat::new(1),
        remote: Sat::new(2),
        opened_by_us: None,
        limbo: Sat::ZERO,
        closing_txid: None,
        commitments: Some(Commitments { ours: "aa".to_owned(), theirs: theirs.to_owned(), theirs_next: None }),
    };
    for (hours, free, theirs) in [(50, 900, "bb"), (26, 800, "cc"), (0, 700, "dd")] {
        let mut one = snapshot(NOW.plus(-hours * HOUR_MS), 1);
        one.host = Some(host(free));
        one.node.pending = Some(Pending { waiting_close: vec![closing(theirs)], ..Pending::default() });
        f.store.put_snapshot(&f.profile, &one).unwrap();
    }
    f.store.put_snapshot(&f.profile, &snapshot(NOW.plus(1), 1)).unwrap();
    let history = f.store.history(&f.profile, NOW, NOW.day()).unwrap();
    let samples: Vec<_> = history.host.iter().map(|sample| (sample.at, sample.host.disks[0].free_bytes)).collect();
    assert_eq!(samples, [(NOW.plus(-50 * HOUR_MS), 900), (NOW.plus(-26 * HOUR_MS), 800)], "earlier collections only");
    let mut kept = host(800);
    kept.memory_total_bytes = Some(u64::try_from(i64::MAX).unwrap());
    assert_eq!(history.host[1].host, kept);
    assert_eq!(history.commitments, [(outpoint(5), closing("dd").commitments.unwrap())]);
}

#[test]
fn old_samples_are_thinned_to_one_a_day() {
    let f = fixture();
    for hour in [100 * 24, 100 * 24 - 2, 100 * 24 - 4, 30, 28] {
        f.store.put_snapshot(&f.profile, &snapshot(NOW.plus(-hour * HOUR_MS), 1)).unwrap();
    }
    announce(&f, NOW);
    let purged = f.store.purge(&f.profile, &Retention::default(), NOW).unwrap();
    assert_eq!((purged.snapshots, purged.samples), (3, 2 * 3), "two times of channels, wallet and peers");
    let count = |text: &str| f.store.db.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM channel_samples WHERE tenant = 1"), 3);
    let last = count("SELECT min(at_ms) FROM channel_samples WHERE tenant = 1");
    assert_eq!(last, NOW.plus(-(100 * 24 - 4) * HOUR_MS).0, "the last of its day stays");
    assert_eq!(f.store.purge(&f.profile, &Retention::default(), NOW).unwrap().samples, 0);
}

#[test]
fn what_an_open_channel_was_last_is_known_once_it_is_gone() {
    let f = fixture();
    for (hours, fee, alias) in [(48, 500, Some("old name")), (24, 614, Some("carol")), (36, 999, Some("older"))] {
        let mut one = snapshot(NOW.plus(-hours * HOUR_MS), 1);
        let channel = &mut one.node.channels.as_mut().unwrap()[0];
        (channel.commit_fee, channel.peer_alias) = (Sat::new(fee), alias.map(str::to_owned));
        f.store.put_snapshot(&f.profile, &one).unwrap();
    }
    let mut after = snapshot(NOW, 0);
    after.node.closed = Some(vec![closed(1, "claimed")]);
    for days in 0..3 {
        after.taken_at = NOW.plus(days * DAY_MS);
        f.store.put_snapshot(&f.profile, &after).unwrap();
        let history = f.store.history(&f.profile, after.taken_at, after.taken_at.day()).unwrap();
        assert_eq!(history.commit_fees, [(outpoint(1), Sat::new(614))], "{days} days later");
        assert_eq!(history.aliases, [(pubkey(1001), "carol".to_owned())]);
    }
}

#[test]
fn the_recent_past_is_the_past_without_sums_and_samples() {
    let f = fixture();
    for ago in [3, 2, 1] {
        f.store.put_snapshot(&f.profile, &snapshot(NOW.plus(-ago * DAY_MS), 3)).unwrap();
    }
    announce(&f, NOW.plus(-DAY_MS));
    let forwards = vec![forward(NOW.plus(-DAY_MS / 2).nanos(), 1, 2, 1_010, 1_000)];
    f.store.put_events(&f.profile, &Events::Forwards(forwards)).unwrap();
    let alerts = [alert("anchor-reserve:node", Severity::Warning, NOW.plus(-1))];
    f.store.put_judged(&f.profile, &Judged { at: NOW.plus(-1), alerts: &alerts, rules: &[], by: By::Watch }).unwrap();
    let span = WatchSpan { stream: "peers".to_owned(), from: NOW.plus(-HOUR_MS), to: NOW.plus(-60_000) };
    let watched = WatchedEvents { coverage: vec![span], ..WatchedEvents::default() };
    f.store.put_watched(&f.profile, &watched).unwrap();
    let whole = f.store.history(&f.profile, NOW, NOW.day()).unwrap();
    assert_eq!(whole.watched.peers_off.len(), 2, "before the hour, and the last minute");
    assert!(!whole.samples.is_empty() && whole.day.forwards == 1 && whole.previous_report.is_some());
    assert!(whole.previous_snapshot.is_some() && !whole.open_alerts.is_empty() && !whole.scids.is_empty());
    let none = History::default();
    let expected = History {
        first_forward: none.first_forward,
        day: none.day,
        week: none.week,
        month: none.month,
        quarter: none.quarter,
        ever: none.ever,
        pairs_month: none.pairs_month,
        last_forward: none.last_forward,
        days: none.days,
        past_days: none.past_days,
        past_scores: none.past_scores,
        samples: none.samples,
        balances: none.balances,
        policy_changes: none.policy_changes,
        resolved_alerts: none.resolved_alerts,
        watched: Watched { peers_off: whole.watched.peers_off, ..none.watched },
        advice: none.advice,
        ..whole
    };
    assert_eq!(f.store.recent_history(&f.profile, NOW).unwrap(), expected);
}
