//! The score: a sum of named parts, each with what was measured, what would give all points, and how to win them.
//!
//! Points are whole thousandths, so that a sum is exact. A part is made of pieces, each of a fixed share of its weight; a
//! piece that could not be measured gives no points and takes its share out of the weight. What was measured in the days
//! before then stands in for it ([`past`]), so that a gap neither raises the points won nor hides what was lost.
//! Score = 100 × points won / weight measured.

mod past;

use std::collections::{HashMap, HashSet};

use super::accounting::{Capital, Ledger, Span};
use super::alerts::{Area, Judged, first_expiry};
use super::facts::Facts;
use super::number::{clamp, ratio_ppm, real, share_ppm};
use super::words;
use crate::report::{Safety, ScorePart, Severity};
use crate::units::{DAY_MS, HOUR_MS, Ppm, Pubkey};

/// The parts and their weights; they sum to 100. On a node's first day flow and profit can't be known, and fees only with
/// the graph: what is left, 66, stays above the least coverage by more than any one area of safety.
pub const PARTS: [(&str, u32); 7] = [
    ("liquidity", 21),
    ("flow", 12),
    ("profit", 14),
    ("availability", 20),
    ("fees", 8),
    ("network", 5),
    ("safety", 20),
];

/// Thousandths of a point.
const MILLI: i64 = 1000;
/// Everything, in parts per million.
const ALL: i64 = 1_000_000;

/// The score of a day with all that explains it.
pub(super) struct Score {
    /// 0 to 100.
    pub(super) overall: Option<i64>,
    /// Points more than the day before.
    pub(super) delta: Option<i64>,
    /// In the order of [`PARTS`].
    pub(super) parts: Vec<ScorePart>,
    /// What concerns funds.
    pub(super) safety: Safety,
}

/// A piece of a part: its share of the part's weight, and how much of it was won, both in ppm.
struct Piece {
    share: i64,
    won: Option<i64>,
}

/// A part before its points are counted.
struct Measured {
    value: Option<f64>,
    target: f64,
    pieces: Vec<Piece>,
    sentence: String,
}

impl Measured {
    fn one(value: Option<f64>, target: f64, won: Option<i64>, sentence: String) -> Self {
        Self { value, target, pieces: vec![Piece { share: ALL, won }], sentence }
    }

    fn not_yet(target: f64, sentence: String) -> Self {
        Self::one(None, target, None, sentence)
    }
}

/// Scores a day.
pub(super) fn score(facts: &Facts<'_>, ledger: &Ledger<'_>, judged: &Judged) -> Score {
    let measured = [
        liquidity(facts),
        flow(facts),
        profit(facts, ledger),
        availability(facts),
        fees(facts),
        network(facts),
        guarded(facts, judged),
    ];
    let counted: Vec<Counted> = PARTS
        .iter()
        .zip(measured)
        .map(|((name, weight), part)| past::carried(facts, count(name, *weight, part)))
        .collect();
    let won: i64 = counted.iter().map(|c| c.won).sum();
    let weight: i64 = counted.iter().map(|c| c.weight).sum();
    let coverage = weight.saturating_mul(10);
    let least = facts.limits.score_min_coverage_percent.clamp(0, 100).saturating_mul(10_000);
    let parts: Vec<ScorePart> = counted.into_iter().map(|c| c.part).collect();
    let cap = [cap(facts, judged), past::cap(facts, &parts)].into_iter().flatten().min();
    let overall = (coverage >= least).then(|| rounded(won, weight)).flatten().map(|s| capped(s, cap));
    let mut findings: Vec<String> =
        judged.safety.iter().filter(|f| f.2 > Severity::Info).map(|f| f.0.to_owned()).collect();
    findings.dedup();
    let safety = Safety {
        ok: findings.is_empty(),
        score_cap: cap,
        findings,
        score_coverage: real(coverage) / real(ALL),
        blocks_to_first_htlc_expiry: facts.channels_known().then(|| first_expiry(facts)).flatten(),
    };
    let delta = past::delta(facts, &parts, cap).filter(|_| overall.is_some());
    Score { overall, delta, parts, safety }
}

