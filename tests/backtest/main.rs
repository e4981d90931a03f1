//! The modules of `./dev backtest`, whose own program has no test harness, and short runs of them.

#![allow(
    unreachable_pub,
    dead_code,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "modules of a program for builders, whose main is not here"
)]

#[path = "../../benches/backtest/acts.rs"]
mod acts;
#[path = "../../benches/backtest/baselines.rs"]
mod baselines;
#[path = "../../benches/backtest/books.rs"]
mod books;
#[path = "../../benches/backtest/claims.rs"]
mod claims;
#[path = "../../benches/backtest/forecasts.rs"]
mod forecasts;
#[path = "../../benches/backtest/jobs.rs"]
mod jobs;
#[path = "../../benches/backtest/journal.rs"]
mod journal;
#[path = "../../benches/backtest/markdown.rs"]
mod markdown;
#[path = "../../benches/backtest/node.rs"]
mod node;
#[path = "../../benches/backtest/operators.rs"]
mod operators;
#[path = "../../benches/backtest/options.rs"]
mod options;
#[path = "../../benches/backtest/plan.rs"]
mod plan;
#[path = "../../benches/backtest/results.rs"]
mod results;
#[path = "../../benches/backtest/statistics.rs"]
mod statistics;
#[path = "../../benches/backtest/trials.rs"]
mod trials;
#[path = "../../benches/backtest/work.rs"]
mod work;

mod command;
mod fees;
mod figures;
mod judged;

use daznode::report::Report;
use daznode::sources::simulated::{Kind, Model, Sim, World};
use daznode::units::Msat;

use books::Books;
use journal::Journal;
use options::Options;
use plan::{Plan, QUICK};

/// Three nodes for a few days: the quick backtest does the same in larger.
fn small(jobs: usize) -> Options {
    let plan = Plan { seeds: 1..=3, warm_up: 4, days: 4, tries: 1, trial_days: 2, long_days: 3, ..QUICK };
    Options { plan, jobs, quick: false, each: false, write: false, help: false, parts: Vec::new() }
}

#[test]
fn a_second_run_says_the_same_whatever_the_threads() {
    let (one, other) = (work::run(&small(1)), work::run(&small(2)));
    assert_eq!(one.text, other.text);
    assert_eq!(one.wrong, Vec::<String>::new());
    assert!(one.text.contains("| all | 3 |"), "{}", one.text);
}

/// A node that lived for some days, its books, and its last report.
fn lived(days: u32) -> (Books, Report) {
    let mut sim = Sim::new(&World::made_up(1), Kind::SmallRouter, &Model::default(), 5, plan::born());
    let journal = Journal::open(&sim, 5);
    let mut books = Books::default();
    for _ in 0..days {
        journal.keep(&mut sim);
        books.note(sim.totals());
        refill(&mut sim);
        sim.live_day();
    }
    let snapshot = journal.keep(&mut sim);
    books.note(sim.totals());
    (books, journal.report(&snapshot).0)
}

/// Moves something from the fullest channel to the emptiest, at any price.
fn refill(sim: &mut Sim) {
    let mut channels = sim.channels();
    channels.retain(|channel| channel.active);
    channels.sort_by_key(|channel| channel.local);
    let (to, from) = (&channels[0], &channels[channels.len() - 1]);
    sim.do_act(&daznode::sources::simulated::SimAct::Rebalance {
        from: from.point.clone(),
        to: to.point.clone(),
        amount: Msat::new(100_000_000),
        max_fee: Msat::new(1_000_000),
    });
}

#[test]
fn the_reports_money_is_the_nodes_own_to_the_msat() {
    let (mut books, report) = lived(9);
    let day = report.money.week.as_ref().unwrap();
    assert!(day.fees_earned_msat > Msat::ZERO && day.rebalance_cost_msat > Msat::ZERO, "{day:?}");
    books.check(&report);
    assert_eq!((books.compared, &books.wrong), (3, &Vec::new()));
    // One msat more would be seen.
    let mut wrong = report;
    wrong.money.week.as_mut().unwrap().rebalance_cost_msat += Msat::new(1);
    books.check(&wrong);
    assert_eq!((books.compared, books.wrong.len()), (6, 1));
}
