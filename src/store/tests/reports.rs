//! Announced reports stay as they were announced; revisions, alerts, advice and files follow them.

use std::fs;

use super::support::{NOW, advice, alert, announce, day, document, fixture, new_profile, report, snapshot};
use crate::report::period::PeriodKind;
use crate::report::{GenerationStatus, Severity, Time};
use crate::store::{Error, FailedRun, PeriodDocument, ProfileFilter, Retention, Store, new_id};
use crate::units::{DAY_MS, Day, HOUR_MS, UnixMs};

#[test]
fn a_document_comes_back_byte_for_byte_and_its_file_is_the_same() {
    let f = fixture();
    let (report, text) = announce(&f, NOW);
    let stored = f.store.day_report(&f.profile, NOW.day()).unwrap().unwrap();
    assert_eq!((stored.document.as_str(), &stored.report), (text.as_str(), &report));
    assert_eq!(stored.file.as_deref(), Some("reports/daily/alice/20261121.json"));
    assert_eq!(fs::read_to_string(f.folder.path().join("reports/daily/alice/20261121.json")).unwrap(), text);
    assert_eq!(f.store.report_by_id(None, report.report_id).unwrap().unwrap(), stored);
    assert_eq!(f.store.report_by_id(Some("default"), report.report_id).unwrap().unwrap(), stored);
    assert_eq!(f.store.report_by_id(Some("other"), report.report_id).unwrap(), None);
    let profile = f.store.profile(f.profile.id).unwrap().unwrap();
    assert_eq!((profile.total_reports, profile.last_report_id), (1, Some(report.report_id)));
    assert!(f.store.check().unwrap().is_whole());
    assert!(f.store.flush_files().unwrap().is_empty());
}

#[test]
fn what_changes_later_is_laid_over() {
    let f = fixture();
    let (report, text) = announce(&f, NOW);
    let later = NOW.plus(DAY_MS);
    let id = report.report_id.to_string();
    f.store
        .db
        .execute("UPDATE reports SET rag_indexed = 1, updated_ms = ?1 WHERE tenant = 1 AND id = ?2", (later.0, id))
        .unwrap();
    let stored = f.store.day_report(&f.profile, NOW.day()).unwrap().unwrap();
    assert!(stored.report.rag_indexed);
    assert_eq!(stored.report.updated_at, Time(later));
    let expected = text
        .replace("\"rag_indexed\": false", "\"rag_indexed\": true")
        .replace("\"updated_at\": \"2026-11-21T06:00:00Z\"", "\"updated_at\": \"2026-11-22T06:00:00Z\"");
    assert_ne!(expected, text);
    assert_eq!(stored.document, expected);
    assert!(f.store.check().unwrap().is_whole());
}

#[test]
fn the_highest_revision_that_did_not_fail_stands() {
    let f = fixture();
    let (first, _) = announce(&f, NOW);
    let (second, text) = announce(&f, NOW.plus(60_000));
    assert_eq!((first.revision, second.revision), (1, 2));
    let failed = FailedRun {
        report_id: new_id(NOW),
        date: NOW.day(),
        revision: f.store.next_revision(&f.profile, NOW.day()).unwrap(),
        at: NOW.plus(90_000),
        message: "cannot reach it".to_owned(),
        retry_count: 2,
    };
    f.store.put_failed(&f.profile, &failed).unwrap();
    assert_eq!(f.store.day_report(&f.profile, NOW.day()).unwrap().unwrap().report.report_id, second.report_id);
    assert_eq!(f.store.latest_report(&f.profile).unwrap().unwrap().document, text);
    assert!(f.store.report_by_id(None, first.report_id).unwrap().is_some(), "older ones stay readable");
    assert_eq!(f.store.day_failed(&f.profile, NOW.day()).unwrap(), None);
    assert_eq!(f.store.next_revision(&f.profile, NOW.day()).unwrap(), 4);

    let tomorrow = FailedRun { report_id: new_id(NOW), date: NOW.day().plus(1), revision: 1, ..failed };
    f.store.put_failed(&f.profile, &tomorrow).unwrap();
    assert_eq!(f.store.day_failed(&f.profile, tomorrow.date).unwrap(), Some(tomorrow.clone()));
    let days = f.store.report_days(&f.profile, NOW.day().plus(-5), NOW.day().plus(5)).unwrap();
    assert_eq!(days.len(), 2);
    assert_eq!((days[0].report_id, days[0].revision, days[0].score), (second.report_id, 2, Some(68)));
    assert_eq!((days[0].revenue_sat, days[0].capacity_sat), (Some(12_630), Some(24_300_000)));
    assert_eq!((days[1].generation_status, days[1].status), (GenerationStatus::Failed, None));
    assert_eq!(days[1].error_message.as_deref(), Some("cannot reach it"));
    let history = f.store.history(&f.profile, NOW.plus(DAY_MS), tomorrow.date).unwrap();
    assert_eq!(history.past_days.len(), 1);
    assert_eq!(history.previous_report.unwrap().report_id, second.report_id);
}

