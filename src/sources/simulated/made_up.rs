//! A network that does not exist. Its degrees, capacities and fees are those of a graph of mainnet of February 2026
//! (17,324 nodes, 50,808 channels), measured once: the tables below are its quantiles.

use super::dice::{Dice, MILLION, index, quantile, whole};
use super::world::{Ask, Edge, World};
use crate::units::Pubkey;

/// Channels of a node, by the share of the nodes (in millionths) that have no more.
const DEGREES: [(i64, i64); 18] = [
    (0, 1),
    (524_000, 1),
    (525_000, 2),
    (724_000, 2),
    (725_000, 3),
    (800_000, 4),
    (850_000, 5),
    (900_000, 8),
    (925_000, 11),
    (950_000, 17),
    (970_000, 31),
    (980_000, 45),
    (990_000, 74),
    (995_000, 131),
    (998_000, 228),
    (999_000, 451),
    (999_500, 653),
    (1_000_000, 1_989),
];
/// Capacities in sat.
const CAPACITIES: [(i64, i64); 24] = [
    (0, 1_050),
    (10_000, 1_500),
    (50_000, 20_000),
    (100_000, 20_000),
    (150_000, 50_000),
    (200_000, 100_000),
    (250_000, 200_000),
    (300_000, 318_438),
    (400_000, 1_000_000),
    (500_000, 1_283_260),
    (600_000, 2_500_000),
    (700_000, 5_000_000),
    (750_000, 5_000_000),
    (800_000, 8_000_000),
    (850_000, 10_000_000),
    (900_000, 15_665_544),
    (925_000, 20_000_000),
    (950_000, 40_000_000),
    (970_000, 53_700_000),
    (980_000, 100_000_000),
    (990_000, 200_000_000),
    (995_000, 400_000_000),
    (999_000, 500_000_000),
    (1_000_000, 1_000_000_000),
];
/// Fee rates in ppm.
const RATES: [(i64, i64); 21] = [
    (0, 0),
    (68_000, 0),
    (69_000, 1),
    (290_000, 1),
    (300_000, 3),
    (350_000, 10),
    (400_000, 33),
    (450_000, 80),
    (500_000, 100),
    (550_000, 188),
    (600_000, 262),
    (650_000, 428),
    (700_000, 500),
    (750_000, 569),
    (800_000, 960),
    (850_000, 1_113),
    (900_000, 2_000),
    (950_000, 3_000),
    (980_000, 5_000),
    (995_000, 10_000),
    (1_000_000, 50_000),
];
/// Base fees in msat.
const BASES: [(i64, i64); 11] = [
    (0, 0),
    (452_000, 0),
    (453_000, 1),
    (480_000, 1),
    (500_000, 33),
    (530_000, 500),
    (560_000, 1_000),
    (960_000, 1_000),
    (970_000, 2_000),
    (990_000, 10_000),
    (1_000_000, 100_000),
];
/// Channels with a price on either side, and of those the ones where one side is silent: in thousandths.
const PRICED: i64 = 667;
const ONE_SIDED: i64 = 58;
/// Nodes of a made-up network: enough for the surroundings of any node, few enough to be made in a moment.
const NODES: usize = 3_000;
/// Channels of the largest node, as a share of the nodes: a ninth, as on mainnet.
const LARGEST: i64 = 9;

impl World {
    /// A network of this seed.
    pub fn made_up(seed: u64) -> Self {
        Self::made_up_with(seed, NODES, |_| None)
    }

    /// One of so many nodes, some with an alias of their own. The further back, the more channels a node has.
    pub(super) fn made_up_with(seed: u64, nodes: usize, alias: impl Fn(usize) -> Option<&'static str>) -> Self {
        let degrees: Vec<i64> = (0..nodes)
            .map(|n| quantile(&DEGREES, (2 * whole(n) + 1) * MILLION / (2 * whole(nodes))).min(whole(nodes) / LARGEST))
            .collect();
        let mut edges = pairs(seed, &degrees);
        let capacities = ranked(&CAPACITIES, &capacity_ranks(seed, &edges, &degrees));
        for (edge, capacity) in edges.iter_mut().zip(capacities) {
            edge.capacity = capacity;
        }
        ask(seed, &mut edges);
        let named = |n: usize| {
            let made_up = || format!("{} {n}", NAMES.get(n % NAMES.len()).unwrap_or(&"node"));
            let alias = alias(n).map_or_else(made_up, str::to_owned);
            (Pubkey::even(Dice::of(seed, "node", &[index(n)]).bytes()), alias.into())
        };
        Self::new((0..nodes).map(named).collect(), edges)
    }
}

