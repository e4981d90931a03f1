//! Peers that are connected now.

use tonic_lnd::lnrpc::{ListPeersResponse, Peer as Row};

use super::check::{Bad, Check, clip, pubkey};
use crate::snapshot::Peer;
use crate::units::UnixMs;

/// Every connected peer.
pub(super) fn peers(answer: &ListPeersResponse, check: &mut Check) -> Vec<Peer> {
    answer.peers.iter().filter_map(|row| check.keep(peer(row))).collect()
}

fn peer(row: &Row) -> Result<Peer, Bad> {
    Ok(Peer {
        pubkey: pubkey(&row.pub_key)?,
        address: clip(&row.address, 120),
        inbound: row.inbound,
        ping_us: row.ping_time.max(0),
        flaps: row.flap_count.max(0),
        last_flap_at: Some(row.last_flap_ns).filter(|&ns| ns > 0).map(|ns| UnixMs(ns / 1_000_000)),
    })
}
