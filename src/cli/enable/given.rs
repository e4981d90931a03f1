//! What was said about how to reach the node: understood, nothing contacted yet.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Enable;
use crate::cli::Context;
use crate::cli::failure::usage;
use crate::sources::lnd::found::{self, FoundNode};
use crate::sources::lnd::macaroon::Macaroon;
use crate::sources::lnd::{Trust, uri};
use crate::sources::recording::Folder;
use crate::sources::spec::{Certificate, LndSpec, SecretRef, SourceSpec};

/// How to reach the node, with the secrets that came in the URI itself.
pub(in crate::cli) struct Given {
    /// How it is reached; where secrets came by URI, their places are still to be chosen.
    pub(in crate::cli) spec: SourceSpec,
    /// What a URI held.
    pub(in crate::cli) inline: Option<Inline>,
    /// What was found without being named, in words.
    pub(in crate::cli) found: Option<String>,
}

/// The secrets of a URI.
pub(in crate::cli) struct Inline {
    /// Its macaroon.
    pub(in crate::cli) macaroon: Macaroon,
    /// Its certificate, or that there is none.
    pub(in crate::cli) trust: Trust,
}

impl Given {
    const fn of(spec: SourceSpec) -> Self {
        Self { spec, inline: None, found: None }
    }
}

/// Understands the arguments; where they don't say, the settings; where those don't, what is found.
pub(in crate::cli) fn understand(enable: &Enable, context: &Context) -> anyhow::Result<Given> {
    let settings = &context.config.lnd;
    let proxy = enable.proxy.clone().or_else(|| settings.proxy.clone());
    let allow_write_macaroon = enable.allow_write_macaroon || settings.allow_write_macaroon;
    if let Some(folder) = &enable.recording {
        let folder = std::path::absolute(folder)?;
        Folder::open(&folder)?;
        return Ok(Given::of(SourceSpec::Recording { folder }));
    }
    let backup = enable.channel_backup.clone().or_else(|| settings.channel_backup.clone());
    let channel_backup = backup.as_deref().map(secret).transpose()?;
    if let Some(text) = &enable.uri {
        let mut given = of_uri(text, proxy, allow_write_macaroon)?;
        if let SourceSpec::Lnd(spec) = &mut given.spec {
            spec.channel_backup = channel_backup;
        }
        return Ok(given);
    }
    let address = enable.address.clone().or_else(|| settings.address.clone());
    let cert = enable.cert.clone().or_else(|| settings.certificate.clone());
    let macaroon = enable.macaroon.clone().or_else(|| settings.macaroon.clone());
    let certificate = cert.as_deref().map(certificate).transpose()?;
    let macaroon = macaroon.as_deref().map(secret).transpose()?;
    // Each part that was not named is one of a folder of LND's.
    if let (None, Some(address), Some(certificate), Some(macaroon)) =
        (&enable.lnddir, &address, &certificate, &macaroon)
    {
        let spec = LndSpec {
            address: address.clone(),
            certificate: certificate.clone(),
            macaroon: macaroon.clone(),
            proxy,
            allow_write_macaroon,
            channel_backup,
            data: None,
        };
        return Ok(Given::of(SourceSpec::Lnd(with_neighbours(spec, context))));
    }
    let node = in_folders(enable.lnddir.as_deref())?;
    let words =
        format!("Found LND in {} ({}), macaroon {}.", node.folder.display(), node.network, node.macaroon.display());
    let spec = LndSpec {
        address: address.unwrap_or_else(|| node.address.to_string()),
        certificate: certificate.unwrap_or(Certificate::Pinned(SecretRef::File(node.certificate))),
        macaroon: macaroon.unwrap_or(SecretRef::File(node.macaroon)),
        proxy,
        allow_write_macaroon,
        channel_backup,
        data: None,
    };
    Ok(Given { found: Some(words), ..Given::of(SourceSpec::Lnd(with_neighbours(spec, context))) })
}

/// What lies around a macaroon in LND's own folder: that folder, and LND's own backup of channels where no other is named.
/// The service can't be expected to read a file there, so there it must be named.
fn with_neighbours(mut spec: LndSpec, context: &Context) -> LndSpec {
    spec.data = spec.data_folder();
    if let SecretRef::File(macaroon) = &spec.macaroon
        && spec.data.is_some()
        && spec.channel_backup.is_none()
        && !context.place.service
    {
        let beside = macaroon.with_file_name("channel.backup");
        spec.channel_backup = beside.is_file().then_some(SecretRef::File(beside));
    }
    spec
}

fn of_uri(text: &str, proxy: Option<String>, allow_write_macaroon: bool) -> anyhow::Result<Given> {
    let text = if text == "-" {
        let mut text = Zeroizing::new(String::new());
        std::io::Read::read_to_string(&mut std::io::Read::take(std::io::stdin(), 64 << 10), &mut text)?;
        text
    } else {
        Zeroizing::new(text.to_owned())
    };
    let uri = uri::parse(text.trim()).map_err(|e| usage(e.to_string()))?;
    // Named for now; the copies get their places once it is known whose they are.
    let place = SecretRef::Credential("uri".to_owned());
    let certificate = match uri.trust {
        Trust::Pinned(_) => Certificate::Pinned(place.clone()),
        Trust::Authority => Certificate::Authority,
    };
    let address = uri.address.to_string();
    let spec = LndSpec {
        address,
        certificate,
        macaroon: place,
        proxy,
        allow_write_macaroon,
        channel_backup: None,
        data: None,
    };
    let inline = Inline { macaroon: uri.macaroon, trust: uri.trust };
    Ok(Given { inline: Some(inline), ..Given::of(SourceSpec::Lnd(spec)) })
}

/// The node of the folder that was named, or of the usual ones.
fn in_folders(named: Option<&Path>) -> anyhow::Result<FoundNode> {
    let folders: Vec<PathBuf> = match named {
        Some(folder) => vec![std::path::absolute(folder)?],
        None => found::usual_folders(std::env::var_os("HOME").map(PathBuf::from).as_deref()),
    };
    let mut nodes = found::find(&folders).into_iter();
    match (nodes.next(), named) {
        (Some(first), _) => Ok(first),
        (None, Some(folder)) => Err(usage(format!(
            "{} holds no tls.cert with a data/chain/bitcoin/…/readonly.macaroon that can be read: name LND's folder, or the \
             files with --address, --cert and --macaroon",
            folder.display()
        ))),
        (None, None) => Err(usage(
            "no LND was found on this machine: give an lndconnect:// URI, or --address, --cert and --macaroon, or --lnddir",
        )),
    }
}

fn certificate(text: &str) -> anyhow::Result<Certificate> {
    Ok(if text == "authority" { Certificate::Authority } else { Certificate::Pinned(secret(text)?) })
}

/// A file, made absolute since the run starts elsewhere, or a credential.
fn secret(text: &str) -> anyhow::Result<SecretRef> {
    if text.starts_with("credential:") {
        return Ok(text.parse()?);
    }
    let path = match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(text),
    };
    Ok(SecretRef::File(std::path::absolute(path)?))
}
