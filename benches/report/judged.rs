//! What judging costs once a node is read: the store's history, and the report of it. In a process of its own, which is
//! this program under another first argument, so that its peak memory is that of judging alone.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use daznode::analysis::{Identity, Input, Thresholds, report};
use daznode::history::Window;
use daznode::store::{Access, ProfileFilter, Store};
use daznode::units::Network;
use uuid::Uuid;

use crate::fake::Fake;
use crate::place::{Place, now, profile};
use crate::table::{Table, Unit};
use crate::{Sizes, figures, graph, large, machine, recorded};

/// The word that makes this program judge.
pub const WORD: &str = "judge";
/// How often one store is judged; the first time reads the file.
const TIMES: usize = 7;
/// Channels of the nodes that show how the cost grows, each with so many forwards a channel.
const CURVE: [usize; 4] = [10, 100, 1_000, 10_000];
const FORWARDS_A_CHANNEL: usize = 100;

/// One judgement.
struct Judged {
    history_ms: f64,
    report_ms: f64,
}

/// The figures, and the curve as notes.
pub fn figures(sizes: &Sizes, table: &mut Table) {
    let (judged, peak) = node(sizes.channels, sizes.forwards, sizes.payments);
    let all = judged.iter().map(|j| j.history_ms + j.report_ms).collect();
    let name = format!("judging {} channels, {} forwards", sizes.channels, sizes.forwards);
    table.add(&name, Unit::Milliseconds, 300.0, all, None);
    table.add(&format!("{name}, peak memory"), Unit::Megabytes, 150.0, vec![peak], None);
    table.note(parts(&name, &judged));
    for channels in CURVE.iter().take(if sizes.full { CURVE.len() } else { 2 }) {
        let forwards = channels * FORWARDS_A_CHANNEL;
        let (judged, peak) = node(*channels, forwards, forwards / 10);
        let name = format!("{channels} channels, {forwards} forwards");
        table.note(format!("{}, {peak:.0} MB", parts(&name, &judged)));
    }
}

fn parts(name: &str, judged: &[Judged]) -> String {
    let median = |of: fn(&Judged) -> f64| {
        let mut values: Vec<f64> = judged.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    format!("{name}: history {:.1} ms, report {:.1} ms", median(|j| j.history_ms), median(|j| j.report_ms))
}

/// Reads a node of this size, gives it a month of samples, and judges it.
fn node(channels: usize, forwards: usize, payments: usize) -> (Vec<Judged>, f64) {
    let (file, _) = graph::file();
    let counts = [channels, forwards, payments].map(|n| n.to_string());
    let mut fake = Fake::start(&["large", &counts[0], &counts[1], &counts[2], file.to_str().unwrap()]);
    fake.last_day(true);
    let place = Place::new();
    let certificate = place.secret("tls.cert", &fake.certificate);
    let macaroon = place.secret("readonly.macaroon", &recorded::macaroon(0));
    let new = profile("large", large::OWN, Network::Mainnet, &fake.address, &certificate, &macaroon);
    place.store().enable(&new, now()).unwrap();
    machine::run(&place, &["generate", "--all"], false);
    figures::a_day_later(&place, 30);
    machine::run(&place, &["generate", "--all"], false);
    let said = Command::new(std::env::current_exe().unwrap()).arg(WORD).arg(place.state()).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    let mut lines = said.lines();
    let peak: f64 = lines.next().unwrap().parse().unwrap();
    let judged = lines.map(|line| {
        let (history, report) = line.split_once(' ').unwrap();
        Judged { history_ms: history.parse().unwrap(), report_ms: report.parse().unwrap() }
    });
    (judged.collect(), peak)
}

/// The process itself: prints its peak memory in megabytes, and a line for each judgement.
pub fn judge(state: &Path) {
    let store = Store::open(state, Access::Read).unwrap();
    let profile = store.profiles(&ProfileFilter::default()).unwrap().remove(0);
    let snapshot = store.latest_snapshot(&profile, now().plus(1)).unwrap().unwrap();
    let window = Window::days_before(snapshot.taken_at, 1);
    let thresholds = Thresholds::default();
    let ms = |since: Instant| since.elapsed().as_secs_f64() * 1000.0;
    let mut lines = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        let history = store.history(&profile, window.end, window.end.day()).unwrap();
        let history_ms = ms(started);
        let identity = Identity {
            report_id: Uuid::nil(),
            user_id: profile.user.clone(),
            tenant_id: profile.tenant.clone(),
            revision: 1,
            generated_at: window.end,
            file: None,
            retry_count: 0,
        };
        let started = Instant::now();
        let made = report(&Input {
            identity,
            snapshot: &snapshot,
            history: &history,
            thresholds: &thresholds,
            window,
            off: &[],
        });
        lines.push(format!("{history_ms} {}", ms(started)));
        assert!(made.summary.channels_count.is_some_and(|n| n > 0), "the node was not read");
    }
    println!("{}", machine::own_peak());
    println!("{}", lines.join("\n"));
}
