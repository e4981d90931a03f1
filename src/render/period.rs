//! The report of a week or month as people and programs read it.

use std::fmt::Write as _;

use super::sheet::{Line, Sheet, Style};
use super::table::{Field, fields};
use super::{Format, Page, json, number, safe, spark};
use crate::report::period::{PeriodChannel, PeriodReport};
use crate::report::{AccountPeriod, Flow, MoneyPeriod, NotMeasured};
use crate::units::{Msat, Sat};

const LABEL: usize = 9;
const BETWEEN: &str = " · ";
/// Alerts that are told one by one.
const ALERTS: usize = 10;

/// The report in one of the formats; `document` is its JSON as it was announced.
pub fn period(report: &PeriodReport, document: &str, format: Format, page: &Page) -> String {
    match format {
        Format::Json => json::harmless(document),
        Format::Table => text(report, page),
        Format::Markdown => markdown(report),
    }
}

fn text(report: &PeriodReport, page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    let alias = Line::of(Style::Bold, &safe::clip(&report.node_alias, 32));
    let key = Line::of(Style::Dim, &report.node_pubkey.short());
    sheet.pieces(Line::new(), vec![alias, key, Line::plain(&heading(report))], "  ");
    sheet.rule();
    for (label, pieces) in rows(report) {
        let mut first = Line::of(Style::Dim, label);
        first.pad_to(LABEL);
        sheet.pieces(first, pieces.iter().map(|piece| Line::plain(piece)).collect(), BETWEEN);
    }
    let mut out = sheet.text(page.colour);
    for (title, channels) in [("Best channels", &report.best_channels), ("Worst channels", &report.worst_channels)] {
        if !channels.is_empty() {
            out.push_str(&section(title, page));
            let rows: Vec<Vec<Field>> = channels.iter().map(|c| cells(c).map(|t| Field::plain(&t)).to_vec()).collect();
            out.push_str(&fields(&HEADERS, &rows, page));
        }
    }
    let mut sheet = Sheet::new(page.width);
    for (title, lines) in [("Critical", critical(report)), ("Away", away(report)), ("Not known", unknown(report))] {
        for (n, line) in lines.iter().enumerate() {
            let mut first = Line::of(Style::Dim, if n == 0 { title } else { "" });
            first.pad_to(LABEL.saturating_add(1));
            sheet.paragraph(first, &Line::plain(line));
        }
    }
    let rest = sheet.text(page.colour);
    if !rest.is_empty() {
        out.push('\n');
        out.push_str(&rest);
    }
    out
}

fn section(title: &str, page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    sheet.line(Line::of(Style::Bold, title));
    format!("\n{}", sheet.text(page.colour))
}

fn markdown(report: &PeriodReport) -> String {
    let mut out = String::new();
    let alias = safe::markdown(&safe::clip(&report.node_alias, 32));
    let _ = writeln!(out, "# {alias}: {}\n", safe::markdown(&heading(report)));
    for (label, pieces) in rows(report).into_iter().filter(|(_, pieces)| !pieces.is_empty()) {
        let pieces: Vec<String> = pieces.iter().map(|piece| safe::markdown(piece)).collect();
        let _ = writeln!(out, "- **{label}** {}", pieces.join(BETWEEN));
    }
    for (title, channels) in [("Best channels", &report.best_channels), ("Worst channels", &report.worst_channels)] {
        if channels.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n## {title}\n\n| {} |\n|{}", HEADERS.join(" | "), "---|".repeat(HEADERS.len()));
        for channel in channels {
            let _ = writeln!(out, "| {} |", cells(channel).map(|cell| safe::markdown(&cell)).join(" | "));
        }
    }
    for (title, lines) in [("Critical", critical(report)), ("Away", away(report)), ("Not known", unknown(report))] {
        if !lines.is_empty() {
            let _ = writeln!(out, "\n## {title}\n");
        }
        for line in lines {
            let _ = writeln!(out, "- {}", safe::markdown(&line));
        }
    }
    out
}

fn heading(report: &PeriodReport) -> String {
    format!("{}, {} to {}", report.period_label, report.period_start, report.period_end)
}

