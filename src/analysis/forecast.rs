//! What forwards will earn in the next days, from what they earned in the last ones.
//!
//! A day's fees are a level times what is usual for its weekday. The level follows the days, the newer the more
//! (exponential smoothing), with a trend that fades out where the node's own past shows that one helps. How fast it
//! follows is what would have told each known day best from those before it. The interval comes from the same errors: it
//! widens with the days ahead as fast as a level that follows that quickly can wander. All of it is in whole msat.

use super::number::clamp;
use crate::history::DaySum;
use crate::report::{Forecast, ForecastSpan};
use crate::units::Msat;

/// Known days that a forecast needs.
const MIN_DAYS: usize = 14;
/// One, in the fixed point of weights and factors.
const ONE: i128 = 1_000_000;
/// How much of an error of a day goes into the level.
const LEVELS: [i128; 5] = [20_000, 50_000, 100_000, 200_000, 300_000];
/// How much of it goes into the trend; none is tried first.
const TRENDS: [i128; 2] = [0, 10_000];
/// What is left of the trend a day later.
const DAMPING: i128 = 900_000;
/// By how much a trend must lower the squared errors before it is used: one part in twenty.
const TREND_GAIN: i128 = 20;
/// Days of a flat week that are mixed into each weekday's factor, so that a few odd Sundays don't make a habit.
const PRIOR_DAYS: i128 = 2;
/// An 80 % interval reaches 1.2816 standard deviations to each side.
const Z80: i128 = 1_281_552;
/// No day is taken for more than this, so that nothing overflows: all bitcoin there is.
const MOST: i64 = Msat::SUPPLY.get();

/// The fees of the next 7 and 30 days, from those of the days before (oldest first, each of 24 hours, the last ends now);
/// `None` with fewer than 14 known days.
pub fn forecast(days: &[Option<DaySum>]) -> Option<Forecast> {
    let fees = fees(days)?;
    let model = Model::fitted(&fees);
    let span = |ahead: usize| ForecastSpan { seasonal_mean_msat: weekday_mean(&fees, ahead), ..model.span(ahead) };
    let days_known = super::number::count(fees.iter().flatten().count());
    Some(Forecast { days_known, week: span(7), month: span(30) })
}

/// What the mean of each weekday says of the next `ahead` days: the forecast that a better one is held against.
pub fn seasonal_mean(days: &[Option<DaySum>], ahead: usize) -> Option<Msat> {
    Some(weekday_mean(&fees(days)?, ahead))
}

/// Whether the days are enough for a forecast.
pub(super) fn enough(days: &[Option<DaySum>]) -> bool {
    days.iter().flatten().count() >= MIN_DAYS
}

/// Fees in msat, from the first known day on; `None` with too few.
fn fees(days: &[Option<DaySum>]) -> Option<Vec<Option<i128>>> {
    let fee = |day: &Option<DaySum>| day.map(|d| i128::from(d.fees.get().clamp(0, MOST)));
    enough(days).then(|| days.iter().map(fee).skip_while(Option::is_none).collect())
}

/// The known days of one weekday: `at` and every seventh from it.
fn weekday(fees: &[Option<i128>], at: usize) -> impl Iterator<Item = i128> {
    fees.iter().skip(at % 7).step_by(7).flatten().copied()
}

fn mean(values: impl Iterator<Item = i128>) -> Option<i128> {
    let (sum, n) = values.fold((0_i128, 0_i128), |(sum, n), value| (sum + value, n + 1));
    sum.checked_div(n)
}

fn weekday_mean(fees: &[Option<i128>], ahead: usize) -> Msat {
    let overall = mean(fees.iter().flatten().copied()).unwrap_or_default();
    let sum: i128 = (0..ahead).map(|n| mean(weekday(fees, fees.len() + n)).unwrap_or(overall)).sum();
    Msat::new(clamp(sum))
}

/// A level, a trend, seven factors, and how wrong they were.
struct Model {
    /// Of the days of a week, the first that of the first day.
    factors: [i128; 7],
    level: i128,
    trend: i128,
    /// Share of an error that the level takes.
    follow: i128,
    /// Share of an error that the trend takes.
    bend: i128,
    /// Squared error of a day from those before it; the mean.
    variance: i128,
    /// Days that it was fitted to.
    length: usize,
}

