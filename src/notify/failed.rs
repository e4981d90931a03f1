//! A try that did not succeed: its words, and whether another one can.

use std::time::Duration;

use crate::render::safe;
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
        // Our own words: they end with a remedy that must not be cut off.
        Self::new(Why::Passing, safe::line(&error.to_string()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_at_the_end_of_a_long_path_is_whole() {
        let path = format!("/home/{}/telegram.token", "b".repeat(120));
        let said = Failed::setup(format!("token {path} can be read by others:\nrun `chmod 600 {path}`")).words;
        assert_eq!(said, format!("token {path} can be read by others: run `chmod 600 {path}`"));
    }
}
