//! Nodes that misbehave: each gets one line with its own words, and none stops the others.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use daznode::sources::answers::METHODS;
use daznode::sources::spec::{Certificate, SecretRef, SourceSpec};
use serde_json::Value;

use crate::audit::audit;
use crate::fake_lnd::{FakeLnd, Reply};
use crate::harness::{Ended, Sandbox};
use crate::profiles::{enable, lnd, macaroon, put, recorded, spec, store, whole};
use crate::tally::survived;

const GRAPH: &str = "/lnrpc.Lightning/DescribeGraph";

/// A node whose wallet is locked.
fn locked() -> FakeLnd {
    let lock = |path: &str| match path {
        "/lnrpc.State/GetState" => Reply::Message(Bytes::from_static(&[8, 1])),
        _ => Reply::unknown("wallet locked, unlock it to enable full RPC access"),
    };
    lnd().answer(move |asked| Some(lock(asked.path))).start()
}

/// A node that answers all but one call.
fn failing(path: &'static str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> FakeLnd {
    lnd().answer(move |asked| (asked.path == path).then(&reply)).start()
}

/// What came of each user's profile.
fn outcome<'a>(made: &'a Value, user: &str) -> &'a Value {
    let outcomes = made["outcomes"].as_array().unwrap();
    outcomes.iter().find(|o| o["user_id"] == user).unwrap_or_else(|| panic!("{user} is not in {made}"))
}

/// As many lines on stderr as failed, each naming a node, with no line break within.
#[track_caller]
fn one_line_each(ended: &Ended, failed: usize) {
    let lines: Vec<_> = ended.stderr.lines().filter(|line| line.contains(": failed")).collect();
    assert_eq!(lines.len(), failed, "{}", ended.stderr);
}

fn user(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_lowercase()
}

#[test]
fn a_call_that_hangs_costs_that_node_its_time_and_no_other() {
    each_call_hangs("nothing comes", |_| Reply::Hang);
}

#[test]
fn an_answer_that_stops_half_way_costs_that_node_its_time_and_no_other() {
    each_call_hangs("half an answer, then nothing", |path| Reply::HalfThenHang(recorded(path)));
}

