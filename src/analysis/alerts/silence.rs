//! What no rule can look at now, why, and what would change that.

use super::{access, earnings};
use crate::analysis::advisories::{AS_OF, Version};
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::report::NotMeasured;

/// Whether a part was asked for and not got: a gap says so already.
fn gap(facts: &Facts<'_>, part: &str) -> bool {
    facts.snapshot.gaps.iter().any(|g| g.part.contains(part))
}

/// What is switched off, or too young or too old to judge by.
pub(in crate::analysis) fn not_measured(facts: &Facts<'_>) -> Vec<NotMeasured> {
    let (snapshot, history) = (facts.snapshot, facts.history);
    let mut list = Vec::new();
    let mut note = |part: &str, reason: String| list.push(NotMeasured { part: part.to_owned(), reason });
    if history.watched.peers_ms == [0; 3] {
        note("peer-uptime", "No watcher ran, and LND keeps no record of when its peers came and went.".to_owned());
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
