//! What following costs once the messages are there: ten million of them, read, paired, gathered and stored as the watcher
//! does it, in a process of its own, which is this program under another first argument, so that its peak memory is that
//! of following alone.
//!
//! Messages are made in portions beside what is timed. Of a hundred, fifty are of others' channels in the graph, two of our
//! own; forty are of ten forwards, of which six settle, two fail further on and two are refused; six are of peers and two
//! of channels. One forward in twenty-five never ends, so that what is remembered in flight fills up.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use daznode::report::{Report, Time};
use daznode::sources::lnd::follow::Decoder;
use daznode::sources::streams::{Seen, Stream, Word};
use daznode::store::{Profile, Store};
use daznode::units::{DAY_MS, Network, Pubkey, UnixMs};
use daznode::watch::{Moment, Sink};
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

use crate::place::{Place, now, profile};
use crate::table::{Table, Unit};
use crate::{Sizes, machine};

/// The word that makes this program follow.
pub const WORD: &str = "follow";
/// Messages of one portion.
const PORTION: usize = 100_000;
/// The node that is followed.
const OWN: &str = "03351c9081f2af83d51d15d3460c904bac3e0814d3c91e6afb94ac43845cacd716";

/// Milliseconds from one message to the next, by the clock of the messages: ten million are of eight hours.
const STEP: i64 = 3;
/// Days after which what was told one by one is summed.
const LATER: i64 = 42;

/// The figures.
pub fn figures(sizes: &Sizes, table: &mut Table) {
    let messages = sizes.events;
    let place = Place::new();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(WORD).arg((messages / PORTION).max(1).to_string()).arg(place.state());
    let said = command.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    let [read, stored, grown, told] = numbers(&said);
    let name = format!("{messages} messages of streams, read and stored");
    table.add(&name, Unit::Seconds, 100.0, vec![read + stored], None);
    table.add(&format!("{name}, growth of memory"), Unit::Megabytes, 40.0, vec![grown], None);
    let rate = f64::from(u32::try_from(messages).unwrap()) / read;
    table.note(format!(
        "{name}: read in {read:.1} s, {rate:.0} a second, and stored in {stored:.1} s; {told:.0} things told"
    ));
    table.note(summed(&place));
}

fn numbers<const N: usize>(said: &str) -> [f64; N] {
    let numbers: Vec<f64> = said.split_whitespace().map(|word| word.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// The size of the database, and what is left in it once what was told is old.
fn summed(place: &Place) -> String {
    let size = || std::fs::metadata(place.database()).unwrap().len() / 1_000_000;
    let before = size();
    let (store, later) = (place.store(), now().plus(LATER * DAY_MS));
    let profile = store.profiles(&daznode::store::ProfileFilter::default()).unwrap().remove(0);
    // A report shows that the clock is right.
    let mut report: Report = serde_json::from_str(include_str!("../../tests/fixtures/reports/rich.json")).unwrap();
    (report.node_pubkey, report.created_at) = (profile.pubkey.clone(), Time(later));
    store.put_report(&profile, &report, &daznode::render::json::document(&report)).unwrap();
    let started = Instant::now();
    let rolled = store.roll_up(&profile, later).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    let free: i64 = rusqlite::Connection::open(place.database())
        .and_then(|db| {
            db.query_row("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size", [], |row| {
                row.get(0)
            })
        })
        .unwrap();
    format!(
        "its database: {before} MB; {LATER} days later {} failed forwards and {} connections are summed by day in \
         {seconds:.1} s, and of {} MB {} are free for what comes",
        rolled.failures,
        rolled.sessions,
        size(),
        free / 1_000_000
    )
}

/// The process itself: prints the seconds that reading and storing took, megabytes by which its peak grew, and what was told.
pub fn follow(portions: usize, state: &Path) {
    let own: Pubkey = OWN.parse().unwrap();
    let mut decoders = Stream::ALL.map(|stream| Decoder::new(stream, &own));
    let began = now();
    let mut maker = Maker { number: 0, began };
    let (mut portion, mut seen) = (Vec::new(), Vec::new());
    let mut listener = Listener::new(state, began);
    maker.fill(&mut portion);
    let before = machine::own_peak();
    let mut taken = Duration::ZERO;
    for _ in 0..portions {
        let started = Instant::now();
        for (stream, message) in &portion {
            listener.goes_on();
            decoders[*stream].read(message, listener.now.wall, &mut seen);
            for seen in seen.drain(..) {
                listener.take(Stream::ALL[*stream], seen);
            }
        }
        listener.all_stand();
        taken += started.elapsed();
        maker.fill(&mut portion);
    }
    listener.store();
    let (stored, grown) = (listener.stored.as_secs_f64(), machine::own_peak() - before);
    println!("{} {stored} {grown} {}", taken.as_secs_f64() - stored, listener.told);
}

/// Where what is told goes: what the watcher does with it, batch by batch.
struct Listener {
    store: Store,
    profile: Profile,
    sink: Sink,
    now: Moment,
    stored: Duration,
    told: u64,
}

impl Listener {
    fn new(state: &Path, began: UnixMs) -> Self {
        let store = Store::open(state, daznode::store::Access::Write).unwrap();
        let none = Path::new("/nowhere");
        let new = profile("followed", OWN, Network::Mainnet, "127.0.0.1:1", none, none);
        let profile = store.enable(&new, began).unwrap();
        let now = Moment { wall: began, awake: 0 };
        let mut sink = Sink::new(now);
        for stream in Stream::ALL {
            sink.take(Word::Began { stream, at: began });
        }
        Self { store, profile, sink, now, stored: Duration::ZERO, told: 0 }
    }

    fn goes_on(&mut self) {
        self.now = Moment { wall: self.now.wall.plus(STEP), awake: self.now.awake + STEP };
        self.sink.notice(self.now);
    }

    fn all_stand(&mut self) {
        for stream in Stream::ALL {
            self.sink.take(Word::Alive { stream, at: self.now.wall });
        }
    }

    /// Nothing may be of a kind that is not known.
    fn take(&mut self, stream: Stream, seen: Seen) {
        assert!(!matches!(seen, Seen::Unknown { .. }), "{seen:?}");
        self.told += 1;
        self.sink.take(Word::Told { stream, seen });
        if self.sink.is_due() {
            self.store();
        }
    }

    fn store(&mut self) {
        let started = Instant::now();
        self.store.put_heard(&self.profile, &self.sink.flush()).unwrap();
        self.stored += started.elapsed();
    }
}

/// Makes messages, each of a stream by its place.
struct Maker {
    /// Of the next forward.
    number: u64,
    /// When the first forward was; ten come with a hundred messages.
    began: UnixMs,
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
                    portion.push((2, peer(turn, (self.number / 10).is_multiple_of(2))));
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
        let number = i64::try_from(self.number).unwrap();
        let mut push = |event, kind| {
            let event = HtlcEvent {
                incoming_channel_id: 1 + self.number % 40,
                outgoing_channel_id: 50,
                incoming_htlc_id: self.number,
                outgoing_htlc_id: self.number,
                timestamp_ns: u64::try_from(self.began.0 + 10 * STEP * number).unwrap() * 1_000_000,
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
