//! What is taken out of a snapshot for later: channels and their short ids, samples, closes, policies, coverage.

use std::collections::{HashMap, HashSet};

use rusqlite::{Row, Transaction, params};

use super::profiles::Key;
use super::{Json, Named, Parsed, commitments, host, name_of, policies, seen};
use crate::history::ChannelSample;
use crate::snapshot::{ClosedChannel, Resolution, Snapshot};
use crate::units::{Outpoint, Pubkey, Sat, Scid, UnixMs};

/// Numbers of the node's channels by funding outpoint.
pub(super) type Numbers = HashMap<String, i64>;

pub(super) fn put(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<()> {
    let numbers = put_channels(tx, key, snapshot)?;
    put_closes(tx, key, snapshot, &numbers)?;
    policies::put(tx, key, snapshot, &numbers)?;
    commitments::put(tx, key, snapshot, &numbers)?;
    seen::put(tx, key, snapshot, &numbers)?;
    host::put(tx, key, snapshot)?;
    // A node that is not synced answers with old or empty balances, without an error: they are no samples.
    if snapshot.node.info.synced_to_chain {
        put_channel_samples(tx, key, snapshot, &numbers, |_, _| true)?;
        put_wallet_sample(tx, key, snapshot)?;
    }
    put_peer_samples(tx, key, snapshot)?;
    put_coverage(tx, key, snapshot)
}

/// A channel as every list of a snapshot has it.
struct Known<'a> {
    point: &'a Outpoint,
    peer: &'a Pubkey,
    capacity: Sat,
    scids: Vec<Scid>,
}

pub(super) fn put_channels(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<Numbers> {
    let mut numbers = Numbers::new();
    let mut next = 1;
    {
        let mut all = tx.prepare_cached("SELECT channel, point FROM channels WHERE tenant = ?1 AND node = ?2")?;
        let mut rows = all.query((key.tenant, key.node))?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            next = next.max(number + 1);
            numbers.insert(row.get(1)?, number);
        }
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO channels (tenant, node, channel, point, peer, capacity_msat, first_seen_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, node, point) DO NOTHING",
    )?;
    let mut lead = tx.prepare_cached(
        "INSERT INTO channel_scids (tenant, node, scid, channel) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (tenant, node, scid) DO UPDATE SET channel = excluded.channel \
         WHERE channel_scids.channel <> excluded.channel",
    )?;
    for channel in known(snapshot) {
        let number = if let Some(number) = numbers.get(channel.point.as_str()) {
            *number
        } else {
            let row = params![
                key.tenant,
                key.node,
                next,
                channel.point.as_str(),
                channel.peer.as_str(),
                channel.capacity.msat().get(),
                snapshot.taken_at.0
            ];
            insert.execute(row)?;
            numbers.insert(channel.point.as_str().to_owned(), next);
            next += 1;
            next - 1
        };
        for scid in channel.scids.iter().filter(|scid| scid.0 != 0) {
            lead.execute((key.tenant, key.node, scid.stored(), number))?;
        }
    }
    Ok(numbers)
}

fn known(snapshot: &Snapshot) -> impl Iterator<Item = Known<'_>> {
    let with = |scid: Scid, others: &[Scid]| std::iter::once(scid).chain(others.iter().copied()).collect();
    let closed = snapshot.node.closed.iter().flatten().map(move |c| Known {
        point: &c.point,
        peer: &c.peer,
        capacity: c.capacity,
        scids: with(c.scid, &c.other_scids),
    });
    let open = snapshot.node.channels.iter().flatten().map(move |c| Known {
        point: &c.point,
        peer: &c.peer,
        capacity: c.capacity,
        scids: with(c.scid, &c.other_scids),
    });
    let pending = snapshot.node.pending.iter().flat_map(|pending| {
        let force = pending.force_closing.iter().map(|closing| &closing.channel);
        pending.opening.iter().chain(&pending.waiting_close).chain(force)
    });
    let pending = pending.map(|c| Known { point: &c.point, peer: &c.peer, capacity: c.capacity, scids: Vec::new() });
    closed.chain(open).chain(pending)
}

