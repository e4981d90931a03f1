//! What the watcher judges between two reports: the few rules that can't wait, on the little that it reads.

use super::{Judged, judge_of};
use crate::analysis::Thresholds;
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::history::{History, Window};
use crate::report::{Alert, AlertState, Severity, Time};
use crate::snapshot::Snapshot;
use crate::units::UnixMs;

/// The rules that need no more than the node's own word on itself, its channels, peers, wallet and pending closes, and the
/// machine's disks. Each is judged only where what it reads is there.
pub const WATCHED_RULES: &[&str] = &[
    "htlc-expiry",
    "force-close",
    "channel-breach",
    "funds-in-limbo",
    "anchor-reserve",
    "not-synced-chain",
    "block-height-behind",
    "chain-stalled",
    "certificate-expiry",
    "macaroon-expiry",
    "disk-full",
    "many-peers-gone",
];

/// What every LND that has just started is: without peers, and behind its chain.
const AFTER_START: [&str; 2] = ["many-peers-gone", "not-synced-chain"];
/// How long a node must have been followed without a break before these tell anything of it.
const SETTLED_MS: i64 = 10 * 60_000;
/// What was watched is stored every minute: of the last moments nothing is known yet.
const UNKNOWN_MS: i64 = 2 * 60_000;

/// Whether the node was followed without a break for a while, or never.
fn settled(facts: &Facts<'_>) -> bool {
    let (from, to) = (facts.now.plus(-SETTLED_MS), facts.now.plus(-UNKNOWN_MS));
    facts.history.watched.peers_off.iter().all(|off| off.end <= from || off.start >= to)
}

/// The rule that the watcher judges by itself.
pub const UNREACHABLE: &str = "node-unreachable";

/// What these rules find now, and those of them that were judged in full. What only happens is never among the latter: it
/// is over when a report, which reads more, no longer has it.
pub fn alerts_now(snapshot: &Snapshot, history: &History, limits: &Thresholds) -> (Vec<Alert>, Vec<String>) {
    let facts = Facts::new(snapshot, history, limits, Window::days_before(snapshot.taken_at, 1));
    let settled = settled(&facts);
    let wanted = |name: &str| WATCHED_RULES.contains(&name) && (settled || !AFTER_START.contains(&name));
    let mut judged: Judged = judge_of(&facts, &|rule| wanted(rule.name));
    judged.complete.retain(|name| super::RULES.iter().any(|rule| rule.name == *name && !rule.event));
    let whole = judged.rules();
    (judged.alerts, whole)
}

/// The alert of a node that has not answered since `since`; `None` where that is not long enough ago. `why` is the error
/// of the last try.
pub fn unreachable(since: UnixMs, now: UnixMs, why: &str, limits: &Thresholds) -> Option<Alert> {
    let gone = now.since(since);
    if gone < limits.unreachable_minutes.saturating_mul(60_000) {
        return None;
    }
    let act = "Is it running? Look at its log, its disk and the machine. While it is down it sees no cheating close and no HTLC expire.";
    Some(Alert {
        severity: Severity::Critical,
        rule: UNREACHABLE.to_owned(),
        title: format!("LND has not answered for {}", words::span(gone)),
        description: format!("{} {act}", sentence(&words::line(why))),
        detected_at: Time(since),
        requires_action: true,
        alert_key: format!("{UNREACHABLE}:node"),
        subject: "node".to_owned(),
        ongoing: false,
        state: Some(AlertState::New),
        acknowledged_at: None,
        muted_until: None,
    })
}

/// An error's words with the mark that ends a sentence.
fn sentence(words: &str) -> String {
    if words.ends_with(['.', '?', '!']) { words.to_owned() } else { format!("{words}.") }
}
