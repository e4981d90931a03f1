//! Addresses and keys as the config gives them, checked before anything is sent.

pub use reqwest::header::HeaderName;
use reqwest::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, TRANSFER_ENCODING};
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

/// A header with the key as a bearer's, never printed by anything that prints headers.
pub fn bearer(key: &SecretString) -> Result<HeaderValue, Error> {
    secret_header(&format!("Bearer {}", key.expose_secret().trim()))
}

/// The same with the key alone.
pub fn plain(key: &SecretString) -> Result<HeaderValue, Error> {
    secret_header(key.expose_secret().trim())
}

/// A header that nothing prints.
pub(super) fn secret_header(text: &str) -> Result<HeaderValue, Error> {
    let header = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii());
    let mut header =
        header.ok_or_else(|| Error::Setup("the API key is not one line of plain letters: wrong file?".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}

/// The name of a header from the config. One that HTTP itself needs would break the question.
pub fn header_name(setting: &str, text: &str) -> Result<HeaderName, Error> {
    let name = text.parse::<HeaderName>().ok();
    let name = name.filter(|name| ![HOST, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, CONNECTION].contains(name));
    name.ok_or_else(|| Error::Setup(format!("{setting} is not the name of a header for a key, such as X-API-KEY")))
}

/// The address of a source that has none of its own; one that is on needs it.
pub fn parse_optional(section: &str, enabled: bool, text: Option<&str>) -> Result<Option<Url>, Error> {
    let setting = format!("{section}.url");
    match text {
        Some(text) => parse_base(&setting, text).map(Some),
        None if enabled => Err(Error::Setup(format!("{setting} is missing: it has no address of its own"))),
        None => Ok(None),
    }
}

/// An address with a path added to it.
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}
