//! What the store holds, which may have been written by another version or another hand, and what is printed of it.

use daznode::render::{self, Format, Page, Section, safe};
use daznode::report::Report;
use daznode::store::Manifest;
use daznode::units::UnixMs;

use super::{all, of, text};

/// Characters that no terminal, mail or page may get from elsewhere: said here by themselves.
fn is_harmful(c: char) -> bool {
    matches!(c, '\0'..='\u{9}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
}

#[track_caller]
pub(crate) fn harmless(what: &str, printed: &str) {
    assert!(!printed.chars().any(is_harmful), "{what}: {:?}", printed.chars().find(|c| is_harmful(*c)));
}

pub(crate) fn reports() -> Vec<Vec<u8>> {
    all("reports", ".json")
}

pub(crate) fn report(input: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<Report>(input) else { return false };
    let document = render::json::document(&read);
    let again: Report = serde_json::from_str(&document).expect("what was written is read again");
    assert_eq!(render::json::document(&again), document);
    let page = Page { width: 80, colour: false, now: UnixMs::from_secs(1_795_240_800) };
    for format in [Format::Table, Format::Markdown, Format::Json] {
        harmless("report", &render::report(&read, &document, format, &page, Section::All));
    }
    true
}

pub(crate) fn manifests() -> Vec<Vec<u8>> {
    of(&["{\"manifest_version\":1,\"file\":\"a.db\",\"bytes\":4096,\"sha256\":\"00\",\"schema_version\":3,\
          \"daznode_version\":\"0.1.0\",\"created_at\":\"2026-11-21T06:00:00Z\",\"reports\":3,\"tables\":{\"reports\":3}}"])
}

pub(crate) fn manifest(input: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<Manifest>(input) else { return false };
    let written = serde_json::to_vec(&read).unwrap();
    assert_eq!(serde_json::from_slice::<Manifest>(&written).unwrap(), read);
    true
}

pub(crate) fn texts() -> Vec<Vec<u8>> {
    of(&[
        "alice's node",
        "<b>bold</b> [link](http://x) `code`",
        "=1+1",
        "\u{202e}evil\u{1b}[31m",
        "a | b\nc",
        "e\u{301}\u{301}",
    ])
}

pub(crate) fn escape(input: &[u8]) -> bool {
    let text = text(input);
    harmless("line", &safe::line(&text));
    assert!(!safe::line(&text).contains('\n'));
    harmless("clip", &safe::clip(&text, 20));
    harmless("markdown", &safe::markdown(&text));
    harmless("markdown block", &safe::markdown_block(&text));
    let html = safe::html(&text);
    harmless("html", &html);
    assert!(!html.contains(['<', '>', '"', '\'']), "{html:?}");
    let csv = safe::csv(&text);
    let cell = csv.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&csv);
    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{csv:?}");
    true
}
