//! What daznode keeps: one SQLite database and the JSON files beside it. Only this module knows SQL.
//!
//! Every write is one `BEGIN IMMEDIATE` transaction, synced before it is announced. Every table carries its tenant and
//! every statement names it. A database that is damaged or newer is never touched.

mod advice;
mod alerts;
mod backup;
mod balances;
mod check;
mod commitments;
mod copies;
mod crash;
mod error;
mod events;
pub mod files;
mod graph_file;
mod handle;
mod heard;
mod history;
mod host;
mod last;
mod manifest;
mod outbox;
mod payments;
mod periods;
mod place;
mod policies;
mod profiles;
mod purge;
mod reports;
mod restore;
mod rolled;
mod runs;
mod sampled;
mod samples;
mod schema;
mod seen;
mod snapshots;
mod sources;
mod spans;
mod spent;
mod sums;
#[cfg(test)]
pub(crate) mod tests;
mod watched;
mod windows;

use std::path::{Path, PathBuf};

use std::fmt::Write;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, FileControl, OpenFlags, Transaction, TransactionBehavior};
use uuid::Uuid;

use crate::notice::Telling;
use crate::units::UnixMs;
use place::{Header, Place};

pub use advice::AdviceRow;
pub use alerts::{AlertAct, AlertEvent, AlertMessage, AlertRow, By, Judged};
pub use backup::{BACKUPS, Backup, Verified, backups, keep_backups, verify_backup};
pub use check::{Checked, DamagedReport};
pub use crash::{CRASH_POINTS, RESTORE_CRASH_POINTS, crash_point};
pub use error::{Error, Result};
pub use graph_file::{GraphFolder, KeptGraph};
pub use handle::Handle;
pub use heard::{Heard, StreamCoverage, UnknownEvents, Watcher};
pub use manifest::Manifest;
pub use outbox::{Letter, LetterCount, LetterState, Next};
pub use periods::{PeriodDocument, StoredPeriod};
pub use profiles::{Erased, NewProfile, Profile, ProfileFilter};
pub use purge::{Purged, Retention};
pub use reports::{DayRow, FailedRun, StoredReport};
pub use restore::{Restored, make_folder, restore};
pub use rolled::RolledUp;
pub use runs::RunRow;

/// Name of the database in the state folder.
pub const DATABASE: &str = "daznode.db";

/// How the store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To write: makes folder and database where they are missing.
    Write,
    /// To read: makes and changes nothing, works on a read-only file system and for a reader of the group.
    Read,
}

/// The open store.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    state: PathBuf,
    path: PathBuf,
    place: Place,
    /// What of it is told outside.
    telling: Telling,
}

