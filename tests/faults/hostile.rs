//! Text from the network that means harm: no terminal is told anything by it, whatever the command.

use std::path::Path;

use bytes::Bytes;
use prost::Message as _;
use tonic_lnd::lnrpc;

use crate::commands::COMMANDS;
use crate::fake_lnd::{FakeLnd, Reply};
use crate::harness::{Ended, Sandbox};
use crate::profiles::{enable, message, whole};

/// Clears the screen, sets the title, hides a link, turns the direction, is HTML, a formula, a mention.
const EVIL: &str = "seen\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\u{2066}\u{61c}\0\r\u{7f}\u{85}<script>alert(1)</script>=1+1@everyone\n";

#[track_caller]
fn harmless(what: &str, text: &str) {
    let bad = |c: char| {
        let n = u32::from(c);
        (n < 0x20 && c != '\n')
            || (0x7f..=0x9f).contains(&n)
            || matches!(n, 0x061c | 0x200e | 0x200f | 0x2028 | 0x2029 | 0x202a..=0x202e | 0x2066..=0x2069)
    };
    if let Some(at) = text.find(bad) {
        let around: String = text[at..].chars().take(40).collect();
        panic!("{what} prints {around:?}");
    }
}

#[track_caller]
fn run(sandbox: &Sandbox, args: &[&str]) -> Ended {
    let ended = sandbox.run(args);
    harmless(&format!("{args:?} on stdout"), &ended.stdout);
    harmless(&format!("{args:?} on stderr"), &ended.stderr);
    ended
}

/// A copy of the recording in which everybody has an evil name, and every memo and label is evil.
fn doctored(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    for entry in std::fs::read_dir(whole()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let put = |path: &str, message: Vec<u8>| {
        let name = format!("{}.pb", path.trim_start_matches('/').replace('/', "."));
        let mut file = std::fs::File::create(folder.join(name)).unwrap();
        std::io::Write::write_all(&mut file, &message).unwrap();
    };
    let evil = |n: usize| format!("{n}{EVIL}");

    let mut info: lnrpc::GetInfoResponse = message("/lnrpc.Lightning/GetInfo");
    info.alias = evil(0);
    info.version = evil(1);
    put("/lnrpc.Lightning/GetInfo", info.encode_to_vec());

    let mut channels: lnrpc::ListChannelsResponse = message("/lnrpc.Lightning/ListChannels");
    for (n, channel) in channels.channels.iter_mut().enumerate() {
        channel.peer_alias = evil(n);
        channel.memo = evil(n);
        // Unreachable peers are spoken of.
        channel.active = false;
    }
    put("/lnrpc.Lightning/ListChannels", channels.encode_to_vec());

    let mut graph: lnrpc::ChannelGraph = message("/lnrpc.Lightning/DescribeGraph");
    for (n, node) in graph.nodes.iter_mut().enumerate() {
        node.alias = evil(n);
    }
    put("/lnrpc.Lightning/DescribeGraph", graph.encode_to_vec());

    let mut node: lnrpc::NodeInfo = message("/lnrpc.Lightning/GetNodeInfo");
    if let Some(node) = &mut node.node {
        node.alias = evil(2);
    }
    put("/lnrpc.Lightning/GetNodeInfo", node.encode_to_vec());

    let mut forwards: lnrpc::ForwardingHistoryResponse = message("/lnrpc.Lightning/ForwardingHistory");
    for forward in &mut forwards.forwarding_events {
        forward.peer_alias_in = evil(3);
        forward.peer_alias_out = evil(4);
    }
    put("/lnrpc.Lightning/ForwardingHistory", forwards.encode_to_vec());

    let mut transactions: lnrpc::TransactionDetails = message("/lnrpc.Lightning/GetTransactions");
    for transaction in &mut transactions.transactions {
        transaction.label = evil(5);
    }
    put("/lnrpc.Lightning/GetTransactions", transactions.encode_to_vec());

    let mut invoices: lnrpc::ListInvoiceResponse = message("/lnrpc.Lightning/ListInvoices");
    for invoice in &mut invoices.invoices {
        invoice.memo = evil(6);
    }
    put("/lnrpc.Lightning/ListInvoices", invoices.encode_to_vec());

    let mut peers: lnrpc::ListPeersResponse = message("/lnrpc.Lightning/ListPeers");
    for peer in &mut peers.peers {
        EVIL.clone_into(&mut peer.address);
        for error in &mut peer.errors {
            EVIL.clone_into(&mut error.error);
        }
    }
    put("/lnrpc.Lightning/ListPeers", peers.encode_to_vec());
}

#[test]
fn names_and_memos_harm_no_terminal() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("evil");
    doctored(&folder);
    let mut seen = 0;
    let enable = ["enable", "--recording", folder.to_str().unwrap()];
    let first = [&enable[..], &[&enable[..], &["--json"]].concat(), &["show", EVIL_ARGUMENT]];
    for args in first.into_iter().chain(COMMANDS.iter().copied()) {
        let ended = run(&sandbox, args);
        assert!(matches!(ended.code, Some(0..=3)), "{args:?}: {:?} {}", ended.code, ended.stderr);
        seen += usize::from(ended.stdout.contains("seen") || ended.stderr.contains("seen"));
    }
    assert!(seen >= 16, "only {seen} outputs show the text at all");
    let markdown = run(&sandbox, &["show", "--markdown", "all"]).stdout;
    assert!(!markdown.contains("<script>") && !markdown.contains("@everyone"), "{markdown}");
    // What programs read is the name as it is.
    assert_eq!(run(&sandbox, &["status", "--json"]).json()["profiles"][0]["node_alias"], format!("0{EVIL}").trim_end());
    // The file of the report may be looked at with `cat`.
    for file in crate::audit::walk(&sandbox.state().join("reports")) {
        harmless("the report's file", &std::fs::read_to_string(file).unwrap());
    }
}

/// What a shell may pass on.
const EVIL_ARGUMENT: &str = "seen\u{1b}[2J\u{9b}31m\u{202e}";

#[test]
fn words_of_a_node_that_refuses_harm_no_terminal() {
    for path in ["/lnrpc.Lightning/GetInfo", "/lnrpc.Lightning/ListChannels", "/lnrpc.Lightning/ListPeers"] {
        let node = FakeLnd::builder()
            .recording(&whole())
            .answer(move |asked| (asked.path == path).then(|| Reply::Refuse(2, format!("refused: {EVIL}"))))
            .start();
        let sandbox = Sandbox::new();
        enable(&sandbox, "alice", &node);
        let made = run(&sandbox, &["-v", "generate", "--all", "--retries", "0"]);
        assert!(matches!(made.code, Some(1 | 3)), "{path}: {:?}", made.code);
        let mut all = format!("{}{}", made.stdout, made.stderr);
        for args in COMMANDS {
            let ended = run(&sandbox, args);
            all.push_str(&ended.stdout);
            all.push_str(&ended.stderr);
        }
        assert!(all.contains("seen"), "{path}: nobody is told what the node said: {all}");
    }
}

#[test]
fn an_error_page_instead_of_a_node_harms_no_terminal() {
    let node = FakeLnd::answering(|_| Reply::Garbage(Bytes::from_static(EVIL.as_bytes())));
    let sandbox = Sandbox::new();
    enable(&sandbox, "alice", &node);
    run(&sandbox, &["generate", "--all", "--retries", "0"]).ends(1);
    run(&sandbox, &["health-check", "--json"]).ends(1);
}
