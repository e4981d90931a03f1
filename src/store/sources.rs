//! How sources have been doing: their checks and breakers. What is of a node belongs to its tenant; public sources are
//! asked for all, and belong to the first one, like a run.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::Result;
use super::profiles::Profile;
use super::{Named, Store, name_of};
use crate::snapshot::{BreakerState, ErrorClass, Tally};
use crate::sources::breaker::{Breaker, SourceState};
use crate::sources::health::{CHECKS_KEPT_DAYS, CheckedDay, Kept, SourceCheck};
use crate::units::{DAY_MS, HOUR_MS, UnixMs};

/// The tenant that public sources belong to.
const FIRST: i64 = 1;
/// Days that are looked back for the longest availability.
const YEAR_DAYS: i64 = 365;

impl Store {
    /// Keeps checks and breakers: those of a profile's node, or of public sources where there is none.
    pub fn put_source_health(
        &self,
        of: Option<&Profile>,
        checks: &[SourceCheck],
        states: &[SourceState],
        now: UnixMs,
    ) -> Result<()> {
        let tenant = self.tenant_of(of)?;
        self.write(|tx| {
            self.sql(checks.iter().try_for_each(|check| put_check(tx, tenant, check)))?;
            self.sql(states.iter().try_for_each(|state| {
                // A node is the operator's own, and asked whatever is kept of it.
                if of.is_none() && waits(tx, tenant, state, now)? {
                    return Ok(());
                }
                put_state(tx, tenant, state, now)
            }))
        })
    }

    /// The breaker that is kept of one source.
    pub fn source_breaker(&self, of: Option<&Profile>, source: &str, subject: &str) -> Result<Option<Breaker>> {
        let tenant = self.tenant_of(of)?;
        self.read(|tx| self.sql(breaker(tx, (tenant, source, subject)).map(|kept| kept.map(|(kept, _)| kept))))
    }

    /// What is kept of one source.
    pub fn source_health(&self, of: Option<&Profile>, source: &str, subject: &str, now: UnixMs) -> Result<Kept> {
        let tenant = self.tenant_of(of)?;
        let which = (tenant, source, subject);
        self.read(|tx| {
            self.sql((|| {
                Ok(Kept {
                    breaker: breaker(tx, which)?.map(|(kept, _)| kept),
                    last: last_check(tx, which)?,
                    checks: hours(tx, which, now)?,
                    days: days(tx, which, now)?,
                })
            })())
        })
    }

    fn tenant_of(&self, of: Option<&Profile>) -> Result<i64> {
        of.map_or(Ok(FIRST), |profile| self.key(profile).map(|key| key.tenant))
    }
}

type Which<'a> = (i64, &'a str, &'a str);

fn put_check(tx: &Transaction<'_>, tenant: i64, check: &SourceCheck) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO source_checks (tenant, source, subject, at_ms, good, latency_ms, error, detail, version, newest_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (tenant, source, subject, at_ms) DO NOTHING",
    )?
    .execute(params![
        tenant,
        check.source,
        check.subject,
        check.at.0,
        check.good,
        check.latency_ms,
        check.error.map(|class| name_of(&class)),
        check.detail,
        check.version,
        check.newest.map(|at| at.0),
    ])
    .map(|_| ())
}

fn put_state(tx: &Transaction<'_>, tenant: i64, state: &SourceState, now: UnixMs) -> rusqlite::Result<()> {
    let breaker = &state.breaker;
    tx.prepare_cached(
        "INSERT INTO source_states (tenant, source, subject, state, failures, opened, until_ms, last_good_ms, last_error, \
         updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (tenant, source, subject) DO UPDATE SET \
         state = excluded.state, failures = excluded.failures, opened = excluded.opened, until_ms = excluded.until_ms, \
         last_good_ms = excluded.last_good_ms, last_error = excluded.last_error, updated_ms = excluded.updated_ms",
    )?
    .execute(params![
        tenant,
        state.source,
        state.subject,
        name_of(&breaker.state),
        breaker.failures,
        breaker.opened,
        breaker.until.map(|at| at.0),
        breaker.last_good.map(|at| at.0),
        breaker.last_error,
        now.0,
    ])
    .map(|_| ())
}

/// Whether another process kept that the source is to be left alone, and knows better.
fn waits(tx: &Transaction<'_>, tenant: i64, state: &SourceState, now: UnixMs) -> rusqlite::Result<bool> {
    let kept = breaker(tx, (tenant, &state.source, &state.subject))?;
    Ok(kept.is_some_and(|(kept, at)| *state.breaker.or_kept(&kept, at, now) != state.breaker))
}

