//! The whole way with a real LND: connect, report, show, and hold every figure against what LND itself says.
//!
//! Runs by itself where `lnd` and `btcd` are on the PATH, and is skipped with a line that says so where they are not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "live/followed.rs"]
mod followed;
#[path = "support/regtest.rs"]
mod regtest;
#[path = "public/server.rs"]
#[expect(dead_code, unreachable_pub, reason = "other tests use all of it")]
mod server;
#[path = "live/stopped.rs"]
mod stopped;
#[path = "live/watched.rs"]
mod watched;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use daznode::snapshot::Towers;
use daznode::sources::answers::{GET_STATE, LIST_TOWERS, METHODS, TOWER_STATS, VERIFY_CHAN_BACKUP};
use daznode::sources::backup::BackupFile;
use daznode::sources::lnd::{self, Surroundings};
use daznode::sources::reader::{Extras, GraphCache, Reader};
use daznode::sources::spec::{Certificate, LndSpec, SecretRef};
use daznode::sources::{Observation, Resume};
use daznode::units::UnixMs;
use regtest::Network;
use serde_json::{Value, json};

fn daznode(state: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daznode"));
    command.env_clear().env("HOME", state).env("PATH", "/usr/bin:/bin");
    let settings = state.with_file_name("daznode.toml");
    if settings.is_file() {
        command.env("DAZNODE_CONFIG", settings);
    }
    command.arg("--state").arg(state).args(args).output().unwrap()
}

fn ok(state: &Path, args: &[&str]) -> String {
    let output = daznode(state, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "daznode {args:?}: {:?}\n{error}", output.status.code());
    String::from_utf8(output.stdout).unwrap()
}

fn report(state: &Path) -> Value {
    serde_json::from_str(&ok(state, &["show", "--json"])).unwrap()
}

fn number(value: &Value) -> i64 {
    value.as_str().map_or_else(|| value.as_i64(), |text| text.parse().ok()).unwrap_or(0)
}

/// All forwards that LND knows. Its answer leaves out the current second, so the test asks for a later end.
fn forwards(network: &Network, n: usize) -> Vec<Value> {
    let question = json!({ "start_time": "1", "end_time": "99999999999", "num_max_events": 10_000 });
    network.post(n, "/v1/switch", &question)["forwarding_events"].as_array().cloned().unwrap_or_default()
}

/// LND writes its forwards down some seconds after they settled.
fn wait_for_forwards(network: &Network, n: usize, count: usize) {
    Network::wait("forwards to be written down", || forwards(network, n).len() == count);
}

/// Blocks that are mined in a row have times that run ahead of the clock; what they hold belongs to a day that ends later.
#[expect(clippy::disallowed_methods, reason = "a test of the real thing lives in real time")]
fn wait_for_blocks_to_be_past(network: &Network, n: usize) {
    Network::wait("the clock to pass the blocks", || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let all = network.get(n, "/v1/transactions")["transactions"].as_array().cloned().unwrap_or_default();
        all.iter().all(|t| number(&t["time_stamp"]) < i64::try_from(now).unwrap())
    });
}

/// Every figure of the report that LND tells too.
fn agrees_with_lnd(report: &Value, network: &Network, n: usize) {
    let events = forwards(network, n);
    let fees: i64 = events.iter().map(|e| number(&e["fee_msat"])).sum();
    assert_eq!(number(&report["metrics"]["forwarding"]["day"]["forwards"]), i64::try_from(events.len()).unwrap());
    assert_eq!(number(&report["metrics"]["forwarding"]["day"]["fees_msat"]), fees);
    assert_eq!(number(&report["summary"]["revenue_sats_24h"]), fees / 1000);
    let info = network.get(n, "/v1/getinfo");
    assert_eq!(report["node_pubkey"], info["identity_pubkey"]);
    assert_eq!(report["node_alias"], info["alias"]);
    let channels = network.get(n, "/v1/channels")["channels"].as_array().cloned().unwrap_or_default();
    assert_eq!(number(&report["summary"]["channels_count"]), i64::try_from(channels.len()).unwrap());
    let sum = |field: &str| channels.iter().map(|c| number(&c[field])).sum::<i64>();
    assert_eq!(number(&report["metrics"]["capacity"]["total_sat"]), sum("capacity"));
    let balance = network.get(n, "/v1/balance/channels");
    assert_eq!(number(&report["metrics"]["capacity"]["local_sat"]), number(&balance["local_balance"]["sat"]));
    assert_eq!(number(&report["metrics"]["capacity"]["remote_sat"]), number(&balance["remote_balance"]["sat"]));
    let wallet = network.get(n, "/v1/balance/blockchain");
    assert_eq!(number(&report["metrics"]["capacity"]["wallet_confirmed_sat"]), number(&wallet["confirmed_balance"]));
}

