//! No event is lost or counted twice, and every window is exact.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::support::{NOW, fixture, forward, outpoint, payment, pubkey};
use crate::history::{DaySum, Period};
use crate::snapshot::{ChainTx, Events, Forward, Invoice, InvoiceState, PaymentStatus};
use crate::store::Error;
use crate::units::{DAY_MS, HOUR_MS, Msat, Sat, Scid, UnixMs};

const MINUTE_NS: i64 = 60_000_000_000;

fn invoice(index: u64, hash: &str, settled: Option<UnixMs>, paid: i64) -> Invoice {
    Invoice {
        index,
        hash: hash.to_owned(),
        created_at: NOW.plus(-2 * DAY_MS),
        settled_at: settled,
        state: if settled.is_some() { InvoiceState::Settled } else { InvoiceState::Open },
        value: Msat::new(paid),
        paid: Msat::new(if settled.is_some() { paid } else { 0 }),
        keysend: false,
    }
}

fn chain(txid: &str, height: Option<u32>) -> ChainTx {
    ChainTx {
        txid: txid.to_owned(),
        at: NOW,
        height,
        amount: Sat::new(-2_000_150),
        fee: Sat::new(150),
        label: "0:openchannel:shortchanid-1".to_owned(),
        spends: vec![outpoint(3).to_string()],
        own_outputs: Sat::ZERO,
        outputs: Some(Sat::new(2_000_000)),
    }
}

#[test]
fn windows_are_half_open() {
    let f = fixture();
    let start = NOW.plus(-DAY_MS).nanos();
    let at = |ns| forward(ns, 1, 2, 1_001, 1_000);
    let events = [at(start - 1), at(start), at(NOW.nanos() - 1), at(NOW.nanos())];
    assert_eq!(f.store.put_events(&f.profile, &Events::Forwards(events.to_vec())).unwrap(), 4);
    let history = f.store.history(&f.profile, NOW, NOW.day()).unwrap();
    assert_eq!(history.day.forwards, 2);
    assert_eq!(history.week.forwards, 3);
    assert_eq!(history.days[119], Some(DaySum { forwards: 2, amount_out: Msat::new(2_000), fees: Msat::new(2) }));
    assert_eq!(history.days[118], Some(DaySum { forwards: 1, amount_out: Msat::new(1_000), fees: Msat::new(1) }));
    assert_eq!(history.days[117], None, "nothing is known of the days before");
    assert_eq!(history.last_forward, [(Scid(1), NOW.plus(-1)), (Scid(2), NOW.plus(-1))]);
    let later = f.store.history(&f.profile, NOW.plus(1), NOW.day()).unwrap();
    assert_eq!(later.last_forward, [(Scid(1), NOW), (Scid(2), NOW)]);
}

#[test]
fn a_payment_in_flight_counts_once_and_when_it_settles() {
    let f = fixture();
    let mut early = payment(4, NOW.nanos() - 30 * MINUTE_NS, pubkey(9), 5_000, 7);
    early.status = PaymentStatus::InFlight;
    early.parts[0].status = PaymentStatus::InFlight;
    early.parts[0].resolved_ns = None;
    let done = payment(3, NOW.nanos() - 40 * MINUTE_NS, pubkey(9), 1_000, 1);
    let later = payment(5, NOW.nanos() - 20 * MINUTE_NS, pubkey(9), 2_000, 2);
    let page = |list: &[_]| Events::Payments(list.to_vec());
    assert_eq!(f.store.put_events(&f.profile, &page(&[done, early.clone(), later.clone()])).unwrap(), 3);
    assert_eq!(f.store.resume(&f.profile).unwrap().payments_after, 3, "the one before the first that is not final");
    let day = f.store.history(&f.profile, NOW, NOW.day()).unwrap().day;
    assert_eq!((day.payments_sent, day.payment_fees), (Msat::new(3_000), Msat::new(3)));

    let settled = payment(4, NOW.nanos() + DAY_MS * 1_000_000, pubkey(9), 5_000, 7);
    for _ in 0..2 {
        assert_eq!(f.store.put_events(&f.profile, &page(&[settled.clone(), later.clone()])).unwrap(), 0);
    }
    assert_eq!(f.store.resume(&f.profile).unwrap().payments_after, 5);
    let day = f.store.history(&f.profile, NOW, NOW.day()).unwrap().day;
    assert_eq!(day.payments_sent, Msat::new(3_000), "the day that was reported stays as it was");
    let next = f.store.history(&f.profile, NOW.plus(DAY_MS + 1), NOW.plus(DAY_MS).day()).unwrap();
    assert_eq!((next.day.payments_sent, next.day.payment_fees), (Msat::new(5_000), Msat::new(7)));
    assert_eq!(next.week.payments_sent, Msat::new(8_000));

    // A node that forgets the parts of what is final takes nothing away.
    let mut forgotten = settled;
    forgotten.parts.clear();
    f.store.put_events(&f.profile, &page(&[forgotten])).unwrap();
    assert_eq!(f.store.history(&f.profile, NOW.plus(DAY_MS + 1), NOW.plus(DAY_MS).day()).unwrap(), next);
}

