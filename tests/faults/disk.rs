//! Full and read-only disks: one line, nothing lost, and all is made once there is room. A file system in memory stands
//! for the disk, which only root can make: others are told that this was skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use daznode::sources::spec::SourceSpec;
use daznode::store::{Access, Store};

use crate::audit::audit;
use crate::fake_lnd::{Asked, FakeLnd};
use crate::harness::{Ended, Sandbox};
use crate::profiles::{enable, lnd, put, spec};
use crate::tally::{survived, tries};
use crate::volume::{Volume, alone, fill};

/// A sandbox whose store is on the disk, with a report.
fn sandbox(disk: &Volume, lnd: &FakeLnd) -> Sandbox {
    let sandbox = Sandbox::new().env("DAZNODE_STATE", disk.path().to_str().unwrap());
    let spec = spec(&sandbox, "alice", lnd);
    let store = Store::open(&disk.path(), Access::Write).unwrap();
    put(&store, "alice", SourceSpec::Lnd(spec));
    drop(store);
    sandbox
}

#[test]
fn a_disk_that_is_full_is_told_before_the_node_is_asked() {
    let Some(disk) = Volume::memory(24 << 10) else { return };
    let lnd = lnd().start();
    let sandbox = sandbox(&disk, &lnd);
    sandbox.run(["generate", "--all"]).ends(0);
    let before = audit(&disk.path(), &BTreeMap::new());
    let asked = lnd.calls();
    fill(&disk.path().join("ballast"), 0);
    let path = disk.path();
    sandbox.run(["generate", "--all", "--force"]).ends(1).says_one_line(&[
        path.to_str().unwrap(),
        "full",
        "0 bytes free",
    ]);
    assert_eq!(lnd.calls(), asked);
    for reader in [&["show"][..], &["history"], &["status"], &["show", "--json"]] {
        sandbox.run(reader).ends(0);
    }
    assert_eq!(audit(&disk.path(), &before.reports).reports, before.reports);
}

#[test]
fn a_disk_that_fills_up_while_the_report_is_made() {
    let step = tries(32, 4);
    let (mut refused, mut made) = (0, 0);
    for leave in (0..=256).step_by(step) {
        let Some(disk) = Volume::memory(24 << 10) else { return };
        let ballast = disk.path().join("ballast");
        let armed = disk.path().join("armed");
        let (file, sign) = (ballast.clone(), armed.clone());
        // Somebody else fills the disk while the node is being read.
        let lnd = lnd()
            .answer(move |asked| {
                if asked.path == "/lnrpc.Lightning/GetInfo" && sign.exists() {
                    std::fs::remove_file(&sign).unwrap();
                    fill(&file, leave);
                }
                None
            })
            .start();
        let sandbox = sandbox(&disk, &lnd);
        sandbox.run(["generate", "--all"]).ends(0);
        let before = audit(&disk.path(), &BTreeMap::new());
        std::fs::File::create(&armed).unwrap();
        let ended = sandbox.run(["generate", "--all", "--force", "--retries", "0"]);
        match ended.code {
            Some(0) => made += 1,
            // 3: the report was stored, its file has to wait.
            Some(1 | 3) => {
                refused += 1;
                let told = ended.stderr.trim_end();
                assert!(!told.contains('\n'), "{leave} KiB: not one line: {told}");
                assert!(told.contains("full") && told.contains("make room"), "{leave} KiB: {told}");
            }
            other => panic!("{leave} KiB: {other:?}: {}", ended.stderr),
        }
        let full = audit(&disk.path(), &before.reports);
        assert_eq!(full.temporary, Vec::<PathBuf>::new(), "{leave} KiB");
        sandbox.run(["show"]).ends(0);
        std::fs::remove_file(&ballast).unwrap();
        sandbox.run(["generate", "--all", "--force"]).ends(0);
        let after = audit(&disk.path(), &full.reports);
        assert!(after.reports.len() > full.reports.len() && after.pending.is_empty(), "{leave} KiB");
    }
    eprintln!("{refused} runs met the full disk, {made} had room");
    survived("disk full while the report is made, by what was left", refused + made);
    assert!(refused > 0 && made > 0, "{refused} refused, {made} made: the sizes miss the point");
}

/// What happens to the disk while a run makes a report, at one of its calls.
struct AtCall<'a> {
    disk: &'a Volume,
    at: usize,
    happens: fn(&Path),
}

