//! Close channels that are dead or idle.

use std::collections::BTreeMap;

use super::liquidity::payback;
use super::{Candidate, evidence, unreachable};
use crate::analysis::accounting::Ledger;
use crate::analysis::alerts::{Judged, by_peer, idle_since};
use crate::analysis::assemble::known_net;
use crate::analysis::facts::{Facts, local};
use crate::analysis::number::ratio_ppm;
use crate::analysis::words;
use crate::report::Category;
use crate::snapshot::Channel;
use crate::units::{DAY_MS, Ppm, Pubkey, Sat};

/// Size in vB of a sweep of one output, and of a funding and a closing transaction.
const SWEEP_VB: i64 = 120;
const CLOSE_VB: i64 = 140;
const OPEN_VB: i64 = 155;

/// What a transaction of a size costs within the hour, where a source tells.
fn chain_fee(facts: &Facts<'_>, vbytes: i64) -> Option<Sat> {
    let rate = facts.snapshot.public.chain_fees.as_ref()?.value.hour.max(0);
    Some(Sat::new(rate.saturating_mul(vbytes) / 1000))
}

/// Close by force what was opened with a peer that has been gone for long.
pub(super) fn gone(facts: &Facts<'_>, ledger: &Ledger<'_>, judged: &Judged) -> Vec<Candidate> {
    let away = unreachable(judged);
    let peers = by_peer(facts).into_iter().filter(|(peer, _)| away.contains(peer.as_str()));
    peers.filter_map(|(peer, channels)| dead(facts, ledger, peer, &channels)).collect()
}

fn dead(facts: &Facts<'_>, ledger: &Ledger<'_>, peer: &Pubkey, channels: &[&Channel]) -> Option<Candidate> {
    let gone = facts.gone(peer);
    let away = facts.now.since(gone.since);
    let ours = local(channels.iter().copied());
    let held = channels.iter().any(|c| !c.htlcs.is_empty());
    if away < facts.limits.gone_days.saturating_mul(DAY_MS) || held || ours <= Sat::ZERO {
        return None;
    }
    let commits: Sat = channels.iter().filter(|c| c.opened_by_us).map(|c| c.commit_fee).sum();
    let count = i64::try_from(channels.len()).unwrap_or(i64::MAX);
    let cost = chain_fee(facts, SWEEP_VB.saturating_mul(count)).map(|sweep| sweep + commits);
    if cost.is_some_and(|cost| cost >= ours) {
        return None;
    }
    let all = local(facts.channels());
    let gain = known_net(facts, ledger)
        .filter(|net| net.get() > 0)
        .and_then(|net| net.ppm_of(all.msat()))
        .map(|rate| ours.msat().at(rate).floor_sat());
    let name = facts.name_of(peer);
    let commands: Vec<String> =
        channels.iter().map(|c| format!("lncli closechannel --force --chan_point {}", c.point)).collect();
    Some(Candidate {
        kind: "close-gone",
        category: Category::Channels,
        subject: peer.as_str().to_owned(),
        title: format!(
            "Close {} with {name}: gone for {}",
            words::number(channels.len(), "channel"),
            words::span(away)
        ),
        description: format!(
            "{} of yours lie idle with a peer that no sample of that time has seen. Try once more to connect (`lncli connect {peer}@host:port`, and its operator); then close by force. The funds come back after the time lock.",
            words::sat(ours)
        ),
        command: commands.join("\n"),
        channels: channels.iter().map(|c| c.point.clone()).collect(),
        evidence: vec![
            evidence("samples without the peer", format!("{} of {}", gone.absent, gone.samples)),
            evidence("yours", words::sat(ours)),
            evidence("fee of the commitments", words::sat(commits)),
        ],
        payback_days: cost.zip(gain).and_then(|(cost, gain)| payback(cost, gain)),
        gain,
        cost,
        confidence: 0.7,
        urgent: None,
    })
}

