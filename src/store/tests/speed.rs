//! How long the store takes with much in it. Ignored unless asked for: `cargo test --lib store::tests::speed -- --ignored
//! --nocapture` prints the figures.

use std::time::Instant;

use super::support::{NOW, announce, document, fixture, forward, new_profile, payment, pubkey, report, snapshot};
use crate::snapshot::Events;
use crate::store::{Access, ProfileFilter, Store};
use crate::units::DAY_MS;

/// Milliseconds that this thread was on a processor: what the store costs, whatever else runs.
fn on_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}

fn time<T>(what: &str, work: impl FnOnce() -> T) -> (T, f64) {
    let (begin, cpu) = (Instant::now(), on_cpu());
    let done = work();
    let cpu = on_cpu() - cpu;
    println!("{what}: {:.1} ms, {cpu:.1} on the processor", begin.elapsed().as_secs_f64() * 1000.0);
    (done, cpu)
}

#[test]
#[ignore = "takes seconds; for figures"]
fn a_million_forwards() {
    let fixture = fixture();
    let (store, profile) = (&fixture.store, &fixture.profile);
    // 1,000,000 forwards over 30 days; each of 2,000 channels sends to a few others.
    let (count, span) = (1_000_000_i64, 30 * DAY_MS * 1_000_000);
    let start = NOW.nanos() - span;
    let mut seed = 7_u64;
    let mut random = move |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    let mut all = Vec::new();
    for n in 0..count {
        let scid_in = (800_000 << 40) | random(2_000);
        let scid_out = (800_000 << 40) | ((scid_in * 7 + random(5) * 13) % 2_000);
        let amount = 1_000_000 + i64::try_from(random(100_000_000)).unwrap();
        all.push(forward(start + n * (span / count), scid_in, scid_out, amount + amount / 2000, amount));
    }
    let pages: Vec<Events> = all.chunks(50_000).map(|page| Events::Forwards(page.to_vec())).collect();
    let (new, put) =
        time("1,000,000 forwards", || pages.iter().map(|page| store.put_events(profile, page).unwrap()).sum::<usize>());
    assert_eq!(new, 1_000_000);
    time("50,000 of them again", || store.put_events(profile, pages.last().unwrap()).unwrap());
    let own = profile.pubkey.clone();
    let payments: Vec<_> = (1..=100_000_u64)
        .map(|n| {
            let to = if n % 4 == 0 { own.clone() } else { pubkey(5000 + n % 100) };
            let mut payment = payment(n, start + i64::try_from(n).unwrap() * (span / 100_000), to, 50_000_000, 20_000);
            payment.parts.push(payment.parts[0].clone());
            payment.parts[1].attempt += 1;
            payment
        })
        .collect();
    let pages: Vec<Events> = payments.chunks(10_000).map(|page| Events::Payments(page.to_vec())).collect();
    let (new, paid) = time("100,000 payments of 2 parts", || {
        pages.iter().map(|page| store.put_events(profile, page).unwrap()).sum::<usize>()
    });
    assert_eq!(new, 100_000);
    for days in (1..=30).rev() {
        store.put_snapshot(profile, &snapshot(NOW.plus(-days * DAY_MS), 2_000)).unwrap();
    }
    time("snapshot of 2,000 channels", || store.put_snapshot(profile, &snapshot(NOW, 2_000)).unwrap());
    announce(&fixture, NOW.plus(-DAY_MS));
    let (history, _) = time("history", || store.history(profile, NOW, NOW.day()).unwrap());
    assert_eq!(history.month.forwards, 1_000_000);
    assert_eq!((history.quarter.forwards, history.ever.forwards), (1_000_000, 1_000_000));
    assert_eq!(history.samples.len(), 60_000);
    let (_, warm) = time("history again", || store.history(profile, NOW, NOW.day()).unwrap());
    time("history at another time", || store.history(profile, NOW.plus(-12_345_678), NOW.day()).unwrap());
    let file = fixture.folder.path().join(crate::store::DATABASE);
    println!("database: {} MB", std::fs::metadata(file).unwrap().len() / 1_000_000);
    time("its parts: periods", || {
        store.read(|tx| Ok(crate::store::sums::periods(tx, store.key(profile)?, NOW).unwrap())).unwrap()
    });
    time("days", || store.read(|tx| Ok(crate::store::sums::days(tx, store.key(profile)?, NOW, 120).unwrap())).unwrap());
    let key = store.key(profile).unwrap();
    let channels = store.read(|tx| Ok(crate::store::samples::channels(tx, key).unwrap())).unwrap();
    time("balances", || store.read(|tx| Ok(crate::store::balances::means(tx, key, &channels, NOW).unwrap())).unwrap());
    time("samples", || {
        let month = (NOW.plus(-30 * DAY_MS), NOW);
        store.read(|tx| Ok(crate::store::samples::channel_samples(tx, key, &channels, month).unwrap())).unwrap()
    });
    time("previous snapshot", || store.latest_snapshot(profile, NOW).unwrap());
    time("check", || store.check().unwrap());
    time("open to read", || Store::open(fixture.folder.path(), Access::Read).unwrap());
    // Time on the processor in an unoptimised build, with room for a machine that does other things too.
    assert!(put < 3_500.0 && paid < 2_000.0 && warm < 300.0, "slower than promised");
}

#[test]
#[ignore = "takes seconds; for figures"]
fn a_thousand_profiles() {
    let fixture = fixture();
    let store = &fixture.store;
    store.db.pragma_update(None, "synchronous", "OFF").unwrap();
    let profiles: Vec<_> =
        (0..1_000).map(|n| store.enable(&new_profile(&format!("user{n}"), n), NOW).unwrap()).collect();
    for day in (1..20).rev() {
        for profile in &profiles {
            let report = report(profile, NOW.plus(-day * DAY_MS), 1);
            store.put_report(profile, &report, &document(&report)).unwrap();
        }
    }
    store.db.pragma_update(None, "synchronous", "FULL").unwrap();
    time("flush 19,000 files", || store.flush_files().unwrap());
    time("snapshot and report of 100 profiles", || {
        for profile in profiles.iter().take(100) {
            store.put_snapshot(profile, &snapshot(NOW, 10)).unwrap();
            let report = report(profile, NOW, 1);
            store.put_report(profile, &report, &document(&report)).unwrap();
        }
    });
    time("their files at once", || store.flush_files().unwrap());
    let (reader, _) = time("open to read", || Store::open(fixture.folder.path(), Access::Read).unwrap());
    time("1,000 profiles", || reader.profiles(&ProfileFilter::default()).unwrap());
    time("latest report", || reader.latest_report(&profiles[500]).unwrap());
    let (days, _) = time("days", || reader.report_days(&profiles[500], NOW.day().plus(-90), NOW.day()).unwrap());
    assert_eq!(days.len(), 19);
}
