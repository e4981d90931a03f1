//! The nodes as they are, and what the watcher does with what it sees of them: it judges, checks sources and sends.

use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join_all};
use uuid::Uuid;

use super::service;
use crate::analysis::{self, UNREACHABLE};
use crate::cli::connect::Nodes;
use crate::cli::select::name;
use crate::cli::{Context, clock, collect, notify};
use crate::notify::Courier;
use crate::report::Alert;
use crate::snapshot::{PublicView, SCHEMA, Sample, Snapshot};
use crate::sources;
use crate::sources::breaker::SourceState;
use crate::sources::health::{LND, NodeHealth, Probe as _};
use crate::sources::public::PublicSources;
use crate::sources::streams::WordSender;
use crate::store::{self, By, Handle, Judged, Profile, ProfileFilter};
use crate::units::{Network, UnixMs};
use crate::watch::{self, Level, World};

/// How long sending may take at a time.
const SEND: Duration = Duration::from_secs(20);

/// The nodes as they are.
pub(super) struct Live<'a> {
    context: &'a Context,
    store: Handle,
    filter: ProfileFilter,
    courier: Courier,
    public: PublicSources,
    /// Profiles of which it was said that their macaroon does not allow every stream.
    said: RefCell<HashSet<Uuid>>,
    log: service::Log,
}

impl<'a> Live<'a> {
    /// As the settings say.
    pub(super) fn new(context: &'a Context, store: Handle, filter: ProfileFilter) -> anyhow::Result<Self> {
        Ok(Self {
            context,
            store,
            filter,
            courier: notify::courier(context),
            public: collect::public_sources(context, &Nodes::new(context))?,
            said: RefCell::default(),
            log: service::Log::new(),
        })
    }

    /// The profiles that are followed.
    async fn profiles(&self) -> store::Result<Vec<Profile>> {
        let filter = ProfileFilter { enabled_only: true, ..self.filter.clone() };
        let profiles = self.store.run(move |store| store.profiles(&filter)).await?;
        Ok(profiles.into_iter().filter(watch::can_follow).collect())
    }

    /// Checks every node and public source at the same time, and keeps what came of it.
    async fn check(&self, now: UnixMs) -> store::Result<()> {
        let profiles = self.profiles().await?;
        join_all(profiles.iter().map(|profile| self.check_node(profile, now)))
            .await
            .into_iter()
            .collect::<store::Result<()>>()?;
        // They are asked about mainnet only, and so only checked where there is such a node.
        if profiles.iter().any(|profile| profile.network == Network::Mainnet) {
            self.check_public(now).await?;
        }
        Ok(())
    }

    async fn check_node(&self, profile: &Profile, now: UnixMs) -> store::Result<()> {
        let health = self.health(profile).await?;
        let nodes = Nodes::at(self.context, now);
        let check = match nodes.live(profile).await {
            Ok(live) => health.probe(&live.connection, now).await,
            Err(error) => health.failed(&error, now),
        };
        let (profile, state) = (profile.clone(), health.state());
        self.store.run(move |store| store.put_source_health(Some(&profile), &[check], &[state], now)).await
    }

    /// A node's health, with the breaker that is kept of it: a run may have asked since.
    async fn health(&self, profile: &Profile) -> store::Result<NodeHealth> {
        let of = profile.clone();
        let load = move |store: &store::Store| store.source_breaker(Some(&of), LND, of.pubkey.as_str());
        let breaker = self.store.run(load).await?.unwrap_or_default();
        Ok(NodeHealth::new(profile.pubkey.clone(), profile.network, breaker))
    }

    async fn check_public(&self, now: UnixMs) -> store::Result<()> {
        // A run may have been asked to leave one alone since the last time.
        let places = collect::places(&self.public);
        let load = move |store: &store::Store| {
            let mut states = Vec::with_capacity(places.len());
            for (source, subject) in places {
                if let Some(breaker) = store.source_breaker(None, &source, &subject)? {
                    states.push(SourceState { source, subject, breaker });
                }
            }
            Ok(states)
        };
        self.public.recall(&self.store.run(load).await?);
        let checks = self.public.probe(now).await;
        let states = self.public.states();
        if checks.is_empty() && states.is_empty() {
            return Ok(());
        }
        self.store.run(move |store| store.put_source_health(None, &checks, &states, now)).await
    }

