//! Secrets on their way from files to a connection.

use std::fs::{File, Permissions as Mode, set_permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;
use crate::sources::spec::SecretRef;

/// 2026-11-21 12:00 UTC.
const NOW: UnixMs = UnixMs(1_795_262_400_000);

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lnd/bob").join(name)).unwrap()
}

fn macaroon(name: &str) -> Macaroon {
    Macaroon::parse(&fixture(name)).unwrap()
}

fn put(folder: &Path, name: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    File::create(&path).unwrap().write_all(&fixture(name)).unwrap();
    set_permissions(&path, Mode::from_mode(mode)).unwrap();
    path
}

fn around() -> Surroundings<'static> {
    Surroundings { credentials: None, proxy: None, offline: false, allow_write_macaroon: false, now: NOW }
}

fn spec(folder: &Path, macaroon: &str, mode: u32) -> LndSpec {
    LndSpec {
        address: "127.0.0.1:10009".to_owned(),
        certificate: Certificate::Pinned(SecretRef::File(put(folder, "tls.cert", 0o644))),
        macaroon: SecretRef::File(put(folder, macaroon, mode)),
        proxy: None,
        allow_write_macaroon: false,
        channel_backup: None,
        data: None,
    }
}

#[test]
fn a_read_only_macaroon_is_taken_without_a_word() {
    assert_eq!(judge(&macaroon("readonly.macaroon"), None, false, NOW).unwrap(), Judged::default());
}

#[test]
fn a_macaroon_that_can_write_is_refused_with_what_it_can_and_what_to_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), "admin.macaroon", 0o600);
    let said = judge(&macaroon("admin.macaroon"), Some(&path), false, NOW).unwrap_err().to_string();
    assert!(said.contains("offchain (write)") && said.contains("macaroon (generate, write)"), "{said}");
    assert!(said.contains("lncli bakemacaroon --save_to daznode.macaroon uri:"), "{said}");
    let better = put(folder.path(), "readonly.macaroon", 0o600);
    let said = judge(&macaroon("admin.macaroon"), Some(&path), false, NOW).unwrap_err().to_string();
    assert!(said.contains(&format!("use {} beside it", better.display())), "{said}");
    assert!(judge(&macaroon("invoice.macaroon"), None, false, NOW).is_err());
}

#[test]
fn a_macaroon_that_can_write_is_taken_where_a_setting_allows_it_and_said_each_time() {
    let judged = judge(&macaroon("admin.macaroon"), None, true, NOW).unwrap();
    assert!(judged.can_write);
    assert!(judged.warnings[0].contains("offchain (write)"), "{:?}", judged.warnings);
    // The invoice macaroon can't even say who the node is.
    let said = judge(&macaroon("invoice.macaroon"), None, true, NOW).unwrap_err().to_string();
    assert!(said.contains("does not permit") && said.contains("GetInfo"), "{said}");
}

#[test]
fn an_end_is_seen_before_lnd_is_asked() {
    let expired = macaroon("expired.macaroon");
    let end = expired.expires().unwrap();
    let said = judge(&expired, None, false, NOW).unwrap_err().to_string();
    assert!(said.contains("expired at 2026-11-21T09:41:20Z"), "{said}");
    assert!(judge(&expired, None, false, end).is_err());
    let soon = judge(&expired, None, false, end.plus(-SOON + 1)).unwrap();
    assert_eq!(soon.warnings.len(), 1);
    assert_eq!(soon.expires, Some(end));
    assert_eq!(judge(&expired, None, false, end.plus(-SOON)).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn modes_are_judged_by_what_the_file_gives_away() {
    let folder = tempfile::tempdir().unwrap();
    set_permissions(folder.path(), Mode::from_mode(0o755)).unwrap();
    let (_, judged) = options(&spec(folder.path(), "readonly.macaroon", 0o644), &around()).unwrap();
    assert_eq!(judged.warnings.len(), 2, "{:?}", judged.warnings);
    let allowed = Surroundings { allow_write_macaroon: true, ..around() };
    let error = options(&spec(folder.path(), "admin.macaroon", 0o644), &allowed).unwrap_err();
    assert!(error.is_credentials() && error.to_string().contains("chmod 600"), "{error}");
    // LND's own mode for it.
    assert!(options(&spec(folder.path(), "admin.macaroon", 0o640), &allowed).unwrap().1.can_write);
}

#[test]
fn files_that_are_missing_or_something_else_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = spec(folder.path(), "readonly.macaroon", 0o600);
    let mut bad = good.clone();
    bad.macaroon = SecretRef::File(folder.path().join("none.macaroon"));
    let said = options(&bad, &around()).unwrap_err().to_string();
    assert!(said.contains("none.macaroon") && said.contains("no such file"), "{said}");
    let mut swapped = good.clone();
    swapped.macaroon = SecretRef::File(folder.path().join("tls.cert"));
    let said = options(&swapped, &around()).unwrap_err().to_string();
    assert!(said.contains("tls.cert: it is no macaroon"), "{said}");
    let mut swapped = good;
    swapped.certificate = Certificate::Pinned(SecretRef::File(folder.path().join("readonly.macaroon")));
    let said = options(&swapped, &around()).unwrap_err().to_string();
    assert!(said.contains("readonly.macaroon is no X.509 certificate"), "{said}");
}

#[test]
fn a_credential_is_found_where_systemd_puts_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = spec(folder.path(), "readonly.macaroon", 0o440);
    std::fs::rename(folder.path().join("readonly.macaroon"), folder.path().join("nodes_bob")).unwrap();
    spec.macaroon = SecretRef::Credential("bob".to_owned());
    let around = Surroundings { credentials: Some(folder.path()), ..around() };
    assert!(options(&spec, &around).is_ok());
}

#[tokio::test]
async fn a_follower_is_made_of_the_same_files_and_dials_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_, judged) = follower(&spec(folder.path(), "readonly.macaroon", 0o600), &around()).unwrap();
    assert!(judged.streams_not_permitted.is_empty(), "{judged:?}");
    let refused = follower(&spec(folder.path(), "admin.macaroon", 0o600), &around()).unwrap_err();
    assert!(matches!(refused, Error::Macaroon { .. }), "{refused}");
}
