use proptest::prelude::*;

use super::support::*;
use super::*;
use crate::history::{ChannelSample, DaySum, History, PairFlow, Period, RebalanceFlow, ScidFlow, Window};
use crate::report::{GenerationStatus, Report};
use crate::snapshot::*;
use crate::units::*;

#[test]
fn the_recorded_node_comes_out_as_its_readme_says() {
    let (snapshot, history) = bob_later();
    let report = report(&Input {
        identity: identity(),
        snapshot: &snapshot,
        history: &history,
        thresholds: &Thresholds::default(),
        window: Window::days_before(NOW, 1),
        off: &[],
    });
    assert_eq!(report.summary.revenue_sats_24h, Some(Sat::new(12_630)));
    assert_eq!(report.summary.channels_count, Some(7));
    assert_eq!(report.summary.capacity_btc.unwrap().0, Sat::new(23_100_000));
    let rate = report.summary.forwarding_rate_24h.unwrap();
    assert!((rate - 251.0 / 24.0).abs() < 1e-9);
    assert_eq!(report.metrics.capacity.local_sat, Some(Sat::new(15_655_494)));
    let carol = report.metrics.channels.list.iter().find(|c| c.peer_alias.as_deref() == Some("carol")).unwrap();
    assert_eq!(carol.day.fees_earned_msat, Msat::new(8_429_597));
    assert_eq!(carol.day.fees_assisted_msat, Msat::new(870_003));
    assert_eq!(report.metrics.forwarding.success_rate_24h, None);
    assert!(report.not_measured.iter().any(|n| n.part == "failed-forwards"));
    assert!(report.money.day.as_ref().unwrap().apy_ppm.is_none());
    assert!(["forecast", "yields"].iter().all(|part| report.not_measured.iter().any(|n| n.part == *part)));
    assert_eq!(report.generation_status, GenerationStatus::Complete);
    // What is written can be read again.
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn a_caught_up_day_has_flows_and_no_now() {
    let (snapshot, history) = bob_later();
    let report = backfilled(&Backfill {
        identity: identity(),
        pubkey: &snapshot.node.info.pubkey,
        alias: "bob",
        network: Network::Regtest,
        history: &history,
        window: Window::days_before(NOW, 1),
    });
    assert!(report.backfilled && report.alerts.is_empty() && report.recommendations.is_empty());
    assert_eq!((report.summary.overall_score, report.summary.capacity_btc), (None, None));
    assert_eq!(report.metrics.capacity.local_sat, None);
    assert_eq!(report.money.day.as_ref().unwrap().fees_earned_msat, Msat::new(12_630_855));
    assert_eq!(report.trends.revenue_evolution_7d[6], Some(12_630));
    assert!(report.not_measured.iter().any(|n| n.part == "balances"));
}

#[test]
fn thresholds_are_read_one_by_one_and_unknown_ones_refused() {
    let some: Thresholds = toml::from_str("idle_days = 60").unwrap();
    assert_eq!(some, Thresholds { idle_days: 60, ..Thresholds::default() });
    assert!(toml::from_str::<Thresholds>("idle_dayz = 60").is_err());
}

#[test]
fn every_rule_part_and_kind_of_advice_is_explained() {
    let text = include_str!("../../docs/formulas.md");
    let kinds = [
        "raise-fee",
        "lower-fee",
        "refill",
        "close-gone",
        "close-idle",
        "open",
        "base-fee",
        "time-lock",
        "max-htlc",
        "channel-backup",
        "watchtower",
        "anchor-reserve",
        "renew-certificate",
        "read-only-macaroon",
        "renew-macaroon",
    ];
    let names = RULES.iter().map(|r| r.name).chain(PARTS.iter().map(|p| p.0)).chain(kinds);
    for name in names {
        assert!(text.contains(&format!("### `{name}`")), "docs/formulas.md lacks a paragraph for {name}");
    }
}

/// Amounts that a node could claim.
fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), 0..10_000_000_i64, Just(i64::MAX), Just(i64::MIN), Just(0)]
}

prop_compose! {
    fn any_channel()(n in 1..5_u8, local in amount(), remote in amount(), capacity in amount(), fee in amount(),
                     flags in any::<[bool; 4]>(), scid in any::<u64>(), expiry in any::<u32>()) -> Channel {
        let htlc = Htlc {
            incoming: flags[3], amount: Sat::new(local), hash: "ff".into(), expiry_height: expiry, index: u64::MAX,
            forwarding_channel: None,
        };
        Channel {
            scid: Scid(scid), capacity: Sat::new(capacity), commit_fee: Sat::new(fee), opened_by_us: flags[0],
            active: flags[1], private: flags[2], updates: u64::MAX, htlcs: vec![htlc], ..channel(n, local, remote)
        }
    }
}

