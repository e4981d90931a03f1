//! Alerts that live: found by reports and the watcher, told once, acknowledged, muted, resolved, back again.

mod random;

use super::support::{Fixture, NOW, alert, document, fixture, report};
use crate::history::Mute;
use crate::notice::EventKind::{self, AlertOpened, AlertRaised, AlertRepeated, AlertResolved, Report};
use crate::notice::{Event, Rhythm, Route, Telling};
use crate::report::{Alert, Severity};
use crate::store::{AlertAct, AlertRow, By, FailedRun, Judged, new_id};
use crate::units::{DAY_MS, HOUR_MS, UnixMs};

const KEY: &str = "htlc-expiry:x";
const MINUTE: i64 = 60_000;

fn route(channel: &str, kinds: &[EventKind], least: Severity) -> Route {
    Route { channel: channel.to_owned(), kinds: kinds.to_vec(), least, users: Vec::new() }
}

/// A channel that wants all, one for critical alerts and one for digests.
fn telling(rhythm: Rhythm) -> Telling {
    let alerts = [AlertOpened, AlertRaised, AlertRepeated, AlertResolved];
    let routes = vec![
        route("all", &EventKind::ALL, Severity::Info),
        route("pager", &alerts, Severity::Critical),
        route("digest", &[Report], Severity::Info),
    ];
    Telling { routes, rhythm }
}

fn told(rhythm: Rhythm) -> Fixture {
    let mut f = fixture();
    f.store = f.store.telling(telling(rhythm));
    f
}

impl Fixture {
    /// A look of the watcher, that judged the rules of `RULES`.
    fn watch(&self, at: UnixMs, alerts: &[Alert]) -> usize {
        let rules = ["htlc-expiry".to_owned(), "disk-full".to_owned()];
        self.store.put_judged(&self.profile, &Judged { at, alerts, rules: &rules, by: By::Watch }).unwrap()
    }

    /// A report that judged all.
    fn daily(&self, at: UnixMs, alerts: &[Alert]) {
        let revision = self.store.next_revision(&self.profile, at.day()).unwrap();
        let mut report = report(&self.profile, at, revision);
        report.alerts = alerts.to_vec();
        self.store.put_report(&self.profile, &report, &document(&report)).unwrap();
    }

