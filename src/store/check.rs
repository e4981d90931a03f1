//! Whether what is stored is whole.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use rusqlite::Transaction;
use uuid::Uuid;

use super::Store;
use super::error::{Error, Result};
use super::reports::{self, Stored};
use super::snapshots::sha256;
use crate::units::UnixMs;

/// What a look through the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What SQLite says of its file; empty where it is sound.
    pub integrity: Vec<String>,
    /// Reports that were read.
    pub reports: u32,
    /// Reports whose document is not the one that was announced.
    pub damaged: Vec<DamagedReport>,
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
}

/// Tenant, profile, kind of period and its first day.
type PeriodKey = (i64, String, String, i64);

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
            let mut checked = Checked::default();
            // A damaged page may stop the check itself.
            match integrity(tx) {
                Ok(lines) => checked.integrity = lines,
                Err(e) => checked.integrity.push(e.to_string()),
            }
            let pending = self.sql(pending(tx))?;
            checked.pending_files = u32::try_from(pending.len()).unwrap_or(u32::MAX);
            let current = match self.check_reports(tx, &mut checked) {
                Err(Error::Damaged { reason, .. }) => {
                    checked.integrity.push(reason);
                    return Ok(checked);
                }
                other => other?,
            };
            self.check_files(current, &pending, &mut checked);
            Ok(checked)
        })
    }

    /// Checks every document; returns the hash of each file that should be there.
    fn check_reports(&self, tx: &Transaction<'_>, checked: &mut Checked) -> Result<HashMap<String, String>> {
        let mut all = self.sql(tx.prepare(
            "SELECT tenant, profile, period_start, revision, id, file, sha256, document, rag_indexed, updated_ms, period \
             FROM reports WHERE document IS NOT NULL",
        ))?;
        let mut rows = self.sql(all.query([]))?;
        let mut newest: HashMap<PeriodKey, (u32, String, String)> = HashMap::new();
        while let Some(row) = self.sql(rows.next())? {
            checked.reports += 1;
            let row = self.sql(read(row))?;
            let id = row.stored.id.clone();
            let is_day = row.key.2 == "day";
            if let Some(file) = row.stored.file.clone() {
                let hash = row.stored.sha256.clone();
                let best = newest.entry(row.key).or_insert((row.revision, file.clone(), hash.clone()));
                if best.0 < row.revision {
                    *best = (row.revision, file, hash);
                }
            }
            if let Some(reason) = self.fault(tx, row.tenant, row.stored, is_day)? {
                let report_id = id.parse().unwrap_or(Uuid::nil());
                checked.damaged.push(DamagedReport { report_id, reason });
            }
        }
        Ok(newest.into_values().map(|(_, file, hash)| (file, hash)).collect())
    }

    /// What is wrong with a stored report. What stands in one of a longer period only its maker knows.
    fn fault(&self, tx: &Transaction<'_>, tenant: i64, stored: Stored, is_day: bool) -> Result<Option<String>> {
        let id = stored.id.clone();
        if !is_day {
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

    fn check_files(&self, current: HashMap<String, String>, pending: &HashSet<String>, checked: &mut Checked) {
        for (file, hash) in current {
            if pending.contains(&file) {
                continue;
            }
            let path = self.state.join(&file);
            match std::fs::read(&path) {
                Ok(bytes) if sha256(&bytes) == hash => {}
                Ok(_) => checked.changed_files.push(path),
                Err(_) => checked.missing_files.push(path),
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
