//! Kills at any moment: no announced report is lost, no file is half, the next run repairs the rest.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::audit::audit;
use crate::dice::{Dice, seed};
use crate::harness::Sandbox;
use crate::profiles::{enable, expected_events, lnd, store, uri};
use crate::tally::{survived, tries};

/// Kills in a store before a new one is begun, so that looking at it stays quick.
const ROUND: usize = 50;

#[test]
fn a_run_killed_at_any_moment_loses_nothing() {
    let rounds = tries(1, 20);
    let first = seed();
    let mut killed = 0;
    for round in 0..rounds {
        let seed = first.wrapping_add(u64::try_from(round).unwrap());
        eprintln!("round {} of {rounds}: DAZNODE_SEED={seed} repeats it", round + 1);
        killed += kill(seed);
    }
    survived("SIGKILL at a random moment of generate", killed);
}

/// How many runs of a round were killed before they had ended.
fn kill(seed: u64) -> usize {
    let mut dice = Dice::of(seed);
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    for user in ["alice", "bert"] {
        enable(&sandbox, user, &lnd);
    }
    let time = |_| {
        let started = Instant::now();
        sandbox.run(["generate", "--all", "--force"]).ends(0);
        started.elapsed()
    };
    let mut usual = (0..5).map(time).min().unwrap();
    let mut known = BTreeMap::new();
    let (mut runs, mut killed, mut pending, mut temporary, mut unannounced) = (0, 0, 0, 0, 0);
    while killed < ROUND {
        runs += 1;
        assert!(runs < 4 * ROUND, "of {runs} runs only {killed} were killed");
        let mut command = sandbox.command(["generate", "--all", "--force"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let took = kill_after(&mut child, dice.below(usual * 3 / 2));
        killed += usize::from(child.wait().unwrap().signal() == Some(9));
        // The machine may become slower or faster meanwhile.
        usual = match took {
            Some(took) => (usual + took) / 2,
            None => usual * 41 / 40,
        };
        let found = audit(&sandbox.state(), &known);
        pending += usize::from(!found.pending.is_empty());
        temporary += usize::from(!found.temporary.is_empty());
        unannounced += usize::from(found.reports.len() == known.len());
        known = found.reports;
        // Two kills in a row happen too.
        if !dice.roll().is_multiple_of(3) {
            known = repair(&sandbox, &known);
        }
    }
    repair(&sandbox, &known);
    eprintln!(
        "a run takes about {} ms; of {runs} runs {killed} were killed, {unannounced} before a report, {pending} before its \
         file, {temporary} within a file",
        usual.as_millis()
    );
    killed
}

/// Kills a run after a while; how long it took where it was faster.
fn kill_after(child: &mut Child, wait: Duration) -> Option<Duration> {
    let started = Instant::now();
    while started.elapsed() < wait {
        if child.try_wait().unwrap().is_some() {
            return Some(started.elapsed());
        }
        std::thread::sleep(Duration::from_micros(500).min(wait));
    }
    child.kill().unwrap();
    None
}

/// The next run, and what must hold after it.
#[track_caller]
fn repair(sandbox: &Sandbox, known: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let made = sandbox.run(["generate", "--all", "--json"]);
    let made = made.ends(0).json();
    let found = audit(&sandbox.state(), known);
    for outcome in made["outcomes"].as_array().unwrap() {
        let id = outcome["report_id"].as_str().unwrap_or_else(|| panic!("{outcome}"));
        assert!(found.reports.contains_key(id), "report {id} was announced and is not there");
    }
    assert!(found.pending.is_empty(), "{:?}", found.pending);
    assert_eq!(found.temporary, Vec::<std::path::PathBuf>::new());
    for (node, events) in &found.events {
        assert_eq!(*events, expected_events(), "{node:?}: lost or counted twice");
    }
    assert_eq!(found.events.len(), 2);
    let health = sandbox.run(["health-check", "--json"]).ends(0).json();
    assert_eq!(health["healthy"], true);
    found.reports
}

#[test]
fn an_enable_killed_at_any_moment_can_be_said_again() {
    let mut dice = Dice::told("enable");
    let lnd = lnd().start();
    let uri = uri(&lnd);
    let started = Instant::now();
    Sandbox::new().run(["enable", &uri]).ends(0);
    let usual = started.elapsed();
    let kills = tries(12, 200);
    for _ in 0..kills {
        let sandbox = Sandbox::new();
        let mut command = sandbox.command(["enable", &uri]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(dice.below(usual * 3 / 2));
        child.kill().unwrap();
        child.wait().unwrap();
        // Whoever looks now is told something, and makes nothing worse.
        let looked = sandbox.run(["show"]);
        assert!(matches!(looked.code, Some(1 | 2)), "{:?}: {}", looked.code, looked.stderr);
        looked.says_one_line(&[]);
        sandbox.run(["enable", &uri]).ends(0);
        sandbox.run(["generate"]).ends(0);
        let found = audit(&sandbox.state(), &BTreeMap::new());
        assert_eq!((found.reports.len(), found.temporary.len()), (1, 0), "{:?}", found.temporary);
        let secrets = std::fs::read_dir(sandbox.state().join("secrets")).unwrap().count();
        assert_eq!(secrets, 2, "the certificate and the macaroon, once");
    }
    survived("SIGKILL at a random moment of enable", kills);
}

/// In a container each run may have the process number of the one that was killed.
#[test]
fn a_run_with_the_number_of_one_that_was_killed_is_not_in_its_own_way() {
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    let profile = enable(&sandbox, "alice", &lnd);
    sandbox.run(["generate", "--all"]).ends(0);
    let store = store(&sandbox);
    let mut report = store.latest_report(&profile).unwrap().unwrap().report;
    report.report_id = daznode::store::new_id(report.created_at.0);
    report.revision = 2;
    let document = daznode::render::json::document(&report);
    store.put_report(&profile, &report, &document).unwrap();
    let name = format!("{}.json", report.report_date.compact());
    for count in 0..200 {
        let left = format!(".{name}.{}-{count}.tmp", std::process::id());
        std::fs::File::create(sandbox.state().join(&profile.folder).join(left)).unwrap();
    }
    store.flush_files().unwrap();
    let found = audit(&sandbox.state(), &BTreeMap::new());
    assert_eq!((found.temporary.len(), found.pending.len()), (0, 0));
}

/// As when the schema is brought to a new version.
#[test]
fn a_reader_after_a_kill_within_the_rollback_journal_sees_what_was_before() {
    let lnd = lnd().start();
    let (sandbox, killed) = (Sandbox::new(), Sandbox::new());
    enable(&sandbox, "alice", &lnd);
    sandbox.run(["generate", "--all"]).ends(0);
    let id = sandbox.run(["show", "--json"]).ends(0).json()["report_id"].clone();
    let db = rusqlite::Connection::open(sandbox.database()).unwrap();
    db.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
    db.execute_batch("PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE reports SET document = zeroblob(500000);")
        .unwrap();
    db.execute_batch("DROP TABLE pending_files; CREATE TABLE more (x); INSERT INTO more VALUES (zeroblob(500000));")
        .unwrap();
    // What lies on the disk now is what a kill leaves.
    for name in ["daznode.db", "daznode.db-journal"] {
        let bytes = std::fs::read(sandbox.state().join(name)).unwrap();
        assert!(!bytes.is_empty());
        killed.put(&format!("home/.local/share/daznode/{name}"), &bytes, 0o600);
    }
    db.execute_batch("ROLLBACK").unwrap();
    assert_eq!(killed.run(["show", "--json"]).ends(0).json()["report_id"], id);
}
