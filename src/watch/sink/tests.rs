use super::*;
use crate::history::{FailureFlow, PeerWatch, Watched};
use crate::snapshot::{FailureReason, Policy};
use crate::sources;
use crate::sources::streams::ChannelChange;
use crate::store::{Profile, Store};
use crate::units::{DAY_MS, HOUR_MS, Outpoint, Ppm, Scid};
use crate::watch::tests::{START, failed, key, store};

const MINUTE_MS: i64 = 60_000;

/// A sink, its store, and two clocks that agree unless told.
struct Play {
    _folder: tempfile::TempDir,
    store: Store,
    profile: Profile,
    sink: Sink,
    /// How far the wall clock is ahead of the other.
    ahead: i64,
}

fn at(minutes: i64) -> UnixMs {
    START.plus(minutes * MINUTE_MS)
}

fn play() -> Play {
    let (folder, store, profile) = store();
    let sink = Sink::new(Moment { wall: START, awake: 0 });
    Play { _folder: folder, store, profile, sink, ahead: 0 }
}

impl Play {
    /// So many minutes of life have gone by.
    fn wait(&mut self, minutes: i64) {
        let awake = minutes * MINUTE_MS;
        self.sink.notice(Moment { wall: START.plus(awake + self.ahead), awake });
    }

    fn word(&mut self, minutes: i64, word: Word) {
        self.wait(minutes);
        self.sink.take(word);
    }

    /// A word at a time by the wall clock, so many minutes after the start of life.
    fn all(&mut self, minutes: i64, word: impl Fn(Stream, UnixMs) -> Word) {
        let wall = at(minutes).plus(self.ahead);
        for stream in Stream::ALL {
            self.word(minutes, word(stream, wall));
        }
    }

    fn begin(&mut self, minutes: i64) {
        self.all(minutes, |stream, at| Word::Began { stream, at });
    }

    fn alive(&mut self, minutes: i64) {
        self.all(minutes, |stream, at| Word::Alive { stream, at });
    }

    fn end(&mut self, minutes: i64, stood_until: UnixMs) {
        let error = sources::Error::Setup("gone".to_owned());
        self.all(minutes, |stream, at| Word::Ended { stream, at, stood_until, error: error.clone() });
    }

    fn peer(&mut self, minutes: i64, peer: u64, online: bool) {
        let seen = Seen::Peer { at: at(minutes).plus(self.ahead), peer: key(peer), online };
        self.word(minutes, Word::Told { stream: Stream::Peers, seen });
    }

    fn list(&mut self, minutes: i64, peers: &[u64]) {
        self.wait(minutes);
        self.sink.peers(at(minutes).plus(self.ahead), peers.iter().map(|n| key(*n)));
    }

    fn put(&mut self) {
        let heard = self.sink.flush();
        self.store.put_heard(&self.profile, &heard).unwrap();
    }

    fn watched(&self, end: UnixMs) -> Watched {
        self.store.history(&self.profile, end, end.day()).unwrap().watched
    }

    /// Peer, minutes connected of minutes watched, breaks.
    fn uptime(&self, end: UnixMs) -> Vec<(u64, i64, i64, u32)> {
        let row = |seen: &PeerWatch| {
            let n = u64::from_str_radix(&seen.peer.as_str()[2..], 16).unwrap();
            (n, seen.connected_ms / MINUTE_MS, seen.watched_ms / MINUTE_MS, seen.breaks)
        };
        self.watched(end).peers_week.iter().map(row).collect()
    }

    /// The coverage of a stream, in minutes since the start.
    fn coverage(&self, stream: Stream) -> Vec<(i64, i64)> {
        let window = Window { start: START.plus(-30 * DAY_MS), end: START.plus(30 * DAY_MS) };
        let all = self.store.watch_coverage(&self.profile, window).unwrap();
        let minutes = |at: UnixMs| at.since(START) / MINUTE_MS;
        let of = all.into_iter().find(|one| one.stream == stream).unwrap();
        of.spans.iter().map(|span| (minutes(span.start), minutes(span.end))).collect()
    }
}

#[test]
fn peers_that_are_there_at_the_start_are_connected_since_then() {
    let mut p = play();
    p.begin(0);
    assert!(p.sink.wants_peers());
    // 3 leaves before the first look, and 4 comes.
    p.peer(1, 3, false);
    p.peer(2, 4, true);
    p.list(3, &[1, 2, 4]);
    assert!(!p.sink.wants_peers());
    p.peer(60, 2, false);
    p.peer(120, 2, true);
    p.alive(240);
    p.put();
    assert_eq!(p.uptime(at(240)), [(1, 240, 240, 0), (2, 180, 240, 1), (3, 1, 240, 1), (4, 238, 238, 0)]);
    // A second look finds what no word told of: 1 is gone, 5 is there.
    p.list(300, &[2, 4, 5]);
    p.alive(360);
    p.put();
    assert_eq!(
        p.uptime(at(360)),
        [(1, 300, 360, 1), (2, 300, 360, 1), (3, 1, 360, 1), (4, 358, 358, 0), (5, 60, 60, 0)]
    );
}

