//! The machine that LND or daznode's state lives on: each rule only where it was measured.

use super::Finding;
use crate::analysis::facts::Facts;
use crate::analysis::number::{clamp, median, share_ppm};
use crate::analysis::words;
use crate::report::Severity;
use crate::snapshot::{Disk, Host};
use crate::units::{DAY_MS, Network, UnixMs};

/// Samples that a trend needs.
const TREND_SAMPLES: usize = 3;
/// Days that they must span.
const TREND_DAYS: i64 = 3;
/// How far ahead of true time a block may claim to be: the chain's own rule.
const HEADER_AHEAD_MS: i64 = 2 * 3_600_000;

fn host<'a>(facts: &Facts<'a>) -> Option<&'a Host> {
    facts.snapshot.host.as_ref()
}

/// Whether any disk was measured.
pub(super) fn disks(facts: &Facts<'_>) -> bool {
    host(facts).is_some_and(|h| !h.disks.is_empty())
}

/// Whether a disk was measured often enough for a trend.
pub(super) fn trend_known(facts: &Facts<'_>) -> bool {
    host(facts).is_some_and(|h| h.disks.iter().any(|d| slope(&free_over_time(facts, d)).is_some()))
}

/// Whether the size of LND's databases is known.
pub(super) fn database(facts: &Facts<'_>) -> bool {
    host(facts).is_some_and(|h| h.database_bytes.is_some())
}

/// Whether it was known often enough before.
pub(super) fn growth_known(facts: &Facts<'_>) -> bool {
    database(facts) && slope(&size_over_time(facts)).is_some()
}

/// Whether memory was measured.
pub(super) fn memory(facts: &Facts<'_>) -> bool {
    host(facts).is_some_and(|h| h.memory_available_bytes.is_some() && h.memory_total_bytes.is_some())
}

/// Whether there is anything to hold the clock against.
pub(super) fn clock(facts: &Facts<'_>) -> bool {
    host(facts).is_some_and(|h| h.clock_ahead.is_some()) || header_ahead(facts).is_some()
}

/// `12.3 GB`
fn gigabytes(bytes: u64) -> String {
    format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10)
}

/// Whether LND stops when this disk is full.
fn holds_lnd(disk: &Disk) -> bool {
    disk.holds.split(',').any(|what| what.trim() == "lnd")
}

/// `lnd and daznode`: whose disk it is, as a sentence names them.
fn owners(holds: &str) -> String {
    holds.split(',').map(str::trim).collect::<Vec<_>>().join(" and ")
}

/// Free share in ppm.
fn free(disk: &Disk) -> Option<i64> {
    share_ppm(i128::from(disk.free_bytes), i128::from(disk.total_bytes))
}

fn critical(facts: &Facts<'_>, disk: &Disk) -> bool {
    let limit = facts.limits.disk_critical_percent.saturating_mul(10_000);
    holds_lnd(disk) && free(disk).is_some_and(|free| free < limit)
}

/// `disk-full`
pub(super) fn full(facts: &Facts<'_>) -> Vec<Finding> {
    let limit = facts.limits.disk_warning_percent.saturating_mul(10_000);
    let finding = |disk: &Disk| {
        let share = free(disk).filter(|free| *free < limit || critical(facts, disk))?;
        let severity = if critical(facts, disk) { Severity::Critical } else { Severity::Warning };
        let holds = words::line(&disk.holds);
        let title = format!(
            "The disk of {} has {} free of {}: {}",
            owners(&holds),
            gigabytes(disk.free_bytes),
            gigabytes(disk.total_bytes),
            words::percent(share)
        );
        let act = if holds_lnd(disk) {
            "LND's own health check shuts it down below 10 % where it is on (`healthcheck.diskspace`), and a database that can't be written may be damaged. Make room, or compact with `db.bolt.auto-compact=true`, which needs room itself."
        } else {
            "A report that can't be stored is lost. Make room."
        };
        Some(Finding::new(severity, holds, title, act.to_owned()))
    };
    host(facts).into_iter().flat_map(|h| &h.disks).filter_map(finding).collect()
}

