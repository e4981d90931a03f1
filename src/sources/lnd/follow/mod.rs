//! LND's streams, followed for as long as somebody listens: each begins again when it ended, whatever ended it.
//!
//! LND sends nothing on a stream before its first message, and a stream on which nothing happens looks like one whose
//! other end is gone. So beside each stream LND is asked for its state over the same connection: what answers stands.

mod channels;
mod decoder;
mod failures;
mod forwards;
mod graph;
mod htlcs;
mod stream;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::sync::watch;

use super::channel::{Connection, KeepAlive, Options};
use crate::sources::Error;
use crate::sources::streams::{Stream, WordSender};
use crate::units::{Pubkey, UnixMs};

pub use decoder::Decoder;

/// Times that following keeps to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long after the call a stream that says nothing is taken to stand, if LND answers then.
    pub settle: Duration,
    /// How often it is made sure that a stream stands.
    pub alive_every: Duration,
    /// How long LND may take to answer that.
    pub alive_within: Duration,
    /// The shortest pause before another try.
    pub retry_least: Duration,
    /// The longest.
    pub retry_most: Duration,
    /// The pause after a refusal that only an operator can end.
    pub refused_pause: Duration,
    /// The wall clock may differ from the time that passed by this much. More is a sleep of the machine, or a clock that was set.
    pub clock_slack: Duration,
}

impl Default for Limits {
    /// A dead connection is noticed within 35 s.
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(1),
            alive_every: Duration::from_secs(20),
            alive_within: Duration::from_secs(15),
            retry_least: Duration::from_secs(1),
            retry_most: Duration::from_secs(60),
            refused_pause: Duration::from_secs(600),
            clock_slack: Duration::from_secs(30),
        }
    }
}

/// A connection of its own for the streams of one node.
#[derive(Debug)]
pub struct Follower {
    connection: Connection,
    limits: Limits,
}

impl Follower {
    /// Dials nothing yet. Certificate and macaroon stay as they are: who wants a changed file read makes another. Has to be
    /// called within a runtime.
    pub fn new(options: &Options, limits: Limits) -> Result<Self, Error> {
        let alive = KeepAlive { every: limits.alive_every, within: limits.alive_within };
        Ok(Self { connection: Connection::to_follow(options, alive)?, limits })
    }

    /// Follows these streams of the node `own`. Ends well when nobody listens any more, and with an error when LND takes this
    /// certificate or macaroon for no stream at all: then the files have to be read again. A listener who is slow slows the
    /// reading.
    pub async fn follow(
        &self,
        own: &Pubkey,
        streams: &[Stream],
        clock: &dyn Fn() -> UnixMs,
        out: WordSender,
    ) -> Result<(), Error> {
        let (refusals, mut refused) = watch::channel(Vec::new());
        let each = streams.iter().map(|&stream| {
            let decoder = Decoder::new(stream, own);
            stream::Followed::new(&self.connection, &self.limits, decoder, clock, out.clone()).run(&refusals)
        });
        tokio::select! {
            _ = futures_util::future::join_all(each) => Ok(()),
            Ok(all) = refused.wait_for(|all: &Vec<Error>| all.len() == streams.len()) => {
                all.first().map_or(Ok(()), |error| Err(error.clone()))
            }
        }
    }
}
