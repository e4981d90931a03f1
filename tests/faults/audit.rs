//! Looks at a store from outside, by SQL and by the bytes of its files, and says what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use daznode::store::{Access, Store};
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

/// What a sound store holds.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// Every announced report: its id and the hash of its document.
    pub(crate) reports: BTreeMap<String, String>,
    /// Failed runs.
    pub(crate) failed: usize,
    /// Files that are still to be written.
    pub(crate) pending: BTreeSet<String>,
    /// Temporary files.
    pub(crate) temporary: Vec<PathBuf>,
    /// Of each node (tenant and pubkey): forwards, payments, invoices, transactions.
    pub(crate) events: BTreeMap<(i64, String), [i64; 4]>,
}

struct Row {
    id: String,
    file: String,
    sha256: String,
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What the store holds. Panics where it is not sound.
#[track_caller]
pub(crate) fn audit(state: &Path, known: &BTreeMap<String, String>) -> Audit {
    let db = Connection::open_with_flags(state.join("daznode.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let text = |sql: &str| -> Vec<String> {
        db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(text("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(text("SELECT \"table\" FROM pragma_foreign_key_check"), Vec::<String>::new());
    let mut audit = Audit {
        pending: text("SELECT file FROM pending_files").into_iter().collect(),
        failed: text("SELECT id FROM reports WHERE document IS NULL").len(),
        events: events(&db),
        ..Audit::default()
    };
    let rows: Vec<Row> = db
        .prepare("SELECT id, file, sha256 FROM reports WHERE document IS NOT NULL ORDER BY file, revision")
        .unwrap()
        .query_map([], |row| Ok(Row { id: row.get(0)?, file: row.get(1)?, sha256: row.get(2)? }))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(db);
    audit.reports = rows.iter().map(|row| (row.id.clone(), row.sha256.clone())).collect();
    for (id, sha256) in known {
        assert_eq!(audit.reports.get(id), Some(sha256), "report {id} was announced, and is gone or changed");
    }
    readable(state, &audit, known);
    files(state, &rows, &audit.pending);
    audit.temporary = walk(state).into_iter().filter(|path| is_temporary(path)).collect();
    audit
}

/// Every report that was not there before can be read by its id, as it was announced.
fn readable(state: &Path, audit: &Audit, known: &BTreeMap<String, String>) {
    let store = Store::open(state, Access::Read).unwrap();
    for (id, sha256) in audit.reports.iter().filter(|(id, _)| !known.contains_key(*id)) {
        let found = store.report_by_id(None, id.parse().unwrap()).unwrap();
        let found = found.unwrap_or_else(|| panic!("report {id} can't be read by its id"));
        assert_eq!(&hash(found.document.as_bytes()), sha256, "report {id}");
        assert_eq!(found.report.report_id.to_string(), *id);
    }
}

/// No file is half or foreign, and each that should be there is.
fn files(state: &Path, rows: &[Row], pending: &BTreeSet<String>) {
    let mut current: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in rows {
        current.insert(&row.file, row);
    }
    for (file, row) in &current {
        if !pending.contains(*file) {
            let bytes = std::fs::read(state.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
            assert_eq!(hash(&bytes), row.sha256, "{file} is not what report {} says", row.id);
        }
    }
    for path in walk(&state.join("reports")).into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let bytes = std::fs::read(&path).unwrap();
        let read: serde_json::Value =
            serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let id = read["report_id"].as_str().unwrap();
        let row = rows.iter().find(|row| row.id == id).unwrap_or_else(|| panic!("{} has no row", path.display()));
        assert_eq!(hash(&bytes), row.sha256, "{}", path.display());
        assert_eq!(state.join(&row.file), path);
    }
}

/// Counts the events and holds the sums that are kept beside them against them.
fn events(db: &Connection) -> BTreeMap<(i64, String), [i64; 4]> {
    for sums in ["forward_days", "forward_hours"] {
        let differ: i64 = db
            .query_row(
                &format!(
                    "SELECT count(*) FROM (SELECT tenant, node, count(*) AS n, sum(amount_in_msat - amount_out_msat) AS f \
                     FROM forwards GROUP BY tenant, node) e LEFT JOIN (SELECT tenant, node, sum(forwards) AS n, \
                     sum(fees_msat) AS f FROM {sums} GROUP BY tenant, node) s ON s.tenant = e.tenant AND \
                     s.node = e.node WHERE s.n IS NOT e.n OR s.f IS NOT e.f"
                ),
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(differ, 0, "{sums} differs from the forwards");
    }
    let of = |table: &str| format!("(SELECT count(*) FROM {table} e WHERE e.tenant = n.tenant AND e.node = n.node)");
    let sql = format!(
        "SELECT tenant, pubkey, {}, {}, {}, {} FROM nodes n",
        of("forwards"),
        of("payments"),
        of("invoices"),
        of("chain_transactions")
    );
    let mut all = db.prepare(&sql).unwrap();
    let rows =
        all.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?])));
    rows.unwrap().map(Result::unwrap).collect()
}

fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.contains(".tmp") || name.contains("write-test")
}

/// Every file below a folder.
pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
