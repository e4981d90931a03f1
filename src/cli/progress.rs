//! How far a run has come, on a terminal; in a pipe one line for each node that failed.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;
use super::select::name;
use super::text;
use crate::daily::{Outcome, Progress};
use crate::store::Profile;

/// A bar on a terminal, nothing elsewhere.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    output: Output,
}

impl Bar {
    /// For so many nodes.
    pub(super) fn new(nodes: usize, output: Output) -> Self {
        let shown = std::io::stderr().is_terminal() && !output.quiet && nodes > 0;
        let bar = if shown {
            let bar = ProgressBar::new(u64::try_from(nodes).unwrap_or(u64::MAX));
            let style = ProgressStyle::with_template("{spinner} {pos}/{len} [{bar:30}] {elapsed} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▌ "));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        } else {
            ProgressBar::hidden()
        };
        Self { bar, output }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn started(&self, profile: &Profile) {
        self.bar.set_message(name(profile));
        self.output.detail(&format!("{}: reading {}", name(profile), text::line(&profile.source.place())));
    }

    fn finished(&self, profile: &Profile, outcome: &Outcome) {
        self.bar.inc(1);
        if let Outcome::Failed { error, .. } = outcome {
            let line = format!("{}: {}", name(profile), text::line(error));
            self.bar.suspend(|| self.output.detail(&line));
        }
    }
}
