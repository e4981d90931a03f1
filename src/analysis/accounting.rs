//! Money: the one place where fees, circular payments and costs of the chain are put to a channel and a period.
//!
//! Fees belong to the channel that a forward leaves by; what it did for the channel it came by is shown beside and is
//! never added. Circular payments are charged to the channel that they refilled, part by part. A channel's opening
//! costs its share of the fee of its funding transaction, found by the transaction and not by a label. What is not
//! known is named, never taken for zero.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::facts::{BLOCKS_A_DAY, Flows};
use super::words;
use crate::history::{History, Period, Window};
use crate::report::{Flow, MoneyPeriod};
use crate::snapshot::{ChainTx, Channel, CloseKind, ClosedChannel, NodeView, Snapshot};
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
    let mut flows = Flows::new();
    for flow in &period.channels {
        let Some(point) = owners.get(&flow.scid) else { continue };
        let sum = flows.entry((*point).clone()).or_default();
        sum.forwards_in = sum.forwards_in.saturating_add(flow.forwards_in);
        sum.forwards_out = sum.forwards_out.saturating_add(flow.forwards_out);
        sum.amount_in_msat += flow.amount_in;
        sum.amount_out_msat += flow.amount_out;
        sum.fees_earned_msat += flow.fees_earned;
        sum.fees_assisted_msat += flow.fees_assisted;
    }
    for refill in &period.rebalances {
        let Some(point) = owners.get(&refill.to) else { continue };
        let sum = flows.entry((*point).clone()).or_default();
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

/// The costs of the chain of one node, found once and asked for every period.
pub(super) struct Ledger<'a> {
    transactions: HashMap<&'a str, &'a ChainTx>,
    opens: BTreeMap<&'a Outpoint, Sat>,
    funding: HashSet<&'a str>,
    closes: Vec<Cost<'a>>,
    sweeps: Vec<Cost<'a>>,
    unknown_opens: Vec<(&'a Outpoint, Scid)>,
    height: i64,
    missing: Vec<String>,
}

/// A cost of the chain, with the transaction that tells its time.
struct Cost<'a> {
    txid: &'a str,
    /// Used for its time where the wallet does not have the transaction.
    height: Option<i64>,
    fee: Option<Sat>,
    what: String,
}

impl<'a> Ledger<'a> {
    /// Finds every cost that the stored transactions and channels tell.
    pub(super) fn new(history: &'a History, snapshot: Option<&'a Snapshot>) -> Self {
        let transactions: HashMap<&str, &ChainTx> = history.transactions.iter().map(|t| (t.txid.as_str(), t)).collect();
        let node = snapshot.map(|s| &s.node);
        let funded = funded_by_us(history, node);
        let (opens, unknown_opens) = open_costs(&funded, &transactions);
        let height = node.map_or(0, |n| i64::from(n.info.block_height));
        Self {
            funding: funded.iter().map(|(point, _)| point.txid()).collect(),
            opens,
            unknown_opens,
            closes: close_costs(history, node, &transactions),
            sweeps: sweep_costs(history, node, &transactions),
            transactions,
            height,
            missing: snapshot.map(unread).unwrap_or_default(),
        }
    }

    /// What opening a channel cost us, where known.
    pub(super) fn open_cost(&self, point: &Outpoint) -> Option<Sat> {
        self.opens.get(point).copied()
    }

    /// What was earned and paid in a period; `None` where nothing is stored for it.
    pub(super) fn money(&self, period: &Period) -> Option<MoneyPeriod> {
        let window = period.window?;
        let mut money = MoneyPeriod {
            fees_earned_msat: period.amount_in - period.amount_out,
            rebalances: period.rebalance_count,
            rebalanced_msat: period.rebalances.iter().map(|r| r.amount).sum(),
            rebalance_cost_msat: period.rebalances.iter().map(|r| r.cost).sum(),
            payments_sent_msat: period.payments_sent,
            payment_fees_msat: period.payment_fees,
            received_msat: period.received,
            unknown: self.missing.clone(),
            ..MoneyPeriod::default()
        };
        money.open_cost_sat = self.opened_in(window, &mut money.unknown);
        money.close_cost_sat = self.spent_in(&self.closes, window, &mut money.unknown);
        money.sweep_cost_sat = self.spent_in(&self.sweeps, window, &mut money.unknown);
        money.other_chain_cost_sat = self.other_in(window);
        let chain = money.open_cost_sat + money.close_cost_sat + money.sweep_cost_sat;
        money.net_msat = money.fees_earned_msat - money.rebalance_cost_msat - chain.msat();
        Some(money)
    }

