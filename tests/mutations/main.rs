//! Every parser of outside bytes is given generated and mutated inputs: none may panic, and what is said of what it takes
//! must hold.
//!
//! 20,000 inputs for each parser, or as many as `DAZNODE_FUZZ` says. `DAZNODE_SEED` repeats a run, `DAZNODE_TARGET` runs
//! one parser alone. A new parser is one line in the table of `targets`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails"
)]

mod engine;
mod targets;

use std::hash::{BuildHasher as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engine::Dice;
use targets::{TARGETS, Target};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// What came of one parser.
struct Ran {
    taken: u64,
    slowest: Duration,
    failed: Option<String>,
}

fn run(target: &Target, inputs: u64, seed: u64) -> Ran {
    let corpus = (target.corpus)();
    let mut ran = Ran { taken: 0, slowest: Duration::ZERO, failed: None };
    let words: Vec<&[u8]> = target.words.iter().map(|word| word.as_bytes()).collect();
    // Each parser has its own numbers, so that one can be repeated alone.
    let mut dice =
        Dice::new(seed ^ target.name.bytes().fold(0_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into())));
    let whole = corpus.iter().cloned().map(|input| (true, input));
    let mutated = (0..inputs).map(|_| (false, engine::mutate(&mut dice, &corpus, &words)));
    for (is_whole, input) in whole.chain(mutated) {
        let started = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
            Ok(taken) => {
                ran.taken += u64::from(taken && !is_whole);
                if is_whole && !taken {
                    ran.failed = Some(format!("does not take what it should: {}", shown(&input)));
                }
            }
            Err(panic) => {
                let words = panic.downcast_ref::<String>().map(String::as_str);
                let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?");
                ran.failed = Some(format!("panics ({words}) with {}", shown(&input)));
            }
        }
        ran.slowest = ran.slowest.max(started.elapsed());
        if ran.failed.is_some() {
            break;
        }
    }
    ran
}

/// An input in hex, whole, so that a failure can be repeated without the seed.
fn shown(input: &[u8]) -> String {
    format!("{} bytes, hex {}", input.len(), hex::encode(input))
}

#[test]
fn no_parser_of_outside_bytes_panics() {
    let inputs = number("DAZNODE_FUZZ").unwrap_or(20_000);
    let seed = number("DAZNODE_SEED").unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish() >> 16);
    eprintln!("{inputs} inputs for each parser: DAZNODE_SEED={seed} repeats it");
    let only = std::env::var("DAZNODE_TARGET").ok();
    let chosen: Vec<&Target> = TARGETS.iter().filter(|t| only.as_deref().is_none_or(|name| name == t.name)).collect();
    assert!(!chosen.is_empty(), "no parser is called {only:?}");
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(target) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = Instant::now();
                    let Ran { taken, slowest, failed: why } = run(target, inputs, seed);
                    eprintln!(
                        "{:<20} {taken:>8} taken, slowest {:>6} us, {:>5} s",
                        target.name,
                        slowest.as_micros(),
                        started.elapsed().as_secs()
                    );
                    failed.lock().unwrap().extend(why.map(|why| format!("{}: {why}", target.name)));
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "DAZNODE_SEED={seed}:\n{}", failed.join("\n"));
}

/// The test above bites: a parser that panics is named with its input.
#[test]
fn a_panic_is_found_and_named() {
    fn fragile(input: &[u8]) -> bool {
        assert!(input.len() < 4 || input[3] != 0xff, "bang");
        true
    }
    let target = Target { name: "fragile", corpus: || vec![vec![1, 2, 3, 4, 5]], words: &[], run: fragile };
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let (ran, again) = (run(&target, 20_000, 7), run(&target, 20_000, 7));
    std::panic::set_hook(hook);
    let told = ran.failed.unwrap();
    assert!(told.starts_with("panics (bang) with") && told.contains("hex "), "{told}");
    assert_eq!(again.failed.unwrap(), told, "the same seed, the same inputs");
}
