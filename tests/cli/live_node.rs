//! A node that answers over TLS, as LND does: enabled in every way there is, read, looked at, recorded.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::fake_lnd::FakeLnd;
use crate::harness::{Ended, Sandbox, recording};

fn macaroon() -> Vec<u8> {
    std::fs::read(recording("bob-later").join("readonly.macaroon")).unwrap()
}

fn lnd() -> FakeLnd {
    FakeLnd::builder().recording(&recording("bob-later")).macaroon(&macaroon()).start()
}

/// The certificate's and the macaroon's file.
fn files(sandbox: &Sandbox, lnd: &FakeLnd) -> [PathBuf; 2] {
    [sandbox.put("tls.cert", lnd.certificate().as_bytes(), 0o600), sandbox.put("readonly.macaroon", &macaroon(), 0o600)]
}

fn uri(lnd: &FakeLnd) -> String {
    let der: String = lnd.certificate().lines().filter(|l| !l.starts_with('-')).collect();
    let cert = der.replace('+', "-").replace('/', "_").replace('=', "");
    format!("lndconnect://{}?cert={cert}&macaroon={}", lnd.address(), URL_SAFE_NO_PAD.encode(macaroon()))
}

fn enable_by_files(sandbox: &Sandbox, lnd: &FakeLnd) -> Ended {
    let [cert, macaroon] = files(sandbox, lnd).map(|p| p.to_str().unwrap().to_owned());
    sandbox.run(["enable", "--address", &lnd.address(), "--cert", &cert, "--macaroon", &macaroon])
}

#[test]
fn by_address_and_files() {
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    let enabled = enable_by_files(&sandbox, &lnd);
    assert!(enabled.ends(0).stderr.contains("Enabled bob 03351c90..d716 (regtest"), "{}", enabled.stderr);
    assert!(!sandbox.state().join("secrets").exists(), "files stay where they are");
    sandbox.run(["generate", "bob"]).ends(0);
    let shown = sandbox.run(["show", "--json"]).ends(0).json();
    assert_eq!(shown["sources"][0]["address"], lnd.address());
    let health = sandbox.run(["health-check", "--json"]);
    assert_eq!(health.ends(0).json()["healthy"], true);
}

