//! What every test here needs: a store with a profile, a config with channels, events.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use daznode::config::Config;
use daznode::notice::{About, Event, EventKind};
use daznode::notify::{Courier, Delivered, Places};
use daznode::report::{Report, Severity};
use daznode::sources::spec::SourceSpec;
use daznode::store::{Access, Handle, Letter, NewProfile, Profile, Store};
use daznode::units::{Network, UnixMs};
use tempfile::TempDir;

/// 2026-11-21T06:00:00Z.
pub const NOW: UnixMs = UnixMs(1_795_240_800_000);

pub const RICH: &str = include_str!("../fixtures/reports/rich.json");
pub const HOSTILE: &str = include_str!("../fixtures/reports/hostile.json");

pub fn report(json: &str) -> Report {
    serde_json::from_str(json).unwrap()
}

pub struct Desk {
    folder: TempDir,
    pub config: Config,
    pub profile: Profile,
}

impl Desk {
    /// With the channels of a piece of config; `@NAME` in it is the path of the secret of that name.
    pub fn new(channels: &str, secrets: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = channels.to_owned();
        for (name, secret) in secrets {
            let path = folder.path().join(name);
            put(&path, secret);
            text = text.replace(&format!("@{name}\""), &format!("{}\"", path.display()));
        }
        let file = folder.path().join("config.toml");
        put(&file, &format!("[notify]\nallow_private = [\"127.0.0.1\", \"localhost\"]\n{text}"));
        let config = Config::load(&[], Some(&file), &|_| None).unwrap();
        let state = folder.path().join("state");
        let rich = report(RICH);
        let store = Store::open(&state, Access::Write).unwrap();
        let new = NewProfile {
            tenant: "default".to_owned(),
            user: "alice".to_owned(),
            pubkey: rich.node_pubkey.clone(),
            network: Network::Regtest,
            alias: rich.node_alias.clone(),
            source: SourceSpec::Recording { folder: "/nowhere".into() },
            schedule: "0 6 * * *".to_owned(),
            notify: serde_json::json!({}),
        };
        let profile = store.enable(&new, NOW).unwrap();
        Self { folder, config, profile }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn store(&self) -> Store {
        Store::open(&self.state(), Access::Write).unwrap().telling(self.config.telling())
    }

    pub fn handle(&self) -> Handle {
        Handle::new(self.store()).unwrap()
    }

    pub fn courier(&self) -> Courier {
        Courier::new(&self.config, Places::default()).within(Duration::from_secs(5))
    }

    pub async fn deliver(&self, now: UnixMs) -> Delivered {
        self.courier().deliver(&self.handle(), now, Duration::from_secs(60)).await.unwrap()
    }

    /// Puts alerts into the outbox, each a millisecond after the one before.
    pub fn alerts(&self, numbers: std::ops::Range<usize>, at: UnixMs) {
        let store = self.store();
        for n in numbers {
            let step = i64::try_from(n).unwrap();
            store.tell(&self.profile, &self.alert(n, at.plus(step))).unwrap();
        }
    }

    pub fn alert(&self, n: usize, at: UnixMs) -> Event {
        Event {
            key: format!("alert:{n}:opened"),
            kind: EventKind::AlertOpened,
            at,
            severity: Severity::Critical,
            about: Some(self.about()),
            title: format!("alert number {n}"),
            text: "carol holds 1,221,752 sat of yours.\nWait.".to_owned(),
            alert_key: Some(format!("htlc-expiring:2b241d60:{n}")),
            since: Some(NOW),
            report_id: None,
        }
    }

    pub fn about(&self) -> About {
        About {
            user: "alice".to_owned(),
            pubkey: self.profile.pubkey.clone(),
            alias: self.profile.alias.clone(),
            network: Network::Regtest,
        }
    }

    /// Stores a report and puts its digest alone into the outbox, as of now.
    pub fn digest(&self, json: &str) {
        let report = report(json);
        let store = Store::open(&self.state(), Access::Write).unwrap();
        store.put_report(&self.profile, &report, &daznode::render::json::document(&report)).unwrap();
        let event = Event {
            key: format!("report:{}", report.report_id),
            kind: EventKind::Report,
            severity: Severity::Warning,
            title: "a report".to_owned(),
            text: String::new(),
            alert_key: None,
            since: None,
            report_id: Some(report.report_id),
            ..self.alert(0, NOW)
        };
        self.store().tell(&self.profile, &event).unwrap();
    }

    pub fn dead(&self) -> Vec<Letter> {
        self.store().letters_dead().unwrap()
    }

    /// All that is stored, as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.state()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                bytes.extend(std::fs::read(path).unwrap());
            }
        }
        bytes
    }
}

pub fn put(path: &std::path::Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A signed webhook at this address, under the name `hook`.
pub fn hook(url: &str) -> Desk {
    let channel = "[notify.channels.hook]\nkind = \"webhook\"\nurl_file = \"@url\"\nsecret_file = \"@secret\"\nseverity = \"info\"\nper_minute = 600";
    Desk::new(channel, &[("url", &format!("{url}/in/abc")), ("secret", "topsecret")])
}
