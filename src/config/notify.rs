//! Who is told what, and how: `[notify]` and one `[notify.channels.NAME]` for each channel.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};
use url::{Host, Url};

use super::{is_address, is_place, is_proxy};
use crate::notice::{EventKind, Hide, Route};
use crate::report::Severity;

/// Who is told what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// A file with a URL that is called after each good run.
    pub heartbeat_url_file: Option<String>,
    /// A file with a URL that is called after each other run.
    pub heartbeat_fail_url_file: Option<String>,
    /// Hosts that may have a private address.
    pub allow_private: BTreeSet<String>,
    /// The channels by their names.
    pub channels: BTreeMap<String, Channel>,
}

/// One way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// What it is.
    pub kind: Kind,
    /// The kinds of events that it gets.
    #[serde(default = "all_events")]
    pub events: Vec<EventKind>,
    /// The least severity of them.
    #[serde(default = "warning")]
    pub severity: Severity,
    /// The users whose profiles it is for; empty for all.
    #[serde(default)]
    pub users: Vec<String>,
    /// What of a message stays at home.
    #[serde(default)]
    pub hide: Vec<Hidden>,
    /// Messages in a minute.
    #[serde(default = "twenty")]
    pub per_minute: u32,
    /// Characters of a message, where the service takes more.
    pub length: Option<u32>,
    /// A SOCKS proxy for this channel.
    pub proxy: Option<String>,
    /// The service: an address, or `host:port` for mail.
    pub server: Option<String>,
    /// The file of a bot's or user's token.
    pub token_file: Option<String>,
    /// The file of a URL that is itself a secret.
    pub url_file: Option<String>,
    /// The file of the key that webhooks are signed with.
    pub secret_file: Option<String>,
    /// Telegram's chat.
    #[serde(default, deserialize_with = "text_or_number")]
    pub chat_id: Option<String>,
    /// Matrix's room.
    pub room: Option<String>,
    /// ntfy's topic.
    pub topic: Option<String>,
    /// Whom mail is from.
    pub from: Option<String>,
    /// Whom mail is for.
    #[serde(default)]
    pub to: Vec<String>,
    /// How mail is encrypted.
    pub tls: Option<Tls>,
    /// The mail server's user.
    pub user: Option<String>,
    /// The file of that user's password.
    pub password_file: Option<String>,
    /// The file of a certificate that the mail server's may be signed by, beside those that the system trusts.
    pub ca_file: Option<String>,
}

/// What a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Mail over SMTP.
    Email,
    /// A chat of Telegram.
    Telegram,
    /// A webhook of Discord.
    Discord,
    /// A webhook of Slack.
    Slack,
    /// A topic of ntfy.
    Ntfy,
    /// A room of Matrix.
    Matrix,
    /// A webhook of one's own, signed.
    Webhook,
}

impl Kind {
    /// As in the config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Telegram => "telegram",
            Self::Discord => "discord",
            Self::Slack => "slack",
            Self::Ntfy => "ntfy",
            Self::Matrix => "matrix",
            Self::Webhook => "webhook",
        }
    }

    /// The settings that it needs, and those that it can have, beside those of every channel.
    const fn settings(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Email => (&["server", "from", "to"], &["tls", "user", "password_file", "ca_file"]),
            Self::Telegram => (&["token_file", "chat_id"], &["server"]),
            Self::Discord | Self::Slack => (&["url_file"], &[]),
            Self::Ntfy => (&["topic"], &["server", "token_file"]),
            Self::Matrix => (&["server", "room", "token_file"], &[]),
            Self::Webhook => (&["url_file", "secret_file"], &[]),
        }
    }
}

/// What can stay at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hidden {
    /// Amounts of money.
    Amounts,
    /// Keys of nodes and ids of channels.
    Pubkeys,
    /// Names of nodes.
    Aliases,
}

/// How mail is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From the first byte, as on port 465.
    #[default]
    Implicit,
    /// After STARTTLS, as on port 587; nothing is sent without it.
    Starttls,
    /// Not at all: only to this machine.
    None,
}