/// First parts of made-up aliases.
const NAMES: [&str; 12] = [
    "harbour", "lantern", "copper", "meadow", "granite", "orchard", "pilot", "quarry", "saddle", "timber", "willow",
    "anchor",
];

/// Joins the ends of channels at random: each node has about as many as its degree says.
fn pairs(seed: u64, degrees: &[i64]) -> Vec<Edge> {
    let mut ends: Vec<usize> = Vec::new();
    for (node, degree) in degrees.iter().enumerate() {
        ends.extend(std::iter::repeat_n(node, usize::try_from(*degree).unwrap_or(0)));
    }
    let mut dice = Dice::of(seed, "pairs", &[]);
    for last in (1..ends.len()).rev() {
        ends.swap(last, usize::try_from(dice.below(whole(last) + 1)).unwrap_or(last));
    }
    let joined = ends.as_chunks::<2>().0;
    joined.iter().filter(|[a, b]| a != b).map(|&nodes| Edge { nodes, capacity: 0, asks: [None; 2] }).collect()
}

/// What decides the order of capacities: the smaller of the two nodes counts, chance more.
fn capacity_ranks(seed: u64, edges: &[Edge], degrees: &[i64]) -> Vec<i64> {
    let rank = |(number, edge): (usize, &Edge)| {
        let smaller = edge.nodes.iter().filter_map(|n| degrees.get(*n)).min().copied().unwrap_or(1);
        Dice::of(seed, "capacity", &[index(number)]).below(1_000) + 150 * i64::from(smaller.max(1).ilog2())
    };
    edges.iter().enumerate().map(rank).collect()
}

/// Gives each side its price. A node has its own level, and the way to a node has one; both count besides chance.
fn ask(seed: u64, edges: &mut [Edge]) {
    let level = |what: &str, node: usize| Dice::of(seed, what, &[index(node)]).below(1_000);
    let (mut sides, mut rates, mut bases) = (Vec::new(), Vec::new(), Vec::new());
    for (number, edge) in edges.iter().enumerate() {
        let mut dice = Dice::of(seed, "ask", &[index(number)]);
        if !dice.happens(PRICED) {
            continue;
        }
        let silent = dice.happens(ONE_SIDED).then(|| usize::from(dice.happens(500)));
        let [one, two] = edge.nodes;
        for (side, from, to) in [(0, one, two), (1, two, one)] {
            if silent != Some(side) {
                sides.push((number, side));
                rates.push(6 * level("asks", from) + 8 * level("wanted", to) + 6 * dice.below(1_000));
                bases.push(3 * level("base", from) + dice.below(1_000));
            }
        }
    }
    let prices = ranked(&RATES, &rates).into_iter().zip(ranked(&BASES, &bases));
    for ((number, side), (rate, base)) in sides.into_iter().zip(prices) {
        if let Some(slot) = edges.get_mut(number).and_then(|e| e.asks.get_mut(side)) {
            *slot = Some(Ask { base, rate });
        }
    }
}

/// Values of a distribution in the order of these ranks: the whole has exactly its quantiles.
fn ranked(table: &[(i64, i64)], ranks: &[i64]) -> Vec<i64> {
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_by_key(|n| (ranks.get(*n).copied(), *n));
    let mut values = vec![0; ranks.len()];
    for (place, n) in order.into_iter().enumerate() {
        if let Some(value) = values.get_mut(n) {
            *value = quantile(table, (2 * whole(place) + 1) * MILLION / (2 * whole(ranks.len())));
        }
    }
    values
}
