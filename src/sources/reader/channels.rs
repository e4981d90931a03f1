//! Open channels and those on their way in or out.

use std::collections::HashSet;

use tonic_lnd::lnrpc::{self, ListChannelsResponse, PendingChannelsResponse, pending_channels_response as wire};

use super::check::{Bad, Check, clip, parse, pubkey, sat, some, txid};
use crate::snapshot::{Channel, Commitments, ForceClosing, Htlc, Pending, PendingChannel};
use crate::units::{Sat, Scid};

/// Every open channel once.
pub(super) fn open(answer: &ListChannelsResponse, check: &mut Check) -> Vec<Channel> {
    let mut seen = HashSet::new();
    let rows = answer.channels.iter().filter_map(|row| {
        let row = channel(row).and_then(|row| {
            if seen.insert(row.point.clone()) {
                Ok(row)
            } else {
                Err(Bad::new(format_args!("second row for {}", row.point)))
            }
        });
        check.keep(row)
    });
    rows.collect()
}

fn channel(row: &lnrpc::Channel) -> Result<Channel, Bad> {
    let capacity = sat("capacity", row.capacity)?;
    let within = |what, amount: i64| {
        let amount = sat(what, amount)?;
        if amount > capacity {
            return Err(Bad::new(format_args!("{what} of {} sat in a channel of {}", amount.get(), capacity.get())));
        }
        Ok(amount)
    };
    let scid = Scid(row.chan_id);
    // 0 is unknown, 1 and 2 are the two kinds from before anchors; every later kind has them.
    let anchors = row.commitment_type > 2;
    Ok(Channel {
        point: parse(&row.channel_point)?,
        scid,
        other_scids: other_scids(scid, &row.alias_scids, row.zero_conf_confirmed_scid),
        peer: pubkey(&row.remote_pubkey)?,
        peer_alias: peer_alias(&row.peer_alias),
        local: within("local balance", row.local_balance)?,
        remote: within("remote balance", row.remote_balance)?,
        unsettled: within("unsettled balance", row.unsettled_balance)?,
        commit_fee: within("commitment fee", row.commit_fee)?,
        opened_by_us: row.initiator,
        active: row.active,
        private: row.private,
        anchors,
        local_reserve: reserve(row.local_constraints.as_ref())?,
        remote_reserve: reserve(row.remote_constraints.as_ref())?,
        total_sent: sat("total sent", row.total_satoshis_sent)?,
        total_received: sat("total received", row.total_satoshis_received)?,
        updates: row.num_updates,
        lifetime_s: row.lifetime.max(0),
        uptime_s: row.uptime.clamp(0, row.lifetime.max(0)),
        htlcs: row.pending_htlcs.iter().map(|htlc| in_flight(htlc, capacity)).collect::<Result<_, _>>()?,
        status_flags: clip(&row.chan_status_flags, 200),
        capacity,
    })
}

/// Aliases and the confirmed id, without the present one and zeros.
pub(super) fn other_scids(present: Scid, aliases: &[u64], confirmed: u64) -> Vec<Scid> {
    let mut others: Vec<Scid> = aliases.iter().copied().chain([confirmed]).map(Scid).collect();
    others.retain(|&scid| scid != Scid(0) && scid != present);
    others.sort_unstable();
    others.dedup();
    others
}

/// LND puts an error text in the place of an alias that it does not know.
fn peer_alias(text: &str) -> Option<String> {
    some(clip(text, 64)).filter(|text| !text.starts_with("unable to lookup peer"))
}

fn reserve(constraints: Option<&lnrpc::ChannelConstraints>) -> Result<Sat, Bad> {
    constraints.map_or(Ok(Sat::ZERO), |c| sat("channel reserve", c.chan_reserve_sat))
}

