//! Forwards that are in flight. LND says what they carry when they leave, and only that they failed when they come back.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::units::{DAY_MS, Msat, Scid, UnixMs};

/// How many are remembered; a channel carries 966 at most.
const MOST: usize = 20_000;
/// An HTLC that is still in flight after this time has long been settled on the chain.
const OLDEST_MS: i64 = 14 * DAY_MS;

/// An HTLC as it came in: LND gives the same number in a channel only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Htlc {
    pub(super) scid: Scid,
    pub(super) number: u64,
}

/// What left for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forward {
    pub(super) scid_out: Scid,
    pub(super) amount_in: Msat,
    pub(super) amount_out: Msat,
}

/// What is known of one that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was seen to leave.
    Of(Forward),
    /// It left before we watched, or too long ago.
    OfUnseen,
    /// It had ended before: LND tells some ends again after a restart.
    Again,
}

/// A number that grows with each forward, when it left, and what.
type Left = (u64, UnixMs, Forward);

/// Forwards in flight and those that ended last, both of limited number.
#[derive(Debug)]
pub(super) struct Forwards {
    most: usize,
    next: u64,
    in_flight: HashMap<Htlc, Left>,
    by_age: BTreeMap<u64, Htlc>,
    ended: HashSet<Htlc>,
    ended_by_age: VecDeque<Htlc>,
}

impl Default for Forwards {
    fn default() -> Self {
        Self::holding(MOST)
    }
}

impl Forwards {
    pub(super) fn holding(most: usize) -> Self {
        Self {
            most,
            next: 0,
            in_flight: HashMap::new(),
            by_age: BTreeMap::new(),
            ended: HashSet::new(),
            ended_by_age: VecDeque::new(),
        }
    }

    /// It left, or left again after its first channel had lost it. Should one fail that was given up as too old or one too
    /// many, its amounts are not known.
    pub(super) fn left(&mut self, htlc: Htlc, forward: Forward, at: UnixMs) {
        if self.ended.contains(&htlc) {
            return;
        }
        self.take(htlc);
        self.in_flight.insert(htlc, (self.next, at, forward));
        self.by_age.insert(self.next, htlc);
        self.next += 1;
        while self.in_flight.len() > self.most || self.oldest().is_some_and(|left| at.since(left) > OLDEST_MS) {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.in_flight.remove(&oldest);
        }
    }

    /// It settled or failed.
    pub(super) fn ended(&mut self, htlc: Htlc) -> End {
        if !self.ended.insert(htlc) {
            return End::Again;
        }
        self.ended_by_age.push_back(htlc);
        if self.ended_by_age.len() > self.most
            && let Some(oldest) = self.ended_by_age.pop_front()
        {
            self.ended.remove(&oldest);
        }
        self.take(htlc).map_or(End::OfUnseen, End::Of)
    }

    /// Whether it is known to be in flight.
    pub(super) fn is_in_flight(&self, htlc: Htlc) -> bool {
        self.in_flight.contains_key(&htlc)
    }

    /// Everything that is remembered, in entries.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.in_flight.len() + self.by_age.len() + self.ended.len() + self.ended_by_age.len()
    }

    fn take(&mut self, htlc: Htlc) -> Option<Forward> {
        let (number, _, forward) = self.in_flight.remove(&htlc)?;
        self.by_age.remove(&number);
        Some(forward)
    }

    fn oldest(&self) -> Option<UnixMs> {
        let (_, htlc) = self.by_age.first_key_value()?;
        self.in_flight.get(htlc).map(|(_, at, _)| *at)
    }
}