impl Store {
    /// Opens the store in the folder `state`.
    pub fn open(state: &Path, access: Access) -> Result<Self> {
        let path = state.join(DATABASE);
        match access {
            Access::Write => Self::open_to_write(state, &path),
            Access::Read => Self::open_to_read(state, &path),
        }
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Whether a run could store what it finds: asked before any network is, by the one that holds the lock. Full and
    /// read-only disks show here.
    pub fn check_writable(&self) -> Result<()> {
        let free = error::free_bytes(&self.state);
        if free < MIN_FREE {
            return Err(Error::Full { path: self.state.clone(), free });
        }
        refuse_read_only(&self.db, &self.path)?;
        // What a kill left elsewhere than among the reports, whose folders are swept when they are written to.
        for folder in ["", "secrets", "cache"] {
            files::sweep_folder(&self.state.join(folder))?;
        }
        files::probe(&self.state, &self.place)?;
        self.write(|_| Ok(()))
    }

    fn open_to_write(state: &Path, path: &Path) -> Result<Self> {
        let place = Place::of(state, true)?;
        let header = place::header(state, path)?;
        if header == Header::Missing {
            place.create_empty(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = |e| Error::of_sql(path, e);
        let mut db = Connection::open_with_flags(path, flags).map_err(sql)?;
        refuse_read_only(&db, path)?;
        guard(&db).map_err(sql)?;
        let found = version(&db, path)?;
        if found > 0 {
            schema::verify(&db, path, found)?;
        }
        if found < schema::newest() {
            // In the rollback journal, so that the header says what the file is before there is a WAL.
            db.pragma_update(None, "synchronous", "EXTRA").map_err(sql)?;
            schema::migrate(&mut db, path, &place, found)?;
            schema::verify(&db, path, schema::newest())?;
        }
        write_ahead(&db).map_err(sql)?;
        Ok(Self { db, state: state.to_path_buf(), path: path.to_path_buf(), place, telling: Telling::default() })
    }

    fn open_to_read(state: &Path, path: &Path) -> Result<Self> {
        if place::header(state, path)? != Header::Ours {
            return Err(Error::Missing { path: path.to_path_buf() });
        }
        if roll_back(state, path)? && place::header(state, path)? != Header::Ours {
            return Err(Error::Missing { path: path.to_path_buf() });
        }
        let place = Place::of(state, false)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = |name: &Path, flags| -> rusqlite::Result<Connection> {
            let db = Connection::open_with_flags(name, flags)?;
            guard(&db)?;
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
            Ok(db)
        };
        // A closed WAL database can't always be opened where nothing may be written. `immutable` reads it then, but
        // would overlook what is still in a WAL.
        let wal = state.join(format!("{DATABASE}-wal"));
        let db = open(path, flags).or_else(|e| {
            if std::fs::metadata(&wal).is_ok_and(|meta| meta.len() > 0) {
                return Err(e);
            }
            open(Path::new(&immutable_uri(path)), flags | OpenFlags::SQLITE_OPEN_URI)
        });
        let db = db.map_err(|e| Error::of_sql(path, e))?;
        let found = version(&db, path)?;
        schema::verify(&db, path, found)?;
        if found < schema::newest() {
            return Err(Error::Older { path: path.to_path_buf(), found });
        }
        Ok(Self { db, state: state.to_path_buf(), path: path.to_path_buf(), place, telling: Telling::default() })
    }

    /// A whole file of ours that nobody writes, such as a backup: it is only read, and nothing is made beside it. Gives
    /// its version too. Files of reports are looked for below `state`.
    fn open_copy(state: &Path, path: &Path) -> Result<(Self, u32)> {
        let damaged = |reason: &str| Err(Error::Damaged { path: path.to_path_buf(), reason: reason.to_owned() });
        match place::header(state, path)? {
            Header::Ours => {}
            Header::Empty => return damaged("it is empty"),
            Header::Missing => return Err(Error::of_io("read", path, std::io::ErrorKind::NotFound.into())),
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let db = Connection::open_with_flags(immutable_uri(path), flags).and_then(|db| guard(&db).map(|()| db));
        let db = db.map_err(|e| Error::of_sql(path, e))?;
        let found = version(&db, path)?;
        schema::verify(&db, path, found)?;
        let place = Place::of(state, false)?;
        let store =
            Self { db, state: state.to_path_buf(), path: path.to_path_buf(), place, telling: Telling::default() };
        Ok((store, found))
    }

    /// SQLite's error with the database's path and meaning.
    fn sql<T>(&self, result: rusqlite::Result<T>) -> Result<T> {
        result.map_err(|e| Error::of_sql(&self.path, e))
    }

    /// Runs `work` in one transaction that holds the write lock from its first statement.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.write_named("", work)
    }

    /// The same, with crash points before and after its end.
    fn write_named<T>(&self, name: &str, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let tx = self.sql(Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate))?;
        let done = work(&tx)?;
        match name {
            "events" => crash_point("events-before-commit"),
            "snapshot" => crash_point("snapshot-before-commit"),
            "report" => crash_point("report-before-commit"),
            "files" => crash_point("files-before-commit"),
            _ => {}
        }
        self.sql(tx.commit())?;
        match name {
            "events" => crash_point("events-after-commit"),
            "snapshot" => crash_point("snapshot-after-commit"),
            "report" => crash_point("report-after-commit"),
            "files" => crash_point("files-after-commit"),
            _ => {}
        }
        Ok(done)
    }

    /// Runs `work` on one unchanging view of the database.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let tx = self.sql(Transaction::new_unchecked(&self.db, TransactionBehavior::Deferred))?;
        work(&tx)
    }
}

/// Below this a run is not begun: 4 MiB.
const MIN_FREE: u64 = 4 << 20;

/// What holds for every connection: no surprises from a schema that somebody else had a hand in.
fn guard(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    db.set_prepared_statement_cache_capacity(64);
    db.execute_batch("PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;")
}

/// SQLite opens what it can't write without a word, and refuses later.
fn refuse_read_only(db: &Connection, path: &Path) -> Result<()> {
    if db.is_readonly("main").map_err(|e| Error::of_sql(path, e))? {
        let reason = "the file or its file system is read-only".to_owned();
        return Err(Error::ReadOnly { path: path.to_path_buf(), reason });
    }
    Ok(())
}

/// Takes back what a kill cut off while the schema was made, which is written in the rollback journal; whether there was
/// such a thing. Without it a reader would see half of it: reading is otherwise the same, and needs no right to write.
fn roll_back(state: &Path, path: &Path) -> Result<bool> {
    let journal = state.join(format!("{DATABASE}-journal"));
    if !std::fs::metadata(&journal).is_ok_and(|meta| meta.len() > 0) {
        return Ok(false);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let look = || {
        let db = Connection::open_with_flags(path, flags)?;
        guard(&db)?;
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
    };
    look().map(|_| true).map_err(|e| Error::of_sql(path, e))
}

/// WAL that is synced at every commit and stays when the last connection closes, so that readers need not make it.
fn write_ahead(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    db.pragma_update(None, "synchronous", crash::synchronous())?;
    db.query_row("PRAGMA journal_size_limit = 67108864", [], |row| row.get::<_, i64>(0))?;
    let mut on = 1;
    db.file_control(None::<&str>, FileControl::PersistWal(&mut on))
}

/// The version that the database says it has, WAL included.
fn version(db: &Connection, path: &Path) -> Result<u32> {
    let found = schema::version(db).map_err(|e| Error::of_sql(path, e))?;
    let known = schema::newest();
    if found > known {
        return Err(Error::Newer { path: path.to_path_buf(), found, known });
    }
    Ok(found)
}

/// The path as SQLite's URI for a file that nobody changes.
fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            b if b.is_ascii_alphanumeric() => uri.push(char::from(*b)),
            b => {
                // Writing to a string can't fail.
                let _ = write!(uri, "%{b:02x}");
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// A new id, ordered by `now`.
pub fn new_id(now: UnixMs) -> Uuid {
    let secs = u64::try_from(now.secs()).unwrap_or(0);
    let nanos = u32::try_from(now.0.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, secs, nanos))
}

/// A text column that one of our types is read from.
struct Parsed<T>(T);

impl<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>> FromSql for Parsed<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// A text column that holds the name of a variant, or JSON.
struct Json<T>(T);

impl<T: serde::de::DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A variant's name as serde writes it.
fn name_of<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// A text column that holds the name of a variant, as [`name_of`] writes it.
struct Named<T>(T);

impl<T: serde::de::DeserializeOwned> FromSql for Named<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        use serde::de::IntoDeserializer;
        let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = value.as_str()?.into_deserializer();
        T::deserialize(name).map(Self).map_err(FromSqlError::other)
    }
}
