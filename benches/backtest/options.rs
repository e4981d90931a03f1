//! What is typed after `./dev backtest`.

use std::ops::RangeInclusive;

use crate::plan::{FULL, Plan, QUICK};

/// How the program is called.
pub const USAGE: &str = "usage: ./dev backtest [--seeds A-B] [--days N] [--jobs N] [--quick] [--write] [PART...]

  --seeds A-B  the nodes, one a seed (default 1001-1200; 1-200 are for tuning)
  --days N     days that advice is followed (default 60)
  --jobs N     threads (default 2)
  --quick      6 nodes for 20 days, twice: only sees that both runs say the same and that all money adds up
  --each       print each trial too, as a table
  --write      put the tables into docs/backtest.md, in place of those between its two marks
  PART         only these parts: follow, long, moved (default: all)";

/// Parts of the whole, in the order in which they are run and printed.
pub const PARTS: [&str; 3] = ["follow", "long", "moved"];

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub plan: Plan,
    pub jobs: usize,
    pub quick: bool,
    /// Print each trial too.
    pub each: bool,
    pub write: bool,
    /// Only tell how it is called.
    pub help: bool,
    /// As they were typed; empty for all.
    pub parts: Vec<String>,
}

impl Options {
    /// Reads the words of the command line; an error is what to tell whoever typed them.
    pub fn read(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options =
            Self { plan: FULL, jobs: 2, quick: false, each: false, write: false, help: false, parts: Vec::new() };
        let (mut seeds, mut days) = (None, None);
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut number = |what: &str| words.next().ok_or_else(|| format!("{word} needs {what}"));
            match word.as_str() {
                // Cargo adds it.
                "--bench" => {}
                "--seeds" => seeds = Some(range(&number("two numbers, A-B")?)?),
                "--days" => days = Some(whole(&number("a number of days")?)?),
                "--jobs" => options.jobs = whole(&number("a number of threads")?)?,
                "--help" | "-h" => options.help = true,
                "--quick" => options.quick = true,
                "--each" => options.each = true,
                "--write" => options.write = true,
                part if PARTS.contains(&part) => options.parts.push(word),
                _ => return Err(format!("{word:?} is not known")),
            }
        }
        if options.quick {
            options.plan = QUICK;
        }
        options.plan.seeds = seeds.unwrap_or(options.plan.seeds);
        options.plan.days = days.unwrap_or(options.plan.days);
        if options.write && (options.quick || options.each || !options.parts.is_empty()) {
            return Err("--write wants the whole of it: leave out --quick, --each and the parts".to_owned());
        }
        Ok(options)
    }

    /// Whether this part is to be run.
    pub fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

fn whole<N: TryFrom<u64>>(text: &str) -> Result<N, String> {
    let number = text.parse::<u64>().ok().filter(|n| *n > 0).and_then(|n| N::try_from(n).ok());
    number.ok_or_else(|| format!("{text:?} is not a whole number above zero"))
}

fn range(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (from, to) = text.split_once('-').ok_or_else(|| format!("{text:?} is not a range A-B"))?;
    let (from, to) = (whole(from)?, whole(to)?);
    if from > to { Err(format!("{text:?} is an empty range")) } else { Ok(from..=to) }
}
