//! POST /event/create.

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use karcis_database::{KeyUse, RequestKey};
use karcis_http::{
    FieldErrors, IdempotencyKey, Json, Organiser, Problem, REPLAYED, Time, TimeZoneName, Word,
};
use karcis_kernel::{EventId, Money, TicketTypeId, UserId};
use karcis_process::{now, trace};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ApiState, ORGANISERS,
    fields::{
        EventTitle, LongText, PriceSchema, TicketTypeName, VenueName, capacity, max_per_booking,
        max_per_buyer, optional,
    },
    responses::EventResponse,
};
use crate::{
    adapters::time_zone::time_zone,
    application::{Created, create_event},
    domain::{
        Capacity, Description, Details, NewEvent, NewTicketType, PerBooking, PerBuyer, Price,
        TicketName, Title, Venue,
    },
};

const CREATE_PATH: &str = "/event/create";

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateEventRequest {
    #[schema(value_type = EventTitle)]
    title: String,
    #[schema(value_type = Option<LongText>)]
    description: Option<String>,
    #[schema(value_type = VenueName)]
    venue: String,
    /// A time to come, unless it stays a draft.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Time,
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-17T15:00:00Z"))]
    ends_at: Option<Time>,
    #[schema(value_type = TimeZoneName)]
    time_zone: String,
    /// Until when a booking may be cancelled: at most `starts_at`, which it is unless given.
    #[schema(value_type = Option<String>, format = DateTime, examples("2036-08-10T12:00:00Z"))]
    refundable_until: Option<Time>,
    /// Whether `refundable_until` may be after `starts_at`.
    refundable_after_start: Option<bool>,
    #[schema(schema_with = max_per_buyer)]
    max_per_buyer: Option<i64>,
    #[schema(value_type = Option<FirstStatus>)]
    status: Option<Word<FirstStatus>>,
    /// All prices in one currency.
    #[schema(min_items = 1, max_items = 20)]
    ticket_types: Vec<CreateTicketTypeRequest>,
}

/// `published` unless given.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum FirstStatus {
    Published,
    Draft,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateTicketTypeRequest {
    #[schema(value_type = TicketTypeName)]
    name: String,
    #[schema(value_type = PriceSchema)]
    price: Money,
    #[schema(schema_with = capacity)]
    capacity: i64,
    #[schema(schema_with = max_per_booking)]
    max_per_booking: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime, examples("2026-08-01T00:00:00Z"))]
    sales_start: Option<Time>,
    /// At most `ends_at`, or `starts_at` of an event without an end; `starts_at` unless given.
    #[schema(value_type = Option<String>, format = DateTime)]
    sales_end: Option<Time>,
}

/// Creates an event, published unless `status` is `draft`.
#[utoipa::path(post, path = "/event/create", tag = ORGANISERS, operation_id = "createEvent",
    params(IdempotencyKey), request_body = CreateEventRequest,
    security(("bearer" = ["organiser", "admin"])),
    responses((status = 201, description = "The event.", body = EventResponse,
        headers(("Location" = String, description = "The event's path.")),
        links(
            ("event" = (operation_id = "event", parameters(("event_id" = "$response.body#/event_id")))),
            ("unpublish" = (operation_id = "unpublishEvent",
                request_body = json!({"event_id": "$response.body#/event_id"}))),
            ("publish" = (operation_id = "publishEvent",
                request_body = json!({"event_id": "$response.body#/event_id"}))),
            ("delete" = (operation_id = "deleteEvent",
                parameters(("event_id" = "$response.body#/event_id")))),
        )),
        (status = 404, description = "not-found")))]
