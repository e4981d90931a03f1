//! What comes out of the recordings. Every figure is from the recordings' own notes or from their readable answers, none
//! from this code. Answers that are missing, wrong or slow are in `faults`.

mod extras;
mod faults;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use tokio::sync::mpsc;

use super::*;
use crate::snapshot::{ChainTx, CloseKind, Events, Forward, Invoice, Payment, PaymentStatus};
use crate::sources::NodeSource;
use crate::sources::recording::{Folder, RecordingSource};
use crate::units::{Msat, Sat, Scid};

pub(in crate::sources) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lnd").join(name)
}

/// All events of one collection.
#[derive(Debug, Default, PartialEq)]
pub(in crate::sources) struct Taken {
    pub(in crate::sources) pages: usize,
    pub(in crate::sources) forwards: Vec<Forward>,
    pub(in crate::sources) payments: Vec<Payment>,
    pub(in crate::sources) invoices: Vec<Invoice>,
    pub(in crate::sources) transactions: Vec<ChainTx>,
}

impl Taken {
    fn add(&mut self, events: Events) {
        self.pages += 1;
        match events {
            Events::Forwards(rows) => self.forwards.extend(rows),
            Events::Payments(rows) => self.payments.extend(rows),
            Events::Invoices(rows) => self.invoices.extend(rows),
            Events::Transactions(rows) => self.transactions.extend(rows),
        }
    }

    fn fees(&self) -> Msat {
        self.forwards.iter().map(Forward::fee).sum()
    }
}

pub(in crate::sources) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// Drains the channel while `observing` runs.
pub(in crate::sources) async fn take<F: Future>(
    observing: F,
    mut events: mpsc::Receiver<Events>,
) -> (F::Output, Taken) {
    let mut taken = Taken::default();
    let drain = async {
        while let Some(page) = events.recv().await {
            taken.add(page);
        }
    };
    let (observed, ()) = tokio::join!(observing, drain);
    (observed, taken)
}

pub(in crate::sources) fn observe(name: &str, resume: &Resume) -> (Observation, Taken) {
    block_on(async {
        let source = RecordingSource::open(&fixture(name)).unwrap();
        let (sender, receiver) = mpsc::channel(2);
        let (observation, taken) = take(source.observe(resume, sender), receiver).await;
        (observation.unwrap(), taken)
    })
}

fn of<A: Answers>(answers: &A, resume: &Resume) -> (Result<Observation, Error>, Taken) {
    let extras = Extras { backup: BackupFile::Recorded { modified_at: None }, not_permitted: Vec::new() };
    with(answers, resume, extras)
}

fn with<A: Answers>(answers: &A, resume: &Resume, extras: Extras) -> (Result<Observation, Error>, Taken) {
    block_on(async {
        let cache = GraphCache::default();
        let (sender, receiver) = mpsc::channel(2);
        let reader = Reader::new(answers, "lnd", UnixMs(0), &cache).with(extras);
        take(reader.observe(resume, sender), receiver).await
    })
}

fn circular(node: &NodeView, taken: &Taken) -> Vec<Payment> {
    let own = Some(node.info.pubkey.clone());
    let settled = |payment: &&Payment| payment.status == PaymentStatus::Succeeded && !payment.keysend;
    let home = |payment: &&Payment| payment.parts.iter().any(|part| part.destination == own);
    taken.payments.iter().filter(settled).filter(home).cloned().collect()
}

#[test]
fn bob_says_who_he_is() {
    let (seen, _) = observe("bob", &Resume::default());
    assert_eq!(seen.taken_at, UnixMs::from_secs(1_795_254_198));
    let info = &seen.node.info;
    assert_eq!(info.pubkey.as_str(), "03351c9081f2af83d51d15d3460c904bac3e0814d3c91e6afb94ac43845cacd716");
    assert_eq!((info.alias.as_str(), info.network, info.block_height), ("bob", Network::Regtest, 447));
    assert_eq!(info.version, "0.21.99-beta");
    assert_eq!((info.synced_to_chain, info.synced_to_graph, info.peers), (true, true, 4));
    assert_eq!(info.best_header_at, Some(UnixMs::from_secs(1_795_254_143)));
    assert_eq!(seen.seen.name, "recording");
    assert_eq!(seen.seen.latency_ms, None);
}

