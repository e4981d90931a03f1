//! Limits that the system sets a process: how long a file may become, how much memory there is. Wherever a run meets one,
//! what was stored stays, and the next run without it makes the rest.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use crate::audit::audit;
use crate::harness::Sandbox;
use crate::profiles::{enable, lnd};
use crate::tally::{survived, tries};

/// A run under a limit of `prlimit`; `None` where that is missing. Where a limit is met by a signal, it is ignored, so
/// that the call fails instead.
fn limited(sandbox: &Sandbox, limit: &str) -> Option<Output> {
    let run = sandbox.command(["generate", "--all", "--force", "--retries", "0"]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", "prlimit", limit, "--"]);
    command.arg(run.get_program()).args(run.get_args()).env_clear();
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = command.output().unwrap();
    if String::from_utf8_lossy(&ended.stderr).contains("prlimit: not found") {
        eprintln!("skipped: no prlimit here");
        return None;
    }
    Some(ended)
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
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        if ended.status.success() {
            fine += 1;
        } else {
            met += 1;
            assert!(!told.contains("panicked"), "{limit}: {told}");
            // Where the system ends it, it says nothing itself.
            let told = told.trim_end();
            assert!(!told.contains('\n'), "{limit}: {told}");
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
