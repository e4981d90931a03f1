//! A fleet of nodes that all answer as the recorded `bob` did, each under a key of its own. Which one is asked, its
//! macaroon says: the last four bytes of the signature, which LND alone could check, are the node's number.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tonic_lnd::lnrpc::{ForwardingHistoryResponse, GetInfoResponse, ListInvoiceResponse, ListPaymentsResponse};

use crate::fake_lnd::{Asked, Reply};
use crate::place::now;

/// The recorded node's key.
const OWN: &str = "03351c902e";

/// The recording.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lnd/bob-later")
}

/// The macaroon of node `n`.
pub fn macaroon(n: u32) -> Vec<u8> {
    let mut bytes = std::fs::read(folder().join("readonly.macaroon")).unwrap();
    let end = bytes.len() - 4;
    bytes[end..].copy_from_slice(&n.to_be_bytes());
    bytes
}

/// The key of node `n`. Node 0 is the recorded one.
pub fn pubkey(n: u32) -> String {
    let info = GetInfoResponse::decode(&*read("lnrpc.Lightning.GetInfo")).unwrap();
    let own = info.identity_pubkey;
    assert!(own.len() == 66 && own.starts_with(&OWN[..8]));
    if n == 0 { own } else { key(&own, n) }
}

fn key(own: &str, n: u32) -> String {
    format!("{}{n:08x}", &own[..58])
}

fn read(stem: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{stem}.pb"))).unwrap()
}

/// One answer, and where the node's key is in it.
struct Answer {
    bytes: Bytes,
    keys: Vec<usize>,
}

/// All answers of the recorded node.
pub struct Recorded {
    own: String,
    answers: HashMap<String, Answer>,
}

impl Recorded {
    /// Reads the recording and makes it one of this minute.
    pub fn read() -> Self {
        let own = pubkey(0);
        let recorded: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder().join("meta.json")).unwrap()).unwrap();
        let later = now().secs() - recorded["recorded_at_unix_s"].as_i64().unwrap();
        let mut answers = HashMap::new();
        for entry in std::fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let Some((service, method)) = name.strip_suffix(".pb").and_then(|stem| stem.rsplit_once('.')) else {
                continue;
            };
            let bytes = moved(method, std::fs::read(&path).unwrap(), later);
            let keys = bytes.windows(66).enumerate().filter(|(_, at)| *at == own.as_bytes()).map(|(n, _)| n).collect();
            answers.insert(format!("/{service}/{method}"), Answer { bytes: bytes.into(), keys });
        }
        Self { own, answers }
    }

    /// What the node answers whose macaroon is shown; one method is later than the rest by `slow`.
    pub fn answer(&self, asked: &Asked<'_>, method: &str, slow: Duration) -> Option<Reply> {
        let answer = self.answers.get(asked.path)?;
        let number = asked.macaroon.and_then(|hex| hex.get(hex.len() - 8..));
        let number = number.and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0);
        let reply = if number == 0 || answer.keys.is_empty() {
            Reply::Message(answer.bytes.clone())
        } else {
            let key = key(&self.own, number);
            let mut bytes = answer.bytes.to_vec();
            for at in &answer.keys {
                bytes[*at..*at + 66].copy_from_slice(key.as_bytes());
            }
            Reply::Message(bytes.into())
        };
        let late = asked.path.rsplit('/').next() == Some(method);
        Some(if late { reply.after(slow) } else { reply })
    }
}

/// The same answer, later by so many seconds.
fn moved(method: &str, bytes: Vec<u8>, later: i64) -> Vec<u8> {
    let ns = later * 1_000_000_000;
    match method {
        "GetInfo" => {
            let mut info = GetInfoResponse::decode(&*bytes).unwrap();
            info.best_header_timestamp += later;
            info.encode_to_vec()
        }
        "ForwardingHistory" => {
            let mut page = ForwardingHistoryResponse::decode(&*bytes).unwrap();
            for event in &mut page.forwarding_events {
                event.timestamp_ns = event.timestamp_ns.checked_add_signed(ns).unwrap();
            }
            page.encode_to_vec()
        }
        "ListPayments" => {
            let mut page = ListPaymentsResponse::decode(&*bytes).unwrap();
            for payment in &mut page.payments {
                payment.creation_time_ns += ns;
                for part in &mut payment.htlcs {
                    part.resolve_time_ns += if part.resolve_time_ns > 0 { ns } else { 0 };
                }
            }
            page.encode_to_vec()
        }
        "ListInvoices" => {
            let mut page = ListInvoiceResponse::decode(&*bytes).unwrap();
            for invoice in &mut page.invoices {
                invoice.creation_date += later;
                invoice.settle_date += if invoice.settle_date > 0 { later } else { 0 };
            }
            page.encode_to_vec()
        }
        _ => bytes,
    }
}
