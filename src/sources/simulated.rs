//! A node that does not exist: seeded, deterministic, no network. It feeds `daznode demo` and load tests.
//!
//! It is born on a day, opens its channels, and then lives hour by hour: payments flow from peers that send to peers
//! that receive, a channel drains, the operator refills it at a cost, one peer goes away, one channel is closed by force.
//! What it shows at a moment depends on nothing but the seed, the day of birth and that moment, so a later look
//! agrees with an earlier one. It knows nothing of the rules that judge it.

use super::{Error, EventSender, Identity, NodeSource, Observation, Resume};
use crate::snapshot::{
    ChainTx, Channel, ChannelBalance, ChannelFee, ChannelPolicies, ClosedChannel, Events, FeeReport, ForceClosing,
    Forward, Htlc, Info, Invoice, InvoiceState, Market, NetworkSize, NodeView, Payment, PaymentPart, PaymentStatus,
    Peer, PeerMarket, Pending, PendingChannel, Policy, SourceSeen, SourceStatus, Utxo, Wallet,
};
use crate::units::{DAY_MS, Day, HOUR_MS, Msat, Network, Outpoint, Ppm, Pubkey, Sat, Scid, UnixMs};

/// A made-up node, seen at one moment.
#[derive(Clone, Debug)]
pub struct Simulated {
    seed: u64,
    born: Day,
    now: UnixMs,
}

/// What a made-up peer is like.
struct Character {
    alias: &'static str,
    capacity: i64,
    /// Share of the capacity that is ours when the channel opens, in percent.
    ours: i64,
    /// Payments an hour that come from it, and that want to leave to it, in hundredths.
    sends: u64,
    wants: u64,
    ppm: i64,
    base: i64,
    private: bool,
    opened_by_us: bool,
    /// What others charge towards it: 10th to 90th percentile.
    market: [i64; 5],
}

const CHARACTERS: [Character; 8] = [
    peer("Harbour Exchange", 10_000_000, 85, 30, 160, 420, [120, 300, 640, 1100, 1900]),
    peer("Copper Wallet", 6_000_000, 35, 150, 20, 90, [10, 40, 90, 200, 450]),
    peer("northbridge", 5_000_000, 55, 80, 70, 210, [50, 110, 220, 400, 800]),
    peer("Tall Pines Routing", 4_000_000, 60, 60, 60, 260, [60, 120, 250, 380, 700]),
    peer("quiet-harbor", 3_000_000, 95, 0, 0, 1500, [100, 200, 350, 600, 900]),
    peer("Ember LSP", 8_000_000, 70, 40, 110, 350, [90, 240, 400, 700, 1200]),
    peer("old mill", 2_000_000, 50, 10, 10, 150, [20, 60, 150, 300, 500]),
    peer("sundown", 1_500_000, 40, 12, 12, 180, [20, 60, 160, 300, 520]),
];

/// The channel to this character is closed by force, this many days after birth.
const CLOSED: (usize, i64) = (7, 29);
/// The peer of this character goes away, this many days after birth.
const GONE: (usize, i64) = (6, 21);
/// What the force close pays the chain, and what sweeping it will.
const CHANNEL_OPEN_FEE: i64 = 420;
/// From this day on one payment hangs.
const STUCK_FROM: i64 = 29;
const FIRST_HEIGHT: i64 = 900_000;

const fn peer(
    alias: &'static str,
    capacity: i64,
    ours: i64,
    sends: u64,
    wants: u64,
    ppm: i64,
    market: [i64; 5],
) -> Character {
    Character { alias, capacity, ours, sends, wants, ppm, base: 0, private: false, opened_by_us: ours >= 50, market }
}

/// What became of the node by some moment.
struct Life {
    channels: Vec<Live>,
    forwards: Vec<Forward>,
    payments: Vec<Payment>,
    invoices: Vec<Invoice>,
    transactions: Vec<ChainTx>,
    wallet: Sat,
}

