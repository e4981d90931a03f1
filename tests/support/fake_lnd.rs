//! A server that is LND as far as a client can tell: HTTP/2 over TLS with a certificate it made for itself, answering
//! from recorded bytes or from a closure, and misbehaving where it is told to.
//!
//! It runs in a thread with a runtime of its own, so that tests and benches need no setting up, and stops when dropped.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by tests and benches: none uses all of it, and a panic is how it fails"
)]

#[path = "fake_lnd/body.rs"]
mod body;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use body::{Steps, respond};
use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// One call as it came in.
pub struct Asked<'a> {
    /// `/lnrpc.Lightning/GetInfo`.
    pub path: &'a str,
    /// The protobuf message, without its frame.
    pub request: Bytes,
    /// The macaroon that was shown, in hex.
    pub macaroon: Option<&'a str>,
}

/// What the server does with a call.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this protobuf message.
    Message(Bytes),
    /// Refuses with this code and text, as LND does.
    Refuse(u32, String),
    /// Does the other thing after a while.
    After(Duration, Box<Reply>),
    /// Says nothing, for ever.
    Hang,
    /// Sends half of the message, then breaks the stream off.
    HalfThenReset(Bytes),
    /// Sends half of the message, then nothing.
    HalfThenHang(Bytes),
    /// Sends these bytes as they are, without the frame of a message, and ends well.
    Garbage(Bytes),
    /// Announces a message of so many bytes, and sends its beginning.
    Oversize(u32),
    /// Answers as a web server does, without a word of gRPC.
    Http(u16),
    /// Answers with one thing after the other. As LND does, it says nothing at all before the first message.
    Stream(Vec<Told>),
}

/// A part of a stream.
#[derive(Clone, Debug)]
pub enum Told {
    /// A message.
    Message(Bytes),
    /// Nothing for a while.
    Pause(Duration),
    /// Nothing, for ever.
    Hang,
    /// Breaks off.
    Reset,
    // After the last part it ends well, as LND does when it stops.
}

impl Reply {
    /// LND's way to refuse: code UNKNOWN, and a text.
    pub fn unknown(text: &str) -> Self {
        Self::Refuse(2, text.to_owned())
    }

    /// A method that this version does not have.
    pub fn unimplemented() -> Self {
        Self::Refuse(12, "unknown method for service lnrpc.Lightning".to_owned())
    }

    /// The same, later.
    pub fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }
}

impl Told {
    /// The messages of a recording of a stream, which then stands.
    pub fn recorded(file: &Path) -> Vec<Self> {
        let bytes = std::fs::read(file).unwrap();
        let (mut rest, mut parts) = (bytes.as_slice(), Vec::new());
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (message, after) = after.split_at(usize::try_from(u32::from_be_bytes(*length)).unwrap());
            parts.push(Self::Message(Bytes::copy_from_slice(message)));
            rest = after;
        }
        parts.push(Self::Hang);
        parts
    }
}

