//! The clients that dial: directly or through the proxy, and only to addresses that may be dialled.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Client;
use url::{Host, Url};

use super::address::{Guard, is_public};
use super::setting::PROXY_FORM;
use super::{Error, Http, is_onion, name};

impl Http {
    /// All goes through the proxy, but for hosts of the config that are private addresses: no proxy leads there.
    pub(super) fn is_proxied(&self, url: &Url) -> bool {
        let nearby = match url.host() {
            Some(Host::Domain(host)) => host == "localhost",
            Some(Host::Ipv4(ip)) => !is_public(ip.into()),
            Some(Host::Ipv6(ip)) => !is_public(ip.into()),
            None => false,
        };
        self.proxy.is_some() && !nearby
    }

    pub(super) fn client(&self, url: &Url, sent_on: bool) -> Result<&Client, Error> {
        let host = url.host_str().unwrap_or_default();
        let refused = |reason: &str| Error::Refused { host: name(url), reason: reason.to_owned() };
        let proxied = self.is_proxied(url);
        if is_onion(host) && !proxied {
            return Err(refused("an .onion address is only reached through a proxy; set proxy = \"socks5h://…\""));
        }
        let guard = self.guard(sent_on);
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            _ => None,
        };
        if address.is_some_and(|address| !guard.allows(host, address)) {
            return Err(refused("it is not a public address"));
        }
        if url.scheme() == "https" && self.roots().is_empty() {
            let reason = "no certificate authorities are installed on this system (package ca-certificates)";
            return Err(Error::Setup(reason.to_owned()));
        }
        let [direct, direct_on, through, through_on] = &self.clients;
        let slot = match (proxied, sent_on) {
            (false, false) => direct,
            (false, true) => direct_on,
            (true, false) => through,
            (true, true) => through_on,
        };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = self.build(guard, proxied)?;
        Ok(slot.get_or_init(|| client))
    }

    fn guard(&self, sent_on: bool) -> Guard {
        let mut named = if sent_on { BTreeSet::new() } else { self.named.clone() };
        if let Some(host) = self.proxy.as_ref().and_then(Url::host_str) {
            named.insert(host.to_owned());
        }
        Guard { named: Arc::new(named), lookup: self.lookup.clone(), is_public: self.is_public }
    }

    fn roots(&self) -> &rustls::RootCertStore {
        self.roots.get_or_init(|| {
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        })
    }

    fn build(&self, guard: Guard, proxied: bool) -> Result<Client, Error> {
        let setup = |error: &dyn std::fmt::Display| Error::Setup(format!("cannot set up HTTP: {error}"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(&error))?
            .with_root_certificates(self.roots().clone())
            .with_no_client_auth();
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(concat!("daznode/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.limits.connect)
            .dns_resolver(guard);
        if let Some(proxy) = self.proxy.as_ref().filter(|_| proxied) {
            let proxy = reqwest::Proxy::all(proxy.as_str()).map_err(|_| Error::Setup(PROXY_FORM.to_owned()))?;
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|error| setup(&error.without_url()))
    }
}