    fn opened_in(&self, window: Window, unknown: &mut Vec<String>) -> Sat {
        for (point, scid) in &self.unknown_opens {
            let height = i64::try_from(scid.0 >> 40).ok();
            if self.within(point.txid(), height, window) {
                unknown.push(format!("cost of opening {}: the wallet does not have its transaction", point.short()));
            }
        }
        let inside = |point: &Outpoint| self.within(point.txid(), None, window);
        self.opens.iter().filter(|(point, _)| inside(point)).map(|(_, cost)| *cost).sum()
    }

    fn spent_in(&self, costs: &[Cost<'_>], window: Window, unknown: &mut Vec<String>) -> Sat {
        let mut sum = Sat::ZERO;
        for cost in costs.iter().filter(|c| self.within(c.txid, c.height, window)) {
            match cost.fee {
                Some(fee) => sum += fee,
                None => unknown.push(cost.what.clone()),
            }
        }
        sum
    }

    /// Fees of the wallet's transactions that neither open, close nor sweep.
    fn other_in(&self, window: Window) -> Sat {
        let known: HashSet<&str> = self.closes.iter().chain(&self.sweeps).map(|c| c.txid).collect();
        let other = |t: &&&ChainTx| !self.funding.contains(t.txid.as_str()) && !known.contains(t.txid.as_str());
        let inside = |t: &&&ChainTx| window.start <= t.at && t.at < window.end;
        self.transactions.values().filter(other).filter(inside).map(|t| t.fee.max(Sat::ZERO)).sum()
    }

    /// Whether a transaction falls into a window: by its time, else by its block counted back from the last one.
    fn within(&self, txid: &str, height: Option<i64>, window: Window) -> bool {
        if let Some(tx) = self.transactions.get(txid) {
            return window.start <= tx.at && tx.at < window.end;
        }
        let days = window.end.since(window.start).max(0) / DAY_MS;
        height.is_some_and(|h| h > 0 && self.height >= h && self.height - h < days.saturating_mul(BLOCKS_A_DAY))
    }
}

/// Every channel that this node opened, with its short id, in the order of its key.
fn funded_by_us<'a>(history: &'a History, node: Option<&'a NodeView>) -> BTreeSet<(&'a Outpoint, Scid)> {
    let mut funded = BTreeSet::new();
    for channel in node.and_then(|n| n.channels.as_ref()).into_iter().flatten().filter(|c| c.opened_by_us) {
        let confirmed = channel.other_scids.iter().copied().fold(channel.scid, Ord::min);
        funded.insert((&channel.point, confirmed));
    }
    if let Some(pending) = node.and_then(|n| n.pending.as_ref()) {
        let closing = pending.force_closing.iter().map(|f| &f.channel);
        for channel in pending.opening.iter().chain(&pending.waiting_close).chain(closing) {
            if channel.opened_by_us == Some(true) {
                funded.insert((&channel.point, Scid(0)));
            }
        }
    }
    for closed in all_closed(history, node) {
        if closed.opened_by_us == Some(true) {
            funded.insert((&closed.point, closed.scid));
        }
    }
    funded
}

/// Closed channels of the store and of the node, each once.
fn all_closed<'a>(history: &'a History, node: Option<&'a NodeView>) -> Vec<&'a ClosedChannel> {
    let now = node.and_then(|n| n.closed.as_ref()).into_iter().flatten();
    let mut by_point: BTreeMap<&Outpoint, &ClosedChannel> = history.closed.iter().map(|c| (&c.point, c)).collect();
    by_point.extend(now.map(|c| (&c.point, c)));
    by_point.into_values().collect()
}

