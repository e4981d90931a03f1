//! Alerts over the days: one row for each key and occurrence, brought in line with what a report or the watcher found.
//!
//! Both come the same way, one after the other, and what there is to tell goes into the outbox in the same transaction.

mod acts;
mod lives;
mod taking;

use std::collections::HashSet;

use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::error::Result;
use super::profiles::{Key, Profile};
use super::{Named, Store, name_of, outbox};
use crate::history::{Mute, OpenAlert, Window};
use crate::notice::{About, Event, EventKind, Standing, Telling};
use crate::report::period::PeriodAlert;
use crate::report::{Alert, Report, Severity, Time};
use crate::units::{HOUR_MS, UnixMs};

use taking::put;

pub use acts::AlertAct;
pub use lives::{AlertEvent, AlertMessage, AlertRow};

/// The longest that a report can lie behind a look of the watcher that was stored before it. What is newer by more than
/// that was seen by a clock that went back.
const RUN_MS: i64 = HOUR_MS;

/// What a look at a node found, of the rules that it could judge.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// When the node was looked at.
    pub at: UnixMs,
    /// What was found.
    pub alerts: &'a [Alert],
    /// The rules that were judged in full: only what these do not find any more is over. A report that names none, as
    /// older ones, judged them all.
    pub rules: &'a [String],
    /// Who looked.
    pub by: By,
}

/// Who looked at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The run that made this report.
    Report(Uuid),
    /// The watcher.
    Watch,
}

/// The alerts that are open.
pub(super) fn open(tx: &Transaction<'_>, key: Key, profile: &Profile) -> rusqlite::Result<Vec<OpenAlert>> {
    brief(tx, key, profile, "state = 'open' AND ?3 IS NOT NULL", UnixMs(0))
}

/// The alerts that were resolved at some time after `since`.
pub(super) fn resolved(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    since: UnixMs,
) -> rusqlite::Result<Vec<OpenAlert>> {
    brief(tx, key, profile, "state = 'resolved' AND resolved_ms > ?3", since)
}

fn brief(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    which: &str,
    since: UnixMs,
) -> rusqlite::Result<Vec<OpenAlert>> {
    let mut some = tx.prepare_cached(&format!(
        "SELECT alert_key, severity, title, detected_ms, acknowledged_ms FROM alerts \
         WHERE tenant = ?1 AND profile = ?2 AND {which} ORDER BY detected_ms, alert_key"
    ))?;
    let rows = some.query_map((key.tenant, profile.id.to_string(), since.0), |row| {
        Ok(OpenAlert {
            key: row.get(0)?,
            severity: row.get::<_, Named<Severity>>(1)?.0,
            title: row.get(2)?,
            since: UnixMs(row.get(3)?),
            acknowledged_at: row.get::<_, Option<i64>>(4)?.map(UnixMs),
        })
    })?;
    rows.collect()
}

/// The keys of alerts that were resolved at some time.
pub(super) fn ended(tx: &Transaction<'_>, key: Key, profile: &Profile) -> rusqlite::Result<HashSet<String>> {
    let mut some = tx.prepare_cached(
        "SELECT DISTINCT alert_key FROM alerts WHERE tenant = ?1 AND profile = ?2 AND state = 'resolved'",
    )?;
    some.query_map((key.tenant, profile.id.to_string()), |row| row.get(0))?.collect()
}

/// The mutes that are kept, also those that are over.
pub(super) fn mutes(tx: &Transaction<'_>, key: Key, profile: &Profile) -> rusqlite::Result<Vec<Mute>> {
    let mut some = tx.prepare_cached(
        "SELECT pattern, from_ms, until_ms, reason FROM alert_mutes WHERE tenant = ?1 AND profile = ?2 \
         ORDER BY until_ms, pattern",
    )?;
    let rows = some.query_map((key.tenant, profile.id.to_string()), |row| {
        Ok(Mute { pattern: row.get(0)?, from: UnixMs(row.get(1)?), until: UnixMs(row.get(2)?), reason: row.get(3)? })
    })?;
    rows.collect()
}

impl Store {
    /// Alerts that stood at any time of a window, each occurrence once, by when they began.
    pub fn alerts_in(&self, profile: &Profile, window: Window) -> Result<Vec<PeriodAlert>> {
        let key = self.key(profile)?;
        let mut some = self.sql(self.db.prepare_cached(
            "SELECT alert_key, severity, title, detected_ms, resolved_ms FROM alerts WHERE tenant = ?1 \
             AND profile = ?2 AND detected_ms < ?4 AND (resolved_ms IS NULL OR resolved_ms >= ?3) \
             ORDER BY detected_ms, alert_key",
        ))?;
        let of = (key.tenant, profile.id.to_string(), window.start.0, window.end.0);
        let rows = some.query_map(of, |row| {
            Ok(PeriodAlert {
                alert_key: row.get(0)?,
                severity: row.get::<_, Named<Severity>>(1)?.0,
                title: row.get(2)?,
                detected_at: Time(UnixMs(row.get(3)?)),
                resolved_at: row.get::<_, Option<i64>>(4)?.map(|at| Time(UnixMs(at))),
            })
        });
        self.sql(self.sql(rows)?.collect())
    }

