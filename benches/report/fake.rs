//! The fake LND as a process of its own: started, told to go on to the next day, and ended.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::fake_lnd::{Asked, FakeLnd};
use crate::large::Large;
use crate::recorded::Recorded;

/// The first argument that makes this program a fake LND.
pub const WORD: &str = "fake-lnd";

/// A running one. It ends when dropped.
pub struct Fake {
    child: Child,
    told: Option<ChildStdin>,
    /// `127.0.0.1:port`.
    pub address: String,
    /// Its `tls.cert`.
    pub certificate: Vec<u8>,
}

impl Fake {
    /// Starts it with these words and waits until all its answers are made.
    pub fn start(words: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(WORD)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = child.stdin.take();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        said.read_line(&mut address).unwrap();
        let mut certificate = String::new();
        while !certificate.contains("-----END") {
            assert!(said.read_line(&mut certificate).unwrap() > 0, "the fake LND did not start");
        }
        Self { child, told, address: address.trim().to_owned(), certificate: certificate.into_bytes() }
    }

    /// Whether it has the last day too from now on.
    pub fn last_day(&mut self, has: bool) {
        self.told.as_mut().unwrap().write_all(if has { b"+" } else { b"-" }).unwrap();
        // It has nothing to say about it; a moment is enough.
        std::thread::sleep(Duration::from_millis(200));
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.told.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process itself: `recorded MILLISECONDS SLOW_METHOD SLOW_MILLISECONDS`, or `large CHANNELS FORWARDS PAYMENTS GRAPH`.
pub fn serve(words: &[String]) {
    let number = |n: usize| words[n].parse::<usize>().unwrap();
    let delay = |n: usize| Duration::from_millis(number(n).try_into().unwrap());
    let all = Arc::new(AtomicBool::new(false));
    let lnd = if words[0] == "large" {
        let large = Large::make(number(1), number(2), number(3), Path::new(&words[4]));
        let all = Arc::clone(&all);
        FakeLnd::builder().answer(move |asked| large.answer(asked, all.load(Ordering::SeqCst))).start()
    } else {
        let (recorded, method, slow) = (Recorded::read(), words[2].clone(), delay(3));
        let answer = move |asked: &Asked<'_>| recorded.answer(asked, &method, slow);
        FakeLnd::builder().answer(answer).delay(delay(1)).start()
    };
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{}\n{}", lnd.address(), lnd.certificate()).as_bytes()).unwrap();
    out.flush().unwrap();
    // Each byte is a word; where they end, so do we.
    let mut byte = [0];
    while std::io::stdin().read(&mut byte).is_ok_and(|n| n > 0) {
        all.store(byte == *b"+", Ordering::SeqCst);
    }
}
