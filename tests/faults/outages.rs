//! A node that goes away in the middle of a run and comes back, as one does that is restarted, at each of its calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use daznode::sources::answers::{ESTIMATE_FEE, LIST_TOWERS, TOWER_STATS};

use crate::audit::audit;
use crate::fake_lnd::{Asked, Builder, FakeLnd, Reply, Switch};
use crate::harness::Sandbox;
use crate::profiles::{enable, expected_events, lnd, recorded};
use crate::tally::survived;

/// A node that has an answer to everything: of one that lacks something the last calls ask why, and change nothing.
fn whole() -> Builder {
    let towers = [&TOWER_STATS, &LIST_TOWERS].iter().fold(lnd(), |lnd, method| lnd.message(method.path, Bytes::new()));
    towers.message(ESTIMATE_FEE.path, recorded(ESTIMATE_FEE.path))
}

/// A node that goes away for so long at the call of this number.
fn goes_away(at: usize, time: Duration) -> FakeLnd {
    let switch = Switch::new();
    let seen = Arc::new(AtomicUsize::new(0));
    let theirs = switch.clone();
    let answer = move |_: &Asked<'_>| {
        let goes = seen.fetch_add(1, Ordering::SeqCst) + 1 == at;
        goes.then(|| {
            theirs.off_for(time);
            Reply::Hang
        })
    };
    whole().switch(&switch).answer(answer).start()
}

#[test]
fn a_node_that_restarts_at_any_call_of_a_run_gets_its_report() {
    let counted = whole().start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &counted);
    sandbox.run(["generate", "--all"]).ends(0);
    let calls = counted.calls();
    assert!(calls > 20, "{calls}");
    // Most of the time is waiting for the node: all at once.
    std::thread::scope(|scope| {
        let all: Vec<_> = (1..=calls).map(|at| (at, scope.spawn(move || restarts_at(at)))).collect();
        for (at, one) in all {
            assert!(one.join().is_ok(), "call {at} of {calls}");
        }
    });
    survived("LND killed and restarted at each call of a run", calls);
}

fn restarts_at(at: usize) {
    let sandbox = Sandbox::new();
    let node = goes_away(at, Duration::from_millis(300));
    enable(&sandbox, "alice", &node);
    let run = sandbox.run(["generate", "--all", "--timeout", "60"]);
    assert!(matches!(run.code, Some(0 | 3)), "{}", run.stderr);
    assert!(node.connections() > 1, "it never went away");
    let shown = sandbox.run(["show", "--json"]).ends(0).json();
    assert_eq!(shown["gaps"].as_array().unwrap().is_empty(), run.code == Some(0), "{}", shown["gaps"]);
    let known = audit(&sandbox.state(), &BTreeMap::new());
    // The next run has all of it, and nothing twice.
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let found = audit(&sandbox.state(), &known.reports);
    assert_eq!(found.events.len(), 1);
    for (node, events) in &found.events {
        assert_eq!(*events, expected_events(), "{node:?}: lost or counted twice");
    }
}
