//! `daznode notify` and what `generate` does with messages, with the program itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::desk::{Desk, NOW, hook};
use crate::harness::Sandbox;
use crate::server::{Request, Say, Server, ok, status};

/// A server with a thread of its own, for as long as the tests run: the program is waited for in this one.
fn serve(say: impl Fn(&Request) -> Say + Send + Sync + 'static) -> Server {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sender.send(Server::start(say).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().unwrap()
}

/// A home with a node and one channel, a webhook at this address.
fn sandbox(url: &str, more: &str) -> Sandbox {
    let sandbox = Sandbox::with_bob();
    let url = sandbox.put("hook.url", format!("{url}/in/canary-path").as_bytes(), 0o600);
    let secret = sandbox.put("hook.secret", b"canary-hmac", 0o600);
    let text = format!(
        "[notify]\nallow_private = [\"127.0.0.1\"]\n{more}\n[notify.channels.hook]\nkind = \"webhook\"\nurl_file = \"{}\"\n\
         secret_file = \"{}\"\nseverity = \"info\"\n",
        url.display(),
        secret.display()
    );
    sandbox.put("home/.config/daznode/config.toml", text.as_bytes(), 0o600);
    sandbox
}

#[test]
fn a_test_says_what_it_sent_and_ends_with_1_where_it_failed() {
    let bad = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&bad);
    let server = serve(move |_| if state.load(Ordering::SeqCst) { status(403, "", "no") } else { ok("{}") });
    let sandbox = sandbox(&server.url(), "");
    assert_eq!(sandbox.run(["notify", "test"]).ends(0).stderr, "hook: sent\n");
    assert_eq!(server.count(), 1);
    bad.store(true, Ordering::SeqCst);
    let ended = sandbox.run(["notify", "test", "hook"]);
    let expected = format!("hook: failed: 127.0.0.1:{} answered HTTP 403: no\n", server.port);
    assert_eq!(ended.ends(1).stderr, expected);
    sandbox.refuses(["notify", "test", "hok"], 2, &["[notify.channels.hok]", "there are hook"]);
}

