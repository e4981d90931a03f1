use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use prost::Message;
use serde_json::Value;
use tonic_lnd::lnrpc;

use super::*;
use crate::sources::NodeSource;
use crate::sources::backup::BackupFile;
use crate::sources::reader::tests::{Taken, block_on, fixture, take};
use crate::sources::reader::towers;
use crate::sources::recording::{Folder, RecordingSource};
use crate::units::{Msat, Sat};

const NOW: UnixMs = UnixMs::from_secs(1_795_256_959);

fn recorded(name: &str, redact: bool) -> (tempfile::TempDir, PathBuf, Recorded) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("out");
    let from = Folder::open(&fixture(name)).unwrap();
    let done = block_on(record(&from, extras(&from), &folder, NOW, redact)).unwrap();
    (home, folder, done)
}

/// As the recording itself would be read.
fn extras(from: &Folder) -> Extras {
    Extras { backup: from.backup(), not_permitted: Vec::new() }
}

fn observed(folder: &Path) -> (Observation, Taken) {
    block_on(async {
        let source = RecordingSource::open(folder).unwrap();
        let (sender, receiver) = mpsc::channel(2);
        let (seen, taken) = take(source.observe(&Resume::default(), sender), receiver).await;
        (seen.unwrap(), taken)
    })
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let read = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(read).collect()
}

#[test]
fn a_recording_says_what_the_node_said() {
    let (_home, folder, done) = recorded("bob-later", false);
    // There is neither a watchtower client nor an estimate of fees in it: three answers that are not there, and no gap.
    assert_eq!((done.answers, done.gaps.len()), (METHODS.len() - 3, 0));
    let ((mut was, was_taken), (mut is, is_taken)) = (observed(&fixture("bob-later")), observed(&folder));
    assert_eq!(is_taken, was_taken);
    was.seen.address.clear();
    is.seen.address.clear();
    assert_eq!((is.node, is.gaps, is.seen, is.taken_at), (was.node, was.gaps, was.seen, NOW));
}

#[test]
fn what_the_node_did_not_answer_stays_a_gap() {
    let (_home, folder, done) = recorded("bob", false);
    // Unspent outputs; the watchtower client, the backup and the estimate of fees are no gaps.
    assert_eq!((done.answers, done.gaps.len()), (METHODS.len() - 5, 1));
    assert_eq!(observed(&folder).0.gaps.len(), 1);
}

/// A recorded node with a watchtower client and an estimate of fees.
struct WithTowers(Folder);

impl Answers for WithTowers {
    async fn ask(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        let tower = || towers::Row { pubkey: [vec![2], vec![0xd7; 32]].concat(), sessions: 4, ..Default::default() };
        Ok(match method.path {
            "/wtclientrpc.WatchtowerClient/Stats" => {
                towers::Stats { backups: 9, pending_backups: 3, ..Default::default() }.encode_to_vec().into()
            }
            "/wtclientrpc.WatchtowerClient/ListTowers" => {
                // With an address, as LND has it in field 2.
                let row = [tower().encode_to_vec(), b"\x12\x0ftower.test:9911".to_vec()].concat();
                [vec![0x0a, u8::try_from(row.len()).unwrap()], row].concat().into()
            }
            "/walletrpc.WalletKit/EstimateFee" => vec![0x08, 0xfd, 0x01].into(),
            _ => self.0.ask(method, request).await?,
        })
    }

    fn address(&self) -> &str {
        self.0.address()
    }
}

#[test]
fn a_redacted_recording_has_the_backups_channels_and_the_towers_under_their_stand_ins_and_nothing_of_the_file() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let content = b"canary-of-the-backup-file-that-is-long-enough-for-a-channel".as_slice();
    let written = Some(UnixMs(1_795_254_198_250));
    let backup = BackupFile::Read { content: content.into(), modified_at: written };
    let node = WithTowers(Folder::open(&fixture("bob-later")).unwrap());
    let done = block_on(record(&node, Extras { backup, not_permitted: Vec::new() }, &out, NOW, true)).unwrap();
    assert_eq!((done.answers, done.gaps), (METHODS.len(), Vec::new()));
    for (file, bytes) in contents(&out) {
        assert!(!holds(&bytes, b"canary") && !holds(&bytes, b"tower.test") && !holds(&bytes, &[0xd7; 32]), "{file}");
    }
    let (seen, _) = observed(&out);
    let backup = seen.node.backup.unwrap();
    let open: BTreeSet<_> = seen.node.channels.unwrap().into_iter().map(|channel| channel.point).collect();
    assert_eq!((backup.modified_at, backup.covered.iter().cloned().collect::<BTreeSet<_>>()), (written, open));
    assert_eq!(seen.node.hour_fee, Some(1012), "253 sat/kw");
    let told = seen.node.towers.unwrap();
    assert_eq!((told.backups, told.pending_backups, told.towers.len(), told.towers[0].sessions), (9, 3, 1, 4));
    assert!(seen.not_measured.is_empty(), "{:?}", seen.not_measured);
}

