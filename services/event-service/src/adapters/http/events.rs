//! GET /events and GET /events/{event_id}.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use karcis_http::{
    Caller, ClientIp, FieldErrors, IfNoneMatch, Json, List, Page, PathId, Problem, Query, Time,
};
use karcis_kernel::{EventId, Role, UserId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    ApiState, CATALOGUE,
    catalogue_cache::{FoundEvent, ListedEvent},
    responses::{EventResponse, ListedEventResponse},
};
use crate::{
    application::{EventFilter, Kind},
    domain::Editor,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Words in the title, the venue or the description, in any order. Case and accents do not matter.
    #[param(max_length = 200, pattern = r"^[^\x00]*$", nullable = false)]
    q: Option<String>,
    /// The earliest start.
    #[param(value_type = Option<String>, format = DateTime, nullable = false)]
    from: Option<Time>,
    /// All starts are before.
    #[param(value_type = Option<String>, format = DateTime, nullable = false)]
    to: Option<Time>,
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
    /// `published` (those that are not over) unless given. Only their organiser sees drafts.
    #[param(inline, nullable = false)]
    status: Option<EventsQueryStatus>,
    /// Only the caller's own events, in all stages unless `status` is given.
    #[param(inline, nullable = false)]
    organiser: Option<EventsQueryOrganiser>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EventsQueryOrganiser {
    Me,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EventsQueryStatus {
    Draft,
    Published,
    Cancelled,
    Ended,
}

/// An event. A draft, cancelled or not, is shown only to those who may edit it.
#[utoipa::path(get, path = "/events/{event_id}", tag = CATALOGUE, operation_id = "event",
    params(("event_id" = EventId, Path, description = "The event's id."), IfNoneMatch),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The event.", body = EventResponse)))]
pub(super) async fn show(
    State(state): State<ApiState>,
    PathId(id): PathId,
    caller: Option<Caller>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let found = state.catalogue.find(EventId(id), edits(caller)).await?;
    let FoundEvent { event, answer } = (*found).as_ref().ok_or_else(Problem::not_found)?;
    let own = caller.is_some_and(|caller| Editor::from(caller).may_edit(event));
    if !event.stage.is_public() && !own {
        return Err(Problem::not_found());
    }
    Ok(known.answer_tagged(answer))
}

/// Events: those to come soonest first, drafts and those that are over or cancelled newest first.
///
/// Searches (`q`) are limited more strictly than other reads, by network address.
#[utoipa::path(get, path = "/events", tag = CATALOGUE, operation_id = "events", params(EventsQuery),
    security((), ("bearer" = [])),
    responses((status = 200, description = "A page of events.", body = List<ListedEventResponse>)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Option<Caller>,
    client_ip: ClientIp,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Problem> {
    let own = query.organiser.is_some();
    if own && caller.is_none() {
        return Err(Problem::not_logged_in("log in with POST /login to see your own events"));
    }
    let page: Page<(Time, EventId)> = Page::new(query.limit, query.cursor.as_deref())?;
    let mut fields = FieldErrors::new();
    let (from, to) = (query.from.map(|Time(at)| at), query.to.map(|Time(at)| at));
    let text = query.q.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > 200) {
        fields.add("q", "give at most 200 characters");
    }
    fields.finish()?;
    let Some((kind, organiser)) = kind(query.status, own, caller) else {
        return Ok(Json(List::<()> { items: vec![], next_cursor: None }).into_response());
    };
    if text.is_some() {
        state.searches.admit(&client_ip)?;
    }
    let limit = page.limit + 1;
    let after = page.after.map(|(Time(starts_at), id)| (starts_at, id));
    let filter = EventFilter { kind, organiser, text, from, to, after, limit };
    let found = state.catalogue.list(&filter, edits(caller)).await?;
    let events = found.events().iter().collect();
    let page = List::of(events, page.limit, |ListedEvent { event, .. }| {
        (event.details.starts_at, event.id)
    });
    Ok(Json(page.map(|listed| &listed.json)).into_response())
}

/// What to list, and of which organiser if not of all; `None`: this caller may see none of these.
fn kind(
    status: Option<EventsQueryStatus>,
    own: bool,
    caller: Option<Caller>,
) -> Option<(Kind, Option<UserId>)> {
    let kind = match status {
        None if own => Kind::All,
        None | Some(EventsQueryStatus::Published) => Kind::Upcoming,
        Some(EventsQueryStatus::Draft) => Kind::Drafts,
        Some(EventsQueryStatus::Cancelled) => Kind::Cancelled,
        Some(EventsQueryStatus::Ended) => Kind::Ended,
    };
    if !own && kind != Kind::Drafts {
        return Some((kind, None));
    }
    let caller = caller.filter(|caller| edits(Some(*caller)))?;
    let all_drafts = !own && caller.role == Role::Admin;
    Some((kind, (!all_drafts).then_some(caller.user_id)))
}

fn edits(caller: Option<Caller>) -> bool {
    caller.is_some_and(|caller| matches!(caller.role, Role::Organiser | Role::Admin))
}
