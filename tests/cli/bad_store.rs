//! Stores that can't be used: the path and the remedy in one line, the right exit code, nothing changed.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Sandbox, is_root};

const READERS: [&[&str]; 3] = [&["show"], &["history"], &["advice"]];
const WRITERS: [&[&str]; 2] = [&["generate", "--all"], &["disable", "--all"]];

#[test]
fn no_database_yet() {
    let sandbox = Sandbox::new();
    for command in READERS {
        sandbox.refuses(command, 1, &["daznode.db", "daznode enable"]);
    }
    sandbox.run(["status"]).ends(0);
    let ended = sandbox.run(["generate", "--all"]);
    ended.ends(0);
    assert!(ended.stderr.contains("no enabled profile"), "{}", ended.stderr);
    assert!(!sandbox.state().exists(), "a command that only looks makes nothing");
}

#[test]
fn a_database_of_another_program_or_none_at_all() {
    for bytes in [&b"not a database, but a letter to a friend"[..], b"", &[0; 5000]] {
        let sandbox = Sandbox::new();
        sandbox.put("home/.local/share/daznode/daznode.db", bytes, 0o600);
        sandbox.put("home/.local/share/daznode/reports/daily/default/20261121.json", b"{}", 0o600);
        for command in READERS.iter().chain(&WRITERS) {
            sandbox.refuses(*command, 5, &["daznode.db"]);
        }
    }
}

#[test]
fn a_database_that_was_cut_off() {
    let sandbox = Sandbox::with_report();
    let bytes = std::fs::read(sandbox.database()).unwrap();
    let half = bytes.len() / 2 / 4096 * 4096;
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", sandbox.database().display()));
    }
    sandbox.put("home/.local/share/daznode/daznode.db", &bytes[..half], 0o600);
    for command in READERS.iter().chain(&WRITERS) {
        let ended = sandbox.run(*command);
        ended.ends(5).says_one_line(&["daznode.db", "damaged"]);
        assert_eq!(std::fs::read(sandbox.database()).unwrap(), bytes[..half], "it was changed");
    }
}

#[test]
fn a_database_of_a_newer_version() {
    let sandbox = Sandbox::with_report();
    let db = rusqlite::Connection::open(sandbox.database()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    db.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
    drop(db);
    let before = std::fs::read(sandbox.database()).unwrap();
    for command in READERS.iter().chain(&WRITERS) {
        sandbox.run(*command).ends(5).says_one_line(&["daznode.db", "99", "newer"]);
        assert_eq!(std::fs::read(sandbox.database()).unwrap(), before);
    }
}

#[test]
fn a_folder_that_is_read_only() {
    if is_root() {
        eprintln!("skipped: root may write anywhere");
        return;
    }
    let sandbox = Sandbox::with_report();
    let mode = |mode| std::fs::set_permissions(sandbox.state(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o500);
    for command in READERS {
        sandbox.run(command).ends(0);
    }
    for command in WRITERS {
        let ended = sandbox.run(command);
        ended.ends(1).says_one_line(&["daznode"]);
    }
    mode(0o700);
}

#[test]
fn a_state_folder_that_is_a_file() {
    let sandbox = Sandbox::new().file("plain", "x", 0o600);
    let state = sandbox.path("plain");
    let bob = crate::harness::bob();
    let args = ["--state", state.to_str().unwrap(), "enable", "--recording", bob.to_str().unwrap()];
    sandbox.refuses(args, 1, &["plain"]);
}

#[test]
fn another_run_holds_the_lock() {
    let sandbox = Sandbox::with_bob();
    let held = std::fs::File::create(sandbox.state().join("run.lock")).unwrap();
    held.lock().unwrap();
    let started = std::time::Instant::now();
    let ended = sandbox.run(["generate", "--all"]);
    ended.ends(11).says_one_line(&["run.lock", "wait until it has ended"]);
    assert!(started.elapsed() < std::time::Duration::from_secs(1), "{:?}", started.elapsed());
    held.unlock().unwrap();
    sandbox.run(["generate", "--all"]).ends(0);
}
