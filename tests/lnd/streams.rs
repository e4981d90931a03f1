//! Following an LND's streams, as it tells them, breaks them off, refuses them, and says nothing.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use daznode::sources::Error;
use daznode::sources::lnd::follow::{Follower, Limits};
use daznode::sources::streams::{Seen, Stream, Word};
use daznode::units::{Pubkey, UnixMs};
use prost::Message as _;
use tokio::sync::mpsc;
use tonic_lnd::lnrpc::PeerEvent;
use tonic_lnd::routerrpc::htlc_event::Event;
use tonic_lnd::routerrpc::{HtlcEvent, SubscribedEvent};

use super::support::fake_lnd::{Asked, FakeLnd, Reply, Told};
use super::{NOW, bob, options};

const BOB: &str = "03351c9081f2af83d51d15d3460c904bac3e0814d3c91e6afb94ac43845cacd716";
const PEERS: &str = "/lnrpc.Lightning/SubscribePeerEvents";
const HTLCS: &str = "/routerrpc.Router/SubscribeHtlcEvents";
const STATE: &str = "/lnrpc.State/GetState";

/// The real ones, only shorter.
fn quick() -> Limits {
    let ms = Duration::from_millis;
    Limits {
        settle: ms(20),
        alive_every: ms(100),
        alive_within: Duration::from_secs(5),
        retry_least: ms(20),
        retry_most: ms(200),
        refused_pause: Duration::from_secs(60),
        clock_slack: Duration::from_secs(30),
    }
}

/// What follows, with its words.
struct Following {
    words: mpsc::Receiver<Word>,
    task: tokio::task::JoinHandle<Result<(), Error>>,
    ahead_ms: Arc<AtomicI64>,
}

impl Following {
    /// The next word other than `Alive`.
    async fn next(&mut self) -> Word {
        loop {
            match self.any().await {
                Word::Alive { .. } => {}
                word => return word,
            }
        }
    }

    async fn any(&mut self) -> Word {
        tokio::time::timeout(Duration::from_secs(30), self.words.recv()).await.unwrap().unwrap()
    }

    async fn began(&mut self) -> UnixMs {
        match self.next().await {
            Word::Began { at, .. } => at,
            other => panic!("{other:?}"),
        }
    }

    async fn told(&mut self) -> Seen {
        match self.next().await {
            Word::Told { seen, .. } => seen,
            other => panic!("{other:?}"),
        }
    }

    /// Until when it stood, and why no longer.
    async fn ended(&mut self) -> (UnixMs, Error) {
        match self.next().await {
            Word::Ended { stood_until, error, .. } => (stood_until, error),
            other => panic!("{other:?}"),
        }
    }
}

fn follow_with(lnd: &FakeLnd, streams: &'static [Stream], limits: Limits, room: usize) -> Following {
    follow_at(&lnd.address(), lnd, streams, limits, room)
}

fn follow_at(address: &str, lnd: &FakeLnd, streams: &'static [Stream], limits: Limits, room: usize) -> Following {
    let follower = Follower::new(&options(address, lnd.certificate()), limits).unwrap();
    let (out, words) = mpsc::channel(room);
    let ahead_ms = Arc::new(AtomicI64::new(0));
    let ahead = Arc::clone(&ahead_ms);
    let own: Pubkey = BOB.parse().unwrap();
    let task = tokio::task::spawn_local(async move {
        let started = Instant::now();
        let clock = move || {
            let passed = i64::try_from(started.elapsed().as_millis()).unwrap();
            NOW.plus(passed + ahead.load(Ordering::SeqCst))
        };
        follower.follow(&own, streams, &clock, out).await
    });
    Following { words, task, ahead_ms }
}

fn follow(lnd: &FakeLnd, streams: &'static [Stream]) -> Following {
    follow_with(lnd, streams, quick(), 100)
}

