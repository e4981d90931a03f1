//! The watcher as a process: how it begins and ends, what a kill leaves, and a node that comes later.

use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use daznode::snapshot::{FailedForward, FailureReason};
use daznode::sources::streams::{Seen, Stream, Word};
use daznode::units::{Msat, Pubkey, Scid, UnixMs};
use daznode::watch::{Moment, Sink};
use rustix::process::{Pid, Signal, kill_process};

use crate::fake_lnd::{Asked, FakeLnd, Reply, Told};
use crate::harness::{Sandbox, recording};
use crate::profiles::{enable, lnd, message, store};

pub(crate) const HTLCS: &str = "/routerrpc.Router/SubscribeHtlcEvents";
const CHANNELS: &str = "/lnrpc.Lightning/SubscribeChannelEvents";

/// The messages of a recorded stream.
pub(crate) fn messages(path: &str) -> Vec<Bytes> {
    recorded(path)
        .into_iter()
        .filter_map(|told| if let Told::Message(bytes) = told { Some(bytes) } else { None })
        .collect()
}

fn recorded(path: &str) -> Vec<Told> {
    let name = format!("{}.stream.pb", path.trim_start_matches('/').replace('/', "."));
    Told::recorded(&recording("bob").join(name))
}

/// A recorded stream, which then stands.
fn stream(path: &str) -> Reply {
    Reply::Stream(recorded(path))
}

fn streams(asked: &Asked<'_>) -> Option<Reply> {
    match asked.path {
        HTLCS | CHANNELS => Some(stream(asked.path)),
        path if path.contains("/Subscribe") => Some(Reply::Hang),
        _ => None,
    }
}

