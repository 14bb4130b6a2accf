//! The repository's files.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder that holds everything.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// A path as it is written in a message: relative to the root.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", shown(path)))
}

pub(crate) fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// What is in a folder, in order; nothing if there is no such folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The files below a folder whose names end so, such as `.rs`, without what is built or fetched.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if !["target", "node_modules", ".git"].contains(&&*name) {
                found.extend(files(&path, ending));
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// Every Rust file of the workspace.
pub(crate) fn all_rust_files() -> Vec<PathBuf> {
    let folders = ["crates", "services", "tools", "tests"];
    folders.iter().flat_map(|folder| files(&root().join(folder), ".rs")).collect()
}

/// The folder of each package.
pub(crate) fn packages() -> Vec<PathBuf> {
    let folders = ["crates", "services", "tools"].map(|folder| entries(&root().join(folder)));
    let packages = folders.into_iter().flatten().chain([root().join("tests")]);
    packages.filter(|folder| folder.join("Cargo.toml").exists()).collect()
}

/// The folder of each service, such as `services/booking-service`.
pub(crate) fn services() -> Vec<PathBuf> {
    entries(&root().join("services"))
}

/// Fails with all that break the rule.
#[track_caller]
pub(crate) fn assert_none(broken: impl IntoIterator<Item = String>, rule: &str) {
    let broken: Vec<String> = broken.into_iter().collect();
    assert!(broken.is_empty(), "{rule}; but:\n  {}", broken.join("\n  "));
}
