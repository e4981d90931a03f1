//! What the node earns against what it is used to, what that costs, and on whom it hangs.

use std::collections::BTreeMap;

use super::Finding;
use crate::analysis::facts::{Facts, local};
use crate::analysis::habit::{self, Habit};
use crate::analysis::number::{clamp, median, share_ppm};
use crate::analysis::words;
use crate::history::{DaySum, FailureFlow};
use crate::report::Severity;
use crate::units::{DAY_MS, Msat, Pubkey, Sat};

/// Days of the last week, and those before it, with their fees in msat; only days that are known.
fn habit_days(facts: &Facts<'_>) -> (Vec<i64>, Vec<i64>) {
    let days = &facts.history.days;
    let fees = |days: &[Option<DaySum>]| days.iter().flatten().map(|d| d.fees.get()).collect();
    let (before, week) = days.split_at(days.len().saturating_sub(7));
    (fees(before), fees(week))
}

/// Whether there are enough days to speak of a habit.
pub(super) fn week_known(facts: &Facts<'_>) -> bool {
    let (before, week) = habit_days(facts);
    facts.fresh() && week.len() == 7 && before.len() >= facts.limits.revenue_min_days
}

/// `revenue-fall`: the last seven days against seven times the middle day before them.
pub(super) fn fall(facts: &Facts<'_>) -> Vec<Finding> {
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

/// The last day's fees and what is usual on its weekday.
fn usual_day(facts: &Facts<'_>) -> Option<(Msat, Habit)> {
    let today = facts.history.days.last().copied().flatten()?;
    let fees: fn(&DaySum) -> Msat = |day| day.fees;
    Some((today.fees, habit::same_weekdays(&facts.history.days, fees)?))
}

/// Whether enough days are known to tell what is usual on this weekday.
pub(super) fn day_known(facts: &Facts<'_>) -> bool {
    facts.fresh() && usual_day(facts).is_some()
}

/// `revenue-unusual`: the last day against the same weekdays before; silent below where `revenue-fall` speaks.
pub(super) fn unusual(facts: &Facts<'_>) -> Vec<Finding> {
    let Some((fees, habit)) = usual_day(facts) else { return Vec::new() };
    let limits = facts.limits;
    let far = (fees - habit.median).abs();
    // 1.4826 makes the middle distance of a normal spread its standard deviation.
    let spread = habit.mad.scale(limits.revenue_mads.saturating_mul(14_826), 10_000);
    let least = Sat::new(limits.revenue_min_sat).msat().max(habit.median.scale(limits.revenue_far_percent, 100));
    if far <= spread || far < least {
        return Vec::new();
    }
    let less = fees < habit.median;
    if less && week_known(facts) && !fall(facts).is_empty() {
        return Vec::new();
    }
    let (severity, side) = if less { (Severity::Warning, "less") } else { (Severity::Info, "more") };
    let title =
        format!("The day earned {}, far {side} than the usual {}", words::msat(fees), words::msat(habit.median));
    let description = format!(
        "The usual is the middle of {} of the same weekday; half of them lie within {} of it.",
        words::number(habit.days, "day"),
        words::msat(habit.mad)
    );
    vec![Finding::new(severity, "node", title, description).worth(far.floor_sat()).no_action()]
}

/// Days of watching that a habit of success needs.
const WATCHED_DAYS: i64 = 14;

/// Whether failures were watched for long enough, and for most of the last day.
pub(super) fn failures_known(facts: &Facts<'_>) -> bool {
    let [day, _, month] = facts.history.watched.htlcs_ms;
    facts.fresh() && day >= DAY_MS / 2 && month >= WATCHED_DAYS.saturating_mul(DAY_MS)
}

/// Of the month's forwards as many as fall into the watched time, if they came evenly.
fn settled_in_month(forwards: u32, watched_ms: i64) -> i128 {
    let span = i128::from(30 * DAY_MS);
    i128::from(forwards) * i128::from(watched_ms).min(span) / span
}

/// Tries and the share of them that settled, in ppm.
fn success(settled: i128, failures: &[FailureFlow]) -> Option<(i128, i64)> {
    let tries = settled + failures.iter().map(|f| i128::from(f.count)).sum::<i128>();
    Some((tries, share_ppm(settled, tries)?))
}

/// `success-unusual`: the day's share of forwards that settled against that of 30 days.
pub(super) fn success_unusual(facts: &Facts<'_>) -> Vec<Finding> {
    let (history, watched) = (facts.history, &facts.history.watched);
    let [_, _, month_ms] = watched.htlcs_ms;
    let day = success(i128::from(watched.settled_day), &watched.failures_day);
    let month = success(settled_in_month(history.month.forwards, month_ms), &watched.failures_month);
    let (Some((tries, now)), Some((_, usual))) = (day, month) else { return Vec::new() };
    let far = now.saturating_sub(usual);
    let enough = tries >= i128::from(facts.limits.success_min_tries);
    if !enough || far.abs() < facts.limits.success_far_points.saturating_mul(10_000) {
        return Vec::new();
    }
    let severity = if far < 0 { Severity::Warning } else { Severity::Info };
    let title = format!("{} of the day's forwards settled, {} are usual", words::percent(now), words::percent(usual));
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for flow in &watched.failures_day {
        let count = reasons.entry(format!("{:?}", flow.reason).to_lowercase()).or_default();
        *count = count.saturating_add(u64::from(flow.count));
    }
    let reasons: Vec<String> = reasons.into_iter().map(|(why, n)| format!("{why} {n}")).collect();
    let description = format!("Failures of the day by reason: {}.", reasons.join(", "));
    vec![Finding::new(severity, "node", title, description).no_action()]
}

/// Whether a month of events is known at all.
pub(super) fn month_known(facts: &Facts<'_>) -> bool {
    facts.fresh() && facts.history.month.window.is_some()
}

/// `rebalance-loss`
pub(super) fn rebalances(facts: &Facts<'_>) -> Vec<Finding> {
    let month = &facts.history.month;
    let cost: Msat = month.rebalances.iter().map(|r| r.cost).sum();
    let earned = month.amount_in - month.amount_out;
    if cost <= earned || cost < Sat::new(facts.limits.rebalance_loss_sat).msat() {
        return Vec::new();
    }
    let title =
        format!("Circular payments cost {} in 30 days, forwards earned {}", words::msat(cost), words::msat(earned));
    let act = "Set the most that a refill may cost below what its channel earns for the amount, or let a higher fee keep the channel from emptying.";
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned()).worth((cost - earned).floor_sat())]
}

