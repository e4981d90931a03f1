//! Where an answer may send us on to: the same host over https, and nowhere else.

use url::{Host, Url};

use super::address::is_public;

/// How often one question may be sent on.
pub(super) const MOST: usize = 3;

/// The address that `location` means, seen from `here`, if a question that began at `first` may go there.
pub(super) fn target(first: &Url, here: &Url, location: &str) -> Result<Url, String> {
    let to = here.join(location).map_err(|_| "an address that can't be read".to_owned())?;
    if to.scheme() != "https" {
        return Err(format!("a {} address, not https", to.scheme()));
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err("an address with a user name in it".to_owned());
    }
    let private = match to.host() {
        Some(Host::Ipv4(ip)) => !is_public(ip.into()),
        Some(Host::Ipv6(ip)) => !is_public(ip.into()),
        Some(Host::Domain(_)) => false,
        None => true,
    };
    if private {
        return Err("a private address".to_owned());
    }
    if to.host() != first.host() {
        return Err("another host".to_owned());
    }
    let port = to.port_or_known_default();
    if port != Some(443) && port != first.port_or_known_default() {
        return Err("another port".to_owned());
    }
    Ok(to)
}

/// Whether two addresses are of one origin: only there may a key go.
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(first: &str, location: &str) -> Result<String, String> {
        let first = Url::parse(first).unwrap();
        target(&first, &first, location).map(String::from)
    }

    #[test]
    fn the_same_host_over_https_is_followed() {
        let first = "https://api.example/v1/x";
        assert_eq!(go(first, "/v2/x").unwrap(), "https://api.example/v2/x");
        assert_eq!(go(first, "y").unwrap(), "https://api.example/v1/y");
        assert_eq!(go(first, "https://API.example:443/z").unwrap(), "https://api.example/z");
        assert_eq!(go("http://api.example/x", "https://api.example/x").unwrap(), "https://api.example/x");
        assert_eq!(go("https://api.example:8443/x", "/y").unwrap(), "https://api.example:8443/y");
    }

    #[test]
    fn every_other_place_is_refused_with_its_reason() {
        for (location, reason) in [
            ("http://api.example/x", "a http address, not https"),
            ("//other.example/x", "another host"),
            ("https://api.example.evil.example/", "another host"),
            ("https://sub.api.example/", "another host"),
            ("https://api.example./", "another host"),
            ("https://api.example:8443/", "another port"),
            ("https://api.example@evil.example/", "an address with a user name in it"),
            ("https://user:pass@api.example/", "an address with a user name in it"),
            ("https://localhost/", "another host"),
            ("https://127.0.0.1/", "a private address"),
            ("https://127.1/", "a private address"),
            ("https://0x7f000001/", "a private address"),
            ("https://[::1]/", "a private address"),
            ("https://[::ffff:169.254.169.254]/latest/meta-data", "a private address"),
            ("https://10.0.0.1/", "a private address"),
            ("file:///etc/passwd", "a file address, not https"),
            ("javascript:alert(1)", "a javascript address, not https"),
            ("https://[::bad", "an address that can't be read"),
        ] {
            assert_eq!(go("https://api.example/v1", location).unwrap_err(), reason, "{location}");
        }
        // Where the config names a private address, a redirect to it is still none that is followed.
        assert_eq!(go("https://127.0.0.1/api", "/api/").unwrap_err(), "a private address");
        assert_eq!(go("http://127.0.0.1:8999/api", "/api/").unwrap_err(), "a http address, not https");
    }

    #[test]
    fn a_key_goes_to_the_same_scheme_host_and_port_only() {
        let same = |a, b| same_origin(&Url::parse(a).unwrap(), &Url::parse(b).unwrap());
        assert!(same("https://a.example/x", "https://a.example:443/y"));
        assert!(!same("https://a.example/", "https://b.example/"));
        assert!(!same("http://a.example/", "https://a.example/"));
        assert!(!same("https://a.example/", "https://a.example:8443/"));
    }
}
