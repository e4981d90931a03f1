//! Full and read-only disks: one line, nothing lost, and all is made once there is room. A file system in memory stands
//! for the disk, which only root can make: others are told that this was skipped.

use std::collections::BTreeMap;
use std::path::PathBuf;

use daznode::sources::spec::SourceSpec;
use daznode::store::{Access, Store};

use crate::audit::audit;
use crate::fake_lnd::FakeLnd;
use crate::harness::Sandbox;
use crate::profiles::{enable, lnd, put, spec};
use crate::tally::{survived, tries};
use crate::volume::{Volume, fill};

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
