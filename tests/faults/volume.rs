//! File systems of a test's own: in memory, so that they can be filled, and in a file, so that their power can be cut.
//! Only root can make them: others are told that this was skipped.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::is_root;

/// A file system that is gone when dropped.
pub(crate) struct Volume {
    folder: tempfile::TempDir,
    image: Option<tempfile::NamedTempFile>,
}

impl Volume {
    /// In memory.
    pub(crate) fn memory(kib: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={kib}k,mode=0700");
        let args = ["-t", "tmpfs", "-o", &options, "none"].map(OsStr::new);
        if !is_root() || run("mount", &[&args[..], &[folder.path().as_os_str()]].concat()).is_err() {
            eprintln!("skipped: no file system can be mounted here (root may)");
            return None;
        }
        Some(Self { folder, image: None })
    }

    /// An ext4 in a file, with a journal, as on a disk.
    pub(crate) fn ext4(mib: u64) -> Option<Self> {
        let image = tempfile::NamedTempFile::new().unwrap();
        image.as_file().set_len(mib << 20).unwrap();
        let volume = Self { folder: tempfile::tempdir().unwrap(), image: Some(image) };
        let args = ["-q", "-F", "-J", "size=4"].map(OsStr::new);
        let made = run("mkfs.ext4", &[&args[..], &[volume.image()]].concat()).and_then(|()| volume.mount());
        if let Err(why) = made {
            eprintln!("skipped: no ext4 can be made and mounted here (root may): {}", why.trim_end());
            return None;
        }
        Some(volume)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    fn image(&self) -> &OsStr {
        self.image.as_ref().unwrap().path().as_os_str()
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &["-o".as_ref(), "loop".as_ref(), self.image(), self.folder.path().as_os_str()])
    }

    pub(crate) fn remount(&self, how: &str) {
        remount(self.folder.path(), how);
    }

    /// What the disk holds once the power is gone: all that was synced, and of the rest nothing that the kernel kept back.
    pub(crate) fn cut(&self) {
        // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, by the one interpreter that every Debian has.
        let cut = r#"my $how = pack("L", 2); open(F, "<", $ARGV[0]) or die $!; ioctl(F, 0x8004587D, $how) or die $!"#;
        run("perl", &["-e".as_ref(), cut.as_ref(), self.folder.path().as_os_str()]).unwrap();
    }

    /// The disk as it comes back after `cut`, or after an error: its journal is replayed, and repaired where it says so.
    pub(crate) fn back(&self, repair: bool) {
        run("umount", &[self.folder.path().as_os_str()]).unwrap();
        if repair {
            // 1: errors were corrected.
            let ended = Command::new("/usr/sbin/e2fsck").args(["-f", "-y"]).arg(self.image()).output().unwrap();
            assert!(matches!(ended.status.code(), Some(0 | 1)), "{ended:?}");
        }
        self.mount().unwrap();
    }

    /// An error of the disk, after which the kernel writes nothing more to it.
    pub(crate) fn fail(folder: &Path) {
        remount(folder, "abort,errors=remount-ro");
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // The loop device goes with the mount.
        let _ = run("umount", &["-l".as_ref(), self.folder.path().as_os_str()]);
    }
}

fn remount(folder: &Path, how: &str) {
    run("mount", &["-o".as_ref(), format!("remount,{how}").as_ref(), folder.as_os_str()]).unwrap();
}

fn run(program: &str, args: &[&OsStr]) -> Result<(), String> {
    // What makes file systems is not on everybody's path.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let ended = Command::new(program).env("PATH", path).args(args).output();
    let ended = ended.map_err(|e| format!("{program}: {e}"))?;
    let said = || format!("{program} {args:?}: {}", String::from_utf8_lossy(&ended.stderr));
    ended.status.success().then_some(()).ok_or_else(said)
}

/// Takes all room on the disk of `file` but so much.
pub(crate) fn fill(file: &Path, leave_kib: u64) {
    let mut ballast = std::fs::File::create(file).unwrap();
    let block = vec![0x5a; 4096];
    while ballast.write_all(&block).is_ok() {}
    let size = ballast.metadata().unwrap().len().saturating_sub(leave_kib << 10);
    ballast.set_len(size).unwrap();
}

/// Runs a test again in a process whose mounts nobody else sees, so that none stays behind when it is killed; whether
/// this is that process.
pub(crate) fn alone(test: &str) -> bool {
    const SIGN: &str = "DAZNODE_TEST_ALONE";
    if std::env::var(SIGN).is_ok_and(|alone| alone == test) {
        return true;
    }
    if !is_root() {
        eprintln!("skipped: {test} mounts file systems (root may)");
        return false;
    }
    let ended = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--"])
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(SIGN, test)
        .output();
    let Ok(ended) = ended else {
        eprintln!("skipped: {test} needs unshare");
        return false;
    };
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    eprint!("{said}");
    if said.contains("unshare failed") {
        eprintln!("skipped: {test} may not have mounts of its own");
        return false;
    }
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && told.contains("1 passed"), "{told}\n{said}");
    false
}
