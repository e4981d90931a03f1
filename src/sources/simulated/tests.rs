use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::snapshot::{Events, FailureReason, Forward, Payment, WatchedEvents};
use crate::units::{DAY_MS, Day, HOUR_MS, Msat, Ppm, Sat};

fn born() -> Day {
    "2026-03-02".parse().unwrap()
}

fn sim(kind: Kind, seed: u64) -> Sim {
    Sim::new(&World::made_up(seed), kind, &Model::default(), seed, born())
}

#[derive(Default)]
struct Lived {
    forwards: Vec<Forward>,
    payments: Vec<Payment>,
    watched: WatchedEvents,
}

fn live(sim: &mut Sim, days: usize) -> Lived {
    let mut lived = Lived::default();
    for _ in 0..days {
        sim.live_day();
    }
    for page in sim.take_events() {
        match page {
            Events::Forwards(all) => lived.forwards.extend(all),
            Events::Payments(all) => lived.payments.extend(all),
            _ => {}
        }
    }
    lived.watched = sim.take_watched();
    lived
}

/// Everything that is told of a node, as bytes.
fn bytes(sim: &mut Sim) -> Vec<u8> {
    let events = format!("{:?} {:?}", sim.take_events(), sim.take_watched());
    let mut all = serde_json::to_vec(&sim.snapshot()).unwrap();
    all.extend(events.bytes());
    all
}

#[test]
fn the_same_seed_lives_the_same_life() {
    for kind in Kind::ALL {
        let life = |seed| {
            let mut sim = sim(kind, seed);
            for _ in 0..20 {
                sim.live_day();
            }
            bytes(&mut sim)
        };
        assert_eq!(life(5), life(5), "{kind:?}");
        assert_ne!(life(5), life(6), "{kind:?}");
    }
}

#[test]
fn a_fork_without_an_act_is_the_same_and_with_one_meets_the_same_chance() {
    let mut one = sim(Kind::SmallRouter, 3);
    live(&mut one, 10);
    let (mut other, mut changed) = (one.clone(), one.clone());
    let point = one.channels()[0].point.clone();
    assert!(changed.do_act(&SimAct::Close { point: point.clone(), force: false }).happened);
    for sim in [&mut one, &mut other, &mut changed] {
        for _ in 0..10 {
            sim.live_day();
        }
    }
    // What passes between other peers and meets no full channel is what would have passed anyway.
    let scid = one.channels()[0].scid;
    let plain = live(&mut one.clone(), 0).forwards;
    let untouched = live(&mut changed, 0).forwards;
    assert!(untouched.iter().all(|f| f.scid_in != scid && f.scid_out != scid));
    let same = plain.iter().filter(|f| untouched.iter().any(|u| (u.at_ns, u.amount_out) == (f.at_ns, f.amount_out)));
    let others = plain.iter().filter(|f| f.scid_in != scid && f.scid_out != scid).count();
    assert!(same.count() * 10 >= others * 7);
    assert_eq!(bytes(&mut one), bytes(&mut other));
}

#[track_caller]
fn every_msat_is_somewhere(sim: &Sim) {
    let t = sim.totals();
    let brought = t.start + t.fees_earned + t.received - t.rebalance_cost - t.chain_cost - t.paid;
    assert_eq!(t.assets(), brought, "{t:?}");
    for c in sim.channels() {
        assert_eq!(c.local + c.remote, c.capacity.msat());
        assert!(c.local >= Msat::ZERO && c.remote >= Msat::ZERO, "{c:?}");
    }
}

