//! Settings: what there is, what each may be, and from where they come.
//!
//! Defaults < `/etc/daznode/config.toml` < the user's file < `--config` < environment < flags (which `cli` lays over).

mod alerts;
mod elsewhere;
mod file;
mod graph;
mod health;
pub mod notify;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use self::graph::Graph;

use crate::analysis::Thresholds;
use crate::notice::Telling;
use crate::schedule::Schedule;
use crate::sources::{amboss, lnrouter, mempool, remote};
pub use health::Health;

pub use alerts::Alerts;
pub use file::distance;

pub use self::watch::Watch;

/// Every setting with its default and what it is for; `init` writes it.
pub const DEFAULT_FILE: &str = include_str!("../daznode.default.toml");

/// The service's file.
pub const SYSTEM_FILE: &str = "/etc/daznode/config.toml";

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How `generate` works.
    pub run: Run,
    /// When reports are due.
    pub schedule: ScheduleSettings,
    /// What `enable` uses for a node where its options don't say.
    pub lnd: Lnd,
    /// Public sources, all off.
    pub sources: Sources,
    /// What may be contacted, and how.
    pub network: Network,
    /// How often sources are checked.
    pub health: Health,
    /// How long things are kept.
    pub retention: Retention,
    /// By what the rules judge.
    pub thresholds: Thresholds,
    /// How nodes are watched.
    pub watch: Watch,
    /// How things are printed.
    pub output: Output,
    /// Where the network graph is kept, and for how long it is as good as a new one.
    pub graph: Graph,
    /// When alerts are told, and how often.
    pub alerts: Alerts,
    /// Who is told what.
    pub notify: notify::Notify,
}

/// How `generate` works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// Nodes at once.
    pub jobs: u32,
    /// Seconds for one node with all its tries.
    pub timeout_s: u64,
    /// Further tries after the first.
    pub retries: u32,
    /// Seconds for the whole run; 0 for no limit.
    pub budget_s: u64,
    /// Missed days that are made up for.
    pub catch_up_days: u32,
}

impl Default for Run {
    fn default() -> Self {
        Self { jobs: 10, timeout_s: 300, retries: 2, budget_s: 0, catch_up_days: 7 }
    }
}

/// When reports are due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSettings {
    /// Whether `generate --due` makes anything.
    pub enabled: bool,
    /// The cron line of a profile that has none of its own.
    pub default: String,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self { enabled: true, default: "0 6 * * *".to_owned() }
    }
}

/// What `enable` uses for a node where its options don't say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lnd {
    /// `host:port` or `unix:///path`.
    pub address: Option<String>,
    /// A file, `credential:NAME` or `authority`.
    pub certificate: Option<String>,
    /// A file or `credential:NAME`.
    pub macaroon: Option<String>,
    /// The operator's backup of channels: a file or `credential:NAME`.
    pub channel_backup: Option<String>,
    /// Whether a macaroon that can write is taken.
    pub allow_write_macaroon: bool,
    /// A SOCKS proxy for LND alone.
    pub proxy: Option<String>,
}

/// Public sources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// mempool.space or an instance of one's own.
    pub mempool: mempool::Settings,
    /// Amboss.
    pub amboss: amboss::Settings,
    /// Another daznode.
    pub remote: remote::Settings,
    /// LNRouter.
    pub lnrouter: lnrouter::Settings,
}

/// What may be contacted, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Nothing outside.
    pub offline: bool,
    /// A SOCKS proxy for all that is outside.
    pub proxy: Option<String>,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Reports and their files.
    pub reports_days: u32,
    /// Samples, after which one a day stays.
    pub samples_days: u32,
    /// Snapshots: what a report can be made again from.
    pub snapshots_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { reports_days: 90, samples_days: 90, snapshots_days: 90 }
    }
}

impl Retention {
    /// As the store takes it.
    pub const fn days(self) -> crate::store::Retention {
        crate::store::Retention {
            reports: self.reports_days,
            samples: self.samples_days,
            snapshots: self.snapshots_days,
        }
    }
}

/// How things are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// When there are colours.
    pub color: Color,
    /// Columns; 0 for those of the terminal.
    pub width: u16,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a setting may be, in words; also the list of all settings.
