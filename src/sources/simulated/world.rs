//! The network around the simulated nodes: nodes, channels and what each side asks. It stands still while nodes live in
//! it; their own channels are not part of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::dice::{Dice, quantile, whole};
use crate::units::{Ppm, Pubkey, Sat};

/// A network. A copy is cheap: it is the same one.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) graph: Arc<Graph>,
}

/// All of it, with an index from each node to its channels.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) by_key: HashMap<Pubkey, usize>,
    /// The middle rate of all enabled directions.
    pub(super) median_rate: i64,
    /// The middle channel, in sat.
    pub(super) median_capacity: i64,
    /// All rates, as quantiles: what is taken for a node that nobody announces a price to.
    pub(super) rates: Quantiles,
}

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) key: Pubkey,
    pub(super) alias: Box<str>,
    pub(super) edges: Vec<usize>,
    pub(super) capacity: i64,
}

/// A channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) nodes: [usize; 2],
    pub(super) capacity: i64,
    /// What each side asks, where it forwards and says so.
    pub(super) asks: [Option<Ask>; 2],
}

/// What one side asks for a forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) base: i64,
    pub(super) rate: i64,
}

/// Rates at 0, 5, 10 and so on to 100 percent of the capacity.
pub(super) type Quantiles = [i64; 21];

/// Rates above this are no prices: a whole amount for forwarding it says "don't".
pub(super) const MAX_RATE: i64 = 1_000_000;

/// Figures of a network, to hold a made-up one against a real one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Nodes.
    pub nodes: usize,
    /// Channels.
    pub channels: usize,
    /// Channels with a price on at least one side.
    pub priced: usize,
    /// Directions without a price.
    pub silent: usize,
    /// Channels of a node: at 50, 75, 90, 95 and 99 percent of the nodes, and the most.
    pub degrees: [i64; 6],
    /// Capacities at 10, 25, 50, 75 and 90 percent of the channels, in sat.
    pub capacities: [i64; 5],
    /// Their mean.
    pub mean_capacity: i64,
    /// Fee rates at 25, 50, 75 and 90 percent of the directions with a price, in ppm.
    pub rates: [i64; 4],
    /// The middle base fee, in msat.
    pub median_base: i64,
    /// Directions with a price that ask no base fee, in thousandths.
    pub free_base_permille: i64,
}

impl World {
    pub(super) fn new(nodes: Vec<(Pubkey, Box<str>)>, edges: Vec<Edge>) -> Self {
        let mut graph = Graph { edges, ..Graph::default() };
        graph.nodes =
            nodes.into_iter().map(|(key, alias)| Node { key, alias, edges: Vec::new(), capacity: 0 }).collect();
        graph.by_key = graph.nodes.iter().enumerate().map(|(id, node)| (node.key.clone(), id)).collect();
        for (number, edge) in graph.edges.iter().enumerate() {
            for id in edge.nodes {
                if let Some(node) = graph.nodes.get_mut(id) {
                    node.edges.push(number);
                    node.capacity = node.capacity.saturating_add(edge.capacity);
                }
            }
        }
        let mut all: Vec<(i64, i64)> =
            graph.edges.iter().flat_map(|e| e.asks.into_iter().flatten().map(|ask| (ask.rate, e.capacity))).collect();
        graph.rates = quantiles(&mut all).unwrap_or([0; 21]);
        let mut plain: Vec<i64> = all.iter().map(|(rate, _)| *rate).collect();
        let mut capacities: Vec<i64> = graph.edges.iter().map(|e| e.capacity).collect();
        graph.median_capacity = at_percent(&mut capacities, 50);
        graph.median_rate = at_percent(&mut plain, 50);
        Self { graph: Arc::new(graph) }
    }

    /// What the network looks like.
    pub fn figures(&self) -> Figures {
        let graph = &self.graph;
        let asks = || graph.edges.iter().flat_map(|e| e.asks).flatten();
        let mut degrees: Vec<i64> = graph.nodes.iter().map(|n| whole(n.edges.len())).filter(|n| *n > 0).collect();
        let mut capacities: Vec<i64> = graph.edges.iter().map(|e| e.capacity).collect();
        let mut rates: Vec<i64> = asks().map(|a| a.rate).collect();
        let mut bases: Vec<i64> = asks().map(|a| a.base).collect();
        let free = whole(bases.iter().filter(|base| **base == 0).count());
        Figures {
            nodes: degrees.len(),
            channels: graph.edges.len(),
            priced: graph.edges.iter().filter(|e| e.asks.iter().any(Option::is_some)).count(),
            silent: 2 * graph.edges.len() - rates.len(),
            degrees: [50, 75, 90, 95, 99, 100].map(|percent| at_percent(&mut degrees, percent)),
            capacities: [10, 25, 50, 75, 90].map(|percent| at_percent(&mut capacities, percent)),
            mean_capacity: capacities.iter().sum::<i64>() / whole(capacities.len()).max(1),
            free_base_permille: free * 1_000 / whole(bases.len()).max(1),
            rates: [25, 50, 75, 90].map(|percent| at_percent(&mut rates, percent)),
            median_base: at_percent(&mut bases, 50),
        }
    }

