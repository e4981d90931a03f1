use super::*;
use crate::history::HostSample;

const GB: u64 = 1_000_000_000;

fn disk(holds: &str, free: u64) -> Disk {
    Disk { holds: holds.to_owned(), free_bytes: free, total_bytes: 1000 * GB }
}

fn on(host: Host) -> Snapshot {
    Snapshot { host: Some(host), ..two() }
}

fn with_disk(holds: &str, free: u64) -> Snapshot {
    on(Host { disks: vec![disk(holds, free)], ..Host::default() })
}

/// Looks at the machine, so many days ago each.
fn looks(looks: &[(i64, Host)]) -> History {
    let mut past = history(&[]);
    past.host =
        looks.iter().map(|(days, host)| HostSample { at: NOW.plus(-days * DAY_MS), host: host.clone() }).collect();
    past
}

#[test]
fn a_disk_is_nearly_full_below_fifteen_percent_and_that_of_lnd_critical_below_ten() {
    let judged = |holds, free| severity(&made(&with_disk(holds, free), &history(&[])), "disk-full");
    assert_eq!(judged("lnd", 150 * GB), None);
    assert_eq!(judged("lnd", 150 * GB - 1_000_000), Some(Severity::Warning));
    assert_eq!(judged("lnd", 100 * GB), Some(Severity::Warning));
    assert_eq!(judged("daznode,lnd", 100 * GB - 1_000_000), Some(Severity::Critical));
    assert_eq!(judged("daznode", 1), Some(Severity::Warning));
    assert_eq!(
        title(&made(&with_disk("lnd", 99 * GB), &history(&[])), "disk-full").unwrap(),
        "The disk of lnd has 99.0 GB free of 1000.0 GB: 10 %"
    );
    assert_eq!(
        title(&made(&with_disk("lnd,daznode", 99 * GB), &history(&[])), "disk-full").unwrap(),
        "The disk of lnd and daznode has 99.0 GB free of 1000.0 GB: 10 %"
    );
    assert!(!asked("disk-full", &two(), &history(&[])));
}

#[test]
fn the_day_a_disk_runs_out_follows_from_its_trend() {
    // 10 GB a day; LND's own limit is at 100 GB, so 300 GB last for 20 days: 2026-12-11.
    let past = |days: &[i64]| {
        let host = |ago: i64| Host {
            disks: vec![disk("lnd", (300 + 10 * u64::try_from(ago).unwrap()) * GB)],
            ..Host::default()
        };
        looks(&days.iter().map(|ago| (*ago, host(*ago))).collect::<Vec<_>>())
    };
    let report = made(&with_disk("lnd", 300 * GB), &past(&[4, 2]));
    assert_eq!(severity(&report, "disk-runs-out"), Some(Severity::Warning));
    assert_eq!(
        title(&report, "disk-runs-out").unwrap(),
        "By its trend the disk of lnd has less than 10 % free on 2026-12-11"
    );
    // Without LND on it, all of it can be used: exactly 30 days are not below 30.
    let mut other = past(&[4, 2]);
    for sample in &mut other.host {
        sample.host.disks[0].holds = "daznode".to_owned();
    }
    assert_eq!(severity(&made(&with_disk("daznode", 300 * GB), &other), "disk-runs-out"), None);
    // Two looks, or less than three days, are no trend.
    assert!(!asked("disk-runs-out", &with_disk("lnd", 300 * GB), &past(&[4])));
    assert!(!asked("disk-runs-out", &with_disk("lnd", 300 * GB), &past(&[2, 1])));
    // 120 GB last for two days.
    let soon = looks(&[4, 2].map(|ago| {
        (ago, Host { disks: vec![disk("lnd", (120 + 10 * u64::try_from(ago).unwrap()) * GB)], ..Host::default() })
    }));
    assert_eq!(severity(&made(&with_disk("lnd", 120 * GB), &soon), "disk-runs-out"), Some(Severity::Critical));
}

#[test]
fn one_clean_up_does_not_bend_the_trend_and_a_new_disk_has_none() {
    let host = |free: u64| Host { disks: vec![disk("lnd", free * GB)], ..Host::default() };
    // Falls by 10 GB a day, but for one clean-up of 200 GB.
    let past = looks(&[(6, host(230)), (5, host(420)), (4, host(410)), (3, host(400)), (2, host(390)), (1, host(380))]);
    let slopes = made(&with_disk("lnd", 370 * GB), &past);
    assert_eq!(severity(&slopes, "disk-runs-out"), Some(Severity::Warning), "27 days to 100 GB");
    let mut small = past;
    for sample in &mut small.host {
        sample.host.disks[0].total_bytes = 500 * GB;
    }
    assert!(!asked("disk-runs-out", &with_disk("lnd", 370 * GB), &small));
}

#[test]
fn databases_are_told_by_size_and_by_growth() {
    let sized = |bytes| on(Host { database_bytes: Some(bytes), ..Host::default() });
    let judged = |bytes| severity(&made(&sized(bytes), &history(&[])), "database-large");
    assert_eq!(judged(4 * GB - 1), None);
    assert_eq!(judged(4 * GB), Some(Severity::Info));
    assert_eq!(judged(8 * GB), Some(Severity::Warning));
    let report = made(&sized(16 * GB), &history(&[]));
    assert!(find(&report, "database-large").unwrap().description.starts_with("Starting and compacting take long"));
    assert!(!asked("database-large", &on(Host::default()), &history(&[])));
    // A week's growth of 1.05 GB and of 0.7 GB.
    let past = looks(&[7, 3].map(|ago| {
        (ago, Host { database_bytes: Some(2 * GB - 150_000_000 * u64::try_from(ago).unwrap()), ..Host::default() })
    }));
    assert_eq!(
        title(&made(&sized(2 * GB), &past), "database-growing").unwrap(),
        "LND's databases grow by 1.0 GB a week"
    );
    let slow = looks(&[7, 3].map(|ago| {
        (ago, Host { database_bytes: Some(2 * GB - 100_000_000 * u64::try_from(ago).unwrap()), ..Host::default() })
    }));
    assert_eq!(severity(&made(&sized(2 * GB), &slow), "database-growing"), None);
    assert!(!asked("database-growing", &sized(2 * GB), &history(&[])));
}

