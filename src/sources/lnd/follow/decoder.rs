//! What a stream's messages tell. A message of a kind that is not known, or that can't be, is passed on as that.

use prost::DecodeError;

use super::forwards::Forwards;
use super::{channels, graph, htlcs};
use crate::sources::reader::check::Bad;
use crate::sources::reader::wire::Malformed;
use crate::sources::streams::{Seen, Stream};
use crate::units::{Pubkey, UnixMs};

/// The most that is kept of a message that is not understood.
const KEPT: usize = 1024;

/// A message, or a part of one, that is not understood: what it is called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Strange(pub(super) String);

impl From<Bad> for Strange {
    fn from(bad: Bad) -> Self {
        Self(format!("an impossible {bad}"))
    }
}

impl From<Malformed> for Strange {
    fn from(malformed: Malformed) -> Self {
        Self(malformed.to_string())
    }
}

impl From<DecodeError> for Strange {
    fn from(_: DecodeError) -> Self {
        Malformed.into()
    }
}

impl Strange {
    /// A message without any part that is known: the number of the first that is not.
    pub(super) fn part(message: &str, number: Option<u64>) -> Self {
        Self(number.map_or_else(|| format!("{message} of nothing"), |n| format!("{message} field {n}")))
    }

    /// For the listener.
    pub(super) fn seen(self, at: UnixMs, message: &[u8]) -> Seen {
        let bytes = message.get(..KEPT).unwrap_or(message).to_vec();
        Seen::Unknown { at, kind: self.0, bytes }
    }
}

/// Reads the messages of one stream of one node.
#[derive(Debug)]
pub struct Decoder {
    stream: Stream,
    own: Pubkey,
    forwards: Forwards,
}

impl Decoder {
    /// One that has read nothing yet.
    pub fn new(stream: Stream, own: &Pubkey) -> Self {
        Self { stream, own: own.clone(), forwards: Forwards::default() }
    }

    pub(super) const fn stream(&self) -> Stream {
        self.stream
    }

    /// What a message that came at this time tells.
    pub fn read(&mut self, message: &[u8], at: UnixMs, told: &mut Vec<Seen>) {
        let read = match self.stream {
            Stream::Htlcs => htlcs::read(message, at, &mut self.forwards).map(|seen| told.extend(seen)),
            Stream::Channels => channels::channel(message, at).map(|seen| told.extend(seen)),
            Stream::Peers => channels::peer(message, at).map(|seen| told.push(seen)),
            Stream::Graph => graph::read(message, at, &self.own, told),
        };
        if let Err(strange) = read {
            told.push(strange.seen(at, message));
        }
    }
}
