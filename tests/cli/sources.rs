//! Sources that fail beside a node that is well: the report is made in its time, and how they did is kept and shown.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use prost::Message as _;
use serde_json::Value;
use tonic_lnd::lnrpc;

use crate::fake_lnd::{FakeLnd, Reply};
use crate::harness::{Ended, Sandbox, recording};

/// What a public source does with every question.
#[derive(Clone, Copy)]
enum Does {
    Answer,
    Hang,
    Busy,
}

/// A public source on loopback, asked by a process of its own.
struct Public {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Public {
    fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                count.fetch_add(1, Ordering::SeqCst);
                let mut request = [0; 4096];
                let read = stream.read(&mut request).unwrap_or(0);
                let path = String::from_utf8_lossy(&request[..read]).split(' ').nth(1).unwrap_or_default().to_owned();
                let (status, body) = match (does, path.as_str()) {
                    (Does::Hang, _) => {
                        open.push(stream);
                        continue;
                    }
                    (Does::Busy, _) => ("429 X\r\nretry-after: 7200", "slow down"),
                    (Does::Answer, "/api/blocks/tip/height") => ("200 OK", "923456"),
                    (Does::Answer, _) => ("404 Not Found", "no such page"),
                };
                let length = body.len();
                // Who hangs up is who asked.
                let _sent =
                    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn macaroon() -> Vec<u8> {
    std::fs::read(recording("bob-later").join("readonly.macaroon")).unwrap()
}

/// The recorded node as if it were of mainnet: of any other, public sources are not asked.
fn mainnet() -> FakeLnd {
    mainnet_that(|_| None)
}

fn mainnet_that(answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> FakeLnd {
    let file = recording("bob-later").join("lnrpc.Lightning.GetInfo.pb");
    let mut info = lnrpc::GetInfoResponse::decode(&*std::fs::read(file).unwrap()).unwrap();
    "mainnet".clone_into(&mut info.chains[0].network);
    let info = info.encode_to_vec();
    FakeLnd::builder()
        .recording(&recording("bob-later"))
        .macaroon(&macaroon())
        .message("/lnrpc.Lightning/GetInfo", info)
        .answer(move |asked| answer(asked.path))
        .start()
}

/// A home with the node enabled and mempool's address set.
fn home(lnd: &FakeLnd, public: &Public) -> Sandbox {
    let sandbox = Sandbox::new();
    let config = format!("[sources.mempool]\nenabled = true\nurl = \"http://{}\"\n", public.address);
    sandbox.put("home/.config/daznode/config.toml", config.as_bytes(), 0o600);
    let cert = sandbox.put("tls.cert", lnd.certificate().as_bytes(), 0o600);
    let macaroon = sandbox.put("readonly.macaroon", &macaroon(), 0o600);
    let [cert, macaroon] = [cert, macaroon].map(|path| path.to_str().unwrap().to_owned());
    sandbox.run(["enable", "--address", &lnd.address(), "--cert", &cert, "--macaroon", &macaroon]).ends(0);
    sandbox
}

/// What `health-check` tells of one source.
fn told(sandbox: &Sandbox, source: &str) -> Value {
    let health: Ended = sandbox.run(["health-check", "--json"]);
    let rows = health.json()["sources"].as_array().unwrap().clone();
    rows.into_iter().find(|row| row["source"] == source).unwrap_or_else(|| panic!("{source}: {}", health.stdout))
}

#[test]
fn a_source_that_hangs_never_costs_the_report_its_time() {
    let (lnd, public) = (mainnet(), Public::start(Does::Hang));
    let sandbox = home(&lnd, &public);
    let began = Instant::now();
    sandbox.run(["generate", "--all", "--timeout", "4", "--retries", "0"]).ends(3);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let report = sandbox.run(["show", "--json"]).ends(0).json();
    let gaps: Vec<_> = report["gaps"].as_array().unwrap().iter().map(|gap| gap["source"].as_str().unwrap()).collect();
    assert!(!gaps.is_empty() && gaps.iter().all(|source| *source == "mempool.space"), "{gaps:?}");
    let [lnd_seen, mempool] = ["lnd", "mempool.space"].map(|name| {
        report["sources"].as_array().unwrap().iter().find(|source| source["name"] == name).unwrap().clone()
    });
    assert_eq!((&lnd_seen["availability"]["day"], &lnd_seen["breaker"]), (&1.0.into(), &"closed".into()));
    assert!(lnd_seen["last_good"].is_string(), "{lnd_seen}");
    assert_eq!((&mempool["status"], &mempool["error_class"]), (&"failed".into(), &"timeout".into()), "{mempool}");
    let height = report["facts"].as_array().unwrap().iter().find(|fact| fact["name"] == "block_height").unwrap();
    assert_eq!((&height["source"], &height["age_s"]), (&"lnd".into(), &0.into()));
}

#[test]
fn who_asks_to_be_left_alone_is_by_the_next_run_too() {
    let (lnd, public) = (mainnet(), Public::start(Does::Busy));
    let sandbox = home(&lnd, &public);
    sandbox.run(["generate", "--all"]).ends(3);
    let asked = public.asked();
    assert_eq!(asked, 1, "the check was answer enough");
    let kept = told(&sandbox, "mempool.space");
    assert_eq!((&kept["good"], &kept["error_class"]), (&false.into(), &"too_many".into()), "{kept}");
    assert_eq!(kept["breaker"]["state"], "open", "{kept}");
    assert_eq!(kept["availability"]["day"], 0.0, "{kept}");
    sandbox.run(["generate", "--all", "--force"]).ends(3);
    assert_eq!(public.asked(), asked, "not a word went out");
    let report = sandbox.run(["show", "--json"]).ends(0).json();
    let mempool = report["sources"].as_array().unwrap().iter().find(|s| s["name"] == "mempool.space").unwrap().clone();
    assert_eq!((&mempool["error_class"], &mempool["breaker"]), (&"left_alone".into(), &"open".into()), "{mempool}");
    assert_eq!(sandbox.run(["health-check"]).ends(0).stdout.matches("source ").count(), 2, "a line for each");
}

#[test]
fn a_check_doubles_as_the_first_question_and_is_kept() {
    let (lnd, public) = (mainnet(), Public::start(Does::Answer));
    let sandbox = home(&lnd, &public);
    sandbox.run(["generate", "--all"]);
    let report = sandbox.run(["show", "--json"]).ends(0).json();
    let height = report["facts"].as_array().unwrap().iter().find(|fact| fact["name"] == "block_height").unwrap();
    assert_eq!(height["others"][0]["value"], 923_456, "{height}");
    let (public_kept, node_kept) = (told(&sandbox, "mempool.space"), told(&sandbox, "lnd"));
    assert_eq!((&public_kept["good"], &node_kept["good"]), (&true.into(), &true.into()), "{public_kept} {node_kept}");
    assert!(public_kept["latency_ms"].is_u64() && node_kept["latency_ms"].is_u64(), "{node_kept}");
    assert_eq!(node_kept["availability"]["month"], 1.0);
    // The height once, fees twice (precise, then whole), prices, statistics: what is missing there is not tried again.
    assert_eq!(public.asked(), 5);
}

#[test]
fn a_node_that_keeps_failing_is_asked_once_a_run_and_gets_its_report_when_it_is_back() {
    let down = Arc::new(AtomicUsize::new(0));
    let is_down = Arc::clone(&down);
    let fails = move |_: &str| (is_down.load(Ordering::SeqCst) == 1).then(|| Reply::unknown("a bad day"));
    let (lnd, public) = (mainnet_that(fails), Public::start(Does::Answer));
    let sandbox = home(&lnd, &public);
    down.store(1, Ordering::SeqCst);
    let tries = |ended: &Ended| ended.json()["outcomes"][0]["tries"].clone();
    let run = || sandbox.run(["generate", "--all", "--json", "--retries", "1"]);
    for _ in 0..2 {
        assert_eq!(tries(run().ends(1)), 2);
    }
    assert_eq!(told(&sandbox, "lnd")["breaker"]["state"], "open");
    assert_eq!(tries(run().ends(1)), 1, "it is known to be away");
    down.store(0, Ordering::SeqCst);
    let back = run();
    assert_eq!(tries(&back), 1, "a report is never left out for that: {}", back.stdout);
    assert!(back.json()["outcomes"][0]["report_id"].is_string(), "{}", back.stdout);
    let kept = told(&sandbox, "lnd");
    assert_eq!((&kept["breaker"]["state"], &kept["good"]), (&"closed".into(), &true.into()), "{kept}");
    assert_eq!(kept["availability"]["day"], 0.25, "{kept}");
}

#[test]
fn a_source_that_is_on_and_has_no_address_is_refused() {
    let sandbox = Sandbox::with_bob();
    for name in ["remote", "lnrouter"] {
        let config = format!("[sources.{name}]\nenabled = true\n");
        sandbox.put("home/.config/daznode/config.toml", config.as_bytes(), 0o600);
        sandbox.refuses(["generate", "--all"], 2, &[&format!("sources.{name}.url"), "missing"]);
    }
}
