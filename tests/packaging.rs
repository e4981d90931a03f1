//! What is shipped around the program, as far as it can be looked at without root: the units, what the package holds,
//! the notice of a failure. `packaging/test-deb.sh` installs the package.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The values of a key of a unit, in their order.
fn values(unit: &str, key: &str) -> Vec<String> {
    let text = read(&format!("systemd/{unit}"));
    text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned).collect()
}

fn value(unit: &str, key: &str) -> String {
    let all = values(unit, key);
    assert_eq!(all.len(), 1, "{unit}: {key} stands there {} times", all.len());
    all.into_iter().next().unwrap()
}

/// A span as systemd writes it: `15min`, `2h`, `5min 30s`.
fn seconds(span: &str) -> u64 {
    let one = |part: &str| {
        let digits = part.chars().take_while(char::is_ascii_digit).collect::<String>();
        let unit = match &part[digits.len()..] {
            "" | "s" | "sec" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            other => panic!("no unit of time: {other} in {span}"),
        };
        digits.parse::<u64>().unwrap() * unit
    };
    span.split_whitespace().map(one).sum()
}

/// What comes after the program in `ExecStart`.
fn arguments(unit: &str) -> Vec<String> {
    let line = value(unit, "ExecStart");
    let mut words = line.split(' ').map(str::to_owned);
    assert_eq!(words.next().as_deref(), Some("/usr/bin/daznode"), "{unit}");
    words.collect()
}

/// Runs the program as the unit does: an empty state folder, no home, no settings.
fn run(arguments: &[String], state: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_daznode"))
        .args(arguments)
        .env_clear()
        .env("STATE_DIRECTORY", state)
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap()
}

/// What reads nodes.
const RUNS: [&str; 2] = ["daznode.service", "daznode-due.service"];
/// What is made from the store alone.
const PERIODS: [&str; 2] = ["daznode-weekly.service", "daznode-monthly.service"];
/// What follows nodes all the time.
const WATCH: &str = "daznode-watch.service";
const TIMERS: [&str; 4] = ["daznode.timer", "daznode-due.timer", "daznode-weekly.timer", "daznode-monthly.timer"];

#[test]
fn a_fresh_installation_has_nothing_to_do_and_that_is_fine() {
    for unit in RUNS.iter().chain(&PERIODS) {
        let state = tempfile::tempdir().unwrap();
        let out = run(&arguments(unit), state.path());
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(0), "{unit}: {said}");
    }
}

#[test]
fn a_run_ends_by_itself_before_systemd_ends_it() {
    for unit in RUNS {
        let words = arguments(unit);
        let at = words.iter().position(|w| w == "--budget").unwrap_or_else(|| panic!("{unit} has no --budget"));
        let budget = seconds(&words[at + 1]);
        assert_eq!(budget, 14 * 60, "{unit}");
        assert!(budget + 30 <= seconds(&value(unit, "TimeoutStartSec")), "{unit}");
    }
}

#[test]
fn a_run_that_hangs_is_not_started_for_ever() {
    let unit = "daznode.service";
    let burst: u64 = value(unit, "StartLimitBurst").parse().unwrap();
    let each = seconds(&value(unit, "TimeoutStartSec")) + seconds(&value(unit, "RestartSec"));
    assert!(seconds(&value(unit, "StartLimitIntervalSec")) > burst * each);
    assert_eq!(value(unit, "Restart"), "on-failure");
}

#[test]
fn units_know_the_exit_codes() {
    assert_eq!(value("daznode.service", "SuccessExitStatus"), "3");
    assert_eq!(value("daznode.service", "RestartPreventExitStatus"), "2 4 5 11");
    // It comes again in a quarter of an hour: a run that is still going on is no failure.
    assert_eq!(value("daznode-due.service", "SuccessExitStatus"), "3 11");
    assert!(values("daznode-due.service", "Restart").is_empty());
    for unit in RUNS.iter().chain(&PERIODS) {
        assert_eq!(value(unit, "OnFailure"), "daznode-failed@%n.service");
    }
    // A daily run may hold the store when they come: they try again, but not for ever.
    for unit in PERIODS {
        assert_eq!(value(unit, "SuccessExitStatus"), "3");
        assert_eq!(value(unit, "RestartPreventExitStatus"), "2 4 5");
        assert_eq!(value(unit, "Restart"), "on-failure");
        assert_eq!(value(unit, "StartLimitBurst"), "3");
        assert!(values(unit, "LoadCredential").is_empty(), "{unit} asks no node and needs no secret");
    }
}

