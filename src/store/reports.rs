//! Reports as they were announced, with the queue of files that are still to be written.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::error::{Error, Result};
use super::profiles::{Key, Profile};
use super::snapshots::sha256;
use super::{Json, Named, Parsed, Store, advice, alerts, name_of, outbox, periods};
use crate::history::PastScore;
use crate::notice::{Event, EventKind};
use crate::report::{GenerationStatus, Report, ScorePart, Severity, Status, Time};
use crate::units::{Day, Sat, UnixMs};

/// A report that is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredReport {
    /// As it was announced, byte for byte, with `rag_indexed` and `updated_at` laid over where they changed since.
    pub document: String,
    /// The same, read, with the same laid over.
    pub report: Report,
    /// Of the document as it was announced, in hex.
    pub sha256: String,
    /// Its file below the state folder; `None` for a failed run.
    pub file: Option<String>,
    /// The profile it belongs to.
    pub profile_id: Uuid,
}

/// A run that made no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRun {
    /// `UUIDv7` of the row.
    pub report_id: Uuid,
    /// The day it was for.
    pub date: Day,
    /// Its revision.
    pub revision: u32,
    /// When it failed.
    pub at: UnixMs,
    /// Why, in one line.
    pub message: String,
    /// Tries beyond the first.
    pub retry_count: u32,
}

/// One day's report in a few figures.
#[derive(Clone, Debug, PartialEq)]
pub struct DayRow {
    /// The day.
    pub date: Day,
    /// Its report.
    pub report_id: Uuid,
    /// Its revision.
    pub revision: u32,
    /// Whole, with gaps, or only failed tries.
    pub generation_status: GenerationStatus,
    /// How the node was; `None` for a failed run.
    pub status: Option<Status>,
    /// Its score.
    pub score: Option<i64>,
    /// The formula of that.
    pub score_version: u32,
    /// Fees earned in sat.
    pub revenue_sat: Option<i64>,
    /// Forwards an hour.
    pub forward_rate: Option<f64>,
    /// Capacity in sat.
    pub capacity_sat: Option<i64>,
    /// Settled forwards; `None` also in a row of an older daznode.
    pub forwards: Option<u32>,
    /// Critical alerts.
    pub critical_alerts: u32,
    /// Warnings.
    pub warnings: u32,
    /// Made later, for a day that was missed.
    pub backfilled: bool,
    /// Why it failed, where it did.
    pub error_message: Option<String>,
}

/// A report's row as it is stored.
pub(super) struct Stored {
    pub id: String,
    pub profile: String,
    pub file: Option<String>,
    pub sha256: String,
    pub body: Vec<u8>,
    pub rag_indexed: bool,
    pub updated_at: UnixMs,
}

const COLUMNS: &str = "SELECT id, profile, file, sha256, document, rag_indexed, updated_ms FROM reports";

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        profile: row.get(1)?,
        file: row.get(2)?,
        sha256: row.get(3)?,
        body: row.get(4)?,
        rag_indexed: row.get(5)?,
        updated_at: UnixMs(row.get(6)?),
    })
}

impl Store {
    /// The revision that the next document of this day gets: 1 for the first.
    pub fn next_revision(&self, profile: &Profile, date: Day) -> Result<u32> {
        let key = self.key(profile)?;
        self.sql(periods::next_revision(&self.db, key, profile, "day", date))
    }

    /// The file of a day's report, below the state folder.
    pub fn report_file(profile: &Profile, date: Day) -> String {
        format!("{}/{}.json", profile.folder, date.compact())
    }

    /// Announces a report: row, pending file, alerts, advice and the profile's counters in one transaction.
    pub fn put_report(&self, profile: &Profile, report: &Report, document: &str) -> Result<()> {
        if report.generation_status == GenerationStatus::Failed {
            return Err(Error::Invalid("a failed run has no document: keep it with put_failed".to_owned()));
        }
        let body = self.compress(document.as_bytes())?;
        let hash = sha256(document.as_bytes());
        let file = Self::report_file(profile, report.report_date);
        let key = self.key(profile)?;
        self.write_named("report", |tx| {
            let put = || -> rusqlite::Result<()> {
                put_row(tx, key, profile, report, (&file, &hash, &body))?;
                periods::put_pending(tx, key, &file, report.report_id, &hash)?;
                count(tx, key, profile, report)?;
                // A day that is caught up says nothing of now.
                if !report.backfilled {
                    alerts::put_report(tx, key, profile, &self.telling, report)?;
                    advice::put(tx, key, profile, report)?;
                }
                Ok(())
            };
            self.sql(put())
        })
    }