#[derive(Clone)]
struct Live {
    local: Msat,
    remote: Msat,
    sent: Msat,
    received: Msat,
    updates: u64,
    open: bool,
}

/// A payment that somebody wants to send through the node.
struct Wish {
    at_ns: i64,
    sender: usize,
    receiver: usize,
    amount: Msat,
}

impl Simulated {
    /// The node of this seed, born on this day, as it is at `now`.
    pub const fn new(seed: u64, born: Day, now: UnixMs) -> Self {
        Self { seed, born, now }
    }

    fn hex(&self, what: &str, n: u64) -> String {
        let mut dice =
            Dice::new(self.seed ^ what.bytes().fold(n, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b))));
        let bytes: Vec<u8> = (0..4).flat_map(|_| dice.next().to_be_bytes()).collect();
        hex::encode(bytes)
    }

    fn key(&self, n: usize) -> Result<Pubkey, Error> {
        parsed(&format!("02{}", self.hex("node", index(n))))
    }

    fn own_key(&self) -> Result<Pubkey, Error> {
        self.key(CHARACTERS.len())
    }

    /// The two first channels were opened in one transaction.
    fn point(&self, n: usize) -> Result<Outpoint, Error> {
        let (tx, output) = if n == 1 { (0, 1) } else { (n, 0) };
        parsed(&format!("{}:{output}", self.hex("funding", index(tx))))
    }

    fn birth(&self) -> UnixMs {
        self.born.start()
    }

    fn height(&self, at: UnixMs) -> u32 {
        u32::try_from(FIRST_HEIGHT + at.since(self.birth()).max(0) / 600_000).unwrap_or(u32::MAX)
    }

    fn gone(&self, n: usize, at: UnixMs) -> bool {
        n == GONE.0 && at >= self.birth().plus(GONE.1 * DAY_MS)
    }

    fn closes_at(&self) -> UnixMs {
        self.birth().plus(CLOSED.1 * DAY_MS + 7 * HOUR_MS)
    }

    /// Lives from birth to `now`, hour by hour.
    fn live(&self) -> Result<Life, Error> {
        let mut life = Life {
            channels: CHARACTERS
                .iter()
                .map(|c| {
                    let local = Sat::new(c.capacity * c.ours / 100).msat();
                    let remote = Sat::new(c.capacity).msat() - local;
                    Live { local, remote, sent: Msat::ZERO, received: Msat::ZERO, updates: 0, open: true }
                })
                .collect(),
            forwards: Vec::new(),
            payments: Vec::new(),
            invoices: Vec::new(),
            transactions: self.openings()?,
            wallet: Sat::new(1_850_000),
        };
        let mut dice = Dice::new(self.seed);
        let mut hour = self.birth().plus(6 * HOUR_MS);
        while hour < self.now {
            if hour >= self.closes_at()
                && let Some(channel) = life.channels.get_mut(CLOSED.0)
            {
                channel.open = false;
            }
            let mut wishes: Vec<Wish> = Vec::new();
            for sender in 0..CHARACTERS.len() {
                self.hour(&mut wishes, &mut dice, sender, hour);
            }
            // In the order of time, so that a look in the middle of an hour agrees with a later one.
            wishes.sort_by_key(|w| w.at_ns);
            for wish in wishes.iter().filter(|w| w.at_ns < self.now.nanos()) {
                forward(&mut life, wish);
            }
            if hour.since(self.birth()) / HOUR_MS % (4 * 24) == 50 {
                self.refill(&mut life, hour)?;
            }
            hour = hour.plus(HOUR_MS);
        }
        life.forwards.sort_by_key(|f| f.at_ns);
        Ok(life)
    }

    /// What one peer wants to send through the node in one hour. Dice are thrown whether or not anything happens, so that
    /// what happens to one channel does not change another's luck.
    fn hour(&self, wishes: &mut Vec<Wish>, dice: &mut Dice, sender: usize, hour: UnixMs) {
        let day_shape = [
            40, 30, 25, 25, 30, 45, 70, 90, 110, 120, 125, 130, 130, 125, 120, 115, 120, 125, 130, 130, 120, 100, 80,
            60,
        ];
        let now = usize::try_from(hour.since(self.birth()) / HOUR_MS % 24).unwrap_or(0);
        let shape = day_shape.get(now).copied().unwrap_or(100);
        let rate = CHARACTERS.get(sender).map_or(0, |c| c.sends) * shape / 100;
        let count = rate / 100 + u64::from(dice.below(100) < rate % 100);
        for _ in 0..4 {
            let (pick, size, moment) = (dice.below(442), dice.below(1_000), dice.below(3_600_000_000_000));
            if count <= dice.below(4) {
                continue;
            }
            let mut sum = 0;
            let receiver = CHARACTERS.iter().position(|c| {
                sum += c.wants;
                pick < sum
            });
            let Some(receiver) = receiver.filter(|r| *r != sender) else { continue };
            let at_ns = hour.nanos() + i64::try_from(moment).unwrap_or(0);
            if self.gone(sender, hour) || self.gone(receiver, hour) {
                continue;
            }
            // Sizes from 2,000 to about 400,000 sat, most of them small.
            let size = i64::try_from(2_000 + size * size * size / 2_500).unwrap_or(2_000);
            wishes.push(Wish { at_ns, sender, receiver, amount: Sat::new(size).msat() });
        }
    }

    /// Every four days the operator refills the first channel from the one that nobody uses.
    fn refill(&self, life: &mut Life, hour: UnixMs) -> Result<(), Error> {
        let amount = Sat::new(400_000).msat();
        let cost = amount.at(Ppm(310));
        let (from, to) = (4, 0);
        let number = index(life.payments.len()) + 1;
        let hash = self.hex("refill", number);
        {
            let Some(source) = life.channels.get_mut(from).filter(|c| c.local > amount + cost) else { return Ok(()) };
            source.local -= amount + cost;
            source.remote += amount + cost;
            source.sent += amount + cost;
            source.updates += 2;
        }
        {
            let Some(target) = life.channels.get_mut(to).filter(|c| c.remote > amount) else { return Ok(()) };
            target.local += amount;
            target.remote -= amount;
            target.received += amount;
            target.updates += 2;
        }
        let created_ns = hour.nanos();
        life.payments.push(Payment {
            index: number,
            hash: hash.clone(),
            created_ns,
            status: PaymentStatus::Succeeded,
            value: amount,
            fee: cost,
            failure: None,
            keysend: false,
            parts: vec![PaymentPart {
                attempt: number,
                status: PaymentStatus::Succeeded,
                amount,
                fee: cost,
                resolved_ns: Some(created_ns + 2_000_000_000),
                first_scid: scid(from),
                last_scid: scid(to),
                destination: Some(self.own_key()?),
            }],
        });
        life.invoices.push(Invoice {
            index: number,
            hash,
            created_at: hour,
            settled_at: Some(hour.plus(2_000)),
            state: InvoiceState::Settled,
            value: amount,
            paid: amount,
            keysend: false,
        });
        Ok(())
    }

    fn openings(&self) -> Result<Vec<ChainTx>, Error> {
        let mut all = Vec::new();
        for (n, who) in CHARACTERS.iter().enumerate().filter(|(n, c)| c.opened_by_us && *n != 1) {
            let at = self.birth().plus(i64::try_from(n).unwrap_or(0) * 600_000);
            all.push(ChainTx {
                txid: self.point(n)?.txid().to_owned(),
                at,
                height: Some(self.height(at)),
                amount: Sat::new(-who.capacity - CHANNEL_OPEN_FEE),
                fee: Sat::new(CHANNEL_OPEN_FEE),
                label: format!("0:openchannel:shortchanid-{}", scid(n)),
                spends: Vec::new(),
                own_outputs: Sat::ZERO,
                outputs: None,
            });
        }
        Ok(all)
    }

    fn view(&self, life: &Life) -> Result<NodeView, Error> {
        let mut view = NodeView {
            info: self.info()?,
            channels: Some(self.channels(life)?),
            pending: Some(self.pending(life)?),
            closed: Some(Vec::<ClosedChannel>::new()),
            wallet: Some(Wallet {
                confirmed: life.wallet,
                unconfirmed: Sat::ZERO,
                locked: Sat::ZERO,
                anchor_reserve: Sat::new(70_000),
            }),
            channel_balance: None,
            utxos: Some(vec![Utxo {
                outpoint: format!("{}:0", self.hex("coin", 0)),
                amount: life.wallet,
                confirmations: 900,
            }]),
            peers: Some(self.peers()?),
            fees: Some(self.fees(life)?),
            policies: Some(self.policies(life)?),
            sweeps: Some(Vec::new()),
            network: Some(NetworkSize {
                nodes: 9,
                channels: 8,
                capacity: CHARACTERS.iter().map(|c| Sat::new(c.capacity)).sum(),
                zombies: 0,
                median_channel: Sat::new(4_500_000),
            }),
            market: Some(self.market(life)?),
            certificate_not_after: None,
            macaroon_expires: None,
            macaroon_can_write: false,
            backup: None,
            towers: None,
        };
        let channels = view.channels.iter().flatten();
        view.channel_balance = Some(ChannelBalance {
            local: channels.clone().map(|c| c.local.msat()).sum(),
            remote: channels.map(|c| c.remote.msat()).sum(),
            unsettled_local: Msat::ZERO,
            unsettled_remote: Sat::new(62_000).msat(),
            pending_open_local: Msat::ZERO,
        });
        Ok(view)
    }

    fn info(&self) -> Result<Info, Error> {
        Ok(Info {
            pubkey: self.own_key()?,
            alias: "demo (made-up node)".to_owned(),
            network: Network::Simnet,
            version: "simulated".to_owned(),
            block_height: self.height(self.now),
            best_header_at: Some(self.now),
            synced_to_chain: true,
            synced_to_graph: true,
            peers: u32::try_from((0..CHARACTERS.len()).filter(|n| !self.gone(*n, self.now)).count()).unwrap_or(0),
        })
    }

    fn channels(&self, life: &Life) -> Result<Vec<Channel>, Error> {
        let mut all = Vec::new();
        for (n, (who, live)) in CHARACTERS.iter().zip(&life.channels).enumerate() {
            if !live.open {
                continue;
            }
            // One payment hangs on the way to the exchange; it times out in some hours.
            let stuck = Sat::new(62_000);
            let holds = life.channels.get(n).is_some_and(|c| c.local > stuck.msat());
            let htlcs = if n == 0 && holds && self.now >= self.birth().plus(STUCK_FROM * DAY_MS) {
                vec![Htlc {
                    incoming: false,
                    amount: stuck,
                    hash: self.hex("stuck", 0),
                    expiry_height: self.height(self.birth().plus((STUCK_FROM + 1) * DAY_MS)) + 132,
                    index: 7,
                    forwarding_channel: Some(scid(1)),
                }]
            } else {
                Vec::new()
            };
            let in_flight: Sat = htlcs.iter().map(|h| h.amount).sum();
            all.push(Channel {
                point: self.point(n)?,
                scid: scid(n),
                other_scids: Vec::new(),
                peer: self.key(n)?,
                peer_alias: Some(who.alias.to_owned()),
                capacity: Sat::new(who.capacity),
                local: live.local.floor_sat() - in_flight,
                remote: live.remote.floor_sat(),
                unsettled: in_flight,
                commit_fee: Sat::ZERO,
                opened_by_us: who.opened_by_us,
                active: !self.gone(n, self.now),
                private: who.private,
                anchors: true,
                local_reserve: Sat::new(who.capacity / 100),
                remote_reserve: Sat::new(who.capacity / 100),
                total_sent: live.sent.floor_sat(),
                total_received: live.received.floor_sat(),
                updates: live.updates,
                lifetime_s: self.now.since(self.birth()) / 1000,
                uptime_s: self.now.since(self.birth()) / 1000,
                htlcs,
                status_flags: "ChanStatusDefault".to_owned(),
            });
        }
        Ok(all)
    }

    fn pending(&self, life: &Life) -> Result<Pending, Error> {
        let Some((live, who)) = life.channels.get(CLOSED.0).zip(CHARACTERS.get(CLOSED.0)).filter(|(l, _)| !l.open)
        else {
            return Ok(Pending::default());
        };
        let limbo = live.local.floor_sat();
        let maturity = self.height(self.closes_at()) + 720;
        let channel = PendingChannel {
            commitments: None,
            point: self.point(CLOSED.0)?,
            peer: self.key(CLOSED.0)?,
            capacity: Sat::new(who.capacity),
            local: limbo,
            remote: live.remote.floor_sat(),
            opened_by_us: Some(who.opened_by_us),
            limbo,
            closing_txid: Some(self.hex("closing", 0)),
        };
        let force = ForceClosing {
            channel,
            maturity_height: Some(maturity),
            blocks_til_maturity: Some(i64::from(maturity) - i64::from(self.height(self.now))),
            recovered: Sat::ZERO,
            pending_htlcs: 0,
        };
        Ok(Pending { limbo, opening: Vec::new(), waiting_close: Vec::new(), force_closing: vec![force] })
    }

    fn peers(&self) -> Result<Vec<Peer>, Error> {
        let mut all = Vec::new();
        for n in (0..CHARACTERS.len()).filter(|n| !self.gone(*n, self.now)) {
            let ping_us = 20_000 + 7_000 * i64::try_from(n).unwrap_or(0);
            let address = format!("peer{n}.invalid:9735");
            all.push(Peer {
                pubkey: self.key(n)?,
                address,
                inbound: n % 3 == 0,
                ping_us,
                flaps: 1,
                last_flap_at: None,
            });
        }
        Ok(all)
    }

    fn open(life: &Life) -> impl Iterator<Item = (usize, &'static Character)> {
        CHARACTERS.iter().enumerate().filter(|(n, _)| life.channels.get(*n).is_some_and(|c| c.open))
    }

    fn fees(&self, life: &Life) -> Result<FeeReport, Error> {
        let mut channels = Vec::new();
        for (n, who) in Self::open(life) {
            let (inbound_base, inbound_rate) = (Msat::ZERO, Ppm(0));
            let (base, rate) = (Msat::new(who.base), Ppm(who.ppm));
            channels.push(ChannelFee { point: self.point(n)?, base, rate, inbound_base, inbound_rate });
        }
        let sum = |days: i64| {
            let from = self.now.plus(-days * DAY_MS).nanos();
            life.forwards.iter().filter(|f| f.at_ns >= from).map(Forward::fee).sum::<Msat>().floor_sat()
        };
        Ok(FeeReport { channels, day: sum(1), week: sum(7), month: sum(30) })
    }

    fn policies(&self, life: &Life) -> Result<Vec<ChannelPolicies>, Error> {
        let mut all = Vec::new();
        for (n, who) in Self::open(life) {
            let policy = |base: i64, rate: i64| Policy {
                base: Msat::new(base),
                rate: Ppm(rate),
                inbound_base: Msat::ZERO,
                inbound_rate: Ppm(0),
                time_lock_delta: 80,
                min_htlc: Msat::new(1000),
                max_htlc: Sat::new(who.capacity * 99 / 100).msat(),
                disabled: false,
                updated_at: self.birth(),
            };
            let theirs = who.market.get(2).copied().unwrap_or(100);
            all.push(ChannelPolicies {
                point: self.point(n)?,
                ours: Some(policy(who.base, who.ppm)),
                theirs: Some(policy(1000, theirs)),
            });
        }
        Ok(all)
    }

    fn market(&self, life: &Life) -> Result<Market, Error> {
        let mut peers = Vec::new();
        for (n, who) in Self::open(life) {
            let channels = 20 + 15 * u32::try_from(n).unwrap_or(0);
            peers.push(PeerMarket {
                incoming_rate_deciles: None,
                clearnet: None,
                pubkey: self.key(n)?,
                alias: who.alias.to_owned(),
                channels,
                capacity: Sat::new(who.capacity * i64::from(channels)),
                incoming: channels - 1,
                incoming_rate_percentiles: Some(who.market.map(Ppm)),
            });
        }
        let own: Sat = Self::open(life).map(|(_, c)| Sat::new(c.capacity)).sum();
        let own_channels = u32::try_from(peers.len()).unwrap_or(0);
        Ok(Market {
            candidates: Vec::new(),
            nodes: 9,
            channels: own_channels,
            capacity: own,
            own_capacity: own,
            own_channels,
            capacity_rank: Some(1),
            channels_rank: Some(1),
            median_rate: Some(Ppm(210)),
            peers,
        })
    }
}

