//! Each service's OpenAPI document: what its handlers declare, completed with what all services share.

mod example;
mod headers;
mod operation;
mod problems;
mod schemas;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::system_endpoints;
pub use schemas::{LINE, LINES, Price, TimeZoneName, one_of, or_null};

const METHODS: [&str; 5] = ["get", "put", "delete", "post", "patch"];

/// A service's name, purpose and port.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The service's name, such as `booking-service`.
    pub service: &'static str,
    /// One line that says what it is for.
    pub about: &'static str,
    /// The default port.
    pub port: u16,
}

/// A service's document: what its handlers declare, completed with problems, headers and examples.
pub fn openapi(about: About, declared: utoipa::openapi::OpenApi) -> Value {
    let system = system_endpoints::routes().into_openapi();
    let mut document = json!(declared.merge_from(system));
    document["openapi"] = json!("3.1.0");
    document["info"] = info(about);
    document["servers"] = json!([
        {"url": "/", "description": "Where this document comes from"},
        {"url": format!("http://127.0.0.1:{}", about.port), "description": "`cargo run`"},
    ]);
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.push(json!({"name": system_endpoints::TAG, "description": "What every service has"}));
    }
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        finish(path, item);
    }
    let components = &mut document["components"];
    components["schemas"]["Problem"] = problems::schema();
    components["responses"] = problems::responses();
    components["headers"] = headers::all();
    components["securitySchemes"] = json!({"bearer": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "The `access_token` of user-service's `POST /login`. Where an operation \
                        names roles, the account needs one of them.",
    }});
    list_by_reference(&mut document);
    drop_unused(&mut document);
    require_every_field(&mut document);
    example::fill(&mut document);
    document
}

fn info(about: About) -> Value {
    json!({
        "title": format!("Karcis {}", about.service),
        "version": env!("CARGO_PKG_VERSION"),
        "summary": about.about,
        "description": DESCRIPTION,
        "contact": {"name": "Karcis", "email": "api@karcis.example"},
        "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
    })
}

const DESCRIPTION: &str = "\
Times are RFC 3339 in the years 1970 to 9999: answers have them in UTC, requests with any offset, which has a \
colon; in a query, the + of `+07:00` is written `%2B`. They are cut to microseconds, and a leap second (`:60`) is \
the second after it. Money is an integer in the unit people pay with: IDR and JPY whole, USD, \
EUR, SGD and MYR in cents; whole numbers are written without a fraction. Ids are UUIDs. Lists come in pages, newest first (events: soonest first): \
pass `next_cursor` on as `cursor`. Unknown fields of a body are refused, unknown query parameters \
ignored. On create null means absent; on update absent means unchanged and null cleared.

Errors are RFC 9457 problems; a problem's `type` is the path of a page about it. Checked in the order \
404 path, 405, 401, 403, 413, 415, 400, 422, 404, 409; 429 may come before any of them.

Every answer has a `traceparent` (W3C trace context), which continues the request's if its sender is \
trusted.";

fn finish(path: &str, item: &mut Value) {
    let mut names = BTreeSet::new();
    for method in METHODS {
        let Some(operation) = item.get_mut(method) else { continue };
        operation::finish(path, operation);
        // The methods of one handler share its name, but each operation needs its own.
        let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
        if !names.insert(name.clone()) {
            let (first, rest) = method.split_at(1);
            let own = format!("{name}By{}{rest}", first.to_uppercase());
            operation["operationId"] = own.into();
        }
    }
}

/// Makes a list refer to its items' schema, which utoipa writes out.
fn list_by_reference(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let names: BTreeSet<_> = schemas.keys().cloned().collect();
    for (name, schema) in schemas {
        if let Some(of) = name.strip_prefix("List_").filter(|of| names.contains(*of)) {
            let path = format!("#/components/schemas/{of}");
            schema["properties"]["items"]["items"] = json!({"$ref": path});
        }
    }
}

/// A response has all its fields, null or not. Only requests, which allow no other fields, may omit
/// some.
fn require_every_field(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object_mut();
    for (name, schema) in schemas.into_iter().flatten() {
        let Some(fields) = schema["properties"].as_object() else { continue };
        if schema["additionalProperties"] != false && name != "Problem" {
            schema["required"] = fields.keys().cloned().collect();
        }
    }
}

/// Leaves out the components that nothing refers to.
fn drop_unused(document: &mut Value) {
    loop {
        let text = document.to_string();
        let mut dropped = false;
        for kind in ["headers", "responses", "schemas"] {
            let Some(parts) = document["components"][kind].as_object_mut() else { continue };
            let before = parts.len();
            parts.retain(|name, _| text.contains(&format!("\"#/components/{kind}/{name}\"")));
            dropped |= parts.len() < before;
        }
        if !dropped {
            return;
        }
    }
}
