//! Parts that a node may do without: when they are there, when they are not measured, and when they are missing.

use std::sync::Arc;

use super::faults::{Doctored, refused};
use super::*;
use crate::snapshot::{Backup, Commitments, Towers};

/// As long as a backup of one channel at least.
fn file() -> BackupFile {
    BackupFile::Read { content: vec![7; 300].into(), modified_at: Some(UnixMs(5)) }
}

fn extras(backup: BackupFile) -> Extras {
    Extras { backup, not_permitted: Vec::new() }
}

/// Bob later, with another answer to one method.
fn answering(method: &'static Method, answer: impl Fn() -> Result<Bytes, Error> + Sync + 'static) -> Doctored {
    Doctored::new("bob-later", move |asked, recorded| if asked == method { answer() } else { recorded })
}

fn seen<A: Answers>(node: &A, backup: BackupFile) -> Observation {
    with(node, &Resume::default(), extras(backup)).0.unwrap()
}

fn reasons<'a>(seen: &'a Observation, part: &str) -> Vec<&'a str> {
    seen.not_measured.iter().filter(|(of, _)| of == part).map(|(_, reason)| reason.as_str()).collect()
}

fn not_offered(method: &'static Method, reason: &str) -> Error {
    Error::NotOffered { address: "localhost:10009".into(), call: method.name().into(), reason: reason.into() }
}

#[test]
fn the_recorded_backup_covers_bobs_seven_channels() {
    let (seen, _) = observe("bob-later", &Resume::default());
    let Backup { modified_at, covered } = seen.node.backup.unwrap();
    let mut open: Vec<_> = seen.node.channels.unwrap().into_iter().map(|channel| channel.point).collect();
    open.sort();
    assert_eq!((modified_at, covered.len()), (None, 7));
    assert_eq!(covered, open);
}

#[test]
fn a_recording_from_before_has_neither_and_no_gap_for_it() {
    let (seen, _) = observe("bob", &Resume::default());
    assert_eq!((&seen.node.backup, &seen.node.towers), (&None, &None));
    assert_eq!(seen.gaps.len(), 1, "the one that it has always had: {:?}", seen.gaps);
    assert!(reasons(&seen, "backup")[0].starts_with("no channel.backup is named"), "{:?}", seen.not_measured);
    assert_eq!(reasons(&seen, "towers"), ["not in this recording"], "once for both questions");
}

/// Keeps what is asked about a backup.
struct Asked(Doctored, Arc<Mutex<Vec<Bytes>>>);

impl Answers for Asked {
    async fn ask(&self, method: &'static Method, request: Bytes) -> Result<Bytes, Error> {
        if method == &answers::VERIFY_CHAN_BACKUP {
            self.1.lock().unwrap().push(request.clone());
        }
        self.0.ask(method, request).await
    }
    fn address(&self) -> &str {
        self.0.address()
    }
}

#[test]
fn the_file_is_the_question_and_the_time_of_the_answer() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let node = Asked(Doctored::new("bob-later", |_, answer| answer), Arc::clone(&asked));
    assert_eq!(seen(&node, file()).node.backup.unwrap().modified_at, Some(UnixMs(5)));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    let question = lnrpc::ChanBackupSnapshot::decode(asked[0].clone()).unwrap();
    assert_eq!(question.single_chan_backups, None);
    assert_eq!(question.multi_chan_backup.unwrap().multi_chan_backup, vec![7; 300]);
}

#[test]
fn an_lnd_that_does_not_say_what_is_in_a_backup_is_told_from_an_empty_backup() {
    let silent = || answering(&answers::VERIFY_CHAN_BACKUP, || Ok(Bytes::new()));
    let old = seen(&silent(), file());
    assert_eq!((old.node.backup.as_ref(), old.gaps.as_slice()), (None, &[][..]));
    assert_eq!(reasons(&old, "backup"), ["this LND is too old to say which channels a backup holds"]);
    let empty = BackupFile::Read { content: vec![7; 45].into(), modified_at: None };
    let empty = seen(&silent(), empty);
    assert_eq!(empty.node.backup, Some(Backup { modified_at: None, covered: Vec::new() }));
}

#[test]
fn a_backup_that_can_not_be_decoded_or_read_is_a_gap() {
    let words = "invalid multi channel backup: chacha20poly1305: message authentication failed";
    let damaged = answering(&answers::VERIFY_CHAN_BACKUP, move || Err(refused(&answers::VERIFY_CHAN_BACKUP, words)));
    let damaged = seen(&damaged, file());
    assert_eq!(damaged.node.backup, None);
    assert_eq!((damaged.gaps.len(), damaged.gaps[0].part.as_str()), (1, "backup"));
    assert_eq!(damaged.gaps[0].reason, format!("VerifyChanBackup: {words}"));
    let unread = BackupFile::Unreadable("/x/channel.backup: there is no such file".to_owned());
    let unread = seen(&Doctored::new("bob-later", |_, answer| answer), unread);
    assert_eq!(unread.node.backup, None);
    assert_eq!(unread.gaps[0].reason, "/x/channel.backup: there is no such file");
}

#[test]
fn an_impossible_outpoint_is_left_out_and_told() {
    let answer =
        lnrpc::VerifyChanBackupResponse { chan_points: vec!["x:0".to_owned(), format!("{}:1", "a".repeat(64))] };
    let odd = answering(&answers::VERIFY_CHAN_BACKUP, move || Ok(answer.encode_to_vec().into()));
    let odd = seen(&odd, file());
    assert_eq!(odd.node.backup.unwrap().covered.len(), 1);
    assert!(odd.gaps[0].reason.starts_with("1 of 2 rows left out"), "{:?}", odd.gaps);
}

