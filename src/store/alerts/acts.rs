//! What the operator says of alerts: acknowledged, commented, resolved by hand, muted.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::taking::{ROW, Row, Taking, row};
use super::{By, Digest, Judged, Note, keep, mutes};
use crate::history::Mute;
use crate::report::Severity;
use crate::store::error::Result;
use crate::store::profiles::{Key, Profile};
use crate::store::{Named, Store, new_id};
use crate::units::UnixMs;

/// What can be said of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertAct {
    /// The operator knows.
    Acknowledge,
    /// A comment, also on one that is over.
    Comment,
    /// It is over, as the operator says; the next look opens it again where it still stands.
    Resolve,
}

impl AlertAct {
    const fn kind(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledged",
            Self::Comment => "commented",
            Self::Resolve => "resolved",
        }
    }
}

impl Store {
    /// Does one thing with one alert, with a comment where there is one. `false` where it is over, and so can't be
    /// acknowledged or resolved, or where there is no such alert.
    pub fn act_on_alert(
        &self,
        profile: &Profile,
        id: Uuid,
        act: AlertAct,
        comment: Option<&str>,
        at: UnixMs,
    ) -> Result<bool> {
        let key = self.key(profile)?;
        self.write(|tx| {
            let act_on = || -> rusqlite::Result<bool> {
                let sql = format!(
                    "{ROW} WHERE tenant = ?1 AND profile = ?2 AND id = ?3 AND (state = 'open' OR ?4 = 'commented')"
                );
                let of = (key.tenant, profile.id.to_string(), id.to_string(), act.kind());
                let Some(mut row): Option<Row> = tx.query_row(&sql, of, row).optional()? else { return Ok(false) };
                let with = new_id(at).to_string();
                let note = Note { at, kind: act.kind(), severity: row.standing.severity, with: &with, text: comment };
                note.put(tx, key, &row.id)?;
                match act {
                    AlertAct::Comment => {}
                    AlertAct::Acknowledge => {
                        tx.execute(
                            "UPDATE alerts SET acknowledged_ms = ?3 WHERE tenant = ?1 AND id = ?2",
                            (key.tenant, &row.id, at.0),
                        )?;
                        row.standing.acknowledged = true;
                        row.standing.known();
                        keep(tx, key, &row.id, &row.standing)?;
                    }
                    AlertAct::Resolve => {
                        let judged = Judged { at, alerts: &[], rules: &[], by: By::Watch };
                        let digest = Digest::default();
                        let (telling, mutes) = (&self.telling, mutes(tx, key, profile)?);
                        let (judged, digest) = (&judged, &digest);
                        let mut taking =
                            Taking { tx, key, profile, telling, judged, digest, mutes, id: with, messages: 0 };
                        let say = row.standing.over(&taking.look(&row.alert_key));
                        taking.over(&mut row, say)?;
                    }
                }
                Ok(true)
            };
            self.sql(act_on())
        })
    }

    /// Mutes what a pattern covers; a mute of the same pattern is replaced.
    pub fn mute(&self, profile: &Profile, mute: &Mute) -> Result<()> {
        let key = self.key(profile)?;
        self.write(|tx| {
            let put = || -> rusqlite::Result<()> {
                let id = profile.id.to_string();
                tx.execute(
                    "DELETE FROM alert_mutes WHERE tenant = ?1 AND profile = ?2 AND until_ms <= ?3",
                    (key.tenant, &id, mute.from.0),
                )?;
                tx.execute(
                    "INSERT INTO alert_mutes (tenant, profile, pattern, from_ms, until_ms, reason) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (tenant, profile, pattern) DO UPDATE SET \
                     from_ms = excluded.from_ms, until_ms = excluded.until_ms, reason = excluded.reason",
                    params![key.tenant, id, mute.pattern, mute.from.0, mute.until.0, mute.reason],
                )?;
                note_covered(tx, key, profile, mute, ("muted", mute.from, Some(&mute.reason)))
            };
            self.sql(put())
        })
    }

    /// Ends the mute of a pattern; `false` where there is none.
    pub fn unmute(&self, profile: &Profile, pattern: &str, at: UnixMs) -> Result<bool> {
        let key = self.key(profile)?;
        self.write(|tx| {
            let put = || -> rusqlite::Result<bool> {
                let all = mutes(tx, key, profile)?;
                let Some(mute) = all.into_iter().find(|m| m.pattern == pattern && at < m.until) else {
                    return Ok(false);
                };
                tx.execute(
                    "DELETE FROM alert_mutes WHERE tenant = ?1 AND profile = ?2 AND pattern = ?3",
                    (key.tenant, profile.id.to_string(), pattern),
                )?;
                note_covered(tx, key, profile, &mute, ("unmuted", at, None))?;
                Ok(true)
            };
            self.sql(put())
        })
    }

    /// The mutes that hold at a time.
    pub fn mutes(&self, profile: &Profile, at: UnixMs) -> Result<Vec<Mute>> {
        let key = self.key(profile)?;
        let all = self.read(|tx| self.sql(mutes(tx, key, profile)))?;
        Ok(all.into_iter().filter(|mute| at < mute.until).collect())
    }
}

/// Notes in the life of each open alert that a mute covers what became of that.
fn note_covered(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    mute: &Mute,
    (kind, at, text): (&str, UnixMs, Option<&str>),
) -> rusqlite::Result<()> {
    let open: Vec<(String, String, Severity)> = {
        let mut some = tx.prepare_cached(
            "SELECT id, alert_key, severity FROM alerts WHERE tenant = ?1 AND profile = ?2 AND state = 'open'",
        )?;
        let rows = some.query_map((key.tenant, profile.id.to_string()), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, Named<Severity>>(2)?.0))
        })?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    let with = new_id(at).to_string();
    for (id, alert_key, severity) in open {
        if mute.covers(&alert_key, mute.from) {
            Note { at, kind, severity, with: &with, text }.put(tx, key, &id)?;
        }
    }
    Ok(())
}
