//! What the streams of a node told, batch by batch: all of one batch is kept, or none of it.
//!
//! The end of the stored coverage is where the last batch ended: what a kill takes away was not watched, and the coverage
//! says so.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::Result;
use super::profiles::{Key, Profile};
use super::watched::{self, PEERS};
use super::{Store, events, policies};
use crate::history::Window;
use crate::snapshot::{FailedForward, PeerSession, Policy, WatchSpan};
use crate::sources::streams::{ChannelChange, Stream};
use crate::units::{Outpoint, Pubkey, UnixMs};

/// One batch. It is kept in the order of its fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// The clock was set back: what was watched in this time is not known any more.
    pub taken_back: Option<Window>,
    /// The connections are followed anew: those that are stored without an end lasted until the watch broke off.
    pub anew: bool,
    /// What was watched, under the streams' names.
    pub coverage: Vec<WatchSpan>,
    /// Forwards that failed, each with LND's own word for why.
    pub failures: Vec<(FailedForward, String)>,
    /// Connections that began or ended.
    pub sessions: Vec<PeerSession>,
    /// What came of channels.
    pub channels: Vec<(UnixMs, Outpoint, ChannelChange)>,
    /// Policies, and who announced them.
    pub policies: Vec<(UnixMs, Outpoint, Pubkey, Policy)>,
    /// What is of no known kind.
    pub unknown: Vec<UnknownEvents>,
    /// The watcher itself.
    pub watcher: Option<Watcher>,
}

/// Events of one kind that this daznode does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEvents {
    /// Which stream told them.
    pub stream: Stream,
    /// Their kind, as LND calls it.
    pub kind: String,
    /// How many.
    pub seen: u32,
    /// The first.
    pub first: UnixMs,
    /// The last.
    pub last: UnixMs,
    /// One of them as it came.
    pub example: Vec<u8>,
}

/// The watcher of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watcher {
    /// Since when it runs.
    pub started: UnixMs,
    /// When it was last well.
    pub well: UnixMs,
    /// How it is, in a few words.
    pub state: String,
}

/// When one stream was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamCoverage {
    /// Which.
    pub stream: Stream,
    /// When, oldest first.
    pub spans: Vec<Window>,
}

impl Store {
    /// Keeps a batch in one transaction.
    pub fn put_heard(&self, profile: &Profile, heard: &Heard) -> Result<()> {
        events::check_amounts(heard.failures.iter().map(|(f, _)| (f.amount_in, f.amount_out)))?;
        let key = self.key(profile)?;
        self.write_named("heard", |tx| self.sql(put(tx, key, profile, heard)))
    }

    /// The watcher of a profile; `None` where none ever ran.
    pub fn watcher(&self, profile: &Profile) -> Result<Option<Watcher>> {
        let key = self.key(profile)?;
        let row = self.db.query_row(
            "SELECT started_ms, well_ms, state FROM watchers WHERE tenant = ?1 AND profile = ?2",
            (key.tenant, profile.id.to_string()),
            |row| Ok(Watcher { started: UnixMs(row.get(0)?), well: UnixMs(row.get(1)?), state: row.get(2)? }),
        );
        self.sql(row.optional())
    }

    /// The kinds of events that were not known, as each was told by the streams of a profile's node.
    pub fn unknown_events(&self, profile: &Profile) -> Result<Vec<UnknownEvents>> {
        let key = self.key(profile)?;
        let read = || {
            let mut all = self.db.prepare_cached(
                "SELECT stream, kind, seen, first_ms, last_ms, example FROM unknown_events WHERE tenant = ?1 \
                 AND node = ?2 ORDER BY stream, kind",
            )?;
            let rows = all.query_map((key.tenant, key.node), |row| {
                let name: String = row.get(0)?;
                let stream = Stream::ALL.into_iter().find(|stream| stream.name() == name);
                Ok(UnknownEvents {
                    stream: stream.ok_or(rusqlite::Error::InvalidQuery)?,
                    kind: row.get(1)?,
                    seen: row.get(2)?,
                    first: UnixMs(row.get(3)?),
                    last: UnixMs(row.get(4)?),
                    example: row.get(5)?,
                })
            })?;
            rows.collect()
        };
        self.sql(read())
    }

