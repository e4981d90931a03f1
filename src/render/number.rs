//! Amounts, shares and times as people read them: separators, units, UTC.

use crate::units::{DAY_MS, Day, HOUR_MS, Msat, Ppm, Sat, UnixMs};

/// The minus of figures; wider than a hyphen, so that a loss is not overlooked.
pub(super) const MINUS: char = '−';

/// `1,221,752`.
pub fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len().saturating_add(digits.len() / 3).saturating_add(3));
    if value < 0 {
        out.push(MINUS);
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && digits.len().saturating_sub(i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Whole sat of an amount in msat, with one decimal below 100,000 sat and three below one sat.
pub fn sat(amount: Msat) -> String {
    let msat = amount.get();
    let abs = msat.unsigned_abs();
    let sign = if msat < 0 { MINUS.to_string() } else { String::new() };
    let whole = thousands(i64::try_from(abs / 1000).unwrap_or(i64::MAX));
    match abs {
        0 => "0".to_owned(),
        1..1_000 => format!("{sign}0.{:03}", abs % 1000),
        1_000..100_000_000 if abs % 1000 >= 100 => format!("{sign}{whole}.{}", abs % 1000 / 100),
        _ => format!("{sign}{whole}"),
    }
}

/// [`sat`] with a sign even where it is positive.
pub fn signed(amount: Msat) -> String {
    if amount > Msat::ZERO { format!("+{}", sat(amount)) } else { sat(amount) }
}

/// Four or five characters for an amount: `950`, `9,500`, `12.6k`, `146k`, `24.3M`, `1,960M`.
pub fn compact(amount: Sat) -> String {
    let value = amount.get();
    let abs = value.unsigned_abs();
    let sign = if value < 0 { MINUS.to_string() } else { String::new() };
    let tenths = |unit: u64| {
        let tenths = (abs / (unit / 10)).saturating_add(u64::from(abs % (unit / 10) >= unit / 20));
        if tenths % 10 == 0 && unit == 1_000 {
            return format!("{sign}{}", tenths / 10);
        }
        format!("{sign}{}.{}", tenths / 10, tenths % 10)
    };
    let whole = |unit: u64| {
        let rounded = (abs / unit).saturating_add(u64::from(abs % unit >= unit / 2));
        format!("{sign}{}", thousands(i64::try_from(rounded).unwrap_or(i64::MAX)))
    };
    match abs {
        0..10_000 => format!("{sign}{}", thousands(i64::try_from(abs).unwrap_or(i64::MAX))),
        10_000..99_950 => format!("{}k", tenths(1_000)),
        99_950..999_500 => format!("{}k", whole(1_000)),
        999_500..99_950_000 => format!("{}M", tenths(1_000_000)),
        _ => format!("{}M", whole(1_000_000)),
    }
}

/// `590 ppm`.
pub fn ppm(rate: Ppm) -> String {
    format!("{} ppm", thousands(rate.0))
}

/// `91 %` of a share from 0 to 1.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 99.0 && percent < 100.0 { ">99 %".to_owned() } else { format!("{percent:.0} %") }
}

/// `Sat 21 Nov 2026`.
pub fn long_day(day: Day) -> String {
    day.0.strftime("%a %-d %b %Y").to_string()
}

/// `Sat 21 Nov 2026 06:00 UTC`.
pub fn moment(at: UnixMs) -> String {
    at.timestamp().strftime("%a %-d %b %Y %H:%M UTC").to_string()
}

/// `2026-11-21 06:00 UTC`.
pub fn short_moment(at: UnixMs) -> String {
    at.timestamp().strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `4 min`, `6 h`, `3 d`: a span of time in its largest fitting unit, rounded down.
pub fn span(ms: i64) -> String {
    let ms = ms.max(0);
    if ms < HOUR_MS {
        format!("{} min", ms / 60_000)
    } else if ms < 2 * DAY_MS {
        format!("{} h", ms / HOUR_MS)
    } else {
        format!("{} d", ms / DAY_MS)
    }
}

/// `1 channel`, `7 channels`.
pub fn count(n: u32, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", thousands(i64::from(n))) }
}

/// `2026-09-01 to 2026-09-21, 2026-09-24`: days in their order, each row of days without a break as one.
pub fn days(days: &[Day]) -> String {
    let mut rows: Vec<(Day, Day)> = Vec::new();
    for day in days {
        match rows.last_mut() {
            Some((_, last)) if last.plus(1) == *day => *last = *day,
            _ => rows.push((*day, *day)),
        }
    }
    let row = |(first, last)| if first == last { format!("{first}") } else { format!("{first} to {last}") };
    rows.into_iter().map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(-1_221_752), "−1,221,752");
        assert_eq!(thousands(i64::MIN), "−9,223,372,036,854,775,808");
    }

    #[test]
    fn sat_of_msat_has_a_decimal_only_where_it_matters() {
        assert_eq!(sat(Msat::ZERO), "0");
        assert_eq!(sat(Msat::new(42)), "0.042");
        assert_eq!(sat(Msat::new(12_630_999)), "12,630.9");
        assert_eq!(sat(Msat::new(12_630_000)), "12,630");
        assert_eq!(sat(Msat::new(-18_700)), "−18.7");
        assert_eq!(sat(Msat::new(99_999_999)), "99,999.9");
        assert_eq!(sat(Msat::new(100_000_900)), "100,000");
        assert_eq!(signed(Msat::new(1_500)), "+1.5");
        assert_eq!(signed(Msat::new(-1_500)), "−1.5");
        assert_eq!(signed(Msat::ZERO), "0");
    }

    #[test]
    fn compact_amounts_round_to_what_they_show() {
        let cases = [
            (0, "0"),
            (9_999, "9,999"),
            (10_000, "10k"),
            (12_649, "12.6k"),
            (99_949, "99.9k"),
            (99_950, "100k"),
            (146_318, "146k"),
            (999_499, "999k"),
            (999_500, "1.0M"),
            (24_350_000, "24.4M"),
            (99_949_999, "99.9M"),
            (1_960_000_000, "1,960M"),
            (-1_500_000, "−1.5M"),
        ];
        for (amount, shown) in cases {
            assert_eq!(compact(Sat::new(amount)), shown);
        }
    }

    #[test]
    fn a_share_just_below_the_whole_does_not_look_whole() {
        assert_eq!(percent(0.914), "91 %");
        assert_eq!(percent(0.999), ">99 %");
        assert_eq!(percent(1.0), "100 %");
    }

    #[test]
    fn times_are_utc_and_spans_have_one_unit() {
        let at = UnixMs(1_795_240_800_000);
        assert_eq!(moment(at), "Sat 21 Nov 2026 06:00 UTC");
        assert_eq!(short_moment(at), "2026-11-21 06:00 UTC");
        assert_eq!(long_day(at.day()), "Sat 21 Nov 2026");
        assert_eq!(span(59 * 60_000), "59 min");
        assert_eq!(span(47 * HOUR_MS), "47 h");
        assert_eq!(span(48 * HOUR_MS), "2 d");
        assert_eq!(span(-5), "0 min");
    }

    #[test]
    fn counts_know_the_singular() {
        assert_eq!(count(1, "channel"), "1 channel");
        assert_eq!(count(0, "channel"), "0 channels");
        assert_eq!(count(2_000, "channel"), "2,000 channels");
    }

    #[test]
    fn days_without_a_break_are_one_row() {
        let day = |n: i64| "2026-09-28".parse::<Day>().unwrap().plus(n);
        assert_eq!(days(&[]), "");
        assert_eq!(days(&[day(0)]), "2026-09-28");
        assert_eq!(
            days(&[0, 1, 2, 3, 5, 7, 8].map(day)),
            "2026-09-28 to 2026-10-01, 2026-10-03, 2026-10-05 to 2026-10-06"
        );
    }
}