#[test]
fn circular_payments_are_charged_to_the_channel_they_refill_and_are_not_received() {
    let f = fixture();
    let own = f.profile.pubkey.clone();
    let at = NOW.nanos() - MINUTE_NS;
    let mut circular = payment(1, at, own.clone(), 500_000, 900);
    let mut second = circular.parts[0].clone();
    second.attempt += 1;
    second.amount = Msat::new(100_000);
    second.fee = Msat::new(50);
    let mut failed = second.clone();
    failed.attempt += 1;
    failed.status = PaymentStatus::Failed;
    circular.parts.extend([second, failed]);
    let mut keysend = payment(2, at, pubkey(7), 3_000, 3);
    keysend.keysend = true;
    f.store.put_events(&f.profile, &Events::Payments(vec![circular.clone(), keysend])).unwrap();
    let settled = Some(NOW.plus(-60_000));
    let invoices = vec![invoice(1, &circular.hash, settled, 600_000), invoice(2, "aa", settled, 42_000)];
    f.store.put_events(&f.profile, &Events::Invoices(invoices)).unwrap();
    let day = f.store.history(&f.profile, NOW, NOW.day()).unwrap().day;
    assert_eq!(day.rebalance_count, 1);
    assert_eq!(day.rebalances.len(), 1);
    let flow = day.rebalances[0];
    assert_eq!((flow.from, flow.to, flow.parts), (Scid(11), Scid(22), 2));
    assert_eq!((flow.amount, flow.cost), (Msat::new(600_000), Msat::new(950)));
    assert_eq!((day.payments_sent, day.payment_fees), (Msat::new(3_000), Msat::new(3)));
    assert_eq!(day.received, Msat::new(42_000));
}

#[test]
fn reading_goes_on_where_something_can_still_change() {
    let f = fixture();
    assert_eq!(f.store.resume(&f.profile).unwrap(), crate::sources::Resume::default());
    let settled = Some(NOW);
    let list = vec![invoice(1, "a", settled, 1), invoice(2, "b", None, 1), invoice(3, "c", settled, 1)];
    f.store.put_events(&f.profile, &Events::Invoices(list)).unwrap();
    f.store.put_events(&f.profile, &Events::Forwards(vec![forward(77, 1, 2, 2, 1)])).unwrap();
    f.store.put_events(&f.profile, &Events::Transactions(vec![chain("t1", Some(900)), chain("t2", None)])).unwrap();
    let resume = f.store.resume(&f.profile).unwrap();
    assert_eq!((resume.invoices_after, resume.last_forward_ns), (1, Some(77)));
    assert_eq!(resume.transactions_from_height, 900 - 144);
    f.store.put_events(&f.profile, &Events::Invoices(vec![invoice(2, "b", settled, 1)])).unwrap();
    assert_eq!(f.store.resume(&f.profile).unwrap().invoices_after, 3);
    // What waited is mined: the same transaction, once.
    f.store.put_events(&f.profile, &Events::Transactions(vec![chain("t2", Some(901))])).unwrap();
    let history = f.store.history(&f.profile, NOW, NOW.day()).unwrap();
    assert_eq!(history.transactions, [chain("t1", Some(900)), chain("t2", Some(901))]);
}

