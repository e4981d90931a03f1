//! What is done with advice, and what it is held against.

use daznode::report::Act;
use daznode::sources::simulated::SimAct;
use daznode::units::{Msat, Outpoint, Ppm, Sat, UnixMs};

use crate::acts::{Follow, simulated};
use crate::trials::{Trial, hash};

fn point(n: u64) -> Outpoint {
    format!("{n:064x}:1").parse().unwrap()
}

#[test]
fn each_act_keeps_its_numbers() {
    let fee = Act::SetFee { channel: point(1), from_ppm: Ppm(5), to_ppm: Ppm(70), base_msat: Msat::new(9) };
    let wanted = SimAct::SetFee { point: point(1), ppm: Ppm(70), base: Msat::new(9) };
    assert_eq!(simulated(&fee), wanted);
    let (amount_sat, max_fee_sat) = (Sat::new(40_000), Sat::new(12));
    let refill = Act::Rebalance { from: point(1), to: point(2), amount_sat, max_fee_sat };
    let (amount, max_fee) = (Msat::new(40_000_000), Msat::new(12_000));
    let wanted = SimAct::Rebalance { from: point(1), to: point(2), amount, max_fee };
    assert_eq!(simulated(&refill), wanted);
    let close = Act::Close { channel: point(3), force: true };
    assert_eq!(simulated(&close), SimAct::Close { point: point(3), force: true });
    assert!(Follow::FeesAndRefills.takes(&fee) && Follow::FeesAndRefills.takes(&refill));
    assert!(!Follow::FeesAndRefills.takes(&close) && Follow::All.takes(&close));
}

#[test]
fn a_gain_is_told_in_the_terms_of_its_promise() {
    let mut trial = Trial {
        kind: "open".to_owned(),
        key: "open:x".to_owned(),
        at: UnixMs(0),
        promised: Sat::new(100),
        interval: Some([Sat::new(40), Sat::new(200)]),
        done: true,
        more: Msat::new(-300_000),
        once: Msat::new(1_500_000),
        days: 180,
    };
    // 300 sat less than without it, after paying 1,500 sat once: it brought 1,200 in six months, 200 a month.
    assert!((trial.gained() - 200.0).abs() < 1e-9, "{}", trial.gained());
    assert!((trial.kept().unwrap() - 2.0).abs() < 1e-9);
    assert_eq!(trial.within(), Some(true), "up to 200");
    assert!(!trial.paid(), "300 sat behind after 180 days");
    trial.promised = Sat::ZERO;
    assert_eq!(trial.kept(), None);
}

#[test]
fn the_choice_is_the_same_every_time_and_not_by_rank() {
    let firsts: Vec<bool> =
        (0..64).map(|seed| hash(seed, UnixMs(1), "raise-fee:a") < hash(seed, UnixMs(1), "raise-fee:b")).collect();
    let first = firsts.iter().filter(|first| **first).count();
    assert!((16..=48).contains(&first), "{first} of 64");
    assert_eq!(hash(1, UnixMs(2), "x"), hash(1, UnixMs(2), "x"));
}
