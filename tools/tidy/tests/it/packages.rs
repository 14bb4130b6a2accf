//! Which package may depend on which: the picture in ARCHITECTURE.md, read from the manifests.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{assert_none, packages, read, root, shown};

/// A package by its folder's name, with what it is built from and what only its tests use.
#[derive(Debug, Default)]
struct Package {
    folder: String,
    needs: BTreeSet<String>,
    tests_need: BTreeSet<String>,
}

const HEADING: &str = "## Which package depends on which";

#[test]
fn the_picture_is_the_one_in_architecture_md() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let (_, section) = text.split_once(HEADING).expect("ARCHITECTURE.md has the heading");
    let section = section.split("\n## ").next().unwrap();
    let drawn: Vec<&str> = section.lines().filter(|line| line.starts_with("- `")).collect();
    let drawn: BTreeSet<String> = drawn.iter().map(|line| (*line).to_owned()).collect();
    let found: BTreeSet<String> = all().iter().map(|(name, package)| line(name, package)).collect();
    let missing = found.difference(&drawn).map(|line| format!("not drawn:  {line}"));
    let wrong = drawn.difference(&found).map(|line| format!("not so:     {line}"));
    assert_none(missing.chain(wrong), "ARCHITECTURE.md draws every arrow, and no other");
}

#[test]
fn the_code_map_has_every_package() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let missing = packages().into_iter().map(|folder| shown(&folder));
    let missing = missing.filter(|folder| !text.contains(&format!("\n| `{folder}` |")));
    assert_none(missing, "ARCHITECTURE.md's code map has a row for each package");
}

fn line(name: &str, package: &Package) -> String {
    let needs: Vec<String> = package.needs.iter().map(|name| format!("`{name}`")).collect();
    let needs = if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") };
    format!("- `{name}` → {needs}")
}

#[test]
fn no_arrow_points_up() {
    assert_none(
        upward(&all()),
        "crates/ below services/ below tools/, and no service knows another",
    );
}

fn upward(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, package) in packages {
        let folder = package.folder.as_str();
        for need in package.needs.iter().chain(&package.tests_need) {
            let level = packages.get(need).map(|need| need.folder.as_str());
            let downward = match (folder, level) {
                (_, None) => false,
                ("crates" | "services", Some(level)) => level == "crates",
                (_, Some(level)) => level != "tests",
            };
            if !downward {
                broken.push(format!("{folder}/{name} depends on {need}"));
            }
        }
        if name == "tidy" && !package.needs.is_empty() {
            broken.push("tools/tidy depends on the product".to_owned());
        }
    }
    broken
}

#[test]
fn no_package_depends_on_itself() {
    assert_none(
        circles(&all()),
        "packages form no circle, and a crate's tests use nothing above it",
    );
}

/// The packages that need themselves, by way of others. Cargo refuses those of the first kind; a
/// crate's tests may use a crate above it only where that is made for tests.
fn circles(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let for_tests = ["testkit", "dev-servers"];
    let mut broken = Vec::new();
    for (name, package) in packages {
        let tests_need =
            package.tests_need.iter().filter(|need| !for_tests.contains(&need.as_str()));
        for need in package.needs.iter().chain(tests_need).filter(|need| *need != name) {
            if below(packages, need).contains(name) {
                broken.push(format!("{name} → {need} → … → {name}"));
            }
        }
    }
    broken
}

/// All that a package is built from, itself included.
fn below(packages: &BTreeMap<String, Package>, name: &str) -> BTreeSet<String> {
    let (mut found, mut next) = (BTreeSet::new(), vec![name.to_owned()]);
    while let Some(name) = next.pop() {
        if let Some(package) = packages.get(&name).filter(|_| !found.contains(&name)) {
            next.extend(package.needs.iter().cloned());
        }
        found.insert(name);
    }
    found
}

#[test]
fn every_package_is_named_after_its_folder() {
    let wrong = packages().into_iter().filter_map(|folder| {
        let name = format!("karcis-{}", folder.file_name().unwrap().to_str().unwrap());
        let named = read(&folder.join("Cargo.toml")).contains(&format!("name = \"{name}\"\n"));
        (!named).then_some(name)
    });
    assert_none(wrong.filter(|name| name != "karcis-karcis"), "packages are karcis-<folder>");
}

/// Planted bugs and crash points are in no program that is shipped.
#[test]
fn features_for_tests_are_switched_on_by_tests_alone() {
    let mut broken = Vec::new();
    for folder in packages() {
        let manifest = read(&folder.join("Cargo.toml"));
        let (product, _) = manifest.split_once("[dev-dependencies]").unwrap_or((&manifest, ""));
        for feature in ["crash-points", "planted-bugs", "port-tests"] {
            let is_on = product.contains(&format!("\"{feature}\""));
            broken.extend(is_on.then(|| format!("{}: {feature}", shown(&folder))));
        }
    }
    assert_none(broken, "[dev-dependencies] alone switch them on");
}

fn all() -> BTreeMap<String, Package> {
    let packages = packages().into_iter().map(|folder| {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let parent = folder.parent().unwrap();
        let parent = if parent == root() { &folder } else { parent };
        let mut package = parse(&read(&folder.join("Cargo.toml")));
        package.folder = parent.file_name().unwrap().to_string_lossy().into_owned();
        (name, package)
    });
    packages.collect()
}

/// What a manifest needs of this workspace. All of it is written `karcis-<name>.workspace = true`
/// or `karcis-<name> = { workspace = true, … }`.
fn parse(manifest: &str) -> Package {
    let mut package = Package::default();
    let mut section = "";
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some(name) = line.strip_prefix("karcis-") {
            let name = name.split(['.', ' ']).next().unwrap().to_owned();
            match section.rsplit('.').next().unwrap() {
                "dev-dependencies" => package.tests_need.insert(name),
                "dependencies" | "build-dependencies" => package.needs.insert(name),
                _ => false,
            };
        }
    }
    package
}

#[test]
fn the_rules_can_be_broken() {
    let manifest = "[package]\nname = \"karcis-http\"\n[dependencies]\nkarcis-kernel.workspace = true\n\
                    [dev-dependencies]\nkarcis-testkit = { workspace = true }\n";
    let package = parse(manifest);
    assert_eq!(line("http", &package), "- `http` → `kernel`");
    assert!(package.tests_need.contains("testkit"));

    let package = |folder: &str, needs: &[&str], tests_need: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Package { folder: folder.to_owned(), needs: names(needs), tests_need: names(tests_need) }
    };
    let packages = BTreeMap::from([
        ("kernel".to_owned(), package("crates", &[], &["http"])),
        ("http".to_owned(), package("crates", &["kernel", "user-service"], &["testkit"])),
        ("testkit".to_owned(), package("crates", &["http"], &["fleet"])),
        (
            "user-service".to_owned(),
            package("services", &["http"], &["booking-service", "testkit"]),
        ),
        ("booking-service".to_owned(), package("services", &["user-service"], &[])),
        ("fleet".to_owned(), package("tools", &["user-service"], &[])),
    ]);
    let broken = [
        "services/booking-service depends on user-service",
        "crates/http depends on user-service",
        "crates/testkit depends on fleet",
        "services/user-service depends on booking-service",
    ];
    assert_eq!(upward(&packages), broken);
    assert!(circles(&packages).contains(&"kernel → http → … → kernel".to_owned()));
}
