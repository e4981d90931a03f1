//! What a peer is like: how much is sent to it and from it, what its payers accept, when it is there. All of it follows
//! from the seed and its key.

use std::collections::HashSet;

use super::dice::{Dice, MILLION, index, name, quantile};
use super::model::{Model, Taste};
use super::world::{Quantiles, World, quantiles, rate_at};
use crate::units::{DAY_MS, HOUR_MS, Pubkey, UnixMs};

/// A peer of the simulated node.
#[derive(Clone, Debug)]
pub(super) struct Character {
    pub(super) key: Pubkey,
    pub(super) alias: String,
    /// Its number in draws.
    pub(super) name: u64,
    /// Who else it has channels with.
    pub(super) neighbours: HashSet<usize>,
    /// Its node in the world; `None` for one that is not announced.
    pub(super) node: Option<usize>,
    /// How much wants to go to it and comes from it, in thousandths of the average.
    pub(super) pulls: i64,
    pub(super) pushes: i64,
    /// The geometric mean of its capacity and 0.1 BTC, in sat.
    pub(super) size: i64,
    pub(super) taste: Taste,
    /// What others ask towards it, and what it asks for what leaves it.
    pub(super) prices: Quantiles,
    pub(super) leaving: Quantiles,
    /// Its payments against the usual size, in thousandths.
    pub(super) scale: i64,
    /// Demand on Saturdays and Sundays, in thousandths.
    pub(super) weekend: i64,
    pub(super) flaky: bool,
    /// Away for good from this moment on.
    pub(super) leaves_at: Option<UnixMs>,
}

/// Strength of pull and push by share of the peers, in thousandths: most peers bring little, a few bring most. The mean of
/// each row is near 1000 when weighted by the shares of roles below.
const STRONG: [(i64, i64); 4] = [(0, 800), (500_000, 2_500), (900_000, 6_000), (MILLION, 12_000)];
const MIDDLE: [(i64, i64); 4] = [(0, 200), (500_000, 700), (900_000, 2_000), (MILLION, 4_000)];
const WEAK: [(i64, i64); 4] = [(0, 0), (500_000, 80), (900_000, 300), (MILLION, 900)];
/// A tenth of a bitcoin in sat: what a peer's capacity is averaged with.
const TENTH: i64 = 10_000_000;
/// What an unannounced peer counts for.
const UNANNOUNCED: i64 = 1_000_000;

impl Character {
    /// The peer of this key as this seed has it.
    pub(super) fn of(world: &World, model: &Model, seed: u64, key: &Pubkey) -> Self {
        let own_name = Dice::of(0, key.as_str(), &[]).next();
        let mut dice = Dice::of(seed, "peer", &[own_name]);
        let node = world.find(key);
        let prices = node.and_then(|id| quantiles(&mut world.towards(id))).unwrap_or(world.graph.rates);
        let leaving = node.and_then(|id| quantiles(&mut world.leaving(id))).unwrap_or(world.graph.rates);
        // A place that is dear to reach is dear because much goes there.
        let wanted = i64::from(rate_at(&prices, 500_000) > world.graph.median_rate) * 120;
        let role = dice.below(1_000);
        let (pulls, pushes) = match role - wanted {
            ..150 => (&STRONG, &WEAK),
            150..320 => (&WEAK, &STRONG),
            320..600 => (&MIDDLE, &MIDDLE),
            _ => (&WEAK, &WEAK),
        };
        let capacity = node.and_then(|id| world.node(id)).map_or(UNANNOUNCED, |n| n.capacity);
        let taste = dice.below(1_000);
        Self {
            alias: node.and_then(|id| world.node(id)).map_or_else(String::new, |n| n.alias.to_string()),
            neighbours: node.map(|id| world.neighbours(id)).unwrap_or_default(),
            pulls: dice.of_table(pulls),
            pushes: dice.of_table(pushes),
            size: capacity.saturating_mul(TENTH).isqrt(),
            taste: if taste < model.elastic_permille {
                model.elastic
            } else if taste < model.elastic_permille + model.inelastic_permille {
                model.inelastic
            } else {
                model.bursty
            },
            scale: dice.between(400, 2_000),
            weekend: dice.between(500, 1_200),
            flaky: dice.happens(model.flaky_permille),
            key: key.clone(),
            name: own_name,
            node,
            prices,
            leaving,
            leaves_at: None,
        }
    }

