//! Whether the figures can be trusted: our sums against LND's, and days or sources that are missing.

use std::collections::BTreeMap;

use super::Finding;
use crate::analysis::facts::{Facts, local};
use crate::analysis::words;
use crate::report::Severity;
use crate::units::Sat;

/// Whether both sums of balances are known and of now.
pub(super) fn balances(facts: &Facts<'_>) -> bool {
    facts.channels_known() && facts.snapshot.node.channel_balance.is_some()
}

/// Whether both sums of fees are known.
pub(super) fn fee_sums(facts: &Facts<'_>) -> bool {
    facts.fresh() && facts.snapshot.node.fees.is_some() && facts.history.month.window.is_some()
}

/// `balance-mismatch`: payments move balances between two questions, so a small difference is nothing.
pub(super) fn balance(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lnd) = &facts.snapshot.node.channel_balance else { return Vec::new() };
    let ours = local(facts.channels());
    let theirs = lnd.local.floor_sat();
    let channels = i64::try_from(facts.channels().len()).unwrap_or(i64::MAX);
    if close(facts, ours, theirs, channels.saturating_add(1)) {
        return Vec::new();
    }
    let title = format!("Our side of the channels sums to {}, LND says {}", words::sat(ours), words::sat(theirs));
    let act = "If the difference stays over days, tell us: the figures of this report may be wrong.";
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned()).worth((ours - theirs).abs()).no_action()]
}

/// `lnd-fee-sum-differs`: over 30 days, so that a forward at the edge of the window weighs little.
pub(super) fn fees(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lnd) = &facts.snapshot.node.fees else { return Vec::new() };
    let month = &facts.history.month;
    let ours = (month.amount_in - month.amount_out).floor_sat();
    if close(facts, ours, lnd.month, 2) {
        return Vec::new();
    }
    let title = format!("Stored forwards of 30 days earned {}, LND says {}", words::sat(ours), words::sat(lnd.month));
    let act = if ours > lnd.month {
        "LND may have been told to delete its forwarding history; daznode keeps what it stored."
    } else {
        "Forwards may be missing in the store: the next run asks again; if it stays, tell us."
    };
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned()).worth((ours - lnd.month).abs()).no_action()]
}

fn close(facts: &Facts<'_>, a: Sat, b: Sat, at_least: i64) -> bool {
    let larger = a.abs().max(b.abs());
    let tolerance = larger.msat().at(crate::units::Ppm(facts.limits.books_tolerance_ppm)).floor_sat();
    (a - b).abs() <= tolerance.max(Sat::new(at_least))
}

/// `missed-runs`: scheduled days of the last seven that had no report in their time.
pub(super) fn missed(facts: &Facts<'_>) -> Vec<Finding> {
    let missing = &facts.history.missed;
    if missing.is_empty() {
        return Vec::new();
    }
    let severity = if missing.len() >= facts.limits.missed_warning_days { Severity::Warning } else { Severity::Info };
    let days: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let title = format!(
        "{} of the last 7 had no report in their time: {}",
        words::number(missing.len(), "day"),
        days.join(", ")
    );
    let act = "Forwards of those days are kept by LND and counted; balances of those days are not known. `daznode status` tells whether the timer is on.";
    vec![Finding::new(severity, "node", title, act.to_owned())]
}

/// `source-gap`: one alert a source, with all parts that it owes.
pub(super) fn gaps(facts: &Facts<'_>) -> Vec<Finding> {
    let mut by_source: BTreeMap<&str, Vec<&crate::snapshot::Gap>> = BTreeMap::new();
    for gap in &facts.snapshot.gaps {
        by_source.entry(&gap.source).or_default().push(gap);
    }
    let finding = |(source, gaps): (&str, Vec<&crate::snapshot::Gap>)| {
        let source = words::line(source);
        let parts: Vec<String> = gaps.iter().take(5).map(|g| words::line(&g.part)).collect();
        let more = if gaps.len() > 5 { format!(" and {} more", gaps.len() - 5) } else { String::new() };
        let title = format!("{source} did not answer {}{more}", parts.join(", "));
        let reason = gaps.first().map(|g| words::line(&g.reason)).unwrap_or_default();
        let act = "What is missing is shown as not known; the next run asks again.";
        Finding::new(Severity::Info, source, title, format!("{reason}. {act}"))
    };
    by_source.into_iter().map(finding).collect()
}
