//! `docs/asyncapi.json`: the AsyncAPI 3 document of every topic, made from the messages' own types
//! and the golden files. A change that fails here is written into it with
//! `KARCIS_WRITE_DOCS=1 cargo test -p karcis-contracts asyncapi`.

use std::{fs, path::PathBuf};

use karcis_contracts::{CHANNELS, Channel};
use serde_json::{Map, Value, json};

use crate::golden::golden;

const ABOUT: &str = "\
Every message between Karcis' services. Commands ask one service for one thing; facts say what \
happened, to the service that waits for it and to anyone else.

**Evolution is additive.** A type ends in its version. Within a version fields are only added, and \
an added one may be missing; nothing is removed, renamed or given another meaning. Readers accept \
fields they do not know (but in Money, which is closed) and skip types they do not know. Anything \
else is a new type, sent beside the old one until nobody reads that.

**Delivery is at least once**, in order per key. A message may come again, also after later ones: \
readers know by the ids in it what they have done. A command is sent again until it is answered; \
`ce_attempt` counts.

**Nothing personal.** No message carries a name or an e-mail address.

A deployment may put a prefix before every topic and consumer group (`KARCIS_TOPIC_PREFIX`).";

/// `tickets` of the topic `karcis.tickets.v1`, `TicketsReserved` of `karcis.TicketsReserved.v1`.
fn short(name: &str) -> &str {
    name.split('.').nth(1).unwrap()
}

fn document() -> Value {
    let schemas = CHANNELS.iter().flat_map(|channel| (channel.schemas)());
    let schemas = schemas.map(|(name, schema)| (name, json!(schema))).collect::<Map<_, _>>().into();
    let mut messages = Map::new();
    for channel in &CHANNELS {
        for kind in channel.kinds {
            messages.insert(short(kind).to_owned(), message(channel, kind, &schemas));
        }
    }
    let channels = CHANNELS.iter().map(|it| (short(it.topic).to_owned(), channel(it)));
    let operations = CHANNELS.iter().flat_map(operations);
    let mut document = json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Karcis messages",
            "version": "1.0.0",
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"development": {
            "host": "127.0.0.1:9092", "protocol": "kafka",
            "description": "Kafka as the services look for it by default (KAFKA_BOOTSTRAP_SERVERS).",
        }},
        "channels": channels.collect::<Map<_, _>>(),
        "operations": operations.collect::<Map<_, _>>(),
        "components": {
            "schemas": schemas,
            "messages": messages,
            "correlationIds": {"booking": {
                "description": "The booking whose saga the message belongs to.",
                "location": "$message.header#/ce_correlationid",
            }},
        },
    });
    document["components"]["schemas"]["Headers"] = headers();
    document
}

/// What every message says of itself: CloudEvents 1.0 in Kafka's binary mode.
fn headers() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let id = |about: &str| json!({"type": "string", "format": "uuid", "description": about});
    json!({
        "type": "object",
        "description": "CloudEvents 1.0 in Kafka's binary mode.",
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": id("The message's id; another each time a command is sent again."),
            "ce_type": text("The message's type, which ends in its version."),
            "ce_source": text("The service that sends it."),
            "ce_time": {
                "type": "string", "format": "date-time", "description": "When it was committed.",
            },
            "ce_subject": id("The message's key."),
            "ce_attempt": {
                "type": "string", "pattern": "^[1-9][0-9]*$",
                "description": "How often it has been sent, this time included.",
            },
            "ce_correlationid": id("The booking whose saga it belongs to."),
            "traceparent": {
                "type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
                "description": "W3C trace context of the work that caused it.",
            },
            "content-type": {"const": "application/json"},
        },
        "required": [
            "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject",
            "ce_attempt", "content-type",
        ],
    })
}

