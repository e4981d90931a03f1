//! The way from a node to its report as a run goes it: events and snapshot into a store, history out of it, the report
//! made and stored. Nothing of the simulated node reaches the rules by any other way.

use std::path::PathBuf;

use daznode::analysis::{self, Identity, Input, Thresholds};
use daznode::config::Config;
use daznode::history::{History, Window};
use daznode::render;
use daznode::report::Report;
use daznode::snapshot::Snapshot;
use daznode::sources::simulated::Sim;
use daznode::sources::spec::SourceSpec;
use daznode::store::{Access, NewProfile, Profile, Store};
use tempfile::TempDir;
use uuid::Uuid;

use crate::plan::born;

/// A store with one profile, in a folder that goes with it.
pub struct Journal {
    store: Store,
    profile: Profile,
    thresholds: Thresholds,
    folder: TempDir,
}

impl Journal {
    /// An empty one for this node.
    pub fn open(sim: &Sim, seed: u64) -> Self {
        let folder = folder();
        let store = Store::open(folder.path(), Access::Write).unwrap();
        let info = sim.snapshot().node.info;
        let new = NewProfile {
            tenant: "default".to_owned(),
            user: "backtest".to_owned(),
            pubkey: info.pubkey,
            network: info.network,
            alias: info.alias,
            source: SourceSpec::Simulated { seed, born: born() },
            schedule: "0 6 * * *".to_owned(),
            notify: serde_json::Value::Null,
        };
        let profile = store.enable(&new, sim.now()).unwrap();
        Self { store, profile, thresholds: Config::default().thresholds, folder }
    }

    /// A second one with all that is in this one.
    pub fn copied(&self) -> Self {
        let folder = folder();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
            }
        }
        let store = Store::open(folder.path(), Access::Write).unwrap();
        Self { store, profile: self.profile.clone(), thresholds: self.thresholds.clone(), folder }
    }

    /// Keeps what happened since the last time and how the node is now.
    pub fn keep(&self, sim: &mut Sim) -> Snapshot {
        for events in sim.take_events() {
            self.store.put_events(&self.profile, &events).unwrap();
        }
        self.store.put_watched(&self.profile, &sim.take_watched()).unwrap();
        let snapshot = sim.snapshot();
        self.store.put_snapshot(&self.profile, &snapshot).unwrap();
        snapshot
    }

    /// Makes and stores the report of a snapshot that was kept; with the history that it was made of.
    pub fn report(&self, snapshot: &Snapshot) -> (Report, History) {
        let window = Window::days_before(snapshot.taken_at, 1);
        let date = window.end.day();
        let history = self.store.history(&self.profile, window.end, date).unwrap();
        let identity = Identity {
            // The same on every run: an id by chance could decide a tie.
            report_id: Uuid::from_u64_pair(window.end.0.unsigned_abs(), u64::MAX),
            user_id: self.profile.user.clone(),
            tenant_id: self.profile.tenant.clone(),
            revision: 1,
            generated_at: window.end,
            file: None,
            retry_count: 0,
        };
        let thresholds = &self.thresholds;
        let input = Input { identity, snapshot, history: &history, thresholds, window, off: &[] };
        let report = analysis::report(&input);
        self.store.put_report(&self.profile, &report, &render::json::document(&report)).unwrap();
        (report, history)
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("daznode-backtest-").tempdir_in(place()).unwrap()
}

/// Where stores are made. Each commit is synced, which in memory costs nothing.
fn place() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    match std::env::var_os("DAZNODE_BACKTEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None if memory.is_dir() => memory,
        None => std::env::temp_dir(),
    }
}
