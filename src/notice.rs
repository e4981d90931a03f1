//! What is told outside of daznode: events, and which channels each one goes to. Plain data and pure rules.
//!
//! An event is put into the outbox in the transaction that makes it true, one row for each channel that wants it; `notify`
//! sends what is there. So nothing is lost between the two, and nothing has to be sent twice but where a try ended without
//! an answer: then its key is the same.

mod life;
mod message;
mod quiet;
mod stats;

pub use life::{Ended, Look, Missed, Rhythm, Say, Standing};
pub use message::Occurrence;
pub use quiet::Quiet;
pub use stats::{Group, Lived, Named, Stats, Times};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::report::Severity;
use crate::units::{Network, Pubkey, UnixMs};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An alert is new, or came back.
    AlertOpened,
    /// An alert became worse.
    AlertRaised,
    /// An alert still stands, and it is time to say so again.
    AlertRepeated,
    /// An alert is over.
    AlertResolved,
    /// A day's report is there: the digest.
    Report,
    /// A run, or a service, failed.
    RunFailed,
    /// A report is overdue.
    RunLate,
    /// Sent by hand, to see whether a channel works.
    Test,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AlertOpened,
        Self::AlertRaised,
        Self::AlertRepeated,
        Self::AlertResolved,
        Self::Report,
        Self::RunFailed,
        Self::RunLate,
        Self::Test,
    ];

    /// As in the config and in messages to programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlertOpened => "alert_opened",
            Self::AlertRaised => "alert_raised",
            Self::AlertRepeated => "alert_repeated",
            Self::AlertResolved => "alert_resolved",
            Self::Report => "report",
            Self::RunFailed => "run_failed",
            Self::RunLate => "run_late",
            Self::Test => "test",
        }
    }
}

/// The node that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Whose profile.
    pub user: String,
    /// The node's key.
    pub pubkey: Pubkey,
    /// What it calls itself; hostile text.
    pub alias: String,
    /// Its chain.
    pub network: Network,
}

/// Something that happened and is worth telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The same for the same thing, whoever finds it and how often: `alert:ID:opened`, `report:ID`, `late:PROFILE:DATE`.
    pub key: String,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: UnixMs,
    /// How bad.
    pub severity: Severity,
    /// The node; `None` for what concerns the whole program.
    pub about: Option<About>,
    /// One line.
    pub title: String,
    /// More lines: what was seen and what to do.
    pub text: String,
    /// The alert's key, for what concerns an alert.
    pub alert_key: Option<String>,
    /// Since when an alert stands.
    pub since: Option<UnixMs>,
    /// The report, for a digest: its message is made from that when it is sent.
    pub report_id: Option<Uuid>,
}

/// Which events a channel wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The channel's name in the config.
    pub channel: String,
    /// The kinds that it wants.
    pub kinds: Vec<EventKind>,
    /// The least severity that it wants; a report's is that of its worst alert.
    pub least: Severity,
    /// The users whose profiles it is for; empty for all.
    pub users: Vec<String>,
}

impl Route {
    /// Whether the channel wants this event.
    pub fn wants(&self, event: &Event) -> bool {
        // What an operator sends by hand, and what has no severity of its own, goes everywhere it is asked for.
        let severe = matches!(event.kind, EventKind::Test | EventKind::Report) || event.severity >= self.least;
        let of_user =
            self.users.is_empty() || event.about.as_ref().is_none_or(|about| self.users.contains(&about.user));
        self.kinds.contains(&event.kind) && severe && of_user
    }
}

/// What of a message stays at home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hide {
    /// Amounts of money.
    pub amounts: bool,
    /// Keys of nodes, and ids of channels, which lead to them.
    pub pubkeys: bool,
    /// Names of nodes, and free text that may hold one.
    pub aliases: bool,
}

impl Hide {
    /// Everything that can be hidden.
    pub const ALL: Self = Self { amounts: true, pubkeys: true, aliases: true };

    /// Whether nothing is.
    pub const fn nothing(self) -> bool {
        !self.amounts && !self.pubkeys && !self.aliases
    }
}

/// Whether a profile's preferences (`enable --notify`) take this channel: `{"channels": ["NAME", …]}` names those that
/// they take, and without it they take all.
pub fn takes(preferences: &serde_json::Value, channel: &str) -> bool {
    let named = preferences.get("channels").and_then(serde_json::Value::as_array);
    named.is_none_or(|named| named.iter().any(|name| name == channel))
}

/// All that decides what is told: none of it tells nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// The channels.
    pub routes: Vec<Route>,
    /// When alerts are told, and how often.
    pub rhythm: Rhythm,
}

impl Telling {
    /// The channels that want an event.
    pub fn channels(&self, event: &Event) -> impl Iterator<Item = &str> {
        self.routes.iter().filter(|route| route.wants(event)).map(|route| route.channel.as_str())
    }

