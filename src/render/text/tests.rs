//! Whole pages held against pages that were read and approved, and every sample in every width and format.

use unicode_width::UnicodeWidthStr;

use crate::render::safe::tests::dangerous;
use crate::render::{Format, Page, Section, json, report};
use crate::report::{GenerationStatus, Report, Time};
use crate::units::{DAY_MS, UnixMs};

const RICH: &str = include_str!("../../../tests/fixtures/reports/rich.json");
const FIRST: &str = include_str!("../../../tests/fixtures/reports/first.json");
const GAPS: &str = include_str!("../../../tests/fixtures/reports/gaps.json");
const BACKFILLED: &str = include_str!("../../../tests/fixtures/reports/backfilled.json");
const HOSTILE: &str = include_str!("../../../tests/fixtures/reports/hostile.json");
const ALL: [&str; 5] = [RICH, FIRST, GAPS, BACKFILLED, HOSTILE];

/// Sat 21 Nov 2026 07:00 UTC, an hour after the end of the samples' day.
const NOW: UnixMs = UnixMs(1_795_244_400_000);

fn page(width: usize) -> Page {
    Page { width, colour: false, now: NOW }
}

fn parsed(document: &str) -> Report {
    serde_json::from_str(document).unwrap()
}

fn summary(document: &str, width: usize) -> String {
    report(&parsed(document), document, Format::Table, &page(width), Section::Summary)
}

#[test]
fn pages_are_as_they_were_approved() {
    let channels = report(&parsed(RICH), RICH, Format::Table, &page(80), Section::Channels);
    assert_eq!(summary(RICH, 80), include_str!("../../../tests/fixtures/pages/rich-80.txt"));
    assert_eq!(summary(RICH, 50), include_str!("../../../tests/fixtures/pages/rich-50.txt"));
    assert_eq!(summary(FIRST, 80), include_str!("../../../tests/fixtures/pages/first-80.txt"));
    assert_eq!(summary(GAPS, 80), include_str!("../../../tests/fixtures/pages/gaps-80.txt"));
    assert_eq!(summary(BACKFILLED, 80), include_str!("../../../tests/fixtures/pages/backfilled-80.txt"));
    assert_eq!(channels, include_str!("../../../tests/fixtures/pages/channels-80.txt"));
}

