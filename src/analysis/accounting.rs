//! Money: the one place where fees, circular payments and costs of the chain are put to a channel and a period.
//!
//! Fees belong to the channel that a forward leaves by; what it did for the channel it came by is shown beside and is
//! never added. Circular payments are charged to the channel that they refilled, part by part. A channel's opening
//! costs its share of the fee of its funding transaction, found by the transaction and not by a label. What is not
//! known is named, never taken for zero.

mod accounts;
mod capital;
mod chain;

use std::collections::{HashMap, HashSet};

pub(super) use accounts::{Row, Span};
pub(super) use capital::Capital;
pub(super) use chain::{came_back, claimed};

use self::accounts::Owner;
use self::chain::{Cost, Kind, Transactions};
use super::facts::{BLOCKS_A_DAY, Flows};
use crate::history::{History, Period, Window};
use crate::report::{ChannelFlow, Flow, MoneyPeriod};
use crate::snapshot::{Channel, Snapshot};
use crate::units::{DAY_MS, Outpoint, Sat, Scid};

/// Which channel each short id belongs to: by the store, and by what the node says now.
pub(super) fn owners<'a>(history: &'a History, channels: &'a [Channel]) -> HashMap<Scid, &'a Outpoint> {
    let mut owners: HashMap<Scid, &Outpoint> = history.scids.iter().map(|(scid, point, _)| (*scid, point)).collect();
    for closed in &history.closed {
        for scid in std::iter::once(closed.scid).chain(closed.other_scids.iter().copied()) {
            owners.entry(scid).or_insert(&closed.point);
        }
    }
    for channel in channels {
        for scid in std::iter::once(channel.scid).chain(channel.other_scids.iter().copied()) {
            owners.insert(scid, &channel.point);
        }
    }
    owners.remove(&Scid(0));
    owners
}

/// What went over each channel in a period, over all of its short ids.
pub(super) fn by_channel(period: &Period, owners: &HashMap<Scid, &Outpoint>) -> Flows {
    let flows = by_owner(period, owners);
    flows.into_iter().filter_map(|(point, flow)| Some((point?.clone(), flow))).collect()
}

/// The same with what belongs to no channel that is known.
fn by_owner<'a>(period: &Period, owners: &HashMap<Scid, &'a Outpoint>) -> HashMap<Option<&'a Outpoint>, ChannelFlow> {
    let mut flows: HashMap<Option<&Outpoint>, ChannelFlow> = HashMap::new();
    for flow in &period.channels {
        let sum = flows.entry(owners.get(&flow.scid).copied()).or_default();
        sum.forwards_in = sum.forwards_in.saturating_add(flow.forwards_in);
        sum.forwards_out = sum.forwards_out.saturating_add(flow.forwards_out);
        sum.amount_in_msat += flow.amount_in;
        sum.amount_out_msat += flow.amount_out;
        sum.fees_earned_msat += flow.fees_earned;
        sum.fees_assisted_msat += flow.fees_assisted;
    }
    for refill in &period.rebalances {
        let sum = flows.entry(owners.get(&refill.to).copied()).or_default();
        sum.rebalanced_in_msat += refill.amount;
        sum.rebalance_cost_msat += refill.cost;
    }
    flows
}

/// What was forwarded in a period; `None` where nothing is stored for it.
pub(super) fn flow(period: &Period) -> Option<Flow> {
    period.window?;
    let fees = period.amount_in - period.amount_out;
    Some(Flow {
        forwards: period.forwards,
        amount_in_msat: period.amount_in,
        amount_out_msat: period.amount_out,
        fees_msat: fees,
        fee_ppm: fees.ppm_of(period.amount_out),
    })
}

/// The books of one node: who owns which short id, and every cost of the chain, found once and asked for every period.
pub(super) struct Ledger<'a> {
    history: &'a History,
    owners: HashMap<Scid, &'a Outpoint>,
    transactions: Transactions<'a>,
    costs: Vec<Cost<'a>>,
    opens: HashMap<&'a Outpoint, Sat>,
    channels: HashMap<&'a Outpoint, Owner<'a>>,
    height: i64,
    /// Streams that could not be read, so that any sum may lack something.
    missing: Vec<String>,
}

/// Fees of the chain in a period.
#[derive(Clone, Debug, Default)]
struct ChainSums {
    open: Sat,
    close: Sat,
    sweep: Sat,
    unknown: Vec<String>,
}

impl ChainSums {
    fn add(&mut self, cost: &Cost<'_>) {
        match (cost.fee, cost.kind) {
            (Some(fee), Kind::Open) => self.open += fee,
            (Some(fee), Kind::Close) => self.close += fee,
            (Some(fee), Kind::Sweep) => self.sweep += fee,
            (None, _) if self.unknown.contains(&cost.what) => {}
            (None, _) => self.unknown.push(cost.what.clone()),
        }
    }

