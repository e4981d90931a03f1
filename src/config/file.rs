//! One file of settings: read with the line of whatever is wrong in it.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, Error, clip, is_below, keys, means, notify, refused};

/// What to do about text that is no TOML.
fn remedy(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "this key or [section] stands above already: put what is new there"
    } else {
        "expected lines of key = value below a [section]"
    }
}

/// The settings of one file, checked.
pub(super) fn read(path: &Path, text: &str) -> Result<toml::Table, Error> {
    let at = |offset: usize| format!("{}:{}", path.display(), line(text, offset));
    let document = DeTable::parse(text).map_err(|e| Error {
        place: at(e.span().map_or(0, |s| s.start)),
        problem: format!("not TOML: {}; {}", clip(e.message()), remedy(e.message())),
    })?;
    let mut leaves = Vec::new();
    walk(document.get_ref(), "", &mut leaves).map_err(|(offset, problem)| Error { place: at(offset), problem })?;
    let wrong =
        |key: &str, span: &Range<usize>| refused(at(span.start), key, text.get(span.clone()).unwrap_or_default());
    let config: Config = toml::from_str(text).map_err(|e| {
        let start = e.span().map_or(0, |s| s.start);
        let leaf = leaves.iter().find(|(_, span)| span.contains(&start));
        let problem = || if notify::lacks_kind(e.message()) { notify::NO_KIND.to_owned() } else { clip(e.message()) };
        let other = || Error { place: at(start), problem: problem() };
        leaf.map_or_else(other, |(key, span)| wrong(key, span))
    })?;
    config.check().map_err(|(key, given)| {
        let leaf = leaves.iter().find(|(k, _)| *k == key);
        leaf.map_or_else(|| refused(path.display().to_string(), &key, &given), |(key, span)| wrong(key, span))
    })?;
    config.notify.check().map_err(|(key, problem)| {
        let leaf = leaves.iter().find(|(k, _)| *k == key);
        let place = leaf.map_or_else(|| path.display().to_string(), |(_, span)| at(span.start));
        Error { place, problem }
    })?;
    toml::Table::deserialize(
        toml::Deserializer::parse(text)
            .map_err(|e| Error { place: path.display().to_string(), problem: clip(e.message()) })?,
    )
    .map_err(|e| Error { place: path.display().to_string(), problem: clip(e.message()) })
}

/// Collects each setting with the place of its value; an unknown one is an error with its place.
fn walk(table: &DeTable<'_>, above: &str, leaves: &mut Vec<(String, Range<usize>)>) -> Result<(), (usize, String)> {
    for (name, value) in table {
        let path = if above.is_empty() { name.get_ref().to_string() } else { format!("{above}.{}", name.get_ref()) };
        let is_leaf = keys().any(|(key, _)| means(key, &path));
        let is_section = keys().any(|(key, _)| is_below(key, &path) && !means(key, &path));
        match value.get_ref() {
            DeValue::Table(inner) if is_section => walk(inner, &path, leaves)?,
            _ if is_leaf => leaves.push((path, value.span())),
            _ if is_section => {
                return Err((
                    name.span().start,
                    format!("{path} is a section: expected [{path}] on a line of its own"),
                ));
            }
            _ => return Err((name.span().start, unknown(&path, above, name))),
        }
    }
    Ok(())
}

/// The words for a setting that there is not, with the one that was probably meant.
fn unknown(path: &str, above: &str, name: &Spanned<Cow<'_, str>>) -> String {
    let name = name.get_ref();
    let elsewhere =
        keys().find(|(key, _)| key.rsplit('.').next() == Some(name)).map(|(key, _)| key.replace('*', "NAME"));
    let deep = if above.is_empty() { 0 } else { above.split('.').count() };
    let mut candidates: Vec<String> = keys()
        .filter(|(key, _)| above.is_empty() || is_below(key, above))
        .filter_map(|(key, _)| key.split('.').nth(deep))
        .map(|name| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") })
        .collect();
    candidates.dedup();
    let near = candidates
        .iter()
        .map(|key| (distance(name, key.rsplit('.').next().unwrap_or(key)), key))
        .filter(|(d, _)| *d <= 2.max(name.chars().count() / 3))
        .min()
        .map(|(_, key)| key.clone());
    let hint = match (near, elsewhere) {
        (Some(key), _) => format!("did you mean {key}?"),
        (None, Some(key)) => {
            format!("{key} is in the section [{}]", key.rsplit_once('.').map_or("", |(section, _)| section))
        }
        (None, None) => {
            let names: Vec<&str> = candidates.iter().map(|k| k.rsplit('.').next().unwrap_or(k)).collect();
            format!("expected one of {}", names.join(", "))
        }
    };
    format!("unknown setting {}: {hint}", clip(path))
}

/// Letters to change, add or drop to make one word of the other.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, above_left), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((above + 1).min(left + 1).min(above_left + usize::from(x != *y)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The line, counted from 1, of a place in a text.
fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

/// Lays one table over another: what `over` sets wins.
pub(super) fn lay_over(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Sets the value at a path of dots.
pub(super) fn put(table: &mut toml::Table, path: &str, value: &toml::Value) {
    let nested = path.rsplit_once('.').map_or_else(
        || toml::Table::from_iter([(path.to_owned(), value.clone())]),
        |(section, key)| {
            let mut inner = toml::Value::Table(toml::Table::from_iter([(key.to_owned(), value.clone())]));
            for part in section.rsplit('.') {
                inner = toml::Value::Table(toml::Table::from_iter([(part.to_owned(), inner)]));
            }
            match inner {
                toml::Value::Table(table) => table,
                _ => toml::Table::new(),
            }
        },
    );
    lay_over(table, nested);
}
