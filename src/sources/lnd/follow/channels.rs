//! Channels and peers that come and go.

use super::decoder::Strange;
use crate::sources::reader::check::{Bad, parse, pubkey};
use crate::sources::reader::wire::{Field, fields};
use crate::sources::streams::{ChannelChange, Seen};
use crate::units::{Outpoint, UnixMs};

/// What a `ChannelEventUpdate` tells; nothing where only a balance moved.
pub(super) fn channel(message: &[u8], at: UnixMs) -> Result<Option<Seen>, Strange> {
    let mut strange = None;
    for field in fields(message) {
        let field = field?;
        let (change, channel) = match field.number {
            1 => (ChannelChange::Opened, text_point(field.bytes(), 3)?),
            2 => (ChannelChange::Closed, text_point(field.bytes(), 1)?),
            3 => (ChannelChange::Active, outpoint(field.bytes())?),
            4 => (ChannelChange::Inactive, outpoint(field.bytes())?),
            6 => (ChannelChange::Pending, point(field.bytes(), 2)?),
            7 => (ChannelChange::Resolved, outpoint(field.bytes())?),
            // Its funding transaction did not come in time, and LND has given it up.
            8 => (ChannelChange::Closed, outpoint(field.bytes())?),
            9 => return Ok(None),
            // What kind it is said to be, which the part that is there says too.
            5 => continue,
            other => {
                strange.get_or_insert(other);
                continue;
            }
        };
        return Ok(Some(Seen::Channel { at, point: channel, change }));
    }
    Err(Strange::part("ChannelEventUpdate", strange))
}

/// What a `PeerEvent` tells.
pub(super) fn peer(message: &[u8], at: UnixMs) -> Result<Seen, Strange> {
    let (mut key, mut kind): (&[u8], u64) = (&[], 0);
    for field in fields(message) {
        let field = field?;
        match field.number {
            1 => key = field.bytes(),
            2 => kind = field.number_value(),
            _ => {}
        }
    }
    let online = match kind {
        0 => true,
        1 => false,
        other => return Err(Strange(format!("PeerEvent type {other}"))),
    };
    Ok(Seen::Peer { at, peer: pubkey(text(key)?)?, online })
}

/// A `ChannelPoint`: the transaction's hash as bytes or as text, and the output.
pub(super) fn outpoint(message: &[u8]) -> Result<Outpoint, Strange> {
    point(message, 3)
}

/// The same with the output under this number: `PendingUpdate` has no hash as text, and the output in its place.
fn point(message: &[u8], output_at: u64) -> Result<Outpoint, Strange> {
    let (mut txid, mut output) = (None, 0);
    for field in fields(message) {
        let field = field?;
        match field.number {
            number if number == output_at => output = index(&field)?,
            1 => txid = Some(hash(field.bytes())?),
            2 => txid = Some(hashed(text(field.bytes())?)?),
            _ => {}
        }
    }
    let txid = txid.ok_or_else(|| Bad::new("channel without a transaction"))?;
    Ok(Outpoint::of(txid, output))
}

/// The `txid:index` that a larger message has under this number.
fn text_point(message: &[u8], number: u64) -> Result<Outpoint, Strange> {
    for field in fields(message) {
        let field = field?;
        if field.number == number {
            return Ok(parse(text(field.bytes())?)?);
        }
    }
    Err(Bad::new("channel without an outpoint").into())
}

/// A transaction's hash as it is written: the bytes of the wire turned round.
fn hash(bytes: &[u8]) -> Result<[u8; 32], Bad> {
    let mut hash: [u8; 32] =
        bytes.try_into().map_err(|_| Bad::new(format_args!("transaction hash of {} bytes", bytes.len())))?;
    hash.reverse();
    Ok(hash)
}

fn hashed(text: &str) -> Result<[u8; 32], Bad> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).map_err(|_| Bad::new("transaction hash"))?;
    Ok(hash)
}

fn index(field: &Field<'_>) -> Result<u32, Bad> {
    let index = field.number_value();
    index.try_into().map_err(|_| Bad::new(format_args!("output {index}")))
}

pub(super) fn text(bytes: &[u8]) -> Result<&str, Bad> {
    std::str::from_utf8(bytes).map_err(|_| Bad::new("text"))
}
