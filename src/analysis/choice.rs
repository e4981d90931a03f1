//! Which of several sources is believed, and how far the others are from it.
//!
//! The first source in the order that is well answers. One whose answer is old stands in where none is well; one of which
//! it is not known what its answer means never goes before one of which it is.

use super::number::real;
use crate::report::{FactElsewhere, SourcedFact, Time};
use crate::snapshot::{Fact, PublicView, SeenNetwork, SeenNode, Snapshot, SourceStatus};
use crate::units::{Sat, UnixMs};

/// How a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    /// It answered just now.
    Well,
    /// It did not; what it said before is used. Or it says itself that it is behind.
    Old,
}

/// What one source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The value, who says it, and when it held.
    pub(super) fact: Fact<i64>,
    /// How that source is.
    pub(super) health: Health,
    /// Whether it is known what its answer means.
    pub(super) verified: bool,
}

/// What is believed, and what the others say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen<'a> {
    /// What is believed.
    pub(super) said: &'a Said,
    /// The others in their order, each with how many percent more it says.
    pub(super) others: Vec<(&'a Said, Option<f64>)>,
}

/// Chooses among sources in the order in which they are asked; `None` where none of them knows.
pub(super) fn choose(ordered: &[Option<Said>]) -> Option<Chosen<'_>> {
    let told = || ordered.iter().flatten();
    // The first of equals is taken.
    let said = told().min_by_key(|said| (!said.verified, said.health))?;
    let others = told().filter(|other| !std::ptr::eq(*other, said));
    Some(Chosen {
        said,
        others: others.map(|other| (other, more_percent(other.fact.value, said.fact.value))).collect(),
    })
}

/// By how many percent a value is more than another, to four decimals; `None` where that other is zero.
fn more_percent(value: i64, than: i64) -> Option<f64> {
    let more = real(value) - real(than);
    (than != 0).then(|| (more / real(than).abs() * 1_000_000.0).round() / 10_000.0)
}

/// Every fact that more than one source can tell, as far as one does.
pub(super) fn facts(snapshot: &Snapshot) -> Vec<SourcedFact> {
    all(snapshot).iter().filter_map(|(name, said)| Some(row(name, &choose(said)?, snapshot.taken_at))).collect()
}

fn row(name: &str, chosen: &Chosen<'_>, now: UnixMs) -> SourcedFact {
    let Fact { value, source, as_of } = &chosen.said.fact;
    let others = chosen.others.iter().map(|(said, differs_percent)| FactElsewhere {
        source: said.fact.source.clone(),
        value: said.fact.value,
        differs_percent: *differs_percent,
        as_of: Time(said.fact.as_of),
        verified: said.verified,
    });
    SourcedFact {
        name: name.to_owned(),
        value: *value,
        source: source.clone(),
        as_of: Time(*as_of),
        age_s: now.since(*as_of).max(0) / 1000,
        verified: chosen.said.verified,
        others: others.collect(),
    }
}

/// What each source says of each fact, in the order in which they are believed.
pub(super) fn all(snapshot: &Snapshot) -> Vec<(&'static str, Vec<Option<Said>>)> {
    let told = Told::new(snapshot);
    let (node, public) = (&snapshot.node, &snapshot.public);
    let market = node.market.as_ref();
    let height = public.block_height.as_ref().map(|fact| (fact, i64::from(fact.value)));
    let fee = public.chain_fees.as_ref().map(|fact| (fact, fact.value.hour));
    let size = node.network.as_ref();
    let nodes = market.map(|m| m.nodes).or(size.map(|s| s.nodes));
    let channels = market.map(|m| m.channels).or(size.map(|s| s.channels));
    let capacity = market.map(|m| m.capacity).or(size.map(|s| s.capacity));
    vec![
        (
            "block_height",
            vec![told.lnd(Some(i64::from(node.info.block_height))), told.elsewhere("mempool.height", height)],
        ),
        ("hour_fee_sat_per_kvb", vec![told.lnd(node.hour_fee), told.elsewhere("mempool.fees", fee)]),
        ("node_capacity_sat", told.place(market.map(|m| m.own_capacity.get()), |s| s.capacity.map(Sat::get))),
        ("node_channels", told.place(market.map(|m| i64::from(m.own_channels)), |s| s.channels.map(i64::from))),
        (
            "node_capacity_rank",
            told.place(market.and_then(|m| m.capacity_rank).map(i64::from), |s| s.capacity_rank.map(i64::from)),
        ),
        (
            "node_channels_rank",
            told.place(market.and_then(|m| m.channels_rank).map(i64::from), |s| s.channels_rank.map(i64::from)),
        ),
        ("network_nodes", told.network(nodes.map(i64::from), |s| s.nodes.map(i64::from))),
        ("network_channels", told.network(channels.map(i64::from), |s| s.channels.map(i64::from))),
        ("network_capacity_sat", told.network(capacity.map(Sat::get), |s| s.capacity.map(Sat::get))),
    ]
}

