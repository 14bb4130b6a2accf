//! `golden/<Type>.v1.json` is the wire: what was sent once has to be read for ever. A change that
//! fails here needs a new version of the type, unless it adds a field: then add it to the file too.

use std::{collections::BTreeSet, fmt::Debug, fs, path::PathBuf};

use karcis_contracts::{
    BookingFact, EventCommand, EventFact, Message, PaymentCommand, PaymentFact, TOPICS, TicketFact,
    UserFact,
};
use serde_json::{Value, json};

use crate::samples;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// `karcis.ReserveTickets.v1` stands in `ReserveTickets.v1.json`.
fn file_of(kind: &str) -> String {
    format!("{}.json", kind.strip_prefix("karcis.").unwrap())
}

pub fn golden(kind: &str) -> Value {
    let path = folder().join(file_of(kind));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Every message of the topic once, in the order of its kinds.
fn check<M: Message + PartialEq + Debug>(samples: &[M]) {
    let kinds: Vec<_> = samples.iter().map(Message::kind).collect();
    assert_eq!(kinds, M::KINDS, "every message of {} has a sample", M::TOPIC);
    assert!(TOPICS.contains(&M::TOPIC), "{} is listed", M::TOPIC);

    for sample in samples {
        let kind = sample.kind();
        let golden = golden(kind);
        let encoded: Value = serde_json::from_slice(&sample.body().unwrap()).unwrap();
        assert_eq!(encoded, golden, "{kind} is sent as its golden file says");

        let decode = |body: &Value| M::decode(kind, &serde_json::to_vec(body).unwrap());
        assert_eq!(decode(&golden).unwrap().as_ref(), Some(sample), "{kind} is read back");

        let mut later = golden.clone();
        add_fields(&mut later);
        assert_ne!(later, golden);
        assert_eq!(decode(&later).unwrap().as_ref(), Some(sample), "{kind} may grow");

        assert_eq!(M::decode("karcis.NotInventedYet.v1", b"{}").unwrap(), None);
        assert_eq!(M::decode(&kind.replace(".v1", ".v2"), b"{}").unwrap(), None);
        assert!(M::decode(kind, b"{}").is_err(), "{kind} needs its fields");
        assert!(M::decode(kind, b"").is_err(), "{kind} needs a body");
    }
}

/// A field that this version does not know, in every object. Money is closed: an amount with
/// something added to it would be another amount.
fn add_fields(value: &mut Value) {
    match value {
        Value::Object(fields) if !fields.contains_key("currency") => {
            fields.values_mut().for_each(add_fields);
            fields.insert("added_later".to_owned(), json!({ "any": ["thing"] }));
        }
        Value::Array(items) => items.iter_mut().for_each(add_fields),
        _ => {}
    }
}

#[test]
fn commands_to_event_service_keep_their_form() {
    check::<EventCommand>(&samples::event_commands());
}

#[test]
fn commands_to_payment_service_keep_their_form() {
    check::<PaymentCommand>(&samples::payment_commands());
}

#[test]
fn facts_about_tickets_keep_their_form() {
    check::<TicketFact>(&samples::ticket_facts());
}

#[test]
fn facts_about_payments_keep_their_form() {
    check::<PaymentFact>(&samples::payment_facts());
}

#[test]
fn facts_about_events_keep_their_form() {
    check::<EventFact>(&samples::event_facts());
}

#[test]
fn facts_about_bookings_keep_their_form() {
    check::<BookingFact>(&samples::booking_facts());
}

#[test]
fn facts_about_users_keep_their_form() {
    check::<UserFact>(&samples::user_facts());
}

#[test]
fn every_golden_file_belongs_to_a_message() {
    let kinds = [
        EventCommand::KINDS,
        PaymentCommand::KINDS,
        TicketFact::KINDS,
        PaymentFact::KINDS,
        EventFact::KINDS,
        BookingFact::KINDS,
        UserFact::KINDS,
    ];
    assert_eq!(kinds.len(), TOPICS.len());
    let expected: BTreeSet<String> =
        kinds.into_iter().flatten().map(|kind| file_of(kind)).collect();
    let files: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, expected);
}

#[test]
fn every_reason_for_a_rejection_keeps_its_word() {
    use karcis_contracts::RejectReason::*;
    let words = serde_json::to_value([
        SoldOut,
        SalesClosed,
        EventNotFound,
        EventCancelled,
        PriceChanged,
        OverLimit,
        TooManyHolds,
    ]);
    let expected = json!([
        "sold_out",
        "sales_closed",
        "event_not_found",
        "event_cancelled",
        "price_changed",
        "over_limit",
        "too_many_holds",
    ]);
    assert_eq!(words.unwrap(), expected);
}

#[test]
fn what_belongs_to_a_booking_says_so_and_what_does_not_does_not() {
    let booking = Some(samples::booking().0);
    for message in samples::event_commands() {
        assert_eq!((message.key(), message.correlation()), (samples::event().0, booking));
    }
    for message in samples::payment_commands() {
        assert_eq!((message.key(), message.correlation()), (samples::booking().0, booking));
    }
    for message in samples::ticket_facts() {
        assert_eq!((message.key(), message.correlation()), (samples::booking().0, booking));
    }
    for message in samples::payment_facts() {
        assert_eq!((message.key(), message.correlation()), (samples::booking().0, booking));
    }
    for message in samples::booking_facts() {
        assert_eq!((message.key(), message.correlation()), (samples::booking().0, booking));
    }
    for message in samples::event_facts() {
        assert_eq!((message.key(), message.correlation()), (samples::event().0, None));
    }
    for message in samples::user_facts() {
        assert_eq!((message.key(), message.correlation()), (samples::user().0, None));
    }
}
