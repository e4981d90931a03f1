//! What is read from the store alone: `show` and `history` with much in it.

use daznode::units::DAY_MS;
use rusqlite::{Connection, params};
use uuid::{NoContext, Timestamp, Uuid};

use crate::fake::Fake;
use crate::machine::{self, Ran, mean_cpu};
use crate::place::{Place, now};
use crate::table::{Table, Unit};
use crate::{Sizes, figures, recorded};

pub fn figures(sizes: &Sizes, table: &mut Table) {
    let fake = Fake::start(&["recorded", "0", "none", "0"]);
    let place = figures::fleet(&fake, sizes.nodes);
    machine::run(&place, &["generate", "bob"], false);
    fill(&place, sizes.days);
    let file = place.database();
    let reports = sizes.nodes * sizes.days;
    table.note(format!("the store of {reports} reports has {:.0} MB", machine::megabytes(&file)));
    let nodes = u32::try_from(sizes.nodes).unwrap();
    for (name, more) in [("show", &[][..]), ("history", &["--days", "90"])] {
        let run = |n: u32| {
            let node = recorded::pubkey(n * 37 % nodes);
            let args: Vec<&str> = [name, &node].into_iter().chain(more.iter().copied()).collect();
            machine::run(&place, &args, false)
        };
        run(0);
        let runs: Vec<Ran> = (1..=u32::try_from(sizes.runs).unwrap()).map(run).collect();
        let title = format!("{name}, {} days of {nodes} nodes stored", sizes.days);
        table.add(&title, Unit::Milliseconds, 15.0, runs.iter().map(Ran::ms).collect(), mean_cpu(&runs));
    }
}

/// Copies the one report to every day of every profile, in the order in which time would have made them.
fn fill(place: &Place, days: usize) {
    let db = Connection::open(place.database()).unwrap();
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    let profiles: Vec<(String, String)> = {
        let mut all = db.prepare("SELECT id, folder FROM profiles ORDER BY id").unwrap();
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let today = now();
    let tx = db.unchecked_transaction().unwrap();
    {
        let mut copy = tx
            .prepare(
                "INSERT INTO reports (tenant, id, profile, period, period_start, revision, generation_status, status, score, \
                 score_version, revenue_msat, forward_rate, capacity_msat, critical_alerts, warnings, backfilled, \
                 window_end_ms, retry_count, error_message, rag_indexed, created_ms, updated_ms, file, sha256, document) \
                 SELECT tenant, ?1, ?2, period, ?3, revision, generation_status, status, score, score_version, \
                 revenue_msat, forward_rate, capacity_msat, critical_alerts, warnings, backfilled, ?4, retry_count, \
                 error_message, rag_indexed, ?4, ?4, ?5, sha256, document FROM reports WHERE rowid = 1",
            )
            .unwrap();
        for day in (0..i64::try_from(days).unwrap()).rev() {
            let at = today.plus(-day * DAY_MS);
            for (profile, folder) in &profiles {
                if day == 0 && folder.ends_with("/bob") {
                    continue;
                }
                let seconds = u64::try_from(at.secs()).unwrap();
                let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)).to_string();
                let file = format!("{folder}/{}.json", at.day().compact());
                copy.execute(params![id, profile, at.day().number(), at.0, file]).unwrap();
            }
        }
    }
    tx.commit().unwrap();
    drop(db);
    // As daznode leaves it: with a WAL that stays.
    drop(place.store());
}
