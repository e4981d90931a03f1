//! Reports of weeks and months, from what the daily runs stored.

use daznode::report::period::PeriodKind;
use daznode::sources::NodeSource as _;
use daznode::sources::simulated::Simulated;
use daznode::sources::spec::SourceSpec;
use daznode::store::{Access, NewProfile, Store};
use daznode::units::{Day, UnixMs};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::Sandbox;

/// Days that the made-up node has lived.
const LIVED: i64 = 100;

fn today() -> Day {
    #[expect(clippy::disallowed_methods, reason = "the program that is run reads the clock too")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixMs(i64::try_from(since.as_millis()).unwrap()).day()
}

/// A made-up node that was born before the month before the last one began, with one report of today.
fn lived() -> Sandbox {
    let sandbox = Sandbox::new();
    let born = today().plus(-LIVED);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let identity = runtime.block_on(Simulated::new(7, born, born.start()).identify()).unwrap();
    let new = NewProfile {
        tenant: "default".to_owned(),
        user: "alice".to_owned(),
        pubkey: identity.pubkey,
        network: identity.network,
        alias: identity.alias,
        source: SourceSpec::Simulated { seed: 7, born },
        schedule: "0 6 * * *".to_owned(),
        notify: Value::Null,
    };
    std::fs::create_dir_all(sandbox.state().parent().unwrap()).unwrap();
    Store::open(&sandbox.state(), Access::Write).unwrap().enable(&new, born.start()).unwrap();
    sandbox.run(["generate", "--all"]).ends(0);
    sandbox
}

