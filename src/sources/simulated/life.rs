//! One node living: its channels, its money, and what its source and its watcher would have told.

use std::collections::VecDeque;
use std::sync::Arc;

use super::chain;
use super::demand::{Wish, wishes};
use super::dice::{Dice, index, name, whole};
use super::flow::there;
use super::kind::Kind;
use super::model::Model;
use super::peer::Character;
use super::world::{World, rate_at};
use crate::snapshot::{ChainTx, ClosedChannel, FailedForward, Forward, Invoice, Market, Payment, PeerSession};
use crate::units::{DAY_MS, Day, HOUR_MS, Msat, Outpoint, Ppm, Pubkey, Sat, Scid, UnixMs};

/// A node that lives in a [`World`]. A clone is a fork: it meets the same chance.
#[derive(Clone, Debug)]
pub struct Sim {
    pub(super) world: World,
    pub(super) model: Arc<Model>,
    pub(super) kind: Kind,
    pub(super) seed: u64,
    pub(super) birth: UnixMs,
    pub(super) now: UnixMs,
    pub(super) own: Pubkey,
    pub(super) alias: String,
    /// Everybody it ever had a channel with.
    pub(super) peers: Vec<Arc<Character>>,
    pub(super) channels: Vec<Live>,
    pub(super) closing: Vec<Closing>,
    pub(super) closed: Vec<ClosedChannel>,
    pub(super) sweeps: Vec<String>,
    pub(super) wallet: Sat,
    pub(super) books: Books,
    pub(super) market: Arc<Market>,
    /// Fees of the last 30 days, as LND's own report sums them.
    pub(super) earned: VecDeque<(i64, Msat)>,
    /// The push of all peers at birth, in thousandths: what a sender's share is taken of.
    reference: i64,
    pub(super) told: Told,
}

/// A channel.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) point: Outpoint,
    pub(super) scid: Scid,
    /// Its place among the peers.
    pub(super) peer: usize,
    pub(super) capacity: Sat,
    pub(super) local: Msat,
    pub(super) remote: Msat,
    pub(super) base: Msat,
    pub(super) rate: Ppm,
    /// What the peer asks for what comes from it.
    pub(super) theirs: Ppm,
    pub(super) private: bool,
    pub(super) opened_by_us: bool,
    pub(super) opened_at: UnixMs,
    pub(super) usable_from: UnixMs,
    pub(super) fee_set_at: UnixMs,
    pub(super) sent: Msat,
    pub(super) received: Msat,
    pub(super) htlcs_in: u64,
    pub(super) updates: u64,
    pub(super) failed_ns: Option<i64>,
}

/// A channel closed by force whose money is not back.
#[derive(Clone, Debug)]
pub(super) struct Closing {
    pub(super) channel: Live,
    pub(super) txid: String,
    pub(super) height: u32,
    pub(super) maturity: u32,
    pub(super) limbo: Sat,
}

/// Sums since birth, kept apart from the balances so that each can be held against the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    pub(super) fees: Msat,
    pub(super) rebalances: Msat,
    pub(super) chain: Msat,
    pub(super) received: Msat,
    pub(super) paid: Msat,
    pub(super) pay_fees: Msat,
    pub(super) start: Msat,
    pub(super) payments: u64,
    pub(super) invoices: u64,
}

/// What happened and was not taken yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) forwards: Vec<Forward>,
    pub(super) payments: Vec<Payment>,
    pub(super) invoices: Vec<Invoice>,
    pub(super) transactions: Vec<ChainTx>,
    pub(super) failures: Vec<FailedForward>,
    pub(super) sessions: Vec<PeerSession>,
    pub(super) watched_to: UnixMs,
    /// Since when each peer is connected.
    pub(super) connected: Vec<Option<UnixMs>>,
}

/// The simulator's own truth since birth, against which reports can be held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Earned by forwards.
    pub fees_earned: Msat,
    /// Paid for circular payments.
    pub rebalance_cost: Msat,
    /// Paid to the chain.
    pub chain_cost: Msat,
    /// On the chain now.
    pub wallet: Msat,
    /// On our side of open channels now.
    pub local: Msat,
    /// In channels closed by force, not swept yet.
    pub limbo: Msat,
    /// Paid to us by others.
    pub received: Msat,
    /// Paid by us to others, with the fees of it.
    pub paid: Msat,
    /// What there was at birth.
    pub start: Msat,
}

impl Totals {
    /// Everything that there is now.
    pub fn assets(&self) -> Msat {
        self.wallet + self.local + self.limbo
    }

    /// What the node gained since birth: fees less what rebalances and the chain cost.
    pub fn net(&self) -> Msat {
        self.fees_earned - self.rebalance_cost - self.chain_cost
    }
}

/// An own channel, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimChannel {
    /// Its key.
    pub point: Outpoint,
    /// Its short id.
    pub scid: Scid,
    /// With whom.
    pub peer: Pubkey,
    /// Both sides together.
    pub capacity: Sat,
    /// Ours.
    pub local: Msat,
    /// Theirs.
    pub remote: Msat,
    /// What we charge for each forward.
    pub base: Msat,
    /// What we charge of its amount.
    pub ppm: Ppm,
    /// What the peer charges for what comes from it.
    pub peer_ppm: Ppm,
    /// When it was opened.
    pub opened: Day,
    /// Whether the peer is there now.
    pub active: bool,
}

