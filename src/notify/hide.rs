//! Text without what is to stay at home: amounts, keys and ids, names that are known. What stands in a field of its own
//! is left out where the message is made; this is for the sentences around it.

use std::collections::BTreeSet;

use crate::notice::Hide;
use crate::render::safe;
use crate::report::Report;

/// In place of what is hidden.
const HIDDEN: char = '…';

/// Words that follow an amount.
const UNITS: [&str; 12] =
    ["sat", "sats", "msat", "msats", "btc", "mbtc", "bitcoin", "bitcoins", "usd", "eur", "satoshi", "satoshis"];

/// Words that stand between two amounts of which only one has its unit.
const BETWEEN: [&str; 12] = ["to", "and", "or", "of", "from", "by", "out of", "→", "-", "–", "/", "+"];

/// What is hidden, and the names that are known of.
#[derive(Clone, Debug, Default)]
pub(super) struct Cleaner {
    hide: Hide,
    /// The longest first.
    names: Vec<String>,
}

impl Cleaner {
    /// For what is to stay at home, with the names of the report that is known and those given.
    pub(super) fn new<'a>(hide: Hide, report: Option<&Report>, more: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: BTreeSet<String> = BTreeSet::new();
        if hide.aliases {
            let document = report.and_then(|report| serde_json::to_value(report).ok());
            let mut found: Vec<String> = more.into_iter().map(str::to_owned).collect();
            aliases(document.as_ref().unwrap_or(&serde_json::Value::Null), &mut found);
            for name in found {
                // As it is, as it is shown, and as titles and tables cut it.
                let cut: String = name.chars().take(32).collect();
                let clipped = [20, 24, 32].map(|width| safe::clip(&name, width).trim_end_matches('…').to_owned());
                let forms = [safe::line(&name), name, cut].into_iter().chain(clipped);
                names.extend(forms.map(|form| form.trim().to_owned()).filter(|form| !form.is_empty()));
            }
        }
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self { hide, names }
    }

    /// One harmless line without what is hidden.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = safe::line(text);
        for name in &self.names {
            text = without_name(&text, name);
        }
        if self.hide.pubkeys {
            text = without_keys(&text);
        }
        if self.hide.amounts {
            text = without_amounts(&text);
        }
        text
    }
}

/// Every alias of a document.
fn aliases(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                match value.as_str().filter(|_| key.ends_with("alias")) {
                    Some(alias) => found.push(alias.to_owned()),
                    None => aliases(value, found),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| aliases(value, found)),
        _ => {}
    }
}