#[test]
fn a_watchtower_client_that_is_not_there_is_not_measured_and_one_that_fails_is_a_gap() {
    for words in ["watchtower client not active", "this LND is older than the call, or was built without it"] {
        let node = Doctored::new("bob-later", move |method, answer| match method.path {
            "/wtclientrpc.WatchtowerClient/Stats" | "/wtclientrpc.WatchtowerClient/ListTowers" => {
                Err(not_offered(method, words))
            }
            _ => answer,
        });
        let seen = seen(&node, file());
        assert_eq!((&seen.node.towers, seen.gaps.len()), (&None, 0));
        assert_eq!(reasons(&seen, "towers"), [words]);
        assert_eq!(seen.seen.status, SourceStatus::Ok);
    }
    // One answer without the other would show no towers where there may be some.
    let half = Doctored::new("bob-later", |method, answer| match method.path {
        "/wtclientrpc.WatchtowerClient/Stats" => Ok(Bytes::new()),
        "/wtclientrpc.WatchtowerClient/ListTowers" => Err(refused(method, "database closed")),
        _ => answer,
    });
    let half = seen(&half, file());
    assert_eq!(half.node.towers, None);
    assert_eq!((half.gaps[0].part.as_str(), half.gaps[0].reason.as_str()), ("towers", "ListTowers: database closed"));
}

#[test]
fn a_watchtower_client_without_towers_is_there() {
    let node = Doctored::new("bob-later", |method, answer| match method.path {
        "/wtclientrpc.WatchtowerClient/Stats" | "/wtclientrpc.WatchtowerClient/ListTowers" => Ok(Bytes::new()),
        _ => answer,
    });
    let seen = seen(&node, file());
    assert_eq!(seen.node.towers, Some(Towers::default()));
    assert_eq!(reasons(&seen, "towers"), Vec::<&str>::new());
}

#[test]
fn what_the_macaroon_does_not_permit_is_not_asked() {
    let extras = [&answers::VERIFY_CHAN_BACKUP, &answers::TOWER_STATS, &answers::LIST_TOWERS, &answers::ESTIMATE_FEE];
    let node = Doctored::new("bob-later", move |method, answer| {
        assert!(!extras.contains(&method), "{method:?} is asked");
        answer
    });
    let given = Extras { backup: file(), not_permitted: extras.to_vec() };
    let seen = with(&node, &Resume::default(), given).0.unwrap();
    assert_eq!(seen.gaps, []);
    assert_eq!(
        reasons(&seen, "backup"),
        ["the macaroon does not permit VerifyChanBackup: bake one with uri:/lnrpc.Lightning/VerifyChanBackup, or use \
          readonly.macaroon"]
    );
    assert_eq!((reasons(&seen, "towers").len(), reasons(&seen, "lnd.fees").len()), (2, 1));
    assert_eq!(seen.node.hour_fee, None);
}

#[test]
fn the_fee_of_an_hour_is_that_of_six_blocks_and_an_impossible_one_is_a_gap() {
    for (answer, fee, gaps) in [(vec![0x08, 0xfd, 0x01], Some(1012), 0), (vec![0x08, 0x00], None, 1)] {
        let node = Doctored::new("bob-later", move |method, recorded| match method.path {
            "/walletrpc.WalletKit/EstimateFee" => Ok(Bytes::from(answer.clone())),
            _ => recorded,
        });
        let seen = seen(&node, file());
        assert_eq!((seen.node.hour_fee, seen.gaps.len()), (fee, gaps), "{:?}", seen.gaps);
        assert!(seen.gaps.iter().all(|gap| gap.part == "lnd.fees"));
    }
}

#[test]
fn a_channel_that_waits_for_its_close_has_the_transactions_that_would_force_it() {
    use lnrpc::pending_channels_response as pending;
    let id = |n: u8| hex::encode([n; 32]);
    let row = |commitments| pending::WaitingCloseChannel {
        channel: Some(pending::PendingChannel {
            remote_node_pub: format!("02{}", id(9)),
            channel_point: format!("{}:0", id(1)),
            ..Default::default()
        }),
        commitments,
        ..Default::default()
    };
    let both = |ours: String, next: String| pending::Commitments {
        local_txid: ours,
        remote_txid: id(3),
        remote_pending_txid: next,
        ..Default::default()
    };
    let answer = lnrpc::PendingChannelsResponse {
        waiting_close_channels: vec![
            row(Some(both(id(2), String::new()))),
            row(Some(both(id(2), id(4)))),
            row(Some(both(String::new(), String::new()))),
            row(None),
            row(Some(both("zz".to_owned(), String::new()))),
        ],
        ..Default::default()
    };
    let node = answering(&answers::PENDING_CHANNELS, move || Ok(answer.encode_to_vec().into()));
    let seen = seen(&node, file());
    let waiting: Vec<_> = seen.node.pending.unwrap().waiting_close.into_iter().map(|row| row.commitments).collect();
    let known = |theirs_next| Some(Commitments { ours: id(2), theirs: id(3), theirs_next });
    assert_eq!(waiting, [known(None), known(Some(id(4))), None, None]);
    assert!(seen.gaps[0].reason.starts_with("1 of 6 rows left out"), "{:?}", seen.gaps);
}
