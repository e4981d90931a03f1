//! What public sources say of a node and of the world around it.
//!
//! Off until the config enables them, asked about mainnet nodes only. What does not depend on the node is asked once a
//! run; each node once. A source that fails leaves a gap, and its last good answer with the time that it is from.

mod asking;

use std::sync::Arc;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;

use super::amboss::{self, Amboss};
use super::cache::Cache;
use super::http::{self, Error, Http, Limits, Question};
use super::mempool::{self, Mempool, Told};
use crate::snapshot::{Fact, Gap, PublicView, SourceSeen, SourceStatus};
use crate::units::{Network, Pubkey, UnixMs};
use asking::{Asking, Outcome};

/// Which sources are asked, and how they are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// mempool.space or an own instance.
    pub mempool: mempool::Settings,
    /// Amboss.
    pub amboss: amboss::Settings,
    /// `socks5h://host:port`: all goes through it, names too.
    pub proxy: Option<String>,
    /// Nothing is sent to anybody; what is kept from before is used.
    pub offline: bool,
}

/// What came of asking for one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PublicAnswer {
    /// The facts.
    pub view: PublicView,
    /// What was asked for and not got, or got from an older answer.
    pub gaps: Vec<Gap>,
    /// Each source and how asking it went, also those that are off.
    pub seen: Vec<SourceSeen>,
    /// What was not asked for or does not exist, each with its reason: not measured rather than missing.
    pub not_asked: Vec<(String, String)>,
    /// Milliseconds by which our clock is ahead of the time that a source gave with its answer just now.
    pub clock_ahead: Option<Fact<i64>>,
}

/// The public sources of one run, shared by all its profiles.
pub struct PublicSources {
    mempool: Source<Mempool>,
    amboss: Source<Amboss>,
    key: Option<Arc<SecretString>>,
    offline: bool,
    http: Arc<Http>,
}

struct Source<T> {
    name: &'static str,
    enabled: bool,
    what: T,
    asking: Asking,
}

impl PublicSources {
    /// Checks the settings; sends nothing. `key` is Amboss's, read from the file or credential that the settings name.
    pub fn new(settings: &Settings, key: Option<SecretString>, cache: &Arc<dyn Cache>) -> Result<Self, Error> {
        Self::with_limits(settings, key, cache, Limits::default())
    }

    /// The same with other limits of time and size.
    pub fn with_limits(
        settings: &Settings,
        key: Option<SecretString>,
        cache: &Arc<dyn Cache>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let mempool = Mempool::new(&settings.mempool)?;
        let amboss = Amboss::new(&settings.amboss)?;
        if let Some(key) = &key {
            http::bearer(key)?;
            keeps_secret(amboss.base())?;
        }
        let named = named(&[(mempool.base(), mempool::DEFAULT_URL), (amboss.base(), amboss::DEFAULT_URL)]);
        let http = Arc::new(Http::new(limits, settings.proxy.as_deref(), named, settings.offline)?);
        let asking = |minutes| Asking::new(Arc::clone(&http), Arc::clone(cache), minutes);
        Ok(Self {
            mempool: Source {
                name: mempool::NAME,
                enabled: settings.mempool.enabled,
                what: mempool,
                asking: asking(settings.mempool.cache_minutes),
            },
            amboss: Source {
                name: amboss::NAME,
                enabled: settings.amboss.enabled,
                what: amboss,
                asking: asking(settings.amboss.cache_minutes),
            },
            key: key.map(Arc::new),
            offline: settings.offline,
            http,
        })
    }

    /// Whether any source is asked at all.
    pub const fn any(&self) -> bool {
        self.mempool.enabled || self.amboss.enabled
    }

