//! Windows of time that end at one moment, so that what is summed by whole days need not be read event by event.

use super::events::DAY_NS;
use crate::history::Window;
use crate::units::UnixMs;

/// The start of a window that has everything before its end.
const ALWAYS: i64 = i64::MIN;

/// Windows that end at the same moment, the shortest first.
#[derive(Clone, Copy)]
pub(super) struct Windows<const N: usize> {
    /// Nanoseconds; not included.
    pub end: i64,
    /// Nanoseconds; included. The latest first.
    starts: [i64; N],
}

impl<const N: usize> Windows<N> {
    /// Windows of so many days of 24 hours; `None` is everything, and can only be the last.
    pub(super) fn before(end: UnixMs, days: [Option<i64>; N]) -> Self {
        let end = end.nanos();
        Self { end, starts: days.map(|days| days.map_or(ALWAYS, |days| end.saturating_sub(days * DAY_NS))) }
    }

    /// The shortest window that has this moment.
    pub(super) fn shortest(&self, at_ns: i64) -> Option<usize> {
        (at_ns < self.end).then(|| self.starts.iter().position(|start| at_ns >= *start)).flatten()
    }

    /// Start of the longest window that has one.
    pub(super) fn oldest(&self) -> i64 {
        self.starts.iter().rev().copied().find(|start| *start != ALWAYS).unwrap_or(self.end)
    }

    /// Whether the last window has everything.
    pub(super) fn has_ever(&self) -> bool {
        self.starts.last() == Some(&ALWAYS)
    }

    /// The days that a sum by days is read of: the first, and the first after the last whole one.
    pub(super) fn days(&self) -> (i64, i64) {
        (self.oldest().div_euclid(DAY_NS), self.end.div_euclid(DAY_NS))
    }

    /// Days that are cut by a start or the end: these are summed from events, as half-open spans inside the windows.
    pub(super) fn cut_days(&self) -> Vec<(i64, i64)> {
        let mut cuts: Vec<i64> = self.starts.iter().chain([&self.end]).copied().filter(|at| *at != ALWAYS).collect();
        cuts.retain(|at| at.rem_euclid(DAY_NS) != 0);
        let mut days: Vec<i64> = cuts.into_iter().map(|at| at.div_euclid(DAY_NS)).collect();
        days.sort_unstable();
        days.dedup();
        let first = if self.has_ever() { ALWAYS } else { self.oldest() };
        days.into_iter().map(|day| ((day * DAY_NS).max(first), ((day + 1) * DAY_NS).min(self.end))).collect()
    }

    /// The ring of this moment: the shortest window that has it, less the one before.
    pub(super) fn ring<'a, T>(&self, rings: &'a mut [T; N], at_ns: i64) -> Option<&'a mut T> {
        self.shortest(at_ns).and_then(|ring| rings.get_mut(ring))
    }

    /// Every window that has this moment.
    pub(super) fn each<'a, T>(&self, windows: &'a mut [T; N], at_ns: i64) -> impl Iterator<Item = &'a mut T> {
        windows.iter_mut().skip(self.shortest(at_ns).unwrap_or(N))
    }
}

impl Windows<1> {
    /// One window.
    pub(super) const fn one(window: Window) -> Self {
        Self { end: window.end.nanos(), starts: [window.start.nanos()] }
    }
}
