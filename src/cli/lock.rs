//! Two runs never overlap: one lock, held by the operating system, so that a killed run holds nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use super::failure::fail;
use crate::exit::Code;
use crate::units::UnixMs;

/// The name of the lock's file in the state folder.
pub(super) const FILE: &str = "run.lock";

/// The name of the lock that the watcher holds.
pub(super) const WATCH: &str = "watch.lock";

/// Held for as long as this lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Takes the lock of runs, or says at once who holds it.
pub(super) fn take(state: &Path, now: UnixMs) -> anyhow::Result<Lock> {
    take_file(state, FILE, now)
}

/// Takes the lock of this name, or says at once who holds it.
pub(super) fn take_file(state: &Path, name: &str, now: UnixMs) -> anyhow::Result<Lock> {
    let path = state.join(name);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot open the lock {}: run as the owner of that folder", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            let words = format!("process {} since {}\n", std::process::id(), now.rfc3339());
            // The words are for people who meet the lock; it holds without them, also on a full disk.
            let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(words.as_bytes()));
            Ok(Lock { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.take(200).read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "another run" } else { holder.trim() };
            let remedy = if name == WATCH { "stop the watcher first" } else { "wait until it has ended" };
            let message = format!("{holder} holds {}: {remedy}", path.display());
            Err(fail(Code::Locked, message))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::failure;

    #[test]
    fn the_second_is_told_who_holds_it_and_the_next_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let held = take(folder.path(), UnixMs::from_secs(1_795_240_800)).unwrap();
        let error = take(folder.path(), UnixMs(0)).unwrap_err();
        assert_eq!(failure::code(&error), Code::Locked);
        let told = error.to_string();
        assert!(told.contains(&format!("process {} since 2026-11-21T06:00:00Z", std::process::id())), "{told}");
        drop(held);
        take(folder.path(), UnixMs(0)).unwrap();
    }

    #[test]
    fn a_watcher_never_ends_by_itself_and_so_nobody_is_told_to_wait_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let _held = take_file(folder.path(), WATCH, UnixMs(0)).unwrap();
        let told = take_file(folder.path(), WATCH, UnixMs(0)).unwrap_err().to_string();
        assert!(told.ends_with("watch.lock: stop the watcher first"), "{told}");
    }
}
