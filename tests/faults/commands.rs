//! Every command in the forms in which it prints: what must hold of all of them is tried on each row.

use crate::harness::Sandbox;
use crate::profiles::{enable, lnd};

/// To be run in this order, where `alice` has a profile.
pub(crate) const COMMANDS: &[&[&str]] = &[
    &["-v", "generate", "--all"],
    &["generate", "--all"],
    &["-v", "generate", "--all", "--force", "--retries", "0"],
    &["generate", "--all", "--force", "--json", "--retries", "0"],
    &["generate", "--all", "--force", "--dry-run"],
    &["generate", "--all", "--period", "week"],
    &["generate", "--all", "--period", "month", "--json"],
    &["show"],
    &["show", "channels"],
    &["show", "all"],
    &["show", "--json"],
    &["show", "--markdown"],
    &["show", "--markdown", "all"],
    &["show", "--markdown", "channels"],
    &["history"],
    &["history", "--json"],
    &["history", "--markdown"],
    &["advice"],
    &["advice", "--json"],
    &["alerts", "list"],
    &["alerts", "list", "--all", "--json"],
    &["alerts", "show", "peer-unreachable"],
    &["alerts", "ack", "peer-unreachable"],
    &["alerts", "comment", "peer-unreachable", "seen"],
    &["alerts", "mute", "peer-unreachable", "--until", "2d", "--reason", "known"],
    &["alerts", "unmute", "peer-unreachable"],
    &["alerts", "resolve", "peer-unreachable"],
    &["alerts", "stats"],
    &["alerts", "stats", "--json"],
    &["status"],
    &["status", "--json"],
    &["-v", "status"],
    &["health-check"],
    &["health-check", "--json"],
    &["-v", "health-check"],
    &["notify", "test", "--dry-run"],
    &["notify", "test", "--report", "03351c90", "--dry-run"],
    &["notify", "test"],
    &["notify", "list"],
    &["notify", "list", "--json"],
    &["notify", "send"],
    &["notify", "dead"],
    &["notify", "failure", "daznode.service"],
    &["watch", "--once"],
    &["watch", "--status"],
    &["watch", "--status", "--json"],
    &["record", "03351c90", "--out", "copy"],
    &["backup", "copy.db"],
    &["backup", "--keep", "1", "--json"],
    &["verify"],
    &["verify", "--json"],
    &["verify", "copy.db"],
    &["restore", "copy.db", "--dry-run"],
    &["restore", "copy.db", "--yes", "--json"],
    &["init", "--print"],
    &["completions", "bash"],
    &["man"],
    &["disable", "--all", "--json"],
    &["enable", "--all"],
];

/// Commands of the table that need more than a row: what they print is tried where they are tested.
const ELSEWHERE: &[&str] = &["demo"];

/// The names that `--help` lists.
fn listed() -> Vec<String> {
    let help = Sandbox::new().run(["--help"]).ends(0).stdout.clone();
    let commands = help.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let name =
        |line: &str| Some(line.strip_prefix("  ")?.split(' ').next()?.to_owned()).filter(|name| !name.is_empty());
    commands.lines().filter_map(name).collect()
}

fn name<'a>(row: &[&'a str]) -> &'a str {
    row.iter().find(|word| !word.starts_with('-')).unwrap()
}

#[test]
fn no_command_is_missing_in_the_table() {
    let missing: Vec<String> = listed()
        .into_iter()
        .filter(|command| !ELSEWHERE.contains(&command.as_str()) && !COMMANDS.iter().any(|row| name(row) == command))
        .collect();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "what they print is tried on hostile names and for secrets only when listed"
    );
}

#[test]
fn no_row_of_the_table_is_a_usage_error() {
    let sandbox = Sandbox::new();
    let url = sandbox.put("hook.url", b"http://127.0.0.1:9/hook", 0o600);
    let config = format!(
        "[notify]\nallow_private = [\"127.0.0.1\"]\n[notify.channels.hook]\nkind = \"discord\"\nurl_file = \"{}\"\n",
        url.display()
    );
    let config = sandbox.put("settings.toml", config.as_bytes(), 0o600);
    let sandbox = sandbox.env("DAZNODE_CONFIG", config.to_str().unwrap());
    let node = lnd().start();
    enable(&sandbox, "alice", &node);
    for row in COMMANDS {
        let ended = sandbox.run(*row);
        assert!(matches!(ended.code, Some(0 | 1 | 3)), "{row:?}: {:?} {}", ended.code, ended.stderr);
    }
}
