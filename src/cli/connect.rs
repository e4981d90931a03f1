//! From how a node is stored to the node itself: the one place that tells the kinds of sources apart.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use secrecy::SecretString;

use super::Context;
use super::enable::given::Given;
use crate::config::Config;
use crate::snapshot::{NodeView, Sample};
use crate::sources::answers::{Answers, Method};
use crate::sources::backup::BackupFile;
use crate::sources::health::{NodeHealth, SourceCheck};
use crate::sources::lnd::address::Address;
use crate::sources::lnd::follow::Follower;
use crate::sources::lnd::{self, Connection, Judged, Options, Surroundings};
use crate::sources::reader::{Extras, GraphCache, Reader};
use crate::sources::recording::{Folder, RecordingSource};
use crate::sources::secret::Secret;
use crate::sources::simulated::Simulated;
use crate::sources::spec::{LndSpec, SecretRef, SourceSpec};
use crate::sources::{Error, EventSender, Identity, NodeSource as _, Observation, Resume};
use crate::store::{GraphFolder, Profile};
use crate::units::{Network, Pubkey, UnixMs};

/// Runs what is asynchronous to its end. Commands that only read never come here.
pub(super) fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    // A second call finds the provider in place, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// Where the network's graph is kept.
pub(super) fn graphs(context: &Context) -> GraphFolder {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    GraphFolder::new(&context.place.state, &context.config.graph.folder(home))
}

/// How to reach a node that is read live.
fn live_spec(profile: &Profile) -> Result<&LndSpec, Error> {
    match &profile.source {
        SourceSpec::Lnd(spec) => Ok(spec),
        _ => Err(Error::Setup("only an LND can be watched".to_owned())),
    }
}

/// How the nodes of one command are reached.
pub(super) struct Nodes {
    config: Config,
    now: UnixMs,
    credentials: Option<PathBuf>,
    graph: GraphCache,
}

/// How a node's health is checked while it is read.
pub(super) struct Checking<'a> {
    /// The node's health.
    pub(super) health: &'a NodeHealth,
    /// Told of the check as soon as it is made: the reading may never end.
    pub(super) note: &'a dyn Fn(SourceCheck),
}

/// What a short look at a node told.
pub(super) struct Found {
    /// Who it is.
    pub(super) identity: Identity,
    /// Whether it has caught up with the chain.
    pub(super) synced: bool,
    /// When its certificate ends.
    pub(super) certificate_ends: Option<UnixMs>,
    /// When the macaroon ends.
    pub(super) macaroon_ends: Option<UnixMs>,
    /// What needs a look.
    pub(super) warnings: Vec<String>,
}

/// An open LND with what was seen on the way.
pub(super) struct Live {
    /// The connection.
    pub(super) connection: Connection,
    /// What is read besides.
    pub(super) extras: Extras,
    warnings: Vec<String>,
    macaroon_ends: Option<UnixMs>,
    macaroon_can_write: bool,
}

impl Live {
    /// What is known of certificate and macaroon without LND's word.
    fn tell(&self, node: &mut NodeView) {
        node.certificate_not_after = node.certificate_not_after.or(self.connection.certificate_not_after());
        node.macaroon_expires = node.macaroon_expires.or(self.macaroon_ends);
        node.macaroon_can_write = self.macaroon_can_write;
    }
}

impl Nodes {
    /// For one command.
    pub(super) fn new(context: &Context) -> Self {
        Self::at(context, context.now)
    }

