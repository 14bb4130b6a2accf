//! POST /event/check-in, and GET /event/check-in/list.

use axum::extract::State;
use chrono::TimeDelta;
use karcis_http::{Cursor, Door, FieldErrors, Json, List, Page, Problem, Query, Time};
use karcis_kernel::{EventId, TicketCode, Timestamp};
use karcis_process::{now, trace};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    ApiState, DOORS, Position, fitting, key, position,
    responses::{ChangedTicketsResponse, CheckedInResponse},
};
use crate::{
    adapters::http::fields::{GateName, optional},
    application::{CheckedIn, TicketPosition, check_in_ticket},
    domain::{CheckIn, DoorResult, Gate},
};

/// How much a door's clock may be ahead.
const CLOCK_AHEAD: TimeDelta = TimeDelta::minutes(5);
/// How late a door that had no network may report.
const REPORTED_WITHIN: TimeDelta = TimeDelta::days(7);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckInRequest {
    /// The ticket's code as it was scanned or typed: capitals, blanks and dashes make no difference.
    #[schema(examples("5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f"))]
    code: String,
    /// The event that the door is of: tickets of other events are unknown to it.
    event_id: Option<EventId>,
    /// Takes the ticket's use back: it was not let in.
    undo: Option<bool>,
    #[schema(value_type = Option<GateName>)]
    gate: Option<String>,
    /// Of the door's choice: the same again is admitted again, as its answer may have been lost.
    check_in_id: Option<Uuid>,
    /// When a door without a network let it in: at most a week ago. The first report that arrives stands.
    #[schema(value_type = Option<String>, format = DateTime, examples("2026-08-17T11:30:00Z"))]
    at: Option<Time>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangedTicketsQuery {
    event_id: EventId,
    /// The `since` of the last page that was read: what has changed after it. Without it, all tickets.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    since: Option<String>,
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before, in place of `since`.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

/// Lets a ticket in, once: of two doors at the same time, one is told `admitted` and the other `already`.
///
/// `already` says when, where and by whom. `cancelled`: its booking or its event is. `unknown`: no ticket of
/// this door's event, or of an organiser's own events. With `undo`: `undone`, again too.
#[utoipa::path(post, path = "/event/check-in", tag = DOORS, operation_id = "checkIn",
    request_body = CheckInRequest, security(("bearer" = ["door", "organiser", "admin"])),
    responses((status = 200, description = "What to do at the door.", body = CheckedInResponse)))]
pub(super) async fn check_in(
    State(state): State<ApiState>,
    Door(caller): Door,
    Json(request): Json<CheckInRequest>,
) -> Result<Json<CheckedInResponse>, Problem> {
    let mut fields = FieldErrors::new();
    let gate = optional(&mut fields, "gate", request.gate, Gate::try_from);
    let at = reported(request.at, now(), &mut fields);
    fields.finish()?;
    let Ok(code) = TicketCode::typed(&request.code) else {
        let unknown = CheckedIn { result: DoorResult::Unknown, ticket: None };
        return Ok(Json(CheckedInResponse::new(None, unknown)));
    };
    let by = Some(caller.user_id);
    let check_in = CheckIn { at, by, gate: gate.flatten(), id: request.check_in_id };
    let is_use = !request.undo.unwrap_or_default();
    let check_in = is_use.then_some(check_in);
    let checking_in =
        check_in_ticket(&*state.doors, caller.into(), &code, request.event_id, check_in);
    let checked_in = trace::span("check_in_ticket", checking_in).await?;
    Ok(Json(CheckedInResponse::new(Some(code), checked_in)))
}

/// The tickets of an event and what changed of them since the last time, for doors that may lose their network.
///
/// A ticket comes again each time that it changes: it is sold, given back, let in, or that is undone. Who goes on
/// from the last `since` misses nothing. A page may have fewer items than `limit`.
#[utoipa::path(get, path = "/event/check-in/list", tag = DOORS, operation_id = "changedTickets",
    params(ChangedTicketsQuery), security(("bearer" = ["door", "organiser", "admin"])),
    responses(
        (status = 200, description = "A page of tickets.", body = ChangedTicketsResponse),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn list(
    State(state): State<ApiState>,
    Door(caller): Door,
    Query(query): Query<ChangedTicketsQuery>,
) -> Result<Json<ChangedTicketsResponse>, Problem> {
    let page: Page<Position> = Page::new(query.limit, query.cursor.as_deref())?;
    let since: Page<Position> = Page::new(None, query.since.as_deref())
        .map_err(|_| Problem::invalid_field("since", "give the since of the last page, or none"))?;
    let event_status = state.admits(caller, query.event_id).await?;
    let after = page.after.or(since.after).map_or(TicketPosition::START, position);
    let tickets = state.ticket_lists.changed(query.event_id, after, page.limit + 1).await?;
    let limit = fitting(&tickets, page.limit);
    let last = tickets.iter().take(limit.into()).next_back().map_or(after, |last| last.position);
    let page = List::of(tickets, limit, |ticket| key(ticket.position));
    let since = Cursor::encode(&key(last));
    Ok(Json(ChangedTicketsResponse::new(event_status, page.map(Into::into), since)))
}

/// When the door let the ticket in, by its own clock.
fn reported(at: Option<Time>, now: Timestamp, fields: &mut FieldErrors) -> Timestamp {
    let Some(Time(at)) = at else { return now };
    if at > now + CLOCK_AHEAD {
        fields.add("at", format!("give a time not after {now:?}, now"));
    } else if at < now - REPORTED_WITHIN {
        fields.add("at", "give a time within the last 7 days");
    }
    at.min(now)
}
