//! PUT /event/update, and the same with POST and PATCH.

use std::{collections::HashMap, convert::Infallible};

use axum::{extract::State, response::Response};
use karcis_http::{
    FieldErrors, IfMatch, IfNoneMatch, Json, Organiser, Patch, Problem, Time, TimeZoneName, Word,
};
use karcis_kernel::{Currency, EventId, Money, TicketTypeId, UserId};
use karcis_process::{now, trace};
use serde::{Deserialize, de::IgnoredAny};
use utoipa::ToSchema;

use super::{
    ApiState, ORGANISERS,
    create_event::TicketTypeFields,
    fields::{
        CancelReasonText, EventTitle, LongText, PriceSchema, TicketTypeName, VenueName, capacity,
        clearable, instant, max_per_booking, max_per_buyer, required,
    },
    responses::UpdatedEventResponse,
};
use crate::{
    adapters::time_zone::time_zone,
    application::update_event,
    domain::{
        Capacity, Description, EventUpdate, NewTicketType, PerBooking, PerBuyer, Price, Status,
        TicketName, TicketTypeEdit, TicketTypeUpdate, Title, Venue,
    },
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateEventRequest {
    event_id: EventId,
    /// What cannot be changed here may be sent as it is.
    #[serde(default)]
    #[schema(value_type = SentStatus)]
    status: Patch<Word<SentStatus>>,
    #[serde(default)]
    #[schema(value_type = UserId)]
    organiser_id: Patch<UserId>,
    #[serde(default)]
    #[schema(value_type = Option<CancelReasonText>)]
    cancel_reason: Patch<String>,
    /// Ignored, as it is of the answer and not of the event.
    #[serde(default, rename = "as_of")]
    #[schema(value_type = Option<String>, format = DateTime)]
    _as_of: Patch<Time>,
    /// Ignored, as lists show it and it follows from the ticket types; so are the next two.
    #[serde(default, rename = "from_price")]
    #[schema(value_type = Option<PriceSchema>)]
    _from_price: Patch<IgnoredAny>,
    #[serde(default, rename = "availability")]
    #[schema(value_type = Option<String>)]
    _availability: Patch<IgnoredAny>,
    #[serde(default, rename = "on_sale_at")]
    #[schema(value_type = Option<String>, format = DateTime)]
    _on_sale_at: Patch<IgnoredAny>,
    /// Ignored, as it follows from the times and the time zone.
    #[serde(default, rename = "local")]
    #[schema(value_type = Option<Object>)]
    _local: Patch<HashMap<String, IgnoredAny>>,
    /// The version that was read: if the event was edited since, nothing changes. `If-Match` says it too.
    version: Option<i64>,
    #[serde(default)]
    #[schema(value_type = EventTitle)]
    title: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<LongText>)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(value_type = VenueName)]
    venue: Patch<String>,
    #[serde(default)]
    #[schema(value_type = String, format = DateTime)]
    starts_at: Patch<Time>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-17T15:00:00Z"))]
    ends_at: Patch<Time>,
    #[serde(default)]
    #[schema(value_type = TimeZoneName)]
    time_zone: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-10T12:00:00Z"))]
    refundable_until: Patch<Time>,
    /// Whether `refundable_until` may be after `starts_at`.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    refundable_after_start: Patch<bool>,
    #[serde(default)]
    #[schema(schema_with = max_per_buyer)]
    max_per_buyer: Patch<i64>,
    /// Those to change and to add; the others stay unchanged.
    #[serde(default)]
    #[schema(value_type = Vec<UpdateTicketTypeRequest>, max_items = 20)]
    ticket_types: Patch<Vec<UpdateTicketTypeRequest>>,
}

/// A status as events are shown with it.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SentStatus {
    Draft,
    Published,
    Cancelled,
    Ended,
}

/// With an id: what to change. Without: a new one, which needs name, price and capacity.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateTicketTypeRequest {
    ticket_type_id: Option<TicketTypeId>,
    #[serde(default)]
    #[schema(value_type = TicketTypeName)]
    name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = PriceSchema)]
    price: Patch<Money>,
    #[serde(default)]
    #[schema(schema_with = capacity)]
    capacity: Patch<i64>,
    /// Ignored, as it changes with each sale.
    #[serde(default, rename = "available")]
    #[schema(value_type = Option<i64>)]
    _available: Patch<i64>,
    #[serde(default)]
    #[schema(schema_with = max_per_booking)]
    max_per_booking: Patch<i64>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, examples("2026-08-01T00:00:00Z"))]
    sales_start: Patch<Time>,
    #[serde(default)]
    /// At most `ends_at`, or `starts_at` of an event without an end.
    #[schema(value_type = Option<String>, format = DateTime)]
    sales_end: Patch<Time>,
    /// No longer on sale.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    closed: Patch<bool>,
}

/// What a 409 has besides the members of every problem.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes")]
struct UpdateConflict {
    /// With `version-conflict`: the event's version.
    #[schema(required = false)]
    version: i64,
    /// With `currency-frozen`: the event's currency.
    #[schema(required = false)]
    currency: Currency,
    /// With `capacity-below-sold`: how many seats are held or sold.
    #[schema(required = false)]
    taken: u32,
}

/// Changes an event.
#[utoipa::path(method(put, post, patch), path = "/event/update", tag = ORGANISERS,
    operation_id = "updateEvent", params(IfMatch), request_body = UpdateEventRequest,
    security(("bearer" = ["organiser", "admin"])),
    responses(
        (status = 200, description = "The event as it is now.", body = UpdatedEventResponse),
        (status = 404, description = "not-found"),
        (status = 409, body = inline(UpdateConflict),
            description = "version-conflict capacity-below-sold currency-frozen event-over"),
    ))]
