//! Words that do not come back: docs/glossary.md says which ones stand in their place.

use std::path::{Path, PathBuf};

use crate::{
    source::{code, is_word_char},
    tree::{assert_none, files, read, root, shown},
};

/// Names that no code has, as parts of them: `Lane` is also in `LaneLimits` and `lane_size`.
const NAMES: [(&str, &str); 26] = [
    ("desk", "ApiState or TestApp"),
    ("bed", "TestEnvironment"),
    ("lane", "Batcher"),
    ("lanes", "Batcher"),
    ("payment_json", "PaymentResponse"),
    ("shop_window", "CatalogueCache"),
    ("flaw", "FieldError"),
    ("betrays", "ReuseDetected"),
    ("betrayed", "ReuseDetected"),
    ("farewell", "StopSignals"),
    ("last_words", "last_lines"),
    ("throwaway", "TempDir"),
    ("deeds", "actions"),
    ("nobodys", "dummy_hash"),
    ("ringing", "DueTimer"),
    ("ring_alarms", "fire_timers"),
    ("alarms", "Timers"),
    ("teller", "notification worker"),
    ("put_aside", "dead-letter"),
    ("give_back", "refund or reversal"),
    ("give_money_back", "refund"),
    ("out_of_balance", "StockMismatch"),
    ("give_up", "release_held"),
    ("take_back", "release_sold"),
    ("patience", "timeout"),
    ("offered_item", "ReservedItem"),
];

/// Words that no text has, code, comment or page.
const PROSE: [&str; 11] = [
    "lest",
    "anew",
    "whoever",
    "whomever",
    "whence",
    "hence",
    "thereof",
    "wherein",
    "howmanyth",
    "manyth",
    "of those that",
];

#[test]
fn names_are_those_of_the_glossary() {
    let rust =
        ["crates", "services", "tools", "tests"].map(|folder| files(&root().join(folder), ".rs"));
    let mut broken = Vec::new();
    for file in rust.concat().iter().filter(|file| !file.starts_with(root().join("tools/tidy"))) {
        let code = code(&read(file));
        for (at, line) in code.lines().enumerate() {
            broken.extend(
                forbidden_names(line)
                    .map(|(not, but)| format!("{}:{} {not}: say {but}", shown(file), at + 1)),
            );
        }
        let name = file.file_stem().unwrap().to_str().unwrap();
        broken.extend(forbidden_names(name).map(|(_, but)| format!("{}: say {but}", shown(file))));
    }
    assert_none(broken, "one word, one meaning (docs/glossary.md)");
}

#[test]
fn texts_are_in_plain_english() {
    let mut broken = Vec::new();
    for file in texts() {
        for (at, line) in read(&file).lines().enumerate() {
            broken.extend(
                forbidden_prose(line).map(|word| format!("{}:{} \"{word}\"", shown(&file), at + 1)),
            );
        }
    }
    assert_none(broken, "plain English: subject, verb, object");
}

#[test]
fn panels_are_named_by_the_glossary() {
    let mut broken = Vec::new();
    for file in dashboards() {
        let text = read(&file);
        let titles = text.lines().filter(|line| line.contains("\"title\": "));
        broken.extend(titles.flat_map(|title| {
            let names = forbidden_names(&title.trim().replace(' ', "_")).collect::<Vec<_>>();
            names.into_iter().map(move |(_, but)| format!("{}: say {but}", title.trim()))
        }));
    }
    assert_none(broken, "panels are named by the same words as code");
}

#[test]
fn metrics_are_named_by_the_glossary() {
    let endings = [".rs", ".md", ".yaml", ".json"];
    let mut broken = Vec::new();
    for file in endings.into_iter().flat_map(|ending| files(&root(), ending)) {
        for (at, line) in read(&file).lines().enumerate() {
            for name in line.split(|c| !is_word_char(c)).filter(|name| name.starts_with("karcis_"))
            {
                broken.extend(
                    forbidden_names(name)
                        .map(|(_, but)| format!("{}:{} {name}: say {but}", shown(&file), at + 1)),
                );
            }
        }
    }
    assert_none(broken, "metrics are named by the same words as code");
}

/// What people read, but for landed migrations, which never change, and the lists of these words.
fn texts() -> Vec<PathBuf> {
    let endings =
        [".rs", ".md", ".toml", ".yml", ".yaml", ".env", "run", ".py", ".cjs", ".example", ".sql"];
    let all = endings.into_iter().flat_map(|ending| files(&root(), ending)).chain(dashboards());
    let landed = read(&root().join("migrations/CHECKSUMS"));
    let landed = |file: &Path| {
        let name = file.strip_prefix(root().join("migrations"));
        name.is_ok_and(|name| landed.contains(&format!("  {}\n", name.display())))
    };
    let lists = [root().join("docs/glossary.md"), root().join("tools/tidy/tests/it/words.rs")];
    all.filter(|file| !lists.contains(file) && !landed(file)).collect()
}

fn dashboards() -> Vec<PathBuf> {
    files(&root().join("docker/observability/dashboards"), ".json")
}

fn forbidden_names(line: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    // A dead letter is the field's own word; other letters are emails.
    let name = |name: &str| snake_case(name).replace("dead_letter", "dead-letter");
    let names: Vec<String> = line.split(|c| !is_word_char(c)).map(name).collect();
    NAMES.into_iter().filter(move |(not, _)| {
        names.iter().any(|name| format!("_{name}_").contains(&format!("_{not}_")))
    })
}

/// `LaneLimits` and `LANE_LIMITS` as `lane_limits`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before = '_';
    for c in name.chars() {
        if c.is_uppercase() && (before.is_lowercase() || before.is_numeric()) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
        before = c;
    }
    snake
}

fn forbidden_prose(line: &str) -> impl Iterator<Item = &'static str> {
    let lower = line.to_lowercase();
    PROSE.into_iter().filter(move |word| {
        lower.match_indices(word).any(|(at, _)| {
            let (before, after) = (&lower[..at], &lower[at + word.len()..]);
            !before.ends_with(is_word_char) && !after.starts_with(is_word_char)
        })
    })
}

#[test]
fn forbidden_words_are_found() {
    let names = |line| forbidden_names(line).map(|(not, _)| not).collect::<Vec<_>>();
    assert_eq!(
        names("let limits = LaneLimits::new(PATIENCE, put_aside_total);"),
        ["lane", "put_aside", "patience"]
    );
    assert_eq!(names("fn planes(embedded: Letters, give_up_now: Tallest) {}"), ["give_up"]);
    let prose = |line| forbidden_prose(line).collect::<Vec<_>>();
    assert_eq!(
        prose("Whoever reads it anew, lest it be lost; the tallest of those there."),
        ["lest", "anew", "whoever"]
    );
}
