//! mempool.space, or an own instance of it, over REST: what the chain costs, and the node as others see it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::http::{self, Question};
use super::loose::{Loose, parse};
use crate::snapshot::{ChainFees, NetworkSize, SeenNode};
use crate::units::{Pubkey, Sat, UnixMs};

/// Its name in reports.
pub const NAME: &str = "mempool.space";
/// Where it is asked unless the config says otherwise.
pub const DEFAULT_URL: &str = "https://mempool.space/api";

/// Whether and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Off unless set: it learns the node's key and from where it is asked.
    pub enabled: bool,
    /// Its address, with or without `/api`.
    pub url: String,
    /// For how long an answer is good.
    pub cache_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: false, url: DEFAULT_URL.to_owned(), cache_minutes: 60 }
    }
}

/// What a source told, when it is of an own time, or why there is nothing to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Told<T> {
    /// A fact, and since when it holds where the source says so.
    Fact(T, Option<UnixMs>),
    /// It answered, and has nothing of the kind.
    Nothing(String),
}

/// Where mempool is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mempool {
    base: Url,
}

impl Mempool {
    /// For the address of the settings.
    pub fn new(settings: &Settings) -> Result<Self, http::Error> {
        let mut base = http::parse_base("mempool.url", &settings.url)?;
        let path = base.path().trim_end_matches('/').trim_end_matches("/v1").trim_end_matches("/api").to_owned();
        base.set_path(&format!("{path}/api"));
        Ok(Self { base })
    }

    /// Its address without the paths below.
    pub const fn base(&self) -> &Url {
        &self.base
    }

    fn below(&self, path: &str) -> Url {
        http::below(&self.base, path)
    }

    /// Asks what gets a transaction confirmed.
    pub fn ask_fees(&self) -> Question {
        let url = self.below("v1/fees/precise");
        Question { is_final: |status, _| status == 404, ..Question::get(url) }
    }

    /// The same in whole numbers, for an instance that is too old for the question before and answers 404.
    pub fn ask_fees_whole(&self) -> Question {
        Question::get(self.below("v1/fees/recommended"))
    }

    /// Asks for the height of the best block.
    pub fn ask_height(&self) -> Question {
        Question::get(self.below("blocks/tip/height"))
    }

    /// Asks for the price of a bitcoin.
    pub fn ask_price(&self) -> Question {
        Question::get(self.below("v1/prices"))
    }

    /// Asks for the size of the network.
    pub fn ask_network(&self) -> Question {
        let url = self.below("v1/lightning/statistics/latest");
        Question { is_final: |status, _| status == 404, ..Question::get(url) }
    }

    /// Asks for one node. Only this question names it.
    pub fn ask_node(&self, node: &Pubkey) -> Question {
        let url = self.below(&format!("v1/lightning/nodes/{node}"));
        Question { is_final: is_unknown_node, ..Question::get(url) }
    }
}

/// An unknown node is answered with 404, or with 500 and these words.
fn is_unknown_node(status: u16, body: &str) -> bool {
    status == 404 || (status == 500 && (body.contains("Failed to get node") || body.contains("node does not exist")))
}

#[derive(Deserialize)]
struct Fees {
    #[serde(rename = "fastestFee")]
    fastest: Loose,
    #[serde(rename = "halfHourFee")]
    half_hour: Loose,
    #[serde(rename = "hourFee")]
    hour: Loose,
    #[serde(rename = "economyFee")]
    economy: Loose,
    #[serde(rename = "minimumFee")]
    minimum: Loose,
}

/// Reads fees in sat/vB, whole or with fractions.
pub fn fees(body: &str) -> Result<Told<ChainFees>, String> {
    let fees: Fees = parse(body)?;
    // A thousand times the highest fee ever paid for room in a block.
    let rate = |fee: &Loose| fee.scaled(3, 1_000_000_000).ok_or("a fee is not a number of sat/vB".to_owned());
    let fees = ChainFees {
        fastest: rate(&fees.fastest)?,
        half_hour: rate(&fees.half_hour)?,
        hour: rate(&fees.hour)?,
        economy: rate(&fees.economy)?,
        minimum: rate(&fees.minimum)?,
    };
    Ok(Told::Fact(fees, None))
}