type Answer = dyn Fn(&Asked<'_>) -> Option<Reply> + Send + Sync;

/// Which certificate it shows.
pub enum Shows {
    /// One it makes for itself, as LND does: an authority, good from one year to the other.
    SelfMade { from_year: i32, until_year: i32 },
    /// One that an authority of its own signed for these names. [`FakeLnd::authority`] is that authority.
    Signed { names: Vec<String> },
}

/// Takes a server away and brings it back while it runs, as a restart does: every connection breaks, and nothing listens.
#[derive(Clone)]
pub struct Switch(Arc<tokio::sync::watch::Sender<bool>>);

impl Switch {
    /// One that is on.
    pub fn new() -> Self {
        Self(Arc::new(tokio::sync::watch::Sender::new(true)))
    }

    pub fn off(&self) {
        self.0.send_replace(false);
    }

    pub fn on(&self) {
        self.0.send_replace(true);
    }

    /// Off now, and on after a while.
    pub fn off_for(&self, time: Duration) {
        self.off();
        let switch = self.clone();
        std::thread::spawn(move || {
            std::thread::sleep(time);
            switch.on();
        });
    }
}

/// What the server is told before it starts.
pub struct Builder {
    recorded: HashMap<String, Bytes>,
    answer: Option<Box<Answer>>,
    macaroon: Option<String>,
    delay: Duration,
    shows: Shows,
    alpn: Vec<Vec<u8>>,
    switch: Switch,
}

/// A running server. It stops when dropped.
pub struct FakeLnd {
    address: SocketAddr,
    certificate: String,
    authority: Option<String>,
    counts: Arc<Counts>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    calls: AtomicUsize,
    told: AtomicUsize,
    by_path: Mutex<HashMap<String, usize>>,
}

impl FakeLnd {
    /// A server that knows nothing yet.
    pub fn builder() -> Builder {
        Builder {
            recorded: HashMap::new(),
            answer: None,
            macaroon: None,
            delay: Duration::ZERO,
            shows: Shows::SelfMade { from_year: 2020, until_year: 2100 },
            alpn: vec![b"h2".to_vec()],
            switch: Switch::new(),
        }
    }

    /// A server that answers from a folder of recordings and takes any macaroon.
    pub fn of_recording(folder: &Path) -> Self {
        Self::builder().recording(folder).start()
    }

    /// A server that answers every call by a closure and takes any macaroon.
    pub fn answering(answer: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static) -> Self {
        Self::builder().answer(move |asked| Some(answer(asked))).start()
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Its certificate as PEM: LND's `tls.cert`.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The authority that signed it, as PEM, where it was signed.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// How many connections were accepted, before TLS.
    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// How many calls came in.
    pub fn calls(&self) -> usize {
        self.counts.calls.load(Ordering::SeqCst)
    }

    /// How many messages of streams left.
    pub fn told(&self) -> usize {
        self.counts.told.load(Ordering::SeqCst)
    }

    /// How many calls of one method came in.
    pub fn calls_of(&self, path: &str) -> usize {
        self.counts.by_path.lock().unwrap().get(path).copied().unwrap_or(0)
    }
}

impl Drop for FakeLnd {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Builder {
    /// Answers from `<folder>/<service>.<Method>.pb`. The closure, where there is one, comes first.
    pub fn recording(mut self, folder: &Path) -> Self {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("no recording at {}: {e}", folder.display()));
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let Some(stem) = name.strip_suffix(".pb").filter(|stem| !stem.ends_with(".stream")) else { continue };
            let (service, method) = stem.rsplit_once('.').unwrap();
            self.recorded.insert(format!("/{service}/{method}"), std::fs::read(&path).unwrap().into());
        }
        self
    }

    /// Answers one method with these bytes.
    pub fn message(mut self, path: &str, message: impl Into<Bytes>) -> Self {
        self.recorded.insert(path.to_owned(), message.into());
        self
    }

    /// Asks a closure first; where it says `None`, the recording answers.
    pub fn answer(mut self, answer: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static) -> Self {
        self.answer = Some(Box::new(answer));
        self
    }

    /// Refuses calls that do not show this macaroon, in LND's words. `GetState` needs none.
    pub fn macaroon(mut self, bytes: &[u8]) -> Self {
        self.macaroon = Some(hex_of(bytes));
        self
    }

    /// Answers each call after this time.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Shows another certificate.
    pub fn shows(mut self, shows: Shows) -> Self {
        self.shows = shows;
        self
    }

    /// Speaks other protocols over TLS than HTTP/2; none for no word about it.
    pub fn alpn(mut self, protocols: &[&[u8]]) -> Self {
        self.alpn = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        self
    }

    /// Is there only while this switch is on.
    pub fn switch(mut self, switch: &Switch) -> Self {
        self.switch = switch.clone();
        self
    }

    /// Starts it on a free port of the loopback interface.
    pub fn start(self) -> FakeLnd {
        let made = made(&self.shows);
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(made.chain, made.key)
            .unwrap();
        config.alpn_protocols = self.alpn.clone();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let server = Arc::new(Server { told: self, counts: Arc::clone(&counts) });
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = accept(listener, acceptor, server) => {}
                    _ = stopped => {}
                }
            });
            // Calls that hang are dropped with the runtime.
            runtime.shutdown_background();
        });
        FakeLnd {
            address,
            certificate: made.pem,
            authority: made.authority,
            counts,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

struct Server {
    told: Builder,
    counts: Arc<Counts>,
}

async fn accept(mut listener: TcpListener, acceptor: TlsAcceptor, server: Arc<Server>) {
    let mut up = server.told.switch.0.subscribe();
    let address = listener.local_addr().unwrap();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => Some(accepted),
            _ = up.wait_for(|up| !*up) => None,
        };
        let Some(accepted) = accepted else {
            drop(listener);
            let _ = up.wait_for(|up| *up).await;
            listener = TcpListener::bind(address).await.unwrap();
            continue;
        };
        let Ok((stream, _)) = accepted else { continue };
        let _ = stream.set_nodelay(true);
        server.counts.connections.fetch_add(1, Ordering::SeqCst);
        let (acceptor, server, mut up) = (acceptor.clone(), Arc::clone(&server), up.clone());
        let connection = async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| serve(Arc::clone(&server), request));
            let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(1000)
                .max_send_buf_size(4 << 20)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        };
        tokio::spawn(async move {
            tokio::select! {
                // What is not sent yet is not sent any more.
                biased;
                _ = up.wait_for(|up| !*up) => {}
                () = connection => {}
            }
        });
    }
}

