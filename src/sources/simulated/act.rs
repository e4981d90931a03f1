//! What an operator does with the node: fees, rebalances, openings and closings, each with what it costs.

use super::chain;
use super::dice::{Dice, MILLION, index, name, whole};
use super::flow::Part;
use super::life::{Closing, Live, Sim};
use super::peer::Character;
use super::world::rate_at;
use crate::snapshot::{CloseKind, ClosedChannel, Resolution};
use crate::units::{DAY_MS, HOUR_MS, Msat, Outpoint, Ppm, Pubkey, Sat, UnixMs};

/// Something to do with the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimAct {
    /// Charge this on a channel.
    SetFee {
        /// The channel.
        point: Outpoint,
        /// Of the amount.
        ppm: Ppm,
        /// For each forward.
        base: Msat,
    },
    /// Move an amount from one channel to another by a circular payment.
    Rebalance {
        /// The channel to empty.
        from: Outpoint,
        /// The channel to refill.
        to: Outpoint,
        /// What is to arrive.
        amount: Msat,
        /// The most that it may cost.
        max_fee: Msat,
    },
    /// Close a channel.
    Close {
        /// The channel.
        point: Outpoint,
        /// Without the other side.
        force: bool,
    },
    /// Open a channel.
    Open {
        /// With whom.
        peer: Pubkey,
        /// How large.
        capacity: Sat,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Whether anything happened.
    pub happened: bool,
    /// What it cost at once.
    pub cost: Msat,
    /// What was moved: arrived by a rebalance, put into or got back from a channel.
    pub moved: Msat,
    /// What happened, or why nothing did.
    pub why: String,
}

impl Done {
    fn not(why: impl Into<String>) -> Self {
        Self { happened: false, cost: Msat::ZERO, moved: Msat::ZERO, why: why.into() }
    }

    fn yes(cost: Msat, moved: Msat, why: impl Into<String>) -> Self {
        Self { happened: true, cost, moved, why: why.into() }
    }
}

/// Parts of a rebalance, and what is moved in one.
const MOST_PARTS: i64 = 5;
const PART: Msat = Msat::new(200_000_000);
/// Each other node on the way asks this beside its rate.
const HOP_BASE: Msat = Msat::new(1_000);
/// LND keeps this for each channel with anchors, up to ten of them.
const ANCHOR: i64 = 10_000;
/// A channel is usable after three blocks or so.
const OPENING_MS: i64 = HOUR_MS / 2;

impl Sim {
    /// Does it now. Nothing that fails costs anything.
    pub fn do_act(&mut self, act: &SimAct) -> Done {
        match act {
            SimAct::SetFee { point, ppm, base } => self.set_fee(point, *ppm, *base),
            SimAct::Rebalance { from, to, amount, max_fee } => self.rebalance(from, to, *amount, *max_fee),
            SimAct::Close { point, force } => self.close(point, *force),
            SimAct::Open { peer, capacity } => self.open(peer, *capacity),
        }
    }

    fn place(&self, point: &Outpoint) -> Option<usize> {
        self.channels.iter().position(|c| c.point == *point)
    }

    fn set_fee(&mut self, point: &Outpoint, ppm: Ppm, base: Msat) -> Done {
        if ppm < Ppm(0) || base < Msat::ZERO {
            return Done::not("a fee below zero");
        }
        let now = self.now;
        let Some(channel) = self.channels.iter_mut().find(|c| c.point == *point) else {
            return Done::not("no such channel");
        };
        (channel.rate, channel.base, channel.fee_set_at) = (ppm, base, now);
        Done::yes(Msat::ZERO, Msat::ZERO, "set")
    }

