//! What channels forward, charge and earn.

use std::collections::HashMap;

use super::Finding;
use crate::analysis::accounting;
use crate::analysis::facts::{Facts, outbound_ppm};
use crate::analysis::number::share_ppm;
use crate::analysis::words;
use crate::report::Severity;
use crate::snapshot::{Channel, FailureReason};
use crate::units::{DAY_MS, HOUR_MS, Msat, Outpoint, UnixMs};

/// Whether the history is long enough to call a channel idle.
pub(super) fn long_history(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.history_ms() >= facts.limits.idle_days.saturating_mul(DAY_MS)
}

/// Whether the graph told what others charge.
pub(super) fn market(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.snapshot.node.market.is_some()
}

/// Forwards that failed in a week for lack of our balance in one channel.
#[derive(Clone, Copy, Default)]
struct Missed {
    count: u32,
    amount: Msat,
    fee: Msat,
}

/// What was missed by each channel; `None` where too little was watched to tell.
fn missed<'a>(facts: &Facts<'a>) -> Option<HashMap<&'a Outpoint, Missed>> {
    let watched = &facts.history.watched;
    let [_, week, _] = watched.htlcs_ms;
    if week < facts.limits.watched_min_hours.saturating_mul(HOUR_MS) {
        return None;
    }
    let owners = accounting::owners(facts.history, facts.channels());
    let mut by_channel: HashMap<&Outpoint, Missed> = HashMap::new();
    for flow in watched.failures_week.iter().filter(|f| f.reason == FailureReason::Balance) {
        let Some(point) = owners.get(&flow.scid_out) else { continue };
        let sum = by_channel.entry(point).or_default();
        sum.count = sum.count.saturating_add(flow.count);
        sum.amount += flow.amount_out;
        sum.fee += flow.fee;
    }
    Some(by_channel)
}

/// What shows that a drained channel is wanted, and what that is worth.
fn demand(facts: &Facts<'_>, channel: &Channel, missed: Option<&HashMap<&Outpoint, Missed>>) -> Option<(String, Msat)> {
    if let Some(missed) = missed {
        let missed = missed.get(&channel.point).filter(|m| m.count >= facts.limits.drained_failures)?;
        let text = format!(
            "{} for lack of balance in 7 days: {} not sent, {} of fees missed. Refill it or raise its fee.",
            failed(missed.count),
            words::msat(missed.amount),
            words::msat(missed.fee)
        );
        return Some((text, missed.fee));
    }
    let flow = facts.month.get(&channel.point).filter(|f| f.forwards_out > 0)?;
    let text = format!(
        "It earned {} with {} in 30 days, so there is demand that it can't serve now. Refill it or raise its fee.",
        words::msat(flow.fees_earned_msat),
        words::number(usize::try_from(flow.forwards_out).unwrap_or(usize::MAX), "forward")
    );
    Some((text, flow.fees_earned_msat))
}

fn failed(count: u32) -> String {
    format!("{} failed", words::number(usize::try_from(count).unwrap_or(usize::MAX), "forward"))
}

/// `channel-drained`: almost nothing left to send though it is wanted: by failed forwards where a watcher saw them, else
/// by what it earned.
pub(super) fn drained(facts: &Facts<'_>) -> Vec<Finding> {
    let limit = facts.limits.drained_percent.saturating_mul(10_000);
    let missed = missed(facts);
    let mut found = Vec::new();
    for channel in facts.channels().iter().filter(|c| c.active) {
        let Some(share) = outbound_ppm(channel).filter(|share| *share < limit) else { continue };
        let Some((description, worth)) = demand(facts, channel, missed.as_ref()) else { continue };
        let title = format!(
            "Channel {} to {} is drained: {} outbound, {} left to send",
            channel.point.short(),
            facts.peer_name(channel),
            words::percent(share),
            words::sat(channel.local)
        );
        let finding = Finding::new(Severity::Warning, channel.point.as_str(), title, description);
        found.push(finding.worth(worth.floor_sat()));
    }
    found
}

/// `channel-swing`: from nearly empty to nearly full, or back, within days.
pub(super) fn swing(facts: &Facts<'_>) -> Vec<Finding> {
    let limits = facts.limits;
    let since = facts.now.plus(limits.swing_days.saturating_mul(-DAY_MS));
    let mut found = Vec::new();
    for channel in facts.channels() {
        let samples = facts.samples.get(&channel.point).into_iter().flatten().filter(|s| s.at >= since);
        let past = samples.filter_map(|s| {
            let local = i128::from(s.local_sat);
            share_ppm(local, local + i128::from(s.remote_sat))
        });
        let shares: Vec<i64> = past.chain(outbound_ppm(channel)).collect();
        let (Some(low), Some(high)) = (shares.iter().min(), shares.iter().max()) else { continue };
        let empty = *low < limits.swing_low_percent.saturating_mul(10_000);
        if !empty || *high <= limits.swing_high_percent.saturating_mul(10_000) {
            continue;
        }
        let title = format!(
            "Channel {} with {} swung between {} and {} outbound within {} days",
            channel.point.short(),
            facts.peer_name(channel),
            words::percent(*low),
            words::percent(*high),
            limits.swing_days
        );
        let act = "It is too small for what goes over it, or its fee is too low while it empties. A larger channel or a higher fee holds it in the middle for longer.";
        found.push(Finding::new(Severity::Info, channel.point.as_str(), title, act.to_owned()).worth(channel.capacity));
    }
    found
}

