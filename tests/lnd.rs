//! The connection to LND against a server that is LND as far as it can tell, and against ones that misbehave.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a panic is how a test fails")]

#[path = "lnd/streams.rs"]
mod streams;
mod support;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use daznode::sources::Error;
use daznode::sources::answers::{Answers, DESCRIBE_GRAPH, GET_INFO, GET_STATE, METHODS, Method};
use daznode::sources::lnd::certificate::Pinned;
use daznode::sources::lnd::errors::State;
use daznode::sources::lnd::macaroon::Macaroon;
use daznode::sources::lnd::{Connection, Options, Trust};
use daznode::units::UnixMs;
use support::fake_lnd::{FakeLnd, Reply, Shows};

/// 2026-11-21 12:00 UTC.
const NOW: UnixMs = UnixMs(1_795_262_400_000);

fn bob() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lnd/bob")
}

fn readonly() -> Macaroon {
    Macaroon::parse(&std::fs::read(bob().join("readonly.macaroon")).unwrap()).unwrap()
}

fn options(address: &str, certificate: &str) -> Options {
    Options {
        address: address.parse().unwrap(),
        trust: Trust::Pinned(Pinned::parse(certificate.as_bytes()).unwrap()),
        macaroon: readonly(),
        proxy: None,
        offline: false,
        now: NOW,
    }
}

async fn open(lnd: &FakeLnd) -> Connection {
    Connection::open(&options(&lnd.address(), lnd.certificate())).await.unwrap()
}

async fn ask(lnd: &FakeLnd, method: &'static Method) -> Result<Bytes, Error> {
    open(lnd).await.ask(method, Bytes::new()).await
}

#[tokio::test]
async fn a_recording_comes_over_the_wire_byte_for_byte() {
    let lnd = FakeLnd::builder().recording(&bob()).macaroon(readonly().expose()).start();
    let connection = open(&lnd).await;
    assert_eq!(connection.state().await, Ok(State::Ready));
    assert!(connection.certificate_not_after().unwrap().rfc3339().starts_with("2100-01-01"));
    for method in METHODS {
        let file = bob().join(format!("{}.pb", method.file_stem()));
        match std::fs::read(&file) {
            Ok(recorded) => {
                assert_eq!(connection.ask(method, Bytes::new()).await.unwrap(), recorded, "{}", method.path);
            }
            Err(_) => assert!(matches!(connection.ask(method, Bytes::new()).await, Err(Error::NotOffered { .. }))),
        }
    }
    assert_eq!(lnd.connections(), 1);
}

/// The same limits as the real ones, only shorter.
static QUICK: Method = Method { path: "/lnrpc.Lightning/GetInfo", max_bytes: 1 << 20, timeout: Duration::from_secs(1) };

fn one_harmless_line(error: &Error) -> String {
    let line = error.to_string();
    assert_eq!(line.lines().count(), 1, "{line:?}");
    assert!(!line.chars().any(char::is_control), "{line:?}");
    line
}

#[tokio::test]
async fn each_refusal_of_a_real_lnd_comes_out_with_its_meaning() {
    let recorded: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bob().parent().unwrap().join("errors.json")).unwrap()).unwrap();
    for (name, words) in [
        ("no_macaroon", "macaroon: LND got none"),
        ("bad_signature", "macaroon: it is not from this LND"),
        ("garbage_macaroon", "macaroon: it is damaged"),
        ("not_hex", "macaroon: it is damaged"),
        ("insufficient_permissions", "macaroon: it does not permit GetInfo"),
        ("expired_macaroon", "macaroon: it has expired"),
        ("unknown_method", "has no GetInfo: this LND is older"),
        ("wallet_not_created", "is not ready: LND has no wallet yet: create one with `lncli create`"),
        ("starting_up", "is not ready: LND is starting up"),
        ("wallet_locked", "is not ready: LND's wallet is locked: unlock it with `lncli unlock`"),
        ("watchtower_client_not_there_stats", "has no GetInfo: watchtower client not active"),
        ("damaged_channel_backup", "refused GetInfo: invalid multi channel backup"),
    ] {
        let text = recorded[name]["details"].as_str().unwrap().to_owned();
        let code = u32::try_from(recorded[name]["number"].as_u64().unwrap()).unwrap();
        let lnd = FakeLnd::answering(move |_| Reply::Refuse(code, text.clone()));
        let line = one_harmless_line(&ask(&lnd, &GET_INFO).await.unwrap_err());
        assert!(line.contains(words), "{name}: {line}");
    }
}