fn put_closes(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot, numbers: &Numbers) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO closes (tenant, node, channel, scid, kind, closing_txid, close_height, settled_msat, \
         time_locked_msat, opened_by_us, first_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         ON CONFLICT (tenant, node, channel) DO UPDATE SET scid = excluded.scid, kind = excluded.kind, \
         closing_txid = excluded.closing_txid, close_height = excluded.close_height, \
         settled_msat = excluded.settled_msat, time_locked_msat = excluded.time_locked_msat, \
         opened_by_us = coalesce(excluded.opened_by_us, closes.opened_by_us) \
         WHERE closes.kind <> excluded.kind OR closes.closing_txid <> excluded.closing_txid \
         OR closes.close_height <> excluded.close_height OR closes.settled_msat <> excluded.settled_msat \
         OR closes.time_locked_msat <> excluded.time_locked_msat OR closes.scid <> excluded.scid",
    )?;
    let mut resolve = tx.prepare_cached(
        "INSERT INTO resolutions (tenant, node, channel, ordinal, kind, outcome, outpoint, amount_msat, sweep_txid) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, node, channel, ordinal) DO UPDATE SET \
         kind = excluded.kind, outcome = excluded.outcome, outpoint = excluded.outpoint, \
         amount_msat = excluded.amount_msat, sweep_txid = excluded.sweep_txid \
         WHERE resolutions.outcome <> excluded.outcome OR resolutions.outpoint <> excluded.outpoint \
         OR resolutions.kind <> excluded.kind OR resolutions.amount_msat <> excluded.amount_msat \
         OR coalesce(resolutions.sweep_txid, '') <> coalesce(excluded.sweep_txid, '')",
    )?;
    for close in snapshot.node.closed.iter().flatten() {
        let Some(number) = numbers.get(close.point.as_str()) else { continue };
        upsert.execute(params![
            key.tenant,
            key.node,
            number,
            close.scid.stored(),
            name_of(&close.kind),
            close.closing_txid,
            close.close_height,
            close.settled.msat().get(),
            close.time_locked.msat().get(),
            close.opened_by_us,
            snapshot.taken_at.0,
        ])?;
        for (ordinal, resolution) in (0_i64..).zip(&close.resolutions) {
            resolve.execute(params![
                key.tenant,
                key.node,
                number,
                ordinal,
                resolution.kind,
                resolution.outcome,
                resolution.outpoint,
                resolution.amount.msat().get(),
                resolution.sweep_txid,
            ])?;
        }
    }
    Ok(())
}

/// What a channel's sample says, as it is stored: ours, theirs, whether it is usable and whether the peer is there.
pub(super) type Told = (i64, i64, bool, Option<bool>);

/// Samples of the channels of which `keep` says so by their number.
pub(super) fn put_channel_samples(
    tx: &Transaction<'_>,
    key: Key,
    snapshot: &Snapshot,
    numbers: &Numbers,
    keep: impl Fn(i64, Told) -> bool,
) -> rusqlite::Result<()> {
    let connected: Option<HashSet<&Pubkey>> =
        snapshot.node.peers.as_ref().map(|peers| peers.iter().map(|peer| &peer.pubkey).collect());
    let mut insert = tx.prepare_cached(
        "INSERT INTO channel_samples (tenant, node, at_ms, channel, local_msat, remote_msat, unsettled_msat, active, \
         peer_connected) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (tenant, node, at_ms, channel) DO NOTHING",
    )?;
    for channel in snapshot.node.channels.iter().flatten() {
        let Some(number) = numbers.get(channel.point.as_str()).copied() else { continue };
        let (local, remote) = (channel.local.msat().get(), channel.remote.msat().get());
        let here = connected.as_ref().map(|peers| peers.contains(&channel.peer));
        if !keep(number, (local, remote, channel.active, here)) {
            continue;
        }
        insert.execute(params![
            key.tenant,
            key.node,
            snapshot.taken_at.0,
            number,
            local,
            remote,
            channel.unsettled.msat().get(),
            channel.active,
            here,
        ])?;
    }
    Ok(())
}

