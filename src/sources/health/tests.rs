use bytes::Bytes;
use prost::Message;
use tonic_lnd::lnrpc;

use super::*;
use crate::sources::answers::{self, Method};

const KEY: &str = "02a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0";
// 2026-11-21T06:00:00Z
const NOW: UnixMs = UnixMs(1_795_240_800_000);

/// A node that says who it is, or fails.
struct Says(Result<lnrpc::GetInfoResponse, Error>);

impl Answers for Says {
    async fn ask(&self, method: &'static Method, _: Bytes) -> Result<Bytes, Error> {
        if *method == answers::GET_INFO {
            return self.0.clone().map(|info| info.encode_to_vec().into());
        }
        let (address, call) = ("lnd:10009".to_owned(), method.name().to_owned());
        Err(Error::NotOffered { address, call, reason: "too old".to_owned() })
    }

    fn address(&self) -> &'static str {
        "lnd:10009"
    }
}

/// A node that never answers.
struct Hangs;

impl Answers for Hangs {
    async fn ask(&self, _: &'static Method, _: Bytes) -> Result<Bytes, Error> {
        std::future::pending().await
    }

    fn address(&self) -> &'static str {
        "lnd:10009"
    }
}

fn info(synced: bool) -> lnrpc::GetInfoResponse {
    lnrpc::GetInfoResponse {
        identity_pubkey: KEY.to_owned(),
        version: "0.21.0-beta commit=x".to_owned(),
        chains: vec![lnrpc::Chain { network: "regtest".to_owned(), ..Default::default() }],
        block_height: 812,
        best_header_timestamp: NOW.secs() - 600,
        synced_to_chain: synced,
        synced_to_graph: true,
        ..Default::default()
    }
}

fn node() -> NodeHealth {
    NodeHealth::new(KEY.parse().unwrap(), Network::Regtest, Breaker::default())
}

fn unreachable() -> Error {
    Error::Unreachable { address: "lnd:10009".to_owned(), reason: "refused".to_owned() }
}

#[tokio::test]
async fn a_node_that_answers_tells_its_version_and_the_age_of_its_last_block() {
    let node = node();
    let probe = NodeProbe { health: &node, answers: &Says(Ok(info(true))) };
    let [check] = &probe.probe(NOW).await[..] else { panic!("one check") };
    assert_eq!((check.source.as_str(), check.subject.as_str(), check.at), ("lnd", KEY, NOW));
    assert_eq!((check.good, check.error, check.detail.as_deref()), (true, None, None));
    assert_eq!(check.version.as_deref(), Some("0.21.0-beta"));
    assert_eq!(check.newest, Some(NOW.plus(-600_000)));
    assert!(check.latency_ms.is_some());
    assert_eq!(probe.states()[0].breaker.last_good, Some(NOW));
}

#[tokio::test]
async fn a_node_behind_its_chain_answers_and_is_not_well() {
    let node = node();
    let check = node.probe(&Says(Ok(info(false))), NOW).await;
    assert_eq!((check.good, check.error), (false, Some(ErrorClass::NotReady)));
    assert_eq!(check.detail.as_deref(), Some("not synced to the chain at height 812"));
    let breaker = node.state().breaker;
    assert_eq!((breaker.state, breaker.last_good), (BreakerState::Closed, None), "it is there, and worth asking");
}

#[tokio::test]
async fn another_node_at_the_address_is_a_failure_of_credentials() {
    let elsewhere =
        NodeHealth::new(format!("03{}", "1".repeat(64)).parse().unwrap(), Network::Regtest, Breaker::default());
    let check = elsewhere.probe(&Says(Ok(info(true))), NOW).await;
    assert_eq!((check.good, check.error), (false, Some(ErrorClass::Credentials)));
}

#[tokio::test]
async fn a_node_that_hangs_is_not_waited_for() {
    let check = node().probe_within(&Hangs, NOW, Duration::from_millis(20)).await;
    assert_eq!((check.good, check.error), (false, Some(ErrorClass::Timeout)));
}

