//! Who comes to an event: the names that buyers gave with their orders.

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use karcis_http::{Caller, Cursor, FieldErrors, Json, LINE, List, Page, Problem, Query, texts};
use karcis_kernel::{BookingId, EventId, Role, TicketTypeId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ATTENDEES, ApiState, responses::NamedBookingResponse};
use crate::{
    application::NamedBookings,
    domain::{Attendees, InvalidAttendee, Items, PersonName},
};

/// A page's names have no more bytes, unless one booking's have.
const MAX_BYTES: u32 = 48 * 1024;

texts! {
    /// A person's name; spaces and line breaks around it are removed.
    FullName: (*PersonName::LENGTH.start()) to (*PersonName::LENGTH.end()), LINE, such as "Dewi";
}

/// Somebody who comes with a ticket of this type.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AttendeeRequest {
    ticket_type_id: TicketTypeId,
    #[schema(value_type = FullName)]
    name: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AttendeesQuery {
    /// Whose bookings.
    event_id: EventId,
    /// How many at most; fewer come if their names are long.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<u16>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$", nullable = false)]
    cursor: Option<String>,
}

/// A caller who may read who comes to events: an organiser, a door or an admin; 403 for others.
pub(super) struct NamesReader(Caller);

impl<S: Send + Sync> FromRequestParts<S> for NamesReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        match caller.role {
            Role::Organiser | Role::Door | Role::Admin => Ok(Self(caller)),
            Role::Buyer | Role::Operator => Err(Problem::wrong_role()),
        }
    }
}

/// The confirmed bookings of an event in which somebody is named, newest first.
///
/// An organiser sees the own events only. Who is erased, and those who came with that person, are named nowhere.
#[utoipa::path(get, path = "/bookings/attendees", tag = ATTENDEES, operation_id = "attendees",
    params(AttendeesQuery), security(("bearer" = ["organiser", "door", "admin"])),
    responses(
        (status = 200, description = "A page of bookings.", body = List<NamedBookingResponse>),
        (status = 404, description = "not-found"),
    ))]
pub(super) async fn list(
    State(state): State<ApiState>,
    NamesReader(caller): NamesReader,
    Query(query): Query<AttendeesQuery>,
) -> Result<Json<List<NamedBookingResponse>>, Problem> {
    let page: Page<BookingId> = Page::new(query.limit, query.cursor.as_deref())?;
    let event = query.event_id;
    let is_organiser = caller.role == Role::Organiser;
    if is_organiser && state.queries.organiser(event).await? != Some(caller.user_id) {
        return Err(Problem::not_found());
    }
    let NamedBookings { found, has_more } =
        state.queries.named_bookings(event, page.after, page.limit, MAX_BYTES).await?;
    let last = found.last().filter(|_| has_more);
    let next_cursor = last.map(|last| Cursor::encode(&last.booking_id));
    let items = found.iter().map(NamedBookingResponse::from).collect();
    Ok(Json(List { items, next_cursor }))
}

/// The attendees of an order, or what is wrong with them.
pub(super) fn attendees(
    given: &[AttendeeRequest],
    items: &Items,
    fields: &mut FieldErrors,
) -> Attendees {
    let given = given.iter().map(|one| (one.ticket_type_id, one.name.as_str()));
    let attendees = Attendees::new(given, items);
    for wrong in attendees.as_ref().err().into_iter().flatten() {
        let field = match wrong {
            InvalidAttendee::Name(index, _) => format!("attendees[{index}].name"),
            InvalidAttendee::NotOrdered(index) | InvalidAttendee::TooMany(index) => {
                format!("attendees[{index}].ticket_type_id")
            }
        };
        fields.add(field, wrong.to_string());
    }
    attendees.unwrap_or_default()
}
