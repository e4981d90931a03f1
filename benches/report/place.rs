//! A home for daznode: an empty folder with a store and credentials, removed at the end.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use daznode::sources::spec::{Certificate, LndSpec, SecretRef, SourceSpec};
use daznode::store::{Access, NewProfile, Store};
use daznode::units::{Network, Pubkey, UnixMs};
use tempfile::TempDir;

use crate::machine;

pub struct Place {
    root: TempDir,
}

impl Place {
    /// Below the folder where cargo lets benches write: `/tmp` may be memory, which would make syncing free.
    pub fn new() -> Self {
        let root = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::create_dir(root.path().join("home")).unwrap();
        Self { root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    pub fn database(&self) -> PathBuf {
        self.state().join(daznode::store::DATABASE)
    }

    /// The store, made where it is missing.
    pub fn store(&self) -> Store {
        Store::open(&self.state(), Access::Write).unwrap()
    }

    /// A file that only we can read.
    pub fn secret(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        #[expect(clippy::disallowed_methods, reason = "a file of the bench, which nobody kills in between")]
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// `daznode` with nothing of our own environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = machine::binary();
        command.args(args).env_clear().env("HOME", self.path("home")).env("DAZNODE_STATE", self.state());
        command.current_dir(self.root.path()).stdin(Stdio::null());
        command
    }
}

/// The present, for what is made up to be of yesterday and today.
pub fn now() -> UnixMs {
    #[expect(clippy::disallowed_methods, reason = "the binary that is measured reads the clock too")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixMs(i64::try_from(since.as_millis()).unwrap())
}

/// A profile of a node behind the fake LND.
pub fn profile(
    user: &str,
    pubkey: &str,
    network: Network,
    address: &str,
    certificate: &Path,
    macaroon: &Path,
) -> NewProfile {
    NewProfile {
        tenant: "default".to_owned(),
        user: user.to_owned(),
        pubkey: pubkey.parse::<Pubkey>().unwrap(),
        network,
        alias: user.to_owned(),
        source: SourceSpec::Lnd(LndSpec {
            address: address.to_owned(),
            certificate: Certificate::Pinned(SecretRef::File(certificate.to_path_buf())),
            macaroon: SecretRef::File(macaroon.to_path_buf()),
            proxy: None,
            allow_write_macaroon: false,
            channel_backup: None,
            data: None,
        }),
        schedule: "0 6 * * *".to_owned(),
        notify: serde_json::json!({}),
    }
}
