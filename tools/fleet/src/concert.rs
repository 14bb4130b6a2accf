//! An event with tickets, as its organiser makes it.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use karcis_kernel::{EventId, TicketTypeId};
use karcis_schemas::EVENT;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::Person;

/// An event that is yet to be published: tomorrow a month, in Jakarta, at 750,000 rupiah a seat.
pub struct ConcertPlan {
    organiser: Person,
    event: Value,
}

impl ConcertPlan {
    /// Of this organiser.
    pub fn new(organiser: Person) -> Self {
        let event = json!({
            "title": "Dewa 19", "venue": "Istora Senayan, Jakarta", "time_zone": "Asia/Jakarta",
            "starts_at": time(karcis_process::now() + Duration::days(31)),
            "ticket_types": [],
        });
        Self { organiser, event }
    }

    /// So many tickets of this name for 750,000 rupiah each.
    pub fn tickets(self, name: &str, capacity: u32) -> Self {
        self.priced(name, capacity, 750_000)
    }

    /// So many tickets of this name for this many rupiah each; 0 is free.
    pub fn priced(self, name: &str, capacity: u32, rupiah: i64) -> Self {
        let price = json!({"amount": rupiah, "currency": "IDR"});
        self.ticket_type(json!({"name": name, "capacity": capacity, "price": price}))
    }

    /// A ticket type as the contract has it.
    pub fn ticket_type(mut self, ticket_type: Value) -> Self {
        self.event["ticket_types"].as_array_mut().expect("it is a list").push(ticket_type);
        self
    }

    /// Until when buyers get their money back.
    pub fn refundable_until(self, at: DateTime<Utc>) -> Self {
        self.with("refundable_until", json!(time(at)))
    }

    /// Any other field of the event.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.event[field] = value;
        self
    }

    /// The body that creates it.
    pub fn body(&self) -> &Value {
        &self.event
    }

    /// Publishes it.
    pub async fn published(self) -> Concert {
        let created = self.organiser.post(&EVENT, "/event/create", &self.event).await;
        Concert::of(self.organiser, &created.is(201).body)
    }
}

/// RFC 3339, to the second.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A published event.
#[derive(Clone)]
pub struct Concert {
    pub id: EventId,
    pub organiser: Person,
    ticket_types: Vec<(String, TicketTypeId)>,
}

/// How the seats of a ticket type are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// All there are.
    pub capacity: i64,
    pub free: i64,
    /// Of bookings that are not confirmed yet.
    pub held: i64,
    /// Of confirmed bookings.
    pub sold: i64,
}

impl Concert {
    /// The event that this answer shows to its organiser.
    pub fn of(organiser: Person, event: &Value) -> Self {
        let event_id = serde_json::from_value(event["event_id"].clone());
        let ticket_types = event["ticket_types"].as_array().expect("an event has ticket types");
        let ticket_types = ticket_types.iter().map(|ticket_type| {
            let id = serde_json::from_value(ticket_type["ticket_type_id"].clone());
            let name = ticket_type["name"].as_str().expect("a ticket type has a name").to_owned();
            (name, id.expect("a ticket type has an id"))
        });
        Self {
            id: event_id.expect("an event has an id"),
            ticket_types: ticket_types.collect(),
            organiser,
        }
    }

    /// The id of the ticket type of this name.
    pub fn ticket_type(&self, name: &str) -> TicketTypeId {
        let found = self.ticket_types.iter().find(|(of, _)| of == name);
        found.unwrap_or_else(|| panic!("there is no ticket type {name}")).1
    }

    /// The body that orders these tickets.
    pub fn order(&self, tickets: &[(&str, u32)]) -> Value {
        let items = tickets.iter().map(|(name, quantity)| {
            json!({"ticket_type_id": self.ticket_type(name), "quantity": quantity})
        });
        json!({"event_id": self.id, "items": items.collect::<Vec<_>>()})
    }

    /// The event as its organiser sees it.
    pub async fn seen(&self) -> Value {
        self.organiser.get(&EVENT, &format!("/events/{}", self.id)).await.is(200).body
    }

    /// Its organiser calls it off.
    pub async fn is_called_off(&self) {
        let body = json!({"event_id": self.id, "reason": "the singer is ill"});
        self.organiser.post(&EVENT, "/event/cancel", &body).await.is(202);
    }
}

/// How the seats of this type are spread.
pub(crate) async fn stock(superuser: &PgPool, ticket_type: TicketTypeId) -> Stock {
    let read = "SELECT capacity, held, sold FROM events.ticket_type WHERE ticket_type_id = $1";
    let row = sqlx::query_as(read).bind(ticket_type.0).fetch_one(superuser).await;
    let (capacity, held, sold): (i32, i32, i32) = row.expect("the ticket type is there");
    let [capacity, held, sold] = [capacity, held, sold].map(i64::from);
    Stock { capacity, free: capacity - held - sold, held, sold }
}
