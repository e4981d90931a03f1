use super::*;
use proptest::prelude::*;

const KEY: &str = "02a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/public/", $name))
    };
}

fn key() -> Pubkey {
    KEY.parse().unwrap()
}

#[test]
fn fees_with_fractions_become_whole_thousandths() {
    let want = ChainFees { fastest: 3200, half_hour: 2000, hour: 1005, economy: 400, minimum: 100 };
    assert_eq!(fees(fixture!("fees-precise.json")), Ok(Told::Fact(want, None)));
    let whole = ChainFees { fastest: 4000, half_hour: 3000, hour: 2000, economy: 1000, minimum: 1000 };
    assert_eq!(fees(fixture!("fees-recommended.json")), Ok(Told::Fact(whole, None)));
}

#[test]
fn fees_that_are_no_fees_are_an_error() {
    let with = |fee: &str| {
        fees(&format!("{{\"fastestFee\":{fee},\"halfHourFee\":1,\"hourFee\":1,\"economyFee\":1,\"minimumFee\":1}}"))
    };
    assert!(with("1").is_ok());
    for fee in ["-1", "null", "\"x\"", "1e7", "[]", "1e400", "\"NaN\""] {
        assert!(with(fee).is_err(), "{fee}");
    }
    assert!(fees("{}").is_err(), "missing fields");
    assert!(with("1,\"fastestFee\":2").is_err(), "two answers to one question");
    assert!(fees(&format!("\u{feff}{}", fixture!("fees-precise.json"))).is_ok(), "a byte order mark is no harm");
}