pub(super) async fn create(
    State(state): State<ApiState>,
    Organiser(caller): Organiser,
    // Its error comes after the errors of the body.
    key: Result<IdempotencyKey, Problem>,
    Json(request): Json<CreateEventRequest>,
) -> Result<Response, Problem> {
    let at = now();
    let IdempotencyKey(key) = key?;
    let fingerprint = key.is_some().then(|| IdempotencyKey::fingerprint(CREATE_PATH, &request));
    let mut fields = FieldErrors::new();
    let new = request.parse(caller.user_id, &mut fields);
    fields.finish()?;
    let new = new.ok_or_else(|| Problem::internal("a valid body was not parsed"))?;
    let key = key.zip(fingerprint).map(|(key, fingerprint)| KeyUse {
        key: RequestKey { user_id: caller.user_id, key },
        fingerprint,
        subject: Some(new.id.0),
        used_at: at,
    });
    let creating = create_event(&*state.events, new, key, at);
    let Created { event, is_repeated } = trace::span("create_event", creating).await?;
    state.catalogue.changed(event.id);
    let location = format!("/events/{}", event.id);
    let body = Json(EventResponse::new(&event, at));
    let mut response = (StatusCode::CREATED, [(LOCATION, location)], body).into_response();
    if is_repeated {
        let name = HeaderName::from_static(REPLAYED);
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

impl CreateEventRequest {
    /// The event; `None`: the errors are noted.
    fn parse(self, organiser_id: UserId, fields: &mut FieldErrors) -> Option<NewEvent> {
        let title = fields.check("title", Title::try_from(self.title));
        let description = optional(fields, "description", self.description, Description::try_from);
        let venue = fields.check("venue", Venue::try_from(self.venue));
        let zone = fields.check("time_zone", time_zone(&self.time_zone));
        let per_buyer = optional(fields, "max_per_buyer", self.max_per_buyer, PerBuyer::try_from);
        let types = self.ticket_types.into_iter().enumerate();
        let types: Vec<_> = types
            .map(|(index, new)| {
                let fields_at = format!("ticket_types[{index}]");
                TicketTypeFields::from(new).parse(&fields_at, fields)
            })
            .collect();
        Some(NewEvent {
            id: EventId(Uuid::now_v7()),
            organiser_id,
            details: Details {
                title: title?,
                description: description?,
                venue: venue?,
                starts_at: self.starts_at.0,
                ends_at: self.ends_at.map(|Time(at)| at),
                time_zone: zone?,
                refundable_until: self.refundable_until.map(|Time(at)| at),
                refundable_after_start: self.refundable_after_start.unwrap_or_default(),
                reopened_until: None,
                max_per_buyer: per_buyer?,
            },
            ticket_types: types.into_iter().collect::<Option<_>>()?,
            publish: self.status.is_none_or(|status| status.0 == FirstStatus::Published),
        })
    }
}

/// The fields of a new ticket type, of a new event or added to one.
pub(super) struct TicketTypeFields {
    pub name: String,
    pub price: Money,
    pub capacity: i64,
    pub max_per_booking: Option<i64>,
    pub sales_start: Option<Time>,
    pub sales_end: Option<Time>,
    pub closed: bool,
}

impl From<CreateTicketTypeRequest> for TicketTypeFields {
    fn from(new: CreateTicketTypeRequest) -> Self {
        Self {
            name: new.name,
            price: new.price,
            capacity: new.capacity,
            max_per_booking: new.max_per_booking,
            sales_start: new.sales_start,
            sales_end: new.sales_end,
            closed: false,
        }
    }
}

impl TicketTypeFields {
    /// The ticket type at this path; `None`: the errors are noted.
    pub(super) fn parse(self, path: &str, fields: &mut FieldErrors) -> Option<NewTicketType> {
        let at = |field: &str| format!("{path}.{field}");
        let name = fields.check(at("name"), TicketName::try_from(self.name));
        let price = fields.check(at("price.amount"), Price::try_from(self.price));
        let capacity = fields.check(at("capacity"), Capacity::try_from(self.capacity));
        let per_booking =
            optional(fields, &at("max_per_booking"), self.max_per_booking, PerBooking::try_from);
        Some(NewTicketType {
            id: TicketTypeId(Uuid::now_v7()),
            name: name?,
            price: price?,
            capacity: capacity?,
            max_per_booking: per_booking?.unwrap_or(PerBooking::DEFAULT),
            sales_start: self.sales_start.map(|Time(at)| at),
            sales_end: self.sales_end.map(|Time(at)| at),
            closed: self.closed,
        })
    }
}
