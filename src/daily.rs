//! The run, top to bottom: read a node, keep what was seen, judge it, keep the report, write its file.
//!
//! The only file that knows the order of the steps. One profile's failure never stops another's; a profile has a limit of
//! time for all its tries, the run a budget. What was not begun when the budget ends is reported as not tried.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

use crate::analysis::{self, Backfill, Identity, Input, Thresholds};
use crate::exit::Code;
use crate::history::Window;
use crate::render;
use crate::report::{GenerationStatus, NotMeasured, Report};
use crate::schedule::Schedule;
use crate::snapshot::{Gap, Host, PublicView, SCHEMA, Snapshot, SourceSeen, WatchedEvents};
use crate::sources::{self, EventSender, Observation, Resume};
use crate::store::{self, FailedRun, Handle, Profile, Retention};
use crate::units::{DAY_MS, Day, Network, UnixMs};

/// How a run is to be made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Profiles at once.
    pub jobs: usize,
    /// For each profile, with all its tries.
    pub timeout: Duration,
    /// Further tries after the first, where trying again can help.
    pub retries: u32,
    /// For the whole run; `None` for no limit.
    pub budget: Option<Duration>,
    /// The day to report; `None` for today. A past day is caught up from the node's history.
    pub date: Option<Day>,
    /// Say what would be made; contact nothing, write nothing.
    pub dry_run: bool,
    /// Make today's report again though it is there.
    pub force: bool,
    /// The most missed days that are caught up.
    pub catch_up_days: u32,
    /// How long things are kept.
    pub retention: Retention,
    /// The limits of the rules.
    pub thresholds: Thresholds,
}

/// What a run reads its nodes with.
pub trait Collect {
    /// The moment that reading this profile's node shows, where that is not now: a recording's.
    fn moment(&self, profile: &Profile) -> Option<UnixMs>;

    /// Whether a node that failed is tried again in this run, where that can help.
    fn tries_again(&self, _profile: &Profile) -> bool {
        true
    }

    /// Reads one profile's node and what public sources say of it.
    fn collect(
        &self,
        profile: &Profile,
        now: UnixMs,
        resume: &Resume,
        events: EventSender,
    ) -> impl Future<Output = Result<Collected, sources::Error>>;
}

/// What was read for one profile.
#[derive(Clone, Debug)]
pub struct Collected {
    /// What the node said.
    pub observation: Observation,
    /// What public sources said.
    pub public: PublicView,
    /// What those did not answer.
    pub gaps: Vec<Gap>,
    /// How asking those went.
    pub seen: Vec<SourceSeen>,
    /// What was not asked, and why.
    pub off: Vec<NotMeasured>,
    /// The machine, where it was looked at.
    pub host: Option<Host>,
    /// What was watched since the run before, where the source tells that by itself.
    pub watched: WatchedEvents,
}

/// Told of each profile as the run goes on.
pub trait Progress {
    /// Its reading begins.
    fn started(&self, profile: &Profile);
    /// It is done with, one way or another.
    fn finished(&self, profile: &Profile, outcome: &Outcome);
}

/// What came of one profile.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Its report is stored and announced.
    Made(Made),
    /// Today's complete report was there already.
    AlreadyMade {
        /// Which.
        report_id: Uuid,
        /// Its day.
        date: Day,
    },
    /// A dry run: this would have been made.
    WouldMake {
        /// The day.
        date: Day,
        /// Missed days before it.
        catch_up: Vec<Day>,
    },
    /// No report.
    Failed {
        /// Why, in one line with the remedy.
        error: String,
        /// What the process ends with if it is the only one.
        code: Code,
        /// How often it was tried.
        tries: u32,
    },
    /// The budget was used up before it was begun.
    NotTried,
}

/// A report that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Its id.
    pub report_id: Uuid,
    /// Its day.
    pub date: Day,
    /// Which one of that day.
    pub revision: u32,
    /// Its score.
    pub score: Option<i64>,
    /// Its JSON file below the state folder.
    pub file: String,
    /// What was asked for and not got.
    pub gaps: usize,
    /// Missed days that were caught up before it.
    pub caught_up: Vec<Day>,
    /// How often reading the node was tried.
    pub tries: u32,
    /// What could not be done once the report was stored, in one line: its file, or clearing away what is old. The next
    /// run makes up for it.
    pub note: Option<String>,
}

/// Why one profile has no report.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Source(#[from] sources::Error),
    #[error("{0}")]
    Store(#[from] store::Error),
    #[error("no report within {0} s: raise --timeout, or see why the node is slow with daznode health-check")]
    Timeout(u64),
    #[error("the run's budget of {0} s ended before the node had answered")]
    Budget(u64),
    #[error("the clock says {now}, before the newest report of {newest}: set the clock, or use --force")]
    Clock { now: Day, newest: Day },
    #[error("{date} lies before the node's oldest known event, or in the future: nothing can be told of it")]
    NoHistory { date: Day },
}

