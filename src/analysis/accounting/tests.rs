use proptest::prelude::*;

use super::*;
use crate::analysis::support::*;
use crate::history::{RebalanceFlow, ScidFlow};
use crate::report::{AccountPeriod, Accounts};
use crate::snapshot::{ChainTx, CloseKind, ClosedChannel, Resolution};
use crate::units::{Msat, Ppm};

#[test]
fn a_recorded_node_costs_what_its_transactions_say() {
    let (snapshot, history) = bob_later();
    let ledger = Ledger::new(&history, Some(&snapshot));
    let money = ledger.money(Span::Day).unwrap();
    assert_eq!(money.fees_earned_msat, Msat::new(12_630_855));
    assert_eq!((money.rebalances, money.rebalance_cost_msat), (5, Msat::new(18_690)));
    assert_eq!(money.open_cost_sat, Sat::new(1_386 + 155 + 155 + 166 + 166));
    assert_eq!(money.close_cost_sat, Sat::new(285));
    assert_eq!(money.sweep_cost_sat, Sat::new(135));
    assert_eq!(money.other_chain_cost_sat, Sat::ZERO);
    assert_eq!(money.unknown, Vec::<String>::new());
    assert_eq!(money.net_msat, Msat::new(12_630_855 - 18_690 - (2_028 + 285 + 135) * 1000));
}

#[test]
fn a_batch_is_shared_by_the_channels_of_its_transaction() {
    let (snapshot, history) = bob_later();
    let ledger = Ledger::new(&history, Some(&snapshot));
    let costs: Vec<_> = snapshot.node.channels.iter().flatten().map(|c| ledger.open_cost(&c.point)).collect();
    let sat = |n| Some(Sat::new(n));
    // Those that alice and frank opened cost us nothing that we know of.
    assert_eq!(costs, [None, sat(693), sat(155), None, sat(166), sat(166), sat(693)]);
}

#[test]
fn a_fee_that_cannot_be_halved_is_still_shared_whole() {
    let (snapshot, mut history) = bob_later();
    history.transactions[0].fee = Sat::new(1_387);
    let ledger = Ledger::new(&history, Some(&snapshot));
    let point = |i: u32| format!("{}:{i}", history.transactions[0].txid).parse().unwrap();
    assert_eq!(ledger.open_cost(&point(0)), Some(Sat::new(694)));
    assert_eq!(ledger.open_cost(&point(1)), Some(Sat::new(693)));
}

#[test]
fn an_unknown_cost_is_named_and_not_zero() {
    let (snapshot, mut history) = bob_later();
    history.transactions.retain(|t| t.outputs.is_none() && t.fee.get() != 1_386);
    let ledger = Ledger::new(&history, Some(&snapshot));
    let money = ledger.money(Span::Month).unwrap();
    let unknown = money.unknown.join("\n");
    assert_eq!(money.close_cost_sat, Sat::ZERO);
    assert!(unknown.contains("cost of closing 98dfa544"), "{unknown}");
    assert_eq!(unknown.matches("cost of opening 4891207d").count(), 2, "{unknown}");
}

#[test]
fn the_fee_of_a_forced_close_is_known_from_the_commitment_seen_before() {
    let (snapshot, mut history) = bob_later();
    history.transactions.retain(|t| t.outputs.is_none());
    let mut before = snapshot.clone();
    let mut lost = channel(7, 146_453, 1_352_602);
    lost.point = history.closed[0].point.clone();
    lost.commit_fee = Sat::new(285);
    before.node.channels.as_mut().unwrap().push(lost);
    history.previous_snapshot = Some(before);
    let cost = |history: &History, span| {
        let money = Ledger::new(history, Some(&snapshot)).money(span).unwrap();
        (money.close_cost_sat, money.net_known)
    };
    assert_eq!(cost(&history, Span::Month), (Sat::new(285), true));
    // A second report of the day, the next day, a week's report: the snapshot before is after the close.
    history.previous_snapshot = Some(snapshot.clone());
    assert_eq!(cost(&history, Span::Month), (Sat::ZERO, false));
    history.commit_fees = vec![(history.closed[0].point.clone(), Sat::new(285))];
    for span in [Span::Week, Span::Month] {
        assert_eq!(cost(&history, span), (Sat::new(285), true), "{span:?}");
    }
    let ledger = Ledger::new(&history, Some(&snapshot));
    let week = ledger.money_of(&history.week, history.week.window.unwrap(), None).unwrap();
    assert_eq!((week.close_cost_sat, week.net_known), (Sat::new(285), true));
    // An agreed close costs what its own transaction says, whatever the commitment would have.
    history.closed[0].kind = CloseKind::Cooperative;
    let mut agreed = snapshot.clone();
    agreed.node.closed.as_mut().unwrap()[0].kind = CloseKind::Cooperative;
    let money = Ledger::new(&history, Some(&agreed)).money(Span::Month).unwrap();
    assert!(!money.net_known);
}

