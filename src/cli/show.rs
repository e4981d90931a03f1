//! `daznode show`: the last report, one of a date, or one by its id.

use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::Context;
use super::failure::{fail, usage};
use super::generate::PeriodName;
use super::select::{self, Which, name};
use crate::exit::Code;
use crate::render;
use crate::report::period::{PeriodKind, PeriodReport};
use crate::store::{Profile, Store, StoredPeriod, StoredReport};
use crate::units::Day;

/// Print a report: the last one, the one of a date, or the one of an id
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode show\n  \
    daznode show channels\n  \
    daznode show bob --date 2026-11-20\n  \
    daznode show --period week\n  \
    daznode show --json | jq .summary.overall_score\n  \
    daznode show --markdown all > report.md")]
pub(super) struct Show {
    /// The node (pubkey, its first digits, or alias), and what of the report: channels or all
    #[arg(value_name = "NODE | channels | all", num_args = 0..=2, value_parser = select::node)]
    words: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// The report of this day, such as 2026-11-20
    #[arg(long, value_name = "DATE", conflicts_with = "id")]
    date: Option<Day>,
    /// The last report of a calendar week or month; with --date the one that has that day
    #[arg(long, value_name = "PERIOD", value_enum, default_value_t, conflicts_with = "id")]
    period: PeriodName,
    /// The report of this id, also one that was replaced
    #[arg(long, value_name = "UUID")]
    id: Option<Uuid>,
    #[command(flatten)]
    form: Form,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Form {
    /// Print JSON
    #[arg(long, conflicts_with_all = ["markdown", "format"])]
    pub(super) json: bool,
    /// Print Markdown
    #[arg(long, conflicts_with = "format")]
    markdown: bool,
    /// How to print it
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<FormatName>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    /// For people
    Table,
    /// For programs
    Json,
    /// For wikis and mail
    Markdown,
}

impl Form {
    pub(super) const fn format(self) -> render::Format {
        match self {
            Self { json: true, .. } | Self { format: Some(FormatName::Json), .. } => render::Format::Json,
            Self { markdown: true, .. } | Self { format: Some(FormatName::Markdown), .. } => render::Format::Markdown,
            _ => render::Format::Table,
        }
    }
}

impl Show {
    /// What of the report, and of which node. A node that is called "all" is named by its pubkey.
    fn meant(&self) -> anyhow::Result<(Option<&str>, render::Section)> {
        let section = |word: &str| match word {
            "channels" => Some(render::Section::Channels),
            "all" => Some(render::Section::All),
            "summary" => Some(render::Section::Summary),
            _ => None,
        };
        match self.words.as_slice() {
            [] => Ok((None, render::Section::Summary)),
            [one] => Ok(section(one).map_or((Some(one), render::Section::Summary), |s| (None, s))),
            [node, word] | [word, node, ..] if section(word).is_some() => {
                Ok((Some(node), section(word).unwrap_or(render::Section::Summary)))
            }
            _ => Err(usage("expected one node and one of: channels, all; see --help")),
        }
    }
}

pub(super) fn run(show: &Show, context: &Context) -> anyhow::Result<Code> {
    let (node, section) = show.meant()?;
    let store = context.read()?;
    if let Some(kind) = show.period.kind() {
        return of_period(show, context, kind, &store, &show.which.one(&store, node)?);
    }
    let stored = match show.id {
        Some(id) => match store.report_by_id(show.which.tenant.as_deref(), id)? {
            Some(stored) => stored,
            None => match store.period_report_by_id(show.which.tenant.as_deref(), id)? {
                Some(found) => return print_period(show, context, &found),
                None => return Err(usage(format!("no report has the id {id}: `daznode history --json` lists ids"))),
            },
        },
        None => of_profile(show, &store, &show.which.one(&store, node)?)?,
    };
    context.tell_store();
    let text = render::report(&stored.report, &stored.document, show.form.format(), &context.page(), section);
    context.output.print(&text)?;
    Ok(Code::Fine)
}

fn of_period(
    show: &Show,
    context: &Context,
    kind: PeriodKind,
    store: &Store,
    profile: &Profile,
) -> anyhow::Result<Code> {
    let found = match show.date {
        Some(date) => store.period_report(profile, kind, kind.start(date))?,
        None => match store.period_starts(profile, kind)?.last() {
            Some(start) => store.period_report(profile, kind, *start)?,
            None => None,
        },
    };
    let Some(found) = found else {
        let (name, kind) = (name(profile), kind.as_str());
        let remedy = format!("`daznode generate --period {kind}` makes the last one");
        return Err(fail(Code::Failed, format!("{name} has no report of such a {kind}: {remedy}")));
    };
    print_period(show, context, &found)
}

fn print_period(show: &Show, context: &Context, found: &StoredPeriod) -> anyhow::Result<Code> {
    let report: PeriodReport = serde_json::from_str(&found.document)
        .map_err(|error| fail(Code::Store, format!("the stored report {} can't be read: {error}", found.report_id)))?;
    context.tell_store();
    let text = render::period(&report, &found.document, show.form.format(), &context.page());
    context.output.print(&text)?;
    Ok(Code::Fine)
}

fn of_profile(show: &Show, store: &Store, profile: &Profile) -> anyhow::Result<StoredReport> {
    let found = match show.date {
        Some(date) => store.day_report(profile, date)?,
        None => store.latest_report(profile)?,
    };
    if let Some(found) = found {
        return Ok(found);
    }
    let name = name(profile);
    let Some(date) = show.date else {
        let remedy = "`daznode generate` makes one";
        return Err(fail(Code::Failed, format!("{name} has no report yet: {remedy}")));
    };
    if let Some(failed) = store.day_failed(profile, date)? {
        let why = super::text::line(&failed.message);
        return Err(fail(Code::Failed, format!("{name} has no report of {date}: making it failed: {why}")));
    }
    Err(fail(Code::Failed, format!("{name} has no report of {date}: `daznode history` lists the days")))
}
