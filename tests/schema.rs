//! The report's promised shape: type, JSON Schema and `docs/schema.md` say the same, and the schema refuses what is wrong.

#![allow(clippy::unwrap_used, reason = "a test that can't read its samples has failed")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use daznode::report::Report;
use jsonschema::Validator;
use serde_json::{Value, json};

const FIXTURES: [&str; 5] = ["rich", "first", "gaps", "backfilled", "hostile"];

fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn fixture(name: &str) -> String {
    read(&format!("tests/fixtures/reports/{name}.json"))
}

fn schema() -> Value {
    serde_json::from_str(&read("docs/report.schema.json")).unwrap()
}

fn validator() -> Validator {
    let schema = schema();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
}

/// The report as the program writes it.
fn written(name: &str) -> Value {
    let report: Report = serde_json::from_str(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap()
}

/// Every field with the path to it; lists count as their entries.
fn fields(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = format!("{path}/{name}");
                into.insert(path.clone());
                fields(value, &path, into);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| fields(value, path, into)),
        _ => {}
    }
}

/// Every field of every sample.
fn all_fields() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for name in FIXTURES {
        fields(&written(name), "", &mut all);
    }
    all
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_sample_is_read_written_and_valid() {
    let validator = validator();
    for name in FIXTURES {
        assert_eq!(faults(&validator, &written(name)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn nothing_is_lost_between_reading_and_writing() {
    for name in FIXTURES {
        let given: Value = serde_json::from_str(&fixture(name)).unwrap();
        assert_eq!(written(name), given, "{name}");
    }
}

#[test]
fn bitcoin_is_written_with_eight_decimals() {
    let report: Report = serde_json::from_str(&fixture("rich")).unwrap();
    assert!(serde_json::to_string(&report).unwrap().contains(r#""capacity_btc":0.24350000,"#));
}

#[test]
fn every_field_is_explained_to_people() {
    let docs = read("docs/schema.md");
    let all = all_fields();
    assert!(all.len() > 150, "only {} fields: the samples do not fill their lists", all.len());
    let names: BTreeSet<&str> = all.iter().filter_map(|path| path.rsplit('/').next()).collect();
    let missing: Vec<_> = names.into_iter().filter(|name| !docs.contains(&format!("| `{name}` |"))).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn people_are_told_of_no_field_that_is_not_there() {
    let all = all_fields();
    let names: BTreeSet<&str> = all.iter().filter_map(|path| path.rsplit('/').next()).collect();
    let docs = read("docs/schema.md");
    let report = docs.split("## Other JSON").next().unwrap();
    let told = report.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let invented: Vec<_> = told.filter(|name| !names.contains(name)).collect();
    assert_eq!(invented, Vec::<&str>::new());
}

#[test]
fn the_schema_is_strict_at_every_level() {
    fn walk(value: &Value, path: &str, objects: &mut usize) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            *objects += 1;
            assert_eq!(value.get("additionalProperties"), Some(&json!(false)), "{path}");
            let required: BTreeSet<_> =
                value["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert_eq!(required, properties.keys().map(String::as_str).collect(), "{path}");
            for (name, property) in properties {
                assert!(
                    property.get("description").is_some_and(|d| d.as_str().is_some_and(|d| d.len() > 3)),
                    "{path}/{name}"
                );
            }
        }
        if let Some(map) = value.as_object() {
            map.iter().for_each(|(name, value)| walk(value, &format!("{path}/{name}"), objects));
        }
    }
    let mut objects = 0;
    walk(&schema(), "", &mut objects);
    assert!(objects >= 24, "{objects}");
}

#[test]
fn any_missing_or_unknown_field_is_refused() {
    let validator = validator();
    let whole = written("rich");
    let mut pointers = BTreeSet::new();
    objects(&whole, "", &mut pointers);
    assert!(pointers.len() > 50, "{}", pointers.len());
    for pointer in pointers {
        let names: Vec<String> = whole.pointer(&pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        for name in names {
            let mut changed = whole.clone();
            changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(&name);
            assert!(!validator.is_valid(&changed), "{pointer} without {name}");
        }
        let mut changed = whole.clone();
        changed.pointer_mut(&pointer).unwrap()["surprise"] = json!(1);
        assert!(!validator.is_valid(&changed), "{pointer} with a field more");
    }
}

/// JSON pointers of every object.
fn objects(value: &Value, pointer: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            into.insert(pointer.to_owned());
            map.iter().for_each(|(name, value)| objects(value, &format!("{pointer}/{name}"), into));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, value)| objects(value, &format!("{pointer}/{i}"), into));
        }
        _ => {}
    }
}

#[test]
fn wrong_values_are_refused() {
    let validator = validator();
    let whole = written("rich");
    let cases = [
        ("/summary/overall_score", json!(101)),
        ("/summary/overall_score", json!("68")),
        ("/summary/status", json!("fine")),
        ("/summary/capacity_btc", json!("0.24350000")),
        ("/summary/critical_alerts", json!(-1)),
        ("/summary/revenue_sats_24h", json!(12630.5)),
        ("/metrics/capacity/outbound_share", json!(1.2)),
        ("/metrics/channels/list/0/scid", json!(879_609_302_220_801_u64)),
        ("/metrics/channels/list/0/peer", json!("03")),
        ("/metrics/channels/list/0/channel_point", json!("x:0")),
        ("/metrics/network/network", json!("litecoin")),
        ("/money/day", json!(0)),
        ("/alerts/0/severity", json!("fatal")),
        ("/alerts/0/type", json!("Peer Unreachable")),
        ("/alerts/0/alert_key", json!("peer-unreachable")),
        ("/alerts/0/detected_at", json!("yesterday")),
        ("/recommendations/0/priority", json!("urgent")),
        ("/recommendations/0/category", json!("magic")),
        ("/recommendations/0/impact_score", json!(11)),
        ("/recommendations/0/confidence", json!(60)),
        ("/trends/score_evolution_7d", json!([1, 2, 3])),
        ("/trends/capacity_evolution_7d/0", json!("x")),
        ("/sources/0/status", json!("great")),
        ("/generation_status", json!("done")),
        ("/report_version", json!("2.0")),
        ("/report_date", json!("2026-13-01")),
        ("/window_end", json!("2026-11-21T06:00:00+01:00")),
        ("/report_id", json!("7")),
        ("/node_pubkey", json!(null)),
        ("/revision", json!(0)),
        ("/rag_asset_id", json!("/etc/passwd")),
    ];
    for (pointer, value) in cases {
        let mut changed = whole.clone();
        *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is not there")) = value.clone();
        assert!(!validator.is_valid(&changed), "{pointer} = {value}");
    }
}

#[test]
fn the_names_that_were_agreed_upon_are_all_there() {
    let mut all = BTreeSet::new();
    fields(&written("rich"), "", &mut all);
    let agreed = [
        "report_id user_id tenant_id node_pubkey node_alias report_date generation_timestamp report_version summary metrics",
        "recommendations alerts trends rag_asset_id rag_indexed generation_status error_message retry_count created_at",
        "updated_at window_start window_end revision score_version score_parts changes safety sources gaps not_measured money",
        "summary/overall_score summary/score_delta_24h summary/status summary/critical_alerts summary/warnings",
        "summary/capacity_btc summary/channels_count summary/forwarding_rate_24h summary/revenue_sats_24h",
        "metrics/capacity metrics/channels metrics/forwarding metrics/fees metrics/network",
        "recommendations/priority recommendations/category recommendations/title recommendations/description",
        "recommendations/impact_score recommendations/channels_affected recommendations/suggested_action",
        "recommendations/estimated_gain_sats_month recommendations/evidence recommendations/confidence",
        "recommendations/advice_key alerts/severity alerts/type alerts/title alerts/description alerts/detected_at",
        "alerts/requires_action alerts/alert_key trends/score_evolution_7d trends/revenue_evolution_7d",
        "trends/forward_rate_evolution_7d trends/capacity_evolution_7d score_parts/weight score_parts/value",
        "score_parts/target score_parts/points_lost score_parts/coverage",
    ];
    for name in agreed.iter().flat_map(|names| names.split(' ')) {
        assert!(all.contains(&format!("/{name}")), "{name}");
    }
}