#[test]
fn the_morning_begins_with_score_and_ends_with_what_to_type() {
    let text = summary(RICH, 80);
    let order = ["Score", "Net", "Funds", "Wrong", "To do", "Changed since yesterday", "Not measured", "daznode show"];
    let places: Vec<usize> = order.iter().map(|word| text.find(word).unwrap_or_else(|| panic!("{word}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(text.lines().count() <= 40, "{} lines", text.lines().count());
}

#[test]
fn nothing_dangerous_is_in_any_format_at_any_width() {
    for document in ALL {
        let parsed = parsed(document);
        for format in [Format::Table, Format::Json, Format::Markdown] {
            for section in [Section::Summary, Section::Channels, Section::All] {
                for width in [0, 40, 50, 66, 80, 120] {
                    let out = report(&parsed, document, format, &page(width), section);
                    let found = out.chars().find(|&c| dangerous(c));
                    assert_eq!(found, None, "{format:?} {section:?} {width}");
                }
            }
        }
    }
}

#[test]
fn no_line_is_wider_than_the_page_but_for_what_must_be_copied_whole() {
    for document in [RICH, FIRST, GAPS, BACKFILLED] {
        for width in [40, 50, 66, 80, 100] {
            for line in summary(document, width).lines() {
                let outpoint = line.split_whitespace().any(|word| word.len() > 64);
                assert!(outpoint || line.width() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn an_old_graph_is_told_with_its_time_and_a_young_one_is_not() {
    let all = |document| {
        let text = report(&parsed(document), document, Format::Table, &page(80), Section::All);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(all(GAPS).contains("with 11 channels · by a graph of 2026-11-20 13:00 UTC, 17 h old"), "{}", all(GAPS));
    assert!(!all(RICH).contains("by a graph of") && !all(FIRST).contains("by a graph of"));
}

#[test]
fn wide_terminals_do_not_stretch_the_page() {
    assert_eq!(summary(RICH, 300), summary(RICH, 100));
}

#[test]
fn without_colours_the_page_says_the_same() {
    let parsed = parsed(GAPS);
    let bright = report(&parsed, GAPS, Format::Table, &Page { colour: true, ..page(80) }, Section::Summary);
    assert!(bright.contains("\u{1b}[1;31m!!"));
    let mut bare = String::new();
    let mut rest = bright.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        bare.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    let trimmed: Vec<&str> = bare.lines().map(str::trim_end).collect();
    assert_eq!(trimmed.join("\n"), summary(GAPS, 80).trim_end());
}

#[test]
fn a_copied_command_is_the_command() {
    let text = summary(RICH, 80);
    let from = text.find("lncli").unwrap();
    let to = text.find(" 2 Refill").unwrap();
    let typed = text[from..to].replace("\\\n", " ");
    let typed: Vec<&str> = typed.split_whitespace().collect();
    assert_eq!(typed.join(" "), parsed(RICH).recommendations[0].suggested_action);
}

#[test]
fn what_changes_the_meaning_of_figures_stands_on_top() {
    let mut report_ = parsed(RICH);
    report_.generation_status = GenerationStatus::Failed;
    report_.error_message = Some("connection refused by 127.0.0.1:10009".to_owned());
    report_.retry_count = 2;
    report_.sources[0].name = "simulated".to_owned();
    report_.window_end = Time(NOW.plus(-3 * DAY_MS));
    let text = report(&report_, "", Format::Table, &page(100), Section::Summary);
    let top = text.split("Score").next().unwrap();
    assert!(top.contains("! Failed (3 tries): connection refused by 127.0.0.1:10009\n"), "{top}");
    assert!(top.contains("! Simulated: this node and every figure of it are made up.\n"), "{top}");
    assert!(top.contains("! Old: this report is of 3 d ago"), "{top}");
    assert!(summary(GAPS, 80).split("Score").next().unwrap().contains("! Stale:"));
    assert!(summary(BACKFILLED, 80).split("Score").next().unwrap().contains("! Caught up:"));
    assert!(!summary(RICH, 80).contains("! Old"));
}

#[test]
fn nothing_wrong_is_not_claimed_of_what_was_not_seen() {
    let mut report_ = parsed(GAPS);
    report_.alerts.clear();
    let text = report(&report_, "", Format::Table, &page(80), Section::Summary);
    assert!(text.contains("✓ nothing in what could be measured"), "{text}");
    assert!(summary(FIRST, 80).contains(" ✓ nothing\n"));
    assert!(!summary(BACKFILLED, 80).contains("Wrong"));
}

#[test]
fn long_lists_are_cut_with_a_word_and_whole_under_all() {
    let text = summary(HOSTILE, 80);
    assert!(text.contains("   2 more: daznode show all"));
    let all = report(&parsed(HOSTILE), HOSTILE, Format::Table, &page(80), Section::All);
    assert!(!all.contains("more: daznode show all"));
}

#[test]
fn all_has_every_table() {
    let all = report(&parsed(RICH), RICH, Format::Table, &page(80), Section::All);
    for part in [
        "Score by parts",
        "Money and forwards",
        "Channels",
        "Network",
        "Sources",
        "Not measured",
        "sure to 60 %",
        "revision 1",
    ] {
        assert!(all.contains(part), "{part}");
    }
    let words: Vec<&str> = all.split_whitespace().collect();
    assert!(words.join(" ").contains("net +11,091.2 +53,958.8 +236,760"), "{all}");
}

#[test]
fn json_is_the_stored_document_with_the_same_content() {
    for document in ALL {
        let out = report(&parsed(document), document, Format::Json, &page(80), Section::Summary);
        let [given, got]: [serde_json::Value; 2] = [document, &out].map(|text| serde_json::from_str(text).unwrap());
        assert_eq!(given, got);
        assert_eq!(out, json::harmless(document));
    }
}

#[test]
fn a_cap_is_shown_only_where_it_lowers_the_score() {
    let mut report_ = parsed(GAPS);
    let page = |r: &Report, section| report(r, "", Format::Table, &page(80), section);
    assert!(page(&report_, Section::Summary).contains("held at 50 by not-synced"));
    report_.summary.overall_score = Some(45);
    for section in [Section::Summary, Section::All] {
        assert!(!page(&report_, section).contains("held at"));
    }
}

#[test]
fn every_net_that_is_not_known_in_full_is_marked_and_one_note_says_why() {
    let mut report_ = parsed(RICH);
    let page_at = page;
    let page = |r: &Report| report(r, "", Format::Table, &page_at(100), Section::Summary);
    let part = |text: &str| text.to_owned();
    report_.money.day.as_mut().unwrap().unknown.clear();
    report_.money.day.as_mut().unwrap().net_known = true;
    let week = report_.money.week.as_mut().unwrap();
    (week.net_known, week.unknown) = (false, ["a", "b"].map(part).to_vec());
    let month = report_.money.month.as_mut().unwrap();
    (month.net_known, month.unknown) = (false, ["b", "c", "d", "e"].map(part).to_vec());
    let text = page(&report_);
    assert!(text.contains("sat in 24 h · ") && text.contains("sat in 7 d* · ") && text.contains("sat in 30 d*\n"));
    assert!(text.contains(" * not in the net: a; b; c; and 2 more\n"), "{text}");
    let markdown = report(&report_, "", Format::Markdown, &page_at(80), Section::Summary);
    assert_eq!(markdown.matches("not in the net").count(), 1, "{markdown}");
}

#[test]
fn channels_that_end_soon_are_in_every_form() {
    let mut report_ = parsed(RICH);
    let one = report_.trends.running_dry[0].clone();
    report_.trends.running_dry = vec![one; 5];
    report_.trends.running_dry[0].peer_alias = None;
    let [page_, all] = [Section::Summary, Section::All].map(|s| report(&report_, "", Format::Table, &page(100), s));
    let key = report_.trends.running_dry[0].peer.short();
    let line = format!("Soon   out of outbound: {key} in 6 days, alice in 6 days, alice in 6 days, 2 more");
    assert!(page_.contains(&line), "{page_}");
    assert!(
        all.contains("carol within a day: 410,500 sat left, 4,080,000 sat went in 7 days with 34 forwards"),
        "{all}"
    );
    assert_eq!(all.matches("6,832,000 sat left").count(), 5);
    let markdown = report(&report_, "", Format::Markdown, &page(80), Section::Summary);
    assert!(markdown.contains("- **Soon** out of outbound"), "{markdown}");
}

#[test]
fn ninety_days_of_which_fewer_are_known_are_marked() {
    let mut report_ = parsed(RICH);
    let page = |r: &Report| report(r, "", Format::Table, &page(100), Section::All);
    assert!(page(&report_).contains("  90 d: net"));
    let entry = crate::report::NotMeasured { part: "history-90d".to_owned(), reason: "x".to_owned() };
    report_.not_measured.push(entry);
    assert!(page(&report_).contains("  90 d, fewer are known: net"));
}

#[test]
fn changes_since_an_earlier_report_of_the_day_say_since_when() {
    let mut report_ = parsed(RICH);
    report_.changes.since_report = None;
    report_.changes.since = Some(Time(report_.window_end.0.plus(-DAY_MS / 24)));
    let text = report(&report_, "", Format::Table, &page(80), Section::Summary);
    assert!(text.contains("Changed since 2026-11-21 05:00 UTC\n"), "{text}");
    assert!(!text.contains("first report"));
}

#[test]
fn failed_forwards_are_told_with_what_they_would_have_earned() {
    let all = report(&parsed(RICH), "", Format::Table, &page(80), Section::All);
    let row = |start: &str| {
        let line = all.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {all}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("further down"), "further down the route 1,204 96,320,000 38,528");
    assert_eq!(row("for lack"), "for lack of balance 61 9,150,000 3,660");
    let missed = all.split("Fees missed for lack of balance, sat").nth(1).unwrap();
    let alice = missed.lines().find(|line| line.starts_with("alice")).unwrap();
    assert_eq!(alice.split_whitespace().collect::<Vec<_>>(), ["alice", "20", "0", "1,470", "2,100"]);
    let mut quiet = parsed(RICH);
    quiet.metrics.forwarding.failed_24h = None;
    quiet.money.missed_demand = None;
    let quiet = report(&quiet, "", Format::Table, &page(80), Section::All);
    assert!(!quiet.contains("fees missed") && !quiet.contains("Fees missed"), "{quiet}");
}

#[test]
fn a_source_says_how_often_it_was_well() {
    let mut report_ = parsed(RICH);
    let row = |report_: &Report| {
        let all = report(report_, "", Format::Table, &page(80), Section::All);
        let table = all.split("\nSources\n").nth(1).unwrap().to_owned();
        let line = table.lines().find(|line| line.starts_with(&report_.sources[0].name)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    report_.sources[0].availability.month = None;
    assert!(!row(&report_).contains('%'), "{}", row(&report_));
    report_.sources[0].availability.month = Some(0.75);
    assert!(row(&report_).contains(" 75 % "), "{}", row(&report_));
}
