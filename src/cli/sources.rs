//! How the sources of a run have been doing: what was kept of them before it, what it adds, and how that is shown.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use uuid::Uuid;

use super::connect::Nodes;
use super::select::name;
use super::{Context, collect};
use crate::render::{Check, State, number};
use crate::report::Time;
use crate::snapshot::{BreakerState, SourceHealth, Tally};
use crate::sources::breaker::{Breaker, SourceState};
use crate::sources::health::{Kept, LND, NodeHealth, Probe as _, SourceCheck};
use crate::sources::public::PublicSources;
use crate::sources::spec::SourceSpec;
use crate::store::{self, Profile, Store};
use crate::units::UnixMs;

/// What is known of the sources of one run; nothing at first.
#[derive(Default)]
pub(super) struct SourcesSeen {
    nodes: HashMap<Uuid, NodeSeen>,
    public: HashMap<(String, String), RefCell<Kept>>,
    checked: RefCell<Vec<SourceCheck>>,
    probed: OnceCell<()>,
}

/// What is known of one profile's node.
struct NodeSeen {
    profile: Profile,
    /// Whether it had been failing before this run.
    was_failing: bool,
    health: NodeHealth,
    kept: RefCell<Kept>,
    check: RefCell<Option<SourceCheck>>,
    /// When this run first asked it.
    began: RefCell<Option<Instant>>,
}

impl SourcesSeen {
    /// Reads what is kept of the nodes of these profiles and of the public sources.
    pub(super) fn load(
        store: &Store,
        profiles: &[Profile],
        public: &[(String, String)],
        now: UnixMs,
    ) -> store::Result<Self> {
        let mut nodes = HashMap::new();
        for profile in profiles.iter().filter(|profile| matches!(profile.source, SourceSpec::Lnd(_))) {
            let kept = store.source_health(Some(profile), LND, profile.pubkey.as_str(), now)?;
            nodes.insert(profile.id, NodeSeen::new(profile, kept));
        }
        let mut sources = HashMap::new();
        for (source, subject) in public {
            let kept = store.source_health(None, source, subject, now)?;
            sources.insert((source.clone(), subject.clone()), RefCell::new(kept));
        }
        Ok(Self { nodes, public: sources, checked: RefCell::default(), probed: OnceCell::new() })
    }

    /// The breakers of the public sources, as they were left.
    pub(super) fn states(&self) -> Vec<SourceState> {
        let state = |((source, subject), kept): (&(String, String), &RefCell<Kept>)| {
            let breaker = kept.borrow().breaker.clone()?;
            Some(SourceState { source: source.clone(), subject: subject.clone(), breaker })
        };
        self.public.iter().filter_map(state).collect()
    }

    /// Checks the public sources, once in a run, before the first of them is asked, in half of the time that there is.
    pub(super) async fn probe(&self, public: &PublicSources, now: UnixMs, until: Instant) {
        let limit = until.saturating_duration_since(Instant::now()) / 2;
        let check = async {
            for check in public.probe_within(now, limit).await {
                if let Some(kept) = self.public.get(&(check.source.clone(), check.subject.clone())) {
                    kept.borrow_mut().add(&check);
                }
                self.checked.borrow_mut().push(check);
            }
        };
        self.probed.get_or_init(|| check).await;
    }

    /// The health of a profile's node, where it is one that can fail.
    pub(super) fn node(&self, profile: &Profile) -> Option<&NodeHealth> {
        self.nodes.get(&profile.id).map(|node| &node.health)
    }

    /// Takes in what asking the node came to; the last try of a run is what counts.
    pub(super) fn checked(&self, profile: &Profile, check: SourceCheck) {
        if let Some(node) = self.nodes.get(&profile.id) {
            *node.check.borrow_mut() = Some(check);
        }
    }

    /// Whether a node is tried again in this run. One that had been failing before gets one try: a report is never left
    /// out because of that, and nobody waits long for a node that is known to be away.
    pub(super) fn tries_again(&self, profile: &Profile) -> bool {
        self.nodes.get(&profile.id).is_none_or(|node| !node.was_failing)
    }

