//! The state folder: who may read what is in it, and what the database file is before SQLite looks at it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Mode, Uid};

use super::error::{Error, Result};
use super::schema::{self, APPLICATION_ID};

/// Where the service keeps its state.
const SERVICE: &str = "/var/lib/daznode";

/// Modes and owner of everything in a state folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Mode of files: 0600, or 0640 where the group reads along.
    pub file_mode: u32,
    /// Mode of folders: 0700 or 0750.
    pub folder_mode: u32,
    /// The folder's owner, where root works for somebody else.
    pub owner: Option<(u32, u32)>,
}

impl Place {
    /// What holds in `state`; makes the folder where `create` is set and it is missing.
    pub(super) fn of(state: &Path, create: bool) -> Result<Self> {
        let service = state.starts_with(SERVICE);
        if create && !state.exists() {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(if service { 0o750 } else { 0o700 });
            builder.create(state).map_err(|e| Error::of_io("create", state, e))?;
        }
        let meta = match std::fs::metadata(state) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Missing { path: state.join(super::DATABASE) });
            }
            other => other.map_err(|e| Error::of_io("read", state, e))?,
        };
        if !meta.is_dir() {
            return Err(Error::of_io("create", state, io::Error::from(io::ErrorKind::NotADirectory)));
        }
        // Open to the group and to nobody else is on purpose; open to all is what a plain `mkdir` leaves.
        let shared = service || meta.mode() & 0o057 == 0o050;
        let owner = (rustix::process::geteuid().is_root() && meta.uid() != 0).then(|| (meta.uid(), meta.gid()));
        let (file_mode, folder_mode) = if shared { (0o640, 0o750) } else { (0o600, 0o700) };
        Ok(Self { file_mode, folder_mode, owner })
    }

    /// Gives a file or folder that was just made its mode, whatever the umask, and its owner.
    pub(super) fn settle(&self, fd: &impl std::os::fd::AsFd, mode: u32) -> rustix::io::Result<()> {
        rustix::fs::fchmod(fd, Mode::from_raw_mode(mode))?;
        if let Some((uid, gid)) = self.owner {
            rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        Ok(())
    }

    /// Makes an empty file that only those read who may.
    pub(super) fn create_empty(&self, path: &Path) -> Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).mode(self.file_mode).open(path);
        match file {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(e) => Err(Error::of_io("create", path, e)),
            Ok(file) => self
                .settle(&file, self.file_mode)
                .map_err(io::Error::from)
                .and_then(|()| file.sync_all())
                .and_then(|()| path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()))
                .map_err(|e| Error::of_io("create", path, e)),
        }
    }
}

/// What the database file is, by its first bytes alone: SQLite makes `-wal` and `-shm` at the first look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// There is no file.
    Missing,
    /// It is empty, and nothing says that it ever held anything.
    Empty,
    /// It is ours.
    Ours,
}

/// Reads the header; an error where the file is damaged, of another application or of a newer version.
pub(super) fn header(state: &Path, path: &Path) -> Result<Header> {
    let mut file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Header::Missing),
        other => other.map_err(|e| Error::of_io("read", path, e))?,
    };
    let damaged = |reason: &str| Error::Damaged { path: path.to_path_buf(), reason: reason.to_owned() };
    let mut bytes = Vec::with_capacity(100);
    match file.by_ref().take(100).read_to_end(&mut bytes) {
        Err(e) if e.kind() == io::ErrorKind::IsADirectory => return Err(damaged("it is a folder")),
        other => other.map_err(|e| Error::of_io("read", path, e))?,
    };
    if bytes.is_empty() {
        return if has_reports(state) { Err(damaged("it is empty, but there are reports")) } else { Ok(Header::Empty) };
    }
    if bytes.get(..16) != Some(b"SQLite format 3\0") || bytes.len() < 100 {
        return Err(damaged("it is no SQLite database"));
    }
    let number = |at: usize| {
        let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
        four.map_or(0, u32::from_be_bytes)
    };
    if number(68) != APPLICATION_ID {
        return Err(damaged("it belongs to another application"));
    }
    let (found, known) = (number(60), schema::newest());
    if found > known {
        return Err(Error::Newer { path: path.to_path_buf(), found, known });
    }
    Ok(Header::Ours)
}

/// Whether any report was ever written here.
fn has_reports(state: &Path) -> bool {
    let mut folders: Vec<PathBuf> = vec![state.join("reports")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) => return true,
                Err(_) => {}
            }
        }
    }
    false
}
