//! Backups: whole or refused, and what a restore leaves at each step.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, types::Value};

use super::support::{Fixture, NOW, announce, fixture, new_profile};
use crate::store::snapshots::sha256;
use crate::store::{Access, DATABASE, Error, Manifest, Store, backups, keep_backups, restore, schema, verify_backup};
use crate::units::DAY_MS;

/// Each table but the queue of files, which a restore fills: its rows, and a hash of all that is in them.
fn rows(database: &Path) -> BTreeMap<String, (usize, String)> {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'pending_files'";
    let tables: Vec<String> =
        db.prepare(names).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let all = |table: &String| {
        let mut select = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let mut found: Vec<Vec<Value>> = select
            .query_map([], |row| (0..columns).map(|n| row.get(n)).collect())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        found.sort_by_key(|row| format!("{row:?}"));
        (found.len(), sha256(format!("{found:?}").as_bytes()))
    };
    tables.iter().map(|table| (table.clone(), all(table))).collect()
}

fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else if !path.to_string_lossy().ends_with("-shm") {
            found.insert(path.clone(), sha256(&fs::read(&path).unwrap()));
        }
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "a test's own file")]
fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

/// A store with three reports.
fn three() -> Fixture {
    let f = fixture();
    for n in 0..3 {
        announce(&f, NOW.plus(n * DAY_MS));
    }
    f.store.flush_files().unwrap();
    f
}