    /// Keeps that a run failed: a row without a file, and one word of it a day to the outside.
    pub fn put_failed(&self, profile: &Profile, failed: &FailedRun) -> Result<()> {
        let key = self.key(profile)?;
        self.write(|tx| {
            let put = tx.execute(
                "INSERT INTO reports (tenant, id, profile, period, period_start, revision, generation_status, \
                 score_version, critical_alerts, warnings, backfilled, window_end_ms, retry_count, error_message, \
                 rag_indexed, created_ms, updated_ms) \
                 VALUES (?1, ?2, ?3, 'day', ?4, ?5, 'failed', 0, 0, 0, 0, ?6, ?7, ?8, 0, ?6, ?6)",
                params![
                    key.tenant,
                    failed.report_id.to_string(),
                    profile.id.to_string(),
                    failed.date.number(),
                    failed.revision,
                    failed.at.0,
                    failed.retry_count,
                    failed.message,
                ],
            );
            self.sql(put)?;
            let event = failed_event(profile, failed);
            let not_before = self.telling.not_before(&event);
            self.sql(outbox::put(tx, key, Some(profile), &self.telling, &event, not_before)).map(|_| ())
        })
    }

    /// The day's report: the highest revision that did not fail.
    pub fn day_report(&self, profile: &Profile, date: Day) -> Result<Option<StoredReport>> {
        self.one(profile, "AND period_start = ?3", date)
    }

    /// The report of the latest day that has one.
    pub fn latest_report(&self, profile: &Profile) -> Result<Option<StoredReport>> {
        self.one(profile, "AND period_start <= ?3", Day::from_number(2_000_000))
    }

    /// The latest report of a day before `date` that was not caught up.
    pub(super) fn previous_report(&self, profile: &Profile, date: Day) -> Result<Option<Report>> {
        let found = self.one(profile, "AND backfilled = 0 AND period_start < ?3", date)?;
        Ok(found.map(|stored| stored.report))
    }

    fn one(&self, profile: &Profile, which: &str, date: Day) -> Result<Option<StoredReport>> {
        let key = self.key(profile)?;
        let text = format!(
            "{COLUMNS} WHERE tenant = ?1 AND profile = ?2 AND period = 'day' {which} AND generation_status <> 'failed' \
             ORDER BY period_start DESC, revision DESC LIMIT 1"
        );
        let mut statement = self.sql(self.db.prepare_cached(&text))?;
        let found = statement.query_row((key.tenant, profile.id.to_string(), date.number()), stored);
        self.sql(found.optional())?.map(|row| self.open_report(row)).transpose()
    }

    /// The report of this id, of one tenant or (with `None`, for the operator of the store) of any.
    pub fn report_by_id(&self, tenant: Option<&str>, id: Uuid) -> Result<Option<StoredReport>> {
        let text = format!(
            "{COLUMNS} WHERE tenant IN (SELECT tenant FROM tenants WHERE ?1 IS NULL OR name = ?1) AND id = ?2 \
             AND period = 'day' AND generation_status <> 'failed'"
        );
        let found = self.db.query_row(&text, (tenant, id.to_string()), stored);
        self.sql(found.optional())?.map(|row| self.open_report(row)).transpose()
    }

    /// The last failed run of a day that has no report.
    pub fn day_failed(&self, profile: &Profile, date: Day) -> Result<Option<FailedRun>> {
        let key = self.key(profile)?;
        let found = self.db.query_row(
            "SELECT r.id, r.revision, r.created_ms, r.error_message, r.retry_count FROM reports r WHERE r.tenant = ?1 \
             AND r.profile = ?2 AND r.period = 'day' AND r.period_start = ?3 AND r.generation_status = 'failed' \
             AND NOT EXISTS (SELECT 1 FROM reports m WHERE m.tenant = ?1 AND m.profile = ?2 AND m.period = 'day' \
             AND m.period_start = ?3 AND m.generation_status <> 'failed') ORDER BY r.revision DESC LIMIT 1",
            (key.tenant, profile.id.to_string(), date.number()),
            |row| {
                Ok(FailedRun {
                    report_id: row.get::<_, Parsed<Uuid>>(0)?.0,
                    date,
                    revision: row.get(1)?,
                    at: UnixMs(row.get(2)?),
                    message: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                    retry_count: row.get(4)?,
                })
            },
        );
        self.sql(found.optional())
    }

