//! Mean balances are the integral of the samples, and end with their channels.

use proptest::prelude::*;

use super::support::{NOW, channel, fixture, outpoint, snapshot};
use crate::history::{Mean, MeanBalance};
use crate::snapshot::{CloseKind, ClosedChannel};
use crate::units::{DAY_MS, HOUR_MS, Sat, UnixMs};

const DAYS: [i64; 4] = [1, 7, 30, 90];

fn mean(local: i64, hours: i64) -> Mean {
    Mean { local: Sat::new(local), covered_ms: hours * HOUR_MS }
}

#[test]
fn a_channel_that_is_gone_counts_until_its_close_or_until_it_was_missed() {
    let f = fixture();
    for (hours, channels) in [(30, 3), (20, 3), (8, 1), (2, 0)] {
        let mut one = snapshot(NOW.plus(-hours * HOUR_MS), channels);
        let gone = channel(2);
        let close = ClosedChannel {
            point: gone.point,
            scid: gone.scid,
            other_scids: Vec::new(),
            peer: gone.peer,
            capacity: gone.capacity,
            kind: CloseKind::Cooperative,
            closing_txid: "t".to_owned(),
            close_height: 7,
            settled: Sat::new(600_000),
            time_locked: Sat::ZERO,
            opened_by_us: None,
            resolutions: Vec::new(),
        };
        one.node.closed = Some(if channels < 3 { vec![close] } else { Vec::new() });
        f.store.put_snapshot(&f.profile, &one).unwrap();
    }
    let closing = crate::snapshot::ChainTx {
        txid: "t".to_owned(),
        at: NOW.plus(-15 * HOUR_MS),
        height: Some(7),
        amount: Sat::new(600_000),
        fee: Sat::ZERO,
        label: String::new(),
        spends: Vec::new(),
        own_outputs: Sat::ZERO,
        outputs: None,
    };
    f.store.put_events(&f.profile, &crate::snapshot::Events::Transactions(vec![closing])).unwrap();
    let balances = f.store.history(&f.profile, NOW, NOW.day()).unwrap().balances;
    let all = |day, longer| [mean(600_000, day), longer, longer, longer, longer].map(Some);
    let expected = [
        // Gone from the collection two hours ago, without a close.
        MeanBalance { point: outpoint(1), spans: all(22, mean(600_000, 28)) },
        MeanBalance { point: outpoint(2), spans: all(9, mean(600_000, 15)) },
        MeanBalance { point: outpoint(3), spans: all(16, mean(600_000, 22)) },
    ];
    assert_eq!(balances, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn means_are_the_integral_hour_by_hour(
        // Hours ago, and what each of three channels held then; nothing where it was not there.
        samples in prop::collection::btree_map(0_i64..150 * 24, [prop::option::of(0_i64..900_000), prop::option::of(0_i64..900_000), prop::option::of(0_i64..900_000)], 1..14),
    ) {
        let f = fixture();
        for (ago, locals) in samples.iter().rev() {
            let mut one = snapshot(NOW.plus(-ago * HOUR_MS), 3);
            let channels = one.node.channels.take().unwrap().into_iter().zip(locals);
            let there = channels.filter_map(|(mut channel, local)| {
                channel.local = Sat::new((*local)?);
                Some(channel)
            });
            one.node.channels = Some(there.collect());
            f.store.put_snapshot(&f.profile, &one).unwrap();
        }
        let balances = f.store.history(&f.profile, NOW, NOW.day()).unwrap().balances;
        for n in 0..3_usize {
            let held = |hours_ago: i64| {
                let (at, locals) = samples.range(hours_ago..).next()?;
                (*at > 0).then(|| locals[n]).flatten()
            };
            let span = |hours: i64| {
                let of: Vec<i64> = (1..=hours).filter_map(held).collect();
                let count = i64::try_from(of.len()).unwrap();
                (count > 0).then(|| Mean { local: Sat::new(of.iter().sum::<i64>() / count), covered_ms: count * HOUR_MS })
            };
            let expected = [DAYS[0] * 24, DAYS[1] * 24, DAYS[2] * 24, DAYS[3] * 24, 151 * 24].map(span);
            let point = outpoint(u64::try_from(n).unwrap() + 1);
            let found = balances.iter().find(|balance| balance.point == point);
            prop_assert_eq!(found.map_or([None; 5], |balance| balance.spans), expected, "channel {}", n);
        }
    }
}

#[test]
fn a_span_begins_with_the_sample_before_it() {
    let f = fixture();
    f.store.put_snapshot(&f.profile, &snapshot(UnixMs(NOW.0 - 3 * DAY_MS), 1)).unwrap();
    let [balance] = &f.store.history(&f.profile, NOW, NOW.day()).unwrap().balances[..] else { panic!("one channel") };
    assert_eq!(balance.spans, [24, 72, 72, 72, 72].map(|hours| Some(mean(600_000, hours))));
}
