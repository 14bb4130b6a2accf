//! Every file says what it is for, and every public function and type what it is.

use crate::{
    source::is_word_char,
    tree::{all_rust_files, assert_none, files, packages, read, shown},
};

#[test]
fn every_file_says_what_it_is_for() {
    let silent = all_rust_files().into_iter().filter(|file| !read(file).starts_with("//! "));
    assert_none(silent.map(|file| shown(&file)), "a file opens with a //! line");
}

/// rustc's `missing_docs` asks it of fields and variants too, which mostly say it by their names; so do
/// `as_str`, `id` and getters.
#[test]
fn public_functions_types_and_modules_are_documented() {
    let mut broken = Vec::new();
    let sources = packages().into_iter().flat_map(|folder| files(&folder.join("src"), ".rs"));
    for file in sources.filter(|file| !file.components().any(|part| part.as_os_str() == "tests")) {
        let silent = undocumented(&read(&file)).into_iter();
        broken.extend(silent.map(|(line, item)| format!("{}:{line} {item}", shown(&file))));
    }
    assert_none(broken, "what is public has a /// line that says what it is");
}

/// Public items, and functions of public traits, that no doc comment stands before.
fn undocumented(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut in_trait = None;
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let item = line.trim_start();
        let indent = line.len() - item.len();
        if item.starts_with("pub trait ") {
            in_trait = Some(indent);
        } else if in_trait.is_some_and(|of| indent == of && item.starts_with('}')) {
            in_trait = None;
        }
        let public =
            item.strip_prefix("pub ").or(in_trait.filter(|of| indent == of + 4).map(|_| item));
        // What a macro declares, it documents by what it is given.
        let named = public.is_some_and(is_item) && !item.contains('$');
        if named && !is_documented(&lines[..at]) && !says_it_by_its_name(&lines[at..]) {
            found.push((at + 1, item.trim_end_matches(['{', ' ']).to_owned()));
        }
    }
    found
}

/// Whether this declares a function, a type or a module that is written right here.
fn is_item(declaration: &str) -> bool {
    let plain = declaration.trim_start_matches("async ").trim_start_matches("unsafe ");
    let module = plain.starts_with("mod ") && plain.ends_with('{');
    let words = ["fn ", "const fn ", "struct ", "enum ", "trait ", "type ", "union "];
    module || words.iter().any(|word| plain.starts_with(word))
}

/// Whether a function that begins here is `as_str`, `id`, or returns a field and does nothing else.
fn says_it_by_its_name(lines: &[&str]) -> bool {
    if lines[0].contains("fn as_str(") || lines[0].contains("fn id(") {
        return true;
    }
    let [_, body, end, ..] = lines else { return false };
    let body = body.trim().trim_start_matches('&');
    let field = body.strip_prefix("self.").filter(|_| end.trim() == "}");
    field.is_some_and(|field| field.chars().all(is_word_char))
}

/// Whether the lines end with a doc comment, attributes aside.
fn is_documented(before: &[&str]) -> bool {
    for line in before.iter().rev().map(|line| line.trim()) {
        if line.starts_with("///") || line.starts_with("#[doc") {
            return true;
        }
        let ends_another = line.is_empty() || line.ends_with(['{', '}', ';']);
        if ends_another && !line.starts_with("#[") {
            return false;
        }
    }
    false
}

#[test]
fn silent_items_are_found() {
    let text = "//! File.\npub mod a;\npub(crate) fn hidden() {}\npub const A: u8 = 1;\n\n\
                /// Said.\n#[derive(\n    Debug,\n)]\npub struct B {\n    pub field: u8,\n}\n\
                impl B {\n    pub const fn silent() {}\n    fn own() {}\n    \
                pub fn field(&self) -> &u8 {\n        &self.field\n    }\n    \
                pub fn as_str(&self) -> &str {\n        match self {}\n    }\n}\n\
                /// Said.\npub trait T {\n    /// Said.\n    async fn a();\n    fn b();\n}\n\
                pub async fn c() {}\n";
    let found: Vec<String> = undocumented(text).into_iter().map(|(_, item)| item).collect();
    assert_eq!(found, ["pub const fn silent() {}", "fn b();", "pub async fn c() {}"]);
}
