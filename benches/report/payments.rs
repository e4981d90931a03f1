//! Forwards and payments of a large node: each as the bytes that LND sends, one behind the other, so that a page is a
//! piece of them.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use tonic_lnd::lnrpc::{
    ForwardingEvent, ForwardingHistoryRequest, Hop, HtlcAttempt, ListPaymentsRequest, MppRecord, Payment, Route,
};

use daznode::units::{DAY_MS, UnixMs};

/// The days that the events are spread over.
const DAYS: i64 = 400;

/// The same numbers in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Events in the order of time.
#[derive(Default)]
struct Events {
    bytes: BytesMut,
    /// Where each begins.
    begins: Vec<usize>,
    times: Vec<i64>,
}

impl Events {
    /// Adds one as an element of field 1, which it is in every list of LND.
    fn push(&mut self, at_ns: i64, event: &impl Message) {
        self.begins.push(self.bytes.len());
        self.times.push(at_ns);
        prost::encoding::message::encode(1, event, &mut self.bytes);
    }

    fn page(&self, from: usize, to: usize) -> BytesMut {
        let begin = |n: usize| self.begins.get(n).copied().unwrap_or(self.bytes.len());
        BytesMut::from(&self.bytes[begin(from)..begin(to.max(from))])
    }
}

/// What happened on the node.
pub struct History {
    forwards: Events,
    fees: Vec<u64>,
    payments: Events,
    /// The hash, time in seconds and amount in msat of each circular payment, whose invoice is the node's own.
    pub circular: Vec<(Vec<u8>, i64, i64)>,
    /// Where the last day begins.
    last_day_ns: i64,
}

/// What events are made between.
pub struct Parties<'a> {
    pub own: &'a str,
    pub scids: &'a [u64],
    /// The peer of each channel.
    pub peers: &'a [String],
}

impl History {
    pub fn make(now: UnixMs, forwards: usize, payments: usize, parties: &Parties<'_>) -> Self {
        let mut history = Self {
            forwards: Events::default(),
            fees: Vec::new(),
            payments: Events::default(),
            circular: Vec::new(),
            last_day_ns: now.plus(-DAY_MS).nanos(),
        };
        let mut random = Random(7);
        let start = now.plus(-DAYS * DAY_MS).nanos();
        let steps = |count: usize| {
            let count = i64::try_from(count).unwrap();
            let step = (now.nanos() - start) / (count + 1);
            (0..count).map(move |n| start + n * step)
        };
        for (n, at) in steps(forwards).enumerate() {
            history.add_forward(at, n, parties, &mut random);
        }
        for (n, at) in steps(payments).enumerate() {
            history.add_payment(at, u64::try_from(n).unwrap(), parties, &mut random);
        }
        history
    }

    #[expect(deprecated, reason = "LND fills them in")]
    fn add_forward(&mut self, at: i64, n: usize, parties: &Parties<'_>, random: &mut Random) {
        // Few channels have most of the traffic, and each sends to some of the others.
        let channels = u64::try_from(parties.scids.len()).unwrap();
        let from = random.below(channels) * random.below(channels) / channels;
        let to = (from * 7 + 1 + random.below(12) * 13) % channels;
        let amount = 1_000_000 + random.below(500_000_000);
        let fee = 1_000 + amount * (50 + to % 900) / 1_000_000;
        let scid = |n: u64| parties.scids[usize::try_from(n).unwrap()];
        let ns = at.cast_unsigned() + random.below(1_000_000);
        let event = ForwardingEvent {
            timestamp: ns / 1_000_000_000,
            chan_id_in: scid(from),
            chan_id_out: scid(to),
            amt_in: (amount + fee) / 1000,
            amt_out: amount / 1000,
            fee: fee / 1000,
            fee_msat: fee,
            amt_in_msat: amount + fee,
            amt_out_msat: amount,
            timestamp_ns: ns,
            incoming_htlc_id: Some(u64::try_from(n).unwrap()),
            outgoing_htlc_id: Some(u64::try_from(n).unwrap()),
            ..Default::default()
        };
        self.fees.push(fee);
        self.forwards.push(ns.cast_signed(), &event);
    }

