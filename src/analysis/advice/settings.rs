//! Guard what is there, and settings that cost forwards: acts that follow from alerts, and from what the node announces.

use std::collections::HashSet;

use super::{Candidate, basics, evidence};
use crate::analysis::alerts::Judged;
use crate::analysis::facts::{Facts, local};
use crate::analysis::words;
use crate::report::{Act, Alert, Category, Priority, Severity};
use crate::snapshot::{Channel, Policy};
use crate::units::{Msat, Outpoint, Ppm, Sat};

/// Forwards in 30 days from which the base fee's share is more than chance.
const BASE_FORWARDS: u32 = 10;

/// One act for each alert that an act of the operator ends for good.
pub(super) fn guards(facts: &Facts<'_>, judged: &Judged) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = judged.alerts.iter().filter_map(|alert| act(facts, alert)).collect();
    found.extend(backup(facts));
    found.extend(watchtower(facts));
    found
}

/// What the node announces for its public channels and that keeps forwards away. No honest gain can be given: who does
/// not come is not seen.
pub(super) fn policies(facts: &Facts<'_>) -> Vec<Candidate> {
    let open = facts.channels().iter().filter(|c| c.active && !c.private);
    let with_policy = open.filter_map(|c| Some((c, facts.our_policy(&c.point)?)));
    with_policy
        .filter_map(|(c, policy)| {
            base_fee(facts, c, policy)
                .or_else(|| time_lock(facts, c, policy))
                .or_else(|| largest_htlc(facts, c, policy))
        })
        .collect()
}

/// A base fee makes small forwards many times as dear as the rate says, and few come.
fn base_fee(facts: &Facts<'_>, channel: &Channel, policy: &Policy) -> Option<Candidate> {
    let flow = facts.month.get(&channel.point).filter(|f| f.forwards_out >= BASE_FORWARDS)?;
    let base = policy.base.scale(i64::from(flow.forwards_out), 1);
    let heavy = base.scale(100, 1) > flow.fees_earned_msat.scale(facts.limits.base_fee_share_percent.clamp(0, 100), 1);
    if policy.base <= Msat::ZERO || !heavy {
        return None;
    }
    // At this rate the same forwards would earn the same, but for the part of a ppm that is cut off.
    let same = flow.fees_earned_msat.ppm_of(flow.amount_out_msat)?.0;
    let roof = facts.market(&channel.peer).map_or(facts.limits.fee_max_ppm, |(_, [.., high])| high.0);
    let rate = Ppm(same.min(roof).min(facts.limits.fee_max_ppm).max(policy.rate.0));
    let name = facts.peer_name(channel);
    let mut list = basics(facts, channel);
    list.push(evidence("fee now", format!("{} ppm + {} msat", policy.rate.0, policy.base.get())));
    list.push(evidence("forwards in 30 days", words::grouped(i64::from(flow.forwards_out))));
    list.push(evidence("earned by the base fee", words::msat(base)));
    Some(Candidate {
        title: format!("Charge no base fee to {name}, and {} ppm instead", words::grouped(rate.0)),
        description: format!(
            "Most of what it earns is the base fee of {} msat, so its forwards are small and pay several times the rate; senders of small amounts look for another way. They earned about {} ppm of their amount{}.",
            policy.base.get(),
            words::grouped(same),
            if rate.0 < same { ", which is more than others charge or the limit allows as a rate" } else { "" }
        ),
        command: super::set_policy(channel, policy, Msat::ZERO, rate),
        channels: vec![channel.point.clone()],
        evidence: list,
        cost: Some(Sat::ZERO),
        act: Some(Act::SetFee {
            channel: channel.point.clone(),
            from_ppm: policy.rate,
            to_ppm: rate,
            base_msat: Msat::ZERO,
        }),
        ..Candidate::new("base-fee", Category::Settings, channel.point.as_str(), 0.3)
    })
}

/// Senders count blocks as a cost, and leave out routes that lock their sats for too long.
fn time_lock(facts: &Facts<'_>, channel: &Channel, policy: &Policy) -> Option<Candidate> {
    let most = facts.limits.time_lock_max_blocks;
    let blocks = i64::from(policy.time_lock_delta);
    if blocks <= most {
        return None;
    }
    let wanted = Policy { time_lock_delta: u32::try_from(most).ok()?, ..policy.clone() };
    let title = format!("Ask {} for {most} blocks instead of {blocks}", facts.peer_name(channel));
    let why = "A long time lock makes a route dear for senders, and longer ones than usual are left out.";
    Some(Candidate {
        title,
        description: why.to_owned(),
        command: super::set_policy(channel, &wanted, policy.base, policy.rate),
        channels: vec![channel.point.clone()],
        evidence: vec![evidence(
            "time lock now",
            words::number(usize::try_from(blocks).unwrap_or(usize::MAX), "block"),
        )],
        cost: Some(Sat::ZERO),
        ..Candidate::new("time-lock", Category::Settings, channel.point.as_str(), 0.3)
    })
}

