//! Every question once a run, from the cache where that is fresh, and from what is left of it where asking fails.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use super::super::cache::Cache;
use super::super::http::{Error, Http, Question, Reply};
use super::super::mempool::Told;
use crate::units::UnixMs;

/// Questions that one source is asked at the same time.
const AT_ONCE: usize = 2;

/// An answer as it came, by wire or from the cache.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    body: String,
    as_of: UnixMs,
}

/// What came of one question.
#[derive(Clone, Debug)]
struct Got {
    answer: Option<Answer>,
    /// Why there is no fresh answer.
    failure: Option<Error>,
    /// Whether something was sent.
    sent: bool,
}

/// When a question is asked, and until when its answer is of use.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    /// The time.
    pub(super) now: UnixMs,
    /// The end of the time that there is, where there is one.
    pub(super) until: Option<Instant>,
}

type Answers = BTreeMap<String, Arc<OnceCell<Got>>>;

/// One source, and what it was asked in this run.
pub(super) struct Asking {
    http: Arc<Http>,
    cache: Arc<dyn Cache>,
    fresh_ms: i64,
    permits: Semaphore,
    answers: Mutex<Answers>,
}

/// What a question brought, in the words of a report.
#[derive(Debug)]
pub(super) struct Outcome<T> {
    /// What the source told, now or earlier.
    pub(super) told: Option<(Told<T>, UnixMs)>,
    /// Why not now.
    pub(super) failure: Option<Error>,
    /// Whether something was sent for it in this run, by this profile or another.
    pub(super) sent: bool,
}

impl Asking {
    pub(super) fn new(http: Arc<Http>, cache: Arc<dyn Cache>, cache_minutes: u32) -> Self {
        let fresh_ms = i64::from(cache_minutes) * 60_000;
        Self { http, cache, fresh_ms, permits: Semaphore::new(AT_ONCE), answers: Mutex::default() }
    }

    /// Asks unless it was asked before, and reads the answer.
    pub(super) async fn ask<T>(
        &self,
        question: &Question,
        when: When,
        read: impl Fn(u16, &str) -> Result<Told<T>, String> + Sync,
    ) -> Outcome<T> {
        let key = key(question);
        let cell = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(key.clone()).or_default())
        };
        let legible = |status, body: &str| read(status, body).map(|_| ());
        let got = cell.get_or_init(|| self.fetch(question, &key, when, &legible)).await;
        let told = got.answer.as_ref().and_then(|answer| {
            let told = read(answer.status, &answer.body).ok()?;
            Some((told, answer.as_of))
        });
        Outcome { told, failure: got.failure.clone(), sent: got.sent }
    }

    async fn fetch(
        &self,
        question: &Question,
        key: &str,
        When { now, until }: When,
        legible: &(impl Fn(u16, &str) -> Result<(), String> + Sync),
    ) -> Got {
        let kept = self.kept(key, now).filter(|kept| legible(kept.status, &kept.body).is_ok());
        if let Some(answer) = kept.as_ref().filter(|kept| now.since(kept.as_of) < self.fresh_ms) {
            return Got { answer: Some(answer.clone()), failure: None, sent: false };
        }
        // The semaphore is never closed; were it, asking without it is no harm.
        let _permit = self.permits.acquire().await;
        let question = Question { until: until.or(question.until), ..question.clone() };
        let reply = self.http.ask_and_read(&question, now, legible).await;
        let sent = !matches!(reply, Err(Error::Offline { .. } | Error::LeftAlone { .. } | Error::Setup(_)));
        match reply {
            Ok(reply) => {
                self.keep(&question, &reply, now);
                let Reply { status, body, .. } = reply;
                Got { answer: Some(Answer { status, body, as_of: now }), failure: None, sent }
            }
            Err(error) => Got { answer: kept, failure: Some(error), sent },
        }
    }

    /// Keeps an answer for when the question is asked again.
    pub(super) fn keep(&self, question: &Question, reply: &Reply, now: UnixMs) {
        self.cache.put(&key(question), &format!("{}\n{}", reply.status, reply.body), now);
    }

    fn kept(&self, key: &str, now: UnixMs) -> Option<Answer> {
        let (text, as_of) = self.cache.get(key, now)?;
        let (status, body) = text.split_once('\n')?;
        Some(Answer { status: status.parse().ok()?, body: body.to_owned(), as_of })
    }
}

/// What tells one question from another: its address and what is posted there, never a key.
fn key(question: &Question) -> String {
    match &question.body {
        None => question.url.to_string(),
        Some(body) => format!("{} {body}", question.url),
    }
}