fn each_call_hangs(name: &str, fault: impl Fn(&'static str) -> Reply + Clone + Send + Sync + 'static) {
    let sandbox = Sandbox::new();
    let well = lnd().start();
    enable(&sandbox, "well", &well);
    // The graph is read once for all nodes of a network: it hangs in a run of its own, below.
    let paths: Vec<&'static str> = METHODS.iter().map(|method| method.path).filter(|path| *path != GRAPH).collect();
    let nodes: Vec<FakeLnd> = paths
        .iter()
        .map(|path| {
            let (path, fault) = (*path, fault.clone());
            let lnd = failing(path, move || fault(path));
            enable(&sandbox, &user(path), &lnd);
            lnd
        })
        .collect();
    let begun = Instant::now();
    let ended = sandbox.run(["generate", "--all", "--json", "--jobs", "30", "--timeout", "6", "--retries", "0"]);
    let made = ended.ends(1).json();
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    assert_eq!(outcome(&made, "well")["outcome"], "made");
    one_line_each(&ended, paths.len());
    for (path, node) in paths.iter().zip(&nodes) {
        assert!(node.calls_of(path) > 0, "{path} is never asked");
        let error = outcome(&made, &user(path))["error"].as_str().unwrap_or_else(|| panic!("{path}: {made}"));
        assert!(error.contains("no report within 6 s") && error.contains("--timeout"), "{path}: {error}");
    }
    assert_eq!(audit(&sandbox.state(), &std::collections::BTreeMap::new()).failed, paths.len());
    survived(&format!("LND hangs on each call in turn: {name}"), paths.len());
}

#[test]
fn a_call_of_little_weight_that_hangs_is_a_gap_once_its_own_time_is_over() {
    let sandbox = Sandbox::new();
    let node = failing("/lnrpc.Lightning/ListPeers", || Reply::Hang);
    enable(&sandbox, "alice", &node);
    let made = sandbox.run(["generate", "--all", "--json", "--retries", "0"]).ends(3).json();
    assert_eq!(outcome(&made, "alice")["outcome"], "partial");
    let shown = sandbox.run(["show", "--json"]).ends(0).json();
    assert!(shown["gaps"].to_string().contains("ListPeers"), "{}", shown["gaps"]);
}

#[test]
fn a_graph_that_never_ends_stops_nobody_for_longer_than_told() {
    let sandbox = Sandbox::new();
    let graph = recorded(GRAPH);
    let node = failing(GRAPH, move || Reply::HalfThenHang(graph.clone()));
    enable(&sandbox, "alice", &node);
    let begun = Instant::now();
    sandbox.run(["generate", "--all", "--timeout", "3", "--retries", "0"]).ends(1).says_failed("no report within 3 s");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

/// A fault of each call in turn, all at once. No report may come out that does not say what it lacks.
fn each_call(name: &str, fault: impl Fn(&'static str) -> Reply + Clone + Send + Sync + 'static) {
    let sandbox = Sandbox::new();
    let nodes: Vec<(&'static str, FakeLnd)> = METHODS
        .iter()
        .map(|method| {
            let (path, fault) = (method.path, fault.clone());
            let lnd = failing(path, move || fault(path));
            if path != GRAPH {
                enable(&sandbox, &user(path), &lnd);
            }
            (path, lnd)
        })
        .collect();
    let ended = sandbox.run(["generate", "--all", "--json", "--jobs", "30", "--retries", "0"]);
    let made = ended.ends(1).json();
    let alone = Sandbox::new();
    let graph = nodes.iter().find(|(path, _)| *path == GRAPH).unwrap();
    enable(&alone, &user(GRAPH), &graph.1);
    let of_graph = alone.run(["generate", "--all", "--json", "--retries", "0"]).json();
    let mut failed = 0;
    for (path, node) in &nodes {
        assert!(node.calls_of(path) > 0, "{path} is never asked");
        let (made, sandbox) = if *path == GRAPH { (&of_graph, &alone) } else { (&made, &sandbox) };
        let outcome = outcome(made, &user(path));
        let method = path.rsplit('/').next().unwrap();
        match outcome["outcome"].as_str().unwrap() {
            "failed" => {
                failed += usize::from(*path != GRAPH);
                let error = outcome["error"].as_str().unwrap();
                assert!(error.contains(&node.address()) && !error.contains('\n'), "{name}, {path}: {error}");
            }
            "partial" => {
                let id = outcome["report_id"].as_str().unwrap();
                let shown = sandbox.run(["show", "--id", id, "--json"]).ends(0).json();
                assert!(shown["gaps"].to_string().contains(method), "{name}, {path}: {}", shown["gaps"]);
            }
            // Whether it serves calls is seen by those, and its version is in GetInfo too.
            "made" if ["GetState", "GetVersion"].contains(&method) => {}
            other => panic!("{name}, {path}: {other}, as if nothing were wrong: {outcome}"),
        }
    }
    one_line_each(&ended, failed);
    assert!(failed >= 1 && failed < nodes.len() - 1, "{name}: {failed} failed");
    survived(&format!("LND answers each call in turn wrongly: {name}"), nodes.len());
}

#[test]
fn an_answer_that_breaks_off() {
    each_call("half, then the stream breaks", |path| Reply::HalfThenReset(recorded(path)));
}

#[test]
fn an_answer_over_every_limit() {
    each_call("4 GiB announced", |_| Reply::Oversize(u32::MAX));
}

#[test]
fn an_answer_that_is_no_message() {
    each_call("bytes that are no message", |_| {
        Reply::Garbage(Bytes::from_static(b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6"))
    });
}

#[test]
fn an_answer_that_does_not_decode() {
    each_call("a message that does not decode", |_| Reply::Message(Bytes::from_static(&[0xff; 64])));
}

#[test]
fn a_refusal_in_words_of_its_own() {
    each_call("a refusal", |_| Reply::unknown("the database is closed for repairs"));
}

/// One node with a report whose next run fails: how it ends, what is said, and that the day's report stays.
#[track_caller]
fn fails_with(code: i32, words: &[&str], broken: &FakeLnd, pinned: Option<PathBuf>) {
    let sandbox = Sandbox::new();
    let well = lnd().start();
    enable(&sandbox, "alice", &well);
    let before = sandbox.run(["generate", "--all", "--json"]).ends(0).json();
    let id = before["outcomes"][0]["report_id"].clone();
    drop(well);
    let mut spec = spec(&sandbox, "alice", broken);
    if let Some(other) = pinned {
        spec.certificate = Certificate::Pinned(SecretRef::File(other));
    }
    put(&store(&sandbox), "alice", SourceSpec::Lnd(spec));
    let ended = sandbox.run(["generate", "--all", "--force", "--retries", "0", "--timeout", "10"]);
    ended.ends(code);
    let told = ended.stderr.trim_end();
    assert!(!told.contains('\n'), "not one line: {told}");
    for word in words {
        assert!(told.contains(word), "no {word:?} in {told:?}");
    }
    let found = audit(&sandbox.state(), &std::collections::BTreeMap::new());
    assert_eq!((found.reports.len(), found.failed), (1, 1), "a failed run is a row");
    assert_eq!(sandbox.run(["show", "--json"]).ends(0).json()["report_id"], id, "the day's report stays");
}

#[test]
fn a_refused_macaroon() {
    let node = FakeLnd::builder().recording(&whole()).macaroon(&[1, 2, 3]).start();
    fails_with(4, &["macaroon", "readonly.macaroon of this very node"], &node, None);
}

#[test]
fn another_certificate() {
    let node = lnd().start();
    fails_with(4, &["certificate", &node.address()], &node, Some(whole().join("tls.cert")));
    assert_eq!(node.calls(), 0, "it was not shown the macaroon");
}

#[test]
fn a_locked_wallet() {
    fails_with(1, &["locked", "lncli unlock"], &locked(), None);
}

#[test]
fn nothing_that_listens() {
    let node = lnd().start();
    let address = node.address();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &node);
    drop(node);
    sandbox.run(["generate", "--all", "--retries", "0"]).ends(1).says_failed(&address);
}

#[test]
fn another_node_behind_the_same_address() {
    let dave = crate::harness::recording("dave");
    let node = FakeLnd::builder().recording(&dave).macaroon(&macaroon()).start();
    fails_with(4, &["is node"], &node, None);
}

#[test]
fn of_fifty_nodes_ten_are_broken_and_forty_reports_are_made() {
    let sandbox = Sandbox::new();
    let well = lnd().start();
    let hangs = failing("/lnrpc.Lightning/ListChannels", || Reply::Hang);
    let breaks = failing("/lnrpc.Lightning/GetInfo", || Reply::HalfThenReset(recorded("/lnrpc.Lightning/GetInfo")));
    let locked = locked();
    let web = lnd().answer(|_| Some(Reply::Http(404))).start();
    let refuses = FakeLnd::builder().recording(&whole()).macaroon(&[1, 2, 3]).start();
    let broken = [&hangs, &breaks, &locked, &web, &refuses];
    let good = spec(&sandbox, "good", &well);
    let bad: Vec<_> = broken.iter().enumerate().map(|(n, lnd)| spec(&sandbox, &format!("bad{n}"), lnd)).collect();
    let store = store(&sandbox);
    for n in 0..50 {
        let spec = if n % 5 == 2 { bad[n / 5 % bad.len()].clone() } else { good.clone() };
        put(&store, &format!("user{n}"), SourceSpec::Lnd(spec));
    }
    drop(store);
    let ended = sandbox.run(["generate", "--all", "--json", "--timeout", "15", "--retries", "0"]);
    let made = ended.ends(1).json();
    for n in 0..50 {
        let expected = if n % 5 == 2 { "failed" } else { "made" };
        assert_eq!(outcome(&made, &format!("user{n}"))["outcome"], expected, "{made}");
    }
    one_line_each(&ended, 10);
    assert!(ended.stderr.contains("40 made, 0 there already, 10 failed, 0 not tried"), "{}", ended.stderr);
    let found = audit(&sandbox.state(), &std::collections::BTreeMap::new());
    assert_eq!((found.reports.len(), found.failed), (40, 10));
    survived("10 broken nodes among 50", 10);
}

impl Ended {
    /// One node failed, and these words say why.
    #[track_caller]
    fn says_failed(&self, words: &str) {
        one_line_each(self, 1);
        assert!(self.stderr.contains(words), "{}", self.stderr);
    }
}
