//! `lndconnect://host:port?cert=…&macaroon=…`, the form in which wallets and node boxes hand out access to an LND.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::address::Address;
use super::certificate::Pinned;
use super::channel::Trust;
use super::macaroon::{self, Macaroon};

/// What a URI holds.
#[derive(Debug)]
pub struct LndConnect {
    /// Where LND listens.
    pub address: Address,
    /// The certificate in it, or the system's authorities where there is none.
    pub trust: Trust,
    /// The macaroon in it.
    pub macaroon: Macaroon,
}

/// What is wrong with a URI. Never holds any of it but its host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another scheme.
    #[error("this is no lndconnect URI: it must begin with lndconnect://")]
    Scheme,
    /// Too long.
    #[error("the lndconnect URI is far too long")]
    TooLong,
    /// No host that can be used.
    #[error(
        "the lndconnect URI names no usable host and port: it must look like lndconnect://host:10009?cert=…&macaroon=…"
    )]
    Host,
    /// A part comes twice.
    #[error("the lndconnect URI has more than one {0}")]
    Twice(&'static str),
    /// No macaroon.
    #[error("the lndconnect URI has no macaroon: make it anew, with the read-only one")]
    NoMacaroon,
    /// A part that is not base64.
    #[error("the {0} in the lndconnect URI is not base64url: was it cut off when it was copied?")]
    Base64(&'static str),
    /// The certificate.
    #[error("the certificate in the lndconnect URI {0}: was it cut off when it was copied?")]
    Certificate(&'static str),
    /// The macaroon.
    #[error("the macaroon in the lndconnect URI can't be used: {0}")]
    Macaroon(#[from] macaroon::Error),
}

/// Whether a text means to be such a URI.
pub fn is_one(text: &str) -> bool {
    text.trim().get(..13).is_some_and(|start| start.eq_ignore_ascii_case("lndconnect://"))
}

/// Reads a URI. White space in it, as from a wrapped terminal line, is left out.
pub fn parse(text: &str) -> Result<LndConnect, Error> {
    if text.len() > 64 << 10 {
        return Err(Error::TooLong);
    }
    if !is_one(text) {
        return Err(Error::Scheme);
    }
    let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(|letter| !letter.is_whitespace()).collect());
    let rest = text.get(13..).unwrap_or_default();
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = place.trim_end_matches('/');
    if place.contains('/') || place.contains('@') {
        return Err(Error::Host);
    }
    let address: Address = place.parse().map_err(|_| Error::Host)?;
    let (mut cert, mut macaroon) = (None, None);
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let (slot, called) = match name {
            "cert" => (&mut cert, "cert"),
            "macaroon" => (&mut macaroon, "macaroon"),
            _ => continue,
        };
        if value.is_empty() {
            continue;
        }
        if slot.replace(value).is_some() {
            return Err(Error::Twice(called));
        }
    }
    let macaroon = Macaroon::parse(&bytes("macaroon", macaroon.ok_or(Error::NoMacaroon)?)?)?;
    let trust = match cert {
        Some(cert) => Trust::Pinned(Pinned::parse(&bytes("certificate", cert)?).map_err(Error::Certificate)?),
        None => Trust::Authority,
    };
    Ok(LndConnect { address, trust, macaroon })
}

/// Base64url, or base64 as some programs put it in, also percent-encoded and with padding.
fn bytes(what: &'static str, value: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut text = Zeroizing::new(String::with_capacity(value.len()));
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let letter = match after.get(..2).map(str::to_ascii_uppercase).as_deref() {
            Some("2B") => '+',
            Some("2F") => '/',
            Some("3D") => '=',
            _ => return Err(Error::Base64(what)),
        };
        text.push(letter);
        rest = after.get(2..).unwrap_or_default();
    }
    text.push_str(rest);
    let text = text.trim_end_matches('=');
    URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .map(Zeroizing::new)
        .map_err(|_| Error::Base64(what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;

    const CERT: &[u8] = include_bytes!("../../../tests/fixtures/lnd/bob/tls.cert");
    const MACAROON: &[u8] = include_bytes!("../../../tests/fixtures/lnd/bob/readonly.macaroon");

    fn der() -> Vec<u8> {
        CertificateDer::from_pem_slice(CERT).unwrap().to_vec()
    }

    fn cert() -> String {
        URL_SAFE_NO_PAD.encode(der())
    }

    fn macaroon() -> String {
        URL_SAFE_NO_PAD.encode(MACAROON)
    }

    #[test]
    fn a_whole_uri_is_read() {
        let read = parse(&format!("lndconnect://127.0.0.1:10001?cert={}&macaroon={}", cert(), macaroon())).unwrap();
        assert_eq!(read.address.to_string(), "127.0.0.1:10001");
        assert_eq!(read.macaroon.expose(), MACAROON);
        let Trust::Pinned(pinned) = read.trust else { panic!("not pinned") };
        assert_eq!(pinned, Pinned::parse(CERT).unwrap());
    }

    #[test]
    fn other_ways_to_write_it_are_read_too() {
        let escaped = STANDARD.encode(der()).replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
        for query in [
            format!("cert={}&macaroon={}", STANDARD.encode(der()), STANDARD.encode(MACAROON)),
            format!("macaroon={}&cert={}&name=x", URL_SAFE.encode(MACAROON), escaped),
            format!("x=1&&macaroon={}&cert={}#part", macaroon(), cert()),
        ] {
            for place in ["[::1]:10009", "abcdefgh.onion:10009/", "node.example.com"] {
                let read = parse(&format!(" LNDCONNECT://{place}?{query}\n")).unwrap();
                assert!(matches!(read.trust, Trust::Pinned(_)));
            }
        }
        let wrapped = format!("lndconnect://lnd:1?macaroon={}\n {}", &macaroon()[..50], &macaroon()[50..]);
        assert!(matches!(parse(&wrapped).unwrap().trust, Trust::Authority));
    }

    #[test]
    fn each_fault_has_one_line_that_shows_nothing_of_the_secret() {
        let (cert, macaroon) = (cert(), macaroon());
        let v1 = URL_SAFE_NO_PAD.encode(b"0013location lnd\n0016identifier abcdef\n");
        for (uri, word) in [
            (format!("https://h:1?macaroon={macaroon}"), "begin with lndconnect://"),
            ("lnd".to_owned(), "begin with lndconnect://"),
            (format!("lndconnect://?macaroon={macaroon}"), "host and port"),
            (format!("lndconnect://h:99999?macaroon={macaroon}"), "host and port"),
            (format!("lndconnect://me@h:1?macaroon={macaroon}"), "host and port"),
            (format!("lndconnect://h:1?cert={cert}"), "no macaroon"),
            (format!("lndconnect://h:1?cert={cert}&macaroon="), "no macaroon"),
            (format!("lndconnect://h:1?cert={cert}&macaroon={macaroon}&macaroon={macaroon}"), "more than one macaroon"),
            (format!("lndconnect://h:1?cert={cert}&macaroon={macaroon}!"), "not base64url"),
            (format!("lndconnect://h:1?cert={cert}&macaroon={macaroon}%4"), "not base64url"),
            (format!("lndconnect://h:1?cert={}&macaroon={macaroon}", &cert[..100]), "no X.509"),
            (format!("lndconnect://h:1?cert=*&macaroon={macaroon}"), "not base64url"),
            (format!("lndconnect://h:1?macaroon={}", &macaroon[..100]), "cut off"),
            (format!("lndconnect://h:1?macaroon={v1}"), "version 1"),
        ] {
            let error = parse(&uri).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(said.contains(word), "{uri}: {said}");
            assert!(!said.contains(&macaroon[60..80]) && !said.contains(&cert[60..80]));
            assert_eq!(error.to_string().lines().count(), 1);
        }
        assert!(parse(&format!("lndconnect://h?macaroon={}", "A".repeat(70_000))).is_err());
    }
}
