//! Channels that are gone, what became of their outputs, and the transactions that swept them.

use tonic_lnd::lnrpc::{
    self, ClosedChannelsResponse, ResolutionOutcome, ResolutionType, channel_close_summary::ClosureType,
};
use tonic_lnd::walletrpc::{ListSweepsResponse, list_sweeps_response::Sweeps};

use super::channels::{opened_by_us, other_scids};
use super::check::{Bad, Check, clip, parse, pubkey, sat, some, txid};
use crate::snapshot::{CloseKind, ClosedChannel, Resolution};
use crate::units::Scid;

/// Every closed channel.
pub(super) fn closed(answer: &ClosedChannelsResponse, check: &mut Check) -> Vec<ClosedChannel> {
    answer.channels.iter().filter_map(|row| check.keep(channel(row))).collect()
}

fn channel(row: &lnrpc::ChannelCloseSummary) -> Result<ClosedChannel, Bad> {
    let scid = Scid(row.chan_id);
    Ok(ClosedChannel {
        point: parse(&row.channel_point)?,
        scid,
        other_scids: other_scids(scid, &row.alias_scids, row.zero_conf_confirmed_scid),
        peer: pubkey(&row.remote_pubkey)?,
        capacity: sat("capacity", row.capacity)?,
        kind: kind(row.close_type),
        close_height: row.close_height,
        settled: sat("settled balance", row.settled_balance)?,
        time_locked: sat("time-locked balance", row.time_locked_balance)?,
        opened_by_us: opened_by_us(row.open_initiator()),
        resolutions: row.resolutions.iter().map(resolution).collect::<Result<_, _>>()?,
        closing_txid: clip(&row.closing_tx_hash, 64),
    })
}

fn kind(close_type: i32) -> CloseKind {
    match ClosureType::try_from(close_type) {
        Ok(ClosureType::CooperativeClose) => CloseKind::Cooperative,
        Ok(ClosureType::LocalForceClose) => CloseKind::LocalForce,
        Ok(ClosureType::RemoteForceClose) => CloseKind::RemoteForce,
        Ok(ClosureType::BreachClose) => CloseKind::Breach,
        Ok(ClosureType::FundingCanceled) => CloseKind::FundingCanceled,
        Ok(ClosureType::Abandoned) => CloseKind::Abandoned,
        Err(_) => CloseKind::Unknown,
    }
}

fn resolution(row: &lnrpc::Resolution) -> Result<Resolution, Bad> {
    let kind = match ResolutionType::try_from(row.resolution_type) {
        Ok(ResolutionType::Commit) => "commit",
        Ok(ResolutionType::Anchor) => "anchor",
        Ok(ResolutionType::IncomingHtlc) => "incoming_htlc",
        Ok(ResolutionType::OutgoingHtlc) => "outgoing_htlc",
        Ok(ResolutionType::TypeUnknown) | Err(_) => "unknown",
    };
    let outcome = match ResolutionOutcome::try_from(row.outcome) {
        Ok(ResolutionOutcome::Claimed) => "claimed",
        Ok(ResolutionOutcome::Unclaimed) => "unclaimed",
        Ok(ResolutionOutcome::Abandoned) => "abandoned",
        Ok(ResolutionOutcome::FirstStage) => "first_stage",
        Ok(ResolutionOutcome::Timeout) => "timeout",
        Ok(ResolutionOutcome::OutcomeUnknown) | Err(_) => "unknown",
    };
    Ok(Resolution {
        kind: kind.to_owned(),
        outcome: outcome.to_owned(),
        outpoint: row.outpoint.as_ref().map(outpoint).transpose()?.unwrap_or_default(),
        amount: sat("resolution", row.amount_sat)?,
        sweep_txid: some(row.sweep_txid.clone()).map(|id| txid(&id)).transpose()?,
    })
}

/// `txid:index`.
pub(super) fn outpoint(point: &lnrpc::OutPoint) -> Result<String, Bad> {
    Ok(format!("{}:{}", txid(&point.txid_str)?, point.output_index))
}

/// Ids of the sweeping transactions.
pub(super) fn sweeps(answer: &ListSweepsResponse, check: &mut Check) -> Vec<String> {
    let ids: Vec<&String> = match &answer.sweeps {
        Some(Sweeps::TransactionIds(ids)) => ids.transaction_ids.iter().collect(),
        Some(Sweeps::TransactionDetails(details)) => details.transactions.iter().map(|tx| &tx.tx_hash).collect(),
        None => Vec::new(),
    };
    ids.into_iter().filter_map(|id| check.keep(txid(id))).collect()
}
