//! The money block of a report: the node's periods, the accounts of channels and peers, and what stands beside them.

use std::collections::{BTreeMap, HashMap};

use super::accounting::{Ledger, Row, Span};
use super::facts::Facts;
use super::number::{clamp, share, share_ppm};
use crate::history::{FailureFlow, History};
use crate::report::{
    Accounts, ChannelFlow, ChannelMoney, Concentration, Fiat, FiatPeriod, FlowClass, MissedChannel, MissedDemand,
    MissedFlow, Money, MoneyPeriod, PeerMoney, PeerShare, Time,
};
use crate::snapshot::{FailureReason, PublicView};
use crate::units::{DAY_MS, Msat, Outpoint, Pubkey, UnixMs};

/// Msat in one bitcoin.
const BITCOIN: i128 = 100_000_000_000;

/// Everything about money. Without facts, for a day that was caught up, what needs "now" is null.
pub(super) fn money(ledger: &Ledger<'_>, history: &History, facts: Option<&Facts<'_>>) -> Money {
    let [day, week, month, quarter, ever] = Span::ALL.map(|span| ledger.money(span));
    let accounts = AllAccounts::new(ledger, facts);
    let fiat = facts.and_then(|f| fiat(&f.snapshot.public, [&day, &week, &month, &quarter, &ever]));
    Money {
        channels: accounts.channels(),
        peers: accounts.peers(),
        unattributed: accounts.unattributed(),
        fiat,
        missed_demand: missed_demand(ledger, history),
        concentration: facts.and_then(|f| concentration(ledger, f)),
        day,
        week,
        month,
        quarter,
        ever,
    }
}

/// The rows of all periods by channel.
struct AllAccounts<'l, 'a> {
    ledger: &'l Ledger<'a>,
    facts: Option<&'l Facts<'a>>,
    aliases: HashMap<&'a Pubkey, &'a str>,
    rows: BTreeMap<Option<&'a Outpoint>, [Row<'a>; 5]>,
}

