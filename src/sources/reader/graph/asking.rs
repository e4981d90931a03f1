//! The part of a node's report that is its network's graph: asked for where none is at hand, and what is said where
//! another one is used.

use bytes::Bytes;
use prost::Message;
use tonic_lnd::lnrpc::ChannelGraphRequest;

use super::super::{Notes, Reader};
use super::Graph;
use super::kept::{Question, Unused, Used};
use crate::snapshot::{Gap, GraphSeen, GraphState};
use crate::sources::answers::{self, Answers};
use crate::units::{DAY_MS, HOUR_MS, UnixMs};

/// The part.
const GRAPH: &str = "graph";

impl<A: Answers> Reader<'_, A> {
    /// The graph of the node's network, from what is kept or from the node.
    pub(in super::super) async fn graph(&self, notes: &Notes) -> Option<Used> {
        let (_, network) = self.own(notes).await?;
        let fetch = async {
            let request = Bytes::from(ChannelGraphRequest::default().encode_to_vec());
            let (answer, info) = tokio::join!(self.answers.ask(&answers::DESCRIBE_GRAPH, request), self.who(notes));
            // Another node may be of another network: its graph is not for sharing.
            let synced = info?.synced_to_graph;
            let graph = Graph::decode(&answer?).map_err(|error| self.unreadable(&answers::DESCRIBE_GRAPH, &error))?;
            Ok((graph, synced))
        };
        let address = self.answers.address();
        let question = Question { network, address, source: self.source, now: self.now };
        match self.graph.get(question, fetch).await {
            Ok(used) => {
                self.note(notes, &used);
                Some(used)
            }
            Err(error) => {
                notes.failed(GRAPH, self.source, &error);
                None
            }
        }
    }

    /// Notes whether the node answered, and why its answer is not used.
    fn note(&self, notes: &Notes, used: &Used) {
        let instead = format!("; {}", is_used(&used.seen, self.now));
        match &used.instead {
            Some(Unused::Failed(error)) => notes.failed_but(GRAPH, self.source, error, &instead),
            Some(Unused::Poor(reason)) => {
                notes.answered();
                let reason = format!("{}: {reason}{instead}", answers::DESCRIBE_GRAPH.name());
                notes.gap(Gap { part: GRAPH.to_owned(), source: self.source.to_owned(), reason });
            }
            None if used.seen.state == GraphState::Asked => notes.answered(),
            None => {}
        }
    }
}

/// `the graph of 2026-11-21 06:00 UTC, 17 hours old, is used`.
fn is_used(seen: &GraphSeen, now: UnixMs) -> String {
    let at = seen.as_of.timestamp().strftime("%Y-%m-%d %H:%M UTC");
    let age = now.since(seen.as_of);
    let age = match (age / HOUR_MS, age / DAY_MS) {
        (..1, _) => "less than an hour old".to_owned(),
        (1, _) => "an hour old".to_owned(),
        (hours @ ..48, _) => format!("{hours} hours old"),
        (_, days) => format!("{days} days old"),
    };
    format!("the graph of {at}, {age}, is used")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_graph_is_told_in_hours_and_then_in_days() {
        // 2026-11-21 06:00 UTC.
        let seen = GraphSeen { source: "lnd".into(), as_of: UnixMs(1_795_240_800_000), state: GraphState::StandIn };
        for (later, age) in [
            (-5_000, "less than an hour old"),
            (3_599_999, "less than an hour old"),
            (3_600_000, "an hour old"),
            (17 * 3_600_000, "17 hours old"),
            (48 * 3_600_000 - 1, "47 hours old"),
            (48 * 3_600_000, "2 days old"),
            (30 * 86_400_000, "30 days old"),
        ] {
            let expected = format!("the graph of 2026-11-21 06:00 UTC, {age}, is used");
            assert_eq!(is_used(&seen, seen.as_of.plus(later)), expected);
        }
    }
}
