//! A backup takes the database's place: checked first, swapped by one rename, what was there kept beside it.
//!
//! Killed at any step, the state folder has the old database whole or the new one whole.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::backup::{self, moment, of_backup, refuse_in_use};
use super::check::Current;
use super::copies::{self, Unfinished, sync_folder};
use super::crash::crash_point;
use super::error::{Error, Result};
use super::manifest::Manifest;
use super::place::{self, Header, Place};
use super::{DATABASE, Verified, guard};
use crate::units::UnixMs;

/// What was put in the database's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What was found in the backup.
    pub verified: Verified,
    /// Where the database that was there is kept; `None` where there was none.
    pub kept: Option<PathBuf>,
    /// Files of reports that the next opening has to write again.
    pub files: usize,
}

/// Makes the state folder where it is missing, for nobody else to read.
pub fn make_folder(state: &Path) -> Result<()> {
    Place::of(state, true).map(drop)
}

/// Puts the backup `file` in the place of the database in `state`, which is made where it is missing. The caller holds
/// every lock, opens the store afterwards, which brings an older one up to date, and writes the pending files.
pub fn restore(state: &Path, file: &Path, now: UnixMs) -> Result<Restored> {
    refuse_in_use(file)?;
    let manifest = Manifest::read(file)?;
    let place = Place::of(state, true)?;
    let path = state.join(DATABASE);
    if file.canonicalize().ok().is_some_and(|file| path.canonicalize().ok() == Some(file)) {
        return Err(Error::Invalid(format!("{} is the database itself: name a backup", file.display())));
    }
    // What is checked is what will be there, whoever writes to the backup meanwhile.
    let new = Unfinished::beside(&path, &place)?;
    let sum = copies::copy(file, &new.path)?;
    crash_point("restore-copied");
    let (verified, current) = backup::verify(&new.path, state, &sum, manifest).map_err(|e| of_backup(file, e))?;
    let verified = verified.sound(file)?;
    let missing: Vec<&Current> = current.iter().filter(|one| one.is_written(state) != Some(true)).collect();
    queue(&new.path, &missing)?;
    crash_point("restore-checked");
    let kept = keep(state, &path, &place, now)?;
    crash_point("restore-kept");
    new.replace(&path)?;
    crash_point("restore-swapped");
    Ok(Restored { verified, kept, files: missing.len() })
}

/// Files that are missing or differ are to be written, once the database is in its place.
fn queue(path: &Path, missing: &[&Current]) -> Result<()> {
    let put = || {
        let mut db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        guard(&db)?;
        // A kill leaves a file that nobody will read.
        db.query_row("PRAGMA journal_mode = MEMORY", [], |row| row.get::<_, String>(0))?;
        let tx = db.transaction()?;
        for one in missing {
            tx.execute(
                "INSERT INTO pending_files (tenant, file, act, report, sha256) VALUES (?1, ?2, 'write', ?3, ?4) \
                 ON CONFLICT (tenant, file) DO UPDATE SET act = 'write', report = ?3, sha256 = ?4",
                (one.tenant, &one.file, &one.report, &one.sha256),
            )?;
        }
        tx.commit()
    };
    put().map_err(|e| Error::of_sql(path, e))
}

/// Gives what is there a second name, and takes away what SQLite would read into the new database.
fn keep(state: &Path, path: &Path, place: &Place, now: UnixMs) -> Result<Option<PathBuf>> {
    if matches!(place::header(state, path), Ok(Header::Ours) | Err(Error::Newer { .. })) {
        fold(path)?;
    }
    let kept = (1..10_000)
        .map(|n| {
            format!("{DATABASE}.before-restore-{}{}", moment(now), if n == 1 { String::new() } else { format!("-{n}") })
        })
        .map(|name| state.join(name))
        .find(|kept| kept.symlink_metadata().is_err())
        .ok_or_else(|| Error::Invalid(format!("too many databases are kept in {}: remove some", state.display())))?;
    let is_there = path.symlink_metadata().is_ok();
    if is_there && std::fs::hard_link(path, &kept).is_err() {
        let copy = Unfinished::beside(&kept, place)?;
        copies::copy(path, &copy.path)?;
        copy.publish(&kept)?;
    }
    crash_point("restore-linked");
    let mut any = is_there;
    for end in ["-wal", "-journal"] {
        any |= set_aside(&with_end(path, end), &with_end(&kept, end))?;
    }
    match std::fs::remove_file(with_end(path, "-shm")) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::of_io("remove", path, e)),
        _ => {}
    }
    sync_folder(path)?;
    Ok(any.then_some(kept))
}

/// Brings what is in a WAL or journal into the file, so that this is all of it. What is too damaged for that stays as it is.
fn fold(path: &Path) -> Result<()> {
    let work = || {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        guard(&db)?;
        // A look takes back what a kill left half done in a rollback journal; the next line alone would not.
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
        db.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0))
    };
    match work().map_err(|e| Error::of_sql(path, e)) {
        Ok(_) | Err(Error::Damaged { .. }) => Ok(()),
        Err(e) => Err(e),
    }
}

/// Whether there was such a file.
fn set_aside(from: &Path, to: &Path) -> Result<bool> {
    match std::fs::rename(from, to) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|()| true).map_err(|e| Error::of_io("move", from, e)),
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
