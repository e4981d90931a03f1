//! Key figures of a calendar week or month, from stored events and from what its daily reports said.

use std::collections::BTreeMap;

use super::accounting::{self, Ledger, Span};
use super::assemble::Identity;
use super::number::{count, real};
use crate::history::{History, PastAdvice, Period, Window};
use crate::report::period::{
    PERIOD_REPORT_VERSION, PeerAway, PeriodAdvice, PeriodAlert, PeriodAlerts, PeriodAvailability, PeriodChannel,
    PeriodDays, PeriodKind, PeriodReport, PeriodScore,
};
use crate::report::{MoneyPeriod, NotMeasured, Severity, Time};
use crate::snapshot::Snapshot;
use crate::units::{Day, Msat, Pubkey, Sat, UnixMs};

/// Channels that are named as the best, and as the worst.
const CHANNELS: usize = 5;
/// Peers that are named as away.
const PEERS: usize = 10;
/// Share of the samples, in percent, beyond which a peer was often away.
const AWAY_PERCENT: usize = 10;

/// What a daily report said that its period shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportedDay {
    /// The day.
    pub date: Day,
    /// Made later, for a day that was missed.
    pub backfilled: bool,
    /// The formula of its score.
    pub score_version: u32,
    /// Its score.
    pub score: Option<i64>,
}

/// All that a period's report is made of.
#[derive(Clone, Debug)]
pub struct PeriodInput<'a> {
    /// Which document it will be.
    pub identity: Identity,
    /// The node's key.
    pub pubkey: &'a Pubkey,
    /// What the node calls itself.
    pub alias: &'a str,
    /// Week or month.
    pub kind: PeriodKind,
    /// Its first day.
    pub start: Day,
    /// What is stored up to the midnight after its last day.
    pub history: &'a History,
    /// The last snapshot that was taken by then.
    pub snapshot: Option<&'a Snapshot>,
    /// Sums of exactly the period.
    pub sums: &'a Period,
    /// Sums of the one before.
    pub before: &'a Period,
    /// Its days that have a report, each once.
    pub days: &'a [ReportedDay],
    /// Alerts that stood at any time of it.
    pub alerts: &'a [PeriodAlert],
    /// Advice that was given, followed or measured in it.
    pub advice: &'a [PastAdvice],
}

impl PeriodInput<'_> {
    fn end(&self) -> Day {
        self.kind.end(self.start)
    }

    fn window(&self) -> Window {
        Window { start: self.start.start(), end: self.end().start() }
    }

    fn dates(&self) -> Vec<Day> {
        (0..self.end().number() - self.start.number()).map(|n| self.start.plus(n)).collect()
    }

    fn within(&self, at: UnixMs) -> bool {
        let window = self.window();
        window.start <= at && at < window.end
    }

    /// The first moment of which anything is known.
    fn first(&self) -> Option<UnixMs> {
        [self.history.first_seen, self.history.first_forward].into_iter().flatten().min()
    }

    /// The window of the period before, where the whole of it is known: a part of it is no measure.
    fn whole_before(&self) -> Option<Window> {
        self.before.window.filter(|window| self.first().is_some_and(|first| first <= window.start))
    }

    /// A peer's alias, also of one that no channel is open with any more.
    fn alias_of(&self, peer: &Pubkey) -> Option<String> {
        self.history.aliases.iter().find(|(key, _)| key == peer).map(|(_, alias)| alias.clone())
    }
}

/// The report of a week or month.
pub fn period_report(input: &PeriodInput<'_>) -> PeriodReport {
    let ledger = Ledger::new(input.history, input.snapshot);
    let window = input.window();
    let known = input.first().is_some_and(|first| first < window.end);
    let before = input.whole_before();
    let money = ledger.money_of(input.sums, window, means(input.kind)).filter(|_| known);
    let score = score(input);
    let not_measured = not_measured(input, money.as_ref(), &score);
    let (best_channels, worst_channels) = channels(input, &ledger);
    PeriodReport {
        report_id: input.identity.report_id,
        user_id: input.identity.user_id.clone(),
        tenant_id: input.identity.tenant_id.clone(),
        node_pubkey: input.pubkey.clone(),
        node_alias: input.alias.to_owned(),
        period: input.kind,
        period_label: input.kind.label(input.start),
        period_start: input.start,
        period_end: input.end().plus(-1),
        generation_timestamp: Time(input.identity.generated_at),
        report_version: PERIOD_REPORT_VERSION.to_owned(),
        revision: input.identity.revision,
        window_start: Time(window.start),
        window_end: Time(window.end),
        days: days(input),
        score,
        forwarding: accounting::flow(input.sums).filter(|_| known),
        forwarding_before: accounting::flow(input.before).filter(|_| before.is_some()),
        money,
        money_before: before.and_then(|window| ledger.money_of(input.before, window, None)),
        revenue_by_day: revenue(input),
        best_channels,
        worst_channels,
        availability: availability(input),
        alerts: alerts(input),
        advice: advice(input),
        not_measured,
        rag_asset_id: input.identity.file.clone(),
        created_at: Time(input.identity.generated_at),
    }
}

