//! Limits that the system sets a process: how long a file may become, how much memory there is. Wherever a run meets one,
//! what was stored stays, and the next run without it makes the rest.

use std::collections::BTreeMap;

use crate::audit::audit;
use crate::harness::{Ended, Sandbox};
use crate::profiles::{enable, lnd};
use crate::tally::{survived, tries};
use crate::under::under;

/// A run under a limit of `prlimit`. Where a limit is met by a signal, it is ignored, so that the call fails instead.
fn limited(sandbox: &Sandbox, limit: &str) -> Option<Ended> {
    let wrapper = ["prlimit", limit, "/bin/sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    under(sandbox, &wrapper, &[], &["generate", "--all", "--force", "--retries", "0"])
}

/// A sweep over one limit, from where nothing works to where everything does.
fn sweep(fault: &str, limits: impl Iterator<Item = u64>, flag: impl Fn(u64) -> String) {
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    sandbox.run(["generate", "--all"]).ends(0);
    let mut known = BTreeMap::new();
    let (mut met, mut fine) = (0, 0);
    for limit in limits {
        let Some(ended) = limited(&sandbox, &flag(limit)) else { return };
        let told = &ended.stderr;
        if ended.code == Some(0) {
            fine += 1;
        } else {
            met += 1;
            assert!(!told.contains("panicked"), "{limit}: {told}");
            // Where there is no memory at all it is ended on the spot, and Rust says so in its own words.
            let line = !told.trim_end().contains('\n');
            assert!(line || ended.code.is_none(), "{limit}: {told}");
        }
        let found = audit(&sandbox.state(), &known);
        sandbox.run(["show"]).ends(0);
        sandbox.run(["generate", "--all", "--force"]).ends(0);
        known = audit(&sandbox.state(), &found.reports).reports;
    }
    eprintln!("{fault}: {met} runs met the limit, {fine} did not");
    assert!(met > 0 && fine > 0, "the sweep misses the point: {met} met it, {fine} did not");
    survived(fault, met);
}

#[test]
fn files_that_may_not_become_longer() {
    let step = u64::try_from(tries(128, 8)).unwrap() << 10;
    let sizes = (0..768 << 10).step_by(usize::try_from(step).unwrap()).chain([64 << 20]);
    sweep("file size limited (writes fail with EFBIG)", sizes, |bytes| format!("--fsize={bytes}"));
}

#[test]
fn memory_that_runs_out() {
    let step = u64::try_from(tries(8, 1)).unwrap() << 20;
    let sizes = (8 << 20..64 << 20).step_by(usize::try_from(step).unwrap()).chain([1 << 30]);
    sweep("memory limited", sizes, |bytes| format!("--as={bytes}"));
}
