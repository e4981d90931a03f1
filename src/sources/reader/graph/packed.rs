//! The graph as bytes to keep: columns of fixed width, compressed. What is read back comes from a disk: every length and
//! every value is checked, and nothing is allocated by a number that only the bytes say.
//!
//! `dzgr`, the version, then one zstd frame of: the numbers of nodes and channels; of all nodes the keys' first bytes, the
//! rest of the keys, the aliases' lengths, the aliases, and how they are reached; of all channels both nodes, the capacity,
//! both rates and when both sides spoke. Numbers are little-endian. A graph that means something else gets a new version.

use std::collections::HashMap;
use std::io::Read as _;

use super::{Edge, Graph, Key, MAX_CAPACITY, MAX_RATE, index};

/// The first bytes.
const MAGIC: &[u8; 4] = b"dzgr";
/// What is written.
const VERSION: u8 = 1;
/// Mainnet's graph of 2026 has 2.5 MB of columns.
const MAX_COLUMNS: u64 = 64 << 20;
/// The same for what a frame says that it needs, as a power of two.
const MAX_WINDOW_LOG: u32 = 26;
/// Of mainnet's graph level 1 makes 1.07 MB, level 3 saves 2 % of that and level 6 as much again.
const LEVEL: i32 = 1;
/// Characters of an alias, as where LND's answer is read.
const MAX_ALIAS: usize = 64;
/// A side that asks no rate.
const NO_RATE: u32 = u32::MAX;

/// The bytes are no graph, or the graph is too big for them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// They are of another version of the format.
    #[error("its format is {0}, this daznode knows {VERSION}")]
    Version(u8),
    /// They are not what was written.
    #[error("{0}")]
    Malformed(&'static str),
    /// More than is kept.
    #[error("the graph is too big to be kept")]
    TooBig,
}

impl Graph {
    /// The graph as bytes that [`Self::unpack`] reads.
    pub fn pack(&self) -> Result<Vec<u8>, PackError> {
        let columns = self.columns().ok_or(PackError::TooBig)?;
        let mut packed = MAGIC.to_vec();
        packed.push(VERSION);
        packed.extend(zstd::bulk::compress(&columns, LEVEL).map_err(|_| PackError::TooBig)?);
        Ok(packed)
    }

    fn columns(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for count in [self.keys.len(), self.edges.len()] {
            out.extend(u32::try_from(count).ok()?.to_le_bytes());
        }
        out.extend(self.keys.iter().map(|[first, ..]| *first));
        out.extend(self.keys.iter().flat_map(|[_, rest @ ..]| rest));
        for alias in &self.aliases {
            out.extend(u16::try_from(alias.len()).ok()?.to_le_bytes());
        }
        self.aliases.iter().for_each(|alias| out.extend(alias.as_bytes()));
        out.extend(self.clearnet.iter().map(|reached| match reached {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        }));
        for side in [0, 1] {
            out.extend(self.edges.iter().filter_map(|e| e.nodes.get(side)).flat_map(|id| id.to_le_bytes()));
        }
        out.extend(self.edges.iter().flat_map(|e| e.capacity.to_le_bytes()));
        for side in [0, 1] {
            let rates = self.edges.iter().filter_map(|e| e.rates.get(side));
            out.extend(rates.flat_map(|rate| rate.unwrap_or(NO_RATE).to_le_bytes()));
        }
        for side in [0, 1] {
            out.extend(self.edges.iter().filter_map(|e| e.updated.get(side)).flat_map(|at| at.to_le_bytes()));
        }
        (u64::try_from(out.len()).ok()? <= MAX_COLUMNS).then_some(out)
    }

    /// Reads what [`Self::pack`] wrote.
    pub fn unpack(packed: &[u8]) -> Result<Self, PackError> {
        let frame = match packed.strip_prefix(MAGIC).and_then(<[u8]>::split_first) {
            Some((&VERSION, frame)) => frame,
            Some((&other, _)) => return Err(PackError::Version(other)),
            None => return Err(PackError::Malformed("it does not begin as one")),
        };
        let broken = |_| PackError::Malformed("it can't be decompressed");
        let mut columns = Vec::new();
        let mut stream = zstd::stream::read::Decoder::with_buffer(frame).map_err(broken)?.single_frame();
        stream.window_log_max(MAX_WINDOW_LOG).map_err(broken)?;
        stream.take(MAX_COLUMNS + 1).read_to_end(&mut columns).map_err(broken)?;
        if u64::try_from(columns.len()).is_ok_and(|bytes| bytes > MAX_COLUMNS) {
            return Err(PackError::TooBig);
        }
        let mut rest = Columns(&columns);
        let (nodes, edges) = (rest.count()?, rest.count()?);
        let mut graph = Self::default();
        rest.nodes(nodes, &mut graph)?;
        rest.edges(edges, &mut graph)?;
        if rest.0.is_empty() { Ok(graph) } else { Err(PackError::Malformed("it goes on after its end")) }
    }
}

