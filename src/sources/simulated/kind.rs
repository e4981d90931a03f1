//! Kinds of nodes, and how each of them is when it is first looked at: channels, ages, balances, fees.

use serde::{Deserialize, Serialize};

use super::dice::{Dice, MILLION, index};
use super::peer::Character;
use super::world::rate_at;

/// A kind of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A dozen channels, fees near the market.
    SmallRouter,
    /// Some sixty channels, fees near the market.
    LargeRouter,
    /// Five channels of the last days, all of the money with who opened them, fees as LND sets them.
    NewNode,
    /// Nobody looked after it: fees from LND's default to far too dear, many unsteady peers, little balance.
    Neglected,
    /// A shop: money comes in and is paid out again.
    Merchant,
    /// Serves users over private channels.
    Lsp,
    /// Its peers are the largest nodes, where everybody else is too.
    HubConnected,
    /// All fees at several times the market.
    Dear,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SmallRouter,
        Self::LargeRouter,
        Self::NewNode,
        Self::Neglected,
        Self::Merchant,
        Self::Lsp,
        Self::HubConnected,
        Self::Dear,
    ];

    /// How such a node begins.
    pub(super) const fn plan(self) -> Plan {
        let usual = Plan {
            channels: 12,
            degrees: (3, 400),
            capacity: &[(0, 500_000), (500_000, 2_500_000), (900_000, 6_000_000), (MILLION, 12_000_000)],
            ours: &[(0, 50), (500_000, 500), (MILLION, 950)],
            private_permille: 0,
            wallet: 4_000_000,
            age: (60, 700),
            habit: Habit::Market { low: 500, high: 1_600 },
            flaky_permille: 0,
            receives_ppm: 0,
        };
        match self {
            Self::SmallRouter => usual,
            Self::LargeRouter => Plan {
                channels: 62,
                degrees: (3, 2_000),
                capacity: &[(0, 2_000_000), (500_000, 5_000_000), (900_000, 15_000_000), (MILLION, 40_000_000)],
                wallet: 30_000_000,
                age: (30, 1_200),
                ..usual
            },
            Self::NewNode => Plan {
                channels: 5,
                capacity: &[(0, 1_000_000), (MILLION, 3_000_000)],
                ours: &[(0, 10), (300_000, 10), (300_001, 990), (MILLION, 990)],
                wallet: 3_000_000,
                age: (1, 8),
                habit: Habit::Default,
                ..usual
            },
            Self::Neglected => Plan {
                channels: 15,
                degrees: (1, 100),
                ours: &[(0, 10), (400_000, 60), (600_000, 940), (MILLION, 990)],
                wallet: 400_000,
                age: (300, 1_500),
                habit: Habit::Careless,
                flaky_permille: 400,
                ..usual
            },
            Self::Merchant => Plan { channels: 9, receives_ppm: 20_000, habit: Habit::Default, ..usual },
            Self::Lsp => Plan { channels: 26, private_permille: 600, wallet: 10_000_000, ..usual },
            Self::HubConnected => Plan { channels: 10, degrees: (100, 2_000), ..usual },
            Self::Dear => Plan { channels: 14, habit: Habit::Market { low: 2_500, high: 6_000 }, ..usual },
        }
    }
}

/// How a node of a kind begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) channels: usize,
    /// Fewest and most channels of its peers.
    pub(super) degrees: (usize, usize),
    /// Quantiles of capacities in sat, and of our share in thousandths.
    pub(super) capacity: &'static [(i64, i64)],
    pub(super) ours: &'static [(i64, i64)],
    pub(super) private_permille: i64,
    /// On the chain, in sat.
    pub(super) wallet: i64,
    /// Youngest and oldest channel in days.
    pub(super) age: (i64, i64),
    pub(super) habit: Habit,
    /// Peers that are unsteady, beside those that are so anyway.
    pub(super) flaky_permille: i64,
    /// What is paid to it in a day, in parts per million of its channels.
    pub(super) receives_ppm: i64,
}

/// How its operator set fees.
#[derive(Clone, Copy, Debug)]
pub(super) enum Habit {
    /// Around the middle of what others ask, times something between these thousandths.
    Market { low: i64, high: i64 },
    /// As LND sets them: 1 ppm and 1,000 msat.
    Default,
    /// Of everything.
    Careless,
}

impl Habit {
    /// The fee on the channel with this peer: base in msat and ppm.
    pub(super) fn fee(self, peer: &Character, seed: u64, number: usize) -> (i64, i64) {
        let mut dice = Dice::of(seed, "habit", &[peer.name, index(number)]);
        match self {
            Self::Default => (1_000, 1),
            Self::Market { low, high } => {
                let middle = rate_at(&peer.prices, 500_000).clamp(10, 2_000);
                (if dice.happens(500) { 0 } else { 1_000 }, middle * dice.between(low, high) / 1_000)
            }
            Self::Careless => match dice.below(10) {
                0..5 => (1_000, 1),
                5..7 => (1_000, 100),
                7..9 => (1_000, 2_500),
                _ => (0, 0),
            },
        }
    }
}
