//! What each service is sent, to the letter of its own description.

use serde_json::{Value, json};

use crate::desk::{Desk, HOSTILE, NOW, RICH, hook};
use crate::server::{Request, Say, Server, ok, status};

fn thanks(request: &Request) -> Say {
    match request.path.as_str() {
        path if path.starts_with("/bot") => ok(r#"{"ok":true,"result":{}}"#),
        path if path.starts_with("/_matrix") => ok(r#"{"event_id":"$1"}"#),
        path if path.starts_with("/services") => status(200, "", "ok"),
        path if path.starts_with("/api/webhooks") => status(204, "", ""),
        _ => ok(r#"{"id":"1"}"#),
    }
}

fn channel(kind: &str, more: &str) -> String {
    format!("[notify.channels.it]\nkind = \"{kind}\"\nseverity = \"info\"\n{more}")
}

/// The one request that a report, or an alert, becomes.
async fn sent(server: &Server, desk: &Desk, event: &str) -> Request {
    match event {
        "alert" => desk.alerts(7..8, NOW),
        json => desk.digest(json),
    }
    let done = desk.deliver(NOW.plus(1000)).await;
    assert_eq!((done.sent, done.failed, done.errors), (1, 0, Vec::new()));
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    seen[0].clone()
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
}

async fn telegram() -> (Server, Desk) {
    let server = Server::start(thanks).await;
    let desk = Desk::new(
        &channel("telegram", &format!("server = \"{}\"\ntoken_file = \"@token\"\nchat_id = -1001", server.url())),
        &[("token", "123:abc")],
    );
    (server, desk)
}

#[tokio::test]
async fn telegram_gets_send_message_in_html() {
    let (server, desk) = telegram().await;
    let request = sent(&server, &desk, RICH).await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/bot123:abc/sendMessage"));
    let body = body(&request);
    assert_eq!(body["chat_id"], "-1001");
    assert_eq!(body["parse_mode"], "HTML");
    assert_eq!(body["link_preview_options"], json!({ "is_disabled": true }));
    let text = body["text"].as_str().unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines.len() <= 12, "{text}");
    assert_eq!(lines[0], "<b>bob Sat 21 Nov 2026: score 68, 2 warnings</b>");
    assert!(lines.contains(&"<b>Wrong</b>") && lines.contains(&"<b>To do</b>"), "{text}");
}

#[tokio::test]
async fn an_alert_says_what_whom_and_how_to_answer() {
    let (server, desk) = telegram().await;
    let body = body(&sent(&server, &desk, "alert").await);
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with("<b>!! alert number 7</b>\nbob 03351c90..d716 · regtest"), "{text}");
    assert!(text.contains("carol holds 1,221,752 sat of yours.\nWait.\n<code>"), "{text}");
    assert_eq!(text.matches("Sat 21 Nov 2026 06:00 UTC").count(), 1, "when it was seen is said once: {text}");
    assert!(text.ends_with("<code>daznode alerts show 'htlc-expiring:2b241d60:7'</code>"), "{text}");
}

#[tokio::test]
async fn discord_mentions_nobody() {
    let server = Server::start(thanks).await;
    let url = format!("{}/api/webhooks/1/abc?wait=true", server.url());
    let desk = Desk::new(&channel("discord", "url_file = \"@url\""), &[("url", &url)]);
    let request = sent(&server, &desk, HOSTILE).await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/api/webhooks/1/abc?wait=true"));
    let body = body(&request);
    assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
    let text = body["content"].as_str().unwrap();
    assert!(text.encode_utf16().count() <= 2000 && !text.contains('@'), "{text}");
}

#[tokio::test]
async fn slack_gets_mrkdwn_without_links() {
    let server = Server::start(thanks).await;
    let url = format!("{}/services/T/B/abc", server.url());
    let desk = Desk::new(&channel("slack", "url_file = \"@url\""), &[("url", &url)]);
    let request = sent(&server, &desk, HOSTILE).await;
    assert_eq!(request.path, "/services/T/B/abc");
    let body = body(&request);
    assert_eq!((&body["unfurl_links"], &body["link_names"]), (&json!(false), &json!(false)));
    let text = body["text"].as_str().unwrap();
    assert!(!text.contains(['<', '>', '@']) && !text.contains("://"), "{text}");
}

#[tokio::test]
async fn ntfy_gets_title_priority_and_tags() {
    let server = Server::start(thanks).await;
    let more = format!("server = \"{}\"\ntopic = \"quiet-topic\"\ntoken_file = \"@token\"", server.url());
    let desk = Desk::new(&channel("ntfy", &more), &[("token", "tk_abc")]);
    let request = sent(&server, &desk, "alert").await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
    assert_eq!(header(&request, "authorization"), Some("bearer tk_abc"));
    let body = body(&request);
    assert_eq!(
        (&body["topic"], &body["priority"], &body["tags"]),
        (&json!("quiet-topic"), &json!(5), &json!(["rotating_light"]))
    );
    assert_eq!(body["title"], "!! alert number 7");
    assert!(body["message"].as_str().unwrap().starts_with("bob 03351c90..d716"), "{body}");
}

#[tokio::test]
async fn matrix_gets_the_key_as_its_transaction() {
    let server = Server::start(thanks).await;
    let more = format!("server = \"{}\"\nroom = \"!a/b:example.org\"\ntoken_file = \"@token\"", server.url());
    let desk = Desk::new(&channel("matrix", &more), &[("token", "syt_abc")]);
    let request = sent(&server, &desk, "alert").await;
    assert_eq!(request.method, "PUT");
    assert_eq!(request.path, "/_matrix/client/v3/rooms/!a%2Fb:example.org/send/m.room.message/alert:7:opened");
    assert_eq!(header(&request, "authorization"), Some("bearer syt_abc"));
    let body = body(&request);
    assert_eq!((&body["msgtype"], &body["m.mentions"]), (&json!("m.text"), &json!({})));
    assert!(
        body["formatted_body"].as_str().unwrap().starts_with("<strong>!! alert number 7</strong><br>bob"),
        "{body}"
    );
    assert!(body["body"].as_str().unwrap().starts_with("!! alert number 7\nbob"), "{body}");
}

#[tokio::test]
async fn a_webhook_is_signed_over_its_time_and_its_very_bytes() {
    let server = Server::start(thanks).await;
    let desk = hook(&server.url());
    let request = sent(&server, &desk, "alert").await;
    let header = |name| header(&request, name).unwrap();
    let seconds = NOW.plus(1000).secs().to_string();
    assert_eq!(header("x-daznode-timestamp"), seconds);
    assert_eq!(header("x-daznode-event"), "alert_opened");
    assert_eq!((header("x-daznode-id"), header("idempotency-key")), ("alert:7:opened", "alert:7:opened"));
    // An independent hand: `openssl dgst -sha256 -hmac KEY`.
    let expected = openssl(&format!("{seconds}.{}", request.body), "topsecret");
    assert_eq!(header("x-daznode-signature"), format!("v1={expected}"));
    let body = body(&request);
    assert_eq!(
        (&body["version"], &body["id"], &body["type"]),
        (&json!(1), &json!("alert:7:opened"), &json!("alert_opened"))
    );
    assert_eq!(
        (&body["severity"], &body["node"]["alias"], &body["user"]),
        (&json!("critical"), &json!("bob"), &json!("alice"))
    );
    assert_eq!(body["at"], "2026-11-21T06:00:00Z");
}

fn openssl(text: &str, key: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-hmac", key]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("openssl is installed");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    said.trim().rsplit(' ').next().unwrap().to_owned()
}

/// A program's answer that is none of the service's own.
#[tokio::test]
async fn a_good_status_from_something_else_is_no_delivery() {
    let portal =
        Server::start(|_| status(200, "content-type: text/html\r\n", "<html>Log in to this network</html>")).await;
    let url = portal.url();
    for (kind, more) in [
        ("telegram", format!("server = \"{url}\"\ntoken_file = \"@token\"\nchat_id = 1")),
        ("slack", "url_file = \"@url\"".to_owned()),
        ("ntfy", format!("server = \"{url}\"\ntopic = \"t\"")),
        ("matrix", format!("server = \"{url}\"\nroom = \"!a:b\"\ntoken_file = \"@token\"")),
    ] {
        let desk = Desk::new(&channel(kind, &more), &[("token", "123:abc"), ("url", &url)]);
        desk.alerts(0..1, NOW);
        let done = desk.deliver(NOW.plus(1000)).await;
        assert_eq!((done.sent, done.failed), (0, 1), "{kind}");
        assert!(done.errors[0].contains("something else than its own thanks"), "{kind}: {:?}", done.errors);
    }
}

#[tokio::test]
async fn no_message_goes_to_a_private_address_that_is_not_named() {
    let server = Server::start(thanks).await;
    let mut desk = hook(&server.url());
    // As an address that was public when the file was written, and is not any more.
    desk.config.notify.allow_private.clear();
    for url in
        [format!("https://127.0.0.1:{}/x", server.port), "https://localhost/x".to_owned(), "https://[::1]/".to_owned()]
    {
        crate::desk::put(&desk.path("url"), &url);
        let said = desk.courier().send_now("hook", &desk.alert(1, NOW), None, NOW).await.unwrap_err();
        assert!(said.contains("not a public address"), "{url}: {said}");
    }
    crate::desk::put(&desk.path("url"), &server.url());
    let said = desk.courier().send_now("hook", &desk.alert(1, NOW), None, NOW).await.unwrap_err();
    assert!(said.contains("expected https://"), "{said}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(thanks).await;
    let to = elsewhere.url();
    let server = Server::start(move |_| status(307, &format!("location: {to}/stolen\r\n"), "")).await;
    let desk = hook(&server.url());
    desk.alerts(0..1, NOW);
    let done = desk.deliver(NOW.plus(1000)).await;
    assert_eq!((done.sent, done.failed), (0, 1));
    assert_eq!((server.count(), elsewhere.count()), (1, 0));
}

#[tokio::test]
async fn offline_nothing_is_sent_and_nothing_is_lost() {
    let server = Server::start(thanks).await;
    let mut desk = hook(&server.url());
    desk.alerts(0..1, NOW);
    desk.config.network.offline = true;
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 0);
    assert_eq!(server.count(), 0);
    desk.config.network.offline = false;
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 1);
}

#[tokio::test]
async fn a_channel_with_a_proxy_asks_it_for_the_name() {
    let socks = crate::server::Socks::start(thanks).await;
    let more =
        format!("url_file = \"@url\"\nsecret_file = \"@secret\"\nproxy = \"socks5h://127.0.0.1:{}\"", socks.port);
    let desk = Desk::new(&channel("webhook", &more), &[("url", "http://abcdef.onion/in"), ("secret", "s")]);
    desk.alerts(0..1, NOW);
    let done = desk.deliver(NOW.plus(1000)).await;
    assert_eq!((done.sent, done.errors), (1, Vec::new()));
    assert_eq!(socks.names(), ["abcdef.onion:80"]);
}
