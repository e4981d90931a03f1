//! Backup, verify and restore, from the first report to the drill.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, types::Value};

use crate::harness::Sandbox;

/// Each table but the queue of files: its rows in words, sorted.
fn rows(database: &Path) -> BTreeMap<String, Vec<String>> {
    // To write, since a kill may have left a journal to roll back.
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'pending_files'";
    let tables: Vec<String> =
        db.prepare(names).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut all = BTreeMap::new();
    for table in tables {
        let mut select = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|n| row.get(n)).collect::<rusqlite::Result<Vec<Value>>>();
        let mut found: Vec<String> =
            select.query_map([], row).unwrap().map(|row| format!("{:?}", row.unwrap())).collect();
        found.sort();
        all.insert(table, found);
    }
    all
}

/// What differs, without its bytes.
#[track_caller]
fn same(found: &BTreeMap<String, Vec<String>>, expected: &BTreeMap<String, Vec<String>>) {
    let differ: Vec<_> = expected.keys().chain(found.keys()).filter(|t| found.get(*t) != expected.get(*t)).collect();
    assert!(differ.is_empty(), "these tables differ: {differ:?}");
}

fn reports(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let below = sandbox.state().join("reports");
    sandbox
        .tree()
        .into_iter()
        .filter(|(path, _)| path.starts_with(&below))
        .map(|(path, (_, bytes))| (path, bytes))
        .collect()
}

fn backup(sandbox: &Sandbox) -> PathBuf {
    let made = sandbox.run(["backup", "--json"]).ends(0).json();
    PathBuf::from(made["path"].as_str().unwrap())
}

/// A second has to pass between two backups without a name of their own.
fn named(sandbox: &Sandbox, name: &str) -> PathBuf {
    let path = sandbox.path(name);
    sandbox.run([Path::new("backup"), &path]).ends(0);
    path
}

fn damage(database: &Path) {
    let mut bytes = std::fs::read(database).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[4096..middle].fill(0xa5);
    #[expect(clippy::disallowed_methods, reason = "a test damages what it is about")]
    std::fs::write(database, bytes).unwrap();
}

#[test]
fn the_whole_way_round() {
    let sandbox = Sandbox::with_report();
    // Backups while another process writes: each is whole.
    let done = AtomicBool::new(false);
    let during: Vec<PathBuf> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                sandbox.run(["generate", "--all", "--force"]).ends(0);
            }
        });
        let made = (0..10).map(|n| named(&sandbox, &format!("during-{n}.db"))).collect();
        done.store(true, Ordering::Relaxed);
        made
    });
    for file in &during {
        let found = sandbox.run(["verify", file.to_str().unwrap(), "--json"]).ends(0).json();
        assert_eq!((&found["whole"], &found["manifest"]["schema_version"]), (&true.into(), &found["schema_version"]));
    }
    let last = backup(&sandbox);
    let (expected, files) = (rows(&sandbox.database()), reports(&sandbox));
    assert!(expected["reports"].len() > 1 && !files.is_empty());
    let looked = sandbox.run(["verify", "--json"]).ends(0).json();
    assert_eq!(looked["reports"], expected["reports"].len());
    assert!(looked["files"].as_u64().unwrap() > 0);
    sandbox.run(["verify"]).ends(0);

    damage(&sandbox.database());
    let told = sandbox.run(["verify"]);
    told.ends(5).says_one_line(&["damaged", "daznode restore"]);
    let told = sandbox.run(["verify", "--json"]).ends(5).json();
    assert!(!told["faults"].as_array().unwrap().is_empty());
    for path in files.keys().filter(|path| path.is_file()) {
        std::fs::remove_file(path).unwrap();
    }
    let last = last.to_str().unwrap();
    sandbox.run(["restore", last]).ends(2).says_one_line(&["--yes", "before-restore"]);
    let dry = sandbox.run(["restore", last, "--dry-run"]);
    assert!(dry.ends(0).stdout.contains("Nothing was changed"), "{}", dry.stdout);
    sandbox.run(["verify"]).ends(5);
    let done = sandbox.run(["restore", last, "--yes", "--json"]).ends(0).json();
    assert!(Path::new(done["kept"].as_str().unwrap()).exists());
    same(&rows(&sandbox.database()), &expected);
    assert_eq!(reports(&sandbox).keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
    assert!(reports(&sandbox) == files, "a file is not what it was");
    sandbox.run(["verify"]).ends(0);
    sandbox.run(["show"]).ends(0);
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    sandbox.run(["verify"]).ends(0);
}

#[test]
fn another_machine_gets_everything_from_one_file() {
    let sandbox = Sandbox::with_report();
    let made = named(&sandbox, "one.db");
    let id = sandbox.run(["show", "--json"]).ends(0).json()["report_id"].clone();
    std::fs::remove_dir_all(sandbox.state()).unwrap();
    sandbox.run([Path::new("restore"), &made]).ends(0);
    assert_eq!(sandbox.run(["show", "--json"]).ends(0).json()["report_id"], id);
    assert!(!reports(&sandbox).is_empty());
    sandbox.run(["verify"]).ends(0);
    sandbox.run(["generate", "--all", "--force"]).ends(0);
}

