//! The guarded client against servers that behave badly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use daznode::sources::http::{Error, Http, Limits, Question, Reply};
use daznode::units::UnixMs;
use url::Url;

use crate::server::{Say, Server, Socks, gzip_of_zeros, ok, status};

const NOW: UnixMs = UnixMs(1_795_240_800_000);

/// Long enough for a busy machine, short enough for a test.
pub fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(10),
        question: Duration::from_secs(30),
        wait: Duration::from_secs(2),
        backoff: Duration::from_millis(5),
        ..Limits::default()
    }
}

fn client(limits: Limits) -> Http {
    Http::new(limits, None, ["127.0.0.1".to_owned()], false).unwrap()
}

async fn get(http: &Http, url: &str) -> Result<Reply, Error> {
    http.ask(&Question::get(Url::parse(url).unwrap()), NOW).await
}

#[tokio::test]
async fn a_good_answer_comes_whole_whatever_its_type_and_without_its_byte_order_mark() {
    let server = Server::start(|request| match request.path.as_str() {
        "/text" => status(200, "content-type: text/plain\r\n", "698767"),
        _ => ok("\u{feff}{}"),
    })
    .await;
    let http = client(limits());
    let text = get(&http, &format!("{}/text", server.url())).await.unwrap();
    assert_eq!(text, Reply { status: 200, body: "698767".to_owned(), wait: None });
    assert_eq!(get(&http, &server.url()).await.unwrap().body, "{}");
    let head = server.seen()[0].head.clone();
    assert!(head.contains("user-agent: daznode/"), "{head}");
    for never in ["referer:", "cookie:", "authorization:"] {
        assert!(!head.contains(never), "{head}");
    }
}

#[tokio::test]
async fn passing_errors_are_tried_three_times_and_lasting_ones_once() {
    for (code, tries) in [(400, 1), (401, 1), (403, 1), (404, 1), (408, 3), (500, 3), (502, 3), (503, 3), (504, 3)] {
        let server = Server::start(move |_| status(code, "", "{\"error\":\"no \u{1b}[31mluck\"}")).await;
        let error = get(&client(limits()), &format!("{}/secret/path", server.url())).await.unwrap_err();
        let words = error.to_string();
        assert_eq!(words, format!("127.0.0.1:{} answered HTTP {code}: {{\"error\":\"no [31mluck\"}}", server.port));
        assert_eq!(server.count(), tries, "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_gets_better_is_taken() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => status(503, "retry-after: 0\r\n", "Service Unavailable"),
        1 => status(429, "", "slow down"),
        _ => ok("1"),
    })
    .await;
    assert_eq!(get(&client(limits()), &server.url()).await.unwrap().body, "1");
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn an_error_that_the_caller_calls_final_is_an_answer() {
    let server = Server::start(|_| status(500, "", "{\"error\":\"Failed to get node\"}")).await;
    let question = Question {
        is_final: |status, body| status == 500 && body.contains("Failed to get node"),
        ..Question::get(Url::parse(&server.url()).unwrap())
    };
    assert_eq!(client(limits()).ask(&question, NOW).await.unwrap().status, 500);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn retry_after_is_honoured_up_to_its_limit() {
    // 2026-11-21T06:00:00Z is NOW; an hour later is more than is waited for, an hour before is at once.
    assert_eq!(NOW.rfc3339(), "2026-11-21T06:00:00Z");
    for (header, tries, at_least) in [
        ("retry-after: 0\r\n", 3, 0),
        ("retry-after: 1\r\n", 3, 2000),
        ("retry-after: 1000000000\r\n", 1, 0),
        ("retry-after: 99999999999999999999999\r\n", 1, 0),
        ("retry-after: Sat, 21 Nov 2026 07:00:00 GMT\r\n", 1, 0),
        ("retry-after: Sat, 21 Nov 2026 05:00:00 GMT\r\n", 3, 0),
        ("retry-after: soon\r\n", 3, 0),
        ("", 3, 0),
    ] {
        for code in [429, 503] {
            let server = Server::start(move |_| status(code, header, "")).await;
            let http = client(limits());
            let began = Instant::now();
            let first = get(&http, &server.url()).await.unwrap_err();
            let took = began.elapsed();
            assert_eq!(server.count(), tries, "{code} {header}");
            assert!(took >= Duration::from_millis(at_least), "{code} {header}: {took:?}");
            assert!(first.to_string().contains(&format!("HTTP {code}")), "{first}");
            // Who asked to be left alone is: not asked again in this run.
            if code == 429 || tries == 1 {
                let again = get(&http, &format!("{}/other", server.url())).await.unwrap_err();
                assert!(matches!(again, Error::LeftAlone { .. }), "{again}");
                assert_eq!(server.count(), tries, "{code} {header}");
            }
        }
    }
}

#[tokio::test]
async fn what_has_a_patience_of_its_own_is_asked_though_its_host_is_left_alone() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => status(429, "retry-after: 3600\r\n", ""),
        _ => ok("1"),
    })
    .await;
    let http = client(limits());
    assert!(matches!(get(&http, &server.url()).await, Err(Error::Busy { .. })));
    assert!(matches!(get(&http, &server.url()).await, Err(Error::LeftAlone { .. })));
    let question = Question { anyway: true, ..Question::get(Url::parse(&server.url()).unwrap()) };
    assert!(http.ask(&question, NOW).await.is_ok());
    assert!(get(&http, &server.url()).await.is_ok(), "and what it finds counts for all");
}

