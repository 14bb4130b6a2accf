//! The headers of responses.

use serde_json::{Value, json};

/// The headers, by name.
pub(super) fn all() -> Value {
    let text = |description: &str, example: &str| json!({"description": description, "schema": {"type": "string"}, "example": example});
    json!({
        "traceparent": text(
            "The answer's place in its trace (W3C trace context).",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        "Retry-After": {
            "description": "After how many seconds to try again.",
            "required": true,
            "schema": {"type": "integer", "minimum": 1},
            "example": 2,
        },
        "ETag": text("What `If-None-Match` and `If-Match` take.", "\"3-4a1f0c2e9b7d6558\""),
        "WWW-Authenticate": text("How to log in.", "Bearer"),
        "Idempotent-Replayed": {
            "description": "Present if the key was used before: nothing was done again.",
            "schema": {"type": "string", "const": "true"},
        },
    })
}

/// A reference to the header of this name.
pub(super) fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}
