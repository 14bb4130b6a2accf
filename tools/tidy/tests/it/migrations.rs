//! Landed migrations never change, and a new one only adds, so that the release before still works.

use std::{collections::BTreeMap, path::PathBuf};

use sha2::{Digest, Sha256};

use crate::tree::{assert_none, files, read, root, shown, stem};

#[test]
fn landed_migrations_are_unchanged() {
    let listed = read(&root().join("migrations/CHECKSUMS"));
    let listed: BTreeMap<&str, &str> = listed
        .lines()
        .map(|line| line.split_once("  ").expect("a checksum, two spaces and a file"))
        .map(|(sum, file)| (file, sum))
        .collect();
    let mut broken = Vec::new();
    for file in migrations() {
        let name = shown(&file).trim_start_matches("migrations/").to_owned();
        let digest = Sha256::digest(read(&file));
        let sum: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        match listed.get(name.as_str()) {
            Some(landed) if *landed == sum => {}
            Some(_) => broken.push(format!("{name} has changed: write a new migration instead")),
            None => broken.push(format!("{name} is new: add the line `{sum}  {name}`")),
        }
    }
    let gone = listed.keys().filter(|name| !root().join("migrations").join(name).exists());
    broken.extend(gone.map(|name| format!("{name} is gone: what has landed stays")));
    assert_none(broken, "migrations/CHECKSUMS has each migration as it landed");
}

#[test]
fn every_service_has_the_same_outbox_and_dead_letters() {
    let first: Vec<String> = migrations()
        .into_iter()
        .filter(|file| stem(file) == "0001_messaging")
        .map(|file| read(&file))
        .collect();
    assert!(first.len() >= 4, "the services' 0001_messaging.sql are not found");
    assert!(first.iter().all(|file| *file == first[0]), "0001_messaging.sql is the same in each");
}

#[test]
fn every_service_has_the_same_audit_table() {
    let all = migrations().into_iter().filter(|file| stem(file).ends_with("_audit"));
    let all: Vec<String> = all.map(|file| read(&file)).collect();
    assert!(all.len() >= 4, "the services' audit tables are not found");
    assert!(all.iter().all(|file| *file == all[0]), "the audit table is the same in each service");
}

#[test]
fn every_reconciler_has_the_same_tables() {
    let all = migrations().into_iter().filter(|file| stem(file).ends_with("_differences"));
    let all: Vec<String> = all.map(|file| read(&file)).collect();
    assert!(all.len() >= 3, "the reconcilers' tables are not found");
    assert!(all.iter().all(|file| *file == all[0]), "they are the same in each service");
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let mut broken = Vec::new();
    let mut before: Option<(PathBuf, u32)> = None;
    for file in migrations() {
        let folder = file.parent().unwrap().to_owned();
        let expected = match &before {
            Some((same, number)) if *same == folder => number + 1,
            _ => 1,
        };
        if !stem(&file).starts_with(&format!("{expected:04}_")) {
            broken.push(format!("{} is not number {expected:04}", shown(&file)));
        }
        before = Some((folder, expected));
    }
    assert_none(broken, "migrations are 0001_, 0002_, …");
}

#[test]
fn a_migration_only_adds() {
    let mut broken = Vec::new();
    for file in migrations() {
        let harm = harm(&read(&file)).into_iter();
        broken.extend(harm.map(|(statement, why)| format!("{}: {why}: {statement}", shown(&file))));
    }
    assert_none(broken, "an older release works on the new schema (migrations/README.md)");
}

/// Indexes on tables that were there, which landed before the rule.
const BUILT_AT_ONCE: [&str; 8] = [
    "booking/0003_dead_letter_content.sql",
    "event/0005_dead_letter_content.sql",
    "event/0008_taken_holds.sql",
    "event/0010_event_lists.sql",
    "event/0011_event_search.sql",
    "payment/0004_dead_letter_content.sql",
    "payment/0005_expired_keys.sql",
    "user/0004_dead_letter_content.sql",
];

#[test]
fn nobody_waits_for_an_index() {
    let mut broken = Vec::new();
    for file in migrations() {
        let name = shown(&file).trim_start_matches("migrations/").to_owned();
        match holding_up(&read(&file)) {
            Some(why) if !BUILT_AT_ONCE.contains(&name.as_str()) => {
                broken.push(format!("{name}: {why}"));
            }
            None if BUILT_AT_ONCE.contains(&name.as_str()) => {
                broken.push(format!("{name} is no exception"));
            }
            _ => {}
        }
    }
    assert_none(broken, "an index is built beside those who write (migrations/README.md)");
}

/// How an index of this migration holds up those who write, or a second try of it.
fn holding_up(sql: &str) -> Option<&'static str> {
    let statements: Vec<_> = statements(sql).into_iter().map(|(_, statement)| statement).collect();
    let all: Vec<Vec<&str>> = statements.iter().map(|statement| words(statement)).collect();
    let made_here = |table: &str| {
        all.iter().any(|words| matches!(words[..], ["create", "table", name, ..] if name == table))
    };
    let is_index = |words: &[&str]| {
        matches!(words, ["create", "index", ..] | ["create", "unique", "index", ..])
    };
    for words in all.iter().filter(|words| is_index(words)) {
        let has = |word| words.contains(&word);
        let table = words.iter().position(|word| *word == "on").map_or("", |on| words[on + 1]);
        if has("concurrently") {
            if !sql.starts_with("-- no-transaction\n") || all.len() > 1 {
                return Some(
                    "CONCURRENTLY needs a file of its own that begins with `-- no-transaction`",
                );
            }
            if has("exists") {
                return Some("IF NOT EXISTS would take a half-built index for a whole one");
            }
        } else if !made_here(table) {
            return Some("who writes to the table waits: make the index CONCURRENTLY");
        }
    }
    None
}

