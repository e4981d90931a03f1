//! What a watcher saw: forwards that failed, peers' connections, and when each was watched. Where nothing was watched,
//! nothing is said.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Transaction, params};

use super::error::Result;
use super::events::{DAY_NS, check_amounts};
use super::profiles::{Key, Profile};
use super::spans::{self, Span};
use super::windows::Windows;
use super::{Named, Parsed, Store, name_of};
use crate::history::{FailureFlow, PeerWatch, Watched, Window};
use crate::snapshot::{FailedForward, FailureReason, PeerSession, WatchSpan, WatchedEvents};
use crate::units::{DAY_MS, Msat, Pubkey, Scid, UnixMs};

/// Days of the windows that are summed.
const DAYS: [i64; 3] = [1, 7, 30];
/// A connection that ends so shortly before all others do, or before watching ends, ended with them: it was not the peer.
const TOGETHER_MS: i64 = 60_000;
/// What a watcher's streams are called in `coverage`, where those of samples stand too.
const HTLCS: &str = "watch:htlcs";
/// The connections of peers.
pub(super) const PEERS: &str = "watch:peers";

impl Store {
    /// Keeps what a watcher saw; giving the same again changes nothing.
    pub fn put_watched(&self, profile: &Profile, seen: &WatchedEvents) -> Result<()> {
        check_amounts(seen.failures.iter().map(|f| (f.amount_in, f.amount_out)))?;
        let key = self.key(profile)?;
        self.write_named("events", |tx| {
            let put = || {
                put_failures(tx, key, seen.failures.iter().map(|forward| (forward, None)))?;
                seen.coverage.iter().try_for_each(|span| put_coverage(tx, key, span))?;
                put_sessions(tx, key, &seen.sessions, watched_since(tx, key, &seen.coverage)?)
            };
            self.sql(put())
        })
    }

    /// The end of the stored coverage of the peers' connections.
    pub(super) fn watched_to(&self, key: Key) -> Result<Option<UnixMs>> {
        let last = self.db.query_row(
            "SELECT max(to_ms) FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = ?3",
            (key.tenant, key.node, PEERS),
            |row| row.get::<_, Option<i64>>(0),
        );
        Ok(self.sql(last)?.map(UnixMs))
    }
}

/// Failures of one pair for one reason on one day.
#[derive(Default)]
struct Sum {
    count: u32,
    amount_out: Msat,
    fees: Msat,
}

/// Keeps failed forwards, each with LND's own word for why where that is known.
pub(super) fn put_failures<'a>(
    tx: &Transaction<'_>,
    key: Key,
    failures: impl Iterator<Item = (&'a FailedForward, Option<&'a str>)>,
) -> rusqlite::Result<()> {
    // No watcher tells the number of the outgoing HTLC: one that failed before it was sent has none.
    let mut insert = tx.prepare_cached(
        "INSERT INTO htlc_failures (tenant, node, at_ns, scid_in, htlc_in, scid_out, htlc_out, amount_in_msat, \
         amount_out_msat, kind, failure, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, 'forward', ?9, ?10) \
         ON CONFLICT (tenant, node, at_ns, scid_in, htlc_in, scid_out, htlc_out) DO NOTHING",
    )?;
    let mut sums: HashMap<(i64, i64, i64, FailureReason), Sum> = HashMap::new();
    for (failed, detail) in failures {
        let (scid_in, scid_out) = (failed.scid_in.stored(), failed.scid_out.stored());
        let new = insert.execute(params![
            key.tenant,
            key.node,
            failed.at_ns,
            scid_in,
            failed.htlc_in.cast_signed(),
            scid_out,
            failed.amount_in.get(),
            failed.amount_out.get(),
            name_of(&failed.reason),
            detail,
        ])?;
        if new > 0 {
            let day = failed.at_ns.div_euclid(DAY_NS);
            let sum = sums.entry((day, scid_in, scid_out, failed.reason)).or_default();
            sum.count = sum.count.saturating_add(1);
            sum.amount_out += failed.amount_out;
            sum.fees += failed.amount_in - failed.amount_out;
        }
    }
    let mut add = tx.prepare_cached(
        "INSERT INTO failure_days (tenant, node, day, scid_in, scid_out, failure, failures, amount_out_msat, fees_msat) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, node, day, scid_in, scid_out, failure) \
         DO UPDATE SET failures = failure_days.failures + excluded.failures, \
         amount_out_msat = failure_days.amount_out_msat + excluded.amount_out_msat, \
         fees_msat = failure_days.fees_msat + excluded.fees_msat",
    )?;
    for ((day, scid_in, scid_out, reason), sum) in sums {
        let (amount_out, fees) = (sum.amount_out.get(), sum.fees.get());
        let of = (key.tenant, key.node, day, scid_in, scid_out);
        add.execute((of.0, of.1, of.2, of.3, of.4, name_of(&reason), sum.count, amount_out, fees))?;
    }
    Ok(())
}

