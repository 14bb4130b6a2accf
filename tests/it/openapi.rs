//! What the services say they serve is what `docs/openapi/` says, and nothing is left unsaid.

use std::{collections::BTreeSet, env, fs, path::Path};

use serde_json::Value;

/// Set, the documents are written instead of compared.
const WRITE: &str = "KARCIS_WRITE_DOCS";

fn documents() -> impl Iterator<Item = (&'static str, Value)> {
    karcis_services::ALL.iter().map(|linked| (linked.service.name, (linked.openapi)()))
}

#[test]
fn the_documents_in_docs_are_what_the_services_serve() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi");
    for (service, document) in documents() {
        let path = folder.join(service).with_extension("json");
        if env::var_os(WRITE).is_some() {
            let text = serde_json::to_string_pretty(&document).unwrap();
            fs::write(&path, text + "\n").unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
        assert!(
            kept == document,
            "docs/openapi/{service}.json is not current; \
             write it with: {WRITE}=1 cargo test -p karcis-tests openapi"
        );
    }
}

/// Every operation of a document, with its name for messages.
fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_says_who_may_call_it() {
    for (service, document) in documents() {
        let mut names = BTreeSet::new();
        for (at, operation) in operations(&document) {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{service}: {at}: another operation is called {name}");
            assert!(operation["summary"].is_string(), "{service}: {at}: no summary");
            assert!(operation["security"].is_array(), "{service}: {at}: who may call it?");
        }
    }
}

#[test]
fn every_body_has_an_example_and_every_refusal_is_a_problem_with_its_page() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/problems");
    for (service, document) in documents() {
        for (at, operation) in operations(&document) {
            let at = format!("{service}: {at}");
            let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
            for (kind, body) in bodies {
                assert!(body.get("example").is_some(), "{at}: {kind} has no example");
            }
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let shared = answer["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
                let answer = shared.map_or(answer, |path| document.pointer(path).unwrap());
                let content = answer["content"].as_object().into_iter().flatten();
                for (kind, body) in content.clone() {
                    let examples = body.get("example").or(body.get("examples"));
                    assert!(examples.is_some(), "{at}: {status} {kind} has no example");
                }
                if status.as_str() >= "400" {
                    let kinds: Vec<_> = content.map(|(kind, _)| kind.as_str()).collect();
                    assert_eq!(kinds, ["application/problem+json"], "{at}: {status}");
                    let content = &answer["content"]["application/problem+json"];
                    let examples = content["examples"].as_object().unwrap();
                    assert!(!examples.is_empty(), "{at}: {status} is no problem");
                    for (slug, example) in examples {
                        let page = pages.join(slug).with_extension("md");
                        assert!(page.is_file(), "{at}: {status} {slug} has no page");
                        let shown = example["value"]["status"].to_string();
                        assert_eq!(&shown, status, "{at}: {slug} has another status");
                    }
                }
            }
        }
    }
}