impl NodeSource for Simulated {
    async fn identify(&self) -> Result<Identity, Error> {
        let info = self.info()?;
        Ok(Identity { pubkey: info.pubkey, alias: info.alias, network: info.network, version: info.version })
    }

    async fn observe(&self, resume: &Resume, events: EventSender) -> Result<Observation, Error> {
        let life = self.live()?;
        let node = self.view(&life)?;
        let from = resume.last_forward_ns.map_or(i64::MIN, |ns| ns - 60_000_000_000);
        let pages = [
            Events::Forwards(life.forwards.into_iter().filter(|f| f.at_ns >= from).collect()),
            Events::Payments(life.payments.into_iter().filter(|p| p.index > resume.payments_after).collect()),
            Events::Invoices(life.invoices.into_iter().filter(|i| i.index > resume.invoices_after).collect()),
            Events::Transactions(life.transactions),
        ];
        for page in pages {
            events.send(page).await.map_err(|_| Error::Setup("the store stopped taking events".to_owned()))?;
        }
        let seen = SourceSeen {
            name: "simulated".to_owned(),
            address: format!("seed {}", self.seed),
            status: SourceStatus::Ok,
            as_of: Some(self.now),
            latency_ms: Some(0),
            version: None,
            detail: Some("a made-up node: no money, no network".to_owned()),
        };
        Ok(Observation { taken_at: self.now, node, gaps: Vec::new(), seen })
    }
}

