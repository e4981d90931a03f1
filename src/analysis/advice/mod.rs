//! What to do: one list over all subjects, ranked by sats a month, with the exact commands.
//!
//! Gains rest on what this node saw itself in the last 30 days; where that gives no honest figure the gain is null. No
//! channel gets two acts at once: after a fee has changed, a refill is judged anew from what came of it.

mod channels;
mod fees;
mod liquidity;
mod settings;

use std::collections::{BTreeSet, HashSet};

use super::accounting::Ledger;
use super::alerts::Judged;
use super::facts::{Facts, outbound_ppm};
use super::number::{clamp, real, whole};
use super::words;
use crate::report::{Category, Evidence, Priority, Recommendation};
use crate::snapshot::Channel;
use crate::units::{DAY_MS, Msat, Outpoint, Ppm, Sat};

/// What a kind of advice found, before it is ranked.
struct Candidate {
    kind: &'static str,
    category: Category,
    subject: String,
    title: String,
    description: String,
    command: String,
    channels: Vec<Outpoint>,
    evidence: Vec<Evidence>,
    /// In a month, after its own cost where that comes again.
    gain: Option<Sat>,
    cost: Option<Sat>,
    payback_days: Option<u32>,
    confidence: f64,
    /// Set where funds are at risk, whatever the gain.
    urgent: Option<Priority>,
}

/// At most as many recommendations as the limits allow, the most valuable first.
pub(super) fn advice(facts: &Facts<'_>, ledger: &Ledger<'_>, judged: &Judged) -> Vec<Recommendation> {
    let mut found = settings::all(facts, judged);
    if facts.channels_known() {
        found.extend(channels::gone(facts, ledger, judged));
        found.extend(channels::idle(facts));
        found.extend(liquidity::refill(facts));
        found.extend(fees::raise(facts));
        found.extend(fees::lower(facts));
    }
    let least = Sat::new(facts.limits.advice_min_gain_sat.max(0));
    found.retain(|c| c.urgent.is_some() || c.gain.is_none_or(|gain| gain >= least));
    found.sort_by(|a, b| {
        let rank = |c: &Candidate| (c.urgent, c.gain, whole(c.confidence * 1000.0));
        rank(b).cmp(&rank(a)).then_with(|| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)))
    });
    let mut taken: HashSet<Outpoint> = HashSet::new();
    found.retain(|c| {
        let free = c.channels.iter().all(|point| !taken.contains(point));
        if free {
            taken.extend(c.channels.iter().cloned());
        }
        free
    });
    found.truncate(facts.limits.advice_count);
    let earned = (facts.history.month.amount_in - facts.history.month.amount_out).floor_sat();
    found.into_iter().map(|c| recommendation(c, earned)).collect()
}

fn recommendation(candidate: Candidate, earned: Sat) -> Recommendation {
    let share = |gain: Sat| {
        let base = i128::from(earned.get().max(1));
        clamp(i128::from(gain.get().max(0)) * 100 / base)
    };
    let percent = candidate.gain.map(share);
    let priority = candidate.urgent.unwrap_or(match percent {
        Some(25..) => Priority::High,
        Some(5..) => Priority::Medium,
        _ => Priority::Low,
    });
    let impact = match (candidate.urgent, percent) {
        (Some(Priority::High), _) => 10,
        (Some(_), _) => 7,
        (None, Some(percent)) => u8::try_from((percent / 10).clamp(1, 10)).unwrap_or(10),
        (None, None) => 1,
    };
    Recommendation {
        act: None,
        first_advised: None,
        gain_low_sats_month: None,
        gain_high_sats_month: None,
        priority,
        category: candidate.category,
        title: candidate.title,
        description: candidate.description,
        impact_score: impact,
        advice_key: format!("{}:{}", candidate.kind, candidate.subject),
        channels_affected: candidate.channels,
        suggested_action: candidate.command,
        estimated_gain_sats_month: candidate.gain,
        evidence: candidate.evidence,
        confidence: real(whole(candidate.confidence * 100.0)) / 100.0,
        cost_sats: candidate.cost,
        payback_days: candidate.payback_days,
    }
}

/// One number that an advice rests on.
fn evidence(name: &str, value: String) -> Evidence {
    Evidence { name: name.to_owned(), value }
}

/// The numbers that every advice about a channel shows.
fn basics(facts: &Facts<'_>, channel: &Channel) -> Vec<Evidence> {
    let flow = facts.month.get(&channel.point).copied().unwrap_or_default();
    let mut list = vec![
        evidence("outbound", words::percent(outbound_ppm(channel).unwrap_or_default())),
        evidence("sent in 30 days", words::msat(flow.amount_out_msat)),
        evidence("earned in 30 days", words::msat(flow.fees_earned_msat)),
    ];
    if let Some((market, [low, _, middle, _, high])) = facts.market(&channel.peer) {
        let rates = format!("{} / {} / {} ppm of {}", low.0, middle.0, high.0, market.incoming);
        list.push(evidence("others charge (10 / 50 / 90 % of capacity)", rates));
    }
    list
}

/// Less certain while less than 30 days are known.
fn confidence(facts: &Facts<'_>, of_full_history: f64) -> f64 {
    let known = real(facts.history_ms().clamp(0, 30 * DAY_MS)) / real(30 * DAY_MS);
    of_full_history * (0.5 + 0.5 * known)
}

/// What an amount earns at a rate, in whole sat.
fn earns(amount: Msat, rate: Ppm) -> Sat {
    amount.at(rate).floor_sat()
}

/// The command that sets a new rate and leaves the rest of the policy as it is.
fn set_rate(facts: &Facts<'_>, point: &Outpoint, rate: Ppm) -> Option<String> {
    let policy = facts.our_policy(point)?;
    Some(format!(
        "lncli updatechanpolicy --chan_point {point} --base_fee_msat {} --fee_rate_ppm {} --time_lock_delta {}",
        policy.base.get(),
        rate.0,
        policy.time_lock_delta
    ))
}

/// Peers of which an alert says that they are gone.
fn unreachable<'a>(judged: &'a Judged) -> BTreeSet<&'a str> {
    let gone = judged.alerts.iter().filter(|a| a.rule == "peer-unreachable");
    gone.map(|a: &'a crate::report::Alert| a.subject.as_str()).collect()
}

#[cfg(test)]
mod tests;