/// `100 × won / weight`, rounded to the nearest, halves up.
fn rounded(won: i64, weight: i64) -> Option<i64> {
    (weight > 0)
        .then(|| (won.saturating_mul(200).saturating_add(weight)) / weight.saturating_mul(2))
        .map(|s| s.clamp(0, 100))
}

fn capped(score: i64, cap: Option<i64>) -> i64 {
    cap.map_or(score, |cap| score.min(cap.clamp(0, 100)))
}

/// A part with its points, in thousandths.
struct Counted {
    part: ScorePart,
    won: i64,
    /// What was measured of its weight.
    weight: i64,
    /// What could not be measured of it.
    missing: i64,
}

/// Counts the points of a part.
fn count(name: &str, weight: u32, part: Measured) -> Counted {
    let full = i64::from(weight) * MILLI;
    let (mut covered, mut missing, mut won) = (0_i64, 0_i64, 0_i64);
    for piece in &part.pieces {
        match piece.won {
            Some(ppm) => {
                covered += piece.share;
                won += clamp(i128::from(piece.share) * i128::from(ppm.clamp(0, ALL)) / i128::from(ALL));
            }
            None => missing += piece.share,
        }
    }
    let points = full * won.clamp(0, ALL) / ALL;
    let measured = full * covered.clamp(0, ALL) / ALL;
    let known = covered > 0;
    let part = ScorePart {
        name: name.to_owned(),
        weight,
        value: part.value.filter(|_| known),
        target: part.target,
        points: known.then(|| real(points) / real(MILLI)),
        points_lost: known.then(|| real(measured - points) / real(MILLI)),
        coverage: real(covered) / real(ALL),
        sentence: part.sentence,
        as_of: None,
    };
    Counted { part, won: points, weight: measured, missing: full * missing.clamp(0, ALL) / ALL }
}

/// Both sides of each channel hold enough to be used. Value: percent of the wanted balance that is there.
fn liquidity(facts: &Facts<'_>) -> Measured {
    if !facts.channels_known() {
        return Measured::not_yet(100.0, unread(facts, "channels"));
    }
    let wanted_share = i128::from(facts.limits.score_balance_percent.clamp(1, 50));
    let (mut there, mut wanted, mut short) = (0_i128, 0_i128, 0_usize);
    for channel in facts.channels() {
        let (ours, theirs) = (i128::from(channel.local.get().max(0)), i128::from(channel.remote.get().max(0)));
        let want = (ours + theirs) * wanted_share;
        let have = (ours.min(theirs) * 100).min(want);
        there += have;
        wanted += want;
        short += usize::from(have < want);
    }
    let Some(ppm) = share_ppm(there, wanted) else {
        return Measured::not_yet(100.0, "No channel with a balance, so nothing to measure.".to_owned());
    };
    let sentence = format!(
        "{} of the balance that lets every channel send and receive ({wanted_share} % on its smaller side) is there; {} of {} are short of it. Refill those, or change fees so that they refill themselves.",
        words::percent(ppm),
        short,
        words::number(facts.channels().len(), "channel")
    );
    Measured::one(Some(real(ppm) / 10_000.0), 100.0, Some(ppm), sentence)
}

/// Whether flow and profit can be measured: enough history, and events that could be read.
fn young(facts: &Facts<'_>, streams: &[&str]) -> Option<String> {
    if !facts.fresh() {
        return Some(unread(facts, "events"));
    }
    if let Some(stream) = streams.iter().find(|s| facts.snapshot.gaps.iter().any(|g| g.part.contains(**s))) {
        return Some(format!("Not measured: {stream} could not be read."));
    }
    let days = facts.limits.score_min_days.max(1);
    if facts.history.month.window.is_none() || facts.history_ms() < days.saturating_mul(DAY_MS) {
        let at = facts.history_full_at(days).day();
        return Some(format!("Not measured until {at}: {days} days of history are needed."));
    }
    None
}

