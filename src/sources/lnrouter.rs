//! LNRouter, of which no public API is documented: address and header come from the config, the shape of the answer is
//! daznode's own, and what it says is labelled as not verified wherever it is shown.

use serde::{Deserialize, Serialize};
use url::Url;

use super::http::{self, HeaderName, Question};
use crate::units::Pubkey;

/// Its name in reports.
pub const NAME: &str = "lnrouter";
/// The header that its key goes in unless the config says otherwise.
pub const DEFAULT_HEADER: &str = "Authorization";

/// Whether and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Off unless set: it learns the node's key and from where it is asked.
    pub enabled: bool,
    /// Where it is asked; there is no known one.
    pub url: Option<String>,
    /// The header that takes the key: `Authorization` as a bearer's, any other as it is.
    pub header: String,
    /// File or credential with its API key.
    pub key_file: Option<String>,
    /// For how long an answer is good.
    pub cache_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: false, url: None, header: DEFAULT_HEADER.to_owned(), key_file: None, cache_minutes: 180 }
    }
}

/// Where it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LnRouter {
    base: Url,
    header: Option<HeaderName>,
}

impl LnRouter {
    /// For the address of the settings; `None` without one.
    pub fn new(settings: &Settings) -> Result<Option<Self>, http::Error> {
        let base = http::parse_optional("sources.lnrouter", settings.enabled, settings.url.as_deref())?;
        let header = http::header_name("sources.lnrouter.header", &settings.header)?;
        let header = (header.as_str() != "authorization").then_some(header);
        Ok(base.map(|base| Self { base, header }))
    }

    /// Its address.
    pub const fn base(&self) -> &Url {
        &self.base
    }

    /// Asks whether anything answers there: the address itself may well have no page.
    pub fn ask_health(&self) -> Question {
        let is_final = |status, _: &str| status == 404;
        Question { is_final, key_header: self.header.clone(), ..Question::get(self.base.clone()) }
    }

    /// Asks for a node and the network around it.
    pub fn ask_node(&self, node: &Pubkey) -> Question {
        let url = http::below(&self.base, node.as_str());
        Question { key_header: self.header.clone(), ..Question::get(url) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_no_address_of_its_own_and_a_header_that_can_be_chosen() {
        let with = |url: Option<&str>, header: &str| {
            let settings = Settings {
                enabled: true,
                url: url.map(str::to_owned),
                header: header.to_owned(),
                ..Settings::default()
            };
            LnRouter::new(&settings)
        };
        assert_eq!(LnRouter::new(&Settings::default()), Ok(None));
        let node: Pubkey = format!("02{}", "ab".repeat(32)).parse().unwrap();
        let router = with(Some("https://r.example/v1/node"), "X-API-KEY").unwrap().unwrap();
        let question = router.ask_node(&node);
        assert_eq!(question.url.as_str(), format!("https://r.example/v1/node/{node}"));
        assert_eq!(question.key_header.unwrap().as_str(), "x-api-key");
        assert_eq!(with(Some("https://r.example"), "authorization").unwrap().unwrap().ask_health().key_header, None);
        for (url, header, word) in [
            (None, "X-API-KEY", "sources.lnrouter.url"),
            (Some("ftp://r.example"), "X-API-KEY", "sources.lnrouter.url"),
            (Some("https://r.example"), "X API", "sources.lnrouter.header"),
            (Some("https://r.example"), "Content-Length", "sources.lnrouter.header"),
        ] {
            let why = with(url, header).unwrap_err().to_string();
            assert!(why.contains(word), "{why}");
        }
    }
}
