//! Lines of styled text that fold at a width. Everything that is printed for people goes through [`Line::push`], which
//! makes it harmless; colours are added only when a sheet is written out.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::safe;

/// How a piece of text looks. A look is never the only sign of what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// As the terminal has it.
    #[default]
    Plain,
    /// Titles and figures to see first.
    Bold,
    /// What may be overlooked.
    Dim,
    /// As it should be.
    Good,
    /// Costs something if it stays.
    Warn,
    /// Can lose money today.
    Bad,
}

impl Style {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Good => Some("32"),
            Self::Warn => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }
}

/// One line, or a paragraph that is yet to be folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    spans: Vec<(Style, String)>,
    width: usize,
}

impl Line {
    /// An empty line.
    pub(super) const fn new() -> Self {
        Self { spans: Vec::new(), width: 0 }
    }

    /// A line of one plain text.
    pub(super) fn plain(text: &str) -> Self {
        Self::new().with(Style::Plain, text)
    }

    /// A line of one text.
    pub(super) fn of(style: Style, text: &str) -> Self {
        Self::new().with(style, text)
    }

    /// The line with `text` at its end.
    #[must_use]
    pub(super) fn with(mut self, style: Style, text: &str) -> Self {
        self.push(style, text);
        self
    }

    /// Adds `text` at the end, made harmless.
    pub(super) fn push(&mut self, style: Style, text: &str) {
        let text = safe::line(text);
        self.width = self.width.saturating_add(text.width());
        match self.spans.last_mut() {
            Some((last, before)) if *last == style => before.push_str(&text),
            _ => self.spans.push((style, text)),
        }
    }

    /// Adds another line at the end.
    pub(super) fn append(&mut self, other: Self) {
        self.width = self.width.saturating_add(other.width);
        self.spans.extend(other.spans);
    }

    /// Adds spaces up to `column`.
    pub(super) fn pad_to(&mut self, column: usize) {
        let missing = column.saturating_sub(self.width);
        if missing > 0 {
            self.push(Style::Plain, &" ".repeat(missing));
        }
    }

    /// Columns that it takes.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// The text without its looks.
    pub(super) fn bare(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Broken at spaces into lines of at most `width` columns; a word that is wider is broken too.
    pub(super) fn fold(&self, width: usize) -> Vec<Self> {
        let width = width.max(8);
        let mut lines = Vec::new();
        let mut current = Self::new();
        for (space, style, word) in self.words() {
            let gap = usize::from(space && current.width > 0);
            if current.width > 0 && gap > 0 && current.width.saturating_add(gap).saturating_add(word.width()) > width {
                lines.push(std::mem::take(&mut current));
            } else if gap > 0 {
                current.push(style, " ");
            }
            for part in chop(&word, width) {
                if current.width.saturating_add(part.width()) > width {
                    lines.push(std::mem::take(&mut current));
                }
                current.push(style, &part);
            }
        }
        if current.width > 0 || lines.is_empty() {
            lines.push(current);
        }
        lines
    }

    /// Each word with its style and whether a space stands before it.
    fn words(&self) -> Vec<(bool, Style, String)> {
        let mut words = Vec::new();
        let mut space = false;
        for (style, text) in &self.spans {
            for (i, word) in text.split(' ').enumerate() {
                space = space || i > 0;
                if !word.is_empty() {
                    words.push((space, *style, word.to_owned()));
                    space = false;
                }
            }
        }
        words
    }

    fn write(&self, out: &mut String, colour: bool) {
        for (style, text) in &self.spans {
            match style.code().filter(|_| colour && !text.trim().is_empty()) {
                Some(code) => _ = write!(out, "\u{1b}[{code}m{text}\u{1b}[0m"),
                None => out.push_str(text),
            }
        }
    }
}

/// Parts of `word` of at most `width` columns.
fn chop(word: &str, width: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut used = 0_usize;
    for c in word.chars() {
        let wide = c.width().unwrap_or(0);
        if used.saturating_add(wide) > width && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            used = 0;
        }
        part.push(c);
        used = used.saturating_add(wide);
    }
    parts.push(part);
    parts
}

/// A page in the making.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    lines: Vec<Line>,
    /// Columns that its lines may take.
    pub(super) width: usize,
}

impl Sheet {
    /// An empty page; narrower than 40 columns nothing can be read, wider than 100 no eye finds the next line.
    pub(super) fn new(width: usize) -> Self {
        Self { lines: Vec::new(), width: width.clamp(40, 100) }
    }

