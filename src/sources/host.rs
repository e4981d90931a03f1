//! The machine that LND or daznode's state lives on: disks, LND's databases, memory. Only files are looked at.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::snapshot::{Disk, Fact, Host};
use crate::units::Network;

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// daznode's state folder.
    pub state: &'a Path,
    /// LND's data folder, the one with `chain` and `graph` in it, where it is known.
    pub data: Option<&'a Path>,
    /// The chain of the node.
    pub network: Network,
    /// Whether LND is reached without leaving this machine.
    pub lnd_is_here: bool,
}

/// What was seen, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The facts.
    pub host: Host,
    /// Parts that were not looked at or are not there, each with its reason.
    pub not_measured: Vec<(String, String)>,
}

/// Looks at the machine. `clock_ahead` is what a public source's own time showed.
pub fn look(places: &Places<'_>, clock_ahead: Option<Fact<i64>>) -> Seen {
    let mut seen = Seen::default();
    let data = places.data.filter(|data| data.is_dir());
    let mut not = |part: &str, reason: &str| seen.not_measured.push((format!("host.{part}"), reason.to_owned()));
    seen.host.disks = disks([("lnd", data), ("daznode", Some(places.state))]);
    seen.host.database_bytes = data.and_then(|data| database_bytes(data, places.network));
    if places.lnd_is_here || data.is_some() {
        let memory = Memory::read();
        seen.host.memory_available_bytes = memory.available;
        seen.host.memory_total_bytes = memory.total;
        let databases = seen.host.database_bytes.is_some();
        match (data, places.data) {
            (None, Some(_)) => not("lnd", "LND's folder can't be looked into by the user that runs daznode"),
            (None, None) => not("lnd", "LND's folder is not known: `daznode enable` takes --lnddir DIR"),
            (Some(_), _) if !databases => not("database", "LND's folder has no database file that can be seen"),
            (Some(_), _) => {}
        }
        if memory.total.is_none() {
            not("memory", "/proc/meminfo can't be read; a service sees it with ProcSubset=all");
        }
    } else {
        not("lnd", "LND runs on another machine");
        not("memory", "LND runs on another machine");
    }
    if clock_ahead.is_none() {
        not("clock", "no public source told its time in this run");
    }
    seen.host.clock_ahead = clock_ahead;
    seen
}

/// The file systems of these folders, each once; a folder that can't be looked at is left out.
fn disks<const N: usize>(folders: [(&str, Option<&Path>); N]) -> Vec<Disk> {
    let mut found: Vec<(u64, Disk)> = Vec::new();
    for (holds, folder) in folders {
        let Some((device, disk)) = folder.and_then(|folder| disk(holds, folder)) else { continue };
        match found.iter_mut().find(|(known, _)| *known == device) {
            Some((_, known)) => known.holds = format!("{},{holds}", known.holds),
            None => found.push((device, disk)),
        }
    }
    found.into_iter().map(|(_, disk)| disk).collect()
}

fn disk(holds: &str, folder: &Path) -> Option<(u64, Disk)> {
    let device = std::fs::metadata(folder).ok()?.dev();
    let said = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(said.f_frsize);
    // A file system of no size, as some in memory are, can't run full.
    (said.f_blocks > 0).then(|| {
        let disk =
            Disk { holds: holds.to_owned(), free_bytes: bytes(said.f_bavail), total_bytes: bytes(said.f_blocks) };
        (device, disk)
    })
}

/// Files looked at in one folder, which may hold anything.
const MOST_FILES: usize = 1_000;

/// LND's databases: of the graph and channels, and of the wallet. `None` where there is none, as with `PostgreSQL`.
fn database_bytes(data: &Path, network: Network) -> Option<u64> {
    let folders = [data.join("graph"), data.join("chain/bitcoin")].map(|folder| folder.join(network.as_str()));
    let sizes: Vec<u64> = folders.iter().flat_map(|folder| database_sizes(folder)).collect();
    (!sizes.is_empty()).then(|| sizes.into_iter().fold(0, u64::saturating_add))
}

