//! What a channel has to sell in the next 30 days, what is wanted of it, and what another price does to that.
//!
//! Amounts stay integers; floats are ratios only.

use std::collections::HashMap;

use crate::analysis::facts::{Facts, outbound_ppm};
use crate::analysis::number::{clamp, real, share_ppm, whole};
use crate::history::{FailureFlow, PastAdvice, PolicyChange};
use crate::report::Act;
use crate::snapshot::{Channel, FailureReason};
use crate::units::{DAY_MS, Msat, Outpoint, Ppm, Scid};

/// Days of the month that every figure is put to.
const MONTH_DAYS: i64 = 30;
/// How much more forwards vary than independent ones would.
const OVERDISPERSION: f64 = 4.0;
/// How far the true elasticity lies from the assumed one, one standard deviation.
const ELASTICITY_SPREAD: f64 = 0.5;
/// Half of an 80 % interval in standard deviations.
pub(super) const EIGHTY: f64 = 1.28;
/// Variance of the logarithm of one day's earnings against the comparison: an outcome of 7 days has a seventh of it.
const OUTCOME_NOISE: f64 = 2.5;
/// Forwards on each side of a change that make it a trial.
const TRIAL_FORWARDS: u32 = 5;

/// One channel's next 30 days at its present fee.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook {
    /// What would leave by it if there were always enough.
    pub(super) wanted: Msat,
    /// What left by it at the pace of the last weeks.
    pub(super) sold: Msat,
    /// Our side, beyond the reserve, and what comes back.
    pub(super) supply: Msat,
    /// Failed forwards for lack of balance, put to 30 days; `None` where nothing was watched.
    pub(super) missed: Option<Msat>,
    /// Days until it is empty; `None` where it does not empty.
    pub(super) days_left: Option<i64>,
    /// Share of the samples in which it had nothing to sell, in ppm.
    pub(super) dry: i64,
    /// Forwards that the pace rests on.
    pub(super) forwards: u32,
}

impl Outlook {
    /// What will leave by it: what is wanted, no more than there is.
    pub(super) fn sells(&self) -> Msat {
        self.wanted.min(self.supply)
    }

    /// The part of what failed that is taken for demand.
    pub(super) fn counted(&self, percent: i64) -> Msat {
        self.missed.unwrap_or_default().scale(percent.clamp(0, 100), 100)
    }

    /// One standard deviation of the volume, relative to it: forwards come in bursts.
    pub(super) fn spread(&self) -> f64 {
        (OVERDISPERSION / f64::from(self.forwards.max(1))).sqrt().clamp(0.15, 0.75)
    }
}

/// What the advice of one report needs beside the facts.
pub(super) struct Market<'a> {
    facts: &'a Facts<'a>,
    missed: HashMap<Outpoint, Msat>,
    changes: HashMap<&'a Outpoint, Vec<&'a PolicyChange>>,
    owners: HashMap<Scid, &'a Outpoint>,
}

impl<'a> Market<'a> {
    /// Puts the past of every channel in order.
    pub(super) fn new(facts: &'a Facts<'a>) -> Self {
        let owners = crate::analysis::accounting::owners(facts.history, facts.channels());
        let mut changes: HashMap<&Outpoint, Vec<&PolicyChange>> = HashMap::new();
        for change in facts.history.policy_changes.iter().filter(|c| c.at <= facts.now) {
            changes.entry(&change.point).or_default().push(change);
        }
        Self { facts, missed: missed(&facts.history.watched.failures_month, &owners), changes, owners }
    }

