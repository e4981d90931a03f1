//! Score, net, flow, trends and funds: one labelled line each.

use super::{Line, Sheet, Style, missed};
use crate::render::{number, safe, spark};
use crate::report::{MoneyPeriod, Report, Runway, Safety, Status};
use crate::units::{Msat, Sat};

const LABEL: usize = 7;
/// Entries of a list within a line.
const FEW: usize = 3;
const BETWEEN: &str = " · ";

/// The labels with their pieces; one without a label goes on with the one before. Empty ones say nothing.
pub(in crate::render) fn rows(report: &Report) -> [(&'static str, Vec<Line>); 8] {
    [
        ("Score", score(report)),
        ("Net", net(report)),
        ("", longer(report)),
        ("Flow", flow(report)),
        ("Trend", trends(report)),
        ("Funds", funds(report)),
        ("", elsewhere(report)),
        ("Soon", soon(report)),
    ]
}

pub(super) fn write(sheet: &mut Sheet, report: &Report) {
    for (label, pieces) in rows(report) {
        row(sheet, label, pieces);
    }
    if let Some(text) = not_in_net(report) {
        sheet.paragraph(Line::plain("     * "), &Line::of(Style::Dim, &text));
    }
}

/// What the starred nets are without, each thing once.
pub(in crate::render) fn not_in_net(report: &Report) -> Option<String> {
    let money = &report.money;
    let mut unknown: Vec<&str> = Vec::new();
    for text in [&money.day, &money.week, &money.month].into_iter().flatten().flat_map(|period| &period.unknown) {
        if !unknown.contains(&text.as_str()) {
            unknown.push(text);
        }
    }
    let more = unknown.len().saturating_sub(FEW);
    unknown.truncate(FEW);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (!unknown.is_empty()).then(|| format!("not in the net: {}{more}", unknown.join("; ")))
}

/// The mark of a net that is not known in full.
const fn star(period: &MoneyPeriod) -> &'static str {
    if period.net_known && period.unknown.is_empty() { "" } else { "*" }
}

fn row(sheet: &mut Sheet, label: &str, pieces: Vec<Line>) {
    let mut first = Line::of(Style::Dim, label);
    first.pad_to(LABEL);
    sheet.pieces(first, pieces, BETWEEN);
}

pub(in crate::render) fn score(report: &Report) -> Vec<Line> {
    let summary = &report.summary;
    let mut pieces = Vec::new();
    match summary.overall_score {
        Some(score) => {
            let mut piece = Line::of(Style::Bold, &format!("{score} / 100"));
            match summary.score_delta_24h {
                Some(delta) if delta > 0 => piece.push(Style::Good, &format!(" ▲ {delta}")),
                Some(delta) if delta < 0 => piece.push(Style::Warn, &format!(" ▼ {}", delta.unsigned_abs())),
                Some(_) => piece.push(Style::Dim, " = as before"),
                None => {}
            }
            pieces.push(piece);
        }
        None => pieces.push(Line::of(Style::Dim, "not known")),
    }
    if !report.backfilled {
        pieces.push(status(report));
    }
    if let Some(cap) = held_at(report) {
        pieces.push(Line::of(Style::Warn, &format!("held at {cap} by {}", held_by(&report.safety))));
    }
    if report.safety.score_coverage < 1.0 && !report.score_parts.is_empty() {
        pieces.push(Line::plain(&format!("{} of it measured", number::percent(report.safety.score_coverage))));
    }
    pieces
}

/// The limit that holds the score down; `None` where it is lower anyway.
pub(super) fn held_at(report: &Report) -> Option<i64> {
    report.safety.score_cap.zip(report.summary.overall_score).filter(|(cap, score)| score >= cap).map(|(cap, _)| cap)
}

/// What holds the score down.
pub(super) fn held_by(safety: &Safety) -> String {
    if safety.findings.is_empty() {
        "what was found before and can't be looked at now".to_owned()
    } else {
        safety.findings.join(", ")
    }
}

