use super::*;
use crate::analysis::support::*;
use crate::history::{AdviceOutcome, AdviceState, DaySum};
use crate::units::{DAY_MS, HOUR_MS};

/// Monday; the week ends on 2026-11-16 at midnight.
fn start() -> Day {
    "2026-11-09".parse().unwrap()
}

fn end() -> UnixMs {
    start().plus(7).start()
}

fn sums(channels: Vec<crate::history::ScidFlow>) -> Period {
    Period { window: Some(Window { start: start().start(), end: end() }), ..period(7, channels) }
}

fn reported(day: i64, score: Option<i64>, version: u32) -> ReportedDay {
    ReportedDay { date: start().plus(day), backfilled: false, score_version: version, score }
}

struct Given {
    history: History,
    sums: Period,
    before: Period,
    days: Vec<ReportedDay>,
    alerts: Vec<PeriodAlert>,
    advice: Vec<PastAdvice>,
}

fn given() -> Given {
    let mut past = history(&[]);
    past.first_seen = Some(end().plus(-40 * DAY_MS));
    past.first_forward = past.first_seen;
    Given {
        history: past,
        sums: sums(vec![]),
        before: Period::default(),
        days: (0..7).map(|day| reported(day, Some(70), 2)).collect(),
        alerts: vec![],
        advice: vec![],
    }
}

fn made_of(given: &Given) -> PeriodReport {
    let node = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000), channel(3, 900_000, 100_000)]);
    period_report(&PeriodInput {
        identity: identity(),
        pubkey: &key(0xee),
        alias: "bob",
        kind: PeriodKind::Week,
        start: start(),
        history: &given.history,
        snapshot: Some(&node),
        sums: &given.sums,
        before: &given.before,
        days: &given.days,
        alerts: &given.alerts,
        advice: &given.advice,
    })
}

#[test]
fn the_span_is_from_monday_to_sunday() {
    let report = made_of(&given());
    assert_eq!((report.period_label.as_str(), report.period_end), ("2026-W46", start().plus(6)));
    assert_eq!((report.window_start.0, report.window_end.0), (start().start(), end()));
}

#[test]
fn best_earns_most_and_worst_lost_or_lay_idle() {
    let mut given = given();
    given.sums = sums(vec![bought(1, 1_900, 16_000), sold(1, 1_000, 7_000), sold(2, 900, 9_000)]);
    given.sums.rebalances = vec![crate::history::RebalanceFlow {
        from: scid(700_000, 1),
        to: scid(700_000, 2),
        amount: Msat::new(1_000_000),
        cost: Msat::new(10_000),
        parts: 1,
    }];
    let report = made_of(&given);
    let net = |rows: &[PeriodChannel]| {
        let net = |c: &PeriodChannel| c.account.as_ref().map_or(0, |a| a.net_msat.unwrap().get());
        rows.iter().map(|c| (c.peer.clone(), net(c))).collect::<Vec<_>>()
    };
    // 9,000 earned by the second less 10,000 paid to refill it; the third did nothing.
    assert_eq!(net(&report.best_channels), [(key(1), 7_000)]);
    assert_eq!(net(&report.worst_channels), [(key(2), -1_000), (key(3), 0)]);
    assert_eq!(report.money.unwrap().net_msat, Msat::new(7_000 + 9_000 - 10_000));
}

#[test]
fn days_are_counted_as_reported_caught_up_or_missing() {
    let mut given = given();
    given.days.remove(3);
    given.days[0].backfilled = true;
    let days = made_of(&given).days;
    assert_eq!((days.all, days.reported, days.caught_up), (7, 5, 1));
    assert_eq!(days.missing, [start().plus(3)]);
}

#[test]
fn scores_of_two_formulas_are_not_mixed() {
    let mut given = given();
    given.days = vec![reported(0, Some(10), 1), reported(1, Some(60), 2), reported(5, Some(65), 2)];
    let score = made_of(&given).score;
    assert_eq!(score.score_version, Some(2));
    assert_eq!((score.first, score.last, score.lowest, score.highest), (Some(60), Some(65), Some(60), Some(65)));
    assert_eq!(score.mean, Some(62.5));
    assert_eq!(score.by_day, [None, Some(60), None, None, None, Some(65), None]);
    given.days.clear();
    assert_eq!(made_of(&given).score.mean, None);
}

#[test]
fn each_day_shows_its_own_fees() {
    let mut given = given();
    let fees = |n: i64| DaySum { forwards: 1, amount_out: Msat::ZERO, fees: Msat::new(n * 1_000 + 999) };
    given.history.days = (0..120).map(|n| (n > 114).then(|| fees(n))).collect();
    let wanted = [None, None, Some(115), Some(116), Some(117), Some(118), Some(119)];
    assert_eq!(made_of(&given).revenue_by_day, wanted.map(|sat| sat.map(Sat::new)));
}

#[test]
fn peers_away_in_more_than_a_tenth_of_the_samples_are_named() {
    let mut given = given();
    given.history.samples = (0..10)
        .flat_map(|n| {
            let at = start().start().plus(n * 12 * HOUR_MS);
            [sample(at, 1, n > 1), sample(at, 2, n > 0), sample(at, 3, true)]
        })
        .collect();
    // Before the week: not counted.
    given.history.samples.push(sample(start().start().plus(-1), 3, false));
    let seen = made_of(&given).availability;
    assert_eq!((seen.samples, seen.channels_usable), (10, Some(0.9)));
    // 2 of 10 are more than a tenth, 1 of 10 is not.
    assert_eq!(seen.peers_away.iter().map(|p| (p.peer.clone(), p.away)).collect::<Vec<_>>(), [(key(1), 0.2)]);
}

