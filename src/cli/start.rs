//! How the process protects itself before it does anything, and how a wrong command line is told.

use clap::error::{ContextKind, ErrorKind};
use rustix::fs::Mode;

use super::output::tell;
use super::text;
use crate::exit::Code;

/// Nobody else reads what is written, and no core dump or debugger reads our memory, which holds macaroons.
pub(super) fn protect() {
    rustix::process::umask(Mode::from_raw_mode(0o077));
    // A kernel that refuses this leaves us as dumpable as before; there is nothing else to do about it.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// What the service writes, its group may read.
pub(super) fn share_with_group() {
    rustix::process::umask(Mode::from_raw_mode(0o027));
}

/// Prints help and version where they were asked for, and any mistake in one line.
pub(super) fn explain(error: &clap::Error) -> Code {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody reads it any more where this fails.
            let _ = error.print();
            Code::Fine
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Code::Usage
        }
        _ => {
            tell(&format!("daznode: {}", mistake(error)));
            Code::Usage
        }
    }
}

/// What is wrong with the command line, in one line, with what is accepted.
fn mistake(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let body = rendered.split("\n\nUsage:").next().unwrap_or_default();
    let body = body.split("\n\nFor more information").next().unwrap_or_default();
    let body = body.trim().trim_start_matches("error: ").replace("\n\n  tip: ", "; ");
    let words: Vec<&str> = body.split_whitespace().collect();
    let told = text::line(&words.join(" "));
    let told = told.trim_end_matches('.');
    // Clap's own advice is one; else the way to the help is.
    if error.context().any(|(kind, _)| matches!(kind, ContextKind::SuggestedArg | ContextKind::SuggestedSubcommand)) {
        return told.to_owned();
    }
    format!("{told}; see --help")
}