#[test]
fn a_look_is_older_than_the_words_that_came_since() {
    let mut p = play();
    p.begin(0);
    p.list(1, &[1]);
    p.peer(10, 1, false);
    p.peer(10, 2, true);
    // Asked before both, answered after.
    p.sink.peers(at(5), [key(1)].into_iter());
    p.alive(20);
    p.put();
    assert_eq!(p.uptime(at(20)), [(1, 10, 20, 1), (2, 10, 10, 0)]);
}

#[test]
fn when_lnd_restarts_no_peer_is_charged() {
    let mut p = play();
    p.begin(0);
    p.list(0, &[1, 2]);
    p.alive(59);
    p.put();
    // LND says goodbye to all of them, and goes.
    p.peer(60, 1, false);
    p.peer(60, 2, false);
    p.end(61, at(60));
    p.put();
    p.begin(90);
    // 2 takes half an hour to come back.
    p.list(90, &[1]);
    p.peer(120, 2, true);
    p.alive(180);
    p.put();
    assert_eq!(p.coverage(Stream::Peers), [(0, 60), (90, 180)]);
    assert_eq!(p.uptime(at(180)), [(1, 150, 150, 0), (2, 120, 150, 0)]);
}

#[test]
fn when_lnd_is_gone_without_a_word_connections_are_cut_where_it_last_stood() {
    let mut p = play();
    p.begin(0);
    p.list(0, &[1, 2]);
    p.alive(50);
    p.end(60, at(52));
    p.begin(70);
    p.list(70, &[1]);
    p.alive(80);
    p.put();
    assert_eq!(p.coverage(Stream::Htlcs), [(0, 52), (70, 80)]);
    assert_eq!(p.uptime(at(80)), [(1, 62, 62, 0), (2, 52, 62, 0)]);
}

#[test]
fn a_kill_loses_what_was_not_stored_and_the_coverage_says_so() {
    let mut p = play();
    p.begin(0);
    p.list(0, &[1, 2]);
    p.alive(30);
    p.put();
    let told = |n| Word::Told {
        stream: Stream::Htlcs,
        seen: Seen::Failed { forward: failed(at(35), n, 500), detail: String::new() },
    };
    p.word(35, told(1));
    p.peer(36, 2, false);
    p.alive(40);
    // Killed: the batch is gone. An hour later it runs again.
    p.sink = Sink::new(Moment { wall: at(100), awake: 100 * MINUTE_MS });
    p.begin(100);
    p.list(101, &[1, 2]);
    p.alive(160);
    p.put();
    assert_eq!(p.coverage(Stream::Peers), [(0, 30), (100, 160)]);
    assert_eq!(p.uptime(at(160)), [(1, 90, 90, 0), (2, 90, 90, 0)]);
    let watched = p.watched(at(160));
    assert!(watched.failures_day.is_empty());
    assert_eq!(watched.htlcs_ms, [90 * MINUTE_MS; 3]);
    let off = |from, to| Window { start: from, end: to };
    assert_eq!(watched.htlcs_off, [off(at(160).plus(-DAY_MS), START), off(at(30), at(100))]);
    // It left while nobody watched: no connection without an end is left of the time before.
    p.end(170, at(165));
    p.put();
    assert_eq!(p.uptime(at(170)), [(1, 95, 95, 0), (2, 95, 95, 0)]);
}

#[test]
fn while_the_machine_sleeps_nothing_is_watched() {
    let mut p = play();
    p.begin(0);
    p.list(0, &[1]);
    p.alive(10);
    // Eight hours in which only the wall clock went on; the connection outlived them.
    p.ahead = 8 * HOUR_MS;
    p.wait(11);
    p.alive(21);
    p.put();
    assert_eq!(p.coverage(Stream::Peers), [(0, 10), (491, 501)]);
    assert_eq!(p.uptime(at(501)), [(1, 20, 20, 0)]);
}

