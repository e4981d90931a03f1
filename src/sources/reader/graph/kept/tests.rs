use std::cell::Cell;

use super::*;
use crate::sources::reader::tests::block_on;

/// 2026-11-21 12:00 UTC.
const NOW: UnixMs = UnixMs(1_795_262_400_000);
const HALF_DAY: i64 = 12 * HOUR_MS;

fn ago(ms: i64) -> UnixMs {
    NOW.plus(-ms)
}

#[test]
fn a_graph_is_at_hand_until_it_is_as_old_as_the_setting() {
    assert!(at_hand(NOW, NOW, HALF_DAY));
    assert!(at_hand(ago(HALF_DAY - 1), NOW, HALF_DAY));
    assert!(!at_hand(ago(HALF_DAY), NOW, HALF_DAY));
    assert!(!at_hand(NOW, NOW, 0), "0: LND is asked in every run");
    assert!(!at_hand(ago(1), NOW, 0));
    // From the future: a little is the difference of two clocks, more is a clock that was wrong.
    assert!(at_hand(NOW.plus(600_000), NOW, HALF_DAY));
    assert!(!at_hand(NOW.plus(600_001), NOW, HALF_DAY));
    assert!(!at_hand(UnixMs(i64::MAX), NOW, HALF_DAY));
    assert!(!at_hand(UnixMs(i64::MIN), NOW, HALF_DAY));
}

#[test]
fn a_graph_stands_in_for_thirty_days_and_never_out_of_the_future() {
    assert!(stands_in(NOW, NOW));
    assert!(stands_in(ago(30 * DAY_MS), NOW));
    assert!(!stands_in(ago(30 * DAY_MS + 1), NOW));
    assert!(stands_in(NOW.plus(600_000), NOW));
    assert!(!stands_in(NOW.plus(600_001), NOW));
    assert!(!stands_in(UnixMs(i64::MIN), NOW) && !stands_in(UnixMs(i64::MAX), NOW));
}

#[test]
fn a_graph_takes_the_place_of_the_kept_one_if_it_is_whole_and_has_half_of_its_channels() {
    let kept = |verdict| matches!(verdict, Verdict::UseKept(_));
    assert_eq!(judge(100, true, None), Verdict::Keep);
    assert_eq!(judge(50, true, Some(100)), Verdict::Keep, "exactly half");
    assert!(kept(judge(49, true, Some(100))));
    assert!(kept(judge(0, true, Some(1))));
    assert!(kept(judge(200, false, Some(100))), "it says itself that it has not heard all");
    assert_eq!(judge(200, false, None), Verdict::UseOnce);
    assert_eq!(judge(0, true, None), Verdict::UseOnce);
    assert_eq!(judge(0, true, Some(0)), Verdict::UseOnce);
    assert_eq!(judge(u64::MAX, true, Some(u64::MAX)), Verdict::Keep);
}

/// A shelf that can be looked at and can fail.
#[derive(Debug, Default)]
struct Memory {
    kept: Mutex<BTreeMap<Network, Kept>>,
    aside: Mutex<Vec<String>>,
    broken: bool,
}

impl Memory {
    fn of(kept: Kept) -> Arc<Self> {
        Arc::new(Self { kept: Mutex::new(BTreeMap::from([(Network::Mainnet, kept)])), ..Self::default() })
    }

    fn stamp(&self) -> Option<Stamp> {
        self.kept.lock().unwrap().get(&Network::Mainnet).map(|kept| kept.stamp.clone())
    }
}

impl Shelf for Memory {
    fn get(&self, network: Network) -> Result<Option<Kept>, String> {
        if self.broken { Err("can't be read".to_owned()) } else { Ok(self.kept.lock().unwrap().get(&network).cloned()) }
    }
    fn put(&self, network: Network, kept: &Kept) -> Result<(), String> {
        if self.broken {
            return Err("can't be written".to_owned());
        }
        self.kept.lock().unwrap().insert(network, kept.clone());
        Ok(())
    }
    fn set_aside(&self, network: Network, why: &PackError) -> String {
        self.kept.lock().unwrap().remove(&network);
        self.aside.lock().unwrap().push(why.to_string());
        format!("damaged: {why}")
    }
}

/// A graph with a line of so many channels.
fn graph(channels: u32) -> Graph {
    let mut graph = Graph::default();
    for n in 0..=channels {
        let mut key = [2; 33];
        key[29..].copy_from_slice(&n.to_be_bytes());
        graph.intern(key).unwrap();
    }
    let edge = |n| super::super::Edge { nodes: [n, n + 1], capacity: 1, rates: [None; 2], updated: [0; 2] };
    graph.edges = (0..channels).map(edge).collect();
    graph
}

