//! From how a node is stored (`LndSpec`, with secrets named by their files) to a connection to it.

use std::path::Path;

use super::address::Address;
use super::certificate::Pinned;
use super::channel::{Connection, Options, Trust};
use super::follow::{Follower, Limits};
use super::macaroon::{Caveat, Macaroon};
use super::permissions::{Permissions, bake_command};
use crate::sources::Error;
use crate::sources::answers::Method;
use crate::sources::secret::Secret;
use crate::sources::spec::{Certificate, LndSpec};
use crate::units::{DAY_MS, UnixMs};

/// A macaroon that ends sooner than this is warned of.
const SOON: i64 = 7 * DAY_MS;

/// What opening a node depends on besides its spec.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// `$CREDENTIALS_DIRECTORY`, where systemd hands over credentials.
    pub credentials: Option<&'a Path>,
    /// A proxy for specs that name none, `socks5h://host:port`.
    pub proxy: Option<&'a str>,
    /// Dial nothing outside.
    pub offline: bool,
    /// Take a macaroon that can do more than read, as the setting or the spec allows.
    pub allow_write_macaroon: bool,
    /// The time.
    pub now: UnixMs,
}

/// A node that can be asked, and what is to be said about how.
#[derive(Debug)]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// What the operator should hear of: files that others can read, an end that is near, methods that are not permitted.
    pub warnings: Vec<String>,
    /// When the macaroon ceases to work.
    pub macaroon_expires: Option<UnixMs>,
    /// Whether the macaroon can do more than read.
    pub macaroon_can_write: bool,
    /// Methods that the macaroon does not permit.
    pub not_permitted: Vec<&'static Method>,
}

/// What looking at a macaroon brought, without asking LND.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What the operator should hear of.
    pub warnings: Vec<String>,
    /// When it ceases to work.
    pub expires: Option<UnixMs>,
    /// Whether it can do more than read.
    pub can_write: bool,
    /// Methods of reports that it does not permit.
    pub not_permitted: Vec<&'static Method>,
    /// Streams that it does not permit, which only `daznode watch` follows.
    pub streams_not_permitted: Vec<&'static Method>,
}

/// Reads the secrets that a spec names, judges them, and connects.
pub async fn open(spec: &LndSpec, around: &Surroundings<'_>) -> Result<Opened, Error> {
    let (options, judged) = options(spec, around)?;
    let connection = Connection::open(&options).await?;
    Ok(Opened {
        connection,
        warnings: judged.warnings,
        macaroon_expires: judged.expires,
        macaroon_can_write: judged.can_write,
        not_permitted: judged.not_permitted,
    })
}

/// The same for following the node's streams. Nothing is dialled yet.
pub fn follower(spec: &LndSpec, around: &Surroundings<'_>) -> Result<(Follower, Judged), Error> {
    let (options, judged) = options(spec, around)?;
    Ok((Follower::new(&options, Limits::default())?, judged))
}

/// The same up to, but without, connecting.
pub fn options(spec: &LndSpec, around: &Surroundings<'_>) -> Result<(Options, Judged), Error> {
    let address: Address = spec.address.parse()?;
    let secret = Secret::read("macaroon", &spec.macaroon.path(around.credentials))?;
    let named = |reason: String| Error::Macaroon { reason: format!("{}: {reason}", secret.path().display()) };
    let macaroon = Macaroon::parse(secret.expose()).map_err(|error| named(error.to_string()))?;
    let allow = around.allow_write_macaroon || spec.allow_write_macaroon;
    let mut judged = judge(&macaroon, Some(secret.path()), allow, around.now)?;
    if judged.can_write {
        secret.refuse_shared()?;
    }
    judged.warnings.extend(secret.shared_warning());
    let trust = match &spec.certificate {
        Certificate::Authority => Trust::Authority,
        Certificate::Pinned(place) => {
            let file = Secret::read("certificate", &place.path(around.credentials))?;
            judged.warnings.extend(file.shared_warning());
            let pinned = Pinned::parse(file.expose()).map_err(|why| Error::Certificate {
                address: spec.address.clone(),
                reason: format!("{} {why}: give LND's tls.cert", file.path().display()),
            })?;
            Trust::Pinned(pinned)
        }
    };
    let proxy = spec.proxy.clone().or_else(|| around.proxy.map(str::to_owned));
    let options = Options { address, trust, macaroon, proxy, offline: around.offline, now: around.now };
    Ok((options, judged))
}

/// Looks at what a macaroon permits. One that can do more than read is refused unless that is allowed. `path` is its file, so
/// that a better one beside it can be named.
pub fn judge(macaroon: &Macaroon, path: Option<&Path>, allow_write: bool, now: UnixMs) -> Result<Judged, Error> {
    let refused = |reason: String| match path {
        Some(path) => Error::Macaroon { reason: format!("{} {reason}", path.display()) },
        None => Error::Macaroon { reason: format!("the macaroon {reason}") },
    };
    let mut judged = Judged { expires: macaroon.expires(), ..Judged::default() };
    if macaroon.caveats().contains(&Caveat::ThirdParty) {
        return Err(refused(format!("needs a third party to vouch for it, which LND does not take: {}", better(path))));
    }
    if let Some(end) = judged.expires {
        if end <= now {
            return Err(refused(format!("expired at {}: {}", end.rfc3339(), better(path))));
        }
        if end.since(now) < SOON {
            judged.warnings.push(format!("the macaroon ends at {}; have a new one ready", end.rfc3339()));
        }
    }
    let beyond = macaroon.permissions().map_or_else(|| vec!["unknown things".to_owned()], Permissions::beyond_reading);
    if !beyond.is_empty() {
        let what = listed(&beyond);
        if !allow_write {
            return Err(refused(format!(
                "can do more than read: {what}. daznode needs no more than reading: {}",
                better(path)
            )));
        }
        judged.can_write = true;
        judged.warnings.push(format!("the macaroon can do more than read: {what}; a read-only one is enough"));
    }
    if let Some(permissions) = macaroon.permissions() {
        judged.not_permitted = permissions.missing();
        judged.streams_not_permitted = permissions.missing_streams();
        let missing: Vec<String> = judged.not_permitted.iter().map(|method| method.name().to_owned()).collect();
        if !permissions.permits_get_info() {
            return Err(refused(format!(
                "does not permit {}, without which there is no report: {}",
                listed(&missing),
                better(path)
            )));
        }
        if !missing.is_empty() {
            judged.warnings.push(format!(
                "the macaroon does not permit {}, so the report lacks what they tell; readonly.macaroon permits all",
                listed(&missing)
            ));
        }
    }
    Ok(judged)
}

/// Not more than a line holds.
fn listed(names: &[String]) -> String {
    let shown = names.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(12) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Which macaroon to use instead.
fn better(path: Option<&Path>) -> String {
    let beside = path.map(|path| path.with_file_name("readonly.macaroon"));
    match beside {
        Some(beside) if beside.is_file() && Some(beside.as_path()) != path => {
            format!("use {} beside it", beside.display())
        }
        _ => format!("use LND's readonly.macaroon, or bake one for daznode alone: {}", bake_command()),
    }
}

#[cfg(test)]
mod tests;
