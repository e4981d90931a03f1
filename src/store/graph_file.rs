//! The network graphs that are kept for the next run: a SQLite file for each network, in a folder of their own.
//!
//! It is no part of the store: what is in it can be asked for again, so no backup has it, and a file that is damaged is put
//! aside and told, never a failed run. A graph takes the place of the one before in one synced transaction, in the rollback
//! journal: there is one file, which a reader of the group can read, and a kill or a power cut leaves the old graph. It takes
//! milliseconds, twice a day. A digest over all of the row finds what a bad disk did.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::error::{Error, Result, free_bytes};
use super::place::Place;
use super::{guard, refuse_read_only};
use crate::sources::reader::{Kept, PackError, Shelf, Stamp};
use crate::units::{Network, UnixMs};

/// `dzgr` in the header of every file.
const APPLICATION_ID: u32 = 0x647a_6772;
/// A file of an older version is made anew, one of a newer version is left alone.
const VERSION: u32 = 1;
const SCHEMA: &str = "CREATE TABLE public_graph (\
    id INTEGER PRIMARY KEY CHECK (id = 1), as_of_ms INTEGER NOT NULL, source TEXT NOT NULL, channels INTEGER NOT NULL, \
    packed BLOB NOT NULL, sha256 BLOB NOT NULL CHECK (length(sha256) = 32)) STRICT";
/// Bytes of a graph that are read: more than any that is written.
const MAX_PACKED: i64 = 64 << 20;

/// What is left for others, the store first, beyond a graph and the journal of the one before: 16 MiB.
const MIN_FREE: u64 = 16 << 20;

/// The folder of the kept graphs.
#[derive(Clone, Debug)]
pub struct GraphFolder {
    state: PathBuf,
    folder: PathBuf,
}

/// What is known of a kept graph without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptGraph {
    /// Of which network.
    pub network: Network,
    /// When it was told.
    pub as_of: UnixMs,
    /// Its channels.
    pub channels: u64,
}

/// All networks whose graph is shared.
const NETWORKS: [Network; 3] = [Network::Mainnet, Network::Testnet, Network::Signet];

impl GraphFolder {
    /// In a folder below the state folder, or anywhere else where its path is a whole one.
    pub fn new(state: &Path, folder: &Path) -> Self {
        Self { state: state.to_path_buf(), folder: state.join(folder) }
    }

    /// Where the graph of a network is kept.
    pub fn file(&self, network: Network) -> PathBuf {
        self.folder.join(format!("{network}.db"))
    }

    /// The graphs that are there; an error for one that can't be read. Changes nothing.
    pub fn list(&self) -> Vec<Result<KeptGraph>> {
        NETWORKS.into_iter().filter_map(|network| self.look(network).transpose()).collect()
    }

