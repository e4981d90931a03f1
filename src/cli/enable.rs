//! `daznode enable`: from now on, reports for this node.

pub(super) mod given;
pub(super) mod secrets;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::connect::{self, Nodes};
use super::select::{self, Which, name};
use super::{Context, place, text, timer};
use crate::exit::Code;
use crate::schedule::Schedule;
use crate::sources::Identity;
use crate::sources::backup::BackupFile;
use crate::sources::spec::{LndSpec, SecretRef, SourceSpec};
use crate::store::{NewProfile, Profile};
use crate::units::{Network, Pubkey};
use given::Given;

/// Make reports for a node from now on
///
/// The node is asked who it is, so that a wrong address, certificate or macaroon is told now and not at six in the morning.
/// Give an lndconnect URI, or --address, --cert and --macaroon, or --lnddir, or nothing at all where LND runs on this machine.
/// A read-only macaroon is enough, and one that can do more is refused. Only the place of a secret is stored; from a
/// URI a copy is kept that only you can read.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode enable\n  \
    daznode enable --lnddir ~/.lnd --user alice --schedule '30 7 * * *'\n  \
    daznode enable 'lndconnect://node.example:10009?cert=…&macaroon=…'\n  \
    daznode enable --address abc….onion:10009 --cert tls.cert --macaroon readonly.macaroon --proxy socks5h://127.0.0.1:9050\n  \
    sudo daznode --system enable --lnddir /home/bitcoin/.lnd\n  \
    daznode enable --all\n\n\
    A URI on the command line is seen by other users of this machine and kept by the shell: `daznode enable -` reads it \
    from standard input.\n\n\
    Environment: DAZNODE_LND_ADDRESS, DAZNODE_LND_CERT, DAZNODE_LND_MACAROON.")]
pub(super) struct Enable {
    /// An `lndconnect://` URI, or - to read one from standard input
    #[arg(conflicts_with_all = ["address", "cert", "macaroon", "lnddir", "recording", "all"])]
    uri: Option<String>,
    /// Where LND's gRPC listens: `host:port` or `unix:///path`
    #[arg(long, value_name = "ADDRESS", value_parser = address, conflicts_with_all = ["recording", "all"])]
    address: Option<String>,
    /// LND's tls.cert, credential:NAME, or the word authority for a certificate that this system trusts
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recording", "all"])]
    cert: Option<String>,
    /// A read-only macaroon, or credential:NAME
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recording", "all"])]
    macaroon: Option<String>,
    /// Your backup of channels, or credential:NAME: reports say which channels are not in it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recording", "all"])]
    channel_backup: Option<String>,
    /// LND's folder: address, certificate and macaroon are looked for there
    #[arg(long, value_name = "DIR", conflicts_with_all = ["recording", "all"])]
    lnddir: Option<PathBuf>,
    /// A folder that `daznode record` wrote, instead of a node
    #[arg(long, value_name = "DIR", conflicts_with = "all")]
    recording: Option<PathBuf>,
    /// A SOCKS proxy for this node: `socks5h://host:port`
    #[arg(long, value_name = "URL", value_parser = proxy)]
    proxy: Option<String>,
    /// Enable again every profile that was disabled
    #[arg(long)]
    all: bool,
    /// Whose reports these are
    #[arg(long, value_name = "ID", default_value = "default", value_parser = select::id)]
    user: String,
    /// The tenant of that user
    #[arg(long, value_name = "ID", default_value = "default", value_parser = select::id)]
    tenant: String,
    /// When reports are due, in UTC: minute, hour, day, month, weekday, such as '30 7 * * 1';
    /// every day at 6:00 unless told
    #[arg(long, value_name = "CRON", value_parser = schedule)]
    schedule: Option<String>,
    /// Which channels of the settings tell of this node, as a JSON object with a list `channels`; all of them unless told
    #[arg(long, value_name = "JSON", value_parser = notify)]
    notify: Option<serde_json::Value>,
    /// Take a macaroon that can spend or change something
    #[arg(long)]
    allow_write_macaroon: bool,
    /// Don't ask the node who it is: then --pubkey says so
    #[arg(long, requires = "pubkey")]
    no_check: bool,
    /// The node's public key; where the node is asked, it must answer with this one
    #[arg(long, value_name = "PUBKEY")]
    pubkey: Option<Pubkey>,
    /// The node's chain, with --no-check
    #[arg(long, value_name = "NETWORK", default_value = "mainnet", requires = "no_check")]
    network: Network,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn address(text: &str) -> Result<String, String> {
    let good = crate::config::is_address(text);
    if good { Ok(text.to_owned()) } else { Err("expected host:port or unix:///path".to_owned()) }
}

fn proxy(text: &str) -> Result<String, String> {
    let good = crate::config::is_proxy(text);
    if good { Ok(text.to_owned()) } else { Err("expected socks5h://host:port".to_owned()) }
}

fn schedule(text: &str) -> Result<String, String> {
    text.parse::<Schedule>().map(|_| text.to_owned()).map_err(|e| format!("expected {}", e.form))
}

fn notify(text: &str) -> Result<serde_json::Value, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|e| format!("expected a JSON object: {e}"))?;
    let named = value
        .get("channels")
        .is_none_or(|list| list.as_array().is_some_and(|l| l.iter().all(serde_json::Value::is_string)));
    let form = "expected a JSON object, such as {} or {\"channels\": [\"phone\"]}";
    if value.is_object() && named { Ok(value) } else { Err(form.to_owned()) }
}

