//! Whether a source answers: one cheap question each, what kind of failure it was, and how available that makes it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::answers::Answers;
use super::breaker::{Breaker, Failure, SourceState};
use super::reader::{GraphCache, Reader};
use super::{Error, http};
use crate::snapshot::{Availability, BreakerState, ErrorClass, Info, SourceHealth, Tally};
use crate::units::{DAY_MS, Network, Pubkey, UnixMs};

/// What a check of a node is kept under.
pub const LND: &str = "lnd";
/// For one check, from dialling to the last byte.
pub const LIMIT: Duration = Duration::from_secs(5);
/// Single checks are kept for so many days, then only their number by day.
pub const CHECKS_KEPT_DAYS: i64 = 35;

/// What one check of a source came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCheck {
    /// The source's name.
    pub source: String,
    /// Which of its kind: a node's key for `lnd`, the address for the others.
    pub subject: String,
    /// When.
    pub at: UnixMs,
    /// Whether it answered as it should.
    pub good: bool,
    /// Milliseconds until it had.
    pub latency_ms: Option<i64>,
    /// What kind of failure it was.
    pub error: Option<ErrorClass>,
    /// The same in one line, or what else is to be said.
    pub detail: Option<String>,
    /// Its version, where it tells one.
    pub version: Option<String>,
    /// The time of the newest thing that it knows: of a node, its last block.
    pub newest: Option<UnixMs>,
}

/// The checks of one day, once the single ones are no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedDay {
    /// The beginning of the day, UTC.
    pub start: UnixMs,
    /// Its checks.
    pub tally: Tally,
}

/// What is kept of one source: its breaker and its checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its breaker; `None` where none was kept.
    pub breaker: Option<Breaker>,
    /// Its last check.
    pub last: Option<SourceCheck>,
    /// Its single checks, by how many whole hours ago they were.
    pub checks: Vec<(i64, Tally)>,
    /// Days of which only the numbers are kept.
    pub days: Vec<CheckedDay>,
}

impl Kept {
    /// How it has been doing up to now.
    pub fn health(&self, now: UnixMs) -> SourceHealth {
        SourceHealth {
            error_class: self.last.as_ref().and_then(|check| check.error),
            availability: availability(&self.checks, &self.days, now),
            last_good: self.breaker.as_ref().and_then(|breaker| breaker.last_good),
            breaker: self.breaker.as_ref().map(|breaker| breaker.state),
        }
    }

    /// One more check of it.
    pub fn add(&mut self, check: &SourceCheck) {
        self.checks.push((0, Tally { checks: 1, good: u32::from(check.good) }));
        self.last = Some(check.clone());
    }
}

/// Sources that can be checked: what `watch` does every `health.interval_s`.
pub trait Probe: Send + Sync {
    /// Checks all of them at once, within [`LIMIT`]. What is off, left alone or offline is not in the answer.
    fn probe(&self, now: UnixMs) -> BoxFuture<'_, Vec<SourceCheck>>;

    /// Their breakers as they are now, to be kept.
    fn states(&self) -> Vec<SourceState>;
}

/// How one node's LND has been doing. It is the operator's own, so it is checked whatever its breaker says.
#[derive(Debug)]
pub struct NodeHealth {
    node: Pubkey,
    network: Network,
    breaker: Mutex<Breaker>,
}

impl NodeHealth {
    /// For the node of a profile, with the breaker that was kept of it.
    pub fn new(node: Pubkey, network: Network, breaker: Breaker) -> Self {
        Self { node, network, breaker: Mutex::new(breaker) }
    }

    /// Asks who it is and how far it has got.
    pub async fn probe<A: Answers>(&self, answers: &A, now: UnixMs) -> SourceCheck {
        self.probe_within(answers, now, LIMIT).await
    }

    async fn probe_within<A: Answers>(&self, answers: &A, now: UnixMs, limit: Duration) -> SourceCheck {
        let began = Instant::now();
        let graph = GraphCache::default();
        let reader = Reader::new(answers, LND, now, &graph).expecting(self.node.clone(), self.network);
        let late = |_| {
            let address = answers.address().to_owned();
            Err(Error::Timeout { address, call: "GetInfo".to_owned(), seconds: limit.as_secs() })
        };
        match timeout(limit, reader.info()).await.unwrap_or_else(late) {
            Ok(info) => self.answered(&info, millis(began), now),
            Err(error) => self.failed(&error, now),
        }
    }

    /// It answered.
    pub fn answered(&self, info: &Info, latency_ms: Option<i64>, now: UnixMs) -> SourceCheck {
        self.with(|breaker| {
            let last_good = breaker.last_good;
            breaker.good(now);
            // One that is behind is there, and worth asking; well it is not.
            if !info.synced_to_chain {
                breaker.last_good = last_good;
            }
        });
        let behind = format!("not synced to the chain at height {}", info.block_height);
        let error = (!info.synced_to_chain).then_some(ErrorClass::NotReady);
        SourceCheck {
            good: error.is_none(),
            latency_ms,
            error,
            detail: error.map(|_| behind).or((!info.synced_to_graph).then(|| "not synced to the graph".to_owned())),
            version: Some(info.version.clone()),
            newest: info.best_header_at,
            ..SourceCheck::bare(LND, self.node.as_str(), now)
        }
    }