#[test]
fn a_forward_that_cannot_be_is_refused_with_its_page() {
    let f = fixture();
    let list = vec![forward(1, 1, 2, 2, 1), forward(2, 1, 2, i64::MAX, 1)];
    assert!(matches!(f.store.put_events(&f.profile, &Events::Forwards(list)), Err(Error::Invalid(_))));
    assert_eq!(f.store.resume(&f.profile).unwrap().last_forward_ns, None);
}

/// What the forwards of one window come to, counted one by one.
fn naive(
    all: &BTreeSet<(i64, u64, u64, i64)>,
    amounts: &BTreeMap<(i64, u64, u64, i64), Forward>,
    end: i64,
    days: i64,
) -> Period {
    let start = end - days * DAY_MS * 1_000_000;
    let mut period = Period::default();
    let mut channels = BTreeMap::new();
    for key in all.iter().filter(|key| key.0 >= start && key.0 < end) {
        let forward = &amounts[key];
        period.forwards += 1;
        period.amount_in += forward.amount_in;
        period.amount_out += forward.amount_out;
        let incoming: &mut crate::history::ScidFlow = channels.entry(forward.scid_in).or_default();
        incoming.scid = forward.scid_in;
        incoming.forwards_in += 1;
        incoming.amount_in += forward.amount_in;
        incoming.fees_assisted += forward.fee();
        let outgoing: &mut crate::history::ScidFlow = channels.entry(forward.scid_out).or_default();
        outgoing.scid = forward.scid_out;
        outgoing.forwards_out += 1;
        outgoing.amount_out += forward.amount_out;
        outgoing.fees_earned += forward.fee();
    }
    period.channels = channels.into_values().collect();
    period
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pages_in_any_order_with_any_overlap_come_to_the_same(
        seeds in prop::collection::vec((0_i64..130 * 24 * 60, 0_u64..4, 0_u64..4, 0_i64..3, 1_i64..1_000_000), 1..120),
        pages in prop::collection::vec((0_usize..120, 1_usize..60), 1..12),
        end_ms in prop_oneof![Just(0), Just(6 * HOUR_MS), 0..2 * DAY_MS],
    ) {
        let f = fixture();
        let end = NOW.plus(-6 * HOUR_MS + end_ms);
        let mut forwards = BTreeMap::new();
        for (minute, scid_in, scid_out, htlc, amount) in seeds {
            let at_ns = NOW.plus(2 * DAY_MS).nanos() - minute * MINUTE_NS;
            let mut one = forward(at_ns, scid_in, scid_out, amount + amount / 100, amount);
            one.htlc_in = htlc;
            forwards.entry((at_ns, scid_in, scid_out, htlc)).or_insert(one);
        }
        let list: Vec<Forward> = forwards.values().cloned().collect();
        let mut seen = BTreeSet::new();
        for (from, count) in pages {
            let from = from.min(list.len() - 1);
            let mut page: Vec<Forward> = list.iter().skip(from).take(count).cloned().collect();
            page.reverse();
            let fresh = page.iter().filter(|f| seen.insert((f.at_ns, f.scid_in.0, f.scid_out.0, f.htlc_in))).count();
            prop_assert_eq!(f.store.put_events(&f.profile, &Events::Forwards(page)).unwrap(), fresh);
        }
        let history = f.store.history(&f.profile, end, end.day()).unwrap();
        let periods = [
            (&history.day, 1), (&history.week, 7), (&history.month, 30), (&history.quarter, 90), (&history.ever, 40_000),
        ];
        for (period, days) in periods {
            let expected = naive(&seen, &forwards, end.nanos(), days);
            prop_assert_eq!(period.forwards, expected.forwards);
            prop_assert_eq!(period.amount_in, expected.amount_in);
            prop_assert_eq!(period.amount_out, expected.amount_out);
            prop_assert_eq!(&period.channels, &expected.channels);
        }
        let first = seen.iter().next().map(|key| UnixMs(key.0.div_euclid(1_000_000)).min(end));
        prop_assert_eq!(history.ever.window.map(|window| window.start), first);
        prop_assert_eq!(history.pairs_month.iter().map(|p| p.forwards).sum::<u32>(), history.month.forwards);
        prop_assert_eq!(history.days.len(), 120);
        for (n, sum) in (0_i64..).zip(&history.days) {
            let day_end = end.plus((n - 119) * DAY_MS);
            let expected = naive(&seen, &forwards, day_end.nanos(), 1);
            let known = seen.iter().any(|key| key.0.div_euclid(1_000_000) < day_end.0);
            let (fees, forwards) = (expected.amount_in - expected.amount_out, expected.forwards);
            let expected = DaySum { forwards, amount_out: expected.amount_out, fees };
            prop_assert_eq!(*sum, known.then_some(expected), "day {}", n);
        }
        let mut last = BTreeMap::new();
        for (at, scid_in, scid_out, _) in seen.iter().filter(|key| key.0 < end.nanos()) {
            last.insert(Scid(*scid_in), UnixMs(at.div_euclid(1_000_000)));
            last.insert(Scid(*scid_out), UnixMs(at.div_euclid(1_000_000)));
        }
        prop_assert_eq!(history.last_forward, last.into_iter().collect::<Vec<_>>());
    }
}