/// The mean push of a peer in thousandths: what a peer of average luck brings.
const AVERAGE_PUSH: i64 = 1_000;

/// Spans of absence of one peer.
pub(super) type Away = Vec<(UnixMs, UnixMs)>;

/// Where an empty node begins: with no channel.
pub(super) struct Beginning {
    pub(super) world: World,
    pub(super) model: Model,
    pub(super) kind: Kind,
    pub(super) seed: u64,
    pub(super) birth: UnixMs,
    pub(super) alias: String,
    pub(super) wallet: Sat,
}

/// A channel to begin with.
pub(super) struct First {
    pub(super) capacity: Sat,
    /// Our share in thousandths.
    pub(super) ours: i64,
    pub(super) private: bool,
    pub(super) opened_by_us: bool,
    pub(super) opened_at: UnixMs,
    pub(super) fee: (Msat, Ppm),
}

impl Sim {
    /// The node of this kind and seed, looked at for the first time at six in the morning of `born`.
    pub fn new(world: &World, kind: Kind, model: &Model, seed: u64, born: Day) -> Self {
        let plan = kind.plan();
        let mut sim = Self::begin(Beginning {
            world: world.clone(),
            model: model.clone(),
            kind,
            seed,
            birth: born.start().plus(6 * HOUR_MS),
            alias: format!("simulated {seed}"),
            wallet: Sat::new(plan.wallet),
        });
        for number in 0..plan.channels {
            let mut dice = Dice::of(seed, "channel", &[index(number)]);
            let private = dice.happens(plan.private_permille);
            let key = if private {
                Some(Pubkey::even(dice.bytes()))
            } else {
                let mut tries = (0..50).filter_map(|_| world.some_node(&mut dice, plan.degrees));
                tries.find_map(|id| world.node(id).map(|n| n.key.clone()).filter(|key| sim.peer_of(key).is_none()))
            };
            let Some(key) = key else { continue };
            let mut character = Character::of(world, model, seed, &key);
            character.flaky |= dice.happens(plan.flaky_permille);
            let ours = dice.of_table(plan.ours);
            // What is young lies still where it was put: with who opened it.
            let opened_by_us = if plan.age.1 > 30 { 550 } else { ours };
            let fee = plan.habit.fee(&character, seed, number);
            let age = dice.between(plan.age.0, plan.age.1) * DAY_MS + dice.below(DAY_MS);
            let peer = sim.meet(character);
            sim.first(
                peer,
                &First {
                    capacity: Sat::new(dice.of_table(plan.capacity) / 1_000 * 1_000),
                    ours,
                    private,
                    opened_by_us: dice.happens(opened_by_us),
                    opened_at: sim.birth.plus(-age),
                    fee: (Msat::new(fee.0), Ppm(fee.1)),
                },
            );
        }
        sim.ready();
        sim
    }

    pub(super) fn begin(with: Beginning) -> Self {
        Self {
            own: Pubkey::even(Dice::of(with.seed, "own", &[]).bytes()),
            world: with.world,
            model: Arc::new(with.model),
            kind: with.kind,
            seed: with.seed,
            birth: with.birth,
            now: with.birth,
            alias: with.alias,
            peers: Vec::new(),
            channels: Vec::new(),
            closing: Vec::new(),
            closed: Vec::new(),
            sweeps: Vec::new(),
            wallet: with.wallet,
            books: Books::default(),
            market: Arc::new(Market::default()),
            earned: VecDeque::new(),
            reference: 0,
            told: Told { watched_to: with.birth, ..Told::default() },
        }
    }

    pub(super) fn peer_of(&self, key: &Pubkey) -> Option<usize> {
        self.peers.iter().position(|p| p.key == *key)
    }

    /// Knows a peer from now on.
    pub(super) fn meet(&mut self, peer: Character) -> usize {
        self.peers.push(Arc::new(peer));
        self.told.connected.push(None);
        self.peers.len() - 1
    }

    /// A channel that is there at birth.
    pub(super) fn first(&mut self, peer: usize, first: &First) {
        let local = first.capacity.msat().scale(first.ours, 1_000);
        let point = self.funding(index(self.channels.len()), first.opened_at);
        let mut channel = self.channel(point, peer, first.capacity, local, first.opened_at);
        channel.private = first.private;
        channel.opened_by_us = first.opened_by_us;
        (channel.base, channel.rate) = first.fee;
        if first.opened_by_us {
            let fee = chain::cost(chain::FUNDING_VB, chain::fees(self.seed, first.opened_at).half_hour);
            self.told.transactions.push(chain::funding(&channel, fee, first.opened_at));
        }
        self.channels.push(channel);
    }

    /// The output that funds a channel.
    pub(super) fn funding(&self, number: u64, at: UnixMs) -> Outpoint {
        Outpoint::of(Dice::of(self.seed, "funding", &[number, name(at.0)]).bytes(), 0)
    }

