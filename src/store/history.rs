//! A node's past, put together for `analysis` from one unchanging view of the database.

use rusqlite::Transaction;

use super::error::Result;
use super::profiles::{Key, Profile};
use super::{Store, advice, alerts, balances, commitments, host, last, policies, samples, seen, sums, watched};
use crate::history::{History, PastDay, Period, Window};
use crate::report::GenerationStatus;
use crate::units::{DAY_MS, Day, UnixMs};

/// Days that are summed one by one.
const DAYS: i64 = 120;
/// Days of samples.
const SAMPLE_DAYS: i64 = 30;
/// Days of changed policies.
const POLICY_DAYS: i64 = 90;
/// Days before a report's that its trends show.
const TREND_DAYS: i64 = 89;
/// Days before a report's whose scores are looked at part by part.
const SCORE_DAYS: i64 = 7;

impl Store {
    /// The past of the profile's node up to `window_end`, for the report of `report_date`. Which days were missed is for
    /// the one to tell who knows the schedule.
    pub fn history(&self, profile: &Profile, window_end: UnixMs, report_date: Day) -> Result<History> {
        let key = self.key(profile)?;
        self.read(|tx| {
            let mut history = self.standing(tx, key, profile, window_end, report_date)?;
            self.sql(add_events(tx, key, window_end, &mut history))?;
            self.sql(add_samples(tx, key, window_end, &mut history))?;
            history.watched = self.sql(watched::watched(tx, key, window_end))?;
            history.advice = self.sql(advice::past(tx, key, profile, window_end))?;
            if let Some(since) = history.previous_report.as_ref().map(|report| report.window_end.0) {
                history.resolved_alerts = self.sql(alerts::resolved(tx, key, profile, since))?;
            }
            history.past_days = self.past_days(profile, report_date)?;
            history.past_scores = self.past_scores(profile, report_date.plus(-SCORE_DAYS), report_date.plus(-1))?;
            Ok(history)
        })
    }

    /// Of the past only what the watcher's rules read: no sums of events, no samples of channels. It is asked for with
    /// every look at a node; the whole costs hundreds of milliseconds where the node is large.
    pub fn recent_history(&self, profile: &Profile, now: UnixMs) -> Result<History> {
        let key = self.key(profile)?;
        self.read(|tx| {
            let mut history = self.standing(tx, key, profile, now, now.day())?;
            history.watched.peers_off = self.sql(watched::peers_off(tx, key, now))?;
            Ok(history)
        })
    }

    /// What stood before: the last report and snapshot, alerts, closed channels, transactions.
    fn standing(
        &self,
        tx: &Transaction<'_>,
        key: Key,
        profile: &Profile,
        end: UnixMs,
        report_date: Day,
    ) -> Result<History> {
        let mut history = self.sql(from_node(tx, key, end))?;
        history.open_alerts = self.sql(alerts::open(tx, key, profile))?;
        history.ended_alerts = self.sql(alerts::ended(tx, key, profile))?;
        history.mutes = self.sql(alerts::mutes(tx, key, profile))?;
        history.previous_report = self.previous_report(profile, report_date)?;
        // A report that is made again is held against the same day as the first of its day.
        let told = history.previous_report.as_ref().map(|report| report.window_end.0.plus(1));
        let before = told.map(|told| self.latest_snapshot(profile, told.min(end))).transpose()?.flatten();
        history.previous_snapshot = match before {
            None => self.latest_snapshot(profile, end)?,
            found => found,
        };
        Ok(history)
    }

    /// Sums of one window of any length.
    pub fn sums(&self, profile: &Profile, window: Window) -> Result<Period> {
        let key = self.key(profile)?;
        self.read(|tx| self.sql(sums::period(tx, key, window)))
    }

    fn past_days(&self, profile: &Profile, date: Day) -> Result<Vec<PastDay>> {
        let rows = self.report_days(profile, date.plus(-TREND_DAYS), date.plus(-1))?;
        let made = rows.into_iter().filter(|row| row.generation_status != GenerationStatus::Failed);
        let past = made.map(|row| PastDay {
            date: row.date,
            report_id: row.report_id,
            score_version: row.score_version,
            score: row.score,
            revenue_sat: row.revenue_sat,
            forward_rate: row.forward_rate,
            capacity_sat: row.capacity_sat,
        });
        Ok(past.collect())
    }
}

/// What is known of the node itself, its channels and its machine.
fn from_node(tx: &Transaction<'_>, key: Key, end: UnixMs) -> rusqlite::Result<History> {
    let first_seen: Option<i64> = tx
        .prepare_cached("SELECT first_seen_ms FROM nodes WHERE tenant = ?1 AND node = ?2")?
        .query_row((key.tenant, key.node), |row| row.get(0))?;
    let channels = samples::channels(tx, key)?;
    let scids = samples::scids(tx, key)?;
    let closed = samples::closes(tx, key, &channels, &scids)?;
    let named = scids.into_iter().filter_map(|(scid, channel)| {
        channels.get(&channel).map(|(point, peer, _)| (scid, point.clone(), peer.clone()))
    });
    Ok(History {
        first_seen: first_seen.map(UnixMs),
        transactions: samples::transactions(tx, key)?,
        commitments: commitments::all(tx, key, &channels)?,
        commit_fees: seen::commit_fees(tx, key, &channels)?,
        aliases: seen::aliases(tx, key)?,
        host: host::samples(tx, key, (end.plus(-SAMPLE_DAYS * DAY_MS), end))?,
        closed,
        scids: named.collect(),
        ..History::default()
    })
}

fn add_events(tx: &Transaction<'_>, key: Key, end: UnixMs, history: &mut History) -> rusqlite::Result<()> {
    let first_seen = history.first_seen;
    let first_forward = sums::first(tx, key)?.map(|ns| UnixMs(ns.div_euclid(1_000_000)));
    let periods;
    (periods, history.pairs_month) = sums::periods(tx, key, end)?;
    [history.day, history.week, history.month, history.quarter, history.ever] = periods;
    history.first_forward = first_forward;
    history.last_forward = last::forwards(tx, key, end)?;
    // Nothing is known of a day that was over before both.
    let known = |day_end: UnixMs| {
        first_forward.is_some_and(|first| first < day_end) || first_seen.is_some_and(|first| first < day_end)
    };
    let days = (1 - DAYS..=0).zip(sums::days(tx, key, end, DAYS)?);
    history.days = days.map(|(n, sum)| known(end.plus(n * DAY_MS)).then_some(sum)).collect();
    Ok(())
}

fn add_samples(tx: &Transaction<'_>, key: Key, end: UnixMs, history: &mut History) -> rusqlite::Result<()> {
    let channels = samples::channels(tx, key)?;
    let since = |days: i64| (end.plus(-days * DAY_MS), end);
    history.samples = samples::channel_samples(tx, key, &channels, since(SAMPLE_DAYS))?;
    history.balances = balances::means(tx, key, &channels, end)?;
    history.policy_changes = policies::changes(tx, key, &channels, since(POLICY_DAYS))?;
    Ok(())
}
