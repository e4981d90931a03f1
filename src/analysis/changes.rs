//! What is new since the report before: each event in one place only. No change is a fine, short report.

mod channels;

use std::collections::{BTreeMap, HashSet};

use super::accounting::Ledger;
use super::alerts::{Judged, RULES};
use super::facts::Facts;
use super::number::whole;
use super::words;
use crate::history::OpenAlert;
use crate::report::{Alert, Change, Changes, SCORE_VERSION, ScorePart, Severity, Time};
use crate::snapshot::Snapshot;

/// Kinds of changes, the most important first, each with the rules whose new alert about the same subject tells it already.
const KINDS: [(&str, &[&str]); 17] = [
    ("channel-closed", &["force-close", "channel-breach"]),
    ("channel-force-closing", &["force-close", "channel-breach"]),
    ("channel-closing", &["force-close"]),
    ("force-close-resolved", &[]),
    ("channel-opened", &[]),
    ("channel-opening", &[]),
    ("alert-new", &[]),
    ("alert-resolved", &[]),
    ("version-changed", &[]),
    ("peer-gone", &["peer-unreachable"]),
    ("peer-back", &[]),
    ("policy-changed", &[]),
    ("peer-policy-changed", &["peer-fee-jump"]),
    ("score-moved", &[]),
    ("rank-moved", &[]),
    ("wallet-moved", &[]),
    ("alias-changed", &[]),
];

/// Compares this snapshot with the one before, these alerts with those that were open, and the score's parts.
pub(super) fn changes(facts: &Facts<'_>, ledger: &Ledger<'_>, judged: &Judged, parts: &[ScorePart]) -> Changes {
    let report = facts.history.previous_report.as_ref();
    let mut items = Vec::new();
    if let Some(previous) = &facts.history.previous_snapshot {
        channels::changes(facts, previous, ledger, &mut items);
        if facts.fresh() && previous.node.info.synced_to_chain {
            channels::peers(facts, previous, &mut items);
            wallet(facts, previous, &mut items);
        }
        channels::policies(facts, previous, &mut items);
        node(facts, previous, &mut items);
        ranks(facts, previous, &mut items);
    }
    if report.is_some() || facts.history.previous_snapshot.is_some() {
        alerts(facts, judged, &mut items);
    }
    score(facts, parts, &mut items);
    say_once(facts, judged, &mut items);
    items.sort_by_key(|item| rank(&item.kind));
    fold(&mut items, facts.limits.changes_count);
    Changes {
        since_report: report.map(|r| r.report_id),
        since: report.map(|r| r.window_end).or(facts.history.previous_snapshot.as_ref().map(|s| Time(s.taken_at))),
        items,
    }
}

fn change(kind: &str, subject: impl Into<String>, description: String) -> Change {
    Change { kind: kind.to_owned(), subject: subject.into(), description }
}

fn rank(kind: &str) -> usize {
    KINDS.iter().position(|(name, _)| *name == kind).unwrap_or(KINDS.len())
}

/// Whether an alert is new since the report before; one that an earlier report of the same day opened is.
fn is_new(facts: &Facts<'_>, alert: &Alert) -> bool {
    let before = facts.history.previous_report.as_ref();
    !alert.ongoing || before.is_some_and(|report| alert.detected_at.0 > report.window_end.0)
}

/// Drops what a new alert about the same subject says with more words.
fn say_once(facts: &Facts<'_>, judged: &Judged, items: &mut Vec<Change>) {
    let new = judged.alerts.iter().filter(|a| is_new(facts, a));
    let new: HashSet<(&str, &str)> = new.map(|a| (a.rule.as_str(), a.subject.as_str())).collect();
    let many_gone = judged.alerts.iter().any(|a| a.rule == "many-peers-gone");
    items.retain(|item| {
        let tellers = KINDS.iter().find(|(kind, _)| *kind == item.kind).map_or(&[][..], |(_, rules)| rules);
        let told = tellers.iter().any(|rule| new.contains(&(*rule, item.subject.as_str())));
        let told = told || (many_gone && item.kind == "peer-gone");
        !told
    });
}