/// Free bytes of a disk at each look, the last is now; looks at a disk of another size are of another disk.
fn free_over_time(facts: &Facts<'_>, disk: &Disk) -> Vec<(UnixMs, i64)> {
    let same = |d: &&Disk| d.holds == disk.holds && d.total_bytes == disk.total_bytes;
    let past = facts.history.host.iter().filter(|s| s.at < facts.now);
    let past = past.filter_map(|s| s.host.disks.iter().find(same).map(|d| (s.at, d.free_bytes)));
    bytes(past.chain([(facts.now, disk.free_bytes)]))
}

/// Size of LND's databases at each look, the last is now.
fn size_over_time(facts: &Facts<'_>) -> Vec<(UnixMs, i64)> {
    let past = facts.history.host.iter().filter(|s| s.at < facts.now);
    let past = past.filter_map(|s| s.host.database_bytes.map(|bytes| (s.at, bytes)));
    let now = host(facts).and_then(|h| h.database_bytes).map(|bytes| (facts.now, bytes));
    bytes(past.chain(now))
}

fn bytes(samples: impl Iterator<Item = (UnixMs, u64)>) -> Vec<(UnixMs, i64)> {
    samples.map(|(at, bytes)| (at, i64::try_from(bytes).unwrap_or(i64::MAX))).collect()
}

/// Change a day: the middle of the changes between all pairs of looks, so that one clean-up does not bend it. `None` with
/// fewer than three looks or less than three days.
fn slope(samples: &[(UnixMs, i64)]) -> Option<i64> {
    let (first, last) = (samples.first()?, samples.last()?);
    if samples.len() < TREND_SAMPLES || last.0.since(first.0) < TREND_DAYS * DAY_MS {
        return None;
    }
    // Enough for a month of days, and a bound for what is stored more often.
    let step = samples.len().div_ceil(60).max(1);
    let thin: Vec<&(UnixMs, i64)> = samples.iter().rev().step_by(step).collect();
    let mut slopes = Vec::new();
    for (i, (later, now)) in thin.iter().enumerate() {
        for (earlier, then) in thin.iter().skip(i + 1) {
            let ms = i128::from(later.since(*earlier));
            if ms > 0 {
                let change = i128::from(*now) - i128::from(*then);
                slopes.push(clamp(change * i128::from(DAY_MS) / ms));
            }
        }
    }
    median(slopes)
}

/// `disk-runs-out`: days until nothing is free, or LND's own limit is reached. Silent where that is already told.
pub(super) fn runs_out(facts: &Facts<'_>) -> Vec<Finding> {
    let limits = facts.limits;
    let finding = |disk: &Disk| {
        let a_day = slope(&free_over_time(facts, disk)).filter(|slope| *slope < 0)?.saturating_neg();
        if critical(facts, disk) {
            return None;
        }
        let percent = if holds_lnd(disk) { limits.disk_critical_percent.clamp(0, 100) } else { 0 };
        let kept = clamp(i128::from(disk.total_bytes) * i128::from(percent) / 100);
        let room = i64::try_from(disk.free_bytes).unwrap_or(i64::MAX).saturating_sub(kept).max(0);
        let days = room / a_day;
        let severity = if days < limits.disk_days_critical {
            Severity::Critical
        } else if days < limits.disk_days_warning {
            Severity::Warning
        } else {
            return None;
        };
        let holds = words::line(&disk.holds);
        let day = facts.now.plus(days.saturating_mul(DAY_MS)).day();
        let end = if percent > 0 { format!("has less than {percent} % free") } else { "is full".to_owned() };
        let title = format!("By its trend the disk of {} {end} on {day}", owners(&holds));
        let text = format!(
            "It loses {} a day and has {} free. Make room before; LND stops when it can't write.",
            gigabytes(a_day.unsigned_abs()),
            gigabytes(disk.free_bytes)
        );
        Some(Finding::new(severity, holds, title, text))
    };
    host(facts).into_iter().flat_map(|h| &h.disks).filter_map(finding).collect()
}

