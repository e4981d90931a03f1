//! Change what is charged: towards the price at which a channel earns most.
//!
//! A channel that sells more than it has gets dearer, since the volume is given by what there is to sell. One whose fee is
//! far from where a channel as full as it is should stand among what others charge goes there at once. A full one that
//! hardly sells gets cheaper. One whose own past shows that demand answers to the fee clearly less or more than in
//! proportion moves one step to where it earns more.

use super::demand::{EIGHTY, Elasticity, Market, Outlook};
use super::{Candidate, basics, confidence, evidence, set_policy};
use crate::analysis::facts::{Facts, outbound_ppm};
use crate::analysis::number::{clamp, lower_quartile, ratio_ppm, real, share_ppm, whole};
use crate::analysis::words;
use crate::report::{Act, Category};
use crate::snapshot::{Channel, Policy};
use crate::units::{DAY_MS, Msat, Ppm, Sat, UnixMs};

/// Forwards in 30 days before the elasticity of a channel's demand is worth a step.
const STEADY_FORWARDS: u32 = 10;
/// Four of five changed fees of simulated nodes (seeds 1 to 200) brought between these multiples of what was promised: mostly
/// chance of the other payments, which no interval of the elasticity holds.
const CAME_LEAST: i64 = -3;
const CAME_MOST: i64 = 5;
/// Forwards in 30 days below which no figure of a changed fee's gain is honest.
const PROMISED_FORWARDS: u32 = 5;
/// A channel hardly sells where 30 days sell less than this part of our side, in ppm.
const HARDLY_PPM: i64 = 100_000;
/// The rise of a very low fee for which percents say nothing, in ppm.
const LOW_FEE_STEP: i64 = 25;

/// Which way a fee should go, and why.
enum Move {
    /// It sells more than it has.
    Tight,
    /// Far below what others charge, for what it holds.
    Below,
    /// Far above.
    Above,
    /// It is full and hardly sells.
    Idle,
    /// Demand hardly answers to the fee.
    Cheap,
    /// Demand answers strongly.
    Dear,
}

/// One channel under judgement.
struct Case<'a> {
    facts: &'a Facts<'a>,
    channel: &'a Channel,
    policy: &'a Policy,
    old: Ppm,
    outlook: Outlook,
    elasticity: Elasticity,
    /// What others charge to the peer, 10th to 90th percentile.
    market: Option<[Ppm; 5]>,
    /// Share of our side over all channels with the peer: they stand in for each other.
    share: i64,
}

/// At most one change of a fee for each peer.
pub(super) fn all(facts: &Facts<'_>, market: &Market<'_>) -> Vec<Candidate> {
    if facts.history_ms() < facts.limits.advice_history_days.saturating_mul(DAY_MS) {
        return Vec::new();
    }
    let usual = usual_rate(facts, market);
    let open = facts.channels().iter().filter(|c| c.active && !c.private);
    open.filter_map(|c| Case::new(facts, market, c)?.judged(market, usual)).collect()
}

/// The lower quartile of the rates of this node's channels that sell; needs three.
fn usual_rate(facts: &Facts<'_>, market: &Market<'_>) -> Option<Ppm> {
    let selling = facts.channels().iter().filter(|c| market.outlook(c).forwards > 0);
    let rates: Vec<i64> = selling.filter_map(|c| facts.our_fee(&c.point)).map(|(_, rate, _)| rate.0).collect();
    let enough = rates.len() >= 3;
    lower_quartile(rates).filter(|_| enough).map(Ppm)
}