#[test]
fn every_msat_is_somewhere_whatever_is_done() {
    for kind in Kind::ALL {
        let mut sim = sim(kind, 11);
        let mut done = [0; 4];
        for day in 0..60_usize {
            sim.live_day();
            let all = sim.channels();
            let (one, two) = (&all[day % all.len()], &all[(day * 7 + 3) % all.len()]);
            let candidate = sim.market.candidates[day % 10].market.pubkey.clone();
            let (from, to) = if one.local > two.local { (one, two) } else { (two, one) };
            let moved = SimAct::Rebalance {
                from: from.point.clone(),
                to: to.point.clone(),
                amount: from.local.scale(1, 3),
                max_fee: from.local.scale(1, 300),
            };
            let act = match day % 20 {
                5 => SimAct::Close { point: one.point.clone(), force: day > 30 },
                10 | 15 => SimAct::Open { peer: candidate, capacity: Sat::new(500_000) },
                n if n % 2 == 0 => SimAct::SetFee { point: one.point.clone(), ppm: Ppm(77), base: Msat::ZERO },
                _ => moved,
            };
            if sim.do_act(&act).happened {
                done[match act {
                    SimAct::SetFee { .. } => 0,
                    SimAct::Rebalance { .. } => 1,
                    SimAct::Close { .. } => 2,
                    SimAct::Open { .. } => 3,
                }] += 1;
            }
            every_msat_is_somewhere(&sim);
        }
        assert!(done[0] > 0 && done[1] > 0 && done[2] > 0, "{kind:?} {done:?}");
        for _ in 0..20 {
            sim.live_day();
        }
        every_msat_is_somewhere(&sim);
        assert_eq!(sim.totals().limbo, Msat::ZERO, "what was closed by force is back after its lock");
    }
}

#[test]
fn what_is_told_adds_up_to_the_totals() {
    let mut sim = sim(Kind::LargeRouter, 2);
    let points: Vec<_> = sim.channels().into_iter().map(|c| c.point).collect();
    for pair in points.chunks(2) {
        sim.do_act(&SimAct::Rebalance {
            from: pair[0].clone(),
            to: pair[1].clone(),
            amount: Msat::new(900_000_000),
            max_fee: Msat::new(3_000_000),
        });
    }
    let lived = live(&mut sim, 25);
    let totals = sim.totals();
    assert_eq!(lived.forwards.iter().map(Forward::fee).sum::<Msat>(), totals.fees_earned);
    assert_eq!(sim.snapshot().node.fees.unwrap().month, totals.fees_earned.floor_sat());
    assert_eq!(lived.payments.iter().map(|p| p.fee).sum::<Msat>(), totals.rebalance_cost);
    assert!(lived.payments.iter().any(|p| p.parts.iter().filter(|part| part.fee > Msat::ZERO).count() > 1));
    for payment in &lived.payments {
        let arrived = payment.parts.iter().filter(|p| p.status == crate::snapshot::PaymentStatus::Succeeded);
        let sum: Msat = arrived.map(|p| p.amount).sum();
        assert!(sum == Msat::ZERO || sum == payment.value, "{payment:?}");
    }
}

/// The sum that leaves by a channel in some days after an act on it.
fn volume_after(sim: &Sim, act: Option<&SimAct>, scid: crate::units::Scid, days: usize) -> (i64, usize) {
    let mut fork = sim.clone();
    if let Some(act) = act {
        assert!(fork.do_act(act).happened, "{act:?}");
    }
    let out: Vec<Forward> = live(&mut fork, days).forwards.into_iter().filter(|f| f.scid_out == scid).collect();
    (out.iter().map(|f| f.amount_out.get()).sum(), out.len())
}

#[test]
fn a_dearer_channel_sends_no_more_and_prices_matter_on_the_whole() {
    let (mut cheap, mut dear) = (0, 0);
    for seed in 1..6 {
        let sim = sim(Kind::SmallRouter, seed);
        for channel in sim.channels() {
            let at = |ppm| SimAct::SetFee { point: channel.point.clone(), ppm: Ppm(ppm), base: Msat::ZERO };
            let (one, _) = volume_after(&sim, Some(&at(50)), channel.scid, 10);
            let (two, _) = volume_after(&sim, Some(&at(1_500)), channel.scid, 10);
            cheap += one;
            dear += two;
        }
    }
    assert!(dear * 2 < cheap, "{dear} at 1,500 ppm, {cheap} at 50 ppm");
    assert!(dear > 0, "some pay dear prices too");
}