/// Each funding transaction's fee, shared equally among the channels of it that we opened: the parts are whole sat, and
/// what is left over goes to the first, so that they sum to the fee.
fn open_costs<'a>(
    funded: &BTreeSet<(&'a Outpoint, Scid)>,
    transactions: &HashMap<&str, &ChainTx>,
) -> (BTreeMap<&'a Outpoint, Sat>, Vec<(&'a Outpoint, Scid)>) {
    let mut batches: BTreeMap<&str, BTreeMap<&'a Outpoint, Scid>> = BTreeMap::new();
    for (point, scid) in funded {
        let at = batches.entry(point.txid()).or_default().entry(point).or_insert(*scid);
        *at = (*at).max(*scid);
    }
    let mut costs = BTreeMap::new();
    let mut unknown = Vec::new();
    for (txid, points) in batches {
        // A wallet that did not pay for the transaction (funded from outside) does not know its fee.
        let fee = transactions.get(txid).map(|t| t.fee).filter(|fee| *fee > Sat::ZERO);
        let Some(fee) = fee else {
            unknown.extend(points);
            continue;
        };
        let shares = i64::try_from(points.len()).unwrap_or(i64::MAX).max(1);
        let each = fee.get() / shares;
        for (i, (point, _)) in points.into_iter().enumerate() {
            let extra = if i == 0 { fee.get() % shares } else { 0 };
            costs.insert(point, Sat::new(each.saturating_add(extra)));
        }
    }
    (costs, unknown)
}

/// What closing cost, where we opened the channel: the opener pays for the closing transaction.
fn close_costs<'a>(
    history: &'a History,
    node: Option<&'a NodeView>,
    transactions: &HashMap<&str, &ChainTx>,
) -> Vec<Cost<'a>> {
    let mut costs = Vec::new();
    for closed in all_closed(history, node) {
        let costless = matches!(closed.kind, CloseKind::FundingCanceled | CloseKind::Abandoned);
        if costless || closed.opened_by_us == Some(false) {
            continue;
        }
        let ours = closed.opened_by_us == Some(true);
        let forced = matches!(closed.kind, CloseKind::LocalForce | CloseKind::RemoteForce);
        let fee = closing_fee(history, &closed.point, closed.capacity, &closed.closing_txid, forced, transactions);
        costs.push(Cost {
            txid: &closed.closing_txid,
            height: Some(i64::from(closed.close_height)),
            fee: fee.filter(|_| ours),
            what: format!("cost of closing {}: {}", closed.point.short(), why_unknown(ours)),
        });
    }
    let forcing = node.and_then(|n| n.pending.as_ref()).into_iter().flat_map(|p| &p.force_closing);
    for channel in forcing.map(|f| &f.channel).filter(|c| c.opened_by_us != Some(false)) {
        let Some(txid) = channel.closing_txid.as_deref() else { continue };
        let known = channel.opened_by_us == Some(true);
        costs.push(Cost {
            txid,
            height: None,
            fee: closing_fee(history, &channel.point, channel.capacity, txid, true, transactions).filter(|_| known),
            what: format!("cost of closing {}: {}", channel.point.short(), why_unknown(known)),
        });
    }
    costs
}

fn why_unknown(opener_known: bool) -> &'static str {
    if opener_known { "the fee of its transaction is not known" } else { "who opened it is not known" }
}

/// The fee of a closing transaction: what the channel held less what came out of it, else by the last commitment seen.
fn closing_fee(
    history: &History,
    point: &Outpoint,
    capacity: Sat,
    txid: &str,
    forced: bool,
    transactions: &HashMap<&str, &ChainTx>,
) -> Option<Sat> {
    let by_outputs = transactions.get(txid).filter(|t| t.spends.len() <= 1).and_then(|t| t.outputs);
    if let Some(outputs) = by_outputs {
        let fee = capacity - outputs;
        return (Sat::ZERO <= fee && fee <= capacity).then_some(fee);
    }
    let previous = history.previous_snapshot.as_ref().filter(|_| forced)?;
    let channels = previous.node.channels.as_deref().unwrap_or_default();
    channels.iter().find(|c| c.point == *point).map(|c| c.commit_fee)
}

