//! A buyer's bookings: list, one, live, its timeline, and the way out.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use karcis_http::{
    Caller, FieldErrors, Json, List, Page, PathId, Problem, Query, WantsStream, stream,
};
use karcis_kernel::{BookingId, Role};
use karcis_process::{now, trace};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    BOOKINGS, Desk,
    answer::{BookingAnswer, TimelineAnswer, statuses},
    cancel_problem,
};
use crate::{
    application::cancel_booking,
    domain::{Booking, Status},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelBooking {
    booking_id: BookingId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListBookings {
    /// Those in this status only.
    #[param(schema_with = statuses, required = false)]
    status: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

/// Cancels a booking and gives its money back; again changes nothing.
#[utoipa::path(post, path = "/booking/cancel", tag = BOOKINGS, operation_id = "cancelBooking",
    request_body = CancelBooking, security(("bearer" = [])),
    responses(
        (status = 202, description = "The booking on its way out.", body = BookingAnswer),
        (status = 404, description = "not-found"),
        (status = 409, description = "refund-window-closed booking-rejected"),
    ))]
pub(super) async fn cancel(
    State(desk): State<Desk>,
    caller: Caller,
    Json(request): Json<CancelBooking>,
) -> Result<Response, Problem> {
    let at = now();
    trace::about(request.booking_id.0);
    let cancelling = cancel_booking(&*desk.bookings, caller.user_id, request.booking_id, at);
    let booking = trace::span("cancel_booking", cancelling).await.map_err(cancel_problem)?;
    Ok((StatusCode::ACCEPTED, Json(BookingAnswer::new(&booking, at))).into_response())
}

/// The caller's bookings, newest first.
#[utoipa::path(get, path = "/bookings", tag = BOOKINGS, operation_id = "bookings",
    params(ListBookings), security(("bearer" = [])),
    responses((status = 200, description = "A page of bookings.", body = List<BookingAnswer>)))]
pub(super) async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(query): Query<ListBookings>,
) -> Result<Json<List<BookingAnswer>>, Problem> {
    let page: Page<BookingId> = Page::new(query.limit, query.cursor.as_deref())?;
    let mut fields = FieldErrors::new();
    let status = query.status.map(|status| status.parse::<Status>());
    let status = status.and_then(|status| fields.check("status", status));
    fields.finish()?;
    let bookings = desk.queries.list(caller.user_id, status, page.after, page.limit + 1).await?;
    let at = now();
    let list = List::of(bookings, page.limit, |booking| booking.order.id);
    Ok(Json(list.map(|booking| BookingAnswer::new(&booking, at))))
}

/// A booking of the caller's, as it is or live.
///
/// With `Accept: text/event-stream` the whole booking comes as an event each time it changes, its id
/// the version (some are skipped), until it is rejected or cancelled or the token expires.
#[utoipa::path(get, path = "/bookings/{booking_id}", tag = BOOKINGS, operation_id = "booking",
    params(("booking_id" = BookingId, Path, description = "Which booking."), WantsStream),
    security(("bearer" = [])),
    responses((status = 200, description = "The booking.", content(
        (BookingAnswer = "application/json"),
        (String = "text/event-stream"),
    ))))]
pub(super) async fn show(
    State(desk): State<Desk>,
    PathId(id): PathId,
    caller: Caller,
    WantsStream(wants_stream): WantsStream,
) -> Result<Response, Problem> {
    let id = BookingId(id);
    let booking = find(&desk, id, |booking| booking.order.buyer == caller.user_id).await?;
    let Some(seen) = wants_stream else {
        return Ok(Json(BookingAnswer::new(&booking, now())).into_response());
    };
    let changes = desk.live.watch(id.0);
    let load = move || {
        let queries = desk.queries.clone();
        async move {
            let found = queries.find(id).await.map_err(|error| error.to_string())?;
            Ok(found.map(|booking| {
                let answer = BookingAnswer::new(&booking, now());
                (booking.version, answer, booking.status().is_last())
            }))
        }
    };
    Ok(stream(changes, seen, caller.expires_at, load))
}

/// All that happened to a booking; its buyer and operators see it.
#[utoipa::path(get, path = "/bookings/{booking_id}/timeline", tag = BOOKINGS,
    operation_id = "timeline", security(("bearer" = [])),
    params(("booking_id" = BookingId, Path, description = "Which booking.")),
    responses((status = 200, description = "All of it, oldest first.",
        body = List<TimelineAnswer>)))]
pub(super) async fn timeline(
    State(desk): State<Desk>,
    PathId(id): PathId,
    caller: Caller,
) -> Result<Json<List<TimelineAnswer>>, Problem> {
    let id = BookingId(id);
    let is_operator = matches!(caller.role, Role::Operator | Role::Admin);
    find(&desk, id, |booking| is_operator || booking.order.buyer == caller.user_id).await?;
    let entries = desk.queries.timeline(id).await?;
    let items = entries.into_iter().map(TimelineAnswer::from).collect();
    Ok(Json(List { items, next_cursor: None }))
}

/// The booking, if this caller may see it: what is somebody else's is not there.
async fn find(
    desk: &Desk,
    id: BookingId,
    may_see: impl FnOnce(&Booking) -> bool,
) -> Result<Booking, Problem> {
    trace::about(id.0);
    let found = desk.queries.find(id).await?;
    found.filter(may_see).ok_or_else(Problem::not_found)
}