#[test]
fn bob_forwarded_202_times_for_9_757_322_msat() {
    let (seen, taken) = observe("bob", &Resume::default());
    assert_eq!(taken.forwards.len(), 202);
    assert_eq!(taken.fees(), Msat::new(9_757_322));
    assert_eq!(seen.node.fees.unwrap().day, taken.fees().floor_sat());
    let day = UnixMs(seen.taken_at.0 - crate::units::DAY_MS).nanos()..seen.taken_at.nanos();
    assert!(taken.forwards.iter().all(|forward| day.contains(&forward.at_ns)));
    assert!(taken.forwards.iter().all(|forward| forward.htlc_in >= 0));
}

#[test]
fn bob_paid_himself_three_times_and_sent_one_keysend() {
    let (seen, taken) = observe("bob", &Resume::default());
    let circular = circular(&seen.node, &taken);
    assert_eq!(circular.len(), 3);
    assert_eq!(circular.iter().map(|payment| payment.fee).sum::<Msat>(), Msat::new(6_480));
    let parts = circular.iter().flat_map(|payment| &payment.parts);
    assert_eq!(parts.map(|part| part.fee).sum::<Msat>(), Msat::new(6_480));
    assert_eq!(circular[0].parts[0].first_scid, Scid(450_799_767_453_696));
    assert_eq!(circular[0].parts[0].last_scid, Scid(454_098_302_337_024));
    assert_eq!(circular[0].parts[0].amount, Msat::new(150_000_000));
    assert_eq!(taken.payments.iter().filter(|payment| payment.keysend).count(), 1);
    assert_eq!(taken.payments.len(), 4);
}

#[test]
fn bob_has_a_force_close_in_limbo_and_a_cooperative_one_behind_him() {
    let (seen, _) = observe("bob", &Resume::default());
    let pending = seen.node.pending.unwrap();
    assert_eq!(pending.limbo, Sat::new(146_783));
    assert_eq!((pending.opening.len(), pending.waiting_close.len(), pending.force_closing.len()), (0, 0, 1));
    let closing = &pending.force_closing[0];
    assert_eq!(closing.channel.limbo, Sat::new(146_783));
    assert_eq!((closing.maturity_height, closing.blocks_til_maturity), (Some(621), Some(174)));
    assert_eq!(closing.channel.opened_by_us, Some(true));
    let closed = seen.node.closed.unwrap();
    assert_eq!(closed.len(), 1);
    assert_eq!((closed[0].kind, closed[0].close_height), (CloseKind::Cooperative, 442));
    assert_eq!(closed[0].opened_by_us, Some(false));
}

#[test]
fn bob_has_five_channels_two_of_them_to_a_peer_that_is_gone() {
    let (seen, _) = observe("bob", &Resume::default());
    let channels = seen.node.channels.unwrap();
    assert_eq!(channels.len(), 5);
    let connected: HashSet<_> = seen.node.peers.unwrap().into_iter().map(|peer| peer.pubkey).collect();
    let gone: Vec<_> = channels.iter().filter(|channel| !connected.contains(&channel.peer)).collect();
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|channel| !channel.active && channel.peer_alias.as_deref() == Some("frank")));
    assert_eq!(gone[0].peer, gone[1].peer);
    assert!(channels.iter().all(|channel| channel.anchors && channel.status_flags == "ChanStatusDefault"));
    // LND's own sum of what is ours, in whole sat: each channel is rounded down by itself.
    let sum: Sat = channels.iter().map(|channel| channel.local).sum();
    let said = seen.node.channel_balance.unwrap().local;
    assert_eq!(said, Msat::new(12_577_477_162));
    assert!((0..5).contains(&(said.floor_sat() - sum).get()));
    let alice = channels.iter().find(|channel| channel.scid == Scid(447_501_232_570_368)).unwrap();
    assert_eq!(
        (alice.capacity, alice.local, alice.remote),
        (Sat::new(8_000_000), Sat::new(4_409_019), Sat::new(3_512_987))
    );
    assert_eq!(
        (alice.commit_fee, alice.unsettled, alice.local_reserve),
        (Sat::new(329), Sat::new(77_005), Sat::new(80_000))
    );
    assert!(!alice.opened_by_us);
}

#[test]
fn one_htlc_is_seen_on_its_incoming_and_its_outgoing_channel() {
    let (seen, _) = observe("bob", &Resume::default());
    let channels = seen.node.channels.unwrap();
    let held: Vec<_> = channels.iter().flat_map(|c| c.htlcs.iter().map(move |h| (c.scid, h))).collect();
    assert_eq!(held.len(), 2);
    let (coming, going) = if held[0].1.incoming { (held[0], held[1]) } else { (held[1], held[0]) };
    assert!(coming.1.incoming && !going.1.incoming);
    assert_eq!(coming.1.hash, going.1.hash);
    assert_eq!(coming.1.hash.len(), 64);
    assert_eq!(coming.1.forwarding_channel, Some(going.0));
    assert_eq!((coming.1.amount, coming.1.expiry_height), (Sat::new(77_005), 563));
}

