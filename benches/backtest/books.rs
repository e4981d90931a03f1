//! Whether the report's money is the truth: fees and rebalance costs of each of its periods against the simulated node's
//! own sums at both ends of it, to the msat.

use daznode::report::Report;
use daznode::sources::simulated::Totals;
use daznode::units::Msat;

/// The node's own sums, morning by morning, and how the reports compare.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Fees earned and cost of rebalances since birth, one for each morning, from the day of birth on.
    mornings: Vec<[Msat; 2]>,
    /// Periods that were compared.
    pub compared: usize,
    /// Those that differ, in words.
    pub wrong: Vec<String>,
}

impl Books {
    /// Notes a morning's sums.
    pub fn note(&mut self, totals: Totals) {
        self.mornings.push([totals.fees_earned, totals.rebalance_cost]);
    }

    /// Compares the report of the last morning that was noted.
    pub fn check(&mut self, report: &Report) {
        let money = &report.money;
        for (days, period) in [(1, &money.day), (7, &money.week), (30, &money.month)] {
            let Some(said) = period.as_ref() else { continue };
            let said = [said.fees_earned_msat, said.rebalance_cost_msat];
            let last = self.mornings.len().saturating_sub(1);
            // What is older than the node is nothing.
            let from = self.mornings[last.saturating_sub(days)];
            let true_sums = [0, 1].map(|n| self.mornings[last][n] - from[n]);
            self.compared += 1;
            if said != true_sums {
                let [fees, cost] = said.map(Msat::get);
                let [true_fees, true_cost] = true_sums.map(Msat::get);
                self.wrong.push(format!(
                    "{}, {days} d: fees {fees}, in truth {true_fees}; rebalances {cost}, in truth {true_cost} msat",
                    report.report_date
                ));
            }
        }
    }
}
