//! The same suite for every public source: each answers right, refuses, hangs, lies, half answers, answers garbage, dies in
//! mid-stream and comes back. One table of cases, one of sources, and every pair of them is run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use daznode::snapshot::{BreakerState, ErrorClass, PublicView, SourceSeen, SourceStatus};
use daznode::sources::breaker::SourceState;
use daznode::sources::cache::{Cache, Memory};
use daznode::sources::health::{Probe, SourceCheck};
use daznode::sources::http::Limits;
use daznode::sources::public::{Keys, PublicAnswer, PublicSources, Settings};
use daznode::units::{Network, Sat, UnixMs};

use crate::kinds::{KINDS, Kind, remote};
use crate::server::{Say, Server, gzip_of_zeros, ok, status};
use crate::sources::{KEY, NOW, node};

const HOUR: i64 = 3_600_000;

/// Little enough for a test, and three tries as always.
fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        attempt: Duration::from_millis(600),
        question: Duration::from_secs(3),
        wait: Duration::from_millis(200),
        backoff: Duration::from_millis(5),
        body: 256 * 1024,
        ..Limits::default()
    }
}

impl Kind {
    fn sources(self, url: String, cache: &Arc<dyn Cache>) -> PublicSources {
        let mut settings = Settings::default();
        (self.on)(&mut settings, url);
        PublicSources::with_limits(&settings, Keys::default(), cache, limits()).unwrap()
    }
}

fn memory() -> Arc<dyn Cache> {
    Arc::new(Memory::default())
}

/// How one source came out.
struct Came {
    answer: PublicAnswer,
    check: Option<SourceCheck>,
    states: Vec<SourceState>,
}

/// What a report says of the source.
fn seen(kind: Kind, answer: &PublicAnswer) -> &SourceSeen {
    answer.seen.iter().find(|seen| seen.name == kind.name).unwrap()
}

impl Came {
    fn seen(&self, kind: Kind) -> &SourceSeen {
        seen(kind, &self.answer)
    }

    fn breaker(&self) -> BreakerState {
        self.states[0].breaker.state
    }
}

/// Asks a source all that a report asks, then checks it.
async fn ask(kind: Kind, url: String) -> Came {
    let (origin, sources) = (url.clone(), kind.sources(url, &memory()));
    let answer = sources.collect(&node(), Network::Mainnet, NOW).await;
    let states = sources.states();
    // The check is of a process of its own: what was learnt before would leave the source alone.
    let check = kind.sources(origin, &memory()).probe(NOW).await.pop();
    Came { answer, check, states }
}

/// What holds whatever a source does: a bad one costs its own facts, in one line that harms nobody.
fn holds(kind: Kind, case: &str, came: &Came) {
    let what = format!("{} {case}: {:?}", kind.name, came.answer);
    let seen = came.seen(kind);
    for gap in &came.answer.gaps {
        assert_eq!(gap.source, kind.name, "{what}");
        assert!(!gap.reason.contains(['\n', '\u{1b}', '\u{202e}']) && gap.reason.len() < 400, "{what}");
    }
    assert_eq!(came.answer.gaps.is_empty(), seen.status == SourceStatus::Ok, "{what}");
    assert_eq!(seen.health.error_class.is_some(), !came.answer.gaps.is_empty(), "{what}");
    assert!(seen.as_of.is_none_or(|as_of| as_of <= NOW), "{what}");
    let view = &came.answer.view;
    let nodes = [&view.seen_by_mempool, &view.seen_by_amboss, &view.seen_by_remote, &view.seen_by_lnrouter];
    for fact in nodes.into_iter().flatten() {
        let capacity = fact.value.capacity.unwrap_or_default();
        assert!(capacity >= Sat::ZERO && capacity <= Sat::new(2_100_000_000_000_000), "{what}");
        assert!(fact.value.capacity_rank != Some(0) && fact.as_of <= NOW, "{what}");
    }
    for fact in [&view.network_by_remote, &view.network_by_lnrouter].into_iter().flatten() {
        assert!(fact.as_of <= NOW, "{what}");
    }
    assert!(view.network_by_mempool.as_ref().is_none_or(|fact| fact.as_of <= NOW), "{what}");
    assert!(view.price.as_ref().is_none_or(|fact| fact.as_of <= NOW), "{what}");
}

