//! Reports of a week or a month: documents like those of a day, with files beside them. What is in them is for the one
//! to know who makes them.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::error::{Error, Result};
use super::profiles::{Key, Profile};
use super::snapshots::sha256;
use super::{Parsed, Store, name_of};
use crate::report::period::PeriodKind;
use crate::report::{GenerationStatus, Status};
use crate::units::{Day, Sat, UnixMs};

/// The folder beside `reports/daily`.
const fn folder(period: PeriodKind) -> &'static str {
    match period {
        PeriodKind::Week => "reports/weekly",
        PeriodKind::Month => "reports/monthly",
    }
}

/// A report of a long period, as it is announced.
#[derive(Clone, Debug, PartialEq)]
pub struct PeriodDocument<'a> {
    /// `UUIDv7` of the document.
    pub report_id: Uuid,
    /// Of what kind.
    pub period: PeriodKind,
    /// Its first day.
    pub start: Day,
    /// From [`Store::next_period_revision`].
    pub revision: u32,
    /// End of what it tells of, not included.
    pub window_end: UnixMs,
    /// When it was made.
    pub made_at: UnixMs,
    /// Whether something is missing.
    pub generation_status: GenerationStatus,
    /// How the node was.
    pub status: Option<Status>,
    /// A score of the period.
    pub score: Option<i64>,
    /// The formula of that.
    pub score_version: u32,
    /// Fees earned.
    pub revenue: Option<Sat>,
    /// Settled forwards.
    pub forwards: Option<u32>,
    /// The document.
    pub document: &'a str,
}

/// A stored report of a long period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPeriod {
    /// Its id.
    pub report_id: Uuid,
    /// Its first day.
    pub start: Day,
    /// Which one of that period.
    pub revision: u32,
    /// When it was made.
    pub made_at: UnixMs,
    /// Byte for byte as it was announced.
    pub document: String,
    /// Of the document, in hex.
    pub sha256: String,
    /// Its file below the state folder.
    pub file: String,
}

impl Store {
    /// The revision that the next document of this period gets: 1 for the first.
    pub fn next_period_revision(&self, profile: &Profile, period: PeriodKind, start: Day) -> Result<u32> {
        let key = self.key(profile)?;
        self.sql(next_revision(&self.db, key, profile, period.as_str(), start))
    }

    /// The file of a period's report, below the state folder.
    pub fn period_file(profile: &Profile, period: PeriodKind, start: Day) -> String {
        format!("{}/{}.json", period_folder(&profile.folder, period), period.label(start))
    }

    /// Announces a report of a week or a month: its row and its pending file in one transaction.
    pub fn put_period_report(&self, profile: &Profile, report: &PeriodDocument<'_>) -> Result<()> {
        if report.period.start(report.start) != report.start {
            let kind = report.period.as_str();
            return Err(Error::Invalid(format!("no {kind} begins on {}: tell its first day", report.start)));
        }
        let body = self.compress(report.document.as_bytes())?;
        let hash = sha256(report.document.as_bytes());
        let file = Self::period_file(profile, report.period, report.start);
        let key = self.key(profile)?;
        self.write_named("report", |tx| {
            let put = || {
                put_row(tx, key, profile, report, (&file, &hash, &body))?;
                put_pending(tx, key, &file, report.report_id, &hash)
            };
            self.sql(put())
        })
    }

    /// The report of the period that begins on `start`: its highest revision.
    pub fn period_report(&self, profile: &Profile, period: PeriodKind, start: Day) -> Result<Option<StoredPeriod>> {
        let key = self.key(profile)?;
        let found = self.db.query_row(
            &format!(
                "{COLUMNS} WHERE tenant = ?1 AND profile = ?2 AND period = ?3 AND period_start = ?4 \
                 AND document IS NOT NULL ORDER BY revision DESC LIMIT 1"
            ),
            (key.tenant, profile.id.to_string(), period.as_str(), start.number()),
            stored,
        );
        self.sql(found.optional())?.map(|row| self.open_period(row)).transpose()
    }

    /// The report of a week or month of this id, of one tenant or of all.
    pub fn period_report_by_id(&self, tenant: Option<&str>, id: Uuid) -> Result<Option<StoredPeriod>> {
        let text = format!(
            "{COLUMNS} WHERE tenant IN (SELECT tenant FROM tenants WHERE ?1 IS NULL OR name = ?1) AND id = ?2 \
             AND period <> 'day' AND document IS NOT NULL"
        );
        let found = self.db.query_row(&text, (tenant, id.to_string()), stored);
        self.sql(found.optional())?.map(|row| self.open_period(row)).transpose()
    }

