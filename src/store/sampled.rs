//! Short looks at a node between two collections. A channel's balance is kept where it changed; every few hours, and
//! where a channel is gone, the look is kept whole, as a collection is.
//!
//! A mean over time needs no more: what a collection has holds until something else is told, and ends with the first
//! collection that no longer has it.

use std::collections::HashMap;

use rusqlite::Transaction;

use super::Store;
use super::error::Result;
use super::profiles::{Key, Profile};
use super::samples::{self, Told};
use crate::snapshot::{PublicView, SCHEMA, Sample, Snapshot};
use crate::units::HOUR_MS;

/// How far apart looks are that are kept whole.
const WHOLE_MS: i64 = 4 * HOUR_MS;

impl Store {
    /// Keeps what a short look at a node tells that is new. A node that is not synced answers with old or empty balances:
    /// nothing is kept of it.
    pub fn put_sample(&self, profile: &Profile, sample: Sample) -> Result<()> {
        if !sample.node.info.synced_to_chain || sample.node.channels.is_none() {
            return Ok(());
        }
        let key = self.key(profile)?;
        let Sample { taken_at, node, gaps } = sample;
        let (public, sources) = (PublicView::default(), Vec::new());
        let snapshot = Snapshot { schema: SCHEMA, taken_at, node, public, gaps, sources, host: None };
        self.write_named("sample", |tx| self.sql(put(tx, key, &snapshot)))
    }
}

fn put(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<()> {
    let numbers = samples::put_channels(tx, key, snapshot)?;
    let last = last_whole(tx, key, i64::MAX)?;
    let since = last.map(|last| snapshot.taken_at.0.saturating_sub(last));
    // A clock that was set back a little: what is told belongs before what is kept.
    if since.is_some_and(|since| since <= 0 && since > -WHOLE_MS) {
        return Ok(());
    }
    let known = latest(tx, key, last.unwrap_or(i64::MIN))?;
    let open = snapshot.node.channels.iter().flatten().filter_map(|c| numbers.get(c.point.as_str()));
    let open: Vec<i64> = open.copied().collect();
    let gone = known.keys().any(|channel| !open.contains(channel));
    if !gone && since.is_some_and(|since| (0..WHOLE_MS).contains(&since)) {
        let new = |number, told| known.get(&number) != Some(&told);
        return samples::put_channel_samples(tx, key, snapshot, &numbers, new);
    }
    samples::put_channel_samples(tx, key, snapshot, &numbers, |_, _| true)?;
    samples::put_wallet_sample(tx, key, snapshot)?;
    samples::put_peer_samples(tx, key, snapshot)?;
    samples::put_collected(tx, key, snapshot)
}

/// The last moment before `end` at which all channels were read.
pub(super) fn last_whole(tx: &Transaction<'_>, key: Key, end: i64) -> rusqlite::Result<Option<i64>> {
    tx.prepare_cached(
        "SELECT max(from_ms) FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = 'channels' AND from_ms < ?3",
    )?
    .query_row((key.tenant, key.node, end), |row| row.get(0))
}

/// What was last told of each channel from `from` on.
fn latest(tx: &Transaction<'_>, key: Key, from: i64) -> rusqlite::Result<HashMap<i64, Told>> {
    let mut some = tx.prepare_cached(
        "SELECT channel, local_msat, remote_msat, active, peer_connected FROM channel_samples \
         WHERE tenant = ?1 AND node = ?2 AND at_ms >= ?3 ORDER BY at_ms",
    )?;
    let rows = some.query_map((key.tenant, key.node, from), |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
    })?;
    rows.collect()
}
