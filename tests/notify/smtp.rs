//! A mail server on loopback: plain, with STARTTLS or with TLS from the first byte, with and without a login, and with
//! every bad habit that a test asks for.

use std::io;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// How it encrypts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    Plain,
    StartTls,
    Tls,
}

/// Its bad habits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Habit {
    #[default]
    None,
    /// Hangs up once it has the whole mail, without a word.
    DiesAfterData,
    /// Says that it is busy.
    Busy,
    /// Takes no mail for this recipient.
    Refuses,
    /// Takes no login, and repeats what it was told.
    NoLogin,
    /// Accepts and is silent.
    Hangs,
    /// Says no STARTTLS.
    Stripped,
}

/// What came.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Mails that it said it has taken.
    pub taken: Vec<String>,
    /// Mails of which it had every byte.
    pub whole: Vec<String>,
    /// All commands.
    pub commands: Vec<String>,
}

pub struct Smtp {
    pub port: u16,
    /// The authority that its certificate is signed by.
    pub authority: String,
    seen: Arc<Mutex<Seen>>,
    habit: Arc<Mutex<Habit>>,
}

impl Smtp {
    pub async fn start(speaks: Speaks, habit: Habit) -> Self {
        let (acceptor, authority) = acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let smtp = Self {
            port: listener.local_addr().unwrap().port(),
            authority,
            seen: Arc::default(),
            habit: Arc::new(Mutex::new(habit)),
        };
        let (seen, habits) = (Arc::clone(&smtp.seen), Arc::clone(&smtp.habit));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let habit = *habits.lock().unwrap();
                let talk = Talk { seen: Arc::clone(&seen), habit, acceptor: acceptor.clone() };
                tokio::spawn(async move {
                    // A client that hangs up is what some tests want.
                    let _ended = talk.serve(stream, speaks).await;
                });
            }
        });
        smtp
    }

    pub fn behave(&self, habit: Habit) {
        *self.habit.lock().unwrap() = habit;
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

fn acceptor() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

struct Talk {
    seen: Arc<Mutex<Seen>>,
    habit: Habit,
    acceptor: TlsAcceptor,
}

impl Talk {
    async fn serve(&self, stream: TcpStream, speaks: Speaks) -> io::Result<()> {
        if self.habit == Habit::Hangs {
            std::future::pending::<()>().await;
        }
        if speaks == Speaks::Tls {
            let stream = self.acceptor.accept(stream).await?;
            return self.talk(BufReader::new(stream), true, true).await.map(|_| ());
        }
        let stripped = speaks == Speaks::Plain || self.habit == Habit::Stripped;
        let upgraded = self.talk(BufReader::new(stream), true, stripped).await?;
        if let Some(stream) = upgraded {
            let stream = self.acceptor.accept(stream.into_inner()).await?;
            self.talk(BufReader::new(stream), false, true).await?;
        }
        Ok(())
    }

    /// Speaks until the end; the stream where TLS is to begin.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: BufReader<S>,
        greets: bool,
        encrypted: bool,
    ) -> io::Result<Option<BufReader<S>>> {
        if greets {
            stream.write_all(b"220 mail.test ESMTP\r\n").await?;
        }
        loop {
            let Some(line) = line(&mut stream).await? else { return Ok(None) };
            self.seen.lock().unwrap().commands.push(line.clone());
            let word = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
            let answer = match word.as_str() {
                "EHLO" if encrypted => "250-mail.test\r\n250 AUTH PLAIN LOGIN".to_owned(),
                "EHLO" => "250-mail.test\r\n250 STARTTLS".to_owned(),
                "STARTTLS" if encrypted => "502 no".to_owned(),
                "STARTTLS" => {
                    stream.write_all(b"220 go on\r\n").await?;
                    return Ok(Some(stream));
                }
                "AUTH" if self.habit == Habit::NoLogin => format!("535 5.7.8 no such login: {line}"),
                "AUTH" => "235 welcome".to_owned(),
                "MAIL" if self.habit == Habit::Busy => "451 4.3.0 try again later".to_owned(),
                "RCPT" if self.habit == Habit::Refuses => "550 5.1.1 no such user here".to_owned(),
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let Some(mail) = data(&mut stream).await? else { return Ok(None) };
                    self.seen.lock().unwrap().whole.push(mail.clone());
                    if self.habit == Habit::DiesAfterData {
                        return Ok(None);
                    }
                    self.seen.lock().unwrap().taken.push(mail);
                    "250 taken".to_owned()
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(None);
                }
                _ => "250 fine".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<String>> {
    let mut text = String::new();
    let read = stream.read_line(&mut text).await?;
    Ok((read > 0).then(|| text.trim_end().to_owned()))
}

async fn data<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<String>> {
    let mut mail = String::new();
    loop {
        let mut text = String::new();
        if stream.read_line(&mut text).await? == 0 {
            return Ok(None);
        }
        if text == ".\r\n" {
            return Ok(Some(mail));
        }
        mail.push_str(text.strip_prefix('.').unwrap_or(&text));
    }
}