#[test]
fn a_backup_is_one_file_for_its_owner_with_what_it_is_beside_it() {
    let f = three();
    let made = f.store.backup(None, NOW).unwrap();
    assert_eq!(made.path, f.folder.path().join("backups/daznode-20261121T060000Z.db"));
    for path in [made.path.clone(), Manifest::path(&made.path)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert_eq!(fs::read_dir(f.folder.path().join("backups")).unwrap().count(), 2, "nothing else is left");
    assert_eq!(rows(&made.path), rows(&f.folder.path().join(DATABASE)));
    assert_eq!((made.manifest.reports, made.manifest.tables["reports"], made.manifest.tables["profiles"]), (3, 3, 1));
    assert_eq!(made.manifest.created_at, "2026-11-21T06:00:00Z");
    let found = verify_backup(&made.path).unwrap();
    assert_eq!((found.faults(), found.manifest), (vec![], Some(made.manifest)));
}

#[test]
fn nothing_is_overwritten() {
    let f = three();
    let target = f.folder.path().join("mine.db");
    f.store.backup(Some(&target), NOW).unwrap();
    let before = tree(f.folder.path());
    for there in [&target, &f.folder.path().join(DATABASE)] {
        let told = f.store.backup(Some(there), NOW).unwrap_err();
        assert!(matches!(&told, Error::Invalid(words) if words.contains("there already")), "{told}");
    }
    // A file of somebody else where the manifest would be.
    put(&f.folder.path().join("other.db.json"), b"{}");
    assert!(f.store.backup(Some(&f.folder.path().join("other.db")), NOW).is_err());
    fs::remove_file(f.folder.path().join("other.db.json")).unwrap();
    assert_eq!(tree(f.folder.path()), before);
    // What a kill between manifest and backup leaves is no hindrance.
    fs::remove_file(&target).unwrap();
    f.store.backup(Some(&target), NOW).unwrap();
}

#[test]
fn a_damaged_database_makes_no_backup() {
    let f = three();
    f.store.write(|tx| Ok(tx.execute("UPDATE reports SET score = score + 1 WHERE tenant = 1", []).unwrap())).unwrap();
    let told = f.store.backup(None, NOW).unwrap_err();
    assert!(matches!(told, Error::Damaged { .. }), "{told}");
    assert_eq!(fs::read_dir(f.folder.path().join("backups")).unwrap().count(), 0);
}

#[test]
fn only_the_older_ones_that_bear_our_names_go() {
    let f = three();
    let folder = f.folder.path().join("backups");
    let made: Vec<_> = (0..5).map(|n| f.store.backup(None, NOW.plus(n * 1000)).unwrap()).collect();
    f.store.backup(Some(&folder.join("mine.db")), NOW).unwrap();
    put(&folder.join("daznode-20200101T000000Z.db"), b"no manifest: not ours");
    assert_eq!(backups(&folder), made);
    let gone = keep_backups(&folder, 2).unwrap();
    assert_eq!(gone, made[..3].iter().map(|b| b.path.clone()).collect::<Vec<_>>());
    assert_eq!(backups(&folder), made[3..]);
    assert!(folder.join("mine.db").exists() && folder.join("daznode-20200101T000000Z.db").exists());
    assert_eq!(keep_backups(&folder, 0).unwrap().len(), 1, "the newest stays");
}

#[test]
fn a_restore_brings_every_row_and_file_back() {
    let f = three();
    let made = f.store.backup(None, NOW).unwrap();
    let state = f.folder.path().to_path_buf();
    let (expected, files) = (rows(&state.join(DATABASE)), tree(&state.join("reports")));
    assert_eq!(files.len(), 3);
    announce(&f, NOW.plus(9 * DAY_MS));
    drop(f.store);
    let replaced = rows(&state.join(DATABASE));
    // One file is gone, one was changed.
    let mut names = files.keys();
    fs::remove_file(names.next().unwrap()).unwrap();
    put(names.next().unwrap(), b"{}");
    let done = restore(&state, &made.path, NOW).unwrap();
    let kept = done.kept.unwrap();
    assert_eq!(kept, state.join("daznode.db.before-restore-20261121T060000Z"));
    assert_eq!(rows(&kept), replaced, "with what was in its WAL");
    let store = Store::open(&state, Access::Write).unwrap();
    assert_eq!((done.files, store.flush_files().unwrap().len()), (2, 2));
    assert!(store.check().unwrap().is_whole());
    drop(store);
    assert_eq!(rows(&state.join(DATABASE)), expected);
    // The file of a report that came later stays: nobody asked for its end.
    let mut now = tree(&state.join("reports"));
    now.retain(|path, _| files.contains_key(path));
    assert_eq!(now, files);
    assert_eq!(fs::metadata(state.join(DATABASE)).unwrap().permissions().mode() & 0o777, 0o600);
    // Once more in the same second: nothing that is kept is lost.
    let again = restore(&state, &made.path, NOW).unwrap().kept.unwrap();
    assert_eq!(again, state.join("daznode.db.before-restore-20261121T060000Z-2"));
}

#[test]
fn a_restore_works_where_the_database_is_damaged_or_gone() {
    let f = three();
    let made = f.store.backup(None, NOW).unwrap();
    let expected = rows(&made.path);
    let state = f.folder.path().to_path_buf();
    drop(f.store);
    let whole = fs::read(state.join(DATABASE)).unwrap();
    let wal = state.join(format!("{DATABASE}-wal"));
    // Another database's WAL: read into the new one it would be its end.
    let foreign = tempfile::tempdir().unwrap();
    let other = Store::open(foreign.path(), Access::Write).unwrap();
    other.enable(&new_profile("eve", 2), NOW).unwrap();
    let foreign_wal = fs::read(foreign.path().join(format!("{DATABASE}-wal"))).unwrap();
    drop(other);
    assert!(!foreign_wal.is_empty());
    let mut flipped = whole.clone();
    flipped[100..4096].fill(0xa5);
    let cases: [(&str, Option<&[u8]>); 5] = [
        ("gone", None),
        ("empty", Some(b"")),
        ("text", Some(b"a letter")),
        ("cut off", Some(&whole[..whole.len() / 2])),
        ("overwritten", Some(&flipped)),
    ];
    for (n, (name, bytes)) in cases.into_iter().enumerate() {
        let _ = fs::remove_file(state.join(DATABASE));
        if let Some(bytes) = bytes {
            put(&state.join(DATABASE), bytes);
        }
        put(&wal, &foreign_wal);
        let now = NOW.plus(i64::try_from(n).unwrap() * 1000);
        let done = restore(&state, &made.path, now).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(rows(&state.join(DATABASE)), expected, "{name}");
        assert!(Store::open(&state, Access::Write).unwrap().check().unwrap().is_whole(), "{name}");
        let kept = done.kept.unwrap();
        if let Some(bytes) = bytes.filter(|bytes| bytes.len() < 100) {
            assert_eq!(fs::read(&kept).unwrap(), bytes, "{name}");
        }
    }
    let empty = tempfile::tempdir().unwrap();
    let state = empty.path().join("new/state");
    let done = restore(&state, &made.path, NOW).unwrap();
    assert_eq!((done.kept, done.files), (None, 3));
    assert_eq!(Store::open(&state, Access::Write).unwrap().flush_files().unwrap().len(), 3);
}

#[test]
fn a_database_that_somebody_writes_to_is_not_taken_away() {
    let f = three();
    let made = f.store.backup(None, NOW).unwrap();
    f.store.db.busy_timeout(std::time::Duration::ZERO).unwrap();
    let before = rows(&f.folder.path().join(DATABASE));
    let told = restore(f.folder.path(), &made.path, NOW).unwrap_err();
    assert!(matches!(told, Error::Busy { .. }), "{told}");
    assert_eq!(rows(&f.folder.path().join(DATABASE)), before);
}

/// As when a kill cuts off the change from one kind of journal to the other.
#[test]
fn what_is_half_done_is_taken_back_before_the_old_one_is_set_aside() {
    let f = three();
    let made = f.store.backup(None, NOW).unwrap();
    drop(f.store);
    let state = tempfile::tempdir().unwrap();
    let db = Connection::open(&made.path).unwrap();
    let before = rows(&made.path);
    db.execute_batch("PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE reports SET document = zeroblob(500000);")
        .unwrap();
    db.execute_batch("CREATE TABLE more (x); INSERT INTO more VALUES (zeroblob(500000));").unwrap();
    let journal = PathBuf::from(format!("{}-journal", made.path.display()));
    put(&state.path().join(DATABASE), &fs::read(&made.path).unwrap());
    put(&state.path().join(format!("{DATABASE}-journal")), &fs::read(&journal).unwrap());
    db.execute_batch("ROLLBACK").unwrap();
    drop(db);
    let kept = restore(state.path(), &made.path, NOW).unwrap().kept.unwrap();
    assert!(!PathBuf::from(format!("{}-journal", kept.display())).exists());
    assert_eq!(rows(&kept), before);
}

#[test]
fn what_is_no_backup_is_refused() {
    let f = three();
    let state = f.folder.path();
    let made = f.store.backup(None, NOW).unwrap();
    let target = tempfile::tempdir().unwrap();
    let refused = |file: &Path| restore(&target.path().join("state"), file, NOW).unwrap_err();
    // In use: the newest rows are in its WAL.
    assert!(refused(&state.join(DATABASE)).to_string().contains("daznode backup"));
    assert!(matches!(refused(&state.join("nothing.db")), Error::Io { .. }));
    assert!(matches!(refused(state), Error::Invalid(_)));
    let other = state.join("wallet.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE wallet (coins INTEGER)").unwrap();
    assert!(matches!(refused(&other), Error::DamagedBackup { .. }));
    let newer = state.join("newer.db");
    fs::copy(&made.path, &newer).unwrap();
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let told = refused(&newer);
    assert!(matches!(&told, Error::Newer { found: 99, path, .. } if *path == newer), "{told}");
    let hand = state.join("hand.db");
    fs::copy(&made.path, &hand).unwrap();
    let trigger = "CREATE TRIGGER t AFTER INSERT ON reports BEGIN DELETE FROM reports; END";
    Connection::open(&hand).unwrap().execute_batch(trigger).unwrap();
    assert!(matches!(refused(&hand), Error::DamagedBackup { .. }));
    assert!(!target.path().join("state").join(DATABASE).exists());
}

#[test]
fn two_hundred_damaged_backups_are_refused_and_nothing_is_changed() {
    let f = three();
    let made = f.store.backup(None, NOW).unwrap();
    let state = f.folder.path().to_path_buf();
    drop(f.store);
    let (whole, manifest) = (fs::read(&made.path).unwrap(), fs::read(Manifest::path(&made.path)).unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let bad = elsewhere.path().join("bad.db");
    let before = tree(&state);
    let mut seed = 5_usize;
    let mut roll = |end: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 20) % end
    };
    for round in 0..200 {
        let mut bytes = whole.clone();
        match round % 4 {
            0 => bytes.truncate(roll(whole.len())),
            1 => bytes.extend_from_slice(&whole[..=roll(8192)]),
            2 => bytes[roll(whole.len())] ^= 1 << roll(8),
            _ => {
                let at = roll(whole.len() - 64);
                bytes[at..at + 64].iter_mut().for_each(|byte| *byte ^= 0xa5);
            }
        }
        put(&bad, &bytes);
        put(&Manifest::path(&bad), &manifest);
        let told = restore(&state, &bad, NOW).unwrap_err();
        assert_eq!(told.exit(), 5, "round {round}: {told}");
        assert!(
            verify_backup(&bad).map_or_else(|e| e.exit() == 5, |found| !found.faults().is_empty()),
            "round {round}"
        );
        assert_eq!(tree(&state), before, "round {round}");
        // Without its manifest it is refused too, or what it brings is a sound store.
        fs::remove_file(Manifest::path(&bad)).unwrap();
        if round >= 40 {
            continue;
        }
        let other = elsewhere.path().join("other");
        if restore(&other, &bad, NOW).is_ok() {
            let store = Store::open(&other, Access::Write).unwrap();
            store.flush_files().unwrap();
            assert!(store.check().unwrap().is_whole(), "round {round}");
        }
        fs::remove_dir_all(&other).unwrap();
    }
    // And a manifest that was cut off or belongs to another backup.
    put(&bad, &whole);
    for text in [&manifest[..manifest.len() / 2], b"{}", b""] {
        put(&Manifest::path(&bad), text);
        assert_eq!(restore(&state, &bad, NOW).unwrap_err().exit(), 5);
    }
    put(&Manifest::path(&bad), &manifest);
    assert!(verify_backup(&bad).unwrap().faults().is_empty(), "the whole one is not");
    assert_eq!(tree(&state), before);
}

