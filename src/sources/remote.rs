//! Another daznode's HTTP API: the node and the network as that one sees them. `docs/sources.md` has the API.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::http::{self, Question};
use super::loose::parse;
use super::mempool::Told;
use super::position;
use crate::units::{Pubkey, UnixMs};

/// Its name in reports.
pub const NAME: &str = "remote";

/// Whether and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Off unless set: it learns the node's key and from where it is asked.
    pub enabled: bool,
    /// Its address, what comes before `/v1`.
    pub url: Option<String>,
    /// File or credential with its API key.
    pub key_file: Option<String>,
    /// For how long an answer is good.
    pub cache_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: false, url: None, key_file: None, cache_minutes: 60 }
    }
}

/// Where it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    base: Url,
}

impl Remote {
    /// For the address of the settings; `None` without one.
    pub fn new(settings: &Settings) -> Result<Option<Self>, http::Error> {
        let base = http::parse_optional("sources.remote", settings.enabled, settings.url.as_deref())?;
        Ok(base.map(|base| Self { base }))
    }

    /// Its address without the paths below.
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// Asks how it is.
    pub fn ask_health(&self) -> Question {
        Question::get(http::below(&self.base, "v1/health"))
    }

    /// Asks for a node and the network around it.
    pub fn ask_node(&self, node: &Pubkey) -> Question {
        Question::get(http::below(&self.base, &format!("v1/network/{node}")))
    }
}

/// How a daznode says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Its version.
    pub version: Option<String>,
    /// When its newest report was made.
    pub newest_report_at: Option<UnixMs>,
}

/// Reads how it is. A status of 200 alone says that something answers, not that it is well.
pub fn health(body: &str) -> Result<Told<Health>, String> {
    let said: Map<String, Value> = parse(body)?;
    match said.get("status").and_then(Value::as_str) {
        Some("ok") => {}
        Some(other) => return Err(format!("it says of itself that it is {}, not ok", http::line(other))),
        None => return Err("it does not say how it is (status)".to_owned()),
    }
    let version = match said.get("version") {
        None | Some(Value::Null) => None,
        Some(Value::String(version)) => Some(http::line(version)),
        Some(_) => return Err("its version is not a text".to_owned()),
    };
    let newest_report_at = position::time(&said, "newest_report_at")?;
    Ok(Told::Fact(Health { version, newest_report_at }, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_of_ok_is_health() {
        let good = health(r#"{"status":"ok","version":"0.2.0","newest_report_at":"2026-11-21T06:00:00Z","more":[1]}"#);
        let want = Health { version: Some("0.2.0".to_owned()), newest_report_at: Some(UnixMs(1_795_240_800_000)) };
        assert_eq!(good, Ok(Told::Fact(want, None)));
        assert!(health(r#"{"status":"ok"}"#).is_ok());
        for (bad, word) in [
            (r#"{"status":"degraded"}"#, "degraded"),
            (r#"{"message":"API endpoint","path":"/v1/health"}"#, "does not say"),
            (r#"{"status":true}"#, "does not say"),
            (r#"{"status":"ok","version":7}"#, "version"),
            (r#"{"status":"ok","newest_report_at":"yesterday"}"#, "newest_report_at"),
            ("[]", "shape"),
            ("", "empty"),
            ("<html>", "web page"),
        ] {
            let why = health(bad).unwrap_err();
            assert!(why.contains(word), "{bad}: {why}");
        }
    }

    #[test]
    fn the_paths_are_below_the_address_whether_it_ends_in_a_slash_or_not() {
        for url in ["https://d.example/api", "https://d.example/api/"] {
            let settings = Settings { enabled: true, url: Some(url.to_owned()), ..Settings::default() };
            let remote = Remote::new(&settings).unwrap().unwrap();
            assert_eq!(remote.ask_health().url.as_str(), "https://d.example/api/v1/health");
        }
        assert_eq!(Remote::new(&Settings::default()), Ok(None));
        let lost = Remote::new(&Settings { enabled: true, ..Settings::default() }).unwrap_err().to_string();
        assert!(lost.contains("sources.remote.url"), "{lost}");
    }
}
