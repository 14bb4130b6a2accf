//! POST /event/duplicate.

use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use karcis_http::{Json, Organiser, Problem, Time};
use karcis_kernel::{EventId, TicketTypeId};
use karcis_process::{now, trace};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ApiState, ORGANISERS, responses::EventResponse};
use crate::application::duplicate_event;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DuplicateEventRequest {
    event_id: EventId,
    /// Of the copy: all its other dates are moved as far.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Time,
}

/// Creates a draft like this event for another date: the same texts, limits and ticket types, all of them open and
/// free. An admin's copy of another's event is that organiser's.
#[utoipa::path(post, path = "/event/duplicate", tag = ORGANISERS, operation_id = "duplicateEvent",
    request_body = DuplicateEventRequest, security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 201, description = "The draft.", body = EventResponse,
            headers(("Location" = String, description = "The draft's path."))),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn duplicate(
    State(state): State<ApiState>,
    Organiser(caller): Organiser,
    Json(request): Json<DuplicateEventRequest>,
) -> Result<Response, Problem> {
    let DuplicateEventRequest { event_id, starts_at: Time(starts_at) } = request;
    let copy = (EventId(Uuid::now_v7()), starts_at);
    let draw_id = || TicketTypeId(Uuid::now_v7());
    let duplicating = duplicate_event(&*state.events, caller.into(), event_id, copy, &draw_id);
    let event = trace::span("duplicate_event", duplicating).await?;
    state.catalogue.changed(event.id);
    let location = format!("/events/{}", event.id);
    let body = Json(EventResponse::new(&event, now()));
    Ok((StatusCode::CREATED, [(LOCATION, location)], body).into_response())
}
