//! Which graph is used: one that is at hand and young enough, else that of LND, else an older one at hand.
//!
//! `DescribeGraph` is a burden to a node, and the graph of a network is nearly the same whoever tells it. So it is kept at
//! two levels: here for as long as the process lives, and on a [`Shelf`] for the next one. Which of them is used is for
//! [`at_hand`] and [`judge`] to say, which know no clock and no disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as Lock;

use super::{Graph, PackError};
use crate::snapshot::{GraphSeen, GraphState};
use crate::sources::Error;
use crate::units::{DAY_MS, HOUR_MS, Network, UnixMs};

/// When and by whom a graph was told, and its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When it was read.
    pub as_of: UnixMs,
    /// Who told it: `lnd`.
    pub source: String,
    /// Its channels.
    pub channels: u64,
}

/// A graph on a shelf, as [`Graph::pack`] made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Of when it is.
    pub stamp: Stamp,
    /// Its bytes.
    pub packed: Vec<u8>,
}

/// Where the graph of each network is kept for other processes. What fails costs a question to LND, never a report.
pub trait Shelf: Send + Sync + std::fmt::Debug {
    /// The graph that is kept, whole; `None` where there is none. The error is one line to warn with.
    fn get(&self, network: Network) -> Result<Option<Kept>, String>;
    /// Keeps a graph in place of the one before, or leaves that as it was.
    fn put(&self, network: Network, kept: &Kept) -> Result<(), String>;
    /// Puts away a graph whose bytes are no graph, and says so in one line.
    fn set_aside(&self, network: Network, why: &PackError) -> String;
}

/// The oldest graph that is used where LND tells none.
const OLDEST_MS: i64 = 30 * DAY_MS;
/// For so long the graph that one node told is good enough for the others of the same run, whatever the settings say; and
/// failures count for so long.
const RUN_MS: i64 = 10 * 60_000;
/// Clocks that are corrected, and nodes of one run, may be apart by so much.
const AHEAD_MS: i64 = RUN_MS;
/// So many sources may fail to send the graph before the others of that network are not asked any more.
const MAX_FAILURES: u32 = 3;

/// Whether a graph is at hand that makes asking LND needless.
fn at_hand(as_of: UnixMs, now: UnixMs, keep_ms: i64) -> bool {
    let age = now.since(as_of);
    (-AHEAD_MS..keep_ms).contains(&age)
}

/// Whether a graph may stand in for one that LND did not tell. One from the future is of a clock that was wrong: nobody
/// knows how old it is.
fn stands_in(as_of: UnixMs, now: UnixMs) -> bool {
    (-AHEAD_MS..=OLDEST_MS).contains(&now.since(as_of))
}

/// What is done with a graph that LND told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is used, and kept in place of the one before.
    Keep,
    /// It is used this once.
    UseOnce,
    /// The one at hand is used, for this reason.
    UseKept(String),
}

/// What is done with a graph of so many channels, told by a node that says whether it has heard the whole graph, where
/// another one of so many channels could stand in.
fn judge(channels: u64, synced: bool, kept: Option<u64>) -> Verdict {
    let few = kept.is_some_and(|kept| channels.saturating_mul(2) < kept);
    match kept {
        Some(_) if !synced => Verdict::UseKept(format!("it is not synced to the graph ({channels} channels so far)")),
        Some(kept) if few => Verdict::UseKept(format!(
            "it knows {channels} channels only, fewer than half of the {kept} of the kept graph"
        )),
        _ if !synced || channels == 0 => Verdict::UseOnce,
        _ => Verdict::Keep,
    }
}

/// Who asks for a graph.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Of which network.
    pub network: Network,
    /// Where the node is that would be asked.
    pub address: &'a str,
    /// What that node is called as a source.
    pub source: &'static str,
    /// When.
    pub now: UnixMs,
}

/// The graph that is used.
#[derive(Debug)]
pub struct Used {
    /// The graph.
    pub graph: Arc<Graph>,
    /// Whose it is, and of when.
    pub seen: GraphSeen,
    /// Why it is not the one that LND was asked for.
    pub instead: Option<Unused>,
}

/// Why LND's own graph is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unused {
    /// It did not tell one.
    Failed(Error),
    /// It told one that is not worth using.
    Poor(String),
}

/// The graphs that a process has: the first profile of a network fetches, the others wait for it.
#[derive(Clone, Debug)]
pub struct GraphCache {
    slots: Arc<Lock<BTreeMap<Network, Arc<Lock<Slot>>>>>,
    shelf: Option<Arc<dyn Shelf>>,
    keep_ms: i64,
    warnings: Arc<Mutex<Vec<String>>>,
}

impl Default for GraphCache {
    /// Of this process alone.
    fn default() -> Self {
        Self::new(0, None)
    }
}

#[derive(Debug, Default)]
struct Slot {
    told: Option<Told>,
    failures: u32,
    failed_at: UnixMs,
}

/// A graph in memory.
#[derive(Clone, Debug)]
struct Told {
    graph: Arc<Graph>,
    stamp: Stamp,
}

impl Told {
    fn used(self, state: GraphState, instead: Option<Unused>) -> Used {
        let Stamp { as_of, source, .. } = self.stamp;
        Used { graph: self.graph, seen: GraphSeen { source, as_of, state }, instead }
    }
}

impl GraphCache {
    /// Graphs are asked for again when they are so many hours old, and kept on a shelf where there is one.
    pub fn new(keep_hours: u32, shelf: Option<Arc<dyn Shelf>>) -> Self {
        let keep_ms = i64::from(keep_hours).saturating_mul(HOUR_MS);
        Self { slots: Arc::default(), shelf, keep_ms, warnings: Arc::default() }
    }