/// `database-large`
pub(super) fn large(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(size) = host(facts).and_then(|h| h.database_bytes) else { return Vec::new() };
    let limits = facts.limits;
    let reached = |gigabytes: u64| size >= gigabytes.saturating_mul(1_000_000_000);
    let severity = if reached(limits.database_warning_gb) {
        Severity::Warning
    } else if reached(limits.database_info_gb) {
        Severity::Info
    } else {
        return Vec::new();
    };
    let title = format!("LND's databases hold {}", gigabytes(size));
    let act = if reached(limits.database_severe_gb) {
        "Starting and compacting take long at this size, and compacting needs as much free disk again. Plan a restart with `db.bolt.auto-compact=true` soon, with the backup at hand."
    } else {
        "Restart once with `db.bolt.auto-compact=true` at a quiet time; `gc-canceled-invoices-on-startup=true` drops what is not needed."
    };
    vec![Finding::new(severity, "node", title, act.to_owned())]
}

/// `database-growing`
pub(super) fn growing(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(week) = slope(&size_over_time(facts)).map(|a_day| a_day.saturating_mul(7)) else { return Vec::new() };
    if week < facts.limits.database_growth_mb.saturating_mul(1_000_000) {
        return Vec::new();
    }
    let title = format!("LND's databases grow by {} a week", gigabytes(week.unsigned_abs()));
    let act = "Many failed payments, rebalancing tries or a flood of small HTLCs make them grow: `lncli deletepayments --all --failed_htlcs_only` removes what failed tries left.";
    vec![Finding::new(Severity::Info, "node", title, act.to_owned())]
}

/// `memory-low`
pub(super) fn memory_low(facts: &Facts<'_>) -> Vec<Finding> {
    let Some((free, all)) = host(facts).and_then(|h| h.memory_available_bytes.zip(h.memory_total_bytes)) else {
        return Vec::new();
    };
    let limit = facts.limits.memory_low_percent.saturating_mul(10_000);
    let Some(share) = share_ppm(i128::from(free), i128::from(all)).filter(|share| *share < limit) else {
        return Vec::new();
    };
    let title =
        format!("{} of {} memory can still be used: {}", gigabytes(free), gigabytes(all), words::percent(share));
    let act = "When nothing is left, the system ends LND or its chain backend in the middle of its work. See what takes it with `ps aux --sort=-rss`.";
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned())]
}

/// How far the last block's time is beyond what a true clock could see, in ms.
fn header_ahead(facts: &Facts<'_>) -> Option<i64> {
    let info = &facts.snapshot.node.info;
    let header = info.best_header_at.filter(|_| info.network == Network::Mainnet)?;
    Some(header.since(facts.now).saturating_sub(HEADER_AHEAD_MS))
}

/// `clock-off`
pub(super) fn clock_off(facts: &Facts<'_>) -> Vec<Finding> {
    let limit = facts.limits.clock_off_s.saturating_mul(1000);
    let told = host(facts).and_then(|h| h.clock_ahead.as_ref()).filter(|ahead| ahead.value.saturating_abs() >= limit);
    let title = match (told, header_ahead(facts)) {
        (Some(ahead), _) => {
            let side = if ahead.value < 0 { "behind" } else { "ahead of" };
            let by = words::grouped(ahead.value.saturating_abs() / 1000);
            format!("The clock is {by} s {side} that of {}", words::line(&ahead.source))
        }
        (None, Some(beyond)) if beyond > 0 => {
            "The clock is behind: the last block is more than two hours ahead of it".to_owned()
        }
        _ => return Vec::new(),
    };
    let act = "Certificates, macaroons, invoices and gossip all depend on it. Switch on time synchronisation: `timedatectl set-ntp true`.";
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned())]
}