/// The snapshot, by who says what.
struct Told<'a> {
    snapshot: &'a Snapshot,
    public: &'a PublicView,
}

impl<'a> Told<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, public: &snapshot.public }
    }

    /// What the node itself says. The first source is the one that it was read through.
    fn lnd(&self, value: Option<i64>) -> Option<Said> {
        let source = self.snapshot.sources.first().map_or("lnd", |source| source.name.as_str());
        let health = if self.snapshot.node.info.synced_to_chain { Health::Well } else { Health::Old };
        let fact = Fact { value: value?, source: source.to_owned(), as_of: self.snapshot.taken_at };
        Some(Said { fact, health, verified: true })
    }

    /// What a public source says. A gap in the part means that its last good answer stands in.
    fn elsewhere<T>(&self, part: &str, told: Option<(&Fact<T>, i64)>) -> Option<Said> {
        let (Fact { source, as_of, .. }, value) = told?;
        let stale = self.snapshot.sources.iter().any(|s| s.name == *source && s.status == SourceStatus::Stale);
        let health =
            if stale || self.snapshot.gaps.iter().any(|gap| gap.part == part) { Health::Old } else { Health::Well };
        let fact = Fact { value, source: source.clone(), as_of: *as_of };
        Some(Said { fact, health, verified: !part.starts_with("lnrouter.") })
    }

    /// What everybody says of the node.
    fn place(&self, own: Option<i64>, of: impl Fn(&SeenNode) -> Option<i64>) -> Vec<Option<Said>> {
        let public = self.public;
        let say = |part, fact: &Option<Fact<SeenNode>>| {
            self.elsewhere(part, fact.as_ref().and_then(|fact| of(&fact.value).map(|value| (fact, value))))
        };
        vec![
            self.lnd(own),
            say("remote.network", &public.seen_by_remote),
            say("lnrouter.network", &public.seen_by_lnrouter),
            say("mempool.node", &public.seen_by_mempool),
            say("amboss.node", &public.seen_by_amboss),
        ]
    }

    /// What everybody says of the network.
    fn network(&self, own: Option<i64>, of: impl Fn(&SeenNetwork) -> Option<i64>) -> Vec<Option<Said>> {
        let public = self.public;
        let say = |part, fact: Option<Fact<SeenNetwork>>| {
            self.elsewhere(part, fact.as_ref().and_then(|fact| of(&fact.value).map(|value| (fact, value))))
        };
        let mempool = public.network_by_mempool.as_ref().map(|fact| {
            let size = &fact.value;
            let value =
                SeenNetwork { nodes: Some(size.nodes), channels: Some(size.channels), capacity: Some(size.capacity) };
            Fact { value, source: fact.source.clone(), as_of: fact.as_of }
        });
        vec![
            self.lnd(own),
            say("remote.network", public.network_by_remote.clone()),
            say("lnrouter.network", public.network_by_lnrouter.clone()),
            say("mempool.network", mempool),
        ]
    }
}

#[cfg(test)]
mod tests;
