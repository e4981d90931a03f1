//! What leaves the machine: with `--offline` nothing but what goes to LND, as the system's calls show.

use crate::commands::COMMANDS;
use crate::fake_lnd::FakeLnd;
use crate::harness::Sandbox;
use crate::profiles::whole;
use crate::secrets::{marked, parrot, place};
use crate::tally::survived;
use crate::under::under;

/// Whom a command dials, as `strace` tells: lines of `connect` with an address of a network.
fn dialled(sandbox: &Sandbox, args: &[&str]) -> Option<Vec<String>> {
    let file = sandbox.path("calls");
    let wrapper = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", file.to_str().unwrap()];
    let ended = under(sandbox, &wrapper, &[], args)?;
    if ended.stderr.contains("ptrace") {
        eprintln!("skipped: strace may not look at processes here");
        return None;
    }
    let calls = std::fs::read_to_string(file).unwrap();
    Some(calls.lines().filter(|call| call.contains("AF_INET")).map(str::to_owned).collect())
}

#[test]
fn offline_dials_nobody_but_the_node() {
    let node = crate::profiles::of_the_main_chain(FakeLnd::builder().recording(&whole()).macaroon(&marked())).start();
    let (source, _) = parrot();
    let sandbox = place(&node, &source);
    let port = |address: &str| format!("htons({})", address.rsplit(':').next().unwrap());
    let (lnd, source) = (port(&node.address()), port(&source));
    // Without the word it dials the source: the test would see it.
    let Some(calls) = dialled(&sandbox, &["generate", "--all"]) else { return };
    assert!(calls.iter().any(|call| call.contains(&source)), "{calls:?}");
    for row in COMMANDS {
        let args = [row, &["--offline"][..]].concat();
        let Some(calls) = dialled(&sandbox, &args) else { return };
        for call in calls {
            assert!(call.contains(&lnd) && call.contains("127.0.0.1"), "{args:?}: {call}");
        }
    }
    survived("--offline: calls to anybody but LND, by command", COMMANDS.len());
}
