//! `daznode disable`: no more reports for a node; with `--erase`, nothing is left of its user.

use clap::Args;

use super::enable::secrets;
use super::failure::usage;
use super::select::{self, Which, name};
use super::{Context, collect, lock};
use crate::exit::Code;
use crate::store::{Profile, Store};

/// Make no more reports for a node
///
/// What is stored stays, and `daznode enable` goes on where it stopped, unless --erase is given: that removes every
/// report, file, copied secret and setting of the user whose node it is.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode disable bob\n  \
    daznode disable --all\n  \
    daznode disable --user alice --all --erase --yes")]
pub(super) struct Disable {
    /// The node: its pubkey, the first digits of it, or its alias
    #[arg(value_parser = select::node, required_unless_present = "all", conflicts_with = "all")]
    node: Option<String>,
    /// All profiles
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
    /// Remove everything of the user: reports, files, history, secrets that were copied
    #[arg(long)]
    erase: bool,
    /// Really remove it
    #[arg(long, requires = "erase")]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(disable: &Disable, context: &Context) -> anyhow::Result<Code> {
    // Looked at first: what is refused leaves the store as it is, and one that is not there is not made here.
    let store = context.read()?;
    let profiles = match &disable.node {
        Some(_) => vec![disable.which.one(&store, disable.node.as_deref())?],
        None => disable.which.all(&store, false)?,
    };
    if profiles.is_empty() {
        context.output.note("There is no profile to disable.");
        return Ok(Code::Fine);
    }
    if disable.erase { erase(disable, &profiles, &store, context) } else { off(disable, &profiles, context) }
}

fn off(disable: &Disable, profiles: &[Profile], context: &Context) -> anyhow::Result<Code> {
    let store = context.write()?;
    for profile in profiles {
        store.set_enabled(profile.id, false, context.now)?;
        context.output.note(&format!("{}: no more reports. What is stored stays.", name(profile)));
    }
    if disable.json {
        let disabled: Vec<_> = profiles.iter().map(|p| p.pubkey.as_str()).collect();
        context.output.json(&serde_json::json!({ "disabled": disabled }))?;
    }
    Ok(Code::Fine)
}

fn erase(disable: &Disable, profiles: &[Profile], store: &Store, context: &Context) -> anyhow::Result<Code> {
    let mut users: Vec<(&str, &str)> = profiles.iter().map(|p| (p.tenant.as_str(), p.user.as_str())).collect();
    users.dedup();
    let everything = Which::default().all(store, false)?;
    let of_users: Vec<&Profile> =
        everything.iter().filter(|p| users.contains(&(p.tenant.as_str(), p.user.as_str()))).collect();
    if disable.node.is_some() && of_users.len() > 1 {
        let user = users.first().map(|(_, user)| *user).unwrap_or_default();
        return Err(usage(format!(
            "user {user} has {} nodes and --erase removes all of them: say `daznode disable --user {user} --all --erase`",
            of_users.len()
        )));
    }
    if !disable.yes {
        let reports: u32 = of_users.iter().map(|p| p.total_reports).sum();
        let names: Vec<&str> = users.iter().map(|(_, user)| *user).collect();
        return Err(usage(format!(
            "--erase removes everything of {} ({} profiles, {reports} reports) for good: add --yes",
            names.join(", "),
            of_users.len()
        )));
    }
    let _lock = lock::take(&context.place.state, context.now)?;
    let store = context.write()?;
    let (mut reports, mut files) = (0, 0);
    for (tenant, user) in &users {
        let erased = store.erase_user(tenant, user)?;
        reports += erased.reports;
        files += erased.files.len();
    }
    for profile in &of_users {
        secrets::remove(&context.place, &profile.source);
        collect::cache(&context.place.state).forget(&profile.pubkey);
    }
    context.output.note(&format!("Removed {} profiles, {reports} reports and {files} files.", of_users.len()));
    if disable.json {
        let users: Vec<&str> = users.iter().map(|(_, user)| *user).collect();
        let removed = serde_json::json!({ "erased": { "users": users, "reports": reports, "files": files } });
        context.output.json(&removed)?;
    }
    Ok(Code::Fine)
}
