//! A booking as clients see it.

use karcis_http::one_of;
use karcis_kernel::{BookingId, EventId, Money, TicketTypeId, Timestamp};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{Object, OneOfBuilder, Ref, RefOr, Schema, Type, schema::ArrayBuilder},
};

use crate::{
    application::{SoldTicket, TimelineEntry},
    domain::{Booking, Cause, EventSnapshot, RejectReason, Stage, Status},
};

/// A booking. What only event-service knows is null until it has told.
#[derive(Serialize, ToSchema)]
#[schema(as = Booking)]
pub struct BookingAnswer {
    booking_id: BookingId,
    /// Rises with each visible change.
    #[schema(minimum = 1, examples(4))]
    version: i64,
    #[schema(schema_with = statuses)]
    status: &'static str,
    #[schema(schema_with = reasons)]
    reason: Option<&'static str>,
    event: EventAnswer,
    items: Vec<ItemAnswer>,
    total: Option<Money>,
    /// Until when it has to be paid; null while unpriced or free.
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-01T09:15:00Z"))]
    pay_by: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-10T12:00:00Z"))]
    refundable_until: Option<Timestamp>,
    /// One per seat, none unless confirmed.
    tickets: Vec<TicketAnswer>,
    #[schema(schema_with = refund)]
    refund: Option<RefundAnswer>,
    /// What the buyer can do now.
    #[schema(schema_with = deeds)]
    can: Vec<&'static str>,
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:00:00Z"))]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:03:00Z"))]
    updated_at: Timestamp,
}

/// The event of a booking, as it was when the seats were held.
#[derive(Serialize, ToSchema)]
#[schema(as = BookedEvent)]
struct EventAnswer {
    event_id: EventId,
    #[schema(examples("Angklung Night"))]
    title: Option<String>,
    #[schema(examples("Saung Udjo, Bandung"))]
    venue: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    #[schema(examples("Asia/Jakarta"))]
    time_zone: Option<String>,
}

/// Seats of one ticket type.
#[derive(Serialize, ToSchema)]
#[schema(as = BookedItem)]
struct ItemAnswer {
    ticket_type_id: TicketTypeId,
    #[schema(examples("VIP"))]
    name: Option<String>,
    #[schema(minimum = 1, maximum = 1_000, examples(1))]
    quantity: u32,
    unit_price: Option<Money>,
}

/// A ticket of a confirmed booking.
#[derive(Serialize, ToSchema)]
#[schema(as = BookedTicket)]
struct TicketAnswer {
    #[schema(pattern = "^[0-9a-f]{32}$", examples("5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f"))]
    code: String,
    ticket_type_id: TicketTypeId,
    #[schema(examples("VIP"))]
    name: String,
    /// The path of its QR code.
    #[schema(examples("/tickets/5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f.svg"))]
    qr: String,
}

/// Money on its way back, or there.
#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
pub(super) struct RefundAnswer {
    amount: Money,
    #[schema(schema_with = refund_statuses)]
    status: &'static str,
}

/// A ticket, for whoever knows its code.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub struct SoldTicketAnswer {
    #[schema(pattern = "^[0-9a-f]{32}$", examples("5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f"))]
    code: String,
    #[schema(schema_with = ticket_statuses)]
    status: &'static str,
    event: EventAnswer,
    #[schema(examples("VIP"))]
    name: String,
}

/// A turn in a booking's life.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub struct TimelineAnswer {
    #[schema(minimum = 1)]
    seq: i64,
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:00:00Z"))]
    at: Timestamp,
    /// What happened.
    #[schema(examples("TicketsReserved"))]
    input: String,
    /// The stage before; null at first.
    #[schema(examples("reserving"))]
    from: Option<String>,
    /// The stage after.
    #[schema(examples("awaiting"))]
    to: String,
    /// The commands that this sent.
    #[schema(examples("RequestPayment"))]
    sent: Vec<String>,
}

/// A booking's statuses.
pub(super) fn statuses() -> Object {
    one_of(Status::ALL.map(Status::as_str))
}

fn reasons() -> Schema {
    let rejected = RejectReason::ALL.map(RejectReason::as_str);
    let mut reasons: Vec<_> = rejected.into_iter().chain(Cause::ALL.map(Cause::as_str)).collect();
    reasons.sort_unstable();
    // An event that is cancelled both rejects and cancels.
    reasons.dedup();
    or_null(one_of(reasons))
}

fn refund() -> Schema {
    or_null(Ref::from_schema_name("Refund"))
}

/// This or, as in the example, nothing.
fn or_null(schema: impl Into<RefOr<Schema>>) -> Schema {
    let null = Object::with_type(Type::Null);
    OneOfBuilder::new().item(schema).item(null).examples([()]).build().into()
}

fn deeds() -> ArrayBuilder {
    ArrayBuilder::new().items(one_of(["cancel", "pay"]))
}

fn refund_statuses() -> Object {
    one_of(["pending", "done"])
}

fn ticket_statuses() -> Object {
    one_of(["valid", "used", "cancelled"])
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
