//! Ids of the transactions that would close a channel by force, as they were last seen: what closed a channel is told
//! from them when the node no longer lists them.

use rusqlite::Transaction;

use super::profiles::Key;
use super::samples::{Channels, Numbers};
use crate::snapshot::{Commitments, Snapshot};
use crate::units::Outpoint;

pub(super) fn put(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot, numbers: &Numbers) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO commitments (tenant, node, channel, at_ms, ours, theirs, theirs_next) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, node, channel) DO UPDATE SET \
         at_ms = excluded.at_ms, ours = excluded.ours, theirs = excluded.theirs, theirs_next = excluded.theirs_next \
         WHERE commitments.at_ms <= excluded.at_ms",
    )?;
    for channel in snapshot.node.pending.iter().flat_map(|pending| &pending.waiting_close) {
        let (Some(number), Some(seen)) = (numbers.get(channel.point.as_str()), &channel.commitments) else { continue };
        let (ours, theirs) = (&seen.ours, &seen.theirs);
        upsert.execute((key.tenant, key.node, number, snapshot.taken_at.0, ours, theirs, &seen.theirs_next))?;
    }
    Ok(())
}

pub(super) fn all(
    tx: &Transaction<'_>,
    key: Key,
    channels: &Channels,
) -> rusqlite::Result<Vec<(Outpoint, Commitments)>> {
    let mut all = tx.prepare_cached(
        "SELECT channel, ours, theirs, theirs_next FROM commitments WHERE tenant = ?1 AND node = ?2 ORDER BY channel",
    )?;
    let rows = all.query_map((key.tenant, key.node), |row| {
        let seen = Commitments { ours: row.get(1)?, theirs: row.get(2)?, theirs_next: row.get(3)? };
        Ok((row.get::<_, i64>(0)?, seen))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (channel, seen) = row?;
        found.extend(channels.get(&channel).map(|(point, _, _)| (point.clone(), seen)));
    }
    Ok(found)
}
