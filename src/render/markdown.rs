//! The report as `CommonMark` (tables as GitHub has them), in the order of the page and shorter.

use std::fmt::Write as _;

use super::text::{by_reason, identity, listed, not_in_net, rows, said, since, standing};
use super::{Section, number, safe};
use crate::report::{Alert, ChannelRow, Recommendation, Report, Severity};

/// Entries of a section before "more".
const FEW: usize = 5;

pub(super) fn report(report: &Report, section: Section) -> String {
    let few = if section == Section::All { usize::MAX } else { FEW };
    let mut out = String::new();
    head(&mut out, report);
    if section != Section::Channels {
        figures(&mut out, report);
        wrong(&mut out, report, few);
        to_do(&mut out, report, few);
        if let Some(line) = report.advice_kept.as_ref().and_then(super::advice::kept) {
            let _ = writeln!(out, "\n{}", safe::markdown(&line));
        }
        changed(&mut out, report, few);
        unknown(&mut out, report, few);
    }
    if section != Section::Summary {
        channels(&mut out, &report.metrics.channels.list);
    }
    out
}

fn head(out: &mut String, report: &Report) {
    let _ = writeln!(out, "# {}\n", safe::markdown(&safe::clip(&report.node_alias, 32)));
    let mut facts = vec![number::moment(report.window_end.0)];
    facts.extend(identity(report).iter().map(|part| safe::markdown(part)));
    let _ = writeln!(out, "{}", facts.join(" · "));
    for (_, notice) in standing(report) {
        let _ = writeln!(out, "\n> {}", safe::markdown(&notice));
    }
}

fn figures(out: &mut String, report: &Report) {
    out.push('\n');
    for (label, pieces) in rows(report) {
        let pieces: Vec<String> = pieces.iter().map(|piece| safe::markdown(&piece.bare())).collect();
        match (label, pieces.is_empty()) {
            (_, true) => {}
            ("", false) => _ = writeln!(out, "  {}", pieces.join(" · ")),
            (label, false) => _ = writeln!(out, "- **{label}** {}", pieces.join(" · ")),
        }
    }
    if let Some(text) = not_in_net(report) {
        let _ = writeln!(out, "- \\* {}", safe::markdown(&text));
    }
}

fn wrong(out: &mut String, report: &Report, few: usize) {
    if report.alerts.is_empty() && report.backfilled {
        return;
    }
    out.push_str("\n## Wrong\n\n");
    if report.alerts.is_empty() {
        out.push_str(if report.gaps.is_empty() { "Nothing.\n" } else { "Nothing in what could be measured.\n" });
    }
    for alert in listed(report).into_iter().take(few) {
        let _ = writeln!(out, "- {}", alert_text(alert));
    }
    more(out, report.alerts.len(), few);
}

fn alert_text(alert: &Alert) -> String {
    let mut title = safe::markdown(&alert.title);
    if let Some(said) = said(alert) {
        let _ = write!(title, " ({said})");
    }
    let description = safe::markdown(&alert.description);
    let severity = match alert.severity {
        Severity::Critical => "Critical: ",
        Severity::Warning => "",
        Severity::Info => return title,
    };
    format!("**{severity}{title}** {description}").trim_end().to_owned()
}

fn to_do(out: &mut String, report: &Report, few: usize) {
    if report.recommendations.is_empty() {
        return;
    }
    out.push_str("\n## To do\n");
    for (i, advice) in report.recommendations.iter().take(few).enumerate() {
        write_advice(out, i.saturating_add(1), advice);
    }
    more(out, report.recommendations.len(), few);
}

fn write_advice(out: &mut String, number: usize, advice: &Recommendation) {
    let mut worth = Vec::new();
    if let Some(gain) = advice.estimated_gain_sats_month {
        worth.push(format!("gain \\~{} sat a month", number::thousands(gain.get())));
    }
    if let Some(cost) = advice.cost_sats {
        worth.push(format!("costs {} sat", number::thousands(cost.get())));
    }
    if let Some(days) = advice.payback_days {
        worth.push(format!("pays in {days} days"));
    }
    let worth = if worth.is_empty() { String::new() } else { format!(": {}", worth.join(", ")) };
    let marker = format!("{number}. ");
    let indent = " ".repeat(marker.len());
    let _ = writeln!(out, "\n{marker}**{}**{worth}\n", safe::markdown(&advice.title));
    for line in safe::markdown_block(&advice.suggested_action).lines() {
        let _ = writeln!(out, "{indent}{line}");
    }
}

fn changed(out: &mut String, report: &Report, few: usize) {
    let items = &report.changes.items;
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## Changed {}\n", since(report));
    for item in items.iter().take(few) {
        let _ = writeln!(out, "- {}", safe::markdown(&item.description));
    }
    more(out, items.len(), few);
}

fn unknown(out: &mut String, report: &Report, few: usize) {
    if !report.gaps.is_empty() {
        out.push_str("\n## Gaps\n\n");
    }
    for gap in report.gaps.iter().take(few) {
        let [part, source, reason] = [&gap.part, &gap.source, &gap.reason].map(|text| safe::markdown(text));
        let _ = writeln!(out, "- **{part}** from {source}: {reason}");
    }
    more(out, report.gaps.len(), few);
    if !report.not_measured.is_empty() {
        out.push_str("\n## Not measured\n\n");
    }
    let groups = by_reason(report);
    for (parts, reason) in groups.iter().take(few) {
        let _ = writeln!(out, "- {}: {}", safe::markdown(parts), safe::markdown(reason));
    }
    more(out, groups.len(), few);
}

