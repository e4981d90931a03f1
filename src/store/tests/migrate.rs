//! A database of the first version, as a release left it, opens, migrates and keeps everything.

use std::path::Path;

use rusqlite::Connection;

use super::support::{NOW, advice, day, document, fixture, forward, report};
use crate::snapshot::Events;
use crate::store::{Access, DATABASE, ProfileFilter, Store, schema};
use crate::units::{DAY_MS, Day};

/// Makes a database of version 1 in `folder` with what the store of `f` holds, as far as version 1 has it.
fn first_version(f: &super::support::Fixture, folder: &Path) {
    let old = Connection::open(folder.join(DATABASE)).unwrap();
    old.execute_batch(schema::VERSIONS[0].script).unwrap();
    old.execute_batch("DELETE FROM users WHERE tenant = 1; DELETE FROM tenants WHERE tenant = 1;").unwrap();
    let from = f.folder.path().join(DATABASE);
    old.execute("ATTACH ?1 AS now", [from.to_str().unwrap()]).unwrap();
    let tables: Vec<String> = old
        .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' ORDER BY rootpage")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        // Nothing was ever written to its first shape.
        .filter(|table| table != "outbox")
        .collect();
    for table in tables {
        let columns: Vec<String> = old
            .prepare("SELECT name FROM pragma_table_info(?1, 'main')")
            .unwrap()
            .query_map([&table], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let columns = columns.join(", ");
        old.execute(&format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}"), []).unwrap();
    }
    old.execute_batch("DETACH now").unwrap();
    old.pragma_update(None, "application_id", schema::APPLICATION_ID).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
}

#[test]
fn a_first_database_keeps_everything_and_gains_its_sums() {
    let f = fixture();
    let page: Vec<_> = (1..=500_i64)
        .map(|n| {
            forward(NOW.nanos() - n * 7_777_777_777_777, n.unsigned_abs() % 5, n.unsigned_abs() % 3, 1_010 + n, 1_000)
        })
        .collect();
    f.store.put_events(&f.profile, &Events::Forwards(page)).unwrap();
    f.store.put_snapshot(&f.profile, &super::support::snapshot(NOW.plus(-DAY_MS), 3)).unwrap();
    let mut one = report(&f.profile, NOW.plus(-DAY_MS), 1);
    one.recommendations = vec![advice("fee:chan", 1_200)];
    let text = document(&one);
    f.store.put_report(&f.profile, &one, &text).unwrap();
    f.store.flush_files().unwrap();
    let expected = f.store.history(&f.profile, NOW, NOW.day()).unwrap();

    let folder = tempfile::tempdir().unwrap();
    first_version(&f, folder.path());
    assert!(Store::open(folder.path(), Access::Read).unwrap_err().to_string().contains("version 1"));
    let store = Store::open(folder.path(), Access::Write).unwrap();
    assert!(schema::backup_path(&folder.path().join(DATABASE), 1).exists(), "the old one is kept beside");
    let profile = store.profiles(&ProfileFilter::default()).unwrap().remove(0);
    let mut found = store.history(&profile, NOW, NOW.day()).unwrap();
    assert_eq!(found.ever.forwards, 500);
    // When it was given is known, when it took its state is not.
    assert_eq!(found.advice.len(), 1);
    assert_eq!(found.past_scores[0].parts, []);
    found.past_scores.clone_from(&expected.past_scores);
    // What the open channels were like is known from the next snapshot on.
    assert_eq!((found.commit_fees.len(), found.aliases.len()), (0, 0));
    found.commit_fees.clone_from(&expected.commit_fees);
    found.aliases.clone_from(&expected.aliases);
    assert_eq!(found, expected);
    assert_eq!(store.day_report(&profile, one.report_date).unwrap().unwrap().document, text);
    assert_eq!(store.check().unwrap().damaged, []);
    let days = store.report_days(&profile, day("2026-01-01"), Day::from_number(NOW.day().number())).unwrap();
    assert_eq!((days.len(), days[0].forwards), (1, None));
    // It goes on from there.
    store.put_events(&profile, &Events::Forwards(vec![forward(NOW.nanos() - 5, 1, 2, 1_001, 1_000)])).unwrap();
    assert_eq!(store.history(&profile, NOW, NOW.day()).unwrap().ever.forwards, 501);
    drop(store);
    assert!(Store::open(folder.path(), Access::Read).is_ok());
}