impl Failure {
    const fn code(&self) -> Code {
        match self {
            Self::Source(error) if error.is_credentials() => Code::Credentials,
            Self::Store(error) if error.exit() == 5 => Code::Store,
            Self::NoHistory { .. } => Code::Usage,
            _ => Code::Failed,
        }
    }
}

/// Makes the reports of `profiles`. `clock` tells the time, which moves while the run goes on.
pub async fn run<C: Collect>(
    profiles: Vec<Profile>,
    store: &Handle,
    collect: &C,
    options: &Options,
    clock: &dyn Fn() -> UnixMs,
    progress: &dyn Progress,
) -> Vec<(Profile, Outcome)> {
    let run = Run { store, collect, options, clock, started: Instant::now() };
    let jobs = options.jobs.clamp(1, profiles.len().max(1));
    let queue = RefCell::new(VecDeque::from(profiles));
    let outcomes = RefCell::new(Vec::new());
    let worker = || async {
        loop {
            let Some(profile) = queue.borrow_mut().pop_front() else { return };
            let outcome = if run.budget_left() == Some(Duration::ZERO) {
                Outcome::NotTried
            } else {
                progress.started(&profile);
                run.profile(&profile).await
            };
            progress.finished(&profile, &outcome);
            outcomes.borrow_mut().push((profile, outcome));
        }
    };
    join_all((0..jobs).map(|_| worker())).await;
    outcomes.into_inner()
}

struct Run<'a, C> {
    store: &'a Handle,
    collect: &'a C,
    options: &'a Options,
    clock: &'a dyn Fn() -> UnixMs,
    started: Instant,
}

impl<C: Collect> Run<'_, C> {
    fn budget_left(&self) -> Option<Duration> {
        self.options.budget.map(|budget| budget.saturating_sub(self.started.elapsed()))
    }

    fn now(&self, profile: &Profile) -> UnixMs {
        self.collect.moment(profile).unwrap_or_else(|| (self.clock)())
    }

    /// One profile within its limit of time. A failure is kept as a row of its own, so that it is not forgotten.
    async fn profile(&self, profile: &Profile) -> Outcome {
        let tries = Cell::new(0);
        let budget = self.budget_left().unwrap_or(Duration::MAX);
        let limit = self.options.timeout.min(budget);
        let failure = match tokio::time::timeout(limit, self.report(profile, &tries)).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(failure)) => failure,
            Err(_) if budget < self.options.timeout => {
                Failure::Budget(self.options.budget.unwrap_or_default().as_secs())
            }
            Err(_) => Failure::Timeout(self.options.timeout.as_secs()),
        };
        let (code, mut error) = (failure.code(), failure.to_string());
        if !self.options.dry_run && !matches!(failure, Failure::NoHistory { .. } | Failure::Clock { .. }) {
            let date = self.options.date.unwrap_or(self.now(profile).day());
            let row = (profile.clone(), date, error.clone(), (self.clock)());
            let retry_count = tries.get().saturating_sub(1);
            let kept = self.store.run(move |store| {
                let (profile, date, message, at) = row;
                let revision = store.next_revision(&profile, date)?;
                let report_id = store::new_id(at);
                store.put_failed(&profile, &FailedRun { report_id, date, revision, at, message, retry_count })
            });
            if let Err(also) = kept.await {
                error = format!("{error}; nor could that be stored: {also}");
            }
        }
        Outcome::Failed { error, code, tries: tries.get() }
    }

    async fn report(&self, profile: &Profile, tries: &Cell<u32>) -> Result<Outcome, Failure> {
        let now = self.now(profile);
        let date = self.options.date.unwrap_or(now.day());
        let plan = self.plan(profile, date, now).await?;
        if let Some(report_id) = plan.already {
            return Ok(Outcome::AlreadyMade { report_id, date });
        }
        if self.options.dry_run {
            return Ok(Outcome::WouldMake { date, catch_up: plan.missed });
        }
        let collected = self.collect_with_retries(profile, now, tries).await?;
        let retry_count = tries.get().saturating_sub(1);
        let made = Making { profile: profile.clone(), made_at: (self.clock)(), retry_count, plan, date };
        let thresholds = self.options.thresholds.clone();
        let retention = self.options.retention;
        let tries = tries.get();
        let stored = self.store.run(move |store| Ok(made.store_and_judge(store, collected, &thresholds, &retention)));
        let mut made = stored.await??;
        made.tries = tries;
        Ok(Outcome::Made(made))
    }

    /// What is there already and what was missed.
    async fn plan(&self, profile: &Profile, date: Day, now: UnixMs) -> Result<Plan, Failure> {
        let (force, days) = (self.options.force, self.options.catch_up_days);
        let profile = profile.clone();
        let today = now.day();
        let newest = profile.last_report_at.map(UnixMs::day);
        if let Some(newest) = newest.filter(|newest| *newest > today.plus(1) && !force) {
            return Err(Failure::Clock { now: today, newest });
        }
        if date > today || date < profile.created_at.day().plus(-400) {
            return Err(Failure::NoHistory { date });
        }
        let plan = self.store.run(move |store| {
            let there = store.day_report(&profile, date)?;
            let complete = there.filter(|r| r.report.generation_status == GenerationStatus::Complete && !force);
            let schedule = profile.schedule.parse::<Schedule>().ok();
            let missed = match &schedule {
                Some(schedule) if date == today => missed_days(store, &profile, schedule, today, days)?,
                _ => Vec::new(),
            };
            let already = complete.map(|r| r.report.report_id);
            Ok(Plan { already, live: date == today, missed, schedule })
        });
        Ok(plan.await?)
    }

    /// Reads the node, again where that can help. What came before a failure is stored and not asked for again.
    async fn collect_with_retries(
        &self,
        profile: &Profile,
        now: UnixMs,
        tries: &Cell<u32>,
    ) -> Result<Collected, Failure> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_factor(3.0)
            .with_jitter()
            .with_max_times(usize::try_from(self.options.retries).unwrap_or(usize::MAX));
        let attempt = || async {
            tries.set(tries.get() + 1);
            self.collect_once(profile, now).await
        };
        let again = self.collect.tries_again(profile);
        attempt.retry(backoff).when(|failure| matches!(failure, Failure::Source(e) if again && e.is_transient())).await
    }

    async fn collect_once(&self, profile: &Profile, now: UnixMs) -> Result<Collected, Failure> {
        let resume = {
            let profile = profile.clone();
            self.store.run(move |store| store.resume(&profile)).await?
        };
        // A page waits while the one before it is written: a slow disk slows the reading, not the memory.
        let (sender, mut pages) = mpsc::channel(1);
        let reading = self.collect.collect(profile, now, &resume, sender);
        // When the store fails, the receiver goes with this block and the reading ends at its next page.
        let keeping = async move {
            while let Some(page) = pages.recv().await {
                let profile = profile.clone();
                self.store.run(move |store| store.put_events(&profile, &page)).await?;
            }
            Ok::<(), store::Error>(())
        };
        let (read, kept) = tokio::join!(reading, keeping);
        kept?;
        Ok(read?)
    }
}

