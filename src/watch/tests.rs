//! What the tests of the watcher are made of, and its loop against a scripted world.

pub(super) mod world;

use crate::snapshot::{FailedForward, FailureReason};
use crate::sources::spec::{Certificate, LndSpec, SecretRef, SourceSpec};
pub(super) use crate::store::tests::support::{NOW as START, pubkey as key};
use crate::store::{Access, NewProfile, Profile, Store};
use crate::units::{Msat, Network, Scid, UnixMs};

pub(super) fn new_profile(user: &str, node: u64) -> NewProfile {
    let file = |name: &str| SecretRef::File(format!("/lnd/{name}").into());
    NewProfile {
        tenant: "default".to_owned(),
        user: user.to_owned(),
        pubkey: key(node),
        network: Network::Regtest,
        alias: format!("node {node}"),
        source: SourceSpec::Lnd(LndSpec {
            address: format!("127.0.0.1:{node}"),
            certificate: Certificate::Pinned(file("tls.cert")),
            macaroon: file("readonly.macaroon"),
            proxy: None,
            allow_write_macaroon: false,
            channel_backup: None,
            data: None,
        }),
        schedule: "0 6 * * *".to_owned(),
        notify: serde_json::json!({}),
    }
}

/// A store with one profile, in a folder that goes with it.
pub(super) fn store() -> (tempfile::TempDir, Store, Profile) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Access::Write).unwrap();
    let profile = store.enable(&new_profile("alice", 1), START).unwrap();
    (folder, store, profile)
}

pub(super) fn failed(at: UnixMs, htlc_in: u64, amount: i64) -> FailedForward {
    FailedForward {
        at_ns: at.nanos(),
        scid_in: Scid(1),
        htlc_in,
        scid_out: Scid(2),
        amount_in: Msat::new(amount + 10),
        amount_out: Msat::new(amount),
        reason: FailureReason::Balance,
    }
}
