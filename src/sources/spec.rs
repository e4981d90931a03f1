//! How to reach a node, as it is stored with its profile. Never holds a secret, only where one is kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::units::{Day, ParseError};

/// Where the service's credentials are when systemd has not handed them over, as for root at a terminal.
pub const CREDENTIALS_FOLDER: &str = "/etc/daznode/credentials";

/// How to reach a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SourceSpec {
    /// LND over gRPC.
    Lnd(LndSpec),
    /// A folder of recorded answers.
    Recording {
        /// The folder.
        folder: PathBuf,
    },
    /// A node that is made up.
    Simulated {
        /// What its figures are made from.
        seed: u64,
        /// The day on which its life begins.
        born: Day,
    },
}

impl SourceSpec {
    /// Where it is, for people: `host:port` or a folder, never with a secret.
    pub fn place(&self) -> String {
        match self {
            Self::Lnd(lnd) => lnd.address.clone(),
            Self::Recording { folder } => folder.display().to_string(),
            Self::Simulated { seed, .. } => format!("simulated node {seed}"),
        }
    }
}

/// How to reach an LND.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LndSpec {
    /// `host:port`, or `unix:///path`.
    pub address: String,
    /// What its certificate is held against.
    pub certificate: Certificate,
    /// The macaroon.
    pub macaroon: SecretRef,
    /// `socks5h://host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The operator agreed to a macaroon that can do more than read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_write_macaroon: bool,
    /// The operator's backup of channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_backup: Option<SecretRef>,
    /// LND's data folder, the one with `chain` and `graph` in it, where it is on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
}

impl LndSpec {
    /// LND's data folder: as it was found, or the one that the macaroon lies in.
    pub fn data_folder(&self) -> Option<PathBuf> {
        let of_macaroon = || match &self.macaroon {
            SecretRef::File(path) => data_folder_of(path).map(Path::to_path_buf),
            SecretRef::Credential(_) => None,
        };
        self.data.clone().or_else(of_macaroon)
    }
}

/// The data folder of an LND that keeps this macaroon: `DATA/chain/bitcoin/NETWORK/…`.
pub fn data_folder_of(macaroon: &Path) -> Option<&Path> {
    let chain = macaroon.parent()?.parent()?;
    if chain.ends_with("chain/bitcoin") { chain.parent()?.parent() } else { None }
}

/// What a certificate is held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// It must be this very one, as LND makes for itself.
    Pinned(SecretRef),
    /// An authority that the system trusts must have signed it.
    Authority,
}

/// Where a secret is kept: `/an/absolute/path`, or `credential:NAME` for one that systemd hands over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// A file.
    File(PathBuf),
    /// A credential of the service.
    Credential(String),
}

impl SecretRef {
    /// The file to read. `handed_over` is `$CREDENTIALS_DIRECTORY`, in which systemd calls a file `NAME` of the folder
    /// that the unit loads `nodes_NAME`. Without it the folder itself is read.
    pub fn path(&self, handed_over: Option<&Path>) -> PathBuf {
        match (self, handed_over) {
            (Self::File(path), _) => path.clone(),
            (Self::Credential(name), None) => Path::new(CREDENTIALS_FOLDER).join(name),
            (Self::Credential(name), Some(folder)) => {
                let of_folder = folder.join(format!("nodes_{name}"));
                if of_folder.exists() { of_folder } else { folder.join(name) }
            }
        }
    }
}

impl FromStr for SecretRef {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError {
            what: "secret's place",
            given: text.chars().take(80).collect(),
            form: "an absolute path, or credential:NAME with letters, digits, dots, dashes and underscores",
        };
        let Some(name) = text.strip_prefix("credential:") else {
            return if text.starts_with('/') { Ok(Self::File(PathBuf::from(text))) } else { Err(bad()) };
        };
        let good = !name.is_empty()
            && !name.starts_with('.')
            && name.len() <= 200
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if good { Ok(Self::Credential(name.to_owned())) } else { Err(bad()) }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(secret: SecretRef) -> Self {
        secret.to_string()
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Credential(name) => write!(f, "credential:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_stored_as_plain_json_and_comes_back() {
        let spec = SourceSpec::Lnd(LndSpec {
            address: "127.0.0.1:10009".to_owned(),
            certificate: Certificate::Pinned(SecretRef::File("/home/bob/.lnd/tls.cert".into())),
            macaroon: SecretRef::Credential("bob.macaroon".to_owned()),
            proxy: None,
            allow_write_macaroon: false,
            channel_backup: None,
            data: None,
        });
        let json = serde_json::to_string(&spec).unwrap();
        let expected = r#"{"kind":"lnd","address":"127.0.0.1:10009","certificate":{"pinned":"/home/bob/.lnd/tls.cert"},"macaroon":"credential:bob.macaroon"}"#;
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<SourceSpec>(&json).unwrap(), spec);
    }

    #[test]
    fn lnds_data_folder_is_told_or_is_that_of_its_macaroon() {
        let spec = |macaroon: &str, data: Option<&str>| LndSpec {
            address: "127.0.0.1:10009".to_owned(),
            certificate: Certificate::Authority,
            macaroon: macaroon.parse().unwrap(),
            proxy: None,
            allow_write_macaroon: false,
            channel_backup: Some("credential:bob.backup".parse().unwrap()),
            data: data.map(PathBuf::from),
        };
        let usual = "/home/bob/.lnd/data/chain/bitcoin/mainnet/readonly.macaroon";
        assert_eq!(spec(usual, None).data_folder(), Some("/home/bob/.lnd/data".into()));
        assert_eq!(spec(usual, Some("/data/lnd")).data_folder(), Some("/data/lnd".into()));
        for elsewhere in ["credential:bob.macaroon", "/readonly.macaroon", "/home/bob/chain/readonly.macaroon"] {
            assert_eq!(spec(elsewhere, None).data_folder(), None, "{elsewhere}");
        }
        let json = serde_json::to_string(&spec(usual, Some("/data/lnd"))).unwrap();
        assert!(json.ends_with(r#""channel_backup":"credential:bob.backup","data":"/data/lnd"}"#), "{json}");
        assert_eq!(serde_json::from_str::<LndSpec>(&json).unwrap(), spec(usual, Some("/data/lnd")));
    }

    #[test]
    fn a_credential_has_a_name_that_stays_in_its_folder() {
        for bad in ["readonly.macaroon", "credential:", "credential:../x", "credential:a/b", "credential:.x", ""] {
            assert!(bad.parse::<SecretRef>().is_err(), "{bad}");
        }
    }

    #[test]
    fn systemd_names_a_file_of_a_loaded_folder_after_both() {
        let folder = tempfile::tempdir().unwrap();
        let secret: SecretRef = "credential:bob.macaroon".parse().unwrap();
        assert_eq!(secret.path(Some(folder.path())), folder.path().join("bob.macaroon"));
        std::fs::File::create(folder.path().join("nodes_bob.macaroon")).unwrap();
        assert_eq!(secret.path(Some(folder.path())), folder.path().join("nodes_bob.macaroon"));
        assert_eq!(secret.path(None), Path::new("/etc/daznode/credentials/bob.macaroon"));
    }
}
