//! Every limit of every rule, with its default. The config's `[thresholds]` overrides them one by one.

use serde::{Deserialize, Serialize};

/// Limits that the rules judge by. Shares are in percent, rates in ppm, spans in the unit of the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Blocks to an HTLC's expiry from which it is critical.
    pub htlc_critical_blocks: i64,
    /// From which it is a warning.
    pub htlc_warning_blocks: i64,
    /// From which it is worth knowing.
    pub htlc_info_blocks: i64,
    /// Blocks past maturity before unswept funds are a warning.
    pub limbo_grace_blocks: i64,
    /// Hours after which a close that waits for its transaction is a warning.
    pub stuck_close_hours: i64,
    /// Blocks behind other sources that are a warning.
    pub behind_warning_blocks: i64,
    /// Blocks behind other sources that are critical.
    pub behind_critical_blocks: i64,
    /// Days before the certificate's end that are a warning; likewise for a macaroon.
    pub certificate_warning_days: i64,
    /// Days before the certificate's end that are critical; likewise for a macaroon.
    pub certificate_critical_days: i64,
    /// Minutes without an answer after which the watcher calls the node unreachable.
    pub unreachable_minutes: i64,
    /// Peers that must leave at once before this node is suspected itself.
    pub mass_offline_peers: usize,
    /// Share of the peers, in percent, that must leave at once before this node is suspected itself.
    pub mass_offline_percent: i64,
    /// A channel is drained below this share of outbound balance, in percent.
    pub drained_percent: i64,
    /// A channel is saturated above this share of outbound balance, in percent.
    pub saturated_percent: i64,
    /// Days without a forward that make a channel idle.
    pub idle_days: i64,
    /// Rates known towards a peer before the market there is judged.
    pub market_min_rates: u32,
    /// Revenue of 7 days below this share of the habit is a fall, in percent.
    pub revenue_fall_percent: i64,
    /// Days of history that a habit needs, beyond the last seven.
    pub revenue_min_days: usize,
    /// Sat a day below which a fall is not worth a word.
    pub revenue_min_sat: i64,
    /// Unspent outputs that make the wallet fragmented.
    pub fragmented_outputs: usize,
    /// Size in sat below which an output counts as a fragment.
    pub fragment_sat: i64,
    /// Difference to LND's own sums that is told, in ppm of the larger.
    pub books_tolerance_ppm: i64,
    /// Findings of one rule that are told one by one; the rest are told as a number.
    pub alerts_per_rule: usize,
    /// Recommendations in a report.
    pub advice_count: usize,
    /// Least gain in sat a month that an advice about fees or liquidity must promise.
    pub advice_min_gain_sat: i64,
    /// Share of outbound below which raising the fee is considered, in percent.
    pub raise_below_percent: i64,
    /// Share of outbound above which lowering the fee is considered, in percent.
    pub lower_above_percent: i64,
    /// Days without an outgoing forward before the fee is called too high.
    pub lower_idle_days: i64,
    /// One step of a fee, in percent of the fee.
    pub fee_step_percent: i64,
    /// The highest rate that is ever advised.
    pub fee_max_ppm: i64,
    /// Share of outbound below which a refill is considered, in percent.
    pub refill_below_percent: i64,
    /// Share of outbound above which a channel can give, in percent.
    pub give_above_percent: i64,
    /// The most a refill may cost, in percent of what the channel earns for the amount.
    pub refill_budget_percent: i64,
    /// Smallest refill in sat.
    pub refill_min_sat: i64,
    /// Days that a peer must be gone before closing is advised.
    pub gone_days: i64,
    /// Age in days before closing an idle channel is considered.
    pub close_min_age_days: i64,
    /// Months over which a close must pay for itself.
    pub close_horizon_months: i64,
    /// Chain fee in sat per 1,000 vB above which no idle channel is closed.
    pub close_max_fee: i64,
    /// Share of the smaller side of a channel that gives all points of liquidity, in percent.
    pub score_balance_percent: i64,
    /// Turnover of the capacity in 30 days that gives all points of flow, in percent.
    pub score_turnover_percent: i64,
    /// Net yield a year on the outbound balance that gives all points of profit, in ppm.
    pub score_yield_ppm: i64,
    /// Share of time that channels are usable which gives all points of availability, in percent.
    pub score_available_percent: i64,
    /// Distinct peers that give all points of the network part.
    pub score_peers: u32,
    /// Days of history before flow and profit are measured.
    pub score_min_days: i64,
    /// The score is held at this while something critical threatens funds.
    pub score_cap_critical: i64,
    /// The score is held at this while a warning concerns funds.
    pub score_cap_warning: i64,
    /// Days to the end of a side of a channel, at the flow of 7 days, from which it is listed.
    pub dry_days: i64,
    /// Forwards over a channel in 7 days before its flow says anything.
    pub dry_min_forwards: u32,
    /// A channel is a source or a sink when one direction has more than the other by this share of both, in percent.
    pub flow_class_percent: i64,
    /// Share of the day, in percent, that must have been watched before the share of forwards that succeed is told.
    pub watched_percent: i64,
    /// Share of the weight, in percent, that must be measured for a score.
    pub score_min_coverage_percent: i64,
    /// Days for which a part that cannot be measured keeps its last value.
    pub score_carry_days: i64,
    /// Hours of 30 days that connections must have been watched before they tell of availability, in place of samples.
    pub score_min_watched_hours: i64,
    /// HTLCs in flight on one channel above which they are worth knowing.
    pub htlcs_many: usize,
    /// HTLCs in flight on one channel from which they are a warning; LND takes 483 in each direction.
    pub htlcs_full: usize,
    /// Hours after which a channel that waits for its funding transaction is told.
    pub stuck_open_hours: i64,
    /// Age in hours of the last block from which the chain backend is suspected.
    pub stalled_hours: i64,
    /// Chain fee to confirm within the hour, in sat per 1,000 vB, from which it is called high.
    pub chain_fees_high: i64,
    /// Hours of watching in 7 days that rules about connections and failed forwards need.
    pub watched_min_hours: i64,
    /// Watched breaks of a peer's connection in 7 days that are told.
    pub flaps_watched: u32,
    /// LND's own count of breaks that is told where nothing was watched.
    pub flaps_lnd: i32,
    /// Share of the watched time below which a peer's connection is poor, in percent.
    pub peer_uptime_percent: i64,
    /// Forwards in 7 days that failed for lack of balance and make a drained channel wanted.
    pub drained_failures: u32,
    /// Days within which a channel swings.
    pub swing_days: i64,
    /// Share of outbound that a swing goes below, in percent.
    pub swing_low_percent: i64,
    /// Share of outbound that a swing goes above, in percent.
    pub swing_high_percent: i64,
    /// Days without an announcement of the other side after which others drop a channel.
    pub zombie_days: i64,
    /// Change of a peer's rate that is a jump, in percent of the lower of the two.
    pub fee_jump_percent: i64,
    /// Least change of a peer's rate that is a jump, in ppm.
    pub fee_jump_ppm: i64,
    /// Own smallest HTLC in sat from which it is odd.
    pub min_htlc_high_sat: i64,
    /// Own largest HTLC below this share of the capacity is odd, in percent.
    pub max_htlc_low_percent: i64,
    /// Own time lock in blocks below which it is dangerous.
    pub time_lock_low: i64,
    /// States that no watchtower has acknowledged yet from which that is a warning.
    pub tower_pending_states: i64,
    /// Days after which the table of LND's weaknesses is too old to judge by.
    pub advisories_max_days: i64,
    /// Free share of a disk below which it is a warning, in percent.
    pub disk_warning_percent: i64,
    /// Free share of LND's disk below which it is critical, in percent: LND's own limit.
    pub disk_critical_percent: i64,
    /// Days until a disk is full, by its trend, below which it is a warning.
    pub disk_days_warning: i64,
    /// Days until a disk is full, by its trend, below which it is critical.
    pub disk_days_critical: i64,
    /// Size of LND's databases in GB from which it is worth knowing.
    pub database_info_gb: u64,
    /// Size from which it is a warning.
    pub database_warning_gb: u64,
    /// Size from which starting and compacting are a burden.
    pub database_severe_gb: u64,
    /// Growth of LND's databases in MB a week that is told.
    pub database_growth_mb: i64,
    /// Share of memory that can still be used below which it is a warning, in percent.
    pub memory_low_percent: i64,
    /// Seconds that the clock may be off.
    pub clock_off_s: i64,
    /// A day's revenue is unusual beyond this many middle distances (scaled to standard deviations).
    pub revenue_mads: i64,
    /// And only from this difference to the usual, in percent.
    pub revenue_far_percent: i64,
    /// Percentage points between the day's share of settled forwards and the usual that are told.
    pub success_far_points: i64,
    /// Forwards tried in the day that this needs.
    pub success_min_tries: i64,
    /// Cost of circular payments in 30 days from which a loss by them is told, in sat.
    pub rebalance_loss_sat: i64,
    /// Share of fees or balance with one peer above which it is told, in percent.
    pub concentrated_percent: i64,
    /// Peers that a node needs before its concentration is judged.
    pub concentrated_min_peers: usize,
    /// Missed days of the last seven from which they are a warning.
    pub missed_warning_days: usize,
    /// Changes that are listed one by one; the rest are told as a number.
    pub changes_count: usize,
    /// Change of a rank in the network that is told, in percent.
    pub rank_moved_percent: i64,
    /// Change of a part of the score that is told, in points.
    pub score_moved_points: i64,
    /// Change of the wallet that is told, in sat.
    pub wallet_moved_sat: i64,
    /// Days that must be known before fees or liquidity are advised on.
    pub advice_history_days: i64,
    /// Days after a change of our own in which a channel's fee is left alone.
    pub advice_cooldown_days: i64,
    /// Days after a change of our own in which no fee is turned back the other way.
    pub advice_reverse_days: i64,
    /// Days of being given after which an advice that nobody follows counts as ignored.
    pub advice_ignored_days: i64,
    /// Days for which an ignored advice is left out.
    pub advice_pause_days: i64,
    /// An ignored advice is given again sooner where its gain is this much of the old one, in percent.
    pub advice_again_percent: i64,
    /// Changes of a peer's own fee in 24 hours at which advice about its channels waits.
    pub peer_changes_wait: usize,
    /// A sample below this share of outbound counts as a time without anything to sell, in percent.
    pub dry_percent: i64,
    /// Share of failed forwards' amounts that counts as demand: the rest is taken for repeated tries, in percent.
    pub missed_counted_percent: i64,
    /// Days until a channel is empty, below which a higher fee is considered.
    pub fee_dry_days: i64,
    /// What is wanted of a channel in percent of what it has to sell, above which a higher fee is considered.
    pub fee_tight_percent: i64,
    /// The largest rise of a fee at once, in percent of the fee.
    pub fee_step_max_percent: i64,
    /// The smallest change of a fee that is worth a command, in ppm.
    pub fee_step_min_ppm: i64,
    /// What a fee that is one percent higher costs in volume where nothing else is known, in hundredths of a percent.
    pub fee_elasticity_percent: i64,
    /// How far from 100 the elasticity must be before a fee is changed for its sake.
    pub fee_elasticity_band_percent: i64,
    /// How much the market's prices move the elasticity away from the one above, in percent.
    pub fee_market_weight_percent: i64,
    /// Share of a rise's computed gain that is promised, in percent.
    pub fee_raise_kept_percent: i64,
    /// Share of a refill's computed gain that is promised, since a route may not be found, in percent.
    pub refill_success_percent: i64,
    /// The largest refill, in percent of the channel.
    pub refill_max_percent: i64,
    /// What a route to a peer is taken to cost before its own fee, where the market there is not known.
    pub refill_route_ppm: i64,
    /// Share of the middle peer's yield that is promised for funds put to work elsewhere, in percent.
    pub close_kept_percent: i64,
    /// Channels to open that are advised at once.
    pub open_count: usize,
    /// Share of the middle peer's yield that is promised for a new channel, in percent.
    pub open_kept_percent: i64,
    /// The smallest channel that is advised.
    pub open_min_sat: i64,
    /// What stays in the wallet beyond LND's reserve, in sat.
    pub open_keep_sat: i64,
    /// Months over which opening a channel must pay for itself.
    pub open_horizon_months: i64,
    /// Share of the fees that the base fee makes, above which a smaller one is advised, in percent.
    pub base_fee_share_percent: i64,
    /// Days without its reason after which an advice that nobody followed is over.
    pub advice_expire_days: i64,
    /// Other channels that an outcome is compared with, at least.
    pub outcome_min_channels: usize,
    /// Forwards by those channels before the advice, at least.
    pub outcome_min_forwards: u32,
    /// Blocks of a time lock of our own above which a shorter one is advised.
    pub time_lock_max_blocks: i64,
    /// A largest HTLC below this share of the channel is called too small, in percent.
    pub htlc_max_percent: i64,
    /// Place among others' prices to a peer at which a full channel's fee should stand, in percent of their capacity.
    pub fee_place_full_percent: i64,
    /// The same for an empty channel.
    pub fee_place_empty_percent: i64,
    /// A fee below this share of that price goes there at once, in percent.
    pub fee_place_low_percent: i64,
    /// A fee above this share of that price does too, in percent.
    pub fee_place_high_percent: i64,
    /// Days in vain after which a refill promises half as much.
    pub refill_patience_days: i64,
    /// A refill is given where it should cost no more than this share of the most that it may, in percent.
    pub refill_likely_percent: i64,
    /// Share of the computed gain that is promised of a fee that goes to its place among others' at once, in percent.
    pub fee_place_kept_percent: i64,
    /// How far another source's capacity or number of channels of this node may be from the node's own, in percent.
    pub sources_differ_percent: i64,
}

