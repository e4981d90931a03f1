//! Answers for sharing: every key, name, address, transaction, hash, label and short id is replaced, the same one by the
//! same stand-in throughout, and fields that daznode does not read are left out. Amounts, times and heights stay, so who
//! knows the public chain and graph can still find a public node by them.

use std::collections::HashMap;

use prost::{DecodeError, Message};
use tonic_lnd::lnrpc::{self, pending_channels_response as pending};
use tonic_lnd::{verrpc, walletrpc};

use crate::sources::answers::{self, Method};
use crate::sources::reader::{KEYSEND_RECORD, towers};

/// Remembers what stands for what.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    keys: HashMap<String, usize>,
    txids: HashMap<String, usize>,
    hashes: HashMap<String, usize>,
    scids: HashMap<u64, u64>,
    labels: HashMap<String, usize>,
}

/// The number of a thing: as it came, from 1.
fn number(known: &mut HashMap<String, usize>, text: &str) -> usize {
    let next = known.len() + 1;
    *known.entry(text.to_owned()).or_insert(next)
}

impl Redactor {
    /// The stand-in of a node's alias.
    pub(super) fn alias_of(&mut self, pubkey: &str) -> String {
        format!("node {}", number(&mut self.keys, pubkey))
    }

    fn key(&mut self, pubkey: &str) -> String {
        if pubkey.is_empty() { String::new() } else { format!("02{:064x}", number(&mut self.keys, pubkey)) }
    }

    /// Of the alias in an answer, which may be missing.
    fn alias(&mut self, alias: &str, pubkey: &str) -> String {
        if alias.is_empty() { String::new() } else { self.alias_of(pubkey) }
    }

    fn txid(&mut self, txid: &str) -> String {
        if txid.is_empty() { String::new() } else { format!("{:064x}", number(&mut self.txids, txid)) }
    }

    fn point(&mut self, point: &str) -> String {
        match point.split_once(':') {
            Some((txid, index)) if index.len() < 11 => format!("{}:{index}", self.txid(txid)),
            _ => self.txid(point),
        }
    }

    fn hash(&mut self, hash: &str) -> String {
        if hash.is_empty() { String::new() } else { format!("aa{:062x}", number(&mut self.hashes, hash)) }
    }

    fn hash_bytes(&mut self, hash: &[u8]) -> Vec<u8> {
        hex::decode(self.hash(&hex::encode(hash))).unwrap_or_default()
    }

    fn scid(&mut self, scid: u64) -> u64 {
        if scid == 0 {
            return 0;
        }
        let next = u64::try_from(self.scids.len()).unwrap_or(u64::MAX).saturating_add(1);
        *self.scids.entry(scid).or_insert(next << 40 | 1 << 16)
    }

    /// LND's own labels keep their kind, an operator's are replaced.
    fn label(&mut self, label: &str) -> String {
        const KINDS: [&str; 4] = ["0:openchannel", "0:closechannel", "0:justicetx", "0:sweep"];
        if label.is_empty() || label == "external" {
            return label.to_owned();
        }
        let (head, scid) = label.split_once(":shortchanid-").unwrap_or((label, ""));
        match (KINDS.contains(&head), scid.parse()) {
            (true, Ok(scid)) => format!("{head}:shortchanid-{}", self.scid(scid)),
            (true, Err(_)) => head.to_owned(),
            (false, _) => format!("label {}", number(&mut self.labels, label)),
        }
    }

    fn outpoint(&mut self, point: &lnrpc::OutPoint) -> lnrpc::OutPoint {
        lnrpc::OutPoint {
            txid_bytes: Vec::new(),
            txid_str: self.txid(&point.txid_str),
            output_index: point.output_index,
        }
    }

