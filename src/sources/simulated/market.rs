//! What a node with these channels would read in its graph: its place, its peers' prices, and who could be worth a channel.

use std::collections::{BTreeMap, HashSet};

use super::dice::{Dice, whole};
use super::world::{World, at_percent, ppm, sat, weighted};
use crate::snapshot::{Market, PeerCandidate, PeerMarket};
use crate::units::{Ppm, Pubkey, Sat};

/// Candidates that are listed, and what they have at least: smaller ones are not worth a look.
const CANDIDATES: usize = 30;
const CANDIDATE_CHANNELS: usize = 8;
const CANDIDATE_CAPACITY: i64 = 20_000_000;

impl World {
    /// The market around a node that has these public channels: each peer with the capacity of its channel.
    pub fn market(&self, own: &[(Pubkey, Sat)]) -> Market {
        let mine: BTreeMap<usize, i64> = own.iter().fold(BTreeMap::new(), |mut mine, (key, capacity)| {
            if let Some(id) = self.find(key) {
                *mine.entry(id).or_default() += capacity.get();
            }
            mine
        });
        let own_capacity: i64 = own.iter().map(|(_, capacity)| capacity.get()).sum();
        let own_channels = whole(own.len());
        let rank = |bigger: &dyn Fn(i64, i64) -> bool| {
            let above = self.graph.nodes.iter().filter(|n| bigger(n.capacity, whole(n.edges.len()))).count();
            (own_channels > 0).then(|| count(above).saturating_add(1))
        };
        let all: i64 = self.graph.edges.iter().map(|e| e.capacity).fold(0, i64::saturating_add);
        let size = |id: usize| {
            let node = self.node(id);
            let extra = mine.get(&id).copied().unwrap_or(0);
            let with_us = own.iter().filter(|(key, _)| self.find(key) == Some(id)).count();
            (count(node.map_or(0, |n| n.edges.len()) + with_us), node.map_or(0, |n| n.capacity) + extra)
        };
        Market {
            graph: None,
            nodes: count(
                self.graph.nodes.iter().filter(|n| !n.edges.is_empty()).count() + usize::from(!own.is_empty()),
            ),
            channels: count(self.graph.edges.len() + own.len()),
            capacity: sat(all.saturating_add(own_capacity)),
            own_capacity: sat(own_capacity),
            own_channels: count(own.len()),
            capacity_rank: rank(&|capacity, _| capacity > own_capacity),
            channels_rank: rank(&|_, channels| channels > own_channels),
            median_rate: Some(Ppm(self.graph.median_rate)),
            peers: mine.keys().filter_map(|id| self.peer_market(*id, size(*id))).collect(),
            candidates: self.candidates(&mine.keys().copied().collect()),
        }
    }

    fn peer_market(&self, id: usize, (channels, capacity): (u32, i64)) -> Option<PeerMarket> {
        let node = self.node(id)?;
        let mut rates = self.towards(id);
        Some(PeerMarket {
            pubkey: node.key.clone(),
            alias: node.alias.to_string(),
            channels,
            capacity: sat(capacity),
            incoming: count(rates.len()),
            incoming_rate_percentiles: weighted(&mut rates, [10, 25, 50, 75, 90]).map(ppm),
            incoming_rate_deciles: weighted(&mut rates, std::array::from_fn(|i| whole(i) * 10)).map(ppm),
            clearnet: Some(self.trait_of(id, "clearnet") < 650),
        })
    }

    /// A number below 1000 that a node of this network always has for this question.
    fn trait_of(&self, id: usize, question: &str) -> i64 {
        let name = self.node(id).map_or("", |n| n.key.as_str());
        Dice::of(0, &format!("{question} {name}"), &[]).below(1_000)
    }

    /// Those who bring the most nodes within two hops, the most first.
    fn candidates(&self, mine: &HashSet<usize>) -> Vec<PeerCandidate> {
        let mut near = mine.clone();
        for id in mine {
            near.extend(self.neighbours(*id));
        }
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (id, node) in self.graph.nodes.iter().enumerate() {
            if node.edges.len() >= CANDIDATE_CHANNELS && node.capacity >= CANDIDATE_CAPACITY && !mine.contains(&id) {
                let around = self.neighbours(id);
                found.push((around.iter().filter(|other| !near.contains(other)).count(), id));
            }
        }
        found.sort_unstable_by_key(|(news, id)| (std::cmp::Reverse(*news), *id));
        found.into_iter().take(CANDIDATES).filter_map(|(news, id)| self.candidate(mine, news, id)).collect()
    }

    fn candidate(&self, mine: &HashSet<usize>, news: usize, id: usize) -> Option<PeerCandidate> {
        let node = self.node(id)?;
        let mut sizes: Vec<i64> = self.links(id).map(|(.., capacity)| capacity).collect();
        let fresh = 70 + self.trait_of(id, "fresh") * 30 / 1_000;
        Some(PeerCandidate {
            market: self.peer_market(id, (count(node.edges.len()), node.capacity))?,
            outgoing_rate_median: weighted(&mut self.leaving(id), [50]).map(|[rate]| Ppm(rate)),
            new_within_two_hops: count(news),
            shared_peers: count(self.neighbours(id).intersection(mine).count()),
            fresh_percent: u32::try_from(fresh).unwrap_or(100),
            median_channel: sat(at_percent(&mut sizes, 50)),
        })
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
