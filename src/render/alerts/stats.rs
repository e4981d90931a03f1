//! How alerts were dealt with, in figures.

use serde::Serialize;

use super::document;
use crate::notice::{Group, Stats, Times};
use crate::render::advice::{AdviceNode, head};
use crate::render::sheet::{Line, Sheet, Style};
use crate::render::table::table;
use crate::render::{Page, number};
use crate::report::Severity;

/// The figures in JSON.
pub fn alert_stats_json(node: &AdviceNode, days: u32, stats: &Stats) -> String {
    #[derive(Serialize)]
    struct Content<'a> {
        days: u32,
        #[serde(flatten)]
        stats: &'a Stats,
    }
    document(node, Content { days, stats })
}

/// The figures for people.
pub fn alert_stats(node: &AdviceNode, days: u32, stats: &Stats, page: &Page) -> String {
    let mut sheet = Sheet::new(page.width);
    head(&mut sheet, node);
    let all = &stats.all;
    let mut parts = vec![format!("{} in {}", number::count(all.opened, "alert"), number::count(days, "day"))];
    parts.push(format!("{} open now", all.open));
    if stats.flapping > 0 {
        parts.push(format!("{} flapping", stats.flapping));
    }
    sheet.pieces(Line::new(), parts.iter().map(|part| Line::plain(part)).collect(), " · ");
    if all.opened == 0 {
        return sheet.text(page.colour);
    }
    let wide = page.columns() >= WIDE;
    let row = |name: &str, group: &Group| row(name, group, wide);
    let mut rows = vec![row("all", all)];
    let named = |severity: Severity| format!("{severity:?}").to_lowercase();
    rows.extend(stats.by_severity.iter().map(|of| row(&named(of.name), &of.group)));
    rows.extend(stats.by_rule.iter().map(|of| row(&of.name, &of.group)));
    let headers: &[&str] = if wide {
        &["", "opened", "open", "acked", "mean", "median", "over", "mean", "median"]
    } else {
        &["", "opened", "open", "acked", "mean", "over", "mean"]
    };
    sheet.blank();
    let mut foot = Sheet::new(page.width);
    foot.blank();
    let legend = "acked, over: alerts that were acknowledged and that are over, and the time until then";
    foot.paragraph(Line::new(), &Line::of(Style::Dim, legend));
    format!("{}{}\n{}", sheet.text(page.colour), table(headers, &rows, page), foot.text(page.colour))
}

/// Columns from which medians stand beside means.
const WIDE: usize = 72;

fn row(name: &str, group: &Group, wide: bool) -> Vec<String> {
    let number = |n: u32| number::thousands(i64::from(n));
    let span = |s: Option<i64>| s.map_or_else(|| "-".to_owned(), |s| number::span(s.saturating_mul(1000)));
    let times = |times: &Times| {
        let median = wide.then(|| span(times.median_s));
        [Some(number(times.count)), Some(span(times.mean_s)), median].into_iter().flatten()
    };
    let mut row = vec![name.to_owned(), number(group.opened), number(group.open)];
    row.extend(times(&group.acknowledged));
    row.extend(times(&group.resolved));
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Lived;
    use crate::render::alerts::tests::{NOW, PAGE, node};

    #[test]
    fn figures_stand_by_severity_and_rule() {
        let lived = Lived {
            alert_key: "disk-full:/".to_owned(),
            rule: "disk-full".to_owned(),
            severity: Severity::Critical,
            opened: NOW,
            acknowledged: Some(NOW.plus(90_000)),
            resolved: None,
            flapping: true,
        };
        let text = alert_stats(&node(), 30, &Stats::of(std::slice::from_ref(&lived)), &PAGE);
        assert!(text.contains("1 alert in 30 days · 1 open now · 1 flapping"), "{text}");
        let row = |name: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(row("disk-full"), "disk-full 1 1 1 1 min 1 min 0 - -");
        assert_eq!(row("critical"), "critical 1 1 1 1 min 1 min 0 - -");
        let narrow = alert_stats(&node(), 30, &Stats::of(&[]), &Page { width: 60, ..PAGE });
        assert!(!narrow.contains("mean"), "{narrow}");
        let lived = [90_000, 600_000, 600_000].map(|ms| Lived { acknowledged: Some(NOW.plus(ms)), ..lived.clone() });
        let narrow = alert_stats(&node(), 30, &Stats::of(&lived), &Page { width: 60, ..PAGE });
        let line = narrow.lines().find(|line| line.trim_start().starts_with("all")).unwrap().trim();
        // (1.5 + 10 + 10) / 3 minutes.
        assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), "all 3 3 3 7 min 0 -", "{narrow}");
        assert!(!narrow.contains("median"), "{narrow}");
        assert!(alert_stats(&node(), 30, &Stats::of(&[]), &PAGE).contains("0 alerts in 30 days"));
    }
}
