//! The `daznode` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    daznode::cli::main()
}