#[tokio::test]
async fn each_answers_right() {
    for kind in KINDS {
        let server = Server::start(kind.good).await;
        let came = ask(kind, server.url()).await;
        holds(kind, "good", &came);
        assert_eq!(came.answer.gaps, [], "{}", kind.name);
        let seen = came.seen(kind);
        assert_eq!((seen.status, seen.health.breaker), (SourceStatus::Ok, Some(BreakerState::Closed)));
        assert!(seen.health.last_good >= Some(NOW), "{}", kind.name);
        let view = &came.answer.view;
        let nodes = [&view.seen_by_mempool, &view.seen_by_amboss, &view.seen_by_remote, &view.seen_by_lnrouter];
        let told: Vec<_> = nodes.into_iter().flatten().collect();
        assert_eq!(told.len(), 1, "{}", kind.name);
        assert_eq!((told[0].source.as_str(), told[0].value.channels), (kind.name, Some(7)));
        assert_eq!(told[0].value.capacity, Some(Sat::new(24_300_000)));
        let check = came.check.unwrap();
        assert_eq!((check.good, check.error, check.source.as_str()), (true, None, kind.name), "{check:?}");
        assert!(check.latency_ms.is_some());
    }
}

/// An answer for every question.
type Answer = fn() -> Say;

/// What a source can do to us, what that is called, and whether one run of it opens the breaker.
const CASES: &[(&str, Answer, ErrorClass, bool)] = &[
    ("refuses with 401", || status(401, "", "who are you"), ErrorClass::Credentials, false),
    ("refuses with 403", || status(403, "", "no"), ErrorClass::Credentials, false),
    ("refuses with 400", || status(400, "", "what"), ErrorClass::Status, false),
    ("asks to be left alone", || status(429, "", "slow down"), ErrorClass::TooMany, true),
    ("asks for an hour", || status(429, "retry-after: 3600\r\n", ""), ErrorClass::TooMany, true),
    ("fails with 500", || status(500, "", "{\"error\":\"\u{1b}[31m\"}"), ErrorClass::Status, false),
    ("asks for an hour with 503", || status(503, "retry-after: 3600\r\n", ""), ErrorClass::Status, true),
    ("hangs", || Say::Hang, ErrorClass::Timeout, true),
    ("says one byte at a time", || Say::Drip(Duration::from_millis(40)), ErrorClass::Timeout, true),
    ("hangs up", || Say::Bytes(Vec::new()), ErrorClass::Unreachable, true),
    ("dies in mid-stream", half, ErrorClass::Unreachable, true),
    ("speaks HTML", || ok("<!doctype html><title>Log in</title>"), ErrorClass::Malformed, false),
    ("says nothing", || ok(""), ErrorClass::Malformed, false),
    ("breaks off in good order", || ok("{\"data\":{\"getNode\":{"), ErrorClass::Malformed, false),
    ("has other types", || ok("[[1,true,null],\"x\"]"), ErrorClass::Malformed, false),
    ("nests deeply", || ok(&"[".repeat(50_000)), ErrorClass::Malformed, false),
    ("is not text", || Say::Again("", vec![0xff, 0xfe], 3), ErrorClass::Malformed, false),
    ("never ends", || Say::Again("", vec![b' '; 64 * 1024], 16 * 1024), ErrorClass::Malformed, false),
    ("sends a bomb", bomb, ErrorClass::Malformed, false),
    ("sends us to localhost", || status(302, "location: https://localhost:1/\r\n", ""), ErrorClass::Refused, false),
];

/// Of these, what is told by the body alone.
const UNREAD: [&str; 5] =
    ["speaks HTML", "says nothing", "breaks off in good order", "has other types", "nests deeply"];

/// A head that promises more than comes.
fn half() -> Say {
    Say::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"as_of\":".to_vec())
}

fn bomb() -> Say {
    Say::Again("content-encoding: gzip\r\n", gzip_of_zeros(64 * 1024 * 1024 / 258), 1)
}

#[tokio::test]
async fn each_case_costs_a_bad_source_its_own_facts_and_nothing_else() {
    for (case, answer, class, opens) in CASES {
        let all = KINDS.map(|kind| async move {
            let server = Server::start(|_| answer()).await;
            let began = Instant::now();
            let came = ask(kind, server.url()).await;
            let what = format!("{} {case}: {:?} {:?}", kind.name, came.answer, came.states);
            assert!(began.elapsed() < Duration::from_secs(30), "{what}");
            holds(kind, case, &came);
            assert_eq!(came.answer.view, PublicView::default(), "{what}");
            assert_eq!(came.seen(kind).status, SourceStatus::Failed, "{what}");
            assert_eq!(came.seen(kind).health.error_class, Some(*class), "{what}");
            // A source that is asked one question a run needs three runs for its own errors to add up.
            let (failures, open) = (came.states[0].breaker.failures, came.breaker() == BreakerState::Open);
            assert_eq!(open, *opens || failures >= 3, "{what}");
            let check = came.check.unwrap();
            // LNRouter's address may well be no page: what it says there is not read.
            let unread = kind.name == "lnrouter" && UNREAD.contains(case);
            assert_eq!((check.good, check.error), (unread, (!unread).then_some(*class)), "{what} {check:?}");
        });
        futures_util::future::join_all(all).await;
    }
}

