//! What is written beside a backup: what it is, and what it must be when it is read again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::copies::Sum;
use super::error::{Error, Result};

/// The shape of a manifest.
const SHAPE: u32 = 1;

/// The longest manifest that is read.
const LONGEST: u64 = 1 << 20;

/// What a backup is, as JSON in the file of its name and `.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The shape of this document: 1.
    pub manifest_version: u32,
    /// The backup's name when it was made.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// The version of its schema.
    pub schema_version: u32,
    /// The daznode that made it.
    pub daznode_version: String,
    /// When it was made.
    pub created_at: String,
    /// Reports in it.
    pub reports: u32,
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
}

impl Manifest {
    pub(super) fn new(
        file: String,
        sum: Sum,
        schema_version: u32,
        created_at: String,
        (reports, tables): (u32, BTreeMap<String, u64>),
    ) -> Self {
        let daznode_version = env!("CARGO_PKG_VERSION").to_owned();
        let Sum { bytes, sha256 } = sum;
        Self {
            manifest_version: SHAPE,
            file,
            bytes,
            sha256,
            schema_version,
            daznode_version,
            created_at,
            reports,
            tables,
        }
    }

    /// Where the manifest of this backup is.
    pub fn path(backup: &Path) -> PathBuf {
        let mut name = backup.as_os_str().to_owned();
        name.push(".json");
        name.into()
    }

    /// The manifest of this backup; `None` where there is no such file.
    pub fn read(backup: &Path) -> Result<Option<Self>> {
        let path = Self::path(backup);
        let file = match File::open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|e| Error::of_io("read", &path, e))?,
        };
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text).map_err(|e| Error::of_io("read", &path, e))?;
        let damaged =
            |reason| Error::DamagedBackup { path: backup.to_path_buf(), reason: format!("its manifest {reason}") };
        let read: Self = serde_json::from_slice(&text).map_err(|e| damaged(format!("can't be read: {e}")))?;
        if read.manifest_version == SHAPE {
            Ok(Some(read))
        } else {
            Err(damaged(format!("has version {}, this daznode knows {SHAPE}", read.manifest_version)))
        }
    }

    /// What of a backup is not as it says.
    pub(super) fn faults(
        &self,
        sum: &Sum,
        schema_version: u32,
        reports: u32,
        tables: &BTreeMap<String, u64>,
    ) -> Vec<String> {
        let mut faults = Vec::new();
        let mut hold = |same: bool, words: String| {
            if !same {
                faults.push(words);
            }
        };
        hold(self.bytes == sum.bytes, format!("it has {} bytes, its manifest says {}", sum.bytes, self.bytes));
        hold(self.sha256 == sum.sha256, "its SHA-256 is not that of its manifest".to_owned());
        let said = self.schema_version;
        hold(said == schema_version, format!("its schema has version {schema_version}, its manifest says {said}"));
        hold(self.reports == reports, format!("it has {reports} reports, its manifest says {}", self.reports));
        hold(self.tables == *tables, "its tables have other rows than its manifest says".to_owned());
        faults
    }
}
