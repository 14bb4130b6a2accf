//! POST /event/publish, /event/unpublish and /event/cancel, and DELETE and POST /event/delete.

use axum::{extract::State, http::StatusCode};
use karcis_http::{FieldErrors, Json, Organiser, Problem, Query};
use karcis_kernel::EventId;
use karcis_process::{now, trace};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{ApiState, ORGANISERS, fields::CancelReasonText, responses::EventResponse};
use crate::{
    application::{cancel_event, delete_event, publish_event, unpublish_event},
    domain::CancelReason,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventRequest {
    event_id: EventId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventQuery {
    event_id: EventId,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelEventRequest {
    event_id: EventId,
    /// As the buyers read it.
    #[schema(value_type = CancelReasonText)]
    reason: String,
}

/// Publishes a draft, so that it can be booked. Repeating it changes nothing.
#[utoipa::path(post, path = "/event/publish", tag = ORGANISERS, operation_id = "publishEvent",
    request_body = EventRequest, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 200, description = "The event.", body = EventResponse),
        (status = 404, description = "not-found"),
        (status = 409, description = "event-over"),
    ))]
pub(super) async fn publish(
    State(state): State<ApiState>,
    Organiser(caller): Organiser,
    Json(EventRequest { event_id }): Json<EventRequest>,
) -> Result<Json<EventResponse>, Problem> {
    let at = now();
    let publishing = publish_event(&*state.events, caller.into(), event_id, at);
    let event = trace::span("publish_event", publishing).await?;
    state.catalogue.changed(event_id);
    Ok(Json(EventResponse::new(&event, at)))
}

/// Makes an event that never had a booking a draft again. Repeating it changes nothing.
#[utoipa::path(post, path = "/event/unpublish", tag = ORGANISERS, operation_id = "unpublishEvent",
    request_body = EventRequest, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 200, description = "The event.", body = EventResponse),
        (status = 404, description = "not-found"),
        (status = 409, description = "event-over event-has-bookings"),
    ))]
pub(super) async fn unpublish(
    State(state): State<ApiState>,
    Organiser(caller): Organiser,
    Json(EventRequest { event_id }): Json<EventRequest>,
) -> Result<Json<EventResponse>, Problem> {
    let at = now();
    let unpublishing = unpublish_event(&*state.events, caller.into(), event_id, at);
    let event = trace::span("unpublish_event", unpublishing).await?;
    state.catalogue.changed(event_id);
    Ok(Json(EventResponse::new(&event, at)))
}

/// Cancels an event: each of its bookings is cancelled and refunded.
#[utoipa::path(post, path = "/event/cancel", tag = ORGANISERS, operation_id = "cancelEvent",
    request_body = CancelEventRequest, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 202, description = "The event; its bookings follow.", body = EventResponse),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn cancel(
    State(state): State<ApiState>,
    Organiser(caller): Organiser,
    Json(CancelEventRequest { event_id, reason }): Json<CancelEventRequest>,
) -> Result<(StatusCode, Json<EventResponse>), Problem> {
    let at = now();
    let mut fields = FieldErrors::new();
    let reason = fields.check("reason", CancelReason::try_from(reason));
    fields.finish()?;
    let reason = reason.ok_or_else(|| Problem::internal("a valid reason was not parsed"))?;
    let cancelling = cancel_event(&*state.events, caller.into(), event_id, reason, at);
    let event = trace::span("cancel_event", cancelling).await?;
    state.catalogue.changed(event_id);
    Ok((StatusCode::ACCEPTED, Json(EventResponse::new(&event, at))))
}

/// Deletes an event that never had a booking, for clients that cannot send DELETE.
#[utoipa::path(post, path = "/event/delete", tag = ORGANISERS, operation_id = "deleteEvent",
    request_body = EventRequest, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 404, description = "not-found"),
        (status = 409, description = "event-has-bookings"),
    ))]
pub(super) async fn delete(
    State(state): State<ApiState>,
    Organiser(caller): Organiser,
    Json(EventRequest { event_id }): Json<EventRequest>,
) -> Result<StatusCode, Problem> {
    let deleting = delete_event(&*state.events, caller.into(), event_id);
    trace::span("delete_event", deleting).await?;
    state.catalogue.changed(event_id);
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes an event that never had a booking.
#[utoipa::path(delete, path = "/event/delete", tag = ORGANISERS, operation_id = "deleteEvent",
    params(EventQuery), security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 404, description = "not-found"),
        (status = 409, description = "event-has-bookings"),
    ))]
pub(super) async fn delete_by_query(
    state: State<ApiState>,
    organiser: Organiser,
    Query(EventQuery { event_id }): Query<EventQuery>,
) -> Result<StatusCode, Problem> {
    delete(state, organiser, Json(EventRequest { event_id })).await
}
