//! The last seven days: six that are stored, and this report. A day without a figure is null, never zero.

use crate::history::{History, PastDay};
use crate::report::{Flow, SCORE_VERSION, Summary, Trends};
use crate::units::{Day, Sat};

/// Seven numbers or nulls each, oldest first, the last is this report.
pub(super) fn trends(history: &History, date: Day, summary: &Summary, day: Option<Flow>) -> Trends {
    let past: Vec<Option<&PastDay>> =
        (1..=6).rev().map(|n| date.plus(-n)).map(|d| history.past_days.iter().find(|p| p.date == d)).collect();
    let same_formula = |p: &PastDay| p.score.filter(|_| p.score_version == SCORE_VERSION);
    Trends {
        score_evolution_7d: row(&past, same_formula, summary.overall_score),
        revenue_evolution_7d: row(&past, |p| p.revenue_sat, summary.revenue_sats_24h.map(Sat::get)),
        forward_rate_evolution_7d: row(&past, |p| p.forward_rate, day.map(|f| super::assemble::rate(&f))),
        capacity_evolution_7d: row(&past, |p| p.capacity_sat, summary.capacity_btc.map(|b| b.0.get())),
    }
}

fn row<T>(past: &[Option<&PastDay>], figure: impl Fn(&PastDay) -> Option<T>, today: Option<T>) -> Vec<Option<T>> {
    past.iter().map(|day| day.and_then(&figure)).chain(std::iter::once(today)).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::report::Status;

    #[test]
    fn missing_days_are_null_and_other_formulas_are_not_compared() {
        let today: Day = "2026-11-21".parse().unwrap();
        let past = |n: i64, version, score| PastDay {
            date: today.plus(-n),
            report_id: Uuid::nil(),
            score_version: version,
            score: Some(score),
            revenue_sat: Some(n),
            forward_rate: None,
            capacity_sat: Some(1000),
        };
        let history = History {
            past_days: vec![past(1, SCORE_VERSION, 70), past(3, SCORE_VERSION + 1, 99)],
            ..History::default()
        };
        let summary = Summary {
            overall_score: Some(68),
            score_delta_24h: None,
            status: Status::Healthy,
            critical_alerts: 0,
            warnings: 0,
            capacity_btc: None,
            channels_count: None,
            forwarding_rate_24h: None,
            revenue_sats_24h: None,
        };
        let trends = trends(&history, today, &summary, None);
        assert_eq!(trends.score_evolution_7d, [None, None, None, None, None, Some(70), Some(68)]);
        assert_eq!(trends.revenue_evolution_7d, [None, None, None, Some(3), None, Some(1), None]);
        assert_eq!(trends.forward_rate_evolution_7d, [None; 7]);
        assert_eq!(trends.capacity_evolution_7d.len(), 7);
    }
}