    /// One row for each day from `from` to `to` (both included) that has a report or a failed run, oldest first.
    pub fn report_days(&self, profile: &Profile, from: Day, to: Day) -> Result<Vec<DayRow>> {
        let key = self.key(profile)?;
        let mut statement = self.sql(self.db.prepare_cached(
            "SELECT period_start, id, revision, generation_status, status, score, score_version, revenue_msat, \
             forward_rate, capacity_msat, critical_alerts, warnings, backfilled, error_message, forwards FROM reports \
             WHERE tenant = ?1 AND profile = ?2 AND period = 'day' AND period_start BETWEEN ?3 AND ?4 \
             ORDER BY period_start, generation_status <> 'failed', revision",
        ))?;
        let rows = (key.tenant, profile.id.to_string(), from.number(), to.number());
        let rows = self.sql(statement.query_map(rows, day_row))?;
        let mut days: Vec<DayRow> = Vec::new();
        for row in rows {
            // The last row of a day is the one that stands.
            let row = self.sql(row)?;
            if days.last().is_some_and(|last| last.date == row.date) {
                days.pop();
            }
            days.push(row);
        }
        Ok(days)
    }

    /// Scores with their parts of the days from `from` to `to` (both included), the latest first; days that failed or were
    /// caught up have none.
    pub(super) fn past_scores(&self, profile: &Profile, from: Day, to: Day) -> Result<Vec<PastScore>> {
        let key = self.key(profile)?;
        let mut statement = self.sql(self.db.prepare_cached(
            "SELECT period_start, score_version, score, score_cap, parts FROM reports r WHERE tenant = ?1 \
             AND profile = ?2 AND period = 'day' AND period_start BETWEEN ?3 AND ?4 AND generation_status <> 'failed' \
             AND backfilled = 0 AND revision = (SELECT max(revision) FROM reports m WHERE m.tenant = ?1 \
             AND m.profile = ?2 AND m.period = 'day' AND m.period_start = r.period_start \
             AND m.generation_status <> 'failed') ORDER BY period_start DESC",
        ))?;
        let days = (key.tenant, profile.id.to_string(), from.number(), to.number());
        let rows = statement.query_map(days, |row| {
            Ok(PastScore {
                date: Day::from_number(row.get(0)?),
                score_version: row.get(1)?,
                score: row.get(2)?,
                cap: row.get(3)?,
                parts: row.get::<_, Option<Json<Vec<ScorePart>>>>(4)?.map(|parts| parts.0).unwrap_or_default(),
            })
        });
        self.sql(self.sql(rows)?.collect())
    }

    /// Unpacks the document of a report of any period and holds it against its hash.
    pub(super) fn open_document(&self, id: &str, hash: &str, body: &[u8]) -> Result<String> {
        let document = self.decompress(&format!("report {id}"), hash, body)?;
        String::from_utf8(document).map_err(|e| self.damaged(format!("report {id} can't be read: {e}")))
    }

    /// Unpacks a row, holds it against its hash and lays over what changed since it was announced.
    pub(super) fn open_report(&self, row: Stored) -> Result<StoredReport> {
        let what = format!("report {}", row.id);
        let mut document = self.open_document(&row.id, &row.sha256, &row.body)?;
        let mut report: Report =
            serde_json::from_str(&document).map_err(|e| self.damaged(format!("{what} can't be read: {e}")))?;
        // Documents tell seconds.
        let touched = row.updated_at.secs() != report.updated_at.0.secs();
        if touched || row.rag_indexed != report.rag_indexed {
            report.updated_at = Time(row.updated_at);
            report.rag_indexed = row.rag_indexed;
            document = lay_over(&report, &document).unwrap_or(document);
        }
        let profile_id = row.profile.parse().map_err(|_| self.damaged(format!("{what} has no profile")))?;
        Ok(StoredReport { document, report, sha256: row.sha256, file: row.file, profile_id })
    }
}

/// What is told of a run that failed: once for each day, however often it is tried.
fn failed_event(profile: &Profile, failed: &FailedRun) -> Event {
    Event {
        key: format!("failed:{}:{}", profile.id, failed.date),
        kind: EventKind::RunFailed,
        at: failed.at,
        severity: Severity::Warning,
        about: Some(alerts::about(profile)),
        title: format!("The run for the report of {} failed", failed.date),
        text: failed.message.clone(),
        alert_key: None,
        since: None,
        report_id: None,
    }
}

/// The report in the form that its document has.
fn lay_over(report: &Report, document: &str) -> Option<String> {
    let pretty = document.starts_with("{\n");
    let text = if pretty { serde_json::to_string_pretty(report) } else { serde_json::to_string(report) };
    let end = if document.ends_with('\n') { "\n" } else { "" };
    text.ok().map(|text| text + end)
}

