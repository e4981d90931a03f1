//! The table of parsers. Cargo-fuzz uses it too (`fuzz/`).

mod lnd;
mod public;
mod settings;
mod stored;
mod streams;
mod told;

use std::path::{Path, PathBuf};

/// A parser of outside bytes.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Whole inputs, each of which it takes.
    pub(crate) corpus: fn() -> Vec<Vec<u8>>,
    /// What is put into them besides what is in every input.
    pub(crate) words: &'static [&'static str],
    /// Gives it an input and checks what is said of what it takes; whether it took it.
    pub(crate) run: fn(&[u8]) -> bool,
}

pub(crate) static TARGETS: &[Target] = &[
    Target { name: "lnd-answers", corpus: lnd::answers, words: &[], run: lnd::read },
    Target { name: "protobuf", corpus: lnd::messages, words: &[], run: lnd::fields },
    Target { name: "recording", corpus: lnd::manifests, words: &["null", "regtest"], run: lnd::recording },
    Target { name: "macaroon", corpus: lnd::macaroons, words: lnd::CAVEATS, run: lnd::macaroon },
    Target { name: "certificate", corpus: lnd::certificates, words: lnd::PEM, run: lnd::certificate },
    Target { name: "lndconnect", corpus: lnd::uris, words: &["&cert=", "&macaroon=", "#", "[::1]"], run: lnd::uri },
    Target { name: "address", corpus: settings::addresses, words: settings::HOSTS, run: settings::address },
    Target {
        name: "place-of-secret",
        corpus: settings::places,
        words: &["credential:", "/", ".."],
        run: settings::place,
    },
    Target { name: "schedule", corpus: settings::schedules, words: settings::CRON, run: settings::schedule },
    Target { name: "config", corpus: settings::files, words: settings::TOML, run: settings::file },
    Target { name: "environment", corpus: settings::variables, words: settings::HOSTS, run: settings::variable },
    Target { name: "units", corpus: settings::units, words: &[":", "-", "x", "W"], run: settings::unit },
    Target { name: "mempool-fees", corpus: public::fees, words: public::JSON, run: public::mempool_fees },
    Target { name: "mempool-height", corpus: public::heights, words: public::JSON, run: public::mempool_height },
    Target { name: "mempool-price", corpus: public::prices, words: public::JSON, run: public::mempool_price },
    Target { name: "mempool-network", corpus: public::networks, words: public::JSON, run: public::mempool_network },
    Target { name: "mempool-node", corpus: public::nodes, words: public::JSON, run: public::mempool_node },
    Target { name: "amboss-node", corpus: public::amboss_nodes, words: public::JSON, run: public::amboss_node },
    Target { name: "amboss-fees", corpus: public::amboss_rates, words: public::JSON, run: public::amboss_fees },
    Target { name: "remote-health", corpus: public::healths, words: public::JSON, run: public::remote_health },
    Target { name: "position", corpus: public::positions, words: public::JSON, run: public::position },
    Target { name: "retry-after", corpus: public::waits, words: &["GMT", "+2400", "Feb 30"], run: public::wait },
    Target { name: "streams", corpus: streams::messages, words: &[], run: streams::message },
    Target { name: "kept-graph", corpus: streams::graphs, words: &[], run: streams::graph },
    Target { name: "channels", corpus: told::settings, words: told::SETTINGS, run: told::setting },
    Target { name: "event", corpus: told::events, words: told::TEXT, run: told::event },
    Target { name: "report", corpus: stored::reports, words: public::JSON, run: stored::report },
    Target { name: "backup-manifest", corpus: stored::manifests, words: public::JSON, run: stored::manifest },
    Target {
        name: "escapes",
        corpus: stored::texts,
        words: &["\u{1b}]8;;", "|", "```", "@", "\t"],
        run: stored::escape,
    },
];

/// The repository, also from `fuzz`.
pub(crate) fn fixtures(below: &str) -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = if here.ends_with("fuzz") { here.join("..") } else { here };
    root.join("tests/fixtures").join(below)
}

/// Every file of a folder whose name ends so.
pub(crate) fn all(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(fixtures(folder)).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// What is made of the input as a file of this name, in a folder that is made once for each thread.
pub(crate) fn in_memory<T>(name: &str, input: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    thread_local! {
        // In memory, where there is such a place: it is written very often.
        static FOLDER: tempfile::TempDir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    }
    FOLDER.with(|folder| {
        let path = folder.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        std::fs::write(&path, input).unwrap();
        read(&path)
    })
}

/// The input as text, as one that is not UTF-8 is read.
pub(crate) fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// Texts that are there by themselves.
pub(crate) fn of(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