/// Moves an amount through the node if both channels are open and the outgoing one holds it.
fn forward(life: &mut Life, wish: &Wish) {
    let Wish { at_ns, sender, receiver, amount: amount_out } = *wish;
    let Some(who) = CHARACTERS.get(receiver) else { return };
    let amount_in = amount_out + Msat::new(who.base) + amount_out.at(Ppm(who.ppm));
    let reserve = |capacity: i64| Sat::new(capacity / 100).msat();
    let usable = |n: usize, ours: bool| {
        life.channels.get(n).zip(CHARACTERS.get(n)).filter(|(c, _)| c.open).is_some_and(|(c, who)| {
            let (held, moved) = if ours { (c.local, amount_out) } else { (c.remote, amount_in) };
            held - moved >= reserve(who.capacity)
        })
    };
    if !usable(receiver, true) || !usable(sender, false) {
        return;
    }
    let htlc_in = if let Some(incoming) = life.channels.get_mut(sender) {
        incoming.local += amount_in;
        incoming.remote -= amount_in;
        incoming.received += amount_in;
        incoming.updates += 2;
        i64::try_from(incoming.updates / 2).unwrap_or(0)
    } else {
        0
    };
    if let Some(outgoing) = life.channels.get_mut(receiver) {
        outgoing.local -= amount_out;
        outgoing.remote += amount_out;
        outgoing.sent += amount_out;
        outgoing.updates += 2;
    }
    life.forwards.push(Forward {
        at_ns,
        scid_in: scid(sender),
        scid_out: scid(receiver),
        amount_in,
        amount_out,
        htlc_in,
    });
}

