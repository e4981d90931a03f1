//! The watcher of a real node as a service: what it tells at once, what it keeps, and what its own end leaves.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use daznode::units::UnixMs;
use serde_json::{Value, json};

use super::followed::{clock, try_to_pay};
use super::regtest::{self, Network};
use super::server::{Request, Server, ok as answer};
use super::{daznode, ok, put, report, wait_for_forwards};

/// A server that takes what it is sent, and remembers it, in a thread that ends with the test.
fn receiver() -> Server {
    let (sender, server) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start(|_| answer(r#"{"ok":true,"result":{}}"#)).await;
            sender.send(server).unwrap();
            std::future::pending::<()>().await;
        });
    });
    server.recv().unwrap()
}

fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    put(&path, text.as_bytes());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A folder of state with settings that tell of a node at its first silence, to a webhook and to a chat.
fn home(folder: &Path, hook: &Server, chat: &Server) -> PathBuf {
    let state = regtest::state(folder);
    let url = secret(folder, "hook.url", &format!("{}/in", hook.url()));
    let key = secret(folder, "hook.secret", "topsecret");
    let token = secret(folder, "chat.token", "123:abc");
    let settings = format!(
        "[thresholds]\nunreachable_minutes = 0\ndisk_warning_percent = 0\ndisk_critical_percent = 0\n[alerts]\nresolved_after_minutes = 0\n[watch]\nsample_s = 30\n\
         [health]\ninterval_s = 10\n[notify]\nallow_private = [\"127.0.0.1\"]\n\
         [notify.channels.hook]\nkind = \"webhook\"\nurl_file = \"{}\"\nsecret_file = \"{}\"\n\
         [notify.channels.chat]\nkind = \"telegram\"\nserver = {:?}\ntoken_file = \"{}\"\nchat_id = 1\n",
        url.display(),
        key.display(),
        chat.url(),
        token.display()
    );
    secret(folder, "daznode.toml", &settings);
    state
}

/// The watcher as a process, killed with the test.
struct Watcher(Child);

impl Watcher {
    fn start(state: &Path) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(state.with_file_name("watch.log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_daznode"));
        command.env_clear().env("HOME", state).env("DAZNODE_CONFIG", settings(state)).arg("--state").arg(state);
        command.arg("watch").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.unwrap());
        Self(command.spawn().unwrap())
    }

    /// Asks it to end, and says how long that took.
    fn stop(mut self) -> Duration {
        let begun = Instant::now();
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), rustix::process::Signal::TERM)
            .unwrap();
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
        begun.elapsed()
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// The most memory that it had, in bytes.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn settings(state: &Path) -> PathBuf {
    state.with_file_name("daznode.toml")
}

fn watcher(state: &Path) -> Value {
    let status: Value = serde_json::from_str(&ok(state, &["watch", "--status", "--json"])).unwrap();
    status["watchers"][0].clone()
}

/// Waits until this watcher, and none before it, follows all streams and has stored that it does.
fn follows(state: &Path, begun: UnixMs) {
    Network::wait("the watcher to follow", || {
        let told = watcher(state);
        told["state"] == "following" && time(&told["started_at"]) >= begun.0 / 1000 * 1000
    });
}