fn more(out: &mut String, entries: usize, few: usize) {
    if let Some(hidden) = entries.checked_sub(few).filter(|&hidden| hidden > 0) {
        let _ = writeln!(out, "\n{hidden} more: `daznode show all`");
    }
}

fn channels(out: &mut String, list: &[ChannelRow]) {
    out.push_str("\n## Channels\n\n");
    if list.is_empty() {
        out.push_str("None are known.\n");
        return;
    }
    out.push_str("| peer | size | outbound | ppm | market | 7 d in | 7 d out | fees 30 d |\n");
    out.push_str("|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for channel in list {
        let key = channel.peer.short();
        let alias = channel.peer_alias.as_deref().filter(|alias| !safe::markdown(alias).is_empty()).unwrap_or(&key);
        let rate = |rate: Option<crate::units::Ppm>| rate.map_or_else(|| "-".to_owned(), |r| number::thousands(r.0));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            safe::markdown(&safe::clip(alias, 24)),
            number::compact(channel.capacity_sat),
            number::compact(channel.local_sat),
            rate(channel.fee_rate_ppm),
            rate(channel.market_fee_rate_ppm),
            number::compact(channel.week.amount_in_msat.floor_sat()),
            number::compact(channel.week.amount_out_msat.floor_sat()),
            number::sat(channel.month.fees_earned_msat),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::safe::tests::hostile;
    use super::*;
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    const RICH: &str = include_str!("../../tests/fixtures/reports/rich.json");
    const HOSTILE: &str = include_str!("../../tests/fixtures/reports/hostile.json");

    fn options() -> Options {
        Options::all()
    }

    /// What a parser makes of it that could load, link or run something; and its text.
    fn read(markdown: &str) -> (Vec<String>, String) {
        let mut acts = Vec::new();
        let mut text = String::new();
        for event in Parser::new_ext(markdown, options()) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    acts.push(dest_url.to_string());
                }
                Event::Html(html) | Event::InlineHtml(html) => acts.push(html.to_string()),
                Event::InlineMath(math) | Event::DisplayMath(math) => acts.push(math.to_string()),
                Event::FootnoteReference(note) => acts.push(note.to_string()),
                Event::Text(part) | Event::Code(part) => text.push_str(&part),
                _ => {}
            }
        }
        (acts, text)
    }

    fn headings(markdown: &str) -> usize {
        Parser::new_ext(markdown, options()).filter(|e| matches!(e, Event::Start(Tag::Heading { .. }))).count()
    }

    #[test]
    fn a_parser_finds_no_link_image_or_html_of_others() {
        let hostile: Report = serde_json::from_str(HOSTILE).unwrap();
        for section in [Section::Summary, Section::Channels, Section::All] {
            let markdown = report(&hostile, section);
            assert_eq!(read(&markdown).0, Vec::<String>::new(), "{markdown}");
            let mut code = false;
            for event in Parser::new_ext(&markdown, options()) {
                match event {
                    Event::Start(Tag::CodeBlock(_)) => code = true,
                    Event::End(TagEnd::CodeBlock) => code = false,
                    Event::Text(text) => assert!(code || !text.contains('@'), "{text}"),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn it_has_the_sections_of_the_page_in_their_order() {
        let rich: Report = serde_json::from_str(RICH).unwrap();
        let markdown = report(&rich, Section::All);
        let order = [
            "# bob",
            "**Score** 68 / 100",
            "**Net** +11,091.2",
            "## Wrong",
            "## To do",
            "## Changed",
            "## Not",
            "## Channels",
        ];
        let places: Vec<usize> =
            order.iter().map(|part| markdown.find(part).unwrap_or_else(|| panic!("{part}"))).collect();
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(headings(&markdown), 6);
    }

    #[test]
    fn a_command_stays_as_it_is_and_in_its_list() {
        let rich: Report = serde_json::from_str(RICH).unwrap();
        let markdown = report(&rich, Section::Summary);
        let items =
            Parser::new_ext(&markdown, options()).filter(|e| matches!(e, Event::Start(Tag::List(Some(_))))).count();
        assert_eq!(items, 1, "{markdown}");
        assert!(read(&markdown).1.contains(&rich.recommendations[0].suggested_action));
    }

    proptest! {
        #[test]
        fn no_text_of_others_becomes_markup(text in hostile()) {
            let safe = safe::markdown(&text);
            let lines = format!("- {safe}\n- **{safe}** x\n\n# {safe}\n\n| a | b |\n|---|---|\n| {safe} | y |\n");
            prop_assert_eq!(read(&lines).0, Vec::<String>::new(), "{}", lines);
            prop_assert_eq!(headings(&lines), 1, "{}", lines);
            let cells = Parser::new_ext(&lines, options()).filter(|e| matches!(e, Event::Start(Tag::TableCell))).count();
            prop_assert_eq!(cells, 4, "{}", lines);
        }
    }
}
