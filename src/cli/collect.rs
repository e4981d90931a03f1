//! What a run reads: the node of a profile, and beside it what public sources say.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Context;
use super::connect::{Checking, Nodes};
use super::sources::{Found, SourcesSeen, time_for_public};
use crate::daily::{Collect, Collected};
use crate::report::NotMeasured;
use crate::snapshot::{Fact, Host, WatchedEvents};
use crate::sources::cache::{Cache, Folder};
use crate::sources::health::SourceCheck;
use crate::sources::host;
use crate::sources::lnd::address::Address;
use crate::sources::public::{Keys, PublicAnswer, PublicSources, Settings};
use crate::sources::simulated::Simulated;
use crate::sources::spec::SourceSpec;
use crate::sources::{Error, EventSender, Observation, Resume};
use crate::store::Profile;
use crate::store::files::write_atomic;
use crate::units::{Network, UnixMs};

/// Why neither the world nor the machine of today is looked at.
const NOT_LIVE: &str = "this node is not read live";

/// Reads the nodes of one run; what they share (the graph, public answers) is asked for once.
pub(super) struct Collector {
    nodes: Nodes,
    public: PublicSources,
    state: PathBuf,
    /// For one node with all its tries.
    timeout: Duration,
    /// When the run's budget ends.
    end: Option<Instant>,
    sources: SourcesSeen,
}

impl Collector {
    /// As the settings say, within the run's limits: for one node, and for all.
    pub(super) fn new(context: &Context, timeout: Duration, budget: Option<Duration>) -> anyhow::Result<Self> {
        let nodes = Nodes::new(context);
        let public = public_sources(context, &nodes)?;
        let (end, sources) = (budget.map(|budget| Instant::now() + budget), SourcesSeen::default());
        Ok(Self { nodes, public, state: context.place.state.clone(), timeout, end, sources })
    }

    /// The name and address of each public source that is on.
    pub(super) fn places(&self) -> Vec<(String, String)> {
        places(&self.public)
    }

    /// Goes on from how the sources were left.
    pub(super) fn recall(&mut self, sources: SourcesSeen) {
        self.public.recall(&sources.states());
        self.sources = sources;
    }

    /// How the sources have been doing, to be kept.
    pub(super) fn found(&self) -> Found {
        self.sources.found(&self.public)
    }

    /// Reads the node, and notes how that went.
    async fn observe(
        &self,
        profile: &Profile,
        now: UnixMs,
        resume: &Resume,
        events: EventSender,
    ) -> Result<Observation, Error> {
        let Some(health) = self.sources.node(profile) else {
            return self.nodes.observe(profile, now, resume, events, None).await;
        };
        let noted = Cell::new(None);
        let note = |check: SourceCheck| {
            noted.set(Some(check.good));
            self.sources.checked(profile, check);
        };
        match self.nodes.observe(profile, now, resume, events, Some(Checking { health, note: &note })).await {
            Ok(mut observation) => {
                if noted.get().is_none() {
                    note(health.answered(&observation.node.info, None, now));
                }
                observation.seen.health = self.sources.of_node(profile, now);
                Ok(observation)
            }
            Err(error) => {
                // What the check found already is not counted twice.
                if noted.get() != Some(false) {
                    note(health.failed(&error, now));
                }
                Err(error)
            }
        }
    }

    /// What public sources say of a node, within the time that there is.
    async fn ask_public(&self, profile: &Profile, now: UnixMs) -> PublicAnswer {
        let until = time_for_public(self.sources.began(profile), self.timeout, self.end);
        if profile.network == Network::Mainnet {
            self.sources.probe(&self.public, now, until).await;
        }
        let mut answer = self.public.collect_until(&profile.pubkey, profile.network, now, Some(until)).await;
        for seen in &mut answer.seen {
            seen.health = self.sources.of_public(&seen.name, &seen.address, seen.health, now);
        }
        answer
    }
}

impl Collector {
    /// What went wrong besides and stopped no report, a line each; once.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.nodes.warnings()
    }
}

/// What was seen of the machine, and what was not.
pub(super) struct Machine {
    /// What was seen; `None` where the node is not read live.
    pub(super) host: Option<Host>,
    not_measured: Vec<(String, String)>,
}

