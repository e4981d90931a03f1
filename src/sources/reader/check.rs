//! What a node may say and what it may not: a row with an impossible value is left out, and a gap names it.

use std::fmt::Display;
use std::str::FromStr;

use crate::snapshot::Gap;
use crate::units::{Msat, Ppm, Pubkey, Sat};

/// Why a row is left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::sources) struct Bad(String);

impl Bad {
    pub(in crate::sources) fn new(what: impl Display) -> Self {
        Self(what.to_string())
    }
}

/// All bitcoin there can ever be, in sat.
const SUPPLY_SAT: i64 = Msat::SUPPLY.get() / 1000;

/// An amount that can't be negative.
pub(super) fn sat<T: TryInto<i64> + Copy + Display>(what: &str, value: T) -> Result<Sat, Bad> {
    match value.try_into() {
        Ok(amount) if (0..=SUPPLY_SAT).contains(&amount) => Ok(Sat::new(amount)),
        _ => Err(Bad::new(format_args!("{what} of {value} sat"))),
    }
}

/// An amount of msat that can't be negative.
pub(in crate::sources) fn msat<T: TryInto<i64> + Copy + Display>(what: &str, value: T) -> Result<Msat, Bad> {
    match value.try_into() {
        Ok(amount) if (0..=Msat::SUPPLY.get()).contains(&amount) => Ok(Msat::new(amount)),
        _ => Err(Bad::new(format_args!("{what} of {value} msat"))),
    }
}

/// What a transaction did to the wallet: of either sign.
pub(super) fn change(what: &str, value: i64) -> Result<Sat, Bad> {
    if (-SUPPLY_SAT..=SUPPLY_SAT).contains(&value) {
        Ok(Sat::new(value))
    } else {
        Err(Bad::new(format_args!("{what} of {value} sat")))
    }
}

/// A fee rate as gossip can carry it: 32 bits.
pub(super) fn ppm(what: &str, value: i64) -> Result<Ppm, Bad> {
    if (0..=i64::from(u32::MAX)).contains(&value) {
        Ok(Ppm(value))
    } else {
        Err(Bad::new(format_args!("{what} of {value} ppm")))
    }
}

/// A key, an outpoint: whatever has a form.
pub(in crate::sources) fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, Bad> {
    text.parse().map_err(Bad::new)
}

/// The key in any case of letters: LND writes small ones, others may not.
pub(in crate::sources) fn pubkey(text: &str) -> Result<Pubkey, Bad> {
    parse(&text.to_ascii_lowercase())
}

/// 64 hex digits, or nothing.
pub(super) fn txid(text: &str) -> Result<String, Bad> {
    let good = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if good {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Bad::new(format_args!("transaction id {:?}", clip(text, 80))))
    }
}

/// Text of at most `length` characters: what comes from the network may be of any length.
pub(super) fn clip(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// Text, or `None` where there is none.
pub(super) fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Counts the rows of one answer that can't be believed.
#[derive(Debug)]
pub(super) struct Check {
    part: &'static str,
    rows: usize,
    left_out: usize,
    first: Option<Bad>,
}

impl Check {
    pub(super) const fn new(part: &'static str) -> Self {
        Self { part, rows: 0, left_out: 0, first: None }
    }

    /// The row, unless it can't be believed.
    pub(super) fn keep<T>(&mut self, row: Result<T, Bad>) -> Option<T> {
        self.rows += 1;
        match row {
            Ok(row) => Some(row),
            Err(bad) => {
                self.left_out += 1;
                self.first.get_or_insert(bad);
                None
            }
        }
    }

    /// What to say of it, if anything was left out.
    pub(super) fn gap(self, source: &str) -> Option<Gap> {
        let first = self.first?;
        let reason = format!("{} of {} rows left out, the first for an impossible {first}", self.left_out, self.rows);
        Some(Gap { part: self.part.to_owned(), source: source.to_owned(), reason })
    }
}