#[test]
fn a_dry_run_shows_the_message_and_no_secret_and_sends_nothing() {
    let server = serve(|_| ok("{}"));
    let sandbox = sandbox(&server.url(), "");
    sandbox.run(["-q", "generate", "--all"]).ends(0);
    let sent = server.count();
    let ended = sandbox.run(["notify", "test", "hook", "--dry-run", "--report", "bob"]);
    let shown = &ended.ends(0).stdout;
    assert!(shown.contains(&format!("POST http://127.0.0.1:{}/[hidden]", server.port)), "{shown}");
    assert!(shown.contains("X-Daznode-Signature: v1=") && shown.contains("\"type\":\"report\""), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(server.count(), sent);
    // It is as bad as the digest that was sent.
    let digest =
        server.seen().into_iter().map(|request| request.body).find(|body| body.contains("\"type\":\"report\""));
    let digest: Value = serde_json::from_str(&digest.unwrap()).unwrap();
    assert_ne!(digest["severity"], "info");
    assert!(shown.contains(&format!("\"severity\":{}", digest["severity"])), "{shown}");
}

#[test]
fn the_health_check_reads_the_files_of_channels_and_counts_what_was_given_up() {
    let server = serve(|_| ok("{}"));
    let sandbox = sandbox(&server.url(), "");
    sandbox.run(["-q", "generate", "--all"]).ends(0);
    let line = || {
        let told = sandbox.run(["health-check", "--json"]).json();
        let checks = told["checks"].as_array().unwrap().clone();
        let line = checks.into_iter().find(|check| check["name"] == "messages").unwrap();
        (line["state"].as_str().unwrap().to_owned(), line["detail"].as_str().unwrap().to_owned())
    };
    let sent = server.count();
    assert_eq!(line(), ("ok".to_owned(), "1 channel, 0 messages wait".to_owned()));
    assert_eq!(server.count(), sent, "nothing is sent for it");
    let secret = sandbox.path("hook.secret");
    std::fs::rename(&secret, sandbox.path("away")).unwrap();
    let (state, detail) = line();
    assert_eq!(state, "warn");
    assert!(
        detail.starts_with("hook: ") && detail.contains("hook.secret") && detail.contains("no such file"),
        "{detail}"
    );
    assert!(!detail.contains("canary"), "{detail}");
}

#[test]
fn a_unit_that_failed_is_told_once_an_hour_and_without_a_store_too() {
    let server = serve(|_| ok("{}"));
    let sandbox = sandbox(&server.url(), "");
    sandbox.run(["notify", "failure", "daznode.service"]).ends(0);
    sandbox.run(["notify", "failure", "daznode.service"]).ends(0);
    let body: Value = serde_json::from_str(&server.seen()[0].body).unwrap();
    assert_eq!((&body["type"], &body["title"]), (&"run_failed".into(), &"!! daznode.service failed".into()));
    // An hour may have ended between the two.
    let told = server.count();
    assert!(told <= 2);
    let state = sandbox.path("nothing");
    let ended = sandbox.run(["--state", state.to_str().unwrap(), "notify", "failure", "daznode.service"]);
    ended.ends(0);
    assert_eq!(server.count(), told + 1);
    assert!(!state.exists(), "a notice makes no store");
    sandbox.refuses(["notify", "failure", "x; rm"], 2, &["expected the name of a unit"]);
}

#[test]
fn messages_never_change_how_a_run_ends() {
    let server = serve(|_| status(500, "", "broken"));
    let sandbox = sandbox(&server.url(), "");
    sandbox.run(["notify", "failure", "x.service"]).ends(1);
    let ended = sandbox.run(["generate", "--all"]);
    ended.ends(0);
    let list = sandbox.run(["notify", "list", "--json"]);
    let list = list.ends(0).json();
    assert_eq!((&list["channels"][0]["channel"], &list["channels"][0]["sent"]), (&"hook".into(), &0.into()));
    assert!(list["channels"][0]["waiting"].as_u64().unwrap() >= 1, "{list}");
    let table = sandbox.run(["notify", "list"]);
    assert!(
        table.ends(0).stdout.starts_with("channel  kind     from  events  users  hides    waiting"),
        "{}",
        table.stdout
    );
}

#[test]
fn the_dead_man_switch_is_called_after_a_good_run_only() {
    let server = serve(|_| ok("{}"));
    let sandbox = sandbox(&server.url(), "heartbeat_url_file = \"HEART\"");
    let beat = sandbox.put("beat.url", format!("{}/ping/canary-beat", server.url()).as_bytes(), 0o600);
    let config = sandbox.path("home/.config/daznode/config.toml");
    let text = std::fs::read_to_string(&config).unwrap().replace("HEART", beat.to_str().unwrap());
    sandbox.put("home/.config/daznode/config.toml", text.as_bytes(), 0o600);
    let beats = || {
        server.seen().iter().filter(|request| request.path == "/ping/canary-beat" && request.method == "GET").count()
    };
    sandbox.run(["generate", "--all"]).ends(0);
    assert_eq!(beats(), 1);
    // A recording that is gone fails the run.
    let broken = sandbox.path("broken");
    copy(&crate::harness::recording("bob-later"), &broken);
    sandbox.run(["enable", "--recording", broken.to_str().unwrap()]).ends(0);
    std::fs::remove_dir_all(&broken).unwrap();
    sandbox.run(["generate", "--all", "--force"]).ends(1);
    assert_eq!(beats(), 1);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { std::fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

#[test]
fn preferences_name_channels_that_there_are() {
    let sandbox = sandbox("http://127.0.0.1:1", "");
    let recording = crate::harness::recording("bob-later");
    let enable = |json: &'static str| {
        ["enable", "--recording", recording.to_str().unwrap(), "--notify", json].map(str::to_owned)
    };
    sandbox.run(enable(r#"{"channels": ["hook"]}"#)).ends(0);
    sandbox.refuses(enable(r#"{"channels": ["hok"]}"#), 2, &["[notify.channels.hok]", "there are hook"]);
    sandbox.refuses(enable(r#"{"channels": "hook"}"#), 2, &["expected a JSON object"]);
}

/// Kills `notify send` at the very moment that the service has the message, again and again.
#[test]
fn killed_between_sending_and_noting_it_a_message_arrives_again_under_its_key() {
    const TIMES: usize = 12;
    let mute = Arc::new(AtomicBool::new(true));
    let arrivals = Arc::new(AtomicUsize::new(0));
    let (state, count) = (Arc::clone(&mute), Arc::clone(&arrivals));
    let server = serve(move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        // Half of the kills come before the answer, the other half about with it.
        if state.load(Ordering::SeqCst) && n % 2 == 0 { Say::Hang } else { ok("{}") }
    });
    let desk = hook(&server.url());
    let sandbox = sandbox_of(&desk);
    let mut put = 0;
    for round in 0..TIMES {
        desk.alerts(put..put + 2, NOW.plus(i64::try_from(round * 10).unwrap()));
        put += 2;
        let before = arrivals.load(Ordering::SeqCst);
        let mut child = sandbox.command(["-q", "notify", "send"]).spawn().unwrap();
        while arrivals.load(Ordering::SeqCst) == before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    mute.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        sandbox.run(["-q", "notify", "send"]).ends(0);
    }
    let times = crate::delivery::arrived(&server);
    assert_eq!(times.len(), put, "every message arrived: {times:?}");
    let again: usize = times.values().map(|n| n - 1).sum();
    assert!(again >= 1, "the kills hit: {times:?}");
    assert!(desk.store().letter_counts().unwrap().iter().all(|row| row.state == daznode::store::LetterState::Sent));
}

/// The program with the store and settings of a desk.
fn sandbox_of(desk: &Desk) -> Sandbox {
    Sandbox::new()
        .env("DAZNODE_STATE", desk.state().to_str().unwrap())
        .env("DAZNODE_CONFIG", desk.path("config.toml").to_str().unwrap())
}
