//! A network read from the JSON of LND's `describegraph`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::world::{Ask, Edge, MAX_RATE, World};
use crate::units::Pubkey;

/// Why a file is no network.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// Not the JSON of `describegraph`.
    #[error("the graph is not what `lncli describegraph` prints: {0}; unpack the file first if it is packed")]
    Malformed(#[from] serde_json::Error),
    /// Too little to live in.
    #[error("the graph has {0} channels that can be used; at least 100 are needed")]
    TooSmall(usize),
}

/// Fewest channels of a network that nodes can live in.
const FEWEST: usize = 100;

#[derive(Deserialize)]
struct Described<'a> {
    #[serde(borrow)]
    nodes: Vec<DescribedNode<'a>>,
    #[serde(borrow)]
    edges: Vec<DescribedEdge<'a>>,
}

#[derive(Deserialize)]
struct DescribedNode<'a> {
    #[serde(borrow)]
    pub_key: Cow<'a, str>,
    #[serde(borrow)]
    alias: Cow<'a, str>,
}

#[derive(Deserialize)]
struct DescribedEdge<'a> {
    #[serde(borrow)]
    node1_pub: Cow<'a, str>,
    #[serde(borrow)]
    node2_pub: Cow<'a, str>,
    #[serde(borrow)]
    capacity: Cow<'a, str>,
    #[serde(borrow)]
    node1_policy: Option<DescribedPolicy<'a>>,
    #[serde(borrow)]
    node2_policy: Option<DescribedPolicy<'a>>,
}

#[derive(Deserialize)]
struct DescribedPolicy<'a> {
    #[serde(borrow)]
    fee_base_msat: Cow<'a, str>,
    #[serde(borrow)]
    fee_rate_milli_msat: Cow<'a, str>,
    #[serde(default)]
    disabled: bool,
}

impl DescribedPolicy<'_> {
    /// What it asks, where it forwards at all and the rate can be meant.
    fn ask(&self) -> Option<Ask> {
        let rate = self.fee_rate_milli_msat.parse().ok().filter(|rate| (0..=MAX_RATE).contains(rate))?;
        let base = self.fee_base_msat.parse().ok().filter(|base| *base >= 0)?;
        (!self.disabled).then_some(Ask { base, rate })
    }
}

impl World {
    /// The network that this JSON of `describegraph` describes. What is impossible in it is left out.
    pub fn of_graph(json: &[u8]) -> Result<Self, WorldError> {
        let described: Described<'_> = serde_json::from_slice(json)?;
        let nodes: Vec<(Pubkey, Box<str>)> = described
            .nodes
            .into_iter()
            .filter_map(|node| {
                Some((node.pub_key.parse().ok()?, node.alias.chars().take(64).collect::<String>().into()))
            })
            .collect();
        let by_key: HashMap<&str, usize> = nodes.iter().enumerate().map(|(id, (key, _))| (key.as_str(), id)).collect();
        let edge = |edge: DescribedEdge<'_>| {
            let nodes = [*by_key.get(edge.node1_pub.as_ref())?, *by_key.get(edge.node2_pub.as_ref())?];
            let capacity = edge.capacity.parse().ok().filter(|c| (1..=MAX_CAPACITY).contains(c))?;
            let asks = [edge.node1_policy, edge.node2_policy].map(|p| p.and_then(|p| p.ask()));
            (nodes[0] != nodes[1]).then_some(Edge { nodes, capacity, asks })
        };
        let edges: Vec<Edge> = described.edges.into_iter().filter_map(edge).collect();
        if edges.len() < FEWEST {
            return Err(WorldError::TooSmall(edges.len()));
        }
        drop(by_key);
        Ok(Self::new(nodes, edges))
    }
}

/// No channel holds more than all bitcoin there are, in sat.
const MAX_CAPACITY: i64 = 2_100_000_000_000_000;
