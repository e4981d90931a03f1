//! What moves over the channels: forwards that succeed or fail, payments to the node and by it.

use super::demand::Wish;
use super::dice::{Dice, index, name, whole};
use super::life::{Away, Deed, Live, Sim};
use crate::snapshot::{
    FailedForward, FailureReason, Forward, Invoice, InvoiceState, Payment, PaymentPart, PaymentStatus, PeerSession,
};
use crate::units::{DAY_MS, Msat, Ppm, Pubkey, Scid, UnixMs};

/// Payments that a node gets from its customers on one day.
const CUSTOMERS: i64 = 24;
/// What a shop pays out is sent in one payment a day, at this price.
const PAY_OUT_RATE: Ppm = Ppm(400);
/// An attempt at a peer that is away is seen one time in four: the others know it from the channel's being disabled.
const TRIES_AWAY: i64 = 4;

impl Live {
    /// The least that each side keeps.
    pub(super) fn reserve(&self) -> Msat {
        self.capacity.msat().scale(1, 100)
    }

    pub(super) fn can_send(&self, amount: Msat) -> bool {
        self.local - amount >= self.reserve()
    }

    pub(super) fn can_receive(&self, amount: Msat) -> bool {
        self.remote - amount >= self.reserve()
    }

    pub(super) fn send(&mut self, amount: Msat) {
        self.local -= amount;
        self.remote += amount;
        self.sent += amount;
        self.updates += 2;
    }

    pub(super) fn take(&mut self, amount: Msat) {
        self.local += amount;
        self.remote -= amount;
        self.received += amount;
        self.updates += 2;
    }

    /// What we ask for a forward of this amount.
    pub(super) fn fee(&self, amount: Msat) -> Msat {
        self.base + amount.at(self.rate)
    }
}

/// Whether a peer with these absences is there.
pub(super) fn there(away: &Away, at: UnixMs) -> bool {
    !away.iter().any(|(from, to)| (*from..*to).contains(&at))
}

impl Deed {
    pub(super) const fn at_ns(&self) -> i64 {
        match self {
            Self::Pass(wish) => wish.at_ns,
            Self::Receive { at_ns, .. } | Self::PayOut { at_ns } => *at_ns,
        }
    }
}

impl Sim {
    /// A payment that wants to pass. What the payer sees beforehand (the price, a peer that is away, a failure of a moment
    /// ago) keeps it from trying; what it can't see makes it fail.
    pub(super) fn pass(&mut self, wish: &Wish, away: &[Away]) {
        let at = UnixMs(wish.at_ns / 1_000_000);
        let is_there = |peer: usize| away.get(peer).is_some_and(|spans| there(spans, at));
        if !is_there(wish.from) {
            return;
        }
        let Some(asked) = self.cheapest(wish.to, at) else { return };
        let Some(priced) = self.channels.get(asked) else { return };
        let fee = priced.fee(wish.amount);
        let recently = self.model.memory_minutes * 60_000_000_000;
        let avoided = priced.failed_ns.is_some_and(|failed| wish.at_ns - failed < recently) && !wish.fresh;
        if fee > wish.bears || avoided {
            return;
        }
        let amount_in = wish.amount + fee;
        let comes = |c: &Live| c.peer == wish.from && c.usable_from <= at && c.can_receive(amount_in);
        let Some(incoming) = self.channels.iter().position(comes) else { return };
        if !is_there(wish.to) {
            if wish.at_ns % TRIES_AWAY == 0 {
                self.fail(wish, incoming, asked, amount_in, FailureReason::Offline);
            }
            return;
        }
        let leaves = |c: &Live| c.peer == wish.to && c.usable_from <= at && c.can_send(wish.amount);
        let holds = self.channels.get(asked).is_some_and(leaves);
        let outgoing = if holds { Some(asked) } else { self.channels.iter().position(leaves) };
        match outgoing {
            Some(_) if wish.fails => self.fail(wish, incoming, asked, amount_in, FailureReason::Downstream),
            Some(outgoing) => self.forward(wish, incoming, outgoing, amount_in),
            None => {
                self.fail(wish, incoming, asked, amount_in, FailureReason::Balance);
                if wish.splits {
                    self.pass(&Wish { fresh: true, ..wish.smaller() }, away);
                }
                if let Some(channel) = self.channels.get_mut(asked) {
                    channel.failed_ns = Some(wish.at_ns);
                }
            }
        }
    }

    /// The channel to a peer that asks the least of what is usable.
    fn cheapest(&self, peer: usize, at: UnixMs) -> Option<usize> {
        let usable = self.channels.iter().enumerate().filter(|(_, c)| c.peer == peer && c.usable_from <= at);
        usable.min_by_key(|(_, c)| (c.rate, c.base)).map(|(place, _)| place)
    }

    fn fail(&mut self, wish: &Wish, incoming: usize, outgoing: usize, amount_in: Msat, reason: FailureReason) {
        let Some(scid_out) = self.channels.get(outgoing).map(|c| c.scid) else { return };
        let Some(channel) = self.channels.get_mut(incoming) else { return };
        channel.updates += 2;
        self.told.failures.push(FailedForward {
            at_ns: wish.at_ns,
            scid_in: channel.scid,
            htlc_in: channel.htlcs_in,
            scid_out,
            amount_in,
            amount_out: wish.amount,
            reason,
        });
        channel.htlcs_in += 1;
    }

    fn forward(&mut self, wish: &Wish, incoming: usize, outgoing: usize, amount_in: Msat) {
        let Some(channel) = self.channels.get_mut(outgoing) else { return };
        channel.send(wish.amount);
        let scid_out = channel.scid;
        let Some(channel) = self.channels.get_mut(incoming) else { return };
        channel.take(amount_in);
        let forward = Forward {
            at_ns: wish.at_ns,
            scid_in: channel.scid,
            scid_out,
            amount_in,
            amount_out: wish.amount,
            htlc_in: channel.htlcs_in.cast_signed(),
        };
        channel.htlcs_in += 1;
        self.books.fees += forward.fee();
        self.earned.push_back((wish.at_ns, forward.fee()));
        self.told.forwards.push(forward);
    }

