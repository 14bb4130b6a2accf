//! Looking at events.

use axum::extract::State;
use karcis_http::{Caller, FieldErrors, Json, List, Page, PathId, Problem, Query};
use karcis_kernel::{EventId, Role, Timestamp};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    Desk, SHOP,
    fields::{moment, optional},
    problems::editor,
    shown::{ListedEvent, ShownEvent},
};
use crate::{
    application::ports::{EventFilter, Kind},
    domain::Stage,
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// What title, venue or description contain.
    #[param(max_length = 200, pattern = r"^[^\x00]*$", nullable = false)]
    q: Option<String>,
    /// Those that start then or later.
    #[param(value_type = Option<String>, format = DateTime, nullable = false)]
    from: Option<Timestamp>,
    /// Those that start before.
    #[param(value_type = Option<String>, format = DateTime, nullable = false)]
    to: Option<Timestamp>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
    /// `published`, those to come, unless given. Drafts show to their organiser only.
    #[param(inline, nullable = false)]
    status: Option<WantedStatus>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WantedStatus {
    Draft,
    Published,
    Cancelled,
    Ended,
}

/// An event; a draft only to those who may edit it.
#[utoipa::path(get, path = "/events/{event_id}", tag = SHOP, operation_id = "event",
    params(("event_id" = EventId, Path, description = "Which event.")),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The event.", body = ShownEvent)))]
pub async fn find(
    State(desk): State<Desk>,
    PathId(id): PathId,
    caller: Option<Caller>,
) -> Result<Json<ShownEvent>, Problem> {
    let seen = desk.window.find(EventId(id), edits(caller)).await?;
    let event = seen.what.as_ref().ok_or_else(Problem::not_found)?;
    let own = caller.is_some_and(|caller| editor(caller).may_edit(event));
    if event.stage == Stage::Draft && !own {
        return Err(Problem::not_found());
    }
    Ok(Json(ShownEvent::of(event, seen.as_of)))
}

/// Events, soonest first.
#[utoipa::path(get, path = "/events", tag = SHOP, operation_id = "events", params(Wanted),
    security((), ("bearer" = [])),
    responses((status = 200, description = "A page of events.", body = List<ListedEvent>)))]
pub async fn list(
    State(desk): State<Desk>,
    caller: Option<Caller>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<List<ListedEvent>>, Problem> {
    let page: Page<(Timestamp, EventId)> = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let mut fields = FieldErrors::new();
    let from = optional(&mut fields, "from", wanted.from, moment).flatten();
    let to = optional(&mut fields, "to", wanted.to, moment).flatten();
    let text = wanted.q.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > 200) {
        fields.add("q", "give at most 200 characters");
    }
    if page.after.is_some_and(|(starts_at, _)| moment(starts_at).is_err()) {
        fields.add("cursor", "give the next_cursor of the page before, or none");
    }
    fields.finish()?;
    let Some(kind) = kind(wanted.status, caller) else {
        return Ok(Json(List { items: Vec::new(), next_cursor: None }));
    };
    let limit = page.limit + 1;
    let filter = EventFilter { kind, text, from, to, after: page.after, limit };
    let seen = desk.window.list(&filter, edits(caller)).await?;
    let events = seen.what.iter().collect();
    let page = List::of(events, page.limit, |event| (event.details.starts_at, event.id));
    Ok(Json(page.map(|event| ListedEvent::of(event, seen.as_of))))
}

/// `None`: nothing that this caller may see.
fn kind(status: Option<WantedStatus>, caller: Option<Caller>) -> Option<Kind> {
    match status {
        None | Some(WantedStatus::Published) => Some(Kind::Upcoming),
        Some(WantedStatus::Cancelled) => Some(Kind::Cancelled),
        Some(WantedStatus::Ended) => Some(Kind::Ended),
        Some(WantedStatus::Draft) => match caller?.role {
            Role::Admin => Some(Kind::DraftsOf(None)),
            Role::Organiser => Some(Kind::DraftsOf(Some(caller?.user_id))),
            Role::Buyer | Role::Operator | Role::Door => None,
        },
    }
}

fn edits(caller: Option<Caller>) -> bool {
    caller.is_some_and(|caller| matches!(caller.role, Role::Organiser | Role::Admin))
}