fn days(input: &PeriodInput<'_>) -> PeriodDays {
    let dates = input.dates();
    let made = |backfilled| count(input.days.iter().filter(|day| day.backfilled == backfilled).count());
    PeriodDays {
        all: count(dates.len()),
        reported: made(false),
        caught_up: made(true),
        missing: dates.into_iter().filter(|date| input.days.iter().all(|day| day.date != *date)).collect(),
    }
}

fn score(input: &PeriodInput<'_>) -> PeriodScore {
    let version = input.days.iter().filter(|day| day.score.is_some()).map(|day| day.score_version).max();
    let of = |date: Day| {
        let same = input.days.iter().find(|day| day.date == date && Some(day.score_version) == version);
        same.and_then(|day| day.score)
    };
    let by_day: Vec<Option<i64>> = input.dates().into_iter().map(of).collect();
    let known: Vec<i64> = by_day.iter().flatten().copied().collect();
    let sum: i64 = known.iter().sum();
    let mean = super::number::ratio_ppm(i128::from(sum) * 10, i128::from(count(known.len())))
        .map(|tenths| real((tenths + 500_000) / 1_000_000) / 10.0);
    PeriodScore {
        score_version: version,
        first: known.first().copied(),
        last: known.last().copied(),
        lowest: known.iter().min().copied(),
        highest: known.iter().max().copied(),
        mean: mean.filter(|_| !known.is_empty()),
        by_day,
    }
}

/// Fees of each day. The history's days end at the midnight that ends the period, so they are its calendar days.
fn revenue(input: &PeriodInput<'_>) -> Vec<Option<Sat>> {
    let wanted = input.dates().len();
    let known = &input.history.days;
    let mut days: Vec<Option<Sat>> = vec![None; wanted.saturating_sub(known.len())];
    let skipped = known.len().saturating_sub(wanted);
    days.extend(known.iter().skip(skipped).map(|day| day.map(|sum| sum.fees.floor_sat())));
    days
}

fn channels(input: &PeriodInput<'_>, ledger: &Ledger<'_>) -> (Vec<PeriodChannel>, Vec<PeriodChannel>) {
    let mut rows: Vec<(Option<Msat>, PeriodChannel)> = Vec::new();
    for row in ledger.rows_of(input.sums, input.window(), means(input.kind)) {
        let Some(point) = row.point else { continue };
        let Some((peer, owner)) = ledger.channel(point).and_then(|owner| Some((owner.peer?, owner))) else { continue };
        let account = ledger.account(&row);
        if account.is_none() && !owner.open {
            continue;
        }
        // One whose costs are not known is neither best nor worst.
        let net = account.as_ref().map_or(Some(Msat::ZERO), |account| account.net_msat);
        let channel = PeriodChannel {
            channel_point: point.clone(),
            peer: peer.clone(),
            peer_alias: owner.alias.map(str::to_owned).or_else(|| input.alias_of(peer)),
            account,
        };
        rows.push((net, channel));
    }
    rows.retain(|(net, _)| net.is_some());
    rows.sort_by(|(a, left), (b, right)| b.cmp(a).then_with(|| left.channel_point.cmp(&right.channel_point)));
    let best = rows.iter().filter(|(net, _)| *net > Some(Msat::ZERO)).take(CHANNELS).map(|(_, row)| row.clone());
    let bad = |(net, row): &&(Option<Msat>, PeriodChannel)| *net < Some(Msat::ZERO) || row.account.is_none();
    let worst = rows.iter().rev().filter(bad).take(CHANNELS).map(|(_, row)| row.clone());
    (best.collect(), worst.collect())
}

/// The period of the history whose mean balances are those of the calendar's; a month is no 30 days.
const fn means(kind: PeriodKind) -> Option<Span> {
    match kind {
        PeriodKind::Week => Some(Span::Week),
        PeriodKind::Month => None,
    }
}

