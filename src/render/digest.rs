//! A report as a message: a title and pieces that each channel writes in its own markup. Nothing is escaped here but
//! what no reader should see; what is to stay at home is left out where it stands in a field of its own.

use super::text::{by_reason, identity, not_in_net, rows, since, standing};
use super::{number, safe};
use crate::notice::Hide;
use crate::report::{Alert, ChannelRow, Recommendation, Report, Severity};

/// How much of a report a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Score, what is wrong, what to do: at most [`CHAT_LINES`] lines with the title.
    Chat,
    /// All of it.
    Mail,
}

/// Lines of a message in a chat.
pub const CHAT_LINES: usize = 12;

/// Entries of a section in a chat.
const FEW: usize = 3;

/// Rows of the table of channels in a mail.
const MOST_CHANNELS: usize = 100;

/// A message without its markup. Its texts are single lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// One line that says the most important.
    pub title: String,
    /// What follows.
    pub pieces: Vec<Piece>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The name of a section.
    Head(String),
    /// A sentence or a row of figures.
    Text(String),
    /// An entry of a list, with what explains it.
    Item {
        /// Before it: a sign or a number.
        sign: String,
        /// What it says first.
        text: String,
        /// The rest; empty where there is none.
        more: String,
    },
    /// What can be typed.
    Code(String),
    /// Rows of as many cells as the first, which names the columns.
    Table(Vec<Vec<String>>),
}

impl Piece {
    fn item(sign: impl Into<String>, text: impl Into<String>, more: impl Into<String>) -> Self {
        Self::Item { sign: sign.into(), text: text.into(), more: more.into() }
    }

    /// The piece with each of its texts changed.
    #[must_use]
    pub fn map(self, change: &dyn Fn(&str) -> String) -> Self {
        match self {
            Self::Head(text) => Self::Head(change(&text)),
            Self::Text(text) => Self::Text(change(&text)),
            Self::Item { sign, text, more } => Self::Item { sign, text: change(&text), more: change(&more) },
            Self::Code(text) => Self::Code(change(&text)),
            Self::Table(rows) => {
                Self::Table(rows.into_iter().map(|row| row.iter().map(|cell| change(cell)).collect()).collect())
            }
        }
    }
}

/// The report as a message.
pub fn digest(report: &Report, depth: Depth, hide: Hide) -> Digest {
    let pieces = match depth {
        Depth::Chat => chat(report, hide),
        Depth::Mail => mail(report, hide),
    };
    Digest { title: title(report, hide), pieces }
}

/// What to call a node: its alias, else its key, else neither.
pub fn node_name(alias: &str, key: &str, hide: Hide) -> String {
    let alias = safe::clip(alias, 32);
    match (hide.aliases || alias.trim().is_empty(), hide.pubkeys) {
        (false, _) => alias,
        (true, false) => key.to_owned(),
        (true, true) => "your node".to_owned(),
    }
}

/// The sign of a severity, which stands beside its colour or in place of one.
pub const fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "!!",
        Severity::Warning => "!",
        Severity::Info => "i",
    }
}

fn title(report: &Report, hide: Hide) -> String {
    let name = node_name(&report.node_alias, &report.node_pubkey.short(), hide);
    let score = report.summary.overall_score.map_or_else(|| "report".to_owned(), |score| format!("score {score}"));
    let counts = [(report.summary.critical_alerts, "critical"), (report.summary.warnings, "warning")];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| if word == "critical" { format!("{n} critical") } else { number::count(n, word) })
        .collect();
    let wrong = if counts.is_empty() { String::new() } else { format!(", {}", counts.join(", ")) };
    format!("{name} {}: {score}{wrong}", number::long_day(report.report_date))
}

/// The labelled rows of figures, without those that are about money where amounts are hidden.
fn figures(report: &Report, hide: Hide, wanted: &[&str]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut label = "";
    for (name, row) in rows(report) {
        label = if name.is_empty() { label } else { name };
        let money = matches!(label, "Net" | "Funds");
        let named = label == "Soon";
        if !wanted.contains(&label) || (money && hide.amounts) || (named && (hide.aliases || hide.pubkeys)) {
            continue;
        }
        let about_money = |text: &String| hide.amounts && (text.contains(" sat") || text.starts_with("fees"));
        let row: Vec<String> = row.iter().map(super::sheet::Line::bare).filter(|text| !about_money(text)).collect();
        if !row.is_empty() {
            let label = if name.is_empty() { String::new() } else { format!("{name}: ") };
            pieces.push(Piece::Text(format!("{label}{}", row.join(" · "))));
        }
    }
    pieces
}

