//! Which addresses may be dialled, and the resolver that lets no other through.
//!
//! A name is looked up once, every address that comes back is checked, and the connection goes to those very
//! addresses: a second lookup that says something else is never made.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

/// Whether an address is one of the public internet: not of this machine, this network, a test, or many hosts at once.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18..=19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // An IPv4 address in IPv6 clothes: mapped, or behind NAT64 or 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded(high, low)
        }
        // Protocol assignments and Teredo, documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast. Loopback, link-local, unique local, site-local and multicast addresses are outside of it.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// How names become addresses: the system's way, or a test's.
pub(super) type Lookup = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

/// A resolver that refuses a name when any of its addresses is not public, unless the config names that host.
#[derive(Clone)]
pub(super) struct Guard {
    /// Hosts that may be private.
    pub(super) named: Arc<BTreeSet<String>>,
    /// In place of the system's resolver.
    pub(super) lookup: Option<Lookup>,
    /// [`is_public`], or what a test calls public.
    pub(super) is_public: fn(IpAddr) -> bool,
}

impl Guard {
    /// Whether the address is good for this host.
    pub(super) fn allows(&self, host: &str, address: IpAddr) -> bool {
        self.named.contains(host) || (self.is_public)(address)
    }

    async fn addresses(self, host: String) -> Result<Addrs, NoAddress> {
        let found: Vec<SocketAddr> = match &self.lookup {
            Some(lookup) => lookup(&host).into_iter().map(|ip| SocketAddr::new(ip, 0)).collect(),
            None => match lookup_host((host.as_str(), 0)).await {
                Ok(found) => found.collect(),
                Err(error) => return Err(NoAddress::Unknown(format!("the name {host} can't be resolved: {error}"))),
            },
        };
        if let Some(bad) = found.iter().find(|found| !self.allows(&host, found.ip())) {
            return Err(NoAddress::Private(format!("{host} resolves to {}, which is not a public address", bad.ip())));
        }
        if found.is_empty() {
            return Err(NoAddress::Unknown(format!("the name {host} has no address")));
        }
        Ok(Box::new(found.into_iter()))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let addresses = self.clone().addresses(host);
        Box::pin(async move { addresses.await.map_err(Into::into) })
    }
}

/// Why a name gives no address to dial.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum NoAddress {
    /// It has one that is not to be dialled, now or later.
    #[error("{0}")]
    Private(String),
    /// It has none now.
    #[error("{0}")]
    Unknown(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::{Host, Url};

    /// The verdict on a URL's host as a browser or curl would read it; `None` for a name.
    fn verdict(host: &str) -> Option<bool> {
        match Url::parse(&format!("http://{host}/")).unwrap().host().unwrap() {
            Host::Domain(_) => None,
            Host::Ipv4(ip) => Some(is_public(ip.into())),
            Host::Ipv6(ip) => Some(is_public(ip.into())),
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_known_in_every_spelling() {
        let private = [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "0xa9fea9fe",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:a00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[2002:a9fe:a9fe::1]",
            "[3fff::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
        ];
        for host in private {
            assert_eq!(verdict(host), Some(false), "{host}");
        }
    }

    #[test]
    fn public_addresses_pass_also_next_to_the_private_ranges() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "[2600::1]",
            "[2001:4860:4860::8888]",
            "[2a00:1450::1]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::8.8.8.8]",
            "[2002:808:808::1]",
        ];
        for host in public {
            assert_eq!(verdict(host), Some(true), "{host}");
        }
    }

    fn guard(named: &[&str], answer: &[&str]) -> Guard {
        let answer: Vec<IpAddr> = answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Guard {
            named: Arc::new(named.iter().map(|&host| host.to_owned()).collect()),
            lookup: Some(Arc::new(move |_| answer.clone())),
            is_public,
        }
    }

    async fn resolve(guard: Guard, host: &str) -> Result<Vec<String>, String> {
        let found = guard.addresses(host.to_owned()).await.map_err(|e| e.to_string())?;
        Ok(found.map(|a| a.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn one_private_address_among_public_ones_refuses_the_name() {
        let refused = resolve(guard(&[], &["8.8.8.8", "10.0.0.1"]), "evil.example").await.unwrap_err();
        assert_eq!(refused, "evil.example resolves to 10.0.0.1, which is not a public address");
        let good = resolve(guard(&[], &["8.8.8.8", "2600::1"]), "good.example").await.unwrap();
        assert_eq!(good, ["8.8.8.8", "2600::1"]);
        let none = resolve(guard(&[], &[]), "none.example").await.unwrap_err();
        assert_eq!(none, "the name none.example has no address");
    }

    #[tokio::test]
    async fn a_host_that_the_config_names_may_be_private_and_only_that_one() {
        let named = ["umbrel.local"];
        assert_eq!(resolve(guard(&named, &["192.168.1.5"]), "umbrel.local").await.unwrap(), ["192.168.1.5"]);
        assert!(resolve(guard(&named, &["192.168.1.5"]), "x.umbrel.local").await.is_err());
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_so_that_a_changed_answer_is_never_dialled() {
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let seen = Arc::clone(&count);
        let rebinding = Guard {
            named: Arc::default(),
            lookup: Some(Arc::new(move |_| {
                let first = seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
                vec![if first { "8.8.8.8" } else { "127.0.0.1" }.parse().unwrap()]
            })),
            is_public,
        };
        assert_eq!(resolve(rebinding.clone(), "rebind.example").await.unwrap(), ["8.8.8.8"]);
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert!(resolve(rebinding, "rebind.example").await.is_err(), "the second lookup is checked as the first");
    }
}