/// What a profile is owed.
#[derive(Clone, Debug)]
struct Plan {
    already: Option<Uuid>,
    live: bool,
    missed: Vec<Day>,
    /// When reports are due; `None` where what is stored is no schedule.
    schedule: Option<Schedule>,
}

/// Days before a report's in which a day without one is told.
const MISSED_DAYS: i64 = 7;

/// Scheduled days since the last report that have none, oldest first.
fn missed_days(
    store: &store::Store,
    profile: &Profile,
    schedule: &Schedule,
    today: Day,
    most: u32,
) -> store::Result<Vec<Day>> {
    let Some(last) = profile.last_report_at.map(UnixMs::day) else { return Ok(Vec::new()) };
    let from = last.plus(1).max(today.plus(-i64::from(most)));
    let mut missed = Vec::new();
    let mut day = from;
    while day < today {
        if schedule.on(day).is_some() && store.day_report(profile, day)?.is_none() {
            missed.push(day);
        }
        day = day.plus(1);
    }
    Ok(missed)
}

/// Scheduled days of the week before `today` that had no report in their time, oldest first: also those that were caught
/// up since.
fn late_days(
    store: &store::Store,
    profile: &Profile,
    schedule: Option<&Schedule>,
    today: Day,
) -> store::Result<Vec<Day>> {
    let Some(schedule) = schedule else { return Ok(Vec::new()) };
    let rows = store.report_days(profile, today.plus(-MISSED_DAYS), today.plus(-1))?;
    let in_time = |day: Day| {
        rows.iter().any(|row| row.date == day && !row.backfilled && row.generation_status != GenerationStatus::Failed)
    };
    let due = |day: &Day| schedule.on(*day).is_some_and(|at| at >= profile.created_at);
    Ok((1..=MISSED_DAYS).rev().map(|n| today.plus(-n)).filter(due).filter(|day| !in_time(*day)).collect())
}

/// One profile's reports, once its node is read.
struct Making {
    profile: Profile,
    made_at: UnixMs,
    retry_count: u32,
    plan: Plan,
    date: Day,
}

