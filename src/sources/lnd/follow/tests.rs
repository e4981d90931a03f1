//! Messages as LND sends them, by themselves, and what they tell.

use std::path::Path;

use proptest::prelude::*;
use prost::Message as _;
use tonic_lnd::lnrpc::channel_event_update::Channel as Changed;
use tonic_lnd::lnrpc::{
    self, ChannelEdgeUpdate, ChannelEventUpdate, ChannelPoint, GraphTopologyUpdate, PeerEvent, RoutingPolicy,
};
use tonic_lnd::routerrpc::htlc_event::Event;
use tonic_lnd::routerrpc::{HtlcEvent, SettleEvent, SubscribedEvent};

mod pairs;

use super::Decoder;
use super::failures::{reason, word};
use crate::snapshot::FailureReason::{self, Balance, Downstream, Offline, Policy, Unknown};
use crate::sources::streams::{ChannelChange, Seen, Stream};
use crate::units::{Msat, Ppm, Pubkey, UnixMs};

const AT: UnixMs = UnixMs(1_795_254_200_000);
const BOB: &str = "03351c9081f2af83d51d15d3460c904bac3e0814d3c91e6afb94ac43845cacd716";
const PEER: &str = "02019c1ca7691ca26bcd14644ad4fb244a4a52611e347fc71440e90bf7187ccd05";
const CLOSED: &str = "6c64a4585997250e5585e922ac3538e9406e6d38068b1a64c6e308698958618b:0";

fn key(text: &str) -> Pubkey {
    text.parse().unwrap()
}

/// What a stream sent while it was recorded: each message behind its length.
fn recorded(method: &str) -> Vec<Vec<u8>> {
    let name = format!("tests/fixtures/lnd/bob/{method}.stream.pb");
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let (mut rest, mut messages) = (bytes.as_slice(), Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (message, after) = after.split_at(usize::try_from(u32::from_be_bytes(*length)).unwrap());
        messages.push(message.to_vec());
        rest = after;
    }
    messages
}

fn told_by(stream: Stream, messages: &[Vec<u8>]) -> Vec<Seen> {
    let mut decoder = Decoder::new(stream, &key(BOB));
    let mut told = Vec::new();
    for message in messages {
        decoder.read(message, AT, &mut told);
    }
    told
}

fn one(stream: Stream, message: &[u8]) -> Vec<Seen> {
    told_by(stream, &[message.to_vec()])
}

/// Why, where from and to, the number there, what came and what was to leave, and LND's word.
type Failure<'a> = (FailureReason, u64, u64, u64, i64, i64, &'a str);

fn failure(seen: &Seen) -> Failure<'_> {
    let Seen::Failed { forward: f, detail } = seen else { panic!("{seen:?}") };
    (f.reason, f.scid_in.0, f.scid_out.0, f.htlc_in, f.amount_in.get(), f.amount_out.get(), detail)
}

#[test]
fn a_recording_of_htlcs_tells_two_failures_and_five_settled() {
    let told = told_by(Stream::Htlcs, &recorded("routerrpc.Router.SubscribeHtlcEvents"));
    let (dave, erin, carol) = (447_501_232_570_368, 454_098_302_337_024, 450_799_767_453_696);
    assert_eq!(failure(&told[0]), (Balance, dave, erin, 109, 2_500_126_000, 2_500_000_000, "INSUFFICIENT_BALANCE"));
    assert_eq!(failure(&told[1]), (Downstream, dave, carol, 110, 2_506_253_509, 2_500_003_500, "FORWARD_FAIL"));
    let Seen::Failed { forward, .. } = &told[1] else { panic!("{told:?}") };
    assert_eq!(forward.at_ns, 1_795_254_138_176_262_452);
    let settled: Vec<i64> = [138_868_860_646, 139_238_415_274, 139_727_195_340, 151_788_035_544, 178_012_750_152]
        .map(|ns| 1_795_254_000_000_000_000 + ns)
        .into();
    let of_told = told[2..].iter().map(|seen| match seen {
        Seen::Settled { at_ns } => *at_ns,
        other => panic!("{other:?}"),
    });
    assert_eq!(of_told.collect::<Vec<_>>(), settled);
}

#[test]
fn a_recording_of_channels_tells_what_changed_and_not_each_balance() {
    let messages = recorded("lnrpc.Lightning.SubscribeChannelEvents");
    assert_eq!(messages.len(), 30);
    let told = told_by(Stream::Channels, &messages);
    // The first names the transaction by its bytes, the second by its text.
    let change = |point: &str, change| Seen::Channel { at: AT, point: point.parse().unwrap(), change };
    let forced = "98dfa54458852564b672dc6badbe5135c0b9436cba39c8bc8f108acf4c0f743e:0";
    let changes = [
        change(CLOSED, ChannelChange::Inactive),
        change(CLOSED, ChannelChange::Closed),
        change(CLOSED, ChannelChange::Resolved),
        change(forced, ChannelChange::Closed),
    ];
    assert_eq!(told, changes);
}