/// An LND that is ready, and answers everything else by a closure.
fn ready(answer: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static) -> FakeLnd {
    FakeLnd::answering(move |asked| match asked.path {
        STATE => Reply::Message(Bytes::from_static(&[8, 4])),
        _ => answer(asked),
    })
}

fn peer(number: usize, online: bool) -> Told {
    let event = PeerEvent { pub_key: key_of(number).to_string(), r#type: i32::from(!online) };
    Told::Message(event.encode_to_vec().into())
}

fn key_of(number: usize) -> Pubkey {
    format!("02{number:064x}").parse().unwrap()
}

fn subscribed() -> Told {
    let event = HtlcEvent { event: Some(Event::SubscribedEvent(SubscribedEvent {})), ..Default::default() };
    Told::Message(event.encode_to_vec().into())
}

fn who(seen: &Seen) -> (&Pubkey, bool) {
    match seen {
        Seen::Peer { peer, online, .. } => (peer, *online),
        other => panic!("{other:?}"),
    }
}

/// Runs what spawns futures that stay in their thread.
async fn local<T>(test: impl Future<Output = T>) -> T {
    tokio::task::LocalSet::new().run_until(test).await
}

/// The messages of a recording of a stream.
fn recorded(method: &str) -> Vec<Told> {
    Told::recorded(&bob().join(format!("{method}.stream.pb")))
}

#[tokio::test]
async fn each_stream_of_a_recording_begins_and_tells() {
    local(async {
        let lnd = ready(|asked| match asked.path {
            HTLCS => Reply::Stream(recorded("routerrpc.Router.SubscribeHtlcEvents")),
            "/lnrpc.Lightning/SubscribeChannelEvents" => {
                Reply::Stream(recorded("lnrpc.Lightning.SubscribeChannelEvents"))
            }
            "/lnrpc.Lightning/SubscribeChannelGraph" => {
                Reply::Stream(recorded("lnrpc.Lightning.SubscribeChannelGraph"))
            }
            _ => Reply::Stream(vec![peer(1, true), Told::Hang]),
        });
        let mut following = follow(&lnd, &Stream::ALL);
        let (mut began, mut told) = (Vec::new(), Vec::new());
        // Seven of HTLCs, four of channels, two of the graph, one of peers.
        while told.len() < 14 {
            match following.next().await {
                Word::Began { stream, .. } => began.push(stream),
                Word::Told { stream, .. } => {
                    assert!(began.contains(&stream), "{stream:?} told before it began");
                    told.push(stream);
                }
                other => panic!("{other:?}"),
            }
        }
        let count = |stream| told.iter().filter(|of| **of == stream).count();
        assert_eq!(Stream::ALL.map(count), [7, 4, 1, 2]);
        assert_eq!(lnd.connections(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_or_ends_is_told_and_begins_again() {
    local(async {
        let calls = AtomicUsize::new(0);
        let lnd = ready(move |_| {
            let call = calls.fetch_add(1, Ordering::SeqCst);
            // Who breaks off takes back what has not left yet.
            let left = Told::Pause(Duration::from_millis(300));
            let last = [vec![left, Told::Reset], vec![], vec![Told::Hang]][call.min(2)].clone();
            Reply::Stream([vec![peer(call, true), peer(call, false)], last].concat())
        });
        let mut following = follow(&lnd, &[Stream::Peers]);
        let mut last = NOW;
        for call in 0..3 {
            let began = following.began().await;
            assert!(began >= last);
            for online in [true, false] {
                assert_eq!(who(&following.told().await), (&key_of(call), online));
            }
            if call < 2 {
                let (stood_until, error) = following.ended().await;
                assert!(stood_until >= began && matches!(error, Error::Unreachable { .. }), "{error}");
                last = stood_until;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_quiet_stream_begins_when_lnd_answers_beside_it_and_is_known_to_stand() {
    local(async {
        let lnd = ready(|asked| match asked.path {
            HTLCS => Reply::Stream(vec![Told::Pause(Duration::from_millis(200)), subscribed(), Told::Hang]),
            _ => Reply::Hang,
        });
        let mut following = follow(&lnd, &[Stream::Peers]);
        let began = following.began().await;
        let mut last = began;
        for _ in 0..3 {
            let Word::Alive { at, .. } = following.any().await else { panic!("no life") };
            assert!(at > last);
            last = at;
        }
        // LND says itself that it has subscribed us to HTLCs: before that nothing is watched.
        let mut following = follow(&lnd, &[Stream::Htlcs]);
        assert!(following.began().await >= NOW.plus(200));
    })
    .await;
}

#[tokio::test]
async fn an_event_of_a_new_kind_is_told_as_that_and_ends_nothing() {
    local(async {
        let lnd = ready(|_| {
            let new = PeerEvent { pub_key: key_of(1).to_string(), r#type: 9 };
            let new = Told::Message(new.encode_to_vec().into());
            let garbage = Told::Message(Bytes::from_static(b"\xff\xff\xff"));
            Reply::Stream(vec![new, garbage, peer(2, true), Told::Hang])
        });
        let mut following = follow(&lnd, &[Stream::Peers]);
        following.began().await;
        for expected in ["PeerEvent type 9", "not a protobuf message"] {
            match following.told().await {
                Seen::Unknown { kind, .. } => assert_eq!(kind, expected),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(who(&following.told().await), (&key_of(2), true));
        assert_eq!(lnd.calls_of(PEERS), 1);
    })
    .await;
}

#[tokio::test]
async fn an_lnd_that_answers_no_more_is_noticed_though_its_connection_stands() {
    local(async {
        let silent = Arc::new(AtomicBool::new(false));
        let quiet = Arc::clone(&silent);
        let lnd = FakeLnd::answering(move |asked| match asked.path {
            STATE if quiet.load(Ordering::SeqCst) => Reply::Hang,
            STATE => Reply::Message(Bytes::from_static(&[8, 4])),
            _ => Reply::Hang,
        });
        let limits = Limits { alive_within: Duration::from_millis(400), ..quick() };
        let mut following = follow_with(&lnd, &[Stream::Peers], limits, 100);
        let began = following.began().await;
        silent.store(true, Ordering::SeqCst);
        let (mut last, before) = (began, Instant::now());
        let stood_until = loop {
            match following.any().await {
                Word::Alive { at, .. } => last = at,
                Word::Ended { stood_until, at, error, .. } => {
                    assert!(matches!(error, Error::Timeout { .. }), "{error}");
                    assert!(at > stood_until);
                    break stood_until;
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(stood_until, last);
        assert!(before.elapsed() >= Duration::from_millis(400));
        silent.store(false, Ordering::SeqCst);
        assert!(following.began().await > stood_until);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_told_once_and_not_asked_for_again_soon() {
    local(async {
        let lnd = ready(|asked| match asked.path {
            HTLCS => Reply::unknown("permission denied"),
            PEERS => Reply::Stream(vec![Told::Hang]),
            _ => Reply::unimplemented(),
        });
        let mut following = follow(&lnd, &Stream::ALL);
        let (mut refused, mut alive) = (Vec::new(), 0);
        while alive < 5 {
            match following.any().await {
                Word::Ended { stream, error, .. } => refused.push((stream, error.to_string())),
                Word::Began { stream, .. } => assert_eq!(stream, Stream::Peers),
                Word::Alive { .. } => alive += 1,
                other @ Word::Told { .. } => panic!("{other:?}"),
            }
        }
        refused.sort();
        let streams: Vec<Stream> = refused.iter().map(|(stream, _)| *stream).collect();
        assert_eq!(streams, [Stream::Htlcs, Stream::Channels, Stream::Graph]);
        assert!(refused[0].1.contains("does not permit SubscribeHtlcEvents"), "{refused:?}");
        assert!(refused[1].1.contains("has no SubscribeChannelEvents"), "{refused:?}");
        assert_eq!(lnd.calls_of(HTLCS), 1);
    })
    .await;
}

#[tokio::test]
async fn a_locked_lnd_is_said_to_be_locked_once_and_followed_when_it_is_open() {
    local(async {
        let locked = Arc::new(AtomicBool::new(true));
        let shut = Arc::clone(&locked);
        let lnd = FakeLnd::answering(move |asked| match (asked.path, shut.load(Ordering::SeqCst)) {
            (STATE, shut) => Reply::Message(Bytes::copy_from_slice(&[8, if shut { 1 } else { 4 }])),
            // What the service of the streams says while it is not there yet.
            (_, true) => Reply::Refuse(12, "unknown service routerrpc.Router".to_owned()),
            (_, false) => Reply::Stream(vec![subscribed(), Told::Hang]),
        });
        let mut following = follow(&lnd, &[Stream::Htlcs]);
        let (stood_until, error) = following.ended().await;
        assert!(matches!(error, Error::NotReady { .. }), "{error}");
        assert!(stood_until.since(NOW) < 60_000, "it never stood: from when it was first tried");
        while lnd.calls_of(HTLCS) < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        locked.store(false, Ordering::SeqCst);
        following.began().await;
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_jumps_ends_what_is_known_where_it_was_last_known() {
    local(async {
        let lnd = ready(|_| Reply::Hang);
        let mut following = follow(&lnd, &[Stream::Peers]);
        for hours in [1, -24] {
            let began = following.began().await;
            let Word::Alive { at, .. } = following.any().await else { panic!("no life") };
            assert!(at > began);
            following.ahead_ms.fetch_add(hours * 3_600_000, Ordering::SeqCst);
            let (stood_until, error) = following.ended().await;
            assert!(stood_until.since(began) < 60_000, "{stood_until:?}");
            assert!(error.to_string().contains("the machine slept, or its time was set"), "{error}");
        }
        assert!(following.began().await < NOW);
    })
    .await;
}

/// How many messages have left once nothing moves any more: what the windows and buffers on the way hold.
async fn stalled(lnd: &FakeLnd) -> usize {
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = lnd.told();
        if now == before && now > 0 {
            return now;
        }
        before = now;
    }
}

#[tokio::test]
async fn a_slow_listener_holds_the_reading_and_loses_nothing() {
    local(async {
        const MANY: usize = 40_000;
        let lnd = ready(|_| {
            let parts = (0..MANY).map(|number| peer(number, true)).chain([Told::Hang]);
            Reply::Stream(parts.collect())
        });
        let limits = Limits { alive_every: Duration::from_secs(20), ..quick() };
        let mut following = follow_with(&lnd, &[Stream::Peers], limits, 1);
        following.began().await;
        let before = stalled(&lnd).await;
        assert!(before < MANY, "all of {MANY} messages left");
        for number in 0..MANY {
            assert_eq!(who(&following.told().await).0, &key_of(number));
        }
        assert_eq!(lnd.told(), MANY);
    })
    .await;
}

#[tokio::test]
async fn all_streams_full_of_small_messages_are_no_load_that_ends_the_connection() {
    local(async {
        // Shorter than any that LND sends.
        const MANY: usize = 8_000;
        let lnd = ready(|_| {
            let short = Told::Message([0xf8, 0x07, 1].repeat(11).into());
            Reply::Stream(std::iter::repeat_n(short, MANY).chain([Told::Hang]).collect())
        });
        let limits = Limits { alive_every: Duration::from_secs(20), ..quick() };
        let mut following = follow_with(&lnd, &Stream::ALL, limits, 1);
        assert!(stalled(&lnd).await < 4 * MANY);
        let mut heard = 0;
        while heard < 4 * MANY {
            match following.any().await {
                Word::Told { .. } => heard += 1,
                Word::Ended { stream, error, .. } => panic!("{stream:?} after {heard} messages: {error}"),
                Word::Began { .. } | Word::Alive { .. } => {}
            }
        }
        assert_eq!(lnd.told(), 4 * MANY);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_down_is_no_error_of_the_follower_and_said_once() {
    local(async {
        let certificate = FakeLnd::builder().start().certificate().to_owned();
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let follower = Follower::new(&options(&nowhere, &certificate), quick()).unwrap();
        let (out, mut words) = mpsc::channel(100);
        let own: Pubkey = BOB.parse().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let listen = async move {
            while let Some(word) = words.recv().await {
                heard.lock().unwrap().push(word);
            }
        };
        let clock = || NOW;
        tokio::select! {
            _ = follower.follow(&own, &[Stream::Peers], &clock, out) => panic!("it ended"),
            () = listen => panic!("it ended"),
            () = tokio::time::sleep(Duration::from_millis(700)) => {}
        }
        let said = said.lock().unwrap();
        let [Word::Ended { error: Error::Unreachable { .. }, stood_until, .. }] = said.as_slice() else {
            panic!("{said:?}")
        };
        assert_eq!(*stood_until, NOW);
    })
    .await;
}

#[tokio::test]
async fn following_ends_when_nobody_listens() {
    local(async {
        let lnd = ready(|asked| if asked.path == PEERS { Reply::unknown("no") } else { Reply::Hang });
        let mut following = follow(&lnd, &Stream::ALL);
        following.any().await;
        let Following { words, task, .. } = following;
        drop(words);
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), task).await.unwrap().unwrap(), Ok(()));
    })
    .await;
}

#[tokio::test]
async fn following_ends_when_lnd_takes_the_credentials_for_no_stream() {
    local(async {
        // LND's files were made anew while it was followed.
        let lnd = ready(|_| Reply::unknown("verification failed: signature mismatch after caveat verification"));
        let Following { mut words, task, .. } = follow(&lnd, &Stream::ALL);
        let ended = tokio::time::timeout(Duration::from_secs(30), task).await.unwrap().unwrap();
        assert!(matches!(ended, Err(Error::Macaroon { .. })), "{ended:?}");
        let mut told = 0;
        while let Some(word) = words.recv().await {
            assert!(matches!(word, Word::Ended { error: Error::Macaroon { .. }, .. }), "{word:?}");
            told += 1;
        }
        assert_eq!(told, 4);
    })
    .await;
}

/// A line to an LND, of which a connection may be lost: it stays open, and nothing gets through any more.
async fn line(to: String, lost: tokio::sync::watch::Receiver<bool>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::task::spawn_local(async move {
        let mut first = true;
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(&to).await.unwrap();
            let (is_first, mut lost) = (std::mem::take(&mut first), lost.clone());
            tokio::task::spawn_local(async move {
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => return,
                    Ok(_) = lost.wait_for(|lost| *lost && is_first) => {}
                }
                std::future::pending::<()>().await;
                drop((near, far));
            });
        }
    });
    address
}

#[tokio::test]
async fn a_connection_that_is_lost_without_a_word_is_left_for_a_new_one() {
    local(async {
        let lnd = ready(|_| Reply::Hang);
        let (lose, lost) = tokio::sync::watch::channel(false);
        let address = line(lnd.address(), lost).await;
        let limits = Limits { alive_within: Duration::from_millis(500), ..quick() };
        let mut following = follow_at(&address, &lnd, &[Stream::Peers], limits, 100);
        let began = following.began().await;
        lose.send(true).unwrap();
        let (stood_until, error) = following.ended().await;
        assert!(stood_until >= began && error.is_transient(), "{error}");
        // It may fail in other words until the old connection is given up.
        while !matches!(following.next().await, Word::Began { .. }) {}
        assert_eq!(lnd.connections(), 2);
    })
    .await;
}