/// A watcher that ends with the test.
pub(crate) struct Watching(pub(crate) Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Watching {
    pub(crate) fn start(sandbox: &Sandbox, env: &[(&str, &str)]) -> Self {
        let mut command = sandbox.command(["watch"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).envs(env.iter().copied());
        Self(command.spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Asks it to end; its code and what it said.
    pub(crate) fn stop(mut self) -> (Option<i32>, String, Duration) {
        let begun = Instant::now();
        kill_process(self.pid(), Signal::TERM).unwrap();
        let code = self.0.wait().unwrap().code();
        let took = begun.elapsed();
        let mut said = String::new();
        std::io::Read::read_to_string(self.0.stderr.as_mut().unwrap(), &mut said).unwrap();
        (code, said, took)
    }
}

#[track_caller]
pub(crate) fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Rows of a table.
fn rows(sandbox: &Sandbox, what: &str) -> i64 {
    let db = rusqlite::Connection::open(sandbox.database()).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
}

fn followed(lnd: &FakeLnd) -> bool {
    lnd.calls_of(HTLCS) > 0 && lnd.calls_of(CHANNELS) > 0 && lnd.calls_of("/lnrpc.Lightning/ListPeers") > 0
}

#[test]
fn what_was_heard_is_stored_when_it_is_stopped() {
    let lnd = lnd().answer(streams).start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    let watching = Watching::start(&sandbox, &[("JOURNAL_STREAM", "8:1")]);
    until("a sample and words", || followed(&lnd) && rows(&sandbox, "channel_samples") > 0);
    // It may have what it was told in hand only.
    until("the words are on their way", || lnd.told() >= 11);
    std::thread::sleep(Duration::from_millis(300));
    let (code, said, took) = watching.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(said.lines().all(|line| line.starts_with('<')), "{said}");
    assert!(said.starts_with("<6>the watcher begins\n") && said.ends_with("<6>the watcher ends\n"), "{said}");
    // The recording has failed forwards, and channels that came and went.
    assert!(rows(&sandbox, "htlc_failures WHERE detail IS NOT NULL") > 0, "{said}");
    assert!(rows(&sandbox, "channel_events") > 0, "{said}");
    let shown = sandbox.run(["watch", "--status", "--json"]).ends(0).json();
    let watcher = &shown["watchers"][0];
    assert!(watcher["started_at"].is_string() && watcher["last_24h"]["htlcs"]["watched_ms"].is_i64(), "{shown}");
    let changes = watcher["channel_changes_24h"].as_object().unwrap();
    let told: u64 = changes.values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(
        told,
        u64::try_from(rows(&sandbox, "channel_events WHERE at_ms > 1000 * (unixepoch() - 86400)")).unwrap()
    );
    assert!(watcher["unknown_events"].is_array() && watcher["peers_365d"].is_array(), "{shown}");
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema.md")).unwrap();
    let docs = docs.split("### `daznode watch --status").nth(1).unwrap().split("\n### ").next().unwrap();
    let htlcs = &watcher["last_24h"]["htlcs"];
    for (name, _) in [watcher, &watcher["last_24h"], htlcs].into_iter().flat_map(|one| one.as_object().unwrap()) {
        assert!(docs.contains(&format!("`{name}`")), "docs/schema.md does not name {name}");
    }
    sandbox.run(["watch", "--status"]).ends(0);
}

#[test]
fn a_second_watcher_is_told_who_watches_and_a_run_is_not_kept_out() {
    let lnd = lnd().answer(streams).start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    let watching = Watching::start(&sandbox, &[]);
    until("it follows", || followed(&lnd));
    let words = [&*format!("process {}", watching.0.id()), "watch.lock"];
    sandbox.run(["watch"]).ends(11).says_one_line(&words);
    sandbox.run(["watch", "--once"]).ends(11).says_one_line(&words);
    let made = sandbox.run(["generate", "--all"]);
    assert!([Some(0), Some(3)].contains(&made.code), "{}", made.stderr);
    let checked = sandbox.run(["health-check", "--json"]).json();
    let line = checked["checks"].as_array().unwrap().iter().find(|check| check["name"] == "watcher").unwrap().clone();
    assert_ne!(line["state"], "fail", "{line}");
    assert_eq!(watching.stop().0, Some(0));
}

#[test]
fn a_node_that_is_locked_at_the_start_is_followed_when_it_is_open() {
    let open = Arc::new(AtomicBool::new(false));
    let is_open = Arc::clone(&open);
    let answer = move |asked: &Asked<'_>| match (asked.path, is_open.load(Ordering::SeqCst)) {
        (_, true) => streams(asked),
        ("/lnrpc.State/GetState", false) => Some(Reply::Message(Bytes::from_static(&[8, 1]))),
        (_, false) => Some(Reply::unknown("wallet locked, unlock it to enable full RPC access")),
    };
    let lnd = lnd().answer(answer).start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    let socket = sandbox.path("notify.sock");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let heard = |word: &str| {
        let mut bytes = [0; 1024];
        loop {
            let length = systemd.recv(&mut bytes).unwrap_or_else(|e| panic!("no {word}: {e}"));
            let said = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if said.lines().any(|line| line.starts_with(word)) {
                return said;
            }
        }
    };
    let env = [("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", "3000000")];
    let watching = Watching::start(&sandbox, &env);
    // A node that can't be followed is no reason not to be ready, nor to be killed.
    heard("READY=1");
    let said = heard("WATCHDOG=1");
    assert!(said.contains("STATUS=following 0 of 1 node"), "{said}");
    open.store(true, Ordering::SeqCst);
    heard("STATUS=following 1 of 1 node");
    assert!(lnd.calls_of(HTLCS) > 1);
    kill_process(watching.pid(), Signal::TERM).unwrap();
    heard("STOPPING=1");
}

#[test]
fn one_look_is_kept_and_a_node_that_refuses_is_told() {
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    sandbox.run(["watch", "--once"]).ends(0);
    let channels = rows(&sandbox, "channel_samples");
    assert!(channels > 0);
    // A short look asks for no history, and not for the graph.
    for path in ["DescribeGraph", "ForwardingHistory", "ListPayments", "ListInvoices", "GetTransactions", "GetNodeInfo"]
    {
        assert_eq!(lnd.calls_of(&format!("/lnrpc.Lightning/{path}")), 0, "{path}");
    }
    sandbox.run(["watch", "--once"]).ends(0);
    assert_eq!(rows(&sandbox, "channel_samples"), channels, "nothing changed");
    drop(lnd);
    let ended = sandbox.run(["watch", "--once"]);
    ended.ends(1);
    assert!(ended.stderr.contains("cannot reach"), "{}", ended.stderr);
}

/// So many minutes ago, by both clocks.
fn ago(now: UnixMs, minutes: i64) -> Moment {
    Moment { wall: now.plus(-minutes * 60_000), awake: -minutes * 60_000 }
}

#[test]
fn what_was_watched_is_in_the_report_and_what_was_not_is_told() {
    const FROM: Scid = Scid(447_501_232_570_368);
    const TO: Scid = Scid(484_884_627_980_288);
    const PEER: &str = "02e89fe23b19ff390e4636b185ad5ae1c2a21b59424d51ce6630ad8532ca9db83d";
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    let profile = enable(&sandbox, "alice", &lnd);
    let channels: tonic_lnd::lnrpc::ListChannelsResponse = message("/lnrpc.Lightning/ListChannels");
    let point = channels.channels.iter().find(|c| c.chan_id == TO.0).unwrap().channel_point.clone();
    let mut peers: Vec<Pubkey> = channels.channels.iter().map(|c| c.remote_pubkey.parse().unwrap()).collect();
    peers.sort_unstable();
    peers.dedup();
    #[expect(clippy::disallowed_methods, reason = "the program under test reads the clock too")]
    let now = UnixMs(jiff::Timestamp::now().as_millisecond());
    let mut sink = Sink::new(ago(now, 26 * 60));
    let all = |sink: &mut Sink, minutes: i64, word: &dyn Fn(Stream, UnixMs) -> Word| {
        sink.notice(ago(now, minutes));
        for stream in Stream::ALL {
            sink.take(word(stream, now.plus(-minutes * 60_000)));
        }
    };
    let began = |stream, at| Word::Began { stream, at };
    let ended = |stream, at: UnixMs| {
        let error = daznode::sources::Error::Setup("stopped".to_owned());
        Word::Ended { stream, at, stood_until: at, error }
    };
    all(&mut sink, 26 * 60, &began);
    sink.peers(now.plus(-26 * 3_600_000), peers.iter().cloned());
    let peer = |online| {
        move |_, at| Word::Told { stream: Stream::Peers, seen: Seen::Peer { at, peer: PEER.parse().unwrap(), online } }
    };
    all(&mut sink, 25 * 60, &peer(false));
    all(&mut sink, 12 * 60, &peer(true));
    for (htlc_in, reason) in
        [FailureReason::Balance, FailureReason::Balance, FailureReason::Downstream].into_iter().enumerate()
    {
        let forward = FailedForward {
            at_ns: now.plus(-11 * 3_600_000).nanos(),
            scid_in: FROM,
            htlc_in: u64::try_from(htlc_in).unwrap(),
            scid_out: TO,
            amount_in: Msat::new(100_500),
            amount_out: Msat::new(100_000),
            reason,
        };
        sink.take(Word::Told { stream: Stream::Htlcs, seen: Seen::Failed { forward, detail: "FAIL".to_owned() } });
    }
    // LND was gone for 40 minutes.
    all(&mut sink, 600, &ended);
    all(&mut sink, 560, &began);
    sink.peers(now.plus(-560 * 60_000), peers.iter().cloned());
    all(&mut sink, -10, &|stream, at| Word::Alive { stream, at });
    store(&sandbox).put_heard(&profile, &sink.flush()).unwrap();

    sandbox.run(["generate", "--all"]);
    let report = sandbox.run(["show", "--json"]).ends(0).json();
    // How many of the recorded node's forwards are of what was watched of the last day depends on the day; three failed.
    let forwarding = &report["metrics"]["forwarding"];
    let end: jiff::Timestamp = report["window_end"].as_str().unwrap().parse().unwrap();
    let end = UnixMs(end.as_millisecond());
    let watched = [(end.plus(-24 * 3_600_000), now.plus(-600 * 60_000)), (now.plus(-560 * 60_000), end)];
    let db = rusqlite::Connection::open(sandbox.database()).unwrap();
    let settled = watched.map(|(from, to)| {
        let count = "SELECT count(*) FROM forwards WHERE at_ns >= ?1 AND at_ns < ?2";
        db.query_row(count, [from.nanos(), to.nanos()], |row| row.get::<_, u32>(0)).unwrap()
    });
    let settled = settled.into_iter().map(f64::from).sum::<f64>();
    let rate = forwarding["success_rate_24h"].as_f64().unwrap();
    assert!((rate - settled / (settled + 3.0)).abs() < 0.000_001, "{rate} of {settled}");
    let failed = report["metrics"]["forwarding"]["failed_24h"].as_array().unwrap();
    let sums: Vec<_> = failed.iter().map(|sum| (&sum["reason"], &sum["forwards"], &sum["fees_msat"])).collect();
    assert_eq!(sums, [(&"balance".into(), &2.into(), &1000.into()), (&"downstream".into(), &1.into(), &500.into())]);
    let missed = &report["money"]["missed_demand"];
    assert_eq!(missed["watched_share_24h"], 0.972_222, "{missed:#}");
    let row = &missed["channels"][0];
    assert_eq!(
        (&row["channel_point"], &row["day"]["forwards"], &row["day"]["fees_msat"]),
        (&point.into(), &2.into(), &1000.into())
    );
    let told = |part: &str| {
        let all = report["not_measured"].as_array().unwrap();
        all.iter().find(|n| n["part"] == part).map(|n| n["reason"].as_str().unwrap().to_owned())
    };
    let minute = |minutes: i64| now.plus(-minutes * 60_000).timestamp().strftime("%H:%M").to_string();
    let off = format!("Watched 23 h 20 min of 24, but not {}-{} (UTC).", minute(600), minute(560));
    assert_eq!((told("failed-forwards"), told("peer-uptime")), (Some(off.clone()), Some(off.clone())));
    let alerts = report["alerts"].as_array().unwrap();
    assert!(alerts.iter().any(|a| a["alert_key"] == format!("peer-uptime-low:{PEER}")), "{alerts:#?}");
    let page = sandbox.run(["show", "all"]).ends(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(&off) && page.contains("3 failed, 2 for lack of balance"), "{page}");
}
