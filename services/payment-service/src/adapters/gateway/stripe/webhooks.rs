//! Stripe's webhooks.

use karcis_kernel::BookingId;
use serde::Deserialize;

/// What is read of an event: nothing that could be believed.
#[derive(Deserialize)]
struct Event {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

/// What we have written on intents and refunds, and Stripe on charges.
#[derive(Deserialize)]
struct Metadata {
    booking_id: BookingId,
}

/// The booking of the intent, charge or refund that an event is about.
pub(super) fn booking(body: &[u8]) -> Option<BookingId> {
    let event: Event = serde_json::from_slice(body).ok()?;
    Some(event.data.object.metadata.booking_id)
}
