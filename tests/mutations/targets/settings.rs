//! What the operator writes: files, variables, schedules, places.

use std::str::FromStr;

use daznode::config::Config;
use daznode::schedule::Schedule;
use daznode::sources::lnd::address::Address;
use daznode::sources::spec::SecretRef;
use daznode::units::{Day, Network, Outpoint, Pubkey, UnixMs};

use super::{of, text};

pub(crate) const HOSTS: &[&str] =
    &["::1", "[", "]:", "unix://", ".onion", "socks5h://", "https://", ":65536", "credential:"];
pub(crate) const CRON: &[&str] = &["*", "*/", "L", "#5", "W", "MON-FRI", "@daily", "?", " ", "60", "31", "2"];
pub(crate) const TOML: &[&str] =
    &["[run]\n", "[[run]]\n", "jobs = ", "'''", "\"\"\"", "inf", "1979-05-27", "# ", ".", "\n"];

/// What can be read can be written, and is then the same.
#[track_caller]
fn comes_back<T: FromStr<Err: std::fmt::Debug> + std::fmt::Display + PartialEq + std::fmt::Debug>(text: &str) -> bool {
    let Ok(read) = text.parse::<T>() else { return false };
    let written = read.to_string();
    assert_eq!(written.parse::<T>().expect("what was written is taken again"), read, "{text:?} as {written:?}");
    true
}

pub(crate) fn addresses() -> Vec<Vec<u8>> {
    of(&["127.0.0.1:10009", "[::1]:10009", "localhost", "node.example:443", "umbrel.local:10009", "192.168.0.4"])
}

pub(crate) fn address(input: &[u8]) -> bool {
    let text = text(input);
    if let Ok(read) = text.parse::<Address>() {
        let _ = (read.is_local(), read.is_this_machine(), read.is_onion(), read.host().len());
    }
    comes_back::<Address>(&text)
}

pub(crate) fn places() -> Vec<Vec<u8>> {
    of(&["/etc/daznode/readonly.macaroon", "credential:lnd.macaroon", "/"])
}

pub(crate) fn place(input: &[u8]) -> bool {
    comes_back::<SecretRef>(&text(input))
}

pub(crate) fn schedules() -> Vec<Vec<u8>> {
    of(&["0 6 * * *", "0 0 1 1 *", "30 4 * * MON-FRI", "0 6 29 2 *", "5 6 1,15 * *"])
}

pub(crate) fn schedule(input: &[u8]) -> bool {
    let text = text(input);
    let Ok(read) = text.parse::<Schedule>() else { return false };
    assert_eq!(read.as_str().parse::<Schedule>().expect("what was taken is taken again").as_str(), read.as_str());
    let now = UnixMs::from_secs(1_795_240_800);
    let (before, after) = (read.previous(now), read.next(now));
    assert!(before.is_none_or(|at| at <= now) && after.is_none_or(|at| at > now), "{before:?} {after:?}");
    let _ = (read.timer(), read.owes(UnixMs(0), now), read.on(now.day()));
    true
}

pub(crate) fn files() -> Vec<Vec<u8>> {
    let root = super::fixtures("../../daznode.default.toml");
    let shipped = std::fs::read_to_string(root).unwrap();
    let set: String = shipped
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|l| l.contains(" = ")).unwrap_or(line).to_owned() + "\n")
        .collect();
    let mut files = of(&[
        &shipped,
        "[run]\njobs = 3\ntimeout_s = 60\n[schedule]\ndefault = \"0 6 * * *\"\n",
        "lnd.address = \"127.0.0.1:10009\"\nnetwork = { offline = true, proxy = \"socks5h://127.0.0.1:9050\" }\n",
    ]);
    // With every setting that is only told of, where that is a file by itself.
    files.extend(Config::of_text(&set).is_ok().then(|| set.into_bytes()));
    files
}

pub(crate) fn file(input: &[u8]) -> bool {
    match Config::of_text(&text(input)) {
        Ok(_) => true,
        Err(error) => {
            assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
            false
        }
    }
}

pub(crate) fn variables() -> Vec<Vec<u8>> {
    // No text is right for every variable: the name of one goes before it.
    of(&["DAZNODE_LND_ADDRESS=127.0.0.1:10009", "DAILY_REPORTS_TIMEOUT=60", "DAILY_REPORTS_MAX_CONCURRENT=4"])
}

pub(crate) fn variable(input: &[u8]) -> bool {
    let text = text(input);
    let (given, value) = text.split_once('=').unwrap_or(("", &text));
    // Those of no known name are given to every variable.
    let one = Config::load(&[], None, &|name| (name == given).then(|| value.to_owned()));
    let _ = Config::load(&[], None, &|_| Some(value.to_owned()));
    one.is_ok()
}

pub(crate) fn units() -> Vec<Vec<u8>> {
    of(&[
        "2026-11-21",
        "03351c9081f2af83d51d15d3460c904bac3e0814d3c91e6afb94ac43845cacd716",
        "4f39def3969c4c9b7b1d9a6a1c9a1f7ab6b7a6fcd0c0ba8f7e9d3f8e6d4c2b1a:1",
        "regtest",
        "mainnet",
    ])
}

pub(crate) fn unit(input: &[u8]) -> bool {
    let text = text(input);
    let taken = [comes_back::<Day>(&text), comes_back::<Outpoint>(&text), comes_back::<Network>(&text)];
    let key = text.parse::<Pubkey>().is_ok_and(|key| key.as_str().parse::<Pubkey>() == Ok(key));
    taken.contains(&true) || key
}
