//! Alerts over the days: what stands, what was said of it, what was sent, and how long things took.

mod stats;

use serde::Serialize;
use uuid::Uuid;

use super::advice::{AdviceNode, head};
use super::sheet::{Line, Sheet, Style};
use super::text::sign;
use super::{Page, json, number, safe};
use crate::report::{AlertState, Severity, Time};

pub use stats::{alert_stats, alert_stats_json};

/// One occurrence of an alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertLine {
    /// Its row.
    pub id: Uuid,
    /// `rule:subject`.
    pub alert_key: String,
    /// The rule.
    #[serde(rename = "type")]
    pub rule: String,
    /// What it is about.
    pub subject: String,
    /// How bad.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: AlertState,
    /// Its one line.
    pub title: String,
    /// What was seen and what to do.
    pub description: String,
    /// Whether the operator must act.
    pub requires_action: bool,
    /// When it was first seen.
    pub detected_at: Time,
    /// When it was last seen.
    pub last_seen_at: Time,
    /// When it was over.
    pub resolved_at: Option<Time>,
    /// When it was acknowledged.
    pub acknowledged_at: Option<Time>,
    /// Until when nothing is sent of it.
    pub muted_until: Option<Time>,
    /// Which one of its key.
    pub occurrence: u32,
    /// Whether it is damped because it comes and goes.
    pub flapping: bool,
    /// Messages that were put on their way.
    pub told: u32,
}

/// A mute that holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MuteLine {
    /// An alert's key, or a rule with `:*`.
    pub pattern: String,
    /// Since when.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// Why.
    pub reason: String,
}

/// One thing that happened to an alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventLine {
    /// When.
    pub at: Time,
    /// What.
    pub kind: String,
    /// How bad it was then.
    pub severity: Severity,
    /// A comment, the reason of a mute, the channels of a message.
    pub note: Option<String>,
}

/// One message about an alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageLine {
    /// The channel.
    pub channel: String,
    /// The kind of event.
    pub kind: String,
    /// `waiting`, `sent` or `dead`.
    pub state: String,
    /// When it was put on its way.
    pub created_at: Time,
    /// When it was sent, or given up.
    pub ended_at: Option<Time>,
    /// Tries so far.
    pub tries: u32,
}

/// An alert's whole life.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertLife {
    /// The occurrence.
    pub alert: AlertLine,
    /// What happened to it, in order.
    pub events: Vec<EventLine>,
    /// Its messages, as far as they are kept.
    pub messages: Vec<MessageLine>,
    /// Earlier and later occurrences of the same key, the newest first.
    pub others: Vec<AlertLine>,
}

/// What a page of alerts is about, with its node.
#[derive(Serialize)]
struct Document<'a, T: Serialize> {
    #[serde(flatten)]
    node: &'a AdviceNode,
    #[serde(flatten)]
    content: T,
}

fn document<T: Serialize>(node: &AdviceNode, content: T) -> String {
    json::document(&Document { node, content })
}

/// The list in JSON.
pub fn alerts_json(node: &AdviceNode, alerts: &[AlertLine], mutes: &[MuteLine]) -> String {
    #[derive(Serialize)]
    struct Content<'a> {
        alerts: &'a [AlertLine],
        mutes: &'a [MuteLine],
    }
    document(node, Content { alerts, mutes })
}

/// One life in JSON.
pub fn alert_json(node: &AdviceNode, life: &AlertLife) -> String {
    document(node, life)
}

/// The groups of the list, in their order.
const GROUPS: [(&str, &[AlertState]); 4] = [
    ("Open", &[AlertState::New, AlertState::Back, AlertState::Ongoing]),
    ("Acknowledged", &[AlertState::Acknowledged]),
    ("Muted", &[AlertState::Muted]),
    ("Resolved", &[AlertState::Resolved]),
];

