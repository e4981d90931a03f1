//! Turns LND's answers into a [`NodeView`] and pages of events, whoever gives them: LND itself or a recording.
//!
//! Everything is asked at once. Only one answer decides over all: who the node is. Until that is known no event leaves,
//! so that one node's payments can't end up with another's.

mod backup;
mod channels;
pub(super) mod check;
mod closed;
mod events;
mod extras;
mod graph;
mod node;
mod payments;
mod peers;
pub(super) mod policies;
mod sample;
pub(super) mod towers;
mod wallet;
pub(super) mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use prost::Message;
use tokio::sync::OnceCell;
use tonic_lnd::{lnrpc, verrpc, walletrpc};

pub use self::extras::Extras;
pub use self::graph::{Graph, GraphCache, GraphError, Kept, PackError, Question, Shelf, Stamp, Unused, Used};
pub(super) use self::payments::KEYSEND_RECORD;

use self::check::Check;
use self::events::{Forwards, Invoices, Paged, Payments, Transactions};
use super::answers::{self, Answers, Method};
use super::backup::BackupFile;
use super::{Error, EventSender, Identity, Observation, Resume};
use crate::snapshot::{
    Channel, ChannelPolicies, Gap, Info, Market, NodeView, Pending, SourceHealth, SourceSeen, SourceStatus,
};
use crate::units::{Network, Pubkey, UnixMs};

/// How many fields there are in bytes that are given as a message, those of messages within them included: for tests, which
/// give it bytes that are none.
#[doc(hidden)]
pub fn count_fields(message: &[u8]) -> usize {
    let inner = |field: Result<wire::Field<'_>, _>| field.map_or(0, |field| 1 + count_fields(field.bytes()));
    wire::fields(message).map(inner).sum()
}

/// Reads a node through its answers.
#[derive(Debug)]
pub struct Reader<'a, A> {
    answers: &'a A,
    source: &'static str,
    now: UnixMs,
    graph: &'a GraphCache,
    expected: Option<(Pubkey, Network)>,
    extras: Extras,
}

/// What one collection has learnt on the side.
#[derive(Debug, Default)]
struct Notes {
    /// Who answers; asked for once, waited for by many.
    who: OnceCell<Result<Info, Error>>,
    gaps: Mutex<Vec<Gap>>,
    not_measured: Mutex<Vec<(String, String)>>,
    first_error: Mutex<Option<Error>>,
    answered: AtomicBool,
}

impl Notes {
    fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    fn gap(&self, gap: Gap) {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner).push(gap);
    }

    /// Once, also where two questions come to it.
    fn not_measured(&self, part: &str, reason: String) {
        let row = (part.to_owned(), reason);
        let mut rows = self.not_measured.lock().unwrap_or_else(PoisonError::into_inner);
        if !rows.contains(&row) {
            rows.push(row);
        }
    }

    fn failed(&self, part: &str, source: &str, error: &Error) {
        self.failed_but(part, source, error, "");
    }

    /// The same, where something else is at hand.
    fn failed_but(&self, part: &str, source: &str, error: &Error, instead: &str) {
        let reason = match error {
            // The gap has its source beside it.
            Error::Refused { call, reason, .. } | Error::NotOffered { call, reason, .. } => format!("{call}: {reason}"),
            error => error.to_string(),
        };
        let reason = reason + instead;
        self.gap(Gap { part: part.to_owned(), source: source.to_owned(), reason });
        self.first_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
    }
}

impl<'a, A: Answers> Reader<'a, A> {
    /// A reader of what `answers` says, known in gaps and reports as `source`.
    pub const fn new(answers: &'a A, source: &'static str, now: UnixMs, graph: &'a GraphCache) -> Self {
        let extras = Extras { backup: BackupFile::NotNamed, not_permitted: Vec::new() };
        Self { answers, source, now, graph, expected: None, extras }
    }

    /// Refuses any other node, and has no need to wait for `GetInfo` before it asks what depends on the key.
    #[must_use]
    pub fn expecting(mut self, pubkey: Pubkey, network: Network) -> Self {
        self.expected = Some((pubkey, network));
        self
    }

    /// Reads with what the operator gives besides the connection.
    #[must_use]
    pub fn with(mut self, extras: Extras) -> Self {
        self.extras = extras;
        self
    }

