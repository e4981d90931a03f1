use std::os::unix::fs::PermissionsExt as _;

use super::*;

const NOW: UnixMs = UnixMs(1_795_262_400_000);

struct Home {
    state: tempfile::TempDir,
    graphs: GraphFolder,
}

impl Home {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let graphs = GraphFolder::new(state.path(), Path::new("graph"));
        Self { state, graphs }
    }

    fn file(&self) -> PathBuf {
        self.graphs.file(Network::Mainnet)
    }

    fn get(&self) -> Result<Option<Kept>, String> {
        self.graphs.get(Network::Mainnet)
    }

    fn put(&self, kept: &Kept) -> Result<(), String> {
        self.graphs.put(Network::Mainnet, kept)
    }

    /// Changes the file behind the module's back.
    fn change(&self, sql: &str) {
        Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.file().parent().unwrap()).unwrap();
        let mut names: Vec<_> = names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A graph of so many bytes that can't be told from noise.
fn kept(seed: u8, length: usize) -> Kept {
    let mut state = u32::from(seed) + 1;
    let byte = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let stamp = Stamp { as_of: NOW.plus(i64::from(seed)), source: "lnd".to_owned(), channels: 40_000 };
    Kept { stamp, packed: (0..length).map(byte).collect() }
}

#[test]
fn a_graph_comes_back_and_the_next_one_takes_its_place() {
    let home = Home::new();
    assert_eq!(home.get(), Ok(None), "nothing is there");
    assert!(home.graphs.list().is_empty() && !home.file().exists(), "looking makes nothing");
    for seed in [1, 2] {
        home.put(&kept(seed, 2_000_000)).unwrap();
        assert_eq!(home.get(), Ok(Some(kept(seed, 2_000_000))));
    }
    assert_eq!(home.graphs.get(Network::Signet), Ok(None), "each network has its own");
    let list: Vec<_> = home.graphs.list().into_iter().map(Result::unwrap).collect();
    assert_eq!(list, [KeptGraph { network: Network::Mainnet, as_of: NOW.plus(2), channels: 40_000 }]);
    let size = home.file().metadata().unwrap().len();
    assert!(size < 4_200_000, "what is replaced leaves its room to what comes: {size} bytes");
}

#[test]
fn nobody_else_reads_it_unless_the_group_reads_the_store() {
    for (state, folder, file) in [(0o700, 0o700, 0o600), (0o750, 0o750, 0o640)] {
        let home = Home::new();
        std::fs::set_permissions(home.state.path(), std::fs::Permissions::from_mode(state)).unwrap();
        home.put(&kept(1, 9)).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(home.file().parent().unwrap()), mode(&home.file())), (folder, file));
    }
}

#[test]
fn a_folder_elsewhere_is_made_only_where_its_parent_is() {
    let (home, other) = (Home::new(), tempfile::tempdir().unwrap());
    let there = other.path().join("graphs");
    let graphs = GraphFolder::new(home.state.path(), &there);
    graphs.write(Network::Signet, &kept(1, 9)).unwrap();
    assert!(there.join("signet.db").is_file());
    let gone = GraphFolder::new(home.state.path(), &other.path().join("not-mounted/graphs"));
    let warning = gone.put(Network::Signet, &kept(1, 9)).unwrap_err();
    assert!(warning.contains("not-mounted/graphs"), "{warning}");
}

/// Where a byte of the file is no more what it was: nothing but the same graph or a warning may come.
#[test]
fn a_byte_that_was_changed_anywhere_is_found_and_the_file_put_aside() {
    let (mut aside, mut unharmed) = (0, 0);
    for at in 0..64 {
        let home = Home::new();
        home.put(&kept(1, 20_000)).unwrap();
        let mut bytes = std::fs::read(home.file()).unwrap();
        let at = if at < 32 { at * 4 } else { at * (bytes.len() / 64) };
        bytes[at] ^= 0x55;
        #[expect(clippy::disallowed_methods, reason = "this is the damage")]
        std::fs::write(home.file(), bytes).unwrap();
        match home.get() {
            Ok(Some(same)) => {
                assert_eq!(same, kept(1, 20_000));
                unharmed += 1;
            }
            Ok(None) => panic!("byte {at}: it is gone without a word"),
            Err(warning) if warning.contains("is damaged") => {
                assert_eq!(home.names(), ["mainnet.damaged.db"], "byte {at}: {warning}");
                aside += 1;
            }
            Err(warning) => assert!(warning.contains("version"), "byte {at}: {warning}"),
        }
        // Whatever it was, the next graph is kept, unless the file is of a newer version.
        if home.put(&kept(2, 20_000)).is_ok() {
            assert_eq!(home.get(), Ok(Some(kept(2, 20_000))));
        }
    }
    assert!(aside > 30 && unharmed > 0, "{aside} put aside, {unharmed} unharmed");
}

