//! The JSON in columns `items`, `offer` and `tickets` of table `booking`, and `attendees` of table
//! `booking_names`.
//!
//! Stored rows are never rewritten, so each shape that a release wrote is read for ever: a new field
//! needs a default, and a new file in `golden/`.

use karcis_kernel::{Money, TicketCode, TicketTypeId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{
    Attendee, Attendees, EventSnapshot, Item, Items, PersonName, Reservation, ReservedItem, Ticket,
};

#[derive(Serialize, Deserialize)]
pub(super) struct ItemJson {
    ticket_type_id: TicketTypeId,
    quantity: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ReservationJson {
    title: String,
    venue: String,
    starts_at: Timestamp,
    time_zone: String,
    items: Vec<ReservedItemJson>,
    total: Money,
    refundable_until: Timestamp,
    /// Of the event. Absent from releases that did not know it.
    #[serde(default = "first_version")]
    version: i64,
    /// The same.
    sales_end: Option<Timestamp>,
}

fn first_version() -> i64 {
    EventSnapshot::FIRST_VERSION
}

#[derive(Serialize, Deserialize)]
struct ReservedItemJson {
    ticket_type_id: TicketTypeId,
    name: String,
    quantity: u32,
    unit_price: Money,
}

#[derive(Serialize, Deserialize)]
pub(super) struct TicketJson {
    code: TicketCode,
    ticket_type_id: TicketTypeId,
    name: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct AttendeeJson {
    ticket_type_id: TicketTypeId,
    name: String,
}

impl ItemJson {
    pub(super) fn item(self) -> Item {
        Item { ticket_type_id: self.ticket_type_id, quantity: self.quantity }
    }
}

impl ReservationJson {
    pub(super) fn reservation(self) -> Reservation {
        let items = self.items.into_iter().map(|item| ReservedItem {
            ticket_type_id: item.ticket_type_id,
            name: item.name,
            quantity: item.quantity,
            unit_price: item.unit_price,
        });
        Reservation {
            event: EventSnapshot {
                version: self.version,
                title: self.title,
                venue: self.venue,
                starts_at: self.starts_at,
                time_zone: self.time_zone,
            },
            items: items.collect(),
            total: self.total,
            refundable_until: self.refundable_until,
            sales_end: self.sales_end,
        }
    }
}

impl TicketJson {
    pub(super) fn ticket(self) -> Ticket {
        Ticket { code: self.code, ticket_type_id: self.ticket_type_id, name: self.name }
    }
}

impl AttendeeJson {
    pub(super) fn attendee(self) -> Attendee {
        let Self { ticket_type_id, name } = self;
        Attendee { ticket_type_id, name: PersonName::stored(name) }
    }
}

pub(super) fn items_json(items: &Items) -> String {
    json(
        &items
            .as_slice()
            .iter()
            .map(|item| ItemJson { ticket_type_id: item.ticket_type_id, quantity: item.quantity })
            .collect::<Vec<_>>(),
    )
}

pub(super) fn reservation_json(reservation: &Reservation) -> String {
    let event = reservation.event.clone();
    let items = reservation.items.iter().map(|item| ReservedItemJson {
        ticket_type_id: item.ticket_type_id,
        name: item.name.clone(),
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    json(&ReservationJson {
        title: event.title,
        venue: event.venue,
        starts_at: event.starts_at,
        time_zone: event.time_zone,
        items: items.collect(),
        total: reservation.total,
        refundable_until: reservation.refundable_until,
        version: event.version,
        sales_end: reservation.sales_end,
    })
}

pub(super) fn tickets_json(tickets: &[Ticket]) -> String {
    json(
        &tickets
            .iter()
            .map(|ticket| TicketJson {
                code: ticket.code.clone(),
                ticket_type_id: ticket.ticket_type_id,
                name: ticket.name.clone(),
            })
            .collect::<Vec<_>>(),
    )
}

pub(super) fn attendees_json(attendees: &Attendees) -> String {
    json(
        &attendees
            .as_slice()
            .iter()
            .map(|attendee| AttendeeJson {
                ticket_type_id: attendee.ticket_type_id,
                name: attendee.name.as_str().to_owned(),
            })
            .collect::<Vec<_>>(),
    )
}

fn json(value: &impl Serialize) -> String {
    // Structs of texts, numbers and times are always JSON.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_str};

    use super::*;

    /// The released shapes of a column, oldest first.
    const ITEMS: [&str; 1] = [include_str!("../../../golden/items/1.json")];
    const OFFER: [&str; 2] = [
        include_str!("../../../golden/offer/1.json"),
        include_str!("../../../golden/offer/2.json"),
    ];
    const TICKETS: [&str; 1] = [include_str!("../../../golden/tickets/1.json")];
    const ATTENDEES: [&str; 1] = [include_str!("../../../golden/attendees/1.json")];

    /// Checks that every shape is read, and written again with the fields of the newest shape and all that
    /// it said.
    fn check(shapes: &[&str], rewrite: impl Fn(&str) -> String) {
        let newest: Value = from_str(shapes.last().expect("a released shape")).expect("JSON");
        for shape in shapes {
            let stored: Value = from_str(shape).expect("JSON");
            let mut written: Value = from_str(&rewrite(shape)).expect("JSON");
            if let (Some(stored), Some(written)) = (stored.as_object(), written.as_object_mut()) {
                assert!(written.keys().eq(newest.as_object().expect("an object").keys()));
                written.retain(|field, _| stored.contains_key(field));
            }
            assert_eq!(written, stored);
        }
    }

    #[test]
    fn every_released_shape_is_read_and_the_newest_is_written() {
        check(&ITEMS, |shape| {
            let items: Vec<ItemJson> = from_str(shape).expect("items");
            let items = items.into_iter().map(ItemJson::item).collect();
            items_json(&Items::new(items).expect("valid items"))
        });
        check(&OFFER, |shape| {
            let offer: ReservationJson = from_str(shape).expect("an offer");
            reservation_json(&offer.reservation())
        });
        check(&TICKETS, |shape| {
            let tickets: Vec<TicketJson> = from_str(shape).expect("tickets");
            tickets_json(&tickets.into_iter().map(TicketJson::ticket).collect::<Vec<_>>())
        });
        check(&ATTENDEES, |shape| {
            let attendees: Vec<AttendeeJson> = from_str(shape).expect("attendees");
            let attendees = attendees.into_iter().map(AttendeeJson::attendee).collect();
            attendees_json(&Attendees::stored(attendees))
        });
    }
}