#[tokio::test]
async fn a_refusal_in_unknown_words_is_explained_by_the_state() {
    let lnd = FakeLnd::answering(|asked| match asked.path {
        "/lnrpc.State/GetState" => Reply::Message(Bytes::from_static(&[8, 1])),
        _ => Reply::Refuse(12, "unknown service lnrpc.Lightning".to_owned()),
    });
    let error = ask(&lnd, &GET_INFO).await.unwrap_err();
    assert!(matches!(error, Error::NotReady { .. }), "{error}");
    assert!(one_harmless_line(&error).contains("lncli unlock"));
}

#[tokio::test]
async fn hostile_words_of_a_node_come_out_harmless_and_short() {
    let lnd = FakeLnd::answering(|_| Reply::unknown(&format!("\u{1b}[2J\u{9b}1m\u{202e}Ü 100%\n{}", "x".repeat(3000))));
    let line = one_harmless_line(&ask(&lnd, &GET_INFO).await.unwrap_err());
    assert!(line.contains("Ü 100%") && !line.contains('\u{202e}') && line.chars().count() < 320, "{line:?}");
}

#[tokio::test]
async fn the_macaroon_goes_to_no_server_with_another_certificate() {
    let (right, wrong) = (FakeLnd::of_recording(&bob()), FakeLnd::of_recording(&bob()));
    let error = Connection::open(&options(&wrong.address(), right.certificate())).await.unwrap_err();
    let line = one_harmless_line(&error);
    assert!(matches!(error, Error::Certificate { .. }) && error.is_credentials() && !error.is_transient(), "{line}");
    let was = Pinned::parse(right.certificate().as_bytes()).unwrap().sha256();
    let now = Pinned::parse(wrong.certificate().as_bytes()).unwrap().sha256();
    assert!(line.contains(&format!("was sha256 {was}, now {now}")), "{line}");
    assert_eq!((wrong.connections(), wrong.calls()), (1, 0));
}

#[tokio::test]
async fn a_pinned_certificate_is_held_against_its_dates() {
    let old = FakeLnd::builder().shows(Shows::SelfMade { from_year: 2020, until_year: 2026 }).start();
    let error = Connection::open(&options(&old.address(), old.certificate())).await.unwrap_err();
    assert!(one_harmless_line(&error).contains("it expired on 2026-01-01: remove tls.cert and tls.key"), "{error}");
    let early = FakeLnd::builder().shows(Shows::SelfMade { from_year: 2027, until_year: 2030 }).start();
    let error = Connection::open(&options(&early.address(), early.certificate())).await.unwrap_err();
    let line = one_harmless_line(&error);
    assert!(
        line.contains("not valid before 2027-01-01T00:00:00Z and this machine's clock says 2026-11-21T12:00:00Z"),
        "{line}"
    );
    assert_eq!((old.calls(), early.calls()), (0, 0));
}

