//! Our balance in each channel averaged over time: each sample holds until the next collection, and the last one of a
//! channel that is gone until it was closed, or else until the first collection that no longer had it.

use std::collections::HashMap;

use rusqlite::Transaction;

use super::profiles::Key;
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

/// One channel as the samples go by.
#[derive(Clone, Copy, Default)]
struct Balance {
    /// The sample that holds now, with its time; `None` between a channel's end and its return.
    now: Option<(i64, i64)>,
    spans: [Held; 5],
}

impl Balance {
    /// The sample that holds now ends.
    fn hold_until(&mut self, to: i64, starts: [i64; 5]) {
        let Some((from, local)) = self.now.take() else { return };
        for (held, start) in self.spans.iter_mut().zip(starts) {
            let ms = to.saturating_sub(from.max(start));
            if ms > 0 {
                held.weight += i128::from(local) * i128::from(ms);
                held.ms += ms;
            }
        }
    }
}

struct Balances<'a> {
    starts: [i64; 5],
    closed: &'a HashMap<i64, i64>,
    channels: Mixed<i64, Balance>,
}

impl Balances<'_> {
    /// A collection is through: what it did not have any more has ended.
    fn end_of_collection(&mut self, at: i64) {
        for (channel, balance) in &mut self.channels {
            if balance.now.is_some_and(|(from, _)| from < at) {
                balance.hold_until(self.closed.get(channel).map_or(at, |closed| at.min(*closed)), self.starts);
            }
        }
    }
}

/// Mean balances of every channel that was sampled before `end`.
pub(super) fn means(
    tx: &Transaction<'_>,
    key: Key,
    channels: &Channels,
    end: UnixMs,
) -> rusqlite::Result<Vec<MeanBalance>> {
    let [day, week, month, quarter] = DAYS.map(|days| end.plus(-days * DAY_MS).0);
    let closed = closes(tx, key)?;
    let starts = [day, week, month, quarter, i64::MIN];
    let mut balances = Balances { starts, closed: &closed, channels: Mixed::default() };
    let mut collections = collections(tx, key, end)?.into_iter().peekable();
    let mut some = tx.prepare_cached(
        "SELECT at_ms, channel, local_msat FROM channel_samples WHERE tenant = ?1 AND node = ?2 AND at_ms < ?3 \
         ORDER BY at_ms",
    )?;
    let mut rows = some.query((key.tenant, key.node, end.0))?;
    while let Some(row) = rows.next()? {
        let (at, channel): (i64, i64) = (row.get(0)?, row.get(1)?);
        while let Some(before) = collections.next_if(|before| *before < at) {
            balances.end_of_collection(before);
        }
        let balance = balances.channels.entry(channel).or_default();
        balance.hold_until(at, starts);
        balance.now = Some((at, row.get::<_, i64>(2)?.div_euclid(1000)));
    }
    for at in collections {
        balances.end_of_collection(at);
    }
    let mut means = Vec::with_capacity(balances.channels.len());
    for (channel, mut balance) in balances.channels {
        balance.hold_until(closed.get(&channel).map_or(end.0, |closed| end.0.min(*closed)), starts);
        if let Some((point, _, _)) = channels.get(&channel) {
            means.push((channel, MeanBalance { point: point.clone(), spans: balance.spans.map(Held::mean) }));
        }
    }
    means.sort_unstable_by_key(|(channel, _)| *channel);
    Ok(means.into_iter().map(|(_, mean)| mean).collect())
}

/// The moments at which the channels were read, oldest first: also those that found none.
fn collections(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<Vec<i64>> {
    let mut all = tx.prepare_cached(
        "SELECT from_ms FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = 'channels' AND from_ms < ?3 \
         ORDER BY from_ms",
    )?;
    let rows = all.query_map((key.tenant, key.node, end.0), |row| row.get(0))?;
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
