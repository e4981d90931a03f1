//! Advice over the days: one row for each key and occurrence, what became of it, and what came of it.

use std::collections::HashMap;

use rusqlite::{Row, Transaction, params};
use uuid::Uuid;

use super::error::Result;
use super::profiles::{Key, Profile};
use super::{Json, Named, Parsed, Store, name_of, new_id, sums};
use crate::history::{AdviceSpan, PastAdvice, Period, Window};
use crate::report::{Act, AdviceOutcome, AdviceState, AdviceUpdate, Recommendation, Report};
use crate::units::{DAY_MS, Msat, Sat, UnixMs};

/// Days after which an advice that was followed is looked at.
const OUTCOME_DAYS: [u32; 2] = [7, 30];
/// Advice that ended or was followed longer ago is no longer part of a history.
const REMEMBERED_DAYS: i64 = 45;

/// An advice as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct AdviceRow {
    /// The advice, without spans.
    pub advice: PastAdvice,
    /// When it took its present state; `None` where that is not known.
    pub state_at: Option<UnixMs>,
    /// The report that gave it first.
    pub first_report: Uuid,
    /// The report that gave it last.
    pub last_report: Uuid,
}

const COLUMNS: &str = "SELECT id, advice_key, state, title, command, act, promised_msat, promised_low_msat, \
    promised_high_msat, cost_msat, first_ms, last_ms, followed_ms, state_ms, first_report, last_report FROM advice";

fn read(row: &Row<'_>) -> rusqlite::Result<AdviceRow> {
    let msat = |column| row.get::<_, Option<i64>>(column).map(|msat| msat.map(Msat::new));
    let at = |column| row.get::<_, Option<i64>>(column).map(|ms| ms.map(UnixMs));
    let advice = PastAdvice {
        id: row.get::<_, Parsed<Uuid>>(0)?.0,
        key: row.get(1)?,
        state: row.get::<_, Named<AdviceState>>(2)?.0,
        title: row.get(3)?,
        command: row.get(4)?,
        act: row.get::<_, Option<Json<Act>>>(5)?.map(|act| act.0),
        promised: msat(6)?,
        promised_low: msat(7)?,
        promised_high: msat(8)?,
        cost: msat(9)?,
        first_at: UnixMs(row.get(10)?),
        last_at: UnixMs(row.get(11)?),
        followed_at: at(12)?,
        outcomes: Vec::new(),
        spans: Vec::new(),
    };
    let (first_report, last_report) = (row.get::<_, Parsed<Uuid>>(14)?.0, row.get::<_, Parsed<Uuid>>(15)?.0);
    Ok(AdviceRow { advice, state_at: at(13)?, first_report, last_report })
}

impl Store {
    /// Advice that was given, or changed its state, since a moment, whatever its state: the newest first.
    pub fn advice(&self, profile: &Profile, since: UnixMs) -> Result<Vec<AdviceRow>> {
        let key = self.key(profile)?;
        self.read(|tx| {
            let which = "(last_ms >= ?3 OR state_ms >= ?3) ORDER BY first_ms DESC, advice_key, id";
            self.sql(rows(tx, key, profile, which, since))
        })
    }
}

fn rows(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    which: &str,
    at: UnixMs,
) -> rusqlite::Result<Vec<AdviceRow>> {
    let mut some = tx.prepare_cached(&format!("{COLUMNS} WHERE tenant = ?1 AND profile = ?2 AND {which}"))?;
    let found = some.query_map((key.tenant, profile.id.to_string(), at.0), read)?;
    let mut found = found.collect::<rusqlite::Result<Vec<AdviceRow>>>()?;
    let mut outcomes = tx.prepare_cached(
        "SELECT days, measured_ms, gained_msat, anyway_msat FROM advice_outcomes WHERE tenant = ?1 AND advice = ?2 \
         ORDER BY days",
    )?;
    for row in &mut found {
        let of = outcomes.query_map((key.tenant, row.advice.id.to_string()), |row| {
            Ok(AdviceOutcome {
                days: row.get(0)?,
                measured_at: UnixMs(row.get(1)?),
                gained: row.get::<_, Option<i64>>(2)?.map(Msat::new),
                anyway: row.get::<_, Option<i64>>(3)?.map(Msat::new),
            })
        })?;
        row.advice.outcomes = of.collect::<rusqlite::Result<_>>()?;
    }
    Ok(found)
}

