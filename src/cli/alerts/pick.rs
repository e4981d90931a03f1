//! Which alert is meant by a key, an id, or the beginning of one.

use crate::cli::failure::usage;
use crate::cli::text;
use crate::config::distance;
use crate::store::AlertRow;

/// What a word can mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Picked<'a> {
    One(&'a AlertRow),
    /// Several keys begin so.
    Several(Vec<&'a str>),
    None,
}

/// The alert of this key or id: of a key's occurrences the one that is open, else the latest.
pub(super) fn find<'a>(rows: &'a [AlertRow], word: &str) -> Picked<'a> {
    if word.is_empty() {
        return Picked::None;
    }
    if let Some(row) = rows.iter().find(|row| row.id.to_string() == word) {
        return Picked::One(row);
    }
    let open = |row: &&AlertRow| row.resolved_at.is_none();
    let exact = rows.iter().filter(|row| row.alert_key == word);
    if let Some(row) = exact.max_by_key(|row| (open(row), row.occurrence)) {
        return Picked::One(row);
    }
    // Those that stand are meant rather than those that are over.
    for standing in [true, false] {
        let begins = rows.iter().filter(|row| open(row) == standing && row.alert_key.starts_with(word));
        let mut keys: Vec<&str> = begins.clone().map(|row| row.alert_key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        match keys.len() {
            0 => {}
            1 => return begins.max_by_key(|row| row.occurrence).map_or(Picked::None, Picked::One),
            _ => return Picked::Several(keys),
        }
    }
    let ids: Vec<&AlertRow> =
        rows.iter().filter(|row| word.len() >= 8 && row.id.to_string().starts_with(word)).collect();
    match ids.as_slice() {
        [] => Picked::None,
        [one] => Picked::One(one),
        several => Picked::Several(several.iter().map(|row| row.alert_key.as_str()).collect()),
    }
}

/// The alert that is meant.
pub(super) fn alert<'a>(rows: &'a [AlertRow], word: &str) -> anyhow::Result<&'a AlertRow> {
    match find(rows, word) {
        Picked::One(row) => Ok(row),
        Picked::Several(keys) => Err(several(word, "alert", &keys)),
        Picked::None => Err(none(rows.iter().map(|row| row.alert_key.as_str()), word, "alert")),
    }
}

/// The alert that is meant, which must stand.
pub(super) fn open<'a>(rows: &'a [AlertRow], word: &str) -> anyhow::Result<&'a AlertRow> {
    let found = alert(rows, word)?;
    match found.resolved_at {
        None => Ok(found),
        Some(at) => {
            let at = crate::render::number::short_moment(at);
            Err(usage(format!("{} is over since {at}: see `daznode alerts list`", text::line(&found.alert_key))))
        }
    }
}

/// The one of some names that a word is, or begins.
pub(super) fn one<'a>(names: impl Iterator<Item = &'a str> + Clone, word: &str, what: &str) -> anyhow::Result<&'a str> {
    if let Some(exact) = names.clone().find(|name| *name == word || name.strip_suffix(":*") == Some(word)) {
        return Ok(exact);
    }
    let begins: Vec<&str> = names.clone().filter(|name| !word.is_empty() && name.starts_with(word)).collect();
    match begins.as_slice() {
        [only] => Ok(only),
        [] => Err(none(names, word, what)),
        some => Err(several(word, what, some)),
    }
}

/// The words for several that begin so.
pub(super) fn several(word: &str, what: &str, keys: &[&str]) -> anyhow::Error {
    let more = keys.len().checked_sub(4).filter(|n| *n > 0).map(|n| format!(", {n} more")).unwrap_or_default();
    let shown: Vec<String> = keys.iter().take(4).map(|key| text::line(key)).collect();
    usage(format!("{} {what}s begin with {:?}: {}{more}", keys.len(), text::line(word), shown.join(", ")))
}