/// The machine, for a node that is read live.
pub(super) fn machine(state: &Path, profile: &Profile, clock_ahead: Option<Fact<i64>>) -> Machine {
    let SourceSpec::Lnd(spec) = &profile.source else {
        return Machine { host: None, not_measured: vec![("host".to_owned(), NOT_LIVE.to_owned())] };
    };
    let data = spec.data_folder();
    let places = host::Places {
        state,
        data: data.as_deref(),
        network: profile.network,
        lnd_is_here: spec.address.parse::<Address>().is_ok_and(|address| address.is_this_machine()),
    };
    let seen = host::look(&places, clock_ahead);
    Machine { host: Some(seen.host), not_measured: seen.not_measured }
}

/// The public sources as the settings say.
pub(super) fn public_sources(context: &Context, nodes: &Nodes) -> anyhow::Result<PublicSources> {
    let config = &context.config;
    let settings = Settings {
        mempool: config.sources.mempool.clone(),
        amboss: config.sources.amboss.clone(),
        remote: config.sources.remote.clone(),
        lnrouter: config.sources.lnrouter.clone(),
        proxy: config.network.proxy.clone(),
        offline: config.network.offline,
    };
    let (amboss, remote, lnrouter) = (&settings.amboss, &settings.remote, &settings.lnrouter);
    let keys = Keys {
        amboss: nodes.key(amboss.key_file.as_deref().filter(|_| amboss.enabled))?,
        remote: nodes.key(remote.key_file.as_deref().filter(|_| remote.enabled))?,
        lnrouter: nodes.key(lnrouter.key_file.as_deref().filter(|_| lnrouter.enabled))?,
    };
    let cache: Arc<dyn Cache> = Arc::new(cache(&context.place.state));
    Ok(PublicSources::new(&settings, keys, &cache).map_err(|e| Error::Setup(e.to_string()))?)
}

/// The name and address of each public source that is on.
pub(super) fn places(public: &PublicSources) -> Vec<(String, String)> {
    public.places().map(|(source, address)| (source.to_owned(), address.to_owned())).collect()
}

/// Where public answers are kept.
pub(super) fn cache(state: &Path) -> Folder {
    Folder::new(state.join("cache"), |path, bytes| {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        write_atomic(path, bytes, 0o600).map_err(std::io::Error::other)
    })
}

impl Collect for Collector {
    fn moment(&self, profile: &Profile) -> Option<UnixMs> {
        Nodes::moment(profile)
    }

    fn tries_again(&self, profile: &Profile) -> bool {
        self.sources.tries_again(profile)
    }

    async fn collect(
        &self,
        profile: &Profile,
        now: UnixMs,
        resume: &Resume,
        events: EventSender,
    ) -> Result<Collected, Error> {
        if let SourceSpec::Simulated { seed, born } = profile.source {
            return made_up(&Simulated::new(seed, born, now), resume, events).await;
        }
        let node = self.observe(profile, now, resume, events);
        let public = async {
            match profile.source {
                SourceSpec::Lnd(_) => self.ask_public(profile, now).await,
                // It is of its own time, or of no world at all: what is public today says nothing of it.
                SourceSpec::Recording { .. } | SourceSpec::Simulated { .. } => PublicAnswer {
                    not_asked: vec![("public sources".to_owned(), NOT_LIVE.to_owned())],
                    ..PublicAnswer::default()
                },
            }
        };
        // Where the node can't be read there is no report: what is public is then not waited for.
        let asked = async { Ok::<_, Error>(public.await) };
        let (observation, public) = tokio::try_join!(node, asked)?;
        let machine = machine(&self.state, profile, public.clock_ahead);
        let off = public.not_asked.into_iter().chain(machine.not_measured);
        let off = off.map(|(part, reason)| NotMeasured { part, reason }).collect();
        let (gaps, seen) = (public.gaps, public.seen);
        let watched = WatchedEvents::default();
        Ok(Collected { observation, public: public.view, gaps, seen, off, host: machine.host, watched })
    }
}

/// Reads a made-up node. What it is watched by and what its chain costs are made up with it.
pub(super) async fn made_up(node: &Simulated, resume: &Resume, events: EventSender) -> Result<Collected, Error> {
    // Where the store's coverage ends: from the last report on, the moments that it took to make would be a gap.
    let from = resume.watched_to.unwrap_or(UnixMs(0));
    let (observation, watched, public) = node.look(resume, events, from).await?;
    let off = vec![NotMeasured { part: "public sources".to_owned(), reason: NOT_LIVE.to_owned() }];
    let (gaps, seen, host) = (Vec::new(), Vec::new(), None);
    Ok(Collected { observation, public, gaps, seen, off, host, watched })
}