/// A source's breaker, and when it was kept.
fn breaker(tx: &Transaction<'_>, which: Which<'_>) -> rusqlite::Result<Option<(Breaker, UnixMs)>> {
    tx.prepare_cached(
        "SELECT state, failures, opened, until_ms, last_good_ms, last_error, updated_ms FROM source_states \
         WHERE tenant = ?1 AND source = ?2 AND subject = ?3",
    )?
    .query_row(which, |row| {
        let breaker = Breaker {
            state: row.get::<_, Named<BreakerState>>(0)?.0,
            failures: row.get(1)?,
            opened: row.get(2)?,
            until: row.get::<_, Option<i64>>(3)?.map(UnixMs),
            last_good: row.get::<_, Option<i64>>(4)?.map(UnixMs),
            last_error: row.get(5)?,
        };
        Ok((breaker, UnixMs(row.get(6)?)))
    })
    .optional()
}

fn last_check(tx: &Transaction<'_>, which: Which<'_>) -> rusqlite::Result<Option<SourceCheck>> {
    tx.prepare_cached(
        "SELECT at_ms, good, latency_ms, error, detail, version, newest_ms FROM source_checks \
         WHERE tenant = ?1 AND source = ?2 AND subject = ?3 ORDER BY at_ms DESC LIMIT 1",
    )?
    .query_row(which, |row| {
        Ok(SourceCheck {
            source: which.1.to_owned(),
            subject: which.2.to_owned(),
            at: UnixMs(row.get(0)?),
            good: row.get(1)?,
            latency_ms: row.get(2)?,
            error: row.get::<_, Option<Named<ErrorClass>>>(3)?.map(|class| class.0),
            detail: row.get(4)?,
            version: row.get(5)?,
            newest: row.get::<_, Option<i64>>(6)?.map(UnixMs),
        })
    })
    .optional()
}

/// Checks by how many whole hours ago they were: 35 days of one a minute are too many to be read one by one.
fn hours(tx: &Transaction<'_>, which: Which<'_>, now: UnixMs) -> rusqlite::Result<Vec<(i64, Tally)>> {
    let mut some = tx.prepare_cached(
        "SELECT (?4 - at_ms) / ?5, count(*), sum(good) FROM source_checks \
         WHERE tenant = ?1 AND source = ?2 AND subject = ?3 AND at_ms <= ?4 GROUP BY 1 ORDER BY 1",
    )?;
    some.query_map((which.0, which.1, which.2, now.0, HOUR_MS), |row| {
        Ok((row.get(0)?, Tally { checks: row.get(1)?, good: row.get(2)? }))
    })?
    .collect()
}

fn days(tx: &Transaction<'_>, which: Which<'_>, now: UnixMs) -> rusqlite::Result<Vec<CheckedDay>> {
    let mut some = tx.prepare_cached(
        "SELECT day, checks, good FROM source_days WHERE tenant = ?1 AND source = ?2 AND subject = ?3 AND day >= ?4 \
         ORDER BY day",
    )?;
    let from = now.plus(-YEAR_DAYS * DAY_MS).day().number();
    some.query_map((which.0, which.1, which.2, from), |row| {
        let start = UnixMs(row.get::<_, i64>(0)? * DAY_MS);
        Ok(CheckedDay { start, tally: Tally { checks: row.get(1)?, good: row.get(2)? } })
    })?
    .collect()
}

/// Of checks that are old only the numbers of each day stay: those of a tenant, and of public sources.
pub(super) fn roll_up(tx: &Transaction<'_>, tenant: i64, now: UnixMs) -> rusqlite::Result<()> {
    // Whole days, so that none is summed in two parts.
    let before = now.plus(-CHECKS_KEPT_DAYS * DAY_MS).0.div_euclid(DAY_MS) * DAY_MS;
    let tenants = if tenant == FIRST { vec![FIRST] } else { vec![FIRST, tenant] };
    for tenant in tenants {
        tx.prepare_cached(
            "INSERT INTO source_days (tenant, source, subject, day, checks, good) \
             SELECT tenant, source, subject, at_ms / ?3, count(*), sum(good) FROM source_checks \
             WHERE tenant = ?1 AND at_ms < ?2 GROUP BY source, subject, at_ms / ?3 \
             ON CONFLICT (tenant, source, subject, day) DO UPDATE SET checks = source_days.checks + excluded.checks, \
             good = source_days.good + excluded.good",
        )?
        .execute((tenant, before, DAY_MS))?;
        tx.prepare_cached("DELETE FROM source_checks WHERE tenant = ?1 AND at_ms < ?2")?.execute((tenant, before))?;
    }
    Ok(())
}

/// Forgets a node that nobody of the tenant has any more.
pub(super) fn forget(tx: &Transaction<'_>, tenant: i64, node: &str) -> rusqlite::Result<()> {
    for table in ["source_checks", "source_days", "source_states"] {
        tx.execute(&format!("DELETE FROM {table} WHERE tenant = ?1 AND subject = ?2"), (tenant, node))?;
    }
    Ok(())
}
