//! Figures as small pictures in text: a line of bars over days, a bar of a share.

/// What stands for a day without a figure.
const GAP: char = '·';
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Bars from zero (or the lowest, where that is below zero) to the highest; `·` where there is no figure.
pub fn from_zero(values: &[Option<i64>]) -> String {
    let low = values.iter().flatten().copied().min().unwrap_or(0).min(0);
    draw(values, low, values.iter().flatten().copied().max().unwrap_or(0))
}

/// Bars from the lowest to the highest, over a span of at least `least`, so that a change of one point is no cliff.
pub fn between(values: &[Option<i64>], least: i64) -> String {
    let low = values.iter().flatten().copied().min().unwrap_or(0);
    let high = values.iter().flatten().copied().max().unwrap_or(0);
    let missing = least.saturating_sub(high.saturating_sub(low)).max(0);
    let low_end = if low >= 0 { low.saturating_sub(missing).max(0) } else { low.saturating_sub(missing) };
    draw(values, low_end, high.max(low_end.saturating_add(least)))
}

/// Bars from zero to the highest of figures with decimals.
pub fn rates(values: &[Option<f64>]) -> String {
    let high = values.iter().flatten().copied().fold(0.0_f64, f64::max);
    let bar = |value: f64| {
        let reached = (1_u8..8).take_while(|&step| high > 0.0 && value >= high * (f64::from(step) - 0.5) / 7.0).count();
        BARS.get(reached).copied().unwrap_or(GAP)
    };
    values.iter().map(|value| value.map_or(GAP, bar)).collect()
}

fn draw(values: &[Option<i64>], low: i64, high: i64) -> String {
    let span = i128::from(high) - i128::from(low);
    let bar = |value: i64| {
        let above = i128::from(value) - i128::from(low);
        let step = if span > 0 { (above * 14 + span) / (span * 2) } else { 0 };
        usize::try_from(step).ok().and_then(|step| BARS.get(step)).copied().unwrap_or(GAP)
    };
    values.iter().map(|value| value.map_or(GAP, bar)).collect()
}

/// A share from 0 to 1 as `cells` cells; any share above zero fills at least one, any below one leaves at least one.
pub fn share(share: f64, cells: u8) -> String {
    let full = (0..cells).filter(|&cell| share * f64::from(cells) >= f64::from(cell) + 0.5).count();
    let cells = usize::from(cells);
    let full = if share > 0.0 { full.max(1) } else { full };
    let full = if share < 1.0 { full.min(cells.saturating_sub(1)) } else { full };
    format!("{}{}", "▓".repeat(full), "░".repeat(cells.saturating_sub(full)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_is_full_and_a_missing_day_is_a_dot() {
        assert_eq!(from_zero(&[Some(0), None, Some(4), Some(8)]), "▁·▅█");
        assert_eq!(from_zero(&[Some(0), Some(0)]), "▁▁");
        assert_eq!(from_zero(&[]), "");
        assert_eq!(from_zero(&[Some(-8), Some(0), Some(8)]), "▁▅█");
        assert_eq!(from_zero(&[Some(i64::MIN), Some(i64::MAX)]), "▁█");
    }

    #[test]
    fn a_small_change_of_a_score_looks_small() {
        assert_eq!(between(&[Some(68), Some(69)], 10), "▇█");
        assert_eq!(between(&[Some(20), Some(100)], 10), "▁█");
        assert_eq!(between(&[Some(0), Some(0)], 10), "▁▁");
    }

    #[test]
    fn rates_are_drawn_from_zero() {
        assert_eq!(rates(&[Some(0.0), None, Some(5.0), Some(10.0)]), "▁·▅█");
        assert_eq!(rates(&[Some(0.0)]), "▁");
    }

    #[test]
    fn a_share_is_never_shown_as_all_or_nothing_when_it_is_not() {
        assert_eq!(share(0.0, 10), "░░░░░░░░░░");
        assert_eq!(share(0.01, 10), "▓░░░░░░░░░");
        assert_eq!(share(0.71, 10), "▓▓▓▓▓▓▓░░░");
        assert_eq!(share(0.99, 10), "▓▓▓▓▓▓▓▓▓░");
        assert_eq!(share(1.0, 10), "▓▓▓▓▓▓▓▓▓▓");
    }
}
