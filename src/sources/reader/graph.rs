//! The network graph, read straight from LND's answer into a few bytes a channel, and what it says of one node's place
//! and of the prices towards its peers.

mod asking;
mod candidates;
mod kept;
mod packed;

use std::collections::{BTreeMap, HashMap};

pub use self::kept::{GraphCache, Kept, Question, Shelf, Stamp, Unused, Used};
pub use self::packed::PackError;

use super::wire::{self, Malformed};
use crate::snapshot::{Market, PeerMarket};
use crate::units::{Ppm, Pubkey, Sat};

/// Rates above this are no prices: a whole amount for forwarding it says "don't". Old software announced 4,294,967,295.
const MAX_RATE: u32 = 1_000_000;
/// No channel holds more than all bitcoin there are.
const MAX_CAPACITY: u64 = 2_100_000_000_000_000;

/// A public key as it is: 33 bytes.
type Key = [u8; 33];

/// The public network.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Graph {
    keys: Vec<Key>,
    aliases: Vec<Box<str>>,
    /// Whether a node announced an address that is reached without Tor; `None` without any address.
    clearnet: Vec<Option<bool>>,
    edges: Vec<Edge>,
    ids: HashMap<Key, u32>,
}

/// A public channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    nodes: [u32; 2],
    capacity: u64,
    /// What each side asks; `None` for a side that is disabled, silent, or asks no price that can be meant.
    rates: [Option<u32>; 2],
    /// When each side announced its policy, in seconds; 0 where it did not.
    updated: [u32; 2],
}

/// What one side of a channel asks, and since when.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    rate: Option<u32>,
    updated: u32,
}

/// The answer is not a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Its bytes are no message.
    #[error("the graph is not a protobuf message")]
    Malformed,
    /// More nodes than can be numbered.
    #[error("the graph has too many nodes")]
    TooBig,
}

impl From<Malformed> for GraphError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Graph {
    /// Reads the answer to `DescribeGraph`. A node or channel whose key or capacity is impossible is left out.
    pub fn decode(answer: &[u8]) -> Result<Self, GraphError> {
        let mut graph = Self::default();
        for field in wire::fields(answer) {
            let field = field?;
            match field.number {
                1 => graph.add_node(field.bytes())?,
                2 => graph.add_edge(field.bytes())?,
                _ => {}
            }
        }
        Ok(graph)
    }

    /// Nodes, with and without channels.
    pub const fn nodes(&self) -> usize {
        self.keys.len()
    }

    /// Channels.
    pub const fn channels(&self) -> usize {
        self.edges.len()
    }

    /// Sum of all channels.
    pub fn capacity(&self) -> Sat {
        total(self.edges.iter().map(|edge| edge.capacity))
    }

    /// The rate that `percent` of all enabled directions do not exceed.
    pub fn rate_percentile(&self, percent: u64) -> Option<Ppm> {
        let mut rates: Vec<(u32, u64)> =
            self.edges.iter().flat_map(|e| e.rates).flatten().map(|rate| (rate, 1)).collect();
        percentiles(&mut rates, [percent]).map(|[rate]| rate)
    }

    fn add_node(&mut self, node: &[u8]) -> Result<(), GraphError> {
        let (mut key, mut alias, mut clearnet) = (None, "".into(), None);
        for field in wire::fields(node) {
            let field = field?;
            match field.number {
                2 => key = parse_key(field.bytes()),
                3 => alias = String::from_utf8_lossy(field.bytes()).chars().take(64).collect(),
                4 => clearnet = clearnet.max(address(field.bytes())?),
                _ => {}
            }
        }
        if let Some(key) = key {
            let id = index(self.intern(key)?);
            if let Some(slot) = self.aliases.get_mut(id) {
                *slot = alias;
            }
            if let Some(slot) = self.clearnet.get_mut(id) {
                *slot = clearnet;
            }
        }
        Ok(())
    }