#[test]
fn what_bob_did_not_record_is_a_gap_and_no_zero() {
    let (seen, _) = observe("bob", &Resume::default());
    assert_eq!(seen.node.utxos, None);
    assert_eq!(seen.gaps.len(), 1, "{:?}", seen.gaps);
    assert_eq!((seen.gaps[0].part.as_str(), seen.gaps[0].source.as_str()), ("utxos", "recording"));
    assert_eq!(seen.gaps[0].reason, "ListUnspent: not in this recording");
    assert_eq!(seen.seen.status, SourceStatus::Partial);
}

#[test]
fn bobs_wallet_fees_and_place_in_the_network() {
    let (seen, _) = observe("bob", &Resume::default());
    let wallet = seen.node.wallet.unwrap();
    assert_eq!((wallet.confirmed, wallet.anchor_reserve), (Sat::new(107_799_358), Sat::new(60_000)));
    let fees = seen.node.fees.unwrap();
    assert_eq!(fees.channels.len(), 5);
    assert_eq!((fees.channels[1].base, fees.channels[1].rate.0), (Msat::new(1), 2_500));
    let network = seen.node.network.unwrap();
    assert_eq!((network.nodes, network.channels, network.capacity), (6, 8, Sat::new(27_100_000)));
    assert_eq!(network.median_channel, Sat::new(2_750_000));
    let market = seen.node.market.unwrap();
    // One channel of 700,000 sat is not announced: LND counts it, and leaves it out of the graph.
    assert_eq!((market.nodes, market.channels, market.capacity), (6, 7, Sat::new(26_400_000)));
    assert_eq!((market.own_channels, market.own_capacity), (4, Sat::new(18_900_000)));
    let policies = seen.node.policies.unwrap();
    assert_eq!(policies.len(), 4);
    for own in &policies {
        let fee = fees.channels.iter().find(|fee| fee.point == own.point).unwrap();
        let policy = own.ours.as_ref().unwrap();
        assert_eq!((policy.base, policy.rate), (fee.base, fee.rate));
    }
}

#[test]
fn bobs_four_opens_cost_155_155_166_and_166() {
    let (_, taken) = observe("bob", &Resume::default());
    let opens = taken.transactions.iter().filter(|tx| tx.label.starts_with("0:openchannel:"));
    let mut fees: Vec<_> = opens.map(|tx| tx.fee.get()).collect();
    fees.sort_unstable();
    assert_eq!(fees, [155, 155, 166, 166]);
    let close = taken.transactions.iter().find(|tx| tx.label == "0:closechannel:shortchanid-463993906987008").unwrap();
    assert_eq!(close.spends, ["98dfa54458852564b672dc6badbe5135c0b9436cba39c8bc8f108acf4c0f743e:0"]);
    assert_eq!(close.height, None);
}

#[test]
fn bob_later_earned_and_paid_more() {
    let (seen, taken) = observe("bob-later", &Resume::default());
    assert_eq!(seen.gaps, []);
    assert_eq!(seen.seen.status, SourceStatus::Ok);
    assert_eq!((taken.forwards.len(), taken.fees()), (251, Msat::new(12_630_855)));
    let circular = circular(&seen.node, &taken);
    assert_eq!(circular.len(), 5);
    assert_eq!(circular.iter().map(|payment| payment.fee).sum::<Msat>(), Msat::new(18_690));
    let in_parts: Vec<_> = circular.iter().filter(|payment| payment.parts.len() == 3).map(|p| p.fee.get()).collect();
    assert_eq!(in_parts, [6_120, 6_090]);
    for payment in &circular {
        assert_eq!(payment.parts.iter().map(|part| part.fee).sum::<Msat>(), payment.fee);
        assert_eq!(payment.parts.iter().map(|part| part.amount).sum::<Msat>(), payment.value);
    }
    let failed: Vec<_> = taken.payments.iter().filter(|p| p.status == PaymentStatus::Failed).collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].parts.is_empty() && failed[0].failure.is_some());
}

