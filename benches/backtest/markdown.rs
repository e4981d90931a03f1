//! Tables in Markdown, and how numbers stand in them.

use std::path::Path;

use crate::statistics::count;

/// What stands where there is nothing to tell.
const NONE: &str = "–";

/// A table with a heading; the first column is text, the others are numbers.
pub struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        Self { title: title.to_owned(), head, rows: Vec::new() }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.head.len(), "cells of a row of {:?}", self.title);
        self.rows.push(cells);
    }

    /// As Markdown, with an empty line at its end.
    pub fn text(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let marks: Vec<String> = (0..self.head.len()).map(|n| if n == 0 { "---" } else { "---:" }.to_owned()).collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("### {}\n{}{}{rows}\n", self.title, line(&self.head), line(&marks))
    }
}

/// A share as percent.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| NONE.to_owned(), |share| format!("{:.0} %", share * 100.0))
}

/// A number of two decimals.
pub fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| format!("{:.2}", positive_zero(value, 100.0)))
}

/// A number without decimals, its thousands apart.
pub fn sats(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| grouped(&format!("{:.0}", positive_zero(value, 1.0))))
}

/// How many.
pub fn number(n: usize) -> String {
    grouped(&n.to_string())
}

/// No "-0" for what rounds to nothing.
fn positive_zero(value: f64, scale: f64) -> f64 {
    if (value * scale).abs() < 0.5 { 0.0 } else { value }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}")
}

/// A share of a whole, both counted.
pub fn of(part: usize, whole: usize) -> String {
    let share = (whole > 0).then(|| count(part) / count(whole));
    format!("{} of {} ({})", number(part), number(whole), percent(share))
}

/// Where the results stand in the document.
pub const BEGIN: &str = "<!-- results: begin -->";
/// Where they end.
pub const END: &str = "<!-- results: end -->";

/// The document with `results` in place of what stood between its two marks.
pub fn replaced(document: &str, results: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", results.trim_end()))
}

/// Puts the results into the document at `path`.
pub fn write(path: &Path, results: &str) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    let document = std::fs::read_to_string(path).map_err(failed)?;
    let marks = || format!("{}: no line {BEGIN} with a line {END} after it", path.display());
    let document = replaced(&document, results).ok_or_else(marks)?;
    #[expect(clippy::disallowed_methods, reason = "a document in a work tree, which keeps what was there before")]
    std::fs::write(path, document).map_err(failed)
}
