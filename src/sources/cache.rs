//! Answers of public sources kept for a while, so that a second run asks nothing and a failure falls back on the last
//! good answer.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::units::{DAY_MS, Pubkey, UnixMs};

/// An answer older than this is not used, not even where nothing newer can be had.
pub const OLDEST_MS: i64 = 7 * DAY_MS;

/// Where answers are kept. Losing one costs a question, never a report: nothing here fails.
pub trait Cache: Send + Sync {
    /// The answer under this key and when it was given, unless it is older than [`OLDEST_MS`] or from after `now`.
    fn get(&self, key: &str, now: UnixMs) -> Option<(String, UnixMs)>;
    /// Keeps an answer in place of the one before.
    fn put(&self, key: &str, body: &str, as_of: UnixMs);
}

fn is_usable(as_of: UnixMs, now: UnixMs) -> bool {
    (0..=OLDEST_MS).contains(&now.since(as_of))
}

/// Answers kept for as long as the process lives.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<String, (String, UnixMs)>>);

impl Cache for Memory {
    fn get(&self, key: &str, now: UnixMs) -> Option<(String, UnixMs)> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(key).filter(|(_, as_of)| is_usable(*as_of, now)).cloned()
    }
    fn put(&self, key: &str, body: &str, as_of: UnixMs) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(key.to_owned(), (body.to_owned(), as_of));
    }
}

/// Writes a whole file in place of the one before, or leaves that as it was; readable by its owner only.
pub type Write = fn(&Path, &[u8]) -> io::Result<()>;

/// Answers kept in a folder, a file each.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    write: Write,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    as_of: UnixMs,
    body: String,
}

impl Folder {
    /// Keeps answers in `path`, which is made when the first one comes.
    pub fn new(path: PathBuf, write: Write) -> Self {
        Self { path, write }
    }

    fn file(&self, key: &str) -> PathBuf {
        self.path.join(format!("{}.json", hex::encode(Sha256::digest(key))))
    }

    fn read(path: &Path) -> Option<Kept> {
        // Unpacked answers end at 8 MiB; as JSON text they can grow a little.
        let small = fs::metadata(path).ok()?.len() < 64 * 1024 * 1024;
        if small { serde_json::from_slice(&fs::read(path).ok()?).ok() } else { None }
    }

    fn kept(&self) -> impl Iterator<Item = (PathBuf, Option<Kept>)> {
        let files = fs::read_dir(&self.path).into_iter().flatten().filter_map(Result::ok).map(|file| file.path());
        files.filter(|path| path.extension().is_some_and(|ext| ext == "json")).map(|path| {
            let kept = Self::read(&path);
            (path, kept)
        })
    }

    /// Removes what is about one node.
    pub fn forget(&self, node: &Pubkey) {
        for (path, kept) in self.kept() {
            if kept.is_none_or(|kept| kept.key.contains(node.as_str())) {
                let _gone = fs::remove_file(path);
            }
        }
    }

    /// Removes what is too old to be used.
    pub fn sweep(&self, now: UnixMs) {
        for (path, kept) in self.kept() {
            if kept.is_none_or(|kept| !is_usable(kept.as_of, now)) {
                let _gone = fs::remove_file(path);
            }
        }
    }
}

impl Cache for Folder {
    fn get(&self, key: &str, now: UnixMs) -> Option<(String, UnixMs)> {
        let kept = Self::read(&self.file(key))?;
        (kept.key == key && is_usable(kept.as_of, now)).then_some((kept.body, kept.as_of))
    }

    fn put(&self, key: &str, body: &str, as_of: UnixMs) {
        let kept = Kept { key: key.to_owned(), as_of, body: body.to_owned() };
        let Ok(bytes) = serde_json::to_vec(&kept) else { return };
        if !self.path.is_dir() && fs::DirBuilder::new().mode(0o700).create(&self.path).is_err() {
            return;
        }
        // A full disk or a folder that can't be written costs a question at the next run, nothing else.
        let _kept = (self.write)(&self.file(key), &bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[expect(clippy::disallowed_methods, reason = "a test folder that nobody kills in between")]
    fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::write(path, bytes)
    }

    fn both(test: impl Fn(&dyn Cache)) {
        test(&Memory::default());
        let folder = tempfile::tempdir().unwrap();
        test(&Folder::new(folder.path().join("cache"), write));
    }

    #[test]
    fn the_newest_answer_of_each_key_comes_back_with_its_time() {
        both(|cache| {
            let now = UnixMs(1_000_000);
            assert_eq!(cache.get("a", now), None);
            cache.put("a", "one", UnixMs(500));
            cache.put("b", "other", UnixMs(600));
            cache.put("a", "two", UnixMs(700));
            assert_eq!(cache.get("a", now), Some(("two".to_owned(), UnixMs(700))));
            assert_eq!(cache.get("b", now), Some(("other".to_owned(), UnixMs(600))));
        });
    }

    #[test]
    fn an_answer_from_the_future_or_too_long_ago_is_none() {
        both(|cache| {
            cache.put("a", "x", UnixMs(1000));
            assert!(cache.get("a", UnixMs(1000 + OLDEST_MS)).is_some());
            assert_eq!(cache.get("a", UnixMs(1001 + OLDEST_MS)), None);
            assert_eq!(cache.get("a", UnixMs(999)), None, "the clock was set back");
        });
    }

    #[test]
    fn a_damaged_file_or_one_of_another_key_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Folder::new(folder.path().join("cache"), write);
        cache.put("a", "x", UnixMs(0));
        fs::copy(cache.file("a"), cache.file("b")).unwrap();
        assert_eq!(cache.get("b", UnixMs(0)), None);
        write(&cache.file("a"), b"{\"key\":\"a\"").unwrap();
        assert_eq!(cache.get("a", UnixMs(0)), None);
        let mode = fs::metadata(folder.path().join("cache")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_folder_that_cannot_be_made_costs_nothing_but_the_answer() {
        let cache = Folder::new(PathBuf::from("/proc/none/cache"), write);
        cache.put("a", "x", UnixMs(0));
        assert_eq!(cache.get("a", UnixMs(0)), None);
        cache.sweep(UnixMs(0));
    }

    #[test]
    fn what_is_about_a_node_can_be_forgotten_and_what_is_old_swept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Folder::new(folder.path().join("cache"), write);
        let node: Pubkey = format!("02{}", "ab".repeat(32)).parse().unwrap();
        cache.put(&format!("https://x.example/nodes/{node}"), "card", UnixMs(10));
        cache.put("https://x.example/fees", "fees", UnixMs(10));
        cache.forget(&node);
        assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 1);
        cache.sweep(UnixMs(20));
        assert!(cache.get("https://x.example/fees", UnixMs(20)).is_some());
        cache.sweep(UnixMs(20 + OLDEST_MS));
        assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 0);
    }
}