    /// When an event may be sent: in the quiet hours only what is critical goes out, and good news never does.
    pub fn not_before(&self, event: &Event) -> UnixMs {
        let Some(quiet) = &self.rhythm.quiet else { return event.at };
        let bad_news = !matches!(event.kind, EventKind::AlertResolved | EventKind::Report);
        let urgent = bad_news && event.severity == Severity::Critical && !self.rhythm.quiet_critical;
        if urgent || event.kind == EventKind::Test { event.at } else { quiet.end(event.at) }
    }

    /// The same without these channels.
    #[must_use]
    pub fn without(&self, channels: &[String]) -> Self {
        let mut rest = self.clone();
        rest.routes.retain(|route| !channels.contains(&route.channel));
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, severity: Severity, user: &str) -> Event {
        Event {
            key: "k".to_owned(),
            kind,
            at: UnixMs(0),
            severity,
            about: Some(About {
                user: user.to_owned(),
                pubkey: format!("02{}", "0".repeat(64)).parse().unwrap(),
                alias: "bob".to_owned(),
                network: Network::Regtest,
            }),
            title: String::new(),
            text: String::new(),
            alert_key: None,
            since: None,
            report_id: None,
        }
    }

    #[test]
    fn an_event_goes_to_the_channels_that_want_its_kind_severity_and_user() {
        let route = |channel: &str, kinds: &[EventKind], least, users: &[&str]| Route {
            channel: channel.to_owned(),
            kinds: kinds.to_vec(),
            least,
            users: users.iter().map(|u| (*u).to_owned()).collect(),
        };
        let telling = Telling {
            routes: vec![
                route("all", &EventKind::ALL, Severity::Info, &[]),
                route("pager", &[EventKind::AlertOpened], Severity::Critical, &[]),
                route("carol", &EventKind::ALL, Severity::Info, &["carol"]),
                route("digest", &[EventKind::Report], Severity::Critical, &[]),
            ],
            rhythm: Rhythm::default(),
        };
        let to = |kind, severity, user| telling.channels(&event(kind, severity, user)).collect::<Vec<_>>().join(" ");
        assert_eq!(to(EventKind::AlertOpened, Severity::Critical, "bob"), "all pager");
        assert_eq!(to(EventKind::AlertOpened, Severity::Warning, "bob"), "all");
        assert_eq!(to(EventKind::AlertResolved, Severity::Critical, "carol"), "all carol");
        assert_eq!(to(EventKind::Report, Severity::Info, "bob"), "all digest");
        let whole = Event { about: None, ..event(EventKind::RunFailed, Severity::Critical, "") };
        assert_eq!(telling.channels(&whole).collect::<Vec<_>>().join(" "), "all carol");
    }

    #[test]
    fn in_quiet_hours_only_critical_news_goes_out() {
        let time = |text| Quiet::time(text).unwrap();
        let quiet = Quiet { from: time("22:00"), to: time("07:00"), zone: jiff::tz::TimeZone::UTC };
        let rhythm = Rhythm { quiet: Some(quiet), ..Rhythm::default() };
        let telling = Telling { routes: Vec::new(), rhythm };
        // 1970-01-01 00:00 is night.
        let seven = UnixMs(7 * 3_600_000);
        let at = |telling: &Telling, kind, severity| telling.not_before(&event(kind, severity, "bob"));
        assert_eq!(at(&telling, EventKind::AlertOpened, Severity::Critical), UnixMs(0));
        assert_eq!(at(&telling, EventKind::AlertOpened, Severity::Warning), seven);
        assert_eq!(at(&telling, EventKind::AlertResolved, Severity::Critical), seven);
        assert_eq!(at(&telling, EventKind::Report, Severity::Critical), seven);
        assert_eq!(at(&telling, EventKind::Test, Severity::Info), UnixMs(0));
        let rhythm = Rhythm { quiet_critical: true, ..telling.rhythm.clone() };
        assert_eq!(at(&Telling { rhythm, ..telling }, EventKind::AlertOpened, Severity::Critical), seven);
        assert_eq!(at(&Telling::default(), EventKind::Report, Severity::Info), UnixMs(0));
    }

    #[test]
    fn a_profile_can_take_fewer_channels() {
        let taken = |json: &str, channel| takes(&serde_json::from_str(json).unwrap(), channel);
        assert!(taken("{}", "phone") && taken("null", "phone"));
        assert!(taken(r#"{"channels": ["mail", "phone"]}"#, "phone"));
        assert!(!taken(r#"{"channels": ["mail"]}"#, "phone"));
        assert!(!taken(r#"{"channels": []}"#, "phone"));
    }

    #[test]
    fn names_are_those_that_serde_writes() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
