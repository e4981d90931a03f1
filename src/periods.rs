//! The report of a calendar week or month, from what is stored: no node is asked.

use uuid::Uuid;

use crate::analysis::{self, Identity, PeriodInput, ReportedDay};
use crate::history::Window;
use crate::render;
use crate::report::period::{PeriodKind, PeriodReport};
use crate::report::{GenerationStatus, SCORE_VERSION};
use crate::store::{PeriodDocument, Profile, Result, Store, new_id};
use crate::units::{Day, UnixMs};

/// What came of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeriodOutcome {
    /// Its report is stored and announced.
    Made {
        /// Its id.
        report_id: Uuid,
        /// Which one of that period.
        revision: u32,
        /// Its JSON file below the state folder.
        file: String,
    },
    /// It was there already.
    AlreadyMade {
        /// Which.
        report_id: Uuid,
    },
    /// A dry run: this would have been made.
    WouldMake,
    /// The node was not known before the period ended.
    NotKnown,
}

/// Makes the report of the period that begins at `start`, unless it is there.
pub fn make(store: &Store, profile: &Profile, kind: PeriodKind, start: Day, how: &How) -> Result<PeriodOutcome> {
    if let Some(there) = store.period_report(profile, kind, start)?.filter(|_| !how.force) {
        if !how.dry_run {
            store.renew_period_file(profile, &there)?;
        }
        return Ok(PeriodOutcome::AlreadyMade { report_id: there.report_id });
    }
    let end = kind.end(start);
    let window = Window { start: start.start(), end: end.start() };
    let history = store.history(profile, window.end, end.plus(-1))?;
    let first = [history.first_seen, history.first_forward].into_iter().flatten().min();
    if first.is_none_or(|first| first >= window.end) {
        return Ok(PeriodOutcome::NotKnown);
    }
    if how.dry_run {
        return Ok(PeriodOutcome::WouldMake);
    }
    let before = Window { start: kind.start(start.plus(-1)).start(), end: window.start };
    let (sums, before) = (store.sums(profile, window)?, store.sums(profile, before)?);
    let snapshot = store.latest_snapshot(profile, window.end)?;
    let revision = store.next_period_revision(profile, kind, start)?;
    let file = Store::period_file(profile, kind, start);
    let input = PeriodInput {
        identity: Identity {
            report_id: new_id(how.now),
            user_id: profile.user.clone(),
            tenant_id: profile.tenant.clone(),
            revision,
            generated_at: how.now,
            file: Some(file.clone()),
            retry_count: 0,
        },
        pubkey: &profile.pubkey,
        alias: &profile.alias,
        kind,
        start,
        history: &history,
        snapshot: snapshot.as_ref(),
        sums: &sums,
        before: &before,
        days: &reported(store, profile, start, end.plus(-1))?,
        alerts: &store.alerts_in(profile, window)?,
        advice: &store.advice(profile, window.start)?.into_iter().map(|row| row.advice).collect::<Vec<_>>(),
    };
    let report = analysis::period_report(&input);
    let document = render::json::document(&report);
    store.put_period_report(
        profile,
        &PeriodDocument {
            report_id: report.report_id,
            period: kind,
            start,
            revision,
            window_end: window.end,
            made_at: how.now,
            generation_status: status(&report),
            status: None,
            score: report.score.last,
            score_version: report.score.score_version.unwrap_or(SCORE_VERSION),
            revenue: report.forwarding.as_ref().map(|flow| flow.fees_msat.floor_sat()),
            forwards: report.forwarding.as_ref().map(|flow| flow.forwards),
            document: &document,
        },
    )?;
    Ok(PeriodOutcome::Made { report_id: report.report_id, revision, file })
}

/// Whole where each of its days has a report and nothing of its time is unknown. That no mean balance is kept of it is how
/// such reports are, and no gap.
fn status(report: &PeriodReport) -> GenerationStatus {
    let by_nature = |part: &str| part == "before" || part.starts_with("mean-balance");
    let whole = report.days.missing.is_empty()
        && report.not_measured.iter().all(|missing| by_nature(&missing.part))
        && report.money.as_ref().is_some_and(|money| money.unknown.is_empty());
    if whole { GenerationStatus::Complete } else { GenerationStatus::Partial }
}

/// How periods are to be made.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// When they are made.
    pub now: UnixMs,
    /// Again, though they are there.
    pub force: bool,
    /// Only say what would be made.
    pub dry_run: bool,
}

/// The days that have a report that did not fail.
fn reported(store: &Store, profile: &Profile, from: Day, to: Day) -> Result<Vec<ReportedDay>> {
    let rows = store.report_days(profile, from, to)?.into_iter();
    let made = rows.filter(|row| row.generation_status != GenerationStatus::Failed).map(|row| ReportedDay {
        date: row.date,
        backfilled: row.backfilled,
        score_version: row.score_version,
        score: row.score,
    });
    Ok(made.collect())
}