#[test]
fn what_our_wallet_swept_is_claimed_whatever_its_resolution_says() {
    let close = ClosedChannel {
        closing_txid: txid(0x61),
        resolutions: vec![Resolution {
            kind: "commit".to_owned(),
            outcome: "unclaimed".to_owned(),
            outpoint: format!("{}:2", txid(0x61)),
            amount: Sat::new(999_056),
            sweep_txid: Some(txid(0x70)),
        }],
        opened_by_us: Some(false),
        ..bob_later().1.closed[0].clone()
    };
    let mut past = history(&[]);
    past.closed = vec![close.clone()];
    let now = snapshot(vec![]);
    let cost = |past: &History| Ledger::new(past, Some(&now)).money(Span::Day).unwrap().sweep_cost_sat;
    let sweep = ChainTx { spends: vec![format!("{}:2", txid(0x61))], ..tx(&txid(0x70), 995_036, 0) };
    past.transactions = vec![sweep.clone()];
    // 999,056 were on the output, 995,036 came to the wallet.
    assert_eq!(cost(&past), Sat::new(4_020));
    assert_eq!(came_back(&past, &close), Some((Sat::new(995_036), Sat::new(4_020))));
    // Where the other side took it, its transaction is not one of our wallet's, or spends something else of it.
    past.transactions = vec![ChainTx { spends: vec![], ..sweep }];
    assert_eq!((cost(&past), came_back(&past, &close)), (Sat::ZERO, None));
    past.transactions.clear();
    assert_eq!((cost(&past), came_back(&past, &close)), (Sat::ZERO, None));
}

#[test]
fn who_did_not_open_does_not_pay_for_the_close() {
    let (mut snapshot, mut history) = bob_later();
    for closed in history.closed.iter_mut().chain(snapshot.node.closed.as_mut().unwrap()) {
        closed.opened_by_us = Some(false);
    }
    let money = Ledger::new(&history, Some(&snapshot)).money(Span::Day).unwrap();
    assert_eq!((money.close_cost_sat, money.unknown.len()), (Sat::ZERO, 0));
    // The channel's opening is then no cost of ours either: its transaction is one of the wallet's other ones.
    assert_eq!(money.open_cost_sat, Sat::new(1_386 + 155 + 166 + 166));
    assert_eq!(money.other_chain_cost_sat, Sat::new(155));
}

#[test]
fn costs_belong_to_the_window_of_their_transaction() {
    let (snapshot, mut history) = bob_later();
    let start = history.day.window.unwrap().start;
    history.transactions[0].at = start;
    let open = |history: &History| Ledger::new(history, Some(&snapshot)).money(Span::Day).unwrap().open_cost_sat;
    assert_eq!(open(&history), Sat::new(2_028));
    history.transactions[0].at = start.plus(-1);
    assert_eq!(open(&history), Sat::new(642));
    history.transactions[0].at = history.day.window.unwrap().end;
    assert_eq!(open(&history), Sat::new(642));
}

#[test]
fn all_short_ids_of_a_channel_are_one_channel() {
    let mut confirmed = channel(1, 1, 1);
    confirmed.other_scids = vec![scid(16_000_000, 1)];
    let alias = ScidFlow { scid: scid(16_000_000, 1), ..sold(1, 5, 50) };
    let history = history(&[sold(1, 10, 100), alias]);
    let channels = [confirmed];
    let owners = owners(&history, &channels);
    let flows = by_channel(&history.month, &owners);
    let flow = flows[&channels[0].point];
    assert_eq!((flow.forwards_out, flow.fees_earned_msat), (20, Msat::new(150)));
}

#[test]
fn nothing_stored_is_not_zero() {
    let history = History::default();
    assert_eq!(Ledger::new(&history, None).money(Span::Day), None);
    assert_eq!(flow(&history.day), None);
}

