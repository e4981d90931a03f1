//! What a node is used to: the middle of the same weekdays before, and how far they lie from it.
//!
//! A node's flow has a week in it, so a Sunday is held against Sundays. The middle and the middle distance are not moved by
//! one odd day, as a mean and a standard deviation would be.

use super::number::clamp;
use crate::history::DaySum;
use crate::units::Msat;

/// Known days that a habit needs.
const MIN_DAYS: usize = 14;
/// Same weekdays that it needs.
const MIN_SAME: usize = 2;

/// What is usual on a weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Habit {
    /// The middle.
    pub(super) median: Msat,
    /// The middle of the distances from it.
    pub(super) mad: Msat,
    /// Same weekdays that it rests on.
    pub(super) days: usize,
}

/// The habit for the weekday of the last of `days` (oldest first, each of 24 hours, the last ends now), from the same
/// weekdays before it; `None` with fewer than 14 known days before it, or fewer than two of that weekday.
pub(super) fn same_weekdays(days: &[Option<DaySum>], pick: fn(&DaySum) -> Msat) -> Option<Habit> {
    let (_, before) = days.split_last()?;
    if before.iter().flatten().count() < MIN_DAYS {
        return None;
    }
    let same: Vec<Msat> = before.iter().rev().skip(6).step_by(7).flatten().map(pick).collect();
    if same.len() < MIN_SAME {
        return None;
    }
    let median = middle(same.clone())?;
    let mad = middle(same.iter().map(|value| (*value - median).abs()).collect())?;
    Some(Habit { median, mad, days: same.len() })
}

/// The middle value; of an even number, half way between the two in the middle.
pub(super) fn middle(mut values: Vec<Msat>) -> Option<Msat> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get(values.len().checked_sub(1)? / 2)?;
    Some(Msat::new(clamp((i128::from(lower.get()) + i128::from(upper.get())).div_euclid(2))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(fees: &[i64]) -> Vec<Option<DaySum>> {
        fees.iter().map(|fee| Some(DaySum { fees: Msat::new(*fee), ..DaySum::default() })).collect()
    }

    #[test]
    fn a_sunday_is_held_against_sundays() {
        // 22 days; the last is day 21, its weekday before: days 14, 7 and 0.
        let mut fees = vec![1_000; 22];
        (fees[0], fees[7], fees[14], fees[21]) = (100, 130, 90, 999);
        let habit = same_weekdays(&days(&fees), |day| day.fees).unwrap();
        // 90, 100, 130: the middle is 100, the distances 10, 0, 30.
        assert_eq!(habit, Habit { median: Msat::new(100), mad: Msat::new(10), days: 3 });
    }

    #[test]
    fn two_days_have_a_middle_and_a_distance() {
        let mut fees = vec![0; 15];
        (fees[0], fees[7]) = (10, 20);
        let habit = same_weekdays(&days(&fees), |day| day.fees).unwrap();
        assert_eq!(habit, Habit { median: Msat::new(15), mad: Msat::new(5), days: 2 });
    }

    #[test]
    fn too_little_is_no_habit() {
        assert_eq!(same_weekdays(&[], |day| day.fees), None);
        assert!(same_weekdays(&days(&[1; 14]), |day| day.fees).is_none(), "13 days before the last");
        assert!(same_weekdays(&days(&[1; 15]), |day| day.fees).is_some());
        let mut gap = days(&[1; 21]);
        (gap[13], gap[20]) = (None, None);
        // 19 known days before the last, but of its weekday only one: day 6.
        assert_eq!(same_weekdays(&gap, |day| day.fees), None);
    }

    #[test]
    fn no_amount_breaks_it() {
        let fees: Vec<i64> = (0..30).map(|i| if i % 2 == 0 { i64::MAX } else { i64::MIN }).collect();
        assert!(same_weekdays(&days(&fees), |day| day.fees).is_some());
    }
}
