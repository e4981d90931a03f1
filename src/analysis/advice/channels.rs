//! Close channels that are dead or earn less than their funds would elsewhere, and open new ones.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Candidate, evidence, payback, unreachable};
use crate::analysis::accounting::{self, Ledger};
use crate::analysis::alerts::{Judged, by_peer};
use crate::analysis::assemble::known_net;
use crate::analysis::facts::{Facts, local};
use crate::analysis::number::{median, ratio_ppm, share_ppm};
use crate::analysis::words;
use crate::report::{Act, Category};
use crate::snapshot::{Channel, PeerCandidate};
use crate::units::{DAY_MS, Msat, Outpoint, Ppm, Pubkey, Sat, UnixMs};

/// Size in vB of a sweep of one output, and of a funding and a closing transaction.
const SWEEP_VB: i64 = 120;
const CLOSE_VB: i64 = 140;
const OPEN_VB: i64 = 155;

/// Days of the long window that earnings are taken from where the history reaches.
const QUARTER_DAYS: i64 = 90;
/// Peers that a middle needs.
const LEAST_PEERS: usize = 3;

/// What a transaction of a size costs within the hour, where a source tells.
fn chain_fee(facts: &Facts<'_>, vbytes: i64) -> Option<Sat> {
    let rate = facts.snapshot.public.chain_fees.as_ref()?.value.hour.max(0);
    Some(Sat::new(rate.saturating_mul(vbytes) / 1000))
}

/// Close by force what was opened with a peer that has been gone for long.
pub(super) fn gone(facts: &Facts<'_>, ledger: &Ledger<'_>, judged: &Judged) -> Vec<Candidate> {
    let away = unreachable(judged);
    let peers = by_peer(facts).into_iter().filter(|(peer, _)| away.contains(peer.as_str()));
    peers.filter_map(|(peer, channels)| dead(facts, ledger, peer, &channels)).collect()
}

fn dead(facts: &Facts<'_>, ledger: &Ledger<'_>, peer: &Pubkey, channels: &[&Channel]) -> Option<Candidate> {
    let gone = facts.gone(peer);
    let away = facts.now.since(gone.since);
    let ours = local(channels.iter().copied());
    let held = channels.iter().any(|c| !c.htlcs.is_empty());
    if away < facts.limits.gone_days.saturating_mul(DAY_MS) || held || ours <= Sat::ZERO {
        return None;
    }
    let commits: Sat = channels.iter().filter(|c| c.opened_by_us).map(|c| c.commit_fee).sum();
    let count = i64::try_from(channels.len()).unwrap_or(i64::MAX);
    let cost = chain_fee(facts, SWEEP_VB.saturating_mul(count)).map(|sweep| sweep + commits);
    if cost.is_some_and(|cost| cost >= ours) {
        return None;
    }
    let all = local(facts.channels());
    let gain = known_net(facts, ledger)
        .filter(|net| net.get() > 0)
        .and_then(|net| net.ppm_of(all.msat()))
        .map(|rate| ours.msat().at(rate).floor_sat());
    let name = facts.name_of(peer);
    let commands: Vec<String> =
        channels.iter().map(|c| format!("lncli closechannel --force --chan_point {}", c.point)).collect();
    Some(Candidate {
        kind: "close-gone",
        category: Category::Channels,
        subject: peer.as_str().to_owned(),
        title: format!(
            "Close {} with {name}: gone for {}",
            words::number(channels.len(), "channel"),
            words::span(away)
        ),
        description: format!(
            "{} of yours lie idle with a peer that no sample of that time has seen. Try once more to connect (`lncli connect {peer}@host:port`, and its operator); then close by force. The funds come back after the time lock.",
            words::sat(ours)
        ),
        command: commands.join("\n"),
        channels: channels.iter().map(|c| c.point.clone()).collect(),
        evidence: vec![
            evidence("samples without the peer", format!("{} of {}", gone.absent, gone.samples)),
            evidence("yours", words::sat(ours)),
            evidence("fee of the commitments", words::sat(commits)),
        ],
        payback_days: cost.zip(gain).and_then(|(cost, gain)| payback(cost, gain)),
        gain,
        cost,
        confidence: 0.7,
        range: gain.map(|gain| (Sat::ZERO.min(gain), gain + gain)),
        act: only(channels, true),
        urgent: None,
    })
}

/// The act for a single channel; where a peer has several, the commands say it.
fn only(channels: &[&Channel], force: bool) -> Option<Act> {
    match channels {
        [one] => Some(Act::Close { channel: one.point.clone(), force }),
        _ => None,
    }
}

