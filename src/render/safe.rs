//! Where text of others (aliases, memos, errors of nodes) becomes harmless, once for each kind of output.
//!
//! Every sink first makes one line of it that no terminal acts upon, then escapes what its own format would act upon.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that may stand on one character; what is beyond is a flood that draws over the lines around it.
const MARKS: usize = 3;

/// What a character does to the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Stands for itself.
    Plain,
    /// Any white space, line breaks included.
    Space,
    /// Moves the cursor, turns the direction or hides: never printed as it is.
    Hidden,
    /// Chooses between two looks of the character before it; common in emoji, and nothing is lost without it.
    Selector,
    /// Drawn upon the character before it.
    Mark,
}

fn class(c: char) -> Class {
    match u32::from(c) {
        0x09 | 0x0a | 0x0d => Class::Space,
        // C0, DEL and C1; soft hyphen, joiners and fillers; marks and isolates of direction; separators; invisible
        // operators; annotations; shorthand and musical controls; tags.
        0x00..=0x1f
        | 0x7f..=0x9f
        | 0xad
        | 0x034f
        | 0x061c
        | 0x115f
        | 0x1160
        | 0x17b4
        | 0x17b5
        | 0x180b..=0x180f
        | 0x200b..=0x200f
        | 0x2028..=0x202e
        | 0x2060..=0x206f
        | 0x2800
        | 0x3164
        | 0xfeff
        | 0xffa0
        | 0xfff0..=0xfffb
        | 0x1_bca0..=0x1_bca3
        | 0x1_d173..=0x1_d17a
        | 0xe_0000..=0xe_0fff => Class::Hidden,
        0xfe00..=0xfe0f => Class::Selector,
        _ if c.is_whitespace() => Class::Space,
        _ if c.width() == Some(0) => Class::Mark,
        _ => Class::Plain,
    }
}

/// Counts marks, so that each sink cuts a flood at the same place.
struct Flood(usize);

impl Flood {
    /// A line begins without a character to stand on, so a mark there is already too many.
    const fn new() -> Self {
        Self(MARKS)
    }

    fn too_many(&mut self, class: Class) -> bool {
        if class == Class::Mark {
            self.0 = self.0.saturating_add(1);
            self.0 > MARKS
        } else {
            self.0 = 0;
            false
        }
    }
}

/// One harmless line for terminals and logs: hidden characters are shown as `\u{…}`, line breaks are spaces.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut flood = Flood::new();
    for c in text.chars() {
        let class = class(c);
        let drop = flood.too_many(class);
        match class {
            Class::Plain => out.push(c),
            Class::Mark if !drop => out.push(c),
            Class::Mark | Class::Selector => {}
            Class::Space => out.push(' '),
            Class::Hidden => {
                out.push_str("\\u{");
                let _ = write!(out, "{:x}", u32::from(c));
                out.push('}');
            }
        }
    }
    out
}

