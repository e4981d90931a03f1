//! Messages of runs that are killed: none is lost, none says two things under one key, whatever moment the kill comes at.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::audit::audit;
use crate::dice::Dice;
use crate::harness::Sandbox;
use crate::profiles::{enable, lnd};
use crate::tally::{survived, tries};

/// What came in: under each idempotency key every body, and how often.
type Heard = Arc<Mutex<BTreeMap<String, BTreeMap<String, usize>>>>;

/// A webhook that keeps what it is sent. It answers after a while, so that kills come between the two.
fn receiver() -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || receive(stream, &kept));
        }
    });
    (url, heard)
}

fn receive(mut stream: TcpStream, kept: &Heard) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut key, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let (name, value) = line.trim().split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "idempotency-key" => value.clone_into(&mut key),
                "content-length" => length = value.parse().ok()?,
                _ if line.trim().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).ok()?;
        *kept.lock().unwrap().entry(key).or_default().entry(body).or_default() += 1;
        std::thread::sleep(Duration::from_millis(10));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").ok()?;
    }
}

/// The keys of the messages of a store, each with its state. Panics where a report that was announced has not exactly one.
#[track_caller]
fn letters(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let db = Connection::open_with_flags(sandbox.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let untold: Vec<String> = db
        .prepare(
            "SELECT id FROM reports r WHERE document IS NOT NULL AND backfilled = 0 AND (SELECT count(*) FROM outbox o \
             WHERE o.tenant = r.tenant AND o.channel = 'hook' AND o.idempotency_key = 'report:' || r.id) <> 1",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(untold, Vec::<String>::new(), "reports without their one message");
    let mut all = db.prepare("SELECT tenant || ' ' || idempotency_key, state FROM outbox").unwrap();
    let all = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    all.map(Result::unwrap).collect()
}

/// The events that a message tells: itself, or those of one that tells of many.
fn events(body: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(body).unwrap();
    let id = |event: &Value| event["id"].as_str().unwrap().to_owned();
    body["events"].as_array().map_or_else(|| vec![id(&body)], |events| events.iter().map(id).collect())
}

#[test]
fn a_run_killed_at_any_moment_tells_everything_and_nothing_in_two_ways() {
    let (url, heard) = receiver();
    let (node, sandbox) = (lnd().start(), Sandbox::new());
    let url = sandbox.put("hook.url", url.as_bytes(), 0o600);
    let secret = sandbox.put("hook.secret", b"0123456789abcdef0123456789abcdef", 0o600);
    let config = format!(
        "[notify]\nallow_private = [\"127.0.0.1\"]\n[notify.channels.hook]\nkind = \"webhook\"\nseverity = \"info\"\n\
         per_minute = 600\nurl_file = \"{}\"\nsecret_file = \"{}\"\n",
        url.display(),
        secret.display()
    );
    sandbox.put("home/.config/daznode/config.toml", config.as_bytes(), 0o600);
    enable(&sandbox, "alice", &node);
    let mut dice = Dice::told("messages");
    let kills = tries(15, 200);
    let mut known = BTreeMap::new();
    let mut told = BTreeSet::new();
    for _ in 0..kills {
        let mut command = sandbox.command(["generate", "--all", "--force"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(dice.below(Duration::from_millis(400)));
        child.kill().unwrap();
        child.wait().unwrap();
        known = audit(&sandbox.state(), &known).reports;
        let letters = letters(&sandbox);
        assert!(told.iter().all(|key| letters.contains_key(key)), "a message is gone");
        told = letters.into_keys().collect();
    }
    for _ in 0..60 {
        sandbox.run(["generate", "--all", "--force"]).ends(0);
        if letters(&sandbox).values().all(|state| state == "sent") {
            break;
        }
    }
    let heard = heard.lock().unwrap();
    let arrived: BTreeSet<String> = heard.values().flat_map(BTreeMap::keys).flat_map(|body| events(body)).collect();
    let letters = letters(&sandbox);
    for (key, state) in &letters {
        assert_eq!(state, "sent", "{key}");
        let id = key.split_once(' ').unwrap().1;
        assert!(arrived.contains(id), "{id} was marked as sent, and never arrived");
    }
    for (key, bodies) in heard.iter() {
        assert_eq!(bodies.len(), 1, "{key} says two things: {bodies:?}");
    }
    let again = heard.values().flat_map(BTreeMap::values).filter(|times| **times > 1).count();
    eprintln!("{} messages arrived, {again} of them more than once, each under its own key", heard.len());
    survived("messages of runs that were killed", kills);
}