    fn look(&self, network: Network) -> Result<Option<KeptGraph>> {
        let path = self.file(network);
        if !path.exists() {
            return Ok(None);
        }
        let db = open(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        if version(&db, &path)? == 0 {
            return Ok(None);
        }
        let sql = "SELECT as_of_ms, channels FROM public_graph WHERE id = 1";
        let row = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?))).optional();
        let row = row.map_err(|e| refused(&path, e))?;
        Ok(row.map(|(as_of, channels)| KeptGraph { network, as_of: UnixMs(as_of), channels: channels.unsigned_abs() }))
    }

    /// Reads the graph of a network; `None` where none is kept.
    pub fn read(&self, network: Network) -> Result<Option<Kept>> {
        let path = self.file(network);
        if !path.exists() {
            return Ok(None);
        }
        // To write: what a kill left in the journal has to be taken back.
        let db = open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        if version(&db, &path)? != VERSION {
            return Ok(None);
        }
        let sql =
            "SELECT as_of_ms, source, channels, packed, sha256 FROM public_graph WHERE id = 1 AND length(packed) <= ?1";
        let row = db
            .query_row(sql, [MAX_PACKED], |row| {
                let stamp = Stamp {
                    as_of: UnixMs(row.get(0)?),
                    source: row.get(1)?,
                    channels: row.get::<_, i64>(2)?.unsigned_abs(),
                };
                Ok((Kept { stamp, packed: row.get(3)? }, row.get::<_, Vec<u8>>(4)?))
            })
            .optional()
            .map_err(|e| refused(&path, e))?;
        match row {
            Some((kept, sha256)) if sha256 != digest(network, &kept)[..] => {
                Err(Error::Damaged { path, reason: "its digest is not that of what is in it".to_owned() })
            }
            row => Ok(row.map(|(kept, _)| kept)),
        }
    }

    /// Keeps a graph in place of the one before.
    pub fn write(&self, network: Network, kept: &Kept) -> Result<()> {
        let path = self.file(network);
        let place = self.place()?;
        let free = free_bytes(&self.folder);
        if free < MIN_FREE.saturating_add(u64::try_from(kept.packed.len()).unwrap_or(u64::MAX).saturating_mul(2)) {
            return Err(Error::Full { path: self.folder.clone(), free });
        }
        place.create_empty(&path)?;
        let db = open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        refuse_read_only(&db, &path)?;
        let sql = |e| refused(&path, e);
        db.query_row("PRAGMA journal_mode = TRUNCATE", [], |row| row.get::<_, String>(0)).map_err(sql)?;
        db.pragma_update(None, "synchronous", "FULL").map_err(sql)?;
        let found = version(&db, &path)?;
        let tx = Transaction::new_unchecked(&db, TransactionBehavior::Immediate).map_err(sql)?;
        if found < VERSION {
            tx.execute_batch("DROP TABLE IF EXISTS public_graph").map_err(sql)?;
            tx.execute_batch(SCHEMA).map_err(sql)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
            tx.pragma_update(None, "user_version", VERSION).map_err(sql)?;
        }
        let statement = "INSERT INTO public_graph (id, as_of_ms, source, channels, packed, sha256) \
                         VALUES (1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET as_of_ms = excluded.as_of_ms, \
                         source = excluded.source, channels = excluded.channels, packed = excluded.packed, \
                         sha256 = excluded.sha256";
        let Stamp { as_of, source, channels } = &kept.stamp;
        let channels = channels.cast_signed();
        tx.execute(statement, (as_of.0, source, channels, &kept.packed, digest(network, kept))).map_err(sql)?;
        tx.commit().map_err(sql)
    }

    /// Makes the folder where it is missing. Its parent has to be there: a volume that is not mounted gets no folder in
    /// its place.
    fn place(&self) -> Result<Place> {
        let place = Place::of(&self.state, false)?;
        let made = std::fs::DirBuilder::new().mode(place.folder_mode).create(&self.folder);
        let failed = |e| Error::of_io("create", &self.folder, e);
        match made {
            Ok(()) => {
                let folder = std::fs::File::open(&self.folder).map_err(failed)?;
                place.settle(&folder, place.folder_mode).map_err(|e| failed(e.into()))?;
                Ok(place)
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Place::of(&self.folder, false),
            Err(e) => Err(failed(e)),
        }
    }

    /// Puts a damaged file aside, in place of one that was put aside before, and says so.
    fn put_aside(&self, network: Network, reason: &str) -> String {
        let path = self.file(network);
        let aside = path.with_extension("damaged.db");
        // A journal that stayed would be played into the file that is made next.
        let moved = std::fs::rename(&path, &aside).and_then(|()| {
            match std::fs::remove_file(self.folder.join(format!("{network}.db-journal"))) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
                _ => Ok(()),
            }
        });
        let path = path.display();
        match moved {
            Ok(()) => format!("the kept graph {path} is damaged ({reason}): it is put aside as {}", aside.display()),
            Err(e) => format!("the kept graph {path} is damaged ({reason}), and can't be put aside ({e}): remove it"),
        }
    }

    /// A line of warning; what is damaged is put aside.
    fn warning(&self, network: Network, error: Error) -> String {
        match error {
            Error::Damaged { reason, .. } => self.put_aside(network, &reason),
            Error::Newer { path, found, known } => {
                let path = path.display();
                format!("the kept graph {path} has version {found}, this daznode knows {known}: it is left alone")
            }
            other => other.to_string(),
        }
    }
}

impl Shelf for GraphFolder {
    fn get(&self, network: Network) -> Result<Option<Kept>, String> {
        self.read(network).map_err(|error| self.warning(network, error))
    }

    fn put(&self, network: Network, kept: &Kept) -> Result<(), String> {
        let again = |error| match error {
            // What was damaged is out of the way now.
            Error::Damaged { reason, .. } => {
                self.put_aside(network, &reason);
                self.write(network, kept)
            }
            other => Err(other),
        };
        self.write(network, kept).or_else(again).map_err(|error| self.warning(network, error))
    }

    fn set_aside(&self, network: Network, why: &PackError) -> String {
        self.put_aside(network, &why.to_string())
    }
}

/// SQLite's error with its meaning. A table that is not the one that was made is damage: there is no other use of it.
fn refused(path: &Path, error: rusqlite::Error) -> Error {
    match Error::of_sql(path, error) {
        Error::Sql { path, source } => Error::Damaged { path, reason: source.to_string() },
        other => other,
    }
}

/// Opens a file that is there.
fn open(path: &Path, access: OpenFlags) -> Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|e| refused(path, e))?;
    guard(&db).map_err(|e| refused(path, e))?;
    Ok(db)
}

/// Which version a file has; 0 for one that is empty.
fn version(db: &Connection, path: &Path) -> Result<u32> {
    let number = |name: &str| {
        db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u32>(0)).map_err(|e| refused(path, e))
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    match (application, version) {
        (0, 0) => Ok(0),
        (APPLICATION_ID, VERSION..) if version > VERSION => {
            Err(Error::Newer { path: path.to_path_buf(), found: version, known: VERSION })
        }
        (APPLICATION_ID, _) => Ok(version),
        _ => Err(Error::Damaged { path: path.to_path_buf(), reason: "it belongs to another application".to_owned() }),
    }
}

/// SHA-256 over all that is kept, each text with its length before it.
fn digest(network: Network, kept: &Kept) -> [u8; 32] {
    let Stamp { as_of, source, channels } = &kept.stamp;
    let mut hash = Sha256::new();
    for text in [network.as_str().as_bytes(), source.as_bytes(), &kept.packed] {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(text);
    }
    hash.update(as_of.0.to_le_bytes());
    hash.update(channels.to_le_bytes());
    hash.finalize().into()
}

#[cfg(test)]
#[path = "graph_file/tests.rs"]
mod tests;
