//! What is removed when it is old.

use rusqlite::Transaction;

use super::error::{Error, Result};
use super::profiles::{Key, Profile};
use super::{Store, rolled, sources};
use crate::units::{DAY_MS, HOUR_MS, UnixMs};

/// A clock further than this from the newest report is not believed.
const SUSPECT_MS: i64 = 48 * HOUR_MS;

/// Reports of weeks and months are kept for 25 months of 31 days at most.
const PERIODS_KEPT_DAYS: i64 = 25 * 31;

/// How long things are kept, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Day reports and their files.
    pub reports: u32,
    /// All samples; older ones are kept one a day.
    pub samples: u32,
    /// Snapshots.
    pub snapshots: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { reports: 90, samples: 90, snapshots: 90 }
    }
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Rows of reports.
    pub reports: u32,
    /// Files.
    pub files: u32,
    /// Rows of samples.
    pub samples: u32,
    /// Snapshots.
    pub snapshots: u32,
}

impl Store {
    /// Removes what is older than `retention`; never a node's newest report. Refuses where the clock can't be right:
    /// a purge follows a good run, so the newest report is of about now.
    pub fn purge(&self, profile: &Profile, retention: &Retention, now: UnixMs) -> Result<Purged> {
        if !self.clock_is_right(profile, now)? {
            return Ok(Purged::default());
        }
        let key = self.key(profile)?;
        let before = |days: u32| now.plus(-i64::from(days) * DAY_MS);
        let mut purged = self.write(|tx| {
            self.sql((|| {
                sources::roll_up(tx, key.tenant, now)?;
                rolled::roll_up(tx, key, now)?;
                Ok(Purged {
                    reports: purge_reports(tx, key, profile, "day", before(retention.reports))?
                        + purge_reports(tx, key, profile, "week", now.plus(-PERIODS_KEPT_DAYS * DAY_MS))?
                        + purge_reports(tx, key, profile, "month", now.plus(-PERIODS_KEPT_DAYS * DAY_MS))?,
                    files: 0,
                    samples: purge_samples(tx, key, before(retention.samples))?,
                    snapshots: purge_snapshots(tx, key, profile, before(retention.snapshots))?,
                })
            })())
        })?;
        purged.files = counted(self.flush()?.removed.len());
        Ok(purged)
    }

    /// Whether `now` can be right: an error where it is far from the newest report, false where there is none to tell.
    pub(super) fn clock_is_right(&self, profile: &Profile, now: UnixMs) -> Result<bool> {
        let key = self.key(profile)?;
        let newest = self.db.query_row(
            "SELECT max(created_ms) FROM reports WHERE tenant = ?1 AND profile = ?2 AND period = 'day' \
             AND generation_status <> 'failed'",
            (key.tenant, profile.id.to_string()),
            |row| row.get::<_, Option<i64>>(0),
        );
        let Some(made) = self.sql(newest)?.map(UnixMs) else { return Ok(false) };
        if now.since(made).saturating_abs() > SUSPECT_MS {
            return Err(Error::Clock { now: now.rfc3339(), user: profile.user.clone(), newest: made.rfc3339() });
        }
        Ok(true)
    }
}

fn counted(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn purge_reports(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    period: &str,
    before: UnixMs,
) -> rusqlite::Result<u32> {
    let id = profile.id.to_string();
    let newest: Option<i64> = tx.query_row(
        "SELECT max(period_start) FROM reports WHERE tenant = ?1 AND profile = ?2 AND period = ?3 \
         AND generation_status <> 'failed'",
        (key.tenant, &id, period),
        |row| row.get(0),
    )?;
    let Some(newest) = newest else { return Ok(0) };
    let day = before.day().number().min(newest);
    // The row goes with a note that its file has to go: a kill in between leaves no file that nothing knows of.
    tx.execute(
        "INSERT INTO pending_files (tenant, file, act, report) SELECT tenant, file, 'remove', max(id) FROM reports \
         WHERE tenant = ?1 AND profile = ?2 AND period = ?4 AND period_start < ?3 AND file IS NOT NULL \
         GROUP BY tenant, file ON CONFLICT (tenant, file) DO UPDATE SET act = excluded.act, report = excluded.report, \
         sha256 = NULL",
        (key.tenant, &id, day, period),
    )?;
    tx.execute(
        "DELETE FROM reports WHERE tenant = ?1 AND profile = ?2 AND period = ?4 AND period_start < ?3",
        (key.tenant, &id, day, period),
    )
    .map(counted)
}

fn purge_samples(tx: &Transaction<'_>, key: Key, before: UnixMs) -> rusqlite::Result<u32> {
    // Coverage has a row for the time of every sample: far fewer than there are samples.
    let mut times = tx.prepare_cached(
        "SELECT DISTINCT from_ms FROM coverage WHERE tenant = ?1 AND node = ?2 AND from_ms = to_ms AND from_ms < ?3 \
         ORDER BY from_ms",
    )?;
    let rows = times.query_map((key.tenant, key.node, before.0), |row| row.get::<_, i64>(0))?;
    let times: Vec<i64> = rows.collect::<Result<_, _>>()?;
    // Of two times on one day the earlier goes.
    let gone = times.iter().zip(times.iter().skip(1)).filter(|(a, b)| a.div_euclid(DAY_MS) == b.div_euclid(DAY_MS));
    let mut removed = 0;
    for (at, _) in gone {
        for table in ["channel_samples", "wallet_samples", "peer_samples", "host_samples"] {
            let mut delete =
                tx.prepare_cached(&format!("DELETE FROM {table} WHERE tenant = ?1 AND node = ?2 AND at_ms = ?3"))?;
            removed += delete.execute((key.tenant, key.node, at))?;
        }
        tx.execute(
            "DELETE FROM coverage WHERE tenant = ?1 AND node = ?2 AND from_ms = ?3 AND to_ms = ?3",
            (key.tenant, key.node, at),
        )?;
    }
    Ok(counted(removed))
}

fn purge_snapshots(tx: &Transaction<'_>, key: Key, profile: &Profile, before: UnixMs) -> rusqlite::Result<u32> {
    tx.execute(
        "DELETE FROM snapshots WHERE tenant = ?1 AND profile = ?2 AND taken_ms < ?3 AND taken_ms < \
         (SELECT max(taken_ms) FROM snapshots WHERE tenant = ?1 AND profile = ?2)",
        (key.tenant, profile.id.to_string(), before.0),
    )
    .map(counted)
}
