//! What channels forward, charge and earn.

use super::Finding;
use crate::analysis::facts::{Facts, outbound_ppm};
use crate::analysis::number::{clamp, median};
use crate::analysis::words;
use crate::report::Severity;
use crate::snapshot::Channel;
use crate::units::{DAY_MS, Msat, UnixMs};

/// Whether the history is long enough to call a channel idle.
pub(super) fn long_history(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.history_ms() >= facts.limits.idle_days.saturating_mul(DAY_MS)
}

/// Whether the graph told what others charge.
pub(super) fn market(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.snapshot.node.market.is_some()
}

/// Days of the last week, and those before it, with their fees in msat; only days that are known.
fn habit_days(facts: &Facts<'_>) -> (Vec<i64>, Vec<i64>) {
    let days = &facts.history.days;
    let fees = |days: &[Option<crate::history::DaySum>]| days.iter().flatten().map(|d| d.fees.get()).collect();
    let (before, week) = days.split_at(days.len().saturating_sub(7));
    (fees(before), fees(week))
}

/// Whether there are enough days to speak of a habit.
pub(super) fn habit(facts: &Facts<'_>) -> bool {
    let (before, week) = habit_days(facts);
    facts.fresh() && week.len() == 7 && before.len() >= facts.limits.revenue_min_days
}

/// `channel-drained`: almost nothing left to send, though it has earned in the last 30 days.
pub(super) fn drained(facts: &Facts<'_>) -> Vec<Finding> {
    let limit = facts.limits.drained_percent.saturating_mul(10_000);
    let mut found = Vec::new();
    for channel in facts.channels().iter().filter(|c| c.active) {
        let Some(flow) = facts.month.get(&channel.point).filter(|f| f.forwards_out > 0) else { continue };
        let Some(share) = outbound_ppm(channel).filter(|share| *share < limit) else { continue };
        let title = format!(
            "Channel {} to {} is drained: {} outbound, {} left to send",
            channel.point.short(),
            facts.peer_name(channel),
            words::percent(share),
            words::sat(channel.local)
        );
        let description = format!(
            "It earned {} with {} in 30 days, so there is demand that it can't serve now. Refill it or raise its fee: see the recommendations.",
            words::msat(flow.fees_earned_msat),
            words::number(usize::try_from(flow.forwards_out).unwrap_or(usize::MAX), "forward")
        );
        found.push(
            Finding::new(Severity::Warning, channel.point.as_str(), title, description)
                .worth(flow.fees_earned_msat.floor_sat()),
        );
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
        let act = "A lower fee may wake it; if not, its funds may earn more with another peer.";
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

/// `revenue-fall`: the last seven days against seven times the middle day before them.
pub(super) fn revenue_fall(facts: &Facts<'_>) -> Vec<Finding> {
    let (before, week) = habit_days(facts);
    let days = before.len();
    let Some(usual) = median(before) else { return Vec::new() };
    if usual < facts.limits.revenue_min_sat.saturating_mul(1000) {
        return Vec::new();
    }
    let expected = Msat::new(usual.saturating_mul(7));
    let came: Msat = week.into_iter().map(Msat::new).sum();
    if came >= expected.scale(facts.limits.revenue_fall_percent, 100) {
        return Vec::new();
    }
    let share = clamp(i128::from(came.get()).saturating_mul(1_000_000) / i128::from(expected.get()).max(1));
    let title = format!(
        "7 days earned {}, {} of the usual {}",
        words::msat(came),
        words::percent(share),
        words::msat(expected)
    );
    let description = format!(
        "The usual is seven times the middle one of the {} before. Look for drained channels, peers that left, and changed fees under what changed.",
        words::number(days, "day")
    );
    let lost = (expected - came).floor_sat();
    vec![Finding::new(Severity::Warning, "node", title, description).worth(lost)]
}
