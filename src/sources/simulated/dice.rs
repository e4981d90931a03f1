//! Chance without a memory: each draw is a function of what it is for, so that nothing done before changes it.

/// A row of draws that belongs to one thing: a peer's day, one payment, one attempt.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// For one thing, named by a word and numbers.
    pub(super) fn of(seed: u64, what: &str, parts: &[u64]) -> Self {
        let named = what.bytes().fold(mixed(seed), |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)));
        Self(parts.iter().fold(mixed(named), |h, part| mixed(h ^ mixed(*part))))
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// From zero up to, not with, the limit.
    pub(super) fn below(&mut self, limit: i64) -> i64 {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        i64::try_from(self.next() % limit).unwrap_or(0)
    }

    /// From `low` to `high`, both with.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// Whether something of this chance, in thousandths, happens.
    pub(super) fn happens(&mut self, permille: i64) -> bool {
        self.below(1_000) < permille
    }

    /// A value of a distribution given by its quantiles.
    pub(super) fn of_table(&mut self, table: &[(i64, i64)]) -> i64 {
        quantile(table, self.below(MILLION))
    }

    /// One of a list, by weights.
    pub(super) fn pick(&mut self, weights: &[i64]) -> Option<usize> {
        let all: i64 = weights.iter().sum();
        if all <= 0 {
            return None;
        }
        let mut left = self.below(all);
        weights.iter().position(|weight| {
            left -= weight;
            left < 0
        })
    }

    /// What a key or a hash is made of.
    pub(super) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (byte, drawn) in bytes.iter_mut().zip((0..4).flat_map(|_| self.next().to_be_bytes())) {
            *byte = drawn;
        }
        bytes
    }
}

/// The whole of a share in millionths.
pub(super) const MILLION: i64 = 1_000_000;

/// The value at a share (in millionths) of a distribution that is given by its quantiles, straight between them.
pub(super) fn quantile(table: &[(i64, i64)], at: i64) -> i64 {
    let after = table.partition_point(|(share, _)| *share <= at);
    let below = after.checked_sub(1).and_then(|i| table.get(i)).or_else(|| table.first());
    let above = table.get(after).or_else(|| table.last());
    let (Some(&(x0, y0)), Some(&(x1, y1))) = (below, above) else { return 0 };
    if x1 <= x0 { y0 } else { y0 + (y1 - y0) * (at - x0).clamp(0, x1 - x0) / (x1 - x0) }
}

/// A count as a number of the kind that money has.
pub(super) fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A count for a draw's name.
pub(super) fn index(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Any number for a draw's name.
pub(super) const fn name(n: i64) -> u64 {
    n.cast_unsigned()
}

/// Splitmix: a small mixer whose results will never change under us.
const fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_its_name_alone() {
        let draw = |what, parts: &[u64]| Dice::of(7, what, parts).next();
        assert_eq!(draw("a", &[1, 2]), draw("a", &[1, 2]));
        for other in [draw("b", &[1, 2]), draw("a", &[2, 1]), draw("a", &[1]), Dice::of(8, "a", &[1, 2]).next()] {
            assert_ne!(draw("a", &[1, 2]), other);
        }
    }

    #[test]
    fn quantiles_are_straight_between_their_knots() {
        let table = [(0, 10), (500_000, 20), (1_000_000, 120)];
        let at = |share| quantile(&table, share);
        assert_eq!(
            [at(-5), at(0), at(250_000), at(500_000), at(750_000), at(1_000_000), at(2_000_000)],
            [10, 10, 15, 20, 70, 120, 120]
        );
    }

    #[test]
    fn chances_come_true_as_often_as_they_say() {
        let mut dice = Dice::of(1, "chance", &[]);
        let hits = (0..10_000).filter(|_| dice.happens(250)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
        let picks = (0..10_000).filter(|_| dice.pick(&[0, 1, 3]) == Some(2)).count();
        assert!((7_300..7_700).contains(&picks), "{picks}");
        assert_eq!(dice.pick(&[0, 0]), None);
    }
}