    /// The answer with stand-ins. An answer that daznode reads no names of is passed on without what it does not know.
    pub(super) fn answer(&mut self, method: &'static Method, answer: &[u8]) -> Result<Vec<u8>, DecodeError> {
        Ok(if *method == answers::GET_INFO {
            self.info(lnrpc::GetInfoResponse::decode(answer)?).encode_to_vec()
        } else if *method == answers::GET_VERSION {
            let version = verrpc::Version::decode(answer)?.version;
            verrpc::Version { version, ..Default::default() }.encode_to_vec()
        } else if *method == answers::GET_STATE {
            lnrpc::GetStateResponse::decode(answer)?.encode_to_vec()
        } else if *method == answers::GET_NETWORK_INFO {
            lnrpc::NetworkInfo::decode(answer)?.encode_to_vec()
        } else if *method == answers::WALLET_BALANCE {
            let mut balance = lnrpc::WalletBalanceResponse::decode(answer)?;
            balance.account_balance.clear();
            balance.encode_to_vec()
        } else if *method == answers::CHANNEL_BALANCE {
            let mut balance = lnrpc::ChannelBalanceResponse::decode(answer)?;
            balance.custom_channel_data.clear();
            balance.encode_to_vec()
        } else if *method == answers::LIST_CHANNELS {
            let rows = lnrpc::ListChannelsResponse::decode(answer)?.channels;
            lnrpc::ListChannelsResponse { channels: rows.into_iter().map(|row| self.channel(row)).collect() }
                .encode_to_vec()
        } else if *method == answers::CLOSED_CHANNELS {
            let rows = lnrpc::ClosedChannelsResponse::decode(answer)?.channels;
            lnrpc::ClosedChannelsResponse { channels: rows.into_iter().map(|row| self.closed(row)).collect() }
                .encode_to_vec()
        } else if *method == answers::PENDING_CHANNELS {
            self.pending(lnrpc::PendingChannelsResponse::decode(answer)?).encode_to_vec()
        } else if *method == answers::LIST_PEERS {
            let rows = lnrpc::ListPeersResponse::decode(answer)?.peers;
            lnrpc::ListPeersResponse { peers: rows.into_iter().map(|row| self.peer(&row)).collect() }.encode_to_vec()
        } else {
            return self.further(method, answer);
        })
    }

    fn further(&mut self, method: &'static Method, answer: &[u8]) -> Result<Vec<u8>, DecodeError> {
        Ok(if *method == answers::FEE_REPORT {
            let mut report = lnrpc::FeeReportResponse::decode(answer)?;
            for row in &mut report.channel_fees {
                row.channel_point = self.point(&row.channel_point);
                row.chan_id = self.scid(row.chan_id);
            }
            report.encode_to_vec()
        } else if *method == answers::FORWARDING_HISTORY {
            let mut history = lnrpc::ForwardingHistoryResponse::decode(answer)?;
            for row in &mut history.forwarding_events {
                row.chan_id_in = self.scid(row.chan_id_in);
                row.chan_id_out = self.scid(row.chan_id_out);
                row.peer_alias_in.clear();
                row.peer_alias_out.clear();
            }
            history.encode_to_vec()
        } else if *method == answers::LIST_PAYMENTS {
            let rows = lnrpc::ListPaymentsResponse::decode(answer)?.payments;
            let payments = rows.into_iter().map(|row| self.payment(row)).collect();
            lnrpc::ListPaymentsResponse { payments, ..Default::default() }.encode_to_vec()
        } else if *method == answers::LIST_INVOICES {
            let rows = lnrpc::ListInvoiceResponse::decode(answer)?.invoices;
            let invoices = rows.iter().map(|row| self.invoice(row)).collect();
            lnrpc::ListInvoiceResponse { invoices, ..Default::default() }.encode_to_vec()
        } else if *method == answers::GET_TRANSACTIONS {
            let rows = lnrpc::TransactionDetails::decode(answer)?.transactions;
            let transactions = rows.into_iter().map(|row| self.transaction(row)).collect();
            lnrpc::TransactionDetails { transactions, ..Default::default() }.encode_to_vec()
        } else if *method == answers::LIST_UNSPENT {
            let rows = lnrpc::ListUnspentResponse::decode(answer)?.utxos;
            lnrpc::ListUnspentResponse { utxos: rows.into_iter().map(|row| self.utxo(row)).collect() }.encode_to_vec()
        } else if *method == answers::LIST_SWEEPS {
            self.sweeps(walletrpc::ListSweepsResponse::decode(answer)?).encode_to_vec()
        } else if *method == answers::GET_NODE_INFO {
            self.node_info(lnrpc::NodeInfo::decode(answer)?).encode_to_vec()
        } else if *method == answers::DESCRIBE_GRAPH {
            let graph = lnrpc::ChannelGraph::decode(answer)?;
            let nodes = graph.nodes.iter().map(|node| self.node(node)).collect();
            let edges = graph.edges.into_iter().map(|edge| self.edge(edge)).collect();
            lnrpc::ChannelGraph { nodes, edges }.encode_to_vec()
        } else if *method == answers::VERIFY_CHAN_BACKUP {
            let points = lnrpc::VerifyChanBackupResponse::decode(answer)?.chan_points;
            let chan_points = points.iter().map(|point| self.point(point)).collect();
            lnrpc::VerifyChanBackupResponse { chan_points }.encode_to_vec()
        } else if *method == answers::ESTIMATE_FEE {
            walletrpc::EstimateFeeResponse::decode(answer)?.encode_to_vec()
        } else if *method == answers::TOWER_STATS {
            towers::Stats::decode(answer)?.encode_to_vec()
        } else if *method == answers::LIST_TOWERS {
            let rows = towers::List::decode(answer)?.towers;
            towers::List { towers: rows.into_iter().map(|row| self.tower(row)).collect() }.encode_to_vec()
        } else {
            // A method that nobody has taught this: better nothing than a name.
            Vec::new()
        })
    }

