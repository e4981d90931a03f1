//! What the simulated node shows: to its operator, to a report, to a watcher.

use super::chain;
use super::dice::{Dice, name, whole};
use super::life::{Live, Sim, SimChannel, Totals};
use crate::snapshot::{
    Channel, ChannelBalance, ChannelFee, ChannelPolicies, Events, Fact, FeeReport, ForceClosing, Info, NetworkSize,
    NodeView, Peer, PeerSession, Pending, PendingChannel, Policy, PublicView, SCHEMA, Snapshot, SourceHealth,
    SourceSeen, SourceStatus, Utxo, Wallet, WatchSpan, WatchedEvents,
};
use crate::units::{DAY_MS, HOUR_MS, Msat, Network, Ppm, Sat, UnixMs};

impl Sim {
    /// The simulator's own truth.
    pub fn totals(&self) -> Totals {
        Totals {
            fees_earned: self.books.fees,
            rebalance_cost: self.books.rebalances,
            chain_cost: self.books.chain,
            wallet: self.wallet.msat(),
            local: self.channels.iter().map(|c| c.local).sum(),
            limbo: self.closing.iter().map(|c| c.limbo.msat()).sum(),
            received: self.books.received,
            paid: self.books.paid + self.books.pay_fees,
            start: self.books.start,
        }
    }

    /// The open channels.
    pub fn channels(&self) -> Vec<SimChannel> {
        let shown = |channel: &Live| {
            let peer = self.peers.get(channel.peer)?;
            Some(SimChannel {
                point: channel.point.clone(),
                scid: channel.scid,
                peer: peer.key.clone(),
                capacity: channel.capacity,
                local: channel.local,
                remote: channel.remote,
                base: channel.base,
                ppm: channel.rate,
                peer_ppm: channel.theirs,
                opened: channel.opened_at.day(),
                active: channel.usable_from <= self.now && self.is_there(channel.peer),
            })
        };
        self.channels.iter().filter_map(shown).collect()
    }

    /// What happened since this was asked the last time, as a source gives it.
    pub fn take_events(&mut self) -> Vec<Events> {
        let told = &mut self.told;
        vec![
            Events::Forwards(std::mem::take(&mut told.forwards)),
            Events::Payments(std::mem::take(&mut told.payments)),
            Events::Invoices(std::mem::take(&mut told.invoices)),
            Events::Transactions(std::mem::take(&mut told.transactions)),
        ]
    }

    /// What a watcher saw since this was asked the last time. A connection that lasts is told with its beginning each time,
    /// without an end, and with one once it has ended.
    pub fn take_watched(&mut self) -> WatchedEvents {
        let span = |stream: &str| WatchSpan { stream: stream.to_owned(), from: self.told.watched_to, to: self.now };
        let coverage = if self.now > self.told.watched_to { vec![span("htlcs"), span("peers")] } else { Vec::new() };
        let lasting = self.peers.iter().zip(&self.told.connected).filter_map(|(peer, since)| {
            since.filter(|from| *from <= self.now).map(|from| PeerSession { peer: peer.key.clone(), from, to: None })
        });
        let mut sessions = std::mem::take(&mut self.told.sessions);
        sessions.extend(lasting);
        self.told.watched_to = self.now;
        WatchedEvents { failures: std::mem::take(&mut self.told.failures), sessions, coverage }
    }

