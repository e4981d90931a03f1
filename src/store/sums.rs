//! Sums of a node's events over the windows that end at one moment: whole days from `forward_days`, whole hours from
//! `forward_hours`, and the rest from the events themselves, so that every window is exact and none reads everything.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::Transaction;

use super::events::{DAY_NS, HOUR_NS};
use super::profiles::Key;
use crate::history::{DaySum, PairFlow, Period, RebalanceFlow, ScidFlow, Window};
use crate::units::{Msat, Scid, UnixMs};

/// Days of the three windows, the shortest first.
const SPANS: [i64; 3] = [1, 7, 30];

/// Three windows that end at the same moment.
#[derive(Clone, Copy)]
struct Windows {
    end: i64,
    /// Starts, the latest first.
    starts: [i64; 3],
}

impl Windows {
    fn new(end: UnixMs) -> Self {
        let end = end.nanos();
        Self { end, starts: SPANS.map(|days| end.saturating_sub(days * DAY_NS)) }
    }

    /// The shortest window that has this moment: 0, 1 or 2.
    fn shortest(&self, at_ns: i64) -> Option<usize> {
        (at_ns < self.end).then(|| self.starts.iter().position(|start| at_ns >= *start)).flatten()
    }

    fn oldest(&self) -> i64 {
        let [_, _, oldest] = self.starts;
        oldest
    }

    /// Days that are cut by a start or the end: these are summed from events, as half-open spans inside the windows.
    fn cut_days(&self) -> Vec<(i64, i64)> {
        let mut days: Vec<i64> = self.starts.iter().chain([&self.end]).copied().collect();
        days.retain(|at| at.rem_euclid(DAY_NS) != 0);
        let mut days: Vec<i64> = days.into_iter().map(|at| at.div_euclid(DAY_NS)).collect();
        days.sort_unstable();
        days.dedup();
        let span = |day: &i64| ((day * DAY_NS).max(self.oldest()), ((day + 1) * DAY_NS).min(self.end));
        days.iter().map(span).collect()
    }
}

#[derive(Clone, Copy, Default)]
struct Pair {
    forwards: u32,
    amount_in: Msat,
    amount_out: Msat,
}

impl Pair {
    fn add(&mut self, forwards: u32, amount_in: Msat, amount_out: Msat) {
        self.forwards = self.forwards.saturating_add(forwards);
        self.amount_in += amount_in;
        self.amount_out += amount_out;
    }
}

/// A hash of a few instructions: hundreds of thousands of rows are summed by short ids, which nobody else chooses.
#[derive(Clone, Copy, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }
}

type Pairs = HashMap<(i64, i64), Pair, BuildHasherDefault<Mix>>;

/// Day, week and month before `end`, and the pairs of the month.
pub(super) fn periods(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<([Period; 3], Vec<PairFlow>)> {
    let windows = Windows::new(end);
    let mut rings: [Pairs; 3] = Default::default();
    add_whole_days(tx, key, &windows, &mut rings)?;
    for (from, to) in windows.cut_days() {
        add_events(tx, key, &windows, (from, to), &mut rings)?;
    }
    let mut periods: [Period; 3] = Default::default();
    let mut channels: HashMap<i64, ScidFlow> = HashMap::new();
    let mut pairs = Pairs::default();
    // Each window is the one before with a ring around it.
    let mut sum = Pair::default();
    for ((period, ring), days) in periods.iter_mut().zip(rings).zip(SPANS) {
        for ((scid_in, scid_out), pair) in ring {
            sum.add(pair.forwards, pair.amount_in, pair.amount_out);
            add_channels(&mut channels, scid_in, scid_out, pair);
            pairs.entry((scid_in, scid_out)).or_default().add(pair.forwards, pair.amount_in, pair.amount_out);
        }
        period.window = Some(Window::days_before(end, days));
        period.forwards = sum.forwards;
        period.amount_in = sum.amount_in;
        period.amount_out = sum.amount_out;
        period.channels = channels.values().copied().collect();
        period.channels.sort_unstable_by_key(|flow| flow.scid);
    }
    add_rebalances(tx, key, &windows, &mut periods)?;
    add_payments(tx, key, &windows, &mut periods)?;
    add_received(tx, key, &windows, &mut periods)?;
    let mut flows: Vec<_> = pairs
        .into_iter()
        .map(|((scid_in, scid_out), pair)| PairFlow {
            scid_in: Scid::from_stored(scid_in),
            scid_out: Scid::from_stored(scid_out),
            forwards: pair.forwards,
            amount_in: pair.amount_in,
            amount_out: pair.amount_out,
        })
        .collect();
    flows.sort_unstable_by_key(|flow| (flow.scid_in, flow.scid_out));
    Ok((periods, flows))
}

fn add_channels(channels: &mut HashMap<i64, ScidFlow>, scid_in: i64, scid_out: i64, pair: Pair) {
    let flow = |scid| ScidFlow { scid: Scid::from_stored(scid), ..Default::default() };
    let fees = pair.amount_in - pair.amount_out;
    let incoming = channels.entry(scid_in).or_insert_with(|| flow(scid_in));
    incoming.forwards_in = incoming.forwards_in.saturating_add(pair.forwards);
    incoming.amount_in += pair.amount_in;
    incoming.fees_assisted += fees;
    let outgoing = channels.entry(scid_out).or_insert_with(|| flow(scid_out));
    outgoing.forwards_out = outgoing.forwards_out.saturating_add(pair.forwards);
    outgoing.amount_out += pair.amount_out;
    outgoing.fees_earned += fees;
}

fn ring_of<'a, T>(windows: &Windows, rings: &'a mut [T; 3], at_ns: i64) -> Option<&'a mut T> {
    windows.shortest(at_ns).and_then(|ring| rings.get_mut(ring))
}