#[test]
fn a_real_node_from_connect_to_report() {
    if !regtest::available() {
        return;
    }
    let mut network = Network::start(&["alice", "bob", "carol"]);
    let (alice, bob, carol) = (0, 1, 2);
    network.open(alice, bob, 5_000_000, 1_000_000);
    network.open(bob, carol, 4_000_000, 0);
    for sat in [10_000, 20_000, 30_000, 123_456] {
        network.pay(alice, carol, sat);
    }
    wait_for_forwards(&network, bob, 4);
    wait_for_blocks_to_be_past(&network, bob);
    let folder = tempfile::tempdir().unwrap();
    let state = regtest::state(folder.path());

    // A macaroon that can spend is refused, with the words that say which to use.
    let refused = daznode(&state, &["enable", &network.nodes[bob].lndconnect("admin.macaroon"), "--user", "live"]);
    assert_eq!(refused.status.code(), Some(4));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("readonly.macaroon") && words.trim_end().lines().count() == 1, "{words}");

    let backup = network.nodes[bob].folder.join("data/chain/bitcoin/regtest/channel.backup");
    let uri = network.nodes[bob].lndconnect("readonly.macaroon");
    ok(&state, &["enable", &uri, "--user", "live", "--channel-backup", backup.to_str().unwrap()]);
    ok(&state, &["generate", "--all"]);
    let first = report(&state);
    agrees_with_lnd(&first, &network, bob);
    assert_eq!(first["generation_status"], "complete", "{}", first["gaps"]);
    let off = first["not_measured"].as_array().unwrap().iter();
    let off: Vec<&str> = off.map(|row| row["part"].as_str().unwrap()).collect();
    assert!(off.contains(&"towers") && !off.contains(&"backup") && !off.contains(&"host.memory"), "{off:?}");
    let facts = first["facts"].as_array().unwrap();
    let told = |name: &str| facts.iter().any(|fact| fact["name"] == name && fact["source"] == "lnd");
    assert!(told("hour_fee_sat_per_kvb") && told("block_height") && told("node_capacity_sat"), "{facts:?}");
    assert_eq!(first["sources"][0]["availability"]["day"], 1.0, "{}", first["sources"][0]);
    let opened: i64 = number(&first["money"]["day"]["open_cost_sat"]);
    let paid = network.get(bob, "/v1/transactions")["transactions"].as_array().cloned().unwrap_or_default();
    let paid: i64 = paid.iter().filter(|t| number(&t["amount"]) < 0).map(|t| number(&t["total_fees"])).sum();
    assert_eq!(opened, paid, "what bob paid the chain to open his channel");

    // LND goes away: one line, exit code 1, yesterday's words still there.
    network.stop_node(bob);
    let gone = daznode(&state, &["generate", "--all", "--force", "--retries", "0"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("127.0.0.1"), "{gone:?}");
    assert_eq!(report(&state)["report_id"], first["report_id"]);

    // It comes back, forwards more, and nothing is lost or counted twice.
    network.start_node(bob);
    Network::wait("peers to come back", || {
        let channels = network.get(bob, "/v1/channels");
        channels["channels"].as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|c| c["active"] == true))
    });
    for sat in [40_000, 50_000] {
        network.pay(alice, carol, sat);
    }
    wait_for_forwards(&network, bob, 6);
    ok(&state, &["generate", "--all", "--force"]);
    ok(&state, &["generate", "--all", "--force"]);
    let last = report(&state);
    agrees_with_lnd(&last, &network, bob);
    assert_ne!(last["report_id"], first["report_id"]);

    let health = daznode(&state, &["health-check", "--json"]);
    let health: Value = serde_json::from_slice(&health.stdout).unwrap();
    assert!(health.is_object(), "{health}");

    // What passes by can be recorded, shared, and reported from again.
    let recording = folder.path().join("recording");
    ok(&state, &["record", "--out", recording.to_str().unwrap(), "--redact"]);
    let elsewhere = folder.path().join("elsewhere");
    ok(&elsewhere, &["enable", "--recording", recording.to_str().unwrap(), "--user", "again"]);
    ok(&elsewhere, &["generate", "--all"]);
    let again = report(&elsewhere);
    assert_eq!(again["metrics"]["forwarding"]["day"], last["metrics"]["forwarding"]["day"]);
    assert_ne!(again["node_pubkey"], last["node_pubkey"]);
}

