//! A channel with its secrets: read from their files when something is to be sent, shown to nobody.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::failed::Failed;
use crate::config::notify::{Channel, Kind, Notify};
use crate::notice::Hide;
use crate::render::digest::Depth;
use crate::sources::secret::Secret;
use crate::sources::spec::SecretRef;

/// Where secrets are looked for.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The home folder, for `~/`.
    pub home: Option<PathBuf>,
    /// What systemd hands over.
    pub credentials: Option<PathBuf>,
}

impl Places {
    /// One line of text from a file of our own.
    pub(super) fn text(&self, what: &str, place: &str) -> Result<Arc<SecretString>, Failed> {
        let read = |secret: Secret| secret.expose_text().map(|text| Arc::new(SecretString::from(text.to_owned())));
        self.secret(what, place, Secret::read_own).and_then(|secret| read(secret).map_err(Failed::setup))
    }

    /// A file that is no secret, such as a certificate.
    pub(super) fn file(&self, what: &str, place: &str) -> Result<Vec<u8>, Failed> {
        self.secret(what, place, Secret::read).map(|secret| secret.expose().to_vec())
    }

    fn secret(
        &self,
        what: &str,
        place: &str,
        read: impl Fn(&str, &std::path::Path) -> Result<Secret, crate::sources::secret::Error>,
    ) -> Result<Secret, Failed> {
        let place = match (place.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => SecretRef::File(home.join(rest)),
            _ => place.parse().map_err(|_| Failed::setup(format!("the {what} is at no absolute path")))?,
        };
        read(what, &place.path(self.credentials.as_deref())).map_err(Failed::setup)
    }

    /// An address from a file: a secret itself.
    pub(super) fn url(&self, what: &str, place: &str, notify: &Notify) -> Result<Url, Failed> {
        let text = self.text(what, place)?;
        let url = Url::parse(text.expose_secret());
        let url = url.map_err(|_| Failed::setup(format!("the file of the {what} holds no address")))?;
        if !notify.may_dial(&url) {
            let remedy = "expected https://, or http:// to a host of notify.allow_private";
            return Err(Failed::setup(format!("the {what} can't be used: {remedy}")));
        }
        Ok(url)
    }
}

/// A channel that is ready to send.
pub(super) struct Ready<'a> {
    /// Its settings.
    pub(super) channel: &'a Channel,
    /// Where it sends to; mail has its own way.
    pub(super) url: Option<Url>,
    /// A bot's or user's token, or a mail user's password.
    pub(super) token: Option<Arc<SecretString>>,
    /// What webhooks are signed with.
    pub(super) secret: Option<Arc<SecretString>>,
    /// A certificate that the mail server's may be signed by.
    pub(super) authority: Option<Vec<u8>>,
}

impl<'a> Ready<'a> {
    /// Reads what the channel needs.
    pub(super) fn new(channel: &'a Channel, notify: &Notify, places: &Places) -> Result<Self, Failed> {
        let text = |what, place: &Option<String>| place.as_deref().map(|place| places.text(what, place)).transpose();
        let token = text("token", &channel.token_file)?;
        let password = text("password", &channel.password_file)?;
        let url = match (&channel.url_file, channel.kind) {
            (Some(file), _) => Some(places.url("webhook's address", file, notify)?),
            (None, Kind::Email) => None,
            (None, kind) => {
                let server = channel.server.as_deref().unwrap_or(usual_server(kind));
                Some(Url::parse(server).map_err(|_| Failed::setup("server is no address"))?)
            }
        };
        Ok(Self {
            channel,
            url,
            token: token.or(password),
            secret: text("webhook's secret", &channel.secret_file)?,
            authority: channel.ca_file.as_deref().map(|file| places.file("certificate", file)).transpose()?,
        })
    }

    /// How much of a report it tells.
    pub(super) const fn depth(&self) -> Depth {
        match self.channel.kind {
            Kind::Email | Kind::Webhook => Depth::Mail,
            _ => Depth::Chat,
        }
    }

    /// What stays at home.
    pub(super) fn hides(&self) -> Hide {
        self.channel.hides()
    }

    /// Where it sends to, with these parts at the end of the path.
    pub(super) fn at(&self, parts: &[&str]) -> Result<Url, Failed> {
        let mut url = self.url.clone().ok_or_else(|| Failed::setup("the channel has no address"))?;
        if parts.is_empty() {
            return Ok(url);
        }
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        Ok(url)
    }

    /// The longest message: as the service takes it, or shorter where the config says so.
    pub(super) fn limit(&self, of_service: usize) -> usize {
        let wanted = self.channel.length.and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        of_service.min(wanted)
    }

    /// Words of the other side without anything that could be a secret of this channel: it may repeat what it was sent.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let mut known: Vec<String> = Vec::new();
        for secret in [&self.token, &self.secret].into_iter().flatten() {
            known.push(secret.expose_secret().to_owned());
        }
        known.extend(self.channel.user.clone());
        known.extend(self.channel.topic.clone());
        if self.channel.url_file.is_some()
            && let Some(url) = &self.url
        {
            known.push(url.path().trim_matches('/').to_owned());
            known.extend(url.query().map(str::to_owned));
        }
        known.retain(|secret| !secret.is_empty());
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let text = known.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[hidden]"));
        without_tokens(&text)
    }
}

/// What looks like a token in any spelling: words of sixteen letters and digits or more.
fn without_tokens(text: &str) -> String {
    let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '%' | '+' | '=' | ':' | '/');
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(std::iter::once('\n')) {
        if token(c) {
            word.push(c);
            continue;
        }
        out.push_str(if word.len() >= 16 { "[hidden]" } else { &word });
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// Where a service is where the config does not say so.
const fn usual_server(kind: Kind) -> &'static str {
    match kind {
        Kind::Ntfy => "https://ntfy.sh",
        _ => "https://api.telegram.org",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_token_is_not_repeated() {
        assert_eq!(without_tokens("Bad Request: chat not found"), "Bad Request: chat not found");
        assert_eq!(without_tokens("no /bot12345:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw here"), "no [hidden] here");
        assert_eq!(without_tokens("(Y2FuYXJ5LWNhbmFyeQ==)"), "([hidden])");
    }
}
