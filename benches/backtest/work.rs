//! The whole backtest: its parts one after the other, and the text that comes of them.

use daznode::sources::simulated::World;

use crate::acts::Follow;
use crate::jobs;
use crate::node::{Lived, Run};
use crate::options::Options;
use crate::results;

/// The seed of the network that all nodes live in.
const WORLD: u64 = 1;

/// What came of it.
pub struct Outcome {
    /// Markdown.
    pub text: String,
    /// Periods of reports whose money is not the truth.
    pub wrong: Vec<String>,
}

/// Runs the parts that are wanted.
pub fn run(options: &Options) -> Outcome {
    let world = World::made_up(WORLD);
    let plan = &options.plan;
    let short = Run {
        plan,
        world: &world,
        factor: 1.0,
        days: plan.days,
        follow: Follow::FeesAndRefills,
        rivals: true,
        trial_days: Some(plan.trial_days),
    };
    let live = |name: &str, run: &Run<'_>, seeds: &[u64]| jobs::all(name, options.jobs, seeds, |seed| run.live(seed));
    let (all, few) = (plan.seeds.clone().collect::<Vec<u64>>(), plan.few());
    let mut outcome = Outcome { text: String::new(), wrong: Vec::new() };
    let each = |lived: &[Lived]| if options.each { results::each(lived) } else { String::new() };
    let seeds = format!("seeds {} to {}", plan.seeds.start(), plan.seeds.end());
    let every = format!("one in {} of {seeds}", plan.one_in);
    if options.wants("follow") {
        let lived = live("follow", &short, &all);
        outcome.add(&lived, &results::followed(&format!("Advice followed for {} days, {seeds}", plan.days), &lived));
        let title = format!("Each piece of advice by itself, {} days, {seeds}", plan.trial_days);
        outcome.text += &results::promises(&title, &lived);
        outcome.text += &results::claims(&lived);
        outcome.text += &results::forecasts(&lived);
        outcome.text += &results::books(&lived);
        outcome.text += &each(&lived);
    }
    if options.wants("long") {
        let days = plan.long_days;
        let long = Run { days, follow: Follow::All, rivals: false, trial_days: Some(days), ..short.clone() };
        let lived = live("long", &long, &few);
        let title = format!("Advice followed for {days} days, opening and closing too, {every}");
        outcome.add(&lived, &results::followed(&title, &lived));
        outcome.text += &results::promises(&format!("Opening and closing by itself, {days} days, {every}"), &lived);
        outcome.text += &each(&lived);
    }
    if options.wants("moved") {
        for (factor, how) in [(0.5, "half down"), (1.5, "half up")] {
            let moved = Run { factor, ..short.clone() };
            let lived = live(how, &moved, &few);
            let title = format!("The model's parameters {how}: advice followed for {} days, {every}", plan.days);
            outcome.add(&lived, &results::followed(&title, &lived));
            let title = format!("The model's parameters {how}: each piece of advice by itself, {every}");
            outcome.text += &results::promises(&title, &lived);
        }
    }
    outcome
}

impl Outcome {
    fn add(&mut self, lived: &[Lived], text: &str) {
        self.text += text;
        self.wrong.extend(lived.iter().flat_map(|lived| lived.books.wrong.iter().cloned()));
    }
}
