//! The snapshot and the history, put in order once so that every rule finds what it needs without a search.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::accounting;
use super::thresholds::Thresholds;
use super::words;
use crate::history::{ChannelSample, History, Window};
use crate::report::ChannelFlow;
use crate::snapshot::{ChainTx, Channel, ChannelFee, ChannelPolicies, PeerMarket, Policy, Snapshot};
use crate::units::{DAY_MS, Outpoint, Ppm, Pubkey, Sat, Scid, UnixMs};

/// Blocks that are found in a day.
pub(super) const BLOCKS_A_DAY: i64 = 144;

/// Flows of each channel in a period.
pub(super) type Flows = HashMap<Outpoint, ChannelFlow>;

/// Everything that rules, score and advice judge.
pub(super) struct Facts<'a> {
    /// What was seen.
    pub(super) snapshot: &'a Snapshot,
    /// What was seen before.
    pub(super) history: &'a History,
    /// The limits.
    pub(super) limits: &'a Thresholds,
    /// The day that is reported.
    pub(super) window: Window,
    /// The time of the snapshot.
    pub(super) now: UnixMs,
    /// Flows of the last 24 hours by channel.
    pub(super) day: Flows,
    /// Of 7 days.
    pub(super) week: Flows,
    /// Of 30 days.
    pub(super) month: Flows,
    /// The last forward by each channel.
    pub(super) last_forward: HashMap<Outpoint, UnixMs>,
    /// Samples before this snapshot, by time (oldest first), without those of times when the node itself was cut off.
    pub(super) samples: HashMap<&'a Outpoint, Vec<&'a ChannelSample>>,
    /// The wallet's transactions by their id.
    pub(super) transactions: HashMap<&'a str, &'a ChainTx>,
    policies: HashMap<&'a Outpoint, &'a ChannelPolicies>,
    fees: HashMap<&'a Outpoint, &'a ChannelFee>,
    market: HashMap<&'a Pubkey, &'a PeerMarket>,
    /// The channels with each peer, in the node's order.
    with: BTreeMap<&'a Pubkey, Vec<&'a Channel>>,
    connected: Option<HashSet<&'a Pubkey>>,
}

impl<'a> Facts<'a> {
    /// Puts everything in order.
    pub(super) fn new(snapshot: &'a Snapshot, history: &'a History, limits: &'a Thresholds, window: Window) -> Self {
        let channels = snapshot.node.channels.as_deref().unwrap_or_default();
        let owners = accounting::owners(history, channels);
        let mut last_forward: HashMap<Outpoint, UnixMs> = HashMap::new();
        for (scid, at) in &history.last_forward {
            if let Some(point) = owners.get(scid) {
                let latest = last_forward.entry((*point).clone()).or_insert(*at);
                *latest = (*latest).max(*at);
            }
        }
        Self {
            snapshot,
            history,
            limits,
            window,
            now: snapshot.taken_at,
            day: accounting::by_channel(&history.day, &owners),
            week: accounting::by_channel(&history.week, &owners),
            month: accounting::by_channel(&history.month, &owners),
            last_forward,
            samples: samples(history, snapshot.taken_at),
            transactions: history.transactions.iter().map(|t| (t.txid.as_str(), t)).collect(),
            policies: snapshot.node.policies.iter().flatten().map(|p| (&p.point, p)).collect(),
            fees: snapshot.node.fees.iter().flat_map(|f| &f.channels).map(|f| (&f.point, f)).collect(),
            with: by_peer(channels),
            market: snapshot.node.market.iter().flat_map(|m| &m.peers).map(|p| (&p.pubkey, p)).collect(),
            connected: snapshot.node.peers.as_ref().map(|peers| peers.iter().map(|p| &p.pubkey).collect()),
        }
    }