#[test]
fn a_refilled_channel_forwards_no_less() {
    let (mut helped, mut moved) = (0, 0);
    for seed in 1..8 {
        let sim = sim(Kind::SmallRouter, seed);
        let mut channels = sim.channels();
        channels.sort_by_key(|c| c.local);
        let (Some(drained), Some(full)) = (channels.first(), channels.last()) else { continue };
        let amount = full.local.scale(1, 3).min(drained.remote.scale(1, 2));
        let (from, to) = (full.point.clone(), drained.point.clone());
        let act = SimAct::Rebalance { from, to, amount, max_fee: amount.scale(2, 100) };
        if !sim.clone().do_act(&act).happened {
            continue;
        }
        moved += 1;
        let (_, before) = volume_after(&sim, None, drained.scid, 15);
        let (_, after) = volume_after(&sim, Some(&act), drained.scid, 15);
        assert!(after >= before, "seed {seed}: {before} forwards, {after} with more balance");
        helped += usize::from(after > before);
    }
    assert!(moved >= 3 && helped >= 1, "{moved} {helped}");
}

#[test]
fn the_watcher_and_the_forwards_tell_one_story() {
    let mut sim = sim(Kind::LargeRouter, 4);
    let lived = live(&mut sim, 20);
    let mut ids: Vec<_> = lived.forwards.iter().map(|f| (f.scid_in, f.htlc_in.cast_unsigned())).collect();
    ids.extend(lived.watched.failures.iter().map(|f| (f.scid_in, f.htlc_in)));
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "each HTLC either settled or failed, once");
    let (from, to) = (born().start().plus(6 * HOUR_MS), sim.now());
    assert_eq!(to.since(from), 20 * DAY_MS);
    assert!(lived.watched.coverage.iter().all(|c| (c.from, c.to) == (from, to)));
    assert_eq!(lived.watched.coverage.len(), 2);
    let of = |reason| lived.watched.failures.iter().filter(|f| f.reason == reason).count();
    assert!(of(FailureReason::Balance) > 0 && of(FailureReason::Downstream) > 0 && of(FailureReason::Offline) > 0);
    for failure in &lived.watched.failures {
        assert!((from.nanos()..to.nanos()).contains(&failure.at_ns) && failure.amount_in >= failure.amount_out);
    }
    let sessions = &lived.watched.sessions;
    assert!(sessions.iter().any(|s| s.to.is_some()));
    assert!(sessions.iter().all(|s| s.to.is_none_or(|to| to >= s.from && to <= sim.now())), "{sessions:?}");
    let connected = sim.snapshot().node.peers.unwrap().len();
    assert_eq!(sessions.iter().filter(|s| s.to.is_none()).count(), connected);
}

#[test]
fn what_is_known_from_its_own_day_stays_open_until_told() {
    let mut sim = sim(Kind::SmallRouter, 9);
    let candidate = sim.market.candidates[0].market.pubkey.clone();
    let before = sim.totals();
    let act = SimAct::Open { peer: candidate, capacity: Sat::new(1_000_000) };
    let done = sim.do_act(&act);
    assert!(done.happened, "{done:?}");
    assert_eq!(before.wallet - sim.totals().wallet, Sat::new(1_000_000).msat() + done.cost);
    assert_eq!(sim.snapshot().node.pending.unwrap().opening.len(), 1);
    sim.live_day();
    let view = sim.snapshot().node;
    assert_eq!((view.pending.unwrap().opening.len(), view.channels.unwrap().len()), (0, 13));
    assert!(!sim.do_act(&SimAct::Open { peer: sim.own_key().clone(), capacity: Sat::new(1_000_000) }).happened);
}