    /// Whether both have a channel with each other, as the graph tells.
    pub(super) fn linked(&self, other: &Self) -> bool {
        other.node.is_some_and(|id| self.neighbours.contains(&id))
    }

    /// What a payer pays at most for a payment towards this peer, in ppm: the cheapest of a few routes of others.
    pub(super) fn bears(&self, model: &Model, dice: &mut Dice) -> i64 {
        let routes = (0..self.taste.alternatives).map(|_| self.offer(model, dice));
        let next_best = routes.min().unwrap_or(0);
        let accepted = next_best.saturating_mul(self.taste.tolerance_permille) / 1_000 + dice.below(model.patience_ppm);
        accepted.min(model.most_ppm)
    }

    /// One route of others towards this peer, in ppm: as capacity has it, without the part that is always empty.
    pub(super) fn offer(&self, model: &Model, dice: &mut Dice) -> i64 {
        let emptied = model.emptied_permille * 1_000;
        rate_at(&self.prices, emptied + dice.below(MILLION - emptied))
    }

    /// Demand on one day against the mean, in thousandths: what wanders over weeks, weekends, bursts.
    pub(super) fn mood(&self, model: &Model, seed: u64, day: i64) -> (i64, bool) {
        let wander = |what: &str, days: i64| {
            let knot = |n: i64| {
                let at = Dice::of(seed, what, &[self.name, name(n)]).below(MILLION);
                quantile(&[(0, 400), (500_000, 1_000), (MILLION, 2_000)], at)
            };
            let (number, into) = (day.div_euclid(days), day.rem_euclid(days));
            let drifted = knot(number) + (knot(number + 1) - knot(number)) * into / days;
            (1_000 + (drifted - 1_000) * model.drift_permille / 1_000).max(0)
        };
        let drift = wander("month", 28) * wander("season", 90) / 1_000;
        // Day 0 of the epoch was a Thursday.
        let week = if matches!((day + 4).rem_euclid(7), 0 | 6) { self.weekend } else { 1_000 };
        let bursts = Dice::of(seed, "burst", &[self.name, name(day)]).happens(self.taste.burst_permille);
        let burst = if bursts { self.taste.burst_strength } else { 1_000 };
        (drift * week / 1_000 * burst / 1_000, bursts)
    }

    /// When the peer is away on this day: none, one or two spans.
    pub(super) fn away(&self, model: &Model, seed: u64, day: i64) -> Vec<(UnixMs, UnixMs)> {
        let start = UnixMs(day * DAY_MS);
        let mut spans = Vec::new();
        for block in [day.div_euclid(30) - 1, day.div_euclid(30)] {
            let mut dice = Dice::of(seed, "gone", &[self.name, name(block)]);
            if dice.happens(model.gone_permille) {
                let from = block * 30 + dice.below(30);
                if (from..from + dice.between(2, 20)).contains(&day) {
                    return vec![(start, start.plus(DAY_MS))];
                }
            }
        }
        let mut dice = Dice::of(seed, "away", &[self.name, name(day)]);
        let (chance, longest) = if self.flaky { (model.away_permille, 10 * HOUR_MS) } else { (30, 2 * HOUR_MS) };
        if dice.happens(chance) {
            let from = start.plus(dice.below(DAY_MS - longest));
            spans.push((from, from.plus(dice.between(5 * 60_000, longest))));
        }
        spans
    }

    /// The draws of one payment, or of whatever else concerns two peers on one day.
    pub(super) fn dice(&self, what: &str, seed: u64, other: &Self, day: i64, counter: usize) -> Dice {
        Dice::of(seed, what, &[self.name, other.name, name(day), index(counter)])
    }
}
