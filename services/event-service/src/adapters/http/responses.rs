//! Events and tickets as JSON.

use chrono::NaiveDate;
use karcis_http::one_of;
use karcis_kernel::{EventId, Money, TicketCode, TicketTypeId, Timestamp, UserId};
use serde::Serialize;
use utoipa::{ToSchema, openapi::Object};

use crate::{
    adapters::time_zone::local_time,
    domain::{
        Availability, DaySales, Details, Event, EventSnapshot, IssuedTicket, PerBuyer, Sales,
        Status, TicketStatus, TicketType, TicketTypeSales,
    },
};

/// An event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventResponse {
    #[serde(flatten)]
    outline: EventOutline,
    #[schema(examples("An evening of bamboo."))]
    description: Option<String>,
}

/// What a list shows of an event too.
#[derive(Serialize, ToSchema)]
struct EventOutline {
    event_id: EventId,
    /// Counts edits, never sales.
    #[schema(minimum = 1)]
    version: i64,
    #[schema(schema_with = statuses)]
    status: &'static str,
    /// Why it is cancelled; null: it is not.
    #[schema(examples("the venue is flooded"))]
    cancel_reason: Option<String>,
    #[schema(examples("Angklung Night"))]
    title: String,
    #[schema(examples("Saung Udjo, Bandung"))]
    venue: String,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-17T15:00:00Z"))]
    ends_at: Option<Timestamp>,
    #[schema(examples("Asia/Jakarta"))]
    time_zone: &'static str,
    /// After a move of a booked event: at least a week from then, though not beyond its start.
    #[schema(value_type = String, format = DateTime, examples("2036-08-10T12:00:00Z"))]
    refundable_until: Timestamp,
    /// Whether `refundable_until` may be after `starts_at`.
    refundable_after_start: bool,
    organiser_id: UserId,
    /// How many seats one buyer may have; null: any number.
    #[schema(minimum = 1, examples(4))]
    max_per_buyer: Option<u32>,
    ticket_types: Vec<TicketTypeResponse>,
    /// When its numbers were read.
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:00:00Z"))]
    as_of: Timestamp,
}

/// A kind of ticket of an event.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketType)]
struct TicketTypeResponse {
    ticket_type_id: TicketTypeId,
    #[schema(examples("VIP"))]
    name: String,
    price: Money,
    #[schema(minimum = 1, examples(100))]
    capacity: u32,
    /// What is left; it may lag by a second.
    #[schema(examples(57))]
    available: u32,
    #[schema(minimum = 1, examples(4))]
    max_per_booking: u32,
    #[schema(value_type = Option<String>, format = DateTime, examples("2026-08-01T00:00:00Z"))]
    sales_start: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    sales_end: Timestamp,
    /// No longer on sale.
    closed: bool,
}

/// An event after an update.
#[derive(Serialize, ToSchema)]
#[schema(as = UpdatedEvent)]
pub(super) struct UpdatedEventResponse {
    #[serde(flatten)]
    event: EventResponse,
    local: LocalTimes,
}

/// When it is on the clocks of its time zone: another `time_zone` alone moves that.
#[derive(Serialize, ToSchema)]
struct LocalTimes {
    #[schema(examples("2036-08-17T19:00:00+07:00"))]
    starts_at: String,
    #[schema(examples("2036-08-17T22:00:00+07:00"))]
    ends_at: Option<String>,
}

/// An event in a list: without its description.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedEvent)]
pub(super) struct ListedEventResponse {
    #[serde(flatten)]
    outline: EventOutline,
    from_price: Money,
    #[schema(schema_with = availabilities)]
    availability: &'static str,
    /// With `not_on_sale`: when seats can be booked; null: not as it is now.
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-01T00:00:00Z"))]
    on_sale_at: Option<Timestamp>,
}

/// A ticket, for everybody who knows its code.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(super) struct TicketResponse {
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$",
        examples("5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f"))]
    code: TicketCode,
    #[schema(schema_with = ticket_statuses)]
    status: &'static str,
    /// Why its event is cancelled; null: it is not.
    #[schema(examples("the venue is flooded"))]
    cancel_reason: Option<String>,
    event: EventSnapshotResponse,
    #[schema(examples("VIP"))]
    name: String,
}

/// The event as it is now.
#[derive(Serialize, ToSchema)]
#[schema(as = BookedEvent)]
struct EventSnapshotResponse {
    event_id: EventId,
    #[schema(examples("Angklung Night"))]
    title: String,
    #[schema(examples("Saung Udjo, Bandung"))]
    venue: String,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    #[schema(examples("Asia/Jakarta"))]
    time_zone: &'static str,
}

/// What an event has sold.
#[derive(Serialize, ToSchema)]
#[schema(as = Sales)]
pub(super) struct SalesResponse {
    event_id: EventId,
    /// Rises with each change.
    version: i64,
    /// Of its days.
    #[schema(examples("Asia/Jakarta"))]
    time_zone: &'static str,
    /// For what is sold now, of all ticket types.
    revenue: Money,
    ticket_types: Vec<TicketTypeSalesResponse>,
    /// Days on which something was sold or given back, the last first, at most 180.
    days: Vec<DaySalesResponse>,
    /// When its numbers were read.
    #[schema(value_type = String, format = DateTime, examples("2036-08-01T09:00:00Z"))]
    as_of: Timestamp,
}

