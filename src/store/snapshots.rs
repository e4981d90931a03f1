//! Snapshots, compressed, with a hash of what they were.

use rusqlite::{OptionalExtension, Row, Transaction};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::error::{Error, Result};
use super::profiles::{Key, Profile};
use super::{Store, new_id, samples};
use crate::snapshot::Snapshot;
use crate::units::UnixMs;

/// Quick to write, and about a tenth of the JSON.
const LEVEL: i32 = 3;

impl Store {
    /// Keeps a snapshot and all that is taken out of it in one transaction.
    pub fn put_snapshot(&self, profile: &Profile, snapshot: &Snapshot) -> Result<Uuid> {
        let json = serde_json::to_vec(snapshot).map_err(|e| Error::Invalid(format!("snapshot: {e}")))?;
        let body = self.compress(&json)?;
        let sha256 = sha256(&json);
        let id = new_id(snapshot.taken_at);
        let key = self.key(profile)?;
        self.write_named("snapshot", |tx| {
            let put = || -> rusqlite::Result<()> {
                tx.execute(
                    "INSERT INTO snapshots (tenant, id, node, profile, taken_ms, shape, sha256, body) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    (
                        key.tenant,
                        id.to_string(),
                        key.node,
                        profile.id.to_string(),
                        snapshot.taken_at.0,
                        snapshot.schema,
                        &sha256,
                        &body,
                    ),
                )?;
                see_node(tx, key, snapshot)?;
                samples::put(tx, key, snapshot)
            };
            self.sql(put())
        })?;
        Ok(id)
    }

    /// The snapshot of this id, where it is still kept.
    pub fn snapshot(&self, profile: &Profile, id: Uuid) -> Result<Option<Snapshot>> {
        let key = self.key(profile)?;
        let found = self.db.query_row(
            "SELECT id, sha256, body FROM snapshots WHERE tenant = ?1 AND id = ?2 AND profile = ?3",
            (key.tenant, id.to_string(), profile.id.to_string()),
            read,
        );
        self.sql(found.optional())?.map(|row| self.decode(row)).transpose()
    }

    /// The last snapshot that was taken before `before`.
    pub fn latest_snapshot(&self, profile: &Profile, before: UnixMs) -> Result<Option<Snapshot>> {
        let key = self.key(profile)?;
        let found = self.db.query_row(
            "SELECT id, sha256, body FROM snapshots WHERE tenant = ?1 AND profile = ?2 AND taken_ms < ?3 \
             ORDER BY taken_ms DESC LIMIT 1",
            (key.tenant, profile.id.to_string(), before.0),
            read,
        );
        self.sql(found.optional())?.map(|row| self.decode(row)).transpose()
    }

    fn decode(&self, (id, hash, body): (String, String, Vec<u8>)) -> Result<Snapshot> {
        let json = self.decompress(&format!("snapshot {id}"), &hash, &body)?;
        serde_json::from_slice(&json).map_err(|e| self.damaged(format!("snapshot {id} can't be read: {e}")))
    }

    /// What is stored of `bytes`.
    pub(super) fn compress(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        zstd::encode_all(bytes, LEVEL).map_err(|source| Error::Io {
            what: "compress for",
            path: self.path.clone(),
            source,
        })
    }

    /// The inverse of [`Store::compress`]; an error where what comes out is not what was stored.
    pub(super) fn decompress(&self, what: &str, hash: &str, body: &[u8]) -> Result<Vec<u8>> {
        let bytes = zstd::decode_all(body).map_err(|e| self.damaged(format!("{what} can't be unpacked: {e}")))?;
        if sha256(&bytes) == hash {
            Ok(bytes)
        } else {
            Err(self.damaged(format!("{what} is not what was stored (SHA-256 differs)")))
        }
    }

    pub(super) fn damaged(&self, reason: String) -> Error {
        Error::Damaged { path: self.path.clone(), reason }
    }
}

/// In hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn read(row: &Row<'_>) -> rusqlite::Result<(String, String, Vec<u8>)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn see_node(tx: &Transaction<'_>, key: Key, snapshot: &Snapshot) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE nodes SET alias = ?3, first_seen_ms = CASE WHEN first_seen_ms <= ?4 THEN first_seen_ms ELSE ?4 END \
         WHERE tenant = ?1 AND node = ?2",
        (key.tenant, key.node, &snapshot.node.info.alias, snapshot.taken_at.0),
    )?;
    Ok(())
}