/// Whether channels and a month of events are known.
pub(super) fn revenue_known(facts: &Facts<'_>) -> bool {
    facts.channels_known() && month_known(facts)
}

/// The peer with the largest share, where that is beyond the limit and there are enough peers to spread over.
fn heaviest<'a>(facts: &Facts<'a>, by_peer: BTreeMap<&'a Pubkey, i64>, all: i64) -> Option<(&'a Pubkey, i64, i64)> {
    if by_peer.len() < facts.limits.concentrated_min_peers {
        return None;
    }
    let (peer, most) = by_peer.into_iter().max_by_key(|(_, sum)| *sum)?;
    let share = share_ppm(i128::from(most), i128::from(all))?;
    (share > facts.limits.concentrated_percent.saturating_mul(10_000)).then_some((peer, most, share))
}

/// `revenue-concentrated`
pub(super) fn revenue_concentrated(facts: &Facts<'_>) -> Vec<Finding> {
    let month = &facts.history.month;
    let all = month.amount_in - month.amount_out;
    if all < Sat::new(facts.limits.revenue_min_sat.saturating_mul(30)).msat() {
        return Vec::new();
    }
    let mut by_peer: BTreeMap<&Pubkey, i64> = BTreeMap::new();
    for channel in facts.channels() {
        let fees = facts.month.get(&channel.point).map_or(0, |f| f.fees_earned_msat.get());
        let sum = by_peer.entry(&channel.peer).or_default();
        *sum = sum.saturating_add(fees);
    }
    let Some((peer, most, share)) = heaviest(facts, by_peer, all.get()) else { return Vec::new() };
    let fees = Msat::new(most);
    let title =
        format!("{} of 30 days' fees came over {}: {}", words::percent(share), facts.name_of(peer), words::msat(fees));
    let act = "If that peer leaves or changes its fees, so much of the income goes with it. Another peer in the same direction spreads that.";
    vec![Finding::new(Severity::Info, peer.as_str(), title, act.to_owned()).worth(fees.floor_sat())]
}

/// `balance-concentrated`
pub(super) fn balance_concentrated(facts: &Facts<'_>) -> Vec<Finding> {
    let all = local(facts.channels());
    let by_peer = super::by_peer(facts).into_iter().map(|(peer, channels)| (peer, local(channels).get())).collect();
    let Some((peer, most, share)) = heaviest(facts, by_peer, all.get()) else { return Vec::new() };
    let ours = Sat::new(most);
    let title = format!(
        "{} of the outbound balance lies with {}: {}",
        words::percent(share),
        facts.name_of(peer),
        words::sat(ours)
    );
    let act = "While that peer is away, so much cannot be used.";
    vec![Finding::new(Severity::Info, peer.as_str(), title, act.to_owned()).worth(ours)]
}
