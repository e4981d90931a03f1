//! One look being taken in: what it found is held against what is open, kept, and told.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, Transaction, params};

use super::{By, Digest, Judged, Note, RUN_MS, about, keep, mutes};
use crate::history::Mute;
use crate::notice::{Ended, Look, Missed, Occurrence, Say, Standing, Telling};
use crate::report::{Alert, Severity};
use crate::store::profiles::{Key, Profile};
use crate::store::{Named, name_of, new_id, outbox};
use crate::units::UnixMs;

/// A row that is open.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) alert_key: String,
    rule: String,
    title: String,
    description: String,
    last: UnixMs,
    pub(super) standing: Standing,
}

/// The row's columns that [`row`] reads.
pub(super) const ROW: &str = "SELECT id, alert_key, rule, title, description, last_ms, severity, detected_ms, acknowledged_ms, \
    told, told_ms, told_severity, flapping, gone_ms FROM alerts";

pub(super) fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let at = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(UnixMs));
    let standing = Standing {
        severity: row.get::<_, Named<Severity>>(6)?.0,
        opened: UnixMs(row.get(7)?),
        acknowledged: at(8)?.is_some(),
        told: row.get(9)?,
        told_at: at(10)?,
        known: row.get::<_, Option<Named<Severity>>>(11)?.map(|known| known.0),
        flapping: row.get(12)?,
        gone_since: at(13)?,
    };
    Ok(Row {
        id: row.get(0)?,
        alert_key: row.get(1)?,
        rule: row.get(2)?,
        title: row.get(3)?,
        description: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        last: UnixMs(row.get(5)?),
        standing,
    })
}

/// Takes a look in. Gives the number of messages.
pub(super) fn put(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    telling: &Telling,
    judged: &Judged<'_>,
    digest: &Digest,
) -> rusqlite::Result<usize> {
    let mutes = mutes(tx, key, profile)?;
    let id = match judged.by {
        By::Report(id) => id,
        By::Watch => new_id(judged.at),
    };
    let mut taking = Taking { tx, key, profile, telling, judged, digest, mutes, id: id.to_string(), messages: 0 };
    taking.calmed()?;
    let mut before = taking.standing()?;
    let mut seen: HashSet<&str> = HashSet::new();
    // A key that was found twice stands once.
    for alert in judged.alerts.iter().filter(|alert| seen.insert(&alert.alert_key)) {
        match before.remove(&alert.alert_key) {
            Some(row) => taking.again(row, alert)?,
            None => taking.begin(alert)?,
        }
    }
    let all = matches!(judged.by, By::Report(_)) && judged.rules.is_empty();
    for row in before.into_values().filter(|row| all || judged.rules.contains(&row.rule)) {
        taking.missed(row)?;
    }
    Ok(taking.messages)
}

/// One look being taken in.
pub(super) struct Taking<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) key: Key,
    pub(super) profile: &'a Profile,
    pub(super) telling: &'a Telling,
    pub(super) judged: &'a Judged<'a>,
    pub(super) digest: &'a Digest,
    pub(super) mutes: Vec<Mute>,
    /// What events of this look name as what they came with.
    pub(super) id: String,
    pub(super) messages: usize,
}

