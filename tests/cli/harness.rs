//! A place where daznode runs by itself: a home, a store and an environment of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A home of its own.
pub(crate) struct Sandbox {
    root: TempDir,
    env: Vec<(String, String)>,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    what: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("home")).unwrap();
        Self { root, env: Vec::new() }
    }

    /// With one enabled profile: the recorded node `bob`, whose recording has every answer.
    pub(crate) fn with_bob() -> Self {
        let sandbox = Self::new();
        sandbox.run(["enable", "--recording", recording("bob-later").to_str().unwrap()]).ends(0);
        sandbox
    }

    /// With a report of `bob`.
    pub(crate) fn with_report() -> Self {
        let sandbox = Self::with_bob();
        sandbox.run(["generate", "--all"]).ends(0);
        sandbox
    }

    /// With one more variable in the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a file below the root.
    pub(crate) fn file(self, name: &str, text: &str, mode: u32) -> Self {
        self.put(name, text.as_bytes(), mode);
        self
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8], mode: u32) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Tests make what a careless user would; daznode itself writes whole files only.
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path("home/.local/share/daznode")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.state().join("daznode.db")
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_daznode"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", "/usr/bin:/bin")
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .current_dir(self.root.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ended {
        let mut command = self.command(args);
        let output = command.output().unwrap();
        Ended::of(&command, output)
    }

    /// Runs what must be refused: nothing on disk changes, one line on stderr, nothing on stdout.
    #[track_caller]
    pub(crate) fn refuses<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, code: i32, words: &[&str]) {
        let before = self.tree();
        let ended = self.run(args);
        ended.ends(code).says_one_line(words);
        assert_eq!(ended.stdout, "", "{}", ended.what);
        let after = self.tree();
        let changed: Vec<_> = after.keys().chain(before.keys()).filter(|p| before.get(*p) != after.get(*p)).collect();
        assert!(changed.is_empty(), "{} changed {changed:?}", ended.what);
    }

    /// Every file and folder with mode and content.
    pub(crate) fn tree(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut tree = BTreeMap::new();
        collect(self.root.path(), &mut tree);
        tree
    }
}

fn collect(folder: &Path, tree: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        // Readers leave their locks in SQLite's shared index: no data, and no file of ours.
        if path.to_string_lossy().ends_with("-shm") {
            continue;
        }
        let mode = path.symlink_metadata().unwrap().permissions().mode();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        tree.insert(path.clone(), (mode, bytes));
        if path.is_dir() {
            collect(&path, tree);
        }
    }
}

impl Ended {
    pub(crate) fn of(command: &Command, output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
        let what = format!("{command:?}");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr), what }
    }

    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &Self {
        let (out, err) = (&self.stdout, &self.stderr);
        assert_eq!(self.code, Some(code), "{}\nstdout: {out}\nstderr: {err}", self.what);
        self
    }

    #[track_caller]
    pub(crate) fn says_one_line(&self, words: &[&str]) -> &Self {
        let told = self.stderr.trim_end_matches('\n');
        assert!(!told.is_empty() && !told.contains('\n'), "{}: not one line: {:?}", self.what, self.stderr);
        assert!(told.starts_with("daznode: "), "{}: {told:?}", self.what);
        for word in words {
            assert!(told.contains(word), "{}: no {word:?} in {told:?}", self.what);
        }
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{}: {e}: {}", self.what, self.stdout))
    }
}

/// A recorded node.
pub(crate) fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lnd").join(name)
}

/// An earlier recording of `bob`, which lacks one answer.
pub(crate) fn bob() -> PathBuf {
    recording("bob")
}

/// Whether tests run as root, whom modes don't stop.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
