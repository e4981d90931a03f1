//! What is read from nodes: one small node, a large one on its first and its next day, and fleets.

use std::path::Path;

use daznode::store::GraphFolder;
use daznode::units::{DAY_MS, Network};
use rusqlite::Connection;

use crate::fake::Fake;
use crate::machine::{self, Ran, mean_cpu};
use crate::place::{Place, now, profile};
use crate::table::{Table, Unit};
use crate::{Sizes, graph, large, recorded};

/// How long the fake LND takes for the graph of the one node: its slowest answer.
const SLOWEST_MS: u16 = 200;
/// How long it takes for each call of a fleet's node.
const CALL_MS: u16 = 20;

/// A report of the recorded node, beyond the time of LND's own slowest answer. Once that is the longest of those that are
/// asked for at the same time, once the one that all events wait for.
pub fn one(sizes: &Sizes, table: &mut Table) {
    for (method, words) in [("DescribeGraph", "the graph"), ("GetInfo", "who it is")] {
        let fake = Fake::start(&["recorded", "0", method, &SLOWEST_MS.to_string()]);
        let place = fleet(&fake, 1);
        let run = || machine::run(&place, &["generate", "bob", "--force"], false);
        run();
        let runs: Vec<Ran> = (0..sizes.runs).map(|_| run()).collect();
        let beyond = runs.iter().map(|run| run.ms() - f64::from(SLOWEST_MS)).collect();
        let name = format!("a report of bob, beyond LND's {SLOWEST_MS} ms for {words}");
        table.add(&name, Unit::Milliseconds, 50.0, beyond, mean_cpu(&runs));
        if method == "DescribeGraph" {
            table.note(format!(
                "a synced write of 4 KiB took {:.1} ms, the median of 21",
                machine::synced_write(&place)
            ));
        }
    }
}

/// A large node: all of its past, then one day of it.
pub fn large(sizes: &Sizes, table: &mut Table) {
    let (file, what) = graph::file();
    let counts = [sizes.channels, sizes.forwards, sizes.payments].map(|n| n.to_string());
    let mut fake = Fake::start(&["large", &counts[0], &counts[1], &counts[2], file.to_str().unwrap()]);
    let (mut first, mut next, mut month) = (Vec::new(), Vec::new(), Vec::new());
    let mut size = 0.0;
    for _ in 0..sizes.large_runs {
        fake.last_day(false);
        let place = Place::new();
        let certificate = place.secret("tls.cert", &fake.certificate);
        let macaroon = place.secret("readonly.macaroon", &recorded::macaroon(0));
        let new = profile("large", large::OWN, Network::Mainnet, &fake.address, &certificate, &macaroon);
        place.store().enable(&new, now()).unwrap();
        let run = || machine::run(&place, &["generate", "--all"], true);
        first.push(run());
        a_day_later(&place, 0);
        fake.last_day(true);
        next.push(run());
        a_day_later(&place, 30);
        month.push(run());
        assert_eq!(stored(&place), (sizes.forwards, sizes.payments), "forwards and payments that are stored");
        size = machine::megabytes(&place.database());
    }
    table.note(format!(
        "the large node has {} channels, {} forwards and {} payments; {what}; its database has {size:.0} MB",
        counts[0], counts[1], counts[2]
    ));
    let seconds = |runs: &[Ran]| runs.iter().map(|run| run.wall.as_secs_f64()).collect();
    let megabytes = |runs: &[Ran]| runs.iter().map(|run| run.megabytes).collect();
    table.add("a large node, first run", Unit::Seconds, 10.0, seconds(&first), mean_cpu(&first));
    table.add("a large node, first run, peak memory", Unit::Megabytes, 200.0, megabytes(&first), None);
    table.add("a large node, next day", Unit::Seconds, 1.5, seconds(&next), mean_cpu(&next));
    table.add("a large node, next day, peak memory", Unit::Megabytes, 200.0, megabytes(&next), None);
    table.add("a large node, 30 days of samples later", Unit::Seconds, 1.5, seconds(&month), mean_cpu(&month));
    table.add("a large node, 30 days later, peak memory", Unit::Megabytes, 200.0, megabytes(&month), None);
}