    /// What the node itself is paid and pays in the 24 hours from `start` on.
    pub(super) fn trade(&self, start: UnixMs) -> Vec<Deed> {
        let share = self.kind.plan().receives_ppm;
        let capacity: Msat = self.channels.iter().map(|c| c.capacity.msat()).sum();
        if share == 0 {
            return Vec::new();
        }
        let mut dice = Dice::of(self.seed, "customers", &[name(start.0.div_euclid(DAY_MS))]);
        let mean = capacity.at(Ppm(share)).scale(1, CUSTOMERS);
        let mut deeds: Vec<Deed> = (0..CUSTOMERS)
            .map(|_| Deed::Receive {
                at_ns: start.plus(dice.below(DAY_MS)).nanos(),
                amount: mean.scale(dice.between(100, 1_900), 1_000),
                pick: dice.next(),
            })
            .collect();
        deeds.push(Deed::PayOut { at_ns: start.plus(DAY_MS / 2).nanos() });
        deeds
    }

    /// A customer pays, over any channel whose other side holds it.
    pub(super) fn receive(&mut self, at_ns: i64, amount: Msat, pick: u64) {
        let holding: Vec<usize> =
            (0..self.channels.len()).filter(|n| self.channels.get(*n).is_some_and(|c| c.can_receive(amount))).collect();
        let Some(place) = usize::try_from(pick % index(holding.len()).max(1)).ok().and_then(|n| holding.get(n)) else {
            return;
        };
        let Some(channel) = self.channels.get_mut(*place) else { return };
        channel.take(amount);
        channel.htlcs_in += 1;
        self.books.received += amount;
        let hash = hex::encode(Dice::of(self.seed, "customer", &[name(at_ns), pick]).bytes());
        self.invoice(hash, UnixMs(at_ns / 1_000_000), amount);
    }

    pub(super) fn invoice(&mut self, hash: String, at: UnixMs, amount: Msat) {
        self.books.invoices += 1;
        self.told.invoices.push(Invoice {
            index: self.books.invoices,
            hash,
            created_at: at.plus(-2_000),
            settled_at: Some(at),
            state: InvoiceState::Settled,
            value: amount,
            paid: amount,
            keysend: false,
        });
    }

    /// A shop sends on what is more than half of its fullest channel.
    pub(super) fn pay_out(&mut self, at_ns: i64) {
        let spare = |c: &Live| c.local - c.capacity.msat().scale(1, 2);
        let Some(fullest) = (0..self.channels.len()).max_by_key(|n| self.channels.get(*n).map(spare)) else { return };
        let Some(channel) = self.channels.get_mut(fullest) else { return };
        let amount = spare(channel);
        let fee = amount.at(PAY_OUT_RATE);
        if amount < channel.capacity.msat().scale(1, 10) || !channel.can_send(amount + fee) {
            return;
        }
        channel.send(amount + fee);
        let scid = channel.scid;
        self.books.paid += amount;
        self.books.pay_fees += fee;
        let mut dice = Dice::of(self.seed, "payout", &[name(at_ns)]);
        let (hash, destination) = (hex::encode(dice.bytes()), Pubkey::even(dice.bytes()));
        let part = Part { amount, fee, from: scid, to: Scid(dice.next()), arrived: true };
        self.payment(hash, at_ns, amount, &[part], &destination);
    }

    /// Writes down a payment of these parts; it arrived if any part did.
    pub(super) fn payment(&mut self, hash: String, at_ns: i64, value: Msat, parts: &[Part], destination: &Pubkey) {
        self.books.payments += 1;
        let number = self.books.payments;
        let status = |arrived| if arrived { PaymentStatus::Succeeded } else { PaymentStatus::Failed };
        let arrived = parts.iter().any(|p| p.arrived);
        let tried = |(place, part): (usize, &Part)| PaymentPart {
            attempt: number * 100 + index(place),
            status: status(part.arrived),
            amount: part.amount,
            fee: part.fee,
            resolved_ns: Some(at_ns + 2_000_000_000 * (whole(place) + 1)),
            first_scid: part.from,
            last_scid: part.to,
            destination: Some(destination.clone()),
        };
        self.told.payments.push(Payment {
            index: number,
            hash,
            created_ns: at_ns,
            status: status(arrived),
            value,
            fee: parts.iter().filter(|p| p.arrived).map(|p| p.fee).sum(),
            failure: (!arrived).then(|| "FAILURE_REASON_NO_ROUTE".to_owned()),
            keysend: false,
            parts: parts.iter().enumerate().map(tried).collect(),
        });
    }

    /// Writes down which peers came and went between now and `end`.
    pub(super) fn note_sessions(&mut self, away: &[Away], end: UnixMs) {
        for ((peer, spans), since) in self.peers.iter().zip(away).zip(&mut self.told.connected) {
            for (from, to) in spans.iter().filter(|(from, to)| *from < end && *to > self.now) {
                if let Some(began) = since.take() {
                    let ended = (*from).max(began);
                    self.told.sessions.push(PeerSession { peer: peer.key.clone(), from: began, to: Some(ended) });
                }
                *since = (*to < end).then_some(*to);
            }
        }
    }
}

/// One part of a payment.
pub(super) struct Part {
    pub(super) amount: Msat,
    pub(super) fee: Msat,
    pub(super) from: Scid,
    pub(super) to: Scid,
    pub(super) arrived: bool,
}