/// A largest HTLC far below what the channel can send keeps larger forwards away.
fn largest_htlc(facts: &Facts<'_>, channel: &Channel, policy: &Policy) -> Option<Candidate> {
    let least = channel.capacity.msat().scale(facts.limits.htlc_max_percent.clamp(0, 100), 100);
    if policy.max_htlc <= Msat::ZERO || policy.max_htlc >= least || channel.local.msat() < least {
        return None;
    }
    // What LND itself sets: all but the reserve.
    let wanted = channel.capacity.msat().scale(99, 100);
    let command =
        format!("{} --max_htlc_msat {}", super::set_policy(channel, policy, policy.base, policy.rate), wanted.get());
    Some(Candidate {
        title: format!(
            "Let forwards of more than {} go to {}",
            words::msat(policy.max_htlc),
            facts.peer_name(channel)
        ),
        description: "The largest HTLC that is announced is far below what the channel can send, so larger forwards look elsewhere.".to_owned(),
        command,
        channels: vec![channel.point.clone()],
        evidence: vec![
            evidence("largest HTLC", words::msat(policy.max_htlc)),
            evidence("capacity", words::sat(channel.capacity)),
            evidence("yours", words::sat(channel.local)),
        ],
        cost: Some(Sat::ZERO),
        ..Candidate::new("max-htlc", Category::Settings, channel.point.as_str(), 0.3)
    })
}

/// The backup file lacks channels that are open: after a loss of the machine their funds can't be asked back.
fn backup(facts: &Facts<'_>) -> Option<Candidate> {
    let covered: HashSet<&Outpoint> = facts.snapshot.node.backup.as_ref()?.covered.iter().collect();
    let missing: Vec<&Channel> = facts.channels().iter().filter(|c| !covered.contains(&c.point)).collect();
    if missing.is_empty() {
        return None;
    }
    let ours = local(missing.iter().copied());
    Some(Candidate {
        title: format!("Write the channel backup anew: it lacks {}", words::number(missing.len(), "channel")),
        description: "If the machine is lost, the funds in channels that the file lacks can't be asked back. Write it, and copy it off the machine.".to_owned(),
        command: "lncli exportchanbackup --all --output_file channel.backup".to_owned(),
        evidence: vec![evidence("yours in the channels that it lacks", words::sat(ours))],
        cost: Some(Sat::ZERO),
        urgent: Some(Priority::High),
        ..Candidate::new("channel-backup", Category::Safety, "node", 0.9)
    })
}

/// The watchtower client runs and has no tower to send states to.
fn watchtower(facts: &Facts<'_>) -> Option<Candidate> {
    let towers = facts.snapshot.node.towers.as_ref()?;
    if towers.towers.iter().any(|t| t.candidate) && towers.failed_backups == 0 {
        return None;
    }
    Some(Candidate {
        title: "Add a watchtower: states of channels are not backed up".to_owned(),
        description: "The watchtower client is on, and no tower takes what it has. A peer that cheats while this node is away would not be punished.".to_owned(),
        command: "lncli wtclient add <pubkey>@<host>:9911".to_owned(),
        evidence: vec![
            evidence("states that no tower took", words::grouped(i64::from(towers.failed_backups))),
            evidence("towers", words::grouped(i64::from(crate::analysis::number::count(towers.towers.len())))),
        ],
        cost: Some(Sat::ZERO),
        urgent: Some(Priority::Medium),
        ..Candidate::new("watchtower", Category::Safety, "node", 0.7)
    })
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
        title: title.to_owned(),
        description: alert.description.clone(),
        command: command.to_owned(),
        evidence: vec![evidence("alert", alert.title.clone())],
        cost: Some(Sat::ZERO),
        urgent: Some(if alert.severity == Severity::Critical { Priority::High } else { Priority::Medium }),
        ..Candidate::new(kind, category, &alert.subject, 0.9)
    }
}