/// Reads a node as a run does with `readonly.macaroon`, and with this file as the operator's backup.
fn observe(network: &Network, n: usize, backup: &Path) -> Observation {
    observe_with(network, n, network.nodes[n].macaroon("readonly.macaroon"), backup)
}

/// How to reach a node with this macaroon.
fn spec(network: &Network, n: usize, macaroon: PathBuf) -> LndSpec {
    let node = &network.nodes[n];
    LndSpec {
        address: format!("127.0.0.1:{}", node.rpc),
        certificate: Certificate::Pinned(SecretRef::File(node.certificate())),
        macaroon: SecretRef::File(macaroon),
        proxy: None,
        allow_write_macaroon: false,
        channel_backup: None,
        data: None,
    }
}

/// Only certificates and macaroons are held against it.
const NOW: UnixMs = UnixMs(1_800_000_000_000);
const AROUND: Surroundings<'_> =
    Surroundings { credentials: None, proxy: None, offline: true, allow_write_macaroon: false, now: NOW };

fn observe_with(network: &Network, n: usize, macaroon: PathBuf, backup: &Path) -> Observation {
    let channel_backup = Some(SecretRef::File(backup.to_path_buf()));
    let spec = LndSpec { channel_backup, ..spec(network, n, macaroon) };
    let cache = GraphCache::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let opened = lnd::open(&spec, &AROUND).await.unwrap();
        let backup = BackupFile::read(spec.channel_backup.as_ref(), None);
        let reader = Reader::new(&opened.connection, "lnd", NOW, &cache);
        let reader = reader.with(Extras { backup, not_permitted: opened.not_permitted });
        let (sender, mut events) = tokio::sync::mpsc::channel(1);
        let drain = async { while events.recv().await.is_some() {} };
        let resume = Resume::default();
        tokio::join!(reader.observe(&resume, sender), drain).0.unwrap()
    })
}

fn put(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

/// A macaroon of LND's own making for these methods alone.
fn bake<'a>(network: &Network, n: usize, file: PathBuf, paths: impl Iterator<Item = &'a str>) -> PathBuf {
    let permissions: Vec<Value> = paths.map(|path| json!({ "entity": "uri", "action": path })).collect();
    let answer = network.post(n, "/v1/macaroon", &json!({ "permissions": permissions }));
    put(&file, &hex::decode(answer["macaroon"].as_str().unwrap()).unwrap());
    file
}

/// The channel points that LND lists, in order.
fn open_points(network: &Network, n: usize) -> Vec<String> {
    let channels = network.get(n, "/v1/channels")["channels"].as_array().cloned().unwrap_or_default();
    let mut points: Vec<String> =
        channels.iter().map(|channel| channel["channel_point"].as_str().unwrap().to_owned()).collect();
    points.sort();
    points
}

fn covered(seen: &Observation) -> Vec<String> {
    seen.node.backup.as_ref().unwrap().covered.iter().map(ToString::to_string).collect()
}

