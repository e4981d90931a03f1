//! What others would do with the same channels: two well-known programs that set fees by rule, run once a day.
//!
//! The formulas are those that their own files state, with the parameters that they ship. Both see what an operator
//! sees: balances, fees, forwards, failed forwards.

use std::collections::BTreeMap;

use daznode::snapshot::{FailedForward, FailureReason, Forward};
use daznode::units::{Msat, Outpoint, Ppm, Pubkey, Sat, Scid};

/// charge-lnd's `proportional` strategy with the parameters of its `examples/all-channels-proportional.config`.
pub const PROPORTIONAL: Proportional =
    Proportional { least: Ppm(100), most: Ppm(300), base: Msat::new(1_000), step: 10 };

/// `LNDg`'s automatic fees with the defaults of its `af.py`.
pub const FEE_TABLE: FeeTable = FeeTable {
    least: 0,
    most: 2_500,
    round_to: 5,
    multiplier: 5,
    failures: 25,
    low_percent: 15,
    full_percent: 95,
    smallest: Msat::new(1_000_000),
};

/// A channel as a program that sets fees sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub point: Outpoint,
    pub scid: Scid,
    pub peer: Pubkey,
    pub capacity: Sat,
    pub local: Sat,
    pub remote: Sat,
    /// What we charge now.
    pub rate: Ppm,
    pub base: Msat,
}

/// A fee to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFee {
    pub point: Outpoint,
    pub rate: Ppm,
    pub base: Msat,
}

/// The emptier a channel is on our side, the dearer.
#[derive(Clone, Copy, Debug)]
pub struct Proportional {
    /// For a channel that is all ours.
    pub least: Ppm,
    /// For an empty one.
    pub most: Ppm,
    pub base: Msat,
    /// A smaller change is not made.
    pub step: i64,
}

impl Proportional {
    /// ppm = least + (1 - local / (local + remote)) x (most - least), rounded down.
    pub fn fees(&self, lanes: &[Lane]) -> Vec<NewFee> {
        lanes.iter().filter_map(|lane| self.fee(lane)).collect()
    }

    fn fee(&self, lane: &Lane) -> Option<NewFee> {
        let (local, remote) = (i128::from(lane.local.get()), i128::from(lane.remote.get()));
        let both = (local + remote).max(0);
        let range = i128::from(self.most.0 - self.least.0);
        let more = (both - local).saturating_mul(range).checked_div(both)?;
        let rate = Ppm(self.least.0 + i64::try_from(more).ok()?);
        let changed = (rate.0 - lane.rate.0).abs() >= self.step || lane.base != self.base;
        changed.then(|| NewFee { point: lane.point.clone(), rate, base: self.base })
    }
}

/// Steps up and down by a peer's balance and by what went to and from it.
#[derive(Clone, Copy, Debug)]
pub struct FeeTable {
    pub least: i64,
    pub most: i64,
    pub round_to: i64,
    /// ppm of one step.
    pub multiplier: i64,
    /// A drained peer's fee rises above so many failures a day.
    pub failures: usize,
    pub low_percent: i64,
    pub full_percent: i64,
    /// Smaller forwards are not looked at.
    pub smallest: Msat,
}

/// What happened, as far as the fee table looks at it.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Of seven days.
    pub week: Vec<Forward>,
    /// Of one day.
    pub failed: Vec<FailedForward>,
}

const DAY_NS: i64 = 86_400_000_000_000;

impl Memory {
    /// Adds what happened since the last time, and forgets what is too old at `now`.
    pub fn add(&mut self, forwards: impl IntoIterator<Item = Forward>, failed: Vec<FailedForward>, now_ns: i64) {
        self.week.extend(forwards);
        self.week.retain(|forward| forward.at_ns >= now_ns - 7 * DAY_NS);
        self.failed.extend(failed);
        self.failed.retain(|failure| failure.at_ns >= now_ns - DAY_NS);
    }
}

