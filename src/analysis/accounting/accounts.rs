//! The accounts of each channel and peer over the five periods.
//!
//! A row is a channel; what belongs to no channel that is known is a row too, so that the rows always sum to the node.

use std::collections::{BTreeMap, HashMap};

use super::chain::all_closed;
use super::{Capital, ChainSums, Ledger, by_owner};
use crate::analysis::facts::BLOCKS_A_DAY;
use crate::history::{History, Period, Window};
use crate::report::{AccountPeriod, ChannelFlow};
use crate::snapshot::Snapshot;
use crate::units::{DAY_MS, Msat, Outpoint, Pubkey, Sat, Scid, UnixMs};

/// One of the five periods that end with the day of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::analysis) enum Span {
    Day,
    Week,
    Month,
    Quarter,
    Ever,
}

impl Span {
    /// All of them, the shortest first.
    pub(in crate::analysis) const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Ever];
    /// The start of [`Span::Ever`]: a channel can be older than the oldest stored event.
    pub(super) const BEGINNING: UnixMs = UnixMs(i64::MIN);

    /// The sums of events.
    pub(in crate::analysis) fn period(self, history: &History) -> &Period {
        match self {
            Self::Day => &history.day,
            Self::Week => &history.week,
            Self::Month => &history.month,
            Self::Quarter => &history.quarter,
            Self::Ever => &history.ever,
        }
    }

    /// The window in which costs belong to it.
    pub(super) fn window(self, window: Window) -> Window {
        match self {
            Self::Ever => Window { start: Self::BEGINNING, end: window.end },
            _ => window,
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Day => 0,
            Self::Week => 1,
            Self::Month => 2,
            Self::Quarter => 3,
            Self::Ever => 4,
        }
    }
}

/// What is known of a channel, open or gone.
#[derive(Clone, Debug, Default)]
pub(in crate::analysis) struct Owner<'a> {
    pub(in crate::analysis) peer: Option<&'a Pubkey>,
    pub(in crate::analysis) alias: Option<&'a str>,
    pub(in crate::analysis) open: bool,
    pub(in crate::analysis) opened_at: Option<UnixMs>,
    closed_at: Option<UnixMs>,
    capacity: Sat,
}

/// Every channel that the store or the node knows.
pub(super) fn channels<'a>(history: &'a History, snapshot: Option<&'a Snapshot>) -> HashMap<&'a Outpoint, Owner<'a>> {
    let mut all: HashMap<&Outpoint, Owner<'_>> = HashMap::new();
    let block = |height: i64| snapshot.and_then(|s| block_time(s, height));
    let confirmed = |owner: &mut Owner<'_>, scid: Scid| {
        let at = i64::try_from(scid.0 >> 40).ok().and_then(block);
        owner.opened_at = owner.opened_at.max(at);
    };
    for (scid, point, peer) in &history.scids {
        let owner = all.entry(point).or_default();
        owner.peer = Some(peer);
        confirmed(owner, *scid);
    }
    for closed in all_closed(history, snapshot.map(|s| &s.node)) {
        let owner = all.entry(&closed.point).or_default();
        (owner.peer, owner.capacity) = (Some(&closed.peer), closed.capacity);
        owner.closed_at = block(i64::from(closed.close_height));
        std::iter::once(closed.scid).chain(closed.other_scids.iter().copied()).for_each(|scid| confirmed(owner, scid));
    }
    let pending = snapshot.and_then(|s| s.node.pending.as_ref());
    let closing =
        pending.into_iter().flat_map(|p| p.waiting_close.iter().chain(p.force_closing.iter().map(|f| &f.channel)));
    for channel in closing.chain(pending.into_iter().flat_map(|p| &p.opening)) {
        let owner = all.entry(&channel.point).or_default();
        (owner.peer, owner.capacity) = (Some(&channel.peer), channel.capacity);
    }
    for channel in snapshot.and_then(|s| s.node.channels.as_ref()).into_iter().flatten() {
        let owner = all.entry(&channel.point).or_default();
        (owner.peer, owner.capacity, owner.open) = (Some(&channel.peer), channel.capacity, true);
        owner.alias = channel.peer_alias.as_deref();
        owner.closed_at = None;
        std::iter::once(channel.scid)
            .chain(channel.other_scids.iter().copied())
            .for_each(|scid| confirmed(owner, scid));
    }
    all
}

/// When a block was found, counted back from the last one; `None` for one that is no block yet.
fn block_time(snapshot: &Snapshot, height: i64) -> Option<UnixMs> {
    let age = i64::from(snapshot.node.info.block_height) - height;
    (height > 0 && age >= 0).then(|| snapshot.taken_at.plus(age.saturating_mul(-DAY_MS / BLOCKS_A_DAY)))
}

/// One channel in one period; or several, added.
#[derive(Clone, Debug, Default)]
pub(in crate::analysis) struct Row<'a> {
    /// `None` for what belongs to no channel that is known.
    pub(in crate::analysis) point: Option<&'a Outpoint>,
    pub(in crate::analysis) flow: ChannelFlow,
    pub(in crate::analysis) capital: Capital,
    rebalanced_out: Msat,
    chain: ChainSums,
}

