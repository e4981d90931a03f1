//! From the outbox to a service that fails, is away for a day, or is called by two programs at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use daznode::store::LetterState;
use daznode::units::{DAY_MS, HOUR_MS, UnixMs};
use serde_json::Value;

use crate::desk::{Desk, NOW, hook};
use crate::server::{Say, Server, ok, status};

const MINUTE: i64 = 60_000;

/// The events of one message, which may tell of many.
pub fn events(body: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(body).unwrap();
    let whole = [body.clone()];
    let events = body["events"].as_array().map_or(&whole[..], Vec::as_slice);
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// How often each event arrived, also within a message of many.
pub fn arrived(server: &Server) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for id in server.seen().iter().flat_map(|request| events(&request.body)) {
        *times.entry(id).or_default() += 1;
    }
    times
}

fn ids(server: &Server) -> Vec<String> {
    let id = |body: &str| serde_json::from_str::<Value>(body).unwrap()["id"].as_str().unwrap().to_owned();
    server.seen().iter().map(|request| id(&request.body)).collect()
}

#[tokio::test]
async fn messages_arrive_once_and_in_their_order() {
    let server = Server::start(|_| ok("{}")).await;
    let desk = hook(&server.url());
    desk.alerts(0..5, NOW);
    // The same again is the same.
    desk.alerts(0..5, NOW);
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 5);
    assert_eq!(desk.deliver(NOW.plus(2000)).await.sent, 0);
    assert_eq!(ids(&server), (0..5).map(|n| format!("alert:{n}:opened")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_service_that_is_down_for_a_day_gets_everything_once_afterwards() {
    let down = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&down);
    let server =
        Server::start(move |_| if state.load(Ordering::SeqCst) { status(500, "", "broken") } else { ok("{}") }).await;
    let desk = hook(&server.url());
    let store = desk.handle();
    let courier = desk.courier();
    let mut now = NOW;
    for n in 0..48 {
        desk.alerts(n..n + 1, now);
        for _ in 0..3 {
            now = now.plus(10 * MINUTE);
            let done = courier.deliver(&store, now, Duration::from_secs(60)).await.unwrap();
            assert_eq!((done.sent, done.dead), (0, 0), "at {n}");
        }
    }
    assert_eq!(now.since(NOW), DAY_MS);
    let tried = server.count();
    // One for each new message, and those that the waits allow.
    assert!(tried < 75, "a service that is down is not hammered: {tried} tries in a day");
    down.store(false, Ordering::SeqCst);
    let mut sent = 0;
    for _ in 0..80 {
        now = now.plus(10 * MINUTE);
        sent += courier.deliver(&store, now, Duration::from_secs(60)).await.unwrap().sent;
    }
    assert_eq!(sent, 48);
    let good = &server.seen()[tried..];
    let events: Vec<String> = good.iter().flat_map(|request| events(&request.body)).collect();
    let expected: Vec<String> = (0..48).map(|n| format!("alert:{n}:opened")).collect();
    // The last message tells of many, the worst and then the first of them first.
    assert_eq!(events, expected);
}

#[tokio::test]
async fn two_deliveries_at_once_send_nothing_twice() {
    let server = Server::start(|_| {
        Say::After(
            Duration::from_millis(5),
            match ok("{}") {
                Say::Bytes(bytes) => bytes,
                _ => Vec::new(),
            },
        )
    })
    .await;
    let desk = hook(&server.url());
    desk.alerts(0..18, NOW);
    let (one, two) = (desk.handle(), desk.handle());
    let courier = desk.courier();
    let budget = Duration::from_secs(60);
    let (a, b) =
        tokio::join!(courier.deliver(&one, NOW.plus(1000), budget), courier.deliver(&two, NOW.plus(1000), budget));
    assert_eq!(a.unwrap().sent + b.unwrap().sent, 18);
    assert!(arrived(&server).values().all(|times| *times == 1));
    assert_eq!(server.count(), 18);
}

#[tokio::test]
async fn one_that_finds_another_delivering_goes_when_its_time_is_over() {
    let server = Server::start(|_| ok("{}")).await;
    let desk = hook(&server.url());
    desk.alerts(0..1, NOW);
    let lock = desk.store().lock_outbox().unwrap().unwrap();
    let done = desk.courier().deliver(&desk.handle(), NOW.plus(1000), Duration::from_millis(300)).await.unwrap();
    assert!(done.elsewhere);
    assert_eq!(server.count(), 0);
    drop(lock);
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 1);
}