fn without_name(text: &str, name: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, from) = rest.split_at(at);
        let after = from.get(name.len()..).unwrap_or_default();
        out.push_str(before);
        let joined = |c: Option<char>, edge: Option<char>| {
            c.is_some_and(char::is_alphanumeric) && edge.is_some_and(char::is_alphanumeric)
        };
        // Within a longer word a short name is only some letters.
        let within = joined(out.chars().next_back(), name.chars().next())
            || joined(after.chars().next(), name.chars().next_back());
        if within {
            let first = from.chars().next().map_or(1, char::len_utf8);
            let (kept, next) = from.split_at(first);
            out.push_str(kept);
            rest = next;
        } else {
            out.push(HIDDEN);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Keys, outpoints and ids of channels, whole or shortened as in `0335..d716` and `2b241d60..:0`.
fn without_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        if is_key(word) {
            out.push(HIDDEN);
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | ':') {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    out
}

fn is_key(word: &str) -> bool {
    let hex = |part: &str, least: usize| part.len() >= least && part.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let in_short = word.split_once("..").is_some_and(|(head, _)| hex(head, 4));
    let scid = |by: char| word.split(by).count() == 3 && word.split(by).all(digits) && word.len() >= 9;
    let long =
        word.split(['.', ':']).any(|part| part.len() >= 8 && hex(part, 8) && (part.len() >= 15 || !digits(part)));
    // What holds a whole key somewhere in it, as `rule:02ab…` does.
    let holds = word.as_bytes().split(|b| !b.is_ascii_hexdigit()).any(|run| run.len() >= 32);
    in_short || scid('x') || scid(':') || long || holds
}

/// A number of a text.
struct Number {
    start: usize,
    end: usize,
    hidden: bool,
}

fn without_amounts(text: &str) -> String {
    let mut numbers = numbers(text);
    // What stands beside an amount with a unit is one too, in either direction.
    let between = |a: &Number, b: &Number| {
        let words = text.get(a.end..b.start).unwrap_or_default().trim();
        BETWEEN.contains(&words)
    };
    for i in (1..numbers.len()).chain((1..numbers.len()).rev()) {
        let (before, from) = numbers.split_at_mut(i);
        if let (Some(a), Some(b)) = (before.last_mut(), from.first_mut())
            && between(a, b)
            && (a.hidden || b.hidden)
        {
            (a.hidden, b.hidden) = (true, true);
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for number in numbers.iter().filter(|number| number.hidden) {
        out.push_str(text.get(at..number.start).unwrap_or_default());
        out.push(HIDDEN);
        at = number.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

fn numbers(text: &str) -> Vec<Number> {
    let mut found: Vec<Number> = Vec::new();
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if !c.is_ascii_digit() || before.is_alphanumeric() || before == '.' {
            before = c;
            continue;
        }
        let mut end = start + 1;
        while let Some((at, next)) = chars.peek().copied() {
            let more = text.get(at + 1..).and_then(|rest| rest.chars().next()).is_some_and(|c| c.is_ascii_digit());
            if next.is_ascii_digit() || (matches!(next, ',' | '.' | '_') && more) {
                end = at + 1;
                chars.next();
            } else {
                break;
            }
        }
        let suffix = text.get(end..).and_then(|rest| rest.chars().next()).filter(|c| matches!(c, 'k' | 'M' | 'G'));
        let alone = |rest: &str| !rest.chars().next().is_some_and(char::is_alphanumeric);
        let suffix = suffix.filter(|_| text.get(end + 1..).is_none_or(alone));
        if suffix.is_some() {
            end += 1;
            chars.next();
        }
        let digits = text.get(start..end).unwrap_or_default();
        let unit: String =
            text.get(end..).unwrap_or_default().trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
        let unit = unit.to_lowercase();
        let money = UNITS.contains(&unit.as_str()) || matches!(before, '$' | '€' | '£' | '₿' | '~' | '−');
        let large = (digits.contains(',') || suffix.is_some()) && unit != "ppm";
        found.push(Number { start, end, hidden: money || large });
        before = '0';
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMOUNTS: Hide = Hide { amounts: true, pubkeys: false, aliases: false };
    const PUBKEYS: Hide = Hide { amounts: false, pubkeys: true, aliases: false };
    const ALIASES: Hide = Hide { amounts: false, pubkeys: false, aliases: true };

    #[track_caller]
    fn hides(hide: Hide, text: &str, expected: &str) {
        assert_eq!(Cleaner::new(hide, None, ["carol", "LN ⚡ big", "a"]).clean(text), expected);
    }

    #[test]
    fn amounts_go_and_other_figures_stay() {
        hides(AMOUNTS, "1,221,752 sat of yours in 2 channels", "… sat of yours in 2 channels");
        hides(AMOUNTS, "between 200 and 950 sat for 3 days", "between … and … sat for 3 days");
        hides(AMOUNTS, "refill by 600,000 from carol, at most 50 sat", "refill by … from carol, at most … sat");
        hides(AMOUNTS, "net +12,611.5 · 21.4M out · 590 ppm", "net +… · … out · 590 ppm");
        hides(
            AMOUNTS,
            "fee 1,500 ppm, 92 % outbound since 2026-11-21 06:00",
            "fee 1,500 ppm, 92 % outbound since 2026-11-21 06:00",
        );
        hides(AMOUNTS, "0.00012 BTC or $12.50, ~900 a month", "… BTC or $…, ~… a month");
        hides(AMOUNTS, "lnd 0.21.99 at 03351c90..d716:1", "lnd 0.21.99 at 03351c90..d716:1");
    }

    #[test]
    fn keys_and_ids_go_whole_and_shortened() {
        let key = format!("02{}", "ab".repeat(32));
        hides(PUBKEYS, &format!("peer {key} is gone"), "peer … is gone");
        hides(PUBKEYS, "bob 03351c90..d716, channel 2b241d60..:0 and 2b24..:0.", "bob …, channel … and …");
        hides(PUBKEYS, "800000x12x1 800000:12:1 880000000000000001", "… … …");
        hides(PUBKEYS, &format!("peer-offline:{key}"), "peer-…");
        hides(PUBKEYS, "at 06:00 on 20261121, 12 of 34: facade", "at 06:00 on 20261121, 12 of 34: facade");
    }

    #[test]
    fn known_names_go_and_letters_of_words_stay() {
        hides(ALIASES, "carol and a caroline: carol's fee", "… and … caroline: …'s fee");
        hides(ALIASES, "to LN ⚡ big now", "to … now");
    }

    #[test]
    fn nothing_is_changed_where_nothing_is_hidden() {
        let text = "carol 03351c90..d716 has 1,000 sat";
        hides(Hide::default(), text, text);
    }
}
