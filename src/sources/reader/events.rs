//! Forwards, payments, invoices and chain transactions, in pages, each resumed from what the store has.
//!
//! A page that is refused as too big is asked for again in half the size.

use bytes::Bytes;
use prost::{DecodeError, Message};
use tonic_lnd::lnrpc::{
    self, ForwardingHistoryRequest, ForwardingHistoryResponse, GetTransactionsRequest, ListInvoiceRequest,
    ListInvoiceResponse, ListPaymentsRequest, ListPaymentsResponse, TransactionDetails,
};

use super::check::{Bad, Check, change, clip, msat, sat, txid};
use super::payments;
use crate::snapshot::{ChainTx, Events, Forward, Invoice, InvoiceState};
use crate::sources::Resume;
use crate::sources::answers::{FORWARDING_HISTORY, GET_TRANSACTIONS, LIST_INVOICES, LIST_PAYMENTS, Method};
use crate::units::{Scid, UnixMs};

/// One kind of events, and how far it has been read.
pub(super) trait Paged: Send {
    /// Its name in gaps.
    const PART: &'static str;
    /// Rows of the first page.
    const SIZE: u32;
    /// What to ask.
    const METHOD: &'static Method;

    /// The request for the next `size` rows.
    fn request(&self, size: u32) -> Vec<u8>;

    /// Takes a page in. `None` instead of events where it had none; true where another page may follow.
    fn take(&mut self, page: Bytes, size: u32, check: &mut Check) -> Result<(Option<Events>, bool), DecodeError>;
}

fn full(rows: usize, size: u32) -> bool {
    u32::try_from(rows).map_or(true, |rows| rows >= size)
}

/// Forwards are asked for by time, and LND counts its offset from the start of that time. Each page starts at the second
/// of the last forward it has, so that LND need not walk over all that went before.
#[derive(Debug)]
pub(super) struct Forwards {
    start_s: u64,
    /// Forwards of the second `start_s` and later that have been taken.
    taken: u32,
}

/// The year 2255. LND takes the present second for the end where none is given, and leaves out what happens in it; this
/// is near the latest time that LND can express in nanoseconds.
const END_OF_TIME_S: u64 = 9_000_000_000;
/// Forwards this much older than the last stored one are asked for again: LND writes them in batches.
const OVERLAP_S: i64 = 60;

impl Forwards {
    pub(super) fn new(resume: &Resume) -> Self {
        let start = resume.last_forward_ns.map_or(0, |ns| ns / 1_000_000_000 - OVERLAP_S);
        Self { start_s: u64::try_from(start).unwrap_or(0), taken: 0 }
    }
}

impl Paged for Forwards {
    const PART: &'static str = "forwards";
    const SIZE: u32 = 50_000;
    const METHOD: &'static Method = &FORWARDING_HISTORY;

    fn request(&self, size: u32) -> Vec<u8> {
        ForwardingHistoryRequest {
            start_time: self.start_s,
            end_time: END_OF_TIME_S,
            index_offset: self.taken,
            num_max_events: size,
            ..Default::default()
        }
        .encode_to_vec()
    }

    fn take(&mut self, page: Bytes, size: u32, check: &mut Check) -> Result<(Option<Events>, bool), DecodeError> {
        let rows = ForwardingHistoryResponse::decode(page)?.forwarding_events;
        let more = full(rows.len(), size);
        if let Some(last) = rows.last() {
            let second = nanos(last) / 1_000_000_000;
            if second > self.start_s {
                self.start_s = second;
                self.taken = 0;
            }
            let new = rows.iter().rev().take_while(|row| nanos(row) / 1_000_000_000 >= second).count();
            self.taken = self.taken.saturating_add(u32::try_from(new).unwrap_or(u32::MAX));
        }
        let events: Vec<_> = rows.iter().filter_map(|row| check.keep(forward(row))).collect();
        Ok(((!events.is_empty()).then_some(Events::Forwards(events)), more))
    }
}

/// An LND from before 2021 tells whole seconds only.
#[expect(deprecated, reason = "what older LNDs fill in")]
fn nanos(row: &lnrpc::ForwardingEvent) -> u64 {
    if row.timestamp_ns == 0 { row.timestamp.saturating_mul(1_000_000_000) } else { row.timestamp_ns }
}

fn forward(row: &lnrpc::ForwardingEvent) -> Result<Forward, Bad> {
    let (amount_in, amount_out) = (msat("amount", row.amt_in_msat)?, msat("amount", row.amt_out_msat)?);
    let at_ns = i64::try_from(nanos(row)).map_err(|_| Bad::new(format_args!("time {}", nanos(row))))?;
    Ok(Forward {
        at_ns,
        scid_in: Scid(row.chan_id_in),
        scid_out: Scid(row.chan_id_out),
        amount_in,
        amount_out,
        htlc_in: row.incoming_htlc_id.and_then(|id| i64::try_from(id).ok()).unwrap_or(-1),
    })
}

/// Payments by their index, the oldest first.
#[derive(Debug)]
pub(super) struct Payments {
    after: u64,
}

impl Payments {
    pub(super) const fn new(resume: &Resume) -> Self {
        Self { after: resume.payments_after }
    }
}

impl Paged for Payments {
    const PART: &'static str = "payments";
    const SIZE: u32 = 2_000;
    const METHOD: &'static Method = &LIST_PAYMENTS;

