//! What both sides of a channel announce.

use std::collections::BTreeMap;

use super::Finding;
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::history::PolicyChange;
use crate::report::Severity;
use crate::snapshot::{Channel, Policy};
use crate::units::{DAY_MS, Outpoint, Ppm, Sat, UnixMs};

/// Whether the policies of both sides are known and of now.
pub(super) fn known(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.snapshot.node.policies.is_some()
}

/// Whether there is an earlier look to hold policies against.
pub(super) fn compared(facts: &Facts<'_>) -> bool {
    known(facts) && facts.history.previous_snapshot.is_some()
}

/// `channel-disabled-by-peer`: told only while the peer is there; one that is gone has an alert of its own.
pub(super) fn disabled(facts: &Facts<'_>) -> Vec<Finding> {
    let off = |c: &&Channel| c.active && !c.private && facts.their_policy(&c.point).is_some_and(|p| p.disabled);
    let finding = |c: &Channel| {
        let title = format!(
            "{} has disabled channel {}: nothing comes in by it ({} inbound)",
            facts.peer_name(c),
            c.point.short(),
            words::sat(c.remote)
        );
        let act = "The peer announces that it forwards nothing to this node here. Often it restarts or is short of funds; ask it if the state stays for days.";
        Finding::new(Severity::Warning, c.point.as_str(), title, act.to_owned()).worth(c.remote).no_action()
    };
    facts.channels().iter().filter(off).map(finding).collect()
}

/// `channel-disabled-by-us`
pub(super) fn disabled_by_us(facts: &Facts<'_>) -> Vec<Finding> {
    let off = |c: &&Channel| c.active && !c.private && facts.our_policy(&c.point).is_some_and(|p| p.disabled);
    let finding = |c: &Channel| {
        let stake: Sat = c.local;
        let title = format!(
            "This node announces channel {} with {} as disabled: {} cannot be sent by others",
            c.point.short(),
            facts.peer_name(c),
            words::sat(stake)
        );
        let (txid, index) = c.point.as_str().split_once(':').unwrap_or((c.point.as_str(), "0"));
        let act = format!(
            "LND enables it again by itself after some time; at once with `lncli updatechanstatus --funding_txid {txid} --output_index {index} --action enable`."
        );
        Finding::new(Severity::Info, c.point.as_str(), title, act).worth(stake)
    };
    facts.channels().iter().filter(off).map(finding).collect()
}

/// What of our own policy is hardly meant: each with how bad it is.
fn oddities(facts: &Facts<'_>, channel: &Channel, policy: &Policy) -> Vec<(Severity, String)> {
    let limits = facts.limits;
    let (smallest, largest) = (policy.min_htlc, policy.max_htlc);
    let capacity = channel.capacity.msat();
    let mut odd = Vec::new();
    if largest < smallest {
        odd.push((Severity::Warning, "its largest HTLC is below its smallest, so nothing fits".to_owned()));
    } else if largest > capacity {
        let text =
            format!("its largest HTLC ({}) is above the capacity, so others refuse to store it", words::msat(largest));
        odd.push((Severity::Warning, text));
    } else if largest < capacity.scale(limits.max_htlc_low_percent, 100) {
        let text = format!(
            "its largest HTLC is {}, below {} % of the capacity",
            words::msat(largest),
            limits.max_htlc_low_percent
        );
        odd.push((Severity::Info, text));
    }
    if smallest >= Sat::new(limits.min_htlc_high_sat).msat() {
        odd.push((Severity::Info, format!("its smallest HTLC is {}", words::msat(smallest))));
    }
    if i64::from(policy.time_lock_delta) < limits.time_lock_low {
        let text =
            format!("its time lock leaves {} blocks to act in when a channel closes by force", policy.time_lock_delta);
        odd.push((Severity::Warning, text));
    }
    odd
}