/// The words for none, with those that are nearest.
pub(super) fn none<'a>(names: impl Iterator<Item = &'a str>, word: &str, what: &str) -> anyhow::Error {
    // What stands behind the rule is too long to be typed wrong by a letter or two.
    let rule = |name: &'a str| name.split(':').next().unwrap_or(name);
    let typed = word.split(':').next().unwrap_or(word);
    let mut near: Vec<(usize, &str)> = names
        .map(|name| (distance(typed, rule(name)), name))
        .filter(|(far, name)| *far <= 2.max(typed.chars().count() / 3) || name.contains(word) && !word.is_empty())
        .collect();
    near.sort_unstable();
    near.dedup();
    let near: Vec<String> = near.into_iter().take(3).map(|(_, name)| text::line(name)).collect();
    let hint = if near.is_empty() {
        "`daznode alerts list --all` lists them".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    usage(format!("no {what} begins with {:?}: {hint}", text::line(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Severity;
    use crate::units::UnixMs;

    fn row(key: &str, occurrence: u32, open: bool) -> AlertRow {
        AlertRow {
            id: uuid::Uuid::from_u128(u128::from(occurrence) << 96 | u128::from(open)),
            alert_key: key.to_owned(),
            rule: String::new(),
            subject: String::new(),
            severity: Severity::Critical,
            title: String::new(),
            description: String::new(),
            requires_action: true,
            opened_at: UnixMs(0),
            last_at: UnixMs(0),
            resolved_at: (!open).then_some(UnixMs(1)),
            acknowledged_at: None,
            first_acknowledged_at: None,
            occurrence,
            flapping: false,
            told: 0,
        }
    }

    fn rows() -> Vec<AlertRow> {
        vec![
            row("disk-full:/", 3, false),
            row("disk-full:/", 4, true),
            row("disk-full:/home", 7, false),
            row("htlc-expiry:a", 1, false),
            row("htlc-expiry:a", 2, false),
            row("htlc-many:b", 9, true),
        ]
    }

    #[track_caller]
    fn finds(word: &str, occurrence: u32) {
        match find(&rows(), word) {
            Picked::One(row) => assert_eq!(row.occurrence, occurrence, "{word}"),
            other => panic!("{word}: {other:?}"),
        }
    }

    #[test]
    fn a_key_means_the_occurrence_that_stands_and_else_the_latest() {
        finds("disk-full:/", 4);
        finds("disk-full:/home", 7);
        finds("htlc-expiry:a", 2);
        finds("disk", 4);
        finds("htlc-e", 2);
        finds("htlc", 9);
        finds("00000003", 3);
        finds(&row("x", 1, false).id.to_string(), 1);
        assert_eq!(find(&rows(), ""), Picked::None);
        assert_eq!(find(&rows(), "0000"), Picked::None);
        let twins = [row("a:1", 1, true), row("a:2", 1, true)];
        assert_eq!(find(&twins, "a"), Picked::Several(vec!["a:1", "a:2"]));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is_near() {
        let rows = rows();
        let error = |word: &str| alert(&rows, word).unwrap_err().to_string();
        assert_eq!(
            error("disc-full"),
            "no alert begins with \"disc-full\": did you mean disk-full:/, disk-full:/home?"
        );
        assert_eq!(error("zzzzzz"), "no alert begins with \"zzzzzz\": `daznode alerts list --all` lists them");
        assert!(open(&rows, "htlc-expiry").unwrap_err().to_string().contains("is over since 1970-01-01 00:00 UTC"));
        let twins = [row("a:1", 1, true), row("a:2", 1, true)];
        assert_eq!(alert(&twins, "a").unwrap_err().to_string(), "2 alerts begin with \"a\": a:1, a:2");
    }

    #[test]
    fn a_mute_is_named_by_its_rule_its_key_or_the_beginning() {
        let names = ["disk-full:*", "disk-full:/", "htlc-expiry:a"];
        let pick = |word| one(names.iter().copied(), word, "mute").ok();
        assert_eq!(pick("disk-full"), Some("disk-full:*"));
        assert_eq!(pick("disk-full:/"), Some("disk-full:/"));
        assert_eq!(pick("htlc"), Some("htlc-expiry:a"));
        assert_eq!((pick("disk"), pick("")), (None, None));
    }
}
