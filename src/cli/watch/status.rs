//! What the store tells of the watcher: since when it runs, when it was last well, what it saw of the last 24 hours.

use serde_json::json;

use crate::cli::select::{Which, name};
use crate::cli::{Context, text};
use crate::exit::Code;
use crate::history::Window;
use crate::render::number::short_moment;
use crate::render::{Check, State};
use crate::store::{Profile, Store, StreamCoverage, Watcher};
use crate::units::{DAY_MS, UnixMs};
use crate::watch::{STOPPED, can_follow};

/// A watcher that has not said so long that it is well is silent: it does so every minute.
const SILENT_MS: i64 = 5 * 60_000;

/// One profile's watcher.
struct Row {
    profile: Profile,
    watcher: Option<Watcher>,
    coverage: Vec<StreamCoverage>,
}

fn rows(store: &Store, profiles: Vec<Profile>, now: UnixMs) -> anyhow::Result<Vec<Row>> {
    let window = Window { start: now.plus(-DAY_MS), end: now };
    let row = |profile: Profile| {
        let (watcher, coverage) = (store.watcher(&profile)?, store.watch_coverage(&profile, window)?);
        Ok(Row { profile, watcher, coverage })
    };
    profiles.into_iter().filter(can_follow).map(row).collect()
}

impl Row {
    /// Since when it is silent.
    fn silent(&self, now: UnixMs) -> Option<UnixMs> {
        self.watcher.as_ref().map(|watcher| watcher.well).filter(|well| now.since(*well) > SILENT_MS)
    }

    fn line(&self, now: UnixMs) -> String {
        let Some(watcher) = &self.watcher else { return "never watched".to_owned() };
        match self.silent(now) {
            _ if watcher.state == STOPPED => format!("stopped {}", short_moment(watcher.well)),
            Some(well) => format!("silent since {}", short_moment(well)),
            None => format!("since {}: {}", short_moment(watcher.started), text::line(&watcher.state)),
        }
    }

    /// How long each stream was watched; one figure where it is the same for all.
    fn watched(&self) -> String {
        let minutes = |one: &StreamCoverage| length(one) / 60_000;
        let words = |minutes: i64| format!("{} h {:02} min", minutes / 60, minutes % 60);
        let first = self.coverage.first().map_or(0, minutes);
        if self.coverage.iter().all(|one| minutes(one) == first) {
            return words(first);
        }
        let of = |one: &StreamCoverage| format!("{} {}", one.stream.name(), words(minutes(one)));
        self.coverage.iter().map(of).collect::<Vec<_>>().join(", ")
    }

    fn json(&self, now: UnixMs) -> serde_json::Value {
        let streams: serde_json::Map<_, _> = self
            .coverage
            .iter()
            .map(|one| {
                let spans = one.spans.iter().map(|s| json!({ "from": s.start.rfc3339(), "to": s.end.rfc3339() }));
                let value = json!({ "watched_ms": length(one), "spans": spans.collect::<Vec<_>>() });
                (one.stream.name().to_owned(), value)
            })
            .collect();
        let watcher = self.watcher.as_ref();
        json!({
            "user_id": self.profile.user,
            "tenant_id": self.profile.tenant,
            "node_pubkey": self.profile.pubkey,
            "node_alias": self.profile.alias,
            "started_at": watcher.map(|w| w.started.rfc3339()),
            "last_well_at": watcher.map(|w| w.well.rfc3339()),
            "state": watcher.map(|w| &w.state),
            "silent": self.silent(now).is_some(),
            "last_24h": streams,
        })
    }
}

fn length(coverage: &StreamCoverage) -> i64 {
    coverage.spans.iter().map(|span| span.end.since(span.start)).sum()
}

/// `--status`.
pub(super) fn run(which: &Which, as_json: bool, context: &Context) -> anyhow::Result<Code> {
    let now = context.now;
    let store = context.read()?;
    let rows = rows(&store, which.all(&store, true)?, now)?;
    if as_json {
        let rows: Vec<_> = rows.iter().map(|row| row.json(now)).collect();
        context.output.json(&json!({ "checked_at": now.rfc3339(), "watchers": rows }))?;
        return Ok(Code::Fine);
    }
    if rows.is_empty() {
        context.output.print("No enabled profile has an LND to follow.")?;
    }
    for row in &rows {
        context.output.print(&format!("{}: {}", name(&row.profile), row.line(now)))?;
        context.output.print(&format!("  watched of the last 24 h: {}", row.watched()))?;
    }
    Ok(Code::Fine)
}

/// The line of `health-check`: off, fine since when, or silent since when.
pub(in crate::cli) fn line(store: &Store, profiles: &[Profile], now: UnixMs) -> Check {
    let check = |state, detail: String, remedy: Option<&str>| Check {
        name: "watcher".to_owned(),
        state,
        detail,
        remedy: remedy.map(str::to_owned),
    };
    let rows = match rows(store, profiles.to_vec(), now) {
        Ok(rows) => rows,
        Err(error) => return check(State::Fail, format!("{error:#}"), None),
    };
    let watched: Vec<&Row> = rows.iter().filter(|row| row.watcher.is_some()).collect();
    if watched.is_empty() {
        let remedy = "`systemctl enable --now daznode-watch` switches it on; without it failed forwards and peers' uptime are not measured";
        return check(State::Off, "never ran".to_owned(), Some(remedy));
    }
    if let Some(row) = watched.iter().find(|row| row.silent(now).is_some()) {
        let detail = format!("{}: {}", name(&row.profile), row.line(now));
        return check(State::Warn, detail, Some("systemctl status daznode-watch"));
    }
    if let Some(row) = watched.iter().find(|row| row.watcher.as_ref().is_some_and(|w| w.state != "following")) {
        return check(State::Warn, format!("{}: {}", name(&row.profile), row.line(now)), None);
    }
    let since = watched.iter().filter_map(|row| row.watcher.as_ref()).map(|watcher| watcher.started).min();
    check(State::Ok, format!("fine since {}", short_moment(since.unwrap_or(now))), None)
}
