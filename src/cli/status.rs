//! `daznode status`: which profiles there are, and whether anything makes their reports.

use clap::Args;
use serde_json::json;

use super::Context;
use super::place;
use super::select::Which;
use super::text;
use super::timer;
use crate::exit::Code;
use crate::schedule::Schedule;
use crate::store::{Error, Profile};
use crate::units::UnixMs;

/// List the profiles: whose they are, when their reports are due, when the last was made
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  daznode status\n  daznode status --json | jq '.profiles[].node_alias'")]
pub(super) struct Status {
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(status: &Status, context: &Context) -> anyhow::Result<Code> {
    let profiles = match context.read() {
        Ok(store) => status.which.all(&store, false)?,
        Err(error) if matches!(error.downcast_ref::<Error>(), Some(Error::Missing { .. })) => Vec::new(),
        // The one command that only looks and still does this: what refuses an older store names it.
        Err(error) if matches!(error.downcast_ref::<Error>(), Some(Error::Older { .. })) => {
            let profiles = status.which.all(&context.write()?, false)?;
            place::settle(&context.place)?;
            profiles
        }
        Err(error) => return Err(error),
    };
    let enabled = profiles.iter().filter(|p| p.enabled);
    let advice = timer::advice(&timer::met(enabled.map(|p| p.schedule.as_str()), &timer::systemd));
    if status.json {
        let rows: Vec<_> = profiles.iter().map(|p| row_json(p, context.now)).collect();
        let state = context.place.state.display().to_string();
        context.output.json(&json!({ "state": state, "profiles": rows, "warning": advice }))?;
        return Ok(Code::Fine);
    }
    if profiles.is_empty() {
        context.output.print(&format!(
            "No profile in {}. `daznode enable` makes one, `daznode demo` shows a report without a node.",
            context.place.state.display()
        ))?;
        return Ok(Code::Fine);
    }
    let tenants = profiles.iter().any(|p| p.tenant != "default");
    let mut headers = vec!["User", "Node", "Alias", "Schedule", "", "Last report", "Next due (UTC)"];
    if tenants {
        headers.insert(0, "Tenant");
    }
    let rows: Vec<Vec<String>> = profiles.iter().map(|p| row(p, tenants, context.now)).collect();
    context.output.print(&crate::render::table(&headers, &rows, &context.page()))?;
    if let Some(advice) = advice {
        context.output.note(&format!("Note: {advice}"));
    }
    if let Some(other) = &context.place.other {
        context.output.note(&format!("There is also the service's store {}: --system shows it.", other.display()));
    }
    Ok(Code::Fine)
}

fn next(profile: &Profile, now: UnixMs) -> Option<UnixMs> {
    profile.enabled.then(|| profile.schedule.parse::<Schedule>().ok()?.next(now)).flatten()
}

fn row(profile: &Profile, tenant: bool, now: UnixMs) -> Vec<String> {
    let minute = |at: UnixMs| at.timestamp().strftime("%Y-%m-%d %H:%M").to_string();
    let mut row = vec![
        profile.user.clone(),
        profile.pubkey.short(),
        text::line(&profile.alias),
        text::line(&profile.schedule),
        if profile.enabled { "on" } else { "off" }.to_owned(),
        profile.last_report_at.map_or_else(|| "none yet".to_owned(), minute),
        next(profile, now).map_or_else(|| "-".to_owned(), minute),
    ];
    if tenant {
        row.insert(0, profile.tenant.clone());
    }
    row
}

/// What every command says of a profile, with what is added to it.
pub(super) fn profile_json(profile: &Profile, more: serde_json::Value) -> serde_json::Value {
    let mut row = json!({
        "profile_id": profile.id,
        "user_id": profile.user,
        "tenant_id": profile.tenant,
        "node_pubkey": profile.pubkey,
        "node_alias": profile.alias,
        "network": profile.network,
        "source": profile.source.place(),
        "schedule": profile.schedule,
        "folder": profile.folder,
    });
    if let (Some(row), serde_json::Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
    row
}

fn row_json(profile: &Profile, now: UnixMs) -> serde_json::Value {
    let more = json!({
        "enabled": profile.enabled,
        "created_at": profile.created_at.rfc3339(),
        "last_report_at": profile.last_report_at.map(UnixMs::rfc3339),
        "last_report_id": profile.last_report_id,
        "total_reports": profile.total_reports,
        "next_due": next(profile, now).map(UnixMs::rfc3339),
    });
    profile_json(profile, more)
}
