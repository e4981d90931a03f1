//! What public sources say of a node and of the world around it.
//!
//! Off until the config enables them, asked about mainnet nodes only. What does not depend on the node is asked once a
//! run; each node once. A source that fails leaves a gap, and its last good answer with the time that it is from.

mod asking;
mod collect;
mod probe;
mod tally;

use std::sync::Arc;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;

use super::amboss::{self, Amboss};
use super::cache::Cache;
use super::http::{self, Error, Http, Limits, Question};
use super::lnrouter::{self, LnRouter};
use super::mempool::{self, Mempool};
use super::remote::{self, Remote};
use crate::snapshot::{Fact, Gap, PublicView, SourceHealth, SourceSeen, SourceStatus};
use crate::units::{Network, Pubkey, UnixMs};
use asking::{Asking, When};

/// Which sources are asked, and how they are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// mempool.space or an own instance.
    pub mempool: mempool::Settings,
    /// Amboss.
    pub amboss: amboss::Settings,
    /// Another daznode.
    pub remote: remote::Settings,
    /// LNRouter.
    pub lnrouter: lnrouter::Settings,
    /// `socks5h://host:port`: all goes through it, names too.
    pub proxy: Option<String>,
    /// Nothing is sent to anybody; what is kept from before is used.
    pub offline: bool,
}

/// The keys of sources that have one, read from the files or credentials that the settings name.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// Amboss's.
    pub amboss: Option<SecretString>,
    /// The other daznode's.
    pub remote: Option<SecretString>,
    /// `LNRouter`'s.
    pub lnrouter: Option<SecretString>,
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
    remote: Source<Remote>,
    lnrouter: Source<LnRouter>,
    offline: bool,
    http: Arc<Http>,
}

struct Source<T> {
    name: &'static str,
    /// Where it is asked; `None` where the config has it off.
    what: Option<T>,
    /// Its host, all of the address that is shown.
    address: String,
    key: Option<Arc<SecretString>>,
    asking: Asking,
}

impl PublicSources {
    /// Checks the settings; sends nothing.
    pub fn new(settings: &Settings, keys: Keys, cache: &Arc<dyn Cache>) -> Result<Self, Error> {
        Self::with_limits(settings, keys, cache, Limits::default())
    }

    /// The same with other limits of time and size.
    pub fn with_limits(settings: &Settings, keys: Keys, cache: &Arc<dyn Cache>, limits: Limits) -> Result<Self, Error> {
        let mempool = Mempool::new(&settings.mempool)?;
        let amboss = Amboss::new(&settings.amboss)?;
        let remote = Remote::new(&settings.remote)?;
        let lnrouter = LnRouter::new(&settings.lnrouter)?;
        let own = |base: &Url, default: &str| !Url::parse(default).is_ok_and(|usual| usual.host() == base.host());
        // Hosts that may be private: those that the config names, not those that daznode comes with.
        let named = [
            Some(mempool.base()).filter(|base| own(base, mempool::DEFAULT_URL)),
            Some(amboss.base()).filter(|base| own(base, amboss::DEFAULT_URL)),
            remote.as_ref().map(Remote::base),
            lnrouter.as_ref().map(LnRouter::base),
        ];
        let named: Vec<String> =
            named.into_iter().flatten().filter_map(|base| base.host_str()).map(str::to_owned).collect();
        let http = Arc::new(Http::new(limits, settings.proxy.as_deref(), named, settings.offline)?);
        let made = Making { http: &http, cache };
        let (of_mempool, of_amboss) = (&settings.mempool, &settings.amboss);
        let (of_remote, of_lnrouter) = (&settings.remote, &settings.lnrouter);
        let (mempool, amboss) = (Some(mempool), Some(amboss));
        Ok(Self {
            mempool: made.source(
                (mempool::NAME, of_mempool.enabled),
                mempool,
                Mempool::base,
                None,
                of_mempool.cache_minutes,
            )?,
            amboss: made.source(
                (amboss::NAME, of_amboss.enabled),
                amboss,
                Amboss::base,
                keys.amboss,
                of_amboss.cache_minutes,
            )?,
            remote: made.source(
                (remote::NAME, of_remote.enabled),
                remote,
                Remote::base,
                keys.remote,
                of_remote.cache_minutes,
            )?,
            lnrouter: made.source(
                (lnrouter::NAME, of_lnrouter.enabled),
                lnrouter,
                LnRouter::base,
                keys.lnrouter,
                of_lnrouter.cache_minutes,
            )?,
            offline: settings.offline,
            http,
        })
    }

