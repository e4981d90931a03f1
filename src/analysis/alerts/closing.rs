//! Channels on their way in or out: who closed them, and what waits.

use std::collections::{BTreeMap, HashSet};

use super::Finding;
use crate::analysis::accounting::claimed;
use crate::analysis::facts::{BLOCKS_A_DAY, Facts};
use crate::analysis::words;
use crate::report::Severity;
use crate::snapshot::{CloseKind, ClosedChannel, Commitments, ForceClosing, PendingChannel, Resolution, Snapshot};
use crate::units::{HOUR_MS, Outpoint, Sat, UnixMs};

/// Who put a commitment on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// This node.
    Us,
    /// The other side.
    Them,
    /// The transaction is none of those that were seen before it.
    Unknown,
}

impl By {
    const fn words(self) -> &'static str {
        match self {
            Self::Us => "by force by this node",
            Self::Them => "by force by the other side",
            Self::Unknown => "by force, by whom is not known",
        }
    }
}

/// Whose commitment closes a channel. Who opened it says nothing about that.
fn by(facts: &Facts<'_>, channel: &PendingChannel) -> By {
    let Some(txid) = channel.closing_txid.as_deref().filter(|txid| !txid.is_empty()) else { return By::Unknown };
    let stored = facts.history.commitments.iter().filter(|(point, _)| *point == channel.point).map(|(_, seen)| seen);
    let whose = |seen: &Commitments| {
        if seen.ours == txid {
            Some(By::Us)
        } else if seen.theirs == txid || seen.theirs_next.as_deref() == Some(txid) {
            Some(By::Them)
        } else {
            None
        }
    };
    channel.commitments.iter().chain(stored).find_map(whose).unwrap_or(By::Unknown)
}

/// All closed channels that are known, each as it was seen last.
fn closed<'a>(facts: &Facts<'a>) -> BTreeMap<&'a Outpoint, &'a ClosedChannel> {
    let now = facts.snapshot.node.closed.iter().flatten();
    facts.history.closed.iter().chain(now).map(|c| (&c.point, c)).collect()
}

fn closed_today(facts: &Facts<'_>, channel: &ClosedChannel) -> bool {
    today(facts, &channel.point, Some(&channel.closing_txid), Some(channel.close_height))
}

/// `force-close`: forced closes of this day.
pub(super) fn force_close(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(pending) = &facts.snapshot.node.pending else { return Vec::new() };
    let closed = closed(facts);
    let fresh =
        |c: &PendingChannel| !closed.contains_key(&c.point) && today(facts, &c.point, c.closing_txid.as_deref(), None);
    let mut found = Vec::new();
    for channel in pending.waiting_close.iter().filter(|c| by(facts, c) != By::Unknown && fresh(c)) {
        found.push(forcing(facts, channel, "The transaction is not confirmed yet."));
    }
    for force in pending.force_closing.iter().filter(|f| fresh(&f.channel)) {
        let when = match force.blocks_til_maturity {
            Some(blocks) if blocks > 0 => format!("LND sweeps them in {blocks} blocks{}.", height(force)),
            _ => "LND sweeps them as soon as it can.".to_owned(),
        };
        found.push(forcing(facts, &force.channel, &when));
    }
    found.extend(closed.into_values().filter(|c| closed_today(facts, c)).filter_map(|c| forced(facts, c)));
    found
}