fn scid(n: usize) -> Scid {
    let height = u64::try_from(FIRST_HEIGHT).unwrap_or(0);
    Scid((height + index(n)) << 40 | (index(n) + 11) << 16)
}

fn index(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Error>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| Error::Setup(error.to_string()))
}

/// Splitmix: a small generator whose sequence will never change under us.
struct Dice(u64);

impl Dice {
    const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    const fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    fn look(days: i64, resume: &Resume) -> (Observation, Vec<Events>) {
        let born: Day = "2026-10-20".parse().unwrap();
        let node = Simulated::new(7, born, born.start().plus(days * DAY_MS + 6 * HOUR_MS));
        let (sender, mut receiver) = mpsc::channel(8);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seen = runtime.block_on(node.observe(resume, sender)).unwrap();
        let mut pages = Vec::new();
        while let Ok(page) = receiver.try_recv() {
            pages.push(page);
        }
        (seen, pages)
    }

    fn forwards(pages: &[Events]) -> Vec<Forward> {
        pages.iter().find_map(|p| if let Events::Forwards(f) = p { Some(f.clone()) } else { None }).unwrap()
    }

    #[test]
    fn a_later_look_agrees_with_an_earlier_one() {
        let (_, early) = look(10, &Resume::default());
        let (_, late) = look(30, &Resume::default());
        let (early, late) = (forwards(&early), forwards(&late));
        assert!(early.len() > 300, "{}", early.len());
        assert_eq!(early, late[..early.len()]);
        let resume = Resume { last_forward_ns: early.last().map(|f| f.at_ns), ..Resume::default() };
        let (_, rest) = look(30, &resume);
        let known = forwards(&rest).iter().filter(|f| early.contains(f)).count();
        assert_eq!(forwards(&rest).len() - known, late.len() - early.len());
    }