#[test]
fn a_clock_set_forward_a_day_leaves_a_gap_of_a_day() {
    let mut p = play();
    p.begin(0);
    p.list(0, &[1]);
    p.alive(60);
    p.put();
    p.ahead = DAY_MS;
    p.alive(120);
    p.put();
    p.alive(180);
    p.put();
    assert_eq!(p.coverage(Stream::Htlcs), [(0, 60), (1560, 1620)]);
    assert_eq!(p.uptime(at(1620)), [(1, 120, 120, 0)]);
}

#[test]
fn a_clock_set_back_a_day_takes_back_what_was_said_of_the_time_to_come() {
    let mut p = play();
    // The clock is a day ahead at first.
    p.ahead = DAY_MS;
    p.sink = Sink::new(Moment { wall: START.plus(DAY_MS), awake: 0 });
    p.begin(0);
    p.list(0, &[1]);
    p.peer(30, 1, false);
    p.peer(40, 1, true);
    p.alive(60);
    p.put();
    assert_eq!(p.coverage(Stream::Htlcs), [(1440, 1500)]);
    p.alive(70);
    p.ahead = 0;
    p.wait(71);
    p.alive(120);
    p.put();
    assert_eq!(p.coverage(Stream::Htlcs), [(71, 120)]);
    // A millisecond less than 49 minutes.
    assert_eq!(p.uptime(at(120)), [(1, 48, 48, 0)]);
    // A day later nothing of what was said then counts.
    assert_eq!(p.uptime(at(1600)), [(1, 48, 48, 0)]);
    p.alive(180);
    p.put();
    assert_eq!(p.coverage(Stream::Htlcs), [(71, 180)]);
}

#[test]
fn a_clock_set_back_by_minutes_keeps_what_was_before() {
    let mut p = play();
    p.begin(0);
    p.list(0, &[1]);
    p.alive(60);
    p.put();
    // At minute 61 it is minute 41 again.
    p.ahead = -20 * MINUTE_MS;
    p.wait(61);
    p.put();
    assert_eq!(p.coverage(Stream::Peers), [(0, 41)]);
    p.alive(81);
    p.put();
    // A millisecond in between keeps it a break that was none of the peer's.
    assert_eq!(p.coverage(Stream::Peers), [(0, 41), (41, 61)]);
    assert_eq!(p.uptime(at(61)), [(1, 60, 60, 0)]);
}

#[test]
fn words_of_the_future_cover_nothing_of_it() {
    let mut p = play();
    p.begin(0);
    p.word(10, Word::Alive { stream: Stream::Htlcs, at: at(600) });
    p.put();
    assert_eq!(p.coverage(Stream::Htlcs), [(0, 10)]);
}

#[test]
fn failures_come_with_lnds_word_and_impossible_ones_are_counted_apart() {
    let mut p = play();
    p.begin(0);
    let tell = |p: &mut Play, forward| {
        let seen = Seen::Failed { forward, detail: "INSUFFICIENT_BALANCE".to_owned() };
        p.word(10, Word::Told { stream: Stream::Htlcs, seen });
    };
    tell(&mut p, failed(at(5), 1, 1_000));
    tell(&mut p, failed(at(6), 2, 3_000));
    tell(&mut p, failed(at(7), 3, i64::MAX - 10));
    tell(&mut p, failed(at(7), 4, -50));
    p.alive(60);
    p.put();
    let flow = FailureFlow {
        scid_in: Scid(1),
        scid_out: Scid(2),
        reason: FailureReason::Balance,
        count: 2,
        amount_out: Msat::new(4_000),
        fee: Msat::new(20),
    };
    assert_eq!(p.watched(at(60)).failures_day, [flow]);
    let rows = p.store.unknown_events(&p.profile).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].seen, rows[0].first, rows[0].last), (2, at(7), at(7)));
}

#[test]
fn unknown_kinds_are_counted_with_one_example_and_their_number_is_bounded() {
    let mut p = play();
    p.begin(0);
    let tell = |p: &mut Play, minute, kind: &str| {
        let seen = Seen::Unknown { at: at(minute), kind: kind.to_owned(), bytes: vec![7; 5_000] };
        p.word(minute, Word::Told { stream: Stream::Graph, seen });
    };
    tell(&mut p, 1, "field 9");
    tell(&mut p, 2, "field 9");
    p.put();
    tell(&mut p, 3, "field 9");
    for n in 0..150 {
        tell(&mut p, 4, &format!("kind {n}"));
    }
    p.put();
    let rows = p.store.unknown_events(&p.profile).unwrap();
    let nine = rows.iter().find(|row| row.kind == "field 9").unwrap();
    assert_eq!((nine.seen, nine.first, nine.last, nine.example.len()), (3, at(1), at(3), 1024));
    assert_eq!(rows.len(), 100);
}

