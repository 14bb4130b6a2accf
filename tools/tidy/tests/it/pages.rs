//! Pages lead where they say, and the list of decisions has each of them.

use std::path::{Path, PathBuf};

use crate::tree::{assert_none, files, read, root, shown, stem};

#[test]
fn links_lead_to_files() {
    let mut broken = Vec::new();
    for page in files(&root(), ".md") {
        let text = read(&page);
        let gone = links(&text).into_iter().filter(|link| !target(&page, link).exists());
        broken.extend(gone.map(|link| format!("{}: {link}", shown(&page))));
    }
    assert_none(broken, "links lead to files that are there");
}

fn target(page: &Path, link: &str) -> PathBuf {
    page.parent().unwrap().join(link.split('#').next().unwrap())
}

/// The links of a page that lead to other files here.
fn links(page: &str) -> Vec<&str> {
    let after = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    after.filter(|link| !link.contains("://") && !link.starts_with(['#', '/'])).collect()
}

#[test]
fn every_decision_is_listed_with_its_number_and_title() {
    let index = read(&root().join("docs/decisions/README.md"));
    let pages = files(&root().join("docs/decisions"), ".md");
    let pages = pages.into_iter().filter(|page| stem(page) != "README").enumerate();
    let unlisted = pages.filter_map(|(at, page)| {
        let number = at + 1;
        let text = read(&page);
        let title = text.lines().next().unwrap().strip_prefix(&format!("# {number}. "));
        let line = format!("{number}. [{}]({}.md)\n", title.unwrap_or_default(), stem(&page));
        let numbered = stem(&page).starts_with(&format!("{number:04}-"));
        (!numbered || !index.contains(&line)).then(|| format!("{}: {line}", shown(&page)))
    });
    assert_none(unlisted, "docs/decisions/README.md lists each decision");
}

#[test]
fn links_are_found() {
    let page = "[a](b.md#c) and [d](https://example.org) and [e](../f) [g](#h) [i](/problems/j)";
    assert_eq!(links(page), ["b.md#c", "../f"]);
}