fn day_row(row: &Row<'_>) -> rusqlite::Result<DayRow> {
    let sat = |column: usize| row.get::<_, Option<i64>>(column).map(|msat| msat.map(|msat| msat.div_euclid(1000)));
    Ok(DayRow {
        date: Day::from_number(row.get(0)?),
        report_id: row.get::<_, Parsed<Uuid>>(1)?.0,
        revision: row.get(2)?,
        generation_status: row.get::<_, Named<GenerationStatus>>(3)?.0,
        status: row.get::<_, Option<Named<Status>>>(4)?.map(|status| status.0),
        score: row.get(5)?,
        score_version: row.get(6)?,
        revenue_sat: sat(7)?,
        forward_rate: row.get(8)?,
        capacity_sat: sat(9)?,
        critical_alerts: row.get(10)?,
        warnings: row.get(11)?,
        backfilled: row.get(12)?,
        error_message: row.get(13)?,
        forwards: row.get(14)?,
    })
}

/// The columns that `report_days` reads, as the report has them.
pub(super) fn day_of(report: &Report) -> DayRow {
    let summary = &report.summary;
    DayRow {
        date: report.report_date,
        report_id: report.report_id,
        revision: report.revision,
        generation_status: report.generation_status,
        status: Some(summary.status),
        score: summary.overall_score,
        score_version: report.score_version,
        revenue_sat: summary.revenue_sats_24h.map(Sat::get),
        forward_rate: summary.forwarding_rate_24h.filter(|rate| rate.is_finite()),
        capacity_sat: summary.capacity_btc.map(|btc| btc.0.get()),
        critical_alerts: summary.critical_alerts,
        warnings: summary.warnings,
        backfilled: report.backfilled,
        error_message: report.error_message.clone(),
        forwards: report.metrics.forwarding.day.map(|day| day.forwards),
    }
}

/// What the row of a report, as it is stored, says of its day.
pub(super) fn stored_day(tx: &Transaction<'_>, tenant: i64, id: &str) -> rusqlite::Result<DayRow> {
    tx.prepare_cached(
        "SELECT period_start, id, revision, generation_status, status, score, score_version, revenue_msat, \
         forward_rate, capacity_msat, critical_alerts, warnings, backfilled, error_message, forwards FROM reports \
         WHERE tenant = ?1 AND id = ?2",
    )?
    .query_row((tenant, id), day_row)
}

fn put_row(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    report: &Report,
    (file, hash, body): (&str, &str, &[u8]),
) -> rusqlite::Result<()> {
    let day = day_of(report);
    let msat = |sat: Option<i64>| sat.map(|sat| Sat::new(sat).msat().get());
    tx.execute(
        "INSERT INTO reports (tenant, id, profile, period, period_start, revision, generation_status, status, score, \
         score_version, revenue_msat, forward_rate, capacity_msat, critical_alerts, warnings, backfilled, \
         window_end_ms, retry_count, error_message, rag_indexed, created_ms, updated_ms, file, sha256, document, parts, \
         score_cap, forwards) VALUES (?1, ?2, ?3, 'day', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
         ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)",
        params![
            key.tenant,
            day.report_id.to_string(),
            profile.id.to_string(),
            day.date.number(),
            day.revision,
            name_of(&day.generation_status),
            day.status.map(|status| name_of(&status)),
            day.score,
            day.score_version,
            msat(day.revenue_sat),
            day.forward_rate,
            msat(day.capacity_sat),
            day.critical_alerts,
            day.warnings,
            day.backfilled,
            report.window_end.0.0,
            report.retry_count,
            day.error_message,
            report.rag_indexed,
            report.created_at.0.0,
            report.updated_at.0.0,
            file,
            hash,
            body,
            serde_json::to_string(&report.score_parts).ok(),
            report.safety.score_cap,
            day.forwards,
        ],
    )?;
    Ok(())
}

fn count(tx: &Transaction<'_>, key: Key, profile: &Profile, report: &Report) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE profiles SET total_reports = total_reports + 1, \
         last_report_ms = CASE WHEN ?3 THEN last_report_ms ELSE ?4 END, \
         last_report_id = CASE WHEN ?3 THEN last_report_id ELSE ?5 END WHERE tenant = ?1 AND id = ?2",
        (key.tenant, profile.id.to_string(), report.backfilled, report.created_at.0.0, report.report_id.to_string()),
    )?;
    Ok(())
}