#[test]
fn what_is_no_graph_of_ours_is_put_aside() {
    let home = Home::new();
    home.put(&kept(1, 9)).unwrap();
    for (n, harm) in [
        "PRAGMA application_id = 7",
        "UPDATE public_graph SET as_of_ms = as_of_ms + 1",
        "UPDATE public_graph SET channels = channels + 1",
        "UPDATE public_graph SET source = 'x'",
        "UPDATE public_graph SET packed = x'00'",
        "DROP TABLE public_graph",
        "DROP TABLE public_graph; CREATE TABLE public_graph (id, as_of_ms, source, channels, packed, sha256); \
         INSERT INTO public_graph VALUES (1, 'x', 1, 'x', 1, 'x')",
    ]
    .into_iter()
    .enumerate()
    {
        home.change(harm);
        let warning = home.get().unwrap_err();
        assert!(warning.contains("mainnet.damaged.db"), "{harm}: {warning}");
        assert_eq!(home.get(), Ok(None), "{harm}");
        let next = kept(u8::try_from(n).unwrap(), 9);
        home.put(&next).unwrap();
        assert_eq!(home.get(), Ok(Some(next)));
    }
    let names = ["mainnet.damaged.db", "mainnet.db", "mainnet.db-journal"];
    assert_eq!(home.names(), names, "only the last one is put aside");
}

#[test]
fn a_graph_of_one_network_is_none_of_another() {
    let home = Home::new();
    home.put(&kept(1, 9)).unwrap();
    std::fs::rename(home.file(), home.graphs.file(Network::Signet)).unwrap();
    assert!(home.graphs.get(Network::Signet).unwrap_err().contains("digest"));
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let home = Home::new();
    home.put(&kept(1, 9)).unwrap();
    home.change("PRAGMA user_version = 9");
    let before = std::fs::read(home.file()).unwrap();
    assert!(home.get().unwrap_err().contains("has version 9, this daznode knows 1: it is left alone"));
    assert!(home.put(&kept(2, 9)).unwrap_err().contains("version 9"));
    assert_eq!(std::fs::read(home.file()).unwrap(), before);
}

#[test]
fn a_file_that_was_only_begun_is_no_graph_and_no_fault() {
    let home = Home::new();
    home.put(&kept(1, 9)).unwrap();
    std::fs::File::create(home.file()).unwrap();
    assert_eq!(home.get(), Ok(None));
    home.put(&kept(2, 9)).unwrap();
    assert_eq!(home.get(), Ok(Some(kept(2, 9))));
}

/// The disk as a kill leaves it in the middle of a commit: the new graph is half in the file, the old one in the journal.
#[test]
fn a_kill_while_a_graph_is_stored_leaves_the_old_one() {
    let home = Home::new();
    home.put(&kept(1, 2_000_000)).unwrap();
    let db = Connection::open(home.file()).unwrap();
    db.execute_batch("PRAGMA cache_size = 4; BEGIN IMMEDIATE").unwrap();
    let new = kept(2, 2_000_000);
    db.execute("UPDATE public_graph SET packed = ?1, sha256 = ?2", (&new.packed, digest(Network::Mainnet, &new)))
        .unwrap();
    let killed = Home::new();
    let there = killed.file();
    std::fs::create_dir(there.parent().unwrap()).unwrap();
    std::fs::copy(home.file(), &there).unwrap();
    std::fs::copy(home.file().with_extension("db-journal"), there.with_extension("db-journal")).unwrap();
    drop(db);
    let (half, old) = (std::fs::read(&there).unwrap(), kept(1, 2_000_000));
    assert!(half.windows(64).any(|bytes| bytes == &new.packed[1_000_000..1_000_064]), "the new one is not half there");
    assert_eq!(killed.get(), Ok(Some(old)));
}

#[test]
fn two_processes_at_once_read_and_write_whole_graphs() {
    let home = Home::new();
    home.put(&kept(0, 200_000)).unwrap();
    std::thread::scope(|scope| {
        for from in [0, 10] {
            let graphs = home.graphs.clone();
            scope.spawn(move || {
                (from..from + 10).for_each(|n| graphs.put(Network::Mainnet, &kept(n, 200_000)).unwrap());
            });
        }
        for _ in 0..2 {
            let graphs = home.graphs.clone();
            scope.spawn(move || {
                for _ in 0..10 {
                    let read = graphs.get(Network::Mainnet).unwrap().unwrap();
                    let seed = u8::try_from(read.stamp.as_of.since(NOW)).unwrap();
                    assert!(read == kept(seed, 200_000));
                }
            });
        }
    });
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let home = Home::new();
    std::fs::File::create(home.state.path().join("graph")).unwrap();
    let warning = home.put(&kept(1, 9)).unwrap_err();
    assert!(warning.contains(&home.state.path().join("graph").display().to_string()), "{warning}");
}
