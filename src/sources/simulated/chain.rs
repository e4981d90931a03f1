//! The chain as the simulated node meets it: blocks, the price of a transaction, and its transactions.

use super::dice::{Dice, MILLION, name, quantile};
use super::life::Live;
use crate::snapshot::{ChainFees, ChainTx};
use crate::units::{DAY_MS, Sat, UnixMs};

/// Block 900,000 was mined on 6 June 2025; one every ten minutes from there.
const BLOCK: (i64, i64) = (900_000, 1_749_168_000_000);
const BLOCK_MS: i64 = 600_000;
/// Half-hour fees in sat per 1,000 vB by the share of the months: mostly low, now and then a rush.
const LEVELS: [(i64, i64); 5] = [(0, 1_000), (500_000, 2_500), (800_000, 6_000), (950_000, 25_000), (MILLION, 90_000)];

/// Sizes in vB: funding with one input and a change output, closing together, our commitment with anchors, sweeping one
/// output.
pub(super) const FUNDING_VB: i64 = 154;
pub(super) const CLOSING_VB: i64 = 168;
pub(super) const COMMITMENT_VB: i64 = 283;
pub(super) const SWEEP_VB: i64 = 125;

/// The height at a moment.
pub(super) fn height(at: UnixMs) -> u32 {
    u32::try_from(BLOCK.0 + (at.0 - BLOCK.1).div_euclid(BLOCK_MS)).unwrap_or(0)
}

/// What transactions cost at a moment: a level that moves over weeks, and unrest from day to day.
pub(super) fn fees(seed: u64, at: UnixMs) -> ChainFees {
    let day = at.0.div_euclid(DAY_MS);
    let (month, into) = (day.div_euclid(21), day.rem_euclid(21));
    let knot = |n: i64| Dice::of(seed, "chain", &[name(n)]).of_table(&LEVELS);
    let level = knot(month) + (knot(month + 1) - knot(month)) * into / 21;
    let unrest = quantile(
        &[(0, 700), (500_000, 1_000), (950_000, 1_600), (MILLION, 3_000)],
        Dice::of(seed, "unrest", &[name(day)]).below(MILLION),
    );
    let half_hour = (level * unrest / 1_000).max(1_000);
    let part = |permille: i64| (half_hour * permille / 1_000).max(1_000);
    ChainFees { fastest: part(1_300), half_hour, hour: part(850), economy: part(500), minimum: 1_000 }
}

/// What so many vB cost at a rate in sat per 1,000 vB.
pub(super) fn cost(vbytes: i64, rate: i64) -> Sat {
    Sat::new((vbytes * rate + 999) / 1_000)
}

/// Blocks until our output of a channel closed by force can be swept: more for larger ones, as LND asks.
pub(super) fn delay(capacity: Sat) -> u32 {
    u32::try_from((capacity.get() * 2_016 / 16_777_215).clamp(144, 2_016)).unwrap_or(2_016)
}

/// The id of a transaction that has to do with a channel.
pub(super) fn txid(seed: u64, what: &str, channel: &Live) -> String {
    hex::encode(Dice::of(seed, what, &[channel.scid.0]).bytes())
}

fn transaction(txid: &str, at: UnixMs, amount: Sat) -> ChainTx {
    ChainTx {
        txid: txid.to_owned(),
        at,
        height: Some(height(at)),
        amount,
        fee: Sat::ZERO,
        label: String::new(),
        spends: Vec::new(),
        own_outputs: Sat::ZERO,
        outputs: None,
    }
}

/// What opened a channel.
pub(super) fn funding(channel: &Live, fee: Sat, at: UnixMs) -> ChainTx {
    let label = format!("0:openchannel:shortchanid-{}", channel.scid.0);
    ChainTx { fee, label, ..transaction(channel.point.txid(), at, -channel.capacity - fee) }
}

/// What closed a channel, with what came to the wallet at once.
pub(super) fn closing(channel: &Live, txid: &str, settled: Sat, fee: Sat, at: UnixMs) -> ChainTx {
    ChainTx {
        label: format!("0:closechannel:shortchanid-{}", channel.scid.0),
        spends: vec![channel.point.as_str().to_owned()],
        own_outputs: settled,
        outputs: Some(channel.capacity - fee),
        ..transaction(txid, at, settled)
    }
}

/// What swept the first output of a closing transaction.
pub(super) fn sweep(closing: &str, txid: &str, value: Sat, at: UnixMs) -> ChainTx {
    ChainTx {
        label: "0:sweep".to_owned(),
        spends: vec![format!("{closing}:0")],
        own_outputs: value,
        outputs: Some(value),
        ..transaction(txid, at, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_stay_in_order_and_move_slowly() {
        for day in 20_000..20_400 {
            let fees = fees(7, UnixMs(day * DAY_MS));
            assert!(fees.minimum <= fees.economy && fees.economy <= fees.hour, "{fees:?}");
            assert!(fees.hour <= fees.half_hour && fees.half_hour <= fees.fastest, "{fees:?}");
            assert!((1_000..400_000).contains(&fees.fastest), "{fees:?}");
        }
        assert_eq!(cost(154, 1_000), Sat::new(154));
        assert_eq!(cost(154, 1_001), Sat::new(155));
    }

    #[test]
    fn locks_grow_with_the_channel() {
        assert_eq!([1_000_000, 8_388_608, 500_000_000].map(|c| delay(Sat::new(c))), [144, 1_008, 2_016]);
        assert_eq!(height(UnixMs(BLOCK.1)), 900_000);
    }
}
