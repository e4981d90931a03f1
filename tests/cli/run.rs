//! The daily round: enable, generate, show, history, disable.

use crate::harness::{Sandbox, bob};

#[test]
fn a_day_with_one_node() {
    let sandbox = Sandbox::new();
    let folder = bob();
    let enabled = sandbox.run(["enable", "--recording", folder.to_str().unwrap(), "--user", "alice"]);
    assert!(enabled.ends(0).stderr.contains("daznode generate"), "what comes next is said: {}", enabled.stderr);
    // The recording lacks an answer: a report with a gap.
    let made = sandbox.run(["generate", "--all", "--json"]).ends(3).json();
    assert_eq!(made["outcomes"][0]["outcome"], "partial");
    let file = sandbox.state().join(made["outcomes"][0]["file"].as_str().unwrap());
    assert!(file.starts_with(sandbox.state().join("reports/daily/alice")), "{}", file.display());
    let shown = sandbox.run(["show", "--json"]).ends(0).json();
    assert_eq!(shown["summary"]["revenue_sats_24h"], 9757, "as LND's own fee report says");
    let id = shown["report_id"].as_str().unwrap();
    assert_eq!(sandbox.run(["show", "--id", id, "--json"]).ends(0).json()["report_id"], id);
    let date = shown["report_date"].as_str().unwrap();
    assert_eq!(sandbox.run(["show", "bob", "--date", date, "--json"]).ends(0).json()["report_id"], id);
}

#[test]
fn a_whole_report_is_made_once_unless_forced() {
    let sandbox = Sandbox::with_report();
    let again = sandbox.run(["generate", "--all", "--json"]).ends(0).json();
    assert_eq!(again["outcomes"][0]["outcome"], "already_made");
    let forced = sandbox.run(["generate", "--all", "--force", "--json"]).ends(0).json();
    assert_eq!(forced["outcomes"][0]["revision"], 2);
}

#[test]
fn a_dry_run_writes_nothing() {
    let sandbox = Sandbox::with_bob();
    let before = sandbox.tree();
    let told = sandbox.run(["generate", "--all", "--dry-run", "--json"]).ends(0).json();
    assert_eq!(told["outcomes"][0]["outcome"], "would_make");
    let after = sandbox.tree();
    let changed: Vec<_> = after.iter().filter(|(path, what)| before.get(*path) != Some(what)).map(|(p, _)| p).collect();
    assert!(changed.iter().all(|p| p.to_string_lossy().ends_with("-shm")), "{changed:?}");
}

#[test]
fn a_disabled_node_is_left_out_and_comes_back() {
    let sandbox = Sandbox::with_report();
    sandbox.run(["disable", "bob"]).ends(0);
    let ended = sandbox.run(["generate", "--all"]);
    assert!(ended.ends(0).stderr.contains("no enabled profile"), "{}", ended.stderr);
    sandbox.refuses(["generate", "bob"], 2, &["disabled"]);
    sandbox.run(["show"]).ends(0);
    sandbox.run(["enable", "--all"]).ends(0);
    sandbox.run(["generate", "--all", "--force"]).ends(0);
}

#[test]
fn erasing_leaves_nothing_of_the_user() {
    let sandbox = Sandbox::with_report();
    sandbox.run(["disable", "bob", "--erase", "--yes"]).ends(0);
    let left: Vec<_> = sandbox.tree().into_keys().filter(|p| p.to_string_lossy().ends_with(".json")).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
    assert_eq!(sandbox.run(["status", "--json"]).ends(0).json()["profiles"], serde_json::json!([]));
}

#[test]
fn one_bad_node_does_not_stop_the_others() {
    let sandbox = Sandbox::with_bob();
    let copy = sandbox.path("gone");
    std::fs::create_dir(&copy).unwrap();
    let dave = bob().parent().unwrap().join("dave");
    for entry in std::fs::read_dir(&dave).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    sandbox.run(["enable", "--recording", copy.to_str().unwrap(), "--user", "dora"]).ends(0);
    std::fs::remove_dir_all(&copy).unwrap();
    let ended = sandbox.run(["generate", "--all", "--json", "--retries", "0"]);
    let outcomes = ended.ends(1).json()["outcomes"].clone();
    let of = |alias: &str| outcomes.as_array().unwrap().iter().find(|o| o["node_alias"] == alias).unwrap().clone();
    assert_eq!(of("bob")["outcome"], "made");
    assert_eq!(of("dave")["outcome"], "failed");
    assert!(of("dave")["error"].as_str().unwrap().contains("gone"), "{}", of("dave"));
}

#[test]
fn schedules_that_are_switched_off_make_nothing() {
    let sandbox = Sandbox::with_bob().env("DAILY_REPORTS_SCHEDULER_ENABLED", "false");
    let ended = sandbox.run(["generate", "--due"]);
    assert!(ended.ends(0).stderr.contains("switched off"), "{}", ended.stderr);
    assert!(!sandbox.state().join("reports").exists());
}

#[test]
fn a_schedule_says_which_timer_it_needs() {
    let sandbox = Sandbox::new();
    let folder = bob();
    let enable = |cron: &str| {
        let args = ["enable", "--recording", folder.to_str().unwrap(), "--schedule", cron];
        sandbox.run(args).ends(0).stderr.clone()
    };
    let six = enable("0 6 * * *");
    assert!(six.contains("daznode.timer"), "{six}");
    let seven = enable("30 7 * * 1");
    assert!(seven.contains("daznode-due.timer"), "{seven}");
}
