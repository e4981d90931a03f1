//! Arguments that are wrong: one line that names the thing and what is accepted, exit code 2, nothing written.

use std::os::unix::fs::symlink;

use crate::harness::{Sandbox, bob, is_root, recording};

#[test]
fn a_malformed_pubkey() {
    let sandbox = Sandbox::with_report();
    let short = format!("02{}", "a".repeat(63));
    let upper = format!("02{}", "A".repeat(64));
    for key in [short.as_str(), upper.as_str()] {
        for command in ["show", "history", "advice", "generate", "disable"] {
            sandbox.refuses([command, key], 2, &[key, "66 lower-case hex digits"]);
        }
    }
}

#[test]
fn an_unknown_node() {
    let sandbox = Sandbox::with_report();
    let unknown = format!("02{}", "a".repeat(64));
    for node in [unknown.as_str(), "02aaaa", "carol"] {
        for command in ["show", "history", "advice", "generate", "disable"] {
            sandbox.refuses([command, node], 2, &[node, "daznode status"]);
        }
    }
}

#[test]
fn a_malformed_date() {
    let sandbox = Sandbox::with_report();
    for date in ["yesterday", "2026-02-30", "2026-1-1", "20261121", ""] {
        sandbox.refuses(["show", "--date", date], 2, &["--date", "YYYY-MM-DD"]);
        sandbox.refuses(["generate", "--date", date], 2, &["--date", "YYYY-MM-DD"]);
    }
}

#[test]
fn a_date_to_come() {
    Sandbox::with_bob().refuses(["generate", "--all", "--date", "2999-01-01"], 2, &["future"]);
}

#[test]
fn a_malformed_id() {
    Sandbox::with_report().refuses(["show", "--id", "seven"], 2, &["seven", "--id"]);
    let nobody = "01900000-0000-7000-8000-000000000000";
    Sandbox::with_report().refuses(["show", "--id", nobody], 2, &[nobody, "daznode history"]);
}

#[test]
fn a_malformed_schedule() {
    let folder = bob();
    let sandbox = Sandbox::new();
    for cron in ["daily", "0 6 * *", "61 6 * * *", "0 0 6 * * *", "0 6 31 2 *", ""] {
        sandbox.refuses(
            ["enable", "--recording", folder.to_str().unwrap(), "--schedule", cron],
            2,
            &["--schedule", "0 6 * * *"],
        );
    }
}

#[test]
fn a_malformed_uri() {
    let sandbox = Sandbox::new();
    for uri in [
        "lndconnect://",
        "lndconnect://host:99999?macaroon=AgED",
        "lndconnect://127.0.0.1:10009",
        "lndconnect://127.0.0.1:10009?macaroon=!!",
        "https://127.0.0.1:10009",
        "bob",
    ] {
        let ended = sandbox.run(["enable", uri]);
        ended.ends(2).says_one_line(&["lndconnect"]);
        assert_eq!(ended.stdout, "");
        assert!(!sandbox.state().exists(), "{uri}");
    }
}

#[test]
fn a_secret_in_a_malformed_uri_is_not_repeated() {
    let secret = "AgEDbG5kAvgBAwoQ7Xz1";
    let sandbox = Sandbox::new();
    for uri in [
        format!("lndconnect://host:99999?macaroon={secret}"),
        format!("lndconnect://127.0.0.1:1?cert={secret}&macaroon={secret}"),
        format!("lndconnect:127.0.0.1:1?macaroon={secret}"),
    ] {
        let ended = sandbox.run(["enable", &uri]);
        assert_ne!(ended.code, Some(0));
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    }
}

#[test]
fn ids_that_would_be_paths() {
    let sandbox = Sandbox::new();
    let folder = bob();
    for id in ["../x", "..", "/abs", "a/b", ".hidden", "Alice", "a b", "%2e%2e", ""] {
        let args = ["enable", "--recording", folder.to_str().unwrap(), "--user", id];
        sandbox.refuses(args, 2, &["--user", "lower-case letters"]);
    }
    sandbox.refuses(["enable", "--recording", folder.to_str().unwrap(), "--user=-rf"], 2, &["--user"]);
}

