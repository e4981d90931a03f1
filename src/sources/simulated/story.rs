//! A node with a story, for `daznode demo` and for tests: a hand-made cast lives in a small made-up network. One channel
//! drains and is refilled at a cost, one peer goes away, one channel is closed by force, one payment hangs.
//!
//! What it shows at a moment depends on nothing but the seed, the day of birth and that moment, so a later look agrees
//! with an earlier one.

use super::super::{Error, EventSender, Identity, NodeSource, Observation, Resume};
use super::act::SimAct;
use super::chain;
use super::dice::{Dice, whole};
use super::kind::Kind;
use super::life::{Beginning, First, Sim};
use super::model::{Model, Taste};
use super::peer::Character;
use super::world::{World, weighted};
use crate::snapshot::{Events, Htlc, NodeView, PublicView, WatchedEvents};
use crate::units::{DAY_MS, Day, HOUR_MS, Msat, Ppm, Sat, UnixMs};

/// A made-up node, seen at one moment.
#[derive(Clone, Debug)]
pub struct Simulated {
    seed: u64,
    born: Day,
    now: UnixMs,
}

/// One of the cast.
struct Role {
    alias: &'static str,
    /// In sat.
    capacity: i64,
    /// Our share at first, pull and push, all in thousandths.
    ours: i64,
    pulls: i64,
    pushes: i64,
    ppm: i64,
}

const CAST: [Role; 8] = [
    role("Harbour Exchange", 10_000_000, 850, 40_000, 100, 420),
    role("Copper Wallet", 6_000_000, 350, 800, 9_000, 90),
    role("northbridge", 5_000_000, 550, 5_000, 6_000, 210),
    role("Tall Pines Routing", 4_000_000, 600, 4_000, 4_000, 260),
    role("quiet-harbor", 3_000_000, 950, 0, 0, 1_500),
    role("Ember LSP", 8_000_000, 700, 9_000, 2_500, 350),
    role("old mill", 2_000_000, 500, 800, 800, 150),
    role("sundown", 1_500_000, 400, 900, 900, 180),
];
/// Who plays which part in the story.
const EXCHANGE: usize = 0;
const QUIET: usize = 4;
const GONE: usize = 6;
const CLOSED: usize = 7;
/// The peer that goes away does so this many days after birth.
const GONE_AFTER: i64 = 21;
/// One channel is closed by force on this day.
const CLOSED_ON: i64 = 29;
/// On this day one payment hangs; it times out so many blocks later, and fails then: the channel has its funds back.
const STUCK_FROM: i64 = 29;
const STUCK_BLOCKS: u32 = 276;
const STUCK: Sat = Sat::new(62_000);
/// The operator refills the exchange's channel every four days with this, at this price at most.
const REFILL: Msat = Msat::new(400_000_000);
const REFILL_RATE: Ppm = Ppm(2_500);
/// Nodes of the network around it: few, so that each look is quick.
const NODES: usize = 400;

const fn role(alias: &'static str, capacity: i64, ours: i64, pulls: i64, pushes: i64, ppm: i64) -> Role {
    Role { alias, capacity, ours, pulls, pushes, ppm }
}

impl Simulated {
    /// The node of this seed, born on this day, as it is at `now`.
    pub const fn new(seed: u64, born: Day, now: UnixMs) -> Self {
        Self { seed, born, now }
    }

    /// Reads it once, with what a watcher and public sources of its network would say; `watched` from a moment on.
    pub async fn look(
        &self,
        resume: &Resume,
        events: EventSender,
        watched_from: UnixMs,
    ) -> Result<(Observation, WatchedEvents, PublicView), Error> {
        let mut sim = self.live();
        let watched = since(sim.take_watched(), watched_from);
        let public = sim.public_view();
        let observation = self.observed(sim, resume, events).await?;
        Ok((observation, watched, public))
    }

