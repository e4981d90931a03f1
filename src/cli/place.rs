//! Which store and which settings are meant.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::config;
use crate::store;

/// The service's store.
pub(crate) const SERVICE_STATE: &str = "/var/lib/daznode";

/// What was said about where the store is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// `--state`.
    pub(crate) state: Option<PathBuf>,
    /// `--system`.
    pub(crate) system: bool,
    /// `$DAZNODE_STATE`.
    pub(crate) variable: Option<PathBuf>,
    /// `$STATE_DIRECTORY`, which systemd sets for a service.
    pub(crate) unit: Option<PathBuf>,
    /// The person's own folder.
    pub(crate) own: Option<PathBuf>,
    /// The service's folder.
    pub(crate) service: PathBuf,
}

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The state folder.
    pub(crate) state: PathBuf,
    /// Whether it is the service's: its files may be read by its group, its settings are those of `/etc`.
    pub(crate) service: bool,
    /// Another store that a reader could have meant.
    pub(crate) other: Option<PathBuf>,
}

impl Wanted {
    /// What arguments and environment say.
    pub(crate) fn new(state: Option<PathBuf>, system: bool, env: &dyn Fn(&str) -> Option<String>) -> Self {
        let folder = |name: &str| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        // systemd joins several folders by colons; the unit asks for one.
        let unit = env("STATE_DIRECTORY")
            .and_then(|v| v.split(':').next().map(str::to_owned))
            .filter(|v| !v.is_empty())
            .map(PathBuf::from);
        let own = directories::ProjectDirs::from("", "", "daznode").map(|d| d.data_dir().to_path_buf());
        let variable = folder("DAZNODE_STATE");
        Self { state, system, variable, unit, own, service: PathBuf::from(SERVICE_STATE) }
    }

    /// The store for a command; one that only reads falls back on the service's where there is none of one's own.
    pub(crate) fn resolve(&self, reads: bool) -> Option<Place> {
        let is_service = |path: &Path| self.system || path == self.service;
        let told = |path: &PathBuf| Some(Place { state: path.clone(), service: is_service(path), other: None });
        if let Some(path) = self.state.as_ref().or(self.variable.as_ref()) {
            return told(path);
        }
        if let Some(path) = &self.unit {
            return Some(Place { state: path.clone(), service: true, other: None });
        }
        if self.system {
            return told(&self.service);
        }
        let own = self.own.as_ref()?;
        let (has_own, has_service) = (has_store(own), reads && has_store(&self.service));
        Some(match (has_own, has_service) {
            (false, true) => Place { state: self.service.clone(), service: true, other: None },
            (true, true) => Place { state: own.clone(), service: false, other: Some(self.service.clone()) },
            _ => Place { state: own.clone(), service: false, other: None },
        })
    }
}

/// Whether there is a store that this user may read.
fn has_store(folder: &Path) -> bool {
    std::fs::File::open(folder.join(store::DATABASE)).is_ok()
}

/// The files of settings that may be there, the weaker first.
pub(crate) fn config_files(service: bool) -> Vec<PathBuf> {
    let own = directories::ProjectDirs::from("", "", "daznode").map(|d| d.config_dir().join("config.toml"));
    let system = PathBuf::from(config::SYSTEM_FILE);
    if service { vec![system] } else { std::iter::once(system).chain(own).collect() }
}

/// Gives what root wrote into the service's store to the one that the service runs as: the owner of the folder.
pub(super) fn settle(place: &Place) -> anyhow::Result<()> {
    if !place.service || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let about = place.state.metadata()?;
    if about.uid() != 0 {
        give(&place.state, about.uid(), about.gid())?;
    }
    Ok(())
}

fn give(folder: &Path, uid: u32, gid: u32) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.uid() == 0 {
            std::os::unix::fs::lchown(entry.path(), Some(uid), Some(gid))?;
        }
        if about.is_dir() {
            give(&entry.path(), uid, gid)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(root: &Path) -> Wanted {
        for name in ["own", "service"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        Wanted { own: Some(root.join("own")), service: root.join("service"), ..Wanted::default() }
    }

    fn put_store(folder: &Path) {
        std::fs::File::create(folder.join(store::DATABASE)).unwrap();
    }

    #[test]
    fn the_nearest_word_wins() {
        let root = tempfile::tempdir().unwrap();
        let mut wanted = wanted(root.path());
        let state = |w: &Wanted| w.resolve(false).unwrap().state;
        assert_eq!(state(&wanted), root.path().join("own"));
        wanted.system = true;
        assert_eq!(state(&wanted), root.path().join("service"));
        wanted.unit = Some("/unit".into());
        assert_eq!(state(&wanted), Path::new("/unit"));
        wanted.variable = Some("/variable".into());
        assert_eq!(state(&wanted), Path::new("/variable"));
        wanted.state = Some("/told".into());
        assert_eq!(state(&wanted), Path::new("/told"));
    }

    #[test]
    fn a_reader_without_a_store_reads_the_services() {
        let root = tempfile::tempdir().unwrap();
        let wanted = wanted(root.path());
        put_store(&wanted.service);
        assert_eq!(wanted.resolve(false).unwrap().state, root.path().join("own"));
        let place = wanted.resolve(true).unwrap();
        assert_eq!(place, Place { state: root.path().join("service"), service: true, other: None });
        put_store(&root.path().join("own"));
        let place = wanted.resolve(true).unwrap();
        assert_eq!((place.state, place.other), (root.path().join("own"), Some(root.path().join("service"))));
    }

    #[test]
    fn a_unit_names_its_folder() {
        let env = |name: &str| (name == "STATE_DIRECTORY").then(|| "/var/lib/daznode:/var/lib/more".to_owned());
        let place = Wanted::new(None, false, &env).resolve(true).unwrap();
        assert_eq!(place, Place { state: SERVICE_STATE.into(), service: true, other: None });
    }
}
