//! The certificate of an LND: the pinned one, and what is wrong with the one that is shown.
//!
//! LND makes its own certificate, an authority that signs itself, which no ordinary verifier takes for a server. So it is
//! compared byte for byte with the one that the operator gave; its dates are checked all the same.

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};

use crate::units::UnixMs;

/// A certificate and its dates.
#[derive(Clone, PartialEq, Eq)]
pub struct Pinned {
    der: CertificateDer<'static>,
    /// From when on it is good.
    pub not_before: UnixMs,
    /// Its last moment.
    pub not_after: UnixMs,
}

impl Pinned {
    /// Reads a certificate, as PEM (the first one counts) or DER.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let looks_like_pem = bytes.windows(11).any(|w| w == b"-----BEGIN ");
        let der = if looks_like_pem {
            CertificateDer::from_pem_slice(bytes).map_err(|_| "holds no CERTIFICATE block that can be read")?
        } else {
            CertificateDer::from(bytes.to_vec())
        };
        let (not_before, not_after) = dates(&der).ok_or("is no X.509 certificate")?;
        Ok(Self { der, not_before, not_after })
    }

    /// The certificate as PEM, to be kept in a file.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (at, letter) in text.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem + "\n-----END CERTIFICATE-----\n"
    }

    /// What people compare certificates by.
    pub fn sha256(&self) -> String {
        fingerprint(&self.der)
    }

    /// What is wrong with it at this time.
    fn at(&self, now: UnixMs) -> Result<(), Refusal> {
        if now < self.not_before {
            Err(Refusal::NotYetValid { from: self.not_before, now })
        } else if now > self.not_after {
            Err(Refusal::Expired { on: self.not_after })
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pinned(sha256 {}, until {})", self.sha256(), self.not_after.rfc3339())
    }
}

fn fingerprint(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}

/// From when and until when a certificate is good.
fn dates(der: &[u8]) -> Option<(UnixMs, UnixMs)> {
    let (rest, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let validity = certificate.validity();
    Some((UnixMs::from_secs(validity.not_before.timestamp()), UnixMs::from_secs(validity.not_after.timestamp())))
}

/// Why a pinned certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "it has changed: was sha256 {was}, now {now}. If LND renewed it (`tlsautorefresh`, or tls.cert was removed), \
         give daznode the new tls.cert; if not, something else answers there, and nothing was sent to it"
    )]
    Changed { was: String, now: String },
    #[error("it expired on {}: remove tls.cert and tls.key from LND's folder, restart LND, and give daznode the new one", .on.day())]
    Expired { on: UnixMs },
    #[error("it is not valid before {} and this machine's clock says {}: set the clock", .from.rfc3339(), .now.rfc3339())]
    NotYetValid { from: UnixMs, now: UnixMs },
}

/// Holds the certificate that is shown against the pinned one, or against the authorities.
#[derive(Debug)]
pub(super) struct Verifier {
    kind: Kind,
    provider: Arc<CryptoProvider>,
    /// The last moment of the certificate that was shown.
    shown_until: Arc<OnceLock<UnixMs>>,
}

#[derive(Debug)]
enum Kind {
    Pinned(Pinned),
    Authority(Arc<WebPkiServerVerifier>),
}

impl Verifier {
    pub(super) fn pinned(pinned: Pinned, provider: Arc<CryptoProvider>) -> Self {
        Self { kind: Kind::Pinned(pinned), provider, shown_until: Arc::default() }
    }

    pub(super) fn authority(roots: Arc<RootCertStore>, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let inner = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { kind: Kind::Authority(inner), provider, shown_until: Arc::default() })
    }

    pub(super) fn shown_until(&self) -> Arc<OnceLock<UnixMs>> {
        Arc::clone(&self.shown_until)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = match &self.kind {
            Kind::Pinned(pinned) => {
                let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX / 1000);
                let refused = |refusal: Refusal| {
                    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
                };
                if end_entity.as_ref() != pinned.der.as_ref() {
                    let now = fingerprint(end_entity);
                    return Err(refused(Refusal::Changed { was: pinned.sha256(), now }));
                }
                pinned.at(UnixMs::from_secs(seconds)).map_err(refused)?;
                ServerCertVerified::assertion()
            }
            Kind::Authority(inner) => {
                inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?
            }
        };
        if let Some((_, until)) = dates(end_entity) {
            // A second handshake shows the same certificate or a later one; the first is what the run speaks of.
            let _ = self.shown_until.set(until);
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Words for a certificate that is refused.
pub(super) fn words(error: &CertificateError) -> String {
    match error {
        CertificateError::Other(OtherError(inner)) if inner.downcast_ref::<Refusal>().is_some() => inner.to_string(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let on = match error {
                CertificateError::ExpiredContext { not_after, .. } => {
                    i64::try_from(not_after.as_secs()).ok().map(|s| format!(" on {}", UnixMs::from_secs(s).day()))
                }
                _ => None,
            };
            format!("it expired{}: have it renewed by who signed it", on.unwrap_or_default())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: set this machine's clock".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is made out to another host: use the host it names, or pin it by giving its file".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "no authority that this system trusts signed it: if it is LND's own, give its \
             tls.cert so that it is pinned"
                .to_owned()
        }
        CertificateError::Other(_) => "it is one that LND made for itself, which no authority vouches for: give its \
             tls.cert so that it is pinned"
            .to_owned(),
        other => format!("it is refused: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LND: &[u8] = include_bytes!("../../../tests/fixtures/lnd/bob/tls.cert");

    #[test]
    fn lnds_own_certificate_is_read_with_its_dates() {
        let pinned = Pinned::parse(LND).unwrap();
        // As `openssl x509 -text` says.
        assert_eq!(pinned.not_before.rfc3339(), "2026-11-20T09:29:37Z");
        assert_eq!(pinned.not_after.rfc3339(), "2028-01-15T09:29:37Z");
        assert_eq!(Pinned::parse(&pinned.der).unwrap(), pinned);
        assert_eq!(Pinned::parse(pinned.pem().as_bytes()).unwrap(), pinned);
    }

    #[test]
    fn the_dates_of_a_pinned_certificate_count() {
        let pinned = Pinned::parse(LND).unwrap();
        assert_eq!(pinned.at(pinned.not_before), Ok(()));
        assert_eq!(pinned.at(pinned.not_after), Ok(()));
        let late = pinned.at(pinned.not_after.plus(1)).unwrap_err();
        assert!(late.to_string().contains("2028-01-15"), "{late}");
        let early = pinned.at(pinned.not_before.plus(-1)).unwrap_err();
        assert!(early.to_string().contains("2026-11-20T09:29:37Z"), "{early}");
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let cut = LND.len() / 2;
        for bad in [&b""[..], b"hello", &LND[..cut], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            assert!(Pinned::parse(bad).is_err());
        }
    }
}