/// How many forwards and payments there are.
fn stored(place: &Place) -> (usize, usize) {
    let db = Connection::open(place.database()).unwrap();
    let count = |table: &str| {
        let text = format!("SELECT count(*) FROM {table}");
        db.query_row(&text, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap()
    };
    (count("forwards"), count("payments"))
}

/// Moves all that daznode noted of its own runs a day back, so that today's report is the next day's; with so many days
/// of samples before them.
pub fn a_day_later(place: &Place, samples: i64) {
    let db = Connection::open(place.database()).unwrap();
    let moved = [
        (
            "reports",
            "period_start = period_start - 1, window_end_ms = window_end_ms - ?1, created_ms = created_ms - ?1",
        ),
        ("profiles", "last_report_ms = last_report_ms - ?1, created_ms = created_ms - ?1"),
        ("nodes", "first_seen_ms = first_seen_ms - ?1"),
        ("snapshots", "taken_ms = taken_ms - ?1"),
        ("channel_samples", "at_ms = at_ms - ?1"),
        ("wallet_samples", "at_ms = at_ms - ?1"),
        ("peer_samples", "at_ms = at_ms - ?1"),
        ("coverage", "from_ms = from_ms - ?1, to_ms = to_ms - ?1"),
        ("policy_changes", "at_ms = at_ms - ?1"),
        ("alerts", "detected_ms = detected_ms - ?1, last_ms = last_ms - ?1"),
    ];
    let tx = db.unchecked_transaction().unwrap();
    for (table, columns) in moved {
        // First out of the way of the rows of the day before.
        tx.execute(&format!("UPDATE {table} SET {columns}"), [DAY_MS + 1]).unwrap();
    }
    let rest = "local_msat, remote_msat, unsettled_msat, active, peer_connected";
    tx.execute(
        &format!(
            "WITH RECURSIVE days (day) AS (SELECT 1 UNION ALL SELECT day + 1 FROM days WHERE day < ?1) \
             INSERT INTO channel_samples (tenant, node, at_ms, channel, {rest}) \
             SELECT tenant, node, at_ms - day * ?2 - 7, channel, {rest} FROM channel_samples, days \
             WHERE ?1 > 0 AND at_ms = (SELECT max(at_ms) FROM channel_samples)"
        ),
        [samples, DAY_MS],
    )
    .unwrap();
    tx.commit().unwrap();
    drop(db);
    // As daznode leaves it: with a WAL that stays.
    drop(place.store());
    let graphs = GraphFolder::new(&place.state(), Path::new("graph"));
    if let Some(mut kept) = graphs.read(Network::Mainnet).unwrap() {
        kept.stamp.as_of = kept.stamp.as_of.plus(-DAY_MS);
        graphs.write(Network::Mainnet, &kept).unwrap();
    }
}

/// Many nodes, each at so many milliseconds a call.
pub fn fleets(sizes: &Sizes, table: &mut Table) {
    for (count, aim, memory, runs) in [(sizes.fleets[0], 5.0, None, 3), (sizes.fleets[1], 45.0, Some(200.0), 1)] {
        let fake = Fake::start(&["recorded", &CALL_MS.to_string(), "none", "0"]);
        let mut all = Vec::new();
        for _ in 0..runs {
            let place = fleet(&fake, count);
            all.push(machine::run(&place, &["generate", "--all"], true));
            let said = machine::said(&place);
            assert!(said.contains(&format!("{count} made")), "{said}");
        }
        let seconds = all.iter().map(|run| run.wall.as_secs_f64()).collect();
        let name = format!("{count} profiles at {CALL_MS} ms a call");
        table.add(&name, Unit::Seconds, aim, seconds, mean_cpu(&all));
        if let Some(memory) = memory {
            let megabytes = all.iter().map(|run| run.megabytes).collect();
            table.add(&format!("{name}, peak memory"), Unit::Megabytes, memory, megabytes, None);
        }
    }
}

/// A store with so many profiles, each of a node of its own behind one fake.
pub fn fleet(fake: &Fake, count: usize) -> Place {
    let place = Place::new();
    let certificate = place.secret("tls.cert", &fake.certificate);
    let store = place.store();
    for n in 0..u32::try_from(count).unwrap() {
        let macaroon = place.secret(&format!("node-{n}.macaroon"), &recorded::macaroon(n));
        let user = if n == 0 { "bob".to_owned() } else { format!("user{n}") };
        let new = profile(&user, &recorded::pubkey(n), Network::Regtest, &fake.address, &certificate, &macaroon);
        store.enable(&new, now()).unwrap();
    }
    place
}
