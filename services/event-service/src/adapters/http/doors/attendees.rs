//! GET /event/attendees, as JSON in pages or all of it as CSV.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use karcis_database::StoreError;
use karcis_http::{ClientIp, Door, Json, List, Page, Problem, Query, WantsCsv};
use karcis_kernel::EventId;
use karcis_process::chain;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use super::{ApiState, DOORS, Position, fitting, key, position, responses::ListedTicketResponse};
use crate::application::{TicketLists, TicketPosition};

/// How many files are written at once: their readers leave the database to others.
pub(crate) const FILES_AT_ONCE: usize = 2;
/// How many rows of a file are read at a time.
const ROWS_AT_A_TIME: u16 = 1_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AttendeesQuery {
    event_id: EventId,
    /// A part of the ticket type's name, or the first digits of a code or of a booking's id.
    #[param(max_length = 200, pattern = r"^[^\x00]*$", nullable = false)]
    q: Option<String>,
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

/// The tickets of an event that are sold now, those sold last first. A page may have fewer than `limit`.
///
/// With `Accept: text/csv` all of them as a file, whatever the page. In it, what a spreadsheet would take for a
/// formula begins with an apostrophe. A file whose transfer breaks off is not complete.
#[utoipa::path(get, path = "/event/attendees", tag = DOORS, operation_id = "attendees",
    params(AttendeesQuery), security(("bearer" = ["door", "organiser", "admin"])),
    responses(
        (status = 200, description = "The tickets.", content(
            (List<ListedTicketResponse> = "application/json"),
            (String = "text/csv", example = "code,ticket_type_id,name,booking_id,state,checked_in_at,gate"),
        )),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn list(
    State(state): State<ApiState>,
    Door(caller): Door,
    client_ip: ClientIp,
    WantsCsv(wants_csv): WantsCsv,
    Query(query): Query<AttendeesQuery>,
) -> Result<Response, Problem> {
    let page: Page<Position> = Page::new(query.limit, query.cursor.as_deref())?;
    let text = query.q.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > 200) {
        return Err(Problem::invalid_field("q", "give at most 200 characters"));
    }
    state.admits(caller, query.event_id).await?;
    if text.is_some() {
        state.searches.admit(&client_ip)?;
    }
    let lists = state.ticket_lists;
    if wants_csv {
        let permit = state.files.try_acquire_owned();
        let permit = permit.map_err(|_| Problem::unavailable("too many files are written"))?;
        return Ok(csv(File { lists, event_id: query.event_id, text, _permit: permit }));
    }
    let before = page.after.map_or(TicketPosition::END, position);
    let tickets = lists.sold(query.event_id, text.as_deref(), before, page.limit + 1).await?;
    let limit = fitting(&tickets, page.limit);
    let page = List::of(tickets, limit, |ticket| key(ticket.position));
    Ok(Json(page.map(ListedTicketResponse::from)).into_response())
}

/// A file that is being written.
struct File {
    lists: Arc<dyn TicketLists>,
    event_id: EventId,
    text: Option<String>,
    _permit: OwnedSemaphorePermit,
}

/// The file, of which some rows at a time are read and held, as fast as the client takes them.
fn csv(file: File) -> Response {
    let first = (file, Some(TicketPosition::END));
    let rows = stream::unfold(first, |(file, before)| async move {
        let rows = file.rows(before?).await;
        let next = rows.as_ref().ok().and_then(|(_, next)| *next);
        Some((rows.map(|(text, _)| text), (file, next)))
    });
    let head = stream::iter([Ok(ListedTicketResponse::CSV_HEAD.to_owned())]);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (CONTENT_DISPOSITION, "attachment; filename=\"attendees.csv\""),
    ];
    (headers, Body::from_stream(head.chain(rows))).into_response()
}

impl File {
    /// The next rows, and the position that others may be behind.
    async fn rows(
        &self,
        before: TicketPosition,
    ) -> Result<(String, Option<TicketPosition>), StoreError> {
        let tickets = self.lists.sold(self.event_id, self.text.as_deref(), before, ROWS_AT_A_TIME);
        let tickets = tickets.await.inspect_err(|error| {
            tracing::warn!(error = %chain(error), "a list of attendees breaks off");
        })?;
        let is_full = tickets.len() == usize::from(ROWS_AT_A_TIME);
        let next = tickets.last().filter(|_| is_full).map(|last| last.position);
        let rows = tickets.into_iter().map(|ticket| ListedTicketResponse::from(ticket).csv_row());
        Ok((rows.collect(), next))
    }
}