    /// For one step of a command that runs on: files are read anew, and held against this time.
    pub(super) fn at(context: &Context, now: UnixMs) -> Self {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|v| !v.is_empty()).map(PathBuf::from);
        let kept = graphs(context);
        let graph = GraphCache::new(context.config.graph.keep_hours, Some(Arc::new(kept)));
        Self { config: context.config.clone(), now, credentials, graph }
    }

    /// What went wrong with keeping the network's graph, a line each; once.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.graph.warnings()
    }

    fn around(&self) -> Surroundings<'_> {
        Surroundings {
            credentials: self.credentials.as_deref(),
            proxy: self.config.lnd.proxy.as_deref().or(self.config.network.proxy.as_deref()),
            offline: self.config.network.offline,
            allow_write_macaroon: self.config.lnd.allow_write_macaroon,
            now: self.now,
        }
    }

    /// The moment that a node shows, where that is not now.
    pub(super) fn moment(profile: &Profile) -> Option<UnixMs> {
        match &profile.source {
            SourceSpec::Recording { folder } => Folder::open(folder).ok().map(|folder| folder.taken_at()),
            SourceSpec::Lnd(_) | SourceSpec::Simulated { .. } => None,
        }
    }

    /// Reads the node of a profile once, and checks its health beside that where it has one; refuses any other node.
    pub(super) async fn observe(
        &self,
        profile: &Profile,
        now: UnixMs,
        resume: &Resume,
        events: EventSender,
        checking: Option<Checking<'_>>,
    ) -> Result<Observation, Error> {
        match &profile.source {
            SourceSpec::Recording { folder } => {
                let source = RecordingSource::open(folder)?.expecting(profile.pubkey.clone(), profile.network);
                source.observe(resume, events).await
            }
            SourceSpec::Simulated { seed, born } => Simulated::new(*seed, *born, now).observe(resume, events).await,
            SourceSpec::Lnd(spec) => {
                let live = self.open(spec).await?;
                let reader = Reader::new(&live.connection, "lnd", now, &self.graph);
                let reader = reader.expecting(profile.pubkey.clone(), profile.network).with(live.extras.clone());
                let mut reading = pin!(reader.observe(resume, events));
                let check = async {
                    if let Some(Checking { health, note }) = checking {
                        note(health.probe(&live.connection, now).await);
                    }
                };
                // The check ends with the reading: it never holds a run up.
                let mut observation = tokio::select! {
                    observation = &mut reading => observation,
                    () = check => reading.await,
                }?;
                live.tell(&mut observation.node);
                Ok(observation)
            }
        }
    }

    /// A short look at the node of a profile that is read live.
    pub(super) async fn sample(&self, profile: &Profile) -> Result<Sample, Error> {
        let live = self.live(profile).await?;
        let reader = Reader::new(&live.connection, "lnd", self.now, &self.graph);
        let mut sample = reader.expecting(profile.pubkey.clone(), profile.network).sample().await?;
        live.tell(&mut sample.node);
        Ok(sample)
    }

    /// What follows the streams of such a node, and what its macaroon was judged to be. Dials nothing yet.
    pub(super) fn follower(&self, profile: &Profile) -> Result<(Follower, Judged), Error> {
        lnd::follower(live_spec(profile)?, &self.around())
    }

    /// Opens the node of a profile that is read live.
    pub(super) async fn live(&self, profile: &Profile) -> Result<Live, Error> {
        self.open(live_spec(profile)?).await
    }

    /// Opens an LND by how it is stored.
    pub(super) async fn open(&self, spec: &LndSpec) -> Result<Live, Error> {
        let opened = lnd::open(spec, &self.around()).await?;
        Ok(Live {
            connection: opened.connection,
            warnings: opened.warnings,
            macaroon_ends: opened.macaroon_expires,
            macaroon_can_write: opened.macaroon_can_write,
            extras: self.extras(spec, opened.not_permitted),
        })
    }

    /// Opens an LND as it was given to `enable` or `record`.
    pub(super) async fn open_given(&self, spec: &LndSpec, given: &Given) -> Result<Live, Error> {
        if given.inline.is_none() {
            return self.open(spec).await;
        }
        let (options, judged) = self.inline(spec, given)?;
        Ok(Live {
            connection: Connection::open(&options).await?,
            warnings: judged.warnings,
            macaroon_ends: judged.expires,
            macaroon_can_write: judged.can_write,
            extras: self.extras(spec, judged.not_permitted),
        })
    }

    fn extras(&self, spec: &LndSpec, not_permitted: Vec<&'static Method>) -> Extras {
        Extras { backup: BackupFile::read(spec.channel_backup.as_ref(), self.credentials.as_deref()), not_permitted }
    }

    /// Everything short of dialling.
    pub(super) fn judge(&self, given: &Given) -> Result<(), Error> {
        match (&given.spec, &given.inline) {
            (SourceSpec::Lnd(spec), Some(_)) => self.inline(spec, given).map(|_| ()),
            (SourceSpec::Lnd(spec), None) => lnd::options(spec, &self.around()).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// What a URI says, judged as files would be.
    fn inline(&self, spec: &LndSpec, given: &Given) -> Result<(Options, Judged), Error> {
        let around = self.around();
        let inline = given.inline.as_ref().ok_or_else(|| Error::Setup("there is no URI".to_owned()))?;
        let allow = around.allow_write_macaroon || spec.allow_write_macaroon;
        let judged = lnd::judge(&inline.macaroon, None, allow, self.now)?;
        let address: Address = spec.address.parse()?;
        let options = Options {
            address,
            trust: inline.trust.clone(),
            macaroon: inline.macaroon.clone(),
            proxy: spec.proxy.clone().or_else(|| around.proxy.map(str::to_owned)),
            offline: around.offline,
            now: self.now,
        };
        Ok((options, judged))
    }

    /// A short look at the node of a profile.
    pub(super) async fn look(&self, profile: &Profile) -> Result<Found, Error> {
        let expected = Some((&profile.pubkey, profile.network));
        match &profile.source {
            SourceSpec::Lnd(spec) => self.look_at(&self.open(spec).await?, expected).await,
            other => self.look_at_rest(other, expected).await,
        }
    }

    /// Who answers at what was given, and whether it is the expected node.
    pub(super) async fn identify(&self, given: &Given, expected: Option<&Pubkey>) -> Result<Found, Error> {
        let found = match &given.spec {
            SourceSpec::Lnd(spec) => self.look_at(&self.open_given(spec, given).await?, None).await?,
            other => self.look_at_rest(other, None).await?,
        };
        match expected {
            Some(expected) if *expected != found.identity.pubkey => Err(Error::OtherNode {
                address: given.spec.place(),
                found: found.identity.pubkey.to_string(),
                expected: expected.to_string(),
            }),
            _ => Ok(found),
        }
    }

    async fn look_at(&self, live: &Live, expected: Option<(&Pubkey, Network)>) -> Result<Found, Error> {
        let (identity, synced) = self.who("lnd", &live.connection, self.now, expected).await?;
        Ok(Found {
            identity,
            synced,
            certificate_ends: live.connection.certificate_not_after(),
            macaroon_ends: live.macaroon_ends,
            warnings: live.warnings.clone(),
        })
    }

    async fn look_at_rest(&self, spec: &SourceSpec, expected: Option<(&Pubkey, Network)>) -> Result<Found, Error> {
        let (identity, synced) = match spec {
            SourceSpec::Recording { folder } => {
                let folder = Folder::open(folder)?;
                self.who("recording", &folder, folder.taken_at(), expected).await?
            }
            SourceSpec::Simulated { seed, born } => (Simulated::new(*seed, *born, self.now).identify().await?, true),
            SourceSpec::Lnd(_) => return Err(Error::Setup("LND is asked, not read".to_owned())),
        };
        Ok(Found { identity, synced, certificate_ends: None, macaroon_ends: None, warnings: Vec::new() })
    }

    async fn who<A: Answers>(
        &self,
        name: &'static str,
        answers: &A,
        now: UnixMs,
        expected: Option<(&Pubkey, Network)>,
    ) -> Result<(Identity, bool), Error> {
        let mut reader = Reader::new(answers, name, now, &self.graph);
        if let Some((pubkey, network)) = expected {
            reader = reader.expecting(pubkey.clone(), network);
        }
        let info = reader.info().await?;
        let synced = info.synced_to_chain;
        let identity =
            Identity { pubkey: info.pubkey, alias: info.alias, network: info.network, version: info.version };
        Ok((identity, synced))
    }

    /// A source's key, from the file or credential that the settings name.
    pub(super) fn key(&self, place: Option<&str>) -> anyhow::Result<Option<SecretString>> {
        let Some(place) = place else { return Ok(None) };
        let place = match (place.strip_prefix("~/"), std::env::var_os("HOME")) {
            (Some(rest), Some(home)) => SecretRef::File(PathBuf::from(home).join(rest)),
            _ => place.parse()?,
        };
        let secret = Secret::read_own("API key", &place.path(self.credentials.as_deref())).map_err(Error::from)?;
        let text = secret.expose_text().map_err(Error::from)?;
        Ok(Some(SecretString::from(text.to_owned())))
    }
}
