//! Change what is charged: towards the price at which a channel earns most, one step at a time.
//!
//! Three cases, the rest is left alone. A channel that sells more than it has gets dearer, since the volume is given by
//! what there is to sell. A full one that hardly sells gets cheaper. One whose demand answers to the fee clearly less or
//! more than in proportion moves one step to where it earns more.

use super::demand::{EIGHTY, Elasticity, Market, Outlook};
use super::{Candidate, basics, confidence, evidence, set_policy};
use crate::analysis::facts::{Facts, outbound_ppm};
use crate::analysis::number::{clamp, lower_quartile, median, ratio_ppm, real, share_ppm, whole};
use crate::analysis::words;
use crate::report::{Act, Category};
use crate::snapshot::{Channel, Policy};
use crate::units::{DAY_MS, Msat, Ppm, Sat, UnixMs};

/// Forwards in 30 days before the elasticity of a channel's demand is worth a step.
const STEADY_FORWARDS: u32 = 10;
/// A channel hardly sells where 30 days sell less than this part of our side, in ppm.
const HARDLY_PPM: i64 = 100_000;
/// The rise of a very low fee for which percents say nothing, in ppm.
const LOW_FEE_STEP: i64 = 25;

/// Which way a fee should go, and why.
enum Move {
    /// It sells more than it has.
    Tight,
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
    let usual = Usual::new(facts, market);
    let open = facts.channels().iter().filter(|c| c.active && !c.private);
    open.filter_map(|c| Case::new(facts, market, c)?.judged(market, &usual)).collect()
}

/// What this node's channels that sell are like.
struct Usual {
    /// The middle of what they sell in 30 days, in ppm of the capacity; needs three.
    turnover: Option<i64>,
    /// The lower quartile of their rates.
    low_rate: Option<Ppm>,
}

impl Usual {
    fn new(facts: &Facts<'_>, market: &Market<'_>) -> Self {
        let mut turnovers = Vec::new();
        let mut rates = Vec::new();
        for channel in facts.channels() {
            let outlook = market.outlook(channel);
            let capacity = i128::from(channel.capacity.msat().get());
            if let Some(turnover) = ratio_ppm(i128::from(outlook.sold.get()), capacity).filter(|_| outlook.forwards > 0)
            {
                turnovers.push(turnover.clamp(0, 10_000_000));
                rates.extend(facts.our_fee(&channel.point).map(|(_, rate, _)| rate.0));
            }
        }
        let enough = turnovers.len() >= 3;
        Self {
            turnover: median(turnovers).filter(|_| enough),
            low_rate: lower_quartile(rates).filter(|_| enough).map(Ppm),
        }
    }
}