fn kept(channels: u32, as_of: UnixMs) -> Kept {
    let stamp = Stamp { as_of, source: "lnd".to_owned(), channels: channels.into() };
    Kept { stamp, packed: graph(channels).pack().unwrap() }
}

fn at(now: UnixMs) -> Question<'static> {
    Question { network: Network::Mainnet, address: "127.0.0.1:10009", source: "lnd", now }
}

fn refused() -> Error {
    Error::Refused { address: "a".into(), call: "DescribeGraph".into(), reason: "no".into() }
}

/// A process with this shelf.
fn process(shelf: &Arc<Memory>, keep_hours: u32) -> GraphCache {
    let shelf: Arc<dyn Shelf> = shelf.clone();
    GraphCache::new(keep_hours, Some(shelf))
}

/// What came of a question: the state, when the graph was told, its channels, and why it is not LND's.
type Came = (GraphState, UnixMs, usize, Option<Unused>);

fn came(used: Used) -> Came {
    (used.seen.state, used.seen.as_of, used.graph.channels(), used.instead)
}

/// One question of a process of its own, with a shelf that has this.
fn once(shelf: &Arc<Memory>, keep_hours: u32, answer: Result<(Graph, bool), Error>) -> (Result<Came, Error>, bool) {
    let cache = process(shelf, keep_hours);
    let asked = Cell::new(false);
    let fetch = async {
        asked.set(true);
        answer
    };
    let got = block_on(cache.get(at(NOW), fetch)).map(came);
    (got, asked.get())
}

#[test]
fn a_young_graph_on_the_shelf_is_used_without_asking() {
    let shelf = Memory::of(kept(10, ago(HALF_DAY - 1)));
    let (got, asked) = once(&shelf, 12, Err(refused()));
    assert_eq!(got.unwrap(), (GraphState::Kept, ago(HALF_DAY - 1), 10, None));
    assert!(!asked);
}

#[test]
fn an_old_graph_is_replaced_by_lnds() {
    for (keep_hours, age) in [(12, HALF_DAY), (0, 1), (12, -3 * DAY_MS)] {
        let shelf = Memory::of(kept(10, ago(age)));
        let (got, asked) = once(&shelf, keep_hours, Ok((graph(9), true)));
        assert_eq!(got.unwrap(), (GraphState::Asked, NOW, 9, None));
        assert!(asked);
        assert_eq!(shelf.stamp().unwrap(), Stamp { as_of: NOW, source: "lnd".into(), channels: 9 });
    }
}

#[test]
fn where_lnd_fails_the_old_graph_stands_in_for_thirty_days() {
    let shelf = Memory::of(kept(10, ago(30 * DAY_MS)));
    let (got, _) = once(&shelf, 12, Err(refused()));
    assert_eq!(got.unwrap(), (GraphState::StandIn, ago(30 * DAY_MS), 10, Some(Unused::Failed(refused()))));
    for age in [30 * DAY_MS + 1, -DAY_MS] {
        let (got, _) = once(&Memory::of(kept(10, ago(age))), 12, Err(refused()));
        assert_eq!(got.unwrap_err(), refused());
    }
    assert_eq!(once(&Arc::default(), 12, Err(refused())).0.unwrap_err(), refused());
}

#[test]
fn a_node_that_has_just_started_does_not_spoil_what_is_kept() {
    let old = || Memory::of(kept(10, ago(DAY_MS)));
    let shelf = old();
    let (got, _) = once(&shelf, 12, Ok((graph(4), true)));
    let (state, as_of, channels, why) = got.unwrap();
    assert_eq!((state, as_of, channels), (GraphState::StandIn, ago(DAY_MS), 10));
    let reason = "it knows 4 channels only, fewer than half of the 10 of the kept graph";
    assert_eq!(why, Some(Unused::Poor(reason.into())));
    assert_eq!(shelf.stamp().unwrap().channels, 10);
    let (got, _) = once(&old(), 12, Ok((graph(11), false)));
    let reason = "it is not synced to the graph (11 channels so far)";
    assert_eq!(got.unwrap().3, Some(Unused::Poor(reason.into())));
    // Without another one it is used, and not kept.
    let empty = Arc::default();
    assert_eq!(once(&empty, 12, Ok((graph(3), false))).0.unwrap(), (GraphState::Asked, NOW, 3, None));
    assert_eq!(empty.stamp(), None);
}

