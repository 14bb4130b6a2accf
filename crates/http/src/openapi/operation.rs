//! What is added to each operation: the problems that follow from what it takes, and headers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{headers::header, problems};
use crate::{admit::ALWAYS_ANSWERED, system_endpoints};

/// Completes an operation. Its declared responses of 400 and more are described by their slugs.
pub(super) fn finish(path: &str, operation: &mut Value) {
    if operation.get("security").is_none() {
        operation["security"] = json!([]);
    }
    let keyed = has_parameter(operation, |it| it["name"] == "Idempotency-Key");
    let mut problems: BTreeMap<String, Problems> = BTreeMap::new();
    for slug in standard(path, operation, keyed) {
        let status = problems::status(slug);
        let of = problems.entry(status).or_default();
        if !of.slugs.iter().any(|known| known == slug) {
            of.slugs.push(slug.to_owned());
        }
    }
    let mut declared =
        operation["responses"].as_object_mut().map(std::mem::take).unwrap_or_default();
    let asks = |header| has_parameter(operation, |it| it["name"] == header);
    if asks("If-None-Match") {
        let known = json!({"description": "It is as the client knows it."});
        declared.insert("304".to_owned(), known);
    }
    let tagged = asks("If-None-Match") || asks("If-Match");
    let mut responses = Map::new();
    for (status, mut response) in declared {
        if status.as_str() < "400" {
            if let Some(location) = response["headers"].get_mut("Location") {
                location["required"] = json!(true);
            }
            response["headers"]["traceparent"] = header("traceparent");
            if tagged && ["200", "304"].contains(&status.as_str()) {
                response["headers"]["ETag"] = header("ETag");
            }
            if keyed {
                response["headers"]["Idempotent-Replayed"] = header("Idempotent-Replayed");
            }
            responses.insert(status, response);
            continue;
        }
        let slugs = response["description"].as_str().unwrap_or_default().split_whitespace();
        let of = problems.entry(status.clone()).or_default();
        for slug in slugs.map(str::to_owned) {
            if !of.slugs.contains(&slug) {
                of.slugs.push(slug);
            }
        }
        of.schema = response["content"]["application/json"]["schema"].take();
        of.headers = response["headers"].as_object_mut().map(std::mem::take).unwrap_or_default();
        if keyed && status == "402" {
            of.headers.insert("Idempotent-Replayed".to_owned(), header("Idempotent-Replayed"));
        }
    }
    let problems = problems.into_iter().map(|(status, of)| (status, of.into_response()));
    responses.extend(problems);
    operation["responses"] = responses.into();
}

/// The problems of one status.
#[derive(Default)]
struct Problems {
    slugs: Vec<String>,
    /// Of the members that other problems do not have.
    schema: Value,
    headers: Map<String, Value>,
}

impl Problems {
    fn into_response(self) -> Value {
        match &self.slugs[..] {
            [slug] if self.schema.is_null() && self.headers.is_empty() => {
                json!({"$ref": format!("#/components/responses/{slug}")})
            }
            slugs => problems::response(slugs, self.schema, self.headers),
        }
    }
}

/// The problems of every operation that takes the same kinds of input.
fn standard(path: &str, operation: &Value, keyed: bool) -> Vec<&'static str> {
    let mut slugs =
        if ALWAYS_ANSWERED.contains(&path) { Vec::new() } else { vec!["too-many-requests"] };
    if operation["tags"][0] == system_endpoints::TAG {
        return slugs;
    }
    if let Some(body) = operation.get("requestBody") {
        slugs.push("too-large");
        if body["content"].get("application/json").is_some() {
            slugs.extend(["not-json", "unsupported-media-type", "invalid-input"]);
        }
    } else if has_parameter(operation, |it| it["in"] == "query") {
        slugs.push("invalid-input");
    }
    if keyed {
        slugs.push("idempotency-key-reused");
    }
    if has_parameter(operation, |it| it["name"] == "Last-Event-ID") {
        slugs.push("too-many-requests");
    }
    let mut logins = operation["security"].as_array().into_iter().flatten();
    if let Some(roles) = logins.find_map(|login| login["bearer"].as_array()) {
        slugs.push("not-logged-in");
        if !roles.is_empty() {
            slugs.push("wrong-role");
        }
    }
    if has_parameter(operation, |it| it["in"] == "path") {
        slugs.push("not-found");
    }
    // An operation that takes anything queries the database.
    if slugs.len() > 1 {
        slugs.push("unavailable");
    }
    slugs.push("internal-error");
    slugs
}

fn has_parameter(operation: &Value, which: impl Fn(&Value) -> bool) -> bool {
    operation["parameters"].as_array().is_some_and(|them| them.iter().any(which))
}
