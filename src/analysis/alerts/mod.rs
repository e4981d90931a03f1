//! The rules: each a function with a stable name that turns facts into findings.
//!
//! A rule that lacks what it reads is not judged, and its earlier findings are then not called resolved. While the node
//! is behind its chain, every rule that reads balances or activity is silent: what is stale is not lost.

mod access;
mod books;
mod chain;
mod flow;
mod htlcs;
mod peers;

pub(super) use flow::idle_since;
pub(super) use htlcs::first_expiry;
pub(super) use peers::by_peer;

use std::collections::HashSet;

use super::facts::Facts;
use super::words;
use crate::report::{Alert, Severity, Time};
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
    ready: fn(&Facts<'_>) -> bool,
    judge: fn(&Facts<'_>) -> Vec<Finding>,
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

fn always(_: &Facts<'_>) -> bool {
    true
}

fn channels(facts: &Facts<'_>) -> bool {
    facts.channels_known()
}

fn pending(facts: &Facts<'_>) -> bool {
    facts.fresh() && facts.snapshot.node.pending.is_some()
}

fn wallet(facts: &Facts<'_>) -> bool {
    facts.fresh() && facts.snapshot.node.wallet.is_some()
}

macro_rules! rule {
    ($name:literal, $worst:ident, $area:expr, $ready:expr, $judge:expr, $meaning:literal) => {
        Rule { name: $name, worst: Severity::$worst, meaning: $meaning, area: $area, ready: $ready, judge: $judge }
    };
}

/// Every rule.
pub static RULES: [Rule; 26] = [
    rule!(
        "htlc-expiry",
        Critical,
        Some(Area::Htlcs),
        channels,
        htlcs::expiry,
        "an HTLC in flight is near the block at which it forces the channel closed"
    ),
    rule!(
        "force-close",
        Critical,
        Some(Area::Closing),
        pending,
        chain::force_close,
        "a channel was closed by force in this day"
    ),
    rule!(
        "funds-in-limbo",
        Warning,
        Some(Area::Closing),
        pending,
        chain::limbo,
        "funds of a forced close wait to be swept; past their maturity that is a warning"
    ),
    rule!(
        "pending-close-stuck",
        Warning,
        Some(Area::Closing),
        pending,
        chain::stuck,
        "a close has waited for its transaction for long"
    ),
    rule!(
        "anchor-reserve",
        Warning,
        Some(Area::Reserve),
        wallet,
        chain::reserve,
        "the wallet holds less than LND wants kept to bump fees of anchor channels"
    ),
    rule!(
        "not-synced-chain",
        Critical,
        Some(Area::Access),
        always,
        chain::not_synced,
        "the node is behind its chain, so its answers are old"
    ),
    rule!(
        "block-height-behind",
        Critical,
        Some(Area::Access),
        chain::heights,
        chain::behind,
        "other sources know newer blocks than the node"
    ),
    rule!(
        "certificate-expiry",
        Critical,
        Some(Area::Access),
        access::certificate_known,
        access::certificate,
        "LND's TLS certificate ends soon"
    ),
    rule!(
        "macaroon-expiry",
        Critical,
        None,
        access::macaroon_known,
        access::macaroon,
        "the macaroon that daznode reads with ends soon"
    ),
    rule!(
        "macaroon-can-write",
        Warning,
        Some(Area::Access),
        always,
        access::can_write,
        "the macaroon that daznode was given can do more than read"
    ),
    rule!("not-synced-graph", Warning, None, always, chain::graph, "the node's view of the network is behind"),
    rule!(
        "many-peers-gone",
        Critical,
        None,
        peers::known,
        peers::many,
        "many peers left at once, which points at this node's own connection"
    ),
    rule!(
        "peer-unreachable",
        Warning,
        None,
        peers::known,
        peers::unreachable,
        "a peer is gone and every channel with it is unusable"
    ),
    rule!(
        "channel-inactive",
        Warning,
        None,
        peers::known,
        peers::inactive,
        "a channel is unusable though its peer is connected"
    ),
    rule!(
        "channel-disabled-by-peer",
        Warning,
        None,
        peers::policies,
        peers::disabled,
        "the other side forwards nothing over a channel"
    ),
    rule!(
        "channel-disabled-by-us",
        Info,
        None,
        peers::policies,
        peers::disabled_by_us,
        "this node announces a usable channel as disabled"
    ),
    rule!("channel-drained", Warning, None, channels, flow::drained, "a channel that earns has nothing left to send"),
    rule!(
        "channel-saturated",
        Info,
        None,
        channels,
        flow::saturated,
        "a channel that brings forwards in cannot receive any more"
    ),
    rule!("channel-idle", Info, None, flow::long_history, flow::idle, "a channel has forwarded nothing for many days"),
    rule!(
        "fee-far-from-market",
        Info,
        None,
        flow::market,
        flow::far_from_market,
        "a fee is outside of what nearly all others charge to that peer"
    ),
    rule!(
        "revenue-fall",
        Warning,
        None,
        flow::habit,
        flow::revenue_fall,
        "a week earned far less than the node's habit"
    ),
    rule!(
        "wallet-fragmented",
        Info,
        None,
        chain::outputs,
        chain::fragmented,
        "the wallet consists of many small outputs"
    ),
    rule!(
        "balance-mismatch",
        Warning,
        None,
        books::balances,
        books::balance,
        "the sum of the channels differs from LND's own"
    ),
    rule!(
        "lnd-fee-sum-differs",
        Warning,
        None,
        books::fee_sums,
        books::fees,
        "the fees of stored forwards differ from LND's own sum"
    ),
    rule!("missed-runs", Warning, None, always, books::missed, "days of the last week have no report"),
    rule!("source-gap", Info, None, always, books::gaps, "a source did not answer all that it was asked"),
];

/// Asks every rule that has what it needs.
pub(super) fn judge(facts: &Facts<'_>) -> Judged {
    let mut found: Vec<(Sat, Alert)> = Vec::new();
    let mut complete = HashSet::new();
    let mut safety = Vec::new();
    for rule in RULES.iter().filter(|r| (r.ready)(facts)) {
        let mut findings = (rule.judge)(facts);
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
    let open = facts.history.open_alerts.iter().find(|a| a.key == key);
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
    }
}

#[cfg(test)]
mod tests;
