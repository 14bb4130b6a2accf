//! What a layer of a service may name: imports point inward.

use std::path::Path;

use crate::{
    source::{code, is_word_char, paths, product_code},
    tree::{assert_none, files, packages, read, root, services, shown},
};

/// What each layer may name of this workspace. Files of no layer wire the layers together.
const LAYERS: [(&str, &[&str]); 3] = [
    ("domain", &["crate::domain", "karcis_kernel"]),
    (
        "application",
        &[
            "crate::application",
            "crate::domain",
            "karcis_kernel",
            "karcis_database::Decider",
            "karcis_database::KeyUse",
            "karcis_database::Loaded",
            "karcis_database::PrivilegedAct",
            "karcis_database::RequestKey",
            "karcis_database::StoreError",
            "karcis_database::UnreadableRow",
            "karcis_database::decide_and_commit",
            "karcis_database::decide_each",
        ],
    ),
    (
        "adapters",
        &[
            "crate::adapters",
            "crate::application",
            "crate::config",
            "crate::domain",
            "karcis_contracts",
            "karcis_database",
            "karcis_http",
            "karcis_kernel",
            "karcis_messaging",
            "karcis_process",
        ],
    ),
];

/// What the layers inside may not touch: the clock, random bits and everything that waits.
const OUTSIDE: [&str; 16] = [
    "Utc::now",
    "SystemTime",
    "Instant::now",
    "now_v7",
    "new_v4",
    "rand::",
    "sqlx",
    "rdkafka",
    "reqwest",
    "axum",
    "utoipa",
    "tokio",
    "tracing",
    "std::fs",
    "std::net",
    "std::env",
];

#[test]
fn imports_point_inward() {
    let mut broken = Vec::new();
    for service in services() {
        for (layer, may) in LAYERS {
            for file in files(&service.join("src").join(layer), ".rs") {
                let text = read(&file);
                let code = if of_tests(&file) { code(&text) } else { product_code(&text) };
                let outward = outward(&code, may).into_iter();
                broken
                    .extend(outward.map(|(line, path)| format!("{}:{line} {path}", shown(&file))));
            }
        }
    }
    assert_none(broken, "imports point inward: adapters, then application, then domain");
}

fn outward(code: &str, may: &[&str]) -> Vec<(usize, String)> {
    let within = |path: &str, allowed: &str| {
        path.strip_prefix(allowed).is_some_and(|rest| !rest.starts_with(is_word_char))
    };
    let mut named = paths(code);
    // `super` stays in its layer: a layer is a folder, and its `mod.rs` has no need to climb.
    named.retain(|(_, path)| !path.starts_with("super"));
    named.retain(|(_, path)| !may.iter().any(|allowed| within(path, allowed)));
    named
}

fn of_tests(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn domain_and_application_read_no_clock_and_do_no_io() {
    let mut broken = Vec::new();
    for service in services() {
        for layer in ["domain", "application"] {
            for file in files(&service.join("src").join(layer), ".rs") {
                let waiting = ["async ", ".await"].into_iter().filter(|_| layer == "domain");
                for word in OUTSIDE.into_iter().chain(waiting) {
                    for (line, _) in product_code(&read(&file))
                        .lines()
                        .enumerate()
                        .filter(|(_, line)| names(line, word))
                    {
                        broken.push(format!("{}:{} has `{word}`", shown(&file), line + 1));
                    }
                }
            }
        }
    }
    for file in files(&root().join("crates/kernel/src"), ".rs") {
        // Its types say themselves what they are in the documents.
        for word in OUTSIDE.into_iter().filter(|word| *word != "utoipa") {
            if product_code(&read(&file)).lines().any(|line| names(line, word)) {
                broken.push(format!("{} has `{word}`", shown(&file)));
            }
        }
    }
    assert_none(broken, "time, ids and random bits are given to domain and application");
}

fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(is_word_char))
}

/// The lint reads the lists of clippy.toml only where it is switched on.
#[test]
fn every_domain_switches_on_the_ban_of_clock_and_chance() {
    let ban = "#![deny(clippy::disallowed_methods)]";
    let domains = services().into_iter().map(|service| service.join("src/domain/mod.rs"));
    let pure = domains.chain([root().join("crates/kernel/src/lib.rs")]);
    let open = pure.filter(|file| !read(file).contains(ban));
    assert_none(open.map(|file| shown(&file)), &format!("a pure module says `{ban}`"));
}

#[test]
fn services_are_started_by_tools_alone() {
    let names = services().into_iter().map(|service| crate_name(&service));
    let names: Vec<String> = names.collect();
    let mut broken = Vec::new();
    for package in packages() {
        if package.starts_with(root().join("tools")) {
            continue;
        }
        for file in files(&package.join("src"), ".rs").into_iter().filter(|file| !of_tests(file)) {
            let named = paths(&product_code(&read(&file))).into_iter().filter(|(_, path)| {
                let name = path.split("::").next().unwrap();
                names.iter().any(|service| service == name) && name != crate_name(&package)
            });
            broken.extend(named.map(|(line, path)| format!("{}:{line} {path}", shown(&file))));
        }
    }
    assert_none(broken, "services speak over Kafka alone, and no crate knows one");
}

fn crate_name(package: &Path) -> String {
    format!("karcis_{}", package.file_name().unwrap().to_string_lossy().replace('-', "_"))
}

#[test]
fn the_rules_can_be_broken() {
    let code = "use crate::{domain::Stage, adapters::http};\nuse karcis_database::{StoreError, connect};\n\
                use karcis_kernel::Money;\nuse crate::domains::X;";
    let [_, (_, application), _] = LAYERS;
    let broken: Vec<String> =
        outward(code, application).into_iter().map(|(_, path)| path).collect();
    assert_eq!(broken, ["crate::adapters::http", "karcis_database::connect", "crate::domains::X"]);
    assert!(names("let at = chrono::Utc::now();", "Utc::now") && !names("operand::x", "rand::"));
}
