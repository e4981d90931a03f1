//! Messages that are on their way: put here in the transaction that makes their event true, taken out when they arrived.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};

use rusqlite::types::Value;
use rusqlite::{Row, ToSql, Transaction, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{Error, Result};
use super::profiles::{Key, Profile};
use super::{Named, Parsed, Store, name_of, new_id};
use crate::notice::{Event, Telling, takes};
use crate::units::{DAY_MS, HOUR_MS, UnixMs};

/// The file that whoever delivers holds.
const LOCK: &str = "notify.lock";

/// Nothing is put off for longer. What seems to be was put off by a clock that ran ahead, and is due.
const LONGEST_WAIT: i64 = 26 * HOUR_MS;

/// Days that a message is kept which arrived, and one that did not.
const KEPT_SENT: i64 = 30;
const KEPT_DEAD: i64 = 90;

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// Not sent yet.
    Waiting,
    /// Taken by the service.
    Sent,
    /// Given up; it can be sent again by hand.
    Dead,
}

/// A message to one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Whose profile it is about; `None` for what concerns the whole program.
    pub profile: Option<Uuid>,
    /// The channel's name.
    pub channel: String,
    /// The same at each try.
    pub key: String,
    /// What happened; `None` where it can't be read, as after a step back to an older daznode.
    pub event: Option<Event>,
    /// How far it came.
    pub state: LetterState,
    /// Not to be sent before.
    pub not_before: UnixMs,
    /// Tries so far.
    pub tries: u32,
    /// How the last one failed.
    pub last_error: Option<String>,
    /// When it was put here.
    pub created_at: UnixMs,
    /// When it arrived or was given up.
    pub ended_at: Option<UnixMs>,
}

/// What comes after a try that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another one at this time, or with the next message of the channel.
    Again(UnixMs),
    /// The service asked to be left alone until then: nothing is sent to the channel before.
    Asked(UnixMs),
    /// None.
    GivenUp,
}

/// The messages of one channel in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterCount {
    /// The channel's name.
    pub channel: String,
    /// Their state.
    pub state: LetterState,
    /// How many.
    pub count: u32,
}

const COLUMNS: &str = "SELECT id, profile, channel, idempotency_key, event, state, not_before_ms, tries, last_error, \
    created_ms, ended_ms";

/// The table by what waits: this is asked every few seconds, and SQLite would read all that was ever sent.
const QUEUE: &str = "outbox INDEXED BY outbox_waiting";

/// What waits for one channel.
const WAITING: &str = "state = 'waiting' AND channel = ?1";

/// What came to its end in a state long ago.
const OLD: &str = "state = ?1 AND ended_ms < ?2";

fn letter(row: &Row<'_>) -> rusqlite::Result<Letter> {
    Ok(Letter {
        id: row.get::<_, Parsed<Uuid>>(0)?.0,
        profile: row.get::<_, Option<Parsed<Uuid>>>(1)?.map(|id| id.0),
        channel: row.get(2)?,
        key: row.get(3)?,
        event: serde_json::from_str(&row.get::<_, String>(4)?).ok(),
        state: row.get::<_, Named<LetterState>>(5)?.0,
        not_before: UnixMs(row.get(6)?),
        tries: row.get(7)?,
        last_error: row.get(8)?,
        created_at: UnixMs(row.get(9)?),
        ended_at: row.get::<_, Option<i64>>(10)?.map(UnixMs),
    })
}

impl Store {
    /// The same store, which puts what `telling` wants told into the outbox.
    #[must_use]
    pub fn telling(mut self, telling: Telling) -> Self {
        self.telling = telling;
        self
    }

    /// Puts an event that no other write makes true into the outbox. Gives the number of messages that are new.
    pub fn tell(&self, profile: &Profile, event: &Event) -> Result<usize> {
        let key = self.key(profile)?;
        self.write(|tx| self.sql(put(tx, key, Some(profile), &self.telling, event, self.telling.not_before(event))))
    }

    /// The same for an event that concerns the whole program.
    pub fn tell_of_all(&self, event: &Event) -> Result<usize> {
        self.write(|tx| {
            let tenant = tx.query_row("SELECT tenant FROM tenants WHERE name = 'default'", [], |row| row.get(0));
            let key = Key { tenant: self.sql(tenant)?, node: 0 };
            self.sql(put(tx, key, None, &self.telling, event, event.at))
        })
    }