#[test]
fn the_watcher_tells_systemd_how_it_is_and_starts_again_but_not_for_ever() {
    assert_eq!(arguments(WATCH), ["watch"]);
    assert_eq!(value(WATCH, "Type"), "notify");
    assert_eq!(value(WATCH, "NotifyAccess"), "main");
    assert_eq!(value(WATCH, "OnFailure"), "daznode-failed@%n.service");
    assert_eq!(value(WATCH, "Restart"), "always");
    // A second one, wrong settings and a damaged store are not helped by starting again.
    assert_eq!(value(WATCH, "RestartPreventExitStatus"), "2 5 11");
    // As many starts as it may make are made within the span that counts them, also where each hangs until the watchdog.
    let burst: u64 = value(WATCH, "StartLimitBurst").parse().unwrap();
    let each = seconds(&value(WATCH, "WatchdogSec")) + seconds(&value(WATCH, "RestartSec"));
    assert!(seconds(&value(WATCH, "StartLimitIntervalSec")) > burst * each);
    // A node that hangs is waited for 45 s before the watcher is ready.
    assert!(seconds(&value(WATCH, "TimeoutStartSec")) > 2 * 45);
    // The last batch has its time.
    assert!(seconds(&value(WATCH, "TimeoutStopSec")) > 5);
    assert_eq!(value(WATCH, "LoadCredential"), "nodes:/etc/daznode/credentials");
    assert_eq!(value(WATCH, "WantedBy"), "multi-user.target");
}

#[test]
fn the_package_starts_the_watcher_only_where_it_is_switched_on() {
    let postinst = read("packaging/deb/postinst");
    assert!(!postinst.contains("enable daznode-watch"));
    assert!(postinst.contains("deb-systemd-helper update-state daznode-watch.service"));
    assert!(postinst.lines().any(|line| line.contains("for unit in") && line.contains("daznode-watch.service")));
    for script in ["prerm", "postrm"] {
        assert!(read(&format!("packaging/deb/{script}")).contains("daznode-watch.service"), "{script}");
    }
}

#[test]
fn all_services_have_one_sandbox() {
    let sandbox = |unit: &str| {
        let text = read(&format!("systemd/{unit}"));
        let at = text.find("\n# The sandbox is the same").unwrap_or_else(|| panic!("{unit} has no sandbox"));
        text[at..].to_owned()
    };
    let first = sandbox("daznode.service");
    for line in ["User=daznode", "UMask=0027", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="]
    {
        assert!(first.lines().any(|l| l == line), "{line}");
    }
    for unit in ["daznode-due.service", "daznode-failed@.service", WATCH].iter().chain(&PERIODS) {
        assert_eq!(sandbox(unit), first, "{unit}");
    }
}

#[test]
fn timers_have_the_times_that_are_promised() {
    assert_eq!(value("daznode.timer", "OnCalendar"), "*-*-* 06:00:00 UTC");
    assert_eq!(value("daznode-due.timer", "OnCalendar"), "*-*-* *:00/15:00 UTC");
    // After the day's reports with their delay, so that the last day of the period is stored.
    assert_eq!(value("daznode-weekly.timer", "OnCalendar"), "Mon *-*-* 06:40:00 UTC");
    assert_eq!(value("daznode-monthly.timer", "OnCalendar"), "*-*-01 06:50:00 UTC");
    for unit in TIMERS {
        assert_eq!(value(unit, "Persistent"), "true");
        assert_eq!(value(unit, "FixedRandomDelay"), "true");
        assert!(seconds(&value(unit, "RandomizedDelaySec")) <= 5 * 60);
        assert_eq!(value(unit, "WantedBy"), "timers.target");
    }
    // Started by a timer or by hand, never at boot.
    for unit in RUNS.iter().chain(&PERIODS) {
        assert!(values(unit, "WantedBy").is_empty(), "{unit}");
    }
}

#[test]
fn the_folder_of_the_credentials_is_made_by_the_package() {
    for unit in RUNS {
        assert_eq!(value(unit, "LoadCredential"), "nodes:/etc/daznode/credentials");
        assert_eq!(value(unit, "StateDirectoryMode"), "0750");
    }
    let made = read("packaging/tmpfiles.conf");
    let line = |path: &str| {
        let found = made.lines().find(|l| l.split_whitespace().nth(1) == Some(path));
        found.unwrap_or_else(|| panic!("{path}")).split_whitespace().skip(2).take(3).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("/etc/daznode/credentials"), "0700 root root");
    assert_eq!(line("/var/lib/daznode"), "0750 daznode daznode");
}

/// (source, target, mode) of what the package holds.
fn assets() -> Vec<(String, String, String)> {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let rows = deb["assets"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let cell = |i: usize| row[i].as_str().unwrap().to_owned();
            (cell(0), cell(1), cell(2))
        })
        .collect()
}