#[tokio::test]
async fn more_than_twenty_are_told_as_one() {
    let server = Server::start(|_| ok("{}")).await;
    let desk = hook(&server.url());
    desk.alerts(0..50, NOW);
    let done = desk.deliver(NOW.plus(1000)).await;
    assert_eq!((done.sent, done.waiting), (50, 0));
    assert_eq!(server.count(), 20);
    let last: Value = serde_json::from_str(&server.seen()[19].body).unwrap();
    assert_eq!((&last["type"], &last["title"]), (&"folded".into(), &"and 31 more messages".into()));
    assert_eq!(arrived(&server).len(), 50);
    assert!(desk.dead().is_empty());
}

#[tokio::test]
async fn a_minute_has_no_more_messages_than_it_may() {
    let server = Server::start(|_| ok("{}")).await;
    let mut desk = hook(&server.url());
    desk.config.notify.channels.get_mut("hook").unwrap().per_minute = 3;
    desk.alerts(0..2, NOW);
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 2);
    desk.alerts(2..6, NOW.plus(1000));
    // One is left in this minute: it tells of all four. Then none is.
    assert_eq!(desk.deliver(NOW.plus(2000)).await.sent, 4);
    assert_eq!(server.count(), 3);
    desk.alerts(6..7, NOW.plus(2000));
    let done = desk.deliver(NOW.plus(3000)).await;
    assert_eq!((done.sent, done.waiting), (0, 1));
    assert_eq!(desk.deliver(NOW.plus(MINUTE + 4000)).await.sent, 1);
}

