//! The rules of the house, checked on the source text: what imports what, how long things are,
//! what every file says, and that code and pages agree.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const SERVICES: [&str; 4] = ["user", "event", "booking", "payment"];

#[test]
fn imports_point_inward() {
    let mut broken = Vec::new();
    for service in SERVICES {
        let source = root().join(format!("services/{service}-service/src"));
        for file in rust_files(&source) {
            let path = file.strip_prefix(&source).unwrap();
            let layer = path.components().next().unwrap().as_os_str().to_string_lossy();
            let Some(may) = allowed(&layer) else { continue };
            for (number, import) in imports(&read(&file)) {
                if !may.contains(&import.as_str()) {
                    broken.push(format!("{}:{number} uses {import}", shown(&file)));
                }
            }
        }
    }
    assert_none(broken, "imports point inward: domain, then application, then adapters");
}

/// What a layer may name of this workspace; `None` for the files that wire the layers together.
fn allowed(layer: &str) -> Option<&'static [&'static str]> {
    match layer {
        "domain" | "domain.rs" => Some(&["crate::domain", "karcis_kernel"]),
        "application" | "application.rs" => {
            Some(&["crate::application", "crate::domain", "karcis_kernel"])
        }
        "adapters" | "adapters.rs" => Some(&[
            "crate::adapters",
            "crate::application",
            "crate::config",
            "crate::domain",
            "karcis_contracts",
            "karcis_http",
            "karcis_kernel",
            "karcis_messaging",
            "karcis_process",
        ]),
        _ => None,
    }
}

#[test]
fn the_domain_does_no_io_and_reads_no_clock() {
    let mut broken = Vec::new();
    let outside = [
        "async ",
        ".await",
        "Utc::now",
        "SystemTime",
        "Instant::now",
        "now_v7",
        "rand::",
        "sqlx",
        "tokio",
        "rdkafka",
        "reqwest",
        "axum",
        "std::fs",
        "std::net",
        "std::env",
    ];
    for service in SERVICES {
        for file in rust_files(&root().join(format!("services/{service}-service/src/domain"))) {
            for (number, line) in code_lines(&read(&file)) {
                if let Some(word) = outside.iter().find(|word| line.contains(**word)) {
                    broken.push(format!("{}:{number} has `{word}`", shown(&file)));
                }
            }
        }
    }
    assert_none(broken, "the domain is pure: time, ids and random bits are given to it");
}

#[test]
fn no_service_knows_another() {
    let mut broken = Vec::new();
    for service in SERVICES {
        let folder = root().join(format!("services/{service}-service"));
        let manifest = read(&folder.join("Cargo.toml"));
        let (dependencies, _) =
            manifest.split_once("[dev-dependencies]").unwrap_or((&manifest, ""));
        let sources = rust_files(&folder.join("src")).into_iter().map(|file| read(&file));
        for other in SERVICES.into_iter().filter(|other| *other != service) {
            if dependencies.contains(&format!("karcis-{other}-service")) {
                broken.push(format!("{service}-service depends on {other}-service"));
            }
        }
        for source in sources {
            for (number, import) in imports(&source) {
                if import.starts_with("karcis_") && import.ends_with("_service") {
                    let own = format!("karcis_{service}_service");
                    if import != own {
                        broken.push(format!("{service}-service, line {number}: {import}"));
                    }
                }
            }
        }
    }
    assert_none(broken, "services speak over Kafka alone");
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = all_rust_files().into_iter().filter(|file| !read(file).starts_with("//! "));
    assert_none(silent.map(|file| shown(&file)).collect(), "a file opens with a //! line");
}

#[test]
fn files_and_functions_stay_short() {
    let mut long = Vec::new();
    for file in all_rust_files() {
        let text = read(&file);
        let lines = text.lines().count();
        if lines > 400 {
            long.push(format!("{} has {lines} lines", shown(&file)));
        }
        for (name, lines) in functions(&text) {
            if lines > 70 {
                long.push(format!("{}: fn {name} has {lines} lines", shown(&file)));
            }
        }
    }
    assert_none(long, "at most 400 lines a file, 70 a function");
}

#[test]
fn no_name_says_nothing() {
    let empty = ["common", "utils", "util", "models", "errors", "helpers", "misc"];
    let crates = ["crates", "services"].into_iter().flat_map(|folder| {
        fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path())
    });
    let named = all_rust_files().into_iter().chain(crates).filter(|path| {
        let folder_or_file = [path.file_stem(), path.parent().and_then(Path::file_name)];
        folder_or_file.into_iter().flatten().any(|name| empty.contains(&&*name.to_string_lossy()))
    });
    assert_none(named.map(|path| shown(&path)).collect(), "a name says what is in it");
}