#[test]
fn a_redacted_recording_has_the_same_counts_and_sums() {
    let (_home, folder, _) = recorded("bob-later", true);
    let ((was, was_taken), (is, is_taken)) = (observed(&fixture("bob-later")), observed(&folder));
    assert_eq!(is.gaps, []);
    assert_eq!(is.node.info.alias, "node 1");
    assert_eq!(is.taken_at, NOW);
    let fees: Msat = is_taken.forwards.iter().map(crate::snapshot::Forward::fee).sum();
    assert_eq!((is_taken.forwards.len(), fees), (251, Msat::new(12_630_855)));
    assert_eq!(is_taken.payments.len(), was_taken.payments.len());
    let own = Some(is.node.info.pubkey.clone());
    let home = is_taken.payments.iter().filter(|p| !p.keysend && p.parts.iter().any(|part| part.destination == own));
    assert_eq!(home.map(|payment| payment.fee).sum::<Msat>(), Msat::new(18_690));
    let keysends = |taken: &Taken| taken.payments.iter().filter(|payment| payment.keysend).count();
    assert_eq!(keysends(&is_taken), keysends(&was_taken));
    // Ids are still joined: the sweep that closed the case is still found, and cost the same.
    let closed = is.node.closed.unwrap();
    let claimed = closed.iter().flat_map(|channel| &channel.resolutions).next().unwrap();
    let sweep = is_taken.transactions.iter().find(|tx| Some(&tx.txid) == claimed.sweep_txid.as_ref()).unwrap();
    assert_eq!(claimed.amount - sweep.own_outputs, Sat::new(135));
    let (was_open, is_open) = (was.node.channels.unwrap(), is.node.channels.unwrap());
    let balances =
        |open: &[crate::snapshot::Channel]| open.iter().map(|c| (c.capacity, c.local, c.remote)).collect::<Vec<_>>();
    assert_eq!(balances(&was_open), balances(&is_open));
    let policies = is.node.policies.unwrap();
    let known = policies.iter().filter(|policy| is_open.iter().any(|channel| channel.point == policy.point));
    assert_eq!(known.count(), was.node.policies.unwrap().len());
    let (was_market, is_market) = (was.node.market.unwrap(), is.node.market.unwrap());
    assert_eq!((is_market.own_capacity, is_market.peers.len()), (was_market.own_capacity, was_market.peers.len()));
    let labels = is_taken.transactions.iter().filter(|tx| tx.label.starts_with("0:openchannel:shortchanid-")).count();
    assert_eq!(labels, 4);
}

fn has_ending(file: &str, wanted: &str) -> bool {
    Path::new(file).extension().is_some_and(|ending| ending == wanted)
}

/// Every name, id, hash, address and secret in the readable answers of a recording, in each form in which it could come
/// back.
fn canaries(name: &str) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    for (file, text) in contents(&fixture(name)) {
        if has_ending(&file, "json") && file != "meta.json" {
            collect("", &serde_json::from_slice(&text).unwrap(), &mut found);
        }
    }
    found
}