pub(super) async fn update(
    State(state): State<ApiState>,
    Organiser(caller): Organiser,
    // Its error comes after the errors of the body.
    seen: Result<IfMatch, Problem>,
    Json(mut request): Json<UpdateEventRequest>,
) -> Result<Response, Problem> {
    let event_id = request.event_id;
    request.version = seen?.or(request.version)?;
    let mut fields = FieldErrors::new();
    let update = request.parse(&mut fields);
    fields.finish()?;
    let at = now();
    let updating = update_event(&*state.events, caller.into(), event_id, update, at);
    let event = trace::span("update_event", updating).await?;
    state.catalogue.changed(event_id);
    Ok(IfNoneMatch::default().answer(event.version, UpdatedEventResponse::new(&event, at)))
}

impl UpdateEventRequest {
    /// The update, without the fields whose errors are noted.
    fn parse(self, fields: &mut FieldErrors) -> EventUpdate {
        let listed = required(fields, "ticket_types", self.ticket_types, Ok::<_, Infallible>);
        let listed = listed.unwrap_or_default().into_iter().enumerate();
        let ticket_types = listed
            .filter_map(|(index, edit)| edit.parse(&format!("ticket_types[{index}]"), fields))
            .collect();
        EventUpdate {
            version: self.version,
            status: required(fields, "status", self.status, |s| Ok::<_, Infallible>(s.0.into())),
            organiser_id: required(fields, "organiser_id", self.organiser_id, Ok::<_, Infallible>),
            cancel_reason: clearable(
                fields,
                "cancel_reason",
                self.cancel_reason,
                Ok::<_, Infallible>,
            ),
            title: required(fields, "title", self.title, Title::try_from),
            description: clearable(fields, "description", self.description, Description::try_from),
            venue: required(fields, "venue", self.venue, Venue::try_from),
            starts_at: required(fields, "starts_at", self.starts_at, instant),
            ends_at: clearable(fields, "ends_at", self.ends_at, instant),
            time_zone: required(fields, "time_zone", self.time_zone, |name| time_zone(&name)),
            refundable_until: clearable(fields, "refundable_until", self.refundable_until, instant),
            refundable_after_start: flag(self.refundable_after_start),
            max_per_buyer: clearable(
                fields,
                "max_per_buyer",
                self.max_per_buyer,
                PerBuyer::try_from,
            ),
            ticket_types,
        }
    }
}

impl From<SentStatus> for Status {
    fn from(sent: SentStatus) -> Self {
        match sent {
            SentStatus::Draft => Self::Draft,
            SentStatus::Published => Self::Published,
            SentStatus::Cancelled => Self::Cancelled,
            SentStatus::Ended => Self::Ended,
        }
    }
}

impl UpdateTicketTypeRequest {
    fn parse(self, path: &str, fields: &mut FieldErrors) -> Option<TicketTypeEdit> {
        match self.ticket_type_id {
            Some(id) => Some(TicketTypeEdit::Change(self.change(id, path, fields))),
            None => self.add(path, fields).map(TicketTypeEdit::Add),
        }
    }

    fn change(self, id: TicketTypeId, path: &str, fields: &mut FieldErrors) -> TicketTypeUpdate {
        let at = |field: &str| format!("{path}.{field}");
        let (start, end) = (at("sales_start"), at("sales_end"));
        let per_booking =
            clearable(fields, &at("max_per_booking"), self.max_per_booking, PerBooking::try_from);
        // Only the amount can be wrong, and null is the whole price.
        let price_at = if self.price == Patch::Null { at("price") } else { at("price.amount") };
        TicketTypeUpdate {
            id,
            name: required(fields, &at("name"), self.name, TicketName::try_from),
            price: required(fields, &price_at, self.price, Price::try_from),
            capacity: required(fields, &at("capacity"), self.capacity, Capacity::try_from),
            max_per_booking: per_booking.map(|limit| limit.unwrap_or(PerBooking::DEFAULT)),
            sales_start: clearable(fields, &start, self.sales_start, instant),
            sales_end: clearable(fields, &end, self.sales_end, instant),
            closed: flag(self.closed),
        }
    }

    /// The ticket type to add; `None`: the errors are noted.
    fn add(self, path: &str, fields: &mut FieldErrors) -> Option<NewTicketType> {
        let name = given(fields, path, "name", self.name);
        let price = given(fields, path, "price", self.price);
        let capacity = given(fields, path, "capacity", self.capacity);
        let new = TicketTypeFields {
            name: name?,
            price: price?,
            capacity: capacity?,
            max_per_booking: value(self.max_per_booking),
            sales_start: value(self.sales_start),
            sales_end: value(self.sales_end),
            closed: value(self.closed).unwrap_or_default(),
        };
        new.parse(path, fields)
    }
}

/// The change of a flag, which is cleared to false.
fn flag(change: Patch<bool>) -> Option<bool> {
    match change {
        Patch::Unchanged => None,
        Patch::Null => Some(false),
        Patch::Value(value) => Some(value),
    }
}

fn value<T>(field: Patch<T>) -> Option<T> {
    match field {
        Patch::Value(value) => Some(value),
        Patch::Null | Patch::Unchanged => None,
    }
}

fn given<T>(fields: &mut FieldErrors, path: &str, name: &str, field: Patch<T>) -> Option<T> {
    let given = value(field);
    if given.is_none() {
        let message = "give it, or the ticket_type_id of the one to change";
        fields.add(format!("{path}.{name}"), message);
    }
    given
}