/// Reads the height of the best block, as JSON or as plain text.
pub fn height(body: &str) -> Result<Told<u32>, String> {
    let height: Loose = parse(body)?;
    // Blocks for 9,000 years: what is above is a mistake.
    let height = height.count().filter(|height| (1..500_000_000).contains(height));
    height.map(|height| Told::Fact(height, None)).ok_or_else(|| "it is not the height of a block".to_owned())
}

/// Reads prices into hundredths by currency. One that has no price feed says -1.
pub fn price(body: &str) -> Result<Told<BTreeMap<String, i64>>, String> {
    let mut fields: BTreeMap<String, Loose> = parse(body)?;
    let time = fields.remove("time").and_then(|time| time.whole(i64::MAX / 1000));
    let code = |name: &String| name.len() == 3 && name.bytes().all(|b| b.is_ascii_uppercase());
    let prices: BTreeMap<String, i64> = fields
        .into_iter()
        .filter(|(name, _)| code(name))
        .filter_map(|(name, price)| Some((name, price.scaled(2, 1_000_000_000_000_000).filter(|p| *p > 0)?)))
        .collect();
    match time {
        None => Err("it holds no time of the price".to_owned()),
        Some(0) => Ok(Told::Nothing("it has no price yet".to_owned())),
        Some(_) if prices.is_empty() => Ok(Told::Nothing("it has no price yet".to_owned())),
        Some(time) => Ok(Told::Fact(prices, Some(UnixMs::from_secs(time)))),
    }
}

#[derive(Deserialize)]
struct Statistics {
    latest: Option<Latest>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Latest {
    added: Loose,
    channel_count: Loose,
    node_count: Loose,
    total_capacity: Loose,
    med_capacity: Loose,
}

/// Reads the size of the network. An instance without Lightning answers 404.
pub fn network(status: u16, body: &str) -> Result<Told<NetworkSize>, String> {
    if status == 404 {
        return Ok(Told::Nothing("it has no Lightning pages".to_owned()));
    }
    let statistics: Statistics = parse(body)?;
    let Some(latest) = statistics.latest else {
        return Ok(Told::Nothing("it has no statistics of the network yet".to_owned()));
    };
    let missing = |what: &str| format!("its statistics hold no {what}");
    let size = NetworkSize {
        nodes: latest.node_count.count().ok_or_else(|| missing("number of nodes"))?,
        channels: latest.channel_count.count().ok_or_else(|| missing("number of channels"))?,
        capacity: capacity(&latest.total_capacity).ok_or_else(|| missing("capacity"))?,
        zombies: 0,
        median_channel: capacity(&latest.med_capacity).ok_or_else(|| missing("median channel"))?,
    };
    Ok(Told::Fact(size, added(&latest.added)))
}

/// ISO 8601 in one place, unix seconds in another.
fn added(added: &Loose) -> Option<UnixMs> {
    match added.whole(i64::MAX / 1000) {
        Some(secs) => Some(UnixMs::from_secs(secs)),
        None => added.text()?.parse().ok().map(|at: jiff::Timestamp| UnixMs(at.as_millisecond())),
    }
}

fn capacity(value: &Loose) -> Option<Sat> {
    value.whole(2_100_000_000_000_000).map(Sat::new)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Node {
    public_key: Loose,
    alias: Loose,
    updated_at: Loose,
    active_channel_count: Loose,
    capacity: Loose,
}

/// Reads one node. A node that is not known there is a fact without fields.
pub fn node(status: u16, body: &str, asked: &Pubkey) -> Result<Told<SeenNode>, String> {
    if is_unknown_node(status, body) {
        return Ok(Told::Fact(SeenNode::unknown(), None));
    }
    let node: Node = parse(body)?;
    if node.public_key.text().as_deref() != Some(asked.as_str()) {
        return Err("it is not about the node that was asked for".to_owned());
    }
    let seen = SeenNode {
        alias: node.alias.text(),
        capacity: capacity(&node.capacity),
        channels: node.active_channel_count.count(),
        capacity_rank: None,
        channels_rank: None,
        updated_at: node.updated_at.whole(i64::MAX / 1000).filter(|secs| *secs > 0).map(UnixMs::from_secs),
    };
    Ok(Told::Fact(seen, None))
}

#[cfg(test)]
mod tests;