/// The figures of the graph's README, which those of a network must come near: shares within a tenth or so.
#[track_caller]
fn looks_like_mainnet(f: &Figures) {
    let near = |value: i64, published: i64, percent: i64| (value - published).abs() * 100 <= published * percent;
    let count = |n: usize| i64::try_from(n).unwrap();
    assert!(near(f.capacities[2], 1_283_260, 2), "median capacity {f:?}");
    assert!(near(f.mean_capacity, 10_550_000, 10), "mean capacity {f:?}");
    assert!(near(f.rates[1], 100, 2) && near(f.median_base, 33, 4), "{f:?}");
    assert!(near(f.rates[3], 2_000, 2), "{f:?}");
    assert!((443..=463).contains(&f.free_base_permille), "45 % ask no base fee: {f:?}");
    assert!(near(count(f.priced) * 1_000 / count(f.channels), 33_892 * 1_000 / 50_808, 5), "{f:?}");
    assert!(near(count(f.silent) * 1_000 / count(2 * f.channels), 35_807 * 1_000 / 101_616, 5), "{f:?}");
    assert!(near(count(f.channels) * 100 / count(f.nodes), 50_808 * 100 / 17_324, 12), "{f:?}");
    // The largest has 1,989 channels with 17,324 nodes: a ninth of them.
    assert!(near(f.degrees[5] * 1_000 / count(f.nodes), 115, 15), "{f:?}");
}

#[test]
fn a_made_up_network_has_the_figures_of_mainnet() {
    for seed in [1, 2, 1_001] {
        let figures = World::made_up(seed).figures();
        looks_like_mainnet(&figures);
        assert_eq!(figures.degrees[..2], [1, 3], "half the nodes have one channel");
        assert!((7..=9).contains(&figures.degrees[2]) && (15..=19).contains(&figures.degrees[3]), "{figures:?}");
    }
}

#[test]
fn the_real_network_has_them_too_and_nodes_live_in_it() {
    let beside =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/graph/mainnet-2026-02-03.describegraph.json.xz");
    let path = std::env::var_os("DAZNODE_GRAPH").map_or(beside, PathBuf::from);
    let unpacked = Command::new("xz").arg("-dc").arg(&path).output().ok().filter(|out| out.status.success());
    let Some(unpacked) = unpacked else {
        println!("skipped: no mainnet graph beside the repository, or no xz to unpack it");
        return;
    };
    let world = World::of_graph(&unpacked.stdout).unwrap();
    let figures = world.figures();
    looks_like_mainnet(&figures);
    assert_eq!((figures.nodes, figures.channels, figures.priced, figures.silent), (17_324, 50_808, 33_892, 35_807));
    let mut sim = Sim::new(&world, Kind::SmallRouter, &Model::default(), 1, born());
    assert!(!live(&mut sim, 5).forwards.is_empty());
    every_msat_is_somewhere(&sim);
}

#[test]
fn what_is_no_graph_is_refused_with_the_remedy() {
    let said = World::of_graph(b"\xfd7zXZ").unwrap_err().to_string();
    assert!(said.contains("unpack"), "{said}");
    let said = World::of_graph(br#"{"nodes":[],"edges":[]}"#).unwrap_err().to_string();
    assert!(said.contains("0 channels"), "{said}");
}

#[test]
fn the_market_is_what_others_charge() {
    let world = World::made_up(1);
    let key = world.node(2_950).unwrap().key.clone();
    let market = world.market(&[(key.clone(), Sat::new(5_000_000))]);
    assert_eq!((market.own_channels, market.own_capacity, market.peers.len()), (1, Sat::new(5_000_000), 1));
    let peer = &market.peers[0];
    let (percentiles, deciles) = (peer.incoming_rate_percentiles.unwrap(), peer.incoming_rate_deciles.unwrap());
    assert_eq!((percentiles[0], percentiles[2], percentiles[4]), (deciles[1], deciles[5], deciles[9]));
    let mut rates = world.towards(world.find(&key).unwrap());
    rates.sort_unstable();
    let half: i64 = rates.iter().map(|(_, capacity)| capacity).sum::<i64>() / 2;
    let below: i64 = rates.iter().filter(|(rate, _)| *rate < deciles[5].0).map(|(_, capacity)| capacity).sum();
    let up_to: i64 = rates.iter().filter(|(rate, _)| *rate <= deciles[5].0).map(|(_, capacity)| capacity).sum();
    assert!(below <= half && up_to >= half);
    assert!(market.candidates.iter().all(|c| c.market.pubkey != key));
    assert!(market.candidates.windows(2).all(|c| c[0].new_within_two_hops >= c[1].new_within_two_hops));
}
