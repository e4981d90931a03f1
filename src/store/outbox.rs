//! Messages that are on their way: put here in the transaction that makes their event true.

use rusqlite::{Transaction, params};

use super::error::Result;
use super::profiles::{Key, Profile};
use super::{Store, name_of, new_id};
use crate::notice::{Event, Telling};
use crate::units::UnixMs;

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
    for channel in telling.channels(event) {
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