/// Close channels with a peer that earn nothing, where the middle peer would earn more than closing and opening costs.
pub(super) fn idle(facts: &Facts<'_>) -> Vec<Candidate> {
    let peers = by_peer(facts);
    let (Some(cost_each), Some(fees)) = (chain_fee(facts, CLOSE_VB + OPEN_VB), &facts.snapshot.public.chain_fees)
    else {
        return Vec::new();
    };
    let yields: BTreeMap<&Pubkey, (i64, i128)> =
        peers.iter().filter_map(|(p, c)| yield_of(facts, c).map(|y| (*p, y))).collect();
    let Some(middle) = weighted_median(yields.values().copied().collect()) else { return Vec::new() };
    if fees.value.hour > facts.limits.close_max_fee || yields.len() < 3 || middle <= 0 {
        return Vec::new();
    }
    let idle = peers.iter().filter(|(_, channels)| channels.iter().all(|c| may_close(facts, c)));
    idle.filter_map(|(_, channels)| closing(facts, channels, middle, cost_each)).collect()
}

/// What a peer's channels earned in 30 days, coming and going, in ppm of their capacity; with the capacity.
fn yield_of(facts: &Facts<'_>, channels: &[&Channel]) -> Option<(i64, i128)> {
    let capacity: i128 = channels.iter().map(|c| i128::from(c.capacity.get().max(0))).sum();
    let earned: i128 = channels
        .iter()
        .filter_map(|c| facts.month.get(&c.point))
        .map(|f| i128::from(f.fees_earned_msat.get()) + i128::from(f.fees_assisted_msat.get()))
        .sum();
    ratio_ppm(earned, capacity * 1000).map(|rate| (rate, capacity))
}

/// The middle by size: half of the capacity earns no more than this.
fn weighted_median(mut yields: Vec<(i64, i128)>) -> Option<i64> {
    yields.sort_unstable();
    let all: i128 = yields.iter().map(|(_, size)| size).sum();
    let mut below = 0;
    yields
        .into_iter()
        .find(|(_, size)| {
            below += size * 2;
            below >= all
        })
        .map(|(rate, _)| rate)
}

/// Not young, not private, nothing in flight, and idle in both directions for long.
fn may_close(facts: &Facts<'_>, channel: &Channel) -> bool {
    let old = facts.age_days(channel).is_some_and(|age| age >= facts.limits.close_min_age_days);
    channel.active && !channel.private && channel.htlcs.is_empty() && old && idle_since(facts, channel).is_some()
}

fn closing(facts: &Facts<'_>, channels: &[&Channel], middle: i64, cost_each: Sat) -> Option<Candidate> {
    let capacity: Sat = channels.iter().map(|c| c.capacity).sum();
    let ours = local(channels.iter().copied());
    let count = i64::try_from(channels.len()).unwrap_or(i64::MAX);
    let cost = Sat::new(cost_each.get().saturating_mul(count));
    // Only our side can be put to work elsewhere.
    let gain = ours.msat().at(Ppm(middle)).floor_sat();
    if Sat::new(gain.get().saturating_mul(facts.limits.close_horizon_months)) <= cost {
        return None;
    }
    let first = channels.first()?;
    let name = facts.peer_name(first);
    let commands: Vec<String> =
        channels.iter().map(|c| format!("lncli closechannel --chan_point {}", c.point)).collect();
    Some(Candidate {
        kind: "close-idle",
        category: Category::Channels,
        subject: first.peer.as_str().to_owned(),
        title: format!(
            "Close {} with {name} and use {} elsewhere",
            words::number(channels.len(), "channel"),
            words::sat(ours)
        ),
        description: format!(
            "No forward in either direction for {} days, while the middle peer earns {middle} ppm of its capacity a month. Lower its fee first if you have not; closing and opening anew costs about {} at today's chain fees.",
            facts.limits.idle_days,
            words::sat(cost)
        ),
        command: commands.join("\n"),
        channels: channels.iter().map(|c| c.point.clone()).collect(),
        evidence: vec![
            evidence("capacity", words::sat(capacity)),
            evidence("the middle peer earns", format!("{middle} ppm of capacity a month")),
            evidence("close and open again", words::sat(cost)),
        ],
        gain: Some(gain),
        cost: Some(cost),
        payback_days: payback(cost, gain),
        confidence: 0.3,
        urgent: None,
    })
}