    fn add_edge(&mut self, channel: &[u8]) -> Result<(), GraphError> {
        let (mut keys, mut capacity, mut sides) = ([None; 2], 0, [Side::default(); 2]);
        for field in wire::fields(channel) {
            let field = field?;
            match field.number {
                4 => keys[0] = parse_key(field.bytes()),
                5 => keys[1] = parse_key(field.bytes()),
                6 => capacity = field.number_value(),
                7 => sides[0] = side(field.bytes())?,
                8 => sides[1] = side(field.bytes())?,
                _ => {}
            }
        }
        if let [Some(one), Some(two)] = keys
            && one != two
            && capacity <= MAX_CAPACITY
        {
            let nodes = [self.intern(one)?, self.intern(two)?];
            let (rates, updated) = (sides.map(|side| side.rate), sides.map(|side| side.updated));
            self.edges.push(Edge { nodes, capacity, rates, updated });
        }
        Ok(())
    }

    fn intern(&mut self, key: Key) -> Result<u32, GraphError> {
        if let Some(&id) = self.ids.get(&key) {
            return Ok(id);
        }
        let id = u32::try_from(self.keys.len()).map_err(|_| GraphError::TooBig)?;
        self.ids.insert(key, id);
        self.keys.push(key);
        self.aliases.push("".into());
        self.clearnet.push(None);
        Ok(id)
    }

    fn id(&self, key: &Pubkey) -> Option<u32> {
        self.ids.get(&parse_key(key.as_str().as_bytes())?).copied()
    }

    /// The place of `own` in the network, and what others charge to send to each of `peers`.
    pub fn market(&self, own: &Pubkey, peers: &[Pubkey]) -> Market {
        let own = self.id(own);
        let sizes = self.sizes();
        let size = |id: u32| sizes.get(index(id)).copied().unwrap_or_default();
        let (own_channels, own_capacity) = own.map(size).unwrap_or_default();
        let rank = |bigger: &dyn Fn(&(u32, u64)) -> bool| {
            (own_channels > 0).then(|| count(sizes.iter().filter(|&size| bigger(size)).count()).saturating_add(1))
        };
        Market {
            graph: None,
            candidates: Vec::new(),
            nodes: count(sizes.iter().filter(|(channels, _)| *channels > 0).count()),
            channels: count(self.edges.len()),
            capacity: self.capacity(),
            own_capacity: total([own_capacity]),
            own_channels,
            capacity_rank: rank(&|&(_, capacity)| capacity > own_capacity),
            channels_rank: rank(&|&(channels, _)| channels > own_channels),
            median_rate: self.rate_percentile(50),
            peers: self.peers(own, peers, size),
        }
    }

    /// Channels and capacity of each node.
    fn sizes(&self) -> Vec<(u32, u64)> {
        let mut sizes = vec![(0_u32, 0_u64); self.keys.len()];
        for edge in &self.edges {
            for id in edge.nodes {
                if let Some((channels, capacity)) = sizes.get_mut(index(id)) {
                    *channels = channels.saturating_add(1);
                    *capacity = capacity.saturating_add(edge.capacity);
                }
            }
        }
        sizes
    }

    fn peers(&self, own: Option<u32>, peers: &[Pubkey], size: impl Fn(u32) -> (u32, u64)) -> Vec<PeerMarket> {
        let known: BTreeMap<u32, Pubkey> =
            peers.iter().filter_map(|peer| Some((self.id(peer)?, peer.clone()))).collect();
        self.markets(own, known, size)
    }

