//! The machine at each collection.

use rusqlite::{Transaction, params};

use super::Json;
use super::profiles::Key;
use crate::history::HostSample;
use crate::snapshot::{Disk, Fact, Host, Snapshot};
use crate::units::UnixMs;

pub(super) fn put(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<()> {
    let Some(host) = &snapshot.host else { return Ok(()) };
    let clock = host.clock_ahead.as_ref();
    let bytes = |n: Option<u64>| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    tx.execute(
        "INSERT INTO host_samples (tenant, node, at_ms, disks, database_bytes, memory_available_bytes, \
         memory_total_bytes, clock_ahead_ms, clock_source, clock_as_of_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (tenant, node, at_ms) DO NOTHING",
        params![
            key.tenant,
            key.node,
            snapshot.taken_at.0,
            serde_json::to_string(&host.disks).unwrap_or_else(|_| "[]".to_owned()),
            bytes(host.database_bytes),
            bytes(host.memory_available_bytes),
            bytes(host.memory_total_bytes),
            clock.map(|fact| fact.value),
            clock.map(|fact| &fact.source),
            clock.map(|fact| fact.as_of.0),
        ],
    )?;
    Ok(())
}

/// Samples from `from` on and before `to`, oldest first.
pub(super) fn samples(
    tx: &Transaction<'_>,
    key: Key,
    (from, to): (UnixMs, UnixMs),
) -> rusqlite::Result<Vec<HostSample>> {
    let mut some = tx.prepare_cached(
        "SELECT at_ms, disks, database_bytes, memory_available_bytes, memory_total_bytes, clock_ahead_ms, clock_source, \
         clock_as_of_ms FROM host_samples WHERE tenant = ?1 AND node = ?2 AND at_ms >= ?3 AND at_ms < ?4 ORDER BY at_ms",
    )?;
    let rows = some.query_map((key.tenant, key.node, from.0, to.0), |row| {
        let bytes = |column| row.get::<_, Option<i64>>(column).map(|n| n.and_then(|n| u64::try_from(n).ok()));
        let clock = (row.get::<_, Option<i64>>(5)?, row.get(6)?, row.get(7)?);
        let clock_ahead = match clock {
            (Some(value), Some(source), Some(as_of)) => Some(Fact { value, source, as_of: UnixMs(as_of) }),
            _ => None,
        };
        let host = Host {
            disks: row.get::<_, Json<Vec<Disk>>>(1)?.0,
            database_bytes: bytes(2)?,
            memory_available_bytes: bytes(3)?,
            memory_total_bytes: bytes(4)?,
            clock_ahead,
        };
        Ok(HostSample { at: UnixMs(row.get(0)?), host })
    })?;
    rows.collect()
}
