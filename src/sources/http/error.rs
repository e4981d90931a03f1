//! Why a source gave no answer.

use std::time::Duration;

/// Why a source gave no answer. One line, without a key and without the path that was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting is wrong.
    #[error("{0}")]
    Setup(String),
    /// Nothing may be sent.
    #[error("offline: nothing was sent to {host}")]
    Offline {
        /// Whom.
        host: String,
    },
    /// It may not be dialled, or sends us where we don't go.
    #[error("{host} is refused: {reason}")]
    Refused {
        /// Whom.
        host: String,
        /// Why.
        reason: String,
    },
    /// Nothing answers.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// Whom.
        host: String,
        /// Why.
        reason: String,
    },
    /// It is too slow.
    #[error("{host} did not answer within {seconds} s")]
    Timeout {
        /// Whom.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// It wants to be left alone.
    #[error("{host} asks to be left alone (HTTP {status}); not asked again in this run")]
    Busy {
        /// Whom.
        host: String,
        /// Its status.
        status: u16,
        /// For how long, where it says so and that is more than daznode waits.
        wait: Option<Duration>,
    },
    /// It failed a moment ago.
    #[error("{host} was not asked: {reason}")]
    LeftAlone {
        /// Whom.
        host: String,
        /// What it did.
        reason: String,
    },
    /// It answers with an error.
    #[error("{host} answered HTTP {status}{excerpt}")]
    Status {
        /// Whom.
        host: String,
        /// Its status.
        status: u16,
        /// The beginning of its words, made harmless.
        excerpt: String,
    },
    /// Its answer is too big.
    #[error("{host} answered with more than {mib} MiB")]
    TooBig {
        /// Whom.
        host: String,
        /// The limit.
        mib: usize,
    },
    /// Its answer is not what it should be.
    #[error("{host} answered with something that can't be read: {reason}")]
    Malformed {
        /// Whom.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
}
