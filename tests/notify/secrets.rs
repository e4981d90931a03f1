//! Every secret is a canary: whatever fails, none of them sings in an error, a row, or what is shown.

use std::time::Duration;

use base64::Engine as _;
use daznode::notify::{Courier, Places};

use crate::desk::{Desk, NOW};
use crate::server::{Request, Say, Server, status};
use crate::smtp::{Habit, Smtp, Speaks};

const SECRETS: [&str; 9] = [
    "canary-telegram-1",
    "canary-discord-2",
    "canary-slack-3",
    "canary-topic-4",
    "canary-ntfy-5",
    "canary-matrix-6",
    "canary-hook-7",
    "canary-hmac-8",
    "canary-mail-9",
];
const HEARTBEAT: &str = "canary-beat-0";

fn spellings(secret: &str) -> [String; 3] {
    let base64 = base64::engine::general_purpose::STANDARD.encode(secret);
    [secret.to_owned(), hex::encode(secret), base64.trim_end_matches('=').to_owned()]
}

#[track_caller]
fn silent(what: &str, text: &str) {
    for secret in SECRETS.iter().chain([&HEARTBEAT]) {
        for spelling in spellings(secret) {
            assert!(!text.contains(&spelling), "{what} has {secret}: {text}");
        }
    }
}

/// Everything that came, as it came and in other spellings: a server that repeats what it is sent.
fn echo(request: &Request) -> String {
    let all = format!("{} {} {}", request.path, request.head, request.body);
    let other: Vec<String> = SECRETS.iter().flat_map(|secret| spellings(secret)).collect();
    format!("{all} {}", other.join(" "))
}

fn desk(url: &str, port: u16, authority: &str) -> Desk {
    let text = format!(
        "heartbeat_url_file = \"@beat\"\n\
         [notify.channels.telegram]\nkind = \"telegram\"\nserver = \"{url}\"\ntoken_file = \"@telegram\"\nchat_id = 1\n\
         [notify.channels.discord]\nkind = \"discord\"\nurl_file = \"@discord\"\n\
         [notify.channels.slack]\nkind = \"slack\"\nurl_file = \"@slack\"\n\
         [notify.channels.ntfy]\nkind = \"ntfy\"\nserver = \"{url}\"\ntopic = \"{}\"\ntoken_file = \"@ntfy\"\n\
         [notify.channels.matrix]\nkind = \"matrix\"\nserver = \"{url}\"\nroom = \"!a:b\"\ntoken_file = \"@matrix\"\n\
         [notify.channels.hook]\nkind = \"webhook\"\nurl_file = \"@hook\"\nsecret_file = \"@hmac\"\n\
         [notify.channels.mail]\nkind = \"email\"\nserver = \"127.0.0.1:{port}\"\ntls = \"starttls\"\nuser = \"bob\"\n\
         password_file = \"@mail\"\nfrom = \"a@b.c\"\nto = [\"d@e.f\"]\nca_file = \"@ca\"",
        SECRETS[3]
    );
    let secrets = [
        ("telegram", SECRETS[0].to_owned()),
        ("discord", format!("{url}/api/webhooks/1/{}?thread={}", SECRETS[1], SECRETS[1])),
        ("slack", format!("{url}/services/T/{}/x", SECRETS[2])),
        ("ntfy", SECRETS[4].to_owned()),
        ("matrix", SECRETS[5].to_owned()),
        ("hook", format!("{url}/{}", SECRETS[6])),
        ("hmac", SECRETS[7].to_owned()),
        ("mail", SECRETS[8].to_owned()),
        ("beat", format!("{url}/ping/{HEARTBEAT}")),
        ("ca", authority.to_owned()),
    ];
    let secrets: Vec<(&str, &str)> = secrets.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Desk::new(&text, &secrets)
}

