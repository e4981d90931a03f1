//! Answers that fail, lie, are too big, damaged or slow.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::sources::answers::METHODS;

type Answer = Result<Bytes, Error>;
type Change = dyn Fn(&'static Method, Answer) -> Answer + Sync;

/// A recording with some answers changed.
pub(super) struct Doctored {
    folder: Folder,
    change: Box<Change>,
}

impl Doctored {
    pub(super) fn new(name: &str, change: impl Fn(&'static Method, Answer) -> Answer + Sync + 'static) -> Self {
        Self { folder: Folder::open(&fixture(name)).unwrap(), change: Box::new(change) }
    }
}

impl Answers for Doctored {
    async fn ask(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let answer = self.folder.ask(method, request).await;
        (self.change)(method, answer)
    }

    fn address(&self) -> &'static str {
        "localhost:10009"
    }
}

pub(super) fn refused(method: &Method, reason: &str) -> Error {
    Error::Refused { address: "localhost:10009".into(), call: method.name().into(), reason: reason.into() }
}

#[test]
fn each_part_that_fails_is_a_gap_and_the_rest_is_there() {
    for failing in METHODS {
        let node =
            Doctored::new(
                "bob-later",
                move |method, answer| {
                    if method == failing { Err(refused(method, "unknown method")) } else { answer }
                },
            );
        let (seen, _) = of(&node, &Resume::default());
        if failing == &answers::GET_INFO {
            assert_eq!(seen.unwrap_err(), refused(failing, "unknown method"));
            continue;
        }
        let seen = seen.unwrap();
        let needless = [&answers::GET_STATE, &answers::GET_VERSION].contains(&failing);
        assert_eq!(seen.gaps.len(), usize::from(!needless), "{failing:?}: {:?}", seen.gaps);
        assert!(seen.gaps.iter().all(|gap| gap.reason == format!("{}: unknown method", failing.name())));
    }
}

#[test]
fn a_node_of_which_nothing_but_its_name_can_be_read_is_an_error() {
    let node = Doctored::new("bob", |method, answer| {
        if [&answers::GET_INFO, &answers::GET_STATE].contains(&method) {
            answer
        } else {
            Err(Error::Macaroon { reason: "permission denied".into() })
        }
    });
    assert_eq!(of(&node, &Resume::default()).0.unwrap_err(), Error::Macaroon { reason: "permission denied".into() });
}

#[test]
fn a_locked_wallet_says_so() {
    let node = Doctored::new("bob", |method, _| {
        if method == &answers::GET_STATE {
            let state = lnrpc::GetStateResponse { state: lnrpc::WalletState::Locked.into() };
            return Ok(state.encode_to_vec().into());
        }
        Err(refused(method, "wallet locked, unlock it to enable full RPC access"))
    });
    let error = of(&node, &Resume::default()).0.unwrap_err();
    assert!(matches!(&error, Error::NotReady { reason, .. } if reason.contains("lncli unlock")), "{error}");
}

#[test]
fn no_event_of_another_node_leaves() {
    let node = Doctored::new("dave", |_, answer| answer);
    let bob = observe("bob", &Resume::default()).0.node.info;
    let cache = GraphCache::default();
    let (sender, receiver) = mpsc::channel(2);
    let reader = Reader::new(&node, "lnd", UnixMs(0), &cache).expecting(bob.pubkey, bob.network);
    let (seen, taken) = block_on(take(reader.observe(&Resume::default(), sender), receiver));
    assert!(matches!(seen.unwrap_err(), Error::OtherNode { .. }));
    assert_eq!(taken, Taken::default());
}

/// Refuses every page with more than `most` rows, as LND and gRPC libraries do.
fn small_pages(most: usize) -> Doctored {
    Doctored::new("bob-later", move |method, answer| {
        let answer = answer?;
        let paged = [Forwards::METHOD, Payments::METHOD, Invoices::METHOD, Transactions::METHOD].contains(&method);
        let rows = wire::fields(&answer).filter(|field| field.unwrap().number == 1).count();
        if paged && rows > most {
            return Err(refused(method, "received message larger than max (33554432 vs. 16777216)"));
        }
        Ok(answer)
    })
}

#[test]
fn pages_that_are_too_big_are_halved_and_nothing_is_lost_or_doubled() {
    let (_, whole) = of(&small_pages(usize::MAX), &Resume::default());
    for most in [1, 2, 3, 40] {
        let (seen, taken) = of(&small_pages(most), &Resume::default());
        assert_eq!(seen.unwrap().gaps, []);
        assert!(taken.pages > whole.pages);
        assert_eq!(
            Taken { pages: 0, ..taken },
            Taken {
                pages: 0,
                forwards: whole.forwards.clone(),
                ..Taken {
                    payments: whole.payments.clone(),
                    invoices: whole.invoices.clone(),
                    transactions: whole.transactions.clone(),
                    ..Taken::default()
                }
            }
        );
    }
}

#[test]
fn rows_that_can_not_be_are_left_out_and_named() {
    let node = Doctored::new("bob", |method, answer| {
        let answer = answer?;
        Ok(if method == &answers::LIST_CHANNELS {
            let mut list = lnrpc::ListChannelsResponse::decode(answer).unwrap();
            list.channels[0].local_balance = i64::MAX;
            list.channels[1].capacity = -1;
            list.channels[2].remote_pubkey = "\u{1b}[31m".into();
            list.channels[3].channel_point = list.channels[4].channel_point.clone();
            list.encode_to_vec().into()
        } else if method == &answers::FORWARDING_HISTORY {
            let mut list = lnrpc::ForwardingHistoryResponse::decode(answer).unwrap();
            list.forwarding_events[7].amt_in_msat = u64::MAX;
            list.encode_to_vec().into()
        } else if method == &answers::WALLET_BALANCE {
            lnrpc::WalletBalanceResponse { confirmed_balance: 21_000_000 * 100_000_000 + 1, ..Default::default() }
                .encode_to_vec()
                .into()
        } else {
            answer
        })
    });
    let (seen, taken) = of(&node, &Resume::default());
    let seen = seen.unwrap();
    assert_eq!(seen.node.channels.unwrap().len(), 1);
    assert_eq!(seen.node.wallet, None);
    assert_eq!(taken.forwards.len(), 201);
    let parts: Vec<_> = seen.gaps.iter().map(|gap| (gap.part.as_str(), gap.reason.as_str())).collect();
    assert_eq!(parts.len(), 4);
    assert_eq!(parts[0].0, "channels");
    assert!(parts[0].1.starts_with("4 of 5 rows left out"), "{}", parts[0].1);
    assert_eq!((parts[1].0, parts[3].0), ("forwards", "wallet"));
}

/// Answers everything after a while, and counts how many calls wait at the same time.
struct Slow {
    folder: Folder,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

impl Answers for Slow {
    async fn ask(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.folder.ask(method, request).await
    }

    fn address(&self) -> &'static str {
        "slow"
    }
}

#[test]
fn everything_is_asked_at_once_of_a_known_node() {
    let bob = observe("bob", &Resume::default()).0.node.info;
    for (known, most) in [(true, METHODS.len()), (false, METHODS.len() - 2)] {
        let folder = Folder::open(&fixture("bob")).unwrap();
        let slow = Slow { folder, waiting: AtomicUsize::new(0), most: AtomicUsize::new(0) };
        let cache = GraphCache::default();
        let extras = Extras { backup: BackupFile::Recorded { modified_at: None }, not_permitted: Vec::new() };
        let mut reader = Reader::new(&slow, "lnd", UnixMs(0), &cache).with(extras);
        if known {
            reader = reader.expecting(bob.pubkey.clone(), bob.network);
        }
        let (sender, receiver) = mpsc::channel(2);
        let (seen, taken) = block_on(take(reader.observe(&Resume::default(), sender), receiver));
        assert_eq!((seen.unwrap().gaps.len(), taken.forwards.len()), (1, 202));
        assert_eq!(slow.most.into_inner(), most, "known: {known}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 10_000 }))]
    #[test]
    fn damaged_answers_never_panic(at in any::<u64>(), with in any::<u8>(), which in 0..METHODS.len(), cut in any::<bool>()) {
        let node = Doctored::new("bob-later", move |method, answer| {
            let answer = answer?;
            if method != METHODS[which] || answer.is_empty() {
                return Ok(answer);
            }
            let mut bytes = answer.to_vec();
            let at = usize::try_from(at % u64::try_from(bytes.len()).unwrap()).unwrap();
            if cut { bytes.truncate(at) } else { bytes[at] = with }
            Ok(bytes.into())
        });
        let (seen, _) = of(&node, &Resume::default());
        if let Ok(seen) = seen {
            prop_assert!(seen.node.channels.unwrap_or_default().iter().all(|c| c.local >= Sat::ZERO && c.local <= c.capacity));
        }
    }
}