    #[test]
    fn a_look_in_the_middle_of_an_hour_agrees_too() {
        let born: Day = "2026-10-20".parse().unwrap();
        let whole = Simulated::new(7, born, born.start().plus(20 * DAY_MS)).live().unwrap().forwards;
        for minute in 0..200 {
            let now = born.start().plus(18 * DAY_MS + minute * 7 * 60_000);
            let part = Simulated::new(7, born, now).live().unwrap().forwards;
            assert!(part.iter().all(|f| f.at_ns < now.nanos()));
            assert_eq!(part, whole[..part.len()]);
        }
    }

    #[test]
    fn no_msat_is_made_or_lost() {
        let (seen, pages) = look(30, &Resume::default());
        let channels = seen.node.channels.unwrap();
        for c in &channels {
            let difference = (c.capacity - c.local - c.remote - c.unsettled).get();
            assert!((0..=1).contains(&difference), "{} {difference}", c.peer_alias.as_deref().unwrap());
        }
        let earned: Msat = forwards(&pages).iter().map(Forward::fee).sum();
        assert_eq!(seen.node.fees.unwrap().month, earned.floor_sat());
    }

    #[test]
    fn after_thirty_days_there_is_something_to_report() {
        let (seen, _) = look(30, &Resume::default());
        assert_eq!(seen.node.channels.as_ref().map(Vec::len), Some(7));
        assert_eq!(seen.node.pending.as_ref().map(|p| p.force_closing.len()), Some(1));
        assert!(seen.node.channels.unwrap().iter().any(|c| !c.active));
    }
}