/// What sweeping cost, once for each transaction: what it claimed less what it brought to the wallet.
fn sweep_costs<'a>(
    history: &'a History,
    node: Option<&'a NodeView>,
    transactions: &HashMap<&str, &ChainTx>,
) -> Vec<Cost<'a>> {
    let closed = all_closed(history, node);
    let mut amounts: HashMap<&str, Sat> = HashMap::new();
    let mut sweeps: BTreeMap<&str, (Sat, i64)> = BTreeMap::new();
    for channel in &closed {
        for resolution in &channel.resolutions {
            amounts.insert(&resolution.outpoint, resolution.amount);
            let Some(txid) = resolution.sweep_txid.as_deref() else { continue };
            // The first of two stages leads to a second output of ours, which has a resolution and a sweep of its own;
            // where the other side took an output, nothing was swept by us.
            if resolution.outcome == "claimed" {
                let sweep = sweeps.entry(txid).or_insert((Sat::ZERO, i64::from(channel.close_height)));
                sweep.0 += resolution.amount;
            }
        }
    }
    let costs = sweeps.into_iter().map(|(txid, (claimed, height))| Cost {
        txid,
        height: Some(height),
        fee: sweep_fee(txid, claimed, &amounts, transactions),
        what: format!("cost of the sweep {}: what it claimed is not known", words::line(&short(txid))),
    });
    let mut costs: Vec<Cost<'_>> = costs.collect();
    // Sweeps that LND lists without a resolution: of channels whose closing is not over.
    let listed: HashSet<&str> = costs.iter().map(|c| c.txid).collect();
    for txid in node.and_then(|n| n.sweeps.as_ref()).into_iter().flatten() {
        if !listed.contains(txid.as_str()) {
            costs.push(Cost {
                txid,
                height: None,
                fee: transactions.get(txid.as_str()).map(|t| t.fee).filter(|f| *f > Sat::ZERO),
                what: format!("cost of the sweep {}: what it claimed is not known", words::line(&short(txid))),
            });
        }
    }
    costs
}

fn sweep_fee(
    txid: &str,
    claimed: Sat,
    amounts: &HashMap<&str, Sat>,
    transactions: &HashMap<&str, &ChainTx>,
) -> Option<Sat> {
    let tx = transactions.get(txid)?;
    if tx.fee > Sat::ZERO {
        return Some(tx.fee);
    }
    let spent: Sat = tx.spends.iter().filter_map(|o| amounts.get(o.as_str()).copied()).sum();
    let fee = spent.max(claimed) - tx.amount;
    (Sat::ZERO <= fee && fee <= claimed).then_some(fee)
}

/// What the sweeps of one closed channel brought to the wallet, and what they cost; `None` where that is not known or a
/// sweep took other channels along.
pub(super) fn came_back(history: &History, channel: &ClosedChannel) -> Option<(Sat, Sat)> {
    let transactions: HashMap<&str, &ChainTx> = history.transactions.iter().map(|t| (t.txid.as_str(), t)).collect();
    let mut by_sweep: BTreeMap<&str, Sat> = BTreeMap::new();
    for resolution in channel.resolutions.iter().filter(|r| r.outcome == "claimed") {
        *by_sweep.entry(resolution.sweep_txid.as_deref()?).or_default() += resolution.amount;
    }
    let amounts = channel.resolutions.iter().map(|r| (r.outpoint.as_str(), r.amount)).collect();
    let mut sum = (Sat::ZERO, Sat::ZERO);
    for (txid, claimed) in &by_sweep {
        let fee = sweep_fee(txid, *claimed, &amounts, &transactions)?;
        sum = (sum.0 + *claimed - fee, sum.1 + fee);
    }
    (!by_sweep.is_empty()).then_some(sum)
}

fn short(txid: &str) -> String {
    format!("{}..", txid.chars().take(8).collect::<String>())
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