/// [`line()`], not wider than `width` columns; what is cut off is shown by `…`.
pub fn clip(text: &str, width: usize) -> String {
    let whole = line(text);
    if whole.width() <= width {
        return whole;
    }
    let mut out = String::new();
    let mut used = 0_usize;
    for c in whole.chars() {
        used = used.saturating_add(c.width().unwrap_or(0));
        if used >= width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Text inside a paragraph, list or table cell of Markdown: no link, image, HTML, entity, mention or fence gets through.
///
/// A backslash doesn't stop a mention, so `@` becomes its full-width form `＠`.
pub fn markdown(text: &str) -> String {
    let text = line(text);
    let text = text.trim();
    let mut out = String::with_capacity(text.len());
    let mut digits = 0_usize;
    let mut leading = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let begins_block = leading
            && match c {
                '-' | '+' | '=' | '#' => digits == 0 && (next == ' ' || next == c),
                '.' | ')' => digits > 0 && next == ' ',
                _ => false,
            };
        let begins_link = (c == ':' && next == '/') || (c == '.' && ends_www(&out));
        match c {
            '@' => out.push('＠'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ if begins_block || begins_link => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        leading = leading && c.is_ascii_digit();
        digits = digits.saturating_add(usize::from(leading));
    }
    out
}

/// Whether a link without a scheme begins here.
fn ends_www(text: &str) -> bool {
    text.chars().rev().take(3).filter(|c| c.eq_ignore_ascii_case(&'w')).count() == 3
}

/// A fenced block of Markdown: the text as it is, behind a fence that it can't close.
pub fn markdown_block(text: &str) -> String {
    let text = line(text);
    let fence = "`".repeat(longest_run(&text, '`').saturating_add(1).max(3));
    format!("{fence}\n{text}\n{fence}")
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

/// Text and attribute values of HTML.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            _ => out.push(c),
        }
    }
    out
}

/// One cell of CSV (RFC 4180) that a spreadsheet doesn't take for a formula.
pub fn csv(text: &str) -> String {
    let text = line(text);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', ';']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A JSON document with the same content in which every hidden character is `\u` escaped, so that it is harmless on a
/// terminal too.
pub(super) fn json(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    let mut flood = Flood::new();
    for c in document.chars() {
        let class = class(c);
        let too_many = flood.too_many(class);
        match c {
            '\n' => out.push(c),
            // Inside strings JSON has these escaped already; between tokens a space means the same.
            '\t' | '\r' => out.push(' '),
            _ if too_many || class == Class::Hidden => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What must be in no output, said a second time and by range rather than by class.
    pub(in crate::render) fn dangerous(c: char) -> bool {
        let n = u32::from(c);
        (n < 0x20 && c != '\n')
            || (0x7f..=0x9f).contains(&n)
            || (0x200b..=0x200f).contains(&n)
            || (0x2028..=0x202e).contains(&n)
            || (0x2060..=0x2069).contains(&n)
            || (0xe0000..=0xe007f).contains(&n)
            || n == 0x061c
            || n == 0xfeff
    }

    /// Text as an attacker writes it.
    pub(in crate::render) fn hostile() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "\u{1b}[2J",
            "\u{1b}]8;;http://x\u{7}",
            "\u{9b}31m",
            "\u{202e}",
            "\u{2066}",
            "\u{200b}",
            "\0",
            "\r\n",
            "\t",
            "\u{2028}",
            "\u{e0041}",
            "\u{301}",
            "\u{489}",
            "<script>",
            "](http://x)",
            "![a](b)",
            "`",
            "```",
            "|",
            "@everyone",
            "=1+1",
            "# ",
            "- ",
            "1. ",
            "&lt;",
            "http://x.y",
            "www.x.y",
            "\"",
            "\\",
            "⚡",
            "\u{fe0f}",
            "\u{5d0}",
            "a",
            " ",
        ]);
        let noise = any::<String>();
        prop_oneof![prop::collection::vec(pieces, 0..12).prop_map(|p| p.concat()), noise,]
    }

    proptest! {
        #[test]
        fn no_dangerous_character_comes_out_of_any_sink(text in hostile()) {
            let document = serde_json::to_string(&text).unwrap();
            for out in [line(&text), clip(&text, 12), markdown(&text), html(&text), csv(&text), json(&document)] {
                prop_assert!(!out.chars().any(dangerous), "{out:?}");
                prop_assert!(!out.contains('\n'), "{out:?}");
            }
            prop_assert!(!markdown_block(&text).chars().any(dangerous));
        }

        #[test]
        fn json_keeps_its_content(text in hostile()) {
            let document = serde_json::to_string_pretty(&serde_json::json!({ &text: [&text, 1] })).unwrap();
            let back: serde_json::Value = serde_json::from_str(&json(&document)).unwrap();
            prop_assert_eq!(back, serde_json::json!({ &text: [&text, 1] }));
        }

        #[test]
        fn a_clipped_text_fits(text in hostile(), width in 1_usize..40) {
            prop_assert!(clip(&text, width).width() <= width);
        }

        #[test]
        fn html_holds_no_markup(text in hostile()) {
            prop_assert!(!html(&text).contains(['<', '>', '"', '\'']));
        }

        #[test]
        fn a_fence_can_not_be_closed_from_within(text in hostile()) {
            let block = markdown_block(&text);
            let lines: Vec<&str> = block.split('\n').collect();
            prop_assert_eq!(lines.len(), 3);
            prop_assert!(!lines[1].contains(lines[0]));
        }
    }

    #[test]
    fn hidden_characters_are_shown_and_selectors_dropped() {
        assert_eq!(line("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(line("\u{9b}2J\u{202e}x\u{0}"), "\\u{9b}2J\\u{202e}x\\u{0}");
        assert_eq!(line("⚡\u{fe0f}node"), "⚡node");
        assert_eq!(line("one\r\ntwo\tthree"), "one  two three");
        assert_eq!(line("שלום"), "שלום");
    }

    #[test]
    fn a_flood_of_marks_is_cut_and_honest_accents_stay() {
        assert_eq!(line("e\u{301}a\u{323}\u{302}"), "e\u{301}a\u{323}\u{302}");
        let flood = format!("Z{}o", "\u{301}".repeat(500));
        assert_eq!(line(&flood), "Z\u{301}\u{301}\u{301}o");
        assert_eq!(line("\u{301}x"), "x");
    }

    #[test]
    fn markdown_leaves_plain_sentences_readable() {
        for sentence in ["channel 2b241d60..:0 to carol is 92 % outbound (5 days), see below.", "+11,091.2 sat", "-x"] {
            assert_eq!(markdown(sentence), sentence);
        }
    }

    #[test]
    fn markdown_lets_no_markup_through() {
        assert_eq!(markdown("[x](http://e.vil)"), "\\[x\\](http\\://e.vil)");
        assert_eq!(markdown("<img src=x>"), "\\<img src=x\\>");
        assert_eq!(markdown("@everyone"), "＠everyone");
        assert_eq!(markdown("www.evil.example"), "www\\.evil.example");
        assert_eq!(markdown("a|b"), "a\\|b");
        assert_eq!(markdown("12. x"), "12\\. x");
        assert_eq!(markdown("# x"), "\\# x");
        assert_eq!(markdown("- x"), "\\- x");
        assert_eq!(markdown("&lt;b&gt;"), "\\&lt;b\\&gt;");
        assert_eq!(markdown("```sh"), "\\`\\`\\`sh");
    }

    #[test]
    fn formulas_are_text_in_a_spreadsheet() {
        assert_eq!(csv("=1+1"), "'=1+1");
        assert_eq!(csv(" @SUM(A1,B1)"), "\"' @SUM(A1,B1)\"");
        assert_eq!(csv("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(csv("bob"), "bob");
    }

    #[test]
    fn json_escapes_what_a_terminal_would_act_upon() {
        assert_eq!(json("\"\u{9b}\u{202e}\u{7f}é\""), "\"\\u009b\\u202e\\u007fé\"");
        assert_eq!(json("\"\u{e0041}\""), "\"\\udb40\\udc41\"");
        assert_eq!(json("{\r\n\t\"a\": 1\r\n}"), "{ \n \"a\": 1 \n}");
    }
}
