use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use prost::Message;
use serde::Deserialize;
use tonic_lnd::lnrpc::{ChannelEdge, ChannelGraph, LightningNode, NodeAddress, RoutingPolicy};

use super::*;
use crate::sources::reader::tests::fixture;
use crate::units::UnixMs;

fn key(n: u8) -> String {
    format!("02{}", hex::encode([n; 32]))
}

fn node(n: u8) -> Pubkey {
    key(n).parse().unwrap()
}

fn policy(rate: i64) -> RoutingPolicy {
    RoutingPolicy { fee_rate_milli_msat: rate, ..Default::default() }
}

fn edge(from: u8, to: u8, capacity: i64, there: Option<RoutingPolicy>, back: Option<RoutingPolicy>) -> ChannelEdge {
    ChannelEdge {
        node1_pub: key(from),
        node2_pub: key(to),
        capacity,
        node1_policy: there,
        node2_policy: back,
        ..Default::default()
    }
}

fn decode(edges: Vec<ChannelEdge>) -> Graph {
    Graph::decode(&ChannelGraph { edges, ..Default::default() }.encode_to_vec()).unwrap()
}

#[test]
fn prices_towards_a_peer_are_those_of_others_that_forward() {
    let disabled = RoutingPolicy { disabled: true, ..policy(7) };
    let graph = decode(vec![
        // Node 1 is ours, 9 is the peer. Our own price towards it is no price of others.
        edge(1, 9, 5_000, Some(policy(11)), Some(policy(500))),
        edge(2, 9, 1_000, Some(policy(100)), None),
        edge(9, 3, 3_000, Some(policy(1)), Some(policy(200))),
        edge(4, 9, 9_000, Some(disabled), None),
        edge(5, 9, 9_000, Some(policy(4_294_967_295)), None),
        edge(6, 9, 9_000, Some(policy(1_000_001)), None),
        edge(7, 9, 9_000, Some(policy(-1)), None),
    ]);
    let market = graph.market(&node(1), &[node(9), node(77)]);
    assert_eq!(market.peers.len(), 1, "a peer that is not in the graph has no market");
    let peer = &market.peers[0];
    assert_eq!((peer.channels, peer.capacity, peer.incoming), (7, Sat::new(45_000), 2));
    // A quarter of the capacity asks 100, the rest 200.
    assert_eq!(peer.incoming_rate_percentiles, Some([100, 100, 200, 200, 200].map(Ppm)));
    assert_eq!((market.own_channels, market.own_capacity), (1, Sat::new(5_000)));
    // 9, 4, 5, 6 and 7 are bigger; only 9 has more channels.
    assert_eq!((market.capacity_rank, market.channels_rank), (Some(6), Some(2)));
    // 1, 11, 100, 200, 500
    assert_eq!(market.median_rate, Some(Ppm(100)));
}

#[test]
fn deciles_are_the_rates_that_each_tenth_of_the_capacity_does_not_exceed() {
    // A tenth of the capacity at 10 ppm, four tenths at 50, a half at 300.
    let graph = decode(vec![
        edge(2, 9, 1_000, Some(policy(10)), None),
        edge(3, 9, 4_000, Some(policy(50)), None),
        edge(4, 9, 5_000, Some(policy(300)), Some(policy(1))),
    ]);
    let market = graph.market(&node(1), &[node(9)]);
    let expected = [10, 10, 50, 50, 50, 50, 300, 300, 300, 300, 300].map(Ppm);
    assert_eq!(market.peers[0].incoming_rate_deciles, Some(expected));
}

#[test]
fn an_address_without_tor_is_told_from_one_with_tor_and_from_none() {
    let at = |n: u8, addresses: &[&str]| LightningNode {
        pub_key: key(n),
        addresses: addresses.iter().map(|a| NodeAddress { network: "tcp".into(), addr: (*a).into() }).collect(),
        ..Default::default()
    };
    let nodes = vec![
        at(2, &["Abc.ONION:9735"]),
        at(3, &["abc.onion:9735", "8.8.8.8:9735"]),
        at(4, &[]),
        at(5, &["[2001::1]:1"]),
    ];
    let edges = (2..=5).map(|n| edge(1, n, 1_000, None, None)).collect();
    let graph = Graph::decode(&ChannelGraph { nodes, edges }.encode_to_vec()).unwrap();
    let market = graph.market(&node(1), &[2, 3, 4, 5].map(node));
    let clearnet: Vec<_> = market.peers.iter().map(|peer| peer.clearnet).collect();
    assert_eq!(clearnet, [Some(false), Some(true), None, Some(true)]);
}

