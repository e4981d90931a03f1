//! Where facts come from. Only this module dials out.
//!
//! A node is read through [`NodeSource`], of which there are three: LND over gRPC, a recording of its answers, and a
//! simulated node. Public sources (`mempool`, `amboss`, `remote`, `lnrouter`) add what a node can't know.

pub mod amboss;
pub mod answers;
pub mod backup;
pub mod breaker;
pub mod cache;
pub mod health;
pub mod host;
pub mod http;
pub mod lnd;
pub mod lnrouter;
mod loose;
pub mod mempool;
pub mod position;
pub mod public;
pub mod reader;
pub mod recorder;
pub mod recording;
pub mod remote;
pub mod secret;
pub mod simulated;
pub mod socket;
pub mod spec;
pub mod streams;

use tokio::sync::mpsc;

use crate::snapshot::{Events, Gap, NodeView, SourceSeen};
use crate::units::{Network, Pubkey, UnixMs};

/// From where on the events of a node have to be read; made by the store from what it already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// The newest stored forward, in nanoseconds. A source asks again from 60 s before it.
    pub last_forward_ns: Option<i64>,
    /// The index before the lowest stored payment that is not final, else the highest stored one; 0 for all.
    pub payments_after: u64,
    /// The same for invoices.
    pub invoices_after: u64,
    /// The highest block of which transactions are stored, less a safe distance; 0 for all.
    pub transactions_from_height: u32,
    /// The end of what a watcher's stored coverage has of the peers' connections; `None` before the first.
    pub watched_to: Option<UnixMs>,
}

/// What one collection brought, apart from the events, which went through the channel before it ended.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When it was taken. For a recording, when that was made.
    pub taken_at: UnixMs,
    /// What the node said.
    pub node: NodeView,
    /// What it did not answer.
    pub gaps: Vec<Gap>,
    /// What was not asked or is not there, each part with its reason: not measured rather than missing.
    pub not_measured: Vec<(String, String)>,
    /// How asking it went.
    pub seen: SourceSeen,
}

/// Who answers at an address: enough for `enable` to make a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its key.
    pub pubkey: Pubkey,
    /// Its alias, hostile text.
    pub alias: String,
    /// Its chain.
    pub network: Network,
    /// Its version.
    pub version: String,
}

/// Pages of events on their way to the store. Bounded: a slow disk slows the reading, not the memory.
pub type EventSender = mpsc::Sender<Events>;

/// A node that can be read.
pub trait NodeSource {
    /// Who answers.
    fn identify(&self) -> impl Future<Output = Result<Identity, Error>> + Send;

    /// Reads everything once. Pages of events go to `events` while they come; the rest is returned. A part that
    /// fails is a gap; only what makes every part fail is an error.
    fn observe(&self, resume: &Resume, events: EventSender) -> impl Future<Output = Result<Observation, Error>> + Send;
}

/// Why a node could not be read, with the remedy. Messages never hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing answers at the address.
    #[error("cannot reach {address}: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why, and the remedy.
        reason: String,
    },
    /// It answers, but not in time.
    #[error("{address} did not answer {call} within {seconds} s")]
    Timeout {
        /// Where.
        address: String,
        /// Which call.
        call: String,
        /// The limit.
        seconds: u64,
    },
    /// The certificate is not the one that is pinned, or not valid.
    #[error("certificate of {address}: {reason}")]
    Certificate {
        /// Where.
        address: String,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// The macaroon is refused, by the node or by us.
    #[error("macaroon: {reason}")]
    Macaroon {
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// The node is there but not ready: locked, not created, starting.
    #[error("{address} is not ready: {reason}")]
    NotReady {
        /// Where.
        address: String,
        /// Its state, and the remedy.
        reason: String,
    },
    /// The answer is not what it should be.
    #[error("{address} answered {call} with something that can't be read: {reason}")]
    Answer {
        /// Where.
        address: String,
        /// Which call.
        call: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is longer than what is taken; smaller pages may help.
    #[error("{address} answered {call} with more than the {limit} bytes that are taken")]
    TooLarge {
        /// Where.
        address: String,
        /// Which call.
        call: String,
        /// The limit.
        limit: usize,
    },
    /// The node does not have this call: an older version, or a part that is not built in or not on. A gap.
    #[error("{address} has no {call}: {reason}")]
    NotOffered {
        /// Where.
        address: String,
        /// Which call.
        call: String,
        /// Why, and the remedy.
        reason: String,
    },
    /// Another refusal, in the node's own words.
    #[error("{address} refused {call}: {reason}")]
    Refused {
        /// Where.
        address: String,
        /// Which call.
        call: String,
        /// Its words, made harmless.
        reason: String,
    },
    /// Another node answers than the one that the profile is for.
    #[error("{address} is node {found}, not {expected}")]
    OtherNode {
        /// Where.
        address: String,
        /// Who answers.
        found: String,
        /// Who should.
        expected: String,
    },
    /// A local file or setting that a source needs is missing or wrong.
    #[error("{0}")]
    Setup(String),
}

impl Error {
    /// Whether trying again, unchanged, can help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. } | Self::NotReady { .. } | Self::Refused { .. })
    }

    /// Whether it is about credentials: exit code 4.
    pub const fn is_credentials(&self) -> bool {
        matches!(self, Self::Certificate { .. } | Self::Macaroon { .. } | Self::OtherNode { .. })
    }
}