#[test]
fn numbers_out_of_range() {
    let sandbox = Sandbox::with_bob();
    sandbox.refuses(["generate", "--all", "--jobs", "0"], 2, &["--jobs", "1..=1000"]);
    sandbox.refuses(["generate", "--all", "--timeout", "ten"], 2, &["--timeout", "ten"]);
    sandbox.refuses(["history", "--days", "0"], 2, &["--days"]);
}

#[test]
fn an_unknown_option_and_an_unknown_command() {
    let sandbox = Sandbox::new();
    sandbox.refuses(["generate", "--al"], 2, &["--al", "--all"]);
    sandbox.refuses(["generat"], 2, &["generat", "generate"]);
    sandbox.refuses(["generate", "--all", "--due"], 2, &["--all", "--due"]);
}

#[test]
fn a_recording_that_is_none() {
    let sandbox = Sandbox::new();
    sandbox.refuses(["enable", "--recording", "/nowhere"], 2, &["/nowhere"]);
}

#[test]
fn a_secret_that_cannot_be_read() {
    let cert = recording("bob-later").join("tls.cert");
    let args = |macaroon: &str| {
        let cert = cert.to_str().unwrap().to_owned();
        ["enable", "--address", "127.0.0.1:1", "--cert", &cert, "--macaroon", macaroon].map(str::to_owned)
    };
    let sandbox = Sandbox::new();
    let missing = sandbox.path("missing.macaroon");
    sandbox.refuses(args(missing.to_str().unwrap()), 2, &["missing.macaroon", "no such file"]);
    let empty = sandbox.put("empty.macaroon", b"", 0o600);
    sandbox.refuses(args(empty.to_str().unwrap()), 2, &["empty.macaroon", "empty"]);
    let folder = sandbox.path("home");
    sandbox.refuses(args(folder.to_str().unwrap()), 2, &["folder"]);
    if !is_root() {
        let closed = sandbox.put("closed.macaroon", b"x", 0o000);
        sandbox.refuses(args(closed.to_str().unwrap()), 2, &["closed.macaroon", "may not read"]);
    }
}

#[test]
fn a_writing_macaroon() {
    let lnd = recording("bob-later");
    let sandbox = Sandbox::new();
    let admin = sandbox.put("admin.macaroon", &std::fs::read(lnd.join("admin.macaroon")).unwrap(), 0o600);
    let cert = lnd.join("tls.cert");
    let args =
        ["enable", "--address", "127.0.0.1:1", "--cert", cert.to_str().unwrap(), "--macaroon", admin.to_str().unwrap()];
    sandbox.refuses(args, 4, &["macaroon", "readonly.macaroon"]);
    let open = sandbox.put("open.macaroon", &std::fs::read(lnd.join("admin.macaroon")).unwrap(), 0o644);
    let args = [
        "enable",
        "--address",
        "127.0.0.1:1",
        "--cert",
        cert.to_str().unwrap(),
        "--macaroon",
        open.to_str().unwrap(),
        "--allow-write-macaroon",
    ];
    sandbox.refuses(args, 4, &["open.macaroon", "chmod"]);
}

#[test]
fn erasing_asks_for_a_word_first() {
    let sandbox = Sandbox::with_report();
    sandbox.refuses(["disable", "bob", "--erase"], 2, &["--yes", "1 reports"]);
}

#[test]
fn a_link_in_the_place_of_a_folder_is_not_followed() {
    let sandbox = Sandbox::with_bob();
    let outside = sandbox.path("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::create_dir_all(sandbox.state().join("reports/daily")).unwrap();
    let _ = std::fs::remove_dir(sandbox.state().join("reports/daily/default"));
    symlink(&outside, sandbox.state().join("reports/daily/default")).unwrap();
    sandbox.run(["generate", "--all"]);
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}