impl<'a> Case<'a> {
    fn new(facts: &'a Facts<'a>, market: &Market<'a>, channel: &'a Channel) -> Option<Self> {
        let (_, old, _) = facts.our_fee(&channel.point)?;
        let policy = facts.our_policy(&channel.point)?;
        let with_peer = facts.channels_with(&channel.peer).iter().filter(|c| c.active);
        let (ours, both) = with_peer.fold((0_i128, 0_i128), |(ours, both), c| {
            let local = i128::from(c.local.get());
            (ours + local, both + local + i128::from(c.remote.get()))
        });
        outbound_ppm(channel)?;
        (old.0 >= 0 && !policy.disabled && !market.peer_is_restless(&channel.point)).then_some(Self {
            facts,
            channel,
            policy,
            old,
            outlook: market.outlook(channel),
            elasticity: market.elasticity(channel, old),
            market: facts.market(&channel.peer).map(|(_, rates)| rates),
            share: share_ppm(ours, both)?,
        })
    }

    fn judged(&self, market: &Market<'_>, usual: Option<Ppm>) -> Option<Candidate> {
        let which = self.direction()?;
        let new = self.price(&which, usual)?;
        if self.rests(market, new) {
            return None;
        }
        Some(match which {
            Move::Tight | Move::Below | Move::Cheap => self.raised(new, &which),
            Move::Dear => self.eased(new),
            Move::Above if !self.hardly_sells() => self.eased(new),
            Move::Above | Move::Idle => self.woken(new),
        })
    }

    /// Whether our own last change is too young for another one, or for one that goes back.
    fn rests(&self, market: &Market<'_>, new: Ppm) -> bool {
        let limits = self.facts.limits;
        let last = market.own_changes(&self.channel.point).map(|(c, before)| (c.at, c.after.rate > before));
        let followed = self.facts.history.advice.iter().filter_map(|past| match &past.act {
            Some(Act::SetFee { channel, from_ppm, to_ppm, .. }) if *channel == self.channel.point => {
                past.followed_at.map(|at| (at, to_ppm > from_ppm))
            }
            _ => None,
        });
        let latest: Option<(UnixMs, bool)> = last.chain(followed).max_by_key(|(at, _)| *at);
        latest.is_some_and(|(at, rose)| {
            // What runs dry is not sold off because it was made cheaper not long ago.
            let back = rose && new < self.old;
            let days = if back { limits.advice_reverse_days } else { limits.advice_cooldown_days };
            self.facts.now.since(at) < days.saturating_mul(DAY_MS)
        })
    }

    fn direction(&self) -> Option<Move> {
        let limits = self.facts.limits;
        let percent = |n: i64| n.saturating_mul(10_000);
        let sells = self.outlook.forwards > 0 && self.outlook.wanted > Msat::ZERO;
        let short = self.outlook.wanted.scale(100, 1) > self.outlook.supply.scale(limits.fee_tight_percent.max(100), 1);
        let soon = self.outlook.days_left.is_some_and(|days| days < limits.fee_dry_days);
        if sells && short && (self.share < percent(limits.raise_below_percent) || soon) {
            return Some(Move::Tight);
        }
        let band = real(limits.fee_elasticity_band_percent.clamp(0, 100)) / 100.0;
        if let Some(aim) = self.aim() {
            let part = |share: i64| i128::from(aim) * i128::from(share.max(0));
            let old = i128::from(self.old.0) * 100;
            if old < part(limits.fee_place_low_percent) && self.elasticity.value < 1.0 + band {
                return Some(Move::Below);
            }
            let spare = self.share >= percent(50) && self.old_enough();
            if old > part(limits.fee_place_high_percent) && spare && self.elasticity.value > 1.0 - band {
                return Some(Move::Above);
            }
        }
        if self.share > percent(limits.lower_above_percent) && self.hardly_sells() && self.old_enough() {
            return Some(Move::Idle);
        }
        // Without a change of our own the market has said what there is to say.
        let steady = self.outlook.forwards >= STEADY_FORWARDS && self.elasticity.trials() > 0;
        if steady && self.elasticity.value < 1.0 - band && self.share <= percent(limits.lower_above_percent) {
            return Some(Move::Cheap);
        }
        let spare = self.share >= percent(50) && self.outlook.days_left.is_none_or(|days| days > 30);
        (steady && spare && self.elasticity.value > 1.0 + band).then_some(Move::Dear)
    }

