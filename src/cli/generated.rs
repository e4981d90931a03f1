//! `daznode completions` and `daznode man`: what packages ship and what anyone can make for themselves.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::exit::Code;
use crate::store::files::write_atomic;

/// Print what a shell needs to complete daznode's commands
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    daznode completions bash > ~/.local/share/bash-completion/completions/daznode\n  \
    daznode completions zsh > ~/.zfunc/_daznode\n  \
    daznode completions fish > ~/.config/fish/completions/daznode.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for each command
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  daznode man | man -l -\n  daznode man --out ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn completions(completions: &Completions) -> anyhow::Result<Code> {
    let mut command = super::Args::command();
    let mut text = Vec::new();
    clap_complete::generate(completions.shell, &mut command, "daznode", &mut text);
    put(&text)
}

pub(super) fn man(man: &Man) -> anyhow::Result<Code> {
    let mut command = super::Args::command();
    command.build();
    let Some(folder) = &man.out else { return put(&page(command)?) };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let pages: Vec<(String, clap::Command)> = command
        .get_subcommands()
        .map(|subcommand| (format!("daznode-{}.1", subcommand.get_name()), subcommand.clone()))
        .collect();
    write_atomic(&folder.join("daznode.1"), &page(command)?, 0o644)?;
    for (name, subcommand) in pages {
        write_atomic(&folder.join(name), &page(subcommand)?, 0o644)?;
    }
    Ok(Code::Fine)
}

fn page(command: clap::Command) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // No date: the same binary makes the same page.
    clap_mangen::Man::new(command).date("").source(concat!("daznode ", env!("CARGO_PKG_VERSION"))).render(&mut text)?;
    Ok(text)
}

fn put(text: &[u8]) -> anyhow::Result<Code> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    out.write_all(text)?;
    out.flush()?;
    Ok(Code::Fine)
}