/// Days that the sums of the month really cover.
fn covered_ms(facts: &Facts<'_>) -> i128 {
    i128::from(facts.history_ms().clamp(DAY_MS, 30 * DAY_MS))
}

/// What was forwarded against what the channels hold. Value: percent of the capacity that was forwarded in 30 days.
fn flow(facts: &Facts<'_>) -> Measured {
    let target = facts.limits.score_turnover_percent.max(1);
    if let Some(why) = young(facts, &["forwards"]) {
        return Measured::not_yet(real(target), why);
    }
    let capacity: i128 = facts.channels().iter().map(|c| i128::from(c.capacity.get()) * 1000).sum();
    let sent = i128::from(facts.history.month.amount_out.get().max(0));
    let month = i128::from(30 * DAY_MS);
    let Some(turnover) =
        facts.channels_known().then(|| ratio_ppm(sent * month, capacity * covered_ms(facts))).flatten()
    else {
        return Measured::not_yet(real(target), unread(facts, "channels"));
    };
    let won = ratio_ppm(i128::from(turnover), i128::from(target) * 10_000);
    let sentence = format!(
        "{} of the capacity was forwarded in 30 days; {target} % gives all points. More flow comes from refilled channels, from fees near the market, and from peers that send and receive.",
        words::percent(turnover)
    );
    Measured::one(Some(real(turnover) / 10_000.0), real(target), won, sentence)
}

/// Net earnings against our balance over time. Value: percent a year.
fn profit(facts: &Facts<'_>, ledger: &Ledger<'_>) -> Measured {
    let target = facts.limits.score_yield_ppm.max(1);
    let goal = real(target) / 10_000.0;
    let streams = ["forwards", "payments", "transactions", "closed", "sweeps"];
    if let Some(why) = young(facts, &streams) {
        return Measured::not_yet(goal, why);
    }
    // Thirty days; seven, where balances have not been sampled for longer.
    let capital = |span| ledger.rows(span).into_iter().map(|row| row.capital).sum::<Capital>();
    let spans = [(Span::Month, 30), (Span::Week, 7)];
    let Some((span, days)) = spans.into_iter().find(|(span, _)| capital(*span).mean().is_some()) else {
        let why = "Not measured until balances have been sampled for most of 7 days.";
        return Measured::not_yet(goal, why.to_owned());
    };
    let Some(money) = ledger.money(span).filter(|_| facts.channels_known()) else {
        return Measured::not_yet(goal, unread(facts, "channels"));
    };
    if let Some(unknown) = money.unknown.first() {
        return Measured::not_yet(goal, format!("Not measured: {unknown}."));
    }
    let (Some(Ppm(rate)), Some(mean)) = (money.apy_ppm, money.mean_local_sat) else {
        return Measured::not_yet(goal, "Not measured: no balance of ours to earn with.".to_owned());
    };
    let won = ratio_ppm(i128::from(rate.max(0)), i128::from(target));
    let sentence = format!(
        "{} net in {days} days is {:.2} % a year on {}, our balance over that time; {goal} % gives all points. Fees earned were {}, circular payments cost {}, the chain {}.",
        words::msat(money.net_msat),
        real(rate) / 10_000.0,
        words::sat(mean),
        words::msat(money.fees_earned_msat),
        words::msat(money.rebalance_cost_msat),
        words::sat(money.open_cost_sat + money.close_cost_sat + money.sweep_cost_sat)
    );
    Measured::one(Some(real(rate) / 10_000.0), goal, won, sentence)
}

