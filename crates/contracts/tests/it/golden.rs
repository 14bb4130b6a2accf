//! `golden/<Type>.v1.json` is the wire: what was sent once has to be read for ever. A change that
//! fails here needs a new version of the type, unless it adds a field: then add it to the file too.

use std::{collections::BTreeSet, fmt::Debug, fs, path::PathBuf};

use karcis_contracts::{
    BookingFact, CHANNELS, EventFact, Message, TOPICS, TicketFact, TicketMail, TicketsConfirmed,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::samples::{self, booking, event, user};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// `karcis.ReserveTickets.v1` stands in `ReserveTickets.v1.json`.
fn file_of(kind: &str) -> String {
    format!("{}.json", kind.strip_prefix("karcis.").unwrap())
}

pub(crate) fn golden(kind: &str) -> Value {
    let path = folder().join(file_of(kind));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Checks a topic by a sample of each of its messages, in the order of its kinds; returns the topic.
fn check<M: Message + PartialEq + Debug>(
    samples: Vec<M>,
    key: Uuid,
    correlation: Option<Uuid>,
) -> &'static str {
    let kinds: Vec<_> = samples.iter().map(Message::kind).collect();
    assert_eq!(kinds, M::KINDS, "every message of {} has a sample", M::TOPIC);

    for sample in &samples {
        let kind = sample.kind();
        assert_eq!((sample.key(), sample.correlation()), (key, correlation), "{kind}");
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
    M::TOPIC
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
fn every_message_keeps_its_form_its_key_and_its_booking() {
    let (event, booking, user) = (event().0, booking().0, user().0);
    let checked = [
        check(samples::event_commands(), event, Some(booking)),
        check(samples::payment_commands(), booking, Some(booking)),
        check(samples::ticket_facts(), booking, Some(booking)),
        check(samples::ticket_codes(), booking, Some(booking)),
        check(samples::payment_facts(), booking, Some(booking)),
        check(samples::event_facts(), event, None),
        check(samples::booking_facts(), booking, Some(booking)),
        check(samples::ticket_mails(), booking, Some(booking)),
        check(samples::user_facts(), user, None),
    ];
    assert_eq!(checked, TOPICS);
}

#[test]
fn a_confirmation_with_its_codes_as_older_releases_tell_it_is_read() {
    // What TicketsIssued tells today.
    let body = serde_json::to_vec(&golden("karcis.TicketsIssued.v1")).unwrap();
    let tickets = Some(vec![samples::ticket()]);
    let expected = TicketsConfirmed { booking_id: booking(), event_id: event(), tickets };
    let read = TicketFact::decode("karcis.TicketsConfirmed.v1", &body).unwrap();
    assert_eq!(read, Some(expected.into()));
}

#[test]
fn messages_of_older_releases_are_read_without_what_was_added() {
    fn reads<M: Message>(kind: &str, added: &[&str]) {
        let mut body = golden(kind);
        for pointer in added {
            let (object, field) = pointer.rsplit_once('/').unwrap();
            let fields = body.pointer_mut(object).unwrap().as_object_mut().unwrap();
            assert!(fields.remove(field).is_some(), "{kind} has {pointer}");
        }
        assert!(M::decode(kind, &serde_json::to_vec(&body).unwrap()).unwrap().is_some(), "{kind}");
    }
    reads::<TicketFact>("karcis.TicketsReserved.v1", &["/event/version", "/sales_end"]);
    reads::<EventFact>("karcis.EventPublished.v1", &["/refundable_until", "/ends_at"]);
    reads::<EventFact>("karcis.EventUpdated.v1", &["/refundable_until", "/ends_at"]);
    reads::<BookingFact>("karcis.BookingConfirmed.v1", &["/booked", "/tickets_are_mailed"]);
    reads::<TicketMail>("karcis.TicketMailRequested.v1", &["/ends_at", "/asked_at"]);
    reads::<BookingFact>("karcis.BookingRejected.v1", &["/event"]);
    let added = ["/booked", "/refunded", "/event_cancel_reason"];
    reads::<BookingFact>("karcis.BookingCancelled.v1", &added);
}

#[test]
fn every_golden_file_belongs_to_a_message() {
    let kinds = CHANNELS.iter().flat_map(|channel| channel.kinds);
    let expected: BTreeSet<String> = kinds.map(|kind| file_of(kind)).collect();
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
