//! Examples of whole bodies, built from the examples of their parts.

use serde_json::{Map, Value, json};

/// Gives each body and each required parameter an example unless it has one.
pub(super) fn fill(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let Some(items) = document["paths"].as_object_mut() else { return };
    let operations = items.values_mut().filter_map(Value::as_object_mut);
    for operation in operations.flat_map(Map::values_mut) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            if parameter["required"] == true && parameter.get("example").is_none() {
                parameter["example"] = sample(&parameter["schema"], &schemas);
            }
        }
        if let Some(body) = operation.get_mut("requestBody") {
            content(body, &schemas);
        }
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for response in responses.into_iter().flat_map(Map::values_mut) {
            content(response, &schemas);
        }
    }
}

fn content(of: &mut Value, schemas: &Value) {
    let Some(content) = of.get_mut("content").and_then(Value::as_object_mut) else { return };
    let has_example = |body: &Value| body.get("example").or(body.get("examples")).is_some();
    if let Some(json) = content.get_mut("application/json").filter(|body| !has_example(body)) {
        json["example"] = sample(&json["schema"], schemas);
    }
    let example = content.get("application/json").map(|json| json["example"].clone());
    if let (Some(stream), Some(example)) = (content.get_mut("text/event-stream"), example) {
        stream["example"] = format!("id: {}\ndata: {example}\n\n", example["version"]).into();
    }
}

/// A value that this schema allows: its own example, or one built from its parts' examples.
fn sample(schema: &Value, schemas: &Value) -> Value {
    let own = schema["examples"].get(0).or(schema.get("example")).or(schema.get("const"));
    if let Some(own) = own.or(schema["enum"].get(0)) {
        return own.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return sample(&schemas[name], schemas);
    }
    if let Some(all) = schema["allOf"].as_array() {
        let parts = all.iter().map(|part| sample(part, schemas));
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return fields.collect::<Map<_, _>>().into();
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| choice["type"] != "null");
        return choice.map_or(Value::Null, |choice| sample(choice, schemas));
    }
    match schema["type"].as_str().or(schema["type"][0].as_str()).unwrap_or_default() {
        "object" => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, field)| (name.clone(), sample(field, schemas))).collect()
        }
        "array" => json!([sample(&schema["items"], schemas)]),
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(false),
        "null" => Value::Null,
        _ if schema["format"] == "date-time" => json!("2036-08-17T12:00:00Z"),
        _ if schema["format"] == "uuid" => json!("0198c5a0-0000-7000-8000-00000000a001"),
        _ => json!("text"),
    }
}