#[test]
fn a_report_that_is_made_again_is_held_against_the_day_before() {
    let f = fixture();
    let at = |hours: i64| NOW.plus(hours * HOUR_MS);
    let put = |at: UnixMs, n: u64| f.store.put_snapshot(&f.profile, &snapshot(at, n)).unwrap();
    let before = |end: UnixMs| {
        let history = f.store.history(&f.profile, end, end.day()).unwrap();
        history.previous_snapshot.map(|s| s.taken_at)
    };
    put(at(-24), 2);
    assert_eq!(before(at(-23)), Some(at(-24)), "on the first day there is only that day");
    let yesterday = report(&f.profile, at(-24), 1);
    f.store.put_report(&f.profile, &yesterday, &document(&yesterday)).unwrap();
    put(at(0), 3);
    let today = report(&f.profile, at(0), 1);
    f.store.put_report(&f.profile, &today, &document(&today)).unwrap();
    assert_eq!(before(at(1)), Some(at(-24)), "not against this morning");
    assert_eq!(before(at(24)), Some(at(0)));
}

#[test]
fn a_row_without_its_file_is_made_good_by_the_next_run() {
    let f = fixture();
    let one = report(&f.profile, NOW, 1);
    f.store.put_report(&f.profile, &one, &document(&one)).unwrap();
    let two = report(&f.profile, NOW.plus(1), 2);
    f.store.put_report(&f.profile, &two, &document(&two)).unwrap();
    assert_eq!(f.store.check().unwrap().pending_files, 1);
    // What a killed process left (in a container one with the number of this one), and what one that lives is writing.
    let folder = f.folder.path().join("reports/daily/alice");
    fs::create_dir_all(&folder).unwrap();
    let stale = folder.join(".20261121.json.999999999-0.tmp");
    let same = folder.join(format!(".20261121.json.{}-77777.tmp", std::process::id()));
    let live = folder.join(".20261121.json.1-0.tmp");
    fs::File::create(&stale).unwrap();
    fs::File::create(&same).unwrap();
    fs::File::create(&live).unwrap();
    let written = f.store.flush_files().unwrap();
    assert_eq!(written, [folder.join("20261121.json")]);
    assert_eq!(fs::read_to_string(&written[0]).unwrap(), document(&two));
    assert!(!stale.exists() && !same.exists() && live.exists());
    assert!(f.store.check().unwrap().is_whole());
}

#[test]
fn no_symlink_leads_a_report_out_of_the_state_folder() {
    let f = fixture();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir_all(f.folder.path().join("reports/daily")).unwrap();
    std::os::unix::fs::symlink(outside.path(), f.folder.path().join("reports/daily/alice")).unwrap();
    let bob = f.store.enable(&new_profile("bob", 1), NOW).unwrap();
    let one = report(&f.profile, NOW, 1);
    f.store.put_report(&f.profile, &one, &document(&one)).unwrap();
    let two = report(&bob, NOW, 1);
    f.store.put_report(&bob, &two, &document(&two)).unwrap();
    let error = f.store.flush_files().unwrap_err();
    assert!(error.to_string().contains("symlink"), "{error}");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert!(f.folder.path().join("reports/daily/bob/20261121.json").exists(), "the others are written");
    assert_eq!(f.store.check().unwrap().pending_files, 1, "it stays in the queue");
    fs::remove_file(f.folder.path().join("reports/daily/alice")).unwrap();
    assert_eq!(f.store.flush_files().unwrap().len(), 1);
}

