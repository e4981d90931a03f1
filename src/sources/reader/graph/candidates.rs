//! Nodes that could be worth a channel, found in the graph alone: well connected, alive, of a sane size and price, and
//! new to this node's surroundings. Which of them are advised, and for what gain, is for `analysis` to say.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, count, index, percentiles, total};
use crate::snapshot::PeerCandidate;
use crate::units::{DAY_MS, Ppm, Pubkey, UnixMs};

/// So many are kept with a snapshot.
const MOST: usize = 20;
/// So many are looked at closely.
const SHORTLIST: usize = 200;
/// Distinct neighbours that a node must have.
const LEAST_NEIGHBOURS: u32 = 10;
/// A side that announced nothing for so long is taken for dead by others.
const FRESH_MS: i64 = 14 * DAY_MS;
/// Share of a node's own enabled sides that must be fresh, in percent.
const LEAST_FRESH: u32 = 50;
/// Its middle channel, in sat.
const LEAST_MEDIAN_SAT: u64 = 500_000;
/// A middle channel of this size is as good as a larger one, in sat.
const GOOD_MEDIAN_SAT: u64 = 5_000_000;
/// A node that asks more than this in the middle lets little through.
const DEAREST: i64 = 2_500;
/// A node that asks no more than this in the middle is cheap enough.
const CHEAP: i64 = 500;
/// Shared peers that are as good as more: ways for refills.
const ENOUGH_SHARED: u32 = 5;

/// Who has a channel with whom, where at least one side forwards.
struct Links {
    /// Where each node's neighbours begin; one more at the end.
    starts: Vec<usize>,
    neighbours: Vec<u32>,
}

