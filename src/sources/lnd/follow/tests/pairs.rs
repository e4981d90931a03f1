//! Forwards and their ends, in any order, told again, and across restarts.

use std::collections::HashMap;

use proptest::prelude::*;
use prost::Message as _;
use tonic_lnd::routerrpc::htlc_event::Event;
use tonic_lnd::routerrpc::{
    FinalHtlcEvent, ForwardEvent, ForwardFailEvent, HtlcEvent, HtlcInfo, LinkFailEvent, SettleEvent,
};

use super::{AT, BOB, failure, key, kind, one, told_by};
use crate::snapshot::FailureReason::{Downstream, Offline};
use crate::sources::lnd::follow::forwards::Forwards;
use crate::sources::lnd::follow::{Decoder, htlcs};
use crate::sources::streams::{Seen, Stream};
use crate::units::DAY_MS;

/// An event of a forward from channel 1 to channel 2.
fn event(number: u64, what: Event) -> Vec<u8> {
    HtlcEvent {
        incoming_channel_id: 1,
        outgoing_channel_id: 2,
        incoming_htlc_id: number,
        timestamp_ns: 1_000 + number,
        event_type: 3,
        event: Some(what),
        ..Default::default()
    }
    .encode_to_vec()
}

fn left(came: u64, leaves: u64) -> Event {
    let info = HtlcInfo { incoming_amt_msat: came, outgoing_amt_msat: leaves, ..Default::default() };
    Event::ForwardEvent(ForwardEvent { info: Some(info) })
}

fn refused(came: u64, leaves: u64, code: i32, detail: i32) -> Event {
    let info = HtlcInfo { incoming_amt_msat: came, outgoing_amt_msat: leaves, ..Default::default() };
    Event::LinkFailEvent(LinkFailEvent {
        info: Some(info),
        wire_failure: code,
        failure_detail: detail,
        ..Default::default()
    })
}

fn failed() -> Event {
    Event::ForwardFailEvent(ForwardFailEvent {})
}

fn settled() -> Event {
    Event::SettleEvent(SettleEvent::default())
}

fn done(settled: bool) -> Event {
    Event::FinalHtlcEvent(FinalHtlcEvent { settled, offchain: true })
}

#[test]
fn a_failure_further_on_has_the_amounts_with_which_it_left() {
    let told = told_by(Stream::Htlcs, &[event(1, left(1_010, 1_000)), event(1, failed())]);
    assert_eq!(told.iter().map(failure).collect::<Vec<_>>(), [(Downstream, 1, 2, 1, 1_010, 1_000, "FORWARD_FAIL")]);
    // One that left before we watched counts, without amounts.
    let told = told_by(Stream::Htlcs, &[event(2, failed())]);
    let (reason, .., came, leaves, word) = failure(&told[0]);
    assert_eq!((reason, came, leaves), (Downstream, 0, 0));
    assert_eq!(word, "FORWARD_FAIL of a forward that was not seen to leave");
}

#[test]
fn an_end_that_lnd_tells_again_after_a_restart_counts_once() {
    let all = [left(9, 8), failed(), failed(), left(9, 8), done(false), failed(), refused(9, 8, 15, 6), settled()];
    assert_eq!(told_by(Stream::Htlcs, &all.map(|what| event(1, what))).len(), 1);
}

#[test]
fn what_was_in_flight_while_nobody_watched_ends_with_its_last_word() {
    let told = told_by(Stream::Htlcs, &[event(1, left(9, 8)), event(1, done(false))]);
    assert_eq!(failure(&told[0]), (Downstream, 1, 2, 1, 9, 8, "FINAL_HTLC"));
    let told = told_by(Stream::Htlcs, &[event(1, left(9, 8)), event(1, done(true))]);
    assert_eq!(told, [Seen::Settled { at_ns: 1_001 }]);
    // Each HTLC has a last word: those of refusals and of payments tell nothing new.
    let told = told_by(Stream::Htlcs, &[event(1, refused(9, 8, 15, 6)), event(1, done(false)), event(7, done(true))]);
    assert_eq!(told.len(), 1);
}

#[test]
fn a_refusal_has_the_amounts_that_lnd_tells_as_far_as_they_can_be() {
    let refusal = |came, leaves| {
        let told = one(Stream::Htlcs, &event(1, refused(came, leaves, 12, 1)));
        let (.., came, leaves, _) = failure(&told[0]);
        (came, leaves)
    };
    assert_eq!(refusal(1_001, 1_000), (1_001, 1_000));
    // An onion that can't be read names no amount: nothing of it was our fee.
    assert_eq!(refusal(1_000, 0), (1_000, 1_000));
    // A sender may ask for any amount to leave.
    assert_eq!(refusal(1_000, u64::MAX), (1_000, 1_000));
    // What a channel did not take comes without amounts, unless it was seen to leave before.
    assert_eq!(refusal(0, 0), (0, 0));
    let told = told_by(Stream::Htlcs, &[event(1, left(9, 8)), event(1, refused(0, 0, 15, 8))]);
    assert_eq!(failure(&told[0]), (Offline, 1, 2, 1, 9, 8, "HTLC_ADD_FAILED"));
    assert_eq!(
        kind(&one(Stream::Htlcs, &event(1, refused(u64::MAX, 1, 15, 6)))).0,
        "an impossible amount of 18446744073709551615 msat"
    );
}

