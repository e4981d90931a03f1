//! Parts that a node may do without: what it does not offer, what its macaroon does not permit and what no setting names
//! is not measured, and no gap.

use prost::Message;
use tonic_lnd::lnrpc::VerifyChanBackupResponse;
use tonic_lnd::walletrpc;

use super::check::Check;
use super::{Notes, Reader, backup, towers, wallet};
use crate::snapshot::{Backup, Towers};
use crate::sources::Error;
use crate::sources::answers::{self, Answers, Method};
use crate::sources::backup::BackupFile;

/// What a reader is given besides the connection.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// The operator's backup of channels.
    pub backup: BackupFile,
    /// Methods that the macaroon does not permit: these parts are not asked for.
    pub not_permitted: Vec<&'static Method>,
}

/// The part of a backup.
const BACKUP: &str = "backup";
/// The part of the watchtower client.
const TOWERS: &str = "towers";
/// The part of the chain's fees.
const HOUR_FEE: &str = "lnd.fees";
/// Blocks that are found in an hour.
const BLOCKS_OF_AN_HOUR: i32 = 6;

impl<A: Answers> Reader<'_, A> {
    /// Which channels the operator's backup holds.
    pub(super) async fn backup(&self, notes: &Notes) -> Option<Backup> {
        let file = &self.extras.backup;
        match file {
            BackupFile::NotNamed => {
                let remedy = "no channel.backup is named: `daznode enable` takes --channel-backup FILE";
                notes.not_measured(BACKUP, remedy.to_owned());
                return None;
            }
            BackupFile::Unreadable(reason) => {
                notes.failed(BACKUP, self.source, &Error::Setup(reason.clone()));
                return None;
            }
            BackupFile::Read { .. } | BackupFile::Recorded { .. } => {}
        }
        let method = &answers::VERIFY_CHAN_BACKUP;
        let answer: VerifyChanBackupResponse = self.extra(notes, BACKUP, method, backup::request(file)).await?;
        let mut check = Check::new(BACKUP);
        let read = backup::backup(file, &answer, &mut check);
        self.flag(notes, check);
        if read.is_none() {
            notes.not_measured(BACKUP, "this LND is too old to say which channels a backup holds".to_owned());
        }
        read
    }

    /// What the watchtower client tells of itself and its towers.
    pub(super) async fn towers(&self, notes: &Notes) -> Option<Towers> {
        let (stats, list): (Option<towers::Stats>, Option<towers::List>) = tokio::join!(
            self.extra(notes, TOWERS, &answers::TOWER_STATS, ()),
            self.extra(notes, TOWERS, &answers::LIST_TOWERS, ()),
        );
        let mut check = Check::new(TOWERS);
        let towers = towers::towers(&stats?, &list?, &mut check);
        self.flag(notes, check);
        Some(towers)
    }

    /// What LND takes to get a transaction confirmed within an hour, in sat per 1,000 vB.
    pub(super) async fn hour_fee(&self, notes: &Notes) -> Option<i64> {
        let request = walletrpc::EstimateFeeRequest { conf_target: BLOCKS_OF_AN_HOUR };
        let answer: walletrpc::EstimateFeeResponse =
            self.extra(notes, HOUR_FEE, &answers::ESTIMATE_FEE, request).await?;
        let mut check = Check::new(HOUR_FEE);
        let fee = check.keep(wallet::fee_per_kvb(answer.sat_per_kw));
        self.flag(notes, check);
        fee
    }

    /// Asks what may not be there.
    async fn extra<T: Message + Default>(
        &self,
        notes: &Notes,
        part: &'static str,
        method: &'static Method,
        request: impl Message,
    ) -> Option<T> {
        if self.extras.not_permitted.contains(&method) {
            let name = method.name();
            let reason = format!(
                "the macaroon does not permit {name}: bake one with uri:{}, or use readonly.macaroon",
                method.path
            );
            notes.not_measured(part, reason);
            return None;
        }
        match self.ask(method, request).await {
            Ok(answer) => {
                notes.answered();
                Some(answer)
            }
            Err(Error::NotOffered { reason, .. }) => {
                notes.not_measured(part, reason);
                None
            }
            Err(error) => {
                notes.failed(part, self.source, &error);
                None
            }
        }
    }
}
