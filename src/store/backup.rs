//! Backups: one file that holds the whole database at one moment, and a manifest beside it.
//!
//! Files of reports are not in it, since they are written again from the database; secrets are not, since the database has
//! none. A backup gets its name once it was read again and found whole.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Store;
use super::check::{Checked, Current};
use super::copies::{self, Sum, Unfinished};
use super::error::{Error, Result};
use super::files;
use super::manifest::Manifest;
use super::place::Place;
use crate::units::UnixMs;

/// Where backups are that were given no place, below the state folder.
pub const BACKUPS: &str = "backups";

/// A backup that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
}

/// What a look through a backup found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What is in the database.
    pub checked: Checked,
    /// The version of its schema.
    pub schema_version: u32,
    /// What was written down when it was made; `None` where there is no manifest beside it.
    pub manifest: Option<Manifest>,
    /// What is not as the manifest says.
    pub differs: Vec<String>,
}

impl Verified {
    /// Everything that is wrong, in words; empty where it is whole.
    pub fn faults(&self) -> Vec<String> {
        self.differs.iter().cloned().chain(self.checked.database_faults()).collect()
    }

    /// The same, or an error that names the first fault of the backup `path`.
    pub fn sound(self, path: &Path) -> Result<Self> {
        match self.faults().into_iter().next() {
            None => Ok(self),
            Some(reason) => Err(Error::DamagedBackup { path: path.to_path_buf(), reason }),
        }
    }
}

