//! The tables that are published.

use std::collections::BTreeSet;

use daznode::units::Msat;

use crate::claims::SPANS;
use crate::forecasts::Forecast;
use crate::markdown::{Table, number, of, percent, ratio, sats};
use crate::node::{DEMANDS, Lived};
use crate::statistics::{mean, median, quantile, real, share, spearman};
use crate::trials::Trial;

fn sat(amount: Msat) -> f64 {
    real(amount.get()) / 1000.0
}

/// What following the advice brought, against doing nothing and against the two programs.
pub fn followed(title: &str, all: &[Lived]) -> String {
    let rivals = all.iter().all(|lived| lived.rivals.is_some());
    let mut head = vec!["nodes", "n", "net of doing nothing", "more than nothing", "better than nothing"];
    if rivals {
        head.extend(["more than charge-lnd", "better", "more than LNDg", "better", "better than all three"]);
    }
    let mut table = Table::new(title, &head);
    for (name, group) in groups(all) {
        table.row(follow_row(&name, &group, rivals));
    }
    format!("{}Net in sat, the middle node; 10th and 90th percentile in brackets.\n\n", table.text())
}

/// All nodes, those of each kind, and those of each demand.
fn groups(all: &[Lived]) -> Vec<(String, Vec<&Lived>)> {
    let kinds: BTreeSet<&str> = all.iter().map(|lived| lived.kind.as_str()).collect();
    let those = |holds: &dyn Fn(&Lived) -> bool| all.iter().filter(|lived| holds(lived)).collect::<Vec<_>>();
    let mut groups = vec![("all".to_owned(), those(&|_| true))];
    groups.extend(kinds.into_iter().map(|kind| (kind.to_owned(), those(&|lived| lived.kind == kind))));
    groups.extend(DEMANDS.map(|demand| (format!("{demand} demand"), those(&|lived| lived.demand == demand))));
    groups.retain(|(_, group)| !group.is_empty());
    groups
}

fn follow_row(name: &str, group: &[&Lived], rivals: bool) -> Vec<String> {
    let than = |other: &dyn Fn(&Lived) -> Msat| -> Vec<f64> {
        group.iter().map(|lived| sat(lived.advice - other(lived))).collect()
    };
    let nothing: Vec<f64> = group.iter().map(|lived| sat(lived.nothing)).collect();
    let more = than(&|lived| lived.nothing);
    let mut cells = vec![name.to_owned(), number(group.len()), sats(median(&nothing)), spread(&more), better(&more)];
    if rivals {
        for n in [0, 1] {
            let more = than(&|lived| lived.rivals.unwrap_or_default()[n]);
            cells.extend([spread(&more), better(&more)]);
        }
        let best = |lived: &Lived| lived.rivals.unwrap_or_default().into_iter().fold(lived.nothing, Msat::max);
        cells.push(better(&than(&best)));
    }
    cells
}

/// The middle, with the 10th and 90th percentile.
fn spread(values: &[f64]) -> String {
    let [low, middle, high] = [0.1, 0.5, 0.9].map(|share| sats(quantile(values, share)));
    format!("{middle} ({low} to {high})")
}

/// The share that is above nothing; and, where there are any, the share that is neither more nor less.
fn better(values: &[f64]) -> String {
    let better = percent(share(values, |more| *more > 0.0));
    match share(values, |more| *more == 0.0) {
        Some(equal) if equal > 0.0 => format!("{better}, {} equal", percent(Some(equal))),
        _ => better,
    }
}

/// What each kind of advice brought by itself, against what it promised.
pub fn promises(title: &str, all: &[Lived]) -> String {
    let head = [
        "advice",
        "n",
        "could be done",
        "paid",
        "promised a month",
        "came a month",
        "came / promised, middle",
        "10th percentile",
        "all came / all promised",
        "rank correlation",
        "within a factor of two",
        "within its interval (aim 80 %)",
    ];
    let mut table = Table::new(title, &head);
    let trials: Vec<&Trial> = all.iter().flat_map(|lived| &lived.trials).collect();
    let kinds: BTreeSet<&str> = trials.iter().map(|trial| trial.kind.as_str()).collect();
    for kind in kinds.into_iter().map(Some).chain([None]) {
        let these = || trials.iter().copied().filter(|trial| kind.is_none_or(|kind| trial.kind == kind));
        let (name, all) = (kind.unwrap_or("all"), these().collect::<Vec<&Trial>>());
        let done: Vec<&Trial> = these().filter(|trial| trial.done).collect();
        table.row(promise_row(name, &all));
        if done.len() < all.len() {
            table.row(promise_row(&format!("{name}, where it could be done"), &done));
        }
    }
    table.text()
}

