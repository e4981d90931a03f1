//! Who else can read what daznode writes.

use std::os::unix::process::CommandExt as _;

use crate::harness::{Sandbox, recording};

/// Runs a whole day under this umask and returns every path whose mode has a bit of `forbidden`.
fn leaks(umask: u32, system: bool, forbidden: u32) -> Vec<String> {
    let sandbox = Sandbox::new();
    let state = sandbox.path("state");
    std::fs::create_dir(&state).unwrap();
    let sandbox = if system { sandbox.env("STATE_DIRECTORY", state.to_str().unwrap()) } else { sandbox };
    let recording = recording("bob-later");
    let enable = ["enable", "--recording", recording.to_str().unwrap()];
    for args in [&enable[..], &["generate", "--all"], &["show"]] {
        let mut command = sandbox.command(["-q"]);
        command.args(args);
        set_umask(&mut command, umask);
        assert!(command.status().unwrap().success(), "{args:?}");
    }
    let own = if system { state } else { sandbox.state() };
    sandbox
        .tree()
        .into_iter()
        .filter(|(path, _)| path.starts_with(&own) && *path != own)
        .filter(|(_, (mode, _))| mode & forbidden != 0)
        .map(|(path, (mode, _))| format!("{mode:o} {}", path.display()))
        .collect()
}

/// A shell sets the umask, since that of this process is shared by all tests.
fn set_umask(command: &mut std::process::Command, umask: u32) {
    let args: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
    let envs: Vec<_> = command.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
    let program = command.get_program().to_owned();
    let mut shell = std::process::Command::new("/bin/sh");
    shell.arg("-c").arg(format!("umask {umask:03o}; exec \"$0\" \"$@\"")).arg(program).args(args);
    shell.env_clear().envs(envs).arg0("sh");
    *command = shell;
}

#[test]
fn a_persons_store_is_for_nobody_else_whatever_the_umask() {
    for umask in [0o000, 0o022] {
        assert_eq!(leaks(umask, false, 0o077), Vec::<String>::new(), "umask {umask:o}");
    }
}

#[test]
fn the_services_store_is_for_its_group_and_nobody_else() {
    for umask in [0o000, 0o022] {
        assert_eq!(leaks(umask, true, 0o027), Vec::<String>::new(), "umask {umask:o}");
    }
}