fn add_whole_days(tx: &Transaction<'_>, key: Key, windows: &Windows, rings: &mut [Pairs; 3]) -> rusqlite::Result<()> {
    let cut: Vec<i64> = windows.cut_days().iter().map(|(from, _)| from.div_euclid(DAY_NS)).collect();
    let mut some = tx.prepare_cached(
        "SELECT day, scid_in, scid_out, forwards, amount_in_msat, amount_out_msat FROM forward_days \
         WHERE tenant = ?1 AND node = ?2 AND day >= ?3 AND day < ?4",
    )?;
    let (first, last) = (windows.oldest().div_euclid(DAY_NS), windows.end.div_euclid(DAY_NS));
    let mut rows = some.query((key.tenant, key.node, first, last))?;
    while let Some(row) = rows.next()? {
        let day: i64 = row.get(0)?;
        if cut.contains(&day) {
            continue;
        }
        if let Some(ring) = ring_of(windows, rings, day * DAY_NS) {
            let pair = ring.entry((row.get(1)?, row.get(2)?)).or_default();
            pair.add(row.get(3)?, Msat::new(row.get(4)?), Msat::new(row.get(5)?));
        }
    }
    Ok(())
}

fn add_events(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows,
    (from, to): (i64, i64),
    rings: &mut [Pairs; 3],
) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT at_ns, scid_in, scid_out, amount_in_msat, amount_out_msat FROM forwards \
         WHERE tenant = ?1 AND node = ?2 AND at_ns >= ?3 AND at_ns < ?4",
    )?;
    let mut rows = some.query((key.tenant, key.node, from, to))?;
    while let Some(row) = rows.next()? {
        if let Some(ring) = ring_of(windows, rings, row.get(0)?) {
            let pair = ring.entry((row.get(1)?, row.get(2)?)).or_default();
            pair.add(1, Msat::new(row.get(3)?), Msat::new(row.get(4)?));
        }
    }
    Ok(())
}

/// Adds what happened at `at_ns` to every window that has it.
fn each_window(windows: &Windows, periods: &mut [Period; 3], at_ns: i64, mut add: impl FnMut(usize, &mut Period)) {
    let Some(shortest) = windows.shortest(at_ns) else { return };
    for (n, period) in periods.iter_mut().enumerate().skip(shortest) {
        add(n, period);
    }
}

