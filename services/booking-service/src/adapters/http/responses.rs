//! A booking as clients see it.

use karcis_http::{one_of, or_null};
use karcis_kernel::{BookingId, EventId, Money, TicketTypeId, Timestamp};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{
        KnownFormat, Object, ObjectBuilder, Ref, Schema, SchemaFormat, Type, schema::ArrayBuilder,
    },
};

use crate::{
    application::{NamedBooking, TimelineEntry},
    domain::{
        Attendee, Attendees, Booking, Cause, Items, PersonName, RejectReason, Stage, Status, Ticket,
    },
};

/// A booking. What only event-service knows is null until it has answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Booking)]
pub(super) struct BookingResponse {
    booking_id: BookingId,
    /// Rises with each visible change.
    #[schema(minimum = 1, examples(4))]
    version: i64,
    #[schema(schema_with = statuses)]
    status: &'static str,
    #[schema(schema_with = reasons)]
    reason: Option<&'static str>,
    event: BookedEventResponse,
    items: Vec<ItemResponse>,
    total: Option<Money>,
    /// Until when it has to be paid, at the latest when its tickets are no longer on sale; null while
    /// unpriced or free.
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-01T09:15:00Z"))]
    pay_by: Option<Timestamp>,
    /// Until when it may be cancelled for its money. It never becomes earlier than was agreed, and later if
    /// the event is put off.
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-10T12:00:00Z"))]
    refundable_until: Option<Timestamp>,
    /// One per seat, none unless confirmed. A list shows none: there are as many as `ticket_count`.
    tickets: Vec<TicketResponse>,
    #[schema(examples(2))]
    ticket_count: usize,
    /// Who comes, as was said with the order. A list says nobody.
    attendees: Vec<AttendeeResponse>,
    #[schema(schema_with = refund)]
    refund: Option<RefundResponse>,
    /// What the buyer can do now.
    #[schema(schema_with = actions)]
    can: Vec<&'static str>,
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:00:00Z"))]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:03:00Z"))]
    updated_at: Timestamp,
}

/// The event of a booking as it is now. Its details are null until the seats are held.
#[derive(Serialize, ToSchema)]
#[schema(as = BookedEvent)]
struct BookedEventResponse {
    event_id: EventId,
    #[schema(examples("Angklung Night"))]
    title: Option<String>,
    #[schema(examples("Saung Udjo, Bandung"))]
    venue: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    #[schema(examples("Asia/Jakarta"))]
    time_zone: Option<String>,
    /// Why it does not take place; null unless it is cancelled.
    #[schema(examples(json!(null)))]
    cancel_reason: Option<String>,
}

/// Seats of one ticket type.
#[derive(Serialize, ToSchema)]
#[schema(as = BookedItem)]
struct ItemResponse {
    ticket_type_id: TicketTypeId,
    #[schema(examples("VIP"))]
    name: Option<String>,
    #[schema(schema_with = quantity)]
    quantity: u32,
    unit_price: Option<Money>,
}

/// A ticket of a confirmed booking.
#[derive(Serialize, ToSchema)]
#[schema(as = BookedTicket)]
struct TicketResponse {
    #[schema(pattern = "^[0-9a-f]{32}$", examples("5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f"))]
    code: String,
    ticket_type_id: TicketTypeId,
    #[schema(examples("VIP"))]
    name: String,
    /// The path of its QR code.
    #[schema(examples("/tickets/5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f.svg"))]
    qr: String,
}

/// Somebody who comes with a ticket of this type.
#[derive(Serialize, ToSchema)]
#[schema(as = Attendee)]
struct AttendeeResponse {
    ticket_type_id: TicketTypeId,
    #[schema(examples("Dewi"))]
    name: String,
}

/// What the people of a booking are called.
#[derive(Serialize, ToSchema)]
#[schema(as = NamedBooking)]
pub(super) struct NamedBookingResponse {
    booking_id: BookingId,
    /// Null if the buyer's name is not known.
    #[schema(examples("Sari"))]
    buyer_name: Option<String>,
    attendees: Vec<AttendeeResponse>,
}

/// Money that is or was given back.
#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
pub(super) struct RefundResponse {
    amount: Money,
    #[schema(schema_with = refund_statuses)]
    status: &'static str,
}

/// A transition of a booking's saga.
#[derive(Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
pub(super) struct TimelineEntryResponse {
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

/// The number of tickets of an item.
pub(super) fn quantity() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(1))
        .maximum(Some(Items::MAX_QUANTITY))
        .examples([1])
        .build()
}

