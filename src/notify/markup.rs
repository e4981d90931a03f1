//! How each service writes bold, code and a plain word, so that text of others stays text; and where a message that is
//! too long is cut.

use crate::render::digest::Piece;
use crate::render::{Page, safe};
use crate::units::UnixMs;

/// One service's way of writing.
pub(super) struct Markup {
    /// Text of others.
    pub(super) escape: fn(&str) -> String,
    /// The same between the marks of code.
    pub(super) escape_code: fn(&str) -> String,
    /// Around what is bold.
    pub(super) bold: (&'static str, &'static str),
    /// Around what can be typed.
    pub(super) code: (&'static str, &'static str),
    /// Columns of one text before it is cut.
    pub(super) width: usize,
}

/// A line must fit into the shortest message.
const CHAT: usize = 400;

/// Text alone.
pub(super) const PLAIN: Markup =
    Markup { escape: word, escape_code: safe::line, bold: ("", ""), code: ("  ", ""), width: CHAT };

/// Text alone, in a mail.
pub(super) const MAIL: Markup = Markup { width: 10_000, ..PLAIN };

/// Telegram's HTML.
pub(super) const TELEGRAM: Markup = Markup {
    escape: unlinked_html,
    escape_code: html,
    bold: ("<b>", "</b>"),
    code: ("<code>", "</code>"),
    width: CHAT,
};

/// Matrix's HTML.
pub(super) const MATRIX: Markup = Markup {
    escape: unlinked_html,
    escape_code: html,
    bold: ("<strong>", "</strong>"),
    code: ("<code>", "</code>"),
    width: CHAT,
};

/// Discord's Markdown.
pub(super) const DISCORD: Markup =
    Markup { escape: discord, escape_code: ticked, bold: ("**", "**"), code: ("`", "`"), width: CHAT };

/// Slack's own.
pub(super) const SLACK: Markup =
    Markup { escape: slack, escape_code: slack_code, bold: ("*", "*"), code: ("`", "`"), width: CHAT };

/// Invisible, and no service sees an address or a mention in what it divides.
const JOINER: &str = "\u{2060}";

/// One harmless line in which nothing is an address or a mention.
fn word(text: &str) -> String {
    safe::line(text)
        .replace('@', "＠")
        .replace("://", &format!(":{JOINER}//"))
        .replace("www.", &format!("www{JOINER}."))
}

/// The three letters of HTML that chats know, and quotes.
fn html(text: &str) -> String {
    safe::html(text).replace("&#39;", "'").replace("&#96;", "`")
}

fn unlinked_html(text: &str) -> String {
    // After escaping, which turns invisible letters into words.
    html(text).replace('@', "＠").replace("://", &format!(":{JOINER}//")).replace("www.", &format!("www{JOINER}."))
}

fn discord(text: &str) -> String {
    let mut out = String::new();
    for c in word(text).chars() {
        if c.is_ascii_punctuation() && !matches!(c, ',' | ';' | '%' | '/' | '"' | '\'' | '?' | '=' | '$' | '^') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Within backticks only a backtick means anything.
fn ticked(text: &str) -> String {
    safe::line(text).replace('`', "ˋ")
}

/// Slack knows no escape for its marks: letters that look alike stand for them.
fn slack(text: &str) -> String {
    let text = slack_entities(&word(text));
    text.replace('*', "∗").replace('_', "ˍ").replace('~', "∼").replace('`', "ˋ")
}

fn slack_code(text: &str) -> String {
    slack_entities(&ticked(text))
}

fn slack_entities(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Markup {
    /// A text in bold.
    pub(super) fn strong(&self, text: &str) -> String {
        format!("{}{}{}", self.bold.0, (self.escape)(&safe::clip(text, self.width)), self.bold.1)
    }

    /// The pieces, each as one line or, a table, as several. Every line is whole by itself.
    pub(super) fn lines(&self, pieces: &[Piece]) -> Vec<String> {
        let text = |text: &str| (self.escape)(&safe::clip(text, self.width));
        let mut lines = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Head(name) => lines.extend([String::new(), self.strong(name)]),
                Piece::Text(words) => lines.push(text(words)),
                Piece::Item { sign, text: first, more } if more.is_empty() => {
                    lines.push(format!("{} {}", text(sign), text(first)));
                }
                Piece::Item { sign, text: first, more } => {
                    lines.extend([format!("{} {}", text(sign), text(first)), format!("   {}", text(more))]);
                }
                Piece::Code(command) => {
                    lines.push(format!("{}{}{}", self.code.0, (self.escape_code)(command), self.code.1));
                }
                Piece::Table(rows) => lines.extend(columns(rows).iter().map(|row| text(row))),
            }
        }
        lines
    }
}

/// Rows with their cells below each other.
fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let Some((head, rows)) = rows.split_first() else { return Vec::new() };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let page = Page { width: 100, colour: false, now: UnixMs(0) };
    crate::render::table(&head, rows, &page).lines().map(str::to_owned).collect()
}

/// The pieces as text alone.
pub(super) fn plain_text(pieces: &[Piece]) -> String {
    MAIL.lines(pieces).join("\n").trim_start_matches('\n').to_owned()
}

