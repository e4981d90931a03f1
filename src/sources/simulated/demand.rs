//! What people want to send through the node on one day. It depends on the seed, the day and the peers, never on what
//! the node did: two lives that differ by one act see the same wishes.

use super::dice::{Dice, MILLION, quantile, whole};
use super::model::Model;
use super::peer::Character;
use crate::units::{DAY_MS, HOUR_MS, Msat, Sat, UnixMs};

/// A payment that somebody wants to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) at_ns: i64,
    /// From this peer, to that one, by their place among the peers.
    pub(super) from: usize,
    pub(super) to: usize,
    /// What is to leave us.
    pub(super) amount: Msat,
    /// The most that is paid for it.
    pub(super) bears: Msat,
    /// Fails behind us.
    pub(super) fails: bool,
    /// Comes also soon after a failure.
    pub(super) fresh: bool,
    /// Is tried again smaller.
    pub(super) splits: bool,
}

/// Amounts in sat: most are small, most money is in large ones. The mean is near 190,000.
const AMOUNTS: [(i64, i64); 8] = [
    (0, 100),
    (250_000, 8_000),
    (500_000, 40_000),
    (750_000, 150_000),
    (900_000, 450_000),
    (970_000, 1_000_000),
    (995_000, 2_500_000),
    (MILLION, 6_000_000),
];
const MEAN_AMOUNT: i64 = 190_000;
/// What a base fee of others is taken as, in msat: half ask none, most others one satoshi.
const OTHERS_BASE: i64 = 500;
/// The weight of each hour of the day, UTC.
const HOURS: [i64; 24] =
    [45, 35, 30, 28, 30, 40, 60, 80, 100, 115, 120, 125, 125, 130, 135, 135, 135, 130, 125, 120, 110, 95, 75, 60];

/// All wishes between these peers in the 24 hours from `start` on, in the order of time. `reference` is the push of all
/// peers that was usual when the node was born, in thousandths.
pub(super) fn wishes(model: &Model, seed: u64, peers: &[&Character], reference: i64, start: UnixMs) -> Vec<Wish> {
    let day = start.0.div_euclid(DAY_MS);
    let mut all = Vec::new();
    for (to, receiver) in peers.iter().enumerate().filter(|(_, c)| c.pulls > 0) {
        let (mood, bursts) = receiver.mood(model, seed, day);
        let sat_a_day = receiver.size * model.volume_ppm / MILLION * receiver.pulls / 1_000 * mood / 1_000;
        for (from, sender) in peers.iter().enumerate().filter(|(from, c)| *from != to && c.pushes > 0) {
            let linked = if receiver.linked(sender) { model.linked_permille } else { 1_000 };
            let pair = sat_a_day * sender.pushes / reference.max(1) * linked / 1_000;
            let mean = MEAN_AMOUNT * receiver.scale / 1_000;
            let mut dice = receiver.dice("pair", seed, sender, day, 0);
            for counter in 0..arrivals(&mut dice, pair * MILLION / mean.max(1)) {
                let mut dice = receiver.dice("payment", seed, sender, day, counter);
                all.push(wish(model, &mut dice, receiver, start, bursts).between(from, to));
            }
        }
    }
    all.sort_by_key(|w| (w.at_ns, w.from, w.to));
    all
}

/// How many come, for an expected number in millionths: as many trials as keep chance near Poisson's.
fn arrivals(dice: &mut Dice, expected: i64) -> usize {
    let trials = 2 * (expected / MILLION).min(2_000) + 4;
    (0..trials).filter(|_| dice.below(MILLION) < expected / trials).count()
}

fn wish(model: &Model, dice: &mut Dice, receiver: &Character, start: UnixMs, bursts: bool) -> Wish {
    let moment = moment(dice, start, bursts);
    let amount = Sat::new((quantile(&AMOUNTS, dice.below(MILLION)) * receiver.scale / 1_000).max(1)).msat();
    let bears = amount.at(crate::units::Ppm(receiver.bears(model, dice))) + Msat::new(OTHERS_BASE);
    Wish {
        at_ns: moment.nanos() + dice.below(1_000_000),
        from: 0,
        to: 0,
        amount,
        bears,
        fails: dice.happens(model.downstream_permille),
        fresh: dice.happens(model.fresh_payers_permille),
        splits: dice.happens(model.split_permille),
    }
}

impl Wish {
    const fn between(mut self, from: usize, to: usize) -> Self {
        self.from = from;
        self.to = to;
        self
    }

    /// What is tried again after the balance did not hold it: a third.
    pub(super) fn smaller(&self) -> Self {
        let third = |amount: Msat| amount.scale(1, 3);
        Self {
            amount: third(self.amount),
            bears: third(self.bears),
            splits: false,
            at_ns: self.at_ns + 1,
            ..self.clone()
        }
    }
}

/// When in the 24 hours from `start` on; four of five payments of a burst come within three hours after noon.
fn moment(dice: &mut Dice, start: UnixMs, bursts: bool) -> UnixMs {
    let into_hour = dice.below(HOUR_MS);
    let hour = whole(dice.pick(&HOURS).unwrap_or(0));
    let hour = if bursts && dice.happens(800) { 12 + hour % 3 } else { hour };
    let first = start.0.rem_euclid(DAY_MS) / HOUR_MS;
    start.plus((hour - first).rem_euclid(24) * HOUR_MS + into_hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_amount_is_what_volumes_are_divided_by() {
        let mut dice = Dice::of(3, "amounts", &[]);
        let sum: i64 = (0..200_000).map(|_| quantile(&AMOUNTS, dice.below(MILLION))).sum();
        let mean = sum / 200_000;
        assert!((mean - MEAN_AMOUNT).abs() < MEAN_AMOUNT / 20, "{mean}");
    }

    #[test]
    fn as_many_come_as_are_expected() {
        for expected in [50_000, 900_000, 12_500_000] {
            let mut dice = Dice::of(4, "arrivals", &[]);
            let sum: usize = (0..20_000).map(|_| arrivals(&mut dice, expected)).sum();
            let mean = whole(sum) * MILLION / 20_000;
            assert!((mean - expected).abs() < expected / 10, "{mean} for {expected}");
        }
    }

    #[test]
    fn a_day_is_the_24_hours_from_its_start() {
        let start = UnixMs(20_000 * DAY_MS + 6 * HOUR_MS);
        let mut dice = Dice::of(5, "moments", &[]);
        for n in 0..5_000 {
            let at = moment(&mut dice, start, n % 2 == 0);
            assert!((0..DAY_MS).contains(&at.since(start)));
        }
    }
}