/// Puts what exceeds the limit into one line.
fn fold(items: &mut Vec<Change>, limit: usize) {
    let limit = limit.max(1);
    if items.len() <= limit + 1 {
        return;
    }
    let rest = items.split_off(limit);
    let mut kinds: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for item in &rest {
        *kinds.entry((rank(&item.kind), item.kind.as_str())).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.into_iter().map(|((_, kind), n)| format!("{n} {kind}")).collect();
    items.push(change("more", "node", format!("{} more: {}", words::number(rest.len(), "change"), kinds.join(", "))));
}

fn node(facts: &Facts<'_>, previous: &Snapshot, items: &mut Vec<Change>) {
    let (old, new) = (&previous.node.info, &facts.snapshot.node.info);
    if old.version != new.version {
        let text = format!("LND {} → {}", words::line(&old.version), words::line(&new.version));
        items.push(change("version-changed", "node", text));
    }
    if old.alias != new.alias {
        let text = format!("alias {} → {}", words::line(&old.alias), words::line(&new.alias));
        items.push(change("alias-changed", "node", text));
    }
}

/// Coins that came or went.
fn wallet(facts: &Facts<'_>, previous: &Snapshot, items: &mut Vec<Change>) {
    let (Some(old), Some(new)) = (&previous.node.wallet, &facts.snapshot.node.wallet) else { return };
    let (before, after) = (old.confirmed + old.unconfirmed, new.confirmed + new.unconfirmed);
    if (after - before).abs().get() >= facts.limits.wallet_moved_sat {
        let text = format!("wallet {} → {}", words::grouped(before.get()), words::sat(after));
        items.push(change("wallet-moved", "node", text));
    }
}

/// This node's places in the network.
fn ranks(facts: &Facts<'_>, previous: &Snapshot, items: &mut Vec<Change>) {
    let (Some(old), Some(new)) = (&previous.node.market, &facts.snapshot.node.market) else { return };
    let pairs =
        [("capacity", old.capacity_rank, new.capacity_rank), ("channels", old.channels_rank, new.channels_rank)];
    for (by, old, now) in pairs {
        let (Some(old), Some(now)) = (old.map(i64::from), now.map(i64::from)) else { continue };
        let moved = (now - old).abs();
        if moved > 0 && moved.saturating_mul(100) >= old.saturating_mul(facts.limits.rank_moved_percent) {
            let side = if now < old { "up" } else { "down" };
            let text = format!(
                "place by {by} {} → {} of {}: {side} by {}",
                words::grouped(old),
                words::grouped(now),
                words::grouped(new.nodes.into()),
                words::grouped(moved)
            );
            items.push(change("rank-moved", by, text));
        }
    }
}

/// Parts of the score that moved, of those measured on both days by the same formula.
fn score(facts: &Facts<'_>, parts: &[ScorePart], items: &mut Vec<Change>) {
    let Some(before) = facts.history.previous_report.as_ref().filter(|r| r.score_version == SCORE_VERSION) else {
        return;
    };
    for part in parts {
        let old = before.score_parts.iter().find(|p| p.name == part.name).and_then(|p| p.points);
        let (Some(old), Some(new)) = (old, part.points) else { continue };
        if whole(new - old).saturating_abs() >= facts.limits.score_moved_points {
            let text = format!("{} {old:.1} → {new:.1} of {} points", part.name, part.weight);
            items.push(change("score-moved", part.name.clone(), text));
        }
    }
}

fn resolved(alert: &OpenAlert) -> Change {
    change("alert-resolved", alert.key.clone(), format!("resolved: {}", words::line(&alert.title)))
}

/// Whether an alert is about something that stands, and so has an end.
fn has_end(alert: &OpenAlert) -> bool {
    RULES.iter().any(|rule| rule.name == alert.rule() && !rule.event)
}

/// How many alerts are new, and those that were open and are not there any more although their rule was judged in full.
/// The new ones themselves stand among the alerts; what only happened in a day has no end.
fn alerts(facts: &Facts<'_>, judged: &Judged, items: &mut Vec<Change>) {
    let now: HashSet<&str> = judged.alerts.iter().map(|a| a.alert_key.as_str()).collect();
    for open in facts.history.open_alerts.iter().filter(|a| !now.contains(a.key.as_str())) {
        if has_end(open) && judged.complete.contains(open.rule()) {
            items.push(resolved(open));
        }
    }
    // What the watcher ended since; one that is there again stands among the alerts.
    let mut seen: HashSet<&str> = facts.history.open_alerts.iter().map(|a| a.key.as_str()).chain(now).collect();
    for ended in facts.history.resolved_alerts.iter().filter(|a| has_end(a)) {
        if seen.insert(&ended.key) {
            items.push(resolved(ended));
        }
    }
    let new: Vec<&Alert> = judged.alerts.iter().filter(|a| is_new(facts, a) && a.severity > Severity::Info).collect();
    if new.is_empty() {
        return;
    }
    let critical = new.iter().filter(|a| a.severity == Severity::Critical).count();
    let mut parts = Vec::new();
    if critical > 0 {
        parts.push(format!("{critical} critical"));
    }
    if new.len() > critical {
        parts.push(words::number(new.len() - critical, "warning"));
    }
    items.push(change("alert-new", "node", format!("new among the alerts: {}", parts.join(", "))));
}

#[cfg(test)]
mod tests;
