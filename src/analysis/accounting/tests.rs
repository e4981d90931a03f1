use proptest::prelude::*;

use super::*;
use crate::analysis::support::*;
use crate::history::{RebalanceFlow, ScidFlow};
use crate::units::Msat;

#[test]
fn a_recorded_node_costs_what_its_transactions_say() {
    let (snapshot, history) = bob_later();
    let ledger = Ledger::new(&history, Some(&snapshot));
    let money = ledger.money(&history.day).unwrap();
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
    let money = ledger.money(&history.month).unwrap();
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
    let money = Ledger::new(&history, Some(&snapshot)).money(&history.month).unwrap();
    assert_eq!(money.close_cost_sat, Sat::new(285));
}

#[test]
fn who_did_not_open_does_not_pay_for_the_close() {
    let (mut snapshot, mut history) = bob_later();
    for closed in history.closed.iter_mut().chain(snapshot.node.closed.as_mut().unwrap()) {
        closed.opened_by_us = Some(false);
    }
    let money = Ledger::new(&history, Some(&snapshot)).money(&history.day).unwrap();
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
    let open = |history: &History| Ledger::new(history, Some(&snapshot)).money(&history.day).unwrap().open_cost_sat;
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
    assert_eq!(Ledger::new(&history, None).money(&history.day), None);
    assert_eq!(flow(&history.day), None);
}

fn any_flows() -> impl Strategy<Value = Vec<ScidFlow>> {
    let one = (1..6_u8, 0..1_000_000_i64, 0..1_000_000_i64).prop_map(|(n, amount, fee)| sold(n, amount, fee));
    proptest::collection::vec(one, 0..20)
}

proptest! {
    /// The channels' earnings sum to the node's, whatever the order of what the store sums.
    #[test]
    fn channels_sum_to_the_node(mut flows in any_flows(), costs in proptest::collection::vec((1..6_u8, 0..9999_i64), 0..9)) {
        let channels: Vec<_> = (1..6).map(|n| channel(n, 1, 1)).collect();
        let refill = |(n, cost): &(u8, i64)| RebalanceFlow {
            from: scid(700_000, 1), to: scid(700_000, u64::from(*n)), amount: Msat::new(1), cost: Msat::new(*cost), parts: 1,
        };
        let mut history = history(&flows);
        history.month.rebalances = costs.iter().map(refill).collect();
        let first = by_channel(&history.month, &owners(&history, &channels));
        let earned: Msat = first.values().map(|f| f.fees_earned_msat).sum();
        prop_assert_eq!(earned, flows.iter().map(|f| f.fees_earned).sum::<Msat>());
        let money = Ledger::new(&history, None).money(&history.month).unwrap();
        prop_assert_eq!(first.values().map(|f| f.rebalance_cost_msat).sum::<Msat>(), money.rebalance_cost_msat);
        flows.reverse();
        history.month.channels = flows;
        prop_assert_eq!(by_channel(&history.month, &owners(&history, &channels)), first);
    }
}
