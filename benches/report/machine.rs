//! Runs the real binary and looks at it from outside: time from start to exit, time on processors, peak memory.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::place::Place;

/// A tick of `/proc/*/stat`, which is a hundredth of a second on every Linux that we know.
const TICK: Duration = Duration::from_millis(10);
/// How often the memory of a running process is looked at. The kernel keeps the peak itself.
const LOOK: Duration = Duration::from_millis(2);

/// One run of the binary.
pub struct Ran {
    pub wall: Duration,
    /// On processors, all its threads.
    pub cpu: Duration,
    /// Peak of what was in memory, in millions of bytes; 0 where it was not looked at.
    pub megabytes: f64,
}

impl Ran {
    pub fn ms(&self) -> f64 {
        self.wall.as_secs_f64() * 1000.0
    }
}

/// Time on processors for each of some runs.
pub fn mean_cpu(runs: &[Ran]) -> Option<Duration> {
    let sum: Duration = runs.iter().map(|ran| ran.cpu).sum();
    Some(sum / u32::try_from(runs.len()).ok()?)
}

/// Runs `daznode` and waits for its end; anything but success ends the bench.
pub fn run(place: &Place, args: &[&str], watch_memory: bool) -> Ran {
    let said = place.path("said");
    let mut command = place.command(args);
    let stderr = File::create(&said).unwrap();
    command.stdout(Stdio::null()).stderr(stderr);
    let before = children_cpu();
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let (status, wall, peak) = if watch_memory {
        let done = AtomicBool::new(false);
        let pid = child.id();
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| watch(pid, &done));
            let status = child.wait();
            let wall = started.elapsed();
            done.store(true, Ordering::Relaxed);
            (status, wall, watcher.join().unwrap())
        })
    } else {
        let status = child.wait();
        (status, started.elapsed(), 0)
    };
    let code = status.unwrap().code();
    // 3: made, some with gaps.
    let fine = matches!(code, Some(0 | 3));
    assert!(fine, "{args:?} ended with {code:?}:\n{}", std::fs::read_to_string(&said).unwrap());
    let bytes = u32::try_from(peak).map_or(f64::INFINITY, f64::from) * 1024.0;
    Ran { wall, cpu: children_cpu().saturating_sub(before), megabytes: bytes / 1e6 }
}

/// What the last run said to people.
pub fn said(place: &Place) -> String {
    std::fs::read_to_string(place.path("said")).unwrap()
}

/// Peak resident memory of a process in KiB, looked at until it is done.
fn watch(pid: u32, done: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !done.load(Ordering::Relaxed) {
        peak = peak.max(high_water(&pid.to_string()).unwrap_or(0));
        std::thread::sleep(LOOK);
    }
    peak
}

/// What the kernel kept as a process's peak, in KiB.
fn high_water(pid: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The peak of this very process in millions of bytes.
pub fn own_peak() -> f64 {
    let kib = high_water("self").unwrap();
    f64::from(u32::try_from(kib).unwrap()) * 1024.0 / 1e6
}

/// Time on processors of all children that were waited for.
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name, in brackets, may have spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u32 = fields[13].parse::<u32>().unwrap() + fields[14].parse::<u32>().unwrap();
    TICK * ticks
}

/// Milliseconds that it takes to keep 4 KiB on this disk, as every commit has to.
pub fn synced_write(place: &Place) -> f64 {
    let mut file = File::create(place.path("synced")).unwrap();
    let mut taken: Vec<f64> = (0..21)
        .map(|_| {
            let started = Instant::now();
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
            started.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken[10]
}

/// The mean of the last minute.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

/// What this was measured on, in words that name nothing.
pub fn described() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let debug = if cfg!(debug_assertions) { "; built WITHOUT optimisation" } else { "" };
    format!("measured on {cores} cores{debug}")
}

/// The size of a file in millions of bytes.
pub fn megabytes(file: &Path) -> f64 {
    let bytes = std::fs::metadata(file).map_or(0, |meta| meta.len());
    f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0
}

/// The binary of the same build as this program.
pub fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_daznode"))
}
