//! Files: written whole or not at all, and never outside the state folder.
//!
//! A report's file is written after its row, from a queue in the database, so that a run that is killed in between is
//! made good by the next. Every folder on the way is opened without following symlinks.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::OptionalExtension;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::Store;
use super::crash::crash_point;
use super::error::{Error, Result};
use super::place::Place;

/// Writes a file whole or not at all: a temporary one beside it, synced, renamed, the folder synced.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    write_placed(path, bytes, &Place { file_mode: mode, folder_mode: 0o700, owner: None })
}

pub(super) fn write_placed(path: &Path, bytes: &[u8], place: &Place) -> Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Err(Error::Invalid(format!("{} is no name of a file", path.display())));
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(parent, flags, Mode::empty()).map_err(|e| failed("open", parent, e))?;
    write_into(&folder, path, name, bytes, place)
}

fn failed(what: &'static str, path: &Path, errno: Errno) -> Error {
    match errno {
        Errno::LOOP | Errno::NOTDIR => Error::Io {
            what: "refuse",
            path: path.to_path_buf(),
            source: io::Error::other("a symlink or a file is where a folder should be: remove it"),
        },
        other => Error::of_io(what, path, io::Error::from(other)),
    }
}

/// A name that no other process, thread or call uses; the process is in it, so that what a kill left can be told.
pub(super) fn temporary(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(".{name}.{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The process that made a temporary file, where the name is that of one.
fn maker(name: &str) -> Option<i32> {
    let rest = name.strip_prefix('.')?.strip_suffix(".tmp")?;
    let (process, count) = rest.rsplit_once('.')?.1.split_once('-')?;
    count.parse::<u64>().ok()?;
    process.parse().ok()
}

fn write_into(folder: &OwnedFd, path: &Path, name: &str, bytes: &[u8], place: &Place) -> Result<()> {
    let temporary = temporary(name);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, &temporary, flags, Mode::from_raw_mode(place.file_mode))
        .map_err(|e| failed("create", path, e))?;
    let write = || -> io::Result<()> {
        place.settle(&file, place.file_mode)?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        write_all(&file, first)?;
        crash_point("file-half-written");
        write_all(&file, second)?;
        rustix::fs::fsync(&file)?;
        crash_point("file-after-write");
        rustix::fs::renameat(folder, &temporary, folder, name)?;
        crash_point("file-after-rename");
        Ok(rustix::fs::fsync(folder)?)
    };
    write().map_err(|e| {
        // Gone already where it was renamed.
        let _ = rustix::fs::unlinkat(folder, &temporary, AtFlags::empty());
        Error::of_io("write", path, e)
    })
}

fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// Opens `folder` below `state` without following a symlink; makes what is missing where `place` is given.
pub(super) fn open_below(state: &Path, folder: &Path, place: Option<&Place>) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = rustix::fs::open(state, flags, Mode::empty()).map_err(|e| failed("open", state, e))?;
    let mut path = state.to_path_buf();
    for part in folder.components() {
        let Component::Normal(part) = part else {
            return Err(Error::Invalid(format!("{} is no folder below the state folder", folder.display())));
        };
        path.push(part);
        let mut next = rustix::fs::openat(&here, part, flags | OFlags::NOFOLLOW, Mode::empty());
        if let (Err(Errno::NOENT), Some(place)) = (&next, place) {
            match rustix::fs::mkdirat(&here, part, Mode::from_raw_mode(place.folder_mode)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(e) => return Err(failed("create", &path, e)),
            }
            next = rustix::fs::openat(&here, part, flags | OFlags::NOFOLLOW, Mode::empty());
            if let Ok(made) = &next {
                place.settle(made, place.folder_mode).map_err(|e| failed("create", &path, e))?;
                rustix::fs::fsync(&here).map_err(|e| failed("sync", &path, e))?;
            }
        }
        here = next.map_err(|e| failed("open", &path, e))?;
    }
    Ok(here)
}

/// Whether a file can be written, synced and removed in `folder`.
pub(super) fn probe(folder: &Path, place: &Place) -> Result<()> {
    let failed = |e: Errno| failed("write", folder, e);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(folder, flags, Mode::empty()).map_err(failed)?;
    let name = temporary("write-test");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&fd, &name, flags, Mode::from_raw_mode(place.file_mode)).map_err(failed)?;
    let written = write_all(&file, b"daznode").and_then(|()| Ok(rustix::fs::fsync(&file)?));
    let removed = rustix::fs::unlinkat(&fd, &name, AtFlags::empty()).map_err(failed);
    written.map_err(|e| Error::of_io("write", folder, e)).and(removed)
}

/// Removes the temporary files that a kill left in `folder`, where there is such a folder.
pub(super) fn sweep_folder(folder: &Path) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::open(folder, flags, Mode::empty()) {
        Err(Errno::NOENT) => Ok(()),
        other => sweep(&other.map_err(|e| failed("open", folder, e))?, folder),
    }
}

