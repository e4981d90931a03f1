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
fn the_node_has_ranks_and_its_amount_as_text() {
    let Ok(Told::Fact(seen, None)) = node(fixture!("amboss-node.json"), &key()) else { panic!("no node") };
    assert_eq!(seen.alias.as_deref(), Some("orchard"));
    assert_eq!(seen.capacity, Some(Sat::new(24_300_000)));
    assert_eq!(seen.channels, Some(7));
    assert_eq!((seen.capacity_rank, seen.channels_rank), (Some(2101), Some(1890)));
    assert_eq!(seen.updated_at, Some(UnixMs::from_secs(1_795_237_200)));
}

#[test]
fn fee_rates_are_rounded_to_whole_ppm() {
    let Ok(Told::Fact(fees, None)) = fees(fixture!("amboss-fees.json"), false) else { panic!("no fees") };
    assert_eq!(fees.local_median, Some(Ppm(350)));
    assert!(matches!(fees.remote_median, Some(Ppm(412 | 413))));
    assert_eq!(fees.remote_weighted, Some(Ppm(628)));
}

#[test]
fn null_parts_are_a_node_that_is_not_known() {
    let unknown = Ok(Told::Fact(SeenNode::unknown(), None));
    assert_eq!(node(fixture!("amboss-null.json"), &key()), unknown);
    assert_eq!(node("{\"data\":{\"getNode\":{\"graph_info\":null}}}", &key()), unknown);
    assert_eq!(node("{\"data\":{\"getNode\":{}}}", &key()), unknown);
    assert!(matches!(fees(fixture!("amboss-null.json"), true), Ok(Told::Nothing(_))));
}

#[test]
fn errors_come_before_data_and_their_words_are_harmless() {
    let error = node(fixture!("amboss-errors.json"), &key()).unwrap_err();
    assert_eq!(error, "it refused: Unauthorized [2J: please log in");
    // Without a key this is how it is; with one, it failed.
    assert!(matches!(fees(fixture!("amboss-errors.json"), false), Ok(Told::Nothing(_))));
    assert!(fees(fixture!("amboss-errors.json"), true).is_err());
    assert!(fees("{\"errors\":[{\"message\":\"out of order\"}],\"data\":null}", false).is_err());
    assert!(node("{\"errors\":[{}],\"data\":null}", &key()).is_err());
    assert!(node("{}", &key()).is_err());
    assert!(node("{\"errors\":[],\"data\":null}", &key()).is_err());
}

#[test]
fn data_next_to_errors_is_used() {
    let Ok(Told::Fact(seen, None)) = node(fixture!("amboss-partial.json"), &key()) else { panic!("no node") };
    assert_eq!((seen.channels, seen.capacity_rank), (Some(7), None));
}

#[test]
fn an_answer_about_another_node_is_refused() {
    assert!(node(&fixture!("amboss-node.json").replace("02a1a2", "02a1a3"), &key()).is_err());
}

#[test]
fn the_question_is_json_with_the_key_as_a_variable() {
    let amboss = Amboss::new(&Settings::default()).unwrap();
    for question in [amboss.ask_node(&key()), amboss.ask_fees(&key())] {
        let body: serde_json::Value = serde_json::from_str(question.body.as_deref().unwrap()).unwrap();
        assert_eq!(body["variables"]["pubkey"], KEY);
        let query = body["query"].as_str().unwrap();
        assert!(query.starts_with("query ") && !query.contains(KEY), "{query}");
        assert_eq!(query.matches('{').count(), query.matches('}').count(), "{query}");
        assert!((question.is_final)(400, fixture!("amboss-errors.json")));
        assert!(!(question.is_final)(429, fixture!("amboss-errors.json")));
        assert!(!(question.is_final)(400, "<html>"));
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(body in ".{0,200}") {
        let _read = (node(&body, &key()), fees(&body, true), fees(&body, false));
    }

    #[test]
    fn no_change_of_a_good_answer_makes_a_parser_panic(
        which in 0_usize..4, at in 0_usize..600, cut in 0_usize..20, put in "[-0-9eE\\[\\]{}\",:.nul]{0,12}"
    ) {
        let good = [fixture!("amboss-node.json"), fixture!("amboss-fees.json"), fixture!("amboss-null.json"), fixture!("amboss-partial.json")][which];
        let chars: Vec<char> = good.chars().collect();
        let at = at % chars.len();
        let body: String = chars[..at].iter().copied().chain(put.chars()).chain(chars[(at + cut).min(chars.len())..].iter().copied()).collect();
        if let Ok(Told::Fact(seen, _)) = node(&body, &key()) {
            prop_assert!(seen.capacity.is_none_or(|c| (0..=2_100_000_000_000_000).contains(&c.get())));
            prop_assert!(seen.capacity_rank != Some(0));
        }
        if let Ok(Told::Fact(fees, _)) = fees(&body, true) {
            prop_assert!(fees.local_median.is_none_or(|Ppm(rate)| (0..=i64::from(u32::MAX)).contains(&rate)));
        }
    }
}
