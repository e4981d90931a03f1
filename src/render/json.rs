//! JSON on its way out: the same content, harmless on a terminal.

use serde::Serialize;

use super::safe;

/// The document with every control character, mark of direction and other hidden character written as `\u` escapes: what
/// a parser reads from it is unchanged. It ends with a line break.
pub fn harmless(document: &str) -> String {
    let mut out = safe::json(document.trim_end());
    out.push('\n');
    out
}

/// A value of ours as indented, harmless JSON; `null` where it can't be written, which no type of ours is.
pub fn document<T: Serialize>(value: &T) -> String {
    harmless(&serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_ends_with_one_line_break_and_stays_the_same() {
        assert_eq!(harmless("{\"a\":\"\u{1f}\"}\n\n"), "{\"a\":\"\\u001f\"}\n");
        assert_eq!(document(&["x\u{202e}"]), "[\n  \"x\\u202e\"\n]\n");
    }
}
