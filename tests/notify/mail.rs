//! Mail, from the first byte of TLS to what a browser makes of the HTML.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;

use crate::desk::{Desk, HOSTILE, NOW, RICH, put};
use crate::smtp::{Habit, Smtp, Speaks};

fn desk(smtp: &Smtp, tls: &str, login: bool) -> Desk {
    let login = if login { "user = \"bob\"\npassword_file = \"@password\"\n" } else { "" };
    let channel = format!(
        "[notify.channels.mail]\nkind = \"email\"\nseverity = \"info\"\nserver = \"localhost:{}\"\ntls = \"{tls}\"\n\
         from = \"daznode@example.org\"\nto = [\"bob@example.org\", \"carol@example.org\"]\nca_file = \"@ca\"\n{login}",
        smtp.port
    );
    Desk::new(&channel, &[("ca", &smtp.authority), ("password", "open-sesame")])
}

/// The parts of a mail: headers, text, HTML.
fn parts(mail: &str) -> (String, String, String) {
    let (head, rest) = mail.split_once("\r\n\r\n").unwrap();
    let boundary = rest.lines().find_map(|line| line.strip_prefix("--")).unwrap().to_owned();
    let parts: Vec<String> = rest.split(&format!("--{boundary}")).skip(1).take(2).map(decoded).collect();
    (head.to_owned(), parts[0].clone(), parts[1].clone())
}