#[test]
fn an_alert_opens_rises_and_is_resolved_once_each() {
    let f = fixture();
    let put = |at: UnixMs, alerts: Vec<_>, backfilled: bool| {
        let mut report = report(&f.profile, at, 1);
        report.alerts = alerts;
        report.backfilled = backfilled;
        f.store.put_report(&f.profile, &report, &document(&report)).unwrap();
    };
    let open = |at: UnixMs| f.store.history(&f.profile, at, at.day()).unwrap().open_alerts;
    let day = |n: i64| NOW.plus(n * DAY_MS);
    put(
        day(0),
        vec![alert("htlc-expiry:x", Severity::Warning, day(0)), alert("idle:y", Severity::Info, day(0))],
        false,
    );
    put(day(1), vec![alert("htlc-expiry:x", Severity::Critical, day(0))], false);
    assert_eq!(open(day(2)).len(), 1);
    assert_eq!((open(day(2))[0].severity, open(day(2))[0].since), (Severity::Critical, day(0)));
    put(day(-3), Vec::new(), true);
    assert_eq!(open(day(2)).len(), 1, "a day that is caught up says nothing of now");
    put(day(2), Vec::new(), false);
    assert!(open(day(3)).is_empty());
    put(day(3), vec![alert("htlc-expiry:x", Severity::Warning, day(3))], false);
    let count = |text: &str| f.store.db.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM alerts WHERE tenant = 1"), 3, "one row for each occurrence");
    assert_eq!(count("SELECT count(*) FROM alert_events WHERE tenant = 1 AND kind = 'raised'"), 1);
    assert_eq!(count("SELECT count(*) FROM alert_events WHERE tenant = 1 AND kind = 'resolved'"), 2);
    assert_eq!(count("SELECT count(*) FROM alert_events WHERE tenant = 1 AND kind = 'opened'"), 3);
}

#[test]
fn advice_keeps_its_first_report_and_what_was_promised_last() {
    let f = fixture();
    for (n, gain) in [(0, 1_200), (1, 1_400)] {
        let mut report = report(&f.profile, NOW.plus(n * DAY_MS), 1);
        report.recommendations = vec![advice("fee:chan", gain)];
        f.store.put_report(&f.profile, &report, &document(&report)).unwrap();
    }
    let row: (i64, i64, i64, String) = f
        .store
        .db
        .query_row("SELECT first_ms, last_ms, promised_msat, state FROM advice WHERE tenant = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    assert_eq!(row, (NOW.0, NOW.plus(DAY_MS).0, 1_400_000, "open".to_owned()));
}

#[test]
fn a_changed_document_row_or_file_is_found() {
    let f = fixture();
    let (first, _) = announce(&f, NOW);
    announce(&f, NOW.plus(DAY_MS));
    announce(&f, NOW.plus(2 * DAY_MS));
    f.store
        .db
        .execute("UPDATE reports SET score = 99 WHERE tenant = 1 AND period_start = ?1", [NOW.day().number()])
        .unwrap();
    let body: Vec<u8> = f.store.compress(b"{}").unwrap();
    let next = NOW.day().plus(1).number();
    f.store
        .db
        .execute("UPDATE reports SET document = ?1 WHERE tenant = 1 AND period_start = ?2", (body, next))
        .unwrap();
    fs::remove_file(f.folder.path().join("reports/daily/alice/20261123.json")).unwrap();
    let checked = f.store.check().unwrap();
    assert_eq!((checked.reports, checked.damaged.len()), (3, 2));
    assert!(checked.damaged.iter().any(|damage| damage.report_id == first.report_id));
    assert_eq!(checked.missing_files.len(), 1);
    assert!(!checked.is_whole());
    assert!(matches!(f.store.day_report(&f.profile, NOW.day().plus(1)), Err(Error::Damaged { .. })));
}

#[test]
fn old_reports_go_with_their_files_and_the_newest_never() {
    let f = fixture();
    for n in [-200, -120, -91, -90, -1] {
        announce(&f, NOW.plus(n * DAY_MS));
    }
    let keep = Retention::default();
    let purged = f.store.purge(&f.profile, &keep, NOW).unwrap();
    assert_eq!((purged.reports, purged.files), (3, 3));
    assert_eq!(f.store.purge(&f.profile, &keep, NOW).unwrap(), crate::store::Purged::default());
    let left = f.store.report_days(&f.profile, day("2026-01-01"), day("2027-01-01")).unwrap();
    assert_eq!(left.iter().map(|row| row.date).collect::<Vec<_>>(), [NOW.day().plus(-90), NOW.day().plus(-1)]);
    assert_eq!(fs::read_dir(f.folder.path().join("reports/daily/alice")).unwrap().count(), 2);
    assert!(f.store.check().unwrap().is_whole());
    let nothing = Retention { reports: 0, samples: 0, snapshots: 0 };
    assert_eq!(f.store.purge(&f.profile, &nothing, NOW.plus(DAY_MS)).unwrap().reports, 1);
    assert!(f.store.latest_report(&f.profile).unwrap().is_some());
    for wrong in [-4 * DAY_MS, 3_650 * DAY_MS] {
        assert!(matches!(f.store.purge(&f.profile, &nothing, NOW.plus(wrong)), Err(Error::Clock { .. })));
    }
}

/// A report of a long period that tells `text`.
fn long<'a>(f: &super::support::Fixture, period: PeriodKind, start: Day, text: &'a str) -> PeriodDocument<'a> {
    PeriodDocument {
        report_id: new_id(start.start()),
        period,
        start,
        revision: f.store.next_period_revision(&f.profile, period, start).unwrap(),
        window_end: start.start().plus(7 * DAY_MS),
        made_at: start.start().plus(7 * DAY_MS),
        generation_status: GenerationStatus::Complete,
        status: None,
        score: Some(70),
        score_version: 1,
        revenue: None,
        forwards: Some(3),
        document: text,
    }
}

