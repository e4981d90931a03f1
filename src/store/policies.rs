//! Policies of own channels, both sides: a row for each that differs from the one before.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::profiles::Key;
use super::samples::{Channels, Numbers};
use crate::history::PolicyChange;
use crate::snapshot::{Policy, Snapshot};
use crate::units::{Msat, Ppm, UnixMs};

pub(super) fn put(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot, numbers: &Numbers) -> rusqlite::Result<()> {
    for channel in snapshot.node.policies.iter().flatten() {
        let Some(number) = numbers.get(channel.point.as_str()) else { continue };
        for (side, policy) in [("ours", &channel.ours), ("theirs", &channel.theirs)] {
            if let Some(policy) = policy {
                put_policy(tx, key, *number, side, policy, snapshot.taken_at)?;
            }
        }
    }
    Ok(())
}

/// What makes one policy another; when it was announced does not.
type Terms = (i64, i64, i64, i64, u32, i64, i64, bool);

/// Keeps a policy that differs from the one before it. What was told before and is only now kept is no change back, and
/// what was kept of a later moment is then no change any more.
pub(super) fn put_policy(
    tx: &Transaction<'_>,
    key: Key,
    channel: i64,
    side: &str,
    policy: &Policy,
    at: UnixMs,
) -> rusqlite::Result<()> {
    let terms: Terms = (
        policy.base.get(),
        policy.rate.0,
        policy.inbound_base.get(),
        policy.inbound_rate.0,
        policy.time_lock_delta,
        policy.min_htlc.get(),
        policy.max_htlc.get(),
        policy.disabled,
    );
    let next = |(from, order): (&str, &str)| {
        let mut next = tx.prepare_cached(&format!(
            "SELECT base_msat, rate_ppm, inbound_base_msat, inbound_rate_ppm, time_lock_delta, min_htlc_msat, \
             max_htlc_msat, disabled, at_ms FROM policy_changes WHERE tenant = ?1 AND node = ?2 AND channel = ?3 \
             AND side = ?4 AND at_ms {from} ?5 ORDER BY at_ms {order} LIMIT 1"
        ))?;
        next.query_row((key.tenant, key.node, channel, side, at.0), |row| {
            let amounts = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let (base, rate, inbound_base, inbound_rate) = amounts;
            let terms: Terms =
                (base, rate, inbound_base, inbound_rate, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
            Ok((terms, row.get::<_, i64>(8)?))
        })
        .optional()
    };
    if next(("<=", "DESC"))?.is_some_and(|(before, _)| before == terms) {
        return Ok(());
    }
    if let Some((_, later)) = next((">", "ASC"))?.filter(|(after, _)| *after == terms) {
        tx.execute(
            "DELETE FROM policy_changes WHERE tenant = ?1 AND node = ?2 AND channel = ?3 AND side = ?4 AND at_ms = ?5",
            (key.tenant, key.node, channel, side, later),
        )?;
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO policy_changes (tenant, node, channel, side, at_ms, announced_ms, base_msat, rate_ppm, \
         inbound_base_msat, inbound_rate_ppm, time_lock_delta, min_htlc_msat, max_htlc_msat, disabled) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
         ON CONFLICT (tenant, node, channel, side, at_ms) DO NOTHING",
    )?;
    insert.execute(params![
        key.tenant,
        key.node,
        channel,
        side,
        at.0,
        policy.updated_at.0,
        terms.0,
        terms.1,
        terms.2,
        terms.3,
        terms.4,
        terms.5,
        terms.6,
        terms.7,
    ])?;
    Ok(())
}

/// The policies that took the place of others from `from` on and before `to`, oldest first, each with the one before.
pub(super) fn changes(
    tx: &Transaction<'_>,
    key: Key,
    channels: &Channels,
    (from, to): (UnixMs, UnixMs),
) -> rusqlite::Result<Vec<PolicyChange>> {
    let mut some = tx.prepare_cached(
        "SELECT base_msat, rate_ppm, inbound_base_msat, inbound_rate_ppm, time_lock_delta, min_htlc_msat, \
         max_htlc_msat, disabled, announced_ms, channel, side, at_ms FROM policy_changes \
         WHERE tenant = ?1 AND node = ?2 AND at_ms >= ?3 AND at_ms < ?4 ORDER BY at_ms, channel, side",
    )?;
    let mut rows = some.query((key.tenant, key.node, from.0, to.0))?;
    let mut last: HashMap<(i64, bool), Policy> = HashMap::new();
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let channel: i64 = row.get(9)?;
        let Some((point, _, _)) = channels.get(&channel) else { continue };
        let ours = row.get_ref(10)?.as_str()? == "ours";
        let after = policy(row)?;
        let before = match last.insert((channel, ours), after.clone()) {
            None => one_before(tx, key, channel, ours, from)?,
            known => known,
        };
        changes.push(PolicyChange { point: point.clone(), ours, at: UnixMs(row.get(11)?), before, after });
    }
    Ok(changes)
}

/// The policy that stood before a moment.
fn one_before(
    tx: &Transaction<'_>,
    key: Key,
    channel: i64,
    ours: bool,
    before: UnixMs,
) -> rusqlite::Result<Option<Policy>> {
    let side = if ours { "ours" } else { "theirs" };
    let mut last = tx.prepare_cached(
        "SELECT base_msat, rate_ppm, inbound_base_msat, inbound_rate_ppm, time_lock_delta, min_htlc_msat, \
         max_htlc_msat, disabled, announced_ms FROM policy_changes WHERE tenant = ?1 AND node = ?2 AND channel = ?3 \
         AND side = ?4 AND at_ms < ?5 ORDER BY at_ms DESC LIMIT 1",
    )?;
    last.query_row((key.tenant, key.node, channel, side, before.0), policy).optional()
}

fn policy(row: &Row<'_>) -> rusqlite::Result<Policy> {
    Ok(Policy {
        base: Msat::new(row.get(0)?),
        rate: Ppm(row.get(1)?),
        inbound_base: Msat::new(row.get(2)?),
        inbound_rate: Ppm(row.get(3)?),
        time_lock_delta: row.get(4)?,
        min_htlc: Msat::new(row.get(5)?),
        max_htlc: Msat::new(row.get(6)?),
        disabled: row.get(7)?,
        updated_at: UnixMs(row.get(8)?),
    })
}