    /// Asks what there is to know about one node. Never fails: what can't be had is in the gaps.
    pub async fn collect(&self, node: &Pubkey, network: Network, now: UnixMs) -> PublicAnswer {
        let (mempool, amboss) =
            tokio::join!(self.collect_mempool(node, network, now), self.collect_amboss(node, network, now));
        let mut answer = PublicAnswer { clock_ahead: self.http.clock_ahead(), ..PublicAnswer::default() };
        for part in [mempool, amboss] {
            answer.view = PublicView {
                chain_fees: answer.view.chain_fees.or(part.view.chain_fees),
                block_height: answer.view.block_height.or(part.view.block_height),
                price: answer.view.price.or(part.view.price),
                seen_by_mempool: answer.view.seen_by_mempool.or(part.view.seen_by_mempool),
                network_by_mempool: answer.view.network_by_mempool.or(part.view.network_by_mempool),
                seen_by_amboss: answer.view.seen_by_amboss.or(part.view.seen_by_amboss),
                amboss_fees: answer.view.amboss_fees.or(part.view.amboss_fees),
            };
            answer.gaps.extend(part.gaps);
            answer.not_asked.extend(part.not_asked);
            answer.seen.extend(part.seen);
        }
        answer
    }

    async fn collect_mempool(&self, node: &Pubkey, network: Network, now: UnixMs) -> PublicAnswer {
        let source = &self.mempool;
        let (what, asking) = (&source.what, &source.asking);
        if let Some(off) = source.off(what.base(), network) {
            return off;
        }
        let mut tally = Tally::new(source.name, what.base(), self.offline);
        let (fees, price, network) = (what.ask_fees(), what.ask_price(), what.ask_network());
        let height = what.ask_height();
        let (fees, height, price, network) = tokio::join!(
            self.ask_fees(&fees, now),
            asking.ask(&height, now, |_, body| mempool::height(body)),
            asking.ask(&price, now, |_, body| mempool::price(body)),
            asking.ask(&network, now, mempool::network),
        );
        tally.view.chain_fees = tally.add("mempool.fees", fees);
        tally.view.block_height = tally.add("mempool.height", height);
        tally.view.price = tally.add("mempool.price", price);
        let has_lightning = !matches!(network.told, Some((Told::Nothing(_), _)));
        tally.view.network_by_mempool = tally.add("mempool.network", network);
        if has_lightning {
            let question = what.ask_node(node);
            let seen = asking.ask(&question, now, |status, body| mempool::node(status, body, node)).await;
            tally.view.seen_by_mempool = tally.add("mempool.node", seen);
            tally.note_unknown(tally.view.seen_by_mempool.as_ref().is_some_and(|seen| !seen.value.is_known()));
        } else {
            tally.not_asked.push(("mempool.node".to_owned(), "it has no Lightning pages".to_owned()));
        }
        tally.finish()
    }

    /// Precise fees, or whole ones from an instance that is too old for them.
    async fn ask_fees(&self, question: &Question, now: UnixMs) -> Outcome<crate::snapshot::ChainFees> {
        let asking = &self.mempool.asking;
        let read = |status, body: &str| match status {
            404 => Ok(Told::Nothing(String::new())),
            _ => mempool::fees(body),
        };
        let precise = asking.ask(question, now, read).await;
        if !matches!(precise.told, Some((Told::Nothing(_), _))) {
            return precise;
        }
        let question = self.mempool.what.ask_fees_whole();
        asking.ask(&question, now, |_, body| mempool::fees(body)).await
    }

    async fn collect_amboss(&self, node: &Pubkey, network: Network, now: UnixMs) -> PublicAnswer {
        let source = &self.amboss;
        let (what, asking) = (&source.what, &source.asking);
        if let Some(off) = source.off(what.base(), network) {
            return off;
        }
        let mut tally = Tally::new(source.name, what.base(), self.offline);
        let with_key = |question| Question { key: self.key.clone(), ..question };
        let (card, fees) = (with_key(what.ask_node(node)), with_key(what.ask_fees(node)));
        let has_key = self.key.is_some();
        let (card, fees) = tokio::join!(
            asking.ask(&card, now, |_, body| amboss::node(body, node)),
            asking.ask(&fees, now, |_, body| amboss::fees(body, has_key)),
        );
        tally.view.seen_by_amboss = tally.add("amboss.node", card);
        tally.view.amboss_fees = tally.add("amboss.fees", fees);
        tally.note_unknown(tally.view.seen_by_amboss.as_ref().is_some_and(|seen| !seen.value.is_known()));
        tally.finish()
    }
}

