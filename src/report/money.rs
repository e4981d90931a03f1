//! What was earned and paid: of the node, and of each channel and peer.

use serde::{Deserialize, Serialize};

use super::Time;
use crate::units::{Msat, Outpoint, Ppm, Pubkey, Sat};

/// What was earned and paid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Money {
    /// 24 hours.
    pub day: Option<MoneyPeriod>,
    /// Seven days.
    pub week: Option<MoneyPeriod>,
    /// Thirty days.
    pub month: Option<MoneyPeriod>,
    /// Ninety days.
    #[serde(default)]
    pub quarter: Option<MoneyPeriod>,
    /// Everything that is stored.
    #[serde(default)]
    pub ever: Option<MoneyPeriod>,
    /// One row a channel that moved, earned or cost something, closed ones too; the most fees first.
    #[serde(default)]
    pub channels: Vec<ChannelMoney>,
    /// The same by peer.
    #[serde(default)]
    pub peers: Vec<PeerMoney>,
    /// What belongs to no channel that is known: with it the rows sum to the node.
    #[serde(default)]
    pub unattributed: Option<Accounts>,
    /// The same in money of a country, at the price of now.
    #[serde(default)]
    pub fiat: Option<Fiat>,
    /// What could not be forwarded for lack of balance; null where nobody watched.
    #[serde(default)]
    pub missed_demand: Option<MissedDemand>,
    /// How much hangs on one peer.
    #[serde(default)]
    pub concentration: Option<Concentration>,
}

/// What was earned and paid in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyPeriod {
    /// Fees of forwards.
    pub fees_earned_msat: Msat,
    /// Circular payments.
    pub rebalances: u32,
    /// What they moved.
    pub rebalanced_msat: Msat,
    /// What they cost.
    pub rebalance_cost_msat: Msat,
    /// Other payments, without their fees: the operator's own spending, no part of the net.
    pub payments_sent_msat: Msat,
    /// Fees of other payments: no part of the net.
    pub payment_fees_msat: Msat,
    /// Invoices and keysends received that were not circular: no part of the net.
    pub received_msat: Msat,
    /// Fees of the chain for opening channels.
    pub open_cost_sat: Sat,
    /// For closing them.
    pub close_cost_sat: Sat,
    /// For sweeping what a closed one left.
    pub sweep_cost_sat: Sat,
    /// For the wallet's other transactions: no part of the net.
    pub other_chain_cost_sat: Sat,
    /// Fees earned less rebalances less opening, closing and sweeping.
    pub net_msat: Msat,
    /// Whether the net holds every cost; else it is at most this, and `unknown` names what is missing.
    #[serde(default)]
    pub net_known: bool,
    /// The net as parts per million of what was forwarded.
    #[serde(default)]
    pub net_ppm: Option<Ppm>,
    /// Our balance in channels, averaged over the time that they were open.
    #[serde(default)]
    pub mean_local_sat: Option<Sat>,
    /// The net a year on that balance, in ppm.
    #[serde(default)]
    pub apy_ppm: Option<Ppm>,
    /// What is not in these figures since it is not known.
    pub unknown: Vec<String>,
}

/// Five periods of one channel, one peer or the rest; null where nothing moved, was earned or was paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// 24 hours.
    pub day: Option<AccountPeriod>,
    /// Seven days.
    pub week: Option<AccountPeriod>,
    /// Thirty days.
    pub month: Option<AccountPeriod>,
    /// Ninety days.
    pub quarter: Option<AccountPeriod>,
    /// Everything that is stored.
    pub ever: Option<AccountPeriod>,
}

/// What one channel or peer earned and cost in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountPeriod {
    /// Forwards that left by it.
    pub forwards_out: u32,
    /// What came by it.
    pub amount_in_msat: Msat,
    /// What left by it.
    pub amount_out_msat: Msat,
    /// Fees of forwards that left by it.
    pub fees_earned_msat: Msat,
    /// Fees of forwards that came by it: shown beside, never added.
    pub fees_assisted_msat: Msat,
    /// Circular payments that refilled it.
    pub rebalanced_in_msat: Msat,
    /// Circular payments that emptied it: moved for the sake of others, at their cost.
    pub rebalanced_out_msat: Msat,
    /// What refilling it cost.
    pub rebalance_cost_msat: Msat,
    /// Its share of the fee of its funding transaction.
    pub open_cost_sat: Sat,
    /// What closing it cost.
    pub close_cost_sat: Sat,
    /// Its share of what sweeping cost.
    pub sweep_cost_sat: Sat,
    /// Fees earned less all of these costs; null where one of them is not known.
    pub net_msat: Option<Msat>,
    /// The net as parts per million of what left by it.
    pub net_ppm: Option<Ppm>,
    /// Our balance in it, averaged over time.
    pub mean_local_sat: Option<Sat>,
    /// The net a year on that balance, in ppm.
    pub apy_ppm: Option<Ppm>,
    /// What is not known.
    pub unknown: Vec<String>,
}