    /// Which channel each short id belongs to.
    pub(super) const fn owners(&self) -> &HashMap<Scid, &'a Outpoint> {
        &self.owners
    }

    /// Rates of ours on a channel that took the place of others, oldest first, each with the one before.
    pub(super) fn own_changes(&self, point: &Outpoint) -> impl Iterator<Item = (&'a PolicyChange, Ppm)> + '_ {
        let changes = self.changes.get(point).into_iter().flatten().filter(|c| c.ours);
        changes
            .filter_map(|c| c.before.as_ref().map(|before| (*c, before.rate)))
            .filter(|(c, old)| c.after.rate != *old)
    }

    /// Whether the peer itself has just changed its price so often that a step of ours would chase it.
    pub(super) fn peer_is_restless(&self, point: &Outpoint) -> bool {
        let recent = |c: &&&PolicyChange| !c.ours && c.before.is_some() && self.facts.now.since(c.at) < DAY_MS;
        let seen = self.changes.get(point).into_iter().flatten().filter(recent).count();
        seen >= self.facts.limits.peer_changes_wait.max(1)
    }

    /// A channel's next 30 days.
    pub(super) fn outlook(&self, channel: &Channel) -> Outlook {
        let facts = self.facts;
        let week = facts.week.get(&channel.point).copied().unwrap_or_default();
        let month = facts.month.get(&channel.point).copied().unwrap_or_default();
        let days = self.known_days(channel);
        let sold = pace(week.amount_out_msat, month.amount_out_msat, days);
        let inflow = pace(week.amount_in_msat, month.amount_in_msat, days);
        let missed = self.missed_month(&channel.point);
        let dry = self.dry_ppm(channel);
        // What would have left in the times without anything to sell; three quarters of the time at most.
        let unmet = sold.scale(1_000_000, 1_000_000_i64.saturating_sub(dry.min(750_000)));
        let counted = missed.unwrap_or_default().scale(facts.limits.missed_counted_percent.clamp(0, 100), 100);
        let wanted = unmet.max(sold + counted);
        let spendable = (channel.local - channel.local_reserve).max(crate::units::Sat::ZERO).msat();
        let daily = clamp((i128::from(sold.get()) - i128::from(inflow.get())) / i128::from(MONTH_DAYS));
        Outlook {
            wanted,
            sold,
            supply: spendable + inflow,
            missed,
            days_left: (daily > 0).then(|| spendable.get() / daily),
            dry,
            forwards: month.forwards_out,
        }
    }

    /// Days of 30 that are known of a channel: at least a week's worth, so that one good day is not a month.
    fn known_days(&self, channel: &Channel) -> i64 {
        let known = self.facts.history_ms() / DAY_MS;
        let age = self.facts.age_days(channel).unwrap_or(known);
        known.min(age).clamp(7, MONTH_DAYS)
    }

    fn missed_month(&self, point: &Outpoint) -> Option<Msat> {
        let [.., watched] = self.facts.history.watched.htlcs_ms;
        if watched < DAY_MS {
            return None;
        }
        let missed = self.missed.get(point).copied().unwrap_or_default();
        Some(missed.scale(MONTH_DAYS * DAY_MS, watched.min(MONTH_DAYS * DAY_MS)))
    }

    /// Share of a channel's samples, this snapshot included, in which it had next to nothing to sell.
    fn dry_ppm(&self, channel: &Channel) -> i64 {
        let limit = self.facts.limits.dry_percent.saturating_mul(10_000);
        let share = |local: i64, remote: i64| {
            share_ppm(i128::from(local), i128::from(local).saturating_add(i128::from(remote))).unwrap_or(0)
        };
        let samples = self.facts.samples.get(&channel.point).map(Vec::as_slice).unwrap_or_default();
        let dry = samples.iter().filter(|s| share(s.local_sat, s.remote_sat) < limit).count();
        let now = usize::from(outbound_ppm(channel).is_some_and(|share| share < limit));
        let parts = i128::try_from(dry + now).unwrap_or(0);
        share_ppm(parts, i128::try_from(samples.len() + 1).unwrap_or(1)).unwrap_or(0)
    }

    /// The percentage by which volume falls for each percent that the fee rises: the setting's, moved by where the fee stands
    /// among what others charge, moved by what this channel did at other prices.
    pub(super) fn elasticity(&self, channel: &Channel, rate: Ppm) -> Elasticity {
        let limits = self.facts.limits;
        let market = self.facts.market(&channel.peer).filter(|(_, [_, _, middle, ..])| middle.0 > 0);
        let mut elasticity = Elasticity {
            value: 0.0,
            usual: real(limits.fee_elasticity_percent.clamp(0, 1_000)) / 100.0,
            middle: market.map(|(_, [_, _, middle, ..])| middle),
            market_weight: real(limits.fee_market_weight_percent.clamp(0, 100)) / 100.0,
            own: self.trials(channel),
        };
        elasticity.value = elasticity.over(rate, rate);
        elasticity
    }

    /// What happened when this channel's fee was changed before.
    fn trials(&self, channel: &Channel) -> Vec<Trial> {
        let advice = self.facts.history.advice.iter();
        advice.filter_map(|past| outcome_of(past, &channel.point)).chain(self.last_change(channel)).collect()
    }

    /// The only change of ours in 30 days, where it lies so far back that the week is after it and most of the rest before.
    fn last_change(&self, channel: &Channel) -> Option<Trial> {
        let age = |c: &PolicyChange| self.facts.now.since(c.at) / DAY_MS;
        let mut recent = self.own_changes(&channel.point).filter(|(c, _)| age(c) < MONTH_DAYS);
        let (change, from) = recent.next().filter(|(c, _)| (5..=10).contains(&age(c)))?;
        let known = self.known_days(channel);
        if recent.next().is_some() || known < MONTH_DAYS {
            return None;
        }
        let week = self.facts.week.get(&channel.point).copied().unwrap_or_default();
        let month = self.facts.month.get(&channel.point).copied().unwrap_or_default();
        let before =
            (month.forwards_out.saturating_sub(week.forwards_out), month.amount_out_msat - week.amount_out_msat);
        let daily = before.1.scale(7, MONTH_DAYS - 7);
        trial((before.0, daily), (week.forwards_out, week.amount_out_msat), from, change.after.rate)
    }
}

