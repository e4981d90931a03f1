//! `daznode generate`: make the reports, and say what was made, what failed and why.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::collect::Collector;
use super::failure::usage;
use super::output::Output;
use super::progress::Bar;
use super::select::{self, Which, name};
use super::sources::SourcesSeen;
use super::{Context, clock, connect, lock, notify, place, stop, text};
use crate::daily::{self, Made, Options, Outcome};
use crate::exit::Code;
use crate::report::period::PeriodKind;
use crate::schedule::Schedule;
use crate::store::{Access, Error, Handle, Profile, RunRow, Store, new_id};
use crate::units::{Day, UnixMs};

/// Make today's report of one node, of several, or of all
///
/// A node that has today's complete report is left alone unless --force is given. Days that were missed are made up for
/// from the node's own history. One node that fails never stops the others.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode generate bob\n  \
    daznode generate --all --jobs 4 --json\n  \
    daznode generate --all --dry-run\n  \
    daznode generate bob --date 2026-11-20\n  \
    daznode generate --all --period week\n\n\
    Environment: DAILY_REPORTS_MAX_CONCURRENT (--jobs), DAILY_REPORTS_MAX_RETRIES (all tries: --retries and one), \
    DAILY_REPORTS_TIMEOUT (--timeout), DAILY_REPORTS_SCHEDULER_ENABLED (false: --due makes nothing), DAILY_REPORTS_HOUR \
    and DAILY_REPORTS_MINUTE (the default schedule of `enable`).")]
pub(super) struct Generate {
    /// The nodes: pubkeys, the first digits of them, or aliases
    #[arg(value_parser = select::node, value_name = "NODE", conflicts_with_all = ["all", "due"])]
    nodes: Vec<String>,
    /// All enabled profiles
    #[arg(long, conflicts_with = "due")]
    all: bool,
    /// Every enabled profile whose schedule owes a report
    #[arg(long)]
    due: bool,
    #[command(flatten)]
    which: Which,
    /// Seconds for each node with all its tries (default: 300)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: Option<u64>,
    /// Further tries after the first, where trying again can help (default: 2)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=20))]
    retries: Option<u32>,
    /// Seconds for the whole run; what was not begun by then is reported as not tried (default: no limit)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    budget: Option<u64>,
    /// Nodes read at once (default: 10)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    jobs: Option<u32>,
    /// The day to report, such as 2026-11-20 (default: today, UTC); with --period any day of it
    #[arg(long, value_name = "DATE")]
    pub(super) date: Option<Day>,
    /// Make the report of a calendar week or month from what is stored (default: the last one that is over)
    #[arg(long, value_name = "PERIOD", value_enum, default_value_t, conflicts_with_all = ["due", "timeout", "retries", "budget", "jobs"])]
    period: PeriodName,
    /// Say what would be made; contact nothing, write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Make it again though it is there
    #[arg(long)]
    pub(super) force: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// How long a time a report is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum PeriodName {
    /// 24 hours
    #[default]
    Day,
    /// Monday to Sunday
    Week,
    /// A calendar month
    Month,
}

impl PeriodName {
    /// The calendar's period; `None` for a day.
    pub(super) const fn kind(self) -> Option<PeriodKind> {
        match self {
            Self::Day => None,
            Self::Week => Some(PeriodKind::Week),
            Self::Month => Some(PeriodKind::Month),
        }
    }
}

impl Generate {
    const fn kind(&self) -> &'static str {
        match (self.all, self.due) {
            (true, _) => "all",
            (_, true) => "due",
            _ => "one",
        }
    }

    fn options(&self, context: &Context) -> Options {
        let run = &context.config.run;
        let budget = self.budget.unwrap_or(run.budget_s);
        Options {
            jobs: usize::try_from(self.jobs.unwrap_or(run.jobs)).unwrap_or(1),
            timeout: Duration::from_secs(self.timeout.unwrap_or(run.timeout_s)),
            retries: self.retries.unwrap_or(run.retries),
            budget: (budget > 0).then(|| Duration::from_secs(budget)),
            date: self.date,
            dry_run: self.dry_run,
            force: self.force,
            catch_up_days: run.catch_up_days,
            retention: context.config.retention.days(),
            thresholds: context.config.thresholds.clone(),
        }
    }
}

