//! What this node and its peers charge.

use tonic_lnd::lnrpc::{ChannelEdge, ChannelFeeReport, FeeReportResponse, NodeInfo, RoutingPolicy};

use super::check::{Bad, Check, msat, parse, ppm, sat};
use crate::snapshot::{ChannelFee, ChannelPolicies, FeeReport, Policy};
use crate::units::{Msat, Ppm, Pubkey, UnixMs};

/// Own fees on each channel and LND's sums of what they earned.
pub(super) fn fees(answer: &FeeReportResponse, check: &mut Check) -> Option<FeeReport> {
    let sums = || {
        Ok((
            sat("fees of a day", answer.day_fee_sum)?,
            sat("fees of a week", answer.week_fee_sum)?,
            sat("fees of a month", answer.month_fee_sum)?,
        ))
    };
    let (day, week, month) = check.keep(sums())?;
    let channels = answer.channel_fees.iter().filter_map(|row| check.keep(channel_fee(row))).collect();
    Some(FeeReport { channels, day, week, month })
}

fn channel_fee(row: &ChannelFeeReport) -> Result<ChannelFee, Bad> {
    Ok(ChannelFee {
        point: parse(&row.channel_point)?,
        base: msat("base fee", row.base_fee_msat)?,
        rate: ppm("fee rate", row.fee_per_mil)?,
        inbound_base: Msat::new(i64::from(row.inbound_base_fee_msat)),
        inbound_rate: Ppm(i64::from(row.inbound_fee_per_mil)),
    })
}

/// The policies of both sides of own public channels.
pub(super) fn policies(answer: &NodeInfo, own: &Pubkey, check: &mut Check) -> Vec<ChannelPolicies> {
    answer.channels.iter().filter_map(|edge| check.keep(both_sides(edge, own))).collect()
}

fn both_sides(edge: &ChannelEdge, own: &Pubkey) -> Result<ChannelPolicies, Bad> {
    let (ours, theirs) = if edge.node1_pub == own.as_str() {
        (&edge.node1_policy, &edge.node2_policy)
    } else if edge.node2_pub == own.as_str() {
        (&edge.node2_policy, &edge.node1_policy)
    } else {
        return Err(Bad::new("channel between other nodes"));
    };
    Ok(ChannelPolicies {
        point: parse(&edge.chan_point)?,
        ours: ours.as_ref().map(policy).transpose()?,
        theirs: theirs.as_ref().map(policy).transpose()?,
    })
}

/// One side of a channel.
pub(in crate::sources) fn policy(row: &RoutingPolicy) -> Result<Policy, Bad> {
    Ok(Policy {
        base: msat("base fee", row.fee_base_msat)?,
        rate: ppm("fee rate", row.fee_rate_milli_msat)?,
        inbound_base: Msat::new(i64::from(row.inbound_fee_base_msat)),
        inbound_rate: Ppm(i64::from(row.inbound_fee_rate_milli_msat)),
        time_lock_delta: row.time_lock_delta,
        min_htlc: msat("smallest HTLC", row.min_htlc)?,
        // Some implementations announce 2^64 - 1 for "no limit".
        max_htlc: msat("largest HTLC", row.max_htlc_msat).unwrap_or(Msat::SUPPLY),
        disabled: row.disabled,
        updated_at: UnixMs::from_secs(i64::from(row.last_update)),
    })
}
