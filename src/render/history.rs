//! The last days side by side: a line of bars and a row a day, missing days included.

use std::fmt::Write as _;

use serde::Serialize;
use uuid::Uuid;

use super::sheet::{Line, Sheet, Style};
use super::table::{Field, fields};
use super::{Format, Page, json, number, safe, spark};
use crate::report::GenerationStatus;
use crate::units::{Day, Pubkey, Sat};

/// The node that the days are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryNode {
    /// Whose reports.
    pub user_id: String,
    /// Its key.
    pub node_pubkey: Pubkey,
    /// Its alias; hostile text.
    pub node_alias: String,
}

/// One day that has a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HistoryRow {
    /// The day, UTC.
    pub date: Day,
    /// 0 to 100.
    pub score: Option<i64>,
    /// Its formula; scores of different ones are not compared.
    pub score_version: u32,
    /// Points more than a day before.
    pub delta: Option<i64>,
    /// Fees earned in the day.
    pub revenue_sat: Option<Sat>,
    /// Settled forwards in the day.
    pub forwards: Option<u32>,
    /// Settled forwards an hour.
    pub forward_rate: Option<f64>,
    /// Capacity of all channels.
    pub capacity_sat: Option<Sat>,
    /// Critical alerts.
    pub critical_alerts: u32,
    /// Warnings.
    pub warnings: u32,
    /// Whether it is whole; a failed one has no figures.
    pub status: GenerationStatus,
    /// Made later for a day that was missed.
    pub backfilled: bool,
    /// Which document of the day it is.
    pub revision: u32,
    /// Its id.
    pub report_id: Uuid,
}

/// What a page of history says in JSON.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    node: &'a HistoryNode,
    from: Option<Day>,
    until: Option<Day>,
    days: Vec<&'a HistoryRow>,
    missing: Vec<Day>,
}

/// A day with or without a report.
enum Entry<'a> {
    Report(&'a HistoryRow),
    Missing(Day),
}

impl Entry<'_> {
    const fn report(&self) -> Option<&HistoryRow> {
        match self {
            Self::Report(row) => Some(row),
            Self::Missing(_) => None,
        }
    }
}

/// The days of `rows` in any order, and those between the oldest of them and `until` that have none, newest first.
pub fn history(node: &HistoryNode, rows: &[HistoryRow], until: Option<Day>, format: Format, page: &Page) -> String {
    let days = days(rows, until);
    match format {
        Format::Table => text(node, &days, page),
        Format::Markdown => markdown(node, &days),
        Format::Json => json::document(&Document {
            node,
            from: rows.iter().map(|row| row.date).min(),
            until: until.into_iter().chain(rows.iter().map(|row| row.date)).max(),
            days: days.iter().filter_map(Entry::report).collect(),
            missing: days.iter().filter_map(|e| if let Entry::Missing(day) = e { Some(*day) } else { None }).collect(),
        }),
    }
}

fn days(rows: &[HistoryRow], until: Option<Day>) -> Vec<Entry<'_>> {
    let mut sorted: Vec<&HistoryRow> = rows.iter().collect();
    sorted.sort_by_key(|row| std::cmp::Reverse((row.date, row.revision)));
    let mut expected = until;
    let mut days = Vec::with_capacity(sorted.len());
    for row in sorted {
        while let Some(day) = expected.filter(|&day| day > row.date) {
            days.push(Entry::Missing(day));
            expected = Some(day.plus(-1));
        }
        days.push(Entry::Report(row));
        expected = Some(row.date.plus(-1));
    }
    days
}

