//! Our balance in each channel averaged over time: each sample holds until the next one or the next collection, and the
//! last one of a channel that is gone until it was closed, or else until the first collection that no longer had it.
//!
//! Days that are long over are summed in `balance_days`; of a day that a span cuts, its part is taken.

use std::collections::HashMap;

use rusqlite::Transaction;

use super::profiles::Key;
use super::sampled::last_whole;
use super::samples::Channels;
use super::sums::Mixed;
use crate::history::{Mean, MeanBalance};
use crate::units::{DAY_MS, Sat, UnixMs};

/// Days of the spans that have a beginning; the fifth is all time.
const DAYS: [i64; 4] = [1, 7, 30, 90];

/// Sat held, times milliseconds, and those milliseconds.
#[derive(Clone, Copy, Default)]
struct Held {
    weight: i128,
    ms: i64,
}

impl Held {
    fn mean(self) -> Option<Mean> {
        let mean = self.weight.div_euclid(i128::from(self.ms.max(1)));
        (self.ms > 0).then(|| Mean { local: Sat::new(i64::try_from(mean).unwrap_or(i64::MAX)), covered_ms: self.ms })
    }
}

/// The samples that hold as time goes by, each with its beginning; and where what they held is told.
struct Holding<'a, F> {
    closed: &'a HashMap<i64, i64>,
    now: Mixed<i64, (i64, i64)>,
    told: F,
}

impl<F: FnMut(i64, (i64, i64), i64)> Holding<'_, F> {
    /// A channel has this from now on.
    fn sample(&mut self, channel: i64, at: i64, local: i64) {
        if let Some((from, before)) = self.now.insert(channel, (at, local)) {
            (self.told)(channel, (from, at), before);
        }
    }

    /// A collection is through, or all is: what it did not have any more has ended.
    fn end_of_collection(&mut self, at: i64) {
        let (closed, told) = (self.closed, &mut self.told);
        self.now.retain(|channel, (from, local)| {
            if *from < at {
                let to = closed.get(channel).map_or(at, |closed| at.min(*closed));
                told(*channel, (*from, to), *local);
            }
            *from >= at
        });
    }
}

/// Tells what each channel held from when to when, as the samples from `from` on and before `end` have it.
fn each(
    tx: &Transaction<'_>,
    key: Key,
    (from, end): (i64, i64),
    told: impl FnMut(i64, (i64, i64), i64),
) -> rusqlite::Result<()> {
    let closed = closes(tx, key)?;
    let mut holding = Holding { closed: &closed, now: Mixed::default(), told };
    let mut collections = collections(tx, key, (from, end))?.into_iter().peekable();
    let mut some = tx.prepare_cached(
        "SELECT at_ms, channel, local_msat FROM channel_samples WHERE tenant = ?1 AND node = ?2 AND at_ms >= ?3 \
         AND at_ms < ?4 ORDER BY at_ms",
    )?;
    let mut rows = some.query((key.tenant, key.node, from, end))?;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        while let Some(before) = collections.next_if(|before| *before < at) {
            holding.end_of_collection(before);
        }
        holding.sample(row.get(1)?, at, row.get::<_, i64>(2)?.div_euclid(1000));
    }
    for at in collections {
        holding.end_of_collection(at);
    }
    holding.end_of_collection(end);
    Ok(())
}

/// Mean balances of every channel that was sampled before `end`.
pub(super) fn means(
    tx: &Transaction<'_>,
    key: Key,
    channels: &Channels,
    end: UnixMs,
) -> rusqlite::Result<Vec<MeanBalance>> {
    let [day, week, month, quarter] = DAYS.map(|days| end.plus(-days * DAY_MS).0);
    let starts = [day, week, month, quarter, i64::MIN];
    let mut all: Mixed<i64, [Held; 5]> = Mixed::default();
    let summed = summed_before(tx, key)?;
    if let Some(summed) = summed {
        from_days(tx, key, summed.min(end.0), |channel, (from, held)| {
            for (sum, start) in all.entry(channel).or_default().iter_mut().zip(starts) {
                let part = i128::from((from + DAY_MS).min(end.0) - from.max(start)).max(0);
                sum.weight += held.weight * part / i128::from(DAY_MS);
                sum.ms += i64::try_from(i128::from(held.ms) * part / i128::from(DAY_MS)).unwrap_or(0);
            }
        })?;
    }
    let begin = summed.unwrap_or(i64::MIN);
    if begin < end.0 {
        each(tx, key, (first_needed(tx, key, summed)?, end.0), |channel, (from, to), local| {
            for (sum, start) in all.entry(channel).or_default().iter_mut().zip(starts) {
                let ms = to.saturating_sub(from.max(start).max(begin));
                if ms > 0 {
                    sum.weight += i128::from(local) * i128::from(ms);
                    sum.ms += ms;
                }
            }
        })?;
    }
    let mut means: Vec<_> = all
        .into_iter()
        .filter_map(|(channel, spans)| channels.get(&channel).map(|(point, _, _)| (channel, point.clone(), spans)))
        .collect();
    means.sort_unstable_by_key(|(channel, _, _)| *channel);
    Ok(means.into_iter().map(|(_, point, spans)| MeanBalance { point, spans: spans.map(Held::mean) }).collect())
}

