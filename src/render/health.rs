//! How node, sources, database, files and timer are, as rows with a remedy.

use serde::Serialize;

use super::sheet::{Line, Sheet, Style};
use super::{Page, safe};

/// How one check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, and needs a look.
    Warn,
    /// Does not work.
    Fail,
    /// Not used here, so not checked.
    Off,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: `node`, `database`, `timer` and so on.
    pub name: String,
    /// How it came out.
    pub state: State,
    /// What was seen, in one line.
    pub detail: String,
    /// What to do where it is not as it should be.
    pub remedy: Option<String>,
}

/// The checks one below the other, and a last line that counts them.
pub fn health(checks: &[Check], page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    let widest = checks.iter().map(|check| Line::plain(&check.name).width()).max().unwrap_or(0).min(24);
    for check in checks {
        let (style, sign, word) = look(check.state);
        let mut first = Line::of(style, &format!("{sign:>2} {word:<4}")).with(Style::Plain, "  ");
        first.push(Style::Bold, &safe::clip(&check.name, widest.max(1)));
        first.pad_to(widest.saturating_add(11));
        sheet.paragraph(first, &Line::plain(&check.detail));
        if let Some(remedy) = &check.remedy {
            let mut indent = Line::new();
            indent.pad_to(widest.saturating_add(11));
            sheet.paragraph(indent, &Line::of(Style::Dim, &format!("→ {remedy}")));
        }
    }
    sheet.rule();
    let count = |state: State| checks.iter().filter(|check| check.state == state).count();
    let (fail, warn) = (count(State::Fail), count(State::Warn));
    let verdict = if fail > 0 {
        Line::of(Style::Bad, &format!("!! {fail} failed")).with(Style::Plain, &format!(", {warn} to look at"))
    } else if warn > 0 {
        Line::of(Style::Warn, &format!("! {warn} to look at"))
    } else {
        Line::of(Style::Good, "✓ all well")
    };
    sheet.line(verdict.with(Style::Dim, &format!(" · {} checks", checks.len())));
    sheet.text(page.colour)
}

const fn look(state: State) -> (Style, &'static str, &'static str) {
    match state {
        State::Ok => (Style::Good, "✓", "ok"),
        State::Warn => (Style::Warn, "!", "warn"),
        State::Fail => (Style::Bad, "!!", "fail"),
        State::Off => (Style::Dim, "·", "off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::UnixMs;

    fn check(name: &str, state: State, detail: &str, remedy: Option<&str>) -> Check {
        Check { name: name.to_owned(), state, detail: detail.to_owned(), remedy: remedy.map(str::to_owned) }
    }

    #[test]
    fn each_check_has_its_sign_and_its_remedy() {
        let checks = [
            check("database", State::Ok, "whole, 90 reports", None),
            check("timer", State::Fail, "daznode.timer is not on", Some("systemctl enable --now daznode.timer")),
            check("mempool.space", State::Off, "off in the config", None),
        ];
        let page = Page { width: 60, colour: false, now: UnixMs(0) };
        let expected = "\
\x20✓ ok    database       whole, 90 reports
!! fail  timer          daznode.timer is not on
                        → systemctl enable --now
                        daznode.timer
 · off   mempool.space  off in the config
────────────────────────────────────────────────────────────
!! 1 failed, 0 to look at · 3 checks
";
        assert_eq!(health(&checks, &page), expected);
    }
}