impl<'l, 'a> AllAccounts<'l, 'a> {
    fn new(ledger: &'l Ledger<'a>, facts: Option<&'l Facts<'a>>) -> Self {
        let mut rows: BTreeMap<Option<&Outpoint>, [Row<'_>; 5]> = BTreeMap::new();
        for (n, span) in Span::ALL.into_iter().enumerate() {
            for row in ledger.rows(span) {
                if let Some(slot) = rows.entry(row.point).or_default().get_mut(n) {
                    *slot = row;
                }
            }
        }
        let open = facts.into_iter().flat_map(Facts::channels);
        let aliases = open.filter_map(|c| Some((&c.peer, c.peer_alias.as_deref()?))).collect();
        Self { ledger, facts, aliases, rows }
    }

    fn accounts(&self, rows: &[Row<'_>; 5]) -> Option<Accounts> {
        let [day, week, month, quarter, ever] = rows.each_ref().map(|row| self.ledger.account(row));
        let accounts = Accounts { day, week, month, quarter, ever };
        (accounts != Accounts::default()).then_some(accounts)
    }

    fn unattributed(&self) -> Option<Accounts> {
        self.rows.get(&None).and_then(|rows| self.accounts(rows))
    }

    fn channels(&self) -> Vec<ChannelMoney> {
        let row = |point: Option<&Outpoint>, rows: &[Row<'_>; 5]| {
            let point = point?;
            let owner = self.ledger.channel(point).cloned().unwrap_or_default();
            let [_, _, month, ..] = rows;
            let (flow_direction, flow_class) = self.direction(&month.flow);
            Some(ChannelMoney {
                channel_point: point.clone(),
                peer: owner.peer.cloned(),
                peer_alias: owner.peer.and_then(|peer| self.alias(peer)),
                open: owner.open,
                idle_days: self.facts.filter(|_| owner.open).map(|f| idle_days(f, point, owner.opened_at)),
                flow_direction,
                flow_class,
                accounts: self.accounts(rows)?,
            })
        };
        let mut channels: Vec<ChannelMoney> = self.rows.iter().filter_map(|(point, rows)| row(*point, rows)).collect();
        channels.sort_by_key(|c| std::cmp::Reverse(earned(&c.accounts)));
        channels
    }

    fn peers(&self) -> Vec<PeerMoney> {
        let mut peers: BTreeMap<Option<&Pubkey>, (u32, [Row<'_>; 5])> = BTreeMap::new();
        for (point, rows) in &self.rows {
            let Some(owner) = point.map(|point| self.ledger.channel(point).cloned().unwrap_or_default()) else {
                continue;
            };
            let (open, sums) = peers.entry(owner.peer).or_default();
            *open = open.saturating_add(u32::from(owner.open));
            sums.iter_mut().zip(rows).for_each(|(sum, row)| sum.add(row));
        }
        let row = |(peer, (open, rows)): (Option<&Pubkey>, (u32, [Row<'_>; 5]))| {
            let [_, _, month, ..] = &rows;
            let (flow_direction, flow_class) = self.direction(&month.flow);
            Some(PeerMoney {
                peer: peer.cloned(),
                peer_alias: peer.and_then(|peer| self.alias(peer)),
                channels_open: open,
                flow_direction,
                flow_class,
                accounts: self.accounts(&rows)?,
            })
        };
        let mut peers: Vec<PeerMoney> = peers.into_iter().filter_map(row).collect();
        peers.sort_by_key(|p| std::cmp::Reverse(earned(&p.accounts)));
        peers
    }

    fn alias(&self, peer: &Pubkey) -> Option<String> {
        let in_graph = || self.facts.and_then(|f| f.peer_market(peer)).map(|m| m.alias.as_str());
        self.aliases.get(peer).copied().or_else(in_graph).map(str::to_owned)
    }

    /// What left less what came over both, and its name.
    fn direction(&self, flow: &ChannelFlow) -> (Option<f64>, Option<FlowClass>) {
        let [came, left] = [flow.amount_in_msat, flow.amount_out_msat].map(|m| i128::from(m.get().max(0)));
        let (Some(out), Some(facts)) = (share_ppm(left, came + left), self.facts) else { return (None, None) };
        let direction = out.saturating_mul(2).saturating_sub(1_000_000);
        let limit = facts.limits.flow_class_percent.clamp(0, 100).saturating_mul(10_000);
        let class = match direction {
            d if d.abs() < limit.max(1) => FlowClass::Balanced,
            d if d < 0 => FlowClass::Source,
            _ => FlowClass::Sink,
        };
        (Some(share(direction)), Some(class))
    }
}

fn earned(accounts: &Accounts) -> Msat {
    let longest = [&accounts.ever, &accounts.quarter, &accounts.month, &accounts.week, &accounts.day];
    longest.into_iter().flatten().map(|a| a.fees_earned_msat).max().unwrap_or_default()
}

/// Days since the last forward, or as far back as the channel or what is stored of the node goes.
fn idle_days(facts: &Facts<'_>, point: &Outpoint, opened_at: Option<UnixMs>) -> u32 {
    let history = facts.history_ms();
    let since = match facts.last_forward.get(point) {
        Some(at) => facts.now.since(*at),
        None => opened_at.map_or(history, |at| facts.now.since(at).min(history)),
    };
    u32::try_from(since.max(0) / DAY_MS).unwrap_or(u32::MAX)
}

/// The periods at the price of now: dollars where there are any, else the first currency.
fn fiat(public: &PublicView, periods: [&Option<MoneyPeriod>; 5]) -> Option<Fiat> {
    let told = public.price.as_ref()?;
    let (currency, price) = told.value.get_key_value("USD").or_else(|| told.value.iter().next())?;
    let price = *price;
    let worth = |amount: Msat| {
        let twice = i128::from(amount.get()).saturating_mul(i128::from(price)).saturating_mul(2);
        clamp(twice.saturating_add(BITCOIN).div_euclid(2 * BITCOIN))
    };
    let [day, week, month, quarter, ever] = periods.map(|period| {
        period.as_ref().map(|p| FiatPeriod {
            fees_earned_hundredths: worth(p.fees_earned_msat),
            cost_hundredths: worth(p.fees_earned_msat - p.net_msat),
            net_hundredths: p.net_known.then(|| worth(p.net_msat)),
        })
    });
    let (source, as_of) = (told.source.clone(), Time(told.as_of));
    Some(Fiat { currency: currency.clone(), price_hundredths: price, source, as_of, day, week, month, quarter, ever })
}

/// Forwards that failed since a channel held too little of ours, by the channel that they were to leave by.
fn missed_demand(ledger: &Ledger<'_>, history: &History) -> Option<MissedDemand> {
    let watched = &history.watched;
    let [day_ms, week_ms, month_ms] = watched.htlcs_ms;
    if month_ms <= 0 {
        return None;
    }
    let part = |ms: i64, days: i64| share(share_ppm(i128::from(ms), i128::from(days * DAY_MS)).unwrap_or(0));
    let day = by_target(ledger, &watched.failures_day);
    let week = by_target(ledger, &watched.failures_week);
    let month = by_target(ledger, &watched.failures_month);
    let seen = |ms: i64, sums: &HashMap<Option<&Outpoint>, MissedFlow>, point: Option<&Outpoint>| {
        (ms > 0).then(|| sums.get(&point).copied().unwrap_or_default())
    };
    let mut channels: Vec<MissedChannel> = month
        .keys()
        .copied()
        .map(|point| {
            let owner = point.and_then(|point| ledger.channel(point)).cloned().unwrap_or_default();
            MissedChannel {
                channel_point: point.cloned(),
                peer: owner.peer.cloned(),
                peer_alias: owner.alias.map(str::to_owned),
                day: seen(day_ms, &day, point),
                week: seen(week_ms, &week, point),
                month: seen(month_ms, &month, point),
            }
        })
        .collect();
    let missed = |c: &MissedChannel| c.month.map(|m| m.fees_msat).unwrap_or_default();
    channels.sort_by(|a, b| missed(b).cmp(&missed(a)).then_with(|| a.channel_point.cmp(&b.channel_point)));
    Some(MissedDemand {
        watched_share_24h: part(day_ms, 1),
        watched_share_7d: part(week_ms, 7),
        watched_share_30d: part(month_ms, 30),
        channels,
    })
}

fn by_target<'a>(ledger: &Ledger<'a>, failures: &[FailureFlow]) -> HashMap<Option<&'a Outpoint>, MissedFlow> {
    let mut sums: HashMap<Option<&Outpoint>, MissedFlow> = HashMap::new();
    for failure in failures.iter().filter(|f| f.reason == FailureReason::Balance) {
        let sum = sums.entry(ledger.owner(failure.scid_out)).or_default();
        sum.forwards = sum.forwards.saturating_add(failure.count);
        sum.amount_msat += failure.amount_out;
        sum.fees_msat += failure.fee;
    }
    sums
}

/// Share of the day's forwards that succeeded, where enough of the day was watched.
pub(super) fn success_rate(facts: &Facts<'_>) -> Option<f64> {
    let watched = &facts.history.watched;
    let [day_ms, _, _] = watched.htlcs_ms;
    let covered = share_ppm(i128::from(day_ms), i128::from(DAY_MS))?;
    if covered < facts.limits.watched_percent.clamp(1, 100).saturating_mul(10_000) {
        return None;
    }
    // Both in the same time: a forward that settled while nobody watched has no failures beside it.
    let settled = i128::from(watched.settled_day);
    let failed: i128 = watched.failures_day.iter().map(|f| i128::from(f.count)).sum();
    share_ppm(settled, settled + failed).map(share)
}

/// How much hangs on one peer, and on Tor.
fn concentration(ledger: &Ledger<'_>, facts: &Facts<'_>) -> Option<Concentration> {
    if !facts.channels_known() || facts.channels().is_empty() {
        return None;
    }
    let (mut fees, mut volume) = (Shares::new(), Shares::new());
    for row in ledger.rows(Span::Month) {
        let peer = row.point.and_then(|point| ledger.channel(point)).and_then(|owner| owner.peer);
        add(&mut fees, peer, row.flow.fees_earned_msat);
        add(&mut volume, peer, row.flow.amount_out_msat);
    }
    let mut local = Shares::new();
    for channel in facts.channels() {
        add(&mut local, Some(&channel.peer), channel.local.msat());
    }
    let all_fees = fees.values().copied().sum();
    let reach = |wanted: bool| {
        let known = |peer: &Pubkey| facts.peer_market(peer).and_then(|m| m.clearnet);
        let capacity = |pick: &dyn Fn(&Pubkey) -> bool| -> i128 {
            facts.channels().iter().filter(|c| pick(&c.peer)).map(|c| i128::from(c.capacity.get().max(0))).sum()
        };
        let any = facts.channels().iter().any(|c| known(&c.peer).is_some());
        any.then(|| share_ppm(capacity(&|p| known(p) == Some(wanted)), capacity(&|_| true))).flatten().map(share)
    };
    Some(Concentration {
        fees: top(facts, &fees, all_fees),
        volume: top(facts, &volume, volume.values().copied().sum()),
        local: top(facts, &local, local.values().copied().sum()),
        loss: top(facts, &touched(ledger, facts), all_fees),
        clearnet_share: reach(true),
        tor_share: reach(false),
    })
}

/// Sums by peer; `None` for channels of no peer that is known.
type Shares<'a> = BTreeMap<Option<&'a Pubkey>, Msat>;

fn add<'a>(shares: &mut Shares<'a>, peer: Option<&'a Pubkey>, amount: Msat) {
    *shares.entry(peer).or_default() += amount;
}

/// Fees of forwards that came or left by a peer's channels, each once.
fn touched<'a>(ledger: &Ledger<'a>, facts: &Facts<'_>) -> Shares<'a> {
    let mut sums = Shares::new();
    let peer = |scid| ledger.owner(scid).and_then(|point| ledger.channel(point)).and_then(|owner| owner.peer);
    for pair in &facts.history.pairs_month {
        let (from, to) = (peer(pair.scid_in), peer(pair.scid_out));
        let fee = pair.amount_in - pair.amount_out;
        add(&mut sums, from, fee);
        if from != to {
            add(&mut sums, to, fee);
        }
    }
    sums
}

/// The peer with the most.
fn top(facts: &Facts<'_>, shares: &Shares<'_>, all: Msat) -> Option<PeerShare> {
    let known = shares.iter().filter_map(|(peer, amount)| Some(((*peer)?, *amount)));
    let (peer, amount) = known.max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)))?;
    let share = share(share_ppm(i128::from(amount.get()), i128::from(all.get()))?);
    let peer_alias = facts.alias(peer).map(str::to_owned);
    (amount > Msat::ZERO).then(|| PeerShare { peer: peer.clone(), peer_alias, amount_msat: amount, share })
}

#[cfg(test)]
mod tests;