    /// What came of channels within a window: each kind of change, and how often.
    pub fn channel_changes(&self, profile: &Profile, window: Window) -> Result<Vec<(String, u32)>> {
        let key = self.key(profile)?;
        let read = || {
            let mut some = self.db.prepare_cached(
                "SELECT kind, count(*) FROM channel_events WHERE tenant = ?1 AND node = ?2 AND at_ms >= ?3 \
                 AND at_ms < ?4 GROUP BY kind ORDER BY kind",
            )?;
            let of = (key.tenant, key.node, window.start.0, window.end.0);
            let rows = some.query_map(of, |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        self.sql(read())
    }

    /// When each stream of a profile's node was watched within a window.
    pub fn watch_coverage(&self, profile: &Profile, window: Window) -> Result<Vec<StreamCoverage>> {
        let key = self.key(profile)?;
        self.read(|tx| {
            let of = |stream: Stream| {
                let spans = watched::coverage(tx, key, &named(stream), window)?;
                let spans = super::spans::common(&spans, &[(window.start.0, window.end.0)]);
                let spans = spans.into_iter().map(|(from, to)| Window { start: UnixMs(from), end: UnixMs(to) });
                Ok(StreamCoverage { stream, spans: spans.collect() })
            };
            self.sql(Stream::ALL.into_iter().map(of).collect())
        })
    }
}

/// A stream's name in `coverage`.
fn named(stream: Stream) -> String {
    format!("watch:{}", stream.name())
}

fn put(tx: &Transaction<'_>, key: Key, profile: &Profile, heard: &Heard) -> rusqlite::Result<()> {
    if let Some(window) = heard.taken_back {
        take_back(tx, key, window)?;
    }
    if heard.anew {
        end_open_sessions(tx, key)?;
    }
    heard.coverage.iter().try_for_each(|span| watched::put_coverage(tx, key, span))?;
    let failures = heard.failures.iter().map(|(forward, detail)| (forward, Some(detail.as_str())));
    watched::put_failures(tx, key, failures)?;
    watched::put_sessions(tx, key, &heard.sessions, None)?;
    put_channels(tx, key, &heard.channels)?;
    put_policies(tx, key, profile, &heard.policies)?;
    put_unknown(tx, key, &heard.unknown)?;
    heard.watcher.iter().try_for_each(|watcher| put_watcher(tx, key, watcher))
}

/// Takes out of the coverage, and of the connections, what lies in a window.
fn take_back(tx: &Transaction<'_>, key: Key, window: Window) -> rusqlite::Result<()> {
    let (from, to) = (window.start, window.end);
    for stream in Stream::ALL {
        let name = named(stream);
        let rest: Vec<_> = watched::coverage(tx, key, &name, window)?
            .into_iter()
            .flat_map(|(start, end)| [(start, end.min(from.0)), (start.max(to.0), end)])
            .filter(|(start, end)| start < end)
            .collect();
        tx.execute(
            "DELETE FROM coverage WHERE tenant = ?1 AND node = ?2 AND stream = ?3 AND to_ms > ?4 AND from_ms < ?5",
            (key.tenant, key.node, &name, from.0, to.0),
        )?;
        for (start, end) in rest {
            let (from, to) = (UnixMs(start), UnixMs(end));
            watched::put_coverage(tx, key, &WatchSpan { stream: stream.name().to_owned(), from, to })?;
        }
    }
    let row = (key.tenant, key.node, from.0, to.0);
    tx.execute("DELETE FROM peer_sessions WHERE tenant = ?1 AND node = ?2 AND from_ms >= ?3 AND from_ms <= ?4", row)?;
    tx.execute(
        "UPDATE peer_sessions SET to_ms = ?3 WHERE tenant = ?1 AND node = ?2 AND from_ms < ?3 \
         AND (to_ms IS NULL OR to_ms > ?3 AND to_ms <= ?4)",
        row,
    )?;
    Ok(())
}

/// Ends connections without an end where the watch that told of them ended.
fn end_open_sessions(tx: &Transaction<'_>, key: Key) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE peer_sessions SET to_ms = coalesce((SELECT max(c.to_ms) FROM coverage c WHERE c.tenant = ?1 \
         AND c.node = ?2 AND c.stream = ?3 AND c.from_ms <= peer_sessions.from_ms AND c.to_ms >= peer_sessions.from_ms), \
         from_ms) WHERE tenant = ?1 AND node = ?2 AND to_ms IS NULL",
        (key.tenant, key.node, PEERS),
    )?;
    Ok(())
}

fn put_channels(
    tx: &Transaction<'_>,
    key: Key,
    channels: &[(UnixMs, Outpoint, ChannelChange)],
) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO channel_events (tenant, node, at_ms, point, kind) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant, node, at_ms, point, kind) DO NOTHING",
    )?;
    for (at, point, change) in channels {
        insert.execute((key.tenant, key.node, at.0, point.as_str(), change.name()))?;
    }
    Ok(())
}