impl Taking<'_> {
    /// The rows that are open, by their key.
    fn standing(&self) -> rusqlite::Result<HashMap<String, Row>> {
        let sql = format!("{ROW} INDEXED BY alerts_open WHERE tenant = ?1 AND profile = ?2 AND state = 'open'");
        let mut some = self.tx.prepare_cached(&sql)?;
        let rows = some.query_map((self.key.tenant, self.profile.id.to_string()), row)?;
        rows.map(|row| row.map(|row| (row.alert_key.clone(), row))).collect()
    }

    pub(super) fn look(&self, alert_key: &str) -> Look<'_> {
        let rhythm = &self.telling.rhythm;
        let rule = alert_key.split(':').next().unwrap_or_default();
        Look {
            at: self.judged.at,
            muted: self.mutes.iter().any(|mute| mute.covers(alert_key, self.judged.at)),
            passing: rhythm.passing.iter().any(|name| name == rule),
            rhythm,
        }
    }

    /// Whether another look, that was stored before, saw the node later than this one.
    fn stale(&self, last: UnixMs) -> bool {
        let ahead = last.since(self.judged.at);
        ahead > 0 && ahead < RUN_MS
    }

    fn report(&self) -> &str {
        match self.judged.by {
            By::Report(_) => &self.id,
            By::Watch => "",
        }
    }

    /// It was open, and is there.
    fn again(&mut self, mut row: Row, alert: &Alert) -> rusqlite::Result<()> {
        if self.stale(row.last) {
            return Ok(());
        }
        let look = self.look(&alert.alert_key);
        let before = row.standing.severity;
        let say = row.standing.found(alert.severity, &look);
        let muted = look.muted;
        row.title.clone_from(&alert.title);
        row.description.clone_from(&alert.description);
        self.tx
            .prepare_cached(
                "UPDATE alerts SET title = ?3, description = ?4, requires_action = ?5, last_ms = ?6, \
                 last_report = CASE WHEN ?7 = '' THEN last_report ELSE ?7 END WHERE tenant = ?1 AND id = ?2",
            )?
            .execute(params![
                self.key.tenant,
                row.id,
                alert.title,
                alert.description,
                alert.requires_action,
                self.judged.at.0,
                self.report(),
            ])?;
        if before != alert.severity {
            let kind = if alert.severity > before { "raised" } else { "lowered" };
            self.note(&row, kind, None)?;
        }
        self.tell(&mut row, say)?;
        self.keep(&mut row, muted)
    }

    /// It was not open: a new occurrence.
    fn begin(&mut self, alert: &Alert) -> rusqlite::Result<()> {
        let ended = self.last(&alert.alert_key)?;
        if ended.as_ref().is_some_and(|(_, ended)| self.stale(ended.at)) {
            return Ok(());
        }
        let openings = self.openings(&alert.alert_key)?;
        let look = self.look(&alert.alert_key);
        let occurrence = ended.as_ref().map_or(1, |(occurrence, _)| occurrence + 1);
        let mut standing = Standing::new(alert.severity, openings, ended.map(|(_, ended)| ended), &look);
        let say = standing.found(alert.severity, &look);
        let muted = look.muted;
        // One that was open when the report was begun, and no longer is, begins now.
        let detected = if alert.ongoing { look.at } else { alert.detected_at.0.min(look.at) };
        standing.opened = detected;
        let id = new_id(look.at).to_string();
        self.tx
            .prepare_cached(
                "INSERT INTO alerts (tenant, id, profile, alert_key, rule, subject, severity, title, description, \
                 requires_action, state, detected_ms, last_ms, first_report, last_report, occurrence) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'open', ?11, ?12, ?13, ?13, ?14)",
            )?
            .execute(params![
                self.key.tenant,
                id,
                self.profile.id.to_string(),
                alert.alert_key,
                alert.rule,
                alert.subject,
                name_of(&alert.severity),
                alert.title,
                alert.description,
                alert.requires_action,
                detected.0,
                self.judged.at.0,
                self.report(),
                occurrence,
            ])?;
        let mut row = Row {
            id,
            alert_key: alert.alert_key.clone(),
            rule: alert.rule.clone(),
            title: alert.title.clone(),
            description: alert.description.clone(),
            last: self.judged.at,
            standing,
        };
        self.note(&row, "opened", None)?;
        self.tell(&mut row, say)?;
        self.keep(&mut row, muted)
    }

    /// The latest occurrence of a key, which ended: its number, and how it ended.
    fn last(&self, alert_key: &str) -> rusqlite::Result<Option<(u32, Ended)>> {
        let mut last = self.tx.prepare_cached(
            "SELECT occurrence, resolved_ms, flapping, told_severity FROM alerts INDEXED BY alerts_by_key WHERE tenant = ?1 AND profile = ?2 \
             AND alert_key = ?3 AND state = 'resolved' ORDER BY occurrence DESC, resolved_ms DESC LIMIT 1",
        )?;
        let found = last.query_row((self.key.tenant, self.profile.id.to_string(), alert_key), |row| {
            let known = row.get::<_, Option<Named<Severity>>>(3)?.map(|known| known.0);
            let at = UnixMs(row.get::<_, Option<i64>>(1)?.unwrap_or_default());
            Ok((row.get(0)?, Ended { at, flapping: row.get(2)?, known }))
        });
        found.optional()
    }

    /// How often a key was opened within the time that flaps are counted over.
    fn openings(&self, alert_key: &str) -> rusqlite::Result<u32> {
        let from = self.judged.at.plus(-self.telling.rhythm.flap_ms);
        let mut some = self.tx.prepare_cached(
            "SELECT count(*) FROM alerts WHERE tenant = ?1 AND profile = ?2 AND alert_key = ?3 AND detected_ms > ?4",
        )?;
        some.query_row((self.key.tenant, self.profile.id.to_string(), alert_key, from.0), |row| row.get(0))
    }

    /// It was open, its rule was judged, and it is not there.
    fn missed(&mut self, mut row: Row) -> rusqlite::Result<()> {
        if self.stale(row.last) {
            return Ok(());
        }
        let look = self.look(&row.alert_key);
        let muted = look.muted;
        match row.standing.clone().missed(self.judged.by == By::Watch, &look) {
            Missed::Waits(standing) => {
                row.standing = standing;
                self.keep(&mut row, muted)
            }
            Missed::Over(say) => self.over(&mut row, say),
        }
    }

    /// It is over.
    pub(super) fn over(&mut self, row: &mut Row, say: Option<Say>) -> rusqlite::Result<()> {
        self.tx
            .prepare_cached(
                "UPDATE alerts SET state = 'resolved', resolved_ms = ?3, \
                 last_report = CASE WHEN ?4 = '' THEN last_report ELSE ?4 END WHERE tenant = ?1 AND id = ?2",
            )?
            .execute(params![self.key.tenant, row.id, self.judged.at.0, self.report()])?;
        self.note(row, "resolved", None)?;
        self.tell(row, say)
    }

    /// What flapped and has been gone for long enough is told to be over, and no longer damped.
    fn calmed(&mut self) -> rusqlite::Result<()> {
        let until = self.judged.at.plus(-self.telling.rhythm.flap_ms);
        let sql = format!(
            "{ROW} AS a WHERE tenant = ?1 AND profile = ?2 AND state = 'resolved' AND flapping = 1 \
             AND resolved_ms <= ?3 AND NOT EXISTS (SELECT 1 FROM alerts AS b INDEXED BY alerts_by_key WHERE b.tenant = ?1 AND b.profile = ?2 \
             AND b.alert_key = a.alert_key AND b.occurrence > a.occurrence)"
        );
        let rows: Vec<Row> = {
            let mut some = self.tx.prepare_cached(&sql)?;
            let rows = some.query_map((self.key.tenant, self.profile.id.to_string(), until.0), row)?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for mut row in rows {
            let of = (self.key.tenant, self.profile.id.to_string(), &row.alert_key);
            let told: bool = self
                .tx
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM alerts WHERE tenant = ?1 AND profile = ?2 AND alert_key = ?3 \
                     AND flapping = 1 AND told > 0)",
                )?
                .query_row(of.clone(), |row| row.get(0))?;
            self.tx
                .prepare_cached("UPDATE alerts SET flapping = 0 WHERE tenant = ?1 AND profile = ?2 AND alert_key = ?3")?
                .execute(of)?;
            let look = self.look(&row.alert_key);
            let say = (told && !look.muted && !look.passing).then_some(Say::Resolved);
            self.tell(&mut row, say)?;
        }
        Ok(())
    }

    /// Puts what there is to say into the outbox, and notes in the row that it is told.
    fn tell(&mut self, row: &mut Row, say: Option<Say>) -> rusqlite::Result<()> {
        let Some(say) = say else { return Ok(()) };
        let at = self.judged.at;
        let one = Occurrence {
            id: &row.id,
            alert_key: &row.alert_key,
            title: &row.title,
            description: &row.description,
            standing: &row.standing,
        };
        let event = one.event(say, about(self.profile), at, &self.telling.rhythm);
        let critical = event.severity == Severity::Critical;
        if self.digest.first && !critical {
            return Ok(());
        }
        let others = self.telling.without(&self.digest.channels);
        let telling = if critical { self.telling } else { &others };
        let channels: Vec<&str> = telling.channels(&event).collect();
        if channels.is_empty() {
            return Ok(());
        }
        let not_before = telling.not_before(&event);
        self.messages += outbox::put(self.tx, self.key, Some(self.profile), telling, &event, not_before)?;
        let kind = if say == Say::Repeated { "repeated" } else { "told" };
        self.note(row, kind, Some(&channels.join(", ")))?;
        if say != Say::Resolved {
            row.standing.tell(not_before);
        }
        Ok(())
    }

    /// Keeps how an open row stands. What stands in a digest is known to those who get it, and all that is not critical in
    /// a first one; of what is critical only a message of its own counts.
    fn keep(&self, row: &mut Row, muted: bool) -> rusqlite::Result<()> {
        let by_digest = self.digest.first || !self.digest.channels.is_empty();
        if by_digest && !muted && row.standing.severity < Severity::Critical {
            row.standing.known();
        }
        keep(self.tx, self.key, &row.id, &row.standing)
    }

    fn note(&self, row: &Row, kind: &str, note: Option<&str>) -> rusqlite::Result<()> {
        let with = Note { at: self.judged.at, kind, severity: row.standing.severity, with: &self.id, text: note };
        with.put(self.tx, self.key, &row.id)
    }
}
