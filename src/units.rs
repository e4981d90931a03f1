//! Amounts, rates, times and identifiers, each a type of its own.
//!
//! Money is an integer of msat or sat and never a float. Arithmetic on it saturates: sources refuse amounts above
//! [`Msat::SUPPLY`], so a sum that reaches the limit of the type can only come from a node that lies.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Thousandths of a satoshi. Negative where money was lost or paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Msat(i64);

/// Whole satoshis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sat(i64);

macro_rules! amount {
    ($name:ident) => {
        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The amount as given.
            pub const fn new(value: i64) -> Self {
                Self(value)
            }
            /// The bare number, for storing and printing.
            pub const fn get(self) -> i64 {
                self.0
            }
            /// The amount without its sign.
            pub const fn abs(self) -> Self {
                Self(self.0.saturating_abs())
            }
        }
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(self.0.saturating_neg())
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Add::add)
            }
        }
    };
}
amount!(Msat);
amount!(Sat);

impl Msat {
    /// All bitcoin there can ever be: 21 million, in msat.
    pub const SUPPLY: Self = Self(2_100_000_000_000_000_000);

    /// Whole satoshis, rounded towards minus infinity, as LND's `FeeReport` does for sums of fees.
    pub const fn floor_sat(self) -> Sat {
        Sat(self.0.div_euclid(1000))
    }

    /// Parts per million that this is of `base`; `None` where `base` is not positive.
    pub fn ppm_of(self, base: Self) -> Option<Ppm> {
        if base.0 <= 0 {
            return None;
        }
        let ppm = i128::from(self.0) * 1_000_000 / i128::from(base.0);
        i64::try_from(ppm).ok().map(Ppm)
    }

    /// The share `ppm` of this amount.
    pub fn at(self, ppm: Ppm) -> Self {
        let part = i128::from(self.0) * i128::from(ppm.0) / 1_000_000;
        Self(i64::try_from(part).unwrap_or(if part < 0 { i64::MIN } else { i64::MAX }))
    }