impl Default for Thresholds {
    #[expect(clippy::too_many_lines, reason = "a line for each limit")]
    fn default() -> Self {
        Self {
            htlc_critical_blocks: 13,
            htlc_warning_blocks: 40,
            htlc_info_blocks: 144,
            limbo_grace_blocks: 6,
            stuck_close_hours: 20,
            behind_warning_blocks: 2,
            behind_critical_blocks: 6,
            certificate_warning_days: 30,
            certificate_critical_days: 7,
            unreachable_minutes: 10,
            mass_offline_peers: 3,
            mass_offline_percent: 50,
            drained_percent: 10,
            saturated_percent: 95,
            idle_days: 30,
            market_min_rates: 5,
            revenue_fall_percent: 50,
            revenue_min_days: 14,
            revenue_min_sat: 10,
            fragmented_outputs: 50,
            fragment_sat: 50_000,
            books_tolerance_ppm: 10_000,
            alerts_per_rule: 20,
            advice_count: 7,
            advice_min_gain_sat: 10,
            raise_below_percent: 15,
            lower_above_percent: 85,
            lower_idle_days: 7,
            fee_step_percent: 25,
            fee_max_ppm: 5_000,
            refill_below_percent: 20,
            give_above_percent: 70,
            refill_budget_percent: 85,
            refill_min_sat: 10_000,
            gone_days: 14,
            close_min_age_days: 90,
            close_horizon_months: 6,
            close_max_fee: 50_000,
            score_balance_percent: 20,
            score_turnover_percent: 100,
            score_yield_ppm: 30_000,
            score_available_percent: 98,
            score_peers: 10,
            score_min_days: 7,
            score_cap_critical: 50,
            score_cap_warning: 85,
            dry_days: 30,
            dry_min_forwards: 5,
            flow_class_percent: 50,
            watched_percent: 90,
            score_min_coverage_percent: 60,
            score_carry_days: 7,
            score_min_watched_hours: 168,
            htlcs_many: 10,
            htlcs_full: 400,
            stuck_open_hours: 24,
            stalled_hours: 3,
            chain_fees_high: 50_000,
            watched_min_hours: 24,
            flaps_watched: 50,
            flaps_lnd: 20,
            peer_uptime_percent: 80,
            drained_failures: 3,
            swing_days: 14,
            swing_low_percent: 10,
            swing_high_percent: 90,
            zombie_days: 14,
            fee_jump_percent: 100,
            fee_jump_ppm: 100,
            min_htlc_high_sat: 10_000,
            max_htlc_low_percent: 1,
            time_lock_low: 30,
            tower_pending_states: 20,
            advisories_max_days: 180,
            disk_warning_percent: 15,
            disk_critical_percent: 10,
            disk_days_warning: 30,
            disk_days_critical: 3,
            database_info_gb: 4,
            database_warning_gb: 8,
            database_severe_gb: 16,
            database_growth_mb: 1_000,
            memory_low_percent: 10,
            clock_off_s: 60,
            revenue_mads: 3,
            revenue_far_percent: 50,
            success_far_points: 15,
            success_min_tries: 50,
            rebalance_loss_sat: 100,
            concentrated_percent: 50,
            concentrated_min_peers: 5,
            missed_warning_days: 3,
            changes_count: 20,
            rank_moved_percent: 1,
            score_moved_points: 3,
            wallet_moved_sat: 100_000,
            advice_history_days: 7,
            advice_cooldown_days: 5,
            advice_reverse_days: 14,
            advice_ignored_days: 14,
            advice_pause_days: 30,
            advice_again_percent: 150,
            peer_changes_wait: 2,
            dry_percent: 5,
            missed_counted_percent: 30,
            fee_dry_days: 10,
            fee_tight_percent: 120,
            fee_step_max_percent: 25,
            fee_step_min_ppm: 10,
            fee_elasticity_percent: 100,
            fee_elasticity_band_percent: 35,
            fee_market_weight_percent: 60,
            fee_raise_kept_percent: 50,
            refill_success_percent: 70,
            refill_max_percent: 30,
            refill_route_ppm: 150,
            close_kept_percent: 50,
            open_count: 1,
            open_kept_percent: 50,
            open_min_sat: 1_000_000,
            open_keep_sat: 200_000,
            open_horizon_months: 6,
            base_fee_share_percent: 50,
            advice_expire_days: 3,
            outcome_min_channels: 2,
            outcome_min_forwards: 20,
            time_lock_max_blocks: 144,
            htlc_max_percent: 1,
            fee_place_full_percent: 25,
            fee_place_empty_percent: 60,
            fee_place_low_percent: 60,
            fee_place_high_percent: 160,
            refill_patience_days: 2,
            refill_likely_percent: 90,
            fee_place_kept_percent: 100,
            sources_differ_percent: 5,
        }
    }
}
