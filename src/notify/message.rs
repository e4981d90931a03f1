//! From an event to what is said of it: one structure that every channel writes in its own markup.

use serde_json::{Value, json};

use super::hide::Cleaner;
use super::markup;
use crate::notice::{Event, EventKind, Hide};
use crate::render::digest::{self, Depth, Digest, Piece};
use crate::render::number;
use crate::report::{Report, Severity};
use crate::store::Letter;
use crate::units::UnixMs;

/// Titles of folded messages that are listed.
const LISTED: usize = 40;

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// The same at each try.
    pub(super) key: String,
    /// What happened.
    pub(super) kind: EventKind,
    /// How bad.
    pub(super) severity: Severity,
    /// When.
    pub(super) at: UnixMs,
    /// One line.
    pub(super) title: String,
    /// What follows.
    pub(super) pieces: Vec<Piece>,
    /// The same for programs.
    pub(super) json: Value,
}

/// What is said of an event. `report` is the one that it is about, or the newest that is known.
pub(super) fn message(event: &Event, report: Option<&Report>, depth: Depth, hide: Hide) -> Message {
    let named = event.about.iter().map(|about| about.alias.as_str());
    let cleaner = Cleaner::new(hide, report, named);
    let digest = match report.filter(|_| event.kind == EventKind::Report) {
        Some(report) => digest::digest(report, depth, hide),
        None => plain(event, hide),
    };
    let title = cleaner.clean(&digest.title);
    let pieces: Vec<Piece> = digest.pieces.into_iter().map(|piece| piece.map(&|text| cleaner.clean(text))).collect();
    let json = document(event, report, hide, &title, &pieces);
    Message { key: event.key.clone(), kind: event.kind, severity: event.severity, at: event.at, title, pieces, json }
}

/// One message in place of many.
pub(super) fn folded(letters: &[Letter], hide: Hide) -> Option<Message> {
    let key = format!("folded:{}:{}:{}", letters.first()?.id, letters.last()?.id, letters.len());
    let events: Vec<&Event> = letters.iter().filter_map(|letter| letter.event.as_ref()).collect();
    let worst = events.iter().map(|event| event.severity).max()?;
    let at = events.iter().map(|event| event.at).max()?;
    let cleaner = Cleaner::new(hide, None, events.iter().filter_map(|e| Some(e.about.as_ref()?.alias.as_str())));
    let mut sorted = events.clone();
    sorted.sort_by_key(|event| std::cmp::Reverse(event.severity));
    let title = format!("and {} more messages", events.len());
    let mut pieces: Vec<Piece> = sorted
        .iter()
        .take(LISTED)
        .map(|event| Piece::Item {
            sign: digest::sign(event.severity).to_owned(),
            text: cleaner.clean(&headline(event, hide)),
            more: String::new(),
        })
        .collect();
    let more = events.len().saturating_sub(LISTED);
    let more = if more > 0 { format!("{more} more. ") } else { String::new() };
    pieces.push(Piece::Text(format!("{more}All of them: daznode alerts list, daznode show")));
    let json = json!({
        "version": 1, "id": key, "type": "folded", "severity": worst, "at": at.rfc3339(), "title": title,
        "text": markup::plain_text(&pieces),
        "events": sorted.iter().map(|event| document(event, None, hide, &cleaner.clean(&headline(event, hide)), &[])).collect::<Vec<_>>(),
    });
    Some(Message { key, kind: EventKind::AlertRepeated, severity: worst, at, title, pieces, json })
}

/// The title, or what stands for it where it could hold a name.
fn headline(event: &Event, hide: Hide) -> String {
    let before = match event.kind {
        EventKind::AlertRaised => "Worse: ",
        EventKind::AlertRepeated => "Still: ",
        EventKind::AlertResolved => "Resolved: ",
        EventKind::AlertOpened | EventKind::Report | EventKind::RunFailed | EventKind::RunLate | EventKind::Test => "",
    };
    let rule = event.alert_key.as_deref().and_then(|key| key.split(':').next());
    match (hide.aliases, event.kind) {
        (true, EventKind::RunFailed) => "a run failed".to_owned(),
        (true, EventKind::RunLate) => "a report is late".to_owned(),
        (true, EventKind::Report) => "a report".to_owned(),
        (true, EventKind::Test) | (false, _) => format!("{before}{}", event.title),
        (true, _) => format!("{before}{}", rule.unwrap_or("an alert")),
    }
}

/// An event that has no report to show.
fn plain(event: &Event, hide: Hide) -> Digest {
    let mut pieces = Vec::new();
    if let Some(about) = &event.about {
        let key = about.pubkey.short();
        let name = digest::node_name(&about.alias, &key, hide);
        let key = if hide.pubkeys || name == key { String::new() } else { format!(" {key}") };
        pieces.push(Piece::Text(format!("{name}{key} · {} · {}", about.network.as_str(), number::moment(event.at))));
    }
    // Free text may hold a name that nobody knows to be one.
    if !hide.aliases || event.kind == EventKind::Test {
        pieces
            .extend(event.text.lines().filter(|line| !line.trim().is_empty()).map(|line| Piece::Text(line.to_owned())));
    }
    // Of a new one that stands above.
    let said = event.about.is_some().then(|| number::moment(event.at));
    if let Some(since) = event.since.filter(|since| said != Some(number::moment(*since))) {
        pieces.push(Piece::Text(format!("Since {}", number::moment(since))));
    }
    if let Some(key) = event.alert_key.as_ref().filter(|_| !hide.pubkeys) {
        pieces.push(Piece::Code(format!("daznode alerts show '{}'", key.replace('\'', ""))));
    }
    let sign = match event.kind {
        EventKind::AlertResolved => "✓",
        EventKind::Test => "",
        _ => digest::sign(event.severity),
    };
    Digest { title: format!("{sign} {}", headline(event, hide)).trim_start().to_owned(), pieces }
}

/// What a program gets.
fn document(event: &Event, report: Option<&Report>, hide: Hide, title: &str, pieces: &[Piece]) -> Value {
    let node = event.about.as_ref().map(|about| {
        json!({
            "pubkey": (!hide.pubkeys).then(|| about.pubkey.as_str()),
            "alias": (!hide.aliases).then_some(&about.alias),
            "network": about.network.as_str(),
        })
    });
    let report = report.filter(|_| event.kind == EventKind::Report).map(|report| {
        let summary = &report.summary;
        json!({
            "report_id": report.report_id, "report_date": report.report_date, "score": summary.overall_score,
            "score_delta_24h": summary.score_delta_24h, "status": summary.status,
            "critical_alerts": summary.critical_alerts, "warnings": summary.warnings,
        })
    });
    let rule = event.alert_key.as_deref().map(|key| key.split(':').next().unwrap_or_default());
    json!({
        "version": 1, "id": event.key, "type": event.kind, "severity": event.severity, "at": event.at.rfc3339(),
        "user": event.about.as_ref().map(|about| &about.user), "node": node, "title": title,
        "text": markup::plain_text(pieces), "rule": rule,
        "alert_key": event.alert_key.as_ref().filter(|_| !hide.pubkeys && !hide.aliases),
        "since": event.since.map(UnixMs::rfc3339), "report": report,
    })
}
