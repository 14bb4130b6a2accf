//! Tickets as doors see them.

use chrono::SecondsFormat::AutoSi;
use karcis_http::{List, one_of};
use karcis_kernel::{BookingId, EventId, TicketCode, TicketTypeId, Timestamp, UserId};
use serde::Serialize;
use utoipa::{ToSchema, openapi::Object};

use crate::{
    adapters::http::responses::{statuses, ticket_statuses},
    application::{CheckedIn, ListedTicket},
    domain::{DoorResult, Status},
};

/// A page of what changed of an event's tickets.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedTickets)]
pub(super) struct ChangedTicketsResponse {
    /// Of the event: with `cancelled`, none of its tickets opens the door.
    #[schema(schema_with = statuses)]
    event_status: &'static str,
    items: Vec<ListedTicketResponse>,
    /// What to pass as `cursor` for the next page; null on the last.
    #[schema(examples(json!(null)))]
    next_cursor: Option<String>,
    /// What to pass as `since` the next time: what changes after these items.
    #[schema(examples("WzEyLCIwMTkzIiwyXQ"))]
    since: String,
}

/// A ticket of an event, as doors and the organiser see it.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedTicket)]
pub(super) struct ListedTicketResponse {
    #[schema(value_type = String, pattern = "^[0-9a-f]{32}$",
        examples("5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f"))]
    code: TicketCode,
    ticket_type_id: TicketTypeId,
    #[schema(examples("VIP"))]
    name: String,
    booking_id: BookingId,
    /// `cancelled` whether it was used or not.
    #[schema(schema_with = ticket_statuses)]
    state: &'static str,
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-17T11:30:00Z"))]
    checked_in_at: Option<Timestamp>,
    #[schema(examples("North"))]
    gate: Option<String>,
}

impl ChangedTicketsResponse {
    /// The page, behind which `since` is.
    pub(super) fn new(
        event_status: Status,
        page: List<ListedTicketResponse>,
        since: String,
    ) -> Self {
        let List { items, next_cursor } = page;
        Self { event_status: event_status.as_str(), items, next_cursor, since }
    }
}

impl ListedTicketResponse {
    /// The first line of a file.
    pub(super) const CSV_HEAD: &str =
        "code,ticket_type_id,name,booking_id,state,checked_in_at,gate\r\n";

    /// The ticket as a line of a file.
    pub(super) fn csv_row(&self) -> String {
        let checked_in_at = self.checked_in_at.map(|at| at.to_rfc3339_opts(AutoSi, true));
        let cells = [
            &self.code.to_string(),
            &self.ticket_type_id.to_string(),
            &self.name,
            &self.booking_id.to_string(),
            self.state,
            checked_in_at.as_deref().unwrap_or_default(),
            self.gate.as_deref().unwrap_or_default(),
        ];
        cells.map(csv_cell).join(",") + "\r\n"
    }
}

/// A cell (RFC 4180). A spreadsheet would carry out a text that begins like a formula: it begins with an
/// apostrophe.
fn csv_cell(text: &str) -> String {
    const FORMULAS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let guard = if text.starts_with(FORMULAS) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

impl From<ListedTicket> for ListedTicketResponse {
    fn from(ticket: ListedTicket) -> Self {
        let (at, gate) = ticket.used.map(|used| (used.at, used.gate)).unzip();
        Self {
            code: ticket.code,
            ticket_type_id: ticket.ticket_type_id,
            name: ticket.name,
            booking_id: ticket.position.booking_id,
            state: ticket.status.as_str(),
            checked_in_at: at,
            gate: gate.flatten().map(|gate| gate.to_string()),
        }
    }
}

/// What a door is told of a ticket: all but `result` and `code` is null if that is unknown to it.
#[derive(Serialize, ToSchema)]
#[schema(as = CheckedIn)]
pub(super) struct CheckedInResponse {
    #[schema(schema_with = door_results)]
    result: &'static str,
    /// Null if what was sent is no code.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{32}$",
        examples("5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f"))]
    code: Option<TicketCode>,
    event_id: Option<EventId>,
    ticket_type_id: Option<TicketTypeId>,
    #[schema(examples("VIP"))]
    name: Option<String>,
    booking_id: Option<BookingId>,
    /// When it was let in; null: it is not, or no longer.
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-17T11:30:00Z"))]
    checked_in_at: Option<Timestamp>,
    /// Whose account let it in.
    checked_in_by: Option<UserId>,
    #[schema(examples("North"))]
    gate: Option<String>,
}

fn door_results() -> Object {
    one_of(DoorResult::ALL.map(DoorResult::as_str))
}

impl CheckedInResponse {
    /// What the door is told of this code.
    pub(super) fn new(code: Option<TicketCode>, CheckedIn { result, ticket }: CheckedIn) -> Self {
        let ticket = ticket.as_ref();
        let used = ticket.and_then(|ticket| ticket.used.as_ref());
        Self {
            result: result.as_str(),
            code,
            event_id: ticket.map(|ticket| ticket.event_id),
            ticket_type_id: ticket.map(|ticket| ticket.ticket_type_id),
            name: ticket.map(|ticket| ticket.name.clone()),
            booking_id: ticket.map(|ticket| ticket.booking_id),
            checked_in_at: used.map(|used| used.at),
            checked_in_by: used.and_then(|used| used.by),
            gate: used.and_then(|used| used.gate.as_ref()).map(ToString::to_string),
        }
    }
}