    /// Whether any source is asked at all.
    pub const fn any(&self) -> bool {
        self.mempool.what.is_some()
            || self.amboss.what.is_some()
            || self.remote.what.is_some()
            || self.lnrouter.what.is_some()
    }

    /// Asks what there is to know about one node. Never fails: what can't be had is in the gaps.
    pub async fn collect(&self, node: &Pubkey, network: Network, now: UnixMs) -> PublicAnswer {
        self.collect_until(node, network, now, None).await
    }

    /// The same within a time: what has not been answered by then is a gap.
    pub async fn collect_until(
        &self,
        node: &Pubkey,
        network: Network,
        now: UnixMs,
        until: Option<Instant>,
    ) -> PublicAnswer {
        let when = When { now, until };
        let (mempool, amboss, remote, lnrouter) = tokio::join!(
            Box::pin(self.collect_mempool(node, network, when)),
            Box::pin(self.collect_amboss(node, network, when)),
            Box::pin(self.collect_remote(node, network, when)),
            Box::pin(self.collect_lnrouter(node, network, when)),
        );
        let mut answer = PublicAnswer { clock_ahead: self.http.clock_ahead(), ..PublicAnswer::default() };
        for part in [mempool, amboss, remote, lnrouter] {
            answer.view = answer.view.or(part.view);
            answer.gaps.extend(part.gaps);
            answer.not_asked.extend(part.not_asked);
            answer.seen.extend(part.seen);
        }
        answer
    }
}

impl std::fmt::Debug for PublicSources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicSources")
            .field("any", &self.any())
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

/// What all sources are made with.
struct Making<'a> {
    http: &'a Arc<Http>,
    cache: &'a Arc<dyn Cache>,
}

impl Making<'_> {
    /// A source by its name and whether it is on, what it is, where it is asked, its key, and how long an answer is good.
    fn source<T>(
        &self,
        (name, enabled): (&'static str, bool),
        what: Option<T>,
        base: fn(&T) -> &Url,
        key: Option<SecretString>,
        cache_minutes: u32,
    ) -> Result<Source<T>, Error> {
        let url = what.as_ref().map(base);
        if let (Some(key), Some(url)) = (&key, url) {
            http::bearer(key)?;
            keeps_secret(name, url)?;
        }
        Ok(Source {
            name,
            address: url.map(http::name).unwrap_or_default(),
            what: what.filter(|_| enabled),
            key: key.map(Arc::new),
            asking: Asking::new(Arc::clone(self.http), Arc::clone(self.cache), cache_minutes),
        })
    }
}

impl<T> Source<T> {
    /// What is asked about a node of this network, or the answer of a source that is not asked, and nothing is sent to.
    fn asked(&self, network: Network) -> Result<&T, Box<PublicAnswer>> {
        let reason = match &self.what {
            Some(what) if network == Network::Mainnet => return Ok(what),
            Some(_) => format!("asked about mainnet nodes only, not {}", network.as_str()),
            // One that nobody gave an address is not worth a word.
            None if self.address.is_empty() => return Err(Box::default()),
            None => "off in the config".to_owned(),
        };
        let seen = SourceSeen {
            name: self.name.to_owned(),
            address: self.address.clone(),
            status: SourceStatus::Off,
            as_of: None,
            latency_ms: None,
            version: None,
            detail: Some(reason.clone()),
            health: SourceHealth::default(),
        };
        let not_asked = vec![(self.name.to_owned(), reason)];
        Err(Box::new(PublicAnswer { seen: vec![seen], not_asked, ..PublicAnswer::default() }))
    }

    /// A question with the key, where there is one.
    fn with_key(&self, question: Question) -> Question {
        Question { key: self.key.clone(), ..question }
    }
}

/// A key in clear only goes where nobody listens in between: this machine, or an onion service.
fn keeps_secret(name: &str, url: &Url) -> Result<(), Error> {
    let nearby = match url.host() {
        Some(url::Host::Domain(host)) => host == "localhost" || http::is_onion(host),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || nearby {
        return Ok(());
    }
    let reason = format!("sources.{name}.url must begin with https:// when there is a key, which would go in clear");
    Err(Error::Setup(reason))
}
