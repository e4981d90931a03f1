//! The rules: each a function with a stable name that turns facts into findings.
//!
//! A rule that lacks what it reads is not judged, and its earlier findings are then not called resolved. While the node
//! is behind its chain, every rule that reads balances or activity is silent: what is stale is not lost.

mod access;
mod books;
mod chain;
mod closing;
mod earnings;
mod flow;
mod host;
mod htlcs;
mod peers;
mod policy;
mod recovery;
mod rules;
mod silence;
mod watched;

pub(super) use htlcs::first_expiry;
pub(super) use peers::by_peer;
pub use rules::RULES;
pub(super) use silence::not_measured;
pub use watched::{UNREACHABLE, WATCHED_RULES, alerts_now, unreachable};

use std::collections::HashSet;

use super::facts::Facts;
use super::words;
use crate::report::{Alert, AlertState, Severity, Time};
use crate::units::Sat;

/// A rule, as the docs and the config know it.
pub struct Rule {
    /// Its stable name, the `type` of its alerts.
    pub name: &'static str,
    /// The worst severity that it gives.
    pub worst: Severity,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// The part of the safety score that its findings cost, where they do.
    pub(super) area: Option<Area>,
    /// Whether it has what it reads.
    ready: fn(&Facts<'_>) -> bool,
    /// What it finds.
    judge: fn(&Facts<'_>) -> Vec<Finding>,
    /// Whether it tells of something that happened in the day, and so has no end that is worth a word.
    pub event: bool,
}

/// What a finding can endanger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    /// HTLCs in flight.
    Htlcs,
    /// Channels that close or closed.
    Closing,
    /// Coins kept to bump fees.
    Reserve,
    /// Chain backend, certificate and macaroon.
    Access,
    /// The backup and the watchtowers.
    Recovery,
    /// The machine and the software on it.
    Host,
}

/// What a rule found.
pub(super) struct Finding {
    /// How bad.
    pub(super) severity: Severity,
    /// What it is about.
    pub(super) subject: String,
    /// One line with numbers.
    pub(super) title: String,
    /// What was seen and what to do.
    pub(super) description: String,
    /// Whether the operator must act.
    pub(super) requires_action: bool,
    /// What it is about in sat, for the order.
    pub(super) stake: Sat,
}

impl Finding {
    fn new(severity: Severity, subject: impl Into<String>, title: String, description: String) -> Self {
        let requires_action = severity > Severity::Info;
        Self { severity, subject: subject.into(), title, description, requires_action, stake: Sat::ZERO }
    }

    fn worth(mut self, stake: Sat) -> Self {
        self.stake = stake;
        self
    }

    fn no_action(mut self) -> Self {
        self.requires_action = false;
        self
    }
}

/// The alerts of a day and what was judged for them.
pub(super) struct Judged {
    /// Worst first, then by what is at stake.
    pub(super) alerts: Vec<Alert>,
    /// Rules that had what they need and whose findings are all listed.
    pub(super) complete: HashSet<&'static str>,
    /// Findings that concern funds: rule, area and severity.
    pub(super) safety: Vec<(&'static str, Area, Severity)>,
}

impl Judged {
    /// The rules that could be judged in full, by name: only what these do not find any more is resolved.
    pub(super) fn rules(&self) -> Vec<String> {
        let mut names: Vec<String> = self.complete.iter().map(|name| (*name).to_owned()).collect();
        names.sort_unstable();
        names
    }
}

/// Asks every rule that has what it needs.
pub(super) fn judge(facts: &Facts<'_>) -> Judged {
    judge_of(facts, &|_| true)
}

/// Asks those of some rules that have what they need.
fn judge_of(facts: &Facts<'_>, wanted: &dyn Fn(&Rule) -> bool) -> Judged {
    let mut found: Vec<(Sat, Alert)> = Vec::new();
    let mut complete = HashSet::new();
    let mut safety = Vec::new();
    for rule in RULES.iter().filter(|r| wanted(r) && (r.ready)(facts)) {
        let mut findings = (rule.judge)(facts);
        debug_assert!(findings.iter().all(|f| f.severity <= rule.worst), "{} is worse than its worst", rule.name);
        findings.sort_by(|a, b| order((a.severity, a.stake, &a.subject), (b.severity, b.stake, &b.subject)));
        if !fold(&mut findings, facts.limits.alerts_per_rule) {
            complete.insert(rule.name);
        }
        for finding in findings {
            if let Some(area) = rule.area {
                safety.push((rule.name, area, finding.severity));
            }
            found.push((finding.stake, alert(facts, rule.name, finding)));
        }
    }
    found.sort_by(|(x, a), (y, b)| order((a.severity, *x, &a.alert_key), (b.severity, *y, &b.alert_key)));
    Judged { alerts: found.into_iter().map(|(_, alert)| alert).collect(), complete, safety }
}

/// The worst first, then the largest, then by name so that equal days give equal reports.
fn order(a: (Severity, Sat, &String), b: (Severity, Sat, &String)) -> std::cmp::Ordering {
    b.0.cmp(&a.0).then_with(|| b.1.cmp(&a.1)).then_with(|| a.2.cmp(b.2))
}

/// Puts what exceeds the limit into one line; tells whether there was anything to fold.
fn fold(findings: &mut Vec<Finding>, limit: usize) -> bool {
    let limit = limit.max(1);
    if findings.len() <= limit + 1 {
        return false;
    }
    let rest: Vec<Finding> = findings.split_off(limit);
    let severity = rest.iter().map(|f| f.severity).max().unwrap_or(Severity::Info);
    let stake = rest.iter().map(|f| f.stake).sum();
    let title = format!(
        "{} more of the same, {} in all",
        words::grouped(i64::from(super::number::count(rest.len()))),
        words::sat(stake)
    );
    let more = "The largest are listed one by one; `thresholds.alerts_per_rule` sets how many.";
    findings.push(Finding::new(severity, "more", title, more.to_owned()).worth(stake).no_action());
    true
}

fn alert(facts: &Facts<'_>, rule: &'static str, finding: Finding) -> Alert {
    let key = format!("{rule}:{}", finding.subject);
    let history = facts.history;
    let open = history.open_alerts.iter().find(|a| a.key == key);
    let mutes = history.mutes.iter().filter(|mute| mute.covers(&key, facts.now));
    let muted_until = mutes.map(|mute| mute.until).max();
    let acknowledged_at = open.and_then(|open| open.acknowledged_at);
    let seen = AlertState::seen(open.is_some(), history.ended_alerts.contains(&key));
    let state = AlertState::said(seen, acknowledged_at.is_some(), muted_until.is_some());
    Alert {
        severity: finding.severity,
        rule: rule.to_owned(),
        title: finding.title,
        description: finding.description,
        detected_at: Time(open.map_or(facts.now, |a| a.since)),
        requires_action: finding.requires_action,
        alert_key: key,
        subject: finding.subject,
        ongoing: open.is_some(),
        state: Some(state),
        acknowledged_at: acknowledged_at.map(Time),
        muted_until: muted_until.map(Time),
    }
}

#[cfg(test)]
mod tests;
