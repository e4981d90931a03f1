//! What is said of an alert, as the event that the outbox takes.

use super::{About, Event, EventKind, Rhythm, Say, Standing};
use crate::report::Severity;
use crate::units::UnixMs;

/// One occurrence of an alert, as a message names it.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    /// Its row: part of each message's key.
    pub id: &'a str,
    /// `rule:subject`.
    pub alert_key: &'a str,
    /// Its one line.
    pub title: &'a str,
    /// What was seen and what to do.
    pub description: &'a str,
    /// How it stands; before what is said here is noted in it.
    pub standing: &'a Standing,
}

impl Say {
    /// The kind of its event.
    pub const fn kind(self) -> EventKind {
        match self {
            Self::Opened | Self::Flapping => EventKind::AlertOpened,
            Self::Raised => EventKind::AlertRaised,
            Self::Repeated => EventKind::AlertRepeated,
            Self::Resolved => EventKind::AlertResolved,
        }
    }
}

impl Occurrence<'_> {
    /// The event; its key is the same whoever finds it.
    pub fn event(&self, say: Say, about: About, at: UnixMs, rhythm: &Rhythm) -> Event {
        let standing = self.standing;
        let severity = match say {
            Say::Resolved => standing.known.unwrap_or(standing.severity),
            _ => standing.severity,
        };
        let what = match say {
            Say::Opened | Say::Flapping => "opened".to_owned(),
            Say::Raised => format!("raised:{}", name(severity)),
            Say::Repeated => format!("repeated:{}", standing.told),
            Say::Resolved => "resolved".to_owned(),
        };
        Event {
            key: format!("alert:{}:{what}", self.id),
            kind: say.kind(),
            at,
            severity,
            about: Some(about),
            title: self.title.to_owned(),
            text: self.text(say, at, rhythm),
            alert_key: Some(self.alert_key.to_owned()),
            since: Some(standing.opened),
            report_id: None,
        }
    }

    fn text(&self, say: Say, at: UnixMs, rhythm: &Rhythm) -> String {
        match say {
            Say::Opened | Say::Raised => self.description.to_owned(),
            Say::Flapping => {
                let (count, time) = (rhythm.flap_count, span(rhythm.flap_ms));
                let often = format!(
                    "It came and went more than {count} times in {time}. Until it has been quiet for {time} nothing more \
                     is said of it."
                );
                [&often, self.description].map(str::trim).join("\n").trim().to_owned()
            }
            Say::Repeated => {
                let stood = format!("It has stood for {}.", span(at.since(self.standing.opened)));
                [&stood, self.description].map(str::trim).join("\n").trim().to_owned()
            }
            Say::Resolved if self.standing.flapping => {
                format!("It came and went often, and has been gone for {}.", span(rhythm.flap_ms))
            }
            Say::Resolved => format!("It stood for {}.", span(at.since(self.standing.opened))),
        }
    }
}

const fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// `3 days`, `5 hours`, `1 minute`.
fn span(ms: i64) -> String {
    let (n, unit) = crate::units::span(ms);
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Look;
    use crate::units::{HOUR_MS, Network};

    fn about() -> About {
        About {
            user: "alice".to_owned(),
            pubkey: format!("02{}", "0".repeat(64)).parse().unwrap(),
            alias: "bob".to_owned(),
            network: Network::Regtest,
        }
    }

    #[test]
    fn each_thing_that_is_said_has_a_key_and_a_kind_of_its_own() {
        let rhythm = Rhythm::default();
        let look = Look { at: UnixMs(0), muted: false, passing: false, rhythm: &rhythm };
        let mut standing = Standing::new(Severity::Warning, 0, None, &look);
        standing.tell(UnixMs(0));
        let say = |standing: &Standing, say| {
            let one =
                Occurrence { id: "1f", alert_key: "disk-full:/", title: "Full", description: "Make room.", standing };
            one.event(say, about(), UnixMs(5 * HOUR_MS), &rhythm)
        };
        assert_eq!(say(&standing, Say::Opened).key, "alert:1f:opened");
        assert_eq!(say(&standing, Say::Opened).text, "Make room.");
        assert_eq!(say(&standing, Say::Repeated).key, "alert:1f:repeated:1");
        assert_eq!(say(&standing, Say::Repeated).text, "It has stood for 5 hours.\nMake room.");
        standing.severity = Severity::Critical;
        let raised = say(&standing, Say::Raised);
        assert_eq!((raised.key.as_str(), raised.severity), ("alert:1f:raised:critical", Severity::Critical));
        standing.tell(UnixMs(0));
        standing.severity = Severity::Warning;
        let over = say(&standing, Say::Resolved);
        assert_eq!((over.key.as_str(), over.kind), ("alert:1f:resolved", EventKind::AlertResolved));
        assert_eq!(over.severity, Severity::Critical, "whoever was told of the worst is told of the end");
        assert_eq!(over.text, "It stood for 5 hours.");
        let flapping = say(&standing, Say::Flapping).text;
        assert!(flapping.starts_with("It came and went more than 3 times in 24 hours."), "{flapping}");
        assert!(flapping.ends_with("said of it.\nMake room."), "{flapping}");
    }
}
