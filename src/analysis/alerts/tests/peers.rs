use super::*;
use crate::history::PeerWatch;

/// A past in which connections were watched for a week, with what was seen of peer 1 in hours.
fn watched(watched: i64, connected: i64, breaks: u32) -> History {
    let mut past = history(&[]);
    past.watched.peers_ms = [DAY_MS, 7 * DAY_MS, 7 * DAY_MS];
    past.watched.peers_week =
        vec![PeerWatch { peer: key(1), watched_ms: watched * HOUR_MS, connected_ms: connected * HOUR_MS, breaks }];
    past
}

#[test]
fn breaks_are_those_that_were_watched_else_those_that_lnd_counts() {
    let judged = |breaks| title(&made(&two(), &watched(168, 168, breaks)), "peer-flapping");
    assert_eq!(judged(49), None);
    assert_eq!(judged(50).unwrap(), "The connection with peer1 breaks often: 50 times in 7 days");
    let counted = |flaps, past: &History| {
        let mut snapshot = two();
        snapshot.node.peers.as_mut().unwrap()[0].flaps = flaps;
        title(&made(&snapshot, past), "peer-flapping")
    };
    assert_eq!(counted(19, &history(&[])), None);
    assert_eq!(counted(20, &history(&[])).unwrap(), "The connection with peer1 breaks often: LND counts 20");
    assert_eq!(counted(20, &watched(168, 168, 0)), None, "what was watched is better than a count that fades");
    let mut snapshot = two();
    snapshot.node.peers = None;
    assert!(!asked("peer-flapping", &snapshot, &history(&[])));
}

#[test]
fn uptime_is_of_the_watched_time() {
    let judged = |hours, connected| title(&made(&two(), &watched(hours, connected, 0)), "peer-uptime-low");
    assert_eq!(judged(100, 80), None);
    assert_eq!(
        judged(100, 79).unwrap(),
        "peer1 was connected for 79 % of the time in 7 days: 500,000 sat of yours with it"
    );
    // Own downtime is no part of what was watched: what is left may be too little to judge a peer by.
    assert_eq!(judged(23, 0), None);
    assert!(judged(24, 0).is_some());
    assert!(!asked("peer-uptime-low", &two(), &history(&[])), "no watcher");
    let mut short = watched(100, 0, 0);
    short.watched.peers_ms = [0, 24 * HOUR_MS - 1, 0];
    assert!(!asked("peer-uptime-low", &two(), &short));
}

#[test]
fn a_peer_that_is_away_now_is_told_once() {
    let mut snapshot = two();
    snapshot.node.peers.as_mut().unwrap().remove(0);
    snapshot.node.channels.as_mut().unwrap()[0].active = false;
    assert_eq!(rules(&made(&snapshot, &watched(100, 10, 0))), ["peer-unreachable"]);
}

#[test]
fn peers_are_not_blamed_while_this_node_is_cut_off() {
    let channels: Vec<_> = (1..=6).map(|n| channel(n, 500_000, 500_000)).collect();
    let mut now = snapshot(channels);
    let mut past = watched(100, 10, 90);
    past.previous_snapshot = Some(now.clone());
    now.node.peers.as_mut().unwrap().drain(2..);
    assert_eq!(rules(&made(&now, &past)), ["many-peers-gone"]);
}

#[test]
fn many_htlcs_on_one_channel_are_worth_knowing_and_near_its_limit_a_warning() {
    let judged = |count: usize| {
        let mut snapshot = two();
        let htlc = |i: usize| Htlc {
            incoming: false,
            amount: Sat::new(10),
            hash: format!("{i:04x}"),
            expiry_height: 900_000,
            index: 0,
            forwarding_channel: None,
        };
        snapshot.node.channels.as_mut().unwrap()[0].htlcs = (0..count).map(htlc).collect();
        severity(&made(&snapshot, &history(&[])), "htlcs-many")
    };
    assert_eq!(judged(10), None);
    assert_eq!(judged(11), Some(Severity::Info));
    assert_eq!(judged(399), Some(Severity::Info));
    assert_eq!(judged(400), Some(Severity::Warning));
    let mut snapshot = two();
    snapshot.node.channels = None;
    assert!(!asked("htlcs-many", &snapshot, &history(&[])));
}

#[test]
fn a_swing_goes_below_ten_and_above_ninety_percent_within_two_weeks() {
    let judged = |days: i64, local: i64| {
        let mut past = history(&[]);
        past.samples = vec![ChannelSample {
            at: NOW.plus(-days * DAY_MS),
            point: point(1, 0),
            peer: key(1),
            local_sat: local,
            remote_sat: 1_000_000 - local,
            active: true,
            peer_connected: Some(true),
        }];
        let snapshot = snapshot(vec![channel(1, 901_000, 99_000)]);
        title(&made(&snapshot, &past), "channel-swing")
    };
    assert_eq!(judged(14, 100_000), None, "10 % is not below 10 %");
    let name = point(1, 0).short();
    assert_eq!(
        judged(14, 99_000).unwrap(),
        format!("Channel {name} with peer1 swung between 10 % and 90 % outbound within 14 days")
    );
    assert_eq!(judged(15, 99_000), None);
    let mut unsynced = two();
    unsynced.node.info.synced_to_chain = false;
    assert!(!asked("channel-swing", &unsynced, &history(&[])));
}
