use super::*;

fn at(version: &str, days_after_table: i64) -> Report {
    let mut snapshot = two();
    snapshot.node.info.version = version.to_owned();
    snapshot.taken_at = crate::analysis::advisories::AS_OF.start().plus(days_after_table * DAY_MS);
    let policies = snapshot.node.policies.as_mut().unwrap();
    for policy in policies.iter_mut().filter_map(|p| p.theirs.as_mut()) {
        policy.updated_at = snapshot.taken_at;
    }
    made(&snapshot, &history(&[]))
}

#[test]
fn a_version_with_known_weaknesses_is_told_with_what_was_read() {
    let report = at("0.18.5-beta", 0);
    assert_eq!(severity(&report, "lnd-vulnerable"), Some(Severity::Critical));
    assert_eq!(
        report.alerts[0].title,
        "LND 0.18.5-beta has 5 known weaknesses (as of 2026-08-20); 2 of them can cost funds"
    );
    let text = &report.alerts[0].description;
    assert!(
        text.starts_with("Update to 0.20.3 or later. replacement stalling attack (https://morehouse.github.io/"),
        "{text}"
    );
    assert_eq!(severity(&at("0.21.1-beta", 0), "lnd-vulnerable"), Some(Severity::Warning));
    assert_eq!(severity(&at("0.21.2-beta", 0), "lnd-vulnerable"), None);
}

#[test]
fn an_old_table_or_a_strange_version_is_not_judged_and_said_so() {
    let reason =
        |report: &Report| report.not_measured.iter().find(|n| n.part == "lnd-version").map(|n| n.reason.clone());
    assert_eq!(severity(&at("0.18.5-beta", 180), "lnd-vulnerable"), Some(Severity::Critical));
    assert_eq!(reason(&at("0.18.5-beta", 180)), None);
    let late = at("0.18.5-beta", 181);
    assert_eq!(severity(&late, "lnd-vulnerable"), None);
    assert!(reason(&late).unwrap().contains("of 2026-08-20, 181 days ago"));
    let odd = at("next\u{1b}[31m", 0);
    assert_eq!(severity(&odd, "lnd-vulnerable"), None);
    assert_eq!(reason(&odd).unwrap(), "LND's version (next[31m) can't be read, so its weaknesses are not known.");
}
