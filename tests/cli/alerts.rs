//! `daznode alerts` from the first report to the end of an alert.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Ended, Sandbox};

/// The warning that the recorded node has.
const RULE: &str = "peer-unreachable";

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

fn list(sandbox: &Sandbox, options: &[&str]) -> Vec<Value> {
    let args = ["alerts", "list", "--json"].into_iter().chain(options.iter().copied());
    let ended = sandbox.run(args);
    ended.ends(0);
    json(&ended)["alerts"].as_array().unwrap().clone()
}

fn the_one(sandbox: &Sandbox, options: &[&str]) -> Value {
    let mut all = list(sandbox, options);
    all.retain(|alert| alert["type"] == RULE);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[test]
fn an_alert_is_listed_acknowledged_commented_resolved_and_comes_back() {
    let sandbox = Sandbox::with_report();
    let alert = the_one(&sandbox, &[]);
    assert_eq!((&alert["severity"], &alert["occurrence"], &alert["told"]), (&"warning".into(), &1.into(), &0.into()));
    assert_eq!((&alert["acknowledged_at"], &alert["resolved_at"]), (&Value::Null, &Value::Null));
    let key = alert["alert_key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("peer-unreachable:0"), "{key}");

    let ack = sandbox.run(["alerts", "ack", RULE, "--comment", "frank is\nasked"]);
    ack.ends(0);
    assert_eq!(ack.stderr, format!("{key}: acknowledged.\n"));
    sandbox.run(["alerts", "comment", &key, "he answered"]).ends(0);
    let alert = the_one(&sandbox, &[]);
    assert_eq!(alert["state"], "acknowledged");
    assert!(list(&sandbox, &["--open"]).iter().all(|alert| alert["type"] != RULE));

    // The next report knows it too.
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let shown = json(&sandbox.run(["show", "--json"]));
    let reported = shown["alerts"].as_array().unwrap().iter().find(|alert| alert["type"] == RULE).unwrap().clone();
    assert_eq!((&reported["state"], reported["acknowledged_at"].is_string()), (&"acknowledged".into(), true));
    assert!(sandbox.run(["show"]).stdout.contains("acknowledged"), "the page says so");

    let resolve = sandbox.run(["alerts", "resolve", RULE]);
    resolve.ends(0);
    assert!(resolve.stderr.contains("the next look opens it again"), "{}", resolve.stderr);
    assert_eq!(the_one(&sandbox, &["--resolved"])["state"], "resolved");
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let alert = the_one(&sandbox, &[]);
    assert_eq!((&alert["occurrence"], &alert["acknowledged_at"]), (&2.into(), &Value::Null));

    let life = json(&sandbox.run(["alerts", "show", RULE, "--json"]));
    assert_eq!(life["alert"]["id"], alert["id"]);
    let first = life["others"][0]["id"].as_str().unwrap().to_owned();
    let life = json(&sandbox.run(["alerts", "show", &first, "--json"]));
    let events = life["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["opened", "acknowledged", "commented", "resolved"]);
    assert_eq!((&events[1]["note"], &events[2]["note"]), (&"frank is asked".into(), &"he answered".into()));
    let text = sandbox.run(["alerts", "show", &first]);
    text.ends(0);
    for words in ["opened as warning", "acknowledged: frank is asked", "commented: he answered", "Other occurrences"] {
        assert!(text.stdout.contains(words), "{words}: {}", text.stdout);
    }

    let stats = json(&sandbox.run(["alerts", "stats", "--json"]));
    let of_rule = stats["by_rule"].as_array().unwrap().iter().find(|rule| rule["name"] == RULE).unwrap().clone();
    assert_eq!((&of_rule["opened"], &of_rule["open"]), (&2.into(), &1.into()));
    assert_eq!((&of_rule["acknowledged"]["count"], &of_rule["resolved"]["count"]), (&1.into(), &1.into()));
    assert!(sandbox.run(["alerts", "stats"]).stdout.contains(RULE));
}

#[test]
fn a_muted_alert_stays_in_the_report_with_its_mark_and_goes_last() {
    let sandbox = Sandbox::with_report();
    let before = json(&sandbox.run(["show", "--json"]));
    let mute = sandbox.run(["alerts", "mute", RULE, "--until", "3d", "--reason", "he moves house"]);
    mute.ends(0);
    assert!(mute.stderr.starts_with("peer-unreachable:*: nothing is sent until 20"), "{}", mute.stderr);
    assert_eq!(the_one(&sandbox, &["--muted"])["state"], "muted");
    let listed = sandbox.run(["alerts", "list"]);
    assert!(listed.stdout.contains("he moves house"), "{}", listed.stdout);
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    let report = json(&sandbox.run(["show", "--json"]));
    assert_eq!(report["summary"]["warnings"], before["summary"]["warnings"], "the report says what is");
    let reported = report["alerts"].as_array().unwrap().iter().find(|alert| alert["type"] == RULE).unwrap().clone();
    assert_eq!((&reported["state"], reported["muted_until"].is_string()), (&"muted".into(), true));
    let page = sandbox.run(["show", "all"]).stdout;
    let wrong = page.split("Wrong").nth(1).unwrap().split("\n\n").next().unwrap();
    let last = wrong.lines().rfind(|line| line.contains("frank is unreachable")).map(|line| wrong.find(line).unwrap());
    let others = wrong.match_indices(" i ").map(|(at, _)| at).max();
    assert!(wrong.contains("muted until") && last > others, "{wrong}");
    sandbox.run(["alerts", "unmute", RULE]).ends(0);
    assert!(list(&sandbox, &["--muted"]).is_empty());
    sandbox.refuses(["alerts", "unmute", RULE], 2, &["no mute begins with \"peer-unreachable\""]);
}

#[test]
fn what_is_not_so_is_refused_in_one_line() {
    let sandbox = Sandbox::with_report();
    let muting = |key: &'static str, until: &'static str, reason: &'static str| {
        ["alerts", "mute", key, "--until", until, "--reason", reason]
    };
    for (args, words) in [
        (vec!["alerts", "show", "peer-unreachible"], "did you mean peer-unreachable:0"),
        (vec!["alerts", "ack", RULE, "nonsense"], "no alert begins with \"nonsense\""),
        (muting("peer-unreachble", "3d", "x").to_vec(), "did you mean peer-unreachable"),
        (muting(RULE, "tomorrow", "x").to_vec(), "expected a day such as 2026-12-01"),
        (muting(RULE, "2020-01-01", "x").to_vec(), "it is over already"),
        (muting(RULE, "3d", " ").to_vec(), "expected some words"),
        (vec!["alerts", "list", "nobody"], "no profile matches"),
        (vec!["alerts", "list", "--severity", "fatal"], "critical"),
    ] {
        sandbox.refuses(args, 2, &[words]);
    }
    sandbox.run(["alerts", "resolve", RULE]).ends(0);
    sandbox.refuses(["alerts", "ack", RULE], 2, &["is over since"]);
}

#[test]
fn a_page_of_alerts_fits_its_width() {
    let sandbox = Sandbox::with_report();
    sandbox.run(["alerts", "mute", "channel-idle", "--until", "12h", "--reason", "known"]).ends(0);
    for width in ["60", "80"] {
        let folder = sandbox.put("width.toml", format!("output.width = {width}").as_bytes(), 0o600);
        for args in [vec!["alerts", "list", "--all"], vec!["alerts", "show", RULE], vec!["alerts", "stats"]] {
            let args = args.into_iter().chain(["--config", folder.to_str().unwrap()]);
            let ended = sandbox.run(args);
            ended.ends(0);
            let widest = ended.stdout.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width.parse().unwrap(), "{widest}: {}", ended.stdout);
        }
    }
}

#[test]
fn the_json_has_the_fields_that_the_docs_name_and_no_other() {
    let sandbox = Sandbox::with_report();
    sandbox.run(["alerts", "mute", RULE, "--until", "1d", "--reason", "known"]).ends(0);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema.md");
    let docs = std::fs::read_to_string(path).unwrap();
    let section = docs.split("### `daznode alerts").nth(1).unwrap().split("\n### ").next().unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let told: BTreeSet<String> =
        section.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned())).collect();
    let listed = json(&sandbox.run(["alerts", "list", "--json"]));
    assert_eq!(keys(&listed["alerts"][0]), told);
    let shown = json(&sandbox.run(["alerts", "show", RULE, "--json"]));
    assert_eq!(keys(&shown["alert"]), told);
    let stats = json(&sandbox.run(["alerts", "stats", "--json"]));
    let parts = [
        &listed,
        &listed["mutes"][0],
        &shown,
        &shown["events"][0],
        &stats,
        &stats["all"],
        &stats["all"]["resolved"],
        &stats["by_rule"][0],
    ];
    for name in parts.into_iter().flat_map(keys) {
        assert!(section.contains(&format!("`{name}`")), "docs/schema.md does not name {name}");
    }
}