    /// Where its fee should stand: a full channel among the cheap, an empty one among the dear; in ppm.
    fn aim(&self) -> Option<i64> {
        let limits = self.facts.limits;
        let (full, empty) = (limits.fee_place_full_percent.clamp(0, 100), limits.fee_place_empty_percent.clamp(0, 100));
        let place = empty.saturating_mul(1_000_000) + (full - empty).saturating_mul(self.share.clamp(0, 1_000_000));
        let rate = rate_at(self.market?, place);
        (rate > 0).then_some(rate.min(limits.fee_max_ppm))
    }

    /// How dear an empty channel may get where no forwards that failed prove that more is wanted at the present price: what
    /// times without anything to sell hide is a guess.
    fn unproven_roof(&self) -> Option<i64> {
        let limits = self.facts.limits;
        let seen = self.outlook.sold + self.outlook.counted(limits.missed_counted_percent);
        let proven = seen.scale(100, 1) > self.outlook.supply.scale(limits.fee_tight_percent.max(100), 1);
        let place = limits.fee_place_empty_percent.clamp(0, 100).saturating_mul(1_000_000);
        self.market.filter(|_| !proven).map(|market| rate_at(market, place))
    }

    fn hardly_sells(&self) -> bool {
        self.outlook.sold < self.channel.local.msat().at(Ppm(HARDLY_PPM))
    }

    fn old_enough(&self) -> bool {
        self.facts.age_days(self.channel).is_some_and(|age| age >= self.facts.limits.lower_idle_days)
    }

    /// The next price, within what others charge and the limits; `None` where no step worth a command is left.
    fn price(&self, which: &Move, usual: Option<Ppm>) -> Option<Ppm> {
        let limits = self.facts.limits;
        let old = self.old.0;
        let step = limits.fee_step_percent.clamp(1, 90);
        let up = |percent: i64| old.saturating_add((old.saturating_mul(percent) / 100).max(LOW_FEE_STEP));
        let down = old.saturating_sub(old.saturating_mul(step) / 100);
        let roof = self.market.map_or(limits.fee_max_ppm, |[.., high]| high.0.min(limits.fee_max_ppm));
        let new = match which {
            Move::Tight => {
                let short = up(self.shortage(step).min(limits.fee_step_max_percent.max(step)));
                short.max(self.aim().unwrap_or(0)).min(roof).min(self.unproven_roof().unwrap_or(roof))
            }
            Move::Below | Move::Above => self.aim()?,
            Move::Cheap => up(step).min(roof),
            Move::Dear => down.max(self.market.map_or(0, |[_, _, middle, ..]| middle.0)),
            Move::Idle => self.cheaper(down, usual)?,
        };
        // A fee beyond the limits is not raised, and not lowered because of them.
        let turned = matches!(which, Move::Tight | Move::Below | Move::Cheap) != (new > old);
        if turned {
            return None;
        }
        (new.saturating_sub(old).abs() >= limits.fee_step_min_ppm.max(1) && new >= 0).then_some(Ppm(new))
    }

    /// How much more is wanted than there is, in percent; at least one step.
    fn shortage(&self, step: i64) -> i64 {
        let (wanted, supply) = (i128::from(self.outlook.wanted.get()), i128::from(self.outlook.supply.get()));
        let beyond = ratio_ppm(wanted - supply, supply.max(1)).unwrap_or(0) / 10_000;
        beyond.max(step)
    }

    /// One step down, and not below where a channel as full as it should stand.
    fn cheaper(&self, step: i64, usual: Option<Ppm>) -> Option<i64> {
        let floor = self.aim().or(usual.map(|rate| rate.0))?;
        Some(step.max(floor))
    }

    /// What is sold at a new price when the demand keeps a share of itself.
    fn sells_at(&self, kept: i64) -> Msat {
        self.outlook.wanted.at(Ppm(kept)).min(self.outlook.supply)
    }