    fn info(&mut self, info: lnrpc::GetInfoResponse) -> lnrpc::GetInfoResponse {
        lnrpc::GetInfoResponse {
            identity_pubkey: self.key(&info.identity_pubkey),
            alias: self.alias(&info.alias, &info.identity_pubkey),
            version: info.version,
            num_pending_channels: info.num_pending_channels,
            num_active_channels: info.num_active_channels,
            num_inactive_channels: info.num_inactive_channels,
            num_peers: info.num_peers,
            block_height: info.block_height,
            best_header_timestamp: info.best_header_timestamp,
            synced_to_chain: info.synced_to_chain,
            synced_to_graph: info.synced_to_graph,
            chains: info.chains,
            ..Default::default()
        }
    }

    fn channel(&mut self, row: lnrpc::Channel) -> lnrpc::Channel {
        let held = row.pending_htlcs.into_iter().map(|htlc| lnrpc::Htlc {
            hash_lock: self.hash_bytes(&htlc.hash_lock),
            forwarding_channel: self.scid(htlc.forwarding_channel),
            ..htlc
        });
        lnrpc::Channel {
            pending_htlcs: held.collect(),
            remote_pubkey: self.key(&row.remote_pubkey),
            peer_alias: self.alias(&row.peer_alias, &row.remote_pubkey),
            channel_point: self.point(&row.channel_point),
            chan_id: self.scid(row.chan_id),
            alias_scids: row.alias_scids.iter().map(|&scid| self.scid(scid)).collect(),
            zero_conf_confirmed_scid: self.scid(row.zero_conf_confirmed_scid),
            peer_scid_alias: 0,
            close_address: String::new(),
            memo: String::new(),
            custom_channel_data: Vec::new(),
            ..row
        }
    }

    fn closed(&mut self, row: lnrpc::ChannelCloseSummary) -> lnrpc::ChannelCloseSummary {
        let resolutions = row.resolutions.into_iter().map(|resolution| lnrpc::Resolution {
            outpoint: resolution.outpoint.map(|point| self.outpoint(&point)),
            sweep_txid: self.txid(&resolution.sweep_txid),
            ..resolution
        });
        lnrpc::ChannelCloseSummary {
            resolutions: resolutions.collect(),
            channel_point: self.point(&row.channel_point),
            chan_id: self.scid(row.chan_id),
            closing_tx_hash: self.txid(&row.closing_tx_hash),
            remote_pubkey: self.key(&row.remote_pubkey),
            alias_scids: row.alias_scids.iter().map(|&scid| self.scid(scid)).collect(),
            zero_conf_confirmed_scid: self.scid(row.zero_conf_confirmed_scid),
            chain_hash: String::new(),
            custom_channel_data: Vec::new(),
            ..row
        }
    }