const FORMS: &[(&str, &str)] = &[
    ("run.jobs", "a whole number from 1 to 1000"),
    ("run.timeout_s", "a whole number of seconds from 1 to 3600"),
    ("run.retries", "a whole number from 0 to 20"),
    ("run.budget_s", "a whole number of seconds from 0 (no limit) to 86400"),
    ("run.catch_up_days", "a whole number from 0 to 30"),
    ("schedule.enabled", "true or false"),
    ("schedule.default", "five fields: minute, hour, day, month, weekday, such as \"0 6 * * *\""),
    ("lnd.address", "\"host:port\" or \"unix:///path\""),
    ("lnd.certificate", "the path of a file, \"credential:NAME\" or \"authority\""),
    ("lnd.macaroon", "the path of a macaroon file or \"credential:NAME\", never the macaroon itself"),
    ("lnd.channel_backup", "the path of a channel.backup file or \"credential:NAME\""),
    ("lnd.allow_write_macaroon", "true or false"),
    ("lnd.proxy", "\"socks5h://host:port\""),
    ("sources.mempool.enabled", "true or false"),
    ("sources.mempool.url", "an address that begins with https:// or http://"),
    ("sources.mempool.cache_minutes", "a whole number from 1 to 10080"),
    ("sources.amboss.enabled", "true or false"),
    ("sources.amboss.url", "an address that begins with https:// or http://"),
    ("sources.amboss.cache_minutes", "a whole number from 1 to 10080"),
    ("sources.amboss.key_file", "the path of a file or \"credential:NAME\", never the key itself"),
    ("network.offline", "true or false"),
    ("network.proxy", "\"socks5h://host:port\""),
    ("retention.reports_days", "a whole number from 1 to 36500"),
    ("retention.samples_days", "a whole number from 1 to 36500"),
    ("retention.snapshots_days", "a whole number from 1 to 36500"),
    ("output.width", "a whole number from 0 to 500"),
];
/// The one setting of named values.
const COLOR: (&str, &str) = ("output.color", "\"auto\", \"always\" or \"never\"");

/// What a limit of a rule may be.
const LIMIT: &str = "a whole number, 0 or more";

/// All settings with their forms. The limits of rules are those that the analysis has.
static KEYS: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
    let limits = toml::Table::try_from(Thresholds::default()).unwrap_or_default();
    let limits = limits.keys().map(|key| (format!("thresholds.{key}"), LIMIT));
    FORMS
        .iter()
        .copied()
        .chain([COLOR])
        .chain(graph::FORMS)
        .chain(alerts::FORMS)
        .chain(elsewhere::FORMS.iter().copied())
        .chain(health::FORMS.iter().copied())
        .chain(notify::FORMS.iter().copied())
        .chain(watch::FORMS)
        .map(|(key, form)| (key.to_owned(), form))
        .chain(limits)
        .collect()
});

/// What a setting may be.
fn form(key: &str) -> &'static str {
    keys().find(|(name, _)| means(name, key)).map_or("", |(_, form)| form)
}

/// Whether a key of the list is that of a setting: `*` in it is a name that the operator chose.
fn means(key: &str, setting: &str) -> bool {
    key.split('.').count() == setting.split('.').count() && is_below(key, setting)
}

/// Whether a key of the list begins as a section or setting does.
fn is_below(key: &str, above: &str) -> bool {
    let mut parts = key.split('.');
    above.split('.').all(|part| parts.next().is_some_and(|key| key == "*" || key == part))
}

/// All settings with their forms.
fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    KEYS.iter().map(|(key, form)| (key.as_str(), *form))
}

/// What is wrong with a setting, where it stands, and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Error {
    /// `file:line` or the name of a variable.
    pub place: String,
    /// What is wrong and what is accepted.
    pub problem: String,
}

/// The name of an environment variable, the setting it stands for, and how its text becomes one.
const ENVIRONMENT: [(&str, &str, Reading); 7] = [
    ("DAILY_REPORTS_MAX_CONCURRENT", "run.jobs", Reading::Number),
    ("DAILY_REPORTS_MAX_RETRIES", "run.retries", Reading::Tries),
    ("DAILY_REPORTS_TIMEOUT", "run.timeout_s", Reading::Number),
    ("DAILY_REPORTS_SCHEDULER_ENABLED", "schedule.enabled", Reading::Switch),
    ("DAZNODE_LND_ADDRESS", "lnd.address", Reading::Text),
    ("DAZNODE_LND_CERT", "lnd.certificate", Reading::Text),
    ("DAZNODE_LND_MACAROON", "lnd.macaroon", Reading::Text),
];