    /// Earnings at the new price less those at the old one, in 30 days, all other things equal.
    fn difference(&self, new: Ppm, kept: i64) -> Sat {
        (self.sells_at(kept).at(new) - self.outlook.sells().at(self.old)).floor_sat()
    }

    /// Expected and the two ends of an 80 % interval: of the elasticity, and of the volume.
    fn gains(&self, new: Ppm, promised_percent: i64) -> Option<(Sat, Sat, Sat)> {
        if self.outlook.forwards < PROMISED_FORWARDS {
            return None;
        }
        let promised = |gain: Sat| Sat::new(clamp(i128::from(gain.get()) * i128::from(promised_percent) / 100));
        let middle = self.difference(new, self.elasticity.kept_ppm(self.old, new));
        let (worse, better) = self.elasticity.kept_range(self.old, new);
        let ends = [self.difference(new, worse), self.difference(new, better)];
        let spread = EIGHTY * self.outlook.spread();
        let scaled = |gain: Sat, by: f64| Sat::new(whole(real(gain.get()) * by.clamp(0.0, 3.0)));
        let low = ends.into_iter().min().unwrap_or(middle).min(promised(middle));
        let high = ends.into_iter().max().unwrap_or(middle).max(promised(middle));
        // A loss is worse, a gain is smaller with the volume at the unlucky end.
        let low = if low < Sat::ZERO { scaled(low, 1.0 + spread) } else { scaled(low, 1.0 - spread) };
        let size = promised(middle).max(Sat::ZERO).get();
        let (least, most) = (size.saturating_mul(CAME_LEAST), size.saturating_mul(CAME_MOST));
        let (low, high) = (low.min(Sat::new(least)), scaled(high, 1.0 + spread).max(Sat::new(most)));
        Some((promised(middle), low.min(promised(middle)), high.max(promised(middle))))
    }

    fn raised(&self, new: Ppm, which: &Move) -> Candidate {
        let limits = self.facts.limits;
        let kept =
            if matches!(which, Move::Below) { limits.fee_place_kept_percent } else { limits.fee_raise_kept_percent };
        let gains = self.gains(new, kept.clamp(0, 100));
        let name = self.facts.peer_name(self.channel);
        let why = match which {
            Move::Tight => format!(
                "{} are wanted of it in 30 days and it has {} to sell, with what comes back by itself: at a higher fee it earns more on the same sats, and runs dry later.",
                words::sat(self.outlook.wanted.floor_sat()),
                words::sat(self.outlook.supply.floor_sat())
            ),
            Move::Below => format!(
                "Others charge far more to this peer: at {} ppm it stands where a channel that is {} ours should.",
                words::grouped(new.0),
                words::percent(self.share)
            ),
            _ => format!(
                "Its fee is low for what is asked of it: of each percent more, about {:.1} percent of the volume should be lost.",
                self.elasticity.value
            ),
        };
        let title =
            format!("Raise the fee to {name} from {} to {} ppm", words::grouped(self.old.0), words::grouped(new.0));
        self.candidate("raise-fee", new, (title, why), confidence(self.facts, 0.6), gains)
    }

    fn eased(&self, new: Ppm) -> Candidate {
        let gains = self.gains(new, self.facts.limits.fee_raise_kept_percent.clamp(0, 100));
        let why = format!(
            "Its fee is high for what is asked of it: each percent less should bring about {:.1} percent more volume, and it has that to sell.",
            self.elasticity.value
        );
        self.candidate("lower-fee", new, (self.lower_title(new), why), confidence(self.facts, 0.4), gains)
    }

    /// No gain is promised: who does not come is not seen.
    fn woken(&self, new: Ppm) -> Candidate {
        let why = format!(
            "{} lie ready to be sent and hardly anything was: a lower fee may sell some of it.",
            words::sat(self.channel.local)
        );
        self.candidate("lower-fee", new, (self.lower_title(new), why), confidence(self.facts, 0.35), None)
    }