/// What the node's peers earn on their channels, to hold one of them or a new one against.
pub(super) struct Yields<'a> {
    by_peer: BTreeMap<&'a Pubkey, Earned>,
    /// What the middle of all capacity earns in 30 days, in ppm of it.
    pub(super) middle: i64,
    /// The weaker and the stronger quarter.
    pub(super) quarters: (i64, i64),
}

/// One peer's channels together.
#[derive(Clone, Copy)]
struct Earned {
    capacity: i128,
    month: Msat,
}

impl<'a> Yields<'a> {
    /// Half of the fees to the channel that a forward left by and half to the one it came by, so that the sum over all
    /// channels is what the node earned; less what refilling cost. `None` with fewer than three peers or too short a past.
    pub(super) fn new(facts: &Facts<'a>) -> Option<Self> {
        let long = facts.history_ms() >= QUARTER_DAYS * DAY_MS;
        if facts.history_ms() < 30 * DAY_MS {
            return None;
        }
        let owners = accounting::owners(facts.history, facts.channels());
        let quarter = (long && facts.history.quarter.window.is_some())
            .then(|| accounting::by_channel(&facts.history.quarter, &owners));
        let earned = |point| {
            let (flows, months) = quarter.as_ref().map_or((&facts.month, 1), |q| (q, QUARTER_DAYS / 30));
            let flow = flows.get(point).copied().unwrap_or_default();
            let half = (flow.fees_earned_msat + flow.fees_assisted_msat).scale(1, 2) - flow.rebalance_cost_msat;
            half.scale(1, months)
        };
        let mut by_peer_earned = BTreeMap::new();
        for (peer, channels) in by_peer(facts) {
            let settled = channels.iter().filter(|c| facts.age_days(c).is_some_and(|age| age >= 30));
            let sum = settled.fold(Earned { capacity: 0, month: Msat::ZERO }, |sum, c| Earned {
                capacity: sum.capacity + i128::from(c.capacity.get().max(0)),
                month: sum.month + earned(&c.point),
            });
            if sum.capacity > 0 {
                by_peer_earned.insert(peer, sum);
            }
        }
        let mut rates: Vec<(i64, i128)> = by_peer_earned.values().filter_map(Earned::rate).collect();
        rates.sort_unstable();
        if rates.len() < LEAST_PEERS {
            return None;
        }
        let at = |part| weighted(&rates, part);
        Some(Self { middle: at(2)?, quarters: (at(1)?, at(3)?), by_peer: by_peer_earned })
    }
}

impl Earned {
    /// In ppm of the capacity, with the capacity.
    fn rate(&self) -> Option<(i64, i128)> {
        ratio_ppm(i128::from(self.month.get()), self.capacity * 1000).map(|rate| (rate, self.capacity))
    }
}

/// The rate below which so many quarters of the capacity lie.
fn weighted(sorted: &[(i64, i128)], quarters: i128) -> Option<i64> {
    let all: i128 = sorted.iter().map(|(_, size)| size).sum();
    let mut below = 0;
    let at = |(rate, size): &(i64, i128)| {
        below += size * 4;
        (below >= all * quarters).then_some(*rate)
    };
    sorted.iter().find_map(at)
}

/// Close channels with a peer that earn less than the middle peer would with the same sats, where the difference pays
/// for closing and opening anew.
pub(super) fn poor(facts: &Facts<'_>, yields: &Yields<'_>) -> Vec<Candidate> {
    let Some(fees) = &facts.snapshot.public.chain_fees else { return Vec::new() };
    if fees.value.hour > facts.limits.close_max_fee || yields.middle <= 0 || !was_online(facts) {
        return Vec::new();
    }
    let vital = only_sources(facts);
    let peers = by_peer(facts);
    let may = peers.iter().filter(|(peer, channels)| {
        !vital.contains(*peer) && channels.iter().all(|c| may_close(facts, c)) && yields.by_peer.contains_key(*peer)
    });
    may.filter_map(|(peer, channels)| closing(facts, yields, peer, channels)).collect()
}

/// Whether this node itself was there in most of the samples: else its peers are not to blame.
fn was_online(facts: &Facts<'_>) -> bool {
    let all: HashSet<UnixMs> = facts.history.samples.iter().map(|s| s.at).filter(|at| *at < facts.now).collect();
    let online: HashSet<UnixMs> = facts.samples.values().flatten().map(|s| s.at).collect();
    online.len().saturating_mul(10) >= all.len().saturating_mul(9)
}

