//! Tenants, users, nodes and the profiles that reports are made for.

use std::path::PathBuf;

use rusqlite::{OptionalExtension, Row, Transaction, named_params};
use uuid::Uuid;

use super::error::{Error, Result};
use super::periods::period_folder;
use super::{Json, Parsed, Store, files, new_id};
use crate::report::period::PeriodKind;
use crate::sources::spec::SourceSpec;
use crate::units::{Network, Pubkey, UnixMs};

/// A node that reports are made for.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Name of the tenant.
    pub tenant: String,
    /// Whose profile it is; unique in the store.
    pub user: String,
    /// The node's id in the store.
    pub node_id: Uuid,
    /// The node's key.
    pub pubkey: Pubkey,
    /// Its chain.
    pub network: Network,
    /// What it called itself last; hostile text.
    pub alias: String,
    /// How to reach it.
    pub source: SourceSpec,
    /// When reports are due, as cron in UTC.
    pub schedule: String,
    /// Whether reports are made.
    pub enabled: bool,
    /// Notification preferences.
    pub notify: serde_json::Value,
    /// Folder of its files below the state folder, chosen once.
    pub folder: String,
    /// When it was first enabled.
    pub created_at: UnixMs,
    /// When the last report that did not fail was made.
    pub last_report_at: Option<UnixMs>,
    /// Its id.
    pub last_report_id: Option<Uuid>,
    /// Reports that did not fail, revisions included.
    pub total_reports: u32,
}

/// What `enable` is given.
#[derive(Clone, Debug, PartialEq)]
pub struct NewProfile {
    /// Name of the tenant, `default` unless told.
    pub tenant: String,
    /// Whose profile it is.
    pub user: String,
    /// The node's key.
    pub pubkey: Pubkey,
    /// Its chain.
    pub network: Network,
    /// What it calls itself.
    pub alias: String,
    /// How to reach it.
    pub source: SourceSpec,
    /// When reports are due, as cron in UTC.
    pub schedule: String,
    /// Notification preferences.
    pub notify: serde_json::Value,
}

/// Which profiles are meant. Empty: all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Of this user.
    pub user: Option<String>,
    /// A pubkey, the beginning of one (four digits or more), or an alias.
    pub node: Option<String>,
    /// Only those that are enabled.
    pub enabled_only: bool,
}

/// What `erase_user` removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Profiles.
    pub profiles: u32,
    /// Reports.
    pub reports: u32,
    /// Files.
    pub files: Vec<PathBuf>,
}

/// The numbers that stand for a tenant and a node in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// The tenant.
    pub tenant: i64,
    /// The node.
    pub node: i64,
}

const COLUMNS: &str = "SELECT p.id, t.name, p.user_name, n.id, n.pubkey, n.network, n.alias, p.source, p.schedule, \
    p.enabled, p.notify, p.folder, p.created_ms, p.last_report_ms, p.last_report_id, p.total_reports FROM profiles p \
    JOIN tenants t ON t.tenant = p.tenant JOIN nodes n ON n.tenant = p.tenant AND n.node = p.node ";

fn read(row: &Row<'_>) -> rusqlite::Result<Profile> {
    Ok(Profile {
        id: row.get::<_, Parsed<Uuid>>(0)?.0,
        tenant: row.get(1)?,
        user: row.get(2)?,
        node_id: row.get::<_, Parsed<Uuid>>(3)?.0,
        pubkey: row.get::<_, Parsed<Pubkey>>(4)?.0,
        network: row.get::<_, Parsed<Network>>(5)?.0,
        alias: row.get(6)?,
        source: row.get::<_, Json<SourceSpec>>(7)?.0,
        schedule: row.get(8)?,
        enabled: row.get(9)?,
        notify: row.get::<_, Json<serde_json::Value>>(10)?.0,
        folder: row.get(11)?,
        created_at: UnixMs(row.get(12)?),
        last_report_at: row.get::<_, Option<i64>>(13)?.map(UnixMs),
        last_report_id: row.get::<_, Option<Parsed<Uuid>>>(14)?.map(|id| id.0),
        total_reports: row.get(15)?,
    })
}

