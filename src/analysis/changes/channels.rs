//! Channels that came, went or changed, and the peers behind them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::change;
use crate::analysis::accounting::{Ledger, came_back};
use crate::analysis::alerts::by_peer;
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::report::Change;
use crate::snapshot::{Channel, ChannelPolicies, CloseKind, ClosedChannel, Pending, Policy, Snapshot};
use crate::units::{Outpoint, Pubkey};

/// Channels that opened or closed, or are on their way to either.
pub(super) fn changes(facts: &Facts<'_>, previous: &Snapshot, ledger: &Ledger<'_>, items: &mut Vec<Change>) {
    closed(facts, previous, items);
    opened(facts, previous, ledger, items);
    if let (Some(before), Some(now)) = (&previous.node.pending, &facts.snapshot.node.pending) {
        pending(facts, before, now, items);
    }
}

fn pending(facts: &Facts<'_>, before: &Pending, now: &Pending, items: &mut Vec<Change>) {
    let known: BTreeSet<&Outpoint> = before.opening.iter().map(|c| &c.point).collect();
    for channel in now.opening.iter().filter(|c| !known.contains(&c.point)) {
        let who = if channel.opened_by_us == Some(false) { "by" } else { "to" };
        let name = facts.name_of(&channel.peer);
        let text = format!("channel {who} {name} is opening: {}", words::sat(channel.capacity));
        items.push(change("channel-opening", channel.point.as_str(), text));
    }
    let known: BTreeSet<&Outpoint> = before.waiting_close.iter().map(|c| &c.point).collect();
    for channel in now.waiting_close.iter().filter(|c| !known.contains(&c.point)) {
        let name = facts.name_of(&channel.peer);
        let text = format!("channel with {name} is closing: {} come back", words::sat(channel.limbo));
        items.push(change("channel-closing", channel.point.as_str(), text));
    }
}

fn points(snapshot: &Snapshot) -> Option<BTreeMap<&Outpoint, &Channel>> {
    Some(snapshot.node.channels.as_ref()?.iter().map(|c| (&c.point, c)).collect())
}

fn opened(facts: &Facts<'_>, previous: &Snapshot, ledger: &Ledger<'_>, items: &mut Vec<Change>) {
    let (Some(now), Some(before)) = (points(facts.snapshot), points(previous)) else { return };
    for (point, channel) in now.into_iter().filter(|(point, _)| !before.contains_key(point)) {
        let cost = match (channel.opened_by_us, ledger.open_cost(point)) {
            (true, Some(cost)) => format!(", chain fee {}", words::sat(cost)),
            (true, None) => ", chain fee not known".to_owned(),
            (false, _) => String::new(),
        };
        let who = if channel.opened_by_us { "opened to" } else { "opened by" };
        let private = if channel.private { ", private" } else { "" };
        let text =
            format!("channel {who} {}: {}{private}{cost}", facts.peer_name(channel), words::sat(channel.capacity));
        items.push(change("channel-opened", point.as_str(), text));
    }
}

fn closed(facts: &Facts<'_>, previous: &Snapshot, items: &mut Vec<Change>) {
    let known: BTreeSet<&Outpoint> = previous.node.closed.iter().flatten().map(|c| &c.point).collect();
    let forcing: BTreeSet<&Outpoint> =
        previous.node.pending.iter().flat_map(|p| &p.force_closing).map(|f| &f.channel.point).collect();
    if previous.node.closed.is_some() {
        let now = facts.snapshot.node.closed.iter().flatten();
        for channel in now.filter(|c| !known.contains(&c.point)) {
            items.push(gone(facts, channel, forcing.contains(&channel.point)));
        }
    }
    if previous.node.pending.is_none() {
        return;
    }
    let pending = facts.snapshot.node.pending.iter().flat_map(|p| &p.force_closing);
    for force in pending.filter(|f| !forcing.contains(&f.channel.point)) {
        let name = facts.name_of(&force.channel.peer);
        let text = format!("channel with {name} was closed by force, {} in limbo", words::sat(force.channel.limbo));
        items.push(change("channel-force-closing", force.channel.point.as_str(), text));
    }
}

