//! Why the store can't do what it was asked, with the remedy.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store can't do what it was asked. Each message names the path and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no database yet.
    #[error("no database at {}: `daznode enable` makes one", path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// The database is not what daznode wrote. It is left as it is.
    #[error("database {} is damaged: {reason}; nothing was changed: put your last backup in its place with `daznode \
             restore FILE`, or move it aside and begin anew with `daznode enable`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A backup is not what was written. Nothing was changed.
    #[error("backup {} is damaged: {reason}; nothing was changed: take an earlier backup", path.display())]
    DamagedBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A later daznode wrote it. It is left as it is.
    #[error("database {} has version {found}, this daznode knows {known}: install the newer daznode", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that is known.
        known: u32,
    },
    /// An earlier daznode wrote it, and it was opened to be read.
    #[error("database {} has version {found}, of an earlier daznode: `daznode status` as its owner brings it up to date",
            path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// No space is left.
    #[error("the disk of {} is full ({free} bytes free): make room and run again; what was stored before is safe",
            path.display())]
    Full {
        /// The folder.
        path: PathBuf,
        /// What is left.
        free: u64,
    },
    /// It can't be written.
    #[error("{} can't be written ({reason}): run as its owner, or name another folder with --state", path.display())]
    ReadOnly {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another process holds the database for too long.
    #[error("database {} is in use by another process: try again when it has ended", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder can't be read or made.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried: `create`, `read`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// What was given can't be stored.
    #[error("{0}")]
    Invalid(String),
    /// The clock can't be right.
    #[error("the clock says {now}, the newest report of {user} is of {newest}: set the clock; nothing was purged")]
    Clock {
        /// What the clock says.
        now: String,
        /// Whose report.
        user: String,
        /// When that was made.
        newest: String,
    },
    /// The thread that owns the store has ended.
    #[error("the store has stopped")]
    Stopped,
    /// Anything else that SQLite refuses: a fault of daznode.
    #[error("database {}: {source}", path.display())]
    Sql {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// What the store answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The exit code of a command that ends with this: 5 for a damaged or newer database, 2 for bad input, else 1.
    pub const fn exit(&self) -> u8 {
        match self {
            Self::Damaged { .. } | Self::DamagedBackup { .. } | Self::Newer { .. } => 5,
            Self::Invalid(_) => 2,
            _ => 1,
        }
    }

    /// What SQLite's refusal means for the database at `path`.
    pub(super) fn of_sql(path: &Path, source: rusqlite::Error) -> Self {
        let owned = path.to_path_buf();
        let damaged = |reason: String| Self::Damaged { path: path.to_path_buf(), reason };
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::full(path),
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path: owned, reason: source.to_string() },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path: owned },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(source.to_string()),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Io { what: "open", path: owned, source: io::Error::other(source.to_string()) }
            }
            // A write that fails for want of space may be reported as any I/O error.
            Some(ErrorCode::SystemIoFailure) if free_bytes(path) < 64 << 10 => Self::full(path),
            Some(ErrorCode::SystemIoFailure) => {
                Self::Io { what: "read or write", path: owned, source: io::Error::other(source.to_string()) }
            }
            // What a column holds has another type, or is no text: this daznode did not write that.
            _ if is_foreign(&source) => damaged(source.to_string()),
            _ => Self::Sql { path: owned, source },
        }
    }

    /// What an I/O error means for the file or folder at `path`.
    pub(super) fn of_io(what: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::full(path),
            io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path: path.to_path_buf(), reason: "the file system is read-only".to_owned() }
            }
            io::ErrorKind::PermissionDenied if what != "read" => {
                Self::ReadOnly { path: path.to_path_buf(), reason: "permission denied".to_owned() }
            }
            _ => Self::Io { what, path: path.to_path_buf(), source },
        }
    }

    fn full(path: &Path) -> Self {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        Self::Full { path: folder.to_path_buf(), free: free_bytes(folder) }
    }
}

/// Whether a value was read that no daznode writes there.
const fn is_foreign(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, Utf8Error};
    matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | Utf8Error(..))
}

/// What is free for us on the file system of `path`.
pub(super) fn free_bytes(path: &Path) -> u64 {
    rustix::fs::statvfs(path)
        .or_else(|_| rustix::fs::statvfs(path.parent().unwrap_or(path)))
        .map_or(u64::MAX, |fs| fs.f_bavail.saturating_mul(fs.f_frsize))
}