    async fn observed(&self, mut sim: Sim, resume: &Resume, events: EventSender) -> Result<Observation, Error> {
        let from = resume.last_forward_ns.map_or(i64::MIN, |ns| ns - 60_000_000_000);
        for mut page in sim.take_events() {
            match &mut page {
                Events::Forwards(all) => all.retain(|f| f.at_ns >= from),
                Events::Payments(all) => all.retain(|p| p.index > resume.payments_after),
                Events::Invoices(all) => all.retain(|i| i.index > resume.invoices_after),
                Events::Transactions(_) => {}
            }
            events.send(page).await.map_err(|_| Error::Setup("the store stopped taking events".to_owned()))?;
        }
        let (node, seen) = (self.view(&sim), sim.seen());
        Ok(Observation { taken_at: self.now, node, gaps: Vec::new(), not_measured: Vec::new(), seen })
    }

    fn birth(&self) -> UnixMs {
        self.born.start().plus(6 * HOUR_MS)
    }

    /// The node on its first morning.
    fn begin(&self) -> Sim {
        let places = places(&World::made_up_with(self.seed, NODES, |_| None));
        let part = |node: usize| places.iter().position(|place| *place == node);
        let alias = |node: usize| part(node).and_then(|part| CAST.get(part)).map(|role| role.alias);
        let world = World::made_up_with(self.seed, NODES, alias);
        let model = Model { flaky_permille: 0, gone_permille: 0, ..Model::default() };
        let mut sim = Sim::begin(Beginning {
            world: world.clone(),
            model: model.clone(),
            kind: Kind::SmallRouter,
            seed: self.seed,
            birth: self.birth(),
            alias: "demo (made-up node)".to_owned(),
            wallet: Sat::new(1_850_000),
        });
        for (part, (role, place)) in CAST.iter().zip(&places).enumerate() {
            let Some(node) = world.node(*place) else { continue };
            let mut peer = Character::of(&world, &model, self.seed, &node.key);
            (peer.pulls, peer.pushes) = (role.pulls, role.pushes);
            // Its payers don't mind the price, so that the story is the same in every network.
            peer.taste = Taste { tolerance_permille: 4_000, ..model.inelastic };
            peer.leaves_at = (part == GONE).then(|| self.birth().plus(GONE_AFTER * DAY_MS));
            let peer = sim.meet(peer);
            sim.first(
                peer,
                &First {
                    capacity: Sat::new(role.capacity),
                    ours: role.ours,
                    private: false,
                    opened_by_us: role.ours >= 500,
                    opened_at: self.born.start().plus(whole(part) * 600_000),
                    fee: (Msat::ZERO, Ppm(role.ppm)),
                },
            );
        }
        sim.ready();
        sim
    }

    /// Lives from birth to now, with what the operator does on the way.
    fn live(&self) -> Sim {
        let mut sim = self.begin();
        let points: Vec<_> = sim.channels().into_iter().map(|c| c.point).collect();
        let point = |part: usize| points.get(part).cloned();
        for day in 1.. {
            let morning = self.birth().plus(day * DAY_MS);
            if morning > self.now {
                break;
            }
            sim.live_to(morning);
            let act = match day {
                CLOSED_ON => point(CLOSED).map(|point| SimAct::Close { point, force: true }),
                _ if day % 4 == 2 => point(QUIET).zip(point(EXCHANGE)).map(|(from, to)| SimAct::Rebalance {
                    from,
                    to,
                    amount: REFILL,
                    max_fee: REFILL.at(REFILL_RATE),
                }),
                _ => None,
            };
            // What did not work out (no route, nothing left to move) belongs to the story too.
            let _done = act.map(|act| sim.do_act(&act));
        }
        sim.live_to(self.now);
        sim
    }

