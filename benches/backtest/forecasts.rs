//! The reports' forecast of what will be earned, held against what was, and against the plain mean of each weekday.

use daznode::report::{ForecastSpan, Report};
use daznode::units::Msat;

use crate::statistics::real;

/// One forecast whose end was lived to see. All in sat.
#[derive(Clone, Copy, Debug)]
pub struct Forecast {
    /// Days that it is for.
    pub days: usize,
    pub expected: f64,
    pub low: f64,
    pub high: f64,
    /// What the plain mean said.
    pub plain: f64,
    /// What came.
    pub came: f64,
}

impl Forecast {
    /// Whether what came lies within the interval.
    pub fn covers(&self) -> bool {
        self.low <= self.came && self.came <= self.high
    }
}

/// Forecasts as they are made, and what is earned meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Forecasts {
    /// All that was earned until each morning.
    earned: Vec<Msat>,
    /// The morning of each forecast, its days, and what it says.
    made: Vec<(usize, usize, ForecastSpan)>,
}

impl Forecasts {
    /// Once a week, so that those for a week do not overlap.
    pub const fn wanted(day: u32) -> bool {
        day.is_multiple_of(7)
    }

    /// Notes what the node has earned until this morning.
    pub fn earned(&mut self, fees: Msat) {
        self.earned.push(fees);
    }

    /// Notes what a report of this morning says.
    pub fn made(&mut self, report: &Report) {
        let Some(forecast) = &report.trends.forecast else { return };
        let morning = self.earned.len().saturating_sub(1);
        self.made.extend([(morning, 7, forecast.week), (morning, 30, forecast.month)]);
    }

    /// Those whose span is over, with what came.
    pub fn held(&self) -> Vec<Forecast> {
        let held = |&(morning, days, span): &(usize, usize, ForecastSpan)| {
            let came = *self.earned.get(morning + days)? - self.earned[morning];
            let [expected, low, high, plain, came] =
                [span.fees_msat, span.low_msat, span.high_msat, span.seasonal_mean_msat, came]
                    .map(|msat| real(msat.get()) / 1000.0);
            Some(Forecast { days, expected, low, high, plain, came })
        };
        self.made.iter().filter_map(held).collect()
    }
}
