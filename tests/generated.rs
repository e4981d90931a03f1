//! Man pages and completions are what the binary prints. Stale ones are rewritten, and the test fails once to say so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn daznode(args: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_daznode")).args(args).env_clear().output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Every generated file, by its path in the repository.
fn fresh() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for (shell, name) in [("bash", "daznode.bash"), ("zsh", "_daznode"), ("fish", "daznode.fish")] {
        files.insert(Path::new("completions").join(name), daznode(&["completions", shell]));
    }
    let pages = tempfile::tempdir().unwrap();
    daznode(&["man", "--out", pages.path().to_str().unwrap()]);
    for page in std::fs::read_dir(pages.path()).unwrap() {
        let page = page.unwrap();
        files.insert(Path::new("man").join(page.file_name()), std::fs::read(page.path()).unwrap());
    }
    files
}

#[test]
fn committed_pages_and_completions_are_those_of_the_binary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = fresh();
    let mut stale: Vec<String> = Vec::new();
    for (name, text) in &fresh {
        let path = root.join(name);
        if std::fs::read(&path).ok().as_deref() != Some(text) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            #[expect(clippy::disallowed_methods, reason = "a generated file of the repository")]
            std::fs::write(&path, text).unwrap();
            stale.push(name.display().to_string());
        }
    }
    for folder in ["man", "completions"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = Path::new(folder).join(entry.file_name());
            if !fresh.contains_key(&name) {
                std::fs::remove_file(entry.path()).unwrap();
                stale.push(format!("{} (removed)", name.display()));
            }
        }
    }
    assert!(stale.is_empty(), "these were stale and have been rewritten, commit them: {}", stale.join(", "));
}

#[test]
fn every_page_names_its_command_and_shows_no_surroundings() {
    for (name, text) in fresh() {
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("daznode"), "{}", name.display());
        for leak in [env!("CARGO_MANIFEST_DIR"), "/tmp/"] {
            assert!(!text.contains(leak), "{} contains {leak}", name.display());
        }
    }
}
