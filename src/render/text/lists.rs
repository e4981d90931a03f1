//! What is wrong, what to do, what changed and what is not known: short here, in full under `all`.

use std::fmt::Write as _;

use super::{Line, Sheet, Style, title};
use crate::render::{number, safe};
use crate::report::{Alert, AlertState, Recommendation, Report, Severity};
use crate::units::{DAY_MS, UnixMs};

/// Entries of a section before "more".
const FEW: usize = 5;
/// Lines of an alert's description that does not ask for an act.
const BRIEF: usize = 2;
/// Columns right of an advice: gain, cost, days.
const FIGURES: [usize; 3] = [15, 10, 6];

pub(super) fn wrong(sheet: &mut Sheet, report: &Report) {
    if report.alerts.is_empty() && report.backfilled {
        return;
    }
    title(sheet, "Wrong");
    if report.alerts.is_empty() {
        let text = if report.gaps.is_empty() { "nothing" } else { "nothing in what could be measured" };
        sheet.line(Line::of(Style::Good, " ✓ ").with(Style::Plain, text));
    }
    for alert in listed(report).into_iter().take(FEW) {
        write_alert(sheet, alert, false);
    }
    more(sheet, report.alerts.len());
}

/// The alerts in the order in which people read them: those that are muted last.
pub(in crate::render) fn listed(report: &Report) -> Vec<&Alert> {
    let (muted, heard): (Vec<&Alert>, Vec<&Alert>) = report.alerts.iter().partition(|a| a.muted_until.is_some());
    heard.into_iter().chain(muted).collect()
}

/// What its past and the operator say of an alert.
pub(in crate::render) fn said(alert: &Alert) -> Option<String> {
    let mut said = Vec::new();
    said.extend((alert.state == Some(AlertState::Back)).then(|| "back again".to_owned()));
    said.extend(alert.acknowledged_at.map(|at| format!("acknowledged {}", day(at.0))));
    said.extend(alert.muted_until.map(|until| format!("muted until {}", day(until.0))));
    (!said.is_empty()).then(|| said.join(", "))
}

/// `21 Nov`.
fn day(at: UnixMs) -> String {
    at.timestamp().strftime("%-d %b").to_string()
}

/// An alert, its description whole where `whole` or where it asks for an act.
pub(super) fn write_alert(sheet: &mut Sheet, alert: &Alert, whole: bool) {
    let (style, sign) = sign(alert.severity);
    let first = Line::of(style, &format!("{sign:>2} "));
    let indent = first.width();
    let text_style = if alert.severity == Severity::Info { Style::Plain } else { Style::Bold };
    let mut text = Line::of(text_style, &alert.title);
    let since = alert.ongoing.then(|| format!("since {}", day(alert.detected_at.0)));
    let marks: Vec<String> = since.into_iter().chain(said(alert)).collect();
    if !marks.is_empty() {
        text.push(Style::Dim, &format!(" ({})", marks.join(", ")));
    }
    sheet.paragraph(first, &text);
    // Who muted it has read it.
    if (alert.severity == Severity::Info || alert.muted_until.is_some()) && !whole {
        return;
    }
    let lines = Line::plain(&alert.description).fold(sheet.width.saturating_sub(indent));
    let limit = if whole || alert.requires_action { usize::MAX } else { BRIEF };
    let cut = lines.len() > limit;
    for (i, folded) in lines.into_iter().take(limit).enumerate() {
        let mut line = Line::new();
        line.pad_to(indent);
        line.append(folded);
        if cut && i.saturating_add(1) == limit {
            line.push(Style::Dim, if line.width() < sheet.width.saturating_sub(1) { " …" } else { "…" });
        }
        if line.width() > indent {
            sheet.line(line);
        }
    }
}

/// The colour of a severity and the sign that says the same without colours.
pub(in crate::render) const fn sign(severity: Severity) -> (Style, &'static str) {
    match severity {
        Severity::Critical => (Style::Bad, "!!"),
        Severity::Warning => (Style::Warn, "!"),
        Severity::Info => (Style::Dim, "i"),
    }
}

