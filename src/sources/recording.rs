//! A recording of a node: a folder with one file for each call, holding the answer as it came, and a `meta.json`.
//!
//! It answers pages as LND does, so that resuming works the same.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message;
use serde::Deserialize;
use tonic_lnd::lnrpc::{ForwardingHistoryRequest, GetTransactionsRequest, ListInvoiceRequest, ListPaymentsRequest};

use super::answers::{self, Answers, Method};
use super::backup::BackupFile;
use super::reader::wire::{self, Field, Malformed};
use super::reader::{Extras, GraphCache, Reader};
use super::{Error, EventSender, Identity, NodeSource, Observation, Resume};
use crate::units::{Network, Pubkey, UnixMs};

/// The longest file that is read: a paged method's holds all its pages.
const MAX_FILE: u64 = 512 << 20;
/// The longest `meta.json`.
const MAX_META: u64 = 64 << 10;

/// A folder of answers.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    address: String,
    meta: Meta,
}

/// What `meta.json` says.
#[derive(Clone, Debug, Deserialize)]
struct Meta {
    #[serde(default)]
    node: String,
    network: Network,
    recorded_at_unix_s: i64,
    /// When the backup file that the node was asked about was written.
    #[serde(default)]
    backup_modified_unix_ms: Option<i64>,
}

impl Folder {
    /// Opens a recording. Nothing is read yet but its `meta.json`.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("meta.json");
        let setup = |reason: String| Error::Setup(format!("recording {}: {reason}", folder.display()));
        if !folder.is_dir() {
            return Err(setup("no such folder".to_owned()));
        }
        let text = read(&path, MAX_META).map_err(|reason| setup(format!("meta.json: {reason}")))?;
        let text =
            text.ok_or_else(|| setup("has no meta.json: give the folder that `daznode record` wrote".to_owned()))?;
        let meta = serde_json::from_slice(&text).map_err(|error| setup(format!("meta.json: {error}")))?;
        Ok(Self { path: folder.to_owned(), address: folder.display().to_string(), meta })
    }

    /// When it was made: the `now` of its reports.
    pub const fn taken_at(&self) -> UnixMs {
        UnixMs::from_secs(self.meta.recorded_at_unix_s)
    }

    /// The network that its node lives on.
    pub const fn network(&self) -> Network {
        self.meta.network
    }

    /// What `meta.json` calls it.
    pub fn name(&self) -> &str {
        &self.meta.node
    }

    /// The recorded answer about the operator's backup, where there is one. The backup itself is in no recording.
    pub fn backup(&self) -> BackupFile {
        if self.file(&answers::VERIFY_CHAN_BACKUP).is_file() {
            BackupFile::Recorded { modified_at: self.meta.backup_modified_unix_ms.map(UnixMs) }
        } else {
            BackupFile::NotNamed
        }
    }

    fn file(&self, method: &Method) -> PathBuf {
        self.path.join(format!("{}.pb", method.file_stem()))
    }

    fn answer(&self, method: &'static Method, request: &[u8]) -> Result<Bytes, Error> {
        let path = self.file(method);
        let bad = |reason: String| {
            let (address, call) = (self.address.clone(), method.name().to_owned());
            Error::Answer { address, call, reason }
        };
        let whole = read(&path, MAX_FILE).map_err(bad)?.ok_or_else(|| self.missing(method))?;
        let answer = match Pages::of(method, request).map_err(|error| bad(error.to_string()))? {
            Some(pages) => pages.cut(&whole).map_err(|error| bad(error.to_string()))?,
            None => whole,
        };
        if answer.len() > method.max_bytes {
            let (address, call) = (self.address.clone(), method.name().to_owned());
            return Err(Error::TooLarge { address, call, limit: method.max_bytes });
        }
        Ok(Bytes::from(answer))
    }

    fn missing(&self, method: &Method) -> Error {
        if *method == answers::GET_INFO {
            return Error::Setup(format!("recording {} has no GetInfo: it is not complete", self.address));
        }
        let (address, call) = (self.address.clone(), method.name().to_owned());
        Error::NotOffered { address, call, reason: "not in this recording".to_owned() }
    }
}

impl Answers for Folder {
    async fn ask(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        self.answer(method, &request)
    }

    fn address(&self) -> &str {
        &self.address
    }
}

/// A regular file whole, `None` where there is none. Links are refused: a recording may come from a stranger.
fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, String> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if !meta.is_file() {
        return Err("not a regular file".to_owned());
    }
    if meta.len() > limit {
        return Err(format!("{} bytes, too large: at most {limit}", meta.len()));
    }
    fs::read(path).map(Some).map_err(|error| error.to_string())
}

