use super::*;
use crate::snapshot::{Backup, Tower, Towers};

#[test]
fn a_base_fee_that_makes_most_of_the_earnings_is_turned_into_a_rate() {
    let mut node = snapshot(vec![channel(1, 500_000, 500_000)]);
    let ours = Policy { base: Msat::new(1_000), ..policy(100) };
    node.node.policies.as_mut().unwrap()[0].ours = Some(ours);
    let mut past = steady(&[Daily { n: 1, out: 1_000, into: 1_000, ppm: 100 }]);
    // 30 forwards of 1,000 sat: a base fee of 1 sat and 0.1 sat each, 33 sat in all, which is 1,100 ppm.
    past.month.channels[0].fees_earned = Msat::new(33_000);
    let report = made(&node, &past);
    let advice = find(&report, "base-fee:").unwrap();
    let act = Act::SetFee { channel: point(1, 0), from_ppm: Ppm(100), to_ppm: Ppm(1_100), base_msat: Msat::ZERO };
    assert_eq!((advice.act.clone(), advice.estimated_gain_sats_month), (Some(act), None));
    // Forwards of 30,000 sat pay 1 + 3 sat each: the base fee is a quarter.
    let mut past = steady(&[Daily { n: 1, out: 30_000, into: 30_000, ppm: 100 }]);
    past.month.channels[0].fees_earned = Msat::new(120_000);
    assert!(find(&made(&node, &past), "base-fee:").is_none());
}

#[test]
fn a_long_time_lock_and_a_tiny_largest_htlc_keep_forwards_away() {
    let mut node = snapshot(vec![channel(1, 500_000, 500_000)]);
    let past = steady(&[]);
    let with = |node: &mut Snapshot, blocks, max_htlc| {
        let ours = Policy { time_lock_delta: blocks, max_htlc: Msat::new(max_htlc), ..policy(500) };
        node.node.policies.as_mut().unwrap()[0].ours = Some(ours);
    };
    with(&mut node, 145, 990_000_000);
    let report = made(&node, &past);
    assert!(find(&report, "time-lock:").unwrap().suggested_action.ends_with("--time_lock_delta 144"));
    with(&mut node, 144, 9_999_999);
    let report = made(&node, &past);
    // 1 % of 1,000,000 sat is 10,000,000 msat.
    assert!(find(&report, "max-htlc:").unwrap().suggested_action.ends_with("--max_htlc_msat 990000000"));
    with(&mut node, 144, 10_000_000);
    assert_eq!(keys(&made(&node, &past)), Vec::<&str>::new());
}

#[test]
fn a_backup_that_lacks_a_channel_comes_first() {
    let mut node = snapshot(vec![channel(1, 500_000, 500_000), channel(2, 500_000, 500_000)]);
    node.node.backup = Some(Backup { modified_at: None, covered: vec![point(1, 0)] });
    let report = made(&node, &steady(&[]));
    assert_eq!(report.recommendations[0].title, "Write the channel backup anew: it lacks 1 channel");
    assert_eq!(report.recommendations[0].evidence[0].value, "500,000 sat");
    node.node.backup = Some(Backup { modified_at: None, covered: vec![point(1, 0), point(2, 0)] });
    assert_eq!(keys(&made(&node, &steady(&[]))), Vec::<&str>::new());
}

#[test]
fn a_watchtower_client_without_a_tower_is_told() {
    let mut node = snapshot(vec![channel(1, 500_000, 500_000)]);
    node.node.towers = Some(Towers::default());
    assert!(find(&made(&node, &steady(&[])), "watchtower:").is_some());
    let tower = Tower { pubkey: key(9), candidate: true, sessions: 1 };
    node.node.towers = Some(Towers { towers: vec![tower], ..Towers::default() });
    assert!(find(&made(&node, &steady(&[])), "watchtower:").is_none());
}