    fn lower_title(&self, new: Ppm) -> String {
        let name = self.facts.peer_name(self.channel);
        format!("Lower the fee to {name} from {} to {} ppm", words::grouped(self.old.0), words::grouped(new.0))
    }

    fn candidate(
        &self,
        kind: &'static str,
        new: Ppm,
        (title, description): (String, String),
        confidence: f64,
        gains: Option<(Sat, Sat, Sat)>,
    ) -> Candidate {
        let point = &self.channel.point;
        Candidate {
            title,
            description,
            command: self.command(new),
            channels: vec![point.clone()],
            evidence: self.evidence(new),
            gain: gains.map(|g| g.0),
            range: gains.map(|g| (g.1, g.2)),
            cost: Some(Sat::ZERO),
            payback_days: Some(0),
            act: Some(Act::SetFee {
                channel: point.clone(),
                from_ppm: self.old,
                to_ppm: new,
                base_msat: self.policy.base,
            }),
            ..Candidate::new(kind, Category::Fees, point.as_str(), confidence)
        }
    }

    fn evidence(&self, new: Ppm) -> Vec<crate::report::Evidence> {
        let mut list = basics(self.facts, self.channel);
        list.push(evidence("fee now", format!("{} ppm + {} msat", self.old.0, self.policy.base.get())));
        if let Some(days) = self.outlook.days_left {
            list.push(evidence("days until it is empty", words::grouped(days)));
        }
        if self.outlook.dry > 0 {
            list.push(evidence("samples with nothing to sell", words::percent(self.outlook.dry)));
        }
        if let Some(missed) = self.outlook.missed {
            list.push(evidence("failed for lack of balance, put to 30 days", words::sat(missed.floor_sat())));
        }
        if let Some(places) = self.places(new) {
            list.push(evidence("dearer than others now and then", places));
        }
        let trials = match self.elasticity.trials() {
            0 => "assumed".to_owned(),
            n => format!("from {} of ours", words::number(n, "change")),
        };
        list.push(evidence("volume lost for each percent more", format!("{:.2} %, {trials}", self.elasticity.value)));
        list
    }

    /// Of others' capacity towards the peer, the share that is cheaper: before and after.
    fn places(&self, new: Ppm) -> Option<String> {
        let (market, _) = self.facts.market(&self.channel.peer)?;
        let deciles = market.incoming_rate_deciles?;
        let place = |rate: Ppm| 10 * deciles.iter().skip(1).filter(|d| **d < rate).count();
        Some(format!("{} % and {} %", place(self.old), place(new)))
    }

    /// The command, and the same for two tools that operators use.
    fn command(&self, new: Ppm) -> String {
        let channel = self.channel;
        let lncli = set_policy(channel, self.policy, self.policy.base, new);
        let only = self.facts.channels_with(&channel.peer).len() == 1;
        let bos = if only {
            format!("\n# or: bos fees --to {} --set-fee-rate {}", channel.peer, new.0)
        } else {
            String::new()
        };
        format!(
            "{lncli}{bos}\n# or charge-lnd: [{}] chan.id = {}, strategy = static, fee_ppm = {}",
            channel.scid.short(),
            channel.scid.short(),
            new.0
        )
    }
}

/// The rate at a place among others' prices, in millionths of their percent: between two known places, in proportion.
fn rate_at(market: [Ppm; 5], place: i64) -> i64 {
    let known = [10_000_000, 25_000_000, 50_000_000, 75_000_000, 90_000_000].into_iter().zip(market.map(|rate| rate.0));
    let mut below: Option<(i64, i64)> = None;
    for (at, rate) in known {
        if place <= at {
            return below.map_or(rate, |(from, low)| {
                let rise = i128::from(rate) - i128::from(low);
                clamp(i128::from(low) + rise * i128::from(place - from) / i128::from(at - from))
            });
        }
        below = Some((at, rate));
    }
    below.map_or(0, |(_, rate)| rate)
}
