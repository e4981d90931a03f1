//! What to do: one list over all subjects, ranked by sats a month, with the exact commands.
//!
//! Gains rest on what this node saw itself in the last 30 days; where that gives no honest figure the gain is null. No
//! channel gets two acts at once: after a fee has changed, a refill is judged anew from what came of it.

mod channels;
mod demand;
mod fees;
mod liquidity;
mod settings;

use std::collections::{BTreeSet, HashMap, HashSet};

use super::accounting::Ledger;
use super::alerts::Judged;
use super::facts::{Facts, outbound_ppm};
use super::followed::{self, Seen, Today};
use super::number::{clamp, real, whole};
use super::words;
use crate::history::PastAdvice;
use crate::report::{Act, AdviceKept, AdviceState, AdviceUpdate, Category, Evidence, Priority, Recommendation};
use crate::snapshot::{Channel, Policy};
use crate::units::{DAY_MS, Day, Msat, Outpoint, Ppm, Sat, UnixMs};

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
    /// Four times in five the gain should lie between these.
    range: Option<(Sat, Sat)>,
    act: Option<Act>,
}

impl Candidate {
    /// One that only says what it is about.
    fn new(kind: &'static str, category: Category, subject: &str, confidence: f64) -> Self {
        Self {
            kind,
            category,
            subject: subject.to_owned(),
            title: String::new(),
            description: String::new(),
            command: String::new(),
            channels: Vec::new(),
            evidence: Vec::new(),
            gain: None,
            cost: None,
            payback_days: None,
            confidence,
            urgent: None,
            range: None,
            act: None,
        }
    }

    /// The same on every day that it is given.
    fn key(&self) -> String {
        format!("{}:{}", self.kind, self.subject)
    }
}

/// What is advised today, and what became of what was advised before.
#[derive(Default)]
pub(super) struct Advised {
    /// At most as many as the limits allow, the most valuable first.
    pub(super) recommendations: Vec<Recommendation>,
    /// Changes of past advice, for the store.
    pub(super) updates: Vec<AdviceUpdate>,
    /// What came of past advice, for people.
    pub(super) kept: Option<AdviceKept>,
}

/// Asks every kind of advice, ranks what it found, and holds past advice against what is seen now.
pub(super) fn advice(facts: &Facts<'_>, ledger: &Ledger<'_>, judged: &Judged) -> Advised {
    let mut found = all(facts, ledger, judged);
    let least = Sat::new(facts.limits.advice_min_gain_sat.max(0));
    found.retain(|c| c.urgent.is_some() || c.gain.is_none_or(|gain| gain >= least));
    let keys: HashSet<String> = found.iter().map(Candidate::key).collect();
    let seen = Seen::new(facts);
    let memory = Memory::new(facts, &seen);
    let ignored: HashSet<String> = found.iter().filter(|c| memory.is_ignored(facts, c)).map(Candidate::key).collect();
    found.retain(|c| !ignored.contains(&c.key()));
    rank(&mut found);
    no_channel_twice(&mut found);
    found.truncate(facts.limits.advice_count);
    let earned = (facts.history.month.amount_in - facts.history.month.amount_out).floor_sat();
    let recommendations: Vec<Recommendation> =
        found.into_iter().map(|c| recommendation(facts, &memory, c, earned)).collect();
    let updates = followed::updates(&seen, &Today { found: &keys, ignored: &ignored, given: &recommendations });
    let kept = followed::kept(facts, &updates);
    Advised { recommendations, updates, kept }
}

fn all(facts: &Facts<'_>, ledger: &Ledger<'_>, judged: &Judged) -> Vec<Candidate> {
    let mut found = settings::guards(facts, judged);
    if facts.channels_known() {
        found.extend(channels::gone(facts, ledger, judged));
        if let Some(yields) = channels::Yields::new(facts) {
            found.extend(channels::poor(facts, &yields));
            found.extend(channels::opening(facts, &yields));
        }
        let market = demand::Market::new(facts);
        found.extend(liquidity::refill(facts, &market));
        found.extend(fees::all(facts, &market));
        found.extend(settings::policies(facts));
    }
    found
}