#[tokio::test]
async fn a_node_is_checked_whatever_its_breaker_says_and_a_good_answer_closes_it() {
    let node = node();
    let at = |minutes: i64| NOW.plus(minutes * 60_000);
    for minute in 0..10 {
        assert_eq!(node.probe(&Says(Err(unreachable())), at(minute)).await.error, Some(ErrorClass::Unreachable));
    }
    let breaker = node.state().breaker;
    assert_eq!((breaker.state, breaker.failures), (BreakerState::Open, 10));
    assert_eq!(breaker.opened, 2, "open from minute 2 to 7 or a little later, then for twice as long");
    assert!(breaker.last_error.unwrap().contains("cannot reach lnd:10009"));
    assert!(node.probe(&Says(Ok(info(true))), at(10)).await.good);
    assert_eq!(node.state().breaker, Breaker { last_good: Some(at(10)), ..Breaker::default() });
}

#[test]
fn each_failure_has_its_class() {
    let host = || "h".to_owned();
    let of = |error: http::Error| ErrorClass::from(&error);
    assert_eq!(of(http::Error::Status { host: host(), status: 401, excerpt: host() }), ErrorClass::Credentials);
    assert_eq!(of(http::Error::Status { host: host(), status: 403, excerpt: host() }), ErrorClass::Credentials);
    assert_eq!(of(http::Error::Status { host: host(), status: 500, excerpt: host() }), ErrorClass::Status);
    assert_eq!(of(http::Error::Busy { host: host(), status: 429, wait: None }), ErrorClass::TooMany);
    assert_eq!(of(http::Error::LeftAlone { host: host(), reason: host() }), ErrorClass::LeftAlone);
    assert_eq!(of(http::Error::TooBig { host: host(), mib: 8 }), ErrorClass::Malformed);
    assert_eq!(of(http::Error::Offline { host: host() }), ErrorClass::Offline);
    let of = |error: Error| ErrorClass::from(&error);
    assert_eq!(of(unreachable()), ErrorClass::Unreachable);
    assert_eq!(of(Error::Macaroon { reason: host() }), ErrorClass::Credentials);
    assert_eq!(of(Error::NotReady { address: host(), reason: host() }), ErrorClass::NotReady);
    assert_eq!(of(Error::Certificate { address: host(), reason: host() }), ErrorClass::Certificate);
    assert_eq!(serde_json::to_value(ErrorClass::TooMany).unwrap(), "too_many");
}

#[test]
fn hours_and_days_count_where_all_of_them_lie_in_the_time() {
    let tally = |checks, good| Tally { checks, good };
    let checks = [
        (-1, tally(9, 0)),
        (0, tally(1, 1)),
        (23, tally(2, 0)),
        (24, tally(4, 4)),
        (167, tally(8, 8)),
        (719, tally(1, 0)),
    ];
    let day = |ago: i64, tally| CheckedDay { start: NOW.day().plus(-ago).start(), tally };
    let days = [day(366, tally(100, 100)), day(364, tally(10, 5)), day(40, tally(10, 10))];
    let told = availability(&checks, &days, NOW);
    assert_eq!((told.day, told.week, told.month), (tally(3, 1), tally(15, 13), tally(16, 13)));
    assert_eq!(told.year, tally(36, 28));
    assert_eq!(tally(3, 1).share(), Some(1.0 / 3.0));
    assert_eq!(Tally::default().share(), None, "without a check nothing is said");
    assert_eq!(jitter_range(), (true, true));
}

/// Whether jitter stays in its range, and is not always the same.
fn jitter_range() -> (bool, bool) {
    let some: Vec<u32> = (0..50).map(|_| jitter()).collect();
    (some.iter().all(|n| *n < 1000), some.iter().any(|n| *n != some[0]))
}