    /// All of it, as a report is made from.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            schema: SCHEMA,
            taken_at: self.now,
            node: self.node_view(),
            public: self.public_view(),
            gaps: Vec::new(),
            sources: vec![self.seen()],
            host: None,
        }
    }

    /// What a public source would say of the chain.
    pub(super) fn public_view(&self) -> PublicView {
        let value = chain::fees(self.seed, self.now);
        let chain_fees = Some(Fact { value, source: "simulated".to_owned(), as_of: self.now });
        PublicView { chain_fees, ..PublicView::default() }
    }

    pub(super) fn seen(&self) -> SourceSeen {
        SourceSeen {
            name: "simulated".to_owned(),
            address: format!("seed {}", self.seed),
            status: SourceStatus::Ok,
            as_of: Some(self.now),
            latency_ms: Some(0),
            version: None,
            detail: Some("a made-up node: no money, no network".to_owned()),
            health: SourceHealth::default(),
        }
    }

    pub(super) fn node_view(&self) -> NodeView {
        let channels: Vec<Channel> = self.usable_channels().filter_map(|c| self.shown(c)).collect();
        let opening = self.channels.iter().filter(|c| c.usable_from > self.now);
        let pending_open_local = opening.map(|c| c.local).sum();
        NodeView {
            info: self.info(),
            channel_balance: Some(ChannelBalance {
                local: self.usable_channels().map(|c| c.local).sum(),
                remote: self.usable_channels().map(|c| c.remote).sum(),
                unsettled_local: Msat::ZERO,
                unsettled_remote: Msat::ZERO,
                pending_open_local,
            }),
            channels: Some(channels),
            pending: Some(self.pending()),
            closed: Some(self.closed.clone()),
            wallet: Some(Wallet {
                confirmed: self.wallet,
                unconfirmed: Sat::ZERO,
                locked: Sat::ZERO,
                anchor_reserve: self.anchor_reserve(),
            }),
            utxos: Some(self.coins()),
            peers: Some(self.connected()),
            fees: Some(self.fee_report()),
            policies: Some(self.usable_channels().map(|c| self.policies(c)).collect()),
            sweeps: Some(self.sweeps.clone()),
            network: Some(self.network()),
            market: Some((*self.market).clone()),
            certificate_not_after: None,
            macaroon_expires: None,
            macaroon_can_write: false,
            backup: None,
            towers: None,
            hour_fee: None,
        }
    }

    pub(super) fn info(&self) -> Info {
        Info {
            pubkey: self.own.clone(),
            alias: self.alias.clone(),
            network: Network::Simnet,
            version: "simulated".to_owned(),
            block_height: chain::height(self.now),
            best_header_at: Some(self.now),
            synced_to_chain: true,
            synced_to_graph: true,
            peers: u32::try_from(self.connected().len()).unwrap_or(u32::MAX),
        }
    }

    fn usable_channels(&self) -> impl Iterator<Item = &Live> {
        self.channels.iter().filter(|c| c.usable_from <= self.now)
    }

    fn shown(&self, channel: &Live) -> Option<Channel> {
        let peer = self.peers.get(channel.peer)?;
        let lived = self.now.since(channel.opened_at.max(self.birth)) / 1_000;
        let reserve = channel.reserve().floor_sat();
        Some(Channel {
            point: channel.point.clone(),
            scid: channel.scid,
            other_scids: Vec::new(),
            peer: peer.key.clone(),
            peer_alias: (!peer.alias.is_empty()).then(|| peer.alias.clone()),
            capacity: channel.capacity,
            local: channel.local.floor_sat(),
            remote: channel.remote.floor_sat(),
            unsettled: Sat::ZERO,
            commit_fee: Sat::ZERO,
            opened_by_us: channel.opened_by_us,
            active: self.is_there(channel.peer),
            private: channel.private,
            anchors: true,
            local_reserve: reserve,
            remote_reserve: reserve,
            total_sent: channel.sent.floor_sat(),
            total_received: channel.received.floor_sat(),
            updates: channel.updates,
            lifetime_s: lived,
            uptime_s: lived,
            htlcs: Vec::new(),
            status_flags: "ChanStatusDefault".to_owned(),
        })
    }

    fn pending(&self) -> Pending {
        let opening = self.channels.iter().filter(|c| c.usable_from > self.now);
        Pending {
            limbo: self.closing.iter().map(|c| c.limbo).sum(),
            opening: opening.filter_map(|c| self.pending_channel(c)).collect(),
            waiting_close: Vec::new(),
            force_closing: self
                .closing
                .iter()
                .filter_map(|closing| {
                    let channel = self.pending_channel(&closing.channel)?;
                    Some(ForceClosing {
                        channel: PendingChannel {
                            limbo: closing.limbo,
                            closing_txid: Some(closing.txid.clone()),
                            ..channel
                        },
                        maturity_height: Some(closing.maturity),
                        blocks_til_maturity: Some(i64::from(closing.maturity) - i64::from(chain::height(self.now))),
                        recovered: Sat::ZERO,
                        pending_htlcs: 0,
                    })
                })
                .collect(),
        }
    }

    fn pending_channel(&self, channel: &Live) -> Option<PendingChannel> {
        Some(PendingChannel {
            point: channel.point.clone(),
            peer: self.peers.get(channel.peer)?.key.clone(),
            capacity: channel.capacity,
            local: channel.local.floor_sat(),
            remote: channel.remote.floor_sat(),
            opened_by_us: Some(channel.opened_by_us),
            limbo: Sat::ZERO,
            closing_txid: None,
            commitments: None,
        })
    }

    fn coins(&self) -> Vec<Utxo> {
        let outpoint = format!("{}:0", hex::encode(Dice::of(self.seed, "coin", &[name(self.wallet.get())]).bytes()));
        let coin = Utxo { outpoint, amount: self.wallet, confirmations: 900 };
        if self.wallet > Sat::ZERO { vec![coin] } else { Vec::new() }
    }

    /// Peers that have a channel and are there.
    fn connected(&self) -> Vec<Peer> {
        let has_channel = |place: usize| self.channels.iter().any(|c| c.peer == place);
        let there = |place: &usize| has_channel(*place) && self.is_there(*place);
        let shown = |place: usize| {
            let peer = self.peers.get(place)?;
            Some(Peer {
                pubkey: peer.key.clone(),
                address: format!("peer{place}.invalid:9735"),
                inbound: place.is_multiple_of(3),
                ping_us: 20_000 + 7_000 * (whole(place) % 20),
                flaps: if peer.flaky { 9 } else { 1 },
                last_flap_at: None,
            })
        };
        (0..self.peers.len()).filter(there).filter_map(shown).collect()
    }

    fn fee_report(&self) -> FeeReport {
        let sum = |days: i64| {
            let from = self.now.plus(-days * DAY_MS).nanos();
            self.earned.iter().filter(|(at, _)| *at >= from).map(|(_, fee)| *fee).sum::<Msat>().floor_sat()
        };
        let fee = |c: &Live| ChannelFee {
            point: c.point.clone(),
            base: c.base,
            rate: c.rate,
            inbound_base: Msat::ZERO,
            inbound_rate: Ppm(0),
        };
        FeeReport { channels: self.usable_channels().map(fee).collect(), day: sum(1), week: sum(7), month: sum(30) }
    }

    fn policies(&self, channel: &Live) -> ChannelPolicies {
        let there = self.is_there(channel.peer);
        let policy = |base: Msat, rate: Ppm, disabled: bool, updated_at: UnixMs| Policy {
            base,
            rate,
            inbound_base: Msat::ZERO,
            inbound_rate: Ppm(0),
            time_lock_delta: 80,
            min_htlc: Msat::new(1000),
            max_htlc: channel.capacity.msat().scale(99, 100),
            disabled,
            updated_at,
        };
        // Nodes announce each of their channels again within some days, whether or not anything changed.
        let announced = self.now.plus(-(whole(channel.peer) % 7) * 20 * HOUR_MS).max(channel.opened_at);
        ChannelPolicies {
            point: channel.point.clone(),
            ours: Some(policy(channel.base, channel.rate, !there, channel.fee_set_at)),
            theirs: Some(policy(Msat::new(1000), channel.theirs, false, announced)),
        }
    }

    fn network(&self) -> NetworkSize {
        NetworkSize {
            nodes: self.market.nodes,
            channels: self.market.channels,
            capacity: self.market.capacity,
            zombies: 0,
            median_channel: Sat::new(self.world.graph.median_capacity),
        }
    }
}
