//! Publishing events, taking them back, calling them off, deleting them.

use axum::{extract::State, http::StatusCode};
use karcis_http::{FieldErrors, Json, Organiser, Problem, Query, texts};
use karcis_kernel::EventId;
use karcis_process::trace;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Desk, ORGANISERS, problems::editor, shown::ShownEvent};
use crate::{
    application::{
        cancel_event::cancel_event, delete_event::delete_event, publish_event::publish_event,
        unpublish_event::unpublish_event,
    },
    domain::CancelReason,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    event_id: EventId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Named {
    event_id: EventId,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    event_id: EventId,
    /// As the buyers read it.
    #[schema(value_type = CancelReasonText)]
    reason: String,
}

texts! {
    /// Why an event is off; lines may break.
    CancelReasonText: 1 to 1_000,
        r"^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]*$",
        such as "the venue is flooded";
}

/// Makes a draft bookable; again changes nothing.
#[utoipa::path(post, path = "/event/publish", tag = ORGANISERS, operation_id = "publishEvent",
    request_body = Which, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 200, description = "The event.", body = ShownEvent),
        (status = 404, description = "not-found"),
        (status = 409, description = "event-over"),
    ))]
pub async fn publish(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(Which { event_id }): Json<Which>,
) -> Result<Json<ShownEvent>, Problem> {
    let at = karcis_process::now();
    let event =
        trace::span("publish_event", publish_event(&*desk.events, editor(caller), event_id, at))
            .await?;
    desk.window.changed(event_id);
    Ok(Json(ShownEvent::of(&event, at)))
}

/// Takes an event that never had a booking back into a draft; again changes nothing.
#[utoipa::path(post, path = "/event/unpublish", tag = ORGANISERS, operation_id = "unpublishEvent",
    request_body = Which, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 200, description = "The event.", body = ShownEvent),
        (status = 404, description = "not-found"),
        (status = 409, description = "event-over event-has-bookings"),
    ))]
pub async fn unpublish(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(Which { event_id }): Json<Which>,
) -> Result<Json<ShownEvent>, Problem> {
    let at = karcis_process::now();
    let event = trace::span(
        "unpublish_event",
        unpublish_event(&*desk.events, editor(caller), event_id, at),
    )
    .await?;
    desk.window.changed(event_id);
    Ok(Json(ShownEvent::of(&event, at)))
}

/// Calls an event off: every booking is cancelled and its money given back.
#[utoipa::path(post, path = "/event/cancel", tag = ORGANISERS, operation_id = "cancelEvent",
    request_body = Cancel, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 202, description = "The event; its bookings follow.", body = ShownEvent),
        (status = 404, description = "not-found"),
    ))]
pub async fn cancel(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(Cancel { event_id, reason }): Json<Cancel>,
) -> Result<(StatusCode, Json<ShownEvent>), Problem> {
    let mut fields = FieldErrors::new();
    let reason = fields.check("reason", CancelReason::try_from(reason));
    fields.finish()?;
    let reason = reason.ok_or_else(|| Problem::internal("a proper reason was not parsed"))?;
    let event =
        trace::span("cancel_event", cancel_event(&*desk.events, editor(caller), event_id, reason))
            .await?;
    desk.window.changed(event_id);
    Ok((StatusCode::ACCEPTED, Json(ShownEvent::of(&event, karcis_process::now()))))
}

/// Deletes an event that never had a booking, for clients that cannot send DELETE.
#[utoipa::path(post, path = "/event/delete", tag = ORGANISERS, operation_id = "deleteEvent",
    request_body = Which, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "not-found"),
        (status = 409, description = "event-has-bookings"),
    ))]
pub async fn delete(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(Which { event_id }): Json<Which>,
) -> Result<StatusCode, Problem> {
    trace::span("delete_event", delete_event(&*desk.events, editor(caller), event_id)).await?;
    desk.window.changed(event_id);
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes an event that never had a booking.
#[utoipa::path(delete, path = "/event/delete", tag = ORGANISERS, operation_id = "deleteEvent",
    params(Named), security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "not-found"),
        (status = 409, description = "event-has-bookings"),
    ))]
pub async fn delete_named(
    desk: State<Desk>,
    organiser: Organiser,
    Query(Named { event_id }): Query<Named>,
) -> Result<StatusCode, Problem> {
    delete(desk, organiser, Json(Which { event_id })).await
}
