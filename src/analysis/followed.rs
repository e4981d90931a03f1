//! What became of advice that was given before: whether it was followed, and what came of it.
//!
//! Only what is seen counts: the fee that is set, the circular payments that arrived, the channel that is gone or there.
//! Judging again what was already told changes nothing.

mod outcomes;

use std::collections::{HashMap, HashSet};

use super::accounting;
use super::facts::Facts;
use super::number::{clamp, count};
use crate::history::{PastAdvice, Period};
use crate::report::{Act, AdviceKept, AdviceOutcome, AdviceState, AdviceUpdate, KeptAdvice, Recommendation, Time};
use crate::units::{DAY_MS, HOUR_MS, Msat, Outpoint, Ppm, Scid, UnixMs};

/// From this share of the way on an advice was followed in part, in percent.
const PARTLY: i64 = 50;
/// From this share on it was followed.
const FULLY: i64 = 90;
/// A report is not made to the minute: sums that begin this much before the advice still hold what followed it.
const JITTER_MS: i64 = 2 * HOUR_MS;
/// Days that the count for people looks back.
const KEPT_DAYS: i64 = 30;

/// Today's advice, as far as past advice is held against it.
pub(super) struct Today<'a> {
    /// Keys of everything that a rule found, given or not.
    pub(super) found: &'a HashSet<String>,
    /// Keys that were left out since nobody followed them.
    pub(super) ignored: &'a HashSet<String>,
    /// What is given.
    pub(super) given: &'a [Recommendation],
}

/// Every advice whose state changes with this report, or of which an outcome is due.
pub(super) fn updates(seen: &Seen<'_>, today: &Today<'_>) -> Vec<AdviceUpdate> {
    if !seen.facts.channels_known() {
        return Vec::new();
    }
    let past = seen.facts.history.advice.iter();
    past.filter_map(|advice| update(seen, today, advice)).collect()
}

fn update(seen: &Seen<'_>, today: &Today<'_>, advice: &PastAdvice) -> Option<AdviceUpdate> {
    let changed = |state, followed_at: Option<UnixMs>, outcomes| {
        Some(AdviceUpdate {
            id: advice.id,
            advice_key: advice.key.clone(),
            state,
            followed_at: followed_at.map(Time),
            outcomes,
        })
    };
    match advice.state {
        AdviceState::Open => match seen.followed(advice) {
            Some((state, at)) => changed(state, Some(at), Vec::new()),
            None => changed(ended(seen.facts, today, advice)?, None, Vec::new()),
        },
        AdviceState::Partly | AdviceState::Followed => {
            let rest_done = advice.state == AdviceState::Partly
                && seen.followed(advice).is_some_and(|(state, _)| state == AdviceState::Followed);
            let state = if rest_done { AdviceState::Followed } else { advice.state };
            let outcomes = outcomes::due(seen.facts, &seen.owners, advice);
            if state == advice.state && outcomes.is_empty() {
                return None;
            }
            changed(state, advice.followed_at, outcomes)
        }
        AdviceState::Ignored | AdviceState::Superseded | AdviceState::Expired => None,
    }
}

/// How an advice ends that was not followed; `None` while it stands.
fn ended(facts: &Facts<'_>, today: &Today<'_>, advice: &PastAdvice) -> Option<AdviceState> {
    if today.given.iter().any(|r| r.advice_key == advice.key) {
        return None;
    }
    if today.ignored.contains(&advice.key) {
        return Some(AdviceState::Ignored);
    }
    let touched = advice.act.as_ref().map(channels_of).unwrap_or_default();
    if today.given.iter().any(|r| r.channels_affected.iter().any(|c| touched.contains(&c))) {
        return Some(AdviceState::Superseded);
    }
    let silent = facts.now.since(advice.last_at) >= facts.limits.advice_expire_days.saturating_mul(DAY_MS);
    (!today.found.contains(&advice.key) && silent).then_some(AdviceState::Expired)
}

/// The channels that an act names.
pub(super) fn channels_of(act: &Act) -> Vec<&Outpoint> {
    match act {
        Act::SetFee { channel, .. } | Act::Close { channel, .. } => vec![channel],
        Act::Rebalance { from, to, .. } => vec![from, to],
        Act::Open { .. } => Vec::new(),
    }
}

