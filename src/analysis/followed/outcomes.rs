//! What a followed advice brought beyond what would have come anyway.
//!
//! The channels that it touched are held against the node's other channels over the same days: had they gone the way of
//! the others, they would have earned what they earned before, times what became of the others' earnings.

use std::collections::{HashMap, HashSet};

use super::channels_of;
use crate::analysis::accounting::by_channel;
use crate::analysis::facts::{Facts, Flows};
use crate::history::{AdviceSpan, PastAdvice, Period};
use crate::report::{Act, AdviceOutcome};
use crate::units::{DAY_MS, Msat, Outpoint, Scid, UnixMs};

/// Days after an advice was followed at which it is measured.
const DUE: [u32; 2] = [7, 30];

/// The outcomes that are due and not known yet.
pub(super) fn due(facts: &Facts<'_>, owners: &HashMap<Scid, &Outpoint>, advice: &PastAdvice) -> Vec<AdviceOutcome> {
    let Some(followed_at) = advice.followed_at else { return Vec::new() };
    let over = |days: &u32| facts.now.since(followed_at) >= i64::from(*days).saturating_mul(DAY_MS);
    let unknown = |days: &u32| advice.outcomes.iter().all(|o| o.days != *days);
    DUE.into_iter()
        .filter(|days| over(days) && unknown(days))
        .filter_map(|days| advice.spans.iter().find(|s| s.days == days))
        .map(|span| measured(facts, owners, advice, span))
        .collect()
}

fn measured(
    facts: &Facts<'_>,
    owners: &HashMap<Scid, &Outpoint>,
    advice: &PastAdvice,
    span: &AdviceSpan,
) -> AdviceOutcome {
    let told = advice.act.as_ref().and_then(|act| compared(facts, owners, advice, act, span));
    let month = |amount: Msat| amount.scale(30, i64::from(span.days.max(1)));
    AdviceOutcome {
        days: span.days,
        measured_at: facts.now,
        gained: told.map(|(came, anyway)| month(came - anyway)),
        anyway: told.map(|(_, anyway)| month(anyway)),
    }
}

/// What came in the days after, and what would have come anyway; `None` where the comparison is too thin.
fn compared(
    facts: &Facts<'_>,
    owners: &HashMap<Scid, &Outpoint>,
    advice: &PastAdvice,
    act: &Act,
    span: &AdviceSpan,
) -> Option<(Msat, Msat)> {
    span.before.window.and(span.after.window)?;
    let (before, after) = (by_channel(&span.before, owners), by_channel(&span.after, owners));
    let touched: HashSet<&Outpoint> = match act {
        // What the freed sats earn elsewhere can't be told from what else happened.
        Act::Close { .. } => return None,
        Act::Open { peer, .. } => facts
            .history
            .scids
            .iter()
            .filter(|(.., p)| p == peer)
            .map(|(_, point, _)| point)
            .chain(facts.channels_with(peer).iter().map(|c| &c.point))
            .collect(),
        act => channels_of(act).into_iter().collect(),
    };
    let earned = net(&before, &touched);
    let came = net(&after, &touched);
    if matches!(act, Act::Open { .. }) {
        // There was no such channel.
        return Some((came, Msat::ZERO));
    }
    let (was, is) = others(facts, owners, advice, &touched, span)?;
    // A ratio of small sums runs away: no more than double, no less than half.
    let is = is.max(was.scale(1, 2)).min(was.scale(2, 1));
    Some((came, earned.scale(is.get(), was.get())))
}

/// Fees less the cost of refilling, over some channels.
fn net(flows: &Flows, channels: &HashSet<&Outpoint>) -> Msat {
    let of = channels.iter().filter_map(|point| flows.get(*point));
    of.map(|flow| flow.fees_earned_msat - flow.rebalance_cost_msat).sum()
}

/// What the other channels earned before and after, those left out that another advice changed in that time; `None` with
/// too few channels or forwards.
fn others(
    facts: &Facts<'_>,
    owners: &HashMap<Scid, &Outpoint>,
    advice: &PastAdvice,
    touched: &HashSet<&Outpoint>,
    span: &AdviceSpan,
) -> Option<(Msat, Msat)> {
    let start = span.before.window?.start;
    let changed = |at: Option<UnixMs>| at.is_some_and(|at| at >= start);
    let elsewhere = facts.history.advice.iter().filter(|a| a.id != advice.id && changed(a.followed_at));
    let disturbed: HashSet<&Outpoint> =
        elsewhere.filter_map(|a| a.act.as_ref()).flat_map(channels_of).chain(touched.iter().copied()).collect();
    let mut channels: HashSet<&Outpoint> = HashSet::new();
    let mut sum = |period: &Period| {
        let mut forwards = 0_u32;
        let mut fees = Msat::ZERO;
        for flow in period.channels.iter().filter(|f| f.forwards_out > 0) {
            let Some(point) = owners.get(&flow.scid).filter(|p| !disturbed.contains(*p)) else { continue };
            channels.insert(point);
            forwards = forwards.saturating_add(flow.forwards_out);
            fees += flow.fees_earned;
        }
        (forwards, fees)
    };
    let ((forwards, was), (_, is)) = (sum(&span.before), sum(&span.after));
    let limits = facts.limits;
    let enough = channels.len() >= limits.outcome_min_channels && forwards >= limits.outcome_min_forwards;
    (enough && was > Msat::ZERO).then_some((was, is))
}
