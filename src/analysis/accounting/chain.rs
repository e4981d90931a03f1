//! Fees of the chain, each put to the channel that it was paid for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::analysis::number::clamp;
use crate::analysis::words;
use crate::history::History;
use crate::snapshot::{ChainTx, CloseKind, ClosedChannel, NodeView, Resolution};
use crate::units::{Outpoint, Sat, Scid};

/// The wallet's transactions by their id.
pub(in crate::analysis) type Transactions<'a> = HashMap<&'a str, &'a ChainTx>;

/// What a fee of the chain was paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Sweep,
}

/// One channel's share of the fee of one transaction.
pub(super) struct Cost<'a> {
    pub(super) kind: Kind,
    /// `None` for a sweep of what no known channel left.
    pub(super) point: Option<&'a Outpoint>,
    pub(super) txid: &'a str,
    /// Used for its time where the wallet does not have the transaction.
    pub(super) height: Option<i64>,
    pub(super) fee: Option<Sat>,
    /// What to say where the fee is not known.
    pub(super) what: String,
}

/// Every cost that the stored transactions and channels tell.
pub(super) fn costs<'a>(history: &'a History, node: Option<&'a NodeView>, known: &Transactions<'a>) -> Vec<Cost<'a>> {
    let mut costs = open_costs(&funded_by_us(history, node), known);
    costs.extend(close_costs(history, node, known));
    costs.extend(sweep_costs(history, node, known));
    costs
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
pub(super) fn all_closed<'a>(history: &'a History, node: Option<&'a NodeView>) -> Vec<&'a ClosedChannel> {
    let now = node.and_then(|n| n.closed.as_ref()).into_iter().flatten();
    let mut by_point: BTreeMap<&Outpoint, &ClosedChannel> = history.closed.iter().map(|c| (&c.point, c)).collect();
    by_point.extend(now.map(|c| (&c.point, c)));
    by_point.into_values().collect()
}

/// Each funding transaction's fee, shared equally among the channels of it that we opened.
fn open_costs<'a>(funded: &BTreeSet<(&'a Outpoint, Scid)>, known: &Transactions<'a>) -> Vec<Cost<'a>> {
    let mut batches: BTreeMap<&str, BTreeMap<&'a Outpoint, Scid>> = BTreeMap::new();
    for (point, scid) in funded {
        let at = batches.entry(point.txid()).or_default().entry(point).or_insert(*scid);
        *at = (*at).max(*scid);
    }
    let mut costs = Vec::new();
    for (txid, points) in batches {
        // A wallet that did not pay for the transaction (funded from outside) does not know its fee.
        let fee = known.get(txid).map(|t| t.fee).filter(|fee| *fee > Sat::ZERO);
        let parts = shares(fee, &vec![Sat::new(1); points.len()]);
        costs.extend(points.into_iter().zip(parts).map(|((point, scid), fee)| Cost {
            kind: Kind::Open,
            point: Some(point),
            txid: point.txid(),
            height: i64::try_from(scid.0 >> 40).ok(),
            fee,
            what: format!("cost of opening {}: the wallet does not have its transaction", point.short()),
        }));
    }
    costs
}

/// A fee in parts of whole sat by their weights; what is left over goes to the first, so that they sum to the fee.
fn shares(fee: Option<Sat>, weights: &[Sat]) -> Vec<Option<Sat>> {
    let Some(fee) = fee else { return vec![None; weights.len()] };
    let all: i128 = weights.iter().map(|w| i128::from(w.get().max(0))).sum();
    let part = |weight: &Sat| {
        let part = i128::from(fee.get()) * i128::from(weight.get().max(0));
        Sat::new(clamp(part.checked_div(all).unwrap_or(0)))
    };
    let mut parts: Vec<Sat> = weights.iter().map(part).collect();
    let rest = fee - parts.iter().copied().sum();
    if let Some(first) = parts.first_mut() {
        *first += rest;
    }
    parts.into_iter().map(Some).collect()
}

