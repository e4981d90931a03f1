//! What a report gets from the sources, and what the sources get to know.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use daznode::snapshot::{PublicView, SeenNode, SourceStatus};
use daznode::sources::cache::{Cache, Memory};
use daznode::sources::http::Limits;
use daznode::sources::public::{Keys, PublicAnswer, PublicSources, Settings};
use daznode::units::{Network, Ppm, Pubkey, Sat, UnixMs};
use secrecy::SecretString;

use crate::http::limits;
use crate::server::{Request, Say, Server, ok, status};

pub const KEY: &str = "02a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0";
// 2026-11-21T06:00:00Z
pub const NOW: UnixMs = UnixMs(1_795_240_800_000);
const HOUR: i64 = 3_600_000;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/public/", $name))
    };
}

pub fn node() -> Pubkey {
    KEY.parse().unwrap()
}

fn other_node(n: usize) -> Pubkey {
    format!("03{n:064x}").parse().unwrap()
}

/// mempool as it should be; it knows every node that it is asked for.
pub fn mempool(request: &Request) -> Say {
    match request.path.as_str() {
        "/api/v1/fees/precise" => ok(fixture!("fees-precise.json")),
        "/api/v1/fees/recommended" => ok(fixture!("fees-recommended.json")),
        "/api/blocks/tip/height" => status(200, "content-type: text/plain\r\n", "923456"),
        "/api/v1/prices" => ok(fixture!("prices.json")),
        "/api/v1/lightning/statistics/latest" => ok(fixture!("statistics.json")),
        path => match path.strip_prefix("/api/v1/lightning/nodes/") {
            Some(key) => ok(&fixture!("node.json").replace(KEY, key)),
            None => status(404, "", "Cannot GET"),
        },
    }
}

pub fn amboss(request: &Request) -> Say {
    if request.body.contains("__typename") {
        return ok("{\"data\":{\"__typename\":\"Query\"}}");
    }
    if request.body.contains("fee_info") { ok(fixture!("amboss-fees.json")) } else { ok(fixture!("amboss-node.json")) }
}

fn settings(mempool: Option<&Server>, amboss: Option<&Server>) -> Settings {
    let mut settings = Settings::default();
    if let Some(server) = mempool {
        settings.mempool.enabled = true;
        settings.mempool.url = server.url();
    }
    if let Some(server) = amboss {
        settings.amboss.enabled = true;
        settings.amboss.url = format!("{}/graphql", server.url());
    }
    settings
}

fn sources(settings: &Settings, cache: &Arc<dyn Cache>) -> PublicSources {
    PublicSources::with_limits(settings, Keys::default(), cache, limits()).unwrap()
}

fn memory() -> Arc<dyn Cache> {
    Arc::new(Memory::default())
}

async fn ask(settings: &Settings) -> PublicAnswer {
    sources(settings, &memory()).collect(&node(), Network::Mainnet, NOW).await
}

fn parts(answer: &PublicAnswer) -> Vec<&str> {
    answer.gaps.iter().map(|gap| gap.part.as_str()).collect()
}

#[tokio::test]
async fn our_clock_is_held_against_the_time_of_an_answer_that_was_made_just_now() {
    // 05:59:30 where it is 06:00:00 here: half a minute ahead, and what has passed since the question.
    let told = async |head: &'static str| {
        let server = Server::start(move |_| status(200, head, "923456")).await;
        ask(&settings(Some(&server), None)).await.clock_ahead
    };
    let fact = told("date: Sat, 21 Nov 2026 05:59:30 GMT\r\n").await.unwrap();
    assert!((30_000..40_000).contains(&fact.value), "{fact:?}");
    assert!(fact.source.starts_with("127.0.0.1"), "{fact:?}");
    let fact = told("date: Sat, 21 Nov 2026 06:02:00 GMT\r\n").await.unwrap();
    assert!((-120_000..-110_000).contains(&fact.value), "{fact:?}");
    for head in ["", "date: tomorrow\r\n", "date: Sat, 21 Nov 2026 05:59:30 GMT\r\nage: 3\r\n"] {
        assert_eq!(told(head).await, None, "{head:?}");
    }
    assert_eq!(ask(&Settings::default()).await.clock_ahead, None);
}

