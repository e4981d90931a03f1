//! Move sats: from where they lie idle to where they are wanted, as long as they earn more there than the way costs.

use std::collections::HashSet;

use super::demand::{EIGHTY, Market, Outlook};
use super::{Candidate, basics, confidence, earns, evidence, payback};
use crate::analysis::facts::{Facts, outbound_ppm};
use crate::analysis::number::{clamp, ratio_ppm, real, whole};
use crate::analysis::words;
use crate::history::RebalanceFlow;
use crate::report::{Act, AdviceState, Category};
use crate::snapshot::Channel;
use crate::units::{DAY_MS, Msat, Outpoint, Ppm, Sat};

/// Own circular payments that weigh as much as the market's estimate of their price.
const PRICE_PRIOR_PARTS: i64 = 3;
/// Four of five refills of simulated nodes (seeds 1 to 200) brought between these multiples of what was promised.
const CAME_LEAST: i64 = -1;
const CAME_MOST: i64 = 4;

/// A channel that sells more than it has.
struct Target<'a> {
    channel: &'a Channel,
    outlook: Outlook,
    /// What it earns for what it sends: the lower of what it charges now and what it earned.
    earning: Ppm,
    /// What will be wanted of it in 30 days beyond what it has.
    unmet: Msat,
    /// What it can take: to the middle, and not too much at once.
    room: Sat,
    /// What a route is expected to cost.
    price: Price,
    /// Days for which a refill of it was advised and nothing arrived.
    waited: i64,
}

/// What a circular payment to a channel should cost.
#[derive(Clone, Copy, Debug)]
struct Price {
    rate: Ppm,
    /// Settled parts of own circular payments that it rests on.
    parts: u32,
}

/// A channel that gives.
struct Source<'a> {
    channel: &'a Channel,
    /// What it can give.
    spare: Sat,
    /// What of that it would not sell itself in 30 days.
    idle: Msat,
    /// What it charges for the rest.
    earning: Ppm,
}

/// One refill worked out.
struct Refill {
    amount: Sat,
    /// Of that, what will really be sold in 30 days.
    sold: Msat,
    /// What it earns there, less what the source no longer earns.
    worth: Msat,
    /// At this cost it earns nothing.
    break_even: Sat,
    /// The most that it may cost.
    most: Sat,
    /// What it should cost.
    cost: Sat,
}

/// Refills of channels that sell more than they have, each from the source that leaves the most.
pub(super) fn refill(facts: &Facts<'_>, market: &Market<'_>) -> Vec<Candidate> {
    if facts.history_ms() < facts.limits.advice_history_days.saturating_mul(DAY_MS) {
        return Vec::new();
    }
    let mut targets: Vec<Target<'_>> = facts.channels().iter().filter_map(|c| target(facts, market, c)).collect();
    targets.sort_by_key(|t| (std::cmp::Reverse(earns(t.unmet.min(t.room.msat()), t.earning)), &t.channel.point));
    let sources: Vec<Source<'_>> = facts.channels().iter().filter_map(|c| source(facts, market, c)).collect();
    let mut given: HashSet<&Outpoint> = HashSet::new();
    let mut found = Vec::new();
    for target in &targets {
        let fits = |s: &&Source<'_>| s.channel.peer != target.channel.peer && !given.contains(&s.channel.point);
        let worked_out = sources.iter().filter(fits).filter_map(|s| Some((s, work_out(facts, target, s)?)));
        let best =
            worked_out.max_by_key(|(s, r)| (gain(facts, target, r), s.spare, std::cmp::Reverse(&s.channel.point)));
        if let Some((source, refill)) = best {
            given.insert(&source.channel.point);
            found.push(candidate(facts, target, source, &refill));
        }
    }
    found
}

fn middle(channel: &Channel) -> Sat {
    let both = i128::from(channel.local.get()) + i128::from(channel.remote.get());
    Sat::new(clamp(both / 2))
}

fn target<'a>(facts: &Facts<'a>, market: &Market<'a>, channel: &'a Channel) -> Option<Target<'a>> {
    let limits = facts.limits;
    let low = outbound_ppm(channel)? < limits.refill_below_percent.saturating_mul(10_000);
    let flow = facts.month.get(&channel.point).filter(|f| f.forwards_out > 0)?;
    let held = facts.their_policy(&channel.point).is_some_and(|p| p.disabled);
    if !channel.active || !low || held || market.peer_is_restless(&channel.point) {
        return None;
    }
    let earned = flow.fees_earned_msat.ppm_of(flow.amount_out_msat)?;
    let earning = facts.our_fee(&channel.point).map_or(earned, |(_, rate, _)| rate.min(earned));
    let outlook = market.outlook(channel);
    let unmet = outlook.wanted - outlook.supply;
    let largest = channel.capacity.msat().scale(limits.refill_max_percent.clamp(0, 100), 100).floor_sat();
    let room = (middle(channel) - channel.local).min(largest);
    let price = price(facts, market, channel);
    let worth_it = earning.0 > 0 && unmet > Msat::ZERO && room.get() >= limits.refill_min_sat;
    worth_it.then_some(Target { channel, outlook, earning, unmet, room, price, waited: waited(facts, market, channel) })
}

