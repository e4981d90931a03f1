//! Forwards that failed, as far as they were watched: why, and what they would have earned.

use crate::render::table::{Field, fields};
use crate::render::{Page, number};
use crate::report::{FailureReason, MissedFlow, Report};

/// Why, as it follows "failed".
pub(super) const fn why(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Balance => "for lack of balance",
        FailureReason::Policy => "by our own rules",
        FailureReason::Offline => "since the peer was away",
        FailureReason::Downstream => "further down the route",
        FailureReason::Unknown => "for unknown reasons",
    }
}

/// One row a reason, of the last 24 hours; nothing where none failed or nobody watched.
pub(super) fn reasons(report: &Report, page: &Page) -> Option<String> {
    let failed = report.metrics.forwarding.failed_24h.as_deref().filter(|failed| !failed.is_empty())?;
    let rows: Vec<Vec<Field>> = failed
        .iter()
        .map(|sum| {
            vec![
                Field::plain(why(sum.reason)),
                Field::plain(&number::thousands(i64::from(sum.forwards))),
                Field::plain(&number::sat(sum.amount_out_msat)),
                Field::plain(&number::sat(sum.fees_msat)),
            ]
        })
        .collect();
    Some(fields(&["failed", "forwards", "sat out", "fees missed"], &rows, page))
}

/// One row a channel that lacked balance: the fees that it missed for it.
pub(super) fn channels(report: &Report, page: &Page) -> Option<String> {
    let missed = report.money.missed_demand.as_ref().filter(|missed| !missed.channels.is_empty())?;
    let fees = |flow: Option<MissedFlow>| {
        Field::plain(&flow.map_or_else(|| "-".to_owned(), |flow| number::sat(flow.fees_msat)))
    };
    let rows: Vec<Vec<Field>> = missed
        .channels
        .iter()
        .map(|channel| {
            let peer = channel.peer.as_ref().map(crate::units::Pubkey::short);
            let name = channel.peer_alias.clone().filter(|alias| !alias.trim().is_empty()).or(peer);
            let forwards = channel.month.map_or(0, |month| month.forwards);
            vec![
                Field::plain(&name.unwrap_or_else(|| "a channel that is not known".to_owned())),
                Field::plain(&number::thousands(i64::from(forwards))),
                fees(channel.day),
                fees(channel.week),
                fees(channel.month),
            ]
        })
        .collect();
    Some(fields(&["peer", "forwards", "24 h", "7 d", "30 d"], &rows, page))
}
