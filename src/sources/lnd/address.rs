//! Where an LND listens, and which way leads there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use super::errors::harmless;
use crate::sources::Error;

/// LND's gRPC port unless `rpclisten` says otherwise.
pub const DEFAULT_PORT: u16 = 10009;

/// `host:port` or `unix:///path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Over TCP. An IPv6 host has no brackets here.
    Tcp {
        /// A name or an IP address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// A socket on this machine.
    Unix(PathBuf),
}

impl Address {
    /// Whether it is reached without leaving the machine or the local network: no proxy is used for it, and it may be
    /// dialled when everything outside is switched off.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => match host.parse::<IpAddr>() {
                Ok(ip) => is_private(ip),
                Err(_) => is_local_name(host),
            },
        }
    }

    /// Whether it is on this very machine, as far as the address tells.
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => match host.parse::<IpAddr>() {
                Ok(ip) => ip.to_canonical().is_loopback(),
                Err(_) => host.eq_ignore_ascii_case("localhost") || has_ending(host, "localhost"),
            },
        }
    }

    /// Whether only Tor leads there.
    pub fn is_onion(&self) -> bool {
        matches!(self, Self::Tcp { host, .. } if has_ending(host, "onion"))
    }

    /// The host that TLS is told, and that a certificate of an authority must be made out to.
    pub fn host(&self) -> &str {
        match self {
            Self::Tcp { host, .. } => host,
            Self::Unix(_) => "localhost",
        }
    }
}

/// Loopback, and what the internet does not route.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = Ipv4Addr::new(100, 64, 0, 0).to_bits();
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.to_bits() & 0xffc0_0000 == shared
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_private(IpAddr::V4(ip)),
            None => ip == Ipv6Addr::LOCALHOST || ip.is_unique_local() || ip.is_unicast_link_local(),
        },
    }
}

/// Names that only the machine itself or the local network can know: no public name has a single label.
fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    !host.contains('.')
        || ["localhost", "local", "lan", "internal", "home.arpa"].iter().any(|end| has_ending(host, end))
}

fn has_ending(host: &str, ending: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.strip_suffix(ending).is_some_and(|rest| rest.ends_with('.'))
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let bad = |why: &str| {
            Error::Setup(format!("LND's address {:?} {why}: give host:port or unix:///path", harmless(text)))
        };
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(bad("names no absolute path"))
            };
        }
        let rest = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
        if rest.contains("://") {
            return Err(bad("has a scheme that LND does not speak"));
        }
        let (host, port) = split_port(rest).ok_or_else(|| bad("has no port that is a number from 1 to 65535"))?;
        let is_ip = host.parse::<IpAddr>().is_ok();
        let is_name = !host.is_empty()
            && host.len() <= 253
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if is_ip || is_name { Ok(Self::Tcp { host: host.to_owned(), port }) } else { Err(bad("has no usable host")) }
    }
}

/// Host and port of `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address.
fn split_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return None,
        }
    } else if text.parse::<Ipv6Addr>().is_ok() {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let Some(port) = port else { return Some((host, DEFAULT_PORT)) };
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    port.parse().ok().filter(|port| *port > 0).map(|port| (host, port))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        text.parse::<Address>().unwrap().to_string()
    }

    #[test]
    fn addresses_are_read_in_every_usual_form() {
        assert_eq!(parsed("127.0.0.1:10001"), "127.0.0.1:10001");
        assert_eq!(parsed(" node.example.com "), "node.example.com:10009");
        assert_eq!(parsed("https://node.example.com:443/"), "node.example.com:443");
        assert_eq!(parsed("[::1]:7"), "[::1]:7");
        assert_eq!(parsed("::1"), "[::1]:10009");
        assert_eq!(parsed("unix:///run/lnd/rpc.sock"), "unix:///run/lnd/rpc.sock");
    }

    #[test]
    fn bad_addresses_are_refused_with_the_accepted_form() {
        for bad in [
            "",
            ":10009",
            "a:0",
            "a:65536",
            "a:x",
            "a:+1",
            "a b:1",
            "http://a:1",
            "unix://rel",
            "[::1",
            "[x]:1",
            "a:1:2",
        ] {
            let said = bad.parse::<Address>().unwrap_err().to_string();
            assert!(said.contains("host:port"), "{bad:?}: {said}");
        }
        assert!(!"\u{1b}[2J:1".parse::<Address>().unwrap_err().to_string().contains('\u{1b}'));
    }

    #[test]
    fn local_is_what_never_leaves_the_house() {
        for local in [
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "10.1.2.3",
            "192.168.1.4",
            "172.16.0.1",
            "100.64.1.1",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
            "localhost",
            "lnd",
            "umbrel.local",
            "node.lan",
            "unix:///x",
        ] {
            assert!(local.parse::<Address>().unwrap().is_local(), "{local}");
        }
        for outside in
            ["8.8.8.8", "172.32.0.1", "100.128.0.1", "[2001:db8::1]", "[::ffff:8.8.8.8]", "a.example.com", "abc.onion"]
        {
            assert!(!outside.parse::<Address>().unwrap().is_local(), "{outside}");
        }
        for here in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "LOCALHOST", "lnd.localhost", "unix:///x"] {
            assert!(here.parse::<Address>().unwrap().is_this_machine(), "{here}");
        }
        for elsewhere in ["10.1.2.3", "lnd", "umbrel.local", "8.8.8.8", "localhost.example.com"] {
            assert!(!elsewhere.parse::<Address>().unwrap().is_this_machine(), "{elsewhere}");
        }
        assert!("AbC.Onion:1".parse::<Address>().unwrap().is_onion());
        assert!(!"onion.example.com".parse::<Address>().unwrap().is_onion());
    }
}
