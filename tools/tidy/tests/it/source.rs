//! Reads Rust as text: code without comments and literals, the paths it names, its functions.

/// The code alone: comments and the insides of literals become spaces, lines stay where they are.
pub(crate) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (length, kept) = token(rest, code.chars().last());
        let (taken, after) = rest.split_at(length.max(c.len_utf8()));
        if kept {
            code.push_str(taken);
        } else {
            code.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// The length of what comes next, and whether it is code.
fn token(rest: &str, before: Option<char>) -> (usize, bool) {
    let until = |end: &str, from: usize| {
        rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
    };
    if rest.starts_with("//") {
        (rest.find('\n').unwrap_or(rest.len()), false)
    } else if rest.starts_with("/*") {
        (until("*/", 2), false)
    } else if rest.starts_with('"') {
        (string_length(rest), false)
    } else if rest.starts_with('r') && !before.is_some_and(is_word_char) {
        let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        match rest[1 + hashes..].starts_with('"') {
            true => (until(&format!("\"{}", "#".repeat(hashes)), 2 + hashes), false),
            false => (1, true),
        }
    } else if rest.starts_with('\'') {
        // A character, not a lifetime.
        let escaped = rest.starts_with("'\\");
        let close = rest.char_indices().nth(2).is_some_and(|(_, c)| c == '\'');
        match (escaped, close) {
            (true, _) => (until("'", 3), false),
            (false, true) => (rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at), false),
            (false, false) => (1, true),
        }
    } else {
        (1, true)
    }
}

fn string_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    rest.len()
}

/// The code that is not compiled for tests alone.
pub(crate) fn product_code(text: &str) -> String {
    let mut code = code(text);
    while let Some(start) = code.find("#[cfg(test)]") {
        let item = &code[start..];
        let end = match (item.find(';'), item.find('{')) {
            (Some(semicolon), brace) if brace.is_none_or(|brace| semicolon < brace) => semicolon,
            (_, Some(brace)) => brace + closing(&item[brace..]),
            _ => item.len() - 1,
        };
        let blank = item[..=end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        let blank: String = blank;
        code.replace_range(start..=start + end, &blank);
    }
    code
}

/// Where the brace that opens the text is closed.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len() - 1
}

/// Each path of this workspace that the code names, with its line: `crate::domain::Stage`, also from
/// within groups such as `use crate::{a, b::{c, d}}`.
pub(crate) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, word) in words(code) {
        let ours = ["crate", "super"].contains(&word) || word.starts_with("karcis_");
        // `pub(crate)` names nothing, and `a::crate_name` is inside of another path.
        let begins = code[at + word.len()..].starts_with("::") && !code[..at].ends_with("::");
        if ours && begins {
            let line = 1 + code[..at].matches('\n').count();
            let mut expanded = Vec::new();
            path_tree(&code[at..], "", &mut expanded);
            found.extend(expanded.into_iter().map(|path| (line, path)));
        }
    }
    found
}

/// Expands one path or group at the start of the text, and returns what follows it.
fn path_tree<'t>(text: &'t str, prefix: &str, found: &mut Vec<String>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with('}') {
                return rest.get(1..).unwrap_or("");
            }
            rest = path_tree(rest, prefix, found);
            // Over `as other`, up to the next of the group.
            let next = rest.find([',', '}']).unwrap_or(rest.len());
            rest = rest[next..].trim_start_matches(',');
        }
    }
    let end = text.find(|c| !is_word_char(c)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let path = match word {
        "" | "self" => prefix.to_owned(),
        _ if prefix.is_empty() => word.to_owned(),
        _ => format!("{prefix}::{word}"),
    };
    match rest.strip_prefix("::").filter(|_| !word.is_empty()) {
        Some(rest) => path_tree(rest, &path, found),
        None => {
            found.push(path);
            rest
        }
    }
}

/// The words of a text with where they begin.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut end = 0;
    text.split(|c| !is_word_char(c)).filter_map(move |word| {
        let start = end;
        end = start
            + word.len()
            + text[start + word.len()..].chars().next().map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((start, word))
    })
}

pub(crate) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Each function's name and number of lines, by its braces.
pub(crate) fn functions(code: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.split_once("fn ") else { continue };
        if before.ends_with(is_word_char) {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let rest = &lines[start..];
        let opened = rest.iter().find(|line| line.trim_end().ends_with(['{', '}', ';']));
        // rustfmt puts a function's closing brace in the column where the function begins.
        let closing = rest.iter().position(|line| line.strip_prefix(indent) == Some("}"));
        if let (true, Some(last)) = (opened.is_some_and(|line| line.ends_with('{')), closing) {
            let name: String = after.chars().take_while(|c| is_word_char(*c)).collect();
            found.push((name, last + 1));
        }
    }
    found
}

#[test]
fn code_is_told_from_comments_and_literals() {
    let text = "a(\"x // y\\\"\"); // b\nr#\"c \"d\"\"# 'e' '\\'' '\"' &'static f /* g\n */ h";
    let kept: String = code(text).split_whitespace().collect();
    assert_eq!(kept, "a();&'staticfh");
    assert_eq!(code(text).lines().count(), text.lines().count());
}

#[test]
fn what_only_tests_use_is_left_out() {
    let text = "a\n#[cfg(test)]\nmod table;\nb\n#[cfg(test)]\nmod tests {\n fn x() {}\n}\nc\n";
    let kept: Vec<String> = product_code(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(kept, ["a", "b", "c"]);
}

#[test]
fn paths_are_found_in_groups_and_in_code() {
    let source = "use crate::{domain::{Stage, saga}, adapters::http as web};\n\
                  use karcis_contracts::Ticket;\n\
                  pub(crate) fn f() { crate::application::book(super::x, other::karcis_fake) }\n";
    let named: Vec<String> = paths(source).into_iter().map(|(_, path)| path).collect();
    let all = [
        "crate::domain::Stage",
        "crate::domain::saga",
        "crate::adapters::http",
        "karcis_contracts::Ticket",
        "crate::application::book",
        "super::x",
    ];
    assert_eq!(named, all);
}

#[test]
fn long_functions_are_measured() {
    let long = format!(
        "trait T {{\n    fn short(\n        a: u8,\n    );\n}}\nimpl A {{\n    pub fn long(\n        a: u8,\n    ) {{\n{}    }}\n}}\n",
        "        x();\n".repeat(70)
    );
    assert_eq!(functions(&long), [("long".to_owned(), 74)]);
}
