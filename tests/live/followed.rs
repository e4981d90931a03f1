//! The streams of a real node in the middle, while everything that they can tell happens to it.

use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use daznode::snapshot::FailureReason;
use daznode::sources::lnd::follow::{Follower, Limits};
use daznode::sources::lnd::{self, Surroundings};
use daznode::sources::streams::{ChannelChange, Seen, Stream, Word};
use daznode::units::{Msat, Pubkey, UnixMs};
use serde_json::json;

use super::regtest::{self, Network};
use super::{AROUND, spec};

#[expect(clippy::disallowed_methods, reason = "a test of the real thing lives in real time")]
pub(super) fn clock() -> UnixMs {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMs(i64::try_from(now.as_millis()).unwrap())
}

/// The real ones, but that a node which is held is noticed sooner.
fn limits() -> Limits {
    Limits { alive_every: Duration::from_secs(2), alive_within: Duration::from_secs(4), ..Limits::default() }
}

/// What the streams of a node told so far.
struct Followed {
    words: mpsc::Receiver<Word>,
    heard: Vec<Word>,
}

impl Followed {
    /// Follows with `readonly.macaroon`, in a thread that ends with the test.
    fn start(network: &Network, n: usize) -> Self {
        let spec = spec(network, n, network.nodes[n].macaroon("readonly.macaroon"));
        let own: Pubkey = network.pubkey(n).parse().unwrap();
        let (sender, words) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let around = Surroundings { now: clock(), ..AROUND };
                let (options, judged) = lnd::options(&spec, &around).unwrap();
                assert!(judged.streams_not_permitted.is_empty(), "{judged:?}");
                let follower = Follower::new(&options, limits()).unwrap();
                let (out, mut heard) = tokio::sync::mpsc::channel(16);
                let pass_on = async {
                    while let Some(word) = heard.recv().await {
                        if sender.send(word).is_err() {
                            return;
                        }
                    }
                };
                tokio::join!(follower.follow(&own, &Stream::ALL, &clock, out), pass_on).0.unwrap();
            });
        });
        Self { words, heard: Vec::new() }
    }

    /// Waits until something has been told since what came before was forgotten.
    fn expect<T>(&mut self, what: &str, found: impl Fn(&Word) -> Option<T>) -> T {
        let until = std::time::Instant::now() + Duration::from_secs(40);
        loop {
            if let Some(result) = self.heard.iter().find_map(&found) {
                return result;
            }
            let left = until.saturating_duration_since(std::time::Instant::now());
            let Ok(word) = self.words.recv_timeout(left) else { panic!("waited for {what}, heard {:#?}", self.heard) };
            self.heard.push(word);
        }
    }

    fn expect_seen<T>(&mut self, what: &str, found: impl Fn(&Seen) -> Option<T>) -> T {
        self.expect(what, |word| match word {
            Word::Told { seen, .. } => found(seen),
            _ => None,
        })
    }

    fn expect_failure(&mut self, reason: FailureReason) -> (Msat, Msat, String) {
        self.expect_seen(&format!("{reason:?}"), |seen| match seen {
            Seen::Failed { forward, detail } if forward.reason == reason => {
                Some((forward.amount_in, forward.amount_out, detail.clone()))
            }
            _ => None,
        })
    }

    fn expect_change(&mut self, change: ChannelChange) -> String {
        self.expect_seen(change.name(), |seen| match seen {
            Seen::Channel { point, change: found, .. } if *found == change => Some(point.to_string()),
            _ => None,
        })
    }

    fn expect_peer(&mut self, peer: &str, online: bool) {
        self.expect_seen("a peer", |seen| {
            matches!(seen, Seen::Peer { peer: who, online: is, .. } if who.as_str() == peer && *is == online)
                .then_some(())
        });
    }

    fn expect_all_begun(&mut self) {
        for stream in Stream::ALL {
            self.expect(stream.name(), |word| {
                matches!(word, Word::Began { stream: begun, .. } if *begun == stream).then_some(())
            });
        }
    }

    /// Each stood until shortly before then.
    fn expect_all_ended(&mut self, gone: UnixMs) {
        for stream in Stream::ALL {
            let stood_until = self.expect(stream.name(), |word| match word {
                Word::Ended { stream: ended, stood_until, .. } if *ended == stream => Some(*stood_until),
                _ => None,
            });
            let apart = gone.since(stood_until);
            assert!((-10_000..10_000).contains(&apart), "{stream:?} stood until {stood_until:?}, gone at {gone:?}");
        }
    }

    /// What was heard is of the past from here on.
    fn forget(&mut self) {
        self.heard.extend(self.words.try_iter());
        let unknown: Vec<_> =
            self.heard.iter().filter(|word| matches!(word, Word::Told { seen: Seen::Unknown { .. }, .. })).collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
        self.heard.clear();
    }
}

