//! Peers and the usability of channels.

use std::collections::{BTreeMap, HashSet};

use super::Finding;
use crate::analysis::facts::{Facts, local};
use crate::analysis::words;
use crate::report::Severity;
use crate::snapshot::Channel;
use crate::units::{DAY_MS, Pubkey, Sat};

/// Whether channels and peers could be read and are of now.
pub(super) fn known(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.snapshot.node.peers.is_some()
}

/// Whether the policies of both sides are known too.
pub(super) fn policies(facts: &Facts<'_>) -> bool {
    known(facts) && facts.snapshot.node.policies.is_some()
}

/// Channels by peer.
pub(in crate::analysis) fn by_peer<'a>(facts: &Facts<'a>) -> BTreeMap<&'a Pubkey, Vec<&'a Channel>> {
    let mut peers: BTreeMap<&Pubkey, Vec<&Channel>> = BTreeMap::new();
    for channel in facts.channels() {
        peers.entry(&channel.peer).or_default().push(channel);
    }
    peers
}

/// Peers that were there at the snapshot before and are gone now: gone, and there before.
fn left(facts: &Facts<'_>) -> (usize, usize) {
    let ours: HashSet<&Pubkey> = facts.channels().iter().map(|c| &c.peer).collect();
    let previous = facts.history.previous_snapshot.as_ref().filter(|s| s.node.info.synced_to_chain);
    let before: HashSet<&Pubkey> = match previous.and_then(|s| s.node.peers.as_ref()) {
        Some(peers) => peers.iter().map(|p| &p.pubkey).filter(|p| ours.contains(p)).collect(),
        // Nothing to compare with: only a node without any peer is suspected.
        None if facts.snapshot.node.peers.as_ref().is_some_and(Vec::is_empty) => ours,
        None => return (0, 0),
    };
    let gone = before.iter().filter(|p| facts.connected(p) == Some(false)).count();
    (gone, before.len())
}

/// Whether so many left at once that this node itself is the likely cause.
fn cut_off(facts: &Facts<'_>) -> bool {
    let (gone, before) = left(facts);
    let none = facts.snapshot.node.peers.as_ref().is_some_and(Vec::is_empty) && !facts.channels().is_empty();
    let share = i64::try_from(gone.saturating_mul(100) / before.max(1)).unwrap_or(0);
    (none && gone > 0) || (gone >= facts.limits.mass_offline_peers && share >= facts.limits.mass_offline_percent)
}

/// `many-peers-gone`
pub(super) fn many(facts: &Facts<'_>) -> Vec<Finding> {
    if !cut_off(facts) {
        return Vec::new();
    }
    let (gone, before) = left(facts);
    let all = gone == before;
    let severity = if all { Severity::Critical } else { Severity::Warning };
    let stake = local(facts.channels().iter().filter(|c| !c.active));
    let title = format!("{} of {} peers left at once: {} of yours cannot be used", gone, before, words::sat(stake));
    let act = "That points at this node's own connection and not at its peers, which are not blamed one by one today. Check network, Tor and `lncli listpeers`.";
    vec![Finding::new(severity, "node", title, act.to_owned()).worth(stake)]
}

/// `peer-unreachable`: the peer is gone and every channel with it is unusable.
pub(super) fn unreachable(facts: &Facts<'_>) -> Vec<Finding> {
    if cut_off(facts) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (peer, channels) in by_peer(facts) {
        if facts.connected(peer) != Some(false) || channels.iter().any(|c| c.active) {
            continue;
        }
        let ours = local(channels.iter().copied());
        let gone = facts.gone(peer);
        let title = format!(
            "{} is unreachable: {} of yours in {}",
            facts.name_of(peer),
            words::sat(ours),
            words::number(channels.len(), "channel")
        );
        let away = facts.now.since(gone.since);
        let limit = facts.limits.gone_days;
        let act = if away >= limit.saturating_mul(DAY_MS) {
            "Closing is advised: see the recommendations.".to_owned()
        } else {
            format!("Nothing to do yet: peers mostly come back. Closing is advised from day {limit}.")
        };
        let since = if away > 0 { format!(", without a break for {}", words::span(away)) } else { String::new() };
        let description = format!("Gone in {} of {} samples{since}. {act}", gone.absent, gone.samples);
        found.push(Finding::new(Severity::Warning, peer.as_str(), title, description).worth(ours));
    }
    found
}

/// `channel-inactive`: unusable though the peer is there.
pub(super) fn inactive(facts: &Facts<'_>) -> Vec<Finding> {
    let unusable = |c: &&Channel| !c.active && facts.connected(&c.peer) == Some(true);
    let finding = |c: &Channel| {
        let title = format!(
            "Channel {} with {} is unusable though the peer is connected: {} of yours",
            c.point.short(),
            facts.peer_name(c),
            words::sat(c.local)
        );
        let act = "It may be in re-establishment for a moment. If it stays, reconnect the peer and look for its channel in LND's log.";
        let flags = words::line(&c.status_flags);
        Finding::new(Severity::Warning, c.point.as_str(), title, format!("LND's flags: {flags}. {act}")).worth(c.local)
    };
    facts.channels().iter().filter(unusable).map(finding).collect()
}

/// `channel-disabled-by-peer`: told only while the peer is there; one that is gone has an alert of its own.
pub(super) fn disabled(facts: &Facts<'_>) -> Vec<Finding> {
    let off = |c: &&Channel| c.active && !c.private && facts.their_policy(&c.point).is_some_and(|p| p.disabled);
    let finding = |c: &Channel| {
        let title = format!(
            "{} has disabled channel {}: nothing comes in by it ({} inbound)",
            facts.peer_name(c),
            c.point.short(),
            words::sat(c.remote)
        );
        let act = "The peer announces that it forwards nothing to this node here. Often it restarts or is short of funds; ask it if the state stays for days.";
        Finding::new(Severity::Warning, c.point.as_str(), title, act.to_owned()).worth(c.remote).no_action()
    };
    facts.channels().iter().filter(off).map(finding).collect()
}

/// `channel-disabled-by-us`
pub(super) fn disabled_by_us(facts: &Facts<'_>) -> Vec<Finding> {
    let off = |c: &&Channel| c.active && !c.private && facts.our_policy(&c.point).is_some_and(|p| p.disabled);
    let finding = |c: &Channel| {
        let stake: Sat = c.local;
        let title = format!(
            "This node announces channel {} with {} as disabled: {} cannot be sent by others",
            c.point.short(),
            facts.peer_name(c),
            words::sat(stake)
        );
        let (txid, index) = c.point.as_str().split_once(':').unwrap_or((c.point.as_str(), "0"));
        let act = format!(
            "LND enables it again by itself after some time; at once with `lncli updatechanstatus --funding_txid {txid} --output_index {index} --action enable`."
        );
        Finding::new(Severity::Info, c.point.as_str(), title, act).worth(stake)
    };
    facts.channels().iter().filter(off).map(finding).collect()
}