/// Since when the peers were watched without a break up to the end of what is told now.
fn watched_since(tx: &Transaction<'_>, key: Key, told: &[WatchSpan]) -> rusqlite::Result<Option<i64>> {
    let Some(to) = told.iter().filter(|span| PEERS.ends_with(&span.stream)).map(|span| span.to.0).max() else {
        return Ok(None);
    };
    tx.prepare_cached(
        "SELECT max(from_ms) FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = ?3 AND from_ms < ?4 \
         AND to_ms >= ?4",
    )?
    .query_row((key.tenant, key.node, PEERS, to), |row| row.get(0))
}

/// A connection that is older than the unbroken watch that tells of it is kept from the beginning of that watch: what was
/// told of it before a break lasts until the break, and no longer.
pub(super) fn put_sessions(
    tx: &Transaction<'_>,
    key: Key,
    sessions: &[PeerSession],
    since: Option<i64>,
) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO peer_sessions (tenant, node, peer, from_ms, to_ms) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant, node, peer, from_ms) DO UPDATE SET to_ms = excluded.to_ms \
         WHERE excluded.to_ms IS NOT NULL AND (peer_sessions.to_ms IS NULL OR peer_sessions.to_ms < excluded.to_ms)",
    )?;
    for session in sessions {
        let to = session.to.map(|to| to.0);
        // One that ended before that watch is told as it was.
        let watched = since.filter(|since| to.is_none_or(|to| to > *since)).unwrap_or(i64::MIN);
        upsert.execute((key.tenant, key.node, session.peer.as_str(), session.from.0.max(watched), to))?;
    }
    Ok(())
}

