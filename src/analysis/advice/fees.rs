//! Change what is charged.

use super::{Candidate, basics, confidence, earns, evidence, set_rate};
use crate::analysis::facts::{Facts, outbound_ppm};
use crate::analysis::number::{clamp, lower_quartile, ratio_ppm};
use crate::analysis::words;
use crate::report::Category;
use crate::snapshot::Channel;
use crate::units::{DAY_MS, Msat, Ppm, Sat};

/// Why a fee should rise.
enum Low {
    /// It sells faster than it refills.
    Drained,
    /// Nearly all others charge more to that peer.
    Cheap,
}

/// Raise the fee of channels that are drained while they sell, or far cheaper than the others.
pub(super) fn raise(facts: &Facts<'_>) -> Vec<Candidate> {
    facts.channels().iter().filter(|c| c.active && !c.private).filter_map(|c| raised(facts, c)).collect()
}

fn raised(facts: &Facts<'_>, channel: &Channel) -> Option<Candidate> {
    let policy = facts.our_policy(&channel.point)?;
    let flow = facts.month.get(&channel.point).filter(|f| f.forwards_out > 0)?;
    let (_, old, _) = facts.our_fee(&channel.point)?;
    let market = facts.market(&channel.peer).map(|(_, rates)| rates);
    let drained = outbound_ppm(channel)? < facts.limits.raise_below_percent.saturating_mul(10_000);
    let why = match market {
        _ if drained => Low::Drained,
        Some([low, ..]) if old < low => Low::Cheap,
        _ => return None,
    };
    let new = higher(facts, old, market, &why)?;
    let gain = raise_gain(flow.amount_out_msat, old, new);
    let name = facts.peer_name(channel);
    let description = match why {
        Low::Drained => format!(
            "{} of it is left to send, and it sends as fast as it refills: a higher fee earns more on what it can still send, and keeps some for later.",
            words::sat(channel.local)
        ),
        Low::Cheap => format!("Of what others charge to {name}, weighted by capacity, 90 % is above this fee."),
    };
    let mut list = basics(facts, channel);
    list.push(evidence("fee now", format!("{} ppm + {} msat", old.0, policy.base.get())));
    list.push(evidence("assumed loss of volume", "half of the rise in percent, at most 50 %".to_owned()));
    Some(Candidate {
        kind: "raise-fee",
        category: Category::Fees,
        subject: channel.point.as_str().to_owned(),
        title: format!("Raise the fee to {name} from {} to {} ppm", words::grouped(old.0), words::grouped(new.0)),
        description,
        command: set_rate(facts, &channel.point, new)?,
        channels: vec![channel.point.clone()],
        evidence: list,
        gain: Some(gain),
        cost: Some(Sat::ZERO),
        payback_days: Some(0),
        confidence: confidence(facts, 0.5),
        urgent: None,
    })
}

/// One step up, not beyond what nearly all others charge and not beyond the limit.
fn higher(facts: &Facts<'_>, old: Ppm, market: Option<[Ppm; 5]>, why: &Low) -> Option<Ppm> {
    let step = old.0.saturating_mul(facts.limits.fee_step_percent.max(1)) / 100;
    let wanted = match (why, market) {
        (Low::Cheap, Some([_, quarter, ..])) => quarter.0.min(old.0.saturating_mul(2).max(old.0.saturating_add(50))),
        _ => old.0.saturating_add(step.max(25)),
    };
    let roof = market.map_or(facts.limits.fee_max_ppm, |[.., high]| high.0.min(facts.limits.fee_max_ppm));
    let new = wanted.min(roof);
    (new > old.0 && old.0 >= 0).then_some(Ppm(new))
}