/// The state in a word with its sign, and the alerts behind it.
fn status(report: &Report) -> Line {
    let summary = &report.summary;
    let mut counts = Vec::new();
    if summary.critical_alerts > 0 {
        counts.push(format!("{} critical", summary.critical_alerts));
    }
    if summary.warnings > 0 {
        counts.push(number::count(summary.warnings, "warning"));
    }
    match summary.status {
        Status::Healthy => Line::of(Style::Good, "✓ healthy"),
        Status::Warning => Line::of(Style::Warn, &format!("! {}", counts.join(", "))),
        Status::Critical => Line::of(Style::Bad, &format!("!! {}", counts.join(", "))),
    }
}

fn net(report: &Report) -> Vec<Line> {
    let Some(day) = &report.money.day else {
        return vec![Line::of(Style::Dim, "not known")];
    };
    let star = star(day);
    let style = if day.net_msat < Msat::ZERO { Style::Bad } else { Style::Bold };
    let net = Line::of(style, &format!("{} sat", number::signed(day.net_msat)));
    let mut pieces = vec![net.with(Style::Plain, &format!(" in 24 h{star}"))];
    if spent(day) {
        pieces.push(Line::plain(&format!("fees {}", number::sat(day.fees_earned_msat))));
    }
    for (name, cost) in [("rebalancing", day.rebalance_cost_msat), ("chain", chain(day).msat())] {
        if cost != Msat::ZERO {
            pieces.push(Line::plain(&format!("{name} {}", number::sat(-cost))));
        }
    }
    pieces
}

/// The net of the longer periods.
fn longer(report: &Report) -> Vec<Line> {
    let periods = [(&report.money.week, "7 d"), (&report.money.month, "30 d")];
    let said = periods.into_iter().filter_map(|(period, name)| {
        period.as_ref().map(|p| Line::plain(&format!("{} sat in {name}{}", number::signed(p.net_msat), star(p))))
    });
    said.collect()
}

/// Whether fees and net differ, so that both are worth saying.
fn spent(day: &MoneyPeriod) -> bool {
    day.net_msat != day.fees_earned_msat
}

/// What the chain took for channels.
fn chain(period: &MoneyPeriod) -> Sat {
    period.open_cost_sat + period.close_cost_sat + period.sweep_cost_sat
}

fn flow(report: &Report) -> Vec<Line> {
    let forwarding = &report.metrics.forwarding;
    let Some(day) = &forwarding.day else {
        return vec![Line::of(Style::Dim, "not known")];
    };
    let mut pieces = vec![Line::plain(&if day.forwards == 0 {
        "no forwards in 24 h".to_owned()
    } else {
        number::count(day.forwards, "forward")
    })];
    if let Some(rate) = report.summary.forwarding_rate_24h.filter(|_| day.forwards > 0) {
        pieces.push(Line::plain(&format!("{rate:.1} an hour")));
    }
    if day.forwards > 0 {
        pieces.push(Line::plain(&format!("{} sat out", number::compact(day.amount_out_msat.floor_sat()))));
    }
    if let Some(rate) = day.fee_ppm {
        pieces.push(Line::plain(&number::ppm(rate)));
    }
    if let Some(share) = forwarding.success_rate_24h {
        pieces.push(Line::plain(&format!("{} succeed", number::percent(share))));
    }
    let failed = forwarding.failed_24h.as_deref().unwrap_or_default();
    if let Some(most) = failed.first() {
        let why = missed::why(most.reason);
        let all = failed.iter().map(|sum| i64::from(sum.forwards)).sum();
        let (all, most) = (number::thousands(all), number::thousands(i64::from(most.forwards)));
        pieces.push(Line::plain(&format!("{all} failed, {most} {why}")));
    }
    if let Some(week) = forwarding.week.as_ref().filter(|week| week.forwards > day.forwards) {
        pieces.push(Line::of(Style::Dim, &format!("{} in 7 d", number::thousands(i64::from(week.forwards)))));
    }
    pieces
}

