//! What a watcher brings in by the minute is summed by day once no report needs it one by one.

use std::collections::BTreeMap;

use rusqlite::Transaction;

use super::error::Result;
use super::events::DAY_NS;
use super::profiles::{Key, Profile};
use super::watched::{self, PEERS};
use super::{Parsed, Store, balances, spans};
use crate::history::{PeerWatch, Window};
use crate::units::{DAY_MS, Pubkey, UnixMs};

/// Days of which balances are kept as they changed: a week's mean needs each of them.
const BALANCE_DAYS: i64 = 8;
/// Days of failed forwards and connections that are kept one by one: a month's windows cut a day at their beginning.
const EVENT_DAYS: i64 = 40;
/// Days of connections that are told together.
const YEAR_DAYS: i64 = 365;
/// Days that events of channels are kept.
const CHANNEL_DAYS: i64 = 90;

/// What was summed and is no longer kept one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RolledUp {
    /// Samples of channels between two collections.
    pub samples: usize,
    /// Failed forwards.
    pub failures: usize,
    /// Connections.
    pub sessions: usize,
    /// Events of channels.
    pub channels: usize,
}

impl Store {
    /// Sums what is old by day. Refuses, as `purge` does, where the clock can't be right; does nothing before the first
    /// report, which shows that it is.
    pub fn roll_up(&self, profile: &Profile, now: UnixMs) -> Result<RolledUp> {
        if !self.clock_is_right(profile, now)? {
            return Ok(RolledUp::default());
        }
        let key = self.key(profile)?;
        self.write(|tx| self.sql(roll_up(tx, key, now)))
    }

    /// Each peer's connection in the 365 days before `end`: of days that are summed, and of what is kept one by one since.
    pub fn peers_year(&self, profile: &Profile, end: UnixMs) -> Result<Vec<PeerWatch>> {
        let key = self.key(profile)?;
        self.read(|tx| self.sql(peers_year(tx, key, end)))
    }
}

pub(super) fn roll_up(tx: &Transaction<'_>, key: Key, now: UnixMs) -> rusqlite::Result<RolledUp> {
    let today = now.day().number();
    let samples = balances::roll_up(tx, key, today - BALANCE_DAYS)?;
    let before = today - EVENT_DAYS;
    peer_days(tx, key, before)?;
    // A connection that reaches into the days that are kept stays.
    let sessions = tx.execute(
        "DELETE FROM peer_sessions WHERE tenant = ?1 AND node = ?2 AND to_ms < ?3",
        (key.tenant, key.node, before * DAY_MS),
    )?;
    // Their sums by day are kept since they came.
    let failures = tx.execute(
        "DELETE FROM htlc_failures WHERE tenant = ?1 AND node = ?2 AND at_ns < ?3",
        (key.tenant, key.node, before * DAY_NS),
    )?;
    let channels = tx.execute(
        "DELETE FROM channel_events WHERE tenant = ?1 AND node = ?2 AND at_ms < ?3",
        (key.tenant, key.node, (today - CHANNEL_DAYS) * DAY_MS),
    )?;
    Ok(RolledUp { samples, failures, sessions, channels })
}

fn peers_year(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<Vec<PeerWatch>> {
    let first = end.day().number() - YEAR_DAYS;
    let start = UnixMs(after_summed(tx, key)?.max(first) * DAY_MS);
    let mut days = tx.prepare_cached(
        "SELECT peer, sum(watched_ms), sum(connected_ms), sum(breaks) FROM peer_days WHERE tenant = ?1 AND node = ?2 \
         AND day >= ?3 AND day < ?4 GROUP BY peer",
    )?;
    let rows = days.query_map((key.tenant, key.node, first, end.day().number()), |row| {
        let peer = row.get::<_, Parsed<Pubkey>>(0)?.0;
        let sums = PeerWatch { peer, watched_ms: row.get(1)?, connected_ms: row.get(2)?, breaks: row.get(3)? };
        Ok((sums.peer.clone(), sums))
    })?;
    let mut all = rows.collect::<rusqlite::Result<BTreeMap<Pubkey, PeerWatch>>>()?;
    let window = Window { start, end };
    let covered = watched::coverage(tx, key, PEERS, window)?;
    let within = spans::common(&covered, &[(start.0, end.0)]);
    let sessions = watched::sessions(tx, key, window, &covered)?;
    for recent in watched::connections(&sessions, &within, end) {
        let sums = all.entry(recent.peer.clone()).or_insert_with(|| PeerWatch {
            peer: recent.peer.clone(),
            watched_ms: 0,
            connected_ms: 0,
            breaks: 0,
        });
        sums.watched_ms += recent.watched_ms;
        sums.connected_ms += recent.connected_ms;
        sums.breaks = sums.breaks.saturating_add(recent.breaks);
    }
    Ok(all.into_values().collect())
}

/// The first day that is not summed yet; 0 where none is.
fn after_summed(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<i64> {
    let last: Option<i64> = tx.query_row(
        "SELECT max(day) FROM peer_days WHERE tenant = ?1 AND node = ?2",
        (key.tenant, key.node),
        |row| row.get(0),
    )?;
    Ok(last.map_or(0, |day| day + 1))
}

/// Sums the connections of the days before `before` that are not summed yet.
fn peer_days(tx: &Transaction<'_>, key: Key, before: i64) -> rusqlite::Result<()> {
    let (start, end) = (UnixMs(after_summed(tx, key)? * DAY_MS), UnixMs(before * DAY_MS));
    let covered = watched::coverage(tx, key, PEERS, Window { start, end })?;
    let first = covered.first().map_or(end, |(from, _)| UnixMs(*from).max(start));
    let mut insert = tx.prepare_cached(
        "INSERT INTO peer_days (tenant, node, peer, day, watched_ms, connected_ms, breaks) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, node, peer, day) DO NOTHING",
    )?;
    for day in first.day().number()..before {
        let (from, to) = (day * DAY_MS, (day + 1) * DAY_MS);
        let within = spans::common(&covered, &[(from, to)]);
        if within.is_empty() {
            continue;
        }
        let window = Window { start: UnixMs(from), end: UnixMs(to) };
        let sessions = watched::sessions(tx, key, window, &covered)?;
        for seen in watched::connections(&sessions, &within, UnixMs(to)) {
            let sums = (seen.watched_ms, seen.connected_ms, seen.breaks);
            insert.execute((key.tenant, key.node, seen.peer.as_str(), day, sums.0, sums.1, sums.2))?;
        }
    }
    Ok(())
}