#[derive(Clone, Copy)]
enum Reading {
    Number,
    /// All tries, the first included.
    Tries,
    Switch,
    Text,
}

impl Config {
    /// What is told outside, when, and on which channels.
    pub fn telling(&self) -> Telling {
        Telling { routes: self.notify.routes(), rhythm: self.alerts.rhythm() }
    }

    /// Reads the files that are there and the environment. A file of `optional` may be missing or unreadable, one of
    /// `required` may not.
    pub fn load(
        optional: &[PathBuf],
        required: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut table = toml::Table::new();
        for path in optional {
            if let Ok(text) = std::fs::read_to_string(path) {
                file::lay_over(&mut table, file::read(path, &text)?);
            }
        }
        if let Some(path) = required {
            let text = std::fs::read_to_string(path).map_err(|e| Error {
                place: path.display().to_string(),
                problem: format!("cannot read it: {e}; `daznode init` writes a file with every setting"),
            })?;
            file::lay_over(&mut table, file::read(path, &text)?);
        }
        file::lay_over(&mut table, environment(env)?);
        let config = Self::deserialize(table)
            .map_err(|e| Error { place: "settings".to_owned(), problem: e.message().to_owned() })?;
        config.check().map_err(|(key, given)| refused("settings".to_owned(), &key, &given))?;
        if let Some(key) = elsewhere::missing(&config.sources) {
            let problem = format!("{key} is missing, and its source is on: expected {}", form(key));
            return Err(Error { place: "settings".to_owned(), problem });
        }
        config.notify.check().map_err(|(_, problem)| Error { place: "settings".to_owned(), problem })?;
        Ok(config)
    }

    /// The settings of one file's text alone.
    #[doc(hidden)]
    pub fn of_text(text: &str) -> Result<Self, Error> {
        let table = file::read(Path::new("config.toml"), text)?;
        Self::deserialize(table).map_err(|e| Error { place: "settings".to_owned(), problem: e.message().to_owned() })
    }

    /// The first setting whose value is of the right type and still wrong, with that value.
    fn check(&self) -> Result<(), (String, String)> {
        let run = &self.run;
        within("run.jobs", u64::from(run.jobs), 1, 1000)?;
        within("run.timeout_s", run.timeout_s, 1, 3600)?;
        within("run.retries", u64::from(run.retries), 0, 20)?;
        within("run.budget_s", run.budget_s, 0, 86_400)?;
        within("run.catch_up_days", u64::from(run.catch_up_days), 0, 30)?;
        let default = &self.schedule.default;
        that("schedule.default", default, default.parse::<Schedule>().is_ok())?;
        if let Some(address) = &self.lnd.address {
            that("lnd.address", address, is_address(address))?;
        }
        let lnd = &self.lnd;
        for (key, place) in [
            ("lnd.certificate", &lnd.certificate),
            ("lnd.macaroon", &lnd.macaroon),
            ("lnd.channel_backup", &lnd.channel_backup),
        ] {
            if let Some(place) = place {
                that(key, "", is_place(place) || (key == "lnd.certificate" && place == "authority"))?;
            }
        }
        if let Some(place) = &self.sources.amboss.key_file {
            that("sources.amboss.key_file", "", is_place(place))?;
        }
        for (key, proxy) in [("lnd.proxy", &self.lnd.proxy), ("network.proxy", &self.network.proxy)] {
            if let Some(proxy) = proxy {
                that(key, proxy, is_proxy(proxy))?;
            }
        }
        let (mempool, amboss) = (&self.sources.mempool, &self.sources.amboss);
        that("sources.mempool.url", &mempool.url, is_url(&mempool.url))?;
        that("sources.amboss.url", &amboss.url, is_url(&amboss.url))?;
        within("sources.mempool.cache_minutes", u64::from(mempool.cache_minutes), 1, 10_080)?;
        within("sources.amboss.cache_minutes", u64::from(amboss.cache_minutes), 1, 10_080)?;
        elsewhere::check(&self.sources)?;
        self.health.check()?;
        within("retention.reports_days", u64::from(self.retention.reports_days), 1, 36_500)?;
        within("retention.samples_days", u64::from(self.retention.samples_days), 1, 36_500)?;
        within("retention.snapshots_days", u64::from(self.retention.snapshots_days), 1, 36_500)?;
        self.watch.check()?;
        let limits = toml::Table::try_from(&self.thresholds).unwrap_or_default();
        for (key, limit) in limits {
            that(&format!("thresholds.{key}"), &limit.to_string(), limit.as_integer().is_some_and(|n| n >= 0))?;
        }
        self.graph.check()?;
        self.alerts.check()?;
        within("output.width", u64::from(self.output.width), 0, 500)
    }
}