    /// What it shows, with the payment that hangs on its way to the exchange.
    fn view(&self, sim: &Sim) -> NodeView {
        let mut view = sim.node_view();
        let came_by = sim.channels.get(1).map(|c| c.scid);
        let exchange = sim.channels.get(EXCHANGE).map(|c| c.point.clone());
        let stuck_from = self.birth().plus(STUCK_FROM * DAY_MS);
        let expiry_height = chain::height(stuck_from).saturating_add(STUCK_BLOCKS);
        let hangs = self.now >= stuck_from && chain::height(self.now) < expiry_height;
        let shown = view.channels.iter_mut().flatten().find(|c| Some(&c.point) == exchange.as_ref());
        if hangs && let Some(channel) = shown.filter(|c| c.local > STUCK) {
            channel.local -= STUCK;
            channel.unsettled = STUCK;
            channel.htlcs.push(Htlc {
                incoming: false,
                amount: STUCK,
                hash: hex::encode(Dice::of(self.seed, "stuck", &[]).bytes()),
                expiry_height,
                index: 7,
                forwarding_channel: came_by,
            });
            if let Some(sum) = &mut view.channel_balance {
                sum.local -= STUCK.msat();
                sum.unsettled_remote = STUCK.msat();
            }
        }
        view
    }
}

/// Which nodes of a network the cast are: those to which others ask about one and a half times what we do.
fn places(world: &World) -> Vec<usize> {
    let middle = |id: usize| {
        let mut rates = world.towards(id);
        weighted(&mut rates, [50]).filter(|_| rates.len() >= 6).map(|[rate]| (id, rate))
    };
    let mut free: Vec<(usize, i64)> = (0..NODES).filter_map(middle).collect();
    let mut taken = Vec::new();
    for role in &CAST {
        let off = |(_, rate): &(usize, i64)| (rate - role.ppm * 3 / 2).abs();
        let best = (0..free.len()).min_by_key(|n| free.get(*n).map(off));
        taken.extend(best.map(|best| free.swap_remove(best).0));
    }
    taken
}

impl NodeSource for Simulated {
    async fn identify(&self) -> Result<Identity, Error> {
        let info = self.begin().info();
        Ok(Identity { pubkey: info.pubkey, alias: info.alias, network: info.network, version: info.version })
    }

    async fn observe(&self, resume: &Resume, events: EventSender) -> Result<Observation, Error> {
        self.observed(self.live(), resume, events).await
    }
}