#[test]
fn a_graph_that_is_none_is_set_aside_and_said() {
    let mut broken = kept(10, ago(DAY_MS));
    broken.packed.truncate(20);
    for answer in [Ok((graph(2), true)), Ok((graph(2), false)), Err(refused())] {
        let shelf = Memory::of(broken.clone());
        let cache = process(&shelf, 12);
        let failed = answer.is_err();
        let got = block_on(cache.get(at(NOW), async { answer }));
        assert_eq!(got.is_err(), failed, "{got:?}");
        assert_eq!(cache.warnings().len(), 1);
        assert_eq!(cache.warnings(), Vec::<String>::new(), "said once");
        assert_eq!(shelf.aside.lock().unwrap().len(), 1);
    }
}

#[test]
fn a_shelf_that_fails_costs_a_warning_and_no_graph() {
    let shelf = Arc::new(Memory { broken: true, ..Memory::default() });
    let cache = process(&shelf, 12);
    let used = block_on(cache.get(at(NOW), async { Ok((graph(5), true)) })).unwrap();
    assert_eq!(came(used), (GraphState::Asked, NOW, 5, None));
    assert_eq!(cache.warnings(), ["can't be read", "the graph is not kept for the next run: can't be written"]);
}

#[test]
fn one_profile_fetches_the_graph_and_the_others_wait_for_it() {
    let cache = GraphCache::new(0, None);
    let asked = Cell::new(0);
    let fetch = |works: bool| {
        let asked = &asked;
        async move {
            asked.set(asked.get() + 1);
            tokio::task::yield_now().await;
            if works { Ok((graph(1), true)) } else { Err(refused()) }
        }
    };
    let of = |network| Question { network, ..at(NOW) };
    block_on(async {
        // Nodes of one run do not begin at the same moment.
        let (a, b, c) = tokio::join!(
            cache.get(at(NOW), fetch(false)),
            cache.get(at(NOW.plus(5)), fetch(true)),
            cache.get(at(NOW.plus(2)), fetch(true)),
        );
        assert!(a.is_err(), "the failure is the first one's own");
        let (b, c) = (b.unwrap(), c.unwrap());
        assert!(Arc::ptr_eq(&b.graph, &c.graph));
        assert_eq!((b.seen.state, c.seen.state), (GraphState::Asked, GraphState::Kept));
        assert_eq!(asked.get(), 2);
        // Another network has a graph of its own; private chains share nothing.
        cache.get(of(Network::Signet), fetch(true)).await.unwrap();
        for _ in 0..2 {
            let used = cache.get(of(Network::Regtest), fetch(true)).await.unwrap();
            assert_eq!(used.seen.state, GraphState::Asked);
        }
        assert_eq!(asked.get(), 5);
        for _ in 0..5 {
            cache.get(of(Network::Testnet), fetch(false)).await.unwrap_err();
        }
        assert_eq!(asked.get(), 8, "after three failures nobody else is asked");
        let later = Question { now: NOW.plus(600_000), ..of(Network::Testnet) };
        cache.get(later, fetch(true)).await.unwrap();
        assert_eq!(asked.get(), 9, "in a process that lives on they count for the run alone");
    });
}

#[test]
fn in_a_process_that_lives_on_a_graph_is_good_as_long_as_on_a_disk() {
    let shelf: Arc<Memory> = Arc::default();
    let cache = process(&shelf, 12);
    let ask = |later: i64, answer| block_on(cache.get(at(NOW.plus(later)), async { answer })).map(came);
    assert_eq!(ask(0, Ok((graph(10), true))).unwrap().0, GraphState::Asked);
    shelf.kept.lock().unwrap().clear();
    assert_eq!(ask(HALF_DAY - 1, Err(refused())).unwrap(), (GraphState::Kept, NOW, 10, None));
    // Its own old one stands in, too.
    assert_eq!(ask(HALF_DAY, Err(refused())).unwrap().0, GraphState::StandIn);
    assert_eq!(ask(HALF_DAY, Ok((graph(12), true))).unwrap(), (GraphState::Asked, NOW.plus(HALF_DAY), 12, None));
    // What another process has kept since is newer than its own.
    let newer = NOW.plus(DAY_MS - 1);
    shelf.kept.lock().unwrap().insert(Network::Mainnet, kept(13, newer));
    assert_eq!(ask(DAY_MS, Err(refused())).unwrap(), (GraphState::Kept, newer, 13, None));
}