pub(super) fn run(generate: &Generate, context: &Context) -> anyhow::Result<Code> {
    if generate.due && !context.config.schedule.enabled {
        context
            .output
            .note("Schedules are switched off (schedule.enabled, DAILY_REPORTS_SCHEDULER_ENABLED): nothing made.");
        return ended(generate, context, &[], Code::Fine);
    }
    if generate.date.is_some_and(|date| date > context.now.day()) {
        return Err(usage(format!("--date lies in the future: today is {} (UTC)", context.now.day())));
    }
    let profiles = match context.read() {
        Ok(store) => chosen(generate, context, &store)?,
        Err(error) if matches!(error.downcast_ref::<Error>(), Some(Error::Missing { .. })) => Vec::new(),
        Err(error) => return Err(error),
    };
    if profiles.is_empty() {
        if generate.due {
            context.output.note("No report is due.");
        } else {
            context.output.note("There is no enabled profile: `daznode enable` makes one.");
        }
        let named = !generate.all && !generate.due;
        return ended(generate, context, &[], if named { Code::Usage } else { Code::Fine });
    }
    if let Some(kind) = generate.period.kind() {
        return super::periods::run(generate, context, kind, &profiles);
    }
    if generate.dry_run {
        let store = Handle::new(Store::open(&context.place.state, Access::Read)?)?;
        let (outcomes, _) = make(generate, context, profiles, &store)?;
        return ended(generate, context, &outcomes, code(&outcomes));
    }
    let store = context.write()?;
    let _lock = lock::take(&context.place.state, context.now)?;
    store.check_writable()?;
    // What an earlier run announced and a kill kept from its file comes first.
    store.flush_files()?;
    let row = begun(generate, context);
    store.put_run(&row)?;
    let store = Handle::new(store)?;
    let (outcomes, interrupted) = make(generate, context, profiles, &store)?;
    let code = if interrupted { Code::Interrupted } else { code(&outcomes) };
    let row = RunRow { ended_at: Some(clock::now()), exit_code: Some(code.number()), ..counted(row, &outcomes) };
    connect::block_on(store.run(move |store| {
        store.flush_files()?;
        store.put_run(&row)
    }))??;
    notify::after_run(context, &store, code);
    place::settle(&context.place)?;
    ended(generate, context, &outcomes, code)
}

/// The profiles that are meant.
fn chosen(generate: &Generate, context: &Context, store: &Store) -> anyhow::Result<Vec<Profile>> {
    if generate.all || generate.due {
        let mut profiles = generate.which.all(store, true)?;
        if generate.due {
            profiles.retain(|p| owes(p, context.now));
        }
        return Ok(profiles);
    }
    if generate.nodes.is_empty() {
        let mut enabled = generate.which.all(store, true)?;
        if enabled.len() > 1 {
            return Err(usage(format!("{} profiles are enabled: name the nodes, or say --all", enabled.len())));
        }
        enabled.truncate(1);
        return Ok(enabled);
    }
    let mut profiles: Vec<Profile> = Vec::new();
    for node in &generate.nodes {
        for profile in generate.which.of_node(store, node)? {
            if !profile.enabled {
                return Err(usage(format!(
                    "{} is disabled: `daznode enable --all` or enable it again",
                    name(&profile)
                )));
            }
            if !profiles.iter().any(|p| p.id == profile.id) {
                profiles.push(profile);
            }
        }
    }
    Ok(profiles)
}

/// Whether a schedule owes a report that is not there: counted from the last report, or from `enable`.
fn owes(profile: &Profile, now: UnixMs) -> bool {
    let since = profile.last_report_at.unwrap_or(profile.created_at);
    profile.schedule.parse::<Schedule>().is_ok_and(|s| s.owes(since, now))
}