    /// What is in the outbox: channel, kind, alert, key, and when it may be sent, by time and kind.
    fn outbox(&self) -> Vec<Sent> {
        let sql = "SELECT channel, idempotency_key, not_before_ms, event FROM outbox WHERE tenant = 1 \
                   ORDER BY created_ms, kind, channel";
        let mut some = self.store.db.prepare(sql).unwrap();
        let rows = some.query_map([], |row| {
            Ok(Sent {
                channel: row.get(0)?,
                key: row.get(1)?,
                not_before: UnixMs(row.get(2)?),
                event: serde_json::from_str(&row.get::<_, String>(3)?).unwrap(),
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The kinds of a channel's messages.
    fn kinds(&self, channel: &str) -> Vec<EventKind> {
        self.outbox().into_iter().filter(|sent| sent.channel == channel).map(|sent| sent.event.kind).collect()
    }

    fn rows(&self) -> Vec<AlertRow> {
        self.store.alert_rows(&self.profile, UnixMs(0)).unwrap()
    }

    fn row(&self) -> AlertRow {
        let mut rows = self.rows();
        assert_eq!(rows.len(), 1, "{rows:#?}");
        rows.remove(0)
    }

    /// The kinds of what happened to an alert.
    fn life(&self, row: &AlertRow) -> Vec<String> {
        self.store.alert_events(&self.profile, row.id).unwrap().into_iter().map(|event| event.kind).collect()
    }

    fn act(&self, row: &AlertRow, act: AlertAct, comment: Option<&str>, at: UnixMs) -> bool {
        self.store.act_on_alert(&self.profile, row.id, act, comment, at).unwrap()
    }

    fn mute(&self, pattern: &str, from: UnixMs, until: UnixMs) {
        let mute = Mute { pattern: pattern.to_owned(), from, until, reason: "planned work".to_owned() };
        self.store.mute(&self.profile, &mute).unwrap();
    }
}

#[derive(Debug)]
struct Sent {
    channel: String,
    key: String,
    not_before: UnixMs,
    event: Event,
}

fn critical(at: UnixMs) -> Alert {
    alert(KEY, Severity::Critical, at)
}

fn minutes(n: i64) -> UnixMs {
    NOW.plus(n * MINUTE)
}

#[test]
fn whoever_finds_a_critical_alert_first_tells_it_and_the_other_does_not() {
    let f = told(Rhythm::default());
    f.watch(minutes(0), &[critical(minutes(0))]);
    f.daily(minutes(5), &[critical(minutes(5))]);
    f.watch(minutes(5), &[critical(minutes(5))]);
    assert_eq!(f.kinds("pager"), [AlertOpened]);
    assert_eq!(f.kinds("all"), [AlertOpened, Report]);
    assert_eq!(f.kinds("digest"), [Report]);
    let f = told(Rhythm::default());
    f.daily(minutes(0), &[critical(minutes(0))]);
    f.watch(minutes(5), &[critical(minutes(5))]);
    assert_eq!((f.kinds("pager"), f.kinds("all").len()), (vec![AlertOpened], 2));
    assert_eq!(f.row().told, 1);
    assert_eq!(f.life(&f.row()), ["opened", "told"]);
}

#[test]
fn warnings_stand_in_the_digest_only_and_a_rise_is_told() {
    let f = told(Rhythm::default());
    let warning = |at| alert(KEY, Severity::Warning, at);
    f.watch(minutes(0), &[warning(minutes(0))]);
    assert_eq!(f.outbox().len(), 0);
    f.daily(minutes(5), &[warning(minutes(5))]);
    assert_eq!(f.kinds("all"), [Report]);
    f.watch(minutes(10), &[critical(minutes(10))]);
    assert_eq!(f.kinds("pager"), [AlertRaised]);
    f.watch(minutes(15), &[warning(minutes(15))]);
    f.watch(minutes(20), &[critical(minutes(20))]);
    assert_eq!(f.kinds("pager"), [AlertRaised], "that it was critical is known");
    assert_eq!(f.life(&f.row()), ["opened", "raised", "told", "lowered", "raised"]);
}

#[test]
fn who_gets_the_digest_gets_no_second_message_about_a_warning_in_it() {
    let f = told(Rhythm { at_once: Severity::Warning, ..Rhythm::default() });
    f.daily(minutes(0), &[]);
    f.daily(NOW.plus(DAY_MS), &[alert("disk-full:/", Severity::Warning, NOW.plus(DAY_MS)), critical(NOW.plus(DAY_MS))]);
    assert_eq!(f.kinds("all"), [Report, AlertOpened, Report], "the critical one goes out by itself");
    let about: Vec<_> = f.outbox().into_iter().filter_map(|sent| sent.event.alert_key).collect();
    assert_eq!(about, [KEY, KEY]);
    f.watch(NOW.plus(DAY_MS + 5 * MINUTE), &[alert("disk-full:/", Severity::Warning, NOW), critical(NOW)]);
    assert_eq!(f.kinds("all").len(), 3, "nor later: the digest told it");
}

#[test]
fn the_first_report_of_a_profile_tells_only_what_is_critical_beside_its_digest() {
    let rhythm = Rhythm { at_once: Severity::Info, ..Rhythm::default() };
    let mut f = fixture();
    f.store = f.store.telling(Telling { routes: vec![route("chat", &[AlertOpened], Severity::Info)], rhythm });
    f.daily(minutes(0), &[alert("disk-full:/", Severity::Warning, NOW), critical(NOW)]);
    f.watch(minutes(5), &[alert("disk-full:/", Severity::Warning, NOW), critical(NOW)]);
    let about: Vec<_> = f.outbox().into_iter().filter_map(|sent| sent.event.alert_key).collect();
    assert_eq!(about, [KEY]);
}

#[test]
fn a_digest_is_no_message_about_a_critical_alert() {
    let mut f = fixture();
    f.store =
        f.store.telling(Telling { routes: vec![route("digest", &[Report], Severity::Info)], ..Telling::default() });
    f.daily(minutes(0), &[critical(NOW)]);
    assert_eq!((f.kinds("digest"), f.row().told), (vec![Report], 0));
    f.store = f.store.telling(telling(Rhythm::default()));
    f.watch(minutes(5), &[critical(NOW)]);
    assert_eq!(f.kinds("pager"), [AlertOpened], "the channel is new and hears of what stands");
}

#[test]
fn a_day_that_is_caught_up_tells_nothing() {
    let f = told(Rhythm::default());
    let mut report = report(&f.profile, NOW, 1);
    report.backfilled = true;
    report.alerts = vec![critical(NOW)];
    f.store.put_report(&f.profile, &report, &document(&report)).unwrap();
    assert_eq!((f.outbox().len(), f.rows().len()), (0, 0));
}

#[test]
fn the_watcher_resolves_after_ten_minutes_and_a_report_at_once() {
    let f = told(Rhythm::default());
    f.watch(minutes(0), &[critical(NOW)]);
    f.watch(minutes(5), &[]);
    f.watch(minutes(10), &[]);
    assert_eq!(f.row().resolved_at, None);
    f.watch(minutes(15), &[]);
    assert_eq!(f.row().resolved_at, Some(minutes(15)));
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertResolved]);
    f.watch(minutes(20), &[critical(minutes(20))]);
    f.daily(minutes(21), &[]);
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertResolved, AlertOpened, AlertResolved]);
    let tomorrow = NOW.plus(DAY_MS);
    f.watch(minutes(30), &[critical(minutes(30))]);
    for n in [35, 40, 46] {
        f.watch(minutes(n), &[]);
    }
    let history = f.store.history(&f.profile, tomorrow, tomorrow.day()).unwrap();
    let since: Vec<_> = history.resolved_alerts.iter().map(|ended| (ended.key.as_str(), ended.since)).collect();
    assert_eq!(since, [(KEY, minutes(30))], "the next report hears of what ended after the one before");
    assert!(history.ended_alerts.contains(KEY) && history.open_alerts.is_empty());
    let mut occurrences: Vec<u32> = f.rows().iter().map(|row| row.occurrence).collect();
    occurrences.sort_unstable();
    assert_eq!(occurrences, [1, 2, 3], "each is the same key, back again");
}

#[test]
fn what_was_not_judged_is_not_resolved() {
    let f = told(Rhythm::default());
    f.daily(minutes(0), &[alert("lnd-vulnerable:node", Severity::Critical, NOW)]);
    for n in 1..10 {
        f.watch(minutes(5 * n), &[]);
    }
    assert_eq!(f.row().resolved_at, None);
}

#[test]
fn a_report_of_before_the_watchers_last_look_neither_ends_nor_reopens_what_that_saw() {
    let f = told(Rhythm::default());
    f.watch(minutes(1), &[critical(minutes(1))]);
    f.daily(minutes(0), &[]);
    assert_eq!(f.row().resolved_at, None, "it opened after the report's look");
    for n in [6, 11, 17] {
        f.watch(minutes(n), &[]);
    }
    f.daily(minutes(16), &[critical(minutes(1))]);
    assert!(f.row().resolved_at.is_some(), "it ended after the report's look");
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertResolved]);
    // A clock that goes back by a day is no such report.
    f.watch(NOW.plus(-DAY_MS), &[critical(NOW.plus(-DAY_MS))]);
    assert_eq!(f.rows().len(), 2);
}

