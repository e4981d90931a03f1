//! Guard what is there: acts that follow from alerts about funds and access.

use super::{Candidate, evidence};
use crate::analysis::alerts::Judged;
use crate::analysis::facts::Facts;
use crate::analysis::words;
use crate::report::{Alert, Category, Priority, Severity};
use crate::units::Sat;

/// One act for each alert that an act of the operator ends for good.
pub(super) fn all(facts: &Facts<'_>, judged: &Judged) -> Vec<Candidate> {
    judged.alerts.iter().filter_map(|alert| act(facts, alert)).collect()
}

fn act(facts: &Facts<'_>, alert: &Alert) -> Option<Candidate> {
    match alert.rule.as_str() {
        "anchor-reserve" => reserve(facts, alert),
        "certificate-expiry" => {
            let command = "# lnd.conf: tlsautorefresh=true\nmv tls.cert tls.cert.old; mv tls.key tls.key.old; # then restart lnd and run `daznode enable` again";
            Some(guard("renew-certificate", Category::Settings, alert, "Renew LND's TLS certificate", command))
        }
        "macaroon-can-write" => {
            let command = "daznode enable --macaroon ~/.lnd/data/chain/bitcoin/mainnet/readonly.macaroon";
            let command = command.replace("mainnet", facts.snapshot.node.info.network.as_str());
            Some(guard(
                "read-only-macaroon",
                Category::Settings,
                alert,
                "Give daznode a macaroon that can only read",
                &command,
            ))
        }
        "macaroon-expiry" => {
            let command = "lncli bakemacaroon info:read offchain:read onchain:read address:read message:read peers:read macaroon:read signer:read invoices:read --save_to daznode.macaroon";
            Some(guard(
                "renew-macaroon",
                Category::Settings,
                alert,
                "Renew the macaroon that daznode reads with",
                command,
            ))
        }
        _ => None,
    }
}

fn reserve(facts: &Facts<'_>, alert: &Alert) -> Option<Candidate> {
    let wallet = facts.snapshot.node.wallet.as_ref()?;
    let missing = wallet.anchor_reserve - wallet.confirmed;
    let title = format!("Put at least {} into the wallet for anchor channels", words::sat(missing));
    let mut candidate = guard("anchor-reserve", Category::Safety, alert, &title, "lncli newaddress p2tr");
    candidate.cost = None;
    candidate.evidence = vec![
        evidence("confirmed", words::sat(wallet.confirmed)),
        evidence("LND wants", words::sat(wallet.anchor_reserve)),
    ];
    Some(candidate)
}

fn guard(kind: &'static str, category: Category, alert: &Alert, title: &str, command: &str) -> Candidate {
    Candidate {
        kind,
        category,
        subject: alert.subject.clone(),
        title: title.to_owned(),
        description: alert.description.clone(),
        command: command.to_owned(),
        channels: Vec::new(),
        evidence: vec![evidence("alert", alert.title.clone())],
        gain: None,
        cost: Some(Sat::ZERO),
        payback_days: None,
        confidence: 0.9,
        urgent: Some(if alert.severity == Severity::Critical { Priority::High } else { Priority::Medium }),
    }
}
