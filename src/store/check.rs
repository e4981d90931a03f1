//! Whether what is stored is whole.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::Transaction;
use uuid::Uuid;

use super::error::{Error, Result};
use super::reports::{self, Stored};
use super::snapshots::sha256;
use super::{Store, schema};
use crate::units::UnixMs;

/// What a look through the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What SQLite says of its file; empty where it is sound.
    pub integrity: Vec<String>,
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
    /// Reports that were read.
    pub reports: u32,
    /// Reports whose document is not the one that was announced.
    pub damaged: Vec<DamagedReport>,
    /// Messages that are still to be sent.
    pub waiting_messages: u32,
    /// Files that were held against the stored documents.
    pub files: u32,
    /// Files still to be written.
    pub pending_files: u32,
    /// Files that should be there and are not.
    pub missing_files: Vec<PathBuf>,
    /// Files that differ from the stored document.
    pub changed_files: Vec<PathBuf>,
}

/// A report whose document is not the one that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedReport {
    /// Its id.
    pub report_id: Uuid,
    /// What is wrong.
    pub reason: String,
}

impl Checked {
    /// Nothing is damaged, missing or changed.
    pub const fn is_whole(&self) -> bool {
        self.integrity.is_empty()
            && self.damaged.is_empty()
            && self.missing_files.is_empty()
            && self.changed_files.is_empty()
    }

    /// What is wrong with the database itself, a line each.
    pub fn database_faults(&self) -> Vec<String> {
        let damaged = self.damaged.iter().map(|d| format!("report {}: {}", d.report_id, d.reason));
        self.integrity.iter().cloned().chain(damaged).collect()
    }
}

/// Tenant, profile, kind of period and its first day.
type PeriodKey = (i64, String, String, i64);

/// What a report's file should be.
pub(super) struct Current {
    pub tenant: i64,
    pub file: String,
    pub report: String,
    pub sha256: String,
    revision: u32,
}

impl Current {
    /// Whether the file below `state` is the stored document; `None` where it can't be read.
    pub(super) fn is_written(&self, state: &Path) -> Option<bool> {
        std::fs::read(state.join(&self.file)).ok().map(|bytes| sha256(&bytes) == self.sha256)
    }
}

/// The columns of one report that are held against its document, and where its file belongs.
struct Row {
    tenant: i64,
    key: PeriodKey,
    revision: u32,
    stored: Stored,
}

impl Store {
    /// Looks through the whole store: SQLite's own check, each document's hash, each row's figures, each file.
    pub fn check(&self) -> Result<Checked> {
        self.read(|tx| {
            let (mut checked, current) = self.look(tx)?;
            let pending =
                self.sql(pending(tx).or_else(|e| if checked.is_whole() { Err(e) } else { Ok(HashSet::new()) }))?;
            checked.pending_files = u32::try_from(pending.len()).unwrap_or(u32::MAX);
            self.check_files(&current, &pending, &mut checked);
            Ok(checked)
        })
    }

    /// The same without the files, and what those should be.
    pub(super) fn check_database(&self) -> Result<(Checked, Vec<Current>)> {
        self.read(|tx| self.look(tx))
    }

    fn look(&self, tx: &Transaction<'_>) -> Result<(Checked, Vec<Current>)> {
        let mut checked = Checked::default();
        // A damaged page may stop the check itself.
        match integrity(tx) {
            Ok(lines) => checked.integrity = lines,
            Err(e) => checked.integrity.push(e.to_string()),
        }
        let found = self.count(tx, &mut checked).and_then(|()| self.check_reports(tx, &mut checked));
        let current = match found {
            Err(Error::Damaged { reason, .. }) => {
                checked.integrity.push(reason);
                Vec::new()
            }
            other => other?,
        };
        Ok((checked, current))
    }

    fn count(&self, tx: &Transaction<'_>, checked: &mut Checked) -> Result<()> {
        checked.tables = self.sql(tables(tx))?;
        // The first shape of this table has no states, and never had a row.
        let waiting = "SELECT count(tenant) FROM outbox WHERE state = 'waiting'";
        if checked.tables.get("outbox").is_some_and(|rows| *rows > 0) {
            checked.waiting_messages = self.sql(tx.query_row(waiting, [], |row| row.get(0)))?;
        }
        Ok(())
    }

