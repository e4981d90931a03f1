//! Secrets that can be recognised: whatever a command does and whatever goes wrong, they are in nothing that is printed,
//! stored or shown to other programs.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use daznode::sources::answers::{GET_INFO, LIST_CHANNELS};
use daznode::sources::spec::{Certificate, LndSpec, SecretRef, SourceSpec};
use daznode::units::Network;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::commands::COMMANDS;
use crate::fake_lnd::{Builder, FakeLnd, Reply};
use crate::harness::Sandbox;
use crate::profiles::{macaroon, of_the_main_chain, put_on, store, whole};
use crate::tally::survived;

/// What a secret looks like wherever it is: as it is, in hex and in Base64, of which the ends depend on what is beside it.
struct Canary {
    name: &'static str,
    forms: Vec<String>,
}

impl Canary {
    fn new(name: &'static str, secret: &str) -> Self {
        let mut forms = vec![secret.to_owned(), hex::encode(secret), hex::encode_upper(secret)];
        for shift in 0..3 {
            let moved = format!("{}{secret}", "-".repeat(shift));
            for text in [STANDARD_NO_PAD.encode(&moved), URL_SAFE_NO_PAD.encode(&moved)] {
                forms.push(text[4..text.len() - 4].to_owned());
            }
        }
        Self { name, forms }
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        self.forms.iter().any(|form| text.contains(form))
    }
}

const SIGNATURE: &str = "canary-of-the-macaroon-012345678";
const KEY: &str = "canary-of-the-amboss-key-9876543210";
const TOKEN: &str = "canary-of-a-chat-token-0123456789";
const URL: &str = "canary-in-the-url-of-a-channel-9876";
const SIGNING: &str = "canary-of-what-webhooks-are-signed-with";
const CALLED: &str = "canary-in-the-url-of-the-heartbeat-0";

fn canaries() -> [Canary; 6] {
    [
        Canary::new("the macaroon", SIGNATURE),
        Canary::new("the key of a source", KEY),
        Canary::new("the token of a channel", TOKEN),
        Canary::new("the URL of a channel", URL),
        Canary::new("the key of a webhook", SIGNING),
        Canary::new("the URL of the heartbeat", CALLED),
    ]
}

/// The recorded macaroon, whose signature is the canary.
pub(crate) fn marked() -> Vec<u8> {
    let mut macaroon = macaroon();
    let at = macaroon.len() - SIGNATURE.len();
    macaroon[at..].copy_from_slice(SIGNATURE.as_bytes());
    macaroon
}

/// A service that refuses, and repeats in its words all that it was sent: its URL, and what it was sent so far.
pub(crate) fn parrot() -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let told = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&told);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut heard = vec![0; 4096];
            let n = stream.read(&mut heard).unwrap_or(0);
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&heard[..n]));
            let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {n}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), &heard[..n]].concat());
        }
    });
    (format!("http://{address}"), told)
}

