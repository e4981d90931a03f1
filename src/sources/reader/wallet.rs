//! Coins on the chain and LND's own sums over all channels.

use tonic_lnd::lnrpc::{Amount, ChannelBalanceResponse, ListUnspentResponse, Utxo as Row, WalletBalanceResponse};

use super::check::{Bad, Check, msat, sat};
use super::closed::outpoint;
use crate::snapshot::{ChannelBalance, Utxo, Wallet};
use crate::units::Msat;

/// The wallet's balances.
pub(super) fn wallet(answer: &WalletBalanceResponse, check: &mut Check) -> Option<Wallet> {
    let wallet = || {
        Ok(Wallet {
            confirmed: sat("confirmed balance", answer.confirmed_balance)?,
            unconfirmed: sat("unconfirmed balance", answer.unconfirmed_balance)?,
            locked: sat("locked balance", answer.locked_balance)?,
            anchor_reserve: sat("anchor reserve", answer.reserved_balance_anchor_chan)?,
        })
    };
    check.keep(wallet())
}

/// Sums over all channels.
pub(super) fn channel_balance(answer: &ChannelBalanceResponse, check: &mut Check) -> Option<ChannelBalance> {
    let amount = |what, amount: Option<&Amount>| amount.map_or(Ok(Msat::ZERO), |a| msat(what, a.msat));
    let sums = || {
        Ok(ChannelBalance {
            local: amount("local balance", answer.local_balance.as_ref())?,
            remote: amount("remote balance", answer.remote_balance.as_ref())?,
            unsettled_local: amount("unsettled local balance", answer.unsettled_local_balance.as_ref())?,
            unsettled_remote: amount("unsettled remote balance", answer.unsettled_remote_balance.as_ref())?,
            pending_open_local: amount("pending local balance", answer.pending_open_local_balance.as_ref())?,
        })
    };
    check.keep(sums())
}

/// Unspent outputs.
pub(super) fn utxos(answer: &ListUnspentResponse, check: &mut Check) -> Vec<Utxo> {
    answer.utxos.iter().filter_map(|row| check.keep(utxo(row))).collect()
}

fn utxo(row: &Row) -> Result<Utxo, Bad> {
    let point = row.outpoint.as_ref().ok_or_else(|| Bad::new("output without an outpoint"))?;
    Ok(Utxo {
        outpoint: outpoint(point)?,
        amount: sat("unspent output", row.amount_sat)?,
        confirmations: row.confirmations.max(0),
    })
}
