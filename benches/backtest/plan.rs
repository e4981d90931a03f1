//! How much of everything.

use std::ops::RangeInclusive;

use daznode::units::Day;

/// Which nodes live for how long, and how often a piece of advice is tried by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// One node each.
    pub seeds: RangeInclusive<u64>,
    /// Days that each lives before anything is done, so that there is a past to judge.
    pub warm_up: u32,
    /// Days that advice is followed.
    pub days: u32,
    /// Every so many days some of the advice is tried by itself.
    pub try_every: u32,
    /// At most so many pieces of advice on such a day.
    pub tries: usize,
    /// Days that such a trial lasts.
    pub trial_days: u32,
    /// Every so many nodes one is in the long run and in those with other models; odd, so that all kinds are among them.
    pub one_in: u64,
    /// Days of the long run, in which channels are opened and closed too.
    pub long_days: u32,
}

/// What is published.
pub const FULL: Plan = Plan {
    seeds: 1_001..=1_200,
    warm_up: 35,
    days: 60,
    try_every: 5,
    tries: 5,
    trial_days: 30,
    one_in: 3,
    long_days: 180,
};

/// What only shows that it works.
pub const QUICK: Plan =
    Plan { seeds: 1..=6, warm_up: 10, days: 20, try_every: 5, tries: 2, trial_days: 5, one_in: 3, long_days: 20 };

impl Plan {
    /// The seeds of the long run and of those with other models: every so many of all.
    pub fn few(&self) -> Vec<u64> {
        let step = usize::try_from(self.one_in).unwrap_or(1).max(1);
        self.seeds.clone().step_by(step).collect()
    }
}

/// The day on which all nodes are born: a Thursday.
pub fn born() -> Day {
    Day::from_number(20_454)
}