#[test]
fn weeks_and_months_have_files_beside_the_days_and_are_kept_longer() {
    let f = fixture();
    let second = f.store.enable(&new_profile("alice", 2), NOW).unwrap();
    announce(&f, NOW);
    // 2026-11-16 is a Monday; the Monday before 2027-01-01 belongs to week 53 of 2026.
    let monday = PeriodKind::Week.start(NOW.day());
    assert_eq!(monday, day("2026-11-16"));
    assert_eq!(PeriodKind::Month.start(NOW.day()), day("2026-11-01"));
    assert_eq!(
        Store::period_file(&f.profile, PeriodKind::Week, day("2026-12-28")),
        "reports/weekly/alice/2026-W53.json"
    );
    let file = Store::period_file(&second, PeriodKind::Month, day("2026-11-01"));
    assert_eq!(file, format!("reports/monthly/alice/{}/2026-11.json", second.pubkey));

    let revisions = ["{\"a\":1}\n", "{\"a\":2}\n"].map(|text| {
        let one = long(&f, PeriodKind::Week, monday, text);
        f.store.put_period_report(&f.profile, &one).unwrap();
        one.revision
    });
    assert_eq!(revisions, [1, 2]);
    f.store.put_period_report(&f.profile, &long(&f, PeriodKind::Month, day("2026-11-01"), "{}")).unwrap();
    for old in ["2024-01-01", "2025-06-02"] {
        f.store.put_period_report(&f.profile, &long(&f, PeriodKind::Week, day(old), "{}")).unwrap();
    }
    let wrong = long(&f, PeriodKind::Week, NOW.day(), "{}");
    assert!(matches!(f.store.put_period_report(&f.profile, &wrong), Err(Error::Invalid(_))));
    assert_eq!(f.store.flush_files().unwrap().len(), 4, "one file for both revisions");
    let path = f.folder.path().join("reports/weekly/alice/2026-W47.json");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":2}\n");
    let stored = f.store.period_report(&f.profile, PeriodKind::Week, monday).unwrap().unwrap();
    assert_eq!((stored.revision, stored.document.as_str()), (2, "{\"a\":2}\n"));
    assert_eq!(f.store.period_report(&second, PeriodKind::Week, monday).unwrap(), None);
    assert_eq!(f.store.report_by_id(None, stored.report_id).unwrap(), None, "no report of a day");
    assert_eq!(f.store.report_days(&f.profile, day("2024-01-01"), day("2027-01-01")).unwrap().len(), 1);
    assert!(f.store.check().unwrap().is_whole());

    let purged = f.store.purge(&f.profile, &Retention::default(), NOW).unwrap();
    assert_eq!((purged.reports, purged.files), (1, 1));
    assert_eq!(f.store.period_starts(&f.profile, PeriodKind::Week).unwrap(), [day("2025-06-02"), monday]);
    fs::File::create(&path).unwrap();
    assert_eq!(f.store.check().unwrap().changed_files, [path]);
    f.store.db.execute("UPDATE reports SET document = x'00' WHERE tenant = 1 AND period = 'month'", []).unwrap();
    assert_eq!(f.store.check().unwrap().damaged.len(), 1);
    let erased = f.store.erase_user("default", "alice").unwrap();
    assert_eq!((erased.profiles, erased.files.len()), (2, 4));
    assert!(!f.folder.path().join("reports/weekly/alice").exists());
}

