//! A network of real LNDs on a private chain, started on loopback and ended with the test.
//!
//! It talks to LND's REST interface and so shares no code with what is tested.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

/// btcd and some LNDs, all on loopback.
pub(crate) struct Network {
    folder: tempfile::TempDir,
    btcd: Option<Child>,
    chain_ports: [u16; 2],
    pub(crate) nodes: Vec<Node>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// One LND.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
    pub(crate) rpc: u16,
    rest: u16,
    peer: u16,
    /// Further flags for its next start.
    pub(crate) flags: Vec<String>,
    child: Option<Child>,
}

impl Node {
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("tls.cert")
    }

    pub(crate) fn macaroon(&self, name: &str) -> PathBuf {
        self.folder.join("data/chain/bitcoin/regtest").join(name)
    }

    /// The URI that an operator would hand over.
    pub(crate) fn lndconnect(&self, macaroon: &str) -> String {
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let pem = std::fs::read_to_string(self.certificate()).unwrap();
        let body: String = pem.lines().filter(|l| !l.starts_with("-----")).collect();
        let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        let macaroon = std::fs::read(self.macaroon(macaroon)).unwrap();
        let (cert, macaroon) = (url_safe.encode(der), url_safe.encode(macaroon));
        format!("lndconnect://127.0.0.1:{}?cert={cert}&macaroon={macaroon}", self.rpc)
    }
}

/// Whether the programs are there; a line that says so where they are not.
pub(crate) fn available() -> bool {
    let found = |name: &str| {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
    };
    let all = found("lnd") && found("btcd");
    if !all {
        println!("skipped: lnd and btcd are not on the PATH");
    }
    all
}