#[tokio::test]
async fn everything_that_the_sources_know_comes_with_its_time() {
    let (chain, graph) = (Server::start(mempool).await, Server::start(amboss).await);
    let answer = ask(&settings(Some(&chain), Some(&graph))).await;
    assert_eq!(answer.gaps, []);
    assert_eq!(answer.not_asked, []);
    let view = answer.view;
    let fees = view.chain_fees.unwrap();
    assert_eq!((fees.value.fastest, fees.value.minimum), (3200, 100));
    assert_eq!((fees.source.as_str(), fees.as_of), ("mempool.space", NOW));
    assert_eq!(view.block_height.unwrap().value, 923_456);
    assert_eq!(view.price.unwrap().value["USD"], 9_876_543);
    let network = view.network_by_mempool.unwrap();
    assert_eq!(network.value.nodes, 16_502);
    assert_eq!(network.as_of.rfc3339(), "2026-11-21T00:00:00Z", "the time of the statistics, not of the question");
    let seen = view.seen_by_mempool.unwrap().value;
    assert_eq!((seen.channels, seen.capacity), (Some(7), Some(Sat::new(24_300_000))));
    let seen = view.seen_by_amboss.unwrap();
    assert_eq!((seen.source.as_str(), seen.value.capacity_rank), ("amboss", Some(2101)));
    assert_eq!(view.amboss_fees.unwrap().value.remote_weighted, Some(Ppm(628)));
    let [first, second] = &answer.seen[..] else { panic!("{:?}", answer.seen) };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("mempool.space", "amboss"));
    assert_eq!(first.address, format!("127.0.0.1:{}", chain.port));
    for seen in &answer.seen {
        assert_eq!((seen.status, seen.as_of, seen.detail.as_deref()), (SourceStatus::Ok, Some(NOW), None));
        assert!(seen.latency_ms.is_some());
    }
}

#[tokio::test]
async fn each_source_learns_no_more_than_the_documentation_says() {
    let (chain, graph) = (Server::start(mempool).await, Server::start(amboss).await);
    ask(&settings(Some(&chain), Some(&graph))).await;
    let node = format!("/api/v1/lightning/nodes/{KEY}");
    let want = [
        "/api/blocks/tip/height",
        "/api/v1/fees/precise",
        "/api/v1/lightning/nodes/",
        "/api/v1/lightning/statistics/latest",
        "/api/v1/prices",
    ];
    assert_eq!(chain.paths(), want.map(|path| if path.ends_with("nodes/") { node.clone() } else { path.to_owned() }));
    assert!(chain.seen().iter().all(|request| request.method == "GET" && request.body.is_empty()));
    assert_eq!(graph.paths(), ["/graphql", "/graphql"]);
    for request in graph.seen() {
        assert_eq!(request.method, "POST");
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["variables"], serde_json::json!({ "pubkey": KEY }));
    }
    for request in chain.seen().into_iter().chain(graph.seen()) {
        let mut names: Vec<&str> = request.head.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
        names.retain(|name| !["content-type", "content-length"].contains(name));
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    }
}

