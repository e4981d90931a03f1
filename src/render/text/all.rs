//! Every table of a report, one after the other.

use std::fmt::Write as _;

use super::{Line, Sheet, Style, channels, figures, foot, head, lists, missed, title};
use crate::render::table::{Field, fields};
use crate::render::{Page, number};
use crate::report::{Flow, GraphState, MoneyPeriod, Recommendation, Report, SourceStatus, SourcedFact};
use crate::units::{Ppm, Sat};

pub(super) fn report(report: &Report, page: &Page) -> String {
    let mut out = String::new();
    let mut part = |write: &dyn Fn(&mut Sheet)| {
        let mut sheet = Sheet::new(page.width);
        write(&mut sheet);
        let text = sheet.text(page.colour);
        if !text.is_empty() && !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&text);
        text
    };
    part(&|sheet| {
        head::write(sheet, report, page);
        figures::write(sheet, report);
    });
    part(&|sheet| alerts(sheet, report));
    part(&|sheet| advice(sheet, report));
    part(&|sheet| score(sheet, report));
    out.push_str(&section("Money and forwards, sat", &money(report, page), page));
    if let Some(table) = missed::reasons(report, page) {
        out.push_str(&section("Forwards that failed in 24 h, as far as watched", &table, page));
    }
    if let Some(table) = missed::channels(report, page) {
        out.push_str(&section("Fees missed for lack of balance, sat", &table, page));
    }
    if !report.metrics.channels.list.is_empty() {
        out.push_str(&section("Channels", &channels::table(report, page), page));
    }
    let mut rest = Sheet::new(page.width);
    runways(&mut rest, report);
    network(&mut rest, report);
    changes(&mut rest, report);
    missing(&mut rest, report);
    let rest = rest.text(page.colour);
    if !rest.is_empty() {
        out.push('\n');
        out.push_str(&rest);
    }
    out.push_str(&section("Sources", &sources(report, page), page));
    // What one source alone tells stands among the figures.
    if report.facts.iter().any(|fact| !fact.others.is_empty()) {
        out.push_str(&section("Told by several sources", &facts(report, page), page));
    }
    let mut last = Sheet::new(page.width);
    last.blank();
    made(&mut last, report);
    foot(&mut last);
    out.push('\n');
    out.push_str(&last.text(page.colour));
    out
}

fn section(name: &str, table: &str, page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    title(&mut sheet, name);
    format!("\n{}{table}", sheet.text(page.colour))
}

fn alerts(sheet: &mut Sheet, report: &Report) {
    title(sheet, "Wrong");
    if report.alerts.is_empty() {
        let text = if report.backfilled { "not known for a day that was caught up" } else { "nothing" };
        sheet.line(Line::plain(&format!(" {text}")));
    }
    for alert in lists::listed(report) {
        lists::write_alert(sheet, alert, true);
        sheet.paragraph(Line::plain("   "), &Line::of(Style::Dim, &alert.alert_key));
    }
}

fn advice(sheet: &mut Sheet, report: &Report) {
    title(sheet, "To do");
    if report.recommendations.is_empty() {
        sheet.line(Line::plain(" nothing"));
    }
    for (i, advice) in report.recommendations.iter().enumerate() {
        if i > 0 {
            sheet.blank();
        }
        lists::write_advice(sheet, i.saturating_add(1), advice);
        reasons(sheet, advice);
    }
}

fn reasons(sheet: &mut Sheet, advice: &Recommendation) {
    let indent = || Line::plain("   ");
    sheet.paragraph(indent(), &Line::plain(&advice.description));
    let mut pieces: Vec<Line> =
        advice.evidence.iter().map(|e| Line::of(Style::Dim, &format!("{} {}", e.name, e.value))).collect();
    pieces.push(Line::of(Style::Dim, &format!("sure to {}", number::percent(advice.confidence))));
    pieces.push(Line::of(Style::Dim, &format!("impact {} of 10", advice.impact_score)));
    pieces.push(Line::of(Style::Dim, &format!("{:?} priority", advice.priority).to_lowercase()));
    sheet.pieces(indent(), pieces, " · ");
    sheet.paragraph(indent(), &Line::of(Style::Dim, &advice.advice_key));
}

