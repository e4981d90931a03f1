//! `daznode history`: the last days side by side.

use clap::Args;

use super::Context;
use super::select::{self, Which};
use super::show::Form;
use crate::exit::Code;
use crate::render::{self, HistoryNode, HistoryRow};
use crate::store::{DayRow, Profile, Store};
use crate::units::{Day, Sat};

/// List the reports of the last days, with the course of the score
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode history\n  \
    daznode history bob --days 90 --limit 30 --page 2\n  \
    daznode history --json | jq -r '.days[] | [.date, .score] | @tsv'")]
pub(super) struct History {
    /// The node: its pubkey, the first digits of it, or its alias
    #[arg(value_parser = select::node)]
    node: Option<String>,
    #[command(flatten)]
    which: Which,
    /// How many days back
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// At most so many reports
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    limit: Option<u32>,
    /// Which page of so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 1, requires = "limit", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    page: u32,
    #[command(flatten)]
    form: Form,
}

pub(super) fn run(history: &History, context: &Context) -> anyhow::Result<Code> {
    let store = context.read()?;
    let profile = history.which.one(&store, history.node.as_deref())?;
    context.tell_store();
    let (days, until) = days(history, &store, &profile, context.now.day())?;
    let mut rows = rows(days);
    // Newest first, so that a page is the same whatever is asked for beside it.
    rows.reverse();
    if let Some(limit) = history.limit.and_then(|l| usize::try_from(l).ok()) {
        let page = usize::try_from(history.page.saturating_sub(1)).unwrap_or(usize::MAX);
        rows = rows.into_iter().skip(page.saturating_mul(limit)).take(limit).collect();
    }
    let node = HistoryNode {
        user_id: profile.user.clone(),
        node_pubkey: profile.pubkey.clone(),
        node_alias: profile.alias.clone(),
    };
    let until = (history.page == 1).then_some(until);
    let text = render::history(&node, &rows, until, history.form.format(), &context.page());
    context.output.print(&text)?;
    Ok(Code::Fine)
}

/// The days up to today; of a node whose last report is older (a recording, one that was disabled) up to that.
fn days(history: &History, store: &Store, profile: &Profile, today: Day) -> anyhow::Result<(Vec<DayRow>, Day)> {
    let back = i64::from(history.days) - 1;
    let days = store.report_days(profile, today.plus(-back), today)?;
    if !days.is_empty() {
        return Ok((days, today));
    }
    let Some(newest) = store.latest_report(profile)? else { return Ok((days, today)) };
    let until = newest.report.report_date;
    Ok((store.report_days(profile, until.plus(-back), until)?, until))
}

/// The rows to print; each with what changed since the day before, where both have a score of one formula.
fn rows(days: Vec<DayRow>) -> Vec<HistoryRow> {
    let mut before: Option<(Day, u32, i64)> = None;
    let mut rows = Vec::with_capacity(days.len());
    for day in days {
        let delta = match (day.score, before) {
            (Some(score), Some((date, version, old))) if date.plus(1) == day.date && version == day.score_version => {
                Some(score - old)
            }
            _ => None,
        };
        before = day.score.map(|score| (day.date, day.score_version, score));
        rows.push(HistoryRow {
            date: day.date,
            score: day.score,
            score_version: day.score_version,
            delta,
            revenue_sat: day.revenue_sat.map(Sat::new),
            forwards: day.forwards,
            forward_rate: day.forward_rate,
            capacity_sat: day.capacity_sat.map(Sat::new),
            critical_alerts: day.critical_alerts,
            warnings: day.warnings,
            status: day.generation_status,
            backfilled: day.backfilled,
            revision: day.revision,
            report_id: day.report_id,
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::GenerationStatus;

    fn day(date: &str, score: Option<i64>, score_version: u32) -> DayRow {
        DayRow {
            date: date.parse().unwrap(),
            report_id: uuid::Uuid::nil(),
            revision: 1,
            generation_status: GenerationStatus::Complete,
            status: None,
            score,
            score_version,
            revenue_sat: None,
            forward_rate: None,
            capacity_sat: None,
            forwards: None,
            critical_alerts: 0,
            warnings: 0,
            backfilled: false,
            error_message: None,
        }
    }

    #[test]
    fn a_change_is_told_only_from_one_day_to_the_next_by_one_formula() {
        let rows = rows(vec![
            day("2026-11-01", Some(70), 1),
            day("2026-11-02", Some(68), 1),
            day("2026-11-04", Some(60), 1),
            day("2026-11-05", Some(90), 2),
            day("2026-11-06", None, 2),
            day("2026-11-07", Some(91), 2),
        ]);
        let deltas: Vec<Option<i64>> = rows.iter().map(|r| r.delta).collect();
        assert_eq!(deltas, [None, Some(-2), None, None, None, None]);
    }
}
