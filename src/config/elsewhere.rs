//! Settings of the sources that have no address of their own: another daznode, and LNRouter.

use super::{Sources, is_place, is_url, that, within};
use crate::sources::http::header_name;

/// What their settings may be, in words.
pub(super) const FORMS: &[(&str, &str)] = &[
    ("sources.remote.enabled", "true or false"),
    ("sources.remote.url", URL),
    ("sources.remote.key_file", KEY),
    ("sources.remote.cache_minutes", MINUTES),
    ("sources.lnrouter.enabled", "true or false"),
    ("sources.lnrouter.url", URL),
    ("sources.lnrouter.header", "the name of a header, such as \"X-API-KEY\""),
    ("sources.lnrouter.key_file", KEY),
    ("sources.lnrouter.cache_minutes", MINUTES),
];
const URL: &str = "an address that begins with https:// or http://";
const KEY: &str = "the path of a file or \"credential:NAME\", never the key itself";
const MINUTES: &str = "a whole number from 1 to 10080";

/// The first setting that is wrong, with its value. Whether one that is on has an address is seen of all files together.
pub(super) fn check(sources: &Sources) -> Result<(), (String, String)> {
    let (remote, lnrouter) = (&sources.remote, &sources.lnrouter);
    for (name, url, key, minutes) in [
        ("remote", &remote.url, &remote.key_file, remote.cache_minutes),
        ("lnrouter", &lnrouter.url, &lnrouter.key_file, lnrouter.cache_minutes),
    ] {
        if let Some(url) = url {
            that(&format!("sources.{name}.url"), url, is_url(url))?;
        }
        if let Some(place) = key {
            that(&format!("sources.{name}.key_file"), "", is_place(place))?;
        }
        within(&format!("sources.{name}.cache_minutes"), u64::from(minutes), 1, 10_080)?;
    }
    let header = &lnrouter.header;
    that("sources.lnrouter.header", header, header_name("sources.lnrouter.header", header).is_ok())
}

/// The address that is missing of a source that is on.
pub(super) fn missing(sources: &Sources) -> Option<&'static str> {
    let (remote, lnrouter) = (&sources.remote, &sources.lnrouter);
    [
        ("sources.remote.url", remote.enabled && remote.url.is_none()),
        ("sources.lnrouter.url", lnrouter.enabled && lnrouter.url.is_none()),
    ]
    .into_iter()
    .find_map(|(key, missing)| missing.then_some(key))
}