/// Channels that can be used: half by now, half over 30 days. Value: percent of the capacity now.
fn availability(facts: &Facts<'_>) -> Measured {
    let target = facts.limits.score_available_percent.clamp(1, 100);
    if !facts.channels_known() {
        return Measured::not_yet(real(target), unread(facts, "channels"));
    }
    let capacity = |pick: fn(&&crate::snapshot::Channel) -> bool| -> i128 {
        facts.channels().iter().filter(pick).map(|c| i128::from(c.capacity.get().max(0))).sum()
    };
    let now = share_ppm(capacity(|c| c.active), capacity(|_| true));
    let (past, how) = match by_watching(facts) {
        Some(ppm) => (Some(ppm), "peers were connected for {} of what was watched of 30 days"),
        None => (by_samples(facts), "channels were in {} of all samples of 30 days"),
    };
    let points = |ppm: Option<i64>| ppm.and_then(|p| ratio_ppm(i128::from(p), i128::from(target) * 10_000));
    let pieces = vec![Piece { share: ALL / 2, won: points(now) }, Piece { share: ALL / 2, won: points(past) }];
    let unusable = facts.channels().iter().filter(|c| !c.active).count();
    let sentence = format!(
        "{} of the capacity is usable now, and {}; {target} % gives all points.{}",
        words::percent(now.unwrap_or_default()),
        how.replace("{}", &words::percent(past.unwrap_or_default())),
        match unusable {
            0 => String::new(),
            n => format!(
                " {} {} not usable: reach the peers, or move the funds to peers that stay.",
                words::number(n, "channel"),
                if n == 1 { "is" } else { "are" }
            ),
        }
    );
    Measured { value: now.map(|p| real(p) / 10_000.0), target: real(target), pieces, sentence }
}

/// For how much of the watched time the peers were connected, each channel's once; times in which this node was cut off
/// are not in it. `None` where too little was watched.
fn by_watching(facts: &Facts<'_>) -> Option<i64> {
    let watched = &facts.history.watched;
    let [_, _, month] = watched.peers_ms;
    if month < facts.limits.score_min_watched_hours.max(1).saturating_mul(HOUR_MS) {
        return None;
    }
    let by_peer: HashMap<&Pubkey, _> = watched.peers_month.iter().map(|p| (&p.peer, p)).collect();
    let seen = facts.channels().iter().filter_map(|c| by_peer.get(&c.peer));
    let (connected, all) = seen.fold((0_i128, 0_i128), |(connected, all), peer| {
        (connected + i128::from(peer.connected_ms.max(0)), all + i128::from(peer.watched_ms.max(0)))
    });
    share_ppm(connected, all)
}

/// In how many samples of 30 days channels were usable; this snapshot is one of them, and on the first day the only one.
fn by_samples(facts: &Facts<'_>) -> Option<i64> {
    let samples = facts.samples.values().flatten().map(|s| s.active);
    let (all, usable) = samples
        .chain(facts.channels().iter().map(|c| c.active))
        .fold((0_i128, 0_i128), |(n, ok), active| (n + 1, ok + i128::from(active)));
    share_ppm(usable, all)
}

/// Fees within what others charge to the same peers. Value: percent of the judged capacity.
fn fees(facts: &Facts<'_>) -> Measured {
    if !facts.channels_known() || facts.snapshot.node.market.is_none() {
        return Measured::not_yet(100.0, "Not measured: the graph did not tell what others charge.".to_owned());
    }
    let (mut all, mut judged, mut good) = (0_i128, 0_i128, 0_i128);
    for channel in facts.channels().iter().filter(|c| !c.private) {
        let capacity = i128::from(channel.capacity.get().max(0));
        all += capacity;
        let Some((_, [low, _, _, _, high])) = facts.market(&channel.peer) else { continue };
        let Some((_, rate, _)) = facts.our_fee(&channel.point) else { continue };
        judged += capacity;
        good += capacity * i128::from(nearness(rate, low, high));
    }
    let (Some(covered), Some(won)) = (share_ppm(judged, all), share_ppm(good, judged * i128::from(ALL))) else {
        return Measured::not_yet(
            100.0,
            "Not measured: too few others charge fees to these peers to compare with.".to_owned(),
        );
    };
    let sentence = format!(
        "Fees are {} within what 8 of 10 others charge to the same peers. Move those that `fee-far-from-market` names towards the range.",
        words::percent(won)
    );
    // Peers that nobody else charges for are no gap: there is nothing that could be measured another day.
    let pieces = vec![Piece { share: covered, won: Some(won) }];
    Measured { value: Some(real(won) / 10_000.0), target: 100.0, pieces, sentence }
}

