use uuid::Uuid;

use super::*;
use crate::analysis::support::*;
use crate::history::RebalanceFlow;
use crate::report::Status;

fn past(date: Day, score_version: u32, score: i64) -> PastDay {
    PastDay {
        date,
        report_id: Uuid::nil(),
        score_version,
        score: Some(score),
        revenue_sat: Some(score + 1),
        forward_rate: None,
        capacity_sat: Some(1000),
    }
}

fn summary() -> Summary {
    Summary {
        overall_score: Some(68),
        score_delta_24h: None,
        status: Status::Healthy,
        critical_alerts: 0,
        warnings: 0,
        capacity_btc: None,
        channels_count: None,
        forwarding_rate_24h: None,
        revenue_sats_24h: None,
    }
}

#[test]
fn missing_days_are_null_and_other_formulas_are_not_compared() {
    let today: Day = "2026-11-21".parse().unwrap();
    let history = History {
        past_days: vec![
            past(today.plus(-1), SCORE_VERSION, 70),
            past(today.plus(-3), SCORE_VERSION - 1, 99),
            past(today.plus(-29), SCORE_VERSION, 29),
            past(today.plus(-89), SCORE_VERSION, 89),
            past(today.plus(-90), SCORE_VERSION, 90),
        ],
        ..History::default()
    };
    let trends = trends(&history, today, &summary(), None, None);
    assert_eq!(trends.score_evolution_7d, [None, None, None, None, None, Some(70), Some(68)]);
    assert_eq!(trends.revenue_evolution_7d, [None, None, None, Some(100), None, Some(71), None]);
    assert_eq!(trends.forward_rate_evolution_7d, [None; 7]);
    assert_eq!(trends.capacity_evolution_7d.len(), 7);
    let known = |row: &[Option<i64>]| row.iter().enumerate().filter_map(|(n, v)| Some((n, (*v)?))).collect::<Vec<_>>();
    assert_eq!(trends.score_evolution_30d.len(), 30);
    assert_eq!(known(&trends.score_evolution_30d), [(0, 29), (28, 70), (29, 68)]);
    assert_eq!(trends.score_evolution_90d.len(), 90);
    assert_eq!(known(&trends.score_evolution_90d), [(0, 89), (60, 29), (88, 70), (89, 68)]);
    assert_eq!((trends.capacity_evolution_30d.len(), trends.forward_rate_evolution_90d.len()), (30, 90));
    assert_eq!(trends.forecast, None);
}

fn limits(days: i64) -> crate::analysis::Thresholds {
    crate::analysis::Thresholds { dry_days: days, ..Default::default() }
}

#[test]
fn a_channel_runs_dry_at_the_flow_of_its_week() {
    let mut first = channel(1, 510_000, 490_000);
    first.local_reserve = Sat::new(10_000);
    let now = snapshot(vec![first, channel(2, 900_000, 100_000), channel(3, 500_000, 500_000)]);
    // 1 sends 700,000 and gets 100,000 back: 600,000 a week; circular payments bring 250,000 and take 0: 350,000 a week.
    let mut past = history(&[sold(1, 700_000, 0), bought(1, 100_000, 0), bought(2, 70_000, 0)]);
    past.week.rebalances = vec![RebalanceFlow {
        from: scid(700_000, 2),
        to: scid(700_000, 1),
        amount: Sat::new(250_000).msat(),
        cost: Sat::new(1_000).msat(),
        parts: 1,
    }];
    let trends = made(&now, &past).trends;
    // 500,000 sat above the reserve last ten days.
    let dry: Vec<_> = trends.running_dry.iter().map(|r| (r.channel_point.clone(), r.days, r.left_sat.get())).collect();
    // 2 gave 251,000 and got 70,000: 181,000 a week of 900,000, 34 days.
    assert_eq!(dry, [(point(1, 0), 10, 500_000)]);
    assert_eq!(trends.running_dry[0].net_flow_week_sat, Sat::new(350_000));
    assert!(trends.filling_up.is_empty());
    let more = made_by(&now, &past, &limits(40)).trends.running_dry;
    assert_eq!(more.iter().map(|r| r.days).collect::<Vec<_>>(), [10, 34]);
}

#[test]
fn a_channel_fills_up_by_what_comes_in() {
    let now = snapshot(vec![channel(2, 900_000, 100_000)]);
    let trends = made(&now, &history(&[bought(2, 70_000, 0)])).trends;
    // 10,000 sat a day of 100,000.
    assert_eq!((trends.filling_up[0].days, trends.running_dry.len()), (10, 0));
}

#[test]
fn few_forwards_and_young_channels_say_nothing() {
    let now = snapshot(vec![channel(1, 500_000, 500_000)]);
    let dry = |past: &History, now: &crate::snapshot::Snapshot| made(now, past).trends.running_dry.len();
    let mut past = history(&[sold(1, 700_000, 0)]);
    assert_eq!(dry(&past, &now), 1);
    past.week.channels[0].forwards_out = 4;
    assert_eq!(dry(&past, &now), 0);
    past.week.channels[0].forwards_out = 5;
    let mut young = now.clone();
    young.node.info.block_height = 700_000 + 7 * 144 - 1;
    assert_eq!(dry(&past, &young), 0, "open for less than the seven days");
    past.first_seen = Some(NOW.plus(-DAY_MS));
    past.first_forward = past.first_seen;
    assert_eq!(dry(&past, &now), 0, "a week of which one day is known");
}

#[test]
fn the_forecast_stands_in_the_report() {
    let told = made(&snapshot(vec![channel(1, 1, 1)]), &history(&[])).trends.forecast.unwrap();
    // Thirty days of 100,000 msat each.
    assert_eq!((told.days_known, told.week.fees_msat), (30, Msat::new(700_000)));
}