fn within(key: &str, value: u64, low: u64, high: u64) -> Result<(), (String, String)> {
    that(key, &value.to_string(), (low..=high).contains(&value))
}

fn that(key: &str, given: &str, good: bool) -> Result<(), (String, String)> {
    if good { Ok(()) } else { Err((key.to_owned(), given.to_owned())) }
}

/// Whether a text is `host:port` or `unix:///path`.
pub fn is_address(text: &str) -> bool {
    if let Some(path) = text.strip_prefix("unix://") {
        return path.starts_with('/') && path.len() > 1;
    }
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host_good = match bare {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
    };
    host_good && port.parse::<u16>().is_ok_and(|p| p > 0)
}

/// Whether a text names a file or a credential. A secret itself is neither: it is hex or base64 of hundreds of digits.
fn is_place(text: &str) -> bool {
    text.starts_with("~/") || text.parse::<crate::sources::spec::SecretRef>().is_ok()
}

/// Whether a text is an address of a SOCKS proxy that resolves names itself.
pub fn is_proxy(text: &str) -> bool {
    text.strip_prefix("socks5h://").is_some_and(|rest| is_address(rest) && !rest.starts_with("unix:"))
}

fn is_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
}

/// The words for a value that is not accepted. What may be a secret put in the wrong place is not repeated.
fn refused(place: String, key: &str, given: &str) -> Error {
    let secret = matches!(key, "lnd.macaroon" | "lnd.certificate") || key.ends_with("_file");
    let given = if secret || given.is_empty() { String::new() } else { format!(" {}", clip(given)) };
    Error { place, problem: format!("{key} can't be{given}: expected {}", form(key)) }
}

/// A text in one short line.
fn clip(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    if line.chars().count() < text.chars().count() { line + "…" } else { line }
}

/// The settings that the environment gives. An empty variable counts as none.
fn environment(env: &dyn Fn(&str) -> Option<String>) -> Result<toml::Table, Error> {
    let mut table = toml::Table::new();
    for (name, key, reading) in ENVIRONMENT {
        let Some(text) = env(name).filter(|t| !t.is_empty()) else { continue };
        let form = match reading {
            Reading::Tries => "a whole number from 1 to 21: all tries, the first included",
            _ => form(key),
        };
        let shown = if matches!(key, "lnd.macaroon" | "lnd.certificate") { String::new() } else { clip(&text) + ": " };
        let bad = || Error { place: name.to_owned(), problem: format!("{shown}expected {form}") };
        let value = match reading {
            Reading::Number => toml::Value::Integer(text.parse().map_err(|_| bad())?),
            Reading::Tries => toml::Value::Integer(text.parse::<i64>().map_err(|_| bad())?.saturating_sub(1)),
            Reading::Switch => toml::Value::Boolean(switch(&text).ok_or_else(bad)?),
            Reading::Text => toml::Value::String(text.clone()),
        };
        let mut one = toml::Table::new();
        file::put(&mut one, key, &value);
        let alone = Config::deserialize(one).map_err(|_| bad())?;
        alone.check().map_err(|_| bad())?;
        file::put(&mut table, key, &value);
    }
    let clock = |name: &str, high: u8| -> Result<Option<u8>, Error> {
        let Some(text) = env(name).filter(|t| !t.is_empty()) else { return Ok(None) };
        match text.parse::<u8>() {
            Ok(n) if n <= high => Ok(Some(n)),
            _ => Err(Error {
                place: name.to_owned(),
                problem: format!("{}: expected a whole number from 0 to {high}", clip(&text)),
            }),
        }
    };
    match (clock("DAILY_REPORTS_HOUR", 23)?, clock("DAILY_REPORTS_MINUTE", 59)?) {
        (None, None) => {}
        (hour, minute) => {
            let cron = format!("{} {} * * *", minute.unwrap_or(0), hour.unwrap_or(6));
            file::put(&mut table, "schedule.default", &toml::Value::String(cron));
        }
    }
    Ok(table)
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