fn promise_row(name: &str, trials: &[&Trial]) -> Vec<String> {
    let pairs: Vec<(f64, f64)> = trials.iter().map(|trial| (real(trial.promised.get()), trial.gained())).collect();
    let (promised, gained): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let kept: Vec<f64> = trials.iter().filter_map(|trial| trial.kept()).collect();
    let within: Vec<bool> = trials.iter().filter_map(|trial| trial.within()).collect();
    let total = |values: &[f64]| values.iter().sum::<f64>();
    vec![
        name.to_owned(),
        number(trials.len()),
        percent(share(trials, |trial| trial.done)),
        percent(share(trials, |trial| trial.paid())),
        sats(median(&promised)),
        sats(median(&gained)),
        ratio(median(&kept)),
        ratio(quantile(&kept, 0.1)),
        ratio((total(&promised) > 0.0).then(|| total(&gained) / total(&promised))),
        ratio(spearman(&pairs)),
        percent(share(&kept, |kept| (0.5..=2.0).contains(kept))),
        percent(share(&within, |within| *within)),
    ]
}

/// What the reports count for followed advice, against its trial.
pub fn claims(all: &[Lived]) -> String {
    let head = [
        "counted after",
        "n",
        "counted, middle",
        "true, middle",
        "same sign",
        "rank correlation",
        "within a factor of two",
    ];
    let mut table = Table::new("What the reports count for followed advice, against the truth", &head);
    for days in SPANS {
        let pairs: Vec<(f64, f64)> = all
            .iter()
            .flat_map(|lived| {
                lived.trials.iter().filter_map(|trial| Some((lived.claims.of(trial, days)?, trial.gained())))
            })
            .collect();
        let (counted, came): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        table.row(vec![
            format!("{days} days"),
            number(pairs.len()),
            sats(median(&counted)),
            sats(median(&came)),
            percent(share(&pairs, |(counted, came)| (*counted > 0.0) == (*came > 0.0))),
            ratio(spearman(&pairs)),
            percent(share(&pairs, |(counted, came)| *came != 0.0 && (0.5..=2.0).contains(&(counted / came)))),
        ]);
    }
    table.text()
}

/// The forecast against the plain mean of each weekday.
pub fn forecasts(all: &[Lived]) -> String {
    let head = [
        "forecast for",
        "n",
        "within its interval (aim 80 %)",
        "below it",
        "above it",
        "mean error",
        "of the plain mean",
    ];
    let mut table = Table::new("Forecast of fees earned, on the copy left alone", &head);
    let found: Vec<&Forecast> = all.iter().flat_map(|lived| &lived.forecasts).collect();
    for days in [7, 30] {
        let these: Vec<&Forecast> = found.iter().copied().filter(|forecast| forecast.days == days).collect();
        let error = |said: fn(&Forecast) -> f64| -> Vec<f64> {
            these.iter().map(|forecast| (said(forecast) - forecast.came).abs()).collect()
        };
        table.row(vec![
            format!("{days} days"),
            number(these.len()),
            percent(share(&these, |forecast| forecast.covers())),
            percent(share(&these, |forecast| forecast.came < forecast.low)),
            percent(share(&these, |forecast| forecast.came > forecast.high)),
            sats(mean(&error(|forecast| forecast.expected))),
            sats(mean(&error(|forecast| forecast.plain))),
        ]);
    }
    format!("{}Mean errors are absolute, in sat a span.\n\n", table.text())
}

/// Every trial, for whoever looks for what a rule does wrong.
pub fn each(all: &[Lived]) -> String {
    let head = ["advice", "seed", "demand", "day", "done", "promised a month", "came a month", "more, net"];
    let mut table = Table::new("Each trial", &head);
    for lived in all {
        for trial in &lived.trials {
            table.row(vec![
                trial.key.clone(),
                format!("{} {}", lived.seed, lived.kind),
                lived.demand.to_owned(),
                trial.at.day().to_string(),
                if trial.done { "yes" } else { "no" }.to_owned(),
                sats(Some(real(trial.promised.get()))),
                sats(Some(trial.gained())),
                sats(Some(sat(trial.more))),
            ]);
        }
    }
    table.text()
}

/// How much was done, and whether the reports' money is the truth.
pub fn books(all: &[Lived]) -> String {
    let sum = |count: fn(&Lived) -> usize| all.iter().map(count).sum::<usize>();
    let (compared, wrong) = (sum(|lived| lived.books.compared), sum(|lived| lived.books.wrong.len()));
    format!(
        "Acts that could be done: {}. Periods whose fees and rebalance costs are those of the simulated node to the msat: \
         {}.\n\n",
        of(sum(|lived| lived.done), sum(|lived| lived.advised)),
        of(compared - wrong, compared)
    )
}