/// What payments and invoices of one window come to, counted one by one: circular payments, their parts' flows, sent, fees
/// and received.
fn naive_spent(
    payments: &[(i64, bool, i64)],
    invoices: &[(i64, Option<u64>, i64)],
    end: UnixMs,
    days: i64,
) -> [i64; 6] {
    let inside = |ms: i64| ms >= end.plus(-days * DAY_MS).0 && ms < end.0;
    let mut sums = [0; 6];
    for (_, circular, amount) in payments.iter().filter(|payment| inside(payment.0)) {
        if *circular {
            sums[0] += 1;
            sums[1] += amount;
            sums[2] += amount / 100;
        } else {
            sums[3] += amount;
            sums[4] += amount / 100;
        }
    }
    for (_, of, amount) in invoices.iter().filter(|invoice| inside(invoice.0)) {
        // Number n is of payment n - 1.
        let own = of.and_then(|n| payments.get(usize::try_from(n - 1).unwrap())).is_some_and(|payment| payment.1);
        if !own {
            sums[5] += amount;
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_spent_and_received_is_the_same_counted_one_by_one(
        payments in prop::collection::vec((0_i64..200 * 24 * 60, any::<bool>(), 1_i64..9_000_000_000), 0..40),
        invoices in prop::collection::vec((0_i64..200 * 24 * 60, prop::option::of(1_u64..40), 1_i64..9_000_000), 0..20),
    ) {
        let f = fixture();
        let at = |minute: i64| NOW.plus(DAY_MS - minute * 60_000);
        let own = f.profile.pubkey.clone();
        let payments: Vec<_> = payments.into_iter().map(|(minute, own, amount)| (at(minute).0, own, amount)).collect();
        let invoices: Vec<_> = invoices.into_iter().map(|(minute, of, amount)| (at(minute).0, of, amount)).collect();
        let list = (1..).zip(&payments).map(|(index, (ms, circular, amount))| {
            let to = if *circular { own.clone() } else { pubkey(77) };
            payment(index, ms * 1_000_000, to, *amount, amount / 100)
        });
        f.store.put_events(&f.profile, &Events::Payments(list.collect())).unwrap();
        let list = (1..).zip(&invoices).map(|(index, (ms, of, paid))| {
            let hash = of.map_or_else(|| "none".to_owned(), |n| format!("{n:064x}"));
            invoice(index, &hash, Some(UnixMs(*ms)), *paid)
        });
        f.store.put_events(&f.profile, &Events::Invoices(list.collect())).unwrap();
        let history = f.store.history(&f.profile, NOW, NOW.day()).unwrap();
        let periods = [(&history.day, 1), (&history.month, 30), (&history.quarter, 90), (&history.ever, 40_000)];
        for (period, days) in periods {
            let parts = period.rebalances.iter().map(|flow| i64::from(flow.parts)).sum::<i64>();
            prop_assert_eq!(parts, i64::from(period.rebalance_count));
            let found = [
                i64::from(period.rebalance_count),
                period.rebalances.iter().map(|flow| flow.amount.get()).sum(),
                period.rebalances.iter().map(|flow| flow.cost.get()).sum(),
                period.payments_sent.get(),
                period.payment_fees.get(),
                period.received.get(),
            ];
            prop_assert_eq!(found, naive_spent(&payments, &invoices, NOW, days), "{} days", days);
        }
    }
}