async fn faulty(say: impl Fn(&Request) -> Say + Send + Sync + 'static, habit: Habit) -> (Server, Smtp, Desk) {
    let (server, smtp) = (Server::start(say).await, Smtp::start(Speaks::StartTls, habit).await);
    let desk = desk(&server.url(), smtp.port, &smtp.authority);
    (server, smtp, desk)
}

async fn check(fault: &str, server: Server, desk: Desk) {
    desk.alerts(0..1, NOW);
    let courier = Courier::new(&desk.config, Places::default()).within(Duration::from_millis(700));
    let handle = desk.handle();
    let mut now = NOW;
    for _ in 0..3 {
        now = now.plus(600_000);
        let done = courier.deliver(&handle, now, Duration::from_secs(20)).await.unwrap();
        assert_eq!(done.sent, 0, "{fault}");
        silent(fault, &done.errors.join("\n"));
    }
    for name in desk.config.notify.channels.keys() {
        let said = courier.send_now(name, &desk.alert(1, NOW), None, NOW).await.unwrap_err();
        assert!(!said.is_empty() && !said.contains('\n'), "{said}");
        silent(fault, &said);
        silent(fault, &courier.show(name, &desk.alert(1, NOW), None, NOW).unwrap());
    }
    let beat = courier.heartbeat(true, NOW).await.unwrap_err();
    assert!(beat.starts_with("the heartbeat was not heard: "), "{beat}");
    silent(fault, &beat);
    silent(fault, &format!("{courier:?}").replace(SECRETS[3], "the topic stands in the config"));
    silent(fault, &String::from_utf8_lossy(&desk.bytes()));
    silent(fault, &format!("{:?}", desk.dead()));
    drop(server);
}

#[tokio::test]
async fn no_fault_makes_a_secret_show() {
    type Saying = fn(&Request) -> Say;
    let faults: [(&str, Saying, Habit); 6] = [
        ("500 that repeats all", |r| status(500, "", &echo(r)), Habit::NoLogin),
        (
            "401 that repeats all in JSON",
            |r| status(401, "", &serde_json::json!({ "description": echo(r) }).to_string()),
            Habit::Refuses,
        ),
        ("400 in short", |r| status(400, "", &format!("no {}", r.path)), Habit::Busy),
        (
            "a redirect",
            |r| status(302, &format!("location: http://127.0.0.1:1{}\r\n", r.path), &echo(r)),
            Habit::Stripped,
        ),
        ("silence", |_| Say::Hang, Habit::Hangs),
        ("garbage", |_| Say::Bytes(b"\x16\x03\x01 not http canary".to_vec()), Habit::DiesAfterData),
    ];
    for (fault, say, habit) in faults {
        let (server, _smtp, desk) = faulty(say, habit).await;
        check(fault, server, desk).await;
    }
}

#[tokio::test]
async fn a_closed_port_makes_no_secret_show() {
    let (server, smtp, desk) = faulty(|_| Say::Hang, Habit::Hangs).await;
    drop(smtp);
    let mut desk = desk;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let other = format!("127.0.0.1:{closed}");
    let here = format!("127.0.0.1:{}", server.port);
    for channel in desk.config.notify.channels.values_mut() {
        channel.server = channel.server.as_ref().map(|server| server.replace(&here, &other));
    }
    desk.config.notify.channels.get_mut("mail").unwrap().server = Some(other.clone());
    for name in ["discord", "slack", "hook", "beat"] {
        let text = std::fs::read_to_string(desk.path(name)).unwrap();
        crate::desk::put(&desk.path(name), &text.replace(&here, &other));
    }
    check("a closed port", server, desk).await;
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let (server, _smtp, desk) = faulty(|_| status(200, "", "ok"), Habit::None).await;
    std::fs::set_permissions(desk.path("slack"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = desk.courier().send_now("slack", &desk.alert(1, NOW), None, NOW).await.unwrap_err();
    assert!(said.contains("chmod 600"), "{said}");
    silent("an open file", &said);
    assert_eq!(server.count(), 0);
}
