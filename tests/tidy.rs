//! What the compiler doesn't hold together: who may import whom, where SQL and sockets may be, that every file says
//! what it is for. To change the shape of the program, change the tables here first.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which of our modules each module may import; in the order in which data flows.
const MODULES: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("exit", &[]),
    ("schedule", &["units"]),
    ("snapshot", &["units"]),
    ("report", &["snapshot", "units"]),
    ("history", &["report", "snapshot", "units"]),
    ("notice", &["report", "units"]),
    ("sources", &["snapshot", "units"]),
    ("analysis", &["history", "report", "snapshot", "units"]),
    ("store", &["history", "notice", "report", "snapshot", "sources", "units"]),
    ("config", &["analysis", "notice", "report", "schedule", "sources", "store", "units"]),
    ("render", &["notice", "report", "units"]),
    ("notify", &["config", "notice", "render", "report", "sources", "store", "units"]),
    (
        "daily",
        &[
            "analysis", "config", "exit", "history", "notice", "render", "report", "schedule", "snapshot", "sources",
            "store", "units",
        ],
    ),
    (
        "watch",
        &[
            "analysis", "config", "daily", "history", "notice", "notify", "report", "schedule", "snapshot", "sources",
            "store", "units",
        ],
    ),
    ("periods", &["analysis", "daily", "history", "render", "report", "store", "units"]),
    (
        "cli",
        &[
            "analysis", "config", "daily", "exit", "history", "notice", "notify", "periods", "render", "report",
            "schedule", "snapshot", "sources", "store", "units", "watch",
        ],
    ),
    ("main", &["cli"]),
];

/// Crates that only some of our modules may name.
const CRATES: &[(&str, &[&str])] = &[
    // SQL.
    ("rusqlite", &["store"]),
    // What dials out.
    ("reqwest", &["sources"]),
    ("tonic", &["sources"]),
    ("tonic_lnd", &["sources"]),
    ("hyper_util", &["sources"]),
    ("tokio_rustls", &["sources"]),
    ("tokio_socks", &["sources"]),
    ("lettre", &["notify"]),
    ("rustls_native_certs", &["sources"]),
    // The command line. `clap::ValueEnum` on a setting is fine.
    ("indicatif", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    // Errors without a type: where nobody branches on them.
    ("anyhow", &["cli", "main"]),
];

/// Words that no module but these, or no file but these, may have.
const WORDS: &[(&str, &[&str])] = &[
    ("TcpStream", &["sources"]),
    ("UnixStream", &["sources"]),
    ("println!", &["cli"]),
    ("eprintln!", &["cli"]),
    ("std::env::var", &["cli", "config", "src/store/crash.rs"]),
];

/// Words that no file has, tests included. Split, so that this file has none of them.
const NOWHERE: &[&str] =
    &[concat!("to", "do!("), concat!("dbg", "!("), concat!("unimpl", "emented!("), concat!("/wo", "rk/")];

/// Parts of statements that are for all tenants at once: the store's own housekeeping, and the graph of the public network,
/// which is in a file of its own.
const OF_THE_WHOLE_STORE: &[&str] = &["sqlite_schema", "sqlite_master", " public_graph "];

/// A source file.
struct File {
    /// Below the repository.
    path: String,
    /// The module below the crate's root that it belongs to.
    module: String,
    /// How many modules deep it is: 1 for `src/units.rs` and `src/store/mod.rs`.
    depth: usize,
    /// All of it.
    text: String,
    /// Only what ships: without comments and test modules.
    code: String,
}

fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).map(|all| all.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    entries.sort();
    for entry in entries {
        if entry.is_dir() { below(&entry, found) } else { found.push(entry) }
    }
}

/// The files of a folder that end so, with their text.
fn texts(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    below(&root().join(folder), &mut found);
    found
        .into_iter()
        .filter(|p| p.to_string_lossy().ends_with(ending))
        .map(|p| {
            let name = p.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&p).unwrap())
        })
        .collect()
}

/// Without line comments, and without `#[cfg(test)] mod name { ... }`, which ends at a brace in the first column.
fn shipped(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let inline_module = |next: &str| next.trim_start().starts_with("mod ") && next.trim_end().ends_with('{');
        if line.trim() == "#[cfg(test)]" && lines.peek().is_some_and(|next| inline_module(next)) {
            let indent = line.len() - line.trim_start().len();
            let end = format!("{}}}", " ".repeat(indent));
            for inner in lines.by_ref() {
                if inner == end {
                    break;
                }
            }
            continue;
        }
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// Whether a file of `src` holds tests only.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs")
}

