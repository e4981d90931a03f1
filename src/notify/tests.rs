use serde_json::Value;

use super::markup::plain_text;
use super::message::{Message, message};
use crate::notice::{About, Event, EventKind, Hide};
use crate::render::digest::Depth;
use crate::render::digest::tests::REPORTS;
use crate::render::{number, safe};
use crate::report::{Report, Severity};
use crate::units::{Msat, Network, Sat, UnixMs};

/// The reports with their documents.
fn corpus() -> Vec<(Report, Value)> {
    REPORTS.iter().map(|json| (serde_json::from_str(json).unwrap(), serde_json::from_str(json).unwrap())).collect()
}

fn event(report: &Report, kind: EventKind) -> Event {
    Event {
        key: format!("report:{}", report.report_id),
        kind,
        at: UnixMs(1_795_240_800_000),
        severity: Severity::Warning,
        about: Some(About {
            user: "alice".to_owned(),
            pubkey: report.node_pubkey.clone(),
            alias: report.node_alias.clone(),
            network: Network::Regtest,
        }),
        title: String::new(),
        text: String::new(),
        alert_key: None,
        since: None,
        report_id: Some(report.report_id),
    }
}

/// Every message that a report gives rise to: its digests, and an event for each of its alerts.
fn messages(report: &Report, hide: Hide) -> Vec<Message> {
    let mut all: Vec<Message> = [Depth::Chat, Depth::Mail]
        .map(|depth| message(&event(report, EventKind::Report), Some(report), depth, hide))
        .into();
    for alert in &report.alerts {
        for kind in [EventKind::AlertOpened, EventKind::AlertResolved] {
            let opened = Event {
                title: alert.title.clone(),
                text: alert.description.clone(),
                alert_key: Some(alert.alert_key.clone()),
                report_id: None,
                ..event(report, kind)
            };
            all.push(message(&opened, Some(report), Depth::Chat, hide));
        }
    }
    all
}

/// All that such a message says, for people and for programs; the ids that the store gave are none of the node's.
fn said(message: &Message) -> String {
    let mut json = message.json.clone();
    json["id"] = Value::Null;
    // A user is called as the operator likes.
    json["user"] = Value::Null;
    if let Some(report) = json.get_mut("report").and_then(Value::as_object_mut) {
        report.remove("report_id");
    }
    format!("{}\n{}\n{json}", message.title, plain_text(&message.pieces))
}

fn walk(value: &Value, key: &str, each: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| walk(value, key, each)),
        Value::Array(list) => list.iter().for_each(|value| walk(value, key, each)),
        leaf => each(key, leaf),
    }
}

/// Every amount of the document in every way that it is written; those of three digits or less are also other figures.
fn amounts(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(document, "", &mut |key, leaf| {
        let Some(n) = leaf.as_i64().filter(|n| n.unsigned_abs() >= 1000) else { return };
        if key.contains("sat") && !key.contains("msat") {
            found.extend([n.to_string(), number::thousands(n), number::compact(Sat::new(n))]);
        } else if key.contains("msat") {
            let msat = Msat::new(n);
            found.extend([n.to_string(), number::sat(msat), number::compact(msat.floor_sat()), number::thousands(n)]);
        }
    });
    found.retain(|amount| amount.len() > 3);
    found
}