#[test]
fn one_that_stands_is_repeated_by_whoever_looks_until_it_is_acknowledged() {
    let f = told(Rhythm::default());
    f.watch(minutes(0), &[critical(NOW)]);
    f.watch(NOW.plus(6 * HOUR_MS - 1), &[critical(NOW)]);
    assert_eq!(f.kinds("pager"), [AlertOpened]);
    f.daily(NOW.plus(6 * HOUR_MS), &[critical(NOW)]);
    f.watch(NOW.plus(6 * HOUR_MS + 1), &[critical(NOW)]);
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertRepeated]);
    assert!(f.act(&f.row(), AlertAct::Acknowledge, Some("on it"), NOW.plus(7 * HOUR_MS)));
    f.watch(NOW.plus(40 * HOUR_MS), &[critical(NOW)]);
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertRepeated]);
    f.daily(NOW.plus(41 * HOUR_MS), &[]);
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertRepeated, AlertResolved]);
    let row = f.row();
    assert_eq!((row.acknowledged_at, row.told), (Some(NOW.plus(7 * HOUR_MS)), 2));
    assert_eq!(f.life(&row), ["opened", "told", "repeated", "acknowledged", "resolved", "told"]);
    let notes: Vec<_> = f.store.alert_events(&f.profile, row.id).unwrap().into_iter().filter_map(|e| e.note).collect();
    assert_eq!(notes, ["all, pager", "all, pager", "on it", "all, pager"]);
    let messages = f.store.alert_messages(&f.profile, row.id).unwrap();
    assert_eq!(messages.len(), 6, "three to each of two channels: {messages:#?}");
    assert!(messages.iter().all(|message| message.state == "waiting" && message.ended_at.is_none()));
}

