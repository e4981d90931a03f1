//! A macaroon as LND writes it: what is in it, read without asking LND.
//!
//! The binary form, version 2, is a list of fields (type, length, bytes). Its identifier is the byte 3 and a protobuf
//! message with the operations that it permits; caveats narrow them. The signature can be checked by LND alone.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretSlice};
use zeroize::Zeroizing;

use super::errors::harmless;
use super::permissions::Permissions;
use crate::units::UnixMs;

/// The longest macaroon that is taken; LND's `admin.macaroon` has 300 bytes.
const LONGEST: usize = 16 << 10;

/// A macaroon. `Debug` does not show its bytes, for who has them has its rights.
#[derive(Clone)]
pub struct Macaroon {
    bytes: SecretSlice<u8>,
    permissions: Option<Permissions>,
    caveats: Vec<Caveat>,
}

/// A condition that narrows a macaroon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// It ends at this time.
    Before(UnixMs),
    /// It is bound to an address, or a range of them.
    Address(String),
    /// Another service must vouch for it; LND takes no such macaroon.
    ThirdParty,
    /// Something else, made harmless.
    Other(String),
}

/// Why bytes are no macaroon that can be used. Never holds any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Version 1.
    #[error("it is of version 1, which LND does not write: give LND's readonly.macaroon")]
    Version1,
    /// The JSON form.
    #[error("it is in the JSON form: give LND's file as it is, in binary")]
    Json,
    /// Ends too early.
    #[error("it is cut off: copy the file again, in binary")]
    Truncated,
    /// Too long.
    #[error("it is far too long to be a macaroon")]
    TooLong,
    /// No macaroon at all.
    #[error("it is no macaroon: give LND's readonly.macaroon")]
    NotOne,
}

impl Macaroon {
    /// Reads the binary form, or hex or base64 of it, as a file or a URI has them.
    pub fn parse(given: &[u8]) -> Result<Self, Error> {
        if given.len() > LONGEST {
            return Err(Error::TooLong);
        }
        let binary = match given.first() {
            Some(2) => Zeroizing::new(given.to_vec()),
            _ => from_text(given)?,
        };
        let (identifier, caveats) = parts(&binary)?;
        let permissions = operations(identifier).map(Permissions::new);
        Ok(Self { bytes: binary.to_vec().into(), permissions, caveats })
    }

    /// The bytes, to be kept in a file of ours.
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose_secret()
    }

    /// As LND wants it in a call.
    pub(super) fn hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.bytes.expose_secret()))
    }

    /// What it permits; `None` where only LND could tell.
    pub fn permissions(&self) -> Option<&Permissions> {
        self.permissions.as_ref()
    }

    /// What narrows it.
    pub fn caveats(&self) -> &[Caveat] {
        &self.caveats
    }

    /// When it ceases to work, where it does.
    pub fn expires(&self) -> Option<UnixMs> {
        let ends = self.caveats.iter().filter_map(|caveat| match caveat {
            Caveat::Before(end) => Some(*end),
            _ => None,
        });
        ends.min()
    }
}

impl fmt::Debug for Macaroon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Macaroon([redacted], permits {:?}, caveats {:?})", self.permissions, self.caveats)
    }
}

/// The binary form out of hex or base64.
fn from_text(given: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = given.trim_ascii();
    if text.starts_with(b"{") {
        return Err(Error::Json);
    }
    if is_version_1(text) {
        return Err(Error::Version1);
    }
    let text = match text.iter().rposition(|b| *b != b'=') {
        Some(last) => text.get(..=last).unwrap_or_default(),
        None => return Err(Error::NotOne),
    };
    let decoded = hex::decode(text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .map(Zeroizing::new)
        .map_err(|_| Error::NotOne)?;
    match decoded.first() {
        Some(2) => Ok(decoded),
        _ if is_version_1(&decoded) => Err(Error::Version1),
        _ => Err(Error::NotOne),
    }
}

/// Version 1 is lines that each begin with their length in four hex digits and a name.
fn is_version_1(bytes: &[u8]) -> bool {
    let length_first = bytes.get(..4).is_some_and(|length| length.iter().all(u8::is_ascii_hexdigit));
    let rest = bytes.get(4..).unwrap_or_default();
    length_first && (rest.starts_with(b"location ") || rest.starts_with(b"identifier "))
}

/// What is left to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number in groups of seven bits, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits.checked_shl(shift)? >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A field's type and bytes; no bytes for type 0, which ends a section.
    fn field(&mut self) -> Option<(u64, &'a [u8])> {
        match self.number()? {
            0 => Some((0, &[])),
            kind => Some((kind, self.bytes()?)),
        }
    }

    /// A field of a protobuf message: its number and bytes, and no bytes for one that is no string.
    fn protobuf(&mut self) -> Option<(u64, &'a [u8])> {
        let tag = self.number()?;
        let bytes = match tag & 7 {
            0 => {
                self.number()?;
                &[]
            }
            2 => self.bytes()?,
            _ => return None,
        };
        Some((tag >> 3, bytes))
    }
}

