//! Nothing is long, and no name says nothing.

use std::path::{Path, PathBuf};

use crate::{
    source::{code, functions},
    tree::{all_rust_files, assert_none, packages, read, shown},
};

#[test]
fn files_and_functions_stay_short() {
    let mut long = Vec::new();
    for file in all_rust_files() {
        let text = read(&file);
        let lines = text.lines().count();
        if lines > 400 {
            long.push(format!("{} has {lines} lines", shown(&file)));
        }
        let functions = functions(&code(&text)).into_iter().filter(|(_, lines)| *lines > 70);
        long.extend(
            functions.map(|(name, lines)| format!("{}: fn {name} has {lines} lines", shown(&file))),
        );
    }
    assert_none(long, "at most 400 lines a file, 70 a function");
}

#[test]
fn no_name_says_nothing() {
    let paths: Vec<PathBuf> = all_rust_files().into_iter().chain(packages()).collect();
    let named = paths.iter().filter(|path| says_nothing(path));
    assert_none(named.map(|path| shown(path)), "a name says what is in it");
}

fn says_nothing(path: &Path) -> bool {
    let empty = ["common", "utils", "util", "models", "errors", "helpers", "misc"];
    let folder_or_file = [path.file_stem(), path.parent().and_then(Path::file_name)];
    folder_or_file.into_iter().flatten().any(|name| empty.contains(&&*name.to_string_lossy()))
}

#[test]
fn an_empty_name_is_noticed() {
    assert!(says_nothing(Path::new("crates/common")) && says_nothing(Path::new("a/utils/b.rs")));
    assert!(!says_nothing(Path::new("services/booking-service/src/domain/booking.rs")));
}