#[test]
fn an_index_that_holds_up_is_noticed() {
    for fine in [
        "CREATE TABLE a (b text);\nCREATE INDEX c ON a (b);",
        "-- no-transaction\n-- Why.\nCREATE INDEX CONCURRENTLY c ON a (b);",
    ] {
        assert_eq!(holding_up(fine), None, "{fine}");
    }
    for slow in [
        "CREATE INDEX c ON a (b);",
        "CREATE UNIQUE INDEX c ON a (b);",
        "CREATE INDEX CONCURRENTLY c ON a (b);",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY c ON a (b);\nALTER TABLE a ADD COLUMN d text;",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS c ON a (b);",
    ] {
        assert!(holding_up(slow).is_some(), "{slow}");
    }
}

fn words(statement: &str) -> Vec<&str> {
    let words = statement.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| !word.is_empty()).collect()
}

fn migrations() -> Vec<PathBuf> {
    let all = files(&root().join("migrations"), ".sql").into_iter();
    all.filter(|file| stem(file) != "setup").collect()
}

/// The statements that do more than add, without those that a comment `-- Exception: <why>` stands
/// before.
fn harm(sql: &str) -> Vec<(String, &'static str)> {
    let mut made_here = Vec::new();
    let mut found = Vec::new();
    for (comment, statement) in statements(sql) {
        let excepted =
            comment.split_once("Exception:").is_some_and(|(_, why)| why.trim().len() > 10);
        match words(&statement).as_slice() {
            ["create", "table", name, ..] => made_here.push((*name).to_owned()),
            _ if excepted => {}
            words => found.extend(why(words, &made_here).map(|why| (statement.clone(), why))),
        }
    }
    found
}

/// Why a statement does more than add.
fn why(words: &[&str], made_here: &[String]) -> Option<&'static str> {
    let has = |pattern: &[&str]| words.windows(pattern.len()).any(|window| window == pattern);
    let on_new =
        |at: usize| words.get(at).is_some_and(|table| made_here.iter().any(|made| made == table));
    let table = words.iter().position(|word| *word == "on").map_or(0, |on| on + 1);
    match words {
        ["drop" | "truncate" | "delete", ..] => Some("it takes away"),
        ["create", "unique", ..] if !on_new(table) => Some("it forbids what was allowed"),
        ["alter", "table", ..] if on_new(2) => None,
        ["alter", ..] if has(&["drop"]) && !has(&["drop", "not", "null"]) => Some("it takes away"),
        ["alter", ..] if has(&["rename"]) => Some("it renames"),
        ["alter", ..] if has(&["type"]) => Some("it changes a type"),
        ["alter", ..] if has(&["set", "not", "null"]) => Some("it forbids NULL"),
        ["alter", ..]
            if has(&["not", "null"]) && !has(&["default"]) && !has(&["drop", "not", "null"]) =>
        {
            Some("an older release writes no value there: give it a DEFAULT")
        }
        ["alter", ..]
            if has(&["add", "constraint"]) || has(&["add", "check"]) || has(&["add", "unique"]) =>
        {
            Some("it forbids what was allowed")
        }
        _ => None,
    }
}

/// Each statement in lower case, with the comment before it.
fn statements(sql: &str) -> Vec<(String, String)> {
    let (mut found, mut comment, mut statement) = (Vec::new(), String::new(), String::new());
    for line in sql.lines() {
        let (code, said) = line.split_once("--").unwrap_or((line, ""));
        if statement.trim().is_empty() {
            comment.push_str(said);
        }
        for part in code.split_inclusive(';') {
            statement.push_str(&part.to_lowercase());
            if part.ends_with(';') {
                found.push((std::mem::take(&mut comment), statement.trim().to_owned()));
                statement.clear();
            }
        }
        statement.push(' ');
    }
    found
}

#[test]
fn harm_is_noticed() {
    let reasons = |sql| harm(sql).into_iter().map(|(_, why)| why).collect::<Vec<_>>();
    let adds = "CREATE TABLE a (b text NOT NULL);\nALTER TABLE a ADD CONSTRAINT c CHECK (b > '');\n\
                ALTER TABLE d ADD COLUMN e text;\nALTER TABLE d ADD COLUMN f int NOT NULL DEFAULT 0;\n\
                CREATE INDEX g ON d (e); -- DROP TABLE d;\nALTER TABLE d ALTER COLUMN e DROP NOT NULL;";
    assert_eq!(reasons(adds), Vec::<&str>::new());
    for sql in [
        "DROP TABLE d;",
        "ALTER TABLE d DROP COLUMN e;",
        "ALTER TABLE d RENAME COLUMN e TO f;",
        "ALTER TABLE d ALTER COLUMN e TYPE bigint;",
        "ALTER TABLE d ALTER e SET NOT NULL;",
        "ALTER TABLE d ADD COLUMN f int NOT NULL;",
        "ALTER TABLE d ADD CONSTRAINT c CHECK (e > '');",
        "CREATE UNIQUE INDEX g ON d (e);",
        "DELETE FROM d WHERE e IS NULL;",
        "-- Exception:\nDROP TABLE d;",
    ] {
        assert_eq!(reasons(sql).len(), 1, "{sql}");
    }
    let excepted = "-- Exception: no release has read this table since 0.2.\nDROP TABLE d;";
    assert_eq!(reasons(excepted), Vec::<&str>::new());
}
