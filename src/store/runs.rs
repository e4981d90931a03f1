//! What each run of `generate` came to.

use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::error::Result;
use super::{Parsed, Store};
use crate::units::UnixMs;

/// One run of `generate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// `UUIDv7`.
    pub id: Uuid,
    /// When it began.
    pub started_at: UnixMs,
    /// When it ended; `None` while it runs, or where it was killed.
    pub ended_at: Option<UnixMs>,
    /// `one`, `all` or `due`.
    pub kind: String,
    /// Reports made, partial ones included.
    pub made: u32,
    /// Of those, reports with gaps.
    pub partial: u32,
    /// Profiles that failed.
    pub failed: u32,
    /// Profiles that were not begun.
    pub not_tried: u32,
    /// How it ended.
    pub exit_code: Option<u8>,
}

impl Store {
    /// Keeps a run, or replaces what is kept of it.
    pub fn put_run(&self, run: &RunRow) -> Result<()> {
        self.write(|tx| {
            // A run is of the whole store: it belongs to the first tenant.
            let put = tx.execute(
                "INSERT INTO runs (tenant, id, started_ms, ended_ms, kind, made, partial, failed, not_tried, exit_code) \
                 VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, id) DO UPDATE SET \
                 ended_ms = excluded.ended_ms, kind = excluded.kind, made = excluded.made, \
                 partial = excluded.partial, failed = excluded.failed, not_tried = excluded.not_tried, \
                 exit_code = excluded.exit_code",
                params![
                    run.id.to_string(),
                    run.started_at.0,
                    run.ended_at.map(|at| at.0),
                    run.kind,
                    run.made,
                    run.partial,
                    run.failed,
                    run.not_tried,
                    run.exit_code,
                ],
            );
            self.sql(put).map(|_| ())
        })
    }

    /// The run that began last.
    pub fn last_run(&self) -> Result<Option<RunRow>> {
        let found = self.db.query_row(
            "SELECT id, started_ms, ended_ms, kind, made, partial, failed, not_tried, exit_code FROM runs \
             WHERE tenant = 1 ORDER BY started_ms DESC, id DESC LIMIT 1",
            [],
            |row| {
                Ok(RunRow {
                    id: row.get::<_, Parsed<Uuid>>(0)?.0,
                    started_at: UnixMs(row.get(1)?),
                    ended_at: row.get::<_, Option<i64>>(2)?.map(UnixMs),
                    kind: row.get(3)?,
                    made: row.get(4)?,
                    partial: row.get(5)?,
                    failed: row.get(6)?,
                    not_tried: row.get(7)?,
                    exit_code: row.get(8)?,
                })
            },
        );
        self.sql(found.optional())
    }
}