fn decoded(part: &str) -> String {
    let (head, body) = part.trim_start().split_once("\r\n\r\n").unwrap();
    if head.to_lowercase().contains("base64") {
        let bytes = base64::engine::general_purpose::STANDARD.decode(body.replace(['\r', '\n'], "")).unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    if head.to_lowercase().contains("quoted-printable") {
        let body = body.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = body.as_bytes();
        while let [first, after @ ..] = rest {
            let code = after.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
            let code = code.filter(|_| *first == b'=');
            bytes.push(code.unwrap_or(*first));
            rest = if code.is_some() { &after[2..] } else { after };
        }
        return String::from_utf8(bytes).unwrap();
    }
    body.to_owned()
}

#[tokio::test]
async fn mail_goes_with_tls_from_the_first_byte_or_after_starttls_or_plain_on_this_machine() {
    for (speaks, tls, login) in [
        (Speaks::Tls, "implicit", true),
        (Speaks::Tls, "implicit", false),
        (Speaks::StartTls, "starttls", true),
        (Speaks::Plain, "none", false),
    ] {
        let smtp = Smtp::start(speaks, Habit::None).await;
        let desk = desk(&smtp, tls, login);
        desk.digest(RICH);
        let done = desk.deliver(NOW.plus(1000)).await;
        assert_eq!((done.sent, done.errors), (1, Vec::new()), "{tls}");
        let seen = smtp.seen();
        let (head, text, html) = parts(&seen.taken[0]);
        assert!(head.contains("From: daznode@example.org"), "{head}");
        assert!(head.contains("To: bob@example.org, carol@example.org"), "{head}");
        assert!(head.contains("Subject: bob Sat 21 Nov 2026: score 68, 2 warnings"), "{head}");
        assert!(head.contains("Date: Sat, 21 Nov 2026 06:00:00 +0000"), "{head}");
        for part in [&text, &html] {
            for word in ["Wrong", "To do", "Changed", "Channels", "lncli"] {
                assert!(part.contains(word), "{word}: {part}");
            }
        }
        assert_eq!(seen.commands.iter().filter(|c| c.starts_with("AUTH")).count(), usize::from(login));
    }
}

#[tokio::test]
async fn without_tls_nothing_is_said_to_a_server_that_should_have_it() {
    let smtp = Smtp::start(Speaks::StartTls, Habit::Stripped).await;
    let desk = desk(&smtp, "starttls", true);
    desk.alerts(0..1, NOW);
    let done = desk.deliver(NOW.plus(1000)).await;
    assert_eq!((done.sent, done.failed), (0, 1));
    assert!(done.errors[0].contains("STARTTLS"), "{:?}", done.errors);
    let said = smtp.seen().commands;
    assert!(said.iter().all(|c| c.starts_with("EHLO") || c.starts_with("QUIT")), "{said:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused() {
    let (smtp, other) = (Smtp::start(Speaks::Tls, Habit::None).await, Smtp::start(Speaks::Tls, Habit::None).await);
    let desk = desk(&smtp, "implicit", true);
    put(&desk.path("ca"), &other.authority);
    desk.alerts(0..1, NOW);
    let done = desk.deliver(NOW.plus(1000)).await;
    assert_eq!((done.sent, done.failed), (0, 1));
    assert!(done.errors[0].contains("certificate"), "{:?}", done.errors);
    assert!(smtp.seen().commands.is_empty());
}

#[tokio::test]
async fn a_server_that_dies_with_the_mail_gets_it_again_under_the_same_id() {
    let smtp = Smtp::start(Speaks::Plain, Habit::DiesAfterData).await;
    let desk = desk(&smtp, "none", false);
    desk.alerts(0..1, NOW);
    assert_eq!(desk.deliver(NOW.plus(1000)).await.failed, 1);
    smtp.behave(Habit::None);
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 0, "not before its time");
    assert_eq!(desk.deliver(NOW.plus(60_000)).await.sent, 1);
    let whole = smtp.seen().whole;
    let id = |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
    assert_eq!(whole.len(), 2);
    assert_eq!(id(&whole[0]), id(&whole[1]));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_one_that_refuses_three_times() {
    for (habit, last) in [(Habit::Busy, false), (Habit::Refuses, true), (Habit::NoLogin, true)] {
        let smtp = Smtp::start(Speaks::StartTls, habit).await;
        let desk = desk(&smtp, "starttls", true);
        desk.alerts(0..1, NOW);
        let mut now = NOW;
        for _ in 0..3 {
            now = now.plus(600_000);
            assert_eq!(desk.deliver(now).await.sent, 0);
        }
        assert_eq!(desk.dead().len(), usize::from(last), "{habit:?}");
    }
}

#[tokio::test]
async fn text_of_others_stays_text_in_every_header_and_part() {
    let smtp = Smtp::start(Speaks::Plain, Habit::None).await;
    let desk = desk(&smtp, "none", false);
    desk.digest(HOSTILE);
    let mut event = desk.alert(1, NOW.plus(1));
    event.title = "x\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script>".to_owned();
    desk.store().tell(&desk.profile, &event).unwrap();
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 2);
    let seen = smtp.seen();
    assert!(!seen.commands.iter().any(|command| command.contains("eve")), "{:?}", seen.commands);
    for mail in &seen.taken {
        let (head, _, html) = parts(mail);
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
        let lower = html.to_lowercase();
        for word in ["<script", "<img", "<a ", "<iframe", "<svg"] {
            assert!(!lower.contains(word), "{word}: {html}");
        }
    }
}

/// The browser that is installed, if one is.
fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        std::env::var_os("PATH")
            .is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join(name).exists()))
    })
}

/// What a browser makes of a page: its document once everything has run.
fn browsed(browser: &str, page: &Path) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", home.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_browser_runs_no_script_of_a_mail() {
    let Some(browser) = chromium() else {
        eprintln!("skipped: no chromium on PATH");
        return;
    };
    let smtp = Smtp::start(Speaks::Plain, Habit::None).await;
    let desk = desk(&smtp, "none", false);
    desk.digest(HOSTILE);
    assert_eq!(desk.deliver(NOW.plus(1000)).await.sent, 1);
    let (_, _, html) = parts(&smtp.seen().taken[0]);
    // Without the policy, so that the escaping alone is tried; the fixture's scripts would change the title.
    let open = html.replace("Content-Security-Policy", "X-Off").replace("<title>", "<title>good: ");
    let page = desk.path("mail.html");
    put(&page, &open);
    let dom = browsed(browser, &page).to_lowercase();
    assert!(dom.contains("<title>good: "), "{dom}");
    for element in ["<script", "<img", "<iframe", "<a ", "<svg", "<link", "<form"] {
        assert!(!dom.contains(element), "{element}: {dom}");
    }
    // And it does run what is not escaped.
    put(&page, &open.replace("</body>", "<script>document.title = 'evil'</script></body>"));
    assert!(browsed(browser, &page).contains("<title>evil</title>"));
}