fn score(sheet: &mut Sheet, report: &Report) {
    if report.score_parts.is_empty() {
        return;
    }
    title(sheet, "Score by parts");
    for part in &report.score_parts {
        let points = part.points.map_or_else(|| "  - ".to_owned(), |points| format!("{points:>4.1}"));
        let mut first = Line::plain(&format!(" {:<13}{points} / {:<3}", part.name, part.weight));
        let lost = part.points_lost.filter(|&lost| lost >= 0.05).map(|lost| format!("lost {lost:.1}: "));
        let style = if lost.is_some() { Style::Warn } else { Style::Good };
        let mut text = Line::of(style, lost.as_deref().unwrap_or_default()).with(Style::Plain, &part.sentence);
        if part.as_of.is_none() && part.coverage < 1.0 && part.points.is_some() {
            text.push(Style::Dim, &format!(" ({} of its inputs measured)", number::percent(part.coverage)));
        }
        first.push(Style::Plain, " ");
        sheet.paragraph(first, &text);
    }
    if let Some(cap) = figures::held_at(report) {
        let text = format!("held at {cap} for as long as this stands: {}", figures::held_by(&report.safety));
        sheet.paragraph(Line::of(Style::Warn, " ! "), &Line::plain(&text));
    }
}

fn money(report: &Report, page: &Page) -> String {
    let periods = [&report.money.day, &report.money.week, &report.money.month];
    let flows = [&report.metrics.forwarding.day, &report.metrics.forwarding.week, &report.metrics.forwarding.month];
    let unknown = || "not known".to_owned();
    let money = |name: &str, read: &dyn Fn(&MoneyPeriod) -> String| {
        let mut row = vec![Field::plain(name)];
        row.extend(periods.iter().map(|p| Field::plain(&p.as_ref().map_or_else(unknown, read))));
        row
    };
    let flow = |name: &str, read: &dyn Fn(&Flow) -> String| {
        let mut row = vec![Field::plain(name)];
        row.extend(flows.iter().map(|f| Field::plain(&f.as_ref().map_or_else(unknown, read))));
        row
    };
    let cost = |sat: Sat| number::sat(-sat.msat());
    let rows = vec![
        money("fees of forwards", &|p| number::sat(p.fees_earned_msat)),
        money("rebalancing", &|p| number::sat(-p.rebalance_cost_msat)),
        money("opening channels", &|p| cost(p.open_cost_sat)),
        money("closing channels", &|p| cost(p.close_cost_sat)),
        money("sweeping", &|p| cost(p.sweep_cost_sat)),
        money("net", &|p| number::signed(p.net_msat)),
        flow("forwards", &|f| number::thousands(i64::from(f.forwards))),
        flow("forwarded", &|f| number::sat(f.amount_out_msat)),
        flow("fees in ppm", &|f| f.fee_ppm.map_or_else(|| "-".to_owned(), |Ppm(ppm)| number::thousands(ppm))),
        money("rebalances", &|p| number::thousands(i64::from(p.rebalances))),
        money("rebalanced", &|p| number::sat(p.rebalanced_msat)),
        money("received*", &|p| number::sat(p.received_msat)),
        money("paid*", &|p| number::sat(p.payments_sent_msat)),
        money("fees of payments*", &|p| number::sat(-p.payment_fees_msat)),
        money("other chain fees*", &|p| cost(p.other_chain_cost_sat)),
    ];
    let mut out = fields(&["", "24 h", "7 d", "30 d"], &rows, page);
    let mut notes = Sheet::new(page.width);
    notes.paragraph(Line::plain("* "), &Line::of(Style::Dim, "the operator's own, no part of the net"));
    let lnd = &report.metrics.fees;
    if let (Some(day), Some(week), Some(month)) = (lnd.lnd_day_sat, lnd.lnd_week_sat, lnd.lnd_month_sat) {
        let [day, week, month] = [day, week, month].map(|sat| number::thousands(sat.get()));
        let text = format!("LND's own sums of fees: {day}, {week} and {month} sat in its last day, week and month");
        notes.paragraph(Line::plain("  "), &Line::of(Style::Dim, &text));
    }
    let short = report.not_measured.iter().any(|n| n.part == "history-90d");
    let quarter = if short { "90 d, fewer are known" } else { "90 d" };
    for (name, period) in [(quarter, &report.money.quarter), ("all that is stored", &report.money.ever)] {
        let Some(period) = period else { continue };
        let apy = period.apy_ppm.map_or_else(String::new, |rate| format!(", {} a year", yearly(rate)));
        let star = if period.net_known { "" } else { ", without what is not known" };
        let (net, fees) = (number::signed(period.net_msat), number::sat(period.fees_earned_msat));
        notes.paragraph(Line::plain("  "), &Line::plain(&format!("{name}: net {net} of {fees} fees{apy}{star}")));
    }
    if let Some(forecast) = &report.trends.forecast {
        for (name, span) in [("next 7 days", forecast.week), ("next 30 days", forecast.month)] {
            let [fees, low, high] = [span.fees_msat, span.low_msat, span.high_msat].map(number::sat);
            notes.paragraph(
                Line::plain("  "),
                &Line::plain(&format!("{name}: fees of {fees} expected ({low} to {high})")),
            );
        }
    }
    for unknown in report.money.month.iter().flat_map(|month| &month.unknown) {
        notes.paragraph(Line::plain("  "), &Line::of(Style::Dim, &format!("not in these figures: {unknown}")));
    }
    out.push_str(&notes.text(page.colour));
    out
}

