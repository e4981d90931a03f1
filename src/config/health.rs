//! How often `watch` checks the sources.

use serde::{Deserialize, Serialize};

use super::within;

/// How often sources are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// Seconds between two checks.
    pub interval_s: u64,
}

impl Default for Health {
    fn default() -> Self {
        Self { interval_s: 60 }
    }
}

/// What its settings may be, in words.
pub(super) const FORMS: &[(&str, &str)] = &[("health.interval_s", "a whole number of seconds from 10 to 3600")];

impl Health {
    /// The first setting that is wrong, with its value.
    pub(super) fn check(self) -> Result<(), (String, String)> {
        within("health.interval_s", self.interval_s, 10, 3600)
    }
}