/// What was seen from a moment on.
fn since(mut all: WatchedEvents, from: UnixMs) -> WatchedEvents {
    all.failures.retain(|f| f.at_ns >= from.nanos());
    all.sessions.retain(|s| s.to.is_none_or(|to| to >= from));
    for span in &mut all.coverage {
        span.from = span.from.max(from);
    }
    all.coverage.retain(|span| span.from < span.to);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{FailureReason, Forward};
    use tokio::sync::mpsc;

    fn born() -> Day {
        "2026-10-20".parse().unwrap()
    }

    fn node(after: i64) -> Simulated {
        Simulated::new(7, born(), born().start().plus(6 * HOUR_MS + after))
    }

    fn look(days: i64, resume: &Resume) -> (Observation, Vec<Events>) {
        let (sender, mut receiver) = mpsc::channel(8);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seen = runtime.block_on(node(days * DAY_MS).observe(resume, sender)).unwrap();
        let mut pages = Vec::new();
        while let Ok(page) = receiver.try_recv() {
            pages.push(page);
        }
        (seen, pages)
    }

    /// What a watcher and public sources say after 30 days.
    fn beside(from: UnixMs) -> (WatchedEvents, PublicView) {
        let (sender, _receiver) = mpsc::channel(8);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let node = node(30 * DAY_MS);
        let (_, watched, public) = runtime.block_on(node.look(&Resume::default(), sender, from)).unwrap();
        (watched, public)
    }

    fn forwards(pages: &[Events]) -> Vec<Forward> {
        pages.iter().find_map(|p| if let Events::Forwards(f) = p { Some(f.clone()) } else { None }).unwrap()
    }

    #[test]
    fn a_later_look_agrees_with_an_earlier_one() {
        let (_, early) = look(10, &Resume::default());
        let (_, late) = look(30, &Resume::default());
        let (early, late) = (forwards(&early), forwards(&late));
        assert!(early.len() > 100, "{}", early.len());
        assert_eq!(early, late[..early.len()]);
        let resume = Resume { last_forward_ns: early.last().map(|f| f.at_ns), ..Resume::default() };
        let (_, rest) = look(30, &resume);
        let known = forwards(&rest).iter().filter(|f| early.contains(f)).count();
        assert_eq!(forwards(&rest).len() - known, late.len() - early.len());
    }

    #[test]
    fn a_look_in_the_middle_of_a_day_agrees_too() {
        let whole = node(20 * DAY_MS).live().told.forwards;
        for part in 0..50 {
            let early = node(17 * DAY_MS + part * 47 * 60_000);
            let seen = early.live().told.forwards;
            assert!(seen.iter().all(|f| f.at_ns < early.now.nanos()));
            assert_eq!(seen, whole[..seen.len()]);
        }
    }

    #[test]
    fn no_msat_is_made_or_lost() {
        let (seen, pages) = look(30, &Resume::default());
        let channels = seen.node.channels.unwrap();
        for c in &channels {
            let difference = (c.capacity - c.local - c.remote - c.unsettled).get();
            assert!((0..=1).contains(&difference), "{} {difference}", c.peer_alias.as_deref().unwrap());
        }
        let earned: Msat = forwards(&pages).iter().map(Forward::fee).sum();
        assert_eq!(seen.node.fees.unwrap().month, earned.floor_sat());
    }

    #[test]
    fn after_thirty_days_there_is_something_to_report() {
        let (seen, pages) = look(30, &Resume::default());
        let channels = seen.node.channels.unwrap();
        assert_eq!(channels.len(), 7);
        assert_eq!(seen.node.pending.as_ref().map(|p| p.force_closing.len()), Some(1));
        assert!(channels.iter().any(|c| !c.active && c.peer_alias.as_deref() == Some("old mill")));
        assert_eq!(channels.iter().filter(|c| !c.htlcs.is_empty()).count(), 1);
        let exchange = channels.iter().find(|c| c.peer_alias.as_deref() == Some("Harbour Exchange")).unwrap();
        assert!(exchange.local.get() * 4 < exchange.capacity.get(), "drained: {:?}", exchange.local);
        let refills = pages.iter().filter_map(|p| if let Events::Payments(p) = p { Some(p) } else { None }).flatten();
        assert!(refills.filter(|p| p.fee > Msat::ZERO).count() >= 2);
        let market = seen.node.market.unwrap();
        assert!(market.candidates.len() >= 5, "{}", market.candidates.len());
        assert!(market.peers.iter().all(|p| p.incoming_rate_deciles.is_some()), "{:?}", market.peers);
        assert!(beside(born().start()).1.chain_fees.is_some());
    }

    #[test]
    fn the_payment_that_hangs_fails_when_it_times_out() {
        let flying = |days: i64| {
            let channels = look(days, &Resume::default()).0.node.channels.unwrap();
            channels.iter().flat_map(|c| &c.htlcs).count()
        };
        // It hangs from the morning of day 29 on, for 276 blocks of ten minutes: 46 hours.
        assert_eq!([28, 29, 30, 31, 40].map(flying), [0, 1, 1, 0, 0]);
    }

    #[test]
    fn the_watcher_sees_missed_demand() {
        let (all, _) = beside(born().start());
        let missed = all.failures.iter().filter(|f| f.reason == FailureReason::Balance).count();
        assert!(missed > 10, "{missed}");
        let (last, _) = beside(born().plus(29).start());
        assert!(last.failures.len() < all.failures.len());
        assert!(all.failures.ends_with(&last.failures));
        assert_eq!(last.coverage[0].from, born().plus(29).start());
    }
}