#[tokio::test]
async fn a_service_that_wants_to_be_left_alone_is() {
    for (answer, wait) in [
        (status(429, "retry-after: 600\r\n", ""), 600),
        (status(503, "retry-after: 600\r\n", ""), 600),
        (status(429, "", r#"{"ok":false,"parameters":{"retry_after":700}}"#), 700),
        (status(429, "", r#"{"retry_after":800.5}"#), 801),
        (status(429, "", r#"{"retry_after_ms":900000}"#), 900),
    ] {
        let first = Arc::new(AtomicBool::new(true));
        let (state, said) = (Arc::clone(&first), answer.clone());
        let server =
            Server::start(move |_| if state.swap(false, Ordering::SeqCst) { said.clone() } else { ok("{}") }).await;
        let desk = hook(&server.url());
        desk.alerts(0..2, NOW);
        assert_eq!(desk.deliver(NOW.plus(1000)).await.failed, 1);
        assert_eq!(server.count(), 1, "the second message is not tried either");
        desk.alerts(2..3, NOW.plus(2000));
        assert_eq!(desk.deliver(NOW.plus(1000 + wait * 1000 - 1)).await.sent, 0);
        assert_eq!(server.count(), 1, "nor a new one");
        assert_eq!(desk.deliver(NOW.plus(1000 + wait * 1000)).await.sent, 3);
        assert_eq!(ids(&server)[1..], ["alert:0:opened", "alert:1:opened", "alert:2:opened"]);
    }
}

#[tokio::test]
async fn a_message_that_is_not_taken_does_not_hold_up_the_others_and_can_be_sent_again() {
    let picky = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&picky);
    let server = Server::start(move |request| {
        let bad = state.load(Ordering::SeqCst) && request.body.contains("alert:1:opened");
        if bad { status(400, "", "{\"message\":\"no such thing\"}") } else { ok("{}") }
    })
    .await;
    let desk = hook(&server.url());
    desk.alerts(0..3, NOW);
    let mut now = NOW.plus(1000);
    let done = desk.deliver(now).await;
    assert_eq!((done.sent, done.failed), (2, 1));
    for _ in 0..2 {
        now = now.plus(10 * MINUTE);
        desk.deliver(now).await;
    }
    let dead = desk.dead();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].key.as_str(), dead[0].tries), ("alert:1:opened", 3));
    assert!(dead[0].last_error.as_deref().unwrap().ends_with("answered HTTP 400: no such thing"), "{dead:?}");
    now = now.plus(DAY_MS);
    assert_eq!(desk.deliver(now).await.sent, 0, "the dead stay dead");
    picky.store(false, Ordering::SeqCst);
    assert_eq!(desk.store().resend_letters(Some(dead[0].id), now).unwrap(), 1);
    assert_eq!(desk.deliver(now).await.sent, 1);
    assert_eq!(ids(&server).last().unwrap(), "alert:1:opened");
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_gone_is_given_up_with_the_reason() {
    let server = Server::start(|_| ok("{}")).await;
    let mut desk = hook(&server.url());
    desk.alerts(0..2, NOW);
    let channel = desk.config.notify.channels.remove("hook").unwrap();
    assert_eq!(desk.deliver(NOW.plus(1000)).await.dead, 2);
    assert_eq!(desk.dead()[0].last_error.as_deref(), Some("the config has no channel of this name"));
    desk.config.notify.channels.insert("hook".to_owned(), channel);
    assert_eq!(desk.store().resend_letters(None, NOW.plus(2000)).unwrap(), 2);
    assert_eq!(desk.deliver(NOW.plus(2000)).await.sent, 2);
}

#[tokio::test]
async fn a_service_that_hangs_costs_no_more_than_the_budget() {
    let server = Server::start(|_| Say::Hang).await;
    let desk = hook(&server.url());
    desk.alerts(0..5, NOW);
    let begin = std::time::Instant::now();
    let budget = Duration::from_millis(300);
    let done = desk.courier().deliver(&desk.handle(), NOW.plus(1000), budget).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert_eq!((done.sent, done.failed, done.waiting), (0, 1, 4));
    assert_eq!(desk.dead().len(), 0);
}

#[tokio::test]
async fn one_channel_that_fails_stops_no_other() {
    let (bad, good) = (Server::start(|_| status(500, "", "")).await, Server::start(|_| ok("{}")).await);
    let text = "[notify.channels.bad]\nkind = \"webhook\"\nurl_file = \"@bad\"\nsecret_file = \"@secret\"\n\
                [notify.channels.good]\nkind = \"webhook\"\nurl_file = \"@good\"\nsecret_file = \"@secret\"\n\
                [notify.channels.nofile]\nkind = \"webhook\"\nurl_file = \"/nowhere/at/all\"\nsecret_file = \"@secret\"";
    let desk = Desk::new(text, &[("bad", &bad.url()), ("good", &good.url()), ("secret", "s")]);
    desk.alerts(0..1, NOW);
    let done = desk.deliver(NOW.plus(1000)).await;
    assert_eq!((done.sent, done.failed), (1, 2));
    assert_eq!(good.count(), 1);
    assert!(
        done.errors.iter().any(|line| line.starts_with("nofile: can't read webhook's address /nowhere")),
        "{:?}",
        done.errors
    );
}

#[tokio::test]
async fn a_profile_is_told_of_only_where_it_is_wanted() {
    let server = Server::start(|_| ok("{}")).await;
    let mut desk = hook(&server.url());
    desk.profile.notify = serde_json::json!({ "channels": ["another"] });
    desk.alerts(0..1, NOW);
    assert!(desk.store().letter_counts().unwrap().is_empty());
    desk.profile.notify = serde_json::json!({ "channels": ["hook"] });
    desk.alerts(0..1, NOW);
    let counts = desk.store().letter_counts().unwrap();
    assert_eq!((counts[0].channel.as_str(), counts[0].state, counts[0].count), ("hook", LetterState::Waiting, 1));
}

#[tokio::test]
async fn a_clock_that_ran_ahead_puts_nothing_off_for_good() {
    let server = Server::start(|_| status(500, "", "")).await;
    let desk = hook(&server.url());
    desk.alerts(0..1, NOW);
    let ahead = NOW.plus(400 * DAY_MS);
    assert_eq!(desk.deliver(ahead).await.failed, 1);
    assert_eq!(desk.deliver(NOW.plus(HOUR_MS)).await.failed, 1, "tried again once the clock is right");
}

#[tokio::test]
async fn old_messages_are_removed() {
    let server = Server::start(|_| ok("{}")).await;
    let desk = hook(&server.url());
    desk.alerts(0..1, NOW);
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 1);
    let store = desk.store();
    let days = |n: i64| -> UnixMs { NOW.plus(1000 + n * DAY_MS) };
    assert_eq!(store.purge_letters(days(30)).unwrap(), 0);
    assert_eq!(store.purge_letters(days(30).plus(1)).unwrap(), 1);
    desk.alerts(1..2, NOW);
    store.letters_without_channel(&std::collections::BTreeSet::new(), NOW.plus(1000)).unwrap();
    assert_eq!(store.purge_letters(days(90)).unwrap(), 0);
    assert_eq!(store.purge_letters(days(90).plus(1)).unwrap(), 1);
}

#[test]
fn what_is_erased_of_a_user_is_erased_here_too() {
    let desk = hook("http://127.0.0.1:1");
    desk.alerts(0..2, NOW);
    let store = desk.store();
    assert_eq!(store.letter_counts().unwrap()[0].count, 2);
    store.erase_user("default", "alice").unwrap();
    assert!(store.letter_counts().unwrap().is_empty());
}
