//! Sums of a node's events over windows of time: whole days from `channel_days` and `forward_days`, and the rest from the
//! events themselves, so that every window is exact and none reads everything.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::Transaction;

use super::events::{DAY_NS, HOUR_NS};
use super::profiles::Key;
use super::spent;
use super::windows::Windows;
use crate::history::{DaySum, PairFlow, Period, ScidFlow, Window};
use crate::units::{Msat, Scid, UnixMs};

/// Days of the five windows, the shortest first; the last has everything.
const SPANS: [Option<i64>; 5] = [Some(1), Some(7), Some(30), Some(90), None];
/// Days of which pairs of channels are summed.
const PAIR_DAYS: i64 = 30;

/// A hash of a few instructions: hundreds of thousands of rows are summed by short ids, which nobody else chooses.
#[derive(Clone, Copy, Default)]
pub(super) struct Mix(u64);

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

/// A map by short ids.
pub(super) type Mixed<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;
type Flows = Mixed<i64, ScidFlow>;
type Pairs = Mixed<(i64, i64), Pair>;

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

/// Day, week, month, quarter and everything before `end`, and the pairs of the month.
pub(super) fn periods(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<([Period; 5], Vec<PairFlow>)> {
    let windows = Windows::before(end, SPANS);
    let mut pairs = Pairs::default();
    let mut periods = sums(tx, key, &windows, Some(&mut pairs))?;
    for (period, days) in periods.iter_mut().zip(SPANS) {
        period.window = Some(match days {
            Some(days) => Window::days_before(end, days),
            None => Window { start: oldest(tx, key)?.map_or(end, |first| first.min(end)), end },
        });
    }
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

/// One window by itself.
pub(super) fn period(tx: &Transaction<'_>, key: Key, window: Window) -> rusqlite::Result<Period> {
    let [mut period] = sums(tx, key, &Windows::one(window), None)?;
    period.window = Some(window);
    Ok(period)
}

fn sums<const N: usize>(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows<N>,
    mut pairs: Option<&mut Pairs>,
) -> rusqlite::Result<[Period; N]> {
    let mut rings: [Flows; N] = std::array::from_fn(|_| Flows::default());
    if windows.has_ever() {
        add_totals(tx, key, &mut rings)?;
    }
    let cut: Vec<i64> = windows.cut_days().iter().map(|(from, _)| from.div_euclid(DAY_NS)).collect();
    add_whole_days(tx, key, windows, &cut, &mut rings)?;
    if let Some(pairs) = &mut pairs {
        add_pair_days(tx, key, windows.end, &cut, pairs)?;
    }
    for span in windows.cut_days() {
        add_events(tx, key, windows, span, &mut rings, pairs.as_deref_mut())?;
    }
    let mut periods = each_with_the_ones_before(rings);
    spent::add(tx, key, windows, &mut periods)?;
    Ok(periods)
}

/// Each window is the one before with a ring around it.
fn each_with_the_ones_before<const N: usize>(rings: [Flows; N]) -> [Period; N] {
    let mut channels = Flows::default();
    rings.map(|ring| {
        for (scid, flow) in ring {
            add_flow(channels.entry(scid).or_default(), &flow);
        }
        let mut flows: Vec<ScidFlow> = channels
            .iter()
            .map(|(scid, flow)| ScidFlow { scid: Scid::from_stored(*scid), ..*flow })
            .filter(|flow| flow.forwards_in > 0 || flow.forwards_out > 0)
            .collect();
        flows.sort_unstable_by_key(|flow| flow.scid);
        Period {
            forwards: flows.iter().fold(0, |sum, flow| sum.saturating_add(flow.forwards_in)),
            amount_in: flows.iter().map(|flow| flow.amount_in).sum(),
            amount_out: flows.iter().map(|flow| flow.amount_out).sum(),
            channels: flows,
            ..Period::default()
        }
    })
}

pub(super) fn add_flow(sum: &mut ScidFlow, flow: &ScidFlow) {
    sum.forwards_in = sum.forwards_in.saturating_add(flow.forwards_in);
    sum.amount_in += flow.amount_in;
    sum.fees_assisted += flow.fees_assisted;
    sum.forwards_out = sum.forwards_out.saturating_add(flow.forwards_out);
    sum.amount_out += flow.amount_out;
    sum.fees_earned += flow.fees_earned;
}

fn take_flow(sum: &mut ScidFlow, flow: &ScidFlow) {
    sum.forwards_in = sum.forwards_in.saturating_sub(flow.forwards_in);
    sum.amount_in -= flow.amount_in;
    sum.fees_assisted -= flow.fees_assisted;
    sum.forwards_out = sum.forwards_out.saturating_sub(flow.forwards_out);
    sum.amount_out -= flow.amount_out;
    sum.fees_earned -= flow.fees_earned;
}

/// The six sums from column `at` on; the short id is told by the map's key.
fn flow(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<ScidFlow> {
    Ok(ScidFlow {
        scid: Scid::default(),
        forwards_in: row.get(at)?,
        amount_in: Msat::new(row.get(at + 1)?),
        fees_assisted: Msat::new(row.get(at + 2)?),
        forwards_out: row.get(at + 3)?,
        amount_out: Msat::new(row.get(at + 4)?),
        fees_earned: Msat::new(row.get(at + 5)?),
    })
}

/// Everything that is stored, as the last ring; the whole days that others have are taken out of it later.
fn add_totals<const N: usize>(tx: &Transaction<'_>, key: Key, rings: &mut [Flows; N]) -> rusqlite::Result<()> {
    let Some(ever) = rings.last_mut() else { return Ok(()) };
    let mut all = tx.prepare_cached(
        "SELECT scid, forwards_in, amount_in_msat, fees_assisted_msat, forwards_out, amount_out_msat, fees_earned_msat \
         FROM channel_totals WHERE tenant = ?1 AND node = ?2",
    )?;
    let mut rows = all.query((key.tenant, key.node))?;
    while let Some(row) = rows.next()? {
        ever.insert(row.get(0)?, flow(row, 1)?);
    }
    Ok(())
}

fn add_whole_days<const N: usize>(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows<N>,
    cut: &[i64],
    rings: &mut [Flows; N],
) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT day, scid, forwards_in, amount_in_msat, fees_assisted_msat, forwards_out, amount_out_msat, \
         fees_earned_msat FROM channel_days WHERE tenant = ?1 AND node = ?2 AND day >= ?3 AND day < ?4",
    )?;
    let (first, last) = windows.days();
    // What came after the end is in the totals too.
    let to = if windows.has_ever() { i64::MAX } else { last };
    let mut rows = some.query((key.tenant, key.node, first, to))?;
    while let Some(row) = rows.next()? {
        let (day, scid): (i64, i64) = (row.get(0)?, row.get(1)?);
        let flow = flow(row, 2)?;
        if windows.has_ever()
            && let Some(ever) = rings.last_mut()
        {
            take_flow(ever.entry(scid).or_default(), &flow);
        }
        if day < last
            && !cut.contains(&day)
            && let Some(ring) = windows.ring(rings, day * DAY_NS)
        {
            add_flow(ring.entry(scid).or_default(), &flow);
        }
    }
    Ok(())
}

fn add_pair_days(tx: &Transaction<'_>, key: Key, end: i64, cut: &[i64], pairs: &mut Pairs) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT day, scid_in, scid_out, forwards, amount_in_msat, amount_out_msat FROM forward_days \
         WHERE tenant = ?1 AND node = ?2 AND day >= ?3 AND day < ?4",
    )?;
    let first = end.saturating_sub(PAIR_DAYS * DAY_NS).div_euclid(DAY_NS);
    let mut rows = some.query((key.tenant, key.node, first, end.div_euclid(DAY_NS)))?;
    while let Some(row) = rows.next()? {
        if !cut.contains(&row.get(0)?) {
            let pair = pairs.entry((row.get(1)?, row.get(2)?)).or_default();
            pair.add(row.get(3)?, Msat::new(row.get(4)?), Msat::new(row.get(5)?));
        }
    }
    Ok(())
}

