//! Copies of secrets that have no file of their own which the run could read: from a URI, or for the service.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use zeroize::Zeroizing;

use super::given::Given;
use crate::cli::place::Place;
use crate::sources::lnd::Trust;
use crate::sources::spec::{CREDENTIALS_FOLDER, Certificate, SecretRef, SourceSpec};
use crate::store::files::write_atomic;
use crate::units::Pubkey;

/// The folder of copies below the state folder.
const FOLDER: &str = "secrets";

/// What was kept, and what was there before.
pub(super) struct Kept {
    /// How the node is reached, with the places of the copies.
    pub(super) spec: SourceSpec,
    before: Vec<(PathBuf, Option<Zeroizing<Vec<u8>>>)>,
}

impl Kept {
    /// Puts back what was there before.
    pub(super) fn undo(&self) {
        for (path, before) in &self.before {
            // What can't be undone is a copy that nothing names and that the next `enable` writes again.
            let _ = match before {
                Some(bytes) => write_atomic(path, bytes, 0o600).map_err(std::io::Error::other),
                None => std::fs::remove_file(path),
            };
        }
    }
}

/// Keeps copies of what needs one.
pub(super) fn keep(place: &Place, given: &Given, user: &str, pubkey: &Pubkey) -> anyhow::Result<Kept> {
    let SourceSpec::Lnd(lnd) = &given.spec else {
        return Ok(Kept { spec: given.spec.clone(), before: Vec::new() });
    };
    // The service can't look into a person's home: it gets a copy of what root may read.
    let for_service = place.service && rustix::process::geteuid().is_root();
    let name = format!("{user}-{}", pubkey.as_str().get(..16).unwrap_or_default());
    let mut lnd = lnd.clone();
    let mut before = Vec::new();
    let inline = given.inline.as_ref();
    let macaroon = inline.map(|i| Zeroizing::new(i.macaroon.expose().to_vec()));
    let cert = inline.and_then(|i| match &i.trust {
        Trust::Pinned(pinned) => Some(Zeroizing::new(pinned.pem().into_bytes())),
        Trust::Authority => None,
    });
    let copies = [("macaroon", macaroon.as_ref()), ("cert", cert.as_ref())];
    for (kind, inline) in copies {
        let place_of = match (kind, &mut lnd.certificate) {
            ("macaroon", _) => &mut lnd.macaroon,
            (_, Certificate::Pinned(place)) => place,
            (_, Certificate::Authority) => continue,
        };
        let bytes = match (inline, &*place_of) {
            (Some(bytes), _) => bytes.clone(),
            (None, SecretRef::File(path)) if for_service => {
                let what = || format!("cannot read {}", path.display());
                Zeroizing::new(std::fs::read(path).with_context(what)?)
            }
            _ => continue,
        };
        let name = format!("{name}.{kind}");
        let (folder, new) = if for_service {
            (PathBuf::from(CREDENTIALS_FOLDER), SecretRef::Credential(name.clone()))
        } else {
            let folder = place.state.join(FOLDER);
            (folder.clone(), SecretRef::File(folder.join(&name)))
        };
        make_folder(&folder)?;
        let path = folder.join(&name);
        before.push((path.clone(), std::fs::read(&path).ok().map(Zeroizing::new)));
        write_atomic(&path, &bytes, 0o600)?;
        *place_of = new;
    }
    Ok(Kept { spec: SourceSpec::Lnd(lnd), before })
}

/// Removes the copies that are ours; files of others are left alone.
pub(in crate::cli) fn remove(place: &Place, source: &SourceSpec) {
    let SourceSpec::Lnd(lnd) = source else { return };
    let certificate = match &lnd.certificate {
        Certificate::Pinned(place) => Some(place),
        Certificate::Authority => None,
    };
    for secret in std::iter::once(&lnd.macaroon).chain(certificate) {
        let path = secret.path(None);
        let ours = path.starts_with(place.state.join(FOLDER)) || path.starts_with(CREDENTIALS_FOLDER);
        if ours {
            // It may be gone already.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Makes a folder that only its owner may enter, whatever the umask.
fn make_folder(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let what = || format!("cannot make the folder {}", folder.display());
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(what)
}
