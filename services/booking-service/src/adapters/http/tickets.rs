//! POST /bookings/{booking_id}/resend: the tickets come again by e-mail.

use axum::{extract::State, http::StatusCode};
use karcis_http::{Caller, PathId, Problem};
use karcis_kernel::BookingId;
use karcis_process::{now, trace};

use super::{ApiState, BOOKINGS, bookings::find};
use crate::application::resend_tickets;

/// Sends the tickets of a confirmed booking again, to its buyer's e-mail address.
///
/// An address that is not verified gets no codes: they are at the booking.
#[utoipa::path(post, path = "/bookings/{booking_id}/resend", tag = BOOKINGS,
    operation_id = "resendTickets", security(("bearer" = [])),
    params(("booking_id" = BookingId, Path, description = "Which booking.")),
    responses(
        (status = 202, description = "They are sent."),
        (status = 409, description = "booking-not-confirmed"),
    ))]
pub(super) async fn resend(
    State(state): State<ApiState>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let id = BookingId(id);
    // Only its buyer uses up what there is of a booking's limit.
    find(&state, id, |booking| booking.order.buyer == caller.user_id).await?;
    state.ticket_mails.admit(&id)?;
    let resending = resend_tickets(&*state.bookings, now(), caller.user_id, id);
    trace::span("resend_tickets", resending).await?;
    Ok(StatusCode::ACCEPTED)
}
