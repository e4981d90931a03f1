//! Mail: text and HTML of the same message, over SMTP with TLS from its first byte or before anything is said.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lettre::Message as Mail;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::channel::Ready;
use super::failed::{Failed, Why};
use super::markup::{MAIL, fit};
use super::message::Message;
use super::post::exposed;
use crate::config::notify::Tls;
use crate::render::digest::Piece;
use crate::render::safe;
use crate::sources::http::line;
use crate::sources::socket::{Dial, Socket};

/// 9999-12-31, the last day that the date of a mail can say. What waits may come from a store that was changed by hand.
const LATEST_MS: u64 = 253_402_214_400_000;

/// Characters of the text, and of the HTML.
const LIMIT: usize = 200_000;

/// The whole mail.
pub(super) fn compose(ready: &Ready<'_>, message: &Message) -> Result<Mail, Failed> {
    let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|_| Failed::setup(format!("{text} is no mail address")));
    let from = mailbox(ready.channel.from.as_deref().unwrap_or_default())?;
    let host = from.email.domain().to_owned();
    let millis = u64::try_from(message.at.0).unwrap_or(0).min(LATEST_MS);
    let written: SystemTime = UNIX_EPOCH + Duration::from_millis(millis);
    // The same at each try, so that a reader shows it once.
    let id: String = hex::encode(Sha256::digest(message.key.as_bytes())).chars().take(32).collect();
    let mut builder = Mail::builder()
        .from(from)
        .subject(safe::clip(&message.title, 200))
        .date(written)
        .message_id(Some(format!("<{id}@{host}>")));
    for to in &ready.channel.to {
        builder = builder.to(mailbox(to)?);
    }
    let limit = ready.limit(LIMIT);
    let text = fit(&MAIL.lines(&message.pieces), limit, "\n", str::len);
    let body = MultiPart::alternative()
        .singlepart(SinglePart::plain(format!("{}\n", text.trim_start_matches('\n'))))
        .singlepart(SinglePart::html(page(message, limit)));
    builder.multipart(body).map_err(|error| Failed::new(Why::Unfit, format!("the mail can't be made: {error}")))
}

/// The HTML: no script, no picture, nothing that is fetched; colours are the reader's own.
fn page(message: &Message, limit: usize) -> String {
    let title = safe::html(&message.title);
    let body = fit(&blocks(&message.pieces), limit, "\n", str::len);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\n\
         <style>body{{font-family:sans-serif;max-width:46em}}td,th{{padding:0 .6em 0 0;text-align:right}}\
         td:first-child,th:first-child{{text-align:left}}pre{{white-space:pre-wrap}}</style></head>\n\
         <body><h1 style=\"font-size:1.2em\">{title}</h1>\n{body}\n</body></html>\n"
    )
}

/// Each piece as HTML that is whole by itself.
fn blocks(pieces: &[Piece]) -> Vec<String> {
    let html = safe::html;
    let block = |piece: &Piece| match piece {
        Piece::Head(text) => format!("<h2 style=\"font-size:1em\">{}</h2>", html(text)),
        Piece::Text(text) => format!("<p>{}</p>", html(text)),
        Piece::Item { sign, text, more } if more.is_empty() => format!("<p>{} <b>{}</b></p>", html(sign), html(text)),
        Piece::Item { sign, text, more } => {
            format!("<p>{} <b>{}</b><br>{}</p>", html(sign), html(text), html(more))
        }
        Piece::Code(text) => format!("<pre>{}</pre>", html(text)),
        Piece::Table(rows) => table(rows),
    };
    pieces.iter().map(block).collect()
}

fn table(rows: &[Vec<String>]) -> String {
    let mut out = String::from("<table>\n");
    for (i, row) in rows.iter().enumerate() {
        let tag = if i == 0 { "th" } else { "td" };
        out.push_str("<tr>");
        for cell in row {
            out.push_str(&format!("<{tag}>{}</{tag}>", safe::html(cell)));
        }
        out.push_str("</tr>\n");
    }
    out + "</table>"
}

/// The mail as it goes over the wire, for people.
pub(super) fn shown(mail: &Mail) -> String {
    String::from_utf8_lossy(&mail.formatted()).replace("\r\n", "\n")
}

