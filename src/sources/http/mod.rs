//! One guarded way to ask a public source over HTTP.
//!
//! No proxy but the one in the config, no address that is not public unless the config names it, redirects only within
//! a host, answers limited in size and time, and at most three tries, spaced as the source asks for.

mod address;
mod client;
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
use url::Url;

use super::breaker::{self, Breaker};
use crate::snapshot::Fact;
use crate::units::UnixMs;

pub use address::is_public;
use address::{Lookup, NoAddress};
pub use error::Error;
use retry::Hosts;
#[doc(hidden)]
pub use retry::{date, retry_after};
use setting::secret_header;
pub use setting::{
    HeaderName, bearer, below, header_name, is_onion, name, parse_base, parse_optional, parse_proxy, plain,
};
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
    /// The header that takes the key as it is, in place of that one.
    pub key_header: Option<HeaderName>,
    /// Whether an answer with an error status is final, such as the one for a node that is not known.
    pub is_final: fn(u16, &str) -> bool,
    /// When the answer is no longer of use, where that is sooner than the limits allow.
    pub until: Option<Instant>,
    /// Whether one try is enough.
    pub once: bool,
    /// Whether it is asked though its host is left alone: for what has a patience of its own.
    pub anyway: bool,
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
        Self {
            url,
            body: None,
            key: None,
            key_header: None,
            is_final: |_, _| false,
            until: None,
            once: false,
            anyway: false,
            put: false,
            headers: Vec::new(),
            follows: true,
        }
    }

    /// Something to be delivered to this very address: every status is an answer, and no other address will do. Whoever
    /// sends it has a patience of its own.
    pub fn deliver(url: Url, body: Option<String>) -> Self {
        Self { body, is_final: |_, _| true, follows: false, once: true, anyway: true, ..Self::get(url) }
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

    /// Asks, with as many tries as it takes and the limits allow. `now` is only for dates in `Retry-After`, and for
    /// when a host that failed is asked again.
    pub async fn ask(&self, question: &Question, now: UnixMs) -> Result<Reply, Error> {
        self.ask_and_read(question, now, &|_, _| Ok(())).await
    }

    /// The same; an answer that `legible` can't read is a failure of the host.
    pub async fn ask_and_read(
        &self,
        question: &Question,
        now: UnixMs,
        legible: &(dyn Fn(u16, &str) -> Result<(), String> + Sync),
    ) -> Result<Reply, Error> {
        self.began.get_or_init(|| (now, Instant::now()));
        let host = name(&question.url);
        if self.offline {
            return Err(Error::Offline { host });
        }
        if question.until.is_some_and(|until| until <= Instant::now()) {
            return Err(Error::LeftAlone { host, reason: "the time for this node was over".to_owned() });
        }
        let left_alone = self.hosts.ask(&host, self.moment(now));
        if let Some(reason) = left_alone.err().filter(|_| !question.anyway) {
            return Err(Error::LeftAlone { host, reason });
        }
        let mut tries = 0;
        let reply = self.try_again(question, &host, now, &mut tries).await.and_then(|reply| {
            let unreadable = |reason: String| {
                let reason = without(&reason, question.key.as_deref());
                Failure::last(Error::Malformed { host: host.clone(), reason })
            };
            legible(reply.status, &reply.body).map_err(unreadable).map(|()| reply)
        });
        match reply {
            Ok(reply) => {
                self.hosts.good(&host, self.moment(now));
                Ok(reply)
            }
            Err(failure) => Err(self.give_up(&host, failure, tries, now)),
        }
    }

    async fn try_again(&self, question: &Question, host: &str, now: UnixMs, tries: &mut u32) -> Result<Reply, Failure> {
        let longest = Instant::now() + self.limits.question;
        let deadline = question.until.map_or(longest, |until| until.min(longest));
        let more = if question.once { 0 } else { self.limits.tries.saturating_sub(1) };
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(self.limits.backoff)
            .with_jitter()
            .with_max_times(more)
            .build();
        loop {
            *tries += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            let limit = left.min(self.limits.attempt);
            let seconds = limit.as_secs().max(1);
            let late = || Err(Failure::passing(Error::Timeout { host: host.to_owned(), seconds }));
            let failure = match timeout(limit, self.attempt(question, now)).await.unwrap_or_else(|_| late()) {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if failure.wait.is_some_and(|wait| wait > self.limits.wait.min(left)) {
                return Err(failure);
            }
            let pause = if failure.again { pauses.next() } else { None };
            match pause.map(|pause| failure.wait.map_or(pause, |wait| wait.max(pause))) {
                Some(pause) if pause < left => tokio::time::sleep(pause).await,
                _ => return Err(failure),
            }
        }
    }

    /// Remembers what a host did, so that the next question does not repeat it.
    fn give_up(&self, host: &str, failure: Failure, tries: u32, now: UnixMs) -> Error {
        let Failure { error, wait, .. } = failure;
        let error = match error {
            Error::Busy { host, status, .. } => Error::Busy { host, status, wait },
            error => error,
        };
        let failed = match &error {
            Error::Busy { wait, .. } => breaker::Failure::Busy(*wait),
            Error::Status { .. } if wait.is_some() => breaker::Failure::Busy(wait),
            // Nobody is there: each try says so. What is there may fail at one question and answer the next.
            Error::Unreachable { .. } | Error::Timeout { .. } => breaker::Failure::Tries(tries),
            Error::Setup(_) => return error,
            _ => breaker::Failure::Tries(1),
        };
        self.hosts.bad(host, failed, &error.to_string(), self.moment(now));
        error
    }

    /// The breaker of each host that was asked or recalled.
    pub fn breaker(&self, host: &str) -> Breaker {
        self.hosts.get(host)
    }

    /// Goes on from how a host was left by an earlier process.
    pub fn recall(&self, host: &str, breaker: Breaker) {
        self.hosts.put(host, breaker);
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
                request = match &question.key_header {
                    None => request.header(AUTHORIZATION, bearer(key).map_err(Failure::last)?),
                    Some(name) => request.header(name, plain(key).map_err(Failure::last)?),
                };
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
        let mut broke_off = false;
        while let Some(source) = deepest.source() {
            let io: Option<&std::io::Error> = source.downcast_ref();
            broke_off |= io.is_some_and(|error| error.kind() == std::io::ErrorKind::UnexpectedEof);
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
        // An answer that ends too soon may be whole the next time; one that can't be unpacked will not.
        if error.is_decode() && !broke_off {
            return Failure::last(Error::Malformed { host, reason });
        }
        Failure::passing(Error::Unreachable { host, reason })
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