#[test]
fn an_acknowledgement_is_for_as_bad_as_it_was() {
    let f = told(Rhythm::default());
    f.watch(minutes(0), &[alert(KEY, Severity::Warning, NOW)]);
    f.act(&f.row(), AlertAct::Acknowledge, None, minutes(1));
    f.watch(minutes(5), &[critical(NOW)]);
    assert_eq!((f.kinds("pager"), f.row().acknowledged_at), (vec![AlertRaised], None));
    assert_eq!(f.row().first_acknowledged_at, Some(minutes(1)));
}

#[test]
fn nothing_is_sent_of_what_is_muted_and_other_rules_go_on() {
    let f = told(Rhythm::default());
    f.mute("htlc-expiry:*", minutes(0), minutes(60));
    let both = [critical(NOW), alert("disk-full:/", Severity::Critical, NOW)];
    f.watch(minutes(0), &both);
    let about: Vec<_> = f.outbox().into_iter().filter_map(|sent| sent.event.alert_key).collect();
    assert_eq!(about, ["disk-full:/", "disk-full:/"]);
    assert_eq!(f.store.history(&f.profile, NOW, NOW.day()).unwrap().mutes.len(), 1);
    f.watch(minutes(59), &both);
    assert_eq!(f.kinds("pager").len(), 1);
    f.watch(minutes(60), &both);
    assert_eq!(f.kinds("pager").len(), 2, "when the mute ends, what stands is told");
    f.mute(KEY, minutes(61), minutes(600));
    f.daily(minutes(65), &[]);
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertOpened, AlertResolved], "of the disk only");
}

#[test]
fn a_mute_is_noted_replaced_and_taken_back() {
    let f = told(Rhythm::default());
    f.watch(minutes(0), &[critical(NOW)]);
    f.mute(KEY, minutes(1), minutes(10));
    f.mute(KEY, minutes(2), minutes(20));
    let mutes = f.store.mutes(&f.profile, minutes(3)).unwrap();
    assert_eq!((mutes.len(), mutes[0].until), (1, minutes(20)));
    assert!(f.store.unmute(&f.profile, KEY, minutes(4)).unwrap());
    assert!(!f.store.unmute(&f.profile, KEY, minutes(5)).unwrap());
    assert_eq!(f.life(&f.row()), ["opened", "told", "muted", "muted", "unmuted"]);
    f.mute(KEY, minutes(6), minutes(7));
    assert!(f.store.mutes(&f.profile, minutes(7)).unwrap().is_empty());
    assert!(!f.store.unmute(&f.profile, KEY, minutes(7)).unwrap(), "it is over by itself");
}

#[test]
fn resolved_by_hand_it_is_told_and_comes_back_if_it_stands() {
    let f = told(Rhythm::default());
    f.watch(minutes(0), &[critical(NOW)]);
    let row = f.row();
    assert!(f.act(&row, AlertAct::Resolve, Some("restarted"), minutes(1)));
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertResolved]);
    assert!(!f.act(&row, AlertAct::Resolve, None, minutes(2)), "it is over");
    assert!(!f.act(&row, AlertAct::Acknowledge, None, minutes(2)));
    assert!(f.act(&row, AlertAct::Comment, Some("the cable"), minutes(3)));
    assert_eq!(f.life(&row), ["opened", "told", "resolved", "told", "commented"]);
    f.watch(minutes(5), &[critical(minutes(5))]);
    assert_eq!(f.kinds("pager"), [AlertOpened, AlertResolved, AlertOpened]);
}

