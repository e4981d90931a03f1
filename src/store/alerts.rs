//! Alerts over the days: one row for each key and occurrence, raised, lowered and resolved by the reports.

use std::collections::HashMap;

use rusqlite::{Transaction, params};

use super::error::Result;
use super::profiles::{Key, Profile};
use super::{Named, Store, name_of, new_id};
use crate::history::{OpenAlert, Window};
use crate::report::period::PeriodAlert;
use crate::report::{Report, Severity, Time};
use crate::units::UnixMs;

/// The alerts that are open.
pub(super) fn open(tx: &Transaction<'_>, key: Key, profile: &Profile) -> rusqlite::Result<Vec<OpenAlert>> {
    let mut some = tx.prepare_cached(
        "SELECT alert_key, severity, title, detected_ms FROM alerts \
         WHERE tenant = ?1 AND profile = ?2 AND state = 'open' ORDER BY detected_ms, alert_key",
    )?;
    let rows = some.query_map((key.tenant, profile.id.to_string()), |row| {
        Ok(OpenAlert {
            key: row.get(0)?,
            severity: row.get::<_, Named<Severity>>(1)?.0,
            title: row.get(2)?,
            since: UnixMs(row.get(3)?),
        })
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
}

/// Brings the rows in line with a report: what it has is open, what it has no longer is resolved where its rule could be
/// judged. A report that does not tell which rules were judged, as older ones, judged them all.
pub(super) fn put(tx: &Transaction<'_>, key: Key, profile: &Profile, report: &Report) -> rusqlite::Result<()> {
    let id = profile.id.to_string();
    let mut before: HashMap<String, (String, Severity, String)> = HashMap::new();
    {
        let mut some = tx.prepare_cached(
            "SELECT alert_key, id, severity, rule FROM alerts WHERE tenant = ?1 AND profile = ?2 AND state = 'open'",
        )?;
        let mut rows = some.query((key.tenant, &id))?;
        while let Some(row) = rows.next()? {
            before.insert(row.get(0)?, (row.get(1)?, row.get::<_, Named<Severity>>(2)?.0, row.get(3)?));
        }
    }
    let at = report.window_end.0;
    let report_id = report.report_id.to_string();
    let mut note = tx.prepare_cached(
        "INSERT INTO alert_events (tenant, alert, at_ms, kind, severity, report) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (tenant, alert, report, kind) DO NOTHING",
    )?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO alerts (tenant, id, profile, alert_key, rule, subject, severity, title, requires_action, state, \
         detected_ms, last_ms, first_report, last_report) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'open', ?10, ?11, ?12, ?12) \
         ON CONFLICT (tenant, profile, alert_key) WHERE state = 'open' DO NOTHING",
    )?;
    let mut update = tx.prepare_cached(
        "UPDATE alerts SET severity = ?3, title = ?4, requires_action = ?5, last_ms = ?6, last_report = ?7 \
         WHERE tenant = ?1 AND id = ?2",
    )?;
    for alert in &report.alerts {
        let severity = name_of(&alert.severity);
        if let Some((row, old, _)) = before.remove(&alert.alert_key) {
            update.execute(params![key.tenant, row, severity, alert.title, alert.requires_action, at.0, report_id])?;
            if old != alert.severity {
                let kind = if alert.severity > old { "raised" } else { "lowered" };
                note.execute((key.tenant, row, at.0, kind, &severity, &report_id))?;
            }
            continue;
        }
        let row = new_id(at).to_string();
        let added = insert.execute(params![
            key.tenant,
            row,
            id,
            alert.alert_key,
            alert.rule,
            alert.subject,
            severity,
            alert.title,
            alert.requires_action,
            alert.detected_at.0.0,
            at.0,
            report_id,
        ])?;
        if added > 0 {
            note.execute((key.tenant, row, at.0, "opened", &severity, &report_id))?;
        }
    }
    // A key that a report has twice is not resolved by its second.
    let judged = |rule: &String| report.judged_rules.is_empty() || report.judged_rules.contains(rule);
    before.retain(|_, (_, _, rule)| judged(rule));
    before.retain(|gone, _| !report.alerts.iter().any(|alert| alert.alert_key == *gone));
    let mut resolve = tx.prepare_cached(
        "UPDATE alerts SET state = 'resolved', resolved_ms = ?3, last_report = ?4 WHERE tenant = ?1 AND id = ?2",
    )?;
    for (row, severity, _) in before.into_values() {
        resolve.execute((key.tenant, &row, at.0, &report_id))?;
        note.execute((key.tenant, &row, at.0, "resolved", name_of(&severity), &report_id))?;
    }
    Ok(())
}
