//! What following costs once the messages are there: ten million of them, read and paired, in a process of its own, which
//! is this program under another first argument, so that its peak memory is that of following alone.
//!
//! Messages are made in portions beside what is timed. Of a hundred, fifty are of others' channels in the graph, two of our
//! own; forty are of ten forwards, of which six settle, two fail further on and two are refused; six are of peers and two
//! of channels. One forward in twenty-five never ends, so that what is remembered in flight fills up.

use std::process::Command;
use std::time::{Duration, Instant};

use daznode::sources::lnd::follow::Decoder;
use daznode::sources::streams::{Seen, Stream, Word};
use daznode::units::Pubkey;
use prost::Message as _;
use tonic_lnd::lnrpc::channel_event_update::Channel as Changed;
use tonic_lnd::lnrpc::channel_point::FundingTxid;
use tonic_lnd::lnrpc::{
    ChannelEdgeUpdate, ChannelEventUpdate, ChannelPoint, GraphTopologyUpdate, PeerEvent, RoutingPolicy,
};
use tonic_lnd::routerrpc::htlc_event::Event;
use tonic_lnd::routerrpc::{
    FinalHtlcEvent, ForwardEvent, ForwardFailEvent, HtlcEvent, HtlcInfo, LinkFailEvent, SettleEvent,
};

use crate::place::now;
use crate::table::{Table, Unit};
use crate::{Sizes, machine};

/// The word that makes this program follow.
pub const WORD: &str = "follow";
/// Messages of one portion.
const PORTION: usize = 100_000;
/// The node that is followed.
const OWN: &str = "03351c9081f2af83d51d15d3460c904bac3e0814d3c91e6afb94ac43845cacd716";

/// The figures.
pub fn figures(sizes: &Sizes, table: &mut Table) {
    let messages = sizes.events;
    let mut command = Command::new(std::env::current_exe().unwrap());
    let said = command.arg(WORD).arg((messages / PORTION).max(1).to_string()).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    let mut words = said.split_whitespace();
    let mut next = || words.next().unwrap().parse::<f64>().unwrap();
    let (seconds, grown) = (next(), next());
    let (told, forgotten) = (next(), next());
    let name = format!("reading {messages} messages of streams");
    table.add(&name, Unit::Seconds, 100.0, vec![seconds], None);
    table.add(&format!("{name}, growth of memory"), Unit::Megabytes, 40.0, vec![grown], None);
    let rate = f64::from(u32::try_from(messages).unwrap()) / seconds;
    table.note(format!(
        "{name}: {rate:.0} a second; {told:.0} things told, {forgotten:.0} forwards in flight forgotten"
    ));
}

/// The process itself: prints seconds, megabytes by which its peak grew, what was told and what was forgotten.
pub fn follow(portions: usize) {
    let own: Pubkey = OWN.parse().unwrap();
    let mut decoders = Stream::ALL.map(|stream| Decoder::new(stream, &own));
    let mut maker = Maker { number: 0 };
    let (mut portion, mut seen) = (Vec::new(), Vec::new());
    maker.fill(&mut portion);
    let before = machine::own_peak();
    let (mut taken, mut listener) = (Duration::ZERO, Listener::default());
    for _ in 0..portions {
        let started = Instant::now();
        for (stream, message) in &portion {
            decoders[*stream].read(message, now(), &mut seen);
            for seen in seen.drain(..) {
                listener.take(Word::Told { stream: Stream::ALL[*stream], seen });
            }
        }
        taken += started.elapsed();
        maker.fill(&mut portion);
    }
    let forgotten: u64 = decoders.iter().map(Decoder::forgotten).sum();
    println!("{} {} {} {forgotten}", taken.as_secs_f64(), machine::own_peak() - before, listener.told);
}

/// Where what is told goes.
#[derive(Default)]
struct Listener {
    told: u64,
}

impl Listener {
    /// Nothing may be of a kind that is not known.
    fn take(&mut self, word: Word) {
        let Word::Told { seen, .. } = word else { panic!("{word:?}") };
        assert!(!matches!(seen, Seen::Unknown { .. }), "{seen:?}");
        self.told += 1;
    }
}

/// Makes messages, each of a stream by its place.
struct Maker {
    /// Of the next forward.
    number: u64,
}

impl Maker {
    fn fill(&mut self, portion: &mut Vec<(usize, Vec<u8>)>) {
        portion.clear();
        while portion.len() < PORTION {
            for turn in 0..10_u64 {
                portion.extend((0..5).map(|_| (3, edge(false))));
                self.forward(turn, portion);
                if turn < 2 {
                    portion.push((3, edge(true)));
                    portion.push((1, active(turn == 0)));
                }
                if turn < 6 {
                    portion.push((2, peer(turn, self.number.is_multiple_of(2))));
                }
            }
        }
    }

    /// The four messages of one forward.
    fn forward(&mut self, turn: u64, portion: &mut Vec<(usize, Vec<u8>)>) {
        self.number += 1;
        let info =
            || Some(HtlcInfo { incoming_amt_msat: 1_001_000, outgoing_amt_msat: 1_000_000, ..Default::default() });
        let left = Event::ForwardEvent(ForwardEvent { info: info() });
        let refused =
            LinkFailEvent { info: info(), wire_failure: 15, failure_detail: 6, failure_string: "insufficient".into() };
        let end = match turn {
            0..6 => Event::SettleEvent(SettleEvent { preimage: vec![7; 32] }),
            6..8 => Event::ForwardFailEvent(ForwardFailEvent {}),
            _ => Event::LinkFailEvent(refused),
        };
        let done = Event::FinalHtlcEvent(FinalHtlcEvent { settled: turn < 6, offchain: true });
        let lost = self.number.is_multiple_of(25);
        let mut push = |event, kind| {
            let event = HtlcEvent {
                incoming_channel_id: 1 + self.number % 40,
                outgoing_channel_id: 50,
                incoming_htlc_id: self.number,
                outgoing_htlc_id: self.number,
                timestamp_ns: self.number,
                event_type: kind,
                event: Some(event),
            };
            portion.push((0, event.encode_to_vec()));
        };
        push(left, 3);
        // A payment of our own between.
        push(Event::ForwardFailEvent(ForwardFailEvent {}), 1);
        if !lost {
            push(end, 3);
            push(done, 0);
        }
    }
}

fn key(number: u64) -> String {
    format!("02{number:064x}")
}

fn point() -> ChannelPoint {
    ChannelPoint { funding_txid: Some(FundingTxid::FundingTxidBytes(vec![9; 32])), output_index: 1 }
}

fn edge(own: bool) -> Vec<u8> {
    let edge = ChannelEdgeUpdate {
        chan_id: 5,
        chan_point: Some(point()),
        capacity: 5_000_000,
        routing_policy: Some(RoutingPolicy {
            fee_base_msat: 1000,
            fee_rate_milli_msat: 250,
            max_htlc_msat: 1,
            ..Default::default()
        }),
        advertising_node: key(1),
        connecting_node: if own { OWN.to_owned() } else { key(2) },
    };
    GraphTopologyUpdate { channel_updates: vec![edge], ..Default::default() }.encode_to_vec()
}

fn active(is: bool) -> Vec<u8> {
    let channel = if is { Changed::ActiveChannel(point()) } else { Changed::InactiveChannel(point()) };
    ChannelEventUpdate { channel: Some(channel), r#type: if is { 2 } else { 3 } }.encode_to_vec()
}

fn peer(number: u64, online: bool) -> Vec<u8> {
    PeerEvent { pub_key: key(number), r#type: i32::from(!online) }.encode_to_vec()
}