#[test]
fn little_memory_is_told_where_both_figures_are_known() {
    let with = |free, all| on(Host { memory_available_bytes: free, memory_total_bytes: all, ..Host::default() });
    let judged = |free| severity(&made(&with(Some(free), Some(8 * GB)), &history(&[])), "memory-low");
    assert_eq!(judged(800_000_000), None);
    assert_eq!(judged(799_990_000), Some(Severity::Warning));
    assert!(!asked("memory-low", &with(Some(1), None), &history(&[])));
}

#[test]
fn a_clock_is_held_against_others_and_against_the_chain() {
    let ahead = |ms| {
        let fact = Fact { value: ms, source: "mempool.space".to_owned(), as_of: NOW };
        title(&made(&on(Host { clock_ahead: Some(fact), ..Host::default() }), &history(&[])), "clock-off")
    };
    assert_eq!(ahead(59_999), None);
    assert_eq!(ahead(60_000).unwrap(), "The clock is 60 s ahead of that of mempool.space");
    assert_eq!(ahead(-90_000).unwrap(), "The clock is 90 s behind that of mempool.space");
    assert!(!asked("clock-off", &two(), &history(&[])));
    let header = |ms| {
        let mut snapshot = two();
        snapshot.node.info.best_header_at = Some(NOW.plus(ms));
        severity(&made(&snapshot, &history(&[])), "clock-off")
    };
    assert_eq!(header(2 * HOUR_MS), None);
    assert_eq!(header(2 * HOUR_MS + 1), Some(Severity::Warning));
}

#[test]
fn a_chain_that_stands_still_is_told_unless_another_source_did() {
    let judged = |age: i64, network| {
        let mut snapshot = two();
        snapshot.node.info.best_header_at = Some(NOW.plus(-age));
        snapshot.node.info.network = network;
        snapshot
    };
    let main = crate::units::Network::Mainnet;
    assert_eq!(rules(&made(&judged(3 * HOUR_MS - 1, main), &history(&[]))), Vec::<&str>::new());
    assert_eq!(rules(&made(&judged(3 * HOUR_MS, main), &history(&[]))), ["chain-stalled"]);
    assert!(!asked("chain-stalled", &judged(3 * HOUR_MS, crate::units::Network::Regtest), &history(&[])));
    let mut both = judged(3 * HOUR_MS, main);
    both.public.block_height = Some(Fact { value: 800_018, source: "x".into(), as_of: NOW });
    assert_eq!(rules(&made(&both, &history(&[]))), ["block-height-behind"]);
}

#[test]
fn an_expensive_chain_is_worth_knowing() {
    let judged = |hour| {
        let mut snapshot = two();
        let fees = ChainFees { fastest: hour, half_hour: hour, hour, economy: 0, minimum: 0 };
        snapshot.public.chain_fees = Some(Fact { value: fees, source: "mempool.space".into(), as_of: NOW });
        title(&made(&snapshot, &history(&[])), "chain-fees-high")
    };
    assert_eq!(judged(49_999), None);
    assert_eq!(judged(50_000).unwrap(), "Chain fees are high: 50 sat/vB to confirm within the hour, by mempool.space");
    assert!(!asked("chain-fees-high", &two(), &history(&[])));
}

#[test]
fn sources_that_see_another_node_are_told_unless_they_are_old_or_not_verified() {
    let mut snapshot = two();
    let market = snapshot.node.market.get_or_insert_default();
    (market.own_capacity, market.own_channels) = (Sat::new(1_000_000), 20);
    assert!(!asked("sources-disagree", &snapshot, &history(&[])), "nobody else tells");
    let seen = |capacity, channels| {
        let value = SeenNode { capacity: Some(Sat::new(capacity)), channels: Some(channels), ..SeenNode::unknown() };
        Some(Fact { value, source: "mempool.space".to_owned(), as_of: UnixMs(0) })
    };
    // 5 % is what is tolerated.
    snapshot.public.seen_by_mempool = seen(1_050_000, 21);
    assert!(asked("sources-disagree", &snapshot, &history(&[])));
    assert_eq!(title(&made(&snapshot, &history(&[])), "sources-disagree"), None);
    snapshot.public.seen_by_mempool = seen(949_999, 21);
    let report = made(&snapshot, &history(&[]));
    assert_eq!(severity(&report, "sources-disagree"), Some(Severity::Info));
    let want =
        "Sources disagree about this node's public capacity in sat: 1,000,000 by lnd, but 949,999 by mempool.space";
    assert_eq!(title(&report, "sources-disagree").as_deref(), Some(want));
    let unverified = snapshot.clone();
    snapshot.gaps.push(Gap { part: "mempool.node".into(), source: "mempool.space".into(), reason: "x".into() });
    assert_eq!(title(&made(&snapshot, &history(&[])), "sources-disagree"), None, "an old answer proves nothing");
    let mut snapshot = unverified;
    snapshot.public.seen_by_lnrouter = snapshot.public.seen_by_mempool.take();
    snapshot.public.seen_by_mempool = seen(1_000_000, 20);
    assert_eq!(title(&made(&snapshot, &history(&[])), "sources-disagree"), None, "nor does one of unknown meaning");
}
