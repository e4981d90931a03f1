//! What no recording may hold: preimages (proofs of payment, or money while they are not used), the secrets that make
//! an invoice payable, and the invoices themselves.

use prost::{DecodeError, Message};
use tonic_lnd::lnrpc::{Hop, Invoice, ListInvoiceResponse, ListPaymentsResponse, Payment};

use crate::sources::answers::{LIST_INVOICES, LIST_PAYMENTS, Method};
use crate::sources::reader::KEYSEND_RECORD;

/// The answer without its secrets.
pub(super) fn remove(method: &'static Method, answer: Vec<u8>) -> Result<Vec<u8>, DecodeError> {
    if *method == LIST_PAYMENTS {
        let mut list = ListPaymentsResponse::decode(answer.as_slice())?;
        list.payments.iter_mut().for_each(payment);
        Ok(list.encode_to_vec())
    } else if *method == LIST_INVOICES {
        let mut list = ListInvoiceResponse::decode(answer.as_slice())?;
        list.invoices.iter_mut().for_each(invoice);
        Ok(list.encode_to_vec())
    } else {
        Ok(answer)
    }
}

fn payment(payment: &mut Payment) {
    payment.payment_preimage.clear();
    payment.payment_request.clear();
    for attempt in &mut payment.htlcs {
        attempt.preimage.clear();
        attempt.route.iter_mut().flat_map(|route| &mut route.hops).for_each(hop);
    }
}

fn hop(hop: &mut Hop) {
    // The record stays, without its preimage: it tells a payment without an invoice.
    if let Some(preimage) = hop.custom_records.get_mut(&KEYSEND_RECORD) {
        preimage.clear();
    }
    if let Some(record) = &mut hop.mpp_record {
        record.payment_addr.clear();
    }
    if let Some(record) = &mut hop.amp_record {
        record.root_share.clear();
        record.set_id.clear();
    }
    hop.metadata.clear();
    hop.encrypted_data = vec![0; usize::from(!hop.encrypted_data.is_empty())];
}

fn invoice(invoice: &mut Invoice) {
    invoice.r_preimage.clear();
    invoice.payment_request.clear();
    invoice.payment_addr.clear();
    invoice.amp_invoice_state.clear();
    for htlc in &mut invoice.htlcs {
        htlc.custom_records.clear();
        htlc.custom_channel_data.clear();
        htlc.amp = None;
    }
}