    /// Who answers.
    pub async fn identify(&self) -> Result<Identity, Error> {
        let Info { pubkey, alias, network, version, .. } = self.info().await?;
        Ok(Identity { pubkey, alias, network, version })
    }

    /// Reads everything once; see [`super::NodeSource::observe`].
    pub async fn observe(&self, resume: &Resume, events: EventSender) -> Result<Observation, Error> {
        let started = Instant::now();
        let notes = Notes::default();
        // Where it is not known who answers, the rest is not waited for.
        let (info, node) = tokio::try_join!(self.who(&notes), Box::pin(self.parts(resume, &notes, &events)))?;
        drop(events);
        let mut gaps = notes.gaps.into_inner().unwrap_or_else(PoisonError::into_inner);
        gaps.sort_by(|a, b| a.part.cmp(&b.part));
        let mut not_measured = notes.not_measured.into_inner().unwrap_or_else(PoisonError::into_inner);
        not_measured.sort_unstable();
        if !notes.answered.into_inner()
            && let Some(error) = notes.first_error.into_inner().unwrap_or_else(PoisonError::into_inner)
        {
            return Err(error);
        }
        let latency = i64::try_from(started.elapsed().as_millis()).ok();
        let seen = self.seen(&info, &gaps, latency);
        Ok(Observation { taken_at: self.now, node, gaps, not_measured, seen })
    }

    fn seen(&self, info: &Info, gaps: &[Gap], latency_ms: Option<i64>) -> SourceSeen {
        let (status, detail) = if !info.synced_to_chain {
            let detail = format!("not synced to the chain at height {}: its balances are old", info.block_height);
            (SourceStatus::Stale, Some(detail))
        } else if gaps.is_empty() {
            (SourceStatus::Ok, None)
        } else {
            let parts: Vec<_> = gaps.iter().map(|gap| gap.part.as_str()).collect();
            (SourceStatus::Partial, Some(format!("without {}", parts.join(", "))))
        };
        SourceSeen {
            name: self.source.to_owned(),
            address: self.answers.address().to_owned(),
            status,
            as_of: Some(self.now),
            latency_ms,
            version: Some(info.version.clone()),
            detail,
            health: SourceHealth::default(),
        }
    }

    /// Every part at the same time.
    async fn parts(&self, resume: &Resume, notes: &Notes, events: &EventSender) -> Result<NodeView, Error> {
        let (
            channels,
            pending,
            closed,
            wallet,
            channel_balance,
            utxos,
            peers,
            fees,
            sweeps,
            network,
            policies,
            graph,
            backup,
            towers,
            hour_fee,
            ..,
        ) = tokio::join!(
            self.part(notes, "channels", &answers::LIST_CHANNELS, list_channels(), |said, check| Some(channels::open(
                said, check
            ))),
            self.part(notes, "pending", &answers::PENDING_CHANNELS, pending_channels(), channels::pending),
            self.part(
                notes,
                "closed",
                &answers::CLOSED_CHANNELS,
                lnrpc::ClosedChannelsRequest::default(),
                |said, check| Some(closed::closed(said, check))
            ),
            self.part(
                notes,
                "wallet",
                &answers::WALLET_BALANCE,
                lnrpc::WalletBalanceRequest::default(),
                wallet::wallet
            ),
            self.part(
                notes,
                "channel_balance",
                &answers::CHANNEL_BALANCE,
                lnrpc::ChannelBalanceRequest {},
                wallet::channel_balance
            ),
            self.part(notes, "utxos", &answers::LIST_UNSPENT, list_unspent(), |said, check| Some(wallet::utxos(
                said, check
            ))),
            self.part(notes, "peers", &answers::LIST_PEERS, lnrpc::ListPeersRequest::default(), |said, check| Some(
                peers::peers(said, check)
            )),
            self.part(notes, "fees", &answers::FEE_REPORT, lnrpc::FeeReportRequest {}, policies::fees),
            self.part(
                notes,
                "sweeps",
                &answers::LIST_SWEEPS,
                walletrpc::ListSweepsRequest::default(),
                |said, check| Some(closed::sweeps(said, check))
            ),
            self.part(notes, "network", &answers::GET_NETWORK_INFO, lnrpc::NetworkInfoRequest {}, node::network),
            self.policies(notes),
            self.graph(notes),
            self.backup(notes),
            self.towers(notes),
            self.hour_fee(notes),
            self.stream(notes, events, Forwards::new(resume)),
            self.stream(notes, events, Payments::new(resume)),
            self.stream(notes, events, Invoices::new(resume)),
            self.stream(notes, events, Transactions::new(resume)),
        );
        let info = self.who(notes).await?;
        let market = graph.map(|used| {
            let channels = channels.as_deref().unwrap_or_default();
            let market = market(&used.graph, &info, channels, pending.as_ref(), self.now);
            Market { graph: Some(used.seen), ..market }
        });
        Ok(NodeView {
            info,
            channels,
            pending,
            closed,
            wallet,
            channel_balance,
            utxos,
            peers,
            fees,
            policies,
            sweeps,
            network,
            market,
            certificate_not_after: None,
            macaroon_expires: None,
            macaroon_can_write: false,
            backup,
            towers,
            hour_fee,
        })
    }