    fn open_period(&self, (mut stored, body): (StoredPeriod, Vec<u8>)) -> Result<StoredPeriod> {
        stored.document = self.open_document(&stored.report_id.to_string(), &stored.sha256, &body)?;
        Ok(stored)
    }

    /// Notes that a period's file is to be written again where it is gone or was changed.
    pub fn renew_period_file(&self, profile: &Profile, report: &StoredPeriod) -> Result<()> {
        if std::fs::read(self.state.join(&report.file)).is_ok_and(|bytes| sha256(&bytes) == report.sha256) {
            return Ok(());
        }
        let key = self.key(profile)?;
        self.write(|tx| self.sql(put_pending(tx, key, &report.file, report.report_id, &report.sha256)))
    }

    /// First days of the periods that have a report, oldest first.
    pub fn period_starts(&self, profile: &Profile, period: PeriodKind) -> Result<Vec<Day>> {
        let key = self.key(profile)?;
        let mut all = self.sql(self.db.prepare_cached(
            "SELECT DISTINCT period_start FROM reports WHERE tenant = ?1 AND profile = ?2 AND period = ?3 \
             AND document IS NOT NULL ORDER BY period_start",
        ))?;
        let of = (key.tenant, profile.id.to_string(), period.as_str());
        let starts = self.sql(all.query_map(of, |row| row.get(0).map(Day::from_number)))?;
        self.sql(starts.collect())
    }
}

const COLUMNS: &str = "SELECT id, period_start, revision, created_ms, sha256, file, document FROM reports";

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<(StoredPeriod, Vec<u8>)> {
    let stored = StoredPeriod {
        report_id: row.get::<_, Parsed<Uuid>>(0)?.0,
        start: Day::from_number(row.get(1)?),
        revision: row.get(2)?,
        made_at: UnixMs(row.get(3)?),
        document: String::new(),
        sha256: row.get(4)?,
        file: row.get(5)?,
    };
    Ok((stored, row.get(6)?))
}

/// The folder of a profile's reports of a long period: as its daily one, which was chosen once, but for the first part.
pub(super) fn period_folder(daily: &str, period: PeriodKind) -> String {
    format!("{}{}", folder(period), daily.strip_prefix("reports/daily").unwrap_or(daily))
}

/// The revision after the last of a period of any kind.
pub(super) fn next_revision(
    db: &rusqlite::Connection,
    key: Key,
    profile: &Profile,
    period: &str,
    start: Day,
) -> rusqlite::Result<u32> {
    db.query_row(
        "SELECT coalesce(max(revision), 0) + 1 FROM reports \
         WHERE tenant = ?1 AND profile = ?2 AND period = ?3 AND period_start = ?4",
        (key.tenant, profile.id.to_string(), period, start.number()),
        |row| row.get(0),
    )
}

/// Notes that a report's file is to be written; a later revision takes the place of an earlier one.
pub(super) fn put_pending(
    tx: &Transaction<'_>,
    key: Key,
    file: &str,
    report: Uuid,
    hash: &str,
) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO pending_files (tenant, file, act, report, sha256) VALUES (?1, ?2, 'write', ?3, ?4) \
         ON CONFLICT (tenant, file) DO UPDATE SET act = excluded.act, report = excluded.report, \
         sha256 = excluded.sha256",
        (key.tenant, file, report.to_string(), hash),
    )?;
    Ok(())
}

fn put_row(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    report: &PeriodDocument<'_>,
    (file, hash, body): (&str, &str, &[u8]),
) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO reports (tenant, id, profile, period, period_start, revision, generation_status, status, score, \
         score_version, revenue_msat, critical_alerts, warnings, backfilled, window_end_ms, retry_count, rag_indexed, \
         created_ms, updated_ms, file, sha256, document, forwards) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, 0, ?12, 0, 0, ?13, ?13, ?14, ?15, ?16, ?17)",
        params![
            key.tenant,
            report.report_id.to_string(),
            profile.id.to_string(),
            report.period.as_str(),
            report.start.number(),
            report.revision,
            name_of(&report.generation_status),
            report.status.map(|status| name_of(&status)),
            report.score,
            report.score_version,
            report.revenue.map(|sat| sat.msat().get()),
            report.window_end.0,
            report.made_at.0,
            file,
            hash,
            body,
            report.forwards,
        ],
    )?;
    Ok(())
}
