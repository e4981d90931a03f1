//! Alerts as they are looked up: each occurrence with all that was said of it and sent.

use rusqlite::Row;
use uuid::Uuid;

use crate::report::Severity;
use crate::store::error::Result;
use crate::store::profiles::Profile;
use crate::store::{Named, Parsed, Store};
use crate::units::UnixMs;

/// One occurrence of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// Its row.
    pub id: Uuid,
    /// `rule:subject`.
    pub alert_key: String,
    /// The rule.
    pub rule: String,
    /// What it is about.
    pub subject: String,
    /// How bad it is, or was at last.
    pub severity: Severity,
    /// Its one line.
    pub title: String,
    /// What was seen and what to do; empty for one that an older daznode opened.
    pub description: String,
    /// Whether the operator must act.
    pub requires_action: bool,
    /// When it was first seen.
    pub opened_at: UnixMs,
    /// When it was last seen.
    pub last_at: UnixMs,
    /// When it was over.
    pub resolved_at: Option<UnixMs>,
    /// When it was acknowledged, as bad as it is.
    pub acknowledged_at: Option<UnixMs>,
    /// When it was first acknowledged, also where it got worse since.
    pub first_acknowledged_at: Option<UnixMs>,
    /// Which one of its key: 1 for the first.
    pub occurrence: u32,
    /// Whether it is damped because it comes and goes.
    pub flapping: bool,
    /// Messages that were put on their way.
    pub told: u32,
}

/// One line of an alert's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertEvent {
    /// When.
    pub at: UnixMs,
    /// `opened`, `raised`, `lowered`, `resolved`, `acknowledged`, `commented`, `muted`, `unmuted`, `told` or `repeated`.
    pub kind: String,
    /// How bad it was then.
    pub severity: Severity,
    /// A comment, the reason of a mute, the channels of a message.
    pub note: Option<String>,
}

/// One message about an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertMessage {
    /// The channel.
    pub channel: String,
    /// The kind of event.
    pub kind: String,
    /// `waiting`, `sent` or `dead`.
    pub state: String,
    /// When it was put on its way.
    pub created_at: UnixMs,
    /// When it was sent, or given up.
    pub ended_at: Option<UnixMs>,
    /// Tries so far.
    pub tries: u32,
}

const COLUMNS: &str = "SELECT a.id, a.alert_key, a.rule, a.subject, a.severity, a.title, a.description, \
    a.requires_action, a.detected_ms, a.last_ms, a.resolved_ms, a.acknowledged_ms, a.occurrence, a.flapping, a.told, \
    (SELECT min(e.at_ms) FROM alert_events AS e WHERE e.tenant = a.tenant AND e.alert = a.id AND e.kind = 'acknowledged') \
    FROM alerts AS a";

fn read(row: &Row<'_>) -> rusqlite::Result<AlertRow> {
    let at = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(UnixMs));
    Ok(AlertRow {
        id: row.get::<_, Parsed<Uuid>>(0)?.0,
        alert_key: row.get(1)?,
        rule: row.get(2)?,
        subject: row.get(3)?,
        severity: row.get::<_, Named<Severity>>(4)?.0,
        title: row.get(5)?,
        description: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
        requires_action: row.get(7)?,
        opened_at: UnixMs(row.get(8)?),
        last_at: UnixMs(row.get(9)?),
        resolved_at: at(10)?,
        acknowledged_at: at(11)?,
        occurrence: row.get(12)?,
        flapping: row.get(13)?,
        told: row.get(14)?,
        first_acknowledged_at: at(15)?,
    })
}

impl Store {
    /// The occurrences that are open, or were at `since` or later: the worst first, then the newest.
    pub fn alert_rows(&self, profile: &Profile, since: UnixMs) -> Result<Vec<AlertRow>> {
        let key = self.key(profile)?;
        let sql = format!(
            "{COLUMNS} WHERE a.tenant = ?1 AND a.profile = ?2 AND (a.state = 'open' OR a.resolved_ms >= ?3) \
             ORDER BY CASE a.severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, a.detected_ms DESC, \
             a.alert_key"
        );
        let mut some = self.sql(self.db.prepare_cached(&sql))?;
        let rows = some.query_map((key.tenant, profile.id.to_string(), since.0), read);
        self.sql(self.sql(rows)?.collect())
    }

    /// All that happened to one occurrence, in its order.
    pub fn alert_events(&self, profile: &Profile, id: Uuid) -> Result<Vec<AlertEvent>> {
        let key = self.key(profile)?;
        let mut some = self.sql(self.db.prepare_cached(
            "SELECT at_ms, kind, severity, note FROM alert_events WHERE tenant = ?1 AND alert = ?2 \
             ORDER BY at_ms, report, kind = 'told', kind",
        ))?;
        let rows = some.query_map((key.tenant, id.to_string()), |row| {
            Ok(AlertEvent {
                at: UnixMs(row.get(0)?),
                kind: row.get(1)?,
                severity: row.get::<_, Named<Severity>>(2)?.0,
                note: row.get(3)?,
            })
        });
        self.sql(self.sql(rows)?.collect())
    }

    /// The messages about one occurrence that are still kept, in their order.
    pub fn alert_messages(&self, profile: &Profile, id: Uuid) -> Result<Vec<AlertMessage>> {
        let key = self.key(profile)?;
        let mut some = self.sql(self.db.prepare_cached(
            "SELECT channel, kind, state, created_ms, ended_ms, tries FROM outbox WHERE tenant = ?1 AND profile = ?2 \
             AND idempotency_key LIKE ?3 ORDER BY created_ms, channel",
        ))?;
        let keys = format!("alert:{id}:%");
        let rows = some.query_map((key.tenant, profile.id.to_string(), keys), |row| {
            Ok(AlertMessage {
                channel: row.get(0)?,
                kind: row.get(1)?,
                state: row.get(2)?,
                created_at: UnixMs(row.get(3)?),
                ended_at: row.get::<_, Option<i64>>(4)?.map(UnixMs),
                tries: row.get(5)?,
            })
        });
        self.sql(self.sql(rows)?.collect())
    }
}
