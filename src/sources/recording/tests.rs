use std::os::unix::fs::symlink;

use proptest::prelude::*;
use tonic_lnd::lnrpc;

use super::*;
use crate::sources::reader::tests::{block_on, fixture};

fn copy(name: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture(name)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), home.path().join(entry.file_name())).unwrap();
    }
    home
}

fn ask(folder: &Folder, method: &'static Method, request: &impl Message) -> Result<Bytes, Error> {
    block_on(folder.ask(method, request.encode_to_vec().into()))
}

fn put(folder: &Path, name: &str, content: &[u8]) {
    use std::io::Write;
    fs::File::create(folder.join(name)).unwrap().write_all(content).unwrap();
}

#[test]
fn meta_tells_when_and_where() {
    let bob = Folder::open(&fixture("bob")).unwrap();
    assert_eq!((bob.name(), bob.network(), bob.taken_at()), ("bob", Network::Regtest, UnixMs(1_795_254_198_000)));
}

#[test]
fn what_is_no_recording_says_what_to_give() {
    let home = tempfile::tempdir().unwrap();
    let words = |folder: &Path| Folder::open(folder).unwrap_err().to_string();
    assert!(words(&home.path().join("none")).ends_with("no such folder"));
    assert!(words(home.path()).contains("give the folder that `daznode record` wrote"));
    put(home.path(), "meta.json", b"{\"network\":\"moon\",\"recorded_at_unix_s\":1}");
    assert!(words(home.path()).contains("meta.json: unknown variant `moon`"), "{}", words(home.path()));
    put(home.path(), "meta.json", &vec![b' '; 70_000]);
    assert!(words(home.path()).contains("too large"));
    put(home.path(), "meta.json", b"{\"network\":\"mainnet\",\"recorded_at_unix_s\":1}");
    let source = RecordingSource::open(home.path()).unwrap();
    let error = block_on(source.identify()).unwrap_err();
    assert!(error.to_string().ends_with("has no GetInfo: it is not complete"), "{error}");
    assert!(!error.is_transient());
}

#[test]
fn a_recording_of_another_node_is_refused() {
    let dave = RecordingSource::open(&fixture("dave")).unwrap();
    let bob = block_on(RecordingSource::open(&fixture("bob")).unwrap().identify()).unwrap();
    let error = block_on(dave.expecting(bob.pubkey, bob.network).identify()).unwrap_err();
    assert!(matches!(&error, Error::OtherNode { expected, .. } if expected.starts_with("03351c90")), "{error}");
}

#[test]
fn links_and_folders_in_the_place_of_answers_are_not_followed() {
    let home = copy("bob");
    let stolen = home.path().join("lnrpc.Lightning.GetInfo.pb");
    fs::remove_file(&stolen).unwrap();
    symlink("/etc/hostname", &stolen).unwrap();
    let folder = Folder::open(home.path()).unwrap();
    let error = ask(&folder, &answers::GET_INFO, &lnrpc::GetInfoRequest {}).unwrap_err();
    assert!(error.to_string().ends_with("not a regular file"), "{error}");
}

#[test]
fn an_answer_beyond_its_limit_is_refused() {
    let home = copy("bob");
    put(home.path(), "lnrpc.Lightning.GetNetworkInfo.pb", &vec![0; 2 << 20]);
    let folder = Folder::open(home.path()).unwrap();
    let error = ask(&folder, &answers::GET_NETWORK_INFO, &lnrpc::NetworkInfoRequest {}).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1_048_576, .. }), "{error}");
}

fn forwards(folder: &Folder, request: &ForwardingHistoryRequest) -> Vec<u64> {
    let answer = ask(folder, &answers::FORWARDING_HISTORY, request).unwrap();
    let events = lnrpc::ForwardingHistoryResponse::decode(answer).unwrap().forwarding_events;
    events.into_iter().map(|event| event.timestamp_ns).collect()
}

#[test]
fn forwards_come_in_pages_as_from_lnd() {
    let folder = Folder::open(&fixture("bob")).unwrap();
    let all = ForwardingHistoryRequest { num_max_events: 1_000, ..Default::default() };
    let whole = forwards(&folder, &all);
    assert_eq!(whole.len(), 202);
    // Without a number, LND sends a hundred.
    assert_eq!(forwards(&folder, &ForwardingHistoryRequest::default()), whole[..100]);
    let rest = ForwardingHistoryRequest { index_offset: 150, num_max_events: 40, ..Default::default() };
    assert_eq!(forwards(&folder, &rest), whole[150..190]);
    // The first forward is at 1795253438.473, the third at 1795253439.316.
    let later = ForwardingHistoryRequest { start_time: 1_795_253_439, index_offset: 1, ..all.clone() };
    assert_eq!(forwards(&folder, &later), whole[3..]);
    // The end is the very beginning of its second: what happens within it is left out.
    let until = ForwardingHistoryRequest { end_time: 1_795_253_439, ..all };
    assert_eq!(forwards(&folder, &until), whole[..2]);
}

#[test]
fn transactions_without_a_block_belong_to_every_range() {
    let folder = Folder::open(&fixture("bob")).unwrap();
    let request = GetTransactionsRequest { start_height: 440, end_height: -1, ..Default::default() };
    let answer = ask(&folder, &answers::GET_TRANSACTIONS, &request).unwrap();
    let heights: Vec<_> =
        lnrpc::TransactionDetails::decode(answer).unwrap().transactions.iter().map(|tx| tx.block_height).collect();
    assert_eq!(heights, [0, 0, 441]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_file_is_an_error_or_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let home = copy("bob");
        put(home.path(), "lnrpc.Lightning.ListPayments.pb", &bytes);
        let folder = Folder::open(home.path()).unwrap();
        let request = ListPaymentsRequest { max_payments: 10, ..Default::default() };
        if let Err(error) = ask(&folder, &answers::LIST_PAYMENTS, &request) {
            let expected = matches!(error, Error::Answer { .. });
            prop_assert!(expected, "{}", error);
        }
    }
}
