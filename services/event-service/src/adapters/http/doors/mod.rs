//! Tickets at the door: letting them in, and lists of them.

mod attendees;
mod check_in;
mod responses;

pub(crate) use attendees::FILES_AT_ONCE;
use karcis_http::{Caller, Problem};
use karcis_kernel::{BookingId, EventId};
use karcis_process::now;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::ApiState;
use crate::{
    application::{ListedTicket, TicketPosition},
    domain::{Editor, Status},
};

pub(super) const DOORS: &str = "Doors";

/// What doors see and do, and organisers at their own events.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(check_in::check_in))
        .routes(routes!(check_in::list))
        .routes(routes!(attendees::list))
}

/// A position as cursors have it.
type Position = (i64, BookingId, i32);

fn key(TicketPosition { version, booking_id, place }: TicketPosition) -> Position {
    (version, booking_id, place)
}

fn position((version, booking_id, place): Position) -> TicketPosition {
    TicketPosition { version, booking_id, place }
}

/// How many of these tickets an answer of 64 KiB has room for, at most `limit`.
fn fitting(tickets: &[ListedTicket], limit: u16) -> u16 {
    // All that has a limited length, and texts whose every character may be escaped.
    let bytes = |ticket: &ListedTicket| {
        let gate = ticket.used.as_ref().and_then(|used| used.gate.as_ref());
        320 + 2 * (ticket.name.len() + gate.map_or(0, |gate| gate.as_str().len()))
    };
    let mut room = 60 * 1024_usize;
    let fits = tickets.iter().take(limit.into()).take_while(|ticket| {
        let left = room.checked_sub(bytes(ticket));
        room = left.unwrap_or_default();
        left.is_some()
    });
    fits.count() as u16
}

impl ApiState {
    /// The event's status; 404 if this caller admits nobody to it.
    async fn admits(&self, caller: Caller, id: EventId) -> Result<Status, Problem> {
        let found = self.catalogue.find(id, false).await?;
        let admitting = Editor::from(caller);
        let event = (*found).as_ref().map(|found| &found.event);
        let event = event.filter(|event| admitting.may_admit(event.organiser_id));
        Ok(event.ok_or_else(Problem::not_found)?.status(now()))
    }
}
