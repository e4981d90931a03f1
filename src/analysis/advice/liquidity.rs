//! Move sats.

use std::collections::HashSet;

use super::{Candidate, basics, confidence, earns, evidence};
use crate::analysis::facts::{Facts, outbound_ppm};
use crate::analysis::number::clamp;
use crate::analysis::words;
use crate::report::Category;
use crate::snapshot::Channel;
use crate::units::{Outpoint, Ppm, Sat};

/// A channel that earns and runs dry.
struct Target<'a> {
    channel: &'a Channel,
    /// What it earns for what it sends: the lower of what it charges now and what it earned.
    earning: Ppm,
    /// What it would take: to the middle, but no more than it sent in 30 days.
    amount: Sat,
}

/// Refill drained channels that earn, each from the full channel that sends the least.
pub(super) fn refill(facts: &Facts<'_>) -> Vec<Candidate> {
    let mut targets: Vec<Target<'_>> = facts.channels().iter().filter_map(|c| target(facts, c)).collect();
    targets.sort_by_key(|t| (std::cmp::Reverse(earns(t.amount.msat(), t.earning)), &t.channel.point));
    let mut given: HashSet<&Outpoint> = HashSet::new();
    let mut found = Vec::new();
    for target in &targets {
        let Some((source, cost_of_source)) = source(facts, target, &given) else { continue };
        if let Some(candidate) = candidate(facts, target, source, cost_of_source) {
            given.insert(&source.point);
            found.push(candidate);
        }
    }
    found
}

fn middle(channel: &Channel) -> Sat {
    let both = i128::from(channel.local.get()) + i128::from(channel.remote.get());
    Sat::new(clamp(both / 2))
}

fn target<'a>(facts: &Facts<'a>, channel: &'a Channel) -> Option<Target<'a>> {
    let dry = outbound_ppm(channel)? < facts.limits.refill_below_percent.saturating_mul(10_000);
    let flow = facts.month.get(&channel.point).filter(|f| f.forwards_out > 0)?;
    if !channel.active || !dry {
        return None;
    }
    let earned = flow.fees_earned_msat.ppm_of(flow.amount_out_msat)?;
    let earning = facts.our_fee(&channel.point).map_or(earned, |(_, rate, _)| rate.min(earned));
    let amount = (middle(channel) - channel.local).min(flow.amount_out_msat.floor_sat());
    (earning.0 > 0 && amount.get() >= facts.limits.refill_min_sat).then_some(Target { channel, earning, amount })
}

/// The full channel of another peer that sends the least, with what it earns itself.
fn source<'a>(facts: &Facts<'a>, target: &Target<'_>, given: &HashSet<&Outpoint>) -> Option<(&'a Channel, Ppm)> {
    let full = |c: &&Channel| {
        c.active
            && c.peer != target.channel.peer
            && !given.contains(&c.point)
            && outbound_ppm(c).is_some_and(|share| share > facts.limits.give_above_percent.saturating_mul(10_000))
            && (c.local - middle(c)).get() >= facts.limits.refill_min_sat
    };
    let lost = |c: &Channel| {
        let flow = facts.month.get(&c.point).copied().unwrap_or_default();
        flow.fees_earned_msat.ppm_of(flow.amount_out_msat).unwrap_or_default().max(Ppm(0))
    };
    let sources = facts.channels().iter().filter(full);
    let best = sources.min_by_key(|c| (lost(c), std::cmp::Reverse(c.local), &c.point))?;
    Some((best, lost(best)))
}

fn candidate(facts: &Facts<'_>, target: &Target<'_>, source: &Channel, lost: Ppm) -> Option<Candidate> {
    let channel = target.channel;
    let budget = target.earning.0.saturating_mul(facts.limits.refill_budget_percent.clamp(1, 100)) / 100;
    let budget = Ppm(budget.saturating_sub(lost.0));
    // The last hop charges its own fee: where that alone is beyond the budget, no route can be cheap enough.
    let last_hop = facts.their_policy(&channel.point).map(|p| p.rate);
    if budget.0 <= 0 || last_hop.is_some_and(|rate| rate >= budget) {
        return None;
    }
    let amount = target.amount.min(source.local - middle(source));
    let amount = Sat::new(amount.get() / 1000 * 1000);
    let budgeted = amount.msat().at(budget).floor_sat();
    let gross = earns(amount.msat(), Ppm(target.earning.0.saturating_sub(lost.0)));
    let sent = |c: &Channel| facts.month.get(&c.point).copied().unwrap_or_default().amount_out_msat;
    let (to, from) = (facts.peer_name(channel), facts.peer_name(source));
    let mut numbers = basics(facts, channel);
    numbers.push(evidence("earns", format!("{} ppm of what it sends", target.earning.0)));
    numbers.push(evidence("source would earn", format!("{} ppm", lost.0)));
    numbers.push(evidence("most it may cost", format!("{} ppm, {}", budget.0, words::sat(budgeted))));
    if let Some(rate) = last_hop {
        numbers.push(evidence("the peer's own fee", format!("{} ppm", rate.0)));
    }
    Some(Candidate {
        kind: "refill",
        category: Category::Liquidity,
        subject: channel.point.as_str().to_owned(),
        title: format!("Refill {to} by {} from {from}, at most {}", words::sat(amount), words::sat(budgeted)),
        description: format!(
            "{to} sent {} in 30 days and has {} left; {from} holds {} and sent {}. Up to {} ppm the refill earns more than it costs, if as much is sent again.",
            words::msat(sent(channel)),
            words::sat(channel.local),
            words::sat(source.local),
            words::msat(sent(source)),
            budget.0
        ),
        command: format!(
            "bos rebalance --out {} --in {} --amount {} --max-fee-rate {} --max-fee {}",
            source.peer,
            channel.peer,
            amount.get(),
            budget.0,
            budgeted.get().max(1)
        ),
        channels: vec![channel.point.clone(), source.point.clone()],
        evidence: numbers,
        gain: Some(gross - budgeted),
        cost: Some(budgeted),
        payback_days: payback(budgeted, gross),
        confidence: confidence(facts, 0.5),
        urgent: None,
    })
}

/// Days until what comes in each month has paid for what went out once.
pub(super) fn payback(cost: Sat, month: Sat) -> Option<u32> {
    if month <= Sat::ZERO {
        return None;
    }
    let days = i128::from(cost.get().max(0)) * 30;
    let month = i128::from(month.get());
    u32::try_from((days + month - 1) / month).ok()
}
