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

/// A fee in sat per 1,000 weight units as one in sat per 1,000 vB, which are four times as much.
pub(super) fn fee_per_kvb(sat_per_kw: i64) -> Result<i64, Bad> {
    // A thousand times the highest fee ever paid for room in a block.
    let good = (1..=250_000_000).contains(&sat_per_kw);
    if good { Ok(sat_per_kw * 4) } else { Err(Bad::new(format_args!("fee of {sat_per_kw} sat per kw"))) }
}

fn utxo(row: &Row) -> Result<Utxo, Bad> {
    let point = row.outpoint.as_ref().ok_or_else(|| Bad::new("output without an outpoint"))?;
    Ok(Utxo {
        outpoint: outpoint(point)?,
        amount: sat("unspent output", row.amount_sat)?,
        confirmations: row.confirmations.max(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_told_for_four_times_the_weight_and_one_that_cannot_be_is_none() {
        assert_eq!((fee_per_kvb(253), fee_per_kvb(250_000_000)), (Ok(1012), Ok(1_000_000_000)));
        for bad in [0, -1, i64::MIN, i64::MAX, 250_000_001] {
            assert!(fee_per_kvb(bad).is_err(), "{bad}");
        }
    }
}
