//! `./dev bench`: how long daznode takes, from process start to exit, and how much memory, against what is promised.
//!
//! A plain program that prints one table. What is measured is the real binary of the same build; what it reads is a fake
//! LND over TLS in a process of its own, which is this program under another first argument. Everything a node answers
//! is made before it is measured.
//!
//!     ./dev bench              all figures
//!     ./dev bench quick        all of them in small, to see that the bench works
//!     ./dev bench one stored   some of them: one, large, graph, judged, fleet, stored, watch

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for builders: a panic is how it fails, printing is what it is for"
)]

mod fake;
#[path = "../../tests/support/fake_lnd.rs"]
mod fake_lnd;
mod figures;
mod graph;
mod judged;
mod kept;
mod large;
mod machine;
mod payments;
mod place;
mod recorded;
mod stored;
mod table;
mod watch;

use std::process::ExitCode;

use table::Table;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Runs of what is quick.
    pub runs: usize,
    /// Channels, forwards and payments of the large node.
    pub channels: usize,
    pub forwards: usize,
    pub payments: usize,
    /// Runs of the large node.
    pub large_runs: usize,
    /// Nodes of the two fleets.
    pub fleets: [usize; 2],
    /// Nodes and days that are stored.
    pub nodes: usize,
    pub days: usize,
    /// Messages of streams.
    pub events: usize,
    /// Whether this is all of it.
    pub full: bool,
}

const FULL: Sizes = Sizes {
    runs: 20,
    channels: 2_000,
    forwards: 1_000_000,
    payments: 100_000,
    large_runs: 3,
    fleets: [100, 1_000],
    nodes: 1_000,
    days: 90,
    events: 10_000_000,
    full: true,
};

const QUICK: Sizes = Sizes {
    runs: 5,
    channels: 200,
    forwards: 20_000,
    payments: 2_000,
    large_runs: 1,
    fleets: [10, 30],
    nodes: 20,
    days: 90,
    events: 200_000,
    full: false,
};

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let mut words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.first().is_some_and(|word| word == fake::WORD) {
        words.remove(0);
        fake::serve(&words);
        return ExitCode::SUCCESS;
    }
    if words.first().is_some_and(|word| word == judged::WORD) {
        judged::judge(std::path::Path::new(&words[1]));
        return ExitCode::SUCCESS;
    }
    if words.first().is_some_and(|word| word == kept::WORD) {
        kept::get(&words[1..]);
        return ExitCode::SUCCESS;
    }
    if words.first().is_some_and(|word| word == watch::WORD) {
        watch::follow(words[1].parse().unwrap(), std::path::Path::new(&words[2]));
        return ExitCode::SUCCESS;
    }
    let quick = words.iter().any(|word| word == "quick");
    words.retain(|word| word != "quick");
    let known = ["one", "large", "graph", "judged", "fleet", "stored", "watch"];
    if let Some(unknown) = words.iter().find(|word| !known.contains(&word.as_str())) {
        eprintln!("bench: no figure is called {unknown:?}: quick, {}", known.join(", "));
        return ExitCode::from(2);
    }
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    let sizes = if quick { QUICK } else { FULL };
    let mut table = Table::new(&sizes);
    if wanted("one") {
        figures::one(&sizes, &mut table);
    }
    if wanted("large") {
        figures::large(&sizes, &mut table);
    }
    if wanted("graph") {
        kept::figures(&sizes, &mut table);
    }
    if wanted("judged") {
        judged::figures(&sizes, &mut table);
    }
    if wanted("fleet") {
        figures::fleets(&sizes, &mut table);
    }
    if wanted("stored") {
        stored::figures(&sizes, &mut table);
    }
    if wanted("watch") {
        watch::figures(&sizes, &mut table);
    }
    table.print();
    ExitCode::SUCCESS
}
