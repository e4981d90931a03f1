//! HTLCs in flight.

use std::collections::BTreeMap;

use super::Finding;
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::report::Severity;
use crate::snapshot::{Channel, Htlc};
use crate::units::Sat;

/// All HTLCs of one payment hash.
struct Held<'a> {
    blocks: i64,
    amount: Sat,
    channel: &'a Channel,
}

/// Blocks until the first HTLC in flight times out.
pub(in crate::analysis) fn first_expiry(facts: &Facts<'_>) -> Option<i64> {
    let all = facts.channels().iter().flat_map(|c| &c.htlcs);
    all.map(|h| blocks_left(facts, h)).min()
}

fn blocks_left(facts: &Facts<'_>, htlc: &Htlc) -> i64 {
    i64::from(htlc.expiry_height) - i64::from(facts.snapshot.node.info.block_height)
}

/// `htlc-expiry`: by payment hash, so that an HTLC seen on its incoming and its outgoing channel is told once.
pub(super) fn expiry(facts: &Facts<'_>) -> Vec<Finding> {
    let mut held: BTreeMap<&str, Held<'_>> = BTreeMap::new();
    for channel in facts.channels() {
        for htlc in &channel.htlcs {
            let blocks = blocks_left(facts, htlc);
            let seen = held.entry(&htlc.hash).or_insert(Held { blocks, amount: htlc.amount, channel });
            seen.amount = seen.amount.max(htlc.amount);
            if blocks < seen.blocks {
                (seen.blocks, seen.channel) = (blocks, channel);
            }
        }
    }
    held.into_iter().filter_map(|(hash, held)| finding(facts, hash, &held)).collect()
}

fn finding(facts: &Facts<'_>, hash: &str, held: &Held<'_>) -> Option<Finding> {
    let limits = facts.limits;
    let severity = match held.blocks {
        b if b <= limits.htlc_critical_blocks => Severity::Critical,
        b if b <= limits.htlc_warning_blocks => Severity::Warning,
        b if b <= limits.htlc_info_blocks => Severity::Info,
        _ => return None,
    };
    let peer = facts.peer_name(held.channel);
    let title = format!("HTLC of {} with {peer} {}", words::sat(held.amount), when(held.blocks));
    let act = match severity {
        _ if held.blocks < 0 => {
            "LND should have failed it back or closed the channel by force by now: see its log (`ChannelArbitrator`, `ChainArbitrator`) for why it has not, and `lncli pendingchannels`. Reconnecting the peer (`lncli disconnect`, then `lncli connect`) may still resolve it."
        }
        Severity::Info => "Nothing to do yet: most settle in time.",
        Severity::Warning => {
            "See that the peer is connected; if it stays, reconnect it so that the HTLC can be resolved."
        }
        Severity::Critical => {
            "Reconnect the peer now (`lncli disconnect`, then `lncli connect`); if the HTLC stays, LND closes the channel by force to save it."
        }
    };
    let description = format!(
        "Payment {}.. on channel {} {} at block {}, the node is at {}. {act}",
        words::line(hash).chars().take(16).collect::<String>(),
        held.channel.point.short(),
        if held.blocks < 0 { "expired" } else { "expires" },
        i64::from(facts.snapshot.node.info.block_height).saturating_add(held.blocks),
        facts.snapshot.node.info.block_height,
    );
    Some(Finding::new(severity, words::line(hash), title, description).worth(held.amount))
}

/// When it times out, by the blocks until then.
fn when(blocks: i64) -> String {
    let count = |blocks: i64| words::number(usize::try_from(blocks).unwrap_or(usize::MAX), "block");
    match blocks {
        ..0 => format!("expired {} ago", count(blocks.saturating_neg())),
        0 => "times out with this block".to_owned(),
        _ => format!("times out in {}", count(blocks)),
    }
}

/// `htlcs-many`: one channel holds many at once; near LND's limit of 483 a side nothing more fits.
pub(super) fn many(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for channel in facts.channels().iter().filter(|c| c.htlcs.len() > facts.limits.htlcs_many) {
        let count = channel.htlcs.len();
        let severity = if count >= facts.limits.htlcs_full { Severity::Warning } else { Severity::Info };
        let amount: Sat = channel.htlcs.iter().map(|h| h.amount).sum();
        let title = format!(
            "{} in flight on channel {} with {}: {}",
            words::number(count, "HTLC"),
            channel.point.short(),
            facts.peer_name(channel),
            words::sat(amount)
        );
        let act = match severity {
            Severity::Info => {
                "Each costs chain fees if the channel closes by force now. Many that stay for hours are a sign of jamming."
            }
            _ => {
                "A channel takes 483 in each direction: it may be jammed. Those that stay keep its funds until they time out."
            }
        };
        found.push(Finding::new(severity, channel.point.as_str(), title, act.to_owned()).worth(amount));
    }
    found
}
