//! What is told outside: the settings of channels, and the events of the outbox as each channel gets them.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::LazyLock;

use daznode::config::Config;
use daznode::notice::{Event, EventKind};
use daznode::notify::{Courier, Places};
use daznode::report::Severity;
use daznode::units::UnixMs;
use tempfile::TempDir;

use super::stored::harmless;
use super::{fixtures, in_memory};

pub(crate) const SETTINGS: &[&str] = &[
    "[notify.channels.x]\n",
    "kind = \"webhook\"\n",
    "tls = \"none\"\n",
    "http://",
    "socks5h://",
    "@",
    "\"\"\"",
    "[]",
];
pub(crate) const TEXT: &[&str] = &["<b>", "](", "@everyone", "```", "\\u001b]8;;", "\\r\\nBcc: ", "\\u202e", "null"];

/// The examples of the documentation: each, and all of them.
pub(crate) fn settings() -> Vec<Vec<u8>> {
    let page = std::fs::read_to_string(fixtures("../../docs/notifications.md")).unwrap();
    let examples = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().as_bytes().to_vec());
    let examples: Vec<_> = examples.filter(|example| example.starts_with(b"[notify.channels.")).collect();
    assert!(examples.len() >= 7, "an example of each kind of channel");
    let whole = examples.concat();
    examples.into_iter().chain([whole]).collect()
}

/// A file of settings, which are checked as at the start of a run.
pub(crate) fn setting(input: &[u8]) -> bool {
    let Ok(config) = in_memory("config.toml", input, |path| Config::load(&[], Some(path), &|_| None)) else {
        return false;
    };
    let telling = config.telling();
    assert_eq!(telling.routes.len(), config.notify.channels.len());
    assert!(telling.routes.iter().all(|route| config.notify.channels.contains_key(&route.channel)));
    true
}

/// A channel of each kind, with its secrets.
static CHANNELS: LazyLock<(TempDir, Config)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let url = put("url", "https://chat.example.org/hook");
    let secret = put("secret", "0123456789abcdef0123456789abcdef");
    let (url, secret) = (url.display(), secret.display());
    let text = format!(
        "[notify.channels.mail]\nkind = \"email\"\nserver = \"mail.example.org:465\"\nfrom = \"a@example.org\"\n\
         to = [\"b@example.org\"]\n\
         [notify.channels.phone]\nkind = \"telegram\"\ntoken_file = \"{secret}\"\nchat_id = 1\n\
         [notify.channels.team]\nkind = \"discord\"\nurl_file = \"{url}\"\n\
         [notify.channels.ops]\nkind = \"slack\"\nurl_file = \"{url}\"\nhide = [\"amounts\", \"pubkeys\", \"aliases\"]\n\
         [notify.channels.ntfy]\nkind = \"ntfy\"\ntopic = \"bob-7f3k2m9x\"\n\
         [notify.channels.room]\nkind = \"matrix\"\nserver = \"https://matrix.example.org\"\nroom = \"!a:example.org\"\n\
         token_file = \"{secret}\"\n\
         [notify.channels.hook]\nkind = \"webhook\"\nurl_file = \"{url}\"\nsecret_file = \"{secret}\"\n"
    );
    let file = put("config.toml", &text);
    let config = Config::load(&[], Some(&file), &|_| None).unwrap();
    (folder, config)
});

/// An event of each kind, as the outbox keeps it.
pub(crate) fn events() -> Vec<Vec<u8>> {
    let event = |kind: &EventKind| Event {
        key: format!("{}:1", kind.name()),
        kind: *kind,
        at: UnixMs(1_795_240_800_000),
        severity: Severity::Warning,
        about: None,
        title: "frank <is> unreachable".to_owned(),
        text: "1,221,752 sat of yours.\nWait, or see [this](https://example.org).".to_owned(),
        alert_key: Some("peer-unreachable:02618aa3".to_owned()),
        since: Some(UnixMs(1_795_154_400_000)),
        report_id: None,
    };
    EventKind::ALL.iter().map(|kind| serde_json::to_vec(&event(kind)).unwrap()).collect()
}

/// An event comes back as it is, and one of the channels gets it: which one, its length says.
pub(crate) fn event(input: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<Event>(input) else { return false };
    let written = serde_json::to_vec(&read).unwrap();
    assert_eq!(serde_json::from_slice::<Event>(&written).expect("what was written is read again"), read);
    let (_, config) = &*CHANNELS;
    let name = config.notify.channels.keys().nth(input.len() % config.notify.channels.len()).unwrap();
    let courier = Courier::new(config, Places::default());
    let shown = courier.show(name, &read, None, UnixMs(1_795_240_800_000)).unwrap_or_else(|e| panic!("{name}: {e}"));
    // Programs get every text as it is; people do not. The joiner that divides addresses is daznode's own.
    if name != "hook" {
        harmless(name, &shown.replace("\r\n", "\n").replace('\u{2060}', ""));
    }
    assert!(!shown.contains("0123456789abcdef") && !shown.contains("/hook"), "{name} shows its secret: {shown}");
    true
}