/// What closing cost, where we opened the channel: the opener pays for the closing transaction.
fn close_costs<'a>(history: &'a History, node: Option<&'a NodeView>, known: &Transactions<'_>) -> Vec<Cost<'a>> {
    let mut costs = Vec::new();
    for closed in all_closed(history, node) {
        let costless = matches!(closed.kind, CloseKind::FundingCanceled | CloseKind::Abandoned);
        if costless || closed.opened_by_us == Some(false) {
            continue;
        }
        let ours = closed.opened_by_us == Some(true);
        let forced = matches!(closed.kind, CloseKind::LocalForce | CloseKind::RemoteForce);
        let fee = closing_fee(history, &closed.point, closed.capacity, &closed.closing_txid, forced, known);
        costs.push(Cost {
            kind: Kind::Close,
            point: Some(&closed.point),
            txid: &closed.closing_txid,
            height: Some(i64::from(closed.close_height)),
            fee: fee.filter(|_| ours),
            what: format!("cost of closing {}: {}", closed.point.short(), why_unknown(ours)),
        });
    }
    let over: BTreeSet<&Outpoint> = costs.iter().filter_map(|c: &Cost<'_>| c.point).collect();
    let forcing = node.and_then(|n| n.pending.as_ref()).into_iter().flat_map(|p| &p.force_closing).map(|f| &f.channel);
    for channel in forcing.filter(|c| c.opened_by_us != Some(false) && !over.contains(&c.point)) {
        let Some(txid) = channel.closing_txid.as_deref() else { continue };
        let ours = channel.opened_by_us == Some(true);
        costs.push(Cost {
            kind: Kind::Close,
            point: Some(&channel.point),
            txid,
            height: None,
            fee: closing_fee(history, &channel.point, channel.capacity, txid, true, known).filter(|_| ours),
            what: format!("cost of closing {}: {}", channel.point.short(), why_unknown(ours)),
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
    known: &Transactions<'_>,
) -> Option<Sat> {
    let by_outputs = known.get(txid).filter(|t| t.spends.len() <= 1).and_then(|t| t.outputs);
    if let Some(outputs) = by_outputs {
        let fee = capacity - outputs;
        return (Sat::ZERO <= fee && fee <= capacity).then_some(fee);
    }
    if !forced {
        return None;
    }
    let before = history.previous_snapshot.iter().flat_map(|s| s.node.channels.iter().flatten());
    let previous = before.filter(|c| c.point == *point).map(|c| c.commit_fee).next();
    previous.or_else(|| history.commit_fees.iter().find(|(of, _)| of == point).map(|(_, fee)| *fee))
}

/// What sweeping cost, once for each transaction, shared by what it claimed for each channel.
fn sweep_costs<'a>(history: &'a History, node: Option<&'a NodeView>, known: &Transactions<'a>) -> Vec<Cost<'a>> {
    let closed = all_closed(history, node);
    let mut amounts: HashMap<&str, Sat> = HashMap::new();
    let mut sweeps: BTreeMap<&str, BTreeMap<&'a Outpoint, (Sat, i64)>> = BTreeMap::new();
    for channel in &closed {
        for resolution in &channel.resolutions {
            amounts.insert(&resolution.outpoint, resolution.amount);
            let Some(txid) = resolution.sweep_txid.as_deref() else { continue };
            if claimed(resolution, known) {
                let sweep = sweeps.entry(txid).or_default().entry(&channel.point);
                sweep.or_insert((Sat::ZERO, i64::from(channel.close_height))).0 += resolution.amount;
            }
        }
    }
    let mut costs = Vec::new();
    for (txid, channels) in &sweeps {
        let claimed: Vec<Sat> = channels.values().map(|(amount, _)| *amount).collect();
        let fee = sweep_fee(txid, claimed.iter().copied().sum(), &amounts, known);
        let parts = channels.iter().zip(shares(fee, &claimed));
        costs.extend(parts.map(|((point, (_, height)), fee)| sweep(txid, Some(point), Some(*height), fee)));
    }
    costs.extend(listed_sweeps(history, node, known, &sweeps.keys().copied().collect()));
    costs
}

/// Sweeps that LND lists without a resolution: of channels whose closing is not over, found by what they spend.
fn listed_sweeps<'a>(
    history: &'a History,
    node: Option<&'a NodeView>,
    known: &Transactions<'a>,
    told: &HashSet<&str>,
) -> Vec<Cost<'a>> {
    let forcing = node.and_then(|n| n.pending.as_ref()).into_iter().flat_map(|p| &p.force_closing).map(|f| &f.channel);
    let mut closing: HashMap<&str, &Outpoint> =
        forcing.filter_map(|c| Some((c.closing_txid.as_deref()?, &c.point))).collect();
    closing.extend(all_closed(history, node).into_iter().map(|c| (c.closing_txid.as_str(), &c.point)));
    let mut costs = Vec::new();
    for txid in node.and_then(|n| n.sweeps.as_ref()).into_iter().flatten().filter(|id| !told.contains(id.as_str())) {
        let tx = known.get(txid.as_str());
        let fee = tx.map(|t| t.fee).filter(|f| *f > Sat::ZERO);
        let spent = tx.into_iter().flat_map(|t| &t.spends).filter_map(|spent| spent.split(':').next());
        let points: BTreeSet<&Outpoint> = spent.filter_map(|id| closing.get(id).copied()).collect();
        if points.is_empty() {
            costs.push(sweep(txid, None, None, fee));
        }
        let parts = shares(fee, &vec![Sat::new(1); points.len()]);
        costs.extend(points.into_iter().zip(parts).map(|(point, fee)| sweep(txid, Some(point), None, fee)));
    }
    costs
}