    fn rebalance(&mut self, from: &Outpoint, to: &Outpoint, amount: Msat, max_fee: Msat) -> Done {
        let (Some(from), Some(to)) = (self.place(from), self.place(to)) else { return Done::not("no such channel") };
        let Some((source, target)) = self.channels.get(from).cloned().zip(self.channels.get(to).cloned()) else {
            return Done::not("no such channel");
        };
        if source.peer == target.peer || amount <= Msat::ZERO {
            return Done::not("nothing to move between these two");
        }
        if !self.usable(&source) || !self.usable(&target) {
            return Done::not("one of the peers is away");
        }
        let count = ((amount.get() + PART.get() - 1) / PART.get()).clamp(1, MOST_PARTS);
        let mut parts = Vec::new();
        let (mut moved, mut cost) = (Msat::ZERO, Msat::ZERO);
        for number in 0..count {
            // The last part takes what the others' rounding left.
            let part =
                if number + 1 == count { amount - amount.scale(count - 1, count) } else { amount.scale(1, count) };
            let bearable = max_fee.scale(part.get(), amount.get());
            let Some(fee) = self.route(&source, &target, part, number).filter(|fee| *fee <= bearable) else {
                parts.push(Part { amount: part, fee: Msat::ZERO, from: source.scid, to: target.scid, arrived: false });
                continue;
            };
            let arrived = self.move_part(from, to, part, fee);
            parts.push(Part { amount: part, fee, from: source.scid, to: target.scid, arrived });
            if arrived {
                moved += part;
                cost += fee;
            }
        }
        let mut dice = Dice::of(self.seed, "circular", &[index(from), index(to), name(self.now.0)]);
        let hash = hex::encode(dice.bytes());
        self.books.rebalances += cost;
        let asked_for = if moved > Msat::ZERO { moved } else { amount };
        self.payment(hash.clone(), self.now.nanos() + whole(parts.len()), asked_for, &parts, &self.own.clone());
        if moved == Msat::ZERO {
            return Done::not("no route at this price");
        }
        self.invoice(hash, self.now.plus(2_000), moved);
        let arrived = parts.iter().filter(|p| p.arrived).count();
        Done::yes(cost, moved, format!("{arrived} of {count} parts arrived"))
    }

    fn usable(&self, channel: &Live) -> bool {
        channel.usable_from <= self.now && self.is_there(channel.peer)
    }

    /// The fee of the cheapest of some routes that holds this part: what others ask towards the target's peer, the way
    /// there from the source's peer, and what the target's peer asks for its channel with us.
    fn route(&self, source: &Live, target: &Live, part: Msat, number: i64) -> Option<Msat> {
        let (first, last) = (self.peers.get(source.peer)?, self.peers.get(target.peer)?);
        let day = self.now.0.div_euclid(DAY_MS);
        let mut dice = last.dice("route", self.seed, first, day, usize::try_from(number).ok()?);
        let tries = (0..self.model.route_tries).filter_map(|_| {
            let rate = self.way(first, last, &mut dice).saturating_add(target.theirs.0);
            let hops = if first.linked(last) { 2 } else { 3 };
            dice.happens(self.model.route_holds_permille).then(|| part.at(Ppm(rate)) + HOP_BASE.scale(hops, 1))
        });
        tries.min()
    }

    fn way(&self, first: &Character, last: &Character, dice: &mut Dice) -> i64 {
        let towards = last.offer(&self.model, dice);
        if first.linked(last) {
            return towards;
        }
        towards.saturating_add(rate_at(&first.leaving, dice.below(MILLION)).min(self.model.most_ppm))
    }

    fn move_part(&mut self, from: usize, to: usize, part: Msat, fee: Msat) -> bool {
        let holds = self.channels.get(from).is_some_and(|c| c.can_send(part + fee))
            && self.channels.get(to).is_some_and(|c| c.can_receive(part));
        if holds {
            if let Some(source) = self.channels.get_mut(from) {
                source.send(part + fee);
            }
            if let Some(target) = self.channels.get_mut(to) {
                target.take(part);
                target.htlcs_in += 1;
            }
        }
        holds
    }

    /// What is kept on the chain to bump fees.
    pub(super) fn anchor_reserve(&self) -> Sat {
        Sat::new(ANCHOR * whole(self.channels.len()).min(10))
    }

    fn open(&mut self, key: &Pubkey, capacity: Sat) -> Done {
        let fee = chain::cost(chain::FUNDING_VB, chain::fees(self.seed, self.now).half_hour);
        if capacity < Sat::new(20_000) {
            return Done::not("too small: LND opens channels from 20,000 sat on");
        }
        if self.wallet - capacity - fee < self.anchor_reserve() {
            return Done::not("the wallet does not hold it");
        }
        if self.world.find(key).is_none() && self.peer_of(key).is_none() {
            return Done::not("no such node");
        }
        let peer = match self.peer_of(key) {
            Some(peer) => peer,
            None => self.meet(Character::of(&self.world, &self.model, self.seed, key)),
        };
        if !self.is_there(peer) {
            return Done::not("the peer is away");
        }
        let number = index(self.channels.len() + self.closed.len() + self.closing.len());
        let point = self.funding(number, self.now);
        let mut channel = self.channel(point, peer, capacity, capacity.msat(), self.now);
        channel.usable_from = self.now.plus(OPENING_MS);
        self.wallet -= capacity + fee;
        self.books.chain += fee.msat();
        self.told.transactions.push(chain::funding(&channel, fee, self.now));
        if let Some(slot) = self.told.connected.get_mut(peer) {
            slot.get_or_insert(self.now);
        }
        self.channels.push(channel);
        self.look_around();
        Done::yes(fee.msat(), capacity.msat(), "opened")
    }