prop_compose! {
    fn any_snapshot()(channels in proptest::collection::vec(any_channel(), 0..6), amounts in proptest::collection::vec(amount(), 12),
                      height in any::<u32>(), flags in any::<[bool; 8]>(), at in any::<i64>(), gone in 0..5_usize) -> Snapshot {
        let mut all = snapshot(channels);
        let peers = (1..5).map(|n| market(n, [amounts[0], amounts[1], amounts[2], amounts[3], amounts[4]])).collect();
        let pending = PendingChannel {
 commitments: None,
            point: point(9, 0), peer: key(9), capacity: Sat::new(amounts[5]), local: Sat::new(amounts[6]),
            remote: Sat::ZERO, opened_by_us: Some(flags[3]), limbo: Sat::new(amounts[7]), closing_txid: Some("é".into()),
        };
        let force = ForceClosing {
            channel: pending.clone(), maturity_height: Some(height), blocks_til_maturity: Some(amounts[8]),
            recovered: Sat::ZERO, pending_htlcs: u32::MAX,
        };
        if flags[7] { all.taken_at = UnixMs(at); }
        let node = &mut all.node;
        node.info.block_height = height;
        node.info.synced_to_chain = flags[0];
        node.market = Some(Market { peers, ..Market::default() });
        node.pending = flags[1].then(|| Pending { limbo: Sat::ZERO, opening: vec![pending.clone()], waiting_close: vec![pending], force_closing: vec![force] });
        node.peers.as_mut().unwrap().truncate(gone);
        node.wallet.as_mut().unwrap().anchor_reserve = Sat::new(amounts[9]);
        node.fees = flags[2].then(|| FeeReport { channels: vec![], day: Sat::new(amounts[0]), week: Sat::new(amounts[1]), month: Sat::new(amounts[2]) });
        node.certificate_not_after = Some(UnixMs(amounts[10]));
        for policies in node.policies.as_mut().unwrap() {
            policies.ours.as_mut().unwrap().rate = Ppm(amounts[11]);
            policies.theirs.as_mut().unwrap().base = Msat::new(amounts[10]);
        }
        let fees = ChainFees { fastest: 0, half_hour: 0, hour: amounts[4], economy: 0, minimum: 0 };
        all.public.chain_fees = Some(Fact { value: fees, source: "x".into(), as_of: NOW });
        all.public.block_height = Some(Fact { value: u32::MAX - height, source: "x".into(), as_of: NOW });
        all
    }
}

prop_compose! {
    fn any_period()(start in any::<i64>(), end in any::<i64>(), window in any::<bool>(), n in any::<u32>(),
                    flows in proptest::collection::vec((1..5_u8, amount(), amount(), amount()), 0..6)) -> Period {
        let channels = flows.iter().map(|(n, a, b, c)| ScidFlow {
            scid: scid(700_000, u64::from(*n)), forwards_in: u32::MAX, amount_in: Msat::new(*a), fees_assisted: Msat::new(*b),
            forwards_out: u32::MAX, amount_out: Msat::new(*b), fees_earned: Msat::new(*c),
        }).collect();
        let rebalances = flows.iter().map(|(n, a, b, _)| RebalanceFlow {
            from: Scid(u64::MAX), to: scid(700_000, u64::from(*n)), amount: Msat::new(*a), cost: Msat::new(*b), parts: u32::MAX,
        }).collect();
        let sum = |of: fn(&(u8, i64, i64, i64)) -> i64| flows.iter().map(|f| Msat::new(of(f))).sum();
        Period {
            window: window.then_some(Window { start: UnixMs(start), end: UnixMs(end) }), forwards: n,
            amount_in: sum(|f| f.1), amount_out: sum(|f| f.2), channels, rebalances, rebalance_count: n,
            ..Period::default()
        }
    }
}

