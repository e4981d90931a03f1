//! Where figures come from and where they go: the last 7, 30 and 90 days of which the last is this report, how long the
//! sides of channels last, and what will be earned. A day without a figure is null, never zero.

use std::collections::HashMap;

use super::facts::Facts;
use super::forecast::forecast;
use super::number::clamp;
use crate::history::{History, PastDay};
use crate::report::{Flow, Runway, SCORE_VERSION, Summary, Trends};
use crate::snapshot::Channel;
use crate::units::{DAY_MS, Day, Msat, Outpoint, Sat};

/// Everything about the course of things. Without facts, for a day that was caught up, what needs balances is empty.
pub(super) fn trends(
    history: &History,
    date: Day,
    summary: &Summary,
    day: Option<Flow>,
    facts: Option<&Facts<'_>>,
) -> Trends {
    let past = Past::new(history, date);
    let score = |n| past.row(n, |p| p.score.filter(|_| p.score_version == SCORE_VERSION), summary.overall_score);
    let revenue = |n| past.row(n, |p| p.revenue_sat, summary.revenue_sats_24h.map(Sat::get));
    let rate = |n| past.row(n, |p| p.forward_rate, day.map(|f| super::assemble::rate(&f)));
    let capacity = |n| past.row(n, |p| p.capacity_sat, summary.capacity_btc.map(|b| b.0.get()));
    let (running_dry, filling_up) = facts.map(runways).unwrap_or_default();
    Trends {
        score_evolution_7d: score(7),
        revenue_evolution_7d: revenue(7),
        forward_rate_evolution_7d: rate(7),
        capacity_evolution_7d: capacity(7),
        score_evolution_30d: score(30),
        revenue_evolution_30d: revenue(30),
        forward_rate_evolution_30d: rate(30),
        capacity_evolution_30d: capacity(30),
        score_evolution_90d: score(90),
        revenue_evolution_90d: revenue(90),
        forward_rate_evolution_90d: rate(90),
        capacity_evolution_90d: capacity(90),
        running_dry,
        filling_up,
        forecast: forecast(&history.days),
    }
}

/// Stored days by their date.
struct Past<'a> {
    date: Day,
    days: HashMap<Day, &'a PastDay>,
}

impl<'a> Past<'a> {
    fn new(history: &'a History, date: Day) -> Self {
        Self { date, days: history.past_days.iter().map(|p| (p.date, p)).collect() }
    }

    /// As many figures as days, oldest first, the last of today.
    fn row<T>(&self, days: i64, figure: impl Fn(&PastDay) -> Option<T>, today: Option<T>) -> Vec<Option<T>> {
        let past = (1..days).rev().map(|n| self.days.get(&self.date.plus(-n)).and_then(|day| figure(day)));
        past.chain(std::iter::once(today)).collect()
    }
}

/// Channels whose outbound or inbound ends soon at the flow of the last 7 days: forwards and circular payments.
fn runways(facts: &Facts<'_>) -> (Vec<Runway>, Vec<Runway>) {
    let week = 7 * DAY_MS;
    if !facts.channels_known() || facts.history_ms() < week {
        return (Vec::new(), Vec::new());
    }
    let emptied = emptied(facts);
    let (mut dry, mut full) = (Vec::new(), Vec::new());
    for channel in facts.channels().iter().filter(|c| facts.age_days(c).is_none_or(|days| days >= 7)) {
        let Some(flow) = facts.week.get(&channel.point) else { continue };
        let forwards = flow.forwards_in.saturating_add(flow.forwards_out);
        if forwards < facts.limits.dry_min_forwards {
            continue;
        }
        let moved = emptied.get(&channel.point).copied().unwrap_or_default();
        let out = flow.amount_out_msat + moved - flow.amount_in_msat - flow.rebalanced_in_msat;
        let (left, flow, list) = if out > Msat::ZERO {
            (channel.local - channel.local_reserve, out, &mut dry)
        } else {
            (channel.remote - channel.remote_reserve, -out, &mut full)
        };
        list.extend(runway(channel, left.max(Sat::ZERO), flow, forwards, facts.limits.dry_days));
    }
    for list in [&mut dry, &mut full] {
        list.sort_by(|a, b| a.days.cmp(&b.days).then_with(|| a.channel_point.cmp(&b.channel_point)));
    }
    (dry, full)
}

/// What circular payments took out of each channel in 7 days.
fn emptied(facts: &Facts<'_>) -> HashMap<Outpoint, Msat> {
    let owners = super::accounting::owners(facts.history, facts.channels());
    let mut sums: HashMap<Outpoint, Msat> = HashMap::new();
    for refill in &facts.history.week.rebalances {
        if let Some(point) = owners.get(&refill.from) {
            *sums.entry((*point).clone()).or_default() += refill.amount + refill.cost;
        }
    }
    sums
}

fn runway(channel: &Channel, left: Sat, week: Msat, forwards: u32, limit: i64) -> Option<Runway> {
    let days = (i128::from(left.msat().get()) * 7).checked_div(i128::from(week.get()))?;
    (days < i128::from(limit)).then(|| Runway {
        channel_point: channel.point.clone(),
        peer: channel.peer.clone(),
        peer_alias: channel.peer_alias.clone(),
        days: u32::try_from(clamp(days)).unwrap_or(u32::MAX),
        left_sat: left,
        net_flow_week_sat: week.floor_sat(),
        forwards,
    })
}

#[cfg(test)]
mod tests;