#[test]
fn policies_are_the_same_changes_whoever_tells_them_first() {
    let mut p = play();
    let point: Outpoint = format!("{:064x}:0", 7).parse().unwrap();
    let policy = |rate| Policy {
        base: Msat::new(1),
        rate: Ppm(rate),
        inbound_base: Msat::ZERO,
        inbound_rate: Ppm(0),
        time_lock_delta: 80,
        min_htlc: Msat::new(1),
        max_htlc: Msat::new(1_000),
        disabled: false,
        updated_at: START,
    };
    let tell = |p: &mut Play, minute, rate| {
        let seen = Seen::Policy { at: at(minute), point: point.clone(), by: key(9), policy: policy(rate) };
        p.word(minute, Word::Told { stream: Stream::Graph, seen });
    };
    p.begin(0);
    // A channel that is not known yet: nothing to hang it on.
    tell(&mut p, 0, 50);
    p.put();
    p.store.put_sample(&p.profile, super::super::tests::world::sample(at(1), &[(7, 500)])).unwrap();
    tell(&mut p, 1, 100);
    tell(&mut p, 5, 200);
    tell(&mut p, 6, 200);
    p.put();
    tell(&mut p, 5, 200);
    // Told late: what stood before the change is no change back, and an earlier moment takes the later one's place.
    tell(&mut p, 3, 100);
    tell(&mut p, 4, 200);
    p.put();
    let end = at(10);
    let changes = p.store.history(&p.profile, end, end.day()).unwrap().policy_changes;
    let rates: Vec<_> =
        changes.iter().map(|c| (c.at, c.ours, c.before.as_ref().map(|b| b.rate.0), c.after.rate.0)).collect();
    assert_eq!(rates, [(at(1), false, None, 100), (at(4), false, Some(100), 200)]);
}

#[test]
fn a_batch_is_bounded_and_news_is_due_sooner_than_signs_of_life() {
    let mut p = play();
    let now = |seconds: i64| Moment { wall: START.plus(seconds * 1000), awake: seconds * 1000 };
    p.begin(0);
    p.put();
    p.sink.notice(now(30));
    p.sink.take(Word::Alive { stream: Stream::Htlcs, at: START.plus(30_000) });
    assert!(!p.sink.is_due());
    p.sink.notice(now(60));
    assert!(p.sink.is_due());
    p.put();
    let point: Outpoint = format!("{:064x}:0", 7).parse().unwrap();
    let seen = Seen::Channel { at: START, point, change: ChannelChange::Inactive };
    p.sink.take(Word::Told { stream: Stream::Channels, seen: seen.clone() });
    assert!(!p.sink.is_due());
    p.sink.notice(now(65));
    assert!(p.sink.is_due());
    p.put();
    for _ in 0..BATCH {
        assert!(!p.sink.is_full());
        p.sink.take(Word::Told { stream: Stream::Channels, seen: seen.clone() });
    }
    assert!(p.sink.is_full() && p.sink.is_due());
    p.put();
    assert!(!p.sink.is_full());
}

#[test]
fn the_watcher_says_how_it_is() {
    let mut p = play();
    assert_eq!(p.sink.state(), "connecting");
    p.begin(0);
    p.alive(2);
    p.put();
    let row = p.store.watcher(&p.profile).unwrap().unwrap();
    assert_eq!((row.started, row.well, row.state.as_str()), (START, at(2), "following"));
    let error = sources::Error::Setup("refused".to_owned());
    p.word(3, Word::Ended { stream: Stream::Graph, at: at(3), stood_until: at(2), error });
    assert_eq!(p.sink.state(), "without graph: refused");
    p.end(4, at(2));
    assert_eq!(p.sink.state(), "not connected: gone");
    p.sink.stop();
    p.put();
    assert_eq!(p.store.watcher(&p.profile).unwrap().unwrap().state, STOPPED);
}

#[test]
fn a_storm_of_strangers_fills_no_memory() {
    let mut p = play();
    p.begin(0);
    p.list(0, &[]);
    let mut batches = 0;
    for n in 0..30_000 {
        for online in [true, false] {
            let seen = Seen::Peer { at: at(1), peer: key(n), online };
            p.sink.take(Word::Told { stream: Stream::Peers, seen });
            if p.sink.is_full() {
                assert!(p.sink.flush().sessions.len() <= BATCH);
                batches += 1;
            }
        }
    }
    assert_eq!(batches, 60);
    assert!(p.sink.open.is_empty() && p.sink.heard_of.len() <= REMEMBERED);
    p.list(2, &[]);
    assert!(p.sink.heard_of.is_empty());
}
