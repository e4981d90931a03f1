//! What the days before say of today's score: what stands in for a gap, and how the score moved.

use super::{Counted, MILLI, capped, rounded};
use crate::analysis::facts::Facts;
use crate::analysis::number::{real, whole};
use crate::analysis::words;
use crate::history::PastScore;
use crate::report::{Report, SCORE_VERSION, ScorePart};

/// Scores of the same formula that are not too old, the latest first.
fn recent<'f>(facts: &Facts<'f>) -> impl Iterator<Item = &'f PastScore> {
    let today = facts.window.end.day();
    let oldest = today.plus(facts.limits.score_carry_days.saturating_neg());
    let same = move |s: &&PastScore| s.score_version == SCORE_VERSION && s.date < today && s.date >= oldest;
    facts.history.past_scores.iter().filter(same)
}

/// A part that was measured that day, with nothing carried.
fn measured<'s>(score: &'s PastScore, name: &str) -> Option<(&'s ScorePart, i64, i64)> {
    let part = score.parts.iter().find(|p| p.name == name && p.as_of.is_none())?;
    let (won, weight) = milli(part)?;
    Some((part, won, weight))
}

/// What could not be measured today keeps the weight that it had on the last day that it was, and gets no more points
/// than make up the part's of that day.
pub(super) fn carried(facts: &Facts<'_>, now: Counted) -> Counted {
    let fuller =
        |score: &'_ PastScore| measured(score, &now.part.name).is_some_and(|(_, _, weight)| weight > now.weight);
    let last = (now.missing > 0).then(|| recent(facts).find(|score| fuller(score))).flatten();
    let Some(last) = last else { return now };
    let Some((old, old_won, old_weight)) = measured(last, &now.part.name) else { return now };
    let room = now.missing.min(old_weight - now.weight);
    let won = now.won + (old_won - now.won).clamp(0, room);
    let weight = now.weight + room;
    let days = facts.window.end.day().number() - last.date.number();
    let age = words::number(usize::try_from(days).unwrap_or(0), "day");
    let part = ScorePart {
        value: now.part.value.or(old.value),
        points: Some(real(won) / real(MILLI)),
        points_lost: Some(real(weight - won) / real(MILLI)),
        sentence: format!("{} What is missing keeps its value of {}, {age} ago.", now.part.sentence, last.date),
        as_of: Some(last.date),
        ..now.part
    };
    Counted { part, won, weight, missing: now.missing }
}

/// Where an area of safety could not be looked at, what held the score down on the day that stands in for it still does.
pub(super) fn cap(facts: &Facts<'_>, parts: &[ScorePart]) -> Option<i64> {
    let as_of = parts.iter().find(|p| p.name == "safety")?.as_of?;
    recent(facts).find(|score| score.date == as_of)?.cap
}

/// Points more than the day before, over the parts that were measured, not carried, on both days, by the same formula.
pub(super) fn delta(facts: &Facts<'_>, parts: &[ScorePart], cap: Option<i64>) -> Option<i64> {
    let before: &Report = facts.history.previous_report.as_ref()?;
    let yesterday = facts.window.end.day().plus(-1);
    if before.score_version != SCORE_VERSION
        || before.report_date != yesterday
        || before.summary.overall_score.is_none()
    {
        return None;
    }
    let (mut then, mut now) = ((0_i64, 0_i64), (0_i64, 0_i64));
    for part in parts.iter().filter(|p| p.as_of.is_none()) {
        let same = |old: &&ScorePart| old.name == part.name && old.as_of.is_none();
        let Some(old) = before.score_parts.iter().find(same) else { continue };
        if let (Some(new), Some(old)) = (milli(part), milli(old)) {
            (now.0, now.1) = (now.0.saturating_add(new.0), now.1.saturating_add(new.1));
            (then.0, then.1) = (then.0.saturating_add(old.0), then.1.saturating_add(old.1));
        }
    }
    let now = capped(rounded(now.0, now.1)?, cap);
    let then = capped(rounded(then.0, then.1)?, before.safety.score_cap);
    Some(now - then)
}

/// Points won and weight measured of a part, in thousandths.
fn milli(part: &ScorePart) -> Option<(i64, i64)> {
    let (won, lost) = (whole(part.points? * real(MILLI)), whole(part.points_lost? * real(MILLI)));
    Some((won.max(0), won.max(0).saturating_add(lost.max(0))))
}
