//! POST /event/publish, /event/unpublish and /event/cancel, DELETE and POST /event/delete.

use axum::{extract::State, http::StatusCode};
use karcis_http::{Fields, Json, Organiser, Problem, Query};
use karcis_kernel::EventId;
use serde::Deserialize;

use super::{Desk, problems::editor, shown::ShownEvent};
use crate::{
    application::{
        cancel_event::cancel_event, delete_event::delete_event, publish_event::publish_event,
        unpublish_event::unpublish_event,
    },
    domain::CancelReason,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    event_id: EventId,
}

#[derive(Deserialize)]
pub struct Named {
    event_id: EventId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    event_id: EventId,
    reason: String,
}

pub async fn publish(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(Which { event_id }): Json<Which>,
) -> Result<Json<ShownEvent>, Problem> {
    let at = karcis_process::now();
    let event = publish_event(&*desk.events, editor(caller), event_id, at).await?;
    desk.window.changed(event_id);
    Ok(Json(ShownEvent::of(&event, at)))
}

pub async fn unpublish(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(Which { event_id }): Json<Which>,
) -> Result<Json<ShownEvent>, Problem> {
    let at = karcis_process::now();
    let event = unpublish_event(&*desk.events, editor(caller), event_id, at).await?;
    desk.window.changed(event_id);
    Ok(Json(ShownEvent::of(&event, at)))
}

pub async fn cancel(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(Cancel { event_id, reason }): Json<Cancel>,
) -> Result<(StatusCode, Json<ShownEvent>), Problem> {
    let mut fields = Fields::new();
    let reason = fields.check("reason", CancelReason::try_from(reason));
    fields.finish()?;
    let reason = reason.ok_or_else(|| Problem::internal("a proper reason was not parsed"))?;
    let event = cancel_event(&*desk.events, editor(caller), event_id, reason).await?;
    desk.window.changed(event_id);
    Ok((StatusCode::ACCEPTED, Json(ShownEvent::of(&event, karcis_process::now()))))
}

pub async fn delete(
    State(desk): State<Desk>,
    Organiser(caller): Organiser,
    Json(Which { event_id }): Json<Which>,
) -> Result<StatusCode, Problem> {
    delete_event(&*desk.events, editor(caller), event_id).await?;
    desk.window.changed(event_id);
    Ok(StatusCode::NO_CONTENT)
}

pub async fn delete_named(
    desk: State<Desk>,
    organiser: Organiser,
    Query(Named { event_id }): Query<Named>,
) -> Result<StatusCode, Problem> {
    delete(desk, organiser, Json(Which { event_id })).await
}