/// Forwards and fees in msat of the days from one midnight to another, counted one by one.
fn counted(sandbox: &Sandbox, from: Day, to: Day) -> (i64, i64) {
    let db = Connection::open(sandbox.database()).unwrap();
    db.query_row(
        "SELECT count(*), coalesce(sum(amount_in_msat - amount_out_msat), 0) FROM forwards WHERE at_ns >= ?1 AND at_ns < ?2",
        [from.start().nanos(), to.start().nanos()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .unwrap()
}

#[test]
fn the_last_week_and_month_sum_what_was_stored_of_exactly_their_days() {
    let sandbox = lived();
    for kind in [PeriodKind::Week, PeriodKind::Month] {
        let (name, start) = (kind.as_str(), kind.last_before(today()));
        let made = sandbox.run(["generate", "--all", "--period", name, "--json"]).ends(0).json();
        assert_eq!(made["outcomes"][0]["outcome"], "made");
        let shown = sandbox.run(["show", "--period", name, "--json"]).ends(0).json();
        let (forwards, fees) = counted(&sandbox, start, kind.end(start));
        assert!(forwards > 50, "a {name} without much to count: {forwards}");
        assert_eq!((&shown["period_start"], &shown["period"]), (&json!(start.to_string()), &json!(name)));
        assert_eq!(shown["forwarding"]["forwards"], forwards);
        assert_eq!(shown["money"]["fees_earned_msat"], fees);
        let before = kind.start(start.plus(-1));
        let (forwards, fees) = counted(&sandbox, before, start);
        assert_eq!(shown["forwarding_before"]["forwards"], forwards);
        assert_eq!(shown["money_before"]["fees_earned_msat"], fees);
        let parts: Vec<&str> =
            shown["not_measured"].as_array().unwrap().iter().map(|one| one["part"].as_str().unwrap()).collect();
        // Only today was collected: its balances and scores are of no period that is over.
        assert_eq!(parts, ["mean-balance", "mean-balance-before", "score", "availability"]);
        assert_eq!(shown["money"]["apy_ppm"], Value::Null);
        best_and_worst(&sandbox, &shown, start, kind.end(start));
        let days: i64 = (0..kind.end(start).number() - start.number())
            .map(|n| counted(&sandbox, start.plus(n), start.plus(n + 1)).1.div_euclid(1000))
            .sum();
        let told: i64 = shown["revenue_by_day"].as_array().unwrap().iter().map(|day| day.as_i64().unwrap()).sum();
        assert_eq!(told, days, "each day is rounded down by itself");
        let file = sandbox.state().join(made["outcomes"][0]["file"].as_str().unwrap());
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(kept["report_id"], shown["report_id"]);
        assert_eq!(valid(&shown), Vec::<String>::new());
        let page = sandbox.run(["show", "--period", name]).ends(0).stdout.clone();
        assert!(page.contains(&kind.label(start)) && page.contains("Best channels"), "{page}");
        let page = sandbox.run(["show", "--period", name, "--markdown"]).ends(0).stdout.clone();
        assert!(page.starts_with("# demo"), "{page}");
    }
}

/// What the shown channels earned is what their forwards of these days paid, counted one by one.
fn best_and_worst(sandbox: &Sandbox, shown: &Value, from: Day, to: Day) {
    let db = Connection::open(sandbox.database()).unwrap();
    let earned = |point: &str| -> i64 {
        db.query_row(
            "SELECT coalesce(sum(f.amount_in_msat - f.amount_out_msat), 0) FROM forwards f \
             JOIN channel_scids s ON s.scid = f.scid_out JOIN channels c ON c.channel = s.channel \
             WHERE c.point = ?1 AND f.at_ns >= ?2 AND f.at_ns < ?3",
            (point, from.start().nanos(), to.start().nanos()),
            |row| row.get(0),
        )
        .unwrap()
    };
    let best = shown["best_channels"].as_array().unwrap();
    assert!(!best.is_empty());
    for channel in best.iter().chain(shown["worst_channels"].as_array().unwrap()) {
        let fees = channel["account"]["fees_earned_msat"].as_i64().unwrap_or(0);
        assert_eq!(fees, earned(channel["channel_point"].as_str().unwrap()), "{channel}");
    }
    let nets: Vec<i64> = best.iter().map(|channel| channel["account"]["net_msat"].as_i64().unwrap()).collect();
    assert!(nets.is_sorted_by(|a, b| a >= b) && nets.iter().all(|net| *net > 0), "{nets:?}");
}

/// What the promised schema has against a document.
fn valid(document: &Value) -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let schema = json!({ "$schema": whole["$schema"], "$ref": "#/$defs/period_report", "$defs": whole["$defs"] });
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn a_made_up_node_is_watched_from_one_report_to_the_next_without_a_gap() {
    let sandbox = lived();
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let db = Connection::open(sandbox.database()).unwrap();
    for stream in ["watch:peers", "watch:htlcs"] {
        let spans: i64 =
            db.query_row("SELECT count(*) FROM coverage WHERE stream = ?1", [stream], |row| row.get(0)).unwrap();
        assert_eq!(spans, 1, "{stream}");
    }
}

#[test]
fn a_period_is_made_once_unless_forced() {
    let sandbox = lived();
    let made = sandbox.run(["generate", "--all", "--period", "week", "--dry-run", "--json"]).ends(0).json();
    assert_eq!(made["outcomes"][0]["outcome"], "would_make");
    let week = ["generate", "--all", "--period", "week", "--json"];
    assert_eq!(sandbox.run(week).ends(0).json()["outcomes"][0]["revision"], 1);
    assert_eq!(sandbox.run(week).ends(0).json()["outcomes"][0]["outcome"], "already_made");
    // By its id, which `history` does not list, it is shown as well; its file comes back when it is gone.
    let shown = sandbox.run(["show", "--period", "week", "--json"]).ends(0).json();
    let id = shown["report_id"].as_str().unwrap();
    assert_eq!(sandbox.run(["show", "--id", id, "--json"]).ends(0).json(), shown);
    let file = sandbox.state().join(shown["rag_asset_id"].as_str().unwrap());
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let health = sandbox.run(["health-check"]).stdout.clone();
    assert!(health.contains("1 missing") && health.contains("generate --period"), "{health}");
    assert_eq!(sandbox.run(week).ends(0).json()["outcomes"][0]["outcome"], "already_made");
    assert_eq!(std::fs::read(&file).unwrap(), kept);
    let forced = ["generate", "--all", "--period", "week", "--force", "--json"];
    assert_eq!(sandbox.run(forced).ends(0).json()["outcomes"][0]["revision"], 2);
}

#[test]
fn what_is_not_over_not_known_or_not_made_is_said() {
    let sandbox = lived();
    let (now, old) = (today().to_string(), today().plus(-400).to_string());
    sandbox.refuses(["generate", "--all", "--period", "month", "--date", now.as_str()], 2, &["not over", "--date"]);
    sandbox.refuses(["generate", "--due", "--period", "week"], 2, &["--due", "--period"]);
    for (option, value) in [("--timeout", "5"), ("--retries", "1"), ("--budget", "9"), ("--jobs", "2")] {
        sandbox.refuses(["generate", "--all", "--period", "week", option, value], 2, &[option, "--period"]);
    }
    sandbox.refuses(["show", "--period", "week"], 1, &["no report", "generate --period week"]);
    let ended = sandbox.run(["generate", "--all", "--period", "week", "--date", old.as_str(), "--json"]).ends(0).json();
    assert_eq!(ended["outcomes"][0]["outcome"], "not_known");
}