    fn pending(&mut self, answer: lnrpc::PendingChannelsResponse) -> lnrpc::PendingChannelsResponse {
        let opening = answer.pending_open_channels.into_iter().map(|row| pending::PendingOpenChannel {
            channel: row.channel.map(|channel| self.pending_channel(channel)),
            ..row
        });
        let opening = opening.collect();
        let waiting = answer.waiting_close_channels.into_iter().map(|row| pending::WaitingCloseChannel {
            channel: row.channel.map(|channel| self.pending_channel(channel)),
            closing_txid: self.txid(&row.closing_txid),
            closing_tx_hex: String::new(),
            commitments: row.commitments.map(|both| pending::Commitments {
                local_txid: self.txid(&both.local_txid),
                remote_txid: self.txid(&both.remote_txid),
                remote_pending_txid: self.txid(&both.remote_pending_txid),
                ..both
            }),
            ..row
        });
        let waiting = waiting.collect();
        let forced = answer.pending_force_closing_channels.into_iter().map(|row| pending::ForceClosedChannel {
            channel: row.channel.map(|channel| self.pending_channel(channel)),
            closing_txid: self.txid(&row.closing_txid),
            pending_htlcs: row
                .pending_htlcs
                .into_iter()
                .map(|htlc| lnrpc::PendingHtlc { outpoint: self.point(&htlc.outpoint), ..htlc })
                .collect(),
            ..row
        });
        lnrpc::PendingChannelsResponse {
            total_limbo_balance: answer.total_limbo_balance,
            pending_force_closing_channels: forced.collect(),
            pending_open_channels: opening,
            waiting_close_channels: waiting,
            ..Default::default()
        }
    }

    fn pending_channel(&mut self, row: pending::PendingChannel) -> pending::PendingChannel {
        pending::PendingChannel {
            remote_node_pub: self.key(&row.remote_node_pub),
            channel_point: self.point(&row.channel_point),
            memo: String::new(),
            custom_channel_data: Vec::new(),
            ..row
        }
    }

    fn peer(&mut self, row: &lnrpc::Peer) -> lnrpc::Peer {
        lnrpc::Peer {
            pub_key: self.key(&row.pub_key),
            // An address for documentation: nobody lives there.
            address: "192.0.2.1:9735".to_owned(),
            inbound: row.inbound,
            ping_time: row.ping_time,
            flap_count: row.flap_count,
            last_flap_ns: row.last_flap_ns,
            bytes_sent: row.bytes_sent,
            bytes_recv: row.bytes_recv,
            sat_sent: row.sat_sent,
            sat_recv: row.sat_recv,
            ..Default::default()
        }
    }

    fn payment(&mut self, row: lnrpc::Payment) -> lnrpc::Payment {
        let htlcs = row.htlcs.into_iter().map(|attempt| lnrpc::HtlcAttempt {
            route: attempt.route.map(|route| lnrpc::Route {
                hops: route.hops.iter().map(|hop| self.hop(hop)).collect(),
                custom_channel_data: Vec::new(),
                ..route
            }),
            failure: attempt.failure.map(|failure| lnrpc::Failure {
                code: failure.code,
                failure_source_index: failure.failure_source_index,
                ..Default::default()
            }),
            preimage: Vec::new(),
            ..attempt
        });
        lnrpc::Payment {
            htlcs: htlcs.collect(),
            payment_hash: self.hash(&row.payment_hash),
            payment_preimage: String::new(),
            payment_request: String::new(),
            first_hop_custom_records: HashMap::new(),
            ..row
        }
    }

    fn hop(&mut self, hop: &lnrpc::Hop) -> lnrpc::Hop {
        let keysend = hop.custom_records.contains_key(&KEYSEND_RECORD).then(|| (KEYSEND_RECORD, Vec::new()));
        lnrpc::Hop {
            chan_id: self.scid(hop.chan_id),
            pub_key: self.key(&hop.pub_key),
            expiry: hop.expiry,
            amt_to_forward_msat: hop.amt_to_forward_msat,
            fee_msat: hop.fee_msat,
            custom_records: keysend.into_iter().collect(),
            amp_record: hop.amp_record.as_ref().map(|_| lnrpc::AmpRecord::default()),
            // Whether the route is blinded, and where it begins to be, without what is in it.
            encrypted_data: vec![0; usize::from(!hop.encrypted_data.is_empty())],
            blinding_point: vec![0; usize::from(!hop.blinding_point.is_empty())],
            ..Default::default()
        }
    }