/// Without rates, which are no amounts.
fn without_rates(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_rate = |i: usize| words.get(i + 1).is_some_and(|next| next.starts_with("ppm"));
    words.iter().enumerate().filter(|(i, _)| !is_rate(*i)).map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

#[test]
fn hidden_amounts_are_nowhere() {
    let hide = Hide { amounts: true, ..Hide::default() };
    for (report, document) in corpus() {
        let amounts = amounts(&document);
        let shown = messages(&report, Hide::default()).iter().map(said).collect::<String>();
        let there = amounts.iter().filter(|amount| shown.contains(amount.as_str())).count();
        assert!(there > 0 || amounts.is_empty() || report.backfilled, "the test sees them where they are not hidden");
        for message in messages(&report, hide) {
            let said = said(&message);
            let bare = without_rates(&said);
            // A channel's rate or id may have the digits of an amount within it: whole figures are meant.
            let figures: Vec<&str> =
                bare.split(|c: char| !(c.is_ascii_digit() || matches!(c, ',' | '.' | 'k' | 'M'))).collect();
            for amount in &amounts {
                assert!(!figures.contains(&amount.trim_start_matches('−')), "{amount}: {said}");
            }
        }
    }
}

#[test]
fn hidden_names_are_nowhere() {
    let hide = Hide { aliases: true, ..Hide::default() };
    for (report, document) in corpus() {
        let mut names = Vec::new();
        walk(&document, "", &mut |key, leaf| {
            names.extend(leaf.as_str().filter(|_| key.ends_with("alias")).map(safe::line));
        });
        names.retain(|name| name.trim().len() > 2);
        assert!(!names.is_empty());
        for message in messages(&report, hide) {
            let said = said(&message);
            for name in &names {
                assert!(!said.contains(name.as_str()), "{name}: {said}");
            }
        }
    }
}

#[test]
fn hidden_keys_are_nowhere_whole_or_shortened() {
    let hide = Hide { pubkeys: true, ..Hide::default() };
    for (report, document) in corpus() {
        let mut heads = std::collections::BTreeSet::new();
        walk(&document, "", &mut |_, leaf| {
            let hex = |c: &char| c.is_ascii_hexdigit();
            let text = leaf.as_str().unwrap_or_default();
            for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
                if word.len() >= 64 && word.chars().all(|c| hex(&c)) {
                    heads.insert(word[..8].to_owned());
                }
            }
        });
        assert!(!heads.is_empty());
        for message in messages(&report, hide) {
            let said = said(&message);
            for head in &heads {
                assert!(!said.contains(head.as_str()), "{head}: {said}");
            }
        }
    }
}

#[test]
fn with_everything_hidden_a_report_still_says_how_the_node_is() {
    let report: Report = serde_json::from_str(REPORTS[0]).unwrap();
    let chat = message(&event(&report, EventKind::Report), Some(&report), Depth::Chat, Hide::ALL);
    assert_eq!(chat.title, "your node Sat 21 Nov 2026: score 68, 2 warnings");
    let text = plain_text(&chat.pieces);
    for rule in report.alerts.iter().filter(|alert| alert.severity == Severity::Warning).map(|alert| &alert.rule) {
        assert!(text.contains(rule.as_str()), "{text}");
    }
    assert!(!text.contains("sat") && !text.contains("lncli"), "{text}");
}

#[test]
fn an_alert_without_names_is_told_by_its_rule() {
    let report: Report = serde_json::from_str(REPORTS[0]).unwrap();
    let opened = Event {
        title: "a friend that no report knows is gone".to_owned(),
        text: "dave the unknown".to_owned(),
        alert_key: Some("peer-offline:02ab".to_owned()),
        report_id: None,
        ..event(&report, EventKind::AlertResolved)
    };
    let said = said(&message(&opened, None, Depth::Chat, Hide { aliases: true, ..Hide::default() }));
    assert!(said.starts_with("✓ Resolved: peer-offline\n"), "{said}");
    assert!(!said.contains("friend") && !said.contains("dave"), "{said}");
}

#[test]
fn each_kind_of_event_has_words_of_its_own() {
    let report: Report = serde_json::from_str(REPORTS[0]).unwrap();
    let title = |kind| {
        let event = Event { title: "channel drained".to_owned(), report_id: None, ..event(&report, kind) };
        message(&event, None, Depth::Chat, Hide::default()).title
    };
    assert_eq!(title(EventKind::AlertOpened), "! channel drained");
    assert_eq!(title(EventKind::AlertRaised), "! Worse: channel drained");
    assert_eq!(title(EventKind::AlertRepeated), "! Still: channel drained");
    assert_eq!(title(EventKind::AlertResolved), "✓ Resolved: channel drained");
    assert_eq!(title(EventKind::Test), "channel drained");
}

#[test]
fn since_when_an_alert_stands_is_said_where_the_moment_of_the_message_does_not_say_it() {
    let report = &corpus().remove(0).0;
    let opened = event(report, EventKind::AlertOpened);
    let of = |since: UnixMs, about: Option<About>| {
        let event = Event { since: Some(since), about, ..opened.clone() };
        plain_text(&message(&event, None, Depth::Chat, Hide::default()).pieces)
    };
    assert!(!of(opened.at, opened.about.clone()).contains("Since"));
    assert!(of(opened.at, None).contains("Since Sat 21 Nov 2026 06:00 UTC"));
    assert!(of(opened.at.plus(-3_600_000), opened.about.clone()).contains("Since Sat 21 Nov 2026 05:00 UTC"));
}