fn availability(input: &PeriodInput<'_>) -> PeriodAvailability {
    let samples: Vec<_> = input.history.samples.iter().filter(|sample| input.within(sample.at)).collect();
    let mut times: Vec<UnixMs> = samples.iter().map(|sample| sample.at).collect();
    times.sort_unstable();
    times.dedup();
    let usable = samples.iter().filter(|sample| sample.active).count();
    let channels_usable =
        (!samples.is_empty()).then(|| f64::from(count(usable)) / f64::from(count(samples.len()).max(1)));
    // A peer is there at a time if any of its channels says so.
    let mut seen: BTreeMap<&Pubkey, BTreeMap<UnixMs, bool>> = BTreeMap::new();
    for sample in &samples {
        let here = sample.peer_connected.unwrap_or(sample.active);
        *seen.entry(&sample.peer).or_default().entry(sample.at).or_default() |= here;
    }
    let open = input.snapshot.and_then(|s| s.node.channels.as_deref()).unwrap_or_default();
    let mut away: Vec<(usize, usize, &Pubkey)> = Vec::new();
    for (peer, times) in &seen {
        let gone = times.values().filter(|here| !**here).count();
        if gone * 100 > times.len() * AWAY_PERCENT {
            away.push((gone, times.len(), peer));
        }
    }
    away.sort_by(|a, b| (b.0 * a.1).cmp(&(a.0 * b.1)).then_with(|| a.2.cmp(b.2)));
    let peers_away = away.into_iter().take(PEERS).map(|(gone, all, peer)| PeerAway {
        peer: peer.clone(),
        peer_alias: open
            .iter()
            .find(|c| c.peer == *peer)
            .and_then(|c| c.peer_alias.clone())
            .or_else(|| input.alias_of(peer)),
        away: f64::from(count(gone)) / f64::from(count(all).max(1)),
    });
    PeriodAvailability { samples: count(times.len()), channels_usable, peers_away: peers_away.collect() }
}

fn alerts(input: &PeriodInput<'_>) -> PeriodAlerts {
    let end = input.window().end;
    let number = |is: &dyn Fn(&PeriodAlert) -> bool| count(input.alerts.iter().filter(|alert| is(alert)).count());
    let mut critical: Vec<PeriodAlert> =
        input.alerts.iter().filter(|alert| alert.severity == Severity::Critical).cloned().collect();
    critical.sort_by(|a, b| (a.detected_at, &a.alert_key).cmp(&(b.detected_at, &b.alert_key)));
    PeriodAlerts {
        opened: number(&|alert| input.within(alert.detected_at.0)),
        resolved: number(&|alert| alert.resolved_at.is_some_and(|at| input.within(at.0))),
        standing: number(&|alert| alert.detected_at.0 < end && alert.resolved_at.is_none_or(|at| at.0 >= end)),
        critical,
    }
}

fn advice(input: &PeriodInput<'_>) -> PeriodAdvice {
    let given = input.advice.iter().filter(|advice| input.within(advice.first_at)).count();
    let followed = input.advice.iter().filter(|advice| advice.followed_at.is_some_and(|at| input.within(at))).count();
    // Each advice by its latest outcome of the period that has a figure.
    let measured: Vec<(Msat, Msat)> = input
        .advice
        .iter()
        .filter_map(|advice| {
            let figures = advice.outcomes.iter().filter(|o| input.within(o.measured_at));
            let (_, gained) = figures.filter_map(|o| Some((o.days, o.gained?))).max_by_key(|(days, _)| *days)?;
            Some((advice.promised?, gained))
        })
        .collect();
    let sum = |pick: fn(&(Msat, Msat)) -> Msat| {
        (!measured.is_empty()).then(|| measured.iter().map(pick).sum::<Msat>().floor_sat())
    };
    PeriodAdvice {
        given: count(given),
        followed: count(followed),
        promised_sats_month: sum(|(promised, _)| *promised),
        came_sats_month: sum(|(_, came)| *came),
    }
}

fn not_measured(input: &PeriodInput<'_>, money: Option<&MoneyPeriod>, score: &PeriodScore) -> Vec<NotMeasured> {
    let missing = |part: &str, reason: String| NotMeasured { part: part.to_owned(), reason };
    let (window, kind) = (input.window(), input.kind.as_str());
    let mut list = Vec::new();
    match input.first() {
        None => list.push(missing("history", "Nothing is stored of this node yet.".to_owned())),
        Some(first) if first > window.start => {
            list.push(missing("history", format!("Known from {} on only.", first.day())));
        }
        Some(_) => {}
    }
    if input.whole_before().is_none() {
        let reason = format!("The {kind} before is not known whole, so nothing is held against it.");
        list.push(missing("before", reason));
    }
    if money.is_some_and(|money| money.mean_local_sat.is_none()) {
        let why = match input.kind {
            PeriodKind::Week => "No collection tells the balances of this week",
            PeriodKind::Month => "Mean balances are kept for 30 days and not for calendar months",
        };
        list.push(missing("mean-balance", format!("{why}, so there is no yearly yield.")));
    }
    if input.whole_before().is_some() {
        let reason = format!("The mean balance of the {kind} before is not kept, so it has no yearly yield.");
        list.push(missing("mean-balance-before", reason));
    }
    if score.last.is_none() {
        list.push(missing("score", "No day of it has a report with a score.".to_owned()));
    }
    if input.history.samples.iter().all(|sample| !input.within(sample.at)) {
        list.push(missing("availability", "No collection of this time is kept.".to_owned()));
    }
    list
}

#[cfg(test)]
mod tests;