pub(super) fn to_do(sheet: &mut Sheet, report: &Report) {
    if report.recommendations.is_empty() {
        return;
    }
    sheet.blank();
    let mut head = Line::of(Style::Bold, "To do");
    if wide(sheet) && report.recommendations.iter().any(has_figures) {
        figures(sheet, &mut head, ["gain sat/month", "cost sat", "days"], Style::Dim);
    }
    sheet.line(head);
    for (i, advice) in report.recommendations.iter().take(FEW).enumerate() {
        write_advice(sheet, i.saturating_add(1), advice);
    }
    more(sheet, report.recommendations.len());
}

/// What came of the advice of the last days.
pub(super) fn kept(sheet: &mut Sheet, report: &Report) {
    if let Some(line) = report.advice_kept.as_ref().and_then(crate::render::advice::kept) {
        if report.recommendations.is_empty() {
            sheet.blank();
        }
        sheet.paragraph(Line::plain(" "), &Line::plain(&line));
    }
}

/// Whether there is any figure to show for an advice.
const fn has_figures(advice: &Recommendation) -> bool {
    advice.estimated_gain_sats_month.is_some() || advice.cost_sats.is_some() || advice.payback_days.is_some()
}

/// Whether an advice's figures stand in columns.
const fn wide(sheet: &Sheet) -> bool {
    sheet.width >= 72
}

fn figures(sheet: &Sheet, line: &mut Line, texts: [&str; 3], style: Style) {
    let mut column = sheet.width.saturating_sub(FIGURES.iter().sum());
    for (text, width) in texts.into_iter().zip(FIGURES) {
        column = column.saturating_add(width);
        line.pad_to(column.saturating_sub(Line::plain(text).width()));
        line.push(style, text);
    }
}

/// An advice: its title with what it brings, and below what to type.
pub(super) fn write_advice(sheet: &mut Sheet, number: usize, advice: &Recommendation) {
    let gain = advice.estimated_gain_sats_month.map(|sat| format!("~{}", number::thousands(sat.get())));
    let cost = advice.cost_sats.map(|sat| number::thousands(sat.get()));
    let days = advice.payback_days.map(|days| number::thousands(i64::from(days)));
    let first = Line::plain(&format!("{number:>2} "));
    let indent = first.width();
    if wide(sheet) && has_figures(advice) {
        let room = sheet.width.saturating_sub(FIGURES.iter().sum::<usize>()).saturating_sub(indent);
        let dash = || "-".to_owned();
        let texts = [gain.unwrap_or_else(dash), cost.unwrap_or_else(dash), days.unwrap_or_else(dash)];
        let mut head = Some(first);
        for folded in Line::of(Style::Bold, &advice.title).fold(room) {
            let begins = head.is_some();
            let mut line = head.take().unwrap_or_default();
            line.pad_to(indent);
            line.append(folded);
            if begins {
                figures(sheet, &mut line, [&texts[0], &texts[1], &texts[2]], Style::Plain);
            }
            sheet.line(line);
        }
    } else {
        sheet.paragraph(first, &Line::of(Style::Bold, &advice.title));
        let mut pieces = Vec::new();
        pieces.extend(gain.map(|gain| Line::plain(&format!("gain {gain} sat a month"))));
        pieces.extend(cost.map(|cost| Line::plain(&format!("costs {cost} sat"))));
        pieces.extend(days.map(|days| Line::plain(&format!("pays in {days} days"))));
        sheet.pieces(Line::plain("   "), pieces, " · ");
    }
    // The same for other tools stands in the lists of `daznode advice` and in JSON.
    for line in advice.suggested_action.lines().filter(|line| !line.starts_with('#')) {
        command(sheet, line);
    }
}

/// A command so that it can be copied as it stands, or an act in words.
fn command(sheet: &mut Sheet, action: &str) {
    let indent = "     ";
    let action = safe::line(action);
    let typed = ["lncli ", "bos ", "bitcoin-cli ", "daznode ", "systemctl ", "sudo "]
        .iter()
        .any(|begin| action.starts_with(begin));
    if !typed {
        sheet.paragraph(Line::plain(indent), &Line::of(Style::Dim, &action));
        return;
    }
    // A line break within single quotes would be part of the argument.
    if action.contains('\'') {
        sheet.line(Line::plain(indent).with(Style::Dim, &action));
        return;
    }
    let mut line = Line::plain(indent);
    let mut begun = false;
    for word in action.split_whitespace() {
        let word = Line::of(Style::Dim, word);
        if begun && line.width().saturating_add(word.width()).saturating_add(3) > sheet.width {
            line.push(Style::Dim, " \\");
            sheet.line(std::mem::replace(&mut line, Line::plain("       ")));
        } else if begun {
            line.push(Style::Dim, " ");
        }
        line.append(word);
        begun = true;
    }
    sheet.line(line);
}