/// Peers that bring half or more of what leaves by some channel: without them others earn less.
fn only_sources<'a>(facts: &Facts<'a>) -> HashSet<&'a Pubkey> {
    let owners = accounting::owners(facts.history, facts.channels());
    let peers: HashMap<&Outpoint, &Pubkey> = facts.channels().iter().map(|c| (&c.point, &c.peer)).collect();
    let peer_of = |scid| owners.get(scid).and_then(|point| peers.get(*point)).copied();
    let mut brought: HashMap<&Outpoint, HashMap<&Pubkey, Msat>> = HashMap::new();
    for pair in &facts.history.pairs_month {
        if let Some((out, from)) = owners.get(&pair.scid_out).zip(peer_of(&pair.scid_in)) {
            *brought.entry(*out).or_default().entry(from).or_default() += pair.amount_out;
        }
    }
    let most = |by: &HashMap<&'a Pubkey, Msat>| -> Vec<&'a Pubkey> {
        let all: Msat = by.values().copied().sum();
        by.iter().filter(|(_, amount)| amount.scale(2, 1) >= all).map(|(peer, _)| *peer).collect()
    };
    brought.values().flat_map(most).collect()
}

/// Usable, not young, not private, nothing in flight.
fn may_close(facts: &Facts<'_>, channel: &Channel) -> bool {
    let old = facts.age_days(channel).is_some_and(|age| age >= facts.limits.close_min_age_days);
    channel.active && !channel.private && channel.htlcs.is_empty() && old
}

fn closing(facts: &Facts<'_>, yields: &Yields<'_>, peer: &Pubkey, channels: &[&Channel]) -> Option<Candidate> {
    let limits = facts.limits;
    let own = yields.by_peer.get(peer)?.month.max(Msat::ZERO);
    let ours = local(channels.iter().copied());
    // The opener pays for closing; a new channel is ours to pay.
    let vbytes = channels.iter().map(|c| OPEN_VB + if c.opened_by_us { CLOSE_VB } else { 0 }).sum();
    let cost = chain_fee(facts, vbytes)?;
    // Only our side can be put to work elsewhere.
    let elsewhere = |rate: i64| ours.msat().at(Ppm(rate));
    let kept = elsewhere(yields.middle).scale(limits.close_kept_percent.clamp(0, 100), 100);
    let gain = (kept - own).floor_sat();
    if Sat::new(gain.get().saturating_mul(limits.close_horizon_months)) <= cost {
        return None;
    }
    let first = channels.first()?;
    let name = facts.peer_name(first);
    let commands: Vec<String> =
        channels.iter().map(|c| format!("lncli closechannel --chan_point {}", c.point)).collect();
    Some(Candidate {
        title: format!(
            "Close {} with {name} and use {} elsewhere",
            words::number(channels.len(), "channel"),
            words::sat(ours)
        ),
        description: format!(
            "It earns {} in 30 days, while the middle peer earns {} ppm of its capacity; {} % of that is promised for what is freed. Lower its fee first if you have not; closing and opening anew costs about {} at today's chain fees. Take it as a question: on simulated nodes such a close lost more often than it paid.",
            words::sat(own.floor_sat()),
            yields.middle,
            limits.close_kept_percent,
            words::sat(cost)
        ),
        command: commands.join("\n"),
        channels: channels.iter().map(|c| c.point.clone()).collect(),
        evidence: vec![
            evidence("capacity", words::sat(channels.iter().map(|c| c.capacity).sum())),
            evidence("yours", words::sat(ours)),
            evidence("it earns, half of each forward in and out", words::sat(own.floor_sat())),
            evidence("the middle peer earns", format!("{} ppm of capacity a month", yields.middle)),
            evidence("close and open again", words::sat(cost)),
        ],
        gain: Some(gain),
        range: Some((
            (elsewhere(yields.quarters.0) - own).floor_sat().min(gain),
            (elsewhere(yields.quarters.1) - own).floor_sat().max(gain),
        )),
        cost: Some(cost),
        payback_days: payback(cost, gain),
        act: only(channels, false),
        ..Candidate::new("close-idle", Category::Channels, first.peer.as_str(), 0.3)
    })
}

/// Open a channel with a node of the graph that could be worth one.
pub(super) fn opening(facts: &Facts<'_>, yields: &Yields<'_>) -> Vec<Candidate> {
    let Some(market) = &facts.snapshot.node.market else { return Vec::new() };
    let Some((size, cost)) = size_and_cost(facts) else { return Vec::new() };
    let gain = size.msat().at(Ppm(yields.middle)).scale(facts.limits.open_kept_percent.clamp(0, 100), 100).floor_sat();
    if gain.get().saturating_mul(facts.limits.open_horizon_months) <= cost.get() || new_channel_is_young(facts) {
        return Vec::new();
    }
    let fresh = market.candidates.iter().filter(|c| may_open(facts, c));
    fresh.take(facts.limits.open_count).map(|c| open_with(yields, c, size, cost, gain)).collect()
}

