//! Over real TLS, with a resolver of the test: what needs a name that is public.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server for `api.example` that sends the first question on to `to` and answers the next.
struct Tls {
    port: u16,
    root: CertificateDer<'static>,
    heads: Arc<Mutex<Vec<String>>>,
}

async fn serve(to: &str) -> Tls {
    let made = rcgen::generate_simple_self_signed(vec!["api.example".to_owned()]).unwrap();
    let root = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![root.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let (seen, to) = (Arc::clone(&heads), to.replace("PORT", &port.to_string()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = vec![0; 4096];
            let length = stream.read(&mut bytes).await.unwrap();
            let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let answer = if head.contains(" /end ") {
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nend".to_owned()
            } else {
                format!("HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            };
            seen.lock().unwrap().push(head);
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _closed = stream.shutdown().await;
        }
    });
    Tls { port, root, heads }
}

fn client(tls: &Tls, lookup: Lookup, named: &[&str]) -> Http {
    let limits = Limits { backoff: Duration::from_millis(5), ..Limits::default() };
    let mut http = Http::new(limits, None, named.iter().map(|&host| host.to_owned()), false).unwrap();
    http.lookup = Some(lookup);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(tls.root.clone()).unwrap();
    http.roots.set(roots).unwrap();
    http
}

fn loopback() -> Lookup {
    Arc::new(|_| vec!["127.0.0.1".parse().unwrap()])
}

fn question(port: u16) -> Question {
    let url = Url::parse(&format!("https://api.example:{port}/begin")).unwrap();
    Question { key: Some(Arc::new(SecretString::from("sk-hunter2"))), ..Question::get(url) }
}

#[tokio::test]
async fn where_the_config_names_a_private_host_a_redirect_to_it_is_refused_all_the_same() {
    let tls = serve("/end").await;
    let http = client(&tls, loopback(), &["api.example"]);
    let error = http.ask(&question(tls.port), UnixMs(0)).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { reason, .. } if reason.contains("127.0.0.1")), "{error}");
    assert_eq!(tls.heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_that_becomes_private_between_question_and_redirect_is_not_dialled() {
    let tls = serve("https://api.example:PORT/end").await;
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let lookup: Lookup = Arc::new(move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        vec!["127.0.0.1".parse().unwrap()]
    });
    let http = client(&tls, lookup, &["api.example"]);
    assert!(http.ask(&question(tls.port), UnixMs(0)).await.is_err());
    assert_eq!(count.load(Ordering::SeqCst), 2, "each connection asks for the name once");
    assert_eq!(tls.heads.lock().unwrap().len(), 1, "and only the first was made");
}

#[tokio::test]
async fn a_redirect_within_a_public_host_is_followed_with_the_key() {
    let tls = serve("/end").await;
    let mut http = client(&tls, loopback(), &[]);
    http.is_public = |_| true;
    assert_eq!(http.ask(&question(tls.port), UnixMs(0)).await.unwrap().body, "end");
    let heads = tls.heads.lock().unwrap().clone();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(|head| head.contains("authorization: Bearer sk-hunter2")), "{heads:?}");
}

#[tokio::test]
async fn redirects_end_after_the_third() {
    let tls = serve("/begin").await;
    let mut http = client(&tls, loopback(), &[]);
    http.is_public = |_| true;
    let words = http.ask(&question(tls.port), UnixMs(0)).await.unwrap_err().to_string();
    assert!(words.contains("more than three times"), "{words}");
    assert_eq!(tls.heads.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (tls, other) = (serve("/end").await, serve("/end").await);
    let http = client(&other, loopback(), &["api.example"]);
    let words = http.ask(&question(tls.port), UnixMs(0)).await.unwrap_err().to_string();
    assert!(words.starts_with("cannot reach api.example:") && words.contains("certificate"), "{words}");
    assert_eq!(tls.heads.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn without_certificate_authorities_the_package_is_named() {
    let mut http = Http::new(Limits::default(), None, ["api.example".to_owned()], false).unwrap();
    http.lookup = Some(loopback());
    http.roots.set(rustls::RootCertStore::empty()).unwrap();
    let words = http.ask(&question(1), UnixMs(0)).await.unwrap_err().to_string();
    assert!(words.contains("ca-certificates"), "{words}");
}

#[tokio::test]
async fn a_good_question_carries_its_key_over_tls() {
    let tls = serve("/end").await;
    let http = client(&tls, loopback(), &["api.example"]);
    let mut question = question(tls.port);
    question.url.set_path("/end");
    assert_eq!(http.ask(&question, UnixMs(0)).await.unwrap().body, "end");
    assert!(tls.heads.lock().unwrap()[0].contains("authorization: Bearer sk-hunter2"));
}
