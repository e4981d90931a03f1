//! Where words go: what was asked for to stdout, everything else to stderr.

use std::io::{self, IsTerminal as _, Write as _};

use crate::config::{Color, Config};
use crate::render;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Whether stdout gets colours.
    pub(crate) colour: bool,
    /// Columns of stdout.
    pub(crate) width: usize,
    /// Only what was asked for, and errors.
    pub(crate) quiet: bool,
    /// More about what is done.
    pub(crate) verbose: bool,
}

impl Output {
    /// As settings, terminal and environment say.
    pub(crate) fn new(config: &Config, env: &dyn Fn(&str) -> Option<String>, quiet: bool, verbose: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let plain = env("NO_COLOR").is_some_and(|v| !v.is_empty()) || env("TERM").is_some_and(|t| t == "dumb");
        let colour = match config.output.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        let width = match config.output.width {
            0 if terminal => columns().unwrap_or(80),
            0 => 80,
            fixed => usize::from(fixed),
        };
        Self { colour, width: width.clamp(40, 500), quiet, verbose }
    }

    /// What was asked for.
    #[expect(clippy::unused_self, reason = "every command prints through its output")]
    pub(crate) fn print(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// A value as JSON, for programs; harmless on a terminal too.
    pub(crate) fn json(self, value: &serde_json::Value) -> anyhow::Result<()> {
        Ok(self.print(&render::json::harmless(&serde_json::to_string_pretty(value)?))?)
    }

    /// A word for people, which a pipe does not get. Where stderr is gone there is nobody to tell.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            tell(text);
        }
    }

    /// A word for those who asked for more.
    pub(crate) fn detail(self, text: &str) {
        if self.verbose {
            tell(text);
        }
    }
}

/// One line on stderr, also where it is closed.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Columns of the terminal.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