#[tokio::test]
async fn an_endless_answer_and_a_bomb_end_at_the_limit() {
    let endless = Server::start(|_| Say::Again("", vec![b' '; 1024 * 1024], 300)).await;
    let error = get(&client(limits()), &endless.url()).await.unwrap_err();
    assert!(matches!(error, Error::TooBig { mib: 8, .. }), "{error}");
    let sent = endless.sent.load(Ordering::SeqCst);
    assert!(sent < 64 * 1024 * 1024, "{sent} bytes were taken");

    let bomb = gzip_of_zeros(300 * 1024 * 1024 / 258);
    assert!(bomb.len() < 3 * 1024 * 1024, "small on the wire");
    let server = Server::start(move |_| Say::Again("content-encoding: gzip\r\n", bomb.clone(), 1)).await;
    let error = get(&client(limits()), &server.url()).await.unwrap_err();
    assert!(matches!(error, Error::TooBig { mib: 8, .. }), "{error}");
    assert_eq!((endless.count(), server.count()), (1, 1), "not tried again");
}

#[tokio::test]
async fn a_packed_answer_below_the_limit_is_unpacked() {
    let small = Limits { body: 258 * 4 + 1, ..limits() };
    for (runs, fits) in [(4, true), (5, false)] {
        let mut packed = gzip_of_zeros(runs);
        // End of block is seven zero bits; the trailer's check and length are those of the zeros.
        packed.extend([0, 0]);
        let server = Server::start(move |_| Say::Again("content-encoding: gzip\r\n", packed.clone(), 1)).await;
        let error = get(&client(small), &server.url()).await.unwrap_err();
        assert_eq!(matches!(error, Error::TooBig { .. }), !fits, "{runs}: {error}");
    }
}

#[tokio::test]
async fn one_byte_at_a_time_and_silence_end_with_the_total_time() {
    let short = Limits { attempt: Duration::from_millis(400), ..limits() };
    for say in [Say::Drip(Duration::from_millis(50)), Say::Hang] {
        let server = Server::start(move |_| say.clone()).await;
        let began = Instant::now();
        let http = client(short);
        let error = get(&http, &server.url()).await.unwrap_err();
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(server.count(), 3);
        assert!(
            matches!(get(&http, &server.url()).await, Err(Error::LeftAlone { .. })),
            "a slow host holds up one question"
        );
    }
}