#[tokio::test]
async fn nobody_there_and_no_such_page_are_told_apart() {
    for kind in KINDS {
        // A port that nobody listens at: taken and given back.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let free = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let came = ask(kind, free).await;
        holds(kind, "refused connection", &came);
        assert_eq!(came.seen(kind).health.error_class, Some(ErrorClass::Unreachable), "{}", kind.name);
        assert_eq!(came.breaker(), BreakerState::Open, "{}", kind.name);

        let lost = Server::start(|_| status(404, "", "no such page")).await;
        let came = ask(kind, lost.url()).await;
        // An own mempool may have no Lightning pages: that much is no failure.
        holds(kind, "404", &came);
        assert_eq!(came.seen(kind).health.error_class, Some(ErrorClass::Status), "{}", kind.name);
    }
}

#[tokio::test]
async fn no_lie_becomes_a_fact() {
    for kind in KINDS {
        for (index, lie) in kind.lies.into_iter().enumerate() {
            let server = Server::start(lie).await;
            let came = ask(kind, server.url()).await;
            let case = ["another node", "absurd numbers", "a time to come"][index];
            holds(kind, case, &came);
            let view = &came.answer.view;
            let nodes = [&view.seen_by_mempool, &view.seen_by_amboss, &view.seen_by_remote, &view.seen_by_lnrouter];
            let told: Vec<_> = nodes.into_iter().flatten().collect();
            match index {
                0 => {
                    assert!(told.is_empty(), "{} {case}: {told:?}", kind.name);
                    assert_eq!(came.seen(kind).health.error_class, Some(ErrorClass::Malformed), "{}", kind.name);
                }
                1 => {
                    let figures = |fact: &&daznode::snapshot::Fact<daznode::snapshot::SeenNode>| {
                        fact.value.capacity.is_some() || fact.value.capacity_rank.is_some()
                    };
                    assert!(!told.iter().any(figures), "{} {case}: {told:?}", kind.name);
                    assert!(view.block_height.is_none() && view.chain_fees.is_none(), "{}", kind.name);
                    assert!(view.network_by_mempool.is_none() && view.price.is_none(), "{}", kind.name);
                }
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn half_an_answer_is_half_a_view() {
    // What each source tells of itself in its first question and then no more.
    for kind in KINDS {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let server = Server::start(move |request| match count.fetch_add(1, Ordering::SeqCst) {
            0 => (kind.good)(request),
            _ => status(500, "", ""),
        })
        .await;
        let came = kind.sources(server.url(), &memory()).collect(&node(), Network::Mainnet, NOW).await;
        let seen = seen(kind, &came);
        let several = matches!(kind.name, "mempool.space" | "amboss");
        let want = if several { SourceStatus::Partial } else { SourceStatus::Ok };
        assert_eq!(seen.status, want, "{}: {came:?}", kind.name);
        assert_eq!(came.gaps.is_empty(), !several, "{}: {came:?}", kind.name);
        assert_ne!(came.view, PublicView::default(), "{}", kind.name);
    }
}

#[tokio::test]
async fn one_that_comes_back_is_tried_once_and_then_asked_as_before() {
    for kind in KINDS {
        let (up, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (is_up, count) = (Arc::clone(&up), Arc::clone(&asked));
        let server = Server::start(move |request| {
            count.fetch_add(1, Ordering::SeqCst);
            if is_up.load(Ordering::SeqCst) == 1 { (kind.good)(request) } else { Say::Bytes(Vec::new()) }
        })
        .await;
        let at = |minutes: i64| NOW.plus(minutes * 60_000);
        let first = kind.sources(server.url(), &memory());
        first.collect(&node(), Network::Mainnet, at(0)).await;
        let kept = first.states();
        assert_eq!(kept[0].breaker.state, BreakerState::Open, "{}", kind.name);
        // A second process, four minutes later: not a word goes out.
        let before = asked.load(Ordering::SeqCst);
        let second = kind.sources(server.url(), &memory());
        second.recall(&kept);
        let answer = second.collect(&node(), Network::Mainnet, at(4)).await;
        assert_eq!(seen(kind, &answer).health.error_class, Some(ErrorClass::LeftAlone), "{}: {answer:?}", kind.name);
        assert!(second.probe(at(4)).await.is_empty(), "{}", kind.name);
        assert_eq!(asked.load(Ordering::SeqCst), before, "{}", kind.name);
        // It is still away when its time is over: one try, and twice the time.
        let check = second.probe(at(8)).await.pop().unwrap();
        assert_eq!((check.good, asked.load(Ordering::SeqCst)), (false, before + 1), "{}", kind.name);
        let kept = second.states();
        let wait = kept[0].breaker.until.unwrap().since(at(8)) / 60_000;
        assert!((9..=12).contains(&wait), "{}: {wait} min", kind.name);
        // Then it is back.
        up.store(1, Ordering::SeqCst);
        let third = kind.sources(server.url(), &memory());
        third.recall(&kept);
        assert!(third.probe(at(30)).await.pop().unwrap().good, "{}", kind.name);
        assert_eq!(third.states()[0].breaker.state, BreakerState::Closed, "{}", kind.name);
        let answer = third.collect(&node(), Network::Mainnet, at(30)).await;
        assert_eq!(answer.gaps, [], "{}", kind.name);
        assert_eq!(seen(kind, &answer).status, SourceStatus::Ok, "{}", kind.name);
    }
}

#[tokio::test]
async fn what_is_kept_of_another_address_leaves_nobody_alone() {
    for kind in KINDS {
        let (bad, good) = (Server::start(|_| status(429, "", "")).await, Server::start(kind.good).await);
        let first = kind.sources(bad.url(), &memory());
        first.collect(&node(), Network::Mainnet, NOW).await;
        let second = kind.sources(good.url(), &memory());
        second.recall(&first.states());
        assert_eq!(second.collect(&node(), Network::Mainnet, NOW).await.gaps, [], "{}", kind.name);
    }
}

#[tokio::test]
async fn the_time_that_a_run_has_ends_every_source_and_what_is_kept_still_serves() {
    for kind in KINDS {
        let hangs = Arc::new(AtomicUsize::new(0));
        let now_hangs = Arc::clone(&hangs);
        let server =
            Server::start(
                move |request| {
                    if now_hangs.load(Ordering::SeqCst) == 1 { Say::Hang } else { (kind.good)(request) }
                },
            )
            .await;
        let cache = memory();
        kind.sources(server.url(), &cache).collect(&node(), Network::Mainnet, NOW).await;
        hangs.store(1, Ordering::SeqCst);
        let sources = kind.sources(server.url(), &cache);
        let (began, later) = (Instant::now(), NOW.plus(5 * HOUR));
        let until = tokio::time::Instant::now() + Duration::from_millis(300);
        let answer = sources.collect_until(&node(), Network::Mainnet, later, Some(until)).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{}: {:?}", kind.name, began.elapsed());
        assert_eq!(seen(kind, &answer).status, SourceStatus::Stale, "{}: {answer:?}", kind.name);
        assert_ne!(answer.view, PublicView::default(), "{}", kind.name);
        assert!(
            !answer.gaps.is_empty() && answer.gaps[0].reason.contains("its answer of"),
            "{}: {answer:?}",
            kind.name
        );
    }
}

#[tokio::test]
async fn a_probe_names_no_node_and_offline_sends_none() {
    for kind in KINDS {
        let server = Server::start(kind.good).await;
        kind.sources(server.url(), &memory()).probe(NOW).await;
        assert_eq!(server.count(), 1, "{}", kind.name);
        let request = &server.seen()[0];
        assert!(!request.head.contains(KEY) && !request.body.contains(KEY), "{}: {request:?}", kind.name);
        let mut settings = Settings { offline: true, ..Settings::default() };
        (kind.on)(&mut settings, server.url());
        let sources = PublicSources::with_limits(&settings, Keys::default(), &memory(), limits()).unwrap();
        assert!(sources.probe(UnixMs(0)).await.is_empty());
        assert_eq!(server.connections.load(Ordering::SeqCst), 1, "{}", kind.name);
    }
}

#[tokio::test]
async fn keys_go_to_their_own_source_in_the_header_that_it_wants() {
    let server = Server::start(remote).await;
    let mut settings = Settings::default();
    for kind in [KINDS[2], KINDS[3]] {
        (kind.on)(&mut settings, server.url());
    }
    let keys = Keys {
        remote: Some("rk-hunter2".to_owned().into()),
        lnrouter: Some("lk-hunter3\n".to_owned().into()),
        ..Keys::default()
    };
    let sources = PublicSources::with_limits(&settings, keys, &memory(), limits()).unwrap();
    let answer = sources.collect(&node(), Network::Mainnet, NOW).await;
    sources.probe(NOW).await;
    assert!(!format!("{answer:?} {sources:?}").contains("hunter"));
    for request in server.seen() {
        let to_remote = request.head.contains("authorization: bearer rk-hunter2\r\n");
        let to_router = request.head.contains("x-api-key: lk-hunter3\r\n");
        assert!(to_remote != to_router, "{}", request.head);
        let others = if to_remote { "hunter3" } else { "hunter2" };
        assert!(!request.head.contains(others), "{}", request.head);
    }
    let note = answer.seen.iter().find(|seen| seen.name == "lnrouter").unwrap().detail.clone().unwrap();
    assert!(note.starts_with("unverified"), "{note}");
}
