use std::collections::BTreeSet;

use super::*;

fn load(text: &str) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    put_file(&path, text);
    let result = Config::load(&[], Some(&path), &|_| None);
    result
        .map_err(|e| Error { place: e.place.replace(&format!("{}/", folder.path().display()), ""), problem: e.problem })
}

fn put_file(path: &Path, text: &str) {
    use std::io::Write as _;
    std::fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[track_caller]
fn refuses(text: &str, expected: &str) {
    assert_eq!(load(text).unwrap_err().to_string(), expected);
}

#[test]
fn the_default_file_says_what_the_defaults_are() {
    assert_eq!(toml::from_str::<Config>(DEFAULT_FILE).unwrap(), Config::default());
    assert_eq!(load(DEFAULT_FILE).unwrap(), Config::default());
}

#[test]
fn the_default_file_documents_every_setting_and_no_other() {
    let mut section = String::new();
    let mut found = BTreeSet::new();
    let mut lines = Vec::new();
    for line in DEFAULT_FILE.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = bare.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
            // Examples of channels stand under names of their own.
            section =
                if name.starts_with("notify.channels.") { "notify.channels.*".to_owned() } else { name.to_owned() };
            lines.push(bare);
        } else if let Some((key, _)) = bare.split_once(" = ")
            && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        {
            found.insert(format!("{section}.{key}"));
            lines.push(bare);
        }
    }
    assert_eq!(found, keys().map(|(key, _)| key.to_owned()).collect());
    load(&lines.join("\n")).expect("the examples of settings without a default are good ones");
}

#[test]
fn later_layers_win_and_leave_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    put_file(&a, "[run]\njobs = 3\nretries = 0\n[sources.mempool]\nenabled = true");
    put_file(&b, "run.jobs = 4\n");
    let missing = folder.path().join("missing");
    let env = |name: &str| (name == "DAILY_REPORTS_TIMEOUT").then(|| "60".to_owned());
    let config = Config::load(&[missing, a], Some(&b), &env).unwrap();
    let expected = Run { jobs: 4, retries: 0, timeout_s: 60, ..Run::default() };
    assert_eq!(config.run, expected);
    assert!(config.sources.mempool.enabled);
    assert_eq!(config.sources.mempool.url, mempool::Settings::default().url);
}

#[test]
fn a_typo_is_told_with_its_line_and_what_was_meant() {
    refuses("[lnd]\nmacroon = \"/x\"", "config.toml:2: unknown setting lnd.macroon: did you mean lnd.macaroon?");
    refuses("\n[runn]\n", "config.toml:2: unknown setting runn: did you mean run?");
    refuses("jobs = 3", "config.toml:1: unknown setting jobs: run.jobs is in the section [run]");
    refuses(
        "[network]\nxyzzyxyzzy = 1",
        "config.toml:2: unknown setting network.xyzzyxyzzy: expected one of offline, proxy",
    );
    refuses(
        "sources.mempol.enabled = true",
        "config.toml:1: unknown setting sources.mempol: did you mean sources.mempool?",
    );
}

#[test]
fn a_wrong_value_is_told_with_its_line_and_what_is_accepted() {
    let expected = "config.toml:3: run.jobs can't be \"ten\": expected a whole number from 1 to 1000";
    refuses("[run]\n\njobs = \"ten\"", expected);
    refuses("[run]\njobs = 0", "config.toml:2: run.jobs can't be 0: expected a whole number from 1 to 1000");
    refuses("[run]\njobs = -1", "config.toml:2: run.jobs can't be -1: expected a whole number from 1 to 1000");
    refuses("network = 1", "config.toml:1: network is a section: expected [network] on a line of its own");
    refuses(
        "[output]\ncolor = \"blue\"",
        "config.toml:2: output.color can't be \"blue\": expected \"auto\", \"always\" or \"never\"",
    );
    refuses(
        "[schedule]\ndefault = \"6 o'clock\"",
        "config.toml:2: schedule.default can't be \"6 o'clock\": expected five fields: minute, hour, day, month, weekday, such as \"0 6 * * *\"",
    );
    refuses(
        "[network]\nproxy = \"socks5://127.0.0.1:9050\"",
        "config.toml:2: network.proxy can't be \"socks5://127.0.0.1:9050\": expected \"socks5h://host:port\"",
    );
}

