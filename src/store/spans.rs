//! Half-open spans of time in lists that are sorted and do not overlap.

/// From (included) and to (not included), in milliseconds.
pub(super) type Span = (i64, i64);

/// Sorts spans and joins those that touch.
pub(super) fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match joined.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// What both lists have.
pub(super) fn common(left: &[Span], right: &[Span]) -> Vec<Span> {
    let mut common = Vec::new();
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let (from, to) = (a.0.max(b.0), a.1.min(b.1));
        if from < to {
            common.push((from, to));
        }
        if a.1 <= b.1 {
            left.next();
        } else {
            right.next();
        }
    }
    common
}

/// What a span has and the list has not.
pub(super) fn without(whole: Span, list: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut from = whole.0;
    for (start, end) in common(&[whole], list) {
        left.push((from, start));
        from = end;
    }
    left.push((from, whole.1));
    left.retain(|(from, to)| from < to);
    left
}

/// How long they are together.
pub(super) fn length(spans: &[Span]) -> i64 {
    spans.iter().map(|(from, to)| to - from).sum()
}

/// The span that has this moment.
pub(super) fn at(spans: &[Span], moment: i64) -> Option<Span> {
    let after = spans.partition_point(|(from, _)| *from <= moment);
    after.checked_sub(1).and_then(|n| spans.get(n)).filter(|(_, to)| moment < *to).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_join_where_they_touch_and_share_what_both_have() {
        let left = joined(vec![(10, 20), (0, 5), (5, 7), (15, 30), (40, 40)]);
        assert_eq!(left, [(0, 7), (10, 30)]);
        assert_eq!(common(&left, &[(3, 12), (25, 50)]), [(3, 7), (10, 12), (25, 30)]);
        assert_eq!(without((3, 25), &left), [(7, 10)]);
        assert_eq!(without((5, 40), &left), [(7, 10), (30, 40)]);
        assert_eq!((without((12, 20), &left), without((7, 10), &left)), (Vec::new(), vec![(7, 10)]));
        assert_eq!(length(&left), 27);
        assert_eq!(
            (at(&left, 6), at(&left, 7), at(&left, 10), at(&left, 30)),
            (Some((0, 7)), None, Some((10, 30)), None)
        );
        assert_eq!(at(&left, -1), None);
    }
}
