//! The schema and its versions: one script each, run in one transaction, never changed once released.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::place::Place;

/// `dazn` in the header of every database of ours.
pub(super) const APPLICATION_ID: u32 = 0x6461_7a6e;

/// One version of the schema.
pub(super) struct Version {
    /// What brings a database of the version before to this one.
    pub script: &'static str,
    /// Digest of the schema that it leaves, see [`digest`].
    pub schema_sha256: &'static str,
}

/// All versions; the first is version 1.
pub(super) static VERSIONS: [Version; 3] = [
    Version {
        script: include_str!("migrations/0001_first.sql"),
        schema_sha256: "8de3a0875cae924fa2781e111e5fd9dd4e398082356453ec2d86c16a8ec15531",
    },
    Version {
        script: include_str!("migrations/0002_longer.sql"),
        schema_sha256: "a5460536f466cf7eb54c2b86e0a7072e8f5277556f5e30a8ae65cafd50771120",
    },
    Version {
        script: include_str!("migrations/0003_living.sql"),
        schema_sha256: "8591cf1858ee7a02abb8223f4a0006c7b7c5d6e5f933045841adf09a3d5c6d56",
    },
];

/// The version that this daznode writes.
pub(super) fn newest() -> u32 {
    u32::try_from(VERSIONS.len()).unwrap_or(u32::MAX)
}

/// Brings a database to the newest version. A backup is made first of one that holds anything.
pub(super) fn migrate(db: &mut Connection, path: &Path, place: &Place, found: u32) -> Result<()> {
    if found > 0 {
        backup(db, path, place, found)?;
    }
    let sql = |e| Error::of_sql(path, e);
    let tx = Transaction::new(db, TransactionBehavior::Immediate).map_err(sql)?;
    // Another process may have been faster.
    let now = version(&tx).map_err(sql)?;
    for next in VERSIONS.iter().skip(usize::try_from(now).unwrap_or(usize::MAX)) {
        tx.execute_batch(next.script).map_err(sql)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
    tx.pragma_update(None, "user_version", newest()).map_err(sql)?;
    tx.commit().map_err(sql)
}

/// Copies the database whole to a file beside it, named by its version; one that is there already is kept.
fn backup(db: &Connection, path: &Path, place: &Place, found: u32) -> Result<()> {
    let target = backup_path(path, found);
    if target.exists() {
        return Ok(());
    }
    let mut half = target.clone().into_os_string();
    half.push(".tmp");
    let half = PathBuf::from(half);
    match std::fs::remove_file(&half) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::of_io("remove", &half, e)),
        _ => {}
    }
    place.create_empty(&half)?;
    db.execute("VACUUM INTO ?1", [half.to_string_lossy()]).map_err(|e| Error::of_sql(path, e))?;
    std::fs::File::open(&half).and_then(|file| file.sync_all()).map_err(|e| Error::of_io("sync", &half, e))?;
    std::fs::rename(&half, &target).map_err(|e| Error::of_io("rename", &half, e))
}

/// Where the database of an older version is kept.
pub(super) fn backup_path(path: &Path, found: u32) -> PathBuf {
    path.with_extension(format!("v{found}.db"))
}

/// The version that a database says it has.
pub(super) fn version(db: &Connection) -> rusqlite::Result<u32> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Holds the schema against the one that the version's script leaves: a trigger, view, table or column more or less means
/// that somebody else had a hand in it.
pub(super) fn verify(db: &Connection, path: &Path, version: u32) -> Result<()> {
    let expected = version.checked_sub(1).and_then(|n| VERSIONS.get(usize::try_from(n).ok()?));
    let found = digest(db).map_err(|e| Error::of_sql(path, e))?;
    if expected.is_some_and(|v| v.schema_sha256 == found) {
        return Ok(());
    }
    let reason = format!("its schema is not that of version {version}");
    Err(Error::Damaged { path: path.to_path_buf(), reason })
}

/// SHA-256 over every object of the schema but SQLite's own.
pub(super) fn digest(db: &Connection) -> rusqlite::Result<String> {
    let mut statement = db.prepare(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~' \
         ORDER BY type, name",
    )?;
    let mut rows = statement.query([])?;
    let mut hash = Sha256::new();
    while let Some(row) = rows.next()? {
        for column in 0..4 {
            hash.update(row.get_ref(column)?.as_bytes().unwrap_or_default());
            hash.update([0]);
        }
    }
    Ok(hex::encode(hash.finalize()))
}
