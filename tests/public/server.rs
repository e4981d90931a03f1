//! A server on loopback that says exactly what a test wants, byte by byte, and remembers what it was asked.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Request line and headers, in lower case.
    pub head: String,
    pub body: String,
}

/// What the server does with a request.
#[derive(Clone)]
pub enum Say {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// The same after a pause.
    After(Duration, Vec<u8>),
    /// A good head, then this again and again, up to so many times.
    Again(&'static str, Vec<u8>, usize),
    /// A good head, then one byte at a time.
    Drip(Duration),
    /// Nothing at all.
    Hang,
}

pub fn status(code: u16, headers: &str, body: &str) -> Say {
    let head = format!("HTTP/1.1 {code} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    Say::Bytes([head.as_bytes(), body.as_bytes()].concat())
}

pub fn ok(body: &str) -> Say {
    status(200, "content-type: application/json\r\n", body)
}

pub struct Server {
    pub port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    pub sent: Arc<AtomicUsize>,
    pub connections: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start(say: impl Fn(&Request) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            seen: Arc::default(),
            sent: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, sent, connections) =
            (Arc::clone(&server.seen), Arc::clone(&server.sent), Arc::clone(&server.connections));
        let say = Arc::new(say);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (seen, sent, say) = (Arc::clone(&seen), Arc::clone(&sent), Arc::clone(&say));
                tokio::spawn(async move {
                    // A client that hangs up on a bad server is what most tests want.
                    let _ended = serve(stream, &seen, &sent, &*say).await;
                });
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.seen().into_iter().map(|request| request.path).collect();
        paths.sort();
        paths
    }

    pub fn count(&self) -> usize {
        self.seen().len()
    }
}

pub async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Request>>,
    sent: &AtomicUsize,
    say: &(impl Fn(&Request) -> Say + ?Sized),
) -> io::Result<()> {
    let request = read(&mut stream).await?;
    seen.lock().unwrap().push(request.clone());
    match say(&request) {
        Say::Bytes(bytes) => stream.write_all(&bytes).await?,
        Say::After(pause, bytes) => {
            tokio::time::sleep(pause).await;
            stream.write_all(&bytes).await?;
        }
        Say::Again(headers, chunk, times) => {
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{headers}connection: close\r\n\r\n").as_bytes()).await?;
            for _ in 0..times {
                stream.write_all(&chunk).await?;
                sent.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
        Say::Drip(pause) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(pause).await;
            }
        }
        Say::Hang => tokio::time::sleep(Duration::from_mins(1)).await,
    }
    stream.shutdown().await
}

async fn read(stream: &mut TcpStream) -> io::Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let raw = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let head = raw.to_ascii_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.trim().parse().unwrap());
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut words = raw.split(' ');
    Ok(Request {
        method: words.next().unwrap().to_owned(),
        path: words.next().unwrap().to_owned(),
        head,
        body: String::from_utf8_lossy(&bytes[end + 4..]).into_owned(),
    })
}

/// A SOCKS5 proxy that resolves nothing: it notes the name that it was asked for and answers as that host.
pub struct Socks {
    pub port: u16,
    names: Arc<Mutex<Vec<String>>>,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Socks {
    pub async fn start(say: impl Fn(&Request) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socks = Self { port: listener.local_addr().unwrap().port(), names: Arc::default(), seen: Arc::default() };
        let (names, seen, say) = (Arc::clone(&socks.names), Arc::clone(&socks.seen), Arc::new(say));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (names, seen, say) = (Arc::clone(&names), Arc::clone(&seen), Arc::clone(&say));
                tokio::spawn(async move {
                    let name = greet(&mut stream).await.unwrap();
                    names.lock().unwrap().push(name);
                    let _ended = serve(stream, &seen, &AtomicUsize::new(0), &*say).await;
                });
            }
        });
        socks
    }

    pub fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// RFC 1928 without authentication; the address as `name:port`, or `ip …` where it came resolved.
async fn greet(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await?;
    let mut methods = vec![0; usize::from(head[1])];
    stream.read_exact(&mut methods).await?;
    stream.write_all(&[5, 0]).await?;
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let name = match request[3] {
        3 => {
            let length = stream.read_u8().await?;
            let mut name = vec![0; usize::from(length)];
            stream.read_exact(&mut name).await?;
            String::from_utf8(name).unwrap()
        }
        4 => format!("ip {}", stream.read_u128().await?),
        _ => format!("ip {}", stream.read_u32().await?),
    };
    let port = stream.read_u16().await?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    Ok(format!("{name}:{port}"))
}

/// A gzip stream of `runs` times 258 zero bytes, made by hand: one literal, then the longest repeats there are.
pub fn gzip_of_zeros(runs: usize) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut acc, mut filled) = (0_u32, 0);
    let mut put = |bits: u32, count: u32, out: &mut Vec<u8>| {
        acc |= bits << filled;
        filled += count;
        while filled >= 8 {
            out.push(acc.to_le_bytes()[0]);
            acc >>= 8;
            filled -= 8;
        }
    };
    // Last block, fixed codes; then the literal 0 (00110000); codes go out with their highest bit first.
    put(0b1, 1, &mut out);
    put(0b01, 2, &mut out);
    put(0b0000_1100, 8, &mut out);
    for _ in 0..runs {
        // Length 258 is symbol 285 (11000101), distance 1 is symbol 0 (00000).
        put(0b1010_0011, 8, &mut out);
        put(0, 5, &mut out);
    }
    out
}