#[test]
fn a_user_is_a_harmless_folder_and_belongs_to_one_tenant() {
    let f = fixture();
    let long = "a".repeat(64);
    for evil in ["../x", "..", ".", "/etc", "a\0b", "a\nb", "-rf", ".hidden", &long, "ａ", "%2e%2e", "a/b", "", "A"] {
        let error = f.store.enable(&new_profile(evil, 3), NOW).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{evil:?}");
        assert!(!error.to_string().contains('\n'));
    }
    let mut other = new_profile("alice", 1);
    other.tenant = "other".to_owned();
    assert!(matches!(f.store.enable(&other, NOW), Err(Error::Invalid(_))));
    other.user = "carol".to_owned();
    let carol = f.store.enable(&other, NOW).unwrap();
    assert_ne!(carol.node_id, f.profile.node_id, "two tenants share nothing of one node");
}

#[test]
fn enabling_again_keeps_id_and_folder() {
    let f = fixture();
    let second = f.store.enable(&new_profile("alice", 0xabcd), NOW.plus(1)).unwrap();
    assert_eq!(second.folder, format!("reports/daily/alice/{}", second.pubkey));
    f.store.set_enabled(f.profile.id, false, NOW).unwrap();
    let mut again = new_profile("alice", 1);
    again.schedule = "30 5 * * *".to_owned();
    again.alias = "renamed".to_owned();
    let again = f.store.enable(&again, NOW.plus(9)).unwrap();
    assert_eq!((again.id, &again.folder, again.enabled), (f.profile.id, &f.profile.folder, true));
    assert_eq!((again.schedule.as_str(), again.alias.as_str()), ("30 5 * * *", "renamed"));
    let find = |node: &str| {
        f.store.profiles(&ProfileFilter { node: Some(node.to_owned()), ..ProfileFilter::default() }).unwrap().len()
    };
    assert_eq!(
        (find("renamed"), find(second.pubkey.as_str()), find("0200"), find("020"), find("ffff")),
        (1, 1, 2, 0, 0)
    );
}

#[test]
fn erasing_a_user_leaves_nothing_of_it_and_all_of_others() {
    let f = fixture();
    let bob = f.store.enable(&new_profile("bob", 1), NOW).unwrap();
    announce(&f, NOW);
    let two = report(&bob, NOW, 1);
    f.store.put_report(&bob, &two, &document(&two)).unwrap();
    f.store.flush_files().unwrap();
    f.store.put_snapshot(&f.profile, &snapshot(NOW, 2)).unwrap();
    let erased = f.store.erase_user("default", "alice").unwrap();
    assert_eq!((erased.profiles, erased.reports, erased.files.len()), (1, 1, 1));
    assert!(!f.folder.path().join("reports/daily/alice").exists());
    assert_eq!(f.store.profile(f.profile.id).unwrap(), None);
    assert!(f.store.latest_report(&bob).unwrap().is_some());
    assert!(f.store.check().unwrap().is_whole());
    f.store.erase_user("default", "bob").unwrap();
    let database = fs::read(f.folder.path().join(crate::store::DATABASE)).unwrap();
    let key = bob.pubkey.as_str().as_bytes();
    assert!(!database.windows(key.len()).any(|part| part == key), "not in free pages either");
}
