//! A database in which bits have turned or of which the end is missing: it is read or refused, never a panic, and never
//! written to.

use crate::dice::Dice;
use crate::harness::Sandbox;
use crate::profiles::{enable, lnd};
use crate::tally::{survived, tries};

#[test]
fn a_damaged_database_is_told_and_left_as_it_is() {
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    sandbox.run(["generate", "--all"]).ends(0);
    let db = rusqlite::Connection::open(sandbox.database()).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    let whole = std::fs::read(sandbox.database()).unwrap();
    let mut dice = Dice::told("damage");
    let (rounds, mut refused) = (tries(32, 2200), 0);
    for round in 0..rounds {
        let mut bad = whole.clone();
        // One in eleven is cut off: 2000 turned bits and 200 ends in the long run.
        let what = if round % 11 == 10 {
            bad.truncate(dice.less_than(whole.len()).max(1));
            format!("cut off at byte {}", bad.len())
        } else {
            let (at, bit) = (dice.less_than(whole.len()), dice.less_than(8));
            bad[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} turned")
        };
        let damaged = Sandbox::new();
        damaged.put("home/.local/share/daznode/daznode.db", &bad, 0o600);
        for args in [&["show", "--json"][..], &["status"]] {
            let ended = damaged.run(args);
            // 2: a key that reads as another one, which is not there.
            assert!(matches!(ended.code, Some(0 | 1 | 2 | 5)), "{what}: {args:?}: {:?} {}", ended.code, ended.stderr);
            if ended.code != Some(0) {
                refused += 1;
                ended.says_one_line(if ended.code == Some(5) { &["daznode.db"] } else { &[] });
            }
            assert!(std::fs::read(damaged.database()).unwrap() == bad, "{what}: {args:?} wrote to it");
        }
    }
    eprintln!("of {rounds} damaged databases {refused} readings were refused");
    assert!(refused > 0);
    survived("a bit of the database turned, or its end missing", rounds);
}