/// What past advice is held against.
pub(super) struct Seen<'a> {
    facts: &'a Facts<'a>,
    owners: HashMap<Scid, &'a Outpoint>,
}

impl<'a> Seen<'a> {
    /// Puts the present in order.
    pub(super) fn new(facts: &'a Facts<'a>) -> Self {
        Self { facts, owners: accounting::owners(facts.history, facts.channels()) }
    }

    /// Whether an advice was followed, how far, and since when.
    pub(super) fn followed(&self, advice: &PastAdvice) -> Option<(AdviceState, UnixMs)> {
        let (percent, at) = match advice.act.as_ref()? {
            Act::SetFee { channel, from_ppm, to_ppm, base_msat } => {
                self.fee(advice.first_at, channel, *base_msat, (*from_ppm, *to_ppm))?
            }
            Act::Rebalance { to, amount_sat, .. } => self.refilled(advice.first_at, to, amount_sat.msat())?,
            Act::Close { channel, .. } => (100, self.closed(advice.first_at, channel)?),
            Act::Open { peer, capacity_sat } => self.opened(advice.first_at, peer, capacity_sat.msat())?,
        };
        match percent {
            FULLY.. => Some((AdviceState::Followed, at)),
            PARTLY.. => Some((AdviceState::Partly, at)),
            _ => None,
        }
    }

    /// The largest part of the way that a fee has gone since, and when it had first gone half of it.
    fn fee(&self, since: UnixMs, channel: &Outpoint, base: Msat, (from, to): (Ppm, Ppm)) -> Option<(i64, UnixMs)> {
        let way = |rate: Ppm, set: Msat| {
            if from == to { if set <= base { 100 } else { 0 } } else { share_of_way(from, to, rate) }
        };
        let changes =
            self.facts.history.policy_changes.iter().filter(|c| c.ours && c.point == *channel && c.at > since);
        let seen = changes.map(|c| {
            let announced = c.after.updated_at;
            let at = if since < announced && announced <= c.at { announced } else { c.at };
            (way(c.after.rate, c.after.base), at)
        });
        let now = self.facts.our_fee(channel).map(|(set, rate, _)| (way(rate, set), self.facts.now));
        let reached: Vec<(i64, UnixMs)> = seen.chain(now).filter(|(percent, _)| *percent >= PARTLY).collect();
        let most = reached.iter().map(|(percent, _)| *percent).max()?;
        reached.first().map(|(_, at)| (most, *at))
    }

    /// Circular payments that arrived in a channel since, in percent of an amount. The sums begin at fixed times: of those
    /// that begin no earlier than the advice, the one that holds most.
    fn refilled(&self, since: UnixMs, to: &Outpoint, amount: Msat) -> Option<(i64, UnixMs)> {
        let history = self.facts.history;
        let arrived = |period: &Period| -> Msat {
            let to_it = period.rebalances.iter().filter(|r| self.owners.get(&r.to).is_some_and(|p| *p == to));
            to_it.map(|r| r.amount).sum()
        };
        let periods = [&history.day, &history.week, &history.month, &history.quarter];
        let begun = periods.into_iter().filter_map(|p| p.window.map(|w| (w.start, p)));
        let after = begun.filter(|(start, _)| *start >= since.plus(-JITTER_MS));
        let (arrived, start) = after.map(|(start, period)| (arrived(period), start)).max()?;
        let percent = percent_of(arrived, amount);
        (percent >= PARTLY).then_some((percent, start.max(since)))
    }

    /// When a channel was closed or began to close.
    fn closed(&self, since: UnixMs, channel: &Outpoint) -> Option<UnixMs> {
        let node = &self.facts.snapshot.node;
        if self.facts.channels().iter().any(|c| c.point == *channel) {
            return None;
        }
        let pending =
            node.pending.iter().flat_map(|p| p.waiting_close.iter().chain(p.force_closing.iter().map(|f| &f.channel)));
        let txid = pending.filter(|c| c.point == *channel).map(|c| c.closing_txid.as_deref()).chain(
            node.closed
                .iter()
                .flatten()
                .chain(&self.facts.history.closed)
                .filter(|c| c.point == *channel)
                .map(|c| Some(c.closing_txid.as_str())),
        );
        let at = txid.flatten().find_map(|txid| self.facts.transactions.get(txid)).map(|t| t.at);
        Some(at.filter(|at| *at > since && *at <= self.facts.now).unwrap_or(self.facts.now))
    }

