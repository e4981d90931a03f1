//! Where the network graph is kept, and for how long it is as good as a new one.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the network graph is kept, and for how long it is as good as a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Graph {
    /// Below the state folder, or a whole path.
    pub folder: String,
    /// Hours in which LND is not asked again; 0: it always is.
    pub keep_hours: u32,
}

impl Default for Graph {
    fn default() -> Self {
        Self { folder: "graph".to_owned(), keep_hours: 12 }
    }
}

/// What these settings may be.
pub(super) const FORMS: [(&str, &str); 2] = [
    ("graph.folder", "the name of a folder below the state folder, or a path that begins with / or ~/"),
    ("graph.keep_hours", "a whole number of hours from 0 (ask LND in every run) to 720"),
];

impl Graph {
    /// The first setting that is of the right type and still wrong, with its value.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let folder = &self.folder;
        super::that("graph.folder", folder, is_folder(folder))?;
        super::within("graph.keep_hours", u64::from(self.keep_hours), 0, 720)
    }

    /// The folder, with the home folder in place of `~`.
    pub fn folder(&self, home: Option<PathBuf>) -> PathBuf {
        match (self.folder.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(&self.folder),
        }
    }
}

/// A name of its own that is none of those which the store has, or a whole path.
fn is_folder(text: &str) -> bool {
    let own = !text.contains('/') && !matches!(text, "" | "." | ".." | "reports" | "secrets" | "cache");
    (own || text.starts_with('/') || text.starts_with("~/")) && !text.chars().any(char::is_control)
}