fn chat(report: &Report, hide: Hide) -> Vec<Piece> {
    let mut pieces = figures(report, hide, &["Score"]);
    pieces.extend(figures(report, hide, &["Net"]).into_iter().take(1));
    pieces.extend(standing(report).into_iter().take(1).map(|(_, notice)| Piece::Text(notice)));
    // Below the title.
    let room = CHAT_LINES.saturating_sub(1);
    wrong(&mut pieces, report, hide, Depth::Chat, FEW);
    let left = room.saturating_sub(pieces.len());
    // The section's name and "more" take a line each.
    if let Some(most) = left.checked_sub(2).filter(|most| *most > 0) {
        to_do(&mut pieces, report, hide, Depth::Chat, most.min(FEW));
    }
    pieces
}

fn mail(report: &Report, hide: Hide) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let facts = identity(report);
    let facts = facts.iter().skip(usize::from(hide.pubkeys)).map(String::as_str);
    let mut head = vec![number::moment(report.window_end.0)];
    head.extend(facts.map(str::to_owned));
    pieces.push(Piece::Text(head.join(" · ")));
    pieces.extend(standing(report).into_iter().map(|(_, notice)| Piece::Text(notice)));
    pieces.extend(figures(report, hide, &["Score", "Net", "Flow", "Trend", "Funds", "Soon"]));
    if let Some(text) = not_in_net(report).filter(|_| !hide.amounts) {
        pieces.push(Piece::Text(format!("* {text}")));
    }
    wrong(&mut pieces, report, hide, Depth::Mail, usize::MAX);
    to_do(&mut pieces, report, hide, Depth::Mail, usize::MAX);
    if let Some(line) = report.advice_kept.as_ref().and_then(super::advice::kept)
        && !hide.amounts
        && !hide.aliases
    {
        pieces.push(Piece::Text(line));
    }
    changed(&mut pieces, report, hide);
    unknown(&mut pieces, report, hide);
    if !report.metrics.channels.list.is_empty() {
        pieces.push(Piece::Head("Channels".to_owned()));
        let (list, most) = (&report.metrics.channels.list, MOST_CHANNELS);
        pieces.push(Piece::Table(channels(list.get(..most).unwrap_or(list), hide)));
        if let Some(more) = list.len().checked_sub(most).filter(|more| *more > 0) {
            pieces.push(Piece::Text(format!("{more} more: daznode show channels")));
        }
    }
    pieces
}

fn wrong(pieces: &mut Vec<Piece>, report: &Report, hide: Hide, depth: Depth, most: usize) {
    if report.alerts.is_empty() {
        if !report.backfilled {
            let nothing = if report.gaps.is_empty() { "nothing" } else { "nothing in what could be measured" };
            pieces.push(Piece::Text(format!("Wrong: {nothing}")));
        }
        return;
    }
    let items = if hide.aliases {
        counted(report.alerts.iter().map(|alert| (sign(alert.severity), alert.rule.as_str())))
    } else {
        report.alerts.iter().map(|alert| alert_item(alert, depth)).collect()
    };
    section(pieces, "Wrong", items, most, "daznode alerts list");
}

fn alert_item(alert: &Alert, depth: Depth) -> Piece {
    let more = if depth == Depth::Mail { alert.description.as_str() } else { "" };
    Piece::item(sign(alert.severity), &alert.title, more)
}

/// Entries by their names alone, each once with how often it is there.
fn counted<'a>(names: impl Iterator<Item = (&'static str, &'a str)>) -> Vec<Piece> {
    let mut counts: Vec<((&str, &str), u32)> = Vec::new();
    for name in names {
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, n)) => *n = n.saturating_add(1),
            None => counts.push((name, 1)),
        }
    }
    let times = |n: u32| if n > 1 { format!(" ({n} times)") } else { String::new() };
    counts.into_iter().map(|((sign, name), n)| Piece::item(sign, format!("{name}{}", times(n)), "")).collect()
}