#[test]
fn by_a_uri_of_which_a_copy_is_kept_that_nobody_else_reads() {
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    sandbox.run(["enable", &uri(&lnd), "--user", "alice"]).ends(0);
    let kept: Vec<_> = std::fs::read_dir(sandbox.state().join("secrets")).unwrap().map(|e| e.unwrap()).collect();
    assert_eq!(kept.len(), 2);
    for file in kept {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
    sandbox.run(["generate", "bob"]).ends(0);
    sandbox.run(["disable", "bob", "--erase", "--yes"]).ends(0);
    assert_eq!(std::fs::read_dir(sandbox.state().join("secrets")).unwrap().count(), 0);
}

#[test]
fn by_a_uri_from_standard_input() {
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    let mut child = sandbox.command(["enable", "-"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{}\n", uri(&lnd)).as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn by_the_environment() {
    let lnd = lnd();
    let sandbox = Sandbox::new();
    let [cert, macaroon] = files(&sandbox, &lnd).map(|p| p.to_str().unwrap().to_owned());
    let sandbox = sandbox
        .env("DAZNODE_LND_ADDRESS", &lnd.address())
        .env("DAZNODE_LND_CERT", &cert)
        .env("DAZNODE_LND_MACAROON", &macaroon);
    sandbox.run(["enable"]).ends(0);
}

#[test]
fn by_a_found_folder_which_is_named() {
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    let place = "home/.lnd/data/chain/bitcoin/regtest/readonly.macaroon";
    sandbox.put("home/.lnd/tls.cert", lnd.certificate().as_bytes(), 0o600);
    sandbox.put(place, &macaroon(), 0o600);
    sandbox.put("home/.lnd/lnd.conf", format!("rpclisten={}\n", lnd.address()).as_bytes(), 0o600);
    let enabled = sandbox.run(["enable"]);
    assert!(enabled.ends(0).stderr.contains(&format!("Found LND in {}", sandbox.path("home/.lnd").display())));
}

fn not_measured(sandbox: &Sandbox) -> Vec<String> {
    let report = sandbox.run(["show", "--json"]).ends(0).json();
    let rows = report["not_measured"].as_array().unwrap();
    rows.iter().map(|row| row["part"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_backup_beside_the_macaroon_or_named_is_shown_to_the_node_and_kept_nowhere() {
    const VERIFY: &str = "/lnrpc.Lightning/VerifyChanBackup";
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    enable_by_files(&sandbox, &lnd).ends(0);
    sandbox.run(["generate", "bob"]).ends(0);
    assert_eq!(lnd.calls_of(VERIFY), 0, "none is named");
    assert!(not_measured(&sandbox).contains(&"backup".to_owned()));

    let canary = b"canary-of-a-backup-that-is-long-enough-to-hold-a-channel";
    let network = "home/.lnd/data/chain/bitcoin/regtest";
    sandbox.put("home/.lnd/tls.cert", lnd.certificate().as_bytes(), 0o600);
    sandbox.put(&format!("{network}/readonly.macaroon"), &macaroon(), 0o600);
    sandbox.put(&format!("{network}/channel.backup"), canary, 0o600);
    sandbox.put("home/.lnd/lnd.conf", format!("rpclisten={}\n", lnd.address()).as_bytes(), 0o600);
    let named = sandbox.put("elsewhere.backup", canary, 0o600).to_str().unwrap().to_owned();
    for (number, args) in [&["enable"][..], &["enable", &uri(&lnd), "--channel-backup", &named]].into_iter().enumerate()
    {
        sandbox.run(args).ends(0);
        sandbox.run(["generate", "bob", "--force"]).ends(0);
        assert_eq!(lnd.calls_of(VERIFY), number + 1, "{args:?}");
        let off = not_measured(&sandbox);
        assert!(!off.contains(&"backup".to_owned()), "{off:?}");
        // The recorded node has no watchtower client; it is on this machine.
        assert!(off.contains(&"towers".to_owned()) && !off.contains(&"host.memory".to_owned()), "{off:?}");
    }
    for (path, (_, bytes)) in sandbox.tree() {
        let is_the_file = path.to_string_lossy().ends_with(".backup");
        assert!(is_the_file || !bytes.windows(canary.len()).any(|w| w == canary), "{}", path.display());
    }

    std::fs::remove_file(&named).unwrap();
    let warned = sandbox.run(["enable", &uri(&lnd), "--channel-backup", &named]);
    assert!(warned.ends(0).stderr.contains("Warning: the backup of channels"), "{}", warned.stderr);
    let gap = sandbox.run(["generate", "bob", "--force"]);
    gap.ends(3);
}

#[test]
fn a_node_that_was_not_meant_is_refused_and_nothing_is_written() {
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    let [cert, macaroon] = files(&sandbox, &lnd).map(|p| p.to_str().unwrap().to_owned());
    let other = format!("02{}", "a".repeat(64));
    let address = lnd.address();
    let args = ["enable", "--address", &address, "--cert", &cert, "--macaroon", &macaroon, "--pubkey", &other];
    sandbox.refuses(args, 4, &[&other]);
}

#[test]
fn another_certificate_is_refused_before_the_macaroon_is_shown() {
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    let [_, macaroon] = files(&sandbox, &lnd).map(|p| p.to_str().unwrap().to_owned());
    let cert = recording("bob-later").join("tls.cert").to_str().unwrap().to_owned();
    let args = ["enable", "--address", &lnd.address(), "--cert", &cert, "--macaroon", &macaroon];
    sandbox.refuses(args, 4, &["certificate"]);
    assert_eq!(lnd.calls(), 0);
}

#[test]
fn no_secret_is_printed_or_stored() {
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    let mut said = String::new();
    for args in [
        &["-v", "enable", &uri(&lnd)][..],
        &["-v", "generate", "bob"],
        &["show", "--json"],
        &["-v", "status", "--json"],
    ] {
        let ended = sandbox.run(args);
        said.push_str(&ended.stdout);
        said.push_str(&ended.stderr);
    }
    let secret = macaroon();
    let forms = [hex::encode(&secret), URL_SAFE_NO_PAD.encode(&secret)];
    for form in &forms {
        assert!(!said.contains(form.as_str()));
    }
    let contains = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|w| w == what);
    for (path, (_, bytes)) in sandbox.tree() {
        if path.parent().is_some_and(|p| p.ends_with("secrets")) {
            continue;
        }
        assert!(!contains(&bytes, &secret), "{}", path.display());
        for form in &forms {
            assert!(!contains(&bytes, form.as_bytes()), "{}", path.display());
        }
    }
}

#[test]
fn a_recording_of_it_is_a_node_too() {
    let (sandbox, lnd) = (Sandbox::new(), lnd());
    enable_by_files(&sandbox, &lnd).ends(0);
    sandbox.run(["record", "bob", "--out", "copy"]).ends(0);
    let again = Sandbox::new();
    again.run(["enable", "--recording", sandbox.path("copy").to_str().unwrap()]).ends(0);
    again.run(["generate"]).ends(0);
}

#[test]
fn when_it_is_stopped_it_says_what_was_done() {
    let lnd = FakeLnd::builder()
        .recording(&recording("bob-later"))
        .macaroon(&macaroon())
        .delay(Duration::from_millis(700))
        .start();
    let sandbox = Sandbox::new();
    enable_by_files(&sandbox, &lnd).ends(0);
    for signal in ["INT", "TERM"] {
        let child =
            sandbox.command(["generate", "--all"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        let started = Instant::now();
        let killed =
            std::process::Command::new("/bin/sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status();
        assert!(killed.unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}: {said}");
        assert!(said.contains("not tried") && said.contains("Interrupted"), "{said}");
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
