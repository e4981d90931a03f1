//! Work for many seeds on a few threads. What comes out is in the order of the seeds, whichever was done first.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Does `work` for each seed on so many threads, and says on stderr how far it is.
pub fn all<T: Send>(name: &str, jobs: usize, seeds: &[u64], work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::new());
    let progress = Progress { name, started: Instant::now(), all: seeds.len() };
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, seeds.len().max(1)) {
            scope.spawn(|| {
                while let Some((n, seed)) = take(&next, seeds) {
                    let result = work(seed);
                    let mut done = done.lock().unwrap();
                    done.push((n, result));
                    progress.say(done.len());
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, result)| result).collect()
}

fn take(next: &AtomicUsize, seeds: &[u64]) -> Option<(usize, u64)> {
    let n = next.fetch_add(1, Ordering::Relaxed);
    Some((n, *seeds.get(n)?))
}

struct Progress<'a> {
    name: &'a str,
    started: Instant,
    all: usize,
}

impl Progress<'_> {
    fn say(&self, done: usize) {
        let passed = self.started.elapsed();
        let parts = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).max(1);
        let left: Duration = passed / parts(done) * u32::try_from(self.all - done).unwrap_or(u32::MAX);
        let (name, all) = (self.name, self.all);
        eprintln!("backtest: {name}: {done} of {all} nodes in {} s, about {} s left", passed.as_secs(), left.as_secs());
    }
}