    fn invoice(&mut self, row: &lnrpc::Invoice) -> lnrpc::Invoice {
        lnrpc::Invoice {
            r_hash: self.hash_bytes(&row.r_hash),
            value: row.value,
            value_msat: row.value_msat,
            creation_date: row.creation_date,
            settle_date: row.settle_date,
            expiry: row.expiry,
            add_index: row.add_index,
            settle_index: row.settle_index,
            amt_paid_sat: row.amt_paid_sat,
            amt_paid_msat: row.amt_paid_msat,
            state: row.state,
            is_keysend: row.is_keysend,
            is_amp: row.is_amp,
            ..Default::default()
        }
    }

    fn transaction(&mut self, row: lnrpc::Transaction) -> lnrpc::Transaction {
        let outputs = row.output_details.into_iter().map(|output| lnrpc::OutputDetail {
            output_type: output.output_type,
            output_index: output.output_index,
            amount: output.amount,
            is_our_address: output.is_our_address,
            ..Default::default()
        });
        let spent = row.previous_outpoints.into_iter().map(|spent| lnrpc::PreviousOutPoint {
            outpoint: self.point(&spent.outpoint),
            is_our_output: spent.is_our_output,
        });
        lnrpc::Transaction {
            previous_outpoints: spent.collect(),
            output_details: outputs.collect(),
            tx_hash: self.txid(&row.tx_hash),
            amount: row.amount,
            num_confirmations: row.num_confirmations,
            block_height: row.block_height,
            time_stamp: row.time_stamp,
            total_fees: row.total_fees,
            label: self.label(&row.label),
            ..Default::default()
        }
    }

    fn utxo(&mut self, row: lnrpc::Utxo) -> lnrpc::Utxo {
        lnrpc::Utxo {
            outpoint: row.outpoint.map(|point| self.outpoint(&point)),
            amount_sat: row.amount_sat,
            confirmations: row.confirmations,
            address_type: row.address_type,
            ..Default::default()
        }
    }

    fn sweeps(&mut self, answer: walletrpc::ListSweepsResponse) -> walletrpc::ListSweepsResponse {
        use walletrpc::list_sweeps_response::{Sweeps, TransactionIDs};
        let ids = match answer.sweeps {
            Some(Sweeps::TransactionIds(ids)) => ids.transaction_ids,
            Some(Sweeps::TransactionDetails(all)) => all.transactions.into_iter().map(|tx| tx.tx_hash).collect(),
            None => Vec::new(),
        };
        let transaction_ids = ids.iter().map(|id| self.txid(id)).collect();
        walletrpc::ListSweepsResponse { sweeps: Some(Sweeps::TransactionIds(TransactionIDs { transaction_ids })) }
    }

    fn tower(&mut self, row: towers::Row) -> towers::Row {
        let pubkey = hex::decode(self.key(&hex::encode(&row.pubkey))).unwrap_or_default();
        towers::Row { pubkey, ..row }
    }

    fn node_info(&mut self, answer: lnrpc::NodeInfo) -> lnrpc::NodeInfo {
        lnrpc::NodeInfo {
            node: answer.node.map(|node| self.node(&node)),
            num_channels: answer.num_channels,
            total_capacity: answer.total_capacity,
            channels: answer.channels.into_iter().map(|edge| self.edge(edge)).collect(),
        }
    }

    fn node(&mut self, node: &lnrpc::LightningNode) -> lnrpc::LightningNode {
        lnrpc::LightningNode {
            pub_key: self.key(&node.pub_key),
            alias: self.alias(&node.alias, &node.pub_key),
            last_update: node.last_update,
            ..Default::default()
        }
    }

    fn edge(&mut self, edge: lnrpc::ChannelEdge) -> lnrpc::ChannelEdge {
        let policy = |policy: lnrpc::RoutingPolicy| lnrpc::RoutingPolicy { custom_records: HashMap::new(), ..policy };
        lnrpc::ChannelEdge {
            channel_id: self.scid(edge.channel_id),
            chan_point: self.point(&edge.chan_point),
            node1_pub: self.key(&edge.node1_pub),
            node2_pub: self.key(&edge.node2_pub),
            capacity: edge.capacity,
            node1_policy: edge.node1_policy.map(policy),
            node2_policy: edge.node2_policy.map(policy),
            ..Default::default()
        }
    }
}