/// 2026-11-21 12:00 UTC, and days before it in seconds.
const NOW: UnixMs = UnixMs(1_795_262_400_000);

fn announced(rate: i64, days_ago: u32) -> RoutingPolicy {
    RoutingPolicy { last_update: 1_795_262_400 - days_ago * 86_400, ..policy(rate) }
}

/// Channels of `hub` with each of `others`, all of this size, rate and age.
fn spokes(hub: u8, others: std::ops::Range<u8>, sat: i64, rate: i64, days_ago: u32) -> Vec<ChannelEdge> {
    others
        .map(|other| edge(hub, other, sat, Some(announced(rate, days_ago)), Some(announced(rate, days_ago))))
        .collect()
}

#[test]
fn a_candidate_has_no_channel_yet_and_brings_new_nodes_near() {
    // We (1) have a channel with 2, which knows 20..32. 3 knows those as well; 4 knows twelve that are out of reach.
    let mut edges = vec![edge(1, 2, 2_000_000, Some(announced(1, 0)), Some(announced(1, 0)))];
    edges.extend(spokes(2, 20..32, 2_000_000, 100, 1));
    edges.extend(spokes(3, 20..32, 2_000_000, 100, 1));
    edges.extend(spokes(4, 40..52, 2_000_000, 100, 1));
    edges.push(edge(4, 2, 2_000_000, Some(announced(700, 20)), Some(announced(9, 1))));
    let graph = decode(edges);
    let found = graph.candidates(&node(1), &[node(2)], &[], NOW);
    assert_eq!(found.iter().map(|c| c.market.pubkey.clone()).collect::<Vec<_>>(), [node(4), node(3)]);
    let [four, three] = found.as_slice() else { panic!("{found:?}") };
    // Twelve, and not itself: it is within two hops by way of 2. Of its 13 sides one is old.
    assert_eq!((four.new_within_two_hops, four.shared_peers, four.fresh_percent), (12, 1, 92));
    assert_eq!((four.market.channels, four.market.incoming, four.median_channel), (13, 13, Sat::new(2_000_000)));
    assert_eq!(four.outgoing_rate_median, Some(Ppm(100)));
    // Of 3 only itself is new: what it knows, 2 knows.
    assert_eq!((three.new_within_two_hops, three.shared_peers, three.fresh_percent), (1, 0, 100));
    let soon = graph.candidates(&node(1), &[node(2)], &[node(4)], NOW);
    assert_eq!(soon.iter().map(|c| c.market.pubkey.clone()).collect::<Vec<_>>(), [node(3)]);
}

#[test]
fn what_is_small_dead_dear_or_lonely_is_no_candidate() {
    let good = || spokes(3, 20..30, 500_000, 2_500, 14);
    let found = |edges| decode(edges).candidates(&node(1), &[], &[], NOW).len();
    assert_eq!(found(good()), 1);
    assert_eq!(found(spokes(3, 20..29, 500_000, 2_500, 14)), 0, "nine neighbours");
    assert_eq!(
        found([spokes(3, 20..29, 500_000, 2_500, 14), spokes(3, 20..29, 500_000, 2_500, 14)].concat()),
        0,
        "twice"
    );
    assert_eq!(found(spokes(3, 20..30, 499_999, 2_500, 14)), 0, "small");
    assert_eq!(found(spokes(3, 20..30, 500_000, 2_501, 14)), 0, "dear");
    assert_eq!(found(spokes(3, 20..30, 500_000, 2_500, 15)), 0, "dead");
    let disabled = good().into_iter().map(|edge| ChannelEdge { node1_policy: None, node2_policy: None, ..edge });
    assert_eq!(found(disabled.collect()), 0, "nobody forwards");
    assert_eq!(decode(good()).candidates(&node(3), &[], &[], NOW).len(), 0, "ourselves");
}