pub(super) fn changed(sheet: &mut Sheet, report: &Report) {
    let changes = &report.changes;
    if changes.since.is_none() {
        return;
    }
    let since = since(report);
    if changes.items.is_empty() {
        sheet.blank();
        sheet.line(Line::of(Style::Bold, &format!("Changed {since}")).with(Style::Plain, ": nothing"));
        return;
    }
    title(sheet, &format!("Changed {since}"));
    for item in changes.items.iter().take(FEW) {
        write_change(sheet, &item.kind, &item.description);
    }
    more(sheet, changes.items.len());
}

/// Since when changes are told, in words.
pub(in crate::render) fn since(report: &Report) -> String {
    match report.changes.since {
        Some(since) if report.window_end.0.day() == since.0.day() => format!("since {}", number::short_moment(since.0)),
        Some(since) if report.window_end.0.since(since.0) < DAY_MS * 3 / 2 => "since yesterday".to_owned(),
        Some(since) => format!("since {}", number::long_day(since.0.day())),
        None => "since the last report".to_owned(),
    }
}

pub(super) fn write_change(sheet: &mut Sheet, kind: &str, description: &str) {
    let (style, sign) = match kind {
        _ if kind.ends_with("-opened") || kind.ends_with("-added") => (Style::Good, "+"),
        _ if kind.ends_with("-closed") || kind.ends_with("-removed") => (Style::Warn, "-"),
        _ if kind.ends_with("-resolved") || kind.ends_with("-swept") => (Style::Good, "✓"),
        _ => (Style::Dim, "~"),
    };
    sheet.paragraph(Line::of(style, &format!(" {sign} ")), &Line::plain(description));
}

/// What is missing: asked for and not got, and not asked for or too early to know.
pub(super) fn unknown(sheet: &mut Sheet, report: &Report) {
    if !report.gaps.is_empty() {
        title(sheet, "Gaps");
        for gap in report.gaps.iter().take(FEW) {
            let text =
                Line::of(Style::Bold, &gap.part).with(Style::Plain, &format!(" from {}: {}", gap.source, gap.reason));
            sheet.paragraph(Line::of(Style::Warn, " ! "), &text);
        }
        more(sheet, report.gaps.len());
    }
    if report.not_measured.is_empty() {
        return;
    }
    let groups = by_reason(report);
    let listed: Vec<String> = groups.iter().map(|(parts, reason)| format!("{parts} ({reason})")).collect();
    let text = Line::of(Style::Bold, "Not measured").with(Style::Plain, &format!(": {}", listed.join(", ")));
    let first = report.changes.since.is_none() && !report.backfilled;
    if !first && text.fold(sheet.width.saturating_sub(2)).len() <= 2 {
        sheet.blank();
        sheet.paragraph(Line::new(), &text);
        return;
    }
    let head = if first { "Not known yet: this is the first report of this node" } else { "Not measured" };
    title(sheet, head);
    for (parts, reason) in groups.iter().take(FEW) {
        sheet.paragraph(Line::of(Style::Dim, " · "), &Line::plain(&format!("{parts}: {reason}")));
    }
    more(sheet, groups.len());
}

/// What was not measured, the parts with the same reason side by side.
pub(in crate::render) fn by_reason(report: &Report) -> Vec<(String, &str)> {
    let mut groups: Vec<(String, &str)> = Vec::new();
    for entry in &report.not_measured {
        match groups.iter_mut().find(|(_, reason)| *reason == entry.reason) {
            Some((parts, _)) => _ = write!(parts, ", {}", entry.part),
            None => groups.push((entry.part.clone(), &entry.reason)),
        }
    }
    groups
}

fn more(sheet: &mut Sheet, entries: usize) {
    if let Some(hidden) = entries.checked_sub(FEW).filter(|&hidden| hidden > 0) {
        sheet.line(Line::of(Style::Dim, &format!("   {hidden} more: daznode show all")));
    }
}
