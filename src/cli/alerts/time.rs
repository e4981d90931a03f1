//! What is typed with an alert: until when, and words.

use crate::units::{DAY_MS, Day, HOUR_MS, UnixMs};

/// The longest mute: a year. What is never to be heard of is better switched off by its threshold.
const MOST_DAYS: i64 = 366;

/// A comment or a reason: one line that says something.
pub(super) fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("expected some words".to_owned());
    }
    if text.chars().count() > 500 {
        return Err("expected at most 500 characters".to_owned());
    }
    Ok(super::text::line(text))
}

/// A moment after `now`: a day, a moment of one, or a time from now.
pub(super) fn until(text: &str, now: UnixMs) -> Result<UnixMs, String> {
    let shown = super::text::line(&text.chars().take(40).collect::<String>());
    let form = "expected a day such as 2026-12-01, a moment such as 2026-12-01T06:00Z, or a time from now such as 3d, 12h or 30m";
    let at =
        span(text).map(|ms| now.plus(ms)).or_else(|| moment(text)).ok_or_else(|| format!("--until {shown}: {form}"))?;
    if at <= now {
        return Err(format!("--until {shown}: it is over already; the time is UTC"));
    }
    if at.since(now) > MOST_DAYS * DAY_MS {
        return Err(format!("--until {shown}: expected at most a year from now"));
    }
    Ok(at)
}

/// `3d`, `12h`, `30m`.
fn span(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "d" => DAY_MS,
        "h" => HOUR_MS,
        "m" => 60_000,
        _ => return None,
    };
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| number.parse::<i64>().ok()?.checked_mul(unit)).flatten()
}

fn moment(text: &str) -> Option<UnixMs> {
    let day = text.parse::<Day>().ok().map(Day::start);
    day.or_else(|| text.parse::<jiff::Timestamp>().ok().map(|at| UnixMs(at.as_millisecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_795_240_800_000);

    #[test]
    fn until_is_a_day_a_moment_or_a_time_from_now() {
        let at = |text: &str| until(text, NOW).map(UnixMs::rfc3339);
        assert_eq!(at("3d").unwrap(), "2026-11-24T06:00:00Z");
        assert_eq!(at("12h").unwrap(), "2026-11-21T18:00:00Z");
        assert_eq!(at("30m").unwrap(), "2026-11-21T06:30:00Z");
        assert_eq!(at("2026-12-01").unwrap(), "2026-12-01T00:00:00Z");
        assert_eq!(at("2026-12-01T07:00+01:00").unwrap(), "2026-12-01T06:00:00Z");
        for bad in ["", "d", "3", "3w", "-3d", "+3d", "3 d", "tomorrow", "2026-02-30", "99999999999999999999d", "é"] {
            assert!(at(bad).unwrap_err().contains("expected a day"), "{bad}");
        }
        assert!(at("0h").unwrap_err().contains("over already"));
        assert!(at("2026-11-21").unwrap_err().contains("over already"));
        assert!(at("367d").unwrap_err().contains("at most a year"));
        assert!(at("9000000000d").unwrap_err().contains("at most a year"));
    }

    #[test]
    fn words_are_one_harmless_line() {
        assert_eq!(words(" new\ndisk ").unwrap(), "new disk");
        assert!(!words("a\u{1b}[31m").unwrap().contains('\u{1b}'));
        assert!(words(" \n").is_err() && words(&"a".repeat(501)).is_err());
    }
}
