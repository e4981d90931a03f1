//! What LND's streams tell, and the graph that is kept on disk.

use daznode::sources::lnd::follow::Decoder;
use daznode::sources::reader::Graph;
use daznode::sources::streams::{Seen, Stream};
use daznode::units::{Pubkey, UnixMs};

use super::fixtures;

const NOW: UnixMs = UnixMs(1_795_240_800_000);

/// Whose node the recordings are of.
fn own() -> Pubkey {
    "03351c9081f2af83d51d15d3460c904bac3e0814d3c91e6afb94ac43845cacd716".parse().unwrap()
}

/// Each recorded message, behind a byte that says of which stream it is.
pub(crate) fn messages() -> Vec<Vec<u8>> {
    let files = [
        (0, "routerrpc.Router.SubscribeHtlcEvents"),
        (1, "lnrpc.Lightning.SubscribeChannelEvents"),
        (3, "lnrpc.Lightning.SubscribeChannelGraph"),
    ];
    // Of the peers' stream there is no recording: one that is online, by its key alone.
    let mut all = vec![[&[2, 10, 66], own().as_str().as_bytes()].concat()];
    for (which, name) in files {
        let bytes = std::fs::read(fixtures("lnd/bob").join(format!("{name}.stream.pb"))).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (message, after) = after.split_at(usize::try_from(u32::from_be_bytes(*length)).unwrap());
            all.push([&[which], message].concat());
            rest = after;
        }
    }
    all
}

/// One message, twice: what is remembered of the first is there at the second. What can't be read is said to be unknown.
pub(crate) fn message(input: &[u8]) -> bool {
    let Some((which, message)) = input.split_first() else { return false };
    let stream = Stream::ALL[usize::from(*which) % Stream::ALL.len()];
    let (mut decoder, mut told) = (Decoder::new(stream, &own()), Vec::new());
    decoder.read(message, NOW, &mut told);
    decoder.read(message, NOW.plus(1), &mut told);
    for seen in &told {
        if let Seen::Unknown { bytes, .. } = seen {
            assert!(bytes.len() <= 1024, "{} bytes of an unknown message are kept", bytes.len());
        }
    }
    !told.iter().any(|seen| matches!(seen, Seen::Unknown { .. }))
}

fn recorded() -> Graph {
    let answer = std::fs::read(fixtures("lnd/bob-later/lnrpc.Lightning.DescribeGraph.pb")).unwrap();
    Graph::decode(&answer).unwrap()
}

/// What a kept graph begins with, before its frame.
const HEAD: usize = 5;

/// The kept graph as it is, and the columns inside, which are packed again: few changes of what is packed can be unpacked.
pub(crate) fn graphs() -> Vec<Vec<u8>> {
    let packed = recorded().pack().unwrap();
    let columns = zstd::decode_all(&packed[HEAD..]).unwrap();
    vec![[&[0][..], &packed].concat(), [&[1][..], &columns].concat()]
}

pub(crate) fn graph(input: &[u8]) -> bool {
    let packed = match input.split_first() {
        Some((0, packed)) => packed.to_vec(),
        Some((_, columns)) => [b"dzgr\x01", zstd::bulk::compress(columns, 1).unwrap().as_slice()].concat(),
        None => return false,
    };
    let Ok(read) = Graph::unpack(&packed) else { return false };
    assert_eq!(Graph::unpack(&read.pack().unwrap()).expect("what was packed is unpacked"), read);
    let (own, capacity) = (own(), read.capacity());
    assert!(capacity.get() >= 0, "{capacity:?}");
    let _ = (read.rate_percentile(50), read.market(&own, std::slice::from_ref(&own)));
    true
}
