//! The mainnet graph as LND would send it: converted once from a published one, or made up where there is none.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;

use prost::Message;
use serde::Deserialize;
use tonic_lnd::lnrpc::{ChannelEdge, ChannelGraph, LightningNode, RoutingPolicy};

use crate::payments::Random;

/// Nodes and channels of mainnet, for a graph that is made up.
const NODES: u64 = 17_324;
const CHANNELS: u64 = 50_808;

#[derive(Deserialize)]
struct Graph<'a> {
    #[serde(borrow)]
    nodes: Vec<Node<'a>>,
    #[serde(borrow)]
    edges: Vec<Edge<'a>>,
}

#[derive(Deserialize)]
struct Node<'a> {
    pub_key: &'a str,
    #[serde(borrow)]
    alias: Cow<'a, str>,
    color: &'a str,
}

#[derive(Deserialize)]
struct Edge<'a> {
    channel_id: &'a str,
    chan_point: &'a str,
    node1_pub: &'a str,
    node2_pub: &'a str,
    capacity: &'a str,
    #[serde(borrow)]
    node1_policy: Option<Policy<'a>>,
    #[serde(borrow)]
    node2_policy: Option<Policy<'a>>,
}

#[derive(Deserialize)]
struct Policy<'a> {
    time_lock_delta: u32,
    min_htlc: &'a str,
    fee_base_msat: &'a str,
    fee_rate_milli_msat: &'a str,
    #[serde(default)]
    disabled: bool,
    max_htlc_msat: &'a str,
}

/// Where a published graph is: `DAZNODE_GRAPH`, or beside the clone.
fn published() -> Option<PathBuf> {
    let beside = "../shared/graph/mainnet-2026-02-03.describegraph.json.xz";
    let path = std::env::var_os("DAZNODE_GRAPH")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(beside), PathBuf::from);
    path.is_file().then_some(path)
}

/// The file with the answer to `DescribeGraph`, and what it is.
pub fn file() -> (PathBuf, String) {
    if let Some(path) = published() {
        // Another file has another length.
        let length = path.metadata().unwrap().len();
        if let Some(file) = kept(&format!("graph-{length}.pb"), || read(&path)) {
            return (file, format!("the graph is {}", path.file_name().unwrap().display()));
        }
        eprintln!("bench: the graph at {} can't be read (is xz there?)", path.display());
    }
    let file = kept("graph-made-up.pb", || Some(made_up())).unwrap();
    (file, "the graph is made up, in the size of mainnet's".to_owned())
}

/// Converts it where that was not done before.
fn kept(name: &str, graph: impl FnOnce() -> Option<ChannelGraph>) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if !file.is_file() {
        daznode::store::files::write_atomic(&file, &graph()?.encode_to_vec(), 0o600).unwrap();
    }
    Some(file)
}

fn read(path: &Path) -> Option<ChannelGraph> {
    let text = if path.extension().is_some_and(|ending| ending == "xz") {
        let output = Command::new("xz").arg("-dc").arg(path).output().ok()?;
        output.status.success().then_some(output.stdout)?
    } else {
        std::fs::read(path).ok()?
    };
    let graph: Graph<'_> = serde_json::from_slice(&text).ok()?;
    let nodes = graph.nodes.iter().map(|node| LightningNode {
        last_update: 1_770_000_000,
        pub_key: node.pub_key.to_owned(),
        alias: node.alias.to_string(),
        color: node.color.to_owned(),
        ..Default::default()
    });
    let edges = graph.edges.iter().map(|edge| ChannelEdge {
        channel_id: number(edge.channel_id),
        chan_point: edge.chan_point.to_owned(),
        node1_pub: edge.node1_pub.to_owned(),
        node2_pub: edge.node2_pub.to_owned(),
        capacity: number(edge.capacity),
        node1_policy: edge.node1_policy.as_ref().map(policy),
        node2_policy: edge.node2_policy.as_ref().map(policy),
        ..Default::default()
    });
    Some(ChannelGraph { nodes: nodes.collect(), edges: edges.collect() })
}

fn number<T: std::str::FromStr + Default>(text: &str) -> T {
    text.parse().unwrap_or_default()
}

fn policy(policy: &Policy<'_>) -> RoutingPolicy {
    RoutingPolicy {
        time_lock_delta: policy.time_lock_delta,
        min_htlc: number(policy.min_htlc),
        fee_base_msat: number(policy.fee_base_msat),
        fee_rate_milli_msat: number(policy.fee_rate_milli_msat),
        disabled: policy.disabled,
        max_htlc_msat: number(policy.max_htlc_msat),
        last_update: 1_770_000_000,
        ..Default::default()
    }
}

fn made_up() -> ChannelGraph {
    let mut random = Random(11);
    let key = |n: u64| format!("02{n:064x}");
    let nodes = (0..NODES).map(|n| LightningNode {
        last_update: 1_770_000_000,
        pub_key: key(n),
        alias: format!("a node of the graph {n}"),
        color: "#3399ff".to_owned(),
        ..Default::default()
    });
    let nodes = nodes.collect();
    let edges = (0..CHANNELS).map(|n| {
        // Few nodes have many channels.
        let one = random.below(NODES) * random.below(NODES) / NODES;
        let two = (one + 1 + random.below(NODES - 1)) % NODES;
        let mut policy = || {
            Some(RoutingPolicy {
                time_lock_delta: 80,
                min_htlc: 1000,
                fee_base_msat: 1000,
                fee_rate_milli_msat: random.below(2_000).cast_signed(),
                max_htlc_msat: 990_000_000,
                last_update: 1_770_000_000,
                ..Default::default()
            })
        };
        ChannelEdge {
            channel_id: (600_000 + n) << 40,
            chan_point: format!("{n:064x}:0"),
            node1_pub: key(one.min(two)),
            node2_pub: key(one.max(two)),
            capacity: 1_280_000,
            node1_policy: policy(),
            node2_policy: policy(),
            ..Default::default()
        }
    });
    ChannelGraph { nodes, edges: edges.collect() }
}
