//! Every command in the forms in which it prints: what must hold of all of them is tried on each row.

use crate::harness::Sandbox;

/// To be run in this order, where `alice` has a profile. Rows of commands that a build lacks are left out by [`all`].
const COMMANDS: &[&[&str]] = &[
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
    &["alerts", "list", "--json"],
    &["alerts", "stats"],
    &["alerts", "stats", "--json"],
    &["status"],
    &["status", "--json"],
    &["-v", "status"],
    &["health-check"],
    &["health-check", "--json"],
    &["-v", "health-check"],
    &["notify", "test", "--dry-run"],
    &["notify", "list", "--json"],
    &["record", "alice", "--out", "copy"],
    &["backup"],
    &["verify"],
    &["verify", "--json"],
    &["init"],
    &["completions", "bash"],
    &["man"],
    &["disable", "--all", "--json"],
    &["enable", "--all"],
];

/// Commands of the table that need more than a row: what they print is tried where they are tested.
const ELSEWHERE: &[&str] = &["demo", "restore", "watch"];

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

/// Every row whose command is in this build.
pub(crate) fn all() -> Vec<&'static [&'static str]> {
    let listed = listed();
    COMMANDS.iter().copied().filter(|row| listed.iter().any(|command| command == name(row))).collect()
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
