//! Two runs at once, and readers while a run writes.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::harness::Sandbox;
use crate::profiles::{enable, lnd};
use crate::tally::{survived, tries};

fn start(sandbox: &Sandbox) -> Child {
    let mut command = sandbox.command(["generate", "--all", "--force"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_second_run_is_told_at_once_who_holds_the_lock() {
    let lnd = lnd().delay(Duration::from_millis(600)).start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    let mut first = start(&sandbox);
    // It asks the node only when it holds the lock.
    let begun = Instant::now();
    while lnd.calls() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the first run asks nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    let begun = Instant::now();
    let second = sandbox.run(["generate", "--all", "--force"]);
    let took = begun.elapsed();
    second.ends(11).says_one_line(&[&format!("process {}", first.id()), "run.lock", "wait until it has ended"]);
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    sandbox.run(["generate", "--all", "--force"]).ends(0);
}

#[test]
fn of_many_that_start_at_once_one_runs() {
    let lnd = lnd().delay(Duration::from_millis(300)).start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    let rounds = tries(2, 20);
    for round in 1..=rounds {
        let mut runs: Vec<Child> = (0..20).map(|_| start(&sandbox)).collect();
        let mut codes: Vec<_> = runs.iter_mut().map(|run| run.wait().unwrap().code().unwrap()).collect();
        codes.sort_unstable();
        // One that starts late may come when the first has ended, and runs after it.
        let ran = codes.iter().filter(|code| **code == 0).count();
        assert!(ran >= 1 && codes.iter().all(|code| [0, 11].contains(code)), "{codes:?}");
        assert!(codes.contains(&11), "round {round}: no two met: {codes:?}");
        let asked = lnd.calls_of("/lnrpc.Lightning/GetInfo");
        let shown = sandbox.run(["status", "--json"]).ends(0).json();
        let reports = shown["profiles"][0]["total_reports"].as_u64().unwrap();
        // Each report is one reading of the node: those that were refused asked nothing.
        assert_eq!(asked % usize::try_from(reports).unwrap(), 0, "{asked} askings for {reports} reports");
    }
    survived("20 runs started at once", rounds);
}

#[test]
fn readers_see_whole_reports_while_a_run_writes() {
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    sandbox.run(["generate", "--all"]).ends(0);
    let (writing, reads) = (AtomicBool::new(true), AtomicUsize::new(0));
    let runs = tries(5, 50);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while writing.load(Ordering::SeqCst) {
                    let shown = sandbox.run(["show", "--json"]);
                    shown.ends(0);
                    assert_eq!(shown.stderr, "");
                    assert_eq!(shown.json()["user_id"], "alice");
                    assert_eq!(shown.json()["generation_status"], "complete");
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let writer = scope.spawn(|| {
            for _ in 0..runs {
                sandbox.run(["generate", "--all", "--force"]).ends(0);
            }
        });
        let ended = writer.join();
        writing.store(false, Ordering::SeqCst);
        ended.unwrap();
    });
    let reads = reads.into_inner();
    assert!(reads >= 8, "only {reads} reads");
    survived("reads by 8 readers while a run writes", reads);
    assert_eq!(sandbox.run(["show", "--json"]).ends(0).json()["revision"], 1 + runs);
}
