//! Puts the report together.

use uuid::Uuid;

use super::accounting::{Ledger, Span};
use super::facts::Facts;
use super::thresholds::Thresholds;
use super::{advice, alerts, changes, choice, metrics, money, score, trends};
use crate::history::{History, Window};
use crate::report::{
    Availability, Btc, Changes, Flow, GenerationStatus, Metrics, Money, NotMeasured, REPORT_VERSION, Report,
    SCORE_VERSION, Safety, ScorePart, Severity, Source, SourcedFact, Status, Summary, Time, Trends,
};
use crate::snapshot::{Gap, Snapshot, SourceSeen};
use crate::units::{DAY_MS, Msat, Network, Pubkey, UnixMs};

/// Which document a report is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// UUIDv7 of the document.
    pub report_id: Uuid,
    /// Whose it is.
    pub user_id: String,
    /// The tenant of that user.
    pub tenant_id: String,
    /// 1 for the first of a day.
    pub revision: u32,
    /// When it is made.
    pub generated_at: UnixMs,
    /// Name of its JSON file below the state folder.
    pub file: Option<String>,
    /// Tries beyond the first.
    pub retry_count: u32,
}

/// All that a report is made of.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// Which document it will be.
    pub identity: Identity,
    /// What was seen.
    pub snapshot: &'a Snapshot,
    /// What was seen before.
    pub history: &'a History,
    /// The limits of the rules.
    pub thresholds: &'a Thresholds,
    /// The day that is reported.
    pub window: Window,
    /// Sources that are off.
    pub off: &'a [NotMeasured],
}

/// A day that was missed and is made from stored events.
#[derive(Clone, Debug)]
pub struct Backfill<'a> {
    /// Which document it will be.
    pub identity: Identity,
    /// The node's key.
    pub pubkey: &'a Pubkey,
    /// What the node calls itself.
    pub alias: &'a str,
    /// Its chain.
    pub network: Network,
    /// Stored events up to the end of that day.
    pub history: &'a History,
    /// The day that is reported.
    pub window: Window,
}

/// The report of a snapshot.
pub fn report(input: &Input<'_>) -> Report {
    let facts = Facts::new(input.snapshot, input.history, input.thresholds, input.window);
    let ledger = Ledger::new(input.history, Some(input.snapshot));
    let judged = alerts::judge(&facts);
    let score = score::score(&facts, &ledger, &judged);
    let changes = changes::changes(&facts, &ledger, &judged, &score.parts);
    let metrics = metrics::all(&facts, &ledger);
    let advised = advice::advice(&facts, &ledger, &judged);
    let day = metrics.forwarding.day;
    let worst = judged.alerts.iter().map(|a| a.severity).max();
    let number = |s| super::number::count(judged.alerts.iter().filter(|a| a.severity == s).count());
    let summary = Summary {
        overall_score: score.overall,
        score_delta_24h: score.delta,
        status: status(worst),
        critical_alerts: number(Severity::Critical),
        warnings: number(Severity::Warning),
        capacity_btc: metrics.capacity.total_sat.map(Btc),
        channels_count: metrics.channels.open,
        forwarding_rate_24h: day.as_ref().map(rate),
        revenue_sats_24h: day.map(|d| d.fees_msat.floor_sat()),
    };
    let node = &input.snapshot.node;
    let content = Content {
        trends: trends::trends(input.history, input.window.end.day(), &summary, day, Some(&facts)),
        pubkey: &node.info.pubkey,
        alias: &node.info.alias,
        window: input.window,
        backfilled: false,
        summary,
        metrics,
        money: money::money(&ledger, input.history, Some(&facts)),
        score_parts: score.parts,
        safety: score.safety,
        judged_rules: judged.rules(),
        alerts: judged.alerts,
        advised,
        changes,
        sources: input.snapshot.sources.iter().map(source).collect(),
        facts: choice::facts(input.snapshot),
        gaps: input.snapshot.gaps.clone(),
        not_measured: not_measured(&facts, input),
    };
    document(&input.identity, content)
}

/// The report of a missed day: flows and money of stored events; what needs "now" is null.
pub fn backfilled(input: &Backfill<'_>) -> Report {
    let history = input.history;
    let ledger = Ledger::new(history, None);
    let metrics = metrics::of_events(history, input.network.as_str());
    let day = metrics.forwarding.day;
    let summary = Summary {
        overall_score: None,
        score_delta_24h: None,
        status: Status::Healthy,
        critical_alerts: 0,
        warnings: 0,
        capacity_btc: None,
        channels_count: None,
        forwarding_rate_24h: day.as_ref().map(rate),
        revenue_sats_24h: day.map(|d| d.fees_msat.floor_sat()),
    };
    let why = "This day was caught up later from stored events; what needs a look at the node in time is not known.";
    let parts = ["balances", "score", "alerts", "recommendations", "failed-forwards"];
    let content = Content {
        trends: trends::trends(history, input.window.end.day(), &summary, day, None),
        pubkey: input.pubkey,
        alias: input.alias,
        window: input.window,
        backfilled: true,
        summary,
        metrics,
        money: money::money(&ledger, history, None),
        score_parts: Vec::new(),
        safety: Safety::default(),
        alerts: Vec::new(),
        judged_rules: Vec::new(),
        advised: advice::Advised::default(),
        changes: Changes::default(),
        sources: Vec::new(),
        facts: Vec::new(),
        gaps: Vec::new(),
        not_measured: parts.iter().map(|part| missing(part, why.to_owned())).collect(),
    };
    document(&input.identity, content)
}