impl Network {
    /// Starts a chain and these nodes; every node is funded and synced when it returns.
    pub(crate) fn start(names: &[&'static str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let http = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let chain_ports = [free_port(), free_port()];
        let nodes = names.iter().map(|name| {
            let folder = folder.path().join(name);
            Node {
                name,
                folder,
                rpc: free_port(),
                rest: free_port(),
                peer: free_port(),
                flags: Vec::new(),
                child: None,
            }
        });
        let nodes = nodes.collect();
        let mut network = Self { folder, btcd: None, chain_ports, nodes, http, runtime };
        network.start_chain(None);
        for n in 0..network.nodes.len() {
            network.start_node(n);
        }
        let miner = network.address(0);
        network.start_chain(Some(&miner));
        network.mine(120);
        for n in 0..network.nodes.len() {
            Self::wait("chain sync", || network.get(n, "/v1/getinfo")["synced_to_chain"] == true);
        }
        for n in 1..network.nodes.len() {
            let to = network.address(n);
            let coins = json!({ "addr": to, "amount": "20000000", "sat_per_vbyte": "2" });
            // The wallet counts a mined coin as its own only some blocks after the chain does.
            Self::wait("coins to send", || {
                network.mine(1);
                network.post(0, "/v1/transactions", &coins)["txid"].is_string()
            });
        }
        network.mine(3);
        for n in 1..network.nodes.len() {
            Self::wait("funds", || network.get(n, "/v1/balance/blockchain")["confirmed_balance"] == "20000000");
        }
        network
    }

    fn start_chain(&mut self, miner: Option<&str>) {
        if let Some(mut old) = self.btcd.take() {
            end(&mut old);
        }
        let data = self.folder.path().join("btcd");
        let mut command = Command::new("btcd");
        command.args(["--regtest", "--configfile=/dev/null", "--rpcuser=u", "--rpcpass=p", "--txindex"]);
        command.arg(format!("--datadir={}", data.display())).arg(format!("--logdir={}", data.display()));
        command.arg(format!("--listen=127.0.0.1:{}", self.chain_ports[0]));
        command.arg(format!("--rpclisten=127.0.0.1:{}", self.chain_ports[1]));
        command.arg(format!("--rpccert={}/rpc.cert", data.display()));
        command.arg(format!("--rpckey={}/rpc.key", data.display()));
        if let Some(address) = miner {
            command.arg(format!("--miningaddr={address}"));
        }
        std::fs::create_dir_all(&data).unwrap();
        self.btcd = Some(quiet(&mut command));
        Self::wait("btcd", || self.chain("getblockcount", &json!([])).is_some());
    }

    /// Starts a node, again after [`Network::stop_node`] too, and waits until it answers.
    pub(crate) fn start_node(&mut self, n: usize) {
        let chain = self.folder.path().join("btcd/rpc.cert");
        let rpc = self.chain_ports[1];
        let node = &mut self.nodes[n];
        let mut command = Command::new("lnd");
        command.args(["--noseedbackup", "--bitcoin.regtest", "--bitcoin.node=btcd", "--btcd.rpcuser=u"]);
        command.args(["--btcd.rpcpass=p", "--nobootstrap", "--debuglevel=error", "--trickledelay=50"]);
        command.arg(format!("--lnddir={}", node.folder.display())).arg(format!("--alias={}", node.name));
        command.arg(format!("--btcd.rpchost=127.0.0.1:{rpc}"));
        command.arg(format!("--btcd.rpccert={}", chain.display()));
        command.arg(format!("--rpclisten=127.0.0.1:{}", node.rpc));
        command.arg(format!("--restlisten=127.0.0.1:{}", node.rest));
        command.arg(format!("--listen=127.0.0.1:{}", node.peer));
        command.args(&node.flags);
        node.child = Some(quiet(&mut command));
        Self::wait("lnd", || {
            let state = self.get(n, "/v1/state")["state"].clone();
            (state == "RPC_ACTIVE" || state == "SERVER_ACTIVE")
                && self.get(n, "/v1/getinfo")["identity_pubkey"].is_string()
        });
    }

    /// Ends a node as an operator would.
    pub(crate) fn stop_node(&mut self, n: usize) {
        if let Some(mut child) = self.nodes[n].child.take() {
            end(&mut child);
        }
    }

    /// Ends a node as a crash does.
    pub(crate) fn kill_node(&mut self, n: usize) {
        if let Some(mut child) = self.nodes[n].child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Holds a node, as a machine that has no time for it, until [`Network::release`].
    pub(crate) fn hold(&self, n: usize) {
        signal(self.nodes[n].child.as_ref(), rustix::process::Signal::STOP);
    }

    pub(crate) fn release(&self, n: usize) {
        signal(self.nodes[n].child.as_ref(), rustix::process::Signal::CONT);
    }

    pub(crate) fn mine(&self, blocks: u32) {
        assert!(self.chain("generate", &json!([blocks])).is_some(), "btcd mines");
    }

    pub(crate) fn pubkey(&self, n: usize) -> String {
        self.get(n, "/v1/getinfo")["identity_pubkey"].as_str().unwrap().to_owned()
    }

    fn address(&self, n: usize) -> String {
        self.get(n, "/v1/newaddress")["address"].as_str().unwrap().to_owned()
    }

    /// Has one node connect to another, whose key it returns.
    pub(crate) fn connect(&self, from: usize, to: usize) -> String {
        let key = self.pubkey(to);
        let host = format!("127.0.0.1:{}", self.nodes[to].peer);
        self.post(from, "/v1/peers", &json!({ "addr": { "pubkey": key, "host": host }, "perm": true }));
        key
    }

    /// Opens a channel and mines until both sides use it.
    pub(crate) fn open(&self, from: usize, to: usize, sat: u64, push: u64) {
        let key = self.connect(from, to);
        let node_pubkey = base64::engine::general_purpose::STANDARD.encode(hex::decode(&key).unwrap());
        let channel = json!({
            "node_pubkey": node_pubkey, "local_funding_amount": sat.to_string(),
            "push_sat": push.to_string(), "sat_per_vbyte": "2",
        });
        Self::wait("a channel", || self.post(from, "/v1/channels", &channel)["output_index"].is_number());
        self.mine(6);
        Self::wait("the channel's use", || {
            let channels = self.get(from, "/v1/channels");
            channels["channels"]
                .as_array()
                .is_some_and(|all| all.iter().any(|c| c["remote_pubkey"] == key.as_str() && c["active"] == true))
        });
    }

    /// Pays an invoice of `to`; retries while the graph is not known yet.
    pub(crate) fn pay(&self, from: usize, to: usize, sat: u64) {
        Self::wait("a payment", || {
            let invoice = self.post(to, "/v1/invoices", &json!({ "value": sat.to_string() }));
            let payment = json!({
                "payment_request": invoice["payment_request"], "timeout_seconds": 20,
                "fee_limit_sat": "1000", "no_inflight_updates": true,
            });
            self.post(from, "/v2/router/send", &payment)["result"]["status"] == "SUCCEEDED"
        });
    }

    pub(crate) fn get(&self, n: usize, path: &str) -> Value {
        let node = &self.nodes[n];
        let request = self.http.get(format!("https://127.0.0.1:{}{path}", node.rest));
        self.answer(Self::with_macaroon(node, request))
    }

    pub(crate) fn post(&self, n: usize, path: &str, body: &Value) -> Value {
        let node = &self.nodes[n];
        let request = self.http.post(format!("https://127.0.0.1:{}{path}", node.rest)).body(body.to_string());
        self.answer(Self::with_macaroon(node, request))
    }

    pub(crate) fn delete(&self, n: usize, path: &str) -> Value {
        let node = &self.nodes[n];
        let request = self.http.delete(format!("https://127.0.0.1:{}{path}", node.rest));
        self.answer(Self::with_macaroon(node, request))
    }

    fn with_macaroon(node: &Node, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match std::fs::read(node.macaroon("admin.macaroon")) {
            Ok(macaroon) => request.header("Grpc-Metadata-macaroon", hex::encode(macaroon)),
            Err(_) => request,
        }
    }

    fn chain(&self, method: &str, params: &Value) -> Option<Value> {
        let body = json!({ "jsonrpc": "1.0", "id": 1, "method": method, "params": params }).to_string();
        let url = format!("https://127.0.0.1:{}", self.chain_ports[1]);
        let answer = self.answer(self.http.post(url).basic_auth("u", Some("p")).body(body));
        answer.get("result").filter(|r| !r.is_null()).cloned()
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = self.runtime.block_on(async { request.send().await?.text().await });
        answer.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null)
    }

    /// Waits up to a minute for something to be so.
    pub(crate) fn wait(what: &str, mut so: impl FnMut() -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !so() {
            assert!(Instant::now() < until, "waited a minute for {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let nodes = self.nodes.iter_mut().filter_map(|n| n.child.take());
        for mut child in nodes.chain(self.btcd.take()) {
            end(&mut child);
        }
    }
}

fn quiet(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn signal(child: Option<&Child>, signal: rustix::process::Signal) {
    let pid = child.and_then(|child| i32::try_from(child.id()).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Asks a program that we started to end, then ends it.
fn end(child: &mut Child) {
    signal(Some(child), rustix::process::Signal::TERM);
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let _ = child.wait();
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where a test keeps daznode's state.
pub(crate) fn state(folder: &Path) -> PathBuf {
    folder.join("state")
}