/// Which way forwards go through a channel or a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowClass {
    /// They mostly come by it.
    Source,
    /// They mostly leave by it.
    Sink,
    /// Both about the same.
    Balanced,
}

/// One channel's accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelMoney {
    /// Its key.
    pub channel_point: Outpoint,
    /// The other side; null where it is not known any more.
    pub peer: Option<Pubkey>,
    /// Its alias; hostile text.
    pub peer_alias: Option<String>,
    /// Whether it is open now.
    pub open: bool,
    /// Whole days without a forward in either direction, as far back as is known; null for a closed one.
    pub idle_days: Option<u32>,
    /// What left less what came, over both, in 30 days: -1 is a pure source, 1 a pure sink.
    pub flow_direction: Option<f64>,
    /// The same as a word.
    pub flow_class: Option<FlowClass>,
    /// Its periods.
    #[serde(flatten)]
    pub accounts: Accounts,
}

/// One peer's accounts, over all of its channels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerMoney {
    /// The peer; null for channels whose other side is not known any more.
    pub peer: Option<Pubkey>,
    /// Its alias; hostile text.
    pub peer_alias: Option<String>,
    /// Open channels with it.
    pub channels_open: u32,
    /// What left less what came, over both, in 30 days: -1 is a pure source, 1 a pure sink.
    pub flow_direction: Option<f64>,
    /// The same as a word.
    pub flow_class: Option<FlowClass>,
    /// Its periods.
    #[serde(flatten)]
    pub accounts: Accounts,
}

/// Money of a country beside sats, in hundredths, all at one price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fiat {
    /// `USD` and so on.
    pub currency: String,
    /// Price of one bitcoin, in hundredths.
    pub price_hundredths: i64,
    /// Who said it.
    pub source: String,
    /// When it was said.
    pub as_of: Time,
    /// 24 hours.
    pub day: Option<FiatPeriod>,
    /// Seven days.
    pub week: Option<FiatPeriod>,
    /// Thirty days.
    pub month: Option<FiatPeriod>,
    /// Ninety days.
    pub quarter: Option<FiatPeriod>,
    /// Everything that is stored.
    pub ever: Option<FiatPeriod>,
}

/// A period in money of a country, in hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiatPeriod {
    /// Fees of forwards.
    pub fees_earned_hundredths: i64,
    /// Circular payments, opening, closing and sweeping.
    pub cost_hundredths: i64,
    /// The net; null where a cost is not known.
    pub net_hundredths: Option<i64>,
}

/// Forwards that failed since a channel held too little of ours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MissedDemand {
    /// Share of the last 24 hours in which forwards were watched, 0 to 1.
    pub watched_share_24h: f64,
    /// Of the last 7 days.
    pub watched_share_7d: f64,
    /// Of the last 30 days.
    pub watched_share_30d: f64,
    /// One row a channel that lacked balance in 30 days; the most fees missed first.
    pub channels: Vec<MissedChannel>,
}

/// What one channel could not forward. Sums are over what was watched only; null where none of a period was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedChannel {
    /// The channel that it was to leave by; null where its short id is of no channel that is known.
    pub channel_point: Option<Outpoint>,
    /// The other side.
    pub peer: Option<Pubkey>,
    /// Its alias; hostile text.
    pub peer_alias: Option<String>,
    /// 24 hours.
    pub day: Option<MissedFlow>,
    /// Seven days.
    pub week: Option<MissedFlow>,
    /// Thirty days.
    pub month: Option<MissedFlow>,
}

/// Forwards that were missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedFlow {
    /// How many.
    pub forwards: u32,
    /// What was to leave.
    pub amount_msat: Msat,
    /// The fees that were missed.
    pub fees_msat: Msat,
}

/// How much of 30 days, and of what is held now, hangs on one peer and on Tor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Concentration {
    /// The peer by whose channels the most fees were earned.
    pub fees: Option<PeerShare>,
    /// By whose channels the most was sent.
    pub volume: Option<PeerShare>,
    /// In whose channels the most of ours is.
    pub local: Option<PeerShare>,
    /// The peer whose end would cost the most fees: those of all forwards that came or left by it, each once.
    pub loss: Option<PeerShare>,
    /// Share of the capacity in channels with peers that can be reached without Tor, 0 to 1.
    pub clearnet_share: Option<f64>,
    /// With peers that can be reached by Tor only; what is left announced no address.
    pub tor_share: Option<f64>,
}

/// One peer's part of something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerShare {
    /// The peer.
    pub peer: Pubkey,
    /// Its alias; hostile text.
    pub peer_alias: Option<String>,
    /// Its part.
    pub amount_msat: Msat,
    /// Of all, 0 to 1.
    pub share: f64,
}
