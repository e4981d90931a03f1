//! Each named step of a run in turn is its last. Built with the feature `crash-points` only.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;

use daznode::store::{CRASH_POINTS, RESTORE_CRASH_POINTS};

use crate::audit::audit;
use crate::harness::Sandbox;
use crate::profiles::{enable, expected_events, lnd};
use crate::tally::survived;

#[test]
fn every_step_can_be_the_last_one() {
    let lnd = lnd().start();
    for step in CRASH_POINTS {
        // The first time that a run comes by, and once more: with another profile's report half done.
        for time in [1, 2] {
            // Files of a run are written and taken off the queue once for each profile and once at the end, where
            // nothing is left of them.
            let step = format!("{step}:{time}");
            let sandbox = Sandbox::new();
            for user in ["alice", "bert"] {
                enable(&sandbox, user, &lnd);
            }
            let ended = sandbox.command(["generate", "--all"]).env("DAZNODE_CRASH_AT", &step).output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert_eq!(ended.status.signal(), Some(6), "{step} was not reached: {said}");
            let known = audit(&sandbox.state(), &BTreeMap::new()).reports;
            if step.starts_with("report-after") || step.starts_with("file") {
                assert!(!known.is_empty(), "{step}: the report is gone");
            }
            let made = sandbox.run(["generate", "--all", "--json"]).ends(0).json();
            let found = audit(&sandbox.state(), &known);
            assert!(found.pending.is_empty(), "{step}: {:?}", found.pending);
            assert_eq!(found.temporary, Vec::<std::path::PathBuf>::new(), "{step}");
            assert_eq!(found.reports.len(), 2, "{step}: {made}");
            for (node, events) in &found.events {
                assert_eq!(*events, expected_events(), "{step}, {node:?}");
            }
            // Nothing is as it was before, but the run that was stopped is seen to be.
            sandbox.run(["health-check"]).ends(0);
        }
    }
    survived("the process stops at each named step of generate", 2 * CRASH_POINTS.len());
}

#[test]
fn a_kill_within_the_first_command_leaves_nothing_in_the_way() {
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    for _ in 0..3 {
        let ended =
            sandbox.command(["generate", "--all"]).env("DAZNODE_CRASH_AT", "file-half-written").output().unwrap();
        assert_eq!(ended.status.signal(), Some(6));
        let found = audit(&sandbox.state(), &BTreeMap::new());
        assert_eq!(found.temporary.len(), 1, "those of earlier runs are removed: {:?}", found.temporary);
    }
}

#[test]
fn every_step_of_a_restore_can_be_the_last_one() {
    let lnd = lnd().start();
    for step in RESTORE_CRASH_POINTS {
        let sandbox = Sandbox::new();
        enable(&sandbox, "alice", &lnd);
        sandbox.run(["generate", "--all"]).ends(0);
        sandbox.run(["backup", "one.db"]).ends(0);
        let old = audit(&sandbox.state(), &BTreeMap::new()).reports;
        sandbox.run(["generate", "--all", "--force"]).ends(0);
        let new = audit(&sandbox.state(), &BTreeMap::new()).reports;
        let ended = sandbox.command(["restore", "one.db", "--yes"]).env("DAZNODE_CRASH_AT", step).output().unwrap();
        assert_eq!(ended.status.signal(), Some(6), "{step} was not reached");
        let swapped = matches!(step, "restore-swapped" | "restore-before-files");
        let shown = sandbox.run(["verify", "--json"]).json();
        assert_eq!(shown["reports"], if swapped { old.len() } else { new.len() }, "{step}");
        sandbox.run(["restore", "one.db", "--yes"]).ends(0);
        assert_eq!(audit(&sandbox.state(), &BTreeMap::new()).reports, old, "{step}");
        sandbox.run(["generate", "--all", "--force"]).ends(0);
        assert_eq!(audit(&sandbox.state(), &old).temporary, Vec::<std::path::PathBuf>::new(), "{step}");
    }
}