#[test]
fn every_problem_has_a_page_and_every_page_a_problem() {
    let mut used = BTreeSet::new();
    let problems = root().join("crates/http/src");
    let sources = SERVICES.map(|service| root().join(format!("services/{service}-service/src")));
    for file in sources.iter().chain([&problems]).flat_map(|folder| rust_files(folder)) {
        used.extend(slugs(&read(&file)));
    }
    let pages: BTreeSet<String> = fs::read_dir(root().join("docs/problems"))
        .map(|entries| {
            let paths = entries.map(|entry| entry.unwrap().path());
            let pages = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
            pages.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    let pages: BTreeSet<String> = pages.into_iter().filter(|page| page != "README").collect();
    assert!(used.contains("not-found"), "the search for slugs finds none: {used:?}");
    let missing = used.difference(&pages).map(|slug| format!("docs/problems/{slug}.md is missing"));
    let unused = pages.difference(&used).map(|page| format!("docs/problems/{page}.md: no code"));
    assert_none(missing.chain(unused).collect(), "a page per problem");
}

#[test]
fn every_service_has_the_same_outbox_and_dead_letters() {
    let [first, others @ ..] = SERVICES
        .map(|service| read(&root().join(format!("migrations/{service}/0001_messaging.sql"))));
    assert!(
        others.iter().all(|other| *other == first),
        "0001_messaging.sql is the same four times"
    );
}

fn assert_none(broken: Vec<String>, rule: &str) {
    assert!(broken.is_empty(), "{rule}; but:\n  {}", broken.join("\n  "));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", shown(path)))
}

fn all_rust_files() -> Vec<PathBuf> {
    ["crates", "services", "tests"]
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        .collect()
}

/// The Rust files below a folder, which may be missing.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// A line without what stands in quotes, unless one is left open.
fn unquoted(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// The numbered lines up to the unit tests, without comments.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let numbered = code.lines().enumerate().map(|(at, line)| (at + 1, line));
    numbered.map(|(number, line)| (number, line.split("//").next().unwrap()))
}

/// What a file's code names of this workspace: `crate::<module>` and `karcis_<crate>`, in `use`
/// lines and paths alike, also in groups such as `use crate::{a, b}`.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in code_lines(text) {
        let line = &unquoted(line);
        let words = line.match_indices(|c: char| c.is_alphabetic() || c == '_').map(|(at, _)| at);
        for at in words.filter(|at| *at == 0 || !is_word(line.as_bytes()[at - 1])) {
            let word = word_at(line, at);
            if let Some(rest) = line[at..].strip_prefix("crate::") {
                match rest.strip_prefix('{') {
                    Some(_) => found.extend(group(text, number).map(|name| (number, name))),
                    None => found.push((number, format!("crate::{}", word_at(rest, 0)))),
                }
            } else if word.starts_with("karcis_") {
                found.push((number, word.to_owned()));
            }
        }
    }
    found
}

/// The modules named by a `use crate::{…}` that begins on this line.
fn group(text: &str, number: usize) -> impl Iterator<Item = String> {
    let rest: String = text.lines().skip(number - 1).collect::<Vec<_>>().join(" ");
    let group = rest.split_once("crate::{").map(|(_, group)| group.to_owned()).unwrap();
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' => fresh = depth == 0,
            c if fresh && is_word(c as u8) => {
                names.push(format!("crate::{}", word_at(&group, at)));
                fresh = false;
            }
            _ => {}
        }
    }
    names.into_iter()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn word_at(text: &str, at: usize) -> &str {
    let word = &text[at..];
    &word[..word.bytes().position(|byte| !is_word(byte)).unwrap_or(word.len())]
}

/// Each function's name and number of lines, by its braces.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once("fn ") else { continue };
        if before.contains("//") || before.contains('"') || before.ends_with(is_identifier) {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let rest = &lines[start..];
        let opened = rest.iter().find(|line| line.ends_with(['{', '}', ';']));
        // rustfmt puts a function's closing brace in the column where the function begins.
        let closing = rest.iter().position(|line| line.strip_prefix(indent) == Some("}"));
        if let (true, Some(last)) = (opened.is_some_and(|line| line.ends_with('{')), closing) {
            found.push((word_at(after, 0).to_owned(), last + 1));
        }
    }
    found
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The problem slugs a source names: the literal after a status or in `Problem::conflict`, which
/// rustfmt may have put on a line of its own.
fn slugs(text: &str) -> Vec<String> {
    let code: String = code_lines(text).map(|(_, line)| line.trim()).collect();
    let statuses = code.split("StatusCode::").skip(1).filter_map(|rest| rest.split_once(','));
    let after_status = statuses.filter(|(status, _)| status.bytes().all(is_word));
    let conflicts = code.split("conflict(").skip(1);
    let literals = after_status.map(|(_, rest)| rest.trim_start()).chain(conflicts);
    let literals = literals.filter_map(|rest| rest.strip_prefix('"'));
    literals.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn the_rules_can_be_broken() {
    let source = "use crate::{domain::Stage, adapters::{http, kafka}};\n\
                  use karcis_contracts::Ticket; // karcis_http\n\
                  const NAME: &str = \"karcis_messaging\";\n\
                  fn f() { crate::application::book() }\n\
                  #[cfg(test)]\nuse karcis_testkit::TestEnvironment;\n";
    let named: Vec<String> = imports(source).into_iter().map(|(_, name)| name).collect();
    let all = ["crate::domain", "crate::adapters", "karcis_contracts", "crate::application"];
    assert_eq!(named, all);

    let long = format!(
        "trait T {{\n    fn short(\n        a: u8,\n    );\n}}\nimpl A {{\n    pub fn long(\n        a: u8,\n    ) {{\n{}    }}\n}}\n",
        "        x();\n".repeat(70)
    );
    assert_eq!(functions(&long), [("long".to_owned(), 74)]);

    let problems = "Problem::new(\n    StatusCode::GONE,\n    \"event-over\",\n    \"Over\") \
                    Problem::conflict(\"version-conflict\", \"Changed\")";
    assert_eq!(slugs(problems), ["event-over", "version-conflict"]);
}