impl<'a> Ledger<'a> {
    /// What is known of a channel.
    pub(in crate::analysis) fn channel(&self, point: &Outpoint) -> Option<&Owner<'a>> {
        self.channels.get(point)
    }

    /// Which channel a short id belongs to.
    pub(in crate::analysis) fn owner(&self, scid: Scid) -> Option<&'a Outpoint> {
        self.owners.get(&scid).copied()
    }

    /// Every channel's part of a period, in the order of the channels' keys.
    pub(in crate::analysis) fn rows(&self, span: Span) -> Vec<Row<'a>> {
        let period = span.period(self.history);
        let Some(window) = period.window.map(|window| span.window(window)) else { return Vec::new() };
        self.rows_of(period, window, Some(span))
    }

    /// Every channel's part of a window of any length; `means` names the period whose mean balances are its own.
    pub(in crate::analysis) fn rows_of(&self, period: &Period, window: Window, means: Option<Span>) -> Vec<Row<'a>> {
        let mut rows: BTreeMap<Option<&'a Outpoint>, Row<'a>> = BTreeMap::new();
        for (point, flow) in by_owner(period, &self.owners) {
            rows.entry(point).or_default().flow = flow;
        }
        for refill in &period.rebalances {
            rows.entry(self.owner(refill.from)).or_default().rebalanced_out += refill.amount;
        }
        for cost in self.costs.iter().filter(|cost| self.within(cost, window)) {
            rows.entry(cost.point).or_default().chain.add(cost);
        }
        self.add_capital(means, window, &mut rows);
        let named = rows.into_iter().map(|(point, row)| Row { point, ..row });
        named.collect()
    }

    fn add_capital(&self, span: Option<Span>, window: Window, rows: &mut BTreeMap<Option<&'a Outpoint>, Row<'a>>) {
        let means: HashMap<&Outpoint, _> = self.history.balances.iter().map(|b| (&b.point, b.spans)).collect();
        let first = [self.history.first_seen, self.history.first_forward].into_iter().flatten().min();
        for (point, owner) in &self.channels {
            let opened = owner.opened_at.or(first).unwrap_or(window.end).max(window.start);
            let closed = owner.closed_at.unwrap_or(window.end).min(window.end);
            let open_ms = if owner.open || owner.closed_at.is_some() { closed.since(opened) } else { 0 };
            let mean = span.and_then(|span| means.get(*point)?.get(span.index()).copied().flatten());
            if open_ms > 0 {
                rows.entry(Some(*point)).or_default().capital = Capital::of(mean, owner.capacity, open_ms);
            }
        }
    }

    /// A row as the report shows it; `None` where nothing moved, was earned or was paid.
    pub(in crate::analysis) fn account(&self, row: &Row<'_>) -> Option<AccountPeriod> {
        let (flow, chain) = (&row.flow, &row.chain);
        let still = *flow == ChannelFlow::default() && row.rebalanced_out == Msat::ZERO;
        if still && chain.all() == Sat::ZERO && chain.unknown.is_empty() {
            return None;
        }
        let net = flow.fees_earned_msat - flow.rebalance_cost_msat - chain.all().msat();
        let net = Some(net).filter(|_| chain.unknown.is_empty() && self.missing.is_empty());
        Some(AccountPeriod {
            forwards_out: flow.forwards_out,
            amount_in_msat: flow.amount_in_msat,
            amount_out_msat: flow.amount_out_msat,
            fees_earned_msat: flow.fees_earned_msat,
            fees_assisted_msat: flow.fees_assisted_msat,
            rebalanced_in_msat: flow.rebalanced_in_msat,
            rebalanced_out_msat: row.rebalanced_out,
            rebalance_cost_msat: flow.rebalance_cost_msat,
            open_cost_sat: chain.open,
            close_cost_sat: chain.close,
            sweep_cost_sat: chain.sweep,
            net_msat: net,
            net_ppm: net.and_then(|net| net.ppm_of(flow.amount_out_msat)),
            mean_local_sat: row.capital.mean(),
            apy_ppm: net.and_then(|net| row.capital.apy(net)),
            unknown: chain.unknown.clone(),
        })
    }
}

impl Row<'_> {
    /// Adds another channel of the same peer.
    pub(in crate::analysis) fn add(&mut self, other: &Self) {
        let (sum, flow) = (&mut self.flow, &other.flow);
        sum.forwards_in = sum.forwards_in.saturating_add(flow.forwards_in);
        sum.forwards_out = sum.forwards_out.saturating_add(flow.forwards_out);
        sum.amount_in_msat += flow.amount_in_msat;
        sum.amount_out_msat += flow.amount_out_msat;
        sum.fees_earned_msat += flow.fees_earned_msat;
        sum.fees_assisted_msat += flow.fees_assisted_msat;
        sum.rebalanced_in_msat += flow.rebalanced_in_msat;
        sum.rebalance_cost_msat += flow.rebalance_cost_msat;
        self.rebalanced_out += other.rebalanced_out;
        self.chain.open += other.chain.open;
        self.chain.close += other.chain.close;
        self.chain.sweep += other.chain.sweep;
        for what in &other.chain.unknown {
            if !self.chain.unknown.contains(what) {
                self.chain.unknown.push(what.clone());
            }
        }
        self.capital = self.capital + other.capital;
    }
}
