//! What the network's graph costs: to fetch and keep from an LND that has it ready, and to load from the disk.
//! Each in a process of its own, which is this program under another first argument, so that its peak memory is its own.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use bytes::Bytes;
use rustix::fs::{Advice, fadvise};

use daznode::sources::answers::{Answers as _, DESCRIBE_GRAPH};
use daznode::sources::lnd::certificate::Pinned;
use daznode::sources::lnd::macaroon::Macaroon;
use daznode::sources::lnd::{Connection, Options, Trust};
use daznode::sources::reader::{Graph, GraphCache, Question};
use daznode::store::GraphFolder;
use daznode::units::Network;

use crate::fake::Fake;
use crate::place::{Place, now};
use crate::table::{Table, Unit};
use crate::{Sizes, graph, machine, recorded};

/// The word that makes this program get a graph.
pub const WORD: &str = "get-graph";

/// What one process told: milliseconds, and its peak in megabytes.
struct Got {
    ms: f64,
    megabytes: f64,
}

pub fn figures(sizes: &Sizes, table: &mut Table) {
    let (file, what) = graph::file();
    let fake = Fake::start(&["large", "10", "100", "10", file.to_str().unwrap()]);
    let place = Place::new();
    let certificate = place.secret("tls.cert", &fake.certificate);
    place.secret("readonly.macaroon", &recorded::macaroon(0));
    drop(place.store());
    let kept = folder(&place.state()).file(Network::Mainnet);
    let get = |how: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let said = command.args([WORD, how, &fake.address]).arg(certificate.parent().unwrap()).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let said = String::from_utf8(said.stdout).unwrap();
        let (ms, megabytes) = said.trim().split_once(' ').unwrap();
        Got { ms: ms.parse().unwrap(), megabytes: megabytes.parse().unwrap() }
    };
    let mut alone: Vec<f64> = (0..sizes.runs).map(|_| get("ask").ms).collect();
    alone.sort_by(f64::total_cmp);
    let alone = alone[alone.len() / 2];
    let fetched: Vec<Got> = (0..sizes.runs)
        .map(|_| {
            let _ = std::fs::remove_file(&kept);
            get("fetch")
        })
        .collect();
    let loaded: Vec<Got> = (0..sizes.runs)
        .map(|_| {
            // From the disk, not from the memory of the system.
            let file = File::open(&kept).unwrap();
            file.sync_all().unwrap();
            fadvise(&file, 0, None, Advice::DontNeed).unwrap();
            get("load")
        })
        .collect();
    let peak = |all: &[Got]| all.iter().map(|got| got.megabytes).collect();
    let whole = fetched.iter().map(|got| got.ms).collect();
    table.add("fetch and keep the graph of an LND that has it ready", Unit::Milliseconds, 1000.0, whole, None);
    table.add("fetch and keep the graph, peak memory", Unit::Megabytes, 200.0, peak(&fetched), None);
    table.add("load the kept graph", Unit::Milliseconds, 150.0, loaded.iter().map(|got| got.ms).collect(), None);
    table.add("load the kept graph, peak memory", Unit::Megabytes, 200.0, peak(&loaded), None);
    table.note(format!(
        "{what}; sending and receiving it alone, {:.1} MB, took {alone:.1} ms; kept it has {:.2} MB",
        machine::megabytes(&file),
        machine::megabytes(&kept)
    ));
}

fn folder(state: &Path) -> GraphFolder {
    GraphFolder::new(state, Path::new("graph"))
}

/// The process itself: `ask`, `fetch` or `load`, where LND is, and the folder of the state and credentials.
pub fn get(words: &[String]) {
    let (how, address, home) = (words[0].as_str(), &words[1], Path::new(&words[2]));
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let certificate = std::fs::read(home.join("tls.cert")).unwrap();
    let options = Options {
        address: address.parse().unwrap(),
        trust: Trust::Pinned(Pinned::parse(&certificate).unwrap()),
        macaroon: Macaroon::parse(&std::fs::read(home.join("readonly.macaroon")).unwrap()).unwrap(),
        proxy: None,
        offline: false,
        now: now(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ms = runtime.block_on(async {
        let connection = if how == "load" { None } else { Some(Connection::open(&options).await.unwrap()) };
        let ask = async { connection.as_ref().expect("it is at hand").ask(&DESCRIBE_GRAPH, Bytes::new()).await };
        let started = Instant::now();
        if how == "ask" {
            ask.await.unwrap();
        } else {
            let shelf = folder(&home.join("state"));
            let cache = GraphCache::new(12, Some(std::sync::Arc::new(shelf)));
            let question = Question { network: Network::Mainnet, address, source: "lnd", now: now() };
            let fetch = async { Ok((Graph::decode(&ask.await?).unwrap(), true)) };
            let used = cache.get(question, fetch).await.unwrap();
            assert!(used.graph.channels() > 40_000 && cache.warnings().is_empty());
        }
        started.elapsed().as_secs_f64() * 1000.0
    });
    println!("{ms} {}", machine::own_peak());
}