pub(super) fn put_wallet_sample(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<()> {
    let Some(wallet) = &snapshot.node.wallet else { return Ok(()) };
    tx.execute(
        "INSERT INTO wallet_samples (tenant, node, at_ms, confirmed_msat, unconfirmed_msat, locked_msat, \
         anchor_reserve_msat) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, node, at_ms) DO NOTHING",
        (
            key.tenant,
            key.node,
            snapshot.taken_at.0,
            wallet.confirmed.msat().get(),
            wallet.unconfirmed.msat().get(),
            wallet.locked.msat().get(),
            wallet.anchor_reserve.msat().get(),
        ),
    )?;
    Ok(())
}

pub(super) fn put_peer_samples(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO peer_samples (tenant, node, at_ms, peer, inbound, ping_us, flaps, last_flap_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (tenant, node, at_ms, peer) DO NOTHING",
    )?;
    for peer in snapshot.node.peers.iter().flatten() {
        insert.execute((
            key.tenant,
            key.node,
            snapshot.taken_at.0,
            peer.pubkey.as_str(),
            peer.inbound,
            peer.ping_us,
            peer.flaps,
            peer.last_flap_at.map(|at| at.0),
        ))?;
    }
    Ok(())
}

/// Streams of events, of which a node tells everything since it began.
const EVENT_STREAMS: [&str; 4] = ["forwards", "payments", "invoices", "transactions"];

fn put_coverage(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<()> {
    put_collected(tx, key, snapshot)?;
    let told = EVENT_STREAMS.into_iter().filter(|stream| !snapshot.gaps.iter().any(|gap| gap.part == *stream));
    told.into_iter().try_for_each(|stream| put_seen(tx, key, stream, (0, snapshot.taken_at.0)))
}

/// Keeps that these parts were read as a whole at this moment.
pub(super) fn put_collected(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<()> {
    let (at, node) = (snapshot.taken_at.0, &snapshot.node);
    let sampled = [
        ("channels", node.channels.is_some() && node.info.synced_to_chain),
        ("wallet", node.wallet.is_some() && node.info.synced_to_chain),
        ("peers", node.peers.is_some()),
        ("policies", node.policies.is_some()),
        ("closes", node.closed.is_some()),
    ];
    let seen = sampled.into_iter().filter(|(_, seen)| *seen);
    seen.into_iter().try_for_each(|(stream, _)| put_seen(tx, key, stream, (at, at)))
}

fn put_seen(tx: &Transaction<'_>, key: Key, stream: &str, (from, to): (i64, i64)) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO coverage (tenant, node, stream, from_ms, to_ms) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant, node, stream, from_ms) DO UPDATE SET to_ms = excluded.to_ms \
         WHERE coverage.to_ms < excluded.to_ms",
    )?;
    insert.execute((key.tenant, key.node, stream, from, to)).map(|_| ())
}

/// Channels by number.
pub(super) type Channels = HashMap<i64, (Outpoint, Pubkey, Sat)>;

pub(super) fn channels(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<Channels> {
    let mut all =
        tx.prepare_cached("SELECT channel, point, peer, capacity_msat FROM channels WHERE tenant = ?1 AND node = ?2")?;
    let rows = all.query_map((key.tenant, key.node), |row| {
        let about = (row.get::<_, Parsed<_>>(1)?.0, row.get::<_, Parsed<_>>(2)?.0, sat(row, 3)?);
        Ok((row.get(0)?, about))
    })?;
    rows.collect()
}

fn sat(row: &Row<'_>, column: usize) -> rusqlite::Result<Sat> {
    row.get::<_, i64>(column).map(|msat| Sat::new(msat.div_euclid(1000)))
}

pub(super) fn scids(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<Vec<(Scid, i64)>> {
    let mut all =
        tx.prepare_cached("SELECT scid, channel FROM channel_scids WHERE tenant = ?1 AND node = ?2 ORDER BY scid")?;
    let rows = all.query_map((key.tenant, key.node), |row| Ok((Scid::from_stored(row.get(0)?), row.get(1)?)))?;
    rows.collect()
}

/// Samples of whole collections: what a watcher saw of single channels in between is no vote on how often they are usable.
pub(super) fn channel_samples(
    tx: &Transaction<'_>,
    key: Key,
    channels: &Channels,
    (from, to): (UnixMs, UnixMs),
) -> rusqlite::Result<Vec<ChannelSample>> {
    let mut some = tx.prepare_cached(
        "SELECT s.at_ms, s.channel, s.local_msat, s.remote_msat, s.active, s.peer_connected FROM coverage c \
         CROSS JOIN channel_samples s ON s.tenant = c.tenant AND s.node = c.node AND s.at_ms = c.from_ms \
         WHERE c.tenant = ?1 AND c.node = ?2 AND c.stream = 'channels' AND c.from_ms >= ?3 AND c.from_ms < ?4 \
         ORDER BY c.from_ms, s.channel",
    )?;
    let mut rows = some.query((key.tenant, key.node, from.0, to.0))?;
    let mut samples = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some((point, peer, _)) = channels.get(&row.get(1)?) {
            samples.push(ChannelSample {
                at: UnixMs(row.get(0)?),
                point: point.clone(),
                peer: peer.clone(),
                local_sat: sat(row, 2)?.get(),
                remote_sat: sat(row, 3)?.get(),
                active: row.get(4)?,
                peer_connected: row.get(5)?,
            });
        }
    }
    Ok(samples)
}

/// Every closed channel that was ever seen.
pub(super) fn closes(
    tx: &Transaction<'_>,
    key: Key,
    channels: &Channels,
    scids: &[(Scid, i64)],
) -> rusqlite::Result<Vec<ClosedChannel>> {
    let mut others: HashMap<i64, Vec<Scid>> = HashMap::new();
    for (scid, channel) in scids {
        others.entry(*channel).or_default().push(*scid);
    }
    let mut resolutions = resolutions(tx, key)?;
    let mut all = tx.prepare_cached(
        "SELECT channel, scid, kind, closing_txid, close_height, settled_msat, time_locked_msat, opened_by_us \
         FROM closes WHERE tenant = ?1 AND node = ?2 ORDER BY close_height, channel",
    )?;
    let mut rows = all.query((key.tenant, key.node))?;
    let mut closed = Vec::new();
    while let Some(row) = rows.next()? {
        let channel: i64 = row.get(0)?;
        let Some((point, peer, capacity)) = channels.get(&channel) else { continue };
        let scid = Scid::from_stored(row.get(1)?);
        let mut other_scids = others.remove(&channel).unwrap_or_default();
        other_scids.retain(|other| *other != scid);
        closed.push(ClosedChannel {
            point: point.clone(),
            scid,
            other_scids,
            peer: peer.clone(),
            capacity: *capacity,
            kind: row.get::<_, Named<_>>(2)?.0,
            closing_txid: row.get(3)?,
            close_height: row.get(4)?,
            settled: sat(row, 5)?,
            time_locked: sat(row, 6)?,
            opened_by_us: row.get(7)?,
            resolutions: resolutions.remove(&channel).unwrap_or_default(),
        });
    }
    Ok(closed)
}

fn resolutions(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<HashMap<i64, Vec<Resolution>>> {
    let mut all = tx.prepare_cached(
        "SELECT channel, kind, outcome, outpoint, amount_msat, sweep_txid FROM resolutions \
         WHERE tenant = ?1 AND node = ?2 ORDER BY channel, ordinal",
    )?;
    let mut rows = all.query((key.tenant, key.node))?;
    let mut found: HashMap<i64, Vec<Resolution>> = HashMap::new();
    while let Some(row) = rows.next()? {
        found.entry(row.get(0)?).or_default().push(Resolution {
            kind: row.get(1)?,
            outcome: row.get(2)?,
            outpoint: row.get(3)?,
            amount: sat(row, 4)?,
            sweep_txid: row.get(5)?,
        });
    }
    Ok(found)
}

/// All transactions of the wallet.
pub(super) fn transactions(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<Vec<crate::snapshot::ChainTx>> {
    let mut all = tx.prepare_cached(
        "SELECT txid, at_ms, height, amount_msat, fee_msat, label, spends, own_outputs_msat, outputs_msat \
         FROM chain_transactions WHERE tenant = ?1 AND node = ?2 ORDER BY at_ms, txid",
    )?;
    let rows = all.query_map((key.tenant, key.node), |row| {
        Ok(crate::snapshot::ChainTx {
            txid: row.get(0)?,
            at: UnixMs(row.get(1)?),
            height: row.get(2)?,
            amount: sat(row, 3)?,
            fee: sat(row, 4)?,
            label: row.get(5)?,
            spends: row.get::<_, Json<Vec<String>>>(6)?.0,
            own_outputs: sat(row, 7)?,
            outputs: row.get::<_, Option<i64>>(8)?.map(|sum| Sat::new(sum / 1000)),
        })
    })?;
    rows.collect()
}
