//! What can be typed, and the order of what comes back from several threads.

use std::time::Duration;

use crate::jobs;
use crate::options::Options;

fn read(line: &str) -> Result<Options, String> {
    Options::read(line.split_whitespace().map(str::to_owned))
}

#[test]
fn the_words_of_the_command_line() {
    let plain = read("--bench").unwrap();
    assert_eq!((plain.plan.seeds.clone(), plain.plan.days, plain.jobs), (1_001..=1_200, 60, 2));
    let typed = read("--seeds 3-9 --days 12 --jobs 1 follow").unwrap();
    assert_eq!((typed.plan.seeds.clone(), typed.plan.days, typed.jobs), (3..=9, 12, 1));
    assert!(typed.wants("follow") && !typed.wants("long") && plain.wants("long"));
    let quick = read("--quick").unwrap();
    assert_eq!((quick.plan.seeds.count(), quick.plan.days), (6, 20));
}

#[test]
fn wrong_words_are_told() {
    for line in
        ["--seeds", "--seeds 5", "--seeds 9-3", "--days 0", "--jobs x", "net", "--write --quick", "--write long"]
    {
        assert!(read(line).is_err(), "{line}");
    }
}

#[test]
fn results_are_in_the_order_of_the_seeds() {
    let seeds: Vec<u64> = (1..=40).collect();
    // The first ones take the longest.
    let slow = |seed: u64| {
        std::thread::sleep(Duration::from_millis(40_u64.saturating_sub(seed) / 8));
        seed * 10
    };
    let wanted: Vec<u64> = seeds.iter().map(|seed| seed * 10).collect();
    assert_eq!(jobs::all("test", 3, &seeds, slow), wanted);
    assert_eq!(jobs::all("test", 1, &[], slow), Vec::<u64>::new());
}