fn source<'a>(facts: &Facts<'a>, market: &Market<'a>, channel: &'a Channel) -> Option<Source<'a>> {
    let full = outbound_ppm(channel)? > facts.limits.give_above_percent.saturating_mul(10_000);
    let spare = channel.local - middle(channel);
    if !channel.active || !full || spare.get() < facts.limits.refill_min_sat {
        return None;
    }
    let outlook = market.outlook(channel);
    let earning = facts.our_fee(&channel.point).map_or(Ppm(0), |(_, rate, _)| Ppm(rate.0.max(0)));
    Some(Source { channel, spare, idle: (outlook.supply - outlook.wanted).max(Msat::ZERO), earning })
}

/// Since when a refill of a channel is advised in vain: each day makes it less likely that a route at its price exists.
fn waited(facts: &Facts<'_>, market: &Market<'_>, channel: &Channel) -> i64 {
    let arrived = |r: &RebalanceFlow| market.owners().get(&r.to).is_some_and(|p| **p == channel.point);
    if facts.history.week.rebalances.iter().any(arrived) {
        return 0;
    }
    let open = facts.history.advice.iter().filter(|past| past.state == AdviceState::Open);
    let vain = open.filter(|past| matches!(&past.act, Some(Act::Rebalance { to, .. }) if *to == channel.point));
    vain.map(|past| facts.now.since(past.first_at) / DAY_MS).max().unwrap_or(0).max(0)
}

/// The price of a route that ends through a peer: own circular payments to the channel, and the market's estimate (the
/// middle of what others charge to the peer, and the peer itself to us), weighed by how many there were.
fn price(facts: &Facts<'_>, market: &Market<'_>, channel: &Channel) -> Price {
    let limits = facts.limits;
    let last_hop = facts.their_policy(&channel.point).map_or(0, |p| p.rate.0.max(0));
    let to_peer =
        facts.market(&channel.peer).map_or(limits.refill_route_ppm, |(_, [_, _, middle, ..])| middle.0.max(0));
    let by_market = i128::from(last_hop) + i128::from(to_peer);
    let own = |flows: &[RebalanceFlow]| {
        let to = flows.iter().filter(|r| market.owners().get(&r.to).is_some_and(|p| **p == channel.point));
        to.fold((Msat::ZERO, Msat::ZERO, 0_u32), |(cost, amount, parts), r| {
            (cost + r.cost, amount + r.amount, parts.saturating_add(r.parts))
        })
    };
    let (cost, amount, parts) = match own(&facts.history.month.rebalances) {
        (.., 0) => own(&facts.history.quarter.rebalances),
        month => month,
    };
    let Some(paid) = cost.ppm_of(amount).filter(|_| parts > 0) else {
        return Price { rate: Ppm(clamp(by_market)), parts: 0 };
    };
    let (n, k) = (i128::from(parts), i128::from(PRICE_PRIOR_PARTS));
    Price { rate: Ppm(clamp((i128::from(paid.0) * n + by_market * k) / (n + k))), parts }
}

/// What a refill of one channel from another is worth; `None` where it can't pay.
fn work_out(facts: &Facts<'_>, target: &Target<'_>, source: &Source<'_>) -> Option<Refill> {
    let limits = facts.limits;
    let amount = target.room.min(source.spare).min(target.unmet.floor_sat());
    let amount = Sat::new(amount.get() / 1000 * 1000);
    if amount.get() < limits.refill_min_sat {
        return None;
    }
    let sold = amount.msat().min(target.unmet);
    // What the source would have sold itself is no gain.
    let taken = (amount.msat() - source.idle).max(Msat::ZERO);
    let worth = sold.at(target.earning) - taken.at(source.earning);
    let break_even = worth.floor_sat();
    let most = worth.scale(limits.refill_budget_percent.clamp(1, 100), 100).floor_sat();
    let cost = amount.msat().at(target.price.rate).floor_sat() + Sat::new(1);
    // The peer's own fee is paid on any route: beyond the most that it may cost, none can be cheap enough.
    let last_hop = facts.their_policy(&target.channel.point).map_or(Ppm(0), |p| p.rate);
    let reachable = amount.msat().at(last_hop).floor_sat() < most
        && cost.msat().scale(100, 1) <= most.msat().scale(limits.refill_likely_percent.clamp(1, 100), 1);
    (most > Sat::ZERO && reachable).then_some(Refill { amount, sold, worth, break_even, most, cost })
}

