//! What daznode reads the node with.

use super::Finding;
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
