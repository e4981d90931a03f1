//! Who the node is: `GetInfo`, `GetVersion`, `GetState`, and how big the network looks from it.

use tonic_lnd::lnrpc::{GetInfoResponse, NetworkInfo, WalletState};

use super::check::{Bad, Check, clip, pubkey, sat};
use crate::snapshot::{Info, NetworkSize};
use crate::units::UnixMs;

/// Who it is and how far it has got.
pub(super) fn info(answer: &GetInfoResponse, version: Option<String>) -> Result<Info, Bad> {
    let chain = answer.chains.first().ok_or_else(|| Bad::new("list of chains: there is none"))?;
    let said = answer.version.split(' ').next().unwrap_or_default();
    Ok(Info {
        pubkey: pubkey(&answer.identity_pubkey)?,
        alias: clip(&answer.alias, 64),
        network: chain.network.parse().map_err(Bad::new)?,
        version: clip(&version.unwrap_or_else(|| said.to_owned()), 64),
        block_height: answer.block_height,
        best_header_at: Some(answer.best_header_timestamp).filter(|&at| at > 0).map(UnixMs::from_secs),
        synced_to_chain: answer.synced_to_chain,
        synced_to_graph: answer.synced_to_graph,
        peers: answer.num_peers,
    })
}

/// Why a node in this state does not answer, and the remedy; `None` for one that should.
pub(super) const fn not_ready(state: WalletState) -> Option<&'static str> {
    match state {
        WalletState::NonExisting => Some("its wallet is not created yet: run `lncli create` on it"),
        WalletState::Locked => Some("its wallet is locked: run `lncli unlock` on it"),
        WalletState::Unlocked => Some("it is starting: its wallet is unlocked, its calls are not served yet"),
        WalletState::WaitingToStart => Some("it waits to become the leader of its cluster"),
        WalletState::RpcActive | WalletState::ServerActive => None,
    }
}

/// Sizes of the network.
pub(super) fn network(answer: &NetworkInfo, check: &mut Check) -> Option<NetworkSize> {
    let size = || {
        Ok(NetworkSize {
            nodes: answer.num_nodes,
            channels: answer.num_channels,
            capacity: sat("capacity of the network", answer.total_network_capacity)?,
            zombies: answer.num_zombie_chans,
            median_channel: sat("median channel", answer.median_channel_size_sat)?,
        })
    };
    check.keep(size())
}
