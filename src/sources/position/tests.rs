use super::*;
use proptest::prelude::*;

const KEY: &str = "02a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0";
// 2026-11-21T06:00:00Z
const NOW: UnixMs = UnixMs(1_795_240_800_000);

fn read(body: &str) -> Result<Position, String> {
    match position(body, &KEY.parse().unwrap(), NOW)? {
        Told::Fact(place, as_of) => {
            assert!(as_of.is_some());
            Ok(place)
        }
        Told::Nothing(reason) => panic!("{reason}"),
    }
}

#[test]
fn a_whole_answer_is_read_with_numbers_or_texts_and_what_is_unknown_is_passed_over() {
    let body = format!(
        r#"{{"as_of":"2026-11-21T05:00:00Z","more":{{"a":[1,{{}}]}},
        "node":{{"pubkey":"{KEY}","alias":"bob","capacity_sat":"24300000","channels":7,"capacity_rank":2101,
        "channels_rank":"2,","updated_at":"2026-11-20T00:00:00+01:00","more":1}},
        "network":{{"nodes":"16502","channels":41000,"capacity_sat":"480000000000","more":null}}}}"#
    );
    assert!(read(&body).unwrap_err().contains("channels_rank"), "a text that is no number is malformed");
    let place = read(&body.replace("\"2,\"", "\"2340\"")).unwrap();
    assert_eq!((place.node.alias.as_deref(), place.node.channels), (Some("bob"), Some(7)));
    assert_eq!(place.node.capacity, Some(Sat::new(24_300_000)));
    assert_eq!((place.node.capacity_rank, place.node.channels_rank), (Some(2101), Some(2340)));
    assert_eq!(place.node.updated_at.unwrap().rfc3339(), "2026-11-19T23:00:00Z");
    let capacity = Some(Sat::new(480_000_000_000));
    assert_eq!(place.network, Some(SeenNetwork { nodes: Some(16_502), channels: Some(41_000), capacity }));
}

#[test]
fn a_node_that_is_not_known_there_and_a_network_that_is_not_told_are_facts() {
    for body in [r#"{"as_of":"2026-11-21T06:30:00Z","node":null}"#, r#"{"as_of":"2026-11-21T06:30:00Z"}"#] {
        assert_eq!(read(body), Ok(Position { node: SeenNode::unknown(), network: None }));
    }
}

#[test]
fn what_cannot_be_is_malformed() {
    let with = |node: &str, network: &str| {
        format!(r#"{{"as_of":"2026-11-21T06:00:00Z","node":{{"pubkey":"{KEY}",{node}}},"network":{{{network}}}}}"#)
    };
    assert!(read(&with("\"channels\":1", "")).is_ok());
    for (node, network, word) in [
        ("\"channels\":-1", "", "channels"),
        ("\"channels\":1.5", "", "channels"),
        ("\"channels\":4294967296", "", "channels"),
        ("\"channels\":[1]", "", "channels"),
        ("\"channels\":true", "", "channels"),
        ("\"capacity_rank\":0", "", "capacity_rank"),
        ("\"capacity_sat\":2100000000000001", "", "capacity_sat"),
        ("\"capacity_sat\":\"99999999999999999999\"", "", "capacity_sat"),
        ("\"capacity_sat\":\"-5\"", "", "capacity_sat"),
        ("\"alias\":7", "", "alias"),
        ("\"updated_at\":1700000000", "", "updated_at"),
        ("\"capacity_sat\":10", "\"capacity_sat\":9", "more capacity than the network"),
        ("\"channels\":1", "\"nodes\":0", "nodes"),
    ] {
        let why = read(&with(node, network)).unwrap_err();
        assert!(why.contains(word), "{node} {network}: {why}");
    }
    for (body, word) in [
        (r#"{"node":null}"#, "as_of"),
        (r#"{"as_of":"2026-11-21T07:00:01Z"}"#, "future"),
        (r#"{"as_of":"2026-11-21T05:00:00Z","node":[]}"#, "node"),
        (r#"{"as_of":"2026-11-21T05:00:00Z","network":7}"#, "network"),
        (r#"{"as_of":"2026-11-21T05:00:00Z","node":{"channels":1}}"#, "not about the node"),
        (r#"{"as_of":"2026-11-21T05:00:00Z","node":{"pubkey":"03"}}"#, "not about the node"),
        ("[]", "shape"),
        ("null", "shape"),
        ("<html>", "web page"),
    ] {
        let why = read(body).unwrap_err();
        assert!(why.contains(word), "{body}: {why}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(body in ".{0,200}", number in any::<f64>(), whole in any::<i64>()) {
        let key: Pubkey = KEY.parse().unwrap();
        let made = format!(
            r#"{{"as_of":"2026-11-21T06:00:00Z","node":{{"pubkey":"{KEY}","channels":{number:e},"capacity_sat":{whole}}}}}"#
        );
        let _ = position(&body, &key, NOW);
        if let Ok(Told::Fact(place, _)) = position(&made, &key, NOW) {
            prop_assert!(place.node.capacity.is_some_and(|capacity| capacity.get() == whole && (0..=SUPPLY).contains(&whole)));
        }
    }
}