async fn serve(server: Arc<Server>, request: Request<Incoming>) -> Result<Response<Steps>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    server.counts.calls.fetch_add(1, Ordering::SeqCst);
    *server.counts.by_path.lock().unwrap().entry(path.clone()).or_default() += 1;
    let mut framed = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    framed.advance(framed.len().min(5));
    let macaroon = head.headers.get("macaroon").and_then(|value| value.to_str().ok());
    let mut reply = server.reply(&Asked { path: &path, request: framed, macaroon });
    let mut wait = server.told.delay;
    while let Reply::After(delay, then) = reply {
        wait += delay;
        reply = *then;
    }
    if let Reply::Stream(parts) = &mut reply {
        while let Some(Told::Pause(pause)) = parts.first() {
            wait += *pause;
            parts.remove(0);
        }
    }
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let silent = |parts: &[Told]| matches!(parts.first(), Some(Told::Hang));
    if matches!(&reply, Reply::Hang) || matches!(&reply, Reply::Stream(parts) if silent(parts)) {
        std::future::pending::<()>().await;
    }
    Ok(respond(reply, &server.counts))
}

impl Server {
    fn reply(&self, asked: &Asked<'_>) -> Reply {
        if !asked.path.starts_with("/lnrpc.State/") {
            match (&self.told.macaroon, asked.macaroon) {
                (Some(_), None) => return Reply::unknown("expected 1 macaroon, got 0"),
                (Some(wanted), Some(shown)) if wanted != shown => {
                    return Reply::unknown("verification failed: signature mismatch after caveat verification");
                }
                _ => {}
            }
        }
        if let Some(reply) = self.told.answer.as_ref().and_then(|answer| answer(asked)) {
            return reply;
        }
        match self.told.recorded.get(asked.path) {
            Some(message) => Reply::Message(message.clone()),
            None => {
                let (service, method) = asked.path.trim_start_matches('/').split_once('/').unwrap_or(("", ""));
                Reply::Refuse(12, format!("unknown method {method} for service {service}"))
            }
        }
    }
}

struct Made {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    pem: String,
    authority: Option<String>,
}

fn made(shows: &Shows) -> Made {
    let key = KeyPair::generate().unwrap();
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let named = |organisation: &str, names: Vec<String>| {
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, organisation);
        params.distinguished_name.push(DnType::CommonName, "vm");
        params
    };
    match shows {
        Shows::SelfMade { from_year, until_year } => {
            let mut params = named("lnd autogenerated cert", vec!["localhost".to_owned(), "127.0.0.1".to_owned()]);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.not_before = date_time_ymd(*from_year, 1, 1);
            params.not_after = date_time_ymd(*until_year, 1, 1);
            let certificate = params.self_signed(&key).unwrap();
            Made { chain: vec![certificate.der().clone()], key: secret, pem: certificate.pem(), authority: None }
        }
        Shows::Signed { names } => {
            let mut params = named("an authority", Vec::new());
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let authority = rcgen::CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
            let certificate = named("a node", names.clone()).signed_by(&key, &authority).unwrap();
            let chain = vec![certificate.der().clone()];
            Made { chain, key: secret, pem: certificate.pem(), authority: Some(authority.pem()) }
        }
    }
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
