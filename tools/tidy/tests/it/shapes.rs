//! The same job has the same type in every service.

use crate::{
    source::{code, is_word_char},
    tree::{assert_none, files, read, services, shown, stem},
};

#[test]
fn handlers_share_the_api_state() {
    let broken = services().into_iter().filter_map(|service| {
        let file = service.join("src/adapters/http/mod.rs");
        let code = code(&read(&file));
        let has = |declared| code.contains(declared);
        let fits = has("struct ApiState") && has("fn routes(");
        (!fits).then(|| format!("{} has no `ApiState` or no `routes`", shown(&file)))
    });
    assert_none(broken, "adapters/http/mod.rs has the handlers' state and the routes");
}

#[test]
fn answers_are_responses_in_responses_rs() {
    let broken = http_files().flat_map(|(name, code, shown)| {
        let types = types(&code)
            .into_iter()
            .filter(move |of| name != "responses" && of.ends_with("Response"));
        types.map(move |of| format!("{shown}: {of}"))
    });
    assert_none(broken, "answers are in responses.rs");
}

#[test]
fn what_a_handler_takes_says_from_where() {
    let broken = http_files().flat_map(|(_, code, shown)| {
        let wrong = misnamed(&code).into_iter();
        wrong.map(move |(of, ending)| format!("{shown}: {of} is no *{ending}"))
    });
    assert_none(broken, "parameters are *Path and *Query, bodies *Request");
}

#[test]
fn each_service_is_tested_through_its_test_app() {
    let broken = services().into_iter().filter_map(|service| {
        let harness = service.join("tests/it/harness.rs");
        let there = harness.exists() && code(&read(&harness)).contains("struct TestApp");
        (!there).then(|| format!("{} has no `TestApp`", shown(&harness)))
    });
    assert_none(broken, "tests/it/harness.rs has the TestApp");
}

/// The name, code and path of each file of the HTTP adapters.
fn http_files() -> impl Iterator<Item = (String, String, String)> {
    let files =
        services().into_iter().flat_map(|service| files(&service.join("src/adapters/http"), ".rs"));
    files.map(|file| (stem(&file).to_owned(), code(&read(&file)), shown(&file)))
}

fn types(code: &str) -> Vec<String> {
    let declared = ["struct ", "enum "].into_iter().flat_map(|word| code.split(word).skip(1));
    declared.map(name).collect()
}

fn name(text: &str) -> String {
    text.chars().take_while(|c| is_word_char(*c)).collect()
}

/// Types of parameters and bodies whose names do not say so. What a handler takes is written
/// `Path(id): Path<BookingPath>`; a single value such as `Path<BookingId>` needs no type.
fn misnamed(code: &str) -> Vec<(String, &'static str)> {
    let endings = [("Path", "Path"), ("Query", "Query"), ("Json", "Request")];
    let mut found = Vec::new();
    for (extractor, ending) in endings {
        for rest in code.split(&format!("): {extractor}<")).skip(1) {
            let of = name(rest);
            if types(code).contains(&of) && !of.ends_with(ending) {
                found.push((of, ending));
            }
        }
    }
    found
}

#[test]
fn misnamed_types_are_found() {
    let code = "struct Which; struct NewRequest; struct BookingPath; enum BookingResponse {}\n\
                fn f(Path(w): Path<Which>, Json(n): Json<NewRequest>, Path(p): Path<BookingPath>) {}";
    assert_eq!(misnamed(code), [("Which".to_owned(), "Path")]);
    assert_eq!(types(code), ["Which", "NewRequest", "BookingPath", "BookingResponse"]);
}