impl std::fmt::Debug for PublicSources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicSources")
            .field("mempool", &self.mempool.enabled)
            .field("amboss", &self.amboss.enabled)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

impl<T> Source<T> {
    /// The answer of a source that is not asked, and nothing is sent to.
    fn off(&self, base: &Url, network: Network) -> Option<PublicAnswer> {
        let reason = if !self.enabled {
            "off in the config".to_owned()
        } else if network != Network::Mainnet {
            format!("asked about mainnet nodes only, not {}", network.as_str())
        } else {
            return None;
        };
        let seen = SourceSeen {
            name: self.name.to_owned(),
            address: http::name(base),
            status: SourceStatus::Off,
            as_of: None,
            latency_ms: None,
            version: None,
            detail: Some(reason.clone()),
        };
        let not_asked = vec![(self.name.to_owned(), reason)];
        Some(PublicAnswer { seen: vec![seen], not_asked, ..PublicAnswer::default() })
    }
}

/// What one source told so far.
struct Tally {
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
    view: PublicView,
    gaps: Vec<Gap>,
    not_asked: Vec<(String, String)>,
}

impl Tally {
    fn new(name: &'static str, base: &Url, offline: bool) -> Self {
        Self {
            name,
            address: http::name(base),
            offline,
            began: Instant::now(),
            sent: false,
            good: 0,
            old: 0,
            missing: 0,
            as_of: None,
            detail: None,
            view: PublicView::default(),
            gaps: Vec::new(),
            not_asked: Vec::new(),
        }
    }

    /// Takes in what came of one question.
    fn add<T>(&mut self, part: &str, outcome: Outcome<T>) -> Option<Fact<T>> {
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
        if !self.offline {
            self.gaps.push(Gap { part: part.to_owned(), source: self.name.to_owned(), reason });
        } else if told.is_none() {
            self.not_asked.push((part.to_owned(), "offline: nothing was sent".to_owned()));
        }
    }

    fn note_unknown(&mut self, unknown: bool) {
        if unknown {
            self.detail.get_or_insert_with(|| "this node is not known there".to_owned());
        }
    }

    fn finish(self) -> PublicAnswer {
        let nothing = self.good + self.old == 0;
        let status = match (nothing, self.missing, self.old) {
            (true, ..) if self.offline => SourceStatus::Off,
            (true, ..) => SourceStatus::Failed,
            (false, 1.., _) => SourceStatus::Partial,
            (false, 0, 1..) => SourceStatus::Stale,
            (false, 0, 0) => SourceStatus::Ok,
        };
        let latency = i64::try_from(self.began.elapsed().as_millis()).ok().filter(|_| self.sent);
        let seen = SourceSeen {
            name: self.name.to_owned(),
            address: self.address,
            status,
            as_of: self.as_of,
            latency_ms: latency,
            version: None,
            detail: self.detail,
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

/// Hosts that may be private: those that the config names, not those that daznode comes with.
fn named(bases: &[(&Url, &str)]) -> Vec<String> {
    let own = |(base, default): &(&Url, &str)| {
        let host = base.host_str()?.to_owned();
        let usual = Url::parse(default).ok()?.host_str()? == host;
        (!usual).then_some(host)
    };
    bases.iter().filter_map(own).collect()
}

/// A key in clear only goes where nobody listens in between: this machine, or an onion service.
fn keeps_secret(url: &Url) -> Result<(), Error> {
    let nearby = match url.host() {
        Some(url::Host::Domain(host)) => host == "localhost" || http::is_onion(host),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || nearby {
        return Ok(());
    }
    Err(Error::Setup("amboss.url must begin with https:// when there is a key, which would go in clear".to_owned()))
}