/// Whether a close is new: by its transaction's time, else by the snapshot before, else by its block. When the report of
/// a day is made again, what it told before is still of that day.
fn today(facts: &Facts<'_>, point: &Outpoint, txid: Option<&str>, height: Option<u32>) -> bool {
    let keys = ["force-close", "channel-breach"].map(|rule| format!("{rule}:{point}"));
    let before = facts.history.previous_report.as_ref();
    if before.is_some_and(|report| report.alerts.iter().any(|a| keys.contains(&a.alert_key))) {
        return false;
    }
    let mut open = facts.history.open_alerts.iter().filter(|a| keys.contains(&a.key));
    if open.any(|a| a.since >= facts.window.start) {
        return true;
    }
    let previous = facts.history.previous_snapshot.as_ref();
    if let Some(tx) = txid.and_then(|txid| facts.transactions.get(txid)) {
        // After days without a run, everything since the last one is new.
        let since = previous.map_or(facts.window.start, |p| p.taken_at.min(facts.window.start));
        return tx.at >= since;
    }
    let complete = |s: &&Snapshot| s.node.pending.is_some() && s.node.closed.is_some();
    if let Some(previous) = previous.filter(complete) {
        return !closing_in(facts, previous, point);
    }
    height.is_some_and(|h| h > 0 && i64::from(facts.snapshot.node.info.block_height) - i64::from(h) < BLOCKS_A_DAY)
}

/// Whether a snapshot already knew a channel as closing by force or closed.
fn closing_in(facts: &Facts<'_>, snapshot: &Snapshot, point: &Outpoint) -> bool {
    let closed = snapshot.node.closed.iter().flatten().map(|c| &c.point);
    let waiting = snapshot.node.pending.iter().flat_map(|p| &p.waiting_close);
    let waiting = waiting.filter(|c| by(facts, c) != By::Unknown).map(|c| &c.point);
    forcing_in(snapshot).chain(closed).chain(waiting).any(|p| p == point)
}

/// The channels whose forced close a snapshot saw confirmed and not yet swept.
fn forcing_in(snapshot: &Snapshot) -> impl Iterator<Item = &Outpoint> {
    snapshot.node.pending.iter().flat_map(|p| &p.force_closing).map(|f| &f.channel.point)
}

fn forcing(facts: &Facts<'_>, channel: &PendingChannel, when: &str) -> Finding {
    let by = by(facts, channel);
    let title = format!(
        "Channel {} with {} was closed {}: {} wait to come back",
        channel.point.short(),
        facts.name_of(&channel.peer),
        by.words(),
        words::sat(channel.limbo)
    );
    let act = match by {
        By::Us => {
            "Keep the node running until all is swept; find the cause in LND's log (`ChainArbitrator`, `ChannelLink`)."
        }
        By::Them => "Keep the node running until all is swept; ask the peer for the cause.",
        By::Unknown => {
            "Its transaction is not among the last commitments that were seen; LND tells who it was once all is swept. Keep the node running until then; find the cause in LND's log (`ChainArbitrator`, `ChannelLink`)."
        }
    };
    Finding::new(Severity::Critical, channel.point.as_str(), title, format!("{when} {act}")).worth(channel.limbo)
}

/// A forced close that is over, by LND's own word for it.
fn forced(facts: &Facts<'_>, channel: &ClosedChannel) -> Option<Finding> {
    let who = match channel.kind {
        CloseKind::LocalForce => By::Us.words(),
        CloseKind::RemoteForce => By::Them.words(),
        _ => return None,
    };
    // An anchor of 330 sat is mostly not worth its sweep.
    let open = |r: &Resolution| r.kind != "anchor" && matches!(r.outcome.as_str(), "abandoned" | "unclaimed");
    let lost = channel.resolutions.iter().any(|r| open(r) && !claimed(r, &facts.transactions));
    // LND lists a channel as closed when nothing of it waits any more: what is over is told, not shouted.
    let severity = if lost { Severity::Warning } else { Severity::Info };
    let title = format!(
        "Channel {} with {} was closed {who}: {} came back",
        channel.point.short(),
        facts.name_of(&channel.peer),
        words::sat(channel.settled)
    );
    let act = if lost {
        "Some outputs were not claimed: see `lncli closedchannels` for which."
    } else {
        "Everything that was ours is swept; nothing to do but to learn the cause from LND's log."
    };
    Some(Finding::new(severity, channel.point.as_str(), title, act.to_owned()).worth(channel.settled))
}

