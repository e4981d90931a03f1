//! Events of a node: each kept once, whatever the times of the runs. Forwards are summed by day, hour and channel in the
//! transaction that stores them.

use std::collections::HashMap;

use rusqlite::Transaction;

use super::Store;
use super::error::{Error, Result};
use super::payments;
use super::profiles::{Key, Profile};
use super::sums::add_flow;
use crate::history::ScidFlow;
use crate::snapshot::{Events, Forward};
use crate::sources::Resume;
use crate::units::Msat;

/// Nanoseconds in a day.
pub(super) const DAY_NS: i64 = 86_400_000_000_000;
/// Nanoseconds in an hour.
pub(super) const HOUR_NS: i64 = DAY_NS / 24;
/// Blocks that are read again: a reorganisation can move what is above.
const REREAD_BLOCKS: i64 = 144;

impl Store {
    /// From where on the node's events have to be read.
    pub fn resume(&self, profile: &Profile) -> Result<Resume> {
        let key = self.key(profile)?;
        let number = |text: &str| -> Result<Option<i64>> {
            let mut statement = self.sql(self.db.prepare_cached(text))?;
            self.sql(statement.query_row((key.tenant, key.node), |row| row.get(0)))
        };
        let last_forward_ns = number("SELECT max(at_ns) FROM forwards WHERE tenant = ?1 AND node = ?2")?;
        let open_payment =
            number("SELECT min(payment) FROM payments WHERE tenant = ?1 AND node = ?2 AND status = 'in_flight'")?;
        let last_payment = number("SELECT max(payment) FROM payments WHERE tenant = ?1 AND node = ?2")?;
        let open_invoice = number(
            "SELECT min(invoice) FROM invoices WHERE tenant = ?1 AND node = ?2 AND state IN ('open', 'accepted')",
        )?;
        let last_invoice = number("SELECT max(invoice) FROM invoices WHERE tenant = ?1 AND node = ?2")?;
        let height = number("SELECT max(height) FROM chain_transactions WHERE tenant = ?1 AND node = ?2")?;
        let after = |open: Option<i64>, last: Option<i64>| {
            open.map(|index| index.saturating_sub(1)).or(last).map_or(0, i64::cast_unsigned)
        };
        Ok(Resume {
            last_forward_ns,
            payments_after: after(open_payment, last_payment),
            invoices_after: after(open_invoice, last_invoice),
            watched_to: self.watched_to(key)?,
            transactions_from_height: height.and_then(|h| u32::try_from(h - REREAD_BLOCKS).ok()).unwrap_or(0),
        })
    }

    /// Keeps one page of events in one transaction; returns how many of them were new.
    pub fn put_events(&self, profile: &Profile, events: &Events) -> Result<usize> {
        if is_empty(events) {
            return Ok(0);
        }
        if let Events::Forwards(forwards) = events {
            check_amounts(forwards.iter().map(|f| (f.amount_in, f.amount_out)))?;
        }
        let key = self.key(profile)?;
        self.write_named("events", |tx| {
            let own = profile.pubkey.as_str();
            self.sql(match events {
                Events::Forwards(forwards) => put_forwards(tx, key, forwards),
                Events::Payments(list) => payments::put_payments(tx, key, own, list),
                Events::Invoices(list) => payments::put_invoices(tx, key, list),
                Events::Transactions(list) => payments::put_transactions(tx, key, list),
            })
        })
    }
}

const fn is_empty(events: &Events) -> bool {
    match events {
        Events::Forwards(list) => list.is_empty(),
        Events::Payments(list) => list.is_empty(),
        Events::Invoices(list) => list.is_empty(),
        Events::Transactions(list) => list.is_empty(),
    }
}

