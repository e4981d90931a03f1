//! `daznode init`: a file of settings, each explained.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::failure::usage;
use super::output::tell;
use super::place;
use crate::config::DEFAULT_FILE;
use crate::exit::Code;
use crate::store::files::write_atomic;

/// Write a file of settings, each explained and set to its default
///
/// daznode runs without one. The file is never overwritten.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  daznode init\n  daznode init --print | less\n  sudo daznode init --system")]
pub(super) struct Init {
    /// Print it instead
    #[arg(long)]
    print: bool,
}

pub(super) fn run(init: &Init, file: Option<PathBuf>, service: bool) -> anyhow::Result<Code> {
    if init.print {
        use std::io::Write as _;
        std::io::stdout().lock().write_all(DEFAULT_FILE.as_bytes())?;
        return Ok(Code::Fine);
    }
    let path = file
        .or_else(|| place::config_files(service).pop())
        .ok_or_else(|| usage("no home folder is known: name the file with --config FILE"))?;
    if path.symlink_metadata().is_ok() {
        return Err(usage(format!("{} is there already: it was left as it is", path.display())));
    }
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    write_atomic(&path, commented().as_bytes(), if service { 0o640 } else { 0o600 })?;
    tell(&format!("Wrote {}: every setting is in it, commented out.", path.display()));
    Ok(Code::Fine)
}

/// The default file with every setting commented out, so that a later daznode's defaults apply.
fn commented() -> String {
    DEFAULT_FILE
        .lines()
        .map(
            |line| {
                if line.contains(" = ") && !line.starts_with('#') { format!("# {line}\n") } else { format!("{line}\n") }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_is_written_sets_nothing() {
        let table: toml::Table = commented().parse().unwrap();
        let empty = |value: &toml::Value| {
            value.as_table().is_some_and(|t| t.values().all(|v| v.as_table().is_some_and(toml::Table::is_empty)))
        };
        assert!(table.values().all(empty), "{table}");
    }
}
