//! How a command that takes long is stopped from outside.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for Ctrl-C or what systemd sends to stop a unit. It listens from now on.
pub(super) fn asked() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
