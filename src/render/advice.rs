//! Advice over the days: what is open, what was followed and what came of it, what was left.

use serde::Serialize;
use uuid::Uuid;

use super::sheet::{Line, Sheet, Style};
use super::{Format, Page, json, number, safe};
use crate::report::{Act, AdviceKept, AdviceOutcome, AdviceState, Time};
use crate::units::{Msat, Pubkey};

/// The node that a page is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdviceNode {
    /// Whose reports.
    pub user_id: String,
    /// Its key.
    pub node_pubkey: Pubkey,
    /// Its alias; hostile text.
    pub node_alias: String,
}

/// One advice that was given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdviceRow {
    /// Its row.
    pub id: Uuid,
    /// `kind:subject`.
    pub advice_key: String,
    /// How it stands.
    pub state: AdviceState,
    /// Its one line.
    pub title: String,
    /// What to do.
    pub suggested_action: String,
    /// The same for programs.
    pub act: Option<Act>,
    /// Promised a month.
    pub promised_msat: Option<Msat>,
    /// Four times in five it should lie between this
    pub promised_low_msat: Option<Msat>,
    /// and this.
    pub promised_high_msat: Option<Msat>,
    /// What it costs once.
    pub cost_msat: Option<Msat>,
    /// When it was first given.
    pub first_advised: Time,
    /// When it was last given.
    pub last_advised: Time,
    /// When it was seen to be followed.
    pub followed_at: Option<Time>,
    /// What came of it, after 7 and after 30 days.
    pub outcomes: Vec<AdviceOutcome>,
}

impl AdviceRow {
    /// The later of its outcomes.
    fn outcome(&self) -> Option<&AdviceOutcome> {
        self.outcomes.iter().max_by_key(|o| o.days)
    }
}

/// What the page says in JSON.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    node: &'a AdviceNode,
    advice: &'a [AdviceRow],
}

/// The groups of the page, in their order.
const GROUPS: [(&str, &[AdviceState]); 4] = [
    ("Open", &[AdviceState::Open]),
    ("Followed", &[AdviceState::Followed, AdviceState::Partly]),
    ("Ignored", &[AdviceState::Ignored]),
    ("Over", &[AdviceState::Superseded, AdviceState::Expired]),
];

/// The advice of a node, by how it stands, in the order that it is given in.
pub fn advice(node: &AdviceNode, rows: &[AdviceRow], format: Format, page: &Page) -> String {
    match format {
        Format::Table => text(node, rows, page),
        Format::Markdown => markdown(node, rows),
        Format::Json => json::document(&Document { node, advice: rows }),
    }
}