fn trends(report: &Report) -> Vec<Line> {
    let trends = &report.trends;
    let whole = |values: &[Option<i64>]| values.iter().flatten().count() > 1;
    let mut pieces = Vec::new();
    if whole(&trends.score_evolution_7d) {
        pieces.push(format!("score {}", spark::between(&trends.score_evolution_7d, 10)));
    }
    if whole(&trends.revenue_evolution_7d) {
        pieces.push(format!("fees {}", spark::from_zero(&trends.revenue_evolution_7d)));
    }
    if trends.forward_rate_evolution_7d.iter().flatten().count() > 1 {
        pieces.push(format!("forwards {}", spark::rates(&trends.forward_rate_evolution_7d)));
    }
    if !pieces.is_empty() {
        pieces.push("7 days".to_owned());
    }
    pieces.iter().map(|piece| Line::plain(piece)).collect()
}

fn funds(report: &Report) -> Vec<Line> {
    let capacity = &report.metrics.capacity;
    let Some(total) = capacity.total_sat else {
        return vec![Line::of(Style::Dim, "not known")];
    };
    let open = report.metrics.channels.open.map_or(String::new(), |n| format!(" in {}", number::count(n, "channel")));
    let mut pieces = vec![Line::plain(&format!("{} sat{open}", number::compact(total)))];
    if let (Some(local), Some(remote), Some(share)) = (capacity.local_sat, capacity.remote_sat, capacity.outbound_share)
    {
        pieces.push(Line::plain(&format!(
            "{} outbound {} {} inbound",
            number::compact(local),
            spark::share(share, 10),
            number::compact(remote)
        )));
    }
    pieces
}

/// Channels of which one side ends within days at the flow of the last week.
fn soon(report: &Report) -> Vec<Line> {
    let trends = &report.trends;
    let lists = [("out of outbound", &trends.running_dry), ("out of inbound", &trends.filling_up)];
    let mut pieces = Vec::new();
    for (side, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let mut names: Vec<String> = list.iter().take(FEW).map(|r| format!("{} {}", name(r), within(r.days))).collect();
        if let Some(more) = list.len().checked_sub(FEW).filter(|&more| more > 0) {
            names.push(format!("{more} more"));
        }
        pieces.push(Line::plain(&format!("{side}: {}", names.join(", "))));
    }
    pieces
}

/// The other side of a channel that ends soon.
pub(super) fn name(runway: &Runway) -> String {
    let alias = safe::clip(runway.peer_alias.as_deref().unwrap_or_default(), 20);
    if alias.trim().is_empty() { runway.peer.short() } else { alias }
}

/// In how many days.
pub(super) fn within(days: u32) -> String {
    if days == 0 { "within a day".to_owned() } else { format!("in {}", number::count(days, "day")) }
}

/// Channels that are not usable, and funds that are not in open channels.
fn elsewhere(report: &Report) -> Vec<Line> {
    let capacity = &report.metrics.capacity;
    let mut pieces = Vec::new();
    if let Some(inactive) = report.metrics.channels.inactive.filter(|&n| n > 0) {
        pieces.push(Line::of(Style::Warn, &format!("{} not usable", number::count(inactive, "channel"))));
    }
    if let Some(wallet) = capacity.wallet_confirmed_sat {
        let reserve = capacity.anchor_reserve_sat.filter(|&reserve| reserve > Sat::ZERO);
        let reserve = reserve.map_or(String::new(), |sat| format!(" ({} kept for anchors)", number::compact(sat)));
        pieces.push(Line::plain(&format!("{} on chain{reserve}", number::compact(wallet))));
    }
    let parts = [
        (capacity.wallet_unconfirmed_sat, "unconfirmed"),
        (capacity.pending_open_sat, "opening"),
        (capacity.limbo_sat, "in closing channels"),
        (capacity.unsettled_sat, "in HTLCs"),
    ];
    for (amount, name) in parts {
        if let Some(amount) = amount.filter(|&amount| amount != Sat::ZERO) {
            pieces.push(Line::plain(&format!("{} {name}", number::compact(amount))));
        }
    }
    pieces
}