/// The list for people.
pub fn alerts(node: &AdviceNode, alerts: &[AlertLine], mutes: &[MuteLine], page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    head(&mut sheet, node);
    if alerts.is_empty() {
        sheet.line(Line::of(Style::Good, " ✓ ").with(Style::Plain, "No such alert."));
    }
    let mut first = true;
    for (title, states) in GROUPS {
        let of: Vec<&AlertLine> = alerts.iter().filter(|alert| states.contains(&alert.state)).collect();
        if of.is_empty() {
            continue;
        }
        if !std::mem::take(&mut first) {
            sheet.blank();
        }
        sheet.line(Line::of(Style::Bold, title));
        for alert in of {
            entry(&mut sheet, alert, page, &beginning(alert, alerts, page));
        }
    }
    if !mutes.is_empty() {
        sheet.blank();
        sheet.line(Line::of(Style::Bold, "Mutes"));
        for mute in mutes {
            let text = format!("{} until {}: {}", mute.pattern, number::short_moment(mute.until.0), mute.reason);
            sheet.paragraph(Line::plain("   "), &Line::plain(&safe::line(&text)));
        }
    }
    sheet.text(page.colour)
}

/// An alert's key, or as much of it as fits into a line, so that it can be copied, and means no other of the list.
fn beginning(alert: &AlertLine, alerts: &[AlertLine], page: &Page) -> String {
    let key = safe::line(&alert.alert_key);
    let room = page.columns().saturating_sub(3);
    if key.chars().count() <= room {
        return key;
    }
    let short: String = key.chars().take(room.min(alert.rule.chars().count().saturating_add(25))).collect();
    let others = |other: &&AlertLine| other.alert_key != alert.alert_key && other.alert_key.starts_with(&short);
    if alerts.iter().any(|other| others(&other)) { key } else { short }
}

fn entry(sheet: &mut Sheet, alert: &AlertLine, page: &Page, key: &str) {
    let (style, mark) = sign(alert.severity);
    let over = alert.resolved_at.is_some();
    let (style, text_style) = if over { (Style::Dim, Style::Plain) } else { (style, Style::Bold) };
    sheet.paragraph(Line::of(style, &format!("{mark:>2} ")), &Line::of(text_style, &safe::line(&alert.title)));
    let pieces = story(alert, page).into_iter().map(|piece| Line::of(Style::Dim, &piece)).collect();
    sheet.pieces(Line::plain("   "), pieces, " · ");
    sheet.paragraph(Line::plain("   "), &Line::of(Style::Dim, key));
}

/// Since when, in which state, and what was said of it.
fn story(alert: &AlertLine, page: &Page) -> Vec<String> {
    let mut parts = Vec::new();
    let began = number::short_moment(alert.detected_at.0);
    if let Some(end) = alert.resolved_at {
        let stood = number::span(end.0.since(alert.detected_at.0));
        parts.push(format!("stood {stood} to {}", number::short_moment(end.0)));
    } else {
        let stands = number::span(page.now.since(alert.detected_at.0));
        parts.push(format!("{} since {began} ({stands})", state(alert.state)));
    }
    if let Some(at) = alert.acknowledged_at.filter(|_| alert.state != AlertState::Resolved) {
        parts.push(format!("acknowledged {}", number::short_moment(at.0)));
    }
    parts.extend(alert.muted_until.map(|until| format!("muted until {}", number::short_moment(until.0))));
    if alert.occurrence > 1 {
        parts.push(format!("occurrence {}", alert.occurrence));
    }
    if alert.flapping {
        parts.push("flapping".to_owned());
    }
    if alert.told > 0 {
        parts.push(number::count(alert.told, "message"));
    }
    parts
}

/// A state in a word, as it stands before "since".
const fn state(state: AlertState) -> &'static str {
    match state {
        AlertState::New => "new",
        AlertState::Back => "back",
        AlertState::Ongoing | AlertState::Acknowledged | AlertState::Muted => "stands",
        AlertState::Resolved => "over",
    }
}

