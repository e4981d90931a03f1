//! Whose report it is, of when, and what must be known before any figure is read.

use super::{Line, Sheet, Style};
use crate::render::{Page, number, safe};
use crate::report::{GenerationStatus, Report, SourceStatus};
use crate::units::{DAY_MS, HOUR_MS};

/// A report this old is no longer today's.
const OLD_MS: i64 = 36 * HOUR_MS;

pub(super) fn write(sheet: &mut Sheet, report: &Report, page: &Page) {
    let mut parts = vec![Line::of(Style::Bold, &safe::clip(&report.node_alias, 32))];
    parts.extend(identity(report).iter().map(|part| Line::of(Style::Dim, part)));
    let mut left = Line::new();
    for part in &parts {
        left.push(Style::Plain, if left.width() > 0 { "  " } else { "" });
        left.append(part.clone());
    }
    let at = number::moment(report.window_end.0);
    let room = sheet.width.saturating_sub(at.len());
    if left.width().saturating_add(2) <= room {
        left.pad_to(room);
        left.push(Style::Plain, &at);
        sheet.line(left);
    } else {
        parts.push(Line::plain(&at));
        sheet.pieces(Line::new(), parts, "  ");
    }
    sheet.rule();
    let mut any = false;
    for (style, text) in notices(report, page) {
        sheet.paragraph(Line::of(style, "! "), &Line::of(style, &text));
        any = true;
    }
    if any {
        sheet.blank();
    }
}

/// Key, network and version, as far as they are known.
pub(in crate::render) fn identity(report: &Report) -> Vec<String> {
    let network = &report.metrics.network;
    // Every release of LND is a beta, so the word says nothing.
    let version = network.lnd_version.as_ref();
    let version = version.map(|version| format!("lnd {}", safe::clip(version.trim_end_matches("-beta"), 20)));
    let parts = [Some(report.node_pubkey.short()), Some(safe::clip(&network.network, 12)), version];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect()
}

/// What changes how the figures are to be read, in sentences.
fn notices(report: &Report, page: &Page) -> Vec<(Style, String)> {
    let mut notices = standing(report);
    let age = page.now.since(report.window_end.0);
    if age > OLD_MS && !report.backfilled {
        let age = number::span(age.max(DAY_MS));
        notices.push((Style::Warn, format!("Old: this report is of {age} ago; `daznode generate` makes today's.")));
    }
    notices
}

/// The notices that don't depend on when the report is read.
pub(in crate::render) fn standing(report: &Report) -> Vec<(Style, String)> {
    let mut notices = Vec::new();
    if report.generation_status == GenerationStatus::Failed {
        let why = report.error_message.as_deref().unwrap_or("no reason was kept");
        let tries = match report.retry_count {
            0 => String::new(),
            n => format!(" ({} tries)", n.saturating_add(1)),
        };
        notices.push((Style::Bad, format!("Failed{tries}: {why}")));
    }
    if report.sources.iter().any(|source| source.name == "simulated") {
        notices.push((Style::Warn, "Simulated: this node and every figure of it are made up.".to_owned()));
    }
    if report.backfilled {
        let made = number::short_moment(report.generation_timestamp.0);
        notices.push((
            Style::Warn,
            format!("Caught up: made {made} from the node's history for a day that was missed; balances, score and what was wrong then are not known."),
        ));
    }
    if report.metrics.capacity.stale {
        notices.push((Style::Warn, stale(report)));
    }
    if report.generation_status == GenerationStatus::Partial {
        let silent: Vec<&str> = report
            .sources
            .iter()
            .filter(|source| matches!(source.status, SourceStatus::Failed | SourceStatus::Partial))
            .map(|source| source.name.as_str())
            .collect();
        let from = if silent.is_empty() { String::new() } else { format!(" from {}", silent.join(", ")) };
        let missing = number::count(u32::try_from(report.gaps.len()).unwrap_or(u32::MAX), "part");
        notices.push((Style::Warn, format!("Partial: {missing} missing{from}; see Gaps below.")));
    }
    notices
}

fn stale(report: &Report) -> String {
    let network = &report.metrics.network;
    let block = network.block_height.map_or(String::new(), |height| {
        let behind = network.block_height_elsewhere.map_or(0, |elsewhere| elsewhere.saturating_sub(height));
        let behind = if behind > 0 { format!(", {} behind", number::count(behind, "block")) } else { String::new() };
        format!(" at block {}{behind}", number::thousands(i64::from(height)))
    });
    format!("Stale: the node is not synced{block}; balances and states are old.")
}