impl<'a> Case<'a> {
    fn new(facts: &'a Facts<'a>, market: &Market<'a>, channel: &'a Channel) -> Option<Self> {
        let (_, old, _) = facts.our_fee(&channel.point)?;
        let policy = facts.our_policy(&channel.point)?;
        let with_peer = facts.channels().iter().filter(|c| c.peer == channel.peer && c.active);
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

    fn judged(&self, market: &Market<'_>, usual: &Usual) -> Option<Candidate> {
        let which = self.direction()?;
        let new = self.price(&which, usual)?;
        if self.rests(market, new) {
            return None;
        }
        Some(match which {
            Move::Tight | Move::Cheap => self.raised(new, &which),
            Move::Dear => self.eased(new),
            Move::Idle => self.woken(new, usual),
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
            let days = if rose == (new > self.old) { limits.advice_cooldown_days } else { limits.advice_reverse_days };
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
        if self.share > percent(limits.lower_above_percent) && self.hardly_sells() && self.old_enough() {
            return Some(Move::Idle);
        }
        let band = real(limits.fee_elasticity_band_percent.clamp(0, 100)) / 100.0;
        let steady = self.outlook.forwards >= STEADY_FORWARDS;
        if steady && self.elasticity.value < 1.0 - band && self.share <= percent(limits.lower_above_percent) {
            return Some(Move::Cheap);
        }
        let spare = self.share >= percent(50) && self.outlook.days_left.is_none_or(|days| days > 30);
        (steady && spare && self.elasticity.value > 1.0 + band).then_some(Move::Dear)
    }

    fn hardly_sells(&self) -> bool {
        self.outlook.sold < self.channel.local.msat().at(Ppm(HARDLY_PPM))
    }

    fn old_enough(&self) -> bool {
        self.facts.age_days(self.channel).is_some_and(|age| age >= self.facts.limits.lower_idle_days)
    }

    /// The next price, within what others charge and the limits; `None` where no step worth a command is left.
    fn price(&self, which: &Move, usual: &Usual) -> Option<Ppm> {
        let limits = self.facts.limits;
        let old = self.old.0;
        let step = limits.fee_step_percent.clamp(1, 90);
        let up = |percent: i64| old.saturating_add((old.saturating_mul(percent) / 100).max(LOW_FEE_STEP));
        let down = old.saturating_sub(old.saturating_mul(step) / 100);
        let roof = self.market.map_or(limits.fee_max_ppm, |[.., high]| high.0.min(limits.fee_max_ppm));
        let new = match which {
            Move::Tight => up(self.shortage(step).min(limits.fee_step_max_percent.max(step))).min(roof),
            Move::Cheap if self.elasticity.trials > 0 => up(step).min(roof),
            Move::Cheap => up(step).min(roof).min(self.market.map_or(roof, |[_, _, middle, ..]| middle.0)),
            Move::Dear => down.max(self.market.map_or(0, |[_, _, middle, ..]| middle.0)),
            Move::Idle => self.cheaper(down, usual)?,
        };
        (new.saturating_sub(old).abs() >= limits.fee_step_min_ppm.max(1) && new >= 0).then_some(Ppm(new))
    }

    /// How much more is wanted than there is, in percent; at least one step.
    fn shortage(&self, step: i64) -> i64 {
        let (wanted, supply) = (i128::from(self.outlook.wanted.get()), i128::from(self.outlook.supply.get()));
        let beyond = ratio_ppm(wanted - supply, supply.max(1)).unwrap_or(0) / 10_000;
        beyond.max(step)
    }

    /// Where it is dearer than nearly all, to what three of four charge; above the middle half of the way to it, and one
    /// step below. Never under what only one of ten undercuts.
    fn cheaper(&self, step: i64, usual: &Usual) -> Option<i64> {
        let old = self.old.0;
        let Some([low, _, middle, three_quarters, high]) = self.market else {
            return usual.low_rate.map(|rate| step.max(rate.0));
        };
        let new = if old > high.0 {
            three_quarters.0
        } else if old > middle.0 {
            step.min(old.saturating_sub(old.saturating_sub(middle.0) / 2))
        } else {
            step
        };
        Some(new.max(low.0).min(old))
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
    fn gains(&self, new: Ppm, promised_percent: i64) -> (Sat, Sat, Sat) {
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
        (promised(middle), low.min(promised(middle)), scaled(high, 1.0 + spread).max(promised(middle)))
    }

    fn raised(&self, new: Ppm, which: &Move) -> Candidate {
        let (gain, low, high) = self.gains(new, self.facts.limits.fee_raise_kept_percent.clamp(0, 100));
        let name = self.facts.peer_name(self.channel);
        let why = match which {
            Move::Tight => format!(
                "{} are wanted of it in 30 days and it has {} to sell, with what comes back by itself: at a higher fee it earns more on the same sats, and runs dry later.",
                words::sat(self.outlook.wanted.floor_sat()),
                words::sat(self.outlook.supply.floor_sat())
            ),
            _ => format!(
                "Its fee is low for what is asked of it: of each percent more, about {:.1} percent of the volume should be lost.",
                self.elasticity.value
            ),
        };
        let title =
            format!("Raise the fee to {name} from {} to {} ppm", words::grouped(self.old.0), words::grouped(new.0));
        self.candidate("raise-fee", new, (title, why), confidence(self.facts, 0.6), Some((gain, low, high)))
    }

    fn eased(&self, new: Ppm) -> Candidate {
        let gains = self.gains(new, self.facts.limits.fee_raise_kept_percent.clamp(0, 100));
        let why = format!(
            "Its fee is high for what is asked of it: each percent less should bring about {:.1} percent more volume, and it has that to sell.",
            self.elasticity.value
        );
        self.candidate("lower-fee", new, (self.lower_title(new), why), confidence(self.facts, 0.4), Some(gains))
    }

    fn woken(&self, new: Ppm, usual: &Usual) -> Candidate {
        let limits = self.facts.limits;
        let why = format!(
            "{} lie ready to be sent and hardly anything was: a lower fee may sell some of it. The gain takes {} % of the turnover that the middle one of this node's selling channels has.",
            words::sat(self.channel.local),
            limits.fee_lower_wakes_percent
        );
        let lost = self.outlook.sold.at(Ppm(self.old.0.saturating_sub(new.0)));
        let at = |percent: i64| {
            let usual = self.channel.capacity.msat().at(Ppm(usual.turnover?)).scale(percent.clamp(0, 100), 100);
            Some((usual.min(self.channel.local.msat()).at(new) - lost).floor_sat())
        };
        let low = -lost.floor_sat();
        let gains =
            at(limits.fee_lower_wakes_percent).zip(at(100)).map(|(gain, high)| (gain, low.min(gain), high.max(gain)));
        self.candidate("lower-fee", new, (self.lower_title(new), why), confidence(self.facts, 0.35), gains)
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
        let trials = match self.elasticity.trials {
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
        let only = self.facts.channels().iter().filter(|c| c.peer == channel.peer).count() == 1;
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