/// What a command says, and what other programs can see of it and of what it starts.
fn run(sandbox: &Sandbox, args: &[&str]) -> Vec<u8> {
    let (out, err) = (sandbox.path("out"), sandbox.path("err"));
    let file = |path| std::fs::File::create(path).unwrap();
    let mut command = sandbox.command(args);
    let mut child = command.stdout(file(&out)).stderr(file(&err)).spawn().unwrap();
    let (pid, mut seen) = (child.id().to_string(), Vec::new());
    while child.try_wait().unwrap().is_none() {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        for pid in children.split_whitespace().chain([pid.as_str()]) {
            for file in ["cmdline", "environ"] {
                seen.extend(std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default());
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let read = |path| std::fs::read(path).unwrap();
    [seen, read(out), read(err)].concat()
}

/// All that is kept: files, and what is packed in the database.
fn kept(sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> =
        sandbox.tree().into_iter().map(|(path, (_, bytes))| (path.display().to_string(), bytes)).collect();
    let db = Connection::open_with_flags(sandbox.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let names = |sql: &str| -> Vec<String> {
        db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for table in names("SELECT name FROM sqlite_schema WHERE type = 'table'") {
        let mut rows = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let ValueRef::Blob(packed) = row.get_ref(column).unwrap() {
                    all.extend(zstd::decode_all(packed).ok().map(|bytes| (format!("table {table}"), bytes)));
                }
            }
        }
    }
    all
}

/// A node, and what is wrong with it.
fn faults() -> Vec<(&'static str, Builder)> {
    let lnd = || of_the_main_chain(FakeLnd::builder().recording(&whole()));
    let at =
        |method: &'static str, reply: Reply| lnd().answer(move |asked| (asked.path == method).then(|| reply.clone()));
    vec![
        ("nothing", lnd().macaroon(&marked())),
        ("another macaroon", lnd().macaroon(&[1, 2, 3])),
        ("no web page", lnd().answer(|_| Some(Reply::Http(404)))),
        ("garbage", lnd().answer(|_| Some(Reply::Garbage(Bytes::from_static(&[0xff; 64]))))),
        ("half an answer", at(LIST_CHANNELS.path, Reply::HalfThenReset(Bytes::from_static(&[10; 64])))),
        (
            "silence for longer than a run may last",
            at(LIST_CHANNELS.path, Reply::unknown("too late").after(Duration::from_secs(3))),
        ),
        // A node that says what it was shown.
        (
            "a node that repeats its macaroon",
            lnd().answer(|asked| {
                let shown = asked.macaroon.unwrap_or_default();
                (asked.path == GET_INFO.path).then(|| Reply::unknown(&format!("cannot decode macaroon {shown}")))
            }),
        ),
    ]
}

/// A profile whose secrets are canaries, and a service that is a public source and all the channels, and knows the others.
pub(crate) fn place(node: &FakeLnd, source: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let hidden = |name: &str, secret: &str| {
        sandbox.put(&format!("hidden/{name}"), secret.as_bytes(), 0o600).display().to_string()
    };
    let config = format!(
        "[run]\ntimeout_s = 2\n\
         [sources.amboss]\nenabled = true\nurl = \"{source}/graphql\"\nkey_file = \"{}\"\n\
         [notify]\nallow_private = [\"127.0.0.1\"]\nheartbeat_url_file = \"{heartbeat}\"\n\
         heartbeat_fail_url_file = \"{heartbeat}\"\n\
         [notify.channels.chat]\nkind = \"telegram\"\nserver = \"{source}\"\ntoken_file = \"{}\"\nchat_id = 1\n\
         [notify.channels.talk]\nkind = \"discord\"\nurl_file = \"{}\"\n\
         [notify.channels.hook]\nkind = \"webhook\"\nurl_file = \"{}\"\nsecret_file = \"{}\"\n",
        hidden("amboss.key", KEY),
        hidden("chat.token", TOKEN),
        hidden("talk.url", &format!("{source}/api/webhooks/{URL}")),
        hidden("hook.url", &format!("{source}/{URL}")),
        hidden("hook.secret", SIGNING),
        heartbeat = hidden("heartbeat.url", &format!("{source}/{CALLED}")),
    );
    sandbox.put("home/.config/daznode/config.toml", config.as_bytes(), 0o600);
    let spec = LndSpec {
        address: node.address(),
        certificate: Certificate::Pinned(SecretRef::File(sandbox.put(
            "tls.cert",
            node.certificate().as_bytes(),
            0o600,
        ))),
        macaroon: SecretRef::File(sandbox.put("hidden/readonly.macaroon", &marked(), 0o600)),
        proxy: None,
        allow_write_macaroon: false,
        channel_backup: None,
        data: None,
    };
    put_on(Network::Mainnet, &store(&sandbox), "alice", SourceSpec::Lnd(spec));
    sandbox
}

#[test]
fn no_command_and_no_fault_brings_a_secret_to_light() {
    let (source, told) = parrot();
    let faults = faults();
    let runs = faults.len() * COMMANDS.len();
    // Most of the time is waiting for nodes that are silent.
    std::thread::scope(|scope| {
        let source = source.as_str();
        let all: Vec<_> = faults
            .into_iter()
            .map(|(fault, node)| (fault, scope.spawn(move || no_secret_is_seen(fault, node, source))))
            .collect();
        for (fault, one) in all {
            assert!(one.join().is_ok(), "{fault}");
        }
    });
    let told = told.lock().unwrap();
    for secret in [KEY, TOKEN, URL, CALLED] {
        assert!(told.contains(secret), "{secret} was never sent where it belongs");
    }
    assert!(!told.contains(SIGNING) && !told.contains(SIGNATURE), "sent to somebody who must not have it");
    survived("secrets in output, store, arguments and environment, by command and fault", runs);
}

fn no_secret_is_seen(fault: &str, node: Builder, source: &str) {
    let canaries = canaries();
    let node = node.start();
    let sandbox = place(&node, source);
    for args in COMMANDS {
        let seen = run(&sandbox, args);
        for canary in &canaries {
            assert!(!canary.is_in(&seen), "{} is in what {args:?} shows ({fault})", canary.name);
        }
    }
    for (place, bytes) in kept(&sandbox).iter().filter(|(place, _)| !place.contains("/hidden/")) {
        for canary in &canaries {
            assert!(!canary.is_in(bytes), "{} is in {place} ({fault})", canary.name);
        }
    }
}

#[test]
fn a_secret_would_be_found_in_each_of_its_forms() {
    let canary = Canary::new("the secret", KEY);
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{KEY} and more");
        for shown in [text.clone(), hex::encode(&text), STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            assert!(canary.is_in(shown.as_bytes()), "{shown}");
        }
    }
    assert!(!canary.is_in(STANDARD_NO_PAD.encode("nothing of the kind is in these words").as_bytes()));
}