/// What a rise brings on the volume of the last 30 days, if half of the rise in percent (at most half) of it stays away.
fn raise_gain(volume: Msat, old: Ppm, new: Ppm) -> Sat {
    let rise = ratio_ppm(i128::from(new.0) - i128::from(old.0), i128::from(old.0.max(1))).unwrap_or(1_000_000);
    let kept = 1_000_000 - (rise / 2).clamp(0, 500_000);
    let after = clamp(i128::from(new.0) * i128::from(kept) / 1_000_000);
    earns(volume, Ppm(after.saturating_sub(old.0)))
}

/// Lower the fee of channels that are full and send nothing.
pub(super) fn lower(facts: &Facts<'_>) -> Vec<Candidate> {
    let days = facts.limits.lower_idle_days;
    if facts.history_ms() < days.saturating_mul(DAY_MS) {
        return Vec::new();
    }
    let turnover = usual_turnover(facts);
    let public = facts.channels().iter().filter(|c| c.active && !c.private);
    public.filter_map(|c| lowered(facts, c, turnover)).collect()
}

fn lowered(facts: &Facts<'_>, channel: &Channel, turnover: Option<i64>) -> Option<Candidate> {
    let full = outbound_ppm(channel)? > facts.limits.lower_above_percent.saturating_mul(10_000);
    let sends = facts.week.get(&channel.point).is_some_and(|f| f.forwards_out > 0);
    let young = facts.age_days(channel).is_none_or(|age| age < facts.limits.lower_idle_days);
    if !full || sends || young {
        return None;
    }
    let (_, old, _) = facts.our_fee(&channel.point)?;
    let market = facts.market(&channel.peer).map(|(_, rates)| rates);
    let new = cheaper(facts, old, market)?;
    let volume = turnover.map(|t| channel.capacity.msat().at(Ppm(t)).scale(1, 2));
    let name = facts.peer_name(channel);
    let mut list = basics(facts, channel);
    list.push(evidence("fee now", format!("{} ppm", old.0)));
    if let Some(volume) = volume {
        list.push(evidence("volume taken for the gain", format!("{} a month", words::msat(volume))));
    }
    Some(Candidate {
        kind: "lower-fee",
        category: Category::Fees,
        subject: channel.point.as_str().to_owned(),
        title: format!("Lower the fee to {name} from {} to {} ppm", words::grouped(old.0), words::grouped(new.0)),
        description: format!(
            "{} lie ready to be sent and nothing was in {} days: a lower fee may sell some of it. The gain takes half of the turnover that the weaker quarter of this node's selling channels has.",
            words::sat(channel.local),
            facts.limits.lower_idle_days
        ),
        command: set_rate(facts, &channel.point, new)?,
        channels: vec![channel.point.clone()],
        evidence: list,
        gain: volume.map(|v| earns(v, new)),
        cost: Some(Sat::ZERO),
        payback_days: Some(0),
        confidence: confidence(facts, 0.3),
        urgent: None,
    })
}

/// To what three of four others charge where it is dearer than nearly all, else one step down to the middle.
fn cheaper(facts: &Facts<'_>, old: Ppm, market: Option<[Ppm; 5]>) -> Option<Ppm> {
    let step = old.0.saturating_sub(old.0.saturating_mul(facts.limits.fee_step_percent.clamp(1, 90)) / 100);
    let new = match market {
        Some([_, _, _, three_quarters, high]) if old > high => three_quarters.0,
        Some([_, _, middle, _, _]) => step.max(middle.0),
        None => step,
    };
    (new < old.0 && new >= 0).then_some(Ppm(new))
}

/// What a weak but selling channel of this node sends in 30 days, in ppm of its capacity; needs three such channels.
fn usual_turnover(facts: &Facts<'_>) -> Option<i64> {
    let rates: Vec<i64> = facts
        .channels()
        .iter()
        .filter_map(|c| {
            let flow = facts.month.get(&c.point).filter(|f| f.forwards_out > 0)?;
            ratio_ppm(i128::from(flow.amount_out_msat.get()), i128::from(c.capacity.msat().get()))
        })
        .collect();
    if rates.len() < 3 { None } else { lower_quartile(rates).map(|r| r.clamp(0, 10_000_000)) }
}
