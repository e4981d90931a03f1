//! A real LND that is killed while a report is made of its node, and started again.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::regtest::{self, Network};
use super::{agrees_with_lnd, ok, report, wait_for_blocks_to_be_past, wait_for_forwards};

/// A run, which tries twice more where it fails.
fn run(state: &std::path::Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daznode"));
    command.env_clear().env("HOME", state).arg("--state").arg(state).args(["generate", "--all", "--force"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_real_node_that_is_killed_in_mid_run_costs_no_figure() {
    if !regtest::available() {
        return;
    }
    let mut network = Network::start(&["alice", "bob", "carol"]);
    let (alice, bob, carol) = (0, 1, 2);
    network.open(alice, bob, 5_000_000, 1_000_000);
    network.open(bob, carol, 4_000_000, 0);
    for sat in [10_000, 20_000] {
        network.pay(alice, carol, sat);
    }
    wait_for_forwards(&network, bob, 2);
    wait_for_blocks_to_be_past(&network, bob);
    let folder = tempfile::tempdir().unwrap();
    let state = regtest::state(folder.path());
    ok(&state, &["enable", &network.nodes[bob].lndconnect("readonly.macaroon"), "--user", "live"]);
    let begun = Instant::now();
    ok(&state, &["generate", "--all"]);
    let whole = begun.elapsed();
    let mut failed = 0;
    for part in 1..=3 {
        let before = report(&state)["report_id"].clone();
        let mut made = run(&state);
        std::thread::sleep(whole * part / 4);
        network.kill_node(bob);
        network.start_node(bob);
        let ended = made.wait().unwrap().code();
        let said = std::io::read_to_string(made.stderr.take().unwrap()).unwrap();
        // Done before the kill, made again in time, or failed with a line that says why; never half.
        match ended {
            Some(0 | 3) => assert_ne!(report(&state)["report_id"], before, "{said}"),
            Some(1) => {
                failed += 1;
                assert_eq!(report(&state)["report_id"], before, "{said}");
                assert!(said.contains("127.0.0.1"), "{said}");
            }
            other => panic!("{other:?}: {said}"),
        }
        ok(&state, &["verify"]);
    }
    Network::wait("channels to be usable", || {
        let channels = network.get(bob, "/v1/channels");
        channels["channels"].as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|c| c["active"] == true))
    });
    network.pay(alice, carol, 30_000);
    wait_for_forwards(&network, bob, 3);
    // A balance that is read while an HTLC still settles is another one a moment later.
    Network::wait("HTLCs to be settled", || {
        let channels = network.get(bob, "/v1/channels");
        let quiet =
            |c: &Value| c["pending_htlcs"].as_array().is_none_or(Vec::is_empty) && c["unsettled_balance"] == "0";
        channels["channels"].as_array().is_some_and(|all| all.iter().all(quiet))
    });
    ok(&state, &["generate", "--all", "--force"]);
    agrees_with_lnd(&report(&state), &network, bob);
    assert!(failed < 3, "no run outlived its node's restart");
}