/// Advice that is open, or that ended or was followed not long before `end`, with the flows around it where an outcome is
/// due.
pub(super) fn past(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    end: UnixMs,
) -> rusqlite::Result<Vec<PastAdvice>> {
    let which =
        "(state = 'open' OR coalesce(state_ms, last_ms) >= ?3 OR followed_ms >= ?3) ORDER BY first_ms, advice_key, id";
    let rows = rows(tx, key, profile, which, end.plus(-REMEMBERED_DAYS * DAY_MS))?;
    let mut past: Vec<PastAdvice> = rows.into_iter().map(|row| row.advice).collect();
    past.retain(|advice| advice.first_at < end);
    // Advice is often given, and followed, together.
    let mut known: HashMap<(UnixMs, UnixMs), Period> = HashMap::new();
    let mut period = |start: UnixMs, end: UnixMs| -> rusqlite::Result<Period> {
        if let Some(period) = known.get(&(start, end)) {
            return Ok(period.clone());
        }
        let period = sums::period(tx, key, Window { start, end })?;
        known.insert((start, end), period.clone());
        Ok(period)
    };
    for advice in &mut past {
        let Some(followed) = advice.followed_at else { continue };
        for days in OUTCOME_DAYS {
            let span = i64::from(days) * DAY_MS;
            if followed.plus(span) > end || advice.outcomes.iter().any(|outcome| outcome.days == days) {
                continue;
            }
            let before = period(advice.first_at.plus(-span), advice.first_at)?;
            let after = period(followed, followed.plus(span))?;
            advice.spans.push(AdviceSpan { days, before, after });
        }
    }
    Ok(past)
}

/// Keeps what the report says of earlier advice, and then what it advises: an update may make room for a new row of the
/// same key.
pub(super) fn put(tx: &Transaction<'_>, key: Key, profile: &Profile, report: &Report) -> rusqlite::Result<()> {
    let at = report.window_end.0;
    for update in &report.advice_updates {
        put_update(tx, key, profile, update, at)?;
    }
    for advice in &report.recommendations {
        put_one(tx, key, profile, report, advice)?;
    }
    Ok(())
}

fn put_update(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    update: &AdviceUpdate,
    at: UnixMs,
) -> rusqlite::Result<()> {
    let (id, profile) = (update.id.to_string(), profile.id.to_string());
    // What has ended does not open again: the key may have another row by now. The first moment of a state stands.
    tx.prepare_cached(
        "UPDATE advice SET state_ms = CASE WHEN state = ?4 THEN state_ms ELSE ?5 END, state = ?4, \
         followed_ms = coalesce(followed_ms, ?6) \
         WHERE tenant = ?1 AND profile = ?2 AND id = ?3 AND (state = 'open' OR ?4 <> 'open')",
    )?
    .execute((key.tenant, &profile, &id, name_of(&update.state), at.0, update.followed_at.map(|at| at.0.0)))?;
    let mut put = tx.prepare_cached(
        "INSERT INTO advice_outcomes (tenant, advice, days, measured_ms, gained_msat, anyway_msat, inputs) \
         SELECT tenant, id, ?4, ?5, ?6, ?7, '{}' FROM advice WHERE tenant = ?1 AND profile = ?2 AND id = ?3 \
         ON CONFLICT (tenant, advice, days) DO NOTHING",
    )?;
    for outcome in &update.outcomes {
        let (gained, anyway) = (outcome.gained.map(Msat::get), outcome.anyway.map(Msat::get));
        put.execute((key.tenant, &profile, &id, outcome.days, outcome.measured_at.0, gained, anyway))?;
    }
    Ok(())
}

/// First and last report of a key, with what was promised last.
fn put_one(
    tx: &Transaction<'_>,
    key: Key,
    profile: &Profile,
    report: &Report,
    advice: &Recommendation,
) -> rusqlite::Result<()> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO advice (tenant, id, profile, advice_key, state, title, command, formula_version, inputs, \
         confidence, promised_msat, promised_low_msat, promised_high_msat, cost_msat, act, first_report, last_report, \
         first_ms, last_ms, state_ms) \
         VALUES (?1, ?2, ?3, ?4, 'open', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15, ?16, ?16, ?16) \
         ON CONFLICT (tenant, profile, advice_key) WHERE state = 'open' DO UPDATE SET title = excluded.title, \
         command = excluded.command, formula_version = excluded.formula_version, inputs = excluded.inputs, \
         confidence = excluded.confidence, promised_msat = excluded.promised_msat, \
         promised_low_msat = excluded.promised_low_msat, promised_high_msat = excluded.promised_high_msat, \
         cost_msat = excluded.cost_msat, act = excluded.act, last_report = excluded.last_report, \
         last_ms = excluded.last_ms",
    )?;
    let at = report.window_end.0;
    let msat = |sat: Option<Sat>| sat.map(|sat| sat.msat().get());
    upsert.execute(params![
        key.tenant,
        new_id(at).to_string(),
        profile.id.to_string(),
        advice.advice_key,
        advice.title,
        advice.suggested_action,
        report.score_version,
        serde_json::to_string(&advice.evidence).unwrap_or_default(),
        // NaN is no number to SQLite.
        if advice.confidence.is_finite() { advice.confidence } else { 0.0 },
        msat(advice.estimated_gain_sats_month),
        msat(advice.gain_low_sats_month),
        msat(advice.gain_high_sats_month),
        msat(advice.cost_sats),
        advice.act.as_ref().and_then(|act| serde_json::to_string(act).ok()),
        report.report_id.to_string(),
        at.0,
    ])?;
    Ok(())
}