/// Makes them, until they are made or somebody stops us. What was done by then is returned, with whether it was stopped.
fn make(
    generate: &Generate,
    context: &Context,
    profiles: Vec<Profile>,
    store: &Handle,
) -> anyhow::Result<(Vec<(Profile, Outcome)>, bool)> {
    let options = generate.options(context);
    let bar = Bar::new(profiles.len(), context.output);
    let noted = Noted { bar: &bar, done: std::cell::RefCell::new(Vec::new()) };
    let mut collector = Collector::new(context, options.timeout, options.budget)?;
    let all = profiles.clone();
    let finished = connect::block_on(async {
        let (of, places, now) = (all.clone(), collector.places(), context.now);
        let known = store.run(move |store| SourcesSeen::load(store, &of, &places, now)).await;
        match known {
            Ok(known) => collector.recall(known),
            Err(error) => context.output.detail(&format!("how sources were doing is not known: {error}")),
        }
        let stop = stop::asked()?;
        let run = daily::run(profiles, store, &collector, &options, &clock::now, &noted);
        tokio::select! {
            outcomes = run => Ok::<_, std::io::Error>(Some(outcomes)),
            () = stop => Ok(None),
        }
    })??;
    if !options.dry_run {
        let (found, now) = (collector.found(), clock::now());
        // The reports are made. A store that takes no more has said so already, with the report itself.
        if let Err(error) = connect::block_on(store.run(move |store| found.keep(store, now)))? {
            context.output.detail(&format!("how sources did could not be stored: {error}"));
        }
    }
    bar.end();
    for warning in collector.warnings() {
        context.output.note(&format!("warning: {}", text::line(&warning)));
    }
    let interrupted = finished.is_none();
    let mut outcomes = finished.unwrap_or_else(|| noted.done.into_inner());
    for profile in all {
        if !outcomes.iter().any(|(p, _)| p.id == profile.id) {
            outcomes.push((profile, Outcome::NotTried));
        }
    }
    outcomes.sort_by(|(a, _), (b, _)| (&a.tenant, &a.user, &a.alias, a.id).cmp(&(&b.tenant, &b.user, &b.alias, b.id)));
    Ok((outcomes, interrupted))
}

/// Keeps what was done, for when the run is stopped.
struct Noted<'a> {
    bar: &'a Bar,
    done: std::cell::RefCell<Vec<(Profile, Outcome)>>,
}

impl daily::Progress for Noted<'_> {
    fn started(&self, profile: &Profile) {
        self.bar.started(profile);
    }

    fn finished(&self, profile: &Profile, outcome: &Outcome) {
        self.bar.finished(profile, outcome);
        self.done.borrow_mut().push((profile.clone(), outcome.clone()));
    }
}

fn begun(generate: &Generate, context: &Context) -> RunRow {
    RunRow {
        id: new_id(context.now),
        started_at: context.now,
        ended_at: None,
        kind: generate.kind().to_owned(),
        made: 0,
        partial: 0,
        failed: 0,
        not_tried: 0,
        exit_code: None,
    }
}

fn counted(mut row: RunRow, outcomes: &[(Profile, Outcome)]) -> RunRow {
    for (_, outcome) in outcomes {
        match outcome {
            Outcome::Made(made) => {
                row.made += 1;
                row.partial += u32::from(made.gaps > 0);
            }
            Outcome::Failed { .. } => row.failed += 1,
            Outcome::NotTried => row.not_tried += 1,
            Outcome::AlreadyMade { .. } | Outcome::WouldMake { .. } => {}
        }
    }
    row
}

/// The run's exit code. Only where every node failed for the same reason is that reason's code the run's, since a
/// restart helps the others.
fn code(outcomes: &[(Profile, Outcome)]) -> Code {
    let mut failed: Vec<Code> = Vec::new();
    let (mut partial, mut others) = (false, false);
    for (_, outcome) in outcomes {
        match outcome {
            Outcome::Failed { code, .. } => failed.push(*code),
            Outcome::NotTried => failed.push(Code::Failed),
            Outcome::Made(made) => (partial, others) = (partial || made.gaps > 0 || made.note.is_some(), true),
            Outcome::AlreadyMade { .. } | Outcome::WouldMake { .. } => others = true,
        }
    }
    match failed.first() {
        None if partial => Code::Partial,
        None => Code::Fine,
        Some(first) if !others && failed.iter().all(|c| c == first) => *first,
        Some(_) => Code::Failed,
    }
}