/// The size of this node's middle channel, within what the wallet holds beyond its reserves; with what opening and one
/// day closing it costs.
fn size_and_cost(facts: &Facts<'_>) -> Option<(Sat, Sat)> {
    let limits = facts.limits;
    let wallet = facts.snapshot.node.wallet.as_ref()?;
    let fees = facts.snapshot.public.chain_fees.as_ref()?;
    let cost = chain_fee(facts, OPEN_VB + CLOSE_VB)?;
    let free = wallet.confirmed - wallet.locked - wallet.anchor_reserve - Sat::new(limits.open_keep_sat.max(0)) - cost;
    let usual = median(facts.channels().iter().filter(|c| !c.private).map(|c| c.capacity.get()).collect())?;
    let size = Sat::new(usual.max(limits.open_min_sat)).min(free);
    let size = Sat::new(size.get() / 10_000 * 10_000);
    // A node with too much of its own to sell needs buyers, not more to sell.
    let ours = i128::from(local(facts.channels()).get());
    let both: i128 = facts.channels().iter().map(|c| i128::from(c.local.get()) + i128::from(c.remote.get())).sum();
    let heavy = share_ppm(ours, both).is_none_or(|share| share > limits.give_above_percent.saturating_mul(10_000));
    let cheap = fees.value.hour <= limits.close_max_fee;
    (size.get() >= limits.open_min_sat && cheap && !heavy).then_some((size, cost))
}

/// Whether a channel that we opened is not settled yet: one at a time.
fn new_channel_is_young(facts: &Facts<'_>) -> bool {
    let days = facts.limits.advice_reverse_days;
    let young = |c: &Channel| c.opened_by_us && facts.age_days(c).is_none_or(|age| age < days);
    let pending = facts.snapshot.node.pending.as_ref().is_some_and(|p| !p.opening.is_empty());
    pending || facts.channels().iter().any(young)
}

/// No channel with it now, none that was given up, and alive in the graph.
fn may_open(facts: &Facts<'_>, candidate: &PeerCandidate) -> bool {
    let peer = &candidate.market.pubkey;
    let had = facts.history.closed.iter().chain(facts.snapshot.node.closed.iter().flatten()).any(|c| c.peer == *peer);
    let has = !facts.channels_with(peer).is_empty() || facts.snapshot.node.info.pubkey == *peer;
    !had && !has && candidate.fresh_percent >= 50 && candidate.market.incoming >= facts.limits.market_min_rates
}

fn open_with(yields: &Yields<'_>, candidate: &PeerCandidate, size: Sat, cost: Sat, gain: Sat) -> Candidate {
    let peer = &candidate.market.pubkey;
    let name = words::peer(Some(&candidate.market.alias), peer);
    let mut list = vec![
        evidence("its channels", words::grouped(i64::from(candidate.market.channels))),
        evidence("its capacity", words::sat(candidate.market.capacity)),
        evidence("nodes that come within two hops", words::grouped(i64::from(candidate.new_within_two_hops))),
        evidence("peers of yours that have a channel with it", words::grouped(i64::from(candidate.shared_peers))),
        evidence("policies renewed in 14 days", format!("{} %", candidate.fresh_percent)),
        evidence("the middle peer earns", format!("{} ppm of capacity a month", yields.middle)),
        evidence("open, and close one day", words::sat(cost)),
    ];
    if let Some([low, _, middle, _, high]) = candidate.market.incoming_rate_percentiles {
        let rates = format!("{} / {} / {} ppm of {}", low.0, middle.0, high.0, candidate.market.incoming);
        list.push(evidence("others charge (10 / 50 / 90 % of capacity)", rates));
    }
    if let Some(rate) = candidate.outgoing_rate_median {
        list.push(evidence("it charges (50 % of capacity)", format!("{} ppm", rate.0)));
    }
    Candidate {
        title: format!("Open a channel of {} with {name}", words::sat(size)),
        description: format!(
            "The wallet holds more than its reserves, and what lies there earns nothing. The size is that of your middle channel; the gain takes half of what your middle peer earns, since nothing is known yet of what {name} will bring."
        ),
        command: format!(
            "lncli openchannel --node_key {peer} --local_amt {}\n# or: bos open {peer} --amount {}",
            size.get(),
            size.get()
        ),
        evidence: list,
        gain: Some(gain),
        range: Some((Sat::ZERO.min(gain), size.msat().at(Ppm(yields.quarters.1)).floor_sat().max(gain))),
        cost: Some(cost),
        payback_days: payback(cost, gain),
        act: Some(Act::Open { peer: peer.clone(), capacity_sat: size }),
        ..Candidate::new("open", Category::Channels, peer.as_str(), 0.25)
    }
}