fn to_do(pieces: &mut Vec<Piece>, report: &Report, hide: Hide, depth: Depth, most: usize) {
    let list = &report.recommendations;
    if list.is_empty() {
        return;
    }
    if hide.aliases {
        let kinds = list.iter().map(|advice| ("-", advice.advice_key.split(':').next().unwrap_or_default()));
        let items = counted(kinds);
        section(pieces, "To do", items, most, "daznode advice");
        return;
    }
    let mut items = Vec::new();
    let mut commands = Vec::new();
    for (i, advice) in list.iter().enumerate() {
        let worth = if hide.amounts { String::new() } else { worth(advice) };
        let text = if worth.is_empty() { advice.title.clone() } else { format!("{} ({worth})", advice.title) };
        let more = if depth == Depth::Mail { advice.description.as_str() } else { "" };
        items.push(Piece::item(format!("{}.", i.saturating_add(1)), text, more));
        // A command names channels and amounts.
        let typed = depth == Depth::Mail && hide.nothing();
        commands.push(typed.then(|| advice.suggested_action.clone()).filter(|action| !action.is_empty()));
    }
    section(pieces, "To do", items, most, "daznode advice");
    if depth == Depth::Mail {
        with_commands(pieces, commands);
    }
}

/// Puts each command behind its advice, which are the last pieces.
fn with_commands(pieces: &mut Vec<Piece>, commands: Vec<Option<String>>) {
    let advice = pieces.split_off(pieces.len().saturating_sub(commands.len()));
    for (piece, command) in advice.into_iter().zip(commands) {
        pieces.push(piece);
        pieces.extend(command.iter().flat_map(|command| command.lines()).map(|line| Piece::Code(line.to_owned())));
    }
}