#[test]
fn payments_of_our_own_and_to_us_are_no_forwards() {
    for kind in [1, 2] {
        for what in [left(9, 8), failed(), settled(), refused(9, 8, 15, 6)] {
            let event = HtlcEvent { event_type: kind, event: Some(what), ..Default::default() };
            assert_eq!(one(Stream::Htlcs, &event.encode_to_vec()), []);
        }
    }
}

#[test]
fn forwards_in_flight_are_remembered_up_to_a_number_and_an_age() {
    let mut decoder = Decoder::new(Stream::Htlcs, &key(BOB));
    let mut told = Vec::new();
    for number in 0..20_003 {
        decoder.read(&event(number, left(9, 8)), AT, &mut told);
    }
    assert_eq!(told.len(), 0);
    decoder.read(&event(2, failed()), AT, &mut told);
    decoder.read(&event(3, failed()), AT, &mut told);
    // A fortnight later the next one makes the old ones go.
    let fortnight = AT.plus(14 * DAY_MS);
    decoder.read(&event(30_000, left(9, 8)), fortnight, &mut told);
    decoder.read(&event(4, failed()), fortnight, &mut told);
    decoder.read(&event(30_001, left(9, 8)), fortnight.plus(1), &mut told);
    for number in [5, 20_002, 30_000] {
        decoder.read(&event(number, failed()), fortnight.plus(1), &mut told);
    }
    let amounts: Vec<i64> = told.iter().map(|seen| failure(seen).4).collect();
    assert_eq!(amounts, [0, 9, 9, 0, 0, 9]);
}

/// The same by a list of all that ever happened.
#[derive(Default)]
struct Naive {
    left: HashMap<u64, (u64, u64)>,
    ended: Vec<u64>,
}

impl Naive {
    /// Whether it fails or settles anew, and with which amounts.
    fn take(&mut self, number: u64, what: &Event) -> Option<(bool, u64, u64)> {
        let over = self.ended.contains(&number);
        let was = self.left.get(&number).copied();
        let (fails, came, leaves) = match what {
            Event::ForwardEvent(f) if !over => {
                let info = f.info.unwrap();
                self.left.insert(number, (info.incoming_amt_msat, info.outgoing_amt_msat));
                return None;
            }
            _ if over => return None,
            Event::ForwardFailEvent(_) => (true, was.map_or(0, |w| w.0), was.map_or(0, |w| w.1)),
            Event::SettleEvent(_) => (false, 0, 0),
            Event::FinalHtlcEvent(f) => {
                let (came, leaves) = was?;
                if f.settled { (false, 0, 0) } else { (true, came, leaves) }
            }
            Event::LinkFailEvent(f) => {
                let info = f.info.as_ref().unwrap();
                (true, info.incoming_amt_msat, info.outgoing_amt_msat)
            }
            other => panic!("{other:?}"),
        };
        self.ended.push(number);
        Some((fails, came, leaves))
    }
}

fn any_event() -> impl Strategy<Value = (u64, Event)> {
    let what = prop_oneof![
        (100_u64..200, 1_u64..100).prop_map(|(came, leaves)| left(came, leaves)),
        Just(failed()),
        Just(settled()),
        any::<bool>().prop_map(done),
        (100_u64..200, 1_u64..100).prop_map(|(came, leaves)| refused(came, leaves, 15, 6)),
    ];
    (0_u64..6, what)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn any_order_of_events_tells_what_a_list_of_all_of_them_tells(events in prop::collection::vec(any_event(), 0..60)) {
        let (mut forwards, mut naive) = (Forwards::default(), Naive::default());
        for (number, what) in events {
            let expected = naive.take(number, &what);
            let told = htlcs::read(&event(number, what), AT, &mut forwards).unwrap();
            let found = told.map(|seen| match seen {
                Seen::Failed { forward: f, .. } => (true, f.amount_in.get().unsigned_abs(), f.amount_out.get().unsigned_abs()),
                Seen::Settled { .. } => (false, 0, 0),
                other => panic!("{other:?}"),
            });
            prop_assert_eq!(found, expected);
        }
    }

    /// However few are remembered, a failure has the right amounts or none, and memory keeps to its limit.
    #[test]
    fn what_is_forgotten_has_no_amounts(events in prop::collection::vec((0_u64..40, any::<bool>()), 0..300), most in 1_usize..8) {
        let mut forwards = Forwards::holding(most);
        for (number, leaves) in events {
            let what = if leaves { left(100 + number, 50 + number) } else { failed() };
            let told = htlcs::read(&event(number, what), AT, &mut forwards).unwrap();
            if let Some(seen) = told {
                let (.., came, left, _) = failure(&seen);
                let number = i64::try_from(number).unwrap();
                prop_assert!((came, left) == (100 + number, 50 + number) || (came, left) == (0, 0));
            }
            prop_assert!(forwards.size() <= 4 * most);
        }
    }
}