/// The key figures, a labelled line each.
fn rows(report: &PeriodReport) -> Vec<(&'static str, Vec<String>)> {
    vec![
        ("Net", net(report)),
        ("Costs", costs(report.money.as_ref())),
        ("Flow", flow(report)),
        ("Fees", curve(report)),
        ("Score", score(report)),
        ("Usable", usable(report)),
        ("Alerts", alerts(report)),
        ("Advice", advice(report)),
        ("Days", days(report)),
    ]
}

fn net(report: &PeriodReport) -> Vec<String> {
    let Some(money) = &report.money else { return vec!["not known".to_owned()] };
    let star = |money: &MoneyPeriod| if money.unknown.is_empty() { "" } else { "*" };
    let mut pieces = vec![
        format!("{} sat{}", number::signed(money.net_msat), star(money)),
        format!("fees {}", number::sat(money.fees_earned_msat)),
    ];
    if let Some(before) = &report.money_before {
        let net = format!("{} sat{}", number::signed(before.net_msat), star(before));
        pieces.push(format!("{net} in the {} before", report.period.as_str()));
    }
    pieces
}

fn costs(money: Option<&MoneyPeriod>) -> Vec<String> {
    let Some(money) = money else { return Vec::new() };
    let parts = [
        ("rebalancing", money.rebalance_cost_msat),
        ("opening", money.open_cost_sat.msat()),
        ("closing", money.close_cost_sat.msat()),
        ("sweeping", money.sweep_cost_sat.msat()),
    ];
    let mut paid: Vec<String> = parts
        .iter()
        .filter(|(_, cost)| cost.get() != 0)
        .map(|(name, cost)| format!("{name} {}", number::sat(*cost)))
        .collect();
    match (paid.is_empty(), money.unknown.is_empty()) {
        (true, true) => vec!["none".to_owned()],
        (true, false) => vec!["not all known".to_owned()],
        (false, true) => paid,
        (false, false) => {
            paid.push("and some that are not known".to_owned());
            paid
        }
    }
}

fn flow(report: &PeriodReport) -> Vec<String> {
    let Some(flow) = &report.forwarding else { return vec!["not known".to_owned()] };
    let mut pieces = vec![
        number::count(flow.forwards, "forward"),
        format!("{} sat out", number::compact(flow.amount_out_msat.floor_sat())),
    ];
    pieces.extend(flow.fee_ppm.map(number::ppm));
    if let Some(change) = report.forwarding_before.as_ref().and_then(|before| change(flow, before)) {
        pieces.push(format!("{change} against the {} before", report.period.as_str()));
    }
    pieces
}

/// How the amount sent moved, in whole percent.
fn change(now: &Flow, before: &Flow) -> Option<String> {
    let (now, before) = (i128::from(now.amount_out_msat.get()), i128::from(before.amount_out_msat.get()));
    if before <= 0 {
        return None;
    }
    let percent = i64::try_from((now - before) * 100 / before).ok()?;
    let sign = if percent > 0 { "+" } else { "" };
    Some(format!("{sign}{} %", number::thousands(percent)))
}

fn curve(report: &PeriodReport) -> Vec<String> {
    let values: Vec<Option<i64>> = report.revenue_by_day.iter().map(|day| day.map(Sat::get)).collect();
    let known: Vec<i64> = values.iter().flatten().copied().collect();
    let (Some(least), Some(most)) = (known.iter().min(), known.iter().max()) else { return Vec::new() };
    let range = format!("{} to {} sat a day", number::thousands(*least), number::thousands(*most));
    vec![spark::from_zero(&values), range]
}

fn score(report: &PeriodReport) -> Vec<String> {
    let score = &report.score;
    let (Some(first), Some(last)) = (score.first, score.last) else { return vec!["not known".to_owned()] };
    let mut pieces = vec![spark::between(&score.by_day, 10), format!("{first} to {last}")];
    if let (Some(lowest), Some(highest), Some(mean)) = (score.lowest, score.highest, score.mean) {
        pieces.push(format!("between {lowest} and {highest}, {mean:.1} on average"));
    }
    pieces
}