    fn all(&self) -> Sat {
        self.open + self.close + self.sweep
    }
}

impl<'a> Ledger<'a> {
    /// Finds every cost that the stored transactions and channels tell.
    pub(super) fn new(history: &'a History, snapshot: Option<&'a Snapshot>) -> Self {
        let transactions: Transactions<'_> = history.transactions.iter().map(|t| (t.txid.as_str(), t)).collect();
        let node = snapshot.map(|s| &s.node);
        let open = node.and_then(|n| n.channels.as_deref()).unwrap_or_default();
        let costs = chain::costs(history, node, &transactions);
        let opens = costs.iter().filter(|c| c.kind == Kind::Open).filter_map(|c| Some((c.point?, c.fee?))).collect();
        Self {
            history,
            owners: owners(history, open),
            costs,
            opens,
            channels: accounts::channels(history, snapshot),
            transactions,
            height: node.map_or(0, |n| i64::from(n.info.block_height)),
            missing: snapshot.map(unread).unwrap_or_default(),
        }
    }

    /// What opening a channel cost us, where known.
    pub(super) fn open_cost(&self, point: &Outpoint) -> Option<Sat> {
        self.opens.get(point).copied()
    }

    /// What was earned and paid in one of the periods; `None` where nothing is stored for it.
    pub(super) fn money(&self, span: Span) -> Option<MoneyPeriod> {
        let period = span.period(self.history);
        self.money_of(period, span.window(period.window?), Some(span))
    }

    /// What was earned and paid in a window of any length; `means` names the period whose mean balances are its own.
    pub(super) fn money_of(&self, period: &Period, window: Window, means: Option<Span>) -> Option<MoneyPeriod> {
        period.window?;
        let mut chain = ChainSums { unknown: self.missing.clone(), ..ChainSums::default() };
        self.costs.iter().filter(|cost| self.within(cost, window)).for_each(|cost| chain.add(cost));
        let fees = period.amount_in - period.amount_out;
        let rebalancing = period.rebalances.iter().map(|r| r.cost).sum();
        let net = fees - rebalancing - chain.all().msat();
        let capital = self.rows_of(period, window, means).into_iter().map(|row| row.capital).sum::<Capital>();
        let net_known = chain.unknown.is_empty();
        Some(MoneyPeriod {
            fees_earned_msat: fees,
            rebalances: period.rebalance_count,
            rebalanced_msat: period.rebalances.iter().map(|r| r.amount).sum(),
            rebalance_cost_msat: rebalancing,
            payments_sent_msat: period.payments_sent,
            payment_fees_msat: period.payment_fees,
            received_msat: period.received,
            open_cost_sat: chain.open,
            close_cost_sat: chain.close,
            sweep_cost_sat: chain.sweep,
            other_chain_cost_sat: self.other_in(window),
            net_msat: net,
            net_known,
            net_ppm: net.ppm_of(period.amount_out).filter(|_| net_known),
            mean_local_sat: capital.mean(),
            apy_ppm: capital.apy(net).filter(|_| net_known),
            unknown: chain.unknown,
        })
    }

    /// Fees of the wallet's transactions that neither open, close nor sweep.
    fn other_in(&self, window: Window) -> Sat {
        let known: HashSet<&str> = self.costs.iter().map(|c| c.txid).collect();
        let other = self.transactions.values().filter(|t| !known.contains(t.txid.as_str()));
        other.filter(|t| window.start <= t.at && t.at < window.end).map(|t| t.fee.max(Sat::ZERO)).sum()
    }

    /// Whether a cost falls into a window: by the time of its transaction, else by its block counted back from the last
    /// one.
    fn within(&self, cost: &Cost<'_>, window: Window) -> bool {
        if let Some(tx) = self.transactions.get(cost.txid) {
            return window.start <= tx.at && tx.at < window.end;
        }
        if window.start == Span::BEGINNING {
            return cost.height.is_none_or(|h| self.height == 0 || h <= self.height);
        }
        let days = window.end.since(window.start).max(0) / DAY_MS;
        let age = |h: i64| (h > 0).then(|| self.height - h);
        cost.height.and_then(age).is_some_and(|age| age >= 0 && age < days.saturating_mul(BLOCKS_A_DAY))
    }
}

/// Streams of events that could not be read today, so that sums over them may lack something.
fn unread(snapshot: &Snapshot) -> Vec<String> {
    ["forwards", "payments", "invoices", "transactions", "sweeps", "closed"]
        .iter()
        .filter(|stream| snapshot.gaps.iter().any(|gap| gap.part.contains(*stream)))
        .map(|stream| format!("{stream} could not be read, so newer ones are missing here"))
        .collect()
}

#[cfg(test)]
mod tests;
