//! No circle of files: what a file names does not name it back. Parent and child may.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    source::{paths, product_code},
    tree::{assert_none, files, packages, read, shown},
};

/// Which modules each module names, by their paths such as `crate::domain::saga`.
type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_files_name_each_other_in_a_circle() {
    let mut broken = Vec::new();
    for package in packages() {
        let source = package.join("src");
        let sources = files(&source, ".rs").into_iter();
        let modules: Vec<(String, String)> = sources
            .map(|file| (module(file.strip_prefix(&source).unwrap()), product_code(&read(&file))))
            .collect();
        let circles = circles(&graph(&modules));
        broken.extend(circles.into_iter().map(|circle| format!("{}: {circle}", shown(&package))));
    }
    assert_none(broken, "files form no circle");
}

/// The module that a file below `src` holds.
fn module(file: &Path) -> String {
    let parts = file.with_extension("");
    let parts = parts.iter().map(|part| part.to_str().unwrap());
    let named = parts.filter(|part| !["lib", "main", "mod"].contains(part));
    std::iter::once("crate").chain(named).collect::<Vec<_>>().join("::")
}

fn graph(modules: &[(String, String)]) -> Graph {
    let names: BTreeSet<&str> = modules.iter().map(|(name, _)| name.as_str()).collect();
    let mut graph = Graph::new();
    for (name, code) in modules {
        let named = paths(code).into_iter().filter_map(|(_, path)| {
            let path = absolute(name, &path)?;
            ancestors(&path).find(|module| names.contains(module)).map(str::to_owned)
        });
        graph.entry(name.clone()).or_default().extend(named.filter(|other| !related(name, other)));
    }
    graph
}

/// A path from the crate's root; `None` if it leads to another crate.
fn absolute(module: &str, path: &str) -> Option<String> {
    let (mut module, mut path) = (module, path);
    if path.starts_with("crate") {
        return Some(path.to_owned());
    }
    while let Some(rest) = path.strip_prefix("super") {
        module = module.rsplit_once("::")?.0;
        path = rest.trim_start_matches("::");
        if path.is_empty() {
            return Some(module.to_owned());
        }
    }
    (!path.starts_with("karcis_")).then(|| format!("{module}::{path}"))
}

/// A path, and what it lies in.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once("::").map(|(parent, _)| parent))
}

fn related(one: &str, other: &str) -> bool {
    ancestors(one).any(|above| above == other) || ancestors(other).any(|above| above == one)
}

/// One circle for each module that is on one, shortest first, each once.
fn circles(graph: &Graph) -> BTreeSet<String> {
    let mut found = BTreeMap::new();
    for start in graph.keys() {
        let mut trails = vec![vec![start]];
        let mut seen = BTreeSet::new();
        while let Some(trail) = (!trails.is_empty()).then(|| trails.remove(0)) {
            for next in &graph[*trail.last().unwrap()] {
                if next == start {
                    let members: BTreeSet<&String> = trail.iter().copied().collect();
                    let names = trail.iter().map(|name| name.as_str()).chain([start.as_str()]);
                    let shown = names.collect::<Vec<_>>().join(" → ");
                    found.entry(members).or_insert(shown);
                } else if graph.contains_key(next) && seen.insert(next) {
                    trails.push(trail.iter().copied().chain([next]).collect());
                }
            }
        }
    }
    found.into_values().collect()
}

#[test]
fn circles_are_found() {
    assert_eq!(module(Path::new("domain/mod.rs")), "crate::domain");
    assert_eq!(module(Path::new("domain/saga.rs")), "crate::domain::saga");
    let modules = [
        ("crate", "use crate::a::A;"),
        ("crate::a", "use crate::b::B; use crate::X;"),
        ("crate::b", "use super::c::{C, D};"),
        ("crate::c", "fn f() { crate::a::g() }"),
        ("crate::c::d", "use super::{C, e::E};"),
        ("crate::c::e", "use karcis_kernel::Money;"),
    ];
    let graph = graph(&modules.map(|(name, code)| (name.to_owned(), code.to_owned())));
    let circles: Vec<String> = circles(&graph).into_iter().collect();
    assert_eq!(circles, ["crate::a → crate::b → crate::c → crate::a"]);
}
