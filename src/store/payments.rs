//! Payments with their parts, invoices and chain transactions. One that was not final is replaced by what it became;
//! one that was stays as it was, also when the node has forgotten its parts.

use rusqlite::Transaction;

use super::name_of;
use super::profiles::Key;
use crate::snapshot::{ChainTx, Invoice, Payment, PaymentPart, PaymentStatus};
use crate::units::Msat;

/// What the settled parts of a payment come to.
struct Settled {
    at_ns: Option<i64>,
    amount: Msat,
    fee: Msat,
    circular: bool,
}

/// Whether a part arrived at the node itself.
fn is_circular(part: &PaymentPart, own: &str) -> bool {
    part.status == PaymentStatus::Succeeded && part.destination.as_ref().is_some_and(|key| key.as_str() == own)
}

/// When a settled part counts; a node that does not tell has it at the payment's beginning.
fn resolved_ns(part: &PaymentPart, payment: &Payment) -> Option<i64> {
    part.resolved_ns.or((part.status == PaymentStatus::Succeeded).then_some(payment.created_ns))
}

fn settled(payment: &Payment, own: &str) -> Settled {
    let parts: Vec<_> = payment.parts.iter().filter(|part| part.status == PaymentStatus::Succeeded).collect();
    if parts.is_empty() && payment.status == PaymentStatus::Succeeded {
        // The node no longer has the parts.
        let at_ns = Some(payment.created_ns);
        return Settled { at_ns, amount: payment.value, fee: payment.fee, circular: false };
    }
    Settled {
        at_ns: parts.iter().filter_map(|part| resolved_ns(part, payment)).max(),
        amount: parts.iter().map(|part| part.amount).sum(),
        fee: parts.iter().map(|part| part.fee).sum(),
        circular: parts.iter().any(|part| is_circular(part, own)),
    }
}

pub(super) fn put_payments(tx: &Transaction<'_>, key: Key, own: &str, payments: &[Payment]) -> rusqlite::Result<usize> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO payments (tenant, node, payment, status, value_msat, fee_msat, failure, circular, settled_ns, \
         settled_msat, settled_fee_msat, parts, hash, created_ns, keysend) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
         ON CONFLICT (tenant, node, payment) DO NOTHING",
    )?;
    let mut update = tx.prepare_cached(
        "UPDATE payments SET status = ?4, value_msat = ?5, fee_msat = ?6, failure = ?7, circular = ?8, settled_ns = ?9, \
         settled_msat = ?10, settled_fee_msat = ?11, parts = ?12 \
         WHERE tenant = ?1 AND node = ?2 AND payment = ?3 AND (status = 'in_flight' OR status <> ?4)",
    )?;
    let mut forget = tx.prepare_cached("DELETE FROM payment_parts WHERE tenant = ?1 AND node = ?2 AND payment = ?3")?;
    let mut new = 0;
    for payment in payments {
        let index = payment.index.cast_signed();
        let done = settled(payment, own);
        let status = name_of(&payment.status);
        let parts = i64::try_from(payment.parts.len()).unwrap_or(i64::MAX);
        let row = rusqlite::params![
            key.tenant,
            key.node,
            index,
            status,
            payment.value.get(),
            payment.fee.get(),
            payment.failure,
            done.circular,
            done.at_ns,
            done.amount.get(),
            done.fee.get(),
            parts,
            payment.hash,
            payment.created_ns,
            payment.keysend,
        ];
        let (head, _) = row.split_at(12);
        if insert.execute(row)? > 0 {
            new += 1;
        } else if update.execute(head)? > 0 {
            forget.execute((key.tenant, key.node, index))?;
        } else {
            continue;
        }
        put_parts(tx, key, own, payment)?;
    }
    Ok(new)
}

fn put_parts(tx: &Transaction<'_>, key: Key, own: &str, payment: &Payment) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO payment_parts (tenant, node, payment, attempt, status, amount_msat, fee_msat, resolved_ns, \
         first_scid, last_scid, destination, circular) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
         ON CONFLICT (tenant, node, payment, attempt) DO NOTHING",
    )?;
    for part in &payment.parts {
        insert.execute(rusqlite::params![
            key.tenant,
            key.node,
            payment.index.cast_signed(),
            part.attempt.cast_signed(),
            name_of(&part.status),
            part.amount.get(),
            part.fee.get(),
            resolved_ns(part, payment),
            part.first_scid.stored(),
            part.last_scid.stored(),
            part.destination.as_ref().map(crate::units::Pubkey::as_str),
            is_circular(part, own),
        ])?;
    }
    Ok(())
}

pub(super) fn put_invoices(tx: &Transaction<'_>, key: Key, invoices: &[Invoice]) -> rusqlite::Result<usize> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO invoices (tenant, node, invoice, state, settled_ms, paid_msat, hash, created_ms, value_msat, \
         keysend) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (tenant, node, invoice) DO NOTHING",
    )?;
    let mut update = tx.prepare_cached(
        "UPDATE invoices SET state = ?4, settled_ms = ?5, paid_msat = ?6 WHERE tenant = ?1 AND node = ?2 \
         AND invoice = ?3 AND state IN ('open', 'accepted') AND (state <> ?4 OR paid_msat <> ?6)",
    )?;
    let mut new = 0;
    for invoice in invoices {
        let row = rusqlite::params![
            key.tenant,
            key.node,
            invoice.index.cast_signed(),
            name_of(&invoice.state),
            invoice.settled_at.map(|at| at.0),
            invoice.paid.get(),
            invoice.hash,
            invoice.created_at.0,
            invoice.value.get(),
            invoice.keysend,
        ];
        if insert.execute(row)? > 0 {
            new += 1;
        } else {
            update.execute(row.split_at(6).0)?;
        }
    }
    Ok(new)
}

pub(super) fn put_transactions(tx: &Transaction<'_>, key: Key, list: &[ChainTx]) -> rusqlite::Result<usize> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO chain_transactions (tenant, node, txid, at_ms, height, amount_msat, fee_msat, label, spends, \
         own_outputs_msat, outputs_msat) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (tenant, node, txid) DO NOTHING",
    )?;
    let mut update = tx.prepare_cached(
        "UPDATE chain_transactions SET at_ms = ?4, height = ?5, amount_msat = ?6, fee_msat = ?7, label = ?8, \
         spends = ?9, own_outputs_msat = ?10, outputs_msat = ?11 WHERE tenant = ?1 AND node = ?2 AND txid = ?3 AND (at_ms <> ?4 \
         OR coalesce(height, -1) <> coalesce(?5, -1) OR amount_msat <> ?6 OR fee_msat <> ?7 OR label <> ?8)",
    )?;
    let mut new = 0;
    for chain in list {
        let row = rusqlite::params![
            key.tenant,
            key.node,
            chain.txid,
            chain.at.0,
            chain.height,
            chain.amount.msat().get(),
            chain.fee.msat().get(),
            chain.label,
            serde_json::Value::from(chain.spends.clone()).to_string(),
            chain.own_outputs.msat().get(),
            chain.outputs.map(|sum| sum.msat().get()),
        ];
        if insert.execute(row)? > 0 {
            new += 1;
        } else {
            update.execute(row)?;
        }
    }
    Ok(new)
}