impl Model {
    fn fitted(fees: &[Option<i128>]) -> Self {
        let factors = factors(fees);
        let run = |follow, bend| Self::run(fees, factors, follow, bend);
        let mut best = run(LEVELS[0], TRENDS[0]);
        for bend in TRENDS {
            for follow in LEVELS {
                let next = run(follow, bend);
                // A trend is one thing more that can be wrong: it must be worth it.
                let handicap = if bend > 0 && best.bend == 0 { next.variance / TREND_GAIN } else { 0 };
                if next.variance + handicap < best.variance {
                    best = next;
                }
            }
        }
        best
    }

    fn run(fees: &[Option<i128>], factors: [i128; 7], follow: i128, bend: i128) -> Self {
        // The start is the mean of the first two weeks, so their errors say nothing of how well later days are told;
        // errors count from then on, where there are as many days again.
        let start = mean(fees.iter().take(MIN_DAYS).flatten().copied()).unwrap_or_default();
        let mut model = Self { factors, level: start, trend: 0, follow, bend, variance: 0, length: fees.len() };
        let later = fees.iter().skip(MIN_DAYS).flatten().count();
        let counts_from = if later >= MIN_DAYS { MIN_DAYS } else { 0 };
        let (mut squares, mut counted) = (0_i128, 0_i128);
        for (at, fee) in fees.iter().enumerate() {
            model.trend = model.trend * DAMPING / ONE;
            model.level = (model.level + model.trend).max(0);
            let Some(fee) = fee else { continue };
            // In msat of the day: over its factor, a weekday with little would count as much as one with a lot.
            let error = *fee - model.level * model.factor(at) / ONE;
            if at >= counts_from {
                squares = squares.saturating_add(error.saturating_mul(error));
                counted += 1;
            }
            model.level = (model.level + error * follow / ONE).max(0);
            model.trend += error * bend / ONE;
        }
        model.variance = squares / counted.max(1);
        model
    }

    fn factor(&self, at: usize) -> i128 {
        self.factors.get(at % 7).copied().unwrap_or(ONE)
    }

    /// The sum of the next days with its interval.
    fn span(&self, ahead: usize) -> ForecastSpan {
        let (mut level, mut trend, mut sum) = (self.level, self.trend, 0_i128);
        for n in 0..ahead {
            trend = trend * DAMPING / ONE;
            level = (level + trend).max(0);
            sum += level * self.factor(self.length + n) / ONE;
        }
        let reach = self.deviation(ahead).saturating_mul(Z80) / ONE;
        let amount = |value: i128| Msat::new(clamp(value.max(0)));
        ForecastSpan {
            fees_msat: amount(sum),
            low_msat: amount(sum - reach),
            high_msat: amount(sum + reach),
            seasonal_mean_msat: Msat::ZERO,
        }
    }

    /// Standard deviation of the sum: the error of each day ahead also moves the level of all days after it.
    fn deviation(&self, ahead: usize) -> i128 {
        let (mut moved, mut bent, mut squares) = (ONE, 0_i128, 0_i128);
        let mut weights = Vec::with_capacity(ahead);
        for _ in 0..ahead {
            weights.push(moved);
            bent = bent * DAMPING / ONE + self.bend;
            moved += self.follow + bent;
        }
        for weight in weights {
            squares += weight / 1000 * (weight / 1000);
        }
        let variance = self.variance.saturating_mul(squares) / ONE;
        i128::try_from(variance.unsigned_abs().isqrt()).unwrap_or(i128::MAX)
    }
}

/// What is usual for each of seven weekdays over what is usual for all, drawn towards one.
fn factors(fees: &[Option<i128>]) -> [i128; 7] {
    let overall = mean(fees.iter().flatten().copied()).unwrap_or_default().max(1);
    let mut factors = [ONE; 7];
    for (at, factor) in factors.iter_mut().enumerate() {
        let (sum, n) = weekday(fees, at).fold((0_i128, 0_i128), |(sum, n), fee| (sum + fee, n + 1));
        *factor = (sum + PRIOR_DAYS * overall) * ONE / ((n + PRIOR_DAYS) * overall);
    }
    factors
}

#[cfg(test)]
mod tests;