fn message(channel: &Channel, kind: &str, schemas: &Value) -> Value {
    let mut own = json!({
        "properties": {"ce_type": {"const": kind}, "ce_source": {"const": channel.writer}},
    });
    let mut example = json!({
        "ce_specversion": "1.0",
        "ce_id": "5b8ff1f4-0c7a-4b0e-9a52-6a2f3d1c7e90",
        "ce_type": kind,
        "ce_source": channel.writer,
        "ce_time": "2026-03-01T12:00:00.123456Z",
        "ce_attempt": "1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "content-type": "application/json",
    });
    let golden = golden(kind);
    let key = format!("The {}.", channel.key.replace('_', " "));
    example["ce_subject"] = golden[channel.key].clone();
    let mut message = json!({
        "name": kind,
        "title": short(kind),
        "summary": schemas[short(kind)]["description"],
        "contentType": "application/json",
        "payload": {"$ref": format!("#/components/schemas/{}", short(kind))},
        "bindings": {"kafka": {
            "key": {"type": "string", "format": "uuid", "description": key},
            "bindingVersion": "0.5.0",
        }},
    });
    if channel.of_booking {
        own["required"] = json!(["ce_correlationid"]);
        example["ce_correlationid"] = golden["booking_id"].clone();
        message["correlationId"] = json!({"$ref": "#/components/correlationIds/booking"});
    }
    message["headers"] = json!({"allOf": [{"$ref": "#/components/schemas/Headers"}, own]});
    message["examples"] = json!([{"headers": example, "payload": golden}]);
    message
}

fn channel(channel: &Channel) -> Value {
    let messages = channel.kinds.iter().map(|kind| {
        let name = short(kind);
        (name.to_owned(), json!({"$ref": format!("#/components/messages/{name}")}))
    });
    json!({
        "address": channel.topic,
        "description": format!(
            "{} Sent by {}, read by {}. Partitioned by the {}: messages of one key keep their order, \
             so the number of partitions is chosen once (`karcis topics`, KARCIS_TOPIC_PARTITIONS) \
             and not changed while messages are under way.",
            channel.about, channel.writer, channel.reader, channel.key.replace('_', " ")
        ),
        "messages": messages.collect::<Map<_, _>>(),
        "bindings": {"kafka": {
            "topic": channel.topic,
            "topicConfiguration": {"cleanup.policy": ["delete"]},
            "bindingVersion": "0.5.0",
        }},
    })
}

/// The writer sends to the channel, the reader receives from it.
fn operations(channel: &Channel) -> [(String, Value); 2] {
    let name = short(channel.topic);
    let operation = |service: &str, action: &str, binding: Value| {
        let mut operation = json!({
            "action": action,
            "title": format!("{service} {action}s {name}"),
            "channel": {"$ref": format!("#/channels/{name}")},
            "tags": [{"name": service}],
            "bindings": {"kafka": binding},
        });
        if let Some(replies) = channel.replies.map(short) {
            operation["reply"] = json!({"channel": {"$ref": format!("#/channels/{replies}")}});
        }
        (format!("{service}.{action}.{name}"), operation)
    };
    let group = json!({
        "groupId": {"type": "string", "enum": [channel.reader]},
        "bindingVersion": "0.5.0",
    });
    [
        operation(channel.writer, "send", json!({"bindingVersion": "0.5.0"})),
        operation(channel.reader, "receive", group),
    ]
}

#[test]
fn the_document_is_that_of_the_messages() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/asyncapi.json");
    let document = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os("KARCIS_WRITE_DOCS").is_some() {
        fs::write(&path, &document).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == document,
        "docs/asyncapi.json is old: KARCIS_WRITE_DOCS=1 cargo test -p karcis-contracts asyncapi"
    );
}

#[test]
fn every_type_is_in_the_document() {
    let document = document();
    for kind in CHANNELS.iter().flat_map(|channel| channel.kinds) {
        let schema = &document["components"]["schemas"][short(kind)];
        assert!(schema["properties"].is_object(), "{kind} has no schema");
    }
}

#[test]
fn every_example_is_valid_and_may_grow_but_not_shrink() {
    let document = document();
    for (name, message) in document["components"]["messages"].as_object().unwrap() {
        let schema = |part: &str| {
            let schema = json!({"allOf": [message[part]], "components": document["components"]});
            jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
        };
        let (headers, payload) = (schema("headers"), schema("payload"));
        let example = &message["examples"][0];
        for (schema, example) in [(&headers, &example["headers"]), (&payload, &example["payload"])]
        {
            let errors: Vec<_> = schema.iter_errors(example).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
            let mut grown = example.clone();
            grown["added_later"] = json!("anything");
            assert!(schema.is_valid(&grown), "{name} may grow");
        }
        let required = document["components"]["schemas"][name]["required"].as_array().unwrap();
        for field in required {
            let mut shrunk = example["payload"].clone();
            shrunk.as_object_mut().unwrap().remove(field.as_str().unwrap()).unwrap();
            assert!(!payload.is_valid(&shrunk), "{name} needs {field}");
        }
        let mut other = example["headers"].clone();
        other["ce_type"] = json!("karcis.Another.v1");
        assert!(!headers.is_valid(&other), "{name} has a type of its own");
    }
}
