//! What systemd is told, and asks: that the service is ready, that it lives, and how it is.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::cli::output::tell;
use crate::cli::text;
use crate::watch::Level;

/// Tells systemd, where it listens. A socket that is gone is nothing to end for.
fn notify(state: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(state);
}

/// Every node was tried.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The service turns.
pub(super) fn alive(status: &str) {
    notify(&[NotifyState::Watchdog, NotifyState::Status(&text::line(status))]);
}

/// It ends by itself.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// How often systemd wants a sign of life: thrice as often as it must be.
pub(super) fn beat() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| (limit / 3).max(Duration::from_secs(1)))
}

/// Lines on stderr; the journal is told how grave each is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    journal: bool,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { journal: std::env::var_os("JOURNAL_STREAM").is_some_and(|stream| !stream.is_empty()) }
    }

    pub(super) fn line(self, level: Level, line: &str) {
        let line = text::line(line);
        if self.journal { tell(&format!("<{}>{line}", level.number())) } else { tell(&line) }
    }
}