#[test]
fn each_channel_bears_its_own_costs() {
    let (snapshot, history) = bob_later();
    let ledger = Ledger::new(&history, Some(&snapshot));
    let of = |at: &Outpoint| {
        let rows = ledger.rows(Span::Day);
        ledger.account(rows.iter().find(|r| r.point == Some(at)).unwrap()).unwrap()
    };
    // Forced: opened for 155, closed for 285, swept for 135, 12,526 msat earned.
    let forced = of(&history.closed[0].point);
    assert_eq!((forced.open_cost_sat, forced.close_cost_sat, forced.sweep_cost_sat), sats(155, 285, 135));
    assert_eq!(forced.net_msat, Some(Msat::new(12_526 - 575_000)));
    // Dave's public one was refilled for 12,210 and opened for 166; half of the batch is the private one's.
    let dave = of(&snapshot.node.channels.as_ref().unwrap()[5].point);
    assert_eq!(dave.net_msat, Some(Msat::new(904_406 - 12_210 - 166_000)));
    let private = of(&snapshot.node.channels.as_ref().unwrap()[6].point);
    assert_eq!(private.open_cost_sat, Sat::new(693));
    // Alice's gave what the others got: shown, and charged to them.
    let alice = of(&snapshot.node.channels.as_ref().unwrap()[0].point);
    assert_eq!((alice.rebalanced_out_msat, alice.rebalance_cost_msat), (Msat::new(200_000_000), Msat::ZERO));
    assert_eq!((alice.fees_assisted_msat, alice.net_msat), (Msat::new(10_755_018), Some(Msat::new(1_760_073))));
}

fn sats(a: i64, b: i64, c: i64) -> (Sat, Sat, Sat) {
    (Sat::new(a), Sat::new(b), Sat::new(c))
}

#[test]
fn a_net_with_an_unknown_cost_is_not_told() {
    let (snapshot, mut history) = bob_later();
    history.transactions.retain(|t| t.outputs.is_none());
    let ledger = Ledger::new(&history, Some(&snapshot));
    let money = ledger.money(Span::Week).unwrap();
    assert_eq!((money.net_known, money.net_ppm, money.apy_ppm), (false, None, None));
    let rows = ledger.rows(Span::Week);
    let nets = rows.iter().filter_map(|r| ledger.account(r)).map(|a| (a.net_msat, a.unknown.len()));
    let nets: Vec<_> = nets.collect();
    assert_eq!(nets.iter().filter(|(net, unknown)| net.is_none() && *unknown == 1).count(), 1, "{nets:?}");
    assert_eq!(nets.iter().filter(|(net, unknown)| net.is_some() && *unknown == 0).count(), nets.len() - 1);
}

#[test]
fn a_stream_that_could_not_be_read_leaves_no_net_known() {
    let (mut snapshot, history) = bob_later();
    let gap = |part: &str| crate::snapshot::Gap { part: part.into(), source: "lnd".into(), reason: String::new() };
    snapshot.gaps.push(gap("payments"));
    let ledger = Ledger::new(&history, Some(&snapshot));
    assert!(!ledger.money(Span::Day).unwrap().net_known);
    assert!(ledger.rows(Span::Day).iter().filter_map(|r| ledger.account(r)).all(|a| a.net_msat.is_none()));
}

#[test]
fn since_opening_has_costs_from_before_the_oldest_event() {
    let (snapshot, mut history) = bob_later();
    history.ever = history.day.clone();
    for tx in &mut history.transactions {
        tx.at = NOW.plus(-400 * DAY_MS);
    }
    let ledger = Ledger::new(&history, Some(&snapshot));
    assert_eq!(ledger.money(Span::Day).unwrap().open_cost_sat, Sat::ZERO);
    assert_eq!(ledger.money(Span::Ever).unwrap().open_cost_sat, Sat::new(2_028));
    // What is not known of old is not known either.
    history.transactions.clear();
    let ledger = Ledger::new(&history, Some(&snapshot));
    let unknown = ledger.money(Span::Ever).unwrap().unknown.join("\n");
    assert_eq!(unknown.matches("cost of opening").count(), 6, "{unknown}");
}

