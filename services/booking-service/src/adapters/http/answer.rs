//! A booking as clients see it.

use karcis_kernel::{BookingId, EventId, Money, TicketTypeId, Timestamp};
use serde::Serialize;

use crate::{
    application::{SoldTicket, TimelineEntry},
    domain::{Booking, EventSnapshot, Stage},
};

/// A booking. What only event-service knows is null until it has told.
#[derive(Serialize)]
pub struct BookingAnswer {
    booking_id: BookingId,
    version: i64,
    status: &'static str,
    reason: Option<&'static str>,
    event: EventAnswer,
    items: Vec<ItemAnswer>,
    total: Option<Money>,
    pay_by: Option<Timestamp>,
    refundable_until: Option<Timestamp>,
    tickets: Vec<TicketAnswer>,
    refund: Option<RefundAnswer>,
    can: Vec<&'static str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct EventAnswer {
    event_id: EventId,
    title: Option<String>,
    venue: Option<String>,
    starts_at: Option<Timestamp>,
    time_zone: Option<String>,
}

#[derive(Serialize)]
struct ItemAnswer {
    ticket_type_id: TicketTypeId,
    name: Option<String>,
    quantity: u32,
    unit_price: Option<Money>,
}

#[derive(Serialize)]
struct TicketAnswer {
    code: String,
    ticket_type_id: TicketTypeId,
    name: String,
    qr: String,
}

#[derive(Serialize)]
struct RefundAnswer {
    amount: Money,
    status: &'static str,
}

/// A ticket, for whoever knows its code.
#[derive(Serialize)]
pub struct SoldTicketAnswer {
    code: String,
    status: &'static str,
    event: EventAnswer,
    name: String,
}

/// A turn in a booking's life.
#[derive(Serialize)]
pub struct TimelineAnswer {
    seq: i64,
    at: Timestamp,
    input: String,
    from: Option<String>,
    to: String,
    sent: Vec<String>,
}

impl BookingAnswer {
    /// The booking as it looks at `at`.
    pub fn new(booking: &Booking, at: Timestamp) -> Self {
        let order = &booking.order;
        let offer = booking.offer();
        let tickets = match &booking.stage {
            Stage::Confirmed { tickets, .. } => tickets.as_ref(),
            _ => &[],
        };
        let can = [("pay", booking.can_pay()), ("cancel", booking.can_cancel(at))];
        Self {
            booking_id: order.id,
            version: booking.version,
            status: booking.status().as_str(),
            reason: booking.reason(),
            event: EventAnswer::new(order.event_id, offer.map(|offer| &offer.event)),
            items: items(booking),
            total: offer.map(|offer| offer.total),
            pay_by: booking.pay_by(),
            refundable_until: offer.map(|offer| offer.refundable_until),
            tickets: tickets
                .iter()
                .map(|ticket| TicketAnswer {
                    code: ticket.code.to_string(),
                    ticket_type_id: ticket.ticket_type_id,
                    name: ticket.name.clone(),
                    qr: format!("/tickets/{}.svg", ticket.code),
                })
                .collect(),
            refund: booking.refund().map(|refund| RefundAnswer {
                amount: refund.amount,
                status: if refund.done { "done" } else { "pending" },
            }),
            can: can.into_iter().filter(|(_, can)| *can).map(|(what, _)| what).collect(),
            created_at: order.created_at,
            updated_at: booking.updated_at,
        }
    }
}

fn items(booking: &Booking) -> Vec<ItemAnswer> {
    let offered = booking.offer().map_or(&[][..], |offer| &offer.items);
    let asked = booking.order.items.as_slice().iter();
    asked
        .map(|item| {
            let offered = offered.iter().find(|one| one.ticket_type_id == item.ticket_type_id);
            ItemAnswer {
                ticket_type_id: item.ticket_type_id,
                name: offered.map(|one| one.name.clone()),
                quantity: item.quantity,
                unit_price: offered.map(|one| one.unit_price),
            }
        })
        .collect()
}

impl EventAnswer {
    fn new(event_id: EventId, event: Option<&EventSnapshot>) -> Self {
        Self {
            event_id,
            title: event.map(|event| event.title.clone()),
            venue: event.map(|event| event.venue.clone()),
            starts_at: event.map(|event| event.starts_at),
            time_zone: event.map(|event| event.time_zone.clone()),
        }
    }
}

impl SoldTicketAnswer {
    /// The ticket with this code.
    pub fn new(code: String, ticket: SoldTicket) -> Self {
        Self {
            code,
            status: if ticket.is_valid { "valid" } else { "cancelled" },
            event: EventAnswer::new(ticket.event_id, Some(&ticket.event)),
            name: ticket.name,
        }
    }
}

impl From<TimelineEntry> for TimelineAnswer {
    fn from(entry: TimelineEntry) -> Self {
        let TimelineEntry { seq, at, input, from, to, sent } = entry;
        Self { seq, at, input, from, to, sent }
    }
}