/// One peer's channels together.
#[derive(Clone, Copy, Debug, Default)]
struct PeerSums {
    capacity: i64,
    local: i64,
    in_day: Msat,
    in_week: Msat,
    out_week: Msat,
    earned_week: Msat,
    assisted_week: Msat,
    failed_day: usize,
}

impl FeeTable {
    /// New rates of all channels whose rate changes.
    pub fn fees(&self, lanes: &[Lane], memory: &Memory, now_ns: i64) -> Vec<NewFee> {
        let peers = self.sums(lanes, memory, now_ns);
        let fee = |lane: &Lane| {
            let change = self.change(peers.get(&lane.peer)?);
            let rate = Ppm(self.rounded(lane.rate.0 + change));
            (rate != lane.rate).then(|| NewFee { point: lane.point.clone(), rate, base: lane.base })
        };
        lanes.iter().filter_map(fee).collect()
    }

    fn sums<'a>(&self, lanes: &'a [Lane], memory: &Memory, now_ns: i64) -> BTreeMap<&'a Pubkey, PeerSums> {
        let of: BTreeMap<Scid, &Pubkey> = lanes.iter().map(|lane| (lane.scid, &lane.peer)).collect();
        let mut peers: BTreeMap<&Pubkey, PeerSums> = BTreeMap::new();
        for lane in lanes {
            let sums = peers.entry(&lane.peer).or_default();
            sums.capacity += lane.capacity.get();
            sums.local += lane.local.get();
        }
        for forward in memory.week.iter().filter(|forward| forward.amount_out >= self.smallest) {
            if let Some(sums) = of.get(&forward.scid_in).and_then(|peer| peers.get_mut(peer)) {
                sums.in_week += forward.amount_out;
                sums.assisted_week += forward.fee();
                if forward.at_ns >= now_ns - DAY_NS {
                    sums.in_day += forward.amount_out;
                }
            }
            if let Some(sums) = of.get(&forward.scid_out).and_then(|peer| peers.get_mut(peer)) {
                sums.out_week += forward.amount_out;
                sums.earned_week += forward.fee();
            }
        }
        for failure in memory.failed.iter().filter(|failure| failure.reason == FailureReason::Balance) {
            if let Some(sums) = of.get(&failure.scid_out).and_then(|peer| peers.get_mut(peer)) {
                sums.failed_day += 1;
            }
        }
        peers
    }

    /// By how many ppm a peer's fees change today.
    fn change(&self, peer: &PeerSums) -> i64 {
        let percent = rounded_ratio(peer.local.saturating_mul(100), peer.capacity);
        let idle = peer.in_week == Msat::ZERO && peer.out_week == Msat::ZERO;
        let net = (peer.out_week - peer.in_week).floor_sat().get();
        if percent <= self.low_percent {
            let starved = peer.failed_day > self.failures && peer.in_day == Msat::ZERO;
            return if starved { 5 * self.multiplier } else { 0 };
        }
        if percent < self.full_percent {
            // In tenths of the capacity, as its net flow is rounded.
            let tenths = rounded_ratio(net.saturating_mul(10), peer.capacity);
            return match () {
                () if idle => -3 * self.multiplier,
                () if tenths > 10 => 2 * self.multiplier * (10 + tenths) / 10,
                () => 0,
            };
        }
        let assists = net < 0 && peer.assisted_week.get() > peer.earned_week.get().saturating_mul(10);
        if idle || assists { -5 * self.multiplier } else { 0 }
    }

    /// As the table rounds and bounds a rate.
    pub fn rounded(&self, rate: i64) -> i64 {
        (rounded_ratio(rate, self.round_to) * self.round_to).clamp(self.least, self.most)
    }
}

/// To the nearest whole number, halves to the even one.
pub fn rounded_ratio(part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    let (below, rest) = (part.div_euclid(whole), part.rem_euclid(whole));
    match (rest * 2).cmp(&whole) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Greater => below + 1,
        std::cmp::Ordering::Equal => below + below.rem_euclid(2),
    }
}
