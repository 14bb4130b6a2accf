//! The problems as their pages in `docs/problems/` describe them.

use serde_json::{Map, Value, json};

use super::headers::header;
use crate::system_endpoints::PAGES;

/// The status in a page's first line, such as ``# `not-found` (404)``.
pub(super) fn status(slug: &str) -> String {
    let first = page(slug).lines().next().unwrap_or_default();
    first.split(['(', ')']).nth(1).unwrap_or_default().to_owned()
}

fn page(slug: &str) -> &'static str {
    PAGES.iter().find(|(known, _)| *known == slug).map_or("", |(_, page)| page)
}

/// A page's first paragraph.
fn about(slug: &str) -> String {
    page(slug).split("\n\n").nth(1).unwrap_or_default().replace('\n', " ")
}

/// A page's example.
fn example(slug: &str) -> Value {
    let json = page(slug).split("```json").nth(1).and_then(|rest| rest.split("```").next());
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// The response of each problem, by slug.
pub(super) fn responses() -> Value {
    let all = PAGES.iter().map(|(slug, _)| {
        (slug.to_string(), response(&[slug.to_string()], Value::Null, Map::new()))
    });
    all.collect::<Map<_, _>>().into()
}

/// The response that is one of these problems of one status. `members` is the schema of the members
/// that other problems do not have, or null.
pub(super) fn response(slugs: &[String], members: Value, mut headers: Map<String, Value>) -> Value {
    headers.insert("traceparent".to_owned(), header("traceparent"));
    match slugs.first().map(|slug| status(slug)).as_deref() {
        Some("401") => {
            drop(headers.insert("WWW-Authenticate".to_owned(), header("WWW-Authenticate")))
        }
        Some("429" | "503") => {
            drop(headers.insert("Retry-After".to_owned(), header("Retry-After")))
        }
        _ => {}
    }
    let abouts: Vec<_> = slugs.iter().map(|slug| format!("`{slug}`: {}", about(slug))).collect();
    let types: Vec<_> = slugs.iter().map(|slug| format!("/problems/{slug}")).collect();
    let examples: Map<_, _> =
        slugs.iter().map(|slug| (slug.clone(), json!({"value": example(slug)}))).collect();
    let narrowed = json!({"type": "object", "properties": {"type": {"enum": types}}});
    let mut schemas = vec![json!({"$ref": "#/components/schemas/Problem"}), narrowed];
    schemas.extend((!members.is_null()).then_some(members));
    json!({
        "description": abouts.join("\n\n"),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"allOf": schemas}, "examples": examples}},
    })
}

/// Problem details (RFC 9457).
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong and what to do about it (RFC 9457).",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {
                "type": "string",
                "description": "The path of the page about it. It never changes.",
                "pattern": "^/problems/[a-z-]+$",
            },
            "title": {"type": "string", "description": "The kind of problem in a few words."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What happened this time."},
            "errors": {
                "type": "array",
                "description": "What is wrong with which field; with 422.",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "properties": {
                        "field": {"type": "string", "description": "Its path."},
                        "message": {"type": "string", "description": "What to give instead."},
                    },
                },
            },
            "trace_id": {
                "type": "string",
                "description": "To be found in the logs.",
                "pattern": "^[0-9a-f]{32}$",
            },
        },
    })
}