impl AtCall<'_> {
    /// A run to which it happens, and how often the node was asked.
    fn run(&self) -> (Sandbox, Ended, usize) {
        let (armed, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (path, at, happens) = (self.disk.path(), self.at, self.happens);
        let (set, count) = (Arc::clone(&armed), Arc::clone(&seen));
        let answer = move |_: &Asked<'_>| {
            if set.load(Ordering::SeqCst) && count.fetch_add(1, Ordering::SeqCst) + 1 == at {
                happens(&path);
            }
            None
        };
        let lnd = lnd().answer(answer).start();
        let sandbox = sandbox(self.disk, &lnd);
        sandbox.run(["generate", "--all"]).ends(0);
        armed.store(true, Ordering::SeqCst);
        let ended = sandbox.run(["generate", "--all", "--force", "--retries", "0"]);
        (sandbox, ended, seen.load(Ordering::SeqCst))
    }
}

#[test]
fn a_disk_that_is_full_from_any_call_on() {
    let (mut at, mut tried) = (1, 0);
    loop {
        let Some(disk) = Volume::memory(24 << 10) else { return };
        let fault = AtCall { disk: &disk, at, happens: |path| fill(&path.join("ballast"), 0) };
        let (sandbox, ended, calls) = fault.run();
        if at > calls {
            break;
        }
        ended.ends(1);
        let told = ended.stderr.trim_end();
        let path = disk.path().display().to_string();
        assert!(!told.contains('\n') && told.contains(&path) && told.contains("0 bytes free"), "call {at}: {told}");
        let known = audit(&disk.path(), &BTreeMap::new());
        assert_eq!((known.reports.len(), known.temporary.len()), (1, 0), "call {at}");
        sandbox.run(["show"]).ends(0);
        std::fs::remove_file(disk.path().join("ballast")).unwrap();
        tried += 1;
        at += tries(4, 1);
    }
    assert!(tried > 4, "{tried}");
    survived("disk full from any call of a run on", tried);
}

/// As when the kernel meets an error of the disk: nothing more is written, in the middle of a run.
#[test]
fn a_disk_that_fails_at_any_call() {
    if !alone("disk::a_disk_that_fails_at_any_call") {
        return;
    }
    let (mut at, mut tried) = (1, 0);
    loop {
        let Some(disk) = Volume::ext4(32) else { return };
        let (sandbox, ended, calls) = AtCall { disk: &disk, at, happens: Volume::fail }.run();
        if at > calls {
            break;
        }
        ended.ends(1);
        let told = ended.stderr.trim_end();
        let path = disk.path().display().to_string();
        assert!(!told.contains('\n') && told.contains(&path), "call {at}: {told}");
        sandbox.run(["show"]).ends(0);
        disk.back(true);
        let known = audit(&disk.path(), &BTreeMap::new());
        assert_eq!(known.reports.len(), 1, "call {at}");
        tried += 1;
        at += tries(6, 1);
    }
    assert!(tried > 2, "{tried}");
    survived("disk failed (read-only) from any call of a run on", tried);
}

#[test]
fn a_disk_that_can_only_be_read() {
    let Some(disk) = Volume::memory(24 << 10) else { return };
    let lnd = lnd().start();
    let sandbox = sandbox(&disk, &lnd);
    sandbox.run(["generate", "--all"]).ends(0);
    let before = audit(&disk.path(), &BTreeMap::new());
    disk.remount("ro");
    let asked = lnd.calls();
    let path = disk.path();
    for writer in [&["generate", "--all", "--force"][..], &["generate", "--all"], &["disable", "--all"]] {
        sandbox.run(writer).ends(1).says_one_line(&[path.to_str().unwrap(), "read-only"]);
    }
    assert_eq!(lnd.calls(), asked, "the node is not asked for what can't be kept");
    for reader in [&["show"][..], &["history"], &["status"], &["show", "--json"]] {
        sandbox.run(reader).ends(0);
    }
    disk.remount("rw");
    assert_eq!(audit(&disk.path(), &before.reports).reports, before.reports);
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    assert_eq!(audit(&disk.path(), &before.reports).reports.len(), 2);
}

#[test]
fn a_folder_where_the_report_belongs_that_is_something_else() {
    let lnd = lnd().start();
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &lnd);
    enable(&sandbox, "bert", &lnd);
    sandbox.run(["generate", "--all"]).ends(0);
    let folder = sandbox.state().join("reports/daily/alice");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::File::create(&folder).unwrap();
    let ended = sandbox.run(["generate", "--all", "--force"]);
    ended.ends(1);
    assert!(ended.stderr.contains("reports/daily/alice") && ended.stderr.contains("remove it"), "{}", ended.stderr);
    std::fs::remove_file(&folder).unwrap();
    sandbox.run(["generate", "--all", "--force"]).ends(0);
    assert!(audit(&sandbox.state(), &BTreeMap::new()).pending.is_empty());
}
