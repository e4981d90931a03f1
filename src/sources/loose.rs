//! Numbers and texts as public sources write them: `12`, `"12"`, `12.0`, null, or something else altogether.
//!
//! Every field is read for itself: one that is not what it should be is `None`, and never spoils the rest.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longest text that is kept of a field; aliases have at most 32 bytes.
const LONGEST: usize = 120;

/// A JSON value of which only numbers and short texts matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Loose {
    /// Null, missing, a list, an object, true or false.
    #[default]
    Nothing,
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Real(f64),
    /// A text.
    Text(String),
}

impl Loose {
    /// The whole number, rounded, if it is from 0 to `most`.
    pub(super) fn whole(&self, most: i64) -> Option<i64> {
        self.scaled(0, most)
    }

    /// The number times ten to the power of `digits`, rounded, if that is from 0 to `most`.
    pub(super) fn scaled(&self, digits: u32, most: i64) -> Option<i64> {
        let scaled = match self {
            Self::Nothing => None,
            Self::Whole(number) => number.checked_mul(10_i64.checked_pow(digits)?),
            Self::Real(number) => shift(*number, digits),
            Self::Text(text) => match text.trim().parse::<i64>() {
                Ok(number) => number.checked_mul(10_i64.checked_pow(digits)?),
                Err(_) => shift(text.trim().parse().ok()?, digits),
            },
        };
        scaled.filter(|number| (0..=most).contains(number))
    }

    /// A whole number that fits.
    pub(super) fn count(&self) -> Option<u32> {
        self.whole(u32::MAX.into()).and_then(|number| u32::try_from(number).ok())
    }

    /// A text that is not empty, cut where it is too long to be one.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) if !text.trim().is_empty() => Some(text.chars().take(LONGEST).collect()),
            _ => None,
        }
    }
}

/// Moves the decimal point by writing the number out: exact to the last digit that is asked for.
fn shift(number: f64, digits: u32) -> Option<i64> {
    if !number.is_finite() || number.abs() > 1e15 {
        return None;
    }
    let digits = usize::try_from(digits).ok()?;
    format!("{number:.digits$}").replace('.', "").parse().ok()
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }
    fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose::Whole(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(i64::try_from(number).map_or(Loose::Nothing, Loose::Whole))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
        Ok(Loose::Real(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.chars().take(LONGEST).collect()))
    }
    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Nothing)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Loose, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Nothing)
    }
}

/// JSON into the fields that matter, or why that can't be, in words.
pub(super) fn parse<'de, T: Deserialize<'de>>(body: &'de str) -> Result<T, String> {
    let body = body.trim_start_matches('\u{feff}').trim();
    if body.is_empty() {
        return Err("it is empty".to_owned());
    }
    serde_json::from_str(body).map_err(|error| {
        if body.starts_with('<') {
            return "it is a web page, not JSON: is the address right, or a login in between?".to_owned();
        }
        // The library's own words can repeat the text that it read; the place is enough.
        let what = match error.classify() {
            serde_json::error::Category::Data => "its JSON has another shape",
            serde_json::error::Category::Eof => "its JSON breaks off",
            _ => "it is not JSON",
        };
        format!("{what} (line {} column {})", error.line(), error.column())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loose(json: &str) -> Loose {
        parse(json).unwrap()
    }

    #[test]
    fn numbers_come_as_numbers_or_as_texts() {
        for (json, want) in [
            ("12", Some(12)),
            ("\"12\"", Some(12)),
            ("12.0", Some(12)),
            ("\"12.6\"", Some(13)),
            ("1e3", Some(1000)),
            ("\" 7 \"", Some(7)),
            ("0", Some(0)),
            ("-1", None),
            ("1001", None),
            ("\"NaN\"", None),
            ("\"inf\"", None),
            ("1e300", None),
            ("18446744073709551615", None),
            ("99999999999999999999999", None),
            ("\"abc\"", None),
            ("\"\"", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
            ("{\"a\":1}", None),
        ] {
            assert_eq!(loose(json).whole(1000), want, "{json}");
        }
    }

    #[test]
    fn fractions_are_scaled_without_drift() {
        assert_eq!(loose("0.2").scaled(3, 1_000_000), Some(200));
        assert_eq!(loose("\"1.234\"").scaled(3, 1_000_000), Some(1234));
        assert_eq!(loose("1.0005").scaled(3, 1_000_000), Some(1000), "to the nearest even thousandth below");
        assert_eq!(loose("98765.43").scaled(2, i64::MAX), Some(9_876_543));
        assert_eq!(loose("9223372036854775807").scaled(3, i64::MAX), None, "too big to scale");
        assert_eq!(loose("-0.0").scaled(3, 10), Some(0));
    }

    #[test]
    fn texts_are_cut_and_empty_ones_are_nothing() {
        assert_eq!(loose("\"  \"").text(), None);
        assert_eq!(loose("\"bob\"").text().as_deref(), Some("bob"));
        assert_eq!(loose(&format!("\"{}\"", "é".repeat(500))).text().unwrap().chars().count(), LONGEST);
    }

    #[test]
    fn what_is_not_json_is_told_in_words_that_repeat_none_of_it() {
        let why = |body: &str| parse::<Loose>(body).unwrap_err();
        assert_eq!(why(""), "it is empty");
        assert!(why("<!doctype html><title>Log in</title>").starts_with("it is a web page"));
        assert_eq!(why("secret words"), "it is not JSON (line 1 column 1)");
        assert_eq!(why("[1"), "its JSON breaks off (line 1 column 2)");
        assert!(why("1e400").starts_with("it is not JSON"), "{}", why("1e400"));
    }

    #[test]
    fn nesting_however_deep_takes_no_stack() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let (opened, closed) = (open.repeat(100_000), close.repeat(100_000));
            assert_eq!(parse::<Loose>(&format!("{opened}1{closed}")), Ok(Loose::Nothing));
            assert!(parse::<Loose>(&opened).is_err());
        }
    }
}
