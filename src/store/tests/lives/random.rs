//! Alerts under whatever can happen in whatever order.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::notice::Quiet;

/// What can happen to a node, its operator and the clock.
#[derive(Clone, Debug)]
enum Step {
    /// The watcher looks, and finds what stands.
    Watch,
    /// A report is made.
    Report,
    /// A report that looked before the watcher's last look, within the hour, is stored after it.
    LateReport,
    /// An alert begins, gets worse or better, or ends.
    World(usize, Option<Severity>),
    Acknowledge(usize),
    Mute(usize, i64),
    Unmute(usize),
    Resolve(usize),
    /// Time goes on.
    Wait(i64),
}

const KEYS: [&str; 2] = ["htlc-expiry:x", "disk-full:/"];

fn step() -> impl Strategy<Value = Step> {
    let which = 0..KEYS.len();
    let severity = prop_oneof![
        Just(None),
        Just(Some(Severity::Warning)),
        Just(Some(Severity::Critical)),
        Just(Some(Severity::Critical)),
    ];
    prop_oneof![
        6 => Just(Step::Watch),
        2 => Just(Step::Report),
        1 => Just(Step::LateReport),
        6 => (which.clone(), severity).prop_map(|(n, severity)| Step::World(n, severity)),
        1 => which.clone().prop_map(Step::Acknowledge),
        1 => (which.clone(), 1..2000_i64).prop_map(|(n, minutes)| Step::Mute(n, minutes)),
        1 => which.clone().prop_map(Step::Unmute),
        1 => which.prop_map(Step::Resolve),
        6 => prop_oneof![1..20_i64, 1..900_i64].prop_map(Step::Wait),
    ]
}

/// Plays steps. A look finds what stands in the world; what was not looked at is not known.
fn play(f: &Fixture, steps: &[Step]) {
    let mut now = NOW;
    let mut world: BTreeMap<usize, Severity> = BTreeMap::new();
    let mut before = (now, world.clone());
    let found = |world: &BTreeMap<usize, Severity>, at: UnixMs| -> Vec<Alert> {
        world.iter().map(|(n, severity)| alert(KEYS[*n], *severity, at)).collect()
    };
    let open = |n: &usize| f.rows().into_iter().find(|row| row.alert_key == KEYS[*n] && row.resolved_at.is_none());
    for step in steps {
        // Each look has a time of its own.
        now = now.plus(MINUTE);
        match step {
            Step::Watch => {
                before = (now.plus(-30_000), world.clone());
                f.watch(now, &found(&world, now));
            }
            Step::Report => f.daily(now, &found(&world, now)),
            Step::LateReport if now.since(before.0) >= HOUR_MS => {}
            Step::LateReport => f.daily(before.0, &found(&before.1, before.0)),
            Step::World(n, Some(severity)) => _ = world.insert(*n, *severity),
            Step::World(n, None) => _ = world.remove(n),
            Step::Acknowledge(n) => {
                if let Some(row) = open(n) {
                    f.act(&row, AlertAct::Acknowledge, None, now);
                }
            }
            Step::Resolve(n) => {
                if let Some(row) = open(n) {
                    f.act(&row, AlertAct::Resolve, None, now);
                }
            }
            Step::Mute(n, minutes) => f.mute(KEYS[*n], now, now.plus(minutes * MINUTE)),
            Step::Unmute(n) => _ = f.store.unmute(&f.profile, KEYS[*n], now).unwrap(),
            Step::Wait(minutes) => now = now.plus(minutes * MINUTE),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_told_twice_and_no_end_without_a_beginning(steps in prop::collection::vec(step(), 1..60)) {
        let time = |text| Quiet::time(text).unwrap();
        let quiet = Quiet { from: time("22:00"), to: time("07:00"), zone: jiff::tz::TimeZone::UTC };
        let f = told(Rhythm { quiet: Some(quiet.clone()), ..Rhythm::default() });
        play(&f, &steps);
        let rows = f.rows();
        let sent = f.outbox();
        // One row for each open key, numbered without a gap.
        for key in KEYS {
            let mut of_key: Vec<_> = rows.iter().filter(|row| row.alert_key == key).collect();
            of_key.sort_by_key(|row| row.occurrence);
            prop_assert!(of_key.iter().filter(|row| row.resolved_at.is_none()).count() <= 1);
            prop_assert!(of_key.iter().map(|row| row.occurrence).eq(1..=u32::try_from(of_key.len()).unwrap()));
        }
        let mut seen = HashSet::new();
        for message in &sent {
            prop_assert!(seen.insert((&message.channel, &message.key)), "{message:?}");
            let kind = message.event.kind;
            if message.channel == "pager" {
                prop_assert_eq!(message.event.severity, Severity::Critical);
            }
            let waits = kind == Report || kind == AlertResolved || message.event.severity < Severity::Critical;
            let end = if waits { quiet.end(message.event.at) } else { message.event.at };
            prop_assert_eq!(message.not_before, end, "{:?}", message);
        }
        for row in &rows {
            let mine = |kinds: &[EventKind]| {
                let prefix = format!("alert:{}:", row.id);
                sent.iter()
                    .filter(|m| m.channel == "pager" && m.key.starts_with(&prefix) && kinds.contains(&m.event.kind))
                    .map(|m| m.event.at)
                    .collect::<Vec<_>>()
            };
            let begun = mine(&[AlertOpened, AlertRaised]);
            let heard = steps.iter().all(|step| !matches!(step, Step::Mute(..)));
            if heard && rows.iter().filter(|other| other.alert_key == row.alert_key).count() <= 3 {
                let events = f.store.alert_events(&f.profile, row.id).unwrap();
                let found = |kind: &str| kind == "opened" || kind == "raised";
                let was = events.iter().any(|event| found(&event.kind) && event.severity == Severity::Critical);
                prop_assert_eq!(begun.len(), usize::from(was), "{:#?}", events);
            }
            prop_assert!(begun.len() <= 1, "an occurrence begins once: {begun:?}");
            let again = mine(&[AlertRepeated]);
            for pair in begun.iter().chain(&again).collect::<Vec<_>>().windows(2) {
                prop_assert!(pair[1].since(*pair[0]) >= 6 * HOUR_MS, "{begun:?} {again:?}");
            }
            let ended = mine(&[AlertResolved]);
            prop_assert!(ended.len() <= 1);
            // Of one that flaps the beginning of an earlier occurrence was told, and the end of the last is.
            let any = sent.iter().any(|m| m.channel == "pager" && m.event.kind != AlertResolved
                && m.event.alert_key.as_deref() == Some(row.alert_key.as_str()) && ended.iter().all(|e| m.event.at <= *e));
            prop_assert!(ended.is_empty() || any, "an end without a beginning: {row:#?}");
            prop_assert_eq!(usize::try_from(row.told).unwrap(), begun.len() + again.len());
        }
    }

    #[test]
    fn every_critical_alert_is_told_exactly_once_however_often_it_is_found(
        looks in prop::collection::vec((any::<bool>(), 1..30_i64), 1..12)
    ) {
        let f = told(Rhythm::default());
        let mut now = NOW;
        for (watch, minutes) in looks {
            now = now.plus(minutes * MINUTE);
            if watch { _ = f.watch(now, &[critical(now)]) } else { f.daily(now, &[critical(now)]) }
        }
        prop_assert_eq!(f.kinds("pager"), [AlertOpened]);
    }
}
