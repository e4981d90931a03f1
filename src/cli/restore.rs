//! `daznode restore`: a backup takes the store's place; the old database stays beside it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::failure::usage;
use super::{Context, lock, place};
use crate::exit::Code;
use crate::render::number;
use crate::store::{Access, DATABASE, Store, crash_point, make_folder, restore, verify_backup};

/// Put a backup in the place of the store
///
/// The backup is checked first; a damaged one is refused and nothing is changed. What was there is kept beside it, as
/// daznode.db.before-restore and the time. The files of reports are written again.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode restore backups/daznode-20261121T060000Z.db --dry-run\n  \
    daznode restore backups/daznode-20261121T060000Z.db --yes")]
pub(super) struct Restore {
    /// The backup
    file: PathBuf,
    /// Only check it, and say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Really do it where there is a store already
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Restore, context: &Context) -> anyhow::Result<Code> {
    let (file, state) = (&command.file, &context.place.state);
    let is_there = state.join(DATABASE).symlink_metadata().is_ok();
    if command.dry_run || (is_there && !command.yes) {
        // A damaged one is told before anything is asked.
        let found = verify_backup(file)?.sound(file)?;
        let what = format!(
            "{} ({}) in the place of the store in {}",
            file.display(),
            number::count(found.checked.reports, "report"),
            state.display()
        );
        if !command.dry_run {
            let kept = format!("{DATABASE}.before-restore-TIME");
            return Err(usage(format!("restore puts {what}, which is kept as {kept}: add --yes")));
        }
        if command.json {
            let restored = json!({ "dry_run": true, "reports": found.checked.reports, "tables": found.checked.tables, "replaces": is_there });
            context.output.json(&restored)?;
        } else {
            context.output.print(&format!("The backup is whole. Would put {what}. Nothing was changed."))?;
        }
        return Ok(Code::Fine);
    }
    // Nothing is made for a file that is not there.
    file.metadata().with_context(|| format!("cannot read {}", file.display()))?;
    make_folder(state)?;
    let _run = lock::take(state, context.now)?;
    let _watch = lock::take_file(state, lock::WATCH, context.now)?;
    let done = restore(state, file, context.now)?;
    let made_good = "the backup is in its place; `daznode status` and `daznode generate` bring the rest up to date";
    let store = Store::open(state, Access::Write).context(made_good)?;
    crash_point("restore-before-files");
    let written = store.flush_files().context(made_good)?;
    drop(store);
    place::settle(&context.place)?;
    let reports = done.verified.checked.reports;
    if command.json {
        let restored = json!({ "dry_run": false, "reports": reports, "tables": done.verified.checked.tables, "replaces": is_there,
            "kept": done.kept, "files_written": written.len() });
        context.output.json(&restored)?;
    } else {
        let kept = done.kept.map(|kept| format!("\nWhat was there is kept as {}", kept.display())).unwrap_or_default();
        context.output.print(&format!(
            "Restored {}: {}, {} written again.{kept}",
            file.display(),
            number::count(reports, "report"),
            number::count(u32::try_from(written.len()).unwrap_or(u32::MAX), "file")
        ))?;
    }
    Ok(Code::Fine)
}
