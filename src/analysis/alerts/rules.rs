//! The table of all rules.

use super::watched::UNREACHABLE;
use super::{Area, Finding, Rule, access, books, chain, closing, earnings, flow, host, htlcs, peers, policy, recovery};
use crate::analysis::facts::Facts;
use crate::report::Severity;

fn always(_: &Facts<'_>) -> bool {
    true
}

fn channels(facts: &Facts<'_>) -> bool {
    facts.channels_known()
}

fn pending(facts: &Facts<'_>) -> bool {
    facts.fresh() && facts.snapshot.node.pending.is_some()
}

fn closed(facts: &Facts<'_>) -> bool {
    facts.fresh() && facts.snapshot.node.closed.is_some()
}

fn wallet(facts: &Facts<'_>) -> bool {
    facts.fresh() && facts.snapshot.node.wallet.is_some()
}

/// What a rule needs to be asked at all.
type Ready = fn(&Facts<'_>) -> bool;
/// What a rule finds.
type Judge = fn(&Facts<'_>) -> Vec<Finding>;

/// A rule about a state: it stands until it is resolved.
const fn state(
    name: &'static str,
    worst: Severity,
    area: Option<Area>,
    asked: (Ready, Judge),
    meaning: &'static str,
) -> Rule {
    Rule { name, worst, meaning, area, ready: asked.0, judge: asked.1, event: false }
}

/// A rule about something that happened in the day: it is not resolved, it is over.
const fn event(
    name: &'static str,
    worst: Severity,
    area: Option<Area>,
    asked: (Ready, Judge),
    meaning: &'static str,
) -> Rule {
    Rule { event: true, ..state(name, worst, area, asked, meaning) }
}

/// Every rule: those about funds first.
pub static RULES: [Rule; 54] = [
    state(
        "htlc-expiry",
        Severity::Critical,
        Some(Area::Htlcs),
        (channels, htlcs::expiry),
        "an HTLC in flight is near the block at which it forces the channel closed",
    ),
    state(
        "htlcs-many",
        Severity::Warning,
        Some(Area::Htlcs),
        (channels, htlcs::many),
        "a channel holds many HTLCs at once",
    ),
    event(
        "force-close",
        Severity::Critical,
        Some(Area::Closing),
        (pending, closing::force_close),
        "a channel was closed by force in this day",
    ),
    event(
        "channel-breach",
        Severity::Critical,
        Some(Area::Closing),
        (closed, closing::breach),
        "a channel was closed with a revoked commitment in this day",
    ),
    state(
        "funds-in-limbo",
        Severity::Warning,
        Some(Area::Closing),
        (pending, closing::limbo),
        "funds of a forced close wait to be swept; past their maturity that is a warning",
    ),
    state(
        "pending-close-stuck",
        Severity::Warning,
        Some(Area::Closing),
        (pending, closing::stuck),
        "a close has waited for its transaction for long",
    ),
    state(
        "pending-open-stuck",
        Severity::Warning,
        None,
        (pending, closing::stuck_open),
        "a channel has waited for its funding transaction for long",
    ),
    state(
        "anchor-reserve",
        Severity::Warning,
        Some(Area::Reserve),
        (wallet, chain::reserve),
        "the wallet holds less than LND wants kept to bump fees of anchor channels",
    ),
    state(
        "backup-incomplete",
        Severity::Warning,
        Some(Area::Recovery),
        (recovery::backup_known, recovery::backup),
        "the operator's channel.backup lacks open or opening channels",
    ),
    state(
        "watchtower-behind",
        Severity::Warning,
        Some(Area::Recovery),
        (recovery::towers_known, recovery::behind),
        "watchtowers lack states of channels",
    ),
    state(
        "watchtower-none",
        Severity::Warning,
        Some(Area::Recovery),
        (recovery::towers_known, recovery::none),
        "the watchtower client is on and no tower watches",
    ),
    // Found by the watcher: a report is only made of a node that answers.
    state(UNREACHABLE, Severity::Critical, None, (always, |_| Vec::new()), "LND does not answer the watcher"),
    state(
        "not-synced-chain",
        Severity::Critical,
        Some(Area::Access),
        (always, chain::not_synced),
        "the node is behind its chain, so its answers are old",
    ),
    state(
        "block-height-behind",
        Severity::Critical,
        Some(Area::Access),
        (chain::heights, chain::behind),
        "other sources know newer blocks than the node",
    ),
    state(
        "sources-disagree",
        Severity::Info,
        None,
        (chain::seen_elsewhere, chain::disagree),
        "others see this node with another capacity or number of channels",
    ),
    state(
        "chain-stalled",
        Severity::Warning,
        Some(Area::Access),
        (chain::header, chain::stalled),
        "the node's last block is hours old",
    ),
    state(
        "certificate-expiry",
        Severity::Critical,
        Some(Area::Access),
        (access::certificate_known, access::certificate),
        "LND's TLS certificate ends soon",
    ),
    state(
        "macaroon-expiry",
        Severity::Critical,
        None,
        (access::macaroon_known, access::macaroon),
        "the macaroon that daznode reads with ends soon",
    ),
    state(
        "macaroon-can-write",
        Severity::Warning,
        Some(Area::Access),
        (always, access::can_write),
        "the macaroon that daznode was given can do more than read",
    ),
    state(
        "lnd-vulnerable",
        Severity::Critical,
        Some(Area::Host),
        (access::version_known, access::vulnerable),
        "this version of LND has known weaknesses",
    ),
    state("disk-full", Severity::Critical, Some(Area::Host), (host::disks, host::full), "a disk is nearly full"),
    state(
        "disk-runs-out",
        Severity::Critical,
        Some(Area::Host),
        (host::trend_known, host::runs_out),
        "by its trend a disk is full soon",
    ),
    state(
        "memory-low",
        Severity::Warning,
        None,
        (host::memory, host::memory_low),
        "the machine has little memory left",
    ),
    state("clock-off", Severity::Warning, None, (host::clock, host::clock_off), "the machine's clock is wrong"),
    state("database-large", Severity::Warning, None, (host::database, host::large), "LND's databases are large"),
    state("database-growing", Severity::Info, None, (host::growth_known, host::growing), "LND's databases grow fast"),
    state(
        "not-synced-graph",
        Severity::Warning,
        None,
        (always, chain::graph),
        "the node's view of the network is behind",
    ),
    state(
        "many-peers-gone",
        Severity::Critical,
        None,
        (peers::known, peers::many),
        "many peers left at once, which points at this node's own connection",
    ),
    state(
        "peer-unreachable",
        Severity::Warning,
        None,
        (peers::known, peers::unreachable),
        "a peer is gone and every channel with it is unusable",
    ),
    state(
        "peer-flapping",
        Severity::Warning,
        None,
        (peers::known, peers::flapping),
        "the connection with a peer breaks often",
    ),
    state(
        "peer-uptime-low",
        Severity::Warning,
        None,
        (peers::watched, peers::uptime),
        "a peer is away for much of the time",
    ),
    state(
        "channel-inactive",
        Severity::Warning,
        None,
        (peers::known, peers::inactive),
        "a channel is unusable though its peer is connected",
    ),
    state(
        "channel-disabled-by-peer",
        Severity::Warning,
        None,
        (policy::known, policy::disabled),
        "the other side forwards nothing over a channel",
    ),
    state(
        "channel-disabled-by-us",
        Severity::Info,
        None,
        (policy::known, policy::disabled_by_us),
        "this node announces a usable channel as disabled",
    ),
    state(
        "channel-zombie",
        Severity::Info,
        None,
        (policy::known, policy::zombie),
        "the other side has announced nothing for so long that others drop the channel",
    ),
    state(
        "policy-odd",
        Severity::Warning,
        None,
        (policy::known, policy::odd),
        "a limit of our own policy is hardly meant",
    ),
    event(
        "peer-fee-jump",
        Severity::Info,
        None,
        (policy::compared, policy::fee_jump),
        "a peer changed its fee to us by much in this day",
    ),
    state(
        "channel-drained",
        Severity::Warning,
        None,
        (channels, flow::drained),
        "a channel that is wanted has nothing left to send",
    ),
    state(
        "channel-saturated",
        Severity::Info,
        None,
        (channels, flow::saturated),
        "a channel that brings forwards in cannot receive any more",
    ),
    state(
        "channel-swing",
        Severity::Info,
        None,
        (channels, flow::swing),
        "a channel went from nearly empty to nearly full, or back, within days",
    ),
    state(
        "channel-idle",
        Severity::Info,
        None,
        (flow::long_history, flow::idle),
        "a channel has forwarded nothing for many days",
    ),
    state(
        "fee-far-from-market",
        Severity::Info,
        None,
        (flow::market, flow::far_from_market),
        "a fee is outside of what nearly all others charge to that peer",
    ),
    state(
        "revenue-fall",
        Severity::Warning,
        None,
        (earnings::week_known, earnings::fall),
        "a week earned far less than the node's habit",
    ),
    event(
        "revenue-unusual",
        Severity::Warning,
        None,
        (earnings::day_known, earnings::unusual),
        "the day earned far less or far more than the same weekdays before",
    ),
    event(
        "success-unusual",
        Severity::Warning,
        None,
        (earnings::failures_known, earnings::success_unusual),
        "far fewer or far more forwards settled than usual",
    ),
    state(
        "rebalance-loss",
        Severity::Warning,
        None,
        (earnings::month_known, earnings::rebalances),
        "circular payments cost more than forwards earned",
    ),
    state(
        "revenue-concentrated",
        Severity::Info,
        None,
        (earnings::revenue_known, earnings::revenue_concentrated),
        "most of the fees hang on one peer",
    ),
    state(
        "balance-concentrated",
        Severity::Info,
        None,
        (channels, earnings::balance_concentrated),
        "most of the outbound balance lies with one peer",
    ),
    state(
        "chain-fees-high",
        Severity::Info,
        None,
        (chain::fees_known, chain::fees_high),
        "the chain is expensive today",
    ),
    state(
        "wallet-fragmented",
        Severity::Info,
        None,
        (chain::outputs, chain::fragmented),
        "the wallet consists of many small outputs",
    ),
    state(
        "balance-mismatch",
        Severity::Warning,
        None,
        (books::balances, books::balance),
        "the sum of the channels differs from LND's own",
    ),
    state(
        "lnd-fee-sum-differs",
        Severity::Warning,
        None,
        (books::fee_sums, books::fees),
        "the fees of stored forwards differ from LND's own sum",
    ),
    state(
        "missed-runs",
        Severity::Warning,
        None,
        (always, books::missed),
        "days of the last week had no report in their time",
    ),
    state("source-gap", Severity::Info, None, (always, books::gaps), "a source did not answer all that it was asked"),
];
