//! Databases that earlier versions wrote: they open, are brought up to date, and keep everything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::Deserialize;

use crate::harness::Sandbox;

/// What was written down when the database was made.
#[derive(Deserialize)]
struct Written {
    version: u32,
    rows: BTreeMap<String, u64>,
    reports: BTreeMap<String, String>,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/databases").join(name)
}

/// The database of this version where a store has it.
fn old(version: u32) -> (Sandbox, Written) {
    let packed = std::fs::read(fixture(&format!("v{version}.db.zst"))).unwrap();
    let sandbox = Sandbox::new();
    sandbox.put("home/.local/share/daznode/daznode.db", &zstd::decode_all(&packed[..]).unwrap(), 0o600);
    let written = std::fs::read_to_string(fixture(&format!("v{version}.json"))).unwrap();
    (sandbox, serde_json::from_str(&written).unwrap())
}

/// The version that a database says it has.
fn version(database: &Path) -> u32 {
    Connection::open(database).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[track_caller]
fn holds(database: &Path, written: &Written) {
    let db = Connection::open(database).unwrap();
    for (table, rows) in &written.rows {
        let found: i64 = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(found, i64::try_from(*rows).unwrap(), "{table}");
    }
    let mut all = db.prepare("SELECT id, sha256 FROM reports").unwrap();
    let reports: BTreeMap<String, String> =
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(reports, written.reports);
}

#[test]
fn every_earlier_version_has_its_database_here() {
    let newest = u32::try_from(std::fs::read_dir(fixture("../../../src/store/migrations")).unwrap().count()).unwrap();
    for version in 1..newest {
        let (sandbox, written) = old(version);
        assert_eq!((written.version, self::version(&sandbox.database())), (version, version));
        opens(&sandbox, &written, newest);
    }
}

fn opens(sandbox: &Sandbox, written: &Written, newest: u32) {
    holds(&sandbox.database(), written);
    // A reader says so and changes nothing; the first command of its owner brings it up to date.
    let before = std::fs::read(sandbox.database()).unwrap();
    let number = written.version.to_string();
    sandbox.run(["show"]).ends(1).says_one_line(&["version", &number, "daznode"]);
    assert!(std::fs::read(sandbox.database()).unwrap() == before, "reading changed it");
    sandbox.run(["status"]).ends(0);
    assert_eq!(version(&sandbox.database()), newest);
    holds(&sandbox.database(), written);
    let kept = sandbox.state().join(format!("daznode.v{number}.db"));
    assert_eq!(version(&kept), written.version, "the old one is kept beside it");
    holds(&kept, written);

    // Every report can be shown. That each document has its hash is seen by `verify` below, that the hash is the one
    // written down by `holds`.
    for id in written.reports.keys() {
        let shown = sandbox.run(["show", "--id", id, "--json"]).ends(0).json();
        assert_eq!(&shown["report_id"], id);
    }
    sandbox.run(["show"]).ends(0);
    let days = sandbox.run(["history", "--days", "3650", "--json"]);
    assert!(days.ends(0).stdout.contains("2026-11-20"), "{}", days.stdout);
    let looked = sandbox.run(["verify", "--json"]).json();
    assert_eq!(looked["reports"], written.reports.len());
    // The database came without the files beside it; nothing else is wrong with it.
    let others = looked["faults"].as_array().unwrap().iter().filter(|f| !f.as_str().unwrap().ends_with("is missing"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&serde_json::Value>::new());

    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let shown = sandbox.run(["show", "--json"]).ends(0).json();
    assert!(!written.reports.contains_key(shown["report_id"].as_str().unwrap()), "a new one was made");

    // What was kept is a backup too: it can be put back, with every file.
    std::fs::copy(&kept, sandbox.path("kept.db")).unwrap();
    sandbox.run(["restore", "kept.db", "--yes"]).ends(0);
    assert_eq!(version(&sandbox.database()), newest);
    holds(&sandbox.database(), written);
    sandbox.run(["verify"]).ends(0);
}