fn source() -> Vec<File> {
    texts("src", ".rs")
        .into_iter()
        .map(|(path, text)| {
            let inner = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
            let inner = inner.strip_suffix("/mod").unwrap_or(inner);
            let module = inner.split('/').next().unwrap().to_owned();
            let depth = inner.split('/').count();
            let code = if is_test(&path) { String::new() } else { shipped(&text) };
            File { path, module, depth, text, code }
        })
        .collect()
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The first names after `prefix` wherever it stands in the code: one, or those of a group in braces.
fn named_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| is_name(c) || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut deep = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => deep += 1,
                    '}' if deep == 0 => break,
                    '}' => deep -= 1,
                    ',' if deep == 0 => {
                        names.insert(item.trim().split("::").next().unwrap().to_owned());
                        item.clear();
                        continue;
                    }
                    _ => {}
                }
                item.push(c);
            }
            names.insert(item.trim().split("::").next().unwrap().to_owned());
        } else {
            names.insert(rest.chars().take_while(|c| is_name(*c)).collect());
        }
    }
    names
}

/// Which of our modules a file imports, by `crate::`, by `daznode::` or by climbing with `super::`.
fn imports(file: &File) -> BTreeSet<String> {
    let mut names = named_after(&file.code, "crate::");
    names.extend(named_after(&file.code, "daznode::"));
    names.extend(named_after(&file.code, &"super::".repeat(file.depth)));
    names.remove(&file.module);
    names.retain(|name| MODULES.iter().any(|(module, _)| module == name));
    names
}

fn allowed(module: &str) -> Option<&'static [&'static str]> {
    MODULES.iter().find(|(name, _)| *name == module).map(|(_, may)| *may)
}

#[track_caller]
fn none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let files = source();
    assert!(files.len() > 5, "src is not where it is looked for: {}", root().display());
    let mut faults = Vec::new();
    for file in files.iter().filter(|f| f.module != "lib") {
        let Some(may) = allowed(&file.module) else {
            faults.push(format!("{}: module {} is not in the table", file.path, file.module));
            continue;
        };
        for name in imports(file).iter().filter(|name| !may.contains(&name.as_str())) {
            faults.push(format!("{}: {} may not import {name}", file.path, file.module));
        }
    }
    none(&faults, "data flows one way; see ARCHITECTURE.md and the table in tests/tidy.rs");
}

#[test]
fn modules_import_each_other_in_no_loop() {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in source().iter().filter(|f| f.module != "lib") {
        edges.entry(file.module.clone()).or_default().extend(imports(file));
    }
    // Take away what imports nothing that is left, until nothing can be taken: what stays is in a loop or needs one.
    loop {
        let free: Vec<String> =
            edges.iter().filter(|(_, to)| !to.iter().any(|t| edges.contains_key(t))).map(|(m, _)| m.clone()).collect();
        if free.is_empty() {
            break;
        }
        for module in free {
            edges.remove(&module);
        }
    }
    assert!(edges.is_empty(), "modules in a loop, or above one: {edges:?}");
}

#[test]
fn some_crates_and_words_are_for_some_modules_only() {
    let mut faults = Vec::new();
    for file in source() {
        for (name, may) in CRATES {
            let named = file
                .code
                .match_indices(&format!("{name}::"))
                .any(|(at, _)| !file.code[..at].ends_with(|c: char| is_name(c) || c == ':'));
            if named && !may.contains(&file.module.as_str()) {
                faults.push(format!("{}: {name} belongs to {}", file.path, may.join(", ")));
            }
        }
        for (word, may) in WORDS {
            let there = file.code.match_indices(word).any(|(at, _)| !file.code[..at].ends_with(is_name));
            if there && !may.contains(&file.module.as_str()) && !may.contains(&file.path.as_str()) {
                faults.push(format!("{}: {word} belongs to {}", file.path, may.join(", ")));
            }
        }
    }
    none(&faults, "some crates and words are for some modules only");
}

#[test]
fn analysis_and_render_are_pure() {
    let mut faults = Vec::new();
    for file in source().iter().filter(|f| matches!(f.module.as_str(), "analysis" | "render")) {
        for word in ["async ", ".await", "std::fs", "std::net", "std::env", "tokio::", "Instant::now"] {
            if file.code.contains(word) {
                faults.push(format!("{}: {word}", file.path));
            }
        }
    }
    none(&faults, "analysis and render know no clock, file, network or runtime");
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut faults = Vec::new();
    let scripts = ["src", "tests", "benches"].into_iter().flat_map(|folder| texts(folder, ".rs"));
    for (path, text) in scripts {
        // The tests of a file stand beside it and need no word of their own.
        let beside = path.starts_with("src/") && is_test(&path);
        if !beside && !text.starts_with("//! ") {
            faults.push(path);
        }
    }
    none(&faults, "files that don't begin with `//! ` and a sentence");
}