impl Store {
    /// Makes a profile, or enables it again with the source, schedule and alias given; id and folder stay.
    pub fn enable(&self, new: &NewProfile, now: UnixMs) -> Result<Profile> {
        check_name("user", &new.user)?;
        check_name("tenant", &new.tenant)?;
        let source = serde_json::to_string(&new.source).map_err(|e| Error::Invalid(format!("source: {e}")))?;
        self.write(|tx| {
            let tenant = self.sql(put_tenant(tx, &new.tenant, now))?;
            let owner: Option<i64> = self.sql(
                tx.query_row("SELECT tenant FROM users WHERE name = ?1", [&new.user], |row| row.get(0)).optional(),
            )?;
            if owner.is_some_and(|owner| owner != tenant) {
                let user = &new.user;
                return Err(Error::Invalid(format!("user {user:?} belongs to another tenant: choose another name")));
            }
            let node = self.sql(put_node(tx, tenant, new, now))?;
            self.sql(put_profile(tx, Key { tenant, node }, new, &source, now))?;
            let text = format!("{COLUMNS} WHERE p.tenant = ?1 AND p.user_name = ?2 AND p.node = ?3");
            self.sql(tx.query_row(&text, (tenant, &new.user, node), read))
        })
    }

    /// Switches a profile on or off. False where there is none of this id.
    pub fn set_enabled(&self, id: Uuid, on: bool, now: UnixMs) -> Result<bool> {
        let Some(profile) = self.profile(id)? else { return Ok(false) };
        self.write(|tx| {
            let key = self.key(&profile)?;
            let changed = tx.execute(
                "UPDATE profiles SET enabled = ?1, updated_ms = ?2 WHERE tenant = ?3 AND id = ?4",
                (on, now.0, key.tenant, id.to_string()),
            );
            self.sql(changed).map(|n| n > 0)
        })
    }

    /// The profile of this id.
    pub fn profile(&self, id: Uuid) -> Result<Option<Profile>> {
        // An id is unique over tenants; whoever asks for a tenant's profiles uses the filter.
        let text = format!("{COLUMNS} WHERE p.tenant IN (SELECT tenant FROM tenants) AND p.id = ?1");
        self.sql(self.db.query_row(&text, [id.to_string()], read).optional())
    }

    /// The profiles that the filter means, by user and time of creation.
    pub fn profiles(&self, filter: &ProfileFilter) -> Result<Vec<Profile>> {
        let text = format!(
            "{COLUMNS} WHERE (:tenant IS NULL OR t.name = :tenant) AND (:user IS NULL OR p.user_name = :user) \
             AND (:enabled = 0 OR p.enabled = 1) ORDER BY p.user_name, p.created_ms, p.id"
        );
        let mut statement = self.sql(self.db.prepare_cached(&text))?;
        let params = named_params! { ":tenant": filter.tenant, ":user": filter.user, ":enabled": filter.enabled_only };
        let rows = self.sql(statement.query_map(params, read))?;
        let mut found = Vec::new();
        for profile in rows {
            let profile = self.sql(profile)?;
            if filter.node.as_deref().is_none_or(|node| is_meant(&profile, node)) {
                found.push(profile);
            }
        }
        Ok(found)
    }