    /// Asks one thing and decodes the answer.
    async fn ask<T: Message + Default>(&self, method: &'static Method, request: impl Message) -> Result<T, Error> {
        let answer = self.answers.ask(method, Bytes::from(request.encode_to_vec())).await?;
        T::decode(answer).map_err(|error| self.unreadable(method, &error))
    }

    fn unreadable(&self, method: &Method, reason: &impl ToString) -> Error {
        let (address, call) = (self.answers.address().to_owned(), method.name().to_owned());
        Error::Answer { address, call, reason: reason.to_string() }
    }

    /// One part of the node: what fails or can't be believed is a gap.
    async fn part<T: Message + Default, U>(
        &self,
        notes: &Notes,
        part: &'static str,
        method: &'static Method,
        request: impl Message,
        convert: fn(&T, &mut Check) -> Option<U>,
    ) -> Option<U> {
        match self.ask(method, request).await {
            Ok(answer) => {
                notes.answered();
                let mut check = Check::new(part);
                let converted = convert(&answer, &mut check);
                self.flag(notes, check);
                converted
            }
            Err(error) => {
                notes.failed(part, self.source, &error);
                None
            }
        }
    }

    fn flag(&self, notes: &Notes, check: Check) {
        if let Some(gap) = check.gap(self.source) {
            notes.gap(gap);
        }
    }

    /// Who answers, asked once in a collection.
    async fn who(&self, notes: &Notes) -> Result<Info, Error> {
        notes.who.get_or_init(|| self.info()).await.clone()
    }

    /// Who it is and how far it has got.
    pub async fn info(&self) -> Result<Info, Error> {
        let (info, state, version) = tokio::join!(
            self.ask::<lnrpc::GetInfoResponse>(&answers::GET_INFO, lnrpc::GetInfoRequest {}),
            self.ask::<lnrpc::GetStateResponse>(&answers::GET_STATE, lnrpc::GetStateRequest {}),
            self.ask::<verrpc::Version>(&answers::GET_VERSION, verrpc::VersionRequest {}),
        );
        let answer = info.map_err(|error| self.why_not(error, state.ok()))?;
        let version = version.ok().map(|version| version.version).filter(|version| !version.is_empty());
        let info = node::info(&answer, version).map_err(|bad| self.unreadable(&answers::GET_INFO, &bad))?;
        match &self.expected {
            Some((pubkey, network)) if (pubkey, network) != (&info.pubkey, &info.network) => Err(Error::OtherNode {
                address: self.answers.address().to_owned(),
                found: format!("{} on {}", info.pubkey, info.network),
                expected: format!("{pubkey} on {network}"),
            }),
            _ => Ok(info),
        }
    }

    /// A node that says itself that it is not ready says more than the call that it refused.
    fn why_not(&self, error: Error, state: Option<lnrpc::GetStateResponse>) -> Error {
        let reason = state.and_then(|answer| node::not_ready(answer.state()));
        match reason {
            Some(reason) if !error.is_credentials() => {
                Error::NotReady { address: self.answers.address().to_owned(), reason: reason.to_owned() }
            }
            _ => error,
        }
    }