    /// Adds a line as it is.
    pub(super) fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds an empty line, unless the page is empty or one is there.
    pub(super) fn blank(&mut self) {
        if self.lines.last().is_some_and(|last| last.width > 0) {
            self.lines.push(Line::new());
        }
    }

    /// Adds a rule over the whole width.
    pub(super) fn rule(&mut self) {
        let rule = "─".repeat(self.width);
        self.line(Line::of(Style::Dim, &rule));
    }

    /// Adds a paragraph, folded; its first line begins with `first`, the others are indented as far.
    pub(super) fn paragraph(&mut self, first: Line, text: &Line) {
        let indent = first.width();
        let mut head = Some(first);
        for folded in text.fold(self.width.saturating_sub(indent)) {
            let mut line = head.take().unwrap_or_default();
            line.pad_to(indent);
            line.append(folded);
            self.line(line);
        }
    }

    /// Adds pieces side by side, as many as fit a line, none broken unless it is wider than a line.
    pub(super) fn pieces(&mut self, first: Line, pieces: Vec<Line>, between: &str) {
        let indent = first.width();
        let mut line = first;
        let mut any = false;
        for piece in pieces.into_iter().filter(|piece| piece.width() > 0) {
            let wanted = between.width().saturating_add(piece.width());
            if any && line.width().saturating_add(wanted) > self.width {
                self.line(std::mem::take(&mut line));
                any = false;
            }
            line.pad_to(indent);
            if any {
                line.push(Style::Dim, between);
            }
            if line.width().saturating_add(piece.width()) > self.width {
                self.paragraph(std::mem::take(&mut line), &piece);
                continue;
            }
            line.append(piece);
            any = true;
        }
        if line.width() > indent || any {
            self.line(line);
        }
    }

    /// The page as text, each line ended, none with spaces at its end.
    pub(super) fn text(&self, colour: bool) -> String {
        let mut out = String::new();
        for line in &self.lines {
            line.write(&mut out, colour);
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::safe::tests::{dangerous, hostile};
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str, width: usize) -> Vec<String> {
        let mut sheet = Sheet::new(width);
        sheet.paragraph(Line::plain(" ! "), &Line::plain(text));
        sheet.text(false).lines().map(str::to_owned).collect()
    }

    #[test]
    fn paragraphs_fold_at_spaces_and_keep_their_indent() {
        let lines = folded("frank has been unreachable for 2 of 2 samples: nothing to do yet", 40);
        assert_eq!(lines, [" ! frank has been unreachable for 2 of 2", "   samples: nothing to do yet"]);
    }

    #[test]
    fn styles_do_not_change_where_lines_fold() {
        let line = Line::of(Style::Bad, "aaa bbb").with(Style::Plain, "ccc ddd");
        let texts: Vec<String> = line.fold(8).iter().map(|l| l.spans.iter().map(|s| s.1.as_str()).collect()).collect();
        assert_eq!(texts, ["aaa bbb", "ccc ddd"]);
    }

    #[test]
    fn colours_are_added_only_where_asked_for() {
        let mut sheet = Sheet::new(80);
        sheet.line(Line::of(Style::Bad, "x").with(Style::Plain, "y"));
        assert_eq!(sheet.text(false), "xy\n");
        assert_eq!(sheet.text(true), "\u{1b}[1;31mx\u{1b}[0my\n");
    }

    #[test]
    fn pieces_are_packed_and_not_broken() {
        let mut sheet = Sheet::new(40);
        let pieces = ["12,630.9 sat fees", "18.7 rebalancing", "", "1,500 sat chain"].map(Line::plain).to_vec();
        sheet.pieces(Line::plain("Net  "), pieces, " · ");
        assert_eq!(sheet.text(false), "Net  12,630.9 sat fees\n     18.7 rebalancing · 1,500 sat chain\n");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_page(text in hostile(), width in 0_usize..200) {
            let mut sheet = Sheet::new(width);
            sheet.paragraph(Line::plain(" ! "), &Line::plain(&text));
            sheet.pieces(Line::plain("Net "), vec![Line::plain(&text), Line::plain("x")], " · ");
            for line in sheet.text(false).lines() {
                prop_assert!(line.width() <= sheet.width.saturating_add(1), "{line:?}");
                prop_assert!(!line.chars().any(dangerous));
            }
        }
    }
}