#[tokio::test]
async fn a_source_that_is_off_and_a_node_of_another_network_are_not_asked() {
    let (chain, graph) = (Server::start(mempool).await, Server::start(amboss).await);
    let mut off = settings(Some(&chain), Some(&graph));
    off.mempool.enabled = false;
    off.amboss.enabled = false;
    let answer = ask(&off).await;
    assert_eq!(answer.view, PublicView::default());
    assert!(answer.gaps.is_empty(), "off is no gap");
    assert_eq!(answer.not_asked.len(), 2);
    let on = settings(Some(&chain), Some(&graph));
    for network in [Network::Testnet, Network::Signet, Network::Regtest, Network::Simnet] {
        let answer = sources(&on, &memory()).collect(&node(), network, NOW).await;
        assert_eq!((answer.view, answer.gaps.len()), (PublicView::default(), 0));
        assert!(answer.not_asked[0].1.contains(network.as_str()), "{:?}", answer.not_asked);
        assert!(answer.seen.iter().all(|seen| seen.status == SourceStatus::Off && seen.detail.is_some()));
    }
    let sent = chain.connections.load(Ordering::SeqCst) + graph.connections.load(Ordering::SeqCst);
    assert_eq!(sent, 0);
    assert!(!sources(&off, &memory()).any() && sources(&on, &memory()).any());
}

#[tokio::test]
async fn what_does_not_depend_on_the_node_is_asked_once_a_run_and_two_at_a_time() {
    let (now_open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = Server::start(move |request| match mempool(request) {
        Say::Bytes(bytes) => Say::After(Duration::from_millis(5), bytes),
        other => other,
    })
    .await;
    let (open, max) = (Arc::clone(&now_open), Arc::clone(&most));
    let counted = Server::start(move |request| {
        // Requests that have come and are not answered yet: each is held for a while by the server below.
        max.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let open = Arc::clone(&open);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            open.fetch_sub(1, Ordering::SeqCst);
        });
        match mempool(request) {
            Say::Bytes(bytes) => Say::After(Duration::from_millis(30), bytes),
            other => other,
        }
    })
    .await;
    for server in [&server, &counted] {
        // No cache: an answer is fresh for no time at all, and still asked for once.
        let mut settings = settings(Some(server), None);
        settings.mempool.cache_minutes = 0;
        let sources = Arc::new(sources(&settings, &memory()));
        let profiles: Vec<_> = (0..12)
            .map(|n| {
                let sources = Arc::clone(&sources);
                tokio::spawn(async move { sources.collect(&other_node(n % 6), Network::Mainnet, NOW).await })
            })
            .collect();
        for profile in profiles {
            let answer = profile.await.unwrap();
            assert_eq!(answer.gaps, []);
            assert!(answer.view.seen_by_mempool.is_some() && answer.view.chain_fees.is_some());
        }
        assert_eq!(server.count(), 4 + 6, "{:?}", server.paths());
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_second_run_asks_nothing_while_answers_are_fresh() {
    let (chain, graph) = (Server::start(mempool).await, Server::start(amboss).await);
    let (settings, cache) = (settings(Some(&chain), Some(&graph)), memory());
    let first = sources(&settings, &cache).collect(&node(), Network::Mainnet, NOW).await;
    let later = NOW.plus(HOUR - 1);
    let second = sources(&settings, &cache).collect(&node(), Network::Mainnet, later).await;
    assert_eq!((chain.count(), graph.count()), (5, 2));
    assert_eq!(second.view, first.view, "with the time of the first");
    assert!(second.seen.iter().all(|seen| seen.status == SourceStatus::Ok && seen.latency_ms.is_none()));
    let third = sources(&settings, &cache).collect(&node(), Network::Mainnet, NOW.plus(HOUR)).await;
    assert_eq!((chain.count(), graph.count()), (10, 2), "an hour for mempool, three for Amboss");
    assert_eq!(third.view.block_height.unwrap().as_of, NOW.plus(HOUR));
}

#[tokio::test]
async fn a_failure_falls_back_on_the_last_good_answer_and_says_so() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let server = Server::start(move |request| {
        if is_broken.load(Ordering::SeqCst) { status(429, "retry-after: 86400\r\n", "") } else { mempool(request) }
    })
    .await;
    let (settings, cache) = (settings(Some(&server), None), memory());
    sources(&settings, &cache).collect(&node(), Network::Mainnet, NOW).await;
    broken.store(true, Ordering::SeqCst);
    let next_day = NOW.plus(24 * HOUR);
    let answer = sources(&settings, &cache).collect(&node(), Network::Mainnet, next_day).await;
    let fees = answer.view.chain_fees.as_ref().unwrap();
    assert_eq!((fees.value.fastest, fees.as_of), (3200, NOW));
    assert_eq!(answer.seen[0].status, SourceStatus::Stale);
    assert_eq!(answer.seen[0].as_of, Some(NOW));
    assert_eq!(parts(&answer), ["mempool.fees", "mempool.height", "mempool.price", "mempool.network", "mempool.node"]);
    let reason = &answer.gaps[0].reason;
    assert!(reason.ends_with("; its answer of 2026-11-21T06:00:00Z is used"), "{reason}");
    assert!(server.count() <= 5 + 2, "who asks to be left alone is: {}", server.count());
    // Eight days later that answer is too old to be shown at all.
    let answer = sources(&settings, &cache).collect(&node(), Network::Mainnet, NOW.plus(8 * 24 * HOUR)).await;
    assert_eq!(answer.view, PublicView::default());
    assert_eq!(answer.seen[0].status, SourceStatus::Failed);
}