fn time(value: &Value) -> i64 {
    value.as_str().map_or(0, |text| text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// A table of what is stored, a row a line.
fn stored(state: &Path, sql: &str) -> Vec<Vec<i64>> {
    let db = rusqlite::Connection::open(state.join(daznode::store::DATABASE)).unwrap();
    let mut query = db.prepare(sql).unwrap();
    let columns = query.column_count();
    let rows = query.query_map([], |row| (0..columns).map(|n| row.get(n)).collect());
    rows.unwrap().map(Result::unwrap).collect()
}

/// The kinds of the messages that a webhook got, each with its alert.
fn kinds(hook: &Server) -> Vec<String> {
    let kind = |request: Request| {
        let message: Value = serde_json::from_str(&request.body).unwrap();
        let word = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", word("type"), word("alert_key")).trim().to_owned()
    };
    hook.seen().into_iter().map(kind).collect()
}

/// Whether a webhook's message is signed with our key: by another hand than daznode's.
fn is_signed(request: &Request) {
    let header =
        |name: &str| request.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap().to_owned();
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-hmac", "topsecret"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut openssl = command.spawn().unwrap();
    let signed = format!("{}.{}", header("x-daznode-timestamp"), request.body);
    openssl.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
    let said = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    let expected = said.trim().rsplit(' ').next().unwrap();
    assert_eq!(header("x-daznode-signature"), format!("v1={expected}"));
    assert!((clock().secs() - header("x-daznode-timestamp").parse::<i64>().unwrap()).abs() < 60);
}

#[test]
fn a_watcher_tells_that_its_node_is_gone_and_back_and_what_failed_meanwhile() {
    if !regtest::available() {
        return;
    }
    let mut network = Network::start(&["alice", "bob", "carol"]);
    let (alice, bob, carol) = (0, 1, 2);
    network.open(alice, bob, 10_000_000, 1_000_000);
    network.open(bob, carol, 4_000_000, 0);
    let folder = tempfile::tempdir().unwrap();
    let (hook, chat) = (receiver(), receiver());
    let state = home(folder.path(), &hook, &chat);
    ok(&state, &["enable", &network.nodes[bob].lndconnect("readonly.macaroon"), "--user", "live"]);
    let begun = clock();
    let first = Watcher::start(&state);
    follows(&state, begun);

    // One forward settles, one that bob has not enough for fails, and carol goes and returns.
    network.pay(alice, carol, 2_000_000);
    let invoice = network.post(carol, "/v1/invoices", &json!({ "value": "3000000" }));
    assert_eq!(try_to_pay(&network, alice, json!({ "payment_request": invoice["payment_request"] })), "FAILED");
    wait_for_forwards(&network, bob, 1);
    let key = network.pubkey(carol);
    let left = clock();
    network.delete(bob, &format!("/v1/peers/{key}"));
    std::thread::sleep(Duration::from_secs(2));
    network.connect(bob, carol);
    let back = clock();
    let sessions = format!("SELECT from_ms, coalesce(to_ms, 0) FROM peer_sessions WHERE peer = '{key}' ORDER BY 1");
    Network::wait("carol's return to be stored", || stored(&state, &sessions).len() == 2);
    assert_eq!((kinds(&hook).len(), chat.count()), (0, 0), "{:?}", hook.seen());

    // Its LND is killed: told at the next look, signed, to both.
    network.kill_node(bob);
    let killed = clock();
    Network::wait("the alert", || hook.count() > 0 && chat.count() > 0);
    assert!(clock().since(killed) < 40_000, "a look comes every 30 s");
    let alert: Value = serde_json::from_str(&hook.seen()[0].body).unwrap();
    assert_eq!((&alert["type"], &alert["severity"]), (&json!("alert_opened"), &json!("critical")));
    assert_eq!(alert["alert_key"], "node-unreachable:node");
    is_signed(&hook.seen()[0]);
    let words = alert["text"].as_str().unwrap();
    assert!(words.contains("nothing listens there") && !words.contains("?."), "{words}");
    assert!(chat.seen()[0].body.contains("LND has not answered"), "{:?}", chat.seen());
    let state_of = |args: &[&str]| -> Value { serde_json::from_str(&ok(&state, args)).unwrap() };
    assert_eq!(state_of(&["alerts", "list", "--json"])["alerts"][0]["state"], "new");
    ok(&state, &["alerts", "ack", "node-unreachable", "--comment", "on it"]);
    assert_eq!(state_of(&["alerts", "list", "--json"])["alerts"][0]["state"], "acknowledged");
    assert!(ok(&state, &["watch", "--status"]).contains("not connected"));
    assert!(first.peak() < 60_000_000, "{} bytes of memory at most", first.peak());

    // The watcher is killed too. The next one finds the node back, and what the first had told is over.
    first.kill();
    network.start_node(bob);
    let begun = clock();
    let second = Watcher::start(&state);
    follows(&state, begun);
    Network::wait("the end of the alert", || kinds(&hook).len() > 1 && chat.count() > 1);
    let gone = ["alert_opened node-unreachable:node", "alert_resolved node-unreachable:node"];
    assert_eq!(kinds(&hook), gone, "{:#?}", hook.seen());
    let stats = state_of(&["alerts", "stats", "--json"]);
    assert_eq!(state_of(&["alerts", "list", "--json"])["alerts"], json!([]), "{stats:#}");

    // The report has what was seen, and says what was not.
    let made = daznode(&state, &["generate", "--all"]);
    assert!(matches!(made.status.code(), Some(0 | 3)), "{made:?}");
    Network::wait("the digest", || kinds(&hook).len() > 2 && chat.count() > 2);
    let report = report(&state);
    let forwarding = &report["metrics"]["forwarding"];
    assert_eq!((&forwarding["day"]["forwards"], &forwarding["day"]["fees_msat"]), (&json!(1), &json!(3000)));
    // LND asks 1 sat and a millionth unless told otherwise.
    let failed =
        json!([{ "reason": "balance", "forwards": 1, "amount_out_msat": 3_000_000_000_i64, "fees_msat": 4000 }]);
    assert_eq!(forwarding["failed_24h"], failed);
    assert_eq!(report["money"]["missed_demand"]["channels"][0]["peer"], key.as_str());
    let availability = report["sources"][0]["availability"]["day"].as_f64().unwrap();
    assert!(availability > 0.0 && availability < 1.0, "{availability}");
    let told = report["not_measured"].as_array().unwrap().iter().find(|row| row["part"] == "failed-forwards").unwrap();
    assert!(told["reason"].as_str().unwrap().starts_with("Watched 0 h"), "{told}");

    // Nothing more is sent, and it ends when it is asked to.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!((kinds(&hook), chat.count()), (gone.into_iter().chain(["report"]).map(str::to_owned).collect(), 3));
    assert!(second.stop() < Duration::from_secs(5));
    assert_eq!(watcher(&state)["state"], "stopped");

    // Carol was away for these seconds; nobody is charged with what nobody saw.
    let sessions = stored(&state, &sessions);
    assert_eq!(sessions.len(), 3, "{sessions:?}");
    assert!(left.0 <= sessions[0][1] && sessions[0][1] <= sessions[1][0] && sessions[1][0] <= back.0 + 2000);
    assert!(sessions[1][1] <= killed.0 + 1000 && sessions[2][0] >= begun.0, "{sessions:?}, killed at {killed:?}");
    let spans = stored(&state, "SELECT from_ms, to_ms FROM coverage WHERE stream LIKE 'watch:%'");
    assert!(spans.iter().any(|span| span[1] <= killed.0 + 1000) && spans.iter().any(|span| span[0] >= begun.0));
    assert!(spans.iter().all(|span| span[1] <= killed.0 + 1000 || span[0] >= begun.0), "{spans:?}");
}