    /// What makes its holder the only one that delivers, of all processes; `None` where another one holds it. The system
    /// frees it when the process ends, however that is.
    pub fn lock_outbox(&self) -> Result<Option<File>> {
        let path = self.state.join(LOCK);
        let open = |create| OpenOptions::new().read(true).write(create).create(create).truncate(false).open(&path);
        // The file of another user may be read only; a lock needs no more.
        let file = open(true).or_else(|_| open(false));
        let failed = |source| Error::Io { what: "lock", path: path.clone(), source };
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The messages of a channel that are due, the first ones first. Where any is, those that failed before go with it,
    /// so that nothing is overtaken; none is while the service asked to be left alone.
    pub fn letters_due(&self, channel: &str, now: UnixMs) -> Result<Vec<Letter>> {
        let far = now.plus(LONGEST_WAIT).0;
        let params: [&dyn ToSql; 3] = [&channel, &now.0, &far];
        let look = format!(
            "SELECT EXISTS (SELECT 1 FROM {QUEUE} WHERE tenant IN (SELECT tenant FROM tenants) AND {WAITING} \
             AND (not_before_ms <= ?2 OR not_before_ms > ?3)) AND NOT EXISTS (SELECT 1 FROM {QUEUE} \
             WHERE tenant IN (SELECT tenant FROM tenants) AND {WAITING} AND held_ms > ?2 AND held_ms <= ?3)"
        );
        if !self.sql(self.db.query_row(&look, params, |row| row.get::<_, bool>(0)))? {
            return Ok(Vec::new());
        }
        let text = format!(
            "{COLUMNS} FROM {QUEUE} WHERE tenant IN (SELECT tenant FROM tenants) AND {WAITING} \
             AND (not_before_ms <= ?2 OR not_before_ms > ?3 OR last_error IS NOT NULL) ORDER BY created_ms, id LIMIT 1000"
        );
        self.letters(&text, params)
    }

    /// All messages that were given up.
    pub fn letters_dead(&self) -> Result<Vec<Letter>> {
        let text = format!(
            "{COLUMNS} FROM outbox WHERE tenant IN (SELECT tenant FROM tenants) AND state = 'dead' ORDER BY created_ms, id"
        );
        self.letters(&text, [])
    }

    fn letters(&self, text: &str, params: impl rusqlite::Params) -> Result<Vec<Letter>> {
        let mut statement = self.sql(self.db.prepare_cached(text))?;
        let rows = self.sql(statement.query_map(params, letter))?;
        self.sql(rows.collect())
    }

    /// The messages of each channel in each state.
    pub fn letter_counts(&self) -> Result<Vec<LetterCount>> {
        let mut statement = self.sql(self.db.prepare_cached(
            "SELECT channel, state, count(*) FROM outbox WHERE tenant IN (SELECT tenant FROM tenants) \
             GROUP BY channel, state ORDER BY channel, state",
        ))?;
        let rows = self.sql(statement.query_map([], |row| {
            Ok(LetterCount { channel: row.get(0)?, state: row.get::<_, Named<LetterState>>(1)?.0, count: row.get(2)? })
        }))?;
        self.sql(rows.collect())
    }

    /// Messages of a channel that arrived since then.
    pub fn letters_sent_since(&self, channel: &str, since: UnixMs) -> Result<u32> {
        let count = self.db.query_row(
            "SELECT count(*) FROM outbox WHERE tenant IN (SELECT tenant FROM tenants) AND state = 'sent' \
             AND ended_ms > ?2 AND channel = ?1",
            params![channel, since.0],
            |row| row.get(0),
        );
        self.sql(count)
    }

    /// These arrived.
    pub fn letters_sent(&self, ids: &[Uuid], now: UnixMs) -> Result<()> {
        self.change(
            ids,
            "UPDATE outbox SET state = 'sent', ended_ms = ?2, tries = tries + 1, last_error = NULL \
             WHERE tenant IN (SELECT tenant FROM tenants) AND id = ?1 AND state = 'waiting'",
            |id| vec![id.into(), now.0.into()],
        )
    }

    /// These did not arrive, and why.
    pub fn letters_failed(&self, ids: &[Uuid], now: UnixMs, error: &str, next: Next) -> Result<()> {
        let (at, held) = match next {
            Next::Again(at) => (at, None),
            Next::Asked(at) => (at, Some(at.0)),
            Next::GivenUp => {
                return self.change(
                    ids,
                    "UPDATE outbox SET state = 'dead', ended_ms = ?2, tries = tries + 1, last_error = ?3 \
                     WHERE tenant IN (SELECT tenant FROM tenants) AND id = ?1 AND state = 'waiting'",
                    |id| vec![id.into(), now.0.into(), error.to_owned().into()],
                );
            }
        };
        self.change(
            ids,
            "UPDATE outbox SET not_before_ms = ?2, held_ms = ?4, tries = tries + 1, last_error = ?3 \
             WHERE tenant IN (SELECT tenant FROM tenants) AND id = ?1 AND state = 'waiting'",
            |id| vec![id.into(), at.0.into(), error.to_owned().into(), held.into()],
        )
    }

    /// These were not tried, since the channel failed: they wait as long as the one that was.
    pub fn letters_put_off(&self, ids: &[Uuid], until: UnixMs) -> Result<()> {
        self.change(
            ids,
            "UPDATE outbox SET not_before_ms = ?2, last_error = coalesce(last_error, 'waits for the one before it') \
             WHERE tenant IN (SELECT tenant FROM tenants) AND id = ?1 AND state = 'waiting'",
            |id| vec![id.into(), until.0.into()],
        )
    }

    /// Gives up what waits for a channel that there is no longer. Gives the number of them.
    pub fn letters_without_channel(&self, channels: &BTreeSet<String>, now: UnixMs) -> Result<usize> {
        let text = format!(
            "SELECT DISTINCT channel FROM {QUEUE} WHERE tenant IN (SELECT tenant FROM tenants) AND state = 'waiting'"
        );
        let mut statement = self.sql(self.db.prepare_cached(&text))?;
        let waiting = self.sql(statement.query_map([], |row| row.get(0)))?;
        let waiting: BTreeSet<String> = self.sql(waiting.collect())?;
        let gone: Vec<&String> = waiting.difference(channels).collect();
        if gone.is_empty() {
            return Ok(0);
        }
        self.write(|tx| {
            let mut count = 0;
            for channel in gone {
                count += self.sql(tx.execute(
                    "UPDATE outbox SET state = 'dead', ended_ms = ?2, last_error = 'the config has no channel of this name' \
                     WHERE tenant IN (SELECT tenant FROM tenants) AND state = 'waiting' AND channel = ?1",
                    params![channel, now.0],
                ))?;
            }
            Ok(count)
        })
    }

    /// Lets messages that were given up wait again; all of them where no id is given. Gives the number of them.
    pub fn resend_letters(&self, id: Option<Uuid>, now: UnixMs) -> Result<usize> {
        self.write(|tx| {
            self.sql(tx.execute(
                "UPDATE outbox SET state = 'waiting', not_before_ms = ?2, created_ms = ?2, tries = 0, ended_ms = NULL, held_ms = NULL \
                 WHERE tenant IN (SELECT tenant FROM tenants) AND state = 'dead' AND (?1 IS NULL OR id = ?1)",
                params![id.map(|id| id.to_string()), now.0],
            ))
        })
    }

    /// Removes messages that came to their end long ago. Gives the number of them.
    pub fn purge_letters(&self, now: UnixMs) -> Result<usize> {
        let old = [(LetterState::Sent, KEPT_SENT), (LetterState::Dead, KEPT_DEAD)];
        let old = old.map(|(state, days)| (name_of(&state), now.plus(-days * DAY_MS).0));
        let look =
            format!("SELECT EXISTS (SELECT 1 FROM outbox WHERE tenant IN (SELECT tenant FROM tenants) AND {OLD})");
        let mut any = false;
        for one in &old {
            any |= self.sql(self.db.query_row(&look, (&one.0, one.1), |row| row.get::<_, bool>(0)))?;
        }
        if !any {
            return Ok(0);
        }
        self.write(|tx| {
            let mut gone = 0;
            for one in &old {
                let text = format!("DELETE FROM outbox WHERE tenant IN (SELECT tenant FROM tenants) AND {OLD}");
                gone += self.sql(tx.execute(&text, (&one.0, one.1)))?;
            }
            Ok(gone)
        })
    }

    /// One statement for each of some messages, in one transaction.
    fn change(&self, ids: &[Uuid], text: &str, params: impl Fn(String) -> Vec<Value>) -> Result<()> {
        self.write(|tx| {
            for id in ids {
                self.sql(tx.execute(text, rusqlite::params_from_iter(params(id.to_string()))))?;
            }
            Ok(())
        })
    }
}

/// A row for each channel that wants the event, not to be sent before `not_before`; one that is there stays as it is.
pub(super) fn put(
    tx: &Transaction<'_>,
    key: Key,
    profile: Option<&Profile>,
    telling: &Telling,
    event: &Event,
    not_before: UnixMs,
) -> rusqlite::Result<usize> {
    let body = serde_json::to_string(event).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO outbox (tenant, id, profile, channel, idempotency_key, kind, severity, event, state, \
         not_before_ms, tries, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting', ?9, 0, ?10) \
         ON CONFLICT (tenant, channel, idempotency_key) DO NOTHING",
    )?;
    let mut new = 0;
    for channel in telling.channels(event).filter(|name| profile.is_none_or(|profile| takes(&profile.notify, name))) {
        new += insert.execute(params![
            key.tenant,
            new_id(event.at).to_string(),
            profile.map(|profile| profile.id.to_string()),
            channel,
            event.key,
            event.kind.name(),
            name_of(&event.severity),
            body,
            not_before.0,
            event.at.0,
        ])?;
    }
    Ok(new)
}