#[test]
fn no_more_than_twenty_candidates_are_kept_in_an_order_that_the_answers_order_does_not_change() {
    let mut edges: Vec<_> = (10..40).flat_map(|hub| spokes(hub, 100..115, 1_000_000, 100, 1)).collect();
    let found = decode(edges.clone()).candidates(&node(1), &[], &[], NOW);
    edges.reverse();
    assert_eq!(decode(edges).candidates(&node(1), &[], &[], NOW), found);
    // The fifteen in the middle have thirty neighbours each; of equals the smaller key comes first.
    let keys: Vec<_> = (100..115).chain(10..15).map(node).collect();
    assert_eq!(found.into_iter().map(|c| c.market.pubkey).collect::<Vec<_>>(), keys);
}

#[test]
fn a_node_without_public_channels_has_no_rank() {
    let market = decode(vec![edge(2, 3, 1_000, None, None)]).market(&node(1), &[node(2)]);
    assert_eq!((market.capacity_rank, market.channels_rank, market.own_channels), (None, None, 0));
    assert_eq!((market.nodes, market.channels), (2, 1));
    assert_eq!((market.peers[0].incoming, market.peers[0].incoming_rate_percentiles), (0, None));
}

#[test]
fn impossible_nodes_and_channels_are_left_out() {
    let named = |pub_key: &str, alias: &str| LightningNode {
        pub_key: pub_key.into(),
        alias: alias.into(),
        ..Default::default()
    };
    let answer = ChannelGraph {
        nodes: vec![named("zz", "x"), named(&key(2), &"a".repeat(5_000)), named("", "")],
        edges: vec![
            edge(2, 2, 1_000, None, None),
            edge(2, 3, -1, None, None),
            edge(2, 3, i64::MAX, None, None),
            ChannelEdge { node1_pub: "05".repeat(33), ..edge(2, 3, 5, None, None) },
        ],
    };
    let graph = Graph::decode(&answer.encode_to_vec()).unwrap();
    assert_eq!((graph.nodes(), graph.channels(), graph.capacity()), (1, 0, Sat::ZERO));
    assert_eq!(Graph::decode(&[0x0a, 0xff]).unwrap_err(), GraphError::Malformed);
}

#[test]
fn the_recorded_graph_is_read_as_lnd_meant_it() {
    let bytes = std::fs::read(fixture("bob").join("lnrpc.Lightning.DescribeGraph.pb")).unwrap();
    let graph = Graph::decode(&bytes).unwrap();
    assert_eq!((graph.nodes(), graph.channels(), graph.capacity()), (6, 7, Sat::new(26_400_000)));
    let bob = "03351c9081f2af83d51d15d3460c904bac3e0814d3c91e6afb94ac43845cacd716".parse().unwrap();
    let carol: Pubkey = "02e89fe23b19ff390e4636b185ad5ae1c2a21b59424d51ce6630ad8532ca9db83d".parse().unwrap();
    let market = graph.market(&bob, std::slice::from_ref(&carol));
    assert_eq!(market.peers[0].alias, "carol");
    // Of the two channels of carol, the one that is not bob's: dave asks 1 ppm towards her.
    assert_eq!((market.peers[0].channels, market.peers[0].incoming), (2, 1));
    assert_eq!(market.peers[0].incoming_rate_percentiles, Some([Ppm(1); 5]));
}

/// The shape of `lncli describegraph`.
#[derive(Deserialize)]
struct Json {
    nodes: Vec<JsonNode>,
    edges: Vec<JsonEdge>,
}

#[derive(Deserialize)]
struct JsonNode {
    pub_key: String,
    #[serde(default)]
    alias: String,
}

#[derive(Deserialize)]
struct JsonEdge {
    node1_pub: String,
    node2_pub: String,
    capacity: String,
    node1_policy: Option<JsonPolicy>,
    node2_policy: Option<JsonPolicy>,
}