/// What each setting may be.
pub(super) const FORMS: &[(&str, &str)] = &[
    ("notify.heartbeat_url_file", FILE),
    ("notify.heartbeat_fail_url_file", FILE),
    ("notify.allow_private", "a list of host names and IP addresses"),
    ("notify.channels.*.kind", KINDS),
    (
        "notify.channels.*.events",
        "a list of \"alert_opened\", \"alert_raised\", \"alert_repeated\", \"alert_resolved\", \"report\", \
         \"run_failed\", \"run_late\" and \"test\"",
    ),
    ("notify.channels.*.severity", "\"critical\", \"warning\" or \"info\""),
    ("notify.channels.*.users", "a list of users of `daznode enable --user`"),
    ("notify.channels.*.hide", "a list of \"amounts\", \"pubkeys\" and \"aliases\""),
    ("notify.channels.*.per_minute", "a whole number from 1 to 600"),
    ("notify.channels.*.length", "a whole number from 200 to 100000"),
    ("notify.channels.*.proxy", "\"socks5h://host:port\""),
    (
        "notify.channels.*.server",
        "an address that begins with https:// or, on a host of notify.allow_private, http://; \"host:port\" for email",
    ),
    ("notify.channels.*.token_file", FILE),
    ("notify.channels.*.url_file", FILE),
    ("notify.channels.*.secret_file", FILE),
    ("notify.channels.*.chat_id", "a chat's number or \"@channelname\""),
    ("notify.channels.*.room", "a room's id, such as \"!abc:example.org\""),
    ("notify.channels.*.topic", "up to 64 letters, digits, dashes and underscores"),
    ("notify.channels.*.from", "a mail address"),
    ("notify.channels.*.to", "a list of mail addresses"),
    ("notify.channels.*.tls", "\"implicit\", \"starttls\", or \"none\" to a server on this machine"),
    ("notify.channels.*.user", "the mail server's name for you"),
    ("notify.channels.*.password_file", FILE),
    ("notify.channels.*.ca_file", "the path of a certificate file"),
];

const KINDS: &str = "\"email\", \"telegram\", \"discord\", \"slack\", \"ntfy\", \"matrix\" or \"webhook\"";
const FILE: &str = "the path of a file or \"credential:NAME\", never the secret itself";

/// The words for a channel without a kind.
pub(super) const NO_KIND: &str = "the channel has no kind: each file that names a channel tells all of it, beginning \
     with kind = \"email\", \"telegram\", \"discord\", \"slack\", \"ntfy\", \"matrix\" or \"webhook\"";

/// Whether a parser's message says that.
pub(super) fn lacks_kind(message: &str) -> bool {
    message.contains("missing field `kind`")
}

fn all_events() -> Vec<EventKind> {
    EventKind::ALL.to_vec()
}

const fn warning() -> Severity {
    Severity::Warning
}

const fn twenty() -> u32 {
    20
}

/// Chats have numbers, and channels names.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    Ok(Option::<Either>::deserialize(deserializer)?.map(|either| match either {
        Either::Number(number) => number.to_string(),
        Either::Text(text) => text,
    }))
}

/// A setting and what is wrong with it.
type Fault = (String, String);

impl Notify {
    /// What goes to which channel.
    pub(super) fn routes(&self) -> Vec<Route> {
        let route = |(name, channel): (&String, &Channel)| Route {
            channel: name.clone(),
            kinds: channel.events.clone(),
            least: channel.severity,
            users: channel.users.clone(),
        };
        self.channels.iter().map(route).collect()
    }

    /// The first setting that is wrong, and the words for it.
    pub(super) fn check(&self) -> Result<(), Fault> {
        for (key, file) in [
            ("notify.heartbeat_url_file", &self.heartbeat_url_file),
            ("notify.heartbeat_fail_url_file", &self.heartbeat_fail_url_file),
        ] {
            that(key, file.as_deref().is_none_or(is_place))?;
        }
        that("notify.allow_private", self.allow_private.iter().all(|host| is_host(host)))?;
        self.channels.iter().try_for_each(|(name, channel)| self.check_channel(name, channel))
    }