    /// A channel as it is at first, with the fees that LND sets.
    pub(super) fn channel(&self, point: Outpoint, peer: usize, capacity: Sat, local: Msat, at: UnixMs) -> Live {
        let number = index(self.channels.len());
        let asks =
            self.peers.get(peer).map_or(1, |p| rate_at(&p.leaving, p.dice("asks", self.seed, p, 0, 0).below(900_000)));
        Live {
            point,
            scid: Scid(u64::from(chain::height(at)) << 40 | (number + 11) << 16),
            peer,
            capacity,
            local,
            remote: capacity.msat() - local,
            base: Msat::new(1_000),
            rate: Ppm(1),
            theirs: Ppm(asks.min(5_000)),
            private: false,
            opened_by_us: true,
            opened_at: at,
            usable_from: at,
            fee_set_at: at,
            sent: Msat::ZERO,
            received: Msat::ZERO,
            htlcs_in: 0,
            updates: 0,
            failed_ns: None,
        }
    }

    /// All that is there at birth is there.
    pub(super) fn ready(&mut self) {
        self.reference = AVERAGE_PUSH * (12 * whole(self.channels.len())).isqrt();
        self.books.start = self.wallet.msat() + self.channels.iter().map(|c| c.local).sum();
        self.told.connected = vec![Some(self.birth); self.peers.len()];
        self.look_around();
    }

    /// Reads the graph again; needed when channels came or went.
    pub(super) fn look_around(&mut self) {
        let public = self.channels.iter().filter(|c| !c.private);
        let own: Vec<(Pubkey, Sat)> =
            public.filter_map(|c| Some((self.peers.get(c.peer)?.key.clone(), c.capacity))).collect();
        self.market = Arc::new(self.world.market(&own));
    }

    /// When it is.
    pub const fn now(&self) -> UnixMs {
        self.now
    }

    /// Its key.
    pub const fn own_key(&self) -> &Pubkey {
        &self.own
    }

    /// Its kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Lives for 24 hours.
    pub fn live_day(&mut self) {
        self.live_to(self.now.plus(DAY_MS));
    }

    /// Lives up to a moment. A day in two parts is the same as in one.
    pub(super) fn live_to(&mut self, until: UnixMs) {
        while self.now < until {
            let start = self.birth.plus(self.now.since(self.birth).div_euclid(DAY_MS) * DAY_MS);
            let end = start.plus(DAY_MS).min(until);
            self.live_within(start, end);
            self.now = end;
        }
    }

    /// From now to `end` on the day that begins at `start`.
    fn live_within(&mut self, start: UnixMs, end: UnixMs) {
        let away: Vec<Away> = self.peers.iter().map(|p| self.away(p, start)).collect();
        let people: Vec<Arc<Character>> = self.peers.clone();
        let all: Vec<&Character> = people.iter().map(AsRef::as_ref).collect();
        let (from_ns, to_ns) = (self.now.nanos(), end.nanos());
        let mut deeds: Vec<Deed> =
            wishes(&self.model, self.seed, &all, self.reference, start).into_iter().map(Deed::Pass).collect();
        deeds.extend(self.trade(start));
        deeds.sort_by_key(Deed::at_ns);
        for deed in deeds.iter().filter(|d| (from_ns..to_ns).contains(&d.at_ns())) {
            self.sweep_what_is_due(UnixMs(deed.at_ns() / 1_000_000));
            match deed {
                Deed::Pass(wish) => self.pass(wish, &away),
                Deed::Receive { at_ns, amount, pick } => self.receive(*at_ns, *amount, *pick),
                Deed::PayOut { at_ns } => self.pay_out(*at_ns),
            }
        }
        self.sweep_what_is_due(end);
        self.note_sessions(&away, end);
        let month_ago = end.plus(-30 * DAY_MS).nanos();
        while self.earned.front().is_some_and(|(at, _)| *at < month_ago) {
            self.earned.pop_front();
        }
    }

    /// When a peer is away in the 24 hours from `start` on, in order and without overlap.
    fn away(&self, peer: &Character, start: UnixMs) -> Away {
        let day = start.0.div_euclid(DAY_MS);
        let mut spans: Away = (day..=day + 1).flat_map(|day| peer.away(&self.model, self.seed, day)).collect();
        spans.extend(peer.leaves_at.map(|gone| (gone, UnixMs(i64::MAX))));
        spans.sort_unstable();
        let mut joined: Away = Vec::new();
        for (from, to) in spans {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        joined
    }

    /// Whether a peer is there now.
    pub(super) fn is_there(&self, peer: usize) -> bool {
        let start = self.birth.plus(self.now.since(self.birth).div_euclid(DAY_MS) * DAY_MS);
        self.peers.get(peer).is_some_and(|p| there(&self.away(p, start), self.now))
    }
}

/// What happens at a moment.
pub(super) enum Deed {
    Pass(Wish),
    Receive { at_ns: i64, amount: Msat, pick: u64 },
    PayOut { at_ns: i64 },
}