/// `policy-odd`
pub(super) fn odd(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for channel in facts.channels() {
        let Some(policy) = facts.our_policy(&channel.point) else { continue };
        let odd = oddities(facts, channel, policy);
        let Some(severity) = odd.iter().map(|(severity, _)| *severity).max() else { continue };
        let parts: Vec<String> = odd.into_iter().map(|(_, text)| text).collect();
        let title = format!(
            "Our policy of channel {} with {}: {}",
            channel.point.short(),
            facts.peer_name(channel),
            parts.join("; ")
        );
        let act = "Set it as it is meant with `lncli updatechanpolicy`; see its `--min_htlc_msat`, `--max_htlc_msat` and `--time_lock_delta`.";
        found.push(Finding::new(severity, channel.point.as_str(), title, act.to_owned()).worth(channel.local));
    }
    found
}

/// `channel-zombie`: other nodes drop a channel of which one side has announced nothing for two weeks.
pub(super) fn zombie(facts: &Facts<'_>) -> Vec<Finding> {
    let limit = facts.limits.zombie_days;
    let mut found = Vec::new();
    for channel in facts.channels().iter().filter(|c| c.active && !c.private) {
        let since = match facts.their_policy(&channel.point) {
            Some(policy) if facts.now.since(policy.updated_at) >= limit.saturating_mul(DAY_MS) => {
                format!("for {}", words::span(facts.now.since(policy.updated_at)))
            }
            None if facts.age_days(channel).is_some_and(|age| age >= limit) => "at all".to_owned(),
            _ => continue,
        };
        let title = format!(
            "{} has announced nothing for channel {} {since}: {} inbound that others don't see",
            facts.peer_name(channel),
            channel.point.short(),
            words::sat(channel.remote)
        );
        let act = "Others drop such a channel from their graph, so nothing is sent to this node by it. Ask the peer to look at its node, or close it if it stays.";
        found.push(Finding::new(Severity::Info, channel.point.as_str(), title, act.to_owned()).worth(channel.remote));
    }
    found
}

/// From when on something is new: the end of the report before, else the start of the day.
fn since(facts: &Facts<'_>) -> UnixMs {
    facts.history.previous_report.as_ref().map_or(facts.window.start, |r| r.window_end.0.min(facts.window.start))
}

/// A rate that is so far from the other that it is worth a word.
fn jumped(facts: &Facts<'_>, before: Ppm, after: Ppm) -> bool {
    let (low, high) = (before.0.min(after.0), before.0.max(after.0));
    let more = high.saturating_sub(low);
    let least = i128::from(low.max(0)) * i128::from(facts.limits.fee_jump_percent) / 100;
    more >= facts.limits.fee_jump_ppm && i128::from(more) >= least
}

/// `peer-fee-jump`: by the first policy before this day and the last one in it.
pub(super) fn fee_jump(facts: &Facts<'_>) -> Vec<Finding> {
    let since = since(facts);
    let new = |c: &&PolicyChange| !c.ours && c.at > since && c.at <= facts.now;
    let mut rates: BTreeMap<&Outpoint, (Ppm, Ppm)> = BTreeMap::new();
    for change in facts.history.policy_changes.iter().filter(new) {
        let Some(before) = &change.before else { continue };
        rates.entry(&change.point).or_insert((before.rate, change.after.rate)).1 = change.after.rate;
    }
    let mut found = Vec::new();
    for channel in facts.channels() {
        let Some((before, after)) = rates.get(&channel.point).copied() else { continue };
        if !jumped(facts, before, after) {
            continue;
        }
        let verb = if after > before { "raised" } else { "lowered" };
        let title = format!(
            "{} {verb} its fee to us on channel {}: {} → {} ppm",
            facts.peer_name(channel),
            channel.point.short(),
            words::grouped(before.0),
            words::grouped(after.0)
        );
        let act = if after > before {
            "Refilling this channel costs more now, and less comes in by it. Wait for a day before following: fees that jump often jump back."
        } else {
            "Refilling this channel costs less now. Wait for a day before following: fees that jump often jump back."
        };
        found.push(Finding::new(Severity::Info, channel.point.as_str(), title, act.to_owned()).worth(channel.remote));
    }
    found
}