/// What a followed change of the fee brought beyond what would have come anyway: where fees went up by less than the rate,
/// the volume fell.
fn outcome_of(past: &PastAdvice, point: &Outpoint) -> Option<Trial> {
    let Some(Act::SetFee { channel, from_ppm, to_ppm, .. }) = &past.act else { return None };
    let outcome = past.outcomes.iter().max_by_key(|o| o.days).filter(|_| channel == point)?;
    let (gained, anyway) = outcome.gained.zip(outcome.anyway)?;
    let came = gained + anyway;
    if came <= Msat::ZERO || anyway <= Msat::ZERO || from_ppm.0 <= 0 || to_ppm.0 <= 0 || from_ppm == to_ppm {
        return None;
    }
    let step = (real(to_ppm.0) / real(from_ppm.0)).ln();
    let answer = (real(came.get()) / real(anyway.get())).ln();
    let noise = (OUTCOME_NOISE / (f64::from(outcome.days) * step * step)).max(f64::MIN_POSITIVE);
    Some(Trial { elasticity: (1.0 - answer / step).clamp(-1.0, 4.0), weight: noise.recip() })
}

/// How volume answers to the fee.
#[derive(Clone, Debug)]
pub(super) struct Elasticity {
    /// Percent of volume lost for each percent of a rise, near the present fee.
    pub(super) value: f64,
    /// The same where nothing else is known.
    usual: f64,
    /// The middle of what others charge.
    middle: Option<Ppm>,
    /// How far that moves it.
    market_weight: f64,
    /// Own changes of the fee.
    own: Vec<Trial>,
}

impl Elasticity {
    /// Own changes of the fee that it rests on.
    pub(super) const fn trials(&self) -> usize {
        self.own.len()
    }