#[tokio::test]
async fn without_a_pinned_certificate_an_authority_must_have_signed_it() {
    let own = FakeLnd::of_recording(&bob());
    let by_authority = |address: String| Options { trust: Trust::Authority, ..options(&address, own.certificate()) };
    let line = one_harmless_line(&Connection::open(&by_authority(own.address())).await.unwrap_err());
    assert!(line.contains("give its tls.cert so that it is pinned") || line.contains("ca-certificates"), "{line}");
    assert_eq!(own.calls(), 0);

    let signed =
        FakeLnd::builder().recording(&bob()).shows(Shows::Signed { names: vec!["localhost".to_owned()] }).start();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::File::create(&authority).unwrap().write_all(signed.authority().unwrap().as_bytes()).unwrap();
    let port = signed.address().rsplit_once(':').unwrap().1.to_owned();
    // Which authorities the system trusts is the environment's to say, so the question is asked in a process of its own.
    let asked = |host: &str| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["asks_by_the_authorities_of_the_environment", "--exact", "--ignored", "--nocapture"])
            .env("SSL_CERT_FILE", &authority)
            .env_remove("SSL_CERT_DIR")
            .env("ASK_AT", format!("{host}:{port}"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let good = asked("localhost");
    assert!(good.contains("said: ok"), "{good}");
    let other_host = asked("127.0.0.1");
    assert!(other_host.contains("made out to another host"), "{other_host}");
}

#[tokio::test]
#[ignore = "a part of the test above"]
async fn asks_by_the_authorities_of_the_environment() {
    let Ok(address) = std::env::var("ASK_AT") else { return };
    let options = Options {
        address: address.parse().unwrap(),
        trust: Trust::Authority,
        macaroon: readonly(),
        proxy: None,
        offline: false,
        now: NOW,
    };
    let said = match Connection::open(&options).await {
        Ok(connection) => connection.ask(&GET_INFO, Bytes::new()).await.map(|_| "ok".to_owned()),
        Err(error) => Err(error),
    };
    println!("said: {}", said.unwrap_or_else(|error| error.to_string()));
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let lnd = FakeLnd::of_recording(&bob());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (address, words) in [
        (free.as_str(), "nothing listens there"),
        ("no-such-host.invalid.localhost", "no address is known for no-such-host.invalid.localhost"),
        ("unix:///no/such/socket", "there is no such socket"),
    ] {
        let error = Connection::open(&options(address, lnd.certificate())).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }) && error.is_transient(), "{error:?}");
        assert!(one_harmless_line(&error).contains(words), "{error}");
    }
    let onion = Connection::open(&options("abcdefghijklmnop.onion:10009", lnd.certificate())).await.unwrap_err();
    assert!(
        one_harmless_line(&onion).contains("only through Tor: set `proxy = \"socks5h://127.0.0.1:9050\"`"),
        "{onion}"
    );
    let offline = Options { offline: true, ..options("8.8.8.8:10009", lnd.certificate()) };
    let error = Connection::open(&offline).await.unwrap_err();
    assert!(one_harmless_line(&error).contains("nothing outside is dialled offline"), "{error}");
    let wrong = Options { proxy: Some("socks5://127.0.0.1:9050".to_owned()), ..options("8.8.8.8", lnd.certificate()) };
    let error = Connection::open(&wrong).await.unwrap_err();
    assert!(one_harmless_line(&error).contains("give socks5h://host:port"), "{error}");
}

/// A server that sends one answer to whatever comes, or nothing, and keeps the connection.
fn other_service(says: &'static [u8], hangs_up: bool) -> String {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 2048]);
            let _ = stream.write_all(says);
            if !hangs_up {
                kept.push(stream);
            }
        }
    });
    address
}

#[tokio::test]
async fn another_service_on_the_port_is_told_apart() {
    let lnd = FakeLnd::of_recording(&bob());
    let open = async |address: &str, certificate: &str| {
        Connection::open(&options(address, certificate)).await.err().map(|error| one_harmless_line(&error))
    };
    let plain = other_service(b"HTTP/1.1 400 Bad Request\r\n\r\n", false);
    assert!(open(&plain, lnd.certificate()).await.unwrap().contains("it does not speak TLS"));
    let gone = other_service(b"", true);
    assert!(open(&gone, lnd.certificate()).await.unwrap().contains("hung up during the TLS handshake"));
    for protocols in [&[][..], &[&b"http/1.1"[..]][..]] {
        let web = FakeLnd::builder().alpn(protocols).start();
        let line = open(&web.address(), web.certificate()).await.unwrap();
        assert!(line.contains("TLS but not gRPC (no HTTP/2)"), "{line}");
    }
    let rest = FakeLnd::answering(|_| Reply::Http(404));
    let line = one_harmless_line(&ask(&rest, &GET_INFO).await.unwrap_err());
    assert!(line.contains("answers HTTP 404, not gRPC: is it LND's REST port"), "{line}");
    let proxy = FakeLnd::answering(|_| Reply::Http(502));
    let line = one_harmless_line(&ask(&proxy, &GET_INFO).await.unwrap_err());
    assert!(line.contains("a proxy in front of LND answers HTTP 502"), "{line}");
}

