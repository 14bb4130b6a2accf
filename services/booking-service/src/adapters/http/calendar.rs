//! GET /bookings/{booking_id}/calendar.ics: a booking as an entry of its buyer's calendar.

use axum::{
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::IntoResponse,
};
use karcis_http::{CalendarEntry, Caller, EntryStatus, PathId, Problem};
use karcis_kernel::BookingId;

use super::{ApiState, BOOKINGS, bookings::find};
use crate::domain::{Booking, Status};

/// A booking of the caller's as an iCalendar file (RFC 5545); 404 as long as its event's details are not known.
///
/// Its `UID` is the booking's id, and `SEQUENCE` rises: a calendar that takes the file again has one entry, as it
/// is now. Once the booking or its event is cancelled, the file says so.
#[utoipa::path(get, path = "/bookings/{booking_id}/calendar.ics", tag = BOOKINGS,
    operation_id = "calendar", security(("bearer" = [])),
    params(("booking_id" = BookingId, Path, description = "Which booking.")),
    responses((status = 200, description = "The entry.", body = String,
        content_type = "text/calendar", example = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")))]
pub(super) async fn show(
    State(state): State<ApiState>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    let id = BookingId(id);
    let booking = find(&state, id, |booking| booking.order.buyer == caller.user_id).await?;
    let headers = [
        (CONTENT_TYPE, CalendarEntry::MEDIA_TYPE),
        (CONTENT_DISPOSITION, "attachment; filename=\"karcis.ics\""),
    ];
    Ok((headers, entry(&booking).ok_or_else(Problem::not_found)?))
}

/// The booking in a calendar; `None` if its event's details are not known.
fn entry(booking: &Booking) -> Option<String> {
    let reservation = booking.reservation()?;
    let event = booking.event_of(reservation);
    let items = reservation.items.iter();
    let items: Vec<_> = items.map(|item| format!("{} × {}", item.quantity, item.name)).collect();
    let entry = CalendarEntry {
        id: booking.order.id.0,
        sequence: booking.calendar_sequence(reservation),
        changed_at: booking.updated_at,
        starts_at: event.starts_at,
        ends_at: booking.event_details().and_then(|details| details.ends_at),
        title: &event.title,
        place: &event.venue,
        description: &items.join("\n"),
        status: status(booking),
    };
    Some(entry.to_string())
}

fn status(booking: &Booking) -> EntryStatus {
    match booking.status() {
        _ if booking.event_cancel_reason().is_some() => EntryStatus::Cancelled,
        Status::Confirmed => EntryStatus::Confirmed,
        Status::Pending | Status::AwaitingPayment | Status::Confirming => EntryStatus::Tentative,
        Status::Cancelling | Status::Refunding | Status::Cancelled | Status::Rejected => {
            EntryStatus::Cancelled
        }
    }
}
