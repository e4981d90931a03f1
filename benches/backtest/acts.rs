//! From what a report says to do to what the simulated node can do.

use daznode::report::{Act, Recommendation};
use daznode::sources::simulated::SimAct;

/// Which advice is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Fees and refills.
    FeesAndRefills,
    /// Opening and closing channels too.
    All,
}

impl Follow {
    /// Whether an act of this kind is one of them.
    pub const fn takes(self, act: &Act) -> bool {
        match act {
            Act::SetFee { .. } | Act::Rebalance { .. } => true,
            Act::Open { .. } | Act::Close { .. } => matches!(self, Self::All),
        }
    }
}

/// The simulated node's word for it.
pub fn simulated(act: &Act) -> SimAct {
    match act.clone() {
        Act::SetFee { channel, to_ppm, base_msat, .. } => {
            SimAct::SetFee { point: channel, ppm: to_ppm, base: base_msat }
        }
        Act::Rebalance { from, to, amount_sat, max_fee_sat } => {
            SimAct::Rebalance { from, to, amount: amount_sat.msat(), max_fee: max_fee_sat.msat() }
        }
        Act::Close { channel, force } => SimAct::Close { point: channel, force },
        Act::Open { peer, capacity_sat } => SimAct::Open { peer, capacity: capacity_sat },
    }
}

/// The kind of a piece of advice: what stands before the colon of its key.
pub fn kind(advice: &Recommendation) -> &str {
    advice.advice_key.split(':').next().unwrap_or_default()
}
