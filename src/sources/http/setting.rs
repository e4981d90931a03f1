//! Addresses and keys as the config gives them, checked before anything is sent.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::error::Error;

pub(super) const PROXY_FORM: &str =
    "proxy is malformed: expected socks5h://host:port, such as socks5h://127.0.0.1:9050";

/// Only a SOCKS proxy that also looks up the names: with any other, the names would leave by the system's resolver.
pub fn parse_proxy(text: &str) -> Result<Url, Error> {
    if text.starts_with("socks5://") {
        let reason = "proxy socks5:// would look up names outside of the proxy: write socks5h:// instead";
        return Err(Error::Setup(reason.to_owned()));
    }
    let url = Url::parse(text).map_err(|_| Error::Setup(PROXY_FORM.to_owned()))?;
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if url.scheme() != "socks5h" || url.host_str().is_none_or(str::is_empty) || url.port().is_none() || !bare {
        return Err(Error::Setup(PROXY_FORM.to_owned()));
    }
    Ok(url)
}

/// An address from the config, checked: http or https, a host, no user name, query or fragment.
pub fn parse_base(setting: &str, text: &str) -> Result<Url, Error> {
    let wrong = |reason: &str| Error::Setup(format!("{setting} {reason}"));
    let url = Url::parse(text).map_err(|_| wrong("is not an address: expected https://host or http://host:port"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not hold a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must not hold a ? or #"));
    }
    Ok(url)
}

/// Whether a name is one of Tor, which no resolver knows and none should hear of.
pub fn is_onion(host: &str) -> bool {
    host.trim_end_matches('.').rsplit('.').next() == Some("onion")
}

/// `host:port` of an address, all of it that is ever shown.
pub fn name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A header with the key, never printed by anything that prints headers.
pub fn bearer(key: &SecretString) -> Result<HeaderValue, Error> {
    secret_header(&format!("Bearer {}", key.expose_secret().trim()))
}

/// A header that nothing prints.
pub(super) fn secret_header(text: &str) -> Result<HeaderValue, Error> {
    let header = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii());
    let mut header =
        header.ok_or_else(|| Error::Setup("the API key is not one line of plain letters: wrong file?".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}
