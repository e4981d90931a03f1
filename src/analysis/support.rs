//! Nodes built by hand for the tests: small ones, and one with the figures of a recorded LND.

use std::fmt::Write as _;

use uuid::Uuid;

use super::{Identity, Input, Thresholds};
use crate::history::{ChannelSample, DaySum, History, Mean, MeanBalance, Period, RebalanceFlow, ScidFlow, Window};
use crate::report::{NotMeasured, Report};
use crate::snapshot::*;
use crate::units::*;

/// 2026-11-21 06:00 UTC.
pub(super) const NOW: UnixMs = UnixMs(1_795_240_800_000);

pub(super) fn key(n: u8) -> Pubkey {
    let mut text = String::from("02");
    for _ in 0..32 {
        write!(text, "{n:02x}").unwrap();
    }
    text.parse().unwrap()
}

pub(super) fn txid(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

pub(super) fn point(n: u8, index: u32) -> Outpoint {
    format!("{}:{index}", txid(n)).parse().unwrap()
}

pub(super) fn scid(height: u64, n: u64) -> Scid {
    Scid(height << 40 | n << 16)
}

/// An active channel of 1,000,000 sat that we opened; `n` names its point, its short id and its peer.
pub(super) fn channel(n: u8, local: i64, remote: i64) -> Channel {
    Channel {
        point: point(n, 0),
        scid: scid(700_000, u64::from(n)),
        other_scids: vec![],
        peer: key(n),
        peer_alias: Some(format!("peer{n}")),
        capacity: Sat::new(local.saturating_add(remote)),
        local: Sat::new(local),
        remote: Sat::new(remote),
        unsettled: Sat::ZERO,
        commit_fee: Sat::new(285),
        opened_by_us: true,
        active: true,
        private: false,
        anchors: true,
        local_reserve: Sat::ZERO,
        remote_reserve: Sat::ZERO,
        total_sent: Sat::ZERO,
        total_received: Sat::ZERO,
        updates: 0,
        lifetime_s: 0,
        uptime_s: 0,
        htlcs: vec![],
        status_flags: "ChanStatusDefault".to_owned(),
    }
}

pub(super) fn peer(n: u8) -> Peer {
    Peer { pubkey: key(n), address: String::new(), inbound: false, ping_us: 1, flaps: 0, last_flap_at: None }
}

pub(super) fn policy(rate: i64) -> Policy {
    Policy {
        base: Msat::ZERO,
        rate: Ppm(rate),
        inbound_base: Msat::ZERO,
        inbound_rate: Ppm(0),
        time_lock_delta: 80,
        min_htlc: Msat::new(1),
        max_htlc: Msat::new(1_000_000_000),
        disabled: false,
        updated_at: NOW,
    }
}

/// A node at height 800,000 whose peers are all there.
pub(super) fn snapshot(channels: Vec<Channel>) -> Snapshot {
    let mut peers: Vec<Peer> = Vec::new();
    for channel in &channels {
        if peers.iter().all(|p| p.pubkey != channel.peer) {
            peers.push(Peer { pubkey: channel.peer.clone(), ..peer(0) });
        }
    }
    let policies = channels.iter().map(|c| ChannelPolicies {
        point: c.point.clone(),
        ours: Some(Policy { max_htlc: c.capacity.msat(), ..policy(500) }),
        theirs: Some(policy(50)),
    });
    let connected = u32::try_from(peers.len()).unwrap();
    Snapshot {
        schema: SCHEMA,
        taken_at: NOW,
        node: NodeView {
            pending: Some(Pending::default()),
            closed: Some(vec![]),
            wallet: Some(Wallet {
                confirmed: Sat::new(1_000_000),
                unconfirmed: Sat::ZERO,
                locked: Sat::ZERO,
                anchor_reserve: Sat::new(60_000),
            }),
            channel_balance: Some(ChannelBalance {
                local: channels.iter().map(|c| c.local).sum::<Sat>().msat(),
                remote: channels.iter().map(|c| c.remote).sum::<Sat>().msat(),
                unsettled_local: Msat::ZERO,
                unsettled_remote: Msat::ZERO,
                pending_open_local: Msat::ZERO,
            }),
            utxos: Some(vec![]),
            peers: Some(peers),
            policies: Some(policies.collect()),
            channels: Some(channels),
            sweeps: Some(vec![]),
            ..NodeView::bare(Info {
                pubkey: key(0xee),
                alias: "bob".to_owned(),
                network: Network::Mainnet,
                version: "0.21.99-beta".to_owned(),
                block_height: 800_000,
                best_header_at: None,
                synced_to_chain: true,
                synced_to_graph: true,
                peers: connected,
            })
        },
        public: PublicView::default(),
        gaps: vec![],
        sources: vec![],
        host: None,
    }
}

pub(super) fn market(n: u8, rates: [i64; 5]) -> PeerMarket {
    PeerMarket {
        incoming_rate_deciles: None,
        clearnet: None,
        pubkey: key(n),
        alias: format!("peer{n}"),
        channels: 20,
        capacity: Sat::new(1),
        incoming: 20,
        incoming_rate_percentiles: Some(rates.map(Ppm)),
    }
}

/// Sums over the last `days` days.
pub(super) fn period(days: i64, channels: Vec<ScidFlow>) -> Period {
    Period {
        window: Some(Window::days_before(NOW, days)),
        forwards: channels.iter().map(|c| c.forwards_out).sum(),
        amount_in: channels.iter().map(|c| c.amount_in).sum(),
        amount_out: channels.iter().map(|c| c.amount_out).sum(),
        channels,
        ..Period::default()
    }
}

pub(super) fn sold(n: u8, amount_sat: i64, fee_msat: i64) -> ScidFlow {
    ScidFlow {
        scid: scid(700_000, u64::from(n)),
        forwards_out: 10,
        amount_out: Sat::new(amount_sat).msat(),
        fees_earned: Msat::new(fee_msat),
        ..ScidFlow::default()
    }
}

pub(super) fn bought(n: u8, amount_sat: i64, fee_msat: i64) -> ScidFlow {
    ScidFlow {
        scid: scid(700_000, u64::from(n)),
        forwards_in: 10,
        amount_in: Sat::new(amount_sat).msat() + Msat::new(fee_msat),
        fees_assisted: Msat::new(fee_msat),
        ..ScidFlow::default()
    }
}

/// 60 days of history with the same flows in each of the three periods.
pub(super) fn history(flows: &[ScidFlow]) -> History {
    History {
        first_seen: Some(NOW.plus(-60 * DAY_MS)),
        first_forward: Some(NOW.plus(-60 * DAY_MS)),
        day: period(1, flows.to_vec()),
        week: period(7, flows.to_vec()),
        month: period(30, flows.to_vec()),
        last_forward: (1..=40).map(|n| (scid(700_000, n), NOW.plus(-HOUR_MS))).collect(),
        days: vec![Some(DaySum { forwards: 10, amount_out: Msat::new(1), fees: Msat::new(100_000) }); 30],
        ..History::default()
    }
}

/// Samples of all time that found the balances of now.
pub(super) fn sampled(past: History, now: &Snapshot) -> History {
    let means = |c: &Channel| MeanBalance {
        point: c.point.clone(),
        spans: [1, 7, 30, 90, 10_000].map(|days| Some(Mean { local: c.local, covered_ms: days * DAY_MS })),
    };
    History { balances: now.node.channels.iter().flatten().map(means).collect(), ..past }
}

/// A channel of [`channel`] as it was seen at some time, its peer there or not.
pub(super) fn sample(at: UnixMs, n: u8, here: bool) -> ChannelSample {
    ChannelSample {
        at,
        point: point(n, 0),
        peer: key(n),
        local_sat: 0,
        remote_sat: 0,
        active: here,
        peer_connected: Some(here),
    }
}

pub(super) fn identity() -> Identity {
    Identity {
        report_id: Uuid::nil(),
        user_id: "alice".to_owned(),
        tenant_id: "default".to_owned(),
        revision: 1,
        generated_at: NOW,
        file: None,
        retry_count: 0,
    }
}

pub(super) fn made(snapshot: &Snapshot, history: &History) -> Report {
    made_by(snapshot, history, &Thresholds::default())
}

pub(super) fn made_by(snapshot: &Snapshot, history: &History, thresholds: &Thresholds) -> Report {
    let off: [NotMeasured; 0] = [];
    super::report(&Input {
        identity: identity(),
        snapshot,
        history,
        thresholds,
        window: Window::days_before(snapshot.taken_at, 1),
        off: &off,
    })
}

pub(super) fn rules(report: &Report) -> Vec<&str> {
    report.alerts.iter().map(|a| a.rule.as_str()).collect()
}

pub(super) fn tx(id: &str, amount: i64, fee: i64) -> ChainTx {
    ChainTx {
        txid: id.to_owned(),
        at: NOW.plus(-3_600_000),
        height: Some(634),
        amount: Sat::new(amount),
        fee: Sat::new(fee),
        label: String::new(),
        spends: vec![],
        own_outputs: Sat::ZERO,
        outputs: None,
    }
}

pub(super) const FORCED: &str = "98dfa54458852564b672dc6badbe5135c0b9436cba39c8bc8f108acf4c0f743e:0";
const COOP: &str = "6c64a4585997250e5585e922ac3538e9406e6d38068b1a64c6e308698958618b:0";
const BATCH: &str = "4891207dc454aadc5607ddb4967993348176ae042f4aa08767d0435afdbc3de6";
const CLOSING: &str = "6d4305e24f91df196eae0946e1a778d4e9d4e26e30c60c630d3e3e6d920a9159";
const SWEEP: &str = "674295c5f86bbb2a1a0864e0f66af969e9745b651355b3515c10a5f15b55c3e3";
const FRANK: [&str; 2] = [
    "927c29310413eaf92e16d4c62c67239a30d4b1f47851cd9ac54c54cedf557e9d:0",
    "bc60355a5704f375bb48bf26a1ea634f67fc81bf49cc1b118d9408e53841dcae:0",
];
const CAROL: &str = "2b241d60e3ab016e0fad7282c9241fb02b6a42a44574d209f9273f3564df07fc:0";
const DAVE: &str = "27f09e397b7310fb2cc0b0e6f34d0c856e57dd5fe5470e43fae38975ca5cc605:0";
const ALICE: &str = "1fbfa46af0d887f48e46b2307d3eb30c250091bfa6d1bbc02fdcfd8082297374:0";

fn recorded(at: &str, scid: u64, who: (u8, &str), balance: (i64, i64, i64), ours: bool, active: bool) -> Channel {
    Channel {
        point: at.parse().unwrap(),
        scid: Scid(scid),
        peer: key(who.0),
        peer_alias: Some(who.1.to_owned()),
        capacity: Sat::new(balance.0),
        opened_by_us: ours,
        active,
        ..channel(who.0, balance.1, balance.2)
    }
}

/// The routing node `bob-later` of a regtest LND, with the figures that its answers hold.
pub(super) fn bob_later() -> (Snapshot, History) {
    let (alice, carol, dave, frank) = ((1, "alice"), (2, "carol"), (3, "dave"), (4, "frank"));
    let mut private =
        recorded(&format!("{BATCH}:0"), 697_090_372_075_520, dave, (1_500_000, 206_556, 1_292_499), true, true);
    private.private = true;
    let channels = vec![
        recorded(ALICE, 447_501_232_570_368, alice, (8_000_000, 7_284_672, 714_383), false, true),
        recorded(&format!("{BATCH}:1"), 697_090_372_075_521, alice, (2_000_000, 931_557, 1_067_498), true, true),
        recorded(FRANK[0], 484_884_627_980_288, frank, (700_000, 699_056, 0), true, false),
        recorded(FRANK[1], 467_292_441_870_336, frank, (900_000, 522_696, 376_359), false, false),
        recorded(CAROL, 450_799_767_453_696, carol, (6_000_000, 5_304_828, 694_227), true, true),
        recorded(DAVE, 454_098_302_337_024, dave, (4_000_000, 706_126, 3_292_929), true, true),
        private,
    ];
    let mut snapshot = snapshot(channels);
    let node = &mut snapshot.node;
    node.info.network = Network::Regtest;
    node.info.block_height = 640;
    node.peers = Some(vec![peer(1), peer(2), peer(3), peer(9)]);
    node.channel_balance.as_mut().unwrap().local = Msat::new(15_655_494_562);
    node.wallet.as_mut().unwrap().confirmed = Sat::new(104_444_290);
    node.closed = Some(closed());
    node.sweeps = Some(vec![SWEEP.to_owned()]);
    node.fees =
        Some(FeeReport { channels: vec![], day: Sat::new(12_630), week: Sat::new(12_630), month: Sat::new(12_630) });
    let sums = |days| Period {
        window: Some(Window::days_before(NOW, days)),
        forwards: 251,
        amount_in: Msat::new(25_401_189_866 + 12_630_855),
        amount_out: Msat::new(25_401_189_866),
        channels: flows(),
        rebalances: rebalances(),
        rebalance_count: 5,
        ..Period::default()
    };
    let history = History {
        first_seen: Some(NOW.plus(-HOUR_MS)),
        first_forward: Some(NOW.plus(-HOUR_MS)),
        day: sums(1),
        week: sums(7),
        month: sums(30),
        transactions: transactions(),
        closed: closed(),
        ..History::default()
    };
    (snapshot, history)
}

/// Out: forwards, msat sent, fees earned. In: forwards, msat received, fees assisted.
fn flows() -> Vec<ScidFlow> {
    let flow = |scid, i: (u32, i64, i64), o: (u32, i64, i64)| ScidFlow {
        scid: Scid(scid),
        forwards_in: i.0,
        amount_in: Msat::new(i.1),
        fees_assisted: Msat::new(i.2),
        forwards_out: o.0,
        amount_out: Msat::new(o.1),
        fees_earned: Msat::new(o.2),
    };
    vec![
        flow(467_292_441_870_336, (24, 1_170_601_111, 82_525), (20, 847_905_000, 1_027_485)),
        flow(454_098_302_337_024, (22, 6_036_024_934, 917_014), (93, 9_523_945_896, 904_406)),
        flow(447_501_232_570_368, (134, 14_252_894_388, 10_755_018), (61, 7_963_221_500, 1_760_073)),
        flow(450_799_767_453_696, (65, 3_901_690_993, 870_003), (40, 3_900_908_000, 8_429_597)),
        flow(463_993_906_987_008, (1, 1_003, 3), (12, 1_252_603_400, 12_526)),
        flow(697_090_372_075_520, (1, 50_002_500, 2_500), (10, 1_142_502_060, 479_850)),
        flow(697_090_372_075_521, (4, 2_605_792, 3_792), (15, 770_104_010, 16_918)),
    ]
}

/// Three circular payments of one part and two of three parts each: 18,690 msat in all.
fn rebalances() -> Vec<RebalanceFlow> {
    let flow = |to, cost, parts| RebalanceFlow {
        from: Scid(447_501_232_570_368),
        to: Scid(to),
        amount: Msat::new(100_000_000),
        cost: Msat::new(cost),
        parts,
    };
    vec![flow(450_799_767_453_696, 6_480, 3), flow(454_098_302_337_024, 12_210, 6)]
}

fn transactions() -> Vec<ChainTx> {
    let old = |id: &str, fee| ChainTx { ..tx(id, -1_000_000, fee) };
    let closing = ChainTx {
        spends: vec![FORCED.to_owned()],
        outputs: Some(Sat::new(330 + 330 + 146_453 + 1_352_602)),
        ..tx(CLOSING, 0, 0)
    };
    let swept = ChainTx { spends: vec![format!("{CLOSING}:2")], ..tx(SWEEP, 146_318, 0) };
    vec![
        ChainTx { label: "external".to_owned(), ..tx(BATCH, -3_501_386, 1_386) },
        swept,
        closing,
        old(&FRANK[0][..64], 155),
        old(&FORCED[..64], 155),
        old(&DAVE[..64], 166),
        old(&CAROL[..64], 166),
        tx(&txid(0xd5), 60_000_000, 0),
    ]
}

fn closed() -> Vec<ClosedChannel> {
    let close = |at: &str, scid, kind, ours| ClosedChannel {
        point: at.parse().unwrap(),
        scid: Scid(scid),
        other_scids: vec![],
        peer: key(5),
        capacity: Sat::new(1_500_000),
        kind,
        closing_txid: CLOSING.to_owned(),
        close_height: 441,
        settled: Sat::new(146_453),
        time_locked: Sat::new(146_453),
        opened_by_us: Some(ours),
        resolutions: vec![Resolution {
            kind: "commit".to_owned(),
            outcome: "claimed".to_owned(),
            outpoint: format!("{CLOSING}:2"),
            amount: Sat::new(146_453),
            sweep_txid: Some(SWEEP.to_owned()),
        }],
    };
    let both = ClosedChannel {
        closing_txid: txid(0x40),
        settled: Sat::ZERO,
        resolutions: vec![],
        ..close(COOP, 473_889_511_636_992, CloseKind::Cooperative, false)
    };
    vec![close(FORCED, 463_993_906_987_008, CloseKind::LocalForce, true), both]
}