/// Forwards an hour over a day.
pub(super) fn rate(day: &Flow) -> f64 {
    f64::from(day.forwards) / 24.0
}

/// What differs between a report of a snapshot and one of events.
struct Content<'a> {
    pubkey: &'a Pubkey,
    alias: &'a str,
    window: Window,
    backfilled: bool,
    summary: Summary,
    metrics: Metrics,
    money: Money,
    score_parts: Vec<ScorePart>,
    safety: Safety,
    alerts: Vec<crate::report::Alert>,
    judged_rules: Vec<String>,
    advised: advice::Advised,
    changes: Changes,
    trends: Trends,
    sources: Vec<Source>,
    facts: Vec<SourcedFact>,
    gaps: Vec<Gap>,
    not_measured: Vec<NotMeasured>,
}

fn document(identity: &Identity, content: Content<'_>) -> Report {
    let report_date = content.window.end.day();
    let status = if content.gaps.is_empty() { GenerationStatus::Complete } else { GenerationStatus::Partial };
    Report {
        report_id: identity.report_id,
        user_id: identity.user_id.clone(),
        tenant_id: identity.tenant_id.clone(),
        node_pubkey: content.pubkey.clone(),
        node_alias: content.alias.to_owned(),
        report_date,
        generation_timestamp: Time(identity.generated_at),
        report_version: REPORT_VERSION.to_owned(),
        revision: identity.revision,
        window_start: Time(content.window.start),
        window_end: Time(content.window.end),
        backfilled: content.backfilled,
        trends: content.trends,
        summary: content.summary,
        metrics: content.metrics,
        money: content.money,
        score_version: SCORE_VERSION,
        score_parts: content.score_parts,
        safety: content.safety,
        alerts: content.alerts,
        judged_rules: content.judged_rules,
        recommendations: content.advised.recommendations,
        advice_updates: content.advised.updates,
        advice_kept: content.advised.kept,
        changes: content.changes,
        sources: content.sources,
        facts: content.facts,
        gaps: content.gaps,
        not_measured: content.not_measured,
        rag_asset_id: identity.file.clone(),
        rag_indexed: false,
        generation_status: status,
        error_message: None,
        retry_count: identity.retry_count,
        created_at: Time(identity.generated_at),
        updated_at: Time(identity.generated_at),
    }
}

/// The worst alert decides how a node is.
fn status(worst: Option<Severity>) -> Status {
    match worst {
        Some(Severity::Critical) => Status::Critical,
        Some(Severity::Warning) => Status::Warning,
        Some(Severity::Info) | None => Status::Healthy,
    }
}

fn source(seen: &SourceSeen) -> Source {
    Source {
        name: seen.name.clone(),
        address: seen.address.clone(),
        status: seen.status,
        as_of: seen.as_of.map(Time),
        latency_ms: seen.latency_ms,
        version: seen.version.clone(),
        detail: seen.detail.clone(),
        error_class: seen.health.error_class,
        availability: Availability {
            day: seen.health.availability.day.share(),
            week: seen.health.availability.week.share(),
            month: seen.health.availability.month.share(),
        },
        last_good: seen.health.last_good.map(Time),
        breaker: seen.health.breaker,
    }
}

fn missing(part: &str, reason: String) -> NotMeasured {
    NotMeasured { part: part.to_owned(), reason }
}

/// What can't be known, or not yet, and when it will.
fn not_measured(facts: &Facts<'_>, input: &Input<'_>) -> Vec<NotMeasured> {
    let mut list = Vec::new();
    if !facts.fresh() {
        list.push(missing(
            "balances",
            "The node is not synced; balances and channels are what it last knew.".to_owned(),
        ));
    }
    if facts.history.previous_report.is_none() && facts.history.previous_snapshot.is_none() {
        list.push(missing("changes", "First report: from the next one on, changes are shown.".to_owned()));
    }
    for days in [7_i64, 30, 90] {
        if facts.history_ms() < days * DAY_MS {
            let at = facts.history_full_at(days).day();
            let from = if at == facts.now.day() { "later today".to_owned() } else { format!("from {at}") };
            let reason = format!("Sums of {days} days hold what is known so far; full {from}.");
            list.push(missing(&format!("history-{days}d"), reason));
        }
    }
    if !super::forecast::enough(&facts.history.days) {
        list.push(missing("forecast", "Fees of fewer than 14 days are known.".to_owned()));
    }
    if facts.history.balances.is_empty() {
        list.push(missing("yields", "Balances have not been sampled over time yet.".to_owned()));
    }
    let node = &facts.snapshot.node;
    if node.market.is_none() && !facts.snapshot.gaps.iter().any(|g| g.part.contains("graph")) {
        list.push(missing("market", "The graph was not read, so fees of others are not known.".to_owned()));
    }
    if node.utxos.is_none()
        && !facts.snapshot.gaps.iter().any(|g| g.part.contains("utxo") || g.part.contains("unspent"))
    {
        list.push(missing("unspent-outputs", "The source does not tell the wallet's outputs.".to_owned()));
    }
    // The source that was asked knows better why a part is missing.
    let told = |part: &str| input.off.iter().any(|o| o.part.split('.').next() == Some(part));
    list.extend(alerts::not_measured(facts).into_iter().filter(|n| !told(&n.part)));
    list.extend(input.off.iter().cloned());
    list
}

/// Net of a month in msat, where it is known in full and the month too.
pub(super) fn known_net(facts: &Facts<'_>, ledger: &Ledger<'_>) -> Option<Msat> {
    let full = facts.history_ms() >= 30 * DAY_MS;
    ledger.money(Span::Month).filter(|m| full && m.net_known).map(|m| m.net_msat)
}
