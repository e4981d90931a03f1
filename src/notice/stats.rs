//! How alerts were dealt with over some days: how many, and how long until they were acknowledged and over.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::report::Severity;
use crate::units::UnixMs;

/// One occurrence, as far as it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lived {
    /// `rule:subject`.
    pub alert_key: String,
    /// Its rule.
    pub rule: String,
    /// How bad it was at last.
    pub severity: Severity,
    /// When it was opened.
    pub opened: UnixMs,
    /// When it was first acknowledged.
    pub acknowledged: Option<UnixMs>,
    /// When it was over.
    pub resolved: Option<UnixMs>,
    /// Whether it is damped because it comes and goes.
    pub flapping: bool,
}

/// Times from the opening of alerts to something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// Alerts to which it came.
    pub count: u32,
    /// The mean in seconds; null for none.
    pub mean_s: Option<i64>,
    /// The middle one in seconds: half took longer.
    pub median_s: Option<i64>,
}

impl Times {
    fn of(mut ms: Vec<i64>) -> Self {
        ms.sort_unstable();
        let Ok(count) = u32::try_from(ms.len()) else { return Self::default() };
        let sum: i128 = ms.iter().map(|ms| i128::from(*ms)).sum();
        let mean = sum.checked_div(i128::from(count)).and_then(|ms| i64::try_from(ms / 1000).ok());
        let upper = ms.get(ms.len() / 2);
        let lower = ms.get((ms.len().saturating_sub(1)) / 2);
        let median = lower.zip(upper).map(|(low, high)| low.midpoint(*high) / 1000);
        Self { count, mean_s: mean, median_s: median }
    }
}

/// Some alerts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Occurrences that were opened.
    pub opened: u32,
    /// Of those, open now.
    pub open: u32,
    /// Until they were first acknowledged.
    pub acknowledged: Times,
    /// Until they were over.
    pub resolved: Times,
}

impl Group {
    fn of(alerts: &[&Lived]) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let times = |end: &dyn Fn(&Lived) -> Option<UnixMs>| {
            Times::of(alerts.iter().filter_map(|one| end(one).map(|at| at.since(one.opened).max(0))).collect())
        };
        Self {
            opened: number(alerts.len()),
            open: number(alerts.iter().filter(|one| one.resolved.is_none()).count()),
            acknowledged: times(&|one| one.acknowledged),
            resolved: times(&|one| one.resolved),
        }
    }
}

/// The same for all of one severity or rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named<T> {
    /// Which.
    pub name: T,
    /// Their numbers.
    #[serde(flatten)]
    pub group: Group,
}

/// How alerts were dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// All of them.
    pub all: Group,
    /// By severity, the worst first.
    pub by_severity: Vec<Named<Severity>>,
    /// By rule, the most frequent first.
    pub by_rule: Vec<Named<String>>,
    /// Those that are damped now because they come and go.
    pub flapping: u32,
}

impl Stats {
    /// Counts.
    pub fn of(alerts: &[Lived]) -> Self {
        let all: Vec<&Lived> = alerts.iter().collect();
        let mut severities: BTreeMap<Severity, Vec<&Lived>> = BTreeMap::new();
        let mut rules: BTreeMap<&str, Vec<&Lived>> = BTreeMap::new();
        for one in alerts {
            severities.entry(one.severity).or_default().push(one);
            rules.entry(&one.rule).or_default().push(one);
        }
        let by_severity = severities.into_iter().rev();
        let by_severity = by_severity.map(|(name, of)| Named { name, group: Group::of(&of) }).collect();
        let mut by_rule: Vec<Named<String>> =
            rules.into_iter().map(|(name, of)| Named { name: name.to_owned(), group: Group::of(&of) }).collect();
        by_rule.sort_by_key(|named| std::cmp::Reverse(named.group.opened));
        let flapping: BTreeSet<&str> =
            alerts.iter().filter(|one| one.flapping).map(|one| one.alert_key.as_str()).collect();
        let flapping = u32::try_from(flapping.len()).unwrap_or(u32::MAX);
        Self { all: Group::of(&all), by_severity, by_rule, flapping }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lived(rule: &str, severity: Severity, acknowledged_s: Option<i64>, resolved_s: Option<i64>) -> Lived {
        let opened = UnixMs(1_795_240_800_000);
        let after = |s: i64| opened.plus(s * 1000);
        Lived {
            alert_key: format!("{rule}:x"),
            rule: rule.to_owned(),
            severity,
            opened,
            acknowledged: acknowledged_s.map(after),
            resolved: resolved_s.map(after),
            flapping: false,
        }
    }

    #[test]
    fn means_and_medians_are_of_those_that_came_so_far() {
        let stats = Stats::of(&[
            lived("disk-full", Severity::Warning, Some(60), Some(600)),
            lived("disk-full", Severity::Warning, Some(120), Some(1200)),
            lived("disk-full", Severity::Warning, Some(600), None),
            lived("htlc-expiry", Severity::Critical, None, Some(1201)),
        ]);
        assert_eq!((stats.all.opened, stats.all.open), (4, 1));
        assert_eq!(stats.all.acknowledged, Times { count: 3, mean_s: Some(260), median_s: Some(120) });
        assert_eq!(stats.all.resolved, Times { count: 3, mean_s: Some(1000), median_s: Some(1200) });
        let severities: Vec<_> = stats.by_severity.iter().map(|named| (named.name, named.group.opened)).collect();
        assert_eq!(severities, [(Severity::Critical, 1), (Severity::Warning, 3)]);
        let rules: Vec<_> = stats.by_rule.iter().map(|named| (named.name.as_str(), named.group.opened)).collect();
        assert_eq!(rules, [("disk-full", 3), ("htlc-expiry", 1)]);
        let disk = stats.by_rule[0].group.resolved;
        assert_eq!(disk, Times { count: 2, mean_s: Some(900), median_s: Some(900) }, "between the two in the middle");
        assert_eq!(stats.by_rule[1].group.acknowledged, Times::default());
        let flaps = Lived { flapping: true, ..lived("disk-full", Severity::Warning, None, None) };
        assert_eq!(Stats::of(&[flaps.clone(), flaps]).flapping, 1, "one alert, however often it came");
    }

    #[test]
    fn of_nothing_there_is_no_mean() {
        assert_eq!(Stats::of(&[]), Stats::default());
        let wild = lived("x", Severity::Info, Some(-5), Some(i64::MAX / 2000));
        let times = Stats::of(&[wild.clone(), wild]).all;
        assert_eq!((times.acknowledged.mean_s, times.acknowledged.median_s), (Some(0), Some(0)));
    }
}