    /// Brings the profile's alerts in line with what was found, and puts what there is to tell into the outbox. Gives the
    /// number of messages.
    pub fn put_judged(&self, profile: &Profile, judged: &Judged<'_>) -> Result<usize> {
        let key = self.key(profile)?;
        self.write(|tx| self.sql(put(tx, key, profile, &self.telling, judged, &Digest::default())))
    }
}

/// The digest that goes out with a report.
#[derive(Debug, Default)]
struct Digest {
    /// The channels that get it: they need no message of their own about what stands in it.
    channels: Vec<String>,
    /// Whether it is the profile's first: then it alone tells what is not critical.
    first: bool,
}

/// Takes a report's alerts, and puts its digest into the outbox.
pub(super) fn put_report(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    telling: &Telling,
    report: &Report,
) -> rusqlite::Result<()> {
    let event = digest(profile, report);
    let earlier: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM reports WHERE tenant = ?1 AND profile = ?2 AND id <> ?3 \
         AND generation_status <> 'failed' AND backfilled = 0)",
        (key.tenant, profile.id.to_string(), report.report_id.to_string()),
        |row| row.get(0),
    )?;
    let digest = Digest { channels: telling.channels(&event).map(str::to_owned).collect(), first: !earlier };
    let (at, by) = (report.window_end.0, By::Report(report.report_id));
    let judged = Judged { at, alerts: &report.alerts, rules: &report.judged_rules, by };
    put(tx, key, profile, telling, &judged, &digest)?;
    outbox::put(tx, key, Some(profile), telling, &event, telling.not_before(&event))?;
    Ok(())
}

/// The digest: as bad as the worst alert that is not muted. Its message is made from the report when it is sent.
fn digest(profile: &Profile, report: &Report) -> Event {
    let summary = &report.summary;
    let score = summary.overall_score.map(|score| format!("score {score}, ")).unwrap_or_default();
    let wrong = match (summary.critical_alerts, summary.warnings) {
        (0, 0) => "nothing wrong".to_owned(),
        (critical, warnings) => format!("{critical} critical, {warnings} to look at"),
    };
    Event {
        key: format!("report:{}", report.report_id),
        kind: EventKind::Report,
        at: report.created_at.0,
        severity: report.worst_told(),
        about: Some(about(profile)),
        title: format!("Report of {}: {score}{wrong}", report.report_date),
        text: String::new(),
        alert_key: None,
        since: None,
        report_id: Some(report.report_id),
    }
}

/// The node of a profile, as events name it.
pub(super) fn about(profile: &Profile) -> About {
    About {
        user: profile.user.clone(),
        pubkey: profile.pubkey.clone(),
        alias: profile.alias.clone(),
        network: profile.network,
    }
}

/// Keeps how an open row stands.
fn keep(tx: &Transaction<'_>, key: Key, id: &str, standing: &Standing) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE alerts SET severity = ?3, told = ?4, told_ms = ?5, told_severity = ?6, flapping = ?7, gone_ms = ?8, \
         acknowledged_ms = CASE WHEN ?9 THEN acknowledged_ms ELSE NULL END WHERE tenant = ?1 AND id = ?2",
    )?
    .execute(params![
        key.tenant,
        id,
        name_of(&standing.severity),
        standing.told,
        standing.told_at.map(|at| at.0),
        standing.known.map(|known| name_of(&known)),
        standing.flapping,
        standing.gone_since.map(|at| at.0),
        standing.acknowledged,
    ])?;
    Ok(())
}

/// One line of an alert's life.
struct Note<'a> {
    at: UnixMs,
    kind: &'a str,
    severity: Severity,
    /// What it came with: a report, a look, an act.
    with: &'a str,
    text: Option<&'a str>,
}

impl Note<'_> {
    fn put(&self, tx: &Transaction<'_>, key: Key, alert: &str) -> rusqlite::Result<()> {
        tx.prepare_cached(
            "INSERT INTO alert_events (tenant, alert, at_ms, kind, severity, report, note) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, alert, report, kind) DO NOTHING",
        )?
        .execute((key.tenant, alert, self.at.0, self.kind, name_of(&self.severity), self.with, self.text))?;
        Ok(())
    }
}
