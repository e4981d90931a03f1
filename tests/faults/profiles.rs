//! Profiles, made without the program: many of them at once, and ones that `enable` would refuse.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use daznode::sources::answers::{ESTIMATE_FEE, GET_INFO};
use daznode::sources::spec::{Certificate, LndSpec, SecretRef, SourceSpec};
use daznode::store::{Access, NewProfile, Profile, Store};
use daznode::units::{Network, UnixMs};
use prost::Message as _;
use tonic_lnd::lnrpc;

use crate::fake_lnd::{Builder, FakeLnd};
use crate::harness::{Sandbox, recording};

/// The recording that has every answer but a watchtower client's and an estimate of fees.
pub(crate) fn whole() -> PathBuf {
    recording("bob-later")
}

/// An answer of it, or one that is made up: the start of a watchtower client's, and 253 sat per 1,000 units of weight.
pub(crate) fn recorded(path: &str) -> Bytes {
    if path.starts_with("/wtclientrpc.") {
        return Bytes::from_static(&[8, 1, 16, 2]);
    }
    if path == ESTIMATE_FEE.path {
        return Bytes::from_static(&[8, 0xfd, 1]);
    }
    let name = format!("{}.pb", path.trim_start_matches('/').replace('/', "."));
    std::fs::read(whole().join(name)).unwrap().into()
}

/// A message of it.
pub(crate) fn message<M: prost::Message + Default>(path: &str) -> M {
    M::decode(recorded(path)).unwrap()
}

pub(crate) fn macaroon() -> Vec<u8> {
    std::fs::read(whole().join("readonly.macaroon")).unwrap()
}

/// A node that answers, until it is told otherwise.
pub(crate) fn lnd() -> Builder {
    FakeLnd::builder().recording(&whole()).macaroon(&macaroon())
}

/// The same node on the main chain, whose newest block is of just now.
pub(crate) fn of_the_main_chain(lnd: Builder) -> Builder {
    let mut info: lnrpc::GetInfoResponse = message(GET_INFO.path);
    for chain in &mut info.chains {
        "mainnet".clone_into(&mut chain.network);
    }
    #[expect(clippy::disallowed_methods, reason = "the test's own clock, which is right")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    info.best_header_timestamp = i64::try_from(now.as_secs()).unwrap();
    lnd.message(GET_INFO.path, info.encode_to_vec())
}

/// How many forwards, payments, invoices and transactions the recorded node has.
pub(crate) fn expected_events() -> [i64; 4] {
    let forwards: lnrpc::ForwardingHistoryResponse = message("/lnrpc.Lightning/ForwardingHistory");
    let payments: lnrpc::ListPaymentsResponse = message("/lnrpc.Lightning/ListPayments");
    let invoices: lnrpc::ListInvoiceResponse = message("/lnrpc.Lightning/ListInvoices");
    let transactions: lnrpc::TransactionDetails = message("/lnrpc.Lightning/GetTransactions");
    [
        forwards.forwarding_events.len(),
        payments.payments.len(),
        invoices.invoices.len(),
        transactions.transactions.len(),
    ]
    .map(|n| i64::try_from(n).unwrap())
}

/// Where secrets are that let a profile read this node.
pub(crate) fn spec(sandbox: &Sandbox, name: &str, lnd: &FakeLnd) -> LndSpec {
    let certificate = sandbox.put(&format!("{name}.cert"), lnd.certificate().as_bytes(), 0o600);
    let macaroon = sandbox.put(&format!("{name}.macaroon"), &macaroon(), 0o600);
    let backup = sandbox.put(&format!("{name}.backup"), &[7; 300], 0o600);
    LndSpec {
        address: lnd.address(),
        certificate: Certificate::Pinned(SecretRef::File(certificate)),
        macaroon: SecretRef::File(macaroon),
        proxy: None,
        allow_write_macaroon: false,
        channel_backup: Some(SecretRef::File(backup)),
        data: None,
    }
}

/// The same as a URI.
pub(crate) fn uri(lnd: &FakeLnd) -> String {
    let der: String = lnd.certificate().lines().filter(|line| !line.starts_with('-')).collect();
    let certificate = der.replace('+', "-").replace('/', "_").replace('=', "");
    format!("lndconnect://{}?cert={certificate}&macaroon={}", lnd.address(), URL_SAFE_NO_PAD.encode(macaroon()))
}

/// Makes a profile of the recorded node for this user, in a tenant of the same name so that nothing is shared.
pub(crate) fn put(store: &Store, user: &str, source: SourceSpec) -> Profile {
    put_on(Network::Regtest, store, user, source)
}

/// The same on another network.
pub(crate) fn put_on(network: Network, store: &Store, user: &str, source: SourceSpec) -> Profile {
    let info: lnrpc::GetInfoResponse = message("/lnrpc.Lightning/GetInfo");
    let new = NewProfile {
        tenant: user.to_owned(),
        user: user.to_owned(),
        pubkey: info.identity_pubkey.parse().unwrap(),
        network,
        alias: user.to_owned(),
        source,
        schedule: "0 6 * * *".to_owned(),
        notify: serde_json::json!({}),
    };
    store.enable(&new, UnixMs::from_secs(1_700_000_000)).unwrap()
}

/// The store of a sandbox.
pub(crate) fn store(sandbox: &Sandbox) -> Store {
    Store::open(&sandbox.state(), Access::Write).unwrap()
}

/// A profile of the node for this user.
pub(crate) fn enable(sandbox: &Sandbox, user: &str, lnd: &FakeLnd) -> Profile {
    let spec = spec(sandbox, user, lnd);
    put(&store(sandbox), user, SourceSpec::Lnd(spec))
}
