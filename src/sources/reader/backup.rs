//! Which channels the operator's backup can bring back, by LND's own decoding of it.

use tonic_lnd::lnrpc::{ChanBackupSnapshot, MultiChanBackup, VerifyChanBackupResponse};

use super::check::{Check, parse};
use crate::snapshot::Backup;
use crate::sources::backup::BackupFile;
use crate::units::Outpoint;

/// The question about a file. About a recorded answer it is empty.
pub(super) fn request(file: &BackupFile) -> ChanBackupSnapshot {
    let content = match file {
        BackupFile::Read { content, .. } => content.to_vec(),
        _ => Vec::new(),
    };
    let multi = MultiChanBackup { multi_chan_backup: content, chan_points: Vec::new() };
    ChanBackupSnapshot { single_chan_backups: None, multi_chan_backup: Some(multi) }
}

/// What LND found in it; `None` where it found it good and did not say what is in it, as older versions do.
pub(super) fn backup(file: &BackupFile, answer: &VerifyChanBackupResponse, check: &mut Check) -> Option<Backup> {
    let modified_at = match file {
        BackupFile::Read { modified_at, .. } | BackupFile::Recorded { modified_at } => *modified_at,
        BackupFile::NotNamed | BackupFile::Unreadable(_) => None,
    };
    if answer.chan_points.is_empty() && file.holds_channels() {
        return None;
    }
    let mut covered: Vec<Outpoint> = answer.chan_points.iter().filter_map(|point| check.keep(parse(point))).collect();
    covered.sort();
    covered.dedup();
    Some(Backup { modified_at, covered })
}