#[test]
fn alerts_are_counted_by_when_they_began_and_ended() {
    let alert = |name: &str, from: UnixMs, to: Option<UnixMs>, severity| PeriodAlert {
        alert_key: name.to_owned(),
        severity,
        title: name.to_owned(),
        detected_at: Time(from),
        resolved_at: to.map(Time),
    };
    let mut given = given();
    let (before, inside) = (start().start().plus(-DAY_MS), start().start().plus(DAY_MS));
    given.alerts = vec![
        alert("old-and-standing", before, None, Severity::Critical),
        alert("ended", before, Some(inside), Severity::Warning),
        alert("came-and-went", inside, Some(inside.plus(1)), Severity::Critical),
        alert("ended-later", inside, Some(end()), Severity::Info),
    ];
    let alerts = made_of(&given).alerts;
    assert_eq!((alerts.opened, alerts.resolved, alerts.standing), (2, 2, 2));
    assert_eq!(
        alerts.critical.iter().map(|a| a.title.as_str()).collect::<Vec<_>>(),
        ["old-and-standing", "came-and-went"]
    );
}

#[test]
fn what_was_promised_is_held_against_what_came() {
    let inside = start().start().plus(DAY_MS);
    let outcome = |days, at, gained: i64| AdviceOutcome {
        days,
        measured_at: at,
        gained: Some(Msat::new(gained)),
        anyway: Some(Msat::ZERO),
    };
    let advice = |outcomes| PastAdvice {
        id: uuid::Uuid::nil(),
        key: "raise-fee:x".to_owned(),
        state: AdviceState::Followed,
        title: String::new(),
        command: String::new(),
        act: None,
        promised: Some(Msat::new(10_000)),
        promised_low: None,
        promised_high: None,
        cost: None,
        first_at: inside,
        last_at: inside,
        followed_at: Some(inside),
        outcomes,
        spans: vec![],
    };
    let mut given = given();
    // The second one's outcome was measured before this week.
    given.advice = vec![
        advice(vec![outcome(7, inside, 1_000), outcome(30, inside, 4_000)]),
        advice(vec![outcome(7, start().start().plus(-1), 99_000)]),
        advice(vec![]),
    ];
    let kept = made_of(&given).advice;
    assert_eq!((kept.given, kept.followed), (3, 3));
    assert_eq!((kept.promised_sats_month, kept.came_sats_month), (Some(Sat::new(10)), Some(Sat::new(4))));
    // An outcome that could not be measured takes the place of none that was.
    given.advice[0].outcomes[1].gained = None;
    let kept = made_of(&given).advice;
    assert_eq!((kept.promised_sats_month, kept.came_sats_month), (Some(Sat::new(10)), Some(Sat::new(1))));
}

fn not_known(report: &PeriodReport) -> Vec<&str> {
    report.not_measured.iter().map(|n| n.part.as_str()).collect()
}

#[test]
fn only_a_period_that_is_known_whole_is_held_against() {
    let mut given = given();
    let window = Window { start: start().plus(-7).start(), end: start().start() };
    given.before = Period { window: Some(window), ..period(7, vec![sold(1, 1_000, 7_000)]) };
    given.history.first_forward = Some(window.start);
    given.history.first_seen = Some(end());
    let report = made_of(&given);
    assert_eq!(report.forwarding_before.as_ref().map(|flow| flow.forwards), Some(10));
    assert!(report.money_before.is_some());
    assert_eq!(not_known(&report), ["mean-balance", "mean-balance-before", "availability"]);
    given.history.first_forward = Some(window.start.plus(1));
    let report = made_of(&given);
    assert_eq!((&report.forwarding_before, &report.money_before), (&None, &None));
    assert_eq!(not_known(&report), ["before", "mean-balance", "availability"]);
    given.days.clear();
    assert!(not_known(&made_of(&given)).contains(&"score"));
}

#[test]
fn a_closed_channel_keeps_the_alias_of_its_peer() {
    let mut given = given();
    given.history.scids = vec![(scid(700_000, 9), point(9, 0), key(9))];
    given.history.aliases = vec![(key(9), "long gone".to_owned())];
    given.history.samples = vec![sample(start().start(), 9, false)];
    given.sums = sums(vec![sold(9, 1_000, 7_000)]);
    let report = made_of(&given);
    let best: Vec<_> = report.best_channels.iter().map(|c| (&c.peer, c.peer_alias.as_deref())).collect();
    assert_eq!(best, [(&key(9), Some("long gone"))]);
    assert_eq!(report.availability.peers_away[0].peer_alias.as_deref(), Some("long gone"));
}

#[test]
fn a_node_that_was_not_known_yet_has_no_figures() {
    let mut given = given();
    given.history.first_seen = Some(end());
    given.history.first_forward = None;
    let report = made_of(&given);
    assert_eq!((report.money, report.forwarding), (None, None));
    assert!(report.not_measured.iter().any(|n| n.part == "history"));
}
