//! What a message says of itself.

use rdkafka::{
    Message as _,
    message::{BorrowedMessage, Headers},
};

use crate::{Kafka, dead_letter::NewDeadLetter, secrets::shown};

/// The header's text, if it is one.
pub(crate) fn header<'a>(message: &'a BorrowedMessage<'_>, name: &str) -> Option<&'a str> {
    let value = message.headers()?.iter().find(|header| header.key == name)?.value?;
    std::str::from_utf8(value).ok()
}

/// How long ago the message was sent; 0 if that is not known.
pub(crate) fn age_seconds(message: Option<&BorrowedMessage<'_>>) -> f64 {
    let sent_ms = message.and_then(|message| message.timestamp().to_millis());
    sent_ms.map_or(0.0, |sent| (karcis_process::now().timestamp_millis() - sent) as f64 / 1_000.0)
}

/// The message as it is dead-lettered; its error names no ticket's code.
pub(crate) fn new_dead_letter(
    kafka: &Kafka,
    message: &BorrowedMessage<'_>,
    error: &str,
) -> NewDeadLetter {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let headers = headers.map(|header| {
        let value = header.value.map(|value| storable(&String::from_utf8_lossy(value)));
        (storable(header.key), serde_json::Value::from(value))
    });
    let topic = kafka.plain_topic(message.topic());
    NewDeadLetter {
        topic: topic.to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        kind: header(message, "ce_type").map(storable),
        headers: serde_json::Value::Object(headers.collect()),
        body: message.payload().unwrap_or_default().to_vec(),
        error: storable(&shown(topic, error)),
    }
}

/// The text without NUL, the one character that Postgres does not store.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