fn usable(report: &PeriodReport) -> Vec<String> {
    let seen = &report.availability;
    match seen.channels_usable {
        Some(share) => vec![format!(
            "{} of the channels, over {}",
            number::percent(share),
            number::count(seen.samples, "collection")
        )],
        None => vec!["not known".to_owned()],
    }
}

fn alerts(report: &PeriodReport) -> Vec<String> {
    let alerts = &report.alerts;
    vec![
        format!("{} new", alerts.opened),
        format!("{} resolved", alerts.resolved),
        format!("{} stood at the end", alerts.standing),
    ]
}

fn advice(report: &PeriodReport) -> Vec<String> {
    let advice = &report.advice;
    let mut pieces = vec![format!("{} given", advice.given), format!("{} followed", advice.followed)];
    if let (Some(promised), Some(came)) = (advice.promised_sats_month, advice.came_sats_month) {
        pieces.push(format!(
            "promised {} sat a month, came {}",
            number::thousands(promised.get()),
            number::thousands(came.get())
        ));
    }
    pieces
}

fn days(report: &PeriodReport) -> Vec<String> {
    let days = &report.days;
    let mut pieces = vec![format!("{} of {} reported", days.reported, days.all)];
    if days.caught_up > 0 {
        pieces.push(format!("{} caught up", days.caught_up));
    }
    if !days.missing.is_empty() {
        pieces.push(format!("none of {}", number::days(&days.missing)));
    }
    pieces
}

const HEADERS: [&str; 6] = ["peer", "channel", "net sat", "fees sat", "in sat", "out sat"];

fn cells(channel: &PeriodChannel) -> [String; 6] {
    let name = channel.peer_alias.as_deref().filter(|alias| !alias.is_empty());
    let account = channel.account.as_ref();
    let net = match account {
        None => number::signed(Msat::ZERO),
        Some(account) => account.net_msat.map_or_else(|| "not known".to_owned(), number::signed),
    };
    let of = |pick: fn(&AccountPeriod) -> Msat| account.map_or(Msat::ZERO, pick);
    [
        name.map_or_else(|| channel.peer.short(), |alias| safe::clip(alias, 24)),
        channel.channel_point.short(),
        net,
        number::sat(of(|account| account.fees_earned_msat)),
        number::compact(of(|account| account.amount_in_msat).floor_sat()),
        number::compact(of(|account| account.amount_out_msat).floor_sat()),
    ]
}

fn critical(report: &PeriodReport) -> Vec<String> {
    let told = report.alerts.critical.iter().take(ALERTS).map(|alert| {
        let until = alert
            .resolved_at
            .map_or_else(|| "and it still stands".to_owned(), |at| format!("until {}", number::short_moment(at.0)));
        format!("{}: from {} {until}", alert.title, number::short_moment(alert.detected_at.0))
    });
    let mut lines: Vec<String> = told.collect();
    if let Some(more) = report.alerts.critical.len().checked_sub(ALERTS).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn away(report: &PeriodReport) -> Vec<String> {
    let peers = report.availability.peers_away.iter().map(|peer| {
        let name = peer.peer_alias.as_deref().filter(|alias| !alias.is_empty());
        let name = name.map_or_else(|| peer.peer.short(), |alias| safe::clip(alias, 24));
        format!("{name} in {} of the collections", number::percent(peer.away))
    });
    peers.collect()
}

fn unknown(report: &PeriodReport) -> Vec<String> {
    let money = report.money.iter().flat_map(|money| &money.unknown).map(|what| format!("{what} (not in the net)"));
    let before = report.money_before.iter().flat_map(|money| &money.unknown);
    let before = before.map(|what| format!("{what} (not in the net of the {} before)", report.period.as_str()));
    // The page shows no yield, so it does not say that there is none.
    let shown = report.not_measured.iter().filter(|missing| !missing.part.starts_with("mean-balance"));
    let parts = shown.map(|NotMeasured { part, reason }| format!("{part}: {reason}"));
    money.chain(before).chain(parts).collect()
}
