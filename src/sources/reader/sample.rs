//! A short look at a node between two collections: five calls, no events, no graph.

use tonic_lnd::lnrpc;

use super::{Notes, Reader, channels, list_channels, peers, pending_channels, wallet};
use crate::snapshot::{Gap, NodeView, Sample};
use crate::sources::Error;
use crate::sources::answers::{self, Answers};

impl<A: Answers> Reader<'_, A> {
    /// Reads what changes within minutes: channels, pending ones, wallet and peers. What fails is a gap; only where it is
    /// not known who answers, nothing is told.
    pub async fn sample(&self) -> Result<Sample, Error> {
        let notes = Notes::default();
        let (info, channels, pending, wallet, peers) = tokio::join!(
            self.who(&notes),
            self.part(&notes, "channels", &answers::LIST_CHANNELS, list_channels(), |said, check| Some(
                channels::open(said, check)
            )),
            self.part(&notes, "pending", &answers::PENDING_CHANNELS, pending_channels(), channels::pending),
            self.part(
                &notes,
                "wallet",
                &answers::WALLET_BALANCE,
                lnrpc::WalletBalanceRequest::default(),
                wallet::wallet
            ),
            self.part(&notes, "peers", &answers::LIST_PEERS, lnrpc::ListPeersRequest::default(), |said, check| Some(
                peers::peers(said, check)
            )),
        );
        let node = NodeView { channels, pending, wallet, peers, ..NodeView::bare(info?) };
        let mut gaps: Vec<Gap> = notes.gaps.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        gaps.sort_by(|a, b| a.part.cmp(&b.part));
        Ok(Sample { taken_at: self.now, node, gaps })
    }
}
