//! What becomes of advice: once each, whatever is made again.

use super::support::{NOW, advice, alert, document, fixture, forward, report};
use crate::history::PastAdvice;
use crate::report::{Act, AdviceOutcome, AdviceState, AdviceUpdate, ScorePart, Severity, Time};
use crate::snapshot::Events;
use crate::units::{DAY_MS, Msat, Outpoint, Ppm, Sat, UnixMs};

fn days(n: i64) -> UnixMs {
    NOW.plus(n * DAY_MS)
}

fn act() -> Act {
    let channel: Outpoint = super::support::outpoint(1);
    Act::SetFee { channel, from_ppm: Ppm(900), to_ppm: Ppm(400), base_msat: Msat::ZERO }
}

/// Stores a report that gives these keys and carries these updates.
fn put(f: &super::support::Fixture, at: UnixMs, keys: &[&str], updates: Vec<AdviceUpdate>) {
    let revision = f.store.next_revision(&f.profile, at.day()).unwrap();
    let mut report = report(&f.profile, at, revision);
    report.recommendations = keys.iter().map(|key| advice(key, 1_000)).collect();
    for advice in &mut report.recommendations {
        advice.act = Some(act());
        advice.gain_low_sats_month = Some(Sat::new(400));
        advice.gain_high_sats_month = Some(Sat::new(1_900));
    }
    report.advice_updates = updates;
    f.store.put_report(&f.profile, &report, &document(&report)).unwrap();
}

fn past(f: &super::support::Fixture, at: UnixMs) -> Vec<PastAdvice> {
    f.store.history(&f.profile, at, at.day()).unwrap().advice
}

fn update(of: &PastAdvice, state: AdviceState, followed: Option<UnixMs>) -> AdviceUpdate {
    AdviceUpdate { id: of.id, advice_key: of.key.clone(), state, followed_at: followed.map(Time), outcomes: Vec::new() }
}

#[test]
fn an_advice_is_followed_measured_and_given_anew() {
    let f = fixture();
    let page = [-6, -1, 3, 11, 25].map(|n| forward(days(n).nanos(), 5, 6, 1_100, 1_000));
    f.store.put_events(&f.profile, &Events::Forwards(page.to_vec())).unwrap();
    put(&f, days(0), &["fee:a", "fee:b"], Vec::new());
    put(&f, days(1), &["fee:a"], Vec::new());
    let given = past(&f, days(2));
    assert_eq!(given.len(), 2, "one that is no longer given stays open until the analysis says otherwise");
    let a = given.iter().find(|one| one.key == "fee:a").unwrap();
    assert_eq!((a.first_at, a.last_at, a.state), (days(0), days(1), AdviceState::Open));
    assert_eq!((a.act.clone(), a.promised), (Some(act()), Some(Msat::new(1_000_000))));
    assert_eq!((a.promised_low, a.promised_high), (Some(Msat::new(400_000)), Some(Msat::new(1_900_000))));

    // Followed; the same report made again changes nothing.
    for _ in 0..2 {
        let b = given.iter().find(|one| one.key == "fee:b").unwrap();
        let updates = vec![update(a, AdviceState::Followed, Some(days(2))), update(b, AdviceState::Expired, None)];
        put(&f, days(2), &[], updates);
    }
    let [one, other] = &past(&f, days(8))[..] else { panic!("both") };
    assert_eq!((one.state, other.state), (AdviceState::Followed, AdviceState::Expired));
    assert!(one.spans.is_empty(), "six days after it was followed nothing is due");
    let due = past(&f, days(9));
    let [span] = &due[0].spans[..] else { panic!("{:?}", due[0].spans) };
    assert_eq!((span.days, span.before.forwards, span.after.forwards), (7, 2, 1));
    assert_eq!(span.before.window.map(|w| (w.start, w.end)), Some((days(-7), days(0))));
    assert_eq!(span.after.window.map(|w| (w.start, w.end)), Some((days(2), days(9))));

    let outcome = AdviceOutcome { days: 7, measured_at: days(9), gained: Some(Msat::new(5)), anyway: None };
    for gained in [5, 99] {
        let mut said = update(&due[0], AdviceState::Followed, Some(days(5)));
        said.outcomes = vec![AdviceOutcome { gained: Some(Msat::new(gained)), ..outcome }];
        put(&f, days(9), &["fee:a"], vec![said]);
    }
    let now = past(&f, days(32));
    assert_eq!(now.len(), 3, "the same key again is a row of its own");
    assert_eq!((now[0].outcomes.as_slice(), now[0].followed_at), (&[outcome][..], Some(days(2))), "the first stands");
    assert_eq!(now[0].spans.iter().map(|span| span.days).collect::<Vec<_>>(), [30]);
    assert_eq!(now[0].spans[0].after.forwards, 3);
    assert_eq!(past(&f, days(47)).len(), 3);
    assert_eq!(
        past(&f, days(48)).iter().map(|one| one.key.as_str()).collect::<Vec<_>>(),
        ["fee:a"],
        "what is open stays"
    );
    let listed = f.store.advice(&f.profile, days(0)).unwrap();
    assert_eq!(listed.iter().map(|row| row.advice.first_at).collect::<Vec<_>>(), [days(9), days(0), days(0)]);
    assert_eq!(f.store.advice(&f.profile, days(3)).unwrap().len(), 1);
    assert!(listed.iter().any(|row| row.advice.outcomes == [outcome] && row.state_at == Some(days(2))));
}