fn add_rebalances(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows,
    periods: &mut [Period; 3],
) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT resolved_ns, first_scid, last_scid, amount_msat, fee_msat FROM payment_parts \
         WHERE tenant = ?1 AND node = ?2 AND circular = 1 AND resolved_ns >= ?3 AND resolved_ns < ?4",
    )?;
    let mut rows = some.query((key.tenant, key.node, windows.oldest(), windows.end))?;
    let mut flows: [HashMap<(i64, i64), RebalanceFlow>; 3] = Default::default();
    while let Some(row) = rows.next()? {
        let (from, to): (i64, i64) = (row.get(1)?, row.get(2)?);
        let (amount, cost) = (Msat::new(row.get(3)?), Msat::new(row.get(4)?));
        let Some(shortest) = windows.shortest(row.get(0)?) else { continue };
        for flows in flows.iter_mut().skip(shortest) {
            let flow = flows.entry((from, to)).or_insert_with(|| RebalanceFlow {
                from: Scid::from_stored(from),
                to: Scid::from_stored(to),
                ..Default::default()
            });
            flow.amount += amount;
            flow.cost += cost;
            flow.parts = flow.parts.saturating_add(1);
        }
    }
    for (period, flows) in periods.iter_mut().zip(flows) {
        period.rebalances = flows.into_values().collect();
        period.rebalances.sort_unstable_by_key(|flow| (flow.from, flow.to));
    }
    Ok(())
}

fn add_payments(tx: &Transaction<'_>, key: Key, windows: &Windows, periods: &mut [Period; 3]) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT settled_ns, circular, settled_msat, settled_fee_msat FROM payments \
         WHERE tenant = ?1 AND node = ?2 AND settled_ns >= ?3 AND settled_ns < ?4",
    )?;
    let mut rows = some.query((key.tenant, key.node, windows.oldest(), windows.end))?;
    while let Some(row) = rows.next()? {
        let circular: bool = row.get(1)?;
        let (amount, fee) = (Msat::new(row.get(2)?), Msat::new(row.get(3)?));
        each_window(windows, periods, row.get(0)?, |_, period| {
            if circular {
                period.rebalance_count = period.rebalance_count.saturating_add(1);
            } else {
                period.payments_sent += amount;
                period.payment_fees += fee;
            }
        });
    }
    Ok(())
}

fn add_received(tx: &Transaction<'_>, key: Key, windows: &Windows, periods: &mut [Period; 3]) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT i.settled_ms, i.paid_msat FROM invoices i WHERE i.tenant = ?1 AND i.node = ?2 AND i.settled_ms >= ?3 \
         AND i.settled_ms < ?4 AND i.state = 'settled' AND NOT EXISTS (SELECT 1 FROM payments p \
         WHERE p.tenant = ?1 AND p.node = ?2 AND p.circular = 1 AND p.hash = i.hash)",
    )?;
    let ms = |ns: i64| ns.div_euclid(1_000_000);
    let mut rows = some.query((key.tenant, key.node, ms(windows.oldest()), ms(windows.end)))?;
    while let Some(row) = rows.next()? {
        let paid = Msat::new(row.get(1)?);
        each_window(windows, periods, UnixMs(row.get(0)?).nanos(), |_, period| period.received += paid);
    }
    Ok(())
}

