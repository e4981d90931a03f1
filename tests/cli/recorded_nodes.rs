//! Recordings of a real LND, the whole way: every figure that its README and LND's own answers tell comes out exact, and
//! every document has the promised shape.

use serde_json::Value;

use crate::harness::{Sandbox, recording};

/// A store with a report of this recording; then, as the same node, of the later one.
fn reported(names: &[&str], code: i32) -> Sandbox {
    let sandbox = Sandbox::new();
    for name in names {
        sandbox.run(["enable", "--recording", recording(name).to_str().unwrap()]).ends(0);
        sandbox.run(["generate", "--all", "--force"]).ends(code);
    }
    sandbox
}

/// The last report, held against the promised schema.
fn report(sandbox: &Sandbox) -> Value {
    let shown = sandbox.run(["show", "--json"]);
    shown.ends(0);
    let report: Value = serde_json::from_str(&shown.stdout).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(&report).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    report
}

/// LND's own answer, in the form for people.
fn answer(recording_name: &str, call: &str) -> Value {
    let text = std::fs::read_to_string(recording(recording_name).join(format!("{call}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn number(value: &Value) -> i64 {
    value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok()).unwrap_or(0)
}

fn alerts(report: &Value, severity: &str) -> Vec<String> {
    let all = report["alerts"].as_array().unwrap().iter();
    all.filter(|a| a["severity"] == severity).map(|a| a["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn bob_comes_out_exact() {
    // His recording lacks one answer: a gap, and exit code 3.
    let sandbox = reported(&["bob"], 3);
    let report = report(&sandbox);
    assert_eq!(report["node_alias"], "bob");
    assert_eq!(report["generation_status"], "partial");
    assert_eq!(report["gaps"].as_array().unwrap().len(), 1);
    let day = &report["metrics"]["forwarding"]["day"];
    assert_eq!((day["forwards"].as_i64(), day["fees_msat"].as_i64()), (Some(202), Some(9_757_322)));
    assert_eq!(report["summary"]["revenue_sats_24h"], 9_757);
    assert_eq!(number(&answer("bob", "lnrpc.Lightning.FeeReport")["day_fee_sum"]), 9_757);
    assert_eq!(report["money"]["day"]["rebalances"], 3);
    assert_eq!(report["money"]["day"]["rebalance_cost_msat"], 6_480);
    assert_eq!(report["metrics"]["capacity"]["limbo_sat"], 146_783);
    assert_eq!(report["metrics"]["channels"]["open"], 5);
    assert_eq!(report["metrics"]["channels"]["inactive"], 2);
    assert_eq!(report["metrics"]["channels"]["force_closing"], 1);
    assert_eq!(report["metrics"]["channels"]["closed"], 1);
    assert_eq!(report["metrics"]["channels"]["htlcs_in_flight"], 1, "seen on two channels, counted once");
    assert_eq!(report["money"]["day"]["open_cost_sat"], 155 + 155 + 166 + 166);
    let forced = report["alerts"].as_array().unwrap().iter().find(|a| a["type"] == "force-close").unwrap();
    let words = format!("{} {}", forced["title"], forced["description"]);
    assert!(words.contains("621") && words.contains("174"), "{words}");
    let balance = answer("bob", "lnrpc.Lightning.ChannelBalance");
    assert_eq!(number(&report["metrics"]["capacity"]["local_sat"]), number(&balance["local_balance"]["sat"]));
    let rows = report["metrics"]["channels"]["list"].as_array().unwrap();
    let earned: i64 = rows.iter().map(|r| number(&r["day"]["fees_earned_msat"])).sum();
    assert!(earned <= 9_757_322, "open channels can't have earned more than the node");
    assert_eq!(alerts(&report, "critical"), ["force-close"]);
    assert_eq!(alerts(&report, "warning"), ["peer-unreachable"]);
}

#[test]
fn bob_later_adds_what_is_new_and_nothing_twice() {
    let sandbox = Sandbox::new();
    sandbox.run(["enable", "--recording", recording("bob").to_str().unwrap()]).ends(0);
    sandbox.run(["generate", "--all"]).ends(3);
    sandbox.run(["enable", "--recording", recording("bob-later").to_str().unwrap()]).ends(0);
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let report = report(&sandbox);
    let month = &report["metrics"]["forwarding"]["month"];
    assert_eq!((month["forwards"].as_i64(), month["fees_msat"].as_i64()), (Some(202 + 49), Some(12_630_855)));
    let money = &report["money"]["month"];
    assert_eq!((money["rebalances"].as_i64(), money["rebalance_cost_msat"].as_i64()), (Some(5), Some(18_690)));
    assert_eq!(money["sweep_cost_sat"], 135);
    assert_eq!(money["open_cost_sat"], 155 + 155 + 166 + 166 + 1_386);
    assert_eq!(money["unknown"].as_array().unwrap().len(), 0);
    let net = 12_630_855 - 18_690 - 1_000 * (2_028 + 135 + number(&money["close_cost_sat"]));
    assert_eq!(number(&money["net_msat"]), net);
    assert_eq!(report["metrics"]["channels"]["open"], 7);
    assert_eq!(report["metrics"]["channels"]["force_closing"], 0);
    assert_eq!(report["revision"], 3);
    assert!(alerts(&report, "critical").is_empty(), "what was swept is not lost");
}

#[test]
fn a_node_that_is_not_synced_is_stale_and_not_empty() {
    let sandbox = reported(&["bob-unsynced"], 3);
    let report = report(&sandbox);
    assert_eq!(report["metrics"]["capacity"]["stale"], true);
    assert_eq!(report["metrics"]["network"]["synced_to_chain"], false);
    assert_eq!(report["summary"]["overall_score"], Value::Null);
    assert_eq!(report["recommendations"].as_array().unwrap().len(), 0);
    let mut said = alerts(&report, "critical");
    said.extend(alerts(&report, "warning"));
    assert_eq!(said, ["not-synced-chain", "not-synced-graph"], "nothing reads as lost");
}

#[test]
fn daves_fees_are_those_that_lnd_sums() {
    let sandbox = reported(&["dave"], 3);
    let report = report(&sandbox);
    let fees = answer("dave", "lnrpc.Lightning.FeeReport");
    assert_eq!(number(&report["summary"]["revenue_sats_24h"]), number(&fees["day_fee_sum"]));
    assert_eq!(number(&report["metrics"]["fees"]["lnd_month_sat"]), number(&fees["month_fee_sum"]));
    let channels = answer("dave", "lnrpc.Lightning.ListChannels");
    let channels = channels["channels"].as_array().unwrap();
    let capacity: i64 = channels.iter().map(|c| number(&c["capacity"])).sum();
    assert_eq!(number(&report["metrics"]["capacity"]["total_sat"]), capacity);
    assert_eq!(number(&report["summary"]["channels_count"]), i64::try_from(channels.len()).unwrap());
}

#[test]
fn the_file_is_the_announced_document() {
    let sandbox = reported(&["bob-later"], 0);
    let report = report(&sandbox);
    let file = sandbox.state().join(report["rag_asset_id"].as_str().unwrap());
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["report_id"], report["report_id"]);
    assert_eq!(report["rag_indexed"], false);
    assert!(file.ends_with("reports/daily/default/20261121.json"), "{}", file.display());
    let btc = text.split("\"capacity_btc\":").nth(1).unwrap().trim_start();
    assert!(btc.starts_with("0.23100000"), "{}", &btc[..20]);
}