impl Links {
    fn new(graph: &Graph) -> Self {
        let alive = || graph.edges.iter().filter(|edge| edge.rates.iter().any(Option::is_some));
        let mut starts = vec![0_usize; graph.keys.len() + 1];
        for id in alive().flat_map(|edge| edge.nodes) {
            if let Some(start) = starts.get_mut(index(id) + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let (mut next, mut neighbours) = (starts.clone(), vec![0_u32; sum]);
        for edge in alive() {
            let [one, two] = edge.nodes;
            for (from, to) in [(one, two), (two, one)] {
                if let Some(place) = next.get_mut(index(from)) {
                    if let Some(slot) = neighbours.get_mut(*place) {
                        *slot = to;
                    }
                    *place += 1;
                }
            }
        }
        Self { starts, neighbours }
    }

    /// A node's neighbours, one for each channel.
    fn of(&self, id: usize) -> &[u32] {
        let bounds = self.starts.get(id).zip(self.starts.get(id + 1));
        bounds.and_then(|(&from, &to)| self.neighbours.get(from..to)).unwrap_or_default()
    }
}

/// A node that is looked at.
#[derive(Debug, Default)]
struct Seen {
    id: u32,
    neighbours: u32,
    new: u32,
    shared: u32,
    enabled: u32,
    fresh: u32,
    capacities: Vec<u64>,
    rates: Vec<(u32, u64)>,
    median_channel: u64,
    outgoing: Option<Ppm>,
}

impl Seen {
    fn fresh_percent(&self) -> u32 {
        (self.fresh * 100).checked_div(self.enabled).unwrap_or(0)
    }

    fn is_sane(&self) -> bool {
        self.fresh_percent() >= LEAST_FRESH
            && self.median_channel >= LEAST_MEDIAN_SAT
            && self.outgoing.is_some_and(|rate| rate.0 <= DEAREST)
    }

    /// Thousandths of each part times its weight: at most 100,000. `docs/formulas.md` has the table.
    fn score(&self, most_new: u32, most_neighbours: u32, clearnet: Option<bool>) -> u64 {
        let share = |part: u64, whole: u64| (part.min(whole) * 1000).checked_div(whole).unwrap_or(0);
        let rate = self.outgoing.map_or(DEAREST, |rate| rate.0).clamp(CHEAP, DEAREST);
        let cheapness = u64::try_from(DEAREST - rate).unwrap_or(0);
        let reachable = match clearnet {
            Some(true) => 1000,
            Some(false) => 600,
            None => 0,
        };
        let root = |n: u32| u64::from(n.isqrt());
        30 * share(self.new.into(), most_new.into())
            + 20 * share(root(self.neighbours), root(most_neighbours))
            + 15 * u64::from(self.fresh_percent() * 10)
            + 10 * share(self.median_channel, GOOD_MEDIAN_SAT)
            + 10 * share(cheapness, u64::try_from(DEAREST - CHEAP).unwrap_or(1))
            + 5 * share(self.shared.into(), ENOUGH_SHARED.into())
            + 10 * reachable
    }
}

impl Graph {
    /// Nodes without a channel with `own` that could be worth one, the best first. `peers` have one, `soon` will have.
    pub fn candidates(&self, own: &Pubkey, peers: &[Pubkey], soon: &[Pubkey], now: UnixMs) -> Vec<PeerCandidate> {
        let links = Links::new(self);
        let own = self.id(own);
        let peers: BTreeSet<u32> = peers.iter().filter_map(|peer| self.id(peer)).collect();
        let soon: BTreeSet<u32> = soon.iter().filter_map(|peer| self.id(peer)).collect();
        let taken = |id: u32| Some(id) == own || peers.contains(&id) || soon.contains(&id);
        let near = self.near(&links, own, peers.iter().chain(&soon));
        let mut list = self.connected(&links, &near, &peers, taken);
        list.sort_by_key(|seen| Reverse((seen.new, seen.neighbours, Reverse(self.keys.get(index(seen.id))))));
        list.truncate(SHORTLIST);
        self.look_closer(&mut list, now);
        list.retain(Seen::is_sane);
        let most_new = list.iter().map(|seen| seen.new).max().unwrap_or(0);
        let most_neighbours = list.iter().map(|seen| seen.neighbours).max().unwrap_or(0);
        list.sort_by_cached_key(|seen| {
            let clearnet = self.clearnet.get(index(seen.id)).copied().flatten();
            Reverse((seen.score(most_new, most_neighbours, clearnet), Reverse(self.keys.get(index(seen.id)).copied())))
        });
        list.truncate(MOST);
        self.described(own, &list)
    }

    /// Which nodes are within two hops now, by their numbers.
    fn near<'a>(&self, links: &Links, own: Option<u32>, peers: impl Iterator<Item = &'a u32>) -> Vec<bool> {
        let mut near = vec![false; self.keys.len()];
        let mut mark = |id: u32| {
            if let Some(slot) = near.get_mut(index(id)) {
                *slot = true;
            }
        };
        own.into_iter().for_each(&mut mark);
        for &peer in peers {
            mark(peer);
            links.of(index(peer)).iter().copied().for_each(&mut mark);
        }
        near
    }

    /// Every node with enough neighbours that is not `taken`, and what a channel with it would bring near.
    fn connected(&self, links: &Links, near: &[bool], peers: &BTreeSet<u32>, taken: impl Fn(u32) -> bool) -> Vec<Seen> {
        let is_new = |id: u32| near.get(index(id)) == Some(&false);
        let mut met = vec![u32::MAX; self.keys.len()];
        let mut list = Vec::new();
        for id in (0..count(self.keys.len())).filter(|&id| !taken(id)) {
            let mut seen = Seen { id, new: u32::from(is_new(id)), ..Seen::default() };
            for &neighbour in links.of(index(id)) {
                let Some(slot) = met.get_mut(index(neighbour)) else { continue };
                if std::mem::replace(slot, id) != id {
                    seen.neighbours += 1;
                    seen.new += u32::from(is_new(neighbour));
                    seen.shared += u32::from(peers.contains(&neighbour));
                }
            }
            if seen.neighbours >= LEAST_NEIGHBOURS {
                list.push(seen);
            }
        }
        list
    }

    /// Sizes, prices and age of what these few nodes announce.
    fn look_closer(&self, list: &mut [Seen], now: UnixMs) {
        let places: BTreeMap<u32, usize> = list.iter().enumerate().map(|(place, seen)| (seen.id, place)).collect();
        for edge in &self.edges {
            for ((id, rate), updated) in edge.nodes.into_iter().zip(edge.rates).zip(edge.updated) {
                let Some(seen) = places.get(&id).and_then(|&place| list.get_mut(place)) else { continue };
                seen.capacities.push(edge.capacity);
                if let Some(rate) = rate {
                    seen.rates.push((rate, edge.capacity));
                    seen.enabled += 1;
                    seen.fresh += u32::from(now.since(UnixMs::from_secs(updated.into())) <= FRESH_MS);
                }
            }
        }
        for seen in list {
            seen.capacities.sort_unstable();
            seen.median_channel = seen.capacities.get(seen.capacities.len() / 2).copied().unwrap_or(0);
            seen.outgoing = percentiles(&mut seen.rates, [50]).map(|[rate]| rate);
        }
    }

    fn described(&self, own: Option<u32>, list: &[Seen]) -> Vec<PeerCandidate> {
        let sizes = self.sizes();
        let known = list.iter().filter_map(|seen| Some((seen.id, self.pubkey(seen.id)?))).collect();
        let markets = self.markets(own, known, |id| sizes.get(index(id)).copied().unwrap_or_default());
        let by_key: BTreeMap<_, _> = markets.into_iter().map(|market| (market.pubkey.clone(), market)).collect();
        let candidate = |seen: &Seen| {
            Some(PeerCandidate {
                market: by_key.get(&self.pubkey(seen.id)?)?.clone(),
                outgoing_rate_median: seen.outgoing,
                new_within_two_hops: seen.new,
                shared_peers: seen.shared,
                fresh_percent: seen.fresh_percent(),
                median_channel: total([seen.median_channel]),
            })
        };
        list.iter().filter_map(candidate).collect()
    }

    pub(super) fn pubkey(&self, id: u32) -> Option<Pubkey> {
        hex::encode(self.keys.get(index(id))?).parse().ok()
    }
}
