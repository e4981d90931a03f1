//! The network's graph across runs: asked for once in twelve hours, kept on the disk, and standing in where LND fails.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use daznode::sources::spec::SourceSpec;
use daznode::store::{Access, GraphFolder, Store};
use daznode::units::{DAY_MS, HOUR_MS, Network};
use prost::Message as _;
use serde_json::{Value, json};
use tonic_lnd::lnrpc::{ChannelGraph, GetInfoResponse};

use crate::fake_lnd::{FakeLnd, Reply};
use crate::harness::{Ended, Sandbox};
use crate::profiles::{lnd, message, put_on, recorded, spec, store};
use crate::volume::{Volume, fill};

const GRAPH: &str = "/lnrpc.Lightning/DescribeGraph";
const INFO: &str = "/lnrpc.Lightning/GetInfo";

/// What the node does when it is asked for its graph.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Well,
    Refuses,
    BreaksOff,
    Garbage,
    Started,
    Unsynced,
}

/// The recorded node, moved to a network whose graph is shared, and its home.
struct Node {
    sandbox: Sandbox,
    lnd: FakeLnd,
    does: Arc<Mutex<Does>>,
}

impl Node {
    fn new() -> Self {
        let does = Arc::new(Mutex::new(Does::Well));
        let told = Arc::clone(&does);
        let lnd = lnd()
            .answer(move |asked| {
                let does = *told.lock().unwrap();
                match asked.path {
                    INFO => Some(Reply::Message(info(does != Does::Unsynced))),
                    GRAPH => graph(does),
                    _ => None,
                }
            })
            .start();
        let sandbox = Sandbox::new();
        let spec = spec(&sandbox, "alice", &lnd);
        put_on(Network::Signet, &store(&sandbox), "alice", SourceSpec::Lnd(spec));
        Self { sandbox, lnd, does }
    }

    fn does(&self, what: Does) {
        *self.does.lock().unwrap() = what;
    }

    fn folder(&self) -> GraphFolder {
        GraphFolder::new(&self.sandbox.state(), Path::new("graph"))
    }

    fn file(&self) -> PathBuf {
        self.folder().file(Network::Signet)
    }

    /// As if the kept graph had been read so much earlier.
    fn age(&self, ms: i64) {
        let mut kept = self.folder().read(Network::Signet).unwrap().unwrap();
        kept.stamp.as_of = kept.stamp.as_of.plus(-ms);
        self.folder().write(Network::Signet, &kept).unwrap();
    }

    fn generate(&self, code: i32) -> Ended {
        let ended = self.sandbox.run(["generate", "--all", "--force", "--retries", "0"]);
        ended.ends(code);
        ended
    }

    fn report(&self) -> Value {
        self.sandbox.run(["show", "--json"]).ends(0).json()
    }

    fn asked(&self) -> usize {
        self.lnd.calls_of(GRAPH)
    }

    /// What the last report says of its graph: how it came to be used, and the gap.
    fn told(&self) -> (Value, Option<String>) {
        let report = self.report();
        let gaps = report["gaps"].as_array().unwrap().iter();
        let gap =
            gaps.filter(|gap| gap["part"] == "graph").map(|gap| gap["reason"].as_str().unwrap().to_owned()).next();
        (report["metrics"]["network"]["graph_state"].clone(), gap)
    }
}

fn info(synced: bool) -> Bytes {
    let mut info: GetInfoResponse = message(INFO);
    info.synced_to_graph = synced;
    "signet".clone_into(&mut info.chains[0].network);
    info.encode_to_vec().into()
}

fn graph(does: Does) -> Option<Reply> {
    let whole = recorded(GRAPH);
    match does {
        Does::Refuses => Some(Reply::unknown("the graph is being pruned")),
        Does::BreaksOff => Some(Reply::HalfThenReset(whole)),
        Does::Garbage => Some(Reply::Message(Bytes::from_static(&[0xff; 64]))),
        Does::Started => {
            let mut graph = ChannelGraph::decode(whole).unwrap();
            graph.edges.truncate(3);
            Some(Reply::Message(graph.encode_to_vec().into()))
        }
        _ => None,
    }
}

#[test]
fn the_graph_is_asked_for_once_in_twelve_hours_by_all_runs() {
    let node = Node::new();
    node.generate(0);
    assert_eq!((node.asked(), node.told()), (1, (json!("asked"), None)));
    let first = node.report()["metrics"]["network"].clone();
    assert_eq!((&first["graph_source"], &first["channels"]), (&json!("lnd"), &json!(8)));
    node.does(Does::Refuses);
    for age in [0, 12 * HOUR_MS - 60_000] {
        node.age(age);
        node.generate(0);
        assert_eq!((node.asked(), node.told()), (1, (json!("kept"), None)));
    }
    let kept = node.report()["metrics"]["network"].clone();
    for same in ["nodes", "channels", "capacity_sat", "capacity_rank", "channels_rank"] {
        assert_eq!(kept[same], first[same], "{same}");
    }
    node.does(Does::Well);
    node.age(60_000);
    node.generate(0);
    assert_eq!((node.asked(), node.told()), (2, (json!("asked"), None)));
    let health = node.sandbox.run(["health-check"]).stdout;
    assert!(health.contains("signet, 8 channels, 0 min old"), "{health}");
}

#[test]
fn with_no_hours_to_keep_it_lnd_is_asked_in_every_run_and_the_old_one_stands_in() {
    let node = Node::new();
    let config = node.sandbox.put("none.toml", b"[graph]\nkeep_hours = 0\n", 0o600);
    let run = |code| {
        let args = ["generate", "--all", "--force", "--retries", "0", "--config", config.to_str().unwrap()];
        node.sandbox.run(args).ends(code);
    };
    run(0);
    run(0);
    assert_eq!(node.asked(), 2);
    node.does(Does::Refuses);
    run(3);
    assert_eq!(node.told().0, "stand_in");
}