    /// Open channels; none where they could not be read.
    pub(super) fn channels(&self) -> &'a [Channel] {
        self.snapshot.node.channels.as_deref().unwrap_or_default()
    }

    /// Open channels with one peer.
    pub(super) fn channels_with(&self, peer: &Pubkey) -> &[&'a Channel] {
        self.with.get(peer).map_or(&[], Vec::as_slice)
    }

    /// Whether balances and activity are of now: a node behind its chain answers with what it last knew.
    pub(super) fn fresh(&self) -> bool {
        self.snapshot.node.info.synced_to_chain
    }

    /// Whether the channels could be read and are of now.
    pub(super) fn channels_known(&self) -> bool {
        self.fresh() && self.snapshot.node.channels.is_some()
    }

    /// Whether a peer is connected; `None` where peers could not be read.
    pub(super) fn connected(&self, peer: &Pubkey) -> Option<bool> {
        self.connected.as_ref().map(|set| set.contains(peer))
    }

    /// What we charge on a channel: base, rate, inbound rate.
    pub(super) fn our_fee(&self, point: &Outpoint) -> Option<(crate::units::Msat, Ppm, Ppm)> {
        if let Some(fee) = self.fees.get(point) {
            return Some((fee.base, fee.rate, fee.inbound_rate));
        }
        self.our_policy(point).map(|p| (p.base, p.rate, p.inbound_rate))
    }

    /// Our policy, as announced.
    pub(super) fn our_policy(&self, point: &Outpoint) -> Option<&'a Policy> {
        self.policies.get(point).and_then(|p| p.ours.as_ref())
    }

    /// The peer's policy, as announced.
    pub(super) fn their_policy(&self, point: &Outpoint) -> Option<&'a Policy> {
        self.policies.get(point).and_then(|p| p.theirs.as_ref())
    }

    /// What others charge to send to a peer: 10th, 25th, 50th, 75th and 90th percentile, where enough of them are known.
    pub(super) fn market(&self, peer: &Pubkey) -> Option<(&'a PeerMarket, [Ppm; 5])> {
        let market = self.market.get(peer)?;
        let rates = market.incoming_rate_percentiles?;
        (market.incoming >= self.limits.market_min_rates).then_some((*market, rates))
    }

    /// What the graph says of a peer.
    pub(super) fn peer_market(&self, peer: &Pubkey) -> Option<&'a PeerMarket> {
        self.market.get(peer).copied()
    }

    /// A peer's alias as it came: hostile text.
    pub(super) fn alias(&self, peer: &Pubkey) -> Option<&'a str> {
        let own = self.channels_with(peer).first().and_then(|c| c.peer_alias.as_deref());
        own.or_else(|| self.market.get(peer).map(|m| m.alias.as_str()))
    }

    /// What to call the other side of a channel.
    pub(super) fn peer_name(&self, channel: &Channel) -> String {
        let alias = channel.peer_alias.as_deref().or_else(|| self.market.get(&channel.peer).map(|m| m.alias.as_str()));
        words::peer(alias, &channel.peer)
    }

    /// What to call a peer by its key.
    pub(super) fn name_of(&self, key: &Pubkey) -> String {
        match self.channels_with(key).first() {
            Some(channel) => self.peer_name(channel),
            None => words::peer(self.market.get(key).map(|m| m.alias.as_str()), key),
        }
    }

    /// Whole days since the first thing that is known of the node.
    pub(super) fn history_ms(&self) -> i64 {
        let first = [self.history.first_seen, self.history.first_forward].into_iter().flatten().min();
        first.map_or(0, |first| self.now.since(first).max(0))
    }

    /// When the history will be `days` long.
    pub(super) fn history_full_at(&self, days: i64) -> UnixMs {
        self.now.plus(days.saturating_mul(DAY_MS).saturating_sub(self.history_ms()))
    }

    /// Age of a channel in days by the block of its confirmation; `None` for an alias or a height that makes no sense.
    pub(super) fn age_days(&self, channel: &Channel) -> Option<i64> {
        std::iter::once(channel.scid)
            .chain(channel.other_scids.iter().copied())
            .filter_map(|scid| self.blocks_since(scid))
            .max()
            .map(|blocks| blocks / BLOCKS_A_DAY)
    }

    /// Blocks since the one that a short id names.
    fn blocks_since(&self, scid: Scid) -> Option<i64> {
        let height = i64::try_from(scid.0 >> 40).ok()?;
        let blocks = i64::from(self.snapshot.node.info.block_height) - height;
        (height > 0 && blocks >= 0).then_some(blocks)
    }

    /// For how long a peer has been gone in an unbroken row of samples up to now, and in how many of how many samples.
    pub(super) fn gone(&self, peer: &Pubkey) -> Gone {
        let mut times: Vec<(UnixMs, bool)> = Vec::new();
        for channel in self.channels_with(peer) {
            for sample in self.samples.get(&channel.point).into_iter().flatten() {
                let here = sample.peer_connected.unwrap_or(sample.active);
                match times.iter_mut().find(|(at, _)| *at == sample.at) {
                    Some((_, seen)) => *seen |= here,
                    None => times.push((sample.at, here)),
                }
            }
        }
        times.sort_unstable();
        let since = times.iter().rev().take_while(|(_, here)| !here).last().map_or(self.now, |(at, _)| *at);
        let absent = times.iter().filter(|(_, here)| !here).count();
        Gone { since, absent: absent + 1, samples: times.len() + 1 }
    }
}

/// How long a peer has been away.
pub(super) struct Gone {
    /// First sample of the unbroken row.
    pub(super) since: UnixMs,
    /// Samples without it, with this one.
    pub(super) absent: usize,
    /// All samples, with this one.
    pub(super) samples: usize,
}

/// The channels with each peer.
pub(super) fn by_peer(channels: &[Channel]) -> BTreeMap<&Pubkey, Vec<&Channel>> {
    let mut with: BTreeMap<&Pubkey, Vec<&Channel>> = BTreeMap::new();
    for channel in channels {
        with.entry(&channel.peer).or_default().push(channel);
    }
    with
}

/// Earlier samples by channel. A collection in which no peer at all was connected is this node's fault and left out.
fn samples(history: &History, now: UnixMs) -> HashMap<&Outpoint, Vec<&ChannelSample>> {
    let mut online: HashSet<UnixMs> = HashSet::new();
    for sample in &history.samples {
        if sample.active || sample.peer_connected == Some(true) {
            online.insert(sample.at);
        }
    }
    let mut by_channel: HashMap<&Outpoint, Vec<&ChannelSample>> = HashMap::new();
    for sample in history.samples.iter().filter(|s| s.at < now && online.contains(&s.at)) {
        by_channel.entry(&sample.point).or_default().push(sample);
    }
    by_channel
}

/// Share of a channel's balance that is ours, in ppm; `None` for one without balance.
pub(super) fn outbound_ppm(channel: &Channel) -> Option<i64> {
    let local = i128::from(channel.local.get());
    super::number::share_ppm(local, local + i128::from(channel.remote.get()))
}

/// Sum of our side.
pub(super) fn local<'c>(channels: impl IntoIterator<Item = &'c Channel>) -> Sat {
    channels.into_iter().map(|c| c.local).sum()
}
