//! What one source told, part by part, and what a report says of it.

use tokio::time::Instant;

use super::PublicAnswer;
use super::asking::Outcome;
use crate::snapshot::{ErrorClass, Fact, Gap, PublicView, SeenNode, SourceHealth, SourceSeen, SourceStatus};
use crate::sources::breaker::Breaker;
use crate::sources::health::millis;
use crate::sources::http::Error;
use crate::sources::mempool::Told;
use crate::units::UnixMs;

/// What one source told so far.
pub(super) struct Tally {
    name: &'static str,
    address: String,
    offline: bool,
    began: Instant,
    sent: bool,
    good: u32,
    old: u32,
    missing: u32,
    as_of: Option<UnixMs>,
    detail: Option<String>,
    class: Option<ErrorClass>,
    pub(super) view: PublicView,
    gaps: Vec<Gap>,
    pub(super) not_asked: Vec<(String, String)>,
}

impl Tally {
    pub(super) fn new(name: &'static str, address: String, offline: bool) -> Self {
        Self {
            name,
            address,
            offline,
            began: Instant::now(),
            sent: false,
            good: 0,
            old: 0,
            missing: 0,
            as_of: None,
            detail: None,
            class: None,
            view: PublicView::default(),
            gaps: Vec::new(),
            not_asked: Vec::new(),
        }
    }

    /// Takes in what came of one question.
    pub(super) fn add<T>(&mut self, part: &str, outcome: Outcome<T>) -> Option<Fact<T>> {
        self.sent |= outcome.sent;
        let told = outcome.told.as_ref().map(|(_, as_of)| *as_of);
        match outcome.failure {
            None => self.good += 1,
            Some(error) => self.add_failure(part, &error, told),
        }
        self.as_of = self.as_of.max(told);
        match outcome.told? {
            (Told::Nothing(reason), _) => {
                self.not_asked.push((part.to_owned(), reason));
                None
            }
            // A source may tell since when a fact holds; never after it told.
            (Told::Fact(value, since), told) => {
                let as_of = since.unwrap_or(told).min(told);
                Some(Fact { value, source: self.name.to_owned(), as_of })
            }
        }
    }

    /// A failure is a gap, also where an older answer stands in; being offline is a wish and no gap.
    fn add_failure(&mut self, part: &str, error: &Error, told: Option<UnixMs>) {
        let mut reason = error.to_string();
        match told {
            Some(as_of) => {
                self.old += 1;
                reason = format!("{reason}; its answer of {} is used", as_of.rfc3339());
            }
            None => self.missing += 1,
        }
        self.detail.get_or_insert_with(|| reason.clone());
        self.class.get_or_insert(error.into());
        if !self.offline {
            self.gaps.push(Gap { part: part.to_owned(), source: self.name.to_owned(), reason });
        } else if told.is_none() {
            self.not_asked.push((part.to_owned(), "offline: nothing was sent".to_owned()));
        }
    }

    /// Says so where a source answered that it does not know the node.
    pub(super) fn note_unknown(&mut self, seen: Option<&Fact<SeenNode>>) {
        if seen.is_some_and(|seen| !seen.value.is_known()) {
            self.note("this node is not known there");
        }
    }

    /// Says something where nothing worse is to be said.
    pub(super) fn note(&mut self, text: &str) {
        self.detail.get_or_insert_with(|| text.to_owned());
    }

    pub(super) fn finish(self, breaker: &Breaker) -> PublicAnswer {
        let nothing = self.good + self.old == 0;
        let status = match (nothing, self.missing, self.old) {
            (true, ..) if self.offline => SourceStatus::Off,
            (true, ..) => SourceStatus::Failed,
            (false, 1.., _) => SourceStatus::Partial,
            (false, 0, 1..) => SourceStatus::Stale,
            (false, 0, 0) => SourceStatus::Ok,
        };
        let health = SourceHealth {
            error_class: self.class,
            last_good: breaker.last_good,
            breaker: Some(breaker.state),
            ..SourceHealth::default()
        };
        let seen = SourceSeen {
            name: self.name.to_owned(),
            address: self.address,
            status,
            as_of: self.as_of,
            latency_ms: millis(self.began).filter(|_| self.sent),
            version: None,
            detail: self.detail,
            health,
        };
        PublicAnswer {
            view: self.view,
            gaps: self.gaps,
            seen: vec![seen],
            not_asked: self.not_asked,
            clock_ahead: None,
        }
    }
}