    /// The largest channel with a peer, opening ones included, in percent of a size.
    fn opened(&self, since: UnixMs, peer: &crate::units::Pubkey, size: Msat) -> Option<(i64, UnixMs)> {
        let opening = self.facts.snapshot.node.pending.iter().flat_map(|p| &p.opening);
        let open = self.facts.channels().iter().map(|c| (&c.peer, &c.point, c.capacity));
        let with_peer = open.chain(opening.map(|c| (&c.peer, &c.point, c.capacity))).filter(|(p, ..)| *p == peer);
        let (capacity, point) = with_peer.map(|(_, point, capacity)| (capacity, point)).max()?;
        let at =
            self.facts.transactions.get(point.txid()).map(|t| t.at).filter(|at| *at > since && *at <= self.facts.now);
        Some((percent_of(capacity.msat(), size), at.unwrap_or(self.facts.now)))
    }
}

/// How far a rate has gone from one to another, in percent; more than 100 beyond it, negative the other way.
fn share_of_way(from: Ppm, to: Ppm, rate: Ppm) -> i64 {
    let all = i128::from(to.0) - i128::from(from.0);
    if all == 0 { 0 } else { clamp((i128::from(rate.0) - i128::from(from.0)) * 100 / all) }
}

fn percent_of(part: Msat, all: Msat) -> i64 {
    clamp(i128::from(part.get()) * 100 / i128::from(all.get().max(1)))
}

/// Advice of the last 30 days in numbers, with the outcomes of this report; `None` where none was ever given.
pub(super) fn kept(facts: &Facts<'_>, updates: &[AdviceUpdate]) -> Option<AdviceKept> {
    if facts.history.advice.is_empty() {
        return None;
    }
    let by_id: HashMap<_, &AdviceUpdate> = updates.iter().map(|u| (u.id, u)).collect();
    let recent = |at: UnixMs| facts.now.since(at) < KEPT_DAYS * DAY_MS;
    let mut kept = AdviceKept { days: count(usize::try_from(KEPT_DAYS).unwrap_or(0)), ..AdviceKept::default() };
    for advice in &facts.history.advice {
        let update = by_id.get(&advice.id);
        let state = update.map_or(advice.state, |u| u.state);
        let followed_at = update.and_then(|u| u.followed_at).map(|t| t.0).or(advice.followed_at);
        match (state, followed_at) {
            (AdviceState::Followed | AdviceState::Partly, Some(at)) => {
                let outcomes = advice.outcomes.iter().chain(update.into_iter().flat_map(|u| &u.outcomes));
                let latest = outcomes.max_by_key(|o| o.days).copied();
                if recent(at) || latest.is_some_and(|o| recent(o.measured_at)) {
                    kept.items.push(item(advice, state, at, latest));
                }
            }
            (AdviceState::Ignored, _) if recent(advice.last_at) => kept.ignored = kept.ignored.saturating_add(1),
            (AdviceState::Open, _) => kept.open = kept.open.saturating_add(1),
            _ => {}
        }
    }
    kept.followed = count(kept.items.len());
    for item in &kept.items {
        if let (Some(promised), Some(came)) = (item.promised_msat, item.came_msat) {
            kept.measured = kept.measured.saturating_add(1);
            kept.promised_msat += promised;
            kept.came_msat += came;
            kept.anyway_msat += item.anyway_msat.unwrap_or_default();
        }
    }
    kept.items.sort_by_key(|i| (std::cmp::Reverse(i.followed_at), i.advice_key.clone()));
    Some(kept)
}

fn item(advice: &PastAdvice, state: AdviceState, at: UnixMs, latest: Option<AdviceOutcome>) -> KeptAdvice {
    KeptAdvice {
        id: advice.id,
        advice_key: advice.key.clone(),
        title: advice.title.clone(),
        state,
        followed_at: Time(at),
        promised_msat: advice.promised,
        measured_days: latest.map(|o| o.days),
        came_msat: latest.and_then(|o| o.gained),
        anyway_msat: latest.and_then(|o| o.anyway),
    }
}

#[cfg(test)]
mod tests;