/// A node that lies must not be able to bring the sums of a day beyond what an integer holds.
pub(super) fn check_amounts(mut forwards: impl Iterator<Item = (Msat, Msat)>) -> Result<()> {
    let good = |amount: Msat| amount >= Msat::ZERO && amount <= Msat::SUPPLY;
    match forwards.find(|(amount_in, amount_out)| !good(*amount_in) || !good(*amount_out)) {
        None => Ok(()),
        Some((amount_in, amount_out)) => Err(Error::Invalid(format!(
            "the node reports a forward of {} msat in and {} msat out, which can't be: nothing of this page was stored",
            amount_in.get(),
            amount_out.get()
        ))),
    }
}

/// Sums of the new forwards of one page.
#[derive(Clone, Copy, Default)]
struct Sum {
    forwards: i64,
    amount_in: Msat,
    amount_out: Msat,
}

impl Sum {
    fn add(&mut self, forward: &Forward) {
        self.forwards += 1;
        self.amount_in += forward.amount_in;
        self.amount_out += forward.amount_out;
    }
}

#[derive(Default)]
struct Page {
    days: HashMap<(i64, i64, i64), Sum>,
    channels: HashMap<(i64, i64), ScidFlow>,
    hours: HashMap<i64, Sum>,
    last: HashMap<i64, i64>,
}

impl Page {
    fn add(&mut self, forward: &Forward) {
        let (scid_in, scid_out) = (forward.scid_in.stored(), forward.scid_out.stored());
        let day = forward.at_ns.div_euclid(DAY_NS);
        self.days.entry((day, scid_in, scid_out)).or_default().add(forward);
        add_flow(self.channels.entry((day, scid_in)).or_default(), &ScidFlow::came(forward.amount_in, forward.fee()));
        add_flow(self.channels.entry((day, scid_out)).or_default(), &ScidFlow::left(forward.amount_out, forward.fee()));
        self.hours.entry(forward.at_ns.div_euclid(HOUR_NS)).or_default().add(forward);
        for scid in [scid_in, scid_out] {
            let last = self.last.entry(scid).or_insert(forward.at_ns);
            *last = (*last).max(forward.at_ns);
        }
    }
}

fn put_forwards(tx: &Transaction<'_>, key: Key, forwards: &[Forward]) -> rusqlite::Result<usize> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO forwards (tenant, node, at_ns, scid_in, scid_out, htlc_in, amount_in_msat, amount_out_msat) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (tenant, node, at_ns, scid_in, scid_out, htlc_in) DO NOTHING",
    )?;
    insert.raw_bind_parameter(1, key.tenant)?;
    insert.raw_bind_parameter(2, key.node)?;
    let mut page = Page::default();
    let mut new = 0;
    for forward in forwards {
        insert.raw_bind_parameter(3, forward.at_ns)?;
        insert.raw_bind_parameter(4, forward.scid_in.stored())?;
        insert.raw_bind_parameter(5, forward.scid_out.stored())?;
        insert.raw_bind_parameter(6, forward.htlc_in)?;
        insert.raw_bind_parameter(7, forward.amount_in.get())?;
        insert.raw_bind_parameter(8, forward.amount_out.get())?;
        if insert.raw_execute()? > 0 {
            new += 1;
            page.add(forward);
        }
    }
    put_sums(tx, key, page)?;
    Ok(new)
}

