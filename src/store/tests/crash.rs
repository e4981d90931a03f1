//! A process that is stopped at each step in turn loses no report that was announced and leaves no half file; the next
//! run makes the rest good. Built with the feature `crash-points` only.

use std::process::Command;

use super::support::{NOW, document, forward, new_profile, report, snapshot};
use crate::snapshot::Events;
use crate::store::{Access, CRASH_POINTS, ProfileFilter, Store};

/// Where the child works, told by the parent.
const STATE: &str = "DAZNODE_CRASH_STATE";

#[test]
#[ignore = "the child of the test below"]
fn child() {
    let Some(state) = std::env::var_os(STATE) else { return };
    let store = Store::open(state.as_ref(), Access::Write).unwrap();
    let profile = store.enable(&new_profile("alice", 1), NOW).unwrap();
    store.flush_files().unwrap();
    let page: Vec<_> = (0..100).map(|n| forward(NOW.nanos() - 1 - n, 1, 2, 1_001, 1_000)).collect();
    store.put_events(&profile, &Events::Forwards(page)).unwrap();
    store.put_snapshot(&profile, &snapshot(NOW, 3)).unwrap();
    let revision = store.next_revision(&profile, NOW.day()).unwrap();
    let report = report(&profile, NOW, revision);
    store.put_report(&profile, &report, &document(&report)).unwrap();
    println!("announced {}", report.report_id);
    store.flush_files().unwrap();
}

fn run(state: &std::path::Path, step: &str) -> (bool, Option<String>) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["store::tests::crash::child", "--exact", "--ignored", "--nocapture"])
        .env(STATE, state)
        .env("DAZNODE_CRASH_AT", step)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let announced = text.lines().find_map(|line| line.split("announced ").nth(1)).map(str::to_owned);
    (output.status.success(), announced)
}

#[test]
fn every_step_can_be_the_last() {
    for step in CRASH_POINTS {
        let folder = tempfile::tempdir().unwrap();
        let (ended, announced) = run(folder.path(), step);
        assert!(!ended, "{step} was not reached");
        {
            // Whoever reads meanwhile sees whole reports.
            let reader = Store::open(folder.path(), Access::Read).unwrap();
            let checked = reader.check().unwrap();
            assert!(checked.is_whole(), "{step}: {checked:?}");
            let profiles = reader.profiles(&ProfileFilter::default()).unwrap();
            let kept = reader.latest_report(&profiles[0]).unwrap();
            assert!(announced.is_none() || kept.is_some(), "{step}: an announced report is gone");
        }
        let (ended, second) = run(folder.path(), "");
        assert!(ended, "{step}: the next run failed");
        let store = Store::open(folder.path(), Access::Write).unwrap();
        let profile = &store.profiles(&ProfileFilter::default()).unwrap()[0];
        for id in announced.into_iter().chain(second) {
            assert!(store.report_by_id(None, id.parse().unwrap()).unwrap().is_some(), "{step}: {id} is gone");
        }
        let checked = store.check().unwrap();
        assert!(checked.is_whole() && checked.pending_files == 0, "{step}: {checked:?}");
        assert_eq!(store.history(profile, NOW, NOW.day()).unwrap().day.forwards, 100, "{step}: counted once");
        let files: Vec<_> = std::fs::read_dir(folder.path().join("reports/daily/alice"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(files, ["20261121.json"], "{step}: something is left");
    }
}