    /// Judges a look by the rules that can't wait. How many alerts changed.
    async fn judge_look(&self, profile: &Profile, sample: &Sample) -> store::Result<usize> {
        let (host, now) = (collect::machine(&self.context.place.state, profile, None).host, sample.taken_at);
        let snapshot = Snapshot {
            schema: SCHEMA,
            taken_at: now,
            node: sample.node.clone(),
            public: PublicView::default(),
            gaps: sample.gaps.clone(),
            sources: Vec::new(),
            host,
        };
        let (profile, thresholds) = (profile.clone(), self.context.config.thresholds.clone());
        let judge = move |store: &store::Store| {
            let history = store.recent_history(&profile, now)?;
            let (alerts, mut rules) = analysis::alerts_now(&snapshot, &history, &thresholds);
            // It answered.
            rules.push(UNREACHABLE.to_owned());
            store.put_judged(&profile, &Judged { at: now, alerts: &alerts, rules: &rules, by: By::Watch })
        };
        self.store.run(judge).await
    }

    /// Says that a node has not answered for a while. How many alerts changed.
    async fn judge_silence(&self, profile: &Profile, since: UnixMs, why: &str) -> store::Result<usize> {
        let now = clock::now();
        let found = analysis::unreachable(since, now, why, &self.context.config.thresholds);
        let Some(alert) = found else { return Ok(0) };
        let profile = profile.clone();
        let put = move |store: &store::Store| {
            let alerts: [Alert; 1] = [alert];
            store.put_judged(&profile, &Judged { at: now, alerts: &alerts, rules: &[], by: By::Watch })
        };
        self.store.run(put).await
    }

    /// Whether there is something to send, or what went wrong, for the log.
    fn changed(&self, profile: &Profile, came: store::Result<usize>) -> bool {
        came.map_or_else(
            |error| {
                self.log(Level::Error, &format!("{}: it can't be judged: {error}", name(profile)));
                false
            },
            |changed| changed > 0,
        )
    }
}

impl World for Live<'_> {
    async fn follow(&self, profile: &Profile, words: WordSender) -> Result<(), sources::Error> {
        // Files of certificate and macaroon may have changed since: they are read again.
        let (follower, judged) = Nodes::at(self.context, clock::now()).follower(profile)?;
        if !judged.streams_not_permitted.is_empty() && self.said.borrow_mut().insert(profile.id) {
            let streams: Vec<&str> = judged.streams_not_permitted.iter().map(|method| method.name()).collect();
            let line = format!("{}: its macaroon does not allow {}", name(profile), streams.join(", "));
            self.log(Level::Warning, &line);
        }
        follower.follow(&profile.pubkey, &sources::streams::Stream::ALL, &clock::now, words).await
    }

    async fn sample(&self, profile: &Profile, now: UnixMs) -> Result<Sample, sources::Error> {
        Nodes::at(self.context, now).sample(profile).await
    }

    fn probe(&self, now: UnixMs) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(error) = self.check(now).await {
                self.log(Level::Error, &format!("how sources are doing can't be kept: {error}"));
            }
        })
    }

    fn judge<'b>(&'b self, profile: &'b Profile, sample: &'b Sample) -> LocalBoxFuture<'b, bool> {
        Box::pin(async move { self.changed(profile, self.judge_look(profile, sample).await) })
    }

    fn silent<'b>(&'b self, profile: &'b Profile, since: UnixMs, why: &'b str) -> LocalBoxFuture<'b, bool> {
        Box::pin(async move { self.changed(profile, self.judge_silence(profile, since, why).await) })
    }

    fn deliver(&self, now: UnixMs) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            match self.courier.deliver(&self.store, now, SEND).await {
                Ok(delivered) => {
                    for error in delivered.errors {
                        self.log(Level::Warning, &format!("notify: {error}"));
                    }
                }
                Err(error) => self.log(Level::Error, &format!("messages can't be sent: {error}")),
            }
        })
    }

    fn log(&self, level: Level, line: &str) {
        self.log.line(level, line);
    }

    fn ready(&self) {
        service::ready();
    }

    fn alive(&self, status: &str) {
        service::alive(status);
    }
}