#[test]
fn a_yield_is_on_the_balance_over_time() {
    let now = snapshot(vec![channel(1, 900_000, 100_000)]);
    let mut past = sampled(history(&[bought(1, 5_000_000, 1_000_000), sold(1, 5_000_000, 1_000_000)]), &now);
    past.balances[0].spans[2] = Some(crate::history::Mean { local: Sat::new(400_000), covered_ms: 30 * DAY_MS });
    past.transactions = vec![ChainTx { at: NOW.plus(-400 * DAY_MS), ..tx(&txid(1), -1, 200) }];
    let ledger = Ledger::new(&past, Some(&now));
    let rows = ledger.rows(Span::Month);
    let account = ledger.account(&rows[0]).unwrap();
    // 1,000 sat in 30 days on 400,000: 12,166.67 a year, 3.0416 %.
    assert_eq!(account.apy_ppm, Some(Ppm(30_416)));
    assert_eq!((account.mean_local_sat, account.net_ppm), (Some(Sat::new(400_000)), Some(Ppm(200))));
    let node = ledger.money(Span::Month).unwrap();
    assert_eq!((node.apy_ppm, node.mean_local_sat), (account.apy_ppm, account.mean_local_sat));
    past.balances.clear();
    let ledger = Ledger::new(&past, Some(&now));
    let account = ledger.account(&ledger.rows(Span::Month)[0]).unwrap();
    assert_eq!((account.apy_ppm, account.mean_local_sat), (None, None));
}

fn any_flows() -> impl Strategy<Value = Vec<ScidFlow>> {
    // Of nine short ids, two belong to no channel.
    let one = (1..10_u8, 0..1_000_000_i64, 0..1_000_000_i64, any::<bool>());
    let one = one.prop_map(|(n, amount, fee, out)| if out { sold(n, amount, fee) } else { bought(n, amount, fee) });
    proptest::collection::vec(one, 0..20)
}

fn any_refills() -> impl Strategy<Value = Vec<RebalanceFlow>> {
    let one = (1..10_u64, 1..10_u64, 1..100_000_i64, 0..9_999_i64).prop_map(|(from, to, amount, cost)| RebalanceFlow {
        from: scid(700_000, from),
        to: scid(700_000, to),
        amount: Msat::new(amount),
        cost: Msat::new(cost),
        parts: 2,
    });
    proptest::collection::vec(one, 0..9)
}

/// Channels 1 to 5 are open (3 to 5 opened in one transaction), 6 and 7 closed by force and swept together, 8 and 9
/// unknown. Each transaction may be known or not, and lies up to 200 days back.
fn any_books() -> impl Strategy<Value = (Snapshot, History)> {
    let periods = proptest::collection::vec((any_flows(), any_refills()), 5);
    let fees = proptest::collection::vec((proptest::option::weighted(0.8, 1..5_000_i64), 0..200_i64), 8);
    (periods, fees).prop_map(|(periods, fees)| {
        let mut open: Vec<_> = (1..6).map(|n| channel(n, 500_000, 500_000)).collect();
        for (index, one) in (0..).zip(open.iter_mut().skip(2)) {
            one.point = point(3, index);
        }
        // Two channels with one peer.
        (open[1].peer, open[1].peer_alias) = (key(1), open[0].peer_alias.clone());
        let close = |n: u8, peer: u8| ClosedChannel {
            point: point(n, 0),
            scid: scid(700_000, u64::from(n)),
            other_scids: vec![],
            peer: key(peer),
            capacity: Sat::new(1_000_000),
            kind: CloseKind::LocalForce,
            closing_txid: txid(0x60 + n),
            close_height: 799_000,
            settled: Sat::ZERO,
            time_locked: Sat::new(400_000),
            opened_by_us: Some(true),
            resolutions: vec![Resolution {
                kind: "commit".to_owned(),
                outcome: "claimed".to_owned(),
                outpoint: format!("{}:0", txid(0x60 + n)),
                amount: Sat::new(400_000 + i64::from(n)),
                sweep_txid: Some(txid(0x70)),
            }],
        };
        let ids = [txid(1), txid(2), txid(3), txid(6), txid(7), txid(0x66), txid(0x67), txid(0x70)];
        let transactions = ids.iter().zip(&fees).filter_map(|(id, (fee, days))| {
            let at = NOW.plus(-days * DAY_MS - 1);
            Some(ChainTx { at, outputs: fee.map(|f| Sat::new(1_000_000 - f)), ..tx(id, -1, (*fee)?) })
        });
        let mut past = history(&[]);
        past.transactions = transactions.collect();
        past.closed = vec![close(6, 1), close(7, 7)];
        let spans = [&mut past.day, &mut past.week, &mut past.month, &mut past.quarter, &mut past.ever];
        for ((span, (flows, refills)), days) in spans.into_iter().zip(periods).zip([1, 7, 30, 90, 150]) {
            *span = period(days, flows);
            // What the node earned is what its channels did.
            span.amount_in = span.amount_out + span.channels.iter().map(|f| f.fees_earned).sum();
            span.rebalances = refills;
        }
        (snapshot(open), past)
    })
}

