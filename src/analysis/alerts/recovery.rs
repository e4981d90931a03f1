//! What brings funds back when this machine is lost, or guards them while it is off: the backup and the watchtowers.

use std::collections::HashSet;

use super::Finding;
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::report::Severity;
use crate::units::{Outpoint, Sat};

/// Whether the backup and all channels that it must hold are known.
pub(super) fn backup_known(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.snapshot.node.pending.is_some() && facts.snapshot.node.backup.is_some()
}

/// Whether the watchtower client is active.
pub(super) fn towers_known(facts: &Facts<'_>) -> bool {
    facts.snapshot.node.towers.is_some()
}

/// `backup-incomplete`: open and opening channels that the operator's file does not hold. Those that close need not be in
/// it: LND takes them out.
pub(super) fn backup(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(backup) = &facts.snapshot.node.backup else { return Vec::new() };
    let covered: HashSet<&Outpoint> = backup.covered.iter().collect();
    let open = facts.channels().iter().map(|c| (&c.point, c.local));
    let opening = facts.snapshot.node.pending.iter().flat_map(|p| &p.opening).map(|c| (&c.point, c.local));
    let wanted: Vec<(&Outpoint, Sat)> = open.chain(opening).collect();
    let missing: Vec<&(&Outpoint, Sat)> = wanted.iter().filter(|(point, _)| !covered.contains(point)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let stake: Sat = missing.iter().map(|(_, ours)| *ours).sum();
    let title = format!(
        "The backup file lacks {} of {}: {} could not be asked back from the peers",
        missing.len(),
        words::number(wanted.len(), "channel"),
        words::sat(stake)
    );
    let written = backup.modified_at.map(|at| format!(" It was last written on {}.", at.day())).unwrap_or_default();
    let named: Vec<String> = missing.iter().take(3).map(|(point, _)| point.short()).collect();
    let more = if missing.len() > 3 { " and others" } else { "" };
    let text = format!(
        "Not in it: {}{more}.{written} Copy LND's `channel.backup` again, and see why the copy stopped.",
        named.join(", ")
    );
    vec![Finding::new(Severity::Warning, "node", title, text).worth(stake)]
}

/// `watchtower-behind`
pub(super) fn behind(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(towers) = &facts.snapshot.node.towers else { return Vec::new() };
    let waiting = i64::from(towers.pending_backups) >= facts.limits.tower_pending_states;
    if towers.failed_backups == 0 && !waiting {
        return Vec::new();
    }
    let title = format!(
        "Watchtowers lack states: {} not acknowledged, {} that no tower took, {} taken",
        words::grouped(towers.pending_backups.into()),
        words::grouped(towers.failed_backups.into()),
        words::grouped(towers.backups.into())
    );
    let (severity, act) = if waiting {
        (
            Severity::Warning,
            "While this node is off, an old state of those channels could be used against it. See `lncli wtclient stats` and `lncli wtclient towers`.",
        )
    } else {
        (
            Severity::Info,
            "States that no tower took are mostly worth less than the transaction that would punish their use. The counts are since LND started.",
        )
    };
    vec![Finding::new(severity, "node", title, act.to_owned())]
}

/// `watchtower-none`: the client is on, and nobody watches.
pub(super) fn none(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(towers) = &facts.snapshot.node.towers else { return Vec::new() };
    let sessions: u64 = towers.towers.iter().map(|t| u64::from(t.sessions)).sum();
    let used_up = towers.sessions_acquired > 0 && towers.sessions_exhausted >= towers.sessions_acquired;
    let title = if towers.towers.is_empty() {
        "The watchtower client is on, but knows no tower"
    } else if sessions == 0 {
        "The watchtower client is on, but no tower holds a session"
    } else if used_up {
        "All watchtower sessions since LND started are used up"
    } else {
        return Vec::new();
    };
    let act = "Add a tower with `lncli wtclient add PUBKEY@HOST:9911`, or see why the known ones don't answer with `lncli wtclient towers --include_sessions`.";
    vec![Finding::new(Severity::Warning, "node", title.to_owned(), act.to_owned())]
}
