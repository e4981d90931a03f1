//! One node's whole run: born, left alone for a while, then copied, each copy under another operator.

use daznode::report::{Recommendation, Report};
use daznode::sources::simulated::{Kind, Model, Sim, World};
use daznode::units::Msat;

use crate::acts::{self, Follow};
use crate::baselines::Memory;
use crate::books::Books;
use crate::claims::Claims;
use crate::forecasts::{Forecast, Forecasts};
use crate::journal::Journal;
use crate::operators::{Operator, net};
use crate::plan::{Plan, born};
use crate::trials::{self, Trial, Without};

/// The demand towards all peers of one node: mixed as the model has it, or all of one taste.
pub const DEMANDS: [&str; 4] = ["mixed", "elastic", "inelastic", "bursty"];

/// Which nodes, and what happens with them.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub world: &'a World,
    /// Every parameter of the model times this.
    pub factor: f64,
    /// Days after the warm-up.
    pub days: u32,
    pub follow: Follow,
    /// Whether the two programs that set fees run copies too, and the forecast is checked on the copy left alone.
    pub rivals: bool,
    /// How long a piece of advice is tried by itself; `None` for not at all.
    pub trial_days: Option<u32>,
}

/// What came of one node.
#[derive(Clone, Debug, Default)]
pub struct Lived {
    pub seed: u64,
    pub kind: String,
    pub demand: &'static str,
    /// Net of doing nothing.
    pub nothing: Msat,
    /// Net of following the advice.
    pub advice: Msat,
    /// Net of the two programs: the proportional policy, the fee table.
    pub rivals: Option<[Msat; 2]>,
    pub trials: Vec<Trial>,
    pub claims: Claims,
    pub forecasts: Vec<Forecast>,
    pub books: Books,
    /// Acts that were to be followed.
    pub advised: usize,
    /// Of those, acts that could be done.
    pub done: usize,
}

impl Run<'_> {
    /// Lets the node of this seed live.
    pub fn live(&self, seed: u64) -> Lived {
        let (kind, demand) = lot(seed);
        let mut sim = Sim::new(self.world, kind, &model(demand, self.factor), seed, born());
        let mut lived = Lived { seed, kind: name(kind), demand, ..Lived::default() };
        let journal = Journal::open(&sim, seed);
        for _ in 0..self.plan.warm_up {
            journal.keep(&mut sim);
            lived.books.note(sim.totals());
            sim.live_day();
        }
        let start = sim.totals();
        let net_of = |end: &Sim| net(&start, &end.totals());
        if self.rivals {
            let (alone, forecasts) = self.left_alone(sim.clone(), &journal.copied());
            (lived.nothing, lived.forecasts) = (net_of(&alone), forecasts);
            let table = Operator::FeeTable(Memory::default());
            lived.rivals =
                Some([Operator::Proportional, table].map(|operator| net_of(&operator.live(sim.clone(), self.days))));
        } else {
            lived.nothing = net_of(&Operator::Nothing.live(sim.clone(), self.days));
        }
        for day in 0..self.days {
            self.morning(&mut sim, &journal, seed, day, &mut lived);
            sim.live_day();
        }
        read(&mut sim, &journal, &mut lived);
        lived.advice = net_of(&sim);
        lived
    }

    /// One morning of the copy whose operator follows the report.
    fn morning(&self, sim: &mut Sim, journal: &Journal, seed: u64, day: u32, lived: &mut Lived) {
        let report = read(sim, journal, lived);
        let all = || report.recommendations.iter().filter(|advice| advice.act.is_some());
        if let Some(days) = self.trial_days.filter(|_| day.is_multiple_of(self.plan.try_every)) {
            let wanted = all().filter(|advice| self.is_tried(advice));
            let chosen = trials::some(wanted, seed, sim.now(), self.plan.tries);
            if !chosen.is_empty() {
                let without = Without::of(sim, days);
                lived.trials.extend(chosen.into_iter().filter_map(|advice| without.try_out(advice)));
            }
        }
        for act in all().filter_map(|advice| advice.act.as_ref()).filter(|act| self.follow.takes(act)) {
            lived.advised += 1;
            lived.done += usize::from(sim.do_act(&acts::simulated(act)).happened);
        }
    }

    /// Fees and refills are tried where those are followed; opening and closing have a run of their own.
    fn is_tried(&self, advice: &Recommendation) -> bool {
        let short = advice.act.as_ref().is_some_and(|act| Follow::FeesAndRefills.takes(act));
        short == (self.follow == Follow::FeesAndRefills)
    }

    /// The copy left alone, read every morning so that forecasts can be made of it.
    fn left_alone(&self, mut sim: Sim, journal: &Journal) -> (Sim, Vec<Forecast>) {
        let mut forecasts = Forecasts::default();
        for day in 0..self.days {
            let snapshot = journal.keep(&mut sim);
            forecasts.earned(sim.totals().fees_earned);
            if Forecasts::wanted(day) {
                forecasts.made(&journal.report(&snapshot).0);
            }
            sim.live_day();
        }
        forecasts.earned(sim.totals().fees_earned);
        (sim, forecasts.held())
    }
}

/// Makes the report and notes what is to be held against the truth.
fn read(sim: &mut Sim, journal: &Journal, lived: &mut Lived) -> Report {
    let snapshot = journal.keep(sim);
    let (report, history) = journal.report(&snapshot);
    lived.books.note(sim.totals());
    lived.books.check(&report);
    lived.claims.note(&history);
    report
}

/// Kind and demand of a seed's node: each kind with each demand in turn.
fn lot(seed: u64) -> (Kind, &'static str) {
    let turn = |n: u64, of: usize| usize::try_from(n).unwrap_or(0) % of;
    let kinds = Kind::ALL.len();
    let round = seed / u64::try_from(kinds).unwrap();
    (Kind::ALL[turn(seed, kinds)], DEMANDS[turn(round, DEMANDS.len())])
}

/// As its own name has it, in words.
fn name(kind: Kind) -> String {
    let name = serde_json::to_value(kind).unwrap();
    name.as_str().unwrap().replace('_', " ")
}

/// The model, all of whose peers have the demand of this name.
fn model(demand: &str, factor: f64) -> Model {
    let mut model = Model::default().moved(factor);
    let only = match demand {
        "elastic" => Some((1_000, 0)),
        "inelastic" => Some((0, 1_000)),
        "bursty" => Some((0, 0)),
        _ => None,
    };
    if let Some((elastic, inelastic)) = only {
        (model.elastic_permille, model.inelastic_permille) = (elastic, inelastic);
    }
    model
}