    fn request(&self, size: u32) -> Vec<u8> {
        ListPaymentsRequest {
            include_incomplete: true,
            index_offset: self.after,
            max_payments: u64::from(size),
            ..Default::default()
        }
        .encode_to_vec()
    }

    fn take(&mut self, page: Bytes, size: u32, check: &mut Check) -> Result<(Option<Events>, bool), DecodeError> {
        let rows = ListPaymentsResponse::decode(page)?.payments;
        let last = rows.iter().map(|row| row.payment_index).max().unwrap_or(0);
        let more = full(rows.len(), size) && last > self.after;
        self.after = self.after.max(last);
        let events: Vec<_> = rows.iter().filter_map(|row| check.keep(payments::payment(row))).collect();
        Ok(((!events.is_empty()).then_some(Events::Payments(events)), more))
    }
}

/// Invoices by their index, the oldest first.
#[derive(Debug)]
pub(super) struct Invoices {
    after: u64,
}

impl Invoices {
    pub(super) const fn new(resume: &Resume) -> Self {
        Self { after: resume.invoices_after }
    }
}

impl Paged for Invoices {
    const PART: &'static str = "invoices";
    const SIZE: u32 = 2_000;
    const METHOD: &'static Method = &LIST_INVOICES;

    fn request(&self, size: u32) -> Vec<u8> {
        ListInvoiceRequest { index_offset: self.after, num_max_invoices: u64::from(size), ..Default::default() }
            .encode_to_vec()
    }

    fn take(&mut self, page: Bytes, size: u32, check: &mut Check) -> Result<(Option<Events>, bool), DecodeError> {
        let rows = ListInvoiceResponse::decode(page)?.invoices;
        let last = rows.iter().map(|row| row.add_index).max().unwrap_or(0);
        let more = full(rows.len(), size) && last > self.after;
        self.after = self.after.max(last);
        let events: Vec<_> = rows.iter().filter_map(|row| check.keep(invoice(row))).collect();
        Ok(((!events.is_empty()).then_some(Events::Invoices(events)), more))
    }
}

fn invoice(row: &lnrpc::Invoice) -> Result<Invoice, Bad> {
    use lnrpc::invoice::InvoiceState as State;
    let value = match row.value_msat {
        0 => sat("invoice", row.value)?.msat(),
        value => msat("invoice", value)?,
    };
    Ok(Invoice {
        index: row.add_index,
        hash: hex::encode(row.r_hash.get(..32).unwrap_or(&row.r_hash)),
        created_at: UnixMs::from_secs(row.creation_date),
        settled_at: Some(row.settle_date).filter(|&at| at > 0).map(UnixMs::from_secs),
        state: match row.state() {
            State::Open => InvoiceState::Open,
            State::Settled => InvoiceState::Settled,
            State::Canceled => InvoiceState::Canceled,
            State::Accepted => InvoiceState::Accepted,
        },
        value,
        paid: msat("amount paid", row.amt_paid_msat)?,
        keysend: row.is_keysend,
    })
}

/// The wallet's transactions, the newest first: a new one moves the others down, so none is passed over.
#[derive(Debug)]
pub(super) struct Transactions {
    from_height: i32,
    taken: u32,
}

impl Transactions {
    pub(super) fn new(resume: &Resume) -> Self {
        Self { from_height: i32::try_from(resume.transactions_from_height).unwrap_or(i32::MAX), taken: 0 }
    }
}

impl Paged for Transactions {
    const PART: &'static str = "transactions";
    const SIZE: u32 = 2_000;
    const METHOD: &'static Method = &GET_TRANSACTIONS;

    fn request(&self, size: u32) -> Vec<u8> {
        // -1: to the tip and those that no block has yet.
        GetTransactionsRequest {
            start_height: self.from_height,
            end_height: -1,
            index_offset: self.taken,
            max_transactions: size,
            ..Default::default()
        }
        .encode_to_vec()
    }

    fn take(&mut self, page: Bytes, size: u32, check: &mut Check) -> Result<(Option<Events>, bool), DecodeError> {
        let rows = TransactionDetails::decode(page)?.transactions;
        // An LND without pages sends all at once, and would again.
        let more = u32::try_from(rows.len()) == Ok(size);
        self.taken = self.taken.saturating_add(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let events: Vec<_> = rows.into_iter().filter_map(|row| check.keep(transaction(row))).collect();
        Ok(((!events.is_empty()).then_some(Events::Transactions(events)), more))
    }
}

fn transaction(row: lnrpc::Transaction) -> Result<ChainTx, Bad> {
    let all = &row.output_details;
    let own = all.iter().filter(|output| output.is_our_address);
    Ok(ChainTx {
        txid: txid(&row.tx_hash)?,
        at: UnixMs::from_secs(row.time_stamp),
        height: u32::try_from(row.block_height).ok().filter(|&height| height > 0),
        amount: change("amount", row.amount)?,
        fee: sat("fee", row.total_fees)?,
        own_outputs: own.map(|output| sat("output", output.amount)).sum::<Result<_, _>>()?,
        outputs: (!all.is_empty()).then(|| all.iter().map(|output| sat("output", output.amount)).sum()).transpose()?,
        spends: row.previous_outpoints.into_iter().map(|spent| clip(&spent.outpoint, 80)).collect(),
        label: clip(&row.label, 500),
    })
}