/// What guards funds first, then by gain; equal ones by name, so that equal days give equal reports.
fn rank(found: &mut [Candidate]) {
    found.sort_by(|a, b| {
        let rank = |c: &Candidate| (c.urgent, c.gain, whole(c.confidence * 1000.0));
        rank(b).cmp(&rank(a)).then_with(|| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)))
    });
}

/// Keeps the first of several that name the same channel.
fn no_channel_twice(found: &mut Vec<Candidate>) {
    let mut taken: HashSet<Outpoint> = HashSet::new();
    found.retain(|c| {
        let free = c.channels.iter().all(|point| !taken.contains(point));
        if free {
            taken.extend(c.channels.iter().cloned());
        }
        free
    });
}

/// Advice of before that stands or was given up, by its key.
struct Memory<'a> {
    by_key: HashMap<&'a str, &'a PastAdvice>,
}

impl<'a> Memory<'a> {
    /// Of several with one key, the latest; without what was followed by now: the next of that key is a new one.
    fn new(facts: &'a Facts<'_>, seen: &Seen<'_>) -> Self {
        let mut by_key: HashMap<&str, &PastAdvice> = HashMap::new();
        let stands = |past: &&PastAdvice| past.state != AdviceState::Open || seen.followed(past).is_none();
        for past in facts.history.advice.iter().filter(stands) {
            let latest = by_key.entry(&past.key).or_insert(past);
            if past.first_at > latest.first_at {
                *latest = past;
            }
        }
        Self { by_key }
    }

    /// Given for long and not followed, or left out for that reason not long ago, and not worth much more by now.
    fn is_ignored(&self, facts: &Facts<'_>, candidate: &Candidate) -> bool {
        let Some(past) = self.by_key.get(candidate.key().as_str()).filter(|_| candidate.urgent.is_none()) else {
            return false;
        };
        let limits = facts.limits;
        let days = |at: UnixMs| facts.now.since(at) / DAY_MS;
        let unheard = match past.state {
            AdviceState::Open => days(past.first_at) >= limits.advice_ignored_days,
            AdviceState::Ignored => days(past.last_at) < limits.advice_pause_days,
            _ => false,
        };
        let grown = candidate
            .gain
            .zip(past.promised)
            .is_some_and(|(gain, promised)| gain.msat() > promised.scale(limits.advice_again_percent.max(100), 100));
        unheard && !grown
    }

    /// The day that an advice that still stands was first given.
    fn first_day(&self, key: &str) -> Option<Day> {
        self.by_key.get(key).filter(|past| past.state == AdviceState::Open).map(|past| past.first_at.day())
    }
}

fn recommendation(facts: &Facts<'_>, memory: &Memory<'_>, candidate: Candidate, earned: Sat) -> Recommendation {
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
    let advice_key = candidate.key();
    Recommendation {
        act: candidate.act,
        first_advised: Some(memory.first_day(&advice_key).unwrap_or_else(|| facts.now.day())),
        gain_low_sats_month: candidate.range.map(|r| r.0),
        gain_high_sats_month: candidate.range.map(|r| r.1),
        priority,
        category: candidate.category,
        title: candidate.title,
        description: candidate.description,
        impact_score: impact,
        advice_key,
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

/// The command that sets base fee and rate, and leaves the rest of a policy as it is.
fn set_policy(channel: &Channel, policy: &Policy, base: Msat, rate: Ppm) -> String {
    format!(
        "lncli updatechanpolicy --chan_point {} --base_fee_msat {} --fee_rate_ppm {} --time_lock_delta {}",
        channel.point,
        base.get(),
        rate.0,
        policy.time_lock_delta
    )
}

/// Days until what comes in each month has paid for what went out once.
fn payback(cost: Sat, month: Sat) -> Option<u32> {
    if month <= Sat::ZERO {
        return None;
    }
    let days = i128::from(cost.get().max(0)) * 30;
    let month = i128::from(month.get());
    u32::try_from((days + month - 1) / month).ok()
}

/// Peers of which an alert says that they are gone.
fn unreachable<'a>(judged: &'a Judged) -> BTreeSet<&'a str> {
    let gone = judged.alerts.iter().filter(|a| a.rule == "peer-unreachable");
    gone.map(|a: &'a crate::report::Alert| a.subject.as_str()).collect()
}

#[cfg(test)]
mod tests;
