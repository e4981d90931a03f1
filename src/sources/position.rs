//! The shape in which a node's place in the network is told: that of daznode's own API, which LNRouter is expected to be
//! brought to by whoever sets its address. Unknown fields are ignored, wrong types and impossible numbers are not.

use serde_json::{Map, Value};

use super::loose::parse;
use super::mempool::Told;
use crate::snapshot::{SeenNetwork, SeenNode};
use crate::units::{HOUR_MS, Pubkey, Sat, UnixMs};

/// All the bitcoin there will be, in sat.
const SUPPLY: i64 = 2_100_000_000_000_000;
/// A name longer than this is cut; aliases have at most 32 bytes.
const LONGEST: usize = 120;

/// What is told of a node and the network around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The node; one that is not known there has no field.
    pub node: SeenNode,
    /// The network, where it is told.
    pub network: Option<SeenNetwork>,
}

/// Reads an answer about the node that was asked for.
pub fn position(body: &str, asked: &Pubkey, now: UnixMs) -> Result<Told<Position>, String> {
    let said: Map<String, Value> = parse(body)?;
    let as_of = time(&said, "as_of")?.ok_or("it does not say as_of when it holds")?;
    if as_of.since(now) > HOUR_MS {
        return Err("its as_of lies in the future".to_owned());
    }
    let node = match object(&said, "node")? {
        None => SeenNode::unknown(),
        Some(node) if node.get("pubkey").and_then(Value::as_str) == Some(asked.as_str()) => seen(node)?,
        Some(_) => return Err("it is not about the node that was asked for".to_owned()),
    };
    let network = object(&said, "network")?.map(size).transpose()?;
    let whole = network.and_then(|network| network.capacity);
    if node.capacity.zip(whole).is_some_and(|(part, whole)| part > whole) {
        return Err("it gives the node more capacity than the network".to_owned());
    }
    Ok(Told::Fact(Position { node, network }, Some(as_of)))
}

fn seen(node: &Map<String, Value>) -> Result<SeenNode, String> {
    let alias = match node.get("alias") {
        None | Some(Value::Null) => None,
        Some(Value::String(alias)) => Some(alias.chars().take(LONGEST).collect()),
        Some(_) => return Err("its alias is not a text".to_owned()),
    };
    Ok(SeenNode {
        alias,
        capacity: sat(node, "capacity_sat")?,
        channels: count(node, "channels", 0)?,
        capacity_rank: count(node, "capacity_rank", 1)?,
        channels_rank: count(node, "channels_rank", 1)?,
        updated_at: time(node, "updated_at")?,
    })
}

fn size(network: &Map<String, Value>) -> Result<SeenNetwork, String> {
    Ok(SeenNetwork {
        nodes: count(network, "nodes", 1)?,
        channels: count(network, "channels", 0)?,
        capacity: sat(network, "capacity_sat")?,
    })
}

fn object<'a>(from: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, String> {
    match from.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("its {name} is not an object")),
    }
}

/// A whole number, or one in a text: JSON's own numbers lose digits in many programs.
fn whole(from: &Map<String, Value>, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, String> {
    let number = match from.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let number = number.filter(|number| range.contains(number));
    number
        .map(Some)
        .ok_or_else(|| format!("its {name} is not a whole number from {} to {}", range.start(), range.end()))
}

fn sat(from: &Map<String, Value>, name: &str) -> Result<Option<Sat>, String> {
    Ok(whole(from, name, 0..=SUPPLY)?.map(Sat::new))
}

fn count(from: &Map<String, Value>, name: &str, least: i64) -> Result<Option<u32>, String> {
    Ok(whole(from, name, least..=u32::MAX.into())?.and_then(|number| u32::try_from(number).ok()))
}

/// RFC 3339.
pub(super) fn time(from: &Map<String, Value>, name: &str) -> Result<Option<UnixMs>, String> {
    match from.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let at: Result<jiff::Timestamp, _> = text.parse();
            at.map(|at| Some(UnixMs(at.as_millisecond()))).map_err(|_| format!("its {name} is not a time in RFC 3339"))
        }
        Some(_) => Err(format!("its {name} is not a time in RFC 3339")),
    }
}

#[cfg(test)]
mod tests;