#[test]
fn where_lnd_fails_the_old_graph_stands_in_and_the_report_says_its_age() {
    let node = Node::new();
    node.generate(0);
    node.age(17 * HOUR_MS);
    let whole = node.report()["metrics"]["network"].clone();
    for (does, why) in [
        (Does::Refuses, "the graph is being pruned"),
        (Does::BreaksOff, "DescribeGraph"),
        (Does::Garbage, "not a protobuf message"),
        (Does::Started, "it knows 3 channels only, fewer than half of the 8 of the kept graph"),
        (Does::Unsynced, "it is not synced to the graph (8 channels so far)"),
    ] {
        node.does(does);
        let asked = node.asked();
        node.generate(3);
        assert_eq!(node.asked(), asked + 1);
        let (state, gap) = node.told();
        let gap = gap.unwrap();
        assert_eq!(state, "stand_in", "{gap}");
        assert!(gap.contains(why) && gap.contains(", 17 hours old, is used"), "{gap}");
        let network = node.report()["metrics"]["network"].clone();
        assert_eq!((&network["channels"], &network["capacity_rank"]), (&whole["channels"], &whole["capacity_rank"]));
        let as_of = network["graph_as_of"].as_str().unwrap().replace('T', " ");
        assert!(gap.contains(&format!("the graph of {} UTC", &as_of[..16])), "{gap} {as_of}");
        let page = node.sandbox.run(["show", "all"]).ends(0).stdout.replace("\n ", "");
        assert!(page.contains("by a graph of ") && page.contains("17 h old"), "{page}");
    }
    // What was kept is still there, for thirty days.
    node.does(Does::Refuses);
    node.age(30 * DAY_MS - 17 * HOUR_MS - 60_000);
    node.generate(3);
    assert!(node.told().1.unwrap().contains("29 days old"));
    node.age(120_000);
    node.generate(3);
    let (state, gap) = node.told();
    assert_eq!((state, gap.unwrap()), (Value::Null, "DescribeGraph: the graph is being pruned".to_owned()));
}

#[test]
fn a_graph_from_the_future_is_not_used() {
    let node = Node::new();
    node.generate(0);
    node.age(-DAY_MS);
    node.does(Does::Refuses);
    node.generate(3);
    assert_eq!(node.told().0, Value::Null);
    let health = node.sandbox.run(["health-check"]).stdout.replace('\n', " ");
    assert!(health.contains("in the future"), "{health}");
    node.does(Does::Well);
    node.generate(0);
    node.does(Does::Refuses);
    node.generate(0);
    assert_eq!(node.told().0, "kept");
}

#[test]
fn a_damaged_graph_is_put_aside_with_a_word_and_read_anew() {
    let node = Node::new();
    node.generate(0);
    let length = node.file().metadata().unwrap().len();
    std::fs::OpenOptions::new().write(true).open(node.file()).unwrap().set_len(length / 2).unwrap();
    let ended = node.generate(0);
    assert!(
        ended.stderr.contains("warning: the kept graph") && ended.stderr.contains("is damaged"),
        "{}",
        ended.stderr
    );
    assert_eq!((node.asked(), node.told().0), (2, json!("asked")));
    assert!(node.file().with_extension("damaged.db").is_file());
    node.generate(0);
    assert_eq!((node.asked(), node.told().0), (2, json!("kept")));
}

#[test]
fn a_folder_that_cannot_be_written_costs_a_warning() {
    let node = Node::new();
    std::fs::File::create(node.sandbox.state().join("graph")).unwrap();
    let ended = node.generate(0);
    assert!(ended.stderr.contains("warning: the graph is not kept for the next run: "), "{}", ended.stderr);
    assert_eq!(node.told(), (json!("asked"), None));
}

/// A file system for graphs alone: full, then read-only.
#[test]
fn another_disk_that_is_full_or_read_only_costs_a_warning() {
    let Some(disk) = Volume::memory(40 << 10) else { return };
    let node = Node::new();
    let text = format!("[graph]\nfolder = \"{}\"\nkeep_hours = 0\n", disk.path().join("graphs").display());
    let config = node.sandbox.put("other.toml", text.as_bytes(), 0o600);
    let run = |words: &str| {
        let ended = node.sandbox.run(["generate", "--all", "--force", "--config", config.to_str().unwrap()]);
        assert!(ended.ends(0).stderr.contains(words), "{}", ended.stderr);
        ended.stderr
    };
    assert!(!run("").contains("warning"));
    assert!(!node.sandbox.state().join("graph").exists());
    let ballast = disk.path().join("ballast");
    fill(&ballast, 64);
    run("warning: the graph is not kept for the next run: the disk of");
    std::fs::remove_file(&ballast).unwrap();
    disk.remount("ro");
    run("can't be written");
    // The old one is still good.
    node.does(Does::Refuses);
    node.sandbox.run(["generate", "--all", "--force", "--config", config.to_str().unwrap()]).ends(3);
    assert_eq!(node.told().0, "stand_in");
}

#[test]
fn neither_graph_nor_folder_is_part_of_the_store() {
    let node = Node::new();
    node.generate(0);
    let report = node.report()["report_id"].clone();
    std::fs::remove_dir_all(node.sandbox.state().join("graph")).unwrap();
    assert_eq!(node.report()["report_id"], report);
    assert!(Store::open(&node.sandbox.state(), Access::Read).unwrap().check().unwrap().integrity.is_empty());
    node.generate(0);
    assert!(node.file().is_file());
}