/// One life for people.
pub fn alert(node: &AdviceNode, life: &AlertLife, page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    head(&mut sheet, node);
    let alert = &life.alert;
    entry(&mut sheet, alert, page, &safe::line(&alert.alert_key));
    sheet.paragraph(Line::plain("   "), &Line::of(Style::Dim, &format!("id {}", alert.id)));
    if !alert.description.is_empty() {
        sheet.blank();
        sheet.paragraph(Line::plain("   "), &Line::plain(&safe::line(&alert.description)));
    }
    sheet.blank();
    sheet.line(Line::of(Style::Bold, "Life"));
    for event in &life.events {
        let mut text = Line::plain(&happened(event));
        if let Some(note) = &event.note {
            text.push(Style::Plain, &format!(": {}", safe::line(note)));
        }
        let at = format!("   {}  ", number::short_moment(event.at.0));
        sheet.paragraph(Line::of(Style::Dim, &at), &text);
    }
    if !life.messages.is_empty() {
        sheet.blank();
        sheet.line(Line::of(Style::Bold, "Messages"));
    }
    // What became of one word is the same for most channels.
    let same = |a: &MessageLine, b: &MessageLine| fate(a) == fate(b);
    for group in life.messages.chunk_by(same) {
        let Some((at, kind, fate)) = group.first().map(fate) else { continue };
        let channels: Vec<&str> = group.iter().map(|message| message.channel.as_str()).collect();
        let text = format!("{kind} to {}: {fate}", channels.join(", "));
        sheet.paragraph(Line::of(Style::Dim, &format!("   {at}  ")), &Line::plain(&safe::line(&text)));
    }
    if !life.others.is_empty() {
        sheet.blank();
        sheet.line(Line::of(Style::Bold, "Other occurrences"));
    }
    for other in &life.others {
        let text = story(other, page).join(" · ");
        sheet.paragraph(Line::plain("   "), &Line::plain(&text));
    }
    sheet.text(page.colour)
}

/// When a message was made, of what kind, and what came of it.
fn fate(message: &MessageLine) -> (String, &str, String) {
    let tries = if message.tries > 1 { format!(" after {} tries", message.tries) } else { String::new() };
    let kind = message.kind.strip_prefix("alert_").unwrap_or(&message.kind);
    (number::short_moment(message.created_at.0), kind, format!("{}{tries}", message.state))
}