    /// Checks every document; returns what each file should be.
    fn check_reports(&self, tx: &Transaction<'_>, checked: &mut Checked) -> Result<Vec<Current>> {
        // Rows of an older version are held against their documents once they are of this one.
        let is_newest = self.sql(schema::version(tx))? == schema::newest();
        let mut all = self.sql(tx.prepare(
            "SELECT tenant, profile, period_start, revision, id, file, sha256, document, rag_indexed, updated_ms, period \
             FROM reports WHERE document IS NOT NULL",
        ))?;
        let mut rows = self.sql(all.query([]))?;
        let mut newest: HashMap<PeriodKey, Current> = HashMap::new();
        while let Some(row) = self.sql(rows.next())? {
            checked.reports += 1;
            let row = self.sql(read(row))?;
            let id = row.stored.id.clone();
            let has_figures = row.key.2 == "day" && is_newest;
            if let Some(file) = row.stored.file.clone() {
                let (tenant, revision, sha256) = (row.tenant, row.revision, row.stored.sha256.clone());
                let this = Current { tenant, file, report: id.clone(), sha256, revision };
                if newest.get(&row.key).is_none_or(|best| best.revision < revision) {
                    newest.insert(row.key, this);
                }
            }
            if let Some(reason) = self.fault(tx, row.tenant, row.stored, has_figures)? {
                let report_id = id.parse().unwrap_or(Uuid::nil());
                checked.damaged.push(DamagedReport { report_id, reason });
            }
        }
        Ok(newest.into_values().collect())
    }

    /// What is wrong with a stored report. What stands in one of a longer period only its maker knows.
    fn fault(&self, tx: &Transaction<'_>, tenant: i64, stored: Stored, has_figures: bool) -> Result<Option<String>> {
        let id = stored.id.clone();
        if !has_figures {
            return match self.open_document(&id, &stored.sha256, &stored.body) {
                Err(Error::Damaged { reason, .. }) => Ok(Some(reason)),
                other => other.map(|_| None),
            };
        }
        let found = match self.open_report(stored) {
            Err(Error::Damaged { reason, .. }) => return Ok(Some(reason)),
            other => other?,
        };
        let row = reports::stored_day(tx, tenant, &id);
        let mut said = reports::day_of(&found.report);
        // Not in a row of an older daznode.
        if row.as_ref().is_ok_and(|row| row.forwards.is_none()) {
            said.forwards = None;
        }
        Ok(match row {
            Ok(row) if row == said => None,
            Ok(_) => Some(format!("the figures beside report {id} are not those of its document")),
            Err(e) => Some(format!("the figures beside report {id} can't be read: {e}")),
        })
    }

    fn check_files(&self, current: &[Current], pending: &HashSet<String>, checked: &mut Checked) {
        for one in current.iter().filter(|one| !pending.contains(&one.file)) {
            checked.files += 1;
            match one.is_written(&self.state) {
                Some(true) => {}
                Some(false) => checked.changed_files.push(self.state.join(&one.file)),
                None => checked.missing_files.push(self.state.join(&one.file)),
            }
        }
        checked.changed_files.sort();
        checked.missing_files.sort();
    }
}

fn integrity(tx: &Transaction<'_>) -> rusqlite::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut check = tx.prepare("PRAGMA integrity_check(20)")?;
    for line in check.query_map([], |row| row.get::<_, String>(0))? {
        lines.push(line?);
    }
    lines.retain(|line| line != "ok");
    let mut orphans = tx.prepare("PRAGMA foreign_key_check")?;
    for table in orphans.query_map([], |row| row.get::<_, String>(0))? {
        lines.push(format!("a row of {} belongs to nothing", table?));
    }
    Ok(lines)
}

fn tables(tx: &Transaction<'_>) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut all =
        tx.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")?;
    let names: Vec<String> = all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    // The schema was held against ours: these are the names of our tables.
    let count = |name: String| {
        let rows: i64 = tx.query_row(&format!("SELECT count(tenant) FROM \"{name}\""), [], |row| row.get(0))?;
        Ok((name, rows.unsigned_abs()))
    };
    names.into_iter().map(count).collect()
}

fn pending(tx: &Transaction<'_>) -> rusqlite::Result<HashSet<String>> {
    let mut all = tx.prepare("SELECT file FROM pending_files WHERE tenant > 0")?;
    let rows = all.query_map([], |row| row.get(0))?;
    rows.collect()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let tenant = row.get(0)?;
    let stored = Stored {
        id: row.get(4)?,
        profile: row.get(1)?,
        file: row.get(5)?,
        sha256: row.get(6)?,
        body: row.get(7)?,
        rag_indexed: row.get(8)?,
        updated_at: UnixMs(row.get(9)?),
    };
    Ok(Row { tenant, key: (tenant, row.get(1)?, row.get(10)?, row.get(2)?), revision: row.get(3)?, stored })
}
