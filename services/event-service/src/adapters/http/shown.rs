//! An event as JSON.

use karcis_kernel::{EventId, Money, TicketTypeId, Timestamp, UserId};
use serde::Serialize;

use crate::domain::{Availability, Event, Status, TicketType};

/// The contract's Event.
#[derive(Serialize)]
pub struct ShownEvent {
    event_id: EventId,
    version: i64,
    status: &'static str,
    title: String,
    description: Option<String>,
    venue: String,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    time_zone: &'static str,
    refundable_until: Timestamp,
    organiser_id: UserId,
    ticket_types: Vec<ShownTicketType>,
    as_of: Timestamp,
}

#[derive(Serialize)]
struct ShownTicketType {
    ticket_type_id: TicketTypeId,
    name: String,
    price: Money,
    capacity: u32,
    available: u32,
    max_per_booking: u32,
    sales_start: Option<Timestamp>,
    sales_end: Timestamp,
    closed: bool,
}

/// An event in a list.
#[derive(Serialize)]
pub struct ListedEvent {
    #[serde(flatten)]
    event: ShownEvent,
    from_price: Money,
    availability: &'static str,
}

impl ShownEvent {
    /// The event with its numbers of `as_of`.
    pub fn of(event: &Event, as_of: Timestamp) -> Self {
        let details = &event.details;
        let types = event.ticket_types.iter();
        Self {
            event_id: event.id,
            version: event.version,
            status: match event.status(as_of) {
                Status::Draft => "draft",
                Status::Published => "published",
                Status::Cancelled => "cancelled",
                Status::Ended => "ended",
            },
            title: details.title.to_string(),
            description: details.description.as_ref().map(ToString::to_string),
            venue: details.venue.to_string(),
            starts_at: details.starts_at,
            ends_at: details.ends_at,
            time_zone: details.time_zone.as_str(),
            refundable_until: details.refundable_until(),
            organiser_id: event.organiser_id,
            ticket_types: types.map(|t| ShownTicketType::of(t, details.starts_at)).collect(),
            as_of,
        }
    }
}

impl ShownTicketType {
    fn of(ticket_type: &TicketType, event_starts: Timestamp) -> Self {
        Self {
            ticket_type_id: ticket_type.id,
            name: ticket_type.name.to_string(),
            price: ticket_type.price.money(),
            capacity: ticket_type.stock.capacity(),
            available: ticket_type.stock.free(),
            max_per_booking: ticket_type.max_per_booking.get(),
            sales_start: ticket_type.sales_start,
            sales_end: ticket_type.sale_ends(event_starts),
            closed: ticket_type.closed,
        }
    }
}

impl ListedEvent {
    /// The event with its numbers of `as_of`.
    pub fn of(event: &Event, as_of: Timestamp) -> Self {
        Self {
            from_price: event.lowest_price(as_of),
            availability: match event.availability(as_of) {
                Availability::Many => "many",
                Availability::Few => "few",
                Availability::SoldOut => "sold_out",
            },
            event: ShownEvent::of(event, as_of),
        }
    }
}