    /// The key and network: known beforehand, or from `GetInfo`.
    async fn own(&self, notes: &Notes) -> Option<(Pubkey, Network)> {
        match &self.expected {
            Some(own) => Some(own.clone()),
            None => self.who(notes).await.ok().map(|info| (info.pubkey, info.network)),
        }
    }

    async fn policies(&self, notes: &Notes) -> Option<Vec<ChannelPolicies>> {
        let (own, _) = self.own(notes).await?;
        let request = lnrpc::NodeInfoRequest { pub_key: own.to_string(), include_channels: true, ..Default::default() };
        match self.ask::<lnrpc::NodeInfo>(&answers::GET_NODE_INFO, request).await {
            Ok(answer) => {
                notes.answered();
                let mut check = Check::new("policies");
                let policies = policies::policies(&answer, &own, &mut check);
                self.flag(notes, check);
                Some(policies)
            }
            Err(error) => {
                notes.failed("policies", self.source, &error);
                None
            }
        }
    }

    /// Sends one kind of events, page by page. The next page is asked for while the last one is being stored.
    async fn stream<P: Paged>(&self, notes: &Notes, events: &EventSender, mut paged: P) {
        let mut check = Check::new(P::PART);
        let mut size = P::SIZE;
        let mut next = Some(self.page(&paged, &mut size).await);
        while let Some(answer) = next {
            let asked = size;
            let taken = answer.and_then(|page| {
                paged.take(page, asked, &mut check).map_err(|error| self.unreadable(P::METHOD, &error))
            });
            let (page, more) = match taken {
                Ok(taken) => taken,
                Err(error) => {
                    notes.failed(P::PART, self.source, &error);
                    break;
                }
            };
            notes.answered();
            let send = async {
                match page {
                    Some(page) if self.who(notes).await.is_ok() => events.send(page).await.is_ok(),
                    _ => true,
                }
            };
            let ask = async { if more { Some(self.page(&paged, &mut size).await) } else { None } };
            let (stored, answer) = tokio::join!(send, ask);
            // The store is gone, and will say why.
            next = if stored { answer } else { None };
        }
        self.flag(notes, check);
    }

    /// The next page, in ever smaller size where it is too big.
    async fn page<P: Paged>(&self, paged: &P, size: &mut u32) -> Result<Bytes, Error> {
        loop {
            match self.answers.ask(P::METHOD, Bytes::from(paged.request(*size))).await {
                Err(error) if *size > 1 && too_big(&error) => *size = (*size / 2).max(1),
                answer => return answer,
            }
        }
    }
}

/// Whether a smaller page might pass. That an answer is too long to be sent, LND says in words only.
fn too_big(error: &Error) -> bool {
    match error {
        Error::TooLarge { .. } => true,
        Error::Answer { reason, .. } | Error::Refused { reason, .. } => {
            reason.to_ascii_lowercase().contains("larger than max")
        }
        _ => false,
    }
}

/// What the graph says of this node and the peers it has channels with, or soon will have.
fn market(graph: &Graph, info: &Info, channels: &[Channel], pending: Option<&Pending>, now: UnixMs) -> Market {
    let mut peers: Vec<Pubkey> = channels.iter().map(|channel| channel.peer.clone()).collect();
    peers.sort_unstable();
    peers.dedup();
    let opening = pending.map(|pending| pending.opening.as_slice()).unwrap_or_default();
    let soon: Vec<Pubkey> = opening.iter().map(|channel| channel.peer.clone()).collect();
    let mut market = graph.market(&info.pubkey, &peers);
    market.candidates = graph.candidates(&info.pubkey, &peers, &soon, now);
    market
}

fn list_channels() -> lnrpc::ListChannelsRequest {
    lnrpc::ListChannelsRequest { peer_alias_lookup: true, ..Default::default() }
}

fn pending_channels() -> lnrpc::PendingChannelsRequest {
    lnrpc::PendingChannelsRequest::default()
}

fn list_unspent() -> lnrpc::ListUnspentRequest {
    lnrpc::ListUnspentRequest { min_confs: 0, max_confs: i32::MAX, ..Default::default() }
}

#[cfg(test)]
pub(super) mod tests;