/// Where the days that are summed end.
fn summed_before(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<Option<i64>> {
    let last: Option<i64> = tx.query_row(
        "SELECT max(day) FROM balance_days WHERE tenant = ?1 AND node = ?2",
        (key.tenant, key.node),
        |row| row.get(0),
    )?;
    Ok(last.map(|day| (day + 1) * DAY_MS))
}

/// The collection that tells what held when the summed days ended.
fn first_needed(tx: &Transaction<'_>, key: Key, summed: Option<i64>) -> rusqlite::Result<i64> {
    let Some(summed) = summed else { return Ok(i64::MIN) };
    // One that began with the first day that is not summed tells of that day alone.
    Ok(last_whole(tx, key, summed)?.unwrap_or(i64::MIN))
}

/// Tells what each channel held on each summed day before `end`, with the day's beginning.
fn from_days(tx: &Transaction<'_>, key: Key, end: i64, mut told: impl FnMut(i64, (i64, Held))) -> rusqlite::Result<()> {
    let mut all = tx.prepare_cached(
        "SELECT channel, day, measured_ms, local_mean_msat FROM balance_days WHERE tenant = ?1 AND node = ?2 \
         AND day < ?3",
    )?;
    let mut rows = all.query((key.tenant, key.node, (end + DAY_MS - 1).div_euclid(DAY_MS)))?;
    while let Some(row) = rows.next()? {
        let (day, ms): (i64, i64) = (row.get(1)?, row.get(2)?);
        let weight = i128::from(row.get::<_, i64>(3)?) * i128::from(ms) / 1000;
        told(row.get(0)?, (day * DAY_MS, Held { weight, ms }));
    }
    Ok(())
}

/// A channel's day.
struct DayHeld {
    held: Held,
    low: i64,
    high: i64,
}

/// Sums the days before `day` that are not summed yet, and removes what was told of single channels in them between
/// collections. Returns how many samples went.
pub(super) fn roll_up(tx: &Transaction<'_>, key: Key, day: i64) -> rusqlite::Result<usize> {
    let end = day * DAY_MS;
    let summed = summed_before(tx, key)?;
    let begin = summed.unwrap_or(i64::MIN);
    if begin >= end {
        return Ok(0);
    }
    let mut days: HashMap<(i64, i64), DayHeld> = HashMap::new();
    each(tx, key, (first_needed(tx, key, summed)?, end), |channel, (from, to), local| {
        let mut from = from.max(begin);
        while from < to {
            let day = from.div_euclid(DAY_MS);
            let until = to.min((day + 1) * DAY_MS);
            let new = DayHeld { held: Held::default(), low: local, high: local };
            let sum = days.entry((channel, day)).or_insert(new);
            sum.held.weight += i128::from(local) * i128::from(until - from);
            sum.held.ms += until - from;
            (sum.low, sum.high) = (sum.low.min(local), sum.high.max(local));
            from = until;
        }
    })?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO balance_days (tenant, node, channel, day, measured_ms, local_mean_msat, local_low_msat, \
         local_high_msat) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (tenant, node, channel, day) DO NOTHING",
    )?;
    for ((channel, day), DayHeld { held, low, high }) in days {
        let mean = i64::try_from((held.weight * 1000).div_euclid(i128::from(held.ms.max(1)))).unwrap_or(i64::MAX);
        let (low, high) = (low.saturating_mul(1000), high.saturating_mul(1000));
        insert.execute((key.tenant, key.node, channel, day, held.ms, mean, low, high))?;
    }
    // What held at the end stays: the next day begins with it.
    let Some(last) = last_whole(tx, key, end)? else { return Ok(0) };
    tx.execute(
        "DELETE FROM channel_samples WHERE tenant = ?1 AND node = ?2 AND at_ms < ?3 AND NOT EXISTS \
         (SELECT 1 FROM coverage c WHERE c.tenant = ?1 AND c.node = ?2 AND c.stream = 'channels' \
         AND c.from_ms = channel_samples.at_ms)",
        (key.tenant, key.node, last),
    )
}

/// The moments at which the channels were read, oldest first: also those that found none.
fn collections(tx: &Transaction<'_>, key: Key, (from, end): (i64, i64)) -> rusqlite::Result<Vec<i64>> {
    let mut all = tx.prepare_cached(
        "SELECT from_ms FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = 'channels' AND from_ms >= ?3 \
         AND from_ms < ?4 ORDER BY from_ms",
    )?;
    let rows = all.query_map((key.tenant, key.node, from, end), |row| row.get(0))?;
    rows.collect()
}

/// When each closed channel was closed: the time of the closing transaction where the wallet knows it, else when the close
/// was first seen.
fn closes(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<HashMap<i64, i64>> {
    let mut all = tx.prepare_cached(
        "SELECT c.channel, c.first_seen_ms, t.at_ms FROM closes c LEFT JOIN chain_transactions t \
         ON t.tenant = c.tenant AND t.node = c.node AND t.txid = c.closing_txid WHERE c.tenant = ?1 AND c.node = ?2",
    )?;
    let rows = all.query_map((key.tenant, key.node), |row| {
        let (seen, mined): (i64, Option<i64>) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, mined.map_or(seen, |mined| mined.min(seen))))
    })?;
    rows.collect()
}