/// What is promised: of the worth less the cost, the share of tries that find a route; less with each day in vain.
fn gain(facts: &Facts<'_>, target: &Target<'_>, refill: &Refill) -> Sat {
    let limits = facts.limits;
    let net = refill.worth.floor_sat() - refill.cost;
    let patience = i128::from(limits.refill_patience_days.max(1));
    let percent = i128::from(limits.refill_success_percent.clamp(0, 100)) * patience;
    Sat::new(clamp(i128::from(net.get()) * percent / (100 * (patience + i128::from(target.waited)))))
}

/// Unlucky: sold less at the highest cost; lucky: all of it at half of the expected cost.
fn range(facts: &Facts<'_>, target: &Target<'_>, refill: &Refill) -> (Sat, Sat) {
    let unlucky = 1.0 - EIGHTY * target.outlook.spread();
    let sold = Sat::new(whole(real(refill.worth.floor_sat().get()) * unlucky.max(0.0)));
    let promised = gain(facts, target, refill);
    let high = refill.worth.floor_sat() - refill.cost.msat().scale(1, 2).floor_sat();
    let times = |n: i64| Sat::new(promised.max(Sat::ZERO).get().saturating_mul(n));
    let (low, high) = ((sold - refill.most).min(times(CAME_LEAST)), high.max(times(CAME_MOST)));
    (low.min(promised), high.max(promised))
}

fn candidate(facts: &Facts<'_>, target: &Target<'_>, source: &Source<'_>, refill: &Refill) -> Candidate {
    let (channel, from_channel) = (target.channel, source.channel);
    let (to, from) = (facts.peer_name(channel), facts.peer_name(from_channel));
    let most_ppm = Ppm(ratio_ppm(i128::from(refill.most.get()), i128::from(refill.amount.get())).unwrap_or(0));
    Candidate {
        title: format!("Refill {to} by {} from {from}, at most {}", words::sat(refill.amount), words::sat(refill.most)),
        description: format!(
            "{} are wanted of {to} in 30 days and it has {} to sell, with what comes back by itself; {from} holds {}. Up to {} the refill earns what it costs; at most {} leaves a part of it.",
            words::sat(target.outlook.wanted.floor_sat()),
            words::sat(target.outlook.supply.floor_sat()),
            words::sat(from_channel.local),
            words::sat(refill.break_even),
            words::sat(refill.most)
        ),
        command: command(channel, from_channel, refill, most_ppm),
        channels: vec![channel.point.clone(), from_channel.point.clone()],
        evidence: numbers(facts, target, source, refill),
        gain: Some(gain(facts, target, refill)),
        range: Some(range(facts, target, refill)),
        cost: Some(refill.cost),
        payback_days: payback(refill.cost, refill.worth.floor_sat()),
        act: Some(Act::Rebalance {
            from: from_channel.point.clone(),
            to: channel.point.clone(),
            amount_sat: refill.amount,
            max_fee_sat: refill.most,
        }),
        ..Candidate::new("refill", Category::Liquidity, channel.point.as_str(), confidence(facts, 0.5))
    }
}

fn numbers(
    facts: &Facts<'_>,
    target: &Target<'_>,
    source: &Source<'_>,
    refill: &Refill,
) -> Vec<crate::report::Evidence> {
    let mut list = basics(facts, target.channel);
    list.push(evidence("earns", format!("{} ppm of what it sends", target.earning.0)));
    list.push(evidence("will be sold of it in 30 days", words::sat(refill.sold.floor_sat())));
    list.push(evidence("the source would not sell", words::sat(source.idle.floor_sat())));
    let rests = match target.price.parts {
        0 => "from what others charge".to_owned(),
        n => format!("{n} circular payments of ours in it"),
    };
    list.push(evidence("a route should cost", format!("{} ppm, {rests}", target.price.rate.0)));
    if let Some(policy) = facts.their_policy(&target.channel.point) {
        list.push(evidence("the peer's own fee", format!("{} ppm", policy.rate.0)));
    }
    if target.waited > 0 {
        list.push(evidence("advised in vain for", words::span(target.waited.saturating_mul(DAY_MS))));
    }
    if let Some(missed) = target.outlook.missed {
        list.push(evidence("failed for lack of balance, put to 30 days", words::sat(missed.floor_sat())));
    }
    list.push(evidence("break-even cost", words::sat(refill.break_even)));
    list
}

/// LND pays an invoice of its own over the two channels; `bos` does the same in smaller parts.
fn command(to: &Channel, from: &Channel, refill: &Refill, most: Ppm) -> String {
    format!(
        "lncli payinvoice --force --allow_self_payment --outgoing_chan_id {} --last_hop {} --fee_limit {} $(lncli addinvoice --amt {} | jq -r .payment_request)\n# or: bos rebalance --out {} --in {} --amount {} --max-fee-rate {} --max-fee {}",
        from.scid,
        to.peer,
        refill.most.get(),
        refill.amount.get(),
        from.peer,
        to.peer,
        refill.amount.get(),
        most.0,
        refill.most.get()
    )
}
