//! Amboss over GraphQL: the node's ranks, and what its peers charge towards it.

use serde::{Deserialize, Serialize};
use url::Url;

use super::http::{self, Question};
use super::loose::{Loose, parse};
use super::mempool::Told;
use crate::snapshot::{AmbossFees, SeenNode};
use crate::units::{Ppm, Pubkey, Sat, UnixMs};

/// Its name in reports.
pub const NAME: &str = "amboss";
/// Where it is asked unless the config says otherwise.
pub const DEFAULT_URL: &str = "https://api.amboss.space/graphql";

/// Whether and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Off unless set: it learns the node's key and from where it is asked.
    pub enabled: bool,
    /// Its GraphQL address.
    pub url: String,
    /// File or credential with an API key; some answers need one.
    pub key_file: Option<String>,
    /// For how long an answer is good.
    pub cache_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: false, url: DEFAULT_URL.to_owned(), key_file: None, cache_minutes: 180 }
    }
}

const NODE: &str = "query Node($pubkey: String!) { getNode(pubkey: $pubkey) { graph_info { \
node { pub_key alias last_update } channels { num_channels total_capacity } metrics { capacity_rank channels_rank } } } }";

// A whole day: the range TODAY has hardly begun when the daily report is made.
const FEES: &str = "query Fees($pubkey: String!) { getNode(pubkey: $pubkey) { graph_info { \
channels { fee_info(timeRange: ONE_DAY) { local { median } remote { median weighted } } } } } }";

/// Where Amboss is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amboss {
    url: Url,
}

impl Amboss {
    /// For the address of the settings.
    pub fn new(settings: &Settings) -> Result<Self, http::Error> {
        Ok(Self { url: http::parse_base("amboss.url", &settings.url)? })
    }

    /// Its address.
    pub const fn base(&self) -> &Url {
        &self.url
    }

    /// Asks for the node and its ranks.
    pub fn ask_node(&self, node: &Pubkey) -> Question {
        self.query(NODE, node)
    }

    /// Asks for fees around the node, in a question of its own: it may need a key where the other needs none.
    pub fn ask_fees(&self, node: &Pubkey) -> Question {
        self.query(FEES, node)
    }

    /// Asks for nothing but the name of what can be asked for, which every GraphQL server has.
    pub fn ask_health(&self) -> Question {
        self.post(&serde_json::json!({ "query": "{ __typename }" }))
    }

    fn query(&self, query: &str, node: &Pubkey) -> Question {
        self.post(&serde_json::json!({ "query": query, "variables": { "pubkey": node.as_str() } }))
    }

