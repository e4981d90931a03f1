//! Settings that are wrong: told with file, line and what is accepted, before anything is contacted or written.

use crate::harness::Sandbox;

const FILE: &str = "home/.config/daznode/config.toml";

#[track_caller]
fn refuses(text: &str, words: &[&str]) {
    let sandbox = Sandbox::new().file(FILE, text, 0o600);
    for command in [&["status"][..], &["generate", "--all"], &["enable", "--recording", "/nowhere"]] {
        sandbox.refuses(command, 2, words);
    }
}

#[test]
fn a_typo_in_a_key() {
    refuses("[lnd]\nmacroon = \"/x\"\n", &["config.toml:2:", "lnd.macroon", "did you mean lnd.macaroon?"]);
}

#[test]
fn a_wrong_value() {
    refuses("[run]\njobs = 0\n", &["config.toml:2:", "run.jobs", "from 1 to 1000"]);
    refuses("[schedule]\ndefault = \"daily\"\n", &["config.toml:2:", "schedule.default", "0 6 * * *"]);
    refuses("[watch]\nsample_s = 5\n", &["config.toml:2:", "watch.sample_s", "from 30 to 3600"]);
    refuses("[sources.mempool]\nurl = \"ftp://x\"\n", &["config.toml:2:", "sources.mempool.url", "https://"]);
    refuses("[sources.remote]\nurl = \"daznode\"\n", &["config.toml:2:", "sources.remote.url", "https://"]);
    refuses("[sources.lnrouter]\nheader = \"X API\"\n", &["config.toml:2:", "sources.lnrouter.header", "X-API-KEY"]);
    refuses("[sources.lnrouter]\ncache_minutes = 0\n", &["config.toml:2:", "sources.lnrouter.cache_minutes", "10080"]);
    refuses("[health]\ninterval_s = 9\n", &["config.toml:2:", "health.interval_s", "from 10 to 3600"]);
}

#[test]
fn what_is_not_toml() {
    refuses("[run\n", &["config.toml:1:", "not TOML"]);
}

#[test]
fn a_file_that_is_named_and_missing() {
    Sandbox::new().refuses(["--config", "/nowhere/c.toml", "status"], 2, &["/nowhere/c.toml", "daznode init"]);
    let sandbox = Sandbox::new().env("DAZNODE_CONFIG", "/nowhere/d.toml");
    sandbox.refuses(["status"], 2, &["/nowhere/d.toml"]);
}

#[test]
fn a_wrong_variable() {
    let sandbox = Sandbox::new().env("DAILY_REPORTS_TIMEOUT", "soon");
    sandbox.refuses(["generate", "--all"], 2, &["DAILY_REPORTS_TIMEOUT", "soon", "from 1 to 3600"]);
    let sandbox = Sandbox::new().env("DAILY_REPORTS_HOUR", "24");
    sandbox.refuses(["generate", "--all"], 2, &["DAILY_REPORTS_HOUR", "0 to 23"]);
}

#[test]
fn a_macaroon_instead_of_its_file_is_not_repeated() {
    let secret = "0201036c6e6402f801030a10a0a0";
    let sandbox = Sandbox::new().file(FILE, &format!("[lnd]\nmacaroon = \"{secret}\"\n"), 0o600);
    let ended = sandbox.run(["status"]);
    ended.ends(2).says_one_line(&["config.toml:2:", "lnd.macaroon", "never the macaroon itself"]);
    assert!(!ended.stderr.contains(secret));
}

#[test]
fn init_writes_a_file_that_works_and_never_overwrites_one() {
    let sandbox = Sandbox::new();
    sandbox.run(["init"]).ends(0);
    assert!(sandbox.path(FILE).exists());
    sandbox.run(["status"]).ends(0);
    sandbox.refuses(["init"], 2, &["is there already"]);
}