fn collect(name: &str, value: &Value, found: &mut BTreeSet<Vec<u8>>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect(name, one, found)),
        Value::Object(all) => all.iter().for_each(|(name, one)| collect(name, one, found)),
        Value::String(text) => text_canaries(name, text, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn text_canaries(name: &str, text: &str, found: &mut BTreeSet<Vec<u8>>) {
    use base64::Engine;
    let is_hex =
        text.len() >= 64 && text.split(':').next().is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_hex {
        let digits = text.split(':').next().unwrap();
        let raw = hex::decode(digits).unwrap();
        found.insert(digits.as_bytes().to_vec());
        found.insert(raw.iter().rev().copied().collect());
        found.insert(raw);
    } else if name.contains("alias") || name == "address" || text.starts_with("bcrt1") || text.starts_with("lnbcrt") {
        found.insert(text.as_bytes().to_vec());
    } else if text.len() == 44
        && let Ok(raw) = base64::engine::general_purpose::STANDARD.decode(text)
    {
        found.insert(hex::encode(&raw).into_bytes());
        found.insert(raw);
    } else if (name.contains("chan_id") || name == "channel_id" || name == "forwarding_channel") && text.len() > 12 {
        found.insert(text.as_bytes().to_vec());
        let edge = lnrpc::ChannelEdge { channel_id: text.parse().unwrap(), ..Default::default() };
        // Without the field's number: the id as any field would hold it.
        found.insert(edge.encode_to_vec()[1..].to_vec());
    }
}

fn holds(bytes: &[u8], canary: &[u8]) -> bool {
    bytes.windows(canary.len()).any(|window| window == canary)
}

#[test]
fn nothing_in_a_redacted_recording_names_anyone() {
    for name in ["bob", "bob-later", "dave"] {
        let canaries = canaries(name);
        assert!(canaries.len() > 150, "{}", canaries.len());
        let whole: Vec<_> = contents(&fixture(name)).into_iter().filter(|(file, _)| has_ending(file, "pb")).collect();
        let there = canaries.iter().filter(|canary| whole.iter().any(|(_, bytes)| holds(bytes, canary))).count();
        assert!(there > canaries.len() / 3, "the canaries are in the original: {there} of {}", canaries.len());
        let (_home, folder, _) = recorded(name, true);
        for (file, bytes) in contents(&folder) {
            for canary in &canaries {
                assert!(!holds(&bytes, canary), "{file} holds {}", String::from_utf8_lossy(canary));
            }
        }
    }
}

#[test]
fn no_recording_holds_a_preimage_an_invoice_or_a_macaroon() {
    for name in ["bob", "bob-later", "dave"] {
        let mut secrets = BTreeSet::new();
        let read = |stem: &str| fs::read(fixture(name).join(format!("lnrpc.Lightning.{stem}.pb"))).unwrap();
        for payment in lnrpc::ListPaymentsResponse::decode(read("ListPayments").as_slice()).unwrap().payments {
            secrets.insert(hex::decode(&payment.payment_preimage).unwrap());
            secrets.insert(payment.payment_preimage.into_bytes());
            secrets.insert(payment.payment_request.into_bytes());
            secrets.extend(payment.htlcs.into_iter().map(|htlc| htlc.preimage));
        }
        for invoice in lnrpc::ListInvoiceResponse::decode(read("ListInvoices").as_slice()).unwrap().invoices {
            secrets.extend([invoice.r_preimage, invoice.payment_request.into_bytes(), invoice.payment_addr]);
        }
        // A failed payment has a preimage of zeros.
        secrets.retain(|secret| secret.iter().any(|&byte| byte != 0 && byte != b'0'));
        assert!(secrets.len() > 8);
        let (_home, folder, _) = recorded(name, false);
        for (file, bytes) in contents(&folder) {
            assert!(file == "meta.json" || has_ending(&file, "pb"));
            assert!(secrets.iter().all(|secret| !holds(&bytes, secret)), "{file} of {name}");
        }
    }
}

#[test]
fn only_the_owner_can_read_a_recording() {
    let (_home, folder, _) = recorded("bob", false);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let beside: Vec<_> = fs::read_dir(folder.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 1, "nothing is left beside it");
}

#[test]
fn a_folder_in_use_is_refused_and_an_empty_one_is_not() {
    let home = tempfile::tempdir().unwrap();
    let from = Folder::open(&fixture("bob")).unwrap();
    let folder = home.path().join("mine");
    fs::create_dir(&folder).unwrap();
    block_on(record(&from, extras(&from), &folder, NOW, false)).unwrap();
    let before = contents(&folder).len();
    let error = block_on(record(&from, extras(&from), &folder, NOW, false)).unwrap_err();
    assert!(error.to_string().ends_with("mine is not empty: name a new folder"), "{error}");
    assert_eq!(contents(&folder).len(), before);
    // What a killed run left beside is no obstacle, and nothing of it stays.
    let partial = home.path().join(".other.partial");
    fs::create_dir(&partial).unwrap();
    File::create(partial.join("half")).unwrap();
    block_on(record(&from, extras(&from), &home.path().join("other"), NOW, false)).unwrap();
    assert!(!partial.exists() && !home.path().join("other/half").exists());
}

#[test]
fn a_node_that_can_not_be_read_leaves_no_folder() {
    let home = tempfile::tempdir().unwrap();
    let from = home.path().join("empty");
    fs::create_dir(&from).unwrap();
    File::create(from.join("meta.json"))
        .unwrap()
        .write_all(br#"{"network":"regtest","recorded_at_unix_s":1}"#)
        .unwrap();
    let out = home.path().join("out");
    block_on(record(&Folder::open(&from).unwrap(), Extras::default(), &out, NOW, true)).unwrap_err();
    assert!(!out.exists());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}
