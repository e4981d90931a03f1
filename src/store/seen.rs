//! What a channel was when it was last seen open: once it is closed, no node tells the fee of its commitment any more, and
//! not always who the peer is.

use rusqlite::Transaction;

use super::Parsed;
use super::profiles::Key;
use super::samples::{Channels, Numbers};
use crate::snapshot::Snapshot;
use crate::units::{Msat, Outpoint, Pubkey, Sat};

pub(super) fn put(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot, numbers: &Numbers) -> rusqlite::Result<()> {
    let mut update = tx.prepare_cached(
        "UPDATE channels SET commit_fee_msat = ?4, peer_alias = coalesce(?5, peer_alias), open_ms = ?6 \
         WHERE tenant = ?1 AND node = ?2 AND channel = ?3 AND (open_ms IS NULL OR open_ms <= ?6)",
    )?;
    for channel in snapshot.node.channels.iter().flatten() {
        let Some(number) = numbers.get(channel.point.as_str()) else { continue };
        let fee = channel.commit_fee.msat().get();
        update.execute((key.tenant, key.node, number, fee, &channel.peer_alias, snapshot.taken_at.0))?;
    }
    Ok(())
}

/// The fee of the commitment of every channel that was ever seen open, as it was then.
pub(super) fn commit_fees(
    tx: &Transaction<'_>,
    key: Key,
    channels: &Channels,
) -> rusqlite::Result<Vec<(Outpoint, Sat)>> {
    let mut all = tx.prepare_cached(
        "SELECT channel, commit_fee_msat FROM channels WHERE tenant = ?1 AND node = ?2 \
         AND commit_fee_msat IS NOT NULL ORDER BY channel",
    )?;
    let rows = all.query_map((key.tenant, key.node), |row| Ok((row.get(0)?, Msat::new(row.get(1)?))))?;
    let mut fees = Vec::new();
    for row in rows {
        let (number, fee): (i64, Msat) = row?;
        fees.extend(channels.get(&number).map(|(point, _, _)| (point.clone(), fee.floor_sat())));
    }
    Ok(fees)
}

/// The last alias of every peer that a channel was ever open with.
pub(super) fn aliases(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<Vec<(Pubkey, String)>> {
    let mut all = tx.prepare_cached(
        "SELECT peer, peer_alias FROM channels WHERE tenant = ?1 AND node = ?2 AND peer_alias IS NOT NULL \
         ORDER BY open_ms, channel",
    )?;
    let rows = all.query_map((key.tenant, key.node), |row| Ok((row.get::<_, Parsed<Pubkey>>(0)?.0, row.get(1)?)))?;
    let last: std::collections::BTreeMap<Pubkey, String> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(last.into_iter().collect())
}