#[test]
fn the_folder_of_the_graph_is_a_name_below_the_store_or_a_whole_path() {
    let folder =
        |text: &str| load(&format!("[graph]\nfolder = \"{text}\"")).map(|c| c.graph.folder(Some("/home/bob".into())));
    assert_eq!(folder("graph").unwrap(), Path::new("graph"));
    assert_eq!(folder("/mnt/disk/daznode").unwrap(), Path::new("/mnt/disk/daznode"));
    assert_eq!(folder("~/graphs").unwrap(), Path::new("/home/bob/graphs"));
    let form = "expected the name of a folder below the state folder, or a path that begins with / or ~/";
    for bad in ["", ".", "..", "../elsewhere", "a/b", "reports", "secrets", "cache", "a\\u0007b"] {
        let error = folder(bad).unwrap_err().to_string();
        assert!(error.starts_with("config.toml:2: graph.folder can't be ") && error.ends_with(form), "{error}");
    }
    assert_eq!(load("[graph]\nkeep_hours = 0").unwrap().graph.keep_hours, 0);
    refuses(
        "[graph]\nkeep_hours = 721",
        "config.toml:2: graph.keep_hours can't be 721: expected a whole number of hours from 0 (ask LND in every run) to 720",
    );
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let error = load("[run]\njobs == 3").unwrap_err();
    assert_eq!(error.place, "config.toml:2");
    assert!(error.problem.starts_with("not TOML: "), "{error}");
    assert!(!error.to_string().contains('\n'));
    // As by somebody who adds to the file that `daznode init` wrote.
    for twice in ["[run]\njobs = 3\n[run]\n", "[run]\njobs = 3\njobs = 4\n"] {
        let error = load(twice).unwrap_err();
        assert_eq!(
            (error.place.as_str(), error.problem.contains("stands above already")),
            ("config.toml:3", true),
            "{error}"
        );
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let secret = "0201036c6e64";
    for text in [
        format!("[lnd]\nmacaroon = \"{secret}\""),
        format!("[lnd]\nmacaroon = [\"{secret}\"]"),
        format!("[sources.amboss]\nkey_file = \"{secret}\""),
    ] {
        let error = load(&text).unwrap_err().to_string();
        assert!(!error.contains(secret), "{error}");
        assert!(error.contains("never the"), "{error}");
    }
    let env = |name: &str| (name == "DAZNODE_LND_MACAROON").then(|| secret.to_owned());
    let error = Config::load(&[], None, &env).unwrap_err().to_string();
    assert!(error.starts_with("DAZNODE_LND_MACAROON: expected the path") && !error.contains(secret), "{error}");
}

#[test]
fn the_environment_counts_all_tries_and_sets_the_default_schedule() {
    let env = |name: &str| {
        let value = match name {
            "DAILY_REPORTS_MAX_RETRIES" => "1",
            "DAILY_REPORTS_MAX_CONCURRENT" => "2",
            "DAILY_REPORTS_SCHEDULER_ENABLED" => "false",
            "DAILY_REPORTS_HOUR" => "7",
            "DAILY_REPORTS_MINUTE" => "30",
            "DAILY_REPORTS_TIMEOUT" => "",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let config = Config::load(&[], None, &env).unwrap();
    assert_eq!(config.run, Run { retries: 0, jobs: 2, ..Run::default() });
    assert_eq!(config.schedule, ScheduleSettings { enabled: false, default: "30 7 * * *".to_owned() });
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value, expected) in [
        ("DAILY_REPORTS_TIMEOUT", "soon", "soon: expected a whole number of seconds from 1 to 3600"),
        ("DAILY_REPORTS_MAX_RETRIES", "0", "0: expected a whole number from 1 to 21: all tries, the first included"),
        ("DAILY_REPORTS_HOUR", "24", "24: expected a whole number from 0 to 23"),
        ("DAILY_REPORTS_SCHEDULER_ENABLED", "maybe", "maybe: expected true or false"),
    ] {
        let env = |asked: &str| (asked == name).then(|| value.to_owned());
        let error = Config::load(&[], None, &env).unwrap_err();
        assert_eq!(error, Error { place: name.to_owned(), problem: expected.to_owned() });
    }
}

#[test]
fn addresses_have_a_host_and_a_port() {
    for good in ["127.0.0.1:10009", "node.example:1", "[::1]:10009", "abc.onion:10009", "unix:///run/lnd.sock"] {
        assert!(is_address(good), "{good}");
    }
    for bad in
        ["", ":1", "host", "host:", "host:0", "host:99999", "ho st:1", "::1:1", "unix://x", "http://x:1", "a@b:1"]
    {
        assert!(!is_address(bad), "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_panic_or_speak_in_two_lines(text in "(\\[[a-z.]{0,8}\\]\n)?([a-z_.]{1,8} ?= ?[\"'0-9a-z\\[\\]{}]{0,8}\n){0,4}\\PC{0,20}") {
        if let Err(error) = load(&text) {
            proptest::prop_assert!(!error.to_string().contains('\n'));
        }
    }
}

#[test]
fn a_channel_is_read_with_what_is_usual() {
    let text =
        "[notify.channels.phone]\nkind = \"telegram\"\ntoken_file = \"/k\"\nchat_id = -100123\nhide = [\"amounts\"]";
    let config = load(text).unwrap();
    let phone = &config.notify.channels["phone"];
    assert_eq!(phone.chat_id.as_deref(), Some("-100123"));
    assert_eq!((phone.per_minute, phone.severity), (20, crate::report::Severity::Warning));
    assert!(phone.hides().amounts && !phone.hides().aliases);
    let telling = config.telling();
    assert_eq!(telling.routes[0].channel, "phone");
    assert_eq!(telling.routes[0].kinds, crate::notice::EventKind::ALL);
}

#[test]
fn what_is_wrong_with_a_channel_is_told_with_its_line() {
    let telegram = "[notify.channels.phone]\nkind = \"telegram\"\ntoken_file = \"/k\"\n";
    refuses(
        telegram,
        "config.toml:2: telegram needs notify.channels.phone.chat_id: expected a chat's number or \"@channelname\"",
    );
    refuses(
        &format!("{telegram}chat_id = 1\nroom = \"!a:b\""),
        "config.toml:5: notify.channels.phone.room is no setting of telegram",
    );
    refuses(
        &format!("{telegram}chat_id = 1\nseverty = \"info\""),
        "config.toml:5: unknown setting notify.channels.phone.severty: did you mean notify.channels.phone.severity?",
    );
    refuses(
        &format!("{telegram}chat_id = 1\nseverity = \"loud\""),
        "config.toml:5: notify.channels.phone.severity can't be \"loud\": expected \"critical\", \"warning\" or \"info\"",
    );
    refuses(
        "[notify.channels.phone]\nkind = \"pager\"",
        "config.toml:2: notify.channels.phone.kind can't be \"pager\": expected \"email\", \"telegram\", \"discord\", \"slack\", \"ntfy\", \"matrix\" or \"webhook\"",
    );
    refuses("[notify.channels.phone]\nseverity = \"info\"", &format!("config.toml:1: {}", notify::NO_KIND));
    refuses(
        "[notify.channels.\"My Phone\"]\nkind = \"slack\"\nurl_file = \"/u\"",
        "config.toml:2: a channel can't be called My Phone: expected up to 40 lower-case letters, digits, dashes and underscores",
    );
    refuses(
        "[notify.channels.m]\nkind = \"matrix\"\nroom = \"!a:b\"\ntoken_file = \"/k\"\nserver = \"http://matrix.example\"",
        "config.toml:5: notify.channels.m.server can't be that: expected an address that begins with https:// or, on a host of notify.allow_private, http://; \"host:port\" for email",
    );
    refuses(
        "[notify.channels.m]\nkind = \"email\"\nserver = \"mail.example:25\"\nfrom = \"a@b\"\nto = [\"c@d\"]\ntls = \"none\"",
        "config.toml:6: notify.channels.m.tls can't be that: expected \"implicit\", \"starttls\", or \"none\" to a server on this machine",
    );
    refuses(
        "[notify]\nheartbeat_url_fil = \"x\"",
        "config.toml:2: unknown setting notify.heartbeat_url_fil: did you mean notify.heartbeat_url_file?",
    );
}

#[test]
fn a_token_in_place_of_its_file_is_not_repeated() {
    for text in [
        "kind = \"telegram\"\ntoken_file = \"canary:77\"\nchat_id = 1",
        "kind = \"discord\"\nurl_file = \"https://discord.example/api/canary\"",
        "kind = \"discord\"\nurl_file = [\"canary\"]",
        "kind = \"webhook\"\nurl_file = \"/u\"\nsecret_file = \"canary\"",
    ] {
        let error = load(&format!("[notify.channels.x]\n{text}")).unwrap_err().to_string();
        assert!(error.contains("never the secret itself") && !error.contains("canary"), "{error}");
    }
}

#[test]
fn plain_http_is_for_hosts_that_may_be_private_and_for_tor() {
    let ntfy = |private: &str, server: &str| {
        load(&format!(
            "[notify]\nallow_private = [{private}]\n[notify.channels.n]\nkind = \"ntfy\"\ntopic = \"t\"\nserver = \"{server}\""
        ))
    };
    assert!(ntfy("", "https://ntfy.sh").is_ok());
    assert!(ntfy("", "http://abcdef.onion").is_ok());
    assert!(ntfy("\"192.168.1.2\"", "http://192.168.1.2:8080").is_ok());
    for bad in ["http://ntfy.sh", "ftp://ntfy.sh", "https://u:p@ntfy.sh", "https://ntfy.sh/?a", "ntfy.sh"] {
        assert!(ntfy("\"192.168.1.2\"", bad).is_err(), "{bad}");
    }
}
