//! The schema is what its version says, and every statement names the tenant.

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::store::schema::{VERSIONS, digest};

/// SHA-256 of every script that a release has brought to somebody's disk: such a script never changes.
const SCRIPTS: [&str; 3] = [
    "685e2267ba09e6c32b2cef5b460dc6aca0c80d6b95b7720c6ca3b48ea71e3000",
    "80308f5977a04c05ceda86b1169301839242de811e851208310c2bef10576036",
    "f10b302f0fabb890e1a6ed84d8a2e55923ab050a017d2672db81e8abbbd4e8af",
];

#[test]
fn scripts_are_the_ones_that_were_released_and_leave_the_schema_that_is_expected() {
    let db = Connection::open_in_memory().unwrap();
    assert_eq!(VERSIONS.len(), SCRIPTS.len());
    for (version, script) in VERSIONS.iter().zip(SCRIPTS) {
        db.execute_batch(version.script).unwrap();
        assert_eq!(version.schema_sha256, digest(&db).unwrap(), "the schema differs from `schema_sha256`");
        assert_eq!(script, hex::encode(Sha256::digest(version.script)), "the script differs from the released one");
    }
}

#[test]
fn every_table_is_strict_and_carries_its_tenant() {
    let db = Connection::open_in_memory().unwrap();
    for version in &VERSIONS {
        db.execute_batch(version.script).unwrap();
    }
    let mut tables = db.prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").unwrap();
    let rows: Vec<(String, bool)> =
        tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for (table, strict) in rows.into_iter().filter(|(table, _)| !table.starts_with("sqlite_")) {
        assert!(strict, "{table} is not strict");
        let first: String = db
            .query_row(&format!("SELECT name FROM pragma_table_info('{table}') WHERE cid = 0"), [], |row| row.get(0))
            .unwrap();
        assert_eq!(first, "tenant", "{table} does not begin with its tenant");
    }
}

/// The string literals of a source file, with lines that end in `\` joined.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut text: Option<String> = None;
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match (&mut text, c) {
            (Some(string), '\\') => match chars.next() {
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some(escaped) => string.push(escaped),
                None => {}
            },
            (Some(_), '"') => found.extend(text.take()),
            (Some(string), c) => string.push(c),
            (None, '\'') => {
                // A character: `'"'` begins no string. A lifetime has no second quote.
                if chars.peek() == Some(&'"') {
                    chars.next();
                }
            }
            (None, '/') if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, '"') => text = Some(String::new()),
            (None, _) => {}
        }
    }
    found
}

#[test]
fn no_statement_goes_without_the_tenant_and_none_is_sqlites_own() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut statements = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        for text in literals(&std::fs::read_to_string(&path).unwrap()) {
            let sql = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|verb| text.starts_with(verb));
            // The graph of the public network is in a file of its own and belongs to nobody.
            let of_nobody = text.contains("sqlite_schema") || text.contains(" public_graph ");
            if !sql || text == "SELECT 1" || of_nobody {
                continue;
            }
            statements += 1;
            // A column list that the statement is built on, or the statement itself.
            let whole = text.contains("WHERE") || text.contains("INTO") || text.starts_with("DELETE");
            assert!(!whole || text.contains("tenant"), "{}: no tenant in {text:?}", path.display());
            for foreign in ["OR IGNORE", "OR REPLACE", "rowid", "AUTOINCREMENT", "GLOB", "ifnull", "datetime("] {
                assert!(!text.contains(foreign), "{}: PostgreSQL has no {foreign}: {text:?}", path.display());
            }
        }
    }
    assert!(statements > 60, "only {statements} statements were found: the test no longer sees them");
}
