//! One guarded way to ask a public source over HTTP.
//!
//! No proxy but the one in the config, no address that is not public unless the config names it, redirects only within
//! a host, answers limited in size and time, and at most three tries, spaced as the source asks for.

mod address;
mod error;
mod redirect;
mod retry;
mod setting;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::{ACCEPT, AGE, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use crate::snapshot::Fact;
use crate::units::UnixMs;

pub use address::is_public;
use address::{Guard, Lookup, NoAddress};
pub use error::Error;
use retry::{Hosts, date, retry_after};
use setting::{PROXY_FORM, secret_header};
pub use setting::{bearer, is_onion, name, parse_base, parse_proxy};
use words::excerpt;
pub use words::{line, without};

/// How much time and space a question gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection to stand, its name looked up and its TLS agreed.
    pub connect: Duration,
    /// For one try, from the first byte sent to the last one read.
    pub attempt: Duration,
    /// For all tries of one question and the waits between them.
    pub question: Duration,
    /// The longest wait that a source may ask for; one that asks for more is not asked again.
    pub wait: Duration,
    /// Before the second try; twice that before the third, each with a random part added.
    pub backoff: Duration,
    /// Bytes of an answer, unpacked.
    pub body: usize,
    /// Tries in all.
    pub tries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(20),
            question: Duration::from_mins(1),
            wait: Duration::from_mins(1),
            backoff: Duration::from_millis(500),
            body: 8 * 1024 * 1024,
            tries: 3,
        }
    }
}

/// What is asked of a source.
#[derive(Clone, Debug)]
pub struct Question {
    /// Where.
    pub url: Url,
    /// JSON to post; a plain GET without.
    pub body: Option<String>,
    /// Goes along as `Authorization: Bearer`, to the origin of `url` only.
    pub key: Option<Arc<SecretString>>,
    /// Whether an answer with an error status is final, such as the one for a node that is not known.
    pub is_final: fn(u16, &str) -> bool,
    /// PUT in place of POST.
    pub put: bool,
    /// Further headers; they go to the origin of `url` only.
    pub headers: Vec<(&'static str, Arc<SecretString>)>,
    /// Whether it may be sent on. A message may not: whoever gets it was named.
    pub follows: bool,
}

impl Question {
    /// A plain GET of which only a good status is an answer.
    pub fn get(url: Url) -> Self {
        let (put, headers) = (false, Vec::new());
        Self { url, body: None, key: None, is_final: |_, _| false, put, headers, follows: true }
    }

    /// Something to be delivered to this very address: every status is an answer, and no other address will do.
    pub fn deliver(url: Url, body: Option<String>) -> Self {
        Self { body, is_final: |_, _| true, follows: false, ..Self::get(url) }
    }
}

/// What a source said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its HTTP status.
    pub status: u16,
    /// Its text, without a byte order mark.
    pub body: String,
    /// For how long it wants to be left alone.
    pub wait: Option<Duration>,
}

/// One try that did not succeed, and what to do about it.
struct Failure {
    error: Error,
    again: bool,
    /// What the source asks for.
    wait: Option<Duration>,
}

impl Failure {
    fn last(error: Error) -> Self {
        Self { error, again: false, wait: None }
    }
    fn passing(error: Error) -> Self {
        Self { error, again: true, wait: None }
    }
}

/// A client for public sources. Cheap until it is first asked.
pub struct Http {
    limits: Limits,
    offline: bool,
    proxy: Option<Url>,
    named: BTreeSet<String>,
    lookup: Option<Lookup>,
    is_public: fn(IpAddr) -> bool,
    roots: OnceLock<rustls::RootCertStore>,
    /// Direct and proxied, for hosts of the config and for where they send us.
    clients: [OnceLock<Client>; 4],
    hosts: Hosts,
    began: OnceLock<(UnixMs, Instant)>,
    clock_ahead: OnceLock<Fact<i64>>,
}