    /// Of a hundred payments five end where they began, three have several parts, and a quarter a try that failed first.
    #[expect(deprecated, reason = "LND fills them in")]
    fn add_payment(&mut self, at: i64, n: u64, parties: &Parties<'_>, random: &mut Random) {
        let circular = n.is_multiple_of(20);
        let parts = if n % 33 == 1 { 3 } else { 1 };
        let amount = 10_000_000 + random.below(500_000_000).cast_signed();
        let (mut htlcs, mut fees) = (Vec::new(), 0);
        if n % 4 == 2 {
            htlcs.push(HtlcAttempt {
                attempt_id: n * 4 + 3,
                status: 2,
                route: Some(route(amount, circular, n + 9, parties, random)),
                attempt_time_ns: at,
                resolve_time_ns: at + 1_000_000_000,
                ..Default::default()
            });
        }
        for part in 0..parts {
            let route = route(amount / parts, circular, n + part.cast_unsigned(), parties, random);
            fees += route.total_fees_msat;
            htlcs.push(HtlcAttempt {
                attempt_id: n * 4 + part.cast_unsigned(),
                status: 1,
                route: Some(route),
                attempt_time_ns: at,
                resolve_time_ns: at + 2_000_000_000,
                preimage: vec![7; 32],
                ..Default::default()
            });
        }
        let amount = amount / parts * parts;
        let hash: Vec<u8> = (0..4).flat_map(|_| random.below(u64::MAX).to_be_bytes()).collect();
        if circular {
            self.circular.push((hash.clone(), at / 1_000_000_000, amount));
        }
        let payment = Payment {
            payment_hash: hex::encode(&hash),
            value: amount / 1000,
            creation_date: at / 1_000_000_000,
            fee: fees / 1000,
            payment_preimage: "07".repeat(32),
            value_sat: amount / 1000,
            value_msat: amount,
            payment_request: format!("lnbc{}", "q9zry8gf2tvdw0s3jn54khce6mua7l".repeat(9)),
            status: 2,
            fee_sat: fees / 1000,
            fee_msat: fees,
            creation_time_ns: at,
            htlcs,
            payment_index: n + 1,
            ..Default::default()
        };
        self.payments.push(at, &payment);
    }

    /// How many forwards there are by now.
    fn forwards_by(&self, all: bool) -> usize {
        if all { self.forwards.times.len() } else { self.forwards.times.partition_point(|at| *at < self.last_day_ns) }
    }

    pub fn forwards(&self, request: &[u8], all: bool) -> Bytes {
        let request = ForwardingHistoryRequest::decode(request).unwrap();
        let start = i64::try_from(request.start_time).unwrap() * 1_000_000_000;
        let first = self.forwards.times.partition_point(|at| *at < start);
        let from = first + usize::try_from(request.index_offset).unwrap();
        let to = (from + usize::try_from(request.num_max_events).unwrap()).min(self.forwards_by(all));
        let mut page = self.forwards.page(from, to);
        prost::encoding::uint32::encode(2, &u32::try_from(to - first).unwrap_or(0), &mut page);
        page.freeze()
    }

    pub fn payments(&self, request: &[u8], all: bool) -> Bytes {
        let request = ListPaymentsRequest::decode(request).unwrap();
        let there = self.payments.times.partition_point(|at| all || *at < self.last_day_ns);
        let from = usize::try_from(request.index_offset).unwrap();
        let to = (from + usize::try_from(request.max_payments).unwrap()).min(there);
        let mut page = self.payments.page(from, to);
        page.reserve(32);
        for (field, value) in [(2, from + 1), (3, to)] {
            page.put_u8(field << 3);
            prost::encoding::encode_varint(u64::try_from(value).unwrap(), &mut page);
        }
        page.freeze()
    }

    /// What LND says it earned in 1, 7 and 30 days, in sat.
    pub fn fee_sums(&self, all: bool) -> [u64; 3] {
        let end = self.forwards_by(all);
        let newest = if all { self.last_day_ns + DAY_MS * 1_000_000 } else { self.last_day_ns };
        [1, 7, 30].map(|days| {
            let from = self.forwards.times.partition_point(|at| *at < newest - days * DAY_MS * 1_000_000);
            self.fees[from.min(end)..end].iter().sum::<u64>() / 1000
        })
    }
}

/// Three to five hops, the first of them a channel of ours; for a circular payment the last one too.
#[expect(deprecated, reason = "LND fills them in")]
fn route(amount: i64, circular: bool, n: u64, parties: &Parties<'_>, random: &mut Random) -> Route {
    let count = 3 + random.below(3);
    let channels = u64::try_from(parties.scids.len()).unwrap();
    let ours = |n: u64| usize::try_from(n % channels).unwrap();
    let hops: Vec<Hop> = (0..count)
        .map(|hop| {
            let last = hop + 1 == count;
            let fee = if last { 0 } else { 500 + amount / 10_000 };
            let (chan_id, key) = match (hop, last && circular) {
                (0, _) => (parties.scids[ours(n)], parties.peers[ours(n)].as_str()),
                (_, true) => (parties.scids[ours(n * 31 + 1)], parties.own),
                _ => ((700_000 + random.below(90_000)) << 40, parties.peers[ours(random.below(channels))].as_str()),
            };
            let mpp = MppRecord { payment_addr: vec![9; 32], total_amt_msat: amount };
            Hop {
                chan_id,
                chan_capacity: 5_000_000,
                amt_to_forward: amount / 1000,
                fee: fee / 1000,
                expiry: 900_000,
                amt_to_forward_msat: amount,
                fee_msat: fee,
                pub_key: key.to_owned(),
                tlv_payload: true,
                mpp_record: last.then_some(mpp),
                ..Default::default()
            }
        })
        .collect();
    let fees: i64 = hops.iter().map(|hop| hop.fee_msat).sum();
    Route {
        total_time_lock: 900_400,
        total_fees: fees / 1000,
        total_amt: (amount + fees) / 1000,
        hops,
        total_fees_msat: fees,
        total_amt_msat: amount + fees,
        first_hop_amount_msat: amount + fees,
        ..Default::default()
    }
}
