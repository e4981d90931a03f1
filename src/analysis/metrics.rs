//! The figures by subject, without any judgement.

use std::collections::{BTreeMap, BTreeSet};

use super::accounting::{self, Ledger};
use super::facts::Facts;
use super::money;
use super::number::{count, median, real, share, share_ppm};
use crate::history::{History, Watched};
use crate::report::{
    CapacityMetrics, ChannelMetrics, ChannelRow, FailedForwards, FeeMetrics, ForwardingMetrics, Metrics,
    NetworkMetrics, Time,
};
use crate::snapshot::{Channel, FailureReason};
use crate::units::{Msat, Ppm, Sat};

/// All figures of a snapshot and its history.
pub(super) fn all(facts: &Facts<'_>, ledger: &Ledger<'_>) -> Metrics {
    Metrics {
        capacity: capacity(facts),
        channels: channels(facts, ledger),
        forwarding: ForwardingMetrics {
            success_rate_24h: money::success_rate(facts),
            failed_24h: failed(&facts.history.watched),
            ..forwarding(facts.history)
        },
        fees: fees(facts),
        network: network(facts),
    }
}

/// What was forwarded; the share that succeeded needs the watcher.
pub(super) fn forwarding(history: &History) -> ForwardingMetrics {
    ForwardingMetrics {
        day: accounting::flow(&history.day),
        week: accounting::flow(&history.week),
        month: accounting::flow(&history.month),
        success_rate_24h: None,
        failed_24h: None,
    }
}

/// Failed forwards by reason, the most frequent first.
fn failed(watched: &Watched) -> Option<Vec<FailedForwards>> {
    let [day_ms, ..] = watched.htlcs_ms;
    if day_ms == 0 {
        return None;
    }
    let mut sums: BTreeMap<FailureReason, FailedForwards> = BTreeMap::new();
    for flow in &watched.failures_day {
        let none =
            FailedForwards { reason: flow.reason, forwards: 0, amount_out_msat: Msat::ZERO, fees_msat: Msat::ZERO };
        let sum = sums.entry(flow.reason).or_insert(none);
        sum.forwards = sum.forwards.saturating_add(flow.count);
        sum.amount_out_msat += flow.amount_out;
        sum.fees_msat += flow.fee;
    }
    let mut failed: Vec<FailedForwards> = sums.into_values().collect();
    failed.sort_by_key(|sum| std::cmp::Reverse(sum.forwards));
    Some(failed)
}

fn capacity(facts: &Facts<'_>) -> CapacityMetrics {
    let node = &facts.snapshot.node;
    let channels = node.channels.as_deref();
    let sum = |of: fn(&Channel) -> Sat| channels.map(|all| all.iter().map(of).sum::<Sat>());
    // LND sums msat; summing the whole sat of its channels loses some.
    let told = node.channel_balance.as_ref();
    let ours = told.map(|b| b.local.floor_sat()).or(sum(|c| c.local));
    let theirs = told.map(|b| b.remote.floor_sat()).or(sum(|c| c.remote));
    let both = ours.zip(theirs).map(|(a, b)| (i128::from(a.get()), i128::from(a.get()) + i128::from(b.get())));
    let wallet = node.wallet.as_ref();
    let opening = node.pending.as_ref().map(|p| p.opening.iter().map(|c| c.local).sum());
    CapacityMetrics {
        total_sat: sum(|c| c.capacity),
        local_sat: ours,
        remote_sat: theirs,
        unsettled_sat: sum(|c| c.unsettled),
        outbound_share: both.and_then(|(part, all)| share_ppm(part, all)).map(share),
        wallet_confirmed_sat: wallet.map(|w| w.confirmed),
        wallet_unconfirmed_sat: wallet.map(|w| w.unconfirmed),
        anchor_reserve_sat: wallet.map(|w| w.anchor_reserve),
        limbo_sat: node.pending.as_ref().map(|p| p.limbo),
        pending_open_sat: opening,
        stale: !facts.fresh(),
    }
}

fn channels(facts: &Facts<'_>, ledger: &Ledger<'_>) -> ChannelMetrics {
    let node = &facts.snapshot.node;
    let open = node.channels.as_deref();
    let number = |pick: fn(&Channel) -> bool| open.map(|all| count(all.iter().filter(|c| pick(c)).count()));
    let pending = node.pending.as_ref();
    let mut list: Vec<ChannelRow> = facts.channels().iter().map(|c| row(facts, ledger, c)).collect();
    list.sort_by(|a, b| b.capacity_sat.cmp(&a.capacity_sat).then_with(|| a.channel_point.cmp(&b.channel_point)));
    ChannelMetrics {
        open: number(|_| true),
        active: number(|c| c.active),
        inactive: number(|c| !c.active),
        private: number(|c| c.private),
        opening: pending.map(|p| count(p.opening.len())),
        closing: pending.map(|p| count(p.waiting_close.len())),
        force_closing: pending.map(|p| count(p.force_closing.len())),
        closed: node.closed.as_ref().map(|now| {
            let points: BTreeSet<_> = now.iter().chain(&facts.history.closed).map(|c| &c.point).collect();
            count(points.len())
        }),
        peers_connected: node.peers.as_ref().map(|p| count(p.len())).or(Some(node.info.peers)),
        htlcs_in_flight: open.map(htlcs_in_flight),
        list,
    }
}