    fn check_channel(&self, name: &str, channel: &Channel) -> Result<(), Fault> {
        let at = |key: &str| format!("notify.channels.{name}.{key}");
        if !is_name(name) {
            let problem = format!(
                "a channel can't be called {}: expected up to 40 lower-case letters, digits, dashes and underscores",
                super::clip(name)
            );
            return Err((at("kind"), problem));
        }
        let (needed, possible) = channel.kind.settings();
        let kind = channel.kind.name();
        let given = channel.given();
        if let Some(missing) = needed.iter().find(|key| !given.contains(*key)) {
            let problem = format!("{kind} needs {}: expected {}", at(missing), super::form(&at(missing)));
            return Err((at("kind"), problem));
        }
        if let Some(foreign) = given.iter().find(|key| !needed.contains(*key) && !possible.contains(*key)) {
            return Err((at(foreign), format!("{} is no setting of {kind}", at(foreign))));
        }
        let good = |key: &str, good: bool| that(&at(key), good);
        good("per_minute", (1..=600).contains(&channel.per_minute))?;
        good("length", channel.length.is_none_or(|length| (200..=100_000).contains(&length)))?;
        good("proxy", channel.proxy.as_deref().is_none_or(is_proxy))?;
        for (key, file) in [
            ("token_file", &channel.token_file),
            ("url_file", &channel.url_file),
            ("secret_file", &channel.secret_file),
            ("password_file", &channel.password_file),
            ("ca_file", &channel.ca_file),
        ] {
            good(key, file.as_deref().is_none_or(is_place))?;
        }
        let text = |text: &Option<String>, good: &dyn Fn(&str) -> bool| text.as_deref().is_none_or(good);
        good("topic", text(&channel.topic, &is_topic))?;
        good("room", text(&channel.room, &|room| room.starts_with('!') && is_line(room)))?;
        good("chat_id", text(&channel.chat_id, &is_chat))?;
        good("user", text(&channel.user, &is_line))?;
        good("from", text(&channel.from, &is_mail))?;
        good("to", channel.to.iter().all(|to| is_mail(to)))?;
        good("password_file", channel.user.is_some() == channel.password_file.is_some())?;
        match channel.kind {
            Kind::Email => Self::check_mail(channel, &good),
            _ => good("server", text(&channel.server, &|server| self.is_server(server))),
        }
    }

    fn check_mail(channel: &Channel, good: &dyn Fn(&str, bool) -> Result<(), Fault>) -> Result<(), Fault> {
        let server = channel.server.as_deref().unwrap_or_default();
        good("server", is_address(server) && !server.starts_with("unix:"))?;
        let host = server.rsplit_once(':').map_or(server, |(host, _)| host).trim_matches(['[', ']']);
        let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        good("tls", channel.tls != Some(Tls::None) || local)
    }

    /// A token never crosses an open network: only hosts that may be private, and those of Tor, may do without TLS.
    fn is_server(&self, text: &str) -> bool {
        let Ok(url) = Url::parse(text) else { return false };
        let plain =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        plain && self.may_dial(&url)
    }

    /// Whether an address may be called as it is written: over TLS, or to a host that may do without.
    pub fn may_dial(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => !host.is_empty(),
            "http" => self.allow_private.contains(host) || crate::sources::http::is_onion(host),
            _ => false,
        }
    }
}

impl Channel {
    /// What stays at home.
    pub fn hides(&self) -> Hide {
        Hide {
            amounts: self.hide.contains(&Hidden::Amounts),
            pubkeys: self.hide.contains(&Hidden::Pubkeys),
            aliases: self.hide.contains(&Hidden::Aliases),
        }
    }

    /// The settings that belong to some kinds only and are there.
    fn given(&self) -> Vec<&'static str> {
        let all = [
            ("server", self.server.is_some()),
            ("token_file", self.token_file.is_some()),
            ("url_file", self.url_file.is_some()),
            ("secret_file", self.secret_file.is_some()),
            ("chat_id", self.chat_id.is_some()),
            ("room", self.room.is_some()),
            ("topic", self.topic.is_some()),
            ("from", self.from.is_some()),
            ("to", !self.to.is_empty()),
            ("tls", self.tls.is_some()),
            ("user", self.user.is_some()),
            ("password_file", self.password_file.is_some()),
            ("ca_file", self.ca_file.is_some()),
        ];
        all.into_iter().filter(|(_, there)| *there).map(|(key, _)| key).collect()
    }
}

fn that(key: &str, good: bool) -> Result<(), Fault> {
    if good { Ok(()) } else { Err((key.to_owned(), format!("{key} can't be that: expected {}", super::form(key)))) }
}

fn is_name(text: &str) -> bool {
    let fit = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.len() <= 40 && text.bytes().all(fit)
}

fn is_host(text: &str) -> bool {
    Host::parse(text).is_ok_and(|host| host.to_string() == text)
}

/// One line that can stand in a header.
fn is_line(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn is_topic(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn is_chat(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text.strip_prefix('@').is_some_and(is_topic) || (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn is_mail(text: &str) -> bool {
    is_line(text)
        && text.is_ascii()
        && text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty() && !host.contains('@'))
}
