//! Files that are too large to hold in memory: copied, hashed, and given their name once they are whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::error::{Error, Result};
use super::files::temporary;
use super::place::Place;

/// How long a file is, and the SHA-256 of its bytes in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub bytes: u64,
    pub sha256: String,
}

/// A file that is still being made, beside the one that it will be: it goes where that fails.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub path: PathBuf,
}

impl Unfinished {
    /// An empty file beside `path` that only those read who may.
    pub(super) fn beside(path: &Path, place: &Place) -> Result<Self> {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(Error::Invalid(format!("{} is no name of a file", path.display())));
        };
        let path = path.with_file_name(temporary(name));
        // SQLite takes names as text.
        if path.to_str().is_none() {
            return Err(Error::Invalid(format!("{} is no text: name another folder", path.display())));
        }
        place.create_empty(&path)?;
        Ok(Self { path })
    }

    /// Gives it its name, also where there is a file of that name.
    pub(super) fn replace(self, path: &Path) -> Result<()> {
        self.finish(path, |from| std::fs::rename(from, path))
    }

    /// Gives it its name; an error where there is a file of that name.
    pub(super) fn publish(self, path: &Path) -> Result<()> {
        self.finish(path, |from| match rustix::fs::renameat_with(CWD, from, CWD, path, RenameFlags::NOREPLACE) {
            // Not every file system knows this.
            Err(Errno::INVAL | Errno::NOSYS) if !path.exists() => std::fs::rename(from, path),
            Err(Errno::INVAL | Errno::NOSYS) => Err(io::ErrorKind::AlreadyExists.into()),
            other => Ok(other?),
        })
    }

    fn finish(self, path: &Path, rename: impl FnOnce(&Path) -> io::Result<()>) -> Result<()> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(|e| Error::of_io("sync", &self.path, e))?;
        rename(&self.path).map_err(|e| Error::of_io("create", path, e))?;
        sync_folder(path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already where it has its name.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Syncs the folder that holds `path`.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|e| Error::of_io("sync", folder, e))
}

/// Reads a file through.
pub(super) fn sum(path: &Path) -> Result<Sum> {
    pass(path, None)
}

/// Copies a file into one that is there, whole and synced.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Sum> {
    let open = OpenOptions::new().write(true).truncate(true).custom_flags(libc_nofollow()).open(to);
    let mut target = open.map_err(|e| Error::of_io("write", to, e))?;
    let sum = pass(from, Some((&mut target, to)))?;
    target.sync_all().map_err(|e| Error::of_io("sync", to, e))?;
    Ok(sum)
}

fn libc_nofollow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().try_into().unwrap_or(0)
}

fn pass(from: &Path, mut to: Option<(&mut File, &Path)>) -> Result<Sum> {
    let failed = |e| Error::of_io("read", from, e);
    let mut file = File::open(from).map_err(failed)?;
    let mut hash = Sha256::new();
    let (mut bytes, mut block) = (0_u64, vec![0; 1 << 16]);
    loop {
        let read = match file.read(&mut block) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(failed)?,
        };
        let Some(part) = block.get(..read).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if let Some((target, path)) = &mut to {
            target.write_all(part).map_err(|e| Error::of_io("write", path, e))?;
        }
    }
    Ok(Sum { bytes, sha256: hex::encode(hash.finalize()) })
}
