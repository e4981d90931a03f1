//! What LND and those who hand over its files say.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use daznode::snapshot::Events;
use daznode::sources::answers::{Answers, GET_INFO, METHODS, Method};
use daznode::sources::backup::BackupFile;
use daznode::sources::lnd::certificate::Pinned;
use daznode::sources::lnd::macaroon::Macaroon;
use daznode::sources::lnd::uri;
use daznode::sources::reader::{Extras, GraphCache, Reader, count_fields};
use daznode::sources::recording::Folder;
use daznode::sources::{Error, Resume};
use daznode::units::{Sat, UnixMs};

use super::{all, fixtures, in_memory, text};

pub(crate) const CAVEATS: &[&str] = &["time-before 2026-11-21T06:00:00Z", "ipaddr 127.0.0.1", "uri:", "\u{2}\u{1}"];
pub(crate) const PEM: &[&str] = &["-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "=", "\n\n"];

/// What a recorded node answers, by method.
static RECORDED: LazyLock<BTreeMap<&'static str, Vec<u8>>> = LazyLock::new(|| {
    let read = |method: &&'static Method| {
        let path = fixtures("lnd/bob-later").join(format!("{}.pb", method.file_stem()));
        std::fs::read(path).ok().map(|answer| (method.path, answer))
    };
    METHODS.iter().filter_map(read).collect()
});

/// A node that says who it is, gives one answer, and has nothing of the rest. It repeats itself a few times where it is asked for more.
struct Strange {
    method: &'static Method,
    answer: Bytes,
    asked: AtomicU32,
}

impl Answers for Strange {
    async fn ask(&self, method: &'static Method, _request: Bytes) -> Result<Bytes, Error> {
        if method == self.method {
            let often = self.asked.fetch_add(1, Ordering::Relaxed);
            return Ok(if often < 4 { self.answer.clone() } else { Bytes::new() });
        }
        // Of all else there is nothing, which is an answer too, and soon read.
        Ok(if *method == GET_INFO { Bytes::from_static(&RECORDED[method.path]) } else { Bytes::new() })
    }

    fn address(&self) -> &'static str {
        "localhost:10009"
    }
}

/// Each recorded answer, behind a byte that says of which method it is.
pub(crate) fn answers() -> Vec<Vec<u8>> {
    let answer = |(n, method): (usize, &&Method)| {
        let mut input = vec![u8::try_from(n).unwrap()];
        input.extend_from_slice(RECORDED.get(method.path)?);
        Some(input)
    };
    METHODS.iter().enumerate().filter_map(answer).collect()
}

pub(crate) fn read(input: &[u8]) -> bool {
    thread_local! {
        static RUNTIME: RefCell<tokio::runtime::Runtime> =
            RefCell::new(tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap());
    }
    let Some((which, answer)) = input.split_first() else { return false };
    let method = METHODS[usize::from(*which) % METHODS.len()];
    let node = Strange { method, answer: Bytes::copy_from_slice(answer), asked: AtomicU32::new(0) };
    let cache = GraphCache::default();
    let extras = Extras { backup: BackupFile::Recorded { modified_at: None }, not_permitted: Vec::new() };
    let reader = Reader::new(&node, "lnd", UnixMs::from_secs(1_795_254_198), &cache).with(extras);
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Events>(2);
    let drain = async { while receiver.recv().await.is_some() {} };
    let resume = Resume::default();
    let (seen, ()) = RUNTIME
        .with_borrow_mut(|runtime| runtime.block_on(async { tokio::join!(reader.observe(&resume, sender), drain) }));
    let Ok(seen) = seen else { return false };
    for channel in seen.node.channels.iter().flatten() {
        assert!(channel.local >= Sat::ZERO && channel.local <= channel.capacity, "{channel:?}");
    }
    // All else is a gap in any case.
    !seen.gaps.iter().any(|gap| gap.reason.contains(method.name()))
}

pub(crate) fn messages() -> Vec<Vec<u8>> {
    RECORDED.values().filter(|answer| !answer.is_empty()).cloned().collect()
}

pub(crate) fn fields(input: &[u8]) -> bool {
    count_fields(input) > 0
}

pub(crate) fn manifests() -> Vec<Vec<u8>> {
    ["bob", "bob-later", "dave"]
        .map(|name| std::fs::read(fixtures("lnd").join(name).join("meta.json")).unwrap())
        .to_vec()
}

/// Its `meta.json`.
pub(crate) fn recording(input: &[u8]) -> bool {
    in_memory("meta.json", input, |path| {
        let Ok(read) = Folder::open(path.parent().unwrap()) else { return false };
        // What is said of it is all of it.
        let _ = (read.name().to_owned(), read.network(), read.taken_at().rfc3339(), read.backup());
        true
    })
}

pub(crate) fn macaroons() -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for binary in all("lnd/bob", ".macaroon") {
        forms.push(hex::encode(&binary).into_bytes());
        forms.push(STANDARD.encode(&binary).into_bytes());
        forms.push(URL_SAFE_NO_PAD.encode(&binary).into_bytes());
        forms.push(binary);
    }
    forms
}

pub(crate) fn macaroon(input: &[u8]) -> bool {
    let Ok(read) = Macaroon::parse(input) else { return false };
    let again = Macaroon::parse(read.expose()).expect("what was taken is taken again");
    assert_eq!(again.expose(), read.expose());
    assert_eq!((again.caveats(), again.expires()), (read.caveats(), read.expires()));
    assert_eq!(format!("{:?}", again.permissions()), format!("{:?}", read.permissions()));
    let shown = format!("{read:?}");
    assert!(!shown.contains(&hex::encode(read.expose())), "it shows itself: {shown}");
    true
}

pub(crate) fn certificates() -> Vec<Vec<u8>> {
    let pem = std::fs::read(fixtures("lnd/bob/tls.cert")).unwrap();
    let lines: String = text(&pem).lines().filter(|line| !line.starts_with('-')).collect();
    vec![STANDARD.decode(lines).unwrap(), pem]
}

pub(crate) fn certificate(input: &[u8]) -> bool {
    let Ok(read) = Pinned::parse(input) else { return false };
    let again = Pinned::parse(read.pem().as_bytes()).expect("what was taken is taken again");
    assert_eq!(again.sha256(), read.sha256());
    true
}

pub(crate) fn uris() -> Vec<Vec<u8>> {
    let [der, _] = &certificates()[..] else { return Vec::new() };
    let macaroon = URL_SAFE_NO_PAD.encode(std::fs::read(fixtures("lnd/bob/readonly.macaroon")).unwrap());
    let certificate = URL_SAFE_NO_PAD.encode(der);
    ["127.0.0.1:10009", "[::1]:10009", "node.example:443"]
        .map(|host| format!("lndconnect://{host}?cert={certificate}&macaroon={macaroon}").into_bytes())
        .to_vec()
}

pub(crate) fn uri(input: &[u8]) -> bool {
    let text = text(input);
    let read = uri::parse(&text);
    assert!(read.is_err() || uri::is_one(&text));
    if let Err(error) = &read {
        // Neither certificate nor macaroon is told.
        assert!(error.to_string().len() < 400, "{error}");
    }
    read.is_ok()
}
