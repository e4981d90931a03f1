//! Macaroons of a real LND, and everything that only looks like one.

use proptest::prelude::*;

use super::*;

const READONLY: &[u8] = include_bytes!("../../../../tests/fixtures/lnd/bob/readonly.macaroon");
const ADMIN: &[u8] = include_bytes!("../../../../tests/fixtures/lnd/bob/admin.macaroon");
const INVOICE: &[u8] = include_bytes!("../../../../tests/fixtures/lnd/bob/invoice.macaroon");
const EXPIRED: &[u8] = include_bytes!("../../../../tests/fixtures/lnd/bob/expired.macaroon");
const ALL: [&[u8]; 4] = [READONLY, ADMIN, INVOICE, EXPIRED];

fn beyond(bytes: &[u8]) -> Vec<String> {
    Macaroon::parse(bytes).unwrap().permissions().unwrap().beyond_reading()
}

#[test]
fn lnds_macaroons_say_what_they_permit() {
    assert_eq!(beyond(READONLY), Vec::<String>::new());
    assert_eq!(beyond(EXPIRED), Vec::<String>::new());
    assert_eq!(beyond(INVOICE), ["address (write)", "invoices (write)"]);
    assert_eq!(
        beyond(ADMIN),
        [
            "address (write)",
            "info (write)",
            "invoices (write)",
            "macaroon (generate, write)",
            "message (write)",
            "offchain (write)",
            "onchain (write)",
            "peers (write)",
            "remotesigner (generate)",
            "signer (generate)",
        ]
    );
    assert!(Macaroon::parse(READONLY).unwrap().permissions().unwrap().missing().is_empty());
    assert!(Macaroon::parse(ADMIN).unwrap().permissions().unwrap().missing().is_empty());
}

#[test]
fn an_end_is_read_from_the_caveat() {
    let expired = Macaroon::parse(EXPIRED).unwrap();
    assert_eq!(expired.expires().unwrap().rfc3339(), "2026-11-21T09:41:20Z");
    assert_eq!(Macaroon::parse(READONLY).unwrap().expires(), None);
    assert_eq!(caveat(b"ipaddr 10.0.0.9"), Caveat::Address("10.0.0.9".to_owned()));
    assert_eq!(caveat(b"lnd-custom acc 1"), Caveat::Other("lnd-custom acc 1".to_owned()));
    assert_eq!(caveat(b"time-before soon"), Caveat::Other("time-before soon".to_owned()));
}

#[test]
fn hex_and_base64_of_a_macaroon_are_taken() {
    let padded = base64::engine::general_purpose::STANDARD.encode(INVOICE);
    for text in [hex::encode(INVOICE), hex::encode_upper(INVOICE), padded, URL_SAFE_NO_PAD.encode(INVOICE)] {
        let read = Macaroon::parse(format!(" {text}\n").as_bytes()).unwrap();
        assert_eq!(read.expose(), INVOICE);
    }
}

#[test]
fn other_forms_are_refused_by_name() {
    let v1 = b"0013location lnd\n0016identifier abcdef\n002fsignature 0123456789abcdef0123456789abcdef\n";
    assert_eq!(Macaroon::parse(v1).unwrap_err(), Error::Version1);
    assert_eq!(Macaroon::parse(hex::encode(v1).as_bytes()).unwrap_err(), Error::Version1);
    assert_eq!(Macaroon::parse(b"{\"v\":2}").unwrap_err(), Error::Json);
    assert_eq!(Macaroon::parse(b"").unwrap_err(), Error::NotOne);
    assert_eq!(Macaroon::parse(b"====").unwrap_err(), Error::NotOne);
    assert_eq!(Macaroon::parse(b"-----BEGIN CERTIFICATE-----").unwrap_err(), Error::NotOne);
    assert_eq!(Macaroon::parse(&vec![2; 20_000]).unwrap_err(), Error::TooLong);
}

#[test]
fn no_part_of_a_macaroon_is_one() {
    for whole in ALL {
        for end in 0..whole.len() {
            assert!(Macaroon::parse(&whole[..end]).is_err(), "{end}");
        }
        let mut longer = whole.to_vec();
        longer.push(0);
        assert!(Macaroon::parse(&longer).is_err());
    }
}

#[test]
fn its_bytes_are_never_shown() {
    let macaroon = Macaroon::parse(ADMIN).unwrap();
    let shown = format!("{macaroon:?}");
    let signature = hex::encode(&ADMIN[ADMIN.len() - 32..]);
    assert!(shown.contains("redacted") && !shown.contains(&signature), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Macaroon::parse(&bytes);
        let mut second = vec![2];
        second.extend(bytes);
        let _ = Macaroon::parse(&second);
    }

    /// A changed macaroon may be another one, but never panics, and one that still can write is never taken for one that can't.
    #[test]
    fn a_changed_byte_never_hides_the_right_to_write(at in 0..ADMIN.len(), to in any::<u8>()) {
        let mut changed = ADMIN.to_vec();
        changed[at] = to;
        if let Ok(macaroon) = Macaroon::parse(&changed) {
            let harmless = macaroon.permissions().is_some_and(|p| p.beyond_reading().is_empty());
            prop_assert!(!harmless);
        }
    }

    #[test]
    fn numbers_of_any_length_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..14)) {
        let mut rest = Rest(&bytes);
        let _ = rest.number();
    }
}
