//! Days that were missed, and clocks that are wrong. The past is made with the store; the clock is the machine's.

use std::collections::BTreeMap;

use daznode::report::{Report, Time};
use daznode::sources::spec::SourceSpec;
use daznode::store::{Access, Profile, ProfileFilter, Store};
use daznode::units::{DAY_MS, Day, Network};
use serde_json::Value;

use crate::audit::audit;
use crate::harness::{Ended, Sandbox};
use crate::profiles::{lnd, of_the_main_chain, put, put_on, spec, store};
use crate::tally::survived;
use crate::under::under;

/// A made-up node that is a hundred days old, with a report of today.
fn simulated(today: Day) -> SourceSpec {
    SourceSpec::Simulated { seed: 7, born: today.plus(-100) }
}

/// The machine's day, as the program sees it.
fn today() -> Day {
    let sandbox = Sandbox::new();
    put(&store(&sandbox), "probe", SourceSpec::Simulated { seed: 7, born: Day::from_number(19_000) });
    let told = sandbox.run(["generate", "--all", "--dry-run", "--json"]).ends(0).json();
    told["outcomes"][0]["report_date"].as_str().unwrap().parse().unwrap()
}

/// A store whose one report is of so many days ago.
fn with_last_report(days_ago: i64) -> (Sandbox, Day) {
    let today = today();
    let made = Sandbox::new();
    put(&store(&made), "alice", simulated(today));
    made.run(["generate", "--all"]).ends(0);
    let theirs = Store::open(&made.state(), Access::Read).unwrap();
    let mut report: Report = theirs.latest_report(&only(&theirs)).unwrap().unwrap().report;
    let back = |time: Time| Time(time.0.plus(-days_ago * DAY_MS));
    report.report_date = report.report_date.plus(-days_ago);
    for time in [
        &mut report.window_start,
        &mut report.window_end,
        &mut report.generation_timestamp,
        &mut report.created_at,
        &mut report.updated_at,
    ] {
        *time = back(*time);
    }
    let sandbox = Sandbox::new();
    let store = store(&sandbox);
    let profile = put(&store, "alice", simulated(today));
    report.rag_asset_id = Some(Store::report_file(&profile, report.report_date));
    let document = daznode::render::json::document(&report);
    store.put_report(&profile, &report, &document).unwrap();
    store.flush_files().unwrap();
    let date = report.report_date;
    drop(store);
    (sandbox, date)
}

fn only(store: &Store) -> Profile {
    store.profiles(&ProfileFilter::default()).unwrap().remove(0)
}

fn report_of(sandbox: &Sandbox, day: Day) -> Value {
    sandbox.run(["show", "--date", &day.to_string(), "--json"]).ends(0).json()
}

