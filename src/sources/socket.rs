//! A plain connection to a host of the config, and TLS over it: for what does not speak HTTP.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_socks::tcp::Socks5Stream;

use super::http::{Error, is_onion, is_public, line, parse_proxy};

/// Something to read from and write to.
pub trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Socket for T {}

/// Whom to dial, and how.
#[derive(Clone, Copy, Debug)]
pub struct Dial<'a> {
    /// A name or an address.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// `socks5h://host:port`: everything but this machine and private addresses goes through it.
    pub proxy: Option<&'a str>,
    /// For a connection to stand.
    pub limit: Duration,
}

impl Dial<'_> {
    fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn unreachable(&self, error: &dyn std::fmt::Display) -> Error {
        Error::Unreachable { host: self.shown(), reason: line(&error.to_string()) }
    }

    fn late(&self) -> Error {
        Error::Timeout { host: self.shown(), seconds: self.limit.as_secs().max(1) }
    }

    /// A connection over which nothing was said yet.
    pub async fn connect(&self) -> Result<TcpStream, Error> {
        timeout(self.limit, self.stream()).await.map_err(|_| self.late())?
    }

    async fn stream(&self) -> Result<TcpStream, Error> {
        let nearby = self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| !is_public(ip));
        let Some(proxy) = self.proxy.filter(|_| !nearby) else {
            if is_onion(self.host) {
                let reason =
                    "an .onion address is only reached through a proxy; set proxy = \"socks5h://…\"".to_owned();
                return Err(Error::Refused { host: self.shown(), reason });
            }
            return TcpStream::connect((self.host, self.port)).await.map_err(|error| self.unreachable(&error));
        };
        let proxy = parse_proxy(proxy)?;
        let place = (proxy.host_str().unwrap_or_default().to_owned(), proxy.port().unwrap_or_default());
        let through = |error: &dyn std::fmt::Display| self.unreachable(&format!("{error} (through the proxy)"));
        let stream = TcpStream::connect((place.0.as_str(), place.1)).await.map_err(|error| through(&error))?;
        let stream = Socks5Stream::connect_with_socket(stream, (self.host, self.port)).await;
        Ok(stream.map_err(|error| through(&error))?.into_inner())
    }

    /// TLS over a connection. The host's certificate must be signed by one that the system trusts, or by `authority` (PEM).
    pub async fn encrypt(&self, stream: TcpStream, authority: Option<&[u8]>) -> Result<impl Socket + use<>, Error> {
        let setup = |reason: String| Error::Setup(format!("cannot set up TLS: {reason}"));
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in authority.into_iter().flat_map(CertificateDer::pem_slice_iter) {
            let certificate = certificate.map_err(|error| setup(error.to_string()))?;
            roots.add(certificate).map_err(|error| setup(error.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name =
            ServerName::try_from(self.host.to_owned()).map_err(|_| setup(format!("{} is no name", self.host)))?;
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        timeout(self.limit, handshake).await.map_err(|_| self.late())?.map_err(|error| self.unreachable(&error))
    }
}
