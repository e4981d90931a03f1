//! Order statistics of small samples.

/// The value below which this share of the sample lies, between two of them in proportion (Hyndman and Fan's type 7).
/// `None` for an empty sample.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let place = count(last) * share.clamp(0.0, 1.0);
    let below = (0..last).rev().find(|n| count(*n) <= place).unwrap_or(0);
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - count(below)))
}

/// The middle of the sample.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The share of the sample for which `holds`. `None` for an empty sample.
pub fn share<T>(sample: &[T], holds: impl Fn(&T) -> bool) -> Option<f64> {
    let held = sample.iter().filter(|value| holds(value)).count();
    (!sample.is_empty()).then(|| count(held) / count(sample.len()))
}

/// The mean. `None` for an empty sample.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count(values.len()))
}

/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of theirs. `None` below three pairs
/// and where one side is all the same.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (first, second) = (ranks(&first), ranks(&second));
    let middle = mean(&first)?;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let spread = (product(&first, &first) * product(&second, &second)).sqrt();
    (spread > 0.0).then(|| product(&first, &second) / spread)
}

/// The place of each value in the sorted sample, from 1.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let less = values.iter().filter(|other| other.total_cmp(value).is_lt()).count();
        let equal = values.iter().filter(|other| other.total_cmp(value).is_eq()).count();
        // Places less + 1 to less + equal.
        count(less) + f64::midpoint(1.0, count(equal))
    };
    values.iter().map(rank).collect()
}

/// A count as a number to reckon with.
pub fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

/// An amount as a number to reckon with: exact below 2^53.
pub fn real(amount: i64) -> f64 {
    let high = i32::try_from(amount >> 32).map_or(0.0, f64::from);
    let low = u32::try_from(amount & i64::from(u32::MAX)).map_or(0.0, f64::from);
    high * 4_294_967_296.0 + low
}
