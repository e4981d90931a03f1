use super::*;
use crate::snapshot::ErrorClass;

// 2026-11-21T06:00:00Z
const NOW: UnixMs = UnixMs(1_795_240_800_000);
const MIN: i64 = 60_000;

fn kept(good: bool) -> Kept {
    let check = SourceCheck {
        source: LND.to_owned(),
        subject: "02".to_owned(),
        at: NOW.plus(-3 * MIN),
        good,
        latency_ms: good.then_some(41),
        error: (!good).then_some(ErrorClass::Unreachable),
        detail: (!good).then(|| "cannot reach it".to_owned()),
        version: good.then(|| "0.21.0-beta".to_owned()),
        newest: good.then(|| NOW.plus(-9 * MIN)),
    };
    let mut breaker = Breaker::default();
    breaker.good(NOW.plus(-180 * MIN));
    if !good {
        breaker.bad(NOW, crate::sources::breaker::Failure::Tries(3), 0, "cannot reach it");
    }
    let checks = vec![(0, Tally { checks: 2, good: 1 }), (30, Tally { checks: 9998, good: 9998 })];
    Kept { breaker: Some(breaker), last: Some(check), checks, days: Vec::new() }
}

#[test]
fn a_source_is_one_line_and_a_good_one_never_looks_better_than_it_was() {
    let good = line("source lnd bob", &kept(true), NOW);
    let want = "answered in 41 ms, 3 min ago; version 0.21.0-beta; last block 9 min ago; available 50.0 % of a day, 99.9 % of 7 \
                days, 99.9 % of 30 days; asked as usual";
    assert_eq!((good.state, good.detail.as_str()), (State::Ok, want));
    let bad = line("source lnd bob", &kept(false), NOW);
    let want = "failed 3 min ago: cannot reach it; available 50.0 % of a day, 99.9 % of 7 days, 99.9 % of 30 days; last good \
                answer 3 h ago; left alone until 2026-11-21T06:05:00Z";
    assert_eq!((bad.state, bad.detail.as_str()), (State::Warn, want), "a source that fails is no failure of ours");
    let checks = vec![(0, Tally { checks: 5, good: 3 })];
    let young = line("source lnd bob", &Kept { checks, ..kept(true) }, NOW);
    assert!(young.detail.contains("; available 60.0 % of 5 checks so far, all within a day; "), "{}", young.detail);
    let none = line("source amboss", &Kept::default(), NOW);
    assert_eq!(none.state, State::Off);
}

#[test]
fn programs_get_the_same_with_null_for_what_is_not_known() {
    let told = row(&kept(false), LND, "02", None, NOW);
    assert_eq!(told["error_class"], "unreachable");
    assert_eq!((&told["availability"]["day"], &told["availability"]["week"]), (&json!(0.5), &json!(0.9999)));
    assert_eq!((&told["breaker"]["state"], &told["breaker"]["failures"]), (&json!("open"), &json!(3)));
    assert_eq!(told["breaker"]["until"], "2026-11-21T06:05:00Z");
    assert_eq!(told["last_good"], "2026-11-21T03:00:00Z");
    assert_eq!(row(&kept(true), LND, "02", None, NOW)["newest_age_s"], 540);
    let none = row(&Kept::default(), "amboss", "api.amboss.space", None, NOW);
    for field in ["checked_at", "good", "latency_ms", "error_class", "last_good", "newest", "version", "user_id"] {
        assert_eq!(none[field], Value::Null, "{field}");
    }
    assert_eq!((&none["availability"]["month"], &none["breaker"]["state"]), (&Value::Null, &Value::Null));
}

#[test]
fn public_sources_have_three_quarters_of_what_is_left() {
    let (began, secs) = (Instant::now(), Duration::from_secs);
    assert_eq!(time_for_public(began, secs(300), None) - began, secs(225));
    assert_eq!(time_for_public(began, secs(300), Some(began + secs(40))) - began, secs(30));
    assert_eq!(time_for_public(began, secs(20), Some(began + secs(40))) - began, secs(15));
    assert_eq!(
        time_for_public(began + secs(50), secs(20), Some(began + secs(40))),
        began + secs(50),
        "nothing is left"
    );
}
