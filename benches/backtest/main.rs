//! `./dev backtest`: whether the advice of the reports pays, on simulated nodes.
//!
//! A plain program that prints tables in Markdown. `docs/backtest.md` says what it does and what its models leave out,
//! and holds what came of it. Progress goes to stderr; what is printed depends on nothing but the seeds.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for builders: a panic is how it fails, printing is what it is for"
)]

mod acts;
mod baselines;
mod books;
mod claims;
mod forecasts;
mod jobs;
mod journal;
mod markdown;
mod node;
mod operators;
mod options;
mod plan;
mod results;
mod statistics;
mod trials;
mod work;

use std::path::Path;
use std::process::ExitCode;

use options::{Options, USAGE};

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("backtest: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if options.help {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match told(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("backtest: {wrong}");
            ExitCode::FAILURE
        }
    }
}

fn told(options: &Options) -> Result<(), String> {
    let outcome = work::run(options);
    print!("{}", outcome.text);
    if !outcome.wrong.is_empty() {
        return Err(format!("the money of some reports is not the truth:\n{}", outcome.wrong.join("\n")));
    }
    if options.quick && work::run(options).text != outcome.text {
        return Err("a second run with the same seeds says something else".to_owned());
    }
    if options.write {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/backtest.md");
        markdown::write(&document, &outcome.text)?;
    }
    Ok(())
}