/// Sends it once.
pub(super) async fn send(mail: &Mail, ready: &Ready<'_>, proxy: Option<&str>, limit: Duration) -> Result<(), Failed> {
    let server = ready.channel.server.as_deref().unwrap_or_default();
    let (host, port) = server.rsplit_once(':').unwrap_or((server, ""));
    let host = host.trim_matches(['[', ']']);
    let port = port.parse().map_err(|_| Failed::setup("server has no port"))?;
    let dial = Dial { host, port, proxy, limit };
    let fault = |error: smtp::Error| failed(ready, server, &error);
    let wire = connect(&dial, ready).await?;
    let hello = ClientId::Domain("localhost".to_owned());
    let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello).await.map_err(fault)?;
    if ready.channel.tls.unwrap_or_default() == Tls::Starttls {
        connection.starttls(parameters(host, ready)?, &hello).await.map_err(fault)?;
    }
    if let Some(user) = &ready.channel.user {
        let credentials = Credentials::new(user.clone(), exposed(ready.token.as_ref()).to_owned());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(fault)?;
    }
    connection.send(mail.envelope(), &mail.formatted()).await.map_err(fault)?;
    // The server has taken it: how it says good-bye changes nothing.
    let _ = connection.quit().await;
    Ok(())
}

async fn connect(dial: &Dial<'_>, ready: &Ready<'_>) -> Result<Wire, Failed> {
    let stream = dial.connect().await?;
    Ok(match ready.channel.tls.unwrap_or_default() {
        Tls::Implicit => {
            let stream = dial.encrypt(stream, ready.authority.as_deref()).await;
            Wire(Box::new(stream.map_err(|error| no_tls(&error.to_string()).unwrap_or_else(|| error.into()))?))
        }
        Tls::Starttls | Tls::None => Wire(Box::new(stream)),
    })
}

/// Words for a server that greets in the clear where TLS was to begin: it is another port's protocol.
fn no_tls(words: &str) -> Option<Failed> {
    let said = words.strip_suffix(": received corrupt message of type InvalidContentType")?;
    Some(Failed::new(
        Why::Passing,
        format!("{said}: no TLS from the first byte there: set tls = \"starttls\", or port 465"),
    ))
}

fn parameters(host: &str, ready: &Ready<'_>) -> Result<TlsParameters, Failed> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = &ready.authority {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(Failed::setup)?);
    }
    builder.build_rustls().map_err(Failed::setup)
}

/// What the mail server said, without what it may repeat of a password.
fn failed(ready: &Ready<'_>, server: &str, error: &smtp::Error) -> Failed {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !words.contains(&said) {
            words.push_str(&format!(": {said}"));
        }
        cause = deeper.source();
    }
    let words = ready.without_secrets(&line(&words));
    let code = error.status().map(u16::from);
    let why = match code {
        // The server knows neither us nor our right to send.
        Some(530 | 534 | 535 | 538) => Why::Refused,
        Some(500..) => Why::Unfit,
        _ if error.is_client() => Why::Refused,
        _ => Why::Passing,
    };
    Failed::new(why, format!("{server}: {words}"))
}

/// A connection as the mail library wants it.
struct Wire(Box<dyn Socket>);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_wants_starttls_is_told_by_that_name() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let greet = async {
            let (mut stream, _) = server.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example.org ESMTP\r\n").await.unwrap();
            stream
        };
        let dial = Dial { host: "127.0.0.1", port, proxy: None, limit: Duration::from_secs(5) };
        let encrypt = async { dial.encrypt(dial.connect().await.unwrap(), None).await.map(|_| ()).unwrap_err() };
        let (_stream, error) = tokio::join!(greet, encrypt);
        let said = no_tls(&error.to_string()).unwrap().words;
        let want = "no TLS from the first byte there: set tls = \"starttls\", or port 465";
        assert!(said.starts_with("cannot reach 127.0.0.1") && said.ends_with(want), "{said}");
        assert_eq!(no_tls("cannot reach 127.0.0.1: connection refused"), None);
    }
}