    /// When this run first asked a node.
    pub(super) fn began(&self, profile: &Profile) -> Instant {
        let now = Instant::now();
        self.nodes.get(&profile.id).map_or(now, |node| *node.began.borrow_mut().get_or_insert(now))
    }

    /// How a profile's node has been doing, with this run's check.
    pub(super) fn of_node(&self, profile: &Profile, now: UnixMs) -> SourceHealth {
        let Some(node) = self.nodes.get(&profile.id) else { return SourceHealth::default() };
        let mut kept = node.kept.borrow().clone();
        if let Some(check) = &*node.check.borrow() {
            kept.add(check);
        }
        kept.breaker = Some(node.health.state().breaker);
        kept.health(now)
    }

    /// How a public source has been doing; what was seen of it just now stands.
    pub(super) fn of_public(&self, source: &str, address: &str, seen: SourceHealth, now: UnixMs) -> SourceHealth {
        let kept = self.public.get(&(source.to_owned(), address.to_owned()));
        let availability = kept.map(|kept| kept.borrow().health(now).availability);
        SourceHealth { availability: availability.unwrap_or_default(), ..seen }
    }

    /// All that is to be kept of this run.
    pub(super) fn found(&self, public: &PublicSources) -> Found {
        let of_node = |node: &NodeSeen| {
            let check = node.check.borrow().clone()?;
            Some((node.profile.clone(), check, node.health.state()))
        };
        let checks = self.checked.borrow().clone();
        Found { nodes: self.nodes.values().filter_map(of_node).collect(), checks, states: public.states() }
    }
}

impl NodeSeen {
    fn new(profile: &Profile, kept: Kept) -> Self {
        let breaker = kept.breaker.clone().unwrap_or_default();
        Self {
            profile: profile.clone(),
            was_failing: breaker.state != BreakerState::Closed,
            health: NodeHealth::new(profile.pubkey.clone(), profile.network, breaker),
            kept: RefCell::new(kept),
            check: RefCell::default(),
            began: RefCell::default(),
        }
    }
}

/// What a run found, to be kept.
pub(super) struct Found {
    nodes: Vec<(Profile, SourceCheck, SourceState)>,
    checks: Vec<SourceCheck>,
    states: Vec<SourceState>,
}

impl Found {
    /// Keeps it.
    pub(super) fn keep(&self, store: &Store, now: UnixMs) -> store::Result<()> {
        for (profile, check, state) in &self.nodes {
            store.put_source_health(Some(profile), std::slice::from_ref(check), std::slice::from_ref(state), now)?;
        }
        if self.checks.is_empty() && self.states.iter().all(|state| state.breaker == Breaker::default()) {
            return Ok(());
        }
        store.put_source_health(None, &self.checks, &self.states, now)
    }
}

/// The time that public sources have for one node: three quarters of what is left of the run's own limits, so that a slow
/// one never costs the report.
pub(super) fn time_for_public(began: Instant, timeout: Duration, end: Option<Instant>) -> Instant {
    let limit = began + timeout;
    let end = end.map_or(limit, |end| end.min(limit));
    began + end.saturating_duration_since(began).mul_f64(0.75)
}

/// What `health-check` shows of each source: a line, and the same for programs.
pub(super) fn shown(
    store: &Store,
    profiles: &[Profile],
    context: &Context,
) -> anyhow::Result<(Vec<Check>, Vec<Value>)> {
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    let mut add = |title: String, kept: &Kept, source: &str, subject: &str, of: Option<&Profile>| {
        lines.push(line(&title, kept, context.now));
        rows.push(row(kept, source, subject, of, context.now));
    };
    for profile in profiles.iter().filter(|profile| matches!(profile.source, SourceSpec::Lnd(_))) {
        let subject = profile.pubkey.as_str();
        let kept = store.source_health(Some(profile), LND, subject, context.now)?;
        add(format!("source lnd {}", name(profile)), &kept, LND, subject, Some(profile));
    }
    for (source, subject) in collect::places(&collect::public_sources(context, &Nodes::new(context))?) {
        let kept = store.source_health(None, &source, &subject, context.now)?;
        add(format!("source {source}"), &kept, &source, &subject, None);
    }
    Ok((lines, rows))
}