    /// This amount scaled by `numerator / denominator`, rounded towards zero; zero for a denominator of zero.
    pub fn scale(self, numerator: i64, denominator: i64) -> Self {
        if denominator == 0 {
            return Self::ZERO;
        }
        let part = i128::from(self.0) * i128::from(numerator) / i128::from(denominator);
        Self(i64::try_from(part).unwrap_or(if part < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl Sat {
    /// The same amount in msat.
    pub const fn msat(self) -> Msat {
        Msat(self.0.saturating_mul(1000))
    }

    /// The amount in bitcoin with eight decimals, exact.
    pub fn btc(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let abs = self.0.unsigned_abs();
        format!("{sign}{}.{:08}", abs / 100_000_000, abs % 100_000_000)
    }
}

/// A fee rate in parts per million of the amount that is forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ppm(pub i64);

/// A moment: milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// From whole seconds, as most sources give them.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }
    /// Whole seconds, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
    /// Nanoseconds, the unit of stored forwards.
    pub const fn nanos(self) -> i64 {
        self.0.saturating_mul(1_000_000)
    }
    /// This moment moved by `ms` milliseconds.
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
    /// Milliseconds from `earlier` to this moment.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
    /// The civil day in UTC.
    pub fn day(self) -> Day {
        Day(self.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date())
    }
    /// RFC 3339 in UTC, to the second.
    pub fn rfc3339(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
    /// As the time library knows it; moments outside its range are held at its limits.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

/// Milliseconds in an hour and in a day.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A span of time in the largest unit of which it has at least two, rounded down: days, hours or minutes.
pub const fn span(ms: i64) -> (i64, &'static str) {
    let ms = if ms < 0 { 0 } else { ms };
    if ms >= 2 * DAY_MS {
        (ms / DAY_MS, "day")
    } else if ms >= 2 * HOUR_MS {
        (ms / HOUR_MS, "hour")
    } else {
        (ms / 60_000, "minute")
    }
}

/// A civil day in UTC, printed as `2026-11-21`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub jiff::civil::Date);

impl Day {
    /// Midnight at its start.
    pub fn start(self) -> UnixMs {
        let start = self.0.to_zoned(jiff::tz::TimeZone::UTC).map(|z| z.timestamp().as_millisecond());
        UnixMs(start.unwrap_or(0))
    }
    /// The day `n` days later (earlier when negative).
    pub fn plus(self, n: i64) -> Self {
        self.start().plus(n.saturating_mul(DAY_MS)).day()
    }
    /// `20261121`, as in file names.
    pub fn compact(self) -> String {
        self.0.strftime("%Y%m%d").to_string()
    }
    /// Days since 1970-01-01, the form that is stored.
    pub fn number(self) -> i64 {
        self.start().0.div_euclid(DAY_MS)
    }
    /// The inverse of [`Day::number`].
    pub fn from_number(n: i64) -> Self {
        UnixMs(n.saturating_mul(DAY_MS)).day()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError { what: "date", given: text.to_owned(), form: "YYYY-MM-DD, such as 2026-11-21" };
        if text.len() != 10 || !text.is_ascii() {
            return Err(bad());
        }
        text.parse().map(Day).map_err(|_| bad())
    }
}

/// A text that is not the identifier, date or amount it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {given:?} is malformed: expected {form}")]
pub struct ParseError {
    /// What was expected: `pubkey`, `date` and so on.
    pub what: &'static str,
    /// What came instead.
    pub given: String,
    /// The accepted form, in words.
    pub form: &'static str,
}

/// A node's public key, kept as 66 lower-case hex digits that begin with 02 or 03.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pubkey(String);

impl Pubkey {
    /// The key of this x coordinate and an even y.
    pub fn even(x: [u8; 32]) -> Self {
        Self(format!("02{}", hex::encode(x)))
    }

    /// The 66 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// `03351c90..d716`, for people.
    pub fn short(&self) -> String {
        format!("{}..{}", self.0.get(..8).unwrap_or_default(), self.0.get(62..).unwrap_or_default())
    }
}

impl FromStr for Pubkey {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good = text.len() == 66
            && (text.starts_with("02") || text.starts_with("03"))
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError {
                what: "pubkey",
                given: clip(text),
                form: "66 lower-case hex digits that begin with 02 or 03",
            })
        }
    }
}

impl TryFrom<String> for Pubkey {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Pubkey> for String {
    fn from(key: Pubkey) -> Self {
        key.0
    }
}

impl fmt::Display for Pubkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A channel's key: its funding outpoint, `txid:index`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Outpoint(String);

impl Outpoint {
    /// This output of the transaction of this id (in the order in which ids are written).
    pub fn of(txid: [u8; 32], output: u32) -> Self {
        Self(format!("{}:{output}", hex::encode(txid)))
    }

    /// `txid:index`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The transaction that holds it.
    pub fn txid(&self) -> &str {
        self.0.get(..64).unwrap_or_default()
    }
    /// `2b241d60..:0`, for people.
    pub fn short(&self) -> String {
        format!("{}..{}", self.0.get(..8).unwrap_or_default(), self.0.get(64..).unwrap_or_default())
    }
}

impl FromStr for Outpoint {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError {
            what: "outpoint",
            given: clip(text),
            form: "a txid of 64 hex digits, a colon and an index",
        };
        let (txid, index) = text.split_once(':').ok_or_else(bad)?;
        let txid_good = txid.len() == 64 && txid.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let index: u32 = index.parse().map_err(|_| bad())?;
        if txid_good { Ok(Self(format!("{txid}:{index}"))) } else { Err(bad()) }
    }
}

impl TryFrom<String> for Outpoint {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Outpoint> for String {
    fn from(outpoint: Outpoint) -> Self {
        outpoint.0
    }
}

impl fmt::Display for Outpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A short channel id as LND's `chan_id`: block height, transaction index and output in 64 bits.
/// In JSON it is a string, since jq and JavaScript round larger integers than 2^53.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scid(pub u64);

impl Scid {
    /// `698908x1305x0`, for people.
    pub fn short(self) -> String {
        format!("{}x{}x{}", self.0 >> 40, (self.0 >> 16) & 0xff_ffff, self.0 & 0xffff)
    }
    /// The same 64 bits as the signed integer that SQLite keeps.
    pub const fn stored(self) -> i64 {
        self.0.cast_signed()
    }
    /// The inverse of [`Scid::stored`].
    pub const fn from_stored(bits: i64) -> Self {
        Self(bits.cast_unsigned())
    }
}

impl TryFrom<String> for Scid {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        let bad = |_| ParseError { what: "scid", given: clip(&text), form: "a decimal number of 64 bits" };
        text.parse().map(Self).map_err(bad)
    }
}

impl From<Scid> for String {
    fn from(scid: Scid) -> Self {
        scid.0.to_string()
    }
}

impl fmt::Display for Scid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The chain that a node lives on. It belongs to a node's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Real money; the only network that public sources are asked about.
    Mainnet,
    /// Any version of the public test chain.
    Testnet,
    /// The signed test chain.
    Signet,
    /// A private chain for tests.
    Regtest,
    /// btcd's simulation chain.
    Simnet,
}

impl Network {
    /// The name as LND and daznode write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "testnet",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
            Self::Simnet => "simnet",
        }
    }
}

