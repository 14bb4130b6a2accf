//! Every problem has its page, and every page its problem.

use std::collections::BTreeSet;

use crate::{
    source::is_word_char,
    tree::{assert_none, files, packages, read, root, stem},
};

#[test]
fn every_problem_has_a_page_and_every_page_a_problem() {
    let sources = packages().into_iter().flat_map(|folder| files(&folder.join("src"), ".rs"));
    let used: BTreeSet<String> = sources.flat_map(|file| slugs(&read(&file))).collect();
    assert!(used.contains("not-found"), "the search for slugs finds none: {used:?}");
    let pages = files(&root().join("docs/problems"), ".md");
    let pages = pages.iter().map(|page| stem(page).to_owned()).filter(|page| page != "README");
    let pages: BTreeSet<String> = pages.collect();
    let missing = used.difference(&pages).map(|slug| format!("docs/problems/{slug}.md is missing"));
    let unused = pages.difference(&used).map(|page| format!("docs/problems/{page}.md: no code"));
    assert_none(missing.chain(unused), "a page per problem");
}

/// The problem slugs a source names: the literal after a status or in `Problem::conflict`, which
/// rustfmt may have put on a line of its own.
fn slugs(text: &str) -> Vec<String> {
    let product = text.split("#[cfg(test)]").next().unwrap();
    let lines = product.lines().map(|line| line.split("//").next().unwrap().trim());
    let code: String = lines.collect();
    let statuses = code.split("StatusCode::").skip(1).filter_map(|rest| rest.split_once(','));
    let after_status = statuses.filter(|(status, _)| status.chars().all(is_word_char));
    let conflicts = code.split("conflict(").skip(1);
    let literals = after_status.map(|(_, rest)| rest.trim_start()).chain(conflicts);
    let literals = literals.filter_map(|rest| rest.strip_prefix('"'));
    literals.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn slugs_are_found() {
    let problems = "Problem::new(\n    StatusCode::GONE,\n    \"event-over\",\n    \"Over\") \
                    Problem::conflict(\"version-conflict\", \"Changed\")";
    assert_eq!(slugs(problems), ["event-over", "version-conflict"]);
}
