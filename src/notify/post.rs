//! Messages that go over HTTP: what is sent, and what the answer means.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use super::channel::Ready;
use super::failed::{Failed, Why};
use crate::config::notify::Kind;
use crate::sources::http::{self, Http, Limits, Question, Reply};
use crate::units::UnixMs;

/// One message on its way.
pub(super) struct Post {
    /// Where to; it may hold secrets.
    pub(super) url: Url,
    /// PUT in place of POST.
    pub(super) put: bool,
    /// Goes along as a bearer token.
    pub(super) key: Option<Arc<SecretString>>,
    /// Further headers. None of them is a secret.
    pub(super) headers: Vec<(&'static str, String)>,
    /// JSON.
    pub(super) body: String,
}

impl Post {
    /// JSON to an address.
    pub(super) fn json(url: Url, body: &Value) -> Self {
        Self { url, put: false, key: None, headers: Vec::new(), body: body.to_string() }
    }

    /// What is sent, for people, without what is secret.
    pub(super) fn shown(&self, ready: &Ready<'_>) -> String {
        let method = if self.put { "PUT" } else { "POST" };
        let mut out = format!("{method} {}://{}/[hidden]\n", self.url.scheme(), http::name(&self.url));
        out.push_str("Content-Type: application/json\n");
        if self.key.is_some() {
            out.push_str("Authorization: Bearer [hidden]\n");
        }
        for (name, value) in &self.headers {
            out.push_str(&format!("{name}: {value}\n"));
        }
        let secret = |text: &str| {
            ready.channel.topic.as_deref().map_or_else(|| text.to_owned(), |t| text.replace(t, "[hidden]"))
        };
        format!("{out}\n{}\n", secret(&self.body))
    }

    fn question(&self) -> Question {
        let header = |(name, value): &(&'static str, String)| (*name, Arc::new(SecretString::from(value.clone())));
        Question {
            key: self.key.clone(),
            put: self.put,
            headers: self.headers.iter().map(header).collect(),
            ..Question::deliver(self.url.clone(), Some(self.body.clone()))
        }
    }

    /// Sends it once.
    pub(super) async fn send(&self, http: &Http, ready: &Ready<'_>, now: UnixMs) -> Result<(), Failed> {
        let reply = http.ask(&self.question(), now).await?;
        judge(ready, &http::name(&self.url), &reply)
    }
}

/// A client that tries once: the outbox knows when to try again.
pub(super) fn client(proxy: Option<&str>, private: &[String], offline: bool, limit: Duration) -> Result<Http, Failed> {
    let limits = Limits { attempt: limit, question: limit, body: 64 * 1024, tries: 1, ..Limits::default() };
    Ok(Http::new(limits, proxy, private.iter().cloned(), offline)?)
}

/// What the service's answer means.
pub(super) fn judge(ready: &Ready<'_>, host: &str, reply: &Reply) -> Result<(), Failed> {
    let Reply { status, body, wait } = reply;
    let answer: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if (200..300).contains(status) {
        let stranger = || Failed::new(Why::Passing, format!("{host} answered with something else than its own thanks"));
        return understood(ready.channel.kind, body, &answer).then_some(()).ok_or_else(stranger);
    }
    let words = ready.without_secrets(&http::line(&said(body, &answer)));
    let words = if words.is_empty() { String::new() } else { format!(": {words}") };
    let why = match status {
        429 => Why::Busy(wait.or_else(|| asked_wait(&answer)).unwrap_or(Duration::from_mins(1))),
        503 if wait.is_some() => Why::Busy(wait.unwrap_or_default()),
        400 | 413 | 415 | 422 => Why::Unfit,
        408 | 425 => Why::Passing,
        // A redirect is no place that was named.
        300..500 => Why::Refused,
        _ => Why::Passing,
    };
    Err(Failed::new(why, format!("{host} answered HTTP {status}{words}")))
}

/// Whether a good status comes from the service itself, and not from whatever stands before it.
fn understood(kind: Kind, body: &str, answer: &Value) -> bool {
    match kind {
        Kind::Telegram => answer.get("ok") == Some(&Value::Bool(true)),
        Kind::Slack => body.trim() == "ok",
        Kind::Matrix => answer.get("event_id").is_some_and(Value::is_string),
        Kind::Ntfy => answer.get("id").is_some_and(Value::is_string),
        Kind::Discord | Kind::Webhook | Kind::Email => true,
    }
}

/// The words of an error in the places where these services put them.
fn said(body: &str, answer: &Value) -> String {
    let field = ["description", "message", "error"].iter().find_map(|key| answer.get(key)?.as_str());
    match field {
        Some(words) => words.to_owned(),
        None if answer.is_null() && !body.trim_start().starts_with('<') => body.chars().take(160).collect(),
        None => String::new(),
    }
}

/// Telegram, Discord and Matrix say in the answer's body for how long.
fn asked_wait(answer: &Value) -> Option<Duration> {
    let seconds =
        answer.pointer("/parameters/retry_after").or_else(|| answer.get("retry_after")).and_then(Value::as_f64);
    let millis = answer.get("retry_after_ms").and_then(Value::as_f64).map(|ms| ms / 1000.0);
    Duration::try_from_secs_f64(seconds.or(millis)?.ceil()).ok()
}

/// Calls an address of the operator's choice. Nothing but the host is ever named.
pub(super) async fn call(http: &Http, url: &Url, now: UnixMs) -> Result<(), Failed> {
    let reply = http.ask(&Question::deliver(url.clone(), None), now).await?;
    if (200..300).contains(&reply.status) {
        return Ok(());
    }
    Err(Failed::new(Why::Refused, format!("{} answered HTTP {}", http::name(url), reply.status)))
}

/// The key as it can stand in a header.
pub(super) fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(200).collect()
}

/// The text of a secret.
pub(super) fn exposed(secret: Option<&Arc<SecretString>>) -> &str {
    secret.map_or("", |secret| secret.expose_secret())
}