/// What happened, in words.
fn happened(event: &EventLine) -> String {
    let severity = format!("{:?}", event.severity).to_lowercase();
    match event.kind.as_str() {
        "opened" => format!("opened as {severity}"),
        "raised" => format!("got worse: {severity}"),
        "lowered" => format!("got better: {severity}"),
        "told" => "told".to_owned(),
        "repeated" => "told again".to_owned(),
        kind => safe::line(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{DAY_MS, UnixMs};

    pub(super) const NOW: UnixMs = UnixMs(1_795_240_800_000);
    pub(super) const PAGE: Page = Page { width: 80, colour: false, now: NOW };

    pub(super) fn node() -> AdviceNode {
        AdviceNode {
            user_id: "alice".to_owned(),
            node_pubkey: format!("02{}", "a".repeat(64)).parse().unwrap(),
            node_alias: "bob".to_owned(),
        }
    }

    fn line(state: AlertState) -> AlertLine {
        AlertLine {
            id: Uuid::nil(),
            alert_key: "disk-full:/".to_owned(),
            rule: "disk-full".to_owned(),
            subject: "/".to_owned(),
            severity: Severity::Critical,
            state,
            title: "The disk has 1.0 GB free".to_owned(),
            description: "Make room.".to_owned(),
            requires_action: true,
            detected_at: Time(NOW.plus(-3 * 3_600_000)),
            last_seen_at: Time(NOW),
            resolved_at: None,
            acknowledged_at: None,
            muted_until: None,
            occurrence: 1,
            flapping: false,
            told: 0,
        }
    }

    #[test]
    fn the_list_has_each_alert_in_its_group_with_its_story() {
        let mut back = line(AlertState::Back);
        (back.occurrence, back.told, back.flapping) = (4, 2, true);
        let muted = AlertLine { muted_until: Some(Time(NOW.plus(DAY_MS))), ..line(AlertState::Muted) };
        let over = AlertLine { resolved_at: Some(Time(NOW)), ..line(AlertState::Resolved) };
        let mute = MuteLine {
            pattern: "disk-full:*".to_owned(),
            from: Time(NOW),
            until: Time(NOW.plus(DAY_MS)),
            reason: "new disk".to_owned(),
        };
        let text = alerts(&node(), &[over, muted, back], &[mute], &PAGE);
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} is not in:\n{text}"));
        assert!(place("Open\n") < place("Muted\n") && place("Muted\n") < place("Resolved\n"), "{text}");
        place("back since 2026-11-21 03:00 UTC (3 h) · occurrence 4 · flapping · 2 messages");
        place("muted until 2026-11-22 06:00 UTC");
        place("stood 3 h to 2026-11-21 06:00 UTC");
        place("disk-full:* until 2026-11-22 06:00 UTC: new disk");
        assert!(!text.contains("Acknowledged"), "{text}");
        let long = |n: u32| AlertLine {
            alert_key: format!("peer-unreachable:02{}:{n}", "a".repeat(64)),
            rule: "peer-unreachable".to_owned(),
            ..line(AlertState::New)
        };
        let short = format!("   peer-unreachable:02{}\n", "a".repeat(22));
        let text = alerts(&node(), &[long(1), line(AlertState::New)], &[], &PAGE);
        assert!(text.contains(&short), "{text}");
        let text = alerts(&node(), &[long(1), long(2)], &[], &PAGE);
        assert!(!text.contains(&short) && text.contains(":1\n") && text.contains(":2\n"), "{text}");
        for width in [40, 60, 80] {
            let text = alerts(&node(), &[line(AlertState::New)], &[], &Page { width, ..PAGE });
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}:\n{text}");
        }
        assert!(alerts(&node(), &[], &[], &PAGE).contains("No such alert."));
    }

    #[test]
    fn a_life_is_told_from_its_beginning_to_its_end() {
        let event = |kind: &str, note: Option<&str>| EventLine {
            at: Time(NOW),
            kind: kind.to_owned(),
            severity: Severity::Critical,
            note: note.map(str::to_owned),
        };
        let message = MessageLine {
            channel: "pager".to_owned(),
            kind: "alert_opened".to_owned(),
            state: "sent".to_owned(),
            created_at: Time(NOW),
            ended_at: Some(Time(NOW)),
            tries: 3,
        };
        let life = AlertLife {
            alert: AlertLine { acknowledged_at: Some(Time(NOW)), ..line(AlertState::Acknowledged) },
            events: vec![
                event("opened", None),
                event("told", Some("pager")),
                event("acknowledged", Some("on it\u{1b}[31m")),
                event("lowered", None),
            ],
            messages: ["pager", "mail"].map(|to| MessageLine { channel: to.to_owned(), ..message.clone() }).to_vec(),
            others: vec![AlertLine { resolved_at: Some(Time(NOW)), ..line(AlertState::Resolved) }],
        };
        let text = alert(&node(), &life, &PAGE);
        for words in [
            "stands since 2026-11-21 03:00 UTC (3 h) · acknowledged 2026-11-21 06:00 UTC",
            "2026-11-21 06:00 UTC  opened as critical\n",
            "told: pager\n",
            "acknowledged: on it",
            "got better: critical\n",
            "opened to pager, mail: sent after 3 tries\n",
            "Other occurrences\n   stood 3 h to",
        ] {
            assert!(text.contains(words), "{words} is not in:\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