fn database_sizes(folder: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_FILES);
    let is_database = |path: &Path| {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        ending == "db" || ending.starts_with("sqlite")
    };
    let size = |entry: std::fs::DirEntry| {
        let about = entry.metadata().ok()?;
        (about.is_file() && is_database(&entry.path())).then_some(about.len())
    };
    entries.filter_map(size).collect()
}

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    total: Option<u64>,
    available: Option<u64>,
}

/// The limits of the container that daznode runs in, where it runs in one: the machine's own root has no such file.
const CONTAINER: &str = "/sys/fs/cgroup";

impl Memory {
    fn read() -> Self {
        let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let machine = Self::of_machine(&text(Path::new("/proc/meminfo")));
        let container = Path::new(CONTAINER);
        let [max, current, stat] =
            ["memory.max", "memory.current", "memory.stat"].map(|name| text(&container.join(name)));
        machine.within(&max, &current, &stat)
    }

    /// From `/proc/meminfo`, in kibibytes there.
    fn of_machine(meminfo: &str) -> Self {
        let amount = |name: &str| {
            let rest = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            rest.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1024)
        };
        match (amount("MemTotal"), amount("MemAvailable")) {
            (Some(total), available) if total > 0 => {
                Self { total: Some(total), available: available.filter(|available| *available <= total) }
            }
            _ => Self::default(),
        }
    }

    /// No more than a container may use; what it holds of files is given back when it is needed.
    fn within(self, max: &str, current: &str, stat: &str) -> Self {
        let Some((max, total)) = max.trim().parse::<u64>().ok().zip(self.total).filter(|(max, total)| max < total)
        else {
            return self;
        };
        let files = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.trim().parse::<u64>().ok());
        let used = current.trim().parse::<u64>().ok().map(|used| used.saturating_sub(files.unwrap_or(0)));
        let left = used.map(|used| max.saturating_sub(used));
        let available = self.available.zip(left).map(|(machine, left)| machine.min(left));
        Self { total: Some(max.min(total)), available }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::UnixMs;

    fn put(folder: &Path, name: &str, bytes: u64) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap().set_len(bytes).unwrap();
    }

    fn parts(seen: &Seen) -> Vec<&str> {
        seen.not_measured.iter().map(|(part, _)| part.as_str()).collect()
    }

    #[test]
    fn a_node_on_this_machine_has_its_disk_database_and_memory_told() {
        let (state, lnd) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        put(lnd.path(), "graph/regtest/channel.db", 1_000);
        put(lnd.path(), "graph/regtest/channel.sqlite-wal", 30);
        put(lnd.path(), "graph/regtest/notes.txt", 7_000);
        put(lnd.path(), "graph/mainnet/channel.db", 500_000);
        put(lnd.path(), "chain/bitcoin/regtest/wallet.db", 200);
        put(lnd.path(), "chain/bitcoin/regtest/channel.backup", 9_000);
        let places =
            Places { state: state.path(), data: Some(lnd.path()), network: Network::Regtest, lnd_is_here: true };
        let fact = Fact { value: -1_500, source: "x".to_owned(), as_of: UnixMs(0) };
        let seen = look(&places, Some(fact.clone()));
        assert_eq!(seen.host.database_bytes, Some(1_230));
        assert_eq!(seen.host.clock_ahead, Some(fact));
        // Both folders are in the one for temporary files.
        let [disk] = seen.host.disks.as_slice() else { panic!("{:?}", seen.host.disks) };
        assert_eq!(disk.holds, "lnd,daznode");
        let df = std::process::Command::new("df").args(["-B1", "--output=size"]).arg(lnd.path()).output().unwrap();
        let size = String::from_utf8(df.stdout).unwrap();
        assert_eq!(size.lines().last().unwrap().trim(), disk.total_bytes.to_string());
        assert!(disk.free_bytes <= disk.total_bytes);
        assert!(seen.host.memory_available_bytes.unwrap() <= seen.host.memory_total_bytes.unwrap());
        assert_eq!(parts(&seen), [""; 0]);
    }

    #[test]
    fn of_a_node_elsewhere_only_our_own_disk_is_looked_at() {
        let state = tempfile::tempdir().unwrap();
        let places = Places { state: state.path(), data: None, network: Network::Mainnet, lnd_is_here: false };
        let seen = look(&places, None);
        assert_eq!(seen.host.disks[0].holds, "daznode");
        assert_eq!((seen.host.database_bytes, seen.host.memory_total_bytes), (None, None));
        assert_eq!(parts(&seen), ["host.lnd", "host.memory", "host.clock"]);
    }

    #[test]
    fn what_can_not_be_looked_into_is_not_measured() {
        let (state, lnd) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let gone = state.path().join("gone");
        let places = Places { state: &gone, data: Some(&gone), network: Network::Mainnet, lnd_is_here: true };
        let seen = look(&places, None);
        assert_eq!((seen.host.disks.len(), seen.host.database_bytes), (0, None));
        assert_eq!(parts(&seen), ["host.lnd", "host.clock"]);
        // With PostgreSQL there is a folder and no database in it.
        let seen = look(&Places { data: Some(lnd.path()), ..places }, None);
        assert_eq!(parts(&seen), ["host.database", "host.clock"]);
    }

    const MEMINFO: &str = "MemTotal:       2000 kB\nMemFree:  10 kB\nMemAvailable:    500 kB\nSwapTotal: 9 kB\n";

    #[test]
    fn memory_is_what_programs_can_still_get() {
        let both = |total, available| Memory { total, available };
        assert_eq!(Memory::of_machine(MEMINFO), both(Some(2_048_000), Some(512_000)));
        for (meminfo, expected) in [
            ("", both(None, None)),
            ("MemTotal: 2000 kB\n", both(Some(2_048_000), None)),
            ("MemTotal: 2000\nMemAvailable: 500 kB\n", both(None, None)),
            ("MemTotal: -5 kB\nMemAvailable: 5 kB\n", both(None, None)),
            ("MemTotal: 0 kB\nMemAvailable: 0 kB\n", both(None, None)),
            ("MemTotal: 5 kB\nMemAvailable: 6 kB\n", both(Some(5_120), None)),
            ("MemTotal: 99999999999999999999 kB\n", both(None, None)),
            ("MemTotal: 18446744073709551615 kB\n", both(None, None)),
            ("MemTotalish: 5 kB\n", both(None, None)),
        ] {
            assert_eq!(Memory::of_machine(meminfo), expected, "{meminfo:?}");
        }
    }

    #[test]
    fn a_container_has_no_more_than_its_limit() {
        let machine = Memory::of_machine(MEMINFO);
        let seen = machine.within("1000000\n", "700000\n", "anon 5\ninactive_file 100000\n");
        assert_eq!(seen, Memory { total: Some(1_000_000), available: Some(400_000) });
        // The machine itself may have less left than the container may use.
        assert_eq!(machine.within("1000000", "0", "").available, Some(512_000));
        assert_eq!(machine.within("1000000", "x", "").available, None);
        for none in ["max\n", "", "-1", "9999999999"] {
            assert_eq!(machine.within(none, "700000", ""), machine, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_stop(text in "(MemTotal|MemAvailable|x)?:? *-?[0-9]{0,22} ?(kB)?\n?\\PC{0,20}", max in "[0-9]{0,22}") {
            let seen = Memory::of_machine(&text).within(&max, &max, &text);
            prop_assert!(seen.available.unwrap_or(0) <= seen.total.unwrap_or(0));
        }
    }
}