#[test]
fn what_is_damaged_or_missing_is_refused_in_one_line() {
    let sandbox = Sandbox::with_report();
    let made = named(&sandbox, "one.db");
    let bytes = std::fs::read(&made).unwrap();
    sandbox.put("cut.db", &bytes[..bytes.len() - 4096], 0o600);
    sandbox.put("cut.db.json", &std::fs::read(sandbox.path("one.db.json")).unwrap(), 0o600);
    for command in [&["restore", "cut.db", "--yes"][..], &["restore", "cut.db", "--dry-run"], &["restore", "cut.db"]] {
        sandbox.run(command).ends(5).says_one_line(&["cut.db", "damaged", "earlier backup"]);
    }
    sandbox.run(["verify", "cut.db"]).ends(5);
    sandbox.run(["restore", "none.db", "--yes"]).ends(1).says_one_line(&["none.db"]);
    sandbox.refuses(["backup", "one.db"], 2, &["one.db", "there already"]);
    sandbox.refuses(["backup", "no/such/folder.db"], 1, &["no/such"]);
    let itself = sandbox.database();
    sandbox.run(["restore", itself.to_str().unwrap(), "--yes"]).ends(2).says_one_line(&["daznode.db"]);
    sandbox.run(["verify"]).ends(0);
    let empty = Sandbox::new();
    empty.refuses(["restore", "none.db"], 1, &["none.db"]);
    empty.refuses(["verify"], 1, &["daznode.db"]);
    empty.refuses(["backup"], 1, &["daznode.db"]);
}

#[test]
fn a_run_or_a_watcher_is_waited_for() {
    let sandbox = Sandbox::with_report();
    named(&sandbox, "one.db");
    for name in ["run.lock", "watch.lock"] {
        let held =
            std::fs::File::options().create(true).truncate(false).write(true).open(sandbox.state().join(name)).unwrap();
        held.lock().unwrap();
        sandbox.run(["restore", "one.db", "--yes"]).ends(11).says_one_line(&[name]);
    }
    sandbox.run(["restore", "one.db", "--yes"]).ends(0);
}

#[test]
fn the_last_backup_is_seen_by_the_health_check_and_older_ones_go_when_told() {
    let sandbox = Sandbox::with_report();
    let seen = |sandbox: &Sandbox| {
        let health = sandbox.run(["health-check", "--json"]).ends(0).json();
        let all = health["checks"].as_array().unwrap();
        all.iter().find(|check| check["name"] == "backup").unwrap().clone()
    };
    assert_eq!((&seen(&sandbox)["state"], &seen(&sandbox)["remedy"]), (&"off".into(), &"daznode backup".into()));
    let made = backup(&sandbox);
    let name = made.file_name().unwrap().to_str().unwrap();
    let check = seen(&sandbox);
    assert_eq!(check["state"], "ok");
    assert!(check["detail"].as_str().unwrap().starts_with(name), "{check}");
    // An older one, as it would have been named.
    let folder = made.parent().unwrap();
    for end in ["db", "db.json"] {
        let from = folder.join(name.replace(".db", &format!(".{end}")));
        std::fs::copy(from, folder.join(format!("daznode-20200101T000000Z.{end}"))).unwrap();
    }
    let gone = sandbox.run([Path::new("backup"), &sandbox.path("x.db"), Path::new("--keep"), Path::new("1")]);
    gone.ends(0);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 4, "that is another folder");
    std::thread::sleep(Duration::from_millis(1100));
    let removed = sandbox.run(["backup", "--keep", "2", "--json"]).ends(0).json()["removed"].clone();
    assert_eq!(removed, serde_json::json!([folder.join("daznode-20200101T000000Z.db")]));
    sandbox.run(["backup", "--keep", "0"]).ends(2);
}

/// Killed at any moment, a restore leaves the old database or the new one.
#[test]
fn a_restore_killed_at_any_moment_leaves_the_old_or_the_new() {
    let sandbox = Sandbox::with_report();
    let made = named(&sandbox, "one.db");
    let old = rows(&made);
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let newer = named(&sandbox, "two.db");
    let new = rows(&newer);
    let started = Instant::now();
    sandbox.run(["restore", "two.db", "--yes"]).ends(0);
    let usual = started.elapsed();
    let (mut killed, mut swapped) = (0, 0);
    let rounds = if std::env::var_os("DAZNODE_TORTURE").is_some() { 400_u32 } else { 20 };
    for round in 0..rounds {
        // Every part of it in turn, and some more: the moments are spread, and no two runs take the same time.
        let mut child = sandbox
            .command(["restore", "one.db", "--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(usual * (round * 7 % rounds) / rounds);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let found = rows(&sandbox.database());
        let is_old = found["reports"].len() == old["reports"].len();
        swapped += u32::from(is_old);
        same(&found, if is_old { &old } else { &new });
        // What the next command says, and that it can be done again.
        sandbox.run(["restore", "two.db", "--yes"]).ends(0);
        same(&rows(&sandbox.database()), &new);
        sandbox.run(["verify"]).ends(0);
        let left: Vec<_> = std::fs::read_dir(sandbox.state()).unwrap().flatten().map(|e| e.path()).collect();
        for kept in left.iter().filter(|path| path.to_string_lossy().contains("before-restore")) {
            // What a kill left of a journal in which nothing was written yet is set aside too.
            if !kept.to_string_lossy().ends_with("-journal") {
                rows(kept);
            }
            std::fs::remove_file(kept).unwrap();
        }
    }
    eprintln!(
        "a restore takes about {} ms; of {rounds} {killed} were killed, {swapped} after the swap",
        usual.as_millis()
    );
    assert!(killed > rounds / 4, "only {killed} were killed");
    // What kills left is swept by the next run.
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let left = sandbox.tree().into_keys().filter(|path| path.to_string_lossy().ends_with(".tmp")).count();
    assert_eq!(left, 0);
}
