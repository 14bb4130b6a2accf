//! Exceptions to a lint say why, and go when they are no longer needed.

use crate::{
    source::code,
    tree::{all_rust_files, assert_none, read, shown},
};

#[test]
fn lints_are_expected_not_allowed() {
    let mut broken = Vec::new();
    for file in all_rust_files() {
        let lines = allowing(&code(&read(&file)));
        broken.extend(lines.into_iter().map(|line| format!("{}:{line}", shown(&file))));
    }
    assert_none(broken, "write #[expect(lint, reason = \"…\")]: it warns once it is not needed");
}

/// The lines with an `allow` attribute.
fn allowing(code: &str) -> Vec<usize> {
    let lines = code.lines().enumerate();
    let found = lines.filter(|(_, line)| line.contains("#[allow(") || line.contains("#![allow("));
    found.map(|(at, _)| at + 1).collect()
}

#[test]
fn an_allow_is_found() {
    let text = "#![allow(x)]\n#[expect(y)]\n// #[allow(z)]\n    #[allow(dead_code, reason = \"\")]";
    assert_eq!(allowing(&code(text)), [1, 4]);
}