/// What an advice brings and costs.
fn worth(advice: &Recommendation) -> String {
    let gain = advice.estimated_gain_sats_month.map(|sat| format!("~{} sat a month", number::thousands(sat.get())));
    let cost =
        advice.cost_sats.filter(|sat| sat.get() != 0).map(|sat| format!("costs {} sat", number::thousands(sat.get())));
    [gain, cost].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn changed(pieces: &mut Vec<Piece>, report: &Report, hide: Hide) {
    let items = &report.changes.items;
    if items.is_empty() {
        return;
    }
    let items = if hide.aliases {
        counted(items.iter().map(|item| ("~", item.kind.as_str())))
    } else {
        items.iter().map(|item| Piece::item("~", &item.description, "")).collect()
    };
    section(pieces, &format!("Changed {}", since(report)), items, usize::MAX, "daznode show all");
}

fn unknown(pieces: &mut Vec<Piece>, report: &Report, hide: Hide) {
    let gaps = report.gaps.iter().map(|gap| {
        // A reason is an error's words, which may name anything.
        let reason = if hide.aliases { "" } else { gap.reason.as_str() };
        Piece::item("!", format!("{} from {}", gap.part, gap.source), reason)
    });
    section(pieces, "Gaps", gaps.collect(), usize::MAX, "daznode show all");
    let missing = by_reason(report);
    let missing = missing.iter().map(|(parts, reason)| Piece::item("-", parts.as_str(), *reason));
    section(pieces, "Not measured", missing.collect(), usize::MAX, "daznode show all");
}

/// A section, its entries cut to `most`; none where there is nothing in it.
fn section(pieces: &mut Vec<Piece>, name: &str, items: Vec<Piece>, most: usize, command: &str) {
    if items.is_empty() {
        return;
    }
    pieces.push(Piece::Head(name.to_owned()));
    let hidden = items.len().saturating_sub(most);
    pieces.extend(items.into_iter().take(most));
    if hidden > 0 {
        pieces.push(Piece::Text(format!("{hidden} more: {command}")));
    }
}

fn channels(list: &[ChannelRow], hide: Hide) -> Vec<Vec<String>> {
    let money: &[&str] = if hide.amounts { &[] } else { &["size", "outbound", "7 d in", "7 d out", "fees 30 d"] };
    let head = ["peer", "share", "ppm", "forwards 7 d"].iter().chain(money).map(|name| (*name).to_owned());
    let mut rows = vec![head.collect::<Vec<_>>()];
    for (i, channel) in list.iter().enumerate() {
        let alias = channel.peer_alias.as_deref().unwrap_or_default();
        let alias = safe::clip(alias, 24);
        let name = match (hide.aliases || alias.trim().is_empty(), hide.pubkeys) {
            (false, _) => alias,
            (true, false) => channel.peer.short(),
            (true, true) => format!("channel {}", i.saturating_add(1)),
        };
        let sides = channel.local_sat.get().saturating_add(channel.remote_sat.get());
        let share = channel.local_sat.get().saturating_mul(100).checked_div(sides);
        let mut row = vec![
            name,
            share.map_or_else(|| "-".to_owned(), |share| format!("{share} %")),
            channel.fee_rate_ppm.map_or_else(|| "-".to_owned(), |rate| number::thousands(rate.0)),
            number::thousands(i64::from(channel.week.forwards_in.saturating_add(channel.week.forwards_out))),
        ];
        if !hide.amounts {
            row.extend([
                number::compact(channel.capacity_sat),
                number::compact(channel.local_sat),
                number::compact(channel.week.amount_in_msat.floor_sat()),
                number::compact(channel.week.amount_out_msat.floor_sat()),
                number::sat(channel.month.fees_earned_msat),
            ]);
        }
        rows.push(row);
    }
    rows
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A report of every sort.
    pub(crate) const REPORTS: [&str; 5] = [
        include_str!("../../tests/fixtures/reports/rich.json"),
        include_str!("../../tests/fixtures/reports/hostile.json"),
        include_str!("../../tests/fixtures/reports/gaps.json"),
        include_str!("../../tests/fixtures/reports/backfilled.json"),
        include_str!("../../tests/fixtures/reports/first.json"),
    ];

    fn reports() -> Vec<Report> {
        REPORTS.iter().map(|json| serde_json::from_str(json).unwrap()).collect()
    }

    /// As a chat shows it, a piece a line.
    fn lines(digest: &Digest) -> Vec<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Head(text) | Piece::Text(text) | Piece::Code(text) => text.clone(),
            Piece::Item { sign, text, more } => format!("{sign} {text} {more}").trim().to_owned(),
            Piece::Table(rows) => rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join("\n"),
        };
        std::iter::once(digest.title.clone()).chain(digest.pieces.iter().map(piece)).collect()
    }

    #[test]
    fn a_chat_gets_score_wrong_and_to_do_in_twelve_lines() {
        for mut report in reports() {
            for times in [1, 20] {
                report.alerts = report.alerts.iter().cycle().take(report.alerts.len() * times).cloned().collect();
                let advice = &report.recommendations;
                report.recommendations = advice.iter().cycle().take(advice.len() * times).cloned().collect();
                let said = lines(&digest(&report, Depth::Chat, Hide::default()));
                assert!(said.len() <= CHAT_LINES, "{said:#?}");
                assert!(said[1].starts_with("Score"), "{said:#?}");
                let at = |word: &str| said.iter().position(|line| line == word);
                assert_eq!(at("Wrong").is_some(), !report.alerts.is_empty(), "{said:#?}");
                assert_eq!(at("To do").is_some(), !report.recommendations.is_empty(), "{said:#?}");
            }
        }
    }

    #[test]
    fn the_chat_of_a_rich_report_reads_so() {
        let said = lines(&digest(&reports()[0], Depth::Chat, Hide::default()));
        assert_eq!(said[0], "bob Sat 21 Nov 2026: score 68, 2 warnings");
        assert_eq!(said[1], "Score: 68 / 100 ▼ 3 · ! 2 warnings · 91 % of it measured");
        assert!(said.iter().any(|line| line.starts_with("! ")), "{said:#?}");
        assert!(said.iter().any(|line| line.starts_with("1. ")), "{said:#?}");
    }

    #[test]
    fn mail_has_every_alert_advice_change_gap_and_channel() {
        for report in reports() {
            let said = lines(&digest(&report, Depth::Mail, Hide::default())).join("\n");
            let alerts = report.alerts.iter().map(|a| &a.title);
            let advice = report.recommendations.iter().map(|a| &a.title);
            let commands = report.recommendations.iter().flat_map(|a| a.suggested_action.lines());
            let changes = report.changes.items.iter().map(|c| &c.description);
            for part in alerts.chain(advice).chain(changes) {
                assert!(said.contains(part.as_str()), "{part}");
            }
            for command in commands {
                assert!(said.contains(command), "{command}");
            }
            let table = said.lines().filter(|line| line.split(' ').count() >= 9 && line.contains(" % ")).count();
            assert!(table >= report.metrics.channels.list.len(), "{said}");
        }
    }

    #[test]
    fn what_is_hidden_is_not_in_its_field_either() {
        let report = &reports()[0];
        let all = lines(&digest(report, Depth::Mail, Hide::ALL)).join("\n");
        for channel in &report.metrics.channels.list {
            assert!(!all.contains(&channel.peer.short()) && !all.contains(&channel.channel_point.short()), "{all}");
            assert!(!all.contains(channel.peer_alias.as_deref().unwrap_or("none of that name")), "{all}");
        }
        assert!(!all.contains(" sat") && !all.contains("lncli"), "{all}");
        assert!(all.starts_with("your node Sat 21 Nov 2026"), "{all}");
    }
}