/// What is sold of one ticket type: `capacity` = `free` + `held` + `sold`.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketTypeSales)]
struct TicketTypeSalesResponse {
    ticket_type_id: TicketTypeId,
    #[schema(examples("VIP"))]
    name: String,
    capacity: u32,
    free: u32,
    /// For bookings that are under way.
    held: u32,
    sold: u32,
    /// How many of its tickets have opened the door.
    used: u32,
    /// For what is sold now.
    revenue: Money,
}

/// What was sold and given back on a day.
#[derive(Serialize, ToSchema)]
#[schema(as = DaySales)]
struct DaySalesResponse {
    #[schema(examples("2036-08-01"))]
    day: NaiveDate,
    sold: i64,
    refunded: i64,
    /// For what was sold on this day.
    revenue: Money,
    /// For what was given back on this day.
    refunds: Money,
}

impl SalesResponse {
    /// The sales, which were read at `as_of`.
    pub(super) fn new(sales: &Sales, as_of: Timestamp) -> Self {
        let event = &sales.event;
        let types = sales.ticket_types.iter();
        let revenue = types.clone().fold(0_i64, |sum, of| sum.saturating_add(of.revenue.amount));
        Self {
            event_id: event.id,
            version: sales.version,
            time_zone: event.details.time_zone.as_str(),
            revenue: Money::new(revenue, event.currency),
            ticket_types: types.map(TicketTypeSalesResponse::new).collect(),
            days: sales.days.iter().map(DaySalesResponse::new).collect(),
            as_of,
        }
    }
}

impl TicketTypeSalesResponse {
    fn new(of: &TicketTypeSales) -> Self {
        Self {
            ticket_type_id: of.id,
            name: of.name.clone(),
            capacity: of.stock.capacity(),
            free: of.stock.free(),
            held: of.stock.held(),
            sold: of.stock.sold(),
            used: of.used,
            revenue: of.revenue,
        }
    }
}

impl DaySalesResponse {
    fn new(on: &DaySales) -> Self {
        let DaySales { day, sold, refunded, revenue, refunds } = *on;
        Self { day, sold, refunded, revenue, refunds }
    }
}

/// The schema of a status of events.
pub(super) fn statuses() -> Object {
    one_of(Status::ALL.map(Status::as_str))
}

fn availabilities() -> Object {
    one_of(Availability::ALL.map(Availability::as_str))
}

/// The schema of a status of tickets.
pub(super) fn ticket_statuses() -> Object {
    one_of(TicketStatus::ALL.map(TicketStatus::as_str))
}

impl EventResponse {
    /// The event, which was read at `as_of`.
    pub(super) fn new(event: &Event, as_of: Timestamp) -> Self {
        let description = event.details.description.as_ref().map(ToString::to_string);
        Self { outline: EventOutline::new(event, as_of), description }
    }
}

impl UpdatedEventResponse {
    /// The event, which was updated at `as_of`.
    pub(super) fn new(event: &Event, as_of: Timestamp) -> Self {
        let details = &event.details;
        let local = |at| local_time(at, details.time_zone);
        let local =
            LocalTimes { starts_at: local(details.starts_at), ends_at: details.ends_at.map(local) };
        Self { event: EventResponse::new(event, as_of), local }
    }
}

impl EventOutline {
    fn new(event: &Event, as_of: Timestamp) -> Self {
        let details = &event.details;
        let types = event.ticket_types.iter();
        Self {
            event_id: event.id,
            version: event.version,
            status: event.status(as_of).as_str(),
            cancel_reason: event.stage.cancel_reason().map(ToString::to_string),
            title: details.title.to_string(),
            venue: details.venue.to_string(),
            starts_at: details.starts_at,
            ends_at: details.ends_at,
            time_zone: details.time_zone.as_str(),
            refundable_until: details.refundable_until(),
            refundable_after_start: details.refundable_after_start,
            organiser_id: event.organiser_id,
            max_per_buyer: details.max_per_buyer.map(PerBuyer::get),
            ticket_types: types.map(|t| TicketTypeResponse::new(t, details)).collect(),
            as_of,
        }
    }
}

impl TicketTypeResponse {
    fn new(ticket_type: &TicketType, event: &Details) -> Self {
        Self {
            ticket_type_id: ticket_type.id,
            name: ticket_type.name.to_string(),
            price: ticket_type.price.money(),
            capacity: ticket_type.stock.capacity(),
            available: ticket_type.stock.free(),
            max_per_booking: ticket_type.max_per_booking.get(),
            sales_start: ticket_type.sales_start,
            sales_end: ticket_type.sale_ends(event),
            closed: ticket_type.closed,
        }
    }
}

impl ListedEventResponse {
    /// The event, which was read at `as_of`.
    pub(super) fn new(event: &Event, as_of: Timestamp) -> Self {
        Self {
            from_price: event.lowest_price(as_of),
            availability: event.availability(as_of).as_str(),
            on_sale_at: event.on_sale_at(as_of),
            outline: EventOutline::new(event, as_of),
        }
    }
}

impl TicketResponse {
    /// The ticket with this code.
    pub(super) fn new(code: TicketCode, ticket: IssuedTicket) -> Self {
        Self {
            code,
            status: ticket.status().as_str(),
            cancel_reason: ticket.cancel_reason,
            event: EventSnapshotResponse::new(ticket.event_id, ticket.event),
            name: ticket.name,
        }
    }
}

impl EventSnapshotResponse {
    fn new(event_id: EventId, event: EventSnapshot) -> Self {
        let EventSnapshot { title, venue, starts_at, time_zone } = event;
        Self { event_id, title, venue, starts_at, time_zone: time_zone.as_str() }
    }
}
