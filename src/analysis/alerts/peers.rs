//! Peers and the usability of channels.

use std::collections::{BTreeMap, HashSet};

use super::Finding;
use crate::analysis::facts::{self, Facts, local};
use crate::analysis::number::share_ppm;
use crate::analysis::words;
use crate::history::PeerWatch;
use crate::report::Severity;
use crate::snapshot::Channel;
use crate::units::{DAY_MS, HOUR_MS, Pubkey};

/// Whether channels and peers could be read and are of now.
pub(super) fn known(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.snapshot.node.peers.is_some()
}

/// Channels by peer.
pub(in crate::analysis) fn by_peer<'a>(facts: &Facts<'a>) -> BTreeMap<&'a Pubkey, Vec<&'a Channel>> {
    facts::by_peer(facts.channels())
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

/// Whether a peer is gone and none of its channels can be used.
fn away(facts: &Facts<'_>, peer: &Pubkey, channels: &[&Channel]) -> bool {
    facts.connected(peer) == Some(false) && channels.iter().all(|c| !c.active)
}

/// `peer-unreachable`: the peer is gone and every channel with it is unusable.
pub(super) fn unreachable(facts: &Facts<'_>) -> Vec<Finding> {
    if cut_off(facts) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (peer, channels) in by_peer(facts) {
        if !away(facts, peer, &channels) {
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
        let gone_for = facts.now.since(gone.since);
        let limit = facts.limits.gone_days;
        let act = if gone_for >= limit.saturating_mul(DAY_MS) {
            format!(
                "After {limit} days few come back: try once more to connect, then close by force (`lncli closechannel --force`) to have the funds after the time lock."
            )
        } else {
            format!("Nothing to do yet: peers mostly come back. Closing is advised from day {limit}.")
        };
        // No sample has seen it: it may have left long before the first.
        let least = if gone.absent == gone.samples { "at least " } else { "" };
        let since = if gone_for > 0 {
            format!(", without a break for {least}{}", words::span(gone_for))
        } else {
            String::new()
        };
        let description = format!("Gone in {} of {}{since}. {act}", gone.absent, words::number(gone.samples, "sample"));
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

/// Whether connections were watched for long enough to judge them.
pub(super) fn watched(facts: &Facts<'_>) -> bool {
    let [_, week, _] = facts.history.watched.peers_ms;
    known(facts) && week >= facts.limits.watched_min_hours.saturating_mul(HOUR_MS)
}

/// Peers with channels whose connection was watched in the last week, times of own downtime left out.
fn week_of<'a>(facts: &Facts<'a>) -> Vec<(&'a PeerWatch, Vec<&'a Channel>)> {
    let mut channels = by_peer(facts);
    let least = facts.limits.watched_min_hours.saturating_mul(HOUR_MS);
    let seen = facts.history.watched.peers_week.iter().filter(|w| w.watched_ms >= least);
    seen.filter_map(|w| channels.remove(&w.peer).map(|own| (w, own))).collect()
}

/// `peer-flapping`: breaks that were watched, else LND's own count, which fades by 5 % every 8 quiet hours.
pub(super) fn flapping(facts: &Facts<'_>) -> Vec<Finding> {
    if cut_off(facts) {
        return Vec::new();
    }
    let limits = facts.limits;
    let mut found = Vec::new();
    let mut note = |peer: &Pubkey, channels: &[&Channel], what: String| {
        let title = format!("The connection with {} breaks often: {what}", facts.name_of(peer));
        let act = "Each break stops its channels for a while and makes payments fail. If only this peer breaks, tell it; if many do, look at this node's own connection or Tor.";
        let stake = local(channels.iter().copied());
        found.push(Finding::new(Severity::Warning, peer.as_str(), title, act.to_owned()).worth(stake).no_action());
    };
    if watched(facts) {
        for (watch, channels) in week_of(facts).into_iter().filter(|(w, _)| w.breaks >= limits.flaps_watched) {
            note(&watch.peer, &channels, format!("{} times in 7 days", words::grouped(watch.breaks.into())));
        }
        return found;
    }
    let channels = by_peer(facts);
    for peer in facts.snapshot.node.peers.iter().flatten().filter(|p| p.flaps >= limits.flaps_lnd) {
        if let Some(channels) = channels.get(&peer.pubkey) {
            note(&peer.pubkey, channels, format!("LND counts {}", words::grouped(peer.flaps.into())));
        }
    }
    found
}

/// `peer-uptime-low`: one that is away now has `peer-unreachable`.
pub(super) fn uptime(facts: &Facts<'_>) -> Vec<Finding> {
    if cut_off(facts) {
        return Vec::new();
    }
    let limit = facts.limits.peer_uptime_percent.saturating_mul(10_000);
    let mut found = Vec::new();
    for (watch, channels) in week_of(facts) {
        let share = share_ppm(watch.connected_ms.into(), watch.watched_ms.into());
        let Some(share) = share.filter(|share| *share < limit && !away(facts, &watch.peer, &channels)) else {
            continue;
        };
        let ours = local(channels.iter().copied());
        let title = format!(
            "{} was connected for {} of the time in 7 days: {} of yours with it",
            facts.name_of(&watch.peer),
            words::percent(share),
            words::sat(ours)
        );
        let text = format!(
            "Watched for {}, without the times when this node itself was cut off. If it stays so, its channels are worth less than others.",
            words::span(watch.watched_ms)
        );
        found.push(Finding::new(Severity::Warning, watch.peer.as_str(), title, text).worth(ours).no_action());
    }
    found
}