impl Http {
    /// A client that dials through `proxy` (`socks5h://host:port`) where there is one. `named` are the hosts of the
    /// config that may have a private address.
    pub fn new(
        limits: Limits,
        proxy: Option<&str>,
        named: impl IntoIterator<Item = String>,
        offline: bool,
    ) -> Result<Self, Error> {
        let proxy = proxy.map(parse_proxy).transpose()?;
        Ok(Self {
            limits,
            offline,
            proxy,
            named: named.into_iter().collect(),
            lookup: None,
            is_public,
            roots: OnceLock::new(),
            clients: Default::default(),
            hosts: Hosts::default(),
            began: OnceLock::new(),
            clock_ahead: OnceLock::new(),
        })
    }

    /// Whether nothing is ever sent.
    pub const fn is_offline(&self) -> bool {
        self.offline
    }

    /// Asks, with as many tries as it takes and the limits allow. `now` is only for dates in `Retry-After`.
    pub async fn ask(&self, question: &Question, now: UnixMs) -> Result<Reply, Error> {
        self.began.get_or_init(|| (now, Instant::now()));
        let host = name(&question.url);
        if self.offline {
            return Err(Error::Offline { host });
        }
        if let Some(reason) = self.hosts.closed(&host, Instant::now()) {
            return Err(Error::LeftAlone { host, reason });
        }
        let deadline = Instant::now() + self.limits.question;
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(self.limits.backoff)
            .with_jitter()
            .with_max_times(self.limits.tries.saturating_sub(1))
            .build();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let limit = left.min(self.limits.attempt);
            let seconds = limit.as_secs().max(1);
            let late = || Err(Failure::passing(Error::Timeout { host: host.clone(), seconds }));
            let failure = match timeout(limit, self.attempt(question, now)).await.unwrap_or_else(|_| late()) {
                Ok(reply) => {
                    self.hosts.good(&host);
                    return Ok(reply);
                }
                Err(failure) => failure,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(wait) = failure.wait.filter(|wait| *wait > self.limits.wait.min(left)) {
                return Err(self.give_up(&host, Failure { wait: Some(wait), ..failure }));
            }
            let pause = if failure.again { pauses.next() } else { None };
            match pause.map(|pause| failure.wait.map_or(pause, |wait| wait.max(pause))) {
                Some(pause) if pause < left => tokio::time::sleep(pause).await,
                _ => return Err(self.give_up(&host, failure)),
            }
        }
    }

    /// Remembers what a host did, so that the next question does not repeat it.
    fn give_up(&self, host: &str, failure: Failure) -> Error {
        let error = match failure.error {
            Error::Busy { host, status, .. } => Error::Busy { host, status, wait: failure.wait },
            error => error,
        };
        let (reason, now) = (error.to_string(), Instant::now());
        match &error {
            Error::Busy { wait, .. } => self.hosts.close(host, *wait, "it asked to be left alone", now),
            Error::Status { .. } if failure.wait.is_some() => self.hosts.close(host, failure.wait, &reason, now),
            Error::Unreachable { .. } | Error::Timeout { .. } => self.hosts.close(host, None, &reason, now),
            Error::Status { status, .. } if *status >= 500 => self.hosts.bad(host, &reason, now),
            _ => {}
        }
        error
    }

    /// One try: the request, redirects within the host, and the whole answer.
    async fn attempt(&self, question: &Question, now: UnixMs) -> Result<Reply, Failure> {
        let mut here = question.url.clone();
        for hop in 0..=redirect::MOST {
            let response = self.send(question, &here, hop > 0).await?;
            let status = response.status();
            let location = response.headers().get(LOCATION).filter(|_| question.follows && status.is_redirection());
            let Some(location) = location else { return self.finish(question, response, now).await };
            let to = location.to_str().map_err(|_| "an address that can't be read".to_owned());
            let keeps_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            let to = to.and_then(|to| redirect::target(&question.url, &here, to));
            here = match to {
                Ok(to) if keeps_method || question.body.is_none() => to,
                Ok(_) => return Err(refused(&question.url, "it sends a POST on as a GET")),
                Err(reason) => {
                    let reason = format!("it sends us on to {reason}; set the address that is meant in the config");
                    return Err(refused(&question.url, &reason));
                }
            };
        }
        Err(refused(&question.url, "it sends us on more than three times"))
    }

