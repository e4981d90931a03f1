use super::*;
use crate::history::PolicyChange;

/// A node of which the first channel has another policy of ours.
fn ours(change: impl Fn(&mut Policy)) -> Snapshot {
    let mut snapshot = two();
    change(snapshot.node.policies.as_mut().unwrap()[0].ours.as_mut().unwrap());
    snapshot
}

#[test]
fn a_limit_that_is_hardly_meant_is_told() {
    let judged = |change: fn(&mut Policy)| severity(&made(&ours(change), &history(&[])), "policy-odd");
    assert_eq!(judged(|_| {}), None);
    // The channel has 1,000,000 sat.
    assert_eq!(judged(|p| p.max_htlc = Msat::new(1_000_000_001)), Some(Severity::Warning));
    assert_eq!(judged(|p| p.max_htlc = Msat::new(10_000_000)), None);
    assert_eq!(judged(|p| p.max_htlc = Msat::new(9_999_999)), Some(Severity::Info));
    assert_eq!(judged(|p| p.max_htlc = Msat::ZERO), Some(Severity::Warning), "below the smallest");
    assert_eq!(judged(|p| p.min_htlc = Msat::new(9_999_999)), None);
    assert_eq!(judged(|p| p.min_htlc = Msat::new(10_000_000)), Some(Severity::Info));
    assert_eq!(judged(|p| p.time_lock_delta = 30), None);
    assert_eq!(judged(|p| p.time_lock_delta = 29), Some(Severity::Warning));
    let both = made(&ours(|p| (p.time_lock_delta, p.max_htlc) = (18, Msat::ZERO)), &history(&[]));
    assert_eq!(
        title(&both, "policy-odd").unwrap(),
        format!(
            "Our policy of channel {} with peer1: its largest HTLC is below its smallest, so nothing fits; its time lock leaves 18 blocks to act in when a channel closes by force",
            point(1, 0).short()
        )
    );
    let mut unread = two();
    unread.node.policies = None;
    for rule in ["policy-odd", "channel-zombie", "channel-disabled-by-peer", "channel-disabled-by-us", "peer-fee-jump"]
    {
        assert!(!asked(rule, &unread, &history(&[])), "{rule}");
    }
}

#[test]
fn a_side_that_is_silent_for_two_weeks_lets_others_drop_the_channel() {
    let judged = |change: &dyn Fn(&mut Snapshot)| {
        let mut snapshot = two();
        change(&mut snapshot);
        title(&made(&snapshot, &history(&[])), "channel-zombie")
    };
    let last = |ms: i64| {
        move |s: &mut Snapshot| s.node.policies.as_mut().unwrap()[0].theirs.as_mut().unwrap().updated_at = NOW.plus(-ms)
    };
    assert_eq!(judged(&last(14 * DAY_MS - 1)), None);
    assert!(judged(&last(14 * DAY_MS)).unwrap().contains("announced nothing for channel"));
    let never = |s: &mut Snapshot| s.node.policies.as_mut().unwrap()[0].theirs = None;
    assert!(judged(&never).unwrap().contains(" at all: 500,000 sat inbound"));
    // A young channel, and one that is hidden, announce nothing yet or ever.
    assert_eq!(
        judged(&|s| {
            never(s);
            s.node.channels.as_mut().unwrap()[0].scid = scid(799_999, 1);
        }),
        None
    );
    assert_eq!(
        judged(&|s| {
            never(s);
            s.node.channels.as_mut().unwrap()[0].private = true;
        }),
        None
    );
}

/// A past in which the peer of channel 1 changed its rate, `hours` ago each.
fn changed(changes: &[(i64, i64, i64)]) -> History {
    let mut past = history(&[]);
    past.previous_snapshot = Some(two());
    let change = |(hours, before, after): &(i64, i64, i64)| PolicyChange {
        point: point(1, 0),
        ours: false,
        at: NOW.plus(-hours * HOUR_MS),
        before: Some(policy(*before)),
        after: policy(*after),
    };
    past.policy_changes = changes.iter().map(change).collect();
    past
}

#[test]
fn a_peer_that_doubles_its_fee_is_told_by_first_and_last_of_the_day() {
    let judged = |changes: &[(i64, i64, i64)]| title(&made(&two(), &changed(changes)), "peer-fee-jump");
    let name = point(1, 0).short();
    assert_eq!(judged(&[(5, 200, 399)]), None, "less than double");
    assert_eq!(judged(&[(5, 50, 149)]), None, "less than 100 ppm");
    assert_eq!(
        judged(&[(5, 200, 400)]).unwrap(),
        format!("peer1 raised its fee to us on channel {name}: 200 → 400 ppm")
    );
    assert_eq!(judged(&[(5, 0, 100)]).unwrap(), format!("peer1 raised its fee to us on channel {name}: 0 → 100 ppm"));
    assert_eq!(
        judged(&[(5, 400, 200)]).unwrap(),
        format!("peer1 lowered its fee to us on channel {name}: 400 → 200 ppm")
    );
    assert_eq!(judged(&[(5, 100, 900), (2, 900, 100)]), None, "there and back");
    assert_eq!(judged(&[(25, 100, 900)]), None, "of the day before");
    let mut own = changed(&[(5, 200, 400)]);
    own.policy_changes[0].ours = true;
    assert_eq!(title(&made(&two(), &own), "peer-fee-jump"), None);
    own.previous_snapshot = None;
    assert!(!asked("peer-fee-jump", &two(), &own));
}

#[test]
fn a_jump_is_told_as_an_alert_and_not_again_as_a_change() {
    let mut now = two();
    now.node.policies.as_mut().unwrap()[0].theirs = Some(policy(400));
    let report = made(&now, &changed(&[(5, 50, 400)]));
    assert_eq!(rules(&report), ["peer-fee-jump"]);
    assert!(report.changes.items.iter().all(|c| c.kind != "peer-policy-changed"), "{:?}", report.changes.items);
}