/// `channel-breach`
pub(super) fn breach(facts: &Facts<'_>) -> Vec<Finding> {
    let finding = |channel: &ClosedChannel| {
        let title = format!(
            "Channel {} with {} was closed with a revoked commitment: {} came back",
            channel.point.short(),
            facts.name_of(&channel.peer),
            words::sat(channel.settled)
        );
        let act = "The other side tried to cheat, or an old state was restored on either side. Check what was claimed with `lncli closedchannels`.";
        Finding::new(Severity::Critical, channel.point.as_str(), title, act.to_owned()).worth(channel.capacity)
    };
    closed(facts).into_values().filter(|c| c.kind == CloseKind::Breach && closed_today(facts, c)).map(finding).collect()
}

/// The block from which the funds of a forced close are free, where it is known.
fn height(force: &ForceClosing) -> String {
    force.maturity_height.map(|h| format!(" (block {h})")).unwrap_or_default()
}

/// `funds-in-limbo`
pub(super) fn limbo(facts: &Facts<'_>) -> Vec<Finding> {
    let forcing = facts.snapshot.node.pending.iter().flat_map(|p| &p.force_closing);
    // On its first day, `force-close` already says how much waits and until when.
    let told: HashSet<String> = force_close(facts).into_iter().map(|f| f.subject).collect();
    let waits = |f: &&ForceClosing| f.channel.limbo > Sat::ZERO && !told.contains(f.channel.point.as_str());
    forcing.filter(waits).map(|f| waiting(facts, f)).collect()
}

fn waiting(facts: &Facts<'_>, force: &ForceClosing) -> Finding {
    let channel = &force.channel;
    let sum = words::sat(channel.limbo);
    let name = format!("{} with {}", channel.point.short(), facts.name_of(&channel.peer));
    let (severity, title, act) = match force.blocks_til_maturity {
        Some(blocks) if blocks > 0 => {
            let title = format!("{sum} of channel {name} are in limbo for {blocks} more blocks{}", height(force));
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

/// Since when a channel has been opening, and whether that is longer than the limit allows.
fn opening_since(facts: &Facts<'_>, channel: &PendingChannel) -> Option<UnixMs> {
    let funding = channel.point.as_str().split(':').next().and_then(|txid| facts.transactions.get(txid));
    if let Some(tx) = funding {
        return tx.height.is_none().then_some(tx.at);
    }
    let key = format!("pending-open-stuck:{}", channel.point);
    let told = facts.history.open_alerts.iter().find(|a| a.key == key).map(|a| a.since);
    let previous = facts.history.previous_snapshot.as_ref()?;
    let before = previous.node.pending.iter().flat_map(|p| &p.opening).any(|c| c.point == channel.point);
    before.then(|| told.map_or(previous.taken_at, |at| at.min(previous.taken_at)))
}

/// `pending-open-stuck`: its funding transaction does not confirm.
pub(super) fn stuck_open(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for channel in facts.snapshot.node.pending.iter().flat_map(|p| &p.opening) {
        let Some(waited) = opening_since(facts, channel).map(|since| facts.now.since(since)) else { continue };
        if waited < facts.limits.stuck_open_hours.saturating_mul(HOUR_MS) {
            continue;
        }
        let ours = channel.opened_by_us == Some(true);
        let title = format!(
            "The opening of a channel with {} has waited for {}: {}",
            facts.name_of(&channel.peer),
            words::span(waited),
            words::sat(channel.capacity)
        );
        let (severity, act) = if ours {
            (
                Severity::Warning,
                "The fee of its funding transaction is most often too low: raise it with `lncli wallet bumpfee`. After 2,016 blocks the other side forgets the channel.",
            )
        } else {
            (
                Severity::Info,
                "The other side pays for it, so only it can hurry it. After 2,016 blocks LND forgets the channel.",
            )
        };
        found.push(Finding::new(severity, channel.point.as_str(), title, act.to_owned()).worth(channel.local));
    }
    found
}