fn gone(facts: &Facts<'_>, channel: &ClosedChannel, was_forcing: bool) -> Change {
    let name = facts.name_of(&channel.peer);
    if was_forcing {
        let swept = came_back(facts.history, channel);
        let text = match swept {
            Some((received, cost)) => {
                format!("force close with {name} is over: {} swept, cost {}", words::sat(received), words::sat(cost))
            }
            None => format!("force close with {name} is over: {} came back", words::sat(channel.settled)),
        };
        return change("force-close-resolved", channel.point.as_str(), text);
    }
    let how = match channel.kind {
        CloseKind::Cooperative => "closed by both sides",
        CloseKind::LocalForce => "closed by force by this node",
        CloseKind::RemoteForce => "closed by force by the other side",
        CloseKind::Breach => "closed with a revoked commitment",
        CloseKind::FundingCanceled => "never funded",
        CloseKind::Abandoned => "abandoned",
        CloseKind::Unknown => "closed",
    };
    let text = format!("channel with {name} was {how}, {} came back", words::sat(channel.settled));
    change("channel-closed", channel.point.as_str(), text)
}

/// Peers with channels that left or came back.
pub(super) fn peers(facts: &Facts<'_>, previous: &Snapshot, items: &mut Vec<Change>) {
    let Some(before) = previous.node.peers.as_ref() else { return };
    let before: BTreeSet<&Pubkey> = before.iter().map(|p| &p.pubkey).collect();
    let had: BTreeSet<&Pubkey> = previous.node.channels.iter().flatten().map(|c| &c.peer).collect();
    for (peer, channels) in by_peer(facts) {
        match facts.connected(peer) {
            Some(false) if before.contains(peer) => {
                let text =
                    format!("{} left: {} with it", facts.name_of(peer), words::number(channels.len(), "channel"));
                items.push(change("peer-gone", peer.as_str(), text));
            }
            Some(true) if !before.contains(peer) && had.contains(peer) => {
                items.push(change("peer-back", peer.as_str(), format!("{} is back", facts.name_of(peer))));
            }
            _ => {}
        }
    }
}

/// Policies that differ. Whether a side disabled a channel is told by the alerts of that name.
pub(super) fn policies(facts: &Facts<'_>, previous: &Snapshot, items: &mut Vec<Change>) {
    let before: HashMap<&Outpoint, &ChannelPolicies> =
        previous.node.policies.iter().flatten().map(|p| (&p.point, p)).collect();
    for channel in facts.channels() {
        let Some(old) = before.get(&channel.point) else { continue };
        let name = facts.peer_name(channel);
        if let Some(text) = difference(old.ours.as_ref(), facts.our_policy(&channel.point)) {
            items.push(change("policy-changed", channel.point.as_str(), format!("our fee to {name}: {text}")));
        }
        if let Some(text) = difference(old.theirs.as_ref(), facts.their_policy(&channel.point)) {
            items.push(change("peer-policy-changed", channel.point.as_str(), format!("fee of {name} to us: {text}")));
        }
    }
}

/// What differs between two policies, in the order in which it matters.
fn difference(old: Option<&Policy>, new: Option<&Policy>) -> Option<String> {
    let (old, new) = (old?, new?);
    let mut parts = Vec::new();
    let mut note = |what: &str, from: i64, to: i64, unit: &str| {
        if from != to {
            parts.push(format!("{what}{} → {}{unit}", words::grouped(from), words::grouped(to)));
        }
    };
    note("", old.rate.0, new.rate.0, " ppm");
    note("base ", old.base.get(), new.base.get(), " msat");
    note("inbound ", old.inbound_rate.0, new.inbound_rate.0, " ppm");
    note("inbound base ", old.inbound_base.get(), new.inbound_base.get(), " msat");
    note("time lock ", i64::from(old.time_lock_delta), i64::from(new.time_lock_delta), " blocks");
    note("largest HTLC ", old.max_htlc.floor_sat().get(), new.max_htlc.floor_sat().get(), " sat");
    note("smallest HTLC ", old.min_htlc.get(), new.min_htlc.get(), " msat");
    if parts.is_empty() { None } else { Some(parts.join(", ")) }
}