/// Lines as one text of at most `limit` as `measure` counts, cut between two lines, with a word about what is missing.
pub(super) fn fit(lines: &[String], limit: usize, between: &str, measure: fn(&str) -> usize) -> String {
    let whole = lines.join(between);
    if measure(&whole) <= limit {
        return whole;
    }
    let missing = |n: usize| format!("… {n} more lines: daznode show");
    let room = limit.saturating_sub(measure(&missing(lines.len())));
    let mut used = 0_usize;
    let fitting = lines.iter().take_while(|line| {
        used = used.saturating_add(measure(line)).saturating_add(measure(between));
        used <= room
    });
    let mut kept = fitting.count();
    // No name of a section stands alone at the end.
    while kept > 0 && lines.get(kept.saturating_sub(1)).is_some_and(String::is_empty) {
        kept = kept.saturating_sub(1);
    }
    let mut out: Vec<&str> = lines.iter().take(kept).map(String::as_str).collect();
    let word = missing(lines.len().saturating_sub(kept));
    out.push(&word);
    out.join(between)
}

/// As Telegram, Discord and Slack count.
pub(super) fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 9] = [
        "<script>alert(1)</script>",
        "](http://x)",
        "@everyone",
        "<!channel> <@U1>",
        "*_[]()~`>#+-=|{}.!",
        "a\r\nBcc: x@y.z",
        "https://evil.example/?a=1&b=2",
        "www.evil.example",
        "\u{202e}x\u{1b}[31m",
    ];

    /// The text of a chat's HTML; the names of its tags.
    fn read_html(text: &str) -> (String, Vec<String>) {
        let (mut words, mut tags) = (String::new(), Vec::new());
        for (i, part) in text.split('<').enumerate() {
            let rest = match part.split_once('>').filter(|_| i > 0) {
                Some((tag, rest)) => {
                    tags.push(tag.to_owned());
                    rest
                }
                None => part,
            };
            words.push_str(rest);
        }
        (words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"), tags)
    }

    #[test]
    fn html_of_chats_holds_our_tags_only_and_reads_as_it_was() {
        for hostile in HOSTILE {
            let pieces = [Piece::Text(hostile.to_owned()), Piece::Code(hostile.to_owned())];
            for markup in [&TELEGRAM, &MATRIX] {
                let lines = markup.lines(&pieces);
                let (words, tags) = read_html(&lines.join("\n"));
                assert_eq!(tags, ["code", "/code"], "{lines:?}");
                let shown = safe::line(hostile);
                assert_eq!(words.split('\n').nth(1), Some(shown.as_str()));
                assert!(
                    !lines[0].contains("://") && !lines[0].contains('@') && !lines[0].contains("www."),
                    "{lines:?}"
                );
            }
        }
    }

    #[test]
    fn discords_marks_are_escaped_one_by_one() {
        assert_eq!((DISCORD.escape)("*_[]()~`>#+-=|{}.!"), "\\*\\_\\[\\]\\(\\)\\~\\`\\>\\#\\+\\-=\\|\\{\\}\\.\\!");
        assert_eq!((DISCORD.escape)("<@1> @everyone"), "\\<＠1\\> ＠everyone");
        assert_eq!((DISCORD.escape)("](http://x)"), "\\]\\(http\\:\u{2060}//x\\)");
        assert_eq!((DISCORD.escape_code)("a`b"), "aˋb");
    }

    #[test]
    fn slacks_marks_have_others_that_look_alike() {
        assert_eq!((SLACK.escape)("<!channel> & *b* _i_ ~s~ `c`"), "&lt;!channel&gt; &amp; ∗b∗ ˍiˍ ∼s∼ ˋcˋ");
        assert_eq!((SLACK.escape)("<http://x|y>"), "&lt;http:\u{2060}//x|y&gt;");
        assert_eq!((SLACK.escape_code)("--a_b `<x>"), "--a_b ˋ&lt;x&gt;");
    }

    #[test]
    fn every_line_of_others_is_one_line() {
        for hostile in HOSTILE {
            for markup in [&PLAIN, &TELEGRAM, &MATRIX, &DISCORD, &SLACK] {
                for line in markup.lines(&[Piece::Text(hostile.to_owned())]) {
                    assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
                }
            }
        }
    }

    #[test]
    fn a_long_message_is_cut_between_lines_and_says_so() {
        let lines: Vec<String> = (0..100).map(|n| format!("<b>line {n}</b>")).collect();
        let text = fit(&lines, 300, "\n", utf16);
        assert!(utf16(&text) <= 300, "{text}");
        let kept = text.lines().count() - 1;
        assert_eq!(text.lines().last().unwrap(), format!("… {} more lines: daznode show", 100 - kept));
        assert!(text.lines().take(kept).all(|line| line.starts_with("<b>") && line.ends_with("</b>")), "{text}");
        assert!(kept >= 15, "as much as fits: {text}");
        assert_eq!(fit(&lines[..2], 300, "\n", utf16), "<b>line 0</b>\n<b>line 1</b>");
    }
}