#[test]
fn nothing_unfinished_and_no_path_of_one_machine() {
    let mut faults = Vec::new();
    let folders = ["src", "tests", "benches", "systemd", "packaging", "docs", ".ci"];
    let folders = folders
        .into_iter()
        .flat_map(|folder| ["rs", "md", "toml", "service", "timer", "run", "sh"].map(|e| (folder, e)));
    for (path, text) in folders.flat_map(|(folder, ending)| texts(folder, ending)) {
        for (number, line) in text.lines().enumerate() {
            for word in NOWHERE.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    none(&faults, "words that may stand nowhere");
}

#[test]
fn migrations_are_numbered_without_a_gap_and_compiled_in() {
    let store: String = source().into_iter().filter(|f| f.module == "store").map(|f| f.text).collect();
    for (i, (path, text)) in texts("src/store/migrations", ".sql").iter().enumerate() {
        let name = path.rsplit('/').next().unwrap();
        assert!(name.starts_with(&format!("{:04}_", i + 1)), "{path} is not number {}", i + 1);
        assert!(store.contains(&format!("migrations/{name}")), "{path} is in no list of src/store");
        for table in text.split("CREATE TABLE ").skip(1) {
            let name = table.split(|c: char| !is_name(c)).next().unwrap();
            let end = table.find(';').expect("a statement ends");
            let whole = &table[..end];
            assert!(whole.contains("STRICT"), "{path}: table {name} is not STRICT");
            assert!(whole.contains("tenant "), "{path}: table {name} carries no tenant");
        }
    }
}

/// The strings of some code that are SQL statements. The beginning of several, a `const`, is none by itself: what it is
/// put into, a string that begins with `{NAME}`, is.
fn statements(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices('"') {
        let rest = &code[at + 1..];
        let sql = rest.split('"').next().unwrap().replace("\\\n", " ");
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = code[..at].rsplit('\n').next().unwrap();
        let is_const = line.contains("const ") && line.ends_with(": &str = ");
        let first = sql.split(' ').next().unwrap();
        let goes_on =
            first.len() > 2 && first.starts_with('{') && first[1..].starts_with(|c: char| c.is_ascii_uppercase());
        let is_sql = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE"].contains(&first);
        // "SELECT 1" asks no table.
        let of_tables = sql.starts_with("UPDATE ") || sql.contains(" FROM ") || sql.contains(" INTO ") || goes_on;
        if (is_sql || goes_on && sql.contains(" WHERE ")) && of_tables && !is_const {
            found.push(sql);
        }
    }
    found
}

#[test]
fn statements_are_found_also_in_parts() {
    let found = |code: &str| statements(code).len();
    assert_eq!(found("db.prepare(\"SELECT a FROM b WHERE c = ?1\")"), 1);
    assert_eq!(found("const A: &str = \"SELECT a FROM b\";"), 0);
    assert_eq!(found("format!(\"{A} WHERE c = ?1\")"), 1);
    assert_eq!(found("format!(\"{name} WHERE c\")"), 0);
    assert_eq!(found("\"SELECT 1\""), 0);
    assert_eq!(found("\"Select a node\""), 0);
}

#[test]
fn no_statement_goes_without_the_tenant() {
    let mut faults = Vec::new();
    for file in source() {
        for sql in statements(&file.code) {
            if file.module != "store" {
                faults.push(format!("{}: SQL belongs to store: {sql}", file.path));
            } else if !sql.contains("tenant") && !OF_THE_WHOLE_STORE.iter().any(|part| sql.contains(part)) {
                faults.push(format!("{}: names no tenant: {sql}", file.path));
            }
        }
    }
    none(&faults, "two tenants share nothing: every statement names the tenant, or stands in OF_THE_WHOLE_STORE");
}

#[test]
fn the_table_itself_names_only_modules() {
    for (module, may) in MODULES {
        for name in *may {
            assert!(allowed(name).is_some(), "{module} may import {name}, which is no module");
        }
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let file = |code: &str, depth| File {
        path: "src/x/y.rs".to_owned(),
        module: "x".to_owned(),
        depth,
        text: code.to_owned(),
        code: shipped(code),
    };
    let found = |code: &str, depth| imports(&file(code, depth)).into_iter().collect::<Vec<_>>();
    assert_eq!(found("use crate::store::Store;", 1), ["store"]);
    assert_eq!(found("use crate::{report::{Report, Time}, units};", 1), ["report", "units"]);
    assert_eq!(found("fn f() { crate::cli::run() }", 1), ["cli"]);
    assert_eq!(found("use super::super::render::Page;", 2), ["render"]);
    assert_eq!(found("use super::units;", 2), Vec::<String>::new());
    assert_eq!(found("// use crate::store::Store;", 1), Vec::<String>::new());
    assert_eq!(
        found("#[cfg(test)]\nmod tests {\n    use crate::store::Store;\n}\nuse crate::units::Sat;", 1),
        ["units"]
    );
}
