//! Makes a recording of a node: keeps what passes by while the node is read, and writes it to a folder.
//!
//! Preimages, payment secrets and invoices never reach the folder. With `redact`, names and ids are replaced as well.

mod redact;
mod secrets;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use prost::DecodeError;
use tokio::sync::mpsc;

use super::answers::{Answers, METHODS, Method};
use super::reader::{Extras, GraphCache, Reader};
use super::{Error, Observation, Resume};
use crate::snapshot::Gap;
use crate::units::UnixMs;

/// Passes questions on and keeps the answers.
#[derive(Debug)]
pub struct Tee<'a, A> {
    answers: &'a A,
    kept: Mutex<BTreeMap<&'static str, Vec<u8>>>,
}

impl<'a, A: Answers> Tee<'a, A> {
    /// Keeps what `answers` says.
    pub const fn new(answers: &'a A) -> Self {
        Self { answers, kept: Mutex::new(BTreeMap::new()) }
    }

    /// What has been said, by the path of the method. Pages are one message, as protobuf merges what follows each other.
    fn into_kept(self) -> BTreeMap<&'static str, Vec<u8>> {
        self.kept.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Answers> Answers for Tee<'_, A> {
    async fn ask(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let answer = self.answers.ask(method, request).await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entry(method.path).or_default().extend_from_slice(&answer);
        Ok(answer)
    }

    fn address(&self) -> &str {
        self.answers.address()
    }
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Answers that were written.
    pub answers: usize,
    /// All their bytes.
    pub bytes: usize,
    /// What the node did not answer, or not credibly.
    pub gaps: Vec<Gap>,
}

/// Reads the whole node and writes its answers to `folder`, which must be empty or not there: all of them, or nothing.
pub async fn record<A: Answers>(
    answers: &A,
    extras: Extras,
    folder: &Path,
    now: UnixMs,
    redact: bool,
) -> Result<Recorded, Error> {
    must_be_empty(folder)?;
    let tee = Tee::new(answers);
    let observation = observe(&tee, extras, now).await?;
    let files = files(tee.into_kept(), &observation, redact).map_err(|(method, error)| Error::Answer {
        address: answers.address().to_owned(),
        call: method.name().to_owned(),
        reason: error.to_string(),
    })?;
    write(folder, &files).map_err(|error| Error::Setup(format!("cannot write to {}: {error}", folder.display())))?;
    let bytes = files.iter().map(|(_, content)| content.len()).sum();
    Ok(Recorded { answers: files.len() - 1, bytes, gaps: observation.gaps })
}

async fn observe<A: Answers>(answers: &A, extras: Extras, now: UnixMs) -> Result<Observation, Error> {
    let graph = GraphCache::default();
    let (sender, mut events) = mpsc::channel(1);
    let reader = Reader::new(answers, "lnd", now, &graph).with(extras);
    let drain = async { while events.recv().await.is_some() {} };
    let resume = Resume::default();
    tokio::join!(reader.observe(&resume, sender), drain).0
}

type Files = Vec<(String, Vec<u8>)>;

fn files(
    mut kept: BTreeMap<&'static str, Vec<u8>>,
    observation: &Observation,
    redact: bool,
) -> Result<Files, (&'static Method, DecodeError)> {
    let mut redactor = redact::Redactor::default();
    let mut node = observation.node.info.alias.clone();
    if redact {
        node = redactor.alias_of(observation.node.info.pubkey.as_str());
    }
    let mut files = vec![("meta.json".to_owned(), meta(&node, observation, redact))];
    for method in METHODS {
        let Some(answer) = kept.remove(method.path) else { continue };
        let clean = secrets::remove(method, answer).map_err(|error| (method, error))?;
        let clean = if redact { redactor.answer(method, &clean).map_err(|error| (method, error))? } else { clean };
        files.push((format!("{}.pb", method.file_stem()), clean));
    }
    Ok(files)
}

fn meta(node: &str, observation: &Observation, redacted: bool) -> Vec<u8> {
    let info = &observation.node.info;
    let mut meta = serde_json::json!({
        "node": node,
        "network": info.network.as_str(),
        "lnd_version": info.version,
        // Rounded up: what the answers tell had happened by then.
        "recorded_at_unix_s": observation.taken_at.plus(999).secs(),
        "redacted": redacted,
    });
    let backup = observation.node.backup.as_ref().and_then(|backup| backup.modified_at);
    if let (Some(written), Some(meta)) = (backup, meta.as_object_mut()) {
        meta.insert("backup_modified_unix_ms".to_owned(), written.0.into());
    }
    format!("{meta:#}\n").into_bytes()
}

fn must_be_empty(folder: &Path) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::Setup(format!("{} {why}: name a new folder", folder.display())));
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => refuse("is not empty"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => refuse(&format!("can't be used ({error})")),
    }
}

/// Writes a folder beside `folder` and renames it: a name that is there is whole.
fn write(folder: &Path, files: &Files) -> io::Result<()> {
    let name = folder.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let partial = parent.join(format!(".{}.partial", name.to_string_lossy()));
    match fs::remove_dir_all(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = fill(&partial, files).and_then(|()| fs::rename(&partial, folder)).and_then(|()| sync(&parent));
    if written.is_err() {
        // What is left is cleared by the next try at the latest; the first error is the one to tell.
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

fn fill(folder: &Path, files: &Files) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    for (name, content) in files {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name))?;
        file.write_all(content)?;
        file.sync_all()?;
    }
    sync(folder)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