#[test]
fn bob_laters_sweep_cost_135_sat() {
    let (seen, taken) = observe("bob-later", &Resume::default());
    let closed = seen.node.closed.unwrap();
    let forced = closed.iter().find(|channel| channel.kind == CloseKind::LocalForce).unwrap();
    assert_eq!(forced.resolutions.len(), 1);
    let claimed = &forced.resolutions[0];
    assert_eq!((claimed.kind.as_str(), claimed.outcome.as_str()), ("commit", "claimed"));
    assert_eq!(claimed.amount, Sat::new(146_453));
    let sweep = claimed.sweep_txid.clone().unwrap();
    assert_eq!(seen.node.sweeps.as_deref(), Some(std::slice::from_ref(&sweep)));
    let sweep = taken.transactions.iter().find(|tx| tx.txid == sweep).unwrap();
    assert_eq!((sweep.own_outputs, claimed.amount - sweep.own_outputs), (Sat::new(146_318), Sat::new(135)));
    let utxos = seen.node.utxos.unwrap();
    assert_eq!(utxos.len(), 3);
    assert!(utxos.iter().any(|utxo| utxo.amount == Sat::new(146_318) && utxo.confirmations == 20));
}

#[test]
fn bob_later_opened_two_channels_in_one_transaction() {
    let (seen, taken) = observe("bob-later", &Resume::default());
    let mut by_tx: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for channel in seen.node.channels.unwrap() {
        by_tx.entry(channel.point.txid().to_owned()).or_default().push(channel);
    }
    assert_eq!(by_tx.values().map(Vec::len).sum::<usize>(), 7);
    let (txid, both) = by_tx.iter().find(|(_, channels)| channels.len() == 2).unwrap();
    assert_eq!(both.iter().filter(|channel| channel.private).count(), 1);
    let funding = taken.transactions.iter().find(|tx| tx.txid == *txid).unwrap();
    assert_eq!((funding.fee, funding.label.as_str()), (Sat::new(1_386), "external"));
}

#[test]
fn what_bob_had_is_not_taken_for_new_later() {
    let (_, before) = observe("bob", &Resume::default());
    let resume = Resume {
        last_forward_ns: before.forwards.iter().map(|forward| forward.at_ns).max(),
        payments_after: before.payments.iter().map(|payment| payment.index).max().unwrap(),
        invoices_after: before.invoices.iter().map(|invoice| invoice.index).max().unwrap(),
        transactions_from_height: 440,
        watched_to: None,
    };
    let (_, all) = observe("bob-later", &Resume::default());
    let (_, later) = observe("bob-later", &resume);
    let known: HashSet<_> = before.forwards.iter().map(|forward| forward.at_ns).collect();
    assert_eq!(later.forwards.iter().filter(|forward| !known.contains(&forward.at_ns)).count(), 49);
    assert!(later.forwards.len() < 251);
    assert_eq!(before.payments.len() + later.payments.len(), all.payments.len());
    assert_eq!(before.invoices.len() + later.invoices.len(), all.invoices.len());
    assert!(later.transactions.iter().all(|tx| tx.height.is_none_or(|height| height >= 440)));
    assert!(later.transactions.len() < all.transactions.len());
}

#[test]
fn a_node_that_is_not_synced_is_stale_and_keeps_its_balances() {
    let (seen, taken) = observe("bob-unsynced", &Resume::default());
    assert!(!seen.node.info.synced_to_chain);
    assert_eq!(seen.node.info.block_height, 1);
    assert_eq!(seen.seen.status, SourceStatus::Stale);
    let channels = seen.node.channels.unwrap();
    assert_eq!(channels.len(), 7);
    assert!(channels.iter().all(|channel| !channel.active));
    assert!(channels.iter().map(|channel| channel.local).sum::<Sat>() > Sat::ZERO);
    assert_eq!(seen.node.peers, Some(Vec::new()));
    assert_eq!(taken.forwards.len(), 251);
}

#[test]
fn dave_is_read_as_well() {
    let (seen, taken) = observe("dave", &Resume::default());
    assert_eq!(seen.node.info.alias, "dave");
    // His `FeeReport` is LND's own sum of the same forwards.
    assert_eq!(taken.fees().floor_sat(), seen.node.fees.unwrap().day);
    assert_eq!(seen.node.closed, Some(Vec::new()));
    assert_eq!(seen.node.pending.unwrap().limbo, Sat::ZERO);
    assert!(taken.payments.iter().all(|payment| payment.parts.iter().all(|part| part.attempt > 0)));
}
