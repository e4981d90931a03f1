//! `daznode backup`: the whole database at one moment, in one file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Context, place};
use crate::exit::Code;
use crate::store;

/// Copy the whole store into one file, also while daznode runs
///
/// The copy is of one moment, and is read again and checked before it gets its name. Beside it goes a manifest (its name
/// and .json) with its SHA-256 and what is in it. Secrets are never in a backup: keep certificates, macaroons and the
/// settings file by yourself. `daznode restore` puts a backup back and writes the files of reports again.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode backup\n  \
    daznode backup --keep 7\n  \
    daznode backup /mnt/usb/\n  \
    daznode backup /mnt/usb/before-the-move.db")]
pub(super) struct Backup {
    /// The file to make, or the folder to make one in (default: backups in the folder of the store)
    #[arg(value_name = "FILE | DIR")]
    target: Option<PathBuf>,
    /// Remove older backups in that folder, but the newest N; only those that daznode named
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(backup: &Backup, context: &Context) -> anyhow::Result<Code> {
    let store = context.read()?;
    context.tell_store();
    let made = store.backup(backup.target.as_deref(), context.now)?;
    place::settle(&context.place)?;
    let folder = made.path.parent().unwrap_or(Path::new("."));
    let removed = match backup.keep {
        Some(keep) => store::keep_backups(folder, keep.into())?,
        None => Vec::new(),
    };
    if backup.json {
        context.output.json(&json!({ "path": made.path, "manifest": made.manifest, "removed": removed }))?;
    } else {
        let manifest = &made.manifest;
        let gone = if removed.is_empty() { String::new() } else { format!("\nRemoved {} older.", removed.len()) };
        context.output.print(&format!(
            "{}\n{} reports, {} rows, {} bytes, checked. SHA-256 {}{gone}",
            made.path.display(),
            manifest.reports,
            manifest.tables.values().sum::<u64>(),
            manifest.bytes,
            manifest.sha256,
        ))?;
    }
    Ok(Code::Fine)
}
