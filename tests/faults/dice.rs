//! Chance that can be repeated: `DAZNODE_SEED` gives the same numbers again.

use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

/// Numbers that look random, the same for the same seed (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    /// From a seed that is told, so that what follows can be repeated.
    pub(crate) fn told(what: &str) -> Self {
        let seed = seed();
        eprintln!("{what}: DAZNODE_SEED={seed} repeats it");
        Self(seed)
    }

    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn less_than(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn below(&mut self, end: Duration) -> Duration {
        let micros = u64::try_from(end.as_micros()).unwrap().max(1);
        Duration::from_micros(self.roll() % micros)
    }
}

pub(crate) fn seed() -> u64 {
    match std::env::var("DAZNODE_SEED") {
        Ok(seed) => seed.parse().expect("DAZNODE_SEED is a number"),
        Err(_) => std::hash::RandomState::new().build_hasher().finish() >> 16,
    }
}