    fn post(&self, body: &serde_json::Value) -> Question {
        Question {
            body: Some(body.to_string()),
            // A server may say what is wrong with a question in GraphQL's own way and with an error status.
            is_final: |status, body| (400..500).contains(&status) && status != 429 && parse::<Answer>(body).is_ok(),
            ..Question::get(self.url.clone())
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    errors: Option<Vec<Problem>>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    message: Loose,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    get_node: Option<Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    graph_info: Option<GraphInfo>,
}

#[derive(Deserialize)]
struct GraphInfo {
    #[serde(default)]
    node: Option<BaseNode>,
    #[serde(default)]
    channels: Option<Channels>,
    #[serde(default)]
    metrics: Option<Metrics>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BaseNode {
    pub_key: Loose,
    alias: Loose,
    last_update: Loose,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Channels {
    #[serde(rename = "num_channels")]
    count: Loose,
    total_capacity: Loose,
    fee_info: Option<FeeInfo>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metrics {
    capacity_rank: Loose,
    channels_rank: Loose,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FeeInfo {
    local: Option<Fees>,
    remote: Option<Fees>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Fees {
    median: Loose,
    weighted: Loose,
}

/// The part that both questions read, after what the server complains of.
fn graph_info(body: &str) -> Result<(Option<GraphInfo>, Option<String>), String> {
    let answer: Answer = parse(body)?;
    let complaint = answer.errors.and_then(|errors| errors.into_iter().next()).map(|problem| {
        let words = problem.message.text().map_or_else(|| "without words".to_owned(), |text| http::line(&text));
        format!("it refused: {words}")
    });
    if answer.data.is_none() && complaint.is_none() {
        return Err("it holds neither data nor errors".to_owned());
    }
    Ok((answer.data.and_then(|data| data.get_node).and_then(|node| node.graph_info), complaint))
}

/// Reads the node. Null parts are fields that are not known; all of them null is a node that is not.
pub fn node(body: &str, asked: &Pubkey) -> Result<Told<SeenNode>, String> {
    let (info, complaint) = graph_info(body)?;
    let Some(info) = info else {
        return complaint.map_or_else(|| Ok(Told::Fact(SeenNode::unknown(), None)), Err);
    };
    let base = info.node.unwrap_or_default();
    if base.pub_key.text().is_some_and(|key| key != asked.as_str()) {
        return Err("it is not about the node that was asked for".to_owned());
    }
    let (channels, metrics) = (info.channels.unwrap_or_default(), info.metrics.unwrap_or_default());
    let rank = |rank: &Loose| rank.count().filter(|rank| *rank > 0);
    let seen = SeenNode {
        alias: base.alias.text(),
        capacity: channels.total_capacity.whole(2_100_000_000_000_000).map(Sat::new),
        channels: channels.count.count(),
        capacity_rank: rank(&metrics.capacity_rank),
        channels_rank: rank(&metrics.channels_rank),
        updated_at: base.last_update.whole(i64::MAX / 1000).filter(|secs| *secs > 0).map(UnixMs::from_secs),
    };
    match complaint {
        Some(complaint) if !seen.is_known() => Err(complaint),
        _ => Ok(Told::Fact(seen, None)),
    }
}

#[derive(Deserialize)]
struct Health {
    data: Typename,
}

#[derive(Deserialize)]
struct Typename {
    #[serde(rename = "__typename")]
    name: String,
}

/// Reads whether it answers questions at all.
pub fn health(body: &str) -> Result<(), String> {
    let Health { data } = parse(body)?;
    if data.name.is_empty() { Err("it answers with an empty name".to_owned()) } else { Ok(()) }
}

/// Reads fee rates around the node. Without a key, an answer that asks for one is nothing rather than a failure.
pub fn fees(body: &str, has_key: bool) -> Result<Told<AmbossFees>, String> {
    let (info, complaint) = graph_info(body)?;
    let info = info.and_then(|info| info.channels).and_then(|channels| channels.fee_info);
    if let (None, Some(complaint)) = (&info, complaint) {
        return if !has_key && asks_for_key(&complaint) {
            Ok(Told::Nothing("it needs an API key: set amboss.key_file".to_owned()))
        } else {
            Err(complaint)
        };
    }
    let rate = |fee: &Loose| fee.whole(u32::MAX.into()).map(Ppm);
    let info = info.unwrap_or_default();
    let (local, remote) = (info.local.unwrap_or_default(), info.remote.unwrap_or_default());
    let fees = AmbossFees {
        local_median: rate(&local.median),
        remote_median: rate(&remote.median),
        remote_weighted: rate(&remote.weighted),
    };
    if fees.local_median.is_none() && fees.remote_median.is_none() && fees.remote_weighted.is_none() {
        return Ok(Told::Nothing("it has no fee rates of this node".to_owned()));
    }
    Ok(Told::Fact(fees, None))
}

/// Whether a refusal is about who asks. The words are not promised anywhere; these are what such servers say.
fn asks_for_key(complaint: &str) -> bool {
    let words = complaint.to_ascii_lowercase();
    ["auth", "forbidden", "permission", "api key", "apikey", "login", "log in", "credit"]
        .iter()
        .any(|word| words.contains(word))
}

#[cfg(test)]
mod tests;