#[test]
fn a_recording_of_the_graph_tells_both_sides_of_an_own_channel() {
    let messages = recorded("lnrpc.Lightning.SubscribeChannelGraph");
    let told = told_by(Stream::Graph, &messages);
    let policy = |by: &str, rate| Seen::Policy {
        at: AT,
        point: CLOSED.parse().unwrap(),
        by: key(by),
        policy: crate::snapshot::Policy {
            base: Msat::new(1000),
            rate: Ppm(rate),
            inbound_base: Msat::ZERO,
            inbound_rate: Ppm(0),
            time_lock_delta: 40,
            min_htlc: Msat::new(1000),
            max_htlc: Msat::new(2_970_000_000),
            disabled: true,
            updated_at: AT,
        },
    };
    assert_eq!(told, [policy(BOB, 350), policy(PEER, 1)]);
    // For another node none of it is news.
    let mut elsewhere = Vec::new();
    let mut decoder = Decoder::new(Stream::Graph, &key(&BOB.replace("03351c", "03351d")));
    for message in &messages {
        decoder.read(message, AT, &mut elsewhere);
    }
    assert_eq!(elsewhere, []);
}

#[test]
fn each_kind_of_channel_event_is_told_as_what_it_is() {
    let txid: Vec<u8> = (0..32).collect();
    let hash = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";
    let point = || ChannelPoint {
        funding_txid: Some(lnrpc::channel_point::FundingTxid::FundingTxidBytes(txid.clone())),
        output_index: 3,
    };
    let as_text = ChannelPoint {
        funding_txid: Some(lnrpc::channel_point::FundingTxid::FundingTxidStr(hash.to_owned())),
        output_index: 3,
    };
    let text = format!("{hash}:3");
    let pending = lnrpc::PendingUpdate { txid: txid.clone(), output_index: 3, ..Default::default() };
    let open = lnrpc::Channel { channel_point: text.clone(), active: true, ..Default::default() };
    let closed = lnrpc::ChannelCloseSummary { channel_point: text.clone(), ..Default::default() };
    for (channel, change) in [
        (Changed::PendingOpenChannel(pending), ChannelChange::Pending),
        (Changed::OpenChannel(open), ChannelChange::Opened),
        (Changed::ClosedChannel(closed), ChannelChange::Closed),
        (Changed::ActiveChannel(point()), ChannelChange::Active),
        (Changed::ActiveChannel(as_text), ChannelChange::Active),
        (Changed::InactiveChannel(point()), ChannelChange::Inactive),
        (Changed::FullyResolvedChannel(point()), ChannelChange::Resolved),
        (Changed::ChannelFundingTimeout(point()), ChannelChange::Closed),
    ] {
        let update = ChannelEventUpdate { channel: Some(channel), r#type: 0 };
        let told = one(Stream::Channels, &update.encode_to_vec());
        assert_eq!(told, [Seen::Channel { at: AT, point: text.parse().unwrap(), change }]);
    }
}

#[test]
fn peers_come_and_go() {
    let event = |kind| PeerEvent { pub_key: PEER.to_owned(), r#type: kind }.encode_to_vec();
    let peer = |online| Seen::Peer { at: AT, peer: key(PEER), online };
    assert_eq!(told_by(Stream::Peers, &[event(1), event(0)]), [peer(false), peer(true)]);
}

fn kind(told: &[Seen]) -> (&str, usize) {
    match told {
        [Seen::Unknown { at: AT, kind, bytes }] => (kind, bytes.len()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_known_is_passed_on_with_its_number_and_a_part_of_it() {
    let htlc = |kind, event| HtlcEvent { event_type: kind, event, ..Default::default() }.encode_to_vec();
    let settled = || Some(Event::SettleEvent(SettleEvent::default()));
    // Field 13, of two bytes.
    assert_eq!(kind(&one(Stream::Htlcs, &[0x6a, 2, 1, 1])), ("HtlcEvent field 13", 4));
    assert_eq!(kind(&one(Stream::Htlcs, &htlc(7, settled()))), ("HtlcEvent event_type 7", 4));
    assert_eq!(kind(&one(Stream::Htlcs, &htlc(0, settled()))), ("HtlcEvent event_type 0", 2));
    assert_eq!(kind(&one(Stream::Htlcs, &[])), ("HtlcEvent of nothing", 0));
    // Type 9, and what belongs to it in field 10.
    assert_eq!(kind(&one(Stream::Channels, &[0x28, 9, 0x52, 1, 0])), ("ChannelEventUpdate field 10", 5));
    let peer = PeerEvent { pub_key: PEER.to_owned(), r#type: 4 }.encode_to_vec();
    assert_eq!(kind(&one(Stream::Peers, &peer)).0, "PeerEvent type 4");
    let long = [&[0x22, 0x80, 0x20][..], &[7; 4096]].concat();
    assert_eq!(kind(&one(Stream::Graph, &long)), ("GraphTopologyUpdate field 4", 1024));
    assert_eq!(kind(&one(Stream::Peers, b"\xff\xff")).0, "not a protobuf message");
    let nobody = PeerEvent { pub_key: "no key".to_owned(), r#type: 0 }.encode_to_vec();
    assert!(kind(&one(Stream::Peers, &nobody)).0.starts_with("an impossible"));
}

#[test]
fn a_known_event_may_have_parts_that_are_not_known() {
    let mut event = PeerEvent { pub_key: PEER.to_owned(), r#type: 1 }.encode_to_vec();
    event.extend([0x7a, 3, 1, 2, 3]);
    assert_eq!(one(Stream::Peers, &event), [Seen::Peer { at: AT, peer: key(PEER), online: false }]);
    let mut subscribed =
        HtlcEvent { event: Some(Event::SubscribedEvent(SubscribedEvent {})), ..Default::default() }.encode_to_vec();
    subscribed.extend([0x7a, 0]);
    assert_eq!(one(Stream::Htlcs, &subscribed), []);
}

#[test]
fn one_policy_that_cannot_be_hides_no_other() {
    let edge = |base| ChannelEdgeUpdate {
        advertising_node: PEER.to_owned(),
        connecting_node: BOB.to_owned(),
        chan_point: Some(ChannelPoint {
            funding_txid: Some(lnrpc::channel_point::FundingTxid::FundingTxidBytes(vec![1; 32])),
            output_index: 0,
        }),
        routing_policy: Some(RoutingPolicy { fee_base_msat: base, ..Default::default() }),
        ..Default::default()
    };
    let update = GraphTopologyUpdate { channel_updates: vec![edge(-1), edge(5)], ..Default::default() };
    let told = one(Stream::Graph, &update.encode_to_vec());
    assert_eq!(kind(&told[..1]).0, "an impossible base fee of -1 msat");
    assert!(matches!(&told[1], Seen::Policy { policy, .. } if policy.base == Msat::new(5)), "{told:?}");
}

/// From LND: `htlcswitch/switch.go` and `link.go` say which code goes with which detail.
#[test]
fn each_refusal_of_lnd_has_its_meaning() {
    for (code, detail, meaning, name) in [
        (15, 6, Balance, "INSUFFICIENT_BALANCE"),
        (18, 3, Offline, "LINK_NOT_ELIGIBLE"),
        (18, 1, Offline, "UNKNOWN_NEXT_PEER"),
        (15, 8, Offline, "HTLC_ADD_FAILED"),
        (15, 5, Policy, "HTLC_EXCEEDS_MAX"),
        (12, 1, Policy, "FEE_INSUFFICIENT"),
        (13, 1, Policy, "INCORRECT_CLTV_EXPIRY"),
        (7, 1, Policy, "EXPIRY_TOO_SOON"),
        (22, 1, Policy, "EXPIRY_TOO_FAR"),
        (11, 1, Policy, "AMOUNT_BELOW_MINIMUM"),
        (15, 1, Policy, "TEMPORARY_CHANNEL_FAILURE"),
        (19, 1, Policy, "TEMPORARY_NODE_FAILURE"),
        (14, 9, Policy, "FORWARDS_DISABLED"),
        (15, 22, Policy, "CIRCULAR_ROUTE"),
        (15, 7, Policy, "INCOMPLETE_FORWARD"),
        (25, 1, Policy, "INVALID_ONION_BLINDING"),
        (15, 29, Unknown, "detail 29"),
        (31, 1, Unknown, "code 31"),
        (15, 27, Unknown, "EXTERNAL_VALIDATION_FAILED"),
        (u64::MAX, u64::MAX, Unknown, "detail 18446744073709551615"),
    ] {
        assert_eq!((reason(code, detail), word(code, detail).as_str()), (meaning, name));
    }
}

/// A message of each stream that holds what can be in it.
fn samples() -> Vec<(Stream, Vec<u8>)> {
    let mut samples: Vec<(Stream, Vec<u8>)> = Vec::new();
    for (stream, method) in [
        (Stream::Htlcs, "routerrpc.Router.SubscribeHtlcEvents"),
        (Stream::Channels, "lnrpc.Lightning.SubscribeChannelEvents"),
        (Stream::Graph, "lnrpc.Lightning.SubscribeChannelGraph"),
    ] {
        samples.extend(recorded(method).into_iter().map(|message| (stream, message)));
    }
    samples.push((Stream::Peers, PeerEvent { pub_key: PEER.to_owned(), r#type: 1 }.encode_to_vec()));
    samples
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn mutated_messages_never_panic_and_tell_little(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        thread_local!(static SAMPLES: Vec<(Stream, Vec<u8>)> = samples());
        let (stream, mut message) = SAMPLES.with(|samples| which.get(samples).clone());
        for (place, byte) in changes {
            *place.get_mut(&mut message) = byte;
        }
        if !whole {
            message.truncate(cut.index(message.len() + 1));
        }
        let told = one(stream, &message);
        prop_assert!(told.len() <= 4, "{:?}", told);
        for seen in told {
            if let Seen::Unknown { kind, bytes, .. } = seen {
                prop_assert!(bytes.len() <= 1024 && kind.chars().count() <= 200, "{}", kind);
            }
        }
    }
}