fn sweep<'a>(txid: &'a str, point: Option<&'a Outpoint>, height: Option<i64>, fee: Option<Sat>) -> Cost<'a> {
    let what = format!("cost of the sweep {}: what it claimed is not known", words::line(&short(txid)));
    Cost { kind: Kind::Sweep, point, txid, height, fee, what }
}

fn sweep_fee(txid: &str, claimed: Sat, amounts: &HashMap<&str, Sat>, known: &Transactions<'_>) -> Option<Sat> {
    let tx = known.get(txid)?;
    if tx.fee > Sat::ZERO {
        return Some(tx.fee);
    }
    let spent: Sat = tx.spends.iter().filter_map(|o| amounts.get(o.as_str()).copied()).sum();
    let fee = spent.max(claimed) - tx.amount;
    (Sat::ZERO <= fee && fee <= claimed).then_some(fee)
}

/// Whether an output came to our wallet. LND calls some of them unclaimed though it swept them: then the wallet has the
/// transaction. The first of two stages leads to a second output of ours, which has a resolution and a sweep of its own;
/// where the other side took an output, nothing was swept by us.
pub(in crate::analysis) fn claimed(resolution: &Resolution, known: &Transactions<'_>) -> bool {
    let swept = || {
        let tx = resolution.sweep_txid.as_deref().and_then(|txid| known.get(txid));
        tx.is_some_and(|tx| tx.spends.contains(&resolution.outpoint))
    };
    resolution.outcome == "claimed" || (resolution.outcome == "unclaimed" && swept())
}

/// What the sweeps of one closed channel brought to the wallet, and what they cost; `None` where that is not known or a
/// sweep took other channels along.
pub(in crate::analysis) fn came_back(history: &History, channel: &ClosedChannel) -> Option<(Sat, Sat)> {
    let transactions: Transactions<'_> = history.transactions.iter().map(|t| (t.txid.as_str(), t)).collect();
    let mut by_sweep: BTreeMap<&str, Sat> = BTreeMap::new();
    for resolution in channel.resolutions.iter().filter(|r| claimed(r, &transactions)) {
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
