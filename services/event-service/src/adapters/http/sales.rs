//! GET /event/sales, as they are or live.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use karcis_http::{Json, Organiser, Problem, Query, WantsStream, stream};
use karcis_kernel::EventId;
use karcis_process::{chain, now};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ApiState, ORGANISERS, responses::SalesResponse};
use crate::domain::Editor;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SalesQuery {
    event_id: EventId,
}

/// What an event has sold, by ticket type and by day, as it is or live.
///
/// With `Accept: text/event-stream` all of it comes as an event each time it changes, its id the version (some are
/// skipped), until the token expires. `Last-Event-ID` leaves out what is known.
#[utoipa::path(get, path = "/event/sales", tag = ORGANISERS, operation_id = "sales",
    params(SalesQuery, WantsStream), security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 200, description = "The sales.", content(
            (SalesResponse = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn show(
    State(state): State<ApiState>,
    Organiser(caller): Organiser,
    WantsStream(wants_stream): WantsStream,
    Query(SalesQuery { event_id }): Query<SalesQuery>,
) -> Result<Response, Problem> {
    let sales = state.sales.find(event_id).await?;
    let sales = sales.filter(|sales| Editor::from(caller).may_edit(&sales.event));
    let sales = sales.ok_or_else(Problem::not_found)?;
    let Some(seen) = wants_stream else {
        return Ok(Json(SalesResponse::new(&sales, now())).into_response());
    };
    let watch = state.live.open(event_id.0, caller.user_id)?;
    let load = move || {
        let queries = state.sales.clone();
        async move {
            let sales = queries.find(event_id).await;
            let sales = sales.map_err(|error| chain(&error).to_string())?;
            Ok(sales.map(|sales| (sales.version, SalesResponse::new(&sales, now()), false)))
        }
    };
    Ok(stream(watch, seen, caller.expires_at, load).await)
}