#[tokio::test]
async fn offline_uses_what_is_kept_and_is_no_gap() {
    let server = Server::start(mempool).await;
    let (mut settings, cache) = (settings(Some(&server), None), memory());
    sources(&settings, &cache).collect(&node(), Network::Mainnet, NOW).await;
    settings.offline = true;
    let kept = sources(&settings, &cache).collect(&node(), Network::Mainnet, NOW.plus(5 * HOUR)).await;
    assert_eq!((kept.gaps.len(), kept.seen[0].status), (0, SourceStatus::Stale));
    assert_eq!(kept.view.block_height.unwrap().as_of, NOW);
    let nothing = sources(&settings, &memory()).collect(&node(), Network::Mainnet, NOW).await;
    assert_eq!((nothing.gaps.len(), nothing.seen[0].status), (0, SourceStatus::Off));
    assert_eq!(nothing.not_asked.len(), 5 + 1, "each part of mempool, and Amboss, which is off");
    assert_eq!(server.count(), 5, "only the first run asked");
}

#[tokio::test]
async fn a_node_that_is_not_known_there_is_a_fact() {
    for (code, body) in [(500, "{\"error\":\"Failed to get node\"}"), (404, "Node not found")] {
        let chain =
            Server::start(
                move |request| {
                    if request.path.contains("/nodes/") { status(code, "", body) } else { mempool(request) }
                },
            )
            .await;
        let graph = Server::start(|_| ok(fixture!("amboss-null.json"))).await;
        let answer = ask(&settings(Some(&chain), Some(&graph))).await;
        assert_eq!(answer.gaps, []);
        assert_eq!(answer.view.seen_by_mempool.unwrap().value, SeenNode::unknown());
        assert_eq!(answer.view.seen_by_amboss.unwrap().value, SeenNode::unknown());
        for seen in answer.seen {
            assert_eq!(seen.status, SourceStatus::Ok);
            assert_eq!(seen.detail.as_deref(), Some("this node is not known there"));
        }
        assert_eq!(chain.count(), 5, "asked once each");
    }
}

#[tokio::test]
async fn an_instance_without_lightning_precise_fees_or_prices_gives_the_rest() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/v1/prices" => ok(fixture!("prices-none.json")),
        path if path.contains("lightning") || path.contains("precise") => status(404, "", "Cannot GET /api"),
        _ => mempool(request),
    })
    .await;
    let answer = ask(&settings(Some(&server), None)).await;
    assert_eq!(answer.gaps, []);
    assert_eq!(answer.view.chain_fees.unwrap().value.fastest, 4000);
    assert!(!server.paths().iter().any(|path| path.contains("/nodes/")), "the node's key stays here");
    let parts: Vec<&str> = answer.not_asked.iter().map(|(part, _)| part.as_str()).collect();
    assert_eq!(parts, ["mempool.price", "mempool.network", "mempool.node", "amboss"]);
    assert_eq!(answer.seen[0].status, SourceStatus::Ok);
}