#[test]
fn an_update_does_not_reach_another_profile_nor_open_what_ended() {
    let f = fixture();
    put(&f, days(0), &["fee:a"], Vec::new());
    let given = past(&f, days(1)).remove(0);
    let bob = f.store.enable(&super::support::new_profile("bob", 1), NOW).unwrap();
    let mut other = report(&bob, days(1), 1);
    let mut said = update(&given, AdviceState::Ignored, None);
    said.outcomes = vec![AdviceOutcome { days: 7, measured_at: days(1), gained: None, anyway: None }];
    other.advice_updates = vec![said];
    f.store.put_report(&bob, &other, &document(&other)).unwrap();
    assert_eq!(past(&f, days(1)), std::slice::from_ref(&given));
    put(&f, days(1), &["fee:a"], vec![update(&given, AdviceState::Superseded, None)]);
    put(&f, days(2), &["fee:a"], vec![update(&given, AdviceState::Open, None)]);
    let states: Vec<_> = past(&f, days(3)).iter().map(|one| (one.state, one.last_at)).collect();
    assert_eq!(states, [(AdviceState::Superseded, days(0)), (AdviceState::Open, days(2))]);
}

#[test]
fn an_alert_whose_rule_was_not_judged_stays() {
    let f = fixture();
    let put = |at: UnixMs, keys: &[&str], judged: &[&str]| {
        let mut report = report(&f.profile, at, 1);
        report.alerts = keys.iter().map(|key| alert(key, Severity::Warning, at)).collect();
        report.judged_rules = judged.iter().map(|rule| (*rule).to_owned()).collect();
        f.store.put_report(&f.profile, &report, &document(&report)).unwrap();
        let open = f.store.history(&f.profile, at.plus(1), at.day()).unwrap().open_alerts;
        open.into_iter().map(|alert| alert.key).collect::<Vec<_>>()
    };
    assert_eq!(put(days(0), &["idle:x", "drained:y"], &["idle", "drained"]), ["drained:y", "idle:x"]);
    assert_eq!(put(days(1), &[], &["idle"]), ["drained:y"]);
    assert_eq!(put(days(2), &[], &[]), Vec::<String>::new(), "an older daznode judged them all");
}

#[test]
fn scores_come_back_with_their_parts_the_latest_first() {
    let f = fixture();
    let part = |points: f64| ScorePart {
        name: "liquidity".to_owned(),
        weight: 20,
        value: Some(0.5),
        target: 0.6,
        points: Some(points),
        points_lost: Some(20.0 - points),
        coverage: 1.0,
        as_of: None,
        sentence: "Balanced enough.".to_owned(),
    };
    for (n, points, revision, backfilled) in
        [(-9, 1.0, 1, false), (-3, 2.0, 1, false), (-3, 3.0, 2, false), (-2, 4.0, 1, true), (-1, 5.0, 1, false)]
    {
        let mut one = report(&f.profile, days(n), revision);
        one.score_parts = vec![part(points)];
        one.safety.score_cap = Some(40);
        one.backfilled = backfilled;
        f.store.put_report(&f.profile, &one, &document(&one)).unwrap();
    }
    let scores = f.store.history(&f.profile, NOW, NOW.day()).unwrap().past_scores;
    let found: Vec<_> = scores.iter().map(|score| (score.date, score.parts[0].points, score.cap)).collect();
    assert_eq!(found, [(days(-1).day(), Some(5.0), Some(40)), (days(-3).day(), Some(3.0), Some(40))]);
}
