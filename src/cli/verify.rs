//! `daznode verify`: whether the store, or a backup, is whole.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::failure::fail;
use super::{Context, text};
use crate::exit::Code;
use crate::render::number;
use crate::store::{Checked, verify_backup};

/// Check every page, report and file of the store, or a backup
///
/// Ends with 0 where everything is whole and with 5 where something is damaged. It changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode verify\n  \
    daznode verify ~/.local/share/daznode/backups/daznode-20261121T060000Z.db\n  \
    daznode verify --json | jq .faults")]
pub(super) struct Verify {
    /// A backup (default: the store itself, with its files)
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was looked at and what is wrong with it.
struct Look {
    what: PathBuf,
    checked: Checked,
    /// What is wrong, in a line each.
    faults: Vec<String>,
    remedy: &'static str,
    /// What only a backup has.
    more: Value,
}

const RESTORE: &str = "daznode restore FILE puts a backup in its place and keeps the damaged one";
const FILES: &str = "daznode backup FILE and daznode restore FILE write the files again from the database";
const EARLIER: &str = "take an earlier backup; daznode restore refuses this one";

pub(super) fn run(verify: &Verify, context: &Context) -> anyhow::Result<Code> {
    let looked = match &verify.file {
        Some(file) => backup(file),
        None => live(context),
    };
    let look = match looked {
        // What can't even be opened is told to programs in the same shape.
        Err(error) if verify.json && super::failure::code(&error) == Code::Store => {
            context.output.json(&json!({ "whole": false, "faults": [text::line(&format!("{error:#}"))] }))?;
            return Err(error);
        }
        other => other?,
    };
    if verify.json {
        context.output.json(&look.json())?;
    } else {
        context.output.print(&look.words())?;
    }
    if look.faults.is_empty() {
        return Ok(Code::Fine);
    }
    let (count, what) = (look.faults.len(), look.what.display());
    Err(fail(
        Code::Store,
        format!(
            "{what} is damaged, {}: {}",
            number::count(u32::try_from(count).unwrap_or(u32::MAX), "fault"),
            look.remedy
        ),
    ))
}

fn live(context: &Context) -> anyhow::Result<Look> {
    let store = context.read()?;
    context.tell_store();
    let checked = store.check()?;
    let mut faults = checked.database_faults();
    let remedy = if faults.is_empty() { FILES } else { RESTORE };
    faults.extend(checked.missing_files.iter().map(|path| format!("{} is missing", path.display())));
    faults.extend(checked.changed_files.iter().map(|path| format!("{} is not the stored report", path.display())));
    Ok(Look { what: context.place.state.clone(), checked, faults, remedy, more: json!({}) })
}

fn backup(file: &Path) -> anyhow::Result<Look> {
    let found = verify_backup(file)?;
    let faults = found.faults();
    let more = json!({ "schema_version": found.schema_version, "manifest": found.manifest });
    Ok(Look { what: file.to_path_buf(), checked: found.checked, faults, remedy: EARLIER, more })
}

impl Look {
    fn words(&self) -> String {
        let checked = &self.checked;
        let rows: u64 = checked.tables.values().sum();
        let mut words = format!(
            "{}\n  {} tables with {rows} rows, {}",
            text::line(&self.what.display().to_string()),
            checked.tables.len(),
            number::count(checked.reports, "report")
        );
        let is_backup = self.more.get("schema_version").is_some();
        // Writing to a string can't fail.
        let _ = if is_backup {
            match self.more.get("manifest").filter(|manifest| !manifest.is_null()) {
                Some(manifest) => {
                    let said = |name: &str| text::line(manifest.get(name).and_then(Value::as_str).unwrap_or("?"));
                    write!(words, "; made {} by daznode {}", said("created_at"), said("daznode_version"))
                }
                None => {
                    write!(words, "\n  no manifest beside it: only pages and reports were checked, not other figures")
                }
            }
        } else {
            write!(words, ", {}", number::count(checked.files, "file"))
        };
        if checked.pending_files + checked.waiting_messages > 0 {
            let files = number::count(checked.pending_files, "file");
            let messages = number::count(checked.waiting_messages, "message");
            let _ = write!(words, "\n  {files} still to be written, {messages} still to be sent");
        }
        for fault in &self.faults {
            let _ = write!(words, "\n  damaged: {}", text::line(fault));
        }
        words.push_str(if self.faults.is_empty() { "\n  whole" } else { "" });
        words
    }

    fn json(&self) -> Value {
        let checked = &self.checked;
        let mut value = json!({
            "whole": self.faults.is_empty(),
            "looked_at": self.what,
            "tables": checked.tables,
            "reports": checked.reports,
            "files": checked.files,
            "pending_files": checked.pending_files,
            "waiting_messages": checked.waiting_messages,
            "faults": self.faults,
            "remedy": (!self.faults.is_empty()).then_some(self.remedy),
        });
        if let (Some(value), Some(more)) = (value.as_object_mut(), self.more.as_object()) {
            value.extend(more.clone());
        }
        value
    }
}