fn add_events<const N: usize>(
    tx: &Transaction<'_>,
    key: Key,
    windows: &Windows<N>,
    (from, to): (i64, i64),
    rings: &mut [Flows; N],
    mut pairs: Option<&mut Pairs>,
) -> rusqlite::Result<()> {
    let mut some = tx.prepare_cached(
        "SELECT at_ns, scid_in, scid_out, amount_in_msat, amount_out_msat FROM forwards \
         WHERE tenant = ?1 AND node = ?2 AND at_ns >= ?3 AND at_ns < ?4",
    )?;
    let pairs_from = windows.end.saturating_sub(PAIR_DAYS * DAY_NS);
    let mut rows = some.query((key.tenant, key.node, from, to))?;
    while let Some(row) = rows.next()? {
        let (at, scid_in, scid_out): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (amount_in, amount_out) = (Msat::new(row.get(3)?), Msat::new(row.get(4)?));
        let fees = amount_in - amount_out;
        if let Some(ring) = windows.ring(rings, at) {
            add_flow(ring.entry(scid_in).or_default(), &ScidFlow::came(amount_in, fees));
            add_flow(ring.entry(scid_out).or_default(), &ScidFlow::left(amount_out, fees));
        }
        if at >= pairs_from
            && let Some(pairs) = &mut pairs
        {
            pairs.entry((scid_in, scid_out)).or_default().add(1, amount_in, amount_out);
        }
    }
    Ok(())
}

/// When the oldest stored event that is summed happened.
fn oldest(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<Option<UnixMs>> {
    let spent = spent::first(tx, key)?;
    let forward = first(tx, key)?;
    Ok(forward.into_iter().chain(spent).min().map(|ns| UnixMs(ns.div_euclid(1_000_000))))
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
