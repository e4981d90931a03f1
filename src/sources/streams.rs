//! What a node tells by itself, as it happens: failed forwards, channels, peers, policies.
//!
//! A stream may end at any time. What was told between two [`Word::Alive`] of a stream was watched; what lies between an
//! end and the next beginning was not.

use tokio::sync::mpsc;

use super::Error;
use crate::snapshot::{FailedForward, Policy};
use crate::units::{Outpoint, Pubkey, UnixMs};

/// One of the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Forwards that fail.
    Htlcs,
    /// Channels that open, close, come and go.
    Channels,
    /// Peers that come and go.
    Peers,
    /// Policies of the node's channels and its peers' sides of them.
    Graph,
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Htlcs, Self::Channels, Self::Peers, Self::Graph];

    /// As in the store: `htlcs`, `channels`, `peers`, `graph`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Htlcs => "htlcs",
            Self::Channels => "channels",
            Self::Peers => "peers",
            Self::Graph => "graph",
        }
    }
}

/// What came of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelChange {
    /// Its funding transaction was made.
    Pending,
    /// It can be used.
    Opened,
    /// It is over.
    Closed,
    /// It can carry HTLCs.
    Active,
    /// It can't for now.
    Inactive,
    /// It is done with on the chain.
    Resolved,
}

impl ChannelChange {
    /// As in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Resolved => "resolved",
        }
    }
}

/// Something that a stream told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A forward failed.
    Failed {
        /// What is known of it.
        forward: FailedForward,
        /// LND's own word for why.
        detail: String,
    },
    /// A forward settled; its money is in the forwarding history.
    Settled {
        /// When.
        at_ns: i64,
    },
    /// A channel changed.
    Channel {
        /// When we heard.
        at: UnixMs,
        /// The channel.
        point: Outpoint,
        /// How.
        change: ChannelChange,
    },
    /// A peer came or went.
    Peer {
        /// When we heard.
        at: UnixMs,
        /// Who.
        peer: Pubkey,
        /// Whether it is connected now.
        online: bool,
    },
    /// A policy was announced for one side of a channel.
    Policy {
        /// When we heard.
        at: UnixMs,
        /// The channel.
        point: Outpoint,
        /// Who announced it.
        by: Pubkey,
        /// What it is now.
        policy: Policy,
    },
    /// Something of a kind that this daznode does not know.
    Unknown {
        /// When we heard.
        at: UnixMs,
        /// Its number or name in LND's message.
        kind: String,
        /// The message as it came, at most 1 KiB of it.
        bytes: Vec<u8>,
    },
}

/// What is heard of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It stands: from now on nothing is missed.
    Began {
        /// Which.
        stream: Stream,
        /// When.
        at: UnixMs,
    },
    /// It told something.
    Told {
        /// Which.
        stream: Stream,
        /// What.
        seen: Seen,
    },
    /// It still stands, though it may have had nothing to tell.
    Alive {
        /// Which.
        stream: Stream,
        /// When that was known.
        at: UnixMs,
    },
    /// It is gone, or does not begin; it is tried again. One that does not begin is said to have ended once for each error.
    Ended {
        /// Which.
        stream: Stream,
        /// When that was noticed.
        at: UnixMs,
        /// The last time at which it is known to have stood; where it never did, when it was first tried.
        stood_until: UnixMs,
        /// Why.
        error: Error,
    },
}

/// Where words go. Bounded: a slow disk slows the reading, not the memory.
pub type WordSender = mpsc::Sender<Word>;