/// Which rows of a paged answer a request wants.
struct Pages {
    /// The field of a row that `from` and `to` are about.
    key: u64,
    from: u64,
    to: u64,
    /// Rows without the key, such as unconfirmed transactions, belong to every range.
    keep_without: bool,
    skip: usize,
    max: usize,
}

/// Rows are field 1 of every paged answer.
const ROWS: u64 = 1;

impl Pages {
    fn of(method: &Method, request: &[u8]) -> Result<Option<Self>, prost::DecodeError> {
        let whole = Self { key: 0, from: 0, to: u64::MAX, keep_without: false, skip: 0, max: usize::MAX };
        let size = |n: u64, otherwise: usize| match usize::try_from(n) {
            Ok(0) => otherwise,
            Ok(n) => n,
            Err(_) => usize::MAX,
        };
        Ok(Some(if *method == answers::FORWARDING_HISTORY {
            let request = ForwardingHistoryRequest::decode(request)?;
            let nanos = |secs: u64| secs.saturating_mul(1_000_000_000);
            let to = if request.end_time == 0 { u64::MAX } else { nanos(request.end_time) };
            let skip = usize::try_from(request.index_offset).unwrap_or(usize::MAX);
            let max = size(u64::from(request.num_max_events), 100);
            Self { key: 11, from: nanos(request.start_time), to, skip, max, ..whole }
        } else if *method == answers::LIST_PAYMENTS {
            let request = ListPaymentsRequest::decode(request)?;
            Self {
                key: 15,
                from: request.index_offset.saturating_add(1),
                max: size(request.max_payments, 100),
                ..whole
            }
        } else if *method == answers::LIST_INVOICES {
            let request = ListInvoiceRequest::decode(request)?;
            let from = request.index_offset.saturating_add(1);
            Self { key: 16, from, max: size(request.num_max_invoices, 100), ..whole }
        } else if *method == answers::GET_TRANSACTIONS {
            let request = GetTransactionsRequest::decode(request)?;
            let from = u64::try_from(request.start_height).unwrap_or(0);
            let skip = usize::try_from(request.index_offset).unwrap_or(usize::MAX);
            let max = size(u64::from(request.max_transactions), usize::MAX);
            Self { key: 5, from, keep_without: true, skip, max, ..whole }
        } else {
            return Ok(None);
        }))
    }

    fn wants(&self, row: &[u8]) -> Result<bool, Malformed> {
        let mut key = 0;
        for field in wire::fields(row) {
            let field = field?;
            if field.number == self.key {
                key = field.number_value();
            }
        }
        Ok((key == 0 && self.keep_without) || (self.from..=self.to).contains(&key))
    }

    /// The rows that are wanted, and nothing else: readers go by the rows.
    fn cut(&self, whole: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut page = Vec::new();
        let (mut skipped, mut taken) = (0, 0);
        for field in wire::fields(whole) {
            let Field { number, value: _, raw } = field?;
            if number != ROWS || taken == self.max || !self.wants(field?.bytes())? {
                continue;
            }
            if skipped < self.skip {
                skipped += 1;
            } else {
                page.extend_from_slice(raw);
                taken += 1;
            }
        }
        Ok(page)
    }
}

/// A recording as a node.
#[derive(Clone, Debug)]
pub struct RecordingSource {
    folder: Folder,
    expected: Option<(Pubkey, Network)>,
}

impl RecordingSource {
    /// The recording in `folder`.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Folder::open(folder).map(|folder| Self { folder, expected: None })
    }

    /// Refuses a recording of any other node: the folder may have been replaced.
    #[must_use]
    pub fn expecting(mut self, pubkey: Pubkey, network: Network) -> Self {
        self.expected = Some((pubkey, network));
        self
    }

    fn reader<'a>(&'a self, graph: &'a GraphCache) -> Reader<'a, Folder> {
        let extras = Extras { backup: self.folder.backup(), not_permitted: Vec::new() };
        let reader = Reader::new(&self.folder, "recording", self.taken_at(), graph).with(extras);
        match &self.expected {
            Some((pubkey, network)) => reader.expecting(pubkey.clone(), *network),
            None => reader,
        }
    }

    /// When it was made: the `now` of its reports.
    pub const fn taken_at(&self) -> UnixMs {
        self.folder.taken_at()
    }
}

impl NodeSource for RecordingSource {
    async fn identify(&self) -> Result<Identity, Error> {
        self.reader(&GraphCache::default()).identify().await
    }

    async fn observe(&self, resume: &Resume, events: EventSender) -> Result<Observation, Error> {
        // Its graph is of its own time: not shared.
        let graph = GraphCache::default();
        let mut observation = self.reader(&graph).observe(resume, events).await?;
        observation.seen.latency_ms = None;
        Ok(observation)
    }
}

#[cfg(test)]
mod tests;
