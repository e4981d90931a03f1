//! Whether each public source answers, by the cheapest question that it has. None of them names a node.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::super::amboss::{self, Amboss};
use super::super::breaker::SourceState;
use super::super::health::{LIMIT, Probe, SourceCheck, millis};
use super::super::http::{Error, Question};
use super::super::lnrouter::LnRouter;
use super::super::mempool::{self, Mempool, Told};
use super::super::remote::{self, Remote};
use super::{PublicSources, Source};
use crate::units::UnixMs;

/// What a good answer told besides.
#[derive(Default)]
struct Said {
    version: Option<String>,
    newest: Option<UnixMs>,
}

impl Probe for PublicSources {
    fn probe(&self, now: UnixMs) -> BoxFuture<'_, Vec<SourceCheck>> {
        Box::pin(self.probe_within(now, LIMIT))
    }

    fn states(&self) -> Vec<SourceState> {
        self.places().map(|(source, subject)| self.state(source, subject)).collect()
    }
}

impl PublicSources {
    /// Checks all of them at once, within a shorter time.
    pub async fn probe_within(&self, now: UnixMs, limit: Duration) -> Vec<SourceCheck> {
        let when = (now, limit.min(LIMIT));
        let height = move |body: &str| mempool::height(body).map(|_| Said { newest: Some(now), ..Said::default() });
        let named = |body: &str| amboss::health(body).map(|()| Said::default());
        let healthy = |body: &str| match remote::health(body)? {
            Told::Fact(health, _) => Ok(Said { version: health.version, newest: health.newest_report_at }),
            Told::Nothing(_) => Ok(Said::default()),
        };
        let (mempool, amboss, remote, lnrouter) = tokio::join!(
            Box::pin(self.check(&self.mempool, Mempool::ask_height, when, height)),
            Box::pin(self.check(&self.amboss, Amboss::ask_health, when, named)),
            Box::pin(self.check(&self.remote, Remote::ask_health, when, healthy)),
            Box::pin(self.check(&self.lnrouter, LnRouter::ask_health, when, |_| Ok(Said::default()))),
        );
        [mempool, amboss, remote, lnrouter].into_iter().flatten().collect()
    }

    /// Goes on from how an earlier process left the sources. What is kept of another address is not meant.
    pub fn recall(&self, states: &[SourceState]) {
        for (source, subject) in self.places() {
            if let Some(kept) = states.iter().find(|kept| kept.source == source && kept.subject == subject) {
                self.http.recall(subject, kept.breaker.clone());
            }
        }
    }

    /// The name and address of each source that is on.
    pub fn places(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let places = [self.mempool.place(), self.amboss.place(), self.remote.place(), self.lnrouter.place()];
        places.into_iter().flatten()
    }

    fn state(&self, source: &str, subject: &str) -> SourceState {
        let breaker = self.http.breaker(subject);
        SourceState { source: source.to_owned(), subject: subject.to_owned(), breaker }
    }

    /// One question with one try. What is off or can't be sent is no check.
    async fn check<T>(
        &self,
        source: &Source<T>,
        ask: fn(&T) -> Question,
        (now, limit): (UnixMs, Duration),
        read: impl Fn(&str) -> Result<Said, String> + Sync,
    ) -> Option<SourceCheck> {
        let began = Instant::now();
        let question = ask(source.what.as_ref()?);
        let question = source.with_key(Question { once: true, until: Some(began + limit), ..question });
        let reply = self.http.ask_and_read(&question, now, &|_, body| read(body).map(|_| ())).await;
        match reply {
            Ok(reply) => {
                // Where a report asks the same, it is asked already.
                source.asking.keep(&question, &reply, now);
                let Said { version, newest } = read(&reply.body).unwrap_or_default();
                let bare = SourceCheck::bare(source.name, &source.address, now);
                Some(SourceCheck { latency_ms: millis(began), version, newest, ..bare })
            }
            Err(Error::Offline { .. } | Error::LeftAlone { .. } | Error::Setup(_)) => None,
            Err(error) => {
                Some(SourceCheck::failed(source.name, &source.address, now, (&error).into(), error.to_string()))
            }
        }
    }
}

impl<T> Source<T> {
    fn place(&self) -> Option<(&'static str, &str)> {
        self.what.as_ref().map(|_| (self.name, self.address.as_str()))
    }
}
