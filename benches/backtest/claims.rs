//! What the reports themselves say came of followed advice, to be held against the trials of the same advice.

use std::collections::BTreeMap;

use daznode::history::History;
use daznode::units::{DAY_MS, Msat, UnixMs};

use crate::statistics::real;
use crate::trials::Trial;

/// Days after which the reports count.
pub const SPANS: [u32; 2] = [7, 30];

/// Outcomes that the reports counted.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// Gain in 30 days by key, when it was seen to be followed, and days after which it was counted.
    counted: BTreeMap<(String, UnixMs, u32), Msat>,
}

impl Claims {
    /// Takes what a report's history says by now.
    pub fn note(&mut self, history: &History) {
        for advice in &history.advice {
            let Some(followed_at) = advice.followed_at else { continue };
            for outcome in &advice.outcomes {
                if let Some(gained) = outcome.gained {
                    self.counted.insert((advice.key.clone(), followed_at, outcome.days), gained);
                }
            }
        }
    }

    /// What was counted for a trial's advice, in sats a month: that of the same key which was seen to be followed within
    /// two days of the trial's morning.
    pub fn of(&self, trial: &Trial, days: u32) -> Option<f64> {
        let soon = trial.at..=trial.at.plus(2 * DAY_MS);
        let mut same = self
            .counted
            .iter()
            .filter(|((key, followed_at, after), _)| *key == trial.key && soon.contains(followed_at) && *after == days);
        same.next().map(|(_, gained)| real(gained.get()) / 1000.0)
    }
}