fn text(node: &HistoryNode, days: &[Entry<'_>], page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    let alias = Line::of(Style::Bold, &safe::clip(&node.node_alias, 32));
    let key = Line::of(Style::Dim, &node.node_pubkey.short());
    sheet.pieces(Line::new(), vec![alias, key, Line::plain(&counted(days))], "  ");
    sheet.rule();
    if days.is_empty() {
        sheet.line(Line::plain("No reports in these days. `daznode generate` makes today's."));
        return sheet.text(page.colour);
    }
    for line in curves(days, sheet.width.saturating_sub(36)) {
        let (name, curve, range) = line;
        let pieces = vec![Line::plain(&curve), Line::plain(&range)];
        sheet.pieces(Line::of(Style::Dim, &format!("{name:<7}")), pieces, "  ");
    }
    sheet.blank();
    let narrow = page.columns() < 64;
    let counted = days.iter().filter_map(Entry::report).any(|row| row.forwards.is_some());
    let mut headers = vec!["date", "score", "", "fees sat"];
    if counted {
        headers.push("forwards");
    }
    if !narrow {
        headers.extend(["an hour", "size"]);
    }
    headers.push("");
    let rows: Vec<Vec<Field>> = days.iter().map(|day| row(day, narrow, counted)).collect();
    format!("{}{}", sheet.text(page.colour), fields(&headers, &rows, page))
}

fn counted(days: &[Entry<'_>]) -> String {
    let made = days.iter().filter(|day| day.report().is_some()).count();
    match days.len().saturating_sub(made) {
        0 => number::count(u32::try_from(made).unwrap_or(u32::MAX), "report"),
        missing => {
            format!("{}, {missing} missing", number::count(u32::try_from(made).unwrap_or(u32::MAX), "report"))
        }
    }
}

/// Score and fees as bars, oldest first, the newest `width` days, with what they reached.
fn curves(days: &[Entry<'_>], width: usize) -> Vec<(&'static str, String, String)> {
    let mut oldest_first: Vec<Option<&HistoryRow>> = days.iter().take(width).map(Entry::report).collect();
    oldest_first.reverse();
    // Only scores of the newest formula belong on one curve.
    let version = days.iter().filter_map(Entry::report).find(|row| row.score.is_some()).map(|row| row.score_version);
    let scores: Vec<Option<i64>> = oldest_first
        .iter()
        .map(|row| row.filter(|row| Some(row.score_version) == version).and_then(|row| row.score))
        .collect();
    let fees: Vec<Option<i64>> =
        oldest_first.iter().map(|row| row.and_then(|row| row.revenue_sat).map(Sat::get)).collect();
    let range = |values: &[Option<i64>]| {
        let low = values.iter().flatten().min().copied()?;
        let high = values.iter().flatten().max().copied()?;
        Some((number::thousands(low), number::thousands(high)))
    };
    let mut curves = Vec::new();
    if let Some((low, high)) = range(&scores) {
        curves.push(("Score", spark::between(&scores, 10), format!("{low} to {high}")));
    }
    if let Some((low, high)) = range(&fees) {
        curves.push(("Fees", spark::from_zero(&fees), format!("{low} to {high} sat")));
    }
    curves
}

fn row(entry: &Entry<'_>, narrow: bool, counted: bool) -> Vec<Field> {
    let row = match entry {
        Entry::Missing(day) => {
            let mut cells = vec![Field::new(Style::Dim, &day.to_string())];
            let figures = 3 + usize::from(counted) + if narrow { 0 } else { 2 };
            cells.extend((0..figures).map(|_| Field::plain("")));
            cells.push(Field::new(Style::Dim, "no report"));
            return cells;
        }
        Entry::Report(row) => row,
    };
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let (style, delta) = delta(row.delta);
    let mut cells = vec![
        Field::plain(&row.date.to_string()),
        Field::new(Style::Bold, &or_dash(row.score.map(|score| score.to_string()))),
        Field::new(style, &delta),
        Field::plain(&or_dash(row.revenue_sat.map(|sat| number::thousands(sat.get())))),
    ];
    if counted {
        cells.push(Field::plain(&or_dash(row.forwards.map(|n| number::thousands(i64::from(n))))));
    }
    if !narrow {
        cells.push(Field::plain(&or_dash(row.forward_rate.map(|rate| format!("{rate:.1}")))));
        cells.push(Field::plain(&or_dash(row.capacity_sat.map(number::compact))));
    }
    let (style, notes) = notes(row);
    cells.push(Field::new(style, &notes));
    cells
}

fn delta(delta: Option<i64>) -> (Style, String) {
    match delta {
        Some(delta) if delta > 0 => (Style::Good, format!("▲{delta}")),
        Some(delta) if delta < 0 => (Style::Warn, format!("▼{}", delta.unsigned_abs())),
        _ => (Style::Plain, String::new()),
    }
}

/// What is unusual about a day, in words.
fn notes(row: &HistoryRow) -> (Style, String) {
    let mut style = Style::Plain;
    let mut notes = Vec::new();
    if row.status == GenerationStatus::Failed {
        return (Style::Bad, "!! failed".to_owned());
    }
    if row.critical_alerts > 0 {
        style = Style::Bad;
        notes.push(format!("!! {} critical", row.critical_alerts));
    }
    if row.warnings > 0 {
        style = if style == Style::Bad { style } else { Style::Warn };
        notes.push(format!("! {}", number::count(row.warnings, "warning")));
    }
    if row.status == GenerationStatus::Partial {
        notes.push("partial".to_owned());
    }
    if row.backfilled {
        notes.push("caught up".to_owned());
    }
    if row.revision > 1 {
        notes.push(format!("rev {}", row.revision));
    }
    (style, notes.join(", "))
}

fn markdown(node: &HistoryNode, days: &[Entry<'_>]) -> String {
    let mut out = format!("# {}: {}\n\n", safe::markdown(&safe::clip(&node.node_alias, 32)), counted(days));
    if days.is_empty() {
        out.push_str("No reports in these days.\n");
        return out;
    }
    for (name, curve, range) in curves(days, 60) {
        let _ = writeln!(out, "- {name} {curve} {range}");
    }
    out.push_str("\n| date | score | fees sat | forwards | size | |\n|---|---:|---:|---:|---:|---|\n");
    for day in days {
        let Entry::Report(row) = day else {
            if let Entry::Missing(day) = day {
                let _ = writeln!(out, "| {day} | | | | | no report |");
            }
            continue;
        };
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let score = format!("{} {}", or_dash(row.score.map(|score| score.to_string())), delta(row.delta).1);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            row.date,
            score.trim(),
            or_dash(row.revenue_sat.map(|sat| number::thousands(sat.get()))),
            or_dash(row.forwards.map(|n| number::thousands(i64::from(n)))),
            or_dash(row.capacity_sat.map(number::compact)),
            notes(row).1,
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::UnixMs;

    fn node() -> HistoryNode {
        let key = format!("03351c90{}d716", "0".repeat(54));
        HistoryNode {
            user_id: "alice".to_owned(),
            node_pubkey: key.parse().unwrap(),
            node_alias: "bob\u{202e}|".to_owned(),
        }
    }

    fn row(date: &str, score: Option<i64>, fees: i64) -> HistoryRow {
        HistoryRow {
            date: date.parse().unwrap(),
            score,
            score_version: 1,
            delta: None,
            revenue_sat: Some(Sat::new(fees)),
            forwards: Some(251),
            forward_rate: Some(10.458),
            capacity_sat: Some(Sat::new(24_350_000)),
            critical_alerts: 0,
            warnings: 0,
            status: GenerationStatus::Complete,
            backfilled: false,
            revision: 1,
            report_id: Uuid::nil(),
        }
    }

    fn rows() -> Vec<HistoryRow> {
        vec![
            HistoryRow { backfilled: true, score: None, ..row("2026-11-17", None, 5_100) },
            row("2026-11-18", Some(71), 7_400),
            HistoryRow { delta: Some(-3), warnings: 2, revision: 2, ..row("2026-11-20", Some(68), 12_630) },
        ]
    }

    fn shown(format: Format, width: usize) -> String {
        let until = "2026-11-21".parse().unwrap();
        history(&node(), &rows(), Some(until), format, &Page { width, colour: false, now: UnixMs(0) })
    }

    #[test]
    fn the_newest_day_is_first_and_a_missing_day_says_so() {
        let expected = "\
bob\\u{202e}|  03351c90..d716  3 reports, 2 missing
────────────────────────────────────────────────────────────────────────────────
Score  ·▇·▅·  68 to 71
Fees   ▄▅·█·  5,100 to 12,630 sat

date        score      fees sat  forwards  an hour   size
2026-11-21                                                 no report
2026-11-20     68  ▼3    12,630       251     10.5  24.4M  ! 2 warnings, rev 2
2026-11-19                                                 no report
2026-11-18     71         7,400       251     10.5  24.4M
2026-11-17      -         5,100       251     10.5  24.4M  caught up
";
        assert_eq!(shown(Format::Table, 80), expected.replace("·▇·▅·", "·█·▆·"));
    }

    #[test]
    fn a_column_that_no_day_fills_is_left_out() {
        let mut rows = rows();
        for row in &mut rows {
            row.forwards = None;
        }
        let until = Some("2026-11-21".parse().unwrap());
        let page = Page { width: 80, colour: false, now: UnixMs(0) };
        let text = history(&node(), &rows, until, Format::Table, &page);
        let expected = "\
date        score      fees sat  an hour   size
2026-11-21                                       no report
2026-11-20     68  ▼3    12,630     10.5  24.4M  ! 2 warnings, rev 2
";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn json_names_days_and_missing_days() {
        let json: serde_json::Value = serde_json::from_str(&shown(Format::Json, 80)).unwrap();
        assert_eq!(json["from"], "2026-11-17");
        assert_eq!(json["until"], "2026-11-21");
        assert_eq!(json["missing"], serde_json::json!(["2026-11-21", "2026-11-19"]));
        assert_eq!(json["days"][0]["score"], 68);
        assert_eq!(json["days"][2]["score"], serde_json::Value::Null);
        assert_eq!(json["node_alias"], "bob\u{202e}|");
        assert!(!shown(Format::Json, 80).contains('\u{202e}'));
    }

    #[test]
    fn every_field_of_a_day_is_explained_to_people() {
        let docs = include_str!("../../docs/schema.md").split("daznode history --json").nth(1).unwrap();
        let json: serde_json::Value = serde_json::from_str(&shown(Format::Json, 80)).unwrap();
        for object in [&json, &json["days"][0]] {
            for name in object.as_object().unwrap().keys() {
                assert!(docs.contains(&format!("`{name}`")), "{name}");
            }
        }
    }

    #[test]
    fn markdown_has_a_row_a_day() {
        let text = shown(Format::Markdown, 80);
        assert!(text.contains("| 2026-11-20 | 68 ▼3 | 12,630 | 251 | 24.4M | ! 2 warnings, rev 2 |\n"), "{text}");
        assert!(text.contains("| 2026-11-21 | | | | | no report |\n"), "{text}");
        assert!(text.starts_with("# bob\\\\u{202e}\\|: 3 reports, 2 missing\n"), "{text}");
    }

    #[test]
    fn scores_of_another_formula_are_not_on_the_same_curve() {
        let mut rows = rows();
        rows[1].score_version = 7;
        let page = Page { width: 80, colour: false, now: UnixMs(0) };
        let text = history(&node(), &rows, None, Format::Table, &page);
        assert!(text.contains("68 to 68"), "{text}");
    }

    #[test]
    fn no_days_are_said_in_words() {
        let page = Page { width: 80, colour: false, now: UnixMs(0) };
        assert!(history(&node(), &[], None, Format::Table, &page).contains("No reports in these days."));
    }
}