/// `3.04 %`
fn yearly(Ppm(ppm): Ppm) -> String {
    let sign = if ppm < 0 { "\u{2212}" } else { "" };
    let whole = ppm.unsigned_abs();
    format!("{sign}{}.{:02} %", whole / 10_000, whole % 10_000 / 100)
}

fn network(sheet: &mut Sheet, report: &Report) {
    let (network, fees, channels) = (&report.metrics.network, &report.metrics.fees, &report.metrics.channels);
    let mut pieces = Vec::new();
    let mut say = |text: Option<String>| pieces.extend(text.map(|text| Line::plain(&text)));
    let whole = |n: u32| number::thousands(i64::from(n));
    say(network.block_height.map(|n| format!("block {}", whole(n))));
    say(network
        .hour_fee_sat_per_kvb
        .map(|fee| format!("an hour's chain fee {}.{} sat/vB", fee / 1000, fee % 1000 / 100)));
    say(network.price_usd.map(|price| format!("1 BTC = {price:.0} USD")));
    say(network.capacity_rank.map(|rank| format!("rank {} by capacity", whole(rank))));
    say(network.channels_rank.map(|rank| format!("rank {} by channels", whole(rank))));
    say(network
        .nodes
        .zip(network.channels)
        .map(|(n, c)| format!("among {} nodes with {} channels", whole(n), whole(c))));
    say(old_graph(report));
    say(fees.median_rate_ppm.map(|rate| format!("our middle fee {}", number::ppm(rate))));
    say(fees.median_peer_rate_ppm.map(|rate| format!("peers' {}", number::ppm(rate))));
    say(fees.median_network_rate_ppm.map(|rate| format!("the network's {}", number::ppm(rate))));
    say(channels.peers_connected.map(|n| format!("{} connected", number::count(n, "peer"))));
    say(channels.htlcs_in_flight.filter(|&n| n > 0).map(|n| format!("{} in flight", number::count(n, "HTLC"))));
    say(report.safety.blocks_to_first_htlc_expiry.map(|n| match n {
        ..0 => format!("the first HTLC expired {} ago", number::count(blocks(n), "block")),
        _ => format!("the first HTLC expires in {}", number::count(blocks(n), "block")),
    }));
    if !pieces.is_empty() {
        title(sheet, "Network");
        sheet.pieces(Line::plain(" "), pieces, " · ");
    }
}

/// Of when the graph is, where it stands in for one that was not got.
fn old_graph(report: &Report) -> Option<String> {
    let network = &report.metrics.network;
    let as_of = network.graph_as_of.filter(|_| network.graph_state == Some(GraphState::StandIn))?;
    let age = number::span(report.generation_timestamp.0.since(as_of.0));
    Some(format!("by a graph of {}, {age} old", number::short_moment(as_of.0)))
}

/// Channels of which one side ends soon, with the figures behind it.
fn runways(sheet: &mut Sheet, report: &Report) {
    let lists = [
        ("Out of outbound soon, at the flow of 7 days", &report.trends.running_dry),
        ("Out of inbound soon, at the flow of 7 days", &report.trends.filling_up),
    ];
    for (heading, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        title(sheet, heading);
        for r in list {
            let left = number::thousands(r.left_sat.get());
            let flow = number::thousands(r.net_flow_week_sat.get());
            let text = format!(
                "{} {}: {left} sat left, {flow} sat went in 7 days with {} ({})",
                figures::name(r),
                figures::within(r.days),
                number::count(r.forwards, "forward"),
                r.channel_point.short()
            );
            sheet.paragraph(Line::of(Style::Dim, " · "), &Line::plain(&text));
        }
    }
}