/// Policies of channels that are not known yet are left to the next collection, which tells them with the channel.
fn put_policies(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    told: &[(UnixMs, Outpoint, Pubkey, Policy)],
) -> rusqlite::Result<()> {
    let mut number =
        tx.prepare_cached("SELECT channel FROM channels WHERE tenant = ?1 AND node = ?2 AND point = ?3")?;
    for (at, point, by, policy) in told {
        let channel = number.query_row((key.tenant, key.node, point.as_str()), |row| row.get::<_, i64>(0));
        if let Some(channel) = channel.optional()? {
            let side = if *by == profile.pubkey { "ours" } else { "theirs" };
            policies::put_policy(tx, key, channel, side, policy, *at)?;
        }
    }
    Ok(())
}

/// Kinds of unknown events that are kept of one stream: a node that makes up ever new ones fills no disk.
const UNKNOWN_KINDS: i64 = 100;

fn put_unknown(tx: &Transaction<'_>, key: Key, unknown: &[UnknownEvents]) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO unknown_events (tenant, node, stream, kind, seen, first_ms, last_ms, example) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE (SELECT count(*) FROM unknown_events WHERE tenant = ?1 \
         AND node = ?2 AND stream = ?3 AND kind <> ?4) < ?9 ON CONFLICT (tenant, node, stream, kind) DO UPDATE SET \
         seen = unknown_events.seen + excluded.seen, first_ms = min(unknown_events.first_ms, excluded.first_ms), \
         last_ms = max(unknown_events.last_ms, excluded.last_ms)",
    )?;
    for events in unknown {
        upsert.execute(params![
            key.tenant,
            key.node,
            events.stream.name(),
            events.kind,
            events.seen,
            events.first.0,
            events.last.0,
            events.example,
            UNKNOWN_KINDS,
        ])?;
    }
    Ok(())
}

/// For every profile of the node, which is followed once for all of them.
fn put_watcher(tx: &Transaction<'_>, key: Key, watcher: &Watcher) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO watchers (tenant, profile, started_ms, well_ms, state) SELECT ?1, id, ?3, ?4, ?5 FROM profiles \
         WHERE tenant = ?1 AND node = ?2 ON CONFLICT (tenant, profile) DO UPDATE SET started_ms = excluded.started_ms, \
         well_ms = excluded.well_ms, state = excluded.state",
        (key.tenant, key.node, watcher.started.0, watcher.well.0, &watcher.state),
    )?;
    Ok(())
}
