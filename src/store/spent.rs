//! Sums of payments and invoices over windows of time. What is older than the longest window with a beginning is summed
//! by SQLite from the indexes, and not row by row.

use rusqlite::{Row, Transaction};

use super::profiles::Key;
use super::sums::Mixed;
use super::windows::Windows;
use crate::history::{Period, RebalanceFlow};
use crate::units::{Msat, Scid, UnixMs};

const MILLION: i64 = 1_000_000;

/// Adds circular payments, other payments and what was received.
pub(super) fn add<const N: usize>(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows<N>,
    periods: &mut [Period; N],
) -> rusqlite::Result<()> {
    add_rebalances(tx, key, windows, periods)?;
    add_payments(tx, key, windows, periods)?;
    add_received(tx, key, windows, periods)?;
    if windows.has_ever()
        && let Some(ever) = periods.last_mut()
    {
        add_older_payments(tx, key, windows.oldest(), ever)?;
        add_older_received(tx, key, windows.oldest(), ever)?;
    }
    Ok(())
}

/// The oldest of them, in nanoseconds.
pub(super) fn first(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<Option<i64>> {
    let one = |text: &str| -> rusqlite::Result<Option<i64>> {
        tx.prepare_cached(text)?.query_row((key.tenant, key.node), |row| row.get(0))
    };
    let payment =
        one("SELECT min(settled_ns) FROM payments WHERE tenant = ?1 AND node = ?2 AND settled_ns IS NOT NULL")?;
    let invoice =
        one("SELECT min(settled_ms) FROM invoices WHERE tenant = ?1 AND node = ?2 AND settled_ms IS NOT NULL")?;
    let part = one("SELECT min(resolved_ns) FROM payment_parts WHERE tenant = ?1 AND node = ?2 AND circular = 1")?;
    Ok([payment, invoice.map(|ms| ms.saturating_mul(MILLION)), part].into_iter().flatten().min())
}

/// Flows of circular payments by the channels that they left and came back by.
type Circular = Mixed<(i64, i64), RebalanceFlow>;

fn put_circular(flows: &mut Circular, (from, to): (i64, i64), amount: Msat, cost: Msat, parts: u32) {
    let flow = flows.entry((from, to)).or_insert_with(|| RebalanceFlow {
        from: Scid::from_stored(from),
        to: Scid::from_stored(to),
        ..Default::default()
    });
    flow.amount += amount;
    flow.cost += cost;
    flow.parts = flow.parts.saturating_add(parts);
}

fn add_rebalances<const N: usize>(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows<N>,
    periods: &mut [Period; N],
) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT resolved_ns, first_scid, last_scid, amount_msat, fee_msat FROM payment_parts \
         WHERE tenant = ?1 AND node = ?2 AND circular = 1 AND resolved_ns >= ?3 AND resolved_ns < ?4",
    )?;
    let mut rows = some.query((key.tenant, key.node, windows.oldest(), windows.end))?;
    let mut flows: [Circular; N] = std::array::from_fn(|_| Circular::default());
    while let Some(row) = rows.next()? {
        let channels: (i64, i64) = (row.get(1)?, row.get(2)?);
        let (amount, cost) = (Msat::new(row.get(3)?), Msat::new(row.get(4)?));
        for flows in windows.each(&mut flows, row.get(0)?) {
            put_circular(flows, channels, amount, cost, 1);
        }
    }
    if windows.has_ever()
        && let Some(ever) = flows.last_mut()
    {
        add_older_rebalances(tx, key, windows.oldest(), ever)?;
    }
    for (period, flows) in periods.iter_mut().zip(flows) {
        period.rebalances = flows.into_values().collect();
        period.rebalances.sort_unstable_by_key(|flow| (flow.from, flow.to));
    }
    Ok(())
}

fn add_payments<const N: usize>(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows<N>,
    periods: &mut [Period; N],
) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT settled_ns, circular, settled_msat, settled_fee_msat FROM payments \
         WHERE tenant = ?1 AND node = ?2 AND settled_ns >= ?3 AND settled_ns < ?4",
    )?;
    let mut rows = some.query((key.tenant, key.node, windows.oldest(), windows.end))?;
    while let Some(row) = rows.next()? {
        let circular: bool = row.get(1)?;
        let (amount, fee) = (Msat::new(row.get(2)?), Msat::new(row.get(3)?));
        for period in windows.each(periods, row.get(0)?) {
            put_payments(period, circular, 1, amount, fee);
        }
    }
    Ok(())
}