pub(super) fn run(enable: &Enable, context: &Context) -> anyhow::Result<Code> {
    if enable.all {
        return again(enable, context);
    }
    super::notify::check_names(enable.notify.as_ref(), context)?;
    let given = given::understand(enable, context)?;
    if let Some(word) = &given.found {
        context.output.note(word);
    }
    let nodes = Nodes::new(context);
    let identity = match &enable.pubkey {
        Some(pubkey) if enable.no_check => {
            nodes.judge(&given)?;
            Identity { pubkey: pubkey.clone(), alias: String::new(), network: enable.network, version: String::new() }
        }
        expected => {
            let found = connect::block_on(nodes.identify(&given, expected.as_ref()))??;
            for warning in found.warnings {
                context.output.note(&format!("Warning: {}", text::line(&warning)));
            }
            found.identity
        }
    };
    let profile = keep(enable, context, &given, &identity)?;
    place::settle(&context.place)?;
    tell(enable, context, &profile, &identity)?;
    Ok(Code::Fine)
}

/// Stores the profile, and the secrets that are not in files of their own. Where the one fails the other is undone.
fn keep(enable: &Enable, context: &Context, given: &Given, identity: &Identity) -> anyhow::Result<Profile> {
    let store = context.write()?;
    let kept = secrets::keep(&context.place, given, &enable.user, &identity.pubkey)?;
    let schedule = enable.schedule.clone().unwrap_or_else(|| context.config.schedule.default.clone());
    let new = NewProfile {
        tenant: enable.tenant.clone(),
        user: enable.user.clone(),
        pubkey: identity.pubkey.clone(),
        network: identity.network,
        alias: identity.alias.clone(),
        source: kept.spec.clone(),
        schedule,
        notify: enable.notify.clone().unwrap_or_else(|| json!({})),
    };
    warn_of_backup(context, &new.source);
    store.enable(&new, context.now).context("the profile could not be stored").inspect_err(|_| kept.undo())
}

/// Says now what every report would say.
fn warn_of_backup(context: &Context, source: &SourceSpec) {
    let SourceSpec::Lnd(LndSpec { channel_backup: Some(place @ SecretRef::File(_)), .. }) = source else { return };
    if let BackupFile::Unreadable(reason) = BackupFile::read(Some(place), None) {
        context.output.note(&format!("Warning: the backup of channels {}", text::line(&reason)));
    }
}

fn again(enable: &Enable, context: &Context) -> anyhow::Result<Code> {
    drop(context.read()?);
    let store = context.write()?;
    let off: Vec<Profile> = Which::default().all(&store, false)?.into_iter().filter(|p| !p.enabled).collect();
    for profile in &off {
        store.set_enabled(profile.id, true, context.now)?;
        context.output.note(&format!("{}: reports are made again.", name(profile)));
    }
    if off.is_empty() {
        context.output.note("No profile was disabled.");
    }
    if enable.json {
        let enabled: Vec<_> = off.iter().map(|p| p.pubkey.as_str()).collect();
        context.output.json(&json!({ "enabled": enabled }))?;
    }
    Ok(Code::Fine)
}

fn tell(enable: &Enable, context: &Context, profile: &Profile, identity: &Identity) -> anyhow::Result<()> {
    let needed = profile.schedule.parse::<Schedule>()?.timer().unit();
    let output = context.output;
    let version = text::line(&identity.version);
    let version = if version.is_empty() { String::new() } else { format!(", version {version}") };
    output.note(&format!("Enabled {} ({}{version}) for user {}.", name(profile), profile.network, profile.user));
    output.note(&format!("Reports are due at \"{}\" (UTC), which {needed} meets.", profile.schedule));
    let met = timer::met([profile.schedule.as_str()], &timer::systemd);
    if let Some(advice) = timer::advice(&met) {
        output.note(&format!("Note: {advice}"));
    }
    let node = profile.pubkey.as_str().get(..8).unwrap_or_default();
    let system = if context.place.service { " --system" } else { "" };
    output.note(&format!("Next: daznode{system} generate {node}, then daznode{system} show {node}"));
    if enable.json {
        let more = json!({
            "timer": needed,
            "timer_on": match met { timer::Met::Yes => Some(true), timer::Met::Off(_) => Some(false), timer::Met::Unknown => None },
        });
        output.json(&super::status::profile_json(profile, more))?;
    }
    Ok(())
}
