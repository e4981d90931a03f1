//! LND's refusals as it really words them.

use super::*;
use crate::sources::answers::{GET_INFO, LIST_CHANNELS};

const AT: &str = "127.0.0.1:10009";

fn said(code: Code, text: &str) -> Error {
    from_text(AT, &GET_INFO, code, text)
}

/// Every text that was recorded from a real LND.
#[test]
fn each_recorded_refusal_has_its_meaning_and_remedy() {
    let recorded: serde_json::Value =
        serde_json::from_slice(include_bytes!("../../../../tests/fixtures/lnd/errors.json")).unwrap();
    let expected = [
        ("no_macaroon", "got none"),
        ("bad_signature", "not from this LND"),
        ("garbage_macaroon", "damaged"),
        ("not_hex", "damaged"),
        ("insufficient_permissions", "does not permit"),
        ("other_nodes_macaroon", "not from this LND"),
        ("unknown_method", "older than the call"),
        ("expired_macaroon", "has expired"),
        ("wallet_not_created", "lncli create"),
        ("starting_up", "starting up"),
        ("wallet_locked", "lncli unlock"),
        ("damaged_channel_backup", "message authentication failed"),
        ("watchtower_client_not_there_stats", "not active"),
        ("watchtower_client_not_there_listtowers", "not active"),
    ];
    for (name, words) in expected {
        let entry = &recorded[name];
        let code = Code::from_i32(entry["number"].as_i64().unwrap().try_into().unwrap());
        let error = said(code, entry["details"].as_str().unwrap());
        let line = error.to_string();
        assert!(line.contains(words), "{name}: {line}");
        let kind = match name {
            "unknown_method" | "watchtower_client_not_there_stats" | "watchtower_client_not_there_listtowers" => {
                matches!(error, Error::NotOffered { .. })
            }
            "wallet_not_created" | "starting_up" | "wallet_locked" => matches!(error, Error::NotReady { .. }),
            "damaged_channel_backup" => matches!(error, Error::Refused { .. }),
            _ => matches!(error, Error::Macaroon { .. }) && error.is_credentials() && !error.is_transient(),
        };
        assert!(kind, "{name}: {error:?}");
    }
    let texts = recorded.as_object().unwrap().values().filter(|entry| entry["details"].is_string()).count();
    // Two of them are the client's own words about the transport, which the integration tests show.
    assert_eq!(texts, expected.len() + 2);
}

#[test]
fn refusals_that_other_versions_word_are_known_too() {
    for (text, words) in [
        ("verification failed: root key with id 7 doesn't exist", "revoked"),
        ("caveat \"ipaddr 10.0.0.9\" not satisfied: macaroon locked to different IP address", "another IP address"),
        ("unmarshal v2: section extends past end of buffer", "damaged"),
        ("caveat \"lnd-custom acc 1\" not satisfied: no", "condition"),
    ] {
        let error = said(Code::Unknown, text);
        assert!(matches!(error, Error::Macaroon { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = said(Code::InvalidArgument, "permission denied");
    assert!(matches!(error, Error::Macaroon { .. }), "{error:?}");
    let error = said(Code::Unknown, "waiting to start, RPC services not available");
    assert!(error.to_string().contains("cluster"), "{error}");
}

#[test]
fn a_refusal_that_is_not_known_is_passed_on_harmless_and_short() {
    let hostile = format!("\u{1b}]0;pwn\u{7}\u{202e}<b>\n{}", "x".repeat(5000));
    let error = from_text(AT, &LIST_CHANNELS, Code::Unknown, &hostile);
    let line = error.to_string();
    assert!(line.starts_with("127.0.0.1:10009 refused ListChannels: "), "{line}");
    assert!(line.chars().count() < 300, "{}", line.len());
    assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
    let empty = said(Code::Internal, "").to_string();
    assert!(empty.contains("Internal"), "{empty}");
}

#[test]
fn each_state_that_is_not_ready_says_what_to_do() {
    for (number, words) in [(0, "lncli create"), (1, "lncli unlock"), (2, "starting up"), (255, "leader")] {
        let error = State::from_number(number).refusal(AT).unwrap();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.is_transient());
    }
    for ready in [3, 4, 99, -1] {
        assert_eq!(State::from_number(ready).refusal(AT), None);
    }
}

/// The words of TLS where the other end is gone, and any others.
#[test]
fn a_cause_is_told_where_it_says_more_than_that_the_line_broke() {
    assert_eq!(cause("peer closed connection without sending TLS close_notify: https://docs.rs/rustls/latest"), "");
    assert_eq!(cause("Connection reset by peer (os error 104)"), ": Connection reset by peer (os error 104)");
}
