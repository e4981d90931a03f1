//! The power goes at any moment: what was announced is there when it comes back. The file system is an ext4 whose kernel
//! is told to forget what was not synced; the writer is stopped first, so that it says nothing after the cut.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use daznode::sources::spec::SourceSpec;
use daznode::store::{Access, Store};
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::audit::{Audit, audit};
use crate::dice::Dice;
use crate::harness::{Ended, Sandbox};
use crate::profiles::{expected_events, put, whole};
use crate::tally::{survived, tries};
use crate::volume::{Volume, alone};

/// A store on a disk of its own, of two users who have the same recorded node.
struct Place {
    sandbox: Sandbox,
    disk: Volume,
    usual: Duration,
}

impl Place {
    fn new() -> Option<Self> {
        let disk = Volume::ext4(32)?;
        let state = disk.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let sandbox = Sandbox::new().env("DAZNODE_STATE", state.to_str().unwrap());
        let store = Store::open(&state, Access::Write).unwrap();
        for user in ["alice", "bert"] {
            put(&store, user, SourceSpec::Recording { folder: whole() });
        }
        drop(store);
        sandbox.run(["generate", "--all"]).ends(0);
        let begun = Instant::now();
        sandbox.run(["generate", "--all", "--force"]).ends(0);
        Some(Self { sandbox, disk, usual: begun.elapsed() })
    }

    fn state(&self) -> std::path::PathBuf {
        self.disk.path().join("state")
    }

    /// Cuts the power within a run, and gives the ids that were announced until then.
    fn cut(&self, dice: &mut Dice, synchronous: Option<&str>) -> Vec<String> {
        let command = || {
            let mut command = self.sandbox.command(["generate", "--all", "--force", "--json"]);
            command.envs(synchronous.map(|mode| ("DAZNODE_SYNCHRONOUS", mode)));
            command
        };
        // Who closes the database last brings all of it to the disk. Every other time somebody is reading, as a dashboard
        // does: then no run is the last. Where the cut is to be seen, that is always so, and a run has ended before it.
        let (reads, before) = (dice.roll().is_multiple_of(2), dice.less_than(3));
        let (reads, before) = if synchronous.is_some() { (true, before + 1) } else { (reads, before) };
        let reader = reads.then(|| reading(&self.state()));
        let mut announced = Vec::new();
        for _ in 0..before {
            let ended = command().output().unwrap();
            assert!(ended.status.success(), "{ended:?}");
            announced.extend(ids(&String::from_utf8(ended.stdout).unwrap()));
        }
        let said = self.sandbox.path("said");
        let told = File::create(&said).unwrap();
        let writer = Writer(command().stdout(told).stderr(Stdio::null()).spawn().unwrap());
        std::thread::sleep(dice.below(self.usual * 3 / 2));
        kill_process(Pid::from_child(&writer.0), Signal::STOP).unwrap();
        self.disk.cut();
        drop((writer, reader));
        announced.extend(ids(&std::fs::read_to_string(&said).unwrap()));
        self.disk.back(false);
        announced
    }
}

/// A run that ends with its owner: one that is stopped would stay for ever, and hold its disk.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A connection that has read.
fn reading(state: &Path) -> Connection {
    let db = Connection::open_with_flags(state.join("daznode.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    db.query_row("SELECT count(*) FROM reports", [], |row| row.get::<_, i64>(0)).unwrap();
    db
}

/// The reports that a run says it made; none where it was cut off before it said so.
fn ids(said: &str) -> Vec<String> {
    let Ok(made) = serde_json::from_str::<Value>(said) else { return Vec::new() };
    let outcomes = made["outcomes"].as_array().unwrap().iter();
    outcomes.filter_map(|outcome| outcome["report_id"].as_str().map(str::to_owned)).collect()
}

#[track_caller]
fn repaired(sandbox: &Sandbox, state: &Path, known: &BTreeMap<String, String>) -> Audit {
    let made: Ended = sandbox.run(["generate", "--all", "--json"]);
    made.ends(0);
    let found = audit(state, known);
    assert!(ids(&made.stdout).iter().all(|id| found.reports.contains_key(id)));
    assert!(found.pending.is_empty(), "{:?}", found.pending);
    assert_eq!(found.temporary, Vec::<std::path::PathBuf>::new());
    for (node, events) in &found.events {
        assert_eq!(*events, expected_events(), "{node:?}: lost or counted twice");
    }
    let health = sandbox.run(["health-check", "--json"]).ends(0).json();
    assert_eq!(health["healthy"], true);
    found
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_announced() {
    if !alone("power::a_power_cut_at_any_moment_loses_nothing_that_was_announced") {
        return;
    }
    let mut dice = Dice::told("power cuts");
    let cuts = tries(10, 200);
    let (mut pending, mut unannounced) = (0, 0);
    let mut place = None;
    let mut known = BTreeMap::new();
    for cut in 0..cuts {
        // A fresh disk now and then: the first reports are made on one, and looking at it stays quick.
        if cut % 20 == 0 {
            place = Place::new();
            known = BTreeMap::new();
        }
        let Some(place) = &place else { return };
        let announced = place.cut(&mut dice, None);
        let found = audit(&place.state(), &known);
        for id in &announced {
            assert!(found.reports.contains_key(id), "cut {cut}: report {id} was announced, and is gone");
        }
        pending += usize::from(!found.pending.is_empty());
        unannounced += usize::from(found.reports.len() > known.len() + announced.len());
        known = repaired(&place.sandbox, &place.state(), &found.reports).reports;
    }
    eprintln!("of {cuts} cuts {pending} came before a file, {unannounced} after a report and before it was announced");
    survived("power cut during generate", cuts);
}

/// The test above would see it if a commit were not synced.
#[cfg(feature = "crash-points")]
#[test]
fn without_syncing_every_commit_a_power_cut_loses_reports() {
    if !alone("power::without_syncing_every_commit_a_power_cut_loses_reports") {
        return;
    }
    let mut dice = Dice::told("power cuts with synchronous=NORMAL");
    let cuts = tries(4, 40);
    let (mut lossy, mut lost, mut announced) = (0, 0, 0);
    for _ in 0..cuts {
        let Some(place) = Place::new() else { return };
        let told = place.cut(&mut dice, Some("NORMAL"));
        let db = reading(&place.state());
        let there = |id: &&String| {
            db.query_row("SELECT count(*) FROM reports WHERE id = ?1", [id], |row| row.get::<_, i64>(0)).unwrap() > 0
        };
        let gone = told.iter().filter(|id| !there(id)).count();
        drop(db);
        lossy += usize::from(gone > 0);
        lost += gone;
        announced += told.len();
    }
    eprintln!("synchronous=NORMAL: {lossy} of {cuts} cuts lost reports, {lost} of {announced} announced ones");
    crate::tally::tell("power cut with synchronous=NORMAL (must lose: the test bites)", cuts, lossy);
    assert!(lossy > 0, "no cut lost a report: the test of power cuts sees nothing");
}
