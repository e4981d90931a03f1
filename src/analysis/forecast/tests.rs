use proptest::prelude::*;

use super::*;

fn days(fees: impl IntoIterator<Item = i64>) -> Vec<Option<DaySum>> {
    fees.into_iter().map(|fee| Some(DaySum { fees: Msat::new(fee), ..DaySum::default() })).collect()
}

#[test]
fn a_node_that_earns_the_same_each_day_goes_on_so() {
    let told = forecast(&days([1_000_000; 60])).unwrap();
    let exact = |n: i64| ForecastSpan {
        fees_msat: Msat::new(n),
        low_msat: Msat::new(n),
        high_msat: Msat::new(n),
        seasonal_mean_msat: Msat::new(n),
    };
    assert_eq!(told, Forecast { days_known: 60, week: exact(7_000_000), month: exact(30_000_000) });
}

#[test]
fn fewer_than_fourteen_days_tell_nothing() {
    assert_eq!(forecast(&days([5; 13])), None);
    assert!(forecast(&days([5; 14])).is_some());
    let mut gaps = days([5; 20]);
    gaps[3..10].fill(None);
    assert_eq!(forecast(&gaps), None, "13 known days");
    assert_eq!(seasonal_mean(&gaps, 7), None);
}

#[test]
fn the_seasonal_mean_is_the_mean_of_each_weekday() {
    // Two weeks: weekday k earned k and then k + 10, so on average k + 5; two weekdays have one known day.
    let mut fees = days((0..7).chain(10..17));
    fees.extend(days([100]));
    // 15 days: the next day is weekday 1, whose mean is (1 + 11) / 2 = 6.
    assert_eq!(seasonal_mean(&fees, 1), Some(Msat::new(6)));
    // Weekdays 1 to 6 are 6 to 11, weekday 0 is (0 + 10 + 100) / 3 = 36.
    assert_eq!(seasonal_mean(&fees, 7), Some(Msat::new(6 + 7 + 8 + 9 + 10 + 11 + 36)));
}

#[test]
fn a_weekday_with_more_gets_more() {
    // 12 weeks in which weekday 6 earns eight times as much: 14 a week.
    let week = [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 8_000];
    let fees = days(week.into_iter().cycle().take(84));
    let told = forecast(&fees).unwrap().week.fees_msat.get();
    assert!((13_300..=14_700).contains(&told), "{told}");
    let factors = factors(&super::fees(&fees).unwrap());
    // (12 * 8,000 + 2 * 2,000) / (14 * 2,000) = 3.5714
    assert_eq!(factors[6], 3_571_428);
    // (12 * 1,000 + 2 * 2,000) / (14 * 2,000) = 0.5714
    assert_eq!(factors[0], 571_428);
}

#[test]
fn a_level_that_changed_is_followed() {
    let told = forecast(&days([1_000; 60].into_iter().chain([3_000; 30]))).unwrap().week;
    let (mean, new) = (told.seasonal_mean_msat.get(), told.fees_msat.get());
    assert!((11_000..13_000).contains(&mean), "{mean}");
    assert!((18_500..=23_000).contains(&new), "{new}");
}

#[test]
fn what_the_start_was_wrong_by_widens_no_interval() {
    // Two weeks of all or nothing, then the same each day. Each weekday had one of either, so none has a factor.
    let wild = (0..14).map(|day| if day % 2 == 0 { 1_000_000 } else { 0 });
    let reach = |told: ForecastSpan| told.high_msat.get() - told.fees_msat.get();
    let calm = forecast(&days(wild.clone().chain([500_000; 106]))).unwrap().week;
    // The start is right at 500,000 and the later days are told well. The errors of the start, half a million each, would
    // make 1.28 * 500,000 * sqrt(14 / 120) = 219,000 for a day and 579,000 for a week.
    assert!(reach(calm) < 7 * 60_000, "{calm:?}");
    // With fewer than two weeks more, all that is known are those errors.
    let short = forecast(&days(wild.chain([500_000; 13]))).unwrap().week;
    assert!(reach(short) > 219_000, "{short:?}");
}

/// Numbers that look like noise, the same on every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % below.unsigned_abs()).unwrap()
    }

    /// The mean of four is nearly bell-shaped.
    fn bell(&mut self, width: i64) -> i64 {
        (0..4).map(|_| self.next(width)).sum::<i64>() / 4 - width / 2
    }
}

/// Fees of 150 days: a weekly wave, noise, and a level that drifts by up to `drift` a day.
fn made_up(seed: u64, drift: i64) -> Vec<i64> {
    let mut noise = Noise(seed);
    let mut level = 100_000;
    (0..150)
        .map(|day| {
            level = (level + noise.bell(drift.max(1))).max(20_000);
            let wave = [0, 5, 10, 15, 10, -10, -30][day % 7];
            (level + level * wave / 100 + noise.bell(80_000)).max(0)
        })
        .collect()
}

/// How many of 400 made-up futures lie in the interval, and the absolute errors of the forecast and of the plain mean.
fn held(drift: i64, ahead: usize) -> (usize, i64, i64) {
    let mut sums = (0, 0, 0);
    for seed in 0..400 {
        let fees = made_up(seed, drift);
        let (past, future) = fees.split_at(120);
        let came: i64 = future.iter().take(ahead).sum();
        let told = forecast(&days(past.iter().copied())).unwrap();
        let span = if ahead == 7 { told.week } else { told.month };
        sums.0 += usize::from((span.low_msat.get()..=span.high_msat.get()).contains(&came));
        sums.1 += (span.fees_msat.get() - came).abs();
        sums.2 += (span.seasonal_mean_msat.get() - came).abs();
    }
    sums
}

#[test]
fn about_four_in_five_futures_lie_in_the_interval() {
    for (drift, ahead) in [(1, 7), (1, 30), (15_000, 7), (15_000, 30)] {
        let (inside, ours, plain) = held(drift, ahead);
        println!("drift {drift}, {ahead} days: {inside} of 400 inside, error {ours} against {plain}");
        assert!((272..=372).contains(&inside), "drift {drift}, {ahead} days: {inside} of 400");
    }
}

#[test]
fn a_drifting_node_is_told_better_than_by_the_plain_mean() {
    let (_, ours, plain) = held(15_000, 7);
    assert!(ours * 10 < plain * 9, "{ours} against {plain}");
    // And a steady one not much worse.
    let (_, ours, plain) = held(1, 7);
    assert!(ours * 10 < plain * 12, "{ours} against {plain}");
}

proptest! {
    #[test]
    fn no_past_breaks_it(fees in proptest::collection::vec(proptest::option::of(any::<i64>()), 0..120)) {
        let past: Vec<_> = fees.iter().map(|f| f.map(|fee| DaySum { fees: Msat::new(fee), ..DaySum::default() })).collect();
        if let Some(told) = forecast(&past) {
            for span in [told.week, told.month] {
                prop_assert!(Msat::ZERO <= span.low_msat && span.low_msat <= span.fees_msat);
                prop_assert!(span.fees_msat <= span.high_msat);
            }
        }
    }

    /// A node ten times as large is told ten times as much, give or take the rounding of a level to whole msat.
    #[test]
    fn scale_does_not_matter(seed in 0..1000_u64) {
        let small = forecast(&days(made_up(seed, 5_000))).unwrap().week;
        let large = forecast(&days(made_up(seed, 5_000).into_iter().map(|f| f * 10))).unwrap().week;
        prop_assert!((large.fees_msat.get() - 10 * small.fees_msat.get()).abs() <= small.fees_msat.get() / 1000 + 1000);
    }
}