    /// What others than `own` charge to send to each of these nodes.
    fn markets(
        &self,
        own: Option<u32>,
        known: BTreeMap<u32, Pubkey>,
        size: impl Fn(u32) -> (u32, u64),
    ) -> Vec<PeerMarket> {
        let mut towards: BTreeMap<u32, Vec<(u32, u64)>> = BTreeMap::new();
        for edge in &self.edges {
            let [one, two] = edge.nodes;
            for (from, to, rate) in [(one, two, edge.rates[0]), (two, one, edge.rates[1])] {
                if let Some(rate) = rate
                    && Some(from) != own
                    && known.contains_key(&to)
                {
                    towards.entry(to).or_default().push((rate, edge.capacity));
                }
            }
        }
        let market = |(id, pubkey): (u32, Pubkey)| {
            let (channels, capacity) = size(id);
            let mut rates = towards.remove(&id).unwrap_or_default();
            PeerMarket {
                pubkey,
                alias: self.aliases.get(index(id)).map(ToString::to_string).unwrap_or_default(),
                channels,
                capacity: total([capacity]),
                incoming: count(rates.len()),
                incoming_rate_percentiles: percentiles(&mut rates, [10, 25, 50, 75, 90]),
                incoming_rate_deciles: percentiles(&mut rates, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),
                clearnet: self.clearnet.get(index(id)).copied().flatten(),
            }
        };
        known.into_iter().map(market).collect()
    }
}

/// The rates that these percentages of all weight do not exceed; `None` without any weight.
fn percentiles<const N: usize>(rates: &mut [(u32, u64)], percents: [u64; N]) -> Option<[Ppm; N]> {
    rates.sort_unstable();
    let whole: u128 = rates.iter().map(|(_, weight)| u128::from(*weight)).sum();
    let at = |percent: u64| {
        let mut below = 0_u128;
        let reached = |weight: u64| {
            below += u128::from(weight);
            below * 100 >= whole * u128::from(percent)
        };
        let mut reached = reached;
        rates.iter().find(|(_, weight)| reached(*weight)).map_or(Ppm(0), |(rate, _)| Ppm(i64::from(*rate)))
    };
    (whole > 0).then(|| percents.map(at))
}

/// The price that one side asks, if it forwards at all: fields 4 (rate), 5 (disabled) and 7 (last update).
fn side(policy: &[u8]) -> Result<Side, Malformed> {
    let (mut rate, mut disabled, mut updated) = (0, false, 0);
    for field in wire::fields(policy) {
        let field = field?;
        match field.number {
            4 => rate = field.number_value(),
            5 => disabled = field.number_value() != 0,
            7 => updated = field.number_value(),
            _ => {}
        }
    }
    let rate = u32::try_from(rate).ok().filter(|&rate| !disabled && rate <= MAX_RATE);
    Ok(Side { rate, updated: u32::try_from(updated).unwrap_or(0) })
}

/// Whether an announced address (field 2) is reached without Tor; `None` where there is none.
fn address(address: &[u8]) -> Result<Option<bool>, Malformed> {
    for field in wire::fields(address) {
        let field = field?;
        if field.number == 2 && !field.bytes().is_empty() {
            let host = field.bytes().rsplitn(2, |&b| b == b':').last().unwrap_or_default();
            return Ok(Some(!host.to_ascii_lowercase().ends_with(b".onion")));
        }
    }
    Ok(None)
}

/// The place of a node in the lists; none where no list reaches.
fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

/// 66 hex digits as 33 bytes. This runs over a hundred thousand times a graph, so it is plain.
fn parse_key(hex_digits: &[u8]) -> Option<Key> {
    let (pairs, rest) = hex_digits.as_chunks::<2>();
    if pairs.len() != 33 || !rest.is_empty() {
        return None;
    }
    let mut key = [0; 33];
    let mut bad = 0;
    for (byte, &[high, low]) in key.iter_mut().zip(pairs) {
        let (high, low) = (digit(high), digit(low));
        bad |= high | low;
        *byte = high << 4 | low;
    }
    (bad < 16 && matches!(key[0], 2 | 3)).then_some(key)
}

/// The worth of a hex digit; 255 for anything else.
const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => 255,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn total(amounts: impl IntoIterator<Item = u64>) -> Sat {
    amounts.into_iter().map(|amount| Sat::new(i64::try_from(amount).unwrap_or(i64::MAX))).sum()
}

#[cfg(test)]
#[path = "graph/tests.rs"]
mod tests;
