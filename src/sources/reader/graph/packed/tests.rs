use std::time::Instant;

use proptest::prelude::*;

use super::*;

/// A graph of these nodes; a key's end is its number, so that none is there twice.
fn graph(nodes: Vec<(bool, [u8; 28], String, Option<bool>)>, edges: Vec<Edge>) -> Graph {
    let mut graph = Graph { edges, ..Graph::default() };
    for (id, (odd, middle, alias, clearnet)) in (0_u32..).zip(nodes) {
        let mut key: Key = [2 + u8::from(odd); 33];
        key[1..29].copy_from_slice(&middle);
        key[29..].copy_from_slice(&id.to_be_bytes());
        graph.ids.insert(key, id);
        graph.keys.push(key);
        graph.aliases.push(alias.into());
        graph.clearnet.push(clearnet);
    }
    graph
}

fn edge(known: u32) -> impl Strategy<Value = Edge> {
    let side = || (proptest::option::of(0..=MAX_RATE), any::<u32>());
    (0..known, 1..known, 0..=MAX_CAPACITY, side(), side()).prop_map(move |(one, step, capacity, there, back)| Edge {
        nodes: [one, (one + step) % known],
        capacity,
        rates: [there.0, back.0],
        updated: [there.1, back.1],
    })
}

fn graphs() -> impl Strategy<Value = Graph> {
    let node = (any::<bool>(), any::<[u8; 28]>(), "\\PC{0,64}", any::<Option<bool>>());
    proptest::collection::vec(node, 2..20).prop_flat_map(|nodes| {
        let edges = proptest::collection::vec(edge(u32::try_from(nodes.len()).unwrap()), 0..40);
        edges.prop_map(move |edges| graph(nodes.clone(), edges))
    })
}

/// Columns as a file would hold them.
fn framed(columns: &[u8]) -> Vec<u8> {
    [MAGIC, &[VERSION][..], &zstd::bulk::compress(columns, 1).unwrap()].concat()
}

fn small() -> Graph {
    let nodes = vec![
        (false, [1; 28], "alice".to_owned(), Some(true)),
        (true, [2; 28], "ü".repeat(64), Some(false)),
        (false, [3; 28], String::new(), None),
    ];
    let edge = |nodes, rates| Edge { nodes, capacity: 1_000_000, rates, updated: [1_795_240_800, 0] };
    graph(nodes, vec![edge([0, 1], [Some(0), None]), edge([2, 1], [Some(MAX_RATE), Some(7)])])
}