    /// It could not be reached, or did not answer.
    pub fn failed(&self, error: &Error, now: UnixMs) -> SourceCheck {
        let reason = error.to_string();
        self.with(|breaker| {
            if breaker.state == BreakerState::Open {
                // It is asked though it is left alone; that is the one try, where its time is over.
                let _left_alone = breaker.ask(now);
            }
            breaker.bad(now, Failure::Tries(1), jitter(), &reason);
        });
        SourceCheck::failed(LND, self.node.as_str(), now, error.into(), reason)
    }

    /// Its breaker as it is now, to be kept.
    pub fn state(&self) -> SourceState {
        SourceState { source: LND.to_owned(), subject: self.node.to_string(), breaker: self.with(|b| b.clone()) }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        act(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A node's health together with an open connection to it.
#[derive(Debug)]
pub struct NodeProbe<'a, A> {
    /// The node.
    pub health: &'a NodeHealth,
    /// Its LND.
    pub answers: &'a A,
}

impl<A: Answers + Send> Probe for NodeProbe<'_, A> {
    fn probe(&self, now: UnixMs) -> BoxFuture<'_, Vec<SourceCheck>> {
        Box::pin(async move { vec![self.health.probe(self.answers, now).await] })
    }

    fn states(&self) -> Vec<SourceState> {
        vec![self.health.state()]
    }
}

impl SourceCheck {
    /// A good one that tells nothing else.
    pub(super) fn bare(source: &str, subject: &str, at: UnixMs) -> Self {
        let (source, subject) = (source.to_owned(), subject.to_owned());
        let (good, latency_ms, error, detail, version, newest) = (true, None, None, None, None, None);
        Self { source, subject, at, good, latency_ms, error, detail, version, newest }
    }

    /// One that failed.
    pub(super) fn failed(source: &str, subject: &str, at: UnixMs, class: ErrorClass, reason: String) -> Self {
        Self { good: false, error: Some(class), detail: Some(reason), ..Self::bare(source, subject, at) }
    }
}

/// How many checks of the last 1, 7, 30 and 365 days were good. A day of which only the numbers are kept counts where all
/// of it lies in that time.
pub fn availability(checks: &[(i64, Tally)], days: &[CheckedDay], now: UnixMs) -> Availability {
    let of = |length: i64| {
        let (hours, from) = (length * 24, now.plus(-length * DAY_MS));
        let single = checks.iter().filter(|(hour, _)| (0..hours).contains(hour)).map(|(_, tally)| *tally);
        let whole = days.iter().filter(|day| day.start >= from && day.start.plus(DAY_MS) <= now).map(|day| day.tally);
        single.chain(whole).fold(Tally::default(), Tally::and)
    };
    Availability { day: of(1), week: of(7), month: of(30), year: of(365) }
}

impl From<&Error> for ErrorClass {
    fn from(error: &Error) -> Self {
        match error {
            Error::Unreachable { .. } => Self::Unreachable,
            Error::Timeout { .. } => Self::Timeout,
            Error::Certificate { .. } => Self::Certificate,
            Error::Macaroon { .. } | Error::OtherNode { .. } => Self::Credentials,
            Error::NotReady { .. } => Self::NotReady,
            Error::Answer { .. } | Error::TooLarge { .. } => Self::Malformed,
            Error::NotOffered { .. } | Error::Refused { .. } => Self::Status,
            Error::Setup(_) => Self::Other,
        }
    }
}

impl From<&http::Error> for ErrorClass {
    fn from(error: &http::Error) -> Self {
        match error {
            http::Error::Setup(_) => Self::Other,
            http::Error::Offline { .. } => Self::Offline,
            http::Error::Refused { .. } => Self::Refused,
            http::Error::Unreachable { .. } => Self::Unreachable,
            http::Error::Timeout { .. } => Self::Timeout,
            http::Error::Busy { .. } => Self::TooMany,
            http::Error::LeftAlone { .. } => Self::LeftAlone,
            http::Error::Status { status: 401 | 403, .. } => Self::Credentials,
            http::Error::Status { .. } => Self::Status,
            http::Error::TooBig { .. } | http::Error::Malformed { .. } => Self::Malformed,
        }
    }
}

/// Milliseconds since a moment.
pub(super) fn millis(since: Instant) -> Option<i64> {
    i64::try_from(since.elapsed().as_millis()).ok()
}

/// A number from 0 to 999 that nobody can tell beforehand.
pub(super) fn jitter() -> u32 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    u32::try_from(RandomState::new().build_hasher().finish() % 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests;
