use super::*;
use crate::analysis::support::*;
use crate::snapshot::{Gap, SourceHealth, SourceSeen};
use crate::units::Sat;

fn said(source: &str, value: i64, health: Health) -> Said {
    Said { fact: fact(value, source, UnixMs(0)), health, verified: source != "lnrouter" }
}

/// Who else says something, and how many percent more that is.
type Others = Vec<(String, Option<f64>)>;

/// Who is believed, and by how much the others differ.
fn chosen(ordered: &[Option<Said>]) -> Option<(String, Others)> {
    let chosen = choose(ordered)?;
    let others = chosen.others.iter().map(|(said, differs)| (said.fact.source.clone(), *differs)).collect();
    Some((chosen.said.fact.source.clone(), others))
}

#[test]
fn the_first_that_is_well_answers_and_the_others_stand_beside_it() {
    use Health::{Old, Well};
    let of = |ordered: &[Option<Said>]| chosen(ordered).unwrap();
    let other = |name: &str, differs| (name.to_owned(), differs);
    let all = [Some(said("lnd", 200, Well)), Some(said("remote", 200, Well)), Some(said("mempool.space", 190, Well))];
    assert_eq!(of(&all), ("lnd".to_owned(), vec![other("remote", Some(0.0)), other("mempool.space", Some(-5.0))]));
    let all =
        [Some(said("lnd", 100, Old)), None, Some(said("mempool.space", 300, Well)), Some(said("amboss", 301, Well))];
    let want = vec![other("lnd", Some(-66.6667)), other("amboss", Some(0.3333))];
    assert_eq!(of(&all), ("mempool.space".to_owned(), want), "one that is behind stands back");
    let all = [None, Some(said("remote", 7, Old)), Some(said("mempool.space", 8, Old))];
    assert_eq!(of(&all).0, "remote", "where none is well, the first old answer stands in");
    assert_eq!(chosen(&[None, None]), None);
    assert_eq!(chosen(&[]), None);
    let all = [Some(said("lnd", 0, Well)), Some(said("remote", 7, Well))];
    assert_eq!(of(&all).1, [other("remote", None)], "of nothing there is no percentage");
    let all = [Some(said("lnd", i64::MAX, Well)), Some(said("remote", i64::MIN, Well))];
    assert_eq!(of(&all).1, [other("remote", Some(-200.0))]);
}

#[test]
fn what_is_not_verified_never_goes_before_what_is() {
    use Health::{Old, Well};
    let all = [None, Some(said("lnrouter", 1, Well)), Some(said("mempool.space", 2, Well))];
    assert_eq!(chosen(&all).unwrap().0, "mempool.space");
    let all = [None, Some(said("lnrouter", 1, Well)), Some(said("mempool.space", 2, Old))];
    assert_eq!(chosen(&all).unwrap().0, "mempool.space");
    let all = [None, Some(said("lnrouter", 1, Well)), None];
    assert_eq!(chosen(&all).unwrap().0, "lnrouter");
}

fn fact<T>(value: T, source: &str, as_of: UnixMs) -> Fact<T> {
    Fact { value, source: source.to_owned(), as_of }
}

fn seen(capacity: i64) -> SeenNode {
    SeenNode { capacity: Some(Sat::new(capacity)), ..SeenNode::unknown() }
}

#[test]
fn each_fact_of_a_report_says_whose_it_is_and_how_old() {
    let mut snapshot = snapshot(vec![channel(1, 500_000, 500_000)]);
    let (now, height) = (snapshot.taken_at, snapshot.node.info.block_height);
    snapshot.public.block_height = Some(fact(height + 10, "mempool.space", now.plus(-90_500)));
    snapshot.public.seen_by_lnrouter = Some(fact(seen(1_100_000), "lnrouter", now));
    snapshot.public.seen_by_amboss = Some(fact(seen(900_000), "amboss", now.plus(-3_600_000)));
    let rows = facts(&snapshot);
    let find = |rows: &[SourcedFact], name: &str| rows.iter().find(|row| row.name == name).cloned();
    let row = find(&rows, "block_height").unwrap();
    assert_eq!((row.value, row.source.as_str(), row.age_s), (i64::from(height), "lnd", 0));
    assert_eq!((row.others[0].value, row.others[0].source.as_str()), (i64::from(height) + 10, "mempool.space"));
    let market = snapshot.node.market.take();
    let row = find(&facts(&snapshot), "node_capacity_sat").unwrap();
    assert_eq!((row.value, row.source.as_str(), row.age_s, row.verified), (900_000, "amboss", 3600, true));
    assert_eq!((row.others[0].source.as_str(), row.others[0].verified), ("lnrouter", false));
    assert_eq!(row.others[0].differs_percent, Some(22.2222));
    snapshot.node.market = market;
    snapshot.node.info.synced_to_chain = false;
    let row = find(&facts(&snapshot), "block_height").unwrap();
    assert_eq!((row.source.as_str(), row.age_s), ("mempool.space", 90));
    assert!(row.others[0].differs_percent.is_some_and(|differs| differs < 0.0));
    // Now that one does not answer either: what it said before is no better than the node's own word.
    let gap = Gap { part: "mempool.height".to_owned(), source: "mempool.space".to_owned(), reason: "x".to_owned() };
    snapshot.gaps.push(gap);
    assert_eq!(find(&facts(&snapshot), "block_height").unwrap().source, "lnd");
    snapshot.gaps.clear();
    snapshot.sources = vec![SourceSeen {
        name: "mempool.space".to_owned(),
        address: "mempool.space".to_owned(),
        status: SourceStatus::Stale,
        as_of: None,
        latency_ms: None,
        version: None,
        detail: None,
        health: SourceHealth::default(),
    }];
    assert_eq!(find(&facts(&snapshot), "block_height").unwrap().value, i64::from(height));
    assert_eq!(find(&rows, "hour_fee_sat_per_kvb"), None, "what nobody tells is no row");
    snapshot.node.hour_fee = Some(1012);
    assert_eq!(find(&facts(&snapshot), "hour_fee_sat_per_kvb").unwrap().value, 1012);
}
