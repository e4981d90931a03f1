//! The chain: how far the node has got, what it costs today, and the wallet that pays.

use super::Finding;
use crate::analysis::facts::Facts;
use crate::analysis::number::{median, real};
use crate::analysis::{choice, words};
use crate::report::Severity;
use crate::snapshot::Fact;
use crate::units::{HOUR_MS, Network, Sat};

/// Whether somebody else's height is known.
pub(super) fn heights(facts: &Facts<'_>) -> bool {
    facts.snapshot.public.block_height.is_some()
}

/// Whether the time of the last block is known, on a chain where blocks come by the clock.
pub(super) fn header(facts: &Facts<'_>) -> bool {
    let info = &facts.snapshot.node.info;
    facts.fresh() && info.network == Network::Mainnet && info.best_header_at.is_some()
}

/// Whether a source told what the chain costs.
pub(super) fn fees_known(facts: &Facts<'_>) -> bool {
    facts.snapshot.public.chain_fees.is_some()
}

/// Whether the wallet's outputs are known and of now.
pub(super) fn outputs(facts: &Facts<'_>) -> bool {
    facts.fresh() && facts.snapshot.node.utxos.is_some()
}

/// `not-synced-chain`
pub(super) fn not_synced(facts: &Facts<'_>) -> Vec<Finding> {
    let info = &facts.snapshot.node.info;
    if info.synced_to_chain {
        return Vec::new();
    }
    let title =
        format!("The node is not synced to its chain: it is at block {}", words::grouped(i64::from(info.block_height)));
    let act = "Balances and channels in this report are what it last knew; nothing of them is lost by that. But while it is behind it sees no cheating close and no HTLC expire: check its chain backend (bitcoind, btcd or neutrino) and its log.";
    vec![Finding::new(Severity::Critical, "node", title, act.to_owned())]
}

/// `not-synced-graph`
pub(super) fn graph(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.snapshot.node.info.synced_to_graph {
        return Vec::new();
    }
    let title = "The node's view of the network is not current".to_owned();
    let act = "Its own payments may find no route; forwards are not affected. It catches up by itself once it has peers that gossip.";
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned()).no_action()]
}

/// `block-height-behind`
pub(super) fn behind(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(other) = &facts.snapshot.public.block_height else { return Vec::new() };
    let own = facts.snapshot.node.info.block_height;
    let missing = i64::from(other.value) - i64::from(own);
    let severity = if missing >= facts.limits.behind_critical_blocks {
        Severity::Critical
    } else if missing >= facts.limits.behind_warning_blocks {
        Severity::Warning
    } else {
        return Vec::new();
    };
    let source = words::line(&other.source);
    let title = format!("The node is {missing} blocks behind {source}: {own} against {}", other.value);
    let act = "It may be cut off from the chain without noticing. Check its chain backend and its connections.";
    vec![Finding::new(severity, "node", title, act.to_owned())]
}

/// Whether anybody else tells how large the node is.
pub(super) fn seen_elsewhere(facts: &Facts<'_>) -> bool {
    let public = &facts.snapshot.public;
    let seen = [&public.seen_by_remote, &public.seen_by_mempool, &public.seen_by_amboss];
    facts.fresh() && facts.snapshot.node.market.is_some() && seen.iter().any(|seen| seen.is_some())
}

/// `sources-disagree`: what is old or not verified proves nothing.
pub(super) fn disagree(facts: &Facts<'_>) -> Vec<Finding> {
    let worth = |name| match name {
        "node_capacity_sat" => Some("public capacity in sat"),
        "node_channels" => Some("number of public channels"),
        _ => None,
    };
    let mut said = Vec::new();
    for (name, told) in choice::all(facts.snapshot) {
        let Some((what, chosen)) = worth(name).zip(choice::choose(&told)) else { continue };
        let far = |(other, differs): &&(&choice::Said, Option<f64>)| {
            let limit = real(facts.limits.sources_differ_percent);
            other.verified && other.health == choice::Health::Well && differs.is_some_and(|by| by.abs() > limit)
        };
        let others: Vec<String> = chosen.others.iter().filter(far).map(|(other, _)| told_by(&other.fact)).collect();
        if !others.is_empty() {
            said.push(format!("{what}: {}, but {}", told_by(&chosen.said.fact), others.join(", ")));
        }
    }
    if said.is_empty() {
        return Vec::new();
    }
    let title = format!("Sources disagree about this node's {}", said.join("; its "));
    let act = "Shortly after a channel opened or closed they may lag behind. If it lasts, the node's announcements may not reach the network: check that it has peers that gossip.";
    vec![Finding::new(Severity::Info, "node", title, act.to_owned()).no_action()]
}

