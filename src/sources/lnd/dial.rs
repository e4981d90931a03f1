//! Dialling an LND: a socket, directly or through a SOCKS proxy, then TLS. Each way to fail has its own words.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, ClientConfig, InvalidMessage, RootCertStore};
use rustls_pki_types::{ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_socks::tcp::Socks5Stream;

use super::address::{Address, is_private};
use super::certificate::{Verifier, words};
use super::channel::{Options, Trust};
use super::errors::harmless;
use crate::sources::Error;
use crate::units::UnixMs;

/// How long a connection may take, without and with a proxy: through Tor a first circuit takes its time.
const CONNECT: Duration = Duration::from_secs(5);
const CONNECT_BY_PROXY: Duration = Duration::from_secs(30);

pub(super) trait Io: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Io for T {}
pub(super) type Socket = Pin<Box<dyn Io>>;

/// Everything that is needed to dial, any number of times.
pub(super) struct Dial {
    address: Address,
    name: ServerName<'static>,
    tls: TlsConnector,
    /// `host:port` of the proxy, where one is used.
    proxy: Option<String>,
    /// Nothing outside may be dialled, or only through the proxy that local addresses do not use.
    stay_local: bool,
    limit: Duration,
    shown_until: Arc<OnceLock<UnixMs>>,
}

impl Dial {
    pub(super) fn new(options: &Options) -> Result<Self, Error> {
        let address = options.address.clone();
        let proxy = way(&address, options.proxy.as_deref(), options.offline)?;
        let (tls, shown_until) = tls(&options.trust, options.now)?;
        let name = ServerName::try_from(address.host().trim_end_matches('.').to_owned())
            .map_err(|_| Error::Setup(format!("LND's host {:?} is no usable name", harmless(address.host()))))?;
        let limit = if proxy.is_some() { CONNECT_BY_PROXY } else { CONNECT };
        let stay_local = options.offline || options.proxy.is_some();
        Ok(Self { address, name, tls, proxy, stay_local, limit, shown_until })
    }

    pub(super) fn shown_until(&self) -> Arc<OnceLock<UnixMs>> {
        Arc::clone(&self.shown_until)
    }

    /// A connection over which nothing was said yet, to a node whose certificate was accepted.
    pub(super) async fn connect(&self) -> Result<TokioIo<TlsStream<Socket>>, Error> {
        let start = Instant::now();
        let socket = timeout(self.limit, self.socket()).await.map_err(|_| self.late("a connection"))??;
        let left = self.limit.saturating_sub(start.elapsed()).max(Duration::from_secs(1));
        let stream = timeout(left, self.tls.connect(self.name.clone(), socket))
            .await
            .map_err(|_| self.late("the TLS handshake (it accepts and is silent)"))?
            .map_err(|error| self.tls_failure(&error))?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(self.not_grpc());
        }
        Ok(TokioIo::new(stream))
    }

    /// The same for a connector, which is asked each time.
    pub(super) async fn connect_again(self: Arc<Self>) -> Result<TokioIo<TlsStream<Socket>>, Error> {
        self.connect().await
    }

    async fn socket(&self) -> Result<Socket, Error> {
        match (&self.address, &self.proxy) {
            (Address::Unix(path), _) => {
                let stream = UnixStream::connect(path).await.map_err(|error| self.socket_failure(&error))?;
                Ok(Box::pin(stream))
            }
            (Address::Tcp { host, port }, Some(proxy)) => {
                let stream = TcpStream::connect(proxy).await.map_err(|error| {
                    self.unreachable(format!(
                        "the proxy {} does not answer ({error}): is Tor running?",
                        harmless(proxy)
                    ))
                })?;
                let stream = Socks5Stream::connect_with_socket(stream, (host.as_str(), *port))
                    .await
                    .map_err(|error| self.proxy_failure(proxy, &error))?
                    .into_inner();
                stream.set_nodelay(true).map_err(|error| self.socket_failure(&error))?;
                Ok(Box::pin(stream))
            }
            (Address::Tcp { host, port }, None) => {
                let stream = self.direct(host, *port).await?;
                stream.set_nodelay(true).map_err(|error| self.socket_failure(&error))?;
                Ok(Box::pin(stream))
            }
        }
    }

    /// Tries the addresses of a name one after the other, none so long that the next has no time.
    async fn direct(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        let unknown =
            || self.unreachable(format!("no address is known for {host}: check the name, and this machine's DNS"));
        let found: Vec<SocketAddr> = lookup_host((host, port)).await.map_err(|_| unknown())?.collect();
        let share = self.limit / u32::try_from(found.len()).unwrap_or(u32::MAX).max(1);
        let mut last = unknown();
        for place in found {
            if self.stay_local && !is_private(place.ip()) {
                last = Error::Setup(format!(
                    "LND's address {} leads out to {}, which is not dialled directly here: give a local address",
                    self.address,
                    place.ip()
                ));
                continue;
            }
            last = match timeout(share, TcpStream::connect(place)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => self.socket_failure(&error),
                Err(_) => self.late("a connection"),
            };
        }
        Err(last)
    }

    fn late(&self, call: &str) -> Error {
        Error::Timeout { address: self.address.to_string(), call: call.to_owned(), seconds: self.limit.as_secs() }
    }

    fn unreachable(&self, reason: String) -> Error {
        Error::Unreachable { address: self.address.to_string(), reason }
    }

    fn not_grpc(&self) -> Error {
        self.unreachable(
            "it speaks TLS but not gRPC (no HTTP/2): is it another service? LND's gRPC port is 10009 unless \
             `rpclisten` says otherwise"
                .to_owned(),
        )
    }

    fn socket_failure(&self, error: &io::Error) -> Error {
        let unix = matches!(self.address, Address::Unix(_));
        self.unreachable(match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                "nothing listens there: is LND running, and is this the port of its `rpclisten` (10009 unless set)?"
                    .to_owned()
            }
            io::ErrorKind::NotFound if unix => {
                "there is no such socket: is LND running, with this `rpclisten`?".to_owned()
            }
            io::ErrorKind::PermissionDenied if unix => {
                "this user may not use the socket: add it to the group that LND's socket belongs to".to_owned()
            }
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                format!("there is no way to it ({error}): check the address and the network")
            }
            _ => format!("{error}: check the address, the network and firewalls"),
        })
    }

    fn proxy_failure(&self, proxy: &str, error: &tokio_socks::Error) -> Error {
        let hint = if self.address.is_onion() { ": is the onion service up, and the address right?" } else { "" };
        self.unreachable(format!("the proxy {} could not reach it ({error}){hint}", harmless(proxy)))
    }

    fn tls_failure(&self, error: &io::Error) -> Error {
        let address = self.address.to_string();
        let known = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match known {
            Some(rustls::Error::InvalidCertificate(why)) => Error::Certificate { address, reason: words(why) },
            Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => self.unreachable(
                "it does not speak TLS: is this the port of another service, or of a proxy that expects plain text?"
                    .to_owned(),
            ),
            Some(
                rustls::Error::NoApplicationProtocol
                | rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol),
            ) => self.not_grpc(),
            Some(other) => self
                .unreachable(format!("TLS failed ({}): is it LND that answers there?", harmless(&other.to_string()))),
            None if error.kind() == io::ErrorKind::UnexpectedEof || error.kind() == io::ErrorKind::ConnectionReset => {
                self.unreachable(
                    "it hung up during the TLS handshake: is it LND's gRPC port, and is LND healthy?".to_owned(),
                )
            }
            None => self.unreachable(format!("TLS failed ({})", harmless(&error.to_string()))),
        }
    }
}