const END: u64 = 0;
const LOCATION: u64 = 1;
const IDENTIFIER: u64 = 2;
const VERIFICATION: u64 = 4;
const SIGNATURE: u64 = 6;

/// The identifier and the caveats.
fn parts(binary: &[u8]) -> Result<(&[u8], Vec<Caveat>), Error> {
    let mut rest = Rest(binary);
    rest.byte().filter(|version| *version == 2).ok_or(Error::NotOne)?;
    let (identifier, third_party) = section(&mut rest)?.ok_or(Error::NotOne)?;
    if third_party {
        return Err(Error::NotOne);
    }
    let mut caveats = Vec::new();
    while let Some((condition, third_party)) = section(&mut rest)? {
        caveats.push(if third_party { Caveat::ThirdParty } else { caveat(condition) });
    }
    match rest.field().ok_or(Error::Truncated)? {
        (SIGNATURE, signature) if signature.len() == 32 && rest.0.is_empty() => Ok((identifier, caveats)),
        _ => Err(Error::NotOne),
    }
}

/// The identifier of a section, and whether a third party must vouch for it; `None` for an empty one, which ends the list.
fn section<'a>(rest: &mut Rest<'a>) -> Result<Option<(&'a [u8], bool)>, Error> {
    let mut field = rest.field().ok_or(Error::Truncated)?;
    if field.0 == END {
        return Ok(None);
    }
    if field.0 == LOCATION {
        field = rest.field().ok_or(Error::Truncated)?;
    }
    let (IDENTIFIER, identifier) = field else { return Err(Error::NotOne) };
    match rest.field().ok_or(Error::Truncated)? {
        (END, _) => Ok(Some((identifier, false))),
        (VERIFICATION, _) => match rest.field().ok_or(Error::Truncated)? {
            (END, _) => Ok(Some((identifier, true))),
            _ => Err(Error::NotOne),
        },
        _ => Err(Error::NotOne),
    }
}

fn caveat(condition: &[u8]) -> Caveat {
    let text = String::from_utf8_lossy(condition);
    let (name, value) = text.split_once(' ').unwrap_or((&text, ""));
    match name {
        "time-before" => value
            .trim()
            .parse::<jiff::Timestamp>()
            .map_or_else(|_| Caveat::Other(harmless(&text)), |end| Caveat::Before(UnixMs(end.as_millisecond()))),
        "ipaddr" | "iprange" => Caveat::Address(harmless(value)),
        _ => Caveat::Other(harmless(&text)),
    }
}

/// The operations in LND's identifier, each as entity and action.
fn operations(identifier: &[u8]) -> Option<Vec<(String, String)>> {
    let mut message = Rest(identifier);
    message.byte().filter(|version| *version == 3)?;
    let mut operations = Vec::new();
    while !message.0.is_empty() {
        let (number, bytes) = message.protobuf()?;
        if number == 3 {
            let (entity, actions) = operation(bytes)?;
            operations.extend(actions.into_iter().map(|action| (entity.clone(), action)));
        }
    }
    Some(operations)
}

fn operation(bytes: &[u8]) -> Option<(String, Vec<String>)> {
    let mut message = Rest(bytes);
    let mut entity = String::new();
    let mut actions = Vec::new();
    while !message.0.is_empty() {
        let (number, bytes) = message.protobuf()?;
        let text = std::str::from_utf8(bytes).ok()?.to_owned();
        match number {
            1 => entity = text,
            2 => actions.push(text),
            _ => {}
        }
    }
    Some((entity, actions))
}

#[cfg(test)]
mod tests;
