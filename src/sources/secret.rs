//! Reading a secret from its file: not too large, not a folder, and who else can read it.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretSlice};
use zeroize::Zeroizing;

/// The longest secret or certificate that is read: a chain of certificates is some kilobytes.
const LONGEST: u64 = 64 << 10;

/// Others may read or write.
const OTHERS: u32 = 0o006;

/// Why a secret can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not there, or not for us.
    #[error("can't read {what} {path}: {reason}")]
    Unreadable {
        /// Which secret.
        what: String,
        /// Where.
        path: String,
        /// Why, and the remedy.
        reason: String,
    },
    /// Others can read it, and it may not be so.
    #[error("{what} {path} can be read or changed by every user of this machine: run `chmod 600 {path}`")]
    Shared {
        /// Which secret.
        what: String,
        /// Where.
        path: String,
    },
}

impl From<Error> for super::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unreadable { .. } => Self::Setup(error.to_string()),
            // A node has no other secret than its macaroon.
            Error::Shared { path, .. } => Self::Macaroon {
                reason: format!("{path} can be read or changed by every user of this machine: run `chmod 600 {path}`"),
            },
        }
    }
}

/// A secret as read, with who else can get at it. `Debug` does not show it.
pub struct Secret {
    bytes: SecretSlice<u8>,
    what: String,
    path: PathBuf,
    mode: u32,
}

impl Secret {
    /// Reads a file. `what` names it in messages: `macaroon`, `certificate`, `API key`.
    pub fn read(what: &str, path: &Path) -> Result<Self, Error> {
        let unreadable = |reason: String| Error::Unreadable { what: what.to_owned(), path: shown(path), reason };
        let file = File::open(path).map_err(|error| unreadable(remedy(&error)))?;
        let about = file.metadata().map_err(|error| unreadable(remedy(&error)))?;
        if about.is_dir() {
            return Err(unreadable("it is a folder: give the file in it".to_owned()));
        }
        let capacity = usize::try_from(about.size().min(LONGEST)).unwrap_or(0).saturating_add(1);
        // Room for all of it from the start: growing would leave copies in memory that is not wiped.
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        file.take(LONGEST.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| unreadable(remedy(&error)))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST {
            return Err(unreadable(format!("it is larger than {} KiB, so it is something else", LONGEST >> 10)));
        }
        if bytes.is_empty() {
            return Err(unreadable("it is empty".to_owned()));
        }
        let mode = about.permissions().mode();
        Ok(Self { bytes: bytes.to_vec().into(), what: what.to_owned(), path: path.to_owned(), mode })
    }

    /// A secret of daznode's own, such as an API key: refused where others can read it.
    pub fn read_own(what: &str, path: &Path) -> Result<Self, Error> {
        let secret = Self::read(what, path)?;
        secret.refuse_shared()?;
        Ok(secret)
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    /// The secret as text without white space around it, such as an API key.
    pub fn expose_text(&self) -> Result<&str, Error> {
        std::str::from_utf8(self.expose()).map(str::trim).map_err(|_| Error::Unreadable {
            what: self.what.clone(),
            path: shown(&self.path),
            reason: "it is no text".to_owned(),
        })
    }

    /// Where it was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An error where the file's mode lets every user read or change it.
    pub fn refuse_shared(&self) -> Result<(), Error> {
        if self.mode & OTHERS == 0 {
            return Ok(());
        }
        Err(Error::Shared { what: self.what.clone(), path: shown(&self.path) })
    }

    /// A warning where every user can get at it. Unlike [`Secret::refuse_shared`] it looks at the folders above too:
    /// LND's own files are open to all but lie in a folder that is not, and then there is nothing to warn of.
    pub fn shared_warning(&self) -> Option<String> {
        let reachable = self.mode & OTHERS != 0 && folders_are_open(&self.path);
        reachable.then(|| {
            let path = shown(&self.path);
            format!("{} {path} can be read by every user of this machine; `chmod 640 {path}` closes it", self.what)
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} {}, [redacted])", self.what, self.path.display())
    }
}

fn shown(path: &Path) -> String {
    super::lnd::errors::harmless(&path.display().to_string())
}

/// Whether every user can pass through all folders above a file.
fn folders_are_open(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return true };
    path.ancestors().skip(1).all(|folder| folder.metadata().is_ok_and(|about| about.permissions().mode() & 0o001 != 0))
}

fn remedy(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => {
            "this user may not read it: give it to the user that runs daznode, or copy it".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::io::Write as _;

    use super::*;

    fn kept(folder: &Path, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = folder.join(name);
        File::create(&path).unwrap().write_all(content).unwrap();
        set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_secret_is_read_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Secret::read_own("API key", &kept(folder.path(), "key", b" canary-77\n", 0o600)).unwrap();
        assert_eq!(secret.expose_text().unwrap(), "canary-77");
        assert!(!format!("{secret:?}").contains("canary"));
    }

    #[test]
    fn our_own_secret_that_others_can_read_is_refused_with_the_command_that_helps() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o644, 0o604, 0o602, 0o666] {
            let path = kept(folder.path(), "key", b"canary-77", mode);
            let said = Secret::read_own("API key", &path).unwrap_err().to_string();
            assert!(said.contains(&format!("chmod 600 {}", path.display())), "{said}");
            assert!(!said.contains("canary"));
        }
        for mode in [0o600, 0o640, 0o440] {
            assert!(Secret::read_own("API key", &kept(folder.path(), &format!("{mode}"), b"x", mode)).is_ok());
        }
    }

    #[test]
    fn a_warning_is_given_only_where_others_can_get_at_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = kept(folder.path(), "readonly.macaroon", b"x", 0o644);
        set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let said = Secret::read("macaroon", &path).unwrap().shared_warning().unwrap();
        assert!(said.contains("readonly.macaroon"), "{said}");
        set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        assert_eq!(Secret::read("macaroon", &path).unwrap().shared_warning(), None);
        let closed = kept(folder.path(), "closed", b"x", 0o640);
        assert_eq!(Secret::read("macaroon", &closed).unwrap().shared_warning(), None);
    }

    #[test]
    fn what_can_be_no_secret_is_refused_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let large = kept(folder.path(), "large", &vec![b'x'; 70_000], 0o600);
        let empty = kept(folder.path(), "empty", b"", 0o600);
        for (path, word) in [
            (large, "64 KiB"),
            (empty, "empty"),
            (folder.path().to_owned(), "folder"),
            (folder.path().join("none"), "no such file"),
        ] {
            let said = Secret::read("macaroon", &path).unwrap_err().to_string();
            assert!(said.contains(word) && said.lines().count() == 1, "{said}");
        }
    }
}