/// The proxy to take, or why there is no way.
fn way(address: &Address, proxy: Option<&str>, offline: bool) -> Result<Option<String>, Error> {
    let proxy = proxy.map(proxy_place).transpose()?;
    if address.is_local() {
        return Ok(None);
    }
    if offline {
        return Err(Error::Setup(format!(
            "LND's address {address} is outside, and nothing outside is dialled offline"
        )));
    }
    if address.is_onion() && proxy.is_none() {
        return Err(Error::Setup(format!(
            "LND's address {address} is reached only through Tor: set `proxy = \"socks5h://127.0.0.1:9050\"`"
        )));
    }
    Ok(proxy)
}

/// `host:port` of a proxy's URL. Only the form that has names resolved at the proxy is taken.
fn proxy_place(text: &str) -> Result<String, Error> {
    let bad = || Error::Setup(format!("the proxy {:?} can't be used: give socks5h://host:port", harmless(text)));
    let rest = text.trim().strip_prefix("socks5h://").ok_or_else(bad)?.trim_end_matches('/');
    match rest.parse::<Address>() {
        Ok(place @ Address::Tcp { .. }) if rest.ends_with(|last: char| last.is_ascii_digit()) && rest.contains(':') => {
            Ok(place.to_string())
        }
        _ => Err(bad()),
    }
}

/// The time for certificates: what it was at the start, and what passed since.
#[derive(Debug)]
struct Clock {
    at: UnixMs,
    started: Instant,
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let since_1970 = Duration::from_millis(u64::try_from(self.at.0).ok()?);
        Some(UnixTime::since_unix_epoch(since_1970.saturating_add(self.started.elapsed())))
    }
}

fn tls(trust: &Trust, now: UnixMs) -> Result<(TlsConnector, Arc<OnceLock<UnixMs>>), Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = match trust {
        Trust::Pinned(pinned) => Verifier::pinned(pinned.clone(), Arc::clone(&provider)),
        Trust::Authority => Verifier::authority(authorities()?, Arc::clone(&provider)).map_err(Error::Setup)?,
    };
    let shown_until = verifier.shown_until();
    let clock = Arc::new(Clock { at: now, started: Instant::now() });
    let mut config = ClientConfig::builder_with_details(provider, clock)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Setup(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok((TlsConnector::from(Arc::new(config)), shown_until))
}

/// The authorities that the system trusts, read once: there are many, and a run may open a thousand nodes.
fn authorities() -> Result<Arc<RootCertStore>, Error> {
    static READ: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = READ.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err(Error::Setup(
            "this system has no certificate authorities: install ca-certificates, or give LND's tls.cert".to_owned(),
        ));
    }
    Ok(Arc::clone(roots))
}