/// Asks for a payment in one part; what comes of it is seen elsewhere.
pub(super) fn try_to_pay(network: &Network, from: usize, payment: serde_json::Value) -> String {
    let mut payment = payment;
    for (name, value) in [("timeout_seconds", json!(15)), ("fee_limit_sat", json!("10000")), ("max_parts", json!(1))] {
        payment[name] = value;
    }
    payment["no_inflight_updates"] = json!(true);
    network.post(from, "/v2/router/send", &payment)["result"]["status"].as_str().unwrap_or("nothing").to_owned()
}

#[test]
fn the_streams_of_a_real_node_tell_what_happens_to_it() {
    if !regtest::available() {
        return;
    }
    let mut network = Network::start(&["alice", "bob", "carol"]);
    let (alice, bob, carol) = (0, 1, 2);
    let mut followed = Followed::start(&network, bob);
    followed.expect_all_begun();

    // Channels: LND's list has the same outpoints.
    network.open(alice, bob, 10_000_000, 1_000_000);
    network.open(bob, carol, 4_000_000, 0);
    for change in [ChannelChange::Pending, ChannelChange::Opened, ChannelChange::Active] {
        let point = followed.expect_change(change);
        assert!(super::open_points(&network, bob).contains(&point), "{point}");
    }
    followed.expect_peer(&network.pubkey(carol), true);
    followed.forget();

    // Forwards: one that settles, one that bob can't carry, one that carol does not know.
    network.pay(alice, carol, 2_000_000);
    followed.expect_seen("a settled forward", |seen| matches!(seen, Seen::Settled { .. }).then_some(()));
    let invoice = network.post(carol, "/v1/invoices", &json!({ "value": "3000000" }));
    let paid = try_to_pay(&network, alice, json!({ "payment_request": invoice["payment_request"] }));
    assert_eq!(paid, "FAILED");
    let (came, leaves, detail) = followed.expect_failure(FailureReason::Balance);
    assert_eq!((leaves, detail.as_str()), (Msat::new(3_000_000_000), "INSUFFICIENT_BALANCE"));
    // LND asks 1 sat and a millionth unless told otherwise.
    assert_eq!(came - leaves, Msat::new(1_000 + 3_000));
    let base64 = base64::engine::general_purpose::STANDARD;
    let dest = base64.encode(hex::decode(network.pubkey(carol)).unwrap());
    let unknown =
        json!({ "dest": dest, "amt": "50000", "payment_hash": base64.encode([7; 32]), "final_cltv_delta": 40 });
    assert_eq!(try_to_pay(&network, alice, unknown), "FAILED");
    let (came, leaves, detail) = followed.expect_failure(FailureReason::Downstream);
    assert_eq!((leaves, detail.as_str()), (Msat::new(50_000_000), "FORWARD_FAIL"));
    assert_eq!(came - leaves, Msat::new(1_000 + 50));
    followed.forget();

    // A peer's new policy.
    let policy = json!({ "global": true, "base_fee_msat": "777", "fee_rate_ppm": 123, "time_lock_delta": 80 });
    network.post(carol, "/v1/chanpolicy", &policy);
    let key = network.pubkey(carol);
    let (base, rate) = followed.expect_seen("carol's policy", |seen| match seen {
        Seen::Policy { by, policy, .. } if by.as_str() == key => Some((policy.base, policy.rate)),
        _ => None,
    });
    assert_eq!((base, rate.0), (Msat::new(777), 123));
    followed.forget();

    // A peer goes and returns.
    network.delete(bob, &format!("/v1/peers/{key}"));
    followed.expect_peer(&key, false);
    followed.expect_change(ChannelChange::Inactive);
    network.connect(bob, carol);
    followed.expect_peer(&key, true);
    followed.expect_change(ChannelChange::Active);
    followed.forget();

    // LND does nothing for a while, though its connections stand.
    let before = clock();
    network.hold(bob);
    followed.expect_all_ended(before);
    network.release(bob);
    followed.expect_all_begun();
    followed.forget();

    // LND goes, and returns.
    let before = clock();
    network.stop_node(bob);
    followed.expect_all_ended(before);
    followed.forget();
    network.start_node(bob);
    followed.expect_all_begun();
    followed.forget();
    Network::wait("channels to be usable", || {
        let channels = network.get(bob, "/v1/channels");
        channels["channels"].as_array().is_some_and(|all| all.len() == 2 && all.iter().all(|c| c["active"] == true))
    });
    network.pay(alice, carol, 10_000);
    followed.expect_seen("a settled forward", |seen| matches!(seen, Seen::Settled { .. }).then_some(()));
    followed.forget();
}