/// Says what came of it.
fn ended(generate: &Generate, context: &Context, outcomes: &[(Profile, Outcome)], code: Code) -> anyhow::Result<Code> {
    if generate.json {
        let rows: Vec<_> = outcomes.iter().map(|(p, o)| outcome_json(p, o)).collect();
        context.output.json(&json!({ "exit_code": code.number(), "outcomes": rows }))?;
    }
    tell(context.output, outcomes);
    if code == Code::Interrupted {
        context
            .output
            .note("Interrupted. What is listed as made is stored; run `daznode generate` again for the rest.");
    }
    Ok(code)
}

fn tell(output: Output, outcomes: &[(Profile, Outcome)]) {
    for (profile, outcome) in outcomes {
        // Several users may have the same node.
        let shared = outcomes.iter().filter(|(other, _)| other.pubkey == profile.pubkey).count() > 1;
        let of = if shared { format!(" of user {}", profile.user) } else { String::new() };
        let name = format!("{}{of}", name(profile));
        match outcome {
            Outcome::Made(made) => output.note(&format!("{name}: {}", made_line(made))),
            Outcome::AlreadyMade { date, .. } => {
                output.note(&format!("{name}: the report of {date} is there already (--force makes it again)"));
            }
            Outcome::WouldMake { date, catch_up } => {
                let more = if catch_up.is_empty() { String::new() } else { format!(" and {}", days(catch_up)) };
                output.note(&format!("{name}: would make the report of {date}{more}"));
            }
            // Failures are told also where only what was asked for is printed.
            Outcome::Failed { error, tries, .. } => {
                let tries = if *tries > 1 { format!(" ({tries} tries)") } else { String::new() };
                super::output::tell(&format!("{name}: failed{tries}: {}", text::line(error)));
            }
            Outcome::NotTried => super::output::tell(&format!("{name}: not tried, the run ended before its turn")),
        }
    }
    if outcomes.len() > 1 {
        let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, o)| is(o)).count();
        output.note(&format!(
            "{} made, {} there already, {} failed, {} not tried",
            count(|o| matches!(o, Outcome::Made(_))),
            count(|o| matches!(o, Outcome::AlreadyMade { .. })),
            count(|o| matches!(o, Outcome::Failed { .. })),
            count(|o| matches!(o, Outcome::NotTried)),
        ));
    }
}

fn made_line(made: &Made) -> String {
    let mut line = format!("made the report of {}", made.date);
    if let Some(score) = made.score {
        line = format!("{line}, score {score}");
    }
    if made.gaps > 0 {
        let gaps = if made.gaps == 1 { "1 gap".to_owned() } else { format!("{} gaps", made.gaps) };
        line = format!("{line}, with {gaps} (`daznode show` names them)");
    }
    if !made.caught_up.is_empty() {
        line = format!("{line}; caught up {}", days(&made.caught_up));
    }
    if let Some(note) = &made.note {
        line = format!("{line}; the report is stored, but: {}", text::line(note));
    }
    line
}

fn days(days: &[Day]) -> String {
    days.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn outcome_json(profile: &Profile, outcome: &Outcome) -> serde_json::Value {
    let mut row = json!({
        "node_pubkey": profile.pubkey,
        "node_alias": profile.alias,
        "user_id": profile.user,
        "tenant_id": profile.tenant,
    });
    let more = match outcome {
        Outcome::Made(made) => json!({
            "outcome": if made.gaps > 0 { "partial" } else { "made" },
            "report_id": made.report_id,
            "report_date": made.date,
            "revision": made.revision,
            "overall_score": made.score,
            "file": made.file,
            "gaps": made.gaps,
            "caught_up": made.caught_up,
            "tries": made.tries,
            "note": made.note,
        }),
        Outcome::AlreadyMade { report_id, date } => {
            json!({ "outcome": "already_made", "report_id": report_id, "report_date": date })
        }
        Outcome::WouldMake { date, catch_up } => {
            json!({ "outcome": "would_make", "report_date": date, "catch_up": catch_up })
        }
        Outcome::Failed { error, code, tries } => {
            json!({ "outcome": "failed", "error": error, "exit_code": code.number(), "tries": tries })
        }
        Outcome::NotTried => json!({ "outcome": "not_tried" }),
    };
    if let (Some(row), serde_json::Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
    row
}
