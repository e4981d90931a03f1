//! What was in channels over time: the base of a yield.

use std::iter::Sum;
use std::ops::Add;

use crate::analysis::number::clamp;
use crate::history::Mean;
use crate::units::{DAY_MS, Msat, Ppm, Sat};

/// Milliseconds of the year that yields are told for.
const YEAR_MS: i64 = 365 * DAY_MS;

/// Our balance over time of one channel or many, and how much of that time samples tell of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::analysis) struct Capital {
    /// Balance times milliseconds.
    local: i128,
    /// Capacity times milliseconds, where samples tell the balance.
    covered: i128,
    /// Capacity times milliseconds.
    all: i128,
    /// The longest that one of the channels was open.
    longest: i64,
}

impl Capital {
    /// That of one channel that was open for `open_ms` of the span. Samples must cover nine tenths of that, give or take
    /// the day between two of them.
    pub(super) fn of(mean: Option<Mean>, capacity: Sat, open_ms: i64) -> Self {
        let open_ms = open_ms.max(0);
        let all = i128::from(capacity.get().max(0)) * i128::from(open_ms);
        let enough =
            |m: &Mean| m.covered_ms > 0 && m.covered_ms.saturating_add(DAY_MS) >= open_ms.saturating_sub(open_ms / 10);
        let Some(mean) = mean.filter(enough) else {
            return Self { all, longest: open_ms, ..Self::default() };
        };
        let local = i128::from(mean.local.get().max(0)) * i128::from(open_ms);
        Self { local, covered: all, all, longest: open_ms }
    }

    /// Whether balances are known for nine tenths of the capacity.
    fn known(&self) -> bool {
        self.all > 0 && self.covered.saturating_mul(10) >= self.all.saturating_mul(9)
    }

    /// The balance, averaged over the longest time that a channel was open.
    pub(in crate::analysis) fn mean(&self) -> Option<Sat> {
        let mean = self.local.checked_div(i128::from(self.longest)).filter(|_| self.known())?;
        Some(Sat::new(clamp(mean)))
    }

    /// What `net` is a year on this balance.
    pub(in crate::analysis) fn apy(&self, net: Msat) -> Option<Ppm> {
        let base = self.local.checked_mul(1000).filter(|base| *base > 0 && self.known())?;
        let year = i128::from(net.get()).checked_mul(i128::from(YEAR_MS))?;
        let whole = year.checked_div(base)?.checked_mul(1_000_000)?;
        let rest = year.checked_rem(base)?.checked_mul(1_000_000)?.checked_div(base)?;
        i64::try_from(whole.checked_add(rest)?).ok().map(Ppm)
    }
}

impl Add for Capital {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            local: self.local.saturating_add(other.local),
            covered: self.covered.saturating_add(other.covered),
            all: self.all.saturating_add(other.all),
            longest: self.longest.max(other.longest),
        }
    }
}

impl Sum for Capital {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(local: i64, covered_ms: i64, capacity: i64, open_ms: i64) -> Capital {
        Capital::of(Some(Mean { local: Sat::new(local), covered_ms }), Sat::new(capacity), open_ms)
    }

    #[test]
    fn a_yield_is_a_year_of_the_net_on_the_balance_over_time() {
        // 1,000,000 sat for ten days; 1,000 sat net: 36,500 a year, 3.65 %.
        let capital = of(1_000_000, 10 * DAY_MS, 2_000_000, 10 * DAY_MS);
        assert_eq!(capital.apy(Msat::new(1_000_000)), Some(Ppm(36_500)));
        assert_eq!(capital.apy(Msat::new(-1_000_000)), Some(Ppm(-36_500)));
        assert_eq!(capital.mean(), Some(Sat::new(1_000_000)));
    }

    #[test]
    fn a_channel_that_was_open_for_less_has_less_part_in_it() {
        // Another million for a tenth of the time: 1,100,000 on average.
        let both = [10, 1].map(|days| of(1_000_000, days * DAY_MS, 2_000_000, days * DAY_MS));
        assert_eq!(both.into_iter().sum::<Capital>().mean(), Some(Sat::new(1_100_000)));
    }

    #[test]
    fn without_samples_there_is_no_yield() {
        let none = Capital::of(None, Sat::new(1_000_000), 30 * DAY_MS);
        let few = [0, 25 * DAY_MS].map(|covered| of(500_000, covered, 1_000_000, 30 * DAY_MS));
        for capital in few.into_iter().chain([none]) {
            assert_eq!((capital.mean(), capital.apy(Msat::new(1))), (None, None), "{capital:?}");
        }
        // 26 of 27 days and one more: enough.
        assert!(of(500_000, 26 * DAY_MS, 1_000_000, 30 * DAY_MS).mean().is_some());
        // An empty channel has a mean of nothing, and no yield.
        let empty = of(0, 30 * DAY_MS, 1_000_000, 30 * DAY_MS);
        assert_eq!((empty.mean(), empty.apy(Msat::new(1))), (Some(Sat::ZERO), None));
    }

    #[test]
    fn a_tenth_of_the_capacity_may_be_unknown() {
        let known = of(5, DAY_MS, 90, DAY_MS);
        assert!((known + Capital::of(None, Sat::new(10), DAY_MS)).mean().is_some());
        assert!((known + Capital::of(None, Sat::new(11), DAY_MS)).mean().is_none());
    }

    #[test]
    fn no_amount_breaks_it() {
        let most = of(i64::MAX, i64::MAX, i64::MAX, i64::MAX);
        let _ = ((most + most).mean(), (most + most).apy(Msat::new(i64::MIN)));
        let _ = of(i64::MIN, i64::MIN, i64::MIN, i64::MIN).apy(Msat::new(i64::MAX));
    }
}