impl FromStr for Network {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Ok(match text {
            "mainnet" => Self::Mainnet,
            "testnet" | "testnet3" | "testnet4" => Self::Testnet,
            "signet" => Self::Signet,
            "regtest" => Self::Regtest,
            "simnet" => Self::Simnet,
            _ => {
                let form = "mainnet, testnet, signet, regtest or simnet";
                return Err(ParseError { what: "network", given: clip(text), form });
            }
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text short enough to stand in an error message.
fn clip(text: &str) -> String {
    let mut cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_down_as_a_sum_and_not_one_by_one() {
        let fees = [Msat::new(999), Msat::new(999), Msat::new(3)];
        assert_eq!(fees.into_iter().sum::<Msat>().floor_sat(), Sat::new(2));
        assert_eq!(Msat::new(-1).floor_sat(), Sat::new(-1));
    }

    #[test]
    fn bitcoin_has_eight_decimals() {
        assert_eq!(Sat::new(1).btc(), "0.00000001");
        assert_eq!(Sat::new(-1_960_000_000).btc(), "-19.60000000");
    }

    #[test]
    fn ppm_needs_a_positive_base_and_does_not_overflow() {
        assert_eq!(Msat::new(590).ppm_of(Msat::new(1_000_000)), Some(Ppm(590)));
        assert_eq!(Msat::new(1).ppm_of(Msat::ZERO), None);
        assert_eq!(Msat::SUPPLY.ppm_of(Msat::SUPPLY), Some(Ppm(1_000_000)));
    }

    #[test]
    fn identifiers_refuse_what_they_are_not() {
        assert!("02".parse::<Pubkey>().is_err());
        let key = format!("03{}", "a".repeat(64));
        assert_eq!(key.parse::<Pubkey>().map(String::from), Ok(key.clone()));
        assert!(key.to_uppercase().parse::<Pubkey>().is_err());
        assert!(format!("{}:x", "0".repeat(64)).parse::<Outpoint>().is_err());
        assert!(format!("{}:1", "0".repeat(64)).parse::<Outpoint>().is_ok());
        assert!("2026-1-01".parse::<Day>().is_err());
        assert!("2026-02-30".parse::<Day>().is_err());
        assert!("2028-02-29".parse::<Day>().is_ok());
    }

    #[test]
    fn a_scid_of_an_alias_survives_the_signed_column() {
        let alias = Scid(16_000_000 << 40 | 3 << 16 | 1);
        assert_eq!(Scid::from_stored(alias.stored()), alias);
        assert!(alias.stored() < 0);
        assert_eq!(alias.short(), "16000000x3x1");
    }

    #[test]
    fn days_are_utc_and_count_from_1970() {
        assert_eq!(UnixMs(DAY_MS - 1).day().number(), 0);
        assert_eq!(UnixMs(-1).day().number(), -1);
        let day: Day = "2028-02-29".parse().unwrap_or(UnixMs(0).day());
        assert_eq!(day.plus(1).to_string(), "2028-03-01");
        assert_eq!(Day::from_number(day.number()), day);
        assert_eq!(day.compact(), "20280229");
    }
}
