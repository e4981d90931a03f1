//! How amounts, spans and names are written in titles and descriptions.

use crate::units::{Msat, Pubkey, Sat};

/// `1,221,752`
pub(super) fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

/// `1,221,752 sat`
pub(super) fn sat(amount: Sat) -> String {
    format!("{} sat", grouped(amount.get()))
}

/// `12,630.855 sat`: the exact amount, decimals only where there are any.
pub(super) fn msat(amount: Msat) -> String {
    let whole = grouped(amount.get() / 1000);
    let sign = if amount.get() < 0 && amount.get() > -1000 { "-" } else { "" };
    match amount.get().unsigned_abs() % 1000 {
        0 => format!("{whole} sat"),
        part => {
            let decimals = format!("{part:03}");
            format!("{sign}{whole}.{} sat", decimals.trim_end_matches('0'))
        }
    }
}

/// `1 channel`, `2 channels`
pub(super) fn number(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", grouped(i64::try_from(n).unwrap_or(i64::MAX))) }
}

/// `3 days`, `5 hours`, `12 minutes`
pub(super) fn span(ms: i64) -> String {
    let (n, unit) = crate::units::span(ms);
    number(usize::try_from(n).unwrap_or(usize::MAX), unit)
}

/// `12 %` of parts per million.
pub(super) fn percent(ppm: i64) -> String {
    format!("{} %", grouped(ppm.saturating_add(5_000).div_euclid(10_000)))
}

/// What to call a peer: its alias without anything that could disturb a line, else its key in short.
pub(super) fn peer(alias: Option<&str>, key: &Pubkey) -> String {
    let clean: String = alias.unwrap_or_default().chars().filter(|c| !unfit(*c)).take(32).collect();
    let clean = clean.trim();
    if clean.is_empty() { key.short() } else { clean.to_owned() }
}

/// A text of a node, of one line and without control characters.
pub(super) fn line(text: &str) -> String {
    text.chars().filter(|c| !unfit(*c)).take(200).collect()
}

/// Control characters, and those that change the direction or width of what follows.
fn unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{DAY_MS, HOUR_MS};

    #[test]
    fn amounts_have_separators_and_units() {
        assert_eq!(sat(Sat::new(1_221_752)), "1,221,752 sat");
        assert_eq!(sat(Sat::new(-999)), "-999 sat");
        assert_eq!(msat(Msat::new(12_630_855)), "12,630.855 sat");
        assert_eq!(msat(Msat::new(18_690)), "18.69 sat");
        assert_eq!(msat(Msat::new(-500)), "-0.5 sat");
        assert_eq!(msat(Msat::new(-12_500)), "-12.5 sat");
        assert_eq!(grouped(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn spans_use_the_unit_that_fits() {
        assert_eq!(span(3 * DAY_MS), "3 days");
        assert_eq!(span(26 * HOUR_MS), "26 hours");
        assert_eq!(span(60_000), "1 minute");
        assert_eq!(span(-5), "0 minutes");
    }

    #[test]
    fn an_alias_cannot_disturb_a_line() {
        let key: Pubkey = format!("02{}", "a".repeat(64)).parse().unwrap();
        assert_eq!(peer(Some("ev\u{1b}[31mil\u{202e}\n"), &key), "ev[31mil");
        assert_eq!(peer(Some("\u{200b}"), &key), key.short());
        assert_eq!(peer(None, &key), key.short());
    }
}
