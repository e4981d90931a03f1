//! The chain: sync, closes, and the wallet that pays for both.

use std::collections::{BTreeMap, HashSet};

use super::Finding;
use crate::analysis::facts::{BLOCKS_A_DAY, Facts};
use crate::analysis::number::median;
use crate::analysis::words;
use crate::report::Severity;
use crate::snapshot::{CloseKind, ClosedChannel, ForceClosing, PendingChannel, Resolution, Snapshot};
use crate::units::{HOUR_MS, Outpoint, Sat};

/// Whether somebody else's height is known.
pub(super) fn heights(facts: &Facts<'_>) -> bool {
    facts.snapshot.public.block_height.is_some()
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

/// `force-close`: forced closes of this day. Who forced it is told by the kind of the close, never by who opened.
pub(super) fn force_close(facts: &Facts<'_>) -> Vec<Finding> {
    let pending = facts.snapshot.node.pending.as_ref();
    let now = facts.snapshot.node.closed.as_ref().into_iter().flatten();
    let mut closed: BTreeMap<&Outpoint, &ClosedChannel> = facts.history.closed.iter().map(|c| (&c.point, c)).collect();
    closed.extend(now.map(|c| (&c.point, c)));
    let mut found: Vec<Finding> = pending
        .into_iter()
        .flat_map(|p| &p.force_closing)
        .filter(|f| !closed.contains_key(&f.channel.point))
        .filter(|f| today(facts, &f.channel.point, f.channel.closing_txid.as_deref(), None))
        .map(|f| forcing(facts, f))
        .collect();
    for channel in closed.into_values() {
        if today(facts, &channel.point, Some(&channel.closing_txid), Some(channel.close_height)) {
            found.extend(forced(facts, channel));
        }
    }
    found
}

/// Whether a close is new: by its transaction's time, else by the snapshot before, else by its block.
fn today(facts: &Facts<'_>, point: &Outpoint, txid: Option<&str>, height: Option<u32>) -> bool {
    let previous = facts.history.previous_snapshot.as_ref();
    if let Some(tx) = txid.and_then(|txid| facts.transactions.get(txid)) {
        // After days without a run, everything since the last one is new.
        let since = previous.map_or(facts.window.start, |p| p.taken_at.min(facts.window.start));
        return tx.at >= since;
    }
    let complete = |s: &&Snapshot| s.node.pending.is_some() && s.node.closed.is_some();
    if let Some(previous) = previous.filter(complete) {
        return !closing_in(previous, point);
    }
    height.is_some_and(|h| h > 0 && i64::from(facts.snapshot.node.info.block_height) - i64::from(h) < BLOCKS_A_DAY)
}

/// Whether a snapshot already knew a channel as closing by force or closed.
fn closing_in(snapshot: &Snapshot, point: &Outpoint) -> bool {
    let forcing = snapshot.node.pending.as_ref().into_iter().flat_map(|p| &p.force_closing).map(|f| &f.channel.point);
    let closed = snapshot.node.closed.as_ref().into_iter().flatten().map(|c| &c.point);
    forcing.chain(closed).any(|p| p == point)
}

fn forcing(facts: &Facts<'_>, force: &ForceClosing) -> Finding {
    let channel = &force.channel;
    let title = format!(
        "Channel {} with {} was closed by force: {} wait to come back",
        channel.point.short(),
        facts.name_of(&channel.peer),
        words::sat(channel.limbo)
    );
    let when = match force.blocks_til_maturity {
        Some(blocks) if blocks > 0 => format!("LND sweeps them in {blocks} blocks."),
        _ => "LND sweeps them as soon as it can.".to_owned(),
    };
    let act = "Who broadcast it is told by LND once all is swept. Keep the node running until then; find the cause in LND's log (`ChainArbitrator`, `ChannelLink`).";
    Finding::new(Severity::Critical, channel.point.as_str(), title, format!("{when} {act}")).worth(channel.limbo)
}

fn forced(facts: &Facts<'_>, channel: &ClosedChannel) -> Option<Finding> {
    let (who, severity) = match channel.kind {
        CloseKind::Breach => ("with a revoked commitment", Severity::Critical),
        CloseKind::LocalForce => ("by force by this node", Severity::Info),
        CloseKind::RemoteForce => ("by force by the other side", Severity::Info),
        _ => return None,
    };
    // An anchor of 330 sat is mostly not worth its sweep.
    let open = |r: &&Resolution| r.kind != "anchor" && matches!(r.outcome.as_str(), "abandoned" | "unclaimed");
    let lost = channel.resolutions.iter().any(|r| open(&r));
    // LND lists a channel as closed when nothing of it waits any more: what is over is told, not shouted.
    let severity = if lost { severity.max(Severity::Warning) } else { severity };
    let title = format!(
        "Channel {} with {} was closed {who}: {} came back",
        channel.point.short(),
        facts.name_of(&channel.peer),
        words::sat(channel.settled)
    );
    let act = if channel.kind == CloseKind::Breach {
        "The other side tried to cheat, or an old state of it was restored. Check what was claimed with `lncli closedchannels`."
    } else if lost {
        "Some outputs were not claimed: see `lncli closedchannels` for which."
    } else {
        "Everything that was ours is swept; nothing to do but to learn the cause from LND's log."
    };
    let finding = Finding::new(severity, channel.point.as_str(), title, act.to_owned()).worth(channel.settled);
    Some(finding)
}

/// `funds-in-limbo`
pub(super) fn limbo(facts: &Facts<'_>) -> Vec<Finding> {
    let forcing = facts.snapshot.node.pending.as_ref().into_iter().flat_map(|p| &p.force_closing);
    forcing.filter(|f| f.channel.limbo > Sat::ZERO).map(|f| waiting(facts, f)).collect()
}

fn waiting(facts: &Facts<'_>, force: &ForceClosing) -> Finding {
    let channel = &force.channel;
    let sum = words::sat(channel.limbo);
    let name = format!("{} with {}", channel.point.short(), facts.name_of(&channel.peer));
    let (severity, title, act) = match force.blocks_til_maturity {
        Some(blocks) if blocks > 0 => {
            let height = force.maturity_height.map(|h| format!(" (block {h})")).unwrap_or_default();
            let title = format!("{sum} of channel {name} are in limbo for {blocks} more blocks{height}");
            (Severity::Info, title, "LND sweeps them by itself then; nothing to do but to keep it running.")
        }
        Some(blocks) if blocks < -facts.limits.limbo_grace_blocks => {
            let title =
                format!("{sum} of channel {name} could be swept for {} blocks and were not", blocks.saturating_neg());
            (
                Severity::Warning,
                title,
                "See `lncli pendingchannels` and `lncli wallet pendingsweeps`; a sweep with too low a fee is raised by `lncli wallet bumpfee`.",
            )
        }
        Some(_) => {
            let title = format!("{sum} of channel {name} can be swept now");
            (Severity::Info, title, "LND sweeps them within the next blocks.")
        }
        None => {
            let title = format!("{sum} of channel {name} are in limbo, until when is not known yet");
            (Severity::Info, title, "The closing transaction or an HTLC of it is not settled yet.")
        }
    };
    let htlcs = match force.pending_htlcs {
        0 => String::new(),
        n => format!(
            " {} of it wait for a second transaction.",
            words::number(usize::try_from(n).unwrap_or(usize::MAX), "HTLC")
        ),
    };
    Finding::new(severity, channel.point.as_str(), title, format!("{act}{htlcs}")).worth(channel.limbo)
}

/// `pending-close-stuck`: was waiting for its closing transaction at an earlier snapshot too.
pub(super) fn stuck(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(previous) = &facts.history.previous_snapshot else { return Vec::new() };
    let since = |channel: &PendingChannel| {
        let key = format!("pending-close-stuck:{}", channel.point);
        let open = facts.history.open_alerts.iter().find(|a| a.key == key).map(|a| a.since);
        open.map_or(previous.taken_at, |at| at.min(previous.taken_at))
    };
    let before: HashSet<&Outpoint> =
        previous.node.pending.as_ref().into_iter().flat_map(|p| &p.waiting_close).map(|c| &c.point).collect();
    let waiting = facts.snapshot.node.pending.as_ref().into_iter().flat_map(|p| &p.waiting_close);
    let long = |c: &&PendingChannel| {
        before.contains(&c.point) && facts.now.since(since(c)) >= facts.limits.stuck_close_hours.saturating_mul(HOUR_MS)
    };
    let finding = |c: &PendingChannel| {
        let title = format!(
            "The close of channel {} with {} has waited for {}: {} are in it",
            c.point.short(),
            facts.name_of(&c.peer),
            words::span(facts.now.since(since(c))),
            words::sat(c.limbo)
        );
        let act =
            "Its transaction does not confirm, most often for its low fee: raise it with `lncli wallet bumpclosefee`.";
        Finding::new(Severity::Warning, c.point.as_str(), title, act.to_owned()).worth(c.limbo)
    };
    waiting.filter(long).map(finding).collect()
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
    let act = "Without it a forced close can't be hurried when fees rise, and HTLCs in it can be lost. Send coins to an address of `lncli newaddress p2tr`.";
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned()).worth(missing)]
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
