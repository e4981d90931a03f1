//! What is printed where: data on stdout, words on stderr, nothing for a reader that has gone.

use std::io::Read as _;
use std::process::Stdio;

use crate::harness::Sandbox;

#[test]
fn json_is_alone_on_stdout() {
    let sandbox = Sandbox::with_bob();
    let made = sandbox.run(["generate", "--all", "--json"]);
    assert_eq!(made.ends(0).json()["outcomes"][0]["outcome"], "made");
    assert!(made.stderr.contains("bob"), "{}", made.stderr);
    assert_eq!(sandbox.run(["status", "--json"]).ends(0).json()["profiles"][0]["node_alias"], "bob");
    let shown = sandbox.run(["show", "--json"]);
    assert_eq!(shown.ends(0).json()["node_alias"], "bob");
    assert_eq!(shown.stderr, "");
    sandbox.run(["history", "--json"]).ends(0).json();
    sandbox.run(["advice", "--json"]).ends(0).json();
    sandbox.run(["health-check", "--json"]).json();
}

#[test]
fn a_pipe_gets_no_colours_and_no_bar() {
    let sandbox = Sandbox::with_bob();
    for args in [&["generate", "--all"][..], &["show"], &["history"], &["advice"], &["status"], &["health-check"]] {
        let ended = sandbox.run(args);
        assert!(!ended.stdout.contains('\x1b') && !ended.stderr.contains('\x1b'), "{args:?}");
    }
    assert!(sandbox.run(["show", "--color", "always"]).ends(0).stdout.contains('\x1b'));
}

#[test]
fn quiet_leaves_errors() {
    let sandbox = Sandbox::with_bob();
    assert_eq!(sandbox.run(["-q", "generate", "--all"]).ends(0).stderr, "");
    sandbox.run(["-q", "show", "nobody"]).ends(2).says_one_line(&["nobody"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = Sandbox::with_report();
    for args in [&["show", "all"][..], &["show", "--json"], &["completions", "bash"], &["man"]] {
        let mut child = sandbox.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut words = String::new();
        child.stderr.take().unwrap().read_to_string(&mut words).unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!((code, words.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn help_is_short_with_h_and_has_examples_with_help() {
    let sandbox = Sandbox::new();
    for command in [
        "init",
        "enable",
        "disable",
        "status",
        "generate",
        "show",
        "history",
        "advice",
        "health-check",
        "record",
        "watch",
        "demo",
    ] {
        let short = sandbox.run([command, "-h"]).ends(0).stdout.clone();
        let long = sandbox.run([command, "--help"]).ends(0).stdout.clone();
        assert!(long.lines().count() > short.lines().count(), "{command}");
        assert!(command == "demo" || long.contains("Examples:"), "{command}");
        assert!(long.lines().all(|l| l.chars().count() <= 100), "{command}");
    }
    let version = sandbox.run(["--version"]).ends(0).stdout.clone();
    assert_eq!(version, format!("daznode {}\n", env!("CARGO_PKG_VERSION")));
    sandbox.run(Vec::<&str>::new()).ends(2);
}
