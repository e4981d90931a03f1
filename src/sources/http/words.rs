//! Foreign text for our own messages: one short line, without marks that change what is shown, and without a key.

use secrecy::{ExposeSecret, SecretString};

/// Foreign text as one short harmless line.
pub fn line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let clean: String = words.join(" ").chars().filter(|c| !is_invisible(*c)).take(160).collect();
    clean
}

/// Marks that change how the text around them is shown.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The beginning of an error's words, without the key should they repeat it.
pub(super) fn excerpt(body: &str, key: Option<&SecretString>) -> String {
    let text = line(&without(body, key));
    if text.is_empty() || text.starts_with('<') { String::new() } else { format!(": {text}") }
}

/// The text without the key.
pub fn without(text: &str, key: Option<&SecretString>) -> String {
    match key.map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty()) {
        Some(key) => text.replace(key, "[key]"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_become_one_harmless_line() {
        assert_eq!(line("a\r\n\tb\u{1b}[31m c\u{202e}d\u{200b}"), "a b [31m cd");
        assert_eq!(line(&"x".repeat(1000)).len(), 160);
        let key = SecretString::from(" sk-1 ");
        assert_eq!(without("a sk-1 b", Some(&key)), "a [key] b");
        assert_eq!(without("a", Some(&SecretString::from(""))), "a");
        assert!(excerpt("<html>", None).is_empty());
    }
}