    /// The mean over the way from one rate to another.
    fn over(&self, from: Ppm, to: Ppm) -> f64 {
        let prior = ELASTICITY_SPREAD.powi(-2);
        let own: f64 = self.own.iter().map(|t| t.elasticity * t.weight).sum();
        ((self.by_market(from, to) * prior + own) / self.weight()).clamp(0.2, 2.5)
    }

    fn weight(&self) -> f64 {
        ELASTICITY_SPREAD.powi(-2) + self.own.iter().map(|t| t.weight).sum::<f64>()
    }

    /// With demand that falls as `1 / (1 + (fee / middle)²)`, revenue is highest at the market's middle: there the
    /// elasticity is 1, below it less, above it more.
    fn by_market(&self, from: Ppm, to: Ppm) -> f64 {
        let Some(middle) = self.middle else { return self.usual };
        let place = |rate: Ppm| real(rate.0.clamp(1, 1_000_000)) / real(middle.0.clamp(1, 1_000_000));
        let (old, new) = (place(from), place(to));
        let by_market = if from == to {
            2.0 * old * old / (1.0 + old * old)
        } else {
            (new.mul_add(new, 1.0) / old.mul_add(old, 1.0)).ln() / (new / old).ln()
        };
        self.market_weight.mul_add(by_market - self.usual, self.usual)
    }

    /// What is left of a volume when the fee goes from one rate to another, in ppm of it.
    pub(super) fn kept_ppm(&self, from: Ppm, to: Ppm) -> i64 {
        kept_ppm(self.over(from, to), from, to)
    }

    /// The same at the two ends of an 80 % interval: the more elastic end first.
    pub(super) fn kept_range(&self, from: Ppm, to: Ppm) -> (i64, i64) {
        let off = EIGHTY * self.weight().sqrt().recip();
        let middle = self.over(from, to);
        (kept_ppm(middle + off, from, to), kept_ppm((middle - off).max(0.0), from, to))
    }
}

fn kept_ppm(elasticity: f64, from: Ppm, to: Ppm) -> i64 {
    let ratio = real(to.0.clamp(1, 1_000_000)) / real(from.0.clamp(1, 1_000_000));
    whole(ratio.powf(-elasticity) * 1_000_000.0).clamp(0, 5_000_000)
}

/// One change of a fee and what it did.
#[derive(Clone, Copy, Debug)]
struct Trial {
    elasticity: f64,
    /// One over the variance.
    weight: f64,
}

/// Forwards and amounts of equal spans before and after.
fn trial(before: (u32, Msat), after: (u32, Msat), from: Ppm, to: Ppm) -> Option<Trial> {
    let enough = before.0 >= TRIAL_FORWARDS && after.0 >= TRIAL_FORWARDS;
    if !enough || from.0 <= 0 || to.0 <= 0 || from == to {
        return None;
    }
    let step = (real(to.0) / real(from.0)).ln();
    let answer = (real(after.1.get().max(1)) / real(before.1.get().max(1))).ln();
    let noise = OVERDISPERSION * (f64::from(before.0).recip() + f64::from(after.0).recip()) / (step * step);
    Some(Trial { elasticity: (-answer / step).clamp(-1.0, 4.0), weight: noise.recip() })
}

/// Half the pace of the week and half that of the month, put to 30 days.
fn pace(week: Msat, month: Msat, known_days: i64) -> Msat {
    week.scale(MONTH_DAYS, 2 * 7) + month.scale(MONTH_DAYS, 2 * known_days)
}

/// Forwards that failed for lack of our balance, by the channel that they were to leave by.
fn missed(failures: &[FailureFlow], owners: &HashMap<Scid, &Outpoint>) -> HashMap<Outpoint, Msat> {
    let mut missed: HashMap<Outpoint, Msat> = HashMap::new();
    for failure in failures.iter().filter(|f| f.reason == FailureReason::Balance) {
        if let Some(point) = owners.get(&failure.scid_out) {
            *missed.entry((*point).clone()).or_default() += failure.amount_out;
        }
    }
    missed
}