#[derive(Deserialize)]
struct JsonPolicy {
    fee_base_msat: String,
    fee_rate_milli_msat: String,
    #[serde(default)]
    disabled: bool,
}

impl JsonPolicy {
    fn wire(&self) -> RoutingPolicy {
        RoutingPolicy {
            fee_base_msat: self.fee_base_msat.parse().unwrap(),
            fee_rate_milli_msat: self.fee_rate_milli_msat.parse().unwrap(),
            disabled: self.disabled,
            time_lock_delta: 80,
            max_htlc_msat: 1_000_000_000,
            last_update: 1_770_000_000,
            ..Default::default()
        }
    }
}

/// The mainnet graph as LND would answer it, where it is at hand.
pub(super) fn mainnet() -> Option<Vec<u8>> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let beside = manifest.join("../shared/graph/mainnet-2026-02-03.describegraph.json.xz");
    let path = std::env::var_os("DAZNODE_GRAPH").map_or(beside, PathBuf::from);
    let unpacked = Command::new("xz").arg("-dc").arg(&path).output().ok()?;
    let json: Json = serde_json::from_slice(&unpacked.stdout).ok()?;
    let nodes = json.nodes.into_iter().map(|node| LightningNode {
        pub_key: node.pub_key,
        alias: node.alias,
        color: "#3399ff".into(),
        ..Default::default()
    });
    let edges = json.edges.into_iter().enumerate().map(|(n, edge)| ChannelEdge {
        channel_id: u64::try_from(n).unwrap() << 40,
        chan_point: format!("{}:1", "ab".repeat(32)),
        node1_pub: edge.node1_pub,
        node2_pub: edge.node2_pub,
        capacity: edge.capacity.parse().unwrap(),
        node1_policy: edge.node1_policy.as_ref().map(JsonPolicy::wire),
        node2_policy: edge.node2_policy.as_ref().map(JsonPolicy::wire),
        ..Default::default()
    });
    Some(ChannelGraph { nodes: nodes.collect(), edges: edges.collect() }.encode_to_vec())
}

#[test]
fn the_mainnet_graph_has_its_known_figures() {
    let Some(bytes) = mainnet() else {
        println!("skipped: no mainnet graph beside the repository, or no xz to unpack it");
        return;
    };
    let started = Instant::now();
    let graph = Graph::decode(&bytes).unwrap();
    println!("{} bytes decoded in {:?}", bytes.len(), started.elapsed());
    assert_eq!((graph.nodes(), graph.channels()), (17_324, 50_808));
    assert_eq!((graph.capacity().get() + 5_000_000) / 10_000_000, 53_617, "5,361.7 BTC");
    assert_eq!((graph.rate_percentile(50), graph.rate_percentile(90)), (Some(Ppm(100)), Some(Ppm(2_000))));
    let started = Instant::now();
    let (channels, biggest) = biggest(&graph);
    let market = graph.market(&biggest, &[]);
    println!("market in {:?}", started.elapsed());
    // A small node of the graph: what it has no channel with is nearly all of it.
    let small = graph.pubkey(graph.edges[0].nodes[0]).unwrap();
    let now = UnixMs::from_secs(1_770_000_000);
    let started = Instant::now();
    let found = graph.candidates(&small, &[], &[], now);
    println!("candidates in {:?}: {:?}", started.elapsed(), found.first().map(|c| &c.market.alias));
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|c| c.market.channels >= 10 && c.fresh_percent == 100 && c.market.pubkey != small));
    assert_eq!((channels, market.own_channels, market.channels_rank), (1_989, 1_989, Some(1)));
    assert_eq!((market.nodes, market.median_rate), (17_324, Some(Ppm(100))));
}

fn biggest(graph: &Graph) -> (usize, Pubkey) {
    let mut counts = vec![0; graph.keys.len()];
    for id in graph.edges.iter().flat_map(|edge| edge.nodes) {
        counts[usize::try_from(id).unwrap()] += 1;
    }
    let (at, &most) = counts.iter().enumerate().max_by_key(|(_, count)| **count).unwrap();
    (most, hex::encode(graph.keys[at]).parse().unwrap())
}