fn line(title: &str, kept: &Kept, now: UnixMs) -> Check {
    let health = kept.health(now);
    let said = |state, detail, remedy: Option<&str>| Check {
        name: title.to_owned(),
        state,
        detail,
        remedy: remedy.map(str::to_owned),
    };
    let Some(last) = &kept.last else {
        return said(State::Off, "not checked yet: `daznode generate` and `daznode watch` do".to_owned(), None);
    };
    let ago = |at: UnixMs| format!("{} ago", super::health::span(now.since(at).max(0)));
    let mut parts = Vec::new();
    parts.push(match (last.good, last.latency_ms) {
        (true, Some(ms)) => format!("answered in {ms} ms, {}", ago(last.at)),
        (true, None) => format!("answered {}", ago(last.at)),
        (false, _) => format!("failed {}: {}", ago(last.at), last.detail.as_deref().unwrap_or("no reason")),
    });
    if let Some(version) = &last.version {
        parts.push(format!("version {version}"));
    }
    if let Some(newest) = last.newest.filter(|_| last.source == LND) {
        parts.push(format!("last block {}", ago(newest)));
    }
    let available = health.availability;
    parts.push(if available.day.checks == available.month.checks {
        // All of it is of the last day: shares of 7 and 30 days would be the same one again.
        let all = number::count(available.month.checks, "check");
        format!("available {} of {all} so far, all within a day", percent(available.month))
    } else {
        let [day, week, month] = [available.day, available.week, available.month].map(percent);
        format!("available {day} of a day, {week} of 7 days, {month} of 30 days")
    });
    if !last.good {
        parts.push(
            health
                .last_good
                .map_or_else(|| "no good answer yet".to_owned(), |at| format!("last good answer {}", ago(at))),
        );
    }
    match kept.breaker.as_ref().filter(|breaker| breaker.state != BreakerState::Closed) {
        Some(Breaker { until: Some(until), .. }) => parts.push(format!("left alone until {}", until.rfc3339())),
        _ => parts.push("asked as usual".to_owned()),
    }
    let state = if last.good { State::Ok } else { State::Warn };
    said(state, parts.join("; "), None)
}

/// A share in percent with one decimal, rounded down: 99.99 is not all of it.
fn percent(tally: Tally) -> String {
    match tally.share() {
        Some(share) => format!("{:.1} %", (share * 1000.0).floor() / 10.0),
        None => "- %".to_owned(),
    }
}

fn row(kept: &Kept, source: &str, subject: &str, of: Option<&Profile>, now: UnixMs) -> Value {
    let health = kept.health(now);
    let last = kept.last.as_ref();
    let available = health.availability;
    let time = |at: Option<UnixMs>| at.map(Time);
    let breaker = kept.breaker.as_ref();
    json!({
        "source": source,
        "subject": subject,
        "user_id": of.map(|profile| &profile.user),
        "checked_at": time(last.map(|check| check.at)),
        "good": last.map(|check| check.good),
        "latency_ms": last.and_then(|check| check.latency_ms),
        "error_class": last.and_then(|check| check.error),
        "detail": last.and_then(|check| check.detail.as_deref()),
        "version": last.and_then(|check| check.version.as_deref()),
        "newest": time(last.and_then(|check| check.newest)),
        "newest_age_s": last.and_then(|check| check.newest).map(|at| now.since(at) / 1000),
        "last_good": time(health.last_good),
        "availability": {
            "day": available.day.share(),
            "week": available.week.share(),
            "month": available.month.share(),
            "year": available.year.share(),
        },
        "breaker": {
            "state": breaker.map(|breaker| breaker.state),
            "failures": breaker.map(|breaker| breaker.failures),
            "until": time(breaker.and_then(|breaker| breaker.until)),
            "reason": breaker.and_then(|breaker| breaker.last_error.as_deref()),
        },
    })
}

#[cfg(test)]
mod tests;