/// Sums that must be the same of the node, of its channels and of its peers: fees, circular payments, opening, closing,
/// sweeping in msat, and the net where all of it is known.
fn totals(accounts: &[&AccountPeriod]) -> [Msat; 6] {
    let sum = |of: fn(&AccountPeriod) -> Msat| accounts.iter().map(|a| of(a)).sum();
    [
        sum(|a| a.fees_earned_msat),
        sum(|a| a.rebalance_cost_msat),
        sum(|a| a.open_cost_sat.msat()),
        sum(|a| a.close_cost_sat.msat()),
        sum(|a| a.sweep_cost_sat.msat()),
        sum(|a| a.net_msat.unwrap_or_default()),
    ]
}

fn of_span(accounts: &Accounts, n: usize) -> Option<&AccountPeriod> {
    [&accounts.day, &accounts.week, &accounts.month, &accounts.quarter, &accounts.ever][n].as_ref()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// On every page and in every period: the node is the sum of its channels, and of its peers.
    #[test]
    fn totals_are_the_sums_of_channels_and_of_peers((now, past) in any_books()) {
        let money = made(&now, &past).money;
        let node = [&money.day, &money.week, &money.month, &money.quarter, &money.ever];
        for (n, node) in node.into_iter().enumerate() {
            let node = node.as_ref().unwrap();
            let rest = money.unattributed.iter().filter_map(|a| of_span(a, n));
            let channels = money.channels.iter().filter_map(|c| of_span(&c.accounts, n)).chain(rest.clone());
            let channels: Vec<_> = channels.collect();
            let peers: Vec<_> = money.peers.iter().filter_map(|p| of_span(&p.accounts, n)).chain(rest).collect();
            let mut whole = [
                node.fees_earned_msat, node.rebalance_cost_msat, node.open_cost_sat.msat(), node.close_cost_sat.msat(),
                node.sweep_cost_sat.msat(), node.net_msat,
            ];
            let (mut by_channel, mut by_peer) = (totals(&channels), totals(&peers));
            prop_assert_eq!(node.net_known, channels.iter().all(|a| a.net_msat.is_some()), "span {}", n);
            if !node.net_known {
                (whole[5], by_channel[5], by_peer[5]) = (Msat::ZERO, Msat::ZERO, Msat::ZERO);
            }
            prop_assert_eq!(whole, by_channel, "channels in span {}", n);
            prop_assert_eq!(whole, by_peer, "peers in span {}", n);
        }
    }

    /// Nothing depends on the order in which the store gives what it knows.
    #[test]
    fn order_changes_nothing((now, past) in any_books()) {
        let (mut turned, mut history) = (now.clone(), past.clone());
        let spans = [&mut history.day, &mut history.week, &mut history.month, &mut history.quarter, &mut history.ever];
        for span in spans {
            span.channels.reverse();
            span.rebalances.reverse();
        }
        history.transactions.reverse();
        history.closed.reverse();
        turned.node.channels.as_mut().unwrap().reverse();
        prop_assert_eq!(made(&now, &past).money, made(&turned, &history).money);
    }

    /// What happens twice in one period counts twice there, and nowhere else.
    #[test]
    fn twice_the_events_are_twice_the_sums((now, past) in any_books()) {
        let mut twice = past.clone();
        let month = &mut twice.month;
        month.channels.extend(past.month.channels.clone());
        month.rebalances.extend(past.month.rebalances.clone());
        (month.amount_in, month.amount_out) = (month.amount_in + month.amount_in, month.amount_out + month.amount_out);
        let (once, twice) = (made(&now, &past).money, made(&now, &twice).money);
        prop_assert_eq!((&once.day, &once.week, &once.quarter, &once.ever), (&twice.day, &twice.week, &twice.quarter, &twice.ever));
        let (a, b) = (once.month.unwrap(), twice.month.unwrap());
        prop_assert_eq!(a.fees_earned_msat + a.fees_earned_msat, b.fees_earned_msat);
        prop_assert_eq!(a.rebalance_cost_msat + a.rebalance_cost_msat, b.rebalance_cost_msat);
        prop_assert_eq!((a.open_cost_sat, a.close_cost_sat, a.sweep_cost_sat), (b.open_cost_sat, b.close_cost_sat, b.sweep_cost_sat));
        for channel in &once.channels {
            let other = twice.channels.iter().find(|c| c.channel_point == channel.channel_point).unwrap();
            let fees = |c: &crate::report::ChannelMoney| c.accounts.month.as_ref().map(|m| m.fees_earned_msat).unwrap_or_default();
            prop_assert_eq!(fees(channel) + fees(channel), fees(other));
        }
    }
}