    /// Removes everything of one user: rows, files and folder. What is known of a node stays where another profile of
    /// the tenant has the same node.
    pub fn erase_user(&self, tenant: &str, user: &str) -> Result<Erased> {
        let filter =
            ProfileFilter { tenant: Some(tenant.to_owned()), user: Some(user.to_owned()), ..Default::default() };
        let profiles = self.profiles(&filter)?;
        let mut erased = Erased { profiles: u32::try_from(profiles.len()).unwrap_or(u32::MAX), ..Default::default() };
        // Files first: after a kill the rows still say what is to be removed.
        for profile in &profiles {
            erased.files.extend(files::remove_folder(&self.state, &profile.folder)?);
            for period in [PeriodKind::Week, PeriodKind::Month] {
                erased.files.extend(files::remove_folder(&self.state, &period_folder(&profile.folder, period))?);
            }
        }
        self.write(|tx| {
            for profile in &profiles {
                erased.reports += self.sql(erase_profile(tx, self.key(profile)?, profile))?;
            }
            let gone = tx.execute(
                "DELETE FROM users WHERE name = ?2 AND name <> 'default' \
                 AND tenant = (SELECT tenant FROM tenants WHERE name = ?1)",
                (tenant, user),
            );
            self.sql(gone)
        })?;
        if !profiles.is_empty() {
            // What was deleted must not stay readable in the file's free pages.
            self.sql(self.db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"))?;
        }
        Ok(erased)
    }

    /// The numbers of the profile's tenant and node.
    pub(super) fn key(&self, profile: &Profile) -> Result<Key> {
        let mut statement = self.sql(self.db.prepare_cached(
            "SELECT n.tenant, n.node FROM nodes n JOIN tenants t ON t.tenant = n.tenant WHERE t.name = ?1 AND n.id = ?2",
        ))?;
        let key = statement
            .query_row((&profile.tenant, profile.node_id.to_string()), |row| {
                Ok(Key { tenant: row.get(0)?, node: row.get(1)? })
            })
            .optional();
        self.sql(key)?.ok_or_else(|| {
            Error::Invalid(format!(
                "node {} of user {:?} is not in the store: enable it again",
                profile.pubkey, profile.user
            ))
        })
    }
}

/// Whether `node` is the profile's pubkey, the beginning of it, or its alias.
fn is_meant(profile: &Profile, node: &str) -> bool {
    let prefix = node.len() >= 4 && profile.pubkey.as_str().starts_with(&node.to_ascii_lowercase());
    prefix || profile.alias == node
}

/// A name that is a folder too: nothing but what is harmless in a path.
fn check_name(what: &str, name: &str) -> Result<()> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
    if first && rest && name.len() <= 63 {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(Error::Invalid(format!(
        "{what} {shown:?} is malformed: expected 1 to 63 of a-z, 0-9, - and _, the first a letter or digit"
    )))
}

fn put_tenant(tx: &Transaction<'_>, name: &str, now: UnixMs) -> rusqlite::Result<i64> {
    tx.execute(
        "INSERT INTO tenants (tenant, name, created_ms) SELECT coalesce(max(tenant), 0) + 1, ?1, ?2 FROM tenants \
         WHERE true ON CONFLICT (name) DO NOTHING",
        (name, now.0),
    )?;
    tx.query_row("SELECT tenant FROM tenants WHERE name = ?1", [name], |row| row.get(0))
}

fn put_node(tx: &Transaction<'_>, tenant: i64, new: &NewProfile, now: UnixMs) -> rusqlite::Result<i64> {
    tx.execute(
        "INSERT INTO users (tenant, name, created_ms) VALUES (?1, ?2, ?3) ON CONFLICT (tenant, name) DO NOTHING",
        (tenant, &new.user, now.0),
    )?;
    tx.execute(
        "INSERT INTO nodes (tenant, node, id, network, pubkey, alias, created_ms) \
         SELECT ?1, coalesce(max(node), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM nodes WHERE tenant = ?1 \
         ON CONFLICT (tenant, network, pubkey) DO UPDATE SET alias = excluded.alias",
        (tenant, new_id(now).to_string(), new.network.as_str(), new.pubkey.as_str(), &new.alias, now.0),
    )?;
    tx.query_row(
        "SELECT node FROM nodes WHERE tenant = ?1 AND network = ?2 AND pubkey = ?3",
        (tenant, new.network.as_str(), new.pubkey.as_str()),
        |row| row.get(0),
    )
}

fn put_profile(tx: &Transaction<'_>, key: Key, new: &NewProfile, source: &str, now: UnixMs) -> rusqlite::Result<()> {
    let user = &new.user;
    // The user's first node writes to the user's folder, further ones below it; the choice is made once.
    let plain = format!("reports/daily/{user}");
    let taken: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM profiles WHERE tenant = ?1 AND folder = ?2)",
        (key.tenant, &plain),
        |row| row.get(0),
    )?;
    let mut folder = if taken { format!("{plain}/{}", new.pubkey) } else { plain };
    // The same key on two chains.
    let clash: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM profiles WHERE tenant = ?1 AND folder = ?2 AND node <> ?3)",
        (key.tenant, &folder, key.node),
        |row| row.get(0),
    )?;
    if clash {
        folder = format!("{folder}-{}", new.network);
    }
    tx.execute(
        "INSERT INTO profiles (tenant, id, user_name, node, source, schedule, enabled, notify, folder, created_ms, \
         updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?9) ON CONFLICT (tenant, user_name, node) \
         DO UPDATE SET source = excluded.source, schedule = excluded.schedule, enabled = 1, notify = excluded.notify, \
         updated_ms = excluded.updated_ms",
        (
            key.tenant,
            new_id(now).to_string(),
            user,
            key.node,
            source,
            &new.schedule,
            new.notify.to_string(),
            folder,
            now.0,
        ),
    )?;
    Ok(())
}