fn reasons() -> Schema {
    let rejected = RejectReason::ALL.map(RejectReason::as_str);
    let mut reasons: Vec<_> = rejected.into_iter().chain(Cause::ALL.map(Cause::as_str)).collect();
    reasons.sort_unstable();
    // A cancelled event is a reason of both.
    reasons.dedup();
    or_null(one_of(reasons)).examples([()]).into()
}

fn refund() -> Schema {
    or_null(Ref::from_schema_name("Refund")).examples([()]).into()
}

fn actions() -> ArrayBuilder {
    ArrayBuilder::new().items(one_of(["cancel", "pay"]))
}

fn refund_statuses() -> Object {
    one_of(["pending", "done"])
}

impl BookingResponse {
    /// The booking as it looks at `at`, and who comes.
    pub(super) fn new(booking: &Booking, attendees: &Attendees, at: Timestamp) -> Self {
        Self {
            tickets: tickets(booking).iter().map(Into::into).collect(),
            attendees: attendees.as_slice().iter().map(Into::into).collect(),
            ..Self::listed(booking, at)
        }
    }

    /// The same without its tickets and attendees: a page of them would have many thousands.
    pub(super) fn listed(booking: &Booking, at: Timestamp) -> Self {
        let order = &booking.order;
        let reservation = booking.reservation();
        let can = [("pay", booking.can_pay()), ("cancel", booking.can_cancel(at))];
        Self {
            booking_id: order.id,
            version: booking.version,
            status: booking.status().as_str(),
            reason: booking.reason(),
            event: BookedEventResponse::of(booking),
            items: items(booking),
            total: reservation.map(|reservation| reservation.total),
            pay_by: booking.pay_by(),
            refundable_until: booking.refundable_until(),
            tickets: Vec::new(),
            ticket_count: tickets(booking).len(),
            attendees: Vec::new(),
            refund: booking.refund().map(|refund| RefundResponse {
                amount: refund.amount,
                status: if refund.done { "done" } else { "pending" },
            }),
            can: can.into_iter().filter(|(_, can)| *can).map(|(what, _)| what).collect(),
            created_at: order.created_at,
            updated_at: booking.updated_at,
        }
    }
}

fn tickets(booking: &Booking) -> &[Ticket] {
    match &booking.stage {
        Stage::Confirmed { tickets, .. } => tickets,
        _ => &[],
    }
}

impl From<&Ticket> for TicketResponse {
    fn from(ticket: &Ticket) -> Self {
        Self {
            code: ticket.code.to_string(),
            ticket_type_id: ticket.ticket_type_id,
            name: ticket.name.clone(),
            qr: format!("/tickets/{}.svg", ticket.code),
        }
    }
}

impl From<&Attendee> for AttendeeResponse {
    fn from(attendee: &Attendee) -> Self {
        let Attendee { ticket_type_id, name } = attendee;
        Self { ticket_type_id: *ticket_type_id, name: name.as_str().to_owned() }
    }
}

impl From<&NamedBooking> for NamedBookingResponse {
    fn from(named: &NamedBooking) -> Self {
        let NamedBooking { booking_id, names } = named;
        Self {
            booking_id: *booking_id,
            buyer_name: names.buyer.as_ref().map(|name| PersonName::as_str(name).to_owned()),
            attendees: names.attendees.as_slice().iter().map(Into::into).collect(),
        }
    }
}

fn items(booking: &Booking) -> Vec<ItemResponse> {
    let reserved = booking.reservation().map_or(&[][..], |reservation| &reservation.items);
    let ordered = booking.order.items.as_slice().iter();
    ordered
        .map(|item| {
            let reserved = reserved.iter().find(|one| one.ticket_type_id == item.ticket_type_id);
            ItemResponse {
                ticket_type_id: item.ticket_type_id,
                name: reserved.map(|one| one.name.clone()),
                quantity: item.quantity,
                unit_price: reserved.map(|one| one.unit_price),
            }
        })
        .collect()
}

impl BookedEventResponse {
    fn of(booking: &Booking) -> Self {
        let event = booking.shown_event();
        Self {
            event_id: booking.order.event_id,
            title: event.map(|event| event.title.clone()),
            venue: event.map(|event| event.venue.clone()),
            starts_at: event.map(|event| event.starts_at),
            time_zone: event.map(|event| event.time_zone.clone()),
            cancel_reason: booking.event_cancel_reason().map(str::to_owned),
        }
    }
}

impl From<TimelineEntry> for TimelineEntryResponse {
    fn from(entry: TimelineEntry) -> Self {
        let TimelineEntry { seq, at, input, from, to, sent, trace_id: _ } = entry;
        Self { seq, at, input, from, to, sent }
    }
}