prop_compose! {
    fn any_past()(day in any_period(), week in any_period(), month in any_period(), seen in proptest::option::of(any::<i64>()),
                  times in proptest::collection::vec((any::<i64>(), any::<bool>()), 0..9), fees in proptest::collection::vec(amount(), 0..31),
                  amounts in proptest::collection::vec(amount(), 4), before in proptest::option::of(any_snapshot())) -> History {
        let closed = ClosedChannel {
            point: point(2, 1), scid: Scid(u64::MAX), other_scids: vec![Scid(0)], peer: key(2), capacity: Sat::new(amounts[0]),
            kind: CloseKind::RemoteForce, closing_txid: txid(0x70), close_height: u32::MAX, settled: Sat::new(amounts[1]),
            time_locked: Sat::ZERO, opened_by_us: Some(true),
            resolutions: vec![Resolution { kind: "commit".into(), outcome: "claimed".into(), outpoint: "x".into(), amount: Sat::new(amounts[2]), sweep_txid: Some(txid(0x71)) }],
        };
        let chain = [0x70, 0x71, 1, 2].map(|n| ChainTx { outputs: Some(Sat::new(amounts[3])), ..tx(&txid(n), amounts[1], amounts[2]) });
        History {
            first_seen: seen.map(UnixMs), first_forward: None, day, week, month,
            pairs_month: vec![PairFlow::default()],
            last_forward: times.iter().map(|(at, _)| (scid(700_000, 1), UnixMs(*at))).collect(),
            days: fees.iter().map(|f| Some(DaySum { forwards: 1, amount_out: Msat::ZERO, fees: Msat::new(*f) })).collect(),
            transactions: chain.to_vec(), closed: vec![closed], previous_snapshot: before,
            samples: times.iter().map(|(at, on)| ChannelSample {
                at: UnixMs(*at), point: point(1, 0), peer: key(1), local_sat: i64::MAX, remote_sat: i64::MIN, active: *on, peer_connected: Some(*on),
            }).collect(),
            ..History::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever a node claims: a report, a score within its bounds, parts that sum to it, and no more than seven acts.
    #[test]
    fn no_number_breaks_a_report(snapshot in any_snapshot(), history in any_past()) {
        let report = made(&snapshot, &history);
        let won: f64 = report.score_parts.iter().filter_map(|p| p.points).sum();
        let lost: f64 = report.score_parts.iter().filter_map(|p| p.points_lost).sum();
        if let Some(score) = report.summary.overall_score {
            prop_assert!((0..=100).contains(&score));
            let cap = report.safety.score_cap.unwrap_or(100);
            let exact = 100.0 * won / (won + lost);
            prop_assert!(score == cap && exact >= number::real(cap) - 0.5 || (number::real(score) - exact).abs() <= 0.500_001);
        }
        for part in &report.score_parts {
            prop_assert!((0.0..=1.0).contains(&part.coverage));
            prop_assert!(part.points.is_none_or(|p| (0.0..=f64::from(part.weight)).contains(&p)));
            prop_assert!(part.points_lost.is_none_or(|p| (0.0..=f64::from(part.weight)).contains(&p)));
        }
        prop_assert!(report.recommendations.len() <= 7);
        prop_assert!(report.recommendations.iter().all(|r| r.impact_score <= 10 && (0.0..=1.0).contains(&r.confidence)));
        prop_assert_eq!(report.trends.score_evolution_7d.len(), 7);
        prop_assert!(serde_json::to_string(&report).is_ok());
        let severities: Vec<_> = report.alerts.iter().map(|a| a.severity).collect();
        prop_assert!(severities.windows(2).all(|w| w[0] >= w[1]));
        for alert in &report.alerts {
            let rule = RULES.iter().find(|r| r.name == alert.rule).unwrap();
            prop_assert!(alert.severity <= rule.worst, "{}", alert.rule);
            prop_assert!(!alert.title.contains('\n'));
        }
    }
}

/// Two thousand channels with a month of samples: prints its time, fails only where the cost is no longer linear.
#[test]
fn a_large_node_is_judged_in_time() {
    let big: Vec<Channel> = (0..2_000_u32)
        .map(|i| {
            let n = u8::try_from(i % 250).unwrap();
            let mut one = channel(n, 1_000 * i64::from(i), 1_000_000);
            one.point = point(n, i);
            one.scid = scid(700_000, u64::from(i));
            one
        })
        .collect();
    let flows = (0..2_000).map(|i| ScidFlow { scid: scid(700_000, i), ..sold(1, 1_000_000, 500_000_000) }).collect();
    let mut past = history(&[]);
    past.month = period(30, flows);
    for day in 1..30 {
        past.samples.extend(big.iter().map(|c| ChannelSample {
            at: NOW.plus(-day * DAY_MS),
            point: c.point.clone(),
            peer: c.peer.clone(),
            local_sat: 1,
            remote_sat: 1,
            active: true,
            peer_connected: Some(true),
        }));
    }
    past.transactions = (0..10_000).map(|i| tx(&format!("{i:064x}"), -1, 1)).collect();
    let mut now = snapshot(big);
    now.node.peers.as_mut().unwrap().truncate(200);
    for channel in now.node.channels.as_mut().unwrap().iter_mut().skip(200) {
        channel.active = false;
    }
    past.previous_snapshot = Some(now.clone());
    let start = std::time::Instant::now();
    let report = made(&now, &past);
    let took = start.elapsed();
    println!("2,000 channels: {took:?}, {} alerts", report.alerts.len());
    assert!(took.as_secs() < 5);
}