fn put_payments(period: &mut Period, circular: bool, count: u32, amount: Msat, fee: Msat) {
    if circular {
        period.rebalance_count = period.rebalance_count.saturating_add(count);
    } else {
        period.payments_sent += amount;
        period.payment_fees += fee;
    }
}

fn add_received<const N: usize>(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows<N>,
    periods: &mut [Period; N],
) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT i.settled_ms, i.paid_msat FROM invoices i WHERE i.tenant = ?1 AND i.node = ?2 AND i.settled_ms >= ?3 \
         AND i.settled_ms < ?4 AND i.state = 'settled' AND NOT EXISTS (SELECT 1 FROM payments p \
         WHERE p.tenant = ?1 AND p.node = ?2 AND p.circular = 1 AND p.hash = i.hash)",
    )?;
    let (from, to) = (windows.oldest().div_euclid(MILLION), windows.end.div_euclid(MILLION));
    let mut rows = some.query((key.tenant, key.node, from, to))?;
    while let Some(row) = rows.next()? {
        let paid = Msat::new(row.get(1)?);
        for period in windows.each(periods, UnixMs(row.get(0)?).nanos()) {
            period.received += paid;
        }
    }
    Ok(())
}

/// A sum that SQLite made of millions and the rest apart, so that none is more than an integer holds.
fn whole(row: &Row<'_>, at: usize) -> rusqlite::Result<Msat> {
    let (millions, rest): (Option<i64>, Option<i64>) = (row.get(at)?, row.get(at + 1)?);
    Ok(Msat::new(millions.unwrap_or(0).saturating_mul(MILLION).saturating_add(rest.unwrap_or(0))))
}

fn add_older_rebalances(tx: &Transaction<'_>, key: Key, before: i64, ever: &mut Circular) -> rusqlite::Result<()> {
    let mut all = tx.prepare_cached(
        "SELECT first_scid, last_scid, count(*), sum(amount_msat / 1000000), sum(amount_msat % 1000000), \
         sum(fee_msat / 1000000), sum(fee_msat % 1000000) FROM payment_parts \
         WHERE tenant = ?1 AND node = ?2 AND circular = 1 AND resolved_ns < ?3 GROUP BY first_scid, last_scid",
    )?;
    let mut rows = all.query((key.tenant, key.node, before))?;
    while let Some(row) = rows.next()? {
        put_circular(ever, (row.get(0)?, row.get(1)?), whole(row, 3)?, whole(row, 5)?, row.get(2)?);
    }
    Ok(())
}

fn add_older_payments(tx: &Transaction<'_>, key: Key, before: i64, ever: &mut Period) -> rusqlite::Result<()> {
    let mut all = tx.prepare_cached(
        "SELECT circular, count(*), sum(settled_msat / 1000000), sum(settled_msat % 1000000), \
         sum(settled_fee_msat / 1000000), sum(settled_fee_msat % 1000000) FROM payments \
         WHERE tenant = ?1 AND node = ?2 AND settled_ns < ?3 GROUP BY circular",
    )?;
    let mut rows = all.query((key.tenant, key.node, before))?;
    while let Some(row) = rows.next()? {
        put_payments(ever, row.get(0)?, row.get(1)?, whole(row, 2)?, whole(row, 4)?);
    }
    Ok(())
}

fn add_older_received(tx: &Transaction<'_>, key: Key, before: i64, ever: &mut Period) -> rusqlite::Result<()> {
    let mut all = tx.prepare_cached(
        "SELECT sum(i.paid_msat / 1000000), sum(i.paid_msat % 1000000) FROM invoices i WHERE i.tenant = ?1 \
         AND i.node = ?2 AND i.settled_ms < ?3 AND i.state = 'settled' AND NOT EXISTS (SELECT 1 FROM payments p \
         WHERE p.tenant = ?1 AND p.node = ?2 AND p.circular = 1 AND p.hash = i.hash)",
    )?;
    let sum = all.query_row((key.tenant, key.node, before.div_euclid(MILLION)), |row| whole(row, 0))?;
    ever.received += sum;
    Ok(())
}