fn in_flight(htlc: &lnrpc::Htlc, capacity: Sat) -> Result<Htlc, Bad> {
    let amount = sat("HTLC", htlc.amount)?;
    if amount > capacity {
        return Err(Bad::new(format_args!("HTLC of {} sat in a channel of {}", amount.get(), capacity.get())));
    }
    Ok(Htlc {
        incoming: htlc.incoming,
        amount,
        hash: hex::encode(htlc.hash_lock.get(..32).unwrap_or(&htlc.hash_lock)),
        expiry_height: htlc.expiration_height,
        index: htlc.htlc_index,
        forwarding_channel: Some(Scid(htlc.forwarding_channel)).filter(|&scid| scid != Scid(0)),
    })
}

/// Channels that are opening or closing.
pub(super) fn pending(answer: &PendingChannelsResponse, check: &mut Check) -> Option<Pending> {
    let limbo = check.keep(sat("balance in limbo", answer.total_limbo_balance))?;
    let mut pending = Pending { limbo, ..Pending::default() };
    for row in &answer.pending_open_channels {
        pending.opening.extend(check.keep(on_its_way(row.channel.as_ref(), Sat::ZERO, "")));
    }
    for row in &answer.waiting_close_channels {
        pending.waiting_close.extend(check.keep(waiting(row)));
    }
    for row in &answer.pending_force_closing_channels {
        pending.force_closing.extend(check.keep(force_closing(row)));
    }
    Some(pending)
}

fn waiting(row: &wire::WaitingCloseChannel) -> Result<PendingChannel, Bad> {
    let channel = on_its_way(row.channel.as_ref(), sat("balance in limbo", row.limbo_balance)?, &row.closing_txid)?;
    Ok(PendingChannel { commitments: row.commitments.as_ref().and_then(commitments).transpose()?, ..channel })
}

/// The transactions that would close it by force; `None` where LND does not know both sides'.
fn commitments(row: &wire::Commitments) -> Option<Result<Commitments, Bad>> {
    if row.local_txid.is_empty() || row.remote_txid.is_empty() {
        return None;
    }
    let ids = || {
        Ok(Commitments {
            ours: txid(&row.local_txid)?,
            theirs: txid(&row.remote_txid)?,
            theirs_next: some(row.remote_pending_txid.clone()).map(|id| txid(&id)).transpose()?,
        })
    };
    Some(ids())
}

fn force_closing(row: &wire::ForceClosedChannel) -> Result<ForceClosing, Bad> {
    let maturity_height = Some(row.maturity_height).filter(|&height| height > 0);
    Ok(ForceClosing {
        blocks_til_maturity: maturity_height.map(|_| i64::from(row.blocks_til_maturity)),
        maturity_height,
        recovered: sat("recovered balance", row.recovered_balance)?,
        pending_htlcs: u32::try_from(row.pending_htlcs.len()).unwrap_or(u32::MAX),
        channel: on_its_way(row.channel.as_ref(), sat("balance in limbo", row.limbo_balance)?, &row.closing_txid)?,
    })
}

fn on_its_way(row: Option<&wire::PendingChannel>, limbo: Sat, closing_txid: &str) -> Result<PendingChannel, Bad> {
    let row = row.ok_or_else(|| Bad::new("row without a channel"))?;
    Ok(PendingChannel {
        commitments: None,
        point: parse(&row.channel_point)?,
        peer: pubkey(&row.remote_node_pub)?,
        capacity: sat("capacity", row.capacity)?,
        local: sat("local balance", row.local_balance)?,
        remote: sat("remote balance", row.remote_balance)?,
        opened_by_us: opened_by_us(row.initiator()),
        limbo,
        closing_txid: some(clip(closing_txid, 64)),
    })
}

/// Whether we opened it, where LND knows.
pub(super) const fn opened_by_us(initiator: lnrpc::Initiator) -> Option<bool> {
    match initiator {
        lnrpc::Initiator::Local => Some(true),
        lnrpc::Initiator::Remote => Some(false),
        lnrpc::Initiator::Unknown | lnrpc::Initiator::Both => None,
    }
}
