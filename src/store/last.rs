//! When each channel last had a forward before a moment, also one in the past.

use std::collections::{HashMap, HashSet};

use rusqlite::Transaction;

use super::events::DAY_NS;
use super::profiles::Key;
use crate::units::{Scid, UnixMs};

/// Days that are searched event by event for the last forward of a channel before a moment in the past.
const WALKED_DAYS: i64 = 31;

/// When each short id last had a forward before `end`.
pub(super) fn forwards(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<Vec<(Scid, UnixMs)>> {
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
