//! What daznode reads the node with, and the version that it reads.

use super::Finding;
use crate::analysis::advisories::{self, AS_OF, Advisory, Harm, Version};
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::report::Severity;
use crate::units::{DAY_MS, UnixMs};

/// Whether the certificate's end is known.
pub(super) fn certificate_known(facts: &Facts<'_>) -> bool {
    facts.snapshot.node.certificate_not_after.is_some()
}

/// Whether the macaroon ends at all.
pub(super) fn macaroon_known(facts: &Facts<'_>) -> bool {
    facts.snapshot.node.macaroon_expires.is_some()
}

/// `certificate-expiry`
pub(super) fn certificate(facts: &Facts<'_>) -> Vec<Finding> {
    let act = "Set `tlsautorefresh=true` in lnd.conf or move tls.cert and tls.key away, restart LND, and enable this node again with the new certificate.";
    ending(facts, facts.snapshot.node.certificate_not_after, "LND's TLS certificate", act)
}

/// `macaroon-expiry`
pub(super) fn macaroon(facts: &Facts<'_>) -> Vec<Finding> {
    let act = "Enable this node again with `readonly.macaroon`, which does not end, or with a newly baked one.";
    ending(facts, facts.snapshot.node.macaroon_expires, "The macaroon for daznode", act)
}

fn ending(facts: &Facts<'_>, end: Option<UnixMs>, what: &str, act: &str) -> Vec<Finding> {
    let Some(end) = end else { return Vec::new() };
    let left = end.since(facts.now);
    let days = left.div_euclid(DAY_MS);
    let severity = if days < facts.limits.certificate_critical_days {
        Severity::Critical
    } else if days < facts.limits.certificate_warning_days {
        Severity::Warning
    } else {
        return Vec::new();
    };
    let title = if left > 0 {
        format!("{what} ends in {} on {}", words::span(left), end.day())
    } else {
        format!("{what} ended on {}", end.day())
    };
    vec![Finding::new(severity, "node", title, format!("After that no report can be made. {act}"))]
}

/// `macaroon-can-write`
pub(super) fn can_write(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.snapshot.node.macaroon_can_write {
        return Vec::new();
    }
    let title = "The macaroon for daznode can change or spend something".to_owned();
    let act = "Reading is all that daznode does. Enable this node again with `readonly.macaroon`, so that a leak of its file costs nothing.";
    vec![Finding::new(Severity::Warning, "node", title, act.to_owned())]
}

/// LND's version, where it can be read and the table of weaknesses is not too old.
fn version(facts: &Facts<'_>) -> Option<Version> {
    if table_age(facts) > facts.limits.advisories_max_days {
        return None;
    }
    Version::parse(&facts.snapshot.node.info.version)
}

/// Days since the table of weaknesses was made.
pub(super) fn table_age(facts: &Facts<'_>) -> i64 {
    facts.now.day().number().saturating_sub(AS_OF.number())
}

/// Whether the version can be judged.
pub(super) fn version_known(facts: &Facts<'_>) -> bool {
    version(facts).is_some()
}

/// `lnd-vulnerable`
pub(super) fn vulnerable(facts: &Facts<'_>) -> Vec<Finding> {
    let Some((known, fix)) = version(facts).and_then(advisories::of) else { return Vec::new() };
    let funds = known.iter().filter(|a| a.harm == Harm::Funds).count();
    let severity = if funds > 0 { Severity::Critical } else { Severity::Warning };
    let cost = if funds > 0 { format!("{funds} of them can cost funds") } else { "they can stop the node".to_owned() };
    let title = format!(
        "LND {} has {} (as of {AS_OF}); {cost}",
        words::line(&facts.snapshot.node.info.version),
        known_weaknesses(known.len())
    );
    // Those that cost funds first; the table is newest first.
    let (worst, other): (Vec<&Advisory>, Vec<&Advisory>) = known.into_iter().partition(|a| a.harm == Harm::Funds);
    let named: Vec<String> = worst.iter().chain(&other).take(3).map(|a| format!("{} ({})", a.name, a.source)).collect();
    let text = format!("Update to {fix} or later. {}.", named.join("; "));
    vec![Finding::new(severity, "node", title, text)]
}

fn known_weaknesses(n: usize) -> String {
    if n == 1 { "1 known weakness".to_owned() } else { format!("{n} known weaknesses") }
}