/// One within the range; outside of it, the ratio to its nearer end.
fn nearness(rate: Ppm, low: Ppm, high: Ppm) -> i64 {
    let rate = rate.0.max(0);
    if rate > high.0 {
        share_ppm(i128::from(high.0.max(0)) + 1, i128::from(rate) + 1).unwrap_or(0)
    } else if rate < low.0 {
        share_ppm(i128::from(rate) + 1, i128::from(low.0.max(0)) + 1).unwrap_or(0)
    } else {
        ALL
    }
}

/// The place in the network: distinct peers, and a current view of the graph. Value: distinct peers.
fn network(facts: &Facts<'_>) -> Measured {
    let target = facts.limits.score_peers.max(1);
    let peers: Option<HashSet<_>> = facts.channels_known().then(|| facts.channels().iter().map(|c| &c.peer).collect());
    let n = peers.map(|p| i64::try_from(p.len()).unwrap_or(i64::MAX));
    let synced = if facts.snapshot.node.info.synced_to_graph { ALL } else { 0 };
    let pieces = vec![
        Piece { share: 600_000, won: n.and_then(|n| share_ppm(i128::from(n), i128::from(target))) },
        Piece { share: 400_000, won: facts.fresh().then_some(synced) },
    ];
    let sentence = match n {
        Some(n) => format!(
            "Channels with {}; {target} give all points, and so does a current view of the graph.",
            words::number(usize::try_from(n).unwrap_or(0), "peer")
        ),
        None => unread(facts, "channels"),
    };
    Measured { value: n.map(real), target: f64::from(target), pieces, sentence }
}

/// Nothing threatens funds. Value: findings that do. Each area that could be looked at is a quarter of the part.
fn guarded(facts: &Facts<'_>, judged: &Judged) -> Measured {
    let node = &facts.snapshot.node;
    let looked = [
        (Area::Htlcs, facts.channels_known()),
        (Area::Closing, facts.fresh() && node.pending.is_some() && node.closed.is_some()),
        (Area::Reserve, facts.fresh() && node.wallet.is_some()),
        (Area::Access, true),
    ];
    let pieces = looked.iter().map(|(area, seen)| Piece {
        share: ALL / 4,
        won: seen.then(|| {
            let worst = judged.safety.iter().filter(|f| f.1 == *area).map(|f| f.2).max();
            match worst {
                Some(Severity::Critical) => 0,
                Some(Severity::Warning) => ALL / 2,
                _ => ALL,
            }
        }),
    });
    let pieces = pieces.collect();
    let findings: Vec<&str> = judged.safety.iter().filter(|f| f.2 > Severity::Info).map(|f| f.0).collect();
    let list = findings.join(", ");
    let sentence = match findings.len() {
        0 => "Nothing that threatens funds was found.".to_owned(),
        1 => format!("1 finding concerns funds: {list}. Its alert says what to do."),
        n => format!("{} concern funds: {list}. Their alerts say what to do.", words::number(n, "finding")),
    };
    Measured { value: Some(real(i64::try_from(findings.len()).unwrap_or(i64::MAX))), target: 0.0, pieces, sentence }
}

/// The limit that findings about funds put on the score.
fn cap(facts: &Facts<'_>, judged: &Judged) -> Option<i64> {
    match judged.safety.iter().map(|f| f.2).max() {
        Some(Severity::Critical) => Some(facts.limits.score_cap_critical.clamp(0, 100)),
        Some(Severity::Warning) => Some(facts.limits.score_cap_warning.clamp(0, 100)),
        _ => None,
    }
}

fn unread(facts: &Facts<'_>, what: &str) -> String {
    if facts.fresh() {
        format!("Not measured: {what} could not be read.")
    } else {
        "Not measured: the node is not synced, so what it says is old.".to_owned()
    }
}

#[cfg(test)]
mod tests;