#[test]
fn missed_days_are_caught_up_and_say_so() {
    let (sandbox, last) = with_last_report(6);
    let ended = sandbox.run(["generate", "--all", "--json"]);
    let made = ended.json();
    assert!([Some(0), Some(3)].contains(&ended.code), "{}", ended.stderr);
    let outcome = &made["outcomes"][0];
    let live: Day = outcome["report_date"].as_str().unwrap().parse().unwrap();
    let missed: Vec<Day> = (1..400).map(|n| last.plus(n)).take_while(|day| *day < live).collect();
    assert_eq!(missed.len(), 5);
    let told: Vec<Day> =
        outcome["caught_up"].as_array().unwrap().iter().map(|d| d.as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(told, missed);
    for day in &missed {
        let report = report_of(&sandbox, *day);
        assert_eq!(report["backfilled"], true, "{day}");
        assert_eq!(report["report_date"], day.to_string());
        assert_eq!(report["window_end"], format!("{day}T06:00:00Z"), "as the schedule says");
        // What can't be known afterwards is not made up.
        assert_eq!(report["summary"]["overall_score"], Value::Null, "{day}");
        assert!(report["summary"]["revenue_sats_24h"].is_u64(), "{day}: the node's history tells the revenue");
    }
    assert_eq!(report_of(&sandbox, live)["backfilled"], false);
    let found = audit(&sandbox.state(), &BTreeMap::new());
    assert_eq!((found.reports.len(), found.failed), (7, 0));
    // They are there now: nothing is caught up twice.
    let again = sandbox.run(["generate", "--all", "--force", "--json"]).json();
    assert_eq!(again["outcomes"][0]["caught_up"], serde_json::json!([]));
}

#[test]
fn a_clock_that_went_back_is_told_and_nothing_is_lost() {
    let (sandbox, future) = with_last_report(-10);
    let before = audit(&sandbox.state(), &BTreeMap::new());
    let ended = sandbox.run(["generate", "--all"]);
    ended.ends(1);
    assert!(!ended.stderr.trim_end().contains('\n'), "{}", ended.stderr);
    assert!(ended.stderr.contains("clock") && ended.stderr.contains(&future.to_string()), "{}", ended.stderr);
    let after = audit(&sandbox.state(), &before.reports);
    assert_eq!(after.reports, before.reports);
}

#[test]
fn a_node_that_slept_for_a_quarter_of_a_year_gets_a_report_and_keeps_its_last_one() {
    let (sandbox, last) = with_last_report(200);
    let before = audit(&sandbox.state(), &BTreeMap::new());
    let ended = sandbox.run(["generate", "--all", "--json"]);
    assert!([Some(0), Some(3)].contains(&ended.code), "{}", ended.stderr);
    let caught_up = ended.json()["outcomes"][0]["caught_up"].as_array().unwrap().len();
    assert_eq!(caught_up, 7, "as many as the settings say");
    // It is old enough to go, and goes only because there are newer ones.
    let after = audit(&sandbox.state(), &BTreeMap::new());
    assert_eq!(after.reports.len(), 8);
    assert!(before.reports.keys().all(|id| !after.reports.contains_key(id)));
    assert!(!sandbox.state().join(format!("reports/daily/alice/{}.json", last.compact())).exists());
}

/// A run while the machine's clock says something else: `-1d`, or a date.
fn generate_at(sandbox: &Sandbox, clock: &str) -> Option<Ended> {
    // Waiting is measured by another clock, which does not jump.
    let env = [("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    under(sandbox, &["faketime", "-f", clock], &env, &["--offline", "generate", "--all", "--retries", "0"])
}

#[test]
fn a_clock_that_jumps_loses_nothing_and_panics_nowhere() {
    // Days and years, before there was time and after certificates end, and a second that was followed by a leap second.
    let clocks = [
        ("-1d", 0, "made the report"),
        ("+1d", 0, "made the report"),
        ("-3d", 1, "set the clock"),
        ("+400d", 3, "nothing old was removed: the clock says"),
        ("@1969-12-31 12:00:00", 1, "the clock says 1969-12-31"),
        ("@2016-12-31 23:59:59", 1, "the clock says 2016-12-31"),
        ("@2100-06-01 00:00:00", 4, "expired on 2100-01-01"),
    ];
    for (clock, code, words) in clocks {
        let (sandbox, node) = (Sandbox::new(), of_the_main_chain(lnd()).start());
        let spec = spec(&sandbox, "alice", &node);
        put_on(Network::Mainnet, &store(&sandbox), "alice", SourceSpec::Lnd(spec));
        sandbox.run(["--offline", "generate", "--all"]).ends(0);
        let before = audit(&sandbox.state(), &BTreeMap::new());
        let Some(ended) = generate_at(&sandbox, clock) else { return };
        let told = ended.stderr.trim_end();
        assert!(!told.contains('\n') && told.contains(words), "{clock}: {told}");
        assert_eq!(ended.code, Some(code), "{clock}: {told}");
        // What was announced stays, whatever the clock says, and the next run makes a report again once it is right.
        let after = audit(&sandbox.state(), &before.reports);
        let again = sandbox.run(["--offline", "generate", "--all", "--force"]);
        assert!(matches!(again.code, Some(0 | 3)), "{clock}: {}", again.stderr);
        assert!(again.stderr.contains("made the report of"), "{clock}: {}", again.stderr);
        audit(&sandbox.state(), &after.reports);
    }
    survived("clock forward and back, 1969 to 2100", clocks.len());
}