#[tokio::test]
async fn all_tries_together_end_with_the_question() {
    let short = Limits { attempt: Duration::from_secs(9), question: Duration::from_millis(500), ..limits() };
    let server = Server::start(|_| Say::Hang).await;
    let began = Instant::now();
    assert!(get(&client(short), &server.url()).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn nothing_listening_and_hanging_up_are_said_without_the_path() {
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let words = get(&client(limits()), &format!("http://127.0.0.1:{gone}/secret")).await.unwrap_err().to_string();
    assert!(words.starts_with(&format!("cannot reach 127.0.0.1:{gone}: ")), "{words}");
    assert!(words.contains("refused") && !words.contains("secret"), "{words}");
    let server = Server::start(|_| Say::Bytes(Vec::new())).await;
    let words = get(&client(limits()), &format!("{}/secret", server.url())).await.unwrap_err().to_string();
    assert!(words.starts_with("cannot reach") && !words.contains("secret"), "{words}");
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn text_that_is_not_utf8_is_no_answer() {
    let server = Server::start(|_| Say::Again("", vec![0xff, 0xfe, 0x00], 1)).await;
    let error = get(&client(limits()), &server.url()).await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_to_anywhere_private_or_foreign_is_not_followed() {
    let other = Server::start(|_| ok("1")).await;
    let port = other.port;
    for location in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://localhost:{port}/"),
        format!("http://localhost:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("https://127.1:{port}/"),
        format!("https://0x7f000001:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://[::1]:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://0:{port}/"),
        format!("https://user@127.0.0.1:{port}/"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "https://other.example/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
        "/api/".to_owned(),
        "\u{e9}".to_owned(),
        "https://".to_owned(),
    ] {
        for code in [301, 302, 303, 307, 308] {
            let header = format!("location: {location}\r\n");
            let server = Server::start(move |_| status(code, &header, "")).await;
            let error = get(&client(limits()), &server.url()).await.unwrap_err();
            assert!(!matches!(error, Error::Setup(_)), "{error}");
            assert_eq!(server.count(), 1, "{code} {location}: asked once");
        }
    }
    assert_eq!(other.connections.load(Ordering::SeqCst), 0, "nobody knocked there");
}

#[tokio::test]
async fn an_address_that_the_config_does_not_name_is_not_dialled_when_private() {
    let server = Server::start(|_| ok("1")).await;
    let port = server.port;
    let http = Http::new(limits(), None, ["umbrel.local".to_owned()], false).unwrap();
    for host in ["127.0.0.1", "127.1", "0x7f000001", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]", "0"] {
        let error = get(&http, &format!("http://{host}:{port}/")).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{host}: {error}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn offline_sends_nothing() {
    let server = Server::start(|_| ok("1")).await;
    let http = Http::new(limits(), None, ["127.0.0.1".to_owned()], true).unwrap();
    assert!(matches!(get(&http, &server.url()).await, Err(Error::Offline { .. })));
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn names_go_through_the_proxy_unresolved_and_what_is_private_goes_past_it() {
    let socks = Socks::start(|request| ok(&format!("\"{}\"", request.path))).await;
    let near = Server::start(|_| ok("\"near\"")).await;
    let proxy = format!("socks5h://127.0.0.1:{}", socks.port);
    let http = Http::new(limits(), Some(&proxy), ["127.0.0.1".to_owned()], false).unwrap();
    assert_eq!(get(&http, "http://no-such-name.example/a").await.unwrap().body, "\"/a\"");
    assert_eq!(get(&http, "http://abcdefghijklmnop.onion:81/b").await.unwrap().body, "\"/b\"");
    assert_eq!(get(&http, &near.url()).await.unwrap().body, "\"near\"");
    assert_eq!(socks.names(), ["no-such-name.example:80", "abcdefghijklmnop.onion:81"]);
    let heads: Vec<String> = socks.seen().into_iter().map(|request| request.head).collect();
    assert!(heads[0].contains("host: no-such-name.example"), "{heads:?}");
    // A private address that the config does not name is no more reachable through a proxy.
    assert!(matches!(get(&http, "http://10.1.2.3/").await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn a_dead_proxy_is_no_reason_to_go_past_it() {
    let http = Http::new(limits(), Some("socks5h://127.0.0.1:1"), [], false).unwrap();
    let words = get(&http, "http://localhost.example/").await.unwrap_err().to_string();
    assert!(words.starts_with("cannot reach localhost.example: ") && words.contains("proxy"), "{words}");
}

#[tokio::test]
async fn an_onion_address_needs_a_proxy() {
    let words = get(&client(limits()), "http://abcdefghijklmnop.onion/").await.unwrap_err().to_string();
    assert!(words.contains("set proxy"), "{words}");
}

#[test]
fn only_a_proxy_that_resolves_names_itself_is_taken() {
    let why = |proxy: &str| Http::new(limits(), Some(proxy), [], false).unwrap_err().to_string();
    assert!(why("socks5://127.0.0.1:9050").contains("write socks5h:// instead"));
    for bad in
        ["http://127.0.0.1:8080", "127.0.0.1:9050", "socks5h://", "socks5h://127.0.0.1", "socks4://127.0.0.1:1", ""]
    {
        assert!(why(bad).contains("expected socks5h://host:port"), "{bad}");
    }
    assert!(!why("http://user:hunter2@127.0.0.1:8080").contains("hunter2"));
    assert!(Http::new(limits(), Some("socks5h://user:pass@127.0.0.1:9050"), [], false).is_ok());
}

const CHILD: &str = "DAZNODE_TEST_SERVER";

/// The half of the next test that runs with proxy variables in its environment.
#[tokio::test]
async fn child_that_asks_with_proxy_variables() {
    let Ok(url) = std::env::var(CHILD) else { return };
    assert_eq!(get(&client(limits()), &url).await.unwrap().body, "\"direct\"");
}

#[tokio::test]
async fn proxy_variables_of_the_environment_are_ignored() {
    let server = Server::start(|_| ok("\"direct\"")).await;
    let proxy = Server::start(|_| ok("\"proxied\"")).await;
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "http::child_that_asks_with_proxy_variables"]).env(CHILD, server.url());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.url());
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.count(), proxy.connections.load(Ordering::SeqCst)), (1, 0));
}