/// The first stored forward, in nanoseconds.
pub(super) fn first(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<Option<i64>> {
    tx.prepare_cached("SELECT min(at_ns) FROM forwards WHERE tenant = ?1 AND node = ?2")?
        .query_row((key.tenant, key.node), |row| row.get(0))
}

/// Sums of each of the `count` days of 24 hours before `end`, oldest first.
pub(super) fn days(tx: &Transaction<'_>, key: Key, end: UnixMs, count: i64) -> rusqlite::Result<Vec<DaySum>> {
    let end = end.nanos();
    let start = end.saturating_sub(count * DAY_NS);
    let mut sums = vec![DaySum::default(); usize::try_from(count).unwrap_or(0)];
    let mut add = |at_ns: i64, forwards: u32, amount_out: Msat, fees: Msat| {
        let day = usize::try_from((at_ns - start).div_euclid(DAY_NS)).ok();
        if let Some(sum) = day.and_then(|day| sums.get_mut(day)) {
            sum.forwards = sum.forwards.saturating_add(forwards);
            sum.amount_out += amount_out;
            sum.fees += fees;
        }
    };
    let cut = end.rem_euclid(HOUR_NS) != 0;
    let mut hours = tx.prepare_cached(
        "SELECT hour, forwards, amount_out_msat, fees_msat FROM forward_hours \
         WHERE tenant = ?1 AND node = ?2 AND hour >= ?3 AND hour < ?4",
    )?;
    let mut rows = hours.query((key.tenant, key.node, start.div_euclid(HOUR_NS), end.div_euclid(HOUR_NS)))?;
    let cut_hour = end.div_euclid(HOUR_NS).rem_euclid(24);
    while let Some(row) = rows.next()? {
        let hour: i64 = row.get(0)?;
        if !(cut && hour.rem_euclid(24) == cut_hour) {
            add(hour * HOUR_NS, row.get(1)?, Msat::new(row.get(2)?), Msat::new(row.get(3)?));
        }
    }
    if !cut {
        return Ok(sums);
    }
    // The hour that every boundary of two days cuts.
    let mut events = tx.prepare_cached(
        "SELECT at_ns, amount_in_msat, amount_out_msat FROM forwards \
         WHERE tenant = ?1 AND node = ?2 AND at_ns >= ?3 AND at_ns < ?4",
    )?;
    for day in 0..=count {
        let hour = (start + day * DAY_NS).div_euclid(HOUR_NS) * HOUR_NS;
        let mut rows = events.query((key.tenant, key.node, hour.max(start), (hour + HOUR_NS).min(end)))?;
        while let Some(row) = rows.next()? {
            let (amount_in, amount_out) = (Msat::new(row.get(1)?), Msat::new(row.get(2)?));
            add(row.get(0)?, 1, amount_out, amount_in - amount_out);
        }
    }
    Ok(sums)
}

/// Days that are searched event by event for the last forward of a channel before a moment in the past.
const WALKED_DAYS: i64 = 31;

/// When each short id last had a forward before `end`.
pub(super) fn last_forwards(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<Vec<(Scid, UnixMs)>> {
    let end = end.nanos();
    let mut last: HashMap<i64, i64> = HashMap::new();
    let mut wanted: HashSet<i64> = HashSet::new();
    let mut all = tx.prepare_cached("SELECT scid, at_ns FROM forward_last WHERE tenant = ?1 AND node = ?2")?;
    let mut rows = all.query((key.tenant, key.node))?;
    while let Some(row) = rows.next()? {
        let (scid, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        if at < end {
            last.insert(scid, at);
        } else {
            wanted.insert(scid);
        }
    }
    if !wanted.is_empty() {
        last_before(tx, key, end, &mut wanted, &mut last)?;
    }
    let at = |ns: i64| UnixMs(ns.div_euclid(1_000_000));
    let mut found: Vec<_> = last.into_iter().map(|(scid, ns)| (Scid::from_stored(scid), at(ns))).collect();
    found.sort_unstable_by_key(|(scid, _)| *scid);
    Ok(found)
}

/// Finds the wanted ids' last forward before a moment in the past: day by day back from it, and of ids that were silent
/// for long the day from the sums.
fn last_before(
    tx: &Transaction<'_>,
    key: Key,
    end: i64,
    wanted: &mut HashSet<i64>,
    last: &mut HashMap<i64, i64>,
) -> rusqlite::Result<()> {
    let mut events = tx.prepare_cached(
        "SELECT at_ns, scid_in, scid_out FROM forwards WHERE tenant = ?1 AND node = ?2 AND at_ns >= ?3 AND at_ns < ?4 \
         ORDER BY at_ns DESC",
    )?;
    let mut walk = |day: i64, wanted: &mut HashSet<i64>| -> rusqlite::Result<()> {
        let mut rows = events.query((key.tenant, key.node, day * DAY_NS, ((day + 1) * DAY_NS).min(end)))?;
        while let Some(row) = rows.next()? {
            for scid in [row.get(1)?, row.get(2)?] {
                if wanted.remove(&scid) {
                    last.insert(scid, row.get(0)?);
                }
            }
            if wanted.is_empty() {
                break;
            }
        }
        Ok(())
    };
    let today = end.div_euclid(DAY_NS);
    for day in (today - WALKED_DAYS..=today).rev() {
        if wanted.is_empty() {
            return Ok(());
        }
        walk(day, wanted)?;
    }
    let mut days: Vec<i64> = Vec::new();
    for side in ["scid_in", "scid_out"] {
        let mut found = tx.prepare_cached(&format!(
            "SELECT {side}, max(day) FROM forward_days WHERE tenant = ?1 AND node = ?2 AND day < ?3 GROUP BY {side}"
        ))?;
        let mut rows = found.query((key.tenant, key.node, today - WALKED_DAYS))?;
        while let Some(row) = rows.next()? {
            if wanted.contains(&row.get(0)?) {
                days.push(row.get(1)?);
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    for day in days.into_iter().rev() {
        walk(day, wanted)?;
    }
    Ok(())
}
