//! One payment with its tries: where each left, by which channel it arrived, and what it cost.

use tonic_lnd::lnrpc::{
    self, HtlcAttempt, PaymentFailureReason, htlc_attempt::HtlcStatus, payment::PaymentStatus as Status,
};

use super::check::{Bad, clip, msat, pubkey};
use crate::snapshot::{Payment, PaymentPart, PaymentStatus};
use crate::units::{Msat, Pubkey, Scid};

/// The record by which a payment carries its own preimage instead of paying an invoice.
pub(in crate::sources) const KEYSEND_RECORD: u64 = 5_482_373_484;

/// A payment as LND lists it.
pub(super) fn payment(row: &lnrpc::Payment) -> Result<Payment, Bad> {
    let status = match row.status() {
        Status::Succeeded => PaymentStatus::Succeeded,
        Status::Failed => PaymentStatus::Failed,
        #[expect(deprecated, reason = "what LND calls a status that it does not know")]
        Status::Unknown | Status::InFlight | Status::Initiated => PaymentStatus::InFlight,
    };
    let failure = match row.failure_reason() {
        PaymentFailureReason::FailureReasonNone => None,
        reason => Some(reason.as_str_name().trim_start_matches("FAILURE_REASON_").to_ascii_lowercase()),
    };
    Ok(Payment {
        index: row.payment_index,
        created_ns: row.creation_time_ns,
        status,
        value: msat("payment", row.value_msat)?,
        fee: msat("fee", row.fee_msat)?,
        failure,
        // A payment along a given route has no invoice either: rebalancing tools pay their own that way.
        keysend: row.payment_request.is_empty() && row.htlcs.iter().any(carries_its_preimage),
        parts: row.htlcs.iter().map(part).collect::<Result<_, _>>()?,
        hash: clip(&row.payment_hash, 64),
    })
}

fn carries_its_preimage(attempt: &HtlcAttempt) -> bool {
    let last = attempt.route.as_ref().and_then(|route| route.hops.last());
    last.is_some_and(|hop| hop.custom_records.contains_key(&KEYSEND_RECORD) || hop.amp_record.is_some())
}

fn part(attempt: &HtlcAttempt) -> Result<PaymentPart, Bad> {
    let status = match attempt.status() {
        HtlcStatus::InFlight => PaymentStatus::InFlight,
        HtlcStatus::Succeeded => PaymentStatus::Succeeded,
        HtlcStatus::Failed => PaymentStatus::Failed,
    };
    let hops = attempt.route.as_ref().map(|route| route.hops.as_slice()).unwrap_or_default();
    let (amount, fee) = match &attempt.route {
        Some(route) => {
            (msat("amount of a route", route.total_amt_msat)?, msat("fee of a route", route.total_fees_msat)?)
        }
        None => (Msat::ZERO, Msat::ZERO),
    };
    if fee > amount {
        return Err(Bad::new(format_args!("fee of {} msat on a route for {}", fee.get(), amount.get())));
    }
    Ok(PaymentPart {
        attempt: attempt.attempt_id,
        status,
        amount: amount - fee,
        fee,
        resolved_ns: Some(attempt.resolve_time_ns).filter(|&at| at > 0),
        first_scid: Scid(hops.first().map_or(0, |hop| hop.chan_id)),
        last_scid: Scid(hops.last().map_or(0, |hop| hop.chan_id)),
        destination: hops.last().and_then(destination),
    })
}

/// The node of the last hop. Of a blinded route only its first node shows its own key; the others have made-up ones.
fn destination(last: &lnrpc::Hop) -> Option<Pubkey> {
    let hidden = !last.encrypted_data.is_empty() && last.blinding_point.is_empty();
    if hidden { None } else { pubkey(&last.pub_key).ok() }
}