/// Keeps that a stream was watched; spans that touch become one.
pub(super) fn put_coverage(tx: &Transaction<'_>, key: Key, span: &WatchSpan) -> rusqlite::Result<()> {
    if span.from >= span.to {
        return Ok(());
    }
    let stream = format!("watch:{}", span.stream);
    let row = (key.tenant, key.node, &stream, span.from.0, span.to.0);
    let mut touching = tx.prepare_cached(
        "SELECT min(from_ms), max(to_ms) FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = ?3 \
         AND to_ms >= ?4 AND from_ms <= ?5",
    )?;
    let (from, to): (Option<i64>, Option<i64>) = touching.query_row(row, |row| Ok((row.get(0)?, row.get(1)?)))?;
    tx.prepare_cached(
        "DELETE FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = ?3 AND to_ms >= ?4 AND from_ms <= ?5",
    )?
    .execute(row)?;
    let from = from.map_or(span.from.0, |from| from.min(span.from.0));
    let to = to.map_or(span.to.0, |to| to.max(span.to.0));
    tx.prepare_cached("INSERT INTO coverage (tenant, node, stream, from_ms, to_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((key.tenant, key.node, &stream, from, to))?;
    Ok(())
}

/// What was watched in the day, week and month before `end`.
pub(super) fn watched(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<Watched> {
    let [.., longest] = DAYS;
    let htlcs = coverage(tx, key, HTLCS, Window::days_before(end, longest))?;
    let peers = coverage(tx, key, PEERS, Window::days_before(end, longest))?;
    let within = |spans: &[Span], days: i64| spans::common(spans, &[(end.plus(-days * DAY_MS).0, end.0)]);
    let length = |spans: &[Span]| DAYS.map(|days| spans::length(&within(spans, days)));
    let mut watched = Watched {
        htlcs_ms: length(&htlcs),
        peers_ms: length(&peers),
        htlcs_off: off(&htlcs, end),
        peers_off: off(&peers, end),
        ..Watched::default()
    };
    watched.settled_day = settled(tx, key, &within(&htlcs, 1))?;
    let [day, week, month] = failures(tx, key, end)?;
    watched.failures_day = day;
    watched.failures_week = week;
    watched.failures_month = month;
    if watched.peers_ms != [0; 3] {
        let sessions = sessions(tx, key, Window::days_before(end, longest), &peers)?;
        watched.peers_week = connections(&sessions, &within(&peers, 7), end);
        watched.peers_month = connections(&sessions, &within(&peers, 30), end);
    }
    Ok(watched)
}

/// What of the last day was not watched. Where no watcher ever ran, there is no watch that it broke off.
fn off(spans: &[Span], end: UnixMs) -> Vec<Window> {
    let day = (!spans.is_empty()).then_some((end.plus(-DAY_MS).0, end.0));
    let off = day.into_iter().flat_map(|day| spans::without(day, spans));
    off.map(|(from, to)| Window { start: UnixMs(from), end: UnixMs(to) }).collect()
}

/// When, of the last day, the connections of peers were not watched.
pub(super) fn peers_off(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<Vec<Window>> {
    let [.., longest] = DAYS;
    Ok(off(&coverage(tx, key, PEERS, Window::days_before(end, longest))?, end))
}

/// When a stream was watched in a window; a span that began before it, or ends after it, is whole.
pub(super) fn coverage(tx: &Transaction<'_>, key: Key, stream: &str, window: Window) -> rusqlite::Result<Vec<Span>> {
    let mut some = tx.prepare_cached(
        "SELECT from_ms, to_ms FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = ?3 AND to_ms > ?4 \
         AND from_ms < ?5",
    )?;
    let of = (key.tenant, key.node, stream, window.start.0, window.end.0);
    let rows = some.query_map(of, |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect::<rusqlite::Result<Vec<Span>>>().map(spans::joined)
}

/// Forwards that settled within these spans.
fn settled(tx: &Transaction<'_>, key: Key, spans: &[Span]) -> rusqlite::Result<u32> {
    let mut count = tx.prepare_cached(
        "SELECT count(*) FROM forwards WHERE tenant = ?1 AND node = ?2 AND at_ns >= ?3 AND at_ns < ?4",
    )?;
    spans.iter().try_fold(0_u32, |sum, (from, to)| {
        let of = (key.tenant, key.node, UnixMs(*from).nanos(), UnixMs(*to).nanos());
        count.query_row(of, |row| row.get::<_, u32>(0)).map(|more| sum.saturating_add(more))
    })
}

type Failures = HashMap<(i64, i64, FailureReason), FailureFlow>;

fn failures(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<[Vec<FailureFlow>; 3]> {
    let windows = Windows::before(end, DAYS.map(Some));
    let mut found: [Failures; 3] = Default::default();
    let mut add = |at: i64, pair: (i64, i64), reason, count: u32, (amount_out, fee): (Msat, Msat)| {
        for flows in windows.each(&mut found, at) {
            let flow = flows.entry((pair.0, pair.1, reason)).or_insert_with(|| FailureFlow {
                scid_in: Scid::from_stored(pair.0),
                scid_out: Scid::from_stored(pair.1),
                reason,
                count: 0,
                amount_out: Msat::ZERO,
                fee: Msat::ZERO,
            });
            flow.count = flow.count.saturating_add(count);
            flow.amount_out += amount_out;
            flow.fee += fee;
        }
    };
    let cut: Vec<i64> = windows.cut_days().iter().map(|(from, _)| from.div_euclid(DAY_NS)).collect();
    let (first, last) = windows.days();
    let mut days = tx.prepare_cached(
        "SELECT day, scid_in, scid_out, failure, failures, amount_out_msat, fees_msat FROM failure_days \
         WHERE tenant = ?1 AND node = ?2 AND day >= ?3 AND day < ?4",
    )?;
    let mut rows = days.query((key.tenant, key.node, first, last))?;
    while let Some(row) = rows.next()? {
        let day: i64 = row.get(0)?;
        if !cut.contains(&day) {
            let amounts = (Msat::new(row.get(5)?), Msat::new(row.get(6)?));
            add(day * DAY_NS, (row.get(1)?, row.get(2)?), row.get::<_, Named<_>>(3)?.0, row.get(4)?, amounts);
        }
    }
    let mut events = tx.prepare_cached(
        "SELECT at_ns, scid_in, scid_out, failure, amount_in_msat, amount_out_msat FROM htlc_failures \
         WHERE tenant = ?1 AND node = ?2 AND at_ns >= ?3 AND at_ns < ?4",
    )?;
    for (from, to) in windows.cut_days() {
        let mut rows = events.query((key.tenant, key.node, from, to))?;
        while let Some(row) = rows.next()? {
            let (amount_in, amount_out) = (Msat::new(row.get(4)?), Msat::new(row.get(5)?));
            let amounts = (amount_out, amount_in - amount_out);
            add(row.get(0)?, (row.get(1)?, row.get(2)?), row.get::<_, Named<_>>(3)?.0, 1, amounts);
        }
    }
    Ok(found.map(|flows| {
        let mut flows: Vec<FailureFlow> = flows.into_values().collect();
        flows.sort_unstable_by_key(|flow| (flow.scid_in, flow.scid_out, flow.reason));
        flows
    }))
}

/// One peer's connections, and since when it is known.
pub(super) struct Peer {
    pubkey: Pubkey,
    since: i64,
    connected: Vec<Span>,
    /// When connections ended.
    ends: Vec<i64>,
}

/// The peers of open channels and those that were connected, with their connections in a window.
pub(super) fn sessions(
    tx: &Transaction<'_>,
    key: Key,
    window: Window,
    watched: &[Span],
) -> rusqlite::Result<Vec<Peer>> {
    let mut peers: BTreeMap<String, Peer> = BTreeMap::new();
    let mut with_channels = tx.prepare_cached(
        "SELECT c.peer, min(c.first_seen_ms) FROM channels c WHERE c.tenant = ?1 AND c.node = ?2 AND NOT EXISTS \
         (SELECT 1 FROM closes k WHERE k.tenant = ?1 AND k.node = ?2 AND k.channel = c.channel) GROUP BY c.peer",
    )?;
    let mut rows = with_channels.query((key.tenant, key.node))?;
    while let Some(row) = rows.next()? {
        let pubkey = row.get::<_, Parsed<Pubkey>>(0)?.0;
        let peer = Peer { pubkey, since: row.get(1)?, connected: Vec::new(), ends: Vec::new() };
        peers.insert(row.get(0)?, peer);
    }
    // Two lists, since an index finds both and `OR` neither.
    let mut some = tx.prepare_cached(
        "SELECT peer, from_ms, to_ms FROM peer_sessions WHERE tenant = ?1 AND node = ?2 AND to_ms > ?3 AND from_ms < ?4 \
         UNION ALL SELECT peer, from_ms, to_ms FROM peer_sessions WHERE tenant = ?1 AND node = ?2 AND to_ms IS NULL \
         AND from_ms < ?4",
    )?;
    let mut rows = some.query((key.tenant, key.node, window.start.0, window.end.0))?;
    while let Some(row) = rows.next()? {
        let (from, to): (i64, Option<i64>) = (row.get(1)?, row.get(2)?);
        let name: String = row.get(0)?;
        let peer = match peers.entry(name) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let pubkey = row.get::<_, Parsed<Pubkey>>(0)?.0;
                new.insert(Peer { pubkey, since: from, connected: Vec::new(), ends: Vec::new() })
            }
        };
        peer.since = peer.since.min(from);
        peer.connected.push((from, to.unwrap_or_else(|| lasts_until(watched, from))));
        peer.ends.extend(to);
    }
    let mut peers: Vec<Peer> = peers.into_values().collect();
    for peer in &mut peers {
        peer.connected = spans::joined(std::mem::take(&mut peer.connected));
    }
    Ok(peers)
}

/// A connection without an end lasts as long as it was watched without a break: after one it is told anew, if it stands.
fn lasts_until(watched: &[Span], from: i64) -> i64 {
    let next = || watched.iter().find(|(begin, _)| *begin >= from).copied();
    spans::at(watched, from).or_else(next).map_or(from, |(_, to)| to)
}

/// Each peer's connection within `watched`, less the time in which no peer at all was connected.
pub(super) fn connections(peers: &[Peer], watched: &[Span], end: UnixMs) -> Vec<PeerWatch> {
    let any = spans::joined(peers.iter().flat_map(|peer| peer.connected.iter().copied()).collect());
    let up = spans::common(watched, &any);
    let alone = |at: i64| spans::at(&up, at).is_some_and(|(_, to)| to >= (at + TOGETHER_MS).min(end.0));
    let mut found: Vec<PeerWatch> = peers
        .iter()
        .filter(|peer| peer.since < end.0)
        .map(|peer| PeerWatch {
            peer: peer.pubkey.clone(),
            watched_ms: spans::length(&spans::common(&up, &[(peer.since, end.0)])),
            connected_ms: spans::length(&spans::common(&up, &peer.connected)),
            breaks: peer.ends.iter().fold(0, |sum, at| sum + u32::from(alone(*at))),
        })
        .filter(|watch| watch.watched_ms > 0)
        .collect();
    found.sort_unstable_by(|a, b| a.peer.cmp(&b.peer));
    found
}