#[test]
fn one_that_flaps_is_told_so_once_and_its_end_when_it_was_quiet_for_a_day() {
    let f = told(Rhythm { gone_ms: 0, ..Rhythm::default() });
    let mut at = 0;
    for _ in 0..8 {
        f.watch(minutes(at), &[critical(minutes(at))]);
        f.watch(minutes(at + 5), &[]);
        f.watch(minutes(at + 10), &[]);
        at += 30;
    }
    let pair = [AlertOpened, AlertResolved];
    let mut expected = [pair, pair, pair].concat();
    expected.push(AlertOpened);
    assert_eq!(f.kinds("pager"), expected);
    let last = f.outbox().into_iter().rfind(|sent| sent.channel == "pager").unwrap();
    assert!(last.event.text.contains("more than 3 times in 24 hours"), "{}", last.event.text);
    let ended = minutes(at - 30 + 10);
    f.watch(ended.plus(DAY_MS - 1), &[]);
    assert_eq!(f.kinds("pager").len(), 7);
    f.watch(ended.plus(DAY_MS), &[]);
    f.watch(ended.plus(DAY_MS + 1), &[]);
    assert_eq!(f.kinds("pager").len(), 8);
    let again = ended.plus(DAY_MS + 2);
    f.watch(again, &[critical(again)]);
    assert_eq!(f.kinds("pager")[7..], [AlertResolved, AlertOpened]);
    assert!(f.rows().iter().all(|row| !row.flapping || row.resolved_at.is_some()));
}

#[test]
fn of_one_that_flapped_unheard_no_end_is_told() {
    let f = told(Rhythm { gone_ms: 0, ..Rhythm::default() });
    f.mute(KEY, minutes(0), minutes(200));
    for n in 0..5 {
        f.watch(minutes(30 * n), &[critical(minutes(30 * n))]);
        let open = f.rows().into_iter().find(|row| row.resolved_at.is_none()).unwrap();
        f.act(&open, AlertAct::Acknowledge, None, minutes(30 * n + 1));
        f.watch(minutes(30 * n + 5), &[]);
        f.watch(minutes(30 * n + 10), &[]);
    }
    f.watch(NOW.plus(2 * DAY_MS), &[]);
    assert_eq!(f.outbox().len(), 0);
    assert!(f.rows().iter().all(|row| !row.flapping));
}

#[test]
fn what_happened_is_told_and_has_no_end() {
    let f = told(Rhythm { passing: vec!["htlc-expiry".to_owned()], ..Rhythm::default() });
    f.daily(minutes(0), &[critical(NOW)]);
    f.watch(NOW.plus(12 * HOUR_MS), &[critical(NOW)]);
    f.daily(NOW.plus(DAY_MS), &[]);
    assert_eq!(f.kinds("pager"), [AlertOpened]);
    assert!(f.row().resolved_at.is_some());
}

#[test]
fn nobody_is_told_and_nothing_counts_as_told_until_there_is_a_channel() {
    let mut f = fixture();
    f.watch(minutes(0), &[critical(NOW)]);
    assert_eq!((f.row().told, f.outbox().len()), (0, 0));
    f.store = f.store.telling(telling(Rhythm::default()));
    f.watch(minutes(5), &[critical(NOW)]);
    assert_eq!(f.kinds("pager"), [AlertOpened]);
}

#[test]
fn a_failed_run_is_told_once_a_day() {
    let f = told(Rhythm::default());
    for (n, at) in [NOW, minutes(5), NOW.plus(DAY_MS)].into_iter().enumerate() {
        let failed = FailedRun {
            report_id: new_id(at),
            date: at.day(),
            revision: u32::try_from(n).unwrap() + 1,
            at,
            message: "LND does not answer".to_owned(),
            retry_count: 2,
        };
        f.store.put_failed(&f.profile, &failed).unwrap();
    }
    let keys: Vec<_> = f.outbox().into_iter().map(|sent| sent.key).collect();
    let key = |day: UnixMs| format!("failed:{}:{}", f.profile.id, day.day());
    assert_eq!(keys, [key(NOW), key(NOW.plus(DAY_MS))]);
}

#[test]
fn a_profile_that_is_erased_leaves_nothing_of_its_alerts() {
    let f = told(Rhythm::default());
    f.daily(minutes(0), &[critical(NOW)]);
    f.mute(KEY, minutes(0), minutes(10));
    f.store.erase_user(&f.profile.tenant, &f.profile.user).unwrap();
    for table in ["alerts", "alert_events", "alert_mutes", "outbox"] {
        let left: u32 = f
            .store
            .db
            .query_row(&format!("SELECT count(*) FROM {table} WHERE tenant = 1"), [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