    pub(super) fn node(&self, id: usize) -> Option<&Node> {
        self.graph.nodes.get(id)
    }

    pub(super) fn find(&self, key: &Pubkey) -> Option<usize> {
        self.graph.by_key.get(key).copied()
    }

    /// Each channel of a node: the other end, what the other end asks towards the node, what the node asks, the capacity.
    pub(super) fn links(&self, id: usize) -> impl Iterator<Item = (usize, Option<Ask>, Option<Ask>, i64)> {
        let edges = self.node(id).map(|n| n.edges.as_slice()).unwrap_or_default();
        edges.iter().filter_map(move |number| {
            let Edge { nodes: [one, two], capacity, asks: [first, second] } = *self.graph.edges.get(*number)?;
            Some(if one == id { (two, second, first, capacity) } else { (one, first, second, capacity) })
        })
    }

    /// The nodes that a node has channels with.
    pub(super) fn neighbours(&self, id: usize) -> HashSet<usize> {
        self.links(id).map(|(other, ..)| other).collect()
    }

    /// What others ask to send to a node, with their capacities.
    pub(super) fn towards(&self, id: usize) -> Vec<(i64, i64)> {
        self.links(id).filter_map(|(_, ask, _, capacity)| Some((ask?.rate, capacity))).collect()
    }

    /// What a node asks for what leaves it, with the capacities.
    pub(super) fn leaving(&self, id: usize) -> Vec<(i64, i64)> {
        self.links(id).filter_map(|(_, _, ask, capacity)| Some((ask?.rate, capacity))).collect()
    }

    /// A node of at least so many and at most so many channels, by this draw; bigger ones more often.
    pub(super) fn some_node(&self, dice: &mut Dice, degrees: (usize, usize)) -> Option<usize> {
        let fits = |id: usize| {
            self.node(id).is_some_and(|n| (degrees.0..=degrees.1).contains(&n.edges.len()) && n.capacity >= 1_000_000)
        };
        for _ in 0..2_000 {
            // The end of a channel drawn at random: a node with twice the channels comes twice as often.
            let edge = self.graph.edges.get(usize::try_from(dice.below(whole(self.graph.edges.len()))).unwrap_or(0))?;
            let end = if dice.happens(500) { edge.nodes[0] } else { edge.nodes[1] };
            if fits(end) {
                return Some(end);
            }
        }
        (0..self.graph.nodes.len()).find(|id| fits(*id))
    }
}

/// The value that so many percent of these do not exceed. Sorts them.
pub(super) fn at_percent(values: &mut [i64], percent: i64) -> i64 {
    values.sort_unstable();
    let rank = (whole(values.len()) * percent + 99) / 100;
    let at = usize::try_from((rank - 1).max(0)).unwrap_or(0);
    values.get(at).copied().unwrap_or(0)
}

/// The rates that these percentages of all weight do not exceed; `None` without any weight. Sorts them.
pub(super) fn weighted<const N: usize>(rates: &mut [(i64, i64)], percents: [i64; N]) -> Option<[i64; N]> {
    rates.sort_unstable();
    let all: i128 = rates.iter().map(|(_, weight)| i128::from(*weight)).sum();
    let at = |percent: i64| {
        let mut below = 0_i128;
        let reached = rates.iter().find(|(_, weight)| {
            below += i128::from(*weight);
            below * 100 >= all * i128::from(percent)
        });
        reached.or_else(|| rates.last()).map_or(0, |(rate, _)| *rate)
    };
    (all > 0).then(|| percents.map(at))
}

pub(super) fn quantiles(rates: &mut [(i64, i64)]) -> Option<Quantiles> {
    weighted(rates, std::array::from_fn(|i| whole(i) * 5))
}

/// A rate at a share in millionths, straight between the quantiles.
pub(super) fn rate_at(quantiles: &Quantiles, at: i64) -> i64 {
    let table: [(i64, i64); 21] =
        std::array::from_fn(|i| (whole(i) * 50_000, quantiles.get(i).copied().unwrap_or_default()));
    quantile(&table, at)
}

/// Amounts and rates of the network in the types of everybody.
pub(super) fn ppm<const N: usize>(rates: [i64; N]) -> [Ppm; N] {
    rates.map(Ppm)
}

/// A sum of satoshis.
pub(super) fn sat(amount: i64) -> Sat {
    Sat::new(amount)
}
