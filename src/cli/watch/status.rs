//! What the store tells of the watcher: since when it runs, when it was last well, what it saw of the last 24 hours, whose
//! connections hold least, and what it does not know.

use serde_json::json;

use crate::cli::select::{Which, name};
use crate::cli::{Context, text};
use crate::exit::Code;
use crate::history::{PeerWatch, Window};
use crate::render::number::short_moment;
use crate::render::{Check, State, number};
use crate::store::{Profile, Store, StreamCoverage, UnknownEvents, Watcher};
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

/// Peers that are named as the least connected.
const PEERS: usize = 5;

/// What was seen of one node beside its streams.
struct Seen {
    /// Kinds of changes of channels in the last 24 hours, and how often each.
    channels: Vec<(String, u32)>,
    /// The peers by their share of a year, the least connected first.
    peers: Vec<PeerWatch>,
    /// What is of no known kind.
    unknown: Vec<UnknownEvents>,
}

impl Seen {
    fn of(store: &Store, profile: &Profile, now: UnixMs) -> anyhow::Result<Self> {
        let mut peers = store.peers_year(profile, now)?;
        // What is missing of each, compared without dividing.
        let away = |peer: &PeerWatch| i128::from(peer.watched_ms - peer.connected_ms);
        peers.sort_by(|a, b| {
            (away(b) * i128::from(a.watched_ms)).cmp(&(away(a) * i128::from(b.watched_ms))).then(a.peer.cmp(&b.peer))
        });
        let channels = store.channel_changes(profile, Window::days_before(now, 1))?;
        Ok(Self { channels, peers, unknown: store.unknown_events(profile)? })
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.channels.is_empty() {
            let all: Vec<String> = self.channels.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
            lines.push(format!("changes of channels in the last 24 h: {}", all.join(", ")));
        }
        for peer in self.peers.iter().filter(|peer| peer.connected_ms < peer.watched_ms).take(PEERS) {
            let thousandths = peer.connected_ms.saturating_mul(1000) / peer.watched_ms.max(1);
            lines.push(format!(
                "{}: connected {}.{} % of {} watched in a year, {}",
                peer.peer.as_str().get(..10).unwrap_or_default(),
                thousandths / 10,
                thousandths % 10,
                number::span(peer.watched_ms),
                number::count(peer.breaks, "break"),
            ));
        }
        for one in &self.unknown {
            let (seen, kind) = (number::count(one.seen, "event"), text::line(&one.kind));
            let last = one.last.rfc3339();
            lines.push(format!("not known to this daznode: {seen} of {} ({kind}), last {last}", one.stream.name()));
        }
        lines
    }

    /// Adds it to what is told of the watcher.
    fn add_to(&self, row: &mut serde_json::Value) {
        let channels: serde_json::Map<_, _> = self.channels.iter().map(|(kind, n)| (kind.clone(), json!(n))).collect();
        let peer = |p: &PeerWatch| json!({ "pubkey": p.peer, "watched_ms": p.watched_ms, "connected_ms": p.connected_ms, "breaks": p.breaks });
        let unknown = |one: &UnknownEvents| {
            json!({
                "stream": one.stream.name(), "kind": one.kind, "count": one.seen,
                "first_at": one.first.rfc3339(), "last_at": one.last.rfc3339(),
            })
        };
        row["channel_changes_24h"] = channels.into();
        row["peers_365d"] = self.peers.iter().map(peer).collect();
        row["unknown_events"] = self.unknown.iter().map(unknown).collect();
    }
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
        let told = |row: &Row| {
            let mut told = row.json(now);
            Seen::of(&store, &row.profile, now)?.add_to(&mut told);
            Ok(told)
        };
        let rows: Vec<_> = rows.iter().map(told).collect::<anyhow::Result<_>>()?;
        context.output.json(&json!({ "checked_at": now.rfc3339(), "watchers": rows }))?;
        return Ok(Code::Fine);
    }
    if rows.is_empty() {
        context.output.print("No enabled profile has an LND to follow.")?;
    }
    for row in &rows {
        context.output.print(&format!("{}: {}", name(&row.profile), row.line(now)))?;
        context.output.print(&format!("  watched of the last 24 h: {}", row.watched()))?;
        for line in Seen::of(&store, &row.profile, now)?.lines() {
            context.output.print(&format!("  {line}"))?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::streams::Stream;
    use crate::units::HOUR_MS;

    #[test]
    fn it_names_what_is_not_known_and_the_peers_that_were_away() {
        let at = UnixMs(1_795_240_800_000);
        let peer = |n: u8, connected_ms, breaks| PeerWatch {
            peer: format!("02{n:064}").parse().unwrap(),
            watched_ms: 100 * HOUR_MS,
            connected_ms,
            breaks,
        };
        let seen = Seen {
            channels: vec![("active".to_owned(), 3), ("opened".to_owned(), 1)],
            peers: vec![peer(1, 93 * HOUR_MS + HOUR_MS / 10, 1), peer(2, 100 * HOUR_MS, 0)],
            unknown: vec![UnknownEvents {
                stream: Stream::Htlcs,
                kind: "event\u{1b}[31m 9".to_owned(),
                seen: 12,
                first: at.plus(-1),
                last: at,
                example: Vec::new(),
            }],
        };
        assert_eq!(
            seen.lines(),
            [
                "changes of channels in the last 24 h: active 3, opened 1",
                "0200000000: connected 93.1 % of 4 d watched in a year, 1 break",
                "not known to this daznode: 12 events of htlcs (event\u{fffd}[31m 9), last 2026-11-21T06:00:00Z",
            ]
        );
        let mut row = json!({});
        seen.add_to(&mut row);
        assert_eq!(row["unknown_events"][0]["count"], 12);
        assert_eq!(row["peers_365d"][1]["connected_ms"], 100 * HOUR_MS);
        assert_eq!(row["channel_changes_24h"], json!({ "active": 3, "opened": 1 }));
    }
}
