//! What a run reads: the node of a profile, and beside it what public sources say.

use std::path::Path;
use std::sync::Arc;

use super::Context;
use super::connect::Nodes;
use crate::daily::{Collect, Collected};
use crate::report::NotMeasured;
use crate::sources::cache::{Cache, Folder};
use crate::sources::public::{PublicAnswer, PublicSources, Settings};
use crate::sources::spec::SourceSpec;
use crate::sources::{Error, EventSender, Resume};
use crate::store::Profile;
use crate::store::files::write_atomic;
use crate::units::UnixMs;

/// Reads the nodes of one run; what they share (the graph, public answers) is asked for once.
pub(super) struct Collector {
    nodes: Nodes,
    public: PublicSources,
}

impl Collector {
    /// As the settings say.
    pub(super) fn new(context: &Context) -> anyhow::Result<Self> {
        let config = &context.config;
        let settings = Settings {
            mempool: config.sources.mempool.clone(),
            amboss: config.sources.amboss.clone(),
            proxy: config.network.proxy.clone(),
            offline: config.network.offline,
        };
        let nodes = Nodes::new(context);
        let key = nodes.key(config.sources.amboss.key_file.as_deref().filter(|_| config.sources.amboss.enabled))?;
        let cache: Arc<dyn Cache> = Arc::new(cache(&context.place.state));
        let public = PublicSources::new(&settings, key, &cache).map_err(|e| Error::Setup(e.to_string()))?;
        Ok(Self { nodes, public })
    }
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

    async fn collect(
        &self,
        profile: &Profile,
        now: UnixMs,
        resume: &Resume,
        events: EventSender,
    ) -> Result<Collected, Error> {
        let node = self.nodes.observe(profile, now, resume, events);
        let public = async {
            match profile.source {
                SourceSpec::Lnd(_) => self.public.collect(&profile.pubkey, profile.network, now).await,
                // It is of its own time, or of no world at all: what is public today says nothing of it.
                SourceSpec::Recording { .. } | SourceSpec::Simulated { .. } => PublicAnswer {
                    not_asked: vec![("public sources".to_owned(), "this node is not read live".to_owned())],
                    ..PublicAnswer::default()
                },
            }
        };
        // Where the node can't be read there is no report: what is public is then not waited for.
        let asked = async { Ok::<_, Error>(public.await) };
        let (observation, public) = tokio::try_join!(node, asked)?;
        let off = public.not_asked.into_iter().map(|(part, reason)| NotMeasured { part, reason }).collect();
        Ok(Collected { observation, public: public.view, gaps: public.gaps, seen: public.seen, off })
    }
}