#[test]
fn a_text_that_is_none_any_more_is_damage_and_named_as_such() {
    let f = three();
    let db = &f.store.db;
    db.execute("UPDATE reports SET file = CAST(x'72ff65' AS TEXT) WHERE tenant = 1", []).unwrap();
    let checked = f.store.check().unwrap();
    assert!(!checked.integrity.is_empty(), "{checked:?}");
    db.execute("UPDATE profiles SET schedule = CAST(x'ff' AS TEXT) WHERE tenant = 1", []).unwrap();
    let told = f.store.profiles(&crate::store::ProfileFilter::default()).unwrap_err();
    assert_eq!(told.exit(), 5, "{told}");
}

#[test]
fn an_older_backup_is_brought_up_to_date() {
    let f = three();
    let state = f.folder.path().to_path_buf();
    drop(f.store);
    let old = tempfile::tempdir().unwrap();
    let path = old.path().join("old.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(schema::VERSIONS[0].script).unwrap();
    db.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    drop(db);
    let done = restore(&state, &path, NOW).unwrap();
    assert_eq!((done.verified.schema_version, done.verified.checked.reports), (1, 0));
    let store = Store::open(&state, Access::Write).unwrap();
    assert_eq!(schema::version(&store.db).unwrap(), schema::newest());
    assert!(store.check().unwrap().is_whole());
}