proptest! {
    #[test]
    fn a_graph_that_is_kept_comes_back_the_same(graph in graphs()) {
        prop_assert_eq!(Graph::unpack(&graph.pack().unwrap()).unwrap(), graph);
    }

    #[test]
    fn bytes_that_were_changed_are_refused_or_mean_what_they_say(
        graph in graphs(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut columns = graph.columns().unwrap();
        for (at, byte) in changes {
            let at = at.index(columns.len());
            columns[at] = byte;
        }
        columns.truncate(cut.map_or(columns.len(), |at| at.index(columns.len())));
        if let Ok(read) = Graph::unpack(&framed(&columns)) {
            prop_assert_eq!(read.columns().unwrap(), columns, "nothing is read that was not there");
        }
    }

    #[test]
    fn a_compressed_graph_that_was_changed_makes_no_panic(
        graph in graphs(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = graph.pack().unwrap();
        prop_assert!(Graph::unpack(&whole[..cut.index(whole.len())]).is_err(), "it breaks off");
        let mut packed = whole;
        for (at, byte) in changes {
            let at = at.index(packed.len());
            packed[at] = byte;
        }
        let _ = Graph::unpack(&packed);
    }

    #[test]
    fn bytes_of_anything_make_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Graph::unpack(&bytes);
        let _ = Graph::unpack(&framed(&bytes));
    }
}

#[test]
fn the_layout_is_the_one_that_is_written_down() {
    let columns = small().columns().unwrap();
    // Three nodes of 1 + 32 + 2 + 1 bytes with aliases of 5, 128 and 0; two channels of 2 * 4 + 8 + 2 * 4 + 2 * 4.
    assert_eq!(columns.len(), 8 + 3 * 36 + 133 + 2 * 32);
    assert_eq!(columns[..11], [3, 0, 0, 0, 2, 0, 0, 0, 2, 3, 2]);
    assert_eq!(columns[107..113], [5, 0, 128, 0, 0, 0], "lengths of aliases, after 3 + 96 bytes of keys");
    assert_eq!(columns[246..249], [2, 1, 0], "how they are reached, after 133 bytes of aliases");
    let ends = &columns[249..];
    assert_eq!(ends[..16], [0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(ends[32..48], [0, 0, 0, 0, 0x40, 0x42, 0x0f, 0, 0xff, 0xff, 0xff, 0xff, 7, 0, 0, 0]);
}

/// The small graph with other bytes in its columns.
#[track_caller]
fn refused(at: usize, bytes: &[u8], why: &'static str) {
    let mut columns = small().columns().unwrap();
    columns[at..at + bytes.len()].copy_from_slice(bytes);
    assert_eq!(Graph::unpack(&framed(&columns)), Err(PackError::Malformed(why)));
}

#[test]
fn what_no_graph_can_be_is_refused() {
    refused(0, &u32::MAX.to_le_bytes(), "it breaks off");
    refused(4, &u32::MAX.to_le_bytes(), "it breaks off");
    refused(4, &1_u32.to_le_bytes(), "it goes on after its end");
    refused(8, &[4], "a key is none, or there twice");
    // The third key as the first.
    let mut twice = [1; 32];
    twice[28..].fill(0);
    refused(8 + 3 + 64, &twice, "a key is none, or there twice");
    refused(113, &[0xff], "an alias is no text");
    // 5 + 128 one-byte characters, of which the second node has 128.
    refused(118, &[b'a'; 128], "an alias is no text");
    refused(246, &[3], "how a node is reached is unknown");
    refused(249, &3_u32.to_le_bytes(), "a channel is impossible");
    refused(249, &1_u32.to_le_bytes(), "a channel is impossible");
    refused(249 + 16, &(MAX_CAPACITY + 1).to_le_bytes(), "a channel is impossible");
    refused(249 + 32, &(MAX_RATE + 1).to_le_bytes(), "a channel is impossible");
}

#[test]
fn another_version_and_other_files_are_told_apart() {
    let packed = small().pack().unwrap();
    let mut newer = packed.clone();
    newer[4] = 2;
    assert_eq!(Graph::unpack(&newer), Err(PackError::Version(2)));
    assert_eq!(Graph::unpack(&packed[1..]), Err(PackError::Malformed("it does not begin as one")));
    assert_eq!(Graph::unpack(b"dzgr"), Err(PackError::Malformed("it does not begin as one")));
}

#[test]
fn what_swells_or_wants_much_memory_is_refused() {
    let limit = usize::try_from(MAX_COLUMNS).unwrap();
    assert_eq!(Graph::unpack(&framed(&vec![0; limit + 1])), Err(PackError::TooBig));
    // The head of a frame that wants a window of 2 GiB, and an empty last block.
    let greedy = [&b"dzgr\x01"[..], &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00]].concat();
    assert_eq!(Graph::unpack(&greedy), Err(PackError::Malformed("it can't be decompressed")));
}

#[test]
fn mainnets_graph_comes_back_the_same() {
    let Some(bytes) = super::super::tests::mainnet() else {
        println!("skipped: no mainnet graph beside the repository, or no xz to unpack it");
        return;
    };
    let graph = Graph::decode(&bytes).unwrap();
    let started = Instant::now();
    let packed = graph.pack().unwrap();
    let (length, taken) = (graph.columns().unwrap().len(), started.elapsed());
    println!("{} bytes of an answer, {length} of columns, {} packed in {taken:?}", bytes.len(), packed.len());
    let started = Instant::now();
    assert_eq!(Graph::unpack(&packed).unwrap(), graph);
    println!("unpacked in {:?}", started.elapsed());
}
