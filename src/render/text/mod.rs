//! The report page for people at a terminal.

mod all;
mod channels;
mod figures;
mod head;
mod lists;
mod missed;

use super::sheet::{Line, Sheet, Style};
use super::{Page, Section};
use crate::report::Report;

pub(super) use figures::{not_in_net, rows};
pub(super) use head::{identity, standing};
pub(super) use lists::{by_reason, listed, said, sign, since};

/// What to type next.
const NEXT: [&str; 4] = ["daznode show channels", "daznode show all", "daznode show --json", "daznode history"];

pub(super) fn report(report: &Report, page: &Page, section: Section) -> String {
    match section {
        Section::Summary => summary(report, page),
        Section::Channels => one_section(report, page, &channels::table(report, page)),
        Section::All => all::report(report, page),
    }
}

fn summary(report: &Report, page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    head::write(&mut sheet, report, page);
    figures::write(&mut sheet, report);
    lists::wrong(&mut sheet, report);
    lists::to_do(&mut sheet, report);
    lists::kept(&mut sheet, report);
    lists::changed(&mut sheet, report);
    lists::unknown(&mut sheet, report);
    foot(&mut sheet);
    sheet.text(page.colour)
}

fn one_section(report: &Report, page: &Page, table: &str) -> String {
    let mut top = Sheet::new(page.width);
    head::write(&mut top, report, page);
    let mut bottom = Sheet::new(page.width);
    foot(&mut bottom);
    format!("{}{table}{}", top.text(page.colour), bottom.text(page.colour))
}

fn foot(sheet: &mut Sheet) {
    sheet.rule();
    let pieces = NEXT.iter().map(|command| Line::of(Style::Dim, command)).collect();
    sheet.pieces(Line::new(), pieces, " · ");
}

/// A section's title.
fn title(sheet: &mut Sheet, text: &str) {
    sheet.blank();
    sheet.paragraph(Line::new(), &Line::of(Style::Bold, text));
}

#[cfg(test)]
mod tests;
