//! Settings of `daznode watch`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::within;

/// How nodes are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Seconds between two looks at balances and peers.
    pub sample_s: u64,
    /// Minutes by which a report may be late before that is told; 0 never tells.
    pub late_minutes: u64,
}

impl Default for Watch {
    fn default() -> Self {
        Self { sample_s: 300, late_minutes: 120 }
    }
}

/// The settings and what each may be.
pub(super) const FORMS: [(&str, &str); 2] = [
    ("watch.sample_s", "a whole number of seconds from 30 to 3600"),
    ("watch.late_minutes", "a whole number of minutes from 0 to 10080"),
];

impl Watch {
    pub(super) fn check(self) -> Result<(), (String, String)> {
        within("watch.sample_s", self.sample_s, 30, 3600)?;
        within("watch.late_minutes", self.late_minutes, 0, 10_080)
    }

    /// How often a node is looked at.
    pub const fn sample(self) -> Duration {
        Duration::from_secs(self.sample_s)
    }

    /// How late a report may be.
    pub fn late(self) -> Option<Duration> {
        (self.late_minutes > 0).then(|| Duration::from_secs(self.late_minutes * 60))
    }
}