#[tokio::test]
async fn one_bad_part_leaves_the_others_good() {
    let server =
        Server::start(
            |request| {
                if request.path.ends_with("prices") { status(502, "", "<html>") } else { mempool(request) }
            },
        )
        .await;
    let answer = ask(&settings(Some(&server), None)).await;
    assert_eq!(parts(&answer), ["mempool.price"]);
    assert_eq!(answer.gaps[0].source, "mempool.space");
    assert_eq!(answer.gaps[0].reason, format!("127.0.0.1:{} answered HTTP 502", server.port));
    assert_eq!(answer.seen[0].status, SourceStatus::Partial);
    assert!(answer.view.price.is_none() && answer.view.chain_fees.is_some());
}

#[tokio::test]
async fn no_bad_body_is_taken_for_a_fact_or_stops_the_report() {
    let deep = "[".repeat(10_000);
    let closed = format!("{{\"latest\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for body in [
        "",
        " ",
        "\u{feff}",
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "-1",
        "1e400",
        "{\"time\":1e400}",
        "{\"latest\":{\"node_count\":-5}}",
        "{\"data\":{}}",
        "{\"data\":{\"getNode\":[]}}",
        "{\"errors\":7}",
        "{\"fastestFee\":1,\"fastestFee\":2}",
        "{\"latest\":1,\"latest\":2}",
        "<!doctype html><title>Log in</title>",
        "{\"public_key\":\"\u{202e}\"",
        deep.as_str(),
        closed.as_str(),
    ] {
        let text = body.to_owned();
        let server = Server::start(move |_| ok(&text)).await;
        let answer = ask(&settings(Some(&server), Some(&server))).await;
        let view = &answer.view;
        let shown: String = body.chars().take(60).collect();
        assert!(view.chain_fees.is_none() && view.block_height.is_none() && view.price.is_none(), "{shown}");
        assert!(view.network_by_mempool.is_none() && view.seen_by_mempool.is_none(), "{shown}");
        assert!(view.amboss_fees.is_none(), "{shown}");
        assert!(!answer.gaps.is_empty(), "{shown}");
        for gap in &answer.gaps {
            assert!(!gap.reason.contains(['\n', '\u{1b}', '\u{202e}']) && gap.reason.len() < 300, "{gap:?}");
        }
    }
}

#[tokio::test]
async fn a_dead_source_costs_a_few_tries_however_many_nodes_there_are() {
    let server = Server::start(|_| Say::Bytes(Vec::new())).await;
    let sources = sources(&settings(Some(&server), None), &memory());
    for n in 0..20 {
        let answer = sources.collect(&other_node(n), Network::Mainnet, NOW).await;
        assert_eq!((answer.gaps.len(), answer.seen[0].status), (5, SourceStatus::Failed));
    }
    // Two questions are on their way when the first gives up.
    assert!(server.count() <= 6, "{}", server.count());
}

fn keys(amboss: Option<&str>) -> Keys {
    Keys { amboss: amboss.map(SecretString::from), ..Keys::default() }
}

fn with_key(settings: &Settings, key: &str, limits: Limits) -> PublicSources {
    PublicSources::with_limits(settings, keys(Some(key)), &memory(), limits).unwrap()
}

#[tokio::test]
async fn the_key_goes_to_amboss_alone_and_into_no_words() {
    let chain = Server::start(mempool).await;
    for answer in [
        status(401, "", "your key sk-hunter2 is wrong"),
        status(400, "", "{\"errors\":[{\"message\":\"bad token sk-hunter2\"}]}"),
        ok("{\"errors\":[{\"message\":\"bad token sk-hunter2\"}],\"data\":null}"),
        status(307, "location: https://elsewhere.example/sk-hunter2\r\n", ""),
    ] {
        let graph = Server::start(move |_| answer.clone()).await;
        let sources = with_key(&settings(Some(&chain), Some(&graph)), " sk-hunter2\n", limits());
        let answer = sources.collect(&node(), Network::Mainnet, NOW).await;
        assert_eq!(parts(&answer), ["amboss.node", "amboss.fees"]);
        let all = format!("{answer:?} {sources:?}");
        assert!(!all.contains("hunter2"), "{all}");
        assert!(graph.seen().iter().all(|request| request.head.contains("authorization: bearer sk-hunter2\r\n")));
    }
    assert!(chain.count() > 0);
    assert!(chain.seen().iter().all(|request| !request.head.contains("hunter2")));
}