fn groups(rows: &[AdviceRow]) -> impl Iterator<Item = (&'static str, Vec<&AdviceRow>)> + '_ {
    let of = |states: &[AdviceState]| rows.iter().filter(|row| states.contains(&row.state)).collect::<Vec<_>>();
    GROUPS.into_iter().map(move |(title, states)| (title, of(states))).filter(|(_, rows)| !rows.is_empty())
}

/// Which node a page is about.
pub(super) fn head(sheet: &mut Sheet, node: &AdviceNode) {
    let alias = Line::of(Style::Bold, &safe::clip(&node.node_alias, 32));
    let key = Line::of(Style::Dim, &node.node_pubkey.short());
    sheet.pieces(Line::new(), vec![alias, key], "  ");
    sheet.rule();
}

fn text(node: &AdviceNode, rows: &[AdviceRow], page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    head(&mut sheet, node);
    if rows.is_empty() {
        sheet.line(Line::plain("No advice in this time. Reports give it: `daznode show`."));
    }
    for (n, (title, rows)) in groups(rows).enumerate() {
        if n > 0 {
            sheet.blank();
        }
        sheet.line(Line::of(Style::Bold, title));
        for row in rows {
            sheet.paragraph(Line::plain("  "), &Line::plain(&safe::line(&row.title)));
            sheet.paragraph(Line::plain("    "), &Line::of(Style::Dim, &story(row)));
            if row.state == AdviceState::Open {
                for command in row.suggested_action.lines() {
                    sheet.paragraph(Line::plain("    "), &Line::plain(&safe::line(command)));
                }
            }
        }
    }
    sheet.text(page.colour)
}

fn markdown(node: &AdviceNode, rows: &[AdviceRow]) -> String {
    let mut lines = vec![format!("# Advice for {}", safe::markdown(&node.node_alias))];
    for (title, rows) in groups(rows) {
        lines.push(format!("\n## {title}\n"));
        lines.extend(
            rows.iter().map(|row| format!("- {}: {}", safe::markdown(&row.title), safe::markdown(&story(row)))),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Since when, what was promised, and what came.
fn story(row: &AdviceRow) -> String {
    let mut parts = vec![format!("first given {}", row.first_advised.0.day())];
    if let Some(at) = row.followed_at {
        let how = if row.state == AdviceState::Partly { "followed in part" } else { "followed" };
        parts.push(format!("{how} {}", at.0.day()));
    }
    match row.state {
        AdviceState::Superseded => parts.push("another took its place".to_owned()),
        AdviceState::Expired => parts.push("its reason went away".to_owned()),
        AdviceState::Open | AdviceState::Followed | AdviceState::Partly | AdviceState::Ignored => {}
    }
    if let Some(promised) = row.promised_msat {
        parts.push(format!("promised {} a month", sat(promised)));
    }
    match row.outcome() {
        Some(AdviceOutcome { days, gained: Some(gained), anyway, .. }) => {
            parts.push(format!("came {} after {days} days", sat(*gained)));
            parts.extend(anyway.map(|anyway| format!("{} would have come anyway", sat(anyway))));
        }
        Some(AdviceOutcome { days, .. }) => parts.push(format!("what came in {days} days can't be told")),
        None if row.followed_at.is_some() => parts.push("measured 7 and 30 days after".to_owned()),
        None => {}
    }
    parts.join(" · ")
}

/// What was promised and what came, in one line; `None` where nothing was followed.
pub(super) fn kept(kept: &AdviceKept) -> Option<String> {
    let followed = (kept.followed > 0).then(|| number::count(kept.followed, "act"))?;
    let came = match kept.measured {
        0 => "what came is measured after 7 and 30 days".to_owned(),
        n => {
            let came = number::thousands(kept.came_msat.floor_sat().get());
            format!("{n} measured: promised {} a month, came {came}", sat(kept.promised_msat))
        }
    };
    Some(format!("{followed} followed in {} days; {came}.", kept.days))
}

fn sat(amount: Msat) -> String {
    format!("{} sat", number::thousands(amount.floor_sat().get()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::UnixMs;

    fn row(state: AdviceState, title: &str) -> AdviceRow {
        AdviceRow {
            id: Uuid::nil(),
            advice_key: "raise-fee:x".to_owned(),
            state,
            title: title.to_owned(),
            suggested_action: "lncli updatechanpolicy".to_owned(),
            act: None,
            promised_msat: Some(Msat::new(1_200_000)),
            promised_low_msat: None,
            promised_high_msat: None,
            cost_msat: None,
            first_advised: Time(UnixMs(1_795_240_800_000)),
            last_advised: Time(UnixMs(1_795_240_800_000)),
            followed_at: None,
            outcomes: vec![],
        }
    }

    fn node(alias: &str) -> AdviceNode {
        AdviceNode {
            user_id: "alice".to_owned(),
            node_pubkey: format!("02{}", "a".repeat(64)).parse().unwrap(),
            node_alias: alias.to_owned(),
        }
    }

    const PAGE: Page = Page { width: 100, colour: false, now: UnixMs(1_795_240_800_000) };

    #[test]
    fn what_was_promised_stands_beside_what_came() {
        let outcome =
            |days, gained| AdviceOutcome { days, measured_at: UnixMs(0), gained, anyway: Some(Msat::new(310_000)) };
        let mut done = row(AdviceState::Followed, "Raise the fee to alice");
        done.followed_at = Some(Time(UnixMs(1_795_240_800_000)));
        done.outcomes = vec![outcome(7, Some(Msat::new(1))), outcome(30, Some(Msat::new(1_480_000)))];
        let text = advice(&node("bob"), &[done.clone(), row(AdviceState::Open, "Refill dave")], Format::Table, &PAGE);
        let (open, followed) = (text.find("Open").unwrap(), text.find("Followed").unwrap());
        assert!(open < followed, "{text}");
        assert!(text.contains("    lncli updatechanpolicy"), "{text}");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let story = "first given 2026-11-21 · followed 2026-11-21 · promised 1,200 sat a month · came 1,480 sat after 30 \
                     days · 310 sat would have come anyway";
        assert!(flat.contains(story), "{flat}");
        done.outcomes = vec![outcome(7, None)];
        assert!(advice(&node("bob"), &[done], Format::Markdown, &PAGE).contains("can't be told"));
    }

    #[test]
    fn hostile_text_does_not_get_through() {
        let rows = [row(AdviceState::Ignored, "Refill \u{1b}[31m<b>[x](y)")];
        for format in [Format::Table, Format::Markdown, Format::Json] {
            let text = advice(&node("\u{1b}]0;x\u{7}"), &rows, format, &PAGE);
            assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
        }
        assert!(!advice(&node("x"), &rows, Format::Markdown, &PAGE).contains("[x](y)"));
    }

    #[test]
    fn the_line_of_a_report_says_what_was_promised_and_what_came() {
        let none = AdviceKept { days: 30, ignored: 3, ..AdviceKept::default() };
        assert_eq!(kept(&none), None);
        let young = AdviceKept { followed: 1, ..none };
        assert_eq!(kept(&young).unwrap(), "1 act followed in 30 days; what came is measured after 7 and 30 days.");
        let some = AdviceKept {
            followed: 3,
            measured: 2,
            promised_msat: Msat::new(1_200_000),
            came_msat: Msat::new(1_480_999),
            ..young
        };
        let line = "3 acts followed in 30 days; 2 measured: promised 1,200 sat a month, came 1,480.";
        assert_eq!(kept(&some).unwrap(), line);
    }

    #[test]
    fn no_advice_is_said_in_words() {
        assert!(advice(&node("bob"), &[], Format::Table, &PAGE).contains("No advice"));
    }
}