impl Making {
    /// Keeps the snapshot before it is judged, then makes up for missed days, then makes the day's report.
    fn store_and_judge(
        self,
        store: &store::Store,
        collected: Collected,
        thresholds: &Thresholds,
        retention: &Retention,
    ) -> Result<Made, Failure> {
        let Collected { observation, public, mut gaps, mut seen, mut off, host, watched } = collected;
        seen.insert(0, observation.seen);
        gaps.splice(0..0, observation.gaps);
        off.extend(observation.not_measured.into_iter().map(|(part, reason)| NotMeasured { part, reason }));
        let snapshot = Snapshot {
            schema: SCHEMA,
            taken_at: observation.taken_at,
            node: observation.node,
            public,
            gaps,
            sources: seen,
            host,
        };
        if watched != WatchedEvents::default() {
            store.put_watched(&self.profile, &watched)?;
        }
        store.put_snapshot(&self.profile, &snapshot)?;
        let mut caught_up = Vec::new();
        for day in &self.plan.missed {
            match self.caught_up(store, &snapshot, *day) {
                Ok(_) => caught_up.push(*day),
                Err(Failure::NoHistory { .. }) => {}
                Err(failure) => return Err(failure),
            }
        }
        let mut made = if self.plan.live {
            self.live(store, &snapshot, &off, thresholds)?
        } else {
            self.caught_up(store, &snapshot, self.date)?
        };
        // The report is stored and announced: what fails from here on does not undo it.
        let cleared = store.flush_files().map_err(|error| error.to_string());
        made.note = cleared.and_then(|_| self.purge(store, &snapshot, retention)).err();
        made.caught_up = caught_up;
        Ok(made)
    }

    /// Removes what is old, unless the newest block says that the clock runs ahead: then nothing is as old as it seems.
    fn purge(&self, store: &store::Store, snapshot: &Snapshot, retention: &Retention) -> Result<(), String> {
        let info = &snapshot.node.info;
        let block = info.best_header_at.filter(|_| info.network == Network::Mainnet);
        match block.filter(|block| self.made_at.since(*block) > 2 * DAY_MS) {
            Some(block) => Err(format!(
                "nothing old was removed: the clock says {}, the newest block is of {}: set the clock, or see why the node \
                 gets no blocks",
                self.made_at.rfc3339(),
                block.rfc3339()
            )),
            None => store.purge(&self.profile, retention, self.made_at).map(drop).map_err(|error| error.to_string()),
        }
    }

    fn live(
        &self,
        store: &store::Store,
        snapshot: &Snapshot,
        off: &[NotMeasured],
        thresholds: &Thresholds,
    ) -> Result<Made, Failure> {
        let window = Window::days_before(snapshot.taken_at, 1);
        let date = window.end.day();
        let mut history = store.history(&self.profile, window.end, date)?;
        history.missed = late_days(store, &self.profile, self.plan.schedule.as_ref(), date)?;
        let identity = self.identity(store, date)?;
        let input = Input { identity, snapshot, history: &history, thresholds, window, off };
        self.keep(store, &analysis::report(&input))
    }

    fn caught_up(&self, store: &store::Store, snapshot: &Snapshot, day: Day) -> Result<Made, Failure> {
        let scheduled = self.plan.schedule.as_ref().and_then(|schedule| schedule.on(day));
        let end = scheduled.unwrap_or_else(|| day.start().plus(DAY_MS / 4));
        let window = Window::days_before(end, 1);
        let history = store.history(&self.profile, window.end, day)?;
        let known = [history.first_forward, history.first_seen].into_iter().flatten().min();
        if known.is_none_or(|first| first >= window.end) {
            return Err(Failure::NoHistory { date: day });
        }
        let identity = self.identity(store, day)?;
        let info = &snapshot.node.info;
        let (pubkey, alias, network) = (&info.pubkey, info.alias.as_str(), info.network);
        let input = Backfill { identity, pubkey, alias, network, history: &history, window };
        self.keep(store, &analysis::backfilled(&input))
    }

    fn identity(&self, store: &store::Store, date: Day) -> store::Result<Identity> {
        Ok(Identity {
            report_id: store::new_id(self.made_at),
            user_id: self.profile.user.clone(),
            tenant_id: self.profile.tenant.clone(),
            revision: store.next_revision(&self.profile, date)?,
            generated_at: self.made_at,
            file: Some(format!("{}/{}.json", self.profile.folder, date.compact())),
            retry_count: self.retry_count,
        })
    }

    fn keep(&self, store: &store::Store, report: &Report) -> Result<Made, Failure> {
        let document = render::json::document(report);
        store.put_report(&self.profile, report, &document)?;
        Ok(Made {
            report_id: report.report_id,
            date: report.report_date,
            revision: report.revision,
            score: report.summary.overall_score,
            file: report.rag_asset_id.clone().unwrap_or_default(),
            gaps: report.gaps.len(),
            caught_up: Vec::new(),
            tries: 1,
            note: None,
        })
    }
}