impl Store {
    /// Copies the database as it is at this moment, also while others write, to `target`: a new file, a folder, or with
    /// `None` the folder of backups. Nothing is overwritten.
    pub fn backup(&self, target: Option<&Path>, now: UnixMs) -> Result<Backup> {
        let place = Place { file_mode: 0o600, folder_mode: 0o700, owner: self.place.owner };
        let path = self.target(target, &place, now)?;
        let manifest_path = Manifest::path(&path);
        // One that a kill left alone may be replaced; a file of somebody else may not.
        let foreign = manifest_path.symlink_metadata().is_ok() && !matches!(Manifest::read(&path), Ok(Some(_)));
        if let Some(there) = [(&path, path.symlink_metadata().is_ok()), (&manifest_path, foreign)]
            .into_iter()
            .find_map(|(path, is_there)| is_there.then_some(path))
        {
            return Err(Error::Invalid(format!("{} is there already: name another file", there.display())));
        }
        let half = Unfinished::beside(&path, &place)?;
        self.db.execute("VACUUM INTO ?1", [half.path.to_string_lossy()]).map_err(|e| {
            match Error::of_sql(&half.path, e) {
                Error::Damaged { reason, .. } => self.damaged(reason),
                other => other,
            }
        })?;
        let sum = copies::sum(&half.path)?;
        let found = verify(&half.path, &self.state, &sum, None)?.0;
        if let Some(fault) = found.faults().first() {
            return Err(self.damaged(fault.clone()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let counts = (found.checked.reports, found.checked.tables);
        let manifest = Manifest::new(name, sum, found.schema_version, now.rfc3339(), counts);
        let mut text = serde_json::to_vec_pretty(&manifest)
            .map_err(|e| Error::of_io("write", &manifest_path, std::io::Error::other(e)))?;
        text.push(b'\n');
        // The manifest first: a backup that has its name has its manifest, whenever the process is killed.
        files::write_placed(&manifest_path, &text, &place)?;
        half.publish(&path)?;
        Ok(Backup { path, manifest })
    }

    fn target(&self, target: Option<&Path>, place: &Place, now: UnixMs) -> Result<PathBuf> {
        let name = name(now);
        let Some(target) = target else {
            let folder = self.state.join(BACKUPS);
            files::open_below(&self.state, Path::new(BACKUPS), Some(place))?;
            files::sweep_folder(&folder)?;
            return Ok(folder.join(name));
        };
        let target = std::path::absolute(target).map_err(|e| Error::of_io("find", target, e))?;
        Ok(if target.is_dir() { target.join(name) } else { target })
    }
}

/// What a backup of this moment is called.
fn name(now: UnixMs) -> String {
    format!("daznode-{}.db", moment(now))
}

/// A moment as it stands in names of files: `20261121T060000Z`.
pub(super) fn moment(now: UnixMs) -> String {
    now.rfc3339().replace(['-', ':'], "")
}

/// Whether a file has the name that a backup gets where none was chosen.
fn is_named_by_us(name: &str) -> bool {
    let moment = name.strip_prefix("daznode-").and_then(|rest| rest.strip_suffix("Z.db"));
    moment.is_some_and(|m| {
        m.len() == 15 && m.bytes().enumerate().all(|(i, b)| if i == 8 { b == b'T' } else { b.is_ascii_digit() })
    })
}

/// The backups in a folder that bear the name daznode gave them and have their manifest, the oldest first.
pub fn backups(folder: &Path) -> Vec<Backup> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_named_by_us));
    let mut found: Vec<Backup> = named
        .filter_map(|entry| {
            let path = entry.path();
            let manifest = Manifest::read(&path).ok().flatten()?;
            Some(Backup { path, manifest })
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Removes all but the newest `keep` of the [`backups`] in a folder; which those were.
pub fn keep_backups(folder: &Path, keep: usize) -> Result<Vec<PathBuf>> {
    let all = backups(folder);
    let gone = all.len().saturating_sub(keep.max(1));
    let mut removed = Vec::new();
    for old in all.into_iter().take(gone) {
        std::fs::remove_file(&old.path).map_err(|e| Error::of_io("remove", &old.path, e))?;
        let manifest = Manifest::path(&old.path);
        std::fs::remove_file(&manifest).map_err(|e| Error::of_io("remove", &manifest, e))?;
        removed.push(old.path);
    }
    Ok(removed)
}

/// Looks through a backup. An error where it can't be opened at all; what else is wrong with it is in what comes back.
pub fn verify_backup(path: &Path) -> Result<Verified> {
    refuse_in_use(path)?;
    let manifest = Manifest::read(path)?;
    let sum = copies::sum(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    verify(path, folder, &sum, manifest).map(|(verified, _)| verified).map_err(|e| of_backup(path, e))
}

/// A database that is written to is more than its file.
pub(super) fn refuse_in_use(path: &Path) -> Result<()> {
    let about = path.metadata().map_err(|e| Error::of_io("read", path, e))?;
    if !about.is_file() {
        return Err(Error::Invalid(format!("{} is no file", path.display())));
    }
    for end in ["-wal", "-journal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        if std::fs::metadata(&beside).is_ok_and(|about| about.len() > 0) {
            return Err(Error::Invalid(format!(
                "{} is no backup but a database in use, and part of it is in {}: `daznode backup` makes a backup of it",
                path.display(),
                Path::new(&beside).display()
            )));
        }
    }
    Ok(())
}

/// A damaged database is here a damaged backup.
pub(super) fn of_backup(path: &Path, error: Error) -> Error {
    match error {
        Error::Damaged { reason, .. } | Error::DamagedBackup { reason, .. } => {
            Error::DamagedBackup { path: path.to_path_buf(), reason }
        }
        Error::Newer { found, known, .. } => Error::Newer { path: path.to_path_buf(), found, known },
        other => other,
    }
}

/// Looks through the copy of a database at `path`; gives too what the files below `state` should be.
pub(super) fn verify(
    path: &Path,
    state: &Path,
    sum: &Sum,
    manifest: Option<Manifest>,
) -> Result<(Verified, Vec<Current>)> {
    let opened = Store::open_copy(state, path);
    // What the manifest says of the bytes is the clearer word where SQLite only says that something is wrong.
    let same = manifest.as_ref().is_none_or(|m| m.sha256 == sum.sha256 && m.bytes == sum.bytes);
    if let (Err(Error::Damaged { .. }), false) = (&opened, same) {
        let reason = "its bytes are not those that its manifest tells".to_owned();
        return Err(Error::Damaged { path: path.to_path_buf(), reason });
    }
    let (store, schema_version) = opened?;
    let (checked, current) = store.check_database()?;
    let differs =
        manifest.as_ref().map(|m| m.faults(sum, schema_version, checked.reports, &checked.tables)).unwrap_or_default();
    Ok((Verified { checked, schema_version, manifest, differs }, current))
}
