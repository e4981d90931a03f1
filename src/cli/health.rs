//! `daznode health-check`: whether tomorrow's report will come, for people and for monitors.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::connect::{self, Nodes};
use super::select::{Which, name};
use super::{Context, failure, sources, timer};
use crate::exit::Code;
use crate::render::{self, Check, State};
use crate::store::{self, BACKUPS, DATABASE, GraphFolder, Profile, Store};
use crate::units::{DAY_MS, HOUR_MS, UnixMs};

/// Check nodes, sources, store, files, backups, timer, watcher, messages, last run and permissions
///
/// Ends with 0 where all is well or only needs a look, and with 1 where something does not work, so that a monitor can call
/// it. It changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode health-check\n  \
    daznode health-check --json | jq '.checks[] | select(.state != \"ok\")'")]
pub(super) struct HealthCheck {
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A report every day, and two hours of grace.
const LATE_MS: i64 = 26 * HOUR_MS;
/// An older backup than this is worth a word.
const OLD_MS: i64 = 14 * DAY_MS;
/// Nearer than this, an end is worth a word.
const SOON_MS: i64 = 14 * DAY_MS;

pub(super) fn run(health: &HealthCheck, context: &Context) -> anyhow::Result<Code> {
    let (mut checks, mut seen) = (Vec::new(), Vec::new());
    match context.read() {
        Ok(store) => {
            let profiles = health.which.all(&store, true)?;
            checks.extend(database(&store));
            checks.push(last_backup(&context.place.state, context.now));
            checks.push(permissions(&context.place.state, context.place.service));
            checks.push(last_run(&store, &profiles, context.now));
            checks.push(timers(&profiles, &timer::systemd));
            checks.push(super::watch::health(&store, &profiles, context.now));
            checks.push(super::notify::health(&store, context)?);
            checks.extend(nodes(&profiles, context)?);
            checks.extend(graphs(&connect::graphs(context), context.now));
            match sources::shown(&store, &profiles, context) {
                Ok((lines, rows)) => {
                    checks.extend(lines);
                    seen = rows;
                }
                Err(error) => checks.push(failed("sources", format!("{error:#}"), None)),
            }
        }
        Err(error) => checks.push(failed("database", failure::words(&error), None)),
    }
    let healthy = checks.iter().all(|c| c.state != State::Fail);
    if health.json {
        let at = context.now.rfc3339();
        let checked = json!({ "healthy": healthy, "checked_at": at, "checks": checks, "sources": seen });
        context.output.json(&checked)?;
    } else {
        context.output.print(&render::health(&checks, &context.page()))?;
    }
    Ok(if healthy { Code::Fine } else { Code::Failed })
}

fn check(name: &str, state: State, detail: impl Into<String>, remedy: Option<&str>) -> Check {
    Check { name: name.to_owned(), state, detail: detail.into(), remedy: remedy.map(str::to_owned) }
}

fn ok(name: &str, detail: impl Into<String>) -> Check {
    check(name, State::Ok, detail, None)
}

fn failed(name: &str, detail: impl Into<String>, remedy: Option<&str>) -> Check {
    check(name, State::Fail, detail, remedy)
}

fn database(store: &Store) -> Vec<Check> {
    let checked = match store.check() {
        Ok(checked) => checked,
        Err(error) => return vec![failed("database", error.to_string(), None)],
    };
    let restore = Some(
        "`daznode verify` says all that is wrong, `daznode restore FILE` puts a backup in its place and keeps this one; what can still be read stays readable",
    );
    let database = if let Some(first) = checked.integrity.first() {
        failed("database", format!("damaged: {first}"), restore)
    } else if let Some(first) = checked.damaged.first() {
        let count = checked.damaged.len();
        failed(
            "database",
            format!("{count} reports are damaged, such as {}: {}", first.report_id, first.reason),
            restore,
        )
    } else {
        let reports = if checked.reports == 1 { "report" } else { "reports" };
        ok("database", format!("sound, {} {reports}", checked.reports))
    };
    let missing = checked.missing_files.iter().chain(&checked.changed_files).next();
    let files = match missing {
        Some(first) => failed(
            "files",
            format!(
                "{} missing, {} changed, such as {}",
                checked.missing_files.len(),
                checked.changed_files.len(),
                first.display()
            ),
            Some(
                "the reports are whole in the database: `daznode show --date DATE --json` prints one (with --period week or month that of a period, which `daznode generate --period` also writes again)",
            ),
        ),
        None if checked.pending_files > 0 => check(
            "files",
            State::Warn,
            format!("{} are still to be written", checked.pending_files),
            Some("the next `daznode generate` writes them"),
        ),
        None => ok("files", "every report has its file"),
    };
    vec![database, files]
}

/// The newest backup among those that were given no place. It is told and never a fault: others may be kept elsewhere.
fn last_backup(state: &Path, now: UnixMs) -> Check {
    let folder = state.join(BACKUPS);
    let Some(last) = store::backups(&folder).pop() else {
        return check("backup", State::Off, format!("none in {}", folder.display()), Some("daznode backup"));
    };
    let name = last.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let made: Option<jiff::Timestamp> = last.manifest.created_at.parse().ok();
    let age = made.map_or(0, |at| now.since(UnixMs(at.as_millisecond())));
    let when = made.map_or("at an unknown time".to_owned(), |_| format!("{} ago", span(age)));
    let old = (age > OLD_MS).then_some("a newer one: daznode backup");
    check("backup", State::Ok, format!("{name}, made {when}, {} reports", last.manifest.reports), old)
}

/// Whether others could read or change what is ours.
fn permissions(state: &Path, service: bool) -> Check {
    let (folder_limit, file_limit) = if service { (0o750, 0o640) } else { (0o700, 0o600) };
    let paths = [
        (state.to_path_buf(), folder_limit),
        (state.join(DATABASE), file_limit),
        (state.join("reports"), folder_limit),
        (state.join("secrets"), 0o700),
    ];
    for (path, limit) in paths {
        let Ok(about) = path.metadata() else { continue };
        let mode = about.permissions().mode() & 0o777;
        if mode & !limit != 0 {
            let detail = format!("{} has mode {mode:03o}", path.display());
            let remedy = format!("chmod {limit:03o} {}", path.display());
            return check("permissions", State::Warn, detail, Some(&remedy));
        }
    }
    ok("permissions", "nobody else reads or changes the store")
}

fn last_run(store: &Store, profiles: &[Profile], now: UnixMs) -> Check {
    let run = match store.last_run() {
        Ok(Some(run)) => run,
        Ok(None) if profiles.is_empty() => return check("last run", State::Off, "no profile is enabled", None),
        Ok(None) => return check("last run", State::Warn, "there was none yet", Some("daznode generate --all")),
        Err(error) => return failed("last run", error.to_string(), None),
    };
    let age = now.since(run.started_at);
    let when = format!("{} ago", span(age));
    let counts =
        format!("{} made, {} with gaps, {} failed, {} not tried", run.made, run.partial, run.failed, run.not_tried);
    let again = Some("daznode generate --all");
    if age < -HOUR_MS {
        return failed(
            "last run",
            format!("began at {}, in the future", run.started_at.rfc3339()),
            Some("set the clock"),
        );
    }
    let daily = profiles.iter().any(|p| p.schedule.ends_with("* * *"));
    if daily && age > LATE_MS {
        return failed("last run", format!("{when}: {counts}"), again);
    }
    match (run.ended_at, run.failed + run.not_tried) {
        (None, _) if age > HOUR_MS => check("last run", State::Warn, format!("{when}: it was killed"), again),
        (None, _) => ok("last run", format!("{when}: still running")),
        (Some(_), 0) => ok("last run", format!("{when}: {counts}")),
        (Some(_), _) => failed("last run", format!("{when}: {counts}"), again),
    }
}

pub(super) fn span(ms: i64) -> String {
    match ms / HOUR_MS {
        0 => format!("{} min", ms / 60_000),
        hours @ 1..48 => format!("{hours} h"),
        hours => format!("{} days", hours / 24),
    }
}

fn timers(profiles: &[Profile], ask: timer::Ask<'_>) -> Check {
    let met = timer::met(profiles.iter().map(|p| p.schedule.as_str()), ask);
    match timer::advice(&met) {
        None => ok("timer", "every schedule is met"),
        Some(advice) if met == timer::Met::Unknown => check("timer", State::Off, advice, None),
        Some(advice) => check("timer", State::Warn, advice, None),
    }
}

/// The graphs that are kept, as far as their heads tell.
fn graphs(folder: &GraphFolder, now: UnixMs) -> Vec<Check> {
    let told = folder.list().into_iter().map(|graph| match graph {
        Ok(graph) => {
            let age = now.since(graph.as_of);
            let detail = format!("{}, {} channels", graph.network, graph.channels);
            if age < -HOUR_MS {
                let detail = format!("{detail}, of {}, in the future: it is not used", graph.as_of.rfc3339());
                return check("graph", State::Warn, detail, Some("set the clock; the next run reads it anew"));
            }
            ok("graph", format!("{detail}, {} old", span(age.max(0))))
        }
        Err(error) => check("graph", State::Warn, error.to_string(), Some("the next run keeps it anew")),
    });
    told.collect()
}

fn nodes(profiles: &[Profile], context: &Context) -> anyhow::Result<Vec<Check>> {
    if profiles.is_empty() {
        return Ok(vec![check("node", State::Off, "no profile is enabled", Some("daznode enable"))]);
    }
    let nodes = Nodes::new(context);
    let mut checks = Vec::new();
    for profile in profiles {
        let title = format!("node {}", name(profile));
        let looked = connect::block_on(nodes.look(profile))?;
        let found = match looked {
            Err(error) => {
                checks.push(failed(&title, error.to_string(), None));
                continue;
            }
            Ok(found) => found,
        };
        let ends = [("its certificate", found.certificate_ends), ("the macaroon", found.macaroon_ends)];
        let ending = ends.into_iter().filter_map(|(what, end)| end.map(|end| (what, end))).min_by_key(|(_, end)| *end);
        let detail = format!(
            "{} answers as {}, version {}",
            profile.source.place(),
            found.identity.alias,
            found.identity.version
        );
        checks.push(if !found.synced {
            let remedy = "wait until it has caught up; until then its figures are old";
            check(&title, State::Warn, format!("{detail}, not synced to the chain"), Some(remedy))
        } else if let Some((what, end)) = ending.filter(|(_, end)| end.since(context.now) < SOON_MS) {
            check(&title, State::Warn, format!("{detail}; {what} ends at {}", end.rfc3339()), Some("renew it in time"))
        } else if let Some(warning) = found.warnings.first() {
            check(&title, State::Warn, format!("{detail}; {warning}"), None)
        } else {
            ok(&title, detail)
        });
    }
    Ok(checks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::reader::{Kept, Stamp};
    use crate::units::Network;

    #[test]
    fn a_folder_that_others_read_is_told_with_the_command() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(permissions(folder.path(), false).state, State::Ok);
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o750)).unwrap();
        assert_eq!(permissions(folder.path(), true).state, State::Ok);
        let told = permissions(folder.path(), false);
        assert_eq!(told.state, State::Warn);
        assert_eq!(told.remedy.unwrap(), format!("chmod 700 {}", folder.path().display()));
    }

    #[test]
    fn a_kept_graph_is_told_with_its_age_and_one_from_the_future_too() {
        let state = tempfile::tempdir().unwrap();
        let folder = GraphFolder::new(state.path(), Path::new("graph"));
        let now = UnixMs(1_795_262_400_000);
        assert_eq!(graphs(&folder, now), [], "none is kept yet");
        let stamp = |as_of| Stamp { as_of, source: "lnd".to_owned(), channels: 43_100 };
        let write = |as_of| folder.write(Network::Mainnet, &Kept { stamp: stamp(as_of), packed: vec![1] }).unwrap();
        write(now.plus(-3 * HOUR_MS));
        assert_eq!(graphs(&folder, now), [ok("graph", "mainnet, 43100 channels, 3 h old")]);
        write(now.plus(2 * HOUR_MS));
        let told = graphs(&folder, now);
        assert_eq!(told[0].state, State::Warn);
        assert!(told[0].detail.contains("2026-11-21T14:00:00Z, in the future"), "{told:?}");
    }
}