/// Tables whose rows belong to a node.
const NODE_TABLES: [&str; 31] = [
    "channels",
    "channel_scids",
    "forwards",
    "forward_days",
    "forward_hours",
    "forward_last",
    "channel_days",
    "channel_totals",
    "payments",
    "payment_parts",
    "invoices",
    "chain_transactions",
    "closes",
    "resolutions",
    "policy_changes",
    "htlc_failures",
    "failure_days",
    "peer_sessions",
    "peer_days",
    "balance_days",
    "channel_events",
    "unknown_events",
    "channel_samples",
    "wallet_samples",
    "peer_samples",
    "host_samples",
    "commitments",
    "coverage",
    "snapshots",
    "profiles",
    "nodes",
];

fn erase_profile(tx: &Transaction<'_>, key: Key, profile: &Profile) -> rusqlite::Result<u32> {
    let id = profile.id.to_string();
    for (table, parent, column) in [("alert_events", "alerts", "alert"), ("advice_outcomes", "advice", "advice")] {
        tx.execute(
            &format!(
                "DELETE FROM {table} WHERE tenant = ?1 AND {column} IN \
                 (SELECT id FROM {parent} WHERE tenant = ?1 AND profile = ?2)"
            ),
            (key.tenant, &id),
        )?;
    }
    tx.execute(
        "DELETE FROM pending_files WHERE tenant = ?1 AND report IN \
         (SELECT id FROM reports WHERE tenant = ?1 AND profile = ?2)",
        (key.tenant, &id),
    )?;
    for table in ["alerts", "alert_mutes", "outbox", "advice", "snapshots", "watchers"] {
        tx.execute(&format!("DELETE FROM {table} WHERE tenant = ?1 AND profile = ?2"), (key.tenant, &id))?;
    }
    let reports = tx.execute("DELETE FROM reports WHERE tenant = ?1 AND profile = ?2", (key.tenant, &id))?;
    tx.execute("DELETE FROM profiles WHERE tenant = ?1 AND id = ?2", (key.tenant, &id))?;
    let shared: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM profiles WHERE tenant = ?1 AND node = ?2)",
        (key.tenant, key.node),
        |row| row.get(0),
    )?;
    if !shared {
        for table in NODE_TABLES {
            tx.execute(&format!("DELETE FROM {table} WHERE tenant = ?1 AND node = ?2"), (key.tenant, key.node))?;
        }
        super::sources::forget(tx, key.tenant, profile.pubkey.as_str())?;
    }
    Ok(u32::try_from(reports).unwrap_or(u32::MAX))
}