fn put_sums(tx: &Transaction<'_>, key: Key, page: Page) -> rusqlite::Result<()> {
    let mut put_day = tx.prepare_cached(
        "INSERT INTO forward_days (tenant, node, day, scid_in, scid_out, forwards, amount_in_msat, amount_out_msat, \
         fees_msat) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, node, day, scid_in, scid_out) \
         DO UPDATE SET forwards = forward_days.forwards + excluded.forwards, \
         amount_in_msat = forward_days.amount_in_msat + excluded.amount_in_msat, \
         amount_out_msat = forward_days.amount_out_msat + excluded.amount_out_msat, \
         fees_msat = forward_days.fees_msat + excluded.fees_msat",
    )?;
    let mut days: Vec<_> = page.days.into_iter().collect();
    days.sort_unstable_by_key(|(at, _)| *at);
    for ((day, scid_in, scid_out), sum) in days {
        let (amount_in, amount_out) = (sum.amount_in.get(), sum.amount_out.get());
        let fees = (sum.amount_in - sum.amount_out).get();
        put_day.execute((key.tenant, key.node, day, scid_in, scid_out, sum.forwards, amount_in, amount_out, fees))?;
    }
    put_channels(tx, key, page.channels)?;
    let mut put_hour = tx.prepare_cached(
        "INSERT INTO forward_hours (tenant, node, hour, forwards, amount_in_msat, amount_out_msat, fees_msat) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, node, hour) \
         DO UPDATE SET forwards = forward_hours.forwards + excluded.forwards, \
         amount_in_msat = forward_hours.amount_in_msat + excluded.amount_in_msat, \
         amount_out_msat = forward_hours.amount_out_msat + excluded.amount_out_msat, \
         fees_msat = forward_hours.fees_msat + excluded.fees_msat",
    )?;
    for (hour, sum) in page.hours {
        let fees = (sum.amount_in - sum.amount_out).get();
        put_hour.execute((
            key.tenant,
            key.node,
            hour,
            sum.forwards,
            sum.amount_in.get(),
            sum.amount_out.get(),
            fees,
        ))?;
    }
    let mut put_last = tx.prepare_cached(
        "INSERT INTO forward_last (tenant, node, scid, at_ns) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (tenant, node, scid) DO UPDATE SET at_ns = excluded.at_ns WHERE forward_last.at_ns < excluded.at_ns",
    )?;
    for (scid, at_ns) in page.last {
        put_last.execute((key.tenant, key.node, scid, at_ns))?;
    }
    Ok(())
}

/// Adds to the sums of each channel by day and over all days.
fn put_channels(tx: &Transaction<'_>, key: Key, channels: HashMap<(i64, i64), ScidFlow>) -> rusqlite::Result<()> {
    let mut totals: HashMap<i64, ScidFlow> = HashMap::new();
    for ((_, scid), flow) in &channels {
        add_flow(totals.entry(*scid).or_default(), flow);
    }
    let mut put_day = tx.prepare_cached(&adding("channel_days", "scid, day", "?9, ?10"))?;
    let mut days: Vec<_> = channels.into_iter().collect();
    days.sort_unstable_by_key(|(at, _)| *at);
    for ((day, scid), flow) in days {
        let (n_in, amount_in, assisted, n_out, amount_out, earned) = columns(&flow);
        let row = (key.tenant, key.node, n_in, amount_in, assisted, n_out, amount_out, earned, scid, day);
        put_day.execute(row)?;
    }
    let mut put_total = tx.prepare_cached(&adding("channel_totals", "scid", "?9"))?;
    for (scid, flow) in totals {
        let (n_in, amount_in, assisted, n_out, amount_out, earned) = columns(&flow);
        put_total.execute((key.tenant, key.node, n_in, amount_in, assisted, n_out, amount_out, earned, scid))?;
    }
    Ok(())
}

/// The statement that adds a flow to the row of these further keys.
fn adding(table: &str, keys: &str, places: &str) -> String {
    let flow =
        ["forwards_in", "amount_in_msat", "fees_assisted_msat", "forwards_out", "amount_out_msat", "fees_earned_msat"];
    let sums = flow.map(|column| format!("{column} = {table}.{column} + excluded.{column}")).join(", ");
    format!(
        "INSERT INTO {table} (tenant, node, {}, {keys}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, {places}) \
         ON CONFLICT (tenant, node, {keys}) DO UPDATE SET {sums}",
        flow.join(", ")
    )
}

fn columns(flow: &ScidFlow) -> (u32, i64, i64, u32, i64, i64) {
    let (came, left) = ((flow.amount_in, flow.fees_assisted), (flow.amount_out, flow.fees_earned));
    (flow.forwards_in, came.0.get(), came.1.get(), flow.forwards_out, left.0.get(), left.1.get())
}