    fn close(&mut self, point: &Outpoint, force: bool) -> Done {
        let Some(place) = self.place(point) else { return Done::not("no such channel") };
        let there = self.channels.get(place).is_some_and(|c| self.usable(c));
        if !force && !there {
            return Done::not("the peer is away: a channel is closed together, or by force");
        }
        let channel = self.channels.remove(place);
        let before = channel.local;
        let cost = if force { self.close_by_force(channel) } else { self.close_together(&channel) };
        self.look_around();
        Done::yes(cost, before - cost, if force { "closed by force" } else { "closed" })
    }

    /// Who opened pays; what is less than a satoshi goes to the miners.
    fn close_together(&mut self, channel: &Live) -> Msat {
        let fee = chain::cost(chain::CLOSING_VB, chain::fees(self.seed, self.now).hour);
        let settled = settled(channel, fee);
        let cost = channel.local - settled.msat();
        self.wallet += settled;
        self.books.chain += cost;
        let txid = chain::txid(self.seed, "closing", channel);
        self.told.transactions.push(chain::closing(channel, &txid, settled, fee, self.now));
        let closed = self.record(channel, txid, CloseKind::Cooperative);
        self.closed.push(ClosedChannel { settled, ..closed });
        cost
    }

    /// Our commitment goes out; our side waits for its lock.
    fn close_by_force(&mut self, channel: Live) -> Msat {
        let fee = chain::cost(chain::COMMITMENT_VB, chain::fees(self.seed, self.now).hour);
        let limbo = settled(&channel, fee);
        let cost = channel.local - limbo.msat();
        self.books.chain += cost;
        let height = chain::height(self.now);
        let txid = chain::txid(self.seed, "force", &channel);
        self.told.transactions.push(chain::closing(&channel, &txid, Sat::ZERO, fee, self.now));
        self.closing.push(Closing { maturity: height + chain::delay(channel.capacity), txid, height, limbo, channel });
        cost
    }

    fn record(&self, channel: &Live, closing_txid: String, kind: CloseKind) -> ClosedChannel {
        ClosedChannel {
            point: channel.point.clone(),
            scid: channel.scid,
            other_scids: Vec::new(),
            peer: self.peers.get(channel.peer).map_or_else(|| self.own.clone(), |p| p.key.clone()),
            capacity: channel.capacity,
            kind,
            closing_txid,
            close_height: chain::height(self.now),
            settled: Sat::ZERO,
            time_locked: Sat::ZERO,
            opened_by_us: Some(channel.opened_by_us),
            resolutions: Vec::new(),
        }
    }

    /// Brings back what is past its lock.
    pub(super) fn sweep_what_is_due(&mut self, at: UnixMs) {
        let height = chain::height(at);
        while let Some(place) = self.closing.iter().position(|c| c.maturity <= height) {
            let due = self.closing.remove(place);
            let fee = chain::cost(chain::SWEEP_VB, chain::fees(self.seed, at).economy).min(due.limbo);
            self.wallet += due.limbo - fee;
            self.books.chain += fee.msat();
            let txid = chain::txid(self.seed, "sweep", &due.channel);
            self.told.transactions.push(chain::sweep(&due.txid, &txid, due.limbo - fee, at));
            self.sweeps.push(txid.clone());
            let record = self.record(&due.channel, due.txid.clone(), CloseKind::LocalForce);
            self.closed.push(ClosedChannel {
                close_height: due.height,
                time_locked: due.limbo,
                resolutions: vec![Resolution {
                    kind: "commit".to_owned(),
                    outcome: "claimed".to_owned(),
                    outpoint: format!("{}:0", due.txid),
                    amount: due.limbo,
                    sweep_txid: Some(txid),
                }],
                ..record
            });
        }
    }
}

/// Our side after the fee, in whole satoshis.
fn settled(channel: &Live, fee: Sat) -> Sat {
    let ours = channel.local.floor_sat();
    if channel.opened_by_us { (ours - fee).max(Sat::ZERO) } else { ours }
}
