//! Tables in one style: aligned columns without boxes, so that a pipe gets what a terminal gets.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Row, Table};

use super::number::MINUS;
use super::sheet::Style;
use super::{Page, safe};

/// One cell: harmless text and how it looks.
#[derive(Clone, Debug)]
pub(super) struct Field {
    text: String,
    style: Style,
}

impl Field {
    pub(super) fn new(style: Style, text: &str) -> Self {
        Self { text: safe::line(text), style }
    }

    pub(super) fn plain(text: &str) -> Self {
        Self::new(Style::Plain, text)
    }
}

/// A table of `rows` below `headers`. Columns of figures stand to the right; cells fold where the page is narrow.
pub fn table(headers: &[&str], rows: &[Vec<String>], page: &Page) -> String {
    let rows: Vec<Vec<Field>> = rows.iter().map(|row| row.iter().map(|cell| Field::plain(cell)).collect()).collect();
    fields(headers, &rows, page)
}

/// [`table`] of cells with looks of their own.
pub(super) fn fields(headers: &[&str], rows: &[Vec<Field>], page: &Page) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(page.columns()).unwrap_or(80));
    if page.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(headers.iter().map(|title| looks(Cell::new(safe::line(title)), Style::Dim)));
    for row in rows {
        table
            .add_row(Row::from(row.iter().map(|field| looks(Cell::new(&field.text), field.style)).collect::<Vec<_>>()));
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if i.saturating_add(1) == headers.len() { 0 } else { 2 }));
        let mut cells = rows.iter().filter_map(|row| row.get(i)).map(|field| field.text.as_str()).peekable();
        if cells.peek().is_some() && cells.all(figure) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = String::new();
    for line in table.lines() {
        out.push_str(line.trim_end_matches(' '));
        out.push('\n');
    }
    out
}

/// Whether a cell holds a figure, or nothing.
fn figure(text: &str) -> bool {
    let bare = text.trim_start_matches(['+', '-', '~', '<', '▲', '▼', MINUS]);
    text.is_empty() || text == "-" || bare.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['-', ':'])
}

fn looks(cell: Cell, style: Style) -> Cell {
    match style {
        Style::Plain => cell,
        Style::Bold => cell.add_attribute(Attribute::Bold),
        Style::Dim => cell.add_attribute(Attribute::Dim),
        Style::Good => cell.fg(Color::DarkGreen),
        Style::Warn => cell.fg(Color::DarkYellow),
        Style::Bad => cell.fg(Color::DarkRed).add_attribute(Attribute::Bold),
    }
}

#[cfg(test)]
mod tests {
    use super::super::safe::tests::{dangerous, hostile};
    use super::*;
    use crate::units::UnixMs;
    use proptest::prelude::*;

    fn page(width: usize) -> Page {
        Page { width, colour: false, now: UnixMs(0) }
    }

    #[test]
    fn columns_are_aligned_and_figures_stand_to_the_right() {
        let rows = [["bob", "1,221", "2026-11-21"], ["alice-of-the-north", "5", "2026-11-20"]];
        let rows: Vec<Vec<String>> = rows.iter().map(|r| r.iter().map(|c| (*c).to_owned()).collect()).collect();
        let expected = "\
node                  sat  last
bob                 1,221  2026-11-21
alice-of-the-north      5  2026-11-20
";
        assert_eq!(table(&["node", "sat", "last"], &rows, &page(80)), expected);
    }

    #[test]
    fn a_table_without_rows_is_its_headers() {
        assert_eq!(table(&["a", "b"], &[], &page(80)), "a  b\n");
    }

    #[test]
    fn colours_are_there_only_when_asked_for() {
        let rows = vec![vec![Field::new(Style::Bad, "x")]];
        assert!(!fields(&["h"], &rows, &page(80)).contains('\u{1b}'));
        assert!(fields(&["h"], &rows, &Page { colour: true, ..page(80) }).contains("\u{1b}["));
    }

    proptest! {
        #[test]
        fn hostile_cells_stay_cells(text in hostile(), width in 40_usize..120) {
            let rows = vec![vec![text.clone(), "1".to_owned()], vec!["x".to_owned(), text]];
            let out = table(&["a", "b"], &rows, &page(width));
            prop_assert!(!out.chars().any(dangerous), "{out:?}");
        }
    }
}
