//! The whole way with a real LND: connect, report, show, and hold every figure against what LND itself says.
//!
//! Runs by itself where `lnd` and `btcd` are on the PATH, and is skipped with a line that says so where they are not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "support/regtest.rs"]
mod regtest;

use std::path::Path;
use std::process::{Command, Output};

use regtest::Network;
use serde_json::{Value, json};

fn daznode(state: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daznode"));
    command.env_clear().env("HOME", state).env("PATH", "/usr/bin:/bin");
    command.arg("--state").arg(state).args(args).output().unwrap()
}

fn ok(state: &Path, args: &[&str]) -> String {
    let output = daznode(state, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "daznode {args:?}: {:?}\n{error}", output.status.code());
    String::from_utf8(output.stdout).unwrap()
}

fn report(state: &Path) -> Value {
    serde_json::from_str(&ok(state, &["show", "--json"])).unwrap()
}

fn number(value: &Value) -> i64 {
    value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok()).unwrap_or(0)
}

/// All forwards that LND knows. Its answer leaves out the current second, so the test asks for a later end.
fn forwards(network: &Network, n: usize) -> Vec<Value> {
    let question = json!({ "start_time": "1", "end_time": "99999999999", "num_max_events": 10_000 });
    network.post(n, "/v1/switch", &question)["forwarding_events"].as_array().cloned().unwrap_or_default()
}

/// LND writes its forwards down some seconds after they settled.
fn wait_for_forwards(network: &Network, n: usize, count: usize) {
    Network::wait("forwards to be written down", || forwards(network, n).len() == count);
}

/// Blocks that are mined in a row have times that run ahead of the clock; what they hold belongs to a day that ends later.
#[expect(clippy::disallowed_methods, reason = "a test of the real thing lives in real time")]
fn wait_for_blocks_to_be_past(network: &Network, n: usize) {
    Network::wait("the clock to pass the blocks", || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let all = network.get(n, "/v1/transactions")["transactions"].as_array().cloned().unwrap_or_default();
        all.iter().all(|t| number(&t["time_stamp"]) < i64::try_from(now).unwrap())
    });
}

/// Every figure of the report that LND tells too.
fn agrees_with_lnd(report: &Value, network: &Network, n: usize) {
    let events = forwards(network, n);
    let fees: i64 = events.iter().map(|e| number(&e["fee_msat"])).sum();
    assert_eq!(number(&report["metrics"]["forwarding"]["day"]["forwards"]), i64::try_from(events.len()).unwrap());
    assert_eq!(number(&report["metrics"]["forwarding"]["day"]["fees_msat"]), fees);
    assert_eq!(number(&report["summary"]["revenue_sats_24h"]), fees / 1000);
    let info = network.get(n, "/v1/getinfo");
    assert_eq!(report["node_pubkey"], info["identity_pubkey"]);
    assert_eq!(report["node_alias"], info["alias"]);
    let channels = network.get(n, "/v1/channels")["channels"].as_array().cloned().unwrap_or_default();
    assert_eq!(number(&report["summary"]["channels_count"]), i64::try_from(channels.len()).unwrap());
    let sum = |field: &str| channels.iter().map(|c| number(&c[field])).sum::<i64>();
    assert_eq!(number(&report["metrics"]["capacity"]["total_sat"]), sum("capacity"));
    let balance = network.get(n, "/v1/balance/channels");
    assert_eq!(number(&report["metrics"]["capacity"]["local_sat"]), number(&balance["local_balance"]["sat"]));
    assert_eq!(number(&report["metrics"]["capacity"]["remote_sat"]), number(&balance["remote_balance"]["sat"]));
    let wallet = network.get(n, "/v1/balance/blockchain");
    assert_eq!(number(&report["metrics"]["capacity"]["wallet_confirmed_sat"]), number(&wallet["confirmed_balance"]));
}

#[test]
fn a_real_node_from_connect_to_report() {
    if !regtest::available() {
        return;
    }
    let mut network = Network::start(&["alice", "bob", "carol"]);
    let (alice, bob, carol) = (0, 1, 2);
    network.open(alice, bob, 5_000_000, 1_000_000);
    network.open(bob, carol, 4_000_000, 0);
    for sat in [10_000, 20_000, 30_000, 123_456] {
        network.pay(alice, carol, sat);
    }
    wait_for_forwards(&network, bob, 4);
    wait_for_blocks_to_be_past(&network, bob);
    let folder = tempfile::tempdir().unwrap();
    let state = regtest::state(folder.path());

    // A macaroon that can spend is refused, with the words that say which to use.
    let refused = daznode(&state, &["enable", &network.nodes[bob].lndconnect("admin.macaroon"), "--user", "live"]);
    assert_eq!(refused.status.code(), Some(4));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("readonly.macaroon") && words.trim_end().lines().count() == 1, "{words}");

    ok(&state, &["enable", &network.nodes[bob].lndconnect("readonly.macaroon"), "--user", "live"]);
    ok(&state, &["generate", "--all"]);
    let first = report(&state);
    agrees_with_lnd(&first, &network, bob);
    assert_eq!(first["generation_status"], "complete", "{}", first["gaps"]);
    let opened: i64 = number(&first["money"]["day"]["open_cost_sat"]);
    let paid = network.get(bob, "/v1/transactions")["transactions"].as_array().cloned().unwrap_or_default();
    let paid: i64 = paid.iter().filter(|t| number(&t["amount"]) < 0).map(|t| number(&t["total_fees"])).sum();
    assert_eq!(opened, paid, "what bob paid the chain to open his channel");

    // LND goes away: one line, exit code 1, yesterday's words still there.
    network.stop_node(bob);
    let gone = daznode(&state, &["generate", "--all", "--force", "--retries", "0"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("127.0.0.1"), "{gone:?}");
    assert_eq!(report(&state)["report_id"], first["report_id"]);

    // It comes back, forwards more, and nothing is lost or counted twice.
    network.start_node(bob);
    Network::wait("peers to come back", || {
        let channels = network.get(bob, "/v1/channels");
        channels["channels"].as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|c| c["active"] == true))
    });
    for sat in [40_000, 50_000] {
        network.pay(alice, carol, sat);
    }
    wait_for_forwards(&network, bob, 6);
    ok(&state, &["generate", "--all", "--force"]);
    ok(&state, &["generate", "--all", "--force"]);
    let last = report(&state);
    agrees_with_lnd(&last, &network, bob);
    assert_ne!(last["report_id"], first["report_id"]);

    let health = daznode(&state, &["health-check", "--json"]);
    let health: Value = serde_json::from_slice(&health.stdout).unwrap();
    assert!(health.is_object(), "{health}");

    // What passes by can be recorded, shared, and reported from again.
    let recording = folder.path().join("recording");
    ok(&state, &["record", "--out", recording.to_str().unwrap(), "--redact"]);
    let elsewhere = folder.path().join("elsewhere");
    ok(&elsewhere, &["enable", "--recording", recording.to_str().unwrap(), "--user", "again"]);
    ok(&elsewhere, &["generate", "--all"]);
    let again = report(&elsewhere);
    assert_eq!(again["metrics"]["forwarding"]["day"], last["metrics"]["forwarding"]["day"]);
    assert_ne!(again["node_pubkey"], last["node_pubkey"]);
}