/// Removes temporary files whose maker no longer lives. One that bears this process's number is of an earlier process
/// with the same one, as in a container, where each run has it: this process is making none here when it calls this.
fn sweep(folder: &OwnedFd, path: &Path) -> Result<()> {
    let entries = rustix::fs::Dir::read_from(folder).map_err(|e| failed("read", path, e))?;
    for entry in entries.flatten() {
        let Some((name, process)) = entry.file_name().to_str().ok().and_then(|name| Some((name, maker(name)?))) else {
            continue;
        };
        let another = rustix::process::Pid::from_raw(process).filter(|pid| *pid != rustix::process::getpid());
        let alive = another.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH));
        if !alive {
            // Another process may have been faster.
            let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
        }
    }
    Ok(())
}

/// Removes a folder of reports with all that daznode writes there, and returns the files. A folder of another profile
/// below it stays.
pub(super) fn remove_folder(state: &Path, folder: &str) -> Result<Vec<PathBuf>> {
    let below = Path::new(folder);
    let fd = match open_below(state, below, None) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let path = state.join(below);
    let mut removed = Vec::new();
    for entry in rustix::fs::Dir::read_from(&fd).map_err(|e| failed("read", &path, e))? {
        let entry = entry.map_err(|e| failed("read", &path, e))?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        let report = name.strip_suffix(".json").is_some_and(|stem| {
            // `20261121`, `2026-11`, `2026-W47`.
            stem.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'W')
        });
        if report || maker(name).is_some() {
            rustix::fs::unlinkat(&fd, name, AtFlags::empty()).map_err(|e| failed("remove", &path.join(name), e))?;
            removed.push(path.join(name));
        }
    }
    rustix::fs::fsync(&fd).map_err(|e| failed("sync", &path, e))?;
    // Not where something else is in it.
    let _ = std::fs::remove_dir(&path);
    removed.sort();
    Ok(removed)
}

/// A file that is still to be written or removed.
struct Pending {
    tenant: i64,
    file: String,
    write: bool,
    report: String,
}

/// What became of the queue.
#[derive(Default)]
pub(super) struct Flushed {
    pub written: Vec<PathBuf>,
    pub removed: Vec<PathBuf>,
}

impl Store {
    /// Writes every file that is still to be written and returns them; removes temporary files that a kill left. A file
    /// that can't be written does not keep the others from it; it stays in the queue.
    pub fn flush_files(&self) -> Result<Vec<PathBuf>> {
        self.flush().map(|flushed| flushed.written)
    }

    pub(super) fn flush(&self) -> Result<Flushed> {
        let pending = self.sql(self.pending())?;
        let mut flushed = Flushed::default();
        let mut done = Vec::new();
        let mut first_error = None;
        for item in &pending {
            match self.flush_one(item, &mut flushed) {
                Ok(()) => done.push(item),
                Err(e) => first_error = first_error.or(Some(e)),
            }
        }
        if !done.is_empty() {
            self.write_named("files", |tx| {
                for item in done {
                    // A later revision may have come into the queue meanwhile.
                    self.sql(tx.execute(
                        "DELETE FROM pending_files WHERE tenant = ?1 AND file = ?2 AND report = ?3",
                        (item.tenant, &item.file, &item.report),
                    ))?;
                }
                Ok(())
            })?;
        }
        first_error.map_or(Ok(flushed), Err)
    }

    fn pending(&self) -> rusqlite::Result<Vec<Pending>> {
        let mut all = self.db.prepare_cached("SELECT tenant, file, act, report FROM pending_files ORDER BY file")?;
        let rows = all.query_map([], |row| {
            let act: String = row.get(2)?;
            Ok(Pending { tenant: row.get(0)?, file: row.get(1)?, write: act == "write", report: row.get(3)? })
        })?;
        rows.collect()
    }

    fn flush_one(&self, item: &Pending, flushed: &mut Flushed) -> Result<()> {
        let below = Path::new(&item.file);
        let path = self.state.join(below);
        let (Some(folder), Some(name)) = (below.parent(), below.file_name().and_then(|name| name.to_str())) else {
            return Err(self.damaged(format!("{} is no file below the state folder", item.file)));
        };
        if !item.write {
            return self.flush_removal(folder, name, path, flushed);
        }
        let found = self
            .db
            .query_row(
                "SELECT sha256, document FROM reports WHERE tenant = ?1 AND id = ?2",
                (item.tenant, &item.report),
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)),
            )
            .optional();
        let Some((hash, body)) = self.sql(found)? else { return Ok(()) };
        let document = self.decompress(&format!("report {}", item.report), &hash, &body)?;
        crash_point("file-before-write");
        let fd = open_below(&self.state, folder, Some(&self.place))?;
        sweep(&fd, folder)?;
        write_into(&fd, &path, name, &document, &self.place)?;
        flushed.written.push(path);
        Ok(())
    }

    fn flush_removal(&self, folder: &Path, name: &str, path: PathBuf, flushed: &mut Flushed) -> Result<()> {
        let fd = match open_below(&self.state, folder, None) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        match rustix::fs::unlinkat(&fd, name, AtFlags::empty()) {
            Ok(()) => flushed.removed.push(path),
            Err(Errno::NOENT) => {}
            Err(e) => return Err(failed("remove", &path, e)),
        }
        Ok(())
    }
}
