//! The demand model: how much is sent, by whom, and what keeps it away. Every parameter has its reason beside it; the
//! longer form is in `docs/backtest.md`. They were set before any rule was tuned on them.

use serde::{Deserialize, Serialize};

/// Parameters of demand, whole numbers in the unit that each names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// What wants to go to a peer in a day, in parts per million of its size (the geometric mean of its public capacity
    /// and 0.1 BTC), at average pull. Set so that a small routing node that nobody tends turns over 0.15 to 0.4 of its
    /// capacity a month; what one with good hands could add comes on top.
    pub volume_ppm: i64,
    /// Peers out of a thousand whose payers look at the price first, whose payers hardly do, and who come in bursts.
    /// Nobody has published this split; thirds, with a little more for price, take no side.
    pub elastic_permille: i64,
    /// See above.
    pub inelastic_permille: i64,
    /// The three tastes; what each means.
    pub elastic: Taste,
    /// Payers that hardly look.
    pub inelastic: Taste,
    /// Payers that come in bursts.
    pub bursty: Taste,
    /// The cheapest part of the capacity towards a peer, in thousandths, that is of no use to a payer: what is nearly free
    /// is empty most of the time, because it was sent through.
    pub emptied_permille: i64,
    /// A payer bears up to this much above the next route (ppm, drawn evenly): routes differ in hops and luck.
    pub patience_ppm: i64,
    /// The most that anybody pays for one hop: half a percent, the order of wallets' own limits for a whole route.
    pub most_ppm: i64,
    /// How strong drift is, in thousandths: at 1000, demand wanders between 0.4 and 2 times its mean within two months.
    pub drift_permille: i64,
    /// Pair demand where both peers have a channel with each other, in thousandths: most of it goes there directly.
    pub linked_permille: i64,
    /// Attempts out of a thousand that fail behind us: the share of failing attempts that operators tell of is about a
    /// third.
    pub downstream_permille: i64,
    /// After a failure payers avoid a channel for this many minutes: routers forget a failure within the hour.
    pub memory_minutes: i64,
    /// Of those, out of a thousand, who try all the same: payers that had not failed there before.
    pub fresh_payers_permille: i64,
    /// Payments out of a thousand that are tried again smaller after they met too little balance.
    pub split_permille: i64,
    /// Peers out of a thousand that are unsteady; the others are away an hour or so a month.
    pub flaky_permille: i64,
    /// Chance of an unsteady peer to be away for part of a day, in thousandths.
    pub away_permille: i64,
    /// Chance of any peer, in thousandths and 30 days, to be gone for days.
    pub gone_permille: i64,
    /// Tries of one part of a rebalance before it is given up.
    pub route_tries: i64,
    /// Chance, in thousandths, that a found route holds the part it is asked for.
    pub route_holds_permille: i64,
}

/// What payers towards a peer are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taste {
    /// Routes of others that a payer compares with; the cheapest of them sets what our price has to beat.
    pub alternatives: i64,
    /// What our price may be of that, in thousandths: who retries less accepts more.
    pub tolerance_permille: i64,
    /// Chance of a burst on a day, in thousandths.
    pub burst_permille: i64,
    /// Demand on the day of a burst, in thousandths of any other; most of it within three hours.
    pub burst_strength: i64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            volume_ppm: 9_000,
            elastic_permille: 400,
            inelastic_permille: 300,
            // Price-aware routers try the cheapest known routes first and have several.
            elastic: Taste { alternatives: 3, tolerance_permille: 1_000, burst_permille: 10, burst_strength: 3_000 },
            // Wallets with a wide fee limit take the first route that works.
            inelastic: Taste { alternatives: 1, tolerance_permille: 1_500, burst_permille: 10, burst_strength: 3_000 },
            // Exchanges and services settle in batches; two weeks apart, several days' worth at once.
            bursty: Taste { alternatives: 2, tolerance_permille: 1_200, burst_permille: 70, burst_strength: 6_000 },
            emptied_permille: 250,
            patience_ppm: 60,
            most_ppm: 5_000,
            drift_permille: 1_000,
            linked_permille: 350,
            downstream_permille: 330,
            memory_minutes: 60,
            fresh_payers_permille: 400,
            split_permille: 400,
            flaky_permille: 150,
            away_permille: 300,
            gone_permille: 15,
            route_tries: 5,
            route_holds_permille: 450,
        }
    }
}

impl Model {
    /// The model with every parameter multiplied by a factor (0.5 and 1.5 are half down and half up). Shares stay shares.
    pub fn moved(&self, factor: f64) -> Self {
        let percent = percent_of(factor);
        let by = |value: i64| value.saturating_mul(percent) / 100;
        let share = |value: i64| by(value).min(950);
        let least = |value: i64| by(value).max(1);
        let taste = |taste: &Taste| Taste {
            // Half of one alternative is none; a payer always has one.
            alternatives: least(taste.alternatives),
            tolerance_permille: by(taste.tolerance_permille),
            burst_permille: share(taste.burst_permille),
            burst_strength: by(taste.burst_strength).max(1_000),
        };
        Self {
            volume_ppm: by(self.volume_ppm),
            elastic_permille: share(self.elastic_permille),
            inelastic_permille: share(self.inelastic_permille),
            elastic: taste(&self.elastic),
            inelastic: taste(&self.inelastic),
            bursty: taste(&self.bursty),
            emptied_permille: share(self.emptied_permille),
            patience_ppm: by(self.patience_ppm),
            most_ppm: by(self.most_ppm),
            drift_permille: by(self.drift_permille),
            linked_permille: share(self.linked_permille),
            downstream_permille: share(self.downstream_permille),
            memory_minutes: by(self.memory_minutes),
            fresh_payers_permille: share(self.fresh_payers_permille),
            split_permille: share(self.split_permille),
            flaky_permille: share(self.flaky_permille),
            away_permille: share(self.away_permille),
            gone_permille: share(self.gone_permille),
            route_tries: least(self.route_tries),
            route_holds_permille: share(self.route_holds_permille),
        }
    }
}

/// A factor in whole percent; 100 for what is no number.
fn percent_of(factor: f64) -> i64 {
    format!("{:.0}", (factor * 100.0).clamp(0.0, 10_000.0)).parse().unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_moves_every_parameter_and_keeps_shares() {
        let model = Model::default();
        assert_eq!(model.moved(1.0), model);
        let values = |m: &Model| -> Vec<(String, i64)> {
            let mut all = Vec::new();
            for (name, value) in serde_json::to_value(m).unwrap().as_object().unwrap() {
                match value.as_object() {
                    Some(inner) => all.extend(inner.iter().map(|(n, v)| (format!("{name}.{n}"), v.as_i64().unwrap()))),
                    None => all.push((name.clone(), value.as_i64().unwrap())),
                }
            }
            all
        };
        let (half, more) = (values(&model.moved(0.5)), values(&model.moved(1.5)));
        for (((name, is), (_, half)), (_, more)) in values(&model).into_iter().zip(half).zip(more) {
            let floored = name.ends_with("alternatives");
            assert!(
                if floored { half <= is && more >= is } else { half < is && more > is },
                "{name} {half} {is} {more}"
            );
            let share = name.ends_with("permille") && !name.contains("tolerance") && !name.contains("drift");
            assert!(!share || more < 1_000, "{name} {more}");
        }
        let tastes = model.moved(1.5);
        assert!(tastes.elastic_permille + tastes.inelastic_permille <= 1_050);
    }
}
