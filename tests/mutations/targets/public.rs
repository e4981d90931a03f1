//! What public sources answer. A source of facts is a function here and a line in the table.

use daznode::sources::http::{date, retry_after};
use daznode::sources::{amboss, mempool, position as place, remote};
use daznode::units::{Pubkey, UnixMs};

use super::{fixtures, of, text};

pub(crate) const JSON: &[&str] =
    &["null", "true", "{}", "[]", "\"\"", "1e400", "{\"", "\":", "\\u0000", "\\ud83d", ",,"];

fn files(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| std::fs::read(fixtures("public").join(name)).unwrap()).collect()
}

/// The node of the fixtures.
fn asked() -> Pubkey {
    "02a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0".parse().unwrap()
}

pub(crate) fn fees() -> Vec<Vec<u8>> {
    files(&["fees-precise.json", "fees-recommended.json"])
}

pub(crate) fn mempool_fees(input: &[u8]) -> bool {
    mempool::fees(&text(input)).is_ok()
}

pub(crate) fn heights() -> Vec<Vec<u8>> {
    of(&["924680", " 1\n"])
}

pub(crate) fn mempool_height(input: &[u8]) -> bool {
    mempool::height(&text(input)).is_ok()
}

pub(crate) fn prices() -> Vec<Vec<u8>> {
    files(&["prices.json", "prices-none.json"])
}

pub(crate) fn mempool_price(input: &[u8]) -> bool {
    let read = mempool::price(&text(input));
    if let Ok(mempool::Told::Fact(prices, _)) = &read {
        assert!(prices.values().all(|price| *price >= 0), "{prices:?}");
    }
    read.is_ok()
}

pub(crate) fn networks() -> Vec<Vec<u8>> {
    files(&["statistics.json"])
}

pub(crate) fn mempool_network(input: &[u8]) -> bool {
    mempool::network(200, &text(input)).is_ok()
}

pub(crate) fn nodes() -> Vec<Vec<u8>> {
    files(&["node.json"])
}

pub(crate) fn mempool_node(input: &[u8]) -> bool {
    let body = text(input);
    let _ = mempool::node(404, &body, &asked());
    mempool::node(200, &body, &asked()).is_ok()
}

pub(crate) fn amboss_nodes() -> Vec<Vec<u8>> {
    files(&["amboss-node.json", "amboss-null.json", "amboss-partial.json"])
}

pub(crate) fn amboss_node(input: &[u8]) -> bool {
    amboss::node(&text(input), &asked()).is_ok()
}

pub(crate) fn amboss_rates() -> Vec<Vec<u8>> {
    files(&["amboss-fees.json"])
}

pub(crate) fn amboss_fees(input: &[u8]) -> bool {
    let body = text(input);
    let _ = amboss::fees(&body, false);
    amboss::fees(&body, true).is_ok()
}

pub(crate) fn healths() -> Vec<Vec<u8>> {
    of(&[r#"{"status":"ok","version":"0.2.0","newest_report_at":"2026-11-21T06:00:00Z"}"#, r#"{"status":"ok"}"#])
}

pub(crate) fn remote_health(input: &[u8]) -> bool {
    remote::health(&text(input)).is_ok()
}

pub(crate) fn positions() -> Vec<Vec<u8>> {
    files(&["network.json"])
}

/// What another daznode and LNRouter say of a node and the network.
pub(crate) fn position(input: &[u8]) -> bool {
    let read = place::position(&text(input), &asked(), UnixMs::from_secs(1_795_240_800));
    if let Ok(mempool::Told::Fact(read, _)) = &read {
        let whole = read.network.and_then(|network| network.capacity);
        assert!(read.node.capacity.zip(whole).is_none_or(|(part, whole)| part <= whole), "{read:?}");
    }
    read.is_ok()
}

pub(crate) fn waits() -> Vec<Vec<u8>> {
    of(&["120", "Sat, 21 Nov 2026 06:00:00 GMT", "Sat, 21 Nov 2026 06:00:00 +0100"])
}

pub(crate) fn wait(input: &[u8]) -> bool {
    let text = text(input);
    let _ = (date(&text), retry_after(&text, UnixMs(i64::MAX)), retry_after(&text, UnixMs(i64::MIN)));
    retry_after(&text, UnixMs::from_secs(1_795_240_800)).is_some()
}
