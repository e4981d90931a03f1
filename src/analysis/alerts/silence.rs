//! What no rule can look at now, why, and what would change that.

use super::{access, earnings};
use crate::analysis::advisories::{AS_OF, Version};
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::history::Window;
use crate::report::NotMeasured;
use crate::units::{HOUR_MS, UnixMs};

/// Whether a part was asked for and not got: a gap says so already.
fn gap(facts: &Facts<'_>, part: &str) -> bool {
    facts.snapshot.gaps.iter().any(|g| g.part.contains(part))
}

/// What is switched off, or too young or too old to judge by.
pub(in crate::analysis) fn not_measured(facts: &Facts<'_>) -> Vec<NotMeasured> {
    let (snapshot, history) = (facts.snapshot, facts.history);
    let mut list = Vec::new();
    let mut note = |part: &str, reason: String| list.push(NotMeasured { part: part.to_owned(), reason });
    let watched = &history.watched;
    if let Some(why) = not_watched(watched.htlcs_ms, &watched.htlcs_off, "failed forwards") {
        note("failed-forwards", why);
    }
    if let Some(why) = not_watched(watched.peers_ms, &watched.peers_off, "when its peers came and went") {
        note("peer-uptime", why);
    }
    if snapshot.node.backup.is_none() && !gap(facts, "backup") {
        let why = "No copy of LND's channel.backup is configured, so it can't be held against the channels.";
        note("backup", why.to_owned());
    }
    if snapshot.node.towers.is_none() && !gap(facts, "tower") {
        let why = "LND's watchtower client is not active; `wtclient.active=true` in lnd.conf switches it on.";
        note("towers", why.to_owned());
    }
    if snapshot.host.is_none() && !gap(facts, "host") {
        let why = "Neither LND nor daznode's state is known to lie on this machine, so its disk, memory and clock are not judged.";
        note("host", why.to_owned());
    }
    if !access::version_known(facts) {
        note("lnd-version", version_reason(facts));
    }
    if facts.fresh() && !earnings::day_known(facts) {
        let why = "What is usual is known after 14 days of forwards, and two of the same weekday.";
        note("habit", why.to_owned());
    }
    list
}

/// A watch that is broken off for less than this in a day, all together, is not worth a line: it is always told up to a
/// minute ago at most.
const SHORT_MS: i64 = 5 * MINUTE_MS;
/// A shorter span is not named.
const MINUTE_MS: i64 = 60_000;
/// Spans that are named; the longest.
const SPANS: usize = 3;

/// What of the last 24 hours was not watched, and when that was.
fn not_watched([day, _, month]: [i64; 3], off: &[Window], what: &str) -> Option<String> {
    if month == 0 {
        return Some(format!("No watcher ran, and LND keeps no record of {what}."));
    }
    if day == 0 {
        return Some("Nothing was watched in the last 24 hours: the watcher was off, or LND was.".to_owned());
    }
    let length = |window: &Window| window.end.since(window.start);
    if off.iter().map(length).sum::<i64>() <= SHORT_MS {
        return None;
    }
    let mut longest: Vec<&Window> = off.iter().filter(|window| length(window) >= MINUTE_MS).collect();
    longest.sort_by_key(|window| -length(window));
    let more = match longest.len().saturating_sub(SPANS) {
        0 => String::new(),
        more => format!(" and {}", words::number(more, "more time")),
    };
    longest.truncate(SPANS);
    longest.sort_by_key(|window| window.start);
    let times: Vec<String> = longest.iter().map(|window| times(window)).collect();
    let times = if times.is_empty() { String::new() } else { format!(", but not {} (UTC){more}", times.join(", ")) };
    let (hours, minutes) = (day / HOUR_MS, day % HOUR_MS / MINUTE_MS);
    let minutes = if minutes == 0 { String::new() } else { format!(" {minutes} min") };
    Some(format!("Watched {hours} h{minutes} of 24{times}."))
}

/// From when to when, with the days where they are not one.
fn times(window: &Window) -> String {
    let form = if window.start.day() == window.end.day() { "%H:%M" } else { "%a %H:%M" };
    let time = |at: UnixMs| at.timestamp().strftime(form).to_string();
    format!("{}-{}", time(window.start), time(window.end))
}

/// Why the version can't be judged.
fn version_reason(facts: &Facts<'_>) -> String {
    let version = &facts.snapshot.node.info.version;
    if Version::parse(version).is_none() {
        return format!("LND's version ({}) can't be read, so its weaknesses are not known.", words::line(version));
    }
    format!(
        "The table of LND's weaknesses is of {AS_OF}, {} ago, and too old to judge by: a newer daznode has a newer one.",
        words::number(usize::try_from(access::table_age(facts)).unwrap_or(0), "day")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_watched_is_told_with_its_times() {
        // 2026-11-21 00:00 UTC.
        let at = |minutes: i64| UnixMs(1_795_219_200_000 + minutes * 60_000);
        let off = |spans: &[(i64, i64)]| -> Vec<Window> {
            spans.iter().map(|(from, to)| Window { start: at(*from), end: at(*to) }).collect()
        };
        let told = |spans: &[(i64, i64)]| {
            let lost: i64 = spans.iter().map(|(from, to)| to - from).sum();
            let watched = (24 * 60 - lost) * 60_000;
            not_watched([watched, watched, watched], &off(spans), "failed forwards")
        };
        assert_eq!(told(&[(130, 485)]).unwrap(), "Watched 18 h 5 min of 24, but not 02:10-08:05 (UTC).");
        // A minute ago it was well: nothing to say.
        assert_eq!(told(&[(1439, 1440)]), None);
        assert_eq!(told(&[]), None);
        assert_eq!(
            told(&[(0, 60), (100, 101), (120, 180), (200, 203), (240, 300)]).unwrap(),
            "Watched 20 h 56 min of 24, but not 00:00-01:00, 02:00-03:00, 04:00-05:00 (UTC) and 2 more times."
        );
        // Begun the evening before, which was a Friday.
        assert_eq!(told(&[(-60, 60)]).unwrap(), "Watched 22 h of 24, but not Fri 23:00-Sat 01:00 (UTC).");
        // Many breaks of some seconds have no times worth a name.
        let breaks: Vec<Window> = (0..20).map(|n| Window { start: at(n), end: at(n).plus(30_000) }).collect();
        let watched = 24 * HOUR_MS - 20 * 30_000;
        assert_eq!(not_watched([watched; 3], &breaks, "failed forwards").unwrap(), "Watched 23 h 50 min of 24.");
        assert_eq!(
            not_watched([0; 3], &[], "failed forwards").unwrap(),
            "No watcher ran, and LND keeps no record of failed forwards."
        );
        let off = off(&[(0, 1440)]);
        assert!(not_watched([0, 60_000, 60_000], &off, "").unwrap().contains("in the last 24 hours"));
    }
}