/// What is not read yet.
struct Columns<'a>(&'a [u8]);

const SHORT: PackError = PackError::Malformed("it breaks off");

impl<'a> Columns<'a> {
    /// The next so many bytes, if there are so many.
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], PackError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A column of so many values, each of `N` bytes.
    fn column<const N: usize>(&mut self, length: usize) -> Result<&'a [[u8; N]], PackError> {
        Ok(self.bytes(length.checked_mul(N).ok_or(SHORT)?)?.as_chunks().0)
    }

    fn count(&mut self) -> Result<usize, PackError> {
        let [count] = self.column(1)? else { return Err(SHORT) };
        usize::try_from(u32::from_le_bytes(*count)).map_err(|_| SHORT)
    }

    fn nodes(&mut self, count: usize, graph: &mut Graph) -> Result<(), PackError> {
        let (firsts, rests) = (self.column::<1>(count)?, self.column::<32>(count)?);
        let lengths = self.column::<2>(count)?;
        graph.aliases.reserve_exact(count);
        for length in lengths {
            let alias = self.bytes(usize::from(u16::from_le_bytes(*length)))?;
            let alias = std::str::from_utf8(alias).ok().filter(|alias| alias.chars().count() <= MAX_ALIAS);
            graph.aliases.push(alias.ok_or(PackError::Malformed("an alias is no text"))?.into());
        }
        graph.clearnet = self.column::<1>(count)?.iter().copied().map(reached).collect::<Result<_, _>>()?;
        graph.keys.reserve_exact(count);
        graph.ids = HashMap::with_capacity(count);
        for (id, ([first], rest)) in (0..).zip(firsts.iter().zip(rests)) {
            let mut key: Key = [*first; 33];
            key.split_at_mut(1).1.copy_from_slice(rest);
            if !matches!(first, 2 | 3) || graph.ids.insert(key, id).is_some() {
                return Err(PackError::Malformed("a key is none, or there twice"));
            }
            graph.keys.push(key);
        }
        Ok(())
    }

    fn edges(&mut self, count: usize, graph: &mut Graph) -> Result<(), PackError> {
        let nodes = [self.column::<4>(count)?, self.column::<4>(count)?];
        let capacities = self.column::<8>(count)?;
        let rates = [self.column::<4>(count)?, self.column::<4>(count)?];
        let updated = [self.column::<4>(count)?, self.column::<4>(count)?];
        let pairs = |[one, two]: [&'a [[u8; 4]]; 2]| {
            one.iter().zip(two).map(|(one, two)| [u32::from_le_bytes(*one), u32::from_le_bytes(*two)])
        };
        let known = graph.keys.len();
        graph.edges.reserve_exact(count);
        for (((nodes, capacity), rates), updated) in pairs(nodes).zip(capacities).zip(pairs(rates)).zip(pairs(updated))
        {
            let capacity = u64::from_le_bytes(*capacity);
            let [one, two] = nodes;
            let good_rates = rates.iter().all(|rate| *rate <= MAX_RATE || *rate == NO_RATE);
            if one == two || index(one.max(two)) >= known || capacity > MAX_CAPACITY || !good_rates {
                return Err(PackError::Malformed("a channel is impossible"));
            }
            let rates = rates.map(|rate| (rate != NO_RATE).then_some(rate));
            graph.edges.push(Edge { nodes, capacity, rates, updated });
        }
        Ok(())
    }
}

fn reached([value]: [u8; 1]) -> Result<Option<bool>, PackError> {
    match value {
        0 => Ok(None),
        1 => Ok(Some(false)),
        2 => Ok(Some(true)),
        _ => Err(PackError::Malformed("how a node is reached is unknown")),
    }
}

#[cfg(test)]
#[path = "packed/tests.rs"]
mod tests;