#[tokio::test]
async fn a_server_that_accepts_and_is_silent_is_given_up_after_five_seconds() {
    let silent = other_service(b"", false);
    let lnd = FakeLnd::of_recording(&bob());
    let start = Instant::now();
    let error = Connection::open(&options(&silent, lnd.certificate())).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(
        one_harmless_line(&error).contains("did not answer the TLS handshake (it accepts and is silent) within 5 s"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_does_not_end_is_given_up() {
    let info = std::fs::read(bob().join("lnrpc.Lightning.GetInfo.pb")).unwrap();
    for (reply, words) in [
        (Reply::Hang, "did not answer GetInfo within 1 s"),
        (Reply::HalfThenHang(info.clone().into()), "did not answer GetInfo to its end within 1 s"),
    ] {
        let lnd = FakeLnd::answering(move |_| reply.clone());
        let start = Instant::now();
        let error = ask(&lnd, &QUICK).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
        assert!(one_harmless_line(&error).ends_with(words), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let info = Bytes::from(std::fs::read(bob().join("lnrpc.Lightning.GetInfo.pb")).unwrap());
    let lnd = FakeLnd::answering(move |_| Reply::HalfThenReset(info.clone()));
    let error = ask(&lnd, &GET_INFO).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(one_harmless_line(&error).contains("broke off while it answered GetInfo"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_no_message_is_called_so() {
    for garbage in [&b"\xff\xff\xff\xff\xff\xff\xff\xff"[..], b"\0\0\0\0\x20abc", b"", b"\x01\0\0\0\x01a"] {
        let lnd = FakeLnd::answering(move |_| Reply::Garbage(Bytes::from_static(garbage)));
        let error = ask(&lnd, &GET_INFO).await.unwrap_err();
        assert!(matches!(error, Error::Answer { .. }), "{garbage:?}: {error:?}");
        one_harmless_line(&error);
    }
}

#[tokio::test]
async fn an_answer_over_its_limit_is_not_taken_and_the_next_call_works() {
    let lnd = FakeLnd::builder()
        .recording(&bob())
        .answer(|asked| match asked.path {
            "/lnrpc.Lightning/ListChannels" => Some(Reply::Oversize(64 << 20 | 1)),
            "/lnrpc.Lightning/DescribeGraph" => Some(Reply::Oversize(u32::MAX)),
            "/lnrpc.Lightning/ListPayments" => Some(Reply::Refuse(
                8,
                "grpc: trying to send message larger than max (300000000 vs. 209715200)".to_owned(),
            )),
            _ => None,
        })
        .start();
    let connection = open(&lnd).await;
    for method in
        [&daznode::sources::answers::LIST_CHANNELS, &DESCRIBE_GRAPH, &daznode::sources::answers::LIST_PAYMENTS]
    {
        let error = connection.ask(method, Bytes::new()).await.unwrap_err();
        assert!(matches!(&error, Error::TooLarge { limit, .. } if *limit == method.max_bytes), "{error:?}");
        assert!(one_harmless_line(&error).contains(method.name()), "{error}");
    }
    assert!(connection.ask(&GET_INFO, Bytes::new()).await.is_ok());
}

#[tokio::test]
async fn many_calls_share_one_connection_and_each_has_its_own_answer() {
    let lnd = FakeLnd::builder()
        .answer(|asked| Some(Reply::Message(asked.request.clone()).after(Duration::from_millis(100))))
        .start();
    let connection = open(&lnd).await;
    let start = Instant::now();
    let calls: Vec<_> = (0..50_u8)
        .map(|n| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.ask(&GET_INFO, Bytes::copy_from_slice(&[8, n])).await })
        })
        .collect();
    for (n, call) in (0..50_u8).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), &[8, n][..]);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!((lnd.connections(), lnd.calls_of("/lnrpc.Lightning/GetInfo")), (1, 50));
}

#[tokio::test]
async fn an_answer_as_long_as_a_mainnet_graph_comes_whole() {
    let graph: Bytes = (0..20_u32 << 20).map(|n| u8::try_from(n % 251).unwrap()).collect::<Vec<_>>().into();
    let lnd = FakeLnd::builder().message("/lnrpc.Lightning/DescribeGraph", graph.clone()).start();
    let connection = open(&lnd).await;
    let start = Instant::now();
    assert!(connection.ask(&DESCRIBE_GRAPH, Bytes::new()).await.unwrap() == graph);
    println!("20 MiB in {:?}", start.elapsed());
}

#[tokio::test]
async fn the_macaroon_is_shown_with_each_call_but_not_for_the_state() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = std::sync::Arc::clone(&seen);
    let lnd = FakeLnd::answering(move |asked| {
        keep.lock().unwrap().push((asked.path.to_owned(), asked.macaroon.map(str::to_owned)));
        Reply::Message(Bytes::new())
    });
    let connection = open(&lnd).await;
    connection.ask(&GET_STATE, Bytes::new()).await.unwrap();
    connection.ask(&GET_INFO, Bytes::new()).await.unwrap();
    let shown = hex::encode(readonly().expose());
    assert_eq!(
        *seen.lock().unwrap(),
        [("/lnrpc.State/GetState".to_owned(), None), ("/lnrpc.Lightning/GetInfo".to_owned(), Some(shown))]
    );
}

/// A SOCKS proxy that leads every connection to one place and tells which name it was asked for.
fn socks_proxy(leads_to: String) -> (String, std::sync::mpsc::Receiver<(u8, String)>) {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("socks5h://{}", listener.local_addr().unwrap());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut hello = [0; 2];
            client.read_exact(&mut hello).unwrap();
            client.read_exact(&mut vec![0; hello[1].into()]).unwrap();
            client.write_all(&[5, 0]).unwrap();
            let mut head = [0; 5];
            client.read_exact(&mut head).unwrap();
            let mut name = vec![0; usize::from(head[4]) + 2];
            client.read_exact(&mut name).unwrap();
            name.truncate(name.len() - 2);
            tell.send((head[3], String::from_utf8(name).unwrap())).unwrap();
            let server = std::net::TcpStream::connect(&leads_to).unwrap();
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (server, client);
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    (place, told)
}

#[tokio::test]
async fn a_proxy_is_given_the_name_and_is_left_out_for_local_addresses() {
    let lnd = FakeLnd::of_recording(&bob());
    let (proxy, told) = socks_proxy(lnd.address());
    for host in ["node.example.com", "abcdefghijklmnop.onion"] {
        let by_proxy = Options { proxy: Some(proxy.clone()), ..options(&format!("{host}:10009"), lnd.certificate()) };
        let connection = Connection::open(&by_proxy).await.unwrap();
        assert!(connection.ask(&GET_INFO, Bytes::new()).await.is_ok());
        // 3: a name, not an address that was looked up here.
        assert_eq!(told.try_recv(), Ok((3, host.to_owned())));
    }
    let local = Options { proxy: Some(proxy), ..options(&lnd.address(), lnd.certificate()) };
    assert!(Connection::open(&local).await.is_ok());
    assert!(told.try_recv().is_err());

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = Options { proxy: Some(format!("socks5h://{free}")), ..options("a.example.com", lnd.certificate()) };
    let line = one_harmless_line(&Connection::open(&gone).await.unwrap_err());
    assert!(line.contains(&format!("the proxy {free} does not answer")) && line.contains("is Tor running?"), "{line}");
}

/// LND listens at a socket too, with the same certificate.
#[tokio::test]
async fn a_unix_socket_is_dialled() {
    let lnd = FakeLnd::of_recording(&bob());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rpc.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let leads_to = lnd.address();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = tokio::net::TcpStream::connect(leads_to).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    });
    let connection =
        Connection::open(&options(&format!("unix://{}", path.display()), lnd.certificate())).await.unwrap();
    assert!(connection.ask(&GET_INFO, Bytes::new()).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_was_lost_is_dialled_again() {
    use tokio::io::copy_bidirectional;
    let lnd = FakeLnd::of_recording(&bob());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let leads_to = lnd.address();
    let (cut, mut cutting) = tokio::sync::mpsc::channel::<()>(1);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = tokio::net::TcpStream::connect(&leads_to).await.unwrap();
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => {}
                _ = cutting.recv() => {}
            }
        }
    });
    let connection = Connection::open(&options(&address, lnd.certificate())).await.unwrap();
    assert!(connection.ask(&GET_INFO, Bytes::new()).await.is_ok());
    cut.send(()).await.unwrap();
    // The call that notices may fail; one of the next must not.
    let mut answered = false;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answered = connection.ask(&GET_INFO, Bytes::new()).await.is_ok();
        if answered && lnd.connections() == 2 {
            break;
        }
    }
    assert!(answered);
    assert_eq!(lnd.connections(), 2);
}