/// A count of blocks without its sign.
fn blocks(n: i64) -> u32 {
    u32::try_from(n.unsigned_abs()).unwrap_or(u32::MAX)
}

fn changes(sheet: &mut Sheet, report: &Report) {
    let Some(since) = report.changes.since.filter(|_| !report.changes.items.is_empty()) else { return };
    title(sheet, &format!("Changed since {}", number::moment(since.0)));
    for item in &report.changes.items {
        lists::write_change(sheet, &item.kind, &item.description);
    }
}

fn missing(sheet: &mut Sheet, report: &Report) {
    if !report.gaps.is_empty() {
        title(sheet, "Gaps: asked for and not got");
    }
    for gap in &report.gaps {
        let text =
            Line::of(Style::Bold, &gap.part).with(Style::Plain, &format!(" from {}: {}", gap.source, gap.reason));
        sheet.paragraph(Line::of(Style::Warn, " ! "), &text);
    }
    if !report.not_measured.is_empty() {
        title(sheet, "Not measured: off, or too early to know");
    }
    for entry in &report.not_measured {
        let text = Line::plain(&format!("{}: {}", entry.part, entry.reason));
        sheet.paragraph(Line::of(Style::Dim, " · "), &text);
    }
}

fn sources(report: &Report, page: &Page) -> String {
    let none = || "-".to_owned();
    let rows: Vec<Vec<Field>> = report
        .sources
        .iter()
        .map(|source| {
            let (style, state) = state(source.status);
            vec![
                Field::plain(&source.name),
                Field::new(style, state),
                Field::plain(&source.as_of.map_or_else(none, |at| number::short_moment(at.0).replace(" UTC", ""))),
                Field::plain(&source.availability.month.map_or_else(none, number::percent)),
                Field::plain(&source.latency_ms.map_or_else(none, |ms| format!("{} ms", number::thousands(ms)))),
                Field::plain(source.detail.as_deref().unwrap_or(&source.address)),
            ]
        })
        .collect();
    fields(&["source", "state", "as of, UTC", "well, 30 d", "took", ""], &rows, page)
}

/// Facts of which several sources tell something: who is believed, and by how much the others differ.
fn facts(report: &Report, page: &Page) -> String {
    let verified = |verified: bool| if verified { "" } else { " (unverified)" };
    let row = |fact: &SourcedFact| {
        let others = fact.others.iter().map(|other| {
            let value = number::thousands(other.value);
            let differs = other.differs_percent.map_or_else(String::new, |percent| format!(" ({percent:+.1} %)"));
            format!("{value} by {}{}{differs}", other.source, verified(other.verified))
        });
        vec![
            Field::plain(&fact.name),
            Field::plain(&number::thousands(fact.value)),
            Field::plain(&format!("{}{}", fact.source, verified(fact.verified))),
            Field::plain(&number::short_moment(fact.as_of.0)),
            Field::plain(&others.collect::<Vec<_>>().join(", ")),
        ]
    };
    let rows: Vec<Vec<Field>> = report.facts.iter().filter(|fact| !fact.others.is_empty()).map(row).collect();
    fields(&["fact", "value", "by", "as of", "others"], &rows, page)
}

/// The colour and sign of a source's state.
const fn state(status: SourceStatus) -> (Style, &'static str) {
    match status {
        SourceStatus::Ok => (Style::Good, "✓ ok"),
        SourceStatus::Partial => (Style::Warn, "! partial"),
        SourceStatus::Failed => (Style::Bad, "!! failed"),
        SourceStatus::Stale => (Style::Warn, "! stale"),
        SourceStatus::Off => (Style::Dim, "off"),
    }
}

fn made(sheet: &mut Sheet, report: &Report) {
    let mut text = format!(
        "Report {} (revision {}) of {} to {}, made {}",
        report.report_id,
        report.revision,
        number::short_moment(report.window_start.0),
        number::short_moment(report.window_end.0),
        number::short_moment(report.generation_timestamp.0),
    );
    if let Some(file) = &report.rag_asset_id {
        let _ = write!(text, "; file {file}");
    }
    sheet.paragraph(Line::new(), &Line::of(Style::Dim, &text));
}
