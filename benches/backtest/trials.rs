//! One piece of advice tried by itself: of two copies of the node at that moment one does what is said and the other does
//! not, and nothing else is done on either. What the one has earned more in the end is the real gain.

use daznode::report::{Act, Recommendation};
use daznode::sources::simulated::{Done, Sim, SimAct, Totals};
use daznode::units::{Msat, Sat, UnixMs};

use crate::acts;
use crate::operators::{Operator, net};
use crate::statistics::real;

/// Of what a close gave back, so much goes into the next channel: the rest pays for it.
const REOPENED_PERCENT: i64 = 95;

/// What came of one piece of advice.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its kind.
    pub kind: String,
    /// `kind:subject`.
    pub key: String,
    /// The morning on which it was given.
    pub at: UnixMs,
    /// What it promised a month.
    pub promised: Sat,
    /// Within what, four times in five.
    pub interval: Option<[Sat; 2]>,
    /// Whether it could be done: a refill may find no route at its price.
    pub done: bool,
    /// More net than without it, over all days of the trial.
    pub more: Msat,
    /// What opening or closing cost, which the promise does not hold: it stands beside it.
    pub once: Msat,
    pub days: u32,
}

impl Trial {
    /// What it brought in 30 days, in the terms of the promise.
    pub fn gained(&self) -> f64 {
        real((self.more + self.once).get()) / 1000.0 * 30.0 / f64::from(self.days.max(1))
    }

    /// Of what was promised.
    pub fn kept(&self) -> Option<f64> {
        (self.promised > Sat::ZERO).then(|| self.gained() / real(self.promised.get()))
    }

    /// Whether it brought what lies within the promised interval.
    pub fn within(&self) -> Option<bool> {
        let [low, high] = self.interval?.map(|end| real(end.get()));
        Some((low..=high).contains(&self.gained()))
    }

    /// Whether it brought more than it cost within the trial.
    pub fn paid(&self) -> bool {
        self.more > Msat::ZERO
    }
}

/// The node as it goes on when nothing is done, to hold trials of that morning against.
pub struct Without {
    start: Sim,
    from: Totals,
    to: Totals,
    days: u32,
}

impl Without {
    pub fn of(sim: &Sim, days: u32) -> Self {
        let end = Operator::Nothing.live(sim.clone(), days);
        Self { start: sim.clone(), from: sim.totals(), to: end.totals(), days }
    }

    /// Tries one piece of advice; `None` where it has no act or promises no figure.
    pub fn try_out(&self, advice: &Recommendation) -> Option<Trial> {
        let (act, promised) = (advice.act.as_ref()?, advice.estimated_gain_sats_month?);
        let mut sim = self.start.clone();
        let Done { happened, cost, moved, .. } = sim.do_act(&acts::simulated(act));
        let mut once = if matches!(act, Act::Open { .. } | Act::Close { .. }) { cost } else { Msat::ZERO };
        let mut days = self.days;
        if happened && matches!(act, Act::Close { .. }) {
            let (waited, cost) = put_to_work(&mut sim, moved, days);
            (days, once) = (days - waited, once + cost);
        }
        let end = if happened { Operator::Nothing.live(sim, days).totals() } else { self.to };
        Some(Trial {
            kind: acts::kind(advice).to_owned(),
            key: advice.advice_key.clone(),
            at: self.start.now(),
            promised,
            interval: advice.gain_low_sats_month.zip(advice.gain_high_sats_month).map(|(low, high)| [low, high]),
            done: happened,
            more: net(&self.from, &end) - net(&self.from, &self.to),
            once,
            days: self.days,
        })
    }
}

/// Opens a channel with what a closed one gave back, since that is what closing promises: with the first candidate that
/// the graph offers, on the first morning on which the wallet holds it. The days that passed, and what it cost.
fn put_to_work(sim: &mut Sim, freed: Msat, days: u32) -> (u32, Msat) {
    let capacity = Sat::new(freed.floor_sat().get() * REOPENED_PERCENT / 100);
    for day in 0..days {
        let candidates = sim.snapshot().node.market.map(|market| market.candidates).unwrap_or_default();
        for candidate in candidates {
            let done = sim.do_act(&SimAct::Open { peer: candidate.market.pubkey, capacity });
            if done.happened {
                return (day, done.cost);
            }
        }
        sim.live_day();
    }
    (days, Msat::ZERO)
}

/// Some of the advice that can be tried, chosen without a look at what it says: by a hash of seed, morning and key.
pub fn some<'a>(
    all: impl Iterator<Item = &'a Recommendation>,
    seed: u64,
    morning: UnixMs,
    most: usize,
) -> Vec<&'a Recommendation> {
    let mut found: Vec<(u64, &Recommendation)> = all
        .filter(|advice| advice.act.is_some() && advice.estimated_gain_sats_month.is_some())
        .map(|advice| (hash(seed, morning, &advice.advice_key), advice))
        .collect();
    found.sort_by_key(|(hash, _)| *hash);
    found.into_iter().take(most).map(|(_, advice)| advice).collect()
}

/// FNV-1a.
pub fn hash(seed: u64, morning: UnixMs, key: &str) -> u64 {
    let bytes = seed.to_le_bytes().into_iter().chain(morning.0.to_le_bytes()).chain(key.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
