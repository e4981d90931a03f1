//! The operator's own file of channel backups (`channel.backup`), read so that LND can say which channels are in it.
//!
//! The file is encrypted for its node. It is sent to that node and nowhere else, and is kept in no store, recording or log.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;

use super::lnd::errors::harmless;
use super::spec::SecretRef;
use crate::units::UnixMs;

/// The longest file that is read: some twenty thousand channels.
const LONGEST: u64 = 16 << 20;

/// LND writes a random number of 24 bytes, a version and a count of 5 and a seal of 16: more than that is channels.
const EMPTY: usize = 45;

/// A backup of channels, or why there is none.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum BackupFile {
    /// No setting names one.
    #[default]
    NotNamed,
    /// It is named and can't be read: why, and the remedy.
    Unreadable(String),
    /// As it is.
    Read {
        /// All of it, encrypted.
        content: Bytes,
        /// When it was last written; `None` for a copy that systemd hands over.
        modified_at: Option<UnixMs>,
    },
    /// Only the answer about it was recorded.
    Recorded {
        /// When it was last written.
        modified_at: Option<UnixMs>,
    },
}

impl fmt::Debug for BackupFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNamed => f.write_str("NotNamed"),
            Self::Unreadable(reason) => f.debug_tuple("Unreadable").field(reason).finish(),
            Self::Read { content, modified_at } => {
                f.debug_tuple("Read").field(&content.len()).field(modified_at).finish()
            }
            Self::Recorded { modified_at } => f.debug_tuple("Recorded").field(modified_at).finish(),
        }
    }
}

impl BackupFile {
    /// Reads the file that a profile names. `credentials` is where systemd hands them over.
    pub fn read(place: Option<&SecretRef>, credentials: Option<&Path>) -> Self {
        let Some(place) = place else { return Self::NotNamed };
        let path = place.path(credentials);
        match read(&path) {
            // A copy was written when the service started: its time says nothing of the file.
            Ok((content, _)) if matches!(place, SecretRef::Credential(_)) => Self::Read { content, modified_at: None },
            Ok((content, modified_at)) => Self::Read { content, modified_at },
            Err(reason) => Self::Unreadable(format!("{}: {reason}", harmless(&path.display().to_string()))),
        }
    }

    /// Whether it can hold a channel at all.
    pub(super) const fn holds_channels(&self) -> bool {
        match self {
            Self::Read { content, .. } => content.len() > EMPTY,
            Self::Recorded { .. } => true,
            Self::NotNamed | Self::Unreadable(_) => false,
        }
    }
}

fn read(path: &Path) -> Result<(Bytes, Option<UnixMs>), String> {
    let told = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "the user that runs daznode may not read it".to_owned(),
        _ => error.to_string(),
    };
    // A pipe that nobody writes to would be waited for for ever.
    if !std::fs::metadata(path).map_err(told)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let file = File::open(path).map_err(told)?;
    let modified = file.metadata().and_then(|about| about.modified()).ok();
    let mut content = Vec::new();
    file.take(LONGEST.saturating_add(1)).read_to_end(&mut content).map_err(told)?;
    if content.is_empty() {
        return Err("it is empty".to_owned());
    }
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > LONGEST {
        return Err(format!("it is larger than {} MiB, so it is something else", LONGEST >> 20));
    }
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let modified_at = since.and_then(|since| i64::try_from(since.as_millis()).ok()).map(UnixMs);
    Ok((content.into(), modified_at))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn put(path: &Path, content: &[u8]) {
        File::create(path).unwrap().write_all(content).unwrap();
    }

    fn read(path: &Path) -> BackupFile {
        BackupFile::read(Some(&SecretRef::File(path.to_owned())), None)
    }

    #[test]
    fn a_file_is_read_with_its_time_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("channel.backup");
        put(&path, b"canary-55");
        let written = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_795_254_198_250);
        File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
        let file = read(&path);
        let content = Bytes::from_static(b"canary-55");
        assert_eq!(file, BackupFile::Read { content, modified_at: Some(UnixMs(1_795_254_198_250)) });
        assert!(!format!("{file:?}").contains("canary"));
        assert_eq!(BackupFile::read(None, None), BackupFile::NotNamed);
    }

    #[test]
    fn a_copy_of_systemd_has_no_time_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        put(&folder.path().join("bob.backup"), b"x");
        let place = "credential:bob.backup".parse().unwrap();
        let file = BackupFile::read(Some(&place), Some(folder.path()));
        assert_eq!(file, BackupFile::Read { content: Bytes::from_static(b"x"), modified_at: None });
    }

    #[test]
    fn what_is_no_backup_is_told_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let why = |name: &str| match read(&folder.path().join(name)) {
            BackupFile::Unreadable(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert!(why("none").ends_with("none: there is no such file"), "{}", why("none"));
        put(&folder.path().join("empty"), b"");
        assert!(why("empty").ends_with("it is empty"));
        assert!(why(".").ends_with("it is not a regular file"));
        File::create(folder.path().join("big")).unwrap().set_len(LONGEST + 1).unwrap();
        assert!(why("big").ends_with("it is larger than 16 MiB, so it is something else"));
        File::create(folder.path().join("just")).unwrap().set_len(LONGEST).unwrap();
        assert!(read(&folder.path().join("just")).holds_channels());
    }

    #[test]
    fn only_what_is_longer_than_an_empty_backup_holds_channels() {
        let of = |length: usize| BackupFile::Read { content: vec![0; length].into(), modified_at: None };
        assert!(!of(45).holds_channels());
        assert!(of(46).holds_channels());
    }
}
