//! A try that did not succeed: its words, and whether another one can.

use std::time::Duration;

use crate::sources::http;

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub(super) struct Failed {
    /// One line without any secret.
    pub(super) words: String,
    /// What it means.
    pub(super) why: Why,
}

/// What a failure means for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The service can't be reached, or fails: it may do later.
    Passing,
    /// It asks to be left alone.
    Busy(Duration),
    /// It does not take anything from us: what is set up is wrong.
    Refused,
    /// It does not take this message.
    Unfit,
}

impl Failed {
    /// With its words.
    pub(super) fn new(why: Why, words: impl Into<String>) -> Self {
        Self { words: words.into(), why }
    }

    /// A file or setting is wrong: nothing was sent.
    pub(super) fn setup(error: impl std::fmt::Display) -> Self {
        Self::new(Why::Passing, http::line(&error.to_string()))
    }
}

impl From<http::Error> for Failed {
    fn from(error: http::Error) -> Self {
        let why = match &error {
            http::Error::Busy { wait, .. } => wait.map_or(Why::Passing, Why::Busy),
            http::Error::Refused { .. } => Why::Refused,
            _ => Why::Passing,
        };
        Self::new(why, error.to_string())
    }
}
