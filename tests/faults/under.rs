//! daznode under another program, that changes what the system is for it.

use std::io::ErrorKind;
use std::process::Command;

use crate::harness::{Ended, Sandbox};

/// Runs it as `wrapper... daznode args...`, with these variables more; `None`, and a word, where there is no such program.
pub(crate) fn under(sandbox: &Sandbox, wrapper: &[&str], env: &[(&str, &str)], args: &[&str]) -> Option<Ended> {
    let run = sandbox.command(args);
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(run.get_program()).args(run.get_args());
    command.env_clear().envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.envs(env.iter().copied()).current_dir(sandbox.path(""));
    match command.output() {
        Ok(output) => Some(Ended::of(&command, output)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: no {} here", wrapper[0]);
            None
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}