    async fn send(&self, question: &Question, url: &Url, sent_on: bool) -> Result<Response, Failure> {
        let client = self.client(url, sent_on).map_err(Failure::last)?;
        let method = match &question.body {
            Some(_) if question.put => Method::PUT,
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut request = client.request(method, url.clone()).header(ACCEPT, "application/json");
        if let Some(body) = &question.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if redirect::same_origin(&question.url, url) {
            if let Some(key) = &question.key {
                request = request.header(AUTHORIZATION, bearer(key).map_err(Failure::last)?);
            }
            for (name, value) in &question.headers {
                request = request.header(*name, secret_header(value.expose_secret()).map_err(Failure::last)?);
            }
        }
        request.send().await.map_err(|error| self.broken(&question.url, &error))
    }

    /// Reads the answer, and says whether it is one.
    async fn finish(&self, question: &Question, mut response: Response, now: UnixMs) -> Result<Reply, Failure> {
        let host = name(&question.url);
        let status = response.status().as_u16();
        self.compare_clocks(&host, response.headers(), now);
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wait = wait.and_then(|value| retry_after(value, self.moment(now))).filter(|_| matches!(status, 429 | 503));
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| self.broken(&question.url, &error))?;
            let Some(chunk) = chunk else { break };
            if body.len() + chunk.len() > self.limits.body {
                return Err(Failure::last(Error::TooBig { host, mib: self.limits.body / (1024 * 1024) }));
            }
            body.extend_from_slice(&chunk);
        }
        let good = (200..300).contains(&status);
        let Ok(text) = String::from_utf8(body) else {
            let error = if good {
                Error::Malformed { host, reason: "not UTF-8 text".to_owned() }
            } else {
                Error::Status { host, status, excerpt: String::new() }
            };
            return Err(Failure { error, again: is_passing(status), wait: None });
        };
        let body = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        if good || (question.is_final)(status, &body) {
            return Ok(Reply { status, body, wait });
        }
        let error = if status == 429 {
            Error::Busy { host, status, wait }
        } else {
            Error::Status { host, status, excerpt: excerpt(&body, question.key.as_deref()) }
        };
        Err(Failure { error, again: is_passing(status), wait })
    }

    /// Milliseconds by which our clock is ahead of the first host's that told its time, to a second or two.
    pub fn clock_ahead(&self) -> Option<Fact<i64>> {
        self.clock_ahead.get().cloned()
    }

    /// Only an answer made just now tells the time: one with an age lay in a cache.
    fn compare_clocks(&self, host: &str, headers: &HeaderMap, now: UnixMs) {
        let said = headers.get(DATE).and_then(|value| date(value.to_str().ok()?));
        if let Some(said) = said.filter(|_| !headers.contains_key(AGE)) {
            let now = self.moment(now);
            let fact = Fact { value: now.since(said), source: host.to_owned(), as_of: now };
            // The first one stays.
            let _ = self.clock_ahead.set(fact);
        }
    }

    /// The present, from the first `now` that was given and the time since.
    fn moment(&self, now: UnixMs) -> UnixMs {
        let (first, since) = self.began.get_or_init(|| (now, Instant::now()));
        first.plus(i64::try_from(since.elapsed().as_millis()).unwrap_or(0)).max(now)
    }

    /// What went wrong below HTTP, in words without the address that was asked.
    fn broken(&self, url: &Url, error: &reqwest::Error) -> Failure {
        let host = name(url);
        if error.is_timeout() {
            return Failure::passing(Error::Timeout { host, seconds: self.limits.connect.as_secs().max(1) });
        }
        let mut deepest: &dyn std::error::Error = error;
        while let Some(source) = deepest.source() {
            match source.downcast_ref().cloned() {
                Some(NoAddress::Private(reason)) => return Failure::last(Error::Refused { host, reason }),
                Some(NoAddress::Unknown(reason)) => return Failure::passing(Error::Unreachable { host, reason }),
                None => {}
            }
            deepest = source;
        }
        let mut reason = line(&deepest.to_string());
        if self.is_proxied(url) {
            reason.push_str(" (through the proxy)");
        }
        if error.is_decode() {
            return Failure::last(Error::Malformed { host, reason });
        }
        Failure::passing(Error::Unreachable { host, reason })
    }

    /// All goes through the proxy, but for hosts of the config that are private addresses: no proxy leads there.
    fn is_proxied(&self, url: &Url) -> bool {
        let nearby = match url.host() {
            Some(Host::Domain(host)) => host == "localhost",
            Some(Host::Ipv4(ip)) => !is_public(ip.into()),
            Some(Host::Ipv6(ip)) => !is_public(ip.into()),
            None => false,
        };
        self.proxy.is_some() && !nearby
    }

    fn client(&self, url: &Url, sent_on: bool) -> Result<&Client, Error> {
        let host = url.host_str().unwrap_or_default();
        let refused = |reason: &str| Error::Refused { host: name(url), reason: reason.to_owned() };
        let proxied = self.is_proxied(url);
        if is_onion(host) && !proxied {
            return Err(refused("an .onion address is only reached through a proxy; set proxy = \"socks5h://…\""));
        }
        let guard = self.guard(sent_on);
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            _ => None,
        };
        if address.is_some_and(|address| !guard.allows(host, address)) {
            return Err(refused("it is not a public address"));
        }
        if url.scheme() == "https" && self.roots().is_empty() {
            let reason = "no certificate authorities are installed on this system (package ca-certificates)";
            return Err(Error::Setup(reason.to_owned()));
        }
        let [direct, direct_on, through, through_on] = &self.clients;
        let slot = match (proxied, sent_on) {
            (false, false) => direct,
            (false, true) => direct_on,
            (true, false) => through,
            (true, true) => through_on,
        };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = self.build(guard, proxied)?;
        Ok(slot.get_or_init(|| client))
    }

    fn guard(&self, sent_on: bool) -> Guard {
        let mut named = if sent_on { BTreeSet::new() } else { self.named.clone() };
        if let Some(host) = self.proxy.as_ref().and_then(Url::host_str) {
            named.insert(host.to_owned());
        }
        Guard { named: Arc::new(named), lookup: self.lookup.clone(), is_public: self.is_public }
    }

    fn roots(&self) -> &rustls::RootCertStore {
        self.roots.get_or_init(|| {
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        })
    }

    fn build(&self, guard: Guard, proxied: bool) -> Result<Client, Error> {
        let setup = |error: &dyn std::fmt::Display| Error::Setup(format!("cannot set up HTTP: {error}"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(&error))?
            .with_root_certificates(self.roots().clone())
            .with_no_client_auth();
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(concat!("daznode/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.limits.connect)
            .dns_resolver(guard);
        if let Some(proxy) = self.proxy.as_ref().filter(|_| proxied) {
            let proxy = reqwest::Proxy::all(proxy.as_str()).map_err(|_| Error::Setup(PROXY_FORM.to_owned()))?;
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|error| setup(&error.without_url()))
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("limits", &self.limits).field("offline", &self.offline).finish_non_exhaustive()
    }
}

/// Statuses that may be others a moment later.
const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

fn refused(url: &Url, reason: &str) -> Failure {
    Failure::last(Error::Refused { host: name(url), reason: reason.to_owned() })
}
