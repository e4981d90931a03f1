//! Ratios and rounding. Money stays in integers; a float is made only of a finished ratio, for people to read.

/// An integer as a float, nearest value.
pub(super) fn real(value: i64) -> f64 {
    let high = i32::try_from(value >> 32).unwrap_or(0);
    let low = u32::try_from(value & 0xffff_ffff).unwrap_or(0);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// A float as the nearest integer, halves away from zero; zero for what is not a number.
pub(super) fn whole(value: f64) -> i64 {
    let rounded = value.round();
    if rounded.is_finite() { format!("{rounded:.0}").parse().unwrap_or(0) } else { 0 }
}

/// `part / all` in parts per million, between 0 and 1,000,000; `None` for an empty or negative whole.
pub(super) fn share_ppm(part: i128, all: i128) -> Option<i64> {
    if all <= 0 {
        return None;
    }
    let ppm = part.saturating_mul(1_000_000).checked_div(all)?;
    i64::try_from(ppm.clamp(0, 1_000_000)).ok()
}

/// `part / all` in parts per million, without an upper limit.
pub(super) fn ratio_ppm(part: i128, all: i128) -> Option<i64> {
    if all <= 0 {
        return None;
    }
    let ppm = part.saturating_mul(1_000_000).checked_div(all)?;
    Some(i64::try_from(ppm).unwrap_or(if ppm < 0 { i64::MIN } else { i64::MAX }))
}

/// Parts per million as a share of one, for output.
pub(super) fn share(ppm: i64) -> f64 {
    real(ppm) / 1_000_000.0
}

/// An `i128` held within an `i64`.
pub(super) fn clamp(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// How many, as a `u32`.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The middle value; of an even number, the lower of the two.
pub(super) fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let middle = values.len().checked_sub(1)? / 2;
    values.get(middle).copied()
}

/// The lower quartile (nearest rank).
pub(super) fn lower_quartile(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let at = values.len().checked_sub(1)? / 4;
    values.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_near_what_they_stand_for() {
        for value in [0, 1, -1, 999, -4_294_967_297, 21_000_000 * 100_000_000] {
            assert_eq!(whole(real(value)), value);
        }
        assert_eq!(whole(67.5), 68);
        assert_eq!(whole(-0.4), 0);
        assert_eq!(whole(f64::NAN), 0);
    }

    #[test]
    fn shares_stay_between_nothing_and_all() {
        assert_eq!(share_ppm(1, 4), Some(250_000));
        assert_eq!(share_ppm(9, 4), Some(1_000_000));
        assert_eq!(share_ppm(-9, 4), Some(0));
        assert_eq!(share_ppm(1, 0), None);
        assert!(share_ppm(i128::MAX, i128::MAX).is_some());
        assert_eq!(ratio_ppm(9, 4), Some(2_250_000));
    }

    #[test]
    fn the_median_of_an_even_number_is_the_lower() {
        assert_eq!(median(vec![4, 1, 3, 2]), Some(2));
        assert_eq!(median(vec![]), None);
        assert_eq!(lower_quartile(vec![40, 10, 30, 20, 50]), Some(20));
    }
}