/// HTLCs in flight. One that is forwarded is seen on two channels and is counted by its outgoing side.
fn htlcs_in_flight(channels: &[Channel]) -> u32 {
    let outgoing: BTreeSet<&str> =
        channels.iter().flat_map(|c| &c.htlcs).filter(|h| !h.incoming).map(|h| h.hash.as_str()).collect();
    let counts = |h: &&crate::snapshot::Htlc| !h.incoming || !outgoing.contains(h.hash.as_str());
    count(channels.iter().flat_map(|c| &c.htlcs).filter(counts).count())
}

fn row(facts: &Facts<'_>, ledger: &Ledger<'_>, channel: &Channel) -> ChannelRow {
    let fee = facts.our_fee(&channel.point);
    let flow = |of: &super::facts::Flows| of.get(&channel.point).copied().unwrap_or_default();
    ChannelRow {
        channel_point: channel.point.clone(),
        scid: channel.scid,
        peer: channel.peer.clone(),
        peer_alias: channel.peer_alias.clone(),
        capacity_sat: channel.capacity,
        local_sat: channel.local,
        remote_sat: channel.remote,
        active: channel.active,
        private: channel.private,
        base_fee_msat: fee.map(|f| f.0),
        fee_rate_ppm: fee.map(|f| f.1),
        inbound_fee_rate_ppm: fee.map(|f| f.2),
        peer_fee_rate_ppm: facts.their_policy(&channel.point).map(|p| p.rate),
        market_fee_rate_ppm: facts.market(&channel.peer).map(|(_, rates)| rates[2]),
        day: flow(&facts.day),
        week: flow(&facts.week),
        month: flow(&facts.month),
        last_forward_at: facts.last_forward.get(&channel.point).map(|at| Time(*at)),
        open_cost_sat: ledger.open_cost(&channel.point),
    }
}

fn fees(facts: &Facts<'_>) -> FeeMetrics {
    let node = &facts.snapshot.node;
    let ours: Vec<i64> = facts.channels().iter().filter_map(|c| facts.our_fee(&c.point)).map(|f| f.1.0).collect();
    let theirs = facts.channels().iter().filter_map(|c| facts.their_policy(&c.point)).map(|p| p.rate.0).collect();
    let lnd = node.fees.as_ref();
    FeeMetrics {
        lowest_rate_ppm: ours.iter().min().copied().map(Ppm),
        highest_rate_ppm: ours.iter().max().copied().map(Ppm),
        median_rate_ppm: median(ours).map(Ppm),
        median_peer_rate_ppm: median(theirs).map(Ppm),
        median_network_rate_ppm: node.market.as_ref().and_then(|m| m.median_rate),
        lnd_day_sat: lnd.map(|f| f.day),
        lnd_week_sat: lnd.map(|f| f.week),
        lnd_month_sat: lnd.map(|f| f.month),
    }
}

fn network(facts: &Facts<'_>) -> NetworkMetrics {
    let node = &facts.snapshot.node;
    let public = &facts.snapshot.public;
    let size = node.network.as_ref();
    let market = node.market.as_ref();
    let graph = market.and_then(|m| m.graph.as_ref());
    let seen = public.seen_by_mempool.as_ref().map(|s| &s.value);
    let cents = public.price.as_ref().and_then(|p| p.value.get("USD").copied());
    NetworkMetrics {
        network: node.info.network.as_str().to_owned(),
        lnd_version: Some(node.info.version.clone()),
        block_height: Some(node.info.block_height),
        block_height_elsewhere: public.block_height.as_ref().map(|h| h.value),
        synced_to_chain: Some(node.info.synced_to_chain),
        synced_to_graph: Some(node.info.synced_to_graph),
        nodes: market.map(|m| m.nodes).or(size.map(|s| s.nodes)),
        channels: market.map(|m| m.channels).or(size.map(|s| s.channels)),
        capacity_sat: market.map(|m| m.capacity).or(size.map(|s| s.capacity)),
        capacity_rank: market.and_then(|m| m.capacity_rank).or(seen.and_then(|s| s.capacity_rank)),
        channels_rank: market.and_then(|m| m.channels_rank).or(seen.and_then(|s| s.channels_rank)),
        graph_source: graph.map(|g| g.source.clone()),
        graph_as_of: graph.map(|g| Time(g.as_of)),
        graph_state: graph.map(|g| g.state),
        hour_fee_sat_per_kvb: public.chain_fees.as_ref().map(|f| f.value.hour),
        price_usd: cents.map(|c| real(c) / 100.0),
        seen_capacity_sat: seen.and_then(|s| s.capacity),
        seen_channels: seen.and_then(|s| s.channels),
        amboss_remote_median_ppm: public.amboss_fees.as_ref().and_then(|f| f.value.remote_median),
    }
}

/// The figures of a day that was caught up: flows from stored events, and nothing that needs "now".
pub(super) fn of_events(history: &History, network: &str) -> Metrics {
    Metrics {
        capacity: CapacityMetrics::default(),
        channels: ChannelMetrics::default(),
        forwarding: forwarding(history),
        fees: FeeMetrics::default(),
        network: NetworkMetrics { network: network.to_owned(), ..NetworkMetrics::default() },
    }
}