/// `channel-saturated`: nothing more can come in by a channel that brought forwards in the last 30 days.
pub(super) fn saturated(facts: &Facts<'_>) -> Vec<Finding> {
    let limit = facts.limits.saturated_percent.saturating_mul(10_000);
    let mut found = Vec::new();
    for channel in facts.channels().iter().filter(|c| c.active) {
        let Some(flow) = facts.month.get(&channel.point).filter(|f| f.forwards_in > 0) else { continue };
        let Some(share) = outbound_ppm(channel).filter(|share| *share >= limit) else { continue };
        let title = format!(
            "Channel {} with {} can receive little: {} outbound, {} inbound left",
            channel.point.short(),
            facts.peer_name(channel),
            words::percent(share),
            words::sat(channel.remote)
        );
        let description = format!(
            "Forwards that came by it earned {} elsewhere in 30 days. A lower fee out of it, or a refill of another channel from it, opens it again.",
            words::msat(flow.fees_assisted_msat)
        );
        found.push(
            Finding::new(Severity::Info, channel.point.as_str(), title, description)
                .worth(flow.fees_assisted_msat.floor_sat()),
        );
    }
    found
}

/// A channel that has forwarded nothing for long.
pub(in crate::analysis) struct Idle {
    /// Its last forward, where one is known at all.
    last: Option<UnixMs>,
}

/// Since when a channel has forwarded nothing, where that is longer than the limit. Young channels are left alone.
pub(in crate::analysis) fn idle_since(facts: &Facts<'_>, channel: &Channel) -> Option<Idle> {
    if !long_history(facts) || facts.age_days(channel).is_none_or(|age| age < facts.limits.idle_days) {
        return None;
    }
    let last = facts.last_forward.get(&channel.point).copied();
    let long = facts.limits.idle_days.saturating_mul(DAY_MS);
    last.is_none_or(|at| facts.now.since(at) >= long).then_some(Idle { last })
}

/// `channel-idle`
pub(super) fn idle(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for channel in facts.channels().iter().filter(|c| c.active) {
        let Some(Idle { last }) = idle_since(facts, channel) else { continue };
        let since = match last {
            Some(at) => format!("for {}", words::span(facts.now.since(at))),
            None => format!("in the {} that are known", words::span(facts.history_ms())),
        };
        let title = format!(
            "Channel {} with {} has forwarded nothing {since}: {} of yours",
            channel.point.short(),
            facts.peer_name(channel),
            words::sat(channel.local)
        );
        let empty =
            outbound_ppm(channel).is_some_and(|share| share < facts.limits.drained_percent.saturating_mul(10_000));
        let act = if empty {
            "Nearly all of it lies with the peer, so there is nothing to sell at any fee, and little of yours is tied up. It forwards again once payments come in from the peer or it is refilled."
        } else {
            "A lower fee may wake it; if not, its funds may earn more with another peer."
        };
        found.push(
            Finding::new(Severity::Info, channel.point.as_str(), title, act.to_owned())
                .worth(channel.local)
                .no_action(),
        );
    }
    found
}

/// `fee-far-from-market`
pub(super) fn far_from_market(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for channel in facts.channels().iter().filter(|c| c.active && !c.private) {
        let Some((market, [low, _, middle, _, high])) = facts.market(&channel.peer) else { continue };
        let Some((_, rate, _)) = facts.our_fee(&channel.point) else { continue };
        let (side, limit) = if rate > high {
            ("above", high)
        } else if rate < low {
            ("below", low)
        } else {
            continue;
        };
        let title = format!(
            "Fee to {} on {}: {} ppm is {side} what nearly all others charge ({} ppm)",
            facts.peer_name(channel),
            channel.point.short(),
            words::grouped(rate.0),
            words::grouped(limit.0)
        );
        let description = format!(
            "{} directions of other nodes lead to this peer; by capacity, 10 % charge up to {} ppm, half up to {} ppm, 90 % up to {} ppm.",
            market.incoming,
            words::grouped(low.0),
            words::grouped(middle.0),
            words::grouped(high.0)
        );
        found.push(
            Finding::new(Severity::Info, channel.point.as_str(), title, description).worth(channel.local).no_action(),
        );
    }
    found
}