#[tokio::test]
async fn without_a_key_an_answer_that_needs_one_is_not_measured() {
    let graph = Server::start(|request| {
        if request.body.contains("fee_info") { ok(fixture!("amboss-errors.json")) } else { amboss(request) }
    })
    .await;
    let answer = ask(&settings(None, Some(&graph))).await;
    assert_eq!(answer.gaps, []);
    let reason = answer.not_asked.iter().find(|(part, _)| part == "amboss.fees").unwrap();
    assert!(reason.1.contains("amboss.key_file"), "{reason:?}");
    let answer = with_key(&settings(None, Some(&graph)), "k", limits()).collect(&node(), Network::Mainnet, NOW).await;
    assert_eq!(parts(&answer), ["amboss.fees"]);
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let why = |settings: &Settings, key: Option<&str>| {
        PublicSources::new(settings, keys(key), &memory()).unwrap_err().to_string()
    };
    let mut clear = Settings::default();
    clear.amboss.url = "http://api.amboss.space/graphql".to_owned();
    assert!(PublicSources::new(&clear, Keys::default(), &memory()).is_ok());
    assert!(why(&clear, Some("key")).contains("https://"));
    assert!(why(&Settings::default(), Some("two\nlines")).contains("wrong file?"));
    assert!(!why(&Settings::default(), Some("two\nlines")).contains("lines\n"));
    let proxy = Settings { proxy: Some("socks5://127.0.0.1:9050".to_owned()), ..Settings::default() };
    assert!(why(&proxy, None).contains("socks5h://"));
    let unknown = serde_json::from_str::<Settings>("{\"mempol\":{}}").unwrap_err().to_string();
    assert!(unknown.contains("mempol") && unknown.contains("mempool"), "{unknown}");
    assert!(serde_json::from_str::<Settings>("{\"amboss\":{\"api_key\":\"x\"}}").is_err());
    let empty: Settings = serde_json::from_str("{}").unwrap();
    assert!(!empty.mempool.enabled && !empty.amboss.enabled, "off unless set");
}

/// Keeps nothing and counts what it was given.
#[derive(Default)]
struct Counting(Mutex<Vec<String>>);

impl Cache for Counting {
    fn get(&self, _: &str, _: UnixMs) -> Option<(String, UnixMs)> {
        None
    }
    fn put(&self, key: &str, body: &str, _: UnixMs) {
        self.0.lock().unwrap().push(format!("{key} {body}"));
    }
}

#[tokio::test]
async fn only_answers_that_can_be_read_are_kept_and_never_with_a_key() {
    let chain =
        Server::start(|request| if request.path.ends_with("prices") { ok("not a price") } else { mempool(request) })
            .await;
    let graph = Server::start(amboss).await;
    let counting = Arc::new(Counting::default());
    let cache: Arc<dyn Cache> = Arc::<Counting>::clone(&counting);
    let key = keys(Some("sk-hunter2"));
    let sources = PublicSources::with_limits(&settings(Some(&chain), Some(&graph)), key, &cache, limits()).unwrap();
    sources.collect(&node(), Network::Mainnet, NOW).await;
    let kept = counting.0.lock().unwrap().clone();
    assert_eq!(kept.len(), 4 + 2, "{kept:?}");
    assert!(kept.iter().all(|kept| !kept.contains("hunter2") && !kept.contains("not a price")), "{kept:?}");
}