#[test]
fn a_real_nodes_backup_and_watchtower_client() {
    if !regtest::available() {
        return;
    }
    let mut network = Network::start(&["alice", "bob"]);
    let (alice, bob) = (0, 1);
    let folder = tempfile::tempdir().unwrap();
    let live = network.nodes[bob].folder.join("data/chain/bitcoin/regtest/channel.backup");

    // Before there is any channel, LND's own file is an empty backup, and not one that LND is silent about.
    Network::wait("the first backup", || live.is_file());
    let none = observe(&network, bob, &live);
    assert_eq!((covered(&none), none.gaps.as_slice()), (Vec::new(), &[][..]));

    network.open(bob, alice, 3_000_000, 0);
    let old = folder.path().join("channel.backup");
    Network::wait("the backup of one channel", || std::fs::metadata(&live).unwrap().len() > 45);
    std::fs::copy(&live, &old).unwrap();
    let one = open_points(&network, bob);
    assert_eq!(covered(&observe(&network, bob, &old)), one);

    // The old copy does not know the second channel; LND's own file does.
    network.open(bob, alice, 4_000_000, 0);
    Network::wait("the second channel", || open_points(&network, bob).len() == 2);
    let two = open_points(&network, bob);
    assert_eq!(covered(&observe(&network, bob, &old)), one);
    Network::wait("the backup of two channels", || covered(&observe(&network, bob, &live)) == two);

    // A damaged one is a gap with LND's own words, and so is another node's.
    let damaged = folder.path().join("damaged");
    let mut bytes = std::fs::read(&live).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    put(&damaged, &bytes);
    let foreign = network.nodes[alice].folder.join("data/chain/bitcoin/regtest/channel.backup");
    for bad in [&damaged, &foreign] {
        let seen = observe(&network, bob, bad);
        assert_eq!(seen.node.backup, None);
        assert_eq!(seen.gaps.len(), 1, "{:?}", seen.gaps);
        assert!(seen.gaps[0].reason.contains("message authentication failed"), "{:?}", seen.gaps);
    }

    // No watchtower client: not measured, in LND's words, and no gap.
    let without = observe(&network, bob, &live);
    assert_eq!(without.node.towers, None);
    assert_eq!(without.not_measured, [("towers".to_owned(), "watchtower client not active".to_owned())]);
    assert_eq!(without.gaps, []);

    // A macaroon from before these three were called still makes a report without a gap; one for all of them has all.
    let new = [&VERIFY_CHAN_BACKUP, &TOWER_STATS, &LIST_TOWERS];
    let called = || METHODS.into_iter().filter(|method| *method != &GET_STATE);
    let before = called().filter(|method| !new.contains(method)).map(|method| method.path);
    let before = bake(&network, bob, folder.path().join("before.macaroon"), before);
    let seen = observe_with(&network, bob, before, &live);
    assert_eq!((&seen.node.backup, seen.gaps.as_slice()), (&None, &[][..]));
    let words: Vec<&str> = seen.not_measured.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(words.iter().all(|reason| reason.starts_with("the macaroon does not permit")), "{words:?}");
    let all = bake(&network, bob, folder.path().join("all.macaroon"), called().map(|method| method.path));
    let seen = observe_with(&network, bob, all, &live);
    assert_eq!((covered(&seen), seen.not_measured), (two, without.not_measured));

    // With it, and no tower: nothing is behind, and the list is empty.
    network.stop_node(bob);
    network.nodes[bob].flags.push("--wtclient.active".to_owned());
    network.start_node(bob);
    let with = observe(&network, bob, &live);
    assert_eq!((with.node.towers, with.not_measured), (Some(Towers::default()), Vec::new()));

    // Alice as a tower: LND's key for that is number 0 of family 9.
    let listens = format!("127.0.0.1:{}", regtest::free_port());
    network.stop_node(alice);
    network.nodes[alice].flags = vec!["--watchtower.active".to_owned(), format!("--watchtower.listen={listens}")];
    network.start_node(alice);
    let key = network.post(alice, "/v2/wallet/key", &json!({ "key_family": 9, "key_index": 0 }));
    let key = base64::engine::general_purpose::STANDARD.decode(key["raw_key_bytes"].as_str().unwrap()).unwrap();
    let tower = json!({ "pubkey": base64::engine::general_purpose::STANDARD.encode(&key), "address": listens });
    Network::wait("the tower to be taken", || network.post(bob, "/v2/watchtower/client", &tower)["code"].is_null());
    Network::wait("channels to be usable", || {
        let channels = network.get(bob, "/v1/channels");
        channels["channels"].as_array().is_some_and(|all| all.iter().all(|channel| channel["active"] == true))
    });
    network.pay(bob, alice, 10_000);
    network.pay(bob, alice, 20_000);
    let stats = || network.get(bob, "/v2/watchtower/client/stats");
    Network::wait("the tower to hold a state and to be owed none", || {
        number(&stats()["num_backups"]) > 0 && number(&stats()["num_pending_backups"]) == 0
    });
    let told = observe(&network, bob, &live).node.towers.unwrap();
    let said = stats();
    let figures = [told.backups, told.pending_backups, told.failed_backups, told.sessions_acquired].map(i64::from);
    let fields = ["num_backups", "num_pending_backups", "num_failed_backups", "num_sessions_acquired"];
    assert_eq!(figures, fields.map(|field| number(&said[field])), "{said}");
    let [known] = told.towers.as_slice() else { panic!("{told:?}") };
    assert_eq!((known.pubkey.as_str(), known.candidate), (hex::encode(&key).as_str(), true));
    assert!(known.sessions > 0, "{known:?}");
}