fn told_by(fact: &Fact<i64>) -> String {
    format!("{} by {}", words::grouped(fact.value), words::line(&fact.source))
}

/// `chain-stalled`: silent where another source already told how far the node is behind.
pub(super) fn stalled(facts: &Facts<'_>) -> Vec<Finding> {
    let info = &facts.snapshot.node.info;
    let Some(header) = info.best_header_at else { return Vec::new() };
    let age = facts.now.since(header);
    if age < facts.limits.stalled_hours.saturating_mul(HOUR_MS) || !behind(facts).is_empty() {
        return Vec::new();
    }
    let title =
        format!("The node's last block is {} old: {}", words::span(age), words::grouped(info.block_height.into()));
    let act = "Blocks come every ten minutes on average, and the node says that it is synced: its chain backend may hang or be cut off. Compare the height with another source.";
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned())]
}

/// `chain-fees-high`
pub(super) fn fees_high(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(fees) = &facts.snapshot.public.chain_fees else { return Vec::new() };
    let hour = fees.value.hour;
    if hour < facts.limits.chain_fees_high {
        return Vec::new();
    }
    let title = format!(
        "Chain fees are high: {} sat/vB to confirm within the hour, by {}",
        words::grouped(hour / 1000),
        words::line(&fees.source)
    );
    let act = "Opening, closing and sweeping can mostly wait for a cheaper day; what is forced on the chain costs more than usual.";
    vec![Finding::new(Severity::Info, "node", title, act.to_owned())]
}

/// `anchor-reserve`
pub(super) fn reserve(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(wallet) = &facts.snapshot.node.wallet else { return Vec::new() };
    if wallet.confirmed >= wallet.anchor_reserve {
        return Vec::new();
    }
    let missing = wallet.anchor_reserve - wallet.confirmed;
    let title = format!(
        "The wallet lacks {} for anchor channels: {} of {}",
        words::sat(missing),
        words::sat(wallet.confirmed),
        words::sat(wallet.anchor_reserve)
    );
    // LND asks for 10,000 sat for each announced anchor channel, 100,000 sat at most.
    let anchors = facts.channels().iter().filter(|c| c.anchors && !c.private).count();
    let act = "Without it a forced close can't be hurried when fees rise, and HTLCs in it can be lost. Send coins to an address of `lncli newaddress p2tr`.";
    let description = format!("LND keeps this for {}. {act}", words::number(anchors, "announced anchor channel"));
    vec![Finding::new(Severity::Warning, "node", title, description).worth(missing)]
}

/// `wallet-fragmented`
pub(super) fn fragmented(facts: &Facts<'_>) -> Vec<Finding> {
    let outputs = facts.snapshot.node.utxos.as_deref().unwrap_or_default();
    let small: Vec<i64> = outputs.iter().map(|u| u.amount.get()).filter(|a| *a < facts.limits.fragment_sat).collect();
    if small.len() < facts.limits.fragmented_outputs {
        return Vec::new();
    }
    let sum: Sat = small.iter().copied().map(Sat::new).sum();
    let title = format!(
        "{} of {} unspent outputs are below {}: {} in all",
        small.len(),
        outputs.len(),
        words::sat(Sat::new(facts.limits.fragment_sat)),
        words::sat(sum)
    );
    let middle = median(small).unwrap_or_default();
    let act = "Each costs some 58 vB to spend. Gather them while chain fees are low: `lncli sendcoins --sweepall` to an own address.";
    let description = format!("The middle one has {}. {act}", words::sat(Sat::new(middle)));
    vec![Finding::new(Severity::Info, "node", title, description).worth(sum)]
}