    /// What went wrong with keeping graphs since this was last asked, a line each.
    pub fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn warn(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The graph of a network: from memory, from the shelf, or by `fetch`, which tells it and whether the node has heard
    /// all of it. Every private chain is its own network, so those of regtest and simnet are never shared.
    pub async fn get<F>(&self, question: Question<'_>, fetch: F) -> Result<Used, Error>
    where
        F: Future<Output = Result<(Graph, bool), Error>>,
    {
        let Question { network, now, .. } = question;
        if matches!(network, Network::Regtest | Network::Simnet) {
            let (graph, _) = fetch.await?;
            return Ok(told(graph, &question).used(GraphState::Asked, None));
        }
        let slot = Arc::clone(self.slots.lock().await.entry(network).or_default());
        let mut slot = slot.lock().await;
        let in_memory = slot.told.clone().filter(|told| at_hand(told.stamp.as_of, now, self.keep_ms.max(RUN_MS)));
        if let Some(told) = in_memory {
            return Ok(told.used(GraphState::Kept, None));
        }
        let shelved = self.shelved(network).await;
        if let Some(kept) = shelved.as_ref().filter(|kept| at_hand(kept.stamp.as_of, now, self.keep_ms))
            && let Some(told) = self.unpack(network, kept.clone()).await
        {
            slot.told = Some(told.clone());
            return Ok(told.used(GraphState::Kept, None));
        }
        self.ask(question, &mut slot, shelved, fetch).await
    }

    /// Asks LND, and decides what to do with its answer or without one.
    async fn ask<F>(&self, question: Question<'_>, slot: &mut Slot, kept: Option<Kept>, fetch: F) -> Result<Used, Error>
    where
        F: Future<Output = Result<(Graph, bool), Error>>,
    {
        let Question { network, now, .. } = question;
        if slot.failures > 0 && !at_hand(slot.failed_at, now, RUN_MS) {
            slot.failures = 0;
        }
        let answer = if slot.failures < MAX_FAILURES { fetch.await } else { Err(not_asked(&question)) };
        // The newer of what memory and shelf have, where it may stand in.
        let memory = slot.told.clone().filter(|told| stands_in(told.stamp.as_of, now));
        let kept = kept.filter(|kept| {
            let newer = memory.as_ref().is_none_or(|told| told.stamp.as_of < kept.stamp.as_of);
            newer && stands_in(kept.stamp.as_of, now)
        });
        let channels = kept.as_ref().map(|kept| &kept.stamp).or(memory.as_ref().map(|told| &told.stamp));
        let channels = channels.map(|stamp| stamp.channels);
        let stand_in = async {
            match kept {
                Some(kept) => self.unpack(network, kept).await.or(memory),
                None => memory,
            }
        };
        let (graph, synced) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                slot.failures += u32::from(slot.failures < MAX_FAILURES);
                slot.failed_at = now;
                let told = stand_in.await.ok_or_else(|| error.clone())?;
                return Ok(told.used(GraphState::StandIn, Some(Unused::Failed(error))));
            }
        };
        let told = told(graph, &question);
        let mut verdict = judge(told.stamp.channels, synced, channels);
        if let Verdict::UseKept(reason) = verdict {
            if let Some(kept) = stand_in.await {
                return Ok(kept.used(GraphState::StandIn, Some(Unused::Poor(reason))));
            }
            // What was on the shelf proved to be no graph.
            verdict = judge(told.stamp.channels, synced, None);
        }
        if verdict == Verdict::Keep {
            self.keep(network, &told).await;
            slot.told = Some(told.clone());
        }
        Ok(told.used(GraphState::Asked, None))
    }

    /// Does what takes its time with the shelf on a thread of its own. `None` without a shelf.
    async fn with_shelf<T: Send + 'static>(&self, work: impl FnOnce(&dyn Shelf) -> T + Send + 'static) -> Option<T> {
        let shelf = Arc::clone(self.shelf.as_ref()?);
        tokio::task::spawn_blocking(move || work(&*shelf)).await.ok()
    }

    async fn shelved(&self, network: Network) -> Option<Kept> {
        let got = self.with_shelf(move |shelf| shelf.get(network)).await?;
        got.unwrap_or_else(|warning| {
            self.warn(warning);
            None
        })
    }

    async fn unpack(&self, network: Network, kept: Kept) -> Option<Told> {
        let Kept { stamp, packed } = kept;
        let unpack = move |shelf: &dyn Shelf| Graph::unpack(&packed).map_err(|why| shelf.set_aside(network, &why));
        match self.with_shelf(unpack).await? {
            Ok(graph) => Some(Told { graph: Arc::new(graph), stamp }),
            Err(warning) => {
                self.warn(warning);
                None
            }
        }
    }

    async fn keep(&self, network: Network, told: &Told) {
        let Told { graph, stamp } = told.clone();
        let kept = self.with_shelf(move |shelf| {
            let packed = graph.pack().map_err(|error| error.to_string())?;
            shelf.put(network, &Kept { stamp, packed })
        });
        if let Some(Err(warning)) = kept.await {
            self.warn(format!("the graph is not kept for the next run: {warning}"));
        }
    }
}

fn told(graph: Graph, question: &Question<'_>) -> Told {
    let channels = u64::try_from(graph.channels()).unwrap_or(u64::MAX);
    let stamp = Stamp { as_of: question.now, source: question.source.to_owned(), channels };
    Told { graph: Arc::new(graph), stamp }
}

fn not_asked(question: &Question<'_>) -> Error {
    let reason = format!("not asked: {MAX_FAILURES} other nodes of {} failed to send it in this run", question.network);
    Error::Refused { address: question.address.to_owned(), call: "DescribeGraph".to_owned(), reason }
}

#[cfg(test)]
#[path = "kept/tests.rs"]
mod tests;