/// The files that a pattern with one `*` at most stands for.
fn matching(pattern: &str) -> BTreeSet<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        let file = root().join(pattern);
        return file.is_file().then_some(file).into_iter().collect();
    };
    let folder = root().join(before);
    let all = fs::read_dir(&folder).map(|all| all.flatten().map(|e| e.path()).collect::<Vec<_>>()).unwrap_or_default();
    all.into_iter().filter(|p| p.to_string_lossy().ends_with(after)).collect()
}

#[test]
fn the_package_holds_every_unit_page_and_completion() {
    let mut packed = BTreeSet::new();
    for (source, target, mode) in assets() {
        if source.starts_with("target/") {
            assert_eq!((target.as_str(), mode.as_str()), ("usr/bin/", "755"));
            continue;
        }
        let files = matching(&source);
        assert!(!files.is_empty(), "the package lists {source}, which is no file");
        packed.extend(files);
    }
    for folder in ["systemd", "man", "completions"] {
        for file in matching(&format!("{folder}/*")) {
            assert!(packed.contains(&file), "{} is not in the package", file.display());
        }
    }
}

#[test]
fn the_operators_settings_survive_an_upgrade() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let kept = manifest["package"]["metadata"]["deb"]["conf-files"].as_array().unwrap();
    assert_eq!(kept.iter().map(|f| f.as_str().unwrap()).collect::<Vec<_>>(), ["/etc/daznode/config.toml"]);
    assert!(assets().iter().any(|(source, target, mode)| {
        (source.as_str(), target.as_str(), mode.as_str()) == ("daznode.default.toml", "etc/daznode/config.toml", "644")
    }));
}

#[test]
fn the_notice_of_a_failure_names_the_service_and_the_reason_and_calls_the_hook() {
    let folder = tempfile::tempdir().unwrap();
    let (hook, program) = (folder.path().join("hook"), folder.path().join("program"));
    let notice = || {
        let out = Command::new("sh")
            .arg(root().join("packaging/on-failure"))
            .arg("daznode.service")
            .env("MONITOR_SERVICE_RESULT", "exit-code")
            .env("MONITOR_EXIT_STATUS", "4")
            .env("DAZNODE_ON_FAILURE", &hook)
            .env("DAZNODE_PROGRAM", &program)
            .output()
            .unwrap();
        assert!(out.status.success());
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(said.starts_with("<3>daznode.service failed (exit-code, exit status 4): "), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        String::from_utf8(out.stdout).unwrap()
    };
    assert_eq!(notice(), "");
    let write = |path: &Path, line: &str| {
        let script = format!("printf '#!/bin/sh\\n{line}\\n' > \"$0\" && chmod 755 \"$0\"");
        assert!(Command::new("sh").args(["-c", &script]).arg(path).status().unwrap().success());
    };
    write(&hook, "echo told of $1");
    assert_eq!(notice(), "told of daznode.service\n");
    // The channels of the settings are told first, and the hook is run also where they can't be.
    write(&program, "echo $*; exit 1");
    assert_eq!(notice(), "--quiet --system notify failure daznode.service\ntold of daznode.service\n");
}

#[test]
fn cron_runs_what_the_units_run() {
    let example = read("packaging/cron.example");
    for unit in RUNS {
        let line = format!("daznode  daznode --system {}", arguments(unit).join(" "));
        assert!(example.contains(&line), "{line}");
    }
}

#[test]
fn the_macaroon_that_the_guide_bakes_permits_every_call_and_no_other() {
    let guide = read("docs/install.md");
    let baked: BTreeSet<&str> =
        guide.split_whitespace().filter_map(|word| word.strip_prefix("uri:")).map(str::trim).collect();
    // LND asks for no macaroon for its state.
    let called: BTreeSet<&str> = daznode::sources::answers::METHODS
        .iter()
        .chain(&daznode::sources::answers::STREAMS)
        .map(|m| m.path)
        .filter(|path| *path != "/lnrpc.State/GetState")
        .collect();
    assert_eq!(baked, called);
}