#[test]
fn the_height_is_json_or_plain_text() {
    assert_eq!(height("698767"), Ok(Told::Fact(698_767, None)));
    assert_eq!(height(" 698767\n"), Ok(Told::Fact(698_767, None)));
    assert_eq!(height("\"698767\""), Ok(Told::Fact(698_767, None)));
    for bad in ["0", "-1", "4294967296", "", "tip", "{}", "null", "1e12"] {
        assert!(height(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn prices_are_hundredths_and_minus_one_is_none() {
    let Ok(Told::Fact(prices, since)) = price(fixture!("prices.json")) else { panic!("no prices") };
    assert_eq!(prices.get("USD"), Some(&9_876_543));
    assert_eq!(prices.get("EUR"), Some(&8_432_100));
    assert_eq!(prices.get("GBP"), Some(&7_321_050));
    assert_eq!(prices.get("CAD"), None);
    assert_eq!(prices.get("time"), None);
    assert_eq!(prices.len(), 6);
    assert_eq!(since, Some(UnixMs::from_secs(1_795_240_800)));
}

#[test]
fn an_instance_without_prices_is_no_failure() {
    assert!(matches!(price(fixture!("prices-none.json")), Ok(Told::Nothing(_))));
    assert!(matches!(price("{\"time\": 1795240800, \"USD\": -1}"), Ok(Told::Nothing(_))));
    assert!(price("{\"USD\": 5}").is_err(), "no time");
    assert!(price("[]").is_err());
}

#[test]
fn the_network_comes_from_latest_also_when_previous_is_missing() {
    let Ok(Told::Fact(size, since)) = network(200, fixture!("statistics.json")) else { panic!("no network") };
    assert_eq!((size.nodes, size.channels), (16_502, 40_123));
    assert_eq!(size.capacity, Sat::new(421_000_000_000));
    assert_eq!(size.median_channel, Sat::new(2_500_000));
    // 2026-11-21T00:00:00Z
    assert_eq!(since, Some(UnixMs::from_secs(1_795_219_200)));
    assert!(network(200, "{\"latest\":{\"node_count\":5}}").is_err());
    assert!(matches!(network(200, "{\"latest\":null}"), Ok(Told::Nothing(_))));
    assert!(matches!(network(404, "Cannot GET /api/v1/lightning/statistics/latest"), Ok(Told::Nothing(_))));
}

#[test]
fn the_added_time_is_iso_or_unix_seconds() {
    let with = |added: &str| {
        let body = fixture!("statistics.json").replace("\"2026-11-21T00:00:00.000Z\"", added);
        match network(200, &body) {
            Ok(Told::Fact(_, since)) => since,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with("1795219200"), Some(UnixMs::from_secs(1_795_219_200)));
    assert_eq!(with("\"soon\""), None);
    assert_eq!(with("null"), None);
}

#[test]
fn the_node_has_its_capacity_as_text_or_number() {
    let Ok(Told::Fact(seen, _)) = node(200, fixture!("node.json"), &key()) else { panic!("no node") };
    assert_eq!(seen.alias.as_deref(), Some("orchard \u{1b}[31m<b>"), "hostile, and kept as it came");
    assert_eq!(seen.capacity, Some(Sat::new(24_300_000)));
    assert_eq!(seen.channels, Some(7));
    assert_eq!(seen.updated_at, Some(UnixMs::from_secs(1_795_237_200)));
    let as_number = fixture!("node.json").replace("\"24300000\"", "0");
    let Ok(Told::Fact(seen, _)) = node(200, &as_number, &key()) else { panic!("no node") };
    assert_eq!(seen.capacity, Some(Sat::ZERO));
    let too_much = fixture!("node.json").replace("24300000", "2100000000000001");
    let Ok(Told::Fact(seen, _)) = node(200, &too_much, &key()) else { panic!("no node") };
    assert_eq!(seen.capacity, None, "more than all bitcoin there are");
}

#[test]
fn a_node_that_is_not_known_is_a_fact_and_another_500_is_not() {
    let unknown = Ok(Told::Fact(SeenNode::unknown(), None));
    assert_eq!(node(500, "{\"error\":\"Failed to get node\"}", &key()), unknown);
    assert_eq!(node(500, "This node does not exist, or our node is not seeing it yet", &key()), unknown);
    assert_eq!(node(404, "Node not found", &key()), unknown);
    assert!(!is_unknown_node(500, "{\"error\":\"database is gone\"}"));
    assert!(!is_unknown_node(200, "Failed to get node"));
}

#[test]
fn an_answer_about_another_node_is_refused() {
    let other = fixture!("node.json").replace("02a1a2", "02a1a3");
    assert!(node(200, &other, &key()).is_err());
    assert!(node(200, "{}", &key()).is_err());
}

#[test]
fn the_address_is_taken_with_and_without_its_suffix() {
    let base = |url: &str| {
        let mempool = Mempool::new(&Settings { url: url.to_owned(), ..Settings::default() }).unwrap();
        mempool.ask_height().url.to_string()
    };
    let want = "https://mempool.space/api/blocks/tip/height";
    for url in
        ["https://mempool.space", "https://mempool.space/", "https://mempool.space/api", "https://mempool.space/api/"]
    {
        assert_eq!(base(url), want, "{url}");
    }
    assert_eq!(base("https://mempool.space/api/v1/"), want);
    assert_eq!(base("http://umbrel.local:3006"), "http://umbrel.local:3006/api/blocks/tip/height");
    assert_eq!(base("https://host.example/mempool/api"), "https://host.example/mempool/api/blocks/tip/height");
}

#[test]
fn an_address_that_is_none_is_refused_with_the_name_of_the_setting() {
    for (url, words) in [
        ("mempool.space", "mempool.url is not an address"),
        ("ftp://mempool.space", "mempool.url must begin with https:// or http://"),
        ("file:///etc/passwd", "mempool.url must begin with https:// or http://"),
        ("https://me:pw@mempool.space", "mempool.url must not hold a user name or password"),
        ("https://mempool.space/?a=b", "mempool.url must not hold a ? or #"),
    ] {
        let error = Mempool::new(&Settings { url: url.to_owned(), ..Settings::default() }).unwrap_err().to_string();
        assert!(error.starts_with(words), "{url}: {error}");
        assert!(!error.contains("pw"), "{error}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(status in prop::sample::select(vec![200_u16, 404, 500]), body in ".{0,200}") {
        let _read = (fees(&body), height(&body), price(&body), network(status, &body), node(status, &body, &key()));
    }

    #[test]
    fn no_change_of_a_good_answer_makes_a_parser_panic(
        which in 0_usize..4, at in 0_usize..600, cut in 0_usize..20, put in "[-0-9eE\\[\\]{}\",:.nul]{0,12}"
    ) {
        let good = [fixture!("fees-precise.json"), fixture!("prices.json"), fixture!("statistics.json"), fixture!("node.json")][which];
        let chars: Vec<char> = good.chars().collect();
        let at = at % chars.len();
        let body: String = chars[..at].iter().copied().chain(put.chars()).chain(chars[(at + cut).min(chars.len())..].iter().copied()).collect();
        if let Ok(Told::Fact(fees, _)) = fees(&body) {
            prop_assert!(fees.fastest >= 0 && fees.minimum >= 0);
        }
        if let Ok(Told::Fact(prices, _)) = price(&body) {
            prop_assert!(!prices.is_empty() && prices.values().all(|price| *price > 0));
        }
        if let Ok(Told::Fact(size, _)) = network(200, &body) {
            prop_assert!((0..=2_100_000_000_000_000).contains(&size.capacity.get()));
        }
        if let Ok(Told::Fact(seen, _)) = node(200, &body, &key()) {
            prop_assert!(seen.capacity.is_none_or(|c| (0..=2_100_000_000_000_000).contains(&c.get())));
        }
    }
}
